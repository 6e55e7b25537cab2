"""What the results of Label Studio's annotations say: choices, texts, spans and painted masks."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from html.parser import HTMLParser
from typing import Any

from tutelage.tables.exports.brush import mask_of
from tutelage.tables.exports.made import is_whole, many, one_label
from tutelage.tables.exports.utf16 import in_characters, is_wide

Value = Mapping[str, Any]
"""Value of one result, such as {"choices": ["food"]} or {"start": 0, "end": 3, "labels": ["PER"]}."""
REGION = {"start", "end", "x", "y", "points", "rle", "ranges", "startOffset", "globalOffsets"}
"""Keys of values that speak of a part of an item."""
SIZE = {
    "format", "original_width", "original_height", "width", "height", "radiusX", "radiusY", "rotation", "text", "id",
    "parentID", "type",
}  # fmt: skip
"""Keys of values that do not tell what a value is."""
CHOICES, TEXT, SPANS, HTML, MASK = "choices", "text", "spans", "spans of HTML", "mask"
"""Words for the values that are read."""
BACKGROUND = "background"
"""Name of the class of pixels that no brush painted."""


def kind_of(value: Value) -> str:
    """Word for what a value holds: one of those that are read, or the tool's own word.

    >>> kind_of({"choices": ["food"]}), kind_of({"start": 0, "end": 3, "labels": ["PER"]}), kind_of({"rating": 4})
    ('choices', 'spans', 'rating')
    """
    keys = set(value)
    if "rle" in keys:
        return MASK if _names(value) else "brush without a label"
    for name in ("choices", "taxonomy"):
        if name in keys:
            return f"{name} of regions" if keys & REGION else CHOICES
    if "hypertextlabels" in keys or ("labels" in keys and "globalOffsets" in keys):
        offsets = value.get("globalOffsets")
        known = isinstance(offsets, dict) and is_whole(offsets.get("start")) and is_whole(offsets.get("end"))
        return HTML if known else "hypertextlabels"
    if "labels" in keys and is_whole(value.get("start")) and is_whole(value.get("end")) and "channel" not in keys:
        return SPANS
    if keys - SIZE == set() and "text" in keys:
        return TEXT
    other = sorted(keys - REGION - SIZE)
    labelled = [key for key in other if key.endswith("labels")]
    word = (labelled or other or ["region without a label"])[0]
    return "pairwise" if word == "selected" else word


def _names(value: Value) -> list[str]:
    """Labels of a region, in whichever key they are."""
    keys = [key for key in value if key.endswith("labels")]
    found = value[keys[0]] if keys else None
    return [str(name) for name in found] if isinstance(found, list) else []


@dataclass
class Values:
    """What the values of all annotations of a file hold.

    Attributes:
        columns: what each column of labels holds, by the name of its control.
        unread: number of values that are not read, by what they hold.
        unread_in: what the values of each control hold that are not read.
        masks: names of the painted classes by control.
        units: number of spans whose own text is found by UTF-16 units only, and by characters only.
        unfit: number of annotations whose values cannot be read, by the reason.
        empty: number of annotations without a value.
        moved: number of spans whose offsets were UTF-16 units and are counted in characters now.
    """

    columns: dict[str, str] = field(default_factory=dict)
    unread: Counter[str] = field(default_factory=Counter)
    unread_in: dict[str, str] = field(default_factory=dict)
    masks: dict[str, set[str]] = field(default_factory=dict)
    units: Counter[str] = field(default_factory=Counter)
    unfit: Counter[str] = field(default_factory=Counter)
    empty: int = 0
    moved: int = 0

    def see(self, given: Mapping[str, Sequence[Value]], data: Mapping[str, Any]) -> None:
        """Take note of the values of an annotation, by control, and of the data of its task."""
        for control, values in given.items():
            for value in values:
                kind = kind_of(value)
                if kind not in (CHOICES, TEXT, SPANS, HTML, MASK):
                    self.unread[f"{control} ({kind})"] += 1
                    self.unread_in.setdefault(control, kind)
                    continue
                self.columns.setdefault(control, kind)
                if kind == MASK:
                    self.masks.setdefault(control, set()).update(_names(value))
                if kind == SPANS:
                    self.units[unit_of(value, data)] += 1

    @property
    def in_utf16(self) -> bool:
        """Whether spans count UTF-16 units, all alike."""
        return self.units["utf-16"] > 0 and not self.units["characters"]

    def classes(self) -> dict[str, list[str]]:
        """Names of the classes of masks by control, in the order of their numbers."""
        return {control: [BACKGROUND, *sorted(names)] for control, names in self.masks.items()}

    def label(self, control: str, values: Sequence[Value] | None, data: Mapping[str, Any]) -> Any:
        """Label of an annotation in one column; None where it has none there.

        Args:
            control: name of the control.
            values: what the annotation says there; None where it says nothing.
            data: data of the task.
        """
        kind, values = self.columns[control], values or []
        strange = {kind_of(value) for value in values} - {kind}
        if kind == MASK and strange:
            self.unfit[f"shapes other than a brush in {control}"] += 1
            return None
        values = [value for value in values if kind_of(value) == kind]
        try:
            return self._label(kind, control, values, data)
        except ValueError as error:
            self.unfit[str(error)] += 1
            return None

    def _label(self, kind: str, control: str, values: Sequence[Value], data: Mapping[str, Any]) -> Any:
        if kind == CHOICES:
            return one_label([name for value in values for name in _chosen(value)])
        if kind == TEXT:
            lines = [line for value in values for line in _lines(value)]
            return "\n".join(lines) or None
        if kind == SPANS:
            return sorted(span for value in values for span in self._spans(value, data))
        if kind == HTML:
            return spans_in_html(values, data)
        numbers = {name: i for i, name in enumerate(self.classes()[control])}
        regions = [(_names(value)[0], value) for value in values]
        if len(numbers) > 256:
            raise ValueError(f"{len(numbers) - 1} classes of brushes are more than a mask's 255")
        return mask_of(regions, numbers) if regions else None

    def _spans(self, value: Value, data: Mapping[str, Any]) -> list[list[Any]]:
        start, end = value["start"], value["end"]
        if not self.in_utf16 and unit_of(value, data) == "utf-16":
            start, end = _moved(value, data)
            self.moved += 1
        return [[start, end, name] for name in _names(value)]

    def phrases(self) -> list[str]:
        """Phrases on what was not read, or is odd."""
        said = [f"not read: {many(n, 'value', 'values')} of {what}" for what, n in self.unread.items()]
        said += [f"not read: {many(n, 'annotation', 'annotations')} with {why}" for why, n in self.unfit.items()]
        if self.empty:
            said.append(f"empty: {many(self.empty, 'annotation', 'annotations')}")
        if self.in_utf16:
            said.append("spans count UTF-16 units, as their own texts show")
        if self.moved:
            said.append(f"counted in characters now: {many(self.moved, 'span', 'spans')} in UTF-16 units")
        said += [
            f"class numbers in the masks of {control}: {', '.join(f'{i} {name}' for i, name in enumerate(names))}"
            for control, names in self.classes().items()
        ]
        return said


def _chosen(value: Value) -> list[str]:
    """Choices of a value; of a taxonomy the paths, with a stroke between their parts."""
    found = value.get("choices", value.get("taxonomy"))
    parts = found if isinstance(found, list) else [found]
    return ["/".join(map(str, part)) if isinstance(part, list) else str(part) for part in parts if part is not None]


def _lines(value: Value) -> list[str]:
    found = value["text"]
    return [str(line) for line in found] if isinstance(found, list) else [str(found)]


def unit_of(value: Value, data: Mapping[str, Any]) -> str:
    """What a span's offsets count, as its own text shows: "characters", "utf-16", or "" where both or neither fit.

    >>> unit_of({"start": 3, "end": 6, "text": "Ada"}, {"text": "😀 Ada left"})
    'utf-16'
    """
    start, end, own = value["start"], value["end"], value.get("text")
    texts = [text for text in data.values() if isinstance(text, str) and is_wide(text)]
    if not isinstance(own, str) or not own or not texts:
        return ""
    if any(text[start:end] == own for text in texts):
        return "characters"
    return "utf-16" if any(_in_units(text, start, end) == own for text in texts) else ""


def _in_units(text: str, start: int, end: int) -> str | None:
    place = in_characters(text, start, end)
    return None if place is None else text[place[0] : place[1]]


def _moved(value: Value, data: Mapping[str, Any]) -> tuple[int, int]:
    start, end, own = value["start"], value["end"], value["text"]
    texts = (text for text in data.values() if isinstance(text, str))
    found = next(text for text in texts if _in_units(text, start, end) == own)
    return in_characters(found, start, end) or (start, end)


class _Words(HTMLParser):
    """Text of a page, without its marks."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.parts: list[str] = []

    def handle_data(self, data: str) -> None:
        """Keep a piece of text."""
        self.parts.append(data)


def text_of_html(page: str) -> str:
    """Text of a page of HTML, as its marks leave it.

    >>> text_of_html("<p>Ada &amp; <b>Bob</b></p>")
    'Ada & Bob'
    """
    words = _Words()
    words.feed(page)
    words.close()
    return "".join(words.parts)


def spans_in_html(values: Sequence[Value], data: Mapping[str, Any]) -> list[list[Any]]:
    """Spans in the text of a task's page.

    Args:
        values: values with "globalOffsets" and the text that each covers.
        data: data of the task, one of which is the page.

    Raises:
        ValueError: no page's text has the spans' own texts at their places.
    """
    found = [(v["globalOffsets"]["start"], v["globalOffsets"]["end"], v.get("text"), _names(v)) for v in values]
    pages = [text_of_html(cell) for cell in data.values() if isinstance(cell, str) and "<" in cell]
    if found and not any(all(_squeezed(page[a:b]) == _squeezed(own) for a, b, own, _ in found) for page in pages):
        raise ValueError("spans of HTML that do not fit the text of the page")
    return sorted([start, end, name] for start, end, _, names in found for name in names)


def _squeezed(text: Any) -> str:
    """Text with one blank for each run of blanks."""
    return " ".join(str(text).split())
