"""A small problem like the one that is to be fitted, on which the parts of the fit are timed beforehand."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch

from tutelage.data import Features, WordFeatures
from tutelage.data.columns import spaced
from tutelage.fit.build import Building, Items
from tutelage.fit.problem import Problem
from tutelage.fit.teacher import BroughtTeacher
from tutelage.modalities.base import Encodes, Reader, features
from tutelage.weak import Source, Voted

FEW = 6
"""Items of each kind whose features are computed; the others are made of these and of noise."""

MOST_LABELLED, MOST_OF_POOL = 20_000, 2048
"""Items, at most, of a rehearsal on rows of features."""

MOST_NUMBERS = 20_000_000
"""Probabilities, at most, of a rehearsal's labelled items, and of its pool's."""

SAMPLE = 1000
"""Items, at most, whose length is looked at."""

WHOLE_LABELLED, WHOLE_OF_POOL = 48, 96
"""Items, at most, of a rehearsal in which a network is trained whole."""


@dataclass(frozen=True)
class Rehearsal:
    """A problem like the one that is to be fitted.

    Attributes:
        problem: the problem, whose steps take as long as those of the real one.
        labelled, pool: how many times as many units the real problem has as this one, at least 1.
        width: number of features of a unit; 0 where a network is trained whole.
        units: number of labelled units, and of the pool's, of the real problem, about.
    """

    problem: Problem
    labelled: float
    pool: float
    width: int
    units: tuple[int, int]


def rehearsal(building: Building) -> Rehearsal:
    """A small problem for a fit that is about to be built. Features of a few items alone are computed.

    Args:
        building: items on their way to the real problem.
    """
    items, build = building.items, building.build
    on_features = isinstance(build.reader, Encodes) and not build.whole
    most = (MOST_LABELLED, MOST_OF_POOL) if on_features else (WHOLE_LABELLED, WHOLE_OF_POOL)
    fewer = max(MOST_NUMBERS // items.task.classes, most[1] // 8)
    part = _part(items, min(most[0], fewer), min(most[1], fewer), single=len(items.y) == len(items.labelled))
    if on_features:
        known = build.cache if getattr(building.encoding, "missing", 1) == 0 else None
        problem = _on_noise(replace(build, cache=None).of(part), part, known)
    else:
        problem = replace(build, cache=None).of(part).problem()
    teacher = _teacher(part, problem)
    problem = problem if teacher is None else teacher.of(problem)
    labelled = len(items.labelled) / max(len(part.labelled), 1)
    pool = len(items.pool) / max(len(part.pool), 1)
    longer = _length(items.pool) / _length(part.pool[:FEW]) if items.task.sequential and on_features and pool else 1.0
    units = (len(items.y), round(int(problem.pool.counts().sum()) * pool * longer))
    rows = getattr(problem.labelled, "rows", None)
    return Rehearsal(problem, labelled, pool, int(rows.shape[1]) if on_features and rows is not None else 0, units)


def _length(items: Sequence[Any]) -> float:
    """Mean length of items, which are sequences of units; of many by a sample."""
    return float(np.mean([len(item) for item in spaced(items, SAMPLE)])) if len(items) else 1.0


def _part(items: Items, labelled: int, pool: int, single: bool) -> Items:
    """Some of the items, with what belongs to them."""
    n, m = len(items.labelled), len(items.pool)
    if single:
        index = np.arange(n) if n <= labelled else np.linspace(0, n - 1, labelled).astype(np.int64)
    else:
        index = np.arange(min(n, labelled))
    rows = np.arange(min(m, pool))
    some: dict[str, Any] = {
        name: values[at] if isinstance(values, np.ndarray) else [values[i] for i in at.tolist()]
        for name, values, at in (("labelled", items.labelled, index), ("pool", items.pool, rows))
    }
    both = np.concatenate([index, n + rows])
    groups = None if items.groups is None else items.groups.subset(index)
    kept = replace(
        items, **some, y=items.y[index] if single else items.y, truth=None, covered=None, target=None,
        sources=[_some(source, both) for source in items.sources], groups=groups,
    )  # fmt: skip
    if items.covered is None or items.target is None:
        return kept
    covered = items.covered[items.covered < len(rows)]
    share = len(items.target) / max(len(items.covered), 1)
    return replace(kept, covered=covered, target=items.target[: round(share * len(covered))])


def _some(source: Source | Voted, rows: np.ndarray) -> Source | Voted:
    return source.where(rows) if isinstance(source, Voted) else Source(source.name, source.table[rows])


def _on_noise(building: Building, part: Items, cache: Path | None) -> Problem:
    """The problem on features of a few items, repeated, each time with noise of their spread.

    Args:
        building: some of the items, on their way to a problem.
        part: these items.
        cache: folder for features where that holds all of them; None computes the few that are needed.
    """
    reader = building.build.reader
    assert isinstance(reader, Encodes)
    labelled = _noisy(reader, part.labelled, cache, 0)
    pool = _noisy(reader, part.pool if len(part.pool) else part.labelled, cache, 1)
    if not len(part.pool):
        pool = pool.subset(np.arange(0))
    if len(part.y) != len(part.labelled):  # several units each
        units = int(labelled.counts().sum())
        building.items = replace(part, y=np.resize(part.y, units))
    if part.covered is not None and part.target is not None:
        units = int(pool.counts()[part.covered].sum())
        building.items = replace(building.items, target=_resized(part.target, units))
    strong = [pool for _ in building.of_pool[1:]]
    return building._on_features(labelled, pool, *strong)


def _resized(target: np.ndarray, units: int) -> np.ndarray:
    return target[np.arange(units) % max(len(target), 1)]


def _noisy(reader: Reader, items: Sequence[Any], cache: Path | None, seed: int) -> Features | WordFeatures:
    """Examples as many as the items, made of the features of a few of them."""
    few: Any = items[:FEW] if isinstance(items, np.ndarray) else [items[i] for i in range(min(len(items), FEW))]
    assert isinstance(reader, Encodes)
    found = features(reader, few, cache).subset(np.arange(len(items)) % max(len(few), 1))
    spread = found.rows.std(0, keepdim=True) if len(found.rows) > 1 else torch.ones(1)
    noise = torch.randn(found.rows.shape, generator=torch.Generator().manual_seed(seed))
    rows = found.rows + (noise.to(found.rows.device) * spread).to(found.rows.dtype)
    return Features(rows) if isinstance(found, Features) else WordFeatures(rows, found.sizes)


def _teacher(part: Items, problem: Problem) -> BroughtTeacher | None:
    """A teacher like the one that is brought; what descriptions of the classes say is drawn at random."""
    sources = list(part.sources)
    if part.described is not None:
        said = np.random.default_rng(0).dirichlet(np.ones(problem.task.classes), len(part.labelled) + len(part.pool))
        sources.append(Source("descriptions", said))
    return BroughtTeacher(sources, problem.y) if sources else None
