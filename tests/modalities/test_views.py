"""A view is what its geometry shows of the original, and a function of the seed."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from scipy.ndimage import map_coordinates

from tutelage.modalities.images.views import OPS, RANGES, Strong, Weak, carry

GEOMETRIC = ("rotate", "shear_x", "shear_y", "translate_x", "translate_y")


@pytest.fixture
def images():
    return torch.rand(24, 3, 32, 24, generator=torch.Generator().manual_seed(0))


def points(geometry: torch.Tensor, h: int, w: int) -> np.ndarray:
    """Rows and columns of the original that the pixels of a view show, (2, h, w)."""
    y, x = np.mgrid[:h, :w]
    found = np.linalg.inv(geometry.double().numpy()) @ np.stack([x, y, np.ones_like(x)]).reshape(3, -1)
    return (found[:2] / found[2])[::-1].reshape(2, h, w)


def differences(images: torch.Tensor, view) -> np.ndarray:
    """Between a view and the original warped by its geometry, where the original reaches."""
    b, _, h, w = images.shape
    far = []
    for i in range(b):
        at = points(view.geometry[i], h, w)
        known = ((at >= 0) & (at <= np.array([h - 1, w - 1])[:, None, None])).all(0)
        assert known.mean() > 0.2
        expected = np.stack([map_coordinates(c, at, order=1, mode="nearest") for c in images[i].double().numpy()])
        far.append(np.abs(expected - view.images[i].numpy())[:, known].max())
    return np.array(far)


@pytest.mark.parametrize("flip", [True, False])
def test_a_weak_view_is_its_geometry_exactly(flip, images):
    view = Weak(flip=flip)(images, seed=1)
    assert differences(images, view).max() == 0
    flipped = view.geometry[:, 0, 0] < 0
    assert flipped.any() == flip
    assert not flipped.all()


def test_a_weak_view_is_a_window_of_the_image_padded_by_reflection(images):
    view = Weak(flip=False)(images, seed=2)
    padded = np.pad(images.numpy(), ((0, 0), (0, 0), (4, 4), (3, 3)), mode="reflect")
    shifts = view.geometry[:, :2, 2].int().tolist()
    for seen, image, (x, y) in zip(view.images.numpy(), padded, shifts, strict=True):
        np.testing.assert_array_equal(seen, image[:, 4 - y : 36 - y, 3 - x : 27 - x])
    assert {x for x, _ in shifts} <= set(range(-3, 4))
    assert len({y for _, y in shifts}) >= 5


@pytest.mark.parametrize("weak", [{"flip": False, "crop": 0.0}, {}])
@pytest.mark.parametrize("op", GEOMETRIC)
def test_each_operation_that_moves_pixels_is_in_the_geometry(op, weak, images):
    view = Strong(ops=(op,), count=1, cutout=0, **weak)(images, seed=3)
    assert differences(images, view).max() < 1e-4
    assert len(view.geometry.flatten(1).unique(dim=0)) > 6


def test_operations_that_move_pixels_are_composed(images):
    view = Strong(ops=GEOMETRIC, count=3, cutout=0)(images, seed=4)
    assert differences(images, view).max() < 1e-4


@pytest.mark.parametrize("op", GEOMETRIC)
def test_magnitudes_fill_the_ranges_of_the_paper(op):
    images = torch.zeros(400, 3, 50, 40)
    geometry = Strong(flip=False, crop=0, ops=(op,), count=1)(images, seed=0).geometry
    values = {
        "rotate": geometry[:, 1, 0].asin().rad2deg(),
        "shear_x": geometry[:, 0, 1],
        "shear_y": geometry[:, 1, 0],
        "translate_x": geometry[:, 0, 2] / 40,
        "translate_y": geometry[:, 1, 2] / 50,
    }[op]
    low, high = RANGES[op]
    assert low <= values.min() < 0.95 * low
    assert 0.95 * high < values.max() <= high
    assert values.mean().abs() < 0.1 * high


def test_where_the_padding_ends_a_view_is_grey(images):
    view = Strong(flip=False, ops=("translate_x",), count=1, cutout=0)(images, seed=5)
    for seen, x in zip(view.images, view.geometry[:, 0, 2].int().tolist(), strict=True):
        unseen = seen[..., : x - 3] if x > 3 else seen[..., 24 + x + 3 :] if x < -3 else seen[..., :0]
        assert (unseen == 0.5).all()
    assert view.geometry[:, 0, 2].abs().max() > 5


@pytest.mark.parametrize("op", [op for op in OPS if op not in GEOMETRIC])
def test_operations_on_colours_leave_the_geometry_alone(op, images):
    weak, strong = Weak()(images, seed=6), Strong(ops=(op,), count=1, cutout=0)(images, seed=6)
    assert torch.equal(strong.geometry, weak.geometry)
    assert torch.equal(strong.images, weak.images) == (op == "identity")
    assert 0 <= strong.images.min() <= strong.images.max() <= 1


def test_operations_are_drawn_evenly_and_may_be_drawn_twice():
    view = Strong(ops=("brightness", "identity"), cutout=0)(torch.ones(2000, 3, 1, 1), seed=0)
    left = view.images[:, 0, 0, 0].double()
    assert (left == 1).float().mean().item() == pytest.approx(1 / 4, abs=0.03)
    # one factor of (0.05, 0.95) half the time, two a quarter
    assert left.mean().item() == pytest.approx(1 / 4 + 0.5 / 2 + 0.25 / 4, abs=0.02)
    assert 0.05**2 <= left.min() < 0.05


def test_each_image_keeps_its_own_content_and_has_its_own_factor(images):
    images = images.clamp(min=0.1)
    view = Strong(flip=False, crop=0, ops=("brightness", "identity", "posterize"), count=1, cutout=0)(images, seed=0)
    ratio = (view.images / images).flatten(1)
    dimmed = ratio.std(1) < 1e-6
    assert 5 < dimmed.sum() < 24
    assert len(ratio[dimmed].mean(1).unique()) > 4
    assert (view.images - images)[~dimmed].abs().max() < 16 / 255


def test_bits_are_drawn_evenly():
    view = Strong(ops=("posterize",), count=1, cutout=0)(torch.ones(2000, 3, 1, 1), seed=0)
    tops, counts = view.images[:, 0].mul(255).round().unique(return_counts=True)
    assert tops.tolist() == [240, 248, 252, 254, 255]
    assert counts.min() > 340


@pytest.mark.parametrize("op", ["brightness", "solarize"])
def test_factors_fill_the_ranges_of_the_paper(op):
    """The white end of a ramp shows the factor, what is left of it the threshold."""
    ramp = torch.linspace(0, 1, 256).expand(1000, 3, 1, 256)
    view = Strong(flip=False, crop=0, ops=(op,), count=1, cutout=0)(ramp, seed=0).images[:, 0, 0]
    values = view[:, -1] if op == "brightness" else (view == ramp[0, 0]).float().mean(1)
    low, high = RANGES[op]
    assert low - 0.01 <= values.min() < low + 0.01
    assert high - 0.01 < values.max() <= high + 0.01


def test_operations_are_applied_one_after_the_other():
    """Pixels 0 and 1/2: brightness before autocontrast leaves 0 and 1, after it something less than 1."""
    images = torch.tensor([0.0, 0.5]).expand(400, 3, 1, 2)
    view = Strong(flip=False, crop=0, ops=("brightness", "autocontrast"), cutout=0)(images, seed=0)
    top = view.images[:, 0, 0, 1]
    assert (top == 1).float().mean().item() == pytest.approx(1 / 2, abs=0.06)  # the last is autocontrast
    after = (top > 0.5) & (top < 1)  # too bright for brightness alone
    assert after.float().mean().item() == pytest.approx(1 / 8, abs=0.05)


def test_the_square_is_grey_whole_and_up_to_half_the_side(images):
    images = torch.zeros(600, 3, 32, 24)
    view = Strong(ops=("identity",))(images, seed=7)
    hidden = view.images[:, 0] == 0.5
    assert torch.equal(view.images, 0.5 * hidden[:, None].expand_as(images).float())
    heights, widths = hidden.any(2).sum(1), hidden.any(1).sum(1)
    assert torch.equal(heights * widths, hidden.sum((1, 2)))
    assert 11 <= heights.max() <= 13  # half of 24; rounding of both ends may give one more
    assert 11 <= widths.max() <= 13
    assert (heights == 0).any()
    assert hidden.any(0).all()  # everywhere
    assert torch.equal(view.geometry, Weak()(images, seed=7).geometry)


@pytest.mark.parametrize("view", [Weak(), Strong()])
def test_a_view_is_a_function_of_the_seed_and_leaves_the_rest_alone(view, images):
    before, state = images.clone(), torch.get_rng_state()
    first, again, other = view(images, seed=8), view(images, seed=8), view(images, seed=9)
    assert torch.equal(first.images, again.images)
    assert torch.equal(first.geometry, again.geometry)
    assert not torch.equal(first.geometry, other.geometry)
    assert torch.equal(images, before)
    assert torch.equal(torch.get_rng_state(), state)


@pytest.mark.parametrize("view", [Weak(), Strong()])
def test_equal_images_of_a_batch_are_seen_differently(view, images):
    seen = view(images[:1].expand(24, 3, 32, 24), seed=10).images
    assert len(seen.flatten(1).unique(dim=0)) > 20


@pytest.mark.parametrize("view", [Weak(), Strong()])
def test_working_on_some_images_at_a_time_changes_nothing(view, images, monkeypatch):
    whole = view(images, seed=11)
    monkeypatch.setattr("tutelage.modalities.images.views.BLOCK", 1)
    one_by_one = view(images, seed=11)
    assert torch.equal(whole.images, one_by_one.images)


@pytest.mark.parametrize("shape", [(0, 3, 8, 8), (2, 3, 1, 1), (3, 3, 2, 5), (1, 3, 3, 40)])
def test_no_and_small_images_have_views(shape):
    for view in (Weak(crop=0.5), Strong(crop=0.5, count=5), Strong(count=0)):
        seen = view(torch.rand(shape), seed=0)
        assert seen.images.shape == shape
        assert seen.geometry.shape == (shape[0], 3, 3)
        assert seen.images.isfinite().all()


def test_what_is_seen_in_a_weak_view_is_found_in_a_strong_one(images):
    """Carried by the geometries, the pixels of the one are those of the other."""
    y, x = torch.meshgrid(torch.arange(32) / 32, torch.arange(24) / 24, indexing="ij")
    smooth = torch.stack([(3 * x + y).sin(), (x * y).cos(), x - y])[None].expand(24, 3, 32, 24) / 4 + 0.5
    weak, strong = Weak()(smooth, seed=12), Strong(ops=GEOMETRIC, cutout=0)(smooth, seed=13)
    carried, inside = carry(weak.images, weak.geometry, strong.geometry, "bilinear")
    inner = carry(torch.ones(24, 1, 32, 24), torch.eye(3).expand(24, 3, 3), strong.geometry, "nearest")[0][:, 0]
    sure = inside * inner
    assert sure.mean() > 0.5
    assert ((carried - strong.images).abs() * sure[:, None]).max() < 0.05
    assert ((carried - strong.images).abs().mean(1) * sure).sum() / sure.sum() < 1e-3


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: Weak(crop=0.6), r"crop must be in \[0, 0.5\], got 0.6"),
        (lambda: Strong(crop=-0.1), r"crop must be in \[0, 0.5\], got -0.1"),
        (lambda: Strong(count=-1), "count must be at least 0, got -1"),
        (lambda: Strong(cutout=1.2), r"cutout must be in \[0, 1\], got 1.2"),
        (lambda: Strong(ops=()), "number of ops must be at least 1, got 0"),
        (lambda: Strong(ops=("rotate", "invert")), "op must be one of autocontrast, .* got 'invert'"),
        (
            lambda: Weak()(torch.zeros(1, 1, 4, 4), 0),
            r"images must be float32 of shape \(b, 3, h, w\), got torch.float32",
        ),
        (lambda: Strong()(torch.zeros(3, 4, 4), 0), r"got torch.float32 \(3, 4, 4\)"),
        (lambda: Weak()(torch.zeros(1, 3, 4, 4, dtype=torch.uint8), 0), r"got torch.uint8 \(1, 3, 4, 4\)"),
    ],
)
def test_fields_and_images_are_checked(make, message):
    with pytest.raises(ValueError, match=message):
        make()
