"""The story of a row agrees with the ledger, which lies in the run; and what is refused is said in a line."""

from __future__ import annotations

import json
import re
import warnings
from dataclasses import dataclass

import numpy as np
import pandas as pd
import pytest
import torch

from conftest import draw_squares
from tutelage import Classifier, Segmenter, Tagger
from tutelage.files import seal
from tutelage.game import Simultaneous
from tutelage.kinds.ledger import LEDGER, PLACES, KeptLedger
from tutelage.methods.base import Method, on_labels
from tutelage.types import Terms


@pytest.fixture
def fitted(run, bench):
    """A run on a pool in which row 4 is a copy of row 2, and row 6 one of a row of the training table."""
    pool = pd.read_csv(bench.folder / "pool.csv")
    pool.loc[3, "text"] = pool.loc[1, "text"]
    pool.to_csv(bench.folder / "pool.csv", index=False)
    train = pd.read_csv(bench.folder / "train.csv")
    train.loc[[2, 5], "label"] = None
    train.to_csv(bench.folder / "train.csv", index=False)
    code, shown = run(*bench.fit("fixmatch", threshold=0.7, steps=60, lr=0.01, no_adapt=True, test=None))
    assert code == 0, shown
    return bench.out


def test_the_stories_of_twenty_rows_agree_with_the_parquet(run, bench, fitted):
    table = pd.read_parquet(fitted / LEDGER)
    assert len(table) >= 60 and table.flips.max() > 0 and (table.weight == 0).any()
    rng, told = np.random.default_rng(0), 0
    rows = [int(row) for row in rng.permutation(np.setdiff1d(np.arange(1, 61), [4]))[:20]]
    for row in rows:
        code, shown = run("why", fitted, row, "--of", "pool.csv")
        assert code == 0, shown
        of = table[(table.source == str(bench.folder / "pool.csv")) & (table.row == row)]
        lines = re.findall(r"steps (\d+)-(\d+): (.*?) said (\w+) \((\d+) %\), (learnt|not learnt)", shown)
        assert lines == [
            (str(r.first_step), str(r.last_step), r.teacher, r.label, f"{100 * r.probability:.0f}",
             "learnt" if r.weight > 0 else "not learnt")
            for r in of.itertuples()
        ]  # fmt: skip
        told += len(lines)
        assert pd.read_csv(bench.folder / "pool.csv").text[row - 1] in shown
        assert "In the end the model says" in shown
        after = of.flips.max() - of[of.weight > 0].flips.min() if (of.weight > 0).any() else None
        if after is None:
            assert "None of its labels counted" in shown
        elif after == 0:
            assert "never revised" in shown
        else:
            assert "after it was first learnt" in shown
    assert told >= 20
    values = json.loads(run("why", fitted, rows[0], "--of", "unlabelled", "--json")[1])
    of = table[(table.source == str(bench.folder / "pool.csv")) & (table.row == rows[0])]
    assert [c["label"] for c in values["changes"]] == of.label.tolist()
    assert np.allclose([c["probability"] for c in values["changes"]], of.probability)


def test_labelled_rows_copies_and_rows_of_the_training_table_are_told_apart(run, bench, fitted):
    assert "It was labelled" in run("why", fitted, 1)[1]
    assert "It had no label" in run("why", fitted, 3)[1]
    shown = run("why", fitted, 4, "--of", bench.folder / "pool.csv")[1]
    assert f"It is a copy of {bench.folder / 'pool.csv'}, row 2" in shown
    first = run("why", fitted, 2, "--of", "unlabelled")[1]
    assert re.findall("steps.*", shown) == re.findall("steps.*", first) != []


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["999"], "has no row 999: the rows that were read are 1 to 16"),
        (["0"], "has no row 0: the rows that were read are 1 to 16"),
        (["one"], "row must be a number, got 'one'"),
        (["3", "--of", "other.csv"], "'other.csv' is none of the sources that were read"),
    ],
)
def test_a_row_that_is_not_there_is_said_in_a_line(run, fitted, words, says):
    code, shown = run("why", fitted, *words)
    assert code == 2 and says in shown and shown.count("Error:") == 1


def test_a_table_that_was_changed_or_removed_leaves_the_place_alone(run, bench, fitted):
    path = bench.folder / "pool.csv"
    text = pd.read_csv(path).text[4]
    assert text in run("why", fitted, 5, "--of", "unlabelled")[1]
    path.write_text(path.read_text().replace(text, "something else"))
    shown = run("why", fitted, 5, "--of", "unlabelled")[1]
    assert "was changed since the fit" in shown and "something else" not in shown and "In the end" not in shown
    path.unlink()
    shown = run("why", fitted, 5, "--of", "unlabelled")[1]
    assert "is not there any more" in shown and "steps" in shown


def test_the_manifest_covers_the_ledger(run, fitted):
    assert {LEDGER, PLACES} <= set(json.loads((fitted / "manifest.json").read_text())["files"])
    data = bytearray((fitted / LEDGER).read_bytes())
    data[100] ^= 1
    (fitted / LEDGER).write_bytes(bytes(data))
    code, shown = run("verify", fitted)
    assert code == 2 and f"{LEDGER} is not as it was written" in shown
    code, shown = run("why", fitted, 3)
    assert code == 2 and f"{LEDGER} is not as it was written" in shown
    (fitted / LEDGER).unlink()
    code, shown = run("verify", fitted)
    assert code == 2 and "missing" in shown


def test_runs_without_a_ledger_say_why(run, bench, fitted):
    for name in (LEDGER, PLACES):
        (fitted / name).unlink()
    seal(fitted)
    code, shown = run("why", fitted, 3)
    assert code == 2 and "holds no ledger of pseudo-labels: it is of a version that kept no ledger" in shown
    train = pd.read_csv(bench.folder / "train.csv").dropna()
    train.to_csv(bench.folder / "train.csv", index=False)
    out = bench.folder / "alone"
    assert run(*bench.fit("drift", out=out, unlabelled=None, test=None))[0] == 0
    code, shown = run("why", out, 3)
    assert code == 2 and "learnt from no pool" in shown
    code, shown = run("why", bench.folder / "nowhere", 3)
    assert code == 2 and "no such folder" in shown


def test_a_run_of_the_command_and_an_estimator_tell_the_same(run, bench, fitted):
    model = Classifier.load(fitted)
    found = model.why(7, of="pool.csv")
    assert [line for line in found.words if "steps" in line] != []
    model.save(bench.folder / "again")
    assert (bench.folder / "again" / LEDGER).read_bytes() == (fitted / LEDGER).read_bytes()
    assert run("verify", bench.folder / "again")[0] == 0
    assert Classifier.load(bench.folder / "again").why(7, of="pool.csv").words == found.words


def test_python_values_are_counted_from_zero_and_copies_are_known(texts, encoder_folder, tmp_path):
    X, y = texts.train.text.tolist(), [*texts.train.label[:-2], None, None]
    pool = [*texts.pool.text[:20], texts.pool.text[0]]
    model = Classifier("self_training", encoder=str(encoder_folder), steps=24, folds=2, repeats=1)
    model.fit(X, y, X_unlabelled=pool)
    assert "It was labelled" in str(model.why(0))
    assert "X[15]" in str(model.why(15)) and "of the 22 texts of the pool" in str(model.why(15))
    copy = model.why(20, of="X_unlabelled")
    assert copy.place.state == "copy" and copy.place.first == "X_unlabelled[0]"
    assert copy.changes == model.why(0, of="X_unlabelled").changes != []
    assert {row["teacher"] for row in copy.changes} <= {f"the student of round {k}" for k in range(1, 9)}
    with pytest.raises(ValueError, match="X has no row 16: the rows that were read are 0 to 15"):
        model.why(16)
    with pytest.raises(ValueError, match="no ledger of pseudo-labels"):
        Classifier(encoder=str(encoder_folder), steps=4, evidence=False).fit(X[:14], y[:14]).why(0)
    model.save(tmp_path / "run")
    table = pd.read_parquet(tmp_path / "run" / LEDGER)
    assert set(table.source) == {"X", "X_unlabelled"}


def test_sentences_are_told_word_by_word(subjects, encoder_folder, tmp_path):
    sentences = [["the", word, "was", "near"] for words in subjects.values() for word in words]
    tags = [["O", "B-FOOD" if i < 8 else "B-SPORT", "O", "O"] for i in range(16)]
    given = [t if i % 2 else None for i, t in enumerate(tags)]
    model = Tagger("drift", encoder=str(encoder_folder), steps=24, folds=2, repeats=1).fit(sentences, given)
    story = model.why(2)
    assert {row["unit"] for row in story.changes} == {1, 2, 3, 4}
    assert "word by word" in str(story) and re.search(r"\n  2: \S+ \d+ % \(steps \d+-\d+", str(story))
    model.save(tmp_path / "run")
    table = pd.read_parquet(tmp_path / "run" / LEDGER)
    assert table.unit.between(1, 4).all() and set(table.label) <= {"O", "B-FOOD", "B-SPORT", "I-FOOD", "I-SPORT"}


def test_a_ledger_that_is_no_ledger_is_refused(tmp_path):
    from tutelage.files import BadFileError

    pd.DataFrame({"a": [1]}).to_parquet(tmp_path / LEDGER)
    with pytest.raises(BadFileError, match=r"places\.parquet: missing"):
        KeptLedger.kept(tmp_path)
    (tmp_path / PLACES).write_bytes((tmp_path / LEDGER).read_bytes())
    with pytest.raises(BadFileError, match=r"ledger\.parquet: not written by tutelage, or damaged"):
        KeptLedger.kept(tmp_path)
    (tmp_path / LEDGER).write_bytes(b"PAR1 and nothing")
    with pytest.raises(BadFileError, match=r"ledger\.parquet: not written by tutelage, or damaged"):
        KeptLedger.kept(tmp_path)


def test_the_summary_and_the_report_count_as_the_parquet_does(fitted):
    (told,) = json.loads((fitted / "summary.json").read_text())["pseudo_labels"]
    table = pd.read_parquet(fitted / LEDGER)
    learnt = table[table.weight > 0].groupby("item").first()
    last = table.groupby("item").last()
    assert told["learnt"] == len(learnt)
    assert told["unrevised"] == int((last.flips[learnt.index] == learnt.flips).sum())
    used = last[last.weight > 0].label.value_counts(normalize=True)
    assert told["in_use"] == (last.weight > 0).sum()
    for name, found in told["classes"].items():
        assert found["last"] == pytest.approx(used.get(name, 0.0))
    moves = table.assign(before=table.groupby("item").label.shift()).dropna(subset="before")
    moves = moves[moves.before != moves.label].groupby(["before", "label"]).size()
    assert {(m["from"], m["to"]): m["count"] for m in told["flips"]} == moves.to_dict()
    page = (fitted / "report.html").read_text()
    assert "What it taught itself" in page and told["words"][0] in page


@dataclass(frozen=True)
class AlwaysFirst(Method):
    """Gives all of the pool one class, whatever it is."""

    @property
    def rule(self):
        return Simultaneous(("student",))

    def loss(self, who, batch, play, task, memory):
        ones = torch.ones(len(batch.unlabelled.index))
        seen = {"label": torch.zeros(len(ones), dtype=torch.long), "confidence": ones, "weight": ones}
        return Terms({"supervised": on_labels(play["student"], batch, task)}, seen)


def test_a_collapse_is_warned_of_when_the_fit_ends():
    rng = np.random.default_rng(0)
    y = np.arange(120) % 3
    X = rng.normal(size=(120, 4)) + 4 * np.eye(3, 4)[y]
    given = np.where(np.arange(120) < 30, y, -1)
    with pytest.warns(UserWarning, match=r"pseudo-labels of candidate \(always_first\) have collapsed: in the end 100"):
        model = Classifier(AlwaysFirst(), steps=60, folds=2, repeats=1).fit(X, given)
    (told,) = model.summary()["pseudo_labels"]
    assert told["alarm"] and any("warnings/collapse" in line for line in model.warnings_)
    assert "have collapsed" in model._repr_html_()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        told = Classifier("drift", steps=60, folds=2, repeats=1).fit(X, given).summary()["pseudo_labels"]
    assert told[0]["alarm"] == ""


def test_masks_keep_no_ledger_and_it_is_said(run, tmp_path):
    scenes = draw_squares(8, 0)
    masks = [mask if i < 4 else None for i, mask in enumerate(scenes.masks)]
    model = Segmenter("cutmix_mean_teacher", steps=2, evidence=False, size=(16, 16)).fit(list(scenes.pixels), masks)
    with pytest.raises(ValueError, match="no ledger of pseudo-labels: it had no pool, learnt pixels"):
        model.why(5)
    model.save(tmp_path / "run")
    code, shown = run("why", tmp_path / "run", 5)
    assert code == 2 and "no ledger is kept of pixels" in shown
