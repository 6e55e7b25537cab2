"""The runs for a card: their protocols can be read, they stop in time and go on, and a rehearsal does all of them."""

from __future__ import annotations

import importlib.util
import time
from pathlib import Path

import pytest

from tutelage.bench.protocol import read_protocol
from tutelage.bench.running import jobs, missing, read_rows

FILE = Path(__file__).parents[2] / "benchmarks" / "gpu" / "run.py"


@pytest.fixture(scope="module")
def gpu():
    spec = importlib.util.spec_from_file_location("gpu_run", FILE)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_every_table_of_encoders_trained_whole_has_a_protocol(gpu):
    found = {name: read_protocol(path) for name, path in gpu.protocols().items()}
    assert set(found) == {"weak_text", "few_labels_text", "ner", "cifar10", "camvid"}
    assert all(name == protocol.name and protocol.steps.network != "head" for name, protocol in found.items())
    cifar = found["cifar10"]
    assert cifar.steps.network == "wide_resnet" and 10 * cifar.settings[0].labels == 4000


def test_a_rehearsal_takes_two_steps_of_little(gpu):
    for path in gpu.protocols().values():
        small = gpu.shrunk(read_protocol(path))
        assert small.steps.steps == 2 and max(d.pool for d in small.data) <= 480
        assert 2 <= len(jobs(small)) <= 12


@pytest.fixture
def quick(gpu, monkeypatch):
    """Runs that take no time, and fail where the seed is 1."""
    done = []

    def run_all(protocol, root, todo, processes, memory_mb, device):
        (job,) = todo
        done.append((job.seed, job.learner, device))
        yield {"protocol": protocol.name} | job.name | ({"error": "no room"} if job.seed == 1 else {"score": 0.5})

    monkeypatch.setattr(gpu, "run_all", run_all)
    return done


def test_what_is_done_stays_and_what_failed_is_done_again(gpu, quick, tmp_path):
    path = gpu.protocols(["camvid"])["camvid"]
    protocol = read_protocol(path).model_copy(update={"seeds": (0, 1)})
    count, out = len(protocol.learners), tmp_path / "camvid.jsonl"
    assert gpu.slice_of(path, protocol, out, "cuda", time.monotonic() + 60) == (2 * count, count, 0)
    assert len(missing(protocol, read_rows(out))) == count
    assert gpu.slice_of(path, protocol, out, "cuda", time.monotonic() + 60) == (count, count, 0)
    assert {device for *_, device in quick} == {"cuda"}


def test_no_run_is_begun_that_would_not_end_in_time(gpu, quick, tmp_path):
    path, out = gpu.protocols(["camvid"])["camvid"], tmp_path / "camvid.jsonl"
    protocol = read_protocol(path)
    late = time.monotonic() - 1
    assert gpu.slice_of(path, protocol, out, "cpu", late)[0] == 1  # the first tells how long one takes
    assert gpu.slice_of(path, protocol, out, "cpu", late)[0] == 0
    assert gpu.slice_of(path, protocol, out, "cpu", time.monotonic() + 60)[0] == len(jobs(protocol)) - 1


def test_an_unknown_protocol_is_named(gpu):
    with pytest.raises(SystemExit, match="no protocol 'mnist'; there are camvid, cifar10"):
        gpu.protocols(["mnist"])


@pytest.mark.slow
def test_a_rehearsal_does_every_protocol_here(gpu, capsys):
    assert gpu.main(["--dry", "--device", "cpu"]) == 0
    shown = capsys.readouterr().out
    assert shown.count(" 0 failed, 0 left") == len(gpu.protocols())
