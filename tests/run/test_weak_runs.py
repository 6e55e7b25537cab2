"""Votes and rules from the command line and the estimator."""

from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pytest

from tutelage import Classifier, load
from tutelage.methods import METHODS


def votes(texts, right: float = 0.9, rules: int = 4, seed: int = 0) -> np.ndarray:
    """Votes of rules that each speak of half the rows and are mostly right; 0 food, 1 sport."""
    rng = np.random.default_rng(seed)
    truth = (texts.label == "sport").to_numpy(dtype=int)
    said = np.where(rng.random((len(texts), rules)) < right, truth[:, None], 1 - truth[:, None])
    return np.where(rng.random(said.shape) < 0.5, said, -1)


NAMES = np.array(["food", "sport", "-1"])  # the last is what -1 finds


@pytest.fixture
def weak(bench, texts):
    """Train table: pool rows with votes and no label, and ten clean rows."""
    pool = texts.pool.assign(label="", **{f"lf_{j}": NAMES[v] for j, v in enumerate(votes(texts.pool).T)})
    clean = texts.train.iloc[:10].assign(**{f"lf_{j}": NAMES[v] for j, v in enumerate(votes(texts.train).T[:, :10])})
    pd.concat([pool, clean]).to_csv(bench.folder / "weak.csv", index=False)
    return bench


def fit(weak, method="drift", **changes):
    options = {"train": weak.folder / "weak.csv", "unlabelled": None, "votes": "lf_"}
    return weak.fit(method, **(options | changes))


def summary(bench) -> dict:
    return json.loads((bench.out / "summary.json").read_text())


OTHERS = [pytest.param(name, marks=pytest.mark.slow) for name in ("self_training", "vat", "uda", "cosine", "bond")]


@pytest.mark.parametrize("method", ["supervised", "mean_teacher", "drift", *OTHERS])
def test_every_method_learns_from_votes(run, weak, method):
    code, shown = run(*fit(weak, method, steps=300))
    assert code == 0, shown
    found = summary(weak)
    assert found["weak"]["rows"] == 60
    assert 40 < found["weak"]["covered"] <= 60
    assert [f["name"] for f in found["weak"]["functions"]] == ["lf_0", "lf_1", "lf_2", "lf_3"]
    assert found["labelled"] == 10
    assert found["test"]["stage_one_accuracy"] > 0.6
    assert found["calibration"]["labels"] == 10  # the clean ones, which are not learnt
    assert "stage I comes before" in shown
    assert "Rules: 4, which vote on" in shown
    page = (weak.out / "report.html").read_text()
    assert "lf_3" in page
    assert "estimated accuracy" in page


def test_a_method_for_noisy_labels_is_stage_one(run, weak):
    networks = []
    for method in ("supervised", "gce"):
        run(*fit(weak, method, steps=60, out=weak.folder / method))
        networks.append((weak.folder / method / "model" / "model.safetensors").read_bytes())
    found = json.loads((weak.folder / "gce" / "summary.json").read_text())
    assert found["tried"] == "taught"
    assert found["test"]["stage_one_accuracy"] == found["test"]["candidate_accuracy"]
    assert networks[0] != networks[1]


def test_supervised_is_stage_one_alone(run, weak):
    run(*fit(weak, "supervised", steps=60))
    test = summary(weak)["test"]
    assert test["stage_one_accuracy"] == test["candidate_accuracy"]


def test_clean_labels_are_looked_at_not_learnt_from(run, weak, texts):
    """Ten labels turned round would be learnt by heart; what learns the votes does not agree with them."""
    found = []
    for turned in (False, True):
        table = pd.read_csv(weak.folder / "weak.csv", keep_default_na=False)
        if turned:
            table["label"] = table.label.replace({"food": "sport", "sport": "food"})
        table.to_csv(weak.folder / "weak.csv", index=False)
        out = weak.folder / f"out{turned}"
        code, _ = run(*fit(weak, "supervised", steps=300, out=out, label_model="majority"))
        assert code == 0
        found.append(json.loads((out / "summary.json").read_text()))
    assert found[0]["candidate"]["accuracy"] > 0.6 > found[1]["candidate"]["accuracy"]
    assert found[0]["reference"]["choice"] != "stage I: the weak labels alone"


def test_without_clean_labels_nothing_is_measured_and_it_says_so(run, weak):
    table = pd.read_csv(weak.folder / "weak.csv", keep_default_na=False)
    table[table.label == ""].drop(columns="label").to_csv(weak.folder / "bare.csv", index=False)
    code, shown = run(*fit(weak, train=weak.folder / "bare.csv", label=None, test=None))
    assert code == 0, shown
    assert "nothing can measure whether this helps" in shown
    found = summary(weak)
    assert found["evidence"] is None
    followed = found["returned"] == "teacher"  # where the game left it by too much
    assert followed or found["returned"] == "candidate"
    assert followed == ("The teacher alone is followed" in shown)
    assert found["classes"] == ["food", "sport"]
    assert "Classes, by the votes: food, sport." in shown


def test_rules_from_a_file(run, weak, subjects):
    rules = [{"label": k, "keywords": list(words[:4]), "name": f"some {k}"} for k, words in subjects.items()]
    rules.append({"label": "food", "regex": "never there"})
    (weak.folder / "rules.json").write_text(json.dumps(rules))
    code, shown = run(*fit(weak, votes=None, rules=weak.folder / "rules.json", steps=60))
    assert code == 0, shown
    assert "Rule 'rule 3' votes on no row." in shown
    found = summary(weak)
    assert [f["accuracy"] for f in found["weak"]["functions"][:2]] == [1.0, 1.0]
    assert found["weak"]["silent"] == ["rule 3"]


def test_a_list_column_of_numbers(run, weak, texts):
    table = texts.pool.assign(label="", votes=[json.dumps(v) for v in votes(texts.pool).tolist()])
    clean = texts.train.assign(votes="[-1, -1, -1, -1]", label=(texts.train.label == "sport").astype(int).astype(str))
    pd.concat([table, clean]).to_csv(weak.folder / "list.csv", index=False)
    test = texts.test.assign(label=(texts.test.label == "sport").astype(int))
    test.to_csv(weak.folder / "test01.csv", index=False)
    code, shown = run(*fit(weak, train=weak.folder / "list.csv", votes="votes", test=weak.folder / "test01.csv"))
    assert code == 0, shown
    assert summary(weak)["classes"] == ["0", "1"]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (
            lambda t: t.assign(lf_1=["spam", *t.lf_1[1:]]),
            r"row 1, function 'lf_1': votes for 'spam', which is not among",
        ),
        (lambda t: t.assign(**{f"lf_{j}": "-1" for j in range(4)}), "no rule votes on any row"),
        (lambda t: t.drop(columns=[f"lf_{j}" for j in range(4)]), "no column 'lf_'"),
        (lambda t: t.assign(label=["food", *[""] * 69]), "only one class, 'food'; two are needed"),
    ],
)
def test_bad_votes_are_named(run, weak, change, message):
    table = pd.read_csv(weak.folder / "weak.csv", keep_default_na=False)
    change(table).to_csv(weak.folder / "weak.csv", index=False)
    code, shown = run(*fit(weak))
    assert code == 2
    assert message in shown
    assert not weak.out.exists()


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"rules": "r.json"}, "give --votes or --rules, not both"),
        ({"distant": "d"}, "--distant is of --kind sentences, but the kind is texts"),
        ({"label_model": "oracle"}, "model must be one of majority, weighted"),
        ({"label": None}, "--test needs --label"),
    ],
)
def test_bad_words_are_named(run, weak, changes, message):
    code, shown = run(*fit(weak, **changes))
    assert code == 2
    assert message in shown


def test_after_votes_only_methods_without_a_slow_teacher_go_on_learning_them():
    rng = np.random.default_rng(0)
    y = np.repeat([0, 1, 2], 100)
    x, table = rng.normal(size=(300, 5)) + 3 * np.eye(5)[y], np.where(rng.random(300) < 0.3, (y + 1) % 3, y)[:, None]
    loose = {name for name, m in METHODS.items() if m.uses_pool and not m.anchored}
    assert loose == {
        "drift", "mean_teacher", "cutmix_mean_teacher", "self_training", "noisy_student", "bond", "cosine",
    }  # fmt: skip
    for name in ("vat", "pi_model", "fixmatch", "deep_co_training", "meta_pseudo_labels", "dmt", "dst", "flexmatch"):
        model = Classifier(name, steps=100, evidence=False).fit(x, votes=table)
        assert (model.predict(x) == y).mean() > 0.85, name


def test_the_estimator_takes_votes(texts, encoder_folder, tmp_path):
    x, table = list(texts.pool.text), votes(texts.pool)
    model = Classifier("supervised", encoder=str(encoder_folder), steps=300).fit(x, votes=table)
    assert model.classes_.tolist() == [0, 1]
    assert model.evidence_ is None
    assert len(model.votes_["functions"]) == 4
    y = (texts.pool.label == "sport").to_numpy()
    assert (model.predict(x) == y).mean() > 0.65
    model.save(tmp_path / "m")
    assert np.array_equal(load(tmp_path / "m").probabilities(x), model.predict_proba(x))


def test_the_estimator_takes_votes_on_arrays_beside_clean_labels():
    rng = np.random.default_rng(0)
    y = rng.integers(0, 2, 200)
    x = rng.normal(size=(200, 5)) + 2 * y[:, None]
    table = np.where(rng.random((200, 3)) < 0.85, y[:, None], 1 - y[:, None])
    known = np.where(np.arange(200) < 20, y, -1)
    model = Classifier("mean_teacher", steps=60, folds=2, repeats=1).fit(x, known, votes=pd.DataFrame(table))
    assert model.evidence_.labels == 20
    assert (model.predict(x) == y).mean() > 0.9
    gaps = np.where(known < 0, np.nan, known)
    again = Classifier("mean_teacher", steps=60, folds=2, repeats=1).fit(x, gaps, votes=table)
    assert np.array_equal(again.predict_proba(x), model.predict_proba(x))  # labels with gaps are floats
    with pytest.raises(ValueError, match=r"votes must be of shape \(200, rules\), got \(200, 0\)"):
        Classifier().fit(x, votes=table[:, :0])
    with pytest.raises(ValueError, match=r"votes\[0, 0\] must be a label or -1, got 0.7"):
        Classifier().fit(x, votes=np.full((200, 2), 0.7))
    with pytest.raises(ValueError, match="votes: no rule votes on any row"):
        Classifier().fit(x, votes=np.full((200, 2), -1))
    with pytest.raises(ValueError, match=r"votes must be of shape \(200, rules\), got \(200,\)"):
        Classifier().fit(x, votes=table[:, 0])
    with pytest.raises(ValueError, match="no rule votes on any row"):
        Classifier().fit(x, known, votes=np.full((200, 2), -1))


def test_a_killed_stage_one_goes_on(texts, weak, run, monkeypatch):
    """Stopped in stage I and resumed, the run ends in the same bits."""
    code, _ = run(*fit(weak, "mean_teacher", steps=40, out=weak.folder / "whole"))
    assert code == 0
    from tutelage.fit import after_weak_labels as beside

    real = beside.train_by_all

    def stopped(*words, tick=None, **more):
        def cut(step):
            if step == 25:
                raise KeyboardInterrupt
            tick(step)

        return real(*words, tick=cut, **more)

    monkeypatch.setattr(beside, "train_by_all", stopped)
    code, _ = run(*fit(weak, "mean_teacher", steps=40, checkpoint_seconds=0))
    assert code == 130
    assert (weak.out / "parts" / "stage-i-weak-labels.unfinished").exists()
    monkeypatch.setattr(beside, "train_by_all", real)
    code, shown = run(*fit(weak, "mean_teacher", steps=40, checkpoint_seconds=0, resume=True))
    assert code == 0, shown
    same = [(f / "model" / "model.safetensors").read_bytes() for f in (weak.out, weak.folder / "whole")]
    assert same[0] == same[1]


def test_ssld_leaves_out_rows_of_the_pool_that_are_tested(run, weak, texts):
    copied = pd.concat([texts.test, texts.pool.iloc[:7].assign(text=lambda t: t.text + " ")])
    copied.to_csv(weak.folder / "copied.csv", index=False)
    for method, left_out in (("ssld", True), ("distil", False)):
        code, shown = run(*fit(weak, method, test=weak.folder / "copied.csv", out=weak.folder / method))
        assert code == 0, shown
        assert ("Left out: 7 of 60 unlabelled items, which are copies of test items." in shown) == left_out
