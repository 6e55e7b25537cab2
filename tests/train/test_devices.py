"""Two processes train as one does: the same weights, whatever the rule, the method and the network."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from types import SimpleNamespace

import pytest
import torch

pytest.importorskip("lightning_fabric")

import shared_cases as cases
from tutelage.train import Training
from tutelage.train.by_all import require_shareable, worth_sharing
from tutelage.train.on_fabric import OnFabric, _unpacked, see_own_device

FAR = 1e-6
"""Largest difference of a number in float64, after 50 steps, between one process and two; found: 3e-16."""


def free_port() -> int:
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return int(s.getsockname()[1])


def processes(*words, size=2, **more):
    """The environments of processes that train together, and each one's process of a program."""
    port = free_port()
    for rank in range(size):
        env = {"RANK": rank, "LOCAL_RANK": rank, "WORLD_SIZE": size, "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": port}
        env = os.environ | {n: str(v) for n, v in env.items()} | {"OMP_NUM_THREADS": "1"}
        yield subprocess.Popen([sys.executable, *map(str, words)], env=env, text=True, **more)


def run_all(*words):
    started = list(processes(*words, stderr=subprocess.PIPE))
    try:
        told = [process.communicate(timeout=900)[1] for process in started]
    finally:
        for process in started:
            process.kill()
    assert [process.returncode for process in started] == [0, 0], told


@pytest.fixture
def exact():
    before = torch.get_default_dtype()
    torch.set_default_dtype(torch.float64)
    yield
    torch.set_default_dtype(before)


def by_two(names, folder):
    run_all(cases.__file__, folder, names)
    return [torch.load(folder / f"{names}{rank}.pt") for rank in (0, 1)]


@pytest.fixture(scope="module")
def of_rules(tmp_path_factory):
    return by_two("rules", tmp_path_factory.mktemp("two"))


def far(one, other):
    assert set(one) == set(other)
    return max(float((t.double() - other[n].double()).abs().max()) for n, t in one.items() if t.numel())


@pytest.mark.parametrize("name", cases.RULES)
def test_two_processes_learn_what_one_learns_by_every_rule(name, of_rules, exact):
    one, start = cases.kept(cases.learnt(cases.RULES[name])), cases.RULES[name][1](1).state_dict()
    assert far(one, of_rules[0][name]) < FAR
    learnt = {n.removeprefix("student."): t for n, t in one.items() if n.startswith("student.")}
    assert far({n: learnt[n] for n in start}, start) > 100 * FAR


@pytest.mark.parametrize("name", [*cases.RULES, "in parts"])
def test_the_processes_have_the_same_bits(name, of_rules):
    weights = [
        {n: t for n, t in found[name].items() if not n.startswith(("history.", "memory."))} for found in of_rules
    ]
    assert far(*weights) == 0


def test_batches_in_parts_are_shared_too(of_rules):
    """With dropout parts draw other numbers than whole batches, in two processes as in one."""
    one = cases.learnt(cases.RULES["transformer"], accumulate=2, steps=1)
    assert set(cases.kept(one)) == {n for n in of_rules[0]["in parts"] if not n.startswith(("history.1", "history.2"))}


@pytest.mark.slow
def test_two_processes_learn_what_one_learns_by_every_method(tmp_path, exact):
    found = by_two("methods", tmp_path)[0]
    apart = {name: far(cases.kept(cases.learnt(case)), found[name]) for name, case in cases.EVERY.items()}
    assert max(apart.values()) < FAR, apart


def test_what_is_shared_arrives_as_it_was():
    layer, none = torch.nn.Linear(3, 2), torch.zeros(1).as_strided((0, 4), (0, 0))
    value = {
        "a": [torch.arange(3), torch.tensor(True)],
        "b": none,
        "layer": layer,
        "c": torch.tensor(0.5),
    }
    found = _unpacked(OnFabric(SimpleNamespace(device=torch.device("cpu")))._sent(value))
    assert torch.equal(found["a"][0], torch.arange(3)) and found["a"][1].item() is True
    assert found["b"].shape == (0, 4) and found["c"].item() == 0.5
    assert torch.equal(found["layer"].weight, layer.weight) and found["layer"].weight.requires_grad


def test_what_one_device_alone_can_do_is_refused():
    for name in ("compile", "checkpoint_activations"):
        with pytest.raises(ValueError, match=f"{name} is for one device"):
            require_shareable(Training(**{name: True}))


def test_heads_on_features_are_left_to_one_process():
    assert not worth_sharing(cases.rows())
    assert worth_sharing(cases.texts())


@pytest.mark.parametrize(
    ("seen", "local", "own"), [("", 1, "1"), ("4,7", 1, "7"), ("4,7", 2, ""), ("GPU-a", 0, "GPU-a")]
)
def test_a_process_sees_its_own_card_alone(monkeypatch, seen, local, own):
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", seen)
    see_own_device(local)
    assert os.environ["CUDA_VISIBLE_DEVICES"] == own


def test_processes_that_were_given_other_data_say_so_before_they_train(of_rules):
    for found in of_rules:
        assert found["unequal"].startswith("process 1 of 2, counted from 0, was given other data than the first")
        assert "\n" not in found["unequal"]
