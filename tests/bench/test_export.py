"""Other libraries get the same splits and features, and no label that they may not see."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import numpy as np
import pytest

from tutelage.bench import export as exporting
from tutelage.bench.cells import cell
from tutelage.bench.export import ask, export, missing_questions
from tutelage.bench.peers import Peer
from tutelage.bench.protocol import read_protocol
from tutelage.bench.running import cell_key, current
from tutelage.bench.summary import paired
from tutelage.cli import build
from tutelage.run.screen import Screen

TOML = """
name = "small"
methods = ["supervised"]
seeds = [0, 1]
settings = [{ labels = 4 }]

[steps]
steps = 5

[[data]]
name = "digits"
kind = "rows"
file = "scikit-learn:digits"
split = ""
pool = 300
scored = 200
"""

SCRIPT = """
import sys
import numpy as np
method, seed, folder, out = sys.argv[1:]
cell = np.load(folder + "/cell.npz")
assert sorted(cell) == ["classes", "x_labelled", "x_pool", "x_test", "y_labelled"]
if method == "broken":
    raise RuntimeError("no such method")
apart = [((cell[part][:, None] - cell["x_labelled"]) ** 2).sum(-1).argmin(1) for part in ("x_test", "x_pool")]
test, pool = (cell["y_labelled"][i] for i in apart)
np.savez(out, test=test, pool=pool, seconds=0.5)
"""


@pytest.fixture
def nearest(tmp_path, monkeypatch) -> tuple[Peer, ...]:
    script = tmp_path / "nearest.py"
    script.write_text(SCRIPT)
    monkeypatch.setattr(exporting, "environment", lambda peer, root, say: Path(sys.executable))
    given = {"requirements": ("numpy==2.4.6",), "kinds": (), "seconds": 60}
    return (Peer(name="near", script=script, methods=("one", "broken"), **given),)


def test_what_is_exported_is_what_the_methods_get_and_holds_no_other_label(small, tmp_path):
    protocol = read_protocol(small)
    (data, setting), *_ = protocol.cells()
    given = cell(protocol.model_dump_json(), tmp_path, data, setting, 0, ("weak",))
    export(given, tmp_path, items=False)
    found = np.load(tmp_path / "cell.npz")
    assert np.array_equal(found["x_labelled"], given.drawn.labelled.items)
    assert np.array_equal(found["y_labelled"], given.drawn.labelled.y)
    assert np.array_equal(found["x_pool"], given.problem.pool.rows.numpy())
    assert np.array_equal(found["x_test"], given.scored.rows.numpy())
    assert {len(found[name]) for name in found if name != "classes"} == {40, 260, 200}


def test_a_peer_is_scored_by_us_its_failure_is_a_line_and_nothing_is_asked_twice(small, nearest, tmp_path):
    protocol = read_protocol(small)
    rows = list(ask(protocol, tmp_path, missing_questions(protocol, nearest, []), lambda line: None))
    assert [(r["seed"], r["method"]) for r in rows] == [
        (s, f"near: {m}") for s in (0, 1) for m in ("one", "broken")
    ]  # fmt: skip
    good, bad = [r for r in rows if "error" not in r], [r for r in rows if "error" in r]
    assert all(0.6 < r["score"] < 1 and r["seconds"] == 0.5 for r in good)
    assert all("no such method" in r["error"] for r in bad)
    again = missing_questions(protocol, nearest, rows)
    assert [q.method for q in again] == ["broken"] * 2
    assert current(protocol, rows) == rows


def test_no_answer_is_of_another_cell(small, nearest, tmp_path):
    small.write_text(TOML.replace("{ labels = 4 }", "{ labels = 4 }, { weak = true }"))
    protocol = read_protocol(small)
    rows = list(ask(protocol, tmp_path, missing_questions(protocol, nearest, []), lambda line: None))
    assert all(("error" in r) == (r["setting"] == "weak labels" or r["method"] == "near: broken") for r in rows)


def test_a_peer_of_texts_is_not_asked_about_rows(small, nearest):
    of_texts = nearest[0].model_copy(update={"kinds": ("texts",)})
    assert not missing_questions(read_protocol(small), (of_texts,), [])


def test_another_script_makes_the_lines_missing_again(small, nearest, tmp_path):
    protocol = read_protocol(small)
    rows = list(ask(protocol, tmp_path, missing_questions(protocol, nearest, []), lambda line: None))
    nearest[0].script.write_text(SCRIPT + "\n")
    assert len(missing_questions(protocol, nearest, rows)) == len(rows)


def test_table_and_plot_hold_methods_and_peers_side_by_side(small, tmp_path, capsys):
    protocol = read_protocol(small)
    from tutelage.bench.running import jobs

    lines = [{"protocol": "small"} | j.name | {"score": 0.5 + 0.1 * (j.learner == "supervised") + 0.01 * j.seed,
             "pool_score": 0.4, "seconds": 1.0, "peak_mb": 9} for j in jobs(protocol)]  # fmt: skip
    (data, setting), *_ = protocol.cells()
    for cell_of, found in ((cell_key(protocol, data, setting), 0.7), ("of other splits", 0.9)):
        lines += [dict(lines[0], method="near: one", seed=s, score=found, key="x", cell=cell_of) for s in (0, 1)]
    lines.append(dict(lines[0], key="of another protocol", score=0.9))
    results = tmp_path / "results" / "protocols" / "small.jsonl"
    results.parent.mkdir(parents=True)
    results.write_text("".join(json.dumps(line) + "\n" for line in lines))
    words = ["bench", "table", str(small)]
    build(words, Screen())(words, result_action="return_value")
    out = capsys.readouterr().out
    assert "near: one" in out
    assert "supervised" in out
    assert "90.0" not in out
    assert paired(current(protocol, lines), "labels only").set_index("method").difference[
        "supervised"
    ] == pytest.approx(10)
    words = ["bench", "plot", str(small), "--out", str(tmp_path / "plots")]
    build(words, Screen())(words, result_action="return_value")
    assert {p.name for p in (tmp_path / "plots").iterdir()} == {"ranks.png", "gains.png", "cost.png"}
