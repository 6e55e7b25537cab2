"""Masks of colours: palettes that differ between files, files that say which colour is which class, and questions."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from tutelage.modalities.images.decoding import Source
from tutelage.modalities.images.mask_meaning import SHADE, Meaning, bands, colour_code, colour_name
from tutelage.modalities.images.mask_numbers import LISTED, Tally
from tutelage.modalities.images.mask_pixels import KEPT
from tutelage.tables import DataError, Notes

FILES = (
    "colours.txt", "colors.txt", "label_colours.txt", "label_colors.txt", "labelmap.txt", "label_map.txt",
    "class_dict.csv", "classes.csv", "palette.txt", "colormap.txt", "colourmap.txt",
)  # fmt: skip
"""Names, in lower case, of the files beside masks that say which colour is which class."""
HEX = re.compile(r"#[0-9a-fA-F]{6}\b")
"""Pattern of a colour as style sheets write it."""
THREE = re.compile(r"(?<![\w.])(\d{1,3})[\s,;]+(\d{1,3})[\s,;]+(\d{1,3})(?![\w.])")
"""Pattern of a colour as three numbers."""
FITS = 0.95
"""Share of the pixels whose colours a file must know to be believed."""
EXACT = 64
"""Number of colours up to which all are listed, unless some lie on edges only."""
CLOSE, CLOSE_IN_JPEG = 48.0, 96.0
"""Distance of colours below which the rarer of two counts as a shade of the other; and that in a lossy format."""


def given_colours(words: Sequence[str]) -> tuple[str, ...]:
    """Colours of the classes that an option gives: colours with commas between them, or the path of a file.

    Args:
        words: words of the option.

    Raises:
        DataError: a word is no colour, or the file has none.

    >>> given_colours(["#000000,red"]), given_colours(["road #804080", "black"])
    (('#000000', '#ff0000'), ('road #804080', '#000000'))
    """
    if names_file(words):
        if not Path(words[0]).is_file():
            raise DataError(f"{words[0]}: no such file")
        return read_colours(Path(words[0]))
    each = [colour.strip() for word in words for colour in word.split(",") if colour.strip()]
    return tuple(" ".join([*colour.split()[:-1], colour_name(colour_code(colour))]) for colour in each)


def names_file(words: Sequence[str]) -> bool:
    """Whether an option names a file of colours, and not the colours themselves."""
    return len(words) == 1 and re.search(r"\.\w+$", words[0]) is not None


def read_colours(path: Path) -> tuple[str, ...]:
    """Colours of the classes in a text file, one class a line, each after its name where the line has one.

    A colour is written as #rrggbb, or as three numbers from 0 to 255, as in CVAT's labelmap.txt, CamVid's
    label_colors.txt and class_dict.csv. Lines without a colour are passed over.

    Raises:
        DataError: the file cannot be read, or has no two colours, or one colour twice.
    """
    try:
        lines = path.read_text(encoding="utf-8-sig", errors="replace").splitlines()
    except OSError as e:
        raise DataError(f"{path}: the file cannot be read ({e.strerror})") from e
    found = [colour for line in lines if (colour := _of_line(line))]
    codes = [colour_code(colour) for colour in found]
    twice = [colour for colour, code in zip(found, codes, strict=True) if codes.count(code) > 1]
    if twice:
        raise DataError(f"{path}: the colour of {twice[0]!r} is that of {twice[1]!r}, too")
    if len(found) < 2:
        raise DataError(
            f"{path}: {len(found)} lines have a colour (#rrggbb, or three numbers from 0 to 255); two need one"
        )
    return tuple(found)


def _of_line(line: str) -> str:
    """Name and colour in a line; empty where it has none."""
    hexed, three = HEX.search(line), THREE.search(line)
    if hexed is not None:
        colour, rest = hexed[0].lower(), line.replace(hexed[0], " ", 1)
    elif three is not None and all(int(v) < 256 for v in three.groups()):
        colour = "#{:02x}{:02x}{:02x}".format(*map(int, three.groups()))
        rest = line[: three.start()] + " " + line[three.end() :]
    else:
        return ""
    name = " ".join(re.sub(r"[:;,\t\"']+", " ", rest).split())
    return f"{name} {colour}".strip()


def colours_beside(sources: Sequence[Source | np.ndarray | None]) -> Path | None:
    """File that says which colour is which class, in the folder of the masks or the one above; None without one."""
    first = next((Path(source) for source in sources if isinstance(source, (str, Path))), None)
    for folder in () if first is None else (first.parent, first.parent.parent):
        there = {each.name.lower(): each for each in folder.iterdir()} if folder.is_dir() else {}
        for name in FILES:
            if name in there and there[name].is_file():
                return there[name]
    return None


def meaning_of_colours(
    tally: Tally, coloured: Sequence[str], beside: Path | None, lossy: bool, notes: Notes
) -> Meaning:
    """What the colours of masks mean, of which the options say nothing: what a file says, or else it is asked.

    Args:
        tally: counts of the colours in all masks.
        coloured: places of the masks that have colours besides grey, at least one.
        beside: file beside the masks that says which colour is which class.
        lossy: whether a mask is of a lossy format.
        notes: takes what is said or asked.
    """
    hint = ""
    if beside is not None:
        try:
            found = Meaning(colours=read_colours(beside))
        except DataError as error:
            return _asked(tally, coloured, f" ({error})", lossy, notes)
        known = tally.pixels[found.ids(tally.values, lossy) >= 0].sum() / tally.pixels.sum()
        if known >= FITS:
            notes.say(f"{beside}: {len(found.colours)} classes by colour: {in_order(found.colours)}.")
            return found
        hint = f" ({beside.name} knows the colours of {100 * known:.0f} % of the pixels only)"
    return _asked(tally, coloured, hint, lossy, notes)


def _asked(tally: Tally, coloured: Sequence[str], hint: str, lossy: bool, notes: Notes) -> Meaning:
    """What the colours of masks mean until the user says it."""
    common = shades(tally, lossy)
    listed = ", ".join(f"{colour_name(code)} ({count:,})" for code, count in common[:LISTED])
    rest = f", and {len(tally.values) - len(common[:LISTED])} more" * (len(tally.values) > len(common[:LISTED]))
    few = _typed([code for code, _ in common])
    apart = _apart([code for code, _ in common])
    painted = 1 < len(apart) < len(common)
    blurred = "; a format such as JPEG does not keep colours as they are" * lossy
    notes.ask(
        f"{coloured[0]}: it holds colours, not class numbers, as {len(coloured):,} of {len(tally.at):,} masks "
        f"do{hint}{blurred}; pixels by colour in all masks: {listed}{rest}",
        *[f"--mask-colours {_typed(apart)} (colours close to these are shades of them)"] * painted,
        f"--mask-colours {few} (the colours of the classes, in their order; others are void)",
        "--mask-colours FILE (a line for each class: its name and its colour)",
        *["save the masks anew, as PNG"] * lossy,
        halts=True,
        page="mask-colours",
    )
    return Meaning(colours=tuple(colour_name(code) for code in sorted(code for code, _ in common)))


def _typed(codes: Sequence[int]) -> str:
    """Colours as an option takes them, the darkest first."""
    return f'"{",".join(colour_name(code) for code in sorted(codes[:LISTED]))}"'


def _apart(codes: Sequence[int]) -> list[int]:
    """Those colours, the first ones first, of which the others are shades."""
    found: list[int] = []
    for code in codes:
        if all(np.linalg.norm(bands(np.array([code])) - bands(np.array([other]))) > SHADE for other in found):
            found.append(code)
    return found


def shades(tally: Tally, lossy: bool) -> list[tuple[int, int]]:
    """Colours that most pixels have, with their numbers of pixels, the commonest first; shades of them are left out.

    Args:
        tally: counts of the colours in all masks.
        lossy: whether a mask is of a lossy format, which spreads each colour over many.
    """
    edges = tally.all.on_edges & (not lossy)
    edges &= not edges.all()
    order = (-tally.pixels).argsort(kind="stable")
    order = order[~edges[order]][:KEPT]
    if not (lossy or edges.any()) and len(order) <= EXACT:  # few colours are those of classes, however alike
        return [(int(tally.values[i]), int(tally.pixels[i])) for i in order]
    close = CLOSE_IN_JPEG if lossy else CLOSE
    points, found = bands(tally.values[order]), dict[int, int]()
    for i, point in zip(order.tolist(), points, strict=True):
        near = next((j for j in found if np.linalg.norm(point - bands(tally.values[j])) < close), i)
        found[near] = found.get(near, 0) + int(tally.pixels[i])
    least = (0.01 if lossy else 0.001) * tally.pixels.sum()
    kept = {i: count for i, count in found.items() if count >= least} or found
    return [(int(tally.values[i]), kept[i]) for i in sorted(kept, key=lambda i: -kept[i])]


def in_order(names: Sequence[str]) -> str:
    """Classes with their numbers, such as "0 #000000, 1 #ff0000"."""
    shown = [f"{number} {name}" for number, name in enumerate(names[:LISTED])]
    return ", ".join(shown) + f", and {len(names) - LISTED} more" * (len(names) > LISTED)


def difference(palettes: Mapping[int, np.ndarray], used: Mapping[int, np.ndarray]) -> tuple[int, int, int] | None:
    """First difference between palettes: a number, and two masks in which it has two colours; None where all agree.

    Only numbers that some mask uses count; where a palette is filled up with black, this is no colour.

    Args:
        palettes: colours of each mask's palette, (k,), by the mask's number.
        used: numbers that the pixels of each mask have, (v,).
    """
    ever = np.unique(np.concatenate([*used.values()])) if used else np.empty(0, dtype=np.int64)
    seen: dict[int, tuple[int, int]] = {}
    for mask, palette in palettes.items():
        own = set(used[mask].tolist())
        for number in ever[ever < len(palette)].tolist():
            colour = int(palette[number])
            if number not in own and bands(np.array([colour]))[0, :3].max() == 0:
                continue
            other, before = seen.setdefault(number, (mask, colour))
            if colour != before:
                return number, other, mask
    return None


def shared_colour(palettes: Mapping[int, np.ndarray], used: Mapping[int, np.ndarray]) -> tuple[int, int, int] | None:
    """First mask in which two numbers have one colour, with these numbers; None where there is none."""
    for mask, palette in palettes.items():
        first: dict[int, int] = {}
        for number in used[mask][used[mask] < len(palette)].tolist():
            before = first.setdefault(int(palette[number]), number)
            if before != number:
                return mask, before, number
    return None
