"""Workers of Ray, on this machine or on those of a cluster, fed by Ray Data.

Ray Data cuts in one place, keeps as few pieces as it must, begins a killed worker anew and gives it its piece again.
Three things of Ray are heeded: workers take at most one core less than there are, since what feeds them needs one and
else waits for ever (ray-project/ray#44687); Ray may fail to start on a busy machine, and is started a second time; and
its own progress and log are kept off the screen.
"""

from __future__ import annotations

import importlib.util
import logging
import os
import pickle
from collections.abc import Generator, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from typing import Any, ClassVar

from tutelage.engines.base import Made, Source, WorkerError
from tutelage.engines.processes import THREADS

EXTRA = "pip install 'tutelage[ray]'"
"""What installs Ray."""

TRIES = 2
"""Times that Ray is started before it is given up."""

RETRIES = 1
"""Times that a piece is done again whose worker was killed, before it is given up."""

FEED = 0.5
"""Cores of what cuts, other than those of a worker, so that Ray Data does not join the two to one."""

QUIET = {
    "RAY_DEDUP_LOGS": "1", "RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO": "0", "RAY_TRAIN_ENABLE_V2_MIGRATION_WARNINGS": "0",
    "RAY_USAGE_STATS_ENABLED": "0", "RAY_DATA_DISABLE_PROGRESS_BARS": "1",
}  # fmt: skip
"""Environment variables by which Ray tells nobody how it is used, and says little."""


def require() -> None:
    """Check that Ray Data is installed.

    Raises:
        ImportError: it is not; the message names the extra.
    """
    if importlib.util.find_spec("ray") is None:
        raise ImportError(
            f"--engine ray is done by the library Ray: {EXTRA}; --engine processes needs nothing, on one machine"
        )


def workers_of(asked: int | None, cores: int) -> int:
    """Number of workers: as many as were asked for, or as Ray has cores but one.

    Args:
        asked: number that was asked for; None asks for all.
        cores: number of cores that Ray has.

    Raises:
        ValueError: Ray has too few cores.

    >>> workers_of(None, 8), workers_of(2, 8)
    (7, 2)
    """
    most = cores - 1
    if most < 1:
        raise ValueError(
            "--engine ray needs at least 2 cores, one for what feeds the workers, and Ray has 1; take --engine one, or "
            "give Ray more (ray start --num-cpus)"
        )
    if asked is not None and asked > most:
        raise ValueError(
            f"--workers must be at most {most} with --engine ray, got {asked}: Ray has {cores} cores, and one feeds "
            "the workers; take fewer, or --engine processes"
        )
    return asked or most


@dataclass(frozen=True)
class OnRay:
    """The engine whose workers are Ray's.

    Attributes:
        workers: number of workers, at least 1, below the number of Ray's cores.
    """

    name: ClassVar[str] = "ray"
    workers: int = 1

    @staticmethod
    def begun(workers: int | None) -> OnRay:
        """The engine, on the cluster that RAY_ADDRESS names, or on this machine.

        Args:
            workers: number of workers; None is one less than there are cores.

        Raises:
            ImportError: Ray is not installed.
            WorkerError: Ray does not start.
            ValueError: it has too few cores.
        """
        require()
        ray = _started()
        return OnRay(workers_of(workers, int(ray.cluster_resources().get("CPU", 1))))

    def each(self, make: Made, source: Source) -> Generator[Any, None, None]:
        """The result of each task; see `Engine`."""
        import ray

        made = ray.put(_packed(make))  # held here as long as workers may be begun anew
        with _settings(ray.data.DataContext.get_current()):
            cut = ray.data.from_items([{"source": _packed(source)}]).flat_map(_tasks, num_cpus=FEED)
            done = cut.map(
                _Worker,
                fn_constructor_kwargs={"made": [made]},
                compute=ray.data.ActorPoolStrategy(size=self.workers),
                num_cpus=1,
                ray_remote_args_fn=_lasting,
            )
            with closing(_rows(done)) as rows:  # else a fault would keep its workers
                for row in rows:
                    fault, result = pickle.loads(row["result"])
                    if fault:
                        raise result
                    yield result


@contextmanager
def _settings(context: Any) -> Iterator[None]:
    """Context in which Ray Data gives rows in order, passes each on at once, and shows no progress."""
    wanted = {
        # a task is a block of its own, so that workers get one each
        "target_max_block_size": 1, "enable_progress_bars": False, "print_on_execution_start": False,
    }  # fmt: skip
    before = {name: getattr(context, name) for name in wanted if hasattr(context, name)}
    ordered = context.execution_options.preserve_order
    try:
        for name in before:
            setattr(context, name, wanted[name])
        context.execution_options.preserve_order = True
        yield
    finally:
        for name, value in before.items():
            setattr(context, name, value)
        context.execution_options.preserve_order = ordered


def _lasting() -> dict[str, int]:
    """What becomes of a worker that is killed: it is begun anew, and gets its task once more."""
    return {"max_restarts": -1, "max_task_retries": RETRIES}


def _rows(done: Any) -> Generator[Any, None, None]:
    """The rows of a data set of Ray.

    Raises:
        WorkerError: Ray gave up a task, or itself.
    """
    import ray

    rows = iter(done.iter_rows())
    try:
        yield from rows
    except ray.exceptions.RayError as e:
        said = str(e).strip().splitlines()[0][:300]
        raise WorkerError(
            f"a worker of Ray ended, and again when its block was done once more ({said}); what was done before is "
            "kept: look at the memory of its machine, or take fewer --workers; --resume goes on"
        ) from e
    finally:
        if hasattr(rows, "close"):
            rows.close()


def _started() -> Any:
    """Ray, started where it is not.

    Raises:
        WorkerError: it does not start.
    """
    os.environ.update({name: value for name, value in QUIET.items() if name not in os.environ})
    import ray

    why: Exception | None = None
    for _ in range(TRIES):
        if ray.is_initialized():
            break
        try:
            ray.init(include_dashboard=False, log_to_driver=False, logging_level=logging.ERROR, configure_logging=True)
        except Exception as e:  # of many kinds, as where its parts wait for each other too long
            why = e
            ray.shutdown()
    if not ray.is_initialized():
        said = str(why).strip().splitlines()[0][:300] if str(why).strip() else type(why).__name__
        raise WorkerError(
            f"Ray did not start, tried {TRIES} times ({said}); on a busy machine try again, or take --engine processes"
        ) from why
    import ray.data

    logging.getLogger("ray.data").setLevel(logging.CRITICAL)  # what it says is raised, too
    return ray


def _packed(thing: Any) -> bytes:
    from ray import cloudpickle

    return bytes(cloudpickle.dumps(thing))


def _tasks(row: dict[str, Any]) -> Iterator[dict[str, bytes]]:
    """The tasks of a source, and last what it raised, if it did."""
    try:
        for task in pickle.loads(row["source"])():
            yield {"task": pickle.dumps((False, task), protocol=5)}
    except Exception as e:
        yield {"task": _fault(e)}


class _Worker:
    """A worker of Ray.

    Args:
        made: reference to what makes it, as bytes.
    """

    def __init__(self, made: list[Any]) -> None:
        import ray

        os.environ.update(dict.fromkeys(THREADS, "1"))  # before anything is imported that reads them
        self.why: Exception | None = None
        try:
            self.work = pickle.loads(ray.get(made[0]))()
        except Exception as e:
            self.why = e

    def __call__(self, row: dict[str, bytes]) -> dict[str, bytes]:
        fault, task = pickle.loads(row["task"])
        if fault:
            return {"result": row["task"]}
        try:
            if self.why is not None:
                raise self.why
            return {"result": pickle.dumps((False, self.work(task)), protocol=5)}
        except Exception as e:
            return {"result": _fault(e)}


def _fault(error: Exception) -> bytes:
    """An error as bytes; one that cannot be pickled in words."""
    try:
        data = pickle.dumps((True, error))
        pickle.loads(data)
    except Exception:
        data = pickle.dumps((True, RuntimeError(f"{type(error).__name__}: {error}")))
    return data
