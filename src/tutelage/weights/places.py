"""Where pretrained weights lie on this machine: in an installed package, or in the folder of fetched ones."""

from __future__ import annotations

import json
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from tutelage.data.sources import cache_folder
from tutelage.weights.catalogue import CATALOGUE, Weights, named

LIST = "weights.json"
"""Name of the list of files, with their SHA-256 and sizes, in a folder of fetched weights; it is written last."""


AUTO = "auto"
"""Name that stands for the encoder that the labels choose among those that are here."""


def folder_of(name: str) -> Path:
    """Folder in which fetched weights are kept, whether they are there or not."""
    return cache_folder() / "models" / name


def path_of(name: str) -> Path | None:
    """Folder of the files of pretrained weights; None where they are not here.

    Files count as here where each has the size that the catalogue, or the list beside fetched ones, says: the content
    is hashed when it is fetched, and again by `get`, but not each time that it is looked for.

    Args:
        name: name in the catalogue.

    Raises:
        ValueError: the catalogue has no such name.

    >>> path_of("minilm").name
    'model'
    """
    weights = named(name)
    installed = _installed(weights)
    if installed is not None:
        return installed
    folder = folder_of(name)
    listed = listed_in(folder)
    if listed is None or listed["pins"] != pins_of(weights):
        return None
    complete = all(_has(folder / file, about["size"]) for file, about in listed["files"].items())
    return folder if complete else None


def there(what: str) -> list[str]:
    """Names of the weights for ``what`` that are here now and can be read, in the order of the catalogue.

    Args:
        what: what they are for: "texts", "images" or "language model".

    >>> "minilm" in there("texts")
    True
    """
    of_these = [name for name, weights in CATALOGUE.items() if weights.what == what]
    return [name for name in of_these if path_of(name) is not None and not lacks(CATALOGUE[name], kept=True)]


def lacks(weights: Weights, kept: bool = False) -> list[str]:
    """Modules that the weights need and that are not installed.

    Args:
        weights: entry of the catalogue.
        kept: whether they are kept already: GGUF's packages are needed only to get them.
    """
    needed = () if kept and weights.gguf else weights.needs
    return [module for module in needed if find_spec(module) is None]


def listed_in(folder: Path) -> dict[str, Any] | None:
    """The list in a folder of fetched weights; None where there is none that can be read."""
    try:
        listed = json.loads((folder / LIST).read_text(encoding="utf-8"))
        return listed if {"files", "pins"} <= set(listed) else None
    except (OSError, ValueError, TypeError):
        return None


def pins_of(weights: Weights) -> dict[str, str]:
    """SHA-256 of each file that is fetched, by name."""
    return {file: pin.sha256 for file, pin in weights.files.items()}


def _installed(weights: Weights) -> Path | None:
    """Folder of the files in an installed package, which is not imported."""
    if weights.module is None:
        return None
    try:
        found = find_spec(weights.module)
    except ValueError:  # a module that was put into sys.modules by hand, without a place
        return None
    if found is None or found.origin is None:
        return None
    folder = Path(found.origin).parents[1] / weights.inside
    return folder if all(_has(folder / file, pin.size) for file, pin in weights.files.items()) else None


def _has(file: Path, size: int) -> bool:
    try:
        return file.stat().st_size == size
    except OSError:
        return False
