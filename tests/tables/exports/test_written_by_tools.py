"""Files that the tools' own packages write are read, where these are installed.

pip install label-studio-sdk argilla spacy datasets; pip install --no-deps doccano
"""

from __future__ import annotations

import io
import json
import sys
import uuid
from pathlib import Path
from types import ModuleType, SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from tutelage.modalities.sentences.tables import read_sentences
from tutelage.tables import read, read_table
from tutelage.tables.exports import recognised
from tutelage.tables.exports.write import written

pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings("ignore")]

CONFIG = """<View><Text name="text" value="$text"/>
<Choices name="topic" toName="text" choice="multiple"><Choice value="food"/><Choice value="sport"/></Choices>
<Labels name="ner" toName="text"><Label value="PER"/></Labels></View>"""
PREDICTED = pd.DataFrame({"predicted": ["food", "sport", "food"], "probability": [0.75, 0.5, 0.5]})


def tasks():
    topic = {"from_name": "topic", "to_name": "text", "type": "choices"}
    ner = {"from_name": "ner", "to_name": "text", "type": "labels"}
    rest = {"created_at": "2024-01-01", "updated_at": "2024-01-01", "lead_time": 1.0}
    given = [
        (1, "😀 Ada left", [(11, 1, False, ["food"]), (12, 2, False, ["food"])]), (2, "she left", []),
        (3, "bread", [(13, 1, False, ["food"]), (14, 2, False, ["sport"]), (15, 3, True, [])]),
    ]  # fmt: skip
    span = {"start": 2, "end": 5, "text": "Ada", "labels": ["PER"]}

    def result(text, names):
        of_names = [topic | {"value": {"choices": names}}] if names else []
        return of_names + ([ner | {"value": span}] if "Ada" in text else [])

    return [
        {"id": i, "data": {"text": text}, "annotations": [
            {"id": n, "completed_by": who, "was_cancelled": skipped, "result": result(text, names), **rest}
            for n, who, skipped, names in annotations]}
        for i, text, annotations in given
    ]  # fmt: skip


@pytest.fixture(scope="module")
def converted(tmp_path_factory):
    """Files of the tasks above, by the form in which Label Studio's converter wrote them."""
    converter = pytest.importorskip("label_studio_sdk.converter")
    root = tmp_path_factory.mktemp("label_studio")
    (root / "tasks.json").write_text(json.dumps(tasks()))
    write = converter.Converter(CONFIG, str(root))
    for form in ("JSON_MIN", "CSV", "TSV", "CONLL2003"):
        write.convert(str(root / "tasks.json"), str(root / form), form, is_dir=False)
    return {path.parent.name: path for path in root.glob("*/result.*")}


def test_all_forms_of_label_studio_say_the_same(converted, tmp_path):
    whole = recognised(tasks()).frame
    flat = recognised(json.loads(converted["JSON_MIN"].read_text())).frame
    tables = [read_table(converted["CSV"]), read_table(converted["TSV"].rename(tmp_path / "t.tsv"))]
    assert whole.topic.fillna("-").tolist() == ["food", "-", "food", "sport"]
    assert whole.annotator.fillna("-").tolist() == ["1, 2", "-", "1", "2"]
    for frame in (flat, *tables):
        assert frame.text.tolist() == whole.text.tolist()
        assert frame.topic.fillna("-").tolist() == whole.topic.fillna("-").tolist()
        assert frame.ner.tolist() == whole.ner.tolist() == [[[2, 5, "PER"]], None, [], []]
        assert frame.annotator.fillna("-").tolist() == whole.annotator.fillna("-").tolist()


def test_conll_of_label_studio_has_the_tags_of_its_csv(converted):
    found = read_sentences(converted["CONLL2003"])
    assert (found.tokens[0], found.tags[0]) == (["😀", "Ada", "left"], ["O", "B-PER", "O"])
    assert read_sentences(converted["CSV"], "text", "ner").tags[0] == ["O", "B-PER", "O"]


def test_label_studio_takes_the_predictions_in():
    interface = pytest.importorskip("label_studio_sdk.label_interface").LabelInterface(CONFIG)
    made = recognised(tasks())
    predicted = pd.concat([PREDICTED, PREDICTED[:1]], ignore_index=True)
    spans = [[{"start": 2, "end": 5, "type": "PER", "text": "Ada"}], [], [], []]
    for table, key in ((predicted, "topic"), (predicted.drop(columns="label").assign(spans=spans), "ner")):
        for task in written(tasks(), made, table, "text", key):
            assert interface.validate_task({"data": task["data"]})
            assert interface.validate_prediction(task["predictions"][0])


def test_brushes_of_label_studio_are_the_masks_that_were_painted():
    brush = pytest.importorskip("label_studio_sdk.converter.brush")
    painted = np.random.default_rng(0).random((9, 13)) < 0.3
    rle = brush.encode_rle((painted[..., None] * np.full(4, 255, dtype=np.uint8)).ravel())
    result = {
        "from_name": "tag", "type": "brushlabels", "original_width": 13, "original_height": 9,
        "value": {"format": "rle", "rle": rle, "brushlabels": ["cat"]},
    }  # fmt: skip
    made = recognised([{"id": 1, "data": {"image": "a.png"}, "annotations": [{"result": [result]}]}])
    assert (np.asarray(Image.open(io.BytesIO(made.frame.tag[0]))) == painted).all()


@pytest.fixture
def doccano(monkeypatch):
    """The modules with which doccano formats and writes its rows, without its database."""
    pytest.importorskip("backend.data_export", reason="doccano is not installed")
    root = Path(sys.modules["backend"].__path__[0])
    models = ModuleType("data_export.models")
    models.DATA = "data"
    package = ModuleType("data_export")
    package.__path__ = [str(root / "data_export")]
    monkeypatch.setitem(sys.modules, "data_export", package)
    monkeypatch.setitem(sys.modules, "data_export.models", models)
    pipeline = ModuleType("data_export.pipeline")
    pipeline.__path__ = [str(root / "data_export" / "pipeline")]
    monkeypatch.setitem(sys.modules, "data_export.pipeline", pipeline)
    from data_export.pipeline import formatters, writers

    yield formatters, writers
    for name in [name for name in sys.modules if name.startswith("data_export.pipeline.")]:
        del sys.modules[name]


def label(text):
    return SimpleNamespace(to_string=lambda: text)


def entity(start, end, kind):
    names = {"id": 1, "label": kind, "start_offset": start, "end_offset": end}
    return SimpleNamespace(to_tuple=lambda: (start, end, kind), to_dict=lambda: names)


@pytest.mark.parametrize("form", ["csv", "json", "jsonl"])
def test_classes_of_doccano(doccano, tmp_path, form):
    formatters, writers = doccano
    rows = [("a", ["food"]), ("b", ["sport"]), ("c", []), ("d", ["food", "sport"])]
    frame = pd.DataFrame(
        [{"id": i, "data": t, "categories": [label(v) for v in vs], "Comments": []} for i, (t, vs) in enumerate(rows)]
    )
    by = formatters.JoinedCategoryFormatter if form == "csv" else formatters.ListedCategoryFormatter
    for formatter in (by("categories"), by("Comments"), formatters.RenameFormatter(data="text", categories="label")):
        frame = formatter.format(frame)
    file = tmp_path / f"all.{form}"
    {"csv": writers.CsvWriter, "json": writers.JsonWriter, "jsonl": writers.JsonlWriter}[form].write(file, frame)
    made = recognised(json.loads(file.read_text())) if form == "json" else read(file)
    assert made.frame.text.tolist() == list("abcd")
    assert made.frame.label.tolist() == ["food", "sport", None, ["food", "sport"]]


@pytest.mark.parametrize("relations", [False, True])
def test_spans_of_doccano(doccano, tmp_path, relations):
    formatters, writers = doccano
    rows = [("Ada left", [entity(0, 3, "PER")]), ("b", [])]
    frame = pd.DataFrame([{"id": i, "data": t, "entities": spans, "Comments": []} for i, (t, spans) in enumerate(rows)])
    by = formatters.DictFormatter if relations else formatters.TupledSpanFormatter
    name = "entities" if relations else "label"
    for formatter in (by("entities"), by("Comments"), formatters.RenameFormatter(data="text", entities=name)):
        frame = formatter.format(frame)
    writers.JsonlWriter.write(tmp_path / "all.jsonl", frame)
    assert read(tmp_path / "all.jsonl").seen.format == "doccano"
    assert read_sentences(tmp_path / "all.jsonl", "text", name).tags == [["B-PER", "O"], ["O"]]


@pytest.mark.parametrize("flat", [False, True])
def test_records_of_argilla(flat):
    argilla = pytest.importorskip("argilla")
    from argilla.records._io import GenericIO

    people = [uuid.UUID(int=1), uuid.UUID(int=2)]
    said = [
        argilla.Response("topic", v, user_id=u, status="submitted")
        for v, u in zip(("food", "sport"), people, strict=True)
    ]
    span = argilla.Response("ner", [{"label": "PER", "start": 0, "end": 3}], user_id=people[0], status="submitted")
    suggestion = argilla.Suggestion("topic", "sport", score=0.5)
    records = [
        argilla.Record(fields={"text": "Ada left"}, responses=[said[0], span], suggestions=[suggestion]),
        argilla.Record(fields={"text": "b"}, responses=said), argilla.Record(fields={"text": "c"}),
    ]  # fmt: skip
    rows = json.loads(json.dumps(GenericIO.to_list(records, flatten=flat), default=str))
    made = recognised(rows)
    assert made.tool == "Argilla"
    assert made.frame.text.tolist() == ["Ada left", "b", "b", "c"]
    assert made.frame.topic.fillna("-").tolist() == ["food", "food", "sport", "-"]
    assert made.frame.ner.tolist() == [[[0, 3, "PER"]], None, None, None]
    assert made.frame["topic.suggestion"].fillna("-").tolist() == ["sport", "-", "-", "-"]
    again = written(rows, made, pd.concat([PREDICTED, PREDICTED[:1]], ignore_index=True), "text", "topic")
    if not flat:
        assert argilla.Record.from_dict(again[0]).suggestions["topic"].value == "food"


def test_documents_of_spacy_in_json():
    spacy = pytest.importorskip("spacy")
    doc = spacy.blank("en")("😀 Ada left")
    doc.ents = [spacy.tokens.Span(doc, 1, 2, label="PER")]
    doc.cats = {"food": 1.0, "sport": 0.0}
    made = recognised([json.loads(json.dumps(doc.to_json()))])
    assert (made.tool, made.frame.cats.tolist(), made.frame.ents.tolist()) == ("spaCy", ["food"], [[[2, 5, "PER"]]])


@pytest.mark.parametrize("form", ["json", "parquet", "csv"])
def test_data_sets_of_hugging_face_are_plain_tables(tmp_path, form):
    datasets = pytest.importorskip("datasets")
    rows = datasets.Dataset.from_list([{"text": "a", "label": "food"}, {"text": "b", "label": None}])
    file = tmp_path / f"t.{'jsonl' if form == 'json' else form}"
    getattr(rows, f"to_{form}")(file)
    table = read(file)
    assert (table.seen.made, table.frame.text.tolist()) == ("", ["a", "b"])
