"""Which rows to ask a paid teacher about, beside a free one: accuracy per thousand questions, by selector.

    TUTELAGE_DATA=... OMP_NUM_THREADS=1 python benchmarks/studies/paid_teacher.py    # into results/paid_teacher.json
    TUTELAGE_DATA=... OMP_NUM_THREADS=1 python benchmarks/studies/paid_teacher.py --data ag_news trec --seeds 200 201

No label is known. Descriptions of the classes (benchmarks/protocols/described.toml) are the free teacher, of which a
student learns the pool (`fit distil`, MiniLM). Then a paid teacher is asked about 2.5, 5 and 10 % of the pool, rows
that a selector chooses by that student's probabilities, and the student is trained anew: where the paid teacher
answered, its answer stands in place of the free one's. The paid teacher is the truth with a known share of wrong
answers, another class each as often, said with that confidence:
- even: each row is answered wrongly as often.
- hard: a row is answered wrongly in proportion to 1 - (p_1 - p_2) of the student: a teacher errs where rows are hard.
"robust" is told the share of wrong answers. Accuracy is on other rows of the part to learn from, the same for all; the
part to score on stays unseen. Jobs that are recorded are not run again. The curve is drawn into docs/paid_teacher.png.
"""

from __future__ import annotations

import argparse
import json
import warnings
from functools import lru_cache
from typing import Any

import matplotlib as mpl
import numpy as np
import pandas as pd

from lines import RESULTS
from teachers import PROTOCOL, of_set
from tutelage import Classifier
from tutelage.ask import select
from tutelage.bench.protocol import read_protocol
from tutelage.bench.sets import kind_for
from tutelage.data.sources import cache_folder
from tutelage.fit.build import rows_of
from tutelage.fit.described import described_head, sentences_of
from tutelage.modalities.base import features
from tutelage.pages.colours import LIGHT, PLOTTED

SELECTORS = ("random", "margin", "diverse", "pcoreset", "robust")
ASKED = (0.025, 0.05, 0.1)
WRONG = (0.0, 0.1, 0.2, 0.3)
HOW = ("even", "hard")
SEEDS = range(200, 205)
POOL = 1000
OUT = RESULTS / "paid_teacher.json"


class Begun:
    """A pool and rows to score on, a student of the free teacher, and what both say.

    Args:
        name: name of the data set.
        seed: seed of the draw of the rows.
    """

    def __init__(self, name: str, seed: int) -> None:
        data, cut = of_set(name)
        draws = np.random.default_rng(seed)
        rest = draws.permutation(len(cut.learn.y))
        pool, scored = rest[:POOL], rest[POOL : 2 * POOL]
        texts = np.array(cut.learn.items, dtype=object)
        self.texts, self.y = list(texts[pool]), cut.learn.y[pool]
        self.scored, self.truth, self.seed, self.classes = list(texts[scored]), cut.learn.y[scored], seed, cut.classes
        reader, cache = kind_for(data).reader(), cache_folder() / "features"
        rows = features(reader, self.texts, cache).rows
        sentences, which = sentences_of([list(dict(data.describe)[c]) for c in cut.classes])
        head = described_head(features(reader, sentences, cache).rows, which, rows)
        self.free = head(rows).detach().double().softmax(-1).numpy()
        self.x = rows_of(features(reader, self.texts, cache)).numpy()
        self.alone = self.student(self.free)
        self.said = self.alone.predict_proba(self.texts)

    def student(self, table: np.ndarray) -> Classifier:
        """A student of a teacher's probabilities of the pool, (n, c)."""
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # what the estimator tells of a teacher is not asked here
            made = Classifier("distil", evidence=False, random_state=self.seed)
            return made.fit(self.texts, teacher=pd.DataFrame(table, columns=range(len(self.classes))))

    def accuracy(self, model: Classifier) -> float:
        return float((np.asarray(model.predict(self.scored)).astype(int) == self.truth).mean())

    def paid(self, wrong: float, how: str) -> np.ndarray:
        """Answers of the paid teacher to each row of the pool, as probabilities, (n, c)."""
        draws, c = np.random.default_rng([self.seed, round(100 * wrong), HOW.index(how)]), len(self.classes)
        best = np.sort(self.said, 1)
        unsure = 1 - (best[:, -1] - best[:, -2])
        often = np.full(len(self.y), wrong) if how == "even" else np.minimum(wrong * unsure / unsure.mean(), 1)
        other = (self.y + draws.integers(1, c, len(self.y))) % c
        said = np.where(draws.random(len(self.y)) < often, other, self.y)
        table = np.full((len(said), c), max(wrong, 0.01) / (c - 1))
        table[np.arange(len(said)), said] = 1 - max(wrong, 0.01)
        return table


@lru_cache(maxsize=1)
def begun(name: str, seed: int) -> Begun:
    return Begun(name, seed)


def one(name: str, seed: int, how: str, wrong: float) -> list[dict[str, Any]]:
    """Accuracy by each selector and number of questions."""
    start = begun(name, seed)
    paid, base, found = start.paid(wrong, how), start.accuracy(start.alone), []
    for by in SELECTORS:
        for share in ASKED:
            count = round(share * POOL)
            asked = select(by, start.x, start.said, [], count, seed, wrong=wrong).index
            table = start.free.copy()
            table[asked] = paid[asked]
            right = paid[asked].argmax(1) == start.y[asked]
            found.append({
                "data": name, "seed": seed, "how": how, "wrong": wrong, "by": by, "asked": count,
                "free": round(base, 6), "accuracy": round(start.accuracy(start.student(table)), 6),
                "right": round(float(right.mean()), 4),
            })  # fmt: skip
    return found


def summed(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Mean gain in points over the free teacher alone, and per thousand questions, by teacher, selector and count."""
    frame = pd.DataFrame(rows)
    frame["gain"] = 100 * (frame["accuracy"] - frame["free"])
    found = []
    for (how, wrong, by, asked), part in frame.groupby(["how", "wrong", "by", "asked"], sort=False):
        pairs = part.groupby("data")["gain"].mean()
        half = 1.645 * part["gain"].std(ddof=1) / np.sqrt(len(part)) if len(part) > 1 else None
        found.append({
            "how": how, "wrong": wrong, "by": by, "asked": int(asked), "gain": round(float(part["gain"].mean()), 3),
            "half": None if half is None else round(float(half), 3),
            "per thousand": round(float(part["gain"].mean()) / asked * 1000, 2), "runs": len(part),
            "right": round(float(part["right"].mean()), 3), "sets": {k: round(float(v), 2) for k, v in pairs.items()},
        })  # fmt: skip
    return found


def draw(rows: list[dict[str, Any]]) -> None:
    """Draw docs/paid_teacher.png: gain over the number of questions, by selector, for each paid teacher."""
    mpl.use("Agg")
    import matplotlib.pyplot as plt

    frame = pd.DataFrame(summed(rows))
    ways = list(frame.groupby(["how", "wrong"], sort=False))
    lines = -(-len(ways) // 2)
    figure, axes = plt.subplots(lines, 2, figsize=(10, 3.6 * lines), sharey=True, squeeze=False)
    for axis, ((how, wrong), part) in zip(axes.flat, ways, strict=False):
        for (by, mine), colour in zip(part.groupby("by", sort=False), PLOTTED, strict=False):
            axis.errorbar(
                [0, *mine["asked"]], [0, *mine["gain"]], [0, *mine["half"].fillna(0)], label=by, color=LIGHT[colour],
                marker="o", capsize=3,
            )  # fmt: skip
        errs = "as often everywhere" if how == "even" else "where rows are hard"
        axis.axhline(0, color="black", linewidth=0.8)
        axis.set(title=f"wrong on {100 * wrong:.0f} %, {errs}", xlabel="questions, of 1,000 rows")
    axes[0, 0].set(ylabel="points over the free teacher alone")
    axes[0, 0].legend(fontsize=8)
    figure.tight_layout()
    figure.savefig(RESULTS.parents[1] / "docs" / "paid_teacher.png", dpi=110)
    plt.close(figure)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", nargs="+", default=[data.name for data in read_protocol(PROTOCOL).data])
    parser.add_argument("--seeds", nargs="+", type=int, default=list(SEEDS))
    parser.add_argument("--wrong", nargs="+", type=float, default=list(WRONG))
    asked = parser.parse_args()
    kept = json.loads(OUT.read_text())["rows"] if OUT.exists() else []
    done = {(row["data"], row["seed"], row["how"], row["wrong"]) for row in kept}
    for name in asked.data:
        for seed in asked.seeds:
            for wrong in asked.wrong:
                for how in HOW[: 1 if not wrong else len(HOW)]:
                    if (name, seed, how, wrong) not in done:
                        kept += one(name, seed, how, wrong)
                        OUT.write_text(
                            json.dumps({"pool": POOL, "summary": summed(kept), "rows": kept}, indent=1) + "\n"
                        )
                        print(name, seed, how, wrong, flush=True)
    draw(kept)
