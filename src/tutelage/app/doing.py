"""Which commands are done with a file: to look, to label, to learn, to label all, and to ask what comes next."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tutelage.app.files import CHARSET, SEPARATOR, Given
from tutelage.kinds import KINDS
from tutelage.kinds.told import Told
from tutelage.label.jobs import Job
from tutelage.label.learning import outlook_of, point_of, word_of
from tutelage.tables import ReadAs

RUN, ALL, ASK = "run", "labelled.csv", "ask.csv"
"""What a job makes: a run, the table with all labels, or a table of questions."""

METHOD = "drift"
"""Method of a fit, unless the page says another."""

SECONDS = 600
"""Seconds, at most, in which what is read of a file is told."""

ADDRESS = re.compile(r"http://\S+")
"""Pattern of the address that a labelling page prints."""


def words_of(given: Given, told: Told) -> list[str]:
    """Words of the options that name the kind and the columns, and say how the file is read.

    Args:
        given: the file.
        told: its kind and columns.
    """
    how, usual = given.how, ReadAs()
    found = ["--kind", told.kind]
    for name in (CHARSET, SEPARATOR):
        if (value := getattr(how, name)) != getattr(usual, name):
            found.append(word_of(name, [{"\t": "tab"}.get(value, value)]))
    for name, value in told.options.items():
        found.append(word_of(name, [value] if isinstance(value, str) else list(value)))
    return found


def labels_named(told: Told) -> bool:
    """Whether the column of the labels is named."""
    return KINDS[told.kind].label_columns[0] in told.options


@dataclass(frozen=True)
class Seen:
    """What `tutelage look` says of a file.

    Attributes:
        says: sentences.
        error: why no fit could begin; empty where one could.
        questions: what is to be settled first, in sentences.
        labelled, unlabelled: numbers of items.
        classes: number of labels of each class.
        command: the command line.
    """

    says: list[str]
    error: str
    questions: list[str]
    labelled: int
    unlabelled: int
    classes: dict[str, int]
    command: str


def look(given: Given, told: Told) -> Seen:
    """What `tutelage look` says of a file, as a process of its own.

    Args:
        given: the file.
        told: its kind and columns.
    """
    words = ["look", "--train", str(given.path), *words_of(given, told)]
    command = " ".join(["tutelage", *words])
    if not labels_named(told):
        return Seen([], "no column holds labels yet: label some first", [], 0, 0, {}, command)
    done = subprocess.run(
        [sys.executable, "-m", "tutelage", *words, "--json"], capture_output=True, text=True, check=False,
        timeout=SECONDS, stdin=subprocess.DEVNULL,
    )  # fmt: skip
    try:
        found: dict[str, Any] = json.loads(done.stdout)
    except ValueError:
        lines = [line for line in done.stderr.splitlines() if line.startswith("Error")]
        return Seen([], (lines or ["the file cannot be read"])[-1], [], 0, 0, {}, command)
    items = found["facts"].get("items", {})
    classes = {str(k): int(v) for k, v in found["facts"].get("classes", {}).items()}
    questions = [str(q.get("asks", q)) if isinstance(q, dict) else str(q) for q in found["questions"]]
    return Seen(
        found["says"], found.get("error", ""), questions, int(items.get("labelled", 0)),
        int(items.get("unlabelled", 0)), classes, command,
    )  # fmt: skip


def fit(given: Given, told: Told, method: str = METHOD) -> Job:
    """Start to learn from a file's labels, and from the answers that were given on a labelling page of it.

    Args:
        given: the file.
        told: its kind and columns.
        method: method of the fit.
    """
    folder, labels = given.jobs.new_folder(), labels_of(given)
    words = ["fit", method]
    if labels is None or labels_named(told):
        words += [
            "--train",
            str(given.path),
            *words_of(given, told),
            *([] if labels is None else ["--answers", str(labels)]),
        ]
    else:
        name = KINDS[told.kind].label_columns[0]
        words += ["--train", str(labels), "--unlabelled", str(given.path), *words_of(given, told), f"--{name}", "label"]
    return given.jobs.start(folder, [*words, "--out", str(folder / RUN)], {"does": "fit"})


def label(given: Given, told: Told) -> Job:
    """Open the labelling page of a file.

    Args:
        given: the file.
        told: its kind and columns.
    """
    words = ["label", "--train", str(given.path), *words_of(given, told), "--out", str(_labels(given)), "--no-browse"]
    return given.jobs.start(given.jobs.new_folder(), words, {"does": "label"})


def label_all(given: Given, told: Told, fitted: Job) -> Job:
    """Start to write the table with a label for each row, by a finished fit.

    Args:
        given: the file.
        told: its kind and columns.
        fitted: the job of the fit.
    """
    folder = given.jobs.new_folder()
    words = ["predict", str(fitted.folder / RUN), "--input", str(given.path), "--output", str(folder / ALL)]
    return given.jobs.start(folder, words, {"does": "predict", "of": fitted.number})


def says(job: Job) -> list[str]:
    """What a finished fit says: how good the model is, whether the pool helped, and what more labels would bring."""
    found = point_of(job.folder / RUN)
    if found is None:
        return []
    lines = []
    if found["score"] is not None:
        score, low, high = (100 * found[name] for name in ("score", "low", "high"))
        lines.append(
            f"With {found['labels']:,} labels: {found['measure']} {score:.1f} % on held-out ones ({low:.1f} to "
            f"{high:.1f})."
        )
    if (sample := found["sample"]) is not None:
        low, high = 100 * sample["low"], 100 * sample["high"]
        lines.append(f"On the {sample['drawn']:,} that were drawn at random: {low:.1f} to {high:.1f} %.")
    return [*lines, *filter(None, [found["words"], outlook_of(job.folder / RUN, None)])]


def address_of(job: Job) -> str:
    """Address of the labelling page that a job shows; empty where it shows none yet."""
    found = ADDRESS.findall(job.log)
    return str(found[-1]) if found else ""


def _labels(given: Given) -> Path:
    """File that the labels of a labelling page are written into."""
    return given.folder / "labels.csv"


def labels_of(given: Given) -> Path | None:
    """Table of the labels that were given on a page; None where there is none."""
    path = _labels(given)
    return path if path.exists() else None
