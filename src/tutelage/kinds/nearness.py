"""What nearly equal items are to each other, as their labels tell: copies of one item, relatives, or strangers."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from tutelage.copies import Prints, groups_of
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
        strangers: mask of the entries that are nearly equal to others, and are no copies of them, (n,).
        says: sentence on relatives and strangers; empty where there are none.
        facts: plain values beside it.
    """

    item: np.ndarray
    together: np.ndarray
    strangers: np.ndarray
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
    together; where these are few, they are copies. Among strangers those that share a rare part, such as the letters to
    one customer, are judged once more.

    Args:
        kind: kind of the items.
        items: n items with labels.
        keys: keys by which their labels are equal, (n,); None where labels are of parts, and cannot be compared so.
    """
    none = np.zeros(len(items), dtype=bool)
    if not len(items) or kind.equal_by_chance(items):
        return Nearness(np.arange(len(items)), np.arange(len(items)), none)
    prints = kind.prints(items)
    same = prints.groups()
    if keys is None or len(np.unique(same)) == len(same):
        return Nearness(same, same, none)
    equal = groups_of([kind.equal_key(item) for item in items])
    first = np.unique(equal, return_index=True)[1]
    of = np.unique(same[first], return_inverse=True)[1].ravel()
    shares = _shares(equal, groups_of(list(keys)))
    sizes = np.bincount(of)
    several = np.flatnonzero(sizes > 1)
    if not len(several):
        return Nearness(same, same, none)
    common = np.stack([np.bincount(of, shares[:, k], len(sizes)) for k in range(shares.shape[1])], axis=1)
    common = (common / sizes[:, None]).mean(0)
    members = np.split(np.argsort(of, kind="stable"), np.cumsum(sizes)[:-1])
    large = several[sizes[several] >= LARGE].tolist()
    tests = [*([k] for k in large), *filter(None, [several[sizes[several] < LARGE].tolist()])]
    found = Found(np.full(len(first), COPIES), of.copy(), {})
    for tested in tests:
        verdict, kappa = _judged([shares[members[k]] for k in tested[:MOST_GROUPS]], common, SURELY / len(tests))
        for k in tested:
            found.settle(members[k], verdict, kappa)
            if verdict == STRANGERS:
                _look_closer(prints, first, members[k], shares, common, found)
    apart, group = found.verdict[equal], found.group[equal]
    item = np.where(apart == COPIES, group, len(first) + equal)
    together = np.where(apart == STRANGERS, len(first) + equal, group)
    stranger = np.isin(of, of[np.isin(found.verdict, STRANGERS)]) | found.closer
    counts = {v: int((found.verdict == v).sum()) for v in (RELATIVES, STRANGERS)}
    facts = {"relatives": counts[RELATIVES], "strangers": counts[STRANGERS]}
    says = _in_words(kind, counts, {v: float(np.mean(each)) for v, each in found.kappas.items()})
    return Nearness(item, together, stranger[equal], says, facts if any(counts.values()) else None)


@dataclass
class Found:
    """What was found of m different items so far.

    Attributes:
        verdict: what each is to those of its group, (m,).
        group: number of its group, (m,).
        kappas: agreements of the labels beyond chance, by verdict.
        closer: mask of the items that are anything to each other within a group of strangers, (m,).
    """

    verdict: np.ndarray
    group: np.ndarray
    kappas: dict[int, list[float]]
    closer: np.ndarray = field(init=False)

    def __post_init__(self) -> None:
        self.closer = np.zeros(len(self.verdict), dtype=bool)

    def settle(self, members: np.ndarray, verdict: int, kappa: float) -> None:
        """Note what the items of some numbers are to each other."""
        self.verdict[members] = verdict
        self.kappas.setdefault(verdict, []).append(kappa)


def _look_closer(
    prints: Prints, first: np.ndarray, members: np.ndarray, shares: np.ndarray, common: np.ndarray, found: Found
) -> None:
    """Judge those of a group of strangers that share a rare part.

    Args:
        prints: prints of all entries.
        first: number of an entry of each different item, (m,).
        members: numbers of the items of the group.
        shares: share of each label of each item, (m, c).
        common: share of each label, (c,).
        found: what was found so far; it is changed.
    """
    part = prints.closer(first[members])
    sizes = np.bincount(part)
    inner = [members[part == k] for k in np.flatnonzero((sizes > 1) & (sizes < len(members)))]
    if not inner:
        return
    verdict, kappa = _judged([shares[each] for each in inner[:MOST_GROUPS]], common, SURELY)
    if verdict != STRANGERS:
        for each in inner:
            found.settle(each, verdict, kappa)
            found.group[each] = len(found.group) + each[0]
            found.closer[each] = True


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
            f"{counts[RELATIVES]:,} {things} are nearly equal to others, and their labels do not say that they are "
            f"copies (kappa {kappas[RELATIVES]:.2f}): each has a vote, and those that are nearly equal lie in one fold."
        )
    return " ".join(found)
