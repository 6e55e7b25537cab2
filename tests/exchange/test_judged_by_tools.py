"""The tools' own packages take in what is written, and what they write is read, where they are installed.

pip install label-studio-sdk argilla spacy; pip install --no-deps doccano
"""

from __future__ import annotations

import json
import sys
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from threading import Thread
from types import ModuleType, SimpleNamespace

import pandas as pd
import pytest

from tutelage.exchange import FORMATS, NONE, SKIPPED, UNSURE, Answer, How, Question, Record, Span, Suggestion, read

pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings("ignore")]

TIME = datetime(2026, 1, 31, 12, tzinfo=UTC)
CLASSES = [
    Record("bread & butter", id="1", answers=(Answer(("food",), "7", seconds=2.5, time=TIME, note="why?"),)),
    Record("a goal 😀", id="2", answers=(Answer(("sport",), "7"), Answer(("food",), "8"))),
    Record("x", id="3", answers=(Answer(None, "7", SKIPPED), Answer(None, "8", NONE))),
    Record("y", id="4", suggestion=Suggestion(("sport",), 0.75)),
    Record("z", id="5", answers=(Answer(("food",), "8", UNSURE), Answer(None, "7", UNSURE))),
]  # fmt: skip
SPANS = [
    Record("Ada left Paris", id="1", answers=(Answer((Span(0, 3, "PER"), Span(9, 14, "LOC")), "7"),)),
    Record("😀 Bob left", id="2", suggestion=Suggestion((Span(2, 5, "PER"),), 0.5)),
    Record("at home", id="3", answers=(Answer((), "7"), Answer((Span(3, 7, "LOC"),), "8"))),
]  # fmt: skip
SEVERAL = [
    Record("a", id="1", answers=(Answer(("cheap", "food"), "7"),)),
    Record("b", id="2", answers=(Answer(("food",), "7"),)),
]  # fmt: skip
IMAGES = [Record(image="/pets/a b.png", id="1", answers=(Answer(("cat",), "7"),)), Record(image="/pets/c.png", id="2")]
PROJECTS = {"classes": CLASSES, "several": SEVERAL, "spans": SPANS, "images": IMAGES}


def written(name, records, folder):
    """File of a tool with records, and its settings."""
    file = folder / f"{name}{FORMATS[name].ending}"
    question = Question.of(records)
    FORMATS[name].write(records, file, question)
    return file, FORMATS[name].settings(question)


@pytest.mark.parametrize("project", PROJECTS)
def test_label_studio_validates_tasks_annotations_and_predictions(project, tmp_path):
    interfaces = pytest.importorskip("label_studio_sdk.label_interface")
    file, config = written("label-studio", PROJECTS[project], tmp_path)
    interface = interfaces.LabelInterface(config)
    interface.validate()
    for task in json.loads(file.read_text()):
        assert interface.validate_task({"data": task["data"]})  # it calls itself wrongly for one with annotations
        for annotation in task.get("annotations", []):
            assert interface.validate_annotation(annotation), annotation
        for prediction in task.get("predictions", []):
            assert interface.validate_prediction(prediction), prediction


def test_label_studio_refuses_another_class(tmp_path):
    interfaces = pytest.importorskip("label_studio_sdk.label_interface")
    file, _ = written("label-studio", CLASSES, tmp_path)
    interface = interfaces.LabelInterface(FORMATS["label-studio"].settings(Question(("other",))))
    annotation = json.loads(file.read_text())[0]["annotations"][0]
    assert not interface.validate_annotation(annotation)


@pytest.mark.parametrize("form", ["JSON", "JSON_MIN", "CSV", "TSV"])
@pytest.mark.parametrize("project", PROJECTS)
def test_label_studio_converts_what_is_written_and_that_is_read(project, form, tmp_path):
    converters = pytest.importorskip("label_studio_sdk.converter")
    records = PROJECTS[project]
    file, config = written("label-studio", records, tmp_path)
    tasks = json.loads(file.read_text())
    for number, task in enumerate(tasks):  # what the tool adds when it takes them in
        task |= {"id": number + 1, "annotations": task.get("annotations", [])}
        for k, annotation in enumerate(task["annotations"]):
            annotation.setdefault("created_at", TIME.isoformat())
            annotation |= {"id": 10 * number + k, "updated_at": TIME.isoformat()}
    file.write_text(json.dumps(tasks))
    converters.Converter(config, str(tmp_path)).convert(str(file), str(tmp_path / "out"), form, is_dir=False)
    (result,) = (path for path in (tmp_path / "out").rglob("*") if path.is_file())
    found = read(result, How(question="label")).records
    expected = [[a for a in r.answers if form == "JSON" or a.state != SKIPPED] for r in records]
    assert [r.item for r in found] == [r.item for r in records]
    assert [[(a.label, a.state, a.note) for a in r.answers] for r in found] == [
        [(a.label, a.state, a.note) for a in answers] for answers in expected
    ]
    assert [[a.annotator for a in r.answers] for r in found] == [[a.annotator for a in each] for each in expected]


class _Argilla(BaseHTTPRequestHandler):
    """As much of Argilla's server as its package asks before it makes settings: who the user is."""

    def do_GET(self):
        known = {"id": "00000000-0000-0000-0000-000000000001", "username": "ann", "role": "owner", "first_name": "a",
                 "last_name": "b", "inserted_at": TIME.isoformat(), "updated_at": TIME.isoformat(),
                 "items": []}  # fmt: skip
        body = json.dumps(known).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


@pytest.fixture
def argilla():
    """Argilla's package, whose client asks a server of this test's."""
    package = pytest.importorskip("argilla")
    server = HTTPServer(("127.0.0.1", 0), _Argilla)
    thread = Thread(target=server.serve_forever, daemon=True)
    thread.start()
    package.Argilla(api_url=f"http://127.0.0.1:{server.server_port}", api_key="k", timeout=5)
    yield package
    server.shutdown()
    thread.join(5)
    server.server_close()


@pytest.mark.parametrize("project", PROJECTS)
def test_argilla_takes_in_records_and_settings_and_writes_them_again(argilla, project, tmp_path):
    from argilla.records._io import JsonIO

    records = PROJECTS[project]
    file, text = written("argilla", records, tmp_path)
    (tmp_path / "settings.json").write_text(text)
    settings = argilla.Settings.from_json(tmp_path / "settings.json")
    settings.validate()
    taken = JsonIO._records_from_json(file)
    names = {question.name for question in settings.questions}
    assert [record.id for record in taken] == [record.id for record in records]
    for record in taken:
        assert set(record.fields) == {field.name for field in settings.fields}
        assert {response.question_name for response in record.responses} <= names
        assert {suggestion.question_name for suggestion in record.suggestions} <= names
    options = {option["value"] for option in settings.questions["label"].serialize()["settings"]["options"]}
    for record in records:
        for label in record.labels:
            assert {part.type if isinstance(part, Span) else part for part in label} <= options
    JsonIO.to_json(taken, tmp_path / "again.json")
    found = read(tmp_path / "again.json", How(offsets="utf-16")).records

    def sayings(each):  # its JSON has no status: what was discarded has no value
        return [sorted((a.annotator, a.label, a.state, a.note, a.seconds) for a in r.answers) for r in each]

    def key(rows):
        return [sorted(map(repr, row)) for row in rows]

    assert key(sayings(found)) == key(sayings(records))
    assert [(r.item, r.id, r.suggestion) for r in found] == [(r.item, r.id, r.suggestion) for r in records]


@pytest.mark.parametrize("project", PROJECTS)
def test_flat_records_of_argilla_say_the_same(argilla, project, tmp_path):
    from argilla.records._io import GenericIO, JsonIO

    records = PROJECTS[project]
    file, _ = written("argilla", records, tmp_path)
    rows = GenericIO.to_list(JsonIO._records_from_json(file), flatten=True)
    (tmp_path / "flat.json").write_text(json.dumps(rows, default=str))
    if project == "images":
        rows = [row for row in rows if row.get("label.responses")]
        (tmp_path / "flat.json").write_text(json.dumps(rows, default=str))
        records = records[:1]
    found = read(tmp_path / "flat.json", How(offsets="utf-16")).records
    assert [r.item for r in found] == [r.item for r in records]
    for one, other in zip(found, records, strict=True):
        assert {(a.label, a.state) for a in one.answers} == {(a.label, a.state) for a in other.answers}


@pytest.fixture
def doccano(monkeypatch):
    """Modules with which doccano reads, checks, formats and writes rows, without its database."""
    pytest.importorskip("backend.data_import", reason="doccano is not installed")
    root = Path(sys.modules["backend"].__path__[0])
    models = {
        "examples.models": ("Example",), "projects.models": ("Project", "ProjectType"),
        "label_types.models": ("CategoryType", "LabelType", "RelationType", "SpanType"),
        "labels.models": ("Category", "Label", "Relation", "Span", "TextLabel"), "data_export.models": (),
    }  # fmt: skip
    for name, classes in models.items():
        module = ModuleType(name)
        for each in classes:
            setattr(module, each, type(each, (), {}))
        module.DATA = "data"
        monkeypatch.setitem(sys.modules, name, module)
        package = ModuleType(name.split(".")[0])
        package.__path__ = [str(root / name.split(".")[0])]
        monkeypatch.setitem(sys.modules, package.__name__, package)
    for name in ("data_import", "data_import.pipeline", "data_export", "data_export.pipeline"):
        package = ModuleType(name)
        package.__path__ = [str(root.joinpath(*name.split(".")))]
        monkeypatch.setitem(sys.modules, name, package)
    for stub, parts in {
        "data_import.pipeline.label_types": ("LabelTypes",), "pyexcel": (), "pyexcel.exceptions": (), "chardet": (),
        "seqeval": (), "seqeval.scheme": ("BILOU", "IOB2", "IOBES", "IOE2", "Tokens"),
    }.items():  # fmt: skip
        module = ModuleType(stub)
        for part in (*parts, "detect", "UniversalDetector"):
            setattr(module, part, type(part, (), {}))
        monkeypatch.setitem(sys.modules, stub, module)
    from data_export.pipeline import formatters, writers
    from data_import.pipeline import label, parsers

    yield SimpleNamespace(label=label, parsers=parsers, formatters=formatters, writers=writers)
    for name in [name for name in sys.modules if name.startswith(("data_import.", "data_export."))]:
        del sys.modules[name]


@pytest.mark.parametrize("project", PROJECTS)
def test_doccano_parses_what_is_written_and_what_it_writes_is_read(doccano, project, tmp_path):
    """The rows go through its parser, its labels' checks, and the formatters of its export, as if through its page."""
    records = PROJECTS[project]
    file, _ = written("doccano", records, tmp_path)
    parser = doccano.parsers.JSONLParser("utf-8")
    rows = list(parser.parse(str(file)))
    assert not parser.errors and len(rows) == sum(max(len(record.answers), 1) for record in records)
    spans = project == "spans"
    of = doccano.label.SpanLabel if spans else doccano.label.CategoryLabel
    frame = []
    for number, row in enumerate(rows):
        labels = [of.parse("8f14e45f-ceea-467f-a0a5-1c2d3e4f5a6b", each) for each in row["label"]]
        kept = [
            SimpleNamespace(to_tuple=lambda one=one: (one.start_offset, one.end_offset, one.label)) if spans
            else SimpleNamespace(to_string=lambda one=one: one.label) for one in labels
        ]  # fmt: skip
        meta = {k: v for k, v in row.items() if k not in ("text", "filename", "label", "#line_number")}
        item = row.get("text", row.get("filename"))
        frame.append({"id": number, "data": item, "labels": kept, "Comments": [], **meta})
    formatters = doccano.formatters
    table = pd.DataFrame(frame).astype(object).where(lambda cells: cells.notna(), None)
    steps = [formatters.TupledSpanFormatter("labels") if spans else formatters.ListedCategoryFormatter("labels")]
    steps.append(formatters.RenameFormatter(data="filename" if project == "images" else "text", labels="label"))
    for step in steps:
        table = step.format(table)
    doccano.writers.JsonlWriter.write(tmp_path / "all.jsonl", table)
    assert list(read(tmp_path / "all.jsonl", How(offsets="utf-16")).records) == records


def test_spacy_finds_the_words_of_prodigys_spans(tmp_path):
    spacy = pytest.importorskip("spacy")
    nlp = spacy.blank("en")
    file, _ = written("prodigy", SPANS, tmp_path)
    found = []
    for line in map(json.loads, file.read_text().splitlines()):
        doc = nlp(line["text"])
        for span in line["spans"]:
            part = doc.char_span(span["start"], span["end"], label=span["label"])
            assert part is not None, span
            found.append((part.text, part.label_))
    assert found == [("Ada", "PER"), ("Paris", "LOC"), ("Bob", "PER"), ("home", "LOC")]
