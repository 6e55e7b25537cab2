"""The verdict on a fit, in words for people who have never heard of a posterior: did it help, how good, what next."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from tutelage.fit.tried import IN_WORDS, InWords

WORTH = 0.05
"""Change in the score that is worth knowing of, as a share of 1: labels are asked for until it can be told."""

TOO_MANY = 2000
"""Number of further labels above which asking for them is no advice; nor are more than the pool has."""

HELPED = (
    (0.05, "almost certainly helped"), (0.2, "probably helped"), (0.4, "more likely helped than hurt"),
    (0.6, "may have helped or hurt"), (0.8, "more likely hurt than helped"), (0.95, "probably hurt"),
    (1.0, "almost certainly hurt"),
)  # fmt: skip
"""Largest probability of harm of each verdict, and its words."""

COIN = (0.4, 0.6)
"""Probabilities of harm, above the first and up to the second, that are a coin toss."""

MEANS = {
    "accuracy": "Accuracy is the share of labels that it gets right.",
    "entity F1": "Entity F1 is 100 % where every name is found whole and of the right type, and none is invented.",
    "mean IoU": "Mean IoU is 100 % where its areas and the true ones are the same, averaged over the classes.",
}
"""What each measure means, by its name."""


def helped(harm: float) -> str:
    """Predicate on what a probability of harm, in [0, 1], says.

    >>> helped(0.02), helped(0.5)
    ('almost certainly helped', 'may have helped or hurt')
    """
    return next(words for limit, words in HELPED if harm <= limit or limit == 1)


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
    return "How good is the model?" if summary["evidence"] is None else f"Did {_subject(summary)} help?"


def _subject(summary: Mapping[str, Any]) -> str:
    subject = words_of(summary).subject
    return subject[0].lower() + subject[1:]


def reference_says(summary: Mapping[str, Any]) -> str:
    """Words for the labels-only model, or for what stands in its place without labels."""
    return "labels only" if summary["labelled"] else "weak labels alone"


def returned_says(summary: Mapping[str, Any]) -> str:
    """Words for the model that was returned."""
    return reference_says(summary) if summary["returned"] == "reference" else words_of(summary).label


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


def beside(summary: Mapping[str, Any], reference: Mapping[str, Any], candidate: Mapping[str, Any]) -> str:
    """Scores of the labels-only model and of the candidate, side by side.

    Args:
        summary: summary of the fit.
        reference, candidate: their scores by name, perhaps with their "interval".

    >>> found = {"labelled": 24, "tried": "pool", "score": "accuracy"}
    >>> beside(found, {"accuracy": 0.75}, {"accuracy": 0.8})
    'labels only 75.0 %, with the pool 80.0 %'
    """
    named = ((reference_says(summary), reference), (words_of(summary).label, candidate))
    return ", ".join(f"{says} {percent(found, summary['score'])}" for says, found in named)


def on_the_test(summary: Mapping[str, Any]) -> tuple[Mapping[str, Any], Mapping[str, Any]]:
    """Test scores of the labels-only model and of the candidate; of an earlier version without intervals."""
    score, test = summary["score"], summary["test"]
    old = [{score: test.get(f"{name}_{score}")} for name in ("reference", "candidate")]
    return summary.get("test_reference", old[0]), summary.get("test_candidate", old[1])


def no_better(summary: Mapping[str, Any]) -> list[tuple[str, Mapping[str, Any]]]:
    """Where the returned model is right no more often than who always says the commonest class, and that class.

    Args:
        summary: summary of the fit.

    >>> found = {"returned": "candidate", "candidate": {"accuracy": 0.5}, "score": "accuracy", "evidence": {}}
    >>> no_better(found | {"commonest": {"class": "ham", "share": 0.8}})
    [('held-out labels', {'class': 'ham', 'share': 0.8})]
    """
    returned = summary["reference" if summary["returned"] == "reference" else "candidate"]
    test = summary.get("test") or {}
    places = (
        ("held-out labels", returned if summary["evidence"] is not None else {}, summary.get("commonest")),
        (f"the test {summary.get('things', 'items')}", test, test.get("commonest")),
    )
    found = []
    for where, scores, commonest in places:
        score = scores.get(summary["score"])
        if commonest is not None and score is not None and score <= commonest["share"]:
            found.append((where, commonest))
    return found


@dataclass(frozen=True)
class Verdict:
    """A verdict in words, each part one or two sentences, or empty.

    Attributes:
        question: the question that the fit answers.
        answer: the answer to it.
        size: how much changed, and how sure that is.
        good: how good the returned model is, where there is a number.
        both: the scores of both models, a sentence for each set of labels that they were scored on.
        means: what the measure means.
        after: what to do next.
        returned: which model was returned, as a summary says it.
    """

    question: str
    answer: str
    size: str
    good: str
    both: tuple[str, ...]
    means: str
    after: str
    returned: str


def verdict(summary: Mapping[str, Any], test: str = "test", use: str = "") -> Verdict:
    """The verdict on a fit.

    Args:
        summary: summary of the fit, as plain values; that of an earlier version will do.
        test: word for what was tested on, such as "test table".
        use: how the model is used, such as a command between backticks; empty says nothing of it.

    >>> evidence = {"harm": 0.45, "difference": 0.009, "low": -0.08, "high": 0.11, "labels": 24, "resolution": 0.1}
    >>> alone, other = {"accuracy": 0.75, "interval": [0.5, 0.9]}, {"accuracy": 0.8, "interval": [0.6, 0.9]}
    >>> found = {"labelled": 24, "score": "accuracy", "measure": "accuracy", "things": "texts", "tried": "pool"}
    >>> found |= {"evidence": evidence, "reference": alone, "candidate": other, "returned": "candidate"}
    >>> verdict(found).answer
    'It is a coin toss whether the pool helped.'
    >>> verdict(found).after
    'Label about 72 more texts and fit again: with some 96 labels, a change of 5 points can be told from chance.'
    """
    evidence = summary["evidence"]
    both = []
    if summary.get("test"):
        both.append(f"On the {test}: {beside(summary, *on_the_test(summary))}.")
    if evidence is not None:
        both.append(f"On held-out labels: {beside(summary, summary['reference'], summary['candidate'])}.")
    return Verdict(
        question(summary),
        _answer(summary, test),
        "" if evidence is None else _size(summary),
        _good(summary, test),
        tuple(both),
        MEANS.get(summary["measure"], "") if both else "",
        _next(summary, use),
        summary["returned"],
    )


def _answer(summary: Mapping[str, Any], test: str) -> str:
    if summary["evidence"] is None:
        return _good(summary, test)
    harm = summary["evidence"]["harm"]
    if COIN[0] < harm <= COIN[1]:
        return f"It is a coin toss whether {_subject(summary)} helped."
    return f"{words_of(summary).subject} {helped(harm)}."


def _size(summary: Mapping[str, Any]) -> str:
    evidence = summary["evidence"]
    change, low, high = (100 * evidence[name] for name in ("difference", "low", "high"))
    if summary["measure"] == "accuracy":
        least = f"{abs(low):.0f} {'fewer' if low < 0 else 'more'}"
        most = f"{abs(high):.0f} {'fewer' if high < 0 else 'more'}"
        mean = "no change to speak of" if abs(change) < 0.5 else f"{abs(change):.0f} {_more(change)} right"
        expected = f"Expected of 100 answers: {mean} (between {least} and {most})"
    else:
        expected = f"Expected change in {summary['measure']}: {change:+.1f} points (between {low:+.1f} and {high:+.1f})"
    worse = min(max(round(100 * evidence["harm"]), 1), 99)
    return f"{expected}. The chance that it made the model worse is about {worse} in 100."


def _more(change: float) -> str:
    return "more" if change > 0 else "fewer"


def _good(summary: Mapping[str, Any], test: str) -> str:
    """Sentence on the score of the returned model, which names its part where two were compared."""
    score, own = summary["score"], summary["reference" if summary["returned"] == "reference" else "candidate"]
    compared = summary["evidence"] is not None
    model = f"The returned model ({returned_says(summary)})" if compared else "The model"
    right = summary["measure"] == "accuracy"
    if summary.get("test"):
        found = percent(summary["test"], score)
        where = f"on the {test}"
    elif compared and own.get(score) is not None:
        found, where = f"about {percent(own, score)}", "on labels that it had not seen"
    elif summary.get("before"):
        run = summary["before"]["run"]
        return f"No estimate of its own: it goes on from the model of {run}, and no test was given."
    elif not summary["labelled"]:
        return "No estimate: nothing has a clean label, and no test was given."
    else:
        return "No estimate: the evidence was skipped, and no test was given."
    return f"{model} gets {found} right {where}." if right else f"{model} has {summary['measure']} {found} {where}."


def _next(summary: Mapping[str, Any], use: str) -> str:
    """What to do next: one thing, and where that is to use the model, how."""
    things, evidence = summary.get("things", "items"), summary["evidence"]
    with_it = f"Use it: {use}." if use else "Use it."
    if no_better(summary):
        said = f"Do not use the model yet. Label more {things} of every class, the rare ones above all, and fit again."
    elif evidence is None:
        said = _next_unweighed(summary, with_it)
    elif summary["returned"] != "reference" and _apart(summary):
        alone = reference_says(summary)
        said = f"The test speaks against it: use the other model ({alone}), kept in the folder “reference” of the run."
    elif COIN[0] < evidence["harm"] <= COIN[1]:
        said = _next_of_coin(summary, with_it)
    elif summary["returned"] == "reference":
        said = f"{with_it} It leaves out what would probably hurt. Further labels make it better."
    else:
        said = f"{with_it} To make it better still, label the {things} that it is least sure of."
    return said


def _next_of_coin(summary: Mapping[str, Any], with_it: str) -> str:
    """What to do where chance explains all: how many labels would tell, and whether they are worth it."""
    evidence, points = summary["evidence"], f"{100 * WORTH:.0f} points"
    more, counted = labels_more(evidence["labels"], evidence["resolution"]), evidence.get("labelled_by", "labels")
    if not more:
        return f"Either model will do: the labels could tell a change of {points}, and see none. {with_it}"
    if more > min(TOO_MANY, summary.get("unlabelled") or TOO_MANY):
        needed = f"to tell a change of {points} takes about {more:,} more {counted}"
        return f"Do not wait for certainty: {needed}. {with_it} Each further label makes it better all the same."
    enough = f"with some {evidence['labels'] + more:,} {counted}, a change of {points} can be told from chance"
    return f"Label about {more:,} more {summary.get('things', 'items')} and fit again: {enough}."


def _next_unweighed(summary: Mapping[str, Any], with_it: str) -> str:
    things = summary.get("things", "items")
    if summary.get("test"):
        return with_it
    if not summary["labelled"]:
        return f"Label some 30 {things} of each class, and fit again with them: only labels tell how good it is."
    return f"Before you use it, score it on {things} that you labelled yourself, or fit again with the evidence."


def _apart(summary: Mapping[str, Any]) -> bool:
    """Whether the labels-only model is better on the test beyond both intervals."""
    if not summary.get("test"):
        return False
    alone, other = (found.get("interval") for found in on_the_test(summary))
    return alone is not None and other is not None and alone[0] > other[1]


def labels_more(labels: int, resolution: float, change: float = WORTH) -> int:
    """Number of further labels after which cross-validation alone can tell a change, rounded up to two digits.

    The smallest change that n labels can tell shrinks with the square root of n.

    Args:
        labels: number of labels n so far, at least 1.
        resolution: the smallest change that they can tell, as a share of 1.
        change: the change that is to be told, above 0.

    >>> labels_more(24, 0.1), labels_more(500, 0.02)
    (72, 0)
    """
    more = max(math.ceil(round(labels * (resolution / change) ** 2 - labels, 6)), 0)
    step = int(10 ** max(len(str(more)) - 2, 0))
    return math.ceil(more / step) * step
