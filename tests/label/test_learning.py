"""What is learnt from the labels of a page: which labels, by which command, and what is said where it cannot be."""

from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pytest

pytest.importorskip("starlette", reason="the extra serve is not installed")

from tutelage.kinds.images import Images
from tutelage.kinds.texts import Texts
from tutelage.label.campaign import Given, RefusedError
from tutelage.label.commands import LabelOptions
from tutelage.label.jobs import Jobs
from tutelage.label.learning import Learning
from tutelage.label.start import campaign
from tutelage.label.words import on_page
from tutelage.tables import USUAL


class Told(list):
    """Takes what is said."""

    def say(self, line: str) -> None:
        self.append(line)

    answer = say


def give(labels, rows, classes):
    for row, name in zip(rows, classes, strict=True):
        labels.answer("ann", Given(row, labels.items.key(row), "label", name))


def test_labels_that_are_too_few_are_told_before_a_fit_begins(tmp_path):
    path = tmp_path / "mine.csv"
    pd.DataFrame({"text": [f"text {i}" for i in range(9)]}).to_csv(path, index=False)
    with campaign(Texts(text="text"), None, LabelOptions(train=path), Told()) as (labels, _):
        learning = Learning(labels, Jobs(tmp_path / "jobs"), USUAL)
        give(labels, [0, 1], ["a", "a"])
        with pytest.raises(RefusedError, match="all labels are 'a': label an item of another class"):
            learning.learn()
        give(labels, [2], ["b"])
        with pytest.raises(RefusedError, match=r"'b' has one label.*label one more"):
            learning.learn()
        assert not learning.jobs.all()


def test_labels_that_were_typed_into_the_table_are_learnt_beside_those_of_the_page(tmp_path):
    path, run = tmp_path / "ask.csv", tmp_path / "run"
    typed = ["a", "", "b", "", ""]
    frame = {"text": [f"text {i}" for i in range(5)], "label": typed, "asked_by": ["margin"] * 5}
    pd.DataFrame(frame).to_csv(path, index=False)
    run.mkdir()
    (run / "run.json").write_text(json.dumps({"answers": ["first.csv"]}))
    with campaign(Texts(text="text", label="label"), path, LabelOptions(), Told()) as (labels, _):
        learning = Learning(labels, Jobs(tmp_path / "jobs"), USUAL, run=run)
        give(labels, [2, 3], ["a", "a"])  # the first corrects what was typed
        folder = learning.jobs.new_folder()
        learnt = [*learning._typed(folder), learning._labels(folder)]
        tables = [pd.read_csv(each) for each in learnt]
    assert [dict(zip(each.text, each.label, strict=True)) for each in tables] == [
        {"text 0": "a"}, {"text 2": "a", "text 3": "a"},
    ]  # fmt: skip


@pytest.mark.slow
def test_a_folder_of_images_without_classes_is_labelled_and_learnt(tmp_path, run):
    from PIL import Image

    folder, draws = tmp_path / "flat", np.random.default_rng(0)
    folder.mkdir()
    for i in range(24):
        pixels = np.zeros((32, 32, 3), np.uint8)
        pixels[..., i % 2 * 2] = 200
        noise = draws.integers(0, 40, pixels.shape, dtype=np.uint8)
        Image.fromarray(pixels + noise).save(folder / f"{i:02d}.png")
    with campaign(Images(), None, LabelOptions(train=folder), Told()) as (labels, _):
        learning = Learning(labels, Jobs(tmp_path / "jobs"), USUAL, "supervised")
        rows = labels.queue[:10].tolist()
        give(labels, rows, ["ab"[int(labels.items.name(row)[:2]) % 2] for row in rows])
        made = learning.jobs.new_folder()
        words = learning._fit(made, learning._labels(made))
    code, shown = run("fit", *words, "--out", tmp_path / "run", "--steps", 5)
    assert code == 0, shown
    found = json.loads((tmp_path / "run" / "summary.json").read_text())
    assert (found["labelled"], found["classes"]) == (10, ["a", "b"])


def test_an_error_is_told_without_options_and_with_what_to_do():
    error = "class 'z' has one label; label one more (the evidence needs two), or pass --no-evidence"
    log = f"Read.\nError: {error}; or go on with --rare leave-out (docs: x)"
    said = on_page(log)
    assert said.startswith("Nothing was learnt: class 'z' has one label; label one more (the evidence needs two). ")
    assert "--" not in said and "docs:" not in said and "learn again" in said
    assert on_page("all is well") == ""
