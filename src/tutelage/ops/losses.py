"""Losses, one number per example."""

from __future__ import annotations

import torch

from tutelage.types import Logits, LogProbs, Probs, Scalar, Weight


def cross_entropy(target: Probs, logits: Logits) -> Weight:
    """``- sum_j y_j log q_j`` with ``q = softmax(logits)``, in nats.

    Args:
        target: rows y of probabilities, (n, c).
        logits: predictions, (n, c).

    Returns:
        (n,), at least the entropy of each row of ``target``.

    >>> cross_entropy(torch.tensor([[1.0, 0.0]]), torch.tensor([[0.0, 0.0]])).tolist()
    [0.6931471824645996]
    """
    return -(target * torch.log_softmax(logits, dim=-1)).sum(-1)


def kl(log_target: LogProbs, logits: Logits) -> Weight:
    """``KL(y || q) = sum_j y_j (log y_j - log q_j)`` with ``q = softmax(logits)``, in nats.

    Same gradient in ``logits`` as `cross_entropy`, another one in the target.

    Args:
        log_target: log-probabilities log y, (n, c).
        logits: predictions, (n, c).

    Returns:
        (n,), at least 0; 0 where the two agree.

    >>> kl(torch.log_softmax(torch.tensor([[1.0, 2.0]]), -1), torch.tensor([[1.0, 2.0]])).tolist()
    [0.0]
    """
    return (log_target.exp() * (log_target - torch.log_softmax(logits, dim=-1))).sum(-1)


def mean(loss: Weight, weight: Weight) -> Scalar:
    """``sum_i w_i l_i / n``: examples of weight 0 still count in n.

    >>> mean(torch.tensor([1.0, 3.0]), torch.tensor([1.0, 0.0])).item()
    0.5
    """
    return (weight * loss).sum() / max(len(loss), 1)
