"""Inputs of the trials, made by a seed: texts with a tiny encoder, rows, images, masks, and rules."""

from __future__ import annotations

import io
import json
import random
from pathlib import Path

import numpy as np
import pandas as pd
from PIL import Image

SUBJECTS = {
    "food": ("soup", "bread", "cheese", "salad", "cake", "pepper", "butter", "onion"),
    "sport": ("goal", "match", "coach", "league", "runner", "medal", "tennis", "team"),
}
FRAME = ("the {} was near the {} today", "a {} and a {} again", "they like this {} more than that {}")
WORDS = sorted({w for s in SUBJECTS.values() for w in s} | {w for f in FRAME for w in f.replace("{}", "").split()})


def texts(count: int, seed: int) -> pd.DataFrame:
    """Different texts about food or sport, in turn, with their labels."""
    draw, rows = random.Random(seed), {}
    while len(rows) < count:
        label = ("food", "sport")[len(rows) % 2]
        words = draw.sample(SUBJECTS[label], 2)
        rows.setdefault(f"{draw.choice(FRAME).format(*words)} {seed} {draw.randrange(10**6)}", label)
    return pd.DataFrame({"text": list(rows), "label": list(rows.values())})


def encoder(folder: Path) -> None:
    """Save a BERT of two layers and 16 numbers a token, as transformers saves one."""
    import torch
    from transformers import BertConfig, BertModel, BertTokenizerFast
    from transformers.utils import logging

    logging.disable_progress_bar()
    folder.mkdir(parents=True)
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


def rows(count: int, known: int, seed: int) -> pd.DataFrame:
    """Rows of two numbers in two classes, of which the first ``known`` have a label."""
    draw = np.random.default_rng(seed)
    y = np.arange(count) % 2
    label = np.where(y, "Rossi", "Bianchi").astype(object)
    label[known:] = ""
    numbers = {name: y * sign + draw.normal(size=count).round(3) for name, sign in (("ash", 1), ("alcohol", -1))}
    return pd.DataFrame(numbers | {"grower": label})


def _squares(count: int, seed: int, side: int = 16) -> list[tuple[bytes, bytes, int]]:
    """Images of a red or a blue square on noise, their masks, and which colour it is."""
    draw, found = np.random.default_rng(seed), []
    for i in range(count):
        pixels = draw.integers(90, 130, (side, side, 3), dtype=np.uint8)
        mask = np.zeros((side, side), dtype=np.uint8)
        top, left = draw.integers(0, side // 2, 2)
        place = slice(top, top + side // 2), slice(left, left + side // 2)
        pixels[place] = (30, 30, 230) if i % 2 else (230, 30, 30)
        mask[place] = 1
        found.append((_png(pixels), _png(mask), i % 2))
    return found


def _png(pixels: np.ndarray) -> bytes:
    held = io.BytesIO()
    Image.fromarray(pixels).save(held, "png")
    return held.getvalue()


def make(folder: Path) -> None:
    """Write all inputs into a new folder."""
    folder.mkdir(parents=True)
    table = pd.concat([texts(12, 1), texts(20, 2).assign(label="")])
    table.to_csv(folder / "texts.csv", index=False)
    texts(10, 3).to_csv(folder / "texts_test.csv", index=False)
    rules = [{"label": k, "keywords": list(words[:5]), "name": f"some {k}"} for k, words in SUBJECTS.items()]
    (folder / "rules.json").write_text(json.dumps(rules))
    rows(40, 14, 1).to_csv(folder / "rows.csv", index=False)
    rows(12, 12, 2).to_csv(folder / "rows_test.csv", index=False)
    marked = texts(40, 4)
    marked.loc[::9, "label"] = marked.label[1::9].to_list() + ["food"] * (
        len(marked.label[::9]) - len(marked.label[1::9])
    )
    marked.to_csv(folder / "marked.csv", index=False)
    for name, count, known in (("images", 16, 8), ("images_test", 6, 6)):
        for i, (image, _, colour) in enumerate(_squares(count, len(name))):
            within = folder / name / (("red", "blue")[colour] if i < known else "unlabelled")
            within.mkdir(parents=True, exist_ok=True)
            (within / f"{i:02d}.png").write_bytes(image)
    for name, count, known in (("masks", 10, 4), ("masks_test", 3, 3)):
        table = [{"image": im, "mask": m if i < known else None} for i, (im, m, _) in enumerate(_squares(count, 5))]
        pd.DataFrame(table).to_parquet(folder / f"{name}.parquet")
    encoder(folder / "encoder")
