"""Kinds of data: what is read and what is answered of it. To add one: its file, its test, and a row of `TABLE`.

This module imports no kind before it is asked for, so that a command can list them at once.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from tutelage.kinds.base import Kind


class Row(NamedTuple):
    """What is known of a kind before it is imported.

    Attributes:
        module, class_name: where the kind is.
        column: the option that names the column of its items, or of its labels where that tells more.
        task_word: the word of the option --task for it; empty where there is none.
        about: the kind in a few words.
        moves: its units move with the view of an item, as pixels do: a method that remembers units refuses them.
    """

    module: str
    class_name: str
    column: str
    task_word: str
    about: str
    moves: bool = False


TABLE: dict[str, Row] = {
    "texts": Row("texts", "Texts", "text", "classification", "texts, each of one class"),
    "sentences": Row("sentences", "Sentences", "tokens", "tagging", "sentences of words, each with a tag"),
    "masks": Row("masks", "Masks", "masks", "segmentation", "images, each pixel of one class", moves=True),
    "images": Row("images", "Images", "images", "image", "images, each of one class"),
    "rows": Row("rows", "Rows", "features", "", "rows of numbers, each of one class"),
}
"""Kinds by name; of two whose columns are named, the first."""

DEFAULT = next(iter(TABLE))


class _Kinds(Mapping[str, "type[Kind]"]):
    """The kinds by name, each imported when it is asked for."""

    def __getitem__(self, name: str) -> type[Kind]:
        row = TABLE[name]
        kind: type[Kind] = getattr(import_module(f"tutelage.kinds.{row.module}"), row.class_name)
        return kind

    def __iter__(self) -> Iterator[str]:
        return iter(TABLE)

    def __len__(self) -> int:
        return len(TABLE)


KINDS: Mapping[str, type[Kind]] = _Kinds()


def named(word: str) -> str:
    """The name of a kind, given its name or the word of the option --task for it.

    Raises:
        ValueError: there is no such kind.
    """
    by_task = {row.task_word: name for name, row in TABLE.items() if row.task_word}
    if word not in TABLE and word not in by_task:
        allowed = f"{', '.join(TABLE)} (or, as --task, {', '.join(by_task)})"
        raise ValueError(f"kind must be one of {allowed}, got {word!r}")
    return by_task.get(word, word)


def told_by(options: Sequence[str], train: Path | None = None) -> str | None:
    """The kind that named options, or a folder to train on, tell; None where nothing tells.

    >>> told_by(["label", "tokens"]), told_by(["label"])
    ('sentences', None)
    """
    for name, row in TABLE.items():
        if row.column in options:
            return name
    if train is not None:
        return next((name for name, kind in KINDS.items() if kind.told_by_folder(train)), None)
    return None


def of_values(X: Any, estimator: str) -> type[Kind]:
    """The kind of Python values, among those that an estimator learns from."""
    return next(kind for kind in KINDS.values() if kind.estimator == estimator and kind.recognises(X))


def of_summary(summary: Mapping[str, Any]) -> type[Kind]:
    """The kind of a run, given its summary, also one of version 0.1."""
    return KINDS[named(str(summary.get("kind") or summary["task"]))]
