"""A finished run at work: on new items, and on labelled ones that it is scored on."""

from __future__ import annotations

import ast
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from PIL import Image

from tutelage import model as saving
from tutelage.data.tables import FORMATS, read_table, write_table
from tutelage.files import read_json
from tutelage.kinds.classes import class_scores, codes, labelled_only
from tutelage.kinds.images import read_test_images
from tutelage.kinds.masks import mask_scores, read_test_masks
from tutelage.kinds.sentences import tag_scores, tagged_only
from tutelage.modalities.images.examples import check_images
from tutelage.modalities.images.masks import nearest
from tutelage.modalities.images.reader import ImageReader, PixelReader
from tutelage.modalities.images.tables import ImageRows, image_rows, read_image_folder
from tutelage.modalities.sentences.tables import CONLL, read_sentences, span_rows
from tutelage.modalities.text.tables import read_texts, text_fault, texts_of
from tutelage.model import Model
from tutelage.report.pictures import of_test
from tutelage.run.options import Request

Say = Callable[[str], None]
Tick = Callable[[int, int], None]
Columns = dict[str, Any]
"""The columns by what is in them: "text", "label", "tokens", "tags", "images", "masks"."""


@dataclass(frozen=True)
class Finished:
    """A finished run: its model, and what it was asked."""

    model: Model
    asked: dict[str, Any]

    @staticmethod
    def read(folder: Path) -> Finished:
        """The run in a folder.

        Raises:
            FileNotFoundError: there is none.
            BadFileError: its model is damaged.
        """
        if not folder.exists():
            raise FileNotFoundError(f"{folder}: no such folder")
        asked = read_json(folder / "run.json", "task", "text", "label", "tokens", "tags")
        return Finished(saving.load(folder / "model"), {k: None if v == "None" else v for k, v in asked.items()})

    @property
    def task(self) -> str:
        return str(self.asked["task"])

    def label(
        self, path: Path, columns: Columns, charset: str, skip_bad: bool, say: Say, tick: Tick, encoded: bool = True
    ) -> tuple[pd.DataFrame, dict[str, Any]]:
        """A table, and the columns to be added to it; not ``encoded``: images are named and not in it."""
        if self.task == "tagging":
            return _tagged(self.model, path, columns["tokens"], charset, say, tick)
        if self.task == "image":
            return _pictured(self.model, path, columns, charset, skip_bad, say, tick, encoded)
        return _labelled(self.model, path, columns["text"], charset, say, tick)

    def score(self, path: Path, columns: Columns, charset: str, skip_bad: bool, say: Say) -> dict[str, Any]:
        """What the model's answers on labelled items are worth."""
        if self.task == "tagging":
            tags = _named(columns, "tags")
            table = tagged_only(read_sentences(path, columns["tokens"], tags, charset=charset), say)
            guess = self.model.tags(table.tokens, self.model.probabilities(table.tokens))
            return tag_scores([t for t in table.tags if t is not None], guess)
        if isinstance(self.model.reader, PixelReader | ImageReader):
            request = self._request(path, columns, charset, skip_bad)
            if self.task == "segmentation":
                classes, size = len(self.model.classes), self.model.reader.size
                found, truth = read_test_masks(request, classes, size, say)
                return mask_scores(of_test(self.model, found.sources, truth)[0])
            images = read_test_images(request, say)
            return class_scores(codes(self.model.classes, images), self.model.probabilities(images.sources))
        name = _named(columns, "label")
        texts = labelled_only(read_texts(path, columns["text"], name, charset), name, say)
        return class_scores(codes(self.model.classes, texts), self.model.probabilities(texts.texts))

    def _request(self, path: Path, columns: Columns, charset: str, skip_bad: bool) -> Request:
        """What was asked, of other images."""
        void = tuple(ast.literal_eval(self.asked["void"]))
        asked = {k: columns[k] for k in ("images", "label", "masks", "network")}
        return Request(
            path,
            path.with_name(f"{path.name}.out"),
            self.asked["task"],
            test=path,
            charset=charset,
            skip_bad=skip_bad,
            void=void,
            **asked,
        )


def _named(columns: Columns, what: str) -> str:
    """A column that the run was given; ValueError where it was not."""
    if columns[what] is None:
        raise ValueError(f"--{what} must be given: the run was trained without such a column")
    return str(columns[what])


def _labelled(
    model: Model, path: Path, text: str, charset: str, say: Say, tick: Tick
) -> tuple[pd.DataFrame, dict[str, Any]]:
    """A table of texts, and the columns to be added."""
    table = read_table(path, charset)
    texts = texts_of(table, path, text).texts
    faults = [i for i, t in enumerate(texts) if text_fault(t)]
    if faults:
        say(f"{len(faults)} texts are empty or overlong (first: row {faults[0] + 1}); their labels mean little.")
    p = model.probabilities(texts, tick)
    return table, {"label": [model.classes[i] for i in p.argmax(1)], "probability": p.max(1)}


def _tagged(
    model: Model, path: Path, tokens: str, charset: str, say: Say, tick: Tick
) -> tuple[pd.DataFrame, dict[str, Any]]:
    """A table of sentences, and the columns to be added: tags, entities with offsets, the least sure word."""
    found = read_sentences(path, tokens, charset=charset)
    if found.empty:
        say(f"{path}: {found.empty} sentences without a word are left out.")
    p = model.probabilities(found.tokens, tick)
    tags = model.tags(found.tokens, p)
    sizes = np.array([len(s) for s in found.tokens])
    sure = np.minimum.reduceat(p.max(1), np.cumsum(sizes) - sizes)
    spans = span_rows(found.tokens, tags, found.offsets)
    table = pd.DataFrame({"row": found.rows, tokens: found.tokens})
    if path.suffix.lower() not in CONLL:
        table = read_table(path, charset).iloc[np.array(found.rows) - 1].reset_index(drop=True)
    return table, {"tags": tags, "spans": spans, "probability": sure}


def _pictured(
    model: Model, path: Path, columns: Columns, charset: str, skip_bad: bool, say: Say, tick: Tick, encoded: bool
) -> tuple[pd.DataFrame, dict[str, Any]]:
    """A table of images, or one that names those of a folder, and the columns to be added; bad images have no label."""
    table, found, good, _ = _images(path, columns, charset, skip_bad, say)
    if not encoded and any(isinstance(source, bytes) for source in found.sources):
        table = table.assign(**{columns["images"]: found.names})
    label: list[str | None] = [None] * len(found)
    probability = np.full(len(found), np.nan)
    p = model.probabilities(found.where(good).sources, tick)
    for i, row in zip(np.flatnonzero(good), p, strict=True):
        label[i], probability[i] = model.classes[int(row.argmax())], row.max()
    return table, {"label": label, "probability": probability}


def _images(
    path: Path, columns: Columns, charset: str, skip_bad: bool, say: Say
) -> tuple[pd.DataFrame, ImageRows, np.ndarray, np.ndarray]:
    """A table, its images, which of them can be read, (n,), and their heights and widths, (n, 2)."""
    if path.is_dir():
        within = path / "images" if (path / "images").is_dir() and (path / "masks").is_dir() else path
        found = read_image_folder(within, labels=False)
        table = pd.DataFrame({"image": found.names})
    else:
        table = read_table(path, charset)
        found = image_rows(table, path, _named(columns, "images"))
    report = check_images(found.sources, found.rows, found.file, skip_bad=skip_bad)
    for line in report.words():
        say(line)
    return table, found, report.good, report.sizes


def write_masks(model: Model, path: Path, out: Path, columns: Columns, charset: str, skip_bad: bool, say: Say) -> int:
    """Write a PNG of class numbers for each image, of its own size, and ``masks.csv``, which says whose it is.

    Masks of a folder's images have the images' names; those of a table's, the numbers of their rows.

    Raises:
        FileExistsError: ``out`` exists and is not an empty folder.
        ValueError: ``out`` is named like a table.
    """
    if out.suffix.lower() in FORMATS:
        raise ValueError(f"--output is the folder that the masks are written into, got {out}")
    if out.exists() and (not out.is_dir() or any(out.iterdir())):
        raise FileExistsError(f"{out} exists and is not an empty folder")
    table, found, good, sizes = _images(path, columns, charset, skip_bad, say)
    chosen = np.flatnonzero(good).tolist()
    names = [str(Path(found.names[i]).with_suffix(".png")) if path.is_dir() else f"{i + 1:07d}.png" for i in chosen]
    sure = np.zeros(len(chosen))
    kind = np.uint8 if len(model.classes) <= 256 else np.uint16
    for part in model.maps(found.where(good).sources):
        for number, labels, probability in zip(part.numbers.tolist(), part.labels, part.probability, strict=True):
            h, w = sizes[chosen[number]].tolist()
            (out / names[number]).parent.mkdir(parents=True, exist_ok=True)
            Image.fromarray(nearest(labels, (h, w)).astype(kind)).save(out / names[number])
            sure[number] = probability.mean()
    table = table.iloc[chosen].reset_index(drop=True)
    if any(isinstance(source, bytes) for source in found.sources):
        table = table.assign(**{columns["images"]: [found.names[i] for i in chosen]})
    encoded = [c for c in table if any(isinstance(cell, (bytes, dict)) for cell in table[c][:100])]
    write_table(table.drop(columns=encoded).assign(mask=names, probability=sure), out / "masks.csv")
    return len(chosen)
