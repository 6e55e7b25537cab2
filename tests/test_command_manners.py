"""How the command behaves: JSON alone on standard output, silence, files of options, nearest names, and its help."""

from __future__ import annotations

import json
import subprocess
import sys
import time
import tomllib
from pathlib import Path

import pandas as pd
import pytest

import tutelage
from tutelage.run.config import read_toml, with_config
from tutelage.run.examples import EXAMPLES, GROUPS
from tutelage.tables import DataError


@pytest.fixture
def apart(monkeypatch, capsys):
    """Calls the command line: (exit code, standard output, standard error)."""
    from tutelage import cli

    def call(*words: object) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["tutelage", *map(str, words)])
        monkeypatch.setattr(cli.warnings, "showwarning", cli.warnings.showwarning)  # put back after the test
        with pytest.raises(SystemExit) as done, cli.warnings.catch_warnings():
            cli.warnings.simplefilter("default")
            cli.main()
        shown = capsys.readouterr()
        return int(done.value.code or 0), shown.out, shown.err

    return call


QUICK = {"method": "supervised", "no_evidence": True, "unlabelled": None}


def test_a_fit_prints_one_json_object_and_all_else_on_standard_error(apart, bench):
    code, out, err = apart(*bench.fit(**QUICK), "--json")
    assert code == 0
    found = json.loads(out)
    assert out.count("\n") == 1
    assert found["command"] == "fit" and found["method"] == "supervised"
    assert Path(found["report"]).is_file() and Path(found["model"]).is_dir()
    assert found["test"] == json.loads((bench.out / "summary.json").read_text())["test"]
    assert "Labelled texts: 16" in err


def test_predict_and_score_and_look_print_json(apart, bench):
    apart(*bench.fit(**QUICK))
    target = bench.folder / "o.csv"
    code, out, _ = apart("predict", bench.out, "--input", bench.folder / "test.csv", "--output", target, "--json")
    assert (code, json.loads(out)["output"]) == (0, str(target))
    assert len(pd.read_csv(target)) == 30
    code, out, _ = apart("score", bench.out, "--test", bench.folder / "test.csv", "--json")
    assert (code, json.loads(out)["rows"]) == (0, 30)
    words = ("--train", bench.folder / "train.csv", "--text", "text", "--label", "label")
    code, out, err = apart("look", *words, "--encoder", bench.encoder, "--json")
    assert (code, err) == (0, "")
    assert {"facts", "questions"} & set(json.loads(out))


def test_an_error_is_an_object_too_where_json_is_asked_for(apart, bench):
    code, out, err = apart(*bench.fit(**QUICK | {"text": "txt"}), "--json")
    assert code == 2
    found = json.loads(out)
    assert found["exit_code"] == 2
    assert "no column 'txt'" in found["error"]
    assert "Error: " in err and "no column 'txt'" in err


def test_a_quiet_fit_prints_nothing_and_a_quiet_score_prints_the_score(apart, bench):
    assert apart(*bench.fit(**QUICK), "--quiet") == (0, "", "")
    assert (bench.out / "report.html").is_file()
    target = bench.folder / "o.csv"
    words = ("predict", bench.out, "--input", bench.folder / "test.csv", "--output", target)
    assert apart(*words, "--quiet") == (0, "", "")
    code, out, err = apart("score", bench.out, "--test", bench.folder / "test.csv", "--quiet")
    assert (code, err) == (0, "")
    assert out.startswith("30 rows: accuracy")


def test_a_quiet_command_still_says_what_is_wrong(apart, bench):
    code, out, err = apart(*bench.fit(**QUICK | {"text": "txt"}), "--quiet")
    assert (code, out) == (2, "")
    assert err.startswith("Error: ")


def test_a_file_of_options_gives_what_the_words_leave_out():
    assert with_config(["fit", "drift", "--seed", "1"]) == ["fit", "drift", "--seed", "1"]


def test_words_come_before_the_file(tmp_path):
    file = tmp_path / "run.toml"
    file.write_text(
        'command = "fit"\nmethod = "drift"\ntrain = "a.csv"\nseed = 3\nevidence = false\nfinetune = true\n'
        'classes = ["salt, pepper", "oil"]\nsize = [8, 16]\nmax_length = 64\n'
    )
    rest = ["--train=a.csv", "--no-evidence", "--finetune", '--classes="salt, pepper",oil', "--size", "8", "16",
            "--max-length=64"]  # fmt: skip
    assert with_config(["--config", str(file)]) == ["fit", "drift", "--train=a.csv", "--seed=3", *rest[1:]]
    assert with_config(["fit", "vat", f"--config={file}", "--seed", "5"]) == ["fit", "vat", *rest, "--seed", "5"]
    assert "--no-evidence" not in with_config(["fit", "--config", str(file), "--evidence"])
    with pytest.raises(ValueError, match="holds options of tutelage fit, not of tutelage look"):
        with_config(["look", "--config", str(file)])


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ('train = "C:\\data\\x.csv"', "not readable as TOML .*single quotation marks"),
        ("[fit]\nseed = 1", "key 'fit': a text, a number, true, false or a list of these is needed"),
        ("seed = [true]", "key 'seed'"),
        ("seed", "not readable as TOML"),
    ],
)
def test_a_file_of_options_that_cannot_be_read(tmp_path, content, message):
    (tmp_path / "run.toml").write_text(content)
    with pytest.raises(DataError, match=message):
        with_config(["fit", "--config", str(tmp_path / "run.toml")])


def test_no_file_of_options(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"run\.toml: no such file"):
        read_toml(tmp_path / "run.toml")


def test_the_options_of_a_run_repeat_it(apart, bench):
    code, out, _ = apart(*bench.fit("drift", weight="0:1", classes="food,sport", seed=3, no_evidence=True), "--json")
    assert code == 0
    first = json.loads(out)
    code, out, _ = apart("config", bench.out)
    assert code == 0
    asked = tomllib.loads(out)
    assert (asked["command"], asked["method"], asked["kind"], asked["seed"]) == ("fit", "drift", "texts", 3)
    assert (asked["weight"], asked["classes"], asked["evidence"]) == ("0.0:1.0", ["food", "sport"], False)
    assert "temperature" not in asked and "device" not in asked  # defaults are left out
    file = bench.folder / "run.toml"
    assert apart("config", bench.out, "--output", file)[0] == 0
    code, out, _ = apart("fit", "--config", file, "--out", bench.folder / "again", "--json")
    assert code == 0
    again = json.loads(out)
    assert again["test"] == first["test"]
    runs = [json.loads((folder / "run.json").read_text()) for folder in (bench.out, bench.folder / "again")]
    assert runs[0] == runs[1]


def test_windows_paths_go_through_words_and_files(tmp_path):
    words = ["fit", "drift", "--train", "C:\\data\\a.csv", "--test", "C:\\x.csv"]
    assert with_config(words) == words
    (tmp_path / "run.toml").write_text("train = 'C:\\data\\a.csv'\nvoid = ['C:\\a', 'D:\\b']\n")
    assert with_config(["fit", "drift", "--config", str(tmp_path / "run.toml")])[2:] == [
        "--train=C:\\data\\a.csv", "--void=C:\\a,D:\\b",
    ]  # fmt: skip


def test_a_windows_path_is_named_whole_in_the_error(apart, tmp_path):
    code, _, err = apart("look", "--train", "C:\\data\\new\\a.csv", "--text", "text", "--label", "label")
    assert code == 2
    assert "C:\\data\\new\\a.csv" in err


def test_a_mistyped_name_fails_at_once_with_the_nearest(apart, bench, monkeypatch):
    def unasked(*_, **__):
        raise AssertionError("the network was asked")

    monkeypatch.setattr("socket.create_connection", unasked)
    monkeypatch.delenv("HF_HUB_OFFLINE", raising=False)
    for words, said in (
        (bench.fit("drft"), "no method 'drft' (did you mean 'drift'?)"),
        (("fitt", "drift"), "no command 'fitt' (did you mean 'fit'?)"),
        (bench.fit(encoder="minlm"), "encoder 'minlm' could not be loaded: there is none of that name (did you mean"),
        (bench.fit(encoder="lexcal"), "did you mean 'lexical'?"),
        (("data", "get", "digit"), "no data set 'digit' (did you mean 'digits'?)"),
        (("models", "get", "mpnt"), "no weights 'mpnt' (did you mean 'mpnet'?)"),
    ):
        start = time.perf_counter()
        code, _, err = apart(*words)
        assert code == 2
        assert said in err, err
        assert time.perf_counter() - start < 20  # the Hub's own library would retry for longer
        assert not bench.out.exists()


def test_an_encoder_of_the_hub_is_refused_at_once_where_the_hub_cannot_be_reached(apart, bench, monkeypatch):
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    code, _, err = apart(*bench.fit(encoder="nobody/minilm"))
    assert code == 2
    assert "encoder 'nobody/minilm' could not be loaded: the Hub cannot be reached from here" in err
    assert "did you mean 'minilm'?" in err


def test_the_version_needs_no_parser():
    code = "import sys; sys.argv = ['tutelage', '--version']\nfrom tutelage.cli import main\n"
    code += "try:\n    main()\nfinally:\n    print(sorted({'cyclopts', 'rich', 'torch', 'pandas'} & set(sys.modules)))"
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert found.stdout == f"{tutelage.__version__}\n[]\n"


def test_every_command_has_a_group_and_an_example():
    from tutelage.cli import build
    from tutelage.run.screen import Screen

    commands = {name for name in build((), Screen()) if not name.startswith("-")}
    assert commands == set(EXAMPLES) == {name for names in GROUPS.values() for name in names}
    assert all(text.startswith(f"tutelage {name}") for name, text in EXAMPLES.items())


def test_the_help_shows_groups_exit_codes_defaults_and_examples(apart):
    _, out, _ = apart("--help")
    shown = " ".join(out.split())
    assert all(title in out for title in GROUPS)
    assert "Exit codes: 0, done; 2," in shown
    _, out, _ = apart("fit", "drift", "--kind", "texts", "--help")
    shown = " ".join(out.replace("│", " ").split())
    assert "optimiser steps of each training. [default: 300]" in shown
    assert "peak learning rate. [default: 0.003]" in shown
    assert "at least 2. [default: 5]" in shown and "at least 1. [default: 2]" in shown
    assert "cross-validate the gain from the pool. [default: on]" in shown
    assert "Example: tutelage fit drift --train labelled.csv" in shown
    assert "--json" in out and "--quiet" in out
    _, out, _ = apart("fit", "drift", "--kind", "masks", "--help")
    assert "optimiser steps of each training. [default: 600]" in " ".join(out.replace("│", " ").split())


def test_no_color_is_heeded(apart, monkeypatch):
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.setenv("NO_COLOR", "1")
    _, out, _ = apart("--help")
    assert "\x1b[3" not in out.replace("\x1b[3m", "")  # no colour; italics are none


@pytest.mark.slow
@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_a_shell_learns_every_command_and_option(apart, shell):
    code, out, _ = apart("completion", shell)
    assert code == 0
    for word in (*EXAMPLES, "drift", "unlabelled", "suspects", "encoder", "interaction"):
        assert word in out, word


def test_a_shell_that_is_not_known_is_refused(apart):
    code, _, err = apart("completion", "tcsh")
    assert code == 2
    assert "tcsh" in err


def test_a_script_completes_the_options_of_a_command_put_in_place():
    from cyclopts import App

    from tutelage.run.completion import placed, script

    app, command = App(name="tutelage"), App(name="fit")

    @command.default
    def fit(*, unlabelled: int = 0) -> None:
        """Learn."""

    app.command("tutelage.run.lists:methods", name="fit")
    placed(app, "fit", command)
    assert "--unlabelled" in script(app, "bash")


def test_whoever_reads_no_more_ends_the_command_quietly():
    words = [sys.executable, "-m", "tutelage", "methods"]
    with subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as done:
        done.stdout.close()
        assert (done.wait(), done.stderr.read()) == (141, "")


def test_names_between_colons_are_printed_as_they_are(run, tmp_path):
    rows = "\n".join(f"a text of some words no. {i},{':x:' if i % 2 else '[b]y[/b]'}" for i in range(20))
    (tmp_path / "t.csv").write_text(f"text,label\n{rows}\n")
    code, shown = run("look", "--train", tmp_path / "t.csv", "--text", "text", "--label", "label")
    assert code == 0 and "Classes: :x: 10, [b]y[/b] 10." in shown
