"""A pass over items with a cache: what is announced is made, what is made is kept, and the cache changes no feature."""

from __future__ import annotations

import hashlib
from collections import Counter

import numpy as np
import pytest
import torch

from tutelage.data import Features
from tutelage.modalities.base import features as features_of
from tutelage.modalities.cache import CachedEncoding, FeatureCache, batches_of, encoding, padded_to
from tutelage.modalities.encoder import load_encoder
from tutelage.modalities.head import Head
from tutelage.modalities.sentences.reader import WordReader
from tutelage.modalities.text import network
from tutelage.modalities.text.reader import TextReader
from tutelage.model import Model
from tutelage.tasks import TASKS

WIDTH = 3


class Numbers:
    """An encoder of lists of numbers, one row for each, that counts what it encodes."""

    width, a_chunk, a_sample = WIDTH, 7, 4

    def __init__(self) -> None:
        self.encoded: Counter[tuple[int, ...]] = Counter()
        self.stop_after: int | None = None

    def key(self, item):
        return hashlib.blake2b(repr(item).encode(), digest_size=12).digest()

    def keys(self, key, item):
        return [key + j.to_bytes(4, "big") for j in range(len(item))]

    def batches(self, items, keys):
        for start in range(0, len(items), 2):
            some = range(start, min(start + 2, len(items)))
            for i in some:
                self.encoded[items[i]] += 1
            if self.stop_after is not None and self.encoded.total() > self.stop_after:
                raise KeyboardInterrupt
            yield some, truth([items[i] for i in some])


def truth(items) -> np.ndarray:
    found = [[n + j / 8 for j in range(WIDTH)] for item in items for n in item]
    return np.array(found, dtype=np.float32).reshape(-1, WIDTH)


def pass_over(parts, folder, encoder=None):
    store = None if folder is None else FeatureCache(folder / "encoder", WIDTH)
    return CachedEncoding(parts, encoder or Numbers(), store, lambda rows, items: Features(rows))


PARTS = ([(1, 2), (3,), (1, 2), ()], [(4, 5, 6), (3,), (7,)] + [(n,) for n in range(20, 40)])


@pytest.mark.parametrize("keep", [True, False])
def test_equal_items_are_encoded_once_and_all_rows_are_in_their_places(tmp_path, keep):
    encoder = Numbers()
    found = pass_over(PARTS, tmp_path if keep else None, encoder).features()
    for rows, items in zip(found, PARTS, strict=True):
        np.testing.assert_array_equal(rows.rows.numpy(), truth(items))
    assert set(encoder.encoded.values()) == {1}


def test_what_is_announced_is_what_is_made(tmp_path):
    """Also of items of which a row in the middle is damaged, which the first row does not tell."""
    first = pass_over(PARTS, tmp_path)
    ticks = []
    assert first.missing == 24
    first.features(tick=lambda *now: ticks.append(now[1:]))
    assert ticks[-1] == (24, 24)
    assert pass_over(PARTS, tmp_path).missing == 0
    file = tmp_path / "encoder" / "3.rows"
    stored = np.frombuffer(file.read_bytes(), dtype=[("head", "u1", 20), ("row", "<f4", WIDTH)]).copy()
    assert len(stored) == 27  # the announced items' rows and no more
    at = np.flatnonzero(stored["row"][:, 0] == 5)[0]
    stored["row"][at, 1] += 1
    file.write_bytes(stored.tobytes())
    encoder = Numbers()
    again = pass_over(PARTS, tmp_path, encoder)
    assert again.missing == 1
    np.testing.assert_array_equal(again.features()[1].rows.numpy(), truth(PARTS[1]))
    assert encoder.encoded == {(4, 5, 6): 1}
    assert pass_over(PARTS, tmp_path).missing == 0


@pytest.mark.parametrize("stop_after", [5, 11, 20])
def test_a_stopped_pass_keeps_all_that_was_made(tmp_path, stop_after):
    encoder = Numbers()
    encoder.stop_after = stop_after
    with pytest.raises(KeyboardInterrupt):
        pass_over(PARTS, tmp_path, encoder).features()
    made = encoder.encoded.total() - 2  # those of the batch that was stopped are not
    assert pass_over(PARTS, tmp_path).missing in (24 - made, 24 - made - 1)


def test_a_slow_pass_is_written_each_half_minute(tmp_path, monkeypatch):
    now, written = [0.0], []
    monkeypatch.setattr(encoding.time, "monotonic", lambda: now[0])
    store = FeatureCache(tmp_path / "encoder", WIDTH)
    real = store.add
    monkeypatch.setattr(store, "add", lambda keys, rows: written.append((now[0], len(keys))) or real(keys, rows))

    def tick(*_):
        now[0] += 11

    items = [(n,) for n in range(12)]
    CachedEncoding([items], Numbers(), store, lambda rows, items: Features(rows)).features(tick=tick)
    assert [when for when, _ in written] == [33.0, 66.0]
    assert sum(count for _, count in written) == 12


def test_a_second_call_gives_the_same(tmp_path):
    found = pass_over(PARTS, tmp_path)
    first, second = found.features(), found.features()
    assert all(torch.equal(a.rows, b.rows) for a, b in zip(first, second, strict=True))


def test_each_batch_is_of_one_length_and_within_its_size():
    rng = np.random.default_rng(0)
    lengths = padded_to(rng.integers(1, 70, 300), longest=64)
    windows, keys = rng.integers(1, 4, 300), [rng.bytes(4) for _ in range(300)]
    batches = list(batches_of(lengths, keys, windows, units=512))
    assert sorted(np.concatenate(batches).tolist()) == list(range(300))
    for batch in batches:
        assert len(set(lengths[batch].tolist())) == 1
        assert (lengths[batch] * windows[batch]).max() * len(batch) <= 512 or len(batch) == 1
    assert not list(batches_of(np.zeros(0, dtype=np.int64), []))


@pytest.mark.parametrize("reader", [TextReader, WordReader])
def test_an_item_has_the_same_features_whatever_is_encoded_beside_it(
    encoder_folder, texts, tmp_path, reader, monkeypatch
):
    """Its padding is its own; that a product of matrices adds up a row alike in any batch is this machine's."""
    encoder = load_encoder(str(encoder_folder), 32)
    items = list(texts.pool.text) if reader is TextReader else [t.split() for t in texts.pool.text]
    shapes = []
    real = type(encoder.model).forward
    monkeypatch.setattr(
        type(encoder.model),
        "forward",
        lambda self, *a, **k: shapes.append(tuple(k["input_ids"].shape)) or real(self, *a, **k),
    )
    together = features_of(reader(encoder), items, tmp_path / "together").rows
    lengths = {length for _, length in shapes}
    assert all(length % 8 == 0 for length in lengths)
    alone = [features_of(reader(encoder), [item], None).rows for item in items]
    assert {length for _, length in shapes} == lengths
    features_of(reader(encoder), items[::3], tmp_path / "partly")
    partly = features_of(reader(encoder), items, tmp_path / "partly").rows
    torch.testing.assert_close(torch.cat(alone), together, atol=1e-6, rtol=0)
    torch.testing.assert_close(partly, together, atol=1e-6, rtol=0)


@pytest.fixture
def model(encoder_folder, tmp_path):
    reader = TextReader(load_encoder(str(encoder_folder), 32))
    with torch.random.fork_rng():
        torch.manual_seed(0)
        return Model(["a", "b"], Head(16, 2), reader, TASKS["classification"].of(["a", "b"]), tmp_path / "features")


def test_one_text_a_call_makes_no_file_a_call(model, texts, tmp_path):
    one = [model.predict([text])[0] for text in texts.pool.text]
    files = [p for p in (tmp_path / "features").rglob("*") if p.is_file()]
    assert len(files) <= 3
    assert one == model.predict(list(texts.pool.text)).tolist()


def test_a_model_can_be_told_to_keep_nothing(model, texts, tmp_path, monkeypatch):
    kept = model.probabilities(list(texts.test.text))
    model.cache = False
    before = {p: p.stat().st_mtime_ns for p in (tmp_path / "features").rglob("*")}
    model.predict(list(texts.pool.text))
    assert {p: p.stat().st_mtime_ns for p in (tmp_path / "features").rglob("*")} == before
    np.testing.assert_allclose(model.probabilities(list(texts.test.text)), kept, atol=1e-6)
    calls = []
    real = network._features
    monkeypatch.setattr(network, "_features", lambda *given: calls.append(given) or real(*given))
    model.predict(list(texts.pool.text))
    assert calls  # nor was anything read


def test_an_estimator_can_be_told_to_keep_nothing(encoder_folder, texts, tmp_path, monkeypatch):
    from tutelage.estimators import Classifier

    monkeypatch.setenv("TUTELAGE_CACHE", str(tmp_path / "cache"))
    X, y = list(texts.train.text), list(texts.train.label)
    options = {"encoder": str(encoder_folder), "steps": 3, "evidence": False}
    fitted = Classifier("supervised", cache=False, **options).fit(X, y)
    p = fitted.predict_proba(list(texts.test.text))
    assert not (tmp_path / "cache" / "features").exists()
    kept = Classifier("supervised", **options).fit(X, y)
    np.testing.assert_allclose(kept.predict_proba(list(texts.test.text)), p, atol=1e-5)
    assert (tmp_path / "cache" / "features").exists()
