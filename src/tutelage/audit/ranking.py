"""Ranking of the labels of a data set by the probability that they are wrong."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from jaxtyping import Float, Int
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import check_X_y

from tutelage.audit.certainty import FITTED, purity_of, with_wrong
from tutelage.audit.held_out import HeldOutOpinions
from tutelage.audit.neighbours import compared, opinion
from tutelage.audit.posterior import Noise, bayes, centred, noise_rate, refit, tell
from tutelage.copies import groups_of
from tutelage.distil.choice import Students, StudentSetting, folds_of
from tutelage.distil.closed import decompose
from tutelage.distil.rows import Rows, held
from tutelage.graph.neighbours import Neighbours
from tutelage.kinds.one_vote import joined
from tutelage.ops.checks import in_range
from tutelage.types import Tick


@dataclass(frozen=True)
class Audit:
    """An audit of the labels of n rows of c classes.

    Attributes:
        classes: the classes, sorted, (c,).
        given: label of each row as given, (n,).
        suggested: likeliest label of each row, (n,); it is the given one where none is likelier.
        probability: probability that the given label is wrong, (n,), in [0, 1], calibrated on planted errors
            (`tutelage.audit.certainty`): of rows with 0.8 about 80 % are wrong.
        rank: rank of each row by that probability, (n,), from 1 for the likeliest wrong; rows with equal probabilities
            are ranked in their order.
        beliefs: probability of each class without the given label, (n, c), columns as in ``classes``.
        posterior: probability of each class with the given label, (n, c).
        transition: estimated transition matrix, (c, c), rows sum to 1: entry kj is how often class k is labelled j.
        noise_rate: estimated share of wrong labels, in [0, 1]. It is too low where labels are wrong mainly on the rows
            that are hard to tell, as labels by people are. It is NaN where the features do not tell the classes apart
            and nothing is known of any label: all probabilities of being wrong are 0 then.
        neighbours: nearest rows of each row.
        setting: hyper-parameters of the students.
        copies: group number of each row, (n,): equal for copies, which have one vote and judge each other not.
        weights: weights of three opinions, (3,), at least 0: of the student, of the student that knows the noise, and
            of the nearest rows.
    """

    classes: np.ndarray
    given: np.ndarray
    suggested: np.ndarray
    probability: Float[np.ndarray, " n"]
    rank: Int[np.ndarray, " n"]
    beliefs: Float[np.ndarray, "n c"] = field(repr=False)
    posterior: Float[np.ndarray, "n c"] = field(repr=False)
    transition: Float[np.ndarray, "c c"] = field(repr=False)
    noise_rate: float
    neighbours: Neighbours = field(repr=False)
    setting: StudentSetting = field(repr=False)
    copies: Int[np.ndarray, " n"] = field(repr=False)
    weights: Float[np.ndarray, " m"] = field(repr=False)

    def __len__(self) -> int:
        return len(self.given)

    @property
    def order(self) -> Int[np.ndarray, " n"]:
        """Numbers of the rows, (n,), from 0, the likeliest wrong first."""
        found: np.ndarray = np.argsort(self.rank)
        return found

    def suspects(self, least: float = 0.5) -> Int[np.ndarray, " s"]:
        """Numbers of the rows whose label is likely wrong, (s,), from 0, the likeliest wrong first.

        Args:
            least: least probability of being wrong, in [0, 1]; 0 gives every row.
        """
        in_range("least", float(least), 0, 1)
        order = self.order
        found: np.ndarray = order[self.probability[order] >= least]
        return found


def find_label_errors(
    X: Any, y: Any, *, copies: Any = None, groups: Any = None, random_state: int = 0, tick: Tick | None = None
) -> Audit:
    """Rank the labels of a data set by the probability that they are wrong.

    Each row is judged by linear students that never learnt its label (5-fold cross-validation) and by the labels of its
    10 nearest rows. The weights of these opinions, and the transition matrix C of the noise, are fitted to the labels
    as given. Bayes' rule then gives the probability of each class, given the label:

        P(true = k | x, given = j) = p(k | x) C_kj / sum_l p(l | x) C_lj.

    Its log-odds are scaled and shifted by how pure the classes are among neighbours (`tutelage.audit.certainty`).

    Args:
        X: features, (n, d), finite, such as a frozen encoder's. They are read a block at a time; besides X, memory
            holds a few arrays of shape (n, c).
        y: labels, (n,), some of them perhaps wrong; at least 2 classes with at least 2 rows each.
        copies: group number of each row, (n,), equal for rows that are copies of each other. Copies with the same label
            count as one row, and copies with different ones neither judge each other nor are neighbours. None takes
            equal rows of X for copies. Where a class would be left with one row, there are no copies.
        groups: group of each row, (n,), such as the number of its author: each row has a vote, but rows of a group
            neither judge each other nor are neighbours; two groups at least. None: each row is by itself.
        random_state: seed of the folds, a whole number, at least 0.
        tick: called with what is being done, how many steps of it are done, and how many there are.

    Raises:
        ValueError: one class only, a class of one row, or features that are not finite.

    Source: derived here; see `tutelage.audit.posterior` for the sources of its parts.

    >>> from sklearn.datasets import load_digits
    >>> X, y = load_digits(return_X_y=True)
    >>> X, y = X[:300], y[:300].copy()
    >>> y[150], y[200] = 2, 7  # they are 0 and 1
    >>> found = find_label_errors(X, y)
    >>> found.order[:2].tolist(), found.suggested[[150, 200]].tolist()
    ([200, 150], [0, 1])
    """
    in_range("random_state", random_state, 0, 2**32 - 1)
    X, y = check_X_y(X, y, dtype=[np.float64, np.float32], ensure_min_samples=2)
    check_classification_targets(y)
    classes, labels = np.unique(y, return_inverse=True)
    if len(classes) < 2:
        raise ValueError(f"y needs labels of at least 2 classes, got 1 class: {classes.tolist()[0]!r}")
    counts = np.bincount(labels)
    if counts.min() < 2:
        raise ValueError(f"each class must have at least 2 rows, but {classes.tolist()[counts.argmin()]!r} has one")
    if copies is not None and np.shape(copies) != y.shape:
        raise ValueError(f"copies must have a group number for each of {len(y)} rows, got shape {np.shape(copies)}")
    same = groups_of(list(map(np.ndarray.tobytes, X)) if copies is None else list(copies))
    first, which = np.unique(same * len(classes) + labels, return_index=True, return_inverse=True)[1:]
    once = np.sort(first)  # one row of each copied item and label, in the order of the rows
    if np.bincount(labels[once]).min() < 2:
        same, first, which, once = groups_of(range(len(y))), *[np.arange(len(y))] * 3
    together = groups_of(same[once]) if groups is None else joined(same[once], _groups_of(groups, len(y))[once])
    told = tick or (lambda what, done, total: None)
    found = replace(_audit(X[once], classes, labels[once], random_state, told, together), copies=groups_of(same[once]))
    return found if len(once) == len(y) else _of_all(found, once, np.searchsorted(once, first[which]), same)


def _groups_of(groups: Any, rows: int) -> np.ndarray:
    """Number of each row's group, (n,).

    Raises:
        ValueError: there are more or fewer than n, or all rows are of one group.
    """
    if len(groups) != rows:
        raise ValueError(f"groups must have a group for each of {rows} rows, got {len(groups)}")
    numbers = groups_of(list(groups))
    if numbers.max() == 0:
        raise ValueError("groups must be at least 2, got 1: no row would be left to judge another")
    return numbers


def _of_all(audit: Audit, once: np.ndarray, of: np.ndarray, groups: np.ndarray) -> Audit:
    """The audit of all rows, made of that of one of each of the copies with one label.

    Args:
        audit: audit of m rows.
        once: numbers of these rows among all, (m,).
        of: number of the audited row that each of n rows is a copy of, (n,).
        groups: group number of each row, (n,).
    """
    near = Neighbours(once[audit.neighbours.index][of], audit.neighbours.cosine[of])
    probability, rank = audit.probability[of], _rank(-audit.rank[of])
    return replace(
        audit, given=audit.given[of], suggested=audit.suggested[of], probability=probability, rank=rank,
        beliefs=audit.beliefs[of], posterior=audit.posterior[of], neighbours=near, copies=groups,
    )  # fmt: skip


def _audit(
    x: np.ndarray, classes: np.ndarray, labels: Int[np.ndarray, " n"], seed: int, tick: Tick,
    copies: Int[np.ndarray, " n"],
) -> Audit:  # fmt: skip
    """The audit of checked features, (n, d), class numbers and groups of copies, (n,); see `find_label_errors`."""
    rows = Rows.of(x)
    if x.shape[1] >= len(x):  # few rows lie in few directions
        rows = rows.onto(decompose(rows).basis)
    full = Students.of(held(rows), labels, len(classes))
    students = HeldOutOpinions(full, folds_of(full, seed, groups=copies), seed, tick)
    opinions, setting, noise = students.opinions()
    neighbours = compared(x, seed, tick, copies)
    heard = np.concatenate([opinions, centred([opinion(neighbours, labels, len(classes))])])
    noise, count = refit(heard, labels, noise, seed=seed), len(classes)
    if tell(noise, labels, count):
        return _ranked(classes, labels, noise.beliefs(heard), noise, neighbours, setting, copies)
    # nothing is known: without noise (C = 1) the posterior is the label as given, and no label is suspected
    shares = np.bincount(labels) / len(labels)
    unknown = Noise(np.zeros(len(heard)), np.eye(count), noise.likelihood)
    found = _ranked(classes, labels, np.tile(shares, (len(labels), 1)), unknown, neighbours, setting, copies)
    return replace(found, noise_rate=float("nan"))


def _ranked(
    classes: np.ndarray, labels: np.ndarray, beliefs: np.ndarray, noise: Noise, near: Neighbours, of: StudentSetting,
    copies: np.ndarray,
) -> Audit:  # fmt: skip
    """The audit that these beliefs, (n, c), and this noise give."""
    raw = bayes(beliefs, labels, noise.transition)
    said = (1 - raw[np.arange(len(labels)), labels]).clip(0, 1)
    wrong = FITTED(said, purity_of(near.index, raw))
    posterior = with_wrong(raw, labels, wrong)
    return Audit(
        classes, classes[labels], classes[posterior.argmax(1)], wrong, _rank(said), beliefs, posterior,
        noise.transition, noise_rate(posterior, labels), near, of, copies, noise.weights,
    )  # fmt: skip


def _rank(wrong: Float[np.ndarray, " n"]) -> Int[np.ndarray, " n"]:
    """Rank of each row, (n,), from 1 for the likeliest wrong; equal ones are ranked in their order."""
    rank = np.empty(len(wrong), dtype=np.int64)
    rank[np.argsort(-wrong, kind="stable")] = np.arange(1, len(wrong) + 1)
    return rank
