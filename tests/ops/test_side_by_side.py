"""Work done by copies of this process: its results, progress, warnings and errors are those of this process."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from functools import partial

import numpy as np
import pytest
import torch

from tutelage import Classifier
from tutelage.fit import auto_student
from tutelage.ops.said import warn
from tutelage.ops.side_by_side import cores, side_by_side


def nobody(*now: object) -> None:
    pass


def squared(number: int, tick) -> tuple[int, int]:
    tick("squaring", 1, 1)
    return number**2, os.getpid()


@pytest.mark.parametrize("workers", [1, 2, 9])
def test_results_are_in_the_order_of_the_pieces(workers):
    told = []
    found = side_by_side([partial(squared, i) for i in range(7)], lambda *now: told.append(now), workers)
    assert [square for square, _ in found] == [i**2 for i in range(7)]
    assert (os.getpid() in {process for _, process in found}) == (workers == 1)
    assert told == 7 * [("squaring", 1, 1)]


def test_a_training_may_be_copied():
    torch.ones(3, requires_grad=True).sum().backward()

    def gradient(tick) -> torch.Tensor:
        x = torch.arange(3.0, requires_grad=True)
        (x**2).sum().backward()
        return x.grad

    assert [g.tolist() for g in side_by_side([gradient, gradient], nobody, 2)] == 2 * [[0, 2, 4]]


def test_an_error_is_raised_here_and_the_others_are_stopped():
    def fails(tick) -> None:
        raise ValueError("no pool")

    begun = time.monotonic()
    with pytest.raises(ValueError, match="no pool"):
        side_by_side([lambda tick: time.sleep(60), fails], nobody, 2)
    assert time.monotonic() - begun < 30


def test_a_warning_is_said_here():
    def warns(tick) -> int:
        warn("a part is damaged")
        return 1

    with pytest.warns(UserWarning, match="a part is damaged"):
        assert side_by_side([warns, warns], nobody, 2) == [1, 1]


def test_what_a_copy_that_was_killed_leaves_is_done_here():
    here = os.getpid()

    def dies(tick) -> int:
        if os.getpid() != here:
            os.kill(os.getpid(), signal.SIGKILL)
        return 5

    assert side_by_side([dies, dies, lambda tick: 6], nobody, 2)[:2] == [5, 5]


def test_copies_end_with_their_parent(tmp_path):
    words = (
        "import os, sys, time, pathlib; from tutelage.ops.side_by_side import side_by_side\n"
        "def stays(tick):\n    pathlib.Path(sys.argv[1], str(os.getpid())).touch()\n    time.sleep(60)\n"
        "side_by_side([stays, stays], print, 2)"
    )
    with subprocess.Popen([sys.executable, "-c", words, str(tmp_path)]) as parent:
        for _ in range(600):
            if len(list(tmp_path.iterdir())) == 2:
                break
            time.sleep(0.1)
        parent.kill()
    copies = [int(path.name) for path in tmp_path.iterdir()]
    assert len(copies) == 2
    for _ in range(100):
        if not any(alive(copy) for copy in copies):
            break
        time.sleep(0.1)
    assert not any(alive(copy) for copy in copies)


def alive(process: int) -> bool:
    """Whether a process is there, and not merely waited for."""
    try:
        with open(f"/proc/{process}/stat") as file:
            return file.read().rsplit(")", 1)[1].split()[0] != "Z"
    except OSError:
        return False


def test_the_automatic_choice_is_the_same_side_by_side(monkeypatch):
    rng = np.random.default_rng(0)
    y = np.arange(200) % 2
    x = rng.normal(size=(200, 5)) + y[:, None]
    y[30:] = -1
    found = []
    for workers in (1, 2):
        monkeypatch.setattr(auto_student, "workers_for", lambda problem, count, workers=workers: workers)
        model = Classifier("auto", steps=12, folds=2).fit(x, y)
        found.append((model.predict_proba(x).tolist(), [each.as_dict() for each in model.tried_]))
    assert found[0] == found[1]


def test_no_copy_is_made_beside_another_thread(monkeypatch):
    import threading

    stop = threading.Event()
    other = threading.Thread(target=stop.wait)
    other.start()
    try:
        assert cores() == 1
    finally:
        stop.set()
        other.join()
