"""The feature cache: what it gives is what was kept, whatever happens to its files."""

from __future__ import annotations

import errno
import os
import sqlite3
import subprocess
import threading
import warnings
from pathlib import Path

import numpy as np
import pytest

from tutelage.modalities.cache import Caches, FeatureCache, index, room, rows_file, store

WIDTH = 6


def keys_of(numbers) -> list[bytes]:
    """Keys as those of texts: their first bytes are random."""
    return [np.random.default_rng(n).bytes(16) for n in numbers]


def rows_for(numbers, width=WIDTH) -> np.ndarray:
    return np.array([[n + j / 10 for j in range(width)] for n in numbers], dtype=np.float32).reshape(-1, width)


def told(cache, numbers) -> tuple[np.ndarray, np.ndarray]:
    """Mask of what a cache holds of these, and its rows."""
    out = np.full((len(numbers), cache.width), -1, dtype=np.float32)
    return cache.read(keys_of(numbers), out), out


def filled(folder: Path, numbers=range(50)) -> FeatureCache:
    cache = FeatureCache(folder / "encoder", WIDTH)
    cache.add(keys_of(numbers), rows_for(numbers))
    return cache


def test_rows_come_back_in_the_order_in_which_they_are_asked_for(tmp_path):
    filled(tmp_path)
    for cache in (FeatureCache(tmp_path / "encoder", WIDTH), FeatureCache(tmp_path / "encoder", WIDTH)):
        asked = [49, 3, 3, 77, 0]
        there, rows = told(cache, asked)
        assert there.tolist() == [True, True, True, False, True]
        np.testing.assert_array_equal(rows[there], rows_for([49, 3, 3, 0]))
        assert (rows[~there] == -1).all()


def test_a_cache_is_two_files_however_often_it_is_written(tmp_path):
    cache = filled(tmp_path)
    before = {p.name for p in (tmp_path / "encoder").iterdir()}
    for n in range(100, 140):
        cache.add(keys_of([n]), rows_for([n]))
    assert {p.name for p in (tmp_path / "encoder").iterdir()} == before
    assert before - {"6.index-journal"} == {"6.rows", "6.index"}


def test_reading_makes_no_folder(tmp_path):
    there, _ = told(FeatureCache(tmp_path / "none" / "encoder", WIDTH), range(3))
    assert not there.any()
    assert not list(tmp_path.iterdir())


def test_rows_far_apart_and_over_several_reads_are_found(tmp_path, monkeypatch):
    monkeypatch.setattr(rows_file, "SPAN", 200)
    monkeypatch.setattr(rows_file, "GAP", 60)
    monkeypatch.setattr(index, "ASKED", 7)
    cache = filled(tmp_path)
    for asked in (list(range(50)), [0, 40, 1, 49, 2, 20], list(range(49, -1, -3))):
        there, rows = told(cache, asked)
        assert there.all()
        np.testing.assert_array_equal(rows, rows_for(asked))


def test_the_first_who_keeps_a_row_is_right(tmp_path):
    first, second = filled(tmp_path, range(3)), FeatureCache(tmp_path / "encoder", WIDTH)
    kept = second.add(keys_of([2, 3]), rows_for([2.5, 3.5]))
    np.testing.assert_array_equal(kept, rows_for([2, 3.5]))
    np.testing.assert_array_equal(told(first, [2, 3])[1], rows_for([2, 3.5]))


def test_rows_that_are_not_finite_are_not_kept(tmp_path):
    cache, rows = FeatureCache(tmp_path / "encoder", WIDTH), rows_for(range(3))
    rows[1, 2], rows[2, 0] = np.nan, np.inf
    kept = cache.add(keys_of(range(3)), rows)
    np.testing.assert_array_equal(kept, rows)
    assert told(cache, range(3))[0].tolist() == [True, False, False]


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_rows_that_another_program_made_not_finite_are_missing(tmp_path, value):
    """The checksum is right, so that it is the numbers that are looked at."""
    filled(tmp_path).close()
    file = tmp_path / "encoder" / "6.rows"
    found = np.frombuffer(file.read_bytes(), dtype=rows_file.record(WIDTH)).copy()
    found["row"][7, 3] = value
    found["sum"] = rows_file.sums(found)
    file.write_bytes(found.tobytes())
    there, _ = told(FeatureCache(tmp_path / "encoder", WIDTH), range(50))
    assert np.flatnonzero(~there).tolist() == [7]


def test_another_width_is_another_cache(tmp_path):
    filled(tmp_path)
    narrow = FeatureCache(tmp_path / "encoder", 4)
    assert not told(narrow, range(50))[0].any()
    narrow.add(keys_of([1]), rows_for([1], 4))
    assert told(narrow, [1])[0].all()
    assert told(FeatureCache(tmp_path / "encoder", WIDTH), range(50))[0].all()


@pytest.mark.parametrize("left", [0, 1, 43, 44 * 20, 44 * 20 + 17])
def test_a_short_file_lacks_its_end_which_is_made_again(tmp_path, left):
    filled(tmp_path).close()
    with (tmp_path / "encoder" / "6.rows").open("r+b") as f:
        f.truncate(left)
    cache = FeatureCache(tmp_path / "encoder", WIDTH)
    there, rows = told(cache, range(50))
    assert there.sum() == left // 44
    np.testing.assert_array_equal(rows[there], rows_for(range(50))[there])
    cache.add(keys_of(range(50)), rows_for(range(50)))
    there, rows = told(cache, range(50))
    assert there.all()
    np.testing.assert_array_equal(rows, rows_for(range(50)))


@pytest.mark.parametrize("ending", ["rows", "index"])
def test_no_flipped_byte_changes_what_is_read(tmp_path, ending):
    """Of each damaged cache a row is right or missing, and after it is made again all are right."""
    filled(tmp_path).close()
    file, rng = tmp_path / "encoder" / f"6.{ending}", np.random.default_rng(0)
    whole = {path: path.read_bytes() for path in (tmp_path / "encoder").iterdir()}
    expected, lost = rows_for(range(50)), 0
    for _ in range(150):
        for path, data in whole.items():
            path.write_bytes(data)
        (tmp_path / "encoder" / "6.index.damaged").unlink(missing_ok=True)
        found = bytearray(whole[file])
        for at in rng.integers(len(found), size=rng.integers(1, 4)):
            found[at] ^= int(rng.integers(1, 256))
        file.write_bytes(found)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of an index that is set aside
            cache = FeatureCache(tmp_path / "encoder", WIDTH)
            there, rows = told(cache, range(50))
            np.testing.assert_array_equal(rows[there], expected[there])
            lost += int((~there).sum())
            kept = cache.add(keys_of(range(50)), expected)
            np.testing.assert_array_equal(kept, expected)
            there, rows = told(cache, range(50))
            np.testing.assert_array_equal(rows[there], expected[there])
            assert there.all()
            cache.close()
    assert lost > 0  # the flips hit something


@pytest.mark.parametrize("damage", [b"", b"no database at all", bytes(8192)], ids=["empty", "text", "zeros"])
def test_a_damaged_index_is_set_aside_and_made_anew_of_the_rows(tmp_path, damage):
    filled(tmp_path).close()
    file = tmp_path / "encoder" / "6.index"
    file.write_bytes(damage)
    cache = FeatureCache(tmp_path / "encoder", WIDTH)
    if damage.strip(b"\0"):
        with pytest.warns(UserWarning, match="index of the feature cache .* was damaged: it is made anew"):
            there, rows = told(cache, range(50))
        assert file.with_name("6.index.damaged").read_bytes() == damage
    else:  # SQLite takes an empty file for a new one
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            there, rows = told(cache, range(50))
    assert there.all()
    np.testing.assert_array_equal(rows, rows_for(range(50)))


def test_an_index_that_another_process_mended_is_not_set_aside(tmp_path):
    filled(tmp_path).close()
    path = tmp_path / "encoder" / "6.index"
    assert not index.set_aside(path, (0, 0))
    assert path.exists()


def test_a_removed_index_is_made_anew_without_damaged_rows(tmp_path):
    filled(tmp_path).close()
    (tmp_path / "encoder" / "6.index").unlink()
    with (tmp_path / "encoder" / "6.rows").open("r+b") as f:
        f.seek(44 * 9 + 5)
        f.write(b"\xff\xff\xff")
    assert np.flatnonzero(~told(FeatureCache(tmp_path / "encoder", WIDTH), range(50))[0]).tolist() == [9]


def test_a_cache_that_is_removed_while_it_is_open_is_begun_anew(tmp_path):
    cache = filled(tmp_path)
    for path in (tmp_path / "encoder").iterdir():
        path.unlink()
    assert not told(cache, range(50))[0].any()
    cache.add(keys_of(range(5)), rows_for(range(5)))
    assert told(FeatureCache(tmp_path / "encoder", WIDTH), range(5))[0].all()


def test_a_full_disk_is_told_once_and_leaves_no_part(tmp_path, monkeypatch):
    cache = filled(tmp_path, range(5))
    size, real = (tmp_path / "encoder" / "6.rows").stat().st_size, cache._files[0]._file

    class Full:
        """A file that takes a part of what it gets, and then no more."""

        def write(self, data):
            if len(data) < 60:
                raise OSError(errno.ENOSPC, "No space left on device")
            return real.write(data[:30])

        def __getattr__(self, name):
            return getattr(real, name)

    monkeypatch.setattr(cache._files[0], "_file", Full())
    with pytest.warns(UserWarning, match=r"Features are not kept: .*encoder .*No space left.*TUTELAGE_CACHE") as heard:
        np.testing.assert_array_equal(cache.add(keys_of(range(5, 20)), rows_for(range(5, 20))), rows_for(range(5, 20)))
        cache.add(keys_of(range(20, 30)), rows_for(range(20, 30)))
    assert len(heard) == 1
    monkeypatch.undo()
    assert (tmp_path / "encoder" / "6.rows").stat().st_size == size
    assert told(cache, range(6))[0].tolist() == [True] * 5 + [False]


@pytest.fixture
def small_disk(tmp_path):
    """A disk of 200 KB, where this process may mount one."""
    folder = tmp_path / "disk"
    folder.mkdir()
    try:
        subprocess.run(["mount", "-t", "tmpfs", "-o", "size=200k", "tmpfs", folder], check=True, capture_output=True)
    except (OSError, subprocess.CalledProcessError):
        pytest.skip("no file system can be mounted here")
    yield folder
    subprocess.run(["umount", "-l", folder], check=True)


def test_a_disk_that_is_really_full_keeps_what_it_had(small_disk):
    cache, count = FeatureCache(small_disk / "encoder", WIDTH), 0
    with pytest.warns(UserWarning, match=r"Features are not kept: .*TUTELAGE_CACHE names another folder") as heard:
        for start in range(0, 10_000, 100):
            some = range(start, start + 100)
            np.testing.assert_array_equal(cache.add(keys_of(some), rows_for(some)), rows_for(some))
    assert len(heard) == 1
    cache.close()
    again = FeatureCache(small_disk / "encoder", WIDTH)
    there, rows = told(again, range(10_000))
    count = int(there.sum())
    assert 1000 < count < 9000
    assert there[:count].all()
    np.testing.assert_array_equal(rows[:count], rows_for(range(count)))
    assert {p.name for p in (small_disk / "encoder").iterdir()} <= {"6.rows", "6.index", "6.index-journal"}


def test_an_index_that_cannot_grow_is_told_and_the_rows_are_given(tmp_path, monkeypatch):
    cache = filled(tmp_path, range(5))

    def full(*_):
        error = sqlite3.OperationalError("database or disk is full")
        error.sqlite_errorcode = sqlite3.SQLITE_FULL
        raise error

    monkeypatch.setattr(index.Index, "put", full)
    with pytest.warns(UserWarning, match="database or disk is full"):
        np.testing.assert_array_equal(cache.add(keys_of([7]), rows_for([7])), rows_for([7]))
    monkeypatch.undo()
    again = FeatureCache(tmp_path / "encoder", WIDTH)
    again.add(keys_of([8]), rows_for([8]))
    assert told(again, [0, 4, 7, 8])[0].tolist() == [True, True, False, True]


def read_only(monkeypatch, folder):
    """Let files below a folder be opened for reading alone, also by root, who may write everywhere."""
    real = store.RowsFile.__init__

    def opened(self, path, width, writes):
        if writes and folder in path.parents:
            raise PermissionError(errno.EACCES, "Permission denied", str(path))
        real(self, path, width, writes)

    monkeypatch.setattr(store.RowsFile, "__init__", opened)


def test_a_cache_that_cannot_be_written_is_read(tmp_path, monkeypatch):
    filled(tmp_path).close()
    read_only(monkeypatch, tmp_path)
    before = {p: p.read_bytes() for p in (tmp_path / "encoder").iterdir()}
    cache = FeatureCache(tmp_path / "encoder", WIDTH)
    there, rows = told(cache, range(51))
    assert there.sum() == 50
    np.testing.assert_array_equal(rows[:50], rows_for(range(50)))
    with pytest.warns(UserWarning, match="Features are not kept: .*Permission denied.*TUTELAGE_CACHE"):
        cache.add(keys_of([50]), rows_for([50]))
    assert told(cache, range(50))[0].all()
    assert {p: p.read_bytes() for p in (tmp_path / "encoder").iterdir()} == before


def test_an_index_that_cannot_be_written_is_read(tmp_path, monkeypatch):
    filled(tmp_path).close()
    real = index.Index.__init__

    def opened(self, path, rows, writes):
        if writes:
            raise sqlite3.OperationalError("attempt to write a readonly database")
        real(self, path, rows, writes)

    monkeypatch.setattr(index.Index, "__init__", opened)
    cache = FeatureCache(tmp_path / "encoder", WIDTH)
    assert told(cache, range(50))[0].all()
    with pytest.warns(UserWarning, match="readonly database"):
        cache.add(keys_of([50]), rows_for([50]))


def test_a_folder_that_cannot_be_made_is_told_once_something_would_be_kept(tmp_path):
    (tmp_path / "file").write_text("in the way")
    cache = FeatureCache(tmp_path / "file" / "encoder", WIDTH)
    assert not told(cache, range(3))[0].any()
    with pytest.warns(UserWarning, match="Features are not kept"):
        np.testing.assert_array_equal(cache.add(keys_of([1]), rows_for([1])), rows_for([1]))


def test_a_limit_of_nothing_keeps_nothing_and_says_nothing(tmp_path, monkeypatch):
    monkeypatch.setenv("TUTELAGE_CACHE_GB", "0")
    cache = filled(tmp_path)
    assert not told(cache, range(50))[0].any()
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("value", ["much", "-1", "nan", "inf"])
def test_a_limit_is_a_number(tmp_path, monkeypatch, value):
    monkeypatch.setenv("TUTELAGE_CACHE_GB", value)
    with pytest.raises(ValueError, match=f"TUTELAGE_CACHE_GB must be a number of gigabytes, at least 0, got '{value}'"):
        filled(tmp_path)


def test_the_oldest_rows_give_way_at_the_limit(tmp_path, monkeypatch):
    monkeypatch.setenv("TUTELAGE_CACHE_GB", str(30_000 / 1e9))
    cache = FeatureCache(tmp_path / "encoder", WIDTH)
    for start in range(0, 2000, 20):
        cache.add(keys_of(range(start, start + 20)), rows_for(range(start, start + 20)))
        there, rows = told(cache, range(start, start + 20))
        assert there.all()
        np.testing.assert_array_equal(rows, rows_for(range(start, start + 20)))
    there, rows = told(cache, range(2000))
    np.testing.assert_array_equal(rows[there], rows_for(range(2000))[there])
    kept = np.flatnonzero(there)
    assert 100 < len(kept) < 700
    assert kept.tolist() == list(range(kept[0], 2000))
    assert sum(room.sizes(tmp_path).values()) <= 31_000 + 8192  # a page of the index more


def test_the_encoder_used_longest_ago_gives_way_first(tmp_path, monkeypatch):
    monkeypatch.setenv("TUTELAGE_CACHE_GB", str(60_000 / 1e9))
    for age, name in ((300, "old"), (100, "new")):
        cache = FeatureCache(tmp_path / name, WIDTH)
        cache.add(keys_of(range(100)), rows_for(range(100)))
        cache.close()
        for path in (tmp_path / name).iterdir():
            now = path.stat().st_mtime
            os.utime(path, (now - age, now - age))
    cache = FeatureCache(tmp_path / "own", WIDTH)
    for start in range(0, 300, 50):
        cache.add(keys_of(range(start, start + 50)), rows_for(range(start, start + 50)))
    assert told(cache, range(300))[0].all()
    assert not told(FeatureCache(tmp_path / "old", WIDTH), range(100))[0].any()
    assert told(FeatureCache(tmp_path / "new", WIDTH), range(100))[0].all()


def test_a_limit_below_one_write_is_told(tmp_path, monkeypatch):
    monkeypatch.setenv("TUTELAGE_CACHE_GB", str(1000 / 1e9))
    with pytest.warns(UserWarning, match="TUTELAGE_CACHE_GB lets it grow to"):
        filled(tmp_path)


def test_files_of_earlier_versions_are_removed_and_told(tmp_path):
    for name in ("a.keys.npy", "a.rows.npy", "b.rows.77.part"):
        (tmp_path / "before").mkdir(exist_ok=True)
        (tmp_path / "before" / name).write_bytes(bytes(1000))
    (tmp_path / "before" / "notes.txt").write_text("the user's own")
    with pytest.warns(UserWarning, match=r"3e-06 GB of features that an earlier version .* were removed"):
        filled(tmp_path)
    assert [p.name for p in (tmp_path / "before").iterdir()] == ["notes.txt"]
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        FeatureCache(tmp_path / "encoder", WIDTH).add(keys_of([99]), rows_for([99]))


def test_words_of_a_sentence_are_neighbours_in_the_index_and_none_share_a_number():
    words = [bytes(range(12)) + n.to_bytes(4, "big") for n in range(2000)]
    found = np.sort(index.hashed(index.as_keys(words)))
    assert len(np.unique(found)) == 2000
    assert found[-1] - found[0] < 4096


def test_keys_of_one_number_are_not_taken_for_each_other(tmp_path, monkeypatch):
    monkeypatch.setattr(store, "hashed", lambda keys: np.zeros(len(keys), dtype=np.int64))
    cache = FeatureCache(tmp_path / "encoder", WIDTH)
    for n in range(3):
        cache.add(keys_of([n]), rows_for([n]))
    there, rows = told(cache, range(3))
    assert there.tolist() == [False, False, True]
    np.testing.assert_array_equal(rows[2:], rows_for([2]))


def test_threads_share_a_cache(tmp_path):
    cache, wrong = FeatureCache(tmp_path / "encoder", WIDTH), []

    def work(first):
        for n in range(first, first + 30):
            cache.add(keys_of([n]), rows_for([n]))
            there, rows = told(cache, [n])
            if not there.all() or (rows != rows_for([n])).any():
                wrong.append(n)

    threads = [threading.Thread(target=work, args=(100 * i,)) for i in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong


def test_a_copy_of_the_caches_has_opened_none(tmp_path):
    import copy
    import pickle

    caches = Caches()
    cache = caches.at(tmp_path, "encoder", WIDTH)
    assert caches.at(tmp_path, "encoder", WIDTH) is cache
    assert caches.at(None, "encoder", WIDTH) is None
    for other in (copy.deepcopy(caches), pickle.loads(pickle.dumps(caches))):
        assert other.at(tmp_path, "encoder", WIDTH) is not cache
