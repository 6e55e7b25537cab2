"""Labels, weights and losses against numpy written from the paper, and against their known limits."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from tutelage.ops import thresholds
from tutelage.ops.labels import balanced, certainty, sharpen, soft_frequency
from tutelage.ops.losses import cross_entropy, kl


@pytest.fixture
def logits():
    return torch.randn(7, 4, dtype=torch.float64, generator=torch.Generator().manual_seed(0)) * 2


def probabilities(u) -> np.ndarray:
    e = np.exp(u.numpy() - u.numpy().max(1, keepdims=True))
    return e / e.sum(1, keepdims=True)


@pytest.mark.parametrize("temperature", [0.2, 0.5, 1.0])
def test_sharpen_raises_probabilities_to_a_power(logits, temperature):
    p = probabilities(logits) ** (1 / temperature)
    np.testing.assert_allclose(sharpen(logits, temperature).exp(), p / p.sum(1, keepdims=True), atol=1e-12)


def test_soft_frequency_divides_squares_by_class_mass(logits):
    p = probabilities(logits)
    y = p**2 / p.sum(0)
    np.testing.assert_allclose(soft_frequency(logits).exp(), y / y.sum(1, keepdims=True), atol=1e-12)


def test_entropy_falls_as_temperature_falls(logits):
    entropies = [-(y.exp() * y).sum(-1) for y in (sharpen(logits, t) for t in (1.0, 0.7, 0.4, 0.1))]
    assert all((a > b).all() for a, b in zip(entropies, entropies[1:], strict=False))


def test_certainty_is_one_minus_relative_entropy(logits):
    p = probabilities(logits)
    np.testing.assert_allclose(certainty(logits), 1 + (p * np.log(p)).sum(1) / np.log(4), atol=1e-12)


def test_certainty_gradient_in_closed_form(logits):
    """dw/du = p (log p + H) / log C."""
    u = logits.clone().requires_grad_()
    certainty(u).sum().backward()
    p = probabilities(logits)
    entropy = -(p * np.log(p)).sum(1, keepdims=True)
    np.testing.assert_allclose(u.grad, p * (np.log(p) + entropy) / np.log(4), atol=1e-12)


@pytest.mark.parametrize(("a", "size"), [(0.0, 0.0), (1.0, 0.2722), (3.0, 0.2754), (6.0, 0.0328)])
def test_certainty_gradient_acts_on_mid_confidence(a, size):
    u = torch.tensor([[a, 0.0, 0.0]], dtype=torch.float64, requires_grad=True)
    certainty(u).sum().backward()
    assert u.grad.norm().item() == pytest.approx(size, abs=1e-4)


@pytest.mark.parametrize("balance", [0.0, 0.2, 1.0])
def test_balanced_labels_divide_by_a_power_of_class_mass(logits, balance):
    p = probabilities(logits)
    y = p ** (1 / 0.7) / p.sum(0) ** balance
    np.testing.assert_allclose(balanced(logits, 0.7, balance).exp(), y / y.sum(1, keepdims=True), atol=1e-12)


@pytest.mark.parametrize("function", [certainty, lambda u: balanced(u, 0.7, 0.2), soft_frequency])
def test_shifting_logits_changes_nothing_and_permuting_classes_permutes(function, logits):
    torch.testing.assert_close(function(logits + 5), function(logits))
    turned = function(logits[:, [2, 0, 3, 1]])
    expected = function(logits)
    torch.testing.assert_close(turned, expected if expected.ndim == 1 else expected[:, [2, 0, 3, 1]])


def test_losses_against_numpy(logits):
    y, q = probabilities(logits), probabilities(logits.flip(0))
    np.testing.assert_allclose(cross_entropy(torch.tensor(y), logits.flip(0)), -(y * np.log(q)).sum(1), atol=1e-12)
    np.testing.assert_allclose(kl(torch.tensor(np.log(y)), logits.flip(0)), (y * np.log(y / q)).sum(1), atol=1e-12)


def test_gradients_stay_finite_where_probabilities_underflow():
    u = torch.tensor([[900.0, 0.0, -900.0]], requires_grad=True)
    z = torch.tensor([[-900.0, 0.0, 900.0]])
    (certainty(u) * kl(sharpen(u, 0.5), z) + kl(soft_frequency(u), z)).sum().backward()
    assert u.grad.isfinite().all()


@pytest.mark.parametrize("block", [7, 10**6])
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("ties", [False, True])
def test_the_surest_are_those_that_sorting_finds_block_by_block(monkeypatch, block, dtype, ties):
    monkeypatch.setattr(thresholds, "BLOCK", block)
    draws = torch.Generator().manual_seed(0)
    for n in (1, 5, 300):
        confidence, label = torch.rand(n, generator=draws, dtype=dtype), torch.randint(0, 4, (n,), generator=draws)
        confidence = (confidence * 4).round() / 4 if ties else confidence
        for share in (0.0, 0.2, 0.5, 0.99, 1.0):
            expected = torch.zeros_like(confidence)
            expected[confidence.argsort(descending=True, stable=True)[: round(share * n)]] = 1
            assert torch.equal(thresholds.top_of_all(confidence, share), expected)
            expected = torch.zeros_like(confidence)
            for c in label.unique():
                mine = (label == c).nonzero()[:, 0]
                count = max(round(share * len(mine)), int(share > 0))
                expected[mine[confidence[mine].argsort(descending=True, stable=True)[:count]]] = 1
            out = torch.full_like(confidence, 9)
            assert torch.equal(thresholds.top_of_each_class(confidence, label, share, out), expected)
            assert torch.equal(out, expected)
