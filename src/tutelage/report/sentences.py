"""Sentences on the outcome of a fit, which the terminal and the report have in common, so that both say the same."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tutelage.fit.tried import IN_WORDS, InWords
from tutelage.kinds.commonest import always, saying

REFERENCE = "reference"
"""Folder of a run that holds the labels-only model, where another one was returned."""


def words_of(summary: Mapping[str, Any]) -> InWords:
    """Words on what the candidate of a fit has and the labels-only model has not.

    Args:
        summary: summary of the fit.
    """
    return IN_WORDS[summary.get("tried", "pool")]


def question(summary: Mapping[str, Any]) -> str:
    """The question that a fit answers.

    Args:
        summary: summary of the fit.

    >>> question({"evidence": {}, "tried": "adapting"}), question({"evidence": None, "tried": "pool"})
    ('Did adapting the encoder help?', 'How good is the model?')
    """
    if summary["evidence"] is None:
        return "How good is the model?"
    subject = words_of(summary).subject
    return f"Did {subject[0].lower()}{subject[1:]} help?"


def reference_says(summary: Mapping[str, Any]) -> str:
    """Words for the labels-only model, or for what stands in its place without labels."""
    return "labels only" if summary["labelled"] else "weak labels alone"


def on_copies(summary: Mapping[str, Any]) -> str:
    """Sentences on the items of the test that are copies of items that were learnt from; empty where there are none.

    Args:
        summary: summary of the fit.
    """
    if "test_without_copies" not in summary:
        return ""
    both = [summary.get(f"test_{name}", {}).get("without_copies", {}) for name in ("reference", "candidate")]
    known = all(found.get(summary["score"]) is not None for found in both)
    beside = f" Without them: {_beside(summary, *both)}." if known else ""
    return f"{summary['test_without_copies']['words']}{beside}"


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
    score, test = summary["score"], summary["test"]
    before = ({score: test.get(f"{name}_{score}")} for name in ("reference", "candidate"))
    both = (summary.get(f"test_{name}", old) for name, old in zip(("reference", "candidate"), before, strict=True))
    return _beside(summary, *both)


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
    return f"{_beside(summary, summary['reference'], summary['candidate'])}{rest}"


def below_commonest(summary: Mapping[str, Any]) -> str:
    """Sentence where the returned model is right no more often than who always says the commonest class; else empty.

    Args:
        summary: summary of the fit.

    >>> found = {"returned": "candidate", "candidate": {"accuracy": 0.5}, "score": "accuracy", "evidence": {}}
    >>> below_commonest(found | {"commonest": {"class": "ham", "share": 0.8}})
    "On held-out labels the model is right no more often than always saying 'ham'."
    """
    returned = summary["reference" if summary["returned"] == "reference" else "candidate"]
    test, found = summary.get("test") or {}, []
    for where, scores, commonest in (
        ("held-out labels", returned if summary["evidence"] is not None else {}, summary.get("commonest")),
        (f"the test {summary.get('things', 'items')}", test, test.get("commonest")),
    ):
        score = scores.get(summary["score"])
        if commonest is not None and score is not None and score <= commonest["share"]:
            found.append(f"On {where} the model is right no more often than {saying(commonest)}.")
    return " ".join(found)


def _beside(summary: Mapping[str, Any], reference: Mapping[str, Any], candidate: Mapping[str, Any]) -> str:
    named = ((reference_says(summary), reference), (words_of(summary).label, candidate))
    return ", ".join(f"{says} {percent(found, summary['score'])}" for says, found in named)


def percent(found: Mapping[str, Any], score: str) -> str:
    """A score in percent, with its interval where there is one.

    Args:
        found: scores by name, and perhaps their "interval".
        score: name of the score.

    >>> percent({"accuracy": 0.5, "interval": [0.4, 0.6]}, "accuracy"), percent({"f1": None}, "f1")
    ('50.0 % (40.0 to 60.0)', 'not known')
    """
    if found.get(score) is None:
        return "not known"
    interval = found.get("interval")
    shown = "" if interval is None else f" ({100 * interval[0]:.1f} to {100 * interval[1]:.1f})"
    return f"{100 * found[score]:.1f} %{shown}"
