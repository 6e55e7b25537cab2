"""Which commands are done with a file: to look, to label, to learn, and to label all."""

from __future__ import annotations

import json
import math
import re
import shlex
import subprocess
import sys
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

from tutelage.app.download import label_column
from tutelage.app.files import CHARSET, SEPARATOR, Given
from tutelage.app.words import on_page
from tutelage.files import read_json
from tutelage.files.described import Summary
from tutelage.kinds import KINDS
from tutelage.kinds.asked_labels import as_table
from tutelage.kinds.told import LOOKED_AT, Told, table_of, unfit
from tutelage.label.jobs import Job
from tutelage.label.learning import ending_for, point_of, word_of
from tutelage.tables import DataError, Notes, ReadAs, ending_of, read_table
from tutelage.tables.settling import Answer

RUN, ALL, AWAY = "run", "labelled", "away"
"""What the folder of a job holds: a run; the table with all labels, without its ending; or a mark that its card was put
away."""

METHOD = "drift"
"""Method of a fit, unless the page says another."""

NO_LABELS = "no column holds labels yet: label some first"
"""What is said of a file without labels, as long as none is given on the page."""

SECONDS = 600
"""Seconds, at most, in which what is read of a file is told."""

SAME = (".csv", ".tsv", ".xlsx", ".jsonl", ".parquet")
"""Endings of the files of which the table with all labels has the same."""

TYPES = {"sentences": re.compile(r"\bB-([^\s\"',\]]+)")}
"""Pattern of what is counted of a label, by kind; of others the label is."""

ADDRESS = re.compile(r"http://\S+")
"""Pattern of the address that a labelling page prints."""


def words_of(given: Given, told: Told) -> list[str]:
    """Words of the options that name the kind and the columns, and say how the file is read.

    Args:
        given: the file.
        told: its kind and columns.
    """
    found = ["--kind", told.kind, *_read_as(given)]
    for name, value in told.options.items():
        found.append(word_of(name, [value] if isinstance(value, str) else list(value)))
    return found


def _read_as(given: Given) -> list[str]:
    """Words of the options that say how the file is read."""
    how, usual, found = given.how, ReadAs(), []
    for name in (CHARSET, SEPARATOR):
        if (value := getattr(how, name)) != getattr(usual, name):
            found.append(word_of(name, [{"\t": "tab"}.get(value, value)]))
    return found


def labels_named(given: Given, told: Told) -> bool:
    """Whether the column of the labels is named, or folders name them."""
    return given.labelled_by_folders or KINDS[told.kind].label_columns[0] in told.options


@dataclass(frozen=True)
class Asked:
    """A question on the data.

    Attributes:
        asks: what looks odd.
        answers: what settles it: the words that each answer adds to the command, and what it means.
        halts: whether nothing is learnt before it is settled.
    """

    asks: str
    answers: Sequence[Answer]
    halts: bool


@dataclass(frozen=True)
class Seen:
    """What `tutelage look` says of a file.

    Attributes:
        says: sentences that are worth to be read before anything is learnt.
        all_says: all its sentences.
        error: why no fit could begin, beside the questions; empty where one could.
        questions: what is to be settled first.
        labelled, unlabelled: numbers of items.
        classes: number of labels of each class.
        command: the command line.
    """

    says: Sequence[str] = ()
    all_says: Sequence[str] = ()
    error: str = ""
    questions: Sequence[Asked] = ()
    labelled: int = 0
    unlabelled: int = 0
    classes: Mapping[str, float] = field(default_factory=dict)
    command: str = ""


COPIES = (
    re.compile(r"Copies: "), re.compile(r"[\d,]+ labelled [\w ]+ occurs? more than once"),
    re.compile(r"[\d,]+ unlabelled rows are"), re.compile(r"(The|[\d,]+ of the [\d,]+) .* more than once ha(s|ve) "),
)  # fmt: skip
"""Patterns of the sentences that say that items are there more than once; the first that is there says it best."""

KNOWN = re.compile(
    r"(Columns|Classes|Tokens|Entities|Features|Question \d+): |Labelled \w+: |[^:]+: (csv|tsv|jsonl?|spreadsheet"
    r"|parquet|arrow|feather|CoNLL)[, ]|[^:]+: its cells are separated by|[^:]+: '.*' is read; left out: "
)
"""Pattern of the sentences that the page says elsewhere."""


def look(given: Given, told: Told) -> Seen:
    """What `tutelage look` says of a file, as a process of its own.

    Args:
        given: the file.
        told: its kind and columns.
    """
    words = ["look", "--train", str(given.path), *words_of(given, told), *given.settled]
    command = shlex.join(["tutelage", *words])
    if not labels_named(given, told):
        return Seen(error=NO_LABELS, questions=_of_cells(given, told), command=command)
    try:
        done = subprocess.run(
            [sys.executable, "-m", "tutelage", *words, "--json"], capture_output=True, text=True, check=False,
            timeout=SECONDS, stdin=subprocess.DEVNULL,
        )  # fmt: skip
    except subprocess.TimeoutExpired:
        return Seen(error=f"what is in the file was not told in {SECONDS // 60} minutes", command=command)
    try:
        found: dict[str, Any] = json.loads(done.stdout)
    except ValueError:
        found = {}
    if "facts" not in found:
        lines = [line for line in done.stderr.splitlines() if line.startswith("Error")]
        error = found.get("error") or (lines or ["the file cannot be read"])[-1]
        return Seen(error=on_page(error, given.path.parent, [given.name]), command=command)
    return seen_of(found, given.path.parent, command, [given.name])


def _of_cells(given: Given, told: Told) -> list[Asked]:
    """Questions on a file in which no column is named for labels: how it is read, and whether it is of the kind."""
    if given.path.is_dir():
        return []
    notes, folder = Notes(), given.path.parent
    table = table_of(given.path, given.how, notes)
    asked = [asdict(each) | {"halts": False} for each in notes.questions]
    strange = [Asked(line, [], False) for line in unfit(told, table.head(LOOKED_AT))]
    return [*(_asked(each, folder, [given.name]) for each in asked), *strange]


def seen_of(found: Mapping[str, Any], folder: Path, command: str = "", names: Sequence[str] = ()) -> Seen:
    """What the JSON of `tutelage look` says, in the words of the page.

    Args:
        found: the JSON.
        folder: folder of the files.
        command: the command line.
        names: names that are no options, though they may look so; those of the classes are added.
    """
    items = found["facts"].get("items", {})
    counted = found["facts"].get("classes") or found["facts"].get("tags", {}).get("entities", {})
    names = [*names, *map(str, counted)]
    all_says = [on_page(line, folder, names) for line in found["says"]]
    faults = found["faults"] or [line for line in [found.get("error", "")] if line and not _asks(line, found)]
    return Seen(
        _worth(all_says), all_says, " ".join(on_page(line, folder, names) for line in faults),
        [_asked(each, folder, names) for each in found["questions"]], int(items.get("labelled", 0)),
        int(items.get("unlabelled", 0)), {str(k): float(v) for k, v in counted.items()}, command,
    )  # fmt: skip


def _asks(error: str, found: Mapping[str, Any]) -> bool:
    """Whether an error is one of the questions."""
    return any(question["asks"] in error for question in found["questions"])


def _worth(says: Sequence[str]) -> list[str]:
    """Sentences that are not said elsewhere on the page; that items are there more than once is said once."""
    copies = [line for pattern in COPIES for line in says if pattern.match(line)]
    return [line for line in says if not KNOWN.match(line) and line not in copies[1:]]


def _asked(question: Mapping[str, Any], folder: Path, names: Sequence[str]) -> Asked:
    """A question, whose answers the page can add to the commands as they are."""
    answers = [Answer(tuple(each["words"]), each["means"]) for each in question["answers"]]
    return Asked(on_page(question["asks"], folder, names), [_told(each) for each in answers], bool(question["halts"]))


def _told(answer: Answer) -> Answer:
    """An answer whose meaning is said.

    >>> _told(Answer(("--sheet=A b", "--skip-bad"), "reads another")).means, _told(Answer(("--quote=none",))).means
    ('read sheet A b, skip bad', 'quote none')
    """
    parts = [word[2:].partition("=") for word in answer.words]
    says = ", ".join(
        f"read sheet {value}" if name == "sheet" else f"{name.replace('-', ' ')} {value}".strip()
        for name, _, value in parts
    )
    return replace(answer, means=says if parts[0][0] == "sheet" else answer.means or says)


def fit(given: Given, told: Told, method: str = METHOD) -> Job:
    """Start to learn from a file's labels, and from the answers that were given on a labelling page of it.

    Args:
        given: the file.
        told: its kind and columns.
        method: method of the fit.
    """
    folder, labels = given.jobs.new_folder(), labels_of(given)
    words = ["fit", method]
    if labels is None or labels_named(given, told):
        words += [
            "--train",
            str(given.path),
            *words_of(given, told),
            *([] if labels is None else ["--answers", str(labels)]),
        ]
    else:
        name = KINDS[told.kind].label_columns[0]
        words += ["--train", str(labels), "--unlabelled", str(given.path), *words_of(given, told), f"--{name}", "label"]
        made: Any = as_table(KINDS[told.kind]())
        if given.path.is_dir():  # the labels are a table of its images
            words += [f"--{item}={getattr(made, item)}" for item in made.item_columns if item not in told.options]
    words += given.settled
    return given.jobs.start(folder, [*words, "--out", str(folder / RUN)], {"does": "fit"} | _kept(told))


def label(given: Given, told: Told) -> Job:
    """Open the labelling page of a file.

    Args:
        given: the file.
        told: its kind and columns.
    """
    words = ["label", "--train", str(given.path), *words_of(given, told), *given.read_so]
    words += ["--out", str(_labels(given)), "--no-browse"]
    return given.jobs.start(given.jobs.new_folder(), words, {"does": "label"} | _kept(told))


def label_all(given: Given, told: Told, fitted: Job) -> Job:
    """Start to write the table with a label for each row, by a finished fit.

    Args:
        given: the file.
        told: its kind and columns.
        fitted: the job of the fit.
    """
    folder = given.jobs.new_folder()
    ending = ending_of(given.path)
    output = folder / f"{ALL}{ending if ending in SAME else '.csv'}"
    words = ["predict", str(fitted.folder / RUN), "--input", str(given.path), "--output", str(output)]
    words += [*_read_as(given), *given.read_so]
    about = {"does": "predict", "of": fitted.number} | _kept(told_by(fitted) or told)
    return given.jobs.start(folder, words, about)


def _kept(told: Told) -> dict[str, Any]:
    """The kind and the columns with which a job began, which may be confirmed otherwise afterwards."""
    return {"kind": told.kind, "options": dict(told.options)}


def told_by(job: Job) -> Told | None:
    """The kind and the columns with which a job began; None where it does not say them."""
    kind, options = job.about.get("kind"), job.about.get("options")
    return Told(str(kind), options) if kind in KINDS and isinstance(options, dict) else None


def output_of(job: Job) -> Path | None:
    """Table with all labels that a job wrote; None where there is none."""
    return next((path for path in job.folder.glob(f"{ALL}.*") if path.suffix != ".part"), None)


def away(job: Job) -> bool:
    """Whether the card of a job was put away, or it was a labelling page that was closed."""
    closed = job.about.get("does") == "label" and job.state in ("done", "stopped")
    return closed or (job.folder / AWAY).exists()


def given_counts(given: Given, told: Told) -> tuple[int, dict[str, int]]:
    """Number of the labels that were given on the labelling page, and how often each class was; of sentences each type.

    Args:
        given: the file.
        told: its kind and columns.
    """
    path = labels_of(given)
    if path is None:
        return 0, {}
    name = KINDS[told.kind].label_columns[0]
    try:
        table = read_table(path)
    except DataError:  # it is being written, or another program holds it
        return 0, {}
    column = str(told.options.get(name, "label"))
    if label_column(table) != column:  # labels of another column
        return 0, {}
    cells = [str(cell) for cell in table[column].tolist()]
    each = [types.findall(cell) for cell in cells] if (types := TYPES.get(told.kind)) else [[cell] for cell in cells]
    return len(cells), dict(sorted(Counter(label for labels in each for label in labels).items()))


def says(job: Job) -> list[str]:
    """What a finished fit says to somebody who knows nothing of models, a sentence each.

    How good the model is on items that it had not seen, what always saying one class would give, whether the unlabelled
    items helped, and what more labels would bring.
    """
    found = point_of(job.folder / RUN)
    if found is None:
        return []
    summary: Mapping[str, Any] = read_json(job.folder / RUN / "summary.json", Summary)
    lines: list[str] = []
    things = str(summary.get("things") or "items")
    if found["score"] is not None:
        lines += _how_good(summary, found, things)
    if (sample := found["sample"]) is not None and (found["score"] is None or sample["drawn"] < found["labels"]):
        lines.append(
            f"The {sample['drawn']:,} {things} that chance chose say it best: of 100 new {things} it will be right in "
            f"{_between(sample)}, with nine chances in ten."
        )
    return [*lines, *_more(summary.get("outlook") or {})]


def _more(told: Mapping[str, Any]) -> list[str]:
    """Sentences on what more labels would bring; none where the fit does not say it."""
    if not told.get("more"):
        return []
    if not told.get("room", True):
        return [
            "On labels that were hidden from it, it makes hardly a mistake, so that more labels cannot better that "
            "number. With so few labels this may be chance: it is likely worth it to label more."
        ]
    lines = [
        f"Another {more:,} labels would bring about {_points(gain)} of 100; between {_points(low)} and "
        f"{_points(high)} is possible{', since chance alone moves it' if low < 0 else ''}."
        for more, gain, low, high in zip(*(told[name] for name in ("more", "gain", "low", "high")), strict=True)
    ]
    end = "More labels are hardly worth the time." if told["stop"] else "It is likely worth it to label more."
    return [" ".join([*lines, end])]


def _points(points: float) -> str:
    """Points with their sign, as whole numbers; those below 1 with a decimal, so that something is not called nothing.

    >>> _points(1.5), _points(0.3), _points(-0.02), _points(-6.3)
    ('+2', '+0.3', '0', '-6')
    """
    if abs(points) >= 1:
        return f"{points:+.0f}"
    tenth = round(points, 1) + 0.0
    return f"{tenth:+.1f}" if tenth else "0"


def _how_good(summary: Mapping[str, Any], found: Mapping[str, Any], things: str) -> list[str]:
    """Sentences on a score, its interval, and what it is compared with."""
    weighed = summary["evidence"]
    count = int(weighed.get("labels") or found["labels"])
    if found["measure"] == "accuracy":
        lines = [
            f"On {count:,} {things} whose labels were hidden from it, it was right in {found['score'] * count:,.0f}; "
            f"of 100 new {things} of this sort it will be right in {_between(found)}, with nine chances in ten."
        ]
    else:
        lines = [
            f"On {count:,} {things} whose labels were hidden from it, it has {100 * found['score']:.0f} of 100 points "
            f"({found['measure']}; 100 is without fault); on new ones {_between(found)}, with nine chances in ten."
        ]
    if (commonest := summary.get("commonest")) and found["measure"] == "accuracy":
        lines.append(
            f"Without any model, always saying “{commonest['class']}” would be right in {100 * commonest['share']:.0f} "
            "of 100."
        )
    harm = weighed.get("harm")
    if weighed.get("tried") == "pool" and harm is not None:
        used = weighed["returned"] == "candidate"
        lines.append(
            f"Learnt from the labels alone it has {100 * weighed['reference']['score']:.0f} of 100; from the {things} "
            f"without a label, too, {100 * weighed['candidate']['score']:.0f}. By these labels, and by what such items "
            f"brought on other data, they help with {100 * (1 - harm):.0f} chances in 100, so that "
            f"{'they' if used else 'the labels alone'} are used."
        )
    return lines


def _between(found: Mapping[str, Any]) -> str:
    """An interval in whole numbers of 100, as wide as it is or wider.

    >>> _between({"low": 0.784, "high": 0.931})
    '78 to 94'
    """
    return f"{math.floor(100 * found['low'] + 1e-9)} to {math.ceil(100 * found['high'] - 1e-9)}"


def address_of(job: Job) -> str:
    """Address of the labelling page that a job shows; empty where it shows none yet."""
    found = ADDRESS.findall(job.log)
    return str(found[-1]) if found else ""


def _labels(given: Given) -> Path:
    """File that the labels of a labelling page are written into: where a csv would not be read rightly, parquet."""
    return given.folder / f"labels{ending_for(given.how)}"


def labels_of(given: Given) -> Path | None:
    """Table of the labels that were given on a page; None where there is none."""
    both = (_labels(given), given.folder / "labels.csv")  # it may have been read otherwise when the page was opened
    return next((path for path in both if path.exists()), None)
