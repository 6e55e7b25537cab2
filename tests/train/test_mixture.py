"""Networks that answer together are kept as one, and a saved model answers as before."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import nn

import tutelage
from tutelage.modalities.head import Head
from tutelage.modalities.rows.reader import RowReader
from tutelage.model import Model, save
from tutelage.tasks import Classification
from tutelage.train.mixture import Mixture


def mixed() -> Mixture:
    torch.manual_seed(0)
    parts = [Head(4, 3), Head(4, 3, hidden=8)]
    return Mixture(parts, [0.3, 0.7], [1.5, 0.5], [torch.tensor([0.1, 0.0, -0.1]), torch.zeros(3)]).eval()


def test_the_probabilities_are_the_shared_mean():
    network, x = mixed(), torch.randn(5, 4)
    first, second = network.parts
    expected = 0.3 * (first(x) / 1.5 + torch.tensor([0.1, 0, -0.1])).softmax(-1) + 0.7 * (second(x) / 0.5).softmax(-1)
    assert torch.allclose(network(x).softmax(-1).float(), expected, atol=1e-6)


def test_a_saved_mixture_answers_as_before(tmp_path):
    model = Model(["a", "b", "c"], mixed(), RowReader(), Classification(3))
    x = np.random.default_rng(0).normal(size=(6, 4)).astype(np.float32)
    save(model, tmp_path)
    again = tutelage.load(tmp_path)
    assert again.probabilities(x) == pytest.approx(model.probabilities(x), abs=1e-12)
    with pytest.raises(ValueError, match="4"):
        again.probabilities(x[:, :3])


def test_a_share_of_nothing_is_silent():
    one, other = nn.Linear(2, 2), nn.Linear(2, 2)
    network = Mixture([one, other], [0.0, 1.0], [1.0, 1.0], [torch.zeros(2)] * 2)
    x = torch.randn(3, 2)
    assert torch.allclose(network(x).softmax(-1).float(), other(x).softmax(-1), atol=1e-6)
