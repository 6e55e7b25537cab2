"""Rounds of asking: what was drawn stays drawn, what the run read is read again, and what cannot be told is refused."""

from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pytest

from tutelage.kinds import stored

FIT = {"steps": 8, "folds": 2, "repeats": 1}


def truth(text: str) -> str:
    return "food" if {"soup", "pasta", "chicken", "cake"} & set(text.split()) else "sport"


def fill(path, keep=lambda row: True):
    """Fill in the labels of the rows that are kept."""
    table = pd.read_csv(path, dtype=object)
    table["label"] = [truth(row.text) if keep(row) else row.label for row in table.itertuples()]
    table.to_csv(path, index=False)
    return table


def summary(folder) -> dict:
    return json.loads((folder / "summary.json").read_text())


@pytest.fixture
def finished(run, bench):
    assert run(*bench.fit("supervised", test=None))[0] == 0
    return bench


def test_what_was_drawn_in_a_later_round_counts_as_drawn_in_one_table_too(run, finished):
    folder = finished.folder
    run("next", finished.out, "--count", 16, "--by", "margin", "--out", folder / "a1.csv")
    first = fill(folder / "a1.csv")
    words = finished.fit("supervised", test=None, answers=folder / "a1.csv", out=folder / "r2")
    assert run(*words)[0] == 0
    run("next", folder / "r2", "--count", 30, "--drawn", 1, "--out", folder / "a2.csv")
    second = fill(folder / "a2.csv")
    again = set(second.text) & set(first.text)
    assert again
    train = pd.read_csv(folder / "train.csv", dtype=object)
    columns = ["text", "label", "asked_by"]
    one = pd.concat([train, first[columns], second[columns]])  # as who prefers one table copies them
    one.to_csv(folder / "one.csv", index=False)
    drawn = {*first.text[first.asked_by == "random"], *second.text}
    for name, words in {
        "copied": finished.fit("supervised", train=folder / "one.csv", test=None, out=folder / "copied"),
        "given": [
            *finished.fit("supervised", test=None, out=folder / "given"),
            "--answers",
            folder / "a1.csv",
            folder / "a2.csv",
        ],
    }.items():
        code, shown = run(*words)
        assert code == 0, shown
        found = summary(folder / name)["sample"]
        assert found["drawn"] == len(drawn) and found["chosen"] == len({*first.text} - drawn)
    code, shown = run("next", folder / "copied", "--count", 20, "--drawn", 1, "--out", folder / "a3.csv")
    assert code == 0, shown
    third = pd.read_csv(folder / "a3.csv", dtype=object)
    assert not set(third.text) & drawn


def test_what_the_run_read_is_read_though_another_table_is_named(run, bench):
    folder = bench.folder
    assert run(*bench.fit("supervised"))[0] == 0
    run("next", bench.out, "--count", 10, "--out", folder / "a1.csv")
    first = fill(folder / "a1.csv")
    assert run(*bench.fit("supervised", answers=folder / "a1.csv", out=folder / "r2"))[0] == 0
    pd.read_csv(folder / "train.csv").to_csv(folder / "grown.csv", index=False)
    left = summary(folder / "r2")["unlabelled"]
    code, shown = run("next", folder / "r2", "--train", folder / "grown.csv", "--count", 20, "--out", folder / "b.csv")
    assert code == 0, shown
    assert f"Beside --train {folder / 'grown.csv'}" in shown and "test.csv" in shown and "a1.csv" in shown
    asked = pd.read_csv(folder / "b.csv", dtype=object)
    test = pd.read_csv(folder / "test.csv")
    assert not set(asked.text[asked.label.isna()]) & {*first.text, *test.text}
    assert f"with --answers {folder / 'a1.csv'} {folder / 'b.csv'}" in " ".join(shown.split())
    assert left >= 20
    (folder / "test.csv").rename(folder / "gone.csv")
    code, shown = run("next", folder / "r2", "--count", 5, "--out", folder / "c.csv")
    assert (
        code == 2 and "test.csv, on which the run is scored, cannot be read" in shown and "name it by --test" in shown
    )
    code, shown = run("next", folder / "r2", "--test", folder / "gone.csv", "--count", 5, "--out", folder / "c.csv")
    assert code == 0, shown


def test_drawn_rows_that_stay_empty_are_told(run, finished):
    folder = finished.folder
    run("next", finished.out, "--count", 10, "--drawn", 1, "--out", folder / "ask.csv")
    fill(folder / "ask.csv", lambda row: row.Index >= 3)
    code, shown = run(*finished.fit("supervised", test=None, answers=folder / "ask.csv", out=folder / "r2"))
    assert code == 0 and "3 of the 10 rows that were drawn at random were left without a label" in " ".join(
        shown.split()
    )


def test_newer_answers_than_the_run_has_are_said_beside_the_outlook(run, finished):
    folder = finished.folder
    run("next", finished.out, "--count", 10, "--out", folder / "ask.csv")
    fill(folder / "ask.csv")
    words = ("--answers", folder / "ask.csv", "--count", 5, "--drawn", 0, "--out", folder / "b.csv")
    shown = " ".join(run("next", finished.out, *words)[1].split())
    labels = summary(finished.out)["labelled"]
    assert f"That counts from the labels of {finished.out}; 10 are newer: fit again." in shown
    assert f"{labels + 10} have one already" in shown


def test_own_columns_stay_beside_those_that_next_writes(run, finished):
    folder = finished.folder
    train = pd.read_csv(folder / "pool.csv").assign(asked_by="Anna", guess="mine", label="")
    pd.concat([pd.read_csv(folder / "train.csv"), train]).to_csv(folder / "own.csv", index=False)
    words = ("--train", folder / "own.csv", "--count", 6, "--drawn", 0, "--out", folder / "a.csv")
    assert run("next", finished.out, *words)[0] == 0
    first = fill(folder / "a.csv")
    assert set(first.asked_by_2) == {"diverse"} and set(first.asked_by.dropna()) <= {"Anna"}
    both = pd.concat(
        [pd.read_csv(folder / "own.csv"), first.drop(columns=["row", "why_2", "guess_2"], errors="ignore")]
    )
    both.to_csv(folder / "own2.csv", index=False)
    words = ("--train", folder / "own2.csv", "--count", 12, "--drawn", 1, "--out", folder / "b.csv")
    code, shown = run("next", finished.out, *words)
    assert code == 0, shown
    second = pd.read_csv(folder / "b.csv", dtype=object)
    assert {"asked_by", "guess"} <= set(second) and set(second.asked_by.dropna()) == {"Anna"}


def test_a_pool_on_disk_is_asked_and_answered_in_several_rounds(run, finished, monkeypatch):
    folder = finished.folder
    pool = pd.read_csv(folder / "pool.csv")
    (folder / "parts").mkdir()
    pd.concat([pool[:30], pool[:5]]).to_csv(folder / "parts" / "a.csv", index=False)  # some are there twice
    pool[30:].to_csv(folder / "parts" / "b.csv", index=False)
    monkeypatch.setattr(stored, "ROWS_IN_MEMORY", 10)
    answers: list = []
    for number in (1, 2, 3):
        out = folder / f"r{number}"
        words = finished.fit("supervised", unlabelled=folder / "parts", test=None, out=out)
        code, shown = run(*words, *(["--answers", *answers] if answers else []))
        assert code == 0, shown
        asked = folder / f"a{number}.csv"
        code, shown = run("next", out, "--count", 6, "--drawn", 0.5, "--out", asked)
        assert code == 0, shown
        table = fill(asked)
        at = {"a.csv": pd.concat([pool[:30], pool[:5]]).text.tolist(), "b.csv": pool[30:].text.tolist()}
        for row in table.itertuples():
            if row.source in at:
                assert at[row.source][int(row.row) - 1] == row.text
        answers.append(asked)


def test_groups_of_a_pool_in_several_files_are_kept(run, finished, monkeypatch):
    folder = finished.folder
    pool = pd.read_csv(folder / "pool.csv")
    pool["who"] = [f"w{i % 7}" for i in range(len(pool))]
    train = pd.read_csv(folder / "train.csv")
    train.assign(who=[f"t{i % 5}" for i in range(len(train))]).to_csv(folder / "train.csv", index=False)
    (folder / "parts").mkdir()
    pool[:40].to_csv(folder / "parts" / "a.csv", index=False)
    pool[40:].to_csv(folder / "parts" / "b.csv", index=False)
    asked = pool[["text"]].iloc[5:60:5].assign(label=[truth(t) for t in pool.text.iloc[5:60:5]])
    asked.to_csv(folder / "ask.csv", index=False)
    groups = {*train.index.map(lambda i: f"t{i % 5}")} | {*pool.who.iloc[5:60:5]}
    words = finished.fit(
        "supervised", unlabelled=folder / "parts", test=None, answers=folder / "ask.csv", out=folder / "r2"
    )
    code, shown = run(*words, "--group", "who")
    assert code == 0, shown
    assert f"who: the labels are of {len(groups)} values" in shown and "by itself" not in shown


def test_the_score_of_drawn_sentences_is_that_of_these_sentences(run, tmp_path, subjects, encoder_folder):
    draws, rows = np.random.default_rng(0), []
    for i in range(60):
        words = ["my", str(draws.choice(subjects["food"])), "and", str(draws.choice(subjects["sport"])), f"w{i}"]
        tags = ["O", "B-FOOD", "O", "B-SPORT" if i % 3 else "B-FOOD", "O"]  # some are wrong
        rows.append({"tokens": words, "tags": tags if i < 40 else None, "asked_by": "random" if 12 <= i < 40 else None})
    pd.DataFrame(rows).to_json(tmp_path / "train.jsonl", orient="records", lines=True)
    words = ["--tokens", "tokens", "--tags", "tags", "--encoder", encoder_folder, "--steps", 4, "--folds", 2]
    words += ["--repeats", 1, "--train", tmp_path / "train.jsonl"]
    code, shown = run("fit", "supervised", *words, "--out", tmp_path / "run")
    assert code == 0, shown
    found = summary(tmp_path / "run")["sample"]
    assert found["drawn"] == 28
    low, high = found["interval"]
    assert 0 <= low <= found["f1"] <= high <= 1
    rows = [row | {"asked_by": "random" if row["tags"] else None} for row in rows]
    pd.DataFrame(rows).to_json(tmp_path / "train.jsonl", orient="records", lines=True)
    assert run("fit", "supervised", *words, "--out", tmp_path / "all")[0] == 0
    every = summary(tmp_path / "all")
    told = every["evidence"][every["evidence"]["returned"]]["score"]
    assert every["sample"]["drawn"] == 40 and every["sample"]["f1"] == pytest.approx(told)


@pytest.mark.parametrize("notation", ["lists", "BIOES", "text"])
def test_tags_come_back_as_they_were_written(run, tmp_path, subjects, encoder_folder, notation):
    draws, rows = np.random.default_rng(0), []
    first = "S-" if notation == "BIOES" else "B-"
    for i in range(60):
        words = ["my", str(draws.choice(subjects["food"])), "and", str(draws.choice(subjects["sport"])), f"w{i}"]
        tags = ["O", f"{first}FOOD", "O", f"{first}SPORT", "O"]
        rows.append({"tokens": words, "tags": " ".join(tags) if notation == "text" else tags})
    known = [row if i < 12 else row | {"tags": None} for i, row in enumerate(rows)]
    pd.DataFrame(known).to_json(tmp_path / "train.jsonl", orient="records", lines=True)
    words = ["--tokens", "tokens", "--tags", "tags", "--encoder", encoder_folder, "--steps", 4, "--folds", 2]
    fit = ["fit", "supervised", "--train", tmp_path / "train.jsonl", *words, "--repeats", 1]
    assert run(*fit, "--out", tmp_path / "r0")[0] == 0
    truth, answers = {row["tokens"][-1]: row["tags"] for row in rows}, []
    for number in (1, 2, 3):
        asked = tmp_path / f"a{number}.jsonl"
        code, shown = run("next", tmp_path / f"r{number - 1}", "--count", 16, "--drawn", 0.5, "--out", asked)
        assert code == 0, shown
        table = pd.read_json(asked, lines=True)
        for row in table.itertuples():
            if row.tags is not None and row.tags == row.tags:
                assert row.tags == truth[row.tokens[-1]]
        if number > 1:
            assert table.tags.notna().any()
        table["tags"] = [truth[words[-1]] for words in table.tokens]
        table.to_json(asked, orient="records", lines=True)
        answers.append(asked)
        code, shown = run(*fit, "--answers", *answers, "--out", tmp_path / f"r{number}")
        assert code == 0, shown
