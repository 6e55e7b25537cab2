"""Prodigy's `db-out`, written by hand after its documentation, since the tool is not free."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from written_by import Form
from written_by.data import SENTENCES, TEXTS

TOOL = "Prodigy"


def version() -> str:
    return "as documented"


def write(folder: Path, name: str, rows: list[dict[str, Any]]) -> str:
    for number, row in enumerate(rows):
        row |= {"_input_hash": 10 + number, "_task_hash": 100 + number, "_timestamp": 1700000000, "_session_id": "ann"}
    (folder / name).write_text("".join(json.dumps(row) + "\n" for row in rows))
    return name


def make(folder: Path) -> Iterator[Form]:
    rows: list[dict[str, Any]] = []
    for text, label, given in TEXTS:
        rows.append(
            {"text": text, "label": label, "_view_id": "classification", "answer": "accept" if given else "ignore"}
        )
    options = {"text": "text", "label": "label"}
    yield Form("db-out, a label asked for", "texts", write(folder, "label.jsonl", rows), options, output=".jsonl")
    rows = [
        {"text": text, "options": [{"id": "food", "text": "Food"}, {"id": "sport", "text": "Sport"}],
         "accept": [label] if given else [], "_view_id": "choice", "answer": "accept" if given else "ignore",
         "config": {"choice_style": "single"}}
        for text, label, given in TEXTS
    ]  # fmt: skip
    options = {"text": "text", "label": "accept"}
    yield Form("db-out, options", "texts", write(folder, "choice.jsonl", rows), options, output=".jsonl")
    rows = []
    for text, spans, given in SENTENCES:
        tokens, at = [], 0
        for number, word in enumerate(text.split(" ")):
            tokens.append({"text": word, "start": at, "end": at + len(word), "id": number, "ws": True})
            at += len(word) + 1
        found = [
            {"start": a, "end": b, "label": kind, "token_start": 0, "token_end": 0} for a, b, kind in spans if given
        ]
        rows.append(
            {
                "text": text,
                "tokens": tokens,
                "spans": found,
                "_view_id": "ner_manual",
                "answer": "accept" if given else "ignore",
            }
        )
    options = {"tokens": "text", "tags": "spans"}
    yield Form("db-out, spans", "sentences", write(folder, "spans.jsonl", rows), options, output=".jsonl")
