"""Selection of the pseudo-labels that are sure enough to learn from."""

from __future__ import annotations

import math
from collections.abc import Iterator

import torch
from torch import Tensor

from tutelage.types import Labels, Weight

BLOCK = 2**22
"""Number of labels in a block, which bounds memory where labels lie in files."""
DIGIT = 16
"""Number of bits of a probability that `_surest` counts by at once."""


def above(confidence: Weight, threshold: float) -> Weight:
    """Weights (n,): 1 where the confidence, (n,), is at least ``threshold``, else 0.

    >>> above(torch.tensor([0.2, 0.9]), 0.9).tolist()
    [0.0, 1.0]
    """
    return (confidence >= threshold).to(confidence.dtype)


def top_of_each_class(confidence: Weight, label: Labels, share: float, out: Weight | None = None) -> Weight:
    """Weights (n,): 1 for the surest ``share`` of each predicted class, else 0, so that no class crowds out another.

    Args:
        confidence: probability of the predicted class, (n,), in [0, 1]; of equal ones the first count as surer.
        label: predicted class, (n,), at least 0.
        share: share of each class that is kept, in [0, 1]; above 0, at least one example of each predicted class is.
        out: tensor that gets the weights, (n,); None makes a new one.

    Source: Zou et al., class-balanced self-training (CBST), ECCV 2018.

    >>> top_of_each_class(torch.tensor([.9, .8, .3, .2]), torch.tensor([0, 0, 1, 1]), 0.5).tolist()
    [1.0, 0.0, 1.0, 0.0]
    """
    kept = [min(n, max(round(share * n), int(share > 0))) for n in class_counts(confidence, label).tolist()]
    return _surest(confidence, label, kept, out)


def top_of_all(confidence: Weight, share: float, out: Weight | None = None) -> Weight:
    """Weights (n,): 1 for the surest ``share`` of all examples, whatever their class, else 0.

    Args:
        confidence: probability of the predicted class, (n,), in [0, 1]; of equal ones the first count as surer.
        share: share of the examples that is kept, in [0, 1].
        out: tensor that gets the weights, (n,); None makes a new one.

    Source: Cascante-Bonilla et al., Curriculum Labeling, AAAI 2021 (percentiles of the confidence).

    >>> top_of_all(torch.tensor([0.9, 0.3, 0.8, 0.2]), 0.5).tolist()
    [1.0, 0.0, 1.0, 0.0]
    """
    return _surest(confidence, None, [round(share * len(confidence))], out)


def least_error(confidence: Weight) -> float:
    """The threshold of least estimated error among the units that it keeps; infinity where there is no unit.

        theta = argmin (1 + sum_u 1[p_u >= theta] (1 - p_u)) / sum_u 1[p_u >= theta]

    1 - p_u is the probability by which a unit's label is wrong. The 1 is one error more: without it the surest unit
    alone would be kept, with it a few sure ones are not better than many that are nearly as sure.

    Args:
        confidence: probability p of the predicted class, (n,), in [0, 1].

    Source: after the transductive threshold of Feofanov et al., AAAI 2019, whose bound on the error is another one.

    >>> round(least_error(torch.tensor([0.99, 0.99, 0.98, 0.6, 0.5])), 2)
    0.98
    """
    if not len(confidence):
        return math.inf
    sorted_, at = confidence.double().sort(descending=True)[0], torch.arange(1, len(confidence) + 1)
    error = (1 + (1 - sorted_).cumsum(0)) / at.to(sorted_)
    last = torch.cat([sorted_[1:] < sorted_[:-1], error.new_ones(1, dtype=torch.bool)])  # of equal ones all are kept
    return float(sorted_[error.masked_fill(~last, torch.inf).argmin()])


def class_counts(confidence: Weight, label: Labels, threshold: float = 0.0) -> Tensor:
    """Number of units of each predicted class whose confidence is at least ``threshold``, (classes,).

    Args:
        confidence: probability of the predicted class, (n,), in [0, 1].
        label: predicted class, (n,), at least 0; the largest one gives the number of classes.
        threshold: least confidence that counts.

    >>> class_counts(torch.tensor([0.9, 0.8, 0.3, 0.2]), torch.tensor([0, 0, 0, 1]), 0.5).tolist()
    [2, 0]
    """
    classes = 1 + max((int(label[at].max()) for at in blocks(label)), default=0)
    counts = torch.zeros(classes, dtype=torch.int64, device=label.device)
    for at in blocks(label):
        counts += torch.bincount(label[at][confidence[at] >= threshold].long(), minlength=classes)
    return counts


def blocks(of: Tensor) -> Iterator[slice]:
    """Slices of a tensor, (n, ...), of BLOCK rows each."""
    return (slice(start, start + BLOCK) for start in range(0, len(of), BLOCK))


def _surest(confidence: Weight, label: Labels | None, counts: list[int], out: Weight | None) -> Weight:
    """Weights (n,): 1 for the ``counts[c]`` surest of each class c, else 0, found block by block and without sorting.

    The bits of a float, read as a whole number, grow with it. So the least probability that is kept is found digit by
    digit, from the highest: at each digit by counting the probabilities that have each value of it.
    """
    out = torch.empty_like(confidence) if out is None else out
    whole = torch.int64 if confidence.dtype == torch.float64 else torch.int32
    bits = 64 if whole == torch.int64 else 32
    device, base = confidence.device, 2**DIGIT
    least = torch.zeros(len(counts), dtype=torch.int64, device=device)
    wanted = torch.tensor(counts, device=device)

    def block(at: slice) -> tuple[Tensor, Tensor]:
        number = confidence[at].contiguous().view(whole).long()
        return number, torch.zeros_like(number) if label is None else label[at].long()

    for shift in range(bits - DIGIT, -1, -DIGIT):
        tally = torch.zeros(len(counts) * base, dtype=torch.int64, device=device)
        for at in blocks(confidence):
            number, of = block(at)
            alike = (number >> (shift + DIGIT)) == least[of] if shift + DIGIT < bits else slice(None)
            tally += torch.bincount(of[alike] * base + ((number[alike] >> shift) & (base - 1)), minlength=len(tally))
        enough = tally.view(-1, base).flip(1).cumsum(1).flip(1)  # of each class, how many have at least this digit
        digit = (enough >= wanted[:, None]).sum(1) - 1
        larger = torch.nn.functional.pad(enough, (0, 1)).gather(1, digit[:, None] + 1)[:, 0]
        least, wanted = least * base + digit, wanted - larger
    least[torch.tensor(counts, device=device) == 0] = torch.iinfo(torch.int64).max
    for at in blocks(confidence):
        number, of = block(at)
        kept = number > least[of]
        for c in wanted.nonzero()[:, 0].tolist():  # of those that equal the least one, the first
            first = ((number == least[c]) & (of == c)).nonzero()[: int(wanted[c]), 0]
            kept[first] = True
            wanted[c] -= len(first)
        out[at] = kept.to(out.dtype)
    return out
