"""Precision and recall of the search for copies, on copies that were planted among real items.

    python benchmarks/studies/planted.py

writes benchmarks/results/copies_planted.json. Texts, from AG News, are re-cased, re-punctuated, signed, given a letter
head, and in long ones one word is changed; of images, from BCCD, CIFAR-10 and Fashion-MNIST, each is encoded and
resized again. Recall is the share of the planted copies that are in the group of their original; precision the share
of the pairs in one group that were planted, or are equal items of the data set anyway. Controls hold no copy but equal
items: texts of one subject, and scikit-learn's digits, of which no two are equal.
"""

from __future__ import annotations

import io
import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from PIL import Image
from sklearn.datasets import load_digits

from tutelage.copies.exact import groups_of
from tutelage.copies.folding import folded
from tutelage.copies.writing import same_texts
from tutelage.modalities.images.copies import PicturePrints, same_pictures

OUT = Path(__file__).parents[1] / "results" / "copies_planted.json"
DATA = Path(os.environ.get("TUTELAGE_DATA", "data"))
PLANTED = 300
"""Number of originals that are copied, in each way."""

BESIDE = 2_700
"""Number of further items among which the copies lie."""

SIGNATURES = ("\n-- \nAnn Bell, Bell & Sons", "\nKind regards\nThomas", "\nYours\nM. Okafor\nSales, third floor")
HEADS = ("Bell & Sons\nMain Street 3\n", "To all members\n", "Newsletter of the week\nNo reply to this address\n")


def _with_another_word(text: str, i: int) -> str:
    words = text.split()
    words[len(words) // 2] = f"other{i}"
    return " ".join(words)


TEXTS: dict[str, Callable[[str, int], str]] = {
    "upper case": lambda text, i: text.upper(),
    "other punctuation": lambda text, i: "* " + text.replace(" ", "  ").replace(",", " ;").replace(".", "!!") + " ...",
    "signed": lambda text, i: text + SIGNATURES[i % 3],
    "under a letterhead": lambda text, i: HEADS[i % 3] + text,
    "re-cased and signed": lambda text, i: text.title() + SIGNATURES[i % 3],
    "one word changed": _with_another_word,
}
IMAGES: dict[str, Callable[[Image.Image], bytes]] = {
    "jpeg 95": lambda image: encoded(image, "jpeg", quality=95),
    "jpeg 75": lambda image: encoded(image, "jpeg", quality=75),
    "jpeg 60": lambda image: encoded(image, "jpeg", quality=60),
    "png": lambda image: encoded(image, "png"),
    "webp 80": lambda image: encoded(image, "webp", quality=80),
    "half, jpeg 75": lambda image: encoded(resized(image, 0.5), "jpeg", quality=75),
    "double, jpeg 75": lambda image: encoded(resized(image, 2), "jpeg", quality=75),
}


def encoded(image: Image.Image, kind: str, **how: int) -> bytes:
    """Encoded image."""
    file = io.BytesIO()
    image.save(file, kind, **how)
    return file.getvalue()


def resized(image: Image.Image, by: float) -> Image.Image:
    """Image with each side times a number."""
    return image.resize((round(image.width * by), round(image.height * by)))


def measured(groups: np.ndarray, truth: np.ndarray, planted: int) -> dict[str, Any]:
    """Precision and recall of groups.

    Args:
        groups: group number of each item that was found, (n,); the last ``planted`` items are copies of the first.
        truth: group number of each item by what was planted and what is equal, (n,).
        planted: number of planted copies.
    """
    pairs = pd.DataFrame({"found": groups, "true": truth})
    both = sum(count * (count - 1) // 2 for count in pairs.groupby(["found", "true"]).size())
    found = sum(count * (count - 1) // 2 for count in pairs.groupby("found").size())
    recall = float((groups[-planted:] == groups[:planted]).mean()) if planted else None
    return {"items": len(groups), "planted": planted, "recall": recall, "pairs": int(found), "true_pairs": int(both),
            "precision": both / found if found else None}  # fmt: skip


def of_texts() -> dict[str, Any]:
    """Each way of changing texts."""
    table = pd.read_parquet(DATA / "ag_news" / "ag_news.parquet").sample(PLANTED + BESIDE, random_state=0)
    texts = table["text"].astype(str).tolist()
    known = groups_of([folded(text) for text in texts])
    found = {}
    for name, change in TEXTS.items():
        few = texts[:PLANTED]
        if name == "one word changed":
            few = [text for text in texts if len(text.split()) >= 32][:PLANTED]
            texts_here = few + [text for text in texts if text not in set(few)]
        else:
            texts_here = texts
        truth = groups_of([folded(text) for text in texts_here])
        copies = [change(text, i) for i, text in enumerate(few)]
        groups = same_texts([*texts_here, *copies])
        found[name] = measured(groups, np.r_[truth, truth[: len(few)]], len(few))
        print("texts", name, found[name], flush=True)
    one = table[table["label"] == table["label"].iloc[0]]["text"].astype(str).tolist()
    found["control: one subject"] = measured(same_texts(one), groups_of([folded(text) for text in one]), 0)
    found["control: as they are"] = measured(same_texts(texts), known, 0)
    return found


def _images(name: str, count: int) -> list[Image.Image]:
    draw = np.random.default_rng(0)
    if name == "fashion_mnist":
        with np.load(DATA / name / "fashion_mnist.npz") as arrays:
            pixels = next(arrays[k] for k in arrays.files if arrays[k].ndim == 3)
        return [Image.fromarray(pixels[i]).convert("RGB") for i in draw.choice(len(pixels), count, replace=False)]
    file = {"cifar10": "test.parquet", "bccd": "bccd_320x240.parquet"}[name]
    table = pd.read_parquet(DATA / name / file)
    column = next(c for c in table if isinstance(table[c].iloc[0], bytes | dict) and "mask" not in str(c))
    cells = table[column].iloc[draw.choice(len(table), min(count, len(table)), replace=False)]
    data = [cell["bytes"] if isinstance(cell, dict) else cell for cell in cells]
    return [Image.open(io.BytesIO(each)).convert("RGB") for each in data]


def of_images(name: str) -> dict[str, Any]:
    """Each way of encoding and resizing images of a data set."""
    images = _images(name, PLANTED + BESIDE)
    originals = [encoded(image, "png") for image in images]
    truth, few = groups_of([image.tobytes() for image in images]), images[: min(PLANTED, len(images) // 2)]
    prints = PicturePrints.of(originals)
    found: dict[str, Any] = {"side": list(images[0].size)}
    for way, change in IMAGES.items():
        groups = prints.and_those_of(PicturePrints.of(list(map(change, few)))).groups()
        found[way] = measured(groups, np.r_[truth, truth[: len(few)]], len(few))
        print(name, way, found[way], flush=True)
    found["control: as they are"] = measured(prints.groups(), truth, 0)
    return found


def main() -> None:
    """Measure all, and write the file."""
    digits = (load_digits().images * 15).astype(np.uint8)
    found: dict[str, Any] = {"texts": of_texts()}
    for name in ("bccd", "cifar10", "fashion_mnist"):
        found[name] = of_images(name)
    large = np.kron(digits, np.ones((8, 8), dtype=np.uint8))
    for way, pixels in (("8 x 8", digits), ("64 x 64", large)):
        groups = same_pictures(pixels)
        found.setdefault("digits", {})[way] = measured(groups, groups_of([one.tobytes() for one in pixels]), 0)
    OUT.write_text(json.dumps(found, indent=1) + "\n")


if __name__ == "__main__":
    main()
