"""The agreement gate, against scikit-learn's kappa and annotators of known error."""

import json

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import cohen_kappa_score

from tutelage.ops.agreement import kappa, kappas
from tutelage.run.gate import BELOW, UNKNOWN, judged
from tutelage.tables import DataError
from tutelage.weak import Source

NAMES = np.array(["billing", "delivery", "other"])


def annotated(y, wrong, rng, classes=3):
    """Labels of an annotator that errs on the given share of each class's rows, evenly among the others."""
    other = (y + rng.integers(1, classes, len(y))) % classes
    return np.where(rng.random(len(y)) < np.asarray(wrong)[y], other, y)


def one_hot(said, classes=3):
    return np.eye(classes)[said]


@pytest.fixture
def said(tmp_path):
    """A table of two people, who err on 3 % of the rows, and a teacher that takes every delivery for something else."""
    rng = np.random.default_rng(0)
    y = rng.integers(3, size=400)
    people = [annotated(y, [0.03] * 3, rng) for _ in range(2)]
    said = np.where((y == 1) & (rng.random(400) < 0.6), 2, y)
    table = pd.DataFrame({"text": [f"text {i}" for i in range(400)]})
    for name, labels in zip(("h1", "h2"), people, strict=True):
        table[name] = NAMES[labels]
    for k, name in enumerate(NAMES):
        table[f"p_{name}"] = np.where(said == k, 0.8, 0.1)
    table.loc[300:, ["h1", "h2"]] = None
    table.loc[390:, [f"p_{name}" for name in NAMES]] = None
    path = tmp_path / "said.parquet"
    table.to_parquet(path)
    return path, people, said


@pytest.mark.parametrize("seed", range(5))
def test_kappa_is_that_of_scikit_learn_label_by_label_and_as_a_mean(seed):
    rng = np.random.default_rng(seed)
    y = rng.integers(3, size=80)
    a, b, c = (annotated(y, [0.1, 0.3, 0.2], rng) for _ in range(3))
    assert kappa(a, b) == pytest.approx(cohen_kappa_score(a, b), abs=1e-12)
    assert kappa(NAMES[a], NAMES[b]) == pytest.approx(cohen_kappa_score(a, b), abs=1e-12)
    ratings = np.stack([a, b, c])
    ratings[1, :30] = -1
    expected = np.mean([cohen_kappa_score(a, c), cohen_kappa_score(b[30:], c[30:])])
    found = kappas(ratings, [(0, 2), (1, 2)])
    assert found.kappa == pytest.approx(expected, abs=1e-12) and found.items == 80
    assert found.low < found.kappa < found.high


def test_the_interval_is_that_of_resampled_rows():
    rng = np.random.default_rng(1)
    y = rng.integers(2, size=150)
    a, b = (annotated(y, [0.1, 0.2], rng, 2) for _ in range(2))
    draws = [cohen_kappa_score(a[i], b[i]) for i in (rng.integers(0, 150, 150) for _ in range(1500))]
    found = kappas(np.stack([a, b]), [(0, 1)])
    assert [found.low, found.high] == pytest.approx(np.quantile(draws, [0.05, 0.95]), abs=0.02)


def test_equal_raters_have_one_and_constant_ones_are_told():
    a = np.array([0, 1, 2, 1])
    assert kappa(a, a) == 1 and kappas(np.stack([a, a]), [(0, 1)]).kappa == 1
    same = np.zeros(4, dtype=int)
    assert kappa(same, same) is None and kappas(np.stack([same, same]), [(0, 1)]).kappa is None
    assert kappa(same, a) == 0  # one alone is constant: agreement is that of chance
    y = np.arange(20) % 2
    found = judged(Source("t", one_hot(y)), {"h": y}, list(NAMES), 0.6)
    assert [each.verdict(found)[0] for each in found.labels] == ["passes", "passes", UNKNOWN]
    assert not found.labels[2].passes and not found.refused.any()


def test_the_command_says_which_labels_pass(run, said):
    path, people, teacher = said
    code, shown = run("teacher", path, "--humans", "h1,h2", "--gate", "0.6", "--json")
    assert code == 0, shown
    found = json.loads(shown[shown.index("{") :])["teachers"][0]
    assert found["labels"] == 300  # the first person stands for --label
    labels = {each["label"]: each for each in found["gate"]["labels"]}
    for k, name in enumerate(NAMES):
        first, second, by = (each[:300] == k for each in (*people, teacher))
        assert labels[name]["people"]["kappa"] == pytest.approx(cohen_kappa_score(first, second))
        both = (cohen_kappa_score(first, by) + cohen_kappa_score(second, by)) / 2
        assert labels[name]["teacher"]["kappa"] == pytest.approx(both)
    assert labels["billing"]["verdict"] == "passes" and labels["delivery"]["verdict"] == BELOW
    assert found["gate"]["refused"] == (teacher[:390] == 1).sum() + (teacher[:390] == 2).sum() * (
        not labels["other"]["passes"]
    )
    code, shown = run("teacher", path, "--humans", "h1,h2", "--gate", "0.6")
    assert code == 0 and "Accuracy is beside the labels of h1." in shown
    assert "Below the gate, and not learnt from teacher p_: delivery" in shown and "kappa: people" in shown


def test_the_table_that_is_written_is_silent_on_what_is_below_the_gate(run, said, tmp_path):
    path, _, teacher = said
    out = tmp_path / "gated.parquet"
    code, shown = run("teacher", path, "--humans", "h1,h2", "--gate", "0.65", "--out", out)
    assert code == 0, shown
    before, after = pd.read_parquet(path), pd.read_parquet(out)
    columns = [f"p_{name}" for name in NAMES]
    refused = {line.split()[0] for line in shown.splitlines() if " below" in line}
    assert "delivery" in refused and "billing" not in refused
    silent = np.isin(NAMES[teacher], list(refused)) | (np.arange(400) >= 390)
    assert (after[columns].isna().all(axis=1).to_numpy() == silent).all()
    assert after[columns][~silent].astype(float).equals(before[columns][~silent])
    assert after[["text", "h1", "h2"]].equals(before[["text", "h1", "h2"]])
    code, shown = run("teacher", out, "--label", "h1")  # the table is one that the commands read
    assert code == 0 and f"speaks of {(~silent).sum()} of 400 rows" in shown
    code, shown = run("teacher", path, "--humans", "h1,h2", "--gate", "0.65", "--out", out)
    assert code == 2 and "exists: name another file" in shown


def test_a_teacher_of_labels_falls_silent_too_and_one_person_is_enough(run, said, tmp_path):
    path, _, teacher = said
    table = pd.read_parquet(path)[["text", "h1"]].assign(by=NAMES[teacher], sure="0.9")
    table.to_csv(tmp_path / "a.csv", index=False)
    words = ("--humans", "h1", "--gate", "0.65", "--teacher-label", "by", "--teacher-confidence", "sure")
    code, shown = run("teacher", tmp_path / "a.csv", *words, "--out", tmp_path / "b.csv")
    assert code == 0, shown
    after = pd.read_csv(tmp_path / "b.csv", dtype=str)
    assert after.by.isna().sum() == after.sure.isna().sum() > 0
    assert (after.by.isna() | (after.by != "delivery")).all()


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("--gate", "0.6"), "--gate needs --humans"),
        (("--out", "b.csv"), "--out needs --humans"),
        (("--humans", "h1,h2", "--out", "b.csv"), "--out needs --gate"),
        (("--humans", "h1,h1"), "each column once"),
        (("--humans", "h1", "--gate", "2"), "--gate must be in [-1, 1]"),
        (("--humans", "h1,h3"), "no column 'h3'"),
        (("--humans", "h1", "--skip-bad"), "leave out --skip-bad"),
        (("--humans", "h1", "--teacher-label", "h1"), "a column of the teacher itself"),
        (("--humans", "h1,h2", "--gate", "1", "--out", "{tmp}/b.csv"), "no label of teacher 'p_' passes the gate"),
        (("--humans", "h1", "--gate", "0.6", "--out", "{tmp}/said.parquet"), "would overwrite"),
    ],
)
def test_bad_words_of_the_gate_are_one_line(run, said, tmp_path, words, message):
    code, shown = run("teacher", said[0], *(word.replace("{tmp}", str(tmp_path)) for word in words))
    assert code == 2, shown
    assert message in shown and "Traceback" not in shown
    assert not (tmp_path / "b.csv").exists()


def test_too_few_rows_in_common_are_refused_and_a_strange_label_is_named(run, said, tmp_path):
    table = pd.read_parquet(said[0])
    table.assign(h1=table.h1.where(np.arange(400) < 9)).to_parquet(tmp_path / "few.parquet")
    code, shown = run("teacher", tmp_path / "few.parquet", "--humans", "h1")
    assert code == 2 and "have 9 rows in common" in shown
    table.assign(h2=table.h2.mask(np.arange(400) == 7, "deliverey")).to_parquet(tmp_path / "odd.parquet")
    code, shown = run("teacher", tmp_path / "odd.parquet", "--humans", "h1,h2")
    assert code == 2 and "'deliverey'" in shown


def test_people_who_do_not_agree_are_told(run, said, tmp_path):
    rng = np.random.default_rng(3)
    table = pd.read_parquet(said[0])
    table.assign(h2=np.where(table.h2.isna(), None, NAMES[rng.integers(3, size=400)])).to_parquet(
        tmp_path / "a.parquet"
    )
    code, shown = run("teacher", tmp_path / "a.parquet", "--humans", "h1,h2", "--gate", "0.3")
    assert code == 0 and "the people agree less than the gate themselves" in shown


@pytest.mark.parametrize(("wrong", "rate"), [(0.30, 0.0), (0.02, 1.0)])
def test_an_annotator_of_known_error_is_refused_below_and_taken_above(wrong, rate):
    passed = []
    for seed in range(30):
        rng = np.random.default_rng(seed)
        y = rng.integers(3, size=300)
        people = {name: annotated(y, [0.03] * 3, rng) for name in ("h1", "h2")}
        gate = judged(Source("t", one_hot(annotated(y, [wrong] * 3, rng))), people, list(NAMES), 0.6)
        passed += [each.passes for each in gate.labels]
    assert abs(np.mean(passed) - rate) <= 0.1


def test_ten_rows_are_the_least():
    y = np.arange(9) % 2
    with pytest.raises(DataError, match="9 rows in common"):
        judged(Source("t", one_hot(y, 2)), {"h": y}, ["a", "b"], 0.6)
