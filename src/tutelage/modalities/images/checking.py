"""Check of many images at once: which can be read, their sizes and kinds, and what is wrong with the others."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import TypeVar

import numpy as np

from tutelage.modalities.images.decoding import KINDS, MAX_PIXELS, ImageError, Source, bytes_of
from tutelage.modalities.images.examples import WORKERS, in_threads, place, shown, some
from tutelage.modalities.images.inspecting import inspect
from tutelage.tables import DataError

S = TypeVar("S")
"""Type of an item."""
T = TypeVar("T")
"""Type of a result."""


def attempted(
    work: Callable[[S], T], items: Sequence[S], workers: int = WORKERS
) -> tuple[dict[int, T], dict[int, ImageError]]:
    """Results of ``work`` by the item's number, and the ImageErrors of the other items; see `in_threads`."""

    def attempt(item: S) -> T | ImageError:
        try:
            return work(item)
        except ImageError as error:
            return error

    found, bad = {}, {}
    for number, result in enumerate(in_threads(attempt, items, workers)):
        if isinstance(result, ImageError):
            bad[number] = result
        else:
            found[number] = result
    return found, bad


@dataclass(frozen=True)
class Fault:
    """A fault of one image or mask.

    Attributes:
        at: name of the place of the image.
        error: the fault.
    """

    at: str
    error: ImageError

    def __str__(self) -> str:
        return f"{self.at}: {self.error}"


def refusal(faults: Sequence[Fault], count: int, file: str, what: str) -> str:
    """Sentence that refuses images: how many are bad, of which kinds of fault, and the first image of each kind.

    Args:
        faults: faults of the bad images, at least one.
        count: number of all images.
        file: table or folder of the images; empty where they have none.
        what: word for the images, in the plural.

    >>> bad = [Fault("a.csv, row 2", ImageError("no such file")), Fault("a.csv, row 4", ImageError("no such file"))]
    >>> refusal(bad, 9, "a.csv", "images")
    'a.csv, row 2: no such file (2 of 9 images are bad)'
    """
    kinds = Counter(fault.error.kind for fault in faults)
    first = {fault.error.kind: fault for fault in reversed(faults)}
    each = ", ".join(f"{number:,} {kind}" for kind, number in kinds.most_common())
    if len(faults) == count > 1:
        where = f"{shown(file)}: none" if file else "None"
        of_kinds = f" ({each})" if len(kinds) > 1 else ""
        return f"{where} of the {count:,} {what} can be read{of_kinds}; the first: {faults[0]}"
    said = "; ".join(str(first[kind]) for kind in kinds)
    if len(faults) == 1:
        return said
    return f"{said} ({len(faults):,} of {count:,} {what} are bad{f': {each}' if len(kinds) > 1 else ''})"


@dataclass(frozen=True)
class ImageReport:
    """Result of a check of images.

    Attributes:
        file: table or folder of the images.
        sizes: upright heights and widths, in pixels, (n, 2); 0 for a bad image.
        kinds: number of good images of each of KINDS, by kind.
        bad: fault of each bad image, by the image's number, from 0.
        turns: EXIF orientation of each image, (n,), 1 to 8; 1 for a bad image.
        plain: numbers of the images whose pixels all have one colour.
        copies: number of an earlier image that is equal byte for byte, by the number of each image that has one.
        at: function that gives the name of the i-th image's place.
    """

    file: str
    sizes: np.ndarray
    kinds: dict[str, int]
    bad: dict[int, Fault]
    turns: np.ndarray
    plain: Sequence[int] = ()
    copies: Mapping[int, int] = field(default_factory=dict)
    at: Callable[[int], str] = str

    @property
    def faults(self) -> dict[int, str]:
        """Sentence on the place and the fault of each bad image, by the image's number, from 0."""
        return {i: str(fault) for i, fault in self.bad.items()}

    @property
    def good(self) -> np.ndarray:
        """Mask of the good images, (n,)."""
        good = np.ones(len(self.sizes), dtype=bool)
        good[list(self.bad)] = False
        return good

    @property
    def refused(self) -> str:
        """Sentence that refuses the bad images; empty where there are none."""
        return refusal(list(self.bad.values()), len(self.sizes), self.file, "images") if self.bad else ""

    def words(self) -> list[str]:
        """Sentences for the user: images that are left out, and images that are turned into plain RGB."""
        n, good = len(self.sizes), len(self.sizes) - len(self.bad)
        said = [f"{count} of {good} images of {self.file} are {KINDS[kind]}." for kind, count in self.kinds.items()]
        if self.bad:
            said.insert(0, f"Left out: {len(self.bad)} of {n} images; {some(list(self.faults.values()))}.")
        return said


def look_at_images(
    sources: Sequence[Source],
    rows: Sequence[int] | None = None,
    file: str = "",
    max_pixels: int = MAX_PIXELS,
    workers: int = WORKERS,
) -> ImageReport:
    """Check every image once, in threads: its size, its kind, and whether it is whole (see `inspect`).

    Args:
        sources: n images, encoded or as paths.
        rows: number of each image's row in the file, for errors; None counts the images.
        file: table or folder of the images, for errors.
        max_pixels: number of pixels of an image, at most.
        workers: number of threads, at least 1.
    """
    found, errors = attempted(partial(inspect, max_pixels=max_pixels), sources, workers)
    at = partial(place, sources, rows, file)
    bad = {i: Fault(at(i), error) for i, error in errors.items()}
    sizes, turns = np.zeros((len(sources), 2), dtype=np.int64), np.ones(len(sources), dtype=np.int64)
    for i, one in found.items():
        sizes[i], turns[i] = one.size, one.turn
    kinds = Counter(kind for one in found.values() for kind in one.kinds)
    counted = {kind: kinds[kind] for kind in KINDS if kinds[kind]}
    plain = [i for i, one in found.items() if one.plain]
    copies = copies_among(sources, {i: one.mark for i, one in found.items()})
    return ImageReport(file, sizes, counted, bad, turns, plain, copies, at)


def copies_among(sources: Sequence[Source], marks: Mapping[int, int]) -> dict[int, int]:
    """The images that are equal, byte for byte, to an earlier one: its number by theirs.

    Only files of equal marks are read again.

    Args:
        sources: n images, encoded or as paths.
        marks: mark of each good image by its number, see `Inspected`.
    """
    counts = Counter(marks.values())
    first: dict[bytes, int] = {}
    found: dict[int, int] = {}
    for i, mark in marks.items():
        if counts[mark] > 1:
            earlier = first.setdefault(hashlib.blake2b(bytes_of(sources[i])).digest(), i)
            if earlier != i:
                found[i] = earlier
    return found


def check_images(
    sources: Sequence[Source],
    rows: Sequence[int] | None = None,
    file: str = "",
    *,
    skip_bad: bool = False,
    max_pixels: int = MAX_PIXELS,
    workers: int = WORKERS,
) -> ImageReport:
    """Check every image once, and refuse bad ones; see `look_at_images` for the other arguments.

    Args:
        sources, rows, file, max_pixels, workers: as those of `look_at_images`.
        skip_bad: whether bad images are only reported; else they are an error.

    Raises:
        DataError: an image is bad, and ``skip_bad`` is off, or every image is bad; the message names all kinds of
            fault, with the first image of each.
    """
    report = look_at_images(sources, rows, file, max_pixels, workers)
    if report.bad and not (skip_bad and report.good.any()):
        raise DataError(report.refused)
    return report
