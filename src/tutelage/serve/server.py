"""The server of the service: its socket, its signals, its log."""

from __future__ import annotations

import errno
import ipaddress
import logging
import signal
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any

import uvicorn
from starlette.types import ASGIApp

from tutelage.types import Say

KEPT = 75
"""Seconds that a connection is kept without a request: longer than the minute after which most proxies end it."""


GRACE = 60
"""Seconds, at most, in which requests are answered after the server was asked to end: a client may never read."""


def is_loopback(host: str) -> bool:
    """Whether only programs of this machine reach a host.

    >>> is_loopback("127.0.0.1"), is_loopback("localhost"), is_loopback("0.0.0.0"), is_loopback("::1")
    (True, True, False, True)
    """
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def listening(host: str, port: int) -> socket.socket:
    """A socket that listens, before anything is loaded, so that a port that is taken is told at once.

    Args:
        host: address to listen on.
        port: port to listen on, from 0 (any that is free) to 65,535.

    Raises:
        ValueError: it cannot be listened on.
    """
    if not 0 <= port <= 65_535:
        raise ValueError(f"--port must be in [0, 65535], got {port}")
    try:
        kind = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)[0][0]
        found = socket.create_server((host, port), family=kind, backlog=2048)
        found.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)  # else each answer waits for an acknowledgement
        return found
    except OSError as e:
        if e.errno == errno.EADDRINUSE:
            raise ValueError(
                f"--port {port} of {host} is taken by another program; name another, or end that program"
            ) from e
        if e.errno == errno.EACCES:
            raise ValueError(f"--port {port}: ports below 1024 are for the administrator; name another") from e
        raise ValueError(f"--host {host}: {e.strerror or e}; name an address of this machine") from e


class _Log(logging.Handler):
    """Passes on what the server says, without a trace, which may hold words of a request."""

    def __init__(self, say: Say) -> None:
        super().__init__(logging.ERROR)
        self.say = say

    def emit(self, record: logging.LogRecord) -> None:
        self.say(record.getMessage().split("\n")[0])


class Server(uvicorn.Server):
    """A server that ends with code 0 where it is asked to, once all requests are answered.

    Args:
        app: the app.
        say: told of faults.
        ready: called once it answers.
        reload: called where SIGHUP arrives, in a thread of its own.
    """

    def __init__(self, app: ASGIApp, say: Say, ready: Callable[[], object], reload: Callable[[], object]) -> None:
        config = uvicorn.Config(
            app, loop="asyncio", http="h11", ws="none", lifespan="off", log_config=None, access_log=False,
            proxy_headers=False, server_header=False, timeout_keep_alive=KEPT,
            timeout_graceful_shutdown=GRACE,
        )  # fmt: skip
        super().__init__(config)
        self.ready, self.reload, self.interrupted = ready, reload, False
        self._asked, self._loading = threading.Event(), threading.Lock()
        log = logging.getLogger("uvicorn.error")
        log.handlers, log.propagate = [_Log(say)], False

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Begin to answer."""
        await super().startup(sockets)
        self.ready()

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Context in which signals end the server, or load the run again; else uvicorn would end by the signal."""
        if threading.current_thread() is not threading.main_thread():  # another one hears no signals
            yield
            return
        own: dict[int, Any] = {signal.SIGTERM: self._end, signal.SIGINT: self._end}
        if hasattr(signal, "SIGHUP"):
            own[signal.SIGHUP] = self._load
        before = {number: signal.signal(number, handler) for number, handler in own.items()}
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)

    def _end(self, number: int, frame: FrameType | None) -> None:
        self.interrupted = self.interrupted or number == signal.SIGINT
        self.handle_exit(number, frame)

    def _load(self, number: int, frame: FrameType | None) -> None:
        self._asked.set()
        threading.Thread(target=self._load_once, daemon=True).start()

    def _load_once(self) -> None:
        """Load the run again, once for all signals that arrived before it began."""
        with self._loading:
            if self._asked.is_set():
                self._asked.clear()
                self.reload()
