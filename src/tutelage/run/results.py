"""Write the results of a fit: model, scores on the test items, summary, records and report."""

from __future__ import annotations

import importlib.metadata
import platform
from dataclasses import replace
from pathlib import Path
from typing import Any

from torch import nn

from tutelage import files, model
from tutelage.fit.fit import Outcome, settings
from tutelage.fit.fit_rows import Fitted
from tutelage.kinds.base import Dataset, Kind, Measured
from tutelage.modalities.base import Encodes, Reader
from tutelage.model import Model
from tutelage.report.records import collect


def conclude(out: Path, summary: dict[str, Any], kind: Kind, data: Dataset, fitted: Fitted, reader: Reader) -> Model:
    """Save the model, score it on the test items (added to the summary), write records and report.

    Returns:
        The fitted model, on the CPU.
    """
    outcome = fitted.outcome
    made = Model(list(data.classes), outcome.network.to(fitted.problem.device), reader, data.items.task)
    record = collect(made, kind, data, fitted)
    if len(data.test):
        found = _measured(made, kind, data, outcome)
        summary["test"] = dict(found["returned"].scores)
        for name in ("reference", "candidate", "stage_one"):
            if name in found:
                summary["test"][f"{name}_{summary['score']}"] = found[name].scores[summary["score"]]
        shown = {"shown": found["returned"].shown} if found["returned"].shown else {}
        record |= found["returned"].tally.record("test") | shown
    record["summary"] = {k: v for k, v in summary.items() if k != "versions"}
    made = kind.model(data, outcome.network, reader)
    model.save(made, out / "model")
    files.write_json(out / "records.json", record)

    from tutelage.report.page import write_report  # with it the library that draws

    write_report(out)
    return made


def _measured(made: Model, kind: Kind, data: Dataset, outcome: Outcome) -> dict[str, Measured]:
    """Answers on the test items of the model that is returned and of those it was chosen from, each asked once."""
    examples = made.examples(data.test)
    networks = {
        "returned": outcome.network, "reference": outcome.reference, "candidate": outcome.candidate,
        "stage_one": outcome.stage_one,
    }  # fmt: skip
    asked: dict[nn.Module, Measured] = {}
    found = {}
    for name, network in networks.items():
        if network is not None and network not in asked:
            alone = replace(made, network=network.to(made.device))
            asked[network] = kind.measured(alone, examples, data.test, data.truth, show=name == "returned")
        if network is not None:
            found[name] = asked[network]
    return found


def summarise(kind: Kind, data: Dataset, fitted: Fitted, reader: Reader) -> dict[str, Any]:
    """What a finished fit has to say of itself, without the clock."""
    outcome, training, items = fitted.outcome, fitted.training, data.items
    evidence = outcome.evidence

    def estimate(name: str) -> dict[str, Any]:
        if evidence is None:
            return {items.task.score: None, "interval": None}
        found = getattr(evidence, name)
        return {items.task.score: found.score, "interval": [found.low, found.high]}

    return {
        "format": files.FORMAT,
        "method": outcome.method.name,
        "settings": settings(outcome.method),
        "training": settings(replace(training, checkpoint_every=0.0)),
        "kind": kind.name,
        "score": items.task.score,
        "measure": items.task.measure,
        "things": kind.words.things,
        "classes": [str(c) for c in data.classes],
        "labelled": len(items.labelled),
        "unlabelled": len(items.pool),
        "reference": estimate("reference") | {"choice": outcome.reference_choice},
        "candidate": estimate("candidate"),
        "returned": outcome.returned,
        "tried": "pool" if outcome.method.uses_pool else "method",
        "selection": [a.as_dict() for a in outcome.tried],
        "shares": outcome.shares,
        "evidence": (evidence.as_dict() | {"words": evidence.words()}) if evidence else None,
        "seed": training.seed,
        "versions": {p: importlib.metadata.version(p) for p in ("tutelage", "torch", "transformers", "scikit-learn")}
        | {"python": platform.python_version()},
        "encoder": reader.says,
        "reading": reading(kind, reader),
        "finetuned": bool(getattr(kind, "finetune", False)),
    } | data.about()


def reading(kind: Kind, reader: Reader) -> str:
    """How the reader's network was trained, in words."""
    if not isinstance(reader, Encodes):
        return "trained from nothing"
    return "fine-tuned" if kind.whole else reader.still
