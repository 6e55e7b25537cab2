"""What looks odd of votes: columns that hold none, rules that say the same of every row, zeros that may be silence."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from tutelage.kinds.odd_labels import AMOUNT
from tutelage.tables import Notes
from tutelage.tables.cells import quoted
from tutelage.weak import RawVotes

FEW_LABELS = 10
"""Number of different labels of a rule, up to which nothing is asked."""

ALONE = 0.5
"""Share of the rows with votes above zero in which one rule gives one alone, from which on zeros may be silence."""


def ask_of_votes(votes: RawVotes, notes: Notes) -> None:
    """Say which rules vote for the same on every row, and ask whether columns hold votes, and zeros are votes.

    Args:
        votes: the votes.
        notes: takes what is noticed.
    """
    ask_of_stray(votes, notes)
    for j, name in enumerate(votes.names):
        column = votes.table[:, j]
        if len(column) > 1 and column[0] >= 0 and (column == column[0]).all():
            notes.say(
                f"Rule {name!r} votes for {quoted(votes.found[column[0]])} on every row: it tells nothing.",
                page="votes",
            )


def look_at_numbers(votes: RawVotes | None, classes: Sequence[str], notes: Notes) -> None:
    """Say which declared class each number among the votes is, and ask whether zeros are votes.

    Args:
        votes: votes as they are written; None where there are none.
        classes: names of the classes in the order of their numbers; empty where none are declared.
        notes: takes what is noticed.
    """
    if votes is None:
        return
    found = set(votes.found).difference(classes)
    named = [f"{number} {quoted(name)}" for number, name in enumerate(classes) if str(number) in found]
    if named:
        notes.say(f"{votes.file}: votes that are numbers are classes, in their order: {', '.join(named)}.")
    if "0" in votes.found and _zeros_are_silent(votes):
        zeros = (votes.table == votes.found.index("0")).sum()
        notes.ask(
            f"{votes.file}: no rule ever abstains, {zeros:,} of {votes.table.size:,} votes are 0, and others mostly "
            "stand alone in their row, as where 0 means that a rule says nothing; each 0 is taken for a vote",
            "-1, or an empty cell, in place of each such 0",
            page="votes",
        )


def _zeros_are_silent(votes: RawVotes) -> bool:
    """Whether no rule abstains, most votes of each are zero, and other votes mostly stand alone in their row."""
    others = votes.table != votes.found.index("0")
    rows = others.sum(axis=1)
    most_zero = bool((others.mean(axis=0) < ALONE).all())
    return (
        most_zero
        and len(votes.names) > 1
        and not (votes.table < 0).any()
        and (rows == 1).sum() > ALONE * (rows > 0).sum()
    )


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
                page="votes",
            )
