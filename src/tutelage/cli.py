"""The command line."""

from __future__ import annotations

import errno
import json
import sys
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any

from cyclopts import App, Parameter
from rich.console import Console
from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeRemainingColumn
from rich.table import Table

import tutelage
from tutelage import runs, saving
from tutelage.checkpoint import BadFileError
from tutelage.data import sources
from tutelage.data.tables import DataError, column, read_table, read_texts, text_fault, writable, write_table
from tutelage.methods import METHODS, Method
from tutelage.report.page import write_report

console = Console()
app = App(
    name="tutelage",
    help="From a few labels and a large unlabelled pool to a good model, and the truth about it.",
    version=tutelage.__version__,
    help_format="plaintext",
)
fit_app = App(name="fit", help="Learn from labelled and unlabelled texts: tutelage fit METHOD --train FILE ...")
data_app = App(name="data", help="Real data sets: list them, get one.")
app.command(fit_app)
app.command(data_app)


class Bar:
    """A progress bar whose description says what is being done."""

    def __init__(self, progress: Progress) -> None:
        self.progress = progress
        self.tasks: dict[str, TaskID] = {}

    def __call__(self, what: str, done: int, total: int) -> None:
        if what not in self.tasks:
            for task in self.tasks.values():
                self.progress.update(task, visible=False)
            self.tasks[what] = self.progress.add_task(what, total=total)
        self.progress.update(self.tasks[what], completed=done, total=total)


def progress_bar() -> Progress:
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        TextColumn("{task.completed}/{task.total}"),
        TimeRemainingColumn(),
    )
    return Progress(*columns, console=console, transient=True)


def say(line: str) -> None:
    console.print(line, highlight=False, markup=False, soft_wrap=True)


def _fit(request: runs.Request, method: Method) -> None:
    with progress_bar() as progress:
        try:
            summary = runs.run(request, method, say, Bar(progress))
        except KeyboardInterrupt:
            progress.stop()
            say(f"Stopped. The same command with --resume goes on where it was (the run is kept in {request.out}).")
            raise
    if summary["evidence"]:
        say(summary["evidence"]["words"])
    if "test" in summary:
        t = summary["test"]
        low, high = (100 * v for v in t["interval"])
        accuracy = f"accuracy {100 * t['accuracy']:.1f} % ({low:.1f} to {high:.1f})"
        both = f"labels only {100 * t['reference_accuracy']:.1f} %, with the pool {100 * t['candidate_accuracy']:.1f} %"
        say(f"On the test table: {accuracy}, macro F1 {100 * t['macro_f1']:.1f} %; {both}.")
    say(f"Model, summary and report are in {request.out} (open {request.out / 'report.html'}).")


def _add_method(name: str, kind: type[Method]) -> None:
    def command(request: Any, method: Any = None) -> None:
        _fit(request, method or kind())

    command.__annotations__ = {
        "request": Annotated[runs.Request, Parameter(name="*")],
        "method": Annotated[kind | None, Parameter(name="*", group="Method")],
        "return": None,
    }
    command.__doc__ = kind.__doc__
    fit_app.command(command, name=name, help=(kind.__doc__ or "").splitlines()[0])


for _name, _kind in METHODS.items():
    _add_method(_name, _kind)


@app.command
def predict(folder: Path, *, input: Path, output: Path, text: str | None = None, charset: str = "utf-8") -> None:
    """Add the columns label and probability to a table.

    Args:
        folder: of a finished run.
        input: table with the text column.
        output: table to write; csv, tsv, jsonl or parquet.
        text: column of the texts; by default the one the run was trained on.
        charset: of csv, tsv and jsonl files.
    """
    writable(output)  # before the work, not after it
    model, text_column, _ = _open(folder)
    table = read_table(input, charset)
    replaced = [c for c in ("label", "probability") if c in table.columns]
    if replaced:
        say(f"In {output} these columns are replaced: {', '.join(replaced)}.")
    texts = read_texts(input, text or text_column, None, charset).texts
    faults = [i for i, t in enumerate(texts) if text_fault(t)]
    if faults:
        say(f"{len(faults)} texts are empty or overlong (first: row {faults[0] + 1}); their labels mean little.")
    with progress_bar() as progress:
        bar = Bar(progress)
        p = model.probabilities(texts, lambda done, total: bar("encoding texts", done, total))
    column(table, text or text_column, input)
    table["label"] = [model.classes[i] for i in p.argmax(1)]
    table["probability"] = p.max(1)
    write_table(table, output)
    say(f"{len(table)} rows labelled: {output}")


@app.command
def score(
    folder: Path,
    *,
    test: Path,
    text: str | None = None,
    label: str | None = None,
    json: bool = False,
    charset: str = "utf-8",
) -> None:
    """Score a finished run on a labelled table.

    Args:
        folder: of a finished run.
        test: table with texts and labels.
        text, label: columns; by default those the run was trained on.
        json: print JSON.
        charset: of csv, tsv and jsonl files.
    """
    model, text_column, label_column = _open(folder)
    table = read_texts(test, text or text_column, label or label_column, charset)
    quiet: Callable[[str], None] = (lambda line: None) if json else say
    table = runs.labelled_only(table, label or label_column, quiet)
    found = runs.scores(runs.codes(model.classes, table), model.probabilities(table.texts))
    if json:
        print_json(found)
        return
    low, high = (100 * v for v in found["interval"])
    accuracy = f"accuracy {100 * found['accuracy']:.1f} % ({low:.1f} to {high:.1f})"
    say(f"{found['rows']} rows: {accuracy}, macro F1 {100 * found['macro_f1']:.1f} %")


def print_json(value: Any) -> None:
    sys.stdout.write(json.dumps(value) + "\n")


@app.command
def report(folder: Path) -> None:
    """Draw the report of a finished run again."""
    say(str(write_report(folder)))


@app.command
def methods() -> None:
    """List the methods."""
    table = Table("method", "what it does", box=None)
    for name, kind in METHODS.items():
        table.add_row(name, (kind.__doc__ or "").splitlines()[0])
    console.print(table)


@app.command
def demo(out: Path = Path("tutelage-demo"), *, seeds: int = 3, labels: int = 10, pool: int = 2500) -> None:
    """Run the main job on real data: Reuters topics with 10 labels a class, every method, 3 seeds.

    Args:
        out: folder for tables, models and reports; made anew.
        seeds: how many draws of the labels.
        labels: kept a class.
        pool: at most so many unlabelled texts.
    """
    from tutelage.demo import run_demo

    with progress_bar() as progress:
        table, words = run_demo(out, seeds, labels, pool, say, Bar(progress))
    console.print(table)
    say(words)


@data_app.command(name="list")
def list_data() -> None:
    """List the data sets that can be had by name."""
    table = Table("name", "what it is", box=None)
    for name, about in sources.available().items():
        table.add_row(name, about)
    console.print(table)
    say("Any other name is looked for on the Hub, or as a folder, with the datasets library.")


@data_app.command(name="get")
def get_data(name: str) -> None:
    """Fetch a data set and say where its tables are."""
    for path in sources.get(name):
        if path.suffix == ".npz":
            say(str(path))
            continue
        table = read_table(path)
        say(f"{path}  ({len(table)} rows; columns {', '.join(map(str, table.columns[:8]))})")


def _open(folder: Path) -> tuple[saving.Model, str, str]:
    """The model of a run's folder, and its text and label columns."""
    from tutelage.checkpoint import read_json

    if not folder.exists():
        raise FileNotFoundError(f"{folder}: no such folder")
    model = saving.load(folder / "model")
    asked = read_json(folder / "run.json", "text", "label")
    return model, asked["text"], asked["label"]


def main() -> None:
    """Entry point: errors of the user's data and files are one line and exit code 2."""
    warnings.showwarning = lambda message, *rest, **more: say(f"Warning: {message}")
    try:
        app()
    except (DataError, BadFileError, FileExistsError, FileNotFoundError) as e:
        fail(str(e))
    except OSError as e:
        if e.errno == errno.ENOSPC:
            fail(f"the disk is full ({e.filename or 'while writing'}); free some space; a fit goes on with --resume")
        fail(str(e))
    except ValueError as e:
        fail(str(e))
    except KeyboardInterrupt:
        sys.exit(130)


def fail(message: str) -> None:
    Console(stderr=True).print(f"Error: {' '.join(message.split())}", highlight=False, markup=False, soft_wrap=True)
    sys.exit(2)
