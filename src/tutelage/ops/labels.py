"""Pseudo-labels and their weights.

Labels are log-probabilities, so that a certain teacher gives no gradient of 0 * inf.
"""

from __future__ import annotations

import math

import torch
from jaxtyping import Float
from torch import Tensor

from tutelage.types import Labels, Logits, LogProbs, Probs, Weight


def sharpen(logits: Logits, temperature: float) -> LogProbs:
    """Sharpened soft labels: ``log y_j``, where ``y_j`` is proportional to ``p_j ** (1 / temperature)``.

    Args:
        logits: the teacher's logits u, (n, c).
        temperature: in (0, 1]; 1 keeps the teacher's probabilities, 0.5 squares them.

    Returns:
        Log-probabilities (n, c), differentiable in the logits.

    Source: Zuo et al., DRIFT, Findings of NAACL 2022 (form (a) of the follower's strategy).

    >>> sharpen(torch.tensor([[2.0, 1.0]]), 0.5).exp().mul(1000).round().tolist()
    [[881.0, 119.0]]
    """
    return torch.log_softmax(logits / temperature, dim=-1)


def balanced(logits: Logits, temperature: float, balance: float) -> LogProbs:
    """Sharpened over frequency: ``y_ij`` proportional to ``p_ij ** (1 / temperature) / f_j ** balance``.

    ``f_j = sum_i p_ij``: the more of the batch is predicted as class j, the less its labels say j. The examples of a
    batch depend on each other, also in the gradient.

    Args:
        logits: the teacher's logits, (n, c); f is summed over these n examples.
        temperature: in (0, 1].
        balance: in [0, 1]; 0 is `sharpen`, 1 with temperature 0.5 is `soft_frequency`.

    Returns:
        Log-probabilities (n, c), differentiable in the logits.

    >>> logits = torch.tensor([[2.0, 0.0], [2.0, 0.0]])
    >>> [round(balanced(logits, 0.5, b).exp()[0, 0].item(), 2) for b in (0.0, 0.5, 1.0)]
    [0.98, 0.95, 0.88]
    """
    log_p = torch.log_softmax(logits, dim=-1)
    return torch.log_softmax(log_p / temperature - balance * torch.logsumexp(log_p, dim=0), dim=-1)


def soft_frequency(logits: Logits) -> LogProbs:
    """Squared over frequency: ``y_ij`` proportional to ``p_ij ** 2 / f_j`` with ``f_j = sum_i p_ij``.

    The labels of a batch are drawn towards balanced classes; see `balanced`.

    Args:
        logits: the teacher's logits, (n, c).

    Returns:
        Log-probabilities (n, c), differentiable in the logits.

    Source: Xie et al., ICML 2016 (DEC); used by COSINE, BOND and DRIFT for weak supervision.

    >>> soft_frequency(torch.tensor([[0.0, 0.0], [0.0, 0.0]])).exp().tolist()
    [[0.5, 0.5], [0.5, 0.5]]
    """
    return balanced(logits, temperature=0.5, balance=1.0)


def two_hot(logits: Logits) -> Probs:
    """Labels of one half on each of a row's two likeliest classes.

    Args:
        logits: the teacher's logits, (n, c), c at least 3: with two classes all labels are alike.

    Returns:
        Probabilities (n, c).

    Source: Jeong and Chung, ICLR 2025.

    >>> two_hot(torch.tensor([[3.0, 1.0, 2.0]])).tolist()
    [[0.5, 0.0, 0.5]]
    """
    return torch.zeros_like(logits).scatter(-1, logits.topk(2, dim=-1).indices, 0.5)


def align(logits: Logits, wanted: Float[Tensor, " c"], found: Float[Tensor, " c"]) -> LogProbs:
    """Distribution alignment: ``log y_j``, where ``y_j`` is proportional to ``p_j wanted_j / found_j``.

    Args:
        logits: logits of p, (n, c).
        wanted: wanted share of each class, (c,); a uniform one makes all classes equally frequent.
        found: share of each class in the predictions, above 0, (c,).

    Returns:
        Log-probabilities (n, c).

    Source: Berthelot et al., ReMixMatch, ICLR 2020, Section 3.1.

    >>> p = torch.tensor([[0.6, 0.4]])
    >>> align(p.log(), torch.tensor([0.5, 0.5]), torch.tensor([0.75, 0.25])).exp().mul(1000).round().tolist()
    [[333.0, 667.0]]
    """
    tiny = torch.finfo(logits.dtype).tiny
    return torch.log_softmax(logits + wanted.clamp(min=tiny).log() - found.clamp(min=tiny).log(), dim=-1)


def ema(kept: Float[Tensor, "*s"], new: Float[Tensor, "*s"], decay: float) -> Float[Tensor, "*s"]:
    """Exponential moving average: ``decay * kept + (1 - decay) * new``, a new tensor of the same shape.

    >>> ema(torch.tensor([0.0, 1.0]), torch.tensor([1.0, 1.0]), 0.75).tolist()
    [0.25, 1.0]
    """
    return decay * kept + (1 - decay) * new


def certainty(logits: Logits) -> Weight:
    """Weight by entropy: ``w = 1 - H(p) / log C`` with ``p = softmax(logits)``.

    Args:
        logits: the teacher's logits, (n, c), c >= 2.

    Returns:
        Weights (n,), in [0, 1]: 0 for a uniform prediction, 1 for a certain one; differentiable.

    Source: Zuo et al., DRIFT; Yu et al., COSINE, NAACL 2021 (whose code divides by log of the
    batch size by mistake; this divides by log C).

    >>> certainty(torch.tensor([[0.0, 0.0, 0.0], [99.0, 0.0, 0.0]])).tolist()
    [0.0, 1.0]
    """
    log_p = torch.log_softmax(logits, dim=-1)
    entropy = -(log_p.exp() * log_p).sum(-1)
    return 1 - entropy / math.log(logits.shape[-1])


def agreement(logits: Logits, label: Labels, confidence: Weight, agree: float, disagree: float) -> Weight:
    """Weight of another model's hard labels by their agreement with the model in training.

        w = p^agree      where this model predicts the label too,
            p^disagree   where it predicts another, not surer than the label's confidence,
            0            where it is surer of another:         p = softmax(logits)[label]

    Args:
        logits: logits of the model in training, (n, c); they are detached, so the weight has no gradient.
        label: class numbers that the other model predicted, (n,).
        confidence: probability of that label when it was made, (n,), in [0, 1].
        agree, disagree: exponents, at least 0 (the paper's gamma_1 and gamma_2).

    Returns:
        Weights (n,), in [0, 1].

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
