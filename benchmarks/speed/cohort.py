"""What trainings cost that are done together, as one batch of networks, beside one training and beside one by one.

    python benchmarks/speed/cohort.py [--steps 300] [--blocks 5] [--methods drift,mean_teacher] [--auto]

writes benchmarks/results/cohort.json: CPU seconds of eleven trainings (five folds twice, and all labels) together and
one by one, each over those of one training, by method and width of the hidden layer; the largest difference of a
probability between the two; a whole fit with its evidence, and its stages, done both ways; with --auto the automatic
choice likewise. The ways take turns, block by block, so that a drift of the machine's speed touches all of them; a
figure is the median of the ratios of paired blocks. Rows of random numbers around class means stand for features that
are cached.
"""

from __future__ import annotations

import argparse
import copy
import json
import os
import re
import statistics
import time
import warnings
from collections import defaultdict
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from unittest import mock

import numpy as np
import torch

from tutelage.data import Features
from tutelage.fit import contender
from tutelage.fit.auto import Auto
from tutelage.fit.build import HIDDEN, blanks
from tutelage.fit.defaults import HEAD
from tutelage.fit.evidence import Prior
from tutelage.fit.fit import fit, threads
from tutelage.fit.labels_only import Probe
from tutelage.fit.problem import Plan, Problem
from tutelage.methods import METHODS, Method
from tutelage.modalities.head import Head
from tutelage.tasks import Classification
from tutelage.train import Member, cohorts, predict, train, train_together

OUT = Path(__file__).parents[1] / "results" / "cohort.json"
FEATURES, CLASSES, POOL = 384, 4, 4000
WIDTHS = (64, HIDDEN)


def problem(labels: int, width: int = HIDDEN, pool: int = POOL) -> Problem:
    """Rows of features of four classes that overlap, and the heads that a fit makes of them."""
    rng = np.random.default_rng(0)
    y = np.arange(labels + pool) % CLASSES
    x = rng.normal(size=(len(y), FEATURES)) + 0.12 * rng.normal(size=(CLASSES, FEATURES))[y]
    rows = torch.tensor(x, dtype=torch.float32)
    found = blanks(rows, CLASSES, per_feature=False)

    def network(seed: int) -> Head:
        with torch.random.fork_rng():
            torch.manual_seed(seed)
            head = Head(FEATURES, CLASSES, width, 0.5)
        head.mean.copy_(found[""].mean)
        head.scale.copy_(found[""].scale)
        return head

    labelled, of_pool = Features(rows[:labels]), Features(rows[labels:])
    strong = [Features(rows[labels:] * (torch.rand(pool, FEATURES, generator=torch.Generator().manual_seed(0)) > 0.2))]
    probe = Probe(rows[:labels].numpy(), y[:labels], found)
    return Problem(
        Classification(CLASSES), labelled, y[:labels], of_pool, network, probe, decays=(1e-2, 1.0), threads=1,
        strong=strong, batch_labelled=HEAD.labelled, batch_unlabelled=HEAD.unlabelled,
    )  # fmt: skip


def members(p: Problem) -> list[Member]:
    """Trainings on all labels and on those of each fold, as a fit has them."""
    folds = [index for index, _ in p.folds(Plan(), 0)]
    return [Member(p.network, p.loader(i, k), k) for k, i in enumerate([np.arange(len(p.labelled)), *folds])]


def spent() -> float:
    """CPU seconds of this process so far, and of its children that have ended."""
    now = os.times()
    return now.user + now.system + now.children_user + now.children_system


def seconds(run: Callable[[], object]) -> float:
    """CPU seconds of a call, those of processes that it starts and waits for among them."""
    start = spent()
    run()
    return spent() - start


def middle(ratios: list[float]) -> dict[str, float]:
    """Median of ratios, with the least and the greatest."""
    return {
        "median": round(statistics.median(ratios), 2), "least": round(min(ratios), 2),
        "greatest": round(max(ratios), 2), "blocks": len(ratios),
    }  # fmt: skip


def of_trainings(method: Method, width: int, steps: int, blocks: int) -> dict[str, object]:
    """Eleven trainings together, and one by one, over one training; and how far apart what they say is."""
    p = problem(120, width)
    several, training = members(p), replace(HEAD.training, steps=steps)
    settled = method.settled(p.task)
    settled.ready(p.pool, lambda *_: None)
    runs = {}

    def together() -> None:
        groups = cohorts(settled, p.task, several)
        runs["together"] = [None] * len(several)
        for group in groups:
            found = (
                train_together(settled, p.task, [several[i] for i in group], training) if len(group) > 1
                else [one(several[group[0]])]
            )  # fmt: skip
            for i, run in zip(group, found, strict=True):
                runs["together"][i] = run

    def one(member: Member) -> object:
        return train(settled, p.task, member.network, member.loader, replace(training, seed=member.seed))

    def alone() -> None:
        runs["alone"] = [one(m) for m in several]

    ratios = defaultdict(list)
    for _ in range(blocks):
        single = seconds(lambda: one(several[0]))
        ratios["together"].append(seconds(together) / single)
        ratios["alone"].append(seconds(alone) / single)
    said = [[predict(r.network(), p.task, p.pool).softmax(-1) for r in runs[way]] for way in ("together", "alone")]
    far = max(float((a - b).abs().max()) for a, b in zip(*said, strict=True))
    return {
        "cohorts": [len(g) for g in cohorts(settled, p.task, several)],
        "together over one": middle(ratios["together"]), "one by one over one": middle(ratios["alone"]),
        "largest difference of a probability": far, "steps": steps,
    }  # fmt: skip


def one_by_one() -> mock._patch:
    """The way of earlier versions: no trainings are done together."""
    return mock.patch.object(contender, "cohorts", lambda method, task, some: [[i] for i in range(len(some))])


def staged(p: Problem, method: Method | Auto, steps: int) -> tuple[float, float, dict[str, float]]:
    """CPU seconds of a fit with its evidence, its seconds by the clock, and CPU seconds of its stages by name."""
    stages: dict[str, float] = defaultdict(float)
    last = spent()

    def tick(what: str, done: int, total: int) -> None:
        nonlocal last
        now = spent()
        stages[re.sub(r", (fold )?\d+ (of|trainings).*", "", what)] += now - last
        last = now

    training = replace(HEAD.training, steps=steps)
    clock = time.perf_counter()
    whole = seconds(lambda: fit(copy.copy(p), method, training, Prior(), HEAD.plan, tick=tick))
    clock = time.perf_counter() - clock
    return whole, clock, {name: round(took, 2) for name, took in sorted(stages.items(), key=lambda s: -s[1])}


def of_fits(name: str, labels: int, steps: int, blocks: int) -> dict[str, object]:
    """A whole fit with evidence, done together and one by one, over one training of its method."""
    p, ratios = problem(labels), defaultdict(list)
    method = Auto() if name == "auto" else METHODS[name]()
    game = (METHODS["drift"]() if name == "auto" else method).settled(p.task)
    training, stages = replace(HEAD.training, steps=steps), {}
    cpu, clocks = defaultdict(list), defaultdict(list)
    with threads(1):
        for _ in range(blocks):
            single = seconds(lambda: train(game, p.task, p.network, p.loader(), training))
            for way in ("together", "one by one"):
                with one_by_one() if way == "one by one" else mock.patch.object(contender, "cohorts", cohorts):
                    whole, clock, stages[way] = staged(problem(labels), method, steps)
                ratios[way].append(whole / single)
                cpu[way].append(whole)
                clocks[way].append(clock)
            cpu["one training"].append(single)
    return {
        "labels": labels, "pool": POOL, "steps": steps,
        "CPU seconds": {way: round(statistics.median(found), 2) for way, found in cpu.items()},
        "seconds by the clock": {way: round(statistics.median(found), 2) for way, found in clocks.items()},
        "over one training": {way: middle(found) for way, found in ratios.items()},
        "stages, CPU seconds": stages,
    }  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--steps", type=int, default=300)
    parser.add_argument("--blocks", type=int, default=5)
    parser.add_argument("--methods", default=",".join(METHODS))
    parser.add_argument("--widths", default=",".join(map(str, WIDTHS)))
    parser.add_argument("--fits", default="drift:120")
    parser.add_argument("--auto", action="store_true")
    asked = parser.parse_args()
    warnings.simplefilter("ignore")
    torch.set_num_threads(1)
    of_trainings(METHODS["supervised"](), 8, 2, 1)  # the first optimiser imports much of torch
    result = json.loads(OUT.read_text()) if OUT.exists() else {}
    for name in filter(None, asked.methods.split(",")):
        method = METHODS[name]()
        if method.needs_teacher:
            continue
        for width in map(int, asked.widths.split(",")):
            found = of_trainings(method, width, asked.steps, asked.blocks)
            result.setdefault("eleven trainings", {}).setdefault(name, {})[str(width)] = found
            print(name, width, json.dumps(found), flush=True)
            OUT.write_text(json.dumps(result, indent=1) + "\n")
    for wanted in [*filter(None, asked.fits.split(",")), *["auto:200"] * asked.auto]:
        name, labels = wanted.split(":")
        result.setdefault("fits", {})[wanted] = of_fits(name, int(labels), asked.steps, asked.blocks)
        print(wanted, json.dumps(result["fits"][wanted]), flush=True)
        OUT.write_text(json.dumps(result, indent=1) + "\n")


if __name__ == "__main__":
    main()
