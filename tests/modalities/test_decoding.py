"""Every kind of image becomes upright RGB of one size; what is no whole image is refused in words."""

from __future__ import annotations

import io
import os
import struct
import warnings
import zlib

import numpy as np
import pytest
from PIL import Image

from tutelage.modalities.images.decoding import UPRIGHT, ImageError, decode
from tutelage.modalities.images.inspecting import inspect

PIXELS = np.random.default_rng(0).integers(0, 256, (6, 8, 3), dtype=np.uint8)


def encoded(image, kind="png", **options):
    if isinstance(image, np.ndarray):
        image = Image.fromarray(image)
    file = io.BytesIO()
    image.save(file, kind, **options)
    return file.getvalue()


def claimed(width, height):
    """A PNG of a few bytes whose header claims a size."""
    chunks = [(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)), (b"IDAT", b"x"), (b"IEND", b"")]
    framed = (struct.pack(">I", len(d)) + c + d + struct.pack(">I", zlib.crc32(c + d)) for c, d in chunks)
    return b"\x89PNG\r\n\x1a\n" + b"".join(framed)


@pytest.mark.parametrize("kind", ["png", "bmp", "tiff", "ppm", "gif", "webp", "jpeg2000"])
def test_what_is_kept_exactly_is_decoded_exactly(kind):
    pixels = np.repeat(PIXELS[..., :1], 3, -1) if kind == "gif" else PIXELS
    image = Image.fromarray(pixels[..., 0]) if kind == "gif" else pixels
    data = encoded(image, kind, **({"lossless": True} if kind == "webp" else {}))
    assert (decode(data, (6, 8)) == pixels).all()
    assert inspect(data)[0] == (6, 8)


def grey(pixels):
    return np.repeat(np.asarray(pixels, dtype=np.uint8)[..., None], 3, -1)


def palette_image():
    image = Image.new("P", (2, 1))
    image.putpalette([10, 20, 30, 40, 50, 60])
    image.putdata([1, 0])
    return image


@pytest.mark.parametrize(
    ("data", "pixels", "kinds"),
    [
        (encoded(Image.new("1", (2, 1), 1)), grey([[255, 255]]), ["grey"]),
        (encoded(np.array([[3, 9]], dtype=np.uint8)), grey([[3, 9]]), ["grey"]),
        (encoded(Image.new("LA", (2, 1), (0, 0))), grey([[255, 255]]), ["grey", "alpha"]),
        (encoded(Image.new("RGBA", (1, 1), (0, 100, 200, 51))), [[[204, 224, 244]]], ["alpha"]),
        (encoded(Image.new("RGB", (1, 1), (1, 2, 3)), transparency=(1, 2, 3)), [[[255, 255, 255]]], ["alpha"]),
        (encoded(palette_image()), [[[40, 50, 60], [10, 20, 30]]], ["palette"]),
        (encoded(palette_image(), transparency=1), [[[255] * 3, [10, 20, 30]]], ["palette", "alpha"]),
        (encoded(np.array([[0, 257, 65535]], dtype=np.uint16)), grey([[0, 1, 255]]), ["grey", "16-bit"]),
        (encoded(np.array([[0, 257, 65535]], dtype=">u2"), "tiff"), grey([[0, 1, 255]]), ["grey", "16-bit"]),
        (b"P5 3 1 65535\n\x00\x00\x01\x01\xff\xff", grey([[0, 1, 255]]), ["grey", "16-bit"]),
        (encoded(Image.new("CMYK", (1, 1), (255, 0, 0, 0)), "tiff"), [[[0, 255, 255]]], ["CMYK"]),
    ],
)  # fmt: skip
def test_every_kind_becomes_rgb(data, pixels, kinds):
    pixels = np.asarray(pixels)
    assert (decode(data, pixels.shape[:2]) == pixels).all()
    assert sorted(inspect(data)[1]) == sorted(kinds)


@pytest.mark.parametrize("kind", ["png", "tiff", "webp", "jpeg"])
@pytest.mark.parametrize("turn", range(1, 9))
def test_exif_turns_the_image_upright(kind, turn):
    upright = np.zeros((40, 24, 3), dtype=np.uint8)
    upright[:20, :12], upright[20:, :12] = (255, 0, 0), (0, 255, 0)  # red above left, green below left
    inverse = {6: UPRIGHT[8], 8: UPRIGHT[6]}.get(turn, UPRIGHT.get(turn))
    stored = Image.fromarray(upright)
    stored = stored if inverse is None else stored.transpose(inverse)
    exif = Image.Exif()
    exif[0x0112] = turn
    data = encoded(stored, kind, exif=exif)
    got = decode(data, (20, 12)).astype(int)
    assert np.abs(got[[3, 16, 3], [2, 2, 9]] - [(255, 0, 0), (0, 255, 0), (0, 0, 0)]).max() < 30
    found = inspect(data)
    assert (found.size, found.turn) == ((40, 24), turn)
    assert found.kinds == (["turned"] if turn > 1 else [])


def test_damaged_exif_does_not_spoil_the_image():
    data = encoded(PIXELS, "jpeg", exif=b"Exif\0\0nothing that makes sense")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        assert decode(data, (6, 8)).shape == (6, 8, 3)
        assert inspect(data)[:2] == ((6, 8), [])


def test_a_smaller_image_is_a_mean_and_not_a_sample():
    stripes = np.tile(np.array([[0, 255]], dtype=np.uint8), (64, 32))
    assert np.abs(decode(encoded(stripes), (8, 8)).astype(int) - 128).max() < 30


def test_the_whole_image_is_squeezed_into_the_size():
    wide = np.zeros((10, 40, 3), dtype=np.uint8)
    wide[:, -10:] = 255
    got = decode(encoded(wide), (8, 8))[..., 0]
    assert got[:, :5].max() == 0
    assert got[:, 7].min() == 255


def test_a_large_jpeg_read_at_a_fraction_is_nearly_the_same():
    x = np.linspace(0, 255, 400)
    smooth = np.stack([np.tile(x, (400, 1)), np.tile(x[:, None], (1, 400)), np.full((400, 400), 90)], -1)
    smooth = smooth.astype(np.uint8)
    a, b = (decode(encoded(smooth, kind), (20, 30)).astype(int) for kind in ("png", "jpeg"))
    assert np.abs(a - b).max() <= 4


def test_the_first_of_several_frames_is_read():
    frames = [Image.new("L", (4, 3), v) for v in (50, 90)]
    for kind in ("gif", "tiff", "png"):
        data = encoded(frames[0], kind, save_all=True, append_images=frames[1:])
        assert "frames" in inspect(data)[1]
        assert (decode(data, (3, 4)) == 50).all()


@pytest.mark.parametrize(
    ("data", "fault"),
    [
        (b"", "no image (0 bytes)"),
        (b"hello, this is text", "not an image, or damaged at its beginning"),
        (encoded(PIXELS)[:100], "cut off or damaged ("),
        (encoded(PIXELS).replace(b"IDAT", b"IDAX"), "not an image, or damaged at its beginning"),
        (encoded(PIXELS, "jpeg")[:-40], "cut off or damaged (its end is missing)"),
        (encoded(PIXELS, "jpeg")[:300], "cut off or damaged ("),
        (encoded(PIXELS, "bmp")[:-4], "cut off or damaged (its end is missing)"),
        (encoded(PIXELS, "webp")[:-4], "cut off or damaged (its parts cannot be decoded)"),
        (encoded(PIXELS, "tiff")[:-4], "cut off or damaged ("),
        (encoded(PIXELS, "gif")[:-20], "cut off or damaged ("),
        (claimed(10_000, 10_000), "10,000 x 10,000 pixels are more than max_pixels = 64,000,000"),
        (claimed(20_000, 20_000), "400,000,000 pixels are more than max_pixels = 64,000,000"),
        (claimed(0, 5), "not an image, or damaged at its beginning"),
        (encoded(np.ones((2, 2), dtype=np.float32), "tiff"), "values of 32 bits, or with a sign, have no known range"),
        (encoded(np.ones((2, 2), dtype=np.int32), "tiff"), "values of 32 bits, or with a sign, have no known range"),
    ],
    ids=[
        "empty", "text", "cut png", "png without pixels", "cut jpeg", "jpeg of a header", "cut bmp", "cut webp",
        "cut tiff", "cut gif", "100 megapixels", "400 megapixels", "no width", "float", "32 bits",
    ],
)  # fmt: skip
@pytest.mark.parametrize("read", [inspect, lambda data: decode(data, (3, 4))], ids=["inspect", "decode"])
def test_what_is_no_whole_image_is_refused(data, fault, read):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        with pytest.raises(ImageError) as refused:
            read(data)
    assert fault in str(refused.value)


def test_a_png_is_judged_by_its_checksums():
    data = bytearray(encoded(PIXELS))
    data[data.index(b"IDAT") + 20] ^= 255
    with pytest.raises(ImageError, match=r"cut off or damaged .*checksum"):
        inspect(bytes(data))
    with pytest.raises(ImageError, match="cut off or damaged"):
        inspect(encoded(PIXELS)[:-30])


def test_a_small_jpeg_that_cannot_be_decoded_is_found_when_it_is_checked():
    data = bytearray(encoded(PIXELS, "jpeg"))
    data[data.index(b"\xff\xc4") + 5 : data.index(b"\xff\xc4") + 9] = b"\xff\xff\xff\xff"  # its Huffman table
    for read in (inspect, lambda jpeg: decode(jpeg, (3, 4))):
        with pytest.raises(ImageError, match=r"cut off or damaged \("):
            read(bytes(data))


def test_a_limit_of_pixels_can_be_given():
    assert decode(encoded(PIXELS), (1, 1), max_pixels=48).shape == (1, 1, 3)
    with pytest.raises(ImageError, match="8 x 6 pixels are more than max_pixels = 47"):
        inspect(encoded(PIXELS), max_pixels=47)


def test_a_jpeg_filled_up_with_zeros_is_found():
    data = encoded(np.random.default_rng(1).integers(0, 256, (64, 64, 3), dtype=np.uint8), "jpeg")
    half = len(data) // 2
    with pytest.raises(ImageError, match="its end is missing"):
        inspect(data[:half] + bytes(half))


@pytest.mark.parametrize("after", [b"", bytes(9), b"a film, \xff\xda and no end", b"SEFT" * 2000])
def test_what_cameras_put_around_a_jpeg_does_not_matter(after):
    thumbnail = encoded(PIXELS, "jpeg")
    exif = Image.Exif()
    exif[0x010E] = "x" * 20
    data = encoded(PIXELS, "jpeg", exif=exif.tobytes() + thumbnail)
    assert inspect(data + after)[0] == (6, 8)
    start = data.rindex(b"\xff\xda")
    with pytest.raises(ImageError, match="cut off or damaged"):
        inspect(data[: start + 20])


def test_paths_that_hold_no_image(tmp_path):
    os.mkfifo(tmp_path / "pipe.png")
    (tmp_path / "empty.png").touch()
    (tmp_path / "text.jpg").write_text("version https://git-lfs")
    (tmp_path / "link.png").symlink_to(tmp_path / "nowhere.png")
    (tmp_path / "right.png").write_bytes(encoded(PIXELS))
    said = {
        "gone.png": "no such file",
        "right.png/more.png": "no such file",
        ".": "a folder, not an image",
        "pipe.png": "neither a file nor a folder",
        "empty.png": "the file is empty (0 bytes)",
        "text.jpg": "a pointer of Git LFS, not the image itself; fetch it with git lfs pull",
        "link.png": "a link to a file that is not there",
        "a" * 300: "the file cannot be opened (File name too long)",
        "a\0b": "no path (embedded null byte)",
        "\ud83d": "no path (",
    }
    for name, fault in said.items():
        with pytest.raises(ImageError) as refused:
            decode(f"{tmp_path}/{name}", (3, 4))
        assert fault in str(refused.value), name
    assert (decode(tmp_path / "right.png", (6, 8)) == PIXELS).all()


def test_no_byte_of_a_file_that_is_no_image_is_told(tmp_path):
    (tmp_path / "secret").write_bytes(b"root:x:0:0:root:/root:/bin/sh\n")
    for read in (inspect, lambda path: decode(path, (3, 4))):
        with pytest.raises(ImageError) as refused:
            read(tmp_path / "secret")
        assert str(refused.value) == "not an image, or damaged at its beginning"


def test_a_page_in_postscript_is_never_run(tmp_path, monkeypatch):
    from PIL import EpsImagePlugin

    monkeypatch.setattr(EpsImagePlugin, "Ghostscript", lambda *_: pytest.fail("Ghostscript was called"))
    (tmp_path / "a.png").write_bytes(
        b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n%%EndComments\nshowpage\n%%EOF\n"
    )
    for read in (inspect, lambda path: decode(path, (3, 4))):
        with pytest.raises(ImageError, match="a page in PostScript, which is a program and is not run"):
            read(tmp_path / "a.png")
