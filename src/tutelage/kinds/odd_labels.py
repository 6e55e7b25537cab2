"""What looks odd of labels and items: labels that hardly repeat or join others, and copies of an item."""

from __future__ import annotations

import re
import shlex
from collections import Counter
from collections.abc import Hashable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd

from tutelage.kinds.entries import Entries, InTable
from tutelage.tables import Notes
from tutelage.tables.cells import quoted
from tutelage.tables.labels import joins
from tutelage.tables.none_words import REFUSED, STATES
from tutelage.weak import RawVotes

if TYPE_CHECKING:
    from tutelage.kinds.one_class import OneClass

AMOUNT = re.compile(r"[-+]?\d*[.,]\d+(e[-+]?\d+)?")
"""Pattern of a number with decimals."""

PARTS = {
    "train": "train", "training": "train", "trainset": "train", "test": "test", "testing": "test", "testset": "test",
    "val": "val", "valid": "val", "validation": "val", "dev": "val", "eval": "val", "evaluation": "val",
}  # fmt: skip
"""Parts of a data set that is split already, by their names in small letters alone."""

FEW_LABELS = 10
"""Number of different labels of a rule, up to which nothing is asked."""

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


def ask_of_parts(counts: Counter[str], entries: Entries, notes: Notes) -> None:
    """Ask whether classes are parts of a data set that is split already, by their names, such as "train".

    Nothing is learnt from a folder before it is settled, unless the one such class is "train".

    Args:
        counts: number of times that each label is there.
        entries: the entries with these labels.
        notes: takes the question.
    """
    parts = {label: part for label in counts if (part := PARTS.get(re.sub("[ _.-]", "", label.casefold())))}
    if not parts or len(parts) == len(counts) == 1:
        return
    source = Path(entries.places.source)
    thing = "folder" if source.is_dir() else "label"
    named = f"the {thing}s {', '.join(parts)} have the names of the parts" if len(parts) > 1 else (
        f"the {thing} {next(iter(parts))} has the name of a part"
    )  # fmt: skip
    every = f"--classes {','.join(sorted(counts))} (they are classes)"
    if source.is_dir():
        also = ", as those of the classes would be" if len(counts) > len(parts) else " and no classes"
        train = [f"--train {source / label}" for label, part in parts.items() if part == "train"]
        test = [f"--test {source / label}" for label, part in parts.items() if part != "train"]
        settles = " ".join([*train[:1], *test[:1]])
        halts = len(set(parts.values())) > 1 or not train
        notes.ask(f"{source}: {named} of a data set that is split already{also}", settles, every, halts=halts)
    else:
        says = f"{entries.at('label')}: {named} of a data set that is split already"
        notes.ask(says, "--label COLUMN, if another column holds the classes", every)


def ask_of_stray(votes: RawVotes, notes: Notes) -> None:
    """Ask whether columns hold votes at all, where what is in them hardly repeats, or is amounts.

    Args:
        votes: the votes.
        notes: takes the question.
    """
    for j, name in enumerate(votes.names):
        counts = Counter(votes.found[i] for i in votes.table[:, j].tolist() if i >= 0)
        amounts = all(map(AMOUNT.fullmatch, counts)) and len(counts) > 2
        if amounts or len(counts) > max(FEW_LABELS, counts.total() / 2):
            first = ", ".join(map(quoted, list(counts)[:3]))
            notes.ask(
                f"{votes.file}: the column {name!r} is taken for votes, and has {len(counts):,} different labels, such "
                f"as {first}",
                "--votes PREFIX, one that the names of the rules' columns alone begin with",
                "--classes NAMES, so that other votes are errors",
            )


def ask_of_refused(table: pd.DataFrame, labels: Sequence[str | None], place: str, used: str, notes: Notes) -> None:
    """Ask whether labels are meant, where another column says that they were discarded or rejected.

    Args:
        table: the table, of n rows.
        labels: label of each row, (n,); None where there is none.
        place: file, for messages.
        used: column of the labels.
        notes: takes the question.
    """
    for name in table.columns:
        if str(name).casefold() not in STATES or name == used:
            continue
        states = [str(cell).strip() for cell, label in zip(table[name], labels, strict=True) if label is not None]
        counts = Counter(state for state in states if state.casefold() in REFUSED)
        if counts:
            named = ", ".join(f"{state!r} {count:,}" for state, count in counts.most_common())
            notes.ask(
                f"{place}: {counts.total():,} of {len(states):,} labelled rows have {named} in the column {name!r}, "
                "and their labels are taken like others",
                "empty the labels of these rows, if they do not count",
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
    most = max(several, key=lambda key: counts[key])
    named = (
        f"; the commonest, in {counts[most]:,} rows, is {quoted(most)}"
        if isinstance(most, str) and counts[most] > 2
        else ""
    )
    says = f"Copies: {len(several):,} {are} there more than once, in {rows:,} rows{different}{named}."
    notes.fact("copies", says, {"items": len(several), "rows": rows, "different_labels": torn})


def no_votes(found: Entries) -> str:
    """Sentence that no rule votes; of rules in a file it names the likely causes."""
    of_rules = isinstance(found.places, InTable) and not found.places.columns.get("votes")
    causes = (
        '. A keyword is a whole word as it is written: "soup" is not found in "soups", and * stands for itself; a '
        '"regex" is a pattern as Python writes it, without / around it'
    )
    says = f"{found.at('votes')}: no rule votes on any row; there is nothing to learn from"
    return says + causes if of_rules else says
