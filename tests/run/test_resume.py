"""A run that is killed at any moment and resumed equals the uninterrupted one, bit for bit."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from benches import stopped_after, without_cost
from families import BROUGHT, one_of_each
from tutelage.methods import METHODS
from tutelage.methods.pool_teacher import PoolTeacher

OF_TWO_CLASSES = sorted(METHODS.keys() - {"partial_label", *BROUGHT})
KEPT = (
    "model/model.safetensors", "model/model.json", "records.json", "report.html", "ledger.parquet", "places.parquet",
)  # fmt: skip


def result(folder: Path) -> dict[str, bytes]:
    plots = sorted(p.relative_to(folder).as_posix() for p in (folder / "plots").iterdir())
    return {name: without_cost((folder / name).read_bytes()) for name in (*KEPT, *plots)}


@pytest.mark.parametrize("method", one_of_each(OF_TWO_CLASSES))
def test_ctrl_c_leaves_a_run_that_resumes_to_the_same_bits(run, bench, method):
    code, _ = run(*bench.fit(method, out=bench.folder / "whole", checkpoint_seconds=0, no_adapt=True))
    assert code == 0
    with stopped_after(5):  # of the trainings of 8 steps
        code, shown = run(*bench.fit(method, checkpoint_seconds=0, no_adapt=True))
    assert code == 130, shown
    assert "--resume" in shown
    assert not (bench.out / "summary.json").exists()
    assert list((bench.out / "parts").glob("candidate*.unfinished"))
    code, _ = run(*bench.fit(method, checkpoint_seconds=0, no_adapt=True, resume=True))
    assert code == 0
    assert result(bench.out) == result(bench.folder / "whole")


def command(words) -> list[str]:
    return [sys.executable, "-m", "tutelage", *map(str, words)]


@pytest.mark.slow
@pytest.mark.parametrize("finetune", [False, True])
@pytest.mark.parametrize("method", OF_TWO_CLASSES)
def test_sigkill_at_a_random_moment(bench, cache, method, finetune):
    """Kills the process three times, later each time, while it writes checkpoints at every step."""
    if finetune and issubclass(METHODS[method], PoolTeacher):
        pytest.skip("it needs rows of fixed features")
    changes = {"checkpoint_seconds": 0, "steps": 60 if finetune else 150, "finetune": finetune or None}
    environment = os.environ | {"TUTELAGE_CACHE": str(cache)}
    subprocess.run(command(bench.fit(method, out=bench.folder / "whole", **changes)), check=True, env=environment)
    rng, kills = random.Random(f"{method}{finetune}"), 0
    for _ in range(3):
        resume = {"resume": True} if bench.out.exists() else {}
        process = subprocess.Popen(command(bench.fit(method, **changes, **resume)), env=environment)
        while process.poll() is None and not (bench.out / "parts").exists():
            time.sleep(0.01)
        time.sleep(rng.uniform(0.1, 2.0))
        kills += process.poll() is None
        process.send_signal(signal.SIGKILL)
        process.wait()
    assert kills > 0
    subprocess.run(command(bench.fit(method, resume=True, **changes)), check=True, env=environment)
    assert result(bench.out) == result(bench.folder / "whole")


@pytest.mark.parametrize("unlabelled", [False, True])
def test_a_run_of_images_without_a_test_is_known_again_by_another_process(run, pets, tmp_path, unlabelled):
    words = ["fit", "supervised", "--kind", "images", "--train", str(pets["train"]), "--network", "small_cnn"]
    words += ["--steps", "2", "--no-evidence", "--out", str(tmp_path / "out")]
    words += ["--unlabelled", str(pets["test"])] if unlabelled else []
    assert run(*words)[0] == 0
    again = subprocess.run(
        [sys.executable, "-m", "tutelage", *words, "--resume"], capture_output=True, text=True, check=False
    )
    assert again.returncode == 0, again.stderr
    assert "is finished already" in again.stdout + again.stderr
