"""The prior of a chat model over the classes, taken off: what it says on average, whatever stands in a text."""

from __future__ import annotations

import numpy as np
from scipy.special import log_softmax, logsumexp

FEWEST = 20
"""Texts, at least, over which a mean says something of the model, and not of these texts."""


def prior_of(logs: np.ndarray) -> np.ndarray:
    """Logarithm of the model's mean probability of each class, (c,), over the rows that are told.

    Args:
        logs: logarithms of probabilities, (n, c); rows of NaN are silent.

    >>> np.exp(prior_of(np.log([[0.6, 0.4], [0.8, 0.2]]))).round(2).tolist()
    [0.7, 0.3]
    """
    told = logs[~np.isnan(logs).any(1)]
    return np.asarray(logsumexp(told, axis=0) - np.log(len(told)))


def without_prior(logs: np.ndarray) -> np.ndarray:
    """Logarithms of probabilities without the model's prior over the classes.

        log p'(k|x) = log p(k|x) - log mean over the rows of p(k|x') + a constant of the row

    A small model may find one answer likelier than another whatever it reads, as it finds one word likelier. No label
    is needed. Where it is sure, few answers change, also where a class is rare, which the mean of the logarithms would
    not grant; but the classes come out more evenly than the model has them, which costs something where one is rare.

    Args:
        logs: logarithms of probabilities, (n, c); rows of NaN are silent.

    Returns:
        The same, (n, c); unchanged where fewer than `FEWEST` rows are told.

    Source: Zhou et al., ICLR 2024, batch calibration, here over all rows (our reading). Contextual calibration, Zhao et
    al., ICML 2021, takes what the model says of a text without content in place of that mean.

    >>> logs = np.log(np.tile([[0.6, 0.4], [0.8, 0.2]], (10, 1)))
    >>> np.exp(without_prior(logs))[:2].round(2).tolist()
    [[0.39, 0.61], [0.63, 0.37]]
    """
    told = ~np.isnan(logs).any(1)
    if told.sum() < FEWEST:
        return logs
    found = logs.copy()
    found[told] = log_softmax(logs[told] - prior_of(logs), axis=1)
    return found
