"""Confirmation bias: what became of the pseudo-labels that a training learnt from, and whether they collapsed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from tutelage.fit.ledger import Ledger
from tutelage.fit.prevalence import Prevalence

NEARLY_ALL = 0.95
"""Share of the pseudo-labels from which on one class has nearly all of them."""

OF_OTHERS = 0.25
"""Share of what the other classes ought to have, below which they are swallowed."""

AWAITED = 10.0
"""Number of pseudo-labels that a class, or all but one, ought to have, at least, for an alarm: few lack by chance."""

WARMED = 50
"""Steps of a training, at least, for an alarm: the network of a shorter one knows nothing yet."""

PAIRS = 10
"""Number of pairs of classes, at most, whose flips are told."""

CLASSES = 5
"""Number of classes, at most, that a sentence names."""


@dataclass(frozen=True)
class Confirmation:
    """What became of the pseudo-labels of a training.

    Attributes:
        ledger: the ledger.
        learnt: number of units whose pseudo-label was ever learnt from; of several labellers each counts.
        unrevised: number of these whose label never changed after it was first learnt.
        flips: number of changes from one class to another that the ledger shows, (c, c).
        first, last: share of each class among the labels that counted at the end of the first block in which one did,
            and at the end of the training, (c,); 0 where none did.
        in_use: number of labels that counted at the end.
        awaited: share that each class ought to have, at most, (c,): its share among the labels, or the pool's, as
            declared, or as the estimate's interval allows; None without labels.
        least: the same at least, (c,); None without labels.
    """

    ledger: Ledger
    learnt: int
    unrevised: int
    flips: np.ndarray
    first: np.ndarray
    last: np.ndarray
    in_use: int
    awaited: np.ndarray | None
    least: np.ndarray | None

    @staticmethod
    def of(
        ledger: Ledger, classes: int, labels: np.ndarray | None, prevalence: Prevalence | None = None
    ) -> Confirmation:
        """What became of the pseudo-labels of a ledger.

        Args:
            ledger: the ledger.
            classes: number of classes, c.
            labels: share of each class among the labels, (c,); None without labels.
            prevalence: how common the classes are in the pool, where that is known.
        """
        of = ledger.of_block
        key = np.stack([ledger.blocks[of, 3], ledger.item, ledger.unit])
        order = np.lexsort((np.arange(len(of)), key[2], key[1], key[0]))
        label, weight, flips = ledger.label[order], ledger.weight[order] > 0, ledger.flips[order]
        same = (key[:, order[1:]] == key[:, order[:-1]]).all(0)
        changes = np.zeros((classes, classes), dtype=np.int64)
        moved = same & (label[1:] != label[:-1])
        np.add.at(changes, (label[:-1][moved], label[1:][moved]), 1)
        unit = np.concatenate([[0], np.cumsum(~same)]) if len(order) else np.zeros(0, dtype=np.int64)
        ends = np.append(np.flatnonzero(~same), len(order) - 1) if len(order) else np.zeros(0, dtype=np.int64)
        used, begin = np.unique(unit[weight], return_index=True)
        first_flips = flips[weight][begin]
        unrevised = int((flips[ends][used] == first_flips).sum())
        counted = ledger.weight > 0
        block = int(of[counted].min()) if counted.any() else 0
        awaited = least = labels
        if prevalence is not None and labels is not None:
            awaited = prevalence.pool if prevalence.declared else np.maximum(labels, prevalence.high)
            least = prevalence.pool if prevalence.declared else np.minimum(labels, prevalence.low)
        early = of[order] <= ledger.blocks[:, 2].searchsorted(ledger.blocks[block, 2], side="right") - 1
        first, _ = _shares(label[early], weight[early], unit[early], classes)
        last, in_use = _shares(label, weight, unit, classes)
        return Confirmation(ledger, len(used), unrevised, changes, first, last, in_use, awaited, least)

    @property
    def called(self) -> str:
        """Name of the training, with its method."""
        name, method = self.ledger.training, self.ledger.method
        return name if name == method else f"{name} ({method})"

    def words(self, classes: Sequence[Any], things: str) -> list[str]:
        """Sentences on what became of the pseudo-labels.

        Args:
            classes: names of the classes.
            things: word for the items, in the plural.
        """
        ledger, n = self.ledger, self.learnt
        if not n:
            return [f"{self.called}: no pseudo-label ever counted."]
        of = things if ledger.single else "words"
        followed = f" of the {ledger.units:,} that the ledger follows" if ledger.every > 1 else ""
        found = [
            f"{self.called}: the pseudo-labels of {n:,} {of}{followed} were learnt; {100 * self.unrevised / n:.0f} % "
            "of them were never revised after they were first learnt, whether right or wrong."
        ]
        if pairs := self.pairs(classes)[:3]:
            some = ", ".join(f"from {a} to {b} ({count:,})" for a, b, count in pairs)
            found.append(f"{self.called}: the commonest changes of mind were {some}.")
        return found

    def pairs(self, classes: Sequence[Any]) -> list[tuple[str, str, int]]:
        """The commonest changes from one class to another, and their number."""
        order = np.argsort(-self.flips, axis=None, kind="stable")[:PAIRS]
        at = [(int(i) // len(classes), int(i) % len(classes)) for i in order]
        return [(str(classes[a]), str(classes[b]), int(self.flips[a, b])) for a, b in at if self.flips[a, b]]

    def alarm(self, classes: Sequence[Any]) -> str:
        """Sentence on a collapse: one class took nearly all labels, or a class that has labels vanished; else empty.

        Args:
            classes: names of the classes.
        """
        if not self.in_use or self.ledger.steps < WARMED or (self.awaited is None and not self.ledger.single):
            return ""
        top = int(self.last.argmax())
        most = None if self.awaited is None else float(self.awaited[top])
        others = 1 - (most or 0.0)
        swallowed = most is None or 1 - self.last[top] < OF_OTHERS * others
        if self.last[top] >= NEARLY_ALL and swallowed and others * self.in_use >= AWAITED:
            ought = "" if most is None else f", where at most {_percent(most)} would be awaited"
            return (
                f"The pseudo-labels of {self.called} have collapsed: in the end {_percent(self.last[top])} of those "
                f"that counted were {classes[top]}{ought}."
            )
        if self.least is None:
            return ""
        gone = np.flatnonzero((self.last == 0) & (self.least * self.in_use >= AWAITED))
        if not len(gone):
            return ""
        some = ", ".join(str(classes[i]) for i in gone[:CLASSES])
        more = f" and {len(gone) - CLASSES} more" if len(gone) > CLASSES else ""
        return (
            f"A class vanished from the pseudo-labels of {self.called}: in the end none of the {self.in_use:,} that "
            f"counted was {some}{more}, of which there are labels."
        )

    def as_dict(self, classes: Sequence[Any], things: str) -> dict[str, Any]:
        """What became of the pseudo-labels, as plain values for a summary, see `words`."""
        ledger = self.ledger
        each = zip(map(str, classes), self.first.tolist(), self.last.tolist(), strict=True)
        return {
            "training": ledger.training, "method": ledger.method, "pool": ledger.pool, "every": ledger.every,
            "followed": ledger.units, "learnt": self.learnt, "unrevised": self.unrevised, "in_use": self.in_use,
            "classes": {name: {"first": first, "last": last} for name, first, last in each},
            "flips": [{"from": a, "to": b, "count": count} for a, b, count in self.pairs(classes)],
            "words": self.words(classes, things), "alarm": self.alarm(classes),
        }  # fmt: skip


def _shares(label: np.ndarray, counts: np.ndarray, unit: np.ndarray, classes: int) -> tuple[np.ndarray, int]:
    """Share of each class among the last labels of the units, where they count, (c,); and their number.

    Args:
        label: class numbers of rows, (n,), those of a unit one after the other, in the order of time.
        counts: mask of the rows whose label counts, (n,).
        unit: number of the unit of each row, (n,); ascending.
        classes: number of classes, c.
    """
    if not len(label):
        return np.zeros(classes), 0
    last = np.append(np.flatnonzero(np.diff(unit)), len(unit) - 1)
    last = last[counts[last]]
    found = np.bincount(label[last], minlength=classes)
    return found / max(len(last), 1), len(last)


def _percent(share: float) -> str:
    return f"{100 * share:.1f} %"
