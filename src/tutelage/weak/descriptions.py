"""Descriptions of classes: sentences on each, or its name alone."""

from __future__ import annotations

import json
import tomllib
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tutelage.files import naming
from tutelage.tables import DataError, as_label, require_regular
from tutelage.tables.cells import why_no_json

Descriptions = dict[str, tuple[str, ...]]
"""Sentences that describe each class, by its name."""


def read_descriptions(path: str | Path) -> Descriptions:
    """Descriptions from a .json or a .toml file.

    The file is an object whose keys are the classes and whose values are a sentence, or a list of sentences; a .json
    file may also be a list of names, which then describe themselves.

    Raises:
        DataError: the file does not exist, has another ending or cannot be read; or the descriptions are not valid,
            see `descriptions_of`.
    """
    path = Path(path)
    if path.suffix.lower() not in (".json", ".toml"):
        raise DataError(f"{path}: descriptions must be in a .json or a .toml file")
    require_regular(path)
    if not path.is_file():
        raise DataError(f"{path}: no such file")
    try:
        with naming(path):
            text = path.read_text(encoding="utf-8-sig")
        found = (
            json.loads(text, object_pairs_hook=lambda pairs: _once(pairs, path))
            if path.suffix.lower() == ".json"
            else tomllib.loads(text)
        )
    except DataError:
        raise
    except (ValueError, RecursionError) as e:  # not JSON, not TOML, or not UTF-8
        raise DataError(f"{path}: not readable as {path.suffix.lower()[1:]} ({why_no_json(e)})") from e
    return descriptions_of(found, str(path))


def _once(pairs: list[tuple[str, Any]], path: Path) -> dict[str, Any]:
    """The object of the pairs, of which each key is there once."""
    found = dict(pairs)
    if len(found) < len(pairs):
        twice = next(key for key, count in Counter(key for key, _ in pairs).items() if count > 1)
        raise DataError(f"{path}: class {twice!r} is described twice; give a list of sentences")
    return found


def descriptions_of(value: Any, place: str = "describe") -> Descriptions:
    """Descriptions from Python values.

    Args:
        value: a mapping of a class to a sentence or a list of sentences; or a list of names of classes.
        place: file or argument, for messages.

    Raises:
        DataError: there are fewer than two classes, a class has no sentence, a sentence is no text, or two classes
            have the same description.

    >>> descriptions_of({"spam": ["advertising", "fraud"], "ham": "a message from a friend"})
    {'spam': ('advertising', 'fraud'), 'ham': ('a message from a friend',)}
    >>> descriptions_of(["spam", "ham"])
    {'spam': ('spam',), 'ham': ('ham',)}
    """
    if isinstance(value, (list, tuple)):
        if any(not isinstance(name, (str, int)) for name in value):
            raise DataError(f"{place}: a list must hold the names of classes; sentences need {{class: sentence}}")
        if len(set(value)) < len(value):
            raise DataError(f"{place}: a class is named twice")
        value = {name: str(name) for name in value}
    if not isinstance(value, Mapping) or len(value) < 2:
        raise DataError(
            f"{place}: at least two classes must be described, as {{class: sentence}}, got {str(value)[:60]}"
        )
    found: Descriptions = {}
    for name, given in value.items():
        sentences: Any = [given] if isinstance(given, str) else given
        if not isinstance(sentences, (list, tuple)) or not all(isinstance(sentence, str) for sentence in sentences):
            raise DataError(f"{place}: class {name!r} must be described by a sentence or a list, got {given!r}")
        kept = tuple(sentence for sentence in sentences if sentence.strip())
        label = as_label(name)
        if label is None or not kept:
            raise DataError(f"{place}: class {name!r} has no description; write a sentence, or its name")
        if label in found:
            raise DataError(f"{place}: class {label!r} is described twice; give a list of sentences")
        found[label] = kept
    same = [(a, b) for a in found for b in found if a < b and set(found[a]) == set(found[b])]
    if same:
        raise DataError(f"{place}: classes {same[0][0]!r} and {same[0][1]!r} have the same description")
    return found
