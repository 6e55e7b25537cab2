"""Contenders: held-out predictions of each fold, and games that begin where another training ended."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

from tutelage.data import Features
from tutelage.fit.contender import Contender
from tutelage.fit.problem import Problem
from tutelage.fit.reference import reference_model
from tutelage.fit.setup import FolderStore, Setup
from tutelage.methods import Drift, SelfTraining, Supervised
from tutelage.modalities.head import Head
from tutelage.tasks import Classification
from tutelage.train import Training, predict, train

TASK = Classification(3)


def network(seed: int = 0) -> Head:
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        return Head(5, 3, 8, 0.1)


def draw(count, seed, wrong=0.0):
    rng = np.random.default_rng(seed)
    y = np.arange(count) % 3
    x = rng.normal(size=(count, 5)) + 2 * np.eye(3, 5)[y]
    given = np.where(rng.random(count) < wrong, rng.integers(0, 3, count), y)
    return Features(torch.tensor(x, dtype=torch.float32)), given


@pytest.fixture
def clean():
    (labelled, y), (pool, _) = draw(18, 0), draw(60, 1)
    return Problem(TASK, labelled, y, pool, network, None, batch_labelled=9, batch_unlabelled=16)


@pytest.fixture
def said():
    """Many labels, a third of them wrong, as a foreign teacher gives them."""
    (labelled, y), (pool, _) = draw(90, 2, 0.3), draw(0, 3)
    return Problem(TASK, labelled, y, pool, network, None, batch_labelled=30, batch_unlabelled=16)


FOLDS = [(np.arange(6, 18), np.arange(6)), (np.r_[0:6, 12:18], np.arange(6, 12)), (np.arange(12), np.arange(12, 18))]


def test_each_fold_begins_at_the_network_and_learns_the_labels_that_are_not_held_out(clean):
    start, setup = network(7), Setup(clean, Training(6, lr=1e-2))
    kept = {n: t.clone() for n, t in start.state_dict().items()}
    parts, _ = Contender("begun", Drift().settled(TASK), setup, start).held_out(FOLDS)
    for i, (index, out) in enumerate(FOLDS, start=1):
        seed = setup.training.seed * 1000 + i
        run = train(Drift(), TASK, start, clean.loader(index, seed), Training(6, lr=1e-2, seed=seed))
        expected = predict(run.network(), TASK, clean.labelled.subset(out)).softmax(-1).double()
        np.testing.assert_allclose(parts[i - 1][1]["probabilities"], expected, atol=1e-5)  # folds are trained together
    assert all(torch.equal(t, kept[n]) for n, t in start.state_dict().items())


def test_a_start_at_fresh_weights_is_no_start_bit_for_bit(clean):
    """The weights that the problem draws by each training's seed, given by hand."""
    setup, supervised = Setup(clean, Training(6, lr=1e-2)), Supervised()
    plain, _ = Contender("plain", supervised, setup).network()
    begun, _ = Contender("begun", supervised, setup, network(0)).network()
    assert all(torch.equal(t, begun.state_dict()[n]) for n, t in plain.state_dict().items())


def test_what_a_teacher_said_is_learnt_once_and_each_training_begins_there(clean, said, tmp_path):
    ticks = []
    store = FolderStore(tmp_path)
    first = Contender("said", Supervised(), Setup(said, Training(60, lr=2e-2), store, lambda *t: ticks.append(t)))
    setup = Setup(clean, Training(6, lr=1e-2), store)
    begun = Contender("game", SelfTraining(rounds=1), setup, first)
    begun.held_out(FOLDS)
    network_, _ = begun.network()
    assert [t for t in ticks if t[1] == 60] == [("said", 60, 60)]  # once, whatever the folds
    by_hand, _ = Contender("by hand", SelfTraining(rounds=1), setup, first.student()).network()
    assert all(torch.equal(t, by_hand.state_dict()[n]) for n, t in network_.state_dict().items())


def test_a_game_that_begins_with_many_poor_labels_is_better_than_one_that_does_not(clean, said):
    start = Contender("said", Supervised(), Setup(said, Training(100, lr=2e-2)))
    right = []
    for begin in (start, None):
        parts, _ = Contender("game", Supervised(), Setup(clean, Training(20, lr=3e-3)), begin).held_out(FOLDS)
        right.append(clean.scored(parts).right.mean())
    assert right[0] > right[1] + 0.1


def test_fresh_rounds_begin_where_the_game_began(clean):
    """Self-training begins each round afresh: at the network that it was given."""
    start, seen = network(7), []

    class Told(SelfTraining):
        def loss(self, who, batch, play, task, memory):
            weights = next(iter(play["student"].params.values()))
            seen.append((memory.round, weights.detach().clone()))
            return super().loss(who, batch, play, task, memory)

    Contender("rounds", Told(rounds=2), Setup(clean, Training(9, lr=1e-2)), start).network()
    first = [next(weights for number, weights in seen if number == r) for r in range(3)]
    assert all(torch.equal(weights, next(start.parameters())) for weights in first)


def test_the_folds_and_the_training_on_all_labels_are_done_together_once(clean, tmp_path):
    ticks = []
    setup = Setup(clean, Training(6, lr=1e-2), FolderStore(tmp_path), lambda *t: ticks.append(t))
    one = Contender("game", Drift().settled(TASK), setup, folds=FOLDS)
    parts, curve = one.held_out(FOLDS)
    network_, history = one.network()
    assert {t[0] for t in ticks} == {"game, 4 trainings together"} and len([t for t in ticks if t[1] == 6]) == 1
    alone, _ = Contender("alone", Drift().settled(TASK), Setup(clean, Training(6, lr=1e-2))).network()
    assert all(torch.allclose(t, alone.state_dict()[n], atol=1e-5) for n, t in network_.state_dict().items())
    assert len(parts) == 3 and len(curve) == len(history) == 6


def test_networks_of_all_weight_decays_are_one_cohort(clean, tmp_path):
    ticks, decays = [], (0.01, 1.0)
    setup = Setup(
        replace(clean, decays=decays), Training(6, lr=1e-2), FolderStore(tmp_path), lambda *t: ticks.append(t)
    )
    found = reference_model(setup, FOLDS, None)
    said = {what for what, _, _ in ticks if "together" in what}
    assert said == {"labels-only network, weight decay 0.01 and others, 6 trainings together"}
    names = [f"labels-only network, weight decay {decay:g}" for decay in decays]
    assert found.name in names
    files = {f"labels-only-network-weight-decay-{d}-fold0{k}.safetensors" for d in ("0-01", "1") for k in (1, 2, 3)}
    assert files <= {file.name for file in tmp_path.iterdir()}
    alone = Contender("alone", Supervised(), setup.trained(weight_decay=decays[names.index(found.name)]))
    for (units, own), (others, expected) in zip(found.own, alone.held_out(FOLDS)[0], strict=True):
        assert np.array_equal(units, others)
        assert np.allclose(own["probabilities"], expected["probabilities"], atol=1e-4)


def test_a_damaged_part_of_a_cohort_has_all_of_it_done_again(clean, tmp_path):
    def found():
        setup = Setup(clean, Training(6, lr=1e-2), FolderStore(tmp_path))
        one = Contender("game", Drift().settled(TASK), setup, folds=FOLDS)
        return [said["probabilities"] for _, said in one.held_out(FOLDS)[0]], one.student().state_dict()

    before, student = found()
    files = {f.name: f.stat().st_mtime_ns for f in tmp_path.iterdir()}
    assert set(files) == {"game.safetensors", *(f"game-fold0{i}.safetensors" for i in (1, 2, 3))}
    (tmp_path / "game-fold02.safetensors").write_bytes(b"torn")
    with pytest.warns(UserWarning, match="set aside"):
        after, again = found()
    assert all(np.array_equal(a, b) for a, b in zip(before, after, strict=True))
    assert all(torch.equal(t, again[n]) for n, t in student.items())
    assert all((tmp_path / name).stat().st_mtime_ns > then for name, then in files.items())


def test_folds_of_which_each_has_features_of_its_own_are_trained_one_by_one(clean):
    ticks, own = [], replace(clean, by_fold=lambda index: clean)
    setup = Setup(own, Training(6, lr=1e-2), tick=lambda *t: ticks.append(t[0]))
    Contender("game", Drift().settled(TASK), setup).held_out(FOLDS)
    assert set(ticks) == {f"game, fold {i} of 3" for i in (1, 2, 3)}
