"""The page from a file to a table of labels, as an ASGI app."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, quote

from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import FileResponse, HTMLResponse, JSONResponse, RedirectResponse, Response
from starlette.routing import Route

from tutelage.app import doing
from tutelage.app.doing import AWAY, RUN, Seen
from tutelage.app.download import labelled
from tutelage.app.files import CHARSET, SEPARATOR, TAKEN, TAKES, Given, all_of, keep, named, of_form, settled
from tutelage.app.words import begun, on_page
from tutelage.kinds import KINDS, TABLE
from tutelage.kinds.told import Told
from tutelage.label.jobs import Job
from tutelage.label.own_files import report, script, style
from tutelage.pages.templating import environment
from tutelage.tables import DataError, read_table
from tutelage.types import Say

BODY = 100_000
"""Bytes of a form, at most."""

FEW = 10
"""Labels of a class below which more are asked for first."""

CLASSES = 40
"""Classes, at most, whose labels are counted on the page."""

CHARSETS = ("utf-8", "cp1252", "iso-8859-1", "iso-8859-2", "cp1250", "cp1251", "utf-16", "shift_jis", "gb18030", "big5")
"""Charsets that the page offers; the command takes others, too."""


DOES = {"fit": "Learn", "label": "Labelling page", "predict": "Label all rows"}
"""What a job does, in the words of the page."""


class RefusedError(ValueError):
    """A request that cannot be done; the message says why."""


@dataclass
class Desk:
    """The page.

    Attributes:
        folder: folder in which files are kept.
        say: told of faults.
    """

    folder: Path
    say: Say
    seen: dict[tuple[str, str, str], Seen] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._one = asyncio.Lock()

    def made(self, middleware: Any = ()) -> Starlette:
        """The app."""
        of_file = "/files/{name}"
        return Starlette(
            routes=[
                Route("/", self.start), Route("/files/{name}", self.keep, methods=["PUT"]),
                Route(of_file, self.file), Route(f"{of_file}/read", self.read, methods=["POST"]),
                Route(f"{of_file}/settle", self.settle, methods=["POST"]),
                Route(f"{of_file}/remove", self.ask_to_remove),
                Route(f"{of_file}/remove", self.remove, methods=["POST"]),
                Route(f"{of_file}/jobs", self.jobs), Route(f"{of_file}/do/{{what}}", self.do, methods=["POST"]),
                Route(f"{of_file}/runs/{{number:int}}/report.html", self.report),
                Route(f"{of_file}/jobs/{{number:int}}/labels", self.table),
                Route("/style.css", style("tutelage.app", "app.css")),
                Route("/app.js", script("tutelage.app", "app.js")), Route("/healthz", self.health),
            ],
            middleware=list(middleware),
            exception_handlers={
                HTTPException: self._refused, RefusedError: self._refused, DataError: self._refused,
                OSError: self._failed,
            },
        )  # fmt: skip

    def close(self) -> None:
        """End the labelling pages, which write their tables; fits and other commands go on."""
        for given in all_of(self.folder):
            for job in given.jobs.all():
                if job.about.get("does") == "label":
                    job.cancel()

    async def start(self, request: Request) -> Response:
        """The beginning: choose a file, or one that was given before."""
        found = await run_in_threadpool(all_of, self.folder)
        removed = request.query_params.get("removed", "")
        return _page(
            "start.html", files=[given.name for given in found], folder=self.folder, removed=removed,
            accept=",".join(TAKEN), takes=TAKES,
        )  # fmt: skip

    async def keep(self, request: Request) -> Response:
        """Keep a file that is sent."""
        name = request.path_params["name"]
        kept = await keep(self.folder, name, request.stream())
        more = {"new": "", "same": "?kept=same", "beside": "?kept=beside"}[kept.fate]
        return JSONResponse({"name": kept.given.name, "fate": kept.fate, "leads": f"{_address(kept.given)}{more}"})

    async def file(self, request: Request) -> Response:
        """What was read of a file, and what can be done with it."""
        given = self._given(request)
        return await run_in_threadpool(self._file, given, request.query_params.get("kept", ""))

    def _file(self, given: Given, kept: str = "") -> Response:
        fault, unsure, columns, rows, told = "", "", list[str](), list[list[str]](), given.said
        try:
            columns, rows = given.head()
            try:
                told = told or given.guess()
            except DataError as e:  # it is read, but nothing looks like items
                unsure = self._words(str(e))
        except DataError as e:
            fault = self._words(str(e))
        confirmed = given.said is not None
        seen = None if told is None or fault else self._look(given, told)
        jobs = [self._told(given, job) for job in given.jobs.all()]
        items, labels = _items(told), _labels(told)
        first = [*items[:1], *filter(None, [labels])]
        order = [columns.index(c) for c in [*first, *(c for c in columns if c not in first)] if c in columns]
        count, by_class = (0, {}) if told is None else doing.given_counts(given, told)
        if seen is not None and count and seen.error == doing.NO_LABELS:
            seen = replace(seen, error="")
        names = [given.name]
        if seen is not None and seen.error:
            seen = replace(seen, error=begun(seen.error, names))
        classes = _tallies(seen, by_class)
        doubts = [*filter(None, [unsure]), *([] if told is None or confirmed else told.unsure)]
        return _page(
            "file.html", name=given.name, fault=fault, columns=columns, told=told, seen=seen, kept=kept,
            shown=[columns[i] for i in order if i < len(rows[0])] if rows else [],
            rows=[[row[i] for i in order if i < len(row)] for row in rows],
            confirmed=confirmed, kinds=TABLE, left_out=given.says, items=items, labels=labels, few=FEW,
            is_folder=given.path.is_dir(),
            unsure=[begun(doubt, names) for doubt in doubts], most=CLASSES,
            jobs=[job for job in jobs if not job["away"]], away=[job for job in jobs if job["away"]], does=DOES,
            state=json.dumps(self._state(given)), given=count, classes=classes, how=given.how,
            charsets=list(dict.fromkeys([*_advised(fault), *CHARSETS])), advised=_advised(fault), settled=given.settled,
            enough=bool(classes) and min(total for *_, total in classes) >= FEW,
        )  # fmt: skip

    def _words(self, says: str) -> str:
        """What a command says, in the words of the page."""
        return on_page(says, self.folder, [given.name for given in all_of(self.folder)] if "--" in says else ())

    def _look(self, given: Given, told: Told) -> Seen:
        """What is said of a file; once for the same contents and columns."""
        key = (given.name, given.digest, repr((told.kind, told.options, given.how, given.settled)))
        if key not in self.seen:
            self.seen[key] = doing.look(given, told)
        return self.seen[key]

    async def read(self, request: Request) -> Response:
        """Confirm the kind and the columns."""
        given, form = self._given(request), await _form(request)
        if CHARSET in form:
            given.read_as(form)
            return RedirectResponse(_address(given), 303)
        columns, _ = await run_in_threadpool(given.head)
        told = of_form(given, form, columns)
        given.say(told, given.settled if told == given.said else given.read_so)
        return RedirectResponse(_address(given), 303)

    async def settle(self, request: Request) -> Response:
        """Settle a question by an option of the command, or take all that was settled back."""
        given, form = self._given(request), await _form(request)
        told = await run_in_threadpool(_known, given)
        words: tuple[str, ...] = ()
        if answer := form.get("answer", ""):
            seen = await run_in_threadpool(self._look, given, told)
            answers = {each.typed: each.words for asked in seen.questions for each in asked.answers}
            if answer not in answers:
                raise RefusedError("the question was settled meanwhile, or is another: load the page again")
            words = answers[answer]
        told, more = settled(told, given.settled, words)
        before = given.how
        options = {word[2:].partition("=")[0]: word.partition("=")[2] for word in more}
        in_form = {CHARSET: before.charset, SEPARATOR: before.separator or ""}  # which the form says, too
        if options.keys() & in_form.keys():
            given.read_as(in_form | options)
        given.say(told, [word for word in more if word[2:].partition("=")[0] not in in_form])
        if given.how != before:
            await run_in_threadpool(given.forget_missing_columns)
        return RedirectResponse(_address(given), 303)

    async def ask_to_remove(self, request: Request) -> Response:
        """Ask whether a file is to be removed, and say what goes with it."""
        given = self._given(request)
        return await run_in_threadpool(self._ask_to_remove, given)

    def _ask_to_remove(self, given: Given) -> Response:
        labels = doing.labels_of(given)
        try:
            count = 0 if labels is None else len(read_table(labels))
        except DataError:
            count = 0
        jobs = given.jobs.all()
        running = next((job for job in jobs if job.state == "running"), None)
        fits = sum(job.about.get("does") == "fit" for job in jobs)
        used = "" if running is None else DOES.get(str(running.about.get("does")), "A command")
        return _page("remove.html", name=given.name, labels=count, fits=fits, used=used, folder=self.folder)

    async def remove(self, request: Request) -> Response:
        """Remove a file, and all that was done with it."""
        given = self._given(request)
        async with self._one:
            if running := await run_in_threadpool(given.running):
                what = DOES.get(str(running.about.get("does")), "a command")
                raise RefusedError(f"{given.name} is in use ({what}): stop that first; nothing is removed")
            await run_in_threadpool(given.remove)
        return RedirectResponse(f"/?removed={quote(given.name)}", 303)

    async def do(self, request: Request) -> Response:
        """Start a command, stop it, or let it go on."""
        given, form = self._given(request), await _form(request)
        async with self._one:
            await run_in_threadpool(self._do, given, request.path_params["what"], form)
        return RedirectResponse(f"{_address(given)}#jobs", 303)

    def _do(self, given: Given, what: str, form: Mapping[str, str]) -> None:
        jobs = given.jobs.all()
        numbered = next((job for job in jobs if str(job.number) == form.get("number")), None)
        if what in ("stop", "away"):
            self._close(numbered, what)
            return
        told = _known(given)
        if given.said is None and told.unsure:
            raise RefusedError("say first what is in the file: confirm the kind and the columns")
        if what == "label":
            if not any(job.state == "running" and job.about.get("does") == "label" for job in jobs):
                doing.label(given, told)
            return
        running = [job for job in jobs if job.state == "running" and job.about.get("does") != "label"]
        if running:
            name = DOES.get(str(running[-1].about.get("does")), "a command")
            raise RefusedError(f"“{name}” runs already: wait until it has ended, or stop it")
        if what == "fit":
            self._fit(given, told)
        elif what == "predict":
            fits = [job for job in jobs if job.about.get("does") == "fit" and job.state == "done"]
            if not fits:
                raise RefusedError("learn from the labels first")
            doing.label_all(given, told, fits[-1])
        elif what == "again" and numbered is not None and numbered.state in ("stopped", "failed"):
            more = ["--resume"] * (numbered.words[0] == "fit" and (numbered.folder / RUN).exists())
            words = [word for word in numbered.words if word != "--resume"]
            (numbered.folder / AWAY).unlink(missing_ok=True)
            given.jobs.start(numbered.folder, [*words, *more], numbered.about)
        else:
            raise RefusedError(f"there is nothing to do that is called {what!r}")

    def _close(self, job: Job | None, what: str) -> None:
        """Stop a job, or put its card away."""
        if job is None:
            raise RefusedError("there is no such job")
        if what == "stop":
            job.cancel()
        elif job.state == "running":
            raise RefusedError("it runs: stop it first")
        else:
            (job.folder / AWAY).touch()

    def _fit(self, given: Given, told: Told) -> None:
        seen = self._look(given, told)
        if doing.labels_of(given) is None and not seen.labelled:
            raise RefusedError("there is no label yet to learn from: label some on a page first")
        if halting := next((asked for asked in seen.questions if asked.halts), None):
            raise RefusedError(f"settle first: {halting.asks}")
        doing.fit(given, told)

    async def jobs(self, request: Request) -> Response:
        """Where the commands stand."""
        return JSONResponse(await run_in_threadpool(self._state, self._given(request)))

    def _state(self, given: Given) -> dict[str, Any]:
        labels = doing.labels_of(given)
        written = 0 if labels is None else labels.stat().st_mtime_ns
        return {"name": given.name, "labels": written, "jobs": [self._told(given, job) for job in given.jobs.all()]}

    def _told(self, given: Given, job: Job) -> dict[str, Any]:
        """A job as the page shows it."""
        state, does = job.state, str(job.about.get("does"))
        error = next((line for line in reversed(job.log.splitlines()) if line.startswith("Error")), "")
        return {
            "number": job.number, "does": does, "state": state, "command": job.command, "log": job.log,
            "far": job.far, "error": self._words(error) if state == "failed" else "", "away": doing.away(job),
            "address": doing.address_of(job) if does == "label" and state == "running" else "",
            "report": state == "done" and does == "fit", "table": state == "done" and does == "predict",
            "says": doing.says(job) if state == "done" and does == "fit" else [],
        }  # fmt: skip

    async def report(self, request: Request) -> Response:
        """The report of a fit."""
        return await run_in_threadpool(report, self._job_folder(request) / RUN)

    async def table(self, request: Request) -> Response:
        """The table with all labels, to be downloaded."""
        given = self._given(request)
        job = next((job for job in given.jobs.all() if job.number == request.path_params["number"]), None)
        output = None if job is None else doing.output_of(job)
        if output is None:
            raise HTTPException(404, "this job has no table")
        began = None if job is None else doing.told_by(job)
        told = await run_in_threadpool(_known, given) if began is None else began
        async with self._one:
            found = await run_in_threadpool(labelled, given, told, doing.labels_of(given), output)
        if not found.whole and "alone" not in request.query_params:
            return _page("rows.html", name=given.name, here=_address(given), number=request.path_params["number"])
        path = found.path
        return FileResponse(path, filename=f"{given.path.stem}-labels{path.suffix}")

    async def health(self, request: Request) -> Response:
        """Whether it answers."""
        return JSONResponse({"status": "ok"})

    def _job_folder(self, request: Request) -> Path:
        return self._given(request).jobs.folder / str(request.path_params["number"])

    def _given(self, request: Request) -> Given:
        found = named(self.folder, request.path_params["name"])
        if found is None:
            raise HTTPException(404, f"there is no file {request.path_params['name']!r} here")
        return found

    async def _failed(self, request: Request, error: Exception) -> Response:
        """The answer where something could not be written."""
        self.say(f"Not done: {error}")
        return _answer(request, f"Not done: {self._words(str(error))}", 507)

    async def _refused(self, request: Request, error: Exception) -> Response:
        """The answer to a request that is refused."""
        status = error.status_code if isinstance(error, HTTPException) else 422
        words = error.detail if isinstance(error, HTTPException) else self._words(str(error))
        return _answer(request, words, status)


def _known(given: Given) -> Told:
    """The kind and the columns of a file: as they were confirmed, or else by the cells."""
    return given.said or given.guess()


def _address(given: Given) -> str:
    """Address of the page of a file."""
    return f"/files/{quote(given.name)}"


def _advised(fault: str) -> list[str]:
    """Charset that is advised where a file could not be read."""
    return re.findall(r"choose (\S+) under “Letters”", fault)[:1]


def _tallies(seen: Seen | None, given: Mapping[str, int]) -> list[tuple[str, float, int, float]]:
    """Each class with its labels in the file, on the page and in all."""
    own = {} if seen is None else seen.classes
    return [(c, own.get(c, 0), given.get(c, 0), own.get(c, 0) + given.get(c, 0)) for c in {**own, **given}]


def _items(told: Told | None) -> list[str]:
    """Columns of the items."""
    if told is None:
        return []
    value = told.options.get(KINDS[told.kind].item_columns[0], ())
    return [value] if isinstance(value, str) else list(value)


def _labels(told: Told | None) -> str:
    """Column of the labels; empty where none is named."""
    return "" if told is None else str(told.options.get(KINDS[told.kind].label_columns[0], ""))


async def _form(request: Request) -> dict[str, str]:
    """Values of a form; several of one name are joined by line breaks.

    Raises:
        RefusedError: it is too large.
    """
    data = b""
    async for part in request.stream():
        data += part
        if len(data) > BODY:
            raise RefusedError(f"a form has at most {BODY:,} bytes")
    found: dict[str, str] = {}
    for name, value in parse_qsl(data.decode(errors="replace"), keep_blank_values=True):
        found[name] = f"{found[name]}\n{value}" if name in found else value
    return found


def _page(template: str, **values: Any) -> Response:
    return HTMLResponse(environment("tutelage.app").get_template(template).render(**values))


def _answer(request: Request, words: str, status: int) -> Response:
    """What is said of a request that is refused: a page to a browser, JSON to a script."""
    if "text/html" in request.headers.get("accept", ""):
        found = environment("tutelage.app").get_template("refused.html").render(words=words)
        return HTMLResponse(found, status)
    return JSONResponse({"error": words}, status)
