"""What every method must do, whatever its paper."""

from __future__ import annotations

import copy
import dataclasses
import json
import pickle
from pathlib import Path

import numpy as np
import pytest
import torch
from sklearn.datasets import load_digits

from tutelage.data import Features, Loader, WordFeatures
from tutelage.data.heard import Heard
from tutelage.fit.fit import settings
from tutelage.memory import Memory
from tutelage.methods import METHODS, Dmt, Drift, Elr, LabelPropagation, MeanTeacher, SelfTraining
from tutelage.methods.fields import Open, Ramp
from tutelage.modalities.head import Head
from tutelage.ops.checks import checks_of
from tutelage.tasks import Classification, Segmentation, Tagging
from tutelage.train import Member, Training, cohorts, predict, train, train_together
from tutelage.train.loop import game_of

TASK = Classification(10)


@pytest.fixture(scope="module")
def digits():
    x, y = load_digits(return_X_y=True)
    rng = np.random.default_rng(0)
    order = rng.permutation(len(x))
    x, y = torch.tensor(x[order], dtype=torch.float32), torch.tensor(y[order])
    first = np.concatenate([np.flatnonzero(y[:1000].numpy() == c)[:6] for c in range(10)])
    rest = np.setdiff1d(np.arange(1000), first)
    noisy = x[rest] * (torch.rand(x[rest].shape, generator=torch.Generator().manual_seed(0)) > 0.2)
    strong = [Features(noisy)]
    said, beside = told(y[rest], 5), told(y[first], 5)
    heard = Heard(lambda: beside, lambda: torch.stack([told(y[rest], k) for k in (4, 6)], 1))
    parts = Features(x[first]), y[first], Features(x[rest]), 32, 64
    loader = Loader(*parts, seed=3, strong=strong, said=said, heard=heard)
    return loader, Features(x[1000:]), y[1000:]


def told(y: torch.Tensor, wrong: int) -> torch.Tensor:
    """Probabilities by a brought teacher that takes each so many'th unit for a 0, for methods that need a teacher."""
    return torch.nn.functional.one_hot(torch.where(torch.arange(len(y)) % wrong > 0, y, 0), 10) * 0.9 + 0.01


def network() -> Head:
    torch.manual_seed(0)
    return network_of_seed()


def network_of_seed() -> Head:
    x = torch.tensor(load_digits().data, dtype=torch.float32)
    return Head(64, 10, 32, 0.2).standardise(x, per_feature=True)


def trained(method, loader, **changes):
    return train(method, TASK, network(), loader, Training(**({"steps": 60, "lr": 3e-3, "seed": 5} | changes)))


@pytest.fixture(params=METHODS.values(), ids=METHODS.keys())
def method(request):
    return request.param()


def test_learns(method, digits):
    loader, test, y = digits
    run = trained(method, loader, steps=200 * method.training_rounds if method.restarts else 400)
    assert (predict(run.network(), TASK, test).argmax(1) == y).float().mean() > 0.75


def test_two_runs_of_a_seed_are_equal_and_of_two_seeds_are_not(method, digits):
    runs = [trained(method, digits[0], seed=s).network().state_dict() for s in (1, 1, 2)]
    key = next(name for name in runs[0] if name.endswith("layers.1.weight"))  # "body." before it where heads answer
    assert torch.equal(runs[0][key], runs[1][key])
    assert not torch.equal(runs[0][key], runs[2][key])


def test_training_leaves_the_network_and_the_random_state_alone(method, digits):
    before, state = network(), torch.get_rng_state()
    kept = {n: t.clone() for n, t in before.state_dict().items()}
    train(method, TASK, before, digits[0], Training(steps=10))
    assert all(torch.equal(t, kept[n]) for n, t in before.state_dict().items())
    assert torch.equal(torch.get_rng_state(), state)


def test_the_loss_writes_nothing_and_gives_the_same_twice(method, digits):
    run = trained(method, digits[0], steps=40)
    kept = {n: t.clone() for n, t in run.memory.tensors().items()}
    weights = {n: p.clone() for n, p in run.seats["student"].params.items()}
    for player in run.seats.values():
        player.module.eval()  # dropout off: calls may be compared
    batch = digits[0].batch(0, 0.5, method.uses_pool)
    totals = []
    for _ in range(2):
        torch.manual_seed(0)  # adversarial directions are drawn
        totals.append(method.loss("student", batch, run.seats, TASK, run.memory).total.item())
    assert totals[0] == totals[1]
    assert all(torch.equal(t, kept[n]) for n, t in run.memory.tensors().items())
    assert all(torch.equal(p, weights[n]) for n, p in run.seats["student"].params.items())


def test_renaming_the_classes_renames_the_gradient(method, digits):
    """The loss does not know one class from another."""
    run = trained(method, digits[0], steps=40)
    for player in run.seats.values():
        player.module.eval()
    batch = digits[0].batch(0, 0.5, method.uses_pool)
    turn = torch.roll(torch.arange(10), 3)
    torch.manual_seed(0)
    before = method.loss("student", batch, run.seats, TASK, run.memory).total.item()
    renamed = dataclasses.replace(batch, target=turn.argsort()[batch.target])
    with torch.no_grad():
        heads = [m for p in run.seats.values() for m in p.module.modules() if getattr(m, "out_features", 0) == 10]
        for last in heads:  # those that a method brings, too
            last.weight.copy_(last.weight[turn])
            last.bias.copy_(last.bias[turn])
        run.memory.label.copy_(turn.argsort()[run.memory.label.clamp(min=0).long()])
        for name, kept in run.memory.kept.items():
            kept.copy_(kept[..., turn] if kept.shape[-1:] == (10,) else kept)
            kept.copy_(torch.where(kept >= 0, turn.argsort()[kept], kept) if name == "selected" else kept)
    torch.manual_seed(0)
    after = method.loss("student", renamed, run.seats, TASK, run.memory).total.item()
    assert after == pytest.approx(before, rel=1e-5)


@pytest.mark.parametrize("stop", [1, 13, 37, 59])
def test_a_run_that_is_cut_off_resumes_to_the_same_bits(method, digits, tmp_path, stop):
    class CutError(Exception):
        pass

    def cut(step):
        if step == stop:
            raise CutError

    training, path = Training(steps=60, lr=3e-3, seed=5, checkpoint_every=0), tmp_path / "run"
    whole = train(method, TASK, network(), digits[0], training)
    with pytest.raises(CutError):
        train(method, TASK, network(), digits[0], training, path=path, tick=cut)
    again = train(method, TASK, network(), digits[0], training, path=path)
    assert again.history == whole.history
    assert all(torch.equal(t, again.tensors()[n]) for n, t in whole.tensors().items())


def test_an_earlier_checkpoint_gives_the_same_bits_too(method, digits, tmp_path):
    """A kill loses the steps since the last checkpoint; they are taken again, alike."""
    path, early = tmp_path / "run", {}
    training = Training(steps=60, lr=3e-3, seed=5, checkpoint_every=0)

    def keep(step):
        if step == 31 and path.exists():
            early["bytes"] = path.read_bytes()  # as of step 30

    whole = train(method, TASK, network(), digits[0], training, path=path, tick=keep)
    path.write_bytes(early["bytes"])
    again = train(method, TASK, network(), digits[0], training, path=path)
    assert all(torch.equal(t, again.tensors()[n]) for n, t in whole.tensors().items())


ALONE = {"vat", "deep_co_training", "co_teaching"}
"""Methods whose trainings cannot be done together: the others' are."""

FAR = 1e-4
"""Largest difference of a probability between a training done in a cohort and the same done by itself, after its
steps; found: 2e-5 of methods that learn labels alone for long, whose surest probabilities are near 1, else 4e-7."""


def folds_of(loader, count=3):
    """Loaders and seeds of trainings on parts of the labels, which differ in number."""
    n = len(loader.labelled)
    for k in range(count):
        index = np.flatnonzero(np.arange(n) % 5 != k)[: 40 + k]
        labelled, heard = loader.labelled.subset(index), loader.heard.among(index)
        yield (
            dataclasses.replace(loader, labelled=labelled, target=loader.target[index], heard=heard, seed=10 + k),
            20 + k,
        )


def seeded(seed: int) -> Head:
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        return network_of_seed()


def test_a_cohort_gives_what_each_member_gives_by_itself(method, digits):
    loader, test, _ = digits
    members = [Member(seeded, one, seed) for one, seed in folds_of(loader)]
    settled, training = method.settled(TASK), Training(steps=36, lr=3e-3, records=4)
    if method.name in ALONE:
        assert cohorts(settled, TASK, members) == [[0], [1], [2]]
        return
    assert cohorts(settled, TASK, members) == [[0, 1, 2]]
    runs, again = (train_together(settled, TASK, members, training) for _ in range(2))
    for run, same, member in zip(runs, again, members, strict=True):
        single = train(settled, TASK, member.network, member.loader, dataclasses.replace(training, seed=member.seed))
        told, expected = (predict(r.network(), TASK, test).softmax(-1) for r in (run, single))
        assert (told - expected).abs().max() < FAR
        assert (told - told[0]).abs().max() > 100 * FAR  # there is something to tell
        assert [h.keys() for h in run.history] == [h.keys() for h in single.history]
        for point, other in zip(run.history, single.history, strict=True):
            assert point == pytest.approx(other, rel=1e-2, abs=1e-3)
        assert run.history == same.history
        assert all(torch.equal(t, same.tensors()[n]) for n, t in run.tensors().items())


def test_the_page_on_decisions_names_the_methods_that_are_trained_one_by_one():
    page = (Path(__file__).parents[2] / "docs" / "decisions.md").read_text().split("## Trainings done together")[1]
    row = next(line for line in page.splitlines() if line.startswith("| all methods of the catalogue"))
    assert (
        {name for name in METHODS if f"`{name}`" in row} == ALONE == {n for n, m in METHODS.items() if not m.stackable}
    )


COUPLED = {
    "vat", "uda", "cutmix_mean_teacher", "cosine", "bond", "freematch", "softmatch", "adamatch", "mixmatch",
    "remixmatch", "deep_co_training", "curriculum_labelling", "cbst", "dst", "dmt", "co_teaching", "dividemix",
    "alm_kd", "diffkd",
}  # fmt: skip
"""Methods whose loss couples the units of a batch, or draws for all of them at once: a batch has no parts."""


def test_a_batch_in_parts_gives_the_gradient_of_the_whole_one_or_is_refused(method, digits):
    settled, loader = method.settled(TASK), digits[0]
    loader = dataclasses.replace(loader, batch_labelled=11, batch_unlabelled=23)
    target = loader.target.clone()
    target[::7] = -1
    loader = dataclasses.replace(loader, target=target) if method.name not in COUPLED else loader
    net = Head(64, 10, 16, 0.0).standardise(loader.unlabelled.rows, per_feature=True)
    plain = Training(steps=10, lr=3e-3, seed=5)
    parted = dataclasses.replace(plain, accumulate=4)
    if method.name in COUPLED:
        with pytest.raises(ValueError, match=f"accumulate must be 1 for {method.name}, got 4: its loss"):
            train(method, TASK, net, loader, parted)
        return
    found = []
    for game in (game_of(settled, TASK, net, loader, how) for how in (plain, parted)):
        torch.manual_seed(1)
        run = game.begin()
        run.memory.round = settled.training_rounds - 1
        for step in range(3):
            for player in run.seats.values():  # else the students of some methods are their teachers
                _ = [p.data.add_(0.1 * torch.randn(p.shape)) for p in player.params.values() if step == 0]
            move, run.step = game.step(run, 0.5), step + 1
        found.append((move, {name: kept.clone() for name, kept in run.memory.tensors().items()}))
    (move, memory), (other, remembered) = found
    for who, grads in move.grads.items():
        most = max(float(g.abs().max()) for g in grads.values())
        assert most > 0
        assert all((g - other.grads[who][n]).abs().max() < 1e-5 * most for n, g in grads.items())
    assert {n: float(t.detach()) for n, t in move.terms.terms.items()} == pytest.approx(
        {n: float(t) for n, t in other.terms.terms.items()}, rel=1e-5, abs=1e-7
    )
    for name, kept in memory.items():
        assert torch.allclose(kept.double(), remembered[name].double(), atol=1e-5), name


@pytest.mark.parametrize(
    ("method", "why"),
    [
        (Drift(balance=1.0), "balance=1 counts the classes of a batch"),
        (Drift(balance=Ramp(0.0, 0.5)), "counts the classes of a batch"),
        (Drift(normalised=True), "normalised=True divides by the mean weight of a batch"),
    ],
)
def test_a_field_that_couples_the_units_of_a_batch_is_named(method, why, digits):
    with pytest.raises(ValueError, match=why):
        trained(method, digits[0], accumulate=2)


def test_the_page_on_decisions_names_the_methods_whose_batches_have_no_parts():
    page = (Path(__file__).parents[2] / "docs" / "decisions.md").read_text().split("## A step in parts")[1]
    row = next(line for line in page.splitlines() if line.startswith("| refused"))
    named = {name for name in METHODS if f"`{name}`" in row}
    assert named == COUPLED == {n for n, m in METHODS.items() if m().settled(TASK).couples}


def test_what_a_teacher_of_the_pool_said_is_asked_for_once(digits):
    asked = []

    class Asked(LabelPropagation):
        def teach(self, *given):
            asked.append(given)
            return super().teach(*given)

    pool = Features(digits[0].unlabelled.rows.clone())
    for loader, _ in [*folds_of(digits[0], 2)] * 2:
        once = trained(Asked(), dataclasses.replace(loader, unlabelled=pool), steps=2)
        alone = trained(LabelPropagation(), loader, steps=2)
        assert torch.equal(once.memory.kept["taught"], alone.memory.kept["taught"])
    assert len(asked) == 2


def test_only_what_a_method_says_of_itself_lets_it_be_stacked():
    class Mine(Drift):
        pass

    assert Drift.stackable and not Mine.stackable


SAME = {"temperature": 0.5, "ramp": 0.2, "weights": "entropy"}


@pytest.mark.parametrize("optimiser", ["adamw", "sgd"])
@pytest.mark.parametrize("changes", [{"decay": 0.9, "interaction": 0.0}, {"decay": 1.0, "interaction": 1.0}])
@pytest.mark.filterwarnings("ignore:the anticipating term is exactly zero")
def test_drift_that_does_not_anticipate_is_mean_teacher_bit_for_bit(digits, changes, optimiser):
    drift = trained(Drift(**SAME, divergence="kl", **changes), digits[0], optimiser=optimiser)
    mean = trained(MeanTeacher(**SAME, consistency="kl", decay=changes["decay"]), digits[0], optimiser=optimiser)
    for who in ("student", "teacher"):
        expected = mean.seats[who].module.state_dict()
        assert all(torch.equal(t, expected[n]) for n, t in drift.seats[who].module.state_dict().items())


def test_drift_that_anticipates_is_not_mean_teacher(digits):
    drift = trained(Drift(**SAME), digits[0]).seats["student"].module.state_dict()
    mean = trained(MeanTeacher(**SAME), digits[0]).seats["student"].module.state_dict()
    assert not torch.equal(drift["layers.1.weight"], mean["layers.1.weight"])


def test_a_zero_anticipating_term_is_warned_of(digits):
    with pytest.warns(UserWarning, match="anticipating term is exactly zero"):
        trained(Drift(decay=1.0), digits[0])


def test_the_ratio_of_gradients_is_recorded_for_drift_only(digits):
    assert all(h["anticipating"] > 0 < h["direct"] for h in trained(Drift(), digits[0]).history)
    assert not any("anticipating" in h for h in trained(MeanTeacher(), digits[0]).history)


def test_self_training_learns_first_without_and_then_with_the_pool(digits):
    history = trained(SelfTraining(rounds=2), digits[0], steps=90, records=9).history
    assert [h["round"] for h in history] == [0, 0, 0, 1, 1, 1, 2, 2, 2]
    assert ["loss.pool" in h for h in history] == [False] * 3 + [True] * 6


def test_self_training_keeps_what_is_above_the_threshold():
    memory = Memory(3)
    memory.round = 1
    memory.write(torch.arange(3), torch.tensor([0, 0, 1]), torch.tensor([0.9, 0.6, 0.9]), torch.ones(3))
    SelfTraining(threshold=0.8).keep(memory)
    assert memory.weight.tolist() == [1.0, 0.0, 1.0]


def test_balanced_self_training_keeps_the_same_share_of_each_class():
    memory = Memory(6)
    memory.round = 1
    p = torch.tensor([0.99, 0.98, 0.97, 0.96, 0.6, 0.55])
    memory.write(torch.arange(6), torch.tensor([0, 0, 0, 0, 1, 1]), p, torch.ones(6))
    SelfTraining(rounds=2, balanced=True).keep(memory)
    assert memory.weight.tolist() == [1.0, 1.0, 0.0, 0.0, 1.0, 0.0]


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: Drift(temperature=0.0), r"temperature must be in \(0, 1\], got 0.0"),
        (lambda: Drift(weights="hard"), "weights must be one of entropy, none, got 'hard'"),
        (lambda: Drift(balance=1.5), r"balance must be in \[0, 1\], got 1.5"),
        (lambda: MeanTeacher(weight=-1.0), "weight must be at least 0, got -1.0"),
        (lambda: SelfTraining(rounds=0), "rounds must be at least 1, got 0"),
        (lambda: SelfTraining(threshold=1.5), r"threshold must be in \[0, 1\], got 1.5"),
        (lambda: Dmt(partners="both"), "partners must be one of mutual, chain, self, got 'both'"),
        (lambda: Dmt(mixup=-1.0), "mixup must be at least 0, got -1.0"),
        (lambda: Drift(interaction=-1.0), "interaction must be at least 0, got -1.0"),
        (lambda: LabelPropagation(neighbours=0), "neighbours must be at least 1, got 0"),
        (lambda: LabelPropagation(confidence="much"), "confidence must be one of entropy, none, got 'much'"),
    ],
)
def test_out_of_range_hyper_parameters_are_named(make, message):
    with pytest.raises(ValueError, match=message):
        make()


@pytest.mark.parametrize("value", [2.5, "3", True])
def test_a_count_is_a_whole_number(value):
    with pytest.raises(TypeError, match="rounds must be a"):
        SelfTraining(rounds=value)


def test_every_number_of_every_method_has_a_range():
    for kind in METHODS.values():
        numbers = {f.name for f in dataclasses.fields(kind) if type(f.default) in (int, float)}
        assert numbers <= set(checks_of(kind)), kind


@pytest.mark.parametrize(
    ("task", "weak", "expected"),
    [
        (Classification(3), False, (0.0, 0.9, 1.0)),
        (Classification(3), True, (1.0, 0.99, 20.0)),
        (Tagging(3, ("O", "B-X", "I-X")), True, (0.2, 0.99, 10.0)),
    ],
)
def test_what_drift_leaves_open_is_set_for_the_task_and_nothing_else(task, weak, expected):
    found = Drift().settled(task, weak)
    assert (found.balance, found.decay, found.interaction) == expected
    assert Drift(decay=0.5).settled(task, weak).decay == 0.5
    assert MeanTeacher().settled(task, weak).decay == (0.99 if weak and task.sequential else 0.9)


def test_a_method_is_settled_by_the_training_and_no_field_is_open_while_it_plays(digits):
    seen = []

    class Watched(Drift):
        def loss(self, *args):
            seen.append((self.balance, self.decay, self.interaction))
            return super().loss(*args)

    trained(Watched(decay=0.8), digits[0], steps=2)
    assert seen == [(0.0, 0.8, 1.0)] * 2


def test_a_settled_method_has_nothing_open_and_is_settled_already(method):
    settled = method.settled(TASK)
    assert not any(isinstance(v, Open) for v in vars(settled).values())
    assert settled.settled(TASK) is settled


def test_what_is_left_open_is_shown_as_none_and_counts_as_the_usual_value():
    assert "balance=None" in repr(Drift()) and "decay=None" in repr(Drift()) and "decay=0.5" in repr(Drift(decay=0.5))
    assert {k: v for k, v in settings(Dmt()).items() if v is None}.keys() == {"grows", "partners", "ranking", "mixup"}
    assert json.dumps(settings(Dmt().settled(TASK))["grows"]) == "true"
    assert Drift().rule == Drift(decay=0.9, interaction=1.0).rule
    assert Dmt().restarts and Dmt().rule.movers == ("student",)


@pytest.mark.parametrize("way", [copy.deepcopy, lambda m: pickle.loads(pickle.dumps(m)), dataclasses.replace])
def test_a_field_stays_open_in_a_copy(way):
    assert way(Drift()).settled(TASK, weak=True).decay == 0.99
    assert way(Drift(decay=0.9)).settled(TASK, weak=True).decay == 0.9  # which somebody chose
    assert way(Dmt()).settled(Segmentation(2)).grows is False
    assert dataclasses.replace(Drift(), weight=2.0).settled(TASK, weak=True).interaction == 20.0
    assert Drift(decay=None).settled(TASK, weak=True).decay == 0.99  # None leaves it open too


def test_the_rule_is_asked_for_once_in_a_training(digits):
    asked = []

    class Asked(Dmt):
        @property
        def rule(self):
            asked.append(1)
            return super().rule

    trained(Asked(), digits[0], steps=60)
    assert len(asked) == 1


def test_a_training_settles_for_its_own_task():
    rows, tags = torch.randn(12, 4), torch.arange(12) % 3
    words = WordFeatures(rows, np.array([4, 4, 4]))
    run = train(Dmt(rounds=1), Classification(3), Head(4, 3), Loader(Features(rows), tags, Features(rows)), Training(4))
    assert set(run.seats) == {"student"}  # a chain
    task = Tagging(3, ("O", "B-X", "I-X"))
    run = train(MeanTeacher(), task, Head(4, 3), Loader(words, tags, words), Training(4))
    assert set(run.seats) == {"student", "teacher"}
    with pytest.raises(ValueError, match="elr remembers each unit"):
        train(
            Elr(), Segmentation(3), torch.nn.Conv2d(3, 3, 1), Loader(Features(rows), tags, Features(rows)), Training(4)
        )
