"""The summary of a fit: plain values on what was learnt, compared and returned."""

from __future__ import annotations

import importlib.metadata
import platform
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from tutelage import files
from tutelage.ask.enough import outlook, within
from tutelage.fit.answers import weight_of
from tutelage.fit.confirmation import Confirmation
from tutelage.fit.fit import settings
from tutelage.fit.fit_rows import Fitted
from tutelage.fit.label_curve import label_curve
from tutelage.fit.pool_words import evidence_of, of_shares
from tutelage.fit.prevalence import Prevalence, shares_of
from tutelage.fit.tried import idle
from tutelage.kinds.base import Kind
from tutelage.kinds.dataset import Dataset
from tutelage.kinds.sample import of_sample
from tutelage.modalities.base import Encodes, Reader
from tutelage.ops.said import warn


def summarise(kind: Kind, data: Dataset, fitted: Fitted) -> dict[str, Any]:
    """Summary of a fit, as plain values, without times, so that the same fit has the same summary."""
    outcome, training, items = fitted.outcome, fitted.training, data.items
    evidence = evidence_of(outcome, data.classes)
    tried = "pool" if outcome.method.uses_pool and not idle(outcome.history) else "method"

    sample = of_sample(kind, data, fitted)

    def estimate(name: str) -> dict[str, Any]:
        if evidence is None:
            return {items.task.score: None, "interval": None}
        found = getattr(evidence, name)
        return {items.task.score: found.score, "interval": [found.low, found.high]}

    return (
        {
            "format": files.FORMAT,
            "method": outcome.method.name,
            "settings": settings(outcome.method),
            "training": settings(replace(training, checkpoint_every=0.0)),
            "kind": kind.name,
            "score": items.task.score,
            "measure": items.task.measure,
            "things": kind.words.things,
            "classes": [str(c) for c in data.classes],
            "labelled": items.labels,
            "unlabelled": len(items.pool),
            "reference": estimate("reference") | {"choice": outcome.reference_choice},
            "candidate": estimate("candidate"),
            "commonest": kind.commonest(data.classes, items.y, weight_of(outcome.prevalence, fitted.problem)),
            "returned": outcome.returned,
            "student_share": outcome.share,
            "prevalence": _prevalence(outcome.prevalence, data.classes, evidence is not None),
            "pool": None if outcome.look is None else outcome.look.as_dict(data.classes),
            "tried": tried if evidence is None else evidence.tried,
            "idle": idle(outcome.history),
            "note": outcome.note,
            "selection": [a.as_dict() for a in outcome.tried],
            "shares": outcome.shares,
            "models": [judged.as_dict() for judged in outcome.judged],
            "encoders": [tried.as_dict() for tried in fitted.encoders],
            "calibration": None if items.task.dense else outcome.calibration.as_dict(),
            "evidence": (evidence.as_dict() | {"words": evidence.words()}) if evidence else None,
            "seed": training.seed,
            "versions": {
                p: importlib.metadata.version(p) for p in ("tutelage", "torch", "transformers", "scikit-learn")
            }
            | {"python": platform.python_version()},
            "encoder": fitted.reader.says,
            "reading": reading(kind, fitted.reader),
            "finetuned": bool(getattr(kind, "finetune", False)),
        }
        | data.about()
        | _copies(data, fitted)
        | ({"sample": sample} if sample else {})
        | _outlook(fitted, len(items.pool))
        | _pseudo_labels(kind, data, fitted)
        | ({"weak": fitted.weak(data.weak)} if data.weak else {})
    )


def reading(kind: Kind, reader: Reader) -> str:
    """Words that say how the network was trained, such as "frozen" or "fine-tuned"."""
    if not isinstance(reader, Encodes):
        return "trained from nothing"
    return "fine-tuned" if kind.whole else reader.still


def _prevalence(found: Prevalence | None, classes: Sequence[Any], scored: bool) -> dict[str, Any] | None:
    """Entry of the summary on the shares of the classes in the pool, with sentences; None where they are not known."""
    return None if found is None else found.as_dict(classes) | {"words": of_shares(found, classes, scored)}


def _copies(data: Dataset, fitted: Fitted) -> dict[str, Any]:
    """Entry of the summary on items that occur several times; empty where there are none."""
    if data.repeated is None:
        return {}
    about, flattered = data.repeated.as_dict(), fitted.leaking
    if flattered is None:
        return {"copies": about | {"flattered": None}}
    told = {k: v for k, v in flattered.as_dict().items() if k != "words"}
    return {"copies": about | {"flattered": told, "words": [*about["words"], *filter(None, [flattered.words()])]}}


def _pseudo_labels(kind: Kind, data: Dataset, fitted: Fitted) -> dict[str, Any]:
    """Entry of the summary on what became of the pseudo-labels, whose collapse is warned of; empty where none are."""
    found, items = [], data.items
    labels = shares_of(items.y, len(data.classes)) if len(items.y) and fitted.ledgers else None
    for ledger in fitted.ledgers:
        seen = Confirmation.of(ledger, len(data.classes), labels, fitted.outcome.prevalence)
        found.append(seen.as_dict(data.classes, kind.words.things))
        if found[-1]["alarm"]:
            warn(found[-1]["alarm"], stacklevel=4, page="collapse")
    return {"pseudo_labels": found} if found else {}


def _outlook(fitted: Fitted, left: int) -> dict[str, Any]:
    """Entry of the summary on what more labels are likely to bring; empty where nothing foretells it."""
    outcome = fitted.outcome
    curve = label_curve(fitted.problem, outcome.evidence, outcome.reference_choice, fitted.training.seed)
    if not curve:
        return {}
    numbers, scores = zip(*curve, strict=True)
    assert outcome.evidence is not None  # of which the curve is
    shown = outcome.evidence.reference.score
    found = outlook(numbers, scores, within(left), shown=min(max(shown, 0.0), 1.0))
    told = {name: getattr(found, name) for name in ("gain", "low", "high", "per_minute")}
    return {
        "outlook": {
            "curve": [list(point) for point in curve],
            "more": list(found.more),
            "stop": found.stop,
            "room": found.room,
        }
        | {name: values.tolist() for name, values in told.items()}
        | {"sets": found.sets, "words": found.words()}
    }
