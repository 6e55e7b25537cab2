"""Shares of the classes that the user declares: how common each is in the pool, and where the model will be used."""

from __future__ import annotations

import difflib
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from tutelage.tables import DataError, as_label
from tutelage.tables.cells import quoted
from tutelage.tables.label_cells import some
from tutelage.tables.labels import LabelsAs
from tutelage.tables.name_lists import listed_names

ROUNDING = 0.02
"""How far the sum of declared shares may lie from 1, as shares that were rounded do."""


def shares_in(given: Mapping[Any, float] | Sequence[str] | None) -> dict[str, float]:
    """Declared shares by the name of the class, from an option or from a Python dictionary; empty without any.

    Args:
        given: "NAME=SHARE" for each class, each alone or all in one text, or shares by class.

    Raises:
        ValueError: a share is no number in [0, 1], or a class is named twice.

    >>> shares_in(["spam=0.04,ham=0.96"]), shares_in({"spam": 0.04})
    ({'spam': 0.04, 'ham': 0.96}, {'spam': 0.04})
    """
    if given is None or not len(given):
        return {}
    pairs: list[tuple[Any, Any]] = []
    if isinstance(given, Mapping):
        pairs += given.items()
    else:
        for word in listed_names(given):
            name, sign, number = word.rpartition("=")
            if not sign or not name.strip():
                raise ValueError(
                    f"shares must be NAME=SHARE for each class, such as spam=0.04,ham=0.96, got {quoted(word)}"
                )
            pairs.append((name, number))
    found: dict[str, float] = {}
    for label, value in pairs:
        named, share = str(as_label(label)), _number(value)
        if named in found:
            raise ValueError(f"shares name {quoted(named)} twice; name each class once")
        if not 0 <= share <= 1:
            raise ValueError(f"share of {quoted(named)} must be a number in [0, 1], got {value!r}")
        found[named] = share
    return found


def _number(value: Any) -> float:
    """The number that a value means; not a number where it means none."""
    try:
        return float(value)
    except (TypeError, ValueError):
        return float("nan")


def shares_of_classes(
    declared: Mapping[str, float], classes: Sequence[Any], y: np.ndarray, how: LabelsAs
) -> np.ndarray | None:
    """Declared shares in the order of the classes, (c,), which sum to 1; None where none are declared.

    One class that is not named has what the others leave.

    Args:
        declared: shares by the name of the class.
        classes: names of the c classes.
        y: class numbers of the labels, (n,).
        how: how labels are read, by which a name is found in another spelling.

    Raises:
        DataError: a name is none of the classes, classes are missing, a class with labels has no share, or the shares
            do not sum to 1.

    >>> shares_of_classes({"spam": 0.04}, ["ham", "spam"], np.array([0, 1]), LabelsAs()).tolist()
    [0.96, 0.04]
    """
    if not declared:
        return None
    names = [str(c) for c in classes]
    number = {how.key(name): i for i, name in enumerate(names)}
    found = np.full(len(names), np.nan)
    for name, share in declared.items():
        if how.key(name) not in number:
            near = difflib.get_close_matches(name, names, 1, 0.0)[0]
            raise DataError(
                f"shares name {quoted(name)}, which is none of the classes {some(names)}; the nearest is {near!r}"
            )
        at = number[how.key(name)]
        if not np.isnan(found[at]):
            raise DataError(f"shares name the class {names[at]!r} twice, in two spellings; name each class once")
        found[at] = share
    missing = np.flatnonzero(np.isnan(found))
    if len(missing) > 1:
        raise DataError(f"shares say nothing of {some([names[i] for i in missing])}; name all classes but one at least")
    total = float(np.nansum(found))
    if len(missing) and total < 1:
        found[missing] = 1 - total
    if abs(np.nansum(found) - 1) > ROUNDING or (len(missing) and total >= 1):
        left = f", which leaves nothing for {names[missing[0]]!r}" if len(missing) else ""
        raise DataError(f"shares must sum to 1, got {total:g}{left}")
    unknown = [names[k] for k in np.flatnonzero(found > 0) if len(y) and not (y == k).any()]
    if unknown:
        raise DataError(f"shares say that {some(unknown)} occurs, but no label is of it; label some, or say 0")
    bare = [names[k] for k in np.unique(y) if found[k] == 0]
    if bare:
        raise DataError(
            f"shares say that {some(bare)} does not occur, but there are labels of it; give it a share above 0"
        )
    shares: np.ndarray = found / found.sum()
    return shares
