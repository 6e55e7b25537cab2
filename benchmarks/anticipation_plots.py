"""Draw docs/anticipation_*.png from benchmarks/results/anticipation.jsonl.

python benchmarks/anticipation_plots.py
"""

from __future__ import annotations

from pathlib import Path

import matplotlib as mpl
import pandas as pd

from tables import half_width, study

mpl.use("Agg")
import matplotlib.pyplot as plt

DOCS = Path(__file__).parents[1] / "docs"
COLOURS = ("#0b6e99", "#c1502e", "#4b8b3b", "#8a5a9e", "#b58900", "#5a6675", "#d16ba5")


def by_coefficient(rows: pd.DataFrame) -> None:
    """Score minus that of Mean Teacher of the same decay, by the coefficient of the anticipating term."""
    settings = sorted(rows.setting.unique())
    figure, axes = plt.subplots(1, 2, figsize=(10, 4), sharex=True)
    for setting, colour in zip(settings, COLOURS, strict=False):
        mine = rows[(rows.setting == setting) & rows.variant.str.startswith("decay 0.5 coefficient")]
        wide = mine.pivot_table(index="seed", columns="variant", values="score")
        weight = mine.groupby("variant").weight.mean()
        xs, ys, errors, sure = [], [], [], []
        for c in ("0.0", "0.1", "0.3", "0.5", "1.0"):
            name = f"decay 0.5 coefficient {c}"
            if name in wide:
                change = (wide[name] - wide["decay 0.5 coefficient 0.0"]).dropna()
                xs.append(float(c))
                ys.append(100 * change.mean())
                errors.append(100 * half_width(change) if len(change) > 1 else 0)
                sure.append(weight[name])
        axes[0].errorbar(xs, ys, errors, color=colour, marker="o", capsize=3, label=setting)
        axes[1].plot(xs, sure, color=colour, marker="o", label=setting)
    axes[0].axhline(0, color="black", linewidth=0.8)
    axes[0].set(
        title="What anticipation changes",
        xlabel="(1 - decay) x scale",
        ylabel="points against Mean Teacher",
        ylim=(-25, 8),
    )
    axes[1].set(
        title="How sure the teacher becomes", xlabel="(1 - decay) x scale", ylabel="mean weight, 1 - H(p) / log C"
    )
    axes[0].legend(fontsize=8)
    figure.tight_layout()
    figure.savefig(DOCS / "anticipation_coefficient.png", dpi=110)


if __name__ == "__main__":
    by_coefficient(study())
