"""Images with masks, which give each pixel a class."""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import chain, count
from pathlib import Path
from typing import Any, ClassVar, Literal

import numpy as np
import pandas as pd
from PIL import Image

from tutelage.data import Examples
from tutelage.engines import USUAL as USUAL_ENGINE
from tutelage.engines import Wanted
from tutelage.files import filled, naming, require_fresh
from tutelage.fit.build import Items
from tutelage.fit.defaults import PIXEL_NETWORK, Defaults
from tutelage.kinds.answers import beside_own
from tutelage.kinds.class_labels import require_two
from tutelage.kinds.dataset import LEAST_SURE, PICTURED, Coded, Dataset, Measured, Words, warn_of_shared
from tutelage.kinds.entries import LEARNT, Entries, InValues, Sought, joined
from tutelage.kinds.faces import Face
from tutelage.kinds.one_vote import one_vote_each, pool_once
from tutelage.kinds.pictures import Pictured, with_sizes
from tutelage.kinds.pixel_scores import beside_truth, maps, maps_of, mask_scores, spread
from tutelage.kinds.predicting import in_parts
from tutelage.kinds.tallies import Tally
from tutelage.modalities.base import Reader
from tutelage.modalities.images.decoding import Size, Source
from tutelage.modalities.images.examples import some
from tutelage.modalities.images.folders import read_image_folder
from tutelage.modalities.images.mask_colours import given_colours, names_file
from tutelage.modalities.images.mask_folders import has_masks, read_mask_folder
from tutelage.modalities.images.mask_meaning import LARGEST, Meaning, given_values, is_colour
from tutelage.modalities.images.mask_pixels import nearest
from tutelage.modalities.images.masks import Masks as MaskArrays
from tutelage.modalities.images.masks import read_masks
from tutelage.modalities.images.pictures import hex_colours, overlay, pixels_of
from tutelage.modalities.images.reader import PixelReader, size_for
from tutelage.modalities.images.tables import MaskedRows, mask_rows
from tutelage.model import Model
from tutelage.ops.checks import in_range
from tutelage.tables import (
    FORMATS,
    PREDICTED,
    PROBABILITY,
    UNHEARD,
    USUAL,
    DataError,
    Notes,
    ReadAs,
    holds_table,
    read,
    write_table,
)
from tutelage.tasks import Segmentation
from tutelage.tasks.segmentation import mean_iou, overlaps
from tutelage.types import Tick

SAME_MASK = 0.5
"""Mean IoU of two masks of one image below which they contradict each other."""

NETWORK = "unet"
"""Name of the network that is trained unless the user brings one."""

DEFAULT_SIZE = (120, 160)
"""Height and width, in pixels, that a benchmark resizes images to, where its protocol names none."""


@dataclass(frozen=True, kw_only=True)
class Masks(Pictured):
    """Images with masks: in a table, or in a folder with the folders "images" and "masks".

    Args:
        images: column of the images, encoded or as paths; a folder needs none.
        masks: column of the masks, likewise; empty means unlabelled.
        void: mask values that mean an unknown class, in [0, 65535].
        classes: number of classes, at least 2. Default: largest mask value plus 1.
        mask_values: values that mean the classes, in their order, such as 0,255; other values are void.
        mask_colours: colours of the classes, in their order, such as "#000000,#ff0000"; other colours are void. Or a
            file with a name and a colour in each line.
        masks_turned: whether masks of images that EXIF turns lie as the pixels are stored. Default: by the sizes.
        network: "unet", the only network; trained from random weights.
        size: height and width to resize to, in pixels, at least 16. Default: that of the images, capped for speed.
        flip: mirror images at random.
        skip_bad: leave out images and masks that cannot be read.
        make: function that makes the user's own network, which gives logits (n, c, h, w) of images (n, 3, h, w) in
            [0, 1].
    """

    masks: str | None = None
    void: tuple[str | int, ...] = ()
    classes: int | None = None
    mask_values: tuple[str | int, ...] = ()
    mask_colours: tuple[str, ...] = ()
    masks_turned: bool | None = None
    network: Literal["unet"] | None = None

    name: ClassVar[str] = "masks"
    task_word: ClassVar[str] = "segmentation"
    estimator: ClassVar[str] = "Segmenter"
    writes_table: ClassVar[bool] = False
    label_columns = ("masks",)
    label_reading = ("void", "mask_values", "mask_colours", "masks_turned")
    reading = ("size", "skip_bad")
    hub_task = "image-segmentation"
    words = Words(
        "images", "image", rows="images", test="test images", column="image", guess="with its guess",
        probability="mean probability", pool="pool's pixels", beside="Images beside their masks",
        beside_note="Left the image, then what the model says, then the mask; what is void stays plain.",
    )  # fmt: skip

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.network not in (None, NETWORK):
            raise ValueError(f"network must be {NETWORK}, got {self.network!r}")
        self.check_size(16)
        object.__setattr__(self, "void", given_values(self.void, "void"))
        if self.classes is not None:
            in_range("classes", self.classes, 2, LARGEST + 1)
        object.__setattr__(self, "mask_values", given_values(self.mask_values))
        object.__setattr__(self, "mask_colours", given_colours(self.mask_colours))
        if self.mask_values and self.mask_colours:
            raise ValueError("give --mask-values or --mask-colours, not both")
        self.meaning.names(0)  # checks the values and colours

    @classmethod
    def require_kept(cls, options: Mapping[str, Any]) -> None:
        if names_file(options.get("mask_colours", ())):
            raise ValueError("mask_colours names a file, where a run keeps the colours")

    @property
    def meaning(self) -> Meaning:
        """What the options say that the values of masks mean."""
        return Meaning(given_values(self.void, "void"), self.classes, given_values(self.mask_values), self.mask_colours)

    @property
    def network_name(self) -> str:
        return NETWORK if self.make is None else "own"

    @property
    def defaults(self) -> Defaults:
        return PIXEL_NETWORK

    @property
    def whole(self) -> bool:
        return True

    @classmethod
    def told_by_folder(cls, path: Path) -> bool:
        return has_masks(path)

    def reader(self, size: tuple[int, int] | None = None) -> Reader:
        size = self.size or size
        assert size is not None
        return PixelReader(self.network_name, size, self.flip, per_pixel=True, make=self.make)

    # reading

    def entries(self, path: Path, how: ReadAs = USUAL, notes: Notes = UNHEARD, sought: Sought = LEARNT) -> Entries:
        table = None
        if holds_table(path):
            table = read(path, how, notes).frame
            found = mask_rows(
                table, path, str(self.images), self.masks if sought.labels or self.masks in table else None, notes
            )
        elif sought.labels or self.told_by_folder(path):
            found = read_mask_folder(path, notes, self.skip_bad or how.skip_bad)
        else:
            plain = read_image_folder(path, labels=False)
            none: list[Source | None] = [None] * len(plain)
            found = MaskedRows(plain.file, plain.sources, none, plain.rows, plain.names, passed=plain.passed)
        self.say_ignored(found, notes)
        places = self.places(found, path, item=self.images, label=self.masks)
        return Entries(found.sources, list(found.masks), places, None, self.names_of(found), table=table)

    def note_bad_labels(self, found: Entries, notes: Notes) -> None:
        labelled = found.where(found.known)
        try:
            if len(labelled):
                self._arrays(labelled, DEFAULT_SIZE, self.meaning, Notes())
        except DataError as fault:
            notes.fault(str(fault))

    def labelled_only(self, test: Entries, notes: Notes) -> Entries:
        if not test.known.any():
            raise DataError(f"{test.at('label')}: every mask is empty; nothing to score on")
        if not test.known.all():
            notes.say(f"Not scored: {int((~test.known).sum())} images of {test.places.source} without a mask.")
        return test.where(test.known)

    def _arrays(self, found: Entries, size: Size, meaning: Meaning, notes: Notes) -> MaskArrays:
        """Masks of the entries, resized to ``size``."""
        in_values = isinstance(found.places, InValues)
        return read_masks(
            found.labels, size, getattr(found.places, "rows", None), found.places.source, sizes=found.sizes,
            turns=found.turns, meaning=meaning, turned=self.masks_turned, skip_bad=self.skip_bad,
            named=(lambda i: found.at("label", i)) if in_values else None, notes=notes,
        )  # fmt: skip

    def _masked(
        self, found: Entries, size: Size, meaning: Meaning, notes: Notes
    ) -> tuple[Entries, MaskArrays, tuple[str, ...]]:
        """Entries whose masks can be read, these masks, and sentences on the others' faults."""
        arrays = self._arrays(found, size, meaning, notes)
        if not arrays.faults:
            return found, arrays, ()
        faults = tuple(arrays.faults.values())
        notes.say(f"Left out: {len(faults)} of {len(found)} masks; {some(list(faults))}.", page="left-out")
        good = np.array([i not in arrays.faults for i in range(len(found))])
        return found.where(good), replace(arrays, ids=arrays.ids[good]), faults

    # learning

    def learn(
        self, train: Entries, more: Entries | None, test: Entries | None, evidence: bool, notes: Notes = UNHEARD
    ) -> Dataset:
        place = train.at("label")
        if not train.known.any():
            these = self.of_these(train)
            raise DataError(f"{place}: every mask{these} is {train.places.empty}; give some images a mask")
        size = self.size or size_for(NETWORK, train.sizes)
        self.say_resized((train, more, test), size, notes)
        labelled, parts = train.where(train.known), [train.where(~train.known)]
        try:
            labelled, arrays, left_out = self._masked(labelled, size, self.meaning, notes)
        except DataError as fault:
            notes.fault(str(fault))
            if test is not None:
                self.note_bad_labels(test, notes)
            notes.settle()
            raise
        if notes.unsettled:
            notes.settle()
        ids = arrays.ids
        votes = one_vote_each(
            self, labelled, notes, [mask.tobytes() for mask in ids],
            alike=lambda i, j: say_the_same(ids[i], ids[j], arrays.classes),
        )  # fmt: skip
        labelled, arrays = votes.labelled, replace(arrays, ids=arrays.ids[votes.kept])
        of_these = " of the images that can be read" if train.left_out or left_out else ""
        if evidence and len(labelled) == 1:
            raise DataError(
                f"{place}: one image has a mask{of_these}; give one more a mask (the evidence needs two), or "
                f"{train.places.skip}"
            )
        if evidence and votes.groups is not None and votes.groups.clusters == 1:
            raise DataError(f"{place}: {votes.all_together(self.words)}, or {train.places.skip}")
        notes.fact("classes", arrays.line(), arrays.counts())
        classes = arrays.names
        require_two([classes[i] for i in np.flatnonzero(arrays.pixels)], place)
        arrays.note(notes)
        truth = None
        if more is not None:
            parts.append(more)
        parts = pool_once(self, parts, notes)[0]
        if more is not None:
            more = parts[1]
            if more.known.any():
                unknown = np.full(len(parts[0]) * size[0] * size[1], -1, dtype=np.int16)
                there = self._arrays(more, size, replace(arrays.meaning, strict=False), notes).ids
                truth = np.append(unknown, np.where(there < arrays.classes, there, -1))
        pool = joined([part.items for part in parts])
        items = Items(Segmentation(arrays.classes), labelled.items, arrays.targets(), pool, truth, groups=votes.groups)
        names = [name for part in parts for name in part.names]
        found = Dataset(
            items, classes, names, size=size, left_out=left_out, repeated=votes.copied, strangers=votes.strangers,
            asked=labelled.asked,
        )  # fmt: skip
        if test is None:
            return found
        test, true, faults = self._masked(test, size, arrays.meaning.of(arrays.classes), notes)
        copied = self.copied(test.items, labelled.items, pool, votes.strangers)
        copied = warn_of_shared(copied, self.words, test)
        return replace(found, test=test.items, truth=true.ids, left_out=(*left_out, *faults), copied=copied)

    # answering

    def answered(
        self, model: Model, path: Path, how: ReadAs, notes: Notes, tick: Tick, encoded: bool = True
    ) -> tuple[pd.DataFrame, dict[str, Any]]:
        raise TypeError("masks are written into a folder, see `predict`")

    def predict(
        self,
        model: Model,
        path: Path,
        output: Path,
        how: ReadAs,
        notes: Notes,
        tick: Tick,
        abstain: float | None = None,
        resume: bool = False,
        wanted: Wanted = USUAL_ENGINE,
    ) -> str:
        """Write a PNG of class numbers for each image, of the image's size, and ``masks.csv``, which names its image.

        The mask of a folder's image has the image's name; the mask of a table's image has the number of its row. A run
        of the command that is stopped leaves no masks, and one that is killed is repeated by the same command.

        Raises:
            FileExistsError: ``output`` exists and is not an empty folder.
            BusyError: another process writes into ``output``.
            ValueError: ``output`` is named like a table, or ``abstain`` or an engine is given.
        """
        self.promise(model, abstain)
        in_parts(self, path, how, wanted)
        if output.suffix.lower() in FORMATS:
            raise ValueError(f"--output is the folder that the masks are written into, got {output}")
        require_fresh(output)
        table, found, good, sizes = self.to_answer(path, how, notes)
        chosen = np.flatnonzero(good).tolist()
        of_folder = not holds_table(path)
        names = mask_names([found.names[i] for i in chosen]) if of_folder else [f"{i + 1:07d}.png" for i in chosen]
        sure = np.zeros(len(chosen))
        kind = np.uint8 if len(model.classes) <= 256 else np.uint16
        with filled(output) as inside:
            for part in maps(model, [found.sources[i] for i in chosen]):
                for number, labels, p in zip(part.numbers.tolist(), part.labels, part.probability, strict=True):
                    h, w = sizes[chosen[number]].tolist()
                    (inside / names[number]).parent.mkdir(parents=True, exist_ok=True)
                    with naming(inside / names[number]):
                        Image.fromarray(nearest(labels, (h, w)).astype(kind)).save(inside / names[number])
                    sure[number] = p.mean()
            table = table.iloc[chosen].reset_index(drop=True)
            if any(isinstance(source, bytes) for source in found.sources):
                table = table.assign(**{str(self.images): [found.names[i] for i in chosen]})
            encoded = [c for c in table if any(isinstance(cell, (bytes, dict)) for cell in table[c][:100])]
            rest, named = table.drop(columns=encoded), inside / "masks.csv"
            write_table(beside_own(rest, {PREDICTED: names, PROBABILITY: sure}, named, notes), named)
        return f"{len(chosen)} masks: {output}"

    def coded(self, items: Sequence[list[Any]], labels: Sequence[list[Any]], weak: list[Any] | None = None) -> Coded:
        """Images with class numbers of their pixels, at the size of the options or DEFAULT_SIZE."""
        size = self.size or DEFAULT_SIZE
        found = [read_masks(part, size, meaning=Meaning(self.meaning.void), workers=1) for part in labels]
        task = Segmentation(max(part.classes for part in found))
        counts = [np.full(len(part), size[0] * size[1]) for part in items]
        return Coded(task, list(items), [part.targets() for part in found], counts, size=size)

    def labels_of(self, model: Model, pictures: Entries) -> list[np.ndarray]:
        """Predicted class numbers of the pixels of each image, (h, w), with the image's height and width.

        Args:
            model: fitted model.
            pictures: entries of images, with their sizes.
        """
        found: list[np.ndarray] = [np.empty((0, 0), dtype=np.int64)] * len(pictures)
        for part in maps(model, pictures.items):
            for number, labels in zip(part.numbers.tolist(), part.labels, strict=True):
                h, w = pictures.sizes[number].tolist()
                found[number] = nearest(labels, (h, w))
        return found

    # asking

    def label_key(self, label: Any) -> Hashable:
        return str(Path(label).resolve()) if isinstance(label, str | Path) else super().label_key(label)

    def label_cell(self, label: Any) -> Any:
        return str(Path(label).resolve()) if isinstance(label, str | Path) else label

    def face(self, item: Any, name: str = "") -> Face:
        raise ValueError(
            "masks are drawn, not named: draw them in a program for images, and name their files in the table"
        )

    def guesses(self, model: Model, items: Sequence[Any]) -> list[str] | None:
        return None  # a mask is no word

    # scoring

    def truth(self, test: Entries, model: Model, notes: Notes = UNHEARD) -> tuple[Sequence[Source], np.ndarray]:
        assert isinstance(model.reader, PixelReader)
        meaning = self.meaning_to(model.classes)
        found, arrays, _ = self._masked(test, model.reader.size, meaning, notes)
        return found.items, arrays.ids

    def meaning_to(self, classes: Sequence[str]) -> Meaning:
        """What the values of masks mean to a model of these classes; masks of colours name classes by their colours."""
        if all(is_colour(str(name)) for name in classes):
            known = Meaning(self.meaning.void, colours=tuple(map(str, classes)), settled=True)
            if set(self.meaning.codes) <= set(known.codes):  # the order is that of the classes
                return replace(known, strict=not self.mask_colours)
        return replace(self.meaning, settled=True).of(len(classes))

    def measured(
        self, model: Model, examples: Examples, items: Sequence[Source], truth: np.ndarray, show: bool = False
    ) -> Measured:
        classes = len(model.classes)
        found, tally = np.zeros((len(items), classes, 2), dtype=np.int64), Tally(classes)
        guess = np.empty(truth.shape, dtype=np.int16)
        for part in maps_of(model, examples):
            y = truth[part.numbers]
            pixels = np.full(len(y), y[0].size)
            found[part.numbers] = overlaps(part.labels.ravel(), y.ravel(), pixels, classes)
            tally.add(y.ravel(), part.labels.ravel(), part.probability.ravel())
            guess[part.numbers] = part.labels
        if not show:
            return Measured(mask_scores(found), tally, [])
        chosen = spread(np.array([mean_iou(one[None]) for one in found]))
        few = [items[i] for i in chosen]
        shown = beside_truth(few, guess[chosen], truth[chosen], classes, "test", chosen.tolist())
        return Measured(mask_scores(found), tally, shown)

    @staticmethod
    def in_words(scores: Mapping[str, Any]) -> tuple[str, str]:
        low, high = (100 * v for v in scores["interval"])
        return f"mean IoU {100 * scores['miou']:.1f} % ({low:.1f} to {high:.1f})", f"Dice {100 * scores['dice']:.1f} %"

    # showing

    def legend(self, classes: Sequence[str]) -> dict[str, Any]:
        return {"colours": hex_colours(len(classes))}

    def shown_held_out(self, data: Dataset, probabilities: np.ndarray) -> dict[str, Any]:
        assert data.size is not None
        guess, y = probabilities.argmax(1).reshape(-1, *data.size), data.items.y
        classes = len(data.classes)
        return {"shown": beside_truth(data.items.labelled, guess, y.reshape(guess.shape), classes, "held out")}

    def shown_pool(self, model: Model, pool: Examples, data: Dataset) -> dict[str, Any]:
        """Plain values for the report: share of each class of pixels, and the images of lowest mean probability."""
        images, classes = data.items.pool, data.classes
        sure, share = np.empty(len(images)), np.zeros(len(classes))
        for part in maps_of(model, pool):
            sure[part.numbers] = part.probability.mean((1, 2))
            share += np.bincount(part.labels.ravel(), minlength=len(classes))
        rows = np.argsort(sure, kind="stable")[:LEAST_SURE]
        least = {}
        for part in maps_of(model, pool.subset(rows[:PICTURED])):
            for number, labels in zip(part.numbers, part.labels, strict=True):
                row = int(rows[number])
                least[row] = overlay(pixels_of(images[row], labels.shape), labels, len(classes))
        name = self.words.thing
        return {
            "least_sure": [
                {"pieces": [(data.name_of(int(i), name), None)], "label": None, "probability": float(sure[i])}
                | ({"image": least[int(i)]} if int(i) in least else {})
                for i in rows
            ],
            "pool_classes": dict(zip(classes, map(float, share / share.sum()), strict=True)),
        }  # fmt: skip

    # Python values

    def values(self, items: Any, y: Any, argument: str = "X") -> Entries:
        """Entries made of an estimator's arguments.

        Args:
            items: n images, as `given` returns them.
            y: n masks: PNG files (bytes or `Path`), or arrays of class numbers, (h, w). None, or -1 in every pixel, is
                an image without a mask.
            argument: name of the argument that holds the images, for messages.
        """
        masks = [None] * len(items) if y is None else [_mask(mask) for mask in y]
        if len(items) != len(masks):
            raise ValueError(f"{argument} has {len(items)} images, but y has {len(masks)} masks")
        places = InValues({"item": argument, "label": "y"}, range(len(items)))
        return with_sizes(Entries(items, masks, places), argument)


def mask_names(images: Sequence[str]) -> list[str]:
    """Names of the masks of images: those of the images with another ending, or behind it where two would be alike.

    Args:
        images: names of the images, in their folder, each once.

    >>> mask_names(["a/x.png", "y.bmp", "y.jpg"])
    ['a/x.png', 'y.bmp.png', 'y.jpg.png']
    """
    short = [str(Path(name).with_suffix(".png")) for name in images]
    alike = Counter(name.casefold() for name in short)  # some file systems do not tell cases apart
    found: dict[str, str] = {}
    for name, brief in zip(images, short, strict=True):
        own = [brief] if alike[brief.casefold()] == 1 else []
        several = chain(own, [f"{name}.png"], (f"{name}.{number}.png" for number in count(2)))
        free = next(each for each in several if each.casefold() not in found)
        found[free.casefold()] = free
    return list(found.values())


def _mask(mask: Any) -> Source | np.ndarray | None:
    """A user's mask, as `read_masks` takes it; None where no pixel has a class."""
    if mask is None or isinstance(mask, (bytes, Path)):
        return mask
    array = np.asarray(mask)
    return None if array.size and (array == -1).all() else array


def say_the_same(one: np.ndarray, other: np.ndarray, classes: int) -> bool:
    """Whether two masks of one image say nearly the same, by their mean IoU where both know the class.

    Args:
        one, other: class numbers of the pixels, (h, w); others than 0 to ``classes`` - 1 are unknown.
        classes: number of classes.

    >>> say_the_same(np.array([[0, 1, 1]]), np.array([[0, 0, 1]]), 2), say_the_same(np.array([[0]]), np.array([[1]]), 2)
    (True, False)
    """
    known = (one >= 0) & (one < classes) & (other >= 0) & (other < classes)
    a, b = (mask[known].astype(np.int64) for mask in (one, other))
    return not len(a) or mean_iou(overlaps(a, b, np.array([len(a)]), classes)) >= SAME_MASK
