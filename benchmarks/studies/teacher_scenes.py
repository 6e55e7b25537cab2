"""Data with a teacher, few labels and a pool, on which the claims of methods for brought teachers are tried.

A scene is made anew for each seed, which draws labels and pool; its test items are the same for all seeds.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import lru_cache, partial
from pathlib import Path

import numpy as np
import pandas as pd
import torch
from sklearn.linear_model import LogisticRegression
from sklearn.preprocessing import StandardScaler
from torch import Tensor

from tutelage.bench.protocol import DataSet, data_root, read_protocol
from tutelage.bench.sets import Cut, hard, kind_for, load
from tutelage.data import Features, Loader
from tutelage.data.heard import Heard
from tutelage.data.sources import cache_folder
from tutelage.distil import noise
from tutelage.fit.build import Build, Items, rows_of
from tutelage.fit.described import described_head, sentences_of
from tutelage.fit.problem import Problem, WeakLabels
from tutelage.fit.teacher import brought
from tutelage.game import Player
from tutelage.kinds import KINDS
from tutelage.kinds.base import Kind
from tutelage.methods import Supervised
from tutelage.modalities.base import features
from tutelage.modalities.head import Head
from tutelage.tasks import Classification
from tutelage.train import Training, train
from tutelage.weak import Source
from tutelage.weak.accuracies import ACCURACY

sys.path.append(str(Path(__file__).parents[1]))
from cifar_resnets import ResNet, images, staged
from signals import features_of

PROTOCOL = Path(__file__).parents[1] / "protocols" / "described.toml"
ROOT = data_root(PROTOCOL)
POOL, TESTED = 2000, 1500
"""Items of the pool of texts, and items that are tested, at most."""

RULES = {"ag_news": "majority"}
"""Column of the majority vote of keyword rules, by data set."""


@dataclass(frozen=True)
class Scene:
    """A problem with a teacher's answers as they are, and the test items.

    Attributes:
        problem: problem with the teacher's answers of the pool as weak labels.
        training: how each student is trained.
        x: features of the test items, (m, d).
        y: their class numbers, (m,).
        said: the teacher's probabilities of the test items, (m, c).
        wrong: whether the label of each labelled item is wrong, (l,).
    """

    problem: Problem
    training: Training
    x: Tensor
    y: np.ndarray
    said: np.ndarray
    wrong: np.ndarray


def drawn(y: np.ndarray, labels: int, pool: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Numbers of so many labelled rows of each class, and of as many others as the pool has, at most.

    Args:
        y: class numbers of all rows, (n,).
        labels: labelled rows of each class.
        pool: rows of the pool, at most.
        seed: seed of the draw.
    """
    draws = np.random.default_rng(seed)
    index = np.concatenate([draws.permutation(np.flatnonzero(y == k))[:labels] for k in np.unique(y)])
    return index, draws.permutation(np.setdiff1d(np.arange(len(y)), index))[:pool]


@lru_cache(maxsize=1)
def _texts(name: str, rules: bool) -> tuple[DataSet, Cut]:
    data = next(d for d in read_protocol(PROTOCOL).data if d.name == name)
    data = data.model_copy(update={"weak": RULES[name]}) if rules else data
    return data, load(data, ROOT)


def texts(name: str, labels: int, seed: int, rules: bool = False) -> Scene:
    """Texts whose classes a sentence each describes; MiniLM. With ``rules`` keyword rules are a second teacher."""
    (data, cut), cache = _texts(name, rules), cache_folder() / "features"
    kind, y, learn = kind_for(data), cut.learn.y, list(cut.learn.items)
    index, pool = drawn(y, labels, POOL, seed)
    tested = np.random.default_rng(0).permutation(len(cut.test))[:TESTED]
    described = [list(dict(data.describe)[name]) for name in cut.classes]
    sources = ()
    if rules:
        votes = np.full(len(learn), -1)
        votes[cut.covered] = hard(cut.target)
        sources = (_said("rules", votes[np.concatenate([index, pool])], cut.task.classes),)
    items = Items(
        cut.task, [learn[i] for i in index], y[index], [learn[i] for i in pool], sources=sources, described=described
    )
    problem = Build(kind.reader(), ("weak",), kind.defaults, False, cache).of(items).problem()
    teacher = brought(items, problem, cache)
    assert teacher is not None and problem.reader is not None
    x = rows_of(features(kind.reader(), [cut.test.items[i] for i in tested], cache))
    sentences, which = sentences_of(described)
    head = described_head(rows_of(features(kind.reader(), sentences, cache)), which, rows_of(problem.pool))
    with torch.no_grad():
        said = head.eval()(x).softmax(-1).numpy()
    return Scene(teacher.of(problem), _training(kind, seed), x, cut.test.y[tested], said, np.zeros(len(index), bool))


def _said(name: str, label: np.ndarray, classes: int) -> Source:
    """Labels by a teacher without a confidence, (n,), -1 is silent, as probabilities."""
    table = np.full((len(label), classes), (1 - ACCURACY) / (classes - 1))
    table[np.arange(len(label)), label.clip(min=0)] = ACCURACY
    table[label < 0] = np.nan
    return Source(name, table)


def _training(kind: Kind, seed: int) -> Training:
    return replace(kind.defaults.training, seed=seed)


def rows(
    x: np.ndarray, y: np.ndarray, pool: np.ndarray, said: np.ndarray, test: tuple[np.ndarray, np.ndarray, np.ndarray],
    seed: int, wrong: np.ndarray | None = None,
) -> Scene:  # fmt: skip
    """Rows of numbers and a table of what a teacher says of them.

    Args:
        x: labelled rows, (l, d).
        y: their labels, (l,).
        pool: rows of the pool, (n, d).
        said: the teacher's probabilities of the labelled rows and then of the pool's, (l + n, c).
        test: test rows, their class numbers, and what the teacher says of them.
        seed: seed of the training.
        wrong: whether each label is wrong, (l,); None: none is.
    """
    kind = KINDS["rows"]()
    items = Items(Classification(said.shape[1]), x, y, pool, sources=(Source("teacher", said),))
    problem = Build(kind.reader(), ("weak",), kind.defaults, False, None).of(items).problem()
    teacher = brought(items, problem, None)
    assert teacher is not None
    tested = torch.as_tensor(test[0], dtype=torch.float32)
    wrong = np.zeros(len(y), bool) if wrong is None else wrong
    return Scene(teacher.of(problem), _training(kind, seed), tested, test[1], test[2], wrong)


def seeing(scene: Scene, pool: np.ndarray, labelled: np.ndarray) -> Scene:
    """The scene with what the teacher sees of the pool, (n, d), and of the labelled items, (l, d)."""
    weak = scene.problem.weak
    assert weak is not None and weak.heard is not None
    seen = torch.as_tensor(pool, dtype=torch.float32), torch.as_tensor(labelled, dtype=torch.float32)
    heard = replace(weak.heard, features=lambda: seen)
    return replace(scene, problem=replace(scene.problem, weak=replace(weak, heard=heard)))


@lru_cache(maxsize=1)
def _digits() -> tuple[pd.DataFrame, np.ndarray]:
    table = pd.read_parquet(ROOT / "fsdd" / "fsdd_8khz.parquet")
    return table, features_of("fsdd", table)


def spoken_digits(labels: int, seed: int) -> Scene:
    """Spoken digits of three people; the teacher is a logistic regression of three others. Seeds draw the people."""
    table, x = _digits()
    y, people = table.label.to_numpy(dtype=np.int64), np.random.default_rng(seed).permutation(np.unique(table.speaker))
    theirs, train = table.speaker.isin(people[:3]).to_numpy(), (table.split == "train").to_numpy()
    teacher = regression(x[theirs & train], y[theirs & train])
    mine, test = np.flatnonzero(~theirs & train), ~theirs & ~train
    index, pool = (mine[i] for i in drawn(y[mine], labels, POOL, seed))
    said = teacher(x[np.concatenate([index, pool])])
    return rows(x[index], y[index], x[pool], said, (x[test], y[test], teacher(x[test])), seed)


def regression(x: np.ndarray, y: np.ndarray) -> Callable[[np.ndarray], np.ndarray]:
    """A function that gives the probabilities of rows by a logistic regression that learnt these."""
    scaler = StandardScaler().fit(x)
    model = LogisticRegression(C=0.01, max_iter=1000).fit(scaler.transform(x), y)
    return lambda other: model.predict_proba(scaler.transform(other))


NOISE, OF_TEACHER, NOISY = 0.4, 2000, 2000
"""Share of wrong labels; images that the teacher learnt, and images with noisy labels."""


@lru_cache(maxsize=1)
def _fashion() -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    file = np.load(ROOT / "fashion_mnist" / "fashion_mnist.npz")
    x, test = (
        file[f"x_{part}"].reshape(len(file[f"x_{part}"]), -1).astype(np.float32) / 255 for part in ("train", "test")
    )
    return x, file["y_train"].astype(np.int64), test, file["y_test"].astype(np.int64)


def noisy_fashion(labels: int, seed: int) -> Scene:
    """Pixels of Fashion-MNIST, 40 % of the labels wrong; the teacher learnt as many others with clean labels.

    Args:
        labels: noisy labels of each class.
        seed: draws images and noise.
    """
    x, y, test_x, test_y = _fashion()
    index, rest = drawn(y, labels, POOL + labels * 10, seed)
    clean, pool = rest[: labels * 10], rest[labels * 10 :]
    given = noise.corrupt(y[index], noise.symmetric(10, NOISE), seed)
    teacher = regression(x[clean], y[clean])
    test = test_x[:TESTED], test_y[:TESTED], teacher(test_x[:TESTED])
    return rows(x[index], given, x[pool], teacher(x[np.concatenate([index, pool])]), test, seed, given != y[index])


def embedded(
    x: np.ndarray, y: np.ndarray, classes: int, hidden: int, seed: int
) -> Callable[[np.ndarray], tuple[np.ndarray, np.ndarray]]:
    """A function that gives what a perceptron that learnt these rows says of others, (n, c), and sees, (n, hidden)."""
    learnt = torch.as_tensor(x)
    torch.manual_seed(seed)
    net = Head(x.shape[1], classes, hidden, 0.2).standardise(learnt, per_feature=False)
    loader = Loader(Features(learnt), torch.as_tensor(y), Features(learnt[:0]), seed=seed)
    model = train(Supervised(), Classification(classes), net, loader, Training(1500, seed=seed)).network().eval()

    def asked(other: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        with torch.no_grad():
            logits, seen = Player(model).represent(torch.as_tensor(other))
        return logits.double().softmax(-1).numpy(), seen.numpy()

    return asked


SMALL = 16
"""Hidden units of a student that is smaller than its teacher."""


def parity(labels: int, seed: int) -> Scene:
    """Whether a spoken digit is odd; the teacher is a wide perceptron that learnt a third, the student has 16 units."""
    table, x = _digits()
    y, train = table.label.to_numpy(dtype=np.int64) % 2, (table.split == "train").to_numpy()
    order = np.random.default_rng(seed).permutation(np.flatnonzero(train))
    ask = embedded(x[order[:900]], y[order[:900]], 2, 256, seed)
    return _of_small(x, y, order[900:], (x[~train], y[~train]), ask, labels, seed)


def wide_fashion(labels: int, seed: int) -> Scene:
    """Fashion-MNIST's pixels; the teacher is a perceptron of 512 units that learnt 5,000, the student has 16."""
    x, y, test_x, test_y = _fashion()
    order = np.random.default_rng(seed).permutation(len(y))
    ask = embedded(x[order[:5000]], y[order[:5000]], 10, 512, seed)
    return _of_small(x, y, order[5000:10000], (test_x[:TESTED], test_y[:TESTED]), ask, labels, seed)


def _of_small(
    x: np.ndarray, y: np.ndarray, others: np.ndarray, test: tuple[np.ndarray, np.ndarray],
    ask: Callable[[np.ndarray], tuple[np.ndarray, np.ndarray]], labels: int, seed: int,
) -> Scene:  # fmt: skip
    index, pool = (others[i] for i in drawn(y[others], labels, POOL, seed))
    said, seen = ask(x[np.concatenate([index, pool])])
    scene = rows(x[index], y[index], x[pool], said, (*test, ask(test[0])[0]), seed)
    scene = seeing(scene, seen[len(index) :], seen[: len(index)])
    learnt = torch.as_tensor(x[np.concatenate([index, pool])])
    network = partial(_small, learnt, said.shape[1])
    return replace(scene, problem=replace(scene.problem, network=network))


def _small(learnt: Tensor, classes: int, seed: int) -> Head:
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        return Head(learnt.shape[1], classes, SMALL, 0.0).standardise(learnt, per_feature=False)


IMAGES_TESTED, STEPS = 2000, 800
"""Images of CIFAR-10 that are tested, and steps of the student, ten times through 5,000 images."""


def residual(labels: int, seed: int) -> Scene:
    """CIFAR-10's images, all with labels; the teacher is the staged network of 56 layers, the student has 20.

    Args:
        labels: labels of each class; the pool are the same images.
        seed: draws the images.
    """
    x, y = images(ROOT / "cifar10" / "train.parquet", labels * 10, seed)
    test_x, test_y = images(ROOT / "cifar10" / "test.parquet", IMAGES_TESTED, 0)
    network = staged(56, ROOT.parent / "models" / "cifar10_resnet")

    def ask(some: Tensor) -> tuple[Tensor, Tensor]:
        with torch.no_grad():
            parts = [Player(network).represent(part) for part in some.split(500)]
        logits, seen = (torch.cat(found) for found in zip(*parts, strict=True))
        return logits.softmax(-1), seen

    (said, seen), everything = ask(x), np.arange(len(y))
    heard = Heard(labelled=lambda: said, features=lambda: (seen, seen))
    weak = WeakLabels(Features(x), said, everything, heard)
    problem = Problem(
        Classification(10), Features(x), y, Features(x), _student_of_20, None, batch_labelled=64, batch_unlabelled=64,
        weak=weak,
    )  # fmt: skip
    training = Training(STEPS, lr=3e-3, seed=seed)
    return Scene(problem, training, test_x, test_y, ask(test_x)[0].numpy(), np.zeros(len(y), bool))


def _student_of_20(seed: int) -> ResNet:
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        return ResNet(3)


SCENES: dict[str, Callable[[int, int], Scene]] = {
    "ag_news": partial(texts, "ag_news"),
    "trec": partial(texts, "trec"),
    "sms": partial(texts, "sms"),
    "yelp": partial(texts, "yelp"),
    "ag_news, rules too": partial(texts, "ag_news", rules=True),
    "fsdd, other speakers": spoken_digits,
    "fashion, 40 % noise": noisy_fashion,
    "fsdd, odd or even": parity,
    "fashion, narrow student": wide_fashion,
    "cifar10, 56 layers to 20": residual,
}
"""Functions of the labels a class and the seed, by name."""
