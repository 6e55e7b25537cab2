"""What tutelage reads of the files, and whether it is what was put in; predictions are written of it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import fields
from pathlib import Path
from typing import Any

import numpy as np
import torch

from tutelage.kinds import KINDS
from tutelage.kinds.base import Kind
from tutelage.kinds.dataset import Dataset, Files
from tutelage.modalities.images.decoding import decode
from tutelage.run.look import read_and_say
from tutelage.tables import DataError, Notes, ReadAs
from written_by import Form
from written_by.data import PICTURES, ROWS, SENTENCES, SIZE, TEXTS, digest, mask, picture

NONE = {"reading": "read", "as": "", "fault": "", "written": "", "predicted": "", "answers": []}
"""What is noted of a file, where nothing else is known."""
Items = list[tuple[Any, Any]]
"""Items with their labels; None is no label."""


def asked(form: Form, path: Path) -> tuple[Kind, Files]:
    """Kind and files that a user would name."""
    kind, own = KINDS[form.kind], {f.name for f in fields(KINDS[form.kind])}
    options = {"classes": None} if "classes" in form.options and "classes" not in own else {}
    options |= {name: value for name, value in form.options.items() if name in own}
    if form.kind == "masks":
        options |= {"size": SIZE}
    options = {name: tuple(value) if isinstance(value, list) else value for name, value in options.items()}
    how = {f.name for f in fields(ReadAs)} - own
    return kind(**options), Files(
        path, how=ReadAs(**{n: v for n, v in form.options.items() if n in how}), evidence=False
    )


def read_form(form: Form, folder: Path, number: int) -> dict[str, Any]:
    """Whether a file is read as it was meant, or refused in words that name it, and what `predict` writes of it."""
    kind, files = asked(form, folder / form.path)
    said: list[str] = []
    row = dict(NONE)
    try:
        notes = Notes()
        kind, data = read_and_say(kind, files, notes, said.append)
        row["as"] = seen(notes)
        wanted = "was not to be read" * bool(form.refused or form.question)
        if fault := wanted or difference(found_in(data, form), expected(form)):
            return row | {"reading": "wrong", "fault": f"{fault}; said: {' '.join(said)}".replace(f"{folder}/", "")}
    except DataError as fault:
        words = str(fault).replace(f"{folder}/", "")
        return row | {"reading": refusal(form, words.replace(form.path, "FILE")), "fault": words}
    except Exception as error:
        return row | {"reading": "wrong", "fault": f"{type(error).__name__}: {error}"}
    return row | predicted(form, kind, data, files, folder, number)


def refusal(form: Form, words: str) -> str:
    """Whether a refusal or question is the one that is expected, in a few lines, or wrong."""
    for name, expected in (("refused", form.refused), ("asked", form.question)):
        if expected and expected.casefold() in words.casefold() and len(words.splitlines()) <= 3:
            return name
    return "wrong"


def seen(notes: Notes) -> str:
    """What tutelage took the file for."""
    if not notes.files:
        return "folder"
    file = notes.files[0]
    return ", ".join(filter(None, [file.format, file.packed, file.separator and repr(file.separator), file.charset]))


# what was put in


def chosen(form: Form, rows: Sequence[Any]) -> list[tuple[int, Any]]:
    """Items of a form with their numbers."""
    return [(i, row) for i, row in enumerate(rows) if form.items is None or i in form.items]


def expected(form: Form) -> Items:
    """Items that were put into a form."""
    named = {name: form.labels.get(name, name) for name in ("food", "sport", "low", "high", "cat", "dog")}
    if form.kind == "texts":
        return [(text, named[label] if given else None) for _, (text, label, given) in chosen(form, TEXTS)]
    if form.kind == "sentences":
        return [
            (squeezed(text), sorted((kind, squeezed(text[a:b])) for a, b, kind in spans) if given else None)
            for _, (text, spans, given) in chosen(form, SENTENCES)
        ]
    if form.kind == "rows":
        rows = [(tuple(v), label, given or form.whole) for _, (v, label, given) in chosen(form, ROWS)]
        return [(numbers, named[label] if given else None) for numbers, label, given in rows]
    pictures = [(i, pixels(picture(i)), *row) for i, row in chosen(form, PICTURES)]
    if form.kind == "images":
        return [(key, named[label] if given else None) for _, key, label, given in pictures]
    first = form.options.get("first", 0)  # number of the first class in the files
    return [(key, digest(mask(i) + first) if given else None) for i, key, _, given in pictures]


def squeezed(text: str) -> str:
    """A text without blanks, as words of any tool have it."""
    return "".join(text.split())


def pixels(image: np.ndarray) -> str:
    """Key of an image's pixels."""
    return str(int(image.astype(np.int64).sum()))


# what was read


def found_in(data: Dataset, form: Form) -> Items:
    """Items that were read of a form."""
    items, classes = data.items, list(map(str, data.classes))
    pool = [(key_of(item, form), None) for item in items.pool]
    if form.kind == "sentences":
        at, labelled = 0, []
        for words in items.labelled:
            tags = [classes[i] for i in items.y[at : at + len(words)]]
            labelled.append((squeezed("".join(words)), sorted(entities(words, tags))))
            at += len(words)
        return labelled + pool
    if form.kind == "masks":
        each = items.y.reshape(-1, *SIZE)
        return [(key_of(item, form), digest(y)) for item, y in zip(items.labelled, each, strict=True)] + pool
    return [(key_of(item, form), classes[i]) for item, i in zip(items.labelled, items.y.tolist(), strict=True)] + pool


def key_of(item: Any, form: Form) -> Any:
    """What tells an item from others."""
    if form.kind == "texts":
        return str(item)
    if form.kind == "sentences":
        return squeezed("".join(item))
    if form.kind == "rows":
        return tuple(float(x) for x in item)
    return pixels(np.asarray(decode(item, SIZE)))


def entities(words: Sequence[str], tags: Sequence[str]) -> list[tuple[str, str]]:
    """Entities of a sentence as type and text, given tags in BIO."""
    found: list[tuple[str, str]] = []
    for word, tag in zip(words, tags, strict=True):
        if tag.startswith("B-"):
            found.append((tag[2:], word))
        elif tag.startswith("I-"):
            found[-1] = (found[-1][0], found[-1][1] + word)
    return found


def difference(found: Items, wanted: Items) -> str:
    """What differs between what was read and what was put in; empty where nothing does."""
    have, want = (Counter(repr(each) for each in part) for part in (found, wanted))
    if have == want:
        return ""
    more, less = list((have - want).elements()), list((want - have).elements())
    return f"{len(more)} read that were not put in, {len(less)} not read: {str(more[:2])[:200]}, {str(less[:2])[:200]}"


# predictions


class Knows:
    """A model that knows the right answer of each item."""

    def __init__(self, form: Form, kind: Kind, data: Dataset) -> None:
        self.classes, self.form, self.network = data.classes, form, None
        self.reader = kind.reader(data.size)

    def probabilities(self, items: Sequence[Any], tick: Any) -> np.ndarray:
        """Probabilities of the classes of the items' units: 0.75 of the right one."""
        named = [label for item in items for label in self.of(item)]
        found = np.full((len(named), len(self.classes)), 0.25 / (len(self.classes) - 1))
        found[np.arange(len(named)), [list(map(str, self.classes)).index(name) for name in named]] = 0.75
        return found

    def examples(self, items: Sequence[Any]) -> Sequence[Any]:
        """The images."""
        return items

    def stream(self, items: Sequence[Any]) -> Iterator[tuple[torch.Tensor, torch.Tensor]]:
        """Numbers of the pixels of each image, and probabilities of their classes: 0.75 of the right one."""
        by_key = {pixels(picture(i)): mask(i).ravel().astype(int) for i in range(len(PICTURES))}
        for number, item in enumerate(items):
            right = by_key[key_of(item, self.form)]
            found = torch.full((len(right), len(self.classes)), 0.1)
            found[torch.arange(len(right)), right] = 0.75
            yield torch.arange(len(right)) + number * len(right), found

    def of(self, item: Any) -> list[str]:
        """Right labels of an item's units."""
        form, key = self.form, key_of(item, self.form)
        if form.kind == "sentences":
            (spans,) = (
                [(squeezed(text[:a]), squeezed(text[a:b]), kind) for a, b, kind in spans]
                for text, spans, _ in SENTENCES if squeezed(text) == key
            )  # fmt: skip
            return tags_of(item, spans)
        sure = {"texts": [(t, label) for t, label, _ in TEXTS], "rows": [(tuple(v), label) for v, label, _ in ROWS]}
        pairs = sure.get(form.kind) or [(pixels(picture(i)), label) for i, (label, _) in enumerate(PICTURES)]
        return [dict(pairs)[key]]


def tags_of(words: Sequence[str], spans: Sequence[tuple[str, str, str]]) -> list[str]:
    """Tags in BIO of words, given entities as what is before them, their text, and their type, without blanks."""
    tags, at = [], 0
    for word in words:
        inside = [(before, text, kind) for before, text, kind in spans if len(before) <= at < len(before) + len(text)]
        tags.append("O" if not inside else f"{'B' if len(inside[0][0]) == at else 'I'}-{inside[0][2]}")
        at += len(squeezed(word))
    return tags


def predicted(form: Form, kind: Kind, data: Dataset, files: Files, folder: Path, number: int) -> dict[str, Any]:
    """What `predict` wrote of a form: how, the file, and the answers in it."""
    if not form.output:
        return {}
    output = folder / f"predicted-{number}{form.output.removeprefix('folder')}"
    model: Any = Knows(form, kind, data)
    try:
        where = kind.predict(model, files.train, output, files.how, Notes(), lambda *_: None)
    except Exception as error:
        return {
            "reading": "wrong",
            "fault": f"not predicted: {type(error).__name__}: {error}".replace(f"{folder}/", ""),
        }
    of_tool = where.partition(", in the form of ")[2]
    written = of_tool or ("folder of masks" if form.output == "folder" else f"table ({form.output})")
    return {"written": written, "predicted": output.name, "answers": answers(form)}


def answers(form: Form) -> list[Any]:
    """Every item with its right answer, as a tool reads it."""
    if form.kind == "sentences":
        return [[text, sorted(map(list, spans))] for _, (text, spans, _) in chosen(form, SENTENCES)]
    if form.kind == "texts":
        return [[text, label] for _, (text, label, _) in chosen(form, TEXTS)]
    if form.kind == "rows":
        return [[list(numbers), label] for _, (numbers, label, _) in chosen(form, ROWS)]
    if form.kind == "masks":
        return [digest(mask(i)) for i, _ in chosen(form, PICTURES)]
    return [label for _, (label, _) in chosen(form, PICTURES)]
