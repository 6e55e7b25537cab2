"""From items and a reader to a problem that can be fitted: a head on features, or a network trained whole."""

from __future__ import annotations

import copy
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import nn

from tutelage.data import Examples, Features, Groups, WordFeatures
from tutelage.data.columns import evenly
from tutelage.fit.defaults import Defaults
from tutelage.fit.labels_only import Probe
from tutelage.fit.problem import Problem, WeakLabels
from tutelage.modalities.base import Encodes, Encoding, Reader
from tutelage.modalities.head import Head
from tutelage.tasks import Task
from tutelage.types import Tick
from tutelage.weak import Source, Voted

HIDDEN = 256
"""Units of the hidden layer of a head on fixed features."""

DROPOUT = 0.5
"""Share of its inputs and hidden units that such a head drops in training."""

ROWS_TO_STANDARDISE = 100_000
"""Rows of the pool, at most, from which the scale of features is taken."""

FITTED_ON = 200_000
"""Items of a pool on disk, at most, on which an encoder that needs it is fitted; evenly spaced."""

STRONG_COPIES = 2
"""Disturbed copies of the pool, for methods that read a strong view."""

STRONG_SHARE = 0.2
"""Share of the words, or of the numbers of a row, that a disturbed copy loses."""

Augment = Callable[[list[Any]], list[Any]]
"""Makes disturbed copies of a list of items, one of each."""


@dataclass(frozen=True)
class Items:
    """Items to learn from, as the user has them.

    Attributes:
        task: what is answered of them.
        labelled: items with labels.
        y: class numbers of their units, (units,).
        pool: items without labels.
        truth: class numbers of the pool's units where known, else -1; for the report only.
        covered: numbers of the pool's items that have weak labels; None where there are no such labels.
        target: weak labels of those items' units, rows of probabilities (units, c) or class numbers, -1 = unknown.
        sources: what each teacher, or the rules, said of the labelled items, and then of the pool's, so that a fold can
            combine them anew with its own labels; empty where there is none.
        described: sentences that describe each class, in the order of the classes; an encoder makes a further source
            of them. None where no class is described.
        shares: share of each class in the pool, (c,), as the user declared them; None: they are not declared.
        groups: which labelled items are copies of one, and which belong together; None: each is by itself.
        tested: mask of the pool's items that are copies of items to score on, (n,); None: there are none, or it is not
            known.
        selected: whether a selector chose the labelled items, so that they are like the pool's in no class.
    """

    task: Task
    labelled: Sequence[Any]
    y: np.ndarray
    pool: Sequence[Any]
    truth: np.ndarray | None = None
    covered: np.ndarray | None = None
    target: np.ndarray | None = None
    sources: Sequence[Source | Voted] = ()
    described: Sequence[Sequence[str]] | None = None
    shares: np.ndarray | None = None
    groups: Groups | None = None
    tested: np.ndarray | None = None
    selected: bool = False

    @property
    def labels(self) -> int:
        """Number of labelled items; copies of an item count once."""
        return len(self.labelled) if self.groups is None else self.groups.items

    @property
    def grouped(self) -> Groups | None:
        """The groups where they group anything."""
        return None if self.groups is None or self.groups.plain else self.groups

    def unit_weights(self, counts: np.ndarray) -> np.ndarray | None:
        """Weight of each labelled unit, (units,): copies of an item share its vote. None weighs all alike.

        Args:
            counts: number of units of each labelled item, (n,).
        """
        groups = self.grouped
        return None if groups is None or not groups.weighs else np.repeat(groups.weight, counts)

    @property
    def weak(self) -> bool:
        """Whether there are weak labels, or a teacher that gives them."""
        return self.covered is not None or bool(self.sources) or self.described is not None


@dataclass(frozen=True)
class Build:
    """How a problem is made of items.

    Attributes:
        reader: reads the items.
        views: names of the views of the pool that the method reads.
        defaults: of what is trained; they give the examples a step.
        whole: train a network on the items themselves, not a head on an encoder's features.
        cache: folder for features; None keeps nothing.
        device: of the examples.
        augment: makes a strong view of the items; None drops a share of their words or numbers.
    """

    reader: Reader
    views: Collection[str]
    defaults: Defaults
    whole: bool
    cache: Path | None
    device: torch.device | str = "cpu"
    augment: Augment | None = None

    def of(self, items: Items) -> Building:
        """Items on their way to a problem, after an encoder that needs them was fitted on them."""
        reader = self.reader
        if isinstance(reader, Encodes) and reader.encodes:
            reader = reader.fitted([*items.labelled, *evenly(items.pool, FITTED_ON)])
        return Building(replace(self, reader=reader), items)


@dataclass
class Building:
    """Items on their way to a problem; an encoder's features of them may be missing still.

    Attributes:
        encoding: the features on their way; None where no encoder is asked.
    """

    build: Build
    items: Items
    encoding: Encoding | None = field(init=False, default=None)
    _copies: list[Sequence[Any]] = field(init=False, default_factory=list)

    def __post_init__(self) -> None:
        reader, items = self.build.reader, self.items
        if not isinstance(reader, Encodes):
            return
        if "strong" in self.build.views and not self._augmentations:
            if self.build.augment is not None:
                self._copies = [_alike(self.build.augment(list(items.pool)), items.pool)]
            else:
                self._copies = [reader.disturbed(items.pool, STRONG_SHARE, seed) for seed in range(STRONG_COPIES)]
        parts = [items.labelled] if self.build.whole else [items.labelled, *self.of_pool]
        self.encoding = reader.encoding(parts, self.build.cache)

    @property
    def of_pool(self) -> list[Sequence[Any]]:
        """The pool, and its disturbed copies, which are encoded beside it."""
        return [self.items.pool, *self._copies]

    @property
    def _augmentations(self) -> dict[str, Any]:
        """Views that the loader draws anew in each batch."""
        whole = self.build.whole or not isinstance(self.build.reader, Encodes)
        return dict(self.build.reader.views(self.build.views)) if whole else {}

    def problem(self, tick: Tick | None = None) -> Problem:
        """The problem, after the missing features are computed."""
        device = self.build.device
        if self.encoding is not None and not self.build.whole:
            return self._on_features(*self.encoding.features(device, tick))
        (rows,) = self.encoding.features(device, tick) if self.encoding is not None else (None,)
        return self._whole(None if rows is None else rows_of(rows).cpu().numpy())

    def _on_features(
        self, labelled: Features | WordFeatures, pool: Features | WordFeatures, *strong: Features | WordFeatures
    ) -> Problem:
        """A head on rows of features, or the user's network on rows of any shape.

        Raises:
            ValueError: rows are not of one dimension each, and no network is given.
        """
        reader, items, defaults = self.build.reader, self.items, self.build.defaults
        assert isinstance(reader, Encodes)
        make = getattr(reader, "make", None)
        some = max(len(rows_of(pool)) // ROWS_TO_STANDARDISE, 1)  # every so many rows of a very large pool
        rows = torch.cat([rows_of(labelled), rows_of(pool)[::some]]).cpu()
        if make is None and rows.ndim != 2:
            raise ValueError(f"X must have two dimensions unless a network is given, got {rows.ndim}")
        weak, probe, head = self._weak(pool), None, make
        if rows.ndim == 2:
            found = blanks(rows, items.task.classes, reader.per_feature)
            weights = items.unit_weights(labelled.counts())
            probe = Probe(rows_of(labelled).cpu().numpy(), items.y, found, weight=weights)
            head = head or _HeadMaker(_centred(copy.deepcopy(found[""]), labelled, items, weak))
        assert head is not None
        return Problem(
            items.task, labelled, items.y, pool, _seeded(head), probe, decays=() if make is None else (1e-2, 1.0),
            truth=items.truth, batch_labelled=defaults.labelled, batch_unlabelled=defaults.unlabelled,
            device=self.build.device, threads=1 if make is None else None, strong=strong, weak=weak, reader=reader,
            shares=items.shares,
            selected=items.selected,
            groups=items.grouped,
        )  # fmt: skip

    def _whole(self, features: np.ndarray | None) -> Problem:
        """A network trained whole: an encoder fine-tuned, or a network that begins with random weights.

        Args:
            features: of the labelled units by the encoder as it is, for the linear model of the labels.
        """
        reader, items, defaults, device = self.build.reader, self.items, self.build.defaults, self.build.device
        classes, probe = items.task.classes, None
        labelled, pool, *strong = (reader.examples(p, device) for p in (items.labelled, items.pool, *self._copies))
        if features is not None and isinstance(reader, Encodes):
            blank = Head(features.shape[1], classes).standardise(torch.as_tensor(features), per_feature=False)
            weights = items.unit_weights(labelled.counts())
            probe = Probe(features, items.y, {"": blank}, reader.with_head, weights)
        return Problem(
            items.task, labelled, items.y, pool, _seeded(lambda: reader.network(classes)), probe,
            decays=(defaults.training.weight_decay,), truth=items.truth, batch_labelled=defaults.labelled,
            batch_unlabelled=defaults.unlabelled, device=device, strong=strong, weak=self._weak(pool),
            views=self._augmentations, reader=reader, shares=items.shares, groups=items.grouped,
            selected=items.selected,
        )  # fmt: skip

    def _weak(self, pool: Examples) -> WeakLabels | None:
        """The weak labels that stage I learns, where there are any."""
        if self.items.covered is None:
            return None
        target = torch.as_tensor(self.items.target, device=self.build.device)
        target = target.to(torch.get_default_dtype()) if target.is_floating_point() else target
        return WeakLabels(pool.subset(self.items.covered), target, self.items.covered)


def _alike(copies: list[Any], items: Any) -> Any:
    """Copies as the items are: a list, or an array."""
    return np.stack(copies) if isinstance(items, np.ndarray) else copies


def blanks(rows: torch.Tensor, classes: int, per_feature: bool) -> dict[str, Head]:
    """Linear heads without weights, standardised by the rows, by the name of the scaling; the first is "".

    Where each feature has a scale of its own, those that never change are silenced: a row with another value of one is
    told by the others alone.
    """
    scalings = {"": per_feature} | ({"one scale for all features": False} if per_feature else {})
    made = {name: Head(rows.shape[1], classes).standardise(rows, each) for name, each in scalings.items()}
    still = (rows == rows[:1]).all(0) & per_feature
    return {name: head.silence(still) for name, head in made.items()}


def _centred(head: Head, labelled: Examples, items: Items, weak: WeakLabels | None) -> Head:
    """A standardised head, centred between the classes of the labels, of weak ones where there are such."""
    rows, y = rows_of(labelled), items.y
    if weak is not None and items.target is not None:
        rows = rows_of(weak.examples)
        y = items.target.argmax(1) if items.target.ndim == 2 else items.target
    return head.centre_between(rows.cpu(), torch.tensor(y))


@dataclass(frozen=True)
class _HeadMaker:
    """Makes heads with random weights, standardised as a given one."""

    like: Head

    def __call__(self) -> Head:
        made = Head(int(self.like.shape["features"]), self.like.classes, HIDDEN, DROPOUT)
        made.mean.copy_(self.like.mean)
        made.scale.copy_(self.like.scale)
        return made


def _seeded(make: Callable[[], nn.Module]) -> Callable[[int], nn.Module]:
    """The same, given the seed of the random weights; torch's own random state is left alone."""

    def network(seed: int) -> nn.Module:
        with torch.random.fork_rng():
            torch.manual_seed(seed)
            return make()

    return network


def rows_of(examples: Examples) -> torch.Tensor:
    """The features of all units, (units, ...)."""
    assert isinstance(examples, Features | WordFeatures)
    return examples.rows


def require_logits(problem: Problem) -> None:
    """ValueError where a network of the user's does not give logits of the problem's classes."""
    network, few = problem.network(0).to(problem.device).eval(), np.arange(1)
    with torch.inference_mode():
        out = network(problem.labelled.take(few))
    shape, count = getattr(out, "shape", ()), int(problem.labelled.counts()[:1].sum())
    units = problem.task.units(out).shape if len(shape) > 1 else shape
    if tuple(units) != (count, problem.task.classes):
        expected = f"{problem.task.classes} logits for each of {count} units"
        raise ValueError(f"network must give {expected} of one example, got {tuple(shape) or type(out).__name__}")
