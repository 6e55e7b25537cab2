"""What is left of a finished fit: the model, its scores, the summary, the records and the report."""

from __future__ import annotations

import importlib.metadata
import platform
from dataclasses import replace
from pathlib import Path
from typing import Any

from tutelage import files as checkpoint
from tutelage import model as saving
from tutelage.fit.fit import Outcome, settings
from tutelage.kinds import Inputs
from tutelage.model import Model
from tutelage.report import records
from tutelage.report.page import write_report
from tutelage.train import Training


def conclude(out: Path, summary: dict[str, Any], model: Model, inputs: Inputs, outcome: Outcome) -> None:
    """Save the model, score it on the test items (added to the summary), write records and report."""
    saving.save(model, out / "model")
    record = records.collect(model, inputs, outcome)
    if len(inputs.test):
        summary["test"], of_test = records.of_test(model, inputs)
        others = {"reference": outcome.reference, "candidate": outcome.candidate, "stage_one": outcome.stage_one}
        for name, network in others.items():
            if network is not None:
                found, _ = records.of_test(replace(model, network=network.cpu()), inputs)
                summary["test"][f"{name}_{summary['score']}"] = found[summary["score"]]
        record |= of_test
    record["summary"] = {k: v for k, v in summary.items() if k != "versions"}
    checkpoint.write_json(out / "records.json", record)
    write_report(out)


def summarise(task: str, inputs: Inputs, outcome: Outcome, training: Training) -> dict[str, Any]:
    """What a finished fit has to say of itself, without the clock."""
    evidence, items = outcome.evidence, inputs.items

    def estimate(name: str) -> dict[str, Any]:
        if evidence is None:
            return {items.task.score: None, "interval": None}
        found = getattr(evidence, name)
        return {items.task.score: found.score, "interval": [found.low, found.high]}

    return {
        "format": checkpoint.FORMAT,
        "method": outcome.method.name,
        "settings": settings(outcome.method),
        "training": settings(replace(training, checkpoint_every=0.0)),
        "task": task,
        "score": items.task.score,
        "measure": items.task.measure,
        "things": inputs.things,
        "classes": list(inputs.classes),
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
    } | inputs.about()
