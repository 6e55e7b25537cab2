"""The layer counts what Python, numpy, Arrow and Rust do with files, and harms the operation that it is told."""

from __future__ import annotations

import errno
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from injected.layer import Harm, built, missing

pytestmark = pytest.mark.skipif(bool(missing()), reason=missing() or "there is a layer")

PROGRAM = """
import json, os, sys
sys.path.insert(0, {faults!r})
from injected.layer import Harm, Layer
{imports}
os.chdir({folder!r})
layer = Layer()
layer.arm([{folder!r}], Harm(*{harm!r}), "log")
said = ""
try:
    {program}
except OSError as error:
    said = str(error.errno)
layer.disarm()
print(said, end="")
"""

WHOLE = """with open("a.part", "wb") as f:
        f.write(b"x" * 1000)
        f.flush()
        os.fsync(f.fileno())
    os.replace("a.part", "a")"""
"""A file is written whole, as the library does it: it is made, written, synced and renamed."""

IMPORTS = """import numpy as np, pyarrow as pa
from pyarrow import parquet
from safetensors.numpy import save_file, load_file
rows = np.arange(4096.0)"""
OTHERS = {
    "numpy": ("np.save('a.npy', rows); rows.tofile('b.bin')", {"create a.npy", "write a.npy", "write b.bin"}),
    "a memory map": ("np.save('a.npy', rows); np.load('a.npy', mmap_mode='r')", {"open a.npy", "map a.npy"}),
    "Arrow": ("parquet.write_table(pa.table({'a': rows}), 'a.pq')", {"create a.pq", "write a.pq"}),
    "Rust": ("save_file({'a': rows}, 'a.st'); load_file('a.st')", {"open a.st", "map a.st"}),
    "folders": ("os.mkdir('b'); os.listdir('b'); os.rmdir('b')", {"mkdir b", "list b", "unlink b"}),
    "a copy": ("open('a', 'w').write('x'); import shutil; shutil.copy('a', 'b')", {"create b", "write b"}),
}  # fmt: skip
"""Programs, and operations that must be among those that are counted."""


def run(folder, program: str, *harm, imports: str = "") -> tuple[subprocess.CompletedProcess, list[str]]:
    """A program under the layer, and its operations."""
    code = PROGRAM.format(
        faults=str(Path(__file__).parent), folder=str(folder), harm=harm, program=program, imports=imports
    )
    environment = os.environ | {"LD_PRELOAD": str(built())}
    done = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=False)
    log = (folder / "log").read_text().replace(f"{folder}/", "").splitlines()
    return done, [line for line in log if line.split()[1] != "log"]


@pytest.mark.parametrize("name", OTHERS)
def test_what_libraries_do_is_counted(tmp_path, name):
    program, wanted = OTHERS[name]
    done, log = run(tmp_path, program, imports=IMPORTS)
    assert done.returncode == 0, done.stderr
    assert wanted <= set(log)


def test_each_way_of_harm(tmp_path):
    """Operations of a whole write are numbered from 1: create, write, sync, rename."""
    said = {}
    for way, at, error in (
        ("pass", 0, 0), ("fail", 2, errno.EIO), ("fail", 4, errno.EACCES), ("half", 2, errno.ENOSPC), ("before", 4, 0),
        ("torn", 2, 0), ("after", 4, 0), ("power", 3, 0), ("power", 4, 0),
    ):  # fmt: skip
        folder = tmp_path / f"{way}{at}"
        folder.mkdir()
        done, log = run(folder, WHOLE, way, at, error)
        left = {path.name: path.stat().st_size for path in folder.iterdir() if path.name != "log"}
        said[f"{way} {at}"] = (done.returncode, done.stdout, left, len(log))
    assert said == {
        "pass 0": (0, "", {"a": 1000}, 4),
        "fail 2": (0, str(errno.EIO), {"a.part": 1000}, 3),  # the file is written once more when it is closed
        "fail 4": (0, str(errno.EACCES), {"a.part": 1000}, 4),
        "half 2": (0, str(errno.ENOSPC), {"a.part": 1000}, 4),  # and then there is room
        "before 4": (-9, "", {"a.part": 1000}, 4),
        "torn 2": (-9, "", {"a.part": 500}, 2),
        "after 4": (-9, "", {"a": 1000}, 4),
        "power 3": (-9, "", {"a.part": 0}, 3),  # written, but not synced
        "power 4": (-9, "", {"a.part": 1000}, 4),
    }


def test_a_full_disk_stays_full_but_can_be_read(tmp_path):
    program = (
        "open('a', 'w').close(); os.listdir('.')\n    for name in 'bcd':\n        try:\n            open(name, 'w')\n"
    )
    program += "        except OSError as error:\n            said += f'{name}{error.errno} '"
    done, _ = run(tmp_path, program, "fail", 3, errno.ENOSPC, True)
    assert done.stdout == " ".join(f"{name}{errno.ENOSPC}" for name in "bcd") + " ", done.stderr


def test_a_harm_can_be_written_down():
    assert Harm(**json.loads(json.dumps(Harm("half", 3, 28, True).__dict__))) == Harm("half", 3, 28, True)
