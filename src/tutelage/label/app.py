"""The labelling page as an ASGI app: what is shown, what is answered, what is written."""

from __future__ import annotations

import asyncio
import json
import re
import zlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any, Protocol

from jinja2 import Environment
from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, RedirectResponse, Response
from starlette.routing import Route

from tutelage.files import BadFileError
from tutelage.kinds.asked_labels import HAND
from tutelage.label.agreement import agreement, influence
from tutelage.label.campaign import Campaign, Given, RefusedError, require_name
from tutelage.label.groups import groups
from tutelage.label.journal import ACTS, NO_ANSWERS
from tutelage.label.learning import COUNT, RUN, Learning
from tutelage.label.own_files import report, script, style
from tutelage.pages.templating import environment
from tutelage.tables import DataError
from tutelage.types import Say

SHOWN = 20_000
"""Characters of a text that are shown at first."""

LISTED = 200
"""Items that a list shows, at most."""

CLASSES = 1000
"""Classes that a model says, at most, by which items can be looked for."""

BODY = 2_000_000
"""Bytes of a request, at most."""

IDLE = 2.0
"""Seconds after an answer, without another, after which the table is written, where it is small."""

MOST = 1000
"""Items that are asked for at once, at most."""

OFF = "Nothing is learnt here: start the page with --run, the run that asked for these, or from nothing with --train."
"""Why nothing can be learnt from the labels of a table whose run is not named."""

HASH = re.compile("[0-9a-f]{16}")
"""Pattern of the hash of an item."""

A_SECOND = 500
"""Labels for which, so many for each second, the writing waits longer: it takes longer, too, and answers wait."""

ANNOTATOR = "tutelage_annotator"
"""Beginning of the name of the cookie that holds the name of the annotator."""

A_YEAR = 31_536_000
"""Seconds for which a browser keeps that name."""

OWN_ACTS = tuple(act for act in ACTS if act not in ("undo", *NO_ANSWERS))


class Table(Protocol):
    """A table that the labels are written into."""

    path: Any

    def write(self) -> int:
        """Write the labels; returns their number."""


@dataclass
class Page:
    """The page.

    Attributes:
        campaign: the campaign.
        table: table that the labels are written into; None where there is none, and they are in the journal alone.
        me: name of the annotator, where the browser names none.
        say: told of faults.
        command: command line that learns from the labels.
        learning: what is learnt from the labels; None where nothing can be.
        suggest: share of the items, drawn by their contents, on which what the model says is shown at once.
        saving: sentence on the last writing of the table.
    """

    campaign: Campaign
    table: Table | None
    me: str
    say: Say
    command: str = ""
    learning: Learning | None = None
    suggest: float = 0.0
    saving: str = ""
    failed: bool = False

    def __post_init__(self) -> None:
        self.guesses = sorted(set(self.campaign.items.marks.guess) - {""})[:CLASSES]
        self._one = asyncio.Lock()
        # browsers hold one for all ports of a machine: another campaign, or one for another person, has its own
        campaign = f"{self.campaign.journal.path.resolve()}\n{self.me}"
        self._cookie = f"{ANNOTATOR}_{zlib.crc32(campaign.encode('utf-8', 'surrogateescape')):08x}"
        self._later: asyncio.Task[None] | None = None

    def made(self, middleware: Any = ()) -> Starlette:
        """The app."""
        routes = [
            Route("/", self.page), Route("/items/{row:int}", self.item), Route("/items/{row:int}/text", self.text),
            Route("/items/{row:int}/picture", self.picture),
            Route("/items/{row:int}/guess", self.guess, methods=["POST"]),
            Route("/answers", self.answer, methods=["POST"]),
            Route("/classes", self.add_class, methods=["POST"]), Route("/undo", self.undo, methods=["POST"]),
            Route("/next", self.next), Route("/find", self.find), Route("/groups", self.groups),
            Route("/progress", self.progress),
            Route("/agreement", self.agreement), Route("/save", self.save, methods=["POST"]),
            Route("/me", self.rename, methods=["POST"]), Route("/healthz", self.health),
            Route("/jobs", self.jobs), Route("/jobs/{does}", self.job, methods=["POST"]),
            Route("/runs/{number:int}/report.html", self.report),
            Route("/style.css", style("tutelage.label", "label.css")),
            Route("/label.js", script("tutelage.label", "label.js")),
        ]  # fmt: skip
        return Starlette(
            routes=routes, middleware=list(middleware),
            exception_handlers={
                HTTPException: _refused, OSError: self._failed, BadFileError: self._failed, ValueError: _refused,
            },
        )  # fmt: skip

    # what is shown

    async def page(self, request: Request) -> Response:
        """The whole page, with the item that comes next; it can be read, and answered, without scripts."""
        by = self._by(request)
        row = self.campaign.following(by)
        if (asked := request.query_params.get("row", "")[:9]).isdecimal() and int(asked) < len(self.campaign.items):
            row = int(asked)
        item = None if row is None else await run_in_threadpool(self._item, by, row)
        progress = self._progress(by)
        found = _environment().get_template("label.html").render(
            item=item, by=by, progress=progress, source=self.campaign.items.path.name, tags=self.campaign.tags,
            words=self.campaign.items.kind.words, other=self.campaign.other, table=self.table, saving=self.saving,
            command=self.command, state=json.dumps({"item": item, "progress": progress, "tags": self.campaign.tags}),
        )  # fmt: skip
        return HTMLResponse(found)

    async def item(self, request: Request) -> Response:
        """One item."""
        return JSONResponse(await run_in_threadpool(self._item, self._by(request), self._row(request)))

    def _item(self, by: str, row: int) -> dict[str, Any]:
        """An item as the page takes it."""
        campaign = self.campaign
        items, key = campaign.items, campaign.items.key(row)
        found: dict[str, Any] = {
            "row": row, "item": key, "place": items.place(row), "asked": campaign.asked_by(row),
            "note": campaign.note_of(key), "has_guess": bool(items.guess(row)), "given": items.given(row),
            "said": self._said(by, key), "mine": self._mine(by, key), "in_queue": bool(campaign.place[row] >= 0),
        }  # fmt: skip
        if found["has_guess"] and self._suggests(key):
            found |= {"guess": items.guess(row), "why": items.why(row)}
        try:
            face = items.face(row)
        except DataError as fault:
            return found | {"fault": str(fault)}
        text = face.text
        return found | {
            "text": text[:SHOWN], "more": max(len(text) - SHOWN, 0), "words": list(face.words), "name": face.name,
            "picture": f"/items/{row}/picture?item={key}" if face.picture is not None else "",
            "numbers": [list(pair) for pair in face.numbers.items()],
        }  # fmt: skip

    def _suggests(self, key: str) -> bool:
        """Whether what the model says of an item is shown at once."""
        return int(key[::-1], 16) % 1000 < 1000 * self.suggest  # other digits than say who is asked for it

    def _said(self, by: str, key: str) -> dict[str, str]:
        """What the others said of an item on which annotators disagree; else nothing, so that nobody is swayed."""
        return self.campaign.said(key) if key in self.campaign.apart else {}

    def _mine(self, by: str, key: str) -> dict[str, str] | None:
        known = self.campaign.known.get(key)
        answer = None if known is None else known.last.get(by)
        return None if answer is None else {"act": answer.act, "label": answer.label}

    async def text(self, request: Request) -> Response:
        """The whole text of an item."""
        face = await run_in_threadpool(self.campaign.items.face, self._row(request))
        return JSONResponse({"text": face.text})

    async def picture(self, request: Request) -> Response:
        """The picture of an item."""
        row = self._row(request)
        if request.query_params.get("item") != self.campaign.items.key(row):
            raise RefusedError("another item has this number by now: load the page again")
        face = await run_in_threadpool(self.campaign.items.face, row)
        if face.picture is None:
            raise HTTPException(404, "this item has no picture")
        kind = "image/png" if face.picture[:4] == b"\x89PNG" else "image/jpeg"
        return Response(face.picture, media_type=kind, headers={"cache-control": "private, max-age=3600"})

    async def guess(self, request: Request) -> Response:
        """What the model says of an item; that the annotator has seen it is kept."""
        row, by, items = self._row(request), self._by(request), self.campaign.items
        async with self._one:
            await run_in_threadpool(self.campaign.saw, by, [row])
        return JSONResponse({"guess": items.guess(row), "why": items.why(row)})

    # what is answered

    async def answer(self, request: Request) -> Response:
        """Take an answer, and give what comes next."""
        by, value = self._by(request), await _body(request)
        form = "row" in value and isinstance(value["row"], str)
        given = value.get("answers") or [value]
        if not isinstance(given, list) or not 0 < len(given) <= LISTED:
            raise RefusedError(f"answers must be a list of 1 to {LISTED} answers")
        made = [self._given(by, each) for each in given]
        async with self._one:
            await run_in_threadpool(self.campaign.answer_all, by, made)
        self._save_later()
        if form:
            return RedirectResponse("/", 303)
        return await self._then(by, made[-1].row)

    def _given(self, by: str, value: Any) -> Given:
        """An answer as the page sends it.

        Raises:
            RefusedError: it is none.
        """
        if not isinstance(value, Mapping):
            raise RefusedError("an answer must be an object")
        row, act = value.get("row"), value.get("act", "label")
        row = int(row) if isinstance(row, str) and row.isdecimal() and len(row) < 10 else row
        seconds, item = value.get("seconds"), value.get("item")
        label, note = value.get("label", ""), value.get("note", "")
        if isinstance(value.get("fresh"), str) and value["fresh"].strip():  # of a form without scripts
            label = value["fresh"].strip()
        if act not in OWN_ACTS:
            raise RefusedError(f"act must be one of {', '.join(OWN_ACTS)}, got {act!r}")
        if isinstance(row, bool) or not isinstance(row, int) or not isinstance(item, str):
            raise RefusedError("row must be the number of an item, and item its hash")
        if not isinstance(label, str) or not isinstance(note, str):
            raise RefusedError("label and note must be texts")
        if isinstance(seconds, bool) or not (seconds is None or isinstance(seconds, int | float)):
            raise RefusedError("seconds must be a number")
        asked = HAND if value.get("hand") is True else None
        suggested = self._suggests(item) if HASH.fullmatch(item) else False
        return Given(row, item, act, label, seconds, note, asked, suggested=suggested)

    async def add_class(self, request: Request) -> Response:
        """Add a class to those that are offered."""
        name = str((await _body(request)).get("name", "")).strip()
        if not name:
            raise RefusedError("a class must have a name")
        async with self._one:
            await run_in_threadpool(self.campaign.add_class, self._by(request), name)
        return JSONResponse({"progress": self._progress(self._by(request))})

    async def undo(self, request: Request) -> Response:
        """Take back the annotator's last answer, and show its item again."""
        by = self._by(request)
        value = await _body(request)
        async with self._one:
            back = await run_in_threadpool(self.campaign.undo, by)
        self._save_later()
        if value:
            return RedirectResponse("/", 303)
        row = self.campaign.row_of(back.item)
        item = None if row is None else await run_in_threadpool(self._item, by, row)
        if item is not None:
            item["undone"] = back.label
        return JSONResponse({"item": item, "progress": self._progress(by), "saving": self.saving})

    async def next(self, request: Request) -> Response:
        """The item that comes next."""
        after = request.query_params.get("after", "")[:9]
        return await self._then(self._by(request), int(after) if after.isdecimal() else None)

    async def _then(self, by: str, after: int | None) -> Response:
        row = self.campaign.following(by, after)
        item = None if row is None else await run_in_threadpool(self._item, by, row)
        return JSONResponse({"item": item, "progress": self._progress(by), "saving": self.saving})

    async def rename(self, request: Request) -> Response:
        """Let the browser be of another annotator."""
        name = str((await _body(request)).get("name", "")).strip()
        require_name(name)
        found = RedirectResponse("/", 303)
        found.set_cookie(self._cookie, name.encode().hex(), A_YEAR, path="/", httponly=True, samesite="strict")
        return found

    # what is found

    async def find(self, request: Request) -> Response:
        """Items that hold some words, that the model takes for a class, or on which annotators disagree."""
        ask = request.query_params
        words, guess, state = ask.get("words", "").strip(), ask.get("guess", ""), ask.get("state", "")
        by = self._by(request)
        found, more = await run_in_threadpool(self._found, by, words, guess, state)
        if guess:  # whoever filters by it has seen it
            async with self._one:
                await run_in_threadpool(self.campaign.saw, by, found)
        return JSONResponse({"rows": self._listed(found), "more": more})

    def _listed(self, rows: Sequence[int]) -> list[dict[str, Any]]:
        """Items as a list shows them."""
        items, labels = self.campaign.items, self.campaign
        return [
            {
                "row": i, "place": items.place(i), "excerpt": items.excerpt(i),
                "label": labels.label_of(items.key(i)) or items.given(i), "picture": self._picture(i),
            }
            for i in rows
        ]  # fmt: skip

    def _picture(self, row: int) -> str:
        """Address of an item's picture; empty where such items have none."""
        items = self.campaign.items
        return f"/items/{row}/picture?item={items.key(row)}" if items.kind.shows_pictures else ""

    async def groups(self, request: Request) -> Response:
        """Groups of alike items without an answer."""
        by = self._by(request)
        try:
            found = await run_in_threadpool(groups, self.campaign, by)
        except ValueError as e:
            raise RefusedError(str(e)) from e
        return JSONResponse({"groups": [self._listed(rows) for rows in found]})

    def _found(self, by: str, words: str, guess: str, state: str) -> tuple[list[int], bool]:
        campaign, items = self.campaign, self.campaign.items
        of_state: dict[str, Callable[[str], bool]] = {
            "disagreements": lambda key: key in campaign.apart, "noted": lambda key: bool(campaign.note_of(key)),
            "unsure": lambda key: campaign.last_act(by, key) == "unsure",
            "none": lambda key: campaign.last_act(by, key) == "none",
            "skip": lambda key: campaign.last_act(by, key) == "skip",
        }  # fmt: skip
        if state in of_state:
            there = [campaign.row_of(key) for key in list(campaign.known) if of_state[state](key)]
            rows = iter([row for row in there if row is not None and items.holds(row, words)])
        elif words:
            rows = items.find(words)
        else:
            rows = iter(range(len(items)))
        found: list[int] = []
        for row in rows:
            if guess and items.guess(row) != guess:
                continue
            key = items.key(row)
            if state == "open" and (key in campaign.known or items.given(row)):
                continue
            if state == "labelled" and campaign.label_of(key) is None:
                continue
            if len(found) == LISTED:
                return found, True
            found.append(row)
        return found, False

    async def progress(self, request: Request) -> Response:
        """How far the annotator is."""
        return JSONResponse(self._progress(self._by(request)) | {"saving": self.saving})

    def _progress(self, by: str) -> dict[str, Any]:
        told = self.campaign.progress(by)
        # pairs: a browser would put names such as "10" before others
        listed = {name: list(map(list, told[name].items())) for name in ("classes", "other")}
        return {**told, **listed, "by": by, "guesses": self.guesses}

    async def agreement(self, request: Request) -> Response:
        """On what annotators agree, and how far what the model says swayed them."""
        return JSONResponse(
            await run_in_threadpool(lambda: {"pairs": agreement(self.campaign), "guess": influence(self.campaign)})
        )

    async def health(self, request: Request) -> Response:
        """Whether it answers."""
        return JSONResponse({"status": "ok"})

    # what is learnt

    async def jobs(self, request: Request) -> Response:
        """The jobs, the curve, and what more labels are likely to bring."""
        if self.learning is None:
            return JSONResponse({"jobs": [], "curve": [], "outlook": "", "off": OFF})
        async with self._one:
            fresh = await run_in_threadpool(self.learning.take_questions)
        told = await run_in_threadpool(self.learning.told)
        return JSONResponse(told | {"fresh": fresh, "progress": self._progress(self._by(request))})

    async def job(self, request: Request) -> Response:
        """Start a job, stop it, or let it go on."""
        learning = self.learning
        if learning is None:
            raise RefusedError(OFF)
        does, value = request.path_params["does"], await _body(request)
        number, count = value.get("number", 0), value.get("count", COUNT)
        for name, given, most in (("count", count, MOST), ("number", number, 10**9)):
            if isinstance(given, bool) or not isinstance(given, int) or not 0 <= given <= most:
                raise RefusedError(f"{name} must be a whole number in [0, {most}], got {given!r}")
        starts: dict[str, Callable[[], object]] = {
            "fit": learning.learn, "next": lambda: learning.ask(max(count, 1)),
            "again": lambda: learning.go_on(number), "stop": learning.stop,
        }  # fmt: skip
        if does not in starts:
            raise HTTPException(404, f"there is no job {does!r}")
        async with self._one:
            await run_in_threadpool(starts[does])
        return await self.jobs(request)

    async def report(self, request: Request) -> Response:
        """The report of a fit."""
        if self.learning is None:
            raise RefusedError(OFF)
        run = self.learning.jobs.folder / str(request.path_params["number"]) / RUN
        return await run_in_threadpool(report, run)

    # what is written

    async def save(self, request: Request) -> Response:
        """Write the table now."""
        await self._write()
        return JSONResponse({"saving": self.saving}, 200 if not self.failed else 409)

    def _save_later(self) -> None:
        if self._later is not None:
            self._later.cancel()
        self._later = asyncio.get_running_loop().create_task(self._when_idle())

    async def _when_idle(self) -> None:
        await asyncio.sleep(IDLE + len(self.campaign.labelled) / A_SECOND)
        self._later = None
        await self._write()

    async def _write(self) -> None:
        async with self._one:
            await run_in_threadpool(self.write)

    def write(self) -> None:
        """Write the table; where it cannot be written, `saving` says why."""
        if self.table is None:
            return
        try:
            count = self.table.write()
            self.saving, self.failed = (
                f"{count:,} {'label is' if count == 1 else 'labels are'} in {self.table.path}.",
                False,
            )
        except (OSError, ValueError) as e:
            if str(e) != self.saving:
                self.say(f"The table was not written: {e}")
            self.saving, self.failed = f"The table was not written: {e}", True

    def _by(self, request: Request) -> str:
        """Name of the annotator who asks."""
        try:
            name = bytes.fromhex(request.cookies.get(self._cookie, "")).decode()
            require_name(name)
        except ValueError:
            return self.me
        return name

    def _row(self, request: Request) -> int:
        row: int = request.path_params["row"]
        if row >= len(self.campaign.items):
            raise HTTPException(404, f"there are {len(self.campaign.items):,} items")
        return row

    async def _failed(self, request: Request, error: Exception) -> Response:
        """The answer where an answer could not be written."""
        if request.url.path in ("/answers", "/undo"):
            self.say(f"An answer was not kept: {error}")
            return JSONResponse({"error": f"Not kept: {error}. Give the answer again once this is mended."}, 507)
        self.say(f"Not done: {error}")
        return JSONResponse({"error": f"Not done: {error}. Try it again once this is mended."}, 507)


async def _body(request: Request) -> dict[str, Any]:
    """Object that a request brings, as JSON or as a form.

    Raises:
        RefusedError: it is none, or too large.
    """
    parts, size = [], 0
    async for part in request.stream():
        size += len(part)
        if size > BODY:
            raise RefusedError(f"a request has at most {BODY:,} bytes")
        parts.append(part)
    data = b"".join(parts)
    if request.headers.get("content-type", "").startswith("application/x-www-form-urlencoded"):
        from urllib.parse import parse_qsl

        return dict(parse_qsl(data.decode(errors="replace"), keep_blank_values=True))
    if not data:
        return {}
    try:
        value = json.loads(data)
    except (ValueError, RecursionError) as e:
        raise RefusedError("a request must be JSON") from e
    if not isinstance(value, dict):
        raise RefusedError("a request must be an object of JSON")
    return value


@cache
def _environment() -> Environment:
    return environment("tutelage.label")


async def _refused(request: Request, error: Exception) -> Response:
    """The answer to a request that is refused."""
    status = error.status_code if isinstance(error, HTTPException) else 422
    words = error.detail if isinstance(error, HTTPException) else str(error)
    return JSONResponse({"error": words}, status)
