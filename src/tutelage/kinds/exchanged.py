"""Items and labels of a kind, as the files of annotation tools have them, and back."""

from __future__ import annotations

from abc import ABC, abstractmethod
from pathlib import Path
from typing import Any, ClassVar

import numpy as np

from tutelage.exchange import Label, Span
from tutelage.kinds.entries import Entries
from tutelage.ops.tags import Offsets, entities, from_spans


class Exchanged(ABC):
    """How a kind's items and labels are exchanged with annotation tools.

    Attributes:
        spans: whether its labels are spans of a text.
    """

    spans: ClassVar[bool] = False

    @abstractmethod
    def item(self, found: Entries, i: int, cell: Any) -> dict[str, str]:
        """The i-th entry's item, as "text" or "image".

        Args:
            found: entries of a table.
            i: number of the entry, from 0.
            cell: its cell in the table.

        Raises:
            ValueError: it cannot be given to a tool.
        """

    def label(self, found: Entries, i: int, label: Any) -> Label | None:
        """A label of the i-th entry, as entries have them or as a guess in words; None where it is none."""
        return (str(label),)

    def cell(self, found: Entries, i: int, label: Label) -> Any:
        """Cell of a table that holds a label of the i-th entry.

        Raises:
            ValueError: the kind has no such label.
        """
        if len(label) != 1:
            raise ValueError(f"it has several classes ({', '.join(map(str, label))}), and one is learnt")
        return label[0]


class Written(Exchanged):
    """Texts that have one class each."""

    def item(self, found: Entries, i: int, cell: Any) -> dict[str, str]:
        return {"text": str(found.items[i])}


class Depicted(Exchanged):
    """Images that have one class each."""

    def item(self, found: Entries, i: int, cell: Any) -> dict[str, str]:
        if not isinstance(found.items[i], str | Path):
            raise ValueError("the image lies within the table, and tools take files: write it to one")
        return {"image": str(Path(found.items[i]).resolve())}


class Marked(Exchanged):
    """Sentences whose words have tags, which are spans of a text elsewhere."""

    spans = True

    def item(self, found: Entries, i: int, cell: Any) -> dict[str, str]:
        return {"text": cell if found.offsets and isinstance(cell, str) else " ".join(found.items[i])}

    def label(self, found: Entries, i: int, label: Any) -> Label | None:
        tags = label.split(" ") if isinstance(label, str) else [tag or "O" for tag in label]
        if len(tags) != len(found.items[i]):
            return None
        places = _places(found, i)
        return tuple(Span(places[a][0], places[b - 1][1], kind) for a, b, kind in entities(tags))

    def cell(self, found: Entries, i: int, label: Label) -> Any:
        spans = [(part.start, part.end, part.type) for part in label if isinstance(part, Span)]
        places = _places(found, i)
        tags, _ = from_spans(places, spans, max((span[1] for span in spans), default=0))
        return [list(span) for span in spans] if found.offsets else tags


def _places(found: Entries, i: int) -> Offsets:
    """Start and end of each word of a sentence in its text."""
    if found.offsets:
        places: Offsets = found.offsets[i]
        return places
    ends = np.cumsum([len(word) + 1 for word in found.items[i]]).tolist()
    return [(end - 1 - len(word), end - 1) for word, end in zip(found.items[i], ends, strict=True)]


WRITTEN, DEPICTED, MARKED = Written(), Depicted(), Marked()
"""The ways in which kinds are exchanged."""
