"""Kinds of data, such as texts or images with masks. A new kind takes its file, its test, and a row of `TABLE`.

This module imports a kind only when it is asked for, so that a command can list the kinds at once.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from tutelage.data.nearest import did_you_mean

if TYPE_CHECKING:
    from tutelage.kinds.base import Kind


class Row(NamedTuple):
    """Facts of a kind that are known before it is imported.

    Attributes:
        module, class_name: module in `tutelage.kinds` and name of the kind's class.
        column: option that tells the kind: the one that names the column of its items, or of its masks.
        task_word: word of the option --task for the kind; empty where there is none.
        about: short description of the kind.
        moves: whether units move with the view of an item, as pixels do; a method that stores values of units then
            refuses the kind.
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
"""Kinds by name. Where options tell several kinds, the first of them is meant."""

DEFAULT = next(iter(TABLE))
"""Kind that is meant where nothing tells another."""


class _Kinds(Mapping[str, "type[Kind]"]):
    """Classes of the kinds by name, each imported when it is asked for."""

    def __getitem__(self, name: str) -> type[Kind]:
        row = TABLE[name]
        kind: type[Kind] = getattr(import_module(f"tutelage.kinds.{row.module}"), row.class_name)
        return kind

    def __iter__(self) -> Iterator[str]:
        return iter(TABLE)

    def __len__(self) -> int:
        return len(TABLE)


KINDS: Mapping[str, type[Kind]] = _Kinds()
"""Classes of the kinds by name."""


def named(word: str) -> str:
    """Name of a kind, given this name or the kind's word of the option --task.

    Raises:
        ValueError: there is no such kind.
    """
    by_task = {row.task_word: name for name, row in TABLE.items() if row.task_word}
    if word not in TABLE and word not in by_task:
        allowed = f"{', '.join(TABLE)} (or, as --task, {', '.join(by_task)})"
        raise ValueError(f"kind must be one of {allowed}, got {word!r}{did_you_mean(word, TABLE)}")
    return by_task.get(word, word)


def told_by(options: Sequence[str], train: Path | None = None) -> str | None:
    """Name of the kind that the options tell, or else the folder to train on; None where nothing tells.

    Args:
        options: names of the given options, as Python writes them.
        train: table or folder to train on.

    >>> told_by(["label", "tokens"]), told_by(["label"])
    ('sentences', None)
    """
    for name, row in TABLE.items():
        if row.column in options:
            return name
    if train is not None:
        return next((name for name, kind in KINDS.items() if kind.told_by_folder(train)), None)
    return None


def of_run(folder: Path) -> str | None:
    """Name of the kind of a run; None where the folder holds no run that tells it, which reading the run explains.

    Args:
        folder: folder of a run.
    """
    from tutelage.files import read_json
    from tutelage.files.described import Asked

    try:
        asked = read_json(folder / "run.json", Asked)
        return named(str(asked.get("kind") or asked["task"]))
    except (OSError, ValueError, KeyError):
        return None


def of_values(X: Any, estimator: str) -> type[Kind]:
    """Kind of Python values.

    Args:
        X: items, as a user gives them to an estimator.
        estimator: name of the estimator's class; only its kinds are tried.
    """
    return next(kind for kind in KINDS.values() if kind.estimator == estimator and kind.recognises(X))


def of_summary(summary: Mapping[str, Any]) -> type[Kind]:
    """Kind of a run, given its summary, also a summary of version 0.1."""
    return KINDS[named(str(summary.get("kind") or summary["task"]))]
