"""What masks of other tools mean is told by their values, colours and palettes, or asked; it is never guessed."""

from __future__ import annotations

import io

import numpy as np
import pytest
from PIL import Image

from tutelage.modalities.images.checking import look_at_images
from tutelage.modalities.images.decoding import UPRIGHT
from tutelage.modalities.images.mask_colours import given_colours, read_colours
from tutelage.modalities.images.mask_meaning import Meaning, colour_name, given_values, is_colour
from tutelage.modalities.images.masks import read_masks
from tutelage.tables import DataError, Notes

SIZE = (60, 80)
COLOURS = np.array([[0, 0, 0], [200, 0, 0], [0, 200, 30]], dtype=np.uint8)
NAMES = tuple(colour_name(int("".join(f"{v:02x}" for v in c) + "ff", 16)) for c in COLOURS)


def drawn(seed, classes=3):
    """Class numbers of two squares of each class on ground."""
    rng, ids = np.random.default_rng(seed), np.zeros(SIZE, dtype=np.uint8)
    for number in [*range(1, classes)] * 2:
        top, left = rng.integers(0, SIZE[0] - 14), rng.integers(0, SIZE[1] - 14)
        ids[top : top + 14, left : left + 14] = number
    return ids


THREE, TWO = [drawn(i) for i in range(4)], [drawn(i, 2) for i in range(4)]


def voided(ids, number):
    """Class numbers, of which one is void."""
    return np.where(np.stack(ids) == number, -1, np.stack(ids).astype(int))


def encoded(image, kind="png", **options):
    image = Image.fromarray(image) if isinstance(image, np.ndarray) else image
    file = io.BytesIO()
    image.save(file, kind, **options)
    return file.getvalue()


def smooth(ids, size=(160, 120)):
    return encoded(Image.fromarray(ids).resize(size, Image.Resampling.BILINEAR))


def of_palette(ids, order=(0, 1, 2), colours=COLOURS):
    """A mask of a palette in which the colours stand in another order, as each file may have its own."""
    image = Image.fromarray(np.argsort(order)[ids].astype(np.uint8)).convert("P")
    image.putpalette(colours[list(order)].ravel().tolist())
    return encoded(image)


def got(masks, size=SIZE, **options):
    notes = Notes()
    found = read_masks(masks, size, list(range(1, len(masks) + 1)), "a.csv", notes=notes, **options)
    return found, notes


def said(masks):
    """What is said of masks that were read."""
    notes = Notes()
    masks.note(notes)
    return notes.lines


def question(masks, **options):
    """The only question that halts, as the user reads it."""
    _, notes = got(masks, **options)
    assert [each.halts for each in notes.questions] == [True]
    with pytest.raises(DataError) as refused:
        read_masks(masks, SIZE, list(range(1, len(masks) + 1)), "a.csv", **options)
    assert str(refused.value) == notes.questions[0].line(1)
    return notes.questions[0].line(1)


def read(masks, **options):
    """Class numbers of masks that nothing is asked about."""
    found, notes = got(masks, **options)
    assert notes.questions == []
    return found.ids


# values


@pytest.mark.parametrize(
    ("masks", "settled"),
    [
        ([encoded(255 * ids) for ids in TWO], (0, 255)),
        ([encoded(65535 * ids.astype(np.uint16)) for ids in TWO], (0, 65535)),
        ([encoded(127 * ids) for ids in THREE], (0, 127, 254)),
        ([encoded(85 * ids) for ids in THREE], (0, 85, 170)),
        ([encoded(np.array([0, 127, 255], dtype=np.uint8)[ids]) for ids in THREE], (0, 127, 255)),
        ([encoded(257 * ids.astype(np.uint16)) for ids in THREE], (0, 257, 514)),
        ([encoded(np.array([0, 64, 127, 191], dtype=np.uint8)[drawn(i, 4)]) for i in range(4)], (0, 64, 127, 191)),
    ],
    ids=["255", "65535", "127", "85", "rounded", "of 16 bits", "quarters"],
)
def test_scaled_class_numbers_are_asked_and_settled(masks, settled):
    classes = ",".join(map(str, settled))
    assert f"To settle it: --mask-values {classes} (each is a class, in this order)" in question(masks)
    ids = THREE if len(settled) == 3 else TWO if len(settled) == 2 else [drawn(i, 4) for i in range(4)]
    assert (read(masks, meaning=Meaning(values=settled)) == ids).all()


def test_a_lone_255_beside_class_numbers_is_void_or_a_class():
    masks = [encoded(np.where(ids == 2, 255, ids).astype(np.uint8)) for ids in THREE]
    line = question(masks)
    assert "row 1, mask: value 255 on 392 pixels, where others end at 1" in line
    assert "To settle it: --void 255 (nothing is known there); or --mask-values 0,1,255 " in line
    assert (read(masks, meaning=Meaning(void=(255,))) == voided(THREE, 2)).all()
    assert (read(masks, meaning=Meaning(values=(0, 1, 255))) == THREE).all()
    assert (read(masks, meaning=Meaning(classes=256)) == np.array([0, 1, 255])[np.stack(THREE)]).all()


def test_masks_of_two_scales_are_to_be_saved_anew():
    masks = [encoded(ids * (255 if i % 2 else 1)) for i, ids in enumerate(TWO)]
    line = question(masks)
    assert "; 2 of 4 masks have 255 in place of 1, and none has both. To settle it: save these masks anew" in line
    assert "in place of" not in question([*masks[:3], encoded(np.where(THREE[3] == 2, 255, THREE[3]).astype(np.uint8))])


def test_void_values_may_have_commas():
    assert given_values(["0,255"], "void") == (0, 255)
    with pytest.raises(ValueError, match="void must be whole numbers such as 0,255, got 'x'"):
        given_values(["0,x"], "void")


@pytest.mark.parametrize("size", [(160, 120), (113, 91), (40, 30)])
@pytest.mark.parametrize("scale", [255, 200])
def test_values_between_classes_are_asked(size, scale):
    masks = [smooth(scale * ids, size) for ids in TWO]
    line = question(masks)
    assert "lie on edges only, on " in line
    assert f"0,{scale} (each is a class, in this order; others are void)" in line or size == (40, 30)
    found, notes = got(masks, size=size[::-1], meaning=Meaning(values=(0, scale)))
    there = np.stack([np.asarray(Image.open(io.BytesIO(mask))) for mask in masks])
    assert (found.ids == np.select([there == 0, there == scale], [0, 1], -1)).all()
    assert "have other values than the classes, and are void (most often" in notes.lines[0]


def test_class_numbers_that_were_smoothed_are_asked_too():
    few = np.array([0, 5, 9], dtype=np.uint8)
    assert "--mask-values 0,5,9 " in question([smooth(few[ids]) for ids in THREE])
    _, notes = got([smooth(ids) for ids in THREE])  # between 0 and 2 lies 1, which is a class
    assert "lie on lines one pixel wide between lower and higher values (most often 1)" in notes.questions[0].asks
    assert "in 4 of 4 masks" in notes.questions[0].asks
    _, notes = got([encoded(THREE[0]), smooth(THREE[1]), encoded(THREE[2])])
    assert "a.csv, row 2, mask: " in notes.questions[0].asks


def test_a_jpeg_is_asked_about_and_then_read_by_the_nearest_value():
    masks = [encoded(255 * ids, "jpeg") for ids in TWO]
    assert "row 1, mask: its format, JPEG, does not keep numbers as they are; most pixels have 0 " in question(masks)
    assert (read(masks, meaning=Meaning(values=(0, 255))) == TWO).all()
    resaved = [encoded(Image.open(io.BytesIO(mask))) for mask in masks]
    assert "--mask-values 0,255 " in question(resaved)


def test_few_pixels_of_many_classes_are_classes():
    """Long tails, thin things and noise of class numbers are not taken for smoothing."""
    rng = np.random.default_rng(0)
    tail = [np.repeat(np.repeat(rng.zipf(1.6, (20, 20)).clip(max=60).astype(np.uint8), 5, 0), 5, 1) for _ in range(6)]
    poles = [drawn(i, 8) for i in range(4)]
    for ids in poles:
        ids[:, 10], ids[30] = 8, 9
    noise = [rng.integers(0, 9, SIZE, dtype=np.uint8) for _ in range(3)]
    for masks in (tail, poles, noise):
        found, notes = got([encoded(ids) for ids in masks], masks[0].shape)
        assert (found.ids == masks).all()
        assert (notes.lines, notes.questions) == ([], [])


def test_very_many_values_are_asked_about_without_a_halt():
    ids = np.repeat(np.repeat(np.arange(120, dtype=np.uint8).reshape(10, 12), 5, 0), 5, 1)
    _, notes = got([encoded(ids)])
    assert [each.halts for each in notes.questions] == [False]
    assert "120 values up to 119, as numbers of single objects" in notes.questions[0].asks


def test_classes_that_vanish_when_masks_are_resized_are_said():
    ids = np.zeros((400, 400), dtype=np.uint8)
    ids[:200], ids[301, 301] = 1, 2
    found, _ = got([encoded(ids)], (40, 40))
    assert found.lost == 1
    assert said(found) == [
        "In 1 of 1 masks a class has no pixel left after they are resized to 40 x 40 pixels; a larger --size keeps it."
    ]


def test_of_several_frames_the_first_is_read_and_said():
    frames = [Image.fromarray(ids) for ids in THREE]
    found, notes = got([encoded(THREE[0]), encoded(frames[1], "tiff", save_all=True, append_images=frames[2:])])
    assert (found.ids == THREE[:2]).all()
    said = "1 of 2 masks of a.csv have several frames, of which the first is read (the first mask: a.csv, row 2, mask)."
    assert notes.lines == [said]


@pytest.mark.parametrize("kind", ["1", "L"])
def test_inverted_grey_is_asked_about_and_read_as_it_is_shown(kind):
    ids = [255 * each for each in TWO]
    masks = [encoded(Image.fromarray(each).convert(kind), "tiff", tiffinfo={262: 0}) for each in ids]
    assert "4 of 4 masks of a.csv store their grey inverted" in question(masks)
    shown = np.stack([np.asarray(Image.open(io.BytesIO(mask))) for mask in masks]) > 0
    assert (read(masks, meaning=Meaning(values=(0, 1 if kind == "1" else 255))) == shown).all()


def test_arrays_have_the_same_habits():
    assert "--mask-values 0,255 " in question([255 * ids for ids in TWO])
    for masks in (
        THREE,
        [ids.astype(float) for ids in THREE],
        [ids[..., None] for ids in THREE],
        [ids[None] for ids in THREE],
    ):
        assert (read(masks) == THREE).all()
    assert (read([ids > 0 for ids in TWO]) == TWO).all()
    assert (read([np.where(ids == 2, np.nan, ids) for ids in THREE]) == voided(THREE, 2)).all()
    assert (read([COLOURS[ids] for ids in THREE], meaning=Meaning(colours=NAMES)) == THREE).all()
    with pytest.raises(DataError, match="it holds numbers with a fraction"):
        read_masks([THREE[0] / 2], SIZE)
    with pytest.raises(DataError, match=r"it is float64 of shape \(60, 80, 2\), not whole numbers \(h, w\)"):
        read_masks([np.zeros((*SIZE, 2))], SIZE)


# colours


def test_colours_are_asked_and_settled():
    masks = [encoded(COLOURS[ids]) for ids in THREE]
    line = question(masks)
    assert (
        "row 1, mask: it holds colours, not class numbers, as 4 of 4 masks do; pixels by colour in all masks: " in line
    )
    assert "#000000 (16,257), #c80000 (1,529), #00c81e (1,414). To settle it" in line
    assert (
        '--mask-colours "#000000,#00c81e,#c80000" (the colours of the classes, in their order; others are void)' in line
    )
    found, notes = got(masks, meaning=Meaning(colours=NAMES))
    assert ((found.ids == THREE).all(), found.names, notes.lines) == (True, list(NAMES), [])
    found, notes = got(masks, meaning=Meaning(colours=NAMES[1::-1]))
    assert (found.ids == np.array([1, 0, -1])[np.stack(THREE)]).all()
    assert notes.lines == [
        "1,414 of 19,200 pixels of the masks of a.csv (7.4 %) have other colours than the classes, and are void (most "
        "often #00c81e)."
    ]


def test_one_mask_of_colours_among_numbers_is_named():
    line = question([*map(encoded, THREE), encoded(COLOURS[THREE[0]])])
    assert "row 5, mask: it holds colours, not class numbers, as 1 of 5 masks do" in line


def test_colours_smoothed_or_in_a_jpeg():
    masks = [encoded(Image.fromarray(COLOURS[ids]).resize((160, 120), Image.Resampling.BILINEAR)) for ids in THREE]
    assert '--mask-colours "#000000,#00c81e,#c80000" ' in question(masks)
    masks = [encoded(COLOURS[ids], "jpeg") for ids in THREE]
    found, notes = got(masks, meaning=Meaning(colours=NAMES))
    sure = found.ids >= 0
    assert (found.ids[sure] == np.stack(THREE)[sure]).all()
    assert sure.mean() > 0.95
    assert not sure.all()
    assert "are not clearly nearest to one of them, and are void" in notes.lines[0]


@pytest.mark.parametrize(
    ("opacity", "names"),
    [((0, 255, 255), "transparent,#00c81e,#c80000"), ((255, 120, 255), "#000000,#00c81e,#c8000078")],
)
def test_opacity_is_asked_about(opacity, names):
    pixels = np.concatenate([COLOURS, np.array(opacity, dtype=np.uint8)[:, None]], 1)
    masks = [encoded(pixels[ids]) for ids in THREE]
    assert f'--mask-colours "{names}" ' in question(masks)
    order = tuple(sorted(names.split(","), key=lambda name: ("c80000" in name) + 2 * ("00c81e" in name)))
    assert (read(masks, meaning=Meaning(colours=order)) == THREE).all()


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("labelmap.txt", "# label:color_rgb:parts:actions\nground:0,0,0::\nroad:200,0,0::\ntree:0,200,30::\n"),
        ("label_colors.txt", "0 0 0\tground\n200 0 0\t\troad\n0 200 30\ttree\n"),
        ("class_dict.csv", "name,r,g,b\nground,0,0,0\nroad,200,0,0\ntree,0,200,30\n"),
        ("Colours.TXT", "ground #000000\nroad #C80000\ntree #00C81E\n"),
    ],
)
@pytest.mark.parametrize("deep", [False, True])
def test_a_file_beside_the_masks_says_which_colour_is_which_class(tmp_path, name, text, deep):
    within = tmp_path / "masks" if deep else tmp_path
    within.mkdir(exist_ok=True)
    (tmp_path / name).write_text(text)
    paths = [within / f"{i}.png" for i in range(4)]
    for path, ids in zip(paths, THREE, strict=True):
        path.write_bytes(encoded(COLOURS[ids]))
    found, notes = got(paths)
    assert (found.ids == THREE).all()
    assert found.names == ["ground #000000", "road #c80000", "tree #00c81e"]
    said = f"{tmp_path / name}: 3 classes by colour: 0 ground #000000, 1 road #c80000, 2 tree #00c81e."
    assert (notes.lines, notes.questions) == ([said], [])


def test_a_file_that_does_not_know_the_colours_is_not_believed(tmp_path):
    (tmp_path / "colours.txt").write_text("#000000 ground\n#ffffff road\n")
    (tmp_path / "a.png").write_bytes(encoded(COLOURS[THREE[0]]))
    line = question([tmp_path / "a.png"])
    assert "(colours.txt knows the colours of 84 % of the pixels only)" in line


def test_colours_may_be_given_in_several_ways(tmp_path):
    (tmp_path / "c.txt").write_text("a: 1, 2, 3\nb: 4, 5, 6\n")
    assert given_colours([str(tmp_path / "c.txt")]) == ("a #010203", "b #040506")
    assert given_colours(["black", "#F00, transparent"]) == ("#000000", "#ff0000", "transparent")
    assert given_values([0, "128,255"]) == (0, 128, 255)
    assert [is_colour(name) for name in ("#000000", "road #000000", "transparent", "0", "road")] == [
        True, True, True, False, False,
    ]  # fmt: skip
    for text, message in (
        ("a 1 2 3\n", "1 lines have a colour"),
        ("a 1 2 3\nb 1 2 3\n", "the colour of 'a #010203' is"),
    ):
        (tmp_path / "c.txt").write_text(text)
        with pytest.raises(DataError, match=message):
            read_colours(tmp_path / "c.txt")


@pytest.mark.parametrize(
    ("make", "error", "message"),
    [
        (lambda: Meaning(void=(-1,)), ValueError, r"void must be in \[0, 65535\], got -1"),
        (lambda: Meaning(values=(0, 0)), ValueError, "mask_values must differ from class to class, got 0 twice"),
        (lambda: Meaning(colours=("#000000", "black")), ValueError, "mask_colours must differ from class to class"),
        (lambda: Meaning(classes=3, values=(0, 255)), ValueError, "classes must be 2, the number of classes that are"),
        (lambda: given_colours(["#00zz00"]), DataError, "mask_colours must be colours such as #804080 or red, got"),
        (lambda: given_colours(["gone.txt"]), DataError, "gone.txt: no such file"),
        (lambda: given_values(["a"]), ValueError, "mask_values must be whole numbers such as 0,255, got 'a'"),
    ],
)
def test_meanings_out_of_range(make, error, message):
    with pytest.raises(error, match=message):
        make()


# palettes


def test_of_equal_palettes_the_numbers_count():
    found, notes = got([of_palette(ids) for ids in THREE])
    assert ((found.ids == THREE).all(), found.names, notes.lines) == (True, ["0", "1", "2"], [])
    short = of_palette(THREE[0] % 2, (0, 1), COLOURS[:2])
    assert (read([of_palette(THREE[1]), short]) == [THREE[1], THREE[0] % 2]).all()


def test_where_palettes_differ_the_colour_decides():
    masks = [
        of_palette(ids, order) for ids, order in zip(THREE, [(0, 1, 2), (0, 2, 1), (2, 1, 0), (0, 1, 2)], strict=True)
    ]
    found, notes = got(masks)
    assert (found.ids == np.array([0, 2, 1])[np.stack(THREE)]).all()
    assert found.names == ["#000000", "#00c81e", "#c80000"]
    assert notes.lines == [
        "The palettes of the masks of a.csv differ: 1 is #c80000 in a.csv, row 1, mask, and #00c81e in a.csv, row 2, "
        "mask. The colour decides, not the number; classes: 0 #000000, 1 #00c81e, 2 #c80000."
    ]
    assert (read(masks, meaning=Meaning(colours=NAMES)) == THREE).all()
    numbers = [np.asarray(Image.open(io.BytesIO(mask))) for mask in masks]
    assert (read(masks, meaning=Meaning(values=(0, 1, 2))) == numbers).all()
    assert (got(masks, meaning=Meaning(void=(1,)))[0].ids[0] == np.array([0, -1, 1])[THREE[0]]).all()


def test_a_number_that_one_palette_only_has_does_not_hide_that_they_differ():
    image = Image.fromarray(np.array([0, 2], dtype=np.uint8)[TWO[1]]).convert("P")
    image.putpalette([0, 0, 0, 0, 200, 30, 200, 0, 0])
    masks = [of_palette(TWO[0], (0, 1), COLOURS[:2]), encoded(image)]  # red is 1, then 2
    found, _ = got(masks)
    assert (found.ids == TWO[:2]).all()
    assert found.names == ["#000000", "#c80000"]


def test_palettes_that_differ_and_cannot_decide_are_asked_about():
    twice = np.array([[0, 0, 0], [9, 9, 9], [9, 9, 9]], dtype=np.uint8)
    line = question([of_palette(THREE[0]), of_palette(THREE[1], (0, 1, 2), twice)])
    assert (
        "; 1 and 2 have one colour in a.csv, row 2, mask. To settle it: --mask-values 0,1,2 (the numbers count)" in line
    )
    line = question([of_palette(THREE[0]), of_palette(THREE[1], (0, 2, 1)), encoded(THREE[2])])
    assert "; some masks have no palette. To settle it" in line


def test_other_masks_are_read_as_those_that_were_learnt_from():
    learnt, _ = got([of_palette(ids, order) for ids, order in zip(THREE[:2], [(0, 1, 2), (0, 2, 1)], strict=True)])
    one = of_palette(THREE[2], (1, 0, 2))
    assert (read([one], meaning=learnt.meaning)[0] == np.array([0, 2, 1])[THREE[2]]).all()
    other = [encoded(np.full((*SIZE, 3), 7, dtype=np.uint8))]
    with pytest.raises(
        DataError, match=r"row 1, mask: colour #070707 is none of the classes', #000000, #00c81e, #c80000"
    ):
        read_masks(other, SIZE, [1], "a.csv", meaning=learnt.meaning)
    numbers, _ = got([of_palette(ids) for ids in THREE])
    assert "1 is #c80000 in the masks that are learnt from, and #00c81e in a.csv, row 1, mask" in question(
        [of_palette(THREE[0], (0, 2, 1))], meaning=numbers.meaning
    )
    plain, _ = got([encoded(ids) for ids in THREE])
    with pytest.raises(DataError, match="it holds colours, but the masks that were learnt from hold class numbers"):
        read_masks([encoded(COLOURS[THREE[0]])], SIZE, meaning=plain.meaning)


# masks of images that EXIF turns


def turned(array, turn):
    """An array as it is stored where EXIF turns it upright."""
    inverse = {6: UPRIGHT[8], 8: UPRIGHT[6]}.get(turn, UPRIGHT.get(turn))
    image = Image.fromarray(array)
    return np.asarray(image if inverse is None else image.transpose(inverse))


def photo(ids, turn):
    exif = Image.Exif()
    exif[0x0112] = turn
    return encoded(turned(np.repeat(60 * ids[..., None], 3, -1), turn), "jpeg", exif=exif)


def of_photos(ids, turn, masks, **options):
    report = look_at_images([photo(each, turn) for each in ids])
    return got(masks, ids[0].shape, sizes=report.sizes, turns=report.turns, **options)


@pytest.mark.parametrize("turn", [5, 6, 7, 8])
def test_masks_that_lie_as_pixels_are_stored_are_turned_like_their_images(turn):
    stored = [encoded(turned(ids, turn)) for ids in THREE]
    found, notes = of_photos(THREE, turn, stored)
    assert (found.ids == THREE).all()
    assert notes.lines == [
        "4 of 4 masks of a.csv lie as the pixels of their images are stored, and are turned like these, as EXIF says "
        "(the first: a.csv, row 1, mask)."
    ]
    found, notes = of_photos(THREE, turn, [encoded(ids) for ids in THREE])
    assert ((found.ids == THREE).all(), notes.lines, notes.questions) == (True, [], [])
    exif = Image.Exif()
    exif[0x0112] = turn
    found, notes = of_photos(THREE, turn, [encoded(turned(ids, turn), exif=exif) for ids in THREE])
    assert ((found.ids == THREE).all(), notes.lines, notes.questions) == (True, [], [])


@pytest.mark.parametrize("turn", [2, 3, 4])
def test_where_both_ways_fit_it_is_asked_and_settled(turn):
    upright = [encoded(ids) for ids in THREE]
    found, notes = of_photos(THREE, turn, upright)
    assert (found.ids == THREE).all()
    assert "4 of 4 masks of a.csv fit their images both as the pixels are stored and turned" in notes.questions[0].asks
    assert [option.split()[0] for option in notes.questions[0].options] == ["--masks-turned", "--no-masks-turned"]
    assert of_photos(THREE, turn, upright, turned=False)[1].questions == []
    found, notes = of_photos(THREE, turn, [encoded(turned(ids, turn)) for ids in THREE], turned=True)
    assert ((found.ids == THREE).all(), notes.questions) == (True, [])


def test_masks_that_fit_both_ways_lie_as_the_others_do():
    square = [ids[:60, :60] for ids in THREE[:2]]
    images = [photo(ids, 6) for ids in (*square, *THREE[2:])]
    report = look_at_images(images)
    masks = [encoded(turned(ids, 6)) for ids in (*square, *THREE[2:])]
    found, notes = got(masks, (60, 60), sizes=report.sizes, turns=report.turns)
    assert (found.ids[:2] == square).all()
    assert "4 of 4 masks of a.csv lie as the pixels" in notes.lines[0]
    assert notes.questions == []


def test_a_mask_that_fits_neither_way_is_refused():
    with pytest.raises(DataError, match="it is 59 x 80 pixels, high and wide, but its image is 60 x 80"):
        of_photos(THREE[:1], 6, [encoded(THREE[0][:59])])


def test_more_values_than_a_question_lists_are_asked_about():
    ids = np.array([[5 * i for i in range(16)], [80] * 16], dtype=np.uint8).repeat(4, 0)
    ids[ids == 5] = 6  # no multiples of a step
    (asked,) = [q for q in got([encoded(ids)], ids.shape)[1].questions if "most without a pixel" in q.asks]
    assert "17 values" in asked.asks
    assert "and so 81 classes" in asked.asks
    assert asked.options[0] == "--mask-values VALUE,VALUE (only these are classes)"


def test_palettes_that_differ_and_hold_more_colours_than_declared_classes_are_asked_about():
    masks = [of_palette(THREE[0]), of_palette(THREE[1], order=(2, 0, 1))]
    asked = question(masks, meaning=Meaning(classes=2))
    assert "; there are 3 colours, and not 2 as --classes says. To settle it: --mask-values 0,1,2 (the num" in asked
    assert got(masks, meaning=Meaning(classes=3))[0].names == got(masks)[0].names
