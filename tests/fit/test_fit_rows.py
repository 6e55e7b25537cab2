"""A whole fit: the encoder that the labels choose, the encoder that each fold adapts, and what is said beforehand."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

from tutelage.adapting.how import Adapting
from tutelage.fit import adapting
from tutelage.fit.adapting import AdaptedFeatures
from tutelage.fit.build import Items
from tutelage.fit.defaults import HEAD, Asked
from tutelage.fit.encoders import choose_encoder
from tutelage.fit.fit_rows import Wiring, fit_rows
from tutelage.fit.problem import Plan
from tutelage.fit.recorded import of_nearest
from tutelage.fit.setup import FolderStore, Unstored
from tutelage.methods import Drift, Supervised
from tutelage.modalities.base import features
from tutelage.modalities.encoder import load_encoder
from tutelage.modalities.text.lexical_reader import JoinedReader, LexicalReader
from tutelage.modalities.text.reader import TextReader
from tutelage.tasks import Classification

HOW = Adapting(steps=10, lr=3e-3, batch=16, fast=False)
TASK = Classification(3)


@pytest.fixture(scope="module")
def reader(encoder_folder):
    return TextReader(load_encoder(str(encoder_folder), 16))


@pytest.fixture(scope="module")
def items(encoder_folder):
    """Texts whose class is one of their words; the others are noise."""
    words = (encoder_folder / "vocab.txt").read_text().split()[5:]
    draws = np.random.default_rng(0)

    def made(count):
        y = np.arange(count) % 3
        return [" ".join([words[k], *draws.choice(words[3:], 4)]) for k in y], y

    (labelled, y), (pool, truth) = made(24), made(60)
    return Items(TASK, labelled, y, pool, truth)


def wiring(*readers, adapt=None, **asked):
    return Wiring(
        readers, HEAD(Asked(**{"steps": 20, "folds": 3, "repeats": 1} | asked)), False, "texts", "texts", adapt=adapt
    )


def adapted_features(items, reader, tmp_path, store=None):
    build = wiring(reader).build(reader, ("weak",), tmp_path / "cache")
    labelled = build.of(items).problem().labelled
    return AdaptedFeatures(items, labelled, build, HOW, 0, store or Unstored(), lambda *_: None, lambda p: p, tmp_path)


def test_a_fold_has_the_features_of_an_encoder_that_saw_its_labels_alone(items, reader, tmp_path):
    """Labels that a fold holds out may be anything: the fold's features stay the same, bit for bit."""
    index = np.arange(16)
    changed = replace(items, y=np.append(items.y[:16], (items.y[16:] + 1) % 3))
    here, there = (adapted_features(i, reader, tmp_path / n).whole for n, i in (("a", items), ("b", changed)))
    for part in ("labelled", "pool"):
        rows = [getattr(problem.for_fold(index), part).rows for problem in (here, there)]
        assert torch.equal(*rows)
    assert not torch.equal(here.labelled.rows, there.labelled.rows)
    assert not torch.equal(here.labelled.rows, here.for_fold(index).labelled.rows)
    assert torch.equal(here.for_fold(index).labelled.rows, torch.as_tensor(here.for_fold(index).probe.x))


def test_permuted_labels_stay_at_chance(items, reader, tmp_path):
    """An encoder that had seen a held-out label would tell the classes of noise apart."""
    many = replace(items, labelled=items.labelled * 3, y=np.random.default_rng(1).permutation(np.tile(items.y, 3)))
    many = replace(many, labelled=[f"{text} {i}" for i, text in enumerate(many.labelled)])
    fitted = fit_rows(many, wiring(reader, adapt=HOW), Supervised(), tmp_path)
    for judged in fitted.outcome.rivals:
        assert judged.score.score < 1 / 3 + 0.2, judged
    assert fitted.outcome.evidence.reference.score < 1 / 3 + 0.2


def test_what_the_words_tell_is_found_by_adapting_and_saved(items, reader, tmp_path):
    said = []
    fitted = fit_rows(items, wiring(reader, adapt=HOW), Drift(), tmp_path, say=said.append)
    names = [judged.says for judged in fitted.outcome.rivals]
    assert names == ["labels only, encoder adapted", "drift", "adapted, drift"]
    assert any("adaptations of the encoder" in line for line in said)
    if fitted.outcome.problem is not fitted.problem:
        assert fitted.reader.says.endswith("adapted")
        assert fitted.reader.seen(items.labelled) == 24


def test_an_adapted_encoder_whose_labels_would_be_held_out_is_refused(items, reader, tmp_path):
    after = adapted_features(items, reader, tmp_path).reader(np.arange(24))
    with pytest.raises(ValueError, match="was adapted to the labels of 24 of these 24 texts"):
        fit_rows(items, wiring(after), Supervised(), tmp_path)
    fit_rows(items, wiring(after, evidence=False), Supervised(), tmp_path)
    others = replace(items, labelled=[f"{text} too" for text in items.labelled])
    assert fit_rows(others, wiring(after), Supervised(), tmp_path).outcome.evidence is not None


def test_a_stopped_fit_adapts_no_encoder_twice(items, reader, tmp_path, monkeypatch):
    first = fit_rows(items, wiring(reader, adapt=HOW), Supervised(), tmp_path, store=FolderStore(tmp_path / "parts"))
    monkeypatch.setattr(adapting, "learnt", lambda *_, **__: pytest.fail("an encoder was adapted again"))
    again = fit_rows(items, wiring(reader, adapt=HOW), Supervised(), tmp_path, store=FolderStore(tmp_path / "parts"))
    assert again.outcome.evidence == first.outcome.evidence
    assert [j.as_dict() for j in again.outcome.rivals] == [j.as_dict() for j in first.outcome.rivals]


def test_where_adapting_cannot_be_it_is_said_and_left_out(items, reader, tmp_path):
    few, said = replace(items, labelled=items.labelled[:4], y=items.y[:4], task=Classification(3)), []
    few = replace(few, labelled=few.labelled[:3] + few.labelled[:3], y=np.repeat([0, 1, 2], 2))
    alike = replace(few, labelled=["alike"] * 6)
    fitted = fit_rows(alike, wiring(reader, adapt=HOW, folds=2), Supervised(), tmp_path, say=said.append)
    assert not fitted.outcome.rivals
    assert any("The encoder is not adapted" in line for line in said)
    with pytest.raises(ValueError, match="--adapt trains a transformer"):
        fit_rows(items, wiring(LexicalReader(), adapt=HOW), Supervised(), tmp_path)
    with pytest.raises(ValueError, match="--adapt needs the evidence"):
        fit_rows(items, wiring(reader, adapt=HOW, evidence=False), Supervised(), tmp_path)


def test_the_better_encoder_is_taken_and_the_costs_are_said(items, reader, tmp_path):
    """The lexical encoder sees the word that is the class; the transformer has random weights."""
    said = []
    plan = Plan(folds=4, repeats=1)
    taken, tried = choose_encoder([reader, LexicalReader()], items, plan, 0, tmp_path, said.append)
    assert isinstance(taken, LexicalReader)
    assert [t.chosen for t in tried] == [False, True]
    assert tried[0].gain == 0
    assert sum("for a million" in line for line in said) == 2
    assert "Taken: lexical." in said[-1]
    assert set(tried[1].as_dict()) == {"name", "score", "gain", "spread", "chosen"}


def test_a_slow_encoder_must_be_worth_its_time(items, reader, tmp_path, monkeypatch):
    monkeypatch.setattr("tutelage.fit.encoders.seconds_each", lambda r, _: 1.0 if isinstance(r, JoinedReader) else 0.1)
    monkeypatch.setattr("tutelage.fit.encoders.WORTH", 0.9)
    said = []
    taken, _ = choose_encoder([reader, JoinedReader(reader)], items, Plan(folds=4), 0, tmp_path, said.append)
    assert taken is not None
    assert not isinstance(taken, JoinedReader)
    assert "not worth 10 times the time" in said[-1]


def test_the_vocabulary_is_not_of_the_test(items, tmp_path):
    fitted = fit_rows(items, wiring(LexicalReader()), Supervised(), tmp_path)
    rows = features(fitted.reader, ["жжж ббб"], tmp_path).rows
    assert not rows.any()


def test_records_of_encoders_are_of_the_nearest_number_of_labels():
    assert of_nearest("encoders.json", "an encoder that nobody knows", 10).runs == 0
    few, many = (of_nearest("encoders.json", "minilm+lexical", labels) for labels in (4, 35))
    assert few.runs == many.runs > 0
    assert of_nearest("encoders.json", "minilm+lexical", 100) == many
    assert of_nearest("encoders.json", "minilm+lexical", 0) == few
