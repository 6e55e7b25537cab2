"""Images that were encoded or resized again are copies; others, however alike, are not."""

from __future__ import annotations

import io

import numpy as np
import pytest
from PIL import Image, ImageDraw
from sklearn.datasets import load_digits

from tutelage.copies.hashes import near_hashes
from tutelage.modalities.images.copies import PicturePrints, same_pictures


def scene(seed: int, side: int = 128) -> Image.Image:
    """An image of coloured shapes over a gradient."""
    draw = np.random.default_rng(seed)
    slope = np.linspace(0, 1, side)
    image = Image.fromarray((255 * np.stack([slope[None] * slope[:, None]] * 3, -1) * draw.random(3)).astype(np.uint8))
    for _ in range(12):
        (x, w), (y, h) = draw.integers(0, side, (2, 2))
        colour = tuple(draw.integers(0, 256, 3).tolist())
        ImageDraw.Draw(image).ellipse((x - w // 2, y - h // 2, x + w // 2, y + h // 2), fill=colour)
    return image


def encoded(image: Image.Image, kind: str = "png", **how: int) -> bytes:
    file = io.BytesIO()
    image.save(file, kind, **how)
    return file.getvalue()


@pytest.fixture(scope="module")
def scenes() -> list[Image.Image]:
    return [scene(seed) for seed in range(20)]


@pytest.mark.parametrize(
    "again",
    [
        lambda image: encoded(image, "jpeg", quality=60),
        lambda image: encoded(image, "jpeg", quality=95),
        lambda image: encoded(image, "webp", quality=75),
        lambda image: encoded(image, "bmp"),
        lambda image: encoded(image.resize((64, 64)), "jpeg", quality=90),
        lambda image: encoded(image.resize((256, 256))),
        np.asarray,
    ],
    ids=["jpeg60", "jpeg95", "webp", "bmp", "half", "double", "array"],
)
def test_images_encoded_or_resized_again_are_copies(scenes, again):
    found = same_pictures([*map(encoded, scenes), *map(again, scenes)])
    assert found[:20].tolist() == list(range(20))
    assert (found[20:] == range(20)).mean() >= 0.95  # of a small image with many edges, shrunk, much is lost


def test_a_picture_turned_by_its_exif_is_a_copy_of_the_upright_one(scenes):
    wide = scenes[0].resize((128, 96))
    exif = Image.Exif()
    exif[0x0112] = 6
    turned = io.BytesIO()
    wide.transpose(Image.Transpose.ROTATE_90).save(turned, "png", exif=exif)
    assert same_pictures([encoded(wide), turned.getvalue(), encoded(wide.transpose(Image.Transpose.ROTATE_90))])[
        :2
    ].tolist() == [0, 0]


def changed(image: Image.Image, what: str) -> Image.Image:
    pixels = np.asarray(image).copy()
    if what == "part":
        pixels[40:60, 40:60] = 255 - pixels[40:60, 40:60]
    elif what == "colour":
        pixels = pixels[..., [2, 0, 1]]
    elif what == "mirrored":
        pixels = pixels[:, ::-1]
    else:
        return image.resize((128, 90))
    return Image.fromarray(pixels)


@pytest.mark.parametrize("what", ["part", "colour", "mirrored", "stretched"])
def test_images_with_another_part_colour_or_shape_are_no_copies(scenes, what):
    pairs = [same_pictures([encoded(image), encoded(changed(image, what))]).tolist() for image in scenes]
    assert pairs.count([0, 1]) >= 19  # a part may be of one grey, of which the inverse is the same


def test_digits_are_copies_only_where_all_pixels_are_equal():
    pixels = (load_digits().images * 15).astype(np.uint8)
    assert len(set(same_pictures(pixels).tolist())) == len({one.tobytes() for one in pixels})
    large = np.kron(pixels[:300], np.ones((8, 8), dtype=np.uint8))
    assert len(set(same_pictures(large).tolist())) == 300


def test_drawings_of_one_kind_are_no_copies():
    drawn = []
    for place in range(10, 100, 6):
        image = Image.new("RGB", (128, 128), "white")
        ImageDraw.Draw(image).rectangle((place, 40, place + 20, 60), outline="black", width=3)
        drawn.append(encoded(image))
    assert len(set(same_pictures(drawn).tolist())) == len(drawn)


def test_plain_and_small_images_are_copies_only_where_they_are_equal():
    plain = [encoded(Image.new("RGB", (64, 64), (grey, grey, grey))) for grey in (100, 101, 100)]
    assert same_pictures(plain).tolist() == [0, 1, 0]
    small = np.random.default_rng(0).integers(0, 256, (16, 16, 3)).astype(np.uint8)
    assert same_pictures([small, small ^ 1, small]).tolist() == [0, 1, 0]


def test_what_cannot_be_read_is_alone():
    assert same_pictures([b"no image", "/no/such/file.png", b"no image"]).tolist() == [0, 1, 0]
    assert same_pictures([]).tolist() == []


def test_prints_are_the_same_after_they_are_kept(scenes):
    known = PicturePrints.of([encoded(image) for image in scenes[:10]])
    read = PicturePrints.read(known.kept())
    found = PicturePrints.of([encoded(image, "jpeg", quality=70) for image in scenes])
    assert found.within(read).tolist() == [True] * 10 + [False] * 10
    with pytest.raises(ValueError, match="grids"):
        PicturePrints.read(known.kept() | {"grids": known.grids[:3]})


def test_near_hashes_are_those_of_each_with_each():
    draw = np.random.default_rng(0)
    hashes = draw.integers(0, 2**63, 40).astype(np.uint64)
    hashes = np.concatenate([hashes, *(hashes ^ (np.uint64(1) << np.uint64(bit)) for bit in (0, 31, 63)), hashes[:5]])
    first, second = near_hashes(hashes, 2)
    apart = np.bitwise_count(hashes[:, None] ^ hashes)
    want = np.argwhere(np.triu(apart <= 2, 1))
    assert np.array_equal(np.stack([first, second], 1), want)
