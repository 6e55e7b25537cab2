"""How tags are read, as far as the user says it, and what had to be mended in them."""

from __future__ import annotations

from dataclasses import dataclass

from tutelage.ops.checks import one_of
from tutelage.tables.name_lists import names_in

MANY_MENDED = 5
"""Mended entities, at least, at which it is asked what is meant, if they are more than half of all."""


@dataclass(frozen=True, kw_only=True)
class TagsAs:
    """How tags are read; None finds it out and says so.

    Args:
        classes: names of the tags, in the order of their numbers where tags are numbers; names of all types elsewhere.
        tags_are: "types", where each tag is a type of its own; "bio", where letters tell the beginnings of entities.
        outside: tag of the words outside entities, besides O.
        open_words: what words of a tagged sentence are that have no tag: "outside"; or "untagged", so that the whole
            sentence is.
        sentence_id: column that numbers the sentences of a table with a word a row; "row" where each row is a sentence.
        offsets: units of the offsets of spans: "characters", "utf-16" or "utf-8".
        mended: "take" goes on where most of a file had to be mended.
        spelling: "fold" takes types for one that differ only by capitals or by signs that are not seen; "as-is" keeps
            them apart.

    Raises:
        ValueError: a value is none of those.

    >>> TagsAs(classes="O, B-PER, I-PER").names
    ('O', 'B-PER', 'I-PER')
    """

    classes: str | tuple[str, ...] | list[str] | None = None
    tags_are: str | None = None
    outside: str | None = None
    open_words: str | None = None
    sentence_id: str | None = None
    offsets: str | None = None
    mended: str | None = None
    spelling: str = "fold"

    def __post_init__(self) -> None:
        allowed = {
            "tags_are": ("types", "bio"), "open_words": ("outside", "untagged"), "mended": ("take",),
            "offsets": ("characters", "utf-16", "utf-8"), "spelling": ("fold", "as-is"),
        }  # fmt: skip
        for name, values in allowed.items():
            if getattr(self, name) is not None:
                one_of(name, getattr(self, name), values)

    @property
    def names(self) -> tuple[str, ...]:
        """The classes by name, in the order of their numbers; empty where none are given."""
        given = self.classes or ()
        each = names_in(given) if isinstance(given, str) else given
        return tuple(str(name).strip() for name in each)


@dataclass(frozen=True)
class Mended:
    """What had to be mended in a column.

    Attributes:
        count: number of tags and spans that were mended.
        entities: number of entities.
        first: first of them with its place, before and after; empty where there is none.
    """

    count: int = 0
    entities: int = 0
    first: str = ""

    @property
    def many(self) -> bool:
        """Whether so much was mended that something else may be meant."""
        return self.count >= MANY_MENDED and 2 * self.count > self.entities
