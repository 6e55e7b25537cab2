"""The feature pass: the same numbers as a plain loop, kept by content, resumed exactly."""

from __future__ import annotations

import errno

import numpy as np
import pytest
import torch

from tutelage.modalities import cache
from tutelage.modalities.base import features as features_of
from tutelage.modalities.encoder import load_encoder
from tutelage.modalities.text import network
from tutelage.modalities.text.network import pool
from tutelage.modalities.text.reader import TextReader


def encode(texts, encoder, folder, tick=None):
    """Features by a reader that has opened no cache before."""
    return features_of(TextReader(encoder), texts, folder, tick=tick).rows.numpy()


def pending(texts, encoder, folder):
    encoding = TextReader(encoder).encoding([texts], folder)
    return encoding.missing, encoding.seconds()


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
def test_a_stopped_pass_goes_on_with_the_same_batches(encoder, many, tmp_path, monkeypatch, after):
    monkeypatch.setattr(network, "TOKENS_A_BATCH", 96)
    monkeypatch.setattr(cache, "ROWS_A_FILE", 8)
    monkeypatch.setattr(network, "TEXTS_A_CHUNK", 40)
    whole = encode(many, encoder, tmp_path / "whole")

    def stop(what, done, total):
        if done > 12 * after:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        encode(many, encoder, tmp_path / "cut", stop)
    left, _ = pending(many, encoder, tmp_path / "cut")
    assert 0 < left < len(set(many))
    np.testing.assert_array_equal(encode(many, encoder, tmp_path / "cut"), whole)


def test_a_damaged_cache_file_is_computed_again(encoder, many, tmp_path):
    first = encode(many, encoder, tmp_path)
    for file in tmp_path.rglob("*.rows.npy"):
        file.write_bytes(b"")
    np.testing.assert_allclose(encode(many, encoder, tmp_path), first, atol=1e-6)


def test_no_texts_give_no_rows(encoder, tmp_path):
    assert encode([], encoder, tmp_path).shape == (0, 16)


def test_a_full_disk_under_the_features_is_told_as_such(tmp_path, monkeypatch):
    """numpy gives the error of a short write no number and no file."""

    def short(*_):
        raise OSError("46080 requested and 20448 written")

    store = cache.FeatureCache(tmp_path)
    monkeypatch.setattr(cache.np, "save", short)
    with pytest.raises(OSError) as told:
        store.add([b"a"], np.zeros((1, 2), np.float32))
    assert (told.value.errno, told.value.filename) == (errno.ENOSPC, str(tmp_path))
    assert not list(tmp_path.iterdir())
