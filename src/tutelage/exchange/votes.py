"""What several annotators say of an item together."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from tutelage.exchange.records import GIVEN, NONE, SKIPPED, UNSURE, Answer, Label

TIE, UNANSWERED = "a tie", "no answer"
"""Why an item has no label: as many say one thing as another, or nobody said anything."""


@dataclass(frozen=True)
class Decided:
    """What annotators say of an item together.

    Attributes:
        label: the label; None where there is none.
        why: why there is none: a state of the answers, `TIE` or `UNANSWERED`; empty where there is one.
        annotators: names of those whose answers count, in the order of their answers.
        differ: whether they do not all say the same.
    """

    label: Label | None
    why: str = ""
    annotators: tuple[str, ...] = ()
    differ: bool = False


def decided(answers: Sequence[Answer]) -> Decided:
    """What most annotators say; labels are equal or not, and "none of these" is like a label.

    Of several answers of an annotator with a name the last one counts. Those that skip or are unsure do not count where
    others know more.

    Args:
        answers: the answers to an item.

    >>> decided([Answer(("food",), "ann"), Answer(("sport",), "bob"), Answer(("food",), "cy")]).label
    ('food',)
    >>> decided([Answer(("food",), "ann"), Answer(("sport",), "bob")]).why
    'a tie'
    """
    last = {answer.annotator or number: answer for number, answer in enumerate(answers)}
    counted = [answer for answer in last.values() if answer.state in (GIVEN, NONE)]
    if not counted:
        states = {answer.state for answer in last.values()}
        return Decided(None, next((state for state in (UNSURE, SKIPPED) if state in states), UNANSWERED))
    votes = Counter(answer.label for answer in counted).most_common(2)
    names = tuple(answer.annotator for answer in counted if answer.annotator)
    differ = len(votes) > 1
    if differ and votes[0][1] == votes[1][1]:
        return Decided(None, TIE, names, differ)
    label = votes[0][0]
    return Decided(label, NONE if label is None else "", names, differ)
