"""The page: one file, small, legible, with the answer first, and nothing for experts outside their fold."""

from __future__ import annotations

import base64
import html
import io
import json
import re

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from tutelage import Classifier
from tutelage.report.page import write_report

LARGEST = 2_000_000
FOR_EXPERTS = ("rung", "nats", "anticipating", "direct gradient", "log-loss", "probability of harm", "prior", "logit")


@pytest.fixture
def written(tmp_path):
    """Writes the report of records; its HTML."""

    def write(record) -> str:
        (tmp_path / "records.json").write_text(json.dumps(record))
        return write_report(tmp_path).read_text()

    return write


def words(page: str) -> str:
    return " ".join(html.unescape(re.sub(r"<[^>]+>", " ", re.sub(r"(?s)<style>.*?</style>", "", page))).split())


def test_the_answer_comes_first_with_both_numbers_and_what_to_do(written, record):
    top = words(written(record)).split("How it went")[0]
    parts = (
        "Did the pool help?", "It is a coin toss whether the pool helped.",
        "gets 92.7 % (80.0 to 97.0) right on the test table",
        "On the test table: labels only 90.0 % (79.0 to 96.0), with the pool 92.7 %",
        "On held-out labels: labels only 75.0 %",
        "Next: Label about 72 more texts",
    )  # fmt: skip
    at = [top.index(part) for part in parts]
    assert at == sorted(at)


def test_words_for_experts_stand_in_the_fold_alone(written, record):
    line = "Probabilities were sharpened (log-loss on these 0.4 before)."
    record["summary"]["calibration"] = {"words": line, "temperature": 0.8, "labels": 24, "before": None, "after": None}
    record["summary"]["selection"] = [{"name": "drift", "rungs": 2, "score": 0.8, "gain": 0.01, "spread": 0.02}]
    record["summary"]["shares"] = {"drift": 1.0}
    page = written(record)
    before, fold = page.split("<details>")
    assert [word for word in FOR_EXPERTS if word in words(before).lower()] == []
    for line in (record["summary"]["evidence"]["words"], record["summary"]["calibration"]["words"], "rungs", "nats"):
        assert line in words(fold)
    assert "<summary>For experts" in fold


def test_three_findings_are_on_top_and_every_warning_is_somewhere(written, record):
    record["confusion"] = [[20, 1], [18, 2]]
    record["summary"]["said"] = [{"words": f"Warning number {i}.", "kind": "warning"} for i in range(6)]
    record["summary"]["said"].append({"words": "Something was said.", "kind": "said"})
    page = written(record)
    (box,) = re.findall(r'(?s)<section class="tutelage.*?</section>', page)
    assert box.count("<li>") == 3
    for i in range(6):
        assert page.count(f"Warning number {i}.") == 1
    assert page.count("Something was said.") == 1 and page.count("It finds only 2 of 20") == 1


def test_the_least_sure_are_a_csv_too(written, record, tmp_path):
    page = written(record)
    found = pd.read_csv(tmp_path / "least_sure.csv")
    assert found.item.tolist() == ['Win <b>now</b>, "free"', "see you"]
    assert found.guess.tolist() == ["spam", "ham"] and found.probability.tolist() == [0.5012, 0.6]
    assert "least_sure.csv" in page and "<b>now" not in page
    for row in record["least_sure"]:
        row["label"] = None
    record["least_sure"][0]["pieces"] = [["my", None], ["soup", "FOOD"]]
    written(record)
    found = pd.read_csv(tmp_path / "least_sure.csv")
    assert list(found) == ["item", "probability", "label"] and found.item[0] == "my [soup: FOOD]"


def test_the_page_shows_some_of_the_least_sure_and_the_csv_holds_all_whole(written, record, tmp_path):
    shown = [{"pieces": [[f"no. {i} ...", None]], "whole": f"no. {i} is long"} for i in range(12)]
    listed = [{"pieces": [], "whole": f"no. {i} is long"} for i in range(12, 50)]
    record["least_sure"] = [row | {"label": "spam", "probability": 0.5} for row in [*shown, *listed]]
    page = words(written(record))
    assert "least_sure.csv, beside this page, lists 50 of them, each whole, with an empty column for the label." in page
    assert page.count("is long") == 0 and [f"no. {i} ..." in page for i in (0, 11)] == [True, True]
    assert pd.read_csv(tmp_path / "least_sure.csv").item.tolist() == [f"no. {i} is long" for i in range(50)]


def picture(side: int, rng) -> str:
    file = io.BytesIO()
    Image.fromarray(rng.integers(0, 255, (side, side, 3), dtype=np.uint8)).save(file, "png")
    return base64.b64encode(file.getvalue()).decode()


def test_a_page_of_large_pictures_and_many_classes_stays_small(written, record):
    rng, names = np.random.default_rng(0), [f"a class with a long name {i}" for i in range(600)]
    noise = picture(400, rng)
    assert len(noise) > 500_000
    record["least_sure"] = [
        {"pieces": [["x" * 280, None]], "label": None, "probability": 0.5, "image": noise} for _ in range(12)
    ]
    record["shown"] = [{"name": "test image 1", "image": noise, "guess": noise, "truth": noise, "accuracy": 1}] * 12
    record["colours"] = ["#112233"] * 600
    record["confusion"] = rng.integers(0, 3, (600, 600)).tolist()
    record["pool_classes"] = dict.fromkeys(names, 1 / 600)
    record["summary"] |= {
        "classes": names,
        "said": [{"words": "w" * 200, "kind": "said"}] * 50,
        "left_out": ["f" * 100] * 999,
    }
    page = written(record)
    assert len(page) < LARGEST
    assert page.count('class="picture"') == 48
    for data in re.findall(r'class="picture"[^>]*base64,([^"]+)"', page)[:4]:
        with Image.open(io.BytesIO(base64.b64decode(data))) as image:
            assert 60 < max(image.size) <= 400


def test_a_small_picture_is_shown_as_it_is(written, record):
    small = picture(20, np.random.default_rng(0))
    record["least_sure"][0]["image"] = small
    assert f"base64,{small}" in written(record)


def test_every_table_is_reached_by_keyboard_and_every_image_has_words(written, record):
    page = written(record)
    assert page.count("<table>") == page.count('<div class="wide" role="region" tabindex="0" aria-label="Table: ') >= 4
    assert all(re.search(r'role="img" aria-label="[^"]{20,}"', svg) for svg in re.findall(r"<svg[^>]*>", page))
    assert page.count("<svg") == 7
    assert not re.search(r"<th[^>]*></th>", page) and '<html lang="en">' in page and page.count("<h1>") == 1


def test_a_fitted_estimator_shows_the_box_and_another_what_scikit_learn_shows():
    x = np.random.default_rng(0).normal(size=(40, 3))
    y = np.arange(40) % 2
    x[:, 0] += 3 * y
    model = Classifier("mean_teacher", steps=5, folds=2, repeats=1)
    assert "sk-top-container" in model._repr_html_()
    y[20:] = -1
    page = model.fit(x, y)._repr_html_()
    evidence = model.evidence_
    assert 'class="tutelage' in page and "sk-top-container" not in page
    assert f"labels only {100 * evidence.reference.score:.1f} %" in page
    assert f"with the pool {100 * evidence.candidate.score:.1f} %" in page
    assert (
        page.split("On held-out")[1].split("</p>")[0] == evidence._repr_html_().split("On held-out")[1].split("</p>")[0]
    )
    assert model._repr_mimebundle_()["text/html"] == page


def test_without_scores_there_is_no_plot_and_no_table_of_them(written, record):
    for name in ("rows", "confusion", "calibration"):
        del record[name]
    record |= {"curve": []}
    record["summary"] |= {"evidence": None, "test": None}
    page = written(record)
    assert "No estimate" in page and "Class by class" not in page and "taken for" not in page
