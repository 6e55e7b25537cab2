"""What a fit will take, stage by stage, told before it begins: each part is timed on a few steps or a few items."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

import numpy as np

from tutelage.fit import forecast as stages
from tutelage.fit.auto import MEMBERS, SHORT, Auto, possible, within
from tutelage.fit.auto_student import workers_for
from tutelage.fit.build import Building
from tutelage.fit.comparison import STANDARD
from tutelage.fit.defaults import How
from tutelage.fit.forecast import Stage
from tutelage.fit.held_out import Folds
from tutelage.fit.problem import Plan, Problem
from tutelage.fit.recorded import Records
from tutelage.fit.rehearsal import Rehearsal, rehearsal
from tutelage.fit.setup import Setup, silent
from tutelage.fit.teacher_paths import learnable
from tutelage.fit.together import PATIENCE
from tutelage.fit.trainings import NOTHING, Cost, on_folds, one_training
from tutelage.fit.weighing_cost import labels_only_seconds, weighing_seconds
from tutelage.methods import METHODS, Committee, Distil, Method, Supervised
from tutelage.methods.from_teacher import FromTeacher
from tutelage.train import Training

ROW_BYTES = 84
"""Bytes that a row of features takes on the disk beside its numbers: key, checksum and entry in the index."""

BYTES_SAID = 24.0
"""Bytes of a probability of the pool, which is held as logits, in order, as a logarithm and as a share, in float64."""

SHARES = 4
"""Methods of "auto" of which the student learns, as a rule."""


@dataclass(frozen=True)
class AdaptingCost:
    """Seconds that adapting the encoder takes.

    Attributes:
        each: seconds of one adaptation.
        row: seconds in which an adapted encoder encodes an item, beside others of its length.
        rows_of_a_fold: items of the pool that a fold's encoder encodes, at most.
        readings: distinct items that are encoded for an item of the pool, with its disturbed copies.
        parameters: number of the encoder's weights, which are written where it is worth adapting.
    """

    each: float
    row: float
    rows_of_a_fold: int
    readings: float = 1.0
    parameters: int = 0

    def seconds(self, folds: int, labels: int, pool: int) -> tuple[float, float]:
        """Seconds of the adaptations with the labelled items, and of the pool's encoding where adapting is worth it.

        Args:
            folds: number of folds; one adaptation more learns all labels.
            labels, pool: numbers of labelled items and of the pool's.
        """
        first = (folds + 1) * (self.each + labels * self.row)
        return first, (folds * min(pool, self.rows_of_a_fold) + pool) * self.readings * self.row


@dataclass
class Costs:
    """The costs of a fit's parts.

    Attributes:
        method: settled method, or the automatic choice.
        building: items on their way to the problem.
        how: training, evidence and examples a step.
        plan: plan of the evidence.
        records: records that the automatic choice knows.
        adapting: cost of adapting the encoder; None does not adapt it.
    """

    method: Method | Auto
    building: Building
    how: How
    plan: Plan
    records: Records
    adapting: AdaptingCost | None = None
    _known: dict[tuple[str, int], Cost] = field(default_factory=dict, init=False, repr=False)

    @cached_property
    def rehearsed(self) -> Rehearsal:
        """Small problem on which parts are timed."""
        return rehearsal(self.building)

    @property
    def probabilities(self) -> float:
        """Bytes of the probabilities of the pool's items, in the forms in which they are held at once."""
        items = self.building.items
        if items.task.dense or items.task.sequential:
            return 0.0
        return BYTES_SAID * len(items.pool) * items.task.classes

    @property
    def problem(self) -> Problem:
        """The small problem."""
        return self.rehearsed.problem

    @cached_property
    def training(self) -> Training:
        """Training of a network."""
        return self.how.long_enough(self.method, self.problem)

    @cached_property
    def taught(self) -> bool:
        """Whether a teacher was brought."""
        return self.problem.weak is not None

    @cached_property
    def learns(self) -> bool:
        """Whether the clean labels beside a teacher are learnt."""
        return learnable(self.problem)

    @cached_property
    def folds(self) -> int:
        """Number of the folds, over all repeats."""
        return len(self.parts)

    @cached_property
    def parts(self) -> Folds:
        """Folds of the small problem's labelled examples, over all repeats."""
        plan = self.method.plan(self.plan) if isinstance(self.method, Auto) else self.plan
        if self.taught and not self.learns:
            return []
        return self.problem.folds(plan, self.training.seed)

    def one(self, method: Method, name: str | None = None, free: bool = False, longer: int = 1) -> Cost:
        """Cost of one training of a method, timed once.

        Args:
            method: settled method.
            name: name under which it is kept; None is that of the method.
            free: whether it is trained without the teacher that was brought.
            longer: factor on the steps.
        """
        key = f"{name or method.name} {free}", longer
        if key not in self._known:
            self._known[key] = one_training(
                method, self._rehearsed(free), self._longer(longer), self.folds, self.plan.folds
            )
        return self._known[key]

    def on_folds(
        self, method: Method, name: str | None = None, free: bool = False, whole: bool = False,
        decays: Sequence[float] = (),
    ) -> Cost:  # fmt: skip
        """Cost of the trainings of a method on all folds, timed once, see `on_folds`.

        Args:
            method: settled method.
            name: name under which it is kept; None is that of the method.
            free: whether they are trained without the teacher that was brought.
            whole: whether the training on all labels is done beside them.
            decays: weight decays with each of which they are done; empty does them once.
        """
        key = f"{name or method.name} {free} folds {whole} {decays}", 1
        if key not in self._known:
            one = self.one(method, name, free)
            self._known[key] = on_folds(method, self._rehearsed(free), self.training, one, self.parts, whole, decays)
        return self._known[key]

    def _rehearsed(self, free: bool) -> Rehearsal:
        if not (free and self.taught):
            return self.rehearsed
        return replace(self.rehearsed, problem=self.free)

    @cached_property
    def free(self) -> Problem:
        """The small problem without the teacher that was brought."""
        return self.problem.without_teacher()

    def _longer(self, factor: int) -> Training:
        training = self.training
        return (
            training if factor == 1 else Setup(self.problem, training).trained(steps=training.steps * factor).training
        )

    def stages(self) -> Iterator[Stage]:
        """The stages of the fit from the encoding on, but for what comes after it."""
        yield self._encoding()
        if self.adapting is not None and self.folds:
            pool = len(self.building.items.pool) * self.method.uses_pool
            first, then = self.adapting.seconds(self.folds, len(self.building.items.labelled), pool)
            yield Stage(stages.ADAPTING, first + then, held=self._features() * (1 + (pool > 0)))
        yield self._labels_only()
        yield from self._auto() if isinstance(self.method, Auto) else self._one(self.method)
        yield self._weighing()

    def _features(self) -> float:
        """Bytes of all features in memory."""
        labelled, pool = self.rehearsed.units
        return 4.0 * self.rehearsed.width * (labelled + pool * len(self.building.of_pool))

    def _encoding(self) -> Stage:
        encoding, rows = self.building.encoding, self._features()
        if encoding is None or not getattr(self.building.build.reader, "encodes", False):
            return Stage(stages.ENCODING, held=rows)
        missing = encoding.missing
        each = encoding.seconds() / missing if missing else 0.0
        items = self.building.items
        units = sum(self.rehearsed.units) / max(len(items.labelled) + len(items.pool), 1)
        bytes_ = (4 * self.rehearsed.width + ROW_BYTES) * missing * units if self.building.build.cache else 0.0
        passing = float(getattr(encoding, "workspace", 0.0))
        return Stage(stages.ENCODING, each, missing, "items", rows, passing, bytes_)

    def _labels_only(self) -> Stage:
        probe, folds, again = self.problem.probe, self.folds, 1 + (self.adapting is not None and self.folds > 0)
        labels, classes = self.rehearsed.units[0], self.problem.task.classes
        seconds = (
            0.0
            if probe is None or not len(self.problem.labelled)
            else labels_only_seconds(probe, folds, self.plan.folds, labels)
        )
        if self.problem.decays and folds:
            alone = Supervised().settled(self.problem.task)
            seconds += self.on_folds(alone, free=True, decays=self.problem.decays).seconds
        tried = (len(probe.choices) if probe is not None else 0) + len(self.problem.decays) + 1
        return Stage(stages.LABELS, seconds * again, held=8.0 * labels * classes * tried * self._repeats * (folds > 0))

    @property
    def _repeats(self) -> float:
        return max(self.folds / max(self.plan.folds, 1), 1.0)

    def _one(self, method: Method) -> Iterator[Stage]:
        if self.taught:
            yield from self._after_teacher(method)
            return
        one, folds = self.one(method), self.folds
        on_features = 1 + (self.adapting is not None and folds > 0)
        together = folds > 0 and on_features == 1  # the training on all labels is done beside those on the folds
        on_adapted = one.times(folds * (on_features - 1))  # an encoder for each fold: one by one
        yield _stage(stages.FOLDS, self.on_folds(method, whole=together) + on_adapted if folds else NOTHING)
        yield _stage(stages.WHOLE, NOTHING if together else one)
        yield Stage(stages.WHOLE, one.once)
        if on_features > 1 and method.uses_pool:
            yield _stage(stages.WHOLE, self._together().times(0.5))  # where several count

    def _after_teacher(self, method: Method) -> Iterator[Stage]:
        """Stage I and the game; with labels learnt beside, these in each fold, on the features of each encoder."""
        first, game = self.one(Distil().settled(self.problem.task, True)), self.one(method)
        uses = method.uses_pool and not isinstance(method, FromTeacher)
        yield _stage(stages.WHOLE, first + (game if method.uses_pool else NOTHING))
        if not (self.folds and self.learns):
            return
        encoders = 1 if self.adapting is None else 2
        beside = first + game + self.one(method.settled(self.problem.task), free=True) if uses else game
        yield _stage(stages.FOLDS, beside.times(self.folds * encoders))  # a teacher's labels differ by fold: one by one
        yield _stage(stages.WHOLE, beside.times(0.5) + self._together())

    def _together(self) -> Cost:
        """Cost of the one student of several models; where there is no pool, or it is dense, there is none."""
        problem = self.problem
        if not len(problem.pool) or problem.task.dense:
            return NOTHING
        import torch

        units, classes = int(problem.pool.counts().sum()), problem.task.classes
        method = Committee(("several",), torch.full((units, classes), 1 / classes)).settled(problem.task)
        return self.one(method, "several", free=True, longer=PATIENCE)

    def _auto(self) -> Iterator[Stage]:
        """The search on two rungs, and the student of the best methods."""
        assert isinstance(self.method, Auto)
        if self.taught:
            yield from self._after_teacher(METHODS[STANDARD]().settled(self.problem.task, True))
        if not self.folds:
            return
        candidates = possible(Setup(self.free, self.training, tick=silent))
        gains = self.records.gains(list(candidates)).mean
        names = [list(candidates)[i] for i in np.argsort(-gains, kind="stable")]
        tried = names[: within(self.method.budget, self.folds, len(names))]
        each = {name: self.on_folds(candidates[name], name, free=True) for name in tried}
        short = sum((each[name] for name in tried), NOTHING).times(1 / SHORT)
        workers = workers_for(self.problem, len(tried))
        yield _stage(stages.SEARCH, short + sum((each[name] for name in tried[:MEMBERS]), NOTHING), workers)
        best = [self.one(candidates[name], name, free=True) for name in tried[:MEMBERS]]
        members = sum(best, NOTHING).times(min(SHARES, len(best)) / max(len(best), 1))
        yield _stage(stages.WHOLE, members, workers)
        yield _stage(stages.WHOLE, self._together())

    def _weighing(self) -> Stage:
        labels, pool = self.rehearsed.units
        classes, problem = self.problem.task.classes, self.problem
        looks = bool(len(problem.pool)) and not (problem.task.dense or problem.task.sequential or self.taught)
        both = looks and self.method.uses_pool and not isinstance(self.method, Auto) and self.rehearsed.width > 0
        seconds = weighing_seconds(labels, pool if looks else 0, classes, self._repeats, self.folds, both)
        return Stage(stages.WEIGHING, seconds, passing=self.probabilities)


def _stage(name: str, cost: Cost, workers: int = 1) -> Stage:
    """Stage of some trainings, whose progress is told in steps, and which so many processes share."""
    ticks = max(cost.ticks, 1.0)
    return Stage(name, cost.seconds / ticks / workers, ticks, "steps", passing=cost.passing)


def about_training(costs: Costs) -> str:
    """The trainings that a fit takes, in a sentence."""
    method, items = costs.method, costs.building.items
    problem, training = costs.problem, costs.training
    pool, labels, folds = len(items.pool), items.labels, costs.folds
    if isinstance(method, Auto):
        return (
            f"Choosing a method for {labels} labels and a pool of {pool}: at most {method.budget:g} trainings of "
            f"{training.steps} steps{_of_adapting(costs)}."
        )
    check = f"{folds} of them on parts of the labels, for the evidence" if folds else "no evidence gathered"
    fits = 1 + folds
    if costs.taught:
        check = (
            "stage I comes before; then clean labels looked at, or learnt beside: the folds choose" if costs.learns
            else "stage I comes before; the clean labels are only looked at, since a class has fewer than two"
            if len(items.labelled) else "stage I comes before"
        )  # fmt: skip
    single = len(items.y) == len(items.labelled)
    groups = items.grouped
    first: Any = items.y if groups is None or not single else items.y[groups.first(items.y)]
    each = np.unique(first, return_counts=True)[1] if single else np.zeros(0, dtype=np.int64)
    some = f"{each.min()} to {each.max()}" if labels and single and each.min() < each.max() else each.max(initial=0)
    spread = f"{some} a class, " if single and labels else ""
    return (
        f"Training {method.name} on {labels} labels ({spread}{problem.task.classes} classes) and a pool of {pool}: "
        f"{fits} training{'s' * (fits > 1)} of {training.steps} steps ({check}){_of_adapting(costs)}."
    )


def _of_adapting(costs: Costs) -> str:
    return "" if costs.adapting is None or not costs.folds else f"; {costs.folds + 1} adaptations of the encoder"


def about_reading(building: Building, things: str, later: int = 0) -> str:
    """How the items are read; for an encoder how many are to be encoded.

    Args:
        building: the items, on their way to a problem.
        things: word for the items, in the plural.
        later: number of test items, which are read at the end.
    """
    reader, device, encoding = building.build.reader, building.build.device, building.encoding
    if encoding is None:
        h, w = getattr(reader, "size", (0, 0))
        return f"Training {reader.says} from nothing on images of {w} x {h} pixels, on {device}."
    if not getattr(reader, "encodes", False):
        return f"Reading {things} as they are, on {device}."
    count = encoding.missing
    left = f"{count} {things} to encode" if count else ""
    left += f", then {later} to test" if count and later else ""
    precision = getattr(reader, "precision", "")
    within = f" in {precision}" if precision else ""
    return f"Reading with {reader.says}{within} on {device}: {left or 'all features are in the cache'}."
