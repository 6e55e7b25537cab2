"""Features that a run has read: a resumed run reads the same bits, whatever became of the cache."""

from __future__ import annotations

import shutil

import numpy as np
import pytest
import torch

from benches import stopped_after
from tutelage.data import Features, WordFeatures
from tutelage.fit import pinned as pins
from tutelage.fit.pinned import Pinned, pinned
from tutelage.fit.setup import FolderStore
from tutelage.modalities.rows.reader import RowReader


class Drawn:
    """An encoding whose features are others at each call, as those of a cache that was emptied."""

    def __init__(self, sizes=(5, 7), words: bool = False, missing: int = 9) -> None:
        self.sizes, self.words, self.missing, self.calls = sizes, words, missing, 0

    def seconds(self) -> float:
        return 3.0

    def features(self, device="cpu", tick=None):
        self.calls += 1
        found = [torch.randn(n, 4, generator=torch.Generator().manual_seed(10 * self.calls + n)) for n in self.sizes]
        if not self.words:
            return [Features(rows) for rows in found]
        return [WordFeatures(rows, np.array([1] * (len(rows) - 2) + [2])) for rows in found]


def same(a, b) -> bool:
    return all(torch.equal(x.rows, y.rows) and type(x) is type(y) for x, y in zip(a, b, strict=True))


@pytest.mark.parametrize("words", [False, True])
@pytest.mark.parametrize("a_part", [1 << 20, 48, 16, 1])
def test_features_that_were_read_once_are_read_again(tmp_path, monkeypatch, words, a_part):
    monkeypatch.setattr(pins, "A_PART", a_part)
    first = Pinned(Drawn(words=words), FolderStore(tmp_path), "features")
    assert (first.missing, first.seconds()) == (9, 3.0)
    found = first.features()
    other = Drawn(words=words)
    again = Pinned(other, FolderStore(tmp_path), "features")
    assert (again.missing, again.seconds()) == (0, 0.0)
    read = again.features()
    assert same(read, found)
    assert other.calls == 0
    if words:
        np.testing.assert_array_equal(read[0].sizes, found[0].sizes)


def test_a_run_that_was_stopped_while_it_kept_them_takes_what_it_had(tmp_path, monkeypatch):
    monkeypatch.setattr(pins, "A_PART", 48)
    store, real, left = FolderStore(tmp_path), FolderStore.once, [3]

    def once(self, name, compute):
        found = real(self, name, compute)
        left[0] -= 1
        if left[0] == 0:
            raise KeyboardInterrupt
        return found

    monkeypatch.setattr(FolderStore, "once", once)
    with pytest.raises(KeyboardInterrupt):
        Pinned(Drawn(), store, "features").features()
    assert any(tmp_path.iterdir())
    again = Pinned(Drawn(), store, "features")
    assert again.missing == 9
    found = again.features()
    assert same(found, Pinned(Drawn(), store, "features").features())
    kept = Drawn().features()[1].rows  # what the stopped run kept were the last rows
    assert torch.equal(found[1].rows[-3:], kept[-3:])


def test_a_part_that_is_gone_is_made_again_beside_the_others(tmp_path, monkeypatch):
    monkeypatch.setattr(pins, "A_PART", 48)
    found = Pinned(Drawn(), FolderStore(tmp_path), "features").features()
    (tmp_path / "features-1.safetensors").unlink()
    other = Drawn()
    other.calls = 5
    again = Pinned(other, FolderStore(tmp_path), "features").features()
    assert torch.equal(again[0].rows[:3], found[0].rows[:3])
    assert not torch.equal(again[0].rows[3:], found[0].rows[3:])
    assert torch.equal(again[1].rows[1:], found[1].rows[1:])
    assert same(Pinned(other, FolderStore(tmp_path), "features").features(), again)


@pytest.mark.parametrize("sizes", [(0, 0), (0, 4), (4, 0), (1,)])
def test_empty_lists_are_kept(tmp_path, sizes):
    found = Pinned(Drawn(sizes), FolderStore(tmp_path), "features").features()
    assert same(Pinned(Drawn(sizes), FolderStore(tmp_path), "features").features(), found)


def test_rows_of_numbers_and_fits_without_a_folder_are_not_kept(tmp_path):
    reader, encoding = RowReader(), RowReader().encoding([np.eye(3)], tmp_path)
    assert pinned(reader, encoding, FolderStore(tmp_path), "features") is encoding
    assert pinned(reader, None, FolderStore(tmp_path), "features") is None


def test_a_run_goes_on_to_the_same_bits_where_the_cache_was_emptied(run, bench, monkeypatch, tmp_path):
    """Features of other numbers are computed then, which the run must not see."""
    from tutelage.modalities.text import network

    monkeypatch.setenv("TUTELAGE_CACHE", str(tmp_path / "cache"))
    assert run(*bench.fit(out=bench.folder / "whole", checkpoint_seconds=0))[0] == 0
    encode = network._features
    with stopped_after(13):
        assert run(*bench.fit(checkpoint_seconds=0))[0] == 130
    shutil.rmtree(tmp_path / "cache")
    monkeypatch.setattr(network, "_features", lambda *given: encode(*given) + np.float32(1e-3))
    code, shown = run(*bench.fit(checkpoint_seconds=0, resume=True))
    assert code == 0, shown
    for name in ("model/model.safetensors", "model/model.json"):
        assert (bench.out / name).read_bytes() == (bench.folder / "whole" / name).read_bytes()
    assert not (bench.out / "parts").exists()
