"""More scenes for the claims of methods for brought teachers: a student that reads words alone, and no teacher."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial

import numpy as np
import torch
from sklearn.datasets import load_digits
from torch import Tensor

from teacher_scenes import POOL, TESTED, Scene, drawn, regression, rows, seeing
from teacher_scenes import _texts as texts_of
from tutelage.bench.sets import kind_for
from tutelage.data.sources import cache_folder
from tutelage.fit.build import Build, Items, rows_of
from tutelage.fit.described import described_head, sentences_of
from tutelage.fit.teacher import brought
from tutelage.kinds import KINDS
from tutelage.modalities.base import features
from tutelage.tasks import Classification
from tutelage.weak import Source

LATER = 3
"""Number of the class that the teacher learns to know later."""


def read(name: str, texts: list[str]) -> Tensor:
    """MiniLM's features of texts, (n, d)."""
    kind = kind_for(texts_of(name, False)[0])
    return rows_of(features(kind.reader(), texts, cache_folder() / "features"))


def words(name: str, labels: int, seed: int, learnt: bool = False, later: bool = False) -> Scene:
    """Texts, read by their words alone; the teacher reads MiniLM's features.

    Args:
        name: name of the set.
        labels: labels of each class.
        seed: draws labels and pool.
        learnt: whether the teacher is a logistic regression of the same labels; else each class is described.
        later: whether the teacher does not know the class LATER yet: nobody answers with it, but it is tested.
    """
    data, cut = texts_of(name, False)
    y, learn = cut.learn.y, list(cut.learn.items)
    index, pool = drawn(y, labels, POOL, seed)
    tested = np.random.default_rng(0).permutation(len(cut.test))[:TESTED]
    classes = len(cut.classes) - later
    if later:
        index = index[y[index] != LATER]
    mine, asked = [learn[i] for i in np.concatenate([index, pool])], [cut.test.items[i] for i in tested]
    seen, seen_test = read(name, mine), read(name, asked)
    if learnt:
        teacher = regression(seen[: len(index)].numpy(), y[index])
        said, said_test = teacher(seen.numpy()), teacher(seen_test.numpy())
    else:
        head = described(name, classes, seen[len(index) :])
        with torch.no_grad():
            said, said_test = (head(x).double().softmax(-1).numpy() for x in (seen, seen_test))
    reader = KINDS["texts"](text="text", label="label", encoder="lexical").reader().fitted(mine)
    sources = (Source("teacher", said),)
    items = Items(Classification(classes), mine[: len(index)], y[index], mine[len(index) :], sources=sources)
    kind = kind_for(data)
    problem = Build(reader, ("weak",), kind.defaults, False, None).of(items).problem()
    found = brought(items, problem, None)
    assert found is not None
    x, training = rows_of(features(reader, asked, None)), replace(kind.defaults.training, seed=seed)
    scene = Scene(found.of(problem), training, x, cut.test.y[tested], said_test, np.zeros(len(index), bool))
    return seeing(scene, seen[len(index) :].numpy(), seen[: len(index)].numpy())


def described(name: str, classes: int, pool: Tensor) -> torch.nn.Module:
    """The head of the first classes' descriptions on MiniLM's features."""
    data, cut = texts_of(name, False)
    sentences, which = sentences_of([list(dict(data.describe)[each]) for each in cut.classes[:classes]])
    return described_head(read(name, sentences), which, pool).eval()


def digits(labels: int, seed: int) -> Scene:
    """Images of digits, 8 x 8; the teacher is a logistic regression of the same labels."""
    x, y = load_digits(return_X_y=True)
    order = np.random.default_rng(seed).permutation(len(y))
    x, y = x[order].astype(np.float32), y[order].astype(np.int64)
    index, pool = drawn(y[:1100], labels, POOL, seed)
    teacher = regression(x[index], y[index])
    said = teacher(x[np.concatenate([index, pool])])
    return rows(x[index], y[index], x[pool], said, (x[1100:], y[1100:], teacher(x[1100:])), seed)


MORE: dict[str, Callable[[int, int], Scene]] = {
    "ag_news, by words": partial(words, "ag_news"),
    "ag_news, by words, a class later": partial(words, "ag_news", later=True),
    "ag_news, by words, teacher of the labels": partial(words, "ag_news", learnt=True),
    "trec, by words, teacher of the labels": partial(words, "trec", learnt=True),
    "digits": digits,
}
"""More scenes by name."""
