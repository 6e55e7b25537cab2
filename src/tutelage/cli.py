"""The command line."""

from __future__ import annotations

import errno
import json
import sys
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any

from cyclopts import App, Parameter
from rich.console import Console
from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeRemainingColumn
from rich.table import Table

import tutelage
from tutelage.audit import commands as auditing
from tutelage.bench import commands as bench_commands
from tutelage.data import sources
from tutelage.data.tables import DataError, read_table, writable, write_table
from tutelage.files import BadFileError
from tutelage.fit.auto import Auto
from tutelage.methods import METHODS, Method
from tutelage.report.page import write_report
from tutelage.run import run as runs
from tutelage.run.finished import Finished, write_masks
from tutelage.run.options import Request

console = Console()
app = App(
    name="tutelage",
    help="From a few labels and a large unlabelled pool to a good model, and the truth about it.",
    version=tutelage.__version__,
    help_format="plaintext",
)
fit_app = App(name="fit", help="Learn from labelled and unlabelled items: tutelage fit METHOD --train FILE ...")
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
    if summary["selection"]:
        tried = sum(a["rungs"] > 0 for a in summary["selection"])
        shares = ", ".join(f"{name} {100 * share:.0f} %" for name, share in summary["shares"].items())
        say(f"{tried} methods were tried. The student learns what is best on these labels: {shares}.")
    if summary["evidence"]:
        say(summary["evidence"]["words"])
    if "test" in summary:
        t, score = summary["test"], summary["score"]
        both = [f"{100 * t[f'{model}_{score}']:.1f} %" for model in ("reference", "candidate")]
        compared = f"labels only {both[0]}, with the {summary['tried']} {both[1]}"
        say(f"On the test {summary['things']}: {in_words(t)}; {compared}.")
    say(f"Model, summary and report are in {request.out} (open {request.out / 'report.html'}).")


def in_words(found: dict[str, Any]) -> str:
    """Scores in a line."""
    low, high = (100 * v for v in found["interval"])
    if found["measure"] == "accuracy":
        accuracy = f"accuracy {100 * found['accuracy']:.1f} % ({low:.1f} to {high:.1f})"
        return f"{accuracy}, macro F1 {100 * found['macro_f1']:.1f} %"
    if found["measure"] == "mean IoU":
        return f"mean IoU {100 * found['miou']:.1f} % ({low:.1f} to {high:.1f}), Dice {100 * found['dice']:.1f} %"
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


for _name, _kind in (METHODS | {Auto.name: Auto}).items():
    _add_method(_name, _kind)


@app.command
def predict(
    folder: Path,
    *,
    input: Path,
    output: Path,
    text: str | None = None,
    tokens: str | None = None,
    images: str | None = None,
    skip_bad: bool = False,
    charset: str = "utf-8",
) -> None:
    """Add the columns label and probability to a table; to one of sentences tags, spans and probability.

    Of images for which masks were learnt, masks are written into a folder, with a table that names them.

    Args:
        folder: of a finished run.
        input: table with the text column, with sentences or with images; or a folder of images.
        output: table to write; csv, tsv, jsonl or parquet. For masks a folder.
        text: column of the texts; by default the one the run was trained on.
        tokens: column of the sentences, likewise.
        images: column of the images, likewise.
        skip_bad: give images that cannot be read no label.
        charset: of csv, tsv and jsonl files.
    """
    run = Finished.read(folder)
    columns = run.asked | {k: v for k, v in (("text", text), ("tokens", tokens), ("images", images)) if v}
    with progress_bar() as progress:
        bar = Bar(progress)

        def tick(done: int, total: int) -> None:
            bar("encoding", done, total)

        if run.task == "segmentation":
            count = write_masks(run.model, input, output, columns, charset, skip_bad, say)
            say(f"{count} masks: {output}")
            return
        writable(output)  # before the work, not after it
        keeps_images = output.suffix.lower() == ".parquet"
        table, added = run.label(input, columns, charset, skip_bad, say, tick, keeps_images)
    replaced = [c for c in added if c in table.columns]
    if replaced:
        say(f"In {output} these columns are replaced: {', '.join(replaced)}.")
    write_table(table.assign(**added), output)
    say(f"{len(table)} rows labelled: {output}")


@app.command
def score(
    folder: Path,
    *,
    test: Path,
    text: str | None = None,
    label: str | None = None,
    tokens: str | None = None,
    tags: str | None = None,
    images: str | None = None,
    masks: str | None = None,
    skip_bad: bool = False,
    json: bool = False,
    charset: str = "utf-8",
) -> None:
    """Score a finished run on a labelled table, or a folder of images.

    Args:
        folder: of a finished run.
        test: table with texts and labels, sentences and tags, or images and labels or masks; or a folder of images.
        text, label, tokens, tags, images, masks: columns; by default those the run was trained on.
        skip_bad: leave out images that cannot be read.
        json: print JSON.
        charset: of csv, tsv and jsonl files.
    """
    run = Finished.read(folder)
    given = {"text": text, "label": label, "tokens": tokens, "tags": tags, "images": images, "masks": masks}
    columns = run.asked | {k: v for k, v in given.items() if v}
    quiet: Callable[[str], None] = (lambda line: None) if json else say
    found = run.score(test, columns, charset, skip_bad, quiet)
    if json:
        print_json(found)
    else:
        say(f"{found['rows']} {'images' if run.task in ('image', 'segmentation') else 'rows'}: {in_words(found)}")


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
    for name, kind in (METHODS | {Auto.name: Auto}).items():
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
    from tutelage.run.demo import run_demo

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


@contextmanager
def _ticking() -> Iterator[Bar]:
    with progress_bar() as progress:
        yield Bar(progress)


auditing.add_commands(app, say, _ticking)
bench_commands.add_commands(app, say, _ticking)


def main() -> None:
    """Entry point: errors of the user's data and files are one line and exit code 2."""
    warnings.showwarning = lambda message, *rest, **more: say(f"Warning: {message}")
    try:
        app()
    except (DataError, BadFileError, FileExistsError, FileNotFoundError, ImportError) as e:
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
