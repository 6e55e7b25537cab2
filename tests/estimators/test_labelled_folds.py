"""Cross-validation with few labels: unlabelled items are learnt from and never scored."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.datasets import load_wine
from sklearn.model_selection import GridSearchCV, cross_val_score

from tutelage import Classifier, Drift, LabelledFolds, Supervised

FAST = {"steps": 30, "evidence": False}


@pytest.fixture(scope="module")
def wines():
    x, y = load_wine(return_X_y=True)
    order = np.random.default_rng(0).permutation(len(y))
    x, y = (x[order] - x.mean(0)) / x.std(0), y[order]
    return x.astype(np.float32), y, np.where(np.arange(len(y)) % 3 == 0, y, -1)


def by_hand(x, y, hidden, folds):
    scores = []
    for train, test in folds.split(x, hidden):
        known = test[hidden[test] >= 0]
        model = Classifier("supervised", **FAST).fit(x[train], hidden[train])
        scores.append((model.predict(x[known]) == y[known]).mean())
    return scores


def test_every_label_is_held_out_once_and_the_pool_is_always_learnt_from(wines):
    x, _, hidden = wines
    pool = set(np.flatnonzero(hidden < 0).tolist())
    folds = list(LabelledFolds(4).split(x, hidden))
    held = np.concatenate([test for _, test in folds])
    assert sorted(held.tolist()) == np.flatnonzero(hidden >= 0).tolist()
    for train, test in folds:
        assert pool <= set(train.tolist()) and not set(train.tolist()) & set(test.tolist())
        assert np.bincount(hidden[test], minlength=3).min() >= 3  # of 20 labels a class and more in four folds
    assert LabelledFolds(4).get_n_splits(x, hidden) == len(folds) == 4


@pytest.mark.parametrize("none", [-1, None, float("nan")])
def test_cross_val_score_is_that_of_the_labelled_items(wines, none):
    x, y, hidden = wines
    given = [none if label < 0 else int(label) for label in hidden]
    found = cross_val_score(Classifier("supervised", **FAST), x, given, cv=LabelledFolds(3))
    assert found.tolist() == by_hand(x, y, hidden, LabelledFolds(3))
    assert found.min() > 0.8


def test_labels_none_beside_texts_do_not_raise(wines):
    x, _, hidden = wines
    names = np.array([None if label < 0 else "abc"[label] for label in hidden], dtype=object)
    assert cross_val_score(Classifier("supervised", **FAST), x, names, cv=LabelledFolds(3)).min() > 0.8


def test_plain_cross_val_score_leaves_minus_one_out(wines):
    x, _, hidden = wines
    assert cross_val_score(Classifier("supervised", **FAST), x, hidden, cv=3).min() > 0.8


@pytest.mark.parametrize("scoring", [None, "accuracy"])
def test_a_grid_search_chooses_by_the_labelled_items(wines, scoring):
    x, _, hidden = wines
    names = [None if label < 0 else "abc"[label] for label in hidden]
    grid = {"method": [Supervised(), Drift(decay=0.9)]}
    search = GridSearchCV(Classifier(**FAST), grid, cv=LabelledFolds(2), scoring=scoring).fit(x, names)
    assert search.best_score_ > 0.8
    assert np.isfinite(search.cv_results_["mean_test_score"]).all()


def test_groups_are_held_out_together(wines):
    x, _, hidden = wines
    groups = np.arange(len(hidden)) // 9
    for train, test in LabelledFolds(3).split(x, hidden, groups):
        labelled = train[hidden[train] >= 0]
        assert not set(groups[labelled].tolist()) & set(groups[test].tolist())


def test_lists_of_tags_are_dealt_without_their_classes():
    tags = [["O"], None, ["O", "B-PER"], -1, ["O"]]
    folds = list(LabelledFolds(3).split(None, tags))
    assert sorted(int(test[0]) for _, test in folds) == [0, 2, 4]
    assert all({1, 3} <= set(train.tolist()) for train, _ in folds)


@pytest.mark.parametrize(
    ("y", "n_splits", "message"),
    [(None, 2, "y must be labels"), ([1, None, 2], 3, "2 labels, fewer than n_splits=3"), ([1, 2], 1, "n_splits must")],
)
def test_labels_too_few_are_refused(y, n_splits, message):
    with pytest.raises(ValueError, match=message):
        next(LabelledFolds(n_splits).split([0, 1, 2], y))


def test_copies_lie_in_one_fold_and_an_empty_group_is_one_of_its_own():
    texts = [f"text number {word} of several about {word}" for word in ("one", "two", "six", "ten", "red", "odd")]
    y = ["a", "b"] * 3
    for _, out in LabelledFolds(3).split([*texts, *map(str.upper, texts)], [*y, *y]):
        assert sorted(i % 6 for i in out.tolist()) == sorted(2 * sorted({i % 6 for i in out.tolist()}))
    groups = [None, None, np.nan, np.nan, "g", "g"]
    folds = [set(out.tolist()) for _, out in LabelledFolds(3).split(texts, y, groups)]
    assert any({4, 5} <= out for out in folds) and all(folds) and not any({2, 3, 4} <= out for out in folds)
