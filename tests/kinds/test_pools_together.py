"""Several fits on one pool on disk at once: each reads and writes its own."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pandas as pd
import pytest

from tutelage.data.columns import Columns
from tutelage.files import BusyError
from tutelage.kinds import KINDS, pool_folder, stored
from tutelage.kinds.pool_folder import Hold, release
from tutelage.ops.said import Heard, hearing
from tutelage.tables import Notes, ReadAs, blocks

HOLDING = """
import sys, time
from pathlib import Path
from tutelage.kinds.pool_folder import Hold
hold = Hold(Path(sys.argv[1]))
print("held", flush=True)
time.sleep(600)
"""


@pytest.fixture
def read(tmp_path, monkeypatch):
    """A function that reads a pool of two files, as a fit does."""
    monkeypatch.setenv("TUTELAGE_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(stored, "ROWS_IN_MEMORY", 0)
    monkeypatch.setattr(blocks, "BYTES_A_BLOCK", 300)
    (tmp_path / "pool").mkdir()
    for name in "ab":
        texts = [f"{name} {i} soup and bread" for i in range(60)]
        pd.DataFrame({"text": texts}).to_csv(tmp_path / "pool" / f"{name}.csv", index=False)
    kind = KINDS["texts"](text="text", label="label")
    return lambda: stored.stored_pool(kind, tmp_path / "pool", ReadAs(), Notes(), 0)


def folders():
    return sorted(path.name.partition("-")[2] for path in pool_folder.cache_folder().glob("pools/*"))


def test_two_fits_thin_one_pool_at_once_and_each_has_its_own(read, monkeypatch):
    pools, append = [read(), read()], Columns.append
    monkeypatch.setattr(Columns, "append", lambda *given: time.sleep(0.002) or append(*given))
    masks = [np.arange(120) % 7 != 5, np.arange(120) % 5 != 3]
    with ThreadPoolExecutor(2) as threads:
        found = list(threads.map(lambda each: list(each[0].where(each[1]).items), zip(pools, masks, strict=True)))
    for pool, mask, texts in zip(pools, masks, found, strict=True):
        assert texts == [text for text, kept in zip(pool.items, mask, strict=True) if kept]
    assert folders() == ["", "1"]


def test_the_end_of_one_fit_leaves_the_pool_of_another(read):
    one, other = read(), read()
    expected = list(one.items)
    release(one.items)
    assert list(other.items) == expected
    assert list(other.where(np.arange(120) < 70).items) == expected[:70]


def test_what_one_fit_has_read_another_need_not_read(read, monkeypatch):
    one, asked = read(), []
    monkeypatch.setattr(KINDS["texts"], "entries", lambda *given: asked.append(given))
    other = read()
    assert not asked
    assert list(other.items) == list(one.items)
    assert (one.items.folder / "item.texts").samefile(other.items.folder / "item.texts")


def test_a_damaged_second_name_is_mended_without_touching_the_first(read):
    one = read()
    expected, first = list(one.items), (one.items.folder / "item.texts").stat().st_size
    other = read().items.folder
    (other / "blocks.jsonl").write_bytes((other / "blocks.jsonl").read_bytes()[:-9])
    again = Columns.there(other)
    again._cut("item.texts", 5)
    assert (one.items.folder / "item.texts").stat().st_size == first
    assert list(one.items) == expected


def test_a_pool_that_is_not_used_any_more_is_free(read):
    pool = read()
    thinned = pool.where(np.arange(120) < 70)
    del pool
    read()
    assert folders() == ["", "1"]  # what was thinned holds the first one still
    del thinned
    expected = read()
    assert expected.items.folder.parent.name.partition("-")[2] == ""
    release(expected.items)


def test_the_hold_of_a_killed_fit_is_gone(tmp_path):
    folder = tmp_path / "pool"
    command = [sys.executable, "-c", HOLDING, str(folder)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout.readline() == "held\n"
            with pytest.raises(BusyError, match=f"is being written by process {process.pid}"):
                Hold(folder)
        finally:
            process.kill()
    assert Hold(folder).end.alive


def test_another_fit_on_the_same_pool_is_said_and_not_kept(read):
    said = []
    with hearing(Heard(said.append)) as heard:
        kept = read(), read()
    assert len(kept) == 2
    (line,) = said
    assert "Another fit uses this pool on disk, too" in line
    assert f"process {os.getpid()} on" in line
    assert not heard.lines


def test_old_pools_are_removed_unless_a_fit_holds_them(read, monkeypatch):
    root = pool_folder.cache_folder() / "pools"
    hold = Hold(root / "held")
    for name in ("left", "held"):
        (root / name / "read").mkdir(parents=True)
    monkeypatch.setattr(pool_folder, "KEPT_FOR", -1.0)
    pool = read()
    assert len(pool) == 120
    assert not (root / "left").exists()
    assert (root / "held" / "read").exists()
    assert hold.end.alive
