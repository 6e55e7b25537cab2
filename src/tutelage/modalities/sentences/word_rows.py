"""Tables that hold a word a row: the rows of each sentence are told, and gathered."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from tutelage.tables import Notes, as_label, column
from tutelage.tables.settling import as_word

IDS = re.compile(r"(sentence|sent)(id|idx|index|no|nr|num|number)?|sid|textid|docsentid")
"""Pattern of names of columns that number the sentences, in lower case without blanks and signs."""
LIST = re.compile(r"[\[{(]\s*[\[{('\"\d]|\[\]|\{\}")
"""Pattern of the beginning of a list, or of an object."""
EACH_ROW = "row"
"""Value of the option --sentence-id by which each row is a sentence."""
START = "-DOCSTART-"
"""Word that begins a document."""


def gathered(
    table: pd.DataFrame, tokens: str, tags: Sequence[str], path: Path, sentence_id: str | None, notes: Notes
) -> pd.DataFrame | None:
    """Table with a row for each sentence, numbered by its first row; None where a row is not one word.

    Args:
        table: the table, whose index numbers its rows from 1.
        tokens: name of the column of the words.
        tags: names of the columns of tags that the table has.
        path: the file, for messages.
        sentence_id: name of the column that numbers the sentences; "row" where each row is one; None finds it out.
        notes: takes what was gathered, or the question which rows are a sentence.

    Raises:
        DataError: there is no such column.
    """
    if sentence_id == EACH_ROW and EACH_ROW not in table:
        return None
    cells = table[tokens].tolist()
    some = next((cell for cell in cells if isinstance(cell, (list, tuple, dict, np.ndarray)) or as_label(cell)), None)
    if not isinstance(some, (str, int, float)) or re.search(r"\s", str(some).strip()):
        return None
    words = [_scalar(cell) for cell in cells]
    labels = [[_scalar(cell) for cell in table[name].tolist()] for name in tags]
    number = sentence_id or _numbering(table, (tokens, *tags))
    if len(table) < 2 or not _single(words if number is None else _without_blanks(words), labels):
        return None
    blank = np.array([word is None and not any(each[i] for each in labels) for i, word in enumerate(words)])
    begins, told = _begins(table, path, number, blank)
    if begins is None:
        _ask(table, tokens, tags, path, notes, halts=any(tag for each in labels for tag in each))
        return None
    _require_together(table, path, sentence_id, begins, notes)
    begins |= np.array([word == START for word in words])
    sentence, full = np.cumsum(begins), ~blank & np.array([word != START for word in words])
    parts = np.split(np.flatnonzero(full), np.flatnonzero(np.diff(sentence[full])) + 1)
    rows = [part for part in parts if len(part)]
    columns = {tokens: words} | dict(zip(tags, labels, strict=True))
    made = {name: [[values[i] for i in of] for of in rows] for name, values in columns.items()}
    found = pd.DataFrame(made, index=[table.index[of[0]] for of in rows])
    notes.say(f"{path}: {len(table)} rows of a word each are gathered to {len(found)} sentences by {told}.")
    return found


def _scalar(cell: object) -> str | None:
    """A cell as text; None of an empty one. A list is text with brackets, which is no word."""
    return str(cell) if isinstance(cell, (list, tuple, dict, np.ndarray)) else as_label(cell)


def _single(words: Sequence[str | None], labels: Sequence[Sequence[str | None]]) -> bool:
    """Whether each cell is one word, or empty, and each tag one tag."""
    known = [tag for each in labels for tag in each if tag]
    if any(re.search(r"\s", word) or _listed(word) for word in words if word):
        return False
    return not any(re.search(r"\s", tag) or LIST.match(tag) for tag in known)


def _without_blanks(words: Sequence[str | None]) -> Sequence[str | None]:
    """The words that hold no blank, where these are most: a column that numbers sentences tells what the others are."""
    plain = [word for word in words if word and not re.search(r"\s", word)]
    return plain if 2 * len(plain) > sum(map(bool, words)) else words


def _listed(word: str) -> bool:
    """Whether a word is a list that is written as text."""
    return LIST.match(word) is not None and word[-1] in "]}" and word not in ("[]", "{}")


def _numbering(table: pd.DataFrame, used: Sequence[str]) -> str | None:
    """Name of a column that numbers the sentences, by its name and its values."""
    names = [str(name) for name in table.columns if str(name) not in used]
    likely = [name for name in names if IDS.fullmatch(re.sub(r"[\W_]", "", name.lower()))]
    return next((name for name in likely if _tells(table[name])), None)


def _begins(table: pd.DataFrame, path: Path, number: str | None, blank: np.ndarray) -> tuple[np.ndarray | None, str]:
    """Mask of the rows that begin a sentence, (n,), and words on what tells them; None where nothing does."""
    if number is not None:
        return _changes(column(table, number, path)), f"column {number!r}"
    if blank.any():
        return np.append(True, blank[:-1]), "blank rows"
    after = _after_blank_lines(path, len(table))
    return (None, "") if after is None else (after, "blank lines")


def _after_blank_lines(path: Path, count: int) -> np.ndarray | None:
    """Mask of the rows of a text file that follow a blank line, (n,); None where there is no such line.

    Args:
        path: a file, of which each line that is not blank holds one row, after a header.
        count: number of rows, n; lines of another number tell nothing.
    """
    try:
        lines = path.read_bytes().splitlines()
    except OSError:
        return None
    after = [not before for before, line in zip([b"-", *lines], lines, strict=False) if line]
    return np.array(after[1:]) if len(after) == count + 1 and any(after[2:]) else None


def _changes(ids: pd.Series) -> np.ndarray:
    """Mask of the rows whose number differs from the row before; an empty cell has the number of the row before."""
    known = pd.Series([as_label(cell) for cell in ids.tolist()], dtype=object).ffill()
    changed: np.ndarray = known.ne(known.shift()).to_numpy(dtype=bool)
    return np.append(True, changed[1:])


def _tells(ids: pd.Series) -> bool:
    """Whether a column may number the sentences: some of its values hold for several rows."""
    count = int(_changes(ids).sum())
    known = {as_label(cell) for cell in ids.tolist()} - {None}
    return 1 <= count < len(ids) and bool(known) and not _scattered(len(known), count, len(ids))


def _scattered(distinct: int, runs: int, rows: int) -> bool:
    """Whether rows of one number lie apart, so that most stand alone."""
    return runs > 2 * distinct and rows < 2 * runs


def _require_together(
    table: pd.DataFrame, path: Path, sentence_id: str | None, begins: np.ndarray, notes: Notes
) -> None:
    """Fault a table whose rows of one sentence lie apart."""
    if sentence_id is not None and _scattered(table[sentence_id].nunique(), int(begins.sum()), len(table)):
        notes.fault(f"{path}, column {sentence_id!r}: rows of one sentence lie apart; sort the table by sentence")


def _ask(table: pd.DataFrame, tokens: str, tags: Sequence[str], path: Path, notes: Notes, halts: bool) -> None:
    """Ask which rows are a sentence.

    Without a halt each row is taken for one, and it is only asked where a column may number the sentences.
    """
    others = [str(name) for name in table.columns if str(name) not in (tokens, *tags)]
    likely = [name for name in others if 1 < int(_changes(table[name]).sum()) <= len(table) // 2]
    if not (halts or likely):
        return
    options = [f"--sentence-id {as_word(name)}" for name in likely[:3]] or ["--sentence-id COLUMN"]
    notes.ask(
        f"{path}: each row of column {tokens!r} holds one word, and nothing tells which rows are a sentence"
        f"{'' if halts else ', so each is taken for one'}",
        f"{'; or '.join(options)} (the column that numbers the sentences)",
        f"--sentence-id {EACH_ROW} (each row is a sentence)",
        halts=halts,
        page="word-rows",
    )
