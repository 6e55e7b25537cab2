"""Plots are written, say what the numbers say, and stay the same."""

from __future__ import annotations

import html
import re
import sys

import matplotlib
import numpy as np
import pytest
from PIL import Image
from scipy.optimize import lsq_linear

from tutelage.bench import plots, summary

BASELINE = "labels only"


def comparison(methods=4, settings=3, seeds=5):
    rng = np.random.default_rng(0)
    names = [BASELINE, *(f"method {i}" for i in range(1, methods))]
    return [
        {"data": f"set {d}", "setting": "4 a class", "seed": seed, "method": name, "score": float(score),
         "seconds": 0.0 if i == 1 else 2.0 + i}
        for i, name in enumerate(names) for d in range(settings)
        for seed, score in enumerate(rng.uniform(0.5 + i / 100, 0.6 + i / 100, seeds))
    ]  # fmt: skip


DRAW = {
    "critical_difference": lambda rows, path: plots.critical_difference(rows, path, "accuracy"),
    "cost": plots.cost,
    "gains": lambda rows, path: plots.gains(rows, BASELINE, path),
}


@pytest.fixture(params=DRAW)
def draw(request):
    if request.param == "critical_difference":
        pytest.importorskip("scikit_posthocs")
    return DRAW[request.param]


def texts(path):
    """What is written in an SVG, of which matplotlib leaves a comment."""
    return [html.unescape(t) for t in re.findall(r"<!-- (.*?) -->", path.read_text())]


def test_each_is_drawn_with_every_method_named_and_the_same_again(draw, tmp_path):
    rows = comparison()
    for name in ("a.png", "a.svg", "new/b.svg"):
        draw(rows, tmp_path / name)
    with Image.open(tmp_path / "a.png") as image:
        assert min(image.size) > 150
        assert len(set(image.convert("L").tobytes())) > 10
    assert (tmp_path / "a.svg").read_bytes() == (tmp_path / "new/b.svg").read_bytes()
    written = " | ".join(texts(tmp_path / "a.svg"))
    assert all(name in written for name in ("labels only", "method 1", "method 2", "method 3"))
    assert matplotlib.get_backend().lower() == "agg"
    assert not matplotlib.pyplot.get_fignums()


def test_other_endings_are_refused(draw, tmp_path):
    with pytest.raises(ValueError, match=r"the ending of a plot must be one of \.png, \.svg, got '\.gif'"):
        draw(comparison(), tmp_path / "a.gif")
    assert not list(tmp_path.iterdir())


def test_gaps_errors_and_single_seeds_do_not_stop_a_plot(draw, tmp_path):
    rows = comparison(seeds=1)
    rows += [rows[0] | {"method": "gap", "seconds": None}]
    rows += [rows[0] | {"method": "never", "score": None, "error": "no"}, rows[0] | {"method": "apart", "seed": 9}]
    draw(rows, tmp_path / "a.svg")
    assert "never" not in " ".join(texts(tmp_path / "a.svg"))


def test_level_methods_do_not_stop_a_plot(draw, tmp_path):
    draw([row | {"score": 0.5} for row in comparison()], tmp_path / "a.png")
    assert (tmp_path / "a.png").stat().st_size > 1000


def test_ranks_stand_beside_the_names(tmp_path):
    pytest.importorskip("scikit_posthocs")
    rows = [row | {"score": {"labels only": 0.1, "method 1": 0.3}.get(row["method"], 0.2)} for row in comparison()]
    plots.critical_difference(rows, tmp_path / "a.svg", "macro F1")
    written = texts(tmp_path / "a.svg")
    assert {"method 1  1.0", "2.5  method 2", "method 3  2.5", "4.0  labels only"} <= set(written) or {
        "method 1  1.0", "method 2  2.5", "2.5  method 3", "4.0  labels only"
    } <= set(written)  # fmt: skip
    assert "Mean rank by macro F1 on 3 data sets, 1 = best; critical difference 2.71" in written


def test_nemenyis_test_and_the_critical_difference_agree():
    posthocs = pytest.importorskip("scikit_posthocs")
    rank = summary.ranks(comparison(methods=12, settings=8))
    p = posthocs.posthoc_nemenyi_friedman(rank.each)
    mean = rank.each.mean()
    further = np.abs(mean.to_numpy()[:, None] - mean.to_numpy()) > rank.critical_difference
    assert further.any()
    assert not further.all()
    assert ((p.to_numpy() < summary.ALPHA) == further).all()


def test_without_the_package_it_is_said_what_to_install(monkeypatch, tmp_path):
    monkeypatch.setitem(sys.modules, "scikit_posthocs", None)
    with pytest.raises(ImportError, match=r"pip install 'tutelage\[bench\]'"):
        plots.critical_difference(comparison(), tmp_path / "a.png", "accuracy")


def test_one_method_alone_has_no_diagram(tmp_path):
    pytest.importorskip("scikit_posthocs")
    with pytest.raises(ValueError, match="two methods that have a score everywhere"):
        plots.critical_difference(comparison(methods=1), tmp_path / "a.png", "accuracy")
    with pytest.raises(ValueError, match="no method shares a seed with 'labels only'"):
        plots.gains(comparison(methods=1), BASELINE, tmp_path / "a.png")


def test_the_numbers_of_gains_are_those_of_pairs(tmp_path):
    rows = comparison()
    plots.gains(rows, BASELINE, tmp_path / "a.svg")
    pairs = summary.paired(rows, BASELINE)
    want = [f"{d:+.1f} ±{h:.1f}".replace("-", "−") for d, h in zip(pairs.difference, pairs.half_width, strict=True)]
    assert sorted(want) == sorted(t for t in texts(tmp_path / "a.svg") if "±" in t and "Points" not in t)


def test_forty_methods_grow_the_plot(draw, tmp_path):
    for count in (6, 40):
        draw(comparison(count, 2, 2), tmp_path / f"{count}.png")
    with Image.open(tmp_path / "6.png") as few, Image.open(tmp_path / "40.png") as many:
        assert many.size[1] > 1.5 * few.size[1]


def test_names_are_moved_apart_as_little_as_can_be():
    at, gap = np.sort(np.random.default_rng(1).uniform(0.3, 0.7, 12)), 0.03
    got = plots.apart(at, gap)
    assert (np.diff(got) >= gap - 1e-12).all()
    steps = lsq_linear(
        np.tril(np.ones((12, 12))), at - gap * np.arange(12), bounds=([0] * 12, [np.inf] * 12), tol=1e-14
    )
    assert got == pytest.approx(np.cumsum(steps.x) + gap * np.arange(12), abs=1e-6)
    assert plots.apart(np.array([0.1, 0.5]), 0.2).tolist() == [0.1, 0.5]
    edge = plots.apart(np.ones(4), 0.1)
    assert edge == pytest.approx([0.7, 0.8, 0.9, 1.0])
