"""Inputs of all formats are mutated: each is read, or refused in clear words, in bounded time and memory.

The seeds are the inputs of tests/kinds/faulty, which already has five kinds, all formats, packings and exports of
tools, with faults of lines, cells and JSON; here their bytes change, too, as fuzzers do it (`changes.mutated`). Inputs
that are more than they look are in `bombs`. A run's own files, the TOML of --config and rules are forms of their own.

Inputs are read in processes of their own. A watchdog sees the number of the input that is read, and how long; an input
that hangs, or ends its process, is named, kept, and passed over.
"""

from __future__ import annotations

import importlib
import json
import multiprocessing
import os
import random
import resource
import subprocess
import sys
import tempfile
import time
import traceback
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(folder) for folder in (HERE.parent, HERE.parents[1] / "kinds") if str(folder) not in sys.path]

from injected.bombs import BOMBS  # noqa: E402
from injected.changes import CHANGES, mutated  # noqa: E402
from injected.verdicts import Undisturbed, Verdict  # noqa: E402
from injected.warm import cpu_seconds  # noqa: E402

KINDS = ("texts", "sentences", "images", "masks", "rows")
FORMS = (*KINDS, "bombs", "config", "rules", "model")
"""Names of what is mutated: tables and folders of the five kinds, and others."""

MOST = {"bombs": 700, "model": 5_000}
"""Number of inputs of a form that are read, at most; other forms have no end."""

SECONDS = 5.0
"""Seconds that an input may take, at most."""

MEMORY = 1_500 * 2**20
"""Bytes of address space that a process of inputs may take beyond what it begins with."""

A_CHUNK = 200
"""Number of inputs that a process reads before another takes its place."""


def of_kind(kind: str, number: int) -> Any:
    """An input of a kind, by its number: a `faulty.case.Case` whose files are mutated, three times out of four."""
    import faulty

    seed = f"{kind} mutation {number}"
    case = faulty.drawn(kind, random.Random(seed))
    draw = random.Random(f"{seed} bytes")
    names = [name for name, data in case.content.items() if data]
    if names and draw.randrange(4):
        others = faulty.drawn(kind, random.Random(f"{seed} other")).content.values()
        name = draw.choice(names)
        case.content[name] = mutated(draw, case.content[name] or b"", next(filter(None, others), b""))
        case.fault("bytes mutated")
        case.rows = case.classes = None
    return case


def _read_case(case: Any, folder: Path) -> str:
    from faulty.checks import Broken, checked

    try:
        return "read" if checked(case, folder / "data").read else "refused"
    except Broken as broken:
        raise Unclear(str(broken)) from broken.__cause__


class Unclear(AssertionError):  # noqa: N818
    """What must hold of every input does not hold of one."""


def require_own(refused: BaseException) -> str:
    """What an error of the library becomes; others are raised again."""
    import tutelage

    last = traceback.extract_tb(refused.__traceback__)[-1].filename
    if not last.startswith(str(Path(tutelage.__file__).parent)):
        raise Unclear("".join(traceback.format_exception(refused)[-6:])) from refused
    return "refused"


def read_kind(kind: str, number: int, folder: Path) -> str:
    """What becomes of an input of a kind: "read" or "refused".

    Raises:
        Unclear: what must hold of every input does not.
    """
    return _read_case(of_kind(kind, number), folder)


def read_bomb(number: int, folder: Path) -> str:
    """What becomes of a bomb, by its number; see `read_kind`."""
    from faulty.case import Case

    draw = random.Random(f"bomb {number}")
    form = list(BOMBS)[number % len(BOMBS)]
    name, data = BOMBS[form](draw)
    if number // len(BOMBS) % 3 == 2:
        data = mutated(draw, data, b"")
    kind = "images" if form == "image" else "texts"
    options = {} if kind == "images" else {"text": "text", "label": "label"}
    case = Case(kind, form, options, {name: data}, {"train": name.split("/")[0]}, None, None)
    return _read_case(case, folder)


def read_config(number: int, folder: Path) -> str:
    """What becomes of a mutated TOML of --config, by its number; see `read_kind`."""
    from tutelage.run.config import with_config

    draw = random.Random(f"config {number}")
    good = b'method = "drift"\ntrain = "a.csv"\nsteps = 40\nlr = 0.003\nevidence = false\nfeatures = ["a", "b"]\n'
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "fit.toml").write_bytes(mutated(draw, good, good))
    try:
        with_config(["fit", "--config", str(folder / "fit.toml")])
    except ValueError as refused:
        return require_own(refused)
    return "read"


def read_rules(number: int, folder: Path) -> str:
    """What becomes of mutated rules, by their number, of JSON as of CSV; see `read_kind`."""
    from tutelage.weak.rules import read_rules as read

    draw = random.Random(f"rules {number}")
    rules = [{"label": "a", "keywords": ["x", "y"], "name": "some"}, {"label": "b", "regex": "(x+)+$", "name": "other"}]
    value = json.dumps(rules).encode()
    if draw.randrange(2):
        value = CHANGES["a part of JSON"](draw, value)
    if draw.randrange(2):
        value = mutated(draw, value, value)
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "rules.json").write_bytes(value)
    try:
        read(folder / "rules.json")
    except ValueError as refused:
        return require_own(refused)
    return "read"


_SAVED: dict[str, dict[str, bytes]] = {}


def _saved_model() -> dict[str, bytes]:
    """The files of a saved model of rows, by name, made once a process."""
    if not _SAVED:
        import numpy as np

        from tutelage import Classifier

        draw = np.random.default_rng(0)
        y = np.where(np.arange(24) < 12, np.arange(24) % 2, -1)
        made = Classifier("supervised", steps=2, folds=2, repeats=1, random_state=0).fit(draw.normal(size=(24, 2)), y)
        with tempfile.TemporaryDirectory() as folder:
            made.save(Path(folder) / "run")
            files = [
                p for p in (Path(folder) / "run").rglob("*") if p.is_file() and p.suffix in (".json", ".safetensors")
            ]
            _SAVED["files"] = {p.relative_to(Path(folder) / "run").as_posix(): p.read_bytes() for p in files}
    return _SAVED["files"]


def read_model(number: int, folder: Path) -> str:
    """What becomes of a run whose files are mutated, by its number: it is loaded, and it predicts; see `read_kind`."""
    import numpy as np

    from tutelage import load

    draw = random.Random(f"model {number}")
    files = dict(_saved_model())
    name = draw.choice(sorted(files))
    files[name] = CHANGES[draw.choice(list(CHANGES))](draw, files[name])
    for path, data in files.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_bytes(data)
    try:
        load(folder).predict(np.zeros((1, 2), dtype=np.float32))
    except (ValueError, OSError) as refused:
        return require_own(refused)
    return "read"


def reading(form: str) -> Callable[[int, Path], str]:
    """The function that reads an input of a form, by its number, in a folder."""
    others = {"bombs": read_bomb, "config": read_config, "rules": read_rules, "model": read_model}
    return others[form] if form in others else lambda number, folder: read_kind(form, number, folder)


@dataclass(frozen=True)
class Input:
    """What became of an input.

    Attributes:
        number: its number.
        outcome: "read", "refused" or "no memory"; empty where something is wrong.
        fault: what is wrong.
        peak: largest number of MiB that the process of the inputs has held so far.
    """

    number: int
    outcome: str
    fault: str = ""
    peak: int = 0


def _work(form: str, numbers: Sequence[int], memory: int | None, state: Any, answers: Any) -> None:
    """Read inputs in this process, and tell of each."""
    if memory is not None:
        held = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
        resource.setrlimit(resource.RLIMIT_AS, (held + memory,) * 2)
    read = reading(form)
    if form == "model":
        _saved_model()
    for number in numbers:
        state[0], state[1] = number, time.monotonic()
        try:
            with tempfile.TemporaryDirectory() as folder:
                outcome, fault = read(number, Path(folder) / "in"), ""
        except BaseException as error:
            if isinstance(error.__cause__, MemoryError) or isinstance(
                error, MemoryError
            ):  # the command says it in a line
                answers.send(Input(number, "no memory", "", resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024))
                continue
            last = str(error) if isinstance(error, Unclear) else "".join(traceback.format_exception(error)[-4:])
            outcome, fault = "", last[-1500:]
        answers.send(Input(number, outcome, fault, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024))
    answers.close()


def inputs(form: str, numbers: Sequence[int], seconds: float = SECONDS, memory: int | None = MEMORY) -> Iterator[Input]:
    """What becomes of inputs, in order. This process should have no threads.

    An input hangs where it takes so many seconds of the processor, or eight times as many of the clock.

    Args:
        form: one of `FORMS`.
        numbers: numbers of the inputs.
        seconds: seconds that an input may take.
        memory: bytes of address space beyond those at the beginning; None is no limit.
    """
    context = multiprocessing.get_context("fork")
    left = list(numbers)
    while left:
        chunk = left[:A_CHUNK]
        state = context.Array("d", [-1, time.monotonic()])
        mine, theirs = context.Pipe(duplex=False)
        worker = context.Process(target=_work, args=(form, chunk, memory, state, theirs), daemon=True)
        worker.start()
        theirs.close()
        done, begun, spent = 0, -1.0, 0.0
        try:
            while done < len(chunk):
                if mine.poll(0.2):
                    yield mine.recv()
                    done += 1
                    continue
                if begun != state[1]:
                    begun, spent = state[1], cpu_seconds(worker.pid or 0)
                if state[0] < 0 and time.monotonic() - begun < 120:
                    continue
                slow = cpu_seconds(worker.pid or 0) - spent > seconds or time.monotonic() - begun > 8 * seconds
                if slow and not mine.poll():
                    worker.kill()
                    yield Input(int(state[0]), "", f"takes more than {seconds:.0f} s")
                    done += 1
                    break
        except EOFError:
            worker.join()
            yield Input(int(state[0]), "", f"ends its process with code {worker.exitcode}")
            done += 1
        finally:
            worker.kill()
            worker.join()
            mine.close()
        left = left[done:]


def told(form: str, first: int, count: int) -> Iterator[Input]:
    """What becomes of inputs that another process reads, which has no threads; see `inputs`.

    Args:
        form: one of `FORMS`.
        first: number of the first input.
        count: number of inputs.
    """
    words = [sys.executable, str(Path(__file__).resolve()), form, str(first), str(count)]
    environment = os.environ | {"OMP_NUM_THREADS": "1", "TOKENIZERS_PARALLELISM": "false"}
    with subprocess.Popen(words, stdout=subprocess.PIPE, text=True, env=environment) as process:
        assert process.stdout
        try:
            for line in process.stdout:
                yield Input(**json.loads(line))
        finally:
            process.terminate()


def write(form: str, first: str, count: str, out: str) -> None:
    """Read inputs of a form, as a call of a trial, and write what becomes of each as a line of JSON into a file."""
    import faulty.checks  # noqa: F401 (once, not in every process of inputs)

    with open(out, "w") as file:
        for found in inputs(form, range(int(first), int(first) + int(count))):
            file.write(json.dumps(asdict(found)) + "\n")


def mutations(form: str, undisturbed: Undisturbed, skip: int = 0) -> Iterator[Verdict]:
    """Verdicts on mutated inputs of a form, as many as `MOST` says.

    Args:
        form: one of `FORMS`.
        undisturbed: place of the trials, in whose folder the inputs of faults are kept.
        skip: number of inputs to pass over, since they were read before.
    """
    kept = undisturbed.place.work.parent / "inputs"
    for found in told(form, skip, MOST.get(form, 10**6) - skip):
        if found.fault and form in KINDS:
            of_kind(form, found.number).written(kept / f"{form}-{found.number}")
        yield Verdict(form, form, "mutated", found.outcome, found.fault, (form, found.number), found.peak)


def main() -> None:
    """Read inputs of a form: ``python mutations.py FORM FIRST COUNT``; write what becomes of each as a line of JSON."""
    form, first, count = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
    for module in (
        "faulty.checks",
        "tutelage.estimators",
        "pyarrow.parquet",
        "pyarrow.feather",
        "openpyxl",
        "PIL.Image",
    ):
        importlib.import_module(module)
    for found in inputs(form, range(first, first + count)):
        sys.stdout.write(json.dumps(asdict(found)) + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
