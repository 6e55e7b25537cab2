"""The one way from items to a fitted model, and what it says beforehand: what will be done, and what it takes."""

from __future__ import annotations

import tempfile
from collections.abc import Collection
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch

from tutelage.adapting.how import Adapting
from tutelage.data.columns import evenly
from tutelage.fit.adapting import AdaptedFeatures, Finish, can_adapt
from tutelage.fit.auto import Auto
from tutelage.fit.build import FITTED_ON, Augment, Build, Items, require_logits
from tutelage.fit.cost import Costs, about_reading, about_training
from tutelage.fit.defaults import How
from tutelage.fit.encoders import TriedEncoder, in_words, try_encoders
from tutelage.fit.fit import Outcome, fit, threads, without_pool
from tutelage.fit.forecast import ENCODERS, ENCODING, PROBE, TEACHER, WEIGHING
from tutelage.fit.foresight import Closing, foreseen
from tutelage.fit.leaking import Leaking, leaking
from tutelage.fit.ledger import Ledger, gathering
from tutelage.fit.onward import FEWER, Start, go_on
from tutelage.fit.pinned import pinned
from tutelage.fit.problem import Plan, Problem
from tutelage.fit.recorded import Records, recorded_prior
from tutelage.fit.setup import MemoryStore, Store, StoredPart, silent
from tutelage.fit.sparing import Gain, spared
from tutelage.fit.teacher import brought
from tutelage.methods import Method
from tutelage.modalities.base import Encodes, Reader
from tutelage.ops.meter import metered, stage
from tutelage.ops.said import warn
from tutelage.train import Training, ready_to_train
from tutelage.types import Say, Tick
from tutelage.weak import Source


@dataclass(frozen=True)
class Wiring:
    """How items become a problem, whatever their kind.

    Attributes:
        readers: readers of the items; of several the labels choose one, see `encoders.choose_encoder`.
        how: training, evidence and examples a step.
        whole: train a network on the items themselves, not a head on an encoder's features.
        record: the name under which benchmarks of such fits are recorded.
        things: what the items are, in words, such as "texts".
        own_network: the network is the user's own, so that its outputs are looked at first.
        adapt: how the encoder is adapted to the labels; None leaves it as it is.
        gain: how much faster bfloat16 is than float32 on a type of device, by a probe.
    """

    readers: tuple[Reader, ...]
    how: How
    whole: bool
    record: str
    things: str
    own_network: bool = False
    adapt: Adapting | None = None
    gain: Gain = field(default=lambda device: 1.0)

    @property
    def reader(self) -> Reader:
        """The usual reader."""
        return self.readers[0]

    def onward(self, start: Start) -> Wiring:
        """The same for a fit that goes on from a model: its reader, fewer steps unless they are named, no evidence."""
        how = replace(self.how, plan=replace(self.how.plan, skip=True), shorter=FEWER)
        return replace(self, readers=(start.reader,), how=how, adapt=None)

    def build(
        self, reader: Reader, views: Collection[str], cache: Path | None, device: torch.device | str = "cpu",
        augment: Augment | None = None,
    ) -> Build:  # fmt: skip
        """What makes a problem of items that a reader reads."""
        return Build(reader.to(device), views, self.how.defaults, self.whole, cache, device, augment)


@dataclass(frozen=True)
class Fitted:
    """A fit that was done, and the problem that it was done on.

    Attributes:
        outcome: the networks, and the evidence between them.
        problem: the problem.
        training: of each network.
        reader: reader of the items for the returned network, after its encoder was fitted or adapted.
        teacher: plain values about a brought teacher, see `BroughtTeacher.about`; empty where there was none.
        encoders: the encoders that were tried; empty where there was no choice.
        leaking: what the held-out score would have read with copies on both sides of a split; None without copies.
        ledgers: the pseudo-labels that each training on all labels learnt from; none where it learnt from no pool.
    """

    outcome: Outcome
    problem: Problem
    training: Training
    reader: Reader
    teacher: dict[str, Any] = field(default_factory=dict)
    encoders: list[TriedEncoder] = field(default_factory=list)
    leaking: Leaking | None = None
    ledgers: tuple[Ledger, ...] = ()

    def weak(self, about: dict[str, Any]) -> dict[str, Any]:
        """Statistics of the weak labels: those of the data, and what the fit learnt of the teachers."""
        return about | self.teacher


def fit_rows(
    items: Items, wiring: Wiring, method: Method | Auto, cache: Path | None, *, device: torch.device | str = "cpu",
    augment: Augment | None = None, store: Store | None = None, tick: Tick | None = None, say: Say | None = None,
    foretell: Say | None = None, without: Collection[str] = (), later: int = 0, closing: Closing | None = None,
    start: Start | None = None,
) -> Fitted:  # fmt: skip
    """Fit a method on items.

    Args:
        method: with its hyper-parameters, some of which may be left open.
        cache: folder for features; None keeps nothing.
        augment: makes a strong view of a list of items; None drops words or numbers at random.
        store: keeps finished parts, so that a stopped fit goes on where it was.
        tick: told the progress.
        say: told in sentences what is done; without it nothing is timed beforehand, but for a bar of the whole run.
        foretell: told how long what is about to be done takes; None tells ``say``.
        without: data sets whose records the automatic choice may not know.
        later: number of test items, which are read after the fit, for the sentence on what is to be encoded.
        closing: function that gives the stages of the run that come after the fit; None where nothing does.
        start: model of an earlier fit that this one goes on from: no evidence is gathered, and no encoder chosen or
            adapted. None begins anew.

    Raises:
        ValueError: the method cannot learn such a task; a class has fewer than two labels and evidence is wanted.
        NoRoomError: the fit would fill far more memory than there is.
    """
    pins, store, records = store, store or MemoryStore(), Records(wiring.record, without)
    wiring = wiring if start is None else wiring.onward(start)
    settled = method.settled(items.task, items.weak)
    chosen = without_pool(settled, items.pool)
    if say and settled.uses_pool and not chosen.uses_pool:
        say(f"There are no unlabelled {wiring.things}: only the labels are learnt from.")
    wiring = replace(wiring, how=spared(wiring.how, chosen, wiring.gain, device, store, say))
    if say and items.weak and not len(items.labelled):
        say("No row has a clean label: nothing can measure whether this helps. Some 30 labels a class would.")
    with stage(ENCODERS):
        taken, encoders = chosen_reader(items, wiring, cache, records, store, say, tick)
    require_unseen(items, taken, wiring)
    building = wiring.build(taken, chosen.views, cache, device, augment).of(items)
    reader = building.build.reader
    building.encoding = pinned(reader, building.encoding, pins, "features")
    if say is None or reader.says != wiring.reader.says:  # who says things has said it of the first reader
        tell_how_read(reader, items, say or warn)
    meter, several = metered(), wiring.adapt is not None or len(items.sources) > 0 or items.described is not None
    plan = wiring.how.plan_for(several)
    if say or (meter is not None and meter.shown):
        ready_to_train()
        with stage(PROBE):
            costs = Costs(chosen, building, wiring.how, plan, records)
            told = foreseen(costs, wiring.adapt, closing)
        if say and told is not None:
            for line in (about_reading(building, wiring.things, later), about_training(costs), told.words()):
                (foretell or say)(line)
    with stage(ENCODING):
        problem = building.problem(tick)
    if wiring.own_network:
        require_logits(problem)
    with stage(TEACHER):
        teacher = brought(items, problem, cache, pins, isinstance(chosen, Method) and chosen.spares_tested, say)
        finish: Finish = (lambda problem: problem) if teacher is None else teacher.of
        problem = finish(problem)
    training = wiring.how.long_enough(chosen, problem)
    prior = recorded_prior(chosen.name, wiring.record)
    with tempfile.TemporaryDirectory() as scratch:
        adapted = None
        if wiring.adapt is not None and can_adapt(items, problem, say):
            adapted = AdaptedFeatures(
                items, problem.labelled, building.build, wiring.adapt, training.seed, store, tick or silent, finish,
                Path(scratch),
            )  # fmt: skip
        problems = None if adapted is None else adapted.problems()
        with gathering() as ledgers:
            if start is None:
                outcome = fit(problem, chosen, training, prior, plan, store, tick, records, problems)
            else:
                outcome = go_on(problem, chosen, training, start, store, tick)
    flattered = _flattered(items, problem, outcome, plan, training.seed, say)
    about = {} if teacher is None else teacher.about
    read = outcome.problem.reader or reader
    return Fitted(outcome, problem, training, read, about, encoders, flattered, tuple(ledgers.values()))


def _flattered(
    items: Items, problem: Problem, outcome: Outcome, plan: Plan, seed: int, say: Say | None
) -> Leaking | None:
    """What the held-out score would have read with copies on both sides of a split, which is said; None without any."""
    if items.groups is None or outcome.evidence is None:
        return None
    with threads(problem.threads), stage(WEIGHING):
        found = leaking(problem, items.groups, outcome.reference_choice, plan, seed)
    if say and found is not None and found.words():
        say(found.words())
    return found


def tell_how_read(reader: Reader, items: Items, tell: Say) -> None:
    """Tell what looks odd about the way in which a reader reads items, such as texts that it does not know.

    Args:
        reader: reader of the items.
        items: items to learn from.
        tell: called with a sentence for each oddity.
    """
    told = reader.reads(evenly(items.pool, FITTED_ON) if len(items.pool) else items.labelled)
    for question in () if told is None else told.questions:
        tell(question.in_python().line())


def require_unseen(items: Items, reader: Reader, wiring: Wiring) -> None:
    """Check that neither the encoder nor a teacher has learnt labels that the evidence would hold out.

    Raises:
        ValueError: one has.
    """
    if wiring.how.plan.skip:
        return
    for source in items.sources:
        told = source.learnt if isinstance(source, Source) else None
        if told is not None and (count := int(told[: len(items.labelled)].sum())):
            raise ValueError(
                f"teacher {source.name!r} learnt the labels of {count} of these {len(items.labelled)} {wiring.things}, "
                "so that none of them can be held out: bring a teacher that learnt others, or pass --no-evidence"
            )
    seen = reader.seen(items.labelled) if isinstance(reader, Encodes) else 0
    if seen:
        raise ValueError(
            f"encoder {reader.says} was adapted to the labels of {seen} of these {len(items.labelled)} "
            f"{wiring.things}, so that none of them can be held out: pass --adapt with the encoder as it was before, "
            "which adapts in each fold anew, or --no-evidence"
        )


def chosen_reader(
    items: Items, wiring: Wiring, cache: Path | None, records: Records, store: Store, say: Say | None, tick: Tick | None
) -> tuple[Reader, list[TriedEncoder]]:
    """The reader that the labels choose, and what was seen of each; the usual one where labels cannot choose.

    An encoder that cannot be adapted is not tried where others can and the fit adapts or classes are described: the
    frozen folds do not see what adapting is worth, and such an encoder knows no meaning of a sentence. The choice is a
    part of the store, since it depends on a clock, too.

    Raises:
        ValueError: a stopped fit had chosen an encoder that is not here any more.
    """
    plan, seed = wiring.how.plan, wiring.how.training.seed
    readers = {reader.says: reader for reader in wiring.readers if isinstance(reader, Encodes)}
    if wiring.adapt is not None or items.described is not None:
        readers = {name: reader for name, reader in readers.items() if reader.adapts} or readers
    if len(readers) < 2 or not len(items.labelled):
        return wiring.reader, []
    counts = np.unique(items.y, return_counts=True)[1]
    if plan.skip or len(counts) < 2 or counts.min() < 2:
        if say:
            say(f"Encoder: {wiring.reader.says}. The labels are too few to choose by: two of each class are needed.")
        return wiring.reader, []

    def compute(_: Path | None) -> StoredPart:
        each = list(readers.values())
        found = try_encoders(each, items, plan, seed, cache, records, say or (lambda line: None), tick)
        return {}, [asdict(tried) for tried in found]

    tried = [TriedEncoder(**values) for values in store.once("encoder", compute)[1]]
    if say:
        say(in_words(tried))
    (name,) = [t.name for t in tried if t.chosen]
    if name not in readers:
        raise ValueError(
            f"encoder {name}, chosen before the run stopped, is not here any more: fetch it, or begin anew"
        )
    return readers[name], tried
