"""Draw docs/anticipation_*.png from benchmarks/results/anticipation.jsonl.

python benchmarks/studies/anticipation_plots.py
"""

from __future__ import annotations

from pathlib import Path

import matplotlib as mpl
import pandas as pd

from anticipation import ENTITIES
from tutelage.bench.summary import half_width

mpl.use("Agg")
import matplotlib.pyplot as plt

DOCS = Path(__file__).parents[2] / "docs"
COLOURS = ("#0b6e99", "#c1502e", "#4b8b3b", "#8a5a9e", "#b58900", "#5a6675", "#d16ba5")


def by_coefficient(rows: pd.DataFrame) -> None:
    """Score minus that of the same without anticipation, and how sure the teacher is, by the coefficient."""
    settings = sorted(set(rows.setting) - set(ENTITIES))
    figure, axes = plt.subplots(1, 3, figsize=(13, 4), sharex=True)
    for setting, colour in zip(settings, COLOURS, strict=True):
        mine = rows[rows.setting == setting]
        for axis, start in ((axes[0], "decay 0.5 coefficient"), (axes[1], "frequency, decay 0.99 coefficient")):
            wide = mine[mine.variant.str.startswith(start)].pivot_table(index="seed", columns="variant", values="score")
            changes = {float(v.split()[-1]): (wide[v] - wide[f"{start} 0.0"]).dropna() for v in wide}
            ys = [100 * c.mean() for c in changes.values()]
            errors = [100 * half_width(c) for c in changes.values()]
            axis.errorbar(list(changes), ys, errors, color=colour, marker="o", capsize=3)
        sure = mine[mine.variant.str.startswith("decay 0.5 coefficient")].groupby("variant").weight.mean()
        axes[2].plot([float(v.split()[-1]) for v in sure.index], sure, color=colour, marker="o", label=setting)
    for axis, title in zip(axes, ("Sharpened labels, decay 0.5", "Balanced labels, decay 0.99"), strict=False):
        axis.axhline(0, color="black", linewidth=0.8)
        axis.set(title=title, ylabel="points against no anticipation", ylim=(-25, 8))
    axes[2].set(title="Sharpened: how sure the teacher becomes", ylabel="mean weight, 1 - H(p) / log C")
    axes[2].legend(fontsize=8)
    for axis in axes:
        axis.set(xlabel="(1 - decay) x scale")
    figure.tight_layout()
    figure.savefig(DOCS / "anticipation_coefficient.png", dpi=110)


if __name__ == "__main__":
    by_coefficient(pd.read_json(DOCS.parent / "benchmarks" / "results" / "anticipation.jsonl", lines=True))
