"""Items that several processes encode have the features of one process, in memory and on disk."""

from __future__ import annotations

import hashlib
import pickle
from dataclasses import dataclass

import numpy as np
import pytest

from tutelage.data import Features
from tutelage.data.columns import TEXTS, Chain, Columns
from tutelage.engines import One, Processes, WorkerError
from tutelage.modalities.cache import FeatureCache, encoding_by, encoding_of, on_disk, spread
from tutelage.modalities.cache.spread import Chunks, engine_for
from tutelage.modalities.encoder import load_encoder
from tutelage.modalities.text.reader import TextReader

TEXT = [f"the {'very ' * (i % 7)}old coach of town {i}" for i in range(60)]


class Lengths:
    """An encoder that gives the length of a text, and its first letter's number."""

    width, a_chunk, a_sample = 2, 16, 4

    def key(self, item):
        return hashlib.blake2b(item.encode(), digest_size=16).digest()

    def keys(self, key, item):
        return [key]

    def batches(self, items, keys):
        for start in range(0, len(items), 3):
            some = range(start, min(start + 3, len(items)))
            yield list(some), rows_of([items[i] for i in some])


def rows_of(texts) -> np.ndarray:
    return np.array([[len(text), ord(text[0])] for text in texts], dtype=np.float32).reshape(-1, 2)


@dataclass
class Two:
    """An engine of two workers in this process, whose tasks are pickled as if they were sent; it keeps their sizes."""

    sizes: list[int]
    name = "two"
    workers = 2

    def each(self, make, source):
        work = make()
        for task in source():
            self.sizes.append(len(task.items))
            yield work(pickle.loads(pickle.dumps(task)))


def wrap(rows, items):
    return Features(rows)


@pytest.fixture
def stored(tmp_path):
    """Texts of which the first two are in memory and the others on disk."""
    held = Columns(tmp_path / "pool", {"item": TEXTS}, {})
    held.append({"item": TEXT[2:40]})
    held.append({"item": TEXT[40:]})
    held.finish({})
    return Chain(TEXT[:2], held["item"])


@pytest.fixture
def many(monkeypatch):
    """Few items are many."""
    monkeypatch.setattr(spread, "LEAST", 8)
    monkeypatch.setattr(spread, "LEAST_A_CHUNK", 5)


@pytest.mark.parametrize("kept", [False, True])
@pytest.mark.parametrize("where", ["memory", "disk"])
def test_features_and_the_cache_are_those_of_one_process(tmp_path, many, stored, where, kept):
    items = TEXT if where == "memory" else stored
    store = FeatureCache(tmp_path / "cache", 2) if kept else None
    engine, ticks = Two([]), []
    with encoding_by(engine):
        (found,) = encoding_of([items], Lengths(), store, wrap, "lengths").features(tick=lambda *now: ticks.append(now))
    np.testing.assert_array_equal(found.rows.numpy(), rows_of(TEXT))
    assert engine.sizes == [5] * 12 and ticks[-1] == ("encoding", 60, 60)
    if kept:
        out = np.zeros((60, 2), dtype=np.float32)
        assert store.read([Lengths().key(text) for text in TEXT], out).all()
        np.testing.assert_array_equal(out, rows_of(TEXT))


def test_what_is_in_the_cache_or_few_items_start_no_worker(tmp_path, many):
    store = FeatureCache(tmp_path / "cache", 2)
    encoding_of([TEXT], Lengths(), store, wrap, "lengths").features()
    engine = Two([])
    with encoding_by(engine):
        encoding_of([TEXT, ["a new text"]], Lengths(), store, wrap, "lengths").features()
        assert engine_for(7) is None and engine_for(8) is engine
    with encoding_by(One()):
        assert engine_for(10**9) is None
    assert engine.sizes == [] and engine_for(10**9) is None


def test_a_stopped_pass_over_a_pool_on_disk_goes_on_behind_its_last_block(tmp_path, many, stored):
    @dataclass
    class Broken(Two):
        def each(self, make, source):
            for done, rows in enumerate(super().each(make, source)):
                if done == 4:
                    raise WorkerError("2 worker processes ended")
                yield rows

    with encoding_by(Broken([])), pytest.raises(WorkerError):
        encoding_of([stored], Lengths(), None, wrap, "lengths").features()
    begun = encoding_of([stored], Lengths(), None, wrap, "lengths")
    assert begun.missing == 40
    with encoding_by(Two([])):
        (found,) = begun.features()
    np.testing.assert_array_equal(found.rows.numpy(), rows_of(TEXT))


def test_a_pool_on_disk_is_sent_as_the_place_of_its_files(stored):
    sent = pickle.dumps(Chunks(stored, 30))
    assert b"coach of town 7" not in sent  # of those on disk no text
    assert [len(chunk.items) for chunk in pickle.loads(sent)()] == [30, 30]
    assert [text for chunk in pickle.loads(sent)() for text in chunk.items] == TEXT


def test_the_time_that_is_told_is_that_of_the_workers():
    with encoding_by(Processes(4)):
        assert spread.shorter(3600.0, 10**6) < 3600.0
        assert spread.shorter(3600.0, 10) == 3600.0


@pytest.mark.slow
def test_processes_give_the_bits_of_one_process(tmp_path, many, stored, monkeypatch):
    monkeypatch.setattr(on_disk, "ITEMS_A_BLOCK", 32)
    reader = TextReader(load_encoder())
    alone = reader.encoding([TEXT[:30], stored], None).features()
    held = Columns(tmp_path / "again", {"item": TEXTS}, {})
    held.append({"item": TEXT})
    held.finish({})
    with encoding_by(Processes(2)):
        found = reader.encoding([TEXT[:30], held["item"]], tmp_path / "cache").features()
    for one, two in zip(alone, found, strict=True):
        np.testing.assert_array_equal(one.rows.numpy(), two.rows.numpy())
