"""Files of a run: written whole or not at all, by one writer at a time, and vouched for by their SHA-256.

A file is written beside its place and moved there (`whole`). Tensors carry the hash of their contents (`tensors`, which
is imported by itself, as it needs torch), and a finished folder a manifest with the hashes of its files (`manifest`).
JSON is read through a description of what it holds (`described`). While a folder is written, its lock says by whom
(`lock`). A folder that a command fills at once is whole or empty (`fresh`).
"""

from tutelage.files.described import read_json
from tutelage.files.errors import FORMAT, BadFileError, check_format
from tutelage.files.fresh import filled, require_fresh
from tutelage.files.lock import BusyError, one_writer
from tutelage.files.manifest import (
    MANIFEST,
    is_sealed,
    keep_once,
    made_here,
    require_sealed,
    require_whole,
    seal,
    unseal,
)
from tutelage.files.whole import (
    clear_parts,
    digest,
    naming,
    remove_folder,
    set_aside,
    write_atomically,
    write_json,
    written,
)

__all__ = [
    "FORMAT", "MANIFEST", "BadFileError", "BusyError", "check_format", "clear_parts", "digest", "filled", "is_sealed",
    "keep_once", "made_here", "naming", "one_writer", "read_json", "remove_folder", "require_fresh", "require_sealed",
    "require_whole", "seal", "set_aside", "unseal", "write_atomically", "write_json", "written",
]  # fmt: skip
