"""The service as an ASGI app: who may ask, how much, and what is answered."""

from __future__ import annotations

import asyncio
import hmac
import time
import traceback
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import ClientDisconnect, Request
from starlette.responses import HTMLResponse, JSONResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from tutelage.serve.answering import Question, Reply, asked_by, reply_to
from tutelage.serve.batches import Batches
from tutelage.serve.bodies import Limits, accepted, content_type
from tutelage.serve.described import openapi, page
from tutelage.serve.metrics import NUMBERS, Metrics
from tutelage.serve.refusals import RefusedError
from tutelage.serve.served import Service
from tutelage.types import Say

THREADS = 64
"""Requests that are read at the same time; each has a thread, in which it waits for the model."""

OPEN = "/healthz"
"""Path that needs no token."""

PAGE_MAY = "default-src 'none'; img-src data:; style-src 'unsafe-inline'; frame-ancestors 'none'"
"""What a browser may load for the page: nothing but what is in it."""


@dataclass(frozen=True)
class Allowed:
    """Who may ask.

    Attributes:
        token: word that each request must bring; None asks for none.
        hosts: names by which the service may be called where no token is asked for, so that no page of a stranger
            reaches it by a name of its own that leads here; empty allows all.
    """

    token: str | None = None
    hosts: Sequence[str] = ()

    def refuses(self, path: str, request: Request) -> RefusedError | None:
        """Why a request is refused; None where it is not."""
        if self.token is not None:
            if path == OPEN:
                return None
            kind, _, given = request.headers.get("authorization", "").partition(" ")
            same = hmac.compare_digest(given.strip().encode(), self.token.encode())
            if kind.lower() == "bearer" and same:
                return None
            return RefusedError(
                401, "Authorization: Bearer TOKEN is needed", headers={"WWW-Authenticate": 'Bearer realm="tutelage"'}
            )
        if self.hosts and _name(request.headers.get("host", "")) not in self.hosts:
            return RefusedError(403, "the service is not called by this name; see Host")
        return None


def _name(host: str) -> str:
    """Name in a header Host, without the port.

    >>> _name("localhost:8000"), _name("[::1]:80")
    ('localhost', '::1')
    """
    return host[1:].partition("]")[0] if host.startswith("[") else host.partition(":")[0].lower()


@dataclass
class App:
    """What answers.

    Attributes:
        service: what is served.
        metrics: numbers on it.
        limits: how much may be asked.
        allowed: who may ask.
        say: told of faults of Tutelage itself, without a word of a request.
        abstain: share of wrong labels where a request names none; None labels every row.
        safe: whether cells of csv that look like formulas are made harmless.
    """

    service: Service
    metrics: Metrics
    limits: Limits
    allowed: Allowed
    say: Say
    abstain: float | None = None
    safe: bool = False
    waiting: int = field(default=0, init=False)

    def __post_init__(self) -> None:
        self.batches = Batches(self.metrics.batch.observe)
        self.pool = ThreadPoolExecutor(THREADS, thread_name_prefix="tutelage-request")

    def made(self) -> Starlette:
        """The app."""
        routes = [
            Route("/predict", self.predict, methods=["POST"]),
            Route("/reload", self.reload, methods=["POST"]),
            Route(OPEN, self.health), Route("/metrics", self.numbers), Route("/openapi.json", self.schema),
            Route("/", self.page),
        ]  # fmt: skip
        return Starlette(
            routes=routes, middleware=[Middleware(Guard, app_of=self)],
            exception_handlers={HTTPException: _as_json, RefusedError: _refused},
        )  # fmt: skip

    async def predict(self, request: Request) -> Response:
        """Predictions of the rows of a request."""
        if self.waiting >= self.limits.waiting:
            raise RefusedError(503, "too many requests wait; come again", headers={"Retry-After": "1"})
        self.waiting += 1
        self.metrics.waiting.set(self.waiting)
        try:
            reply = await self._reply(request)
        finally:
            self.waiting -= 1
            self.metrics.waiting.set(self.waiting)
        self.metrics.rows.inc(reply.rows)
        return Response(reply.data, media_type=reply.kind)

    async def _reply(self, request: Request) -> Reply:
        headers = request.headers
        kind, answer = content_type(headers.get("content-type", "")), accepted(headers.get("accept", ""))
        if headers.get("content-encoding", "identity").lower() != "identity":
            raise RefusedError(415, "the body must not be packed: leave out Content-Encoding")
        abstain, classes = asked_by(request.query_params.multi_items(), self.abstain)
        question = Question(await self._body(request), kind, answer, abstain, classes)
        about = (question, self.service.current, self.batches, self.limits, self.safe)
        return await asyncio.get_running_loop().run_in_executor(self.pool, reply_to, *about)

    async def _body(self, request: Request) -> bytes:
        """Body of a request.

        Raises:
            RefusedError: it is too large, or does not arrive in time.
        """
        most, parts, count = self.limits.bytes, [], 0
        large = RefusedError(413, f"the body has more than {most:,} bytes; ask of its rows in several requests")
        if request.headers.get("content-length", "").isdecimal() and int(request.headers["content-length"][:20]) > most:
            raise large
        try:
            async with asyncio.timeout(self.limits.seconds):
                async for part in request.stream():
                    count += len(part)
                    if count > most:
                        raise large
                    parts.append(part)
        except TimeoutError as e:
            raise RefusedError(408, f"the body did not arrive within {self.limits.seconds:g} seconds") from e
        except ClientDisconnect as e:
            raise RefusedError(400, "the client went away") from e
        return b"".join(parts)

    async def reload(self, request: Request) -> Response:
        """Load the run again, and serve it from now on."""
        if self.allowed.token is None:
            raise RefusedError(403, "start the service with a token to load a run by a request; or send SIGHUP")
        why = await asyncio.to_thread(self.service.reload)
        if why is not None:
            raise RefusedError(409, why)
        return JSONResponse({"model": self.service.current.fingerprint})

    async def health(self, request: Request) -> Response:
        """Whether it answers."""
        return JSONResponse({"status": "ok"})

    async def numbers(self, request: Request) -> Response:
        """Numbers for Prometheus."""
        return Response(self.metrics.text(self.service.current), media_type=NUMBERS)

    async def schema(self, request: Request) -> Response:
        """Description for programs."""
        return JSONResponse(openapi(self.service.current, self.limits, self.allowed.token is not None))

    async def page(self, request: Request) -> Response:
        """Description for people."""
        shown = page(self.service.current, self.limits, self.allowed.token is not None)
        return HTMLResponse(shown, headers={"Content-Security-Policy": PAGE_MAY})

    def fault(self, error: Exception) -> Response:
        """Answer to a request that met a fault of Tutelage itself, which is said without a word of the request."""
        at = traceback.extract_tb(error.__traceback__)[-1]
        self.say(f"A fault of Tutelage: {type(error).__name__} at {Path(at.filename).name}:{at.lineno}.")
        return JSONResponse({"errors": ["a fault of the service"]}, 500)


@dataclass
class Guard:
    """Middleware that lets in who may ask, and counts.

    Attributes:
        app: the app behind it.
        app_of: what answers.
    """

    app: ASGIApp
    app_of: App

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        begin, status = time.perf_counter(), 500
        path = next((route.path for route in _routes(scope) if route.path == scope["path"]), "other")

        async def counted(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        refused = self.app_of.allowed.refuses(path, Request(scope))
        try:
            if refused is not None:
                await _refused(Request(scope), refused)(scope, receive, counted)
            else:
                await self.app(scope, receive, counted)
        except Exception as e:
            await self.app_of.fault(e)(scope, receive, counted)
        metrics = self.app_of.metrics
        metrics.requests.labels(path, str(status)).inc()
        if status >= 400:
            metrics.errors.inc()
        elif path == "/predict":
            metrics.seconds.observe(time.perf_counter() - begin)


def _routes(scope: Scope) -> Sequence[Route]:
    return [route for route in scope["app"].routes if isinstance(route, Route)]


def _refused(request: Request, error: Exception) -> Response:
    """The answer to a request that is refused."""
    assert isinstance(error, RefusedError)
    return JSONResponse({"errors": error.messages}, error.status, error.headers)


def _as_json(request: Request, error: Exception) -> Response:
    """The answer to a request for a path or a method that there is none of."""
    assert isinstance(error, HTTPException)
    return JSONResponse({"errors": [error.detail]}, error.status_code, error.headers)
