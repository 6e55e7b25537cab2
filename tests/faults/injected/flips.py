"""Bytes of finished runs, of unfinished ones and of feature caches change, and nothing may change without a word.

After the harm the library is used as before: to predict, to score, to load, to draw the report, to verify, or to go on.
Either the results equal those of the undamaged files, or it is said in a line; a changed result without a word is a
fault, and so is whatever is no clear line.
"""

from __future__ import annotations

import random
import re
import shutil
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from injected.changes import damage, vouched
from injected.layer import Harm
from injected.same import contents, differences
from injected.scenarios import ALL, CACHE, INPUT, ROWS, TEXTS, Scenario, fit, predict
from injected.verdicts import Undisturbed, Verdict, brief, ended_in_one_line, in_one_line, place_of
from injected.warm import Came

TELLING = re.compile(
    r"damaged|differ|changed|missing|made again|set aside|not readable|edited|not of the run|begins anew", re.I
)
"""Pattern of a line that says that a file is not as it was."""


@dataclass(frozen=True)
class Target:
    """What is damaged, and what is done with it afterwards.

    Attributes:
        name: its name.
        scenario: scenario of the uses; its results are compared.
        within: names of the folders whose files are damaged.
        stranger: whether who does the damage vouches for it, too, so that other results are no fault.
        stopped: numbers of the shares of a fit after which it is killed, so that what is damaged is unfinished.
    """

    name: str
    scenario: Scenario
    within: Sequence[str]
    stopped: Sequence[float] = ()
    stranger: bool = False


def _uses(before: str, *calls: Sequence[str], results: Sequence[str] = ("answers",)) -> Scenario:
    return Scenario(f"use of {before}", calls, results, (before,), ("answers", "run"))


def _score(run: str, table: str, *words: str) -> tuple[str, ...]:
    return ("score", run, "--test", f"{INPUT}/{table}", *words)


OF_TEXTS, OF_ROWS, OF_MASKS = "fit drift, texts", "fit tri_training, rows", "fit dmt, masks"
MASKED = ("--images", "image")

USES = {
    "texts": _uses(OF_TEXTS, predict("run", "texts_test.csv", "answers/a.csv"), _score("run", "texts_test.csv")),
    "rows": _uses(
        OF_ROWS, predict("run", "rows_test.csv", "answers/a.csv"), _score("run", "rows_test.csv"),
        ("call", "injected.calls:load", "run", f"{INPUT}/rows_test.csv", "answers/p.npy"),
    ),
    "masks": _uses(OF_MASKS, predict("run", "masks.parquet", "answers/masks", *MASKED)),
    "report": Scenario("report of a run", [("report", "run")], ("run/report.html",), (OF_TEXTS,), ("run",)),
}  # fmt: skip
"""Uses of finished runs, by kind."""

TARGETS = {
    each.name: each
    for each in (
        *(Target(f"finished, {name}", use, ["run"]) for name, use in USES.items()),
        *(Target(f"a stranger's, {name}", use, ["run"], stranger=True) for name, use in USES.items()),
        Target("finished, verified", Scenario("verify", [("verify", "run")], (), (OF_ROWS,), ("run",)), ["run"]),
        Target("unfinished, texts", Scenario("going on, texts", [fit("drift", *TEXTS)]), ["out"], (0.3, 0.5, 0.8)),
        Target("unfinished, rows", Scenario("going on, rows", [fit("tri_training", *ROWS)]), ["out"], (0.4, 0.6, 0.8)),
        Target("cache", ALL["encode"], [CACHE]),
    )
}  # fmt: skip
"""What is damaged, by name."""


def _begin(target: Target, undisturbed: Undisturbed, draw: random.Random) -> Path:
    """The folder of a trial with what is damaged, undamaged still."""
    place = undisturbed.place
    undisturbed.prepare(target.scenario)
    if target.stopped:
        operations = undisturbed.came(target.scenario).operations
        share = draw.choice(target.stopped)
        kept = place.kept / f"{target.name}, {share}"
        if not kept.exists():
            folder = place.begin(target.scenario, "stopping")
            harm = Harm("before", round(share * len(operations)))
            undisturbed.warm.do(target.scenario.trial(folder, place.given, harm=harm))
            folder.rename(kept)
        folder = place.begin(target.scenario)
        shutil.rmtree(folder)
        shutil.copytree(kept, folder)
        return folder
    folder = place.begin(target.scenario)
    if CACHE in target.within:
        full = place.kept / "full"
        shutil.rmtree(folder / CACHE)
        shutil.copytree(full, folder / CACHE)
    return folder


def flips(target: Target, undisturbed: Undisturbed, skip: int = 0) -> Iterator[Verdict]:
    """Verdicts on damaged files, without an end.

    Args:
        target: what is damaged.
        undisturbed: parent of trials and their place.
        skip: number of trials to pass over, since they were done before.
    """
    clean = _clean(target, undisturbed)
    number = skip
    while True:
        yield flipped(target, undisturbed, clean, number)
        number += 1


@dataclass(frozen=True)
class Clean:
    """What the uses of undamaged files give: the lines that are shown, and the results."""

    came: Came
    results: dict[str, str]


def _clean(target: Target, undisturbed: Undisturbed) -> Clean:
    """The uses of undamaged files.

    Raises:
        RuntimeError: one fails.
    """
    if CACHE in target.within:
        undisturbed.prepare(ALL[OF_TEXTS])
    folder = _begin(target, undisturbed, random.Random(0))
    came = undisturbed.warm.do(target.scenario.trial(folder, undisturbed.place.given))
    if came.code:
        raise RuntimeError(f"{target.name} fails without any harm: {came.shown[-2000:]}")
    return Clean(came, contents(folder, tuple(target.scenario.results)))


def flipped(target: Target, undisturbed: Undisturbed, clean: Clean, number: int) -> Verdict:
    """Damage one file, use what is damaged, and compare.

    Args:
        target: what is damaged.
        undisturbed: parent of trials and their place.
        clean: what the undamaged files give.
        number: seed of the damage.
    """
    draw = random.Random(f"{target.name} {number}")
    folder = _begin(target, undisturbed, draw)
    how, name = vouched(draw, folder / "run") if target.stranger else damage(draw, folder, target.within)
    place = place_of("file", name)
    came = undisturbed.warm.do(target.scenario.trial(folder, undisturbed.place.given))

    def verdict(outcome: str, fault: str = "") -> Verdict:
        return Verdict(target.name, place, how, outcome, fault, (target.name, number))

    if came.code:
        return verdict("refused", in_one_line(came) if target.stranger else ended_in_one_line(came))
    try:
        found = contents(folder, tuple(target.scenario.results))
        other = differences(clean.results, {k: v for k, v in found.items() if ".damaged" not in k})
    except (OSError, ValueError) as error:
        other = [f"results that cannot be read: {error}"]
    lines = [line for line in came.shown.splitlines() if line not in clean.came.shown.splitlines()]
    if any(TELLING.search(line) for line in lines):
        return verdict("said")
    if target.stopped:  # which lines a stopped fit prints again depends on where it stopped
        lines = []
    if "verify" in target.scenario.name:
        other = ["verify sees nothing"]
    if (other or lines) and target.stranger:
        return verdict("other")
    if other or lines:
        return verdict("", f"changed without a word: {'; '.join(brief([*other, *lines]))}")
    return verdict("equal")
