"""The forecast of a run: its stages, each with the seconds, the memory and the disk that it takes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from tutelage.ops.durations import duration, size
from tutelage.ops.meter import Expected

READING, ENCODERS, ENCODING, ADAPTING = "reading", "choosing the encoder", "encoding", "adapting the encoder"
PROBE, TEACHER, LABELS = "forecast", "teacher", "labels only"
FOLDS, WHOLE, SEARCH = "cross-validation", "trainings on all labels", "search among the methods"
WEIGHING, TEST, RECORDS, REPORT = "weighing", "test", "saving", "report"
"""Names of the stages of a fit, as the report shows them. Cross-validation may train on all labels, too, beside."""

ORDER = (
    READING, ENCODERS, PROBE, ENCODING, TEACHER, ADAPTING, LABELS, SEARCH, FOLDS, WHOLE, WEIGHING, TEST, RECORDS, REPORT
)  # fmt: skip
"""All stages, in the order in which most runs come to them."""


@dataclass(frozen=True)
class Stage:
    """What a stage of a run is expected to take.

    Attributes:
        name: name of the stage; several entries of one name are added up.
        each: seconds that one of its units takes.
        amount: number of its units.
        unit: word for its units, in the plural; empty where no progress is told of them.
        held: bytes of memory that it fills and that stay filled until the end.
        passing: bytes of memory that it fills beside, and gives back.
        written: bytes that it writes to the disk and that stay there.

    >>> Stage("encoding", each=0.01, amount=300, unit="texts").seconds
    3.0
    """

    name: str
    each: float = 0.0
    amount: float = 1.0
    unit: str = ""
    held: float = 0.0
    passing: float = 0.0
    written: float = 0.0

    @property
    def seconds(self) -> float:
        """Seconds that it takes."""
        return self.each * self.amount


@dataclass(frozen=True)
class Forecast:
    """What a run is expected to take.

    Attributes:
        stages: its stages that are still to come.
        spent: seconds of the stages that are over, by their names.
        resident: bytes of memory that the process holds now.
        peak: bytes of memory that it has held at most so far.
    """

    stages: Sequence[Stage]
    spent: Mapping[str, float]
    resident: float
    peak: float

    @property
    def expected(self) -> dict[str, Expected]:
        """Seconds, and amount of progress, of each stage to come, in the order of the run."""
        found: dict[str, Expected] = {}
        for name in ORDER:
            entries = [stage for stage in self.stages if stage.name == name]
            if entries:
                amount = sum(stage.amount for stage in entries if stage.unit)
                found[name] = Expected(sum(stage.seconds for stage in entries), amount)
        return found

    @property
    def seconds(self) -> float:
        """Seconds of the stages that are still to come."""
        return sum(stage.seconds for stage in self.stages)

    @property
    def memory(self) -> float:
        """Bytes of memory that the process holds at most."""
        held, most = self.resident, self.peak
        for name in ORDER:
            entries = [stage for stage in self.stages if stage.name == name]
            most = max(most, held + max((stage.held + stage.passing for stage in entries), default=0))
            held += sum(stage.held for stage in entries)
        return max(most, held)

    @property
    def counted(self) -> float:
        """Bytes of memory that are still to be filled, at most, as they were counted."""
        return max(self.memory - self.resident, 0)

    @property
    def disk(self) -> float:
        """Bytes that are written to the disk and stay there."""
        return sum(stage.written for stage in self.stages)

    def words(self) -> str:
        """The forecast in a sentence.

        >>> Forecast([Stage("encoding", 0.1, 380, written=6e7)], {"reading": 2.0}, 9e8, 1.2e9).words()
        'About 38 seconds more, 1.2 GB of memory and 60 MB on disk.'
        """
        return f"About {duration(self.seconds)} more, {size(self.memory)} of memory and {size(self.disk)} on disk."

    def with_spent(self, name: str, seconds: float) -> Forecast:
        """The same with the seconds of a stage that is over."""
        return replace(self, spent={**self.spent, name: self.spent.get(name, 0.0) + seconds})


def account(forecast: Forecast | None, found: Mapping[str, float], memory: float | None, disk: float) -> dict[str, Any]:
    """What was predicted of the stages that were still to come, and what all stages took, as plain values.

    Args:
        forecast: forecast of the run; None where there was none.
        found: seconds that each stage took, by its name.
        memory: bytes of memory that the process held at most; None where nobody knows.
        disk: bytes that were written and stay.

    Returns:
        "seconds", those from the forecast on, "memory_mb" and "disk_mb", each with what was "predicted", or None, and
        what was "found"; "before", the seconds up to the forecast; and "stages": the "name", the "predicted" seconds,
        None of a stage that was over, and the "found" ones of each, in the order of the run.

    >>> took = {"reading": 1.0, "encoding": 3.0}
    >>> told = account(Forecast([Stage("encoding", 2.0)], {"reading": 1.0}, 1e6, 2e6), took, 4e6, 5e6)
    >>> told["before"], told["seconds"], told["stages"][1]
    (1.0, {'predicted': 2.0, 'found': 3.0}, {'name': 'encoding', 'predicted': 2.0, 'found': 3.0})
    """
    before = 0.0 if forecast is None else sum(forecast.spent.values())
    told = {} if forecast is None else {name: stage.seconds for name, stage in forecast.expected.items()}
    names = [name for name in ORDER if name in told or name in found] + [n for n in found if n not in ORDER]
    stages = [
        {"name": name, "predicted": _rounded(told.get(name)), "found": _rounded(found.get(name))} for name in names
    ]

    def both(predicted: float | None, was: float | None, unit: float) -> dict[str, float | None]:
        return {
            "predicted": None if forecast is None or predicted is None else _rounded(predicted / unit),
            "found": None if was is None else _rounded(was / unit),
        }

    return {
        "before": _rounded(before),
        "seconds": both(forecast.seconds if forecast else None, sum(found.values()) - before, 1),
        "memory_mb": both(forecast.memory if forecast else None, memory, 1e6),
        "disk_mb": both(forecast.disk if forecast else None, disk, 1e6),
        "stages": stages,
    }


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 2)
