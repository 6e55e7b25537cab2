"""Requests that are not answered: why, and the status of HTTP that says so."""

from __future__ import annotations

from collections.abc import Mapping


class RefusedError(ValueError):
    """A request that is refused.

    Args:
        status: status of HTTP.
        messages: what is wrong with it, a sentence each.
        headers: headers of the answer.
    """

    def __init__(self, status: int, *messages: str, headers: Mapping[str, str] | None = None) -> None:
        self.status, self.messages, self.headers = status, list(messages), dict(headers or {})
        super().__init__("\n".join(messages))
