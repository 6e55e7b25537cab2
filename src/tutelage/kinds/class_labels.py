"""Labels of one class each: read from cells, settled for all sources at once, and turned into class numbers."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from tutelage.data import Groups
from tutelage.kinds.declared import say_of_nowhere, weak_named
from tutelage.kinds.entries import Entries, InValues
from tutelage.tables import DataError, Notes
from tutelage.tables.cells import brief, quoted
from tutelage.tables.doubtful import Counted, is_doubtful
from tutelage.tables.label_cells import SHOWN, Read, read_cell, some
from tutelage.tables.labels import LabelsAs, Spelled, unknown_label
from tutelage.tables.name_lists import as_option
from tutelage.tables.scores import SURE, NotALabelError
from tutelage.weak import RawVotes

MISS = "miss"
"""Way of going on with test rows of classes that have no label: they count as missed."""


def labels_of_cells(
    cells: Sequence[Any], at: Callable[[int], str], notes: Notes, skip_bad: bool = False
) -> tuple[list[str | None], np.ndarray]:
    """Labels in cells, and which rows may be learnt from. All cells that hold no label of one class are named at once.

    Args:
        cells: n cells of a column of labels.
        at: function that names the place of the i-th cell.
        notes: takes the fault.
        skip_bad: whether such rows are left out; else they are a fault.

    Returns:
        Label of each cell, None where there is none, and the mask of good rows, (n,).
    """
    read, bad = _read(cells)
    labels = [one.label for one in read]
    _say_read(read, cells, at, notes)
    good = np.ones(len(labels), dtype=bool)
    if bad:
        good[list(bad)] = False
        named = "; ".join(f"{at(i)}: {fault}" for i, fault in list(bad.items())[:SHOWN])
        count = f"{len(bad):,} of {len(labels):,} rows" if len(bad) > 1 else f"1 of {len(labels):,} rows"
        left = any(label is not None for label in labels)
        if skip_bad and left:
            notes.say(f"Left out: {count} whose label cannot be read ({named}).", page="left-out")
        else:
            hint = "; --skip-bad leaves these rows out" if left else ""
            notes.fault(f"{named}{_more(len(bad))}. The label of {count} cannot be read{hint}")
    return labels, good


def _read(cells: Sequence[Any]) -> tuple[list[Read], dict[int, str]]:
    """What is read in each cell, and the fault of each cell that holds no label of one class, by its number."""
    read: list[Read] = []
    bad: dict[int, str] = {}
    known: dict[str, Read] = {}
    for i, cell in enumerate(cells):
        if isinstance(cell, str) and cell in known:
            read.append(known[cell])
            continue
        try:
            read.append(read_cell(cell))
            if isinstance(cell, str):
                known[cell] = read[-1]
        except NotALabelError as e:
            bad[i] = str(e)
            read.append(Read(None))
    return read, bad


def _say_read(read: Sequence[Read], cells: Sequence[Any], at: Callable[[int], str], notes: Notes) -> None:
    forms = Counter(one.form for one in read if one.form and one.label is not None)
    if forms:
        written = f"{forms.total():,} labels are" if forms.total() > 1 else "1 label is"
        first = next(i for i, one in enumerate(read) if one.form and one.label is not None)
        shown = f"{quoted(str(cells[first]))} as {quoted(read[first].label)}"
        notes.say(
            f"{written} written as lists, scores or JSON: each is read as its one label (first: {at(first)}, {shown})."
        )
    for form in ("scores", "percentages", "logarithms"):
        if forms[form]:
            are = f"{forms[form]:,} labels are the names" if forms[form] > 1 else "1 label is the name"
            notes.say(f"{are} of the highest of {form}.")
    refused = sum(one.refused for one in read)
    if refused:
        are = "answers in the labels are" if refused > 1 else "answer in the labels is"
        notes.say(f"{refused:,} {are} discarded, rejected or unfinished by its state: not read.", page="label-or-none")
    low = sum(one.form == "low" for one in read)
    if low:
        have = "has" if low == 1 else "have"
        notes.say(
            f"{low:,} of {len(read):,} rows {have} scores that are all below {SURE}: taken as no label.",
            page="label-or-none",
        )


def _more(count: int) -> str:
    return f"; and {count - SHOWN} more" if count > SHOWN else ""


def named_by_number(cells: Sequence[Any], names: Sequence[str], place: str, notes: Notes) -> list[Any]:
    """Cells whose class numbers are replaced by the names that the file itself holds; -1 is none, others stay.

    Args:
        cells: n cells.
        names: names of the classes, in the order of their numbers.
        place: file and column, for messages.
        notes: takes which names were taken.

    >>> named_by_number([1, -1, "ham"], ["ham", "spam"], "a.parquet", Notes())
    ['spam', None, 'ham']
    """

    def number(cell: Any) -> int | None:
        whole = isinstance(cell, (int, np.integer)) and not isinstance(cell, bool)
        return int(cell) if whole or (isinstance(cell, float) and cell.is_integer()) else None

    numbers = [number(cell) for cell in cells]
    if any(n is not None and 0 <= n < len(names) for n in numbers):
        notes.say(f"{place}: numbers are the classes {some(list(names))}, by the file's own names.")
    return [
        cell if n is None or n >= len(names) else names[n] if n >= 0 else None
        for cell, n in zip(cells, numbers, strict=True)
    ]


def settled(sources: Sequence[Entries | None], how: LabelsAs, notes: Notes) -> list[Entries | None]:
    """Sources whose labels are the names of their classes: what means no label is none, spellings are one.

    The first source, which is learnt from, says how the classes are spelled.

    Args:
        sources: labelled entries, more for the pool, and the test; None where there are none.
        how: how labels are read.
        notes: takes what is decided, questions, and faults.
    """
    if isinstance(sources[0], Entries) and isinstance(sources[0].places, InValues):
        return list(sources)  # Python values are taken as they are given
    say_of_nowhere(sources, how, notes)
    found: list[Entries | None] = []
    first: Spelled | None = None
    for source in sources:
        if source is not None and source.known.any():
            spelled = Spelled.of(source.labels, how, notes, source.places.short)
            first = first or spelled
            source = _named(source, replace(spelled, names={**spelled.names, **first.names}), notes)  # noqa: PLW2901
        found.append(source)
    voted = [source.votes for source in found if source is not None and source.votes is not None]
    by_votes = _of_votes(voted, how, notes)
    first = first or by_votes
    return [None if source is None else weak_named(source, first) for source in found]


def as_classes(source: Entries, classes: Sequence[Any], how: LabelsAs, notes: Notes) -> Entries:
    """Entries to score on, whose labels are the names of a model's classes; what means no label is none.

    Labels that are none of the classes stay as they are.

    Args:
        source: labelled entries.
        classes: names of the model's classes.
        how: how labels are read.
        notes: takes what is decided.
    """
    named = {str(name): name for name in classes}
    spelled = Spelled.of(source.labels, replace(how, classes=tuple(named)), notes, source.places.short)
    found = map(spelled, source.labels)
    return replace(source, labels=[None if label is None else named.get(label, label) for label in found])


def _of_votes(voted: Sequence[RawVotes], how: LabelsAs, notes: Notes) -> Spelled:
    """How the labels that rules vote for are spelled."""
    counts: Counter[str] = Counter()
    total = 0
    for votes in voted:
        of = np.bincount(votes.table[votes.table >= 0], minlength=len(votes.found))
        counts.update(dict(zip(votes.found, of.tolist(), strict=True)))
        total += votes.table.size
    return Spelled.counted(Counted(counts, total, lambda label: "the votes", "votes"), how, notes)


def _named(source: Entries, spelled: Spelled, notes: Notes) -> Entries:
    """Entries with the names of their classes; labels that are none of the declared classes are faults."""
    name = {label: spelled(label) for label in dict.fromkeys(source.labels)}
    labels = [name[label] for label in source.labels]
    wrong = [i for i, label in enumerate(labels) if not spelled.known(label)]
    for i in wrong[:SHOWN]:
        notes.fault(f"{source.at('label', i)}: {unknown_label(str(labels[i]), spelled.how.classes)}")
    if len(wrong) > SHOWN:
        others = Counter(labels[i] for i in wrong)
        named = ", ".join(f"{quoted(label)} {count:,}" for label, count in others.most_common(SHOWN))
        notes.fault(f"{source.places.source}: {len(wrong):,} rows have such labels: {named}")
    return replace(source, labels=labels)


def class_names(labelled: Entries, voted: Sequence[RawVotes], how: LabelsAs, notes: Notes) -> list[Any]:
    """Names of the classes, sorted: those that are declared, or the labels, or else the labels that rules vote for.

    Labels from files are texts. Labels from Python keep their type; votes from Python that are all whole numbers
    become numbers.

    Args:
        labelled: labelled entries.
        voted: votes of rules.
        how: how labels are read.
        notes: takes what is noticed.
    """
    in_values = isinstance(labelled.places, InValues)
    if how.classes and not in_values:
        missing = [name for name in how.classes if name not in set(labelled.labels)]
        if missing and len(labelled):
            are = "class has" if len(missing) == 1 else "classes have"
            notes.say(
                f"{labelled.at('label')}: {len(missing)} declared {are} no labelled row: {some(missing)}.",
                page="classes-without-labels",
            )
        return list(how.classes)
    if len(labelled):
        return np.unique(labelled.labels).tolist() if in_values else sorted({str(v) for v in labelled.labels})
    names = sorted({v for votes in voted for v in votes.labels()})
    notes.say(f"Classes, by the votes: {', '.join(names)}.")
    if in_values and all(v.isascii() and v.isdigit() and v == str(int(v)) for v in names):
        return sorted(int(v) for v in names)
    return names


def require_two(classes: Sequence[Any], place: str) -> None:
    """Check that there are at least two classes.

    Args:
        classes: names of the classes.
        place: place of the labels, for the message.

    Raises:
        DataError: there is one class, or none.
    """
    if len(classes) < 2:
        there = f"only one class, {quoted(classes[0])}" if len(classes) else "no class"
        raise DataError(f"{place}: {there}; two are needed")


def require_two_of_each(
    labelled: Entries, y: np.ndarray, classes: Sequence[Any], weak: bool, groups: Groups | None = None
) -> None:
    """Check that a label of each class can be held out.

    Args:
        labelled: labelled entries.
        y: their class numbers, (n,).
        classes: names of the classes.
        weak: whether there are votes, too.
        groups: which of them are copies, and which are held out together; None: each is by itself.

    Raises:
        DataError: classes have one label, but for its copies, or labels of one group alone; or, beside votes, the clean
            labels are all of one class.
    """
    counts, skip = np.bincount(y, minlength=len(classes)), labelled.places.skip
    few = np.flatnonzero(counts == 1)
    together = np.flatnonzero((counts > 1) & (_apart(y, groups, len(classes)) == 1)) if groups is not None else few[:0]
    if groups is not None and len(together) and not len(few):
        raise DataError(_of_one(labelled, y, classes, together, groups))
    if len(few):
        goes_on = (
            "" if isinstance(labelled.places, InValues) else "; or go on with --rare leave-out or --rare merge:NAME"
        )
        places = [(classes[k], int(np.flatnonzero(y == k)[0])) for k in few.tolist()]
        rows = 1 if groups is None else int(groups.times[places[0][1]])
        equal = f" (its {rows} rows are equal, and count once)" if rows > 1 else ""
        named = ", ".join(f"{quoted(name)} ({labelled.places.short(i)})" for name, i in places[:SHOWN])
        says = (
            f"{labelled.at('label', places[0][1])}: class {quoted(places[0][0])} has one label{equal}; label one more "
            "row of it"
            if len(few) == 1
            else f"{labelled.at('label')}: {len(few)} classes have one label each, {named}{_more(len(few))}; label one "
            "more row of each"
        )
        raise DataError(f"{says} (the evidence needs two), or {skip}{goes_on}")
    if weak and len(y) and (counts > 0).sum() < 2:
        raise DataError(
            f"{labelled.at('label')}: the clean labels are all of class {quoted(classes[int(counts.argmax())])}; label "
            f"rows of another, or {skip}"
        )


def _apart(y: np.ndarray, groups: Groups | None, classes: int) -> np.ndarray:
    """Number of labels of each class of which any two can be held out apart, (classes,)."""
    return np.bincount(y, minlength=classes) if groups is None else groups.clusters_of(y, classes)


def _of_one(labelled: Entries, y: np.ndarray, classes: Sequence[Any], together: np.ndarray, groups: Groups) -> str:
    """Sentence on classes whose labels are all held out together."""
    skip, first = labelled.places.skip, int(together[0])
    places = [labelled.places.short(i) for i in np.flatnonzero(y == first)[:SHOWN].tolist()]
    named = ", ".join(quoted(classes[k]) for k in together[:SHOWN].tolist())
    more = _more(len(together))
    if groups.called:
        return (
            f"{labelled.at('label')}: all labels of {named}{more} are of one {groups.called} ({', '.join(places)}), "
            f"and are held out together: label rows of a second one, or {skip}, or leave out the group"
        )
    return (
        f"{labelled.at('label')}: all labels of {named}{more} are of copies of one item ({', '.join(places)}), which "
        f"counts once: label one more row of each (the evidence needs two), or {skip}; where they are no copies, "
        f"{labelled.places.no_copies}"
    )


def codes(classes: Sequence[Any], test: Entries, notes: Notes, unseen: str | None = None) -> np.ndarray:
    """Class numbers of the labels of entries, (n,); -1 of labels that are none of the classes, where these may be.

    Args:
        classes: names of the classes, in the order of their numbers.
        test: labelled entries.
        notes: takes how many labels are none of the classes.
        unseen: "miss" where such labels may be; None: they are an error.

    Raises:
        DataError: labels are none of the classes; the message names all of them.
    """
    code = {c: i for i, c in enumerate(classes)}
    strange = Counter(label for label in test.labels if label not in code)
    if strange:
        first = next(i for i, label in enumerate(test.labels) if label not in code)
        named = ", ".join(f"{quoted(label)} {count:,}" for label, count in strange.most_common(SHOWN))
        says = (
            f"{test.places.at('row', first)}: label {quoted(test.labels[first])} was not among the training labels "
            f"{', '.join(brief(str(name)) for name in classes)}; unseen in this file: {named}{_more(len(strange))}, "
            f"{strange.total():,} of {len(test):,} rows"
        )
        if unseen != MISS:
            none = [label for label in strange if is_doubtful(str(label))]
            aside = f"; {as_option('unlabelled-as', none)} if that means no label" if none else ""
            of_files = f"{aside}; to count these rows as missed add --unseen miss, or take them out"
            raise DataError(says + of_files * (not isinstance(test.places, InValues)))
        notes.say(f"{says}; these rows count as missed.", page="classes-without-labels")
    return codes_if_known(classes, test.labels)


def codes_if_known(classes: Sequence[Any], labels: Sequence[Any]) -> np.ndarray:
    """Class numbers of labels, (n,); -1 where a label is missing or none of the classes."""
    code = {c: i for i, c in enumerate(classes)}
    return np.array([code.get(label, -1) for label in labels], dtype=np.int64)
