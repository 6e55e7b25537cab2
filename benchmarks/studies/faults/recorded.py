"""What is recorded of the study: counts by part, scenario and place, and the first faults, with what repeats them."""

from __future__ import annotations

import json
import re
import time
from collections import Counter
from dataclasses import asdict
from pathlib import Path
from typing import Any

from injected.verdicts import Verdict

FAULTS = 200
"""Number of different faults of a part that are kept, at most."""

EVERY = 10.0
"""Seconds between two writings of the file."""


class Recorded:
    """The file of the results.

    Args:
        path: where it is, or will be.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.parts: dict[str, Any] = json.loads(path.read_text()) if path.exists() else {}
        self._written = time.monotonic()

    def forget(self, part: str) -> None:
        """Take a part out."""
        self.parts.pop(part, None)

    def done(self, part: str, name: str) -> int:
        """Number of trials that were done of a scenario."""
        return int(self.parts.get(part, {}).get("scenarios", {}).get(name, {}).get("trials", 0))

    def add(self, part: str, name: str, verdict: Verdict) -> None:
        """Count a verdict, and keep its fault where none like it is kept yet."""
        whole = self.parts.setdefault(part, {"trials": 0, "faults": 0, "scenarios": {}, "found": []})
        scenario = whole["scenarios"].setdefault(name, {"trials": 0, "faults": 0, "places": {}})
        place = scenario["places"].setdefault(verdict.place, {"trials": 0, "faults": 0})
        for each in (whole, scenario, place):
            each["trials"] += 1
            each["faults"] += bool(verdict.fault)
        if verdict.peak:
            scenario["peak_memory_mb"] = max(verdict.peak, scenario.get("peak_memory_mb", 0))
        if not verdict.fault:
            place[verdict.outcome] = place.get(verdict.outcome, 0) + 1
        else:
            self._keep(whole["found"], verdict)
        if time.monotonic() - self._written > EVERY:
            self.write()

    @staticmethod
    def _keep(found: list[dict[str, Any]], verdict: Verdict) -> None:
        """Keep a fault, or count it where its like is kept."""
        kind = (verdict.scenario, verdict.place, _like(verdict.fault))
        for each in found:
            if (each["scenario"], each["place"], _like(each["fault"])) == kind:
                each["times"] += 1
                each["keys"].append(verdict.key)
                return
        if len(found) < FAULTS:
            kept = {k: v for k, v in asdict(verdict).items() if k not in ("outcome", "key")}
            found.append(kept | {"times": 1, "keys": [verdict.key]})

    def mended(self, part: str, fault: dict[str, Any], key: Any, verdict: Verdict) -> None:
        """Count a trial whose fault is mended as it ends now.

        Args:
            part: name of the part.
            fault: what is kept of the fault.
            key: what repeats the trial.
            verdict: verdict on the trial, repeated.
        """
        whole = self.parts[part]
        scenario = whole["scenarios"][fault["scenario"]]
        place = scenario["places"][fault["place"]]
        for each in (whole, scenario, place):
            each["faults"] -= 1
        place[verdict.outcome] = place.get(verdict.outcome, 0) + 1
        fault["keys"].remove(key)
        fault["times"] -= 1
        whole["found"] = [each for each in whole["found"] if each["times"]]

    def write(self) -> None:
        """Write the file whole."""
        part = self.path.with_name(self.path.name + ".part")
        part.parent.mkdir(parents=True, exist_ok=True)
        part.write_text(json.dumps(self.parts, indent=1, ensure_ascii=False) + "\n")
        part.replace(self.path)
        self._written = time.monotonic()


def _like(fault: str) -> str:
    """A fault without its numbers and what is random in its names."""
    return re.sub(r"\b[0-9a-f]{12,}\b|(?<=\.saving-)\w+|\d+", "N", fault)[:160]


def table(parts: dict[str, Any]) -> str:
    """The recorded parts as tables in Markdown, a row a scenario and kind of operation."""
    lines = []
    for part, whole in parts.items():
        lines += [f"| {part} | trials | faults | how they ended |", "|---|---|---|---|"]
        for name, scenario in whole["scenarios"].items():
            lines.append(f"| {name} | {scenario['trials']:,} | {scenario['faults']:,} | {_ended(scenario)} |")
        lines += [f"| all | {whole['trials']:,} | {whole['faults']:,} | {_of_all(whole)} |", ""]
        for each in whole["found"]:
            lines.append(f"- {each['scenario']}, {each['place']}, {each['how']} ({each['times']}): {each['fault']}")
        lines.append("")
    return "\n".join(lines).rstrip()


def _outcomes(scenario: dict[str, Any]) -> Counter[str]:
    counts: Counter[str] = Counter()
    for place in scenario["places"].values():
        counts.update({k: v for k, v in place.items() if k not in ("trials", "faults")})
    return counts


def _ended(scenario: dict[str, Any]) -> str:
    counts = ", ".join(f"{count:,} {outcome}" for outcome, count in sorted(_outcomes(scenario).items()))
    peak = f"; at most {scenario['peak_memory_mb']:,} MiB" if "peak_memory_mb" in scenario else ""
    return f"{len(scenario['places'])} places: {counts}{peak}"


def _of_all(whole: dict[str, Any]) -> str:
    total = sum((_outcomes(each) for each in whole["scenarios"].values()), Counter())
    return ", ".join(f"{count:,} {outcome}" for outcome, count in sorted(total.items()))
