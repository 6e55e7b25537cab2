"""How far a game leaves its teacher where no label can tell whether that is right, and what it is worth.

    python benchmarks/studies/leaving.py                 # three minutes of one core
    python benchmarks/studies/leaving.py --after rules --draws 1

The teacher is a sentence a class (the sets of benchmarks/protocols/described.toml), rules (those of weak.toml), or a
language model, of whose replies on TREC `from_nothing.py` has the cache. 2,000 rows of the part to learn from, or two
thirds of it, are the pool; accuracy is on others of that part, 1,500 at most, so that the parts to score on stay
unseen. "agreement" is what `fit.teacher_paths.FAITHFUL` is compared with; "game" is DRIFT's student whatever it is, and
"teacher" the student of stage I. Lines go into benchmarks/results/leaving.jsonl.
"""

from __future__ import annotations

import argparse
import warnings
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import torch

from from_nothing import CLASSES, of_set, tables
from lines import fit_missing
from tutelage import Classifier
from tutelage.bench.protocol import data_root, read_protocol
from tutelage.bench.sets import load
from tutelage.fit import comparison

PROTOCOLS = Path(__file__).parents[1] / "protocols"
KEYS = ("after", "data", "seed")
AFTER = {"sentences": "described", "rules": "weak", "language model": ""}
POOL, SCORED = 2000, 1500


@lru_cache(maxsize=1)
def case(after: str, name: str) -> tuple[list[str], dict[str, Any], dict[str, Any], list[str], np.ndarray]:
    """Texts of the pool, parameters of the estimator and of its fit that bring the teacher, other texts and labels."""
    if after == "language model":
        learnt, _, _ = tables("qwen2.5-coder-0.5b", name, 1000, 2000)
        cut, names = of_set(name), np.array(CLASSES[name])
        others = np.random.default_rng(0).permutation(len(cut.learn))[1000 : 1000 + SCORED]
        said = learnt.filter(like="p_").rename(columns=lambda column: column[2:])
        return (
            list(learnt.text),
            {},
            {"teacher": said},
            [str(cut.learn.items[i]) for i in others],
            names[cut.learn.y[others]],
        )
    path = PROTOCOLS / f"{AFTER[after]}.toml"
    data = next(each for each in read_protocol(path).data if each.name == name)
    cut = load(data, data_root(path))
    order = np.random.default_rng(7).permutation(len(cut.learn))
    count = min(POOL, 2 * len(order) // 3)
    pool, others = order[:count], order[count : count + SCORED]
    texts, scored = ([str(cut.learn.items[i]) for i in part] for part in (pool, others))
    if after == "rules":
        assert cut.votes is not None
        return texts, {}, {"votes": cut.votes.table[pool]}, scored, cut.learn.y[others]
    said = {int(k): v for k, v in dict(data.describe).items()}
    return texts, {"describe": said}, {}, scored, cut.learn.y[others]


def one(after: str, data: str, seed: int) -> dict[str, Any]:
    """The agreement of one game with its teacher's student, and the accuracy of both on other texts."""
    pool, of, brings, others, y = case(after, data)
    found: dict[str, Any] = dict(zip(KEYS, (after, data, seed), strict=True))
    measured, (agreement, faithful) = [], (comparison.agreement, comparison.FAITHFUL)
    for name, threshold in (("game", 0.0), ("teacher", 2.0)):
        comparison.FAITHFUL = threshold
        comparison.agreement = lambda *p: measured.append(agreement(*p)) or measured[-1]
        try:
            model = Classifier(method="drift", random_state=seed, **of).fit(pool, None, **brings)
        finally:
            comparison.agreement, comparison.FAITHFUL = agreement, faithful
        found[name] = float((np.asarray(model.predict(others)) == y).mean())
    return found | {"agreement": measured[0], "pool": len(pool), "scored": len(others)}


def sets_of(after: str) -> list[str]:
    return [each.name for each in read_protocol(PROTOCOLS / f"{AFTER[after]}.toml").data] if AFTER[after] else ["trec"]


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--after", nargs="+", default=list(AFTER), choices=list(AFTER))
    parser.add_argument("--draws", type=int, default=2, help="seeds of the games")
    asked = parser.parse_args()
    torch.set_num_threads(1)
    warnings.simplefilter("ignore")
    jobs = [(after, name, seed) for after in asked.after for name in sets_of(after) for seed in range(asked.draws)]
    fit_missing(one, jobs, KEYS, "leaving")
