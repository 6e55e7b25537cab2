from itertools import combinations

import numpy as np
import pytest
import torch

from tutelage.adapting.contrastive import Contrastive, pairs
from tutelage.game import Player
from tutelage.memory import Memory
from tutelage.tasks import Classification
from tutelage.types import Batch, Views


def by_enumeration(z: np.ndarray, y: np.ndarray) -> tuple[float, float]:
    """Losses of pairs of one class and of two, one pair after another."""
    alike, unlike = [], []
    for i, j in combinations(range(len(y)), 2):
        if y[i] < 0 or y[j] < 0:
            continue
        cos = z[i] @ z[j] / np.linalg.norm(z[i]) / np.linalg.norm(z[j])
        if y[i] == y[j]:
            alike.append((1 - cos) ** 2)
        else:
            unlike.append(cos**2)
    return float(np.mean(alike)), float(np.mean(unlike))


@pytest.mark.parametrize("seed", range(3))
def test_the_loss_is_the_mean_over_all_enumerated_pairs(seed):
    draws = np.random.default_rng(seed)
    z, y = draws.normal(size=(23, 5)), draws.integers(-1, 4, size=23)
    found = pairs(torch.as_tensor(z), torch.as_tensor(y))
    assert [float(f) for f in found] == pytest.approx(by_enumeration(z, y), abs=1e-6)


def test_the_loss_is_setfits_in_expectation():
    """Pairs of one class and of two are drawn equally often; the loss is the squared error of the cosine to 1 or 0."""
    draws = np.random.default_rng(0)
    z, y = draws.normal(size=(12, 4)), np.repeat([0, 1, 2], 4)
    unit = z / np.linalg.norm(z, axis=1, keepdims=True)
    i, j = np.triu_indices(12, 1)
    error = ((unit @ unit.T)[i, j] - (y[i] == y[j])) ** 2
    drawn = [draws.choice(error[(y[i] == y[j]) == same], 200_000).mean() for same in (True, False)]
    assert float(sum(pairs(torch.as_tensor(z), torch.as_tensor(y)))) / 2 == pytest.approx(np.mean(drawn), abs=5e-3)


def test_a_batch_without_pairs_costs_nothing_and_has_no_gradient():
    z = torch.randn(3, 4, requires_grad=True)
    for y in (torch.tensor([-1, -1, 2]), torch.tensor([-1, -1, -1])):
        loss = sum(pairs(z, y))
        assert loss.item() == 0
        assert not torch.autograd.grad(loss, z)[0].any()


def test_one_class_alone_has_no_pairs_of_two():
    assert float(pairs(torch.randn(4, 3), torch.zeros(4, dtype=torch.int64))[1]) == 0


def test_the_gradient_is_that_of_finite_differences():
    torch.manual_seed(0)
    network = torch.nn.Linear(4, 3).double()
    x, y = torch.randn(9, 4, dtype=torch.float64), torch.tensor([0, 0, 1, 1, 2, 2, 2, -1, 0])
    batch = Batch(Views({"weak": x}, torch.arange(9)), y, Views({}, torch.arange(0)))

    def loss() -> torch.Tensor:
        play = {"student": Player(network)}
        return Contrastive().loss("student", batch, play, Classification(3), Memory(0)).total

    (found,) = torch.autograd.grad(loss(), [network.weight])
    expected = torch.zeros_like(found)
    with torch.no_grad():
        for at in np.ndindex(*found.shape):
            value, sides = network.weight[at].clone(), []
            for step in (1e-6, -1e-6):
                network.weight[at] = value + step
                sides.append(float(loss()))
            network.weight[at] = value
            expected[at] = (sides[0] - sides[1]) / 2e-6
    assert torch.allclose(found, expected, atol=1e-7)
