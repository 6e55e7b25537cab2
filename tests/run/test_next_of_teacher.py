"""Which rows to ask a paid teacher about: what is asked, what never twice, and how the answers are learnt."""

from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pytest


def food(text: str) -> bool:
    return bool({"soup", "pasta", "chicken", "cake"} & set(text.split()))


def answers(path, out, wrong=0.2, seed=0):
    """A table that a teacher answered, which errs on a share of the rows, as annotate would write it."""
    table = pd.read_csv(path)
    said = np.array([food(text) for text in table["text"]]) ^ (np.random.default_rng(seed).random(len(table)) < wrong)
    table.assign(p_food=np.where(said, 0.9, 0.1), p_sport=np.where(said, 0.1, 0.9)).to_parquet(out)
    return table


def whole(folder):
    """Both tables as one, of which 16 rows have a label."""
    train, pool = (pd.read_csv(folder / name) for name in ("train.csv", "pool.csv"))
    return pd.concat([train, pool.assign(label=None)], ignore_index=True)


@pytest.fixture
def finished(run, bench):
    assert run(*bench.fit("supervised", test=None))[0] == 0
    return bench


def test_a_teacher_is_asked_answers_are_learnt_and_no_row_is_asked_twice(run, finished):
    folder, ask, said = finished.folder, finished.folder / "ask.csv", finished.folder / "said.parquet"
    code, shown = run(
        "next", finished.out, "--of", "teacher", "--by", "robust", "--wrong", 0.2, "--count", 12, "--out", ask
    )
    assert code == 0, shown
    assert "12 texts to ask the teacher about" in shown and "12 by robust" in shown and "drawn" not in shown
    assert "tutelage annotate --train" in shown and "--teacher p_" in shown
    first = answers(ask, said)
    assert set(first["asked_by"]) == {"robust"} and first["text"].nunique() == 12
    out = folder / "taught"
    whole(folder).to_csv(folder / "all.csv", index=False)  # the table has no column of the teacher
    words = {"train": folder / "all.csv", "unlabelled": said, "test": None, "teacher": "p_", "out": out}
    code, shown = run(*finished.fit("drift", **words))
    assert code == 0, shown
    assert "Teacher p_: speaks of 12 of" in shown
    for told in ((), ("--said", said)):
        again = folder / f"again{len(told)}.csv"
        run_of = out if not told else finished.out
        words = ("next", run_of, "--of", "teacher", "--count", 10, *told, "--out", again)
        code, shown = run(*words)
        assert code == 0, shown
        assert not set(pd.read_csv(again)["text"]) & set(first["text"])


def test_how_often_the_teacher_errs_is_that_of_the_runs_labels(run, finished):
    folder = finished.folder
    whole(folder).to_csv(folder / "all.csv", index=False)
    answers(folder / "all.csv", folder / "all.parquet", wrong=0.3, seed=1)
    both = pd.read_parquet(folder / "all.parquet")
    both.loc[40:, ["p_food", "p_sport"]] = None
    both.to_parquet(folder / "all.parquet")
    words = {"train": folder / "all.parquet", "unlabelled": None, "test": None, "teacher": "p_"}
    code, shown = run(*finished.fit("drift", **words, out=folder / "taught"))
    assert code == 0, shown
    (about,) = json.loads((folder / "taught" / "summary.json").read_text())["weak"]["teachers"]
    wrong = 100 * (1 - about["accuracy"])
    code, shown = run(
        "next", folder / "taught", "--of", "teacher", "--by", "robust", "--count", 5, "--out", folder / "b.csv"
    )  # fmt: skip
    assert code == 0, shown
    assert f"taken to be wrong on {wrong:.0f} % of the rows" in shown and "by robust" in shown


def test_before_anything_is_known_typical_rows_are_asked_about(run, finished):
    folder = finished.folder
    whole(folder).assign(label=None).to_csv(folder / "all.csv", index=False)
    words = ("--train", folder / "all.csv", "--text", "text", "--label", "label", "--encoder", finished.encoder)
    code, shown = run("next", *words, "--of", "teacher", "--count", 4, "--out", folder / "a.csv")
    assert code == 0, shown
    assert "4 by cluster" in shown
    code, shown = run("next", finished.out, "--of", "teacher", "--count", 4, "--out", folder / "b.csv")
    assert code == 0 and "4 by diverse" in shown


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("--of", "oracle"), "--of must be one of labels, teacher, got 'oracle'"),
        (("--wrong", "0.2"), "--wrong is about a teacher that is asked"),
        (("--said", "a.csv"), "--said is about a teacher that is asked"),
        (("--of", "teacher", "--wrong", "0.2"), "--wrong is for --by robust"),
        (("--of", "teacher", "--by", "robust", "--wrong", "1.2"), "--wrong must be in [0, 1], got 1.2"),
        (("--of", "teacher", "--by", "robust"), "--by robust reckons with wrong answers"),
        (("--of", "teacher", "--said", "nowhere.csv"), "nowhere.csv"),
        (("--of", "teacher", "--count", "100000"), "count must be at most"),
    ],
)
def test_what_cannot_be_is_one_line(run, finished, words, message):
    code, shown = run("next", finished.out, *words, "--out", finished.folder / "ask.csv")
    assert code == 2 and message in shown, shown
    assert "Traceback" not in shown and not (finished.folder / "ask.csv").exists()


def test_where_everything_was_answered_none_is_left(run, finished):
    folder = finished.folder
    pool = pd.concat([pd.read_csv(folder / name) for name in ("train.csv", "pool.csv")])[["text"]]
    pool.to_csv(folder / "asked.csv", index=False)
    words = ("next", finished.out, "--of", "teacher", "--said", folder / "asked.csv", "--out", folder / "ask.csv")
    code, shown = run(*words)
    assert code == 2 and "has a label or an answer; none is left" in shown


def test_a_teacher_that_is_in_no_table_is_missed_as_ever(run, finished):
    code, shown = run(*finished.fit("drift", test=None, teacher="p_", out=finished.folder / "taught"))
    assert code == 2 and "needs a column p_CLASS for each class" in shown
