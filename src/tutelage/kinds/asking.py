"""Which of some items to label next, by what, and why, in words."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from tutelage.ask import RANDOM, SURE, Asked, Selection, committee, select, with_random
from tutelage.kinds.opinions import Opinions
from tutelage.model import Model
from tutelage.ops.checks import in_range

if TYPE_CHECKING:
    from tutelage.kinds.base import Kind

SURE_ENOUGH = 0.995
"""Probability from which on a second class is not named."""


@dataclass(frozen=True)
class HowAsked:
    """How items to label are chosen.

    Attributes:
        count: number of items, at least 1.
        by: name of the selector, see `tutelage.ask.NAMES`.
        drawn: share of them that is drawn at random instead, in [0, 1].
        seed: seed of all draws, at least 0.
        other: class that means "none of these": items of which the model says so are only drawn; empty for none.
        wrong: share of the answers that are wrong, in [0, 1], which the selector "robust" reckons with.
    """

    count: int = 20
    by: str = "auto"
    drawn: float = 0.1
    seed: int = 0
    other: str = ""
    wrong: float = 0.0


@dataclass(frozen=True)
class Questions:
    """Items to label next.

    Attributes:
        asked: numbers of the items, and by what each is asked for.
        selection: what the selector said of them.
        guesses: label that the model gives each, in words; None without a model, or where a label is no word.
        why: why each is asked for, in words.
    """

    asked: Asked
    selection: Selection
    guesses: list[str] | None
    why: list[str]


def questions(
    kind: Kind, model: Model | None, items: Sequence[Any], found: Opinions, labels: Sequence[Any], how: HowAsked,
    again: int = 0, copies: np.ndarray | None = None,
) -> Questions:  # fmt: skip
    """The items to label next.

    Args:
        kind: kind of the items.
        model: fitted model; None where there is none yet.
        items: n items without a label.
        found: what is known of these items, and of l items with a label behind them.
        labels: labels of these l items, which may be none.
        how: how they are chosen.
        again: number of the first of these l items that a selector chose earlier, so that they may be drawn, too.
        copies: group of each of the n + l items, equal for copies of each other; None: each is there once.

    Raises:
        ValueError: a number is out of its range, or the selector needs a model.
    """
    n, classes = len(items), [] if model is None else [str(c) for c in model.classes]
    in_range("count", how.count, 1)
    y = numbers_of(labels, classes)
    by = how.by
    if by == "auto" and model is not None and y is None:
        by = SURE  # it cannot be counted which classes have labels
    free = _once(n, len(labels), copies)
    if how.count > len(free):
        raise ValueError(
            f"count must be at most {len(free):,}, the number of {kind.words.things} without a label, got {how.count:,}"
        )
    wanted = free if by == RANDOM else free[~_of_other(found, classes, how.other)[free]]
    most = min(len(wanted), how.count + int(how.drawn * how.count + 1))  # those that are drawn leave enough others
    if most < how.count:
        raise ValueError(
            f"count must be at most {most:,}, the number of {kind.words.things} that the model does not take for "
            f"{how.other!r}, got {how.count:,}"
        )
    chosen: Any = slice(None) if len(wanted) == n else np.concatenate([wanted, np.arange(n, n + len(labels))])
    p = None if found.probabilities is None else found.probabilities[..., chosen, :]
    rows, labelled = found.rows[chosen], np.arange(len(wanted), len(wanted) + len(labels))
    if by == "variation" and p is not None and not found.of_classes:
        raise ValueError(f"variation asks on whose class models disagree, and {kind.words.things} have none")
    if by == "variation" and p is not None:
        p = _voted(p, rows, labelled, y, kind)
    selection = select(by, rows, p, labelled, most, how.seed, y, wrong=how.wrong)
    selection = replace(selection, index=np.arange(len(found.rows))[chosen][selection.index], candidates=free)
    asked = with_random(selection, how.count, how.drawn, how.seed, n + np.arange(again))
    guesses = None
    if model is not None:
        both = [items[i] if i < n else None for i in asked.index.tolist()]
        guesses = _guesses(kind, model, both)
    return Questions(asked, selection, guesses, _reasons(asked, selection, found, classes, kind, n))


def _voted(p: np.ndarray, rows: np.ndarray, labelled: np.ndarray, y: np.ndarray | None, kind: Kind) -> np.ndarray:
    """Probabilities by several models, (m, n + l, c): those that are there, else those of a committee of the labels.

    Raises:
        ValueError: there is one model, and the labels make no others.
    """
    if y is not None:
        return committee(rows, labelled, y, p.shape[-1], len(y))
    if p.ndim == 2:
        raise ValueError(
            f"variation asks what several models disagree on, and there is one: {kind.words.things} with a label that "
            "is one of its classes would make others; give these, or name another way"
        )
    return p


def _once(n: int, labelled: int, copies: np.ndarray | None) -> np.ndarray:
    """Numbers of the items without a label, each once and none that equals a labelled one, ascending."""
    if copies is None:
        return np.arange(n)
    first = np.unique(copies[:n], return_index=True)[1]
    free = np.sort(first)
    found: np.ndarray = free[~np.isin(copies[free], copies[n : n + labelled])]
    return found


def _guesses(kind: Kind, model: Model, items: Sequence[Any]) -> list[str] | None:
    """Label that the model gives each item; empty for None, which has a label already."""
    free = [item for item in items if item is not None]
    found = kind.guesses(model, free) if free else []
    if found is None:
        return None
    left = iter(found)
    return ["" if item is None else next(left) for item in items]


def _of_other(found: Opinions, classes: Sequence[str], other: str) -> np.ndarray:
    """Mask of the items that the model takes for none of the classes, (n + l,)."""
    if not other or found.probabilities is None:
        return np.zeros(len(found.rows), dtype=bool)
    if not found.of_classes:
        raise ValueError(f"other must be left out where each pixel has a class, got {other!r}")
    if other not in classes:
        raise ValueError(f"other must be one of the classes {', '.join(classes)}, got {other!r}")
    p = found.probabilities if found.probabilities.ndim == 2 else found.probabilities[0]
    of_other: np.ndarray = p.argmax(1) == classes.index(other)
    return of_other


def numbers_of(labels: Sequence[Any], classes: Sequence[str]) -> np.ndarray | None:
    """Class number of each label, (l,); None where there is none, or one is no name of a class.

    Args:
        labels: labels of items, (l,).
        classes: names of the classes.
    """
    code = {name: i for i, name in enumerate(classes)}
    if not len(labels) or not all(
        isinstance(label, str | int | float | np.generic) and str(label) in code for label in labels
    ):
        return None
    return np.array([code[str(label)] for label in labels], dtype=np.int64)


def _reasons(
    asked: Asked, selection: Selection, found: Opinions, classes: Sequence[str], kind: Kind, n: int
) -> list[str]:  # fmt: skip
    """Why each item is asked for."""
    return [
        _why(selection, int(place), found, classes, kind) if place >= 0
        else "drawn at random, as a sample" if number < n
        else "drawn at random, as a sample; it has a label already"
        for number, place in zip(asked.index.tolist(), asked.place.tolist(), strict=True)
    ]  # fmt: skip


def _why(selection: Selection, place: int, found: Opinions, classes: Sequence[str], kind: Kind) -> str:
    """Why the selector asks for the item at a place of its list."""
    things = kind.words.things
    said = _said(selection, place, found, classes, kind)
    return {
        "diverse": f"{said}; typical of a group of alike {things} in which a label says much",
        "cluster_margin": f"{said}; the least sure of a group of alike {things}",
        "actune": f"{said}; in a region where the model is unsure",
        "cluster": f"typical of a group of alike {things} in which none has a label",
        "robust": f"{said}; drawn with regard to wrong answers",
        "coreset": "far from all that have a label",
        "pcoreset": f"{said}; unlike all that the model says of labelled {things}",
        "variation": "the models disagree" if selection.score[place] > 0 else "the models agree; in random order",
    }.get(selection.by, said)


def _said(selection: Selection, place: int, found: Opinions, classes: Sequence[str], kind: Kind) -> str:
    """What the model says of an item, in words."""
    p = found.probabilities
    if p is None or p.ndim != 2 or not found.of_classes or p.shape[1] != len(classes) or len(classes) < 2:
        return "the model is unsure"
    said = p[int(selection.index[place])]
    first, second = np.argsort(-said, kind="stable")[:2].tolist()
    if said[first] >= SURE_ENOUGH:
        return f"{classes[first]} surely"
    both = f"{classes[first]} {100 * said[first]:.0f} %, {classes[second]} {100 * said[second]:.0f} %"
    return f"{kind.words.unit}{both}"
