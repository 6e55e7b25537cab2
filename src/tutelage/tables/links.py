"""Links within folders that are read: those that lead back are not followed."""

from __future__ import annotations

import os
from pathlib import Path


def leads_back(folder: str | Path, root: str | Path) -> bool:
    """Whether a folder is a link to one that holds the root, or that lies in it and is read under its own name.

    Through such a link all that the folder holds would be read twice, perhaps as of another class.

    Args:
        folder: folder within the root, perhaps a link.
        root: folder that is read.
    """
    if not Path(folder).is_symlink():
        return False
    target, top = Path(os.path.realpath(folder)), Path(os.path.realpath(root))
    if top.is_relative_to(target):
        return True
    return target.is_relative_to(top) and not any(part.startswith(".") for part in target.relative_to(top).parts)


def not_followed(links: list[Path], root: str | Path) -> str:
    """Sentence that says which links within a folder are not followed.

    Args:
        links: the links, at least one.
        root: folder that is read.
    """
    first = f"{links[0]} leads to {os.path.realpath(links[0])}"
    more = f", and {len(links) - 1} more" if len(links) > 1 else ""
    return f"{root}: a link to a folder that is read already, or that holds the link, is not followed: {first}{more}."
