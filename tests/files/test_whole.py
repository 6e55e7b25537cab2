"""Files are written whole or not at all, and vouch for themselves."""

from __future__ import annotations

import errno
import json
import os
import random
import subprocess
import sys

import pytest
import torch

from tutelage.files import (
    BadFileError,
    clear_parts,
    naming,
    read_json,
    set_aside,
    write_atomically,
    write_json,
    written,
)
from tutelage.files.described import Learnt
from tutelage.files.tensors import read_tensors, write_tensors

DEAD = 2**22 - 1
"""Number that no process has, or hardly any."""


def test_what_fails_leaves_the_old_file_and_no_part(tmp_path):
    write_atomically(tmp_path / "a", b"old")
    with pytest.raises(KeyboardInterrupt), written(tmp_path / "a") as part:
        part.write_bytes(b"half")
        raise KeyboardInterrupt
    assert (tmp_path / "a").read_bytes() == b"old"
    assert [path.name for path in tmp_path.iterdir()] == ["a"]


@pytest.mark.parametrize("linked", [True, False])
def test_a_new_file_takes_the_place_of_none_that_came_meanwhile(tmp_path, monkeypatch, linked):
    if not linked:  # as on a file system without hard links

        def refused(*_):
            raise OSError(errno.EPERM, "no links here")

        monkeypatch.setattr(os, "link", refused)
    with written(tmp_path / "a", new=True) as part:
        part.write_text("mine")
    assert (tmp_path / "a").read_text() == "mine" and [p.name for p in tmp_path.iterdir()] == ["a"]
    with pytest.raises(FileExistsError), written(tmp_path / "a", new=True) as part:
        part.write_text("other")
    assert (tmp_path / "a").read_text() == "mine" and [p.name for p in tmp_path.iterdir()] == ["a"]


def test_parts_of_processes_that_ended_are_cleared_alone(tmp_path):
    own, dead, other = (f"t[1].csv.{os.getpid()}.part", f"t[1].csv.{DEAD}.part", f"u.csv.{DEAD}.part")
    for name in (own, dead, other):
        (tmp_path / name).touch()
    clear_parts(tmp_path, "t[1].csv")
    assert {path.name for path in tmp_path.iterdir()} == {own, other}
    clear_parts(tmp_path)
    assert not any(tmp_path.iterdir())


def test_any_changed_character_of_an_object_is_found_or_harmless(tmp_path):
    path, value = tmp_path / "a.json", {"format": 3, "items": ["ä", "b"], "more": [1.5, None, {"x": float("inf")}]}
    write_json(path, value)
    whole, draw, found = path.read_bytes(), random.Random(0), 0
    for _ in range(300):
        data = bytearray(whole)
        data[draw.randrange(len(data))] = draw.randrange(256)
        path.write_bytes(data)
        try:
            assert read_json(path, Learnt) == value
        except BadFileError as e:
            found += str(path) in str(e)
    assert found > 200


@pytest.mark.parametrize("text", ["[" * 100_000, '{"a":' * 100_000, "[1]", '"a"', "1" * 5000, "", "\xff", "NaN"])
def test_what_is_no_object_is_named(tmp_path, text):
    path = tmp_path / "a.json"
    path.write_bytes(text.encode("latin-1"))
    with pytest.raises(BadFileError, match=r"a\.json: (not written|damaged: not)"):
        read_json(path, Learnt)


def test_an_entry_of_another_type_is_named(tmp_path):
    (tmp_path / "a.json").write_text(json.dumps({"items": ["a", 1]}))
    with pytest.raises(BadFileError, match=r"a\.json: not written by tutelage, or damaged \(items\.1: "):
        read_json(tmp_path / "a.json", Learnt)


def test_any_changed_byte_of_tensors_is_found_or_harmless(tmp_path):
    path = tmp_path / "a.safetensors"
    tensors = {
        "a": torch.arange(6.0).reshape(2, 3), "b": torch.tensor([True]), "c": torch.tensor(3), "d": torch.zeros(0, 2),
        "e": torch.ones(2, dtype=torch.bfloat16), "f": torch.as_strided(torch.zeros(1), (1,), (0,)),
    }  # fmt: skip
    meta = {"step": 3, "history": [{"loss": 0.1}], "ä": None}
    write_tensors(path, tensors, meta)
    whole, draw, found = path.read_bytes(), random.Random(0), 0
    for _ in range(400):
        data = bytearray(whole)
        data[draw.randrange(len(data))] ^= 1 << draw.randrange(8)
        path.write_bytes(data[: draw.randrange(len(data))] if draw.random() < 0.1 else data)
        try:
            read, said = read_tensors(path)
        except BadFileError as e:
            found += str(path) in str(e)
            continue
        assert said == meta
        assert read.keys() == tensors.keys() and all(torch.equal(read[name], tensors[name]) for name in tensors)
    assert found > 300


def test_tensors_of_the_format_before_are_read_without_a_hash(tmp_path):
    from safetensors.torch import save_file

    header = {"tutelage": json.dumps({"format": 2, "meta": [1]})}
    save_file({"a": torch.ones(1)}, tmp_path / "a", metadata=header)
    assert read_tensors(tmp_path / "a")[1] == [1]


def test_what_is_set_aside_takes_the_place_of_what_was_before(tmp_path):
    for number in range(2):
        write_atomically(tmp_path / "a", bytes([number]))
        assert set_aside(tmp_path / "a").read_bytes() == bytes([number])
    (tmp_path / "b").mkdir()
    (tmp_path / "b.damaged").mkdir()
    assert set_aside(tmp_path / "b").is_dir() and not (tmp_path / "b").exists()


def test_a_part_outlives_its_process_until_the_file_is_written_again(tmp_path):
    code = "import os, sys; from pathlib import Path; from tutelage.files import written\n"
    code += "with written(Path(sys.argv[1])) as part: part.touch(); os.kill(os.getpid(), 9)"
    subprocess.run([sys.executable, "-c", code, str(tmp_path / "t.csv")], check=False)
    assert [path.suffix for path in tmp_path.iterdir()] == [".part"]
    clear_parts(tmp_path, "t.csv")
    assert not any(tmp_path.iterdir())


def test_a_pipe_or_a_device_is_not_read(tmp_path):
    os.mkfifo(tmp_path / "a.json")
    (tmp_path / "b.json").symlink_to("/dev/zero")
    for name in ("a.json", "b.json"):
        with pytest.raises(BadFileError, match=r"not a regular file but a pipe, a device"):
            read_json(tmp_path / name, Learnt)


def test_a_file_longer_than_any_of_a_run_is_not_read(tmp_path):
    with (tmp_path / "a.json").open("wb") as f:
        f.truncate(1 << 40)
    with pytest.raises(BadFileError, match=r"1,099,511,627,776 bytes, more than"):
        read_json(tmp_path / "a.json", Learnt)


def test_what_is_written_goes_through_no_link(tmp_path):
    (tmp_path / "mine").write_text("mine")
    for to in ("mine", "nowhere"):
        (tmp_path / f"a.{os.getpid()}.part").symlink_to(tmp_path / to)
        write_atomically(tmp_path / "a", b"new")
        assert (tmp_path / "a").read_bytes() == b"new" and not (tmp_path / "a").is_symlink()
    assert (tmp_path / "mine").read_text() == "mine" and not (tmp_path / "nowhere").exists()


def test_parts_of_others_stay(tmp_path):
    for name in ("film.part", "film.mkv.part", "a.csv.x.part"):
        (tmp_path / name).touch()
    (tmp_path / f"a.csv.{DEAD}.part").symlink_to(tmp_path / "nowhere")
    clear_parts(tmp_path)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.csv.x.part", "film.mkv.part", "film.part"]


def test_tensors_of_another_name_are_damage(tmp_path):
    write_tensors(tmp_path / "fold01", {"a": torch.ones(2)})
    (tmp_path / "fold01").rename(tmp_path / "fold02")
    with pytest.raises(BadFileError, match=r"fold02: damaged: its contents are those of a file of another name"):
        read_tensors(tmp_path / "fold02")


def test_an_error_of_the_system_that_a_library_in_rust_raises_is_one_of_the_file(tmp_path):
    with pytest.raises(OSError, match="No space left") as told, naming(tmp_path / "a.json"):
        raise Exception("No space left on device (os error 28)")
    assert (told.value.errno, told.value.filename) == (28, str(tmp_path / "a.json"))
    with pytest.raises(KeyError), naming(tmp_path):
        raise KeyError("other")
