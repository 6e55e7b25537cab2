"""What looks odd is a question, and the option that it names settles it."""

import numpy as np
import pandas as pd
import pytest
from PIL import Image


@pytest.fixture
def look(run, tmp_path):
    def call(table, *options, words=("--text", "text", "--label", "label")):
        table.to_csv(tmp_path / "train.csv", index=False)
        return run("look", "--train", tmp_path / "train.csv", *words, *options)

    return call


@pytest.fixture
def table(texts):
    backwards = [" ".join(reversed(text.split())) for text in texts.train.text]
    return pd.concat([texts.train, texts.train.assign(text=backwards)], ignore_index=True)


def test_labels_that_join_others_are_asked_for(look, table):
    odd = table.assign(label=["food|sport" if i % 8 == 0 else label for i, label in enumerate(table.label)])
    code, shown = look(odd)
    assert code == 0, shown
    assert "4 of 32 labels join others by '|', as 'food|sport' does" in shown
    assert "1 question is open" in shown
    code, shown = look(odd, "--unlabelled-as", "food|sport")
    assert "Labelled texts: 28; unlabelled: 4." in shown
    assert "Question" not in shown
    code, shown = look(table)
    assert "Question" not in shown


def test_amounts_are_no_classes(look, table):
    code, shown = look(table.assign(label=[f"{i / 7:.3f}" for i in range(len(table))]))
    assert code == 2
    assert "32 labels are of 32 classes, numbers, which are amounts rather than classes" in shown


def test_a_column_that_holds_no_classes_is_asked_for(look, table):
    code, shown = look(table.assign(label=[f"note {i}" for i in range(len(table))]))
    assert code == 2
    assert "32 labels are of 32 classes, such as 'note 0'" in shown
    assert "--label COLUMN" in shown


def test_features_are_named_and_those_that_count_or_never_change(look):
    rng = np.random.default_rng(0)
    rows = pd.DataFrame(rng.normal(size=(20, 2)), columns=["a", "b"]).assign(c=1.0, n=range(5, 25), y=["x", "z"] * 10)
    words = ("--kind", "rows", "--label", "y", "--features")
    code, shown = look(rows, words=(*words, "a", "b", "c", "n"))
    assert code == 0, shown
    assert "Columns: a (feature), b (feature), c (feature), n (feature), y (label)." in shown
    assert "1 of 4 features never change and are passed over: c." in shown
    assert "feature n counts the rows" in shown
    assert "--features a b c." in shown
    code, shown = look(rows, words=(*words, "a", "b"))
    assert code == 0, shown
    assert "not used: c, n." in shown
    assert "Question" not in shown
    assert "never change" not in shown


def test_a_question_that_halts_is_shown_once(look, table):
    code, shown = look(table.assign(label=["0", "1", "-1", "1"] * 8))
    assert code == 2
    assert shown.count("Question 1") == 1


def test_what_masks_to_test_on_may_mean_is_asked_before_anything_is_learnt(run, tmp_path):
    for name, order in (("train", [0, 1, 2]), ("test", [0, 2, 1])):
        for folder in ("images", "masks"):
            (tmp_path / name / folder).mkdir(parents=True)
        for i in range(4):
            ids = np.zeros((12, 12), dtype=np.uint8)
            ids[:6, :6], ids[6:, 6:] = 1, 2
            mask = Image.fromarray(np.argsort(order).astype(np.uint8)[ids], "P")
            colours = np.array([[0, 0, 0], [255, 0, 0], [0, 255, 0]], dtype=np.uint8)[order]
            mask.putpalette(colours.ravel().tolist())
            mask.save(tmp_path / name / "masks" / f"{i}.png")
            pixels = np.random.default_rng(i).integers(0, 255, (12, 12, 3), dtype=np.uint8)
            Image.fromarray(pixels).save(tmp_path / name / "images" / f"{i}.png")
    code, shown = run("look", "--train", tmp_path / "train")
    assert code == 0, shown
    code, shown = run("look", "--train", tmp_path / "train", "--test", tmp_path / "test")
    assert code == 2
    assert "palettes" in shown


def test_the_commonest_copy_is_named(look, table):
    code, shown = look(table.assign(text=["[gone]" if i % 4 == 0 else f"text {i}" for i in range(len(table))]))
    assert code == 0, shown
    assert "Copies: 1 text is there more than once, or nearly, in 8 rows" in shown
    assert "the commonest, in 8 rows, is like '[gone]'." in shown


def test_a_column_of_parts_that_is_not_used_is_asked_for(look, table):
    parts = ["Test" if i % 4 == 0 else "train" for i in range(len(table))]
    code, shown = look(table.assign(split=parts))
    assert code == 0, shown
    assert "column 'split': it names parts of a data set ('train' 24, 'test' 8)" in shown
    for other in (["train"] * len(parts), ["match" if i % 2 else "tennis" for i in range(len(parts))]):
        code, shown = look(table.assign(set=other))
        assert "parts of a data set" not in shown


def test_rules_that_never_vote_name_the_likely_cause(look, table, tmp_path):
    (tmp_path / "rules.json").write_text('[{"label": "food", "keywords": ["zz*"]}, {"label": "sport", "regex": "/q/"}]')
    code, shown = look(table, "--rules", tmp_path / "rules.json")
    assert code == 2
    assert 'A keyword is a whole word as it is written: "soup" is not found in "soups"' in shown
