"""Images within folders: which files count, and what is passed over."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from tutelage.modalities.images.endings import ENDINGS
from tutelage.modalities.images.examples import shown
from tutelage.ops.visible import visible
from tutelage.tables import DataError, Notes
from tutelage.tables.file_names import require_unicode
from tutelage.tables.links import leads_back, not_followed

SYSTEM = ("__macosx", "__pycache__", "@eadir", "$recycle.bin", "system volume information", "lost+found")
"""Names, in lower case, of folders that systems and tools leave behind."""
SPLITS = {
    "train": "train", "training": "train", "trainset": "train", "test": "test", "testing": "test", "testset": "test",
    "val": "val", "valid": "val", "validation": "val", "dev": "val", "eval": "val", "evaluation": "val",
}  # fmt: skip
"""Parts of a data set that is split already, by the names of folders in small letters alone."""


@dataclass
class Found:
    """Images within a folder.

    Attributes:
        images: images, sorted by path.
        passed: number of files and folders that are passed over, by reason.
        links: links to folders that are not followed, as they lead back, see `leads_back`.
    """

    images: list[Path] = field(default_factory=list)
    passed: Counter[str] = field(default_factory=Counter)
    links: list[Path] = field(default_factory=list)

    @property
    def others(self) -> str:
        """Words, for a message, on the number of files that are passed over."""
        return f" ({self.passed.total()} other files)" if self.passed else ""


def folder(path: str | Path) -> Path:
    """The path, after a check that it is a folder.

    Raises:
        DataError: it is not.
    """
    if not Path(path).exists():
        raise DataError(f"{path}: no such folder")
    if not Path(path).is_dir():
        raise DataError(f"{path}: not a folder")
    return Path(path)


def hidden(name: str) -> bool:
    """Whether a file or folder is hidden, or left behind by a system."""
    return name.startswith(".") or name.lower() in (*SYSTEM, "thumbs.db", "desktop.ini")


def plain(name: str) -> str:
    """Name in small letters alone, without blanks, underscores, hyphens and points.

    >>> plain("No_Label"), plain("?")
    ('nolabel', '?')
    """
    return "".join(c for c in name.casefold() if c not in " _-.")


def images_in(root: Path, within: Path | None = None, seen: set[str] | None = None) -> Found:
    """Images within a folder and deeper ones, and what is passed over. Links are followed unless they lead back.

    Args:
        root: the folder.
        within: folder of all that is read, such as that of all classes; None is the folder itself.
        seen: folders that were read already, without links in their paths; it gets those that are read here.
    """
    found, seen, top = Found(), set() if seen is None else seen, str(within or root)
    for here, folders, files in os.walk(root, onerror=_refuse_unreadable, followlinks=True):
        real = os.path.realpath(here)
        if real in seen or (here != top and leads_back(here, top)):
            found.links.append(Path(here))
            folders.clear()
            continue
        seen.add(real)
        for name in files:
            if not hidden(name) and name.lower().endswith(ENDINGS):
                require_unicode(Path(here, name))
                found.images.append(Path(here, name))
            else:
                found.passed[reason(name)] += 1
        found.passed["hidden"] += sum(map(hidden, folders))
        folders[:] = sorted(name for name in folders if not hidden(name))
    found.images.sort()
    found.passed = +found.passed
    return found


def say_links(found: Sequence[Found], root: Path, notes: Notes) -> None:
    """Say which links are not followed.

    Args:
        found: images of the folders within the root.
        root: folder that is read.
        notes: takes the sentence.
    """
    links = [link for each in found for link in each.links]
    if links:
        notes.say(not_followed(links, root))


def reason(name: str) -> str:
    """Why a file is passed over: it is hidden, or has the ending of another kind of file."""
    return "hidden" if hidden(name) else visible(Path(name).suffix.lower()) or "without an ending"


def _refuse_unreadable(error: OSError) -> None:
    raise DataError(f"{shown(error.filename)}: the folder cannot be read ({error.strerror})") from error
