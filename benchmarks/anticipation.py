"""When does anticipation help? DRIFT's variants on validation data, ten paired seeds, frozen features.

    python benchmarks/anticipation.py --settings ag_news trec --seeds 10

Settings are the weakly supervised sets of weak_splits.py (stage I on the weak labels, then self-training alone),
and "NAME:10", ten clean labels a class. Adds a JSON line a run to benchmarks/results/anticipation.jsonl; lines
that are there are not run again. Every variant of a seed starts from the same network and sees the same batches.
"""

from __future__ import annotations

import argparse
import json
import time
import warnings
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path

import numpy as np
import torch

import frozen_text
import splits
import weak_splits
from tutelage.data import Features, Loader
from tutelage.fit.build import Data, on_features
from tutelage.game import Ahead, Implicit, Unrolled
from tutelage.methods import Drift, Method, Supervised
from tutelage.ops.weights import certainty
from tutelage.tasks import Classification
from tutelage.train import Training, predict, train

RESULTS = Path(__file__).parent / "results" / "anticipation.jsonl"
WEAK = ("ag_news", "trec", "youtube_spam", "sms", "mit_restaurant")
CLEAN = ("ag_news:10", "trec:10")
ENTITIES = ("conll03", "wikigold", "twitter")
"""Distantly tagged sets, for --settings; see --only."""
ADAM = Training(steps=300, lr=3e-3, weight_decay=1.0)
SHARP = {"balance": 0.0}
SGD = Training(steps=300, lr=0.1, weight_decay=1e-3, optimiser="sgd")


def variants() -> dict[str, tuple[Method, Training]]:
    """Name to method and training. "decay D coefficient C": the anticipating term's factor (1 - decay) x scale is C."""
    found: dict[str, tuple[Method, Training]] = {}
    grid = {0.3: (0.0, 0.1, 0.3), 0.5: (0.0, 0.1, 0.3, 0.5, 1.0), 0.7: (0.0, 0.1, 0.3), 0.9: (0.0, 0.1, 0.3, 0.5)}
    for decay, coefficients in grid.items():
        for c in coefficients:
            found[f"decay {decay} coefficient {c}"] = (Drift(**SHARP, decay=decay, interaction=c / (1 - decay)), ADAM)
    found["decay 0.99 coefficient 0.0"] = (Drift(**SHARP, decay=0.99, interaction=0.0), ADAM)
    found["decay 0.99 coefficient 0.3"] = (Drift(**SHARP, decay=0.99, interaction=30.0), ADAM)
    half = SHARP | {"decay": 0.5}
    for c in (0.0, 0.3):
        scale = {"interaction": 2 * c}
        more = {
            "frequency labels": Drift(**half | scale | {"balance": 1.0}),
            "no weights": Drift(**half, **scale, weights="none"),
            "normalised weights": Drift(**half, **scale, normalised=True),
            "temperature 1": Drift(**half, **scale, temperature=1.0),
        }
        found |= {f"{name}, coefficient {c}": (method, ADAM) for name, method in more.items()}
        found[f"sgd, coefficient {c}"] = (Drift(**half, **scale), SGD)
    found["cross-entropy, coefficient 0.0"] = (Drift(**half, interaction=0.0, divergence="ce"), ADAM)
    found["cross-entropy, coefficient 0.3"] = (Drift(**half, interaction=0.6, divergence="ce"), ADAM)
    for through in ("labels", "weights"):
        found[f"through {through}, coefficient 0.3"] = (Drift(**half, interaction=0.6, through=through), ADAM)
    return found | balanced()


def balanced() -> dict[str, tuple[Method, Training]]:
    """Frequency labels by decay and coefficient; and what of their gradient counts."""
    found: dict[str, tuple[Method, Training]] = {}
    for decay in (0.9, 0.97, 0.99):
        for c in (0.0, 0.1, 0.2, 0.3, 0.5):
            method = Drift(balance=1.0, decay=decay, interaction=c / (1 - decay))
            found[f"frequency, decay {decay} coefficient {c}"] = (method, ADAM)
    for b in (0.2, 0.5):
        for c in (0.0, 0.1, 0.2):
            found[f"balance {b} coefficient {c}"] = (Drift(balance=b, decay=0.99, interaction=c / 0.01), ADAM)
    slow = {"balance": 1.0, "decay": 0.99}
    found["frequency, through the batch's frequencies only"] = (Parted(**slow, interaction=20.0, part="batch"), ADAM)
    found["frequency, through the example itself only"] = (Parted(**slow, interaction=20.0, part="example"), ADAM)
    found["frequency, no weights, coefficient 0.0"] = (Drift(**slow, interaction=0.0, weights="none"), ADAM)
    found["frequency, no weights, coefficient 0.2"] = (Drift(**slow, interaction=20.0, weights="none"), ADAM)
    return found


@dataclass(frozen=True)
class Parted(Drift):
    """Frequency labels y_ij ~ p_ij^2 / f_j that are anticipated through f_j alone, or through p_ij alone."""

    part: str = "batch"

    def strategy(self, u: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        log_p = torch.log_softmax(u, dim=-1)
        log_f = torch.logsumexp(log_p, dim=0)
        own, f = (log_p.detach(), log_f) if self.part == "batch" else (log_p, log_f.detach())
        return torch.log_softmax(2 * own - f, dim=-1), certainty(u).detach()


def costly() -> dict[str, tuple[Method, Training]]:
    """Followers with second derivatives, for --costly."""
    found: dict[str, tuple[Method, Training]] = {}
    found["2 steps ahead"] = (Drift(**SHARP, response=Ahead(2, 0.1, 0.5)), ADAM)
    found["4 steps ahead"] = (Drift(**SHARP, response=Ahead(4, 0.1, 0.5)), ADAM)
    found["unrolled follower"] = (Drift(**SHARP, response=Unrolled(1, 0.5)), ADAM)
    found["implicit follower"] = (Drift(**SHARP, response=Implicit(1, 0.5, iterations=5, damping=0.1)), ADAM)
    return found


@lru_cache
def ready(setting: str, seed: int):
    """The start network, the loader of the game, and the validation units with their class numbers."""
    name, _, a_class = setting.partition(":")
    if a_class:
        split = splits.load(name)
        x, _ = frozen_text.features(split)
        order = np.random.default_rng(0).permutation(len(x))
        valid, learn = order[:2500], order[2500:]
        rng = np.random.default_rng(seed)
        labelled = np.concatenate(
            [rng.permutation(learn[split.y[learn] == c])[: int(a_class)] for c in np.unique(split.y)]
        )
        rest = rng.permutation(np.setdiff1d(learn, labelled))[:4000]
        t = torch.as_tensor
        task = Classification(int(split.y.max()) + 1)
        data = Data(task, Features(t(x[labelled])), split.y[labelled], Features(t(x[rest])), split.y[rest])
        problem = on_features(data, per_feature=False)
        return problem, problem.network(seed * 1000), Features(t(x[valid])), split.y[valid]
    split, (_, valid, _) = weak_splits.load(name), weak_splits.features(name)
    problem = weak_splits.problem(name)
    weak = problem.weak
    loader = Loader(
        weak.examples, weak.target, weak.examples.subset(np.arange(0)),
        problem.batch_labelled, problem.batch_unlabelled, seed * 1000,
    )  # fmt: skip
    stage = train(Supervised(), problem.task, problem.network(seed * 1000), loader, replace(ADAM, seed=seed * 1000))
    return problem, stage.seats["student"].module, valid, split.valid_y


def score(network: torch.nn.Module, problem, examples, y: np.ndarray) -> float:
    guess = predict(network, problem.task, examples).argmax(1).numpy()
    return float(problem.task.right(guess, y, examples.counts()).mean())


def one(setting: str, seed: int, name: str) -> dict[str, object]:
    torch.set_num_threads(1)
    problem, start, valid, y = ready(setting, seed)
    method, training = (variants() | costly())[name]
    begin = time.perf_counter()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of terms that are exactly zero
        run = train(method, problem.task, start, problem.loader(seed=seed * 1000), replace(training, seed=seed * 1000))
    seconds = time.perf_counter() - begin
    epochs = max(training.steps * problem.batch_unlabelled / len(problem.pool), 1e-9)
    ratios = [h["anticipating"] / max(h["direct"], 1e-12) for h in run.history if "anticipating" in h]
    return {
        "setting": setting, "variant": name, "seed": seed, "start": score(start, problem, valid, y),
        "score": score(run.seats["student"].module, problem, valid, y),
        "weight": run.history[-1].get("weight"), "flips": float(run.memory.flips.double().mean()) / epochs,
        "ratio": float(np.mean(ratios)) if ratios else 0.0, "seconds": round(seconds, 2),
    }  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--settings", nargs="+", default=[*WEAK, *CLEAN])
    parser.add_argument("--seeds", type=int, default=10)
    parser.add_argument("--costly", action="store_true")
    parser.add_argument("--only", nargs="+", default=["all"], help="variants whose names begin so")
    parser.add_argument("--processes", type=int, default=2)
    a = parser.parse_args()
    rows = [json.loads(line) for line in RESULTS.read_text().splitlines()] if RESULTS.exists() else []
    done = {(r["setting"], r["seed"], r["variant"]) for r in rows}
    names = [n for n in (costly() if a.costly else variants()) if "all" in a.only or n.startswith(tuple(a.only))]
    jobs = [(w, s, v) for s in range(a.seeds) for w in a.settings for v in names]
    jobs = [j for j in jobs if j not in done]
    with ProcessPoolExecutor(a.processes) as pool, open(RESULTS, "a") as out:
        for row in pool.map(one, *zip(*jobs, strict=True), chunksize=8):
            out.write(json.dumps(row) + "\n")
            out.flush()


if __name__ == "__main__":
    main()
