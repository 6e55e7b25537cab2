"""Abstention: below which probability no label is given, so that few of the given ones are wrong."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.stats import beta

from tutelage.fit.calibration import Calibration, tempered
from tutelage.fit.evidence import wilson
from tutelage.ops.checks import in_range

CONFIDENCE = 0.8
"""Probability, over the draw of the labels, with which a promise holds; chosen on draws 1000 to 1059."""

APART = 0.25
"""Distance in total variation of two distributions of classes from which on they are said to differ."""


@dataclass(frozen=True)
class Promise:
    """What can be promised of the error among answered rows.

    Attributes:
        error: largest share of wrong labels among those given, in (0, 1).
        threshold: least probability of the predicted class at which a label is given; None where nothing is promised.
        labels: number of held-out labels that it rests on.
        needed: least number of labels, all of them right, by which ``error`` could be promised.
        wrong: share of wrong ones among the ``needed`` held-out labels of the highest probabilities; None where there
            are fewer labels.
    """

    error: float
    threshold: float | None
    labels: int
    needed: int
    wrong: float | None = None

    def answers(self, probability: np.ndarray) -> np.ndarray:
        """Mask of the rows that get a label, (n,), by the probabilities of their predicted classes, (n,)."""
        if self.threshold is None:
            return np.zeros(len(probability), dtype=bool)
        mask: np.ndarray = probability >= self.threshold
        return mask

    def words(self) -> str:
        """One sentence for people: what is promised, or how many labels it would take."""
        most = f"at most {100 * self.error:g} % wrong labels"
        if self.threshold is not None:
            return (
                f"Given are labels of probability {self.threshold:.3f} and more: {most} among them, with "
                f"{100 * CONFIDENCE:.0f} % confidence, by {self.labels} held-out labels."
            )
        takes = f"it takes {self.needed} right held-out labels of high probability"
        if self.wrong is None:
            here = f"this model has {self.labels} in all. No label is given."
            return f"Too few labels to promise {most}: {takes}, and {here}"
        return (
            f"Nothing promises {most}: {takes}, and of this model's {self.needed} surest {100 * self.wrong:.1f} % are "
            "wrong. No label is given; more labels, or a larger --abstain, may help."
        )


def kept(calibration: Calibration) -> dict[str, np.ndarray]:
    """What a model keeps of its held-out labels to abstain by; empty without any.

    Returns:
        "confidence", the probability of the predicted class of n labels in each of r repeats, (r, n), at the
        temperature; "right", whether that class is the label's, (r, n); "label", the class numbers, (n,); and, only of
        labels with copies, "weight", the share of each in the vote of its item, (n,).
    """
    if not calibration.labels:
        return {}
    p = tempered(calibration.probabilities, calibration.temperature)
    found = {"confidence": p.max(-1), "right": p.argmax(-1) == calibration.y, "label": calibration.y}
    return found if calibration.weight is None else found | {"weight": calibration.weight}


def promise(held_out: Mapping[str, np.ndarray], error: float) -> Promise:
    """The lowest threshold by which at most a share ``error`` of the given labels is wrong, with CONFIDENCE.

    Thresholds are tested from the highest on, one after the other, until the first that fails: fixed-sequence testing
    of Angelopoulos et al., Learn then Test (2021), so that testing many costs nothing. A threshold t passes where the
    upper bound of Clopper and Pearson (Biometrika 1934) on the share of wrong ones among the labels of probability t
    and more, at CONFIDENCE, is at most ``error``. The first that is tested holds `needed` labels. Each label counts
    once: over r repeats its answers weigh 1/r each; copies of an item count once together. The labels must be drawn
    like the rows that are answered.

    Args:
        held_out: what `kept` gave; empty of a model without held-out labels.
        error: largest share of wrong labels among those given, in (0, 1).

    >>> sure = {"confidence": np.linspace(0.5, 1, 60)[None], "right": np.arange(60)[None] >= 20}
    >>> round(promise(sure, 0.05).threshold, 2)
    0.67
    >>> promise({k: v[:, 40:] for k, v in sure.items()}, 0.05).words()
    'Too few labels to promise at most 5 % wrong labels: it takes 32 right held-out labels of high probability, and
    this model has 20 in all. No label is given.'
    """
    least = needed(error)
    if not held_out or not held_out["confidence"].size:
        return Promise(error, None, 0, least)
    confidence, right = held_out["confidence"], held_out["right"]
    weight = np.asarray(held_out.get("weight", np.ones(confidence.shape[1])))
    labels = round(weight.sum())
    order = np.argsort(-confidence.ravel(), kind="stable")
    each = np.tile(weight, len(confidence))[order]
    sure, wrong = confidence.ravel()[order], each * ~right.ravel()[order].astype(bool)
    last = np.append(sure[1:] < sure[:-1], True)  # answers of one probability are given or withheld together
    thresholds = sure[last]
    n, wrongs = (np.cumsum(counts)[last].round(9) / len(confidence) for counts in (each, wrong))
    tested = n >= least
    if not tested.any():
        return Promise(error, None, labels, least)
    passed = tested & (upper_bound(wrongs, n) <= error)
    first = int(np.flatnonzero(tested)[0])
    length = int(np.argmin(np.append(passed[first:], False)))
    if not length:
        return Promise(error, None, labels, least, float(wrongs[first] / n[first]))
    return Promise(error, float(thresholds[first + length - 1]), labels, least, float(wrongs[first] / n[first]))


def needed(error: float) -> int:
    """The least number of labels, all right, that promise at most a share ``error`` of wrong ones with CONFIDENCE.

    Raises:
        ValueError: ``error`` is not in (0, 1).

    >>> needed(0.02), needed(0.05), needed(0.1)
    (80, 32, 16)
    """
    in_range("abstain", error, 0, 1, low_open=True)
    if error == 1:
        raise ValueError("abstain must be in (0, 1), got 1: every row may be wrong")
    return max(math.ceil(math.log(1 - CONFIDENCE) / math.log1p(-error)), 1)


def upper_bound(wrong: np.ndarray, n: np.ndarray) -> np.ndarray:
    """Clopper and Pearson's upper bound, at CONFIDENCE, on a share of which ``wrong`` of ``n`` were seen, (k,).

    >>> upper_bound(np.array([0.0, 5.0]), np.array([32.0, 5.0])).round(3).tolist()
    [0.049, 1.0]
    """
    bound = beta.ppf(CONFIDENCE, wrong + 1, np.maximum(n - wrong, 1e-9))
    found: np.ndarray = np.where(wrong < n, bound, 1.0)
    return found


def differs(held_out: Mapping[str, np.ndarray], predicted: np.ndarray, classes: int) -> float | None:
    """Distance of the labels' classes from the predicted ones where they clearly differ, else None.

    Args:
        held_out: what `kept` gave.
        predicted: predicted class numbers of the rows, (n,).
        classes: number of classes.

    >>> differs({"label": np.array([0, 1] * 10)}, np.array([0] * 90 + [1] * 10), 2)
    0.4
    """
    if "label" not in held_out or not len(predicted):
        return None
    weight = held_out.get("weight")
    given = np.bincount(held_out["label"], weight, minlength=classes)
    shares = [given / given.sum(), np.bincount(predicted, minlength=classes) / len(predicted)]
    apart = float(np.abs(shares[0] - shares[1]).sum() / 2)
    return round(apart, 12) if apart > APART else None


def measured(promised: Promise, probability: np.ndarray, right: np.ndarray) -> dict[str, Any]:
    """What a promise did on labelled rows, as plain values: shares of rows answered, and of these wrong.

    Args:
        promised: the promise.
        probability: probability of the predicted class of n rows, (n,).
        right: whether the predicted class is right, (n,).
    """
    given = promised.answers(probability)
    about: dict[str, Any] = {"stated": promised.error, "threshold": promised.threshold, "answered": None, "error": None}
    for name, rows in (("answered", given), ("error", ~right[given])):
        if len(rows):
            found = wilson(float(rows.mean()), len(rows))
            about |= {name: found.score, f"{name}_interval": [found.low, found.high]}
    return about


def in_words(about: Mapping[str, Any]) -> str:
    """One sentence on what `measured` gave.

    >>> in_words(measured(Promise(0.05, 0.9, 60, 32), np.array([0.95, 0.5]), np.array([True, False])))
    'With at most 5 % wrong labels promised, 50.0 % of the rows get one (12.1 to 87.9), of which 0.0 % are wrong (0.0 to
    73.0).'
    """
    stated = f"With at most {100 * about['stated']:g} % wrong labels promised"
    if about["error"] is None:
        return f"{stated}, no row gets one."
    answered, wrong = (
        f"{100 * about[name]:.1f} % {{}} ({100 * about[f'{name}_interval'][0]:.1f} to "
        f"{100 * about[f'{name}_interval'][1]:.1f})"
        for name in ("answered", "error")
    )
    return f"{stated}, {answered.format('of the rows get one')}, of which {wrong.format('are wrong')}."
