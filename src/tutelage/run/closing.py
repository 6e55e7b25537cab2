"""What comes after a fit in a run: the test, the files and the report, as stages of the forecast."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from dataclasses import replace

from tutelage.data.sources import cache_folder
from tutelage.fit import machine
from tutelage.fit.cost import ROW_BYTES, Costs
from tutelage.fit.forecast import RECORDS, REPORT, TEST, Stage
from tutelage.fit.foresight import Closing
from tutelage.kinds.base import Kind
from tutelage.kinds.copied import KEPT, kept_prints
from tutelage.kinds.dataset import Dataset
from tutelage.kinds.known_pool import BYTES_A_ROW
from tutelage.modalities.base import Encodes
from tutelage.ops.meter import now

SAVED = 0.03
"""Seconds in which model, records and hashes of a small run are written, on the recorded machine."""

DRAWN = 0.75
"""Seconds in which the plots and the page are drawn, on the recorded machine, where the library that draws is there."""

LIBRARY = 0.8, 45e6
"""Seconds in which the library that draws is imported, on the recorded machine, and bytes of memory that it takes."""

WRITTEN_A_SECOND = 200e6
"""Bytes of models that are hashed and written in a second."""

PRINTED = 50
"""Items whose prints, by which a model knows copies, are made to see how large they are."""

PAGE, OF_POOL = 2.6e5, 0.9e5
"""Bytes of plots, page and summaries of a run, and of what these have of a pool."""


def closing(kind: Kind, data: Dataset) -> Closing:
    """Function that gives the stages that come after the fit.

    Args:
        kind: kind of the data.
        data: dataset that is learnt.
    """

    def stages(costs: Costs) -> Iterable[Stage]:
        slow = machine.slowness()
        yield _test(data, costs, slow)
        seconds, memory = (0.0, 0.0) if "matplotlib.pyplot" in sys.modules else LIBRARY
        saved, written = _models(kind, data, costs)
        labelled, pool = len(data.items.labelled), len(data.items.pool)
        written += BYTES_A_ROW * (2 * labelled + pool)  # of a labelled item its label, too
        yield Stage(RECORDS, slow * SAVED + saved, written=written)
        yield Stage(REPORT, slow * (DRAWN + seconds), held=memory, written=PAGE + OF_POOL * (pool > 0))

    return stages


def _test(data: Dataset, costs: Costs, slow: float) -> Stage:
    """The test: its items are encoded, and scored by each of the models."""
    count, reader = len(data.test), costs.building.build.reader
    if not count:
        return Stage(TEST)
    seconds, missing = slow * 2e-4 * count, 0
    if isinstance(reader, Encodes) and reader.encodes and not costs.building.build.whole:
        encoding = reader.encoding([data.test], cache_folder() / "features")
        missing = encoding.missing
        seconds += encoding.seconds()
    each = 4 * costs.rehearsed.width
    return Stage(TEST, seconds, held=each * count, written=(each + ROW_BYTES) * missing)


def _models(kind: Kind, data: Dataset, costs: Costs) -> tuple[float, float]:
    """Seconds and bytes of the model that is returned and of the labels-only one, with what they keep of the items."""
    items = data.items
    some = replace(data, items=replace(items, labelled=items.labelled[:PRINTED], pool=items.pool[:0]), strangers=None)
    kept_prints(kind, some)  # the first are slower than the rest
    start = now()
    bytes_ = sum(kept.nbytes for kept in kept_prints(kind, some).values())
    seconds, count = now() - start, min(len(items.labelled) + len(items.pool), KEPT)
    share = count / max(min(len(items.labelled), PRINTED), 1)
    network = costs.problem.network(0)
    size = 4.0 * sum(p.numel() for p in network.parameters())
    linear = 4.0 * costs.rehearsed.width * costs.problem.task.classes
    if costs.adapting is not None and costs.folds:
        size += 4.0 * costs.adapting.parameters
    reference = size if costs.building.build.whole else 2 * linear
    fitted = getattr(costs.building.build.reader, "saved_bytes", 0)
    written = size + reference + bytes_ * share + fitted  # what both models keep is there once
    return 2 * seconds * share + (written + bytes_ * share + fitted) / WRITTEN_A_SECOND, written
