"""A mask, saved by any habit of a tool, is read as the classes that were meant, or asked about; never otherwise."""

from __future__ import annotations

import io

import numpy as np
import pytest
from PIL import Image

from tutelage.modalities.images.decoding import UPRIGHT
from tutelage.modalities.images.masks import read_masks
from tutelage.tables import DataError, Notes

hypothesis = pytest.importorskip("hypothesis")
st = pytest.importorskip("hypothesis.strategies")

H, W = 40, 52
SMOOTH = Image.Resampling.BILINEAR
PALETTE = np.array([[0, 0, 0], [200, 0, 0], [0, 200, 30], [40, 60, 220], [230, 230, 0]], dtype=np.uint8)


def drawn(seed, classes):
    """Class numbers of squares on ground; each class has one in each mask."""
    rng, ids = np.random.default_rng(seed), np.zeros((H, W), dtype=np.uint8)
    for number in rng.permutation(np.arange(1, classes)):
        top, left = rng.integers(0, H - 12), rng.integers(0, W - 12)
        ids[top : top + 12, left : left + 12] = number
    return ids


def encoded(image, kind="png", **options):
    image = Image.fromarray(image) if isinstance(image, np.ndarray) else image
    file = io.BytesIO()
    image.save(file, kind, **options)
    return file.getvalue()


def palette(ids, order):
    image = Image.fromarray(np.argsort(order)[ids].astype(np.uint8)).convert("P")
    image.putpalette(PALETTE[order].ravel().tolist())
    return encoded(image)


def exif(turn):
    found = Image.Exif()
    found[0x0112] = turn
    return found


def stored(ids, turn):
    inverse = {6: UPRIGHT[8], 8: UPRIGHT[6]}.get(turn, UPRIGHT.get(turn))
    image = Image.fromarray(ids)
    return image if inverse is None else image.transpose(inverse)


HABITS = {
    "grey": lambda ids, rng: encoded(ids),
    "of 16 bits": lambda ids, rng: encoded(ids.astype(np.uint16)),
    "floats": lambda ids, rng: encoded(ids.astype(np.float32), "tiff"),
    "of 1 bit": lambda ids, rng: encoded(Image.fromarray(255 * (ids > 0).astype(np.uint8)).convert("1")),
    "255": lambda ids, rng: encoded((255 // max(int(ids.max()), 1)) * ids),
    "65535": lambda ids, rng: encoded((65535 // max(int(ids.max()), 1)) * ids.astype(np.uint16)),
    "grey in three": lambda ids, rng: encoded(np.repeat(ids[..., None], 3, -1)),
    "colours": lambda ids, rng: encoded(PALETTE[ids]),
    "transparent": lambda ids, rng: encoded(np.dstack([PALETTE[ids], 255 * (ids > 0).astype(np.uint8)])),
    "palette": lambda ids, rng: palette(ids, np.arange(len(PALETTE))),
    "own palette": lambda ids, rng: palette(ids, np.append(0, 1 + rng.permutation(len(PALETTE) - 1))),
    "quantised": lambda ids, rng: encoded(Image.fromarray(PALETTE[ids]).quantize(8)),
    "jpeg": lambda ids, rng: encoded(60 * ids, "jpeg"),
    "jpeg of colours": lambda ids, rng: encoded(PALETTE[ids], "jpeg"),
    "smoothed": lambda ids, rng: encoded(Image.fromarray(60 * ids).resize((W, H), SMOOTH, (1, 1, W - 1, H - 1))),
    "smoothed numbers": lambda ids, rng: encoded(Image.fromarray(ids).resize((2 * W, 2 * H), SMOOTH)),
    "inverted": lambda ids, rng: encoded(Image.fromarray(ids), "tiff", tiffinfo={262: 0}),
    "turned": lambda ids, rng: encoded(stored(ids, 6), exif=exif(6)),
}  # fmt: skip
"""Ways in which tools save class numbers, (h, w), as a mask."""


OWN_NUMBERS = {"own palette", "quantised"}
"""Habits by which the numbers in a file stand in another order than the classes; they count where palettes agree."""


def same_partition(ids, meant, names, kinds):
    """Whether masks have the classes that were meant, up to an order that the names or the files' numbers say."""
    known = ids >= 0
    pairs = np.unique(np.stack([ids[known], meant[known]]), axis=1)
    one_to_one = len(set(pairs[0])) == len(set(pairs[1])) == pairs.shape[1]
    in_order = (pairs[0] == pairs[1]).all() or names[0].startswith("#") or OWN_NUMBERS & set(kinds)
    return known.all() and one_to_one and bool(in_order)


@hypothesis.settings(max_examples=150, deadline=None, derandomize=True, database=None)
@hypothesis.given(
    habits=st.lists(st.sampled_from(sorted(HABITS)), min_size=1, max_size=2),
    classes=st.integers(2, len(PALETTE)),
    seed=st.integers(0, 10_000),
    count=st.integers(1, 4),
)
def test_masks_mean_what_was_meant_or_are_asked_about(habits, classes, seed, count):
    rng, notes = np.random.default_rng(seed), Notes()
    meant = [drawn(seed + i, classes) for i in range(count)]
    kinds = [habits[i % len(habits)] for i in range(count)]
    masks = [HABITS[kind](ids, rng) for kind, ids in zip(kinds, meant, strict=True)]
    size = (2 * H, 2 * W) if "smoothed numbers" in kinds else (H, W)
    try:
        found = read_masks(masks, size, file="masks", notes=notes)
        notes.settle()
    except DataError as refused:
        assert "masks" in str(refused) or "image" in str(refused)
        return
    wanted = [ids > 0 if kind == "of 1 bit" else ids for kind, ids in zip(kinds, meant, strict=True)]
    grown = [np.asarray(Image.fromarray(np.asarray(ids, np.uint8)).resize(size[::-1], 0)) for ids in wanted]
    right = same_partition(found.ids, np.stack(grown), found.names, kinds)
    mixed = "of 1 bit" in kinds and len(set(kinds)) > 1 and classes > 2  # two classes of one and more of the other
    numbers = any("of all the numbers count, not the colours" in line for line in notes.lines)
    assert right or mixed or numbers or notes.questions, (kinds, found.names, notes.lines)
    assert found.names[0] == "0" or notes.lines


@pytest.mark.parametrize("habit", sorted(HABITS))
def test_each_habit_alone_is_read_or_asked_about(habit):
    meant = [drawn(i, 4) for i in range(3)]
    size = (2 * H, 2 * W) if habit == "smoothed numbers" else (H, W)
    rng, notes = np.random.default_rng(0), Notes()
    found = read_masks([HABITS[habit](ids, rng) for ids in meant], size, notes=notes)
    asked = [question.halts for question in notes.questions]
    plain = (
        "grey",
        "of 16 bits",
        "floats",
        "of 1 bit",
        "grey in three",
        "palette",
        "own palette",
        "quantised",
        "turned",
    )
    assert asked == ([] if habit in plain else [habit != "smoothed numbers"])
    if habit in plain:
        wanted = np.stack(meant) > 0 if habit == "of 1 bit" else np.stack(meant)
        assert same_partition(found.ids, wanted, found.names, [habit])
