"""Colours painted by hand, values of a lossy format and numbers of single objects are said or asked about."""

from __future__ import annotations

import io

import numpy as np
from PIL import Image

from tutelage.modalities.images.mask_meaning import Meaning
from tutelage.modalities.images.masks import read_masks
from tutelage.tables import Notes

SIZE = (40, 48)


def drawn(numbers, seed):
    """Class numbers of a square of each number on ground."""
    rng, ids = np.random.default_rng(seed), np.zeros(SIZE, dtype=np.uint8)
    for place, number in enumerate(numbers):
        top = rng.integers(0, SIZE[0] - 12)
        ids[top : top + 12, 16 * place : 16 * place + 12] = number
    return ids


def encoded(pixels, kind="png"):
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, kind)
    return file.getvalue()


def got(masks, **options):
    notes = Notes()
    return read_masks(masks, SIZE, list(range(1, len(masks) + 1)), "a.csv", notes=notes, **options), notes


def said(masks):
    """What is said of masks that were read."""
    notes = Notes()
    masks.note(notes)
    return notes.lines


def painted(ids, shade):
    """A mask whose colours differ a little from mask to mask."""
    return encoded(np.array([[0, 0, 0], [255 - shade, shade, 0], [0, 0, 255 - shade]], dtype=np.uint8)[ids])


def test_shades_of_a_colour_are_of_its_class_and_the_colours_apart_are_named():
    ids = [drawn([1, 2], seed) for seed in range(6)]
    masks = [painted(each, i % 3) for i, each in enumerate(ids)]
    _, notes = got(masks)
    first, second = notes.questions[0].options[:2]
    assert first.startswith('--mask-colours "#000000,#0000f') and first.count("#") == 3
    assert "colours close to these are shades of them" in first and second.count("#") == 7
    found, notes = got(masks, meaning=Meaning(colours=tuple(first.split('"')[1].split(","))))
    order = np.array([0, 2, 1])
    assert (found.ids == order[np.stack(ids)]).all() and not notes.questions
    assert "have other colours, close to those of the classes, and are taken for the nearest" in notes.lines[0]


def test_colours_that_are_named_are_of_their_own_classes_however_alike():
    ids = [drawn([1, 2], seed) for seed in range(4)]
    colours = np.array([[0, 0, 0], [0, 0, 1], [0, 0, 2]], dtype=np.uint8)
    found, notes = got(
        [encoded(colours[each]) for each in ids], meaning=Meaning(colours=("#000000", "#000001", "#000002"))
    )
    assert (found.ids == np.stack(ids)).all() and not notes.lines


def test_values_of_a_lossy_format_that_are_taken_for_the_nearest_are_said():
    masks = [encoded(drawn([255], seed), "jpeg") for seed in range(4)]
    found, notes = got(masks, meaning=Meaning(values=(0, 255)))
    assert set(np.unique(found.ids)) <= {-1, 0, 1}
    assert any("have other values, close to those of the classes" in line for line in notes.lines)


def test_numbers_that_go_on_from_mask_to_mask_with_gaps_are_those_of_objects():
    starts = [33, 4, 14, 30, 25, 18, 52, 10]
    _, notes = got([encoded(drawn([start, start + 1], start)) for start in starts])
    assert any("as where numbers are those of single objects" in question.asks for question in notes.questions)
    _, notes = got([encoded(drawn([1 + i % 3, 5 + i % 4], i)) for i in range(8)])
    assert not notes.questions


def test_masks_of_the_first_class_alone_are_said_where_they_are_most():
    found, _ = got([encoded(drawn([1, 2] if i < 2 else [], i)) for i in range(5)])
    assert said(found) == [
        "3 of 5 masks have the class 0 alone, as has an image on which nobody drew; take such masks out, if they were "
        "not looked at."
    ]
    assert said(got([encoded(drawn([1, 2] if i < 3 else [], i)) for i in range(5)])[0]) == []
