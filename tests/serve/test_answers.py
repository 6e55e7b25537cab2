"""What the service answers is what `tutelage predict` writes."""

from __future__ import annotations

import io
import json

import numpy as np
import pandas as pd
import pytest

from tutelage import load

pytest.importorskip("starlette", reason="the extra serve is not installed")

KINDS = ("texts", "rows", "sentences")
CSV = {"Content-Type": "text/csv"}


@pytest.fixture
def predicted(run, runs, tmp_path):
    """Bytes that the command writes for the new items of a kind."""

    def call(kind, *words):
        code, shown = run(
            "predict", runs / kind, "--input", runs / f"{kind}.csv", "--output", tmp_path / "o.csv", *words
        )
        assert code == 0, shown
        return (tmp_path / "o.csv").read_bytes()

    return call


@pytest.mark.parametrize("kind", KINDS)
def test_an_answer_of_csv_has_the_bytes_that_the_command_writes(serve, runs, predicted, kind):
    answer = serve(kind).client.post(
        "/predict", content=(runs / f"{kind}.csv").read_bytes(), headers=CSV | {"Accept": "text/csv"}
    )
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"].startswith("text/csv")
    assert answer.content == predicted(kind)


@pytest.mark.parametrize("kind", KINDS)
def test_an_answer_of_json_says_the_same(serve, runs, predicted, kind):
    new = pd.read_csv(runs / f"{kind}.csv")
    written = pd.read_csv(io.BytesIO(predicted(kind)))
    from_csv = serve(kind).client.post("/predict", content=(runs / f"{kind}.csv").read_bytes(), headers=CSV).json()
    from_json = serve(kind).ask(json.loads(new.to_json(orient="records", double_precision=15))).json()
    for answer in (from_csv, from_json):
        rows = pd.DataFrame(answer["rows"])
        assert rows.row.tolist() == list(range(1, len(new) + 1))
        labels = rows.predicted.map(json.dumps) if kind == "sentences" else rows.predicted
        assert labels.tolist() == written.predicted.tolist()
        np.testing.assert_allclose(rows.probability, written.probability, rtol=0, atol=1e-6)
    if kind == "sentences":
        spans = [json.loads(cell) for cell in written.predicted_spans]
        assert [row["predicted_spans"] for row in from_csv["rows"]] == spans


def test_probabilities_of_all_classes_are_the_models_own(serve, runs):
    texts = pd.read_csv(runs / "texts.csv").text.tolist()
    served, model = serve("texts"), load(runs / "texts" / "model")
    rows = served.ask(texts, "?classes=true").json()["rows"]
    found = [[row["probabilities"][name] for name in ("food", "sport")] for row in rows]
    np.testing.assert_allclose(found, model.probabilities(texts), rtol=0, atol=1e-6)
    body = "text\n" + "\n".join(texts)
    answer = served.client.post("/predict?classes=true", content=body, headers=CSV | {"Accept": "text/csv"})
    table = pd.read_csv(io.StringIO(answer.text))
    np.testing.assert_allclose(table[["p_food", "p_sport"]], found, rtol=0, atol=1e-9)


def test_of_sentences_each_word_has_its_probabilities(serve):
    (row,) = serve("sentences").ask([["the", "soup", "goal"]], "?classes=true").json()["rows"]
    assert len(row["predicted"]) == len(row["probabilities"]) == 3
    least = min(max(word.values()) for word in row["probabilities"])
    assert row["probability"] == pytest.approx(least) and sum(row["probabilities"][0].values()) == pytest.approx(1)


def test_rows_that_are_not_sure_get_no_label_as_the_command_gives_none(serve, runs, predicted):
    written = pd.read_csv(io.BytesIO(predicted("rows", "--abstain", "0.05")), keep_default_na=False)
    expected = [label or None for label in written.predicted]
    assert None in expected and set(expected) > {None}
    body = (runs / "rows.csv").read_bytes()
    by_request = serve("rows").client.post("/predict?abstain=0.05", content=body, headers=CSV).json()
    usual = serve("rows", abstain=0.05)
    by_default = usual.client.post("/predict", content=body, headers=CSV).json()
    for answer in (by_request, by_default):
        assert [row["predicted"] for row in answer["rows"]] == expected
        assert "at most 5 % wrong labels" in answer["notes"][0]
    other = usual.client.post("/predict?abstain=0.5", content=body, headers=CSV).json()
    assert None not in [row["predicted"] for row in other["rows"]]


def test_of_a_text_without_a_character_nothing_is_known(serve):
    answer = serve("texts").ask(["the soup", "", None, " \u200b"], "?classes=true").json()
    assert [row["predicted"] is None for row in answer["rows"]] == [False, True, True, True]
    assert answer["rows"][1] == {"row": 2, "predicted": None, "probability": None, "probabilities": None}
    assert "3 of 4 texts nothing could be read (first: row 2)" in answer["notes"][0]


def test_rows_have_their_own_numbers_where_some_are_left_out(serve):
    answer = serve("sentences").ask([["the", "soup"], [], ["a", "goal"]]).json()
    assert [row["row"] for row in answer["rows"]] == [1, 3]
    assert "1 sentences without a word are left out" in " ".join(answer["notes"])


def test_own_columns_of_such_names_stay(serve):
    answer = serve("texts").client.post(
        "/predict", content="text,predicted\nthe soup,mine\n", headers=CSV | {"Accept": "text/csv"}
    )
    assert answer.text.splitlines()[0] == "text,predicted,predicted_2,probability_2"


def test_cells_that_look_like_formulas_are_made_harmless_where_that_is_asked_for(serve):
    asked = {"content": "text\n=1+1 soup\n", "headers": CSV | {"Accept": "text/csv"}}
    assert "\n=1+1" in serve("texts").client.post("/predict", **asked).text
    assert "\n'=1+1" in serve("texts", safe=True).client.post("/predict", **asked).text


def test_nothing_of_a_request_is_kept_on_disk(serve, tmp_path, monkeypatch):
    monkeypatch.setenv("TUTELAGE_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    served = serve("texts")
    assert served.ask(["a soup that nobody saw"]).status_code == 200
    assert list(tmp_path.iterdir()) == [] and served.said == []


def test_sentences_of_one_word_each_have_lists_of_probabilities_too(serve):
    rows = serve("sentences").ask([["soup"], ["goal"]], "?classes=true").json()["rows"]
    assert [len(row["probabilities"]) for row in rows] == [1, 1]
    assert all(isinstance(row["probabilities"], list) for row in rows)
