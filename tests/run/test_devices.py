"""A fit by several processes: what it learns, what ends it, and what is refused before it begins."""

from __future__ import annotations

import importlib.util
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
import torch

pytest.importorskip("lightning_fabric")

from tutelage.model import load
from tutelage.run import devices
from tutelage.train import on_fabric

WHOLE = {"finetune": True, "device": "cpu", "no_evidence": True, "checkpoint_seconds": 0}


@pytest.fixture
def two_cores(monkeypatch):
    monkeypatch.setattr(devices, "cores", lambda: 2)


@pytest.mark.parametrize(
    ("words", "says"),
    [
        ({"devices": 0}, "devices must be at least 1, got 0"),
        ({"devices": 3, "device": "cpu"}, "--devices must be at most 2, the cores that this process may use"),
        ({"devices": 2, "device": "cpu", "compile": True}, "compile is for one device: leave it out"),
        ({"devices": 2, "device": "cuda"}, "torch sees no card of NVIDIA here"),
        ({"device": "cuda"}, "torch sees no card of NVIDIA here"),
    ],
)
def test_what_cannot_be_done_here_is_said_in_a_line(run, bench, two_cores, words, says):
    code, shown = run(*bench.fit(**words))
    assert code == 2
    assert says in shown and shown.count("Error:") == 1 and "Traceback" not in shown
    assert not bench.out.exists()


def test_without_lightning_fabric_the_extra_is_named(run, bench, two_cores, monkeypatch):
    find = importlib.util.find_spec
    monkeypatch.setattr(on_fabric.importlib.util, "find_spec", lambda n: None if n == "lightning_fabric" else find(n))
    code, shown = run(*bench.fit(devices=2, device="cpu"))
    assert code == 2
    assert "pip install 'tutelage[devices]'" in shown


def test_beside_torchrun_the_number_of_devices_is_that_of_its_processes(run, bench, monkeypatch):
    for name, value in {"RANK": 0, "LOCAL_RANK": 0, "WORLD_SIZE": 4, "MASTER_ADDR": "x", "MASTER_PORT": 1}.items():
        monkeypatch.setenv(name, str(value))
    code, shown = run(*bench.fit(devices=2, device="cpu"))
    assert code == 2
    assert "--devices must be left out, or be 4" in shown


@pytest.mark.parametrize(("seen", "cards"), [("", ["0", "1", ""]), ("5,3", ["5", "3", ""])])
def test_each_process_is_shown_a_card_of_its_own(monkeypatch, seen, cards):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 2)
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", seen)
    assert [devices._card(rank) for rank in range(3)] == cards


class Ended:
    """A process that has ended, or has not."""

    def __init__(self, code):
        self.code = code

    def poll(self):
        return self.code


@pytest.mark.parametrize(
    ("codes", "found"),
    [
        ([0, 0], 0), ([2, devices.GONE], 2), ([130, 0], 130), ([0, None], 0),
        ([devices.GONE, -9], "process 1 of 2, counted from 0, was killed (SIGKILL)"),
        ([None, -9], "process 1 of 2, counted from 0, was killed (SIGKILL)"),
        ([-9, devices.GONE], "process 0 of 2, counted from 0, was killed (SIGKILL)"),
        ([devices.GONE, 1], "process 1 of 2, counted from 0, has ended (MemoryError: no room)"),
    ],
)  # fmt: skip
def test_the_process_that_ended_first_is_named(codes, found, tmp_path, monkeypatch):
    monkeypatch.setattr(devices, "GRACE", 0.0)
    with open(tmp_path / "errors", "w+b") as errors:
        errors.write(b"Traceback\n  in a file\nMemoryError: no room\n")
        if isinstance(found, int):
            assert devices._end_of([Ended(code) for code in codes], errors) == found
            return
        with pytest.raises(ChildProcessError) as told:
            devices._end_of([Ended(code) for code in codes], errors)
    assert str(told.value).startswith(found) and "--resume" in str(told.value)


def command(words):
    return [sys.executable, "-m", "tutelage", *map(str, words)]


def probabilities(folder, texts):
    return load(folder / "model").probabilities(list(texts.test["text"]))


@pytest.fixture
def two_there(cache):
    return os.environ | {"TUTELAGE_CACHE": str(cache), "OMP_NUM_THREADS": "2"}


@pytest.mark.slow
@pytest.mark.parametrize("by", ["devices", "torchrun"])
def test_two_processes_fit_what_one_fits(bench, texts, two_there, by):
    subprocess.run(command(bench.fit(out=bench.folder / "one", **WHOLE)), check=True, env=two_there)
    words = command(bench.fit(**WHOLE, devices=2))
    if by == "torchrun":
        run = [sys.executable, "-m", "torch.distributed.run", "--nproc-per-node", "2", "--master-port", "29731"]
        words = [*run, "-m", "tutelage", *words[3:-2]]
    done = subprocess.run(words, capture_output=True, text=True, env=two_there, timeout=900, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stdout.count("Model, summary and report are in") == 1
    one, two = (probabilities(folder, texts) for folder in (bench.folder / "one", bench.out))
    assert np.abs(one - two).max() < 1e-4
    seen = [json.loads((folder / "summary.json").read_text())["test"] for folder in (bench.folder / "one", bench.out)]
    assert seen[0]["accuracy"] == seen[1]["accuracy"]


def children(pid):
    return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


@pytest.mark.slow
@pytest.mark.parametrize("rank", [0, 1])
def test_a_killed_process_ends_the_run_with_a_line_and_one_process_goes_on(bench, texts, two_there, rank):
    subprocess.run(command(bench.fit(out=bench.folder / "one", steps=80, **WHOLE)), check=True, env=two_there)
    words = command(bench.fit(steps=80, **WHOLE, devices=2))
    started = subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=two_there)
    until = time.monotonic() + 600
    while not list((bench.out / "parts").glob("*.unfinished")) and time.monotonic() < until:
        time.sleep(0.05)
    os.kill(children(started.pid)[rank], signal.SIGKILL)
    killed = time.monotonic()
    shown = started.communicate(timeout=120)[1]
    assert time.monotonic() - killed < 30
    assert started.returncode == 2
    assert shown.count("Error:") == 1 and f"process {rank} of 2, counted from 0, was killed (SIGKILL)" in shown
    assert "Traceback" not in shown and "--resume" in shown
    subprocess.run(command(bench.fit(steps=80, **WHOLE, resume=True)), check=True, env=two_there)
    one, two = (probabilities(folder, texts) for folder in (bench.folder / "one", bench.out))
    assert np.abs(one - two).max() < 1e-4
