"""What lines hold beside a score: the evidence of a fit, what weak labels say by themselves, and gold labels."""

from __future__ import annotations

import pandas as pd
import pytest

from tutelage.bench.cells import cell, encoded
from tutelage.bench.protocol import Protocol, read_protocol
from tutelage.bench.running import jobs, missing, run
from tutelage.fit.evidence import Prior
from tutelage.fit.fit import fit
from tutelage.methods import MeanTeacher

TOML = """
name = "small"
methods = ["mean_teacher"]
controls = ["labels only"]
seeds = [0]
settings = [{ labels = 4 }]

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


def test_a_line_holds_the_evidence_of_a_fit_and_the_same_score(small):
    plain = read_protocol(small)
    small.write_text(TOML.replace("[steps]", "[tuning]\nevidence = true\n\n[steps]"))
    protocol = read_protocol(small)
    job = next(j for j in jobs(protocol) if j.learner == "mean_teacher")
    line = run(protocol, small.parent, job)
    before = run(plain, small.parent, next(j for j in jobs(plain) if j.learner == "mean_teacher"))
    assert line["score"] == before["score"]
    assert line["key"] != before["key"]
    given = cell(protocol.model_dump_json(), small.parent, job.data, job.setting, 0, ("weak",))
    alone = fit(given.problem, MeanTeacher(), given.training, Prior(), given.plan())
    assert (line["observed"], line["standard_error"], line["evidence_labels"]) == (
        round(alone.evidence.observed, 6), round(alone.evidence.error, 6), 40,
    )  # fmt: skip
    assert line["reference"] == given.score(given.predict(alone.reference))[0]
    assert "error" not in line
    done = [j for j in missing(protocol, [line]) if j.learner == "mean_teacher"]
    assert not done


@pytest.fixture
def ruled(tmp_path):
    """Texts with rules' votes, and a protocol of what they are worth."""
    texts = pd.DataFrame({
        "text": ["good film", "bad film", "a film"] * 8, "label": ["pos", "neg", "neg"] * 8,
        "split": ["train"] * 15 + ["test"] * 9, "votes": [[1, -1], [-1, 0], [-1, -1]] * 8,
    })  # fmt: skip
    texts.loc[0, "votes"] = [0, -1]  # a rule errs on what is learnt from
    texts.to_parquet(tmp_path / "t.parquet")
    data = {"name": "t", "kind": "texts", "file": "t.parquet", "weak": "votes"}
    protocol = Protocol(
        name="p", methods=("supervised",), controls=("label model",), settings=({"weak": True}, {"gold": True}),
        data=(data,), seeds=(0,), steps={"steps": 30},
    )  # fmt: skip
    return protocol, tmp_path


def test_the_label_model_says_what_the_votes_say(ruled):
    protocol, folder = ruled
    lines = [run(protocol, folder, j) for j in jobs(protocol) if j.learner == "label model"]
    assert [line["setting"] for line in lines] == ["weak labels", "gold labels of the same items"]
    assert [line["score"] for line in lines] == [1.0, 1.0]  # silent rows get the commonest weak label, neg
    assert lines[0]["pool_score"] == pytest.approx(14 / 15)


def test_gold_labels_are_those_of_the_items_with_weak_ones(ruled):
    protocol, folder = ruled
    (data, setting), = [(d, s) for d, s in protocol.cells() if s.gold]  # fmt: skip
    drawn = cell(protocol.model_dump_json(), folder, data, setting, 0, ("weak",)).drawn
    assert sorted(drawn.labelled.items) == sorted(["good film", "bad film"] * 5)
    assert drawn.labelled.y.tolist() == [1, 0] * 5  # the truth, not the votes
    assert set(drawn.rest.items) == {"a film"}


def test_what_has_no_weak_labels_says_so(small):
    small.write_text(TOML.replace("labels = 4", "gold = true").replace('["labels only"]', '["label model"]'))
    protocol = read_protocol(small)
    assert {run(protocol, small.parent, j)["error"] for j in jobs(protocol)} == {
        "digits has no weak labels: name their column"
    }
    small.write_text(TOML.replace('["labels only"]', '["label model"]'))
    protocol = read_protocol(small)
    line = run(protocol, small.parent, jobs(protocol)[0])
    assert line["error"] == "label model needs weak labels of the items to score on"


def test_features_of_rows_are_refused(small):
    (data, _), *_ = read_protocol(small).cells()
    with pytest.raises(ValueError, match="digits has no encoder: its rows are features"):
        encoded(data, small.parent)
