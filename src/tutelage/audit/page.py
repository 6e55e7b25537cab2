"""The page that shows the suspects of an audit: one HTML file with everything inside."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from tutelage.audit.ranking import Audit
from tutelage.audit.reading import Audited
from tutelage.audit.reasons import expected, percent
from tutelage.pages.templating import environment

SHOWN = 500
"""Largest number of suspects that the page shows; the table has all."""
CHARACTERS = 600
"""Number of characters of a text that the page shows."""
CLASSES = 40
"""Largest number of classes whose whole transition matrix is drawn; of more classes, the largest entries are listed."""


def draw(audited: Audited, audit: Audit, suspects: np.ndarray, why: Sequence[str], summary: dict[str, Any]) -> bytes:
    """The page as HTML, encoded.

    Args:
        audited: the rows that were audited.
        audit: their audit.
        suspects: numbers of the rows that are listed, from 0, (s,), the likeliest wrong first.
        why: reasons of each suspect, as a sentence, (s,).
        summary: summary of the audit as in audit.json.
    """
    shown = [_suspect(audited, audit, i, reason) for i, reason in zip(suspects[:SHOWN].tolist(), why, strict=False)]
    page = environment("tutelage.audit").get_template("audit.html").render(
        summary=summary, shown=shown, classes=by_class(audit, suspects), words=audited.kind.words,
        matrix=audit.transition.tolist() if len(audit.classes) <= CLASSES else None, confused=confused(audit),
        expected=expected, certainty=percent,
    )  # fmt: skip
    return page.encode(errors="replace")


def _suspect(audited: Audited, audit: Audit, i: int, why: str) -> dict[str, Any]:
    """Values that the page shows of row i, by name."""
    found = {
        "rank": int(audit.rank[i]), "row": audited.rows[i], "given": str(audit.given[i]), "why": why,
        "suggested": str(audit.suggested[i]), "probability": float(audit.probability[i]),
    }  # fmt: skip
    name = audited.names[i] if audited.names else ""
    return found | dict(audited.kind.shown_item(audited.items[i], name, CHARACTERS))


def by_class(audit: Audit, suspects: np.ndarray) -> list[dict[str, Any]]:
    """Values that the page shows of each given class, by name.

    They are its "name", its number of "rows", the number of them that are "listed", the mean probability that its
    labels are "wrong", and the "top" 3 other labels that are suggested for them, with their numbers.

    Args:
        audit: an audit of n rows.
        suspects: numbers of the rows that are listed, from 0, (s,).
    """
    found = []
    for name in audit.classes.tolist():
        mine = audit.given == name
        listed = suspects[mine[suspects]]
        others, counts = np.unique(audit.suggested[listed], return_counts=True)
        top = [(str(others[j]), int(counts[j])) for j in np.argsort(-counts, kind="stable")[:3] if others[j] != name]
        wrong = float(audit.probability[mine].mean())
        found.append({"name": str(name), "rows": int(mine.sum()), "listed": len(listed), "wrong": wrong, "top": top})
    return found


def confused(audit: Audit, most: int = 10) -> list[dict[str, Any]]:
    """The largest entries off the diagonal of the transition matrix, at most ``most``, each at least 0.001.

    Each is given as its "true" class, its "label" and its "share".
    """
    off = audit.transition * (1 - np.eye(len(audit.classes)))
    names, pairs = audit.classes.tolist(), np.argsort(-off, axis=None, kind="stable")[:most]
    found = [(int(pair) // len(off), int(pair) % len(off)) for pair in pairs]
    return [{"true": names[k], "label": names[j], "share": float(off[k, j])} for k, j in found if off[k, j] >= 1e-3]
