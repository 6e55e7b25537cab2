"""Which labels of a data set are likely wrong: the most likely first."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from jaxtyping import Float, Int
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import check_X_y

from tutelage.audit.held_out import HeldOutOpinions
from tutelage.audit.neighbours import compared, opinion
from tutelage.audit.posterior import Noise, bayes, centred, noise_rate, refit, tell
from tutelage.distil.choice import Students, StudentSetting, folds_of
from tutelage.distil.closed import decompose
from tutelage.distil.rows import Rows, held
from tutelage.graph.neighbours import Neighbours
from tutelage.ops.checks import in_range
from tutelage.types import Tick


@dataclass(frozen=True)
class Audit:
    """What is thought of each label of n rows of c classes.

    Attributes:
        classes: the labels there are, sorted, (c,).
        given: the label of each row as given, (n,).
        suggested: the likeliest label of each row, (n,); where that is the given one, none other is likelier.
        probability: that the given label is wrong, (n,), in [0, 1].
        rank: of that, (n,), whole numbers from 1, the likeliest wrong; equal ones in the order of the rows.
        beliefs: the probability of each class, the given label not looked at, (n, c), columns as in ``classes``.
        posterior: the same, the given label looked at, (n, c).
        transition: how often class k is labelled j, estimated, (c, c), rows sum to 1.
        noise_rate: share of labels that are wrong, estimated, in [0, 1]; too low where they are wrong just on the rows
            that are hard to tell, as labels by people are. NaN where the features do not tell the classes apart, and
            nothing is known of any label: all probabilities of being wrong are 0 then.
        neighbours: the nearest rows of each row.
        setting: of the students whose opinions were heard.
        weights: of the student, of the one that knows the noise, and of the nearest rows; at least 0.
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
    weights: Float[np.ndarray, " m"] = field(repr=False)

    def __len__(self) -> int:
        return len(self.given)

    @property
    def order(self) -> Int[np.ndarray, " n"]:
        """The numbers of the rows, from 0, the likeliest wrong first."""
        found: np.ndarray = np.argsort(self.rank)
        return found

    def suspects(self, least: float = 0.5) -> Int[np.ndarray, " s"]:
        """The numbers of the rows, from 0, whose label is wrong with at least that probability, the likeliest first.

        Args:
            least: in [0, 1]; 0 gives every row.
        """
        in_range("least", float(least), 0, 1)
        order = self.order
        found: np.ndarray = order[self.probability[order] >= least]
        return found


def find_label_errors(X: Any, y: Any, *, random_state: int = 0, tick: Tick | None = None) -> Audit:
    """Rank the labels of a data set by the probability that they are wrong.

    Each row is judged by linear students of the other rows, which never learnt its label (5 parts, held out in turn),
    and by the labels of its 10 nearest rows. How much each of these opinions counts, and how often each class is
    labelled as each other, is fitted to the labels as given; Bayes' rule then gives what a row is, its label looked at:

        P(true = k | x, given = j) = p(k | x) C_kj / sum_l p(l | x) C_lj.

    Args:
        X: features, (n, d), finite, such as a frozen encoder's; read a block at a time; besides X, memory holds a few
            times (n, c).
        y: n labels, some of them perhaps wrong; each class at least twice.
        random_state: seed of the parts, a whole number, at least 0.
        tick: told (what is done, how much of it, of how much).

    Raises:
        ValueError: one class only, a class of one row, or features that are not finite.

    Source: derived here; see `tutelage.audit.posterior` for those of its parts.

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
    return _audit(X, classes, labels, random_state, tick or (lambda what, done, total: None))


def _audit(x: np.ndarray, classes: np.ndarray, labels: Int[np.ndarray, " n"], seed: int, tick: Tick) -> Audit:
    rows = Rows.of(x)
    if x.shape[1] >= len(x):  # few rows lie in few directions
        rows = rows.onto(decompose(rows).basis)
    full = Students.of(held(rows), labels, len(classes))
    students = HeldOutOpinions(full, folds_of(full, seed), seed, tick)
    opinions, setting, noise = students.opinions()
    neighbours = compared(x, seed, tick)
    heard = np.concatenate([opinions, centred([opinion(neighbours, labels, len(classes))])])
    noise, count = refit(heard, labels, noise, seed=seed), len(classes)
    if tell(noise, labels, count):
        return _ranked(classes, labels, noise.beliefs(heard), noise, neighbours, setting)
    shares = np.bincount(labels) / len(labels)
    unknown = Noise(np.zeros(len(heard)), np.eye(count), noise.likelihood)
    found = _ranked(classes, labels, np.tile(shares, (len(labels), 1)), unknown, neighbours, setting)
    return replace(found, noise_rate=float("nan"))


def _ranked(
    classes: np.ndarray, labels: np.ndarray, beliefs: np.ndarray, noise: Noise, near: Neighbours, of: StudentSetting
) -> Audit:
    posterior = bayes(beliefs, labels, noise.transition)
    wrong = (1 - posterior[np.arange(len(labels)), labels]).clip(0, 1)
    rank = np.empty(len(labels), dtype=np.int64)
    rank[np.argsort(-wrong, kind="stable")] = np.arange(1, len(labels) + 1)
    return Audit(
        classes, classes[labels], classes[posterior.argmax(1)], wrong, rank, beliefs, posterior, noise.transition,
        noise_rate(posterior, labels), near, of, noise.weights,
    )  # fmt: skip
