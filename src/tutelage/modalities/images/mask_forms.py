"""Masks of several forms made alike: numbers, numbers of palettes, and colours; and masks turned like their images."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np

from tutelage.modalities.images.decoding import ImageError, Size, Source
from tutelage.modalities.images.mask_colours import difference, in_order, shared_colour
from tutelage.modalities.images.mask_meaning import Meaning, bands, colour_name
from tutelage.modalities.images.mask_pixels import (
    NONE,
    Counts,
    Stored,
    array_mask,
    colour_codes,
    counts_of,
    nearest,
    stored_mask,
)
from tutelage.tables import Notes

VOID = 1
"""Colour, as one number, that stands for a void number of a palette; no file has it, as it can hardly be seen."""
MANY = 64
"""Number of colours of palettes that differ from which on they are not taken for classes without a question."""
BLACK = 255
"""Black, opaque, as one number; what a number beyond a palette is shown as."""

Fit = Literal["", "upright", "turned", "either"]
"""How a mask fits an image that EXIF turns: not asked; upright only; as stored, so that it is turned; or both."""


@dataclass(frozen=True)
class Want:
    """What a mask is read for.

    Attributes:
        size: height and width that it is resized to, in pixels.
        max_pixels: number of its pixels, at most.
        turned: whether masks lie as the pixels of turned images are stored; None tells it by the sizes.
    """

    size: Size
    max_pixels: int
    turned: bool | None = None


@dataclass(frozen=True)
class Read:
    """One mask, read.

    Attributes:
        at: name of its place.
        stored: its form and how it is stored, with the pixels resized.
        counts: counts of all its numbers or colours, before it is resized.
        fit: how it fits its image.
    """

    at: str
    stored: Stored
    counts: Counts
    fit: Fit = ""

    def with_codes(self, codes: np.ndarray, values: np.ndarray, form: Literal["numbers", "colours"]) -> Read:
        """The mask with other numbers or colours.

        Args:
            codes: those of the resized pixels, (h, w).
            values: those that stand for ``counts.values``, (v,), perhaps some of them equal.
            form: what they are.
        """
        return replace(self, stored=replace(self.stored, codes=codes, form=form), counts=self.counts.renamed(values))


def read_one(source: Source | np.ndarray, at: str, of_image: np.ndarray | None, turn: int, want: Want) -> Read:
    """A mask, turned like its image and resized.

    Args:
        source: encoded mask, its path, or an array.
        at: name of its place.
        of_image: upright height and width of its image, (2,); None checks none.
        turn: EXIF orientation of its image, 1 to 8.
        want: what it is read for.

    Raises:
        ImageError: it cannot be read, or differs from its image in size.
    """
    stored = array_mask(source) if isinstance(source, np.ndarray) else stored_mask(source, want.max_pixels)
    stored, fit = _fitted(stored, of_image, turn, want.turned)
    codes = stored.codes
    return Read(at, replace(stored, codes=nearest(codes, want.size)), counts_of(codes), fit)


def _fitted(stored: Stored, of_image: np.ndarray | None, turn: int, turned: bool | None) -> tuple[Stored, Fit]:
    """A mask as its image lies, and how it fits; ImageError where it does not fit."""
    if of_image is None:
        return stored, ""
    upright, shape = tuple(int(side) for side in of_image), stored.codes.shape
    raw = upright[::-1] if turn > 4 else upright
    as_upright = turned is False or (turned is None and (shape == upright != raw or shape != raw))
    if turn == 1 or stored.upright or as_upright:
        _require_size(shape, upright)
        return stored, "upright" if turn > 1 and raw != upright else ""
    _require_size(shape, raw)
    if turned is None and raw == upright:
        return stored, "either"
    return stored.turned(turn), "turned"


def _require_size(shape: tuple[int, ...], wanted: tuple[int, ...]) -> None:
    if shape != wanted:
        (h, w), (height, width) = shape, wanted
        raise ImageError(f"it is {h} x {w} pixels, high and wide, but its image is {height} x {width}")


def tell_turned(reads: Mapping[int, Read], file: str, turned: bool | None, notes: Notes) -> list[int]:
    """Say which masks are turned like their images; the numbers of those that fit both ways and are to be turned, too.

    Args:
        reads: masks by their numbers.
        file: table or folder of the masks.
        turned: what the options say.
        notes: takes what is said or asked.
    """
    by_fit = {fit: [i for i, one in reads.items() if one.fit == fit] for fit in ("turned", "upright", "either")}
    sure, either = by_fit["turned"], by_fit["either"]
    alike = either if sure and not by_fit["upright"] else []
    if sure:
        notes.say(
            f"{len(sure) + len(alike):,} of {len(reads):,} masks of {file} lie as the pixels of their images are "
            f"stored, and are turned like these, as EXIF says (the first: {reads[min([*sure, *alike])].at})."
        )
    if either and not alike and turned is None:
        notes.ask(
            f"{len(either):,} of {len(reads):,} masks of {file} fit their images both as the pixels are stored and "
            f"turned as EXIF says (the first: {reads[either[0]].at}), and are taken to lie like the turned image",
            "--masks-turned (they lie as the pixels are stored)", "--no-masks-turned (they lie like the turned image)",
            page="turned-masks",
        )  # fmt: skip
    return alike


def without(counts: Counts, codes: Sequence[int]) -> Counts:
    """Counts of the values that are none of some codes."""
    return counts.where(~np.isin(counts.values, codes))


def made_alike(
    reads: Mapping[int, Read], meaning: Meaning, file: str, notes: Notes
) -> tuple[dict[int, Read], Meaning, bool]:
    """Masks all of numbers, or all of colours; what they mean as far as it is settled by that; whether of colours.

    Colours count where the options name some, where a mask has colours that are not grey, and where palettes differ.

    Args:
        reads: masks by their numbers.
        meaning: what the options, or masks that were read before, say.
        file: table or folder of the masks.
        notes: takes what is said or asked.
    """
    _ask_inverted(reads, meaning, file, notes)
    frames = [one.at for one in reads.values() if one.stored.frames]
    if frames:
        notes.say(
            f"{len(frames):,} of {len(reads):,} masks of {file} have several frames, of which the first is read (the "
            f"first mask: {frames[0]})."
        )
    of_colours = [one for one in reads.values() if one.stored.form == "colours"]
    if meaning.colours or coloured_among(reads):
        return {i: _in_colours(one, meaning.void) for i, one in reads.items()}, meaning, True
    if of_colours:
        notes.say(
            f"{len(of_colours):,} of {len(reads):,} masks of {file} are grey but stored in several channels, and are "
            "read as one channel of numbers."
        )
    alike = {i: _in_numbers(one) if one.stored.form == "colours" else one for i, one in reads.items()}
    return _by_palette(alike, meaning, file, notes)


def _by_palette(
    reads: dict[int, Read], meaning: Meaning, file: str, notes: Notes
) -> tuple[dict[int, Read], Meaning, bool]:
    """Masks of numbers as they are, or of colours where their palettes differ; see `made_alike`."""
    of_palettes = {i: one for i, one in reads.items() if one.stored.form == "palette"}
    palettes = {i: one.stored.palette for i, one in of_palettes.items()}
    used = {i: without(one.counts, meaning.void).values for i, one in of_palettes.items()}
    places = {i: one.at for i, one in of_palettes.items()}
    if meaning.palette:
        before = np.full(NONE + 1, BLACK, dtype=np.uint32)
        used[-1] = np.array([number for number, _ in meaning.palette])
        before[used[-1]] = [colour for _, colour in meaning.palette]
        palettes, places[-1] = {-1: before} | palettes, "the masks that are learnt from"
    apart = difference(palettes, used)
    if apart is None or meaning.values:
        if 0 < len(of_palettes) < len(reads) and not meaning.values:
            notes.say(
                f"{len(of_palettes):,} of {len(reads):,} masks of {file} have palettes (the first: "
                f"{next(iter(of_palettes.values())).at}), and the others none: of all the numbers count, not the "
                "colours."
            )
        return reads, meaning if meaning.settled else replace(meaning, palette=_shown(palettes, used)), False
    number, first, second = apart
    colours = [colour_name(int(palettes[i][number])) for i in (first, second)]
    differ = (
        f"the palettes of the masks of {file} differ: {number} is {colours[0]} in {places[first]}, and {colours[1]} in "
        f"{places[second]}"
    )
    by_number = f"--mask-values {','.join(map(str, np.unique(np.concatenate([*used.values()])).tolist()[:12]))}"
    twice = shared_colour(palettes, used)
    made = {i: _in_colours(one, meaning.void) for i, one in reads.items()}
    codes = np.unique(np.concatenate([without(one.counts, [VOID]).values for one in made.values()]))
    unlike = meaning.classes not in (None, len(codes))
    if twice is not None or len(of_palettes) < len(reads) or meaning.settled or unlike:
        why = f"; there are {len(codes)} colours, and not {meaning.classes} as --classes says" if unlike else ""
        why = "; some masks have no palette" if len(of_palettes) < len(reads) else why
        if twice is not None:
            mask, one, other = twice
            why = f"; {one} and {other} have one colour in {places[mask]}"
        by_colour = '--mask-colours "#rrggbb,#rrggbb" (the colours count)'
        notes.ask(differ + why, f"{by_number} (the numbers count)", by_colour, halts=True, page="mask-colours")
        return reads, meaning, False
    if len(codes) > MANY:
        return made, meaning, True
    names = tuple(colour_name(int(code)) for code in codes)
    notes.say(f"{differ[0].upper()}{differ[1:]}. The colour decides, not the number; classes: {in_order(names)}.")
    return made, Meaning(colours=names, strict=True), True


def _shown(palettes: Mapping[int, np.ndarray], used: Mapping[int, np.ndarray]) -> tuple[tuple[int, int], ...]:
    """Numbers that masks of palettes use, each with its colour."""
    found: dict[int, int] = {}
    for i, numbers in used.items():
        found |= {int(n): int(palettes[i][n]) for n in numbers if n < len(palettes[i])}
    return tuple(sorted(found.items()))


def _ask_inverted(reads: Mapping[int, Read], meaning: Meaning, file: str, notes: Notes) -> None:
    inverted = [one for one in reads.values() if one.stored.inverted]
    if not inverted or meaning.values or meaning.colours or meaning.settled:
        return
    values = ",".join(map(str, np.unique(np.concatenate([one.counts.values for one in reads.values()])).tolist()[:12]))
    notes.ask(
        f"{len(inverted)} of {len(reads)} masks of {file} store their grey inverted, white as the smallest number (the "
        f"first: {inverted[0].at}); as they are shown their values are {values}",
        f"--mask-values {values} (each value, as it is shown, is a class, in this order)",
        halts=True,
        page="mask-values",
    )


def coloured_among(reads: Mapping[int, Read]) -> list[str]:
    """Places of the masks that have colours besides opaque grey."""
    return [one.at for one in reads.values() if one.stored.form == "colours" and not _grey(one.counts.values)]


def _grey(codes: np.ndarray) -> bool:
    """Whether colours are shades of grey, and opaque."""
    each = bands(codes)
    return bool((each[:, :3] == each[:, :1]).all() and (each[:, 3] == BLACK).all())


def _in_numbers(one: Read) -> Read:
    """A mask of opaque grey as one of numbers."""
    shift = np.uint32(24)
    codes, values = (
        (part >> shift).astype(np.uint16) for part in (one.stored.codes, one.counts.values.astype(np.uint32))
    )
    return one.with_codes(codes, values, "numbers")


def _in_colours(one: Read, void: Sequence[int]) -> Read:
    """A mask of numbers as one of colours: those of its palette, or grey."""
    if one.stored.form == "colours":
        return one
    table = np.full(NONE + 1, BLACK, dtype=np.uint32)
    grey = np.arange(256, dtype=np.uint8)[:, None]
    own = one.stored.palette if one.stored.form == "palette" else colour_codes(np.insert(grey.repeat(3, 1), 3, 255, 1))
    table[: len(own)] = own
    table[[*void, NONE]] = VOID
    return one.with_codes(table[one.stored.codes], table[one.counts.values], "colours")
