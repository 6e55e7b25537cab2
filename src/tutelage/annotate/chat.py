"""What a chat model is asked about one text, and what it replies: the one interface of all chat models."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol, runtime_checkable


class ChatError(OSError):
    """A chat model cannot be loaded, reached or asked."""


@dataclass(frozen=True)
class Request:
    """What is asked about one text.

    Attributes:
        text: the text as it stands in the table.
        system: the task, which no text can change.
        before: what stands before the text in the user's message.
        row: the text as it stands in the message.
        after: what stands behind it.
        classes: names of the classes, of which one is the answer.
    """

    text: str
    system: str
    before: str
    row: str
    after: str
    classes: tuple[str, ...]

    @property
    def messages(self) -> list[dict[str, str]]:
        """The messages, as chat models take them."""
        user = f"{self.before}{self.row}{self.after}"
        return [{"role": "system", "content": self.system}, {"role": "user", "content": user}]


@dataclass(frozen=True)
class Reply:
    """What a chat model replied.

    Attributes:
        text: what it wrote.
        served: name that the model gives itself.
        logs: logarithm of each class's probability, normalised over the classes; None where it told none, or where
            less than half of what it might have written begins a class.
        tokens: number of tokens that it read and wrote.
        cut: whether it was stopped before its end.
        refused: why this one text was refused; empty where it was not.
    """

    text: str
    served: str
    logs: tuple[float, ...] | None = None
    tokens: tuple[int, int] = (0, 0)
    cut: bool = False
    refused: str = ""


@runtime_checkable
class ChatModel(Protocol):
    """A chat model: an endpoint, a model on this machine, or a script."""

    @property
    def name(self) -> str:
        """Name by which its replies are kept: another model has another one."""

    @property
    def host(self) -> str:
        """Host that texts are sent to; empty where they stay on this machine."""

    @property
    def parameters(self) -> Mapping[str, Any]:
        """Plain values that its replies depend on, beside the messages."""

    @property
    def exact(self) -> bool:
        """Whether each reply holds the probabilities that it has, so that several replies tell no more than one."""

    @property
    def of_words(self) -> bool:
        """Whether its probabilities are those of words that it would write, of which some are likelier than others."""

    def tokens(self, request: Request) -> tuple[int, int]:
        """Number of tokens that it will read and write, about."""

    def reply(self, request: Request, draw: int = 0) -> Reply:
        """What it replies.

        Args:
            request: what is asked.
            draw: number of the reply among several to one request, from 0.

        Raises:
            ChatError: it cannot be asked at all.
        """


def key_of(model: ChatModel, request: Request, draw: int = 0) -> str:
    """Hash by which a reply is kept: of the model's name, the messages and the parameters, 64 hexadecimal digits.

    Args:
        model: the model.
        request: what is asked.
        draw: number of the reply among several to one request.
    """
    asked = [model.name, request.messages, list(request.classes), dict(model.parameters), draw]
    return hashlib.sha256(json.dumps(asked, sort_keys=True).encode()).hexdigest()
