"""The command next: a table of the items that are worth a label most, with an empty column for it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import pandas as pd
from cyclopts import App, Parameter

from tutelage.ask import NAMES, RANDOM
from tutelage.ask.enough import SECONDS, outlook, within
from tutelage.data.sources import cache_folder
from tutelage.files import read_json
from tutelage.files.described import Asked as RunAsked
from tutelage.files.described import Summary, labels_only_score
from tutelage.files.whole import sha256_of
from tutelage.kinds import KINDS
from tutelage.kinds.answers import beside_own
from tutelage.kinds.asked_labels import ASKED_BY, GUESS, WHY, marks_in
from tutelage.kinds.asking import HowAsked, numbers_of, questions
from tutelage.kinds.base import Kind
from tutelage.kinds.candidates import Candidates
from tutelage.kinds.dataset import Files
from tutelage.kinds.entries import ITEMS, POOL, joined
from tutelage.kinds.opinions import Opinions, opinions, without_model
from tutelage.kinds.saved import read_as
from tutelage.kinds.stored import is_stored
from tutelage.ops.checks import in_range, one_of
from tutelage.run.commands import KIND, changed, kind_of_run, options_of, values_of
from tutelage.run.examples import example
from tutelage.run.finished import Finished
from tutelage.run.screen import Json, Quiet, SafeCells, Screen
from tutelage.run.words import kind_of
from tutelage.tables import DataError, Notes, ReadAs, formulas, holds_table, writable, write_table
from tutelage.types import Say, Tick

LABELS, TEACHER = "labels", "teacher"
"""Who is asked: people, or a teacher that is paid."""

ROBUST = "robust"
"""The selector that reckons with wrong answers."""

FREE = ("describe", "described", "teacher_run", "rules", "votes")
"""Options of teachers that cost nothing: what they say of a row is no answer that was paid for."""

DRAWN = 0.1
"""Share of the items that is drawn where people are asked for labels."""


@dataclass(frozen=True, kw_only=True)
class NextOptions(ReadAs):
    """Options of `tutelage next` that do not depend on the kind of data.

    Args:
        out: table to write, csv, tsv, jsonl, parquet or xlsx.
        count: number of items to ask for.
        of: who is asked: labels (people, for labels) or teacher (one that is paid and errs, such as a language model).
        by: what chooses them: auto, diverse, cluster_margin, margin, entropy, cluster, coreset, pcoreset, actune,
            robust, variation or random.
        drawn: share of them that is drawn at random instead: these labels alone say how good the model is. By default
            0.1 of labels, and 0 of a teacher.
        wrong: share of the teacher's answers that are wrong, for robust; by default as on the labels of the run.
        said: tables that the teacher answered already, whose items are not asked about again.
        other: class that means "none of these": what the model takes for it is asked for only where it is drawn.
        train: table or folder of the training items; by default that of the run.
        unlabelled: table or folder of the pool; by default that of the run.
        test: table or folder that the run is scored on, whose items are not asked for; by default that of the run.
        answers: tables that this command wrote before, with labels filled in, beside those of the run.
        worth: least gain of accuracy, in points, that a minute of labelling is to bring; below it, it is enough.
        seconds_per_label: seconds that a label takes whoever gives it.
        seed: seed of all draws; by default the number of labels, so that each round has another one.
        trust: import the code of one's own that the run names.
        allow_encoder: encoder that the run may load from outside itself, a folder or a name on the Hub.
    """

    out: Path
    count: int = 20
    of: str = LABELS
    by: str = "auto"
    drawn: float | None = None
    wrong: float | None = None
    said: tuple[Path, ...] = ()
    other: str = ""
    train: Path | None = None
    unlabelled: Path | None = None
    test: Path | None = None
    answers: tuple[Path, ...] = ()
    worth: float = 0.05
    seconds_per_label: float = SECONDS
    seed: int | None = None
    trust: bool = False
    allow_encoder: str | None = None

    def __post_init__(self) -> None:
        super().__post_init__()
        in_range("--count", self.count, 1)
        one_of("--of", self.of, (LABELS, TEACHER))
        for name, share in (("--drawn", self.drawn), ("--wrong", self.wrong)):
            if share is not None:
                in_range(name, share, 0, 1)
        if self.of == LABELS and (self.wrong is not None or self.said):
            name = "--said" if self.wrong is None else "--wrong"
            raise ValueError(f"{name} is about a teacher that is asked: give --of teacher, too, or leave it out")
        if self.wrong is not None and self.by != ROBUST:
            raise ValueError(f"--wrong is for --by {ROBUST}, which alone reckons with wrong answers; give that, too")
        in_range("--worth", self.worth, 0)
        in_range("--seconds-per-label", self.seconds_per_label, 0.01)
        one_of("--by", self.by, NAMES)
        if self.seed is not None:
            in_range("--seed", self.seed, 0, 2**32 - 1)


def add_next(app: App, words: Sequence[str], screen: Screen) -> None:
    """Add the command, with the options of the kind of data that the words, or the run among them, tell.

    Args:
        app: app that gets the command.
        words: words of the command line, after the command's name.
        screen: where the command prints.
    """
    of_run = kind_of_run(words)
    name = of_run.name if of_run else kind_of(words)
    kind_class = KINDS[name]
    own = options_of(kind_class)

    def next_(
        folder: Path | None = None, options: Any = None, of_kind: Any = None, *, kind: str = name, json: Json = False,
        quiet: Quiet = False, safe_cells: SafeCells = False,
    ) -> None:  # fmt: skip
        screen.speak(json, quiet)
        asked = NextOptions(**values_of(options))
        writable(asked.out)
        if asked.out.exists():
            raise FileExistsError(_exists(asked.out))
        run = None
        if folder is not None:
            run = Finished.read(folder, asked.trust, screen.say, asked.allow_encoder, **changed(of_kind, own))
        made = run.kind if run is not None else KINDS[name](**values_of(of_kind))
        with screen.ticking() as bar:
            found = ask(made, run, asked, screen.say, bar)
            try:
                with formulas.safe_cells(safe_cells):
                    write_table(found.table, asked.out, new=True)
            except FileExistsError:
                raise FileExistsError(_exists(asked.out)) from None
        lines = found.words(asked.out, made)
        if json:
            counts = found.table[found.column].value_counts().to_dict()
            screen.json({"command": "next", "out": str(asked.out), "asked_by": counts, "words": lines})
            return
        for line in lines:
            screen.say(line)

    next_.__annotations__ = {
        "folder": Path | None,
        "options": Annotated[options_of(NextOptions), Parameter(name="*", group="Options")],
        "of_kind": Annotated[own | None, Parameter(name="*", group=f"Options of --kind {name}")],
        "kind": Annotated[str, KIND],
        "json": Json,
        "quiet": Quiet,
        "safe_cells": SafeCells,
        "return": None,
    }
    next_.__doc__ = (
        "Say which items to label next, in a table with an empty column for the label.\n\n"
        "tutelage fit ... --answers TABLE then learns from those that have one. Before the first labels there is no "
        "run, and typical items are asked for.\n\n"
        "Args:\n    folder: folder of a finished run, whose model says what it is unsure of.\n"
        f"    kind: {', '.join(KINDS)}; may be left out where a run or columns tell."
    )
    app.command(next_, name="next", help_epilogue=example("next"))


@dataclass(frozen=True)
class Question:
    """Items to label next.

    Attributes:
        table: the table that is written.
        column: name of its column that says by which selector each item was asked for.
        by: name of the selector.
        labels: number of labels that are there.
        left: number of items without a label.
        note: sentence of the selector; empty where there is none.
        outlook: sentences on what more labels are likely to bring; empty where nothing foretells it.
        answers: tables of answers that are there already.
        given: number of the items that have their label already.
        of: who is asked, LABELS or TEACHER.
    """

    table: pd.DataFrame
    column: str
    by: str
    labels: int
    left: int
    note: str
    outlook: str
    answers: Sequence[Path] = ()
    given: int = 0
    of: str = LABELS

    def words(self, out: Path, kind: Kind) -> list[str]:
        """Sentences on what is asked for.

        Args:
            out: file that the table is written to.
            kind: kind of the data.
        """
        drawn = int((self.table[self.column] == RANDOM).sum())
        chosen, things = len(self.table) - drawn, kind.words.things
        parts = [f"{chosen:,} by {self.by}"] * bool(chosen) + [f"{drawn:,} drawn at random"] * bool(drawn)
        count, have = len(self.table), "has" if self.labels == 1 else "have"
        word, are = (kind.words.thing, "is") if count == 1 else (things, "are")
        if self.of == TEACHER:
            return [
                f"{count:,} {word} to ask the teacher about {are} in {out}: {', '.join(parts)}. {self.left:,} {things} "
                f"have neither a label nor an answer.",
                *filter(None, [self.note]),
                f"Ask with tutelage annotate --train {out} ... --out said.parquet, and fit again with --unlabelled "
                "said.parquet --teacher p_.",
            ]
        lines = [
            f"{count:,} {word} to label {are} in {out}: {', '.join(parts)}. "
            f"{self.left:,} {things} are without a label; {self.labels:,} {have} one already."
        ]
        if self.given:
            has = "has" if self.given == 1 else "have"
            lines.append(
                f"{self.given:,} of them, drawn among those that were chosen before, {has} the label already: leave "
                f"{'it' if self.given == 1 else 'them'} in, or the drawn labels are no sample."
            )
        if drawn:
            lines.append(
                "Label those that were drawn, too: they alone are a sample, which says how good a model is and how "
                "common the classes are."
            )
        lines += filter(None, [self.note, self.outlook])
        tables = " ".join(map(str, [*self.answers, out]))
        lines.append(f"Fill in the labels, and fit again with --answers {tables}.")
        return lines


def ask(kind: Kind, run: Finished | None, asked: NextOptions, say: Say, tick: Tick) -> Question:
    """The items to label next.

    Args:
        kind: kind of the data, with its options.
        run: finished run; None where there is none yet.
        asked: options of the command.
        say: told what is noticed.
        tick: called with the progress.

    Raises:
        DataError: a file cannot be read, or no item is without a label.
        ValueError: an option is out of its range, or no file is named.
    """
    files = files_of(run, asked, say)
    kind.require_columns(files)
    if asked.other and run is None:
        raise ValueError("--other is what a run's model takes items for: name the run, or leave it out")
    notes = Notes()
    try:
        candidates = Candidates.read(kind, files, notes)
    finally:
        for question in notes.questions:
            if not question.halts:
                say(question.line(1))
    if asked.of == TEACHER:
        candidates = candidates.without(answered(candidates.kind, files, asked.said))
    things = kind.words.things
    if asked.out.suffix.lower() != ".parquet" and any(
        isinstance(item, bytes) for item in candidates.parts[0].items[:1]
    ):
        raise DataError(f"--out {asked.out}: encoded {things} can be written to parquet only; name a .parquet file")
    if candidates.left_out:
        say(f"{candidates.left_out:,} {things} of the pool are to be scored on (--test), and are not asked for.")
    items, numbers = candidates.items()
    if len(numbers) < len(candidates):
        say(f"{len(numbers):,} of {len(candidates):,} {things} without a label are looked at, evenly spaced.")
    known = candidates.labelled
    all_items = _joined(items, known)
    features = cache_folder() / "features"
    if run is None:
        model, found = None, without_model(kind, all_items, features, tick)
    else:
        model, found = run.model, _asked_of(run, asked.by, all_items, candidates.labels, tick)
    count = len(np.unique(kind.pool_keys(known))) if len(known) else 0
    seed = count if asked.seed is None else asked.seed
    drawn = asked.drawn if asked.drawn is not None else DRAWN if asked.of == LABELS else 0.0
    how = HowAsked(asked.count, asked.by, drawn, seed, asked.other, _wrong(run, asked, say))
    again = candidates.again if asked.of == LABELS else 0
    made = questions(kind, model, items, found, candidates.labels, how, again)
    behind = np.arange(len(candidates), len(candidates) + candidates.again)
    table = candidates.table(np.concatenate([numbers, behind])[made.asked.index])
    added = ({} if made.guesses is None else {GUESS: made.guesses}) | {WHY: made.why, ASKED_BY: list(made.asked.by)}
    if (mark := marks_in(table)) is not None:  # the table was asked for itself: what was said then gives way
        ending = mark.removeprefix(ASKED_BY)
        table = table.drop(columns=[name for name in table if name in {f"{o}{ending}" for o in (GUESS, WHY, ASKED_BY)}])
    written = beside_own(table, added, asked.out, Notes(say))
    column, chosen = str(written.columns[-1]), made.selection
    left, given = len(candidates), int((made.asked.index >= len(items)).sum())
    told = _outlook(run, asked, left, count) if asked.of == LABELS else ""
    return Question(written, column, chosen.by, count, left, chosen.note, told, files.answers, given, asked.of)


def answered(kind: Kind, files: Files, said: Sequence[Path]) -> Any:
    """Items that a teacher answered: all of the tables it was asked about, and those of which a fit's tables tell.

    Args:
        kind: kind of the items, with its options.
        files: tables of the fit, in which columns may hold a teacher's answers.
        said: tables that the teacher was asked about, with its answers or its silence.

    Raises:
        DataError: a table cannot be read.
    """
    found = [kind.entries(path, files.how, Notes(), ITEMS).items for path in said]
    columns = [getattr(kind, name, None) for name in ("teacher", "teacher_label")]
    if any(columns):
        free: dict[str, Any] = {f.name: None for f in fields(kind) if f.name in FREE}
        alone: Any = replace(kind, **free)
        for path in filter(None, (files.train, files.unlabelled)):
            if not is_stored(kind, path, files.how):
                made = alone.entries(path, files.how, Notes(), POOL)
                spoken = [each.covered for each in made.said]
                found.append(made.where(np.any(spoken, axis=0)).items if spoken else [])
    return joined([items for items in found if len(items)] or [[]])


def _wrong(run: Finished | None, asked: NextOptions, say: Say) -> float:
    """The share of answers that is taken to be wrong: as it is told, else that on the labels of the run.

    Raises:
        ValueError: it is needed, and nothing tells it.
    """
    if asked.of == LABELS or asked.by != ROBUST:
        return 0.0
    if asked.wrong is not None:
        return asked.wrong
    weak = {} if run is None else read_json(run.folder / "summary.json", Summary).get("weak") or {}
    paid = set() if run is None else {getattr(run.kind, name, None) for name in ("teacher", "teacher_label")} - {None}
    right = [each["accuracy"] for each in weak.get("teachers") or () if each["name"] in paid]
    if len(right) != 1 or right[0] is None:
        raise ValueError(
            "--by robust reckons with wrong answers, and nothing says how many there are: give their share, as by "
            "--wrong 0.2; tutelage teacher tells it"
        )
    wrong = 1 - float(right[0])
    say(f"The teacher is taken to be wrong on {100 * wrong:.0f} % of the rows, as on the run's labels.")
    return wrong


def _exists(out: Path) -> str:
    """Message on a file that is not overwritten."""
    return f"--out {out} exists, and may hold labels: name another file, or remove it"


def _outlook(run: Finished | None, asked: NextOptions, left: int, labels: int) -> str:
    """Sentences on what more labels are likely to bring, by the run's learning curve; empty where it has none.

    Args:
        run: the run.
        asked: options of the command.
        left: number of items without a label.
        labels: number of items that have one by now.
    """
    if run is None:
        return ""
    summary = read_json(run.folder / "summary.json", Summary)
    curve = summary.get("outlook", {}).get("curve")
    if not curve:
        return (
            "What more labels would bring is told by runs with the evidence whose items have one class each and fixed "
            "features, with 10 to 5,000 labels."
        )
    numbers, scores = zip(*curve, strict=True)
    found = outlook(
        numbers, scores, within(left), seconds_per_label=asked.seconds_per_label, worth=asked.worth,
        shown=labels_only_score(summary),
    )  # fmt: skip
    newer = labels - max(int(numbers[-1]), summary["labelled"])  # the curve counts equal items once
    since = f" That counts from the labels of {run.folder}; {newer:,} {'is' if newer == 1 else 'are'} newer: fit again."
    return f"{found.words()}{since * (newer > 0)}"


def files_of(run: Finished | None, asked: NextOptions, say: Say) -> Files:
    """Files that are read: those that are named, and else those of the run, as it read them.

    Args:
        run: finished run; None where there is none.
        asked: options of the command.
        say: told where a file was changed since the run.

    Raises:
        ValueError: no training table is named.
        FileNotFoundError: a file of the run is not there.
    """
    of_run: Mapping[str, Any] = {} if run is None else read_json(run.folder / "run.json", RunAsked)
    train = asked.train or _of_run(of_run, "train", run, say)
    if train is None:
        what = "the run does not name its table: " if run is not None else ""
        raise ValueError(f"{what}--train must be given: the table of labelled and unlabelled items")
    unlabelled = asked.unlabelled or _of_run(of_run, "unlabelled", run, say)
    own = tuple(Path(each) for each in of_run.get("answers", ()))
    for path in own:
        if not path.exists():
            raise FileNotFoundError(
                f"{path}: no such file, and it holds labels that {run.folder if run else 'the run'} learnt; call this "
                "command where it is, or, where its labels are in the table by now, make an empty file of this name"
            )
    if own and of_run.get("content of answers") != " ".join(map(sha256_of, own)):
        say(f"The answers were changed since {run.folder if run else 'the run'}; what they hold now counts.")
    here = {path.resolve() for path in own}
    answers = (*own, *(path for path in asked.answers if path.resolve() not in here))
    test = asked.test or _path(of_run, "test")
    how = asked if run is None else reading_of(of_run, asked)
    if run is not None and asked.train is not None:
        beside = {"pool": unlabelled, "answers": ", ".join(map(str, own)), "test": test}
        told = ", ".join(f"{name} {value}" for name, value in beside.items() if value)
        if told:
            say(f"Beside --train {asked.train}, of {run.folder}: {told}.")
    return Files(train, unlabelled, test, how, False, answers)


def _path(of_run: Mapping[str, Any], name: str) -> Path | None:
    """A path of a run; None where it names none.

    Raises:
        ValueError: it names several, as that of a federation.
    """
    was = of_run.get(name)
    if was in (None, "None"):
        return None
    if str(was).startswith("[") or isinstance(was, list):
        raise ValueError(f"the run is a federation of several tables; name that of one client by --{name}")
    return Path(str(was))


def _of_run(of_run: Mapping[str, Any], name: str, run: Finished | None, say: Say) -> Path | None:
    """A file that the run read; None where it names none."""
    path = _path(of_run, name)
    if run is None or path is None:
        return None
    if not path.exists() and holds_table(path):
        raise FileNotFoundError(
            f"{path}, from which {run.folder} learnt, is not there: call this command in the folder where the fit was, "
            f"or name it by --{name}"
        )
    if path.is_file() and of_run.get(f"content of {name}") not in (None, sha256_of(path)):
        say(f"{path} was changed since {run.folder}; what it holds now counts.")
    return path


def reading_of(of_run: Mapping[str, Any], asked: ReadAs) -> ReadAs:
    """How the run's files are read: as it is asked for, and else as the run read them.

    Args:
        of_run: options of the run.
        asked: how they are asked to be read.
    """
    kept = read_as(of_run)
    changed = {f.name: getattr(asked, f.name) for f in fields(ReadAs) if getattr(asked, f.name) != f.default}
    return replace(kept, **changed)


def _joined(items: Any, known: Any) -> Any:
    if not len(known):
        return items
    if isinstance(items, np.ndarray) and isinstance(known, np.ndarray):
        return np.concatenate([items, known])
    return [*items, *known]


def _asked_of(run: Finished, by: str, items: Any, labels: Sequence[Any], tick: Tick) -> Opinions:
    """What the run's model says of items; for "variation", where labels make no others, what both of its models say."""
    found = opinions(run.model, items, tick)
    if by != "variation" or numbers_of(labels, list(map(str, run.model.classes))) is not None:
        return found
    reference = run.reference()
    if reference is None:
        return found
    both = [found.probabilities, opinions(reference, items, tick).probabilities]
    return Opinions(found.rows, np.stack([p for p in both if p is not None]))
