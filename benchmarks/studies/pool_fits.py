"""Fits with a pool, done anew with all that the evidence may look at, for `pool_evidence.py` to judge.

    python benchmarks/studies/pool_fits.py texts    the data sets, labels and seeds of results/frozen_text.jsonl
    python benchmarks/studies/pool_fits.py others   images, rows and sentences
    python benchmarks/studies/pool_fits.py skewed   SMS, evenly drawn labels, 1, 5 and 13 % spam in pool and test

What each fit said of held-out labels, of the pool and of the test goes to the folder pool_fits of the user's cache, a
file each; a fit whose file is there is not done again. About two hours on one core.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch

from tutelage.bench.cells import Cell, Drawn, cell, draw
from tutelage.bench.protocol import DataSet, Protocol, Setting, data_root, read_protocol
from tutelage.bench.sets import Part, load
from tutelage.data import Examples
from tutelage.data.sources import cache_folder
from tutelage.fit.comparison import Comparison
from tutelage.fit.evidence import Prior
from tutelage.fit.fit import threads
from tutelage.fit.held_out import FoldPredictions
from tutelage.fit.recorded import ALL_RECORDS
from tutelage.fit.setup import Setup
from tutelage.methods import METHODS
from tutelage.train import predict

HERE = Path(__file__).parent
FOLDER = cache_folder() / "pool_fits"
METHODS_OF_TEXTS = ("self_training", "mean_teacher", "drift")
METHODS_OF_SKEWED = ("self_training", "mean_teacher", "fixmatch", "adamatch", "drift")
DRAWS = 10
SHARES = (0.01, 0.05, 0.13)
"""Shares of spam in the pool and in the test of the skewed fits."""


@dataclass(frozen=True)
class Fit:
    """One fit: a method on a data set with the labels that a seed draws.

    Attributes:
        group: "texts", "others" or "skewed".
        protocol: name of the protocol that describes the data set.
        share: share of spam in the pool and in the test; None leaves the data as they are.
    """

    group: str
    protocol: str
    data: str
    labels: int
    seed: int
    method: str
    share: float | None = None

    @property
    def file(self) -> Path:
        """File of what the fit said."""
        share = "" if self.share is None else f"-{self.share:g}"
        return FOLDER / f"{self.group}-{self.data}-{self.labels}-{self.seed}-{self.method}{share}.npz"


def fits(group: str) -> Iterator[Fit]:
    """All fits of a group; those with the same labels follow each other."""
    if group == "texts":
        rows = pd.read_json(HERE.parent / "results" / "frozen_text.jsonl", lines=True)
        cells = rows[["seed", "data", "labels_a_class"]].drop_duplicates().sort_values(["seed", "data"])
        for seed, data, labels in cells.itertuples(index=False):
            for method in METHODS_OF_TEXTS:
                yield Fit(group, "evidence", data, int(labels), int(seed), method)
    elif group == "others":
        columns = [("images", "fashion_mnist", n) for n in (4, 25)]
        columns += [("digits", d, n) for d in ("digits", "mnist") for n in (4, 25)]
        columns += [("ner", d, 100) for d in ("conll03", "wikigold")]
        columns += [("images", "cifar10", n) for n in (4, 25)]
        for seed in range(2):
            for protocol, data, labels in columns:
                for method in METHODS_OF_TEXTS:
                    yield Fit(group, protocol, data, labels, seed, method)
    else:
        for seed in range(DRAWS):
            for share in SHARES:
                for method in METHODS_OF_SKEWED:
                    yield Fit(group, "evidence", "sms", 10, seed, method, share)


def skewed(drawn: Drawn, share: float, seed: int) -> Drawn:
    """A draw with a share of class 1, spam, in the pool and in the test, and of the other class all that there is."""
    rng = np.random.default_rng([seed, round(1000 * share)])

    def part(of: Part) -> Part:
        ham, spam = (np.flatnonzero(of.y == k) for k in (0, 1))
        wanted = round(share / (1 - share) * len(ham))
        if wanted > len(spam):  # fewer ham, where the data have not so much spam
            wanted, ham = len(spam), rng.permutation(ham)[: round((1 - share) / share * len(spam))]
        return of.subset(np.sort(np.concatenate([ham, rng.permutation(spam)[:wanted]])))

    return replace(drawn, cut=replace(drawn.cut, test=part(drawn.cut.test)), rest=part(drawn.rest))


def cell_of(fit: Fit, protocol: Protocol, root: Path) -> Cell:
    """The cell of a fit: its labels, its pool, and the part to score on."""
    (data,) = [d for d in protocol.data if d.name == fit.data]
    setting = Setting(labels=fit.labels)
    if fit.share is None:
        return cell(protocol.model_dump_json(), root, data, setting, fit.seed, ())
    return skewed_cell(fit, protocol, data, root)


def skewed_cell(fit: Fit, protocol: Protocol, data: DataSet, root: Path) -> Cell:
    """As `cell`, of a draw whose pool and test are skewed."""
    from tutelage.bench.sets import kind_for
    from tutelage.fit.build import Build, Items
    from tutelage.modalities.base import features

    assert fit.share is not None
    kind = kind_for(data, protocol.steps.network)
    drawn = skewed(draw(data, Setting(labels=fit.labels), root, fit.seed), fit.share, fit.seed)
    training = replace(kind.defaults.training, seed=fit.seed, steps=protocol.steps.steps or 300)
    task = load(data, root).task
    items = Items(task, drawn.labelled.items, drawn.labelled.y, drawn.rest.items, drawn.rest.y)
    views = tuple(sorted({v for m in METHODS_OF_SKEWED for v in METHODS[m].views}))
    building = Build(kind.reader(), views, kind.defaults, kind.whole, cache_folder() / "features").of(items)
    problem, reader = building.problem(), building.build.reader
    scored = features(reader, drawn.test.items, cache_folder() / "features")  # type: ignore[arg-type]
    return Cell(protocol, data, Setting(labels=fit.labels), kind, drawn, problem, training, scored, root)


def logs(p: np.ndarray) -> np.ndarray:
    """Logarithms of probabilities, small enough for half of the usual precision."""
    return np.log(p.clip(1e-13)).astype(np.float16)


def by_fold(parts: FoldPredictions) -> dict[str, np.ndarray]:
    """Held-out predictions of all folds, one after the other."""
    return {
        "units": np.concatenate([index for index, _ in parts]),
        "p": np.concatenate([said["probabilities"] for _, said in parts]).astype(np.float32),
        "sizes": np.array([len(index) for index, _ in parts]),
    }


def spoken(network: torch.nn.Module, given: Cell, examples: Examples) -> np.ndarray:
    """Logarithms of the probabilities of the units of examples, (units, c)."""
    return logs(predict(network, given.problem.task, examples).double().softmax(-1).cpu().numpy())


def do(given: Cell, fit: Fit, kept: dict[str, Any]) -> None:
    """Do one fit; what the labels-only model said is taken from the fits with the same labels before it."""
    started = time.perf_counter()
    p, method = given.problem, METHODS[fit.method]()
    with threads(p.threads):
        setup = Setup(p, given.steps(method))
        models = Comparison(setup, method, Prior(), given.plan(), ALL_RECORDS, None)
        if kept:
            models.reference.__dict__["model"] = kept["model"]
        reference = models.reference.model
        kept["model"] = reference
        best = models.best(list(models.rivals()))
        arrays = {"y": p.y, "counts": p.labelled.counts(), "test_y": given.drawn.test.y, "pool_y": given.drawn.rest.y}
        arrays |= {"test_counts": given.drawn.test.counts}
        for name, parts in (("honest", reference.honest), ("own", reference.own), ("candidate", best.own)):
            arrays |= {f"{name}_{key}": value for key, value in by_fold(parts).items()}
        for name, network in (("reference", reference.network), ("candidate", best.network)):
            arrays |= {f"{name}_test": spoken(network, given, given.scored)}
            arrays |= {f"{name}_pool": spoken(network, given, p.pool)}
    arrays["seconds"] = np.array(time.perf_counter() - started)
    arrays["fold_share"] = np.array([len(out) / len(p.labelled) for _, out in models.folds]).mean()
    fit.file.parent.mkdir(parents=True, exist_ok=True)
    unfinished = fit.file.with_suffix(".unfinished.npz")
    np.savez_compressed(unfinished, **arrays)
    unfinished.rename(fit.file)


def main(group: str) -> None:
    """Do the fits of a group that have no file yet."""
    todo, root = [fit for fit in fits(group) if not fit.file.exists()], data_root(Path(__file__))
    at: tuple[Any, ...] = ()
    kept: dict[str, Any] = {}
    given: Cell | None = None
    for count, fit in enumerate(todo, start=1):
        labels = (fit.data, fit.labels, fit.seed, fit.share)
        if labels != at:
            protocol = read_protocol(HERE.parent / "protocols" / f"{fit.protocol}.toml")
            at, kept, given = labels, {}, cell_of(fit, protocol, root)
        assert given is not None
        do(given, fit, kept)
        print(f"{count} of {len(todo)}: {fit.file.stem}", flush=True)


if __name__ == "__main__":
    for name in sys.argv[1:] or ("texts", "others", "skewed"):
        main(name)
