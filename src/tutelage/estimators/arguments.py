"""Checks of an estimator's parameters, used or not: each error names the parameter, its value and what is allowed."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import fields
from numbers import Integral, Real
from types import NoneType, UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin, get_type_hints

import numpy as np
from sklearn.utils import check_random_state

from tutelage.ops.checks import Range, in_range

RandomState = int | np.random.RandomState | np.random.Generator | None
"""What a random state may be: a seed, what draws one, or None for one that is drawn by NumPy's own random state."""


def seed_of(random_state: RandomState, name: str = "random_state") -> int:
    """Seed of a fit, in [0, 2**32): the number itself, or one that is drawn.

    Args:
        random_state: seed; generator, from which the seed is drawn; or None, for NumPy's own random state.
        name: name of the parameter, for messages.

    Raises:
        TypeError: it is none of these.
        ValueError: a number is out of its range.

    >>> seed_of(7), seed_of(np.random.RandomState(7)) == seed_of(np.random.RandomState(7))
    (7, True)
    """
    if isinstance(random_state, np.random.Generator):
        return int(random_state.integers(2**32))
    if random_state is None or isinstance(random_state, np.random.RandomState):
        return int(check_random_state(random_state).randint(2**32, dtype=np.uint64))
    if isinstance(random_state, bool) or not isinstance(random_state, Integral):
        allowed = "a whole number in [0, 4294967295], a RandomState, a Generator or None"
        raise TypeError(f"{name} must be {allowed}, got {random_state!r}")
    in_range(name, random_state, 0, 2**32 - 1)
    return int(random_state)


def require_arguments(estimator: Any) -> None:
    """Check that each parameter of an estimator is what its type says, used or not.

    Args:
        estimator: dataclass whose fields are the parameters, with their ranges in their types, as a method's.

    Raises:
        TypeError: a parameter is of another type; the message names it, its value and what is allowed.
        ValueError: a parameter is out of its range, or is none of the words that are allowed.
    """
    hints = hints_of(type(estimator))
    for f in fields(estimator):
        require(f.name, getattr(estimator, f.name), hints[f.name])


def require(name: str, value: Any, hint: Any) -> None:
    """Check that a value is of a type.

    Args:
        name: name of the parameter, for the message.
        value: its value.
        hint: a type, perhaps with a `Range`; of a union one must fit.

    Raises:
        TypeError, ValueError: it is not.

    >>> require("folds", 1, Annotated[int, Range(2, whole=True)] | None)
    Traceback (most recent call last):
    ValueError: folds must be at least 2, got 1
    """
    allowed = list(_alternatives(hint))
    if any(_fits(value, each) for each in allowed):
        return
    for each in allowed:
        if isinstance(value, Real) and not isinstance(value, bool) and (of := _range(each)) is not None:
            of.check(name, value)  # names the range
    words = " or ".join(dict.fromkeys(_words(each) for each in allowed))
    of_type = any(get_origin(each) is Literal or _fits(value, each, ranged=False) for each in allowed)
    kind = ValueError if of_type else TypeError
    raise kind(f"{name} must be {words}, got {value!r}")


def hints_of(of: Any) -> dict[str, Any]:
    """Types of the parameters of an estimator's class, with their ranges, by name."""
    found: dict[str, Any] = get_type_hints(of, include_extras=True)
    return found


def _alternatives(hint: Any) -> Iterator[Any]:
    if get_origin(hint) in (Union, UnionType):
        for each in get_args(hint):
            yield from _alternatives(each)
    else:
        yield hint


def _range(hint: Any) -> Range | None:
    return next((note for note in getattr(hint, "__metadata__", ()) if isinstance(note, Range)), None)


def _fits(value: Any, hint: Any, ranged: bool = True) -> bool:
    """Whether a value is of a type that is no union, and, if ``ranged``, in its range."""
    origin, args = get_origin(hint), get_args(hint)
    if origin is Annotated:
        of = _range(hint)
        return _fits(value, args[0], ranged) and (not ranged or of is None or _holds(of, value))
    if origin is tuple:
        several = isinstance(value, (tuple, list, np.ndarray)) and len(value) == len(args)
        return several and all(_fits(v, each, ranged) for v, each in zip(value, args, strict=True))
    if origin is Literal:
        return any(type(value) is type(word) and value == word for word in args)
    if hint is Any or origin is _CALLABLE:
        return hint is Any or callable(value)
    return isinstance(value, _CLASSES.get(origin or hint, origin or hint)) and (
        hint is bool or not isinstance(value, (bool, np.bool_))
    )


_CALLABLE, _SEQUENCE = get_origin(Callable[[], Any]), get_origin(Sequence[Any])

_CLASSES: dict[Any, Any] = {
    bool: (bool, np.bool_), int: Integral, float: Real, _SEQUENCE: (list, tuple, np.ndarray),
}  # fmt: skip
"""Classes of the values that count as of a type, where these are others than the type itself."""


def _holds(of: Range, value: Any) -> bool:
    try:
        of.check("", value)
    except (TypeError, ValueError):
        return False
    return True


def _words(hint: Any) -> str:
    """What a type allows, in words."""
    origin, args = get_origin(hint), get_args(hint)
    if origin is Annotated:
        of = _range(hint)
        return _words(args[0]) if of is None else of.words()
    if origin is Literal:
        return f"one of {', '.join(map(str, args))}" if len(args) > 1 else repr(args[0])
    if origin is tuple:
        return f"{len(args)} values, each {_words(args[0])}"
    named = {
        NoneType: "None", bool: "True or False", int: "a whole number", float: "a number", str: "a text",
        _CALLABLE: "a function", _SEQUENCE: "a list", Mapping: "a dictionary", dict: "a dictionary",
    }  # fmt: skip
    kind = origin or hint
    return named.get(kind, f"a {getattr(kind, '__name__', kind)}")
