"""Teachers of texts, rows and images: who is heard, what is said of it, and what is refused."""

import json
import warnings

import numpy as np
import pandas as pd
import pytest

from tutelage.kinds import KINDS
from tutelage.kinds.dataset import Files
from tutelage.kinds.reading import read_files
from tutelage.tables import DataError, Notes
from tutelage.weak import combine, label

ROWS, LABELS = 40, 14
TRUTH = np.array(["food", "sport"] * (ROWS // 2))


def probabilities(right=0.8, seed=0):
    rng = np.random.default_rng(seed)
    p = np.where(rng.random(ROWS) < right, 0.9, 0.1)
    return np.where(TRUTH == "food", p, 1 - p)


def table(**columns):
    food = probabilities()
    given = {
        "text": [f"text {i}" for i in range(ROWS)],
        "label": np.where(np.arange(ROWS) < LABELS, TRUTH, ""), "p_food": food, "p_sport": 1 - food,
    }  # fmt: skip
    return pd.DataFrame(given | columns)


def read(tmp_path, frame=None, more=None, test=None, kind="texts", say=None, **options):
    """The dataset, and what was said."""
    paths = {}
    for name, part in (("train", table() if frame is None else frame), ("more", more), ("test", test)):
        if part is not None:
            paths[name] = tmp_path / f"{name}.csv"
            part.to_csv(paths[name], index=False)
    lines = []
    item = {"text": "text"} if kind == "texts" else {"features": ("x",)}
    made = KINDS[kind](**({"label": "label"} | item | options))
    files = Files(paths["train"], paths.get("more"), paths.get("test"))
    made.require_columns(files)
    return read_files(made, files, Notes(lines.append)), lines


def test_columns_become_a_source_of_labels_and_pool(tmp_path):
    data, lines = read(tmp_path, teacher="p_")
    (source,) = data.items.sources
    frame = table()
    np.testing.assert_array_equal(source.table, frame[["p_food", "p_sport"]].to_numpy())
    assert data.classes == ["food", "sport"]
    assert data.items.covered.tolist() == list(range(ROWS - LABELS))
    y = np.append(data.items.y, np.full(ROWS - LABELS, -1))
    np.testing.assert_array_equal(data.items.target, combine([source], y).probabilities[LABELS:])
    right = int((np.where(probabilities()[:LABELS] > 0.5, "food", "sport") == TRUTH[:LABELS]).sum())
    assert f"Teacher p_: speaks of 26 of 26 unlabelled rows; right on {right} of 14 labels." in lines
    assert data.weak["teachers"][0]["accuracy"] == pytest.approx(right / LABELS)


def test_without_labels_the_teacher_is_believed_bit_for_bit(tmp_path):
    frame = table().drop(columns="label")
    data, lines = read(tmp_path, frame, teacher="p_", label=None)
    np.testing.assert_array_equal(data.items.target, frame[["p_food", "p_sport"]].to_numpy())
    assert data.items.y.tolist() == [] and data.classes == ["food", "sport"]
    assert "Classes, by the teacher: food, sport." in lines


def test_a_further_pool_may_lack_the_columns_and_a_test_table_needs_none(tmp_path):
    plain = table()[["text", "label"]].assign(text=[f"more {i}" for i in range(ROWS)])
    other = plain.assign(text=[f"test {i}" for i in range(ROWS)], label=TRUTH)
    data, _ = read(tmp_path, more=plain, test=other, teacher="p_")
    assert len(data.items.pool) == 2 * ROWS - LABELS
    assert data.items.covered.tolist() == list(range(ROWS - LABELS))
    assert len(data.items.sources[0]) == 2 * ROWS and len(data.test) == ROWS


def test_rules_and_teachers_add_up(tmp_path):
    votes = np.where(np.arange(ROWS) % 3 == 0, TRUTH, "")
    frame = table(lf_1=votes, by=np.where(np.arange(ROWS) % 2 == 0, TRUTH, ""))
    data, lines = read(tmp_path, frame, teacher="p_", votes="lf_", teacher_label="by")
    assert [source.name for source in data.items.sources] == ["rules", "p_", "by"]
    y = np.append(data.items.y, np.full(ROWS - LABELS, -1))
    np.testing.assert_array_equal(data.items.target, combine(data.items.sources, y).probabilities[LABELS:])
    assert any(line.startswith("Added up in one label model: rules, p_, by") for line in lines)
    assert data.weak["functions"][0]["name"] == "lf_1"


def test_rules_alone_are_as_they_were(tmp_path):
    votes = np.where(np.arange(ROWS) % 3 == 0, TRUTH, "")
    data, lines = read(tmp_path, table(lf_1=votes), votes="lf_")
    (rules,) = data.items.sources
    y = np.append(data.items.y, np.full(ROWS - LABELS, -1))
    expected = label(rules.votes, "data_programming", y)[LABELS:][data.items.covered]
    np.testing.assert_array_equal(data.items.target, expected)
    assert "teachers" not in data.weak
    assert not any("Added up" in line or "Teacher" in line for line in lines)


def test_a_silent_teacher_beside_rules_is_no_teacher(tmp_path):
    votes = np.where(np.arange(ROWS) % 3 == 0, TRUTH, "")
    alone, _ = read(tmp_path, table(lf_1=votes), votes="lf_")
    with pytest.raises(DataError, match="teacher 'p_' is silent on every row"):
        read(tmp_path, table(lf_1=votes, p_food="", p_sport=""), votes="lf_", teacher="p_")
    assert len(alone.items.covered)


def test_a_class_of_the_teacher_alone_is_declared(tmp_path):
    food = probabilities()
    data, lines = read(tmp_path, table(p_food=food / 2, p_sport=(1 - food) / 2, p_war=0.5), teacher="p_")
    assert data.classes == ["food", "sport", "war"]
    assert "Classes, by the teacher alone: war." in lines


def test_a_class_of_the_teacher_alone_that_is_nearly_a_label_is_pointed_out(tmp_path):
    told = np.where(np.arange(ROWS) == 30, "sprot", np.roll(TRUTH, 1))
    _, lines = read(tmp_path, table(by=told), teacher_label="by")
    assert "Is 'sprot' a misspelt 'sport'? No row has the label 'sprot', so nothing can measure it." in lines


def test_a_labelled_class_that_the_teacher_lacks_is_named(tmp_path):
    frame = table().rename(columns={"p_sport": "p_sprot"})
    with pytest.raises(DataError, match="teacher 'p_' has no column for class 'sport'; nearest is 'p_sprot'"):
        read(tmp_path, frame, teacher="p_")


def test_descriptions_declare_the_classes_and_wait_for_the_encoder(tmp_path):
    path = tmp_path / "c.json"
    path.write_text(json.dumps({"sport": ["a match", "a goal"], "food": "bread"}))
    data, lines = read(tmp_path, table()[["text"]], describe=path, label=None)
    assert data.classes == ["food", "sport"]
    assert data.items.described == [("bread",), ("a match", "a goal")]
    assert data.items.weak and data.items.covered is None and not len(data.items.sources)
    assert "Classes, by the teacher: food, sport." in lines
    both, _ = read(tmp_path, describe=path, teacher="p_")
    assert both.items.described is not None and len(both.items.covered) == ROWS - LABELS


def test_a_class_that_nobody_described_is_named(tmp_path):
    path = tmp_path / "c.json"
    path.write_text(json.dumps({"sprots": "a match", "food": "bread"}))
    with pytest.raises(DataError, match=r"train.csv: nobody described class 'sport'; the nearest is 'sprots'"):
        read(tmp_path, describe=path)


def test_what_a_teacher_is_like_is_said(tmp_path):
    _, lines = read(tmp_path, table(p_food=0.6, p_sport=0.4), teacher="p_")
    assert "Teacher p_ says the same of every row: it tells nothing. (docs: warnings/teacher-says-little)" in lines
    rng = np.random.default_rng(0).random(ROWS) / 4 + 0.6
    _, lines = read(tmp_path, table(p_food=rng, p_sport=1 - rng), teacher="p_")
    assert "Teacher p_ finds the same class likeliest in every row. (docs: warnings/teacher-says-little)" in lines
    more = pd.DataFrame({"text": [f"more {i}" for i in range(400)], "p_food": "", "p_sport": ""})
    more.iloc[:2, 1:] = [["0.9", "0.1"], ["0.2", "0.8"]]
    silent = table(p_food="", p_sport="")
    _, lines = read(tmp_path, silent, more=more, teacher="p_")
    assert "Teacher p_: speaks of 2 of 426 unlabelled rows." in lines
    assert (
        "Teacher p_ is silent on 424 of 426 unlabelled rows: it can teach little. (docs: warnings/teacher-says-little)"
        in lines
    )


def test_a_teacher_of_labelled_rows_alone_is_refused(tmp_path):
    known = np.arange(ROWS) < LABELS
    food = probabilities()
    frame = table(p_food=np.where(known, food, np.nan), p_sport=np.where(known, 1 - food, np.nan))
    with pytest.raises(DataError, match="teacher 'p_' speaks of no unlabelled row"):
        read(tmp_path, frame, teacher="p_")


@pytest.mark.parametrize("form", ["columns", "labels"])
def test_the_labels_themselves_as_teacher_are_warned_of(tmp_path, form):
    food = (TRUTH == "food").astype(float)
    frame = table(p_food=food, p_sport=1 - food, by=TRUTH)
    options = {"teacher": "p_"} if form == "columns" else {"teacher_label": "by"}
    with pytest.warns(UserWarning, match="right on each of the 14 labels"):
        read(tmp_path, frame, **options)
    few = frame.assign(label=np.where(np.arange(ROWS) < 6, TRUTH, ""))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        read(tmp_path, few, **options)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"teacher_confidence": "sure"}, "--teacher-confidence needs --teacher-label"),
        ({"teacher_label": "label"}, "--teacher-label is the column of the labels"),
        ({"teacher": ""}, "--teacher must be the prefix"),
    ],
)
@pytest.mark.parametrize("kind", ["texts", "rows", "images"])
def test_options_that_do_not_go_together_are_refused(kind, options, message):
    with pytest.raises(ValueError, match=message):
        KINDS[kind](label="label", **options)


def test_a_test_table_needs_the_column_of_its_labels(tmp_path):
    with pytest.raises(ValueError, match="--test needs --label"):
        read(tmp_path, test=table(), teacher="p_", label=None)


def test_rows_have_teachers_whose_columns_are_no_features(tmp_path):
    frame = table().drop(columns="text").assign(x1=1.0, x2=np.arange(ROWS), by=TRUTH)
    path = tmp_path / "train.csv"
    frame.to_csv(path, index=False)
    kind = KINDS["rows"](features=("all",), label="label", teacher="p_", teacher_label="by").settled(Files(path))
    assert kind.features == ("x1", "x2")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        data = read_files(kind, Files(path))
    assert [source.name for source in data.items.sources] == ["p_", "by"]


def test_rows_of_the_pool_that_are_left_out_take_what_was_said_of_them_along(tmp_path):
    texts = [f"text {i}" for i in range(ROWS)]
    texts[20] = " "
    data, _ = read(tmp_path, table(text=texts), teacher="p_")
    assert len(data.items.pool) == ROWS - LABELS - 1 == len(data.items.covered)
    kept = np.delete(np.arange(ROWS), 20)
    expected = table()[["p_food", "p_sport"]].to_numpy()[kept]
    np.testing.assert_array_equal(data.items.sources[0].table, expected)


def test_images_of_a_table_have_teachers(tmp_path, squares, png):
    drawn = squares(20, 0)
    p = np.where(drawn.y == 0, 0.8, 0.3)
    frame = pd.DataFrame({"image": [png(x) for x in drawn.pixels], "p_red": p, "p_blue": 1 - p})
    frame["label"] = np.where(np.arange(20) < 8, np.array(["red", "blue"])[drawn.y], "")
    frame.loc[15, "image"] = b"no image"
    frame.to_parquet(tmp_path / "train.parquet")
    kind = KINDS["images"](images="image", label="label", teacher="p_", network="small_cnn", skip_bad=True)
    data = read_files(kind, Files(tmp_path / "train.parquet"))
    kept = np.delete(np.arange(20), 15)
    np.testing.assert_array_equal(data.items.sources[0].table, frame[["p_blue", "p_red"]].to_numpy()[kept])
    assert data.classes == ["blue", "red"] and len(data.items.covered) == 11


def test_a_teacher_of_a_class_that_is_not_declared_is_refused(tmp_path):
    said = ["food"] * 19 + ["other", *["sport"] * 20]
    with pytest.raises(DataError) as refused:
        read(tmp_path, table(said=said), teacher_label="said", classes=("food", "sport"))
    path = tmp_path / "train.csv"
    message = "teacher 'said' knows 'other' (first: row 20), which is none of the classes 'food', 'sport'"
    assert str(refused.value) == f"{path}: {message}"
    frame = table().assign(p_other=0.0)
    with pytest.raises(DataError, match=r"teacher 'p_' knows 'other', which is none of the classes 'food', 'sport'$"):
        read(tmp_path, frame, teacher="p_", classes=("food", "sport"))


def test_a_teacher_of_the_declared_classes_is_heard_in_their_order(tmp_path):
    data, _ = read(tmp_path, teacher="p_", classes=("sport", "food"))
    assert data.classes == ["sport", "food"]
    np.testing.assert_array_equal(data.items.sources[0].table, table()[["p_sport", "p_food"]].to_numpy())


def test_a_description_of_a_class_that_is_not_declared_is_refused(tmp_path):
    described = {"food": "about food", "sport": "about sport", "more": "about more"}
    with pytest.raises(DataError, match=r"'more' is described, but is none of the classes 'food', 'sport'$"):
        read(tmp_path, describe=described, classes=("food", "sport"))


def test_a_teacher_that_knows_none_of_the_labels_is_asked_about(tmp_path):
    numbers = np.where(TRUTH == "food", 0, 1)
    with pytest.raises(DataError, match=r"teacher 'said' knows '0', '1', and none of .*: --classes food,sport \(the"):
        read(tmp_path, table(said=numbers), teacher_label="said")
    numbers[0] = 1
    data, _ = read(tmp_path, table(said=numbers), teacher_label="said", classes=("food", "sport"))
    assert data.classes == ["food", "sport"]
    with pytest.raises(DataError, match=r"knows 'eat', 'play', and none .*: --classes eat,food,play,sport \(all are"):
        read(tmp_path, table(said=np.where(TRUTH == "food", "eat", "play")), teacher_label="said")
