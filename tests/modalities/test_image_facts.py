"""What a model cannot see of images, or sees twice, is counted from what a check reads anyway."""

from __future__ import annotations

import io

import numpy as np
import pytest
from PIL import Image

from tutelage.modalities.images.beginnings import kind_of_file
from tutelage.modalities.images.checking import check_images, look_at_images
from tutelage.modalities.images.facts import image_facts
from tutelage.modalities.images.inspecting import inspect
from tutelage.tables import DataError, Notes

RNG = np.random.default_rng(0)


def encoded(image, kind="png", **options):
    image = Image.fromarray(image) if isinstance(image, np.ndarray) else image
    file = io.BytesIO()
    image.save(file, kind, **options)
    return file.getvalue()


def noise(h, w):
    return encoded(RNG.integers(0, 256, (h, w, 3), dtype=np.uint8))


@pytest.mark.parametrize("kind", ["png", "jpeg", "gif", "tiff", "bmp"])
@pytest.mark.parametrize("mode", ["RGB", "L"])
def test_images_of_one_colour_are_found(kind, mode):
    image = Image.new(mode, (300, 200), 90 if mode == "L" else (90, 91, 92))
    small = len(encoded(image, kind)) < 1024 + 300 * 200 // 50  # a BMP is not packed
    assert inspect(encoded(image, kind)).plain == small
    image.putpixel((7, 9), 250 if mode == "L" else (250, 0, 0))
    assert not inspect(encoded(image, kind)).plain
    checks = (255 * (np.indices((64, 64)).sum(0) % 2)).astype(np.uint8)  # each block of a JPEG has the same mean
    assert not inspect(encoded(checks, kind)).plain
    assert not inspect(encoded(Image.new(mode, (1, 1)), kind)).plain


def test_copies_are_found_byte_for_byte(tmp_path):
    images = [noise(9, 9), noise(9, 9)]
    (tmp_path / "a.png").write_bytes(images[0])
    (tmp_path / "b.png").write_bytes(images[0])
    end = images[1][:40] + bytes(8) + images[1][48:]  # the same length and the same end
    report = look_at_images([*images, tmp_path / "a.png", images[1], tmp_path / "b.png", end])
    assert report.copies == {2: 0, 3: 1, 4: 0}
    assert list(report.bad) == [5]


def test_odd_images_are_counted_and_named():
    plain = encoded(Image.new("RGB", (40, 40), (1, 2, 3)))
    images = [
        noise(40, 40),
        plain,
        noise(3, 3),
        noise(20, 800),
        noise(3000, 90),
        plain,
        *(noise(60, 60) for _ in range(6)),
    ]
    report = check_images(images, range(1, 13), "a.csv")
    facts, notes = image_facts(report, (64, 64)), Notes()
    assert (facts.images, facts.smallest, facts.largest) == (12, (3, 3), (3000, 90))
    assert (facts.plain, facts.copies, facts.tiny, facts.enlarged, facts.shrunk, facts.stretched) == (2, 1, 1, 1, 1, 2)
    facts.tell(notes)
    assert notes.lines == [
        "2 of 12 images of a.csv have one colour in all their pixels (the first: a.csv, row 2, 40 x 40). "
        "(docs: warnings/odd-images)",
        "1 of 12 images of a.csv are copies of others, byte for byte (the first: a.csv, row 6 of a.csv, row 2). "
        "(docs: warnings/copies)",
        "1 of 12 images of a.csv are less than 8 pixels high or wide (the first: a.csv, row 3, 3 x 3). "
        "(docs: warnings/odd-images)",
    ]
    facts.tell_resized(notes)
    assert notes.lines[3:] == [
        "1 of 12 images of a.csv are enlarged 4 times or more to 64 x 64 pixels, unlike the others (the first: a.csv, "
        "row 3, 3 x 3)."
    ]
    assert [question.asks.split(":")[0] for question in notes.questions] == [
        "1 of 12 images of a.csv are shrunk 32 times or more to 64 x 64 pixels (the first",
        "2 of 12 images of a.csv are stretched 4 times or more in one direction when they are resized to 64 x 64 "
        "pixels (the first",
    ]
    assert facts.as_dict()["first"]["shrunk"] == "a.csv, row 5, 3000 x 90"


def test_usual_images_are_not_odd():
    notes = Notes()
    for size, images in (((128, 128), [noise(28, 28) for _ in range(3)]), ((32, 32), [noise(200, 300)])):
        facts = image_facts(check_images(images), size)
        facts.tell(notes)
        facts.tell_resized(notes)
    assert (notes.lines, notes.questions) == ([], [])
    assert image_facts(look_at_images([])).smallest == (0, 0)


@pytest.mark.parametrize(
    ("head", "words"),
    [
        (b"\0\0\0\x18ftypheic\0\0\0\0mif1heic", "an HEIC photo, which is not read; save it as JPEG or PNG"),
        (b"\0\0\0\x18ftypmp42\0\0\0\0", "a film (MP4), not an image"),
        (b'<?xml version="1.0"?>\n<svg xmlns="http://www.w3.org/2000/svg"/>', "a drawing (SVG), which has no pixels"),
        (b"<svg/>", "a drawing (SVG), which has no pixels"),
        (b"\xef\xbb\xbf\n<!doctype HTML><html>", "a web page (HTML), as of a download that failed"),
        (b"<html><head>", "a web page (HTML), as of a download that failed"),
        (b'<?xml version="1.0"?><Error><Code>AccessDenied</Code>', "an XML file, not an image"),
        (b'{"error": "not found"}', "a JSON file, not an image"),
        (b"%PDF-1.7", "a PDF, not an image"),
        (b"PK\x03\x04", "a zip file, not an image; unpack it"),
        (b"\x93NUMPY\x01\0", "an array of numpy, not an image"),
        (b"version https://git-lfs.github.com/spec/v1", "a pointer of Git LFS, not the image itself"),
        (b"\0" * 128 + b"DICM", "a DICOM file, which is not read"),
    ],
)
def test_files_that_are_no_images_are_told_by_their_beginning(head, words):
    assert str(kind_of_file(head)).startswith(words)
    with pytest.raises(DataError) as refused:
        check_images([head])
    assert str(refused.value).startswith(f"image 1: {words}")


@pytest.mark.parametrize("head", [b"hello", b"", b"\x89PNG\r\n", b"RIFF", b"<x>"])
def test_other_beginnings_tell_nothing(head):
    assert kind_of_file(head) is None


def test_a_wrong_ending_does_not_matter(tmp_path):
    (tmp_path / "a.jpg").write_bytes(noise(9, 9))
    assert inspect(tmp_path / "a.jpg").size == (9, 9)
