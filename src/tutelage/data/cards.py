"""Model cards: a page in Markdown beside a saved model that says what it is, what is known of it, how to load it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

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
    named = ", ".join(f"`{name}`" for name in classes[:MOST])
    more = f" and {len(classes) - MOST} more" if len(classes) > MOST else ""
    parts = [HEAD.format(task=task, count=len(classes)), f"## Labels\n\n{named}{more}."]
    for title, lines in told.items():
        if lines:
            parts.append(f"## {title}\n\n" + "\n".join(f"- {line}" for line in lines))
    parts.append("## How to load it\n\n" + LOAD.format(folder=folder))
    return "\n\n".join(part.strip("\n") for part in parts) + "\n"
