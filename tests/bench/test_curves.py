"""Learning curves: what is asked for is learnt, nothing else is, and a line says what it cost and brought."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from tutelage.ask import select
from tutelage.bench import curves
from tutelage.bench.cells import cell, draw
from tutelage.bench.curves import Campaign, labels_only
from tutelage.bench.keys import key_of
from tutelage.bench.protocol import Loop, read_protocol
from tutelage.bench.running import jobs, missing, run
from tutelage.fit.problem import Plan
from tutelage.fit.reference import name_of, reference_model
from tutelage.fit.setup import Setup
from tutelage.train import predict

TOML = """
name = "small"
controls = []
selectors = ["random", "auto", "margin + self_training", "variation"]
seeds = [0]
settings = [{ budgets = [20, 30, 50] }]

[steps]
steps = 20

[[data]]
name = "digits"
kind = "rows"
file = "scikit-learn:digits"
split = ""
pool = 300
scored = 200
"""


def campaign(path, by, method=None):
    protocol = read_protocol(path)
    (data, setting), *_ = protocol.cells()
    return Campaign.of(protocol, path.parent, data, setting, 0, Loop(by=by, method=method))


def test_a_line_holds_the_curve_and_its_area(small):
    protocol = read_protocol(small)
    lines = [run(protocol, small.parent, job) for job in jobs(protocol)]
    assert [line["method"] for line in lines] == ["by random", "by auto", "by margin + self_training", "by variation"]
    for line in lines:
        assert "error" not in line
        (a, first), (b, second), (c, third) = ((k, s) for k, s, *_ in line["curve"])
        assert (a, b, c) == (20, 30, 50)
        assert line["score"] == pytest.approx((10 * (first + second) / 2 + 20 * (second + third) / 2) / 30)
        assert third > first
    assert lines[0]["curve"][0] == lines[1]["curve"][0] == lines[3]["curve"][0]  # the same first labels
    again = run(protocol, small.parent, jobs(protocol)[1])
    assert again["curve"] == lines[1]["curve"]
    assert not missing(protocol, lines)


def test_first_labels_hold_each_class_and_count(small):
    protocol = read_protocol(small)
    (data, setting), *_ = protocol.cells()
    for seed in range(5):
        drawn = draw(data, setting, small.parent, seed)
        assert len(drawn.labelled) == len(set(drawn.chosen.tolist())) == 20
        assert set(drawn.labelled.y.tolist()) == set(range(10))
        assert sorted([*drawn.chosen, *drawn.others]) == list(range(300))


def test_what_is_asked_for_is_what_the_selector_says(small):
    found = campaign(small, "margin")
    (labelled, model), (more, _), *_ = found.steps()
    said = predict(model.network, found.first.problem.task, found.first.problem.pool).double().softmax(-1).numpy()
    pool = np.asarray(found.start.others)
    assert found.probabilities(model, labelled)[pool] == pytest.approx(said)
    gap = np.sort(said, 1)[:, -1] - np.sort(said, 1)[:, -2]
    assert set(more[20:].tolist()) == set(pool[np.argsort(gap)[:10]].tolist())
    assert found.ask(model, labelled, 10).index.tolist() == more[20:].tolist()
    assert select("margin", found.rows, found.probabilities(model, labelled), labelled, 10, 20).index.tolist() == (
        more[20:].tolist()
    )


def test_labels_that_nobody_asked_for_are_not_read(small):
    found = campaign(small, "cluster_margin")
    before = list(found.steps())
    asked = before[-1][0]
    y = (found.y + 1) % 10
    y[asked] = found.y[asked]
    cut = replace(found.start.cut, learn=replace(found.start.cut.learn, y=y))
    after = list(replace(found, start=replace(found.start, cut=cut)).steps())
    for (one, a), (other, b) in zip(before, after, strict=True):
        assert one.tolist() == other.tolist()
        assert found.score(a) == found.score(b)


def test_the_model_of_the_curve_is_the_labels_only_reference_where_every_class_has_two_labels(small):
    small.write_text(TOML.replace("budgets = [20, 30, 50]", "labels = 6").replace("selectors", "#"))
    protocol = read_protocol(small)
    (data, setting), *_ = protocol.cells()
    given = cell(protocol.model_dump_json(), small.parent, data, setting, 0, ())
    folds = given.problem.folds(Plan(folds=5, repeats=1), 0)
    reference = reference_model(Setup(replace(given.problem, decays=()), given.training), folds, None)
    ours = labels_only(given.problem.probe, 0)
    assert reference.name == name_of(ours.choice)
    assert ours.right.tolist() == given.problem.scored(reference.honest).right.tolist()
    theirs, mine = (predict(m.network, given.problem.task, given.scored) for m in (reference, ours))
    assert mine.tolist() == theirs.tolist()


def test_a_class_with_one_label_is_learnt_in_every_fold(small, monkeypatch):
    found = campaign(small, "random")
    y = found.y
    first = [np.flatnonzero(y == c)[:3] for c in range(4)]
    chosen = np.concatenate([*first, np.flatnonzero(y == 9)[:1]])
    probe = replace(found.first.problem.probe, x=found.rows[chosen], y=y[chosen])
    seen = []
    held_out = type(probe).held_out

    def watched(self, folds, choice):
        seen.extend(folds)
        return held_out(self, folds, choice)

    monkeypatch.setattr(type(probe), "held_out", watched)
    assert len(labels_only(probe, 0).right) == 12
    for index, out in seen:
        assert 12 in index.tolist()
        assert 12 not in out.tolist()
        assert sorted([*index, *out]) == list(range(13))


def test_without_two_labels_of_a_class_nothing_is_held_out(small):
    found = campaign(small, "random")
    one = [int(np.flatnonzero(found.y == c)[0]) for c in range(10)]
    assert not len(found.learnt(np.array(one)).right)


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("[20, 30, 50]", "[20]", "budgets: must be two numbers at least, rising, got"),
        ("[20, 30, 50]", "[30, 20]", "budgets: must be two numbers at least, rising"),
        ("budgets = [20, 30, 50]", "budgets = [20, 30], labels = 4", "budgets: must stand alone"),
        ('"random",', '"hardest",', "selectors: 'hardest' must be one of actune, auto, cluster"),
        ('"random",', '"auto",', "selectors: 'auto' is there twice"),
        ("self_training", "selftraining", "selectors: 'selftraining' must be one of"),
        ("controls = []", 'controls = ["labels only"]', "settings: budgets are for selectors alone"),
        ("budgets = [20, 30, 50]", "labels = 4", "settings: budgets are for selectors alone, and selectors need them"),
    ],
)
def test_what_cannot_be_is_named(small, old, new, words):
    small.write_text(TOML.replace(old, new))
    with pytest.raises(ValueError, match=words):
        read_protocol(small)


def test_too_few_first_labels_end_in_the_line(small):
    small.write_text(TOML.replace("[20, 30", "[9, 30"))
    protocol = read_protocol(small)
    line = run(protocol, small.parent, jobs(protocol)[0])
    assert line["error"] == "digits: budgets must begin with 10 labels at least, one of each class"


def test_keys_change_with_budgets_and_the_version_of_curves(small, monkeypatch):
    def found():
        protocol = read_protocol(small)
        (data, setting), *_ = protocol.cells()
        return {name: key_of(protocol, data, setting, name) for name in protocol.learners}

    before = found()
    assert len(set(before.values())) == 4
    with monkeypatch.context() as patch:
        patch.setattr(curves, "VERSION", curves.VERSION + 1)
        assert not set(found().values()) & set(before.values())
    small.write_text(TOML.replace("50]", "60]"))
    assert not set(found().values()) & set(before.values())
