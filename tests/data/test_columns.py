"""Columns on disk, and a shuffle without a permutation in memory."""

from __future__ import annotations

import numpy as np
import pytest

from tutelage.data import loader
from tutelage.data.columns import TEXTS, Chain, Columns, Form, Made, evenly, folder_of
from tutelage.data.loader import Stream
from tutelage.data.shuffle import Shuffle


def columns_of(folder, blocks=3, about=None):
    columns = Columns(folder, {"rows": Form("<f4", 2), "text": TEXTS}, about or {})
    for k in range(blocks):
        columns.append({"rows": np.full((4, 2), k), "text": [f"ü{k}{i}\ud800" for i in range(4)]})
    return columns


def test_what_is_appended_is_read_again(tmp_path):
    columns_of(tmp_path / "c").finish({"left": 2})
    again = Columns.there(tmp_path / "c")
    assert (again.finished, again.told, len(again)) == (True, {"left": 2}, 12)
    assert again["rows"].tolist() == np.repeat([[0, 0], [1, 1], [2, 2]], 4, axis=0).tolist()
    assert list(again["text"]) == [f"ü{k}{i}\ud800" for k in range(3) for i in range(4)]
    assert again["text"][3:5] == ["ü03\ud800", "ü10\ud800"]
    assert folder_of(again["text"]) == folder_of(again["rows"]) == tmp_path / "c"


@pytest.mark.parametrize(("file", "kept"), [("rows.numbers", 2), ("text.texts", 2), ("text.ends", 2)])
@pytest.mark.parametrize("harm", ["torn", "flipped"])
def test_a_torn_block_is_to_be_made_again(tmp_path, file, kept, harm):
    columns_of(tmp_path / "c")
    path = tmp_path / "c" / file
    data = bytearray(path.read_bytes())
    data[-3] ^= 1
    path.write_bytes(bytes(data) if harm == "flipped" else bytes(data[:-1]))
    again = Columns.there(tmp_path / "c")
    assert (again.blocks, again.torn, len(again["text"])) == (kept, 1, 8)
    again.append({"rows": np.full((4, 2), 2), "text": [f"ü2{i}\ud800" for i in range(4)]})
    again.finish()
    whole = columns_of(tmp_path / "d")
    assert list(again["text"]) == list(whole["text"])
    assert np.array_equal(again["rows"], whole["rows"])


def test_a_torn_line_of_the_index_is_to_be_made_again(tmp_path):
    columns_of(tmp_path / "c").finish()
    path = tmp_path / "c" / "blocks.jsonl"
    path.write_bytes(path.read_bytes()[:-5])
    assert (Columns.there(tmp_path / "c").blocks, Columns.there(tmp_path / "c").finished) == (3, False)


def test_columns_of_something_else_are_emptied(tmp_path):
    columns_of(tmp_path / "c")
    assert columns_of(tmp_path / "c", 0, {"other": 1}).blocks == 0


def test_a_full_disk_leaves_the_columns_as_they_were(tmp_path, monkeypatch):
    columns = columns_of(tmp_path / "c")
    before = {path.name: path.read_bytes() for path in (tmp_path / "c").iterdir()}

    def full(*_):
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr(Columns, "_note", full)
        with pytest.raises(OSError, match="No space left"):
            columns.append({"rows": np.zeros((1, 2)), "text": ["a"]})
    assert {path.name: path.read_bytes() for path in (tmp_path / "c").iterdir()} == before
    columns.append({"rows": np.zeros((1, 2)), "text": ["a"]})
    assert columns["text"][-1] == "a"


def test_some_rows_are_kept_block_by_block(tmp_path):
    keep = np.arange(12) % 3 == 1
    kept = columns_of(tmp_path / "c").where(keep, tmp_path / "d")
    assert kept["rows"][:, 0].tolist() == [0, 1, 1, 2]
    assert list(kept["text"]) == [t for t, k in zip(columns_of(tmp_path / "e")["text"], keep, strict=True) if k]


def test_what_is_made_of_texts_on_disk_is_made_when_it_is_read(tmp_path):
    made = Made(columns_of(tmp_path / "c")["text"], lambda texts: [t.upper() for t in texts], "upper")
    both = Chain(["first"], made)
    assert both[0] == "first"
    assert both[1:3] == ["Ü00\ud800", "Ü01\ud800"]
    assert len(both) == 13
    assert len(evenly(both, 4)) == 4
    assert both.name != Chain(["other"], made).name


@pytest.mark.parametrize("size", [1, 2, 7, 1000, 2**12, 2**12 + 1])
def test_a_shuffle_is_a_permutation(size):
    assert np.array_equal(np.sort(Shuffle(size, (3, 1)).at(np.arange(size))), np.arange(size))


def test_a_shuffle_mixes_and_differs_by_seed_and_epoch():
    size = 5000
    orders = [Shuffle(size, seed).at(np.arange(size)) for seed in ((0, 0), (0, 1), (1, 0))]
    for i, order in enumerate(orders):
        assert abs(np.corrcoef(order, np.arange(size))[0, 1]) < 0.05
        assert abs(np.corrcoef(order[1:], order[:-1])[0, 1]) < 0.05
        assert all((order == other).mean() < 0.01 for other in orders[i + 1 :])


def test_batches_of_a_large_pool_go_through_it_once_an_epoch(monkeypatch):
    before = [Stream(1000, 96, 5).at(step) for step in range(30)]
    monkeypatch.setattr(loader, "SHUFFLED_IN_MEMORY", 999)
    stream = Stream(1000, 96, 5)
    drawn = np.concatenate([stream.at(step) for step in range(30)])
    for epoch in range(2):
        assert np.array_equal(np.sort(drawn[1000 * epoch : 1000 * (epoch + 1)]), np.arange(1000))
    assert np.array_equal(stream.at(7), Stream(1000, 96, 5).at(7))
    assert not np.array_equal(drawn, np.concatenate(before))
