"""What became of one trial, in words that are counted by place."""

from __future__ import annotations

import re
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from injected.same import contents, differences, litter
from injected.scenarios import ALL, CACHE, Place, Scenario
from injected.warm import Came, Warm

SHOWN = 400
"""Number of characters of what a trial printed that a fault keeps, at most."""

UNCLEAR = re.compile(r"Traceback \(most recent|^\s*File \"|\b[A-Z]\w+(?:Error|Exception)\b|<class |object at 0x", re.M)
"""Pattern of what no message may hold."""

NAMED = re.compile(
    r"[\w.-]+\.(?:json|safetensors|npy|csv|parquet|html|part|png|svg|txt|md|npz|lock)\b|/\w+/|"
    r"[ '\"(](?:run|out|answers|cache)[ :/'\")]"
)
"""Pattern of the name of a file or folder of a trial in a message."""


UNNAMED = "no file is named"

COLD = "fit drift, texts, cold cache"
"""Scenario that fills the feature cache."""


@dataclass(frozen=True)
class Verdict:
    """What became of a trial.

    Attributes:
        scenario: name of the scenario.
        place: kind of operation and name of the file, or another word for where the harm was done.
        how: word for the harm.
        outcome: "finished", "refused" or "said", where all is as it must be.
        fault: what is not as it must be; empty where all is.
        key: what does the same harm again, as texts and numbers.
        peak: largest number of MiB that the process has held; 0 where nobody measured it.
    """

    scenario: str
    place: str
    how: str
    outcome: str
    fault: str = ""
    key: tuple[object, ...] = ()
    peak: int = 0


def place_of(kind: str, path: str, *roots: Path) -> str:
    """Words for where an operation takes place: the same for files that differ in a number or in a random part.

    >>> place_of("write", "/t/out/parts/fold_3.unfinished.part", Path("/t"))
    'write out/parts/fold_N.unfinished.part'
    """
    for root in roots:
        path = path.removeprefix(f"{root}/")
    path = re.sub(r"\b[0-9a-f]{12,}", "HASH", path)
    path = re.sub(r"(?<=\.saving-)\w+|(?<=/)tmp\w{6,}|(?<=\.tmp)\w{6,}", "*", path)
    return f"{kind} {re.sub(r'[0-9]+', 'N', path)}"


def ended_in_one_line(came: Came) -> str:
    """What is wrong with how a trial refused; empty where it ended in one clear line that names a file."""
    if came.hung:
        return f"hangs for more than {came.seconds:.0f} s"
    if came.code != 2:
        return f"exit code {came.code}: {last_words(came)}"
    lines = [line for line in came.shown.splitlines() if line.strip()]
    errors = [line for line in lines if line.startswith("Error: ")]
    if len(errors) != 1 or lines[-1] is not errors[0]:
        return f"{len(errors)} lines of error: {last_words(came)}"
    if UNCLEAR.search(errors[0]):
        return f"an unclear line: {errors[0][:SHOWN]}"
    return "" if NAMED.search(errors[0]) else f"{UNNAMED}: {errors[0][:SHOWN]}"


def in_one_line(came: Came) -> str:
    """What is wrong with how a trial refused, where its line need name no file."""
    wrong = ended_in_one_line(came)
    return "" if wrong.startswith(UNNAMED) else wrong


def last_words(came: Came) -> str:
    """The end of what a trial printed, in one line."""
    return " | ".join(line.strip() for line in came.shown.splitlines() if line.strip())[-SHOWN:]


class Undisturbed:
    """The results and operations of each scenario without any harm, made when they are first asked for.

    Args:
        warm: the parent of trials.
        place: where they are done.
    """

    def __init__(self, warm: Warm, place: Place) -> None:
        self.warm, self.place = warm, place
        self._came: dict[tuple[str, bool], Came] = {}
        self._contents: dict[str, dict[str, str]] = {}

    def prepare(self, scenario: Scenario) -> None:
        """Make the results that a scenario begins with, and a full cache.

        Raises:
            RuntimeError: a scenario fails without any harm.
        """
        full = self.place.kept / "full"
        if scenario.warm and not full.exists():
            self.came(ALL[COLD])
            shutil.copytree(self.place.kept / "filled", full)
            folder = self.place.begin(ALL["audit"], "filling")
            self.warm.do(ALL["audit"].trial(folder, self.place.given))
            shutil.rmtree(full)
            shutil.copytree(folder / CACHE, full)
        for before in scenario.after:
            self.result(ALL[before])

    def came(self, scenario: Scenario, with_input: bool = False) -> Came:
        """What becomes of a scenario without harm, with the operations on the inputs among the others or not.

        Raises:
            RuntimeError: it fails.
        """
        key = scenario.name, with_input
        if key not in self._came:
            self.prepare(scenario)
            folder = self.place.begin(scenario, "undisturbed")
            extra = {"roots": [str(self.place.given), *(str(folder / n) for n in scenario.roots)]} if with_input else {}
            came = self.warm.do(scenario.trial(folder, self.place.given, **extra))
            if came.code:
                raise RuntimeError(f"{scenario.name} fails without any harm: {came.shown[-2000:]}")
            if scenario.name == COLD:
                shutil.copytree(folder / CACHE, self.place.kept / "filled", dirs_exist_ok=True)
            self._contents.setdefault(scenario.name, contents(self.place.keep(scenario, folder)))
            self._came[key] = came
        return self._came[key]

    def result(self, scenario: Scenario) -> dict[str, str]:
        """Hashes of the results of a scenario without harm, by name."""
        self.came(scenario)
        return self._contents[scenario.name]

    def faults_of(self, scenario: Scenario, folder: Path) -> str:
        """How the results in a trial's folder are not those of the undisturbed one; empty where they are."""
        try:
            found = contents(folder, tuple(scenario.results))
        except (OSError, ValueError) as error:
            return f"results that cannot be read: {error}"
        other = differences(self.result(scenario), found)
        cache = [f"{CACHE}/{name} is left" for name in litter(folder / CACHE)] if (folder / CACHE).exists() else []
        return "; ".join(brief([*other, *cache]))


def brief(names: Sequence[str], most: int = 6) -> list[str]:
    """The first names of a list, and how many there are besides."""
    return [*names[:most], *([f"and {len(names) - most} more"] if len(names) > most else [])]
