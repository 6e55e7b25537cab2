"""predict --cascade: who answers what, what is foreseen of it, and what becomes of that."""

from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pytest

from tutelage.tables import read_table

FAST = ("--steps", 40, "--folds", 2, "--repeats", 1)


def rows(rng, count):
    y = rng.integers(0, 2, count)
    x = np.where(y[:, None], 1, -1) + 0.9 * rng.normal(size=(count, 2))
    return pd.DataFrame({"a": x[:, 0], "b": x[:, 1], "label": np.where(y, "yes", "no")})


def teacher(table, wrong, rng, silent=0.0):
    """The table with the probabilities of a teacher that errs on a share of the rows, and is silent on another."""
    yes = (table["label"] == "yes").to_numpy() ^ (rng.random(len(table)) < wrong)
    said = table[["a", "b"]].assign(p_yes=np.where(yes, 0.9, 0.1), p_no=np.where(yes, 0.1, 0.9))
    said.loc[rng.random(len(table)) < silent, ["p_yes", "p_no"]] = None
    return said


@pytest.fixture(scope="module")
def tables(tmp_path_factory):
    folder, rng = tmp_path_factory.mktemp("cascade"), np.random.default_rng(0)
    train, test = rows(rng, 200), rows(rng, 500)
    said = pd.concat([teacher(train[:160], 0.1, rng), teacher(test, 0.1, rng, 0.2)], ignore_index=True)
    said.to_parquet(folder / "said.parquet")
    test.to_csv(folder / "test.csv", index=False)
    train.loc[160:, "label"] = ""
    train.to_csv(folder / "train.csv", index=False)
    return folder


@pytest.fixture
def fitted(run, tables, tmp_path):
    words = ("--train", tables / "train.csv", "--features", "a,b", "--label", "label", *FAST, "--out", tmp_path / "run")
    code, shown = run("fit", "supervised", *words)
    assert code == 0, shown
    return tmp_path


def words_of(folder, tables, *more):
    out = ("--input", tables / "test.csv", "--output", folder / "out.csv")
    return ("predict", folder / "run", *out, "--cascade", tables / "said.parquet", "--abstain", 0.05, *more)


def test_the_student_the_teacher_and_people_share_the_rows(run, fitted, tables):
    code, shown = run(*words_of(fitted, tables))
    assert code == 0, shown
    truth, out = pd.read_csv(tables / "test.csv"), pd.read_csv(fitted / "out.csv", keep_default_na=False)
    said = pd.read_parquet(tables / "said.parquet").iloc[160:].reset_index(drop=True)
    assert len(out) == 500 and set(out["answered_by"]) == {"student", "teacher", ""}
    by = {name: (out["answered_by"] == name).to_numpy() for name in ("student", "teacher", "")}
    assert f"the student answered {by['student'].sum()} and the teacher {by['teacher'].sum()}" in shown
    assert f"{by[''].sum()} remain for people" in shown
    wrong = out["predicted"] != truth["label"]
    assert wrong[by["student"]].mean() <= 0.05
    guess = np.where(said["p_yes"] > 0.5, "yes", "no")
    assert (out["predicted"][by["teacher"]] == guess[by["teacher"]]).all()
    assert said["p_yes"][by[""]].isna().all() and (out["predicted"][by[""]] == "").all()
    alone = run(
        "predict", fitted / "run", "--input", tables / "test.csv", "--output", fitted / "a.csv", "--abstain", 0.05
    )
    assert alone[0] == 0
    given = pd.read_csv(fitted / "a.csv", keep_default_na=False)["predicted"] != ""
    assert (given.to_numpy() == by["student"]).all()
    ask = read_table(fitted / "ask.csv")
    assert len(ask) == by[""].sum()
    assert list(ask.columns) == ["a", "b", "label", "row", "guess", "why", "asked_by"] and (ask["label"] == "").all()
    np.testing.assert_allclose(ask["a"].astype(float), truth["a"][ask["row"].astype(int).to_numpy() - 1], rtol=1e-12)
    assert "asked of 1,000" in shown and "The teacher is wrong on" in shown


def test_what_is_foreseen_is_what_comes(run, fitted, tables):
    code, shown = run(*words_of(fitted, tables, "--json"))
    assert code == 0, shown
    found = json.loads(next(line for line in shown.splitlines() if line.startswith("{")))
    truth, out = pd.read_csv(tables / "test.csv"), pd.read_csv(fitted / "out.csv", keep_default_na=False)
    ahead, right = found["foreseen"], out["predicted"] == truth["label"]
    by = out["answered_by"]
    assert ahead["common"] == 160
    assert ahead["teacher"]["low"] <= right[by == "teacher"].mean() <= ahead["teacher"]["high"]
    assert abs(ahead["kept"] - (by == "student").mean()) < 0.1
    curve = {step["asked"]: step["accuracy"] for step in ahead["curve"]}
    train, said = pd.read_csv(tables / "train.csv")[:160], pd.read_parquet(tables / "said.parquet")[:160]
    assert curve[1.0]["score"] == pytest.approx(((said["p_yes"] > 0.5) == (train["label"] == "yes")).mean())
    assert max(step["score"] for step in curve.values()) > curve[0.0]["score"]  # the hard rows are worth a question
    assert (found["student"], found["teacher"], found["people"]) == tuple(
        (by == k).sum() for k in ("student", "teacher", "")
    )


def test_within_a_budget_the_hardest_rows_remain(run, fitted, tables):
    code, shown = run(*words_of(fitted, tables, "--budget", 15, "--ask", fitted / "left.parquet"))
    assert code == 0, shown
    out = pd.read_csv(fitted / "out.csv", keep_default_na=False)
    assert (out["answered_by"] == "teacher").sum() == 15
    ask = read_table(fitted / "left.parquet")
    assert len(ask) == (out["answered_by"] == "").sum() and not (fitted / "ask.csv").exists()
    alone = ("predict", fitted / "run", "--input", tables / "test.csv", "--output", fitted / "a.csv")
    assert run(*alone)[0] == 0
    sure = pd.read_csv(fitted / "a.csv")["probability"].to_numpy()
    numbers = ask["row"].astype(int).to_numpy() - 1
    assert (np.diff(sure[numbers]) >= 0).all()  # the least sure first
    spoken = pd.read_parquet(tables / "said.parquet")["p_yes"].iloc[160:].notna().to_numpy()
    assert sure[(out["answered_by"] == "teacher").to_numpy()].min() >= sure[numbers][spoken[numbers]].max()


def test_the_rows_that_remain_are_answered_and_learnt(run, fitted, tables):
    assert run(*words_of(fitted, tables))[0] == 0
    ask, truth = read_table(fitted / "ask.csv"), pd.read_csv(tables / "test.csv")
    ask["label"] = truth["label"].to_numpy()[ask["row"].astype(int).to_numpy() - 1]
    ask.to_csv(fitted / "ask.csv", index=False)
    truth.drop(columns="label").to_csv(fitted / "more.csv", index=False)
    words = ("--train", tables / "train.csv", "--unlabelled", fitted / "more.csv", "--answers", fitted / "ask.csv")
    words += ("--features", "a,b", "--label", "label", *FAST, "--out", fitted / "again")
    code, shown = run("fit", "supervised", *words)
    assert code == 0, shown
    assert json.loads((fitted / "again" / "summary.json").read_text())["labelled"] == 160 + len(ask)


def test_labels_that_the_teacher_did_not_answer_foresee_nothing_of_it(run, fitted, tables, tmp_path):
    pd.read_parquet(tables / "said.parquet").iloc[160:].to_csv(tmp_path / "said.csv", index=False)
    words = ("predict", fitted / "run", "--input", tables / "test.csv", "--output", fitted / "out.csv")
    code, shown = run(*words, "--cascade", tmp_path / "said.csv", "--abstain", 0.05)
    assert code == 0, shown
    assert "How often the teacher is right on the rest is not known" in shown and "asked of 1,000" not in shown


def test_a_teacher_may_give_labels_alone(run, fitted, tables, tmp_path):
    said = pd.read_parquet(tables / "said.parquet")
    by = np.where(said["p_yes"].isna(), "", np.where(said["p_yes"] > 0.5, "yes", "no"))
    said[["a", "b"]].assign(by=by).to_csv(tmp_path / "said.csv", index=False)
    words = ("predict", fitted / "run", "--input", tables / "test.csv", "--output", fitted / "out.csv")
    code, shown = run(*words, "--cascade", tmp_path / "said.csv", "--teacher-label", "by", "--abstain", 0.05)
    assert code == 0 and "the teacher" in shown, shown
    said.assign(p_maybe=np.where(said["p_yes"].isna(), None, 0.0)).to_csv(tmp_path / "more.csv", index=False)
    code, shown = run(*words, "--cascade", tmp_path / "more.csv", "--abstain", 0.05, "--ask", tmp_path / "b.csv")
    assert code == 2 and "the teacher says 'maybe', which is none of the run's classes no, yes" in shown


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("--cascade", "{said}"), "--cascade needs --abstain"),
        (("--budget", "5"), "--budget is for --cascade"),
        (("--cascade", "{said}", "--abstain", "0.05", "--budget", "-1"), "--budget must be at least 0"),
        (("--cascade", "{said}", "--abstain", "1.5"), "abstain must be in (0, 1]"),
        (("--cascade", "{said}", "--abstain", "0.05", "--engine", "processes"), "as a whole"),
        (("--cascade", "{said}", "--abstain", "0.05", "--ask", "{out}"), "are one file"),
        (("--cascade", "{said}", "--abstain", "0.05", "--teacher", "q_"), "needs a column q_CLASS"),
        (("--cascade", "{said}", "--abstain", "0.05", "--teacher", "q_", "--teacher-label", "by"), "one teacher"),
        (("--cascade", "none.csv", "--abstain", "0.05"), "none.csv"),
        (("--cascade", "http://127.0.0.1:8000/v1", "--abstain", "0.05"), "this run is of rows"),
        (("--cascade", "{said}", "--abstain", "0.05", "--model", "m"), "--model is for an endpoint, --cascade URL"),
        (("--yes",), "--yes is for --cascade"),
    ],
)
def test_what_cannot_be_is_one_line(run, fitted, tables, words, message):
    here = {"said": str(tables / "said.parquet"), "out": str(fitted / "out.csv")}
    out = ("--input", tables / "test.csv", "--output", fitted / "out.csv")
    code, shown = run("predict", fitted / "run", *out, *(word.format(**here) for word in words))
    assert code == 2 and message in shown and "Traceback" not in shown, shown
    assert not (fitted / "out.csv").exists() and not (fitted / "ask.csv").exists()
