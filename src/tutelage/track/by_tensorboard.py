"""TensorBoard as a tracker: a folder of events for each run, written by PyTorch's own writer."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Mapping, Sequence
from itertools import count
from pathlib import Path, PurePath
from typing import Any

from tutelage.track.base import FINAL, MARK, Outcome, Point, shown


class Store:
    """A folder with a folder for each run.

    Args:
        to: the folder; None is the usual one.
        usual: the usual folder.
    """

    def __init__(self, to: str | None, usual: Path) -> None:
        self.folder = usual if to is None else Path(to)
        self.place = str(usual) if to is None else shown(to)
        self._run = self.folder
        self._writer: Any = None

    def open(self) -> None:
        """Make the folder, and write into it."""
        if "://" in self.place:
            raise ValueError("TensorBoard is written into a folder, and this is a URI")
        self.folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=self.folder):
            pass

    def begin(self, known: str | None, name: str, parameters: Mapping[str, str]) -> str:
        """Begin a folder of events, or a further file of events in the folder of a run that goes on."""
        from torch.utils.tensorboard import SummaryWriter

        self.close()
        goes_on = known is not None and PurePath(known).name == known and (self.folder / known).is_dir()
        numbered = (name if number == 1 else f"{name}-{number}" for number in count(1))
        found = known if goes_on else next(each for each in numbered if not (self.folder / each).exists())
        assert found is not None
        self._run = self.folder / found
        self._writer = SummaryWriter(str(self._run))
        if not goes_on:
            rows = "\n".join(f"| {key} | {_cell(value)} |" for key, value in parameters.items())
            self._writer.add_text("parameters", f"| parameter | value |\n| --- | --- |\n{rows}")
        self._writer.flush()
        return found

    def last(self) -> dict[str, int]:
        """The last step of each training, as the events hold it."""
        found = self._tags(self._run)
        names = [name for name in found if name.endswith(f"/{MARK}")]
        return {name.removesuffix(f"/{MARK}"): max(found[name]) for name in names}

    def points(self, points: Sequence[Point]) -> None:
        """Write points as events, down to the disk."""
        for point in points:
            self._writer.add_scalar(point.name, point.value, point.step)
        self._writer.flush()

    def concluded(self, known: str) -> bool:
        """Whether there are final numbers among the events of a run, or no such run."""
        run = self.folder / known
        there = PurePath(known).name == known and run.is_dir()
        return not there or any(name.startswith(f"{FINAL}/") for name in self._tags(run))

    def conclude(self, outcome: Outcome) -> None:
        """Write the final numbers and sentences, and lay the report beside the events."""
        if outcome.report is not None:
            shutil.copyfile(outcome.report, self._run / outcome.report.name)
        for heading, words in outcome.words.items():
            self._writer.add_text(heading, words)
        for name, value in outcome.scores.items():
            self._writer.add_scalar(f"{FINAL}/{name}", value, 0)
        self.close()

    def stop(self) -> None:
        """Close the file of events."""
        self.close()

    def close(self) -> None:
        """Close the file of events, where one is open."""
        writer, self._writer = self._writer, None
        if writer is not None:
            writer.close()

    @staticmethod
    def _tags(run: Path) -> dict[str, list[int]]:
        """Steps of the numbers that the events of a run hold, by name."""
        from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

        held = EventAccumulator(str(run), size_guidance={"scalars": 0})
        held.Reload()
        return {name: [event.step for event in held.Scalars(name)] for name in held.Tags()["scalars"]}


def _cell(value: str) -> str:
    return value.replace("|", "\\|").replace("\n", " ")
