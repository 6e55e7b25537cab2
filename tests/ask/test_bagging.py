"""Models that vote: each of a sample of the labels, and read a block at a time."""

import numpy as np
import pytest

from tutelage import ask
from tutelage.ask import bagging


def two_clouds(n: int = 400) -> tuple[np.ndarray, np.ndarray]:
    """Rows of two classes that overlap on their first feature, and their classes."""
    draws = np.random.default_rng(0)
    y = np.arange(n) % 2
    return np.stack([draws.normal(4 * y - 2, 1.5), draws.normal(size=n)], 1), y


def test_models_disagree_between_the_classes_and_nowhere_else():
    x, y = two_clouds()
    labelled = np.arange(20)
    p = ask.committee(x, labelled, y[:20], 2)
    assert p.shape == (5, 400, 2)
    np.testing.assert_allclose(p.sum(-1), 1)
    votes = p.argmax(-1)
    apart = (votes != votes[0]).any(0)
    assert 0 < apart.sum() < 200
    assert np.abs(x[apart, 0]).mean() < 0.5 * np.abs(x[~apart, 0]).mean()
    assert ((votes[0] == y).mean() > 0.8) and len({tuple(v) for v in votes.tolist()}) > 1


def test_asked_rows_lie_where_the_models_disagree():
    x, y = two_clouds()
    p = ask.committee(x, np.arange(20), y[:20], 2)
    found = ask.select("variation", x, p, np.arange(20), 10)
    assert (found.score > 0).all()
    assert np.abs(x[found.index, 0]).mean() < np.abs(x[20:, 0]).mean() / 2


def test_the_answer_depends_on_the_seed_and_not_on_the_size_of_a_block(monkeypatch):
    x, y = two_clouds()
    whole = ask.committee(x, np.arange(20), y[:20], 2, seed=1)
    assert (whole != ask.committee(x, np.arange(20), y[:20], 2, seed=2)).any()
    monkeypatch.setattr(bagging, "BLOCK", 7)
    np.testing.assert_allclose(ask.committee(x, np.arange(20), y[:20], 2, seed=1), whole, atol=1e-6)


def test_a_class_without_a_label_gets_no_probability_and_a_single_class_gets_all():
    x, y = two_clouds()
    assert not ask.committee(x, np.arange(20), y[:20], 3)[..., 2].any()
    alone = ask.committee(x, np.arange(3), [1, 1, 1], 2)
    assert (alone[..., 1] == 1).all() and not alone[..., 0].any()


def test_wrong_labels_are_refused():
    x, _ = two_clouds()
    with pytest.raises(ValueError, match=r"y must be in \[0, 2\), got 2"):
        ask.committee(x, [0, 1], [0, 2], 2)
    with pytest.raises(ValueError, match="y must be a class number for each labelled row"):
        ask.committee(x, [0, 1], [0], 2)
    with pytest.raises(ValueError, match="labelled must hold a row with a label, got none"):
        ask.committee(x, [], [], 2)
