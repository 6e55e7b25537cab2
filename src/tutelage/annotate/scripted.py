"""A chat model whose replies are written beforehand: for rules of a user's own, and for tests."""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tutelage.annotate.chat import Reply, Request
from tutelage.files import naming
from tutelage.tables import DataError, require_regular
from tutelage.tables.cells import why_no_json
from tutelage.weak.teachers import NEAR

ELSE = "*"
"""Key of the reply to all texts that a script does not name."""

Written = str | Mapping[str, float]
"""What a script replies to a text: words, or a probability for each class."""


@dataclass(frozen=True)
class Scripted:
    """A chat model that replies what is written beforehand.

    Args:
        says: reply to a text, called with the text; "" is silent.
        name: name by which replies are kept.

    >>> from tutelage.annotate.prompts import Prompt
    >>> Scripted(lambda text: "spam" if "win" in text else "ham").reply(Prompt(("spam", "ham")).request("you win")).text
    'spam'
    """

    says: Callable[[str], Written] = field(repr=False)
    name: str = "script"
    host: str = ""
    exact: bool = True
    of_words: bool = False

    @classmethod
    def read(cls, path: Path) -> Scripted:
        """A script from a .json file: an object of replies by text, of which that of "*" is for all other texts.

        Raises:
            DataError: the file cannot be read, or a reply is neither words nor probabilities that sum to one.
        """
        require_regular(path)
        if not path.is_file():
            raise DataError(f"{path}: no such file")
        try:
            with naming(path):
                data = path.read_bytes()
            found = json.loads(data)
        except (ValueError, RecursionError) as e:
            raise DataError(f"{path}: not readable as json ({why_no_json(e)})") from e
        if not isinstance(found, dict):
            raise DataError(f'{path}: a script is an object, {{"TEXT": "CLASS", "{ELSE}": "CLASS"}}')
        for text, reply in found.items():
            if not (isinstance(reply, str) or _is_distribution(reply)):
                raise DataError(
                    f"{path}: the reply to {text[:40]!r} must be a text, or an object of classes with probabilities "
                    f"that sum to one, got {str(reply)[:60]}"
                )
        name = f"{path.name} {hashlib.sha256(data).hexdigest()[:16]}"
        written: Mapping[str, Written] = found
        return cls(lambda text: written.get(text, written.get(ELSE, "")), name)

    @property
    def parameters(self) -> Mapping[str, Any]:
        return {}

    def tokens(self, request: Request) -> tuple[int, int]:
        return 0, 0

    def reply(self, request: Request, draw: int = 0) -> Reply:
        said = self.says(request.text)
        if isinstance(said, str):
            return Reply(said, self.name)
        if strange := set(said) - set(request.classes):
            raise DataError(f"{self.name}: {sorted(strange)[0]!r} is none of the classes {', '.join(request.classes)}")
        total = sum(said.values())  # which rounding may take from 1
        logs = tuple(math.log(max(said.get(name, 0.0) / total, 1e-12)) for name in request.classes)
        return Reply(max(said, key=lambda name: said[name]), self.name, logs)


def _is_distribution(reply: Any) -> bool:
    if not isinstance(reply, dict) or not reply:
        return False
    numbers = list(reply.values())
    known = all(isinstance(v, int | float) and not isinstance(v, bool) and 0 <= v <= 1 for v in numbers)
    return known and abs(sum(numbers) - 1) <= NEAR
