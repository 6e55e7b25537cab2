"""Time and memory of the search for copies among short texts, beside MinHash of datasketch.

    python benchmarks/speed/copies.py ROWS
    python benchmarks/speed/copies.py ROWS datasketch    # needs datasketch

adds a line to benchmarks/results/copies.json: CPU seconds, seconds on the clock, and the peak memory of the process.
The texts have 8 to 24 words, drawn as English draws them (Zipf); one in ten is another with one word more, one in ten
another in capitals. Recall is the share of these in the group of their original.
"""

from __future__ import annotations

import json
import resource
import sys
import time
from pathlib import Path

import numpy as np

OUT = Path(__file__).parents[1] / "results" / "copies.json"
SEED = 0


def texts_of(rows: int) -> tuple[list[str], np.ndarray, np.ndarray]:
    """Texts, the numbers of the planted copies, and those of their originals."""
    draw = np.random.default_rng(SEED)
    words = np.array([f"w{i}" for i in range(50_000)])
    share = 1 / np.arange(1, len(words) + 1)
    lengths = draw.integers(8, 25, rows)
    drawn = words[draw.choice(len(words), lengths.sum(), p=share / share.sum())]
    texts = [" ".join(part) for part in np.split(drawn, np.cumsum(lengths)[:-1])]
    long = np.flatnonzero(lengths >= 14)  # with a word more at its end nearly equal still
    copies = np.sort(draw.choice(np.arange(rows // 2, rows), rows // 5, replace=False))
    originals = draw.choice(long[long < rows // 2], len(copies))
    for i, (copy, original) in enumerate(zip(copies.tolist(), originals.tolist(), strict=True)):
        texts[copy] = texts[original].upper() if i % 2 else f"{texts[original]} w{i % 50_000}"
    return texts, copies, originals


def by_datasketch(texts: list[str]) -> np.ndarray:
    """Group number of each text by MinHash with 128 permutations and LSH at a similarity of 0.8."""
    from datasketch import MinHash, MinHashLSH

    from tutelage.copies.exact import joined_groups
    from tutelage.copies.folding import folded

    lsh, pairs = MinHashLSH(threshold=0.8, num_perm=128), []
    for i, text in enumerate(texts):
        words = folded(text).split()
        print_ = MinHash(num_perm=128)
        print_.update_batch([" ".join(words[j : j + 3]).encode() for j in range(len(words) - 2)])
        pairs += [(i, j) for j in lsh.query(print_)]
        lsh.insert(i, print_)
    first, second = np.array(pairs, dtype=np.int64).reshape(-1, 2).T
    return joined_groups(len(texts), first, second)


def main(rows: int, other: str = "") -> None:
    """Measure one search, and write its line."""
    from tutelage.copies.writing import same_texts

    texts, copies, originals = texts_of(rows)
    before, cpu, clock = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss, time.process_time(), time.perf_counter()
    groups = by_datasketch(texts) if other else same_texts(texts)
    line = {
        "rows": rows, "cpu_seconds": round(time.process_time() - cpu, 1),
        "seconds": round(time.perf_counter() - clock, 1),
        "peak_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024, "peak_mb_before": before // 1024,
        "recall": float((groups[copies] == groups[originals]).mean()), "groups": int(groups.max()) + 1,
    }  # fmt: skip
    print(json.dumps(line))
    found = json.loads(OUT.read_text()) if OUT.exists() else {}
    name = other or "tutelage"
    others = [each for each in found.get(name, []) if each["rows"] != rows]
    found[name] = sorted([*others, line], key=lambda each: each["rows"])
    OUT.write_text(json.dumps(found, indent=1) + "\n")


if __name__ == "__main__":
    main(int(sys.argv[1]), *sys.argv[2:])
