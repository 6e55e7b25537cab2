"""Weak labels from rules and from teachers: what they said, added up over the pool, and the sentences about it."""

from __future__ import annotations

import difflib
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from tutelage.data.marks import learnt
from tutelage.files import read_json
from tutelage.files.described import Asked
from tutelage.fit.build import Items
from tutelage.kinds.declared import ask_of_answers
from tutelage.kinds.entries import Entries, InValues
from tutelage.kinds.odd_labels import no_votes
from tutelage.model import load
from tutelage.ops.said import warn
from tutelage.tables import DataError, Notes, as_label
from tutelage.tasks import Classification
from tutelage.weak import (
    BY_FEATURES,
    DEFAULT,
    RawVotes,
    Said,
    SaidTable,
    Source,
    Voted,
    Votes,
    combine,
    labels_of_votes,
)

FEW = 0.01
"""Share of the unlabelled items, at most, that a teacher speaks of where this is pointed out."""

SUSPECT = 10
"""Labels from which on a teacher that is right on each of them may have learnt them."""

MISSPELT = 0.75
"""Likeness of a class that only a teacher knows to one with labels, from which on it is pointed out (`difflib`)."""

COMPARED = 100_000
"""Pairs of names, at most, that are compared for one that is misspelt: that takes some seconds."""

RULES = "rules"
"""Name of the rules together, as one source."""


def declared(parts: Sequence[Entries], described: Mapping[str, Sequence[str]] | None) -> list[Any]:
    """Classes that teachers and descriptions know, each once, in the order in which they are found."""
    found = [label for part in parts for said in part.said for label in said.labels()] + list(described or ())
    return list({str(as_label(label)): label for label in reversed(found)}.values())[::-1]


def with_declared(labelled: Entries, voted: Sequence[RawVotes], declared: Sequence[Any], notes: Notes) -> list[Any]:
    """Names of the classes, sorted, where teachers or descriptions declare some; new ones are said.

    Args:
        labelled: labelled entries.
        voted: votes of rules, whose labels are classes, too, where nothing is labelled.
        declared: classes that teachers and descriptions know.
        notes: takes what is noticed.

    Raises:
        DataError: labels from Python are no texts, and a declared class is none of them.
    """
    known = list(dict.fromkeys(labelled.labels))
    names = {str(as_label(label)) for label in known}
    told = {str(as_label(label)): label for label in declared if str(as_label(label)) not in names}
    voted_for = {vote: vote for votes in voted for vote in votes.labels() if vote not in names and not known}
    told = voted_for | told
    if told:
        by = "by the teacher alone" if known else "by the teacher"
        notes.say(f"Classes, {by}: {', '.join(sorted(told))}.")
        ask_of_answers(sorted(told), names, labelled, notes)
        for name in sorted(told) if len(told) * len(names) <= COMPARED else ():
            if near := difflib.get_close_matches(name, names, 1, MISSPELT):
                notes.say(
                    f"Is {name!r} a misspelt {near[0]!r}? No row has the label {name!r}, so nothing can measure it."
                )
    whole = all(isinstance(label, (int, np.integer)) and not isinstance(label, bool) for label in known)
    if isinstance(labelled.places, InValues) and whole and all(v.isascii() and v.isdigit() for v in told):
        return sorted([int(label) for label in known] + [int(v) for v in told])
    if isinstance(labelled.places, InValues) and known and not all(isinstance(label, str) for label in known):
        if told:
            raise DataError(f"the teacher's classes {', '.join(sorted(told))} are none of y, {sorted(names)}")
        return sorted(known)
    return sorted([*names, *told])


def with_weak_labels(
    items: Items, classes: Sequence[Any], labelled: Entries, pool: Sequence[Entries], label_model: str | None,
    described: Mapping[str, Sequence[str]] | None, notes: Notes,
) -> tuple[Items, dict[str, Any]]:  # fmt: skip
    """The items with weak labels from votes, teachers and descriptions, and statistics of these for the summary.

    Rules alone give the label model's probabilities, as they are. Where a teacher spoke, too, all of them are added up
    by `tutelage.weak.combine`. Descriptions become a source when the items are encoded.

    Args:
        items: the items, without weak labels.
        classes: names of the classes.
        labelled: entries of the labelled items.
        pool: entries of the pool's items, by source.
        label_model: name of the label model of votes; None is the default one.
        described: sentences that describe each class; None where none is described.
        notes: takes what is noticed.

    Raises:
        DataError: nobody says anything of an unlabelled item, or a teacher does not know a class.
    """
    parts, count = (labelled, *pool), len(items.y)
    votes = _votes_in(parts, classes)
    said = {each.name: True for part in parts for each in part.said}
    tables = [_said_in(parts, name, classes) for name in said]
    about: dict[str, Any] = {}
    sources: list[Source | Voted] = []
    probabilities = None
    if votes is not None:
        sources.append(Voted(RULES, votes, label_model or DEFAULT))
        probabilities, about = _of_votes(votes, items, labelled, label_model, notes, alone=not tables and not described)
    if tables:
        sources += tables
        for each in labelled.said:
            warn_of_labels(each, items.y, classes)
        probabilities, of_teachers = _of_teachers(sources, tables, items, labelled, described is not None, notes)
        about |= of_teachers
    if described is not None:
        about["described"] = {name: list(sentences) for name, sentences in described.items()}
        items = replace(items, described=described_in_order(described, classes, labelled.places.source))
    items = replace(items, sources=tuple(sources))
    about |= {"rows": len(items.pool), "covered": len(items.pool), "clean_labels": count}
    if probabilities is None:
        return items, about
    covered = np.flatnonzero(np.any([source.covered for source in sources], axis=0)[count:])
    if not described:
        about["covered"] = len(covered)
    return replace(items, covered=covered, target=probabilities[count:][covered]), about


def _votes_in(parts: Sequence[Entries], classes: Sequence[Any]) -> Votes | None:
    """Votes of the rules on all entries; None where there are none."""
    voted = [part.votes for part in parts if part.votes is not None]
    if not voted:
        return None
    rules, source = voted[0].names, parts[0].places.source
    for part in parts:
        if part.votes is not None and part.votes.names != rules:
            raise DataError(f"{part.places.source}: the rules are {part.votes.names}, but in {source} {rules}")
    names = [str(as_label(c)) for c in classes]
    tables = [part.votes.code(names).table if part.votes else np.full((len(part), len(rules)), -1) for part in parts]
    return Votes(np.concatenate(tables), rules, names)


def _of_votes(
    votes: Votes, items: Items, labelled: Entries, label_model: str | None, notes: Notes, alone: bool
) -> tuple[np.ndarray, dict[str, Any]]:
    """Probabilities by the label model, with NaN where no rule votes unless the rules are alone; and statistics."""
    if not votes.covered.any():
        raise DataError(no_votes(labelled))
    clean = np.append(items.y, np.full(len(items.pool), -1))
    probabilities, about = labels_of_votes(votes, clean, label_model)
    covered = int(votes.covered[len(items.y) :].sum())
    if not covered and alone:
        raise DataError(
            f"{labelled.at('votes')}: no rule votes on an unlabelled row; every row that is voted on has a clean "
            "label already"
        )
    for name in about["silent"]:
        notes.say(f"Rule {name!r} votes on no row.", page="votes")
    notes.say(
        f"Rules: {len(votes.names)}, which vote on {covered} of {len(items.pool)} unlabelled rows; "
        f"labels by {about['label_model']}{', of features' if about['label_model'] in BY_FEATURES else ''}."
    )
    return probabilities, about


def _said_in(parts: Sequence[Entries], name: str, classes: Sequence[Any]) -> Source:
    """What a teacher said of all entries."""
    found = []
    for part in parts:
        own: list[Said] = [each for each in part.said if each.name == name]
        found.append(own[0].source(classes) if own else Source(name, np.full((len(part), len(classes)), np.nan)))
    seen = [np.zeros(len(each), dtype=bool) if each.learnt is None else each.learnt for each in found]
    return Source(name, np.concatenate([each.table for each in found]), np.concatenate(seen))


def _of_teachers(
    sources: Sequence[Source | Voted],
    tables: Sequence[Source],
    items: Items,
    labelled: Entries,
    others: bool,
    notes: Notes,
) -> tuple[np.ndarray, dict[str, Any]]:
    """Probabilities by all sources, of which ``tables`` are the teachers', NaN where all are silent; and statistics."""
    for table in tables:
        _say_of(table, items, labelled, others, notes)
    combined = combine(sources, np.append(items.y, np.full(len(items.pool), -1)), held_out=False)
    calibration = combined.summary["calibration"]
    if len(sources) > 1:
        named = ", ".join(source.name for source in sources)
        notes.say(f"Added up in one label model: {named}; calibration: {calibration}.")
    return combined.probabilities, {"teachers": combined.summary["sources"], "calibration": calibration}


def _say_of(table: Source, items: Items, labelled: Entries, others: bool, notes: Notes) -> None:
    """Say how much a teacher says, and how often it is right.

    Args:
        table: what it said of the labelled items, then of the pool's.
        items: the items.
        labelled: entries of the labelled items, for messages.
        others: whether descriptions speak of the pool in any case.
    """
    count, pool, name = len(items.y), len(items.pool), table.name
    spoken = int(table.covered[count:].sum())
    if not table.covered.any():
        raise DataError(f"{labelled.places.source}: teacher {name!r} is silent on every row")
    if not spoken and not others:
        raise DataError(
            f"{labelled.places.source}: teacher {name!r} speaks of no unlabelled row; every row that it speaks of has "
            "a label already"
        )
    known = np.flatnonzero(table.covered[:count])
    right = int((table.table[known].argmax(1) == items.y[known]).sum())
    checked = f"; right on {right} of {len(known)} labels" if len(known) else ""
    notes.say(f"Teacher {name}: speaks of {spoken:,} of {pool:,} unlabelled rows{checked}.")
    if spoken <= FEW * pool:
        notes.say(
            f"Teacher {name} is silent on {pool - spoken:,} of {pool:,} unlabelled rows: it can teach little.",
            page="teacher-says-little",
        )
    spoke = table.table[table.covered]
    if len(spoke) > 1 and not np.ptp(spoke, axis=0).any():
        notes.say(f"Teacher {name} says the same of every row: it tells nothing.", page="teacher-says-little")
    elif len(spoke) > 1 and len(np.unique(spoke.argmax(1))) == 1:
        notes.say(f"Teacher {name} finds the same class likeliest in every row.", page="teacher-says-little")


def warn_of_labels(said: Said, y: np.ndarray, classes: Sequence[Any]) -> None:
    """Warn of a teacher that is right on each labelled item.

    Args:
        said: what the teacher said of n items.
        y: class numbers of the items, (n,); -1 is unknown.
        classes: names of the classes.
    """
    names = np.array([str(as_label(c)) for c in classes], dtype=object)
    known = np.flatnonzero(said.covered & (y >= 0))
    if len(known) >= SUSPECT and (said.guesses()[known] == names[y[known]]).all():
        warn(
            f"teacher {said.name!r} is right on each of the {len(known)} labels that it speaks of: is it the labels "
            "themselves, or did it learn them? Then its accuracy flatters, and so does all evidence for it",
            stacklevel=2,
            page="teacher-too-good",
        )


def described_in_order(
    described: Mapping[str, Sequence[str]], classes: Sequence[Any], place: str
) -> list[Sequence[str]]:
    """Sentences on each class, in the order of the classes.

    Args:
        described: sentences on each class, by its name.
        classes: names of the classes.
        place: file or argument of the labels, for messages.

    Raises:
        DataError: a class is not described; the message names the nearest that is.
    """
    found: list[Sequence[str]] = []
    for name in (str(as_label(c)) for c in classes):
        if name not in described:
            near = difflib.get_close_matches(name, list(described), 1, 0.0)[0]
            raise DataError(f"{place}: nobody described class {name!r}; the nearest is {near!r}")
        found.append(tuple(described[name]))
    return found


def classes_of(labels: Sequence[Any], declared: Sequence[Any]) -> list[str]:
    """Names of the classes of labels, None of which is unlabelled, and of those that teachers declare, sorted.

    >>> classes_of(["spam", None], ["ham", "spam"])
    ['ham', 'spam']
    """
    return sorted({str(as_label(label)) for label in (*labels, *declared) if label is not None})


def said_by_run(folder: Path, kind: str, items: Any, notes: Notes) -> SaidTable:
    """Probabilities by the model of a finished run.

    Args:
        folder: folder of the run, or of a saved model.
        kind: name of the kind of the items.
        items: n items, as the model's reader takes them.
        notes: takes what is noticed.

    Raises:
        FileNotFoundError: the folder holds no model.
        BadFileError: the model is damaged.
        DataError: the model was fitted on another kind of data.
    """
    if (folder / "run.json").exists():
        asked = read_json(folder / "run.json", Asked)
        if asked.get("kind", kind) != kind:
            raise DataError(f"{folder}: the run was fitted on {asked['kind']}, and cannot label {kind}")
    model = load(folder)
    if model.task.name != Classification.name:
        raise DataError(f"{folder}: the model gives no class to each of the {kind}; its task is {model.task.name}")
    notes.say(f"Labelling {len(items):,} {kind} by the model in {folder}.")
    seen = learnt(items, model.learnt)
    said = model.probabilities(items)
    said[model.unread(items)] = np.nan  # silent
    return SaidTable(folder.name, str(folder), list(model.classes), said, learnt=seen)
