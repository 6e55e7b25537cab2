"""The feature cache against pairs of .npy files, as version 0.2 kept them: opening, reading, writing, one text a call.

    python benchmarks/speed/feature_cache.py

writes benchmarks/results/feature_cache.json. Rows are read in a random order, by a cache that is opened for it; blocks
of both ways take turns. Fits at one cache begin at once with none of their features in it, beside a process that
predicts one text a call of the same texts. Bytes are flipped at random, 20 at a time, in a cache of 500 rows.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from tutelage.fit.pinned import Pinned
from tutelage.modalities.cache import FeatureCache
from tutelage.modalities.cache.rows_file import RowsFile
from tutelage.modalities.encoder import load_encoder
from tutelage.modalities.head import Head
from tutelage.modalities.text.reader import TextReader
from tutelage.model import Model
from tutelage.tasks import TASKS

OUT = Path(__file__).parents[1] / "results" / "feature_cache.json"
ROWS, WIDTH, A_WRITE = 120_000, 384, 4096
OPENED, NARROW = (10**3, 10**5, 10**7), 2
CALLS, BLOCKS, FLIPS, AT_ONCE = 160, 5, 10_000, 20
FITS = 4


class Pairs:
    """The cache of version 0.2: a file of keys and one of rows for each write, and a dictionary of all keys."""

    def __init__(self, folder: Path, width: int) -> None:
        self.folder, self.width = folder, width
        folder.mkdir(exist_ok=True)
        self.where: dict[bytes, tuple[np.ndarray, int]] = {}
        for path in sorted(folder.glob("*.keys.npy")):
            rows = np.load(path.with_name(path.name.replace(".keys.", ".rows.")), mmap_mode="r")
            self.where |= {key.tobytes(): (rows, i) for i, key in enumerate(np.load(path))}

    def add(self, keys: list[bytes], rows: np.ndarray) -> None:
        table = np.frombuffer(b"".join(keys), dtype=np.uint8).reshape(len(keys), -1)
        for kind, array in (("rows", rows), ("keys", table)):
            part = self.folder / f"{keys[0].hex()}.{kind}.part"
            with open(part, "wb") as f:
                np.save(f, array)
            part.replace(self.folder / f"{keys[0].hex()}.{kind}.npy")

    def read(self, keys: list[bytes], out: np.ndarray) -> None:
        for i, key in enumerate(keys):
            rows, j = self.where[key]
            out[i] = rows[j]


def random_keys(count: int, rng: np.random.Generator) -> list[bytes]:
    table = rng.integers(0, 256, (count, 16), dtype=np.uint8).tobytes()
    return [table[i : i + 16] for i in range(0, len(table), 16)]


def timed(work: Callable[[], object]) -> float:
    """CPU seconds that some work takes in this process, the system's included; waiting for others does not count."""
    start = time.process_time()
    work()
    return time.process_time() - start


def bulk(scratch: Path) -> dict[str, Any]:
    """Seconds in which `ROWS` rows are written and read, by both ways in turn."""
    rng = np.random.default_rng(0)
    keys, rows = random_keys(ROWS, rng), rng.standard_normal((ROWS, WIDTH), dtype=np.float32)
    asked = [keys[i] for i in rng.permutation(ROWS)]
    seconds: dict[str, list[float]] = {"write, pairs": [], "write": [], "read, pairs": [], "read": []}
    ways: dict[str, type[Pairs] | type[FeatureCache]] = {", pairs": Pairs, "": FeatureCache}
    for block in range(BLOCKS):
        for name, kind in ways.items():
            folder = scratch / f"bulk{block}{name}"

            def write(kind: Any = kind, folder: Path = folder) -> None:
                cache = kind(folder, WIDTH)
                for i in range(0, ROWS, A_WRITE):
                    cache.add(keys[i : i + A_WRITE], rows[i : i + A_WRITE])

            def read(kind: Any = kind, folder: Path = folder) -> None:
                kind(folder, WIDTH).read(asked, np.zeros((ROWS, WIDTH), dtype=np.float32))

            seconds[f"write{name}"].append(timed(write))
            seconds[f"read{name}"].append(timed(read))
            subprocess.run(["rm", "-r", folder], check=True)
    found: dict[str, Any] = {"rows": ROWS, "width": WIDTH}
    found |= {f"CPU seconds to {name}, median": round(statistics.median(s), 3) for name, s in seconds.items()}
    for what in ("write", "read"):
        ratios = [a / b for a, b in zip(seconds[what], seconds[f"{what}, pairs"], strict=True)]
        found[f"{what}: CPU time over that of pairs, median"] = round(statistics.median(ratios), 2)
    return found


def bytes_read() -> int:
    lines = dict(line.split(": ") for line in Path("/proc/self/io").read_text().splitlines())
    return int(lines["rchar"])


def opening(scratch: Path) -> list[dict[str, Any]]:
    """What it costs to open a cache of so many keys, and to read one row."""
    found = []
    for count in OPENED:
        folder, rng = scratch / f"open{count}", np.random.default_rng(count)
        folder.mkdir()
        file, first = RowsFile(folder / f"{NARROW}.rows", NARROW, writes=True), b""
        for start in range(0, count, 10**6):
            some = rng.integers(0, 256, (min(10**6, count - start), 16), dtype=np.uint8)
            first = first or some[0].tobytes()
            file.write(start, some, np.ones((len(some), NARROW), dtype=np.float32))
        file.close()
        out = np.zeros((1, NARROW), dtype=np.float32)
        made = FeatureCache(folder, NARROW)
        anew = timed(lambda cache=made, key=first, out=out: cache.read([key], out))  # type: ignore[misc]
        made.close()
        each, before = [], bytes_read()
        for _ in range(21):
            cache = FeatureCache(folder, NARROW)
            each.append(timed(lambda cache=cache, key=first, out=out: cache.read([key], out)))  # type: ignore[misc]
            cache.close()
        read = (bytes_read() - before) / 21
        found.append(
            {
                "keys": count,
                "CPU milliseconds to open and read a row, median": round(1e3 * statistics.median(each), 2),
                "kilobytes read": round(read / 1e3, 1),
                "CPU seconds to make the index anew": round(anew, 2),
            }
        )
        print(found[-1], flush=True)
        subprocess.run(["rm", "-r", folder], check=True)
    return found


def calls(scratch: Path) -> dict[str, Any]:
    """One text a call, with the cache and without, in turn."""
    model = Model(["a", "b"], Head(384, 2), TextReader(load_encoder()), TASKS["classification"].of(["a", "b"]))
    texts = [f"the {n} of {n * n} was {n % 7} times as large as that of {n + 1}, and nobody knew" for n in range(CALLS)]
    seconds: dict[str, list[float]] = {"none": [], "new": [], "kept": []}
    model.cache = False
    for text in texts[:20]:
        model.predict([text])
    for n, text in enumerate(texts):
        order = ("none", "new") if n % 2 else ("new", "none")
        for how in (*order, "kept"):
            model.cache = False if how == "none" else scratch / "calls"
            seconds[how].append(timed(lambda text=text: model.predict([text])))  # type: ignore[misc]
    ratios = [a / b for a, b in zip(seconds["new"], seconds["none"], strict=True)]
    files = [path for path in (scratch / "calls").rglob("*") if path.is_file()]
    return {
        "calls": CALLS,
        "files": len(files),
        "CPU milliseconds a call, without the cache, median": round(1e3 * statistics.median(seconds["none"]), 2),
        "CPU milliseconds a call, new texts, median": round(1e3 * statistics.median(seconds["new"]), 2),
        "new texts: CPU time over that without the cache, median": round(statistics.median(ratios), 3),
        "CPU milliseconds a call, kept texts, median": round(1e3 * statistics.median(seconds["kept"]), 2),
    }


def flips(scratch: Path) -> dict[str, Any]:
    """What comes of bytes that are flipped at random: rows that are found damaged, and rows that change in silence."""
    rng = np.random.default_rng(0)
    keys, rows = random_keys(500, rng), rng.standard_normal((500, 32), dtype=np.float32)
    folder = scratch / "flips"
    cache = FeatureCache(folder, 32)
    cache.add(keys, rows)
    cache.close()
    whole = {path: path.read_bytes() for path in folder.iterdir() if path.suffix in (".rows", ".index")}
    found, silent, anew = 0, 0, 0
    for trial in range(FLIPS // AT_ONCE):
        for path, data in whole.items():
            path.write_bytes(data)
        path = folder / ("32.rows" if trial % 2 else "32.index")
        damaged = bytearray(whole[path])
        for at in rng.integers(len(damaged), size=AT_ONCE):
            damaged[at] ^= int(rng.integers(1, 256))
        path.write_bytes(damaged)
        with warnings.catch_warnings(record=True) as heard:
            warnings.simplefilter("always")
            cache, out = FeatureCache(folder, 32), np.zeros_like(rows)
            there = cache.read(keys, out)
            kept = cache.add([key for key, t in zip(keys, there, strict=True) if not t], rows[~there])
            cache.close()
        found += int((~there).sum())
        silent += int((out[there] != rows[there]).any(1).sum()) + int((kept != rows[~there]).sum())
        anew += bool(heard)
    return {
        "flipped bytes": FLIPS, "caches": FLIPS // AT_ONCE, "rows found damaged, and made again": found,
        "indices made anew": anew, "rows changed in silence": silent,
    }  # fmt: skip


def tables(folder: Path) -> None:
    rng, words = np.random.default_rng(0), [f"word{n}" for n in range(60)]
    for name, count in (("train", 60), ("pool", 240)):
        labels = rng.integers(0, 2, count)
        texts = [" ".join(rng.choice(words[30 * y : 30 * y + 30], 12)) + f" {n} {name}" for n, y in enumerate(labels)]
        pd.DataFrame({"text": texts, "label": [f"class {y}" for y in labels]}).to_csv(folder / f"{name}.csv")


def command(folder: Path, out: str) -> list[str]:
    words = ["fit", "drift", "--train", folder / "train.csv", "--unlabelled", folder / "pool.csv", "--text", "text"]
    words += ["--label", "label", "--out", folder / out, "--steps", 40, "--folds", 2, "--repeats", 1]
    return [str(word) for word in [*words, "--encoder", "minilm"]]


SERVER = """
import sys, pandas as pd
from tutelage.model import load
model = load(sys.argv[1])
for text in pd.read_csv(sys.argv[2]).text:
    model.predict([text])
"""


def fits(scratch: Path) -> dict[str, Any]:
    """Fits that begin at once on an empty cache, beside a server, against one alone on a cache of its own."""
    folder = scratch / "fits"
    folder.mkdir()
    tables(folder)

    def environment(cache: str) -> dict[str, str]:
        return os.environ | {"TUTELAGE_CACHE": str(folder / cache), "OMP_NUM_THREADS": "1"}

    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    start = [sys.executable, "-m", "tutelage"]
    subprocess.run([*start, *command(folder, "alone")], env=environment("own"), check=True, **quiet)  # type: ignore[call-overload]
    serve = [sys.executable, "-c", SERVER, str(folder / "alone"), str(folder / "pool.csv")]
    running = [subprocess.Popen(serve, env=environment("shared"), **quiet)]  # type: ignore[call-overload]
    for n in range(FITS):
        running.append(subprocess.Popen([*start, *command(folder, f"out{n}")], env=environment("shared"), **quiet))  # type: ignore[call-overload]
    codes = [process.wait() for process in running]
    weights = [
        (folder / out / "model" / "model.safetensors").read_bytes()
        for out in ("alone", *map("out{}".format, range(FITS)))
    ]
    return {
        "fits at once": FITS,
        "all ended well": codes == [0] * len(codes),
        "equal to each other, bit for bit": len(set(weights[1:])) == 1,
        "equal to the one alone, bit for bit": set(weights[1:]) == {weights[0]},
    }


def share(scratch: Path) -> dict[str, Any]:
    """Share of a fit's CPU time that is spent in the cache, and in keeping what the run read."""
    spent = {"cache": 0.0, "kept in the run": 0.0}

    def counted(kind: Any, name: str, what: str) -> None:
        real = getattr(kind, name)

        def call(*given: Any, **named: Any) -> Any:
            begun = time.process_time()
            try:
                return real(*given, **named)
            finally:
                spent[what] += time.process_time() - begun

        setattr(kind, name, call)

    counted(FeatureCache, "read", "cache")
    counted(FeatureCache, "add", "cache")
    counted(Pinned, "_kept", "kept in the run")
    from tutelage import cli

    folder = scratch / "share"
    folder.mkdir()
    tables(folder)
    os.environ["TUTELAGE_CACHE"] = str(folder / "cache")
    before = time.process_time()
    sys.argv = ["tutelage", *[word for word in command(folder, "out") if word]]
    try:
        cli.main()
    except SystemExit as e:
        assert not e.code, e.code
    total = time.process_time() - before
    return {"CPU seconds of the fit": round(total, 2)} | {
        f"share, {what}": round(seconds / total, 4) for what, seconds in spent.items()
    }


PARTS = {"bulk": bulk, "opening": opening, "calls": calls, "flips": flips, "fits": fits, "share": share}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("parts", nargs="*", default=list(PARTS), help=f"parts to renew, of {', '.join(PARTS)}")
    result = json.loads(OUT.read_text()) if OUT.exists() else {}
    for name in parser.parse_args().parts:
        with tempfile.TemporaryDirectory() as scratch:
            result[name] = PARTS[name](Path(scratch))
        print(name, result[name], flush=True)
        OUT.write_text(json.dumps({part: result[part] for part in PARTS if part in result}, indent=1) + "\n")


if __name__ == "__main__":
    main()
