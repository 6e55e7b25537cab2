"""The page from a file to a table of labels, as an ASGI app."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
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
from tutelage.app.doing import ALL, RUN, Seen
from tutelage.app.files import CHARSET, Given, all_of, keep, named, of_form
from tutelage.kinds import KINDS, TABLE
from tutelage.kinds.told import Told
from tutelage.label.items import digest
from tutelage.label.jobs import Job
from tutelage.label.own_files import report, script, style
from tutelage.pages.templating import environment
from tutelage.tables import DataError
from tutelage.types import Say

BODY = 100_000
"""Bytes of a form, at most."""

FEW = 10
"""Labels of a class below which more are asked for first."""

CHARSETS = ("utf-8", "cp1252", "iso-8859-1", "iso-8859-2", "cp1250", "cp1251", "utf-16", "shift_jis", "gb18030", "big5")
"""Charsets that the page offers; the command takes others, too."""


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
                Route(f"{of_file}/jobs", self.jobs), Route(f"{of_file}/do/{{what}}", self.do, methods=["POST"]),
                Route(f"{of_file}/runs/{{number:int}}/report.html", self.report),
                Route(f"{of_file}/jobs/{{number:int}}/{ALL}", self.table),
                Route("/style.css", style("tutelage.app", "app.css")),
                Route("/app.js", script("tutelage.app", "app.js")), Route("/healthz", self.health),
            ],
            middleware=list(middleware),
            exception_handlers={
                HTTPException: _refused, RefusedError: _refused, DataError: _refused, OSError: self._failed,
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
        return _page("start.html", files=[given.name for given in found], folder=self.folder)

    async def keep(self, request: Request) -> Response:
        """Keep a file that is sent."""
        given = await keep(self.folder, request.path_params["name"], request.stream())
        return JSONResponse({"name": given.name})

    async def file(self, request: Request) -> Response:
        """What was read of a file, and what can be done with it."""
        given = self._given(request)
        return await run_in_threadpool(self._file, given)

    def _file(self, given: Given) -> Response:
        fault, columns, rows, told = "", list[str](), list[list[str]](), given.said
        try:
            columns, rows = given.head()
            told = told or given.guess()
        except DataError as e:
            fault = str(e)
        seen = None if told is None or fault else self._look(given, told)
        jobs = given.jobs.all()
        return _page(
            "file.html", name=given.name, fault=fault, columns=columns, rows=rows, told=told, seen=seen,
            confirmed=given.said is not None, kinds=TABLE, items=_items(told), labels=_labels(told), few=FEW,
            jobs=[self._told(given, job) for job in jobs], state=json.dumps(self._state(given)),
            given=doing.labels_of(given) is not None, how=given.how, charsets=CHARSETS,
        )  # fmt: skip

    def _look(self, given: Given, told: Told) -> Seen:
        """What is said of a file; once for the same contents and columns."""
        key = (given.name, digest(given.path), repr((told.kind, told.options, given.how)))
        if key not in self.seen:
            self.seen[key] = doing.look(given, told)
        return self.seen[key]

    async def read(self, request: Request) -> Response:
        """Confirm the kind and the columns."""
        given, form = self._given(request), await _form(request)
        if CHARSET in form:
            given.read_as(form)
            return RedirectResponse(f"/files/{quote(given.name)}", 303)
        columns, _ = await run_in_threadpool(given.head)
        given.say(of_form(given.path, form, columns))
        return RedirectResponse(f"/files/{quote(given.name)}", 303)

    async def do(self, request: Request) -> Response:
        """Start a command, stop it, or let it go on."""
        given, form = self._given(request), await _form(request)
        async with self._one:
            await run_in_threadpool(self._do, given, request.path_params["what"], form)
        return RedirectResponse(f"/files/{quote(given.name)}#jobs", 303)

    def _do(self, given: Given, what: str, form: Mapping[str, str]) -> None:
        jobs = given.jobs.all()
        told = given.said or given.guess()
        running = [job for job in jobs if job.state == "running" and job.about.get("does") != "label"]
        numbered = next((job for job in jobs if str(job.number) == form.get("number")), None)
        if what == "stop":
            if numbered is None:
                raise RefusedError("there is no such job")
            numbered.cancel()
            return
        if what == "label":
            if not any(job.state == "running" and job.about.get("does") == "label" for job in jobs):
                doing.label(given, told)
            return
        if running:
            raise RefusedError(f"job {running[-1].number} runs: wait until it has ended, or stop it")
        if what == "fit":
            if doing.labels_of(given) is None and not self._look(given, told).labelled:
                raise RefusedError("there is no label yet to learn from: label some on a page first")
            doing.fit(given, told)
        elif what == "predict":
            fits = [job for job in jobs if job.about.get("does") == "fit" and job.state == "done"]
            if not fits:
                raise RefusedError("learn from the labels first")
            doing.label_all(given, told, fits[-1])
        elif what == "again" and numbered is not None and numbered.state in ("stopped", "failed"):
            more = ["--resume"] * (numbered.words[0] == "fit" and (numbered.folder / RUN).exists())
            words = [word for word in numbered.words if word != "--resume"]
            given.jobs.start(numbered.folder, [*words, *more], numbered.about)
        else:
            raise RefusedError(f"there is nothing to do that is called {what!r}")

    async def jobs(self, request: Request) -> Response:
        """Where the commands stand."""
        return JSONResponse(await run_in_threadpool(self._state, self._given(request)))

    def _state(self, given: Given) -> dict[str, Any]:
        return {"name": given.name, "jobs": [self._told(given, job) for job in given.jobs.all()]}

    def _told(self, given: Given, job: Job) -> dict[str, Any]:
        """A job as the page shows it."""
        state, does = job.state, str(job.about.get("does"))
        error = next((line for line in reversed(job.log.splitlines()) if line.startswith("Error")), "")
        return {
            "number": job.number, "does": does, "state": state, "command": job.command, "log": job.log,
            "far": job.far, "error": error if state == "failed" else "",
            "address": doing.address_of(job) if does == "label" and state == "running" else "",
            "report": state == "done" and does == "fit", "table": state == "done" and does == "predict",
            "says": doing.says(job) if state == "done" and does == "fit" else [],
        }  # fmt: skip

    async def report(self, request: Request) -> Response:
        """The report of a fit."""
        return await run_in_threadpool(report, self._job_folder(request) / RUN)

    async def table(self, request: Request) -> Response:
        """The table with all labels, to be downloaded."""
        given, path = self._given(request), self._job_folder(request) / ALL
        if not path.is_file():
            raise HTTPException(404, "this job has no table")
        return FileResponse(path, media_type="text/csv", filename=f"{given.path.stem}-labelled.csv")

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
        return _answer(request, f"Not done: {error}", 507)


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


async def _refused(request: Request, error: Exception) -> Response:
    """The answer to a request that is refused."""
    status = error.status_code if isinstance(error, HTTPException) else 422
    return _answer(request, error.detail if isinstance(error, HTTPException) else str(error), status)
