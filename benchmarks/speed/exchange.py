"""Time and memory of `tutelage exchange` by tool, on 100,000 texts with an emoji each, there and back.

    python benchmarks/speed/exchange.py [rows]

adds to benchmarks/results/exchange.json what it does not hold yet; of other numbers of rows it only prints. Each way is
a process of its own: seconds that the cores worked for it, all imports included, and its peak memory. Half of the texts
have a label, and all of them a guess.
"""

from __future__ import annotations

import json
import sys
import tempfile
from pathlib import Path

import pandas as pd

from look import WORDS, worked
from tutelage.exchange import FORMATS

OUT = Path(__file__).parents[1] / "results" / "exchange.json"
ROWS = 100_000
COLUMNS = {"classes": ["--text", "text", "--label", "label"], "spans": ["--tokens", "text", "--tags", "label"]}
"""Options that name the columns, by what the labels are."""


def table(rows: int, of_spans: bool) -> pd.DataFrame:
    """Texts of eight words and an emoji, with classes or spans."""
    texts = [
        " ".join(["\N{GRINNING FACE}", *(WORDS[(i * k) % len(WORDS)] for k in range(1, 9))]) + "." for i in range(rows)
    ]
    spans = json.dumps([[2, 2 + len(texts[0].split()[1]), "PER"]])
    classes = [("food", "sport")[i % 4 // 2] for i in range(rows)]
    labels = [(spans if of_spans else classes[i]) if i % 2 else None for i in range(rows)]
    guess = "O B-PER" + 8 * " O" if of_spans else "food"
    cells = {"row": range(1, rows + 1), "text": texts, "label": labels, "guess": guess}
    return pd.DataFrame(cells | {"asked_by": "margin"})


if __name__ == "__main__":
    rows = int(sys.argv[1]) if len(sys.argv) > 1 else ROWS
    found = json.loads(OUT.read_text()) if OUT.exists() and rows == ROWS else {}
    command = [sys.executable, "-m", "tutelage", "exchange"]
    with tempfile.TemporaryDirectory() as folder:
        ask = Path(folder) / "ask.csv"
        for held, columns in COLUMNS.items():
            table(rows, held == "spans").to_csv(ask, index=False)
            for name, tool in FORMATS.items():
                if f"{tool.title}, {held}" in found:
                    continue
                file = Path(folder) / f"{held}{name}{tool.ending}"
                answers = file.with_suffix(".csv")
                there = worked([*command, str(ask), *columns, "--to", name, "--out", str(file)])
                back = worked([*command, str(file), *columns, "--table", str(ask), "--out", str(answers)])
                found[f"{tool.title}, {held}"] = {
                    "rows": rows, "file_mb": file.stat().st_size // 2**20,
                    **{f"there_{k}": v for k, v in there.items()}, **{f"back_{k}": v for k, v in back.items()},
                }  # fmt: skip
                print(f"{tool.title}, {held}", found[f"{tool.title}, {held}"], flush=True)
                if rows == ROWS:
                    OUT.write_text(json.dumps(found, indent=1) + "\n")
