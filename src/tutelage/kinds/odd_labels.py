"""What looks odd of labels and items: labels that hardly repeat or join others, and copies of an item."""

from __future__ import annotations

import re
import shlex
from collections import Counter
from collections.abc import Hashable, Sequence
from typing import TYPE_CHECKING, Any

from tutelage.kinds.entries import Entries
from tutelage.tables import Notes
from tutelage.tables.labels import joins

if TYPE_CHECKING:
    from tutelage.kinds.one_class import OneClass

AMOUNT = re.compile(r"[-+]?\d*[.,]\d+(e[-+]?\d+)?")
"""Pattern of a number with decimals."""

CLASSES_SHOWN = 20
"""Number of classes that a line lists with their counts at most."""


def ask_of_many(counts: Counter[str], place: str, notes: Notes) -> None:
    """Ask whether a column holds classes at all, where its labels hardly repeat.

    Args:
        counts: number of times that each label is there.
        place: file and column, for messages.
        notes: takes the question.
    """
    total = counts.total()
    if len(counts) <= max(CLASSES_SHOWN, total / 2):
        return
    amounts = all(map(AMOUNT.fullmatch, counts))
    what = "numbers, which are amounts rather than classes" if amounts else f"such as {next(iter(counts))[:40]!r}"
    notes.ask(
        f"{place}: {total:,} labels are of {len(counts):,} classes, {what}",
        "--label COLUMN, if another column holds the classes",
        *(["a column of classes made of the numbers, such as low and high"] if amounts else []),
        "--classes NAMES, if each is a class",
    )


def ask_of_joined(counts: Counter[str], place: str, notes: Notes) -> None:
    """Ask whether labels that join others by a sign, such as "food|news", are classes of their own.

    Args:
        counts: number of times that each label is there.
        place: file and column, for messages.
        notes: takes the question.
    """
    joined = {label: sign for label in counts if (sign := joins(label, counts))}
    if not joined:
        return
    count = sum(counts[label] for label in joined)
    label, sign = next(iter(joined.items()))
    comma = any("," in each for each in joined)
    notes.ask(
        f"{place}: {count:,} of {counts.total():,} labels join others by {sign!r}, as {label!r} does, and each of "
        "these is taken for a class of its own",
        "one label in each cell, if such a row has several; one item has one class here"
        if comma
        else f"--unlabelled-as {shlex.quote(','.join(joined))}, so that these rows have no label",
    )


def note_copies(kind: OneClass, parts: Sequence[Entries], notes: Notes) -> None:
    """Note how many items are there more than once, and how many of these have different labels.

    Args:
        kind: kind of the items, which says when two are equal.
        parts: entries of each source that is learnt from.
        notes: takes the counts.
    """
    every = [
        (kind.identity(item), label) for part in parts for item, label in zip(part.items, part.labels, strict=True)
    ]
    counts = Counter(key for key, _ in every)
    several = {key for key, count in counts.items() if count > 1}
    if not several:
        return
    labels: dict[Hashable, set[Any]] = {}
    for key, label in every:
        if key in several and label is not None:
            labels.setdefault(key, set()).add(label)
    torn = sum(len(of) > 1 for of in labels.values())
    rows = sum(counts[key] for key in several)
    different = f"; {torn:,} of them with different labels" if torn else ""
    are = f"{kind.words.thing} is" if len(several) == 1 else f"{kind.words.things} are"
    says = f"Copies: {len(several):,} {are} there more than once, in {rows:,} rows{different}."
    notes.fact("copies", says, {"items": len(several), "rows": rows, "different_labels": torn})
