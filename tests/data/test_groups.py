"""Copies of an item share its vote, and a loader draws items, not copies."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from tutelage.data import Features, Groups, Loader


def test_weights_of_an_item_sum_to_one_whatever_its_copies():
    found = Groups.of(np.array([5, 2, 5, 9, 2, 5]), times=np.array([1, 3, 2, 1, 1, 1]))
    assert found.item.tolist() == [0, 1, 0, 2, 1, 0] and found.items == 3
    assert np.bincount(found.item, found.weight).tolist() == pytest.approx([1, 1, 1])
    assert found.weight.tolist() == [0.25, 0.75, 0.5, 1.0, 0.25, 0.25]


def test_the_mean_of_an_item_is_that_of_its_rows_as_often_as_they_occurred():
    item, times = np.array([0, 1, 0]), np.array([3, 1, 1])
    values = np.array([1.0, 0.5, 0.0])
    expected = [np.repeat(values, times)[np.repeat(item, times) == k].mean() for k in range(2)]
    assert Groups.of(item, times).mean(values).tolist() == pytest.approx(expected)


def test_the_first_example_of_an_item_has_the_class_of_most_of_its_weight():
    found = Groups.of(np.array([0, 0, 0, 1, 1]), times=np.array([1, 1, 1, 1, 1]))
    assert found.first(np.array([1, 0, 0, 1, 0])).tolist() == [1, 3]  # of equal shares the first
    assert found.first().tolist() == [0, 3]


def test_clusters_of_a_class_are_counted_once():
    found = Groups.of(np.arange(5), cluster=np.array([0, 0, 1, 1, 2]))
    assert found.clusters_of(np.array([0, 0, 0, 1, 1]), 3).tolist() == [2, 2, 0]


def test_a_subset_keeps_what_belongs_together():
    found = Groups.of(np.array([3, 1, 3, 2]), cluster=np.array([7, 8, 7, 8])).subset(np.array([0, 2, 3]))
    assert found.item.tolist() == [0, 0, 1] and found.cluster.tolist() == [0, 1]


def test_an_example_is_drawn_as_often_as_it_weighs():
    found = Groups.of(np.array([0, 0, 1]), times=np.array([3, 1, 1]))
    drawn = np.concatenate([found.drawn(np.array([1, 0]), 0, step, 3) for step in range(2000)])
    share = np.bincount(drawn, minlength=3) / 2000
    assert share[2] == 1.0 and share[0] == pytest.approx(0.75, abs=0.03)


def test_a_batch_holds_an_item_once_and_is_that_of_the_items_alone():
    rows, y = torch.arange(6.0)[:, None], torch.tensor([0, 0, 1, 1, 0, 1])
    groups = Groups.of(np.array([0, 1, 2, 3, 0, 2]))
    few = Loader(Features(rows[:4]), y[:4], Features(rows[:0]), 4, 0, seed=3)
    loader = Loader(Features(rows), y, Features(rows[:0]), 4, 0, seed=3, groups=groups)
    for step in range(20):
        batch, alone = loader.batch(step, 0.0), few.batch(step, 0.0)
        index = batch.labelled.index.numpy()
        assert groups.item[index].tolist() == alone.labelled.index.tolist()
        assert batch.target.tolist() == y[index].tolist()


def test_without_copies_batches_are_those_without_groups():
    rows, y = torch.arange(6.0)[:, None], torch.tensor([0, 1] * 3)
    plain, grouped = (
        Loader(Features(rows), y, Features(rows), 4, 4, groups=groups) for groups in (None, Groups.of(np.arange(6)))
    )
    for step in range(5):
        assert plain.batch(step, 0.0).labelled.index.tolist() == grouped.batch(step, 0.0).labelled.index.tolist()


def test_a_reserve_holds_no_copy_of_what_is_learnt():
    rows, y = torch.arange(8.0)[:, None], torch.tensor([0, 0, 1, 1, 0, 0, 1, 1])
    groups = Groups.of(np.array([0, 1, 2, 3] * 2))
    loader = Loader(Features(rows), y, Features(rows[:0]), 8, 0, groups=groups).reserving(0.5)
    learnt, reserved = set(), set()
    for step in range(30):
        batch = loader.batch(step, 0.0)
        learnt |= set(groups.item[batch.labelled.index.numpy()].tolist())
        reserved |= set(groups.item[batch.reserved.index.numpy()].tolist())
    assert learnt and reserved and not learnt & reserved


def test_a_teacher_that_reads_all_labels_reads_one_of_each_item():
    rows, y = torch.arange(4.0)[:, None], torch.tensor([0, 1, 0, 1])
    examples, target = Loader(
        Features(rows), y, Features(rows[:0]), groups=Groups.of(np.array([0, 1, 0, 2]))
    ).one_each()
    assert examples.rows.ravel().tolist() == [0, 1, 3] and target.tolist() == [0, 1, 1]
