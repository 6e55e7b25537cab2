"""Whole fits as rows of a table: what `tutelage fit` does with the labels of a cell, and all that it chooses."""

from __future__ import annotations

import time
from dataclasses import fields, replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch

from tutelage.bench.cells import Drawn, draw, score
from tutelage.bench.learners import auto_of
from tutelage.bench.protocol import DataSet, Protocol, Setting, WholeFit
from tutelage.bench.sets import kind_for
from tutelage.data.sources import cache_folder
from tutelage.fit.auto import Auto
from tutelage.fit.build import Items, rows_of
from tutelage.fit.defaults import Asked
from tutelage.fit.described import described_head, sentences_of
from tutelage.fit.fit_rows import Fitted, fit_rows
from tutelage.kinds.base import Kind
from tutelage.kinds.dataset import Dataset
from tutelage.methods import class_named
from tutelage.modalities.base import Encodes
from tutelage.model import Model
from tutelage.weak import Source, Voted

VERSION = 1
"""Version of this file's code; raised by hand when a change alters results."""


def run(
    protocol: Protocol, root: Path, data: DataSet, setting: Setting, seed: int, whole: WholeFit, device: str = "cpu"
) -> dict[str, Any]:
    """Do a whole fit and score it; the values of its line of results.

    Args:
        protocol: the protocol.
        root: folder of the data sets.
        data: the data set.
        setting: how much is known of the labels.
        seed: seed of the labels and of the fit.
        whole: the fit.
        device: where networks are trained, as torch names it.
    """
    drawn = draw(data, setting, root, seed)
    kind = kind_of(data, whole)
    items = items_of(data, drawn, whole)
    if whole.teacher:
        return _teacher_alone(kind, items, drawn)
    method = auto_of(protocol) if whole.method == Auto.name else class_named(whole.method)()
    asked = Asked(seed=seed, steps=protocol.steps.steps, lr=protocol.steps.lr)
    classes = [str(k) for k in range(items.task.classes)]
    wiring = kind.wiring(asked, Dataset(items, classes), isinstance(method, Auto))
    said: list[str] = []
    start, cpu = time.perf_counter(), time.process_time()
    fitted = fit_rows(
        items, wiring, method, cache_folder() / "features", say=said.append, without=(data.name,), device=device,
    )  # fmt: skip
    seconds, cpu = time.perf_counter() - start, time.process_time() - cpu
    guess = partial(_guess, fitted, classes)
    outcome = fitted.outcome
    start = time.perf_counter()
    p = guess(outcome.network, outcome.problem.reader, drawn.test.items)
    predicted = time.perf_counter() - start
    told: dict[str, Any] = {
        "score": score(items.task, p.argmax(1), drawn.test),
        "pool_score": score(items.task, _pool(fitted).argmax(1), drawn.rest),
        "seconds": round(seconds, 3), "cpu_seconds": round(cpu, 3), "predict_seconds": round(predicted, 3),
        "labelled": len(drawn.labelled), "pool": len(drawn.rest), "scored": len(drawn.test),
        "returned": outcome.returned, "says": said,
        "models": {j.says: [round(j.score.score, 6), round(j.gain, 6), round(j.share, 6)] for j in outcome.judged},
        "encoders": {t.name: [round(t.score, 6), round(t.gain, 6), t.chosen] for t in fitted.encoders},
    }  # fmt: skip
    for name, network, reader in (
        ("reference", outcome.reference, fitted.problem.reader),
        ("candidate", outcome.candidate, outcome.candidate_problem.reader),
        ("stage_one", outcome.stage_one, fitted.problem.reader),
        ("looked_at", outcome.looked_at, fitted.problem.reader),
    ):
        if network is not None:
            told[name] = score(items.task, guess(network, reader, drawn.test.items).argmax(1), drawn.test)
    if whole.paths:
        ways = {r.says: (r.trains.network()[0], r.trains.setup.problem.reader) for r in outcome.rivals}
        told["paths"] = {
            says: score(items.task, guess(*way, drawn.test.items).argmax(1), drawn.test) for says, way in ways.items()
        }
    if outcome.evidence is not None:
        told |= {"observed": round(outcome.evidence.observed, 6), "harm": round(outcome.evidence.harm, 6)}
    return told


def _teacher_alone(kind: Kind, items: Items, drawn: Drawn) -> dict[str, Any]:
    """Scores of the described or brought teacher, which learns nothing, on the part to score on and on the pool."""
    test, rest = drawn.test, drawn.rest
    told = {"seconds": 0.0, "labelled": 0, "pool": len(rest), "scored": len(test)}
    if items.sources and test.said is not None and rest.said is not None:
        scores = [score(items.task, part.said.argmax(1), part) for part in (test, rest) if part.said is not None]
        return {"score": scores[0], "pool_score": scores[1]} | told
    reader, cache = kind.reader(), cache_folder() / "features"
    if items.described is None or not isinstance(reader, Encodes):
        raise ValueError("the teacher alone is scored of described classes, or where its answers are in the data set")
    sentences, classes = sentences_of(items.described)
    parts = reader.encoding([test.items, items.pool, sentences], cache).features()
    scored, pool, described = (rows_of(part) for part in parts)
    head = described_head(described, classes, pool).eval()
    with torch.no_grad():
        guess = [head(rows).argmax(1).numpy() for rows in (scored, pool)]
    return {"score": score(items.task, guess[0], test), "pool_score": score(items.task, guess[1], rest)} | told


def kind_of(data: DataSet, whole: WholeFit) -> Kind:
    """Kind of a data set, with the options of a whole fit.

    Raises:
        ValueError: an option is not for this kind.
    """
    kind = kind_for(data)
    options: dict[str, Any] = {"encoder": whole.encoder, "adapt": whole.adapt}
    known = {f.name for f in fields(kind)}
    for name, value in options.items():
        if value is not None and name not in known:
            raise ValueError(f"{whole.name}: {name} is not for {kind.words.things}")
    return replace(kind, **{name: value for name, value in options.items() if name in known})


def items_of(data: DataSet, drawn: Drawn, whole: WholeFit) -> Items:
    """Items of a whole fit, with the teachers that it is given."""
    items = Items(drawn.cut.task, drawn.labelled.items, drawn.labelled.y, drawn.rest.items, drawn.rest.y)
    if whole.describe or (whole.taught and data.said is None):
        if not data.describe:
            raise ValueError(f"{data.name} describes no class: name sentences under [data.describe]")
        sentences = dict(data.describe)
        items = replace(items, described=[list(sentences[str(name)]) for name in drawn.cut.classes])
    labelled, rest = drawn.labelled.said, drawn.rest.said
    if whole.taught and labelled is not None and rest is not None:
        items = replace(items, sources=(Source("brought", np.concatenate([labelled, rest])),))
    if whole.votes:
        if drawn.cut.votes is None or drawn.chosen is None or drawn.others is None:
            raise ValueError(f"{data.name} has no votes: name their column")
        order = np.append(drawn.chosen, drawn.others)
        items = replace(items, sources=(Voted("rules", drawn.cut.votes.subset(order)),))
    return items


def _guess(fitted: Fitted, classes: list[str], network: Any, reader: Any, items: Any) -> np.ndarray:
    """Probabilities of items by a network of the fit, (units, c)."""
    model = Model(list(classes), network, reader or fitted.reader, fitted.problem.task, cache_folder() / "features")
    return model.probabilities(items)


def _pool(fitted: Fitted) -> np.ndarray:
    """Probabilities of the pool's units by the returned network, (units, c)."""
    outcome = fitted.outcome
    model = Model([], outcome.network, fitted.reader, fitted.problem.task)
    return model.predict_units(outcome.problem.pool)
