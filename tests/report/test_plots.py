"""Plots are figures whose words are made of their numbers, and which a page of any width and colour can show."""

from __future__ import annotations

import io
import json
import re
from types import SimpleNamespace

import matplotlib.pyplot
import numpy as np
import pytest
from matplotlib.figure import Figure
from PIL import Image
from sklearn.metrics import precision_recall_fscore_support

import tutelage
from tutelage import plots
from tutelage.report.classes import by_class, mistakes, weakest
from tutelage.report.vector import inline_svg

DRAWN = ("scores", "confusion", "calibration", "curve", "losses", "pseudo_labels", "anticipation")


@pytest.mark.parametrize("name", DRAWN)
def test_each_picture_is_a_figure_with_words_and_leaves_no_window(record, name):
    figure = getattr(tutelage.plots, name)(record)
    assert isinstance(figure, Figure) and figure.alt and figure.caption
    assert not matplotlib.pyplot.get_fignums()
    with Image.open(io.BytesIO(figure._repr_png_())) as image:
        assert len(set(image.convert("L").tobytes())) > 10
    assert f'alt="{figure.alt[:20]}' in figure._repr_html_()


def test_the_words_say_the_numbers(record):
    assert (
        plots.confusion(record).alt
        == "38 of 41 right on the test. Most often taken for another: spam for ham (2); ham for spam (1)."
    )
    assert "“pool” goes from 0.10 to 0.30" in plots.losses(record).alt
    assert "60 % stated, 50 % right (10)" in plots.calibration(record).alt
    assert "share of the pool in use: from 20 % to 90 %" in plots.pseudo_labels(record).alt
    assert "labels only, on held-out labels 75.0 % (50.0 to 90.0)" in plots.scores(record).alt
    assert "from 0.50 at step 10 to 0.25 at step 60" in plots.anticipation(record).alt
    assert "Labels only: 75.0 %." in plots.curve(record).alt


def test_a_caption_names_only_what_is_drawn(record):
    assert "begin a round" in plots.losses(record).caption and "“pool”" in plots.losses(record).caption
    for point in record["history"]:
        point.update(round=0)
        del point["loss.pool"]
    assert plots.losses(record).caption == "The terms of the loss."
    assert "number in a cell" in plots.confusion(record).caption
    many = [f"c{i}" for i in range(20)]
    record |= {"confusion": np.eye(20, dtype=int).tolist(), "summary": record["summary"] | {"classes": many}}
    assert "number in a cell" not in plots.confusion(record).caption


def test_a_run_is_given_as_its_folder_or_as_what_knows_it(record, tmp_path):
    (tmp_path / "records.json").write_text(json.dumps(record))
    alt = plots.confusion(record).alt
    assert plots.confusion(str(tmp_path)).alt == plots.confusion(SimpleNamespace(records=lambda: record)).alt == alt


def test_what_was_not_measured_is_refused_by_name(record, tmp_path):
    del record["confusion"]
    with pytest.raises(ValueError, match="run: its records have no confusion matrix"):
        plots.confusion(record)
    with pytest.raises(FileNotFoundError, match=r"records\.json is missing"):
        plots.confusion(tmp_path)
    with pytest.raises(TypeError, match="run must be the folder of a run, a fitted estimator or records, got int"):
        plots.confusion(3)


@pytest.mark.parametrize("name", DRAWN)
def test_in_a_page_a_plot_has_letters_the_page_s_colours_and_nothing_from_elsewhere(record, name):
    svg = inline_svg(getattr(plots, name)(record))
    assert not re.search(r"http|url\(|href| id=|<style|<script|None", svg)
    assert not re.findall(r"#[0-9a-f]{6}", svg.replace("#ffffff", "").replace("#000000", ""))
    assert "<text" in svg and "var(--ink)" in svg
    assert re.match(r'<svg class="plot" role="img" aria-label="[^"]{20,}" viewBox="0 0 [\d.]+ [\d.]+">', svg)
    assert not re.search(r"<svg[^>]* width=", svg)
    assert svg == inline_svg(getattr(plots, name)(record))
    assert len(svg) < 60_000


@pytest.mark.parametrize("rows", ["test", "held out"])
@pytest.mark.parametrize("name", DRAWN)
def test_no_word_of_a_plot_is_cut(record, name, rows):
    record["rows"] = rows
    record["summary"]["classes"] = ["a name that is long", "another"]
    figure = getattr(plots, name)(record)
    figure.savefig(io.BytesIO())  # lays it out
    drawn, (width, height) = figure.get_tightbbox(), figure.get_size_inches()
    assert drawn.x0 > -0.02 and drawn.y0 > -0.02 and drawn.x1 < width + 0.02 and drawn.y1 < height + 0.02


def test_precision_and_recall_are_those_of_scikit_learn(record):
    counts = np.random.default_rng(0).integers(0, 9, (4, 4))
    counts[2, :] = 0
    y = np.repeat(np.arange(4), counts.sum(1))
    guess = np.concatenate([np.repeat(np.arange(4), row) for row in counts])
    precision, recall, _, support = precision_recall_fscore_support(y, guess, labels=range(4), zero_division=np.nan)
    found = by_class({"confusion": counts.tolist(), "summary": {"classes": list("abcd")}})
    np.testing.assert_allclose([row["precision"] for row in found], precision)
    assert [row["recall"] for row in found][2] is None
    np.testing.assert_allclose([np.nan if row["recall"] is None else row["recall"] for row in found], recall)
    assert [row["true"] for row in found] == support.tolist()


def test_the_class_that_is_missed_most_is_named_where_it_is_far_worse(record):
    assert weakest(record) == ""
    record["confusion"] = [[30, 1], [8, 2]]
    assert weakest(record) == "It finds only 2 of 10 of the class “spam” (on the test)."
    record["confusion"] = [[30, 1], [4, 0]]  # four are too few to say
    assert weakest(record) == ""


def test_mistakes_are_ordered_and_hits_are_none():
    table = {"confusion": [[9, 0, 3], [5, 9, 0], [0, 0, 9]], "summary": {"classes": list("abc")}}
    assert mistakes(table) == [("b", "a", 5), ("a", "c", 3)]
