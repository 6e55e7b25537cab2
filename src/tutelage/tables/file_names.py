"""Names of files and folders, which must be UTF-8, since tables, reports and summaries hold them."""

from __future__ import annotations

from pathlib import Path

from tutelage.data.errors import DataError
from tutelage.ops.visible import is_unicode, visible


def require_unicode(path: str | Path) -> None:
    r"""Check that a path is UTF-8, before anything is learnt of what lies there.

    Args:
        path: path of a file or folder.

    Raises:
        DataError: it is not; the message shows its other bytes.

    >>> require_unicode("photos/\udcff.png")
    Traceback (most recent call last):
    tutelage.data.errors.DataError: photos/\xff.png: a name that is not UTF-8, so that no table can hold it; rename it
    """
    if not is_unicode(str(path)):
        raise DataError(f"{visible(str(path))}: a name that is not UTF-8, so that no table can hold it; rename it")
