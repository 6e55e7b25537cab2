"""What a model cannot see of images, or sees twice: tiny and plain images, copies, and what shrinks to nothing."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np

from tutelage.modalities.images.checking import ImageReport
from tutelage.modalities.images.decoding import Size
from tutelage.tables import Notes

TINY = 8
"""Pixels of the shorter side below which an image counts as tiny."""
ENLARGED = 4
"""Factor from which on an image counts as much smaller than the size that it is resized to."""
SHRUNK = 32
"""Factor from which on an image counts as shrunk to nothing: what is of 64 pixels in it is then of 2."""
STRETCHED = 4
"""Factor from which on the proportions of an image count as lost."""


@dataclass(frozen=True)
class ImageFacts:
    """Facts of the good images of a table or a folder.

    Attributes:
        file: the table or folder.
        images: number of images.
        kinds: number of images that are not plain RGB, by kind (see `decoding.KINDS`).
        smallest, largest: height and width of the image with the fewest and the most pixels; (0, 0) without images.
        size: height and width to which images are resized; None where it is not known yet.
        plain, copies, tiny, enlarged, shrunk, stretched: numbers of the images whose pixels all have one colour; that
            are equal to an earlier one byte for byte; with a side below `TINY` pixels; and that resizing makes
            `ENLARGED` times larger, `SHRUNK` times smaller, or `STRETCHED` times wider than high or higher than wide.
        first: place of the first image of each of these, by the attribute's name.
    """

    file: str
    images: int
    kinds: dict[str, int]
    smallest: Size
    largest: Size
    size: Size | None = None
    plain: int = 0
    copies: int = 0
    tiny: int = 0
    enlarged: int = 0
    shrunk: int = 0
    stretched: int = 0
    first: dict[str, str] = field(default_factory=dict)

    def as_dict(self) -> dict[str, Any]:
        """The facts as a summary holds them."""
        sizes = {name: list(size) for name in ("smallest", "largest", "size") if (size := getattr(self, name))}
        return asdict(self) | sizes

    def line(self) -> str:
        """How many images there are, how large, and of which kinds, in a sentence."""
        (h, w), (high, wide) = self.smallest, self.largest
        sizes = f"{h} x {w}" if self.smallest == self.largest else f"{h} x {w} to {high} x {wide}"
        kinds = "".join(f", {count:,} {kind}" for kind, count in self.kinds.items() if count)
        return f"{self.file}: {self.images:,} image{'s' * (self.images != 1)} of {sizes} pixels{kinds}."

    def tell(self, notes: Notes) -> None:
        """Note how many images there are, and say what is odd of them: plain and tiny ones, and copies."""
        notes.fact(f"images of {self.file}", self.line(), self.as_dict())
        if self.plain:
            notes.say(
                f"{self._of(self.plain)} have one colour in all their pixels{self._first('plain')}.", page="odd-images"
            )
        if self.copies:
            notes.say(
                f"{self._of(self.copies)} are copies of others, byte for byte{self._first('copies')}.", page="copies"
            )
        if self.tiny:
            notes.say(
                f"{self._of(self.tiny)} are less than {TINY} pixels high or wide{self._first('tiny')}.",
                page="odd-images",
            )

    def tell_resized(self, notes: Notes) -> None:
        """Note what is lost when images are resized."""
        if self.size is None:
            return
        h, w = self.size
        if self.shrunk:
            notes.ask(
                f"{self._of(self.shrunk)} are shrunk {SHRUNK} times or more to {h} x {w} pixels"
                f"{self._first('shrunk')}: what is smaller than {2 * SHRUNK} pixels in them cannot be seen",
                "--size HEIGHT WIDTH (larger)",
                page="odd-images",
            )
        if self.stretched:
            notes.ask(
                f"{self._of(self.stretched)} are stretched {STRETCHED} times or more in one direction when they are "
                f"resized to {h} x {w} pixels{self._first('stretched')}",
                "--size HEIGHT WIDTH (of their proportions)",
                page="odd-images",
            )
        if 0 < self.enlarged < self.images / 2:
            notes.say(
                f"{self._of(self.enlarged)} are enlarged {ENLARGED} times or more to {h} x {w} pixels, unlike the "
                f"others{self._first('enlarged')}."
            )

    def _of(self, count: int) -> str:
        return f"{count:,} of {self.images:,} images of {self.file}"

    def _first(self, what: str) -> str:
        return f" (the first: {self.first[what]})" if what in self.first else ""


def image_facts(report: ImageReport, size: Size | None = None) -> ImageFacts:
    """Facts of the good images of a report; nothing is decoded for them.

    Args:
        report: report on the images, of `check_images`.
        size: height and width to which images are resized; None where it is not known yet.
    """
    good = np.flatnonzero(report.good)
    sizes = report.sizes[good]
    found: dict[str, Sequence[int]] = {
        "plain": list(report.plain),
        "copies": list(report.copies),
        "tiny": good[sizes.min(1) < TINY].tolist() if len(good) else [],
        **{name: good[mask].tolist() for name, mask in _resized(sizes, size).items()},
    }
    first = {name: _place(report, name, numbers[0]) for name, numbers in found.items() if len(numbers)}
    order = sizes.prod(1).argsort(kind="stable")
    ends = [(int(sizes[i][0]), int(sizes[i][1])) for i in (order[:1].tolist() + order[-1:].tolist())] or [(0, 0)] * 2
    counts = {name: len(numbers) for name, numbers in found.items()}
    return ImageFacts(report.file, len(good), report.kinds, ends[0], ends[1], size, **counts, first=first)


def _resized(sizes: np.ndarray, size: Size | None) -> dict[str, np.ndarray]:
    """Masks of the images that resizing enlarges, shrinks and stretches, each (n,), by name."""
    if size is None:
        return {}
    scale = np.asarray(size) / np.maximum(sizes, 1)
    return {
        "enlarged": scale.max(1, initial=0) >= ENLARGED,
        "shrunk": scale.min(1, initial=np.inf) <= 1 / SHRUNK,
        "stretched": scale.max(1, initial=0) >= STRETCHED * scale.min(1, initial=np.inf),
    }


def _place(report: ImageReport, name: str, number: int) -> str:
    """Place of an image, with the number that makes it odd."""
    if name == "copies":
        return f"{report.at(number)} of {report.at(report.copies[number])}"
    height, width = report.sizes[number].tolist()
    return f"{report.at(number)}, {height} x {width}"
