"""Faulty exports of annotation tools: Label Studio, doccano, Prodigy, Argilla and spaCy."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from typing import Any

from faulty import pictures
from faulty.case import Case, Draw
from faulty.formats import damaged, packed, put
from faulty.labels import label_options, reading_options
from faulty.mutations import mutated
from faulty.tags import corpus
from faulty.texts import PARTS, sources

Rows = list[Any]
"""Rows of an export."""
Maker = Callable[[Draw, list[tuple[Any, list[Any]]], str], Rows]
"""Function that writes items with their annotations, each a class or spans, in a tool's form."""


def label_studio(draw: Draw, items: list[tuple[Any, list[Any]]], key: str) -> Rows:
    rows = []
    for number, (item, said) in enumerate(items, start=1):
        annotations = []
        for who, one in enumerate(said):
            result: list[Any] = []
            if isinstance(one, list):
                result = [{"from_name": "label", "to_name": key, "type": "labels", "value": {
                    "start": a, "end": b, "text": item[a:b], "labels": [kind]}} for a, b, kind in one]  # fmt: skip
            elif one is not None:
                result = [{"from_name": "label", "to_name": key, "type": "choices", "value": {"choices": [one]}}]
            skipped = {"was_cancelled": True} if draw.chance(5) else {}
            annotations.append(
                {"id": who, "completed_by": draw.one([who, {"email": "a@b"}]), "result": result} | skipped
            )
        rows.append({"id": number, "data": {key: item}, "annotations": annotations, "predictions": []})
    return rows


def label_studio_min(draw: Draw, items: list[tuple[Any, list[Any]]], key: str) -> Rows:
    rows = []
    for number, (item, said) in enumerate(items, start=1):
        for who, one in enumerate(said or [None]):
            spans = (
                [{"start": a, "end": b, "text": item[a:b], "labels": [kind]} for a, b, kind in one]
                if isinstance(one, list)
                else one
            )
            about = {
                "annotation_id": who if said else None,
                "annotator": 1,
                "created_at": "",
                "updated_at": "",
                "lead_time": 1.5,
            }
            rows.append({"id": number, key: item, "label": spans, **about})
    return rows


def doccano(draw: Draw, items: list[tuple[Any, list[Any]]], key: str) -> Rows:
    name = "filename" if key == "image" else "text"
    rows = []
    for number, (item, said) in enumerate(items, start=1):
        flat = said[0] if said and isinstance(said[0], list) else [one for one in said if one is not None]
        rows.append({"id": number, name: item, "label": flat, "Comments": []})
    return rows


def prodigy(draw: Draw, items: list[tuple[Any, list[Any]]], key: str) -> Rows:
    rows = []
    for number, (item, said) in enumerate(items, start=1):
        for one in said or [None]:
            labels: dict[str, Any] = {"label": one} if one is not None else {}
            if isinstance(one, list):
                labels = {"spans": [{"start": a, "end": b, "label": kind} for a, b, kind in one]}
            answer = draw.one(["accept"] * 8 + ["reject", "ignore"]) if said else "ignore"
            hashes = {"_input_hash": number, "_task_hash": 100 * number + len(rows)}
            rows.append({key: item, **labels, "answer": answer, **hashes})
    return rows


def argilla(draw: Draw, items: list[tuple[Any, list[Any]]], key: str) -> Rows:
    rows = []
    for number, (item, said) in enumerate(items, start=1):
        values = [
            [{"start": a, "end": b, "label": kind} for a, b, kind in one] if isinstance(one, list) else one
            for one in said
        ]
        answers = [{"value": v, "user_id": str(who), "status": draw.one(["submitted"] * 8 + ["draft", "discarded"])}
                   for who, v in enumerate(values) if v is not None]  # fmt: skip
        empty: dict[str, Any] = {"metadata": {}, "suggestions": {}, "vectors": {}, "status": "completed"}
        rows.append({"id": str(number), "fields": {key: item}, "responses": {"label": answers}, **empty})
    return rows


def spacy(draw: Draw, items: list[tuple[Any, list[Any]]], key: str) -> Rows:
    names = sorted({one for _, said in items for one in said if isinstance(one, str)})
    rows = []
    for item, said in items:
        one = said[0] if said else None
        labels: dict[str, Any] = {"cats": {name: float(name == one) for name in names}}
        if any(isinstance(each, list) for _, given in items for each in given):
            labels = {"ents": [{"start": a, "end": b, "label": kind} for a, b, kind in one or []]}
        rows.append({"text": item, **labels})
    return rows


TOOLS: dict[str, Maker] = {
    "Label Studio": label_studio, "Label Studio MIN": label_studio_min, "doccano": doccano, "Prodigy": prodigy,
    "Argilla": argilla, "spaCy": spacy,
}  # fmt: skip
"""Functions that write exports, by tool."""
LABELS = {("Prodigy", "sentences"): "spans", ("spaCy", "sentences"): "ents", ("spaCy", "texts"): "cats"}
"""Columns of labels, where they are not named "label"."""


def _said(draw: Draw, one: Any, others: Sequence[Any]) -> list[Any]:
    """What annotators said of an item: mostly one, some none, two who agree, or two who do not."""
    return draw.one([[one]] * 10 + [[], [None], [one, one], [one, draw.one(others)]])


def _items(draw: Draw, case: Case, kind: str, source: str, count: int) -> list[tuple[Any, list[Any]]]:
    if kind == "sentences":
        from faulty.sentences import _spans_of

        types = ("PER", "LOC")
        case.name(*types)
        sentences = corpus(draw, count, types, {"train": 0, "unlabelled": 100, "test": 200}[source])
        texts = [" ".join(map(str, words)) for words, _ in sentences]
        unit = draw.one(["characters", "characters", "utf-16"])
        spans = [_spans_of(text, words, tags or [], unit) for text, (words, tags) in zip(texts, sentences, strict=True)]
        return [(text, _said(draw, each, [[], each[:1]])) for text, each in zip(texts, spans, strict=True)]
    names = ("food", "sport", "travel")
    case.name(*names)
    items = [f"{draw.one(PARTS)} of {source} {i} days" for i in range(count)]
    if kind == "images":
        for i in range(count):
            case.content[f"upload/{source}-{i}.png"] = pictures.picture(draw, "png")
        items = [
            draw.one([f"/data/upload/1/0a1b2c3d-{source}-{i}.png", f"upload/{source}-{i}.png"]) for i in range(count)
        ]
    return [(item, _said(draw, names[i % 3], names)) for i, item in enumerate(items)]


def drawn(draw: Draw, kind: str) -> Case:
    """A faulty export of one of the tools, with texts, images or sentences."""
    key = {"texts": "text", "images": "image", "sentences": "text"}[kind]
    tool = draw.one([name for name in TOOLS if (kind, name) not in {("images", "spaCy"), ("images", "Argilla")}])
    label = LABELS.get((tool, kind), "label")
    item, of_label = {"texts": ("text", "label"), "images": ("images", "label"), "sentences": ("tokens", "tags")}[kind]
    case = Case(kind, tool, {item: "filename" if (tool, kind) == ("doccano", "images") else key, of_label: label})
    if kind != "sentences":
        label_options(draw, case, ("food", "sport", "travel"))
    for source, count in sources(draw):
        rows = mutated(draw, case, TOOLS[tool](draw, _items(draw, case, kind, source, count), key))
        _put(draw, case, source, rows, count)
        if "mutated" in case.faults and len(rows) != count:
            case.rows = None  # without a tool's marks each row is an item of its own
    if kind == "images":
        case.options["network"] = "small_cnn"
    reading_options(draw, case)
    return case


def _put(draw: Draw, case: Case, source: str, rows: Rows, count: int) -> None:
    """Write rows as JSON, as lines of JSON, or as a table where they are flat."""
    form = draw.one(["json", "jsonl", "jsonl", "csv"])
    if form == "csv" and case.form == "Label Studio MIN":
        names = list(dict.fromkeys(name for row in rows for name in row))
        put(draw, case, source, "csv", (names, [[row.get(name) for name in names] for row in rows]))
        if case.rows is not None:
            case.rows += count - len(rows)
        return
    ending = "json" if form == "json" else "jsonl"
    text = json.dumps(rows) if form == "json" else "".join(json.dumps(row) + "\n" for row in rows)
    data, known = damaged(draw, text.encode(), case, len(rows))
    name, data = packed(draw, f"{source}.{ending}", data)
    case.content[name], case.sources[source] = data, name
    again = known != len(rows) and case.form in ("Prodigy", "Label Studio MIN")  # of an input that is there already
    case.counts(None if known is None or again else known + count - len(rows))
