"""Defaults of a fit, by what is trained: steps and learning rate, folds of the evidence, examples a step."""

from __future__ import annotations

from dataclasses import dataclass, replace

import torch

from tutelage.fit.auto import Auto
from tutelage.fit.problem import Plan, Problem
from tutelage.methods import Method
from tutelage.ops.checks import in_range, one_of
from tutelage.train import Training

EPOCHS = 10
"""Times that a head on fixed features sees each label, where it learns from labels alone."""

AUTO = "auto"
"""Word for the precision that a probe finds faster."""

PRECISIONS = ("float32", "bfloat16", AUTO)
"""Words for the precision of networks that are trained whole."""

MOST_STEPS = 3000
"""Steps that such a head takes at most."""


@dataclass(frozen=True)
class Defaults:
    """How a network is trained and judged unless the user says otherwise.

    Attributes:
        training: steps, learning rate and weight decay.
        plan: folds and repeats of the cross-validation.
        labelled, unlabelled: examples of each in a step.
    """

    training: Training
    plan: Plan
    labelled: int
    unlabelled: int

    def __call__(self, asked: Asked) -> How:
        """The same with what the user asked for."""
        in_range("seed", asked.seed, 0, 2**32 - 1)
        if asked.amp is not None:
            one_of("amp", asked.amp, PRECISIONS)
        given = {"steps": asked.steps, "lr": asked.lr}
        changes = {name: value for name, value in given.items() if value is not None}
        training = replace(
            self.training, seed=asked.seed, checkpoint_every=asked.checkpoint_seconds,
            **changes,  # type: ignore[arg-type]
        )  # fmt: skip
        counts = {"folds": asked.folds, "repeats": asked.repeats}
        training = replace(
            training, amp="bfloat16" if asked.amp == "bfloat16" else "float32",
            accumulate=asked.accumulate, compile=asked.compile, checkpoint_activations=asked.checkpoint_activations,
        )  # fmt: skip
        plan = replace(self.plan, skip=not asked.evidence, **{k: v for k, v in counts.items() if v is not None})
        return How(training, plan, asked.steps is None, self, asked.repeats is None, amp=asked.amp)


@dataclass(frozen=True)
class Asked:
    """What a user may say of a fit; None takes the default of what is trained.

    Attributes:
        seed: random seed of weights, batches and folds, in [0, 2**32).
        steps, lr: of each training.
        folds, repeats: of the cross-validation.
        evidence: gather the evidence.
        checkpoint_seconds: seconds between checkpoints.
        amp: precision of a network that is trained whole, "float32", "bfloat16" or "auto"; None is float32.
        accumulate, compile, checkpoint_activations: of such a network, see `Training`.
        in_python: whether the wishes are arguments of Python; else they are options of the command.
    """

    seed: int = 0
    steps: int | None = None
    lr: float | None = None
    folds: int | None = None
    repeats: int | None = None
    evidence: bool = True
    checkpoint_seconds: float = 30.0
    amp: str | None = None
    accumulate: int = 1
    compile: bool = False
    checkpoint_activations: bool = False
    in_python: bool = False

    @property
    def of_whole(self) -> list[str]:
        """Names of the wishes that are of networks trained whole alone, as the user wrote them."""
        given = {
            "amp": self.amp is not None, "accumulate": self.accumulate != 1, "compile": self.compile,
            "checkpoint_activations": self.checkpoint_activations,
        }  # fmt: skip
        names = [name for name, there in given.items() if there]
        return names if self.in_python else [f"--{name.replace('_', '-')}" for name in names]


@dataclass(frozen=True)
class How:
    """How one fit goes.

    Attributes:
        training: of each network.
        plan: of the evidence.
        open_ended: the user left the number of steps to the method.
        defaults: what both were made from.
        repeats_open: whether the user left the number of repeats of the evidence open.
        shorter: divisor of the number of steps that the user left open, at least 1; a fit that goes on needs fewer.
        amp: precision that was asked for; None where none was. "auto" is settled by `tutelage.fit.sparing`.
    """

    training: Training
    plan: Plan
    open_ended: bool
    defaults: Defaults
    repeats_open: bool = True
    shorter: int = 1
    amp: str | None = None

    def plan_for(self, several: bool) -> Plan:
        """The plan of the evidence: with one repeat where each fold trains several models and the user named no number.

        Args:
            several: whether the encoder is adapted in each fold, or a brought teacher is learnt in several ways.
        """
        return replace(self.plan, repeats=1) if several and self.repeats_open else self.plan

    def long_enough(self, method: Method | Auto, problem: Problem) -> Training:
        """The training, with as many steps as the method needs where the user named none.

        Where each round begins with a fresh network it takes as many steps as other methods take in all. A head on
        fixed features that learns from labels alone sees each of many labels EPOCHS times, within MOST_STEPS.
        """
        if not self.open_ended:
            return self.training
        found = long_enough(self.training, method, problem)
        return found if self.shorter == 1 else replace(found, steps=max(found.steps // self.shorter, 1))


def long_enough(training: Training, method: Method | Auto, problem: Problem) -> Training:
    """The training with as many steps as the method needs, see `How.long_enough`."""
    steps = training.steps
    if not method.uses_pool and problem.probe is not None:
        labels = len(problem.labelled if problem.weak is None else problem.weak.examples)
        steps = max(steps, min(EPOCHS * labels // problem.batch_labelled, MOST_STEPS))
    rounds = method.training_rounds if isinstance(method, Method) and method.restarts else 1
    return replace(training, steps=steps * rounds)


_FROM_NOTHING = Training(steps=600, lr=3e-3, weight_decay=1e-2)

HEAD = Defaults(Training(steps=300, lr=3e-3, weight_decay=1.0), Plan(folds=5, repeats=2), 64, 128)
"""A head on fixed features: about a second on two cores."""

HEAD_ON_WORDS = replace(HEAD, labelled=16, unlabelled=32)
"""A head on features of words: sixteen sentences have about as many words as 64 texts."""

TRANSFORMER = Defaults(
    Training(steps=100, lr=5e-5, lr_scale={"head.": 20.0}, weight_decay=1e-2), Plan(folds=2, repeats=1), 16, 32
)
"""A transformer trained whole, its head faster than its body."""

BACKBONE = Defaults(
    replace(_FROM_NOTHING, steps=200, lr=2e-4, lr_scale={"head.": 10.0}), Plan(folds=2, repeats=1), 16, 32
)
"""A backbone of images that is trained on, its head faster than its body."""

IMAGE_NETWORK = Defaults(_FROM_NOTHING, Plan(folds=2, repeats=1), 32, 64)
"""A classifier of images that begins with random weights."""

PIXEL_NETWORK = replace(IMAGE_NETWORK, labelled=4, unlabelled=4)
"""A segmenter of images that begins with random weights."""


def pick_device(asked: str) -> torch.device:
    """Give a GPU where there is one for "auto"; anything else as torch names it.

    Raises:
        ValueError: torch has no such device here.
    """
    if asked == "auto":
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    try:
        if asked.partition(":")[0] == "cuda" and not torch.cuda.is_available():
            raise ValueError(
                f"device must be cpu or auto here, got {asked!r}: torch sees no card of NVIDIA here "
                f"(torch {torch.__version__}, for CUDA {torch.version.cuda or 'not at all'})"
            )
        return torch.empty(0, device=asked).device
    except (RuntimeError, AssertionError) as e:
        raise ValueError(f"device must be auto, cpu, cuda or another that torch has here, got {asked!r}") from e
