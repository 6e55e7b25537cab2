"""Changes of colour that leave every pixel in its place, each image by its own factor.

Images are float32, (m, 3, h, w), in [0, 1], and so are the results; factors are (m,). The formulae are Pillow's, from
which AutoAugment, RandAugment and FixMatch took these operations, but for its rounding to 256 levels.
"""

from __future__ import annotations

import torch
from jaxtyping import Float
from torch import Tensor

Images = Float[Tensor, "m 3 h w"]
"""Images in [0, 1]."""
Factor = Float[Tensor, " m"]
"""Strength of an operation, one for each image."""

LUMA = (0.299, 0.587, 0.114)
"""Weights of red, green and blue in grey, by ITU-R 601."""
TOP = 255
"""Highest of the levels of equalize and posterize, which begin at 0."""


def autocontrast(images: Images) -> Images:
    """Stretch each channel to [0, 1]: ``(x - min) / (max - min)``; a channel of one value stays.

    Source: Pillow, ImageOps.autocontrast.

    >>> autocontrast(torch.tensor([0.25, 0.5]).expand(1, 3, 1, 2))[0, 0].tolist()
    [[0.0, 1.0]]
    """
    low, high = images.amin((2, 3), keepdim=True), images.amax((2, 3), keepdim=True)
    flat = high == low
    return (images - low.masked_fill(flat, 0)) / (high - low).masked_fill(flat, 1)


def brightness(images: Images, factor: Factor) -> Images:
    """Darken: ``f x``, with f in [0, 1]; 0 is black.

    Source: Pillow, ImageEnhance.Brightness.

    >>> brightness(torch.ones(1, 3, 1, 1), torch.tensor([0.25])).ravel().tolist()
    [0.25, 0.25, 0.25]
    """
    return images * _each(factor)


def color(images: Images, factor: Factor) -> Images:
    """Take out colour: ``f x + (1 - f) grey(x)``, with f in [0, 1]; 0 is a grey image.

    Source: Pillow, ImageEnhance.Color.

    >>> color(torch.ones(1, 3, 1, 1), torch.tensor([0.0])).ravel().tolist()
    [1.0, 1.0, 1.0]
    """
    return torch.lerp(_grey(images), images, _each(factor))


def contrast(images: Images, factor: Factor) -> Images:
    """Take out contrast: ``f x + (1 - f) mean(grey(x))``, with f in [0, 1]; 0 is one grey.

    Source: Pillow, ImageEnhance.Contrast.

    >>> contrast(torch.tensor([0.0, 1.0]).expand(1, 3, 1, 2), torch.tensor([0.5]))[0, 0].tolist()
    [[0.25, 0.75]]
    """
    return torch.lerp(_grey(images.mean((2, 3), keepdim=True)), images, _each(factor))


def equalize(images: Images) -> Images:
    """Equalise the histogram of each channel: a level becomes the share of pixels below it.

    ``(sum_{j<i} n_j + s // 2) // s`` of 255, ``s = (sum_j n_j - n_last) // 255``, with n_j the pixels of level j and
    last the highest level that occurs; a channel with s = 0 stays.

    Returns:
        Images (m, 3, h, w), of 256 levels.

    Source: Pillow, ImageOps.equalize.

    >>> equalize(torch.tensor([0.0, 0.1, 0.2] * 300).expand(1, 3, 1, 900)).unique().mul(255).round().tolist()
    [0.0, 150.0, 255.0]
    """
    m, channels = images.shape[:2]
    level = _levels(images).long().reshape(m * channels, -1)
    own = torch.arange(m * channels, device=images.device)[:, None] * (TOP + 1)  # a histogram for every channel
    count = torch.bincount((level + own).ravel(), minlength=m * channels * (TOP + 1)).view(m * channels, TOP + 1)
    last = count.gather(1, level.amax(1, keepdim=True))
    step = (level.shape[1] - last) // TOP
    below = count.cumsum(1) - count
    new = ((below + step // 2) // step.clamp(min=1)).clamp(max=TOP)
    new = torch.where(step > 0, new, torch.arange(TOP + 1, device=images.device))
    return (new.to(images.dtype) / TOP).gather(1, level).view_as(images)


def posterize(images: Images, bits: Factor) -> Images:
    """Keep the highest ``bits`` of the 8 bits of each value, with bits from 1 to 8, rounded down.

    Source: Pillow, ImageOps.posterize.

    >>> posterize(torch.ones(1, 3, 1, 1), torch.tensor([4.0])).mul(255).round().unique().tolist()
    [240.0]
    """
    step = _each(2 ** (8 - bits.floor()))
    return (_levels(images) / step).floor_() * (step / TOP)


def sharpness(images: Images, factor: Factor) -> Images:
    """Take out sharpness: ``f x + (1 - f) smooth(x)``, with f in [0, 1]; 0 is smooth.

    smooth(x) weighs the 3 x 3 pixels by 5/13 in the middle and 1/13 around; the pixels at the border stay.

    Source: Pillow, ImageEnhance.Sharpness.

    >>> dot = torch.nn.functional.pad(torch.full((1, 3, 1, 1), 0.5), (1, 1, 1, 1))
    >>> round(sharpness(dot, torch.tensor([0.0]))[0, 0, 1, 1].item() * 26, 4)
    5.0
    """
    rows = images[..., :-2, :] + images[..., 1:-1, :] + images[..., 2:, :]
    around = rows[..., :-2] + rows[..., 1:-1] + rows[..., 2:]
    sharpened = images.clone()
    middle = sharpened[..., 1:-1, 1:-1]
    smooth = around.add_(middle, alpha=4).div_(13)
    middle.copy_(torch.lerp(smooth, middle, _each(factor)))
    return sharpened


def solarize(images: Images, threshold: Factor) -> Images:
    """Invert bright values: ``1 - x`` where x is at least the threshold, in [0, 1], else x.

    Source: Pillow, ImageOps.solarize.

    >>> solarize(torch.tensor([0.25, 0.75]).expand(1, 3, 1, 2), torch.tensor([0.5]))[0, 0].tolist()
    [[0.25, 0.25]]
    """
    turned = images.clone().ge_(_each(threshold))  # 1 or 0: several times as fast as torch.where
    return torch.lerp(images, 1 - images, turned)


def _each(factor: Factor) -> Tensor:
    return factor[:, None, None, None]


def _grey(images: Images) -> Tensor:
    red, green, blue = images[:, :1], images[:, 1:2], images[:, 2:]
    return (red * LUMA[0]).add_(green, alpha=LUMA[1]).add_(blue, alpha=LUMA[2])


def _levels(images: Images) -> Tensor:
    return (images * TOP).round_()
