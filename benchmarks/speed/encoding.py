"""Encoding of texts beside other programs, in each precision, and what int8 costs in accuracy.

    python benchmarks/speed/encoding.py [speed|accuracy|gpu]

adds to benchmarks/results/encoding.json. "speed": texts a second of the wall clock and of processor time, at one thread
and two, ways in turn, blocks of each, medians; ways whose packages are not installed are left out. "accuracy": a linear
model on six sets in float32 and int8, and the cosines of their features. "gpu": the same encoder on a GPU,
compiled or not, against a plain loop, and its share of the GPU's speed at a product of matrices.
"""

from __future__ import annotations

import importlib.util
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch
from sklearn.linear_model import LogisticRegression

from tutelage.bench.protocol import DataSet, data_root
from tutelage.bench.sets import load
from tutelage.export import to_onnx
from tutelage.modalities import graphs
from tutelage.modalities.base import features
from tutelage.modalities.encoder import Encoder, load_encoder
from tutelage.modalities.head import Head
from tutelage.modalities.text.fastest import rows_in
from tutelage.modalities.text.network import pool
from tutelage.modalities.text.quantised import write_features
from tutelage.modalities.text.reader import TextReader
from tutelage.model import Model
from tutelage.tasks import Classification

OUT = Path(__file__).parents[1] / "results" / "encoding.json"
TEXTS, BLOCKS, BATCH = 192, 3, 32
ROWS, SPLITS = 800, 20
"""Texts of each set of "accuracy", and random halves of them that are learnt from."""
SETS = {
    "ag_news": "ag_news/ag_news.parquet", "imdb": "imdb/imdb.parquet", "trec": "trec/trec.parquet",
    "sms": "sms/sms.parquet", "yelp": "yelp/yelp.parquet", "youtube_spam": "youtube_spam/youtube.parquet",
}  # fmt: skip
PEAK = 8192
"""Rows and columns of the matrices whose product tells a GPU's speed."""


def texts_of(name: str, count: int) -> tuple[list[str], np.ndarray]:
    """The first texts of a set's training part, and their class numbers."""
    data = load(DataSet(name=name, kind="texts", file=SETS[name], pool=8000), data_root(Path(__file__))).learn
    return list(data.items[:count]), np.asarray(data.y[:count])


@torch.inference_mode()
def plain(encoder: Encoder, texts: list[str]) -> np.ndarray:
    """What most people write with transformers: texts in the order they come, filled up to the longest of a batch."""
    rows, device = [], next(encoder.model.parameters()).device
    for i in range(0, len(texts), BATCH):
        b = encoder.tokenizer(
            texts[i : i + BATCH], padding=True, truncation=True, max_length=encoder.max_length, return_tensors="pt"
        ).to(device)
        rows.append(pool(encoder.model(**b).last_hidden_state, b["attention_mask"]).float().cpu().numpy())
    return np.concatenate(rows)


def by_runtime(encoder: Encoder, folder: Path, threads: int) -> Callable[[list[str]], np.ndarray]:
    """ONNX Runtime alone, in float32: texts by their length, filled up to the longest of a batch."""
    write_features(encoder, folder / "features.onnx")
    compute = graphs.opened(folder / "features.onnx", threads)

    def work(texts: list[str]) -> np.ndarray:
        order = sorted(range(len(texts)), key=lambda i: len(texts[i]))
        rows = np.zeros((len(texts), encoder.width), dtype=np.float32)
        for i in range(0, len(texts), BATCH):
            some = order[i : i + BATCH]
            b = encoder.tokenizer([texts[j] for j in some], padding=True, truncation=True,
                                  max_length=encoder.max_length, return_tensors="np")  # fmt: skip
            mask = b["attention_mask"].astype(np.int64)
            rows[some] = compute({"input_ids": b["input_ids"].astype(np.int64), "attention_mask": mask})
        return rows

    return work


def ways_of(encoder: Encoder, folder: Path, threads: int) -> dict[str, Callable[[list[str]], np.ndarray]]:
    """Ways to encode texts, or to predict their classes, by name."""
    narrow = ["bfloat16", *(["int8"] if graphs.there() else [])]
    readers = {name: TextReader(replace(encoder, precision=name)) for name in ("float32", *narrow)}
    ways: dict[str, Callable[[list[str]], np.ndarray]] = {
        f"tutelage, {name}": lambda texts, reader=reader: features(reader, texts, None).rows.numpy()
        for name, reader in readers.items()
    }
    ways["transformers, plain loop"] = lambda texts: plain(encoder, texts)
    if importlib.util.find_spec("sentence_transformers"):
        from sentence_transformers import SentenceTransformer

        from tutelage.modalities.encoder import _packaged_minilm

        theirs = SentenceTransformer(_packaged_minilm(), device="cpu")
        theirs.max_seq_length = encoder.max_length
        ways["sentence-transformers"] = lambda texts: theirs.encode(
            texts, batch_size=BATCH, normalize_embeddings=True, show_progress_bar=False
        )
    if graphs.there():
        ways["ONNX Runtime, float32"] = by_runtime(encoder, folder, threads)
    torch.manual_seed(0)
    head = Head(encoder.width, 4).eval()
    for name in ("float32", *narrow):
        model = Model(list("abcd"), head, readers[name], Classification(4), False)
        ways[f"predictions of a run, {name}"] = model.probabilities
        if name != "bfloat16" and graphs.there():
            ways[f"predictions of an exported graph, {name}"] = by_export(model, folder / name)
    return ways


def by_export(model: Model, folder: Path) -> Callable[[list[str]], np.ndarray]:
    """The lines of an exported graph's page, a text a call."""
    from tokenizers import Tokenizer

    to_onnx(model, folder, "texts")
    tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
    compute = graphs.opened(folder / "model.onnx", torch.get_num_threads())

    def work(texts: list[str]) -> np.ndarray:
        rows = []
        for text in texts:
            ids = np.array([tokenizer.encode(text).ids], dtype=np.int64)
            rows.append(compute({"input_ids": ids, "attention_mask": np.ones_like(ids)}))
        return np.concatenate(rows)

    return work


def speed(threads: int) -> dict[str, dict[str, float]]:
    """Texts a second of each way, in this process."""
    torch.set_num_threads(threads)
    encoder, found = load_encoder(), {}
    texts = texts_of("ag_news", TEXTS)[0]
    with tempfile.TemporaryDirectory() as folder:
        ways = ways_of(encoder, Path(folder), threads)
        wall: dict[str, list[float]] = {name: [] for name in ways}
        busy: dict[str, list[float]] = {name: [] for name in ways}
        rows = {name: work(texts[:BATCH]) for name, work in ways.items()}  # the first call is slower than the rest
        for _ in range(BLOCKS):
            for name, work in ways.items():
                start, cpu = time.perf_counter(), time.process_time()
                work(texts)
                wall[name].append(time.perf_counter() - start)
                busy[name].append(time.process_time() - cpu)
    for name in ways:
        same = rows[name].shape[1] == encoder.width
        found[name] = {
            "texts a second": round(TEXTS / statistics.median(wall[name]), 1),
            "texts a second of processor time": round(TEXTS / statistics.median(busy[name]), 1),
        }
        if same:
            found[name]["largest difference from float32"] = float(np.abs(rows[name] - rows["tutelage, float32"]).max())
    return found


def accuracy() -> dict[str, dict[str, float]]:
    """Accuracy of a linear model on each set by precision, and the cosines of features to those in float32."""
    encoder, found = load_encoder(), {}
    names = ["float32", *(["int8"] if graphs.there() else [])]  # in bfloat16 the cosine is 1.0000
    for name in SETS:
        texts, y = texts_of(name, ROWS)
        rows = {p: rows_in(encoder, p, texts) for p in names}
        right: dict[str, list[float]] = {p: [] for p in names}
        for seed in range(SPLITS):
            order = np.random.default_rng(seed).permutation(len(y))
            learn, rest = order[: len(y) // 2], order[len(y) // 2 :]
            for p in names:
                model = LogisticRegression(C=10, max_iter=2000).fit(rows[p][learn], y[learn])
                right[p].append(model.score(rows[p][rest], y[rest]))
        here: dict[str, float] = {"texts": len(y)}
        for p in names:
            here[f"accuracy, {p}, %"] = round(100 * float(np.mean(right[p])), 2)
            if p != "float32":
                apart = 100 * (np.array(right[p]) - np.array(right["float32"]))
                cosine = (rows[p] * rows["float32"]).sum(1)
                here[f"points, {p} less float32"] = round(float(apart.mean()), 2)
                here[f"mean cosine, {p}"] = round(float(cosine.mean()), 5)
                here[f"least cosine, {p}"] = round(float(cosine.min()), 5)
        found[name] = here
        print(name, here, flush=True)
    return found


def gpu(count: int = 20000) -> dict[str, object]:
    """Texts a second on a GPU by way, and the share of its speed at a product of matrices."""
    encoder = load_encoder()
    encoder.model.to("cuda")
    texts = (texts_of("ag_news", 8000)[0] * (count // 8000 + 1))[:count]
    texts = [f"{i} {text}" for i, text in enumerate(texts)]  # equal texts are encoded once
    tokens = sum(map(len, encoder.tokenize(texts)))
    flops = 2 * tokens * sum(p.numel() for n, p in encoder.model.named_parameters() if "embeddings" not in n)
    left = torch.rand(PEAK, PEAK, device="cuda", dtype=torch.bfloat16)
    peak = 2 * PEAK**3 / _seconds(lambda: left @ left, 5)
    compiled = replace(encoder, model=torch.compile(encoder.model, dynamic=True), precision="bfloat16")
    ways = {
        "plain loop": lambda: plain(encoder, texts),
        "float32": lambda: rows_in(encoder, "float32", texts),
        "bfloat16": lambda: rows_in(encoder, "bfloat16", texts),
        "bfloat16, compiled": lambda: rows_in(compiled, "bfloat16", texts),
    }
    found: dict[str, object] = {"device": torch.cuda.get_device_name(), "peak, TFLOP/s": round(peak / 1e12, 1)}
    for name, work in ways.items():
        seconds = _seconds(work, 2)
        found[name] = {"texts a second": round(count / seconds), "share of peak": round(flops / seconds / peak, 3)}
        print(name, found[name], flush=True)
    return found


def _seconds(work: Callable[[], object], repeats: int) -> float:
    """Seconds of some work on the GPU, the best of some repetitions after a first."""
    found = []
    for _ in range(repeats + 1):
        torch.cuda.synchronize()
        start = time.perf_counter()
        work()
        torch.cuda.synchronize()
        found.append(time.perf_counter() - start)
    return min(found[1:])


def main() -> None:
    asked = sys.argv[1:] or ["speed", "accuracy", *(["gpu"] if torch.cuda.is_available() else [])]
    if asked[0] == "threads":  # a process of one number of threads
        print(json.dumps(speed(int(asked[1]))))
        return
    result = json.loads(OUT.read_text()) if OUT.exists() else {}
    for part in asked:
        if part == "speed":
            for threads in (1, 2):
                how = os.environ | {"OMP_NUM_THREADS": str(threads), "OMP_WAIT_POLICY": "passive"}
                done = subprocess.run([sys.executable, __file__, "threads", str(threads)], check=True, text=True,
                                      env=how, stdout=subprocess.PIPE)  # fmt: skip
                result[f"{threads} thread{'s' * (threads > 1)}"] = json.loads(done.stdout.splitlines()[-1])
        else:
            result[part] = {"accuracy": accuracy, "gpu": gpu}[part]()
        OUT.write_text(json.dumps(result, indent=1) + "\n")


if __name__ == "__main__":
    main()
