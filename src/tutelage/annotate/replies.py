"""The answer in a reply: the class that a text names, and the probabilities in the alternatives to its tokens."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from tutelage.annotate.prompts import fold

FIELD = "class"
"""Key of the answer, where it is an object of JSON."""

SAID = 0.5
"""Share of what a model might have written that must begin a class, at least, where what it wrote is none."""

LARGEST = 1e-3
"""Logarithm of a probability, at most, with what rounding may add."""

LEAST = 1e-9
"""Probability of a class, at least, that no alternative tells of."""

_LEAD = re.compile(rf'^\s*\{{\s*"{FIELD}"\s*:\s*"')
_OBJECT = re.compile(r"^\s*\{")
_NAMED = re.compile(rf"^(?:the )?(?:{FIELD}|answer|label|category)\s*(?:is|[:=])\s*", re.IGNORECASE)
_AROUND = " \t\n\r\"'`*_.:,;!?()[]{}<>#-"
"""Characters around an answer that say nothing."""
_QUOTES = " \t\n\r\"'`*"
"""Those of them that no class begins with."""


def class_in(text: str, classes: Sequence[str]) -> int | None:
    r"""Number of the class that a reply names; None where it names none, or more than a class in its first line.

    Args:
        text: the reply: a class, perhaps in quotation marks or behind "Class:", in the first line; or an object of JSON
            with the key "class".
        classes: names of the classes.

    >>> names = ["Sports", "World"]
    >>> [class_in(t, names) for t in ("sports.", '{"class": "World"}', "**Class:** World", "Sports\n\nSince ...")]
    [0, 1, 1, 0]
    >>> [class_in(t, names) for t in ("", "Sport", "Sports or World", "Not Sports", "Wirtschaft")]
    [None, None, None, None, None]
    """
    said = text.strip()
    if _OBJECT.match(said):
        try:
            found = json.loads(said)
        except (ValueError, RecursionError):
            return None
        said = found[FIELD] if isinstance(found, dict) and isinstance(found.get(FIELD), str) else ""
    line = next(filter(None, (each.strip() for each in said.splitlines())), "")
    names = [fold(name) for name in classes]
    bare = line.replace("*", "").replace("`", "").strip()
    for form in (bare, _NAMED.sub("", bare), bare.strip(_AROUND), _NAMED.sub("", bare).strip(_AROUND)):
        if fold(form) in names:
            return names.index(fold(form))
    return None


@dataclass(frozen=True)
class Position:
    """One token of a reply, and what might have stood in its place.

    Attributes:
        token: the token that was written.
        options: tokens with the logarithms of their probabilities, that of the written one among them.
    """

    token: str
    options: Sequence[tuple[str, float]]


def logs_in(
    positions: Sequence[Position], classes: Sequence[str], least: float = SAID
) -> tuple[float, ...] | None:  # fmt: skip
    """Logarithm of each class's probability, normalised over the classes, by the tokens that a reply might have had.

    A token counts for the class that it begins, where it begins one alone. Where several classes begin alike, as
    "negative" and "neutral" may, the next token tells them apart, of the one that was written. A class that no token
    tells of gets the least probability that is listed, or what is left over, if that is less.

    Args:
        positions: the tokens of the reply, in order.
        classes: names of the c classes.
        least: share of what might have been written that must begin a class, at least, in (0, 1].

    Returns:
        The logarithms, (c,); None where less of it begins a class, or the written token's is no logarithm of a
        probability.

    >>> token = Position("neg", [("neg", math.log(0.6)), ("pos", math.log(0.3)), ("The", math.log(0.1))])
    >>> [round(math.exp(v), 2) for v in logs_in([token], ["negative", "positive"])]
    [0.67, 0.33]
    >>> logs_in([Position("The", [("The", math.log(0.9)), ("pos", math.log(0.1))])], ["negative", "positive"]) is None
    True
    """
    names = [fold(name) for name in classes]
    mass, floor, weight, before = np.zeros(len(names)), LEAST, 1.0, ""
    open_ = list(range(len(names)))
    for position in positions:
        after = before + position.token
        if (own := _fits(after, names)) is None:  # still within what stands before the answer
            before = after
            continue
        shares = {
            token: math.exp(log) for token, log in position.options if log <= LARGEST
        }  # of what is no number, none
        if position.token not in shares:
            return None
        for token, share in shares.items():
            fits = _fits(before + token, names)
            if fits is not None and len(fits) == 1:
                mass[fits[0]] += weight * share
        listed = sum(shares.values())
        floor = max(LEAST, weight * min(*shares.values(), max(1.0 - listed, 0.0))) if shares else LEAST
        before, open_ = after, own
        if len(own) < 2:
            break
        weight *= shares.get(position.token, 1.0)
    if len(open_) > 1 and (ended := [k for k in open_ if names[k] == fold(_value(before) or "")]):
        mass[ended[0]] += weight  # the reply ended where another class goes on
    if mass.sum() < least:
        return None
    mass = np.maximum(mass, floor)
    return tuple(float(v) for v in np.log(mass / mass.sum()))


def _value(text: str) -> str | None:
    """What was written of the answer so far; None while only what stands before it was."""
    if _OBJECT.match(text) or not text.strip():
        lead = _LEAD.match(text)
        return text[lead.end() :] if lead else None
    return text.lstrip(_AROUND)


def _fits(text: str, names: Sequence[str]) -> list[int] | None:
    """Numbers of the classes that what was written so far may become; None while nothing of an answer was written."""
    value = _value(text)
    bare = fold(text.lstrip(_QUOTES))
    if bare and not _OBJECT.match(text) and (going_on := [k for k, name in enumerate(names) if name.startswith(bare)]):
        return going_on  # also of a class that begins with a sign, as -1 does
    if not value:
        return None
    said = fold(value)
    if going_on := [k for k, name in enumerate(names) if name.startswith(said)]:
        return going_on
    whole = [k for k, name in enumerate(names) if said.startswith(name) and not said[len(name)].isalnum()]
    return [max(whole, key=lambda k: len(names[k]))] if whole else []
