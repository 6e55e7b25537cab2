"""What a model says of items that could be labelled, and where they lie: all that a selector needs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from tutelage.data import Examples, Features, WordFeatures
from tutelage.modalities.base import Encodes, features
from tutelage.model import Model
from tutelage.types import Tick

if TYPE_CHECKING:
    from tutelage.kinds.base import Kind


@dataclass(frozen=True)
class Opinions:
    """Where n items lie, and what a model says of them.

    Attributes:
        rows: features of the items, (n, d), of equal scale.
        probabilities: probabilities of the classes, (n, c): of an item of several units, such as a sentence, those of
            the unit that is least sure; of one of very many, such as an image of pixels, two numbers that are as far
            apart as those of its units are on average. None without a model.
        of_classes: whether the probabilities are those of classes.
    """

    rows: np.ndarray
    probabilities: np.ndarray | None
    of_classes: bool = True


def opinions(model: Model, items: Sequence[Any], tick: Tick | None = None) -> Opinions:
    """What a fitted model says of items.

    Features are those that the network reads where they are fixed, else the inputs of its last layer.

    Args:
        model: the model.
        items: n items, at least 1.
        tick: called with the progress of the encoding.
    """
    examples = model.examples(items, tick)
    rows = _fixed(examples, bool(getattr(model.reader, "per_feature", False)))
    counts, owner = examples.counts(), None
    if (counts != 1).any():
        owner = np.repeat(np.arange(len(counts)), counts)
    dense, n = model.task.dense, len(counts)
    found = np.zeros((n, 2 if dense else len(model.classes)))
    least, sums = np.full(n, np.inf), np.zeros(n)
    inputs: np.ndarray | None = None
    for units, p, seen in model.represented(examples):
        at, apart = units if owner is None else owner[units], _apart(p)
        if dense:
            np.add.at(sums, at, apart)
        else:
            _keep_least(found, least, at, p, apart)
        if rows is None:
            inputs = np.zeros((n, seen.shape[1]), dtype=np.float32) if inputs is None else inputs
            np.add.at(inputs, at, seen)
    if dense:
        mean = sums / counts
        found = np.stack([1 + mean, 1 - mean], axis=1) / 2
    if rows is None:
        assert inputs is not None
        rows = inputs / counts[:, None]
    return Opinions(rows, found, not dense)


def without_model(kind: Kind, items: Sequence[Any], cache: Path | None, tick: Tick | None = None) -> Opinions:
    """Where items lie by the features of the kind's own encoder, before there is a model.

    Args:
        kind: kind of the items, with its options.
        items: n items, at least 1.
        cache: folder of the feature cache; None keeps nothing.
        tick: called with the progress of the encoding.

    Raises:
        ValueError: no encoder reads the items.
    """
    reader = None if kind.whole else kind.reader()
    if not isinstance(reader, Encodes):
        raise ValueError(
            f"without a run, {kind.words.things} are told apart by the features of a frozen encoder, and the options "
            "name a network that is trained whole: leave that out, or give a run"
        )
    reader = reader.fitted(items)
    rows = _fixed(features(reader, items, cache, "cpu", tick), reader.per_feature)
    assert rows is not None
    return Opinions(rows, None)


def _fixed(examples: Examples, per_feature: bool) -> np.ndarray | None:
    """Features of each item, (n, d), the mean over its units; None where the network is trained whole.

    Args:
        examples: examples made of the items.
        per_feature: whether each feature has a scale of its own, by which it is then divided.
    """
    if not isinstance(examples, Features | WordFeatures):
        return None
    found: np.ndarray = examples.rows.flatten(1).cpu().numpy()
    if isinstance(examples, WordFeatures):
        counts = examples.counts()
        starts = np.cumsum(counts) - counts
        found = np.add.reduceat(found, starts, axis=0) / counts[:, None]
    if per_feature:
        spread = found.std(0)
        found = np.divide(found - found.mean(0), spread, out=np.zeros_like(found), where=spread > 0)
    return found


def _apart(p: np.ndarray) -> np.ndarray:
    """Difference of the two highest probabilities of each unit, (units,); of one class, 1."""
    if p.shape[1] < 2:
        return np.ones(len(p))
    best = np.partition(p, -2, axis=1)
    found: np.ndarray = best[:, -1] - best[:, -2]
    return found


def _keep_least(found: np.ndarray, least: np.ndarray, at: np.ndarray, p: np.ndarray, apart: np.ndarray) -> None:
    """Keep, of each item, the probabilities of its unit that is least sure so far.

    Args:
        found: probabilities of each item, (n, c), written to.
        least: how far apart the two highest of them are, (n,), written to.
        at: number of the item of each unit, (units,).
        p: probabilities of the units, (units, c).
        apart: how far apart the two highest are, (units,).
    """
    order = np.lexsort((apart, at))
    first = order[np.unique(at[order], return_index=True)[1]]
    less = first[apart[first] < least[at[first]]]
    found[at[less]], least[at[less]] = p[less], apart[less]
