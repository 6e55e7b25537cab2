"""How much each example counts."""

from __future__ import annotations

import math

import torch

from tutelage.types import Logits, Weight


def certainty(logits: Logits) -> Weight:
    """Weight by entropy: ``w = 1 - H(p) / log C`` with ``p = softmax(logits)``.

    Args:
        logits: the teacher's logits, (n, c), c >= 2.

    Returns:
        (n,), in [0, 1]: 0 for a uniform prediction, 1 for a certain one; differentiable.

    Source: Zuo et al., DRIFT; Yu et al., COSINE, NAACL 2021 (whose code divides by log of the
    batch size by mistake; this divides by log C).

    >>> certainty(torch.tensor([[0.0, 0.0, 0.0], [99.0, 0.0, 0.0]])).tolist()
    [0.0, 1.0]
    """
    log_p = torch.log_softmax(logits, dim=-1)
    entropy = -(log_p.exp() * log_p).sum(-1)
    return 1 - entropy / math.log(logits.shape[-1])
