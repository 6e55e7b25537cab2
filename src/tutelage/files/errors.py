"""The format of the files that this library writes, and the error of a file that cannot be read."""

from __future__ import annotations

from pathlib import Path
from typing import Any

FORMAT = 3
"""Version of the file formats that this library writes; a file of a newer version is refused.

From version 3 on, tensors hold the hash of their contents, and the folders of runs and models a manifest.
"""

VOUCHED = 3
"""First version of the formats whose files vouch for themselves."""


REMEDY = "take it from a copy, or fit again (docs: warnings/damaged)"
"""What to do about a damaged file, in words."""


LONGEST = 300
"""Number of characters of what another library says, at most."""


class BadFileError(ValueError):
    """A saved file is damaged, lacks a part, or was written by a newer version."""


def check_format(path: Path, found: Any) -> None:
    """Check that this version can read a file's format.

    Args:
        path: the file, for the message.
        found: format that the file names.

    Raises:
        BadFileError: the format is no number, or newer than `FORMAT`.
    """
    if not isinstance(found, int):
        raise BadFileError(f"{path}: not written by tutelage (format {found!r})")
    if found > FORMAT:
        raise BadFileError(f"{path}: format {found} is newer than {FORMAT}, the newest this version reads")


def why(error: BaseException) -> str:
    r"""What another library says was wrong, in one line of at most LONGEST characters, without its trace of calls.

    Args:
        error: what the library raised.

    >>> why(RuntimeError("size failed to unpack\nException raised from unpackLong at numbers.h:79\nframe #0: c10"))
    'size failed to unpack'
    """
    line = " ".join(str(error).split("Exception raised from")[0].split())
    return line if len(line) <= LONGEST else f"{line[:LONGEST]} …"
