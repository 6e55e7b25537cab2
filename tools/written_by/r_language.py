"""R: csv files of its two dialects, tables with names of rows, and factors as numbers."""

from __future__ import annotations

import csv
import json
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from written_by import Form
from written_by.data import COLUMNS, ROWS, TEXTS

TOOL = "R"
SCRIPT = """
texts <- read.csv("texts-in.csv", na.strings = "", encoding = "UTF-8", stringsAsFactors = FALSE)
rows <- read.csv("rows-in.csv", na.strings = "", stringsAsFactors = TRUE)
write.csv(texts, "csv.csv", row.names = FALSE)
write.csv(texts, "csv-names.csv")
write.csv(texts, "csv-empty.csv", row.names = FALSE, na = "")
write.csv2(texts, "csv2.csv", row.names = FALSE)
write.table(texts, "table.txt")
write.table(texts, "table-tab.tsv", sep = "\\t", row.names = FALSE, quote = TRUE)
write.csv2(texts[c(3, 5:10), ], "latin1.csv", row.names = FALSE, fileEncoding = "latin1")
write.csv(rows, "rows.csv", row.names = FALSE)
write.csv2(rows, "rows2.csv", row.names = FALSE)
write.table(rows, "rows.txt", quote = FALSE, row.names = FALSE)
texts$label <- as.integer(factor(texts$label))
write.csv(texts, "factor.csv", row.names = FALSE)
saveRDS(texts, "texts.rds")
save(texts, file = "texts.RData")
"""


def version() -> str:
    if shutil.which("Rscript") is None:
        raise ImportError("no Rscript")
    said = subprocess.run(["Rscript", "--version"], capture_output=True, text=True, check=True)
    return (said.stdout + said.stderr).split("version")[1].split()[0]


def run(folder: Path, script: str) -> str:
    (folder / "script.R").write_text(script)
    env = {"LC_ALL": "C.UTF-8", "PATH": "/usr/local/bin:/usr/bin:/bin"}
    done = subprocess.run(
        ["Rscript", "--vanilla", "script.R"], cwd=folder, capture_output=True, text=True, env=env, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def make(folder: Path) -> Iterator[Form]:
    for name, header, rows in (
        ("texts", ["text", "label"], [[t, label if given else ""] for t, label, given in TEXTS]),
        ("rows", [*COLUMNS, "label"], [[*v, label if given else ""] for v, label, given in ROWS]),
    ):
        with (folder / f"{name}-in.csv").open("w", encoding="utf-8", newline="") as file:
            csv.writer(file, quoting=csv.QUOTE_NONNUMERIC).writerows([header, *rows])
    run(folder, SCRIPT)
    options, quantities = {"text": "text", "label": "label"}, {"features": ",".join(COLUMNS), "label": "label"}
    no_label = options | {"unlabelled_as": ["NA"]}
    yield Form("write.csv", "texts", "csv.csv", no_label, output=".csv")
    yield Form("write.csv, with names of rows", "texts", "csv-names.csv", no_label)
    yield Form("write.csv, na = ''", "texts", "csv-empty.csv", options)
    yield Form("write.csv2", "texts", "csv2.csv", no_label)
    yield Form("write.table", "texts", "table.txt", no_label)
    yield Form("write.table, tabs", "texts", "table-tab.tsv", no_label)
    latin = [2, 4, 5, 6, 7, 8, 9]
    yield Form("write.csv2 in latin1", "texts", "latin1.csv", no_label, items=latin, question="--charset")
    yield Form(
        "write.csv2 in latin1, charset said", "texts", "latin1.csv", no_label | {"charset": "latin1"}, items=latin
    )
    missing = quantities | {"unlabelled_as": ["NA"]}
    yield Form("write.csv", "rows", "rows.csv", missing, output=".csv")
    yield Form("write.csv2", "rows", "rows2.csv", missing)
    yield Form("write.table, no quotes", "rows", "rows.txt", missing, refused="--separator space")
    yield Form("write.table, no quotes, separator said", "rows", "rows.txt", missing | {"separator": "space"})
    yield Form(
        "write.csv, a factor's numbers from 1", "texts", "factor.csv", no_label, labels={"food": "1", "sport": "2"}
    )
    yield Form("saveRDS", "texts", "texts.rds", options, refused="write.csv")
    yield Form("save", "texts", "texts.RData", options, refused="write.csv")


def take(form: Form, file: Path) -> list[Any]:
    """Rows that R reads."""
    columns = COLUMNS if form.kind == "rows" else ("text",)
    given = ", ".join(f"found${name}" for name in columns)
    out = run(file.parent, f"""
found <- read.csv("{file.name}", encoding = "UTF-8", stringsAsFactors = FALSE)
write.csv(data.frame({given}, found$label), "taken.csv", row.names = FALSE, fileEncoding = "UTF-8")
cat("done")
""")  # fmt: skip
    assert out == "done"
    with (file.parent / "taken.csv").open(encoding="utf-8", newline="") as table:
        _, *rows = list(csv.reader(table))
    if form.kind == "texts":
        return rows
    return json.loads(json.dumps([[[float(v) for v in values], label] for *values, label in rows]))
