"""Labels that may mean that there is none, or the same as another one: what is asked about them."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from tutelage.tables.cells import quoted
from tutelage.tables.label_cells import UNSEEN_CHARACTERS
from tutelage.tables.lookalikes import escaped, seems
from tutelage.tables.name_lists import as_option
from tutelage.tables.none_words import DOUBTFUL, FOREIGN, NO_LABEL, NUMBER, is_odd_beside
from tutelage.tables.notes import Notes
from tutelage.tables.spelling import folded

SIGNS = re.compile(r"[\s_\-()\[\]<>{}*]+")
"""Pattern of blanks, brackets and other signs, which do not matter around words that mean none."""

TOKEN = re.compile(r"[^\W\d_]+|\d+|[^\w\s.,:;/()\[\]!?'\"-]|-$|(?:^|(?<=[\s(]))-(?=\d)")
"""Pattern of the words, numbers and signs that tell labels apart; dots, dashes and brackets do not, a minus does."""

SHOWN = 10
"""Number of labels that a question lists at most."""

GROUPS = 3
"""Number of groups of labels that differ by signs alone, of which a question lists the labels, at most."""


@dataclass(frozen=True)
class Counted:
    """Labels as they are written, with their counts.

    Attributes:
        counts: number of times that each label is there.
        total: number of cells, those without a label included.
        at: function that names the first place of a label.
        things: word for the cells.
    """

    counts: Mapping[str, int]
    total: int
    at: Callable[[str], str]
    things: str = "rows"

    def so_many(self, label: str) -> str:
        """Words that say how many of the cells have a label."""
        count = self.counts[label]
        return f"{count:,} of {self.total:,} {self.things} {'has' if count == 1 else 'have'}"


def means_none(label: str) -> bool:
    r"""Whether a label is one of the words that are taken to mean that there is none.

    >>> means_none("NaN"), means_none("nan\u200b"), means_none("\u200b"), means_none("none")
    (True, True, True, False)
    """
    word = word_of(label)
    return not word or word in NO_LABEL


def is_doubtful(label: str) -> bool:
    """Whether a label is one of the words that may mean that there is none, or one in brackets or with other signs.

    >>> is_doubtful("None"), is_doubtful("food"), is_doubtful("(blank)"), is_doubtful("No-Label")
    (True, False, True, True)
    """
    bare = " ".join(SIGNS.split(word_of(label))).strip(" 0123456789")
    return not {word_of(label), bare}.isdisjoint(DOUBTFUL | FOREIGN) or bare in NO_LABEL


def word_of(label: str) -> str:
    """A label in lower case, without characters that cannot be seen."""
    return label.translate(UNSEEN_CHARACTERS).strip().casefold()


def ask_of_doubtful(labels: Counted, kept: Mapping[str, int], known: Sequence[str], notes: Notes) -> None:
    """Ask about all labels together that may mean that there is none.

    Args:
        labels: all labels.
        kept: labels that are taken for classes, with their counts.
        known: labels that the user says mean none, which the option that is named has, too.
        notes: takes the question.
    """
    odd = [label for label in kept if means_none(label) or is_doubtful(label) or is_odd_beside(label, kept)]
    if not odd:
        return
    first = f"(first: {labels.at(odd[0])})"
    if len(odd) == 1:
        asks = f"{labels.so_many(odd[0])} the label {quoted(odd[0])} {first}, which is taken for a class"
    else:
        each = ", ".join(f"{quoted(label)} {kept[label]:,}" for label in odd[:SHOWN])
        more = f" and {len(odd) - SHOWN} more" if len(odd) > SHOWN else ""
        count = sum(kept[label] for label in odd)
        asks = (
            f"{count:,} of {labels.total:,} {labels.things} have the labels {each}{more} {first}, which are taken for "
            "classes"
        )
    they = "it means" if len(odd) == 1 else "they mean"
    notes.ask(
        asks, f"{as_option('unlabelled-as', [*known, *odd])} if {they} that there is no label", page="label-or-none"
    )


def ask_of_signs(labels: Counted, kept: Mapping[str, int], spelling: str, notes: Notes) -> None:
    """Ask whether labels that differ by dots, dashes, blanks or leading zeros alone are one class.

    Args:
        labels: all labels.
        kept: labels that are taken for classes, with their counts.
        spelling: "fold" or "as-is", which asks nothing.
        notes: takes the questions.
    """
    alike: dict[tuple[str, ...], dict[str, str]] = {}
    for label in kept if spelling == "fold" else ():
        if not is_doubtful(label) and (key := without_signs(label)):
            alike.setdefault(key, {}).setdefault(folded(label), label)
    found = [
        sorted(several.values(), key=lambda label: (-kept[label], label))
        for several in alike.values()
        if len(several) > 1
    ]
    if not found:
        return
    each = ", and ".join(", ".join(f"{quoted(label)} {kept[label]:,}" for label in some) for some in found[:GROUPS])
    more = f", and {len(found) - GROUPS} more such groups" if len(found) > GROUPS else ""
    best, other, *_ = found[0]
    notes.ask(
        f"the labels {each}{more} differ by signs, blanks or leading zeros alone (first: {labels.at(other)}), and each "
        "is taken for a class of its own",
        f"write {quoted(best)} in all these rows, if they are one class"
        if len(found) == 1
        else f"write one of each group, such as {quoted(best)}, in all its rows, if they are one class",
        "--spelling as-is, if they are not",
        page="spellings",
    )


def without_signs(label: str) -> tuple[str, ...]:
    """Words, numbers and signs of a label that tell it from others; empty of a label that is too short.

    >>> without_signs("1 - food") == without_signs("1. Food"), without_signs("01") == without_signs("1")
    (True, True)
    >>> without_signs("C++"), without_signs("1.1") == without_signs("11"), without_signs("-1")
    ((), False, ())
    >>> without_signs("1.0") == without_signs("1"), without_signs("1.1") == without_signs("1.10")
    (True, False)
    """
    if NUMBER.fullmatch(label):
        whole, _, rest = label.partition(".")
        number = f"{whole.lstrip('0') or '0'}{'.' + rest if rest.strip('0') else ''}"
        return (number,) if label[0] not in "+-" else ()
    found = tuple(part.lstrip("0") or "0" if part.isdigit() else part.casefold() for part in TOKEN.findall(label))
    return found if sum(len(part) for part in found if part.isalnum()) > 1 else ()


def ask_of_lookalikes(labels: Counted, kept: Mapping[str, int], notes: Notes) -> None:
    """Ask whether labels that look alike, of letters of several scripts, are one class."""
    foreign = [label for label in kept if seems(label) != label]
    plain = {folded(label): label for label in kept if seems(label) == label} if foreign else {}
    for label in foreign:
        if (like := plain.get(folded(seems(label)))) is not None:
            notes.ask(
                f"{labels.so_many(label)} the label {quoted(label)} (first: {labels.at(label)}), of letters that look "
                f"like Latin ones, '{escaped(label)}'; it looks like {quoted(like)}, and is taken for another class",
                f"write {quoted(like)} in these rows, if they are of that class",
                f"{as_option('unlabelled-as', [label])} so that they have no label",
                page="spellings",
            )
