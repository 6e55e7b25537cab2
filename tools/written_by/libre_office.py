"""LibreOffice: a sheet saved in its own form, in those of Excel, and as csv of several dialects."""

from __future__ import annotations

import csv
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from written_by import Form
from written_by.data import COLUMNS, ROWS, TEXTS

TOOL = "LibreOffice"
SAVED = {
    "ods": ("ods", "ods"), "xlsx": ("xlsx", "xlsx"), "xls": ("xls", "xls"), "fods": ("fods", "fods"),
    "csv": ("csv", "csv:Text - txt - csv (StarCalc):44,34,76,1"),
    "csv with semicolons": ("csv", "csv:Text - txt - csv (StarCalc):59,34,76,1"),
    "csv with tabs, UTF-16": ("csv", "csv:Text - txt - csv (StarCalc):9,34,65535,1"),
    "csv, all texts quoted": ("csv", "csv:Text - txt - csv (StarCalc):44,34,76,1,,0,true"),
}  # fmt: skip
"""Ending and filter by what a form is called."""


def version() -> str:
    if shutil.which("soffice") is None:
        raise ImportError("no soffice")
    return subprocess.run(["soffice", "--version"], capture_output=True, text=True, check=True).stdout.split()[1]


def convert(file: Path, filtered: str, ending: str, to: Path) -> Path:
    """A file that LibreOffice opened and saved in another form."""
    profile = f"-env:UserInstallation=file://{file.parent}/profile"
    load = ["--infilter=CSV:44,34,76,1,,0,false,true"] if file.suffix == ".csv" else []
    words = ["soffice", profile, "--headless", *load, "--convert-to", filtered, "--outdir", to, file]
    subprocess.run(words, check=True, capture_output=True, timeout=300)
    return to / f"{file.stem}.{ending}"


def make(folder: Path) -> Iterator[Form]:
    options, quantities = {"text": "text", "label": "label"}, {"features": ",".join(COLUMNS), "label": "label"}
    for kind, header, rows, more in (
        ("texts", ["text", "label"], [[t, label if given else ""] for t, label, given in TEXTS], options),
        ("rows", [*COLUMNS, "label"], [[*v, label if given else ""] for v, label, given in ROWS], quantities),
    ):
        file = folder / f"{kind}.csv"
        with file.open("w", encoding="utf-8", newline="") as table:
            csv.writer(table).writerows([header, *rows])
        for number, (name, (ending, filtered)) in enumerate(SAVED.items()):
            to = folder / f"{kind}{number}"
            to.mkdir()
            saved = convert(file, filtered, ending, to)
            refused = "xlsx" if name == "fods" else ""
            utf16 = {"charset": "utf-16"} if "UTF-16" in name else {}
            output = ".xlsx" if name == "xlsx" else ".csv" if name == "csv" else ""
            where = saved.relative_to(folder).as_posix()
            yield Form(name, kind, where, more | utf16, refused=refused, output=output)


def take(form: Form, file: Path) -> list[Any]:
    """Rows that LibreOffice shows of a file, as it saves them to csv."""
    to = file.with_suffix(".taken")
    to.mkdir()
    saved = convert(file, SAVED["csv"][1], "csv", to)
    with saved.open(encoding="utf-8-sig", newline="") as table:
        header, *rows = list(csv.reader(table))
    at = {name: i for i, name in enumerate(header)}
    if form.kind == "texts":
        return [[row[at["text"]], row[at["label"]]] for row in rows]
    return [[[float(row[at[name]]) for name in COLUMNS], row[at["label"]]] for row in rows]
