"""Each operation on files fails once, with each error that it can have, and what comes of it."""

from __future__ import annotations

import errno
import random
from collections import defaultdict
from collections.abc import Collection, Iterator, Sequence

from injected.kills import in_rounds
from injected.layer import Harm
from injected.scenarios import ALL, Scenario
from injected.verdicts import Undisturbed, Verdict, ended_in_one_line, last_words, place_of

ERRORS = {
    "create": (errno.ENOSPC, errno.EACCES, errno.EIO),
    "open": (errno.EACCES, errno.EIO),
    "read": (errno.EIO,),
    "map": (errno.EIO,),
    "list": (errno.EACCES, errno.EIO),
    "write": (errno.ENOSPC, errno.EIO),
    "sync": (errno.EIO, errno.ENOSPC),
    "truncate": (errno.EIO,),
    "rename": (errno.EIO, errno.EACCES, errno.ENOSPC),
    "unlink": (errno.EACCES, errno.EIO),
    "mkdir": (errno.ENOSPC, errno.EACCES, errno.EIO),
    "link": (errno.EIO, errno.EPERM),
    "lock": (errno.ENOLCK, errno.EIO),
}
"""Numbers of the errors that an operation can have, by its kind."""


def harms_of(number: int, kind: str) -> list[Harm]:
    """Faults of one operation: each error once, half of a write, and a disk that is full from there on."""
    found = [Harm("fail", number, error) for error in ERRORS[kind]]
    if kind == "write":
        found.append(Harm("half", number, errno.ENOSPC))
    if kind in ("write", "create", "mkdir"):
        found.append(Harm("fail", number, errno.ENOSPC, lasting=True))
    return found


def name_of(harm: Harm) -> str:
    """Word for a fault, such as "ENOSPC", "ENOSPC, half written" or "ENOSPC, from there on"."""
    more = ", half written" * (harm.way == "half") + ", from there on" * harm.lasting
    return errno.errorcode[harm.error] + more


def faults(
    operations: Sequence[tuple[str, str]], undisturbed: Undisturbed, others: Collection[str] = ()
) -> list[tuple[Harm, str]]:
    """All faults of all operations, each with its place.

    Places that others have not come first. Each place comes once before any comes twice, and at each place every kind
    of fault once before any comes twice.

    Args:
        operations: kind and path of each operation.
        undisturbed: results, and where they are made.
        others: places at which faults come elsewhere, too.
    """
    by_place: dict[str, dict[str, list[Harm]]] = defaultdict(lambda: defaultdict(list))
    work = undisturbed.place.work / "undisturbed"
    for number, (kind, path) in enumerate(operations, start=1):
        for harm in harms_of(number, kind):
            by_place[place_of(kind, path, work, undisturbed.place.given.parent)][name_of(harm)].append(harm)
    draw, lists = random.Random(0), []
    for place, by_kind in by_place.items():
        for harms in by_kind.values():
            draw.shuffle(harms)
        lists.append([(harm, place) for harm in in_rounds(draw, list(by_kind.values()))])
    own, shared = ([each for each in lists if (each[0][1] in others) is known] for known in (False, True))
    first = [[each[0]] for each in own]
    draw.shuffle(first)
    return [*(pair for (pair,) in first), *in_rounds(draw, shared + [each[1:] for each in own])]


def places_of(scenario: Scenario, undisturbed: Undisturbed) -> set[str]:
    """Places of the operations of a scenario, those of its inputs among them."""
    operations = undisturbed.came(scenario, with_input=True).operations
    work, given = undisturbed.place.work / "undisturbed", undisturbed.place.given.parent
    return {place_of(kind, path, work, given) for kind, path in operations}


def others_of(scenario: Scenario, undisturbed: Undisturbed) -> set[str]:
    """Places of the operations of the scenarios before one."""
    before = list(ALL.values())[: list(ALL).index(scenario.name)]
    return set().union(*(places_of(each, undisturbed) for each in before))


def own_places(scenario: Scenario, undisturbed: Undisturbed) -> int:
    """Number of the places of a scenario that none before it has; their faults come first."""
    return len(places_of(scenario, undisturbed) - others_of(scenario, undisturbed))


def errors(scenario: Scenario, undisturbed: Undisturbed, skip: int = 0, alone: bool = False) -> Iterator[Verdict]:
    """Verdicts on the faults of all operations of a scenario, those of its inputs among them.

    Args:
        scenario: what is done.
        undisturbed: results to compare with.
        skip: number of faults to pass over, since they were done before.
        alone: whether the places that scenarios before it have, too, come in their turn; else they come last, and the
            scenarios before it are run to know them.
    """
    whole = undisturbed.came(scenario, with_input=True)
    others = set() if alone else others_of(scenario, undisturbed)
    for harm, place in faults(whole.operations, undisturbed, others)[skip:]:
        yield failed(scenario, undisturbed, harm, place)


def failed(scenario: Scenario, undisturbed: Undisturbed, harm: Harm, place: str) -> Verdict:
    """Let one operation fail, and compare what comes of it; where it was refused, do it again without the fault."""
    warm, given = undisturbed.warm, undisturbed.place.given
    folder = undisturbed.place.begin(scenario)
    roots = [str(given), *(str(folder / name) for name in scenario.roots)]
    how, key = name_of(harm), (scenario.name, harm.way, harm.at, harm.error, harm.lasting)

    def verdict(outcome: str, fault: str = "") -> Verdict:
        return Verdict(scenario.name, place, how, outcome, fault, key)

    came = warm.do(scenario.trial(folder, given, harm=harm, roots=roots))
    if came.code == 0:
        wrong = undisturbed.faults_of(scenario, folder)
        whole = undisturbed.came(scenario).shown
        more = [line for line in came.shown.splitlines() if "Warning: " in line and line not in whole]
        if more:  # an index that was set aside is said, and stays
            wrong = "; ".join(each for each in wrong.split("; ") if not each.endswith(".index.damaged is left"))
        if wrong and more and "is left" not in wrong:
            return verdict("said")
        if (
            wrong
            and place.startswith("unlink")
            and all(each.endswith(("is new", "is left")) for each in wrong.split("; "))
        ):
            return verdict("not removed")  # what could not be removed is there, and nothing else
        return verdict("finished", wrong and f"finished without a word, but {wrong}")
    if wrong := ended_in_one_line(came):
        return verdict("", wrong)
    again = warm.do(scenario.trial(folder, given, again=True))
    if again.code:
        return verdict("", f"is not finished by the same command: {last_words(again)} (before: {last_words(came)})")
    wrong = undisturbed.faults_of(scenario, folder)
    return verdict("refused", wrong and f"finished by the same command, but {wrong}")
