"""Labels of a data set: which words mean that there is none, and which are one class in several spellings.

The rules are the same for tables, folders, votes and Python values.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Self

from tutelage.data.errors import DataError
from tutelage.data.nearest import SHORT, nearest
from tutelage.tables.cells import quoted
from tutelage.tables.doubtful import (
    Counted,
    ask_of_doubtful,
    ask_of_lookalikes,
    ask_of_signs,
    is_doubtful,
    means_none,
    word_of,
)
from tutelage.tables.label_cells import UNSEEN_CHARACTERS, some
from tutelage.tables.name_lists import as_option, classes_option
from tutelage.tables.none_words import NUMBER
from tutelage.tables.notes import Notes
from tutelage.tables.spelling import folded, hidden, unquoted

STRAYS = {code: None for code in UNSEEN_CHARACTERS if chr(code) not in "\u200c\u200d\ufe0e\ufe0f"}
"""Characters that cannot be seen, but for those that join or part the letters of some scripts, or belong to emojis."""

MINUS_ONE = "-1"
"""Label that means none where the other labels are names, or three class numbers or more; else a question asks."""


@dataclass(frozen=True, kw_only=True)
class LabelsAs:
    """How labels are read, as far as the user says it.

    Args:
        classes: names of the classes; other labels are then faults. Empty: the labels are the classes.
        unlabelled_as: labels that mean that there is no label.
        spelling: "fold" takes labels for one class that differ by case, blanks or unseen characters alone; "as-is"
            takes each for a class of its own.

    Raises:
        DataError: a class is named twice, or alone; a label is both a class and none; or the spelling is unknown.
    """

    classes: tuple[str, ...] = ()
    unlabelled_as: tuple[str, ...] = ()
    spelling: str = "fold"

    def __post_init__(self) -> None:
        if self.spelling not in ("fold", "as-is"):
            raise DataError(f"spelling must be fold or as-is, got {self.spelling!r}")
        if len(set(self.classes)) < len(self.classes):
            twice = next(name for i, name in enumerate(self.classes) if name in self.classes[:i])
            raise DataError(f"class {twice!r} is named twice among the classes")
        if len(self.classes) == 1:
            raise DataError(f"two classes or more must be named, separated by commas, got {self.classes[0]!r} alone")
        none = set(map(self.key, self.unlabelled_as))
        if both := [name for name in self.classes if self.key(name) in none]:
            raise DataError(f"{both[0]!r} cannot be a class and mean that there is no label")

    def key(self, label: str) -> str:
        """Key that the spellings of one class share."""
        return folded(label) if self.spelling == "fold" else label

    def none_by(self, label: str) -> str | None:
        """Name among ``unlabelled_as`` that a label is, perhaps in another spelling; None where it is none of them."""
        key = self.key(label)
        return next((name for name in self.unlabelled_as if self.key(name) == key), None)


def words_for_none(labels: Iterable[str]) -> list[str]:
    """Those of some labels, each once, that mean that there is no label.

    Signs such as - and ? are labels like others where another sign, such as + or !, is one.

    >>> words_for_none(["food", "nan", "-"]), words_for_none(["+", "nan", "-"])
    (['nan', '-'], ['nan'])
    """
    each = list(dict.fromkeys(labels))
    words = [label for label in each if means_none(label)]
    signs = any(_is_sign(label) for label in each if label not in words)
    return [label for label in words if not (signs and _is_sign(label))]


def _is_sign(label: str) -> bool:
    return bool(word_of(label)) and not any(c.isalnum() or c in "[](){}<>" for c in label)


@dataclass(frozen=True)
class Spelled:
    """How labels of a data set are spelled: what each label as it is written stands for.

    Attributes:
        how: how labels are read.
        names: name of the class by its key, see `LabelsAs.key`.
        none: labels, as they are written, that mean that there is none.
    """

    how: LabelsAs
    names: Mapping[str, str] = field(default_factory=dict)
    none: frozenset[str] = frozenset()

    @classmethod
    def of(cls, labels: Sequence[str | None], how: LabelsAs, notes: Notes, at: Callable[[int], str]) -> Self:
        """How labels are spelled; what was decided, and what looks odd, is noted.

        Args:
            labels: labels as they are written, (n,); None where a cell has none.
            how: how labels are read.
            notes: takes sentences and questions.
            at: function that names the place of the i-th label.
        """
        counts = Counter(label for label in labels if label is not None)
        first = {label: i for i, label in reversed(list(enumerate(labels))) if label is not None}
        return cls.counted(Counted(counts, len(labels), lambda label: at(first[label])), how, notes)

    @classmethod
    def counted(cls, counted: Counted, how: LabelsAs, notes: Notes) -> Self:
        """The same, of labels that are counted."""
        none = frozenset(_none(counted, how, notes))
        counts = {label: count for label, count in counted.counts.items() if label not in none}
        return cls(how, _names(counts, how, notes), none)

    def __call__(self, label: str | None) -> str | None:
        """Name of the class that a label stands for; the label itself where it is no known class."""
        if label is None or label in self.none:
            return None
        return self.names.get(self.how.key(label), label)

    def known(self, label: str | None) -> bool:
        """Whether a label is none, or a class that may be."""
        return label is None or not self.how.classes or label in self.how.classes


def _none(labels: Counted, how: LabelsAs, notes: Notes) -> list[str]:
    """Labels that mean that there is none."""
    declared = {how.key(name) for name in how.classes}
    by = {label: name for label in labels.counts if (name := how.none_by(label)) is not None}
    free = [label for label in labels.counts if label not in by and how.key(label) not in declared]
    for label, name in by.items():
        spelt = (
            "--unlabelled-as says" if label == name else f"{quoted(name)} is (--spelling as-is takes it for a class)"
        )
        notes.say(f"{labels.so_many(label)} {quoted(label)} for a label: no label, as {spelt}.")
    words = words_for_none(free)
    if MINUS_ONE in free and _minus_one_means_none(labels, how, notes):
        words.append(MINUS_ONE)
    for label in words:
        option = (
            classes_option({label, *(how.classes or {*free}.difference(words))}) if label[0] == "-" else "--classes"
        )
        notes.say(
            f"{labels.so_many(label)} {quoted(label)} for a label: taken as no label ({option} makes it one).",
            page="label-or-none",
        )
    kept = {label: labels.counts[label] for label in free if label not in words}
    if not how.classes:
        ask_of_doubtful(labels, kept, how.unlabelled_as, notes)
        ask_of_signs(labels, kept, how.spelling, notes)
    ask_of_lookalikes(labels, kept, notes)
    return [*by, *words]


def _minus_one_means_none(labels: Counted, how: LabelsAs, notes: Notes) -> bool:
    """Whether -1 means no label.

    Beside 0 and 1, or 1 alone, it may be a class: then a question halts. Beside another negative number it is one.
    Words that may mean none, too, tell nothing of it.
    """
    others = {
        label for label in labels.counts
        if label != MINUS_ONE and not (means_none(label) or is_doubtful(label) or how.none_by(label))
    }  # fmt: skip
    if not how.classes and any(NUMBER.fullmatch(label) and -9 < float(label) < 0 for label in others):
        return False
    if how.classes or not others or not others <= {"0", "1"} or others == {"0"}:
        return True
    notes.ask(
        f"{labels.so_many(MINUS_ONE)} the label '-1' (first: {labels.at(MINUS_ONE)}), beside "
        f"{' and '.join(sorted(map(repr, others)))}; it may mean no label, or be a class",
        as_option("unlabelled-as", [MINUS_ONE]), as_option("classes", sorted({MINUS_ONE, *others})), halts=True,
        page="label-or-none",
    )  # fmt: skip
    return False


def _names(counts: Mapping[str, int], how: LabelsAs, notes: Notes) -> dict[str, str]:
    """Name of each class by its key: the declared one, or its commonest spelling, without hidden characters if any is.

    Only declared classes have a name where some are declared.
    """
    spellings: dict[str, list[str]] = {how.key(name): [name] for name in how.classes}
    for label in sorted(counts, key=lambda label: _rank(label, counts)):
        if label not in how.classes and (not how.classes or how.key(label) in spellings):
            spellings.setdefault(how.key(label), []).append(label)
    for several in spellings.values():
        if len(several) > 1:
            each = ", ".join(f"{_visible(label)} {counts.get(label, 0):,}" for label in several)
            notes.say(
                f"One class in several spellings: {each}; all are {several[0]!r} (--spelling as-is keeps them).",
                page="spellings",
            )
    return {key: _without_strays(several[0], how, notes) for key, several in spellings.items()}


def _without_strays(name: str, how: LabelsAs, notes: Notes) -> str:
    """Name of a class without characters that cannot be seen and join no letters, which is said."""
    plain = name.translate(STRAYS).strip()
    if how.spelling != "fold" or name in how.classes or plain in (name, ""):
        return name
    notes.say(
        f"The class {name!a} holds characters that cannot be seen, and is read as {plain!r} (--spelling as-is "
        "keeps them).",
        page="spellings",
    )
    return plain


def _rank(label: str, counts: Mapping[str, int]) -> tuple[Any, ...]:
    """Key that sorts the spellings of a class, the best name first."""
    return hidden(label), label != unquoted(label), -counts[label], label != label.casefold(), label


def _visible(label: str) -> str:
    """A label in quotes, in which characters that cannot be seen are written as escapes."""
    return (
        repr(label)
        if label.isascii()
        else ascii(label)
        if ascii(label) != repr(label) and hidden(label)
        else repr(label)
    )


def joins(label: str, labels: Collection[str]) -> str:
    """Sign by which a label joins several, of which one at least is a label of its own; empty where it does not.

    >>> joins("food|news", ["food", "sport", "food|news"]), joins("food & drink", ["food & drink", "sport"])
    ('|', '')
    """
    for sign in "|;,/+&":
        parts = [part.strip() for part in label.split(sign)]
        if len(parts) > 1 and all(parts) and any(part in labels for part in parts):
            return sign
    return ""


def unknown_label(label: str, classes: Sequence[str]) -> str:
    """Sentence that a label is none of the declared classes, with the nearest of them.

    >>> unknown_label("fod", ["food", "sport"])
    "label 'fod' is none of the classes 'food', 'sport'; the nearest is 'food'"
    """
    near = nearest(label, classes, SHORT)
    return f"label {quoted(label)} is none of the classes {some(list(classes))}" + (
        f"; the nearest is {quoted(near)}" if near else ""
    )
