"""Which pseudo-labels are sure enough to learn from."""

from __future__ import annotations

from collections.abc import Iterator

import torch
from torch import Tensor

from tutelage.types import Labels, Weight

BLOCK = 2**22
"""Labels looked at together: what bounds memory where labels lie in files."""
DIGIT = 16
"""Bits of a probability that are looked at together."""


def above(confidence: Weight, threshold: float) -> Weight:
    """1 where the confidence is at least ``threshold``, else 0.

    >>> above(torch.tensor([0.2, 0.9]), 0.9).tolist()
    [0.0, 1.0]
    """
    return (confidence >= threshold).to(confidence.dtype)


def top_of_each_class(confidence: Weight, label: Labels, share: float, out: Weight | None = None) -> Weight:
    """1 for the surest ``share`` of each predicted class, else 0: no class crowds out another.

    Args:
        confidence: probability of the predicted class, (n,), in [0, 1]; of equals the first are surer.
        label: predicted class, (n,), at least 0.
        share: in [0, 1]; at least one example of every predicted class is kept when above 0.
        out: where to write it, (n,).

    Source: Zou et al., class-balanced self-training (CBST), ECCV 2018.

    >>> top_of_each_class(torch.tensor([.9, .8, .3, .2]), torch.tensor([0, 0, 1, 1]), 0.5).tolist()
    [1.0, 0.0, 1.0, 0.0]
    """
    kept = [min(n, max(round(share * n), int(share > 0))) for n in class_counts(confidence, label).tolist()]
    return _surest(confidence, label, kept, out)


def top_of_all(confidence: Weight, share: float, out: Weight | None = None) -> Weight:
    """1 for the surest ``share`` of all examples, whatever their class, else 0.

    Args:
        confidence: probability of the predicted class, (n,), in [0, 1]; of equals the first are surer.
        share: in [0, 1].
        out: where to write it, (n,).

    Source: Cascante-Bonilla et al., Curriculum Labeling, AAAI 2021 (percentiles of the confidence).

    >>> top_of_all(torch.tensor([0.9, 0.3, 0.8, 0.2]), 0.5).tolist()
    [1.0, 0.0, 1.0, 0.0]
    """
    return _surest(confidence, None, [round(share * len(confidence))], out)


def class_counts(confidence: Weight, label: Labels, threshold: float = 0.0) -> Tensor:
    """How many units of each predicted class have at least this confidence, (classes,), found block by block.

    >>> class_counts(torch.tensor([0.9, 0.8, 0.3, 0.2]), torch.tensor([0, 0, 0, 1]), 0.5).tolist()
    [2, 0]
    """
    classes = 1 + max((int(label[at].max()) for at in blocks(label)), default=0)
    counts = torch.zeros(classes, dtype=torch.int64, device=label.device)
    for at in blocks(label):
        counts += torch.bincount(label[at][confidence[at] >= threshold].long(), minlength=classes)
    return counts


def blocks(of: Tensor) -> Iterator[slice]:
    """Parts of so many labels as may be looked at together."""
    return (slice(start, start + BLOCK) for start in range(0, len(of), BLOCK))


def _surest(confidence: Weight, label: Labels | None, counts: list[int], out: Weight | None) -> Weight:
    """1 for the ``counts[c]`` surest of each class c, else 0, found block by block and without sorting.

    A probability's bits, read as a whole number, grow with it: the least one to keep is found digit by digit, by
    counting how many have each digit.
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
