"""Between rounds: the pool is gone through once, and a method sees what the networks say and how they see it."""

from __future__ import annotations

import dataclasses
from typing import ClassVar

import pytest
import torch
from torch import nn

from tutelage.data import Features, Loader
from tutelage.game import Player
from tutelage.methods import Cbst, DivideMix, Dmt, SelfTraining
from tutelage.modalities.head import Head
from tutelage.tasks import Classification
from tutelage.train import Training, prediction, train
from tutelage.train.prediction import blocks

TASK, POOL = Classification(3), 36


@pytest.fixture(scope="module")
def loader():
    rows = torch.randn(60, 5, generator=torch.Generator().manual_seed(0))
    return Loader(Features(rows[:24]), torch.arange(24) % 3, Features(rows[24:]), 12, 16)


@pytest.fixture(autouse=True)
def small_blocks(monkeypatch):
    monkeypatch.setattr(prediction, "UNITS_A_BATCH", 10)


def network(seed: int = 0) -> nn.Module:
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        return Head(5, 3, 8, 0.1)


@dataclasses.dataclass(frozen=True)
class Surveying(SelfTraining):
    """Self-training that counts in which rounds a unit is the nearest one of its class's mean, to no end."""

    name: ClassVar[str] = "surveying"
    stop: int = 99
    seen: list = dataclasses.field(default_factory=list, compare=False)

    def remembers(self, loader, task):
        return {"rows": torch.zeros(loader.pool_units, 8), "logits": torch.zeros(loader.pool_units, task.classes)}

    def survey(self, who, said, memory, task):
        for i, (units, logits, rows) in enumerate(said):
            if i == self.stop:
                break
            memory.kept["rows"][units], memory.kept["logits"][units] = rows, logits
            self.seen.append((who, memory.round, tuple(units.tolist()), int((memory.label >= 0).sum())))

    def keep(self, memory):
        self.seen.append("keep")
        super().keep(memory)


def test_a_survey_sees_every_unit_once_a_round_before_labels_are_kept(loader):
    method = Surveying(rounds=2)
    train(method, TASK, network(), loader, Training(12, lr=1e-2))
    for number in (1, 2):
        here = [s for s in method.seen if s != "keep" and s[1] == number]
        assert sorted(u for _, _, units, _ in here for u in units) == list(range(POOL))
        assert {who for who, *_ in here} == {"student"}
    assert [s == "keep" for s in method.seen] == ([False] * 4 + [True]) * 2


def test_a_survey_sees_the_logits_and_what_the_last_layer_made_them_of(loader):
    seen = {}

    class Last(Surveying):
        def keep(self, memory):
            seen["kept"] = {n: t.clone() for n, t in memory.kept.items()}

    last = []

    def watch(run):
        last.append({n: t.clone() for n, t in run.seats["student"].module.state_dict().items()})
        return {}

    train(Last(rounds=1), TASK, network(), loader, Training(12, lr=1e-2, records=12), watch=watch)
    net = network()
    net.load_state_dict(last[5])  # when the second round of six steps began
    with torch.inference_mode():
        logits, rows = Player(net.eval()).represent(loader.unlabelled.rows)
    torch.testing.assert_close(seen["kept"]["logits"], logits)
    torch.testing.assert_close(seen["kept"]["rows"], rows)


def test_between_rounds_the_pool_is_surveyed_and_doubted_then_labels_are_judged_then_some_are_kept(loader):
    seen = []

    class Ordered(Surveying):
        dropout_passes = 2

        def survey(self, who, said, memory, task):
            seen.append("survey")

        def doubt(self, who, said, memory, task):
            seen.append(torch.cat([logits for _, logits, _ in said]))

        def judge(self, who, said, target, memory, task):
            seen.append("judge")
            memory.between["found"] = target.sum()

        def keep(self, memory):
            seen.append(int(memory.between["found"]))

    runs = [train(Ordered(rounds=1), TASK, network(), loader, Training(6, lr=1e-2)) for _ in range(2)]
    first, second = seen[:5], seen[5:]
    assert [s for s in first if not isinstance(s, torch.Tensor)] == ["survey", "judge", int(loader.target.sum())]
    assert isinstance(first[1], torch.Tensor) and not torch.equal(first[1], first[2])
    assert all(torch.equal(a, b) for a, b in zip(first[1:3], second[1:3], strict=True))  # of the seed alone
    assert not any(run.memory.between for run in runs)


@pytest.mark.parametrize("stop", [0, 1, 99])
def test_labels_are_stored_as_they_are_without_a_survey_wherever_it_stops(loader, stop):
    runs = [train(m, TASK, network(), loader, Training(12, lr=1e-2)) for m in (SelfTraining(), Surveying(stop=stop))]
    assert runs[0].history == runs[1].history
    for name in ("label", "confidence", "weight", "flips"):
        assert torch.equal(getattr(runs[0].memory, name), getattr(runs[1].memory, name))


@pytest.mark.parametrize(
    ("method", "passes"), [(SelfTraining(rounds=2), 2), (Surveying(rounds=2), 2), (Cbst(rounds=3), 3)]
)
def test_the_pool_is_gone_through_once_a_round(loader, method, passes, monkeypatch):
    taken = []

    class Counted(Features):
        def take(self, index):
            taken.append(len(index))
            return super().take(index)

    counted = Loader(loader.labelled, loader.target, Counted(loader.unlabelled.rows), 12, 16)
    steps = 12
    train(method, TASK, network(), counted, Training(steps, lr=1e-2))
    assert sum(taken) == steps * 16 + method.rounds * POOL


def test_nothing_is_predicted_between_rounds_for_a_method_that_asks_for_nothing(loader, monkeypatch):
    monkeypatch.setattr(prediction, "cut", lambda *_: pytest.fail("examples were predicted"))

    class Silent(SelfTraining):
        keep = SelfTraining.__mro__[1].keep

    train(Silent(rounds=2), TASK, network(), loader, Training(12, lr=1e-2))


def test_a_judge_sees_the_representation_of_the_labelled_units(loader):
    seen = []

    class Judging(DivideMix):
        def judge(self, who, said, target, memory, task):
            said = list(said)
            seen.append((who, sum(len(units) for units, _, _ in said), {rows.shape[1] for *_, rows in said}))
            super().judge(who, said, target, memory, task)

    train(Judging(rounds=1), TASK, network(), loader, Training(12, lr=1e-2))
    assert seen == [("student", 24, {8}), ("partner", 24, {8})]


def test_both_of_two_players_survey(loader):
    who = []

    class Both(Dmt):
        def survey(self, player, said, memory, task):
            who.append((player, sum(len(units) for units, _, _ in said)))

    train(Both(rounds=1, partners="mutual", mixup=0.0), TASK, network, loader, Training(12, lr=1e-2))
    assert sorted(who) == [("partner", POOL), ("student", POOL)]


def test_a_network_without_a_last_linear_layer_is_seen_without_columns(loader):
    class Means(nn.Module):
        def __init__(self):
            super().__init__()
            self.weight = nn.Parameter(torch.randn(3, 5))

        def forward(self, x):
            return -torch.cdist(x, self.weight)

    found = list(blocks(Means(), TASK, loader.unlabelled))
    assert all(rows.shape == (len(units), 0) for units, _, rows in found)
    train(DivideMix(rounds=1), TASK, Means(), loader, Training(6, lr=1e-2))
