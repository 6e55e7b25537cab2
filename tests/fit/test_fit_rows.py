"""A whole fit: the encoder that the labels choose, the encoder that each fold adapts, and what is said beforehand."""

from __future__ import annotations

from dataclasses import replace
from functools import partial

import numpy as np
import pytest
import torch

from tutelage.adapting.how import Adapting
from tutelage.fit import adapting
from tutelage.fit.adapting import AdaptedFeatures
from tutelage.fit.build import Items
from tutelage.fit.defaults import HEAD, Asked
from tutelage.fit.encoders import in_words, try_encoders
from tutelage.fit.fit_rows import Wiring, fit_rows
from tutelage.fit.problem import Plan
from tutelage.fit.recorded import ALL_RECORDS, Records
from tutelage.fit.reference import LabelsOnly
from tutelage.fit.setup import FolderStore, MemoryStore, Setup
from tutelage.kinds.dataset import Dataset
from tutelage.kinds.texts import Texts
from tutelage.methods import Drift, Supervised
from tutelage.modalities.base import features
from tutelage.modalities.encoder import load_encoder
from tutelage.modalities.text.lexical_reader import JoinedReader, LexicalReader
from tutelage.modalities.text.reader import TextReader
from tutelage.model import Model, load, save
from tutelage.tasks import Classification
from tutelage.train import Training
from tutelage.weak import Source

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


def adapted_features(items, reader, tmp_path, store=None, how=HOW):
    build = wiring(reader).build(reader, ("weak",), tmp_path / "cache")
    labelled = build.of(items).problem().labelled
    return AdaptedFeatures(
        items, labelled, build, how, 0, store or MemoryStore(), lambda *_: None, lambda p: p, tmp_path
    )


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
    """An encoder that had seen a held-out label would tell the classes of noise apart, as the last one here does."""
    y = np.random.default_rng(1).permutation(np.tile(items.y, 2))
    noise, how = replace(items, labelled=(items.labelled + items.pool)[:48], y=y), replace(HOW, steps=200, batch=48)
    honest = adapted_features(noise, reader, tmp_path, how=how).labels()
    folds = honest.folds(Plan(folds=3, repeats=1), 0)

    def score(problem):
        model = LabelsOnly("", Setup(problem, Training(20)), folds).model
        return float(problem.scored(model.honest).right.mean())

    assert score(honest) < 1 / 3 + 0.2
    assert score(replace(honest, by_fold=None)) > 0.9
    fitted = fit_rows(noise, wiring(reader, adapt=HOW), Supervised(), tmp_path)
    assert fitted.outcome.evidence.reference.score < 1 / 3 + 0.2
    assert all(judged.score.score < 1 / 3 + 0.2 for judged in fitted.outcome.judged)


@pytest.mark.parametrize(("views", "augment"), [(("weak",), None), (("strong",), None), (("strong",), list)])
def test_all_that_an_adapted_encoder_encodes_is_counted_beforehand(views, augment, items, reader, tmp_path):
    """Where a method reads strong views, disturbed copies of the pool are encoded, too."""
    features = adapted_features(items, reader, tmp_path)
    features = replace(features, build=replace(features.build, views=views, augment=augment))
    twice = replace(features, items=replace(items, pool=items.pool * 2))
    one, two = features.cost(), twice.cost()
    first, copies = len(items.pool), 0 if views == ("weak",) else 1 if augment else 2
    assert len(set(items.pool)) == first
    assert 1 + copies * (augment is None) / 2 <= one.readings <= 1 + copies
    assert two.readings < 0.9 * one.readings  # a text is encoded once, however often it is there
    assert one.seconds(0, 0, first)[1] == pytest.approx(first * one.readings * one.row)


@pytest.mark.parametrize("beside", [False, True])
def test_what_the_words_tell_is_found_by_adapting_and_saved(beside, items, reader, tmp_path):
    said, alone = [], reader
    reader = JoinedReader(reader) if beside else reader
    fitted = fit_rows(items, wiring(reader, adapt=replace(HOW, steps=100)), Drift(), tmp_path, say=said.append)
    judged = fitted.outcome.judged
    assert [j.says for j in judged] == ["labels only, encoder adapted", "drift", "adapted, drift"]
    assert any("adaptations of the encoder" in line for line in said)
    assert judged[0].score.score > 0.9
    assert fitted.reader.seen(items.labelled) == 24
    assert alone.seen(items.labelled) == 0
    if not beside:  # words of the texts are seen by the lexical features anyway
        assert fitted.outcome.evidence.reference.score < 0.7
        assert fitted.outcome.returned in ("adapted", "candidate")
        assert fitted.reader.says.endswith("adapted")
    model = Model(["a", "b", "c"], fitted.outcome.candidate, fitted.outcome.candidate_problem.reader, TASK, tmp_path)
    save(model, tmp_path / "model")
    again = load(tmp_path / "model")
    np.testing.assert_array_equal(again.probabilities(items.pool), model.probabilities(items.pool))


def test_encoders_of_folds_share_the_weights_that_are_not_trained(items, reader, tmp_path):
    made = [adapted_features(items, reader, tmp_path).reader(np.arange(n)) for n in (16, 24)]
    networks = [dict(each.encoder.model.named_parameters()) for each in (reader, *made)]
    alike = [name for name, p in networks[0].items() if all(p is other[name] for other in networks[1:])]
    apart = [n for n in networks[0] if len({other[n].data_ptr() for other in networks}) == 3]
    assert sorted(alike + apart) == sorted(networks[0])
    assert any("embeddings" in name for name in alike)
    assert any("layer" in name for name in apart)


def test_descriptions_are_read_by_the_transformer_alone(items, reader, tmp_path):
    """Words of a description are seldom those of the texts, so that lexical features would only add noise."""
    described = replace(items, described=[[text] for text in items.labelled[:3]])
    taught = []
    for each in (reader, JoinedReader(reader)):
        taught.append(fit_rows(described, wiring(each), Drift(), tmp_path).problem.weak.target)
    assert torch.equal(*taught)


def test_an_adapted_encoder_whose_labels_would_be_held_out_is_refused(items, reader, tmp_path):
    after = adapted_features(items, reader, tmp_path).reader(np.arange(24))
    with pytest.raises(ValueError, match="was adapted to the labels of 24 of these 24 texts"):
        fit_rows(items, wiring(after), Supervised(), tmp_path)
    fit_rows(items, wiring(after, evidence=False), Supervised(), tmp_path)
    others = replace(items, labelled=[f"{text} too" for text in items.labelled])
    assert fit_rows(others, wiring(after), Supervised(), tmp_path).outcome.evidence is not None


def test_a_teacher_that_learnt_the_labels_is_refused(items, reader, tmp_path):
    """Its answers on the pool carry the labels that a fold holds out."""
    rows = np.random.default_rng(0).dirichlet(np.ones(3), 84)
    told = replace(items, sources=(Source("old", rows, np.arange(84) < 5),))
    with pytest.raises(ValueError, match="teacher 'old' learnt the labels of 5 of these 24 texts"):
        fit_rows(told, wiring(reader), Drift(), tmp_path)
    assert fit_rows(told, wiring(reader, evidence=False), Drift(), tmp_path).outcome.evidence is None
    others = replace(items, sources=(Source("old", rows, np.arange(84) >= 24),))
    assert fit_rows(others, wiring(reader), Drift(), tmp_path).outcome.evidence is not None


def test_a_stopped_fit_adapts_no_encoder_twice(items, reader, tmp_path, monkeypatch):
    first = fit_rows(items, wiring(reader, adapt=HOW), Supervised(), tmp_path, store=FolderStore(tmp_path / "parts"))
    monkeypatch.setattr(adapting, "learnt", lambda *_, **__: pytest.fail("an encoder was adapted again"))
    again = fit_rows(items, wiring(reader, adapt=HOW), Supervised(), tmp_path, store=FolderStore(tmp_path / "parts"))
    assert again.outcome.evidence == first.outcome.evidence
    assert [j.as_dict() for j in again.outcome.judged] == [j.as_dict() for j in first.outcome.judged]


def test_where_adapting_cannot_be_it_is_said_and_left_out(items, reader, tmp_path):
    few, said = replace(items, labelled=items.labelled[:4], y=items.y[:4], task=Classification(3)), []
    few = replace(few, labelled=few.labelled[:3] + few.labelled[:3], y=np.repeat([0, 1, 2], 2))
    alike = replace(few, labelled=["alike"] * 6)
    fitted = fit_rows(alike, wiring(reader, adapt=HOW, folds=2), Supervised(), tmp_path, say=said.append)
    assert not fitted.outcome.judged
    assert any("The encoder is not adapted" in line for line in said)
    fitted = fit_rows(items, wiring(LexicalReader(), adapt=HOW), Supervised(), tmp_path, say=said.append)
    assert not fitted.outcome.judged
    assert "The encoder is not adapted: lexical is no transformer, which could be trained." in said


def test_adapting_that_was_asked_for_is_refused_where_it_cannot_be(items):
    """The automatic choice leaves it out instead."""
    with pytest.raises(ValueError, match="--adapt trains a transformer, not --encoder lexical"):
        Texts(text="text", label="label", encoder="lexical", adapt=True)
    blind = Asked(evidence=False)
    with pytest.raises(ValueError, match="--adapt needs the evidence"):
        Texts(text="text", label="label", adapt=True).wiring(blind, Dataset(items, ["a", "b", "c"]), auto=True)
    assert Texts(text="text", label="label").adapting(auto=True, evidence=False) is None
    assert Texts(text="text", label="label").adapting(auto=True, evidence=True) == Adapting()


def test_the_better_encoder_is_taken_and_the_costs_are_said(items, reader, tmp_path):
    """The lexical encoder sees the word that is the class; the transformer has random weights."""
    said = []
    plan = Plan(folds=4, repeats=1)
    tried = try_encoders([reader, LexicalReader()], items, plan, 0, tmp_path, ALL_RECORDS, said.append)
    assert [t.chosen for t in tried] == [False, True]
    assert tried[0].gain == 0
    assert sum("for a million" in line for line in said) == 2
    assert "taken: lexical." in in_words(tried)
    assert set(tried[1].as_dict()) == {"name", "score", "gain", "spread", "chosen"}


def test_an_encoder_that_cannot_be_adapted_is_not_tried_where_the_fit_adapts(items, reader, tmp_path):
    """What adapting is worth is not seen in the frozen folds, in which the lexical encoder is far better here."""
    choice = [reader, LexicalReader(), JoinedReader(reader)]
    fitted = fit_rows(items, wiring(*choice, adapt=HOW, folds=2), Supervised(), tmp_path)
    assert {t.name for t in fitted.encoders} == {reader.says, JoinedReader(reader).says}
    assert fitted.outcome.judged


def test_a_slow_encoder_must_be_worth_its_time(items, reader, tmp_path, monkeypatch):
    monkeypatch.setattr("tutelage.fit.encoders.seconds_each", lambda r, _: 1.0 if isinstance(r, JoinedReader) else 0.1)
    monkeypatch.setattr("tutelage.fit.encoders.WORTH", 0.9)
    readers = [reader, JoinedReader(reader)]
    tried = try_encoders(readers, items, Plan(folds=4), 0, tmp_path, ALL_RECORDS, lambda line: None)
    assert [t.chosen for t in tried] == [True, False]
    assert "not worth 10 times the time" in in_words(tried)


def test_a_stopped_fit_keeps_the_encoder_that_it_chose(items, reader, tmp_path, monkeypatch):
    """The choice depends on a clock, and the trainings that are kept depend on the choice."""
    both, store = wiring(reader, LexicalReader()), FolderStore(tmp_path / "parts")
    first = fit_rows(items, both, Supervised(), tmp_path, store=store)
    monkeypatch.setattr("tutelage.fit.fit_rows.try_encoders", lambda *_: pytest.fail("the encoders were tried again"))
    again = fit_rows(items, both, Supervised(), tmp_path, store=FolderStore(tmp_path / "parts"))
    assert again.encoders == first.encoders
    assert again.reader.says == first.reader.says == "lexical"
    with pytest.raises(ValueError, match="encoder lexical, chosen before the run stopped, is not here any more"):
        fit_rows(items, wiring(reader, JoinedReader(reader)), Supervised(), tmp_path, store=store)


def test_the_vocabulary_is_not_of_the_test(items, tmp_path):
    fitted = fit_rows(items, wiring(LexicalReader()), Supervised(), tmp_path)
    rows = features(fitted.reader, ["жжж ббб"], tmp_path).rows
    assert not rows.any()


def test_records_of_encoders_are_of_the_nearest_number_of_labels():
    nearest = partial(ALL_RECORDS.nearest, "encoders.json")
    assert nearest("an encoder that nobody knows", 10).runs == 0
    few, many = (nearest("minilm+lexical", labels) for labels in (4, 35))
    assert few.runs == many.runs > 0
    assert nearest("minilm+lexical", 100) == many
    assert nearest("minilm+lexical", 0) == few


def test_a_benchmark_does_not_know_the_records_of_its_own_data_set():
    known, unknown = (Records(without=w).nearest("encoders.json", "minilm+lexical", 10) for w in ((), ("trec",)))
    assert unknown.runs == known.runs - 1
    assert unknown.mean != known.mean
