"""Files that other tools write, read by tutelage, written again by predict, and read by the tools again.

    python tools/tool_files.py OUT [PYTHON ...]

OUT is a new folder. Each PYTHON is an interpreter in whose environment some of the tools are installed; by default
it is this one, which must have tutelage. Tools that no interpreter has keep their rows in the results. The table is
printed, and written to benchmarks/results/formats.json; `python benchmarks/tables.py` puts it into the docs.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterable, Iterator, Mapping
from importlib import import_module
from pathlib import Path
from typing import Any

from written_by import MODULES, Form

ROOT = Path(__file__).parents[1]
RESULTS = ROOT / "benchmarks" / "results" / "formats.json"
FORMS, READ, TAKEN = "forms.json", "read.json", "taken.json"
"""Names of the files, in a tool's folder, of what was written, of what was read, and of what the tool read again."""
Rows = list[dict[str, Any]]
"""Rows of one of these files."""


def make(out: Path) -> None:
    """Write the files of the tools that this interpreter has."""
    for name in MODULES:
        try:
            module = import_module(f"written_by.{name}")
            version = module.version()
        except Exception as error:  # a tool that is not there, or that its environment lacks parts of
            print(f"{name}: not installed here ({error or type(error).__name__})")
            continue
        if (out / name / FORMS).exists():
            continue
        (out / name).mkdir(parents=True, exist_ok=True)
        forms = [form.as_dict() for form in module.make(out / name)]
        written = {"tool": module.TOOL, "version": version, "takes": hasattr(module, "take"), "forms": forms}
        (out / name / FORMS).write_text(json.dumps(written))
        print(f"{module.TOOL} {version}: {len(forms)} files")


def forms_in(folder: Path) -> list[Form]:
    """Forms that were written into a tool's folder."""
    return [Form(**form) for form in json.loads((folder / FORMS).read_text())["forms"]]


def read(out: Path) -> None:
    """Read what the tools wrote, and write predictions of it."""
    from written_by.reading import read_form

    for folder in sorted(path.parent for path in out.glob(f"*/{FORMS}")):
        found = [read_form(form, folder, number) for number, form in enumerate(forms_in(folder))]
        (folder / READ).write_text(json.dumps(found, ensure_ascii=False))


def take(out: Path) -> None:
    """Let the tools that this interpreter has read the predictions again, and say whether these are the right ones."""
    for name in MODULES:
        folder = out / name
        if not (folder / READ).exists() or (folder / TAKEN).exists():
            continue
        try:
            module = import_module(f"written_by.{name}")
            module.version()
        except Exception:
            continue
        found: dict[str, str] = {}
        for number, (form, row) in enumerate(
            zip(forms_in(folder), json.loads((folder / READ).read_text()), strict=True)
        ):
            if hasattr(module, "take") and row["predicted"]:
                said = _taken(module, form, folder / row["predicted"], row["answers"])
                found |= {} if said is None else {str(number): said}
        (folder / TAKEN).write_text(json.dumps(found))


def _taken(module: Any, form: Form, file: Path, answers: Any) -> str | None:
    """Empty where a tool reads what was predicted; else what it reads; None where it reads no such files."""
    try:
        found = json.loads(json.dumps(module.take(form, file)))
    except NotImplementedError:
        return None
    except Exception as error:
        return f"{type(error).__name__}: {error}"
    missing = [row for row in answers if row not in found] + [row for row in found if row not in answers]
    return f"differs: {missing[:4]}" if missing else ""


def table(out: Path) -> list[dict[str, Any]]:
    """Rows of the results: those of tools that were tried now, and those recorded of others."""
    rows, tried = [], set()
    for name in MODULES:
        folder = out / name
        if not (folder / READ).exists():
            continue
        written = json.loads((folder / FORMS).read_text())
        taken = json.loads((folder / TAKEN).read_text()) if (folder / TAKEN).exists() else {}
        tried.add(written["tool"])
        for number, (form, row) in enumerate(
            zip(forms_in(folder), json.loads((folder / READ).read_text()), strict=True)
        ):
            again = taken.get(str(number)) if written["takes"] else None
            rows.append({
                "tool": written["tool"], "version": written["version"], "form": form.form, "kind": form.kind,
                "reading": row["reading"], "as": row["as"], "fault": row["fault"],
                "written": row["written"], "taken": None if again is None else again == "",
                **({"taken_fault": again} if again else {}),
            })  # fmt: skip
    recorded = json.loads(RESULTS.read_text()) if RESULTS.exists() else []
    return sorted(
        [*rows, *(row for row in recorded if row["tool"] not in tried)], key=lambda row: row["tool"].casefold()
    )


def shown(rows: Iterable[Mapping[str, Any]]) -> Iterator[str]:
    """Lines of the printed table."""
    for row in rows:
        again = {None: row["written"], True: f"{row['written']}, taken in", False: f"{row['written']}, NOT TAKEN"}
        parts = [
            row["tool"],
            row["version"],
            row["form"],
            row["kind"],
            row["reading"],
            again[row["taken"]],
            row["fault"],
        ]
        yield " | ".join(map(str, parts)) + (f" {row['taken_fault']}" if "taken_fault" in row else "")


def main(words: list[str]) -> None:
    if words[0] in ("make", "take"):
        {"make": make, "take": take}[words[0]](Path(words[1]))
        return
    out, pythons = Path(words[0]), words[1:] or [sys.executable]
    for python in pythons:
        subprocess.run([python, __file__, "make", out], check=True)
    read(out)
    for python in pythons:
        subprocess.run([python, __file__, "take", out], check=True)
    rows = table(out)
    print("\n".join(shown(rows)))
    faults = sum(row["reading"] == "wrong" or row["taken"] is False for row in rows)
    RESULTS.write_text(json.dumps(rows, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    print(f"{len(rows)} files, {faults} with a fault")


if __name__ == "__main__":
    main(sys.argv[1:])
