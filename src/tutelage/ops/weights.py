"""How much each example counts."""

from __future__ import annotations

import math

import torch

from tutelage.types import Labels, Logits, Weight


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


def agreement(logits: Logits, label: Labels, confidence: Weight, agree: float, disagree: float) -> Weight:
    """Weight of another model's hard labels by how far the present model agrees.

        w = p^agree      where this model predicts the label too,
            p^disagree   where it predicts another, not surer than the label's confidence,
            0            where it is surer of another:         p = softmax(logits)[label]

    Args:
        logits: of the model in training, (n, c); held still: the weight has no gradient.
        label: of the other model, (n,).
        confidence: its probability when the label was made, (n,), in [0, 1].
        agree, disagree: exponents, at least 0 (the paper's gamma_1 and gamma_2).

    Returns:
        (n,), in [0, 1].

    Source: Feng et al., DMT, Pattern Recognition 130, 2022, as in the released code: ties learn.

    >>> p = torch.tensor([[0.7, 0.2, 0.1], [0.1, 0.8, 0.1], [0.1, 0.5, 0.4]])
    >>> agreement(p.log(), torch.tensor([0, 0, 0]), torch.tensor([0.9, 0.7, 0.8]), 4.0, 4.0)
    tensor([2.4010e-01, 0.0000e+00, 1.0000e-04])
    """
    p = logits.detach().softmax(dim=-1)
    mine, prediction = p.max(dim=-1)
    of_label = p.gather(1, label[:, None]).squeeze(1)
    learnt = of_label**disagree * (confidence >= mine)
    return torch.where(prediction == label, of_label**agree, learnt)
