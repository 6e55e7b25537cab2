"""Which rows to label next."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from jaxtyping import Float, Int

from tutelage.ask import selectors
from tutelage.ask.actune import actune
from tutelage.ask.centres import coreset, pcoreset
from tutelage.ask.pool import Pool, class_numbers, whole
from tutelage.ask.robust import robust
from tutelage.ask.selectors import Order
from tutelage.ops.checks import in_range, one_of

SELECTORS: dict[str, Callable[[Pool, int], Order]] = {
    "diverse": selectors.diverse,
    "cluster_margin": selectors.cluster_margin,
    "margin": selectors.margin,
    "entropy": selectors.entropy,
    "cluster": selectors.cluster,
    "coreset": coreset,
    "pcoreset": pcoreset,
    "actune": actune,
    "robust": robust,
    "variation": selectors.variation,
    "random": selectors.random,
}
"""The selectors, by name; a new one gets a row."""

NAMES = ("auto", *SELECTORS)
"""All names that `select` takes."""

SURE = "diverse"
"""The selector that "auto" takes once each class has a label; chosen on other data than the recorded curves show."""

WITHOUT_PROBABILITIES = ("cluster", "coreset", "random")
"""The selectors that need no probabilities."""


@dataclass(frozen=True)
class Selection:
    """The rows to label next.

    Attributes:
        index: numbers of the rows, (count,), the best first.
        score: what the selector ranked each of them by, (count,), finite: the higher, the sooner it is asked for, with
            clusters the sooner within its cluster. The selector's docstring says what it is.
        cluster: cluster of each of them, (count,), from 0; None for selectors without clusters. Equal numbers are one
            cluster of this call, and mean nothing in another.
        by: name of the selector; where "auto" was asked for, of the one that it took.
        candidates: numbers of all rows that could have been asked for, (u,), rising.
        note: a sentence for the user where the scores say nothing, else "".
    """

    index: Int[np.ndarray, " count"]
    score: Float[np.ndarray, " count"]
    cluster: Int[np.ndarray, " count"] | None
    by: str
    candidates: Int[np.ndarray, " u"] = field(repr=False)
    note: str = ""

    def __len__(self) -> int:
        return len(self.index)


def select(
    by: str, rows: Any, probabilities: Any, labelled: Any, count: int, seed: int = 0, y: Any = None,
    copies: Any = None, wrong: float = 0.0,
) -> Selection:  # fmt: skip
    """Choose the rows to label next.

    The answer depends on the rows' values and the seed, not on the rows' order; only "random" draws row numbers. The
    features are read a block at a time, so that a million rows need no copy of them.

    Args:
        by: name of a selector (`NAMES`); "auto" is "cluster" while a class has no label or there are no probabilities,
            else "diverse".
        rows: features of all rows, those with and those without a label, (n, d), finite.
        probabilities: probabilities of the classes by a model, (n, c), each row's sum 1; for "variation" those of
            several models, (m, n, c), such as a `committee`. None where no model is.
        labelled: numbers of the rows that have a label, (l,), from 0, distinct.
        count: number of rows to choose, at least 1, and at most the number that can be asked for.
        seed: seed of all draws, at least 0.
        y: class number of each labelled row, (l,), in [0, c); None takes it that each class has a label.
        copies: group of each row, (n,), equal for rows that are copies of each other: only one of a group is asked for,
            and none where one of them has a label. None asks for equal rows, too.
        wrong: share of wrong ones among the answers of whoever is asked, in [0, 1], which "robust" reckons with.

    Raises:
        ValueError: an argument is of the wrong shape, not finite, out of its range, or missing.

    >>> p = np.array([[0.9, 0.1], [0.6, 0.4], [0.2, 0.8], [0.5, 0.5]])
    >>> select("margin", np.eye(4), p, [0], 2).index.tolist()
    [3, 1]
    """
    one_of("by", by, NAMES)
    in_range("wrong", float(wrong), 0, 1)
    pool = Pool.of(rows, probabilities, labelled, seed, copies)
    of = ", the number of rows that can be asked for"
    if not len(pool):
        raise ValueError("labelled must leave a row to ask for, got all rows, or copies of all")
    whole("count", count, 1, len(pool), of)
    taken = _automatic(pool, labelled, y) if by == "auto" else by
    if pool.probabilities is None and taken not in WITHOUT_PROBABILITIES:
        free = ", ".join(WITHOUT_PROBABILITIES)
        raise ValueError(f"{taken} needs probabilities, got None; without them there are {free}, and auto")
    found = robust(pool, int(count), float(wrong)) if taken == "robust" else SELECTORS[taken](pool, int(count))
    return Selection(
        pool.candidates[found.places], found.score, found.cluster, taken, pool.candidates, _note(taken, found, pool)
    )


def _automatic(pool: Pool, labelled: Any, y: Any) -> str:
    """The selector that "auto" takes."""
    if pool.probabilities is None or not len(pool.labelled):
        return "cluster"
    if y is None:
        return SURE
    classes = pool.said().shape[1]
    numbers = class_numbers(y, len(np.asarray(labelled)), classes)
    return "cluster" if len(np.unique(numbers)) < classes else SURE


def _note(by: str, found: Order, pool: Pool) -> str:
    if by == "random" or len(pool) == len(found.places) or np.ptp(found.score) > 0:
        return ""
    if by == "variation" and not found.score.any():
        return "The models agree on every row, so that the order is random."
    if by in ("margin", "entropy", "robust") and not found.score.any():
        return "The model is sure of every row, so that the order is random."
    return ""
