"""Losses, one number for each example, and ramps of a loss's weight over training."""

from __future__ import annotations

import math

import torch
from jaxtyping import Float
from torch import Tensor

from tutelage.ops.draws import in_cohort
from tutelage.types import Labels, Logits, LogProbs, Probs, Scalar, Weight


def cross_entropy(target: Probs, logits: Logits) -> Weight:
    """Cross-entropy: ``- sum_j y_j log q_j`` with ``q = softmax(logits)``, in nats.

    Args:
        target: rows y of probabilities, (n, c).
        logits: predictions, (n, c).

    Returns:
        Losses (n,), at least the entropy of each row of ``target``.

    >>> cross_entropy(torch.tensor([[1.0, 0.0]]), torch.tensor([[0.0, 0.0]])).tolist()
    [0.6931471824645996]
    """
    return -(target * torch.log_softmax(logits, dim=-1)).sum(-1)


def kl(log_target: LogProbs, logits: Logits) -> Weight:
    """Divergence ``KL(y || q) = sum_j y_j (log y_j - log q_j)`` with ``q = softmax(logits)``, in nats.

    The gradient in ``logits`` is that of `cross_entropy`; the gradient in the target is another.

    Args:
        log_target: log-probabilities log y, (n, c).
        logits: predictions, (n, c).

    Returns:
        Losses (n,), at least 0; 0 where the two agree.

    >>> kl(torch.log_softmax(torch.tensor([[1.0, 2.0]]), -1), torch.tensor([[1.0, 2.0]])).tolist()
    [0.0]
    """
    return (log_target.exp() * (log_target - torch.log_softmax(logits, dim=-1))).sum(-1)


def reverse_kl(log_target: LogProbs, logits: Logits) -> Weight:
    """Divergence ``KL(q || y) = sum_j q_j (log q_j - log y_j)`` with ``q = softmax(logits)``, in nats.

    It is large where the prediction is sure of a class that the target excludes, and so picks one of several modes.

    Args:
        log_target: log-probabilities log y, (n, c), finite.
        logits: predictions, (n, c).

    Returns:
        Losses (n,), at least 0; 0 where the two agree.

    >>> reverse_kl(torch.log_softmax(torch.tensor([[1.0, 2.0]]), -1), torch.tensor([[1.0, 2.0]])).tolist()
    [0.0]
    """
    log_q = torch.log_softmax(logits, dim=-1)
    return (log_q.exp() * (log_q - log_target)).sum(-1)


def jensen_shannon(log_target: LogProbs, logits: Logits) -> Weight:
    """Jensen-Shannon divergence ``(KL(y || m) + KL(q || m)) / 2`` with ``m = (y + q) / 2``, in nats.

    ``q = softmax(logits)``.

    Args:
        log_target: log-probabilities log y, (n, c).
        logits: predictions, (n, c).

    Returns:
        Losses (n,), in [0, log 2]; the same when the two distributions change places.

    >>> jensen_shannon(torch.log_softmax(torch.tensor([[1.0, 2.0]]), -1), torch.tensor([[1.0, 2.0]])).tolist()
    [0.0]
    """
    log_q = torch.log_softmax(logits, dim=-1)
    log_m = torch.logaddexp(log_target, log_q) - math.log(2)
    of_target = (log_target.exp() * (log_target - log_m)).sum(-1)
    return (of_target + (log_q.exp() * (log_q - log_m)).sum(-1)) / 2


def generalised_cross_entropy(target: Probs, logits: Logits, power: float) -> Weight:
    """Robust loss ``sum_j y_j (1 - p_j^q) / q``: `cross_entropy` as q nears 0, half the absolute error for q = 1.

    A row's gradient is that of cross-entropy times ``p^q``, so that labels of low probability count little.

    Args:
        target: rows y of probabilities, (n, c).
        logits: predictions, (n, c).
        power: q in [0, 1]; 0 is cross-entropy.

    Returns:
        Losses (n,), at least 0.

    Source: Zhang and Sabuncu, NeurIPS 2018, eq. 6.

    >>> generalised_cross_entropy(torch.tensor([[1.0, 0.0]]), torch.tensor([[0.0, 0.0]]), 1.0).tolist()
    [0.5]
    """
    if power == 0:
        return cross_entropy(target, logits)
    return (1 - (target * (power * torch.log_softmax(logits, dim=-1)).exp()).sum(-1)) / power


def reverse_cross_entropy(target: Probs, logits: Logits, floor: float) -> Weight:
    """Reverse cross-entropy: ``- sum_j p_j log y_j`` with ``log 0 = floor``; of hard labels ``- floor (1 - p_y)``.

    Args:
        target: rows y of probabilities, (n, c).
        logits: predictions, (n, c).
        floor: A, below 0.

    Returns:
        Losses (n,), at least 0.

    Source: Wang et al., ICCV 2019, eq. 6.

    >>> reverse_cross_entropy(torch.tensor([[1.0, 0.0]]), torch.tensor([[0.0, 0.0]]), -4.0).tolist()
    [2.0]
    """
    return -(torch.softmax(logits, dim=-1) * target.log().clamp(min=floor)).sum(-1)


def mean(loss: Weight, weight: Weight) -> Scalar:
    """Weighted mean ``sum_i w_i l_i / n`` of losses and weights, (n,); examples of weight 0 count in n.

    >>> mean(torch.tensor([1.0, 3.0]), torch.tensor([1.0, 0.0])).item()
    0.5
    """
    return (weight * loss).sum() / max(len(loss), 1)


def mean_where(values: Tensor, known: Weight) -> Tensor:
    """Mean of the rows of ``values``, (n, ...), whose weight, (n,), is above 0; NaN where none is.

    >>> mean_where(torch.tensor([1.0, 5.0, 3.0]), torch.tensor([1.0, 0.0, 1.0])).item()
    2.0
    """
    there = known > 0
    if not in_cohort():
        return values[there].mean(0)
    rows = torch.where(there.view(-1, *[1] * (values.ndim - 1)), values, 0.0)  # of members of a cohort other rows each
    return rows.sum(0) / there.sum()


def contrast(features: Float[Tensor, "n d"], label: Labels, kept: Weight, margin: float) -> Scalar:
    """Contrastive loss: the mean over pairs of ``d^2`` where labels agree, else ``max(0, margin - d)^2``.

    ``d = 1 - cos(v_i, v_j)``, in [0, 2]. The loss is 0 where fewer than two examples are kept.

    Args:
        features: v, (n, d).
        label: class numbers, (n,).
        kept: 1 for an example whose pairs count, else 0, (n,).
        margin: distance from which pairs of different labels cost nothing, at least 0.

    Source: Yu et al., COSINE, NAACL 2021, eqs. 7 and 8.

    >>> v = torch.tensor([[1.0, 0.0], [0.0, 1.0]])
    >>> contrast(v, torch.tensor([0, 0]), torch.ones(2), 1.0).item()
    1.0
    """
    v = torch.nn.functional.normalize(features, dim=-1)
    d = 1 - v @ v.T
    pairs = kept[:, None] * kept[None, :] * (1 - torch.eye(len(v), dtype=v.dtype, device=v.device))
    alike = (label[:, None] == label[None, :]).to(v.dtype)
    loss = alike * d.square() + (1 - alike) * (margin - d).clamp(min=0).square()
    return (pairs * loss).sum() / pairs.sum().clamp(min=1)


def sigmoid_ramp(progress: float, length: float) -> float:
    """Sigmoid ramp: ``exp(-5 (1 - progress / length) ** 2)`` up to ``length``, then 1; always 1 for length 0.

    Source: Laine and Aila, temporal ensembling, ICLR 2017; Tarvainen and Valpola, 2017.

    >>> [round(sigmoid_ramp(t, 0.5), 4) for t in (0.0, 0.25, 0.5, 1.0)]
    [0.0067, 0.2865, 1.0, 1.0]
    """
    if progress >= length:
        return 1.0
    return math.exp(-5 * (1 - progress / length) ** 2)


def linear_ramp(progress: float, length: float) -> float:
    """Linear ramp: ``progress / length`` up to ``length``, then 1; always 1 for length 0.

    Source: Berthelot et al., MixMatch, NeurIPS 2019, Section 3.5.

    >>> [linear_ramp(t, 0.5) for t in (0.0, 0.25, 0.5, 1.0)]
    [0.0, 0.5, 1.0, 1.0]
    """
    return progress / length if progress < length else 1.0


def cosine_ramp(progress: float, length: float) -> float:
    """Cosine ramp: ``(1 - cos(pi * progress / length)) / 2`` up to ``length``, then 1; always 1 for length 0.

    Source: Berthelot et al., AdaMatch, ICLR 2022, Section 3.3.

    >>> [round(cosine_ramp(t, 0.5), 3) for t in (0.0, 0.25, 0.5, 1.0)]
    [0.0, 0.5, 1.0, 1.0]
    """
    return 1 - (1 + math.cos(math.pi * linear_ramp(progress, length))) / 2
