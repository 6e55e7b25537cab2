"""Does harm to the library on purpose, at every place, and writes down what came of it, as a table by place.

    python benchmarks/studies/faults kills --count 1000       kills at each operation on files, and at any moment
    python benchmarks/studies/faults faults                   each operation fails once, with each error
    python benchmarks/studies/faults flips --count 10000      bytes of finished runs, unfinished ones and caches change
    python benchmarks/studies/faults mutations --count 100000 inputs of all formats change
    python benchmarks/studies/faults limits                   1, 2 and 3 GB of address space, small and full disks
    python benchmarks/studies/faults together                 fits that share a cache, a folder, a server beside a fit
    python benchmarks/studies/faults table                    what is recorded

The results are in benchmarks/results/faults.json. A part may be stopped and goes on where it was; --anew begins it
again. --repeat does those trials again in which a fault was found (of flips and mutations); what is mended counts as it
ends now. --count is the number of trials in all, those that were done before among them; without it a part goes on to
its end, or to its usual number. The exit code is 1 where anything is not as it must be. What is done in a trial, and
what must hold after it, is in tests/faults/injected.
"""

from __future__ import annotations

import argparse
import hashlib
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[2]
sys.path.insert(0, str(ROOT / "tests" / "faults"))

from filelock import FileLock, Timeout  # noqa: E402
from injected import material  # noqa: E402
from injected.errors import own_places  # noqa: E402
from injected.layer import missing  # noqa: E402
from injected.scenarios import ALL, Place  # noqa: E402
from injected.verdicts import Undisturbed, Verdict  # noqa: E402
from injected.warm import Warm  # noqa: E402
from parts import PARTS, Part  # noqa: E402

from recorded import Recorded, table  # noqa: E402

RESULTS = ROOT / "benchmarks" / "results" / "faults.json"


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("part", choices=(*PARTS, "table"), help="what to do")
    parser.add_argument("--count", type=int, help="number of trials in all")
    parser.add_argument("--only", nargs="+", help="words of the names of the scenarios to do")
    parser.add_argument("--places", action="store_true", help="of faults: each place once, in one of the scenarios")
    parser.add_argument("--anew", action="store_true", help="forget what was done of this part")
    parser.add_argument("--repeat", action="store_true", help="do those trials again in which a fault was found")
    parser.add_argument("--folder", type=Path, help="folder of the trials; a temporary one by default")
    parser.add_argument("--results", type=Path, default=RESULTS, help="file of the results")
    parser.add_argument("--source", type=Path, default=ROOT, help="checkout of the library to do harm to")
    asked = parser.parse_args()
    if asked.part == "table":
        print(table(Recorded(asked.results).parts))
        return
    if asked.places and asked.part != "faults":
        parser.error("--places is of faults")
    if asked.repeat and not PARTS[asked.part].numbered:
        parser.error(f"trials of {asked.part} cannot be repeated one by one: do the scenario with --only and --anew")
    if why := missing():
        parser.error(why)
    recorded = Recorded(asked.results)
    if asked.anew:
        recorded.forget(asked.part)
    with tempfile.TemporaryDirectory(prefix="tutelage-faults-") as temporary:
        folder = asked.folder or Path(temporary)
        folder.mkdir(parents=True, exist_ok=True)
        try:
            with FileLock(folder / "busy", timeout=0), FileLock(busy_of(asked.results), timeout=0):
                done(asked, PARTS[asked.part], recorded, folder)
        except Timeout:
            parser.error(f"another part of the study is at work in {folder}, or writes {asked.results}")
    print(table({asked.part: recorded.parts[asked.part]}))
    sys.exit(bool(recorded.parts[asked.part]["faults"]))


def busy_of(results: Path) -> Path:
    """File that is locked while a part writes the results; it does not lie beside them."""
    name = hashlib.sha256(str(results.resolve()).encode()).hexdigest()[:16]
    return Path(tempfile.gettempdir()) / f"tutelage-faults-{name}.lock"


def done(asked: argparse.Namespace, part: Part, recorded: Recorded, folder: Path) -> None:
    """Do a part, and write what comes of it down every few seconds and at the end."""
    place = Place.at(folder)
    if not place.given.exists():
        material.make(place.given)
    names = [n for n in part.names if not asked.only or any(word in n for word in asked.only)]
    count = asked.count if asked.count is not None else part.usual
    with Warm(folder / "scratch", asked.source / "src") as warm:
        undisturbed = Undisturbed(warm, place)
        going: dict[str, Iterator[Verdict]] = {
            name: part.verdicts(name, undisturbed, recorded.done(asked.part, name)) for name in names
        }
        total = sum(recorded.done(asked.part, name) for name in names)
        try:
            if asked.repeat:
                repeated(asked.part, part, undisturbed, recorded, names)
                return
            while going and (count is None or total < count):
                for name in list(going):
                    enough = asked.places and own_places(ALL[name], undisturbed) <= recorded.done(asked.part, name)
                    verdict = None if enough else next(going[name], None)
                    if verdict is None:
                        del going[name]
                    elif count is None or total < count:
                        recorded.add(asked.part, name, verdict)
                        total += 1
                        if verdict.fault:
                            print(f"{verdict.scenario} | {verdict.place} | {verdict.how} | {verdict.fault}", flush=True)
        finally:
            recorded.write()


def repeated(name: str, part: Part, undisturbed: Undisturbed, recorded: Recorded, names: list[str]) -> None:
    """Do the trials again in which a fault was found.

    Args:
        name: name of the part.
        part: the part.
        undisturbed: parent of trials and their place.
        recorded: what is recorded.
        names: names of the scenarios that count.
    """
    for fault in list(recorded.parts.get(name, {}).get("found", [])):
        for key in list(fault["keys"]):
            if fault["scenario"] in names:
                verdict = next(part.verdicts(fault["scenario"], undisturbed, key[1]))
                print(f"{verdict.scenario} {key[1]} | {verdict.place} | {verdict.how} | {verdict.fault or 'mended'}")
                if not verdict.fault:
                    recorded.mended(name, fault, key, verdict)


if __name__ == "__main__":
    main()
