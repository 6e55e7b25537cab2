"""Mixed examples against numpy written from the papers."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from scipy.stats import beta, kstest

from tutelage.ops.losses import cross_entropy
from tutelage.ops.mix import cutmix, cutmix_boxes, mix_shares, mix_weights, mixup


@pytest.fixture
def drawn():
    """Six examples of three classes: rows, targets, weights (two of them 0), shares, a permutation."""
    rng = np.random.default_rng(0)
    target = rng.dirichlet(np.ones(3), 6)
    weight = np.array([1.0, 0.3, 0.0, 2.0, 0.7, 0.0])
    return rng.normal(size=(6, 2, 4)), target, weight, rng.uniform(0.5, 1, 6), np.array([3, 0, 5, 1, 4, 2])


def test_mixup_of_any_shape_is_the_weighted_sum(drawn):
    x, target, weight, lam, perm = drawn
    for a in (x, target, weight):
        expected = np.stack([lam[i] * a[i] + (1 - lam[i]) * a[perm[i]] for i in range(6)])
        got = mixup(torch.tensor(a), torch.tensor(lam), torch.tensor(perm))
        np.testing.assert_allclose(got, expected, atol=1e-12)


def test_mixed_weights_and_labels_give_the_mix_of_the_weighted_losses(drawn):
    _, target, weight, lam, perm = drawn
    y, w = mix_weights(torch.tensor(target), *map(torch.tensor, (weight, lam, perm)))
    np.testing.assert_allclose(w, lam * weight + (1 - lam) * weight[perm], atol=1e-12)
    np.testing.assert_allclose(y.sum(1), 1, atol=1e-12)
    logits = torch.randn(6, 3, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    losses = [(cross_entropy(torch.tensor(t), logits)).numpy() for t in (target, target[perm])]
    expected = lam * weight * losses[0] + (1 - lam) * weight[perm] * losses[1]
    np.testing.assert_allclose(w * cross_entropy(y, logits), expected, atol=1e-12)


def test_equal_weights_mix_labels_as_inputs_are_mixed_and_no_weight_gives_no_nan(drawn):
    _, target, _, lam, perm = drawn
    y, lam, perm = torch.tensor(target), torch.tensor(lam), torch.tensor(perm)
    for weight in (1.0, 0.0):
        got, w = mix_weights(y, torch.full((6,), weight, dtype=torch.float64), lam, perm)
        torch.testing.assert_close(got, mixup(y, lam, perm))
        torch.testing.assert_close(w, torch.full((6,), weight, dtype=torch.float64))


@pytest.mark.parametrize("alpha", [0.5, 0.75, 1.0, 4.0])
def test_shares_are_of_the_folded_beta(alpha):
    lam = [mix_shares(4000, alpha, np.random.default_rng(seed)).double().numpy() for seed in range(5)]
    assert 0.5 <= np.min(lam) < 0.51
    folded = lambda v: beta.cdf(v, alpha, alpha) - beta.cdf(1 - v, alpha, alpha)  # noqa: E731
    assert np.median([kstest(sample, folded).pvalue for sample in lam]) > 0.05


def boxes_by_hand(b, h, w, share, generator):
    """The paper's sampling, image by image, from the same draws."""
    u = generator.random(b)
    sizes = [(int(np.rint(h * share**v)), int(np.rint(w * share ** (1 - v)))) for v in u]
    corners = generator.integers(0, [(h - height + 1, w - width + 1) for height, width in sizes])
    masks = np.zeros((b, 1, h, w), dtype=np.float32)
    for mask, (height, width), (top, left) in zip(masks, sizes, corners, strict=True):
        mask[0, top : top + height, left : left + width] = 1
    return masks


@pytest.mark.parametrize("share", [0.1, 0.25, 0.5, 1.0])
def test_boxes_are_those_drawn_by_hand(share):
    got = cutmix_boxes(50, 20, 33, share, np.random.default_rng(1))
    np.testing.assert_array_equal(got, boxes_by_hand(50, 20, 33, share, np.random.default_rng(1)))


def test_boxes_have_the_share_of_the_area_in_every_form_and_place():
    masks = cutmix_boxes(400, 60, 80, 0.5, np.random.default_rng(2))[:, 0]
    assert (masks.mean((1, 2)) - 0.5).abs().max() < 0.02
    heights, widths = masks.amax(2).sum(1), masks.amax(1).sum(1)
    assert torch.equal(heights * widths, masks.sum((1, 2)))  # boxes, whole
    assert heights.min() <= 32
    assert heights.max() >= 59
    assert widths.min() <= 42
    assert masks.mean(0).min() > 0
    assert cutmix_boxes(3, 6, 8, 0.0, np.random.default_rng(0)).sum() == 0


def test_cutmix_takes_the_other_in_the_box_of_images_targets_and_weights():
    rng = np.random.default_rng(3)
    mask = cutmix_boxes(4, 6, 8, 0.3, rng)
    perm, inside = torch.tensor([2, 3, 1, 0]), mask.numpy()[:, 0] > 0
    images, classes, weights = rng.normal(size=(4, 3, 6, 8)), rng.integers(-1, 5, (4, 6, 8)), rng.random((4, 6, 8))
    for x in (images, classes, weights):
        expected = x.copy()
        for i, row, column in np.argwhere(inside):
            expected[i, ..., row, column] = x[perm[i], ..., row, column]
        got = cutmix(torch.tensor(x), torch.tensor(x)[perm], mask)
        np.testing.assert_array_equal(got, expected)
        assert got.dtype == torch.tensor(x).dtype


def test_draws_are_the_generators():
    for draw in (lambda g: mix_shares(5, 0.5, g), lambda g: cutmix_boxes(5, 9, 9, 0.3, g)):
        same = [draw(np.random.default_rng(seed)) for seed in (0, 0, 1)]
        assert torch.equal(same[0], same[1])
        assert not torch.equal(same[0], same[2])


def test_ranges_are_checked():
    with pytest.raises(ValueError, match=r"alpha must be above 0, got 0\.0"):
        mix_shares(2, 0.0, np.random.default_rng(0))
    with pytest.raises(ValueError, match=r"share must be in \[0, 1\], got 1.5"):
        cutmix_boxes(2, 4, 4, 1.5, np.random.default_rng(0))
