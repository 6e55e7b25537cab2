"""Teachers that are no networks: what they say, and that the student learns it."""

from __future__ import annotations

import gc
import math
import warnings
import weakref
from dataclasses import fields
from typing import Literal, get_type_hints

import numpy as np
import pytest
import torch
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.datasets import load_digits
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.naive_bayes import GaussianNB
from sklearn.svm import LinearSVC

from tutelage.data import Features, Loader, Tokens, WordFeatures
from tutelage.fit.comparison import require_teacher
from tutelage.game import Player
from tutelage.graph import neighbours
from tutelage.memory import Memory
from tutelage.methods import (
    BalancedSelfTraining,
    CoTraining,
    LabelPropagation,
    LabelSpreading,
    PoissonLearning,
    Supervised,
    TriTraining,
    on_graph,
)
from tutelage.methods.balanced_self_training import quotas, surest, temperature_of
from tutelage.methods.by_classifiers import fitted, probabilities
from tutelage.methods.co_training import taken
from tutelage.methods.tri_training import admitted, bootstrap, error_where_agreed
from tutelage.modalities.head import Head
from tutelage.tasks import Classification, Tagging
from tutelage.train import Training, train

GRAPH = (LabelPropagation, LabelSpreading, PoissonLearning)
CLASSIFIERS = (TriTraining, CoTraining, BalancedSelfTraining)
TASK = Classification(3)


def blobs(seed: int = 0, pool: int = 90) -> tuple[Loader, np.ndarray]:
    rng = np.random.default_rng(seed)
    y = np.arange(pool + 12) % 3
    x = torch.tensor(4 * np.eye(3)[y][:, [0, 1, 2] * 2] + 0.7 * rng.standard_normal((len(y), 6)), dtype=torch.float32)
    return Loader(Features(x[:12]), torch.tensor(y[:12]), Features(x[12:]), 12, 32, seed=seed), y[12:]


@pytest.mark.parametrize("kind", [*GRAPH, *CLASSIFIERS])
def test_teachers_are_right_of_what_is_plain_and_say_distributions(kind):
    loader, y = blobs()
    found = kind().remembers(loader, TASK)
    assert found["taught"].shape == (90, 3)
    assert found["weight"].shape == (90,)
    torch.testing.assert_close(found["taught"].sum(1), torch.ones(90))
    assert (found["taught"].argmax(1).numpy() == y).mean() > 0.95
    again = kind().remembers(blobs()[0], TASK)
    assert all(torch.equal(found[n], again[n]) for n in found)


@pytest.mark.parametrize("kind", GRAPH)
def test_graphs_are_right_of_digits_with_four_labels_a_class(kind):
    x, y = load_digits(return_X_y=True)
    order = np.random.default_rng(0).permutation(len(y))
    first = np.concatenate([order[y[order] == c][:4] for c in range(10)])
    rest = np.setdiff1d(np.arange(len(y)), first)
    rows = torch.tensor(x, dtype=torch.float32)
    loader = Loader(Features(rows[first]), torch.tensor(y[first]), Features(rows[rest]))
    p = kind().remembers(loader, Classification(10))["taught"].numpy()
    assert (p.argmax(1) == y[rest]).mean() > 0.9
    np.testing.assert_allclose(p.mean(0), 0.1, atol=3e-3)


@pytest.mark.parametrize("kind", [*GRAPH, *CLASSIFIERS])
def test_unknown_labels_are_left_out_and_probabilities_read_as_labels(kind):
    loader, _ = blobs()
    expected = kind().remembers(loader, TASK)["taught"]
    x, target = torch.cat([loader.labelled.rows, torch.randn(2, 6)]), torch.cat([loader.target, torch.tensor([-1, -1])])
    with_unknown = Loader(Features(x), target, loader.unlabelled, seed=loader.seed)
    assert torch.equal(kind().remembers(with_unknown, TASK)["taught"], expected)
    soft = Loader(loader.labelled, 0.6 * torch.eye(3)[loader.target] + 0.1, loader.unlabelled, seed=loader.seed)
    assert torch.equal(kind().remembers(soft, TASK)["taught"], expected)


def test_the_loss_is_the_weighted_cross_entropy_of_what_is_taught():
    loader, _ = blobs()
    method, batch = LabelPropagation(weight=2.0, confidence="entropy"), loader.batch(0, 0.0)
    memory = Memory(90)
    memory.kept = method.remembers(loader, TASK)
    student = Player(Head(6, 3))
    terms = method.loss("student", batch, {"student": student}, TASK, memory)
    i = batch.unlabelled.index.numpy()
    t = memory.kept["taught"].double().numpy()[i]
    log_q = torch.log_softmax(student(batch.unlabelled["weak"]), -1).detach().double().numpy()
    w = 1 + (t * np.log(t.clip(1e-30))).sum(1) / math.log(3)
    expected = 2 * np.mean(w * -(t * log_q).sum(1))
    assert terms.terms["pool"].item() == pytest.approx(expected, rel=1e-5)
    method.observe(batch, terms, memory, TASK)
    assert (memory.label[i].numpy() == t.argmax(1)).all()


@pytest.mark.parametrize("kind", [*GRAPH, *CLASSIFIERS])
def test_without_the_pools_weight_the_student_is_the_supervised_one_to_the_bit(kind):
    loader, _ = blobs()
    torch.manual_seed(0)
    start, training = Head(6, 3), Training(steps=20)
    plain, taught = (train(m, TASK, start, loader, training).seats["student"] for m in (Supervised(), kind(weight=0.0)))
    assert all(torch.equal(p, taught.params[n]) for n, p in plain.params.items())


def test_more_dimensions_are_flattened_and_words_are_units():
    loader, _ = blobs()
    flat = LabelPropagation().remembers(loader, TASK)["taught"]
    deep = Loader(Features(loader.labelled.rows[:, None]), loader.target, Features(loader.unlabelled.rows[:, :, None]))
    assert torch.equal(LabelPropagation().remembers(deep, TASK)["taught"], flat)
    words = [WordFeatures(e.rows, np.full(len(e) // 3, 3)) for e in (loader.labelled, loader.unlabelled)]
    tagging = Tagging(3, ("O", "B-X", "I-X"))
    assert torch.equal(LabelPropagation().remembers(Loader(words[0], loader.target, words[1]), tagging)["taught"], flat)


def test_what_has_no_rows_or_no_labels_is_refused_early():
    loader, _ = blobs()
    for kind in (PoissonLearning, TriTraining):
        with pytest.raises(ValueError, match=f"{kind.name} needs rows of fixed features: leave out finetune, or give"):
            kind().ready(Tokens([[1, 2], [3]]), lambda *_: None)
        with pytest.raises(ValueError, match=f"{kind.name} needs clean labels, at least two of each class"):
            require_teacher(kind().settled(TASK, weak=True), teacher=True, learns=False)
        nothing = Loader(Features(torch.empty(0, 6)), torch.empty(0, dtype=torch.int64), loader.unlabelled)
        with pytest.raises(ValueError, match=f"{kind.name} needs labels"):
            kind().remembers(nothing, TASK)


def test_the_pools_neighbours_are_looked_for_once_and_forgotten_with_the_pool(monkeypatch):
    asked, told = [], []

    def counted(*args):
        asked.append(len(args[0]))
        return neighbours.nearest(*args)

    monkeypatch.setattr(on_graph, "nearest", counted)
    loader, _ = blobs()
    PoissonLearning().ready(loader.unlabelled, lambda *said: told.append(said))
    for kind in GRAPH:
        kind().remembers(loader, TASK)
    assert asked == [90]
    assert told == [("joining neighbours", 90, 90)]
    PoissonLearning(neighbours=3).remembers(loader, TASK)
    assert len(asked) == 2
    assert set(loader.unlabelled.computed) - {"taught"} == {("neighbours", 10), ("neighbours", 3)}
    near = weakref.ref(loader.unlabelled.computed["neighbours", 3])
    del loader
    gc.collect()
    assert near() is None


def test_rows_that_no_label_reaches_count_nothing():
    loader, _ = blobs()
    far = torch.tensor([-5.0] * 6) + 0.01 * torch.randn(12, 6, generator=torch.Generator().manual_seed(0))
    pool = Features(torch.cat([loader.unlabelled.rows, far]))
    with pytest.warns(UserWarning, match="no label reaches 12 of 114 rows"):
        found = LabelPropagation().remembers(Loader(loader.labelled, loader.target, pool), TASK)
    assert found["weight"].tolist() == [1.0] * 90 + [0.0] * 12
    torch.testing.assert_close(found["taught"][90:], torch.full((12, 3), 1 / 3))


@pytest.mark.parametrize("edges", ["gaussian", "binary"])
def test_a_pool_of_one_row_has_the_mean_of_its_neighbours_labels(edges):
    x, y = torch.eye(4)[:, :2] + 0.5, torch.tensor([0, 1, 1, 2])
    loader = Loader(Features(x), y, Features(torch.tensor([[2.0, 1.0]])))
    found = LabelPropagation(balance=False, temperature=1.0, edges=edges).remembers(loader, TASK)
    assert found["weight"].tolist() == [1]
    torch.testing.assert_close(found["taught"], torch.tensor([[0.25, 0.5, 0.25]]))
    for kind in GRAPH:
        torch.testing.assert_close(kind(edges=edges).remembers(loader, TASK)["taught"], found["taught"])


def test_in_a_pool_of_two_rows_each_learns_from_its_label_and_the_other_row():
    """f_a = (e_0 + f_b) / 2 and f_b = (e_2 + f_a) / 2."""
    x, pool = torch.tensor([[5.0, 0.1], [0.1, 5.0]]), torch.tensor([[1.0, 0.5], [0.5, 1.0]])
    method = LabelPropagation(balance=False, temperature=1.0, edges="binary")
    found = method.remembers(Loader(Features(x), torch.tensor([0, 2]), Features(pool)), TASK)
    torch.testing.assert_close(found["taught"], torch.tensor([[2.0, 0.0, 1.0], [1.0, 0.0, 2.0]]) / 3)
    assert found["weight"].tolist() == [1, 1]


@pytest.mark.parametrize("count", [1, 2, 20])
@pytest.mark.parametrize("kind", GRAPH)
def test_a_pool_of_which_no_row_is_reached_has_the_shares_of_the_labels_and_counts_nothing(kind, count):
    x, y = torch.rand(5, 4, generator=torch.Generator().manual_seed(0)), torch.tensor([0, 1, 1, 2, 1])
    loader = Loader(Features(x), y, Features(-x[:1].repeat(count, 1)))  # no cosine with a labelled row is above 0
    with pytest.warns(UserWarning, match=f"no label reaches {count} of {5 + count} rows") as said:
        found = kind(edges="cosine").remembers(loader, TASK)
    assert len(said) == 1
    assert found["weight"].tolist() == [0] * count
    torch.testing.assert_close(found["taught"], torch.tensor([[0.2, 0.6, 0.2]]).repeat(count, 1))


TEACHERS = [
    *(kind(edges=edges) for kind in GRAPH for edges in ("gaussian", "cosine", "binary")),
    *(kind(base=base) for kind in CLASSIFIERS for base in ("logistic_regression", "knn")),
]


@pytest.mark.parametrize("method", TEACHERS, ids=repr)
def test_of_rows_that_are_all_equal_something_finite_is_said(method):
    loader, _ = blobs()
    for row in (loader.labelled.rows[:1], 3 + torch.rand(1, 6, generator=torch.Generator().manual_seed(0))):
        equal = Loader(loader.labelled, loader.target, Features(row.repeat(40, 1)))
        p = method.remembers(equal, TASK)["taught"]
        torch.testing.assert_close(p.sum(1), torch.ones(40))
        assert (p >= 0).all()


@pytest.mark.parametrize(("count", "expected"), [(0, "labelled"), (2, "pool")])
def test_classifiers_see_rows_in_the_scale_of_the_pool_or_where_that_has_none_of_the_labels(count, expected):
    seen = {}

    class Sees(TriTraining):
        def opinion(self, x, y, pool, classes, seed):
            seen.update(labelled=x, pool=pool)
            return np.full((len(pool), classes), 1 / classes)

    loader, _ = blobs()
    row = 3 + torch.rand(1, 6, generator=torch.Generator().manual_seed(0))
    pool = Features(torch.cat([row.repeat(90, 1), loader.unlabelled.rows[:count]]))
    Sees().remembers(Loader(loader.labelled, loader.target, pool), TASK)
    np.testing.assert_allclose(seen["pool"].mean(0), 0, atol=1e-5)
    assert np.sqrt(np.square(seen[expected]).mean()) == pytest.approx(1, rel=1e-5)


@pytest.mark.parametrize("kind", GRAPH)
def test_more_neighbours_than_rows_are_all_of_them(kind):
    loader, _ = blobs(pool=6)
    all_of_them, more = (kind(neighbours=k).remembers(loader, TASK)["taught"] for k in (5, 1000))
    assert torch.equal(all_of_them, more)
    torch.testing.assert_close(more.sum(1), torch.ones(6))
    assert (more >= 0).all()


def test_where_two_agree_the_error_and_what_it_admits_are_those_of_the_paper():
    y = np.array([0, 0, 0, 0, 1, 1, 1, 1, 1, 1])
    one, other = y.copy(), y.copy()
    one[[0, 4]] = [1, 0]
    other[[0, 5]] = [1, 0]  # both are wrong of row 0; they differ on rows 4 and 5
    assert error_where_agreed(one, other, y) == pytest.approx(1 / 8)
    # First round: l = floor(e / (e' - e) + 1) = floor(0.125 / 0.375 + 1) = 1, and 0.125 * 40 = 5 is not below 0.5 * 1,
    # so ceil(0.5 * 1 / 0.125 - 1) = 3 of the 40 are drawn: 0.125 * 3 < 0.5 * 1.
    assert admitted(1 / 8, 0.5, 40, 0) == 3
    # Next: 0.05 * 30 = 1.5 < 0.125 * 20 = 2.5, all are taken; of 60, 3 >= 2.5, and ceil(2.5 / 0.05 - 1) = 49 are.
    assert admitted(0.05, 0.125, 30, 20) == 30
    assert admitted(0.05, 0.125, 60, 20) == 49
    assert admitted(0.125, 0.125, 60, 20) == 0  # no better
    assert admitted(0.05, 0.125, 20, 20) == 0  # no more than before
    assert admitted(0.1, 0.125, 60, 4) == 0  # 4 is not above 0.1 / 0.025
    for error, before, agreed, count in [(0.01, 0.4, 50, 3), (0.2, 0.4, 500, 7), (0.1, 0.12, 99, 9)]:
        found = admitted(error, before, agreed, count)
        assert count < found
        assert error * found < before * count


class Says(ClassifierMixin, BaseEstimator):
    """Says the sign of the first feature, whatever it has learnt; knows no probabilities."""

    def fit(self, x, y):
        self.classes_, self.seen_ = np.unique(y), len(x)
        return self

    def predict(self, x):
        return (x[:, 0] > 0).astype(int)


def test_the_third_learns_where_two_agree_and_votes_are_one_hot():
    x = np.array([[-1.0], [1.0]] * 4)
    y = np.array([0, 1] * 4)
    p = TriTraining(base=Says()).opinion(x, y, np.array([[-2.0], [3.0], [4.0]]), 2, 0)
    assert p.tolist() == [[1, 0], [0, 1], [0, 1]]
    sizes = []

    class Counts(Says):
        def fit(self, x, y):
            sizes.append(len(x))
            return super().fit(x, y)

    TriTraining(base=Counts()).opinion(x, y, np.array([[-2.0], [3.0], [4.0]]), 2, 0)
    assert sizes == [8, 8, 8, 11, 11, 11]  # no error where they agree: all three rows are admitted, once


def test_a_bootstrap_sample_has_as_many_of_each_class():
    y = np.array([0] * 5 + [1] + [2] * 9)
    for seed in range(5):
        rows = bootstrap(y, np.random.default_rng(seed))
        assert np.bincount(y[rows]).tolist() == [5, 1, 9]
    assert len(np.unique(rows)) < len(rows)


def test_each_of_two_adds_its_surest_of_each_class_and_the_surer_is_believed():
    one = np.array([[0.9, 0.1], [0.8, 0.2], [0.3, 0.7], [0.45, 0.55], [0.6, 0.4]])
    other = np.array([[0.05, 0.95], [0.55, 0.45], [0.2, 0.8], [0.4, 0.6], [0.9, 0.1]])
    label = np.array([-1, -1, -1, -1, -1])
    # One adds rows 0 and 2, the other row 4 of class 0 and row 0 of class 1, of which it is surer.
    assert taken(label, [one, other], np.array([0, 1]), 1).tolist() == [1, -1, 1, -1, 0]
    assert taken(np.array([0, -1, 1, -1, 0]), [one, other], np.array([0, 1]), 1).tolist() == [0, 0, 1, 1, 0]


def test_the_halves_are_as_given_or_half_of_the_features_each():
    first, other = CoTraining(first="0, 3").halves(5, seed=1)
    assert (first.tolist(), other.tolist()) == ([0, 3], [1, 2, 4])
    first, other = CoTraining().halves(9, seed=1)
    assert sorted([*first, *other]) == list(range(9))
    assert len(first) == 4
    assert CoTraining().halves(9, seed=2)[0].tolist() != first.tolist()
    for bad in ("0,1,2,3,4", "7"):
        with pytest.raises(ValueError, match="first must leave both halves some of the 5 features"):
            CoTraining(first=bad).halves(5, seed=1)
    with pytest.raises(ValueError, match="first must be numbers of features separated by commas, got 'a,b'"):
        CoTraining(first="a,b")


def test_with_no_rounds_the_base_alone_teaches():
    loader, _ = blobs()
    x, y, pool = loader.labelled.rows.numpy(), loader.target.numpy(), loader.unlabelled.rows.numpy()
    method = BalancedSelfTraining(base=GaussianNB(var_smoothing=0.5), rounds=0)
    found = method.opinion(x, y, pool, 3, 0)
    base = GaussianNB(var_smoothing=0.5).fit(x, y).predict_proba(pool)
    power = np.log(found[:, 0] / found[:, 1]) / np.log(base[:, 0] / base[:, 1])
    np.testing.assert_allclose(power, power[0], rtol=1e-5)  # one temperature
    assert 1 / 4 <= power[0] <= 4
    one_each = BalancedSelfTraining(base=GaussianNB(var_smoothing=0.5), rounds=0).opinion(x[:3], y[:3], pool, 3, 0)
    expected = GaussianNB(var_smoothing=0.5).fit(x[:3], y[:3]).predict_proba(pool)
    np.testing.assert_allclose(one_each, expected, rtol=1e-5)


@pytest.mark.parametrize("scale", [0.5, 1.0, 3.0])
def test_the_temperature_is_the_scale_of_the_logits(scale):
    rng = np.random.default_rng(0)
    z = 2 * rng.standard_normal((20_000, 3))
    y = (z + rng.gumbel(size=z.shape)).argmax(1)  # so that y has the probabilities softmax(z)
    assert temperature_of(scale * z, y) == pytest.approx(scale, rel=0.05)
    assert temperature_of(100 * z, y) == pytest.approx(4, rel=1e-3)


def test_the_surest_are_taken_in_exact_shares():
    p = np.random.default_rng(0).dirichlet([4, 1, 1], 400)
    shares = np.array([0.25, 0.5, 0.25])
    for total in (1, 10, 123, 400):
        quota = quotas(total, shares)
        assert quota.sum() == total
        assert (np.abs(quota - total * shares) < 1).all()
        rows, label = surest(p, quota)
        assert np.bincount(label, minlength=3).tolist() == quota.tolist()
        assert len(np.unique(rows)) == total
    rows, label = surest(p, np.array([20, 0, 0]))
    likeliest = np.flatnonzero(p.argmax(1) == 0)
    assert set(rows) == set(likeliest[np.argsort(-p[likeliest, 0])[:20]])
    turned = surest(p[:, [1, 2, 0]], quotas(123, shares)[[1, 2, 0]])
    np.testing.assert_array_equal(turned[0], surest(p, quotas(123, shares))[0])  # renaming the classes changes nothing


def test_soft_labels_weigh_as_much_as_the_labels_do():
    seen = {}

    class Keeps(GaussianNB):
        def fit(self, x, y, sample_weight=None):
            seen.update(y=y, weight=sample_weight)
            return super().fit(x, y, sample_weight)

    p = np.array([[0.9, 0.1], [0.3, 0.7], [0.995, 0.005]])
    given = np.array([[0.0], [1.0], [0.1], [1.2]]), np.array([0, 1, 0, 1])
    method = BalancedSelfTraining(base=Keeps(), of_pool=2.0)
    method.learnt(Keeps(), given, np.array([[0.2], [0.8], [0.0]]), p, p.argmax(1))
    assert seen["y"].tolist() == [0, 1, 0, 1, 0, 1, 0, 1, 0]
    np.testing.assert_allclose(seen["weight"][:4], 1)
    np.testing.assert_allclose(seen["weight"][4:], np.array([0.9, 0.1, 0.3, 0.7, 0.995]) * 8 / 2.995)


@pytest.mark.parametrize("base", ["random_forest", "knn", "svc", LogisticRegression(C=0.1), LinearSVC()])
@pytest.mark.parametrize("kind", CLASSIFIERS)
def test_any_classifier_teaches_and_is_left_as_it_was(kind, base):
    loader, y = blobs(pool=60)
    before = None if isinstance(base, str) else dict(vars(base))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        p = kind(base=base, rounds=2).remembers(loader, TASK)["taught"]
    assert (p.argmax(1).numpy() == y).mean() > 0.9
    assert before is None or vars(base) == before


@pytest.mark.parametrize("base", ["trees", 3, Ridge(), LogisticRegression])
def test_a_base_that_is_no_classifier_is_named(base):
    with pytest.raises(ValueError, match="base must be one of logistic_regression, random_forest, knn, svc, or a sci"):
        TriTraining(base=base)


@pytest.mark.parametrize("kind", [*GRAPH, *CLASSIFIERS])
def test_a_class_without_labels_is_not_said_and_one_class_alone_always(kind):
    loader, _ = blobs()
    two, y = loader.target < 2, torch.tensor(np.arange(12, 102) % 3)
    pool = Features(loader.unlabelled.rows[y < 2])
    some = Loader(loader.labelled.subset(np.flatnonzero(two)), loader.target[two], pool)
    assert (kind().remembers(some, TASK)["taught"][:, 2] == 0).all()
    one = Loader(loader.labelled.subset(np.array([1])), loader.target[1:2], Features(loader.unlabelled.rows[y == 1]))
    p = kind(**({} if kind in GRAPH else {"base": "knn"})).remembers(one, TASK)["taught"]
    assert (p.argmax(1) == 1).all()


def test_a_model_that_knows_no_probabilities_votes():
    model = fitted(LinearSVC(), np.array([[0.0], [1.0]]), np.array([0, 2]))
    assert probabilities(model, np.array([[-1.0], [2.0]]), 3).tolist() == [[1, 0, 0], [0, 0, 1]]


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: LabelPropagation(neighbours=0), "neighbours must be at least 1, got 0"),
        (lambda: LabelPropagation(temperature=0.0), r"temperature must be in \(0, 1\], got 0.0"),
        (lambda: LabelPropagation(edges="heat"), "edges must be one of gaussian, cosine, binary, got 'heat'"),
        (lambda: LabelPropagation(confidence="sure"), "confidence must be one of entropy, none, got 'sure'"),
        (lambda: LabelSpreading(alpha=1.0), r"alpha must be in \[0, 0.9999\], got 1.0"),
        (lambda: PoissonLearning(slope=0.0), "slope must be above 0, got 0.0"),
        (lambda: TriTraining(rounds=0), "rounds must be at least 1, got 0"),
        (lambda: CoTraining(growth=0.5), "growth must be at least 1, got 0.5"),
        (lambda: CoTraining(weight=-1.0), "weight must be at least 0, got -1.0"),
        (lambda: BalancedSelfTraining(share=1.5), r"share must be in \(0, 1\], got 1.5"),
        (lambda: BalancedSelfTraining(prior="none"), "prior must be one of labels, uniform, got 'none'"),
    ],
)
def test_out_of_range_hyper_parameters_are_named(make, message):
    with pytest.raises(ValueError, match=message):
        make()


@pytest.mark.parametrize("kind", [*GRAPH, *CLASSIFIERS])
def test_the_types_of_inherited_fields_can_be_read_where_a_method_lives(kind):
    hints = get_type_hints(kind)
    assert set(hints) >= {field.name for field in fields(kind)}
    assert hints["confidence"] == Literal["entropy", "none"]
