"""A teacher made of descriptions: how near an item is to the sentences that describe each class."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor, nn

from tutelage.modalities.head import Head
from tutelage.weak import Source

DESCRIBED = "descriptions"
"""Name of the descriptions as a source."""

SCALE = 15.0
"""Logits of a cosine of 1. It was chosen once, on six sets of texts: the likelihood of their classes is greatest on
average between 15 and 20."""


def described_head(sentences: Tensor, classes: Sequence[int] | np.ndarray, pool: Tensor, scale: float = SCALE) -> Head:
    """Head that answers by the cosine of an item's features with those of each class's description.

        logit_k(x) = scale (cos(x, w_k) - mean over the pool of cos(x', w_k))

    w_k is the mean of the features of the sentences on class k, each of length 1. The mean over the pool is taken off
    since a sentence may be near to every text; no label is needed for it. Where features have another length than 1,
    they are divided by the root mean square of the pool's lengths.

    Args:
        sentences: features of all sentences, (s, d), by the encoder that gives the items' features.
        classes: class number of each sentence, (s,); each class has one at least.
        pool: features of the pool, (n, d), at least one row.
        scale: logits of a cosine of 1, above 0.

    Returns:
        A linear head on features, (n, d), that needs no training.

    Raises:
        ValueError: a class has no sentence, or the pool has no row.

    >>> head = described_head(torch.eye(2), [0, 1], torch.tensor([[1.0, 0.0], [0.0, 1.0]]))
    >>> head(torch.tensor([[1.0, 0.0]])).tolist()
    [[7.5, -7.5]]
    """
    which = torch.as_tensor(np.asarray(classes))
    count = int(which.max()) + 1
    lacking = sorted(set(range(count)) - set(which.tolist()))
    if lacking:
        raise ValueError(f"classes must name each class, {lacking[0]} has no sentence")
    if not len(pool):
        raise ValueError("pool must have at least one row of features")
    pool, sentences = pool.detach().double().cpu(), sentences.detach().double().cpu()
    unit = nn.functional.normalize(sentences, dim=1)
    vectors = torch.zeros(count, unit.shape[1], dtype=unit.dtype).index_add(0, which, unit)
    vectors = nn.functional.normalize(vectors, dim=1)
    length = pool.square().sum(1).mean().sqrt().clamp(min=1e-12)
    head = Head(unit.shape[1], count)
    linear = head.layers[-1]
    assert isinstance(linear, nn.Linear)
    with torch.no_grad():
        head.mean.copy_(pool.mean(0))
        linear.weight.copy_(scale * vectors / length)
        linear.bias.zero_()
    return head


def sentences_of(described: Sequence[Sequence[str]]) -> tuple[list[str], list[int]]:
    """All sentences of the descriptions in one list, and the number of the class that each describes.

    Args:
        described: sentences on each class, in the order of the classes.

    >>> sentences_of([["eat", "bread"], ["ball"]])
    (['eat', 'bread', 'ball'], [0, 0, 1])
    """
    pairs = [(sentence, k) for k, sentences in enumerate(described) for sentence in sentences]
    return [sentence for sentence, _ in pairs], [k for _, k in pairs]


def described_source(head: Head, labelled: Tensor, pool: Tensor) -> Source:
    """What the descriptions say of the labelled items and then of the pool's, as a source beside other teachers.

    Args:
        head: head that `described_head` made.
        labelled: features of the labelled items, (l, d).
        pool: features of the pool, (n, d).
    """
    with torch.no_grad():
        rows = torch.cat([labelled, pool]).to(head.mean)
        return Source(DESCRIBED, head.eval()(rows).double().softmax(-1).cpu().numpy())
