"""What a command prints steers no terminal, whatever labels, columns and files are called."""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys

import pandas as pd
import pytest

from tutelage.run.screen import Screen

EVIL = "a\x1b[2J\x9b31m\u202eb\u200b\x07"
SHOWN = "a\\x1b[2J\\x9b31m\\u202eb\\u200b\\x07"


@pytest.mark.parametrize("way", ["say", "answer", "tell", "fail", "table"])
def test_each_way_of_printing_writes_out_what_steers(way, capsys):
    screen = Screen()
    if way == "table":
        screen.table([EVIL], [[EVIL], [":x: [bold]b[/bold]"]], title=EVIL)
    else:
        getattr(screen, way)(f"{EVIL} :x: [bold]b[/bold]")
    shown = "".join(capsys.readouterr())
    assert shown.count(SHOWN) == (3 if way == "table" else 1)
    assert ":x: [bold]b[/bold]" in shown
    assert not set(shown) & set("\x1b\x9b\u202e\u200b\x07")


def test_json_holds_what_steers_and_bytes_of_names_as_escapes(capsys):
    Screen().json({"label": EVIL, "file": "\udcff.png"})
    out = capsys.readouterr().out
    assert out.isascii() and out.rstrip("\n").isprintable()
    assert json.loads(out) == {"label": EVIL, "file": "\udcff.png"}


def test_labels_and_columns_never_reach_the_terminal_raw(run, tmp_path):
    rows = [(f"the {word} is here {i}", f"{EVIL}{word}") for i in range(4) for word in ("soup", "goal")]
    pd.DataFrame(rows, columns=["text", "l\x1b[1mabel"]).to_csv(tmp_path / "t.csv", index=False)
    code, shown = run("look", "--train", tmp_path / "t.csv", "--text", "text", "--label", "l\x1b[1mabel")
    assert code == 0, shown
    assert SHOWN.split("\\x9b", maxsplit=1)[0] in shown and "l\\x1b[1mabel" in shown
    assert not {c for c in shown if not c.isprintable()} - {"\n"}


def test_words_that_are_not_utf_8_are_refused_before_anything_is_read(run, tmp_path):
    code, shown = run("look", "--train", tmp_path / "\udcff.csv", "--text", "text", "--label", "label", "--json")
    assert code == 2
    assert f"Error: {tmp_path}/\\xff.csv: not UTF-8 but other bytes; rename the file or folder" in shown


@pytest.mark.skipif(sys.platform != "linux", reason="names are bytes on Linux alone")
def test_images_of_names_that_are_not_utf_8_are_refused_at_reading(run, pictures_folder):
    bad = os.fsencode(pictures_folder / "food") + b"/\xff.png"
    with open(bad, "wb") as file:
        file.write((pictures_folder / "food" / "0.png").read_bytes())
    code, shown = run("look", "--kind", "images", "--train", pictures_folder)
    assert code == 2
    assert "/food/\\xff.png: a name that is not UTF-8, so that no table can hold it; rename it" in shown


@pytest.fixture
def pictures_folder(tmp_path):
    from PIL import Image

    for name, shade in (("food", 10), ("sport", 200)):
        (tmp_path / "images" / name).mkdir(parents=True)
        for i in range(3):
            Image.new("RGB", (8, 8), (shade, 7 * i, 3 * i)).save(tmp_path / "images" / name / f"{i}.png")
    return tmp_path / "images"


@pytest.mark.skipif(sys.platform != "linux", reason="names are bytes on Linux alone")
def test_passed_over_files_of_names_that_are_not_utf_8_are_said(run, pictures_folder):
    with open(os.fsencode(pictures_folder / "food") + b"/notes.\xff", "wb") as file:
        file.write(b"x")
    code, shown = run("look", "--kind", "images", "--train", pictures_folder, "--json")
    assert code == 0, shown
    assert "\\\\xff" in shown


def test_a_fault_of_the_library_is_told_without_steering(monkeypatch):
    from tutelage import cli

    monkeypatch.setattr(sys, "stderr", io.StringIO())
    cli._tell_of_fault(KeyError, KeyError("a"), None)
    cli._tell_of_fault(RuntimeError, RuntimeError(EVIL), None)
    assert sys.stderr.getvalue() == f"KeyError: 'a'\nRuntimeError: {SHOWN}\n"


def test_a_terminal_of_ascii_alone_gets_all_lines():
    words = [sys.executable, "-m", "tutelage", "fitt…"]
    done = subprocess.run(
        words, env={**os.environ, "PYTHONIOENCODING": "ascii"}, capture_output=True, text=True, check=False
    )
    assert done.returncode == 2
    assert "no command 'fitt\\u2026'" in done.stderr


def test_a_limit_of_addresses_below_what_the_libraries_take_is_told_at_once():
    resource = pytest.importorskip("resource")
    limit = (1 << 30, resource.getrlimit(resource.RLIMIT_AS)[1])
    words = [sys.executable, "-m", "tutelage", "look", "--train", "a.csv"]
    done = subprocess.run(
        words, capture_output=True, text=True, check=False,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_AS, limit),
    )  # fmt: skip
    assert done.returncode == 2
    assert done.stderr.startswith("Error: the address space is limited to 1 GB (ulimit -v)")
