"""Workers that are processes: results in order, few tasks at a time, and a killed worker's task is done again."""

from __future__ import annotations

import multiprocessing
import os
import signal
import sys
import time
from functools import partial
from operator import methodcaller

import pytest

from tutelage.engines import One, WorkerError
from tutelage.engines.processes import AHEAD, Processes

UPPER = partial(methodcaller, "upper")
SLEEP = partial(partial, time.sleep)
RAISE = partial(partial, signal.raise_signal)
needs_signals = pytest.mark.skipif(sys.platform == "win32", reason="its processes are killed otherwise")


def test_results_come_in_the_order_of_the_tasks_and_are_those_of_one_process():
    words = [f"word {i}" for i in range(20)]
    found = list(Processes(2).each(UPPER, lambda: words))
    assert found == [word.upper() for word in words] == list(One().each(UPPER, lambda: words))
    assert not multiprocessing.active_children()


def test_a_late_result_holds_back_those_behind_it():
    waits = [0.4, 0.0, 0.0]
    began = time.monotonic()
    first = next(iter(Processes(2).each(SLEEP, lambda: waits)))
    assert first is None and time.monotonic() - began >= 0.4


def test_only_a_few_tasks_are_taken_before_their_results_are():
    taken = []

    def source():
        for i in range(30):
            taken.append(i)
            yield str(i)

    for given, _ in enumerate(Processes(2).each(UPPER, source), start=1):
        assert len(taken) - given < 2 * AHEAD + 1
    assert len(taken) == 30


def test_what_a_task_or_the_source_raises_comes_in_its_place():
    def source():
        yield from ("a", 1, "b")

    found = Processes(2).each(UPPER, source)
    assert next(found) == "A"
    with pytest.raises(AttributeError, match="'int' object has no attribute 'upper'"):
        next(found)

    def ends():
        yield "a"
        raise ValueError("the disk is gone")

    found = Processes(2).each(UPPER, ends)
    assert next(found) == "A"
    with pytest.raises(ValueError, match="the disk is gone"):
        next(found)


def test_what_making_a_worker_raises_is_raised_here():
    with pytest.raises(ZeroDivisionError):
        list(Processes(1).each(partial(divmod, 1, 0), lambda: ["a"]))


@needs_signals
def test_a_killed_worker_loses_nothing():
    def source():
        yield from (0.0, 0.3, 0.3, 0.0, 0.0)

    found = Processes(2).each(SLEEP, source)
    assert next(found) is None
    os.kill(multiprocessing.active_children()[0].pid, signal.SIGKILL)
    assert list(found) == [None] * 4


@needs_signals
def test_a_task_at_which_two_workers_end_is_named():
    with pytest.raises(WorkerError, match=r"2 worker processes ended at int \(killed by SIGKILL\).*--workers") as told:
        list(Processes(1).each(RAISE, lambda: [0, int(signal.SIGKILL), 0]))
    assert "\n" not in str(told.value)
    assert not multiprocessing.active_children()


@needs_signals
def test_workers_that_end_as_they_start_are_told_of():
    with pytest.raises(WorkerError, match="ended as they were started"):
        list(Processes(1).each(partial(os._exit, 3), lambda: ["a"]))


def test_who_has_had_enough_leaves_no_process():
    found = Processes(2).each(UPPER, lambda: map(str, range(100)))
    assert next(found) == "0"
    found.close()
    assert not multiprocessing.active_children()
