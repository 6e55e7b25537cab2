"""Items, answers and suggestions as annotation tools exchange them, in one form for all tools."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

from tutelage.data.errors import DataError

GIVEN, SKIPPED, UNSURE, NONE = "given", "skipped", "unsure", "none of these"
"""States of an answer: a label was given; none was; the annotator is not sure; the item is of none of the classes."""
STATES = (GIVEN, SKIPPED, UNSURE, NONE)
"""All states."""


@dataclass(frozen=True, order=True)
class Span:
    """A part of a text.

    Attributes:
        start, end: characters (Unicode code points) from which to which it goes, the end exclusive.
        type: its type, such as PER.
    """

    start: int
    end: int
    type: str


Label = tuple[str, ...] | tuple[Span, ...]
"""Label of an item: the names of its classes, at least one and mostly one; or the spans of a text, sorted, perhaps
none."""


def has_spans(label: Label) -> bool:
    """Whether a label is one of spans; an empty one is.

    >>> has_spans(()), has_spans(("food",))
    (True, False)
    """
    return not label or isinstance(label[0], Span)


@dataclass(frozen=True)
class Answer:
    """What one annotator said of an item.

    Attributes:
        label: the label; None where none was given. An answer that is unsure may have one, which is then not empty.
        annotator: name of the annotator; empty where the file tells none.
        state: one of `STATES`.
        seconds: seconds that the answer took, at least 0; None where the file tells none.
        time: when it was given, with its time zone; None where the file tells none.
        note: the annotator's note.

    Raises:
        ValueError: the state is none, or does not fit the label.

    >>> Answer(("food",), "ann").state
    'given'
    """

    label: Label | None = None
    annotator: str = ""
    state: str = GIVEN
    seconds: float | None = None
    time: datetime | None = None
    note: str = ""

    def __post_init__(self) -> None:
        if self.state not in STATES:
            raise ValueError(f"state must be one of {', '.join(STATES)}, got {self.state!r}")
        given, may_be = self.state == GIVEN, self.state in (GIVEN, UNSURE)
        if (given and self.label is None) or (not given and self.label == ()) or (self.label and not may_be):
            raise ValueError(f"the label of an answer that is {self.state!r} must not be {self.label!r}")


@dataclass(frozen=True)
class Suggestion:
    """What a model says of an item.

    Attributes:
        label: the label.
        probability: its probability, in [0, 1]; None where it is not known.
    """

    label: Label
    probability: float | None = None


@dataclass(frozen=True)
class Record:
    """An item with what was said of it. It is a text or an image.

    Attributes:
        text: the text; None of an image.
        image: path or address of the image; None of a text.
        id: what the item is called in the table that it comes from, its ``row``; empty where it has no name.
        answers: what annotators said.
        suggestion: what a model says; None where it says nothing.

    Raises:
        ValueError: it is both, or neither.
    """

    text: str | None = None
    image: str | None = None
    id: str = ""
    answers: tuple[Answer, ...] = ()
    suggestion: Suggestion | None = None

    def __post_init__(self) -> None:
        if (self.text is None) == (self.image is None):
            raise ValueError("a record must have a text or an image, and not both")

    @property
    def item(self) -> str:
        """The text, or the path of the image."""
        return self.text if self.text is not None else str(self.image)

    @property
    def labels(self) -> list[Label]:
        """Labels of the answers and of the suggestion."""
        of_model = [] if self.suggestion is None else [self.suggestion.label]
        return [answer.label for answer in self.answers if answer.label is not None] + of_model


@dataclass(frozen=True)
class Question:
    """What is asked of each item.

    Attributes:
        names: names of the classes, or types of the spans.
        spans: whether spans of a text are asked for, and no classes.
        several: whether an item may have several classes.
        image: whether the items are images.
    """

    names: tuple[str, ...] = ()
    spans: bool = False
    several: bool = False
    image: bool = False

    @staticmethod
    def of(records: Sequence[Record], names: Iterable[str] = (), spans: bool = False) -> Question:
        """The question that records answer.

        Args:
            records: the records.
            names: names that come first, before those of the records.
            spans: whether spans are asked for, also where no record has one.

        Raises:
            ValueError: some records are texts and others images, or some labels classes and others spans.

        >>> Question.of([Record("a", answers=(Answer(("food", "cheap")),))])
        Question(names=('cheap', 'food'), spans=False, several=True, image=False)
        """
        labels = [label for record in records for label in record.labels]
        of_spans = {has_spans(label) for label in labels} | ({True} if spans else set())
        of_images = {record.image is not None for record in records}
        if len(of_spans) > 1 or len(of_images) > 1:
            both = "spans and classes" if len(of_spans) > 1 else "texts and images"
            raise ValueError(f"records must all be of one project, and these have {both}")
        spans = of_spans == {True}
        if spans and any(answer.state == NONE for record in records for answer in record.answers):
            raise ValueError(f"an answer {NONE!r} is one on classes, and these records have spans")
        found = {part.type if isinstance(part, Span) else part for label in labels for part in label}
        several = not spans and any(len(label) > 1 for label in labels)
        return Question((*(first := dict.fromkeys(names)), *sorted(found - first.keys())), spans, several,
                        of_images == {True})  # fmt: skip


@dataclass
class Together:
    """Records of a file, of which those of one item come together: those with one id, or without ids equal ones.

    Attributes:
        records: the records, by their keys.
        places: place of the first row of each, by its key.
    """

    records: dict[tuple[str, str], Record] = field(default_factory=dict)
    places: dict[tuple[str, str], str] = field(default_factory=dict)

    def add(self, place: str, record: Record) -> None:
        """Add what a row of the file says.

        Args:
            place: place of the row, for messages.
            record: what it says.

        Raises:
            DataError: another item has the same id.
        """
        key = ("id", record.id) if record.id else ("item", record.item)
        before = self.records.get(key)
        if before is None:
            self.records[key], self.places[key] = record, place
            return
        if before.item != record.item:
            raise DataError(
                f"{place}: the row {record.id!r} is that of {self.places[key]} too, which has another item; a row must "
                "be of one item"
            )
        self.records[key] = replace(
            before, answers=(*before.answers, *record.answers), suggestion=before.suggestion or record.suggestion
        )

    def all(self) -> list[Record]:
        """The records, in the order of the file."""
        return list(self.records.values())
