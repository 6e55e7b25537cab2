"""The command line's contract."""

from __future__ import annotations

import json
import re
import subprocess
import sys

import numpy as np
import pandas as pd
import pytest

from families import BROUGHT, one_of_each
from tutelage import load
from tutelage.fit.auto import MEMBERS
from tutelage.methods import METHODS

OF_TWO_CLASSES = sorted(METHODS.keys() - {"partial_label", *BROUGHT})


def summary(folder) -> dict:
    return json.loads((folder / "summary.json").read_text())


def test_partial_labels_of_two_classes_are_refused(run, bench):
    code, shown = run(*bench.fit("partial_label"))
    assert code == 2
    assert "partial_label needs at least 3 classes, got 2" in shown


@pytest.mark.parametrize("method", one_of_each(OF_TWO_CLASSES))
def test_fit_writes_model_summary_and_report(run, bench, method):
    code, shown = run(*bench.fit(method))
    assert code == 0, shown
    assert "Warning" not in shown
    found = summary(bench.out)
    assert found["method"] == method
    assert (found["kind"], found["classes"], found["labelled"], found["unlabelled"]) == (
        "texts", ["food", "sport"], 16, 60,
    )  # fmt: skip
    for name in ("reference", "candidate"):
        low, high = found[name]["interval"]
        assert 0 <= low <= found[name]["accuracy"] <= high <= 1
    assert found["returned"] in ("reference", "candidate")
    assert {"rows", "accuracy", "macro_f1", "interval"} <= set(found["test"])
    assert found["seconds"] > 0 < found["peak_memory_mb"]
    assert found["seed"] == 0
    assert {"tutelage", "torch", "python"} <= set(found["versions"])
    page = (bench.out / "report.html").read_text()
    assert "on the test table" in page
    assert "http" not in page.replace("http-equiv", "")  # nothing is loaded from elsewhere
    assert {p.name for p in (bench.out / "plots").iterdir()} >= {"losses.png", "confusion.png", "evidence.png"}
    assert not (bench.out / "parts").exists()


@pytest.mark.parametrize("method", ["vat", "uda", "bond", "cosine"])
def test_methods_train_the_encoder_too(run, bench, method):
    code, shown = run(*bench.fit(method, finetune=True, steps=4))
    assert code == 0, shown
    assert summary(bench.out)["finetuned"]


def test_auto_says_its_budget_chooses_and_shows_what_it_tried(run, bench):
    code, shown = run(*bench.fit("auto", budget=40))
    assert code == 0, shown
    assert re.search(r"at most 40 trainings of \d+ steps[^.]*\.\nAbout \d+ (second|minute)", shown)
    found = summary(bench.out)
    tried = [a for a in found["selection"] if a["rungs"]]
    assert len([a for a in tried if a["rungs"] == 2]) == min(MEMBERS, len(tried)) < len(tried)
    assert tried[0]["rungs"] == 2
    assert found["method"] in (*METHODS, "committee")
    assert f"{len(tried)} methods were tried. The student learns what is best on these labels" in shown
    assert sum(found["shares"].values()) == pytest.approx(1)
    assert "What was tried" in (bench.out / "report.html").read_text()
    again, told = run(*bench.fit("auto", budget=40, resume=True))
    assert (again, "is finished already" in told) == (0, True)
    assert run(*bench.fit("auto", budget=2))[0] == 2


def test_it_says_first_what_it_will_do_and_how_long(run, bench):
    _, shown = run(*bench.fit("mean_teacher"))
    assert "Training mean_teacher on 16 labels (8 a class, 2 classes) and a pool of 60: 3 trainings of 8 steps" in shown
    said = re.search(
        r"^About \d\S* (seconds?|minutes|hours) more, \d\S* [MG]B of memory and \d\S* [KMG]B on disk\.$", shown, re.M
    )
    assert said, shown
    assert shown.index("Training mean_teacher") < said.start() < shown.index("The pool")


@pytest.mark.parametrize("kind", ["csv", "tsv", "jsonl", "parquet"])
def test_predict_keeps_rows_and_columns_and_adds_two(run, bench, texts, kind):
    run(*bench.fit())
    table = texts.pool[["text"]].assign(number=range(60))
    source, target = bench.folder / f"in.{kind}", bench.folder / f"labelled.{kind}"
    if kind == "parquet":
        table.to_parquet(source)
    elif kind == "jsonl":
        table.to_json(source, orient="records", lines=True)
    else:
        table.to_csv(source, index=False, sep="\t" if kind == "tsv" else ",")
    code, shown = run("predict", bench.out, "--input", source, "--output", target)
    assert code == 0, shown
    readers = {"csv": pd.read_csv, "parquet": pd.read_parquet}
    got = (
        pd.read_csv(target, sep="\t") if kind == "tsv"
        else pd.read_json(target, lines=True) if kind == "jsonl"
        else readers[kind](target)
    )  # fmt: skip
    assert list(got.columns) == ["text", "number", "predicted", "probability"]
    assert list(got.text) == list(table.text)
    assert list(got.number) == list(range(60))
    p = load(bench.out / "model").probabilities(list(table.text))
    assert list(got.predicted) == [("food", "sport")[i] for i in p.argmax(1)]
    np.testing.assert_allclose(got.probability, p.max(1), rtol=1e-5)


def test_predict_leaves_other_cells_as_they_were_and_equal_texts_in_place(run, bench):
    run(*bench.fit())
    (bench.folder / "in.csv").write_text('id,body,note\n007,the soup,NA\n08,the goal,\n007,the soup,"a, b"\n')
    words = ("predict", bench.out, "--input", bench.folder / "in.csv", "--output", bench.folder / "o.csv")
    code, shown = run(*words, "--text", "body")
    assert code == 0, shown
    got = pd.read_csv(bench.folder / "o.csv", dtype=str, keep_default_na=False)
    assert got[["id", "body", "note"]].to_numpy().tolist() == [
        ["007", "the soup", "NA"], ["08", "the goal", ""], ["007", "the soup", "a, b"],
    ]  # fmt: skip
    assert got.predicted[0] == got.predicted[2]
    assert got.probability[0] == got.probability[2]


def test_predict_replaces_no_column_of_the_users(run, bench):
    run(*bench.fit())
    own = {
        "text": ["the soup", "the goal"],
        "label": ["by hand", ""],
        "predicted": ["mine", "mine"],
        "probability": ["1", "2"],
    }
    pd.DataFrame(own).to_csv(bench.folder / "in.csv", index=False)
    code, shown = run("predict", bench.out, "--input", bench.folder / "in.csv", "--output", bench.folder / "o.csv")
    assert code == 0
    assert "your own predicted, probability stay: the model's columns are predicted_2, probability_2" in " ".join(
        shown.split()
    )
    got = pd.read_csv(bench.folder / "o.csv", dtype=str, keep_default_na=False)
    assert got[list(own)].to_dict("list") == own
    assert set(got.predicted_2) <= {"food", "sport"} and (got.probability_2.astype(float) > 0.4).all()
    run("predict", bench.out, "--input", bench.folder / "o.csv", "--output", bench.folder / "again.csv")
    assert list(pd.read_csv(bench.folder / "again.csv"))[-2:] == ["predicted_3", "probability_3"]


def test_score_equals_the_test_of_the_fit(run, bench):
    run(*bench.fit())
    code, shown = run("score", bench.out, "--test", bench.folder / "test.csv", "--json")
    assert code == 0
    scored, fitted = json.loads(shown), summary(bench.out)["test"]
    assert scored.pop("reference") == summary(bench.out)["test_reference"]
    assert {k: scored[k] for k in scored} == {k: fitted[k] for k in scored}
    _, words = run("score", bench.out, "--test", bench.folder / "test.csv")
    assert f"accuracy {100 * scored['accuracy']:.1f} %" in words


def test_unlabelled_rows_may_stand_in_the_training_table(run, bench, texts):
    both = pd.concat([texts.train, texts.pool.assign(label="")])
    both.to_csv(bench.folder / "train.csv", index=False)
    code, _ = run(*bench.fit(unlabelled=None))
    assert code == 0
    assert (summary(bench.out)["labelled"], summary(bench.out)["unlabelled"]) == (16, 60)


def test_minus_one_is_no_label_and_that_is_said(run, bench, texts):
    both = pd.concat([texts.train, texts.pool.assign(label=-1)])
    both.to_csv(bench.folder / "train.csv", index=False)
    code, shown = run(*bench.fit("supervised", unlabelled=None))
    assert code == 0, shown
    assert "60 of 76 rows have '-1' for a label: taken as no label" in shown
    found = summary(bench.out)
    assert (found["classes"], found["labelled"], found["unlabelled"]) == (["food", "sport"], 16, 60)


def test_labels_of_the_pool_change_the_report_only(run, bench, texts):
    run(*bench.fit())
    with_truth = (bench.out / "model" / "model.safetensors").read_bytes()
    assert "precision" in (bench.out / "records.json").read_text()
    texts.pool[["text"]].to_csv(bench.folder / "pool.csv", index=False)
    run(*bench.fit(out=bench.folder / "other"))
    assert (bench.folder / "other" / "model" / "model.safetensors").read_bytes() == with_truth
    assert "precision" not in (bench.folder / "other" / "records.json").read_text()


def test_report_is_drawn_again_alike(run, bench):
    run(*bench.fit())
    before = (bench.out / "report.html").read_bytes()
    (bench.out / "report.html").unlink()
    code, shown = run("report", bench.out)
    assert code == 0
    assert "report.html" in shown
    assert (bench.out / "report.html").read_bytes() == before


def test_without_evidence_the_method_s_model_is_returned_unasked(run, bench):
    code, _ = run(*bench.fit(no_evidence=True))
    assert code == 0
    assert summary(bench.out)["returned"] == "candidate"
    assert summary(bench.out)["evidence"] is None


@pytest.mark.parametrize("method", ["supervised", "drift"])
def test_the_whole_encoder_is_fine_tuned_and_saved(run, bench, method):
    code, shown = run(*bench.fit(method, finetune=True, steps=3))
    assert code == 0, shown
    code, shown = run("score", bench.out, "--test", bench.folder / "test.csv", "--json")
    assert json.loads(shown)["accuracy"] == summary(bench.out)["test"]["accuracy"]
    assert summary(bench.out)["finetuned"] is True


def test_method_options_reach_the_method(run, bench):
    run(*bench.fit(temperature=0.7, interaction=0.5))
    assert summary(bench.out)["settings"]["temperature"] == 0.7
    assert summary(bench.out)["settings"]["interaction"] == 0.5


def test_a_number_of_the_method_may_be_a_ramp(run, bench):
    code, shown = run(*bench.fit("fixmatch", threshold="0.3:0.5@0:0.8", steps=30, evidence=None, no_evidence=True))
    assert code == 0, shown
    assert summary(bench.out)["settings"]["threshold"] == "0.3:0.5@0.0:0.8"
    _, shown = run("fit", "fixmatch", "--help")
    assert "FROM:TO@BEGIN:END" in shown


def test_a_run_s_folder_is_loaded_as_its_model(run, bench, texts):
    run(*bench.fit())
    loaded, model = load(bench.out), load(bench.out / "model")
    p = loaded.probabilities(texts.test.text)
    np.testing.assert_array_equal(p, model.probabilities(texts.test.text))
    assert loaded.predict(texts.test.text).tolist() == [loaded.classes[i] for i in p.argmax(1)]


def test_methods_and_data_are_listed(run):
    _, shown = run("methods")
    assert all(name in shown for name in METHODS)
    _, shown = run("data", "list")
    assert all(name in shown for name in ("digits", "r8", "newsgroups", "election_tweets"))
    code, shown = run("data", "get", "digits")
    assert code == 0
    assert "1797 rows" in shown


@pytest.mark.slow
def test_the_packaged_encoder_tells_food_from_sport(run, bench):
    code, _ = run(*bench.fit(encoder=None, steps=60))
    assert code == 0
    assert summary(bench.out)["test"]["accuracy"] > 0.9


HEAVY = {"torch", "transformers", "sklearn", "scipy", "pandas", "matplotlib", "faiss", "pyarrow"}
"""Libraries that take seconds to import."""

ASK = """
import sys
sys.argv = ["tutelage", *sys.argv[1:]]
from tutelage.cli import main
try:
    main()
except SystemExit as e:
    assert not e.code, e.code
finally:
    print("\\nimported:", *sorted(HEAVY & set(sys.modules)))
"""


@pytest.mark.parametrize(
    "words",
    [
        ["--help"], ["fit", "--help"], ["predict", "--help"], ["score", "--help"], ["report", "--help"], ["methods"],
        ["data", "list"], ["models", "list"], ["verify", "--help"], ["config", "--help"],
    ],
    ids=" ".join,
)  # fmt: skip
def test_what_learns_nothing_imports_no_library_that_learns(words):
    done = subprocess.run(
        [sys.executable, "-c", f"HEAVY = {HEAVY!r}\n{ASK}", *words], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[-1] == "imported:"
