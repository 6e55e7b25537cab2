"""What is left of a finished fit: the model, its scores, the summary, the records and the report."""

from __future__ import annotations

import importlib.metadata
import platform
from collections.abc import Sized
from dataclasses import replace
from pathlib import Path
from typing import Any

from tutelage import checkpoint, saving
from tutelage.fitting import Outcome, settings
from tutelage.inputs import Inputs
from tutelage.report import records
from tutelage.report.page import write_report
from tutelage.saving import Model
from tutelage.train import Training


def conclude(out: Path, summary: dict[str, Any], model: Model, inputs: Inputs, outcome: Outcome) -> None:
    """Save the model, score it on the test items (added to the summary), write records and report."""
    saving.save(model, out / "model")
    record = records.collect(model, inputs, outcome)
    if len(inputs.test):
        probabilities = model.probabilities(inputs.test)
        summary["test"] = inputs.scores(probabilities)
        score = "f1" if summary["task"] == "tagging" else "accuracy"
        others = {"reference": outcome.reference, "candidate": outcome.candidate, "stage_one": outcome.stage_one}
        for name, network in others.items():
            if network is not None:
                theirs = replace(model, network=network.cpu()).probabilities(inputs.test)
                summary["test"][f"{name}_{score}"] = inputs.scores(theirs)[score]
        record |= records.of_test(inputs, probabilities)
    record["summary"] = {k: v for k, v in summary.items() if k != "versions"}
    checkpoint.write_json(out / "records.json", record)
    write_report(out)


def summarise(
    task: str, classes: list[str], labelled: int, pool: Sized, outcome: Outcome, training: Training
) -> dict[str, Any]:
    """What a finished fit has to say of itself, without the clock."""
    evidence = outcome.evidence
    score = "f1" if task == "tagging" else "accuracy"

    def estimate(name: str) -> dict[str, Any]:
        if evidence is None:
            return {score: None, "interval": None}
        found = getattr(evidence, name)
        return {score: found.score, "interval": [found.low, found.high]}

    return {
        "format": checkpoint.FORMAT,
        "method": outcome.method.name,
        "settings": settings(outcome.method),
        "training": settings(replace(training, checkpoint_every=0.0)),
        "task": task,
        "classes": classes,
        "labelled": labelled,
        "unlabelled": len(pool),
        "reference": estimate("reference") | {"choice": outcome.reference_choice},
        "candidate": estimate("candidate"),
        "returned": outcome.returned,
        "evidence": (evidence.as_dict() | {"words": evidence.words()}) if evidence else None,
        "seed": training.seed,
        "versions": {p: importlib.metadata.version(p) for p in ("tutelage", "torch", "transformers", "scikit-learn")}
        | {"python": platform.python_version()},
    }
