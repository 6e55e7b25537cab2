"""The colours are Pillow's, to a level of 255 or two."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from PIL import Image, ImageEnhance, ImageOps

from tutelage.ops import photometric

FACTORS = (0.05, 0.5, 0.9)


@pytest.fixture(scope="module")
def pictures() -> np.ndarray:
    """Three smooth pictures of few and many levels, bytes."""
    rng = np.random.default_rng(0)
    small = rng.integers(0, 256, (3, 5, 6, 3), dtype=np.uint8)
    spread = np.array([[1.0], [0.5], [0.2]])[:, None, None]
    large = [np.asarray(Image.fromarray(s).resize((40, 30), Image.Resampling.BICUBIC)) for s in small]
    return (40 * (spread < 1) + np.stack(large) * spread).astype(np.uint8)


def ours(name: str, pictures: np.ndarray, *factor: torch.Tensor) -> np.ndarray:
    images = torch.from_numpy(pictures).permute(0, 3, 1, 2) / 255
    before = images.clone()
    changed = getattr(photometric, name)(images, *factor)
    assert torch.equal(images, before)
    assert changed.dtype == torch.float32
    assert 0 <= changed.min() <= changed.max() <= 1
    return changed.permute(0, 2, 3, 1).numpy() * 255


def pillow(change, pictures: np.ndarray, *factors: float) -> np.ndarray:
    return np.stack([np.asarray(change(Image.fromarray(p), f)) for p, f in zip(pictures, factors, strict=True)])


@pytest.mark.parametrize("name", ["Brightness", "Color", "Contrast", "Sharpness"])
def test_enhancements_are_pillows_each_image_by_its_own_factor(name, pictures):
    expected = pillow(lambda i, f: getattr(ImageEnhance, name)(i).enhance(f), pictures, *FACTORS)
    np.testing.assert_allclose(ours(name.lower(), pictures, torch.tensor(FACTORS)), expected, atol=2)


def test_posterize_and_solarize_are_pillows(pictures):
    bits, thresholds = (4, 6, 8), (30, 128, 255)
    expected = pillow(ImageOps.posterize, pictures, *bits)
    np.testing.assert_allclose(ours("posterize", pictures, torch.tensor([4.0, 6.99, 8.5])), expected, atol=1e-3)
    expected = pillow(ImageOps.solarize, pictures, *thresholds)
    levels = torch.tensor(thresholds) / 255
    np.testing.assert_allclose(ours("solarize", pictures, levels), expected, atol=1e-3)


@pytest.mark.parametrize(("name", "tolerance"), [("autocontrast", 1.01), ("equalize", 1e-3)])
def test_stretching_and_equalizing_are_pillows(name, tolerance, pictures):
    expected = np.stack([np.asarray(getattr(ImageOps, name)(Image.fromarray(p))) for p in pictures])
    assert np.abs(expected.astype(float) - pictures).max() > 20
    np.testing.assert_allclose(ours(name, pictures), expected, atol=tolerance)


@pytest.mark.parametrize("name", ["autocontrast", "equalize"])
def test_images_of_one_value_stay(name):
    flat = np.full((1, 30, 40, 3), 77, dtype=np.uint8)
    np.testing.assert_allclose(ours(name, flat), flat, atol=1e-3)


def test_small_images_that_pillow_equalizes_by_a_step_of_one_stay_in_range():
    few = np.arange(0, 255, 5, dtype=np.uint8)[None, None, :, None].repeat(10, 2).repeat(3, 3)
    expected = np.asarray(ImageOps.equalize(Image.fromarray(few[0])))
    np.testing.assert_allclose(ours("equalize", few)[0], expected, atol=1e-3)


@pytest.mark.parametrize("size", [(1, 1), (2, 5), (3, 1)])
def test_images_without_a_middle_are_not_smoothed(size):
    images = torch.rand(2, 3, *size, generator=torch.Generator().manual_seed(0))
    assert torch.equal(photometric.sharpness(images, torch.zeros(2)), images)
