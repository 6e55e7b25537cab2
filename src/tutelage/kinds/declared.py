"""Classes that the user declares, against those that teachers, votes and descriptions know."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from tutelage.kinds.entries import Entries, InFolder, InValues
from tutelage.tables import DataError, Notes, as_label
from tutelage.tables.cells import quoted
from tutelage.tables.doubtful import is_doubtful, means_none, without_signs
from tutelage.tables.label_cells import some
from tutelage.tables.labels import LabelsAs, Spelled
from tutelage.tables.name_lists import as_option, classes_option
from tutelage.weak import SaidLabels

SENTENCE = 4
"""Words from which on a teacher's label is rather an answer that refuses than the name of a class."""


def fault_teachers(sources: Iterable[Entries], classes: Sequence[str], notes: Notes) -> None:
    """Fault the teachers that know classes which are none of the declared ones.

    Where none are declared, a question halts if a teacher knows none of the labels' classes.

    Args:
        sources: entries of which teachers speak, those that are learnt from first.
        classes: names of the declared classes; empty where nothing is declared.
        notes: takes the faults.
    """
    sources = list(sources)
    if not classes:
        _ask_of_strangers(sources, notes)
    declared = frozenset(classes)
    for source, each in ((part, each) for part in sources for each in part.said if classes):
        strange = [name for label in each.labels() if (name := str(as_label(label))) not in declared]
        if strange:
            rows = np.flatnonzero(each.guesses() == strange[0])
            first = f" (first: {source.places.short(int(rows[0]))})" if len(rows) else ""
            which = "which is" if len(strange) == 1 else "which are"
            notes.fault(
                f"{source.places.source}: teacher {each.name!r} knows {some(strange)}{first}, {which} none of the "
                f"classes {some(list(classes))}"
            )


def _ask_of_strangers(sources: Sequence[Entries], notes: Notes) -> None:
    """Ask what the classes of teachers are that know none of the labels', such as numbers beside names."""
    labels = sorted({str(as_label(label)) for source in sources[:1] for label in source.labels if label is not None})
    for each in sources[0].said if len(labels) > 1 else ():
        own = [str(as_label(label)) for label in each.labels()]
        numbers = set(own) <= set(map(str, range(len(labels))))
        if not own or set(own) & set(labels) or not (numbers or isinstance(each, SaidLabels)):
            continue  # of other columns the first class that has none is named
        classes, means = (labels, "the names in the order of its numbers, from 0")
        if not numbers:
            classes, means = sorted({*labels, *own}), "all are classes"
        notes.ask(
            f"{sources[0].places.source}: teacher {each.name!r} knows {some(own)}, and none of the labels "
            f"{some(labels)}",
            f"{as_option('classes', classes)} ({means})",
            *([] if numbers else ["the names of the labels in the teacher's column"]),
            halts=True,
            page="teacher-names",
        )


def require_described(described: Iterable[str], classes: Sequence[Any], place: str) -> None:
    """Check that what is described are classes.

    Args:
        described: names that are described.
        classes: names of the declared classes.
        place: file of the labels, for the message.

    Raises:
        DataError: a name is none of the classes.
    """
    declared = frozenset(classes)
    strange = [name for name in described if name not in declared]
    if strange:
        are = "is described, but is" if len(strange) == 1 else "are described, but are"
        raise DataError(f"{place}: {some(strange)} {are} none of the classes {some(list(classes))}")


def say_of_nowhere(sources: Sequence[Entries | None], how: LabelsAs, notes: Notes) -> None:
    """Say which labels, that are to mean that there is none, are nowhere in the files.

    Args:
        sources: entries of each source; None where there is none.
        how: how labels are read.
        notes: takes what is said.
    """
    there = [source for source in sources if source is not None]
    if any(isinstance(source.places, InFolder) for source in there):
        return  # folders of that name have no label by now
    labels = {label for source in there for label in source.labels if label is not None}
    labels.update(label for source in there if source.votes is not None for label in source.votes.found)
    labels.update(str(as_label(label)) for source in there for said in source.said for label in said.labels())
    for name in how.unlabelled_as:
        if how.key(name) not in set(map(how.key, labels)):
            notes.say(
                f"--unlabelled-as {quoted(name)}: no label of {there[0].places.source} is that, in any spelling.",
                page="label-or-none",
            )


def weak_named(source: Entries, spelled: Spelled) -> Entries:
    """Entries whose votes, and what teachers said, are of the names of the classes.

    Args:
        source: the entries.
        spelled: how the labels are spelled.
    """
    numbered = {str(number): name for number, name in enumerate(spelled.how.classes)}

    def name(label: str) -> str | None:
        none = means_none(label) or spelled.how.none_by(label) is not None
        if none and spelled.how.key(label) not in spelled.names:
            return None
        number = label.lstrip("0") or "0"
        return numbered[number] if label and label not in spelled.how.classes and number in numbered else spelled(label)

    votes = None if source.votes is None else source.votes.renamed(name)
    return replace(source, votes=votes, said=tuple(each.renamed(name) for each in source.said))


def ask_of_answers(told: Sequence[str], known: Collection[str], labelled: Entries, notes: Notes) -> None:
    """Ask about labels of a teacher that no row has, where they look like refusals or like other spellings.

    Args:
        told: labels that the teacher alone has.
        known: labels of the rows.
        labelled: labelled entries; nothing is asked about Python values.
        notes: takes the question.
    """
    like = {without_signs(name) for name in known} - {()}
    odd = [name for name in told if is_doubtful(name) or len(name.split()) >= SENTENCE or without_signs(name) in like]
    if odd and known and not isinstance(labelled.places, InValues):
        taken = "is taken for a class" if len(odd) == 1 else "are taken for classes"
        notes.ask(
            f"{labelled.places.source}: the teacher says {some(odd)}, which no row has for a label, and which {taken}",
            f"{as_option('unlabelled-as', odd)} if the teacher is silent there",
            f"{classes_option({*known, *told})} if each is a class",
            page="teacher-names",
        )
