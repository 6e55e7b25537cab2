"""Numbers of masks that may mean something else than class numbers: values between classes, scaled values, and void."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from tutelage.modalities.images.mask_meaning import LARGEST, Meaning
from tutelage.modalities.images.mask_pixels import VALUES, Counts
from tutelage.tables import Notes

VOID_OF_OLD = (255, VALUES - 1)
"""Largest values of 8 and 16 bits, which by custom mean void more often than a class."""
ON_EDGES = 3
"""Number of values on edges from which on masks count as smoothed, where the values lie between their neighbours."""
ANYWHERE = 16
"""Number of values on edges from which on masks count as smoothed in any case."""
SCALED = 16, 100
"""Step between the values, and the largest value, from which on values count as scaled class numbers."""
FEW_PEAKS, FAR = 8, 200
"""Number of values that have most pixels, and the largest value, by which masks of many values count as smoothed."""
LINES = 0.2
"""Share of the steps between pixels, at lines one pixel wide between lower and higher values, that is asked about."""
SPARSE = 64
"""Largest value from which on many class numbers without a pixel are asked about."""
MANY = 100
"""Number of values from which on it is asked whether there are so many classes."""
OBJECTS = 6
"""Number of values, each in one mask, from which on it is asked whether they are the numbers of single objects."""
LISTED = 12
"""Number of values that a question lists, at most."""


@dataclass(frozen=True)
class Tally:
    """How often each number occurs in all masks.

    Attributes:
        file: table or folder of the masks.
        at: name of the place of each mask, (n,).
        counts: counts of each mask, (n,), without void numbers.
        all: counts of all masks together.
    """

    file: str
    at: Sequence[str]
    counts: Sequence[Counts]
    all: Counts

    @classmethod
    def of(cls, file: str, at: Sequence[str], counts: Sequence[Counts]) -> Tally:
        """Counts of all masks together."""
        values = np.unique(np.concatenate([one.values for one in counts]))
        sums = np.zeros((4, len(values)), dtype=np.int64)
        for one in counts:
            sums[:, np.searchsorted(values, one.values)] += one.sums
        return cls(file, at, counts, Counts(values, sums))

    @property
    def values(self) -> np.ndarray:
        """Numbers that occur, in rising order, (v,)."""
        return self.all.values

    @property
    def pixels(self) -> np.ndarray:
        """Number of pixels of each of them in all masks, (v,)."""
        return self.all.pixels

    def first(self, values: np.ndarray) -> str:
        """Name of the place of the first mask that has one of the values."""
        return next(at for at, one in zip(self.at, self.counts, strict=True) if np.isin(one.values, values).any())

    def listed(self, values: np.ndarray) -> str:
        """List of some values with their numbers of pixels in all masks."""
        shown = [f"{v} ({self.pixels[np.searchsorted(self.values, v)]:,})" for v in values[:LISTED].tolist()]
        rest = [f"and {len(values) - LISTED} more"] if len(values) > LISTED else []
        return ", ".join([*shown, *rest])


def meaning_of_numbers(tally: Tally, meaning: Meaning, lossy: str, notes: Notes) -> Meaning:
    """What the numbers of masks mean, of which the options say nothing; what is odd is asked.

    Args:
        tally: counts of the numbers in all masks.
        meaning: what the options say.
        lossy: place and format of the first mask of a lossy format; empty where there is none.
        notes: takes the question.
    """
    for asked in (_smoothed, _lone_void, _scaled, _many, _objects, _lines):
        found = asked(tally, lossy, notes)
        if found is not None:
            return Meaning(meaning.void, values=found)
    return meaning


def _smoothed(tally: Tally, lossy: str, notes: Notes) -> tuple[int, ...] | None:
    """Values of the classes in masks with values between classes; None where there are no such values."""
    edges, spread = strays(tally), _spread(tally)
    if not (lossy or spread or edges.any()):
        return None
    found = peaks(tally, edges, 0.01 if lossy or spread else 0.001)
    if lossy:
        what = f"{lossy} does not keep numbers as they are"
    elif not edges.any():
        others = tally.values[~np.isin(tally.values, found)]
        what = (
            f"{tally.first(others)}: {len(tally.values)} values up to {tally.values[-1]}, most of them on few pixels, "
            "as after smoothing or JPEG"
        )
    else:
        others = tally.values[edges]
        what = (
            f"{tally.first(others)}: {len(others)} values from {others[0]} to {others[-1]} lie on edges only, on "
            f"{tally.pixels[edges].sum():,} of {tally.pixels.sum():,} pixels, as after smoothing"
        )
    values = f"--mask-values {','.join(map(str, found[:LISTED].tolist()))}{',...' * (len(found) > LISTED)}"
    notes.ask(
        f"{what}; most pixels have {tally.listed(found)}",
        f"{values} (each is a class, in this order; others are {'of the nearest, or ' * bool(lossy)}void)",
        f"--classes {tally.values[-1] + 1} (each number is a class)",
        "save the masks anew, as PNG and resized by the nearest pixel",
        halts=True,
        page="mask-values",
    )
    return tuple(found.tolist())


def strays(tally: Tally) -> np.ndarray:
    """Mask of the values that lie on edges between others only, (v,); none where masks do not look smoothed."""
    none, edges = np.zeros(len(tally.values), dtype=bool), tally.all.on_edges
    areas = tally.values[(tally.all.within > 0) & ~edges]
    if edges.sum() < ON_EDGES or len(areas) < 2:
        return none
    pixels, amid = tally.pixels[edges], (tally.values[edges] > areas[0]) & (tally.values[edges] < areas[-1])
    if pixels[amid].sum() < 0.8 * pixels.sum() or pixels.sum() > 0.5 * tally.pixels.sum():
        return none
    few = edges.sum() < ANYWHERE
    return none if few and tally.all.between[edges].sum() < 0.5 * tally.all.within[edges].sum() else edges


def _spread(tally: Tally) -> bool:
    """Whether there are many values, up to one that class numbers hardly reach, and few of them have most pixels."""
    most = np.sort(tally.pixels)[::-1][:FEW_PEAKS].sum() / tally.pixels.sum()
    return len(tally.values) >= ANYWHERE and bool(tally.values[-1] >= FAR and most >= 0.75)


def peaks(tally: Tally, edges: np.ndarray, least: float) -> np.ndarray:
    """Values that most pixels have, in rising order: of values close together, as noise makes them, the commonest.

    Args:
        tally: counts of the numbers.
        edges: mask of the values that lie on edges only, (v,), and are no peaks.
        least: smallest share of the pixels that a peak has.
    """
    largest = int(tally.values[-1])
    near = largest // 32 if largest >= 128 else 0
    found: list[int] = []
    for i in (-tally.pixels).argsort(kind="stable").tolist():
        value = int(tally.values[i])
        alone = all(abs(value - other) > near for other in found)
        if alone and not edges[i] and tally.pixels[i] >= least * tally.pixels.sum():
            found.append(value)
    return np.array(sorted(found), dtype=np.int64)


def _lone_void(tally: Tally, lossy: str, notes: Notes) -> tuple[int, ...] | None:
    """Values of the classes where the largest is one of VOID_OF_OLD and does not follow on the others."""
    there = tally.values.tolist()
    last, before = there[-1], there[-2] if len(there) > 1 else 0
    if last not in VOID_OF_OLD or before >= last - 1:
        return None
    at, one = next(
        (at, c) for at, c in zip(tally.at, tally.counts, strict=True) if len(c.values) and c.values[-1] == last
    )
    values = f"--mask-values {','.join(map(str, there))} (each is a class, in this order)"
    if len(there) == 2:  # one class would be left if the largest meant void
        notes.ask(
            f"{at}: the masks hold only {before} and {last} ({tally.listed(tally.values)})",
            values,
            halts=True,
            page="mask-values",
        )
        return tuple(there)
    options = [f"--void {last} (nothing is known there)", values]
    options += [f"--classes {last + 1} (each number is a class)"] * (last <= LARGEST)
    if _steps(tally.values) is not None:
        options[:2] = [values, options[0]]
    bright = _of_two_scales(tally)
    if bright:
        options.insert(0, f"save these masks anew with 1 in place of {last}, if both are one class")
    scales = f"; {bright} of {len(tally.at)} masks have {last} in place of 1, and none has both" if bright else ""
    notes.ask(
        f"{at}: value {last} on {one.pixels[-1]:,} pixels, where others end at {before}"
        f" (in all masks {tally.listed(tally.values)}){scales}",
        *(option for option in options if option != values or len(there) <= LISTED),
        halts=True,
        page="mask-values",
    )
    return tuple(there)


def _of_two_scales(tally: Tally) -> int:
    """Number of masks of 0 and the largest value, where all others are of 0 and 1; 0 where there are none of both."""
    bright = [one for one in tally.counts if tally.values[-1] in one.values]
    return len(bright) if tally.values.tolist()[:-1] == [0, 1] and not any(1 in one.values for one in bright) else 0


def _scaled(tally: Tally, lossy: str, notes: Notes) -> tuple[int, ...] | None:
    """Values of the classes where they are multiples of a step, as class numbers that are scaled to be seen."""
    there, last = tally.values, int(tally.values[-1])
    values = f"--mask-values {','.join(map(str, there[:LISTED].tolist()))} (each is a class, in this order)"
    if (step := _steps(there)) is not None:
        notes.ask(
            f"{tally.first(there[-1:])}: the values are multiples of {step:g}, as of class numbers that are scaled to "
            f"be seen; in all masks {tally.listed(there)}",
            values, f"--classes {last + 1} (each number is a class)",
            halts=True, page="mask-values",
        )  # fmt: skip
        return tuple(there.tolist())
    if last >= SPARSE and 2 * len(there) < last and len(there) < MANY:
        some = "--mask-values VALUE,VALUE (only these are classes)"
        notes.ask(
            f"the masks of {tally.file} have {len(there)} values, {tally.listed(there)}, and so {last + 1} classes, "
            "most without a pixel",
            values if len(there) <= LISTED else some, f"--classes {last + 1} (each number is a class)",
            page="mask-values",
        )  # fmt: skip
    return None


def _many(tally: Tally, lossy: str, notes: Notes) -> None:
    """Ask whether masks of many values have so many classes."""
    if len(tally.values) >= MANY:
        last = tally.values[-1]
        notes.ask(
            f"the masks of {tally.file} have {len(tally.values)} values up to {last}, as numbers of single objects or "
            "smoothed values have, and so as many classes",
            f"--classes {last + 1} (each number is a class)", "--mask-values VALUE,VALUE (only these are classes)",
            page="mask-objects",
        )  # fmt: skip


def _objects(tally: Tally, lossy: str, notes: Notes) -> None:
    """Ask whether the numbers count single objects: on and on over all masks, or from 1 in each mask."""
    each = [one.values[one.values > 0] for one in tally.counts if one.values[-1:].any()]
    last, every = int(tally.values[-1]), np.concatenate(each) if each else tally.values[:0]
    counts = [len(values) for values in each]
    on_and_on = len(every) == last >= OBJECTS and len(each) > 1 and set(every.tolist()) == set(range(1, last + 1))
    anew = all(int(values[-1]) == len(values) for values in each) and len(set(counts)) > 2 and last > min(counts) + 2
    if last >= MANY or not (on_and_on or anew or _in_runs(each)):
        return
    how = f"each of the {last} values above 0 is in one mask only" if on_and_on else "each mask counts from 1 anew"
    how = how if on_and_on or anew else f"{len(np.unique(every))} values above 0 are each in one mask or two, in a row"
    notes.ask(
        f"{tally.file}: {how}, as where numbers are those of single objects (instances); then they are no classes",
        f"--classes {last + 1} (each number is a class)",
        "save the masks anew with the number of its class on each object",
        page="mask-objects",
    )


def _in_runs(each: Sequence[np.ndarray]) -> bool:
    """Whether the values above 0 of each mask follow on each other, and hardly one of them is in another mask."""
    if len(each) < OBJECTS or max(map(len, each)) < 2 or any(v[-1] - v[0] != len(v) - 1 for v in each):
        return False
    values, counts = np.unique(np.concatenate(each), return_counts=True)
    return len(values) >= OBJECTS and counts.max() <= 2 and bool((counts == 1).mean() >= 0.8)


def _lines(tally: Tally, lossy: str, notes: Notes) -> None:
    """Ask whether lines one pixel wide, of values between those on both sides, come from smoothing."""
    found = {at: one for at, one in zip(tally.at, tally.counts, strict=True) if _has_lines(one)}
    if not found:
        return
    at, one = next(iter(found.items()))
    notes.ask(
        f"{at}: {one.between.sum():,} pixels lie on lines one pixel wide between lower and higher values (most often "
        f"{one.values[one.between.argmax()]}), as after smoothing, in {len(found):,} of {len(tally.at):,} masks; masks "
        "must be resized by the nearest pixel",
        f"--classes {tally.values[-1] + 1} (the lines are meant)",
        page="mask-values",
    )


def _has_lines(one: Counts) -> bool:
    """Whether many of the steps between areas of one mask are lines one pixel wide; noise has no areas."""
    areas = 2 * one.inner.sum() > one.within.sum()
    return bool(areas and one.steps >= 50 and one.between.sum() >= LINES * one.steps)


def _steps(values: np.ndarray) -> float | None:
    """Step of which the values are multiples, rounded; None where it is small, or there is none."""
    step, largest = SCALED
    last = int(values[-1])
    exact = int(np.gcd.reduce(values))
    if last >= largest and exact >= step and len(values) > 1:
        return float(exact)
    for parts in range(2, 17):
        if last < largest or last / parts < step or len(values) < 3:
            return None
        times = values * parts / last
        distinct = len(np.unique(times.round())) == len(values)
        if distinct and np.abs(values - times.round() * last / parts).max() <= 1:
            return last / parts
    return None
