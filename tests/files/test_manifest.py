"""A folder's manifest tells what is missing, changed and added, and who wrote it."""

from __future__ import annotations

import hashlib
import hmac
import json
import stat

import pytest

from tutelage.files import (
    BadFileError,
    digest,
    is_sealed,
    keep_once,
    made_here,
    manifest,
    require_sealed,
    require_whole,
    seal,
    write_json,
)
from tutelage.files.manifest import MANIFEST, belongs, differences, require_no_links


@pytest.fixture(autouse=True)
def home(tmp_path, monkeypatch):
    """A home of its own, so that no test meets the key of the user."""
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))


@pytest.fixture
def folder(tmp_path):
    made = tmp_path / "run"
    (made / "model").mkdir(parents=True)
    for name in ("run.json", "summary.json", "model/weights"):
        (made / name).write_text(name)
    seal(made)
    return made


def test_a_whole_folder(folder):
    found = differences(folder)
    assert (found.count, found.missing, found.changed, found.added) == (3, [], [], [])
    require_whole(folder)
    assert found.words() == ""


def test_what_differs_is_named(folder):
    (folder / "run.json").write_text("run.jsom")
    (folder / "model" / "weights").unlink()
    (folder / "notes.txt").write_text("mine")
    found = differences(folder)
    assert (found.missing, found.changed, found.added) == (["model/weights"], ["run.json"], ["notes.txt"])
    with pytest.raises(BadFileError, match=r"run is damaged: model/weights is missing; run\.json is not as it was"):
        require_whole(folder)
    require_whole(folder, only=["summary.json"])
    require_whole(folder, but=["run.json", "model/weights"])


def test_what_is_not_of_the_run_is_not_listed(folder):
    for name in (".lock", "run.json.12.part", "summary.json.damaged"):
        (folder / name).touch()
    (folder / "parts").mkdir()
    (folder / "parts" / "a.safetensors").touch()
    seal(folder)
    assert json.loads((folder / MANIFEST).read_text())["files"].keys() == {"run.json", "summary.json", "model/weights"}
    left = ["parts/a.safetensors", "run.json.12.part", "summary.json.damaged"]
    assert differences(folder).added == left, "but said"


@pytest.mark.parametrize("name", ["../a", "/etc/passwd", "", "a\0b", "a" * 5000, "a//b", "."])
def test_names_outside_the_folder_are_damage(folder, name):
    about = json.loads((folder / MANIFEST).read_text())
    about["files"][name] = {"bytes": 1, "sha256": "0"}
    write_json(folder / MANIFEST, about)
    with pytest.raises(BadFileError, match=r"manifest\.json: damaged: .* is no name of a file within the folder"):
        differences(folder)


@pytest.mark.parametrize("size", [0, 31])
def test_a_key_that_was_cut_is_none(folder, tmp_path, size):
    key = tmp_path / "state" / "tutelage" / "seal.key"
    key.parent.mkdir(parents=True, exist_ok=True)
    key.write_bytes(bytes(size))
    about = json.loads((folder / MANIFEST).read_text())
    listed = json.dumps(about["files"], sort_keys=True).encode()
    about["seal"] = hmac.new(bytes(size), listed, hashlib.sha256).hexdigest()
    write_json(folder / MANIFEST, about)
    assert not made_here(folder)
    seal(folder)
    assert made_here(folder) and len(key.read_bytes()) == 32


def test_a_link_to_another_folder_is_refused(folder, tmp_path):
    require_no_links(folder)
    (tmp_path / "other").mkdir()
    (folder / "plots").symlink_to(tmp_path / "other")
    with pytest.raises(BadFileError, match=r"plots is a link to another folder"):
        require_no_links(folder)


def test_files_of_a_folder_are_told_from_others(folder, tmp_path):
    for name in ("run.json", "model", "model/weights", MANIFEST, "", "../run/run.json"):
        assert belongs(folder / name, folder), name
    for path in (folder / "answers.csv", tmp_path / "a.csv", folder / "model" / "b"):
        assert not belongs(path, folder)


def test_only_what_was_written_anew_is_listed_anew(folder):
    (folder / "run.json").write_text("a")
    (folder / "summary.json").write_text("b")
    seal(folder, only=lambda name: name == "summary.json")
    assert differences(folder).changed == ["run.json"]


def test_a_folder_of_format_3_needs_a_manifest(folder):
    (folder / MANIFEST).unlink()
    assert not is_sealed(folder) and not made_here(folder)
    require_sealed(folder, 2)
    with pytest.raises(BadFileError, match=r"manifest\.json is missing"):
        require_sealed(folder, 3)


@pytest.mark.parametrize(
    "change",
    [
        {"files": {"../key": {"bytes": 3, "sha256": "0"}}},
        {"files": {"/etc/hostname": {"bytes": 3, "sha256": "0"}}},
        {"files": {"a": {"bytes": "3", "sha256": "0"}}},
        {"files": ["a"]},
        {"format": 99},
    ],
)
def test_a_manifest_of_a_stranger(folder, change):
    (folder.parent / "key").write_text("abc")
    write_json(folder / MANIFEST, {"format": 3, "files": {}} | change)
    with pytest.raises(BadFileError, match=r"run"):
        require_whole(folder)


def test_a_link_to_a_place_outside_is_refused(folder):
    (folder.parent / "outside").write_text("run.json")
    (folder / "run.json").unlink()
    (folder / "run.json").symlink_to(folder.parent / "outside")
    with pytest.raises(BadFileError, match="a link to a place outside"):
        require_whole(folder)


def test_the_seal_tells_who_wrote_a_manifest(folder, tmp_path, monkeypatch):
    key = tmp_path / "state" / "tutelage" / "seal.key"
    assert made_here(folder) and stat.S_IMODE(key.stat().st_mode) == 0o600
    assert key.read_bytes().hex() not in (folder / MANIFEST).read_text()
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "another"))
    assert not made_here(folder)
    assert not (tmp_path / "another").exists()  # asking makes no key
    seal(folder)
    assert made_here(folder)
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    assert not made_here(folder)


def test_the_seal_is_of_what_the_manifest_lists(folder):
    found = json.loads((folder / MANIFEST).read_text())
    found.pop("sha256")
    found["files"]["run.json"]["bytes"] += 1
    write_json(folder / MANIFEST, found)
    assert not made_here(folder)


def test_where_no_key_can_be_kept_nothing_is_sealed_and_nothing_fails(folder, tmp_path, monkeypatch):
    (tmp_path / "file").touch()
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "file"))
    seal(folder)
    require_whole(folder)
    assert not made_here(folder)


def test_tensors_that_two_folders_hold_take_room_once(tmp_path):
    for name, more in (("a", b"x"), ("b", b"y")):
        (tmp_path / name).mkdir()
        for file, data in (("same", bytes(manifest.WORTH_A_LINK)), ("other", more * manifest.WORTH_A_LINK)):
            (tmp_path / name / f"{file}.safetensors").write_bytes(data)
        (tmp_path / name / "page.html").write_bytes(bytes(manifest.WORTH_A_LINK))  # may be written in place
        seal(tmp_path / name)
    before = digest(tmp_path / "b")
    keep_once(tmp_path / "b", tmp_path / "a")
    assert digest(tmp_path / "b") == before
    links = {path.name: path.stat().st_nlink for path in (tmp_path / "b").iterdir()}
    assert links == {"same.safetensors": 2, "other.safetensors": 1, "page.html": 1, "manifest.json": 1}


def test_a_file_system_without_second_names_keeps_both(tmp_path, monkeypatch):
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "same.safetensors").write_bytes(bytes(manifest.WORTH_A_LINK))
        seal(tmp_path / name)

    def refuse(*paths):
        raise PermissionError("no links")

    monkeypatch.setattr(manifest.os, "link", refuse)
    keep_once(tmp_path / "b", tmp_path / "a")
    assert sorted(path.name for path in (tmp_path / "b").iterdir()) == ["manifest.json", "same.safetensors"]
    require_whole(tmp_path / "b")
