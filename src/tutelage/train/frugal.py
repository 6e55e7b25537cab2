"""What trainings are spared, memory or time: batches in parts, and ways in which networks are called."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from tutelage.game import Loss, Parted, Rule, Seats
from tutelage.memory import Memory
from tutelage.methods import Method
from tutelage.ops.said import warn
from tutelage.tasks import Task
from tutelage.train.compiling import why_uncompiled
from tutelage.types import Batch, Terms


def can_compile(method: Method, rule: Rule) -> bool:
    """Whether the networks of a method's players can be compiled here; where not, it is said why.

    Args:
        method: the method.
        rule: its rule.
    """
    curved = getattr(rule, "curved", False)
    why = f"{method.name} differentiates gradients again" if curved else why_uncompiled()
    if why:
        warn(f"Networks are not compiled: {why}.", stacklevel=5, page="not-compiled")
    return not why


def require_parted(method: Method, accumulate: int) -> None:
    """Check that the batches of a training can be gone through in parts, where they are to be.

    Args:
        method: settled method.
        accumulate: number of parts, at least 1.

    Raises:
        ValueError: the method's loss couples the units of a batch.

    >>> from tutelage.methods import MeanTeacher
    >>> require_parted(MeanTeacher(), 4)
    """
    why = method.couples or ("it holds back labels" if method.reserve else "")
    if accumulate > 1 and why:
        raise ValueError(
            f"accumulate must be 1 for {method.name}, got {accumulate}: {why}, so that a step in parts would "
            "be another one; leave it out, or save memory by checkpoint_activations"
        )


def in_parts(method: Method, batch: Batch, parts: Sequence[Batch], task: Task, memory: Memory) -> Loss:
    """A method's loss on a batch as the sum of its losses on parts, each term weighted by the part's share of units.

    A term that is a mean over the labelled units has the share of these, another one that of the pool's, so that the
    sum is the mean over the batch, whatever the sizes of the parts.

    Args:
        method: method whose batches have parts, see `Method.couples`.
        batch: the whole batch.
        parts: its parts.
        task: task of the units.
        memory: what is remembered of the pool.
    """

    def of(part: Batch, who: str, seats: Seats) -> Terms:
        found = method.loss(who, part, seats, task, memory)
        shares = {
            True: len(part.labelled) / max(len(batch.labelled), 1),
            False: len(part.unlabelled) / max(len(batch.unlabelled), 1),
        }
        return Terms({n: t * shares[n in method.of_labels] for n, t in found.terms.items()}, found.seen)

    def loss(who: str, seats: Seats) -> Terms:
        return Parted({}, parts=[partial(of, part, who, seats) for part in parts])

    return loss
