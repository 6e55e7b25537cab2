"""A chat model behind an endpoint that answers as OpenAI's does, asked by the official client."""

from __future__ import annotations

import ipaddress
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, TypeVar
from urllib.parse import urlsplit
from urllib.request import getproxies, proxy_bypass

from tutelage.annotate.chat import ChatError, Reply, Request
from tutelage.annotate.replies import FIELD, SAID, Position, class_in, logs_in
from tutelage.ops.checks import lacking
from tutelage.ops.visible import visible
from tutelage.types import Say

OPENAI = "api.openai.com"
"""Host that the organisation and the project in the environment belong to."""

ALTERNATIVES = 20
"""Alternatives to each token that are asked for: the most that OpenAI tells."""

LETTERS = 4
"""Characters of a token, about, of a model whose tokenizer is not here."""

AROUND = 16
"""Tokens of an answer beside the class's name: the brackets of JSON and its key."""

GIVEN_UP = ("response_format", "logprobs", "seed", "temperature", "max_tokens")
"""Parameters that an endpoint may not take, in the order in which they are left out where it does not say which."""

PAUSE, LONGEST_PAUSE = 0.5, 8.0
"""Seconds before a reply that cannot be read is asked for again: at first, doubled each time, and at most."""

BEGUN = 0.01
"""The same share where it wrote a class: endpoints that let it write nothing else may tell the shares from before."""

T = TypeVar("T")


class _UnreadableError(Exception):
    """A reply is not one of chat completions."""


@dataclass(eq=False)
class Endpoint:
    """A chat model behind an endpoint.

    It is asked for JSON that holds one of the classes and nothing else (constrained choice), and for the alternatives
    to each token, from which the probabilities of the classes are read. What the endpoint does not take of that is left
    out, which is told by the first request. The client asks again on 429 and 5xx and where a connection breaks, after
    the time that Retry-After says, or after a time that doubles.

    Args:
        url: address of the endpoint, such as "https://api.openai.com/v1".
        model: name of the model there.
        key: the key; empty where none is needed. It is sent to the endpoint, and written nowhere.
        key_from: what holds the key, for messages.
        temperature: temperature of the sampling, at least 0; 0 takes the likeliest.
        seed: seed of the sampling, which some endpoints heed.
        seconds: seconds within which a reply must come, above 0.
        retries: how often a request is sent again, at least 0.
        say: called with a sentence on what the endpoint does not take.

    Raises:
        ValueError: the address is none of http, or holds a name and a password.
        ImportError: the client is not installed; the message names the extra.
    """

    url: str
    model: str
    key: str = field(default="", repr=False)
    key_from: str = "the key"
    temperature: float = 0.0
    seed: int = 0
    seconds: float = 60.0
    retries: int = 6
    say: Say = field(default=lambda line: None, repr=False)
    exact: bool = field(default=False, init=False)
    of_words: bool = field(default=True, init=False)
    _answered: bool = field(default=False, init=False, repr=False)
    _left_out: set[str] = field(default_factory=set, init=False, repr=False)
    _lock: threading.Lock = field(default_factory=threading.Lock, init=False, repr=False)

    def __post_init__(self) -> None:
        require_address(self.url)
        try:
            import openai  # noqa: F401
        except ImportError as e:
            raise lacking("an endpoint", "llm", e) from e

    @property
    def name(self) -> str:
        return self.model

    @property
    def host(self) -> str:
        return urlsplit(self.url).netloc

    @property
    def route(self) -> str:
        """Words on where texts go: the host, and a proxy that the environment names."""
        proxy = "" if is_loopback(self.url) else proxy_of(self.url)
        return f"{self.host} through the proxy {proxy}" if proxy else self.host

    @property
    def parameters(self) -> Mapping[str, Any]:
        return {"temperature": self.temperature, "seed": self.seed}

    @cached_property
    def _client(self) -> Any:
        import openai

        client = openai.OpenAI(
            api_key=self.key or "none", base_url=self.url, timeout=self.seconds, max_retries=self.retries,
            # texts go to this host alone; what is sent to this machine passes no proxy
            http_client=openai.DefaultHttpxClient(follow_redirects=False, trust_env=not is_loopback(self.url)),
        )  # fmt: skip
        if self.host != OPENAI:  # the environment's are OpenAI's own
            client.organization = client.project = None
        return client

    def close(self) -> None:
        """End the connections."""
        if "_client" in self.__dict__:
            self._client.close()

    def tokens(self, request: Request) -> tuple[int, int]:
        read = sum(len(message["content"]) for message in request.messages) // LETTERS + 8
        longest = max(len(name) for name in request.classes)
        return read, (AROUND // 2 + longest // LETTERS)

    def reply(self, request: Request, draw: int = 0) -> Reply:
        for attempt in range(self.retries + 1):
            try:
                return self._asked(request, draw)
            except _UnreadableError as e:
                if attempt == self.retries:
                    raise ChatError(f"{self.host} sends what is no chat completion: {self._told(e)}") from None
                time.sleep(min(PAUSE * 2**attempt, LONGEST_PAUSE))
        raise AssertionError  # the loop returns or raises

    def _asked(self, request: Request, draw: int) -> Reply:
        """One reply; parameters that the endpoint does not take are left out, one after the other.

        Raises:
            ChatError: the endpoint cannot be asked.
            _UnreadableError: what it sent is no chat completion.
        """
        import openai

        left_out = set(self._left_out)
        while True:
            try:
                found = self._read(self._send(request, draw, left_out), request)
            except (openai.BadRequestError, openai.UnprocessableEntityError) as e:
                if self._answered:  # it took the same of another text: it is this one
                    return Reply("", self.model, refused=self._told(e)[:200])
                rest = [name for name in GIVEN_UP if name not in left_out]
                if not rest:
                    raise ChatError(f"{self.host} refuses to be asked (400): {self._told(e)}") from None
                words = str(e)
                left_out |= {name for name in rest if name in words} or {rest[0]}
                continue
            except openai.APIStatusError as e:
                raise ChatError(self._of_status(e.status_code, self._told(e))) from None
            except openai.APITimeoutError:
                raise ChatError(
                    f"{self.host} did not reply within {self.seconds:g} seconds, asked {self.retries + 1} times; "
                    "--seconds waits longer"
                ) from None
            except openai.APIConnectionError as e:
                raise ChatError(f"{self.host} cannot be reached ({self._told(e.__cause__ or e)})") from None
            self._settle(left_out)
            return found

    def _settle(self, left_out: set[str]) -> None:
        """Remember, of the first reply, what the endpoint does not take."""
        with self._lock:
            if self._answered:
                return
            self._answered = True
            self._left_out.update(left_out)
        if left_out:
            named = ", ".join(name for name in GIVEN_UP if name in left_out)
            self.say(f"{self.host} does not take {named}: it is asked without.")

    def _send(self, request: Request, draw: int, left_out: set[str]) -> Any:
        schema = {
            "type": "object", "properties": {FIELD: {"type": "string", "enum": list(request.classes)}},
            "required": [FIELD], "additionalProperties": False,
        }  # fmt: skip
        asked: dict[str, Any] = {
            "response_format": {
                "type": "json_schema", "json_schema": {"name": "answer", "strict": True, "schema": schema}
            },
            "logprobs": True, "seed": self.seed + draw, "temperature": self.temperature,
            "max_tokens": AROUND + max(len(name) for name in request.classes),
        }  # fmt: skip
        asked = {name: value for name, value in asked.items() if name not in left_out}
        if "logprobs" in asked:
            asked["top_logprobs"] = ALTERNATIVES
        try:
            return self._client.chat.completions.create(model=self.model, messages=request.messages, **asked)
        except ValueError as e:  # a body that is no JSON
            raise _UnreadableError(f"{type(e).__name__}: {e}") from None

    def _read(self, found: Any, request: Request) -> Reply:
        """The reply in a chat completion.

        Raises:
            _UnreadableError: it is none.
        """

        def read() -> Reply:
            choice = found.choices[0]
            text, served = choice.message.content or "", found.model
            if not isinstance(text, str) or not isinstance(served, str):
                raise TypeError(f"text {text!r} of model {served!r}")
            used = found.usage
            about = self.tokens(request)
            tokens = about if used is None else (int(used.prompt_tokens), int(used.completion_tokens))
            tokens = tokens if min(tokens) >= 0 else about
            refusal = getattr(choice.message, "refusal", None)
            filtered = choice.finish_reason == "content_filter"
            refused = self._bare(str(refusal or ("by a filter" if filtered else "")))[:200]
            logs = None if refused else self._logs(choice, text, request)
            return Reply(self._bare(text), self._bare(served), logs, tokens, choice.finish_reason == "length", refused)

        return self._tried(read, found)

    def _tried(self, read: Callable[[], T], found: Any) -> T:
        try:
            return read()
        except (AttributeError, TypeError, IndexError, KeyError, ValueError) as e:
            raise _UnreadableError(f"{self._bare(str(found))[:120]!r} ({type(e).__name__})") from None

    def _logs(self, choice: Any, text: str, request: Request) -> tuple[float, ...] | None:
        content = None if choice.logprobs is None else choice.logprobs.content
        if not content:
            return None
        positions = []
        for each in content:
            options = {option.token: float(option.logprob) for option in each.top_logprobs or ()}
            options.setdefault(each.token, float(each.logprob))
            positions.append(Position(each.token, list(options.items())))
        named = class_in(text, request.classes) is not None
        return logs_in(positions, request.classes, BEGUN if named else SAID)

    def _of_status(self, status: int, words: str) -> str:
        """Words on a status that is not answered by asking again."""
        if status in (401, 403):
            key = f"what {self.key_from} holds" if self.key else f"no key: {self.key_from} holds none"
            return f"{self.host} refuses {key} ({status}): {words}"
        if status == 404:
            return f"{self.host} has no model {self.model!r}, or answers elsewhere than at {self.url} (404): {words}"
        if status == 429:
            return (
                f"{self.host} asks for a pause (429), longer than is waited for, or also after {self.retries + 1} "
                f"tries: {words}; call again later, or with --parallel 1"
            )
        if 300 <= status < 400:
            return f"{self.host} sends its callers elsewhere ({status}); name that address, since texts go to one alone"
        return f"{self.host} fails ({status}), also after {self.retries + 1} tries: {words}"

    def _told(self, e: BaseException) -> str:
        """Words of an error or of the endpoint, in one line, without the key."""
        words = getattr(e, "body", None)
        if isinstance(words, dict):
            words = words.get("message", words)
        return self._bare(visible(" ".join(str(words or e).split()), lines=False))[:300]

    def _bare(self, text: str) -> str:
        """A text without the key, which a server may send back."""
        return text.replace(self.key, "[the key]") if self.key else text


def require_address(url: str, option: str = "--endpoint") -> None:
    """Check that an address is one of http, and holds no secret.

    Args:
        url: the address.
        option: option that names it, for messages.

    Raises:
        ValueError: it is not, or does.

    >>> require_address("api.openai.com")
    Traceback (most recent call last):
    ValueError: --endpoint must be an address such as https://api.openai.com/v1, got 'api.openai.com'
    """
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise ValueError(f"{option} must be an address such as https://api.openai.com/v1, got {url!r}")
    if "@" in parts.netloc or parts.query:
        raise ValueError(
            f"{option} must be an address without a name, a password or a key in it; the environment holds the key"
        )


def proxy_of(url: str) -> str:
    """Address of the proxy that the environment names for an address, without name and password; empty for none.

    Args:
        url: the address.
    """
    parts, proxies = urlsplit(url), getproxies()
    found = proxies.get(parts.scheme) or proxies.get("all") or ""
    return "" if not found or proxy_bypass(parts.hostname or "") else urlsplit(found).netloc.rpartition("@")[2] or found


def is_loopback(url: str) -> bool:
    """Whether an address is this machine's own.

    >>> is_loopback("http://127.0.0.1:8000/v1"), is_loopback("http://localhost/v1"), is_loopback("http://10.0.0.1/v1")
    (True, True, False)
    """
    host = urlsplit(url).hostname or ""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost" or host.endswith(".localhost")
