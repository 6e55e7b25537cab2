"""Trainings that one process and two do alike, and the program of each of the two: rank 0 writes what it has learnt."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
import torch
from torch import nn
from transformers import BertConfig, BertModel

from tutelage.data import Features, Loader, Tokens
from tutelage.game import Ahead, Alternating, Implicit, Rule, Unrolled
from tutelage.methods import (
    METHODS,
    DeepCoTraining,
    Drift,
    FixMatch,
    FreeMatch,
    MeanTeacher,
    MetaPseudoLabels,
    SelfTraining,
    Supervised,
    Vat,
)
from tutelage.modalities.head import Head
from tutelage.modalities.images.networks import SmallCnn
from tutelage.modalities.text.network import TextClassifier
from tutelage.tasks import Classification
from tutelage.train import Training, train
from tutelage.train.by_all import train_by_all

TASK = Classification(3)
STEPS = 50

FEWER = 6
"""Steps of networks that take longer."""


def draws(*shape: int) -> torch.Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(0), dtype=torch.float64)


def rows(seed: int = 0) -> Loader:
    """Rows of three classes; batches of 7 and 13, which two processes cannot halve."""
    x, y = draws(60, 6), torch.arange(60) % 3
    x = x + 2 * nn.functional.one_hot(y, 6) + seed
    said = nn.functional.one_hot(torch.where(torch.arange(40) % 5 > 0, y[20:], 0), 3) * 0.9 + 1 / 30
    strong = [Features(x[20:] + 0.1)]
    return Loader(Features(x[:20]), y[:20], Features(x[20:]), 7, 13, seed=3, strong=strong, said=said)


def head(seed: int = 0) -> nn.Module:
    torch.manual_seed(seed)
    return Head(6, 3, 8, 0.2)


def texts() -> Loader:
    rng = np.random.default_rng(0)
    ids = [rng.integers(1, 100, n).tolist() for n in rng.integers(4, 20, 60)]
    y = torch.arange(20) % 3
    y[[3, 9]] = -1
    return Loader(Tokens(ids[:20]), y, Tokens(ids), 7, 11, 0, strong=[Tokens([row[:-1] for row in ids])])


def transformer(seed: int = 0) -> nn.Module:
    torch.manual_seed(seed)
    config = BertConfig(
        vocab_size=100, hidden_size=16, num_hidden_layers=2, num_attention_heads=2, intermediate_size=32,
        max_position_embeddings=32, hidden_dropout_prob=0.1, attention_probs_dropout_prob=0.1,
    )  # fmt: skip
    return TextClassifier(BertModel(config), 3, dropout=0.1)


def images() -> Loader:
    x, y = draws(40, 3, 8, 8), torch.arange(20) % 3
    return Loader(Features(x[:20]), y, Features(x), 7, 11, 0, strong=[Features(x + 0.1)])


def convolutions(seed: int = 0) -> nn.Module:
    torch.manual_seed(seed)
    return SmallCnn(3, 8)


@dataclass(frozen=True)
class Turns(DeepCoTraining):
    """A method whose players take turns."""

    @property
    def rule(self) -> Rule:
        return Alternating(super().rule.movers)


RULES = {
    "labels alone": (Supervised(), head, rows),
    "turns": (Turns(), head, rows),
    "simultaneous": (FixMatch(threshold=0.4), head, rows),
    "thresholds": (FreeMatch(), head, rows),
    "ema": (MeanTeacher(), head, rows),
    "ema, anticipated": (Drift(), head, rows),
    "classes counted": (Drift(balance=1.0), head, rows),
    "unrolled": (Drift(response=Unrolled(2, 0.1)), head, rows),
    "ahead": (Drift(response=Ahead(2, 0.1)), head, rows),
    "implicit": (Drift(response=Implicit(1, 0.1, "cg", 2, 0.1)), head, rows),
    "two movers": (MetaPseudoLabels(), head, rows),
    "frozen, in rounds": (SelfTraining(rounds=2), head, rows),
    "nearby inputs": (Vat(), transformer, texts),
    "transformer": (FixMatch(threshold=0.4), transformer, texts),
    "transformer, unrolled": (Drift(response=Unrolled(1, 0.1)), transformer, texts),
    "batch norm": (Drift(), convolutions, images),
}
"""Method, network and loader of a training for each rule."""

EVERY = {name: (kind(), head, rows) for name, kind in METHODS.items()}


def learnt(case, comm=None, **options):
    method, network, loader = case
    steps = STEPS if network is head else FEWER
    how = Training(**({"steps": steps, "lr": 1e-3, "records": 3, "seed": 1} | options))
    run = train(method, TASK, network, loader(), how) if comm is None else None
    return run or train_by_all(method, TASK, network, loader(), how, comm)


def kept(run) -> dict[str, torch.Tensor]:
    """Weights of all players, and all that is remembered."""
    found = {f"{who}.{n}": t for who, player in run.seats.items() for n, t in player.module.state_dict().items()}
    found |= {f"memory.{n}": t for n, t in run.memory.tensors().items()}
    seen = [(i, n, v) for i, h in enumerate(run.history) for n, v in h.items()]
    return found | {f"history.{i}.{n}": torch.tensor(v) for i, n, v in seen}


def main(out: Path, names: str) -> None:
    from tutelage.train.on_fabric import begun

    torch.set_num_threads(1)
    torch.set_default_dtype(torch.float64)
    comm = begun(cuda=False)
    cases = RULES if names == "rules" else EVERY
    found = {name: kept(learnt(case, comm)) for name, case in cases.items()}
    if names == "rules":
        try:
            learnt((MeanTeacher(), head, partial(rows, comm.rank)), comm)
        except ValueError as e:
            found["unequal"] = str(e)
        found["in parts"] = kept(learnt(RULES["transformer"], comm, accumulate=2))
    torch.save(found, out / f"{names}{comm.rank}.pt")


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2])
