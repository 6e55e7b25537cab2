"""Weak and strong views of batches of images, with homographies from the originals.

The operations are batched tensor functions on the images' own device, each image with its own draws. kornia was not
taken: its RandAugment draws one list of operations, and one magnitude, for a whole batch, and its single operations
took longer than those here.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

import torch
from torch import Tensor

from tutelage.ops.checks import in_range, one_of
from tutelage.ops.photometric import autocontrast, brightness, color, contrast, equalize, posterize, sharpness, solarize
from tutelage.ops.warp import carry, mirror, rotation, shear, translation, warp
from tutelage.types import View

__all__ = ["OPS", "Strong", "View", "Weak", "carry"]

GREY = 0.5
"""Value of pixels outside the image, and of the grey square."""
BLOCK = 2**16
"""Number of pixels of a block on a CPU, whose values stay in its cache: twice as fast as all at once."""

RANGES: dict[str, tuple[float, float]] = {
    "autocontrast": (0, 0),
    "brightness": (0.05, 0.95),
    "color": (0.05, 0.95),
    "contrast": (0.05, 0.95),
    "equalize": (0, 0),
    "identity": (0, 0),
    "posterize": (4, 9),  # bits, and a fraction that is cut off
    "rotate": (-30, 30),  # degrees
    "sharpness": (0.05, 0.95),
    "shear_x": (-0.3, 0.3),
    "shear_y": (-0.3, 0.3),
    "solarize": (0, 1),
    "translate_x": (-0.3, 0.3),  # of the width
    "translate_y": (-0.3, 0.3),
}
"""Range of each operation's magnitude, by operation: those of FixMatch, Table 12."""
OPS = tuple(RANGES)
"""Names of the operations."""

PHOTOMETRIC: dict[str, Callable[[Tensor, Tensor], Tensor]] = {
    "autocontrast": lambda images, _: autocontrast(images),
    "brightness": brightness,
    "color": color,
    "contrast": contrast,
    "equalize": lambda images, _: equalize(images),
    "posterize": posterize,
    "sharpness": sharpness,
    "solarize": solarize,
}
"""Functions of the operations that change colours, by name; they are called with images and magnitudes."""


@dataclass(frozen=True)
class Weak:
    """The weak view: images are shifted at random, padded by reflection, and mirrored half the time.

    Args:
        flip: whether left and right are exchanged with probability 1/2; off for digits and letters.
        crop: largest shift, as a share of an image's height and of its width, in [0, 1/2].

    It is called as ``view(images, seed)`` on float32 images, (b, 3, h, w), in [0, 1]. A seed gives the same view on
    every device, and torch's own random state is not used. The geometry's numbers are whole, so no pixels are mixed.

    Raises:
        ValueError: ``crop`` is out of its range, or images have another shape or type.

    Source: Sohn et al., FixMatch, NeurIPS 2020, Section 2.3 (flip-and-shift).

    >>> images = torch.arange(192.0).view(1, 3, 8, 8) / 192
    >>> view = Weak(flip=False)(images, seed=3)
    >>> view.geometry[0].tolist()  # down by one row
    [[1.0, 0.0, 0.0], [0.0, 1.0, 1.0], [0.0, 0.0, 1.0]]
    >>> torch.equal(view.images[:, :, 1:], images[:, :, :-1])
    True
    """

    flip: bool = True
    crop: float = 0.125

    def __post_init__(self) -> None:
        in_range("crop", self.crop, 0, 0.5)

    @torch.no_grad()
    def __call__(self, images: Tensor, seed: int) -> View:
        _require_images(images)
        draws = torch.Generator().manual_seed(seed)
        return _seen(images, _shift(images, self.flip, self.crop, draws), self.crop)


@dataclass(frozen=True)
class Strong:
    """The strong view: the weak view, random operations for each image (RandAugment), and a grey square (cutout).

    Args:
        flip, crop: as in `Weak`; the same seed draws the same shift and mirroring.
        count: number of operations for each image, at least 0; one may be drawn twice.
        ops: operations to draw from, some of `OPS`. Magnitudes are uniform in the ranges of the paper's Table 12.
        cutout: largest side of the grey square, as a share of the images' shorter side, in [0, 1]; 0 leaves it out.
            The side is uniform from 0 to that, and the square's middle is anywhere in the image.

    It is called as `Weak`. Operations that move pixels come first: they are composed with the weak view's shift, in one
    bilinear warp of the original, with grey outside of it. Operations that change colours follow, in the order of the
    draw. They do not change the geometry; neither does the square.

    Raises:
        ValueError: a field is out of its range, or images have another shape or type.

    Source: Sohn et al., FixMatch, NeurIPS 2020, Section 2.3 and Table 12; Cubuk et al., RandAugment, NeurIPS 2020;
    DeVries and Taylor, Cutout, 2017.

    >>> view = Strong(flip=False, ops=("rotate", "color"))(torch.rand(5, 3, 8, 8), seed=0)
    >>> view.images.shape, view.geometry.shape
    (torch.Size([5, 3, 8, 8]), torch.Size([5, 3, 3]))
    """

    flip: bool = True
    crop: float = 0.125
    count: int = 2
    ops: tuple[str, ...] = OPS
    cutout: float = 0.5

    def __post_init__(self) -> None:
        in_range("crop", self.crop, 0, 0.5)
        in_range("count", self.count, 0)
        in_range("cutout", self.cutout, 0, 1)
        in_range("number of ops", len(self.ops), 1)
        for op in self.ops:
            one_of("op", op, OPS)

    @torch.no_grad()
    def __call__(self, images: Tensor, seed: int) -> View:
        _require_images(images)
        draws = torch.Generator().manual_seed(seed)
        shift = _shift(images, self.flip, self.crop, draws)
        drawn, magnitude = self._draw(len(images), draws)
        view = _seen(images, _bend(drawn, magnitude, images.shape) @ shift, self.crop)
        _colour(view.images, drawn, magnitude)
        _cut_out(view.images, self.cutout, draws)
        return view

    def _draw(self, size: int, draws: torch.Generator) -> tuple[Tensor, Tensor]:
        """Numbers of the drawn operations in `OPS`, and their magnitudes, each (size, count)."""
        number, low, high = torch.tensor([(OPS.index(op), *RANGES[op]) for op in self.ops]).T
        drawn = torch.randint(len(self.ops), (size, self.count), generator=draws)
        strength = torch.rand(size, self.count, generator=draws)
        return number.long()[drawn], low[drawn] + (high - low)[drawn] * strength


def _bend(drawn: Tensor, magnitude: Tensor, shape: torch.Size) -> Tensor:
    """Homographies, (b, 3, 3), of the drawn operations that move pixels, from the shifted images to the view."""
    (b, count), (h, w) = drawn.shape, shape[2:]
    names = ("rotate", "shear_x", "shear_y", "translate_x", "translate_y")
    turn, x, y, right, down = ((magnitude * (drawn == OPS.index(name))).ravel() for name in names)  # all but one are 0
    each = translation((right * w).round(), (down * h).round()) @ shear(x, y) @ rotation(turn, h, w)
    bend = torch.eye(3).expand(b, 3, 3)
    for step in each.view(b, count, 3, 3).unbind(1):
        bend = step @ bend
    return bend


def _colour(images: Tensor, drawn: Tensor, magnitude: Tensor) -> None:
    """Apply the drawn operations that change colours, in place, one draw after the other.

    Images with the same operation are changed together.
    """
    for step, factor in zip(drawn.T.tolist(), magnitude.T, strict=True):
        for number in set(step):
            mine = [k for k, other in enumerate(step) if other == number]
            if OPS[number] in PHOTOMETRIC:
                before = torch.stack([images[k] for k in mine])
                _put(images, mine, PHOTOMETRIC[OPS[number]](before, factor[mine].to(before.device)))


def _require_images(images: Tensor) -> None:
    if images.ndim != 4 or images.shape[1] != 3 or images.dtype != torch.float32:
        raise ValueError(f"images must be float32 of shape (b, 3, h, w), got {images.dtype} {tuple(images.shape)}")


def _shift(images: Tensor, flip: bool, crop: float, draws: torch.Generator) -> Tensor:
    """Geometries, (b, 3, 3), of random shifts within the margins, mirrored with probability 1/2 if ``flip``."""
    flipped = (torch.rand(len(images), generator=draws) < flip / 2).float()
    y, x = (torch.randint(-m, m + 1, (len(images),), generator=draws).float() for m in _margins(images, crop))
    return mirror(flipped, images.shape[3]) @ translation(x, y)


def _margins(images: Tensor, crop: float) -> tuple[int, int]:
    return round(crop * images.shape[2]), round(crop * images.shape[3])


def _seen(images: Tensor, geometry: Tensor, crop: float) -> View:
    """View of images that has a geometry; the images are padded by reflection, and grey beyond the padding.

    Images that are only mirrored and shifted are copied, the others are warped.

    Args:
        images: images, (b, 3, h, w).
        geometry: geometry of the view, (b, 3, 3), on the CPU.
        crop: share of each side that is padded.
    """
    (b, _, h, w), (top, left) = images.shape, _margins(images, crop)
    some = max(1, BLOCK // (h * w)) if images.device.type == "cpu" else max(1, b)
    whole = (geometry == geometry.round()).flatten(1).all(1)
    padded_to_view = geometry @ translation(torch.tensor([-float(left)]), torch.tensor([-float(top)]))
    seen = images.new_empty(images.shape)
    for kind, shown in ((whole, _windows), (~whole, _warped)):
        for mine in torch.split(torch.where(kind)[0], some) if kind.any() else ():
            original = images.index_select(0, mine.to(images.device))
            padded = torch.nn.functional.pad(original, (left, left, top, top), mode="reflect")
            _put(seen, mine.tolist(), shown(padded, padded_to_view[mine], h, w))
    return View(seen, geometry.to(images.device))


def _warped(images: Tensor, geometry: Tensor, h: int, w: int) -> Iterable[Tensor]:
    return warp(images, geometry.to(images.device), (h, w), GREY)


def _windows(images: Tensor, geometry: Tensor, h: int, w: int) -> list[Tensor]:
    return [_window(image, m, h, w) for image, m in zip(images, geometry[:, :2].flatten(1).tolist(), strict=True)]


def _window(image: Tensor, matrix: list[float], h: int, w: int) -> Tensor:
    """View, (3, h, w), of an image, (3, y, x), that is mirrored and shifted by whole pixels.

    Args:
        matrix: first two rows of the homography, in a row.
    """
    flipped, y = matrix[0] < 0, -int(matrix[5])
    x = int(matrix[2]) - w + 1 if flipped else -int(matrix[2])
    top, left = max(y, 0), max(x, 0)
    window = image[:, top : max(y + h, 0), left : max(x + w, 0)]
    if window.shape[1:] != (h, w):
        whole = image.new_full((3, h, w), GREY)
        whole[:, top - y : top - y + window.shape[1], left - x : left - x + window.shape[2]] = window
        window = whole
    return window.flip(-1) if flipped else window


def _put(images: Tensor, rows: list[int], new: Iterable[Tensor]) -> None:
    """Write ``new`` images into rows, which must rise; several times as fast as ``images[rows] = new``."""
    if rows[-1] - rows[0] == len(rows) - 1:
        torch.stack(list(new), out=images[rows[0] : rows[-1] + 1])
    else:
        for row, image in zip(rows, new, strict=True):
            images[row] = image


def _cut_out(images: Tensor, share: float, draws: torch.Generator) -> None:
    """Paint a random grey square into each image, in place, cut off at the image's border."""
    b, _, h, w = images.shape
    side, y, x = torch.rand(3, b, generator=draws) * torch.tensor([share * min(h, w), h, w])[:, None]
    box = torch.stack([y - side / 2, y + side / 2, x - side / 2, x + side / 2], 1).round().clamp(min=0).int()
    for image, (top, bottom, left, right) in zip(images, box.tolist(), strict=True):
        image[:, top:bottom, left:right] = GREY
