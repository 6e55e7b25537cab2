"""Images with one class each."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, ClassVar, Literal

import numpy as np
import pandas as pd

from tutelage.fit.defaults import BACKBONE, HEAD, IMAGE_NETWORK, TRANSFORMER, Defaults
from tutelage.kinds.cells import mostly
from tutelage.kinds.dataset import EXCERPT, Coded, Dataset, Words
from tutelage.kinds.entries import LEARNT, Entries, Sought, first_of
from tutelage.kinds.exchanged import DEPICTED
from tutelage.kinds.faces import SIDE, Face
from tutelage.kinds.one_class import OneClass
from tutelage.kinds.pictures import Pictured, with_sizes
from tutelage.modalities.base import Reader
from tutelage.modalities.images import pictures
from tutelage.modalities.images.backbone import BACKBONE as ENCODER
from tutelage.modalities.images.backbone import LITE
from tutelage.modalities.images.endings import ENDINGS
from tutelage.modalities.images.folders import read_image_folder
from tutelage.modalities.images.reader import ImageReader, PixelReader, size_for
from tutelage.modalities.images.tables import image_rows
from tutelage.modalities.images.vision import load_image_encoder, own_size, require_for_images
from tutelage.model import Model
from tutelage.tables import PREDICTED, PROBABILITY, UNHEARD, USUAL, Notes, ReadAs, holds_table, read
from tutelage.tables.cells import quoted
from tutelage.types import Tick
from tutelage.weak import Said
from tutelage.weights import AUTO, there


@dataclass(frozen=True, kw_only=True)
class Images(Pictured, OneClass):
    """Images, each of one class: in a table, or in a folder with a folder for each class and one "unlabelled".

    Args:
        images: column of the images, encoded or as paths; a folder needs none.
        label: column of the labels; empty means unlabelled.
        votes: column of lists of votes, or prefix of the rules' columns; -1 abstains.
        label_model: label model: "majority", "weighted", "data_programming"; or "fable", which reads features, too.
        teacher: prefix of columns of a teacher's probabilities, such as p_ of p_CLASS.
        teacher_label: column of a teacher's labels; empty is silent.
        teacher_confidence: column of its confidence in each of them.
        encoder: "efficientnet-lite0", the default, or "efficientnet-lite2" (see tutelage models list); folder of an
            image model saved by transformers, such as a ViT, or its name on the Hub; or "auto", which the labels
            choose.
        finetune: train the encoder too; some hundred times slower.
        network: "small_cnn" or "wide_resnet", trained from random weights, in place of the encoder.
        size: height and width to resize to, in pixels, at least 8; for an encoder a square, of at least 32, or of
            whole patches. Default: that of the images, capped for speed; of an encoder 128, or its own.
        flip: mirror images at random; off for digits and letters.
        skip_bad: leave out images that cannot be read.
        make: function that makes the user's own network, which gives logits (n, c) of images (n, 3, h, w) in [0, 1].
    """

    encoder: str | None = None
    finetune: bool = False
    network: Literal["small_cnn", "wide_resnet"] | None = None

    name: ClassVar[str] = "images"
    task_word: ClassVar[str] = "image"
    exchanged = DEPICTED
    reading = ("encoder", "size", "skip_bad")
    hub_task = "image-classification"
    words = Words("images", "image", rows="images", test="test images", column="image")

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.network is not None and self.network not in ("small_cnn", "wide_resnet"):
            raise ValueError(f"network must be one of small_cnn, wide_resnet, got {self.network!r}")
        if self.encoder is not None and self._from_nothing:
            raise ValueError("give --encoder or --network, not both")
        if self.encoder not in (None, AUTO):
            require_for_images(str(self.encoder))
        if self.finetune and self.encoder == AUTO:
            raise ValueError("--finetune trains one encoder: name it in place of --encoder auto")
        if self.finetune and self._from_nothing:
            raise ValueError(
                f"leave out --finetune: a network from nothing ({self.network_name}) is always trained whole"
            )
        self.check_size(32 if self._encoder in LITE else 8)
        if self.size and not self._from_nothing and self.size[0] != self.size[1]:
            raise ValueError(f"size of {self._encoder} must be a square, got {self.size[0]} and {self.size[1]}")

    @property
    def _from_nothing(self) -> bool:
        return self.network is not None or self.make is not None

    @property
    def _encoder(self) -> str:
        """Name of the encoder; empty for a network from nothing."""
        named = None if self.encoder == AUTO else self.encoder
        return "" if self._from_nothing else named or ENCODER

    @property
    def network_name(self) -> str:
        return "own" if self.make is not None else self.network or ""

    @property
    def defaults(self) -> Defaults:
        whole = BACKBONE if self._encoder in LITE else TRANSFORMER
        return IMAGE_NETWORK if self._from_nothing else whole if self.finetune else HEAD

    @property
    def whole(self) -> bool:
        return self._from_nothing or self.finetune

    @classmethod
    def told_by_cells(cls, cells: Mapping[str, Sequence[Any]]) -> Sequence[str]:
        """The first column that holds pictures or their files."""
        return [c for c, found in cells.items() if mostly(_is_picture, found)][:1]

    @classmethod
    def recognises(cls, X: Any) -> bool:
        if isinstance(X, np.ndarray) and X.dtype == np.uint8:
            return X.ndim == 3 or (X.ndim == 4 and X.shape[3] == 3)
        return isinstance(first_of(X), (bytes, Path))

    @classmethod
    def told_by_folder(cls, path: Path) -> bool:
        return not (holds_table(path) and (path.suffix or path.exists()))

    def reader(self, size: tuple[int, int] | None = None) -> Reader:
        size = self.size or size
        if not self._from_nothing:
            side = size[0] if size is not None else size_for(ENCODER)[0] if self._encoder in LITE else None
            return ImageReader(load_image_encoder(self._encoder, side), self.flip)
        if size is None:
            raise ValueError(f"size must be given for encoded images and the network {self.network_name!r}")
        return PixelReader(self.network_name, size, self.flip, make=self.make)

    def readers(self, size: tuple[int, int] | None, auto: bool) -> tuple[Reader, ...]:
        choice = self.encoder == AUTO or (auto and self.encoder is None)
        if self.whole or not choice:
            return (self.reader(size),)
        side = (self.size or size or size_for(ENCODER))[0]
        return tuple(ImageReader(load_image_encoder(name, side), self.flip) for name in there("images"))

    # reading

    def entries(self, path: Path, how: ReadAs = USUAL, notes: Notes = UNHEARD, sought: Sought = LEARNT) -> Entries:
        votes, table = None, None
        said: tuple[Said, ...] = ()
        if not holds_table(path):
            found = read_image_folder(path, sought.labels, self.declared(how), notes)
        else:
            table = read(path, how, notes).frame
            found = image_rows(table, path, str(self.images), notes=notes)
            votes = self._votes(table, path, sought, self.images, self.label)
            said = self.said_in(table, path, sought, notes, self.images, self.label, self.votes)
        self.say_ignored(found, notes)
        places = self.places(found, path, item=self.images, label=self.label, votes=self.votes)
        made = Entries(found.sources, found.labels, places, votes, self.names_of(found), table=table, said=said)
        return (
            made if table is None else self.with_labels(made, self.label_cells(table, path, sought, notes), how, notes)
        )

    def checked(self, found: Entries, notes: Notes = UNHEARD) -> tuple[Entries, tuple[str, ...]]:
        good, faults = super().checked(found, notes)
        copies = {} if good.looked is None else good.looked.copies
        torn = {i: j for i, j in copies.items() if found.labels[i] != found.labels[j]}
        torn = {i: j for i, j in torn.items() if None not in (found.labels[i], found.labels[j])}
        if torn:
            i, j = next(iter(torn.items()))
            first, second = (f"{found.places.short(k)} {quoted(found.labels[k])}" for k in (i, j))
            have = "has" if len(torn) == 1 else "have"
            notes.say(
                f"{len(torn)} of these copies {have} another label than the image that it is equal to (the first: "
                f"{first}, and {second}).",
                page="copies",
            )
        return good, faults

    def learn(
        self, train: Entries, more: Entries | None, test: Entries | None, evidence: bool, notes: Notes = UNHEARD
    ) -> Dataset:
        found, size = super().learn(train, more, test, evidence, notes), self.size_of(train)
        self.say_resized((train, more, test), size, notes)
        return replace(found, size=size)

    def size_of(self, found: Entries) -> tuple[int, int]:
        if self.size is None and self._encoder and self._encoder not in LITE:
            return (own_size(self._encoder),) * 2
        return self.size or size_for(self.network_name or self._encoder, found.sizes)

    def file_names(self, found: Entries) -> list[str] | None:
        if not any(isinstance(source, str) for source in found.items):
            return None
        return ["" if ", row " in name else name for name in found.names]

    def coded(self, items: Sequence[list[Any]], labels: Sequence[list[Any]], weak: list[Any] | None = None) -> Coded:
        found = super().coded(items, labels, weak)
        of_arrays = isinstance(found.items[0], np.ndarray) and self._encoder in ("", *LITE)  # others have a size
        size = size_for("small_cnn", np.array([found.items[0].shape[1:3]])) if of_arrays else None
        return replace(found, size=self.size or size)

    # answering and showing

    def answered(
        self, model: Model, path: Path, how: ReadAs, notes: Notes, tick: Tick, encoded: bool = True
    ) -> tuple[pd.DataFrame, dict[str, Any]]:
        table, found, good, _ = self.to_answer(path, how, notes)
        if not encoded and any(isinstance(source, bytes) for source in found.sources):
            table = table.assign(**{str(self.images): found.names})
        label: list[Any] = [None] * len(found.sources)
        probability = np.full(len(found.sources), np.nan)
        p = model.probabilities([found.sources[i] for i in np.flatnonzero(good)], tick)
        for i, row in zip(np.flatnonzero(good), p, strict=True):
            label[i], probability[i] = model.classes[int(row.argmax())], row.max()
        return table, {PREDICTED: label, PROBABILITY: probability}

    def shown_item(self, item: Any, name: str, characters: int = EXCERPT) -> dict[str, str]:
        return {"text": name, "image": pictures.thumbnail(item)}

    def face(self, item: Any, name: str = "") -> Face:
        return Face(picture=pictures.shown_whole(item, SIDE), name=name)

    # Python values

    def values(
        self, items: Any, y: Sequence[Any], votes: Any = None, argument: str = "X", said: Sequence[Said] = ()
    ) -> Entries:
        return with_sizes(super().values(items, y, votes, argument, said), argument)


def _is_picture(cell: Any) -> bool:
    """Whether a cell is an encoded image, or the name of a file of one."""
    return isinstance(cell, bytes | dict) or (isinstance(cell, str) and cell.lower().endswith(ENDINGS))
