"""Runs of texts, rows and sentences, and a client of the service that answers for one of them."""

from __future__ import annotations

import random
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from tutelage import Supervised

FAST = {"steps": 20, "evidence": False}


def of_rows(count: int, seed: int, known: int) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    y = rng.integers(0, 2, count)
    x = np.where(y[:, None], 1, -1) + rng.normal(size=(count, 2))
    label = np.where(y, "yes", "no").astype(object)
    label[known:] = ""
    return pd.DataFrame({"id": range(count), "a": x[:, 0], "b": x[:, 1], "label": label})


def of_sentences(count: int, seed: int, subjects: dict[str, Any]) -> pd.DataFrame:
    rng, rows = random.Random(seed), []
    for _ in range(count):
        words = [rng.choice(["the", "a", "my", "that"]), rng.choice(subjects["food"]), rng.choice(subjects["sport"])]
        rows.append({"tokens": words, "tags": ["O", "B-FOOD", "B-SPORT"]})
    return pd.DataFrame(rows)


@pytest.fixture(scope="session")
def runs(tmp_path_factory, texts, subjects, encoder_folder, do):
    """Folder with finished runs, "texts", "rows" and "sentences", and new items for each, as csv."""
    folder = tmp_path_factory.mktemp("runs")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TUTELAGE_CACHE", str(folder / "cache"))
        texts.train.to_csv(folder / "train.csv", index=False)
        texts.test.assign(number=range(30)).to_csv(folder / "texts.csv", index=False)
        about = {"train": folder / "train.csv", "text": "text", "label": "label", "encoder": str(encoder_folder)}
        do(Supervised(), out=folder / "texts", **about, **FAST)
        of_rows(160, 0, 120).to_csv(folder / "train_rows.csv", index=False)
        of_rows(40, 1, 0).to_csv(folder / "rows.csv", index=False)
        about = {"train": folder / "train_rows.csv", "features": ("a", "b"), "label": "label"}
        do(Supervised(), out=folder / "rows", **about, steps=40)
        of_sentences(12, 0, subjects).to_parquet(folder / "train.parquet")
        new = of_sentences(20, 1, subjects)
        new.assign(tokens=new.tokens.map(" ".join)).to_csv(folder / "sentences.csv", index=False)
        about = {"train": folder / "train.parquet", "tokens": "tokens", "tags": "tags", "encoder": str(encoder_folder)}
        do(Supervised(), out=folder / "sentences", **about, **FAST)
    return folder


@dataclass
class Served:
    """A service, a client of it, and what it said."""

    app: Any
    client: Any
    said: list[str]

    def ask(self, rows: Any, query: str = "", **headers: str) -> Any:
        """The answer to rows of JSON."""
        return self.client.post(f"/predict{query}", json={"rows": rows}, headers=headers)


def serving(folder: Path, stack: ExitStack, **options: Any) -> Served:
    from starlette.testclient import TestClient

    from tutelage.serve.app import Allowed, App
    from tutelage.serve.bodies import Limits
    from tutelage.serve.metrics import Metrics
    from tutelage.serve.served import Place, Service

    said: list[str] = []
    metrics = Metrics()
    limits = options.pop("limits", Limits())
    allowed = Allowed(options.pop("token", None), options.pop("hosts", ()))
    service = Service(Place(folder), said.append, lambda outcome: metrics.loaded.labels(outcome).inc())
    app = App(service, metrics, limits, allowed, said.append, **options)
    client = stack.enter_context(TestClient(app.made(), "http://127.0.0.1:8000"))
    return Served(app, client, said)


@pytest.fixture
def serve(runs) -> Iterator[Any]:
    """Serves a run: ``serve("texts", token=..., limits=...)``."""
    with ExitStack() as stack:
        yield lambda run, **options: serving(runs / run if isinstance(run, str) else run, stack, **options)
