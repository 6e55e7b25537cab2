"""The command line."""

from __future__ import annotations

import errno
import json
import sys
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import pandas as pd
from cyclopts import App, Parameter
from rich.console import Console
from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeRemainingColumn
from rich.table import Table

import tutelage
from tutelage import runs, saving
from tutelage.checkpoint import BadFileError, read_json
from tutelage.data import sources
from tutelage.data.sentences import CONLL, read_sentences, span_rows
from tutelage.data.tables import DataError, read_table, read_texts, text_fault, texts_of, writable, write_table
from tutelage.inputs.sentences import tag_scores, tagged_only
from tutelage.inputs.texts import codes, labelled_only, text_scores
from tutelage.methods import METHODS, Method
from tutelage.report.page import write_report
from tutelage.request import Request

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


def _fit(request: Request, method: Method) -> None:
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
        t, score = summary["test"], "f1" if summary["task"] == "tagging" else "accuracy"
        both = f"labels only {100 * t[f'reference_{score}']:.1f} %, with the pool {100 * t[f'candidate_{score}']:.1f} %"
        say(f"On the test table: {in_words(t)}; {both}.")
    say(f"Model, summary and report are in {request.out} (open {request.out / 'report.html'}).")


def in_words(found: dict[str, Any]) -> str:
    """Scores in a line."""
    low, high = (100 * v for v in found["interval"])
    if found["measure"] == "accuracy":
        accuracy = f"accuracy {100 * found['accuracy']:.1f} % ({low:.1f} to {high:.1f})"
        return f"{accuracy}, macro F1 {100 * found['macro_f1']:.1f} %"
    parts = f"precision {100 * found['precision']:.1f} %, recall {100 * found['recall']:.1f} %"
    return f"entity F1 {100 * found['f1']:.1f} % ({low:.1f} to {high:.1f}), {parts}"


def _add_method(name: str, kind: type[Method]) -> None:
    def command(request: Any, method: Any = None) -> None:
        _fit(request, method or kind())

    command.__annotations__ = {
        "request": Annotated[Request, Parameter(name="*")],
        "method": Annotated[kind | None, Parameter(name="*", group="Method")],
        "return": None,
    }
    command.__doc__ = kind.__doc__
    fit_app.command(command, name=name, help=(kind.__doc__ or "").splitlines()[0])


for _name, _kind in METHODS.items():
    _add_method(_name, _kind)


@app.command
def predict(
    folder: Path,
    *,
    input: Path,
    output: Path,
    text: str | None = None,
    tokens: str | None = None,
    charset: str = "utf-8",
) -> None:
    """Add the columns label and probability to a table; to one of sentences tags, spans and probability.

    Args:
        folder: of a finished run.
        input: table with the text column, or with sentences.
        output: table to write; csv, tsv, jsonl or parquet.
        text: column of the texts; by default the one the run was trained on.
        tokens: column of the sentences, likewise.
        charset: of csv, tsv and jsonl files.
    """
    writable(output)  # before the work, not after it
    model, asked = _open(folder)
    if asked["task"] == "tagging":
        table, added = _tagged(model, input, tokens or asked["tokens"], charset)
    else:
        table, added = _labelled(model, input, text or asked["text"], charset)
    replaced = [c for c in added if c in table.columns]
    if replaced:
        say(f"In {output} these columns are replaced: {', '.join(replaced)}.")
    write_table(table.assign(**added), output)
    say(f"{len(table)} rows labelled: {output}")


def _probabilities(model: saving.Model, items: list[Any]) -> np.ndarray:
    with progress_bar() as progress:
        bar = Bar(progress)
        return model.probabilities(items, lambda done, total: bar("encoding", done, total))


def _labelled(model: saving.Model, path: Path, text: str, charset: str) -> tuple[pd.DataFrame, dict[str, Any]]:
    """A table of texts, and the columns to be added."""
    table = read_table(path, charset)
    texts = texts_of(table, path, text).texts
    faults = [i for i, t in enumerate(texts) if text_fault(t)]
    if faults:
        say(f"{len(faults)} texts are empty or overlong (first: row {faults[0] + 1}); their labels mean little.")
    p = _probabilities(model, texts)
    return table, {"label": [model.classes[i] for i in p.argmax(1)], "probability": p.max(1)}


def _tagged(model: saving.Model, path: Path, tokens: str, charset: str) -> tuple[pd.DataFrame, dict[str, Any]]:
    """A table of sentences, and the columns to be added: tags, entities with offsets, the least sure word."""
    found = read_sentences(path, tokens, charset=charset)
    if found.empty:
        say(f"{path}: {found.empty} sentences without a word are left out.")
    p = _probabilities(model, found.tokens)
    tags = model.tags(found.tokens, p)
    sizes = np.array([len(s) for s in found.tokens])
    sure = np.minimum.reduceat(p.max(1), np.cumsum(sizes) - sizes)
    spans = span_rows(found.tokens, tags, found.offsets)
    table = pd.DataFrame({"row": found.rows, tokens: found.tokens})
    if path.suffix.lower() not in CONLL:
        table = read_table(path, charset).iloc[np.array(found.rows) - 1].reset_index(drop=True)
    return table, {"tags": tags, "spans": spans, "probability": sure}


@app.command
def score(
    folder: Path,
    *,
    test: Path,
    text: str | None = None,
    label: str | None = None,
    tokens: str | None = None,
    tags: str | None = None,
    json: bool = False,
    charset: str = "utf-8",
) -> None:
    """Score a finished run on a labelled table.

    Args:
        folder: of a finished run.
        test: table with texts and labels, or sentences and tags.
        text, label, tokens, tags: columns; by default those the run was trained on.
        json: print JSON.
        charset: of csv, tsv and jsonl files.
    """
    model, asked = _open(folder)
    quiet: Callable[[str], None] = (lambda line: None) if json else say
    if asked["task"] == "tagging":
        table = tagged_only(
            read_sentences(test, tokens or asked["tokens"], tags or _named(asked, "tags"), charset=charset), quiet
        )
        guess = model.tags(table.tokens, model.probabilities(table.tokens))
        found = tag_scores([t for t in table.tags if t is not None], guess)
    else:
        name = label or _named(asked, "label")
        texts = labelled_only(read_texts(test, text or asked["text"], name, charset), name, quiet)
        found = text_scores(codes(model.classes, texts), model.probabilities(texts.texts))
    if json:
        print_json(found)
    else:
        say(f"{found['rows']} rows: {in_words(found)}")


def _named(asked: dict[str, Any], what: str) -> str:
    """A column that the run was given; ValueError where it was not."""
    name = str(asked[what])
    if name == "None":
        raise ValueError(f"--{what} must be given: the run was trained without such a column")
    return name


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


def _open(folder: Path) -> tuple[saving.Model, dict[str, Any]]:
    """The model of a run's folder, and what the run was asked."""
    if not folder.exists():
        raise FileNotFoundError(f"{folder}: no such folder")
    return saving.load(folder / "model"), read_json(folder / "run.json", "task", "text", "label", "tokens", "tags")


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
