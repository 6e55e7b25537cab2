"""Label spreading."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, ClassVar

from scipy.sparse import csr_matrix

from tutelage.graph.propagate import Rows, sharper, spread
from tutelage.methods.fields import PositiveShare
from tutelage.methods.on_graph import OnGraph
from tutelage.ops.checks import Range

ALMOST = 0.9999
"""The greatest alpha: above it the linear system is nearly singular."""


@dataclass(frozen=True)
class LabelSpreading(OnGraph):
    """Labels spread along the graph of nearest rows, a share alpha at each step; given labels may be overruled.

    F = (1 - alpha) (I - alpha S)^-1 Y,  S = D^-1/2 W D^-1/2,  t_u proportional to F_u^(1/T), times a factor for each
    class that makes the classes' shares those of the labels;  L = L_sup(S) + weight * (1/|B_u|) sum_u w_u CE(t_u,
    f(x_u; S)).

    A row that no label reaches has weight 0.

    Source: Zhou et al., Learning with local and global consistency, NIPS 2003.

    Args:
        alpha: share of a row's label that comes from its neighbours, in [0, 0.9999].
        temperature: T, in (0, 1]; 1 does not sharpen.
        neighbours: number of nearest rows to which each row is joined, at least 1.
        edges: weights of the graph's edges: "gaussian", "cosine" or "binary".
        balance: whether the classes get the shares in the pool that they have among the labels.
        weight: factor on the pool's loss, at least 0.
        confidence: how much a row of the pool counts: "entropy", w = 1 - H / log C, or "none", all alike.

    >>> LabelSpreading(alpha=0.9).temperature
    0.2
    """

    name: ClassVar[str] = "label_spreading"
    stackable: ClassVar[bool] = True
    parted: ClassVar[bool] = True
    still: ClassVar[tuple[str, ...]] = ("alpha", "temperature")
    alpha: Annotated[float, Range(0, ALMOST)] = 0.99
    temperature: PositiveShare = 0.2

    def spread(self, w: csr_matrix, given: Rows) -> Rows:
        return sharper(spread(w, given, self.alpha), self.temperature)
