"""Masks: images that say the class of each pixel. Errors name the file, the row and the number of pixels."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path

import numpy as np
from jaxtyping import Int, Int16, Int64

from tutelage.modalities.images.checking import Fault, attempted, refusal
from tutelage.modalities.images.decoding import MAX_PIXELS, Size, Source
from tutelage.modalities.images.examples import WORKERS, place, some
from tutelage.modalities.images.mask_colours import colours_beside, meaning_of_colours
from tutelage.modalities.images.mask_forms import (
    VOID,
    Read,
    Want,
    coloured_among,
    made_alike,
    read_one,
    tell_turned,
    without,
)
from tutelage.modalities.images.mask_meaning import LARGEST, Meaning, colour_name
from tutelage.modalities.images.mask_numbers import Tally, meaning_of_numbers
from tutelage.modalities.images.mask_pixels import NONE
from tutelage.tables import UNHEARD, DataError, Notes

CLASSES_SHOWN = 20
"""Number of classes that a line lists with their counts, at most."""
LITTLE = 0.001
"""Share of the pixels up to which values that no class has are void, where masks to score on have one class alone."""
LOST = 0.1
"""Share of the masks from which on it is said that classes vanish when masks are resized."""


@dataclass(frozen=True)
class Masks:
    """Masks of n images, resized.

    Attributes:
        ids: class number of each pixel, (n, h, w); -1 is void, or an image without a mask.
        classes: number of classes c.
        pixels: number of pixels of each class in all stored masks, (c,).
        faults: place and fault of each mask that cannot be read, by its number, from 0; such a mask is void.
        images: number of stored masks that have each class, (c,).
        void: number of pixels of the stored masks that are void, and of the masks that have some.
        meaning: what the numbers or colours of the masks were found to mean.
        lost: number of masks in which a class has no pixel left after they are resized.
        bare: number of masks that have the first class alone, and of all masks.
    """

    ids: Int16[np.ndarray, "n h w"]
    classes: int
    pixels: Int64[np.ndarray, " c"]
    images: Int64[np.ndarray, " c"]
    void: tuple[int, int] = (0, 0)
    faults: dict[int, str] = field(default_factory=dict)
    meaning: Meaning = field(default_factory=Meaning)
    lost: int = 0
    bare: tuple[int, int] = (0, 0)

    @property
    def names(self) -> list[str]:
        """Names of the classes, (c,): their numbers, or the colours that they have in masks of colours."""
        return self.meaning.names(self.classes)

    def targets(self) -> Int64[np.ndarray, " pixels"]:
        """Class numbers in the order of the units of `SegmentImages`, (n h w,); -1 is unknown."""
        return self.ids.ravel().astype(np.int64)

    def counts(self) -> dict[str, dict[str, int]]:
        """Numbers of "pixels" and of "masks" with some, of each class by name; and of "void" where there is any."""
        each = zip(self.names, self.pixels.tolist(), self.images.tolist(), strict=True)
        found = {name: {"pixels": pixels, "masks": images} for name, pixels, images in each}
        void = {"pixels": self.void[0], "masks": self.void[1]}
        return found | ({"void": void} if self.void[0] else {})

    def line(self) -> str:
        """Sentence that says the classes, with their shares of the pixels and the numbers of masks that have them."""
        counts = self.counts()
        total = max(sum(each["pixels"] for each in counts.values()), 1)
        each = [
            f"{name} ({100 * of['pixels'] / total:.1f} %, {of['masks']:,})"
            for name, of in list(counts.items())[:CLASSES_SHOWN]
        ]
        more = f", and {len(counts) - CLASSES_SHOWN} more" if len(counts) > CLASSES_SHOWN else ""
        return f"Classes (share of the pixels, masks that have some): {', '.join(each)}{more}."

    def note(self, notes: Notes) -> None:
        """Say or ask what looks odd: classes without a pixel, or that vanish when masks are resized, and bare masks."""
        names, there = self.names, np.flatnonzero(self.pixels).tolist()
        none = [names[number] for number in np.flatnonzero(self.pixels == 0)]
        says = f"{len(none)} of {self.classes} classes are in no mask: {some(none)}"
        if len(none) > len(there) and self.meaning.classes and not (self.meaning.values or self.meaning.colours):
            follow = there == list(range(len(there)))
            fewer = f"--classes {len(there)}" if follow else f"--mask-values {','.join(map(str, there))}"
            notes.ask(
                f"{says}; it may be that --classes {self.classes} is too many",
                f"{fewer} in its place",
                page="mask-values",
            )
        elif none:
            notes.say(f"{says}.")
        if self.classes > 1 and 2 * self.bare[0] > self.bare[1]:
            notes.say(
                f"{self.bare[0]:,} of {self.bare[1]:,} masks have the class {names[0]} alone, as has an image on which "
                "nobody drew; take such masks out, if they were not looked at."
            )
        if self.lost and self.lost >= LOST * len(self.ids):
            h, w = self.ids.shape[1:]
            notes.say(
                f"In {self.lost} of {len(self.ids)} masks a class has no pixel left after they are resized to {h} x "
                f"{w} pixels; a larger --size keeps it."
            )


def read_masks(
    sources: Sequence[Source | np.ndarray | None],
    size: Size,
    rows: Sequence[int] | None = None,
    file: str = "",
    *,
    sizes: Int[np.ndarray, "n 2"] | None = None,
    turns: Int[np.ndarray, " n"] | None = None,
    meaning: Meaning | None = None,
    turned: bool | None = None,
    skip_bad: bool = False,
    max_pixels: int = MAX_PIXELS,
    workers: int = WORKERS,
    named: Callable[[int], str] | None = None,
    notes: Notes = UNHEARD,
) -> Masks:
    """Masks, read and resized to one size by the nearest pixel.

    Their values are class numbers unless ``meaning`` says otherwise; of a palette the numbers count unless palettes
    differ. What may mean something else is asked: values between classes, scaled values, a lone largest value, colours.

    Args:
        sources: n masks: encoded images, or arrays of whole numbers, (h, w), -1 is void, or of colours, (h, w, 3). None
            is an image without a mask.
        size: height and width that masks are resized to, in pixels.
        rows: number of each mask's row in the file, for errors; None counts the masks.
        file: table or folder of the masks, for errors.
        sizes: upright heights and widths of the images, (n, 2), which the masks must have; None checks none.
        turns: EXIF orientations of the images, (n,), 1 to 8; None takes all images for upright.
        meaning: what numbers or colours mean, as far as it is known.
        turned: whether masks lie as the pixels of turned images are stored; None tells it by the sizes.
        skip_bad: whether a mask that cannot be read, or differs from its image in size, becomes void and is in
            ``faults``; else it is an error.
        max_pixels: number of pixels of a stored mask, at most.
        workers: number of threads, at least 1.
        named: function that gives the name of the i-th mask's place, in place of ``rows`` and ``file``.
        notes: takes what is said and asked.

    Raises:
        DataError: a mask cannot be read, differs from its image in size, or has a value that is neither void nor below
            the number of classes; or no mask has a pixel that is not void.
    """
    meaning = meaning or Meaning()
    of_files = bool(file) and named is None
    named = named or (lambda i: f"{place(sources, rows, file, i)}, mask")
    given = {i: source for i, source in enumerate(sources) if source is not None}
    want, where = Want(size, max_pixels, turned), {i: named(i) for i in given}

    def read(number: int, as_stored: bool = False) -> Read:
        of_image = None if sizes is None else sizes[number]
        turn = 1 if turns is None or not len(turns) else int(turns[number])
        asked = replace(want, turned=True) if as_stored else want
        return read_one(given[number], where[number], of_image, turn, asked)

    numbers = list(given)
    found, bad = attempted(read, numbers, workers)
    faults = {numbers[k]: Fault(where[numbers[k]], error) for k, error in bad.items()}
    if faults and (not skip_bad or len(faults) == len(given)):
        advice = "; --skip-bad leaves out what cannot be read" if of_files and len(faults) < len(given) else ""
        raise DataError(refusal(list(faults.values()), len(given), file, "masks") + advice)
    reads = {numbers[k]: one for k, one in found.items()}
    alike = tell_turned(reads, file, turned, notes)
    reads |= {i: read(i, True) for i in alike}
    if any(isinstance(source, np.ndarray) for source in given.values()):
        meaning = replace(meaning, void=tuple({*meaning.void, NONE}))
    made = _meant(reads, meaning, file, partial(colours_beside, sources), notes)
    return replace(made.masks(len(sources), size), faults={i: str(fault) for i, fault in faults.items()})


@dataclass(frozen=True)
class _Meant:
    """Masks that were read, with what they mean."""

    reads: dict[int, Read]
    tally: Tally
    meaning: Meaning

    def masks(self, count: int, size: Size) -> Masks:
        """The masks of ``count`` images."""
        meaning = self.meaning
        classes = len(meaning.values or meaning.colours) or meaning.classes or int(self.tally.values[-1]) + 1
        classes = min(classes, LARGEST + 1)  # there are more only where a question has been asked
        ids = np.empty((count, *size), dtype=np.int16)
        pixels, images, void, lost = np.zeros(classes, dtype=np.int64), np.zeros(classes, dtype=np.int64), [], 0
        bare = 0
        for i in range(count):
            one = self.reads.pop(i, None)  # so that memory does not hold all masks twice
            if one is None:
                ids[i] = -1
                continue
            ids[i] = meaning.ids(one.stored.codes, bool(one.stored.lossy))
            there = meaning.ids(one.counts.values.astype(one.stored.codes.dtype), bool(one.stored.lossy))
            known = (there >= 0) & (there < classes)
            np.add.at(pixels, there[known], one.counts.pixels[known])
            images[np.unique(there[known])] += 1
            bare += set(there[known].tolist()) == {0}
            void.append(int(one.counts.pixels[~known].sum()))
            left = np.bincount(ids[i][ids[i] >= 0].ravel(), minlength=classes)
            lost += bool((left[there[known]] == 0).any())
        voids = sum(void), sum(map(bool, void))
        found = replace(meaning, settled=True)
        return Masks(ids, classes, pixels, images, voids, meaning=found, lost=lost, bare=(bare, len(void)))


def _meant(
    reads: dict[int, Read], meaning: Meaning, file: str, beside: Callable[[], Path | None], notes: Notes
) -> _Meant:
    """Masks with what they mean; what is odd is asked."""
    lossy = next((f"{one.at}: its format, {one.stored.lossy}," for one in reads.values() if one.stored.lossy), "")
    of_colours = coloured_among(reads)
    reads, found, coloured = made_alike(reads, meaning, file, notes)
    counts = [without(one.counts, (VOID,) if coloured else meaning.void) for one in reads.values()]
    if not any(len(one.values) for one in counts):
        raise DataError(f"{file or 'masks'}: no mask has a pixel of a class")
    tally = Tally.of(file or "y", [one.at for one in reads.values()], counts)
    if coloured and not found.colours:
        if found.settled:
            raise DataError(
                f"{of_colours[0]}: it holds colours, but the masks that were learnt from hold class numbers"
            )
        found = meaning_of_colours(tally, of_colours or tally.at, beside(), bool(lossy), notes)
    elif not (coloured or found.values or found.settled or notes.unsettled) and found.classes is None:
        found = replace(meaning_of_numbers(tally, found, lossy, notes), palette=found.palette)
    if notes.unsettled:
        return _Meant(reads, tally, found)
    if found.values or found.colours:
        _say_others(tally, found, lossy, notes)
        _say_near(tally, found, lossy, notes)
    else:
        _require_below(tally, found)
    return _Meant(reads, tally, found)


def _say_others(tally: Tally, meaning: Meaning, lossy: str, notes: Notes) -> None:
    """Say how many pixels have none of the named numbers or colours; DataError where these must name all."""
    ids = meaning.ids(tally.values.astype(np.uint32 if meaning.colours else np.uint16), bool(lossy))
    others, what = tally.values[ids < 0], "colour" if meaning.colours else "value"
    if not len(others):
        return
    commonest = int(others[tally.pixels[ids < 0].argmax()])
    name = colour_name(commonest) if meaning.colours else str(commonest)
    count, every = int(tally.pixels[ids < 0].sum()), int(tally.pixels.sum())
    if meaning.strict:
        first = tally.first(others[others == commonest])
        raise DataError(
            f"{first}: {what} {name} is none of the classes', {', '.join(meaning.colours)} ({count:,} of {every:,} "
            f"pixels of {tally.file})"
        )
    if meaning.settled and len(np.unique(ids[ids >= 0])) < 2 and count > LITTLE * every:
        raise DataError(
            f"{tally.first(others[others == commonest])}: {what} {name} is none of the classes' ({count:,} of "
            f"{every:,} pixels of {tally.file} have such {what}s, and the others are of one class at most); save these "
            f"masks with the {what}s of those that were learnt from, or name it void if nothing is known there"
        )
    nearest = " and are not clearly nearest to one of them" if lossy else ""
    notes.say(
        f"{count:,} of {every:,} pixels of the masks of {tally.file} ({100 * count / every:.1f} %) have other {what}s "
        f"than the classes{nearest}, and are void (most often {name})."
    )


def _say_near(tally: Tally, meaning: Meaning, lossy: str, notes: Notes) -> None:
    """Say how many pixels have a number or colour that is close to one that is named, and are taken for it."""
    ids = meaning.ids(tally.values.astype(np.uint32 if meaning.colours else np.uint16), bool(lossy))
    near = (ids >= 0) & ~np.isin(tally.values, meaning.values or meaning.codes)
    if near.any():
        like = int(tally.values[near][tally.pixels[near].argmax()])
        notes.say(
            f"{tally.pixels[near].sum():,} of {tally.pixels.sum():,} pixels of the masks of {tally.file} have other "
            f"{'colours' if meaning.colours else 'values'}, close to those of the classes, and are taken for the "
            f"nearest (most often {colour_name(like) if meaning.colours else like})."
        )


def _require_below(tally: Tally, meaning: Meaning) -> None:
    classes = meaning.classes or LARGEST + 1
    alike = ", or save these masks with the numbers of those that were learnt from" if meaning.settled else ""
    for at, one in zip(tally.at, tally.counts, strict=True):
        if len(one.values) and one.values[-1] >= classes:
            raise DataError(
                f"{at}: value {one.values[-1]} on {one.pixels[-1]:,} pixels is not from 0 to {classes - 1}; name it "
                f"void if nothing is known there, or give more classes{alike}"
            )
