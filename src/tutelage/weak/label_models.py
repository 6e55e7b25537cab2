"""Label models: from the votes of labelling functions to the probabilities of the classes."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd

from tutelage.ops.checks import lacking, one_of
from tutelage.weak.accuracies import Prior, ballots
from tutelage.weak.by_features import BY_FEATURES
from tutelage.weak.votes import Votes

DEFAULT = "data_programming"
"""Name of the default label model: the best on average on three sets of rules, those of TREC, SMS and YouTube."""


def label(
    votes: Votes, model: str = DEFAULT, y: np.ndarray | None = None, rows: np.ndarray | None = None
) -> np.ndarray:
    """Probabilities of the classes by a label model of the votes.

    Args:
        votes: votes of m functions on n rows, for c classes.
        model: name of a label model, one of LABEL_MODELS, or of BY_FEATURES.
        y: true class numbers, (n,); -1 = unknown. "data_programming" and "fable" estimate the functions' accuracies on
            them; the other models ignore them, and no model copies them into its answer.
        rows: features of the rows, (n, d), which a model of BY_FEATURES needs; the others ignore them.

    Returns:
        Probabilities, (n, c); 1 / c for every class where no function votes, see `Votes.covered`.

    Raises:
        ValueError: no function votes on any row, the model is unknown, ``y`` has the wrong shape or is out of range, or
            there are no features that the model needs, not one row of them for each row of votes, or not all finite.

    >>> votes = Votes(np.array([[0, 0, 1], [-1, -1, -1]]), ["a", "b", "c"], ["ham", "spam"])
    >>> label(votes, "majority").round(2).tolist()
    [[0.67, 0.33], [0.5, 0.5]]
    """
    one_of("model", model, (*LABEL_MODELS, *BY_FEATURES))
    n, c = len(votes), len(votes.classes)
    y = np.full(n, -1) if y is None else y
    if y.shape != (n,):
        raise ValueError(f"y must have shape {(n,)}, got {y.shape}")
    if n and not -1 <= y.min() <= y.max() < c:
        raise ValueError(f"y must be in -1..{c - 1}, got {y.min()}..{y.max()}")
    covered = votes.covered
    if not covered.any():
        raise ValueError("no function votes on any row")
    p = np.full((n, c), 1 / c)
    if model in BY_FEATURES:
        x = _checked(rows, model, n)[covered]
        p[covered] = BY_FEATURES[model](votes.subset(covered), y[covered], x)
    else:
        p[covered] = LABEL_MODELS[model](votes.subset(covered), y[covered])
    return p


def _checked(rows: np.ndarray | None, model: str, n: int) -> np.ndarray:
    """Features that can be read, (n, d)."""
    if rows is None:
        raise ValueError(f"label model {model!r} needs the features of the rows, got none")
    if rows.ndim != 2 or len(rows) != n:
        raise ValueError(f"rows must be of shape ({n}, features), got {rows.shape}")
    if not np.isfinite(rows).all():
        raise ValueError("rows must be finite")
    return rows.astype(np.float64)


def majority(votes: Votes, _: np.ndarray) -> np.ndarray:
    """Probabilities as shares of the votes, (n, c): ``p_ik = (votes for k on row i) / (votes on row i)``."""
    counts = ballots(votes).sum(axis=1).reshape(len(votes), -1)
    return np.asarray(counts / counts.sum(axis=1, keepdims=True))


def weighted(votes: Votes, y: np.ndarray) -> np.ndarray:
    """Probabilities by weighted vote, (n, c): a vote weighs as much as its function agrees with the majority.

    Where the majority is tied, the order of the votes decides.

    Args:
        votes: votes of m functions on n rows, with a vote on each row.
        y: true class numbers, (n,), which are ignored.

    Source: crowd-kit's Wawa, "worker agreement with aggregate".
    """

    def model(ballots: pd.DataFrame) -> Any:
        crowd = _crowd_kit()
        skills = crowd.Wawa().fit(ballots).skills_
        return crowd.MajorityVote().fit_predict_proba(ballots, skills)  # Wawa's own predict fails

    return _crowd(model, votes, y)


def dawid_skene(votes: Votes, y: np.ndarray) -> np.ndarray:
    """Probabilities by a confusion matrix of each function, fitted by EM, (n, c).

    It does badly where each function votes for one class only.

    Args:
        votes: votes of m functions on n rows, with a vote on each row.
        y: true class numbers, (n,), which are ignored.

    Source: Dawid and Skene, Applied Statistics 28, 1979; crowd-kit's code.
    """

    def model(ballots: pd.DataFrame) -> Any:
        return _crowd_kit().DawidSkene().fit_predict_proba(ballots)

    return _crowd(model, votes, y)


def one_coin(votes: Votes, y: np.ndarray) -> np.ndarray:
    """Probabilities by an accuracy of each function and a class prior, fitted by EM, (n, c).

    Args:
        votes: votes of m functions on n rows, with a vote on each row.
        y: true class numbers, (n,), which are ignored.

    Source: Zhang et al., Spectral methods meet EM, JMLR 17, 2016; crowd-kit's code.
    """

    def model(ballots: pd.DataFrame) -> Any:
        return _crowd_kit().OneCoinDawidSkene().fit_predict_proba(ballots)

    return _crowd(model, votes, y)


def data_programming(votes: Votes, y: np.ndarray) -> np.ndarray:
    """Probabilities by an accuracy a_j of each function with a strong prior, fitted by EM, (n, c).

    It serves functions that vote for one class only, too. A function that votes is right with the probability a_j, and
    else votes for each other class equally often: ``p_ik ~ prod_j (a_j if v_ij = k else (1 - a_j) / (c - 1))`` over the
    functions that vote on row i. Abstaining tells nothing, and the classes have equal priors: a class prior learnt from
    functions that vote for one class only would favour the class with the most of them more and more.

    a_j is the mode under a Beta prior whose mean m_j the labels set and whose weight is s_j:
    ``a_j = (s_j m_j + sum_i p_i,v_ij) / (s_j + n_j)`` over the n_j votes of j. s_j grows with n_j: the model takes the
    functions' errors to be independent, which they are not, and more votes do not change that.

    Args:
        votes: votes of m functions on n rows, with a vote on each row.
        y: true class numbers, (n,), -1 = unknown.

    Source: after Ratner et al., Data programming, NeurIPS 2016, its independent model.
    """
    n, c = len(votes), len(votes.classes)
    cast, prior = ballots(votes), Prior.of(votes, y)

    def posterior(accuracy: np.ndarray) -> np.ndarray:
        # each vote adds log(a (c - 1) / (1 - a)) to its class: the factor (1 - a) / (c - 1) is common to all classes
        scores = (cast @ np.log(accuracy * (c - 1) / (1 - accuracy))).reshape(n, c)
        p = np.exp(scores - scores.max(axis=1, keepdims=True))
        return np.asarray(p / p.sum(axis=1, keepdims=True))

    accuracy, before = prior.mean, np.zeros_like(prior.mean)
    for _ in range(200):
        if np.abs(accuracy - before).max() < 1e-5:
            break
        right = prior.weight * prior.mean + cast.T @ prior.with_truth(posterior(accuracy)).ravel()
        before, accuracy = accuracy, right / (prior.weight + prior.cast)  # a_j
    return posterior(accuracy)


def _crowd_kit() -> Any:
    """The module of crowd-kit that has its label models.

    Raises:
        ImportError: crowd-kit is not installed.
    """
    try:
        from crowdkit import aggregation
    except ImportError as e:
        raise lacking("this label model", "rules", e) from e
    return aggregation


def _crowd(model: Callable[[pd.DataFrame], Any], votes: Votes, y: np.ndarray) -> np.ndarray:
    """Probabilities by a model of crowd-kit, (n, c); classes that nobody votes for get 0.

    If all votes are for one class, they are those of the majority.
    """
    row, function = np.nonzero(votes.table >= 0)
    vote = votes.table[row, function]
    if (vote == vote[0]).all():  # crowd-kit divides by the number of other classes
        return majority(votes, y)
    with warnings.catch_warnings():  # crowd-kit's own, about pandas
        warnings.simplefilter("ignore")
        found = model(pd.DataFrame({"task": row, "worker": function, "label": vote}))
    everything = found.reindex(index=range(len(votes)), columns=range(len(votes.classes)), fill_value=0)
    return np.asarray(everything, dtype=float)


LABEL_MODELS: dict[str, Callable[[Votes, np.ndarray], np.ndarray]] = {
    "majority": majority,
    "weighted": weighted,
    "dawid_skene": dawid_skene,
    "one_coin": one_coin,
    "data_programming": data_programming,
}
"""The label models of votes alone, by name: functions of the votes and of the true classes that give probabilities,
(n, c)."""
