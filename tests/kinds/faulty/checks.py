"""What must hold of every input, however faulty: it is read or clearly refused, and nothing is lost without a word."""

from __future__ import annotations

import contextlib
import io
import json
import os
import re
import sys
import tempfile
import traceback
import unicodedata
import warnings
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import tutelage
from faulty.case import Case
from tutelage.kinds.dataset import Dataset
from tutelage.kinds.reading import read_files
from tutelage.run.options import given
from tutelage.tables import Notes

SOURCE = str(Path(tutelage.__file__).parent)
LONGEST = 2000
"""Number of characters of a message, at most."""
UNCLEAR = {
    "a traceback": re.compile(r"Traceback|\bFile \""),
    "a column None": re.compile(r"column '?None\b|column ''"),
    "a class of Python": re.compile(
        r"<class |\bNoneType\b|\bndarray\b|\bDataFrame\b|\bdtype\b|\barray\(|\bnp\.|\bnumpy\.|\bpandas\.|object at 0x|"
        r"\b(?:Timestamp|Decimal|datetime)\b|\b[A-Z]\w+(?:Error|Exception)\b|"
        r"\b(?:but|got|not) (?:a )?(?:str|dict|int|float|bool|tuple|bytes|date|set)\b(?! [a-z])"
    ),
    "no words": re.compile(r"^\s*$|:\s*$|\(\)"),
}
"""What no message may hold, by name."""
QUOTED = re.compile(r"(?<!\w)'(?:[^'\\\n]|\\.)*'|\"(?:[^\"\\\n]|\\.)*\"")
"""Pattern of what is quoted in a message."""
ROWS_SAID = re.compile(
    r"[Ll]eft out|passed over|[Nn]ot scored|repeats? the names|are gathered|export: [\d,]+ \w+ in [\d,]+ rows?|"
    r"are of [\d,]+ inputs?|is read, but not|longer than a line|read as empty|rows are [\d,]+"
)
"""What a sentence says of items that are fewer or more than those of the file."""
ONE_WORD = re.compile("every sentence has one word only|so each is taken for one")
"""What is said of words that are taken for sentences."""
NUMBER = re.compile(r"(?<![\w.])\d[\d,]*(?![\w.]\w)")
"""Pattern of a number that a sentence says."""


class Broken(AssertionError):  # noqa: N818
    """A property that does not hold of an input."""


@dataclass(frozen=True)
class Outcome:
    """What became of an input.

    Attributes:
        read: whether data were read; else they were refused.
        said: whether anything was said or asked of them, besides the files and counts.
        messages: messages of the refusal.
    """

    read: bool
    said: bool
    messages: tuple[str, ...] = ()


@contextlib.contextmanager
def silence() -> Iterator[list[str]]:
    """Context in which nothing may be printed, by Python or by libraries in C; the list takes what was."""
    printed: list[str] = []
    text, saved = io.StringIO(), {fd: os.dup(fd) for fd in (1, 2)}
    with tempfile.TemporaryFile() as file:
        try:
            for fd in saved:
                os.dup2(file.fileno(), fd)
            with contextlib.redirect_stdout(text), contextlib.redirect_stderr(text):
                yield printed
        finally:
            for fd, old in saved.items():
                os.dup2(old, fd)
                os.close(old)
            file.seek(0)
            printed += filter(None, [text.getvalue(), file.read().decode(errors="replace")])


@contextlib.contextmanager
def own_warnings() -> Iterator[tuple[list[str], list[str]]]:
    """Context with lists of the library's own warnings, and of those of others, which nobody may see."""
    own: list[str] = []
    foreign: list[str] = []
    warn = warnings.warn

    def noted(message: Any, *rest: Any, **more: Any) -> None:
        if sys._getframe(1).f_code.co_filename.startswith(SOURCE):
            own.append(str(message))
        warn(message, *rest, **more)

    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        warnings.warn = noted  # type: ignore[assignment]
        try:
            yield own, foreign
        finally:
            warnings.warn = warn
            foreign += [f"{w.category.__name__}: {w.message}" for w in caught if str(w.message) not in own]


def require(holds: bool, what: str) -> None:
    if not holds:
        raise Broken(what)


def require_clear(message: str) -> None:
    """A message is one clear sentence."""
    unquoted = QUOTED.sub("''", message)  # what a file holds is quoted as it is
    for what, pattern in UNCLEAR.items():
        found = pattern.search(message if what == "a column None" else unquoted)
        require(found is None, f"{what} in a message: {message}")
    require(len(message) <= LONGEST, f"a message of {len(message)} characters: {message}")


def require_own(refused: ValueError) -> None:
    """An error is raised by the library itself, and not by another one that it calls."""
    last = traceback.extract_tb(refused.__traceback__)[-1].filename
    shown = "".join(traceback.format_exception(refused)[-6:])
    require(last.startswith(SOURCE), f"an error of another library escapes: {shown}")


def require_rows(case: Case, data: Dataset, said: Sequence[str]) -> None:
    """As many items were read as written, or it is said why there are others."""
    if case.rows is None:
        return
    found = len(data.items.labelled) + len(data.items.pool) + len(data.test)
    sums = {0}
    for sentence in filter(ROWS_SAID.search, said):
        numbers = [int(number.replace(",", "")) for number in NUMBER.findall(sentence)]
        told = {a - b for a in (0, *numbers) for b in (0, *numbers)}
        told |= set(range(max(numbers, default=0))) if "passed over" in sentence else set()  # also what are no items
        sums = {total + each for total in sums for each in told}
    shared = "learnt as shares"  # a copy of different labels is an item for each
    if any(ONE_WORD.search(sentence) or shared in sentence for sentence in said):
        return
    require(case.rows - found in sums, f"{found} items of {case.rows}, and no sentence says so; said was {said}")


def require_json(notes: Notes) -> None:
    """All that was noticed can be written as strict JSON, which knows no NaN."""
    try:
        json.dumps(notes.as_dict(), allow_nan=False)
    except (TypeError, ValueError) as error:
        raise Broken(f"what was noticed is no JSON: {error}") from error


def types_of(classes: Sequence[Any]) -> set[str]:
    """Names of classes, of tags without their letters."""
    return {str(name)[2:] if str(name)[:2] in ("B-", "I-") else str(name) for name in classes}


def require_classes(case: Case, data: Dataset, options: Mapping[str, Any], said: Sequence[str]) -> None:
    """Each class was written as one, or is named in a sentence; where classes are declared, it is one of these."""
    tags = case.kind == "sentences"
    found = types_of(data.classes) - {"O"} if tags else {str(name) for name in data.classes}
    declared = options.get("classes") or ()
    if isinstance(declared, int):
        require(len(found) <= declared, f"{len(found)} classes where {declared} are declared")
        return
    names = declared.split(",") if isinstance(declared, str) else declared
    allowed = types_of([name.strip() for name in names])
    allowed |= set(names) if options.get("tags_are") == "types" else set()  # then a letter is a part of a type
    require(not allowed or found <= allowed, f"classes {found} where {allowed} are declared")
    if case.classes is not None:
        written = {unicodedata.normalize("NFKC", name) for name in case.classes | allowed}
        small, alone = {name.casefold() for name in written}, Counter(name.casefold() for name in found)
        others = {
            name
            for name in found
            if unicodedata.normalize("NFKC", name) not in written
            and not (name.casefold() in small and alone[name.casefold()] == 1)  # each of its labels may be in capitals
        }
        strange = [name for name in others if not any(name in line for line in said)]
        if any(re.search(rf"and so (?:{len(found)}|as many) classes", line) for line in said):
            return  # of masks, whose classes are numbers
        require(not strange, f"classes {strange} without a word; written were {sorted(case.classes)}")


def checked(case: Case, folder: Path) -> Outcome:
    """What becomes of an input, after a check of all that must hold.

    Raises:
        Broken: a property does not hold.
    """
    options = case.written(folder)
    notes, data, messages = Notes(), None, []
    with silence() as printed, own_warnings() as (own, foreign):
        try:
            kind, asked = given(out=folder / "out", kind=case.kind, **options)
            kind = kind.settled(asked.files, notes)
            data = read_files(kind, asked.files, notes)
        except ValueError as refused:
            require_own(refused)
            messages = list(getattr(refused, "messages", [str(refused)]))
        except Exception as error:
            raise Broken("".join(traceback.format_exception(error)[-8:])) from error
    require(not printed, f"printed: {printed}")
    require(not foreign, f"warnings of other libraries: {foreign}")
    require_json(notes)
    asked_of = [part for question in notes.questions for part in (question.asks, *question.options)]
    said = [*notes.lines, *asked_of, *notes.faults, *own]
    for message in (*messages, *said):
        require_clear(message)
    for line in notes.lines_of_all():
        require(len(line) <= LONGEST, f"a line of {len(line)} characters: {line}")
    if data is not None:
        require_rows(case, data, [*said, *notes.lines_of_all()])
        require_classes(case, data, options, said)
    return Outcome(data is not None, bool(said), tuple(messages))
