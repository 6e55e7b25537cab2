"""Methods on images, whose units are the pixels or the images: their losses written again in numpy."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from scipy.special import log_softmax, softmax
from torch import nn

from tutelage.game import Player
from tutelage.memory import Memory
from tutelage.methods import CutmixMeanTeacher, FixMatch, MeanTeacher
from tutelage.ops.warp import mirror, translation
from tutelage.tasks import Classification, Segmentation
from tutelage.types import Batch, Views

C, B, H, W = 3, 6, 8, 10
RNG = np.random.default_rng(0)
X, X_S, X_L = (RNG.normal(size=(n, 3, H, W)) + 2 * RNG.normal(size=(n, 3, 1, 1)) for n in (B, B, 2))
Y = RNG.integers(-1, C, (2, H, W))
TASKS = {"pixels": Segmentation(C), "images": Classification(C)}
STUDENT, TEACHER = 1, 2


pytestmark = pytest.mark.usefixtures("double_precision")


class Net(nn.Module):
    """Two convolutions; for whole images the mean of what they give each pixel."""

    def __init__(self, seed: int, units: str) -> None:
        super().__init__()
        torch.manual_seed(seed)
        self.body, self.head = nn.Conv2d(3, 4, 3, padding=1), nn.Conv2d(4, C, 1)
        self.units, self.seen = units, []
        with torch.no_grad():
            self.head.weight.mul_(8)  # some predictions sure, some not

    def forward(self, x):
        self.seen.append(x.numpy())
        maps = self.head(torch.tanh(self.body(x)))
        return maps if self.units == "pixels" else maps.mean((2, 3))


def logits(net: Net, x: np.ndarray, shift: float = 0.0) -> np.ndarray:
    """Rows of the units; ``shift`` is added to the first bias of the head."""
    w = {n: p.detach().numpy() for n, p in net.named_parameters()}
    padded = np.pad(x, ((0, 0), (0, 0), (1, 1), (1, 1)))
    windows = np.lib.stride_tricks.sliding_window_view(padded, (3, 3), axis=(2, 3))
    hidden = np.tanh(np.einsum("bkhwij,okij->bhwo", windows, w["body.weight"]) + w["body.bias"])
    maps = hidden @ w["head.weight"][:, :, 0, 0].T + w["head.bias"] + shift * np.eye(C)[0]
    return maps.reshape(-1, C) if net.units == "pixels" else maps.mean((1, 2))


def seats_of(units: str) -> dict[str, Player]:
    return {"student": Player(Net(STUDENT, units)), "teacher": Player(Net(TEACHER, units))}


def batch_of(units: str, geometry: dict | None = None, progress: float = 1.0) -> Batch:
    n = B * H * W if units == "pixels" else B
    pool = Views({"weak": torch.tensor(X), "strong": torch.tensor(X_S)}, torch.arange(n), geometry or {})
    y = Y.ravel() if units == "pixels" else Y[:, 0, 0]
    return Batch(Views({"weak": torch.tensor(X_L)}, torch.arange(len(y))), torch.tensor(y), pool, progress)


def loss_of(method, units: str, **changes):
    """The loss, and what the student saw last: the pool."""
    seats = seats_of(units)
    found = method.loss("student", batch_of(units, **changes), seats, TASKS[units], Memory(B * H * W))
    seen = next(x for x in seats["student"].module.seen if len(x) == B)
    return found, seen


def boxes_in(seen: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Which pixels (b, h, w) show another image than ``X``, and which one; each is a box of half the area."""
    masks, partner = (seen != X).any(1), np.arange(B)
    for i in np.flatnonzero(masks.any((1, 2))):
        (partner[i],) = (j for j in range(B) if (seen[i] == np.where(masks[i], X[j], X[i])).all())
        rows, columns = masks[i].any(1), masks[i].any(0)
        assert (masks[i] == rows[:, None] & columns).all()
        assert all(np.ptp(np.flatnonzero(side)) + 1 == side.sum() for side in (rows, columns))
        assert abs(masks[i].mean() - 0.5) < 0.1  # sides are rounded to pixels
    assert sorted(partner) == list(range(B))
    assert masks.any()
    return masks, partner


def mixed(values: np.ndarray, masks: np.ndarray, partner: np.ndarray) -> np.ndarray:
    """Rows of units: of pixels the partner's in the box; of images as much of them as the box covers."""
    of_image = values.reshape(B, -1, *values.shape[1:])
    if len(values) == B:
        a = masks.mean((1, 2)).reshape(B, *[1] * (of_image.ndim - 1))
        return (of_image * (1 - a) + of_image[partner] * a).reshape(values.shape)
    box = masks.reshape(B, -1, *[1] * (of_image.ndim - 2))
    return np.where(box, of_image[partner], of_image).reshape(values.shape)


THRESHOLD = {"pixels": 0.8, "images": 0.75}


@pytest.mark.parametrize("threshold", [0.0, None])
@pytest.mark.parametrize("units", TASKS)
def test_cutmix_mean_teacher(units, threshold):
    threshold = THRESHOLD[units] if threshold is None else threshold
    found, seen = loss_of(CutmixMeanTeacher(threshold=threshold, weight=3.0, ramp=0.8), units, progress=0.4)
    masks, partner = boxes_in(seen)
    p = softmax(logits(Net(TEACHER, units), X), axis=1)
    distance = np.square(mixed(p, masks, partner) - softmax(logits(Net(STUDENT, units), seen), axis=1)).sum(1)
    share = (mixed(p.max(1), masks, partner) >= threshold).mean()
    assert 0 < share < 1 or threshold == 0
    assert found.terms["pool"].item() == pytest.approx(3 * np.exp(-5 * 0.5**2) * share * distance.mean())
    y = Y.ravel() if units == "pixels" else Y[:, 0, 0]
    q = log_softmax(logits(Net(STUDENT, units), X_L), axis=1)
    known = y >= 0
    assert found.terms["supervised"].item() == pytest.approx(-q[np.arange(len(y)), y][known].sum() / len(y))
    np.testing.assert_array_equal(found.seen["label"].numpy(), p.argmax(1))  # of the weak view, not of the collage
    np.testing.assert_allclose(found.seen["confidence"].detach().numpy(), p.max(1))
    np.testing.assert_allclose(found.seen["weight"].numpy(), share)


@pytest.mark.parametrize("units", TASKS)
def test_cutmix_teaches_the_student_alone_and_the_teacher_is_its_average(units):
    method, seats, batch = CutmixMeanTeacher(decay=0.9, threshold=0.0), seats_of(units), batch_of(units)
    before = {who: {n: p.detach().clone() for n, p in s.params.items()} for who, s in seats.items()}
    move = method.rule.move(lambda who, play: method.loss(who, batch, play, TASKS[units], Memory(1)), seats, 0)
    teacher = seats["teacher"].module
    for n, p in seats["teacher"].params.items():
        torch.testing.assert_close(p, 0.9 * before["teacher"][n] + 0.1 * before["student"][n])
    assert set(move.grads) == {"student"}
    assert move.direct is None
    seen = next(x for x in seats["student"].module.seen if len(x) == B)
    target = mixed(softmax(logits(teacher, X), axis=1), *boxes_in(seen))
    known = batch.target.numpy() >= 0

    def by_hand(shift):
        z = logits(seats["student"].module, seen, shift)
        q = log_softmax(logits(seats["student"].module, X_L, shift), axis=1)
        on_y = -(known * q[np.arange(len(q)), batch.target.numpy()]).mean()
        return on_y + np.square(target - softmax(z, axis=1)).sum(1).mean()

    slope = (by_hand(1e-5) - by_hand(-1e-5)) / 2e-5
    assert move.grads["student"]["head.bias"][0].item() == pytest.approx(slope, rel=1e-6)


@pytest.mark.parametrize("value", [0.0, 1.0])
@pytest.mark.parametrize("units", TASKS)
def test_a_box_of_nothing_or_of_everything_is_plain_mean_teacher(units, value, monkeypatch):
    boxes = "tutelage.methods.cutmix_mean_teacher.cutmix_boxes"
    monkeypatch.setattr(boxes, lambda b, h, w, share, draws: torch.full((b, 1, h, w), value))
    plain = MeanTeacher(temperature=1.0, consistency="mse", weights="none", ramp=0.0)
    expected = loss_of(plain, units)[0].terms["pool"].item()
    assert loss_of(CutmixMeanTeacher(threshold=0.0), units)[0].terms["pool"].item() == pytest.approx(expected)
    assert loss_of(CutmixMeanTeacher(threshold=1.0), units)[0].terms["pool"].item() == 0


def test_pixels_beyond_the_border_of_their_original_count_for_nothing():
    right = torch.tensor([0.0, 2.0, 0.0, 3.0, 0.0, 1.0])
    geometry = {"weak": translation(right, torch.zeros(B))}
    found, seen = loss_of(CutmixMeanTeacher(threshold=0.0), "pixels", geometry=geometry)
    inside = np.broadcast_to(np.arange(W) >= right.numpy()[:, None, None], (B, H, W)).ravel()
    p, (masks, partner) = softmax(logits(Net(TEACHER, "pixels"), X), axis=1), boxes_in(seen)
    distance = np.square(mixed(p, masks, partner) - softmax(logits(Net(STUDENT, "pixels"), seen), axis=1)).sum(1)
    assert found.terms["pool"].item() == pytest.approx((mixed(inside, masks, partner) * distance).mean())
    np.testing.assert_array_equal(found.seen["weight"].numpy(), inside)


def test_boxes_are_drawn_from_torchs_random_state():
    totals = []
    for seed in (0, 0, 1):
        seats = seats_of("pixels")
        torch.manual_seed(seed)
        found = CutmixMeanTeacher().loss("student", batch_of("pixels"), seats, TASKS["pixels"], Memory(1))
        totals.append(found.total.item())
    assert totals[0] == totals[1] != totals[2]


@pytest.mark.parametrize("named", [False, True])
def test_what_is_no_image_is_not_mixed(named):
    class Rows(nn.Linear):
        def forward(self, x):
            return super().forward(x)

    rows, none = torch.tensor(X.reshape(-1, 10)), Views({}, torch.arange(0))
    pool = Views({"weak": {"x": rows} if named else rows}, torch.arange(len(rows)))
    batch, seats = Batch(none, torch.arange(0), pool, 1.0), {w: Player(Rows(10, C)) for w in ("student", "teacher")}
    state = torch.get_rng_state()
    found = CutmixMeanTeacher(threshold=0.0).loss("student", batch, seats, Classification(C), Memory(1))
    plain = MeanTeacher(temperature=1.0, consistency="mse", weights="none", ramp=0.0)
    expected = plain.loss("student", batch, seats, Classification(C), Memory(1))
    assert found.total.item() == pytest.approx(expected.total.item())
    assert torch.equal(torch.get_rng_state(), state)


def test_maps_of_another_size_than_the_images_are_refused():
    seats = {w: Player(nn.Conv2d(3, C, 2, stride=2)) for w in ("student", "teacher")}
    with pytest.raises(ValueError, match="6 images of 8 by 10 have 480 pixels, but the network predicts 120"):
        CutmixMeanTeacher().loss("student", batch_of("pixels"), seats, TASKS["pixels"], Memory(1))


@pytest.mark.parametrize("threshold", [0.0, 0.6])
def test_fixmatch_carries_labels_of_pixels_from_the_weak_view_to_the_strong_one(threshold):
    flipped, down = np.array([0, 1, 1, 0, 1, 0]), np.array([0, 0, 2, -1, 1, 3])
    to_right = np.array([0, 0, 1, -2, 0, 4])
    zero = torch.zeros(B)
    weak = mirror(torch.tensor(flipped).to(zero), W) @ translation(zero, torch.tensor(down).to(zero))
    geometry = {"weak": weak, "strong": translation(torch.tensor(to_right).to(zero), zero)}
    found, _ = loss_of(FixMatch(threshold=threshold), "pixels", geometry=geometry)
    p = softmax(logits(Net(TEACHER, "pixels"), X), axis=1).reshape(B, H, W, C)
    q = log_softmax(logits(Net(STUDENT, "pixels"), X_S), axis=1).reshape(B, H, W, C)
    total, outside = 0.0, 0
    for b, y, x in np.ndindex(B, H, W):  # a pixel of the strong view; then where it was, and is in the weak view
        x_original = x - to_right[b]
        y_weak, x_weak = y + down[b], W - 1 - x_original if flipped[b] else x_original
        if 0 <= x_original < W and 0 <= y_weak < H:
            if p[b, y_weak, x_weak].max() >= threshold:
                total -= q[b, y, x, p[b, y_weak, x_weak].argmax()]
        else:
            outside += 1
    assert outside > 0
    assert found.terms["pool"].item() == pytest.approx(total / (B * H * W))
