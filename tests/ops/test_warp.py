"""Values follow the geometry: exactly for flips and whole shifts, as scipy interpolates for others."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from scipy.ndimage import map_coordinates

from tutelage.ops.warp import affine, carry, mirror, rotation, shear, translation, warp

STILL = torch.eye(3)[None]


def one(value: float) -> torch.Tensor:
    return torch.tensor([float(value)])


@pytest.fixture
def values():
    return torch.rand(1, 2, 5, 7, generator=torch.Generator().manual_seed(0))


def bend(count: int, h: int, w: int, seed: int = 1) -> torch.Tensor:
    """Random shears and turns about the middle."""
    g = torch.Generator().manual_seed(seed)
    turn, x, y = ((2 * torch.rand(count, generator=g) - 1) * most for most in (25, 0.2, 0.2))
    return rotation(turn, h, w) @ shear(x, 0 * x) @ shear(0 * y, y)


@pytest.mark.parametrize("mode", ["nearest", "bilinear"])
def test_a_flip_by_hand_is_exact(mode, values):
    moved, inside = carry(values, STILL, mirror(one(1.0), 7), mode)
    torch.testing.assert_close(moved, values.flip(-1), rtol=0, atol=0 if mode == "nearest" else 1e-6)
    assert inside.eq(1).all()


@pytest.mark.parametrize("mode", ["nearest", "bilinear"])
@pytest.mark.parametrize(("x", "y"), [(2, 0), (0, -1), (-3, 2), (7, 0)])
def test_a_whole_shift_by_hand_is_exact_and_what_was_not_seen_is_0(x, y, mode, values):
    moved, inside = carry(values, STILL, translation(one(x), one(y)), mode)
    expected, seen = torch.zeros_like(values), torch.zeros(1, 5, 7)
    for row in range(5):
        for column in range(7):
            if 0 <= row - y < 5 and 0 <= column - x < 7:
                expected[..., row, column] = values[..., row - y, column - x]
                seen[:, row, column] = 1
    torch.testing.assert_close(moved, expected, rtol=0, atol=0 if mode == "nearest" else 1e-6)
    assert torch.equal(inside, seen)


def test_what_left_the_source_is_not_seen_though_the_other_view_has_it(values):
    moved, inside = carry(values, translation(one(2.0), one(0.0)), STILL, "nearest")
    assert torch.equal(moved[..., :5], values[..., 2:])
    assert inside[0, 0].tolist() == [1, 1, 1, 1, 1, 0, 0]


def test_what_lies_beyond_the_original_is_not_seen_though_both_views_cover_it(values):
    """A view moved right by 2 shows reflections in its first two columns."""
    moved, inside = carry(values, *[translation(one(2.0), one(0.0))] * 2, "nearest")
    assert inside[0, 0].tolist() == [0, 0, 1, 1, 1, 1, 1]
    assert torch.equal(moved[..., 2:], values[..., 2:])


@pytest.mark.parametrize("dtype", [torch.int64, torch.bool, torch.float64, torch.float16])
def test_nearest_takes_values_of_any_dtype_as_they_are(dtype):
    labels = torch.tensor([[[[-1, 0, 5]]]]).to(dtype)
    moved, _ = carry(labels, STILL, mirror(one(1.0), 3), "nearest")
    assert torch.equal(moved, labels.flip(-1))


def test_there_and_back_again():
    h, w = 40, 50
    y, x = torch.meshgrid(torch.arange(h) / h, torch.arange(w) / w, indexing="ij")
    smooth = torch.stack([(5 * x + 2 * y).sin(), (3 * x * y).cos()])[None].expand(4, 2, h, w)
    there = bend(4, h, w) @ translation(torch.tensor([0.3, 4.0, -2.5, 0.0]), torch.tensor([1.0, 0.7, 0.0, -3.2]))
    still = STILL.expand(4, 3, 3)
    moved, seen = carry(smooth, still, there, "bilinear")
    back, inside = carry(moved, there, still, "bilinear")
    seen[:, [0, -1]] = seen[:, :, [0, -1]] = 0  # beyond the outermost middles nothing is mixed
    whole = carry(seen[:, None], there, still, "bilinear")[0][:, 0] > 1 - 1e-6  # from four pixels that were seen
    sure = (inside * whole)[:, None, 3:-3, 3:-3].expand(4, 2, h - 6, w - 6) > 0
    assert sure.float().mean() > 0.5
    assert (back - smooth)[..., 3:-3, 3:-3][sure].abs().max() < 5e-3


def test_two_views_are_joined_through_the_original():
    """From one view to another is as from the original to the other, where both are seen."""
    h, w = 20, 24
    rows = torch.arange(h * w, dtype=torch.int64).view(1, 1, h, w)
    first = mirror(one(1.0), w) @ translation(one(3.0), one(-2.0))
    second = translation(one(-1.0), one(5.0))
    in_first, _ = carry(rows, STILL, first, "nearest")
    in_second, _ = carry(rows, STILL, second, "nearest")
    moved, inside = carry(in_first, first, second, "nearest")
    assert inside.sum() == (h - 7) * (w - 4)
    assert torch.equal(moved[0, 0][inside[0] > 0], in_second[0, 0][inside[0] > 0])


def test_bilinear_values_have_gradients(values):
    v = values.double().requires_grad_()
    there = translation(one(1.5), one(0.0))
    moved, inside = carry(v, STILL, there, "bilinear")
    moved.sum().backward()  # the first value, half a pixel inside, is the border's
    assert v.grad is not None
    weight = torch.tensor([1.5, 1, 1, 1, 1, 0.5, 0]).double()
    torch.testing.assert_close(v.grad, weight.expand_as(v), atol=1e-5, rtol=0)
    assert inside.sum() == 5 * 6


def test_warp_is_scipys_linear_interpolation_at_the_points_that_the_inverse_gives():
    images = torch.rand(3, 2, 12, 17, generator=torch.Generator().manual_seed(2))
    perspective = torch.tensor([[1.0, 0, 0], [0, 1, 0], [0.002, 0.003, 1]])
    geometry = perspective @ bend(3, 12, 17) @ translation(torch.full((3,), 1.3), torch.full((3,), -0.4))
    seen = warp(images, geometry, (10, 20), fill=0.5)
    y, x = np.mgrid[:10, :20]
    for image, matrix, got in zip(images.numpy(), geometry.double(), seen, strict=True):
        points = np.linalg.inv(matrix.numpy()) @ np.stack([x, y, np.ones_like(x)]).reshape(3, -1)
        at = points[1::-1] / points[2]
        for channel, found in zip(image, got, strict=True):
            expected = map_coordinates(np.pad(channel, 1, constant_values=0.5), at + 1, order=1, cval=0.5)
            np.testing.assert_allclose(found.numpy().ravel(), expected, atol=1e-4)


def test_geometries_move_points_as_they_say():
    corner = torch.tensor([-0.5, -0.5, 1.0])
    torch.testing.assert_close((shear(one(0.3), one(0.0)) @ corner)[0], corner)
    torch.testing.assert_close((shear(one(0.0), one(0.3)) @ corner)[0], corner)
    middle = torch.tensor([3.0, 2.0, 1.0])
    torch.testing.assert_close((rotation(one(30.0), 5, 7) @ middle)[0], middle)
    torch.testing.assert_close(mirror(one(1.0), 7) @ mirror(one(1.0), 7), STILL)
    assert torch.equal(affine(torch.eye(2)[None], torch.zeros(1, 2)), STILL)
    for same in (rotation(one(0.0), 5, 8), shear(one(0.0), one(0.0)), mirror(one(0.0), 7)):
        assert torch.equal(same, STILL)


def test_another_mode_is_refused(values):
    with pytest.raises(ValueError, match="mode must be one of nearest, bilinear, got 'bicubic'"):
        carry(values, STILL, STILL, "bicubic")
