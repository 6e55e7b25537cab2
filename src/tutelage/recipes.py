"""From texts, sentences, images, features or any network to a problem that can be fitted, with its defaults."""

from __future__ import annotations

import copy
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import nn

from tutelage.data import Examples, Features, WordFeatures
from tutelage.data.image_loader import Augmentation
from tutelage.methods import Method
from tutelage.models.heads import Head
from tutelage.models.readers import Encodes, Reader, Tick
from tutelage.ops.checks import in_range
from tutelage.problem import Plan, Problem, Weak
from tutelage.reference import Probe
from tutelage.tasks import Task
from tutelage.train import Training

HIDDEN, DROPOUT = 256, 0.5
"""Of the head on fixed features."""

ROWS_TO_STANDARDISE = 100_000

ON_FEATURES = Training(steps=300, lr=3e-3, weight_decay=1.0)
"""For heads on fixed features: about a second on two cores."""

EPOCHS, MOST_STEPS = 10, 3000
"""Of a head on fixed features that learns from many labels alone."""

SENTENCES_A_BATCH: dict[str, Any] = {"batch_labelled": 16, "batch_unlabelled": 32}
"""Of words there are as many as of texts in the batches of texts."""

WHOLE = Training(steps=100, lr=5e-5, lr_scale={"head.": 20.0}, weight_decay=1e-2)
"""For a transformer trained whole, its head faster than its body."""

FROM_NOTHING = Training(steps=600, lr=3e-3, weight_decay=1e-2)
"""For a network of images that begins with random weights."""

BACKBONE_WHOLE = replace(FROM_NOTHING, steps=200, lr=2e-4, lr_scale={"head.": 10.0})
"""For a backbone trained on, its head faster."""

PLAN_ON_FEATURES = Plan(folds=5, repeats=2)
PLAN_WHOLE = Plan(folds=2, repeats=1)

DEFAULTS = {
    "features": (ON_FEATURES, PLAN_ON_FEATURES), "text": (WHOLE, PLAN_WHOLE), "words": (WHOLE, PLAN_WHOLE),
    "image": (BACKBONE_WHOLE, PLAN_WHOLE), "pixels": (FROM_NOTHING, PLAN_WHOLE),
}  # fmt: skip
"""By what is trained: a head on features, or the network of a kind of reader, whole."""

BATCHES = {"text": (16, 32), "words": (16, 32), "image": (16, 32), "small_cnn": (32, 64), "unet": (4, 4)}
"""Labelled and unlabelled examples a step of a network that is trained whole."""

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


def pick_device(asked: str) -> torch.device:
    """Give a GPU where there is one for "auto"; anything else as torch names it."""
    if asked == "auto":
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    try:
        return torch.empty(0, device=asked).device
    except (RuntimeError, AssertionError) as e:
        raise ValueError(f"device must be auto, cpu, cuda or another that torch has here, got {asked!r}") from e


def how(
    trained: str,
    seed: int,
    steps: int | None = None,
    lr: float | None = None,
    folds: int | None = None,
    repeats: int | None = None,
    evidence: bool = True,
) -> tuple[Training, Plan]:
    """Give the defaults for what is trained, one of `DEFAULTS`, with what the user asked for instead.

    Raises:
        ValueError: a value is out of its range.
    """
    in_range("seed", seed, 0, 2**32 - 1)
    training, plan = DEFAULTS[trained]
    asked = {"steps": steps, "lr": lr}
    training = replace(training, seed=seed, **{k: v for k, v in asked.items() if v is not None})  # type: ignore[arg-type]
    counts = {"folds": folds, "repeats": repeats}
    return training, replace(plan, skip=not evidence, **{k: v for k, v in counts.items() if v is not None})


def kind_of_record(of: str, weak: bool = False, finetuned: bool = False, network: str | None = None) -> str:
    """Under which name benchmarks of such fits are recorded, for the evidence's prior.

    >>> kind_of_record("text", weak=True), kind_of_record("image", network="small_cnn")
    ('weak text', 'small_cnn image')
    """
    return " ".join(filter(None, ("weak" * weak, "finetuned" * finetuned, network, of)))


def long_enough(training: Training, method: Method, problem: Problem) -> Training:
    """As many steps in each round, where a round begins with a fresh network, as in all for other methods.

    A head on features that learns from labels alone sees each of many labels EPOCHS times, within MOST_STEPS.
    """
    steps = training.steps
    if not method.uses_pool and problem.probe is not None:
        labels = len(problem.labelled if problem.weak is None else problem.weak.examples)
        steps = max(steps, min(EPOCHS * labels // problem.batch_labelled, MOST_STEPS))
    return replace(training, steps=steps * (method.training_rounds if method.restarts else 1))
