"""Data of spaCy: documents in JSON, pairs of a text and its annotations, and collections in .spacy files."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from tutelage.data.errors import DataError
from tutelage.tables.exports.made import Annotation, Item, Made, Told, each, have, made_of, one_label
from tutelage.tables.exports.spans import are_spans, spans_of

TOOL = "spaCy"
"""Name of the tool."""
ENDING = ".spacy"
"""Ending of files of its collections of documents."""
SURE = 0.5
"""Least score of a class that is a label."""
CATS, ENTS, TAGS = "cats", "ents", "tags"
"""Names of the columns of classes, of entities, and of tags of words."""
SPANS = (ENTS, "entities")
"""Keys that hold entities."""


def may_be(columns: frozenset[str], nested: bool) -> bool:
    """Whether keys may be the tool's; those of pairs, which are no dicts, are none."""
    return nested and (not columns or {"text", CATS} <= columns or {"text", ENTS} <= columns)


def is_export(rows: Sequence[Any]) -> bool:
    """Whether rows are pairs, or documents with scores of classes or with entities."""
    pairs = all(isinstance(row, (list, tuple)) for row in rows)
    if not (all(map(_is_pair, rows)) if pairs else all(isinstance(row, dict) for row in rows)):
        return False
    documents = [row[1] if pairs else row for row in rows]
    cats = [one[CATS] for one in documents if one.get(CATS) is not None]
    entities = are_spans(one.get(name) for one in documents for name in (SPANS if pairs else (ENTS,)))
    return all(map(_are_scores, cats)) and (entities or any(cats))


def _is_pair(row: Sequence[Any]) -> bool:
    text, labels = row if len(row) == 2 else (None, None)
    return isinstance(text, str) and isinstance(labels, dict) and bool({CATS, *SPANS} & labels.keys())


def _are_scores(cats: Any) -> bool:
    return isinstance(cats, dict) and all(isinstance(v, (int, float)) and 0 <= v <= 1 for v in cats.values())


def of_rows(rows: Sequence[Any]) -> Made:
    """Table of documents, with the classes in ``cats`` and the entities in ``ents`` or ``entities``."""
    return _table([row if isinstance(row, dict) else {**row[1], "text": row[0]} for row in rows])


def _table(documents: Sequence[Mapping[str, Any]]) -> Made:
    kinds = {name: "spans" for name in SPANS if are_spans([one.get(name) for one in documents])}
    if any(one.get(CATS) for one in documents):
        kinds[CATS] = "classes"
    if any(one.get(TAGS) for one in documents):
        kinds[TAGS] = "tags of the words"
    items = each(lambda document: _item(document, kinds), documents)
    weak = sum(bool(one.get(CATS)) and not _classes(one[CATS]) for one in documents)
    more = [f"{have(weak, 'text', 'texts')} no class with a score of {SURE} or more"] if weak else []
    return made_of(items, Told(TOOL, "text", "texts", kinds, more))


def _item(document: Mapping[str, Any], kinds: Mapping[str, str]) -> Item:
    labels = {name: _label(document.get(name), kind) for name, kind in kinds.items()}
    cells = {name: cell for name, cell in document.items() if name not in kinds}
    given = any(label is not None for label in labels.values())
    return Item(cells, [Annotation(None, labels)] if given else [])


def _label(cell: Any, kind: str) -> Any:
    if kind == "classes":
        return one_label(_classes(cell or {}))
    return spans_of(cell) if kind == "spans" else cell


def _classes(cats: Mapping[str, float]) -> list[str]:
    return [name for name, score in cats.items() if score >= SURE]


def read_collection(path: Path) -> Made:
    """Table of the documents in a .spacy file: text, entities, classes, and words with their tags.

    Raises:
        DataError: spaCy is not installed, or the file is no collection of documents.
    """
    try:
        import spacy
        from spacy.tokens import DocBin
    except ImportError as e:
        raise DataError(f"{path}: files of spaCy need more packages: pip install 'tutelage[spacy]'") from e
    try:
        documents = list(DocBin().from_disk(path).get_docs(spacy.blank("xx").vocab))
    except Exception as e:  # the file is packed and compressed, and decoders raise what they like
        raise DataError(
            f"{path}: not readable as spaCy's collection of documents ({str(e) or type(e).__name__})"
        ) from e
    if not documents:
        raise DataError(f"{path}: the file has no documents")
    return _table([_document(one) for one in documents])


def _document(doc: Any) -> dict[str, Any]:
    """Parts of a document; blanks are no words."""
    words = [token for token in doc if not token.is_space]
    known = doc.has_annotation("ENT_IOB")
    return {
        "text": doc.text,
        "tokens": [token.text for token in words],
        TAGS: [_tag(token) for token in words] if known else None,
        ENTS: [[entity.start_char, entity.end_char, entity.label_] for entity in doc.ents] if known else None,
        CATS: dict(doc.cats),
    }


def _tag(token: Any) -> str:
    return f"{token.ent_iob_}-{token.ent_type_}" if token.ent_type_ else "O"
