"""spaCy's documents, pairs and collections become plain columns."""

from __future__ import annotations

import sys

import pytest

from tutelage.modalities.sentences.tables import read_sentences
from tutelage.tables import DataError, read
from tutelage.tables.exports import recognised


def test_the_class_with_the_score_1_is_the_label():
    cats = [{"food": 1.0, "sport": 0.0}, {"food": 0, "sport": 0}, {"food": True, "sport": True}, None]
    made = recognised([{"text": "a", "cats": each} for each in cats])
    assert made.frame.cats.tolist() == ["food", None, ["food", "sport"], None]
    assert "1 text has no class with a score of 0.5 or more" in made.sentence


def test_pairs_and_documents_have_spans():
    pairs = recognised([["Ada left", {"entities": [[0, 3, "PER"]]}], ["b", {"entities": []}]])
    assert pairs.frame.to_dict("list") == {"text": ["Ada left", "b"], "entities": [[[0, 3, "PER"]], []]}
    made = recognised([{"text": "Ada left", "ents": [{"start": 0, "end": 3, "label": "PER"}], "tokens": []}])
    assert made.frame.ents.tolist() == [[[0, 3, "PER"]]]


def test_data_of_version_2_name_their_conversion():
    with pytest.raises(
        DataError,
        match=r"^t.json: these are spaCy's training data of version 2, which are not read; .*: python -m spacy",
    ):
        recognised([{"id": 0, "paragraphs": [{"raw": "a", "sentences": []}]}], "t.json")


def test_a_collection_without_the_package_names_its_extra(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "spacy", None)
    (tmp_path / "t.spacy").write_bytes(b"x")
    with pytest.raises(DataError, match=r"t.spacy: files of spaCy need more packages: pip install 'tutelage\[spacy\]'"):
        read(tmp_path / "t.spacy")


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")
def test_a_collection_that_spacy_wrote(tmp_path):
    spacy = pytest.importorskip("spacy")
    from spacy.tokens import DocBin, Span

    english, docs = spacy.blank("en"), DocBin(attrs=["ENT_IOB", "ENT_TYPE"], store_user_data=True)
    known, plain = english("😀 Ada  Lovelace left"), english("she left")
    known.ents = [Span(known, 1, 4, label="PER")]
    known.cats = {"food": 1.0, "sport": 0.0}
    for doc in (known, plain):
        docs.add(doc)
    docs.to_disk(tmp_path / "t.spacy")
    table = read(tmp_path / "t.spacy")
    assert table.seen.format == "spaCy"
    assert table.frame.ents.tolist()[0] == [[2, 15, "PER"]]
    found = read_sentences(tmp_path / "t.spacy", "text", "ents")
    assert found.tags[0] == ["O", "B-PER", "I-PER", "O"]
    (tmp_path / "bad.spacy").write_bytes(b"no collection")
    with pytest.raises(DataError, match=r"bad.spacy: not readable as spaCy's collection of documents"):
        read(tmp_path / "bad.spacy")
