"""What looks odd of labels and items: labels that hardly repeat, or that join others."""

from __future__ import annotations

import re
import shlex
from collections import Counter
from collections.abc import Collection, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import pandas as pd

from tutelage.kinds.alike_labels import ask_of_alike
from tutelage.kinds.beside_labels import ask_of_sisters, say_of_columns_beside
from tutelage.kinds.entries import Entries, InTable
from tutelage.tables import Notes
from tutelage.tables.labels import joins
from tutelage.tables.name_lists import as_option, classes_option
from tutelage.tables.none_words import NUMBER, REFUSED, STATES

if TYPE_CHECKING:
    from tutelage.kinds.one_class import OneClass

AMOUNT = re.compile(r"[-+]?\d*[.,]\d+(e[-+]?\d+)?")
"""Pattern of a number with decimals."""

FRACTION = 0.3
"""Share of the labels that have decimals, where all are numbers, from which on they are taken for amounts."""

DATE = re.compile(r"\d{4}[-/.]\d\d?[-/.]\d\d?([ T].*)?|\d\d?[-/.]\d\d?[-/.]\d{2,4}")
"""Pattern of a date."""

PARTS = {
    "train": "train", "training": "train", "trainset": "train", "test": "test", "testing": "test", "testset": "test",
    "val": "val", "valid": "val", "validation": "val", "dev": "val", "eval": "val", "evaluation": "val",
}  # fmt: skip
"""Parts of a data set that is split already, by their names in small letters alone."""

CLASSES_SHOWN = 20
"""Number of classes that a line lists with their counts at most."""


def ask_of_classes(kind: OneClass, counts: Counter[str], train: Entries, notes: Notes) -> None:
    """Ask about labels that look odd as classes, and say what columns beside them tell of them.

    Args:
        kind: kind of the items, with its options.
        counts: number of times that each label is there.
        train: the entries with these labels.
        notes: takes what is noticed.
    """
    if not counts:
        return
    ask_of_many(counts, train, notes)
    ask_of_joined(counts, train.at("label"), notes)
    ask_of_parts(counts, train, notes)
    ask_of_alike(counts, train.at("label"), notes)
    if train.table is not None and len(train.table) == len(train):
        used = [name for name, use in kind.columns().items() if use != "feature"]
        beside = ask_of_sisters if kind.of_numbers else say_of_columns_beside
        beside(train.table, train.labels, used, train.at("label"), notes)


def ask_of_many(counts: Counter[str], train: Entries, notes: Notes) -> None:
    """Ask whether a column holds classes at all, where its labels hardly repeat, or are amounts or dates.

    Args:
        counts: number of times that each label is there.
        train: entries with these labels.
        notes: takes the question.
    """
    place, total, what = train.at("label"), counts.total(), _no_classes(counts)
    if len(counts) <= max(CLASSES_SHOWN, total / 2) and not (what and len(counts) > 2):
        return
    notes.ask(
        f"{place}: {total:,} labels are of {len(counts):,} classes, {what or f'such as {next(iter(counts))[:40]!r}'}",
        *_swapped(train),
        "--label COLUMN, if another column holds the classes",
        *(["a column of classes made of the numbers, such as low and high"] if what.startswith("numbers") else []),
        "--classes NAMES, if each is a class",
        page="hardly-classes",
    )


def _no_classes(counts: Counter[str]) -> str:
    """What labels are instead of classes; empty where they may be classes."""
    if all(map(DATE.fullmatch, counts)):
        return f"dates such as {next(iter(counts))!r}"
    amounts = sum(bool(AMOUNT.fullmatch(label)) for label in counts)
    numbers = all(AMOUNT.fullmatch(label) or NUMBER.fullmatch(label) for label in counts)
    return "numbers, which are amounts rather than classes" if numbers and amounts > FRACTION * len(counts) else ""


def _swapped(train: Entries) -> list[str]:
    """Option that swaps the columns of texts and labels, where the texts hardly differ."""
    texts = [item for item, known in zip(train.items, train.known, strict=True) if known and isinstance(item, str)]
    columns = train.places.columns if isinstance(train.places, InTable) else {}
    item, label = columns.get("item"), columns.get("label")
    if not texts or item is None or label is None or len(set(texts)) > len(texts) / 4:
        return []
    return [f"--text {shlex.quote(label)} --label {shlex.quote(item)}, if the columns are swapped"]


def ask_of_joined(counts: Counter[str], place: str, notes: Notes) -> None:
    """Ask whether labels that join others by a sign, such as "food|news", are classes of their own.

    Args:
        counts: number of times that each label is there.
        place: file and column, for messages.
        notes: takes the question.
    """
    joined = {label: sign for label in counts if (sign := joins(label, counts))} | joined_alike(counts)
    if not joined:
        return
    count = sum(counts[label] for label in joined)
    label, sign = next(iter(joined.items()))
    every = len(joined) == len(counts)
    notes.ask(
        f"{place}: {count:,} of {counts.total():,} labels join {'names' if every else 'others'} by "
        f"{sign!r}, as {label!r} does, and each of these is taken for a class of its own",
        "one label in each cell, if such a row has several; one item has one class here"
        if every
        else f"{as_option('unlabelled-as', joined)}, so that these rows have no label",
        f"{classes_option(counts)}, if each of them is a class",
        page="hardly-classes",
    )


def joined_alike(labels: Collection[str]) -> dict[str, str]:
    """Sign by which each label joins names that other labels join, too; labels that join none are left out.

    >>> joined_alike(["food|cheap", "food|dear", "sport"]), joined_alike(["a|b", "sport"])
    ({'food|cheap': '|', 'food|dear': '|'}, {})
    """
    found: dict[str, str] = {}
    for sign in "|;":
        parts = {label: {part.strip() for part in label.split(sign)} for label in labels if sign in label}
        common = Counter(part for each in parts.values() for part in each if part)
        found |= {label: sign for label, each in parts.items() if any(common[part] > 1 for part in each)}
    return found


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
    every = f"{classes_option(counts)} (they are classes)"
    if source.is_dir():
        also = ", as those of the classes would be" if len(counts) > len(parts) else " and no classes"
        train = [f"--train {source / label}" for label, part in parts.items() if part == "train"]
        test = [f"--test {source / label}" for label, part in parts.items() if part != "train"]
        settles = " ".join([*train[:1], *test[:1]])
        halts = len(set(parts.values())) > 1 or not train
        notes.ask(
            f"{source}: {named} of a data set that is split already{also}",
            settles,
            every,
            halts=halts,
            page="split-already",
        )
    else:
        says = f"{entries.at('label')}: {named} of a data set that is split already"
        notes.ask(says, "--label COLUMN, if another column holds the classes", every, page="split-already")


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
                page="label-or-none",
            )


def no_votes(found: Entries) -> str:
    """Sentence that no rule votes; of rules in a file it names the likely causes."""
    of_rules = isinstance(found.places, InTable) and not found.places.columns.get("votes")
    causes = (
        '. A keyword is a whole word as it is written: "soup" is not found in "soups", and * stands for itself; a '
        '"regex" is a pattern as Python writes it, without / around it'
    )
    says = f"{found.at('votes')}: no rule votes on any row; there is nothing to learn from"
    return says + causes if of_rules else says
