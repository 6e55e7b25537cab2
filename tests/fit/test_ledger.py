"""The ledger of a training is what its memory said, block by block, also of one that was stopped."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

from tutelage.data import Features
from tutelage.data.examples import WordFeatures
from tutelage.files.tensors import read_tensors
from tutelage.fit import ledger, setup
from tutelage.fit.contender import Contender
from tutelage.fit.ledger import BY, Followed, Recorder, gathering
from tutelage.fit.problem import Problem
from tutelage.fit.setup import FolderStore, Setup
from tutelage.methods import METHODS
from tutelage.modalities.head import Head
from tutelage.tasks import Classification
from tutelage.train import Training, train

TASK = Classification(3)
FOLDS = [(np.arange(6, 18), np.arange(6)), (np.arange(12), np.arange(12, 18))]


def network(seed: int = 0) -> Head:
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        return Head(5, 3, 8, 0.1)


def draw(count, seed):
    rng = np.random.default_rng(seed)
    y = np.arange(count) % 3
    x = rng.normal(size=(count, 5)) + np.eye(3, 5)[y]
    return Features(torch.tensor(x, dtype=torch.float32)), y


@pytest.fixture
def problem():
    (labelled, y), (pool, _) = draw(18, 0), draw(60, 1)
    strong = (Features(pool.rows + 0.1),)
    return Problem(TASK, labelled, y, pool, network, None, batch_labelled=9, batch_unlabelled=16, strong=strong)


def settled(name):
    return METHODS[name](**({"threshold": 0.5} if name == "fixmatch" else {})).settled(TASK)


def told(problem, method, training, store=None, folds=(), tick=None):
    """The ledger of a contender's training on all labels."""
    more = {} if store is None else {"store": store}
    setup = Setup(problem, training, **more, **({} if tick is None else {"tick": tick}))
    with gathering() as found:
        Contender("candidate", method, setup, folds=folds).network()
    (only,) = found.values()
    return only


def same(a, b):
    names = ("blocks", "item", "unit", "label", "probability", "weight", "flips")
    return all(np.array_equal(getattr(a, name), getattr(b, name)) for name in names)


def snapshots(problem, method, training):
    """What the memory holds at each record and at the end of each round, as (step, round, four lists of numbers)."""
    found = []

    class Watch:
        def __call__(self, run):
            if not found or found[-1][0] < run.step:
                of = run.memory
                each = (of.label, of.confidence, of.weight, of.flips)
                found.append((run.step, of.round, [values.tolist() for values in each]))
            return {}

        def before_round(self, run):
            self(run)

    train(method, TASK, network(0), problem.loader(seed=0), training, watch=Watch())
    return found


@pytest.mark.parametrize("name", ["drift", "fixmatch", "self_training", "label_spreading"])
def test_a_ledger_is_what_the_memory_said_at_each_look(problem, name):
    method, training = settled(name), Training(40, lr=3e-2, records=5)
    found = told(problem, method, training)
    rows, begin, last = [], 1, {}
    for step, turn, (label, confidence, weight, flips) in snapshots(problem, method, replace(training, seed=0)):
        for i, now in enumerate(zip(label, confidence, weight, flips, strict=True)):
            old = last.get(i, (-1, 0.0, 0.0, 0))
            changed = now[0] != old[0] or now[3] != old[3] or (now[2] > 0) != (old[2] > 0)
            if now[0] >= 0 and (changed or abs(np.float32(now[1]) - np.float32(old[1])) > BY):
                rows.append((turn, begin, step, i, *now))
                last[i] = now
        begin = step + 1
    of = found.of_block
    columns = [found.blocks[of, 0], found.blocks[of, 1], found.blocks[of, 2], found.item, found.label]
    columns += [found.probability, found.weight, found.flips]
    assert len(rows) >= 60
    assert [tuple(c.item() for c in row) for row in zip(*columns, strict=True)] == rows


@pytest.mark.parametrize("name", ["verips", "ensemble"])
def test_only_labels_that_somebody_learns_are_in_it(problem, name):
    """Several networks label the pool, and one label of each item is learnt: none of the verifier's."""
    found = told(
        problem, METHODS[name](**({"entropy": 0.5} if name == "verips" else {})).settled(TASK), Training(120, lr=3e-2)
    )
    assert found.labellers == ("student",) and set(found.blocks[:, 3]) <= {0}
    learnt = {(int(item), int(unit)) for item, unit in zip(found.item, found.unit, strict=True)}
    assert len(learnt) <= len(problem.pool)
    of = {"verips": "the student of round 1", "ensemble": "the mean of all networks"}[name]
    assert set(np.asarray(found.teachers)[found.of_block[found.weight > 0]]) <= {of}
    assert (found.weight > 0).any()


def test_a_round_that_is_shorter_than_a_block_is_not_missed(problem):
    method = METHODS["self_training"](rounds=6).settled(TASK)
    found = told(problem, method, Training(42, lr=3e-2, records=2))  # records at 21 and 42, rounds of 6 steps
    assert method.training_rounds > 4
    assert set(found.blocks[found.blocks[:, 4] > 0, 0].tolist()) == set(range(1, method.training_rounds))
    assert "the student of round 1" in found.teachers and "the student of round 4" in found.teachers


class StopError(Exception):
    """Stops a training."""


@pytest.mark.parametrize("folds", [(), FOLDS], ids=["alone", "together"])
@pytest.mark.parametrize("name", ["fixmatch", "self_training"])
@pytest.mark.parametrize("stop", [3, 10, 23])
def test_a_stopped_training_goes_on_to_the_same_ledger(problem, tmp_path, name, folds, stop):
    method = settled(name)
    whole = told(problem, method, Training(30, lr=3e-2, records=4), folds=folds)

    def tick(what, done, of):
        if done == stop + 2:
            raise StopError

    store = FolderStore(tmp_path)
    training = Training(30, lr=3e-2, records=4, checkpoint_every=0.0)
    with pytest.raises(StopError):
        told(problem, method, training, store, folds, tick)
    (unfinished,) = tmp_path.glob("*.unfinished")
    found = told(problem, method, replace(training, checkpoint_every=30.0), FolderStore(tmp_path), folds)
    assert same(found, whole)
    assert not unfinished.exists()
    again = told(problem, method, training, FolderStore(tmp_path), folds)  # from the finished parts
    assert same(again, whole)


@pytest.mark.parametrize("folds", [(), FOLDS], ids=["alone", "together"])
@pytest.mark.parametrize("name", ["fixmatch", "self_training", "meta_pseudo_labels"])
def test_a_training_that_was_stopped_behind_its_last_step_keeps_its_ledger(problem, tmp_path, monkeypatch, name, folds):
    """Its part was not written yet: the training goes on from its checkpoint, and has no step to do."""
    method, training = settled(name), Training(9, lr=3e-2, records=4, checkpoint_every=0.0)
    whole = told(problem, method, training, folds=folds)
    write = setup.write_tensors

    def stopped(path, *parts):
        if "candidate" in path.name:
            raise StopError
        write(path, *parts)

    monkeypatch.setattr(setup, "write_tensors", stopped)
    with pytest.raises(StopError):
        told(problem, method, training, FolderStore(tmp_path), folds)
    monkeypatch.undo()
    assert same(told(problem, method, training, FolderStore(tmp_path), folds), whole)


def test_a_checkpoint_holds_the_blocks_up_to_its_step_and_no_others(problem, tmp_path):
    """The checkpoint is of step 14, and the training was stopped long after it."""
    method, path = settled("fixmatch"), tmp_path / "a.unfinished"
    training = Training(32, lr=3e-2, records=8, checkpoint_every=0.0)
    kept: list[bytes] = []

    def tick(done):
        if done == 15:
            kept.append(path.read_bytes())
        if done == 29:
            raise StopError

    def trained(watch, **more):
        return train(method, TASK, network(0), problem.loader(seed=0), training, watch=watch, **more)

    with pytest.raises(StopError):
        trained(Recorder(lambda run: {}, problem.pool), path=path, tick=tick)
    path.write_bytes(kept[0])
    steps = [int(t[2]) for name, t in read_tensors(path)[0].items() if name.endswith(".about")]
    assert sorted(steps) == [4, 8, 12]
    again, alone = (Recorder(lambda run: {}, problem.pool) for _ in range(2))
    second, whole = trained(again, path=path), trained(alone)
    assert [(b.first, b.last) for b in again.blocks] == [(b.first, b.last) for b in alone.blocks]
    assert all(torch.equal(t, alone.tensors(whole)[n]) for n, t in again.tensors(second).items())


def test_trainings_that_are_done_together_keep_the_same_ledger_but_for_rounding(problem):
    method, training = settled("drift"), Training(30, lr=1e-2, records=4)
    alone, together = told(problem, method, training), told(problem, method, training, folds=FOLDS)
    assert alone.blocks[:, :4].tolist() == together.blocks[:, :4].tolist()
    first = slice(alone.blocks[0, 4])
    assert alone.blocks[0, 4] == together.blocks[0, 4]
    assert np.array_equal(alone.item[first], together.item[first])
    assert np.allclose(alone.probability[first], together.probability[first], atol=1e-4)


def test_of_a_large_pool_evenly_spaced_items_are_followed(problem, monkeypatch):
    monkeypatch.setattr(ledger.Followed.of, "__defaults__", (25,))
    found = told(problem, settled("label_spreading"), Training(40, records=4))
    assert (found.every, found.items, found.pool) == (3, 20, 60)
    assert set(found.item.tolist()) == set(range(0, 60, 3))


def test_words_of_spaced_sentences_are_followed():
    pool = WordFeatures(torch.zeros(12, 1), np.array([3, 1, 4, 2, 2]))
    found = Followed.of(pool, most=6)
    assert found.every == 2 and found.items.tolist() == [0, 2, 4]
    assert found.units.tolist() == [0, 1, 2, 4, 5, 6, 7, 10, 11]
    item, unit = found.places(np.array([0, 2, 3, 6, 7, 8]))
    assert item.tolist() == [0, 0, 2, 2, 4, 4] and unit.tolist() == [0, 2, 0, 3, 0, 1]


def test_items_of_a_part_of_the_pool_are_known_by_their_numbers_in_the_whole(problem):
    rows = np.arange(100, 160)[::-1].copy()
    found = told(replace(problem, pool_rows=rows), settled("label_spreading"), Training(40, records=4))
    assert set(found.item.tolist()) == set(rows.tolist())


def test_a_method_that_learns_no_pool_and_trainings_of_folds_keep_none(problem):
    with gathering() as found:
        setup = Setup(problem, Training(8))
        Contender("alone", settled("supervised"), setup).network()
        Contender("folds", settled("drift"), setup).held_out(FOLDS)
    assert not found


def test_nobody_gathers_and_nothing_is_kept(problem, tmp_path):
    Contender("candidate", settled("drift"), Setup(problem, Training(8), FolderStore(tmp_path))).network()
    (part,) = tmp_path.glob("*.safetensors")
    assert not [name for name in read_tensors(part)[0] if name.startswith("ledger.")]
