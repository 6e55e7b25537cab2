import numpy as np
import torch

from tutelage.adapting.batches import UNITS_A_BATCH, ClassLoader
from tutelage.data import Features, Tokens, WordFeatures


def loader(y, batch=64, seed=0) -> ClassLoader:
    rows = torch.arange(len(y), dtype=torch.float32)[:, None]
    return ClassLoader(Features(rows), torch.as_tensor(y), Tokens([]), batch, 0, seed)


def test_few_labels_are_all_in_every_batch():
    y = np.repeat(np.arange(6), 8)
    made = loader(y)
    for step in range(3):
        batch = made.batch(step, 0.0)
        assert batch.labelled.index.tolist() == list(range(48))
        assert batch.target.tolist() == y.tolist()


def test_every_class_of_a_batch_has_pairs_where_there_are_150_classes():
    made = loader(np.tile(np.arange(150), 10))
    for step in range(40):
        counts = np.bincount(made.batch(step, 0.0).target.numpy())
        assert counts[counts > 0].min() >= 2
        assert 12 <= (counts > 0).sum() <= 16  # a class that ends one round of draws may begin the next
        assert 50 <= counts.sum() <= 64  # and so may an example of a class


def test_classes_and_their_examples_take_turns():
    y = np.tile(np.arange(50), 12)
    made, seen = loader(y), np.zeros(len(y), dtype=int)
    for step in range(150):  # 150 steps of 16 classes: each class 48 times, 4 examples each time
        seen[made.drawn(step)] += 1
    assert seen.max() == 16
    assert seen.min() >= 13  # an example that is drawn twice for one batch is in it once


def test_rare_classes_are_drawn_as_often_as_common_ones():
    y = np.array([0] * 2000 + [1] * 20)
    counts = sum(np.bincount(loader(y).batch(step, 0.0).target, minlength=2) for step in range(20))
    assert counts.tolist() == [20 * 32, 20 * 20]


def test_a_class_with_one_label_is_drawn_once_a_batch():
    y = np.array([0] * 50 + [1] * 50 + [2])
    assert np.bincount(loader(y).batch(0, 0.0).target).tolist() == [21, 21, 1]


def test_a_batch_is_a_function_of_the_seed_and_the_step():
    y = np.tile(np.arange(30), 20)
    one, other = loader(y), loader(y)
    ahead = [one.drawn(step) for step in range(30)]
    for step in (29, 3, 17):
        assert (other.drawn(step) == ahead[step]).all()
    assert not all(np.array_equal(loader(y, seed=1).drawn(step), ahead[step]) for step in range(3))


def test_words_of_entities_count_as_much_as_the_many_others():
    draws = np.random.default_rng(0)
    y = np.where(draws.random(40 * 30) < 0.1, draws.integers(1, 5, 40 * 30), 0)  # 40 sentences of 30 words
    y[:30] = -1  # a sentence without tags
    rows = WordFeatures(torch.arange(len(y), dtype=torch.float32)[:, None], np.full(40, 30))
    made = ClassLoader(rows, torch.as_tensor(y), Tokens([]), 64)
    batch = made.batch(0, 0.0)
    kept = np.bincount(batch.target[batch.target >= 0], minlength=5)
    there = np.bincount(y[y >= 0], minlength=5)
    assert kept[0] == -(-UNITS_A_BATCH // 5) < there[0]
    assert kept[1:].tolist() == there[1:].tolist()
    same = batch.target >= 0
    assert (batch.target[same] == torch.as_tensor(y)[batch.labelled.index][same]).all()
    assert not torch.equal(made.batch(1, 0.0).target, batch.target)
