import dataclasses

import numpy as np
import pytest
import torch

from tutelage.adapting.how import Adapting
from tutelage.adapting.run import adapted, learnt
from tutelage.adapting.simcse import SimCse, told_apart
from tutelage.modalities.encoder import load_encoder
from tutelage.modalities.sentences.reader import WordReader
from tutelage.modalities.text.reader import TextReader

ITEMS = [f"the {a} was near the {b} today" for a in ("soup", "goal", "cake") for b in ("team", "salad", "coach")]
HOW = Adapting.of("simcse", steps=6, lr=1e-3, batch=8, fast=False)


@pytest.fixture
def reader(encoder_folder):
    return TextReader(load_encoder(str(encoder_folder), 16))


def test_the_loss_is_the_cross_entropy_that_numpy_computes():
    draws = np.random.default_rng(0)
    z, other = draws.normal(size=(2, 7, 5))
    unit, second = (rows / np.linalg.norm(rows, axis=1, keepdims=True) for rows in (z, other))
    e = np.exp(unit @ second.T / 0.05)
    expected = -np.log(np.diag(e) / e.sum(1)).mean()
    assert told_apart(torch.as_tensor(z), torch.as_tensor(other), 0.05).item() == pytest.approx(expected)


def test_two_passes_have_different_dropout(reader):
    network = reader.units().train()
    inputs = reader.examples(ITEMS).take(np.arange(len(ITEMS)))
    assert not torch.equal(network(**inputs), network(**inputs))


def test_without_dropout_two_passes_are_one(reader):
    network = reader.units(dropout=False).train()
    inputs = reader.examples(ITEMS).take(np.arange(len(ITEMS)))
    assert torch.equal(network(**inputs), network(**inputs))


def test_texts_alone_train_the_encoder(reader):
    before = reader.encoder.fingerprint
    after = adapted(reader, ITEMS, None, None, HOW)
    assert reader.encoder.fingerprint == before != after.encoder.fingerprint
    assert after.encoder.adapted == "simcse, 6 steps"


def test_the_same_seed_gives_the_same_weights(reader):
    one, again, other = (learnt(reader, ITEMS, None, None, HOW, seed=s) for s in (1, 1, 2))
    assert all(torch.equal(one[n], again[n]) for n in one)
    assert not all(torch.equal(one[n], other[n]) for n in one)


def test_an_encoder_without_dropout_is_refused(reader, encoder_folder):
    from transformers import AutoModel

    bare = AutoModel.from_pretrained(encoder_folder, hidden_dropout_prob=0.0, attention_probs_dropout_prob=0.0)
    still = TextReader(dataclasses.replace(reader.encoder, model=bare.eval()))
    with pytest.raises(ValueError, match="simcse needs dropout"):
        adapted(still, ITEMS, None, None, HOW)


def test_words_are_refused(reader):
    with pytest.raises(ValueError, match="whole texts apart, not words"):
        adapted(WordReader(reader.encoder), [t.split() for t in ITEMS], None, None, HOW)


def test_a_temperature_of_0_is_refused():
    with pytest.raises(ValueError, match="temperature must be above 0, got 0"):
        SimCse(temperature=0)
