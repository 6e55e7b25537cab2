"""The feature pass: the same numbers as a plain loop, kept by content, resumed exactly."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from tutelage.modalities.base import features as features_of
from tutelage.modalities.cache import encoding
from tutelage.modalities.encoder import load_encoder
from tutelage.modalities.text import network
from tutelage.modalities.text.network import pool
from tutelage.modalities.text.reader import TextReader


def encode(texts, encoder, folder, tick=None):
    """Features by a reader that has opened no cache before."""
    return features_of(TextReader(encoder), texts, folder, tick=tick).rows.numpy()


def pending(texts, encoder, folder):
    found = TextReader(encoder).encoding([texts], folder)
    return found.missing, found.seconds()


@pytest.fixture
def encoder(encoder_folder):
    return load_encoder(str(encoder_folder), 32)


@pytest.fixture
def many(texts):
    return [t * (1 + i % 4) for i, t in enumerate(texts.pool.text)]


def test_features_are_those_of_one_text_at_a_time(encoder, many, tmp_path):
    got = encode(many, encoder, tmp_path)
    with torch.inference_mode():
        for row, text in zip(got, many, strict=True):
            b = encoder.tokenizer([text], truncation=True, max_length=32, return_tensors="pt")
            expected = pool(encoder.model(**b).last_hidden_state, b["attention_mask"])[0]
            np.testing.assert_allclose(row, expected, atol=1e-5)
    np.testing.assert_allclose(np.linalg.norm(got, axis=1), 1, atol=1e-5)


def test_nothing_is_computed_twice(encoder, many, tmp_path, monkeypatch):
    first = encode(many, encoder, tmp_path)
    monkeypatch.setattr(network, "_features", None)  # any further pass would fail
    np.testing.assert_array_equal(encode(many[::-1], encoder, tmp_path), first[::-1])
    assert pending(many, encoder, tmp_path) == (0, 0.0)


def test_other_lengths_and_weights_have_other_features(encoder, encoder_folder, many, tmp_path):
    shorter = load_encoder(str(encoder_folder), 4)
    assert encoder.fingerprint != shorter.fingerprint
    other = load_encoder(str(encoder_folder), 32)
    with torch.no_grad():
        next(other.model.parameters()).add_(1e-3)
    assert other.fingerprint != encoder.fingerprint


@pytest.mark.parametrize("after", [1, 3])
def test_a_stopped_pass_keeps_what_it_had_and_goes_on_to_the_same_features(encoder, many, tmp_path, monkeypatch, after):
    monkeypatch.setattr(network, "TOKENS_A_BATCH", 96)
    monkeypatch.setattr(encoding, "ROWS_A_WRITE", 8)
    monkeypatch.setattr(network, "TEXTS_A_CHUNK", 40)
    whole = encode(many, encoder, tmp_path / "whole")

    told = []

    def stop(what, done, total):
        told.append(done)
        if done > 12 * after:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        encode(many, encoder, tmp_path / "cut", stop)
    left, _ = pending(many, encoder, tmp_path / "cut")
    assert left == len(set(many)) - told[-1]  # what was told as done is kept
    np.testing.assert_array_equal(encode(many, encoder, tmp_path / "cut"), whole)


def test_no_texts_give_no_rows(encoder, tmp_path):
    assert encode([], encoder, tmp_path).shape == (0, 16)
