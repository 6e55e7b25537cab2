"""Trains every method, and fits some, as the library at commit a13364e does, and records what comes of it.

Recorded at commit a13364e; a number here changes only with the version of what makes it.

    OMP_NUM_THREADS=1 PYTHONPATH=CHECKOUT/src:tests python -m recorded.record_engine
"""

from __future__ import annotations

import copy
import warnings
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Any

import torch

from recorded import engine_recipe as recipe
from recorded import worlds
from recorded.comparing import network_sums, record, sums

FILE = "engine.json"


def method_of(name: str, fields: dict[str, Any]) -> Any:
    from tutelage import Auto, game
    from tutelage.methods import METHODS

    given = dict(fields)
    if "response" in given:
        kind, values = given["response"]
        given["response"] = getattr(game, kind)(**values)
    return {**METHODS, "auto": Auto}[name](**given)


def seeded(blank: torch.nn.Module, seed: int) -> torch.nn.Module:
    """A copy with weights drawn by the seed; what has no weights stays."""
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        made = copy.deepcopy(blank)
        for module in made.modules():
            if hasattr(module, "reset_parameters"):
                module.reset_parameters()
    return made


@cache
def on_rows() -> tuple[Any, Any, tuple[Any, ...], list[Any]]:
    """Of digits a task, a network to start from, labelled examples with target and pool, the pool's strong views."""
    from tutelage.data import Features
    from tutelage.modalities.head import Head
    from tutelage.tasks import Classification

    d = worlds.digits()
    blank = Head(64, 10, recipe.HIDDEN, recipe.DROPOUT).standardise(torch.tensor(d.pool), per_feature=True)
    strong = [Features(torch.tensor(worlds.disturbed(d.pool, s))) for s in (0, 1)]
    parts = Features(torch.tensor(d.labelled)), torch.tensor(d.y), Features(torch.tensor(d.pool))
    return Classification(10), blank, parts, strong


@cache
def on_words() -> tuple[Any, Any, tuple[Any, ...], list[Any]]:
    """The same of words."""
    from tutelage.data import WordFeatures
    from tutelage.modalities.head import Head
    from tutelage.tasks import Tagging

    w = worlds.word_rows()
    blank = Head(12, 5, recipe.HIDDEN, recipe.DROPOUT).standardise(torch.tensor(w.pool), per_feature=False)
    strong = [WordFeatures(torch.tensor(worlds.disturbed(w.pool, s)), w.pool_sizes) for s in (0, 1)]
    labelled = WordFeatures(torch.tensor(w.labelled), w.labelled_sizes)
    parts = labelled, torch.tensor(w.y), WordFeatures(torch.tensor(w.pool), w.pool_sizes)
    return Tagging(5, worlds.TAGS), blank, parts, strong


def loader_of(kind: str, method: Any) -> tuple[Any, Any, Any]:
    """A task, what makes a network of a seed, and the loader."""
    from tutelage.data import Loader
    from tutelage.fit.problem import Problem
    from tutelage.modalities.images.examples import SegmentImages
    from tutelage.modalities.images.networks import UNet
    from tutelage.modalities.images.reader import views
    from tutelage.tasks import Segmentation

    sizes = recipe.BATCHES[kind]
    if kind == "pixels":
        drawn, side, few = worlds.squares(recipe.IMAGES, 0, coloured=True), recipe.SIDE, recipe.LABELLED_IMAGES

        def unet(seed: int) -> torch.nn.Module:
            with torch.random.fork_rng():
                torch.manual_seed(seed)
                return UNet(3, **recipe.UNET)

        labelled, pool = (SegmentImages(p, (side, side)) for p in (drawn.pixels[:few], drawn.pixels[few:]))
        problem = Problem(
            Segmentation(3), labelled, drawn.masks[:few].ravel(), pool, unet, None, batch_labelled=sizes[0],
            batch_unlabelled=sizes[1], views=views(True, method.views),
        )  # fmt: skip
        return problem.task, unet, problem.loader(seed=recipe.SEED)
    task, blank, parts, strong = on_rows() if kind == "rows" else on_words()
    return task, lambda seed: seeded(blank, seed), Loader(*parts, *sizes, recipe.SEED, strong)


def trained(name: str) -> dict[str, Any]:
    """A training of one method: its history, every player's parameters, and what it remembers."""
    from tutelage.train import Training, train

    case = recipe.CASES[name]
    method = method_of(case.method, case.fields)
    task, network, loader = loader_of(case.kind, method)
    method = method.settled(task, False)
    method.ready(loader.unlabelled, lambda what, done, total: None)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        run = train(method, task, network, loader, Training(**recipe.TRAINING | case.changes))
    names = ("label", "confidence", "weight", "flips")
    return {
        "history": run.history,
        "players": {who: network_sums(player.module) for who, player in run.seats.items()},
        "stored": {who: {n: sums(getattr(stored, n)) for n in names} for who, stored in run.memory.of.items()},
        "kept": {n: sums(t) for n, t in run.memory.kept.items()},
    }


def fitted(name: str) -> dict[str, Any]:
    """A whole fit: the evidence, what was held out, what was tried, and the networks."""
    from tutelage.fit.build import Build, Items
    from tutelage.fit.defaults import HEAD
    from tutelage.fit.evidence import Prior
    from tutelage.fit.fit import fit
    from tutelage.fit.problem import Plan
    from tutelage.fit.recorded import Gains, Records
    from tutelage.modalities.rows.reader import RowReader
    from tutelage.tasks import Classification
    from tutelage.train import Training

    case, d = recipe.FITS[name], worlds.digits()
    method = method_of(case.method, case.fields)
    weak = worlds.noisy_labels(d.truth, 10) if case.weak else (None, None)
    items = Items(Classification(10), d.labelled, d.y, d.pool, d.truth, *weak)

    class Recorded(Records):
        def gains(self, names: Sequence[str]) -> Gains:
            return Gains.of(recipe.gain_records(list(names), case.gain), names, "array")

    problem = Build(RowReader(), method.views, HEAD, whole=False, cache=Path()).of(items).problem()
    training = Training(**recipe.FIT_TRAINING | case.changes)
    told = fit(problem, method, training, Prior(), Plan(**recipe.PLAN), records=Recorded())
    assert told.evidence is not None
    networks = {"returned": told.network, "reference": told.reference, "candidate": told.candidate}
    if told.stage_one is not None:
        networks["stage_one"] = told.stage_one
    return {
        "method": told.method.name,
        "evidence": told.evidence.as_dict(),
        "reference_choice": told.reference_choice,
        "held_out": sums(told.held_out.probabilities),
        "right": told.held_out.right,
        "history": told.history,
        "curve": told.curve,
        "tried": [a.as_dict() for a in told.tried],
        "shares": told.shares,
        "networks": {n: network_sums(network) for n, network in networks.items()},
    }


def found(name: str) -> dict[str, Any]:
    """What a case of the recipe gives."""
    return trained(name) if name in recipe.CASES else fitted(name)


def main() -> None:
    """Rewrite engine.json. Recorded at commit a13364e; a number here changes only with the version of what makes it."""
    record(FILE, [*recipe.CASES, *recipe.FITS], found)


if __name__ == "__main__":
    main()
