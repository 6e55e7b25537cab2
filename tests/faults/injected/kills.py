"""A use of the library is killed at each of its operations on files, or at any moment, and done again."""

from __future__ import annotations

import random
from collections import defaultdict
from collections.abc import Iterator, Sequence
from itertools import count, zip_longest
from typing import TypeVar

from injected.layer import Harm
from injected.scenarios import Scenario
from injected.verdicts import Undisturbed, Verdict, last_words, place_of

POINTS = ("before", "power", "torn", "after")
"""Ways of killing at an operation; "torn" is for writes alone."""

T = TypeVar("T")
NOTHING = object()

RANDOM_EACH = 4
"""One kill in so many is at a random moment."""


def points(operations: Sequence[tuple[str, str]], undisturbed: Undisturbed) -> list[tuple[Harm, str]]:
    """All kills at operations, each with its place, so that every place comes once before any comes twice."""
    by_place: dict[str, list[Harm]] = defaultdict(list)
    work = undisturbed.place.work / "undisturbed"
    for way in POINTS:
        for number, (kind, path) in enumerate(operations, start=1):
            if way != "torn" or kind == "write":
                by_place[place_of(kind, path, work)].append(Harm(way, number))
    draw = random.Random(0)
    for harms in by_place.values():
        first, rest = harms[:1], harms[1:]
        draw.shuffle(rest)
        harms[:] = first + rest
    lists = [[(harm, place) for harm in harms] for place, harms in by_place.items()]
    return in_rounds(draw, lists)


def in_rounds(draw: random.Random, lists: list[list[T]]) -> list[T]:
    """What is in lists, in rounds: the first of each list, then the second of each, and so on.

    Args:
        draw: source of the order within a round.
        lists: the lists.

    >>> sorted(in_rounds(random.Random(0), [[1, 3, 4], [2]])[:2])
    [1, 2]
    """
    draw.shuffle(lists)
    return [each for one in zip_longest(*lists, fillvalue=NOTHING) for each in one if each is not NOTHING]


def kills(scenario: Scenario, undisturbed: Undisturbed, skip: int = 0) -> Iterator[Verdict]:
    """Verdicts on the kills of a scenario, without an end: those at operations in turn, and some at random.

    Args:
        scenario: what is killed.
        undisturbed: results to compare with.
        skip: number of kills to pass over, since they were done before.
    """
    whole = undisturbed.came(scenario)
    todo = points(whole.operations, undisturbed)
    at_operations = iter(todo)
    for number in count():
        at_random = number % RANDOM_EACH == RANDOM_EACH - 1
        next_point = None if at_random else next(at_operations, None)
        if number < skip:
            continue
        draw = random.Random(f"{scenario.name} {number}")
        if next_point is None:
            yield killed(scenario, undisturbed, Harm(), "any moment", draw.uniform(0.01, 1) * whole.seconds, draw)
        else:
            yield killed(scenario, undisturbed, *next_point, None, draw)


def killed(
    scenario: Scenario, undisturbed: Undisturbed, harm: Harm, place: str, moment: float | None, draw: random.Random
) -> Verdict:
    """Kill a use of the library, do it again, and compare; every fourth time the second is killed, too.

    What has no --resume may refuse the second time, where all its results are there already.

    Args:
        scenario: what is killed.
        undisturbed: results to compare with.
        harm: where the layer kills it.
        place: words for that.
        moment: seconds after which it is killed; None leaves it to the layer.
        draw: source of the choices.
    """
    warm, given = undisturbed.warm, undisturbed.place.given
    folder = undisturbed.place.begin(scenario)
    key = (scenario.name, harm.way, harm.at, moment)
    came = warm.do(scenario.trial(folder, given, harm=harm, kill_after=moment))
    how = "at random" if moment else harm.way
    if not came.killed and came.code:
        return Verdict(scenario.name, place, how, "", f"fails without a kill: {last_words(came)}", key)
    if draw.randrange(4) == 0:
        seconds = draw.uniform(0.01, 1) * undisturbed.came(scenario).seconds
        warm.do(scenario.trial(folder, given, again=True, kill_after=seconds))
        key, how = (*key, seconds), f"{how}, twice"
    again = warm.do(scenario.trial(folder, given, again=True))
    wrong = undisturbed.faults_of(scenario, folder)
    if again.code == 2 and not wrong:
        return Verdict(scenario.name, place, how, "done already", "", key)
    if again.code:
        said = f"does not finish (exit code {again.code}{', hangs' * again.hung}): {last_words(again)}"
        return Verdict(scenario.name, place, how, "", said, key)
    return Verdict(scenario.name, place, how, "finished", wrong, key)
