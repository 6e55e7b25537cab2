"""Put the recorded results into README.md and docs/*.md, between <!-- name --> and <!-- end -->.

python benchmarks/tables.py          rewrites them
python benchmarks/tables.py --check  fails when one is not what the results say
"""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path

import pandas as pd
from scipy.stats import t as student_t

import bench_tables
import mutual_tables
import noise_tables

HERE = Path(__file__).parent
RESULTS = HERE / "results"
PAGES = (
    HERE.parent / "README.md",
    *(HERE.parent / "docs" / f"{name}.md" for name in ("anticipation", "benchmark", "mutual", "noise")),
)
NAMES = {
    "supervised": "the network, labels only",
    "self_training": "classic self-training",
    "mean_teacher": "Mean Teacher",
    "drift": "DRIFT",
}


def interval(values: pd.Series, sign: str = "") -> str:
    """Mean with the half-width of its 90 % interval over the seeds, in points."""
    return f"{100 * values.mean():{sign}.1f} ± {100 * half_width(values):.1f}"


def half_width(values: pd.Series) -> float:
    """Of the 90 % interval of the mean, by Student's t."""
    return float(student_t.ppf(0.95, len(values) - 1) * values.std() / len(values) ** 0.5)


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


def weak_table(sets: tuple[str, ...], methods: dict[str, str], finetuned: bool = False) -> str:
    rows = pd.read_json(RESULTS / "weak.jsonl", lines=True)
    rows = rows[(rows.finetuned == True) == finetuned] if "finetuned" in rows else rows  # noqa: E712
    lines = []
    for method, name in methods.items():
        column = "test" if method == "alone" else "score"
        mine = rows[rows.method == ("weak labels" if method == "alone" else method)]
        found = [mine[mine.data == d][column].dropna() for d in sets]
        whole = all(len(f) for f in found) and len(sets) > 1
        mean = f"{100 * sum(f.mean() for f in found) / len(found):.1f}" if whole else "–"
        lines.append([name, *(spread(f) for f in found), *([mean] if len(sets) > 1 else [])])
    return table(" | ".join(["", *sets, *(["mean"] if len(sets) > 1 else [])]), lines)


STAGES = {
    "weak labels": "the weak labels, on what is learnt from", "alone": "the label model alone, test part",
    "stage I": "stage I",
}  # fmt: skip
LAST = {
    "mean_teacher": "Mean Teacher",
    "drift, not anticipated": "DRIFT, not anticipating",
    "drift": "DRIFT",
    "full": "gold labels of the same items",
}


def weak_text() -> str:
    sets = ("youtube_spam", "sms", "trec", "ag_news", "mit_restaurant")
    return weak_table(sets, STAGES | {"cosine": "COSINE"} | LAST)


def weak_text_whole() -> str:
    return weak_table(
        ("trec",),
        {"stage I": "stage I", "cosine": "COSINE"} | {k: v for k, v in LAST.items() if k != "full"},
        finetuned=True,
    )


def distant_tags() -> str:
    stages = {k: v for k, v in STAGES.items() if k != "alone"}
    return weak_table(("conll03", "wikigold", "twitter"), stages | {"bond": "BOND", "cosine": "COSINE"} | LAST)


COMPARED = {
    "labels only": "labels-only reference", "supervised": "the network, labels only",
    "self_training": "classic self-training", "vat": "VAT", "uda": "UDA", "mean_teacher": "Mean Teacher",
    "drift": "DRIFT",
}  # fmt: skip


def study() -> pd.DataFrame:
    return pd.read_json(RESULTS / "anticipation.jsonl", lines=True)


def paired(rows: pd.DataFrame, names: dict[str, tuple[str, str]], setting: str) -> list[str]:
    """Of each (variant, base): the base's score, or the paired change to it."""
    wide = rows[rows.setting == setting].pivot_table(index="seed", columns="variant", values="score")
    cells = []
    for variant, base in names.values():
        if variant not in wide or base not in wide:
            cells.append("–")
            continue
        change = (wide[variant] - wide[base]).dropna()
        cells.append(
            f"{100 * wide[base].mean():.1f}" if variant == base else interval(change, "+") if len(change) > 1 else "–"
        )
    return cells


ENTITIES = ("conll03", "wikigold", "twitter")
TAGGED = ("mit_restaurant", *ENTITIES)


def study_table(names: dict[str, tuple[str, str]], entities: bool = False) -> str:
    rows = study()
    rows = rows[rows.variant.isin({v for pair in names.values() for v in pair})]
    rows = rows[rows.setting.isin(TAGGED)] if entities else rows[~rows.setting.isin(ENTITIES)]
    settings = list(dict.fromkeys(rows.setting))
    seeds = {s: rows[rows.setting == s].groupby("variant").seed.nunique().max() for s in settings}
    columns = {s: paired(rows, names, s) for s in settings}
    lines = [[name, *(columns[s][i] for s in settings)] for i, name in enumerate(names)]
    return table(" | ".join(["", *(f"{s} ({seeds[s]} seeds)" for s in settings)]), lines)


def anticipation_grid() -> str:
    names: dict[str, tuple[str, str]] = {}
    for decay, coefficients in (
        (0.3, (0.1, 0.3)),
        (0.5, (0.1, 0.3, 0.5)),
        (0.7, (0.1, 0.3)),
        (0.9, (0.1, 0.3, 0.5)),
        (0.99, (0.3,)),
    ):
        base = f"decay {decay} coefficient 0.0"
        names[f"decay {decay}: Mean Teacher"] = (base, base)
        names |= {f"decay {decay}, coefficient {c}": (f"decay {decay} coefficient {c}", base) for c in coefficients}
    return study_table(names)


def anticipation_options() -> str:
    names: dict[str, tuple[str, str]] = {}
    for option in ("cross-entropy", "frequency labels", "no weights", "normalised weights", "temperature 1", "sgd"):
        base = f"{option}, coefficient 0.0"
        names[f"{option}: Mean Teacher"] = (base, base)
        names[f"{option}, coefficient 0.3"] = (f"{option}, coefficient 0.3", base)
    base = "decay 0.5 coefficient 0.0"
    names |= {
        f"through {t} only, coefficient 0.3": (f"through {t}, coefficient 0.3", base) for t in ("labels", "weights")
    }
    more = ("2 steps ahead", "4 steps ahead", "unrolled follower", "implicit follower")
    return study_table(names | {name: (name, base) for name in more})


def anticipation_balanced() -> str:
    names: dict[str, tuple[str, str]] = {}
    for decay in (0.9, 0.97, 0.99):
        base = f"frequency, decay {decay} coefficient 0.0"
        names[f"decay {decay}: not anticipated"] = (base, base)
        for c in (0.1, 0.2, 0.3, 0.5):
            names[f"decay {decay}, coefficient {c}"] = (f"frequency, decay {decay} coefficient {c}", base)
    for part in ("batch's frequencies", "example itself"):
        names[f"decay 0.99, coefficient 0.2, through the {part} only"] = (f"frequency, through the {part} only", base)
    still = "frequency, no weights, coefficient 0.0"
    names["decay 0.99, no weights: not anticipated"] = (still, still)
    names["decay 0.99, no weights, coefficient 0.2"] = ("frequency, no weights, coefficient 0.2", still)
    return study_table(names)


def anticipation_tags() -> str:
    names: dict[str, tuple[str, str]] = {}
    for balance, name in ((0, "decay 0.99"), (0.2, "balance 0.2"), (0.5, "balance 0.5"), (1, "frequency, decay 0.99")):
        base = f"{name} coefficient 0.0"
        names[f"balance {balance}: not anticipated"] = (base, base)
        for c in (0.3,) if balance == 0 else (0.1, 0.2):
            names[f"balance {balance}, coefficient {c}"] = (f"{name} coefficient {c}", base)
    return study_table(names, entities=True)


def anticipation_stability() -> str:
    """Spread over the seeds, and flips of a pseudo-label an epoch of the pool."""
    rows = study()
    rows = rows[~rows.setting.isin(ENTITIES)]
    lines = []
    for name in (*(f"decay 0.5 coefficient {c}" for c in (0.0, 0.1, 0.3)),
                 *(f"decay 0.9 coefficient {c}" for c in (0.0, 0.1, 0.3)),
                 *(f"frequency, decay 0.99 coefficient {c}" for c in (0.0, 0.2))):  # fmt: skip
        mine = rows[rows.variant == name]
        cells = [
            f"{100 * g.score.std():.1f} / {100 * g.flips.mean():.1f}" if len(g) > 2 else "–"
            for _, g in ((s, mine[mine.setting == s]) for s in dict.fromkeys(rows.setting))
        ]
        lines.append([name.replace(" coefficient", ", coefficient"), *cells])
    return table(" | ".join(["spread over seeds, points / flips an epoch, %", *dict.fromkeys(rows.setting)]), lines)


def follower_cost() -> str:
    found = json.loads((RESULTS / "follower_cost.json").read_text())
    lines = [
        [n, f"{f['median']:.2f}", f"{f['lower_quartile']:.2f} to {f['upper_quartile']:.2f}"] for n, f in found.items()
    ]
    return table("follower | median ratio | quartiles", lines)


TABLES = {
    f.__name__: f
    for f in (
        ag_news, all_sets, evidence, disaster, cost, finetuned, weak_text, weak_text_whole, distant_tags,
        anticipation_grid, anticipation_balanced, anticipation_tags,
        anticipation_options, anticipation_stability, follower_cost,
    )
} | bench_tables.TABLES | mutual_tables.TABLES | noise_tables.TABLES  # fmt: skip


def filled(text: str) -> str:
    for name, make in TABLES.items():
        pattern = re.compile(rf"(<!-- {name} -->\n).*?(<!-- end -->)", re.DOTALL)
        text = pattern.sub(lambda m, make=make: m[1] + make() + "\n" + m[2], text)
    return text


if __name__ == "__main__":
    for page in PAGES:
        before = page.read_text()
        after = filled(before)
        if "--check" not in sys.argv:
            page.write_text(after)
        elif before != after:
            sys.exit(f"{page.name} differs from the results; run python benchmarks/tables.py")
