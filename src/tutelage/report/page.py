"""The report: one HTML page with everything inside, made from a run's records."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

from jinja2 import Template

from tutelage import files, kinds
from tutelage.fit.box import box
from tutelage.fit.verdict import question, reference_says, verdict, words_of
from tutelage.kinds.base import Kind
from tutelage.kinds.dataset import PICTURED
from tutelage.pages.templating import environment
from tutelage.report.classes import by_class, mistakes, where
from tutelage.report.findings import beyond, findings
from tutelage.report.least_sure import NAME, write_least_sure
from tutelage.report.pictures import with_small_pictures
from tutelage.report.plots import draw_all
from tutelage.report.records import cost_of, read_records, to_show
from tutelage.report.sentences import on_copies
from tutelage.report.vector import inline_svg

ROWS = 100
"""Number of classes that a table of the report shows, at most."""


def write_report(folder: Path, edited: bool = False) -> Path:
    """Draw the plots of a finished run, and write ``report.html`` and the least sure items into its folder.

    Args:
        folder: folder of the run.
        edited: whether somebody edited the table of the least sure items, which then stays as it is.

    Returns:
        The path of the page.

    Raises:
        FileNotFoundError: the folder holds no finished run.
    """
    return write_page(folder, draw(folder, read_records(folder)), edited, cost_of(folder))


Drawn = tuple[dict[str, Any], list[dict[str, Any]]]
"""Records of a run, and its plots as `page` takes them."""


def draw(folder: Path, record: dict[str, Any]) -> Drawn:
    """Draw the plots of a run into its folder.

    Args:
        folder: folder of the run.
        record: its records, as JSON holds them.
    """
    return record, [
        {"svg": inline_svg(figure), "caption": figure.caption, "expert": drawing.expert}
        for drawing, figure in draw_all(record, folder / "plots")
    ]


def write_page(folder: Path, drawn: Drawn, edited: bool = False, cost: Mapping[str, Any] | None = None) -> Path:
    """Write ``report.html`` and the least sure items of a finished run into its folder.

    Args:
        folder: folder of the run.
        drawn: its records and plots.
        edited: whether somebody edited the table of the least sure items, which then stays as it is.
        cost: what was predicted of the run and what was; None where nobody measured.

    Returns:
        The path of the page.
    """
    record, figures = drawn
    csv = NAME if edited or write_least_sure(record, folder) else ""
    files.write_atomically(folder / "report.html", page(record, figures, csv, cost).encode())
    return folder / "report.html"


def page(
    record: dict[str, Any], figures: list[dict[str, Any]], csv: str = "", cost: Mapping[str, Any] | None = None
) -> str:
    """HTML of the report.

    Args:
        record: records of the run.
        figures: "svg", "caption" and whether it is for "expert" readers, of each plot.
        csv: name of the file with the least sure items; empty where there is none.
        cost: what was predicted of the run and what was; None where nobody measured.
    """
    record = to_show(record)
    summary = record["summary"]
    kind = kinds.of_summary(summary)
    rows, top = by_class(record), findings(record)[:3]
    return _template().render(
        record=with_small_pictures(record),
        summary=summary,
        answer=box(verdict(summary, kind.words.test, use(kind)), findings(record), notes(record, kind)),
        figures=figures,
        words=kind.words,
        question=question(summary),
        tried=words_of(summary),
        alone=reference_says(summary),
        beyond=beyond(record),
        classes=rows if len(rows) <= ROWS else sorted(rows, key=_least_found)[:ROWS],
        counted=where(record),
        mistakes=mistakes(record) if rows else [],
        most=ROWS,
        csv=csv,
        cost=cost,
        shown=PICTURED,
        said=[line["words"] for line in summary.get("said", []) if line["words"] not in {*top, *beyond(record)}],
    )


@cache
def _template() -> Template:
    return environment("tutelage.report").get_template("report.html")


def _least_found(row: dict[str, Any]) -> float:
    return 2.0 if row["recall"] is None else row["recall"]


def use(kind: type[Kind]) -> str:
    """The command that predicts with a run, for items of a kind, between backticks."""
    new = f"a table or a folder of {kind.words.things}" if kind.reads_folders else f"a table of {kind.words.things}"
    command = f"`tutelage predict RUN --input NEW --output {'answers.csv' if kind.writes_table else 'ANSWERS'}`"
    return f"{command}, where RUN is the folder of this page and NEW {new}"


def notes(record: dict[str, Any], kind: type[Kind]) -> list[str]:
    """Sentences on what the scores rest on.

    Args:
        record: records of the run.
        kind: kind of the data.
    """
    summary, words = record["summary"], kind.words
    compared, test = summary["evidence"] is not None, summary.get("test")
    found = []
    if compared and "pool" in words_of(summary).label:
        found.append(f"“The pool” is the {summary['unlabelled']:,} {words.things} without labels.")
    if compared:
        found.append("“Held-out labels” were hidden from a model, which was then asked for them.")
    if not test:
        return [*found, "Nothing was given to test on. Intervals hold with 90 %."] if compared else found
    besides = kind.in_words(test)[1]
    found.append(f"Test: {test['rows']} {words.rows}, {besides}.")
    if unread := test.get("unread"):
        found.append(f"Of {unread} of them nothing could be read, which counts as wrong.")
    shared = summary.get("shared")
    if shared and not on_copies(summary):
        are = "is" if shared == 1 else "are"
        found.append(f"{shared} of them {are} also among the {words.things} that were learnt from: it may flatter.")
    if not shared:
        learnt = f"{words.things} that were learnt from"
        found.append(f"None of them is a copy of one of the {learnt}, and none had a part in choosing the model.")
    return [*found, "Numbers in brackets are intervals, which hold the truth in nine of ten cases."]
