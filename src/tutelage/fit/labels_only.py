"""The labels-only reference: the strongest simple model of the labels alone."""

from __future__ import annotations

import copy
import warnings
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from itertools import product

import numpy as np
import torch
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LogisticRegression
from torch import nn

from tutelage.fit.held_out import FoldPredictions, Folds
from tutelage.modalities.head import Head

STRENGTHS = (1e-5, 1e-4, 1e-3, 1e-2, 1e-1, 1.0)
"""Values of C, the inverse strength of the L2 penalty, that the labels choose from; features are standardised."""

Choice = tuple[str, float]
"""The name of a scaling, and a value of C."""

NEVER = -30.0
"""Logit of a class that has no label."""


def probe(head: Head, x: np.ndarray, y: np.ndarray, strength: float, weight: np.ndarray | None = None) -> Head:
    """Logistic regression on the head's standardised features, written into the head.

    A class without a label is never predicted; where one class alone has labels, it always is.

    Args:
        head: linear, standardised; it is filled and returned.
        x: features of the units, (n, d).
        y: their class numbers, (n,).
        strength: C, above 0; a smaller one regularises more.
        weight: weight of each unit, (n,), above 0; None weighs all alike.

    Raises:
        TypeError: the head is not linear.
    """
    linear = head.layers[-1]
    if not isinstance(linear, torch.nn.Linear):
        raise TypeError(f"head must be linear, but ends with a {type(linear).__name__}")
    with torch.no_grad():
        linear.weight.zero_()
        linear.bias.fill_(NEVER)
        linear.bias[np.unique(y)] = 0
    if len(np.unique(y)) == 1:  # of sentences without an entity
        return head
    z = ((torch.as_tensor(x) - head.mean) / head.scale).numpy()
    with warnings.catch_warnings(), np.errstate(invalid="ignore"):  # BLAS may flag what it reads beside the numbers
        warnings.simplefilter("ignore", ConvergenceWarning)
        warnings.filterwarnings("ignore", "The number of unique classes is greater than 50%")  # few labels a class
        model = LogisticRegression(C=strength, max_iter=1000).fit(z, y, sample_weight=weight)
    slope, bias = torch.as_tensor(model.coef_), torch.as_tensor(model.intercept_)
    if len(slope) == 1:  # two classes: one row of coefficients, for the second
        slope, bias = torch.stack([-slope[0], slope[0]]) / 2, torch.stack([-bias[0], bias[0]]) / 2
    with torch.no_grad():
        linear.weight[model.classes_] = slope.to(linear.weight.dtype)
        linear.bias[model.classes_] = bias.to(linear.bias.dtype)
    return head


@dataclass(frozen=True)
class Probe:
    """A linear model on fixed features, with its scaling and L2 penalty chosen on the labels.

    Args:
        x: features of the labelled units, (units, d).
        y: their class numbers, (units,).
        blanks: linear heads without weights, standardised, by the name of the scaling; the first name is "".
        wrap: makes the network of the fitted head; by default the head itself is the network.
        weight: weight of each unit, (units,), above 0; None weighs all alike.
    """

    x: np.ndarray
    y: np.ndarray
    blanks: Mapping[str, Head]
    wrap: Callable[[Head], nn.Module] = lambda head: head
    weight: np.ndarray | None = None

    @property
    def choices(self) -> tuple[Choice, ...]:
        """All pairs of a scaling and a strength."""
        return tuple(product(self.blanks, STRENGTHS))

    def fitted(self, index: np.ndarray, choice: Choice) -> Head:
        """A head fitted on the units ``index``."""
        scaling, strength = choice
        weight = None if self.weight is None else self.weight[index]
        return probe(copy.deepcopy(self.blanks[scaling]), self.x[index], self.y[index], strength, weight)

    def network(self, choice: Choice) -> nn.Module:
        """The network fitted on all labels."""
        return self.wrap(self.fitted(np.arange(len(self.y)), choice))

    def held_out(self, folds: Folds, choice: Choice) -> FoldPredictions:
        """Probabilities of each fold's units by a head fitted on the others; ``folds`` are of units here."""
        parts = []
        for train, test in folds:
            with torch.no_grad():
                logits = self.fitted(train, choice).eval()(torch.as_tensor(self.x[test]))
            parts.append((test, {"probabilities": logits.softmax(-1).double().numpy()}))
        return parts
