"""Rows of a group neither judge each other nor are neighbours in an audit."""

from __future__ import annotations

import numpy as np
import pytest

from tutelage.audit import find_label_errors


@pytest.fixture(scope="module")
def written():
    """Rows of 20 authors, four of each, who are far apart, and whose rows are nearly the same."""
    rng = np.random.default_rng(0)
    y = np.arange(20) % 2
    of = np.stack([y * 1.5 + rng.normal(size=20), rng.normal(size=20), *rng.normal(size=(6, 20)) * 3], 1)
    return np.repeat(of, 4, axis=0) + 0.05 * rng.normal(size=(80, 8)), np.repeat(y, 4), np.repeat(np.arange(20), 4)


def test_no_row_is_a_neighbour_of_one_of_its_group(written):
    x, y, author = written
    found = find_label_errors(x, y, groups=author)
    assert (author[found.neighbours.index] != author[:, None]).all()
    alone = find_label_errors(x, y)
    assert (author[alone.neighbours.index] == author[:, None]).any()


def test_an_author_whose_labels_are_all_wrong_is_suspected_only_by_others(written):
    x, y, author = written
    wrong = np.where(author == 3, 1 - y, y)
    by_others, by_all = (
        find_label_errors(x, wrong, groups=groups).probability[author == 3] for groups in (author, None)
    )
    assert by_others.mean() > by_all.mean()


def test_groups_must_be_as_many_as_the_rows_and_two_at_least(written):
    x, y, _ = written
    with pytest.raises(ValueError, match="groups must have a group for each of 80 rows, got 3"):
        find_label_errors(x, y, groups=[1, 2, 3])
    with pytest.raises(ValueError, match="groups must be at least 2, got 1"):
        find_label_errors(x, y, groups=np.zeros(80))
