"""The page docs/own-method.md, taken literally: its blocks of code are read from the page and run."""

from __future__ import annotations

import importlib.metadata
import json
import re
import shlex
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from sklearn.datasets import load_digits

from tutelage import METHODS, Classifier
from tutelage.methods import own
from tutelage.ops.own import UntrustedError

PAGE = (Path(__file__).parents[1] / "docs" / "own-method.md").read_text(encoding="utf-8")

PROTOCOL = """
name = "own"
seeds = [0]
methods = ["supervised"]
controls = ["labels only"]
settings = [{ labels = 4 }]

[steps]
steps = 10

[[data]]
name = "digits"
kind = "rows"
file = "scikit-learn:digits"
split = ""
pool = 200
scored = 100
"""


def blocks(language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", PAGE, re.S)


@pytest.fixture
def place(tmp_path, monkeypatch):
    """A folder with the page's files and the digits as a table, in which the page's blocks are run."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(str(tmp_path))
    for name in ("my_method", "my_net"):
        monkeypatch.delitem(sys.modules, name, raising=False)
    for source in blocks("python"):
        if named := re.match(r"# (\w+\.py)\n", source):
            (tmp_path / named[1]).write_text(source)
    x, y = load_digits(return_X_y=True)
    table = pd.DataFrame(x[:200], columns=[f"pixel{i}" for i in range(64)])
    table["digit"] = [str(v) if i < 80 else "" for i, v in enumerate(y[:200])]
    table.to_csv(tmp_path / "digits.csv", index=False)
    yield tmp_path
    for name in ("my_method", "my_net"):
        sys.modules.pop(name, None)


def commands() -> list[list[str]]:
    lines = [line for block in blocks("sh") for line in block.strip().splitlines()]
    assert all(line.startswith("tutelage ") for line in lines)
    return [shlex.split(line)[1:] for line in lines]


def test_the_page_s_python_runs(place, capsys):
    names: dict[str, object] = {}
    for source in blocks("python"):
        if not source.startswith("# my_"):
            exec(compile(source, "own-method.md", "exec"), names)
    said = capsys.readouterr().out
    assert "Mine(threshold=0.7" in said and "method__threshold" in said and "True" in said
    assert {p.suffix for p in (place / "own-run" / "model").rglob("*") if p.is_file()} == {
        ".json",
        ".safetensors",
        ".md",
    }
    with pytest.raises(UntrustedError, match=r"my_net:Net.*--trust, or trust=True"):
        Classifier.load("own-run")


def test_the_page_s_commands_on_a_fit_run(place, run):
    fit = [words for words in commands() if words[0] != "bench"]
    shown = [run(*words) for words in fit]
    assert [code for code, _ in shown] == [0, 0, 0], shown
    assert "least probability of a label that counts" in shown[0][1]
    summary = json.loads(Path("run/summary.json").read_text())
    assert (summary["method"], summary["settings"]["threshold"]) == ("mine", 0.7)
    assert pd.read_csv("said.csv").predicted.notna().all()
    asked = json.loads(Path("run/run.json").read_text())
    assert asked["method's code"] == "my_method:Mine" and asked["method's file"] == str(place / "my_method.py")
    (place / "my_method.py").unlink()  # a run needs no code of the method to predict
    assert run("score", "run", "--test", "digits.csv")[0] == 0
    with pytest.warns(UserWarning, match="imported with trust=True alone"):
        assert Classifier.load("run").method == "drift"


@pytest.mark.slow
def test_the_page_s_commands_on_a_benchmark_run(place, run):
    (place / "protocol.toml").write_text(PROTOCOL)
    for words in (words for words in commands() if words[0] == "bench"):
        code, shown = run(*words)
        assert code == 0, shown
    assert "my_method.py:Mine" in shown and "supervised" in shown


def test_entry_points_are_methods_by_name(place, monkeypatch, run):
    found = importlib.metadata.EntryPoint("mine", "my_method:Mine", own.GROUP)
    (toml,) = blocks("toml")
    assert f'[project.entry-points."{own.GROUP}"]' in toml and toml.strip().endswith(':Mine"')
    monkeypatch.setattr(own, "plugged", lambda: {"mine": found})
    monkeypatch.setattr(own, "package_of", lambda name: "my-package")
    assert METHODS["mine"].__name__ == "Mine" and "mine" in METHODS and "drift" in METHODS
    assert "my-package" in run("methods")[1]
    x, y = load_digits(return_X_y=True)
    model = Classifier("mine", steps=5, evidence=False).set_params(method__weight=0.5).fit(x[:60], y[:60])
    assert model.get_params()["method__weight"] == 0.5


@pytest.mark.parametrize(
    ("source", "says"),
    [
        ("x = 1", "has no 'Mine'"),
        ("class Mine: pass", "must be a class that inherits from tutelage.methods.Method"),
        ("from tutelage.methods import Method\nclass Mine(Method): pass", "must define loss, rule"),
        ("1 / 0", r"cannot be imported \(ZeroDivisionError"),
        (None, "no such file"),
        (
            "from tutelage.methods import MeanTeacher\nclass Mine(MeanTeacher):\n    extra: float = 1.0",
            r"write @dataclass\(frozen=True\) above the class",
        ),
        (
            "from dataclasses import dataclass, field\nfrom tutelage.methods import MeanTeacher\n"
            "@dataclass(frozen=True)\nclass Mine(MeanTeacher):\n    extra: float = field(kw_only=True)",
            "'extra' has none",
        ),
    ],
)
def test_what_is_no_method_is_named(tmp_path, run, source, says):
    file = tmp_path / "wrong_method.py"
    if source is not None:
        file.write_text(source)
    sys.modules.pop("wrong_method", None)
    code, shown = run("fit", f"{file}:Mine", "--train", "x.csv", "--out", "o")
    sys.modules.pop("wrong_method", None)
    assert code == 2 and re.search(says, shown), shown


def test_a_run_with_a_network_of_one_s_own_needs_trust(place, run):
    from my_net import Net

    x, y = load_digits(return_X_y=True)
    frame = pd.DataFrame(x[:200], columns=[f"pixel{i}" for i in range(64)])
    label = pd.Series(np.where(np.arange(200) < 80, y[:200], -1), name="digit")
    model = Classifier("drift", network=Net, steps=10, evidence=False).fit(frame, label)
    model.save("run")
    words = ("predict", "run", "--input", "digits.csv", "--output", "said.csv")
    code, shown = run(*words)
    assert code == 2 and "my_net:Net" in shown and "--trust" in shown
    assert not Path("said.csv").exists()
    code, shown = run(*words, "--trust")
    assert code == 0 and "Imported, as you trust it: my_net:Net." in shown
    assert pd.read_csv("said.csv").predicted.tolist() == model.predict(frame).tolist()


def test_a_network_that_cannot_be_imported_again_is_not_saved(place):
    from torch import nn

    x, y = load_digits(return_X_y=True)
    for network in (nn.Linear(64, 10), lambda: nn.Linear(64, 10)):
        model = Classifier("supervised", network=network, steps=2, evidence=False).fit(x[:60], y[:60])
        with pytest.raises(TypeError, match=r"cannot be saved, only pickled: .*; give network=functools.partial"):
            model.save("nowhere")
        assert not Path("nowhere/run.json").exists()


def test_a_labels_only_model_beside_a_network_of_one_s_own_is_saved_without_code(place):
    from my_net import Net

    x, y = load_digits(return_X_y=True)
    x, y = x[:100], y[:100]
    model = Classifier("mean_teacher", network=Net, steps=1, folds=2, repeats=1, lr=1e-6).fit(x, y)
    assert model.returned_ == "reference"
    model.save("labels-only")
    np.testing.assert_array_equal(Classifier.load("labels-only").predict_proba(x), model.predict_proba(x))


def test_the_config_of_a_run_names_the_file_of_its_method_and_says_so(place, run):
    fit = next(words for words in commands() if words[0] == "fit" and "--out" in words)
    code, shown = run(*fit)
    assert code == 0, shown
    code, shown = run("config", fit[fit.index("--out") + 1])
    assert code == 0 and re.search(r"^# It runs the code of .*my_method\.py:Mine: read that", shown, re.M)
    Path("again.toml").write_text(shown)
    code, shown = run("fit", "--config", "again.toml", "--out", "again")
    assert code == 0, shown
