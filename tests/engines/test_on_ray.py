"""Workers of Ray, with the real library: the bytes of one process, also where a worker is killed, and stopped runs."""

from __future__ import annotations

import gc
import os
import signal
import warnings
from functools import partial
from operator import methodcaller
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from tutelage.engines import Wanted, WorkerError
from tutelage.kinds import KINDS, predicting
from tutelage.modalities.head import Head
from tutelage.modalities.rows.reader import RowReader
from tutelage.model import Model
from tutelage.tables import USUAL, Notes, blocks
from tutelage.tasks import Classification

ray = pytest.importorskip("ray", reason="the extra ray is not installed")
pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings("default")]


@pytest.fixture(scope="module", autouse=True)
def cluster():
    """Ray on this machine, with three cores that it may think it has."""
    from tutelage.engines import on_ray

    with pytest.MonkeyPatch.context() as patched:
        if "RAY_ADDRESS" not in os.environ:
            patched.setattr(ray, "init", partial(ray.init, num_cpus=3))
        try:
            on_ray._started()
        except WorkerError as e:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                gc.collect()
            pytest.skip(str(e))  # as it is on a machine that is too busy: ray-project/ray#44687 and others
    yield
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # Ray does not wait for the processes that it began
        ray.shutdown()
        gc.collect()


def workers() -> list[int]:
    """Numbers of the processes of workers that label."""
    found = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            name = path.read_bytes()
        except OSError:
            continue
        if name.startswith(b"ray::") and b"_Worker" in name:
            found.append(int(path.parent.name))
    return found


def test_results_come_in_the_order_of_the_tasks_and_what_is_raised_in_its_place():
    from tutelage.engines.on_ray import OnRay

    def source():
        yield from ("a", "b", 1, "c")

    found = OnRay.begun(2).each(partial(methodcaller, "upper"), source)
    assert [next(found), next(found)] == ["A", "B"]
    with pytest.raises(AttributeError, match="'int' object has no attribute 'upper'"):
        next(found)


def test_a_killed_worker_loses_nothing_and_the_bytes_are_those_of_one_process(tmp_path, monkeypatch):
    monkeypatch.setattr(blocks, "BYTES_A_BLOCK", 400)
    monkeypatch.setattr(predicting, "ROWS_IN_MEMORY", 0)
    x = np.random.default_rng(0).normal(size=(200, 2)).round(3)
    table = pd.DataFrame({"a": x[:, 0], "b": x[:, 1], "note": [f'row "{i}"' for i in range(200)]})
    table.to_csv(tmp_path / "in.csv", index=False)
    head = Head(2, 2)
    for name, value in head.state_dict().items():
        if value.is_floating_point() and "scale" not in name:
            value.copy_(value.new_tensor(np.linspace(-1, 1, value.numel())).reshape(value.shape))
    model = Model(["u", "v"], head.eval(), RowReader(), Classification(2), cache=False)
    kind, kills = KINDS["rows"](features=("a", "b"), exact=True), []

    def predict(output, wanted, tick=lambda *now: None, **more):
        kind.predict(model, tmp_path / "in.csv", output, USUAL, Notes(), tick, wanted=wanted, **more)
        return output.read_bytes()

    def kill(what, done, total):
        if not kills:
            kills.extend(workers()[:1])
            for number in kills:
                os.kill(number, signal.SIGKILL)

    def stop(what, done, total):
        if done > 60:
            raise KeyboardInterrupt

    one = predict(tmp_path / "one.csv", Wanted("one"))
    assert predict(tmp_path / "ray.csv", Wanted("ray", 2), kill) == one
    assert kills
    with pytest.raises(KeyboardInterrupt):
        predict(tmp_path / "stopped.csv", Wanted("ray", 1), stop)
    assert predict(tmp_path / "stopped.csv", Wanted("processes", 1), resume=True) == one


def test_a_task_that_kills_each_worker_is_given_up():
    from tutelage.engines.on_ray import OnRay

    found = OnRay.begun(1).each(partial(partial, signal.raise_signal), lambda: [0, int(signal.SIGKILL)])
    with pytest.raises(WorkerError, match="a worker of Ray ended, and again"):
        list(found)  # whether the result before arrives in time is Ray's affair
