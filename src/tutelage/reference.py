"""The labels-only reference: the strongest simple model of the labels alone."""

from __future__ import annotations

import copy
import warnings
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LogisticRegression
from torch import nn

from tutelage.models.heads import Head

STRENGTHS = (1e-5, 1e-4, 1e-3, 1e-2, 1e-1, 1.0)
"""Inverse strengths C of the L2 penalty that the labels choose from; features are standardised."""

Folds = list[tuple[np.ndarray, np.ndarray]]


@dataclass(frozen=True)
class HeldOut:
    """Cross-validated predictions: probabilities (labels, c), and shares of right answers (labels,)."""

    probabilities: np.ndarray
    right: np.ndarray

    @staticmethod
    def average(n: int, classes: int, y: np.ndarray, parts: list[tuple[np.ndarray, np.ndarray]]) -> HeldOut:
        """Average over the repeats from (held-out indices, their probabilities)."""
        total, right, times = np.zeros((n, classes)), np.zeros(n), np.zeros(n)
        for index, p in parts:
            total[index] += p
            right[index] += p.argmax(1) == y[index]
            times[index] += 1
        return HeldOut(total / times[:, None], right / times)


def probe(head: Head, x: np.ndarray, y: np.ndarray, strength: float) -> Head:
    """Logistic regression on the head's standardised features, written into the (linear) head.

    Args:
        x: features (n, d); y: class numbers (n,), at least two different ones.
        strength: C, above 0; smaller is more regular.
    """
    z = ((torch.as_tensor(x) - head.mean) / head.scale).numpy()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        model = LogisticRegression(C=strength, max_iter=1000).fit(z, y)
    linear = head.layers[-1]
    assert isinstance(linear, torch.nn.Linear)
    weight, bias = torch.as_tensor(model.coef_), torch.as_tensor(model.intercept_)
    if len(weight) == 1:  # two classes: one row of coefficients, for the second
        weight, bias = torch.stack([-weight[0], weight[0]]) / 2, torch.stack([-bias[0], bias[0]]) / 2
    with torch.no_grad():
        linear.weight.copy_(weight)
        linear.bias.copy_(bias)
    return head


@dataclass(frozen=True)
class Probe:
    """A linear model on fixed features, with its L2 penalty chosen on the labels.

    Args:
        x: features of the labelled examples, (labels, d).
        y: their class numbers, (labels,).
        blank: a linear head, standardised.
        wrap: makes the network that is returned from the fitted head.
    """

    x: np.ndarray
    y: np.ndarray
    blank: Head
    wrap: Callable[[Head], nn.Module] = lambda head: head

    def fitted(self, index: np.ndarray, strength: float) -> Head:
        return probe(copy.deepcopy(self.blank), self.x[index], self.y[index], strength)

    def network(self, strength: float) -> nn.Module:
        """The network that is returned, fitted on all labels."""
        return self.wrap(self.fitted(np.arange(len(self.y)), strength))

    def held_out(self, folds: Folds, classes: int, strength: float) -> HeldOut:
        parts = []
        for train, test in folds:
            with torch.no_grad():
                logits = self.fitted(train, strength).eval()(torch.as_tensor(self.x[test]))
            parts.append((test, logits.softmax(-1).double().numpy()))
        return HeldOut.average(len(self.y), classes, self.y, parts)

    def choose(self, folds: Folds, classes: int) -> tuple[float, HeldOut]:
        """The C of the best cross-validated accuracy, then likelihood; and its predictions.

        The estimate is that of the best of six, so it flatters the reference a little: errors are
        on the side of not believing in the pool.
        """
        tried = {c: self.held_out(folds, classes, c) for c in STRENGTHS}

        def merit(c: float) -> tuple[float, float]:
            likelihood = tried[c].probabilities[np.arange(len(self.y)), self.y]
            return round(float(tried[c].right.mean()), 9), float(np.log(likelihood.clip(1e-12)).mean())

        best = max(STRENGTHS, key=merit)
        return best, tried[best]
