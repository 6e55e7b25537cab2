"""Rivals of the label-noise benchmark that are methods of the training engine, with the defaults of `tutelage fit`."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import torch
from scipy.special import softmax

from tutelage.data import Features
from tutelage.distil.choice import Setting, Students, each
from tutelage.distil.noise import confident_transition
from tutelage.distil.rows import Rows
from tutelage.fit.build import Data, on_features
from tutelage.fit.defaults import ON_FEATURES, long_enough
from tutelage.methods import CoTeaching, DivideMix, Elr, Gce, Method, PartialLabel, Sce, Supervised
from tutelage.tasks import Classification
from tutelage.train import predict, train

METHODS: dict[str, Callable[[float], Method]] = {
    "network, labels as given": lambda rate: Supervised(),
    "network, partial_label": lambda rate: PartialLabel(),
    "network, gce": lambda rate: Gce(),
    "network, sce": lambda rate: Sce(),
    "network, elr": lambda rate: Elr(),
    "network, co_teaching": lambda rate: CoTeaching(forget=rate),
    "network, dividemix": lambda rate: DivideMix(),
}
"""Name -> from the estimated share of wrong labels to the method."""

HELD_OUT = 0.2


def noise_rate(x: np.ndarray, y: np.ndarray, classes: int, seed: int) -> float:
    """The share of wrong labels by confident learning, of rows that a ridge student has not seen."""
    out, kept = np.split(np.random.default_rng(seed).permutation(len(y)), [round(HELD_OUT * len(y))])
    rows = Rows.of(x)
    students = Students.of(rows.take(kept), y[kept], classes)
    decay = 1 / (classes * len(students.decomposition.values))
    logits = each(rows.take(out)[:], students.closed([Setting("rounds", 1, decay, decay)]))[0]
    transition = confident_transition(softmax(logits, axis=1), y[out])
    shares = np.linalg.lstsq(transition.T, np.bincount(y, minlength=classes) / len(y), rcond=None)[0]
    return float(np.clip(1 - shares @ np.diag(transition), 0, 0.9))


def fitted(name: str, x: np.ndarray, y: np.ndarray, classes: int, seed: int) -> Callable[[np.ndarray], np.ndarray]:
    """A network trained by one of METHODS on noisy labels, as what gives class numbers."""
    method = METHODS[name](noise_rate(x, y, classes, seed))
    rows, task = torch.as_tensor(x), Classification(classes)
    problem = on_features(Data(task, Features(rows), y.astype(np.int64), Features(rows[:0])), per_feature=False)
    training = long_enough(replace(ON_FEATURES, seed=seed), method, problem)
    run = train(method, task, problem.network, problem.loader(seed=seed), training)
    student = run.seats["student"].module
    return lambda new: predict(student, task, Features(torch.as_tensor(new))).argmax(1).numpy()
