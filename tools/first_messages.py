"""The messages that a newcomer meets first, on one page, docs/first-messages.md, so that they can be read aloud.

    python tools/first_messages.py     makes 30 mistakes with the tables of docs/data, and writes what is said of each

What is shown is what the command prints of them: the error, the question with its answers, or the warning.
"""

from __future__ import annotations

import os
import re
import shlex
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

import pandas as pd

ROOT = Path(__file__).resolve().parents[1]
PAGE = ROOT / "docs" / "first-messages.md"

FIT = "fit drift --text text --label label --out new --train"
QUICK = "--steps 20 --folds 2 --repeats 1"
MISTAKES: Sequence[tuple[str, str]] = (
    ("A command is mistyped", "fti drift --train mine.csv"),
    ("A method is mistyped", f"{FIT.replace('drift', 'drfit')} mine.csv"),
    ("An option is mistyped", f"{FIT} mine.csv --stepss 30"),
    ("A value is no number", f"{FIT} mine.csv --steps many"),
    ("A value is out of its range", f"{FIT} mine.csv --folds 1"),
    ("A kind is mistyped", f"{FIT} mine.csv --kind text"),
    ("An encoder is mistyped", f"{FIT} mine.csv --encoder minilmm"),
    ("No file is named", "fit drift --text text --label label --out new"),
    ("A file's name is mistyped", f"{FIT} min.csv"),
    ("No column is named", "look --train other.csv"),
    ("A column's name is mistyped", f"{FIT} other.csv"),
    ("A file is empty", f"{FIT} empty.csv"),
    ("A file is no table", f"{FIT} picture.csv"),
    ("A file was a spreadsheet of another charset", f"{FIT} latin.csv {QUICK}"),
    ("No row is labelled", f"{FIT} nolabels.csv"),
    ("All labels are of one class", f"{FIT} oneclass.csv"),
    ("A class has one label", f"{FIT} rare.csv"),
    ("Text and label are swapped", "fit drift --text label --label text --out new --train mine.csv"),
    ("Labels are spelt in several ways", f"{FIT} spelt.csv {QUICK}"),
    ("A word may mean that there is no label", f"{FIT} unknown.csv"),
    ("A labelled text is empty", f"{FIT} blank.csv"),
    ("The test holds a class that nobody learnt", f"{FIT} mine.csv --test other_class.csv"),
    ("The test holds texts that are learnt from", f"{FIT} mine.csv --test mine.csv {QUICK}"),
    ("A folder of a run exists", "fit drift --text text --label label --train mine.csv --out run"),
    ("There is no run", "predict runn --input held_out.csv --output said.csv"),
    ("New items have another column", "predict run --input other.csv --output said.csv"),
    ("A table would be overwritten", "predict run --input mine.csv --output mine.csv"),
    ("A table's ending is not known", "predict run --input mine.csv --output said.pdf"),
    ("A table to score on has no labels", "score run --test nolabels.csv"),
    ("A description names no class", f"{FIT} mine.csv --describe wrong.json"),
)

MUST_READ = r"Error|Question|Warning|Left out|One class in several spellings"
"""How lines begin that a reader must not miss."""


def tables(folder: Path) -> None:
    """Write the tables with their faults into a folder."""
    for path in (ROOT / "docs" / "data").iterdir():
        if path.suffix in (".csv", ".json"):
            shutil.copy(path, folder)
    table = pd.read_csv(folder / "mine.csv", dtype=object)

    def write(name: str, **cells: dict[int, str | None]) -> None:
        changed = table.copy()
        for column, values in cells.items():
            for row, value in values.items():
                changed.loc[row, column] = value
        changed.to_csv(folder / name, index=False)

    table.rename(columns={"text": "Message", "label": "Topic"}).to_csv(folder / "other.csv", index=False)
    table.assign(label=None).to_csv(folder / "nolabels.csv", index=False)
    table.assign(label=table.label.where(table.label == "billing")).to_csv(folder / "oneclass.csv", index=False)
    write("rare.csv", label={5: "refund"})
    write("spelt.csv", label={0: "Billing", 1: "BILLING"})
    write("unknown.csv", label={0: "unknown", 1: "unknown", 2: "unknown"})
    write("blank.csv", text={3: ""})
    write("other_class.csv", label={0: "refunds"})
    (folder / "empty.csv").write_text("")
    (folder / "picture.csv").write_bytes(bytes(range(256)) * 40)
    latin = table.assign(text=table.text.str.replace("parcel", "colis reçu à l’été"))
    (folder / "latin.csv").write_bytes(latin.to_csv(index=False).encode("cp1252"))
    (folder / "wrong.json").write_text('{"biling": "a complaint about an invoice", "delivery": "where a parcel is"}')


def printed(words: str, folder: Path) -> str:
    """What a command prints, each line whole; of errors behind all else."""
    environment = os.environ | {"NO_COLOR": "1", "COLUMNS": "10000", "TTY_COMPATIBLE": "0"}
    command = [sys.executable, "-m", "tutelage", *shlex.split(words)]
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)
    return f"{done.stdout.strip()}\n\n{done.stderr.strip()}".strip()


def told(text: str) -> str:
    """The lines of what a command printed that a reader must not miss; the last ones where there is no such line."""
    lines = text.splitlines()
    must = [line for line in lines if re.match(MUST_READ, line)]
    return "\n".join(must or lines[-3:])


def main() -> None:
    parts = [
        "# The messages that a newcomer meets first\n\nMade by `python tools/first_messages.py`: thirty mistakes with "
        "the tables of `docs/data`, and\nwhat is said of each. They were read aloud, and mended where they stuck. "
        "[All messages](messages.md).\n"
    ]
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        tables(folder)
        printed(f"fit drift --text text --label label --train mine.csv --out run {QUICK}", folder)
        for title, words in MISTAKES:
            parts.append(f"## {title}\n\n```text\n$ tutelage {words}\n{told(printed(words, folder))}\n```\n")
            shutil.rmtree(folder / "new", ignore_errors=True)
    PAGE.write_text("\n".join(parts), encoding="utf-8")


if __name__ == "__main__":
    main()
