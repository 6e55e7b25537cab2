"""The feature pass against a plain loop over the same model, texts in the order they come, 64 a batch.

    python benchmarks/speed/feature_pass.py

writes benchmarks/results/feature_pass.json: texts a second and the ratio, blocks in turn.
"""

from __future__ import annotations

import json
import statistics
import tempfile
import time
from pathlib import Path

import numpy as np
import torch

from tutelage.bench.protocol import DataSet, data_root
from tutelage.bench.sets import load
from tutelage.data import sources
from tutelage.modalities.base import features
from tutelage.modalities.encoder import Encoder, load_encoder
from tutelage.modalities.text.network import pool
from tutelage.modalities.text.reader import TextReader

OUT = Path(__file__).parents[1] / "results" / "feature_pass.json"
TEXTS, BLOCKS = 384, 3
DATA = [
    DataSet(name="r8", kind="texts", file="cache:data/r8.parquet", pool=8000),
    DataSet(name="ag_news", kind="texts", file="ag_news/ag_news.parquet", pool=8000),
    DataSet(name="trec", kind="texts", file="trec/trec.parquet", pool=8000),
    DataSet(name="imdb", kind="texts", file="imdb/imdb.parquet", pool=3000),
]


@torch.inference_mode()
def plain(texts: list[str], encoder: Encoder, batch: int = 64) -> np.ndarray:
    """What most people write."""
    rows = []
    for i in range(0, len(texts), batch):
        b = encoder.tokenizer(
            texts[i : i + batch], padding=True, truncation=True, max_length=encoder.max_length, return_tensors="pt"
        )
        rows.append(pool(encoder.model(**b).last_hidden_state, b["attention_mask"]).numpy())
    return np.concatenate(rows)


def main() -> None:
    encoder, result = load_encoder(), {}
    sources.get("r8")
    for data in DATA:
        name, texts = data.name, load(data, data_root(Path(__file__))).learn.items[:TEXTS]
        seconds = {"plain": [], "encode": []}
        for _ in range(BLOCKS):
            start = time.perf_counter()
            expected = plain(texts, encoder)
            seconds["plain"].append(time.perf_counter() - start)
            with tempfile.TemporaryDirectory() as cache:
                start = time.perf_counter()
                got = features(TextReader(encoder), texts, Path(cache)).rows.numpy()
                seconds["encode"].append(time.perf_counter() - start)
        ratios = [a / b for a, b in zip(seconds["plain"], seconds["encode"], strict=True)]
        result[name] = {
            "texts": TEXTS,
            "times as fast, median": round(statistics.median(ratios), 2),
            "times as fast, each block": [round(r, 2) for r in ratios],
            "texts a second, plain": round(TEXTS / statistics.median(seconds["plain"])),
            "texts a second, encode": round(TEXTS / statistics.median(seconds["encode"])),
            "largest difference of a feature": float(np.abs(expected - got).max()),
        }
        print(name, result[name], flush=True)
    OUT.write_text(json.dumps(result, indent=1) + "\n")


if __name__ == "__main__":
    main()
