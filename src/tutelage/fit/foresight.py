"""The forecast of a fit: it is made, handed to the bar, and compared with the memory that there is."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterable
from contextlib import suppress
from pathlib import Path

from tutelage.adapting.how import Adapting
from tutelage.fit import machine
from tutelage.fit.adapting import AdaptedFeatures, can_adapt
from tutelage.fit.cost import AdaptingCost, Costs
from tutelage.fit.fit import threads
from tutelage.fit.forecast import Forecast, Stage
from tutelage.fit.setup import MemoryStore, silent
from tutelage.ops.durations import size
from tutelage.ops.meter import metered
from tutelage.ops.said import warn

FAR_TOO_MUCH = 1.5
"""Times the memory that is free from which on a fit is refused; one that needs a little more than is free is warned."""

Closing = Callable[[Costs], Iterable[Stage]]
"""Function that gives the stages of a run that come after the fit, from the costs of the fit."""


def foreseen(costs: Costs, adapt: Adapting | None, closing: Closing | None) -> Forecast | None:
    """The forecast of a run, which the meter of the run gets, too; None where the fit is going to be refused anyway.

    Args:
        costs: costs of the fit.
        adapt: how the encoder is adapted; None leaves it as it is.
        closing: function that gives the stages after the fit; None where nothing comes after it.

    Raises:
        NoRoomError: the run would fill far more memory than there is.
    """
    require_memory(costs, costs.probabilities)
    meter, found = metered(), None
    with suppress(ValueError):  # the fit says the same, in its own place
        with threads(costs.problem.threads):
            costs.adapting = None if adapt is None else _adapting(costs, adapt)
            entries = [*costs.stages(), *(() if closing is None else closing(costs))]
        resident = machine.resident()
        found = Forecast(entries, {} if meter is None else meter.spent(), resident, machine.peak() or resident)
    if found is None:
        return None
    require_memory(costs, found.memory - found.resident)
    if meter is not None:
        meter.foretell(found.expected)
        meter.forecast = found
    return found


def _adapting(costs: Costs, adapt: Adapting) -> AdaptingCost | None:
    """Cost of adapting the encoder; None where it cannot be adapted."""
    building, problem = costs.building, costs.problem
    if not can_adapt(building.items, problem, None):
        return None
    with tempfile.TemporaryDirectory() as scratch:
        features = AdaptedFeatures(
            building.items, problem.labelled, building.build, adapt, costs.training.seed, MemoryStore(), silent,
            lambda found: found, Path(scratch),
        )  # fmt: skip
        return features.cost()


def require_memory(costs: Costs, need: float) -> None:
    """Check that there is memory for a fit; where it may just not be enough, this is a warning.

    Args:
        costs: costs of the fit.
        need: bytes that it fills at most.

    Raises:
        NoRoomError: it needs far more than is free.
    """
    free, items = machine.free_memory(), costs.building.items
    if free is None or need <= free:
        return
    classes, rows, said = items.task.classes, len(items.pool), costs.probabilities
    hint = (
        f"of that {size(said)} are probabilities of {classes:,} classes for each of {rows:,} unlabelled items: give "
        "fewer of them, or fewer classes"
        if said > need / 2 else f"give fewer unlabelled items than these {rows:,}"
    )  # fmt: skip
    words = f"this fit needs about {size(need)} of memory, and {size(free)} are free; {hint}"
    if need > FAR_TOO_MUCH * free:
        raise machine.NoRoomError(words)
    warn(f"{words[0].upper()}{words[1:]}, or close other programs.", stacklevel=3, page="memory")
