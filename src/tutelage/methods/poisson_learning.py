"""Poisson learning."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from scipy.sparse import csr_matrix

from tutelage.graph.propagate import Rows, poisson, probabilities_of
from tutelage.methods.fields import Positive
from tutelage.methods.on_graph import OnGraph


@dataclass(frozen=True)
class PoissonLearning(OnGraph):
    """Each label is a source of its class and a sink of others in the graph of nearest rows; for very few labels.

    L u = sum_j (y_j - ybar) delta_j,  sum_i d_i u_i = 0,  t proportional to ybar * exp(slope * u / rms(u)), times a
    factor for each class that makes the classes' shares those of the labels;
    L = L_sup(S) + weight * (1/|B_u|) sum_u w_u CE(t_u, f(x_u; S)).

    Where labels are few, label propagation is nearly constant away from them; Poisson learning is not. Rows that no
    label reaches count nothing.

    Source: Calder et al., Poisson learning, ICML 2020, eq. 2.3; the probabilities are ours.

    Args:
        slope: factor in the exponent, above 0; the greater, the surer the probabilities.
        neighbours: number of nearest rows to which each row is joined, at least 1.
        edges: weights of the graph's edges: "gaussian", "cosine" or "binary".
        balance: whether the classes get the shares in the pool that they have among the labels.
        weight: factor on the pool's loss, at least 0.
        confidence: how much a row of the pool counts: "entropy", w = 1 - H / log C, or "none", all alike.

    >>> PoissonLearning(confidence="entropy").slope
    6.0
    """

    name: ClassVar[str] = "poisson_learning"
    stackable: ClassVar[bool] = True
    parted: ClassVar[bool] = True
    still: ClassVar[tuple[str, ...]] = ("slope",)
    slope: Positive = 6.0

    def spread(self, w: csr_matrix, given: Rows) -> Rows:
        return probabilities_of(*poisson(w, given), self.slope)
