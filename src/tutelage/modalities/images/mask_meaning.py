"""What the numbers or colours of masks mean: which of them is which class, and which mean that nothing is known."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from jaxtyping import Int, Int16, UInt
from PIL import ImageColor

from tutelage.modalities.images.mask_pixels import VALUES, colour_codes
from tutelage.tables import DataError

LARGEST = 2**15 - 1
"""Largest class number."""
CLEARLY = 3
"""Number of times that a class's number or colour must be nearer than the next one's, for a pixel of a JPEG."""
SHADE = 8.0
"""Distance of a colour to that of a class, up to which it is a shade of it, as of colours painted by hand."""
OPAQUE = 255
"""Opacity of a colour that hides what is below it."""


@dataclass(frozen=True)
class Meaning:
    """What the numbers or colours of masks mean.

    Args:
        void: numbers that mean an unknown class, in [0, 65535].
        classes: number of classes, at least 1; None is one more than the largest number that is not void.
        values: number of each class, in the order of the classes; empty where numbers are class numbers.
        colours: colour of each class, in this order, perhaps after its name, as in "road #804080"; empty where numbers
            count.
        strict: whether a colour that is none of the classes' is an error; else it is void.
        settled: whether this is what other masks were found to mean, so that nothing is asked.
        palette: colours of the numbers of masks of palettes, in pairs; empty for other masks.

    Raises:
        ValueError: a value is out of its range, or one is there twice.
        DataError: a colour is not known.
    """

    void: tuple[int, ...] = ()
    classes: int | None = None
    values: tuple[int, ...] = ()
    colours: tuple[str, ...] = ()
    strict: bool = False
    settled: bool = False
    palette: tuple[tuple[int, int], ...] = ()

    def __post_init__(self) -> None:
        for name, numbers in (("void", self.void), ("mask_values", self.values)):
            for value in numbers:
                if not 0 <= value < VALUES:
                    raise ValueError(f"{name} must be in [0, {VALUES - 1}], got {value}")
        if self.classes is not None and not 1 <= self.classes <= LARGEST + 1:
            raise ValueError(f"classes must be in [1, {LARGEST + 1}], got {self.classes}")
        for name, given in (("mask_values", self.values), ("mask_colours", [hex(c) for c in self.codes])):
            if len(set(given)) < len(given):
                twice = next(each for each in given if list(given).count(each) > 1)
                raise ValueError(f"{name} must differ from class to class, got {twice} twice")
        named = len(self.values) or len(self.colours)
        if named and self.classes is not None and self.classes != named:
            raise ValueError(f"classes must be {named}, the number of classes that are named, got {self.classes}")

    @property
    def codes(self) -> list[int]:
        """Colour of each class, as one number."""
        return [colour_code(colour) for colour in self.colours]

    def names(self, classes: int) -> list[str]:
        """Names of ``classes`` classes: their colours, or else their numbers from 0."""
        return list(self.colours) or [str(number) for number in range(classes)]

    def of(self, classes: int) -> Meaning:
        """The same meaning with a number of classes, unless its values or colours are named."""
        return self if self.values or self.colours else replace(self, classes=classes)

    def ids(self, codes: UInt[np.ndarray, "*n"], lossy: bool = False) -> Int16[np.ndarray, "*n"]:
        """Class number of each number or colour; -1 is void.

        Args:
            codes: numbers, or colours where the meaning has colours.
            lossy: whether they are of a lossy format, so that the nearest class counts where it is clearly nearest.
        """
        if not self.values and not self.colours:
            return _without(codes, self.void)
        every, which = np.unique(codes, return_inverse=True)
        known = np.array(self.values or self.codes, dtype=np.int64)
        found = _nearest(every, known, bool(self.colours)) if lossy else _equal(every, known)
        if self.colours and not (lossy or self.strict):
            found = _with_shades(every, known, found)
        if not self.colours:
            found[np.isin(every, self.void)] = -1
        ids: np.ndarray = found[which].reshape(codes.shape)
        return ids


def _without(numbers: UInt[np.ndarray, "*n"], void: Sequence[int]) -> Int16[np.ndarray, "*n"]:
    classes = numbers.astype(np.int16)
    for value in void:
        classes[numbers == value] = -1
    return classes


def _equal(codes: np.ndarray, known: Int[np.ndarray, " c"]) -> Int16[np.ndarray, " n"]:
    """Number of the class that each code is of, (n,); -1 for others."""
    order = known.argsort()
    at = order[np.searchsorted(known[order], codes).clip(max=len(known) - 1)]
    return np.where(known[at] == codes, at, -1).astype(np.int16)


def _with_shades(codes: np.ndarray, known: Int[np.ndarray, " c"], found: np.ndarray) -> Int16[np.ndarray, " n"]:
    """Class numbers, (n,), in which colours that are close to one class's and to no other are of this class."""
    others = np.flatnonzero(found < 0)
    if len(others):
        nearest = _nearest(codes[others], known, colours=True)
        away = np.sqrt(((bands(codes[others]) - bands(known)[nearest]) ** 2).sum(-1))
        found[others] = np.where(away <= SHADE, nearest, -1)
    return found


def _nearest(codes: np.ndarray, known: Int[np.ndarray, " c"], colours: bool) -> Int16[np.ndarray, " n"]:
    """Number of the class that is `CLEARLY` nearest to each code, (n,); -1 where none is."""
    points, centres = (bands(v) if colours else np.asarray(v, dtype=np.float64)[:, None] for v in (codes, known))
    away = np.sqrt(((points[:, None] - centres) ** 2).sum(-1))
    nearest, ordered = away.argmin(1), np.sort(away, axis=1)
    clear = ordered[:, 0] * CLEARLY <= ordered[:, 1] if len(known) > 1 else ordered[:, 0] == 0
    return np.where(clear, nearest, -1).astype(np.int16)


def bands(codes: np.ndarray) -> np.ndarray:
    """Red, green, blue and opacity of colours, (n, 4), as numbers with a fraction."""
    wide = np.asarray(codes, dtype=np.int64)
    return np.stack([(wide >> shift) & 255 for shift in (24, 16, 8, 0)], axis=-1).astype(np.float64)


def given_values(words: Sequence[str | int], option: str = "mask_values") -> tuple[int, ...]:
    """Values of masks that an option gives: whole numbers with commas or blanks between them.

    Args:
        words: words of the option, or numbers.
        option: name of the option, for the message.

    Raises:
        ValueError: a word is no whole number.

    >>> given_values(["0,255"]), given_values([0, 255])
    ((0, 255), (0, 255))
    """
    each = [part.strip() for word in words for part in str(word).split(",") if part.strip()]
    for part in each:
        if not part.removeprefix("-").isdecimal() or not part.isascii():
            raise ValueError(f"{option} must be whole numbers such as 0,255, got {part!r}")
    return tuple(map(int, each))


def colour_code(colour: str) -> int:
    """A colour as one number, see `colour_codes`.

    Args:
        colour: "#rrggbb", "#rrggbbaa", a name such as "red", or "transparent"; words before it name its class.

    Raises:
        DataError: there is no such colour.

    >>> hex(colour_code("road #804080")), colour_code("transparent")
    ('0x804080ff', 0)
    """
    word = colour.rsplit(maxsplit=1)[-1] if colour.split() else ""
    if word.lower() == "transparent":
        return 0
    try:
        found = ImageColor.getrgb(word)
    except ValueError as e:
        raise DataError(f"mask_colours must be colours such as #804080 or red, got {colour!r}") from e
    return int(colour_codes(np.array((*found, OPAQUE)[:4], dtype=np.uint8)))


def colour_name(code: int) -> str:
    """A colour, given as one number, as "#rrggbb", "#rrggbbaa" or "transparent".

    >>> colour_name(0x804080FF), colour_name(0x80408020), colour_name(0)
    ('#804080', '#80408020', 'transparent')
    """
    if code == 0:
        return "transparent"
    return f"#{code >> 8:06x}" if code & 255 == OPAQUE else f"#{code:08x}"


def is_colour(name: str) -> bool:
    """Whether the name of a class is that of a colour, as masks of colours name their classes."""
    try:
        colour_code(name)
    except DataError:
        return False
    return True
