"""What a teacher said is read exactly, recognised in its forms, or refused with its place."""

import json

import numpy as np
import pandas as pd
import pytest

from tutelage.tables import DataError
from tutelage.weak import Voted, Votes, combine, label, read_columns, read_descriptions, read_labels, said_values

P = np.array([[0.7, 0.2, 0.1], [0.05, 0.9, 0.05], [np.nan] * 3, [1 / 3, 1 / 3, 1 / 3]])
NAMES = ["p_a", "p_b", "p_c"]


def read(table, prefix="p_", others=()):
    lines = []
    return read_columns(table, prefix, "said.csv", lines.append, others), lines


def frame(values):
    return pd.DataFrame(values, columns=NAMES)


def test_probabilities_are_kept_to_the_bit():
    found, lines = read(frame(P))
    np.testing.assert_array_equal(found.table, P)
    assert (found.classes, lines) == (["a", "b", "c"], [])
    assert found.covered.tolist() == [True, True, False, True]


def test_cells_of_a_csv_are_texts():
    cells = [["" if np.isnan(v) else repr(float(v)) for v in row] for row in P]
    np.testing.assert_array_equal(read(frame(cells))[0].table, P)


@pytest.mark.parametrize(
    ("turned", "what"),
    [(lambda p: 100 * p, "percentages"), (np.log, "logarithms of probabilities")],
    ids=["percentages", "logarithms"],
)
def test_other_forms_are_recognised_and_said(turned, what):
    found, lines = read(frame(turned(P)))
    np.testing.assert_allclose(found.table, P, atol=1e-12)
    assert len(lines) == 1 and what in lines[0] and "Teacher p_" in lines[0]


def test_a_logarithm_of_zero_is_a_probability_of_zero():
    found, _ = read(pd.DataFrame({"p_a": [0.0, -0.5108256], "p_b": ["-inf", "-0.9162907"]}))
    np.testing.assert_allclose(found.table, [[1, 0], [0.6, 0.4]], atol=1e-6)


def test_rounded_rows_are_divided_by_their_sum():
    found, _ = read(frame([[0.33, 0.33, 0.33], [0.5, 0.25, 0.25]]))
    np.testing.assert_allclose(found.table[0], [1 / 3] * 3)
    np.testing.assert_array_equal(found.table[1], [0.5, 0.25, 0.25])


@pytest.mark.parametrize(
    ("values", "message"),
    [
        (
            [[0.5, 0.5, 0.0], [0.7, 0.5, 0.0]],
            r"said.csv, row 2, columns p_a, p_b, p_c: .* sum to one, got 1.2 \(1 of 2",
        ),
        ([[1.2, -0.2, 0.0]], r"said.csv, row 1, column 'p_b': a probability must be in \[0, 1\], got -0.2"),
        ([[0.5, np.nan, 0.5]], r"said.csv, row 1, column 'p_b': empty, but other classes have a number"),
        ([["x", "0.5", "0.5"]], r"said.csv, row 1, column 'p_a': 'x' is no number"),
        ([[np.inf, 0, 0]], r"row 1, column 'p_a': a probability must be in \[0, 1\], got inf"),
        ([[90, 9, 1], [0.9, 0.09, 0.01]], r"row 1, .* sum to one, got 100 \(1 of 2 rows"),
    ],
)
def test_rows_that_are_no_distribution_are_refused(values, message):
    with pytest.raises(DataError, match=message):
        read(frame(values))


def test_columns_that_are_not_there_are_named():
    with pytest.raises(DataError, match="needs a column q_CLASS for each class, at least two, got none; it has 'p_a'"):
        read(frame(P), "q_")
    with pytest.raises(DataError, match="got only 'p_a'"):
        read(frame(P), "p_", ["p_b", "p_c"])


def test_a_class_without_a_column_is_named_with_the_nearest():
    found, _ = read(pd.DataFrame({"p_World": [0.5], "p_Sprots": [0.5]}))
    with pytest.raises(DataError, match="teacher 'p_' has no column for class 'Sports'; nearest is 'p_Sprots'"):
        found.source(["Sports", "World"])


def test_a_class_without_a_column_is_refused_with_a_way():
    found, _ = read(pd.DataFrame({"p_class_a": [0.5], "p_class_b": [0.5]}))
    with pytest.raises(DataError, match="class 'a'; nearest is 'p_class_a'; --teacher p_class_ if that is its column"):
        found.source(["a", "b"])
    found, _ = read(pd.DataFrame({"p_World": [0.5], "p_Sports": [0.5]}))
    with pytest.raises(DataError, match="it knows 'World', 'Sports'; a column of zeros says that it never means 'tax'"):
        found.source(["World", "tax"])


def test_per_cent_signs_and_logits():
    found, said = read(pd.DataFrame({"p_a": ["90%", ""], "p_b": ["10 %", ""]}))
    np.testing.assert_allclose(found.table[0], [0.9, 0.1])
    assert np.isnan(found.table[1]).all() and "per cent signs, as in '90%' (row 1, column 'p_a')" in said[0]
    with pytest.raises(DataError, match=r"in \[0, 1\], got -1.1; if these are logits, write their softmax"):
        read(pd.DataFrame({"p_a": ["2.3"], "p_b": ["-1.1"]}))


def test_columns_come_in_the_order_of_the_classes():
    found, _ = read(frame(P))
    np.testing.assert_array_equal(found.source(["c", "a", "b"]).table, P[:, [2, 0, 1]])


def test_five_hundred_classes():
    classes = [f"c{i}" for i in range(500)]
    table = np.random.default_rng(0).dirichlet(np.ones(500), 20)
    found, _ = read(pd.DataFrame(table, columns=[f"p_{c}" for c in classes]))
    np.testing.assert_array_equal(found.source(classes).table, table)


def test_labels_share_the_rest_of_their_confidence():
    table = pd.DataFrame({"by": ["a", "", "b", "-1"], "sure": ["0.7", "", "", "0.9"]})
    found = read_labels(table, "by", "sure", "said.csv", print)
    expected = [[0.7, 0.15, 0.15], [np.nan] * 3, [0.1, 0.8, 0.1], [np.nan] * 3]
    np.testing.assert_allclose(found.source(["a", "b", "c"]).table, expected)
    assert found.labels() == ["a", "b"]
    plain = read_labels(table, "by", None, "said.csv", print)
    np.testing.assert_allclose(plain.source(["a", "b"]).table[[0, 2]], [[0.8, 0.2], [0.2, 0.8]])


@pytest.mark.parametrize(
    ("sure", "what"), [(["70", "90"], "percentages"), ([float(np.log(0.7)), float(np.log(0.9))], "logarithms")]
)
def test_confidences_in_other_forms_are_recognised(sure, what):
    lines = []
    found = read_labels(pd.DataFrame({"by": ["a", "b"], "sure": sure}), "by", "sure", "s.csv", lines.append)
    np.testing.assert_allclose(found.confidence, [0.7, 0.9])
    assert what in lines[0]


def test_a_confidence_out_of_range_is_refused():
    table = pd.DataFrame({"by": ["a", "b"], "sure": [0.5, 170]})
    with pytest.raises(DataError, match=r"s.csv, row 2, column 'sure': a confidence must be in \[0, 1\], got 170"):
        read_labels(table, "by", "sure", "s.csv", print)
    with pytest.raises(DataError, match="no column 'other'"):
        read_labels(table, "other", None, "s.csv", print)


def test_python_values_are_named_by_their_columns_or_the_sorted_classes():
    found = said_values(P[:, :2] / P[:, :2].sum(1, keepdims=True), 4, ["ham", "spam"], "teacher", print)
    assert found.labels() == ["ham", "spam"]
    assert said_values(pd.DataFrame(P, columns=[3, 1, 2]), 4, None, "teacher", print).labels() == [3, 1, 2]
    with pytest.raises(ValueError, match=r"teacher must be of shape \(5, classes\), got \(4, 3\)"):
        said_values(P, 5, None, "teacher", print)
    with pytest.raises(ValueError, match="a column for each of the 2 classes ham, spam, got 3"):
        said_values(P, 4, ["ham", "spam"], "teacher", print)
    with pytest.raises(DataError, match=r"teacher\[1\]: the probabilities of a row must sum to one, got 2"):
        said_values([[0.5, 0.5], [1, 1]], 2, None, "teacher", print)


# descriptions


def written(tmp_path, name, value):
    path = tmp_path / name
    path.write_text(value if isinstance(value, str) else json.dumps(value))
    return path


def test_descriptions_from_json_toml_and_names(tmp_path):
    expected = {"Sports": ("news about sport",), "World": ("politics", "wars")}
    value = {"Sports": "news about sport", "World": ["politics", "wars"]}
    assert read_descriptions(written(tmp_path, "c.json", value)) == expected
    toml = 'Sports = "news about sport"\nWorld = ["politics", "wars"]\n'
    assert read_descriptions(written(tmp_path, "c.toml", toml)) == expected
    assert read_descriptions(written(tmp_path, "n.json", ["Sports", "World"])) == {
        "Sports": ("Sports",), "World": ("World",),
    }  # fmt: skip


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("c.txt", "a", "must be in a .json or a .toml file"),
        ("c.json", "{", "not readable as json"),
        ("c.toml", "=", "not readable as toml"),
        ("c.json", {"a": "x"}, "at least two classes must be described"),
        ("c.json", '{"a": "x", "b": "y", "a": "z"}', "class 'a' is described twice"),
        ("c.json", {"a": "x", "b": "  "}, "class 'b' has no description"),
        ("c.json", {"a": "x", "b": []}, "class 'b' has no description"),
        ("c.json", {"a": "x", "b": 3}, "class 'b' must be described by a sentence or a list, got 3"),
        ("c.json", {"a": "x", "b": ["x"]}, "classes 'a' and 'b' have the same description"),
        ("c.json", ["a", "a"], "a class is named twice"),
        ("c.json", ["a", {"b": "c"}], "a list must hold the names of classes"),
    ],
)
def test_descriptions_that_are_not_valid_are_refused(tmp_path, name, value, message):
    with pytest.raises(DataError, match=message):
        read_descriptions(written(tmp_path, name, value))


def test_a_missing_file_of_descriptions_is_said(tmp_path):
    with pytest.raises(DataError, match="no such file"):
        read_descriptions(tmp_path / "c.json")


# votes as a source


def test_votes_become_a_source_by_the_labels_that_may_be_used():
    rng = np.random.default_rng(0)
    truth = rng.integers(2, size=80)
    table = np.where(rng.random((80, 3)) < 0.8, truth[:, None], 1 - truth[:, None])
    table[:10] = -1
    votes = Votes(table, ["f", "g", "h"], ["a", "b"])
    voted = Voted("rules", votes)
    for y in (np.full(80, -1), np.where(np.arange(80) < 40, truth, -1)):
        p = voted.source(y).table
        np.testing.assert_array_equal(p[10:], label(votes, "data_programming", y)[10:])
        assert np.isnan(p[:10]).all()
    y = np.where(np.arange(80) < 40, truth, -1)
    found = combine([voted], y)
    assert np.isnan(found.held_out[:10]).all() and not np.isnan(found.held_out[10:40]).any()


def test_probabilities_and_confidences_with_decimal_commas():
    heard = []
    table = pd.DataFrame({"p_a": ["0,9", "1,0E-01"], "p_b": ["0,1", "0,9"], "by": ["a", "b"], "sure": ["0,7", "1"]})
    assert read_columns(table, "p_", "t.csv", heard.append).table.tolist() == [[0.9, 0.1], [0.1, 0.9]]
    assert read_labels(table, "by", "sure", "t.csv", heard.append).confidence.tolist() == [0.7, 1.0]
    assert "2 columns with decimal commas" in heard[0] and "column 'sure' with decimal commas" in heard[1]
