"""One process writes into a folder at a time, and a command that is killed does not block its repeat."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tutelage.files import BusyError, filled, one_writer, require_fresh, write_atomically
from tutelage.files.fresh import UNFINISHED

HOLD = """
import sys, time
from pathlib import Path
from tutelage.files import filled, one_writer
folder = Path(sys.argv[2])
with {"lock": one_writer, "fill": filled}[sys.argv[1]](folder):
    (folder / "half").touch()
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
    assert {path.name for path in folder.iterdir()} == {".lock", UNFINISHED, "half"}
    require_fresh(folder)
    with filled(folder):
        write_atomically(folder / "whole", b"")
    assert [path.name for path in folder.iterdir()] == ["whole"]
    with pytest.raises(FileExistsError, match="exists and is not empty"):
        require_fresh(folder)
    assert (folder / "whole").exists()


@pytest.mark.parametrize("before", [False, True])
def test_a_failure_leaves_the_folder_as_it_was(tmp_path, before):
    folder = tmp_path / "out"
    if before:
        folder.mkdir()
    with pytest.raises(KeyboardInterrupt), filled(folder):
        (folder / "within").mkdir()
        (folder / "within" / "a").touch()
        raise KeyboardInterrupt
    assert folder.exists() == before
    assert not before or not any(folder.iterdir())


def test_what_is_no_empty_folder_is_refused(tmp_path):
    (tmp_path / "file").touch()
    for path in (tmp_path, tmp_path / "file"):
        with pytest.raises(FileExistsError), filled(path):
            pass
    assert (tmp_path / "file").exists()
