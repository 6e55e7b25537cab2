"""Time and memory of `tutelage look` by format, on a million items, one in a thousand of them labelled.

    python benchmarks/speed/look.py [rows]

adds to benchmarks/results/look.json what it does not hold yet; of other numbers of rows it only prints. Each look runs
in a process of its own: seconds that the cores worked for it, all imports included, and its peak memory. Beside it
stands what pandas alone takes to read the same file with the same types.
"""

from __future__ import annotations

import json
import random
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

OUT = Path(__file__).parents[1] / "results" / "look.json"
ROWS = 1_000_000
WORDS = [
    f"{a}{b}" for a in ("bar", "lo", "mi", "tra", "ken", "su", "po", "ri") for b in ("da", "len", "tos", "ma", "ri")
]
READ = {
    "csv": "pd.read_csv(path, dtype=str, keep_default_na=False)",
    "semicolons.csv": "pd.read_csv(path, sep=';', dtype=str, keep_default_na=False)",
    "tsv": "pd.read_csv(path, sep=chr(9), dtype=str, keep_default_na=False)",
    "csv.gz": "pd.read_csv(path, dtype=str, keep_default_na=False)",
    "csv.zst": "pd.read_csv(path, dtype=str, keep_default_na=False)",
    "csv.zip": "pd.read_csv(path, dtype=str, keep_default_na=False)",
    "jsonl": "pd.read_json(path, lines=True)",
    "json": "pd.read_json(path)",
    "parquet": "pd.read_parquet(path)",
    "feather": "pd.read_feather(path)",
    "xlsx": "pd.read_excel(path, engine='calamine')",
    "label_studio.json": "pd.read_json(path)",
    "conll": "pd.read_csv(path, sep=' ', names=['word', 'tag'], dtype=str, keep_default_na=False, quoting=3)",
    "npz": "dict(np.load(path))",
}
"""How pandas reads each format, or numpy."""
OPTIONS = {
    "label_studio.json": ["--text", "text", "--label", "topic"],
    "conll": ["--tokens", "0", "--tags", "1"],
    "npz": ["--kind", "rows", "--features", "x", "--label", "y"],
}
"""Options of formats whose columns have other names."""


def table(rows: int) -> pd.DataFrame:
    """Texts of ten words, with a quotation mark or a comma here and there."""
    rng = random.Random(0)
    texts = [" ".join(rng.choices(WORDS, k=10)) + ("", ", he said", ' "well"')[i % 3] for i in range(rows)]
    labels = [("food", "sport")[i // 1000 % 2] if i % 1000 == 0 else "" for i in range(rows)]
    return pd.DataFrame({"id": range(rows), "text": texts, "label": labels})


def write(frame: pd.DataFrame, path: Path) -> None:
    """Write the table in the format that the name of the file says."""
    name = path.name.removeprefix("t.")
    if name == "parquet":
        frame.to_parquet(path, index=False)
    elif name == "jsonl":
        frame.to_json(path, orient="records", lines=True)
    elif name == "json":
        frame.to_json(path, orient="records")
    elif name == "xlsx":
        frame.to_excel(path, index=False)
    elif name == "feather":
        frame.to_feather(path)
    elif name == "label_studio.json":
        path.write_text(json.dumps([task(*row) for row in frame.itertuples(index=False)]), encoding="utf-8")
    elif name == "conll":
        path.write_text("".join(map(sentence, frame["text"], frame["label"])), encoding="utf-8")
    elif name == "npz":
        x = np.random.default_rng(0).standard_normal((len(frame), 8), dtype=np.float32)
        np.savez(path, x=x, y=frame["label"].to_numpy(dtype=str))
    else:
        frame.to_csv(path, index=False, sep={"tsv": "\t", "semicolons.csv": ";"}.get(name, ","))


def task(number: int, text: str, label: str) -> dict[str, Any]:
    """Task as Label Studio exports it."""
    choice = {"from_name": "topic", "to_name": "text", "type": "choices", "value": {"choices": [label]}}
    done = [{"id": number, "was_cancelled": False, "result": [choice]}] if label else []
    return {"id": number, "data": {"text": text}, "annotations": done}


def sentence(text: str, label: str) -> str:
    """Lines of a sentence whose first word is an entity where the text has a label; else the words have no tags."""
    words = text.replace('"', "").replace(",", "").split()
    tags = ["B-X" if i == 0 else "O" for i in range(len(words))] if label else ["_"] * len(words)
    return "".join(f"{word} {tag}\n" for word, tag in zip(words, tags, strict=True)) + "\n"


MEASURING = """
import json, os, subprocess, sys
with subprocess.Popen(sys.argv[1:], stdout=subprocess.DEVNULL) as process:
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
print(json.dumps({"cpu_seconds": round(usage.ru_utime + usage.ru_stime, 1), "peak_mb": usage.ru_maxrss // 1024}))
sys.exit(process.returncode)
"""
"""A small process that starts the measured one: peak memory counts that of the process which it was forked from."""


def worked(words: list[str]) -> dict[str, float]:
    """Seconds of the cores and peak memory, in MB, of a command."""
    done = subprocess.run([sys.executable, "-c", MEASURING, *words], capture_output=True, text=True, check=False)
    if done.returncode:
        raise SystemExit(f"{' '.join(words)}: {done.stderr[-500:]}")
    found: dict[str, float] = json.loads(done.stdout)
    return found


if __name__ == "__main__":
    rows = int(sys.argv[1]) if len(sys.argv) > 1 else ROWS
    found = json.loads(OUT.read_text()) if OUT.exists() and rows == ROWS else {}
    frame = table(rows)
    with tempfile.TemporaryDirectory() as folder:
        for name, reading in READ.items():
            if name in found:
                continue
            path = Path(folder) / f"t.{name}"
            write(frame, path)
            alone = worked([sys.executable, "-c", f"import numpy as np, pandas as pd; path = {str(path)!r}; {reading}"])
            options = ["--train", str(path), *OPTIONS.get(name, ["--text", "text", "--label", "label"])]
            look = worked([sys.executable, "-m", "tutelage", "look", *options])
            size = path.stat().st_size // 2**20
            found[name] = {"rows": rows, "file_mb": size, **look, **{f"pandas_{k}": v for k, v in alone.items()}}
            if rows == ROWS:
                OUT.write_text(json.dumps(found, indent=1) + "\n")
            print(name, found[name], flush=True)
            path.unlink()
