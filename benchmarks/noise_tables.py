"""The tables of docs/noise.md."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pandas as pd

from mutual_tables import grid, spread

RESULTS = Path(__file__).parent / "results"
NAMES = {
    "labels, light penalty": "labels as given, light penalty", "labels": "labels as given, chosen penalty",
    "rounds, light penalty": "ten rounds, light penalty", "rounds": "rounds, chosen",
    "two_hot": "two-hot, closed form", "two_hot, exact": "two-hot, exact softmax",
    "two_hot, light penalty": "two-hot, light penalty", "two_hot, released": "two-hot, light penalty, released loss",
    "robust": "robust loss, chosen penalty", "auto": '`SelfDistiller("auto")`',
    "confident learning": "confident learning", "small loss": "small-loss pruning",
    "neighbours": "vote of the neighbours",
}  # fmt: skip
"""Of the methods; others, as the engine's, go by their own."""
DATA = {"cifar10": "CIFAR-10", "fashion": "Fashion-MNIST", "ag_news": "AG News"}
HUMAN = ("aggregate", "random1", "worst")
BASELINES = {"labels, light penalty": "a light penalty", "labels": "a tuned one"}
MUCH = ("symmetric 40", "symmetric 60", "symmetric 80", "leaning 40", "next_class 40", "worst")
"""Noise of 40 % and more."""
HOPELESS = ("ag_news", "symmetric 80")
"""Of four classes the right label is then the rarest."""
SHOWN = (1, 2, 3, 5, 10)
"""Rounds shown."""


def scores() -> pd.DataFrame:
    return pd.read_json(RESULTS / "noise.jsonl", lines=True)


def theory() -> dict[str, Any]:
    found: dict[str, Any] = json.loads((RESULTS / "noise_theory.json").read_text())
    return found


def points(values: pd.Series) -> str:
    return f"{100 * values.mean():.1f}" if len(values) else "–"


def settings(rows: pd.DataFrame, human: bool) -> list[str]:
    return [s for s in rows.noise.unique() if (s in HUMAN) == human]


def heading(rows: pd.DataFrame, noise: str) -> str:
    """The noise, and the number of seeds where it is not that of the most."""
    seeds = rows[rows.noise == noise].seed.nunique()
    return noise.replace("_", " ") + (" %" if noise not in HUMAN else "") + f" ({seeds})"


def accuracy(data: str, human: bool = False) -> str:
    rows = scores()
    rows = rows[rows.data == data]
    columns = settings(rows, human)
    methods = [*NAMES, *(m for m in rows.method.unique() if m not in NAMES)]
    lines = []
    for m in methods:
        mine = rows[rows.method == m]
        if len(mine):
            cells = [points(mine[mine.noise == s].test) for s in columns]
            lines.append([NAMES.get(m, m.replace("_", " ")), *cells, f"{mine.cpu_seconds.median():.1f}"])
    return grid(["", *(heading(rows, s) for s in columns), "seconds"], lines)


def noise_cifar10() -> str:
    return accuracy("cifar10")


def noise_people() -> str:
    return accuracy("cifar10", human=True)


def noise_fashion() -> str:
    return accuracy("fashion")


def noise_ag_news() -> str:
    return accuracy("ag_news")


def by_seed(part: pd.DataFrame) -> pd.DataFrame:
    """Test accuracy of each method, by seed."""
    return part.pivot_table(index="seed", columns="method", values="test")


def noise_target() -> str:
    """What is chosen by evidence, and two-hot, against labels as given, paired by seed; and what clean labels gain."""
    rows, lines = scores(), []
    clean = rows[(rows.noise == "symmetric 0") & (rows.method == "labels")].groupby("data").test.mean()
    for (data, noise), part in rows.groupby(["data", "noise"], sort=False):
        wide = by_seed(part)
        if "auto" not in wide or "labels" not in wide:
            continue
        changes = [
            spread((wide[better] - wide[worse]).dropna(), "+")
            for better in ("auto", "two_hot") for worse in BASELINES
        ]  # fmt: skip
        room = "–" if noise in HUMAN else f"{100 * (clean[data] - wide.labels.mean()):+.1f}".replace("-", "−")
        kinds = part[part.method == "auto"].chosen.map(lambda c: c["kind"]).value_counts()
        chosen = ", ".join(f"{k.replace('_', '-')} {n}" for k, n in kinds.items())
        name = f"{DATA[data]}, {noise.replace('_', ' ')}{'' if noise in HUMAN else ' %'}"
        lines.append([name, *changes, room, chosen])
    header = ["", "chosen − light", "chosen − tuned", "two-hot − light", "two-hot − tuned", "clean labels − tuned"]
    return grid([*header, "what was chosen, seeds"], lines)


def noise_verdict() -> str:
    """How often the target is met: 5 points above labels as given at 40 % and more, half a point below at 0 %."""
    rows, lines = scores(), []
    names = {"auto": "chosen by evidence", "rounds": "rounds chosen by evidence", "two_hot": "two-hot, closed form"}
    for better, name in names.items():
        for worse, baseline in BASELINES.items():
            gains: dict[str, list[float]] = {"much": [], "none": []}
            for (data, noise), part in rows.groupby(["data", "noise"], sort=False):
                wide, level = by_seed(part), "much" if noise in MUCH else "none" if noise == "symmetric 0" else ""
                if level and (data, noise) != HOPELESS and {better, worse} <= set(wide):
                    gains[level].append(100 * float((wide[better] - wide[worse]).mean()))
            much, none = gains["much"], gains["none"]
            if much and none:
                met = f"{sum(g >= 5 for g in much)} of {len(much)}"
                cells = [f"{g:+.1f}".replace("-", "−") for g in (min(much), float(pd.Series(much).median()), min(none))]
                lines.append([f"{name}, against {baseline}", met, *cells])
    header = ["", "5 points above at 40 % and more, settings", "least gain there", "median gain there"]
    return grid([*header, "least gain at 0 %"], lines)


def noise_rounds() -> str:
    """Test accuracy by rounds, each number of rounds with the penalty that is best for it."""
    rows, lines = scores(), []
    for (data, noise), part in rows[rows.method == "rounds"].groupby(["data", "noise"], sort=False):
        each = pd.DataFrame(part.rounds.tolist())
        taken = ", ".join(str(c["rounds"]) for c in part.chosen)
        name = f"{DATA[data]}, {noise.replace('_', ' ')}{'' if noise in HUMAN else ' %'}"
        lines.append([name, *(points(each[t - 1]) for t in SHOWN), taken])
    return grid(["rounds", *map(str, SHOWN), "best on held-out labels, by seed"], lines)


def noise_memorised() -> str:
    """Training rows with a wrong label: how many are predicted rightly, and how many as they are labelled."""
    rows, lines = scores(), []
    cases = [("cifar10", "worst"), *((d, n) for d in DATA for n in ("symmetric 40", "next_class 40"))]
    for m, name in NAMES.items():
        cells = []
        for data, noise in cases:
            part = rows[(rows.method == m) & (rows.data == data) & (rows.noise == noise)]
            cells.append(f"{points(part.seen_wrong)} / {points(part.memorised)}" if len(part) else "–")
        lines.append([name, *cells])
    return grid(["right / memorised, %", *(f"{DATA[d]}, {n.replace('_', ' ')}" for d, n in cases)], lines)


def noise_equalities() -> str:
    return grid(
        ["the same numbers two ways", "largest difference"],
        [[name, f"{error:.0e}".replace("-", "−")] for name, error in theory()["equalities"].items()],
    )


def noise_first_rounds() -> str:
    lines = []
    for r in theory()["rounds"]:
        soft = str(r["exact softmax"] or f"> {r['most rounds']}")
        halves = ", ".join(f"{100 * v:.0f} %" for v in r["two_hot"].values())
        lines.append(
            [f"{r['weight_decay']:g}", f"{100 * r['rate']:.0f} %", f"{100 * r['teacher']:.0f} %",
             str(r["formula"]), str(r["closed form"]), soft, str(r["largest |L - E|"]), halves]
        )  # fmt: skip
    header = ["weight decay", "wrong labels", "right after one round", "formula", "closed form", "exact softmax"]
    return grid([*header, "largest difference of labels", "right after one two-hot round: linear, softmax"], lines)


def noise_two_hot() -> str:
    lines = [
        [r["setting"], str(r["first round"] or "never"), *(f"{100 * v:.0f} %" for v in r["rounds 1 and 10"]),
         f"{100 * r['two_hot']:.0f} %"]
        for r in theory()["two_hot"]
    ]  # fmt: skip
    return grid(["", "first round with all right", "right after 1 round", "after 10", "after one two-hot round"], lines)


def noise_curves() -> str:
    """Accuracy on new rows, and on training rows that are wrongly labelled."""
    lines, shown = [], (1, 2, 3, 5, 10, 20, 50)
    for r in theory()["curves"]:
        by = {
            t: f"{100 * a:.1f} / {100 * b:.1f}" for t, a, b in zip(r["rounds"], r["test"], r["seen_wrong"], strict=True)
        }
        cells = [by.get(t, "–") for t in shown]
        lines.append([r["noise"], r["student"].replace("_", "-"), f"{r['weight_decay']:g}", *cells])
    return grid(["noise", "student", "penalty", *map(str, shown)], lines)


AUDITS = {
    "audit": "`tutelage audit`", "same, self-confidence": "the same opinions, self-confidence",
    "same, normalised margin": "the same opinions, normalised margin",
    "same, confident learning": "the same opinions, confident learning",
    "same, cleanlab issues": "the same opinions, cleanlab's issues",
    "cleanlab alone": "cleanlab on its own", "student, self-confidence": "our student, self-confidence",
    "small loss": "small loss",
}  # fmt: skip
"""Of methods that rank labels."""


def audits() -> pd.DataFrame:
    found = pd.read_json(RESULTS / "audit.jsonl", lines=True)
    found["setting"] = found.data.map({"cifar10n": "CIFAR-10N", "ag_news": "AG News"}) + ", " + found.noise
    return found


def audit_ranking() -> str:
    """Average precision of rankings by setting."""
    rows = audits()
    lines = []
    for setting, part in rows.groupby("setting", sort=False):
        cells = [spread(part[part.method == m].average_precision) for m in AUDITS]
        lines.append([f"{setting} ({part.seed.nunique()})", f"{100 * part.wrong.mean():.0f} %", *cells])
    return grid(["", "wrong", *AUDITS.values()], lines)


def audit_flags() -> str:
    """Precision and recall of what is taken to be wrong."""
    rows, lines = audits(), []
    takers = [m for m in AUDITS if rows[rows.method == m].listed.notna().any()]
    for setting, part in rows.groupby("setting", sort=False):
        mine = [part[part.method == m] for m in takers]
        cells = [f"{points(m.precision.dropna())} / {points(m.recall.dropna())}" for m in mine]
        lines.append([str(setting), *cells])
    return grid(["precision / recall, %", *(AUDITS[m] for m in takers)], lines)


def partial_forms() -> str:
    """Partial-label losses of a network on digits, by the share of wrong labels."""
    found = pd.read_json(RESULTS / "partial_forms.json")
    rates = found.rate.unique().tolist()
    lines = []
    for method, mine in found.groupby("method", sort=False):
        cells = [spread(pd.Series(mine[mine.rate == r].accuracy.iloc[0])) for r in rates]
        lines.append([str(method), *cells])
    return grid(["", *(f"{100 * r:.0f} % wrong" for r in rates)], lines)


def distil_speed() -> str:
    found, lines = json.loads((RESULTS / "distil_speed.json").read_text()), []
    for kind in ("closed form", "dual", "estimator"):
        for r in found.get(kind, []):
            lines.append(
                [kind, f"{r['rows']:,}", f"{r['seconds']:.1f}", f"{r['cpu_seconds']:.1f}", f"{r['peak_mb']:,}",
                 f"{r['features_mb']:,}", r["threads"]]
            )  # fmt: skip
    return grid(["", "rows", "seconds", "seconds of a core", "peak MB", "features alone, MB", "threads"], lines)


TABLES = {
    f.__name__: f
    for f in (
        noise_cifar10, noise_people, noise_fashion, noise_ag_news, noise_verdict, noise_target, noise_rounds,
        noise_memorised, noise_equalities, noise_first_rounds, noise_two_hot, noise_curves, partial_forms,
        audit_ranking, audit_flags, distil_speed,
    )
}  # fmt: skip
