"""The commands of `tutelage bench`."""

from __future__ import annotations

import os
from collections.abc import Callable, Collection, Iterable, Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from typing import TypeVar

from cyclopts import App, Parameter

from tutelage.bench import markdown, records
from tutelage.bench.export import Question, ask, missing_questions
from tutelage.bench.peers import read_peers
from tutelage.bench.protocol import Protocol, data_root, read_protocol, with_methods
from tutelage.bench.running import Job, Row, current, held, missing, read_rows, record, run_all
from tutelage.ops.checks import one_of

BASELINE = "labels only"
"""Name of the learner that the others are compared with by default."""

T = TypeVar("T", Job, Question)
"""A run, or a question to another library."""
Tick = Callable[[str, int, int], None]
"""Called with what is being done, how many steps of it are done, and how many there are."""
Ticking = Callable[[], AbstractContextManager[Tick]]
"""Opens a progress bar."""


def add_commands(app: App, say: Callable[[str], None], ticking: Ticking) -> None:
    """Add ``bench`` to the command line.

    Args:
        app: command line that it is added to.
        say: prints a line.
        ticking: opens a progress bar.
    """
    says = "Compare methods on equal terms: tutelage bench run PROTOCOL.toml ..."
    bench = App(name="bench", help=says, default_parameter=Parameter(consume_multiple=True))
    app.command(bench)
    _add_run(bench, say, ticking)
    _add_peers(bench, say, ticking)
    _add_telling(bench, say)
    _add_records(bench, say)


def _add_run(bench: App, say: Callable[[str], None], ticking: Ticking) -> None:
    """Add the command that runs a protocol."""

    @bench.command
    def run(
        protocol: Path,
        *,
        out: Path | None = None,
        data: tuple[str, ...] = (),
        methods: tuple[str, ...] = (),
        method: tuple[str, ...] = (),
        seeds: tuple[int, ...] = (),
        processes: int = 0,
        memory: float = 0.0,
    ) -> None:
        """Do the runs of a protocol that are not done yet, and write one JSON line for each.

        Args:
            protocol: TOML file.
            out: file of results, which are added to it; by default NAME.jsonl in a folder of results beside the
                protocol's.
            data: data sets of the protocol that are run; by default all.
            methods: methods of the protocol that are run; by default all.
            method: methods besides those of the protocol, each a name or FILE.py:NAME of one's own.
            seeds: seeds of the protocol that are run; by default all.
            processes: largest number of processes side by side; 0 is one a core.
            memory: memory of all processes together, in GB; 0 is four fifths of the free memory.
        """
        asked = with_methods(read_protocol(protocol), method)
        path, root = out or results_of(protocol, asked), data_root(protocol)
        _require(data, [d.name for d in asked.data], "data")
        _require(methods, asked.learners, "methods")
        _require(seeds, asked.seeds, "seeds")
        room = int(memory * 1024) or free_mb() * 4 // 5
        count = processes or len(os.sched_getaffinity(0))
        with held(path) as rows, ticking() as tick:
            todo = _only(missing(asked, rows), data=data, method=methods, seed=seeds)
            side = f"at most {count} side by side in {room / 1024:.1f} GB"
            say(f"{asked.name}: {len(todo)} runs to do, {side}, into {path}.")
            found = run_all(asked, root, todo, count, room, max((r.get("peak_mb", 0) for r in rows), default=0))
            failed = record(found, path, lambda done: tick("runs", done, len(todo)))
        _tell_failed(failed, say)


def _add_peers(bench: App, say: Callable[[str], None], ticking: Ticking) -> None:
    """Add the command that asks other libraries."""

    @bench.command
    def peers(
        protocol: Path,
        *,
        peers: Path = Path("benchmarks/peers/peers.toml"),
        out: Path | None = None,
        libraries: tuple[str, ...] = (),
        data: tuple[str, ...] = (),
        seeds: tuple[int, ...] = (),
    ) -> None:
        """Ask other libraries, each in an environment of its own, about the same splits and features.

        Args:
            protocol: TOML file.
            peers: TOML file that names the libraries, their versions and their methods.
            out: file of results, which are added to it; by default as for run.
            libraries: libraries that are asked; by default all.
            data: data sets of the protocol that they are asked about; by default all.
            seeds: seeds of the protocol that they are asked about; by default all.
        """
        asked, every = read_protocol(protocol), read_peers(peers)
        _require(libraries, [p.name for p in every], "libraries")
        _require(data, [d.name for d in asked.data], "data")
        _require(seeds, asked.seeds, "seeds")
        path = out or results_of(protocol, asked)
        with held(path) as rows, ticking() as tick:
            asked_of = [p for p in every if p.name in (libraries or [p.name])]
            wanted = _only(missing_questions(asked, asked_of, rows), data=data, seed=seeds)
            say(f"{asked.name}: {len(wanted)} questions to other libraries, into {path}.")
            found = ask(asked, data_root(protocol), wanted, say)
            failed = record(found, path, lambda done: tick("questions", done, len(wanted)))
        _tell_failed(failed, say)


def _add_telling(bench: App, say: Callable[[str], None]) -> None:
    """Add the commands that show a protocol's results."""

    @bench.command
    def table(
        protocol: Path, *, results: Path | None = None, out: Path | None = None, pool: bool = False,
        baseline: str = BASELINE, methods: tuple[str, ...] = (), method: tuple[str, ...] = (),
    ) -> None:  # fmt: skip
        """Print a table of a protocol's results, in Markdown: scores with intervals, wins, mean ranks, cost.

        Args:
            protocol: TOML file.
            results: file of results; by default as for run.
            out: file that the table is written to; by default it is printed.
            pool: show the scores on the pool, not those on the part to score on.
            baseline: method that the others are compared with, seed by seed.
            methods: methods that are shown; by default all.
            method: methods besides those of the protocol, as for run.
        """
        made = markdown.table(
            _rows(protocol, results, methods, baseline, pool, method), baseline, "On the pool" if pool else "Score"
        )
        if out is None:
            say(made)
        else:
            out.write_text(made, encoding="utf-8")
            say(str(out))

    @bench.command
    def plot(
        protocol: Path, *, out: Path, results: Path | None = None, pool: bool = False, baseline: str = BASELINE,
        methods: tuple[str, ...] = (), method: tuple[str, ...] = (),
    ) -> None:  # fmt: skip
        """Draw mean ranks with their critical difference, gains over the baseline, and cost.

        Args:
            protocol: TOML file.
            out: folder for ranks.png, gains.png and cost.png.
            results: file of results; by default as for run.
            pool: show the scores on the pool, not those on the part to score on.
            baseline: method that the others are compared with, seed by seed.
            methods: methods that are shown; by default all.
            method: methods besides those of the protocol, as for run.
        """
        from tutelage.bench import plots

        rows = _rows(protocol, results, methods, baseline, pool, method)
        out.mkdir(parents=True, exist_ok=True)
        plots.critical_difference(rows, out / "ranks.png", "score")
        plots.gains(rows, baseline, out / "gains.png")
        plots.cost(rows, out / "cost.png", baseline)
        say(f"ranks.png, gains.png and cost.png are in {out}.")


def _add_records(bench: App, say: Callable[[str], None]) -> None:
    """Add the command that makes the library's records of methods."""

    @bench.command(name="records")
    def make_records(
        protocols: Path = Path("benchmarks/protocols"),
        *,
        before: Path | None = Path("benchmarks/results/frozen_text.jsonl"),
        out: Path = Path("src/tutelage/fit/records"),
        renew: bool = False,
    ) -> None:
        """Write the library's records of methods, priors.json and gains.json, from all recorded lines of results.

        Args:
            protocols: folder of TOML files, with their results beside it as for run.
            before: file of lines that were recorded before there were protocols.
            out: folder for the two files.
            renew: make the gains of all data sets anew, not only of those that gains.json lacks; lines of auto were
                made with the old gains, and then no longer count.
        """
        found = []
        for path in sorted(protocols.glob("*.toml")):
            asked = read_protocol(path)
            if rows := current(asked, read_rows(results_of(path, asked))):
                found.append((asked, rows))
        if not found:
            raise FileNotFoundError(f"{protocols}: no protocol with results")
        made, draws = records.write(found, before, out, renew)
        say(f"{made} priors and the gains of {draws} draws of labels, from {len(found)} protocols, are in {out}.")


def _require(given: Iterable[object], allowed: Iterable[object], what: str) -> None:
    """Check that all given values are allowed ones; ``what`` names the option in the message."""
    for value in given:
        one_of(what, str(value), tuple(map(str, allowed)))


def _tell_failed(failed: int, say: Callable[[str], None]) -> None:
    """Say how many runs failed, and end the command with code 1, if any did."""
    if failed:
        runs = "1 run" if failed == 1 else f"{failed} runs"
        say(f"{runs} failed; what went wrong is in the lines of results, and the same command tries again.")
        raise SystemExit(1)


def _only(runs: Sequence[T], **given: Collection[object]) -> list[T]:
    """The runs whose ``given`` parts of the name have one of the given values; no values stand for any."""
    return [r for r in runs if all(not values or r.name[what] in values for what, values in given.items())]


def _rows(
    protocol: Path, results: Path | None, methods: tuple[str, ...], baseline: str, pool: bool, method: tuple[str, ...]
) -> list[Row]:  # fmt: skip
    """The lines of results of these methods, or of all, that belong to the protocol as it is now.

    Args:
        pool: whether the score is the one on the pool.
        method: methods besides those of the protocol.

    Raises:
        FileNotFoundError: there is no file of results.
        ValueError: no line belongs to them.
    """
    asked = with_methods(read_protocol(protocol), method)
    path = results or results_of(protocol, asked)
    if not path.exists():
        raise FileNotFoundError(f"{path}: no results yet; tutelage bench run {protocol} makes them")
    found = current(asked, read_rows(path))
    for name in (*methods, baseline):
        if found and name not in {r["method"] for r in found}:
            raise ValueError(f"{path}: no results of {name!r}; tutelage bench run {protocol} makes them")
    found = [r for r in found if not methods or r["method"] in (*methods, baseline)]
    if not found:
        raise ValueError(
            f"{path}: no results belong to {protocol} as it is now; tutelage bench run {protocol} makes them"
        )
    return [r | {"score": r["pool_score"]} for r in found if r.get("pool_score") is not None] if pool else found


def results_of(path: Path, protocol: Protocol) -> Path:
    """File of a protocol's results, NAME.jsonl in a folder ``results`` beside the protocol.

    For a protocol in a folder ``protocols`` it is in ``results/protocols`` beside that folder.

    Args:
        path: the protocol's file.
        protocol: the protocol.
    """
    folder = path.resolve().parent
    within = folder.parent / "results" / folder.name if folder.name == "protocols" else folder / "results"
    return within / f"{protocol.name}.jsonl"


def free_mb() -> int:
    """Free memory, in MB."""
    return os.sysconf("SC_AVPHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") // 2**20
