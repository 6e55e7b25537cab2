"""Small runs of all five kinds of data, an audit and a service, for looking at their pages.

    python tools/report_runs.py FOLDER [texts rows images masks sentences]

Each run takes seconds and needs no network: the data are made here, or come with scikit-learn.
"""

from __future__ import annotations

import json
import random
import shutil
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pandas as pd
from PIL import Image
from sklearn.datasets import load_digits, load_wine

QUICK = ("--folds", "2", "--repeats", "1", "--device", "cpu")
SUBJECTS = {
    "food": ("soup", "fresh bread", "old cheese", "a green salad", "lemon cake", "black pepper", "salted butter"),
    "sport": ("the last goal", "a tennis match", "their coach", "the league", "a runner", "her medal", "the home team"),
    "weather": ("a cold wind", "heavy rain", "thick fog", "the first snow", "a dry summer", "thunder", "the forecast"),
}
FRAMES = (
    "they talked about {} and {} for hours", "nobody expected {} so soon after {}", "we were told that {} beats {}",
    "a letter to the editor about {} and about {}", "what {} has to do with {} is anybody's guess",
)  # fmt: skip


def texts(folder: Path) -> list[str]:
    """Sentences about three subjects, some of which mix two; twelve labels of each class."""
    rng = random.Random(0)

    def rows(count: int, known: int) -> pd.DataFrame:
        found: dict[str, str] = {}
        while len(found) < count:
            label = list(SUBJECTS)[len(found) % 3]
            other = label if rng.random() < 0.6 else rng.choice(list(SUBJECTS))
            words = rng.choice(SUBJECTS[label]), rng.choice(SUBJECTS[other])
            found.setdefault(f"{rng.choice(FRAMES).format(*words)}, no. {rng.randrange(10**5)}", label)
        labels = [label if i < known else "" for i, label in enumerate(found.values())]
        return pd.DataFrame({"text": list(found), "label": labels})

    rows(200, 36).to_csv(folder / "train.csv", index=False)
    test = rows(120, 120)
    pd.concat([test, pd.read_csv(folder / "train.csv")[:3]]).to_csv(folder / "test.csv", index=False)
    return ["drift", *files(folder, "csv"), "--text", "text", "--label", "label", "--steps", "60"]


def rows(folder: Path) -> list[str]:
    """Wines of three growers, with 15 labels and nothing to test on."""
    wine = load_wine(as_frame=True)
    table = wine.data.assign(grower=np.array(["Barolo", "Grignolino", "Barbera"])[wine.target])
    table = table.sample(frac=1, random_state=0).reset_index(drop=True)
    table.loc[15:, "grower"] = ""
    table.to_csv(folder / "train.csv", index=False)
    words = ["--train", str(folder / "train.csv"), "--features", "all", "--label", "grower", "--steps", "60"]
    return ["mean_teacher", *words]


def images(folder: Path) -> list[str]:
    """Handwritten digits in folders: 60 with labels, 240 without, 200 to test on."""
    digits = load_digits()
    for i in range(500):
        part, label = ("train" if i < 300 else "test"), str(digits.target[i])
        within = folder / part / (label if i < 60 or i >= 300 else "unlabelled")
        within.mkdir(parents=True, exist_ok=True)
        pixels = np.kron(255 - digits.images[i] * 15.9, np.ones((4, 4))).astype(np.uint8)
        Image.fromarray(pixels).convert("RGB").save(within / f"{i:03d}.png")
    more = ["--network", "small_cnn", "--size", "16", "16", "--steps", "60"]
    return ["fixmatch", "--kind", "images", *files(folder, ""), *more]


def masks(folder: Path) -> list[str]:
    """Discs on noise, which the masks mark: 8 images with masks, 16 without, 10 to test on."""
    rng = np.random.default_rng(0)
    for part, count, known in (("train", 24, 8), ("test", 10, 10)):
        for name in ("images", "masks"):
            (folder / part / name).mkdir(parents=True)
        for i in range(count):
            pixels = rng.integers(60, 150, (64, 64, 3), dtype=np.uint8)
            y, x = np.mgrid[:64, :64]
            mask = np.zeros((64, 64), dtype=np.uint8)
            for k in (1, 2):
                row, column, radius = rng.integers(12, 52), rng.integers(12, 52), rng.integers(6, 12)
                mask[(y - row) ** 2 + (x - column) ** 2 < radius**2] = k
            pixels[mask == 1] = (200, 90, 60)
            pixels[mask == 2] = (70, 110, 220)
            Image.fromarray(pixels).save(folder / part / "images" / f"{i:02d}.png")
            if i < known:
                Image.fromarray(mask).save(folder / part / "masks" / f"{i:02d}.png")
    return ["mean_teacher", "--kind", "masks", *files(folder, ""), "--steps", "40"]


def sentences(folder: Path) -> list[str]:
    """Sentences in which foods and sports are entities: 20 tagged, 60 not, 40 to test on."""
    rng = random.Random(0)

    def one() -> dict[str, list[str]]:
        tokens, tags = [], []
        for _ in range(rng.randint(2, 4)):
            tokens.append(rng.choice(["the", "again", "near", "without", "before"]))
            tags.append("O")
            kind = rng.choice(["food", "sport"])
            for j, word in enumerate(rng.choice(SUBJECTS[kind]).split()):
                tokens.append(word)
                tags.append(f"{'B' if j == 0 else 'I'}-{kind.upper()}")
        return {"tokens": tokens, "tags": tags}

    def write(name: str, count: int, known: int) -> None:
        made = [one() for _ in range(count)]
        lines = [json.dumps(row if i < known else row | {"tags": None}) for i, row in enumerate(made)]
        (folder / f"{name}.jsonl").write_text("\n".join(lines) + "\n")

    write("train", 80, 20)
    write("test", 40, 40)
    return [
        "drift",
        "--kind",
        "sentences",
        *files(folder, "jsonl"),
        "--tokens",
        "tokens",
        "--tags",
        "tags",
        "--steps",
        "60",
    ]


def files(folder: Path, ending: str) -> list[str]:
    """Options that name the training and the test source of a folder."""
    end = f".{ending}" if ending else ""
    return ["--train", str(folder / f"train{end}"), "--test", str(folder / f"test{end}")]


KINDS: dict[str, Callable[[Path], list[str]]] = {
    "texts": texts, "rows": rows, "images": images, "masks": masks, "sentences": sentences,
}  # fmt: skip
"""What makes the data of a kind in a folder and returns the words of the fit, by kind."""


def fit(root: Path, kind: str) -> Path:
    """Fit on small data of a kind; the folder of the run, which is left as it is where it is there already."""
    data, out = root / "data" / kind, root / kind
    if not (out / "summary.json").exists():
        data.mkdir(parents=True, exist_ok=True)
        command("fit", *KINDS[kind](data), *QUICK, "--out", out)
    return out


def command(*words: object) -> None:
    """Do what the command does with words."""
    from tutelage.cli import main

    before, sys.argv = sys.argv, ["tutelage", *map(str, words)]
    try:
        main()
    except SystemExit as done:
        if done.code:
            raise
    finally:
        sys.argv = before


@dataclass(frozen=True)
class Given:
    """A page as a browser gets it: its HTML, and the headers that come with it."""

    html: str
    headers: Mapping[str, str] = field(default_factory=dict)


def audited(runs: Path) -> Given:
    """The page of an audit of the tested texts, of which every seventh has the label of the one before."""
    table = pd.read_csv(runs / "data" / "texts" / "test.csv")
    table.loc[6::7, "label"] = table.label[5:-1:7].to_numpy()
    out, path = runs / "audit", runs / "data" / "audited.csv"
    table.to_csv(path, index=False)
    shutil.rmtree(out, ignore_errors=True)  # the page is to be that of the code as it is now
    command("audit", "--train", path, "--text", "text", "--label", "label", "--encoder", "lexical", "--out", out)
    return Given((out / "audit.html").read_text(encoding="utf-8"))


def served(run: Path) -> Given:
    """The page of the service that answers with a run, and its headers."""
    from starlette.testclient import TestClient

    from tutelage.serve.app import Allowed, App
    from tutelage.serve.bodies import Limits
    from tutelage.serve.metrics import Metrics
    from tutelage.serve.served import Place, Service

    service = Service(Place(run), print, lambda _: None)
    app = App(service, Metrics(), Limits(), Allowed(None, ()), print)
    with TestClient(app.made(), "http://127.0.0.1:8000") as client:
        answer = client.get("/")
    return Given(answer.text, {"content-security-policy": answer.headers["content-security-policy"]})


if __name__ == "__main__":
    for name in sys.argv[2:] or KINDS:
        print(fit(Path(sys.argv[1]), name))
