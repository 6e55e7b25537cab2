"""Spreadsheets by openpyxl, XlsxWriter and pandas."""

from __future__ import annotations

from collections.abc import Iterator
from importlib.metadata import version as version_of
from pathlib import Path
from typing import Any

from written_by import Form
from written_by.data import COLUMNS, ROWS, SENTENCES, TEXTS, tagged

TOOL = "openpyxl, XlsxWriter"


def version() -> str:
    return f"{version_of('openpyxl')}, {version_of('xlsxwriter')}"


def table(kind: str) -> list[list[Any]]:
    """Header and rows."""
    if kind == "texts":
        return [["text", "label"], *([t, label if given else None] for t, label, given in TEXTS)]
    if kind == "rows":
        return [[*COLUMNS, "label"], *([*v, label if given else None] for v, label, given in ROWS)]
    rows: list[list[Any]] = [["sentence", "word", "tag"]]
    for number, (text, spans, given) in enumerate(SENTENCES):
        rows += [[number, word, tag if given else None] for word, tag in tagged(text, spans)]
    return rows


def make(folder: Path) -> Iterator[Form]:
    import openpyxl
    import pandas as pd
    import xlsxwriter

    options: dict[str, dict[str, Any]] = {
        "texts": {"text": "text", "label": "label"},
        "sentences": {"tokens": "word", "tags": "tag", "sentence_id": "sentence"},
        "rows": {"features": ",".join(COLUMNS), "label": "label"},
    }
    for kind, more in options.items():
        book = openpyxl.Workbook()
        for row in table(kind):
            book.active.append(row)
        book.create_sheet("notes").append(["made in spring"])
        book.save(folder / f"{kind}-openpyxl.xlsx")
        output = "" if kind == "sentences" else ".xlsx"
        yield Form("openpyxl, xlsx", kind, f"{kind}-openpyxl.xlsx", more, output=output)
        written = xlsxwriter.Workbook(str(folder / f"{kind}-xlsxwriter.xlsx"))
        sheet = written.add_worksheet("data")
        for number, row in enumerate(table(kind)):
            sheet.write_row(number, 0, row)
        written.close()
        yield Form("XlsxWriter, xlsx", kind, f"{kind}-xlsxwriter.xlsx", more, output=output)
        header, *rows = table(kind)
        frame = pd.DataFrame(rows, columns=header)
        for engine in ("openpyxl", "xlsxwriter"):
            frame.to_excel(folder / f"{kind}-pandas-{engine}.xlsx", index=False, engine=engine)
            yield Form(f"DataFrame.to_excel, {engine}", kind, f"{kind}-pandas-{engine}.xlsx", more)
        frame.to_excel(folder / f"{kind}-index.xlsx")
        yield Form("DataFrame.to_excel with its index", kind, f"{kind}-index.xlsx", more)


def take(form: Form, file: Path) -> list[Any]:
    """Rows of a sheet that openpyxl reads."""
    import openpyxl

    header, *rows = [list(row) for row in openpyxl.load_workbook(file).active.iter_rows(values_only=True)]
    at = {name: i for i, name in enumerate(header)}
    if form.kind == "texts":
        return [[row[at["text"]], row[at["label"]]] for row in rows]
    return [[[float(row[at[name]]) for name in COLUMNS], row[at["label"]]] for row in rows]
