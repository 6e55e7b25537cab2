"""A process that has imported the library once and forks a child for each trial, which then takes about a second.

    LD_PRELOAD=... python warm.py

reads a trial as a line of JSON on its standard input and writes what became of it as a line on its standard output.
`Warm` is the other end. The parent computes nothing, so that no library has threads when it forks.
"""

from __future__ import annotations

import contextlib
import importlib
import json
import os
import resource
import select
import signal
import subprocess
import sys
import time
import traceback
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent

if __name__ == "__main__":
    sys.path.insert(0, str(HERE.parent))

from injected.layer import Harm, Layer, built  # noqa: E402
from injected.narrow import narrow  # noqa: E402

WATCH = 60.0
"""CPU seconds after which a trial counts as one that hangs."""

QUIET = {
    "OMP_NUM_THREADS": "1", "MKL_NUM_THREADS": "1", "TOKENIZERS_PARALLELISM": "false", "HF_HUB_OFFLINE": "1",
    "ARROW_IO_THREADS": "1", "PYTHONDONTWRITEBYTECODE": "1", "COLUMNS": "200", "NO_COLOR": "1",
}  # fmt: skip
"""Environment of a trial: one thread, no network, no colours."""

IMPORTED = (
    "torch", "transformers", "sklearn.linear_model", "pandas", "pyarrow.parquet", "pyarrow.feather", "faiss",
    "PIL.Image", "matplotlib.font_manager", "jinja2", "rich.progress", "safetensors.torch", "tutelage.cli",
    "tutelage.run.run", "tutelage.report.page", "tutelage.estimators", "tutelage.audit.commands", "tutelage.run.adapt",
)  # fmt: skip
"""Modules that the parent imports at once; those that a trial imports besides follow after it (`learn`)."""


NONE = Harm()


@dataclass(frozen=True)
class Trial:
    """What a forked child does.

    Attributes:
        calls: word lists, one after the other until one fails: a command's words after "tutelage", or "call" with
            "module:function" and its arguments, all texts.
        folder: folder in which it is done.
        roots: folders whose files count.
        harm: what the layer does.
        environment: variables that are set in it.
        kill_after: seconds after which it is killed; None never.
        limit: CPU seconds, or seconds without any, after which it counts as hanging and is killed, see `Watch`.
        memory: bytes of address space that it may take beyond what it has at its start; None is no limit.
        file_size: largest number of bytes of a file; None is no limit.
    """

    calls: Sequence[Sequence[str]]
    folder: str
    roots: Sequence[str] = ()
    harm: Harm = NONE
    environment: dict[str, str] = field(default_factory=dict)
    kill_after: float | None = None
    limit: float = WATCH
    memory: int | None = None
    file_size: int | None = None


@dataclass(frozen=True)
class Came:
    """What became of a trial.

    Attributes:
        code: exit code; -9 where it was killed, as `subprocess` has it.
        shown: all that it printed.
        seconds: seconds that it took.
        hung: whether it was still going after its limit.
        operations: its operations on files, as (kind, path).
        peak: largest number of MiB that it held.
    """

    code: int
    shown: str
    seconds: float
    hung: bool
    operations: list[tuple[str, str]]
    peak: int

    @property
    def killed(self) -> bool:
        """Whether it was ended from outside or by the layer."""
        return self.code == -signal.SIGKILL


class Warm:
    """The parent of trials, from outside.

    Args:
        scratch: folder for its logs.
        source: folder of the library, put before an installed one; None takes what Python finds.
    """

    def __init__(self, scratch: Path, source: Path | None = None) -> None:
        scratch.mkdir(parents=True, exist_ok=True)
        self.scratch = scratch
        environment = os.environ | QUIET | {"LD_PRELOAD": str(built())}
        if source is not None:
            environment["PYTHONPATH"] = os.pathsep.join([str(source), *filter(None, [os.environ.get("PYTHONPATH")])])
        words = [sys.executable, str(HERE / "warm.py"), str(scratch)]
        with (scratch / "warm.err").open("w") as said:
            self._process = subprocess.Popen(
                words, env=environment, text=True, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=said
            )  # fmt: skip

    def __enter__(self) -> Warm:
        return self

    def __exit__(self, *_: object) -> None:
        assert self._process.stdin and self._process.stdout
        self._process.stdin.close()
        self._process.stdout.close()
        try:
            self._process.wait(10)
        except subprocess.TimeoutExpired:  # where another process holds the other end of its input
            self._process.kill()
            self._process.wait()

    def do(self, trial: Trial) -> Came:
        """Do a trial; what became of it.

        Raises:
            RuntimeError: the parent is gone; the message holds its last words.
        """
        assert self._process.stdin and self._process.stdout
        try:
            self._process.stdin.write(json.dumps(asdict(trial)) + "\n")
            self._process.stdin.flush()
            line = self._process.stdout.readline()
        except BrokenPipeError:
            line = ""
        if not line:
            raise RuntimeError(f"the parent of trials has ended: {(self.scratch / 'warm.err').read_text()[-2000:]}")
        found = json.loads(line)
        lines = (self.scratch / "operations").read_text(errors="surrogateescape").splitlines()
        operations = [tuple(each.split(" ", 1)) for each in lines if " " in each]
        shown = (self.scratch / "shown").read_text(errors="replace")
        return Came(shown=shown, operations=operations, **found)


def _serve(scratch: Path) -> None:
    """Fork a child for each line of the standard input."""
    import gc

    import torch

    for name in IMPORTED:
        importlib.import_module(name)
    torch.set_num_threads(1)
    narrow()
    answers, sys.stdout = sys.stdout, sys.stderr
    layer = Layer()
    gc.collect()
    gc.freeze()
    for line in sys.stdin:
        asked = json.loads(line)
        trial = Trial(**asked | {"harm": Harm(**asked["harm"])})
        for name in ("operations", "shown", "modules"):
            (scratch / name).write_bytes(b"")
        start = time.monotonic()
        child = os.fork()
        if not child:
            _be_the_child(trial, layer, scratch)
        code, hung, peak = _waited(child, trial, start)
        seconds = round(time.monotonic() - start, 3)
        answers.write(json.dumps({"code": code, "seconds": seconds, "hung": hung, "peak": peak}) + "\n")
        answers.flush()
        for name in (scratch / "modules").read_text().split():
            with contextlib.suppress(Exception):
                importlib.import_module(name)


def cpu_seconds(process: int) -> float:
    """CPU seconds of a process so far; 0 where it is gone."""
    try:
        fields = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return 0.0
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


class Watch:
    """Whether a process hangs: it has taken so many CPU seconds, or none for so many seconds of the clock.

    So a process that only waits for a busy machine does not hang.

    Args:
        process: number of the process.
        limit: the seconds.
    """

    def __init__(self, process: int, limit: float) -> None:
        self.process, self.limit = process, limit
        self._spent, self._moved = 0.0, time.monotonic()

    def hangs(self) -> bool:
        """Whether it hangs by now; to be asked every second or so."""
        spent, now = cpu_seconds(self.process), time.monotonic()
        if spent > self._spent:
            self._spent, self._moved = spent, now
        return spent > self.limit or now - self._moved > self.limit


def _waited(child: int, trial: Trial, start: float) -> tuple[int, bool, int]:
    """Exit code of a child, whether it hung, and its peak of memory in MiB, after it has ended or was killed."""
    descriptor = os.pidfd_open(child)
    hung, watch = False, Watch(child, trial.limit)
    try:
        left = None if trial.kill_after is None else max(start + trial.kill_after - time.monotonic(), 0)
        if left is not None and not select.select([descriptor], [], [], left)[0]:
            os.kill(child, signal.SIGKILL)
        while not hung and not select.select([descriptor], [], [], 1)[0]:
            hung = watch.hangs()
        if hung:
            os.kill(child, signal.SIGKILL)
    finally:
        os.close(descriptor)
    _, status, usage = os.wait4(child, 0)
    return os.waitstatus_to_exitcode(status), hung, usage.ru_maxrss // 1024


def _be_the_child(trial: Trial, layer: Layer, scratch: Path) -> None:
    """Do what the trial asks, and leave the process."""
    code = 1
    try:
        shown = os.open(scratch / "shown", os.O_WRONLY | os.O_APPEND)
        for fd in (1, 2):
            os.dup2(shown, fd)
        sys.stdin, sys.stdout, sys.stderr = open(os.devnull), open(1, "w"), open(2, "w")  # noqa: SIM115
        os.environ.pop("LD_PRELOAD", None)
        os.environ.update(trial.environment)
        os.chdir(trial.folder)
        _limit(trial)
        before = set(sys.modules)
        layer.arm(trial.roots, trial.harm, str(scratch / "operations"))
        code = called(trial.calls)
        layer.disarm()
        (scratch / "modules").write_text("\n".join(sorted(set(sys.modules) - before)))
        sys.stdout.flush()
        sys.stderr.flush()
    except BaseException:
        traceback.print_exc()
        sys.stderr.flush()
    finally:
        os._exit(code)


def _limit(trial: Trial) -> None:
    if trial.memory is not None:
        held = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
        resource.setrlimit(resource.RLIMIT_AS, (held + trial.memory,) * 2)
    if trial.file_size is not None:
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)  # as Python itself has it
        resource.setrlimit(resource.RLIMIT_FSIZE, (trial.file_size,) * 2)


def called(calls: Sequence[Sequence[str]]) -> int:
    """Exit code of the first call that fails; 0 where none does."""
    from tutelage import cli

    for words in calls:
        try:
            if words[0] == "call":
                module, name = words[1].split(":")
                getattr(importlib.import_module(module), name)(*words[2:])
            else:
                sys.argv = ["tutelage", *words]
                cli.main()
        except SystemExit as left:
            code: Any = left.code
            if code not in (None, 0):
                return code if isinstance(code, int) else 1
        except BaseException as error:
            if words[0] == "call" and _own(error):  # as the command has it
                sys.stderr.write(f"Error: {' '.join(str(error).split())}\n")
                return 2
            traceback.print_exc()
            return 1
    return 0


def _own(error: BaseException) -> bool:
    """Whether an error is one of files, or is raised by the library itself."""
    import tutelage

    last = traceback.extract_tb(error.__traceback__)[-1].filename
    own = last.startswith(str(Path(tutelage.__file__).parent))
    return isinstance(error, OSError) or (isinstance(error, ValueError) and own)


if __name__ == "__main__":
    _serve(Path(sys.argv[1]))
