"""The tables of docs/mutual.md, and those of it in the README."""

from __future__ import annotations

import json
from pathlib import Path

import pandas as pd
from scipy.stats import t as student_t

RESULTS = Path(__file__).parent / "results"
NAMES = {
    "labels only": "labels only", "cbst": "CBST", "dst": "DST", "dst, mixup": "DST, mixup",
    "dmt, mutual": "DMT, mutual", "dmt, mutual, mixup": "DMT, mutual, mixup", "dmt": "DMT, as set for the task",
    "curriculum_labelling": "curriculum labelling", "mean_teacher": "Mean Teacher", "fixmatch": "FixMatch",
    "cutmix_mean_teacher": "CutMix Mean Teacher",
}  # fmt: skip
MARGINS = (("cbst", "labels only"), ("dst", "cbst"), ("dmt, mutual", "dst"), ("dmt", "dst"))
"""What DMT's paper claims, one above the other."""


def grid(header: list[str], rows: list[list[str]]) -> str:
    return "\n".join("| " + " | ".join(cells) + " |" for cells in (header, ["---"] * len(header), *rows))


def scores() -> pd.DataFrame:
    frozen = pd.read_json(RESULTS / "mutual.jsonl", lines=True)
    path = RESULTS / "mutual_images.jsonl"
    more = pd.read_json(path, lines=True) if path.exists() else pd.DataFrame()
    return pd.concat([frozen, more], ignore_index=True)


def spread(values: pd.Series, sign: str = "") -> str:
    """The mean in points, with the half-width of its 90 % interval over the splits where there are several."""
    half = student_t.ppf(0.95, len(values) - 1) * values.std() / len(values) ** 0.5 if len(values) > 1 else None
    words = f"{100 * values.mean():{sign}.1f}" + ("" if half is None else f" ± {100 * half:.1f}")
    return words.replace("-", "−")


def of(data: str) -> tuple[pd.DataFrame, list[int], list[str]]:
    rows = scores()
    rows = rows[rows.data == data]
    return rows, sorted(rows.labels.unique()), [m for m in NAMES if m in set(rows.method)]


def mutual(data: str) -> str:
    rows, counts, methods = of(data)
    lines = []
    for m in methods:
        mine = rows[rows.method == m]
        cells = [spread(part.score) if len(part := mine[mine.labels == n]) else "–" for n in counts]
        lines.append([NAMES[m], *cells, f"{mine.seconds.median():.0f}"])
    return grid(["", *(f"{n} labelled" for n in counts), "seconds"], lines)


def margins() -> str:
    """The paired differences between each method and the one with a thing less, over all numbers of labels."""
    lines = []
    for better, worse in MARGINS:
        cells = []
        for data in ("cifar10", "fashion", "camvid"):
            rows, _, _ = of(data)
            table = rows.pivot_table(index=["labels", "seed"], columns="method", values="score")
            both = better in table and worse in table
            change = (table[better] - table[worse]).dropna() if both else pd.Series(dtype=float)
            above = f", above in {int((change > 0).sum())} of {len(change)}"
            cells.append(spread(change, "+") + above if len(change) else "–")
        lines.append([f"{NAMES[better]} − {NAMES[worse]}", *cells])
    return grid(["", "CIFAR-10, frozen features", "Fashion-MNIST, small CNN", "CamVid, U-Net"], lines)


def detection() -> str:
    """AUROC for wrong labels, of the last round and of the first with stored labels."""
    rows = scores().dropna(subset=["auroc_weight"])
    lines = []
    for (data, n, m), part in rows.groupby(["data", "labels", "method"], sort=False):
        first = part.dropna(subset=["first_auroc_weight"]) if "first_auroc_weight" in part else part.iloc[:0]
        early = (
            [f"{first.first_auroc_weight.mean():.3f}", f"{first.first_auroc_confidence.mean():.3f}"]
            if len(first) else ["–", "–"]
        )  # fmt: skip
        lines.append(
            [f"{data}, {n}", NAMES[m], f"{100 * part.wrong.mean():.0f} %", f"{part.auroc_weight.mean():.3f}",
             f"{part.auroc_confidence.mean():.3f}", *early]
        )  # fmt: skip
    header = ["data, labelled", "method", "wrong labels", "weight", "confidence"]
    header += ["weight, first round", "confidence, first round"]
    return grid(header, sorted(lines, key=lambda cells: (cells[0].split(",")[0], int(cells[0].split()[-1]))))


def mutual_cifar10() -> str:
    return mutual("cifar10")


def mutual_fashion() -> str:
    return mutual("fashion")


def mutual_camvid() -> str:
    return mutual("camvid")


def view_throughput() -> str:
    found = json.loads((RESULTS / "view_throughput.json").read_text())
    lines = []
    for name, part in found.items():
        if not isinstance(part, dict):
            continue
        images = [f"{part[f'images a second, {who}']:,}" for who in ("batched views", "usual")]
        ratio, low, high = (part[k] for k in ("times as fast, median", "lower_quartile", "upper_quartile"))
        lines.append([name, *images, f"{ratio:.2f} ({low:.2f} to {high:.2f})"])
    return grid(["images, view, cores", "ours, images a second", "usual", "ratio, median (quartiles)"], lines)


def pool_memory() -> str:
    found = json.loads((RESULTS / "pool_memory.json").read_text())
    lines = []
    for what, parts in found.items():
        for p in parts:
            numbers = (p[f"megabytes {k}"] for k in ("of the images decoded", "before", "at most"))
            lines.append([f"{what}, {p['images']:,} images", *(f"{n:.0f}" for n in numbers)])
    return grid(["pool", "its pixels, decoded, MB", "process before, MB", "process at most, MB"], lines)


TABLES = {
    f.__name__: f
    for f in (mutual_cifar10, mutual_fashion, mutual_camvid, margins, detection, view_throughput, pool_memory)
}
