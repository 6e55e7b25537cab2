"""From texts, sentences, images, features or any network to a problem that can be fitted, with its defaults."""

from __future__ import annotations

import copy
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import nn

from tutelage.data import Examples, Features, WordFeatures
from tutelage.data.view_loader import Augmentation
from tutelage.fit.defaults import BATCHES, DEFAULTS, SENTENCES_A_BATCH
from tutelage.fit.labels_only import Probe
from tutelage.fit.problem import Problem, Weak
from tutelage.modalities.base import Encodes, Reader, Tick
from tutelage.modalities.head import Head
from tutelage.tasks import Task

HIDDEN, DROPOUT = 256, 0.5
"""Of the head on fixed features."""

ROWS_TO_STANDARDISE = 100_000


STRONG_COPIES, STRONG_SHARE = 2, 0.2
"""Disturbed copies of the pool for methods that read a strong view, and the share of words dropped in them."""


@dataclass(frozen=True)
class Items:
    """What is to be learnt from, as the user has it: texts, or sentences of words.

    Attributes:
        labelled, y: items and the class numbers of their units (units,).
        pool: items without labels; truth: class numbers of their units where known, else -1.
        covered: numbers of the pool's items that have weak labels; None where there are no such labels.
        target: of those items' units, rows of probabilities (units, c) or class numbers, -1 = unknown.
    """

    task: Task
    labelled: Sequence[Any]
    y: np.ndarray
    pool: Sequence[Any]
    truth: np.ndarray | None = None
    covered: np.ndarray | None = None
    target: np.ndarray | None = None


@dataclass(frozen=True)
class Data:
    """The same as examples that a network eats."""

    task: Task
    labelled: Examples
    y: np.ndarray
    pool: Examples
    truth: np.ndarray | None = None
    strong: Sequence[Examples] = ()
    covered: np.ndarray | None = None
    target: np.ndarray | None = None
    device: torch.device | str = "cpu"

    def weak(self) -> Weak | None:
        """Stage I, where there are weak labels."""
        if self.covered is None:
            return None
        target = torch.as_tensor(self.target, device=self.device)
        target = target.to(torch.get_default_dtype()) if target.is_floating_point() else target
        return Weak(self.pool.subset(self.covered), target)


def on_features(data: Data, per_feature: bool, network: Callable[[], nn.Module] | None = None) -> Problem:
    """A head on rows of features (or the user's network on rows of any shape).

    Args:
        per_feature: standardise each feature by its own spread, not all by one; the linear reference chooses.
        network: makes the network; by default a perceptron with one hidden layer.
    """
    labelled, pool = rows_of(data.labelled), rows_of(data.pool)
    some = max(len(pool) // ROWS_TO_STANDARDISE, 1)  # every so many rows of a very large pool
    rows = torch.cat([labelled, pool[::some]]).cpu()
    flat, classes = rows.ndim == 2, data.task.classes
    scalings = {"": per_feature} | ({"one scale for all features": False} if per_feature else {})
    blanks = {n: Head(rows.shape[1], classes).standardise(rows, each) for n, each in scalings.items()} if flat else {}
    blank = blanks.get("")
    centre = _centred(copy.deepcopy(blank), data) if blank is not None and network is None else None

    def head(seed: int) -> nn.Module:
        with torch.random.fork_rng():
            torch.manual_seed(seed)
            if network is not None:
                return network()
            assert centre is not None
            made = Head(rows.shape[1], classes, HIDDEN, DROPOUT)
        made.mean.copy_(centre.mean)
        made.scale.copy_(centre.scale)
        return made

    if network is None and not flat:
        raise ValueError(f"X must have two dimensions unless a network is given, got {rows.ndim}")
    probe = Probe(labelled.cpu().numpy(), data.y, blanks) if flat else None
    return Problem(
        data.task, data.labelled, data.y, data.pool, head, probe,
        decays=() if network is None else (1e-2, 1.0), truth=data.truth, device=data.device,
        threads=1 if network is None else None, strong=data.strong, weak=data.weak(),
        **(SENTENCES_A_BATCH if isinstance(data.pool, WordFeatures) else {}),
    )  # fmt: skip


def _centred(head: Head, data: Data) -> Head:
    """A standardised head, centred between the classes of the labels, weak ones where there are such."""
    rows, y = rows_of(data.labelled), data.y
    if data.covered is not None and data.target is not None:
        rows = rows_of(data.pool.subset(data.covered))
        y = data.target.argmax(1) if data.target.ndim == 2 else data.target
    return head.centre_between(rows.cpu(), torch.tensor(y))


def rows_of(examples: Examples) -> torch.Tensor:
    """The features of all units, (units, ...)."""
    assert isinstance(examples, Features | WordFeatures)
    return examples.rows


def whole(
    data: Data, reader: Reader, features: np.ndarray | None = None, views: Mapping[str, Augmentation] | None = None
) -> Problem:
    """A network trained whole: a transformer or a backbone fine-tuned, or one that begins with random weights.

    Args:
        features: of the labelled units by the encoder as it is, for the linear contender.
        views: of images.
    """
    classes = data.task.classes
    probe = None
    if features is not None and isinstance(reader, Encodes):
        blank = Head(features.shape[1], classes).standardise(torch.as_tensor(features), per_feature=False)
        probe = Probe(features, data.y, {"": blank}, reader.with_head)

    def network(seed: int) -> nn.Module:
        with torch.random.fork_rng():
            torch.manual_seed(seed)
            return reader.network(classes)

    labelled, unlabelled = BATCHES.get(getattr(reader, "name", reader.kind), BATCHES["small_cnn"])
    return Problem(
        data.task, data.labelled, data.y, data.pool, network, probe,
        decays=(DEFAULTS[reader.kind][0].weight_decay,), truth=data.truth, batch_labelled=labelled,
        batch_unlabelled=unlabelled, device=data.device, strong=data.strong, weak=data.weak(), views=views or {},
    )  # fmt: skip


def read(
    items: Items, reader: Reader, names: Collection[str], finetune: bool, cache: Path,
    device: torch.device | str = "cpu", tick: Tick | None = None,
    disturb: Callable[[list[Any]], list[Any]] | None = None,
) -> Problem:  # fmt: skip
    """The problem of learning from texts, sentences or images.

    Args:
        names: of the views of the pool that a method reads.
        finetune: train the encoder too, not only a head on its features.
        disturb: makes a strong view of the items; by default a share of their words is dropped.
    """

    def data(examples: Examples, pool: Examples, strong: Sequence[Examples] = ()) -> Data:
        return Data(items.task, examples, items.y, pool, items.truth, strong, items.covered, items.target, device)

    views = reader.views(names) if finetune or not isinstance(reader, Encodes) else {}
    if not isinstance(reader, Encodes):
        labelled, pool = (reader.examples(part, device) for part in (items.labelled, items.pool))
        return whole(data(labelled, pool), reader, None, views)
    copies: list[Sequence[Any]] = []
    if "strong" in names and not views:
        if disturb:
            copies = [disturb(list(items.pool))]
        else:
            copies = [reader.disturbed(items.pool, STRONG_SHARE, s) for s in range(STRONG_COPIES)]
    count = len(items.labelled)
    everything = [*items.labelled, *([] if finetune else [*items.pool, *(i for c in copies for i in c)])]
    features = reader.features(everything, cache, device, tick)
    rows = features.subset(np.arange(count))
    if finetune:
        labelled, pool, *strong = (reader.examples(part, device) for part in (items.labelled, items.pool, *copies))
        return whole(data(labelled, pool, strong), reader, rows_of(rows).cpu().numpy(), views)
    size = len(items.pool)
    parts = [features.subset(np.arange(count + i * size, count + (i + 1) * size)) for i in range(1 + len(copies))]
    return on_features(data(rows, parts[0], parts[1:]), per_feature=False)


def disturbed_rows(rows: torch.Tensor, disturb: Callable[[list[Any]], list[Any]] | None) -> list[Features]:
    """Strong views of rows of features: a share of the features replaced by those of another row."""
    if disturb is not None:
        return [Features(torch.as_tensor(np.stack(disturb(list(rows.cpu().numpy())))).to(rows.device))]
    copies = []
    for seed in range(STRONG_COPIES):
        generator = torch.Generator().manual_seed(seed)
        swapped = rows[torch.randperm(len(rows), generator=generator).to(rows.device)]
        dropped = (torch.rand(rows.shape, generator=generator) < STRONG_SHARE).to(rows.device)
        copies.append(Features(torch.where(dropped, swapped, rows)))
    return copies


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
