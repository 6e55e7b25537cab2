"""One audit from the command line: rows are read and judged, and the results are written, all or none."""

from __future__ import annotations

import importlib.metadata
import io
import json
import time
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from tutelage import files
from tutelage.audit.measures import against_truth
from tutelage.audit.page import draw
from tutelage.audit.ranking import Audit, find_label_errors
from tutelage.audit.reading import Audited, features_of, read_audited
from tutelage.audit.reasons import expected, percent, reasons
from tutelage.audit.request import AuditOptions
from tutelage.kinds.one_class import OneClass
from tutelage.kinds.saved import plain_options
from tutelage.modalities.images.examples import shown
from tutelage.ops.durations import duration
from tutelage.tables.formulas import harmless, safe_cells
from tutelage.types import Say, Tick

MOST_CLASSES = 100
"""Largest number of classes whose transition matrix is in audit.json."""

LIKELY = 0.5
"""Probability of being wrong from which a label counts as wrong in the summary."""


def run_audit(kind: OneClass, options: AuditOptions, say: Say, tick: Tick) -> dict[str, Any]:
    """Do the whole audit, write its files, and return the summary that is in audit.json.

    Args:
        kind: the kind of data, with its options.
        options: options of the audit.
        say: called with sentences for the user.
        tick: called with what is being done, how many steps of it are done, and how many there are.

    Raises:
        DataError: something is wrong with the user's file; the message names the file, row and column.
        FileExistsError: ``out`` exists and is not empty.
    """
    start = time.perf_counter()
    files.require_fresh(options.out)
    kind.require_encoder()
    audited, reader = read_audited(kind, options, say)
    x = features_of(audited, reader, options.device, say, tick)
    say(f"Judging {len(audited)} rows of {len(set(audited.labels))} classes, each by models of the others.")
    if not reader.encodes:
        say(f"{x.shape[1]} feature{'s' * (x.shape[1] > 1)}.")
    labels, copies = np.array(audited.labels, dtype=object), kind.same(audited.items)
    audit = find_label_errors(x, labels, copies=copies, groups=audited.groups, random_state=options.seed, tick=tick)
    if count := len(audited) - len(np.unique(audit.copies)):
        say(f"Copies: {count} of {len(audited)} {kind.words.things} are copies of others and have no vote.")
    suspects = audit.suspects(options.least)
    why = reasons(audit, suspects, audited.rows)
    summary = summarise(kind, options, audited, audit, suspects)
    summary["seconds"] = round(time.perf_counter() - start, 1)
    with safe_cells(options.safe_cells):
        listed = csv_of(table_of(audited, audit, suspects, why))
    contents = {
        "suspects.csv": listed,
        "audit.html": draw(audited, audit, suspects, why, summary),
        "audit.json": (json.dumps(summary, indent=1, ensure_ascii=False) + "\n").encode(errors="replace"),
    }
    write_whole(options.out, contents)
    return summary


def summarise(
    kind: OneClass, options: AuditOptions, audited: Audited, audit: Audit, suspects: np.ndarray
) -> dict[str, Any]:
    """The summary in audit.json, except for the time that the audit took.

    Args:
        kind: the kind of data, with its options.
        options: options of the audit.
        audited: the rows that were audited.
        audit: their audit.
        suspects: numbers of the rows that are listed, from 0, (s,).
    """
    likely = audit.suspects(LIKELY)
    settings = {
        k: str(v) if isinstance(v, Path) else v
        for k, v in asdict(options).items()
        if k != "train" and (v or k != "safe_cells")
    }
    settings |= {k: v for k, v in plain_options(kind).items() if v is not None}
    found: dict[str, Any] = {
        "train": shown(audited.file), "kind": kind.name, "audited": len(audited), "left_out": audited.left_out,
        "classes": [str(name) for name in audit.classes], "suspects": len(suspects),
        "likely_wrong": len(likely), "likely_wrong_expected": round(float(audit.probability[likely].sum()), 2),
        "suspects_expected": round(float(audit.probability[suspects].sum()), 2),
        "noise_rate": None if np.isnan(audit.noise_rate) else audit.noise_rate,
        "transition": audit.transition.round(6).tolist() if len(audit.classes) <= MOST_CLASSES else None,
        "student": {"kind": audit.setting.kind, "weight_decay": audit.setting.weight_decay},
        "weights": dict(zip(("student", "knowing", "nearest"), audit.weights.tolist(), strict=True)),
        "settings": settings, "version": importlib.metadata.version("tutelage"),
    }  # fmt: skip
    if options.truth is not None:
        found["truth"] = against_truth(audit, likely, audited.truth)
    return found


def table_of(audited: Audited, audit: Audit, suspects: np.ndarray, why: list[str]) -> pd.DataFrame:
    """The table of suspects, one row each, the likeliest wrong first.

    Args:
        audited: the rows that were audited.
        audit: their audit.
        suspects: numbers of the rows that are listed, from 0, (s,).
        why: reasons of each suspect, (s,).
    """
    columns: dict[str, Any] = {"row": [audited.rows[i] for i in suspects.tolist()]}
    if audited.names is not None:
        columns["file"] = [audited.names[i] for i in suspects.tolist()]
    texts = [audited.kind.written_item(audited.items[i]) for i in suspects.tolist()]
    if any(text is not None for text in texts):
        columns["text"] = texts
    return pd.DataFrame(
        columns | {
            "given": audit.given[suspects], "suggested": audit.suggested[suspects],
            "probability": audit.probability[suspects].round(6), "rank": audit.rank[suspects], "why": why,
        }
    )  # fmt: skip


def csv_of(table: pd.DataFrame) -> bytes:
    """A table as the contents of a csv file, UTF-8."""
    file = io.StringIO()
    harmless(table).to_csv(file, index=False)
    return file.getvalue().encode(errors="replace")


def write_whole(out: Path, contents: dict[str, bytes]) -> None:
    """Write files into a folder, all or none; the folder is made where it is missing.

    Args:
        out: the folder.
        contents: contents of the files, by name.
    """
    with files.filled(out) as inside:
        for name, data in contents.items():
            files.write_atomically(inside / name, data)


def in_words(summary: dict[str, Any]) -> str:
    """The summary of an audit, as a line of text."""
    if summary["noise_rate"] is None:
        return "The features do not tell the classes apart: nothing can be said of any label."
    line = f"{summary['likely_wrong']} of {summary['audited']} labels are more likely wrong than right"
    line += f"{expected(summary['likely_wrong'], summary['likely_wrong_expected'])}"
    line += f" (of all about {100 * summary['noise_rate']:.1f} % are wrong)"
    truth = summary.get("truth")
    if truth and truth["average_precision"] is not None and truth["precision"] is not None:
        numbers = (100 * truth[k] for k in ("precision", "recall", "average_precision"))
        line += ", precision {:.1f} %, recall {:.1f} %, average precision {:.1f} %".format(*numbers)
    least = percent(summary["settings"]["least"])
    listed = f"{summary['suspects']} are listed, from {least} on"
    listed += expected(summary["suspects"], summary["suspects_expected"])
    return f"{line}; {listed}; {duration(summary['seconds'])}."
