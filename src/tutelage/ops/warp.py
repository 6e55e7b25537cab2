"""Homographies of images, and values of pixels brought from one view into another.

A geometry is a homography for each image, float32, (b, 3, 3), which takes a point (x, y, 1) of the original image to
the view. Points are in pixels, x to the right and y down; (0, 0) is the middle of the first pixel, so an image covers
[-1/2, w - 1/2) by [-1/2, h - 1/2).
"""

from __future__ import annotations

import torch
from jaxtyping import Float, Shaped
from torch import Tensor

from tutelage.ops.checks import one_of

Geometry = Float[Tensor, "b 3 3"]
"""Homographies from the original images to a view."""

Each = Float[Tensor, " b"]
"""One number for each image."""


def affine(linear: Float[Tensor, "b 2 2"], shift: Float[Tensor, "b 2"]) -> Geometry:
    """Geometry ``p -> linear p + shift``, (b, 3, 3).

    >>> affine(torch.eye(2)[None], torch.tensor([[3.0, 4.0]])).tolist()
    [[[1.0, 0.0, 3.0], [0.0, 1.0, 4.0], [0.0, 0.0, 1.0]]]
    """
    last = linear.new_tensor([0, 0, 1]).expand(len(linear), 1, 3)
    return torch.cat([torch.cat([linear, shift[..., None]], 2), last], 1)


def translation(x: Each, y: Each) -> Geometry:
    """Geometry (b, 3, 3) that moves images by x to the right and by y down, in pixels, each (b,).

    >>> (translation(torch.tensor([3.0]), torch.tensor([4.0])) @ torch.tensor([1.0, 1.0, 1.0])).tolist()
    [[4.0, 5.0, 1.0]]
    """
    return affine(torch.eye(2, dtype=x.dtype, device=x.device).expand(len(x), 2, 2), torch.stack([x, y], 1))


def mirror(flipped: Each, width: int) -> Geometry:
    """Geometry (b, 3, 3) that mirrors images, ``x -> width - 1 - x``, where ``flipped``, (b,), is 1.

    >>> (mirror(torch.tensor([1.0, 0.0]), 8) @ torch.tensor([2.0, 0.0, 1.0]))[:, 0].tolist()
    [5.0, 2.0]
    """
    zero = torch.zeros_like(flipped)
    return affine(_two_by_two(1 - 2 * flipped, zero, zero, zero + 1), torch.stack([flipped * (width - 1), zero], 1))


def shear(x: Each, y: Each) -> Geometry:
    """Geometry (b, 3, 3) of a shear about the top left corner; of the factors x and y, each (b,), one must be 0.

    A row moves by x times its distance from the corner, a column by y times its distance.

    >>> (shear(torch.tensor([0.5]), torch.tensor([0.0])) @ torch.tensor([0.0, 3.5, 1.0])).tolist()
    [[2.0, 3.5, 1.0]]
    """
    one = torch.ones_like(x)
    return affine(_two_by_two(one, x, y, one), torch.stack([x, y], 1) / 2)  # the corner is at (-1/2, -1/2)


def rotation(degrees: Each, height: int, width: int) -> Geometry:
    """Geometry (b, 3, 3) that turns images clockwise about their middle, by degrees, (b,).

    >>> (rotation(torch.tensor([90.0]), 3, 3) @ torch.tensor([0.0, 0.0, 1.0])).round().tolist()
    [[2.0, 0.0, 1.0]]
    """
    cos, sin = degrees.deg2rad().cos(), degrees.deg2rad().sin()
    linear = _two_by_two(cos, -sin, sin, cos)
    middle = linear.new_tensor([(width - 1) / 2, (height - 1) / 2])
    return affine(linear, middle - linear @ middle)


def warp(images: Float[Tensor, "b k y x"], geometry: Geometry, size: tuple[int, int], fill: float = 0.0) -> Tensor:
    """View of images that has a geometry, bilinear between pixels.

    Args:
        images: images of k channels, (b, k, y, x).
        geometry: homographies from the images' points to the view's, (b, 3, 3), invertible.
        size: height and width of the view.
        fill: value outside the images.

    Returns:
        The view, (b, k, height, width); differentiable in the images.

    >>> image = torch.tensor([[[[1.0, 2.0, 3.0]]]])
    >>> warp(image, translation(torch.tensor([0.5]), torch.tensor([0.0])), (1, 4), fill=9.0).tolist()
    [[[[5.0, 1.5, 2.5, 6.0]]]]
    """
    return _sampled(images - fill, _inverse(geometry), size, "zeros").add_(fill)


def carry(
    values: Shaped[Tensor, "b k h w"], source: Geometry, to: Geometry, mode: str
) -> tuple[Shaped[Tensor, "b k h w"], Float[Tensor, "b h w"]]:
    """Bring values of pixels from one view of the same images into another: a warp by ``to @ inverse(source)``.

    Args:
        values: values of the pixels of a view, (b, k, h, w).
        source, to: geometries of this view and of the other one, (b, 3, 3), invertible. Original and views have one
            size.
        mode: "bilinear" mixes the four nearest pixels; "nearest" takes values as they are, of any dtype.

    Returns:
        The values in the other view, (b, k, h, w), 0 where there are none, differentiable in ``values``; and a mask of
        the pixels inside, (b, h, w): 1 where a pixel's point lies in the original image and in the first view, else 0.
        A square that covers part of a view (cutout) is not part of its geometry and does not count.

    Raises:
        ValueError: the mode is another.

    Source: Li et al., Transformation-consistent self-ensembling, IEEE TNNLS 2021: targets are moved as the input was.

    >>> still = torch.eye(3)[None]
    >>> moved, inside = carry(torch.tensor([[[[1, 2, 3]]]]), still, mirror(torch.ones(1), 3), "nearest")
    >>> moved.tolist(), inside.tolist()
    ([[[[3, 2, 1]]]], [[[1.0, 1.0, 1.0]]])
    """
    one_of("mode", mode, ("nearest", "bilinear"))
    h, w = values.shape[2:]
    to_original = _inverse(to)
    to_source = source.double() @ to_original
    points = _points(to_source, h, w)
    inside = _within(points, h, w) & _within(_points(to_original, h, w), h, w)
    if mode == "nearest":
        moved = _taken(values, points)
    else:
        moved = _sampled(values.float(), to_source, (h, w), "border").to(values.dtype)
    return moved.masked_fill(~inside[:, None], 0), inside.float()


def _two_by_two(a: Tensor, b: Tensor, c: Tensor, d: Tensor) -> Tensor:
    return torch.stack([a, b, c, d], 1).view(-1, 2, 2)


def _inverse(geometry: Geometry) -> Tensor:
    """Inverse of a geometry, in float64: the error of a float32 inverse shows at a few hundred pixels."""
    inverse: Tensor = torch.linalg.inv(geometry.double())
    return inverse


def _points(back: Tensor, h: int, w: int) -> Tensor:
    """Points to which ``back`` takes the pixels of an h by w view: x and y, (b, h, w, 2)."""
    m = back.float()[..., None, None]
    across, down = torch.arange(w, device=m.device), torch.arange(h, device=m.device)[:, None]
    x, y, z = (m[:, i, 0] * across + (m[:, i, 1] * down + m[:, i, 2]) for i in range(3))
    points = m.new_empty(len(m), h, w, 2)
    torch.div(x, z, out=points[..., 0])
    torch.div(y, z, out=points[..., 1])
    return points


def _within(points: Tensor, h: int, w: int) -> Tensor:
    x, y = points.unbind(-1)
    return (x >= -0.5) & (x < w - 0.5) & (y >= -0.5) & (y < h - 0.5)


def _taken(values: Tensor, points: Tensor) -> Tensor:
    """Values of the pixels that hold the points."""
    h, w = values.shape[2:]
    x, y = (points + 0.5).floor().long().unbind(-1)
    index = (y.clamp(0, h - 1) * w + x.clamp(0, w - 1)).flatten(1)[:, None].expand(-1, values.shape[1], -1)
    return values.flatten(2).gather(2, index).view(values.shape)


def _sampled(images: Tensor, back: Tensor, size: tuple[int, int], beyond: str) -> Tensor:
    """Bilinear values of the images at the points where ``back`` takes the pixels of a view of ``size``."""
    h, w = images.shape[2:]
    scale = back.new_tensor([[2 / w, 0, 1 / w - 1], [0, 2 / h, 1 / h - 1], [0, 0, 1]])  # grid_sample's coordinates
    grid = _points(scale @ back, *size)
    return torch.nn.functional.grid_sample(images, grid, padding_mode=beyond, align_corners=False)
