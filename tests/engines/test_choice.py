"""The engine that was asked for is taken, and one that cannot be is refused in a line."""

from __future__ import annotations

import sys

import pytest

from tutelage import engines
from tutelage.engines import choice
from tutelage.engines.on_ray import workers_of


def test_many_rows_and_several_cores_take_processes(monkeypatch):
    monkeypatch.setenv("OMP_NUM_THREADS", "64")
    monkeypatch.setattr(choice, "cores", lambda: 4)
    assert (engines.chosen("auto", None, True).name, engines.chosen("auto", None, True).workers) == ("processes", 4)
    assert engines.chosen("auto", None, False).name == "one"
    assert engines.chosen("auto", 3, False).workers == 3
    assert engines.chosen("auto", None, True, room=2).workers == 2
    assert engines.chosen("auto", None, True, room=0).name == "one"
    assert engines.chosen("processes", 8, False, room=3).workers == 3


def test_whoever_limits_threads_limits_workers(monkeypatch):
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    assert choice.cores() == 1
    assert engines.chosen("auto", None, True).name == "one"


@pytest.mark.parametrize(
    ("given", "says"),
    [
        (("spark", None), "--engine must be one of auto, one, processes, ray, got 'spark'"),
        (("processes", 0), "--workers must be at least 1, got 0"),
        (("one", 2), "--workers 2 is for --engine processes or ray"),
    ],
)
def test_options_that_are_not_right_are_refused(given, says):
    with pytest.raises(ValueError, match=says):
        engines.named(*given)


def test_without_ray_the_extra_is_named(monkeypatch):
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(ImportError, match=r"pip install 'tutelage\[ray\]'"):
        engines.named("ray", 2)
    assert "ray" not in sys.modules


def test_ray_keeps_a_core_for_what_feeds_it():
    assert workers_of(None, 16) == 15
    with pytest.raises(ValueError, match="at least 2 cores"):
        workers_of(None, 1)
    with pytest.raises(ValueError, match="--workers must be at most 1 with --engine ray, got 2: Ray has 2 cores"):
        workers_of(2, 2)
