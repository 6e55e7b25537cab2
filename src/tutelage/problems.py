"""From texts, features or any network to a problem that can be fitted, with its defaults."""

from __future__ import annotations

import copy
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch
from torch import nn

from tutelage.data import Examples, Features, Tokens
from tutelage.fitting import Plan, Problem
from tutelage.models.features import encode
from tutelage.models.heads import Head
from tutelage.models.text import Encoder, TextClassifier, head_on_pooled
from tutelage.ops.checks import in_range
from tutelage.reference import Probe
from tutelage.tasks import Classification
from tutelage.train import Training

HIDDEN, DROPOUT = 256, 0.5
"""Of the head on fixed features."""

ROWS_TO_STANDARDISE = 100_000

ON_FEATURES = Training(steps=300, lr=3e-3, weight_decay=1e-2)
"""For heads on fixed features: about a second on two cores."""

WHOLE = Training(steps=100, lr=5e-5, lr_scale={"head.": 20.0}, weight_decay=1e-2)
"""For a transformer trained whole, its head faster than its body."""

PLAN_ON_FEATURES = Plan(folds=5, repeats=2)
PLAN_WHOLE = Plan(folds=2, repeats=1)


@dataclass(frozen=True)
class Data:
    """Labelled examples with class numbers (labels,), a pool, and the pool's truth where known."""

    labelled: Examples
    y: np.ndarray
    pool: Examples
    classes: int
    truth: np.ndarray | None = None
    device: torch.device | str = "cpu"


def on_features(data: Data, per_feature: bool, network: Callable[[], nn.Module] | None = None) -> Problem:
    """A head on rows of features (or the user's network on rows of any shape).

    Args:
        per_feature: standardise each feature by its own spread, not all by one.
        network: makes the network; by default a perceptron with one hidden layer.
    """
    labelled, pool = data.labelled, data.pool
    assert isinstance(labelled, Features) and isinstance(pool, Features)
    some = max(len(pool) // ROWS_TO_STANDARDISE, 1)  # every so many rows of a very large pool
    rows = torch.cat([labelled.rows, pool.rows[::some]]).cpu()
    flat = rows.ndim == 2
    blank = Head(rows.shape[1], data.classes).standardise(rows, per_feature) if flat else None

    def head(seed: int) -> nn.Module:
        with torch.random.fork_rng():
            torch.manual_seed(seed)
            if network is not None:
                return network()
            assert blank is not None
            made = Head(rows.shape[1], data.classes, HIDDEN, DROPOUT)
        made.mean.copy_(blank.mean)
        made.scale.copy_(blank.scale)
        return made

    if network is None and not flat:
        raise ValueError(f"X must have two dimensions unless a network is given, got {rows.ndim}")
    probe = Probe(labelled.rows.cpu().numpy(), data.y, blank) if blank is not None else None
    decays = () if network is None else (1e-2, 1.0)
    return Problem(
        Classification(data.classes), labelled, data.y, pool, head, probe, decays, data.truth,
        device=data.device, threads=1 if network is None else None,
    )  # fmt: skip


def whole_text(data: Data, encoder: Encoder, features: np.ndarray) -> Problem:
    """A transformer fine-tuned whole.

    Args:
        features: of the labelled texts by the encoder as it is, for the linear contender.
    """
    rows = torch.as_tensor(features)
    blank = Head(encoder.width, data.classes).standardise(rows, per_feature=False)

    def network(seed: int) -> nn.Module:
        with torch.random.fork_rng():
            torch.manual_seed(seed)
            return TextClassifier(copy.deepcopy(encoder.model), data.classes)

    def wrap(head: Head) -> nn.Module:
        whole = TextClassifier(copy.deepcopy(encoder.model), data.classes)
        whole.head = head_on_pooled(head, encoder.width)
        return whole

    return Problem(
        Classification(data.classes), data.labelled, data.y, data.pool, network,
        Probe(features, data.y, blank, wrap), (WHOLE.weight_decay,), data.truth,
        batch_labelled=16, batch_unlabelled=32, device=data.device,
    )  # fmt: skip


def text_data(
    encoder: Encoder, texts: Sequence[str], y: np.ndarray, pool: Sequence[str], classes: int,
    truth: np.ndarray | None = None, device: torch.device | str = "cpu",
) -> Data:  # fmt: skip
    """Texts as tokens, to be trained on whole."""
    labelled, unlabelled = encoder.tokenize(texts), encoder.tokenize(pool)
    return Data(
        Tokens(labelled, encoder.pad, device), y, Tokens(unlabelled, encoder.pad, device), classes, truth, device
    )


def feature_data(
    encoder: Encoder, texts: Sequence[str], y: np.ndarray, pool: Sequence[str], classes: int,
    cache: Path, truth: np.ndarray | None = None, device: torch.device | str = "cpu",
    tick: Callable[[int, int], None] | None = None,
) -> Data:  # fmt: skip
    """Texts as features of the frozen encoder."""
    rows = torch.as_tensor(encode([*texts, *pool], encoder, cache, tick)).to(device)
    return Data(Features(rows[: len(texts)]), y, Features(rows[len(texts) :]), classes, truth, device)


def pick_device(asked: str) -> torch.device:
    """Give a GPU where there is one for "auto"; anything else as torch names it."""
    if asked == "auto":
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    try:
        return torch.empty(0, device=asked).device
    except (RuntimeError, AssertionError) as e:
        raise ValueError(f"device must be auto, cpu, cuda or another that torch has here, got {asked!r}") from e


def how(
    whole: bool,
    seed: int,
    steps: int | None = None,
    lr: float | None = None,
    folds: int | None = None,
    repeats: int | None = None,
    evidence: bool = True,
) -> tuple[Training, Plan]:
    """Give the defaults for heads or whole encoders, with what the user asked for instead.

    Raises:
        ValueError: a value is out of its range.
    """
    in_range("seed", seed, 0, 2**32 - 1)
    training, plan = (WHOLE, PLAN_WHOLE) if whole else (ON_FEATURES, PLAN_ON_FEATURES)
    training = replace(
        training,
        seed=seed,
        steps=training.steps if steps is None else steps,
        lr=training.lr if lr is None else lr,
    )
    plan = replace(
        plan,
        folds=plan.folds if folds is None else folds,
        repeats=plan.repeats if repeats is None else repeats,
        skip=not evidence,
    )
    return training, plan
