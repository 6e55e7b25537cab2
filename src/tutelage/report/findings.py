"""What else a reader should know of a fit: sentences, the most important first."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tutelage.fit.box import FINDINGS
from tutelage.report.classes import weakest
from tutelage.report.sentences import below_commonest, better_on_test, on_copies

IDLE = "No pseudo-label ever counted: the pool taught the model nothing."
"""Sentence on a fit that learnt nothing from its pool."""


def findings(record: Mapping[str, Any]) -> list[str]:
    """Sentences on what else matters, the most important first; FINDINGS of them stand on top of a report.

    Args:
        record: records of a run.
    """
    summary = record["summary"]
    warned = [line["words"] for line in summary.get("said", []) if line["kind"] == "warning"]
    evidence = summary["evidence"] or {}
    found = [
        *(summary.get("sample") or {}).get("words", []),
        below_commonest(summary), better_on_test(summary), evidence.get("refused", ""),
        (summary.get("changed") or {}).get("alarm", ""), *warned,
        IDLE if summary.get("idle") else "", summary.get("note") or "", weakest(record), _left_out(summary),
    ]  # fmt: skip
    return list(dict.fromkeys(filter(None, found)))


def beyond(record: Mapping[str, Any]) -> list[str]:
    """Findings that do not stand on top, and what was found of the pool's classes and of copies.

    Args:
        record: records of a run.
    """
    summary = record["summary"]
    shares, copies = summary.get("prevalence") or {}, summary.get("copies") or {}
    found = [
        *findings(record)[FINDINGS:],
        *filter(None, [on_copies(summary)]),
        *shares.get("words", []),
        *copies.get("words", []),
    ]
    if summary.get("weak") and not summary["labelled"]:
        test = "; the test alone does" if summary.get("test") else ""
        found.append(f"No item has a clean label: none tells whether the weak labels and the pool helped{test}.")
    return list(dict.fromkeys(filter(None, found)))


def _left_out(summary: Mapping[str, Any]) -> str:
    count = len(summary.get("left_out") or ())
    if not count:
        return ""
    return (
        f"{count} {'file' if count == 1 else 'files'} could not be read and {'is' if count == 1 else 'are'} left out."
    )
