"""Put the recorded results into the README: the text between <!-- name --> and <!-- end --> is made here.

python benchmarks/tables.py          rewrites README.md
python benchmarks/tables.py --check  fails when README.md is not what the results say
"""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path

import pandas as pd
from scipy.stats import t as student_t

HERE = Path(__file__).parent
RESULTS = HERE / "results"
README = HERE.parent / "README.md"
NAMES = {
    "supervised": "the network, labels only",
    "self_training": "classic self-training",
    "mean_teacher": "Mean Teacher",
    "drift": "DRIFT",
}


def interval(values: pd.Series, sign: str = "") -> str:
    """Mean with the half-width of its 90 % interval over the seeds, in points."""
    half = student_t.ppf(0.95, len(values) - 1) * values.std() / len(values) ** 0.5
    return f"{100 * values.mean():{sign}.1f} ± {100 * half:.1f}"


def table(header: str, rows: list[list[str]]) -> str:
    columns = header.split(" | ")
    lines = [columns, ["---"] * len(columns), *rows]
    return "\n".join("| " + " | ".join(cells) + " |" for cells in lines).replace("| -", "| −").replace("| −--", "| ---")


def frozen() -> pd.DataFrame:
    return pd.read_json(RESULTS / "frozen_text.jsonl", lines=True)


def ag_news() -> str:
    rows = frozen()
    rows = rows[rows.data == "ag_news"]
    drift = dict(list(rows[rows.method == "drift"].groupby("labels_a_class")))
    lines = [["labels-only reference", *(interval(drift[n].reference) for n in (4, 10, 30)), "", ""]]
    for method, name in NAMES.items():
        mine = rows[rows.method == method]
        by = dict(list(mine.groupby("labels_a_class")))
        cells = [interval(by[n].candidate) for n in (4, 10, 30)]
        change = interval(by[30].candidate - by[30].reference, "+")
        lines.append([name, *cells, change, f"{mine.seconds.mean():.0f}"])
    return table("labels a class | 4 | 10 | 30 | gain at 30, paired | seconds a fit", lines)


def all_sets() -> str:
    rows = frozen()
    lines = []
    for (data, n), group in rows[rows.method != "supervised"].groupby(["data", "labels_a_class"]):
        change = (group.candidate - group.reference).groupby(group.method).mean()
        cells = [f"{100 * change[m]:+.1f}" for m in NAMES if m != "supervised"]
        lines.append([f"{data}, {n}", f"{100 * group.reference.mean():.1f}", *cells])
    return table("data set, labels a class | labels-only reference | self-training | Mean Teacher | DRIFT", lines)


def evidence() -> str:
    found = json.loads((RESULTS / "evidence.json").read_text())
    lines = []
    for title, parts in found.items():
        a = parts["all"]
        shares = [f"{a['harm kept']} of {a['harmful fits']}", f"{a['gain thrown away']} of {a['gainful fits']}"]
        kinds = ("always using the pool", "of the returned model", "of a perfect choice")
        gains = [f"{a[f'mean gain {k}']:+.2f}" for k in kinds]
        lines.append([title, str(a["fits"]), *shares, *gains, f"{100 * a['coverage of 90 % intervals']:.0f} %"])
    return table(
        "prior | fits | harm kept | gain thrown away | gain, always the pool | gain, as chosen | "
        "gain, perfect choice | coverage of 90 % intervals",
        lines,
    )


def disaster() -> str:
    rows = pd.read_json(RESULTS / "disaster.jsonl", lines=True)
    lines = []
    for n, g in rows.groupby("labels_a_class"):
        accuracy = [f"{100 * g.reference.mean():.1f}", f"{100 * g.candidate.mean():.1f}"]
        refused = f"{(g.returned == 'reference').sum()} of {len(g)}"
        lines.append([str(n), *accuracy, f"{100 * g.observed.mean():+.1f}", refused])
    return table("labels a class | labels only | self-training, defaults | cross-validation saw | refused", lines)


def cost() -> str:
    steps = json.loads((RESULTS / "step_time.json").read_text())
    lines = []
    for name, f in steps.items():
        quartiles = f"{f['lower_quartile']:.2f} to {f['upper_quartile']:.2f}"
        lines.append([name.replace("_", " "), f"{f['median']:.2f}", quartiles])
    for name, f in json.loads((RESULTS / "feature_pass.json").read_text()).items():
        each = f["times as fast, each block"]
        cells = [f"{f['times as fast, median']:.2f}", f"{min(each):.2f} to {max(each):.2f} (all blocks)"]
        lines.append([f"feature pass, {name}: plain loop over ours", *cells])
    return table("compared | median ratio | quartiles", lines)


def finetuned() -> str:
    rows = pd.read_json(RESULTS / "finetuned.jsonl", lines=True)
    lines = [["frozen encoder, logistic regression", f"{100 * rows.linear_probe.iloc[0]:.1f}", ""]]
    lines += [[NAMES[r.method], f"{100 * r.accuracy:.1f}", f"{r.seconds / 60:.1f}"] for _, r in rows.iterrows()]
    return table("method | accuracy | minutes", lines)


def spread(values: pd.Series) -> str:
    """Mean with its interval where there are seeds enough for one."""
    if values.empty or values.isna().all():
        return "–"
    return interval(values) if len(values) > 2 else f"{100 * values.mean():.1f}"


def weak_table(sets: tuple[str, ...], methods: dict[str, str]) -> str:
    rows = pd.read_json(RESULTS / "weak.jsonl", lines=True)
    lines = []
    for method, name in methods.items():
        cells = [spread(rows[(rows.data == d) & (rows.method == method)].score) for d in sets]
        lines.append([name, *cells])
    return table(" | ".join(["", *sets]), lines)


STAGES = {"weak labels": "the weak labels themselves, training part", "stage I": "stage I"}
LAST = {"mean_teacher": "Mean Teacher", "drift": "DRIFT", "full": "gold labels of the same items"}


def weak_text() -> str:
    sets = ("youtube_spam", "sms", "trec", "ag_news", "mit_restaurant")
    return weak_table(sets, STAGES | {"cosine": "COSINE"} | LAST)


def distant_tags() -> str:
    return weak_table(("conll03", "wikigold", "twitter"), STAGES | {"bond": "BOND"} | LAST)


COMPARED = {
    "labels only": "labels-only reference", "supervised": "the network, labels only",
    "self_training": "classic self-training", "vat": "VAT", "uda": "UDA", "mean_teacher": "Mean Teacher",
    "drift": "DRIFT",
}  # fmt: skip


def semi_table(columns: list[tuple[str, int]], finetuned: bool) -> str:
    rows = pd.read_json(RESULTS / "semi.jsonl", lines=True)
    rows = rows[rows.finetuned == finetuned]
    lines = []
    for method, name in COMPARED.items():
        mine = rows[rows.method == method]
        if len(mine):
            cells = [spread(mine[(mine.data == d) & (mine.labels == n)].score) for d, n in columns]
            lines.append([name, *cells, f"{mine.seconds.median():.0f}"])
    return table(" | ".join(["", *(f"{d}, {n}" for d, n in columns), "seconds"]), lines)


def semi_text() -> str:
    return semi_table([(d, 30) for d in ("ag_news", "imdb", "yelp", "trec")], finetuned=False)


def semi_tags() -> str:
    return semi_table([(d, n) for d in ("conll03", "wikigold") for n in (100, 500)], finetuned=False)


TABLES = {
    f.__name__: f
    for f in (ag_news, all_sets, evidence, disaster, cost, finetuned, weak_text, distant_tags, semi_text, semi_tags)
}


def filled(text: str) -> str:
    for name, make in TABLES.items():
        pattern = re.compile(rf"(<!-- {name} -->\n).*?(<!-- end -->)", re.DOTALL)
        text = pattern.sub(lambda m, make=make: m[1] + make() + "\n" + m[2], text)
    return text


if __name__ == "__main__":
    before = README.read_text()
    after = filled(before)
    if "--check" in sys.argv:
        sys.exit(before != after and "README.md differs from the results; run python benchmarks/tables.py")
    README.write_text(after)
