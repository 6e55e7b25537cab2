"""One run of the command line: read, say what will be done, fit, save, score, report."""

from __future__ import annotations

import hashlib
import importlib.metadata
import platform
import resource
import shutil
import time
import warnings
from collections.abc import Callable, Sequence, Sized
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch
from sklearn.metrics import accuracy_score, f1_score

from tutelage import checkpoint, problems, saving
from tutelage.data.sources import cache_folder
from tutelage.data.tables import DataError, Texts, read_texts, require_good_texts, text_fault
from tutelage.evidence import recorded_prior, wilson
from tutelage.fitting import Outcome, Plan, Problem, Tick, fit, settings, threads, without_pool
from tutelage.methods import Method
from tutelage.models.features import pending
from tutelage.models.text import Encoder, load_encoder
from tutelage.ops.checks import in_range
from tutelage.report import records
from tutelage.report.page import write_report
from tutelage.saving import Model
from tutelage.store import FolderStore
from tutelage.train import Training, predict, time_a_step

Say = Callable[[str], None]


@dataclass(frozen=True)
class Request:
    """What `tutelage fit` was asked to do.

    Args:
        train: table with texts and labels; an empty label means unlabelled.
        text: column of the texts.
        label: column of the labels.
        out: folder for the model, the report and summary.json; must not exist yet, or be empty.
        unlabelled: table with more texts; labels in it are used only to check pseudo-labels.
        test: table with labels to score the finished model on.
        seed: of weights, batches and folds; at least 0.
        encoder: "minilm", a folder with a saved model, or a name on the Hub.
        finetune: train the encoder too; slower by a factor of a hundred or so.
        resume: finish a run that was stopped, with the same options.
        steps: optimiser steps of each training.
        lr: peak learning rate.
        folds: of the cross-validation, at least 2.
        repeats: of the cross-validation, at least 1.
        evidence: gather it; without, the method's model is returned unasked.
        max_length: tokens read of each text.
        charset: of csv, tsv and jsonl files.
        device: "auto", or as torch names it.
        checkpoint_seconds: how often an unfinished training is saved.
    """

    train: Path
    text: str
    label: str
    out: Path
    unlabelled: Path | None = None
    test: Path | None = None
    seed: int = 0
    encoder: str = "minilm"
    finetune: bool = False
    resume: bool = False
    steps: int | None = None
    lr: float | None = None
    folds: int | None = None
    repeats: int | None = None
    evidence: bool = True
    max_length: int = 128
    charset: str = "utf-8"
    device: str = "auto"
    checkpoint_seconds: float = 30.0

    def how(self) -> tuple[Training, Plan]:
        """Training and evidence as asked for; ValueError where a value is out of its range."""
        in_range("max_length", self.max_length, 2)
        training, plan = problems.how(
            self.finetune, self.seed, self.steps, self.lr, self.folds, self.repeats, self.evidence
        )
        return replace(training, checkpoint_every=self.checkpoint_seconds), plan


@dataclass(frozen=True)
class Inputs:
    """The user's texts, checked: labelled, pool (with truth where known), test, class names."""

    labelled: Texts
    y: np.ndarray
    pool: list[str]
    truth: np.ndarray
    test: Texts | None
    classes: list[str]


def run(request: Request, method: Method, say: Say, tick: Tick) -> dict[str, Any]:
    """Do the whole run and return the summary that was written.

    Raises:
        DataError: something is wrong with the user's files; said with file, row and column.
        FileExistsError: ``out`` exists and is not empty, or holds a run of other options.
    """
    start = time.perf_counter()
    (training, plan), device = request.how(), problems.pick_device(request.device)
    inputs = read(request, say)
    encoder = load_encoder(request.encoder, request.max_length)
    if _open_folder(request, method):
        say(f"{request.out} is finished already")
        summary: dict[str, Any] = checkpoint.read_json(request.out / "summary.json", "evidence")
        return summary
    method = without_pool(method, inputs.pool)
    if not inputs.pool:
        say("There is no unlabelled row: only the labels are learnt from.")
    encoder.model.to(device)
    say(f"Reading texts with {request.encoder} on {device}: " + about_features(encoder, inputs, request))
    problem = _problem(request, inputs, encoder, device, tick)
    say(_intention(method, problem, training, plan))
    prior = recorded_prior(method.name, "finetuned text" if request.finetune else "text")
    outcome = fit(problem, method, training, prior, plan, FolderStore(request.out / "parts"), tick)

    model = Model(list(inputs.classes), outcome.network.cpu(), replace(encoder, model=encoder.model.cpu()))
    test = (inputs.test.texts, codes(inputs.classes, inputs.test)) if inputs.test is not None else None
    summary = summarise(method, inputs.classes, inputs.y, inputs.pool, outcome, training)
    summary |= {"encoder": request.encoder, "finetuned": request.finetune}
    conclude(request.out, summary, model, inputs.y, inputs.pool, outcome, test)
    summary["seconds"] = round(time.perf_counter() - start, 1)
    summary["peak_memory_mb"] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
    checkpoint.write_json(request.out / "summary.json", summary)
    shutil.rmtree(request.out / "parts", ignore_errors=True)
    return summary


def conclude(
    out: Path,
    summary: dict[str, Any],
    model: Model,
    y: np.ndarray,
    pool: Any,
    outcome: Outcome,
    test: tuple[Any, np.ndarray] | None,
) -> None:
    """Save the model, score it on the test rows (added to the summary), write records and report."""
    saving.save(model, out / "model")
    record = records.collect(model, y, pool, outcome, summary)
    if test is not None:
        rows, truth = test
        probabilities = model.probabilities(rows)
        summary["test"] = scores(truth, probabilities)
        for name, network in (("reference", outcome.reference), ("candidate", outcome.candidate)):
            guess = replace(model, network=network.cpu()).probabilities(rows).argmax(1)
            summary["test"][f"{name}_accuracy"] = float(accuracy_score(truth, guess))
        record |= records.predictions(summary["classes"], truth, probabilities, "test")
    record["summary"] = {k: v for k, v in summary.items() if k != "versions"}
    checkpoint.write_json(out / "records.json", record)
    write_report(out)


def read(request: Request, say: Say) -> Inputs:
    """Read and check the user's files."""
    table = read_texts(request.train, request.text, request.label, request.charset)
    has_label = np.array([v is not None for v in table.labels])
    labelled = table.where(has_label)
    if not len(labelled):
        raise DataError(f"{request.train}, column {request.label!r}: every label is empty; label some rows")
    require_good_texts(labelled, request.text)
    names, y = np.unique(np.array(labelled.labels, dtype=str), return_inverse=True)
    classes = [str(c) for c in names]
    if len(classes) < 2:
        raise DataError(f"{request.train}, column {request.label!r}: only one class, {classes[0]!r}; two are needed")
    counts = np.bincount(y)
    if request.evidence and counts.min() < 2:
        lonely = labelled.where(y == counts.argmin())
        raise DataError(
            f"{request.train}, row {lonely.rows[0]}, column {request.label!r}: class {classes[counts.argmin()]!r} "
            "has one label; label one more row of it (the evidence needs two), or pass --no-evidence"
        )
    pool = [table.where(~has_label)]
    if request.unlabelled is not None:
        more = pd.Index(_columns(request.unlabelled, request.charset))
        known = request.label if request.label in more else None
        pool.append(read_texts(request.unlabelled, request.text, known, request.charset))
    texts, truth = _good_pool(pool, classes, say)
    test = _test(request, classes, [*labelled.texts, *texts], say) if request.test is not None else None
    return Inputs(labelled, y, texts, truth, test, classes)


def _columns(path: Path, charset: str) -> Sequence[str]:
    from tutelage.data.tables import read_table

    return list(read_table(path, charset).columns)


def _good_pool(parts: list[Texts], classes: list[str], say: Say) -> tuple[list[str], np.ndarray]:
    texts: list[str] = []
    truth: list[int] = []
    code = {c: i for i, c in enumerate(classes)}
    for part in parts:
        bad = [text_fault(t) for t in part.texts]
        if any(bad):
            row = next(i for i, fault in enumerate(bad) if fault)
            say(
                f"Left out of the pool: {sum(map(bool, bad))} of {len(part)} texts of {part.file} "
                f"(first: row {part.rows[row]}, {bad[row]})."
            )
        texts += [t for t, fault in zip(part.texts, bad, strict=True) if not fault]
        truth += [code.get(v or "", -1) for v, fault in zip(part.labels, bad, strict=True) if not fault]
    return texts, np.array(truth, dtype=np.int64)


def _test(request: Request, classes: list[str], learnt: list[str], say: Say) -> Texts:
    assert request.test is not None
    test = labelled_only(read_texts(request.test, request.text, request.label, request.charset), request.label, say)
    codes(classes, test)
    shared = len(set(test.texts) & set(learnt))
    if shared:
        warn = f"{shared} texts of {request.test} are also in the training data: the test score flatters."
        warnings.warn(warn, stacklevel=2)
    return test


def labelled_only(test: Texts, label: str, say: Say) -> Texts:
    """The rows of a test table that have a label; DataError where there are none."""
    has_label = np.array([v is not None for v in test.labels])
    if not has_label.any():
        raise DataError(f"{test.file}, column {label!r}: every label is empty; nothing to score on")
    if not has_label.all():
        say(f"Not scored: {int((~has_label).sum())} rows of {test.file} without a label.")
    return test.where(has_label)


def codes(classes: Sequence[str], test: Texts) -> np.ndarray:
    """Class numbers of a table's labels; DataError names the first that was never seen."""
    code = {c: i for i, c in enumerate(classes)}
    for row, v in zip(test.rows, test.labels, strict=True):
        if v not in code:
            unseen = sorted({str(u) for u in test.labels if u not in code})
            raise DataError(
                f"{test.file}, row {row}: label {v!r} was not among the training labels "
                f"{', '.join(classes)}; unseen in this file: {', '.join(unseen)}"
            )
    return np.array([code[str(v)] for v in test.labels])


def scores(y: np.ndarray, probabilities: np.ndarray) -> dict[str, Any]:
    """Accuracy with its interval, and macro F1."""
    guess = probabilities.argmax(1)
    estimate = wilson(float(accuracy_score(y, guess)), len(y))
    macro = f1_score(y, guess, average="macro", zero_division=0.0)
    return {
        "rows": len(y), "accuracy": estimate.accuracy, "interval": [estimate.low, estimate.high],
        "macro_f1": float(macro),
    }  # fmt: skip


def _open_folder(request: Request, method: Method) -> bool:
    """Make the folder, or check that it holds this very run; True when that is finished."""
    out, asked = request.out, _fingerprint(request, method)
    if out.exists() and not out.is_dir():
        raise FileExistsError(f"{out} exists and is not a folder")
    if out.exists() and any(out.iterdir()):
        if not request.resume:
            raise FileExistsError(f"{out} exists and is not empty; choose another folder, or --resume the run in it")
        if not (out / "run.json").exists():
            raise FileExistsError(f"{out} holds no run to resume (run.json is missing)")
        before = checkpoint.read_json(out / "run.json", "method", "text", "label")
        changed = sorted(k for k in asked | before if asked.get(k) != before.get(k))
        if changed:
            raise FileExistsError(f"{out} holds a run with other settings; different: {', '.join(changed)}")
        return (out / "summary.json").exists()
    out.mkdir(parents=True, exist_ok=True)
    checkpoint.write_json(out / "run.json", asked)
    return False


def _fingerprint(request: Request, method: Method) -> dict[str, Any]:
    """What a resumed run must have in common with the stopped one."""
    asked = {k: str(v) for k, v in asdict(request).items() if k not in ("out", "resume", "checkpoint_seconds")}
    asked |= {"method": method.name} | {f"method.{k}": str(v) for k, v in settings(method).items()}
    for name in ("train", "unlabelled", "test"):
        path = getattr(request, name)
        if path is not None:
            asked[f"content of {name}"] = hashlib.sha256(path.read_bytes()).hexdigest()
    return asked


def about_features(encoder: Encoder, inputs: Inputs, request: Request) -> str:
    """How many texts are to be encoded and about how long that takes."""
    texts = inputs.labelled.texts if request.finetune else [*inputs.labelled.texts, *inputs.pool]
    count, seconds = pending(texts, encoder, cache_folder() / "features")
    return f"{count} texts to encode, about {duration(seconds)}." if count else "all features are in the cache."


def _problem(request: Request, inputs: Inputs, encoder: Encoder, device: torch.device, tick: Tick) -> Problem:
    cache, classes = cache_folder() / "features", len(inputs.classes)
    pool: list[str] = [] if request.finetune else inputs.pool
    data = problems.feature_data(
        encoder, inputs.labelled.texts, inputs.y, pool, classes, cache, inputs.truth, device,
        lambda done, total: tick("encoding texts", done, total),
    )  # fmt: skip
    if not request.finetune:
        return problems.on_features(data, per_feature=False)
    rows = data.labelled.take(np.arange(len(inputs.y)))
    assert isinstance(rows, torch.Tensor)
    tokens = problems.text_data(encoder, inputs.labelled.texts, inputs.y, inputs.pool, classes, inputs.truth, device)
    return problems.whole_text(tokens, encoder, rows.cpu().numpy())


def _intention(method: Method, problem: Problem, training: Training, plan: Plan) -> str:
    network = problem.network(0).to(problem.device)
    with threads(problem.threads):
        per_step = time_a_step(method, problem.task, network, problem.loader(), training)
        start = time.perf_counter()
        predict(network, problem.task, problem.pool.subset(np.arange(min(len(problem.pool), 64))))
        per_row = (time.perf_counter() - start) / 64
    relabelling = per_row * len(problem.pool) * (method.training_rounds - 1)
    counts = np.bincount(problem.y)
    fits = 1 if plan.skip else 1 + min(plan.folds, int(counts.min())) * plan.repeats
    check = "no evidence gathered" if plan.skip else f"{fits - 1} of them on parts of the labels, for the evidence"
    contenders = 1 + len(problem.decays) * (not plan.skip)
    seconds = (per_step * training.steps + relabelling) * fits * contenders
    return (
        f"Training {method.name} on {len(problem.y)} labels ({counts.min()} to {counts.max()} a class, "
        f"{len(counts)} classes) and a pool of {len(problem.pool)}: {fits} trainings of {training.steps} steps "
        f"({check}), about {duration(seconds)}."
    )


def duration(seconds: float) -> str:
    """A time for people.

    >>> duration(4), duration(100), duration(7000)
    ('4 seconds', '2 minutes', '1.9 hours')
    """
    if seconds < 90:
        return f"{max(round(seconds), 1)} seconds"
    return f"{round(seconds / 60)} minutes" if seconds < 5400 else f"{seconds / 3600:.1f} hours"


def summarise(
    method: Method, classes: list[str], y: np.ndarray, pool: Sized, outcome: Outcome, training: Training
) -> dict[str, Any]:
    """What a finished fit has to say of itself, without the clock."""
    evidence = outcome.evidence

    def estimate(name: str) -> dict[str, Any]:
        if evidence is None:
            return {"accuracy": None, "interval": None}
        found = getattr(evidence, name)
        return {"accuracy": found.accuracy, "interval": [found.low, found.high]}

    return {
        "format": checkpoint.FORMAT,
        "method": method.name,
        "settings": settings(method),
        "training": settings(replace(training, checkpoint_every=0.0)),
        "task": "classification",
        "classes": classes,
        "labelled": len(y),
        "unlabelled": len(pool),
        "reference": estimate("reference") | {"choice": outcome.reference_choice},
        "candidate": estimate("candidate"),
        "returned": outcome.returned,
        "evidence": (evidence.as_dict() | {"words": evidence.words()}) if evidence else None,
        "seed": training.seed,
        "versions": {p: importlib.metadata.version(p) for p in ("tutelage", "torch", "transformers", "scikit-learn")}
        | {"python": platform.python_version()},
    }
