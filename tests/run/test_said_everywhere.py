"""Terminal, summary and report say the same: warnings, labels only beside the pool, and what could not be read."""

from __future__ import annotations

import html
import json
import re

import numpy as np
import pandas as pd
import pytest

from tutelage import Classifier, load

EMOJI = "\U0001f600"


def flat(page: str) -> str:
    """Words of a page, or of what a terminal shows, with single blanks."""
    body = re.sub(r"(?s)<style>.*?</style>|data:image/png;base64,[^\"]*", "", page)
    return " ".join(html.unescape(re.sub(r"<[^>]+>", " ", body)).split())


def beside(summary: dict, part: str) -> str:
    """The scores of both models as they are said, made by hand of the numbers."""
    words = []
    for name, says in (("reference", "labels only"), ("candidate", "with the pool")):
        found = summary[f"{part}{name}"]
        low, high = (100 * v for v in found["interval"])
        words.append(f"{says} {100 * found['accuracy']:.1f} % ({low:.1f} to {high:.1f})")
    return ", ".join(words)


def summary_of(folder) -> dict:
    return json.loads((folder / "summary.json").read_text())


@pytest.fixture
def leaking(bench, texts):
    """A test table of which three rows are training rows, one is of an emoji, and one is empty."""
    odd = pd.DataFrame({"text": [f"{EMOJI}{EMOJI}", ""], "label": ["food", "food"]})
    pd.concat([texts.test, texts.train[:3], odd]).to_csv(bench.folder / "test.csv", index=False)
    return bench


def test_what_is_warned_and_found_stands_in_terminal_summary_and_report(run, leaking):
    code, shown = run(*leaking.fit("mean_teacher"))
    assert code == 0, shown
    summary, page, shown = summary_of(leaking.out), flat((leaking.out / "report.html").read_text()), flat(shown)
    warned = [line["words"] for line in summary["said"] if line["kind"] == "warning"]
    (line,) = warned
    assert (
        line.startswith("3 texts of")
        and "also in the training data, or nearly, and scored apart. (docs: warnings/copies)" in line
    )
    unread = "Of 1 of 34 texts nothing could be read: it counts as wrong. (docs: warnings/nothing-to-read)"
    assert {"words": unread, "kind": "said"} in summary["said"]
    for where in (shown, page):
        assert line in where and unread in where
        assert beside(summary, "test_") in where and beside(summary, "") in where
        assert summary["evidence"]["words"] in where and summary["calibration"]["words"] in where
        assert f"always saying 'food' {100 * 18 / 34:.1f} %" in where
    assert "had a part" not in page
    apart = summary["test_without_copies"]
    assert (apart["copies"], apart["rows"]) == (3, 31) and "without_copies" not in summary["test"]
    without = {f"test_{name}": summary[f"test_{name}"]["without_copies"] for name in ("reference", "candidate")}
    assert "without_copies" in summary["test_reference"] and without["test_candidate"]["rows"] == 31
    for where in (shown, page):
        assert apart["words"] in where and f"Without them: {beside(without, 'test_')}." in where
    assert page.startswith("Did the pool help?") and page.count("Did the pool help?") == 2
    assert summary["test"]["commonest"] == {"class": "food", "share": 18 / 34}
    better = "On this test the model that was not returned ("
    scores = [summary[f"test_{name}"]["accuracy"] for name in ("reference", "candidate")]
    worse = scores[0] > scores[1] if summary["returned"] == "candidate" else scores[1] > scores[0]
    assert (better in shown) == (better in page) == worse


def test_a_test_without_copies_is_said_to_have_none(run, bench):
    code, shown = run(*bench.fit("mean_teacher"))
    assert code == 0 and "Warning" not in shown
    page = flat((bench.out / "report.html").read_text())
    assert summary_of(bench.out)["said"] == []
    assert "None of them is a copy of one of the texts that were learnt from" in page and "apart" not in page
    assert "What was said" not in page and "nothing could be read" not in page


def test_without_a_test_and_without_evidence_nothing_is_claimed(run, bench):
    code, shown = run(*bench.fit("supervised", test=None, unlabelled=None, evidence=None, no_evidence=True))
    assert code == 0, shown
    page = flat((bench.out / "report.html").read_text())
    assert page.startswith("How good is the model?") and "No estimate: the evidence was skipped" in page
    for claim in ("90 %", "the pool", "Nothing was given", "test table", "labels only at"):
        assert claim not in page.split("How it went")[0], claim


def test_the_saved_labels_only_model_is_scored_beside_the_returned_one(run, bench):
    assert run(*bench.fit("mean_teacher"))[0] == 0
    summary = summary_of(bench.out)
    words = ("score", bench.out, "--test", bench.folder / "test.csv")
    found = json.loads(run(*words, "--json")[1])
    code, shown = run(*words)
    assert code == 0
    if summary["returned"] == "reference":
        assert not (bench.out / "reference").exists() and "reference" not in found
        return
    assert found["reference"]["accuracy"] == summary["test"]["reference_accuracy"]
    assert beside(summary, "test_") in flat(shown)
    truth = pd.read_csv(bench.folder / "test.csv")
    own = load(bench.out / "reference")
    assert (own.predict(truth.text.tolist()) == truth.label).mean() == found["reference"]["accuracy"]


def test_a_text_of_which_nothing_can_be_read_gets_no_label(run, bench):
    assert run(*bench.fit("supervised"))[0] == 0
    texts = ["the soup", EMOJI, "\u200b\x07", "a goal", ""]
    pd.DataFrame({"text": texts}).to_json(bench.folder / "in.jsonl", orient="records", lines=True)
    out = bench.folder / "out.jsonl"
    code, shown = run("predict", bench.out, "--input", bench.folder / "in.jsonl", "--output", out)
    assert code == 0
    assert "Of 3 of 5 texts nothing could be read (first: row 2): they get no label." in flat(shown)
    assert "2 of 5 rows labelled (40.0 %)" in flat(shown)
    found = pd.read_json(out, lines=True)
    silent = np.array([False, True, True, False, True])
    assert (found.predicted.isna() == silent).all() and (found.probability.isna() == silent).all()
    model = load(bench.out)
    assert [label is None for label in model.predict(texts)] == silent.tolist()
    np.testing.assert_array_equal(model.probabilities(texts)[silent], 0.5)
    shown = run("predict", bench.out, "--input", bench.folder / "in.jsonl", "--output", out, "--abstain", 0.9)[1]
    assert pd.read_json(out, lines=True).predicted.isna().to_numpy()[silent].all()


@pytest.mark.parametrize("encoder", [None, "lexical"])
def test_in_python_such_a_text_has_no_class_and_is_wrong(texts, encoder_folder, encoder):
    X, y = texts.train.text.tolist(), texts.train.label.tolist()
    model = Classifier("supervised", encoder=encoder or str(encoder_folder), steps=8, folds=2, repeats=1).fit(X, y)
    with pytest.warns(UserWarning, match=r"Of 2 of 4 texts nothing could be read \(first: X\[0\]\): they get no label"):
        found = model.predict(["", X[0], EMOJI, X[1]])
    assert found[0] is None and found[2] is None and set(found[[1, 3]]) <= {"food", "sport"}
    np.testing.assert_array_equal(model.predict_proba(["", EMOJI]), 0.5)
    right = model.predict(X[:2]) == y[:2]
    with pytest.warns(UserWarning, match="nothing could be read"):
        assert model.score([*X[:2], EMOJI], [*y[:2], "food"]) == pytest.approx(right.sum() / 3)
    numbers = Classifier("supervised", encoder=encoder or str(encoder_folder), steps=8, folds=2, repeats=1)
    numbers.fit(X, [["food", "sport"].index(label) for label in y])
    with pytest.warns(UserWarning, match="nothing could be read"):
        assert numbers.predict(["", X[0]])[0] == -1


def test_an_estimator_keeps_its_warnings_and_its_summary(texts, encoder_folder):
    X, y = texts.train.text.tolist(), [label if i % 2 else label.upper() for i, label in enumerate(texts.train.label)]
    model = Classifier("supervised", encoder=str(encoder_folder), steps=8, folds=2, repeats=1)
    for _ in range(2):  # Python shows a warning of a line once; the fit keeps it each time
        with pytest.warns(UserWarning):
            model.fit([*X, *X], [*y, *[label.upper() for label in y]])
        assert model.warnings_ and all(isinstance(line, str) for line in model.warnings_)
        summary = model.summary()
        assert [line["words"] for line in summary["said"]] == model.warnings_
    assert summary["evidence"]["words"] == model.evidence_.words()
    assert (summary["labelled"], summary["returned"]) == (16, model.returned_)  # each text is there twice
    summary.clear()
    assert model.summary()["measure"] == "accuracy"
