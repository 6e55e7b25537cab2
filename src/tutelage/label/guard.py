"""Who may ask: the browser that was given the token, on this machine, from a page of this server."""

from __future__ import annotations

import hmac
from collections.abc import Sequence
from dataclasses import dataclass
from http.cookies import CookieError, SimpleCookie
from urllib.parse import parse_qs

from starlette.datastructures import Headers
from starlette.responses import HTMLResponse, PlainTextResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

MAY_LOAD = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
    "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
"""What a browser may load for the page: its own files alone."""

HOST = "127.0.0.1"
"""Address of a page: this machine alone reaches it."""

SENT = {
    "content-security-policy": MAY_LOAD, "x-content-type-options": "nosniff", "referrer-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin", "cross-origin-opener-policy": "same-origin",
    "cache-control": "no-store",
}  # fmt: skip
"""Headers of every answer."""


@dataclass
class Guard:
    """Middleware that lets in who may ask.

    A page of a stranger may lead a browser here by a name of its own, which Host tells, or send a form here, which
    Origin tells; neither has the cookie, which the browser sends to pages of this server alone.

    Attributes:
        app: the app behind it.
        token: word that opens it, at least 16 characters.
        port: port of the server.
        names: names by which the server may be called.
    """

    app: ASGIApp
    token: str
    port: int
    names: Sequence[str] = ("127.0.0.1", "localhost", "[::1]")

    @property
    def cookie(self) -> str:
        """Name of the cookie; servers on other ports have others."""
        return f"tutelage_{self.port}"

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return

        async def sent(message: Message) -> None:
            if message["type"] == "http.response.start":
                there = {name.lower() for name, _ in message["headers"]}
                more = [(k.encode(), v.encode()) for k, v in SENT.items() if k.encode() not in there]
                message = {**message, "headers": [*message["headers"], *more]}
            await send(message)

        refused = self.refuses(scope)
        await (refused or self.app)(scope, receive, sent)

    def refuses(self, scope: Scope) -> Response | None:
        """The answer to a request that is refused, or that brings the token in its address; None lets it in."""
        headers, reads = Headers(scope=scope), scope["method"] in ("GET", "HEAD")
        allowed = {f"{name}:{self.port}" for name in self.names}
        if headers.get("host", "") not in allowed:
            return _no(403, "this server is not called by this name")
        given = parse_qs(scope["query_string"].decode("latin-1")).get("token", [""])[0]
        if reads and given and self._is(given):
            return self._opened()
        origin, site = headers.get("origin"), headers.get("sec-fetch-site", "none")
        strange = origin is not None and origin not in {f"http://{name}" for name in allowed}
        if site not in ("none", "same-origin") or (strange and not reads):
            return _no(403, "another page sent this")
        if self._is(_cookie(headers.get("cookie", ""), self.cookie)):
            return None if reads or origin is not None else _no(403, "no page of this server sent this")
        kind, _, word = headers.get("authorization", "").partition(" ")
        return None if kind.lower() == "bearer" and self._is(word.strip()) else _no(401, ASKS)

    def _is(self, given: str) -> bool:
        return hmac.compare_digest(given.encode(), self.token.encode())

    def _opened(self) -> Response:
        """An answer that leads to the page without the token in its address.

        It is a page of its own and no redirection: a browser that came from elsewhere would send no strict cookie.
        """
        found = HTMLResponse(LEADS)
        found.set_cookie(self.cookie, self.token, httponly=True, samesite="strict", path="/")
        return found


LEADS = (
    '<!doctype html><html lang="en"><title>tutelage</title><link rel="icon" href="data:,">'
    '<meta http-equiv="refresh" content="0;url=/"><p><a href="/">Go on</a></p>'
)
"""Page that leads to the page itself."""

ASKS = "open the address that the program printed: it holds the token"
"""What to do without the token."""


def _cookie(text: str, name: str) -> str:
    """Value of a cookie; empty where there is none."""
    try:
        found = SimpleCookie(text).get(name)
    except CookieError:
        return ""
    return "" if found is None else found.value


def _no(status: int, why: str) -> Response:
    return PlainTextResponse(f"Refused: {why}.\n", status)
