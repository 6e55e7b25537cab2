"""The labelling page from its files to its end: the journal, the items, the server."""

from __future__ import annotations

import re
import shlex
import webbrowser
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import fields
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from starlette.middleware import Middleware

from tutelage.ask import RANDOM
from tutelage.files import BadFileError, one_writer
from tutelage.kinds.asked_labels import as_table
from tutelage.kinds.base import Kind
from tutelage.kinds.dataset import Files
from tutelage.label.app import Page
from tutelage.label.campaign import Campaign, classes_in, require_name
from tutelage.label.filling import Filled, Made, free_name, last_written
from tutelage.label.guard import HOST, Guard
from tutelage.label.items import Items
from tutelage.label.jobs import Jobs
from tutelage.label.journal import NO_ANSWERS, Answer, Journal
from tutelage.label.learning import Learning, answers_of, ending_for, has_labels, options_of, words_of
from tutelage.run.screen import Screen
from tutelage.serve.server import Server, listening
from tutelage.tables import DataError, Notes, ReadAs
from tutelage.tables.name_lists import names_in

if TYPE_CHECKING:
    from tutelage.label.commands import LabelOptions

FOLDER = ".labels"
"""Ending of the folder beside a table that holds its journal."""


def serve(kind: Kind, table: Path | None, asked: LabelOptions, screen: Screen, token: str) -> None:
    """Show the page until it is stopped.

    Args:
        kind: kind of the items, with its columns.
        table: table that `tutelage next` wrote; None labels the items of ``--train``.
        asked: options of the command.
        screen: where the command prints.
        token: word that opens the page.

    Raises:
        DataError: the items cannot be read.
        BusyError: another page is open on the same table.
        KeyboardInterrupt: the user stopped it; all answers are written.
    """
    from tutelage.label.commands import user

    me = asked.annotator or user()
    require_name(me)
    with listening(HOST, asked.port) as listener, campaign(kind, table, asked, screen) as (labels, written):
        port = listener.getsockname()[1]
        learning = None
        if table is None or asked.run is not None:
            folder = labels.journal.path.parent / "jobs"
            learning = Learning(labels, Jobs(folder), _how(asked), asked.method, asked.run)
        page = Page(labels, written, me, screen.answer, _command(labels, asked, written), learning, asked.suggest)
        address = f"http://{HOST}:{port}/?token={token}"

        def ready() -> None:
            said = f"{len(labels.queue):,} {labels.items.kind.words.things} to label"
            screen.answer(f"{said}: open {address}")
            screen.say("Each answer is kept at once. Ctrl-C ends the page, and writes the table.")
            if asked.browse:
                webbrowser.open(address)

        made = page.made([Middleware(Guard, token=token, port=port)])
        server = Server(made, screen.answer, ready, lambda: None)
        server.run([listener])
        page.write()
        if page.saving:
            screen.answer(page.saving)
        if learning is not None and (job := learning.jobs.running) is not None:
            screen.answer(
                f"Job {job.number} ({job.about.get('does')}) goes on without the page: open it again to see it, or to "
                "stop it."
            )
    if server.interrupted:
        raise KeyboardInterrupt


@contextmanager
def campaign(
    kind: Kind, table: Path | None, asked: LabelOptions, screen: Screen
) -> Iterator[tuple[Campaign, Filled | Made | None]]:
    """Context of a campaign, and of the table that its labels are written into; no other page is open on it meanwhile.

    Args:
        kind: kind of the items, with its columns.
        table: table that `tutelage next` wrote; None labels the items of ``--train``.
        asked: options of the command.
        screen: where is said what is noticed.
    """
    source = table or asked.train
    assert source is not None
    if not source.exists():
        raise FileNotFoundError(f"{source}: no such file")
    folder = source.with_name(f"{source.name}{FOLDER}")
    folder.mkdir(exist_ok=True)
    with one_writer(folder):
        notes, how = Notes(screen.say), _how(asked)
        kind = kind.settled(Files(source, None, None, how), notes)
        items = Items.read(kind, source, how, notes)
        if not len(items):
            raise DataError(f"{source}: there is nothing to label")
        items.face(0)
        screen.say(read_as(items))
        about = {"table": source.name, "kind": kind.name, "classes": _classes(items, asked, (), (), asked.other)}
        about |= {"other": asked.other} if asked.other else {}
        journal = Journal(folder / "journal.jsonl", about)
        try:
            if journal.torn:
                screen.answer(f"{journal.path}: its last line was cut off while it was written, and is left out.")
            labels = _campaign(items, journal, table is not None, asked)
            _require_own(labels, source, screen)
            yield labels, _written(labels, table, asked, how, screen)
        finally:
            journal.close()


NUMBER = re.compile(r"[-+]?\d+([.,]\d+)*(e[-+]?\d+)?", re.IGNORECASE)
"""Pattern of a number."""

PICTURE = re.compile(r"\S+\.(png|jpe?g|gif|bmp|tiff?|webp)", re.IGNORECASE)
"""Pattern of the name of an image's file."""

DOUBTED = 50
"""Items that are looked at for whether they are of another kind."""


def read_as(items: Items) -> str:
    """Sentence on what was read as what, and where that is doubtful on how to say otherwise.

    Args:
        items: the items.
    """
    kind, count = items.kind, len(items)
    thing = kind.words.thing if count == 1 else kind.words.things
    named = shlex.join(options_of(kind)[2:])
    known = int(items.entries.known.sum()) if _labelled(items) else 0
    by = f" by {named}" if named else ""
    have = "has" if known == 1 else "have"
    said = f"Read as {kind.name}{by}: {count:,} {thing} of {items.path}, of which {known:,} {have} a label."
    return f"{said} {_doubt(items) or 'Name --kind, or the columns, where that is wrong.'}"


def _doubt(items: Items) -> str | None:
    """What texts seem to be instead; None where nothing speaks against them."""
    some = [item.strip() if isinstance(item, str) else "" for item in list(items.entries.items[:DOUBTED])]
    if items.kind.shows_pictures:
        return None
    if all(NUMBER.fullmatch(text) for text in some):
        return "These are numbers alone: for rows of numbers give --kind rows --features COLUMN,COLUMN."
    if all(PICTURE.fullmatch(text) for text in some):
        return "These are names of images: give --kind images --images COLUMN to see the images."
    return None


def _require_own(labels: Campaign, source: Path, screen: Screen) -> None:
    """Check that a journal is of these items, and say what of it is of others.

    Raises:
        BadFileError: none of its answers is to an item that is there, or the items are of another kind.
    """
    path, about, kind = labels.journal.path, labels.journal.about, labels.items.kind.name
    if about.get("kind", kind) != kind:
        raise BadFileError(
            f"{path}: its answers are to {about['kind']}, and {source} is read as {kind}; say --kind {about['kind']}, "
            f"or move {path.parent} aside to begin anew"
        )
    strange = sum(labels.row_of(key) is None for key in labels.known)
    if strange and strange == len(labels.known):
        raise BadFileError(
            f"{path}: none of the {strange:,} items that it holds answers to is in {source}; it is of another table, "
            f"or all was changed: move {path.parent} aside to begin anew, or put back the table"
        )
    if about.get("table", source.name) != source.name:
        screen.answer(f"{path} was begun for {about['table']}: its answers go on here.")
    if strange:
        screen.answer(
            f"{strange:,} of the {len(labels.known):,} items that the journal holds answers to are not in {source} any "
            "more; their answers stay in the journal."
        )


def _how(asked: LabelOptions) -> ReadAs:
    """How files are read, of all options."""
    return ReadAs(**{f.name: getattr(asked, f.name) for f in fields(ReadAs)})


def _campaign(items: Items, journal: Journal, asked_for: bool, asked: LabelOptions) -> Campaign:
    """The campaign: a table that was asked for in its order, all others in random order."""
    nothing = list(items.kind.nothing)
    known = np.asarray(items.kind.pool_keys(nothing) if nothing else [], dtype=np.uint64)
    if _labelled(items):
        known = np.append(known, items.keys[items.entries.known])  # an equal item has the label, too
    if asked_for:  # labels that this page wrote into its table are no labels of the table
        answered = {answer.item for answer in journal.answers if answer.act not in NO_ANSWERS}
        known = np.setdiff1d(known, np.array([int(key, 16) for key in answered], dtype=np.uint64))
    open_ = np.flatnonzero(~np.isin(items.keys, known))
    if not asked_for:
        open_ = open_[np.argsort(_drawn(items.keys[open_], asked.seed), kind="stable")]
    by: str | Sequence[str] = items.marks.asked or ("" if asked_for else RANDOM)
    classes = _classes(items, asked, journal.about.get("classes", ()), journal.answers, _other(journal, asked))
    return Campaign(items, journal, open_, by, classes, _other(journal, asked), asked.overlap)


def _other(journal: Journal, asked: LabelOptions) -> str:
    """Class that "none of these" means: the one that is named, else that of the journal's beginning."""
    return asked.other or str(journal.about.get("other", ""))


def _drawn(keys: np.ndarray, seed: int) -> np.ndarray:
    """Random numbers of items by their hashes, (n,): the same for an item whatever rows come or go beside it.

    Args:
        keys: hashes of the items, (n,), uint64.
        seed: seed of the order.
    """
    first = np.random.default_rng(seed).integers(2**64, dtype=np.uint64)
    found: np.ndarray = pd.util.hash_array(keys ^ first, categorize=False)
    return found


def _labelled(items: Items) -> bool:
    """Whether some items have a label in the table."""
    return bool(items.entries.known.any()) if not items.on_disk else False


def _classes(
    items: Items, asked: LabelOptions, before: Sequence[str], answers: Sequence[Answer], other: str
) -> list[str]:  # fmt: skip
    """Classes that are offered: those offered before, named, given or added, those of the run, and of the table.

    One that was offered keeps its place, and with it its key.
    """
    named, tags = names_in(asked.classes) if asked.classes else (), bool(items.face(0).words)
    found = [*map(str, before)] if answers else [*named, *map(str, before)]
    found += [name for answer in answers for name in classes_in(answer, tags)]
    found += named
    if asked.run is not None:
        found += _of_run(asked.run)
    there = {items.given(i) for i in np.flatnonzero(items.entries.known).tolist()} if _labelled(items) else set()
    cells = [*sorted(there), *sorted(set(items.marks.guess))]
    if items.face(0).words:
        cells = [tag[2:] for cell in cells for tag in cell.split(" ") if tag[:2] in ("B-", "I-")]
    found += cells
    return [name for name in dict.fromkeys(found) if name and name != other]


def _of_run(folder: Path) -> list[str]:
    """Classes of a run; of tags their types.

    Raises:
        FileNotFoundError: there is no finished run.
    """
    from tutelage.files import read_json
    from tutelage.files.described import Summary

    path = folder / "summary.json"
    if not path.exists():
        raise FileNotFoundError(f"{folder}: no finished run; name the folder of one, or leave --run out")
    names = [str(name) for name in read_json(path, Summary)["classes"]]
    return [name[2:] if name[:2] in ("B-", "I-") else name for name in names if name != "O"]


def _written(
    labels: Campaign, table: Path | None, asked: LabelOptions, how: ReadAs, screen: Screen
) -> Filled | Made | None:
    """The table that the labels are written into."""
    if table is None:
        train = Path(str(asked.train))
        out = asked.out or train.with_name(f"{train.stem}-labels{ending_for(how)}")
        made = Made(labels, out)
        made.take_over()
        return made
    if asked.out is not None:
        made = Made(labels, asked.out)
        made.take_over()
        return made
    try:
        return Filled.of(labels, table, how)
    except DataError as fault:
        made = Made(labels, last_written(labels) or free_name(table.with_suffix(".csv")))
        made.take_over()
        screen.answer(f"{fault}; the labels are written into {made.path}.")
        return made


def _command(labels: Campaign, asked: LabelOptions, written: Filled | Made | None) -> str:
    """Command line that learns from the labels; empty where it cannot be told."""
    if written is None:
        return ""
    kind: Any = labels.items.kind
    how = words_of(_how(asked))
    tables = shlex.join(map(str, tables_of_labels(labels, written, asked.train is None)))
    if asked.train is None and asked.run is not None:
        again = shlex.join(("tutelage", "config", str(asked.run), "--output", "again.toml"))
        own = "".join(f" {shlex.quote(path)}" for path in answers_of(asked.run))
        return f"{again}\ntutelage fit --config again.toml --answers{own} {tables} --out again"
    source = asked.train or Path("FILE")
    train = shlex.quote(str(source))
    if asked.train is None:
        columns = shlex.join([*options_of(kind), *how])
        return f"tutelage fit {asked.method} --train FILE {columns} --answers {tables} --out run"
    if has_labels(labels.items):
        columns = shlex.join([*options_of(kind), *how])
        return f"tutelage fit {asked.method} --train {train} {columns} --answers {tables} --out run"
    columns = shlex.join([*options_of(as_table(kind)), *how])
    return f"tutelage fit {asked.method} --train {tables} --unlabelled {train} {columns} --out run"


def tables_of_labels(labels: Campaign, written: Filled | Made, asked_for: bool) -> list[Path]:
    """Tables that hold labels: the one that the page writes, and that of the items, where labels were typed into it.

    Args:
        labels: the campaign.
        written: table that its labels are written into.
        asked_for: whether its items are those of a table that `tutelage next` wrote.
    """
    source = labels.items.path
    typed = asked_for and source.resolve() != written.path.resolve() and bool(labels.items.entries.known.any())
    return [*([source] if typed else []), written.path]
