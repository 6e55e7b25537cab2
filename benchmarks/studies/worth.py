"""What several things are worth against the usual one: a record of gains by data set for the package, and a table."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from tutelage.bench.running import Row
from tutelage.fit.recorded import prior_of

SEEDS = range(100, 105)
"""Draws of labels, which no table uses."""

SCORED = 1500
"""Items that are scored, at most: others of the part to learn from, so that the part to score on stays unseen."""

RECORDS = Path(__file__).parents[2] / "src" / "tutelage" / "fit" / "records"
"""Folder of the packaged records."""


def keep(rows: Sequence[Row], usual: str, file: str) -> None:
    """Write the gains over the usual, means over the draws, into a file of the package, and print them as a table.

    Args:
        rows: scores in [0, 1], each with "data", "name", "labels", "seed" and "score"; a set counts where each name
            has a score for each number of labels and draw.
        usual: name of the usual one.
        file: name of the file in `RECORDS`.
    """
    frame = pd.DataFrame(rows)
    whole = frame.groupby("data").size() == len(frame.drop_duplicates(["name", "labels", "seed"]))
    scores = frame.groupby(["name", "labels", "data"], sort=False).score.mean().unstack("data")
    scores = scores[[data for data in scores if whole[data]]]
    print("| name | labels | " + " | ".join(scores) + " | gain |\n|---|---|" + "---|" * (scores.shape[1] + 1))
    records: dict[str, dict[str, dict[str, float]]] = {}
    for name in frame.name.unique():
        for labels in sorted(frame.labels.unique()):
            found = scores.loc[name, labels]
            gains = found - scores.loc[usual, labels]
            prior = prior_of(list(gains))
            cells = " | ".join(f"{100 * score:.1f}" for score in found)
            of_usual = f"{100 * prior.mean:+.1f} ± {100 * prior.spread:.1f}" if name != usual else ""
            print(f"| {name} | {labels} | {cells} | {of_usual} |")
            if name != usual:
                records.setdefault(name, {})[str(labels)] = {data: round(gain, 6) for data, gain in gains.items()}
    (RECORDS / file).write_text(json.dumps(records, indent=1) + "\n")
