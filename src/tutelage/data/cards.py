"""Model cards: a page in Markdown beside a saved model that says what it is, what is known of it, how to load it."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from tutelage.ops.visible import visible

NAME = "README.md"
"""Name of the file."""

MOST = 50
"""Largest number of classes that a card names."""

HEAD = """---
library_name: tutelage
tags: [tutelage, {task}]
---

# A {task} model of {count} classes, fitted by Tutelage
"""
LOAD = """```python
import tutelage

model = tutelage.load("{folder}")
model.probabilities(items)  # (n, classes), of items as the model was trained on; columns as in model.classes
```

Loading runs no code of the folder: weights are safetensors, and the rest is JSON."""


@dataclass(frozen=True)
class Use:
    """How a folder that was written for other programs is used, for the page that lies in it.

    Attributes:
        library: library that reads it, as the Hub names it.
        difference: largest difference of a probability from the model's own, in [0, 1].
        items: number of items on which it was found.
        code: lines of Python that use it.
        notes: sentences on what has to be known of it, in Markdown.
        max_length: number of tokens at which texts are cut; None where no tokens are read.
        tags: words by which it is found on the Hub.
    """

    library: str
    difference: float
    items: int
    code: str
    notes: Sequence[str] = ()
    max_length: int | None = None
    tags: Sequence[str] = ()


_MEANS = re.compile(r"([\\`*_{}\[\]<>#|~&!$])")


def plain(text: object) -> str:
    r"""A text as Markdown that shows it as it is, in one line: neither markup nor HTML of it means anything.

    Args:
        text: words of any origin, such as the name of a class.

    >>> print(plain("a|b <b>*x*</b>\n---"))
    a\|b \<b\>\*x\*\</b\>\\n---
    """
    return _MEANS.sub(r"\\\1", visible(str(text), lines=False))


def as_code(text: object) -> str:
    r"""A text between backticks, in one line.

    >>> as_code("ham"), as_code("a`b")
    ('`ham`', '`` a`b ``')
    """
    shown = visible(str(text), lines=False)
    fence = "`" * (1 + max((len(run) for run in re.findall("`+", shown)), default=0))
    return f"{fence}{shown}{fence}" if len(fence) == 1 and shown.strip() else f"{fence} {shown} {fence}"


def sections(told: Mapping[str, Sequence[str]]) -> list[str]:
    """Lists of sentences, each below its heading; a heading without sentences is left out.

    Args:
        told: sentences, in Markdown, under each heading, in order.
    """
    return [f"## {title}\n\n" + "\n".join(f"- {line}" for line in lines) for title, lines in told.items() if lines]


def card(folder: str, task: str, classes: Sequence[str], told: Mapping[str, Sequence[str]]) -> str:
    """The card of a model.

    Args:
        folder: name of the folder that the model is saved in.
        task: name of its task.
        classes: names of its classes.
        told: sentences under each heading, in order; a heading without sentences is left out.

    >>> page = card("model", "classification", ["ham", "spam"], {"Scores": ["Accuracy 90 %."], "Limits": []})
    >>> [line for line in page.splitlines() if line.startswith("#")]
    ['# A classification model of 2 classes, fitted by Tutelage', '## Labels', '## Scores', '## How to load it']
    """
    named = ", ".join(map(as_code, classes[:MOST]))
    more = f" and {len(classes) - MOST} more" if len(classes) > MOST else ""
    parts = [HEAD.format(task=task, count=len(classes)), f"## Labels\n\n{named}{more}."]
    parts += sections({title: [visible(line, lines=False) for line in lines] for title, lines in told.items()})
    parts.append("## How to load it\n\n" + LOAD.format(folder=folder))
    return "\n\n".join(part.strip("\n") for part in parts) + "\n"
