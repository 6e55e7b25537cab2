"""Masks hold class numbers; what could be read as other numbers than were meant is refused, or asked."""

from __future__ import annotations

import io
import struct
import zlib

import numpy as np
import pytest
from PIL import Image

from tutelage.modalities.images.checking import check_images
from tutelage.modalities.images.examples import SegmentImages
from tutelage.modalities.images.mask_meaning import Meaning
from tutelage.modalities.images.masks import read_masks
from tutelage.tables import DataError, Notes

IDS = np.array([[0, 1, 2, 3], [3, 2, 1, 0]], dtype=np.uint8)


def encoded(image, kind="png", **options):
    if not isinstance(image, Image.Image):
        image = Image.fromarray(image.astype(np.uint8) if image.dtype == np.int64 else image)
    file = io.BytesIO()
    image.save(file, kind, **options)
    return file.getvalue()


def palette():
    image = Image.new("P", IDS.shape[::-1])
    image.putpalette([200, 0, 0, 0, 200, 0, 0, 0, 200, 9, 9, 9])
    image.putdata(IDS.ravel().tolist())
    return image


def said(masks):
    """What is said of masks that were read."""
    notes = Notes()
    masks.note(notes)
    return notes.lines


@pytest.mark.parametrize(
    "mask",
    [
        encoded(IDS),
        encoded(IDS, "bmp"),
        encoded(IDS, "gif"),
        encoded(IDS, "tiff"),
        encoded(IDS.astype(np.uint16)),
        encoded(IDS.astype(np.uint16), "tiff"),
        encoded(IDS.astype(np.int32), "tiff"),
        encoded(IDS.astype(np.float32), "tiff"),
        encoded(IDS, "ppm"),
        encoded(np.repeat(IDS[..., None], 3, -1)),
        encoded(Image.fromarray(IDS).convert("RGBA")),
        encoded(Image.fromarray(IDS).convert("LA")),
        encoded(palette()),
        encoded(palette(), bits=2),
        encoded(palette(), "gif"),
    ],
    ids=[
        "grey", "bmp", "gif", "tiff", "16 bits", "tiff of 16", "tiff of 32", "tiff of floats", "pgm", "grey as RGB",
        "grey as RGBA", "grey with opacity", "palette", "palette of 2 bits", "gif of a palette",
    ],
)  # fmt: skip
def test_the_numbers_are_read_and_not_the_colours(mask):
    got = read_masks([mask], (2, 4))
    assert (got.ids[0] == IDS).all()
    assert (got.classes, got.pixels.tolist(), said(got)) == (4, [2, 2, 2, 2], [])
    assert got.targets().dtype == np.int64
    assert got.targets().tolist() == IDS.ravel().tolist()


def grey_png(rows, bits):
    """Grey of few bits, which Pillow does not write."""
    numbers = np.array(rows, dtype=np.uint8)[..., None]
    lines = np.packbits(np.unpackbits(numbers, axis=-1)[..., -bits:].reshape(len(rows), -1), axis=-1)
    header = struct.pack(">IIBBBBB", len(rows[0]), len(rows), bits, 0, 0, 0, 0)
    data = zlib.compress(b"".join(b"\0" + line.tobytes() for line in lines))
    chunks = [b"IHDR" + header, b"IDAT" + data, b"IEND"]
    framed = (struct.pack(">I", len(c) - 4) + c + struct.pack(">I", zlib.crc32(c)) for c in chunks)
    return b"\x89PNG\r\n\x1a\n" + b"".join(framed)


@pytest.mark.parametrize("bits", [1, 2, 4, 8])
def test_grey_of_few_bits_is_not_stretched(bits):
    top = min(2**bits - 1, 17)
    rows = [[0, top, 1, 0, 1], [1, 0, 0, top, 1]]
    assert read_masks([grey_png(rows, bits)], (2, 5)).ids[0].tolist() == rows


def test_void_becomes_minus_one_and_is_no_class():
    a, b = IDS.astype(np.int64), IDS.astype(np.int64)
    a[0], b[1] = 255, 254
    got = read_masks([encoded(a), encoded(b), None], (2, 4), meaning=Meaning(void=(254, 255)))
    assert (got.ids[0] == np.where(a == 255, -1, a)).all()
    assert (got.ids[1] == np.where(b == 254, -1, b)).all()
    assert (got.ids[2] == -1).all()
    assert (got.classes, got.pixels.tolist()) == (4, [2, 2, 2, 2])


def test_void_in_the_middle_leaves_its_number_a_class_without_pixels():
    got = read_masks([encoded(IDS)], (2, 4), meaning=Meaning(void=(1,), classes=6))
    assert got.pixels.tolist() == [2, 0, 2, 2, 0, 0]
    notes = Notes()
    got.note(notes)
    assert (notes.lines, notes.questions) == (["3 of 6 classes are in no mask: 1; 4; 5."], [])


@pytest.mark.parametrize(("ids", "fewer"), [(IDS % 2, "--classes 2"), (IDS % 2 * 3, "--mask-values 0,3")])
def test_most_classes_in_no_mask_are_asked_about(ids, fewer):
    notes = Notes()
    read_masks([encoded(ids.astype(np.uint8))], (2, 4), meaning=Meaning(classes=9)).note(notes)
    (question,) = notes.questions
    assert "7 of 9 classes are in no mask" in question.asks and question.options == (f"{fewer} in its place",)


def test_masks_are_resized_by_the_nearest_pixel_as_pillow_does():
    rng = np.random.default_rng(0)
    for h, w, size in ((7, 9, (3, 4)), (3, 4, (7, 9)), (120, 90, (32, 32))):
        ids = rng.integers(0, 9, (h, w), dtype=np.uint8)
        want = np.asarray(Image.fromarray(ids).resize(size[::-1], Image.Resampling.NEAREST))
        assert (read_masks([encoded(ids)], size, meaning=Meaning(classes=9)).ids[0] == want).all()


def test_a_mask_lies_over_its_image_after_both_are_resized():
    ids = np.zeros((30, 40), dtype=np.uint8)
    ids[:, 23:] = 1
    images = SegmentImages([encoded(255 * ids)], (12, 10))
    seen = images.take(np.array([0]))[0, 0].numpy() > 0.5
    got = read_masks([encoded(ids)], (12, 10))
    assert (seen == got.ids[0]).all()
    assert len(got.targets()) == images.counts().sum()


def test_a_mask_of_another_size_than_its_image_is_refused():
    images = [encoded(np.zeros((2, 4, 3), dtype=np.uint8)), encoded(np.zeros((4, 2, 3), dtype=np.uint8))]
    sizes = check_images(images).sizes
    with pytest.raises(
        DataError, match=r"^a.csv, row 8, mask: it is 2 x 4 pixels, high and wide, but its image is 4 x 2; --skip-bad"
    ):
        read_masks([encoded(IDS)] * 2, (2, 2), [7, 8], "a.csv", sizes=sizes)


@pytest.mark.parametrize(
    ("mask", "message"),
    [
        (encoded(np.arange(24).reshape(2, 4, 3)), r"it holds colours, not class numbers, as 1 of 2 masks do"),
        (encoded(IDS, "jpeg"), r"its format, JPEG, does not keep numbers as they are"),
        (encoded(IDS.astype(np.float32) / 2, "tiff"), r"it holds numbers with a fraction; save whole ones"),
        (encoded(np.full((2, 4), -3, dtype=np.int32), "tiff"), r"value -3 on 8 pixels is not from 0 to 65535"),
        (encoded(np.full((2, 4), 70_000, dtype=np.int32), "tiff"), r"value 70000 on 8 pixels is not from 0 to 65535"),
        (encoded(np.full((2, 4), 40_000, dtype=np.uint16)), r"value 40000 on 8 pixels is not from 0 to 32767"),
        (encoded(IDS)[:-30], r"cut off or damaged \("),
        (b"no mask", r"not an image, or damaged at its beginning"),
        (b"", r"no image \(0 bytes\)"),
        ("gone.png", r"no such file"),
    ],
    ids=[
        "RGB", "jpeg", "fraction", "negative", "beyond 16 bits", "beyond classes", "cut off", "text", "empty",
        "not there",
    ],
)  # fmt: skip
def test_masks_that_hold_no_numbers(mask, message):
    with pytest.raises(DataError, match=r"^(Question 1: )?a.csv, row 5( \(gone.png\))?, mask: " + message):
        read_masks([encoded(IDS), mask], (2, 4), [4, 5], "a.csv")


def test_bad_masks_are_counted():
    with pytest.raises(DataError, match=r"^image 1, mask: no image \(0 bytes\) \(2 of 3 masks are bad\)"):
        read_masks([b"", encoded(IDS), b""], (2, 4))


def test_a_value_that_is_no_class_is_named_with_its_row_and_pixels():
    with pytest.raises(DataError, match=r"^a.csv, row 3, mask: value 3 on 2 pixels is not from 0 to 2; name it void"):
        read_masks([encoded(IDS % 2), encoded(IDS)], (1, 1), [2, 3], "a.csv", meaning=Meaning(classes=3))


@pytest.mark.parametrize(("top", "dtype"), [(255, np.uint8), (65535, np.uint16)])
def test_a_lone_largest_value_is_not_taken_for_a_class(top, dtype):
    ids = IDS.astype(dtype)
    ids[0, 0] = top
    with pytest.raises(
        DataError, match=rf"row 2, mask: value {top} on 1 pixels, where others end at 3 .*: --void {top} "
    ):
        read_masks([encoded(IDS), encoded(ids)], (2, 4), [1, 2], "a.csv")
    assert read_masks([encoded(ids)], (2, 4), meaning=Meaning(void=(top,))).classes == 4
    assert read_masks([encoded(ids)], (2, 4), meaning=Meaning(values=(0, 1, 2, 3, top))).ids[0, 0, 0] == 4
    if top == 255:
        assert read_masks([encoded(ids)], (2, 4), meaning=Meaning(classes=256)).classes == 256
    with pytest.raises(DataError, match=rf"the masks hold only 0 and {top} .*--mask-values 0,{top} \(.*\)\. \(docs: "):
        read_masks([encoded(IDS.astype(dtype) % 2 * top)], (2, 4), [1], "a.csv")


def test_all_numbers_up_to_the_largest_are_classes():
    assert read_masks([encoded(np.arange(256).reshape(16, 16))], (16, 16)).classes == 256


def test_masks_without_a_pixel_of_a_class():
    for masks in ([], [None], [encoded(np.full((2, 4), 9))]):
        with pytest.raises(DataError, match=r"^a.csv: no mask has a pixel of a class"):
            read_masks(masks, (2, 4), list(range(len(masks))), "a.csv", meaning=Meaning(void=(9,)))


def test_arguments_out_of_range():
    with pytest.raises(ValueError, match=r"void must be in \[0, 65535\], got -1"):
        Meaning(void=(-1,))
    with pytest.raises(ValueError, match=r"classes must be in \[1, 32768\], got 0"):
        Meaning(classes=0)


def test_where_no_mask_can_be_read_it_is_said_though_bad_ones_may_be_left_out():
    with pytest.raises(DataError, match=r"^a.csv: none of the 2 masks can be read; the first: a.csv, row 1, mask: "):
        read_masks([b"x", b"y"], (2, 4), [1, 2], "a.csv", skip_bad=True)
