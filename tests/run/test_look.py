"""What is read is said before anything is learnt, what looks odd is asked, and the named option settles it."""

from __future__ import annotations

import json
import re

import pandas as pd
import pytest


@pytest.fixture
def look(run, bench):
    """Writes the training table, and looks at it: (exit code, everything said)."""

    def call(train: pd.DataFrame, *more: object, test: pd.DataFrame | None = None, command: str = "look"):
        train.to_csv(bench.folder / "train.csv", index=False)
        words = [command, *(["supervised"] if command == "fit" else []), "--train", bench.folder / "train.csv"]
        words += ["--text", "text", "--label", "label", "--encoder", bench.encoder]
        if command == "fit":
            words += ["--out", bench.out, "--steps", 4, "--no-evidence"]
        if test is not None:
            test.to_csv(bench.folder / "test.csv", index=False)
            words += ["--test", bench.folder / "test.csv"]
        return run(*words, *more)

    return call


@pytest.fixture
def both(texts) -> pd.DataFrame:
    """Labelled rows, and rows without a label."""
    return pd.concat([texts.train, texts.pool.assign(label="")], ignore_index=True)


def test_the_words_of_a_fit_do_for_a_look(run, bench):
    code, shown = run("look", *bench.fit("drift")[2:])
    assert code == 0, shown
    assert "Labelled texts: 16; unlabelled: 60; to score on: 30." in shown
    assert "Classes: food 8, sport 8." in shown
    assert "Columns: text (text), label (label)." in shown
    assert "train.csv: csv" in shown
    assert "16 rows, columns text, label." in shown
    assert not bench.out.exists()
    assert len(shown.splitlines()) < 20


def test_a_fit_says_the_same_before_it_learns_and_keeps_it(run, bench):
    _, looked = run("look", *bench.fit("supervised")[2:])
    code, shown = run(*bench.fit("supervised"))
    assert code == 0, shown
    first = looked.splitlines()[:-1]
    assert shown.splitlines()[: len(first)] == first
    read = json.loads((bench.out / "summary.json").read_text())["read"]
    assert read["facts"]["classes"] == {"food": 8, "sport": 8}
    assert read["facts"]["items"] == {"labelled": 16, "unlabelled": 60, "test": 30, "test_without": 0}
    assert [file["rows"] for file in read["files"]] == [16, 60, 30]


def test_json_holds_facts_questions_and_faults(look, both):
    code, shown = look(both.replace({"label": {"": "None"}}), "--json")
    assert code == 0
    found = json.loads(shown)
    assert found["facts"]["classes"] == {"None": 60, "food": 8, "sport": 8}
    assert found["questions"][0]["halts"] is False
    assert found["faults"] == []
    code, shown = look(both.replace({"label": {"": "food;sport"}}), "--json", "--classes", "food,sport")
    assert code == 2
    assert "label 'food;sport' is none of the classes 'food', 'sport'" in shown


def test_nan_as_pandas_writes_it_is_no_label(look, both):
    code, shown = look(both.replace({"label": {"": "nan"}}))
    assert code == 0
    assert "60 of 76 rows have 'nan' for a label: taken as no label (--classes makes it one)." in shown
    assert "Classes: food 8, sport 8." in shown
    code, control = look(both)
    assert "'nan'" not in control


def test_a_class_that_may_mean_none_is_asked_for_and_the_named_option_settles_it(look, both):
    odd = both.replace({"label": {"": "None"}})
    code, shown = look(odd)
    assert code == 0
    assert "Question 1: 60 of 76 rows have the label 'None' (first: row 17), which is taken for a class." in shown
    assert "--unlabelled-as None" in shown
    code, settled = look(odd, "--unlabelled-as", "None")
    assert "Question" not in settled
    assert "Classes: food 8, sport 8." in settled
    code, kept = look(odd, "--classes", "food,sport,None")
    assert "Question" not in kept
    assert "None 60" in kept


def test_minus_one_beside_0_and_1_halts_and_either_option_settles_it(look, both):
    numbers = both.replace({"label": {"": "-1", "food": "0", "sport": "1"}})
    code, shown = look(numbers)
    assert code == 2
    assert "it may mean no label, or be a class" in shown
    code, shown = look(numbers, command="fit")
    assert code == 2
    code, none = look(numbers, "--unlabelled-as=-1")
    assert code == 0, none
    assert "Classes: 0 8, 1 8." in none
    code, three = look(numbers, "--classes=-1,0,1")
    assert code == 0, three
    assert "Classes: -1 60, 0 8, 1 8." in three
    code, control = look(both.replace({"label": {"food": "0", "sport": "1"}}))
    assert code == 0
    assert "-1" not in re.sub(r"/\S+", "", control)  # a path may hold such a number


def test_lists_of_one_label_are_that_label(look, both):
    code, shown = look(both.assign(label=[json.dumps([label] if label else []) for label in both.label]))
    assert code == 0, shown
    assert "16 labels are written as lists, scores or JSON: each is read as its one label (first: " in shown
    assert "Labelled texts: 16; unlabelled: 60." in shown
    odd = both.assign(label=['["food", "sport"]', *both.label[1:]])
    code, shown = look(odd)
    assert code == 2
    assert "row 1, column 'label': 2 labels, 'food', 'sport', where a row has one class" in shown
    assert "--skip-bad leaves these rows out" in shown
    code, shown = look(odd, "--skip-bad")
    assert code == 0, shown
    assert "Labelled texts: 15; unlabelled: 60." in shown


def test_spellings_of_a_class_are_one_also_in_the_test(look, both, texts):
    odd = both.assign(label=[label.title() if i % 4 == 0 else label for i, label in enumerate(both.label)])
    test = texts.test.assign(label=[label.upper() for label in texts.test.label])
    code, shown = look(odd, test=test)
    assert code == 0, shown
    assert "One class in several spellings: 'food' 4, 'Food' 4; all are 'food'" in shown
    assert "Classes: food 8, sport 8." in shown
    code, shown = look(odd, "--spelling", "as-is")
    assert "Classes: Food 4, food 4, sport 8." in shown
    code, shown = look(odd, test=test, command="fit")
    assert code == 0, shown
    assert "accuracy" in shown


def test_test_labels_that_nobody_trained_are_named_together_and_may_count_as_missed(look, both, texts):
    odd = texts.test.assign(label=["money", "travel", "travel", *texts.test.label[3:]])
    code, shown = look(both, test=odd)
    assert code == 2
    assert "unseen in this file: 'travel' 2, 'money' 1, 3 of 30 rows" in shown
    assert "--unseen miss" in shown
    code, shown = look(both, "--unseen", "miss", test=odd, command="fit")
    assert code == 0, shown
    assert "these rows count as missed" in shown
    code, shown = look(both, test=texts.test)
    assert code == 0
    assert "unseen" not in shown


def test_lonely_classes_are_named_together_and_two_options_go_on(look, both):
    odd = both.assign(label=["money", "travel", *both.label[2:]])
    code, shown = look(odd)
    assert code == 2
    assert "2 classes have one label each, 'money' (row 1), 'travel' (row 2); label one more row of each" in shown
    assert "--rare leave-out" in shown
    code, shown = look(odd, "--rare", "leave-out")
    assert code == 0, shown
    assert "Left out: 2 rows of classes with one label: 'money', 'travel'." in shown
    code, shown = look(odd, "--rare", "merge:other")
    assert code == 0, shown
    assert "Merged into 'other': 2 classes with one label: 'money', 'travel'." in shown
    assert look(odd, "--rare", "drop")[0] == 2


def test_a_label_that_is_no_declared_class_is_an_error_with_its_rows(look, both):
    odd = both.assign(label=["fod", *both.label[1:]])
    code, shown = look(odd, "--classes", "food", "sport")
    assert code == 2
    assert "row 1, column 'label': label 'fod' is none of the classes 'food', 'sport'; the nearest is 'food'" in shown


def test_all_faults_of_all_files_are_told_at_once(look, both, texts):
    odd = both.assign(label=['["a", "b"]', *both.label[1:]])
    code, shown = look(odd.rename(columns={"text": "body"}), test=texts.test.rename(columns={"label": "topic"}))
    assert code == 2
    assert "train.csv: no column 'text'" in shown
    assert "test.csv: no column 'label'" in shown


def test_copies_are_counted_and_those_with_two_labels(look, both):
    twice = pd.concat([both, both[:3].assign(label="sport")], ignore_index=True)
    code, shown = look(twice)
    assert code == 0
    assert "Copies: 3 texts are there more than once, or nearly, in 6 rows; 2 of them with different labels." in shown


@pytest.fixture
def voted(run, bench, texts):
    """Looks at a table without labels whose rules vote as given."""

    def call(votes: list[str], *more: object):
        table = texts.pool[["text"]].assign(lf_a=votes, lf_b=votes)
        table.to_csv(bench.folder / "train.csv", index=False)
        words = ["look", "--train", bench.folder / "train.csv", "--text", "text", "--votes", "lf_"]
        return run(*words, "--encoder", bench.encoder, *more)

    return call


def test_votes_follow_the_same_rules(voted):
    code, shown = voted(["food", "Food", "sport", "nan", "-1", ""] * 10)
    assert code == 0, shown
    assert "Classes, by the votes: food, sport." in shown
    assert "One class in several spellings: 'food' 20, 'Food' 20; all are 'food'" in shown
    assert "20 of 120 votes have 'nan' for a label: taken as no label" in shown


def test_declared_classes_name_votes_of_numbers(voted):
    code, shown = voted(["0", "1", "-1"] * 20, "--classes", "food,sport")
    assert code == 0, shown
    code, shown = voted(["0", "2", "-1"] * 20, "--classes", "food,sport")
    assert code == 2
    assert "votes for '2', which is not among the classes 'food', 'sport'" in shown


def test_a_column_of_labels_that_only_the_test_has_need_not_stand_in_the_training_table(run, bench, texts):
    texts.pool[["text"]].assign(lf_a=texts.pool.label).to_csv(bench.folder / "train.csv", index=False)
    words = ["--train", bench.folder / "train.csv", "--text", "text", "--votes", "lf_", "--label", "label"]
    words += ["--encoder", bench.encoder]
    code, shown = run("look", *words, "--test", bench.folder / "test.csv")
    assert code == 0, shown
    assert "Labelled texts: 0; unlabelled: 60; to score on: 30." in shown
    assert "train.csv has no column 'label': no row of it has a clean label." in shown
    code, shown = run("look", *words)
    assert code == 2
    assert "train.csv: no column 'label'" in shown


def test_numbers_have_the_names_that_the_file_itself_holds(run, bench, texts):
    import pyarrow as pa
    import pyarrow.parquet as pq

    numbers = [["food", "sport"].index(label) for label in texts.train.label] + [-1] * len(texts.pool)
    table = pa.table({"text": [*texts.train.text, *texts.pool.text], "label": pa.array(numbers, pa.int64())})
    features = {
        "label": {"names": ["food", "sport"], "_type": "ClassLabel"},
        "text": {"dtype": "string", "_type": "Value"},
    }
    about = {"huggingface": json.dumps({"info": {"features": features}})}
    pq.write_table(table.replace_schema_metadata(about), bench.folder / "train.parquet")
    words = [
        "--train",
        bench.folder / "train.parquet",
        "--text",
        "text",
        "--label",
        "label",
        "--encoder",
        bench.encoder,
    ]
    code, shown = run("look", *words)
    assert code == 0, shown
    assert "numbers are the classes 'food', 'sport', by the file's own names." in shown
    assert "Classes: food 8, sport 8." in shown
    assert "Labelled texts: 16; unlabelled: 60." in shown


def test_a_score_reads_labels_as_the_test_of_a_fit_does(look, run, both, texts, tmp_path):
    few = texts.test.assign(label=["nan", "FOOD", "-1", *texts.test.label[3:]])
    code, shown = look(both, command="fit")
    assert code == 0, shown
    few.to_csv(tmp_path / "few.csv", index=False)
    code, shown = run("score", tmp_path / "out", "--test", tmp_path / "few.csv")
    shown = " ".join(shown.split())
    assert code == 0, shown
    assert "1 of 30 rows has 'nan' for a label: taken as no label" in shown and "'-1' for a label" in shown
    assert "28 rows: accuracy" in shown and "Not scored: 2 rows" in shown
    odd = texts.test.assign(label=["None", "None", *texts.test.label[2:]])
    odd.to_csv(tmp_path / "odd.csv", index=False)
    code, shown = run("score", tmp_path / "out", "--test", tmp_path / "odd.csv")
    assert code == 2 and "--unlabelled-as None if that means no label" in " ".join(shown.split())
    code, shown = run("score", tmp_path / "out", "--test", tmp_path / "odd.csv", "--unlabelled-as", "None")
    assert code == 0 and "28 rows: accuracy" in shown
