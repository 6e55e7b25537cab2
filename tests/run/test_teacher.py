"""The command that accounts for a teacher, against counts by hand."""

import json

import numpy as np
import pandas as pd
import pytest

from tutelage.modalities.encoder import load_encoder
from tutelage.modalities.text.network import _features
from tutelage.ops.agreement import kappa
from tutelage.run.account import ABOVE, UNCLEAR, WORSE, account, beside_commonest, in_words
from tutelage.weak import Source


def teacher_of(y, right, rng):
    """Probabilities of a teacher that is right on the given share of the rows, and 0.9 sure."""
    said = np.where(rng.random(len(y)) < right, y, 1 - y)
    return np.stack([np.where(said == 0, 0.9, 0.1), np.where(said == 0, 0.1, 0.9)], 1)


@pytest.fixture
def said(tmp_path):
    rng = np.random.default_rng(0)
    y = rng.integers(2, size=200)
    p = teacher_of(y, 0.85, rng)
    p[150:] = np.nan
    label = np.where(np.arange(200) < 60, np.array(["ham", "spam"])[y], "")
    frame = pd.DataFrame({"label": label, "p_ham": p[:, 0], "p_spam": p[:, 1], "by": np.array(["ham", "spam"])[1 - y]})
    path = tmp_path / "said.parquet"
    frame.to_parquet(path)
    return path, y, p


def test_the_account_is_what_counting_gives(run, said):
    path, y, p = said
    code, shown = run("teacher", path, "--label", "label", "--json")
    assert code == 0, shown
    found = json.loads(shown)
    (about,) = found["teachers"]
    guess = p[:60].argmax(1)
    assert found["classes"] == ["ham", "spam"]
    assert (about["rows"], about["covered"], about["labels"]) == (200, 150, 60)
    assert about["accuracy"] == pytest.approx((guess == y[:60]).mean())
    assert about["interval"][0] < about["accuracy"] < about["interval"][1]
    assert about["calibration"]["error"] == pytest.approx(abs(0.9 - about["accuracy"]))
    ham = about["by_class"][0]
    assert ham["recall"] == pytest.approx((guess[y[:60] == 0] == 0).mean())
    assert ham["precision"] == pytest.approx((y[:60][guess == 0] == 0).mean())
    assert about["commonest"]["verdict"] == ABOVE
    assert about["commonest"]["share"] == pytest.approx(max((y[:60] == k).mean() for k in (0, 1)))


def test_people_read_it_in_sentences_and_tables(run, said):
    path, _, _ = said
    code, shown = run("teacher", path, "--label", "label")
    assert code == 0
    assert "Teacher p_: speaks of 150 of 200 rows (75.0 %)." in shown
    assert "of 60 labels" in shown and "It is clearly above always saying" in shown
    assert "precision" in shown and "says, on average" in shown


def test_a_teacher_that_is_mostly_wrong_is_worse_than_the_commonest_class(run, said):
    code, shown = run("teacher", said[0], "--label", "label", "--teacher-label", "by")
    assert code == 0
    assert "Right on 0.0 % of 60 labels" in shown
    assert "worse than always saying" in shown


def test_several_teachers_are_accounted_for_alone_and_together(run, said):
    _, shown = run("teacher", said[0], "--label", "label", "--teacher", "p_", "--teacher-label", "by", "--json")
    assert [each["name"] for each in json.loads(shown)["teachers"]] == ["p_", "by", "all together"]


def test_without_labels_nothing_can_be_measured(run, said, tmp_path):
    path, _, _ = said
    frame = pd.read_parquet(path)
    code, shown = run("teacher", path)
    assert code == 0 and "None of them has a label: nothing can be measured" in shown
    few = tmp_path / "few.parquet"
    frame.assign(label=np.where(np.arange(200) < 9, frame.label, "")).to_parquet(few)
    code, shown = run("teacher", few, "--label", "label")
    assert "9 of them have a label: nothing can be measured. 10 would be the least" in shown
    assert "Right on" not in shown


def test_the_labels_as_teacher_are_warned_of(run, said, tmp_path):
    frame = pd.read_parquet(said[0])
    frame.assign(by=frame.label).to_parquet(tmp_path / "a.parquet")
    code, shown = run("teacher", tmp_path / "a.parquet", "--label", "label", "--teacher-label", "by")
    assert code == 0
    assert "Warning: teacher 'by' is right on each of the 60 labels" in shown


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("--teacher", "q_"), "needs a column q_CLASS for each class"),
        (("--label", "topic"), "no column 'topic'"),
        (("--teacher-label", "label", "--label", "label"), "--teacher-label is the column of the labels"),
        (("--describe", "c.json"), "--text must be given"),
        (("--teacher-run", "run"), "--text must be given"),
    ],
)
def test_bad_words_are_one_line(run, said, words, message):
    code, shown = run("teacher", said[0], *words)
    assert code == 2
    assert message in shown and shown.count("\n") <= 2


def test_descriptions_are_cosines_of_the_encoder(run, bench, texts):
    (bench.folder / "c.json").write_text(json.dumps({"food": ["soup", "bread and cheese"], "sport": "a goal"}))
    code, shown = run(
        "teacher", bench.folder / "train.csv", "--label", "label", "--text", "text", "--encoder", bench.encoder,
        "--describe", bench.folder / "c.json", "--json",
    )  # fmt: skip
    assert code == 0, shown
    (about,) = json.loads(shown)["teachers"]
    encoder = load_encoder(str(bench.encoder))
    x = _features(encoder.tokenize(list(texts.train.text)), 32, encoder)
    w = _features(encoder.tokenize(["soup", "bread and cheese", "a goal"]), 32, encoder)
    food = w[:2].mean(0) / np.linalg.norm(w[:2].mean(0))
    cosine = x @ np.stack([food, w[2]]).T
    guess = (cosine - cosine.mean(0)).argmax(1)
    truth = (texts.train.label == "sport").to_numpy().astype(int)
    assert about["name"] == "descriptions" and about["covered"] == len(x)
    assert about["accuracy"] == pytest.approx((guess == truth).mean())


def test_a_run_labels_the_rows(run, bench, texts):
    code, shown = run(*bench.fit("supervised", evidence=None))
    assert code == 0, shown
    code, shown = run(
        "teacher", bench.folder / "test.csv", "--label", "label", "--text", "text", "--teacher-run", bench.out,
        "--json",
    )  # fmt: skip
    assert code == 0, shown
    run("predict", bench.out, "--input", bench.folder / "test.csv", "--output", bench.folder / "p.csv")
    predicted = pd.read_csv(bench.folder / "p.csv")
    (about,) = json.loads(shown)["teachers"]
    assert about["accuracy"] == pytest.approx((predicted.predicted.to_numpy() == texts.test.label.to_numpy()).mean())


def test_verdicts():
    classes = ["a", "b"]
    truth = np.repeat([0, 1], [30, 20])
    always = truth == 0
    assert beside_commonest(always, truth, classes)["verdict"] == UNCLEAR
    assert beside_commonest(~always, truth, classes)["verdict"] == WORSE
    assert beside_commonest(np.ones(50, bool), truth, classes)["verdict"] == ABOVE
    nearly = always.copy()
    nearly[[40, 41]] = True
    assert beside_commonest(nearly, truth, classes) == {"class": "a", "share": 0.6, "verdict": UNCLEAR}


def test_kappa_is_that_of_scikit_learn():
    from sklearn.metrics import cohen_kappa_score

    rng = np.random.default_rng(0)
    a, b = rng.integers(4, size=(2, 90))
    b[:40] = a[:40]
    assert kappa(a, b) == pytest.approx(cohen_kappa_score(a, b))
    assert kappa(np.zeros(3), np.zeros(3)) is None


def test_a_nearly_silent_teacher_is_said():
    table = np.full((500, 2), np.nan)
    table[:3] = [0.6, 0.4]
    lines = in_words(account(Source("a", table), np.zeros(500, int), ["a", "b"]))
    assert lines[0] == "Teacher a: speaks of 3 of 500 rows (0.60 %: it is nearly silent)."


# a fit with a teacher


@pytest.fixture
def taught(bench, texts):
    """A table of ten labelled rows and 60 others, with a teacher's probabilities on them, of which five are silent."""
    frame = pd.concat([texts.train.iloc[:10], texts.pool.assign(label="")], ignore_index=True)
    truth = pd.concat([texts.train.iloc[:10], texts.pool]).label.to_numpy() == "sport"
    p = teacher_of(truth.astype(int), 0.9, np.random.default_rng(1))
    p[-5:] = np.nan
    frame.assign(p_food=p[:, 0], p_sport=p[:, 1]).to_csv(bench.folder / "taught.csv", index=False)
    return bench


def test_a_fit_learns_from_a_teacher_and_reports_on_it(run, taught):
    words = {"train": taught.folder / "taught.csv", "unlabelled": None, "steps": 200}
    code, shown = run(*taught.fit("drift", teacher="p_", **words))
    assert code == 0, shown
    assert "Teacher p_: speaks of 55 of 60 unlabelled rows" in shown
    found = json.loads((taught.out / "summary.json").read_text())
    assert (found["weak"]["covered"], found["weak"]["rows"], found["weak"]["clean_labels"]) == (55, 60, 10)
    assert found["weak"]["teachers"][0]["covered"] == 65
    assert found["test"]["accuracy"] > 0.6
    page = (taught.out / "report.html").read_text()
    assert "The teachers" in page and "p_" in page


def test_a_fit_needs_no_label_where_a_teacher_speaks(run, taught):
    pd.read_csv(taught.folder / "taught.csv").drop(columns="label").to_csv(taught.folder / "bare.csv", index=False)
    words = {"train": taught.folder / "bare.csv", "unlabelled": None, "label": None, "test": None, "steps": 100}
    code, shown = run(*taught.fit("supervised", teacher="p_", **words))
    assert code == 0, shown
    assert "Classes, by the teacher: food, sport." in shown
    assert "No row has a clean label" in shown
    code, shown = run("score", taught.out, "--test", taught.folder / "test.csv", "--label", "label")
    assert code == 0 and "30 rows: accuracy" in shown


def test_a_fit_resumes_only_with_the_same_teacher(run, taught):
    code, shown = run(*taught.fit("supervised", out=taught.folder / "old", no_evidence=True))
    assert code == 0, shown
    code, shown = run(*taught.fit("supervised", teacher_run=taught.folder / "old", out=taught.folder / "held"))
    assert code == 2 and "teacher 'old' learnt the labels of" in shown
    words = taught.fit("supervised", teacher_run=taught.folder / "old", no_evidence=True)
    code, shown = run(*words)
    assert code == 0, shown
    assert "Teacher old: speaks of" in shown
    code, shown = run(*words, "--resume")
    assert code == 0 and "finished already" in shown
    code, shown = run(*taught.fit("supervised", out=taught.folder / "old2", steps=9, no_evidence=True))
    (taught.folder / "old").rename(taught.folder / "older")
    (taught.folder / "old2").rename(taught.folder / "old")
    code, shown = run(*words, "--resume")
    assert code == 2 and "content of teacher_run" in shown


def test_a_run_of_another_kind_cannot_label_texts(run, taught):
    other = taught.folder / "rows"
    other.mkdir()
    (other / "run.json").write_text(json.dumps({"method": "drift", "kind": "rows"}))
    code, shown = run(*taught.fit("supervised", teacher_run=other))
    assert code == 2 and "the run was fitted on rows, and cannot label texts" in shown
    code, shown = run(*taught.fit("supervised", teacher_run=taught.folder / "none"))
    assert code == 2 and "no saved model there" in shown
