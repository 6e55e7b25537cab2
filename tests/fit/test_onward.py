"""A model that a fit goes on from: how the new one answers, and what does not fit it."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest
import torch
from torch import nn

from tutelage.data import Features
from tutelage.fit.onward import Start, _answering_as, _shift
from tutelage.methods import MeanTeacher
from tutelage.modalities.head import Head
from tutelage.tasks import Classification
from tutelage.train.mixture import Mixture
from tutelage.train.run import Answering, equipped, kept


class Twice(MeanTeacher):
    """A method whose student answers by a second head that the method brings."""

    name = "twice"

    def brings(self, width, task):
        return nn.ModuleDict({"second": nn.Linear(width, task.classes)})

    def answer(self, logits, seen):
        return seen["second"]


def with_labels(*counts: int) -> SimpleNamespace:
    y = np.repeat(np.arange(len(counts)), counts)
    return SimpleNamespace(y=y, unit_weights=None, task=Classification(len(counts)))


def test_a_model_of_other_shares_of_labels_is_moved_to_the_same_shares_of_the_pool():
    """log pool / old labels + shift = log pool / new labels."""
    shift = _shift(with_labels(90, 10), np.array([0.5, 0.5]))
    assert torch.allclose(shift, torch.tensor([0.5 / 0.9, 0.5 / 0.1], dtype=shift.dtype).log())
    assert _shift(with_labels(3, 1), None) is None


def test_a_mixture_gets_new_parts_and_keeps_its_shares():
    old = Mixture([nn.Linear(2, 2), nn.Linear(2, 2)], [0.3, 0.7], [1.0, 2.0], [torch.zeros(2), torch.ones(2)])
    parts = [nn.Linear(2, 2), nn.Linear(2, 2)]
    made = _answering_as(old, parts, torch.tensor([0.0, 1.0]))
    assert list(made.parts) == parts
    assert made.shares.tolist() == old.shares.tolist()
    assert torch.equal(made.biases, old.biases + torch.tensor([0.0, 1.0]))
    x = torch.ones(1, 2)
    each = [part(x).div(t).add(b).double().softmax(-1) for part, t, b in zip(parts, (1, 2), made.biases, strict=True)]
    assert torch.allclose(made(x).exp(), (0.3 * each[0] + 0.7 * each[1]), atol=1e-6)


def test_of_a_mixture_of_one_the_last_part_is_taken():
    old = Mixture([nn.Linear(2, 2)], [1.0], [1.0], [torch.zeros(2)])
    alone, student = nn.Linear(2, 2), nn.Linear(2, 2)
    assert list(_answering_as(old, [alone, student], None).parts) == [student]
    assert _answering_as(nn.Linear(2, 2), [alone, student], None) is student
    assert Start(old, None).student is old.parts[0]
    assert Start(old, None).share is None


def test_another_methods_network_is_refused():
    task = Classification(2)
    plain, own = MeanTeacher().settled(task), Twice().settled(task)
    network = kept(own, equipped(own, Head(3, 2), task, seed=0))
    assert isinstance(network, Answering)
    Start(network, None).require_method(own)
    Start(Head(3, 2), None).require_method(plain)
    Start(Head(3, 2), None, returned="reference").require_method(own)
    with pytest.raises(ValueError, match="answers by modules of twice"):
        Start(network, None).require_method(plain)
    with pytest.raises(ValueError, match="twice answers by modules of its own"):
        Start(Head(3, 2), None).require_method(own)


def test_other_features_are_refused():
    problem = SimpleNamespace(labelled=Features(torch.zeros(2, 4)))
    with pytest.raises(ValueError, match="an item has 4 features, but the model before was fitted on 3"):
        Start(Head(3, 2), None).require_width(problem)
