"""Argilla of version 1: records of texts and tokens, and of feedback."""

from __future__ import annotations

from collections.abc import Iterator
from importlib.metadata import version as version_of
from pathlib import Path
from typing import Any

from written_by import Form
from written_by.data import SENTENCES, TEXTS

TOOL = "Argilla (old)"


def version() -> str:
    found = version_of("argilla")
    if not found.startswith("1."):
        raise ImportError("version 2 or later is installed")
    return found


def make(folder: Path) -> Iterator[Form]:
    import argilla as rg

    texts = rg.DatasetForTextClassification([
        rg.TextClassificationRecord(text=text, annotation=label if given else None, annotation_agent="ann")
        for text, label, given in TEXTS
    ])  # fmt: skip
    options = {"text": "text", "label": "annotation"}
    yield from written(folder, "texts", texts, options)
    tokens = rg.DatasetForTokenClassification([
        rg.TokenClassificationRecord(
            text=text, tokens=text.split(), annotation_agent="ann",
            annotation=[(kind, a, b) for a, b, kind in spans] if given else None,
        )
        for text, spans, given in SENTENCES
    ])  # fmt: skip
    yield from written(folder, "sentences", tokens, {"tokens": "text", "tags": "annotation"})
    ready = tokens.prepare_for_training()
    ready.to_parquet(folder / "training.parquet")
    labelled = [i for i, row in enumerate(SENTENCES) if row[2]]
    yield Form(
        "prepare_for_training()",
        "sentences",
        "training.parquet",
        {"tokens": "tokens", "tags": "ner_tags"},
        items=labelled,
    )
    texts.prepare_for_training().to_parquet(folder / "training-texts.parquet")
    labelled = [i for i, row in enumerate(TEXTS) if row[2]]
    yield Form(
        "prepare_for_training()", "texts", "training-texts.parquet", {"text": "text", "label": "label"}, items=labelled
    )
    yield feedback(folder)


def written(folder: Path, kind: str, of: Any, options: dict[str, str]) -> Iterator[Form]:
    made = of.to_datasets()
    made.save_to_disk(str(folder / f"{kind}-saved"))
    yield Form("to_datasets().save_to_disk", kind, f"{kind}-saved", options)
    made.to_parquet(folder / f"{kind}.parquet")
    yield Form("to_datasets().to_parquet", kind, f"{kind}.parquet", options)
    made.to_json(folder / f"{kind}.jsonl")
    yield Form("to_datasets().to_json", kind, f"{kind}.jsonl", options)
    of.to_pandas().to_json(folder / f"{kind}-pandas.json", orient="records")
    yield Form("to_pandas().to_json", kind, f"{kind}-pandas.json", options)
    of.to_pandas().to_csv(folder / f"{kind}-pandas.csv", index=False)
    yield Form("to_pandas().to_csv", kind, f"{kind}-pandas.csv", options)


def feedback(folder: Path) -> Form:
    """Records of a feedback data set, formatted as the library does for `push_to_hub`."""
    import argilla as rg

    of = rg.FeedbackDataset(
        fields=[rg.TextField(name="text")], questions=[rg.LabelQuestion(name="topic", labels=["food", "sport"])]
    )
    of.add_records([
        rg.FeedbackRecord(
            fields={"text": text},
            responses=[{"values": {"topic": {"value": label}}, "status": "submitted"}] if given else [],
        )
        for text, label, given in TEXTS
    ])  # fmt: skip
    of.format_as("datasets").to_json(folder / "feedback.jsonl")
    return Form("FeedbackDataset, to_json", "texts", "feedback.jsonl", {"text": "text", "label": "topic"})
