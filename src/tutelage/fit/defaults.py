"""Defaults of a fit: steps, learning rates, folds and batches by what is trained."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import torch

from tutelage.fit.problem import Plan, Problem
from tutelage.methods import Method
from tutelage.ops.checks import in_range
from tutelage.train import Training

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
