"""Argilla from version 2 on: records, exported by its own code without a server."""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterator
from importlib.metadata import version as version_of
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from written_by import Form
from written_by.data import SENTENCES, TEXTS

TOOL = "Argilla"


def version() -> str:
    found = version_of("argilla")
    if found.startswith("1."):
        raise ImportError("a version before 2 is installed")
    return found


def records(kind: str) -> list[Any]:
    """Records with an answer of one person each; others have none."""
    import argilla as rg

    who, found = uuid.UUID(int=1), []
    if kind == "texts":
        rows: list[tuple[str, Any, bool]] = [(text, label, given) for text, label, given in TEXTS]
    else:
        rows = [
            (text, [{"label": kind, "start": a, "end": b} for a, b, kind in spans], given)
            for text, spans, given in SENTENCES
        ]
    for number, (text, value, given) in enumerate(rows):
        question = "topic" if kind == "texts" else "entities"
        said = [rg.Response(question, value, user_id=who, status="submitted")] if given else []
        found.append(rg.Record(id=f"r{number}", fields={"text": text}, responses=said, metadata={"source": "web"}))
    return found


def make(folder: Path) -> Iterator[Form]:
    from argilla.records._io import GenericIO, HFDatasetsIO, JsonIO

    for kind, options in (
        ("texts", {"text": "text", "label": "topic"}), ("sentences", {"tokens": "text", "tags": "entities"}),
    ):  # fmt: skip
        of = records(kind)
        JsonIO.to_json(of, folder / f"{kind}.json")
        yield Form("to_json", kind, f"{kind}.json", options, output=".json")
        for flat in (False, True):
            name = f"{kind}-{'flat' if flat else 'list'}.json"
            (folder / name).write_text(json.dumps(GenericIO.to_list(of, flatten=flat), default=str))
            yield Form(f"to_list(flatten={flat})", kind, name, options, output=".json")
        name = f"{kind}-dict.json"
        (folder / name).write_text(json.dumps(GenericIO.to_dict(of, flatten=True), default=str))
        yield Form("to_dict(flatten=True)", kind, name, options)
        made = HFDatasetsIO.to_datasets(of, SimpleNamespace(schema={}))  # types of fields matter to images alone
        made.to_parquet(folder / f"{kind}.parquet")
        yield Form("to_datasets().to_parquet", kind, f"{kind}.parquet", options, output=".parquet")
        made.to_json(folder / f"{kind}-hf.jsonl")
        yield Form("to_datasets().to_json", kind, f"{kind}-hf.jsonl", options, output=".jsonl")
        made.to_csv(folder / f"{kind}.csv")
        yield Form("to_datasets().to_csv", kind, f"{kind}.csv", options)
        made.save_to_disk(folder / f"{kind}-saved")
        yield Form("to_datasets().save_to_disk", kind, f"{kind}-saved", options)


def take(form: Form, file: Path) -> list[Any]:
    """Records that Argilla makes of a file, with their suggestions."""
    from argilla.records._io import JsonIO

    question = "topic" if form.kind == "texts" else "entities"

    def label(value: Any) -> list[Any]:
        if form.kind == "texts":
            return [value]
        return [sorted([s["start"], s["end"], s["label"]] for s in value)]

    if form.output == ".json" and "True" not in form.form:
        found = JsonIO._records_from_json(file)
        return [[one.fields["text"], *label(one.suggestions[question].value)] for one in found]
    from datasets import load_dataset

    rows = load_dataset(file.suffix[1:].replace("jsonl", "json"), data_files=str(file), split="train")
    column = f"{question}.suggestion"
    if column not in rows.column_names:  # a table: columns of predictions are added to the rows
        if form.kind == "texts":
            return [[row["text"], row["label"]] for row in rows]
        return [[row["text"], sorted([s["start"], s["end"], s["type"]] for s in row["spans"])] for row in rows]
    return [[row["text"], *label(row[column])] for row in rows]
