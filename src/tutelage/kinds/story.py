"""The story of one item of a fit in words: what each teacher said of it when, and whether that was learnt."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from tutelage.files import BadFileError
from tutelage.files.errors import why as why_so
from tutelage.kinds.dataset import EXCERPT
from tutelage.kinds.ledger import LEDGER, PLACES, KeptLedger
from tutelage.ops.visible import visible

UNLABELLED = "unlabelled"
"""Word for the source of further items without labels."""

SPANNING = 1.5
"""Number of rows for each item from which on items have several rows each, as sentences with a word a row have."""

NAMED = 5
"""Number of sources that a message names."""

State = Literal["labelled", "pool", "copy", "left out"]
"""What became of a row: it was learnt as labelled, was an item of the pool, is a copy of one, or was left out."""


@dataclass(frozen=True)
class Place:
    """A row that a fit read, or left out.

    Attributes:
        source: name of its source: a file, a folder or an argument.
        name: name of the row within it, such as "row 17" or "[17]".
        state: what became of it.
        item: number of its item in the pool; None where it has none.
        first: name of the row that stands for the item in the pool, with its source; its own where it is not a copy.
        row, file: number of the row, and path of the file, of the row itself; None where it has none.
    """

    source: str
    name: str
    state: State
    item: int | None
    first: str
    row: int | None
    file: str | None


@dataclass(frozen=True)
class Said:
    """What a model says of an item in the end.

    Attributes:
        labels: its label, or that of each unit.
        probabilities: probability of each label, in [0, 1].
    """

    labels: Sequence[str]
    probabilities: Sequence[float]


@dataclass(frozen=True)
class Story:
    """The story of one item.

    Attributes:
        place: row that was asked for.
        changes: rows of the ledger about its item, see `tutelage.kinds.ledger.SCHEMA`.
        words: the story in sentences.
        text: the item itself, where it can be written and was read; else empty.
        said: what the model says of it in the end; None where it could not be asked.
    """

    place: Place
    changes: list[dict[str, Any]]
    words: list[str]
    text: str = ""
    said: Said | None = None

    def as_dict(self) -> dict[str, Any]:
        """The story as plain values."""
        at = self.place
        return {
            "source": at.source, "row": at.row, "file": at.file, "state": at.state, "item": at.item,
            "first": at.first, "text": self.text, "changes": self.changes,
            "said": None if self.said is None else {
                "labels": list(self.said.labels), "probabilities": list(self.said.probabilities)
            },
            "words": self.words,
        }  # fmt: skip

    def __str__(self) -> str:
        return "\n".join(self.words)


@dataclass(frozen=True)
class Told:
    """What a run tells of its items beside its ledger.

    Attributes:
        returned: whether the returned model learnt from the pool.
        things: word for its items, in the plural.
    """

    returned: bool
    things: str


def sources(kept: KeptLedger) -> list[str]:
    """Names of the sources that were read, the training source first."""
    return [str(name) for name in pc.unique(kept.at["source"]).to_pylist()]


def find(kept: KeptLedger, row: str | int, of: str | None = None) -> Place:
    """The row of a source.

    Args:
        kept: ledger of the run.
        row: number of the row, as messages count them; of a folder the path of a file within it.
        of: name of the source, or "unlabelled"; None is the training source.

    Raises:
        ValueError: there is no such source, or no such row in it.
    """
    known = [name for name in sources(kept) if name != "None"]
    if not known:
        raise BadFileError(f"{PLACES}: not written by tutelage, or damaged (it holds no row)")
    source = _source(known, of)
    own = kept.at.filter(pc.equal(kept.at["source"], source))
    in_folder = own["row"].null_count > 0 or own["file"].null_count < len(own)
    number = int(row) if re.fullmatch(r"-?[0-9]+", str(row)) else None
    if in_folder:
        files = own["file"].to_pylist()
        at = [i for i, name in enumerate(files) if name == str(row) or f"{source}/{name}" == str(row)]
        at = at or [i for i, name in enumerate(own["row"].to_pylist()) if number is not None and name == number]
        if not at:
            raise ValueError(f"{source}: no file {row!r} was read; name one by its path in it, such as {files[0]}")
    else:
        if number is None:
            raise ValueError(f"row must be a number, got {row!r}: rows of {source} are known by their numbers")
        rows = own["row"].to_numpy()
        low, high = 0 if source.isidentifier() and rows.min() == 0 else 1, int(rows.max())
        if not low <= number <= high:
            behind = "" if number < low else "; what is behind them was left out, or is not there"
            raise ValueError(f"{source} has no row {number}: the rows that were read are {low} to {high}{behind}")
        at = np.flatnonzero(rows == number).tolist()
        if not at and high - int(rows.min()) + 1 > SPANNING * len(rows):  # items of several lines
            begins = int(rows[rows <= number].max(initial=int(rows.min())))
            raise ValueError(
                f"{source}: no item begins in row {number}; items here have several rows each, and one begins in row "
                f"{begins}: name the row where it begins"
            )
        if not at:
            return Place(source, _named(source, number, None), "left out", None, "", number, None)
    found = own.slice(at[0], 1).to_pylist()[0]
    name = _named(source, found["row"], found["file"])
    if found["item"] is None:
        return Place(source, name, "labelled", None, "", found["row"], found["file"])
    first = kept.at.filter(pc.equal(kept.at["item"], found["item"])).slice(0, 1).to_pylist()[0]
    own_place = (first["source"], first["row"], first["file"]) == (source, found["row"], found["file"])
    state: State = "pool" if own_place else "copy"
    return Place(source, name, state, found["item"], _whole(first), found["row"], found["file"])


def _source(known: list[str], of: str | None) -> str:
    """The source that is meant.

    Raises:
        ValueError: none is, or several are.
    """
    some = ", ".join(known[:NAMED]) + (f" and {len(known) - NAMED:,} more" if len(known) > NAMED else "")
    if of is None:
        return known[0]
    if of in known:
        return of
    same = known[1:] if of == UNLABELLED else [name for name in known if _ends_so(name, of)]
    if len(same) == 1:
        return same[0]
    if of == UNLABELLED and not same:
        raise ValueError(f"there is no source of unlabelled items beside {known[0]}; leave {UNLABELLED!r} out")
    which = f"may be several of {some}" if same else f"is none of the sources that were read: {some}"
    raise ValueError(f"{of!r} {which}; name one of them")


def _ends_so(name: str, of: str) -> bool:
    return Path(name).name == of or Path(name).resolve() == Path(of).resolve()


def _named(source: str, row: int | None, file: str | None) -> str:
    if file is not None:
        return file
    return f"[{row}]" if source.isidentifier() else f"row {row}"


def _whole(at: Mapping[str, Any]) -> str:
    """Name of a place with its source."""
    source, name = at["source"], _named(at["source"], at["row"], at["file"])
    if at["file"] is not None:
        return f"{source}/{name}"
    return f"{source}{name}" if name.startswith("[") else f"{source}, {name}"


def story(
    kept: KeptLedger, place: Place, told: Told, text: str = "", said: Said | None = None, missing: str = ""
) -> Story:
    """The story of a row.

    Args:
        kept: ledger of the run.
        place: row.
        told: what the run tells beside the ledger.
        text: the item itself; empty where it cannot be written, or was not read.
        said: what the model says of it in the end.
        missing: sentence on why the model was not asked; empty where it was.

    Raises:
        BadFileError: what the ledger holds does not fit together, as of a run that somebody else made.
    """
    try:
        return _story(kept, place, told, text, said, missing)
    except BadFileError:
        raise
    except (LookupError, ArithmeticError, TypeError, ValueError, AttributeError) as e:
        raise BadFileError(f"{LEDGER}: not written by tutelage, or damaged ({why_so(e)})") from e


def _story(kept: KeptLedger, place: Place, told: Told, text: str, said: Said | None, missing: str) -> Story:
    """The story of a row, of a ledger that may hold anything."""
    own = _whole({"source": place.source, "row": place.row, "file": place.file})
    shown = visible(text, lines=False)
    shown = shown if len(shown) <= EXCERPT else f"{shown[:EXCERPT]}…"
    words = [f"{own}: {shown}" if shown else f"{own}."]
    if place.state == "left out":
        words.append("It was left out: nothing could be read of it, or it was not good to learn from. No model saw it.")
        return Story(place, [], [*words, *_end(said, missing, None, told)], text, said)
    if place.state == "labelled":
        words.append(
            "It was labelled, in its table or by --answers: no teacher gave it a pseudo-label. It was learnt as "
            "labelled there, unless the fit said that it left such labels out. If the label is wrong, `tutelage audit` "
            "finds such."
        )
        return Story(place, [], [*words, *_end(said, missing, None, told)], text, said)
    about, item = kept.about(), place.item
    assert item is not None
    changes = kept.of_item(item)
    words.append(f"It had no label: it was one of the {about['pool']:,} {told.things} of the pool.")
    if place.state == "copy":
        words.append(
            f"It is a copy of {place.first}, which stood in the pool for it: what follows is of that row, and each "
            "answer to it is one to this row, too."
        )
    if not about["trainings"]:
        words.append("No training on all labels learnt a pseudo-label of any item: the ledger is empty.")
    for training in about["trainings"]:
        rows = [row for row in changes if row["training"] == training["name"]]
        words += _of_training(kept, training, rows, item, about["pool"], text)
    last = _last(changes)
    if changes and not told.returned:
        words.append("The model that was returned learnt the labels alone: nothing of this is in it.")
    return Story(place, changes, [*words, *_end(said, missing, last, told)], text, said)


def _last(changes: Sequence[Mapping[str, Any]]) -> Mapping[str, Any] | None:
    """The last row about an item of one unit; None of others."""
    return changes[-1] if changes and changes[-1]["unit"] is None else None


def _end(said: Said | None, missing: str, last: Mapping[str, Any] | None, told: Told) -> list[str]:
    """What the model says in the end."""
    if said is None:
        return [missing] if missing else []
    if len(said.labels) == 1 and (last is None or last["unit"] is None):
        found = [f"In the end the model says {said.labels[0]} ({_percent(said.probabilities[0])})."]
        if last is not None and last["label"] != said.labels[0]:
            found.append(f"That is another class than the last pseudo-label, {last['label']}: the labels, or other "
                         f"{told.things} like it, told against that.")  # fmt: skip
        return found
    least = int(np.argmin(said.probabilities))
    return [
        f"In the end the model says {' '.join(said.labels)}; it is least sure of word {least + 1} "
        f"({_percent(said.probabilities[least])})."
    ]


def _of_training(
    kept: KeptLedger, training: Mapping[str, Any], rows: list[dict[str, Any]], item: int, pool: int, text: str
) -> list[str]:
    """Sentences on what a training learnt of an item.

    Args:
        kept: ledger of the run.
        training: what the ledger says of the training.
        rows: rows of the ledger about the item, of this training.
        item: number of the item in the pool.
        pool: number of the pool's items.
        text: the item itself, for names of words.
    """
    called = training["name"] if training["name"] == training["method"] else (
        f"{training['name']} ({training['method']})"
    )  # fmt: skip
    if not rows:
        return [f"{called}: {_unseen(kept, training, item, pool)}"]
    if rows[0]["unit"] is None:
        return [f"{called}:", *(f"  {_looked(row)}" for row in rows), _meaning(rows)]
    words = text.split(" ")
    found = [f"{called}, word by word:"]
    for unit in sorted({row["unit"] for row in rows}):
        mine = [row for row in rows if row["unit"] == unit]
        name = f" {visible(words[unit - 1])}" if 0 < unit <= len(words) and text else ""
        chain = " -> ".join(f"{r['label']} {_percent(r['probability'])} ({_steps(r)}{_unlearnt(r)})" for r in mine)
        found.append(f"  {unit}{name}: {chain}")
    learnt = {row["unit"] for row in rows if row["weight"] > 0}
    flips = sum(max(row["flips"] for row in rows if row["unit"] == unit) for unit in {row["unit"] for row in rows})
    teachers = ", ".join(dict.fromkeys(row["teacher"] for row in rows))
    count = len({row["unit"] for row in rows})
    return [*found, f"The labels are by {teachers}. {len(learnt)} of its {count} labelled words were learnt; their "
                    f"labels changed {_times(flips)} in all."]  # fmt: skip


def _unlearnt(row: Mapping[str, Any]) -> str:
    return "" if row["weight"] > 0 else ", not learnt"


def _steps(row: Mapping[str, Any]) -> str:
    return f"steps {row['first_step']}-{row['last_step']}"


def _looked(row: Mapping[str, Any]) -> str:
    """Sentence on a row of the ledger."""
    learnt = f"learnt with weight {row['weight']:.2g}" if row["weight"] > 0 else "not learnt: its weight was 0"
    turn = f"round {row['round']}, " if row["round"] > 1 else ""
    return f"{turn}{_steps(row)}: {row['teacher']} said {row['label']} ({_percent(row['probability'])}), {learnt}."


def _meaning(rows: Sequence[Mapping[str, Any]]) -> str:
    """What the rows of an item mean, in words."""
    learnt, flips, last = [row for row in rows if row["weight"] > 0], rows[-1]["flips"], rows[-1]["label"]
    if not learnt:
        return "None of its labels counted: it taught this model nothing."
    first, since = learnt[0], learnt[0]["flips"]
    if flips == since:
        return (
            f"It was learnt as {first['label']} from then on and never revised; if that is wrong, nothing in the "
            "training told so."
        )
    revised = f"The label changed {_times(flips - since)} after it was first learnt"
    if last == first["label"]:
        return f"{revised}, and came back to {last}."
    return f"{revised}: from {first['label']} to {last}."


def _times(count: int) -> str:
    return {0: "never", 1: "once", 2: "twice"}.get(count, f"{count} times")


def _unseen(kept: KeptLedger, training: Mapping[str, Any], item: int, pool: int) -> str:
    """Why a training's ledger has nothing of an item."""
    every = training["every"]
    if training["pool"] < pool:
        return (
            f"nothing is kept of it: this training drew from {training['pool']:,} of the pool's {pool:,} items, and "
            f"the ledger follows {training['items']:,} of these."
        )
    if item % every:
        near = item - item % every
        first = kept.at.filter(pc.equal(kept.at["item"], pa.scalar(near))).slice(0, 1).to_pylist()[0]
        return (
            f"nothing is kept of it: of a pool this large the ledger follows every {every}th item, "
            f"{training['items']:,} of {pool:,}. The nearest before it is {_whole(first)}."
        )
    return "no pseudo-label of it is kept: no batch drew it, or the method gave none. It taught this model nothing."


def _percent(p: float) -> str:
    return f"{100 * p:.0f} %"
