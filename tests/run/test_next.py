"""What to label next: the table that is written, the labels that are filled in, and what the drawn ones say."""

from __future__ import annotations

import json
import random

import numpy as np
import pandas as pd
import pytest

from tutelage.fit.evidence import exact
from tutelage.kinds import stored
from tutelage.tables import read_table

FIT = {"steps": 8, "folds": 2, "repeats": 1}


@pytest.fixture
def finished(run, bench):
    """A finished run of texts, whose tables lie beside it."""
    assert run(*bench.fit("supervised", test=None))[0] == 0
    return bench


def truth(text: str) -> str:
    """Class of a text of the tables: food, where one of its words is."""
    return "food" if {"soup", "pasta", "chicken", "cake"} & set(text.split()) else "sport"


def answered(path, known=truth, column="text"):
    """A table whose empty labels are filled in."""
    table = pd.read_csv(path, dtype=str)
    table["label"] = [known(text) for text in table[column]]
    table.to_csv(path, index=False)
    return table


def summary(folder) -> dict:
    return json.loads((folder / "summary.json").read_text())


def test_rows_are_asked_for_answered_and_learnt(run, finished):
    folder = finished.folder
    code, shown = run("next", finished.out, "--count", 20, "--out", folder / "ask.csv")
    assert code == 0, shown
    pool, table = pd.read_csv(folder / "pool.csv"), pd.read_csv(folder / "ask.csv", dtype=str)
    assert "18 by diverse, 2 drawn at random" in shown
    assert table["label"].isna().all() and len(table) == 20 and table["text"].nunique() == 20
    assert table["asked_by"].tolist().count("random") == 2
    assert set(table["guess"]) <= {"food", "sport"}
    for row, text in zip(table["row"], table["text"], strict=True):
        assert pool["text"][int(row) - 1] == text
    filled = answered(folder / "ask.csv")
    words = finished.fit("supervised", test=None, answers=folder / "ask.csv", out=folder / "more")
    code, shown = run(*words)
    assert code == 0, shown
    found = summary(folder / "more")
    assert found["labelled"] == summary(finished.out)["labelled"] + 20
    assert found["unlabelled"] == summary(finished.out)["unlabelled"] - 20
    drawn = (filled["asked_by"] == "random").sum()
    assert (found["sample"]["chosen"], found["sample"]["drawn"]) == (18, drawn)
    low, high = found["sample"]["interval"]
    right = found["sample"]["accuracy"]
    assert (low, high) == (exact(right, int(drawn)).low, exact(right, int(drawn)).high)
    assert "18 were chosen by a selector" in " ".join(shown.split())
    assert "chosen by a selector" in (folder / "more" / "report.html").read_text()
    code, shown = run("next", folder / "more", "--count", 30, "--drawn", 0.5, "--out", folder / "ask2.csv")
    assert code == 0, shown
    second = pd.read_csv(folder / "ask2.csv", dtype=str)
    before = dict(zip(filled["text"], filled["label"], strict=True))
    assert not set(second["text"][second["label"].isna()]) & set(before)
    given = second[second["label"].notna()]  # drawn among those that the selector had chosen
    assert len(given) and f"{len(given)} of them, drawn among those that were chosen before" in " ".join(shown.split())
    assert set(given["asked_by"]) == {"random"} and [before[text] for text in given["text"]] == given["label"].tolist()
    code, shown = run(*words, "--resume")
    assert code == 0 and "is finished already" in shown
    (folder / "ask.csv").write_text((folder / "ask.csv").read_text().replace("food", "sport", 1))
    code, shown = run(*words, "--resume")
    assert code == 2 and "different: content of answers" in shown


@pytest.mark.parametrize(
    "by", ["diverse", "cluster_margin", "margin", "entropy", "cluster", "coreset", "pcoreset", "actune", "random"]
)
def test_every_selector_writes_as_many_rows_as_asked(run, finished, by):
    out = finished.folder / "ask.parquet"
    code, shown = run("next", finished.out, "--by", by, "--count", 10, "--out", out)
    assert code == 0, shown
    table = read_table(out)
    assert len(table) == 10 and set(table["asked_by"]) <= {by, "random"}
    assert all(table["why"])


def test_what_more_labels_are_likely_to_bring(run, finished):
    found = summary(finished.out)["outlook"]
    curve = dict(found["curve"])
    assert max(curve) == summary(finished.out)["labelled"] and all(0 <= score <= 1 for score in curve.values())
    out = finished.folder / "ask.csv"
    shown = run("next", finished.out, "--count", 5, "--out", out)[1]
    assert found["words"] in " ".join(shown.split())
    out.unlink()
    words = ("--worth", 1000, "--seconds-per-label", 30, "--out", out)
    shown = " ".join(run("next", finished.out, "--count", 5, *words)[1].split())
    assert f"{found['per_minute'][0] / 2:.2f} a minute" in shown
    assert "Enough: a minute is likely to bring less than 1000 points." in shown
    assert "What more labels would bring" in (finished.out / "report.html").read_text()


def test_what_is_taken_for_none_of_the_classes_is_only_drawn(run, finished):
    out = finished.folder / "ask.csv"
    code, shown = run("next", finished.out, "--other", "sport", "--count", 10, "--out", out)
    assert code == 0, shown
    table = pd.read_csv(out)
    assert set(table["guess"][table["asked_by"] != "random"]) == {"food"}
    code, shown = run("next", finished.out, "--other", "none", "--out", finished.folder / "b.csv")
    assert code == 2 and "other must be one of the classes food, sport, got 'none'" in shown


def test_a_method_names_no_class_that_is_not_there(run, bench):
    code, shown = run(*bench.fit("ensemble", test=None, other="none"))
    assert code == 2 and "other must be one of the classes food, sport, got 'none'" in shown
    assert not bench.out.exists()


def test_without_a_run_typical_rows_are_asked_for_and_without_a_label(run, bench):
    table = pd.read_csv(bench.folder / "train.csv")
    table.assign(label=None).to_csv(bench.folder / "none.csv", index=False)
    words = ("--text", "text", "--label", "label", "--encoder", bench.encoder, "--count", 8)
    code, shown = run("next", "--train", bench.folder / "none.csv", *words, "--out", bench.folder / "ask.csv")
    assert (
        code == 0
        and "7 by cluster, 1 drawn at random. 16 texts are without a label; 0 have one already."
        in " ".join(shown.split())
    )
    answered(bench.folder / "ask.csv")
    fit = bench.fit("supervised", train=bench.folder / "none.csv", answers=bench.folder / "ask.csv", test=None)
    code, shown = run(*fit)
    assert code == 0, shown
    assert summary(bench.out)["labelled"] == 8
    assert "On the one that was drawn at random" in " ".join(shown.split())


def test_nothing_is_overwritten_and_counts_are_checked(run, finished):
    out = finished.folder / "ask.csv"
    left = summary(finished.out)["unlabelled"]
    code, shown = run("next", finished.out, "--count", 10_000, "--out", out)
    assert code == 2 and f"count must be at most {left}, the number of texts without a label, got 10,000" in shown
    assert not out.exists()
    out.write_text("mine")
    code, shown = run("next", finished.out, "--out", out)
    assert code == 2 and "exists, and may hold labels" in shown and out.read_text() == "mine"
    code, shown = run("next", finished.out, "--count", 0, "--out", finished.folder / "b.csv")
    assert code == 2 and "--count" in shown


def test_variation_asks_where_models_of_the_labels_disagree(run, finished):
    out = finished.folder / "apart.csv"
    code, shown = run("next", finished.out, "--by", "variation", "--count", 6, "--drawn", 0, "--out", out)
    assert code == 0, shown
    table = pd.read_csv(out)
    assert set(table.asked_by) == {"variation"} and len(table) == 6
    assert set(table.why) <= {"the models disagree", "the models agree; in random order"}


def test_answers_that_belong_to_nothing_or_contradict_are_told(run, finished):
    folder, train, pool = finished.folder, *(pd.read_csv(finished.folder / f"{n}.csv") for n in ("train", "pool"))
    fit = finished.fit("supervised", test=None, answers=folder / "ask.csv", out=folder / "more")

    def told(rows):
        pd.DataFrame(rows).to_csv(folder / "ask.csv", index=False)
        code, shown = run(*fit)
        return code, " ".join(shown.split())

    code, shown = told([{"text": "a foreign text", "label": "food", "asked_by": "margin"}])
    assert code == 2 and "none of its texts is in" in shown and "it was asked of other data" in shown
    both = [{"text": pool["text"][0], "label": "food"}, {"text": "a foreign text", "label": "food"}]
    code, shown = told(both)
    assert code == 2 and "ask.csv, row 2, column 'text': this text is not in" in shown
    code, shown = told([{"text": pool["text"][0], "label": None}])
    assert code == 2 and "no row has a label yet" in shown
    code, shown = told([{"text": pool["text"][0], "label": "food", "asked_by": "me"}])
    assert code == 2 and "column 'asked_by': a cell is none of diverse" in shown
    first = train["label"].first_valid_index()
    other = {"food": "sport", "sport": "food"}[train["label"][first]]
    code, shown = told([{"text": train["text"][first], "label": other}, {"text": pool["text"][1], "label": "new"}] * 2)
    assert "contradicts" in shown and f"row {first + 1}" in shown
    assert "of classes that no label had before: new (1)" in shown


def test_an_answer_that_was_picked_by_hand_corrects_the_label_that_its_picker_saw(run, finished):
    folder, train = finished.folder, pd.read_csv(finished.folder / "train.csv")
    first = train["label"].first_valid_index()
    text, other = train["text"][first], {"food": "sport", "sport": "food"}[train["label"][first]]
    pd.DataFrame([{"text": text, "label": other, "asked_by": "hand"}]).to_csv(folder / "ask.csv", index=False)
    code, shown = run(*finished.fit("supervised", test=None, answers=folder / "ask.csv", out=folder / "mended"))
    said = " ".join(shown.split())
    assert code == 0 and "picked by hand and corrects" in said and f"row {first + 1}" in said, shown
    assert "contradicts" not in said
    assert summary(folder / "mended")["labelled"] == train["label"].notna().sum()
    both = [{"text": text, "label": label, "asked_by": "hand"} for label in (other, train["label"][first])]
    pd.DataFrame(both).to_csv(folder / "ask.csv", index=False)  # two that contradict each other correct nothing twice
    code, shown = run(*finished.fit("supervised", test=None, answers=folder / "ask.csv", out=folder / "torn"))
    said = " ".join(shown.split())
    assert code == 0 and "corrects" in said and "contradicts" in said


def test_answers_by_hand_that_differ_count_half_each_and_are_named(run, finished):
    folder = finished.folder
    assert run("next", finished.out, "--count", 6, "--out", folder / "a.csv")[0] == 0
    first = answered(folder / "a.csv")
    first["asked_by"] = "hand"
    first.to_csv(folder / "a.csv", index=False)
    second = first.iloc[::-1].reset_index(drop=True)
    second.loc[1, "label"] = "sport" if second["label"][1] == "food" else "food"
    second.to_csv(folder / "b.csv", index=False)
    mine = finished.fit("supervised", test=None, out=folder / "two")
    code, shown = run(*mine, "--answers", folder / "a.csv", folder / "b.csv")
    said = " ".join(shown.split())
    assert code == 0 and "corrects" not in said, shown
    place = f"b.csv, row 2, column 'label' ({second['label'][1]}) contradicts {folder / 'a.csv'}, row 5, column 'label'"
    assert f"{place} ({first['label'][4]}): both labels count half" in said, shown


def test_the_order_of_tables_of_answers_does_not_matter(run, finished):
    folder, train = finished.folder, pd.read_csv(finished.folder / "train.csv")
    first = train["label"].first_valid_index()
    text, label = train["text"][first], train["label"][first]
    other = {"food": "sport", "sport": "food"}[label]
    assert run("next", finished.out, "--count", 2, "--out", folder / "of_pool.csv")[0] == 0
    asked = answered(folder / "of_pool.csv")["text"][0]
    tables = {
        "same": [(text, label, "hand"), (asked, "food", "hand")],
        "other": [(text, other, "hand"), (asked, "sport", "margin")],
    }
    for name, rows in tables.items():
        pd.DataFrame(rows, columns=["text", "label", "asked_by"]).to_csv(folder / f"{name}.csv", index=False)
    found = []
    for number, names in enumerate((("same", "other"), ("other", "same"))):
        out = folder / f"ordered{number}"
        code, shown = run(
            *finished.fit("supervised", test=None, out=out), "--answers", *(folder / f"{n}.csv" for n in names)
        )
        said = " ".join(shown.split())
        assert code == 0 and said.count("both labels count half") == 1, shown
        assert "same.csv, row 2, column 'label' (food) was picked by hand and corrects" in said, shown
        found.append(summary(out)["labelled"])
    assert found[0] == found[1] == train["label"].notna().sum() + 1


def test_labels_that_are_there_meanwhile_count_once_and_keep_by_what_they_were_asked(run, finished):
    folder = finished.folder
    train = pd.read_csv(folder / "train.csv")
    known = train[train["label"].notna()]
    rows = known.head(3).assign(asked_by=["margin", "random", "margin"])
    rows.to_csv(folder / "ask.csv", index=False)
    code, shown = run(*finished.fit("supervised", test=None, answers=folder / "ask.csv", out=folder / "more"))
    assert code == 0 and "3 had the same label already" in shown
    found = summary(folder / "more")
    assert found["labelled"] == summary(finished.out)["labelled"]
    assert (found["sample"]["chosen"], found["sample"]["drawn"]) == (2, 1)


def test_a_table_may_say_itself_by_what_its_labels_were_asked(run, bench):
    train = pd.read_csv(bench.folder / "train.csv")
    asked = ["random" if i % 2 else "cluster" for i in range(len(train))]
    train.assign(asked_by=asked).to_csv(bench.folder / "train.csv", index=False)
    assert run(*bench.fit("supervised", test=None))[0] == 0
    known = train["label"].notna()
    drawn = sum(by == "random" for by, there in zip(asked, known, strict=True) if there)
    assert summary(bench.out)["sample"]["drawn"] == drawn


def test_cells_that_were_made_harmless_are_known_again(run, bench):
    pool = pd.read_csv(bench.folder / "pool.csv")
    pool["text"] = "=" + pool["text"]
    pool.to_csv(bench.folder / "pool.csv", index=False)
    out = bench.folder / "ask.csv"
    words = ("--text", "text", "--label", "label", "--encoder", bench.encoder, "--count", 20, "--safe-cells")
    tables = ("--train", bench.folder / "train.csv", "--unlabelled", bench.folder / "pool.csv")
    assert run("next", *tables, *words, "--out", out)[0] == 0
    table = pd.read_csv(out, dtype=str)
    assert table["text"].str.startswith("'=").any()
    answered(out)
    code, shown = run(*bench.fit("supervised", test=None, answers=out))
    assert code == 0 and "Answers of ask.csv: 20 labels" in shown


def test_a_pool_in_several_files_or_on_disk_is_asked_for(run, bench, monkeypatch):
    pool = pd.read_csv(bench.folder / "pool.csv")
    (bench.folder / "pool").mkdir()
    for i, part in enumerate(np.array_split(np.arange(len(pool)), 3)):
        pool.iloc[part].to_csv(bench.folder / "pool" / f"{i}.csv", index=False)
    monkeypatch.setattr(stored, "ROWS_IN_MEMORY", 10)
    pattern = bench.folder / "pool"
    assert run(*bench.fit("supervised", test=None, unlabelled=pattern))[0] == 0
    code, shown = run("next", bench.out, "--count", 10, "--out", bench.folder / "ask.csv")
    assert code == 0, shown
    table = answered(bench.folder / "ask.csv")
    assert set(table["text"]) <= set(pool["text"])
    words = bench.fit(
        "supervised", test=None, unlabelled=pattern, answers=bench.folder / "ask.csv", out=bench.folder / "b"
    )
    code, shown = run(*words)
    assert code == 0, shown
    assert summary(bench.folder / "b")["labelled"] == summary(bench.out)["labelled"] + 10


def test_a_run_whose_table_is_gone_or_changed_says_so(run, finished):
    train = finished.folder / "train.csv"
    train.write_text(train.read_text() + "the soup was here,\n")
    code, shown = run("next", finished.out, "--count", 3, "--out", finished.folder / "a.csv")
    assert code == 0 and "was changed since" in shown
    train.unlink()
    code, shown = run("next", finished.out, "--count", 3, "--out", finished.folder / "b.csv")
    assert code == 2 and "is not there: call this command in the folder where the fit was" in " ".join(shown.split())


def test_rows_of_numbers(run, tmp_path):
    draws = np.random.default_rng(0)
    y = draws.integers(0, 2, 60)
    x = draws.normal(size=(60, 2)).round(4) + y[:, None]
    label = [("red", "blue")[k] if i < 16 else None for i, k in enumerate(y)]
    table = pd.DataFrame({"a": x[:, 0], "b": x[:, 1], "label": label})
    table.to_csv(tmp_path / "t.csv", index=False)
    words = ("--train", tmp_path / "t.csv", "--features", "a,b", "--label", "label", "--steps", 20, "--folds", 2)
    assert run("fit", "supervised", *words, "--out", tmp_path / "run")[0] == 0
    code, shown = run("next", tmp_path / "run", "--count", 12, "--out", tmp_path / "ask.csv")
    assert code == 0, shown
    asked = pd.read_csv(tmp_path / "ask.csv")
    assert np.allclose(asked[["a", "b"]], table[["a", "b"]].iloc[asked["row"] - 1])
    asked["label"] = [("red", "blue")[y[row - 1]] for row in asked["row"]]
    asked.to_csv(tmp_path / "ask.csv", index=False)
    more = ("--answers", tmp_path / "ask.csv", "--out", tmp_path / "more")
    assert run("fit", "supervised", *words, *more)[0] == 0
    assert summary(tmp_path / "more")["labelled"] == 28


def test_images_of_a_folder(run, pets, tmp_path, small_networks):
    words = ("--kind", "images", "--network", "small_cnn", "--steps", 4, "--folds", 2, "--repeats", 1)
    code, shown = run("fit", "supervised", "--train", pets["train"], *words, "--out", tmp_path / "run")
    assert code == 0, shown
    code, shown = run("next", tmp_path / "run", "--count", 6, "--out", tmp_path / "ask.csv")
    assert code == 0, shown
    asked = pd.read_csv(tmp_path / "ask.csv", dtype=str)
    assert all("unlabelled" in row for row in asked["row"]) and asked["image"].nunique() == 6
    asked.assign(label=["red", "blue"] * 3).to_csv(tmp_path / "ask.csv", index=False)
    more = ("--answers", tmp_path / "ask.csv", "--out", tmp_path / "more")
    code, shown = run("fit", "supervised", "--train", pets["train"], *words, *more)
    assert code == 0, shown
    assert summary(tmp_path / "more")["labelled"] == 18


def test_sentences_by_their_least_sure_words(run, tmp_path, encoder_folder, subjects):
    rng, rows = random.Random(0), []
    for i in range(40):
        words = [rng.choice(["the", "my", *subjects["food"]]) for _ in range(3 + i % 3)]
        tags = ["B-FOOD" if word in subjects["food"] else "O" for word in words]
        rows.append({"tokens": words, "tags": tags if i < 12 else None})
    rows[0] = {"tokens": ["the", subjects["food"][0]], "tags": ["O", "B-FOOD"]}
    pd.DataFrame(rows).to_json(tmp_path / "t.jsonl", orient="records", lines=True)
    words = ("--tokens", "tokens", "--tags", "tags", "--tags-are", "bio", "--encoder", encoder_folder, "--steps", 20)
    fit = ("fit", "supervised", "--train", tmp_path / "t.jsonl", *words, "--folds", 2, "--repeats", 1)
    code, shown = run(*fit, "--out", tmp_path / "run")
    assert code == 0, shown
    out = tmp_path / "ask.jsonl"
    code, shown = run("next", tmp_path / "run", "--count", 5, "--out", out)
    assert code == 0, shown
    asked = pd.read_json(out, lines=True)
    assert [len(guess.split()) for guess in asked["guess"]] == [len(tokens) for tokens in asked["tokens"]]
    asked["tags"] = [["B-FOOD" if word in subjects["food"] else "O" for word in each] for each in asked["tokens"]]
    asked.to_json(out, orient="records", lines=True)
    code, shown = run(*fit, "--answers", out, "--out", tmp_path / "more")
    assert code == 0, shown
    distinct = {tuple(row["tokens"]) for row in rows[:12]} | {tuple(each) for each in asked["tokens"]}
    assert summary(tmp_path / "more")["labelled"] == len(distinct)


def test_no_file_of_rules_is_executed(run, bench):
    seen = bench.folder / "seen"
    rules = bench.folder / "rules.py"
    rules.write_text(
        f"open({str(seen)!r}, 'w').close()\n\n\ndef food(text):\n    return 'food' if 'soup' in text else None\n"
    )
    code, shown = run(*bench.fit("supervised", test=None, rules=rules))
    assert code == 0, shown
    assert seen.exists()
    seen.unlink()
    code, shown = run("next", bench.out, "--count", 5, "--out", bench.folder / "ask.csv")
    assert code == 0, shown
    assert not seen.exists()
