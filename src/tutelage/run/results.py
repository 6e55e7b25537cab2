"""The results of a fit, as files: model, scores on the test items, summary, records and report."""

from __future__ import annotations

import importlib.metadata
import platform
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from torch import nn

from tutelage import files, model
from tutelage.data import Examples
from tutelage.fit.calibration import tempered
from tutelage.fit.fit import Outcome, settings
from tutelage.fit.fit_rows import Fitted
from tutelage.kinds.base import Kind
from tutelage.kinds.dataset import Dataset, Measured
from tutelage.kinds.tallies import Tally
from tutelage.modalities.base import Encodes, Reader
from tutelage.model import Model


def conclude(out: Path, summary: dict[str, Any], kind: Kind, data: Dataset, fitted: Fitted) -> Model:
    """Save the model, score it on the test items, and write records and report.

    Args:
        out: folder of the run.
        summary: summary of the fit; it gets the test scores.
        kind: kind of the data.
        data: dataset that was learnt.
        fitted: outcome of the fit.

    Returns:
        The fitted model, on the CPU.
    """
    outcome = fitted.outcome
    made = Model(list(data.classes), outcome.network.to(fitted.problem.device), fitted.reader, data.items.task)
    made.temperature = outcome.calibration.temperature
    record = collect(made, kind, data, fitted)
    if len(data.test):
        found = _measured(made, kind, data, outcome, fitted.problem.reader)
        summary["test"] = dict(found["returned"].scores)
        for name in ("reference", "candidate", "stage_one"):
            if name in found:
                summary["test"][f"{name}_{summary['score']}"] = found[name].scores[summary["score"]]
        shown = {"shown": found["returned"].shown} if found["returned"].shown else {}
        record |= found["returned"].tally.record("test") | shown
    record["summary"] = {k: v for k, v in summary.items() if k != "versions"}
    made = kind.model(data, outcome.network, fitted.reader, calibration=outcome.calibration)
    model.save(made, out / "model")
    files.write_json(out / "records.json", record)

    from tutelage.report.page import write_report  # with it the library that draws

    write_report(out)
    return made


def _measured(made: Model, kind: Kind, data: Dataset, outcome: Outcome, frozen: Reader | None) -> dict[str, Measured]:
    """Test scores of the returned model and of the models it was chosen from, by name; each network is scored once."""
    networks = {
        "returned": (outcome.network, outcome.problem.reader), "reference": (outcome.reference, frozen),
        "candidate": (outcome.candidate, outcome.candidate_problem.reader), "stage_one": (outcome.stage_one, frozen),
    }  # fmt: skip
    asked: dict[nn.Module, Measured] = {}
    examples: dict[int, Examples] = {}
    found = {}
    for name, (network, reader) in networks.items():
        if network is not None and network not in asked:
            alone = replace(made, network=network.to(made.device), reader=reader or made.reader)
            if id(alone.reader) not in examples:
                examples[id(alone.reader)] = alone.examples(data.test)
            read = examples[id(alone.reader)]
            asked[network] = kind.measured(alone, read, data.test, data.truth, show=name == "returned")
        if network is not None:
            found[name] = asked[network]
    return found


def summarise(kind: Kind, data: Dataset, fitted: Fitted) -> dict[str, Any]:
    """Summary of a fit, as plain values, without times, so that the same fit has the same summary."""
    outcome, training, items = fitted.outcome, fitted.training, data.items
    evidence = outcome.evidence
    tried = "pool" if outcome.method.uses_pool else "method"

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
            "labelled": len(items.labelled),
            "unlabelled": len(items.pool),
            "reference": estimate("reference") | {"choice": outcome.reference_choice},
            "candidate": estimate("candidate"),
            "returned": outcome.returned,
            "tried": tried if evidence is None else evidence.tried,
            "idle": _idle(outcome.history),
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
        | ({"weak": fitted.weak(data.weak)} if data.weak else {})
    )


def _idle(history: Sequence[Mapping[str, float]]) -> bool:
    """Whether no pseudo-label counted at any point of a training that stores pseudo-labels."""
    coverage = [point["coverage"] for point in history if "coverage" in point]
    return bool(coverage) and max(coverage) == 0


def reading(kind: Kind, reader: Reader) -> str:
    """Words that say how the network was trained, such as "frozen" or "fine-tuned"."""
    if not isinstance(reader, Encodes):
        return "trained from nothing"
    return "fine-tuned" if kind.whole else reader.still


def collect(model: Model, kind: Kind, data: Dataset, fitted: Fitted) -> dict[str, Any]:
    """Records of a fit, as plain values: history, held-out predictions, and the pool's least sure items.

    Args:
        model: fitted model.
        kind: kind of the data.
        data: dataset that was learnt.
        fitted: outcome of the fit.
    """
    outcome, classes = fitted.outcome, [str(c) for c in data.classes]
    record: dict[str, Any] = {"history": outcome.history, "curve": outcome.curve} | kind.legend(classes)
    if outcome.evidence is not None:
        p = outcome.held_out.probabilities
        p = p if data.items.task.dense else tempered(p, outcome.calibration.temperature)
        record |= Tally(len(classes)).add(data.items.y, p.argmax(1), p.max(1)).record("held out")
        record |= kind.shown_held_out(data, p)
    if len(data.items.pool):
        record |= kind.shown_pool(model, outcome.problem.pool, data)
    return record
