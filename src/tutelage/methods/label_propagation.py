"""Label propagation."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from scipy.sparse import csr_matrix

from tutelage.graph.propagate import Rows, harmonic, sharper
from tutelage.methods.fields import PositiveShare
from tutelage.methods.on_graph import OnGraph


@dataclass(frozen=True)
class LabelPropagation(OnGraph):
    """Labels spread along the graph of nearest rows until each row of the pool says the mean of its neighbours.

    (D_uu - W_uu) F_u = W_ul Y,  t_u proportional to F_u^(1/T), times a factor for each class that makes the
    classes' shares those of the labels;  L = L_sup(S) + weight * (1/|B_u|) sum_u w_u CE(t_u, f(x_u; S)).

    The probabilities F are right far more often than they say, so they are sharpened. A row that no label reaches has
    weight 0.

    Source: Zhu, Ghahramani and Lafferty, Semi-supervised learning using Gaussian fields and harmonic functions, ICML
    2003, eq. 5, and its class mass normalisation.

    Args:
        temperature: T, in (0, 1]; 1 does not sharpen.
        neighbours: number of nearest rows to which each row is joined, at least 1.
        edges: weights of the graph's edges: "gaussian", "cosine" or "binary".
        balance: whether the classes get the shares in the pool that they have among the labels.
        weight: factor on the pool's loss, at least 0.
        confidence: how much a row of the pool counts: "entropy", w = 1 - H / log C, or "none", all alike.

    >>> LabelPropagation(neighbours=5).edges
    'gaussian'
    """

    name: ClassVar[str] = "label_propagation"
    stackable: ClassVar[bool] = True
    parted: ClassVar[bool] = True
    still: ClassVar[tuple[str, ...]] = ("temperature",)
    temperature: PositiveShare = 0.1

    def spread(self, w: csr_matrix, given: Rows) -> Rows:
        return sharper(harmonic(w, given), self.temperature)
