"""Put the recorded results into the README: the text between <!-- name --> and <!-- end --> is made here.

    python benchmarks/tables.py          rewrites README.md
    python benchmarks/tables.py --check  fails when README.md is not what the results say
"""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path

import numpy as np
import pandas as pd
from scipy.stats import t as student_t

HERE = Path(__file__).parent
RESULTS = HERE / "results"
README = HERE.parent / "README.md"
NAMES = {"supervised": "the network, labels only", "self_training": "classic self-training", "mean_teacher": "Mean Teacher", "drift": "DRIFT"}


def interval(values: pd.Series) -> str:
    """Mean with the half-width of its 90 % interval over the seeds, in points."""
    half = student_t.ppf(0.95, len(values) - 1) * values.std() / len(values) ** 0.5
    return f"{100 * values.mean():.1f} ± {100 * half:.1f}"


def gain(values: pd.Series) -> str:
    return f"{'+' if values.mean() >= 0 else '−'}{interval(values.abs() if len(values) == 1 else values).lstrip('-')}"


def frozen() -> pd.DataFrame:
    return pd.read_json(RESULTS / "frozen_text.jsonl", lines=True)


def ag_news() -> str:
    rows = frozen()
    rows = rows[rows.data == "ag_news"]
    lines = ["| labels a class | 4 | 10 | 30 | gain at 30, paired | seconds a fit |", "|---|---|---|---|---|---|"]
    by = {n: g for n, g in rows[rows.method == "drift"].groupby("labels_a_class")}
    lines.append("| labels-only reference | " + " | ".join(interval(by[n].reference) for n in (4, 10, 30)) + " | | |")
    for method, name in NAMES.items():
        mine = rows[rows.method == method]
        by = {n: g for n, g in mine.groupby("labels_a_class")}
        cells = [interval(by[n].candidate) for n in (4, 10, 30)]
        change = by[30].candidate - by[30].reference
        lines.append(f"| {name} | {' | '.join(cells)} | {gain(change)} | {mine.seconds.mean():.0f} |")
    return "\n".join(lines)


def all_sets() -> str:
    rows = frozen()
    lines = ["| data set, labels a class | labels-only reference | " + " | ".join(list(NAMES.values())[1:]) + " |", "|---|---|---|---|---|"]
    for (data, n), group in rows[rows.method != "supervised"].groupby(["data", "labels_a_class"]):
        cells = []
        for method in list(NAMES)[1:]:
            mine = group[group.method == method]
            cells.append(f"{100 * (mine.candidate - mine.reference).mean():+.1f}")
        lines.append(f"| {data}, {n} | {100 * group.reference.mean():.1f} | {' | '.join(cells)} |")
    return "\n".join(lines).replace("| -", "| −")


def evidence() -> str:
    found = json.loads((RESULTS / "evidence.json").read_text())
    lines = ["| prior | fits | harm kept | gain thrown away | mean gain: always the pool | as chosen | perfect choice | coverage of 90 % intervals |", "|---|---|---|---|---|---|---|---|"]
    for title, parts in found.items():
        a = parts["all"]
        lines.append(
            f"| {title} | {a['fits']} | {a['harm kept']} of {a['harmful fits']} | {a['gain thrown away']} of {a['gainful fits']} | "
            f"{a['mean gain always using the pool']:+.2f} | {a['mean gain of the returned model']:+.2f} | "
            f"{a['mean gain of a perfect choice']:+.2f} | {100 * a['coverage of 90 % intervals']:.0f} % |"
        )
    return "\n".join(lines)


def disaster() -> str:
    rows = pd.read_json(RESULTS / "disaster.jsonl", lines=True)
    lines = ["| labels a class | labels only | self-training, defaults | cross-validation saw | refused |", "|---|---|---|---|---|"]
    for n, g in rows.groupby("labels_a_class"):
        refused = int((g.returned == "reference").sum())
        lines.append(f"| {n} | {100 * g.reference.mean():.1f} | {100 * g.candidate.mean():.1f} | {100 * g.observed.mean():+.1f} | {refused} of {len(g)} |")
    return "\n".join(lines).replace("| -", "| −")


def cost() -> str:
    steps = json.loads((RESULTS / "step_time.json").read_text())
    lines = ["| compared | median ratio | quartiles |", "|---|---|---|"]
    for name, f in steps.items():
        lines.append(f"| {name.replace('_', ' ')} | {f['median']:.2f} | {f['lower_quartile']:.2f} to {f['upper_quartile']:.2f} |")
    passes = json.loads((RESULTS / "feature_pass.json").read_text())
    for name, f in passes.items():
        each = f["times as fast, each block"]
        lines.append(f"| feature pass, {name}: plain loop over ours | {f['times as fast, median']:.2f} | {min(each):.2f} to {max(each):.2f} (all) |")
    return "\n".join(lines)


def finetuned() -> str:
    rows = pd.read_json(RESULTS / "finetuned.jsonl", lines=True)
    lines = ["| method | labels only | with the pool | returned | minutes |", "|---|---|---|---|---|"]
    for _, r in rows.iterrows():
        lines.append(f"| {NAMES[r.method]} | {100 * r.reference:.1f} | {100 * r.candidate:.1f} | {r.returned} | {r.seconds / 60:.0f} |")
    return "\n".join(lines)


TABLES = {f.__name__: f for f in (ag_news, all_sets, evidence, disaster, cost, finetuned)}


def filled(text: str) -> str:
    for name, table in TABLES.items():
        pattern = re.compile(rf"(<!-- {name} -->\n).*?(<!-- end -->)", re.DOTALL)
        text = pattern.sub(lambda m, t=table: m[1] + t() + "\n" + m[2], text)
    return text


if __name__ == "__main__":
    before = README.read_text()
    after = filled(before)
    if "--check" in sys.argv:
        sys.exit(before != after and "README.md differs from the results; run python benchmarks/tables.py")
    README.write_text(after)
    print(np.sum([after.count(f"<!-- {n} -->") for n in TABLES]), "tables")
