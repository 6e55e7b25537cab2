"""Which kind of data a table holds, and in which columns, told by the cells where nobody says it."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

import pandas as pd

from tutelage.data.errors import DataError
from tutelage.data.how import ReadAs
from tutelage.kinds import KINDS, TABLE
from tutelage.kinds.answers import ANSWERED_BY
from tutelage.kinds.asked_labels import GUESS, MARKS, ROW, SOURCE, WHY
from tutelage.kinds.cells import is_number, mostly
from tutelage.modalities.sentences.conll import CONLL, read_conll
from tutelage.tables import OF_CLASS, PREDICTED, PREDICTED_SPANS, PROBABILITY, SAID, UNHEARD, Notes, read

LOOKED_AT = 500
"""Rows that are looked at, at most."""

LABELS = (
    "label", "labels", "class", "classes", "category", "categories", "topic", "target", "tags", "ner_tags", "tag",
    "spans", "entities", "sentiment", "species", "intent", "y", "klasse", "kategorie", "thema", "rubrik", "stimmung",
    "art", "etiqueta", "categoria", "categoría", "clase", "catégorie", "classe", "étiquette", "rating", "stars",
    "sterne", "bewertung",
)  # fmt: skip
"""Usual names of a column of labels, the likelier first."""

PLAIN = frozenset(("label", "labels", "tags", "ner_tags", "spans", "entities", "target", "etiqueta", "étiquette"))
"""Usual names that mean nothing else; a column named Art, Class or Kategorie may also be a property of the items."""

PAIR = frozenset(
    ("question", "answer", "frage", "antwort", "prompt", "response", "premise", "hypothesis", "query", "reply",
     "pregunta", "respuesta", "réponse", "domanda", "risposta")
)  # fmt: skip
"""Words of the names of columns of which two make one item, though one of them may be short."""

NUMBERS = frozenset(("id", "ids", "nr", "no", "nummer", "number", "index", "row", "zeile", "key", "uuid", "unnamed"))
"""Words of the names of columns that number the rows."""

FEWEST, MANY = 20, 0.8
"""Cells from which on a column of labels is looked at, and share of different ones beyond which it holds none."""

FEW, SHORT, OFTEN = 30, 40, 2
"""Of a column that holds labels though its name does not say so: different cells, at most, characters of each, at most,
and how often each is there, at least, on average."""

LETTERS = 0.5
"""Share of the characters of a text that are letters, at least."""

NEAR, WORDS = 0.5, 3
"""Share of the words of the longest texts, and words, from either of which on another column may be meant as well."""

UNSPACED = re.compile(r"[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u9fff\uf900-\ufaff]")
"""Pattern of a letter of the writings that put no blanks between words, some three of which are a word."""

LINK = re.compile(r"(https?://|www\.|mailto:)\S+|\S+@\S+\.\w+|/?(\S+/)+\S*|\w+\.(csv|html?|pdf|png|jpe?g|txt)")
"""Pattern of an address or a path."""

CODE = re.compile(r"(?=\S*\d)[0-9a-fA-F-]{16,}|(?=\S*\d)[A-Za-z]{0,4}[-_/]?[\d-]+[A-Za-z]?")
"""Pattern of a number that names a thing, such as a UUID, or one behind letters."""

TAG = re.compile(r"O|[BIESLU]-\S+")
"""Pattern of the tag of a word."""

NUMBERED = re.compile(rf"({GUESS}|{WHY}|{ROW}|{SOURCE})(_\d+)?")
"""Pattern of the names of the columns that `tutelage next` writes, beside those that say by which selector."""

GIVEN = "label_given"
"""Name of the column of the labels that people gave, in the table to download."""

DOWNLOADED = {PREDICTED: "label_predicted", PREDICTED_SPANS: "spans_predicted", PROBABILITY: PROBABILITY}
"""Names, in the table to download, of the columns that hold what a model says, by those that `predict` gives them."""

OF_MODEL = (PREDICTED, PREDICTED_SPANS, DOWNLOADED[PREDICTED], DOWNLOADED[PREDICTED_SPANS], ANSWERED_BY)
SAID_BY_MODEL = re.compile(rf"({'|'.join(OF_MODEL)})(_\d+)?")
"""Names of the columns that the library writes for what a model says of an item, and their pattern; it is no label."""

HOW_SURE = re.compile(rf"{PROBABILITY}(_\d+)?")
"""Pattern of the name of the column that stands beside one of these."""

FITS = {"texts": ("texts",), "images": ("images",), "rows": ("numbers",), "sentences": ("sentences", "lists", "texts")}
"""What cells of the items look like, by kind; the first is what they are called."""

A_WORD_A_LINE = frozenset(CONLL) - {".txt"}
"""Endings of files with a word a line, which are no tables."""

Cells = Mapping[str, Sequence[Any]]
"""Cells of columns that are not empty, by name."""


@dataclass(frozen=True)
class Told:
    """What a table seems to hold.

    Attributes:
        kind: name of the kind of data.
        options: options of the kind that name its columns; that of the labels is left out where there are none.
        others: columns that neither hold the items nor their labels.
        unsure: sentences on what could be meant otherwise; empty where the cells leave no doubt.
    """

    kind: str
    options: dict[str, Any]
    others: Sequence[str] = ()
    unsure: Sequence[str] = ()

    def words(self) -> str:
        """What was taken for what, as options of the command line."""
        shown = [
            f"--{name.replace('_', '-')} {value if isinstance(value, str) else ' '.join(value)}"
            for name, value in self.options.items()
        ]
        return " ".join(shown)


def told(path: Path, how: ReadAs) -> Told:
    """The kind of data in a table, and its columns, by the first rows; see `told_of`.

    Args:
        path: the table.
        how: how it is read.

    Raises:
        DataError: the table cannot be read, or no column looks like items.
    """
    return told_of(table_of(path, how).head(LOOKED_AT), path)


def table_of(path: Path, how: ReadAs, notes: Notes = UNHEARD) -> pd.DataFrame:
    """The table in a file; of a file with a word a line a row for each sentence, with columns that are numbered.

    Args:
        path: the file.
        how: how it is read.
        notes: takes what is noticed.

    Raises:
        DataError: it cannot be read.
    """
    if path.suffix.lower() in A_WORD_A_LINE:
        found = read_conll(path, how, notes).reset_index(drop=True)
        if not len(found):
            raise DataError(
                f"{path}: no sentence is in it; write a word a line, its tag behind a tab or a blank, and an empty "
                "line behind each sentence"
            )
        cells = [word for words in found.iloc[:LOOKED_AT, 0] for word in words]
        if found.shape[1] == 1 and mostly(lambda word: "," in word.strip(",") or ";" in word.strip(";"), cells):
            raise DataError(f"{path}: its lines look like those of a table; let its name end in .csv")
        return found
    return read(path, how, notes).frame


def told_of(table: pd.DataFrame, path: Path) -> Told:
    """The kind of data in the first rows of a table, and its columns.

    The column of the texts is the one whose cells have most words; dates, amounts, addresses and numbers of things are
    none. That of the labels has a usual name, is empty, or holds few different words. What the library wrote of a
    model's answers is neither; the labels that it wrote as those of people are the labels.

    Args:
        table: the rows.
        path: the file, for messages.

    Raises:
        DataError: no column looks like items.
    """
    names = [str(c) for c in table.columns if not MARKS.fullmatch(str(c)) and not NUMBERED.fullmatch(str(c))]
    cells = {c: [plain(cell) for cell in table[c].tolist() if not _empty(cell)] for c in names}
    said = _said_by_model(cells)
    given = [c for c in names if re.fullmatch(rf"{GIVEN}(_\d+)?", c)]
    columns = [c for c in names if c not in said and c not in given[:-1]]
    own = {c: cells[c] for c in columns}
    label, doubts = _label(own, len(table)) if not given else (given[-1], _rather(given[-1], own))
    if label is None and said:
        doubts = [f"{said[0]!r} holds what a model said, which is no label: does another column hold labels?", *doubts]
    left = [c for c in columns if c != label]
    filled = {c: cells[c] for c in left if cells[c]}
    marks = [cells[c] for c in (label, *said) if c is not None]
    marked = any(_are_spans(each) or _are_tags(each) for each in marks)
    for name in reversed(TABLE):
        kind = KINDS[name]
        taken = list(KINDS["texts" if marked and name == "sentences" else name].told_by_cells(_fitting(filled)))
        if taken:
            (items,), (labels,) = kind.item_columns[:1], kind.label_columns
            several = not isinstance(getattr(kind, items, None), str | None)
            label = label or _beside(name, taken[0], filled)
            if label is not None and marked and _are_tags(cells[label]):
                doubts = [f"{label!r} holds a tag in each row: is each row a word of a sentence?", *doubts]
            if not several:
                doubts = [*_other_items(name, taken[0], filled, label), *doubts]
            options = {items: taken if several else taken[0]} | ({} if label is None else {labels: label})
            others = [c for c in names if c not in taken and c != label]
            return Told(name, options, others, tuple(doubts))
    raise DataError(f"{path}: no column looks like items to label; name it, as by --text COLUMN")


def _said_by_model(cells: Cells) -> list[str]:
    """Columns that the library wrote for what a model says of the items, those that name a class first."""
    said = [c for c in cells if SAID_BY_MODEL.fullmatch(c)]
    classes = [c for c in cells if c.startswith(OF_CLASS) and cells[c] and mostly(_is_share, cells[c])]
    if len(classes) > 1:
        said += [c for c in (SAID, *classes) if c in cells]
    return [*said, *(c for c in cells if said and HOW_SURE.fullmatch(c))]


def _is_share(cell: Any) -> bool:
    return is_number(cell) and not isinstance(cell, list) and 0 <= float(str(cell).replace(",", ".")) <= 1


def _rather(given: str, cells: Cells) -> list[str]:
    """Sentences on columns of a usual name that hold more labels than the one of those that people gave."""
    more = [c for c in cells if c.strip().casefold() in PLAIN and len(cells[c]) > len(cells[given])]
    return [f"{c!r} holds more labels: is {given!r} the column of the labels?" for c in more[:1]]


def unfit(told: Told, table: pd.DataFrame) -> list[str]:
    """Sentences on columns of items whose cells are not of the kind that somebody says they are.

    Args:
        told: the kind and the columns.
        table: the first rows.

    >>> unfit(Told("images", {"images": "text"}), pd.DataFrame({"text": ["a good soup"]}))
    ["the cells of 'text' look like texts, not like images: is the kind right?"]
    """
    kind, looks = KINDS[told.kind], []
    value = told.options.get(kind.item_columns[0], ())
    for name in [value] if isinstance(value, str) else list(value):
        cells = [plain(cell) for cell in table[name].tolist() if not _empty(cell)] if name in table else []
        if not cells or (told.kind == "rows" and _few(cells)):
            continue
        seen = (
            "lists" if mostly(lambda cell: isinstance(cell, list), cells)
            else "images" if KINDS["images"].told_by_cells({name: cells}) or _depicts(cells)
            else "numbers" if mostly(is_number, cells) else "texts"
        )  # fmt: skip
        if seen not in FITS.get(told.kind, (seen,)):
            looks.append(f"the cells of {name!r} look like {seen}, not like {FITS[told.kind][0]}: is the kind right?")
    return looks[:3]


def _fitting(filled: Cells) -> Cells:
    """Columns that can hold items: without those that number, date or name them, unless nothing else is left."""
    listed = {
        c: cells for c, cells in filled.items() if mostly(lambda cell: isinstance(cell, list | dict | bytes), cells)
    }
    if listed:
        listed = {c: cells for c, cells in listed.items() if not mostly(is_number, cells)} or listed
        return {c: cells for c, cells in filled.items() if c in listed or mostly(_is_words, cells)}
    words = {c: cells for c, cells in filled.items() if mostly(_is_words, cells) or _depicts(cells)}
    if words:
        return words
    numbers = {c: cells for c, cells in filled.items() if mostly(is_number, cells) and not _counts(c, cells)}
    return numbers or filled


def _depicts(cells: Sequence[Any]) -> bool:
    """Whether cells are names of files of pictures."""
    return mostly(lambda cell: bool(re.fullmatch(r".*\.(png|jpe?g|gif|bmp|webp|tiff?)", str(cell), re.I | re.S)), cells)


def _is_words(cell: Any) -> bool:
    """Whether a cell is a text of words: mostly letters, and no address."""
    text = "".join(str(cell).split())
    if not text or LINK.fullmatch(str(cell).strip()) or CODE.fullmatch(str(cell).strip()):
        return False
    return sum(c.isalpha() or not c.isascii() for c in text) >= LETTERS * len(text)


def _counts(name: str, cells: Sequence[Any]) -> bool:
    """Whether a column of numbers numbers the rows: by its name, or since each is one more than that before."""
    words = set(re.split(r"[\W_]+", name.casefold()))
    if words & NUMBERS:
        return len(set(map(str, cells))) > MANY * len(cells)
    try:
        found = [int(str(cell)) for cell in cells]
    except ValueError:
        return False
    return len(found) > 2 and all(b - a == 1 for a, b in pairwise(found))


def _other_items(kind: str, taken: str, filled: Cells, label: str | None) -> list[str]:
    """Sentences on columns that may hold the items as well."""
    words = {c: _words(cells) for c, cells in filled.items() if c != label and mostly(_is_words, cells)}
    if kind == "images":
        texts = [c for c, count in words.items() if c != taken and count >= 2 and not _few(filled[c])]
        return [f"{c!r} holds texts: is {taken!r}, the images, the column to label?" for c in texts[:1]]
    if kind != "texts":
        return []
    most = words.get(taken, 0.0)
    if taken not in words:
        return [f"{taken!r} does not look like texts: is it the column to label?"]
    near = [
        c for c, count in words.items()
        if c != taken and (
            count >= max(NEAR * most, 2) or (count >= WORDS and not _few(filled[c]))
            or (_words_of(c) & PAIR and _words_of(taken) & PAIR)
        )
    ]  # fmt: skip
    pictures = [c for c in filled if c not in (taken, label) and _depicts(filled[c])]
    found = [f"{c!r} names images: is {taken!r}, the texts, the column to label?" for c in pictures[:1]]
    if near:
        named = " and ".join(map(repr, near[:3]))
        hold = "hold texts" if len(near) > 1 else "holds texts"
        found.append(f"{named} {hold}, too: is {taken!r} the column to label?")
    if most < 2 and all(map(str.isascii, map(str, filled[taken]))):
        found.append(f"the cells of {taken!r} are single words: is it the column to label?")
    return found


def _are_spans(cells: Sequence[Any]) -> bool:
    """Whether cells hold lists of spans: of lists with a beginning and an end, or of dicts."""
    lists = [cell for cell in cells if isinstance(cell, list)]
    each = [one for cell in lists for one in cell]
    return bool(each) and len(lists) == len(cells) and all(isinstance(one, list | dict) for one in each)


def _are_tags(cells: Sequence[Any]) -> bool:
    """Whether cells are tags, each of a word in a row of its own."""
    return (
        bool(cells)
        and any(str(cell)[1:2] == "-" for cell in cells)
        and mostly(lambda c: bool(TAG.fullmatch(str(c))), cells)
    )


def _words(cells: Sequence[Any]) -> float:
    """Words of a cell, on average."""
    return sum(len(str(cell).split()) + len(UNSPACED.findall(str(cell))) // 3 for cell in cells) / len(cells)


def _beside(kind: str, taken: str, filled: Cells) -> str | None:
    """Column with a list for each word of the sentences; None where there is none."""
    if kind != "sentences":
        return None
    lengths = [len(cell) if isinstance(cell, list) else -1 for cell in filled[taken]]
    found = [
        c for c, cells in filled.items()
        if c != taken and [len(cell) if isinstance(cell, list) else -2 for cell in cells] == lengths
    ]  # fmt: skip
    tags = [c for c in found if _are_tags([tag for cell in filled[c] for tag in cell])]
    return next(reversed(tags or found), None)


def _label(cells: Cells, rows: int) -> tuple[str | None, list[str]]:
    """Column that looks like labels, None where there is none, and sentences on what could be meant otherwise."""
    if len(cells) < 2:
        return None, []
    named = [c for name in LABELS for c in cells if c.strip().casefold() == name and _may_label(cells[c])]
    named += [c for c in cells if c not in named and (_are_spans(cells[c]) or _are_tags(cells[c]))]
    named += [c for c in cells if c not in named and _words_of(c) & set(LABELS) and _few(cells[c])]
    numbers = [c for c in cells if _few(cells[c]) and mostly(is_number, cells[c])]
    if named:
        also = [c for c in named[1:] if cells[c]]
        if not also and named[0].strip().casefold() not in PLAIN:
            texts = any(mostly(_is_words, found) and not _few(found) for found in cells.values() if found)
            also = [c for c in cells if c != named[0] and _few(cells[c]) and (texts or c not in numbers)]
        return named[0], [f"{c!r} may hold labels, too: is {named[0]!r} the column of the labels?" for c in also[:1]]
    few = [c for c in cells if _few(cells[c]) and not mostly(is_number, cells[c])]
    if few:
        # one that is filled in part is likelier: somebody began to label
        best = min(few, key=lambda c: (len(cells[c]) == rows, len(set(map(str, cells[c])))))
        others = [c for c in (*few, *numbers) if c != best]
        rather = f", or {' or '.join(map(repr, others[:3]))}" if others else ""
        return best, [f"{best!r} holds few different words: are these the labels{rather}?"]
    empty = [c for c in cells if not cells[c]]
    first, doubts = _empty_or_numbers(empty, numbers)
    usual = [c for c in cells if c.strip().casefold() in LABELS and mostly(is_number, cells[c] or [""])]
    if usual and first != usual[0]:
        doubts = [
            f"{usual[0]!r} holds many different numbers, which are no classes: are they meant as labels?",
            *doubts,
        ]
    return first, doubts


def _empty_or_numbers(empty: Sequence[str], numbers: Sequence[str]) -> tuple[str | None, list[str]]:
    """Column for the labels of those that are empty or hold few numbers, and sentences as of `_label`."""
    if numbers and not empty:
        rather = f", or {' or '.join(map(repr, numbers[1:4]))}" if numbers[1:] else ""
        return numbers[0], [f"{numbers[0]!r} holds few different numbers: are these the labels{rather}?"]
    if empty and numbers:
        return empty[-1], [f"{empty[-1]!r} is empty: is it for the labels, or does {numbers[0]!r} hold them?"]
    if empty:
        return empty[-1], [f"{empty[-1]!r} is empty: is it for the labels?"] * (len(empty) > 1)
    return None, []


def _words_of(name: str) -> set[str]:
    return set(re.split(r"[\W_]+", name.casefold()))


def _may_label(cells: Sequence[Any]) -> bool:
    """Whether cells of a column with a usual name can be labels: they are no numbers of rows, texts or dates."""
    if not cells or any(isinstance(cell, list | dict) for cell in cells):
        return True
    different = len({str(cell) for cell in cells})
    if len(cells) >= FEWEST and different > MANY * len(cells):
        return False
    plain_ = mostly(lambda cell: _is_words(cell) or _is_whole(cell), cells)
    return plain_ or different <= FEW // 3


def _is_whole(cell: Any) -> bool:
    return bool(re.fullmatch(r"\s*-?\d{1,6}(\.0)?\s*", str(cell)))


def _few(cells: Sequence[Any]) -> bool:
    """Whether cells hold a few short words, or whole numbers, each of them several times."""
    if any(isinstance(cell, list | dict | bytes) for cell in cells):
        return False
    different = {str(cell).strip() for cell in cells}
    short = all(len(cell) <= SHORT and len(cell.split()) <= 4 for cell in different)
    plain_ = all(_is_words(cell) or _is_whole(cell) for cell in different)
    return 2 <= len(different) <= min(FEW, len(cells) / OFTEN) and short and plain_


def _empty(cell: Any) -> bool:
    return cell is None or cell is pd.NA or str(cell).strip() in ("", "nan", "NaT")


def plain(cell: Any) -> Any:
    """A cell, where it is an array, or a list written as JSON, as a list."""
    if hasattr(cell, "tolist"):
        return cell.tolist()
    if not isinstance(cell, str) or not cell.startswith("["):
        return cell
    try:
        return json.loads(cell)
    except ValueError:
        return cell
