"""What the card beside a fitted model says: how it was fitted, its evidence, scores with intervals, and limits."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tutelage.fit.verdict import reference_says, words_of
from tutelage.kinds.base import Kind
from tutelage.report.sentences import (
    below_commonest,
    better_on_test,
    on_copies,
    on_held_out,
    on_test,
)

ALIKE = (
    "The scores hold for items drawn as those they were measured on, with the same meaning of the labels; on other "
    "sources, years or languages they have to be measured anew (`tutelage score`)."
)
UNSEEN = "It knows no class but those above, and gives every item one of them unless it is told to abstain."


def told_of(kind: Kind, summary: Mapping[str, Any], reference: bool = False) -> dict[str, list[str]]:
    """Sentences on a fitted model under the headings of its card.

    Args:
        kind: kind of the data.
        summary: summary of the fit.
        reference: whether the model is the labels-only one beside the returned one.
    """
    things, evidence = summary.get("things", "items"), summary.get("evidence")
    which = reference_says(summary) if reference or summary["returned"] == "reference" else words_of(summary).label
    learnt = f"Fitted to {summary['labelled']} labelled {things} and a pool of {summary['unlabelled']}"
    about = [
        f"{learnt} with the method {summary['method']}, seed {summary['seed']}; this is the model of: {which}.",
        f"Kind of data: {kind.name}. Version: {_version(summary)}.",
    ]
    scores = [on_held_out(summary) and f"Cross-validated on the labels: {on_held_out(summary)}."]
    if summary.get("test"):
        scores.append(f"On the test {things}: {on_test(summary)}.")
        if not reference:
            scores.append(f"Of this model there: {', '.join(kind.in_words(summary['test']))}.")
    before = summary.get("before")
    none = ["No evidence was gathered: nothing was held out of the labels."]
    weighed = [evidence["words"]] if evidence else none if before is None else before["words"]
    calibration = [] if reference or not summary.get("calibration") else [summary["calibration"]["words"]]
    limits = [ALIKE, UNSEEN, summary.get("note"), below_commonest(summary), better_on_test(summary), on_copies(summary)]
    return {
        "What it is": about,
        "Evidence": weighed,
        "Scores": [*filter(None, scores), *calibration],
        "Limits": [str(line) for line in limits if line],
    }


def _version(summary: Mapping[str, Any]) -> str:
    versions = summary.get("versions") or {}
    return ", ".join(f"{name} {version}" for name, version in versions.items()) or "not known"
