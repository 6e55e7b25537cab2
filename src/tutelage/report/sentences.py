"""Sentences on the outcome of a fit, which the terminal and the report have in common, so that both say the same."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tutelage.fit.verdict import beside, no_better, on_the_test, reference_says, words_of
from tutelage.kinds.commonest import always, saying

REFERENCE = "reference"
"""Folder of a run that holds the labels-only model, where another one was returned."""


def on_copies(summary: Mapping[str, Any]) -> str:
    """Sentences on the items of the test that are copies of items that were learnt from; empty where there are none.

    Args:
        summary: summary of the fit.
    """
    if "test_without_copies" not in summary:
        return ""
    both = [summary.get(f"test_{name}", {}).get("without_copies", {}) for name in ("reference", "candidate")]
    known = all(found.get(summary["score"]) is not None for found in both)
    without = f" Without them: {beside(summary, *both)}." if known else ""
    return f"{summary['test_without_copies']['words']}{without}"


def on_test(summary: Mapping[str, Any]) -> str:
    """The test scores of the labels-only model and of the candidate, side by side; empty without a test.

    Args:
        summary: summary of the fit; that of an earlier version has no intervals.

    >>> test = {"accuracy": 0.903, "interval": [0.88, 0.921]}
    >>> alone = {"accuracy": 0.968, "interval": [0.951, 0.979]}
    >>> found = {"labelled": 24, "score": "accuracy", "tried": "pool", "test": test}
    >>> on_test(found | {"test_reference": alone, "test_candidate": test})
    'labels only 96.8 % (95.1 to 97.9), with the pool 90.3 % (88.0 to 92.1)'
    """
    if not summary.get("test"):
        return ""
    return beside(summary, *on_the_test(summary))


def better_on_test(summary: Mapping[str, Any]) -> str:
    """Sentence where the test says that the model that was not returned is better; empty elsewhere.

    Args:
        summary: summary of the fit.

    >>> test = {"test_reference": {"accuracy": 0.968}, "test_candidate": {"accuracy": 0.903}}
    >>> found = {"labelled": 24, "score": "accuracy", "measure": "accuracy", "tried": "pool", "returned": "candidate"}
    >>> better_on_test(found | test)
    'On this test the model that was not returned (labels only) is better, by 6.5 points of accuracy.'
    """
    if "test_reference" not in summary:
        return ""
    apart = summary["test_reference"][summary["score"]] - summary["test_candidate"][summary["score"]]
    of_reference = summary["returned"] == "reference"
    if apart >= 0 if of_reference else apart <= 0:
        return ""
    other = words_of(summary).label if of_reference else reference_says(summary)
    points = f"{100 * abs(apart):.1f} points of {summary['measure']}"
    return f"On this test the model that was not returned ({other}) is better, by {points}."


def on_held_out(summary: Mapping[str, Any]) -> str:
    """The held-out scores of the labels-only model and of the candidate, side by side; empty without evidence.

    Args:
        summary: summary of the fit.

    >>> alone, other = {"accuracy": 0.75, "interval": [0.5, 0.9]}, {"accuracy": 0.8, "interval": [0.6, 0.9]}
    >>> common = {"class": "ham", "share": 0.5}
    >>> found = {"labelled": 24, "score": "accuracy", "tried": "pool", "evidence": {}, "commonest": common}
    >>> on_held_out(found | {"reference": alone, "candidate": other})
    "labels only 75.0 % (50.0 to 90.0), with the pool 80.0 % (60.0 to 90.0), always saying 'ham' 50.0 %"
    """
    if summary["evidence"] is None:
        return ""
    commonest = summary.get("commonest")
    rest = "" if commonest is None else f", {always(commonest)}"
    return f"{beside(summary, summary['reference'], summary['candidate'])}{rest}"


def below_commonest(summary: Mapping[str, Any]) -> str:
    """Sentence where the returned model is right no more often than who always says the commonest class; else empty.

    Args:
        summary: summary of the fit.

    >>> found = {"returned": "candidate", "candidate": {"accuracy": 0.5}, "score": "accuracy", "evidence": {}}
    >>> below_commonest(found | {"commonest": {"class": "ham", "share": 0.8}})
    "On held-out labels the model is right no more often than always saying 'ham'."
    """
    return " ".join(
        f"On {where} the model is right no more often than {saying(commonest)}."
        for where, commonest in no_better(summary)
    )
