"""What each method for a brought teacher claims, tried on the data where it should show.

    python benchmarks/studies/teacher_claims.py                         # all claims, seeds 0 to 4
    python benchmarks/studies/teacher_claims.py --method slam --seeds 1 # one method, one seed
    python benchmarks/studies/teacher_claims.py --summary               # only what the lines say

Each line of results/teacher_claims.jsonl is one student, so that a run that was stopped goes on; what they say together
is written into results/teacher_claims.json. All students of a seed get the same labels: those that a method holds back,
or by which it finds out how good the teacher is, are among them. Nothing is chosen by the test items.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache, partial
from typing import Any, ClassVar

import numpy as np
import pandas as pd
import torch
from sklearn.cluster import KMeans
from torch import Tensor, nn

from lines import RESULTS, fit_missing
from teacher_scenes import SCENES, Scene
from teacher_scenes_more import LATER, MORE, described, texts_of
from tutelage.bench.markdown import interval
from tutelage.bench.running import Row, read_rows
from tutelage.bench.summary import half_width
from tutelage.data import Loader
from tutelage.fit.build import rows_of
from tutelage.fit.by_folds import AnswersByFolds
from tutelage.fit.contender import Contender
from tutelage.fit.described import described_head, sentences_of
from tutelage.fit.fit import threads
from tutelage.fit.problem import Plan
from tutelage.fit.reference import reference_model
from tutelage.fit.setup import Setup
from tutelage.methods import (
    AlmKd,
    Dho,
    DiffKd,
    Distil,
    DpSsl,
    Drift,
    Grip,
    Lelp,
    Method,
    MultiTeacher,
    Nd,
    PromptKd,
    SelfTraining,
    Slam,
    Spl,
    Ssld,
    Supervised,
)
from tutelage.methods.from_teacher import FromTeacher
from tutelage.methods.prompt_kd import class_vectors, with_classes
from tutelage.modalities.base import features
from tutelage.tasks import Task
from tutelage.train import train

KEYS = ("data", "labels", "learner", "seed")
FOLDS = Plan(folds=5, repeats=1)
HARD = 1e-6
"""Temperature at which a teacher's likeliest class is all that is learnt."""

FIXED_WEIGHTS = 0.1, 0.3, 0.5, 0.7, 0.9
"""Weights of the teacher beside which each label has what is missing to 1."""

Found = nn.Module | np.ndarray
"""A student, or probabilities of the test items, (m, c)."""

Learner = Callable[[Scene], Found | tuple[Found, dict[str, float]]]
"""Gives a student for a scene, and perhaps numbers by name that are recorded with it."""


def labels_only(scene: Scene) -> nn.Module:
    """The model of the labels alone, its penalty chosen by their folds."""
    setup = Setup(scene.problem.without_teacher(), scene.training)
    return reference_model(setup, setup.problem.folds(FOLDS, scene.training.seed), None).network


def taught(method: Method, scene: Scene) -> nn.Module:
    """A student by a method, from the teacher as it is and the labels."""
    settled = method.settled(scene.problem.task, True)
    return Contender("student", settled, Setup(scene.problem, scene.training)).student()


def calibrated(method: Method, scene: Scene) -> nn.Module:
    """The same from the teacher calibrated on the labels, as a fit does it."""
    return taught(method, replace(scene, problem=scene.problem.calibrated()))


def without(method: Method, scene: Scene) -> nn.Module:
    """A student by a method from pool and labels, without the teacher."""
    free = scene.problem.without_teacher()
    return Contender("student", method.settled(free.task), Setup(free, scene.training)).student()


def by_folds(method: FromTeacher, scene: Scene) -> nn.Module:
    """A student whose answer the labels' folds choose, as a fit does it."""
    folds = scene.problem.folds(FOLDS, scene.training.seed)
    settled, setup = method.settled(scene.problem.task, True), Setup(scene.problem, scene.training)
    return AnswersByFolds("student", settled, setup, begins=True, chooses=folds).student()


class SplOfOne(Spl):
    """`Spl` whose pairs are those of the second teacher with itself: pretraining on what that says."""

    def both(self, loader: Loader, task: Task) -> tuple[Tensor, Tensor]:
        _, other = super().both(loader, task)
        return other, other


class SplOfAgreed(Spl):
    """`Spl` on units of which both teachers say the same."""

    def both(self, loader: Loader, task: Task) -> tuple[Tensor, Tensor]:
        one, other = super().both(loader, task)
        agreed = one.nan_to_num(-1).argmax(-1) == other.nan_to_num(-1).argmax(-1)
        return torch.where(agreed[:, None], one, torch.nan), other


def own_descriptions(scene: Scene) -> nn.Module:
    """The student's own features, asked for the sentences on the classes."""
    reader: Any = scene.problem.reader
    data, cut = texts_of("ag_news", False)
    sentences, which = sentences_of([list(dict(data.describe)[name]) for name in cut.classes])
    return described_head(rows_of(features(reader, sentences, None)), which, rows_of(scene.problem.pool))


def of_later(method: PromptKd, scene: Scene) -> nn.Module:
    """`PromptKd` of the classes that the teacher knew, with the vector of the class that it learnt to know later."""
    kept, heard = taught(method, scene), scene.problem.weak.heard  # type: ignore[union-attr]
    seen, _ = heard.features()  # type: ignore[union-attr, misc]
    every: Any = described("ag_news", LATER + 1, seen)
    with torch.no_grad():
        w, b = class_vectors(seen, every(seen).softmax(-1))
    return with_classes(kept, w.T, b)


def weighed(scene: Scene) -> tuple[nn.Module, dict[str, float]]:
    """A student by `AlmKd`, and the correlation of what a row's label counts in the end with its being right."""
    method, seed = AlmKd().settled(scene.problem.task, True), 1000 * scene.training.seed
    loader = scene.problem.loader(seed=seed)
    run = train(method, scene.problem.task, scene.problem.network, loader, replace(scene.training, seed=seed))
    own = run.memory.kept["of labels"][:, 0].numpy()
    moved = own != own.dtype.type(1 - method.start)  # those that are held back stay where they were
    told = {"correlation": float(np.corrcoef(own[moved], ~scene.wrong[moved])[0, 1])} if scene.wrong.any() else {}
    return run.network(), told


@dataclass(frozen=True)
class KMeansParts(Lelp):
    """`Lelp` whose parts are clusters of what the teacher sees of each class."""

    name: ClassVar[str] = "k_means_parts"

    def within(self, rows: np.ndarray, said: np.ndarray, known: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        found, guess = np.zeros((len(rows), self.parts, said.shape[1])), said.argmax(1)
        for c in range(said.shape[1]):
            clusters = KMeans(self.parts, n_init=3, random_state=int(rng.integers(2**31))).fit(
                rows[known & (guess == c)]
            )
            found[np.arange(len(rows)), clusters.predict(rows), c] = 1
        return found


@dataclass(frozen=True)
class RandomParts(Lelp):
    """`Lelp` whose parts say nothing: each row is of one at random."""

    name: ClassVar[str] = "random_parts"

    def within(self, rows: np.ndarray, said: np.ndarray, known: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        return np.eye(self.parts)[rng.integers(self.parts, size=len(rows))][:, :, None].repeat(said.shape[1], 2)


LEARNERS: dict[str, Learner] = {
    "labels only": labels_only,
    "supervised": partial(taught, Supervised()),
    "teacher alone": lambda scene: scene.said,
    "drift": partial(without, Drift()),
    "distil": partial(taught, Distil()),
    "distil, hard": partial(taught, Distil(temperature=HARD)),
    "distil, calibrated": partial(calibrated, Distil()),
    "dho": partial(taught, Dho(share=0.5)),
    "dho, labels' head": partial(taught, Dho(share=1.0)),
    "dho, teacher's head": partial(taught, Dho(share=0.0)),
    "dho, by folds": partial(by_folds, Dho()),
    "slam": partial(taught, Slam()),
    "alm_kd": weighed,
    **{f"alm_kd, fixed {b}": partial(taught, AlmKd(rate=0.0, start=b)) for b in FIXED_WEIGHTS},
    "multi_teacher": partial(taught, MultiTeacher()),
    "multi_teacher, mean": partial(taught, MultiTeacher(agreed="mean")),
    "multi_teacher, flexible": partial(taught, MultiTeacher(temperature=2.0)),
    "lelp": partial(taught, Lelp()),
    "ssld": partial(taught, Ssld()),
    "ssld, kl": partial(taught, Ssld(divergence="kl")),
    "grip": partial(taught, Grip()),
    "ifpl": partial(taught, Grip(form="ifpl")),
    "fpl": partial(taught, Grip(form="fpl")),
    "prompt_kd": partial(taught, PromptKd()),
    "prompt_kd, later": partial(of_later, PromptKd()),
    "prompt_kd, aligned": partial(taught, PromptKd(align=5.0)),
    "prompt_kd, aligned, later": partial(of_later, PromptKd(align=5.0)),
    "own descriptions": own_descriptions,
    "diffkd": partial(taught, DiffKd()),
    "spl": partial(taught, Spl()),
    "spl, first alone": partial(taught, Spl(pairs=0)),
    "spl, second alone": partial(taught, SplOfOne(pairs=0)),
    "spl, agreed": partial(taught, SplOfAgreed(pairs=0)),
    "dp_ssl": partial(without, DpSsl()),
    "dp_ssl, majority": partial(without, DpSsl(label_model="majority")),
    "dp_ssl, one head": partial(without, DpSsl(functions=1, best=1)),
    "self_training": partial(without, SelfTraining()),
    "lelp, k-means": partial(taught, KMeansParts()),
    "lelp, random": partial(taught, RandomParts()),
    "nd": partial(taught, Nd()),
    "nd, norm 0": partial(taught, Nd(norm=0.0)),
}
"""Ways of making a student, by name."""


@dataclass(frozen=True)
class Claim:
    """What a method should be better than, and where.

    Attributes:
        method: name of the method in the catalogue.
        learner: the learner that the claim is about, of LEARNERS.
        data: of SCENES.
        labels: labels of each class.
        rivals: learners that it should be better than.
        reach: points of accuracy, over the best rival by the mean of the seeds, that it should be above.
        beside: learners that are shown beside it, too.
    """

    method: str
    learner: str
    data: str
    labels: int
    rivals: tuple[str, ...]
    reach: float
    beside: tuple[str, ...] = ("labels only", "teacher alone")

    @property
    def learners(self) -> tuple[str, ...]:
        """All learners of its table, each once."""
        return tuple(dict.fromkeys((self.learner, *self.rivals, *self.beside)))


FIXED = tuple(f"alm_kd, fixed {b}" for b in FIXED_WEIGHTS)

CLAIMS = (
    *(
        Claim(
            "dho", "dho, by folds", data, labels, ("labels only", "distil", "distil, hard", "dho, teacher's head"), 0.5,
            ("teacher alone", "dho", "dho, labels' head"),
        )
        for data in ("ag_news", "trec", "sms")
        for labels in (3, 8, 16)
    ),
    *(
        Claim("slam", "slam", data, labels, ("distil", "distil, hard", "distil, calibrated"), 2.0)
        for data, labels in (("fsdd, other speakers", 5), ("fsdd, other speakers", 15), ("ag_news", 30), ("trec", 30))
    ),
    Claim("alm_kd", "alm_kd", "fashion, 40 % noise", 200, FIXED, 0.5, ("labels only", "teacher alone", "distil")),
    *(
        Claim("multi_teacher", "multi_teacher", "ag_news, rules too", labels, ("distil", "multi_teacher, mean"), 0.5)
        for labels in (2, 8)
    ),
    *(
        Claim("grip", "grip", data, 2, rivals, reach)
        for data in ("ag_news", "trec", "yelp")
        for rivals, reach in ((("teacher alone",), 3.0), (("fpl", "ifpl"), 1.0), (("labels only", "distil"), 0.5))
    ),
    Claim("prompt_kd", "prompt_kd", "ag_news, by words", 1, ("teacher alone",), -3.0, ()),
    Claim("prompt_kd", "prompt_kd", "ag_news, by words", 1, ("own descriptions",), 5.0, ()),
    Claim("prompt_kd", "prompt_kd, later", "ag_news, by words, a class later", 1, ("own descriptions",), 0.0, ()),
    Claim(
        "prompt_kd", "prompt_kd, aligned, later", "ag_news, by words, a class later", 1,
        ("own descriptions", "prompt_kd, later"), 0.0, (),
    ),
    Claim("prompt_kd", "prompt_kd, aligned", "ag_news, by words", 1, ("prompt_kd",), 0.0, ()),
    *(
        Claim("ssld", "ssld", f"{data}, by words, teacher of the labels", 30, rivals, reach)
        for data in ("ag_news", "trec")
        for rivals, reach in ((("labels only",), 1.0), (("ssld, kl", "distil"), 0.0))
    ),
    Claim(
        "spl", "spl", "ag_news, rules too", 10, ("distil", "spl, first alone", "spl, second alone", "spl, agreed"), 0.5,
        ("labels only", "teacher alone"),
    ),
    Claim("dp_ssl", "dp_ssl", "digits", 4, ("dp_ssl, majority",), 1.0, ()),
    Claim("dp_ssl", "dp_ssl", "digits", 4, ("labels only", "dp_ssl, one head", "self_training"), 2.0, ()),
    Claim("diffkd", "diffkd", "fashion, narrow student", 10, ("distil", "nd"), 0.0, ("labels only", "teacher alone")),
    Claim("lelp", "lelp", "fsdd, odd or even", 5, ("distil", "lelp, k-means", "lelp, random"), 0.5),
    Claim("nd", "nd", "cifar10, 56 layers to 20", 500, ("distil", "nd, norm 0"), 0.3, ("supervised", "teacher alone")),
    Claim("nd", "nd", "fashion, narrow student", 10, ("distil", "nd, norm 0"), 0.3),
)  # fmt: skip
"""All claims. A row more is a claim more."""


@lru_cache(maxsize=1)
def scene_of(data: str, labels: int, seed: int) -> Scene:
    """The scene of a seed; the last one is kept."""
    return (SCENES | MORE)[data](labels, seed)


def one(data: str, labels: int, learner: str, seed: int) -> Row:
    """Accuracy of a learner on the test items of a scene, and what else it tells."""
    scene, begun = scene_of(data, labels, seed), time.process_time()
    with threads(1):
        found = LEARNERS[learner](scene)
        found, more = found if isinstance(found, tuple) else (found, {})
        if isinstance(found, nn.Module):
            with torch.no_grad():
                found = torch.cat([found.eval()(part) for part in scene.x.split(500)]).numpy()
    score = float((found.argmax(1) == scene.y).mean())
    seconds = round(time.process_time() - begun, 1)
    return dict(zip(KEYS, (data, labels, learner, seed), strict=True)) | {"score": score, "cpu_seconds": seconds} | more


def summary(lines: Sequence[Row], claims: Sequence[Claim]) -> list[dict[str, Any]]:
    """Of each claim the mean accuracies, in %, and the paired gain over the best rival with its 90 % interval."""
    frame, found = pd.DataFrame(lines), []
    for claim in claims:
        here = frame[(frame.data == claim.data) & (frame.labels == claim.labels)] if len(frame) else frame
        if not set(claim.learners) <= set(here.learner if len(here) else ()):
            continue
        scores = here.pivot(index="seed", columns="learner", values="score")[list(claim.learners)].dropna() * 100
        best = scores[list(claim.rivals)].mean().idxmax()
        gain = scores[claim.learner] - scores[best]
        least = min(claim.reach, 0)
        mean, half = gain.mean(), half_width(gain)
        row = {
            "method": claim.method, "data": claim.data, "labels": claim.labels, "learner": claim.learner,
            "seeds": len(scores), "accuracy": {name: round(v, 1) for name, v in scores.mean().items()},
            "score": f"{scores[claim.learner].mean():.1f}", "best_rival": f"{best}: {scores[best].mean():.1f}",
            "beside": ", ".join(f"{name} {scores[name].mean():.1f}" for name in claim.beside),
            "gain": interval(mean, half, "+"), "reach": f"{claim.reach:+.1f}",
            "met": "–" if np.isnan(half) else "yes" if mean >= claim.reach and mean - half > least else "no",
        }  # fmt: skip
        more = here[here.learner == claim.learner].drop(columns=[*KEYS, "score", "cpu_seconds"]).mean().dropna()
        found.append(row | {name: round(value, 2) for name, value in more.items()})
    return found


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--method", nargs="*", help="only claims of these methods")
    parser.add_argument("--seeds", type=int, default=5, help="number of seeds, from 0 on")
    parser.add_argument("--summary", action="store_true", help="train nothing")
    given = parser.parse_args()
    asked = [claim for claim in CLAIMS if given.method is None or claim.method in given.method]
    jobs = {
        (claim.data, claim.labels, learner, seed): None
        for seed in range(given.seeds)
        for claim in asked
        for learner in claim.learners
    }
    if not given.summary:
        fit_missing(one, list(jobs), KEYS, "teacher_claims")
    told = summary(read_rows(RESULTS / "teacher_claims.jsonl"), CLAIMS)
    (RESULTS / "teacher_claims.json").write_text(json.dumps({"claims": told}, indent=1, ensure_ascii=False) + "\n")
    for row in told:
        print(
            f"{row['method']}, {row['data']}, {row['labels']} labels a class, {row['seeds']} seeds: {row['gain']} over "
            f"{row['best_rival']}; {row['reach']} asked: {row['met']}"
        )
