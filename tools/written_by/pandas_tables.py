"""pandas: csv files of other dialects and charsets, and its other forms of tables."""

from __future__ import annotations

import csv
from collections.abc import Callable, Iterator
from importlib.metadata import version as version_of
from pathlib import Path
from typing import Any

from written_by import Form
from written_by.data import COLUMNS, ROWS, TEXTS

TOOL = "pandas"


def version() -> str:
    return version_of("pandas")


def texts() -> Any:
    import pandas as pd

    return pd.DataFrame([[t, label if given else None] for t, label, given in TEXTS], columns=["text", "label"])


def rows() -> Any:
    import pandas as pd

    return pd.DataFrame([[*v, label if given else None] for v, label, given in ROWS], columns=[*COLUMNS, "label"])


DIALECTS: dict[str, dict[str, Any]] = {
    "to_csv": {}, "to_csv(sep=';')": {"sep": ";"}, "to_csv(sep='\\t')": {"sep": "\t"}, "to_csv(sep='|')": {"sep": "|"},
    "to_csv(quoting=QUOTE_ALL)": {"quoting": csv.QUOTE_ALL},
    "to_csv(doublequote=False, escapechar='\\\\')": {"doublequote": False, "escapechar": "\\"},
    "to_csv(quotechar=\"'\")": {"quotechar": "'"},
    "to_csv(encoding='utf-8-sig')": {"encoding": "utf-8-sig"}, "to_csv(encoding='utf-16')": {"encoding": "utf-16"},
    "to_csv(na_rep='nan')": {"na_rep": "nan"}, "to_csv(na_rep='<NA>')": {"na_rep": "<NA>"},
    "to_csv(index=True)": {"index": True}, "to_csv(lineterminator='\\r\\n')": {"lineterminator": "\r\n"},
    "to_csv, gzip": {"compression": "gzip"}, "to_csv, zip": {"compression": "zip"},
    "to_csv, zstd": {"compression": "zstd"},
}  # fmt: skip
"""Options of `DataFrame.to_csv` by what the form is called."""
PACKED = {"gzip": ".gz", "zip": ".zip", "zstd": ".zst"}


def make(folder: Path) -> Iterator[Form]:
    options = {"text": "text", "label": "label"}
    of_rows = {"features": ",".join(COLUMNS), "label": "label"}
    for number, (name, dialect) in enumerate(DIALECTS.items()):
        ending = ".csv" + PACKED.get(dialect.get("compression", ""), "")
        file = folder / f"{number}{ending}"
        texts().to_csv(file, **{"index": False, **dialect})
        more = {"charset": "utf-16"} if dialect.get("encoding") == "utf-16" else {}
        more = {"quote": "single"} if dialect.get("quotechar") else more
        yield Form(name, "texts", file.name, options | more, output=".csv")
    some = [i for i, (text, _, _) in enumerate(TEXTS) if not set(text) & set("😀û")]  # which the charset has not
    texts().iloc[some].to_csv(folder / "cp1250.csv", index=False, encoding="cp1250", sep=";")
    yield Form("to_csv(encoding='cp1250')", "texts", "cp1250.csv", options, items=some, question="--charset cp1250")
    yield Form(
        "to_csv(encoding='cp1250'), charset said", "texts", "cp1250.csv", options | {"charset": "cp1250"}, items=some
    )
    rows().to_csv(folder / "decimal.csv", index=False, sep=";", decimal=",")
    yield Form("to_csv(sep=';', decimal=',')", "rows", "decimal.csv", of_rows)
    rows().to_csv(folder / "rows.csv", index=False)
    yield Form("to_csv", "rows", "rows.csv", of_rows)
    rows().to_csv(folder / "rows-index.csv")
    yield Form("to_csv(index=True)", "rows", "rows-index.csv", of_rows)
    for orient in ("records", "columns", "index", "split", "table"):
        texts().to_json(folder / f"{orient}.json", orient=orient)
        yield Form(f"to_json(orient={orient!r})", "texts", f"{orient}.json", options)
    texts().to_json(folder / "values.json", orient="values")
    yield Form("to_json(orient='values')", "texts", "values.json", options, refused="--columns NAME,NAME")
    yield Form("to_json(orient='values'), columns said", "texts", "values.json", options | {"columns": "text,label"})
    texts().to_json(folder / "lines.jsonl", orient="records", lines=True)
    yield Form("to_json(lines=True)", "texts", "lines.jsonl", options, output=".jsonl")
    texts().astype({"label": "category"}).to_parquet(folder / "category.parquet")
    yield Form("to_parquet, a category", "texts", "category.parquet", options, output=".parquet")
    texts().iloc[::-1].to_parquet(folder / "index.parquet")
    yield Form("to_parquet, rows in another order", "texts", "index.parquet", options)
    texts().to_feather(folder / "table.feather")
    yield Form("to_feather", "texts", "table.feather", options)
    yield from not_read(folder, options)


def not_read(folder: Path, options: dict[str, Any]) -> Iterator[Form]:
    """Forms that are refused, with the way out."""
    writers: dict[str, Callable[[Any], Any]] = {
        "pkl": texts().to_pickle, "html": texts().to_html, "xml": lambda to: to.write_text("<data><row/></data>"),
        "dta": lambda to: rows().to_stata(to),
        "md": lambda to: to.write_text("| text | label |\n|---|---|\n| a | b |\n"),
        "h5": lambda to: to.write_bytes(b"\x89HDF\r\n\x1a\n"), "orc": lambda to: texts().to_orc(to),
        "sav": lambda to: to.write_bytes(b"$FL2"), "arff": lambda to: to.write_text("@relation a\n@data\n"),
    }  # fmt: skip
    for ending, write in writers.items():
        write(folder / f"table.{ending}")
        yield Form(f".{ending}", "texts", f"table.{ending}", options, refused="are not read; ")


def take(form: Form, file: Path) -> list[Any]:
    """Rows that pandas reads."""
    import pandas as pd

    read = {".csv": pd.read_csv, ".parquet": pd.read_parquet, ".jsonl": lambda f: pd.read_json(f, lines=True)}
    found = read[file.suffix](file)
    return found[["text", "label"]].to_numpy().tolist()
