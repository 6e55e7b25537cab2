"""Every way of learning from noisy labels on frozen features: as given, rounds, two-hot, chosen, and rivals.

    python benchmarks/studies/noise.py --data cifar10 fashion ag_news --seeds 5

adds a JSON line a data set, noise, method and seed to benchmarks/results/noise.jsonl; lines that are there are not run
again, so that a method added here is run alone. Networks ("network, gce" and so on) were recorded by a script that is
gone: the protocol `noise` compares them now. A seed draws the planted noise (of labels given by people, the rows
learnt from), the folds and initial weights, the same for every method. Whatever a method chooses it chooses on noisy
labels of the part to learn from; the test part and the true labels are only looked at to score.

Needs cleanlab: pip install cleanlab==2.9.0.

"Chosen penalty" is the weight decay best on held-out noisy labels, for features centred and of mean squared length 1;
"light penalty" is the paper's, 5e-5 on features as they come, without a bias and without any choice.
"""

from __future__ import annotations

import argparse
import time
import warnings
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import cached_property, lru_cache, partial
from itertools import pairwise

import numpy as np
import torch
from cleanlab.filter import find_label_issues
from scipy.special import log_softmax, softmax
from sklearn.exceptions import ConvergenceWarning

from lines import fit_missing
from noise_data import DATA, Data
from tutelage import SelfDistiller
from tutelage.bench.running import Row
from tutelage.distil import exact
from tutelage.distil.choice import COARSE, NEAR, Students, StudentSetting, Trial, held_out_rows
from tutelage.distil.closed import Decomposition, decompose, one_hot
from tutelage.distil.partial import RELEASED, two_hot
from tutelage.distil.rows import Rows, held, take
from tutelage.estimators.self_distiller import ROUNDS

LIGHT = 5e-5
"""The paper's weight decay."""
LOOKED_AT = 4000
"""So many training rows, drawn, say what was memorised."""

HELD_OUT = 0.2
"""Share of the rows on which rivals choose, by their noisy labels."""
FOLDS = 5
"""Parts of confident learning's cross-validation."""
DROPPED = (0.0, 0.1, 0.2, 0.4, 0.6, 0.8)
"""Shares of rows that small-loss pruning tries to drop."""
NEIGHBOURS = (3, 10, 30, 100, 300)
"""Numbers of neighbours tried."""

Predict = Callable[[np.ndarray], np.ndarray]
"""From features (m, d) to class numbers (m,)."""


@dataclass(frozen=True)
class Problem:
    """Rows to learn from, and what several methods share.

    Args:
        x: features, (n, d); y: their noisy labels, (n,).
    """

    x: np.ndarray
    y: np.ndarray
    classes: int
    seed: int

    @cached_property
    def auto(self) -> tuple[SelfDistiller, float]:
        """The estimator that chooses, and its seconds of one core; its table serves the methods of one kind."""
        start = time.process_time()
        return SelfDistiller(random_state=self.seed).fit(self.x, self.y), time.process_time() - start

    def best(self, kind: str, rounds: int | None = None) -> Trial:
        """The setting of a kind that is best on held-out noisy labels."""
        table: list[Trial] = self.auto[0].tried_
        return next(t for t in table if t.setting.kind == kind and rounds in (None, t.setting.rounds))

    @cached_property
    def rows(self) -> Rows:
        return Rows.of(self.x)

    @cached_property
    def students(self) -> Students:
        return Students.of(held(self.rows), self.y, self.classes)

    def predict(self, weights: np.ndarray) -> Predict:
        """The classifier of a student's weights."""
        slopes, intercept = self.rows.affine(weights)
        return lambda x: (x @ slopes + intercept).argmax(1)

    @cached_property
    def raw(self) -> tuple[np.ndarray, Decomposition]:
        """The features as the paper has them, with their decomposition."""
        x = self.x.astype(np.float64)
        return x, decompose(x)

    @cached_property
    def light(self) -> np.ndarray:
        """Weights of the labels as given at the light penalty, on features as they come."""
        return self.light_student(one_hot(self.y, self.classes), None)

    def light_student(self, targets: np.ndarray, start: np.ndarray | None, power: float = 0.0) -> np.ndarray:
        x, decomposition = self.raw
        return exact.student(x, targets, LIGHT, power, start, COARSE, decomposition).weights


@dataclass(frozen=True)
class Found:
    """What a method learnt, of rounds also what each would have, and what was chosen."""

    predict: Predict
    chosen: dict[str, object] = field(default_factory=dict)
    rounds: tuple[Predict, ...] = ()


def described(tried: Trial) -> dict[str, object]:
    s = tried.setting
    return {
        "kind": s.kind, "rounds": s.rounds, "weight_decay": float(f"{s.weight_decay:.3g}"),
        "held_out": round(tried.score, 5), "behind": [round(b, 5) for b in tried.behind],
    }  # fmt: skip


def on_raw(weights: np.ndarray) -> Predict:
    return lambda x: (x @ weights).argmax(1)


def auto(p: Problem) -> Found:
    model = p.auto[0]
    chosen = next(t for t in model.tried_ if t.setting == model.chosen_)
    return Found(model.predict, described(chosen))


def kind(p: Problem, name: str) -> Found:
    """`SelfDistiller` of one kind: labels, robust or two_hot."""
    best = p.best(name)
    return Found(p.predict(p.students.weights(best.setting)), described(best))


def rounds(p: Problem) -> Found:
    """Every number of rounds, each with the penalty that is best for it; of them the best on held-out labels."""
    best = [p.best("rounds", t) for t in range(1, ROUNDS + 1)]
    each = tuple(p.predict(w) for w in p.students.closed([b.setting for b in best]))
    top = max(range(ROUNDS), key=lambda i: best[i].score)
    return Found(each[top], described(best[top]) | {"held_out_each": [round(b.score, 5) for b in best]}, each)


def labels_light(p: Problem) -> Found:
    return Found(on_raw(p.light))


def rounds_light(p: Problem) -> Found:
    """Rounds in closed form at the light penalty."""
    x, d = p.raw
    moments = d.moments(x, one_hot(p.y, p.classes))
    each = tuple(on_raw(d.weights(moments, LIGHT, t)) for t in range(1, ROUNDS + 1))
    return Found(each[-1], {}, each)


def two_hot_exact(p: Problem) -> Found:
    """The exact student, by cross-entropy, of the two-hot labels of the chosen linearised teacher."""
    best = p.best("two_hot")
    s = best.setting
    teacher, linear = p.students.closed([StudentSetting("rounds", 1, s.teacher, s.teacher), s])
    rows = p.students.rows
    targets = two_hot(np.asarray(rows @ teacher))
    found = exact.student(rows, targets, s.weight_decay, 0.0, linear, COARSE, p.students.decomposition)
    return Found(p.predict(found.weights), described(best))


def two_hot_light(p: Problem, power: float) -> Found:
    """Two-hot labels of the exact teacher, learnt from where it stands; power 0.7 is the authors' loss."""
    targets = two_hot(p.raw[0] @ p.light)
    return Found(on_raw(p.light_student(targets, p.light, power)))


def retrained(p: Problem, kept: np.ndarray, decay: float) -> Predict:
    """Labels as given of some of the rows."""
    part = Problem(p.x[kept], p.y[kept], p.classes, p.seed)
    return part.predict(part.students.exact(StudentSetting("labels", 1, decay, decay)))


def confident_learning(p: Problem) -> Found:
    """cleanlab: what its defaults find mislabelled is left out, by probabilities of models that have not seen the row.

    Source: Northcutt, Jiang and Chuang, JAIR 70, 2021.
    """
    setting, full = p.best("labels").setting, p.students
    probabilities = np.zeros((len(p.y), p.classes))
    shuffled = np.random.default_rng(p.seed).permutation(len(p.y))
    for out in np.array_split(shuffled, FOLDS):
        kept = np.setdiff1d(shuffled, out)
        part = replace(full, rows=take(full.rows, kept), labels=p.y[kept])
        probabilities[out] = softmax(take(full.rows, out)[:] @ part.exact(setting), axis=1)
    kept = np.flatnonzero(~find_label_issues(p.y, probabilities, n_jobs=1))
    chosen: dict[str, object] = {"kept": len(kept) / len(p.y)}
    if np.bincount(p.y[kept], minlength=p.classes).min() < FOLDS:  # a class would be lost
        return Found(p.predict(full.exact(setting)), chosen)
    part = Problem(p.x[kept], p.y[kept], p.classes, p.seed)
    near = [setting.weight_decay * step for step in (0.1, *NEAR)]  # fewer wrong labels want a lighter penalty
    held_out = held_out_rows(part.students, p.seed)[0]
    settings = [StudentSetting("labels", 1, decay, decay) for decay in near]
    right = held_out.right(np.stack([held_out.students.exact(s) for s in settings])).mean(1)
    best = settings[int(np.argmax(right))]
    return Found(part.predict(part.students.exact(best)), chosen | {"weight_decay": best.weight_decay})


def small_loss(p: Problem) -> Found:
    """The rows of largest loss of each class are left out; how many is chosen on held-out noisy labels."""
    decay = p.best("labels").setting.weight_decay
    out, kept = np.split(np.random.default_rng(p.seed).permutation(len(p.y)), [round(HELD_OUT * len(p.y))])
    part = Problem(p.x[kept], p.y[kept], p.classes, p.seed)
    rank = ranked(part, decay)
    right = [
        (retrained(part, np.flatnonzero(rank <= 1 - share), decay)(p.x[out]) == p.y[out]).mean() for share in DROPPED
    ]
    share = DROPPED[int(np.argmax(right))]
    return Found(retrained(p, np.flatnonzero(ranked(p, decay) <= 1 - share), decay), {"dropped": share})


def ranked(p: Problem, decay: float) -> np.ndarray:
    """The place of each row's loss among those with its label, in (0, 1), (n,)."""
    weights = p.students.exact(StudentSetting("labels", 1, decay, decay))
    logs = log_softmax(p.students.rows[:] @ weights, axis=1)
    loss, rank = -logs[np.arange(len(p.y)), p.y], np.empty(len(p.y))
    for c in range(p.classes):
        mine = np.flatnonzero(p.y == c)
        rank[mine[np.argsort(loss[mine])]] = (np.arange(len(mine)) + 0.5) / max(len(mine), 1)
    return rank


def neighbours(p: Problem) -> Found:
    """The vote of the nearest rows by cosine, weighed by it; how many is chosen on held-out noisy labels."""
    out, kept = np.split(np.random.default_rng(p.seed).permutation(len(p.y)), [round(HELD_OUT * len(p.y))])
    right = [(vote == p.y[out]).mean() for vote in votes(p, p.x[out], kept)]
    best = int(np.argmax(right))
    everyone = np.arange(len(p.y))
    return Found(lambda new: votes(p, new, everyone)[best], {"neighbours": NEIGHBOURS[best]})


def votes(p: Problem, new: np.ndarray, of: np.ndarray) -> list[np.ndarray]:
    """What the neighbours of new rows among some of the old say, for each of NEIGHBOURS."""
    t, unit = torch.as_tensor, torch.nn.functional.normalize
    centre, labels = p.x.mean(0), t(p.y[of])
    old, found = unit(t(p.x[of] - centre)), []
    for part in t(new - centre).split(1000):
        near, index = (unit(part) @ old.T).topk(NEIGHBOURS[-1])
        tally = torch.zeros(len(part), p.classes)
        for low, high in pairwise((0, *NEIGHBOURS)):
            tally.scatter_add_(1, labels[index[:, low:high]], near[:, low:high])
            found.append(tally.argmax(1).numpy())
    return [np.concatenate(found[i :: len(NEIGHBOURS)]) for i in range(len(NEIGHBOURS))]


METHODS: dict[str, Callable[[Problem], Found]] = {
    "auto": auto, "labels": partial(kind, name="labels"), "labels, light penalty": labels_light,
    "rounds": rounds, "rounds, light penalty": rounds_light, "robust": partial(kind, name="robust"),
    "two_hot": partial(kind, name="two_hot"), "two_hot, exact": two_hot_exact,
    "two_hot, light penalty": partial(two_hot_light, power=0.0),
    "two_hot, released": partial(two_hot_light, power=RELEASED),
    "confident learning": confident_learning, "small loss": small_loss, "neighbours": neighbours,
}  # fmt: skip


def share(right: np.ndarray) -> float | None:
    return round(float(right.mean()), 5) if len(right) else None


@lru_cache(1)
def drawn(name: str, setting: str, seed: int) -> tuple[Data, Problem, np.ndarray]:
    """A data set, what is learnt from, which all methods share, and the truth of its rows."""
    data = DATA[name]()
    rows, noisy = data.noisy(setting, seed)
    return data, Problem(data.x[rows], noisy, data.classes, seed), data.y[rows]


def one(name: str, setting: str, method: str, seed: int) -> Row:
    """Fit a method and look at the test part, and at training rows rightly and wrongly labelled."""
    data, p, truth = drawn(name, setting, seed)
    shared = "auto" in vars(p)
    start = time.process_time()
    found = METHODS[method](p)
    seconds = time.process_time() - start
    if method == "auto":
        seconds = p.auto[1]
    elif "auto" in vars(p) and not shared:  # what others share is not its own
        seconds -= p.auto[1]
    seen = np.random.default_rng(p.seed).permutation(len(p.y))[:LOOKED_AT]
    guess, wrong = found.predict(p.x[seen]), p.y[seen] != truth[seen]
    right = guess == truth[seen]
    row: Row = {
        "data": name, "noise": setting, "method": method, "seed": seed,
        "test": share(found.predict(data.test_x) == data.test_y),
        "seen_right": share(right[~wrong]), "seen_wrong": share(right[wrong]),
        "memorised": share((guess == p.y[seen])[wrong]), "cpu_seconds": round(seconds, 2), "chosen": found.chosen,
    }  # fmt: skip
    if found.rounds:
        row["rounds"] = [share(predict(data.test_x) == data.test_y) for predict in found.rounds]
    return row


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", nargs="+", default=list(DATA))
    parser.add_argument("--methods", nargs="+", default=list(METHODS))
    parser.add_argument("--noise", nargs="+", help="settings; by default all")
    parser.add_argument("--seeds", type=int, default=5)
    a = parser.parse_args()
    torch.set_num_threads(1)
    warnings.simplefilter("ignore", ConvergenceWarning)
    jobs = [
        (name, setting, method, seed)
        for seed in range(a.seeds)
        for name in a.data
        for setting in DATA[name]().settings()
        if not a.noise or setting in a.noise
        for method in a.methods
    ]
    fit_missing(one, jobs, ("data", "noise", "method", "seed"), "noise")


if __name__ == "__main__":
    main()
