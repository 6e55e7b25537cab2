"""What a model has that the labels-only reference has not, and the words for it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Literal, NamedTuple

Tried = Literal["pool", "method", "taught", "teacher", "adapting", "together"]
"""What a model has that the labels-only reference has not: the pool, another method on the same labels, the pool and a
brought teacher, a brought teacher in place of the labels, an encoder that was adapted to the labels, or several of
these at once."""


class InWords(NamedTuple):
    """Words on what was tried.

    Attributes:
        subject: subject of a sentence.
        returned: sentence that says that its model is returned.
        label: words that tell its model from the labels-only one.
        used, unused: sentences that say whether it was used.
    """

    subject: str
    returned: str
    label: str
    used: str
    unused: str


IN_WORDS: Mapping[Tried, InWords] = {
    "pool": InWords(
        "The pool", "The model that used the pool is returned.", "with the pool",
        "The pool was used.", "The pool was not used.",
    ),
    "method": InWords(
        "The method", "The model that used the method is returned.", "with the method",
        "The method was used.", "The method was not used.",
    ),
    "taught": InWords(
        "The teacher and the pool", "The model that learnt from the teacher and the pool is returned.",
        "with the teacher and the pool", "The teacher was used.", "The teacher was not used.",
    ),
    "teacher": InWords(
        "Following the teacher alone", "The model that learnt from the teacher alone is returned.",
        "the teacher alone", "The teacher alone was followed.", "The teacher was not followed.",
    ),
    "adapting": InWords(
        "Adapting the encoder", "The labels-only model on the adapted encoder is returned.",
        "labels only, encoder adapted", "The encoder was adapted to the labels.", "The encoder was not adapted.",
    ),
    "together": InWords(
        "Learning from all sources together", "One student of the best models is returned.",
        "one student of the best models", "The best models taught one student.", "None of the models was used.",
    ),
}  # fmt: skip
"""Words on what was tried, by its name."""


def idle(history: Sequence[Mapping[str, float]]) -> bool:
    """Whether no pseudo-label counted at any point of a training that stores them, so that the pool taught nothing.

    Args:
        history: points of the training, with their "coverage".

    >>> idle([{"coverage": 0.0}]), idle([{"coverage": 0.5}]), idle([{}])
    (True, False, False)
    """
    coverage = [point["coverage"] for point in history if "coverage" in point]
    return bool(coverage) and max(coverage) == 0
