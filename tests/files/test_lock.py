"""One process writes into a folder at a time, and a command that is killed does not block its repeat."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tutelage.files import BadFileError, BusyError, filled, one_writer, require_fresh, write_atomically
from tutelage.files.fresh import MOVING, UNFINISHED

HOLD = """
import sys, time
from pathlib import Path
from tutelage.files import filled, one_writer
folder = Path(sys.argv[2])
with {"lock": one_writer, "fill": filled}[sys.argv[1]](folder) as inside:
    ((inside or folder) / "half").touch()
    print("held", flush=True)
    time.sleep(60)
"""


@pytest.fixture
def holder(tmp_path):
    """Function that starts a process which holds a folder."""
    started = []

    def start(how: str) -> tuple[Path, subprocess.Popen[str]]:
        folder = tmp_path / "out"
        folder.mkdir(exist_ok=True)
        process = subprocess.Popen([sys.executable, "-c", HOLD, how, str(folder)], stdout=subprocess.PIPE, text=True)
        started.append(process)
        assert process.stdout.readline() == "held\n"
        return folder, process

    yield start
    for process in started:
        process.kill()
        process.wait()
        process.stdout.close()


def test_the_holder_is_named_and_a_dead_one_is_no_hindrance(holder):
    folder, process = holder("lock")
    says = rf"out is being written by process {process.pid} on .+ since .+; wait"
    with pytest.raises(BusyError, match=says), one_writer(folder):
        pass
    process.send_signal(signal.SIGKILL)
    process.wait()
    with one_writer(folder):
        assert f"process {os.getpid()} " in (folder / ".lock").read_text()
    assert [path.name for path in folder.iterdir()] == ["half"]


def test_the_lock_is_given_back_where_the_work_fails(tmp_path):
    for _ in range(2):
        with pytest.raises(ZeroDivisionError), one_writer(tmp_path):
            raise ZeroDivisionError
    assert not any(tmp_path.iterdir())


def test_what_a_killed_process_left_half_filled_is_filled_by_its_repeat(holder):
    folder, process = holder("fill")
    with pytest.raises(BusyError), filled(folder):
        pass
    process.kill()
    process.wait()
    assert {path.name for path in folder.iterdir()} == {".lock", UNFINISHED}
    require_fresh(folder)
    with filled(folder) as inside:
        write_atomically(inside / "whole", b"")
    assert [path.name for path in folder.iterdir()] == ["whole"]
    with pytest.raises(FileExistsError, match="exists and is not empty"):
        require_fresh(folder)
    assert (folder / "whole").exists()


def test_what_a_user_put_beside_a_half_filled_folder_stays(tmp_path):
    for name in (UNFINISHED, "photos"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "a").touch()
    with pytest.raises(FileExistsError, match="is not empty"), filled(tmp_path):
        pass
    assert (tmp_path / "photos" / "a").exists()
    other = tmp_path / "photos"
    (other / UNFINISHED).touch()  # a file of that name is nobody's folder
    with pytest.raises(FileExistsError, match="is not empty"), filled(other):
        pass
    assert (other / "a").exists()


def test_moving_that_was_killed_is_done_to_its_end(tmp_path):
    (tmp_path / "a").touch()
    (tmp_path / MOVING).mkdir()
    (tmp_path / MOVING / "b").touch()
    with pytest.raises(FileExistsError, match="is not empty"), filled(tmp_path):
        pass
    (tmp_path / ".lock").touch()  # of a process that was killed just before it ended
    with pytest.raises(FileExistsError, match="is not empty"):
        require_fresh(tmp_path)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a", "b"]


@pytest.mark.parametrize("how", ["hard link", "link", "other file"])
def test_a_lock_that_is_none_is_refused_and_stays(tmp_path, how):
    folder, mine = tmp_path / "run", tmp_path / "mine.txt"
    folder.mkdir()
    mine.write_text("a thesis")
    if how == "hard link":
        os.link(mine, folder / ".lock")
    elif how == "link":
        (folder / ".lock").symlink_to(mine)
    else:
        (folder / ".lock").write_text("a thesis")
    with pytest.raises(BadFileError, match=r"\.lock is no lock of tutelage"), one_writer(folder):
        pass
    assert mine.read_text() == (folder / ".lock").read_text() == "a thesis"


@pytest.mark.parametrize("before", [False, True])
def test_a_failure_leaves_the_folder_as_it_was(tmp_path, before):
    folder = tmp_path / "out"
    if before:
        folder.mkdir()
    with pytest.raises(KeyboardInterrupt), filled(folder) as inside:
        (inside / "within").mkdir()
        (inside / "within" / "a").touch()
        raise KeyboardInterrupt
    assert folder.exists() == before
    assert not before or not any(folder.iterdir())


def test_what_is_no_empty_folder_is_refused(tmp_path):
    (tmp_path / "file").touch()
    for path in (tmp_path, tmp_path / "file"):
        with pytest.raises(FileExistsError), filled(path):
            pass
    assert (tmp_path / "file").exists()
