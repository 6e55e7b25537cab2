"""Several processes use the library at once: a cache, a folder, or a run is theirs together."""

from __future__ import annotations

import json
import os
import random
import shutil
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from injected.same import contents, differences, litter
from injected.scenarios import ALL, CACHE, INPUT, Scenario
from injected.verdicts import UNCLEAR, Undisturbed, Verdict, brief

REPEATS = 6
"""Number of trials of each way of being together; their processes begin at other moments."""

FIT = "fit drift, texts"
COLD = "fit drift, texts, cold cache"
CALLS = 60
"""Number of calls of the server."""


def _at_once(
    undisturbed: Undisturbed, scenario: Scenario, uses: Sequence[Sequence[Sequence[str]]], draw: random.Random
) -> tuple[Path, list[int], list[str]]:
    """Do several uses at once; the folder, and the exit code and printed lines of each."""
    folder = undisturbed.place.begin(scenario)
    given = str(undisturbed.place.given)
    asked = [
        {
            "calls": [[word.replace(INPUT, given) for word in words] for words in calls],
            "shown": str(folder / f"shown{i}"), "wait": draw.choice((0, 0, draw.uniform(0, 0.5))),
        }
        for i, calls in enumerate(uses)
    ]  # fmt: skip
    (folder / "asked.json").write_text(json.dumps(asked))
    whole = replace(scenario, calls=[("call", "injected.calls:at_once", str(folder / "asked.json"))])
    came = undisturbed.warm.do(whole.trial(folder, undisturbed.place.given, roots=[], limit=240.0))
    codes = [_code(folder / f"shown{i}.code", came.hung) for i in range(len(uses))]
    return folder, codes, [(folder / f"shown{i}").read_text(errors="replace") for i in range(len(uses))]


def _code(path: Path, hung: bool) -> int:
    return int(path.read_text()) if path.exists() else -1 if hung else 1


def _last(shown: str) -> str:
    return " | ".join(line for line in shown.splitlines() if line.strip())[-400:]


def four_on_one_cache(undisturbed: Undisturbed, draw: random.Random) -> str:
    """Four fits that encode the same texts into one empty cache: all finish, and all are equal."""
    scenario = ALL[COLD]
    (words,) = scenario.calls
    uses = [[[f"out{i}" if word == "out" else word for word in words]] for i in range(4)]
    folder, codes, shown = _at_once(undisturbed, scenario, uses, draw)
    if any(codes):
        bad = next(i for i, code in enumerate(codes) if code)
        return f"exit codes {codes}: {_last(shown[bad])}"
    wanted = undisturbed.result(scenario)
    wrong = []
    for i in range(4):
        found = {f"out/{name}": data for name, data in contents(folder / f"out{i}").items()}
        wrong += [f"fit {i}: {each}" for each in differences(wanted, found)]
    return "; ".join(brief([*wrong, *(f"{CACHE}/{name} is left" for name in litter(folder / CACHE))]))


def two_on_one_folder(undisturbed: Undisturbed, draw: random.Random) -> str:
    """Two fits of one folder: one is whole, the other is that, too, or ends in a line that names the holder."""
    scenario = ALL[FIT]
    folder, codes, shown = _at_once(undisturbed, scenario, [scenario.calls, scenario.calls], draw)
    if sorted(codes) not in ([0, 0], [0, 2]):
        bad = next((i for i, code in enumerate(codes) if code not in (0, 2)), codes.index(2) if 2 in codes else 0)
        return f"exit codes {codes}: {_last(shown[bad])}"
    if 2 in codes:
        said = [line for line in shown[codes.index(2)].splitlines() if line.startswith("Error: ")]
        if len(said) != 1 or UNCLEAR.search(said[0]):
            return f"ends in {len(said)} lines of error: {_last(shown[codes.index(2)])}"
        if not any(char.isdigit() for char in said[0]) or os.uname().nodename not in said[0]:
            return f"the holder's process and host are not named: {said[0]}"
    return undisturbed.faults_of(scenario, folder)


def a_server_and_a_fit(undisturbed: Undisturbed, draw: random.Random) -> str:
    """A process that predicts one text a call beside a fit: each gives what it gives alone."""
    server = Scenario(
        "server", [("call", "injected.calls:serve", "run", f"{INPUT}/texts_test.csv", "answers/p.npy", str(CALLS))],
        ("answers",), (FIT,), ("answers",),
    )  # fmt: skip
    alone = undisturbed.result(server)
    (words,) = ALL[FIT].calls
    undisturbed.prepare(server)
    scenario = replace(server, warm=False)
    folder, codes, shown = _at_once(undisturbed, scenario, [server.calls, [words]], draw)
    if any(codes):
        return f"exit codes {codes}: {_last(shown[0])} / {_last(shown[1])}"
    wrong = [f"server: {each}" for each in differences(alone, contents(folder, ("answers",)))]
    wrong += [f"fit: {each}" for each in differences(undisturbed.result(ALL[COLD]), contents(folder, ("out",)))]
    shutil.rmtree(folder / "run")
    return "; ".join(brief([*wrong, *(f"{CACHE}/{name} is left" for name in litter(folder / CACHE))]))


TOGETHER: dict[str, Callable[[Undisturbed, random.Random], str]] = {
    "four fits on one cache": four_on_one_cache,
    "two fits on one folder": two_on_one_folder,
    "a server and a fit": a_server_and_a_fit,
}
"""Ways of being together, by name: functions that say what is wrong, and nothing where all is as it must be."""


def together(name: str, undisturbed: Undisturbed, skip: int = 0) -> Iterator[Verdict]:
    """Verdicts on a way of being together.

    Args:
        name: one of `TOGETHER`.
        undisturbed: results to compare with.
        skip: number of trials to pass over, since they were done before.
    """
    for number in range(skip, REPEATS):
        fault: Any = TOGETHER[name](undisturbed, random.Random(f"{name} {number}"))
        yield Verdict(name, name, "at once", "equal", fault, (name, number))
