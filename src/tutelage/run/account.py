"""The account of a teacher: what it says of labelled rows, before anything is trained on it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from tutelage.fit.evidence import exact, wilson
from tutelage.kinds.tallies import Tally
from tutelage.ops.agreement import kappa
from tutelage.weak import Source, combine

ENOUGH = 10
"""Labels from which on a teacher is compared with always saying the commonest class."""

WORSE, UNCLEAR, ABOVE = "worse", "not clearly above", "above"
"""Verdicts on a teacher beside always saying the commonest class."""


def account(source: Source, y: np.ndarray, classes: Sequence[str], seed: int = 0) -> dict[str, Any]:
    """Plain values on what a teacher says, and how far it is right.

    Args:
        source: what the teacher says of n rows.
        y: class numbers of the rows, (n,); -1 is unknown.
        classes: names of the c classes.
        seed: seed of the folds of the calibration.

    Returns:
        "name", "rows", "covered" (rows that it speaks of) and "labels" (those of them with a label). With labels also
        "accuracy" and its exact "interval", which holds with 90 % at least; "calibration", the bins and expected
        calibration error of `tutelage.kinds.tallies.Tally`; "by_class", for each class the number of "labels",
        "recall", "precision" and "kappa", Cohen's agreement on this class against all others; "kappa" over all classes;
        "calibrated", the name, accuracy and expected calibration error of the teacher after calibration, each row by a
        calibration that has not seen its label; and from ENOUGH labels on "commonest": the class, its share, and the
        "verdict".

    >>> table = np.array([[0.9, 0.1], [0.8, 0.2], [0.3, 0.7], [np.nan, np.nan]])
    >>> found = account(Source("a", table), np.array([0, 1, 1, 0]), ["ham", "spam"])
    >>> found["covered"], found["labels"], round(found["accuracy"], 2)
    (3, 3, 0.67)
    """
    known = source.covered & (y >= 0)
    count = int(known.sum())
    found: dict[str, Any] = {
        "name": source.name, "rows": len(source), "covered": int(source.covered.sum()), "labels": count,
    }  # fmt: skip
    if not count:
        return found
    p, truth = source.table[known], y[known]
    guess = p.argmax(1)
    right = guess == truth
    accuracy = exact(float(right.mean()), count)
    combined = combine([source], y, seed)
    after = combined.held_out[known]
    found |= {
        "accuracy": accuracy.score, "interval": [accuracy.low, accuracy.high], "kappa": kappa(guess, truth),
        "calibration": calibration_of(p, truth),
        "by_class": [_of_class(name, guess == k, truth == k) for k, name in enumerate(classes)],
        "calibrated": {
            "name": combined.summary["calibration"], "accuracy": float((after.argmax(1) == truth).mean()),
            "error": calibration_of(after, truth)["error"],
        },
    }  # fmt: skip
    if count >= ENOUGH:
        found["commonest"] = beside_commonest(right, truth, classes)
    return found


def beside_commonest(right: np.ndarray, truth: np.ndarray, classes: Sequence[str]) -> dict[str, Any]:
    """The verdict on a teacher beside always saying the commonest class of the labels.

    Only rows on which one of the two is right tell them apart: the teacher is clearly above where Wilson's interval for
    its share of those lies above one half.

    Args:
        right: whether the teacher is right, (n,).
        truth: class numbers of the rows, (n,).
        classes: names of the classes.

    >>> beside_commonest(np.array([True, False]), np.array([0, 0]), ["ham", "spam"])
    {'class': 'ham', 'share': 1.0, 'verdict': 'worse'}
    """
    commonest = int(np.bincount(truth).argmax())
    always = truth == commonest
    won, lost = int((right & ~always).sum()), int((always & ~right).sum())
    clear = won > lost and wilson(won / (won + lost), won + lost).low > 0.5
    verdict = WORSE if won < lost else ABOVE if clear else UNCLEAR
    return {"class": classes[commonest], "share": float(always.mean()), "verdict": verdict}


def calibration_of(p: np.ndarray, truth: np.ndarray) -> dict[str, Any]:
    """Bins of the probability of the likeliest class, and the expected calibration error, as plain values.

    Args:
        p: probabilities, (n, c).
        truth: class numbers, (n,).
    """
    tally = Tally(p.shape[1]).add(truth, p.argmax(1), p.max(1))
    found: dict[str, Any] = tally.record("labels")["calibration"]
    return found


def _of_class(name: str, said: np.ndarray, true: np.ndarray) -> dict[str, Any]:
    both = int((said & true).sum())
    return {
        "class": name, "labels": int(true.sum()), "said": int(said.sum()),
        "recall": both / int(true.sum()) if true.any() else None,
        "precision": both / int(said.sum()) if said.any() else None,
        "kappa": kappa(said, true) if true.any() or said.any() else None,
    }  # fmt: skip


def in_words(found: dict[str, Any]) -> list[str]:
    """Sentences on an account for people.

    Args:
        found: what `account` returns.
    """
    name, labels = found["name"], found["labels"]
    lines = [f"Teacher {name}: speaks of {found['covered']:,} of {found['rows']:,} rows ({_share(found)})."]
    if labels < ENOUGH:
        lines.append(
            f"{labels or 'None'} of them {'has' if labels < 2 else 'have'} a label: nothing can be measured. "
            f"{ENOUGH} would be the least, some 30 a class better."
        )
        return lines
    low, high = (100 * v for v in found["interval"])
    lines.append(f"Right on {100 * found['accuracy']:.1f} % of {labels} labels ({low:.1f} to {high:.1f}).")
    common = found["commonest"]
    always = f"always saying {common['class']!r} ({100 * common['share']:.1f} %)"
    lines.append(
        {
            WORSE: f"It is worse than {always}: do not follow it as it is.",
            UNCLEAR: f"It is not clearly above {always}.",
            ABOVE: f"It is clearly above {always}.",
        }[common["verdict"]]
    )
    after, before = found["calibrated"], found["calibration"]["error"]
    if after["name"] == "identity":
        lines.append(f"Expected calibration error {before:.3f}; these labels give no reason to calibrate it.")
    else:
        lines.append(
            f"Expected calibration error {before:.3f}; after calibration ({after['name']}), on labels held out, "
            f"{after['error']:.3f}, and right on {100 * after['accuracy']:.1f} %."
        )
    return lines


def _share(found: dict[str, Any]) -> str:
    share = found["covered"] / max(found["rows"], 1)
    return f"{100 * share:.1f} %" if share > 0.01 else f"{100 * share:.2f} %: it is nearly silent"
