"""What nearly equal items are to each other, as their labels tell: copies of one item, relatives, or strangers."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from tutelage.copies import groups_of
from tutelage.fit.evidence import wilson

if TYPE_CHECKING:
    from tutelage.kinds.base import Kind

COPIES, RELATIVES, STRANGERS = 0, 1, 2

LEAST_PAIRS = 5
"""Number of groups, or of items of one group less one, from which on labels say what nearly equal items are."""

LARGE = 8
"""Number of different items from which on a group is judged by itself; smaller ones are judged together."""

AGREED = 0.8
"""Agreement beyond chance from which on nearly equal items are copies."""

HALF = 0.5
"""Agreement beyond chance below which it must surely lie where nearly equal items are strangers."""

SURELY = 0.05
"""Probability by chance of as much agreement up to which labels agree more than by chance; all tests share it."""

DRAWS = 999
"""Number of draws of labels by chance."""

MOST_GROUPS = 200
"""Number of small groups, at most, by which all of them are judged: the first ones."""


@dataclass(frozen=True)
class Nearness:
    """Which entries are one item, and which lie in one fold.

    Attributes:
        item: number of the item of each entry, (n,).
        together: number of the fold-mates of each entry, (n,): nearly equal entries lie in one fold, strangers do not.
        nearly: whether nearly equal items are anything to each other, so that they count as copies elsewhere, too.
        says: sentence on relatives and strangers; empty where there are none.
        facts: plain values beside it.
    """

    item: np.ndarray
    together: np.ndarray
    nearly: bool = True
    says: str = ""
    facts: dict[str, Any] | None = None


def nearness(kind: Kind, items: Sequence[Any], keys: Sequence[Hashable] | None) -> Nearness:
    """What nearly equal items are to each other.

    - *Copies*, of which the labels agree: they are one item, and share its vote.
    - *Relatives*, such as shots of one camera, of which the labels agree by far not always, but more than by chance:
      each is an item, and they lie in one fold, since the label of one tells something of that of another.
    - *Strangers*, such as form letters that differ in one decisive word, of which the labels agree no more than by
      chance: each is an item, and lies in any fold, since nothing can leak.

    Equal items are one item in any case. A group of LARGE different items is judged by itself, smaller ones are judged
    together; where these are few, they are copies.

    Args:
        kind: kind of the items.
        items: n labelled items.
        keys: keys by which their labels are equal, (n,); None where labels are of parts, and cannot be compared so.
    """
    same = np.asarray(kind.same(items))
    if keys is None or len(np.unique(same)) == len(same):
        return Nearness(same, same)
    equal = groups_of([kind.equal_key(item) for item in items])
    of = np.empty(int(equal.max()) + 1, dtype=np.int64)
    of[equal] = np.unique(same, return_inverse=True)[1].ravel()
    shares = _shares(equal, groups_of(list(keys)))
    sizes = np.bincount(of)
    several = np.flatnonzero(sizes > 1)
    if not len(several):
        return Nearness(same, same)
    common = np.stack([np.bincount(of, shares[:, k], len(sizes)) for k in range(shares.shape[1])], axis=1)
    common = (common / sizes[:, None]).mean(0)
    verdict, kappas = np.full(len(sizes), COPIES), {}
    members = np.split(np.argsort(of, kind="stable"), np.cumsum(sizes)[:-1])
    large = several[sizes[several] >= LARGE].tolist()
    tests = [*([k] for k in large), *filter(None, [several[sizes[several] < LARGE].tolist()])]
    for tested in tests:
        groups = [shares[members[k]] for k in tested[:MOST_GROUPS]]
        verdict[tested], kappa = _judged(groups, common, SURELY / len(tests))
        kappas[int(verdict[tested[0]])] = kappa
    apart = verdict[of[equal]]
    item = np.where(apart == COPIES, same, len(same) + equal)
    together = np.where(apart == STRANGERS, len(same) + equal, same)
    counts = {v: int(sizes[verdict == v].sum()) for v in (RELATIVES, STRANGERS)}
    nearly = not counts[STRANGERS] or bool((verdict[several] != STRANGERS).any())
    facts = {"relatives": counts[RELATIVES], "strangers": counts[STRANGERS]}
    return Nearness(item, together, nearly, _in_words(kind, counts, kappas), facts if any(counts.values()) else None)


def _shares(item: np.ndarray, label: np.ndarray) -> np.ndarray:
    """Share of each label among the entries of each item, (items, labels)."""
    counts = np.zeros((int(item.max()) + 1, int(label.max()) + 1))
    np.add.at(counts, (item, label), 1)
    found: np.ndarray = counts / counts.sum(1, keepdims=True)
    return found


def _agreement(shares: np.ndarray) -> float:
    """Mean agreement of the labels of two different items of a group, from the shares of the labels of each, (s, c)."""
    s, total = len(shares), shares.sum(0)
    return float((total @ total - (shares**2).sum()) / (s * (s - 1)))


def _judged(groups: Sequence[np.ndarray], common: np.ndarray, surely: float) -> tuple[int, float]:
    """What the items of groups are to each other, and the agreement of their labels beyond chance.

    Args:
        groups: shares of the labels of each item of each group, (s, c) each.
        common: share of each label, (c,).
        surely: probability by chance of as much agreement up to which it is more than by chance.
    """
    chance = float((common**2).sum())
    agreed = float(np.mean([_agreement(group) for group in groups]))
    n = len(groups) if len(groups) > 1 else len(groups[0]) - 1
    kappa = 1.0 if chance >= 1 else (agreed - chance) / (1 - chance)
    if n < LEAST_PAIRS or kappa >= AGREED:
        return COPIES, kappa
    rng, drawn = np.random.default_rng(0), np.zeros(DRAWS)
    for group in groups:
        s = len(group)
        counts = rng.multinomial(s, common / common.sum(), size=DRAWS)
        drawn += ((counts**2).sum(1) - s) / (s * (s - 1)) / len(groups)
    by_chance = (1 + int((drawn >= agreed - 1e-9).sum())) / (1 + DRAWS)
    strange = by_chance > surely and wilson(min(max(agreed, 0.0), 1.0), n).high < chance + HALF * (1 - chance)
    return (STRANGERS if strange else RELATIVES), kappa


def _in_words(kind: Kind, counts: dict[int, int], kappas: dict[int, float]) -> str:
    """Sentence on relatives and strangers; empty where there are none."""
    things, found = kind.words.things, []
    if counts[STRANGERS]:
        found.append(
            f"{counts[STRANGERS]:,} {things} are nearly equal to others, and their labels agree no more than by chance "
            f"(kappa {kappas[STRANGERS]:.2f}): they are taken for different {things}."
        )
    if counts[RELATIVES]:
        found.append(
            f"{counts[RELATIVES]:,} {things} are nearly equal to others, and their labels differ often (kappa "
            f"{kappas[RELATIVES]:.2f}): each has a vote, and those that are nearly equal lie in one fold."
        )
    return " ".join(found)
