"""The prior of a chat model over the classes, taken off: what it says of every text, whatever stands in it."""

from __future__ import annotations

import numpy as np
from scipy.special import log_softmax

FEWEST = 20
"""Texts, at least, over which a mean says something of the model, and not of these texts."""


def without_prior(logs: np.ndarray) -> np.ndarray:
    """Logarithms of probabilities without the model's prior over the classes.

        log p'(k|x) = log p(k|x) - mean over the rows of log p(k|x') + a constant of the row

    A small model may find one answer likelier than another whatever it reads, as it finds one word likelier. No label
    is needed. Where it is sure and right, no answer changes; but the classes come out more evenly than they are, which
    costs something where one of them is rare.

    Args:
        logs: logarithms of probabilities, (n, c); rows of NaN are silent.

    Returns:
        The same, (n, c); unchanged where fewer than `FEWEST` rows are told.

    Source: Zhou et al., ICLR 2024, batch calibration (eq. 5, there the mean of the scores over a batch; here that of
    their logarithms over all rows, our reading). Zhao et al., ICML 2021, contextual calibration, takes the scores of a
    text without content in place of that mean.

    >>> logs = np.log(np.tile([[0.6, 0.4], [0.8, 0.2]], (10, 1)))
    >>> np.exp(without_prior(logs))[:2].round(2).tolist()
    [[0.38, 0.62], [0.62, 0.38]]
    """
    told = ~np.isnan(logs).any(1)
    if told.sum() < FEWEST:
        return logs
    found = logs.copy()
    found[told] = log_softmax(logs[told] - logs[told].mean(0), axis=1)
    return found
