"""What is learnt from the labels while they are given: fits and questions as jobs, the curve, and what comes next."""

from __future__ import annotations

import csv
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from functools import lru_cache
from io import StringIO
from pathlib import Path
from typing import Any

import numpy as np

from tutelage.ask import RANDOM, outlook
from tutelage.files import BadFileError, read_json, write_atomically
from tutelage.files.described import Asked as RunAsked
from tutelage.files.described import Summary, labels_only_score
from tutelage.kinds.asked_labels import as_table
from tutelage.kinds.entries import InTable
from tutelage.label.campaign import Campaign, RefusedError
from tutelage.label.filling import answered, given_table
from tutelage.label.items import Items
from tutelage.label.jobs import Job, Jobs
from tutelage.label.words import on_page
from tutelage.run.config import toml_of_run
from tutelage.tables import DataError, Notes, ReadAs
from tutelage.tables.write import write_table

LABELS, TYPED, RUN, ASK, OPTIONS = "labels", "typed.csv", "run", "ask.csv", "options.toml"
"""Files of a job: the labels that are learnt, those that the table had beside, the run, the table of questions, and the
options of an earlier run."""

LEAST = 0.1
"""Seconds that a label takes, at least."""

SHOWN = 5
"""Classes that a message names, at most."""

COUNT = 20
"""Items that are asked for at once, unless the page says another number."""


@dataclass
class Learning:
    """What is learnt from the labels of a campaign.

    Attributes:
        campaign: the campaign.
        jobs: its jobs.
        how: how the items are read.
        method: method of the fits.
        run: run that asked for the items; None where they are labelled from nothing.
    """

    campaign: Campaign
    jobs: Jobs
    how: ReadAs
    method: str = "drift"
    run: Path | None = None

    def __post_init__(self) -> None:
        self._taken: set[int] = set()
        self.take_questions()

    def learn(self) -> Job:
        """Start a fit on the labels so far.

        Raises:
            RefusedError: a job runs, or there is no label.
        """
        self._require_idle()
        self._require_labels()
        folder = self.jobs.new_folder()
        labels = self._labels(folder)
        words = ["fit", *self._fit(folder, labels), "--out", str(folder / RUN)]
        return self.jobs.start(folder, words, {"does": "fit", "labels": len(self.campaign.labelled)})

    def ask(self, count: int = COUNT) -> Job:
        """Start to ask what to label next, by the last finished fit.

        Args:
            count: number of items to ask for.

        Raises:
            RefusedError: a job runs, or no fit is finished.
        """
        self._require_idle()
        last = next((job for job in reversed(self.fits()) if job.state == "done"), None)
        if last is None:
            raise RefusedError("learn from the labels first: the model says what it is unsure of")
        folder = self.jobs.new_folder()
        words = ["next", str(last.folder / RUN), "--count", str(count), "--out", str(folder / ASK)]
        words += ["--answers", str(self._labels(folder))]
        if self.campaign.times:
            seconds = max(float(self.campaign.progress("")["seconds"]), LEAST)
            words += ["--seconds-per-label", f"{seconds:.1f}"]
        return self.jobs.start(folder, words, {"does": "next"})

    def go_on(self, number: int) -> Job:
        """Start a job again that was stopped: a fit goes on where it was.

        Args:
            number: number of the job.

        Raises:
            RefusedError: a job runs, or there is no such job that was stopped.
        """
        self._require_idle()
        job = next((job for job in self.jobs.all() if job.number == number), None)
        if job is None or job.state == "done":
            raise RefusedError(f"there is no job {number} that was stopped")
        words = [word for word in job.words if word != "--resume"]
        if words[0] == "fit" and (job.folder / RUN).exists():
            words.append("--resume")
        return self.jobs.start(job.folder, words, job.about)

    def stop(self) -> None:
        """Ask the job that runs to stop."""
        if (job := self.jobs.running) is not None:
            job.cancel()

    def fits(self) -> list[Job]:
        """The fits, in the order in which they began."""
        return [job for job in self.jobs.all() if job.about.get("does") == "fit"]

    def take_questions(self) -> int:
        """Let the items that finished jobs ask for come first; their number."""
        count = 0
        for job in self.jobs.all():
            if job.about.get("does") == "next" and job.number not in self._taken and job.state == "done":
                self._taken.add(job.number)
                count += self._take(job.folder / ASK)
        return count

    def _take(self, path: Path) -> int:
        """Let the items of a table of questions come first; those that have a label count as drawn from now on."""
        campaign = self.campaign
        try:
            found = Items.read(campaign.items.kind, path, ReadAs(), Notes())
        except (DataError, OSError):
            return 0
        rows: dict[int, str] = {}
        for i in range(len(found)):
            key, by = found.key(i), found.marks.asked[i] if found.marks.asked else ""
            row = campaign.row_of(key)
            if row is None:
                continue
            if by == RANDOM:
                campaign.drawn.add(key)  # also where somebody picks it by hand, or labelled it before
            if found.marks.guess and found.marks.guess[i]:
                campaign.items.later[row] = (found.marks.guess[i], found.marks.why[i] if found.marks.why else "")
            if key not in campaign.labelled and not campaign.items.given(row):
                rows[row] = by
        campaign.first(rows)
        return len(rows)

    def told(self) -> dict[str, Any]:
        """All jobs, the curve of the fits, and what more labels are likely to bring, as plain values."""
        jobs = self.jobs.all()
        shown = [
            {
                "number": job.number, "does": job.about.get("does"), "state": job.state, "command": job.command,
                "log": job.log if job is jobs[-1] or job.state == "failed" else "", "far": job.far,
                "labels": job.about.get("labels"), "says": on_page(job.log) if job.state == "failed" else "",
            }
            for job in jobs
        ]  # fmt: skip
        points = []
        for job in self.fits():
            if job.state == "done" and (point := point_of(job.folder / RUN)) is not None:
                points.append(point | {"number": job.number})
        last = self.jobs.folder / str(points[-1]["number"]) / RUN if points else None
        seconds = self.campaign.progress("")["seconds"]
        return {"jobs": shown, "curve": points, "outlook": "" if last is None else outlook_of(last, seconds)}

    def _require_idle(self) -> None:
        if (job := self.jobs.running) is not None:
            raise RefusedError(f"job {job.number} runs ({job.about.get('does')}): wait until it has ended, or stop it")

    def _require_labels(self) -> None:
        """Check that there are labels enough, of one class an item: two classes, and two labels of each.

        Raises:
            RefusedError: there are not; the message says what to label.
        """
        campaign, items = self.campaign, self.campaign.items
        if not campaign.labelled:
            raise RefusedError("there is no label yet to learn from")
        if self.run is not None or campaign.tags or items.on_disk or not items.kind.label_columns:
            return
        given = [items.given(i) for i in np.flatnonzero(items.entries.known).tolist()]
        counts = Counter([*campaign.labelled.values(), *given])
        if len(counts) == 1:
            raise RefusedError(
                f"all labels are {next(iter(counts))!r}: label an item of another class, too, and learn then"
            )
        single = [name for name, count in counts.items() if count == 1]
        if single:
            named = ", ".join(map(repr, single[:SHOWN])) + (" and others" if len(single) > SHOWN else "")
            raise RefusedError(
                f"{named} {'has' if len(single) == 1 else 'have'} one label{'' if len(single) == 1 else ' each'}, and "
                "two are needed to tell how good the model is: label one more of each (Find leads to them), or undo"
            )

    def _labels(self, folder: Path) -> Path:
        """The labels so far, as a table of a job."""
        path = folder / f"{LABELS}{ending_for(self.how)}"
        write_table(answered(self.campaign, path), path)
        return path.resolve()

    def _fit(self, folder: Path, labels: Path) -> list[str]:
        """Words of a fit on the labels, behind its name."""
        items = self.campaign.items
        if self.run is not None:
            write_atomically(folder / OPTIONS, toml_of_run(self.run).encode())
            typed = self._typed(folder)
            return ["--config", str(folder / OPTIONS), "--answers", *answers_of(self.run), *typed, str(labels)]
        source, kind = str(items.path.resolve()), items.kind
        if has_labels(items):
            return [self.method, "--train", source, "--answers", str(labels), *options_of(kind), *words_of(self.how)]
        columns = [*options_of(as_table(kind)), *words_of(self.how)]
        return [self.method, "--train", str(labels), "--unlabelled", source, *columns]

    def _typed(self, folder: Path) -> list[str]:
        """Table of the labels that the items' table has and that nobody gave on this page; none where there is none."""
        campaign, path = self.campaign, folder / TYPED
        items = campaign.items
        rows = [i for i in np.flatnonzero(items.entries.known).tolist() if items.key(i) not in campaign.known]
        if not rows:
            return []
        write_table(given_table(campaign, rows, path), path)
        return [str(path.resolve())]


def answers_of(run: Path) -> list[str]:
    """Tables of answers that a run learnt.

    Args:
        run: folder of the run.
    """
    return [str(path) for path in read_json(run / "run.json", RunAsked).get("answers", ())]


def options_of(kind: Any) -> list[str]:
    """Words of the options that name the kind and its columns.

    Args:
        kind: kind of the items.
    """
    found = ["--kind", kind.name]
    for name in (*kind.item_columns, *kind.label_columns):
        value = getattr(kind, name)
        if value not in (None, ()):
            found.append(word_of(name, [value] if isinstance(value, str) else value))
    return found


def words_of(how: ReadAs) -> list[str]:
    """Words of the options that say how files are read, as far as that is not as usual.

    Args:
        how: how they are read.

    >>> words_of(ReadAs(charset="cp1252", separator="tab", skip_bad=True))
    ['--charset=cp1252', '--separator=tab', '--skip-bad']
    """
    found = []
    for each in fields(ReadAs):
        value = getattr(how, each.name)
        if value is True:
            found.append(f"--{each.name.replace('_', '-')}")
        elif value != each.default:
            found.append(word_of(each.name, [{"\t": "tab"}.get(value, value)]))
    return found


def ending_for(how: ReadAs) -> str:
    """Ending of a table of labels beside items that are read so: csv, where csv is read rightly so, or parquet.

    Args:
        how: how the items are read.
    """
    return ".csv" if how.plain else ".parquet"


def word_of(name: str, values: Sequence[str]) -> str:
    """Word of an option with its values, which may look like options themselves.

    >>> word_of("features", ["a", "b, c"])
    '--features=a,"b, c"'
    """
    if len(values) == 1:
        return f"--{name.replace('_', '-')}={values[0]}"
    line = StringIO(newline="")
    csv.writer(line, lineterminator="").writerow(values)
    return f"--{name.replace('_', '-')}={line.getvalue()}"


def has_labels(items: Items) -> bool:
    """Whether the table of the items has the column of the labels, or their folder a folder of a class.

    Args:
        items: the items.
    """
    if items.path.is_dir():
        return bool(items.entries.known.any())
    table = items.entries.table
    names = [getattr(items.kind, name) for name in items.kind.label_columns]
    return isinstance(items.entries.places, InTable) and table is not None and all(name in table for name in names)


def point_of(folder: Path) -> dict[str, Any] | None:
    """What a finished fit says of its labels: a point of the curve; None where it says nothing.

    Args:
        folder: folder of the run.

    Returns:
        Number of "labels", the "measure", the "score" with its interval "low" and "high", and what a drawn "sample"
        says; those that are not known are None or empty.
    """
    try:
        summary: Mapping[str, Any] = read_json(folder / "summary.json", Summary)
    except (OSError, BadFileError):
        return None
    evidence = summary.get("evidence") or {}
    seen = evidence.get(evidence.get("returned", ""), {})
    sample = summary.get("sample") or {}
    drawn = sample.get("interval")
    return {
        "labels": summary["labelled"], "measure": summary["measure"], "score": seen.get("score"),
        "low": seen.get("low"), "high": seen.get("high"), "words": evidence.get("words", ""),
        "sample": None if drawn is None else {"drawn": sample["drawn"], "low": drawn[0], "high": drawn[1]},
    }  # fmt: skip


@lru_cache(maxsize=16)
def outlook_of(folder: Path, seconds: float | None) -> str:
    """What more labels are likely to bring, by a finished fit; empty where it says nothing.

    Args:
        folder: folder of the run.
        seconds: seconds that a label takes here; None takes those of `tutelage.ask.outlook`.
    """
    try:
        summary = read_json(folder / "summary.json", Summary)
    except (OSError, BadFileError):
        return ""
    told: Mapping[str, Any] = summary.get("outlook") or {}
    if not told.get("curve") or seconds is None:
        return str(told.get("words", ""))
    numbers, scores = zip(*told["curve"], strict=True)
    seconds = max(seconds, LEAST)
    return outlook(numbers, scores, told["more"], seconds_per_label=seconds, shown=labels_only_score(summary)).words()
