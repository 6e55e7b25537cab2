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

    (D_uu - W_uu) F_u = W_ul Y,  t_u proportional to F_u^(1/T), times a factor a class that makes the classes' shares
    those of the labels;  L = L_sup(S) + weight * (1/|B_u|) sum_u w_u CE(t_u, f(x_u; S)).

    F alone is far less sure than it is right, so it is sharpened. Rows that no label reaches count nothing.

    Source: Zhu, Ghahramani and Lafferty, Semi-supervised learning using Gaussian fields and harmonic functions, ICML
    2003, eq. 5, and its class mass normalisation.

    Args:
        temperature: T, in (0, 1].
        neighbours: nearest rows that each row is joined to, at least 1.
        edges: "gaussian", "cosine" or "binary" weights of the graph.
        balance: whether the shares of the classes are made those of the labels.
        weight: of the pool's loss, at least 0.
        confidence: "entropy": a row of the pool counts w = 1 - H / log C; or "none": all count alike.

    >>> LabelPropagation(neighbours=5).edges
    'gaussian'
    """

    name: ClassVar[str] = "label_propagation"
    temperature: PositiveShare = 0.1

    def spread(self, w: csr_matrix, given: Rows) -> Rows:
        return sharper(harmonic(w, given), self.temperature)
