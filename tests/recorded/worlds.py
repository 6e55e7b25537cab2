"""Small worlds of data for what is recorded: made from nothing, alike on every machine, without the library.

Random numbers are whole or uniform ones: their bits are the same on all processors, those of normal ones are not.
"""

from __future__ import annotations

import io
import os
import random
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
import torch
from PIL import Image
from sklearn.datasets import load_digits

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
SMALL_WORDS = ("the", "a", "my", "that", "near")
WORDS = sorted({w for s in SUBJECTS.values() for w in s} | {w for f in FRAME for w in f.replace("{}", "").split()})


@dataclass(frozen=True)
class Digits:
    """Pixels of hand-written digits in rows, (n, 64): five labels of each of ten classes, 150 for the pool, 60 new."""

    labelled: np.ndarray
    y: np.ndarray
    pool: np.ndarray
    truth: np.ndarray
    new: np.ndarray
    new_y: np.ndarray


def digits() -> Digits:
    x, y = load_digits(return_X_y=True)
    order = np.random.default_rng(0).permutation(len(x))
    x, y = x[order].astype(np.float32), y[order]
    first = np.concatenate([np.flatnonzero(y[:400] == c)[:5] for c in range(10)])
    rest = np.setdiff1d(np.arange(400), first)[:150]
    return Digits(x[first], y[first], x[rest], y[rest], x[400:460], y[400:460])


def noisy_labels(truth: np.ndarray, classes: int, share: float = 0.3) -> tuple[np.ndarray, np.ndarray]:
    """Of every second row a label, so many of them wrong: numbers of the rows, and their labels."""
    rng = np.random.default_rng(1)
    covered = np.arange(0, len(truth), 2)
    wrong = rng.random(len(covered)) < share
    return covered, np.where(wrong, (truth[covered] + rng.integers(1, classes, len(covered))) % classes, truth[covered])


def votes_on(truth: np.ndarray, classes: int, rules: int = 4) -> np.ndarray:
    """Votes of rules, each on half of the rows and mostly right, -1 = abstains, (n, rules)."""
    rng = np.random.default_rng(2)
    right = rng.random((len(truth), rules)) < 0.85
    said = np.where(right, truth[:, None], rng.integers(0, classes, (len(truth), rules)))
    return np.where(rng.random(said.shape) < 0.5, said, -1)


def disturbed(rows: np.ndarray, seed: int) -> np.ndarray:
    """Rows in which a fifth of the features is 0."""
    kept = np.random.default_rng(seed).random(rows.shape) >= 0.2
    return np.where(kept, rows, 0).astype(rows.dtype)


@dataclass(frozen=True)
class WordRows:
    """Rows of 12 features, one for each word of sentences, and the words' tags, one of five.

    The words of 20 sentences with tags and of 40 without: ``labelled_sizes`` and ``pool_sizes`` count them.
    """

    labelled: np.ndarray
    labelled_sizes: np.ndarray
    y: np.ndarray
    pool: np.ndarray
    pool_sizes: np.ndarray


TAGS = ("O", "B-FOOD", "I-FOOD", "B-SPORT", "I-SPORT")


def word_rows() -> WordRows:
    rng = np.random.default_rng(3)
    centres = rng.random((len(TAGS), 12)) * 2
    parts = []
    for count in (20, 40):
        sizes = rng.integers(2, 7, count)
        y = rng.permutation(np.arange(sizes.sum()) % len(TAGS))
        parts.append(((centres[y] + rng.random((len(y), 12)) * 2).astype(np.float32), sizes, y))
    (labelled, labelled_sizes, y), (pool, pool_sizes, _) = parts
    return WordRows(labelled, labelled_sizes, y, pool, pool_sizes)


@dataclass(frozen=True)
class Squares:
    """Images of a red or a blue square on grey noise, (n, h, w, 3); 0 = red; masks that are 1 in the square."""

    pixels: np.ndarray
    y: np.ndarray
    masks: np.ndarray


def squares(count: int, seed: int, h: int = 16, w: int = 16, *, coloured: bool = False) -> Squares:
    """Draw squares; ``coloured`` masks are 1 in a red square and 2 in a blue one."""
    rng = np.random.default_rng(seed)
    pixels = rng.integers(90, 130, (count, h, w, 3), dtype=np.uint8)
    y, masks = np.arange(count) % 2, np.zeros((count, h, w), dtype=np.int64)
    for i, label in enumerate(y):
        side = rng.integers(min(h, w) // 3, min(h, w) // 2 + 1)
        top, left = rng.integers(0, h - side + 1), rng.integers(0, w - side + 1)
        place = slice(top, top + side), slice(left, left + side)
        pixels[i][place] = (30, 30, 230) if label else (230, 30, 30)
        masks[i][place] = 1 + label * coloured
    return Squares(pixels, y, masks)


def png(pixels: np.ndarray) -> bytes:
    """An image or a mask, encoded."""
    file = io.BytesIO()
    Image.fromarray(pixels.astype(np.uint8)).save(file, "png")
    return file.getvalue()


def texts(count: int, seed: int) -> pd.DataFrame:
    """Sentences about food or sport, in turn, all different, in the columns text and label."""
    rng, rows = random.Random(seed), {}
    while len(rows) < count:
        label = ("food", "sport")[len(rows) % 2]
        rows.setdefault(
            rng.choice(FRAME).format(*rng.sample(SUBJECTS[label], 2)) + f" {seed} {rng.randrange(10**6)}", label
        )
    return pd.DataFrame({"text": list(rows), "label": list(rows.values())})


def tagged(count: int, seed: int) -> pd.DataFrame:
    """Sentences in which foods and sports are entities, some of two words, in the columns tokens and tags."""
    rng, rows = random.Random(seed), []
    for _ in range(count):
        words, tags = [], []
        for _ in range(rng.randint(2, 4)):
            kind = rng.choice(["food", "sport"])
            words.append(rng.choice(SMALL_WORDS))
            tags.append("O")
            for j in range(rng.randint(1, 2)):
                words.append(rng.choice(SUBJECTS[kind]))
                tags.append(("B-" if j == 0 else "I-") + kind.upper())
        rows.append({"tokens": words, "tags": tags})
    return pd.DataFrame(rows)


def distant(tags: list[list[str]]) -> list[list[str]]:
    """The tags as distant matching may find them: three in ten are overlooked."""
    rng = random.Random(0)
    return [["O" if rng.random() < 0.3 else t for t in sentence] for sentence in tags]


@contextmanager
def empty_cache() -> Iterator[None]:
    """Let the library's cache be an empty folder for a while.

    An encoder sees together what is not in its cache, padded to the longest: what was encoded before changes the last
    bits of what is encoded now.
    """
    before = os.environ.get("TUTELAGE_CACHE")
    with tempfile.TemporaryDirectory() as folder:
        os.environ["TUTELAGE_CACHE"] = folder
        try:
            yield
        finally:
            del os.environ["TUTELAGE_CACHE"]
            if before is not None:
                os.environ["TUTELAGE_CACHE"] = before


def write_encoder(folder: Path) -> Path:
    """Write a two-layer BERT of 16 numbers a token into a folder, as transformers saves one, and return the folder.

    Its weights are uniform random numbers, so that their bits, and with them its fingerprint, are the same everywhere.
    """
    from transformers import BertConfig, BertModel, BertTokenizerFast

    folder.mkdir(parents=True, exist_ok=True)
    numbers = [str(d) for d in range(10)] + [f"##{d}" for d in range(10)]
    vocabulary = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *WORDS, *numbers]
    (folder / "vocab.txt").write_text("\n".join(vocabulary), encoding="utf-8")
    config = BertConfig(
        vocab_size=len(vocabulary), hidden_size=16, num_hidden_layers=2, num_attention_heads=2,
        intermediate_size=32, max_position_embeddings=64,
    )  # fmt: skip
    with torch.random.fork_rng():
        model = BertModel(config)
    draw = torch.Generator().manual_seed(0)
    with torch.no_grad():
        for name, weights in sorted(model.named_parameters()):
            if name.endswith("bias"):
                weights.zero_()
            elif "LayerNorm" in name:
                weights.fill_(1)
            else:
                weights.copy_((torch.rand(weights.shape, generator=draw) - 0.5) * 0.5)
    model.save_pretrained(folder)
    BertTokenizerFast(vocab=str(folder / "vocab.txt")).save_pretrained(folder)
    return folder
