"""Faulty inputs of texts, each of one class: tables and folders."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from faulty.case import Case, Draw
from faulty.columns import in_order, with_weak
from faulty.formats import FORMATS, put
from faulty.labels import CLASSES, label_options, labels, reading_options
from faulty.weak_files import weak_file

PARTS = (
    "soup", "goal", "a, b", "c; d", "e\tf", "g|h", '5" pipe', '"quoted"', "it's", "'single'", "über", "Příliš", "日本",
    "😀", "1,5", "2.5", "-1", "nan", "\\", '\\"', "=1", "# x", "{y}", "[z]", "x\ny", "<b>bold</b>", "e\u0301",
    "http://a.b",
)  # fmt: skip
ODD_TEXTS: tuple[Any, ...] = (
    "", " ", "\u200b", "nan", None, 3, 2.5, "\n", "\x00", ["a", "b"], {"a": 1}, True, "-1", "x" * 100_001,
)  # fmt: skip
"""Cells that are no good texts."""


def text(draw: Draw, number: int) -> str:
    """A text that differs from all of other numbers."""
    long = 300 if draw.chance(2) else 1
    parts = [part for part in PARTS if long == 1 or "\n" not in part]
    return " ".join([*long * [draw.one(parts) for _ in range(draw.whole(1, 4))], f"of {number} days"])


def texts(draw: Draw, case: Case, count: int, begin: int) -> list[Any]:
    """Texts, some of which may be copies, empty or no texts."""
    found: list[Any] = [text(draw, begin + i) for i in range(count)]
    fault = draw.one(["", "", "", "", "", "", "copies", "odd", "odd pool"])
    if fault:
        case.fault(f"texts {fault}")
    if fault == "copies":
        found = [found[0] if draw.chance(40) else each for each in found]
    elif fault:
        odd, first = draw.one(ODD_TEXTS), 0 if fault == "odd" else 4
        found = [odd if i >= first and draw.chance(15) else each for i, each in enumerate(found)]
    return found


def sources(draw: Draw) -> list[tuple[str, int]]:
    """Names of the sources of an input, with their numbers of items."""
    found = [("train", draw.rarely(draw.one([8, 10, 16]), [0, 1, 3]))]
    if draw.chance(30):
        found.append(("unlabelled", draw.rarely(6, [0, 1])))
    if draw.chance(40):
        found.append(("test", draw.rarely(6, [0, 1])))
    return found


def table(draw: Draw, case: Case, source: str, count: int, names: Sequence[str]) -> dict[str, list[Any]]:
    """Columns of one source."""
    begin = {"train": 0, "unlabelled": 100, "test": 0 if draw.chance(10) else 200}[source]
    columns = {"text": texts(draw, case, count, begin)}
    if source == "unlabelled":
        return columns | ({"label": [""] * count} if draw.chance(30) else {})
    cells = labels(draw, case, count, names, 70 if source == "train" else 95) if count else []
    if source == "test" and count and draw.chance(15):
        case.fault("unseen")
        case.name("unseen")
        cells[-1] = "unseen"
    weak = with_weak(draw, case, cells, names) if source == "train" and count else {}
    return columns | {"label": cells} | weak


def drawn(draw: Draw) -> Case:
    """A faulty input of texts."""
    if draw.chance(15):
        return of_folder(draw)
    ending, names = draw.one(FORMATS), draw.one(CLASSES)
    case = Case("texts", ending, {"text": "text", "label": "label"})
    label_options(draw, case, names)
    for source, count in sources(draw):
        columns = table(draw, case, source, count, names)
        other = draw.one(FORMATS) if draw.chance(10) else ending
        put(draw, case, source, other, in_order(draw, case, columns))
    if not case.options.keys() & {"votes", "teacher", "teacher_label"} and draw.chance(10):
        weak_file(draw, case, names)
    reading_options(draw, case)
    if draw.chance(5):
        case.options[draw.one(["text", "label"])] = draw.one(["labels", "id", "text", "label"])
        case.classes = None
    return case


def of_folder(draw: Draw) -> Case:
    """A folder with a folder of text files for each class, and odd files and folders."""
    case, names = Case("texts", "folder"), draw.one([pair for pair in CLASSES if "#1" not in pair])
    if draw.chance(20):
        case.options |= {"text": "text", "label": "label"}
    label_options(draw, case, names)
    for source, count in sources(draw):
        case.sources[source] = source
        case.content[source] = None
        for i in range(count):
            where = draw.one(names) if source == "test" or i < 6 else draw.one([*names, "unsup"])
            body = text(draw, i + (200 if source == "test" else 0))
            name = draw.one([f"{i}.txt", f"a b {i}.txt", f"{i}.TXT", f"sub/{i}.txt"])
            case.content[f"{source}/{where}/{name}"] = body.encode(draw.one(["utf-8", "utf-8", "utf-16"]))
        case.counts(count)
        _odd_folder(draw, case, source, names)
    case.name(*names)
    reading_options(draw, case)
    return case


def _odd_folder(draw: Draw, case: Case, source: str, names: Sequence[str]) -> None:
    """Odd files and folders beside those of the classes, each of which is one more item, or none."""
    for fault in draw.some(["hidden", "other", "loose", "split", "nan", "empty", "spelt", "bytes"], 2):
        case.fault(f"folder {fault}")
        if fault in ("hidden", "other", "empty"):
            name = {"hidden": ".x/1.txt", "other": f"{names[0]}/a.docx", "empty": "empty"}[fault]
            case.content[f"{source}/{name}"] = None if fault == "empty" else b"x"
            continue
        where = {
            "loose": "loose.txt", "split": draw.one(["train/1.txt", "test/1.txt", "val/1.txt"]),
            "bytes": f"{names[0]}/b.txt",
            "nan": draw.one(["nan/1.txt", "-1/1.txt", "unlabelled/1.txt", "None/1.txt", "[]/1.txt", "?/1.txt"]),
            "spelt": f"{names[0].upper()} /1.txt",
        }[fault]  # fmt: skip
        content = b"\xff\xfe\x00" if fault == "bytes" else b"one more text"
        if fault == "spelt" and case.options.get("spelling") == "as-is":
            case.name(names[0].upper())
        case.content[f"{source}/{where}"] = content if draw.chance(90) else b""
        case.counts(1)
