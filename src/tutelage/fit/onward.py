"""A fit that goes on from the model of an earlier one, on all labels and the whole pool, old and new."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn

from tutelage.fit.auto import Auto
from tutelage.fit.calibration import NONE
from tutelage.fit.contender import Contender
from tutelage.fit.fit import NOTHING_HELD_OUT, Outcome, threads
from tutelage.fit.forecast import LABELS, WHOLE
from tutelage.fit.problem import Problem
from tutelage.fit.reference import named_model
from tutelage.fit.setup import MemoryStore, Setup, Store, silent
from tutelage.methods import Method, Supervised
from tutelage.modalities.base import Reader
from tutelage.modalities.head import Head
from tutelage.ops.meter import stage
from tutelage.train import Training
from tutelage.train.mixture import Mixture
from tutelage.train.run import Answering, body_of
from tutelage.types import Tick

FEWER = 3
"""How many times as many steps a training takes that begins anew as one that goes on, unless the user says a number."""

LABELS_ALONE = ("reference", "adapted")
"""What a fit that returned a model of the labels alone says that it returned."""


@dataclass(frozen=True)
class Start:
    """The model of an earlier fit, from which another goes on.

    Attributes:
        network: its network.
        reader: reader of its items, with the encoder fitted or adapted as the model knows it.
        returned: which model it is, as `Outcome.returned`.
        choice: name of the labels-only model that it was compared with, or is.
        temperature: number by which its logits are divided, above 0.
        reference: labels-only model beside it; None where there is none, or where it is itself of the labels alone.
        shares: share of each class among the labels that it learnt, (c,), where it was moved from these to the pool's
            shares; None where it was not.
    """

    network: nn.Module
    reader: Reader
    returned: str = "candidate"
    choice: str = ""
    temperature: float = 1.0
    reference: nn.Module | None = None
    shares: np.ndarray | None = None

    @property
    def labels_alone(self) -> bool:
        """Whether it learnt the labels alone."""
        return self.returned in LABELS_ALONE

    @property
    def student(self) -> nn.Module:
        """The network that was trained: of two that answer together the student, not the labels-only model."""
        return _last(self.network)

    @property
    def share(self) -> float | None:
        """How much the student counts beside the labels-only model, in [0, 1]; None: it answers alone."""
        both = self.network
        return float(both.shares[-1]) if isinstance(both, Mixture) and len(both.parts) > 1 else None

    def require_method(self, method: Method) -> None:
        """Check that a method's network is such as this one.

        Args:
            method: settled method by which the training goes on.

        Raises:
            ValueError: the one answers by modules that the other has not.
        """
        if self.labels_alone:
            return
        student = self.student
        own = student.method.name if isinstance(student, Answering) else None
        wanted = method.name if type(method).answer is not Method.answer else None
        if own != wanted:
            has = f"the network of the model before answers by modules of {own}" if own else (
                f"{method.name} answers by modules of its own, which the network of the model before has not"
            )  # fmt: skip
            raise ValueError(f"{has}: go on with {own or 'its method'}, or fit anew, without a model to go on from")

    def require_width(self, problem: Problem) -> None:
        """Check that an item has as many features as the network reads.

        Raises:
            ValueError: it has not.
        """
        body, rows = body_of(self.student), getattr(problem.labelled, "rows", None)
        if isinstance(body, Head) and isinstance(rows, Tensor) and rows.shape[-1] != body.width:
            raise ValueError(
                f"an item has {rows.shape[-1]} features, but the model before was fitted on {body.width}: give the "
                "same columns, or fit anew, without a model to go on from"
            )


def go_on(
    problem: Problem, method: Method | Auto, training: Training, start: Start, store: Store | None = None,
    tick: Tick | None = None,
) -> Outcome:  # fmt: skip
    """Train on from an earlier model, on all labels and the whole pool; no evidence is gathered.

    The earlier model has seen the earlier labels, so that to hold these out would flatter. The labels-only model of the
    same name learns all labels. Where the earlier model is of the labels alone, so is this one; where it is a student
    beside a labels-only model, this one is, too, with the same shares and calibrations.

    Args:
        problem: what is to be learnt, on the features of the earlier model's reader.
        method: method of the student.
        training: of the student.
        start: earlier model.
        store: keeps finished parts, so that a stopped fit goes on; None keeps nothing.
        tick: told of progress; None tells nobody.

    Raises:
        ValueError: the method is the automatic choice; or its network, or the number of features, is another than the
            earlier model's.
    """
    if isinstance(method, Auto):
        raise ValueError("auto chooses anew among the methods: go on with the one that the model before was trained by")
    method = method.settled(problem.task)
    start.require_method(method)
    start.require_width(problem)
    with threads(problem.threads):
        setup = Setup(problem, training, store or MemoryStore(), tick or silent)
        with stage(LABELS):
            known = start.network if start.labels_alone else start.reference
            alone = named_model(setup, start.choice, None if known is None else _last(known))
        shift = _shift(problem, start.shares)
        history: list[dict[str, float]] = []
        if start.labels_alone:
            student, method = alone.network, Supervised()
            network = reference = _answering_as(start.network, [alone.network], shift)
        else:
            with stage(WHOLE):
                method.ready(problem.pool, setup.tick)
                student, history = Contender("candidate", method, setup, start.student).network()
            network = _answering_as(start.network, [alone.network, student], shift)
            reference = _answering_as(start.reference, [alone.network], shift)
    return Outcome(
        method=method,
        network=network,
        reference=reference,
        candidate=network,
        student=student,
        reference_choice=alone.name,
        evidence=None,
        held_out=NOTHING_HELD_OUT,
        history=history,
        curve=[],
        returned="reference" if start.labels_alone else "candidate",
        problem=problem,
        candidate_problem=problem,
        calibration=NONE.at(start.temperature),
        reference_calibration=NONE.at(start.temperature),
        share=start.share,
    )


def _last(network: nn.Module) -> nn.Module:
    """The last one of networks that answer together; another network itself."""
    return network.parts[-1] if isinstance(network, Mixture) else network


def _answering_as(before: nn.Module | None, parts: Sequence[nn.Module], shift: Tensor | None) -> nn.Module:
    """Networks that answer as an earlier one does: together, with its shares and calibrations, or the last one alone.

    Args:
        before: earlier network.
        parts: networks, as many as it has or more, of which the last ones are taken.
        shift: added to the bias of each class, (c,); None adds nothing.
    """
    if not isinstance(before, Mixture):
        return parts[-1]
    biases = [bias if shift is None else bias + shift.to(bias) for bias in before.biases]
    shares, temperatures = before.shares.tolist(), before.temperatures.tolist()
    made = Mixture(parts[-len(before.parts) :], shares, temperatures, biases)
    return made.to(next(parts[-1].parameters()).device).eval()


def _shift(problem: Problem, shares: np.ndarray | None) -> Tensor | None:
    """What moves a model of these labels as far as one of labels with other shares of the classes, (c,) in nats.

    Args:
        problem: has the labels.
        shares: share of each class among the labels of the earlier model, (c,); None moves nothing.
    """
    if shares is None:
        return None
    counts = np.bincount(problem.y, problem.unit_weights, problem.task.classes)
    return torch.as_tensor(np.log(shares.clip(1e-6)) - np.log((counts / counts.sum()).clip(1e-6)))
