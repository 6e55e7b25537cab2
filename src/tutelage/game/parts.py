"""A loss on a batch that is gone through in parts, so that the activations of one part at a time are held."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeVar

import torch
from torch import Tensor

from tutelage.types import Params, Terms

K = TypeVar("K", bound=Hashable)


@dataclass(frozen=True)
class Parted(Terms):
    """The terms of a loss on a batch, which are not computed before `gradient` is asked for their gradient.

    Attributes:
        parts: functions that give the terms on each part of the batch; they sum to those on the whole batch.
    """

    parts: Sequence[Callable[[], Terms]] = field(default=(), kw_only=True)

    @property
    def total(self) -> Any:
        """The terms themselves: the loss is known after its gradient."""
        return self

    def gradient(self, of: Callable[[Tensor], dict[K, Tensor]]) -> dict[K, Tensor]:
        """The sum of the gradients of all parts, one after another; the terms are then there, without a graph.

        Args:
            of: gives the gradient of a loss in tensors by name.

        >>> a = torch.tensor(2.0, requires_grad=True)
        >>> terms = Parted({}, parts=[lambda: Terms({"square": a * a / 2})] * 2)
        >>> found = terms.gradient(lambda loss: {"a": torch.autograd.grad(loss, a)[0]})
        >>> found["a"].item(), terms.terms["square"].item()
        (4.0, 4.0)
        """
        total: dict[K, Tensor] = {}
        found: list[Terms] = []
        for part in self.parts:
            terms = part()
            grads = of(terms.total)
            total = {n: total[n] + g for n, g in grads.items()} if total else grads
            found.append(Terms({n: t.detach() for n, t in terms.terms.items()}, terms.seen))
            del terms, grads  # the graph of a part is gone before the next one's is made
        whole = joined(found)
        self.terms.update(whole.terms)
        self.seen.update(whole.seen)
        return total


def joined(parts: Sequence[Terms]) -> Terms:
    """The terms of all parts of a batch together: terms are summed, what was seen of units is put in a row.

    >>> parts = [Terms({"pool": torch.tensor(v)}, {"label": torch.tensor([n])}) for v, n in ((0.5, 3), (1.0, 4))]
    >>> joined(parts).terms["pool"].item(), joined(parts).seen["label"].tolist()
    (1.5, [3, 4])
    """
    first, terms, seen = parts[0], Params(), dict[str, Any]()
    for name in first.terms:
        terms[name] = torch.stack([part.terms[name] for part in parts]).sum()
    for name in first.seen:
        seen[name] = torch.cat([part.seen[name] for part in parts])
    return Terms(terms, seen)
