"""Which pseudo-labels are sure enough to learn from."""

from __future__ import annotations

import torch

from tutelage.types import Labels, Weight


def above(confidence: Weight, threshold: float) -> Weight:
    """1 where the confidence is at least ``threshold``, else 0.

    >>> above(torch.tensor([0.2, 0.9]), 0.9).tolist()
    [0.0, 1.0]
    """
    return (confidence >= threshold).to(confidence.dtype)


def top_of_each_class(confidence: Weight, label: Labels, share: float) -> Weight:
    """1 for the surest ``share`` of each predicted class, else 0: no class crowds out another.

    Args:
        confidence: probability of the predicted class, (n,), in [0, 1].
        label: predicted class, (n,).
        share: in [0, 1]; at least one example of every predicted class is kept when above 0.

    Source: Zou et al., class-balanced self-training (CBST), ECCV 2018.

    >>> top_of_each_class(torch.tensor([.9, .8, .3, .2]), torch.tensor([0, 0, 1, 1]), 0.5).tolist()
    [1.0, 0.0, 1.0, 0.0]
    """
    keep = torch.zeros_like(confidence)
    for c in torch.unique(label):
        mine = (label == c).nonzero().squeeze(1)
        count = min(len(mine), max(round(share * len(mine)), int(share > 0)))
        keep[mine[confidence[mine].argsort(descending=True, stable=True)[:count]]] = 1
    return keep


def top_of_all(confidence: Weight, share: float) -> Weight:
    """1 for the surest ``share`` of all examples, whatever their class, else 0.

    Args:
        confidence: probability of the predicted class, (n,), in [0, 1].
        share: in [0, 1].

    Source: Cascante-Bonilla et al., Curriculum Labeling, AAAI 2021 (percentiles of the confidence).

    >>> top_of_all(torch.tensor([0.9, 0.3, 0.8, 0.2]), 0.5).tolist()
    [1.0, 0.0, 1.0, 0.0]
    """
    keep = torch.zeros_like(confidence)
    keep[confidence.argsort(descending=True, stable=True)[: round(share * len(confidence))]] = 1
    return keep
