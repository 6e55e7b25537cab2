"""The one way in which studies record: a JSON line for each job, and only for jobs that have none yet."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from pathlib import Path

from tutelage.bench.running import Row, held, record

RESULTS = Path(__file__).parents[1] / "results"

Job = tuple[str | float, ...]


def fit_missing(one: Callable[..., Row], jobs: list[Job], keys: tuple[str, ...], name: str, processes: int = 1) -> None:
    """Add a line ``one(*job)`` to results/NAME.jsonl for each job that has none; ``keys`` name a job's parts in it."""
    path = RESULTS / f"{name}.jsonl"
    with held(path) as rows, _mapping(processes) as mapping:
        done = {tuple(row[key] for key in keys) for row in rows}
        todo = [job for job in jobs if job not in done]
        print(f"{len(todo)} of {len(jobs)} jobs to do", flush=True)
        lines = mapping(one, *zip(*todo, strict=True)) if todo else ()
        record(lines, path, lambda count: print(f"{count} of {len(todo)}", flush=True))


@contextmanager
def _mapping(processes: int) -> Iterator[Callable[..., Iterator[Row]]]:
    """``map``, in this process where one is enough."""
    if processes == 1:
        yield map
    else:
        with ProcessPoolExecutor(processes) as pool:
            yield pool.map
