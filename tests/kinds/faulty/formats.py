"""Tables in the bytes of all formats, packed or not, and faults of their lines and bytes."""

from __future__ import annotations

import base64
import bz2
import csv
import gzip
import io
import json
import lzma
import zipfile
from collections.abc import Callable, Sequence
from typing import Any

import pyarrow as pa
from pyarrow import feather, parquet

from faulty.case import Case, Draw

Row = list[Any]
"""Cells of a row."""

TEXT_FORMATS = ("csv", "csv", "csv", "tsv", "txt")
FORMATS = (*TEXT_FORMATS, "jsonl", "jsonl", "json", "xlsx", "parquet", "parquet", "feather", "arrow", "saved")
"""Formats of tables, those that are common more often; a saved data set is a folder."""
SEPARATORS = (",", ",", ";", "\t", "|")
CHARSETS = ("utf-8",) * 8 + ("utf-8-sig", "utf-8-sig", "utf-16", "cp1252", "cp1250")
LINE_FAULTS: dict[str, Callable[[list[bytes], int], list[bytes]]] = {
    "twice": lambda lines, i: [*lines[: i + 1], *lines[i:]],
    "gone": lambda lines, i: [*lines[:i], *lines[i + 1 :]],
    "blank": lambda lines, i: [*lines[:i], b"", *lines[i:]],
    "title": lambda lines, i: [b"A title of 2024", *lines],
    "header again": lambda lines, i: [*lines[:i], lines[0], *lines[i:]],
    "no header": lambda lines, i: lines[1:],
    "mark": lambda lines, i: [*lines[:i], b'"' + lines[i], *lines[i + 1 :]],
    "long": lambda lines, i: [*lines[:i], lines[i] + b",x;y\tz", *lines[i + 1 :]],
    "short": lambda lines, i: [*lines[:i], lines[i][: len(lines[i]) // 2], *lines[i + 1 :]],
    "latin": lambda lines, i: [*lines[:i], lines[i] + b"\xe9\xf8", *lines[i + 1 :]],
    "return": lambda lines, i: [*lines[:i], lines[i] + b"\r", *lines[i + 1 :]],
    "zero": lambda lines, i: [*lines[:i], lines[i] + b"\0", *lines[i + 1 :]],
}
"""Faults of a line, by name: functions of the lines and the number of the line."""
ADDED = {"twice", "blank", "title", "header again", "mark", "long", "return"}
"""Faults of a line that leave all rows in the file."""
BYTE_FAULTS = ("cut", "bytes", "garbage", "empty")


def plain(cell: Any) -> Any:
    """A value that JSON has not, as programs write it: bytes in base64, dates as text."""
    return base64.b64encode(cell).decode() if isinstance(cell, bytes) else str(cell)


def text_of(draw: Draw, cell: Any) -> str:
    """A cell as the many programs that write csv files write it."""
    if cell is None:
        return ""
    if isinstance(cell, bytes):
        return "data:image/png;base64," + base64.b64encode(cell).decode()
    if isinstance(cell, (list, dict)):
        written = json.dumps(cell, default=plain, ensure_ascii=draw.chance(50))
        return draw.one([written, written, repr(cell)])
    return str(cell)


def separated(draw: Draw, ending: str, names: Sequence[str], rows: Sequence[Row]) -> bytes:
    """A csv, tsv or txt file of one of many dialects."""
    separator = "\t" if ending == "tsv" else draw.one(SEPARATORS)
    quoting = draw.one([csv.QUOTE_MINIMAL, csv.QUOTE_MINIMAL, csv.QUOTE_ALL, csv.QUOTE_NONE][: 3 + (len(names) > 1)])
    escape = "\\" if quoting == csv.QUOTE_NONE or draw.chance(10) else None
    end = draw.one(["\n", "\n", "\r\n", "\r"])
    if any("\\" in str(cell) for row in rows for cell in row):
        quoting = csv.QUOTE_MINIMAL if quoting == csv.QUOTE_NONE else quoting  # else marks would be escaped, too
    between = " " if end == "\r" or quoting == csv.QUOTE_NONE else "\n"  # only marks keep a cell of two lines together
    text = io.StringIO(newline="")
    texts = [[text_of(draw, cell).replace("\n", between) for cell in row] for row in [names, *rows]]
    csv.writer(
        text, delimiter=separator, quoting=quoting, escapechar=escape, doublequote=escape is None, lineterminator=end
    ).writerows(texts)
    whole = (f"sep={separator}{end}" if draw.chance(5) else "") + text.getvalue()
    charset = draw.one(CHARSETS)
    try:
        return whole.encode(charset)
    except UnicodeEncodeError:
        return whole.encode()


def _object(names: Sequence[str], row: Row, sparse: bool = False) -> str:
    """An object of JSON, in which a key may be there twice; bytes become an image in base64."""
    cells = [(name, cell) for name, cell in zip(names, row, strict=True) if not sparse or cell not in (None, "")]
    pairs = (f"{json.dumps(name)}: {json.dumps(cell, default=plain)}" for name, cell in cells)
    return "{" + ", ".join(pairs) + "}"


def _json(draw: Draw, names: Sequence[str], rows: Sequence[Row]) -> bytes:
    objects = ",\n".join(_object(names, row) for row in rows)
    form = draw.rarely(draw.one(["records", "records", "held", "split", "columns"]), ["arrays"])
    if form == "records":
        return f"[{objects}]".encode()
    if form == "held":
        return f'{{"version": 1, "data": [{objects}]}}'.encode()
    value: Any = {name: [row[i] for row in rows] for i, name in enumerate(names)}
    if form == "split":
        value = {"columns": names, "index": list(range(len(rows))), "data": rows}
    elif form == "arrays":
        value = [names, *rows]
    return json.dumps(value, default=plain).encode()


def _column(draw: Draw, cells: Sequence[Any]) -> pa.Array:
    try:
        if {} in cells:  # parquet files hold no objects without a key
            raise pa.ArrowInvalid("no key")
        return pa.array(cells)
    except (pa.ArrowInvalid, pa.ArrowTypeError):
        return pa.array([cell if cell is None else text_of(draw, cell) for cell in cells])


def _arrow(draw: Draw, names: Sequence[str], rows: Sequence[Row]) -> pa.Table:
    columns = [[row[i] for row in rows] for i in range(len(names))]
    metadata = _with_numbers(names, columns) if draw.chance(15) else None
    arrays = [_column(draw, cells) for cells in columns]
    if draw.chance(10):
        arrays = [each.dictionary_encode() if pa.types.is_string(each.type) else each for each in arrays]
    return pa.Table.from_arrays(arrays, names=list(names)).replace_schema_metadata(metadata)


def _with_numbers(names: Sequence[str], columns: list[list[Any]]) -> dict[str, str] | None:
    """Put numbers in place of labels or tags; returns the metadata with their names, as the library datasets has it."""
    at = next((i for i, name in enumerate(names) if name in ("label", "tags")), None)
    cells = [] if at is None else columns[at]
    lists = any(isinstance(cell, list) for cell in cells)
    every = (
        [tag for cell in cells if isinstance(cell, list) for tag in cell]
        if lists
        else [c for c in cells if c is not None]
    )
    mixed = lists and not all(cell is None or isinstance(cell, list) for cell in cells)
    if at is None or mixed or not all(isinstance(tag, str) for tag in every):
        return None
    known = sorted(set(every) - {""})
    number = {name: i for i, name in enumerate(known)} | {"": -1}
    columns[at] = [
        [number[tag] for tag in cell] if isinstance(cell, list) else number.get(str(cell), cell) for cell in cells
    ]
    kind: Any = {"names": known, "_type": "ClassLabel"}
    feature = {"feature": kind, "_type": "Sequence"} if lists else kind
    return {"huggingface": json.dumps({"info": {"features": {names[at]: feature}}})}


def _sheet(draw: Draw, names: Sequence[str], rows: Sequence[Row]) -> bytes:
    import openpyxl

    book = openpyxl.Workbook()
    sheet = book.active
    if draw.chance(10):
        sheet.append(["A title of 2024"])
    for row in [list(names), *rows]:
        texts = [text_of(draw, cell).replace("\0", "") for cell in row]
        sheet.append(
            [cell if isinstance(cell, (int, float)) else t or None for cell, t in zip(row, texts, strict=True)]
        )
    if draw.chance(10):
        book.create_sheet("other").append(["a note"])
    held = io.BytesIO()
    book.save(held)
    return held.getvalue()


def encoded(draw: Draw, ending: str, names: Sequence[str], rows: Sequence[Row]) -> bytes:
    """Bytes of a file of a format."""
    held = io.BytesIO()
    if ending == "jsonl":
        sparse = draw.chance(10)
        return "".join(_object(names, row, sparse) + "\n" for row in rows).encode()
    if ending == "json":
        return _json(draw, names, rows)
    if ending == "xlsx":
        return _sheet(draw, names, rows)
    if ending == "parquet":
        parquet.write_table(_arrow(draw, names, rows), held)
    elif ending in ("feather", "arrow"):
        feather.write_feather(_arrow(draw, names, rows), held)
    else:
        return separated(draw, ending, names, rows)
    return held.getvalue()


def _rows_then(fault: str, lines: Sequence[bytes], at: int, rows: int | None) -> int | None:
    """Number of rows after a fault of a line; None where it is not known, as where a row has several lines."""
    of_text = len(lines) - 2 == rows  # a line for each row, a header, and what follows the last line's end
    line = lines[at]
    breaks = fault in ("long", "return") and (not line or line.endswith(b"\r"))  # then it is a line of its own
    if rows is None or fault not in ADDED or breaks or not (of_text or len(lines) - 1 == rows):
        return None
    again = of_text <= at < len(lines) - 1 if fault == "twice" else fault == "header again" and not of_text
    return rows + again


def damaged(draw: Draw, data: bytes, case: Case, rows: int | None) -> tuple[bytes, int | None]:
    """Bytes with at most two faults of lines or bytes, and the number of rows then; None where it is not known."""
    for _ in range(draw.one([0] * 13 + [1, 1, 2])):
        fault = draw.one([*LINE_FAULTS, *BYTE_FAULTS])
        case.fault(fault)
        text = b"\0" not in data
        if fault in LINE_FAULTS:
            lines = data.split(b"\n")
            at = draw.whole(0, 10_000) % len(lines)
            data = b"\n".join(LINE_FAULTS[fault](lines, at))
            rows = _rows_then(fault, lines, at, rows) if text else None
        elif fault == "cut":
            data = data[: draw.whole(0, 10_000) % (len(data) + 1)]
        elif fault == "bytes":
            at = draw.whole(0, 10_000) % (len(data) + 1)
            data = data[:at] + bytes(draw.whole(0, 255) for _ in range(draw.whole(1, 4))) + data[at + 1 :]
        elif fault == "garbage":
            data = bytes(draw.whole(0, 255) for _ in range(draw.whole(0, 60)))
        else:
            data = b""
        rows = rows if fault in LINE_FAULTS else None
        case.classes = case.classes if text and fault in ("twice", "gone", "blank", "title", "header again") else None
    return data, rows


def _zipped(name: str, data: bytes) -> bytes:
    held = io.BytesIO()
    with zipfile.ZipFile(held, "w") as archive:
        archive.writestr(name, data)
    return held.getvalue()


def packed(draw: Draw, name: str, data: bytes) -> tuple[str, bytes]:
    """Name and bytes of a file that may be packed."""
    ending = draw.one(["", "", "", "", "", "", ".gz", ".zip", ".zst", ".bz2", ".xz"])
    if ending == ".zip":
        return name + ending, _zipped(name, data)
    if ending == ".zst":
        sink = pa.BufferOutputStream()
        with pa.CompressedOutputStream(sink, "zstd") as stream:
            stream.write(data)
        return name + ending, bytes(sink.getvalue())
    pack = {"": bytes, ".gz": gzip.compress, ".bz2": bz2.compress, ".xz": lzma.compress}[ending]
    return name + ending, pack(data)


def _put_saved(draw: Draw, case: Case, source: str, table: pa.Table, rows: int) -> None:
    """Write a data set as the library datasets saves it: one, or several splits of which one is the data."""
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, table.schema) as stream:
        stream.write_table(table)
    split = draw.rarely("", ["train/", "test/"])
    files = {
        f"{split}data-00000-of-00001.arrow": bytes(sink.getvalue()), f"{split}dataset_info.json": b"{}",
        f"{split}state.json": json.dumps({"_data_files": [{"filename": "data-00000-of-00001.arrow"}]}).encode(),
    }  # fmt: skip
    if split:
        files["dataset_dict.json"] = json.dumps({"splits": [split[:-1]]}).encode()
    if draw.chance(6):
        name = draw.one(list(files))
        case.fault("saved")
        files[name] = draw.one([b"", b"{}", b"[1]", files[name][:-3]])
        rows = case.rows = case.classes = None  # type: ignore[assignment]
    case.content |= {f"{source}/{name}": data for name, data in files.items()}
    case.sources[source] = source
    case.counts(rows)


def put(draw: Draw, case: Case, source: str, ending: str, table: tuple[Sequence[str], Sequence[Row]]) -> None:
    """Write a table as one source of an input, with faults of lines and bytes."""
    names, rows = table
    if ending == "saved":
        _put_saved(draw, case, source, _arrow(draw, names, rows), len(rows))
        return
    full = [i for i, row in enumerate(rows, start=1) if any(text_of(draw, cell) for cell in row)]
    blank = ending == "xlsx" or (ending in TEXT_FORMATS and len(names) == 1)  # then blank rows at the end are none
    count = max(full, default=0) if blank else len(rows)
    data, known = damaged(draw, encoded(draw, ending, names, rows), case, len(rows))
    name, data = packed(draw, f"{source}.{ending}", data)
    case.content[name] = data
    case.sources[source] = name
    case.counts(None if known is None else known + count - len(rows))
