"""A tag for each word of a sentence."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from tutelage.ops.tags import entity_counts, f1_influence, to_bio
from tutelage.tasks.classification import Classification


@dataclass(frozen=True)
class Tagging(Classification):
    """Each word is a unit; tags are BIO; the score is the F1 of entities.

    Args:
        names: the tags, by class number.

    >>> Tagging(3, ("O", "B-PER", "I-PER")).tags(np.array([1, 2, 0, 2]), np.array([3, 1]))
    [['B-PER', 'I-PER', 'O'], ['B-PER']]
    """

    name: ClassVar[str] = "tagging"
    measure: ClassVar[str] = "entity F1"
    score: ClassVar[str] = "f1"
    binary: ClassVar[bool] = False
    sequential: ClassVar[bool] = True
    names: tuple[str, ...] = ()

    @classmethod
    def of(cls, classes: Sequence[str]) -> Tagging:
        """The task of these tags, in the order of their numbers.

        >>> Tagging.of(["O", "B-PER"]).names
        ('O', 'B-PER')
        """
        return cls(len(classes), tuple(classes))

    def decode(
        self, guess: np.ndarray, classes: Sequence[Any], counts: np.ndarray, size: tuple[int, int] | None = None
    ) -> list[list[str]]:
        """Tags of each sentence, clean BIO: an I- with nothing before it begins an entity."""
        return self.tags(guess, counts)

    def tags(self, guess: np.ndarray, counts: np.ndarray) -> list[list[str]]:
        """Tags of each sentence, clean BIO: an I- with nothing before it begins an entity.

        Args:
            guess: class number of every word, (words,).
            counts: number of words of each sentence, (n,).
        """
        words = iter(guess.tolist())
        return [to_bio([self.names[next(words)] for _ in range(n)], "BIO")[0] for n in counts]

    def right(self, guess: np.ndarray, y: np.ndarray, counts: np.ndarray) -> np.ndarray:
        """Each sentence's influence on the F1 of entities, (n,), see `ops.tags.f1_influence`."""
        return f1_influence(entity_counts(self.tags(y, counts), self.tags(guess, counts)))


def tag_names(sentences: Iterable[Sequence[str | None] | None]) -> tuple[str, ...]:
    """The tags that BIO needs for the types that occur: O, then B- and I- of each type, sorted.

    >>> tag_names([["B-PER", "O"], None])
    ('O', 'B-PER', 'I-PER')
    """
    types = sorted({tag[2:] for tags in sentences if tags for tag in tags if tag and tag != "O"})
    return ("O", *(f"{letter}-{kind}" for kind in types for letter in "BI"))
