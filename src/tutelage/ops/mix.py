"""Mixed examples: whole examples by shares (mixup), pixels by boxes (CutMix).

Draws are made by numpy on the CPU, so that they are the same for every device. They are then moved to the device of the
tensors that they mix.
"""

from __future__ import annotations

import numpy as np
import torch
from jaxtyping import Float, Int, Shaped
from torch import Tensor

from tutelage.ops.checks import in_range
from tutelage.ops.draws import drawn
from tutelage.types import Weight

Share = Float[Tensor, " n"]
"""Share of the first example in each mixed one, in [0, 1]."""

Permutation = Int[Tensor, " n"]
"""Number of the second example of each mixed one: a permutation of range(n)."""

Boxes = Float[Tensor, "b 1 h w"]
"""Masks of boxes: 1 in the box, else 0."""


def mix_shares(n: int, alpha: float, generator: np.random.Generator) -> Share:
    """Random shares ``lam = max(l, 1 - l)`` with ``l`` of Beta(alpha, alpha), one for each example.

    Args:
        n: number of examples.
        alpha: parameter of the distribution, above 0: near 0 examples stay nearly pure, 1 is uniform, and a large one
            mixes halves.
        generator: source of the draws.

    Returns:
        Shares (n,), float32, in [0.5, 1]: a mixed example is more like its first.

    Raises:
        ValueError: ``alpha`` is out of its range.

    Source: Zhang et al., mixup, ICLR 2018; the maximum is Berthelot et al., MixMatch, NeurIPS 2019, eqs. 8 and 9.

    >>> bool((mix_shares(100, 0.75, np.random.default_rng(0)) >= 0.5).all())
    True
    """
    in_range("alpha", alpha, 0, low_open=True)
    share = generator.beta(alpha, alpha, n)
    return torch.from_numpy(np.maximum(share, 1 - share)).float()


def mixing(like: Tensor, alpha: float) -> tuple[Share, Permutation]:
    """What `mixup` needs for n examples: random shares, (n,), see `mix_shares`, and a random permutation, (n,).

    Args:
        like: tensor with a row for each example, (n, ...), whose type and device the shares get.
        alpha: parameter of the distribution of the shares, above 0.

    >>> share, perm = mixing(torch.zeros(4, 2), 0.75)
    >>> bool((share >= 0.5).all()), perm.sort().values.tolist()
    (True, [0, 1, 2, 3])
    """

    def draw(like: Tensor, generator: torch.Generator | None) -> tuple[Share, Permutation]:
        shares = np.random.default_rng(int(torch.randint(2**31, (1,), generator=generator)))
        perm = torch.randperm(len(like), generator=generator).to(like.device)
        return mix_shares(len(like), alpha, shares).to(like), perm

    share, perm = drawn(like, draw)
    return share, perm


def mixup(x: Float[Tensor, "n ..."], lam: Share, perm: Permutation) -> Float[Tensor, "n ..."]:
    """Mixed inputs, or rows of probabilities: ``lam x + (1 - lam) x[perm]``, (n, ...).

    Args:
        x: inputs or probabilities, (n, ...).
        lam: shares, in [0, 1], (n,).
        perm: permutation of range(n), (n,).

    Source: Zhang et al., mixup, ICLR 2018, eq. 1; Berthelot et al., MixMatch, NeurIPS 2019, eqs. 10 and 11.

    >>> mixup(torch.tensor([[0.0], [4.0]]), torch.tensor([0.75, 1.0]), torch.tensor([1, 0])).tolist()
    [[1.0], [4.0]]
    """
    share = lam.to(x).view(-1, *[1] * (x.ndim - 1))
    return share * x + (1 - share) * x[perm]


def mix_weights(
    target: Float[Tensor, "n c"], weight: Weight, lam: Share, perm: Permutation
) -> tuple[Float[Tensor, "n c"], Weight]:
    """Labels and weights of mixed examples: ``w' = lam w + (1 - lam) w[perm]``, and ``w' y'`` mixes ``w y`` likewise.

    Cross-entropy is linear in the label, so ``w' CE(y', q)`` is the mix of the two weighted losses: a label of weight 0
    says nothing. With all weights 1, y' is `mixup` of y; it is that, too, where ``w' = 0``.

    Args:
        target: rows y of probabilities, (n, c).
        weight: weights w, at least 0, (n,).
        lam: shares, in [0, 1], (n,).
        perm: permutation of range(n), (n,).

    Returns:
        Rows of probabilities y', (n, c), and weights w', (n,).

    Source: follows from the loss of Zhang et al., mixup, ICLR 2018, once its terms are weighted.

    >>> y, w = torch.eye(2), torch.tensor([1.0, 0.0])
    >>> [t.tolist() for t in mix_weights(y, w, torch.tensor([0.75, 0.75]), torch.tensor([1, 0]))]
    [[[1.0, 0.0], [1.0, 0.0]], [0.75, 0.25]]
    """
    mixed = mixup(weight, lam, perm)
    first = torch.where(mixed > 0, lam.to(weight) * weight / mixed.where(mixed > 0, 1), lam.to(weight))
    return mixup(target, first, perm), mixed


def cutmix_boxes(b: int, h: int, w: int, share: float, generator: np.random.Generator) -> Boxes:
    """Random boxes, one for each image, that cover ``share`` of its area and lie within it.

    A box has the height ``h share^u`` and the width ``w share^(1 - u)``, rounded, with u uniform in [0, 1].

    Args:
        b: number of images.
        h, w: height and width of the images, in pixels.
        share: share of the area, in [0, 1].
        generator: source of the draws.

    Returns:
        Masks (b, 1, h, w): 1 in the box, else 0.

    Raises:
        ValueError: ``share`` is out of its range.

    Source: French et al., Semi-supervised semantic segmentation needs strong, varied perturbations, BMVC 2020,
    Section 3.3 (share 1/2), after Yun et al., CutMix, ICCV 2019.

    >>> cutmix_boxes(3, 32, 32, 0.5, np.random.default_rng(0)).mean((1, 2, 3)).mul(20).round().tolist()
    [10.0, 10.0, 10.0]
    """
    in_range("share", share, 0, 1)
    u = generator.random(b)
    form = np.stack([share**u, share ** (1 - u)], axis=1) if share else np.zeros((b, 2))
    sides = np.rint(np.array([h, w]) * form).astype(int)
    start = generator.integers(0, np.array([h, w]) - sides + 1)  # any place that holds the box whole
    rows, columns = (
        (np.arange(n) >= start[:, i, None]) & (np.arange(n) < (start + sides)[:, i, None]) for i, n in ((0, h), (1, w))
    )
    return torch.from_numpy(rows[:, None, :, None] & columns[:, None, None]).float()


def cutmix(x: Shaped[Tensor, "b ..."], other: Shaped[Tensor, "b ..."], mask: Boxes) -> Shaped[Tensor, "b ..."]:
    """Images, or targets or weights of pixels, with boxes of others: ``mask other + (1 - mask) x``, of any dtype.

    Args:
        x, other: values of pixels, (b, k, h, w) or (b, h, w); other is most often ``x[perm]``.
        mask: 1 where other is taken, else 0, (b, 1, h, w).

    Source: Yun et al., CutMix, ICCV 2019, eq. 1; of pixels French et al., BMVC 2020, Section 3.3.

    >>> cutmix(torch.tensor([[[1, 2]]]), torch.tensor([[[3, 4]]]), torch.tensor([[[[0.0, 1.0]]]])).tolist()
    [[[1, 4]]]
    """
    chosen = mask.to(x.device) > 0
    return torch.where(chosen if x.ndim == 4 else chosen[:, 0], other, x)
