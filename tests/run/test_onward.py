"""A fit goes on from a finished run: what it takes over, what it refuses, and what it says of both."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from benches import Bench
from conftest import sentences
from forging import forge, sealed_anew
from tutelage import Classifier, model
from tutelage.fit.rehearsal import FEW
from tutelage.kinds import stored
from tutelage.kinds.known_pool import kept
from tutelage.modalities.text.network import TextPass
from tutelage.run import taken_over
from tutelage.train.mixture import Mixture

QUICK = {"steps": 8, "test": None}
"""Options of the fits of these tests."""


@pytest.fixture(scope="module")
def world(tmp_path_factory, texts, encoder_folder):
    """Tables of two nights: in the second there are eight labels more, and twenty new texts, all about food."""
    folder = tmp_path_factory.mktemp("nights")
    for name in ("train", "pool", "test"):
        getattr(texts, name).to_csv(folder / f"{name}.csv", index=False)
    more = sentences(40, 5)
    pd.concat([texts.pool, more[more.label == "food"]]).to_csv(folder / "grown.csv", index=False)
    pd.concat([texts.train, sentences(8, 7)]).to_csv(folder / "labels.csv", index=False)
    return Bench(folder, encoder_folder)


@pytest.fixture
def night(world, run):
    """The world, with the finished run of the first night in "first"; the folder of the next run is free."""
    if not (world.folder / "first").exists():
        assert run(*world.fit(out=world.folder / "first", **QUICK))[0] == 0
    shutil.rmtree(world.out, ignore_errors=True)
    return world


def onward(night: Bench, method: str = "drift", **changes: object) -> list[object]:
    """The words of a fit that goes on from the first night, which names nothing that it can take over."""
    named = {"train": night.folder / "labels.csv", "unlabelled": night.folder / "grown.csv", "text": None}
    named |= {"label": None, "encoder": None, "folds": None, "repeats": None, "from": night.folder / "first"}
    return night.fit(method, **named | QUICK | changes)


def summary_of(folder: Path) -> dict:
    return json.loads((folder / "summary.json").read_text())


@pytest.fixture
def second(night, run):
    """The finished run of the second night, with a test, which is made once; its words."""
    whole = night.folder / "second"
    if not whole.exists():
        code, shown = run(*onward(night, out=whole, test=night.folder / "test.csv"))
        assert code == 0, shown
        (night.folder / "shown.txt").write_text(shown)
    return whole, (night.folder / "shown.txt").read_text()


def test_it_takes_kind_columns_and_encoder_from_the_run(second, night):
    was, now = (json.loads((folder / "run.json").read_text()) for folder in (night.folder / "first", second[0]))
    for name in ("kind", "kind.text", "kind.label", "kind.encoder", "method"):
        assert now[name] == was[name]
    assert now["start"] == str(night.folder / "first")
    assert "start" not in was


def test_a_third_of_the_steps_is_taken_unless_they_are_named(night, run):
    code, shown = run(*onward(night, steps=None))
    assert code == 0, shown
    assert summary_of(night.out)["training"]["steps"] == 300 // 3


def test_only_the_new_texts_are_encoded(night, run, tmp_path, monkeypatch):
    monkeypatch.setenv("TUTELAGE_CACHE", str(tmp_path))
    assert run(*night.fit(out=tmp_path / "first", **QUICK))[0] == 0
    code, shown = run(*onward(night, **{"from": tmp_path / "first"}))
    assert code == 0, shown
    assert "28 texts to encode" in shown  # 20 of the pool and 8 with labels


def test_of_a_pool_on_disk_that_grew_by_a_file_only_its_texts_are_encoded(night, run, tmp_path, monkeypatch, texts):
    monkeypatch.setenv("TUTELAGE_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(stored, "ROWS_IN_MEMORY", 20)
    (tmp_path / "pool").mkdir()
    for number, start in enumerate((0, 30)):
        texts.pool[start : start + 30].to_csv(tmp_path / "pool" / f"{number}.csv", index=False)
    code, shown = run(*night.fit(out=tmp_path / "first", **QUICK | {"unlabelled": tmp_path / "pool"}))
    assert code == 0, shown
    sentences(10, 9).to_csv(tmp_path / "pool" / "2.csv", index=False)
    encoded, real = [], TextPass.batches

    def counted(self, items, keys):
        for numbers, rows in real(self, items, keys):
            encoded.extend(items[n] for n in numbers)
            yield numbers, rows

    monkeypatch.setattr(TextPass, "batches", counted)
    code, shown = run(*onward(night, train=night.folder / "train.csv", unlabelled=tmp_path / "pool",
                              **{"from": tmp_path / "first"}))  # fmt: skip
    assert code == 0, shown
    assert "60 were in that of the run before, 10 are new" in shown
    old = set(encoded) - set(sentences(10, 9)["text"])
    assert len(old) <= 2 * FEW  # by which the forecast times the parts of the fit
    assert len(set(encoded) - old) == 10


def test_old_and_new_rows_are_told_apart_and_the_drift_is_said(second):
    changed = summary_of(second[0])["changed"]
    assert (changed["pool"], changed["old"], changed["new"], changed["gone"]) == (80, 60, 20, 0)
    assert "Of the 80 texts of the pool 60 were in that of the run before, 20 are new." in second[1]
    assert set(changed["classes"]) == {"food", "sport"}
    shares = changed["classes"]["food"]
    assert shares["old"]["low"] < shares["old"]["share"] < shares["old"]["high"]
    assert sum(each["new"]["share"] for each in changed["classes"].values()) == pytest.approx(1)


def test_what_was_said_is_what_the_two_models_say(second, night):
    """Both models predict the pool as tutelage predict does, and their shares and agreement are counted."""
    pool = pd.read_csv(night.folder / "grown.csv")["text"]
    before, now = (model.load(folder) for folder in (night.folder / "first", second[0]))
    first, then, changed = before.predict(pool), now.predict(pool), summary_of(second[0])["changed"]
    assert changed["classes"]["food"]["new"]["share"] == pytest.approx((first[60:] == "food").mean())
    assert changed["agreement"]["old"]["share"] == pytest.approx((first[:60] == then[:60]).mean())
    assert changed["confidence"]["new"] == pytest.approx(before.probabilities(pool[60:]).max(1).mean(), rel=1e-4)
    assert sum(move["count"] for move in changed["moves"]) == (first != then).sum()


def test_the_evidence_of_the_run_before_is_kept_apart(second, night):
    was, now = summary_of(night.folder / "first"), summary_of(second[0])
    assert now["evidence"] is None
    assert now["before"]["evidence"] == was["evidence"]
    assert now["before"]["evidence_of"] == "first"
    assert now["before"]["fits_since"] == 1
    assert now["before"]["run"] == "first"
    assert "The evidence is on the model of first" in second[1]
    assert "not on this one" in second[1]


def test_new_labels_are_first_scored_by_the_model_before(second, night):
    found = summary_of(second[0])["before"]["new_labels"]
    new = pd.read_csv(night.folder / "labels.csv")[16:]
    guess = model.load(night.folder / "first").predict(new["text"])
    assert found["labels"] == 8
    assert found["accuracy"] == pytest.approx((guess == new["label"]).mean())
    assert found["interval"][0] < found["accuracy"] <= found["interval"][1]


def test_both_models_are_scored_on_the_test(second, night):
    test = pd.read_csv(night.folder / "test.csv")
    guess = model.load(night.folder / "first").predict(test["text"])
    assert summary_of(second[0])["before"]["test"]["accuracy"] == pytest.approx((guess == test["label"]).mean())
    assert "On the test texts the model before has accuracy" in second[1]


def test_the_report_has_a_section_on_it(second):
    page = (second[0] / "report.html").read_text()
    assert "<h2>Since the run before</h2>" in page
    assert "share of the new texts" in page
    assert "20 are new" in page
    assert "The evidence is on the model of first" in (second[0] / "model" / "README.md").read_text()


def test_a_mixture_stays_one_with_the_same_shares(second, night):
    before, now = (model.load(folder) for folder in (night.folder / "first", second[0]))
    assert isinstance(before.network, Mixture)
    assert isinstance(now.network, Mixture)
    for name in ("shares", "temperatures", "biases"):
        assert getattr(now.network, name).tolist() == getattr(before.network, name).tolist()
    assert now.temperature == before.temperature


def test_the_training_begins_with_the_weights_of_the_run(night, run):
    """A step that is nearly none leaves the student where the run left it."""
    code, shown = run(*onward(night, steps=1, lr=1e-12))
    assert code == 0, shown
    before, now = (model.load(folder).network.parts[-1] for folder in (night.folder / "first", night.out))
    for (name, was), value in zip(before.state_dict().items(), now.state_dict().values(), strict=True):
        assert np.allclose(was, value, atol=1e-6), name


def test_the_next_night_keeps_the_evidence_of_the_first(second, night, run):
    code, shown = run(*onward(night, **{"from": second[0]}))
    assert code == 0, shown
    found = summary_of(night.out)["before"]
    assert found["run"] == "second"
    assert found["evidence_of"] == "first"
    assert found["fits_since"] == 2
    assert "2 fits ago" in shown
    assert "is that of the run before" in shown  # the pool has not grown
    assert "No label is known to be new" in shown


def test_a_pool_that_shrank_is_said(night, run, tmp_path):
    pool = pd.read_csv(night.folder / "pool.csv")
    pool[:50].to_csv(tmp_path / "shrunk.csv", index=False)
    code, shown = run(*onward(night, unlabelled=tmp_path / "shrunk.csv"))
    assert code == 0, shown
    assert "it shrank; 10 of the 60 of the run before are not in it" in shown


def test_labels_that_are_others_now_or_are_not_given_any_more_are_counted(night, run, tmp_path, texts):
    labels = texts.train.reset_index(drop=True)
    labels.loc[:2, "label"] = labels.label[:3].map({"food": "sport", "sport": "food"})
    labels[:-2].to_csv(tmp_path / "labels.csv", index=False)
    code, shown = run(*onward(night, train=tmp_path / "labels.csv"))
    assert code == 0, shown
    said = "Of the labels that first had, 3 are others now and 2 are not given any more; the evidence is on what they"
    assert said in " ".join(shown.split())
    assert "No label is known to be new" not in shown
    assert summary_of(night.out)["before"]["other_labels"] == 3


def test_a_test_of_items_that_a_run_before_learnt_is_scored_apart(night, run, tmp_path, texts):
    labels, test = texts.train, pd.read_csv(night.folder / "test.csv")
    some = pd.concat([labels.groupby("label").tail(2), test])
    labels.groupby("label").head(6).to_csv(tmp_path / "labels.csv", index=False)
    some.to_csv(tmp_path / "test.csv", index=False)
    first = tmp_path / "next"
    code, shown = run(*onward(night, train=tmp_path / "labels.csv", out=first))
    assert code == 0, shown
    changes = {"train": tmp_path / "labels.csv", "test": tmp_path / "test.csv", "from": first}
    code, shown = run(*onward(night, **changes))
    assert code == 0, shown
    shown = " ".join(shown.split())
    assert "4 texts of the test are ones that next learnt from, or nearly" in shown  # the night before next
    assert "On the test texts that were not learnt from the model before has accuracy" in shown
    found = summary_of(night.out)
    assert found["test_without_copies"]["copies"] == found["test_without_copies"]["with_labels"] == 4


def test_a_pool_that_is_not_named_any_more_is_said(night, run, tmp_path):
    assert run(*night.fit("supervised", out=tmp_path / "alone", **QUICK))[0] == 0
    code, shown = run(*onward(night, "supervised", unlabelled=None, **{"from": tmp_path / "alone"}))
    assert code == 0, shown
    assert "The new run has no pool: name that of alone" in shown
    assert "by now" not in shown


def test_rows_of_the_pool_that_got_a_label_are_counted(night, run, tmp_path, texts):
    pd.concat([texts.train, texts.pool[:4]]).to_csv(tmp_path / "labels.csv", index=False)
    texts.pool[4:].to_csv(tmp_path / "pool.csv", index=False)
    code, shown = run(*onward(night, train=tmp_path / "labels.csv", unlabelled=tmp_path / "pool.csv"))
    assert code == 0, shown
    assert "4 of the 60 of the run before are not in it, of which 4 have a label now" in shown
    assert summary_of(night.out)["before"]["new_labels"]["labels"] == 4  # without labels it knew them


def test_a_run_that_keeps_no_pool_is_gone_on_with(night, run, tmp_path):
    old = shutil.copytree(night.folder / "first", tmp_path / "old")
    (old / "pool.safetensors").unlink()
    sealed_anew(old / "model")
    code, shown = run(*onward(night, **{"from": old}))
    assert code == 0, shown
    assert "cannot be told apart" in shown
    changed = summary_of(night.out)["changed"]
    assert changed["new"] is None
    assert changed["drift"] is None
    assert set(changed["looked_at"]) == {"new"}


def test_a_labels_only_model_is_fitted_to_the_labels_alone(night, run, tmp_path):
    old = shutil.copytree(night.folder / "first", tmp_path / "alone")
    shutil.rmtree(old / "model")
    (old / "reference").rename(old / "model")
    summary = summary_of(old)
    forge(old / "summary.json", lambda found: found | {"returned": "reference"})
    code, shown = run(*onward(night, **{"from": old}))
    assert code == 0, shown
    assert "the labels alone are learnt" in shown
    found = summary_of(night.out)
    assert found["returned"] == "reference"
    assert found["reference"]["choice"] == summary["reference"]["choice"]
    assert found["before"]["new_labels"]["labels"] == 8


def test_auto_goes_on_by_the_method_of_the_run(night, run):
    code, shown = run(*onward(night, method="auto"))
    assert code == 0, shown
    assert summary_of(night.out)["method"] == "drift"


def test_hyper_parameters_of_the_run_are_taken_over_and_can_be_named(night, run, tmp_path):
    code, shown = run(*night.fit("mean_teacher", out=tmp_path / "mt", decay=0.9, weight=2, **QUICK))
    assert code == 0, shown
    code, shown = run(*onward(night, "mean_teacher", **{"from": tmp_path / "mt", "weight": 3}))
    assert code == 0, shown
    settings = summary_of(night.out)["settings"]
    assert (settings["decay"], settings["weight"]) == (0.9, 3)


def test_another_method_of_the_same_network_is_said(night, run):
    code, shown = run(*onward(night, "mean_teacher"))
    assert code == 0, shown
    assert "first was trained by drift; it goes on by mean_teacher." in shown


def test_it_is_stopped_and_resumed_to_the_same_bits(night, run, monkeypatch):
    code, shown = run(*onward(night, out=night.folder / "whole", checkpoint_seconds=0))
    assert code == 0, shown
    from tutelage.train import loop

    real, left = loop.descend, [4]

    def counted(*words):
        left[0] -= 1
        if left[0] < 0:
            raise KeyboardInterrupt
        real(*words)

    monkeypatch.setattr(loop, "descend", counted)
    assert run(*onward(night, checkpoint_seconds=0))[0] == 130
    monkeypatch.setattr(loop, "descend", real)
    code, shown = run(*onward(night, checkpoint_seconds=0, resume=True))
    assert code == 0, shown
    for name in ("model/model.safetensors", "records.json", "pool.safetensors"):
        assert (night.out / name).read_bytes() == (night.folder / "whole" / name).read_bytes(), name


def test_a_stopped_fit_is_not_resumed_from_another_run(night, run, tmp_path):
    start = shutil.copytree(night.folder / "first", tmp_path / "start")
    assert run(*onward(night, **{"from": start}))[0] == 0
    shutil.rmtree(start)
    assert run(*night.fit(out=start, seed=1, **QUICK))[0] == 0
    code, shown = run(*onward(night, resume=True, **{"from": start}))
    assert code == 2
    assert "different: content of start" in shown


def damaged(folder: Path) -> None:
    path = folder / "model" / "model.safetensors"
    held = bytearray(path.read_bytes())
    held[-3] ^= 1
    path.write_bytes(held)


def other_pool(folder: Path) -> None:
    path = folder / "pool.safetensors"
    held = bytearray(path.read_bytes())
    held[-3] ^= 1
    path.write_bytes(held)


SPOILED = {
    "not there": (shutil.rmtree, "no such folder"),
    "unfinished": (lambda folder: (folder / "manifest.json").unlink(), "is not finished"),
    "damaged weights": (damaged, "model.safetensors is not as it was written"),
    "damaged pool": (other_pool, "pool.safetensors is not as it was written"),
    "no run": (lambda folder: (folder / "run.json").unlink(), "run.json is missing"),
}


@pytest.mark.parametrize(("spoil", "says"), SPOILED.values(), ids=SPOILED)
def test_a_run_that_does_not_vouch_for_itself_is_refused(night, run, tmp_path, spoil, says):
    start = shutil.copytree(night.folder / "first", tmp_path / "start")
    spoil(start)
    code, shown = run(*onward(night, **{"from": start}))
    assert code == 2
    assert says in shown
    assert not night.out.exists()


def test_what_contradicts_the_run_is_refused(night, run):
    for changes, says in (
        ({"kind": "rows"}, "is a run of --kind texts, but the kind is rows"),
        ({"encoder": "lexical"}, "--encoder lexical contradicts --from"),
        ({"max_length": 64}, "--max-length 64 contradicts --from"),
        ({"unlabelled": None}, "now there is none"),
        ({"out": night.folder / "first"}, "name another folder"),
        ({"out": night.folder / "first" / "next"}, "name another folder"),
        ({"rules": night.folder / "rules.json"}, "begins anew"),
        ({"shares": "food=0.9,sport=0.1"}, "--shares are weighed by a fit that begins anew"),
        ({"from": None, "text": "text", "label": "label", "trust": True}, "--trust is for a fit that goes on"),
    ):
        code, shown = run(*onward(night, **changes))
        assert code == 2, shown
        assert says in shown


def test_other_classes_are_refused(night, run, tmp_path, texts):
    labels = pd.read_csv(night.folder / "labels.csv")
    pd.concat([labels, pd.DataFrame({"text": ["a ship at sea", "a boat"], "label": "sea"})]).to_csv(
        tmp_path / "more.csv", index=False
    )
    code, shown = run(*onward(night, train=tmp_path / "more.csv"))
    assert code == 2
    assert "a new class is learnt by a fit that begins anew" in shown
    labels.assign(label=labels.label.replace("sport", "games")).to_csv(tmp_path / "renamed.csv", index=False)
    code, shown = run(*onward(night, train=tmp_path / "renamed.csv"))
    assert code == 2
    assert "games" in shown


def test_an_empty_pool_is_refused(night, run, tmp_path, texts):
    texts.train[:2].assign(text="").to_csv(tmp_path / "empty.csv", index=False)
    code, shown = run(*onward(night, unlabelled=tmp_path / "empty.csv"))
    assert code == 2, shown


def test_json_has_the_words(night, run):
    code, shown = run(*onward(night), "--json")
    assert code == 0, shown
    line = next(line for line in shown.splitlines() if line.startswith('{"command"'))
    found = json.loads(line)
    assert any("20 are new" in words for words in found["words"])
    assert found["changed"]["new"] == 20


def test_the_options_of_a_run_are_written_with_the_name_of_the_command_line(second, run, night):
    code, shown = run("config", second[0])
    assert code == 0
    assert f'from = "{night.folder / "first"}"' in shown
    (night.folder / "again.toml").write_text(shown)
    code, shown = run("fit", "--config", night.folder / "again.toml", "--out", night.out)
    assert code == 0, shown
    again = (night.out / "model" / "model.safetensors").read_bytes()
    assert again == (second[0] / "model" / "model.safetensors").read_bytes()


def test_a_fit_that_begins_anew_keeps_the_hashes_of_its_pool(night):
    found = kept(night.folder / "first")
    assert len(found.pool) == 60
    assert (np.diff(found.pool.astype(object)) > 0).all()
    assert found.labelled.shape == (2, 16)


def test_look_takes_the_same_options(night, run):
    words = onward(night, out=None, steps=None)
    code, shown = run("look", *words[2:])
    assert code == 0, shown
    assert "Nothing stands against a fit" in shown


def test_a_saved_estimator_can_be_gone_on_with(night, run, tmp_path, texts):
    fitted = Classifier("drift", encoder=night.encoder, steps=8, folds=2, repeats=1)
    fitted.fit(texts.train["text"], texts.train["label"], X_unlabelled=texts.pool["text"])
    fitted.save(tmp_path / "saved")
    code, shown = run(*onward(night, **{"from": tmp_path / "saved"}))
    assert code == 0, shown
    assert "20 are new" in shown


def test_the_method_of_an_automatic_choice_is_the_one_that_counted_most():
    asked, summary = {"method": "auto"}, {"method": "committee", "shares": {"labels only": 0.6, "vat": 0.1, "dst": 0.3}}
    assert taken_over._name_of(asked, summary) == "dst"


def summary_after(run, tmp_path, words: list[object], more: list[object]) -> tuple[dict, str]:
    """Summary of a fit on a pool that grew, and what it said: the first fit is made by ``words``, it by ``more``."""
    code, shown = run("fit", *words, "--out", tmp_path / "first")
    assert code == 0, shown
    code, shown = run("fit", *more, "--from", tmp_path / "first", "--out", tmp_path / "out")
    assert code == 0, shown
    return summary_of(tmp_path / "out"), shown


def test_rows_of_numbers_go_on(run, tmp_path):
    rng = np.random.default_rng(0)
    y = np.arange(160) % 2
    table = pd.DataFrame(rng.normal(size=(160, 3)) + y[:, None], columns=["a1", "a2", "a3"])
    table.assign(y=np.where(y, "up", "down"))[:40].to_csv(tmp_path / "train.csv", index=False)
    table[40:100].to_csv(tmp_path / "old.csv", index=False)
    table[40:].to_csv(tmp_path / "grown.csv", index=False)
    of = ["mean_teacher", "--train", tmp_path / "train.csv", "--steps", "8", "--unlabelled"]
    named = ["--features", "a", "--label", "y", "--folds", "2", "--repeats", "1"]
    found, _ = summary_after(run, tmp_path, [*of, tmp_path / "old.csv", *named], [*of, tmp_path / "grown.csv"])
    assert (found["changed"]["old"], found["changed"]["new"]) == (60, 60)
    assert found["kind"] == "rows"
    other = ["--features", "a3", "a2", "a1", "--from", tmp_path / "first", "--out", tmp_path / "turned"]
    code, shown = run("fit", *of, tmp_path / "grown.csv", *other)
    assert code == 2
    assert "reads a1, a2, a3, in this order, and --features is now a3, a2, a1" in shown
    table.assign(a4=1.5)[40:].to_csv(tmp_path / "wider.csv", index=False)
    table.assign(a4=rng.normal(size=160), y=np.where(y, "up", "down"))[:40].to_csv(tmp_path / "train.csv", index=False)
    code, shown = run("fit", *of, tmp_path / "wider.csv", "--features", "a", "--from", tmp_path / "first", "--out",
                      tmp_path / "wide")  # fmt: skip
    assert code == 2
    assert "in this order, and --features is now a1, a2, a3, a4: leave --features out" in shown


def test_sentences_go_on_without_a_test_of_units_that_depend_on_each_other(run, tmp_path, encoder_folder):
    rng = np.random.default_rng(0)
    words = [[["the", "near"][i], ["soup", "goal"][k], "a", ["team", "bread"][j], str(n)]
             for n in range(9) for i in (0, 1) for j in (0, 1) for k in (0, 1)]  # fmt: skip
    rows = [{"tokens": w, "tags": ["B-FOOD" if t in ("soup", "bread") else "O" for t in w]} for w in words]
    rows = [rows[i] for i in rng.permutation(len(rows))]
    table = pd.DataFrame(rows)
    table[:16].to_parquet(tmp_path / "train.parquet")
    table[16:40].to_parquet(tmp_path / "old.parquet")
    table[16:].to_parquet(tmp_path / "grown.parquet")
    of = ["mean_teacher", "--train", tmp_path / "train.parquet", "--steps", "8", "--unlabelled"]
    named = ["--tokens", "tokens", "--tags", "tags", "--encoder", encoder_folder, "--folds", "2", "--repeats", "1"]
    found, _ = summary_after(run, tmp_path, [*of, tmp_path / "old.parquet", *named], [*of, tmp_path / "grown.parquet"])
    assert found["changed"]["old"] == 24
    assert found["changed"]["new"] == len(table) - 40
    assert found["changed"]["drift"] is None


@pytest.mark.usefixtures("small_networks")
@pytest.mark.parametrize("network", ["small_cnn", None])
def test_images_trained_whole_or_by_an_encoder_go_on(run, tmp_path, pets, network):
    grown = shutil.copytree(pets["train"], tmp_path / "grown")
    for i, path in enumerate(sorted(pets["test"].rglob("*.png"))[:6]):
        shutil.copy(path, grown / "unlabelled" / f"new{i}.png")
    of = ["mean_teacher", "--steps", "4", "--train"]
    named = ["--kind", "images", "--folds", "2", "--repeats", "1", *(["--network", network] if network else [])]
    found, _ = summary_after(run, tmp_path, [*of, pets["train"], *named], [*of, grown])
    assert (found["changed"]["old"], found["changed"]["new"]) == (18, 6)
    assert found["size"] == summary_of(tmp_path / "first")["size"]


@pytest.mark.usefixtures("small_networks")
def test_masks_go_on(run, tmp_path, squares, png):
    part = squares(24, 0)
    masks = [png(mask) if i < 10 else None for i, mask in enumerate(part.masks)]
    table = pd.DataFrame({"image": [*map(png, part.pixels)], "mask": masks})
    table[:20].to_parquet(tmp_path / "old.parquet")
    table.to_parquet(tmp_path / "grown.parquet")
    of = ["mean_teacher", "--steps", "4", "--train"]
    named = ["--images", "image", "--masks", "mask", "--no-evidence"]
    words = [*of, tmp_path / "old.parquet", *named], [*of, tmp_path / "grown.parquet"]
    found, _ = summary_after(run, tmp_path, *words)
    assert (found["changed"]["old"], found["changed"]["new"]) == (10, 4)
    assert found["changed"]["drift"] is None
