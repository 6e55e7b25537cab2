"""spaCy: collections of documents, documents in JSON, pairs of a text and its annotations."""

from __future__ import annotations

import json
from collections.abc import Iterator
from importlib.metadata import version as version_of
from pathlib import Path
from typing import Any

from written_by import Form
from written_by.data import SENTENCES, TEXTS

TOOL = "spaCy"


def version() -> str:
    return version_of("spacy")


def documents(kind: str) -> list[Any]:
    """Documents with classes, or with entities; those without a label have none."""
    import spacy

    blank, found = spacy.blank("en"), []
    if kind == "texts":
        for text, label, given in TEXTS:
            doc = blank.make_doc(text)
            doc.cats = {name: float(name == label) for name in ("food", "sport")} if given else {}
            found.append(doc)
        return found
    for text, spans, given in SENTENCES:
        doc = blank.make_doc(text)
        if given:
            doc.set_ents([doc.char_span(a, b, label=kind) for a, b, kind in spans], default="outside")
        found.append(doc)
    return found


def lines(folder: Path, name: str, rows: list[Any]) -> str:
    (folder / name).write_text("".join(json.dumps(row) + "\n" for row in rows))
    return name


def whole(folder: Path, name: str, value: Any) -> str:
    (folder / name).write_text(json.dumps(value))
    return name


def make(folder: Path) -> Iterator[Form]:
    from spacy.tokens import DocBin
    from spacy.training import Example, biluo_to_iob, docs_to_json, offsets_to_biluo_tags

    for kind, options in (
        ("texts", {"text": "text", "label": "cats"}), ("sentences", {"tokens": "text", "tags": "ents"}),
    ):  # fmt: skip
        docs = documents(kind)
        DocBin(docs=docs, store_user_data=True).to_disk(folder / f"{kind}.spacy")
        yield Form(".spacy, of a DocBin", kind, f"{kind}.spacy", options)
        # JSON of a document has an empty list of entities where nobody looked, too
        items = [0, 1, 2, 3, 4] if kind == "sentences" else None
        some = [doc.to_json() for doc in docs if items is None or len(doc.ents) or "Nobody" in doc.text]
        name = lines(folder, f"{kind}.jsonl", some)
        yield Form("Doc.to_json, a line each", kind, name, options, items=items)
        yield Form("Doc.to_json, a list", kind, whole(folder, f"{kind}-list.json", some), options, items=items)
        for doc in docs:  # which the old form needs
            for token in doc:
                token.is_sent_start = token.i == 0
        name = whole(folder, f"{kind}-2.json", docs_to_json(docs))
        yield Form("docs_to_json", kind, name, options, refused="spacy convert")
        name = lines(folder, f"{kind}-examples.jsonl", [Example(doc, doc).to_dict() for doc in docs])
        yield Form("Example.to_dict", kind, name, options, refused="to_json")
    pairs: list[Any] = [[text, {"entities": spans}] for text, spans, given in SENTENCES if given]
    name = whole(folder, "pairs.json", pairs)
    yield Form("pairs with entities", "sentences", name, {"tokens": "text", "tags": "entities"}, items=[0, 1, 2, 3, 4])
    pairs = [[t, {"cats": {name: label == name for name in ("food", "sport")}}] for t, label, _ in TEXTS[:8]]
    name = whole(folder, "pairs-cats.json", pairs)
    yield Form("pairs with cats", "texts", name, {"text": "text", "label": "cats"}, items=list(range(8)))
    docs = documents("sentences")[:5]
    biluo = [
        {"tokens": [t.text for t in doc], "tags": offsets_to_biluo_tags(doc, spans)}
        for doc, (_, spans, _) in zip(docs, SENTENCES, strict=False)
    ]
    options = {"tokens": "tokens", "tags": "tags"}
    yield Form(
        "offsets_to_biluo_tags", "sentences", lines(folder, "biluo.jsonl", biluo), options, items=[0, 1, 2, 3, 4]
    )
    iob = [{"tokens": row["tokens"], "tags": biluo_to_iob(row["tags"])} for row in biluo]
    yield Form("biluo_to_iob", "sentences", lines(folder, "iob.jsonl", iob), options, items=[0, 1, 2, 3, 4])
