"""Label models that read features: their limits, their updates written out, and rules that are right in one corner."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.integrate import quad

from tutelage import Classifier
from tutelage.weak import BY_FEATURES, Voted, Votes, combine, label
from tutelage.weak.by_features import _basis, _Processes, fable

EVERY = pytest.mark.parametrize("model", BY_FEATURES)


def votes_of(table, c: int) -> Votes:
    table = np.asarray(table)
    return Votes(table, [f"f{j}" for j in range(table.shape[1])], [f"c{k}" for k in range(c)])


def corners(n: int = 1500, seed: int = 0) -> tuple[Votes, np.ndarray, np.ndarray]:
    """Rows in two clusters a class, in two halves; of four rules two are right in one half, and the others in one."""
    g = np.random.default_rng(seed)
    y, half = g.integers(0, 2, n), g.integers(0, 2, n)
    rows = np.stack([4.0 * half, 2.0 * y], 1) + 0.6 * g.standard_normal((n, 2))
    right = np.where(half[:, None] == np.array([0, 0, 1, 1]), 0.95, 0.35)
    table = np.where(g.random((n, 4)) < right, y[:, None], 1 - y[:, None])
    return votes_of(np.where(g.random((n, 4)) < 0.8, table, -1), 2), rows, y


def accuracy(p, y, votes) -> float:
    return float((p.argmax(1) == y)[votes.covered].mean())


@pytest.mark.parametrize("labels", [0, 60])
def test_one_group_on_rows_that_are_all_alike_is_the_model_without_features(labels):
    votes, rows, y = corners()
    known = np.where(np.arange(len(y)) < labels, y, -1)
    alike = np.repeat(rows[:1], len(rows), axis=0)
    found = fable(votes, known, alike, groups=1, still=1e-6)
    covered = votes.covered
    np.testing.assert_allclose(found[covered], label(votes, "data_programming", known)[covered], atol=1e-3)


def test_the_processes_are_those_of_the_whole_kernel():
    """The update of Galy-Fajou et al. with the n x n kernel and its inverse."""
    g = np.random.default_rng(0)
    basis, q = g.standard_normal((6, 6)), g.dirichlet(np.ones(4), 6)
    before = _Processes(g.standard_normal((6, 4)), g.random((6, 4)) + 0.5, 1 + g.random(6))
    found = before.fitted(q, basis)
    kernel = basis @ basis.T
    from scipy.special import psi

    for k in range(4):
        scale = np.sqrt(before.mean[:, k] ** 2 + before.variance[:, k])
        against = np.exp(psi(before.rate)) / 4 * np.exp(-before.mean[:, k] / 2) / (2 * np.cosh(scale / 2))
        omega = (q[:, k] + against) / (2 * scale) * np.tanh(scale / 2)
        cov = np.linalg.inv(np.linalg.inv(kernel) + np.diag(omega))
        np.testing.assert_allclose(found.mean[:, k], cov @ (q[:, k] - against) / 2, atol=1e-6)
        np.testing.assert_allclose(found.variance[:, k], np.diag(cov), atol=1e-6)


def test_the_log_share_is_a_tight_bound():
    for mean, variance in [(0.0, 1.0), (1.5, 0.4), (-2.0, 2.0)]:
        f = _Processes(np.array([[mean]]), np.array([[variance]]), np.ones(1))
        density = lambda x, m=mean, v=variance: np.exp(-((x - m) ** 2) / (2 * v)) / np.sqrt(2 * np.pi * v)  # noqa: E731
        exact = quad(lambda x, d=density: -np.logaddexp(0, -x) * d(x), -20, 20)[0]
        assert exact - 0.1 < f.log_share.item() <= exact + 1e-9


def test_the_kernel_is_that_of_the_median_distance_less_its_mean():
    rows = np.random.default_rng(0).standard_normal((40, 3))
    apart = np.square(rows[:, None] - rows).sum(2)
    kernel = np.exp(-apart / np.median(apart[np.triu_indices(40, 1)]))
    centre = np.eye(40) - 1 / 40
    basis = _basis(rows, 128, 0)
    np.testing.assert_allclose(basis @ basis.T, 9 * centre @ kernel @ centre, atol=1e-6)


def test_rules_that_are_right_in_one_corner_are_heard_there():
    votes, rows, y = corners()
    found = {model: accuracy(label(votes, model, rows=rows), y, votes) for model in ("data_programming", *BY_FEATURES)}
    assert found["fable"] > max(found["data_programming"], found["dawid_skene_logistic"]) + 0.05


def clusters(n: int = 600, seed: int = 0, rare: float = 0.5) -> tuple[Votes, np.ndarray, np.ndarray]:
    """Rows in a cluster a class, and four poor rules; a share of them is of class 1."""
    g = np.random.default_rng(seed)
    y = (g.random(n) < rare).astype(int)
    table = np.where(g.random((n, 4)) < 0.7, y[:, None], 1 - y[:, None])
    return votes_of(np.where(g.random((n, 4)) < 0.6, table, -1), 2), y[:, None] + 0.3 * g.standard_normal((n, 5)), y


@EVERY
@pytest.mark.parametrize("rare", [0.5, 0.25])
def test_features_that_tell_the_classes_mend_poor_rules(model, rare):
    votes, rows, y = clusters(rare=rare)
    without = accuracy(label(votes, "data_programming"), y, votes)
    assert accuracy(label(votes, model, rows=rows), y, votes) > without + 0.04


@EVERY
def test_names_of_classes_and_the_order_of_the_functions_do_not_matter(model):
    votes, rows, _ = corners(300)
    p = label(votes, model, rows=rows)
    np.testing.assert_allclose(p.sum(1), 1)
    other = votes_of(np.array([1, 0, -1])[votes.table[:, ::-1]], 2)
    np.testing.assert_allclose(label(other, model, rows=rows)[:, ::-1], p, atol=1e-5)


@EVERY
def test_no_label_is_copied_into_the_answer(model):
    votes, rows, y = corners(300)
    before, one = label(votes, model, rows=rows), np.full(len(y), -1)
    row = before.max(1).argmax()
    one[row] = 1 - before[row].argmax()
    assert label(votes, model, one, rows)[row].argmax() != one[row]


@EVERY
@pytest.mark.parametrize("table", [[[0], [1], [-1], [0]], [[0], [-1], [0], [0]], [[0, 1], [0, 1], [0, 1], [0, 1]]])
def test_few_votes_are_labels_too(model, table):
    votes, rows = votes_of(table, 3), np.arange(8.0).reshape(4, 2)
    for x in (rows, 0 * rows):
        p = label(votes, model, rows=x)
        np.testing.assert_allclose(p.sum(1), 1)
        np.testing.assert_allclose(p[~votes.covered], 1 / 3)


@EVERY
@pytest.mark.parametrize(
    ("rows", "message"),
    [
        (None, "needs the features of the rows, got none"),
        (np.zeros((3, 2)), r"rows must be of shape \(4, features\), got \(3, 2\)"),
        (np.full((4, 2), np.nan), "rows must be finite"),
    ],
)
def test_features_that_cannot_be_read_are_refused(model, rows, message):
    with pytest.raises(ValueError, match=message):
        label(votes_of([[0], [1], [-1], [0]], 2), model, rows=rows)


def test_votes_take_the_default_model_until_there_are_features():
    votes, rows, _ = corners(300)
    before, after = Voted("rules", votes, "fable"), Voted("rules", votes, "fable", rows)
    plain = combine([Voted("rules", votes)]).probabilities
    assert np.array_equal(combine([before]).probabilities, plain, equal_nan=True)
    found = combine([after]).probabilities
    np.testing.assert_allclose(found[votes.covered], label(votes, "fable", rows=rows)[votes.covered])
    some = np.arange(100)
    assert len(after.where(some).rows) == 100


def test_a_fit_reads_features_for_its_label_model():
    votes, rows, _ = clusters(300)
    found = []
    for name in ("data_programming", "dawid_skene_logistic"):
        model = Classifier("supervised", label_model=name, steps=60, evidence=False)
        found.append(model.fit(rows, votes=votes.table).predict_proba(rows))
    assert np.abs(found[0] - found[1]).max() > 0.05


def test_a_network_that_reads_pixels_has_no_features_for_a_label_model():
    pixels = np.random.default_rng(0).integers(0, 255, (20, 8, 8, 3), dtype=np.uint8)
    votes = np.tile([[0, -1], [1, 1]], (10, 1))
    model = Classifier("supervised", network="small_cnn", label_model="fable", steps=4, evidence=False)
    with pytest.raises(ValueError, match="label model 'fable' reads fixed features of each item: leave out finetune"):
        model.fit(pixels, votes=votes)
