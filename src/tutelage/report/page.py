"""The report: one HTML page with everything inside, made from a run's records."""

from __future__ import annotations

import base64
from pathlib import Path

from jinja2 import Environment, PackageLoader

from tutelage import files, kinds
from tutelage.report.plots import draw_all
from tutelage.report.sentences import (
    below_commonest,
    better_on_test,
    on_copies,
    on_held_out,
    on_test,
    question,
    reference_says,
    words_of,
)


def write_report(folder: Path) -> Path:
    """Draw the plots of a finished run and write ``report.html`` into its folder.

    Returns:
        The path of the page.

    Raises:
        FileNotFoundError: the folder holds no finished run.
    """
    if not (folder / "records.json").exists():
        raise FileNotFoundError(f"{folder}: no finished run there (records.json is missing)")
    record = files.read_json(folder / "records.json", "summary", "history")
    plots = folder / "plots"
    images = [
        {"name": name, "caption": caption, "data": base64.b64encode((plots / name).read_bytes()).decode()}
        for name, caption in draw_all(record, plots)
    ]
    environment = Environment(loader=PackageLoader("tutelage.report"), autoescape=True)
    summary = record["summary"]
    kind = kinds.of_summary(summary)
    besides = kind.in_words(summary["test"])[1] if summary.get("test") else ""
    page = environment.get_template("report.html").render(
        record=record,
        summary=summary,
        images=images,
        words=kind.words,
        besides=besides,
        tried=words_of(summary),
        question=question(summary),
        alone=reference_says(summary),
        on_test=on_test(summary),
        on_held_out=on_held_out(summary),
        better=better_on_test(summary),
        below=below_commonest(summary),
        on_copies=on_copies(summary),
        said=summary.get("said", []),
    )
    files.write_atomically(folder / "report.html", page.encode())
    return folder / "report.html"
