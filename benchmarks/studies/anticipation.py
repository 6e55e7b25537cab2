"""When does anticipation help? DRIFT's variants on validation data, ten paired seeds, frozen features.

    python benchmarks/studies/anticipation.py --settings ag_news trec --seeds 10

Settings are weakly supervised sets (stage I on the weak labels, then self-training alone), and "NAME:10", ten clean
labels a class. Adds a JSON line a run to benchmarks/results/anticipation.jsonl; lines that are there are not run again.
Every variant of a seed starts from the same network and sees the same batches. Scores are of validation parts only:
where a set has none of 500 texts, a third of its training part (at most 2500) is kept aside for it.
"""

from __future__ import annotations

import argparse
import time
import warnings
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path

import numpy as np
import pandas as pd
import torch

from lines import fit_missing
from tutelage.bench.cells import cell
from tutelage.bench.protocol import DataSet, Protocol, Setting, data_root
from tutelage.bench.running import Row
from tutelage.bench.sets import kind_for, load
from tutelage.data import Loader
from tutelage.data.sources import cache_folder
from tutelage.fit.build import Build, Items
from tutelage.game import Ahead, Implicit, Unrolled
from tutelage.methods import Drift, Method, Supervised
from tutelage.modalities.base import features
from tutelage.ops.labels import certainty
from tutelage.train import Training, predict, train

ROOT = data_root(Path(__file__))
WEAK = ("ag_news", "trec", "youtube_spam", "sms", "mit_restaurant")
CLEAN = ("ag_news:10", "trec:10")
ENTITIES = ("conll03", "wikigold", "twitter")
"""Distantly tagged sets, for --settings; see --only."""
TEXTS = {
    "ag_news": ("ag_news/ag_news", "majority"), "trec": ("trec/trec", "weak_labels"), "sms": ("sms/sms", "weak_labels"),
    "youtube_spam": ("youtube_spam/youtube", "weak_labels"),
}  # fmt: skip
TAGGED = {"mit_restaurant": ("mit_restaurant/mit_restaurant", "majority")} | {
    name: (f"ner_distant/{name}", "distant_tags") for name in ENTITIES
}
MOST, VALID = {"conll03": 5000, "twitter": 2393}, 2500
"""At most so many items are learnt from (8000 of the others), and so many scored."""
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


def with_valid(name: str) -> str:
    """The file of a set of texts in which the part "valid" is large enough, made where it is not."""
    file = TEXTS[name][0]
    table = pd.read_parquet(ROOT / f"{file}.parquet").reset_index(drop=True)
    if (table.split == "valid").sum() >= 500:
        return f"{file}.parquet"
    learn = table[table.split == "train"]
    aside = learn.sample(min(len(learn) // 3, VALID), random_state=0).index
    table["split"] = table.split.where(table.split != "valid", "few").mask(table.index.isin(aside), "valid")
    path = cache_folder() / "studies" / f"{name}.parquet"
    path.parent.mkdir(parents=True, exist_ok=True)
    table.to_parquet(path)
    return f"cache:studies/{name}.parquet"


def weak_set(name: str) -> DataSet:
    """A weakly labelled set, its validation part in place of the part to score on."""
    pool = MOST.get(name, 8000)
    parts = {"learn": ("train", "unlabeled"), "test": ("valid",), "pool": pool, "scored": VALID}
    if name in TEXTS:
        return DataSet(name=name, kind="texts", file=with_valid(name), weak=TEXTS[name][1], **parts)
    file, weak = TAGGED[name]
    columns = {"items": "tokens", "labels": "tags", "weak": weak}
    return DataSet(name=name, kind="sentences", file=f"{file}.parquet", **columns, **parts)


@lru_cache
def ready(setting: str, seed: int):
    """The start network, the loader of the game, and the validation units with their class numbers."""
    name, _, a_class = setting.partition(":")
    if a_class:
        return clean(name, int(a_class), seed)
    data, weakly = weak_set(name), Setting(weak=True)
    protocol = Protocol(name="anticipation", methods=("drift",), settings=(weakly,), data=(data,))
    given = cell(protocol.model_dump_json(), ROOT, data, weakly, 0, ("weak",))
    problem, weak = given.problem, given.problem.weak
    loader = Loader(
        weak.examples, weak.target, weak.examples.subset(np.arange(0)),
        problem.batch_labelled, problem.batch_unlabelled, seed * 1000,
    )  # fmt: skip
    stage = train(Supervised(), problem.task, problem.network(seed * 1000), loader, replace(ADAM, seed=seed * 1000))
    return problem, stage.seats["student"].module, given.scored, given.drawn.test.y


def clean(name: str, a_class: int, seed: int):
    """The same with a few clean labels, of a training part of which 2500 texts are kept aside to score on."""
    data = DataSet(name=name, kind="texts", file=f"{TEXTS[name][0]}.parquet", pool=8000)
    cut, kind, cache = load(data, ROOT), kind_for(data), cache_folder() / "features"
    y, reader = cut.learn.y, kind.reader(None)
    order = np.random.default_rng(0).permutation(len(y))
    valid, learn = order[:VALID], order[VALID:]
    rng = np.random.default_rng(seed)
    labelled = np.concatenate([rng.permutation(learn[y[learn] == c])[:a_class] for c in np.unique(y)])
    rest = rng.permutation(np.setdiff1d(learn, labelled))[:4000]
    texts, pool, held = (cut.learn.subset(rows).items for rows in (labelled, rest, valid))
    items = Items(cut.task, texts, y[labelled], pool, y[rest])
    problem = Build(reader, ("weak",), kind.defaults, False, cache).of(items).problem()
    return problem, problem.network(seed * 1000), features(reader, held, cache), y[valid]


def score(network: torch.nn.Module, problem, examples, y: np.ndarray) -> float:
    guess = predict(network, problem.task, examples).argmax(1).numpy()
    return float(problem.task.right(guess, y, examples.counts()).mean())


def one(setting: str, seed: int, name: str) -> Row:
    torch.set_num_threads(1)
    problem, start, valid, y = ready(setting, seed)
    method, training = (variants() | costly())[name]
    begin = time.perf_counter()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of terms that are exactly zero
        run = train(method, problem.task, start, problem.loader(seed=seed * 1000), replace(training, seed=seed * 1000))
    seconds = time.perf_counter() - begin
    epochs = max(training.steps * problem.batch_unlabelled / len(problem.pool), 1e-9)
    return {
        "setting": setting, "variant": name, "seed": seed, "start": score(start, problem, valid, y),
        "score": score(run.seats["student"].module, problem, valid, y),
        "weight": run.history[-1].get("weight"), "flips": float(run.memory.flips.double().mean()) / epochs,
        "seconds": round(seconds, 2),
    }  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--settings", nargs="+", default=[*WEAK, *CLEAN])
    parser.add_argument("--seeds", type=int, default=10)
    parser.add_argument("--costly", action="store_true")
    parser.add_argument("--only", nargs="+", default=["all"], help="variants whose names begin so")
    parser.add_argument("--processes", type=int, default=2)
    a = parser.parse_args()
    names = [n for n in (costly() if a.costly else variants()) if "all" in a.only or n.startswith(tuple(a.only))]
    jobs = [(w, s, v) for s in range(a.seeds) for w in a.settings for v in names]
    fit_missing(one, jobs, ("setting", "seed", "variant"), "anticipation", a.processes)


if __name__ == "__main__":
    main()
