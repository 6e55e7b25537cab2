"""The results of a fit, as files: model, scores on the test items, summary, records and report."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

from torch import nn

from tutelage import files, model
from tutelage.data import Examples
from tutelage.fit.fit import Outcome
from tutelage.fit.fit_rows import Fitted
from tutelage.fit.forecast import RECORDS, REPORT, TEST
from tutelage.kinds.answers import counted_as_wrong
from tutelage.kinds.base import Kind
from tutelage.kinds.copied import without_copies
from tutelage.kinds.dataset import Dataset, Measured
from tutelage.kinds.known_pool import Remembered, keep
from tutelage.kinds.ledger import KeptLedger
from tutelage.kinds.records import collect, on_device
from tutelage.modalities.base import Reader
from tutelage.model import Model
from tutelage.ops.meter import stage
from tutelage.ops.pages import on_page
from tutelage.ops.said import Heard
from tutelage.report.card import told_of
from tutelage.report.sentences import REFERENCE
from tutelage.run.onward import Before


def conclude(
    out: Path, summary: dict[str, Any], kind: Kind, data: Dataset, fitted: Fitted, heard: Heard | None = None,
    cost: Callable[[int], dict[str, Any]] | None = None, before: Before | None = None,
) -> Model:  # fmt: skip
    """Save the model and the labels-only one, score them on the test items, and write records and report.

    Args:
        out: folder of the run.
        summary: summary of the fit; it gets the test scores, and what was said.
        kind: kind of the data.
        data: dataset that was learnt.
        fitted: outcome of the fit.
        heard: what was said so far; None where nobody kept it.
        cost: function that gives what was predicted of the run, and what was so far, from the bytes of the page that
            is still to be written; None where nobody measured.
        before: run that the fit went on from; None where it began anew.

    Returns:
        The fitted model, on the CPU.
    """
    outcome = fitted.outcome
    made = on_device(data, fitted)
    with stage(RECORDS):
        record, remembered = collect(made, kind, data, fitted), Remembered.of(kind, data)
        summary |= {} if before is None else before.told(kind, data, fitted, made, remembered)
    if len(data.test):
        with stage(TEST):
            found = _measured(made, kind, data, outcome, fitted.problem.reader, before)
        summary["test"] = dict(found["returned"].scores)
        if "without_copies" in summary["test"]:
            summary["test_without_copies"] = summary["test"].pop("without_copies")
        for name in ("reference", "candidate", "stage_one"):
            if name in found:
                summary["test"][f"{name}_{summary['score']}"] = found[name].scores[summary["score"]]
        summary["test_reference"], summary["test_candidate"] = (
            dict(found[name].scores) for name in ("reference", "candidate")
        )
        if before is not None:
            summary["before"] |= before.on_test(found["before"].scores, found["returned"].scores, kind)
        if heard is not None and (unread := summary["test"].get("unread")):
            heard.say(on_page(counted_as_wrong(unread, len(data.test), kind.words), "nothing-to-read"))
        shown = {"shown": found["returned"].shown} if found["returned"].shown else {}
        record |= found["returned"].tally.record("test") | shown
    summary["said"] = [] if heard is None else heard.lines
    record["summary"] = {k: v for k, v in summary.items() if k != "versions"}
    with stage(RECORDS):
        made = kind.model(data, outcome.network, fitted.reader, calibration=outcome.calibration)
        made = made if before is None else before.remembered_by(made)
        model.save(made, out / "model", told_of(kind, summary))
        if outcome.reference is not outcome.network:
            reader = fitted.problem.reader or fitted.reader
            own = kind.model(data, outcome.reference, reader, calibration=outcome.reference_calibration)
            own = own if before is None else before.remembered_by(own)
            model.save(own, out / REFERENCE, told_of(kind, summary, reference=True))
            files.keep_once(out / REFERENCE, out / "model")
        written = files.write_json(out / "records.json", record)
        keep(out, remembered)
        if (ledger := KeptLedger.of(data, fitted.ledgers)) is not None:
            ledger.keep(out)
    with stage(REPORT):
        from tutelage.report.page import draw, page, write_page  # with it the library that draws

        drawn = draw(out, written)
        if cost is not None:
            summary["cost"] = cost(len(page(*drawn).encode()))
        write_page(out, drawn, cost=summary.get("cost"))
    return made


def _measured(
    made: Model, kind: Kind, data: Dataset, outcome: Outcome, frozen: Reader | None, before: Before | None
) -> dict[str, Measured]:
    """Test scores of the returned model and of the models it was chosen from, by name; each network is scored once."""
    networks = {
        "returned": (outcome.network, outcome.problem.reader), "reference": (outcome.reference, frozen),
        "candidate": (outcome.candidate, outcome.candidate_problem.reader), "stage_one": (outcome.stage_one, frozen),
    } | ({} if before is None else {"before": (before.model.network, frozen)})  # fmt: skip
    asked: dict[nn.Module, Measured] = {}
    examples: dict[int, Examples] = {}
    found = {}
    for name, (network, reader) in networks.items():
        if network is not None and network not in asked:
            alone = replace(made, network=network.to(made.device), reader=reader or made.reader)
            if id(alone.reader) not in examples:
                examples[id(alone.reader)] = alone.examples(data.test)
            read = examples[id(alone.reader)]
            own = kind.measured(alone, read, data.test, data.truth, show=name == "returned")
            rest = without_copies(kind, alone, read, data.test, data.truth, own.scores, data.copied)
            asked[network] = own._replace(scores=own.scores | rest)
        if network is not None:
            found[name] = asked[network]
    return found
