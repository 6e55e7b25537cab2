"""What a network that is trained whole is spared: its precision is chosen where that was left to a probe, and said."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import torch

from tutelage.fit.auto import Auto
from tutelage.fit.defaults import AUTO, How
from tutelage.fit.setup import Store, StoredPart
from tutelage.methods import Method
from tutelage.train import Training
from tutelage.train.frugal import require_parted
from tutelage.types import Say

FASTER = 1.5
"""Times that products of matrices in bfloat16 must be as fast as in float32, at least, for a training to take it."""

Gain = Callable[[str], float]
"""Function that gives the time of a product of matrices in float32 over that in bfloat16, on a type of device."""


def spared(
    how: How, method: Method | Auto, gain: Gain, device: torch.device | str, store: Store, say: Say | None
) -> How:  # fmt: skip
    """How a fit goes, with the precision of its trainings; a stopped fit goes on with the one that it began with.

    Args:
        how: as it was asked for.
        method: settled method, or the automatic choice.
        gain: how much faster bfloat16 is.
        device: device to train on.
        store: store of the fit's parts.
        say: told in sentences what was chosen.

    Raises:
        ValueError: batches are to be gone through in parts, and the loss couples their units.
    """
    require_all_parted(method, how.training)
    training, why = how.training, ""
    if how.amp == AUTO:

        def compute(_: Path | None) -> StoredPart:
            return {}, gain(torch.device(device).type)

        times = float(store.once("precision", compute)[1])
        training = replace(training, amp="bfloat16" if times >= FASTER else "float32")
        compared = f"{times:.1f} times as fast as" if times >= 1 else f"{1 / max(times, 1e-9):.1f} times as slow as"
        why = f" ({AUTO}: bfloat16 is {compared} float32 here)"
    if say and (why or not training.plain):
        say(f"Trained whole in {', '.join(_parts(training, why))}.")
    return replace(how, training=training)


def _parts(training: Training, why: str) -> list[str]:
    parts = [f"{training.amp}{why}"]
    parts += [f"each step in {training.accumulate} parts"] * (training.accumulate > 1)
    parts += ["its blocks compiled in the first steps"] * training.compile
    return parts + ["its activations computed again in the backward pass"] * training.checkpoint_activations


def require_all_parted(method: Method | Auto, training: Training) -> None:
    """Check that every training of a fit can go through its batches in parts, where they are to.

    Args:
        method: settled method, or the automatic choice.
        training: how it is trained.

    Raises:
        ValueError: one cannot, or several methods are tried, of which some cannot.
    """
    if isinstance(method, Method):
        require_parted(method, training.accumulate)
    elif training.accumulate > 1:
        raise ValueError(
            f"accumulate must be 1 where the method is chosen automatically, got {training.accumulate}: some of those "
            "that are tried couple the units of a batch; name one method, such as drift"
        )
