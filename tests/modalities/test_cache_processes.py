"""Several processes at one feature cache: all read the same rows, and one that is killed takes nothing with it."""

from __future__ import annotations

import multiprocessing
import os
import signal
import threading
import time
import warnings
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

from tutelage.modalities.cache import FeatureCache

WIDTH, COUNT = 8, 400
KEYS = [np.random.default_rng(n).bytes(16) for n in range(COUNT)]


def rows_of(maker: int, numbers) -> np.ndarray:
    """Rows of a maker, which differ a little from those of another, as those of other batches do."""
    return np.array([[n + j / 16 + maker / 1024 for j in range(WIDTH)] for n in numbers], dtype=np.float32)


def fill(folder: Path, maker: int, results: Path) -> None:
    """Keep and read every row, in an order of one's own, and write down what was read."""
    cache, rng = FeatureCache(folder, WIDTH), np.random.default_rng(maker)
    for some in np.array_split(rng.permutation(COUNT), 25):
        cache.add([KEYS[n] for n in some], rows_of(maker, some))
    out = np.zeros((COUNT, WIDTH), dtype=np.float32)
    there = cache.read(KEYS, out)
    np.savez(results / f"{maker}.npz", there=there, out=out)


def add_for_ever(folder: Path) -> None:
    cache, n = FeatureCache(folder, WIDTH), 0
    while True:
        some = [(n + i) % COUNT for i in range(3)]
        cache.add([os.urandom(10) + KEYS[s][:6] for s in some], rows_of(0, some))
        cache.add([KEYS[s] for s in some], rows_of(0, some))
        n += 3


@pytest.mark.parametrize("start", [pytest.param("spawn", marks=pytest.mark.slow), "fork"])
def test_processes_that_fill_a_cache_at_once_read_the_same_rows(tmp_path, start):
    context = multiprocessing.get_context(start)
    makers = range(1, 3) if start == "spawn" else range(1, 5)
    all_of = [context.Process(target=fill, args=(tmp_path / "encoder", m, tmp_path)) for m in makers]
    for process in all_of:
        process.start()
    for process in all_of:
        process.join(120)
    assert [process.exitcode for process in all_of] == [0] * len(all_of)
    found = [np.load(tmp_path / f"{m}.npz") for m in makers]
    for one in found:
        assert one["there"].all()
        np.testing.assert_array_equal(one["out"], found[0]["out"])
    made = np.stack([rows_of(m, range(COUNT)) for m in makers])
    assert (made == found[0]["out"]).all(2).any(0).all()  # each row is one that somebody made


def test_a_child_uses_a_cache_that_its_parent_opened(tmp_path):
    cache = FeatureCache(tmp_path / "encoder", WIDTH)
    cache.add(KEYS[:10], rows_of(0, range(10)))
    context = multiprocessing.get_context("fork")
    pipe, end = context.Pipe()

    def work() -> None:
        out = np.zeros((20, WIDTH), dtype=np.float32)
        cache.add(KEYS[10:20], rows_of(0, range(10, 20)))
        end.send(cache.read(KEYS[:20], out).all() and (out == rows_of(0, range(20))).all())

    child = context.Process(target=work)
    child.start()
    child.join(60)
    assert pipe.recv()
    out = np.zeros((20, WIDTH), dtype=np.float32)
    assert cache.read(KEYS[:20], out).all()
    np.testing.assert_array_equal(out, rows_of(0, range(20)))


def test_kills_at_any_moment_leave_a_cache_that_is_right(tmp_path):
    context, rng = multiprocessing.get_context("fork"), np.random.default_rng(0)
    known = np.zeros(COUNT, dtype=bool)
    for _ in range(12):
        process = context.Process(target=add_for_ever, args=(tmp_path / "encoder",))
        process.start()
        time.sleep(float(rng.uniform(0.02, 0.12)))
        os.kill(process.pid, signal.SIGKILL)
        process.join()
        cache, out = FeatureCache(tmp_path / "encoder", WIDTH), np.zeros((COUNT, WIDTH), dtype=np.float32)
        there = cache.read(KEYS, out)
        np.testing.assert_array_equal(out[there], rows_of(0, range(COUNT))[there])
        assert not (known & ~there).any()  # what was kept stays
        known = there
        cache.close()
    assert known.any()
    assert {p.name for p in (tmp_path / "encoder").iterdir()} <= {"8.rows", "8.index", "8.index-journal"}


def read_first(folder: Path, done) -> None:
    out = np.zeros((1, WIDTH), dtype=np.float32)
    done.put(bool(CACHE[0].read(KEYS[:1], out)[0]))


CACHE: list[FeatureCache] = []


def test_a_child_takes_a_lock_that_a_thread_of_its_parent_holds(tmp_path):
    cache, context = FeatureCache(tmp_path / "cache", WIDTH), multiprocessing.get_context("fork")
    cache.add(KEYS[:1], rows_of(0, [0]))
    CACHE.append(cache)
    done = context.SimpleQueue()
    with ThreadPoolExecutor(1) as threads:
        held, free = threading.Event(), threading.Event()

        def hold() -> None:
            with cache._lock:
                held.set()
                free.wait(20)

        waiting = threads.submit(hold)
        held.wait()
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)  # Python's own, about a fork beside threads
            child = context.Process(target=read_first, args=(tmp_path, done))
            child.start()
        child.join(10)
        free.set()
        waiting.result()
    assert child.exitcode == 0 and done.get()
