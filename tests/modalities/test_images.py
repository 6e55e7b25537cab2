"""Images are checked once, and taken by number as tensors; errors say the file and the row."""

from __future__ import annotations

import io

import numpy as np
import pytest
import torch
from PIL import Image

import tutelage.modalities.images.examples as module
from tutelage.data import Examples, Loader
from tutelage.modalities.images.checking import check_images
from tutelage.modalities.images.examples import Images, SegmentImages, in_threads, place, shown
from tutelage.tables import DataError

PIXELS = np.random.default_rng(0).integers(0, 256, (50, 4, 5, 3), dtype=np.uint8)


def encoded(pixels, kind="png"):
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, kind)
    return file.getvalue()


PNGS = [encoded(p) for p in PIXELS]
EXPECTED = torch.from_numpy(PIXELS).permute(0, 3, 1, 2) / 255


@pytest.fixture(params=["bytes", "paths", "array", "memory map"])
def sources(request, tmp_path):
    if request.param == "bytes":
        return PNGS
    if request.param == "array":
        return PIXELS
    if request.param == "memory map":
        np.save(tmp_path / "pool.npy", PIXELS)
        return np.load(tmp_path / "pool.npy", mmap_mode="r")
    for i, data in enumerate(PNGS):
        (tmp_path / f"{i}.png").write_bytes(data)
    return [tmp_path / f"{i}.png" for i in range(len(PNGS))]


def test_images_are_taken_as_tensors_in_the_order_asked_for(sources):
    images = Images(sources, (4, 5))
    index = np.array([7, 49, 7, 0])
    got = images.take(index)
    assert got.dtype == torch.float32
    assert got.is_contiguous()
    assert torch.equal(got, EXPECTED[index])
    assert images.take(np.arange(0)).shape == (0, 3, 4, 5)
    assert torch.equal(Images(sources, (4, 5), workers=1).take(np.arange(50)), images.take(np.arange(50)))


def test_a_subset_counts_anew_and_shares_the_sources(sources):
    part = Images(sources, (4, 5)).subset(np.arange(10, 20)).subset(np.array([3, 0]))
    assert part.sources is sources
    assert torch.equal(part.take(np.array([1, 0])), EXPECTED[[10, 13]])
    assert (len(part), part.counts().tolist(), part.lengths().tolist()) == (2, [1, 1], [2, 2])
    assert part.units(np.array([1])).tolist() == [1]


def test_images_are_examples_a_loader_draws_from():
    images = Images(PNGS, (2, 2))
    assert isinstance(images, Examples)
    batch = Loader(images.subset(np.arange(4)), torch.arange(4), images, 2, 3).batch(0, 0.0)
    assert batch.unlabelled["weak"].shape == (3, 3, 2, 2)
    assert torch.equal(batch.labelled["weak"], images.take(batch.labelled.index.numpy()))


def test_other_sizes_are_resized_alike_from_arrays_and_files():
    a, b = (Images(s, (3, 2)).take(np.arange(50)) for s in (PIXELS, PNGS))
    assert torch.equal(a, b)
    assert a.shape == (50, 3, 3, 2)
    assert 0 <= a.min() <= a.max() <= 1


def test_grey_arrays_become_rgb():
    got = Images(PIXELS[..., 0], (4, 5)).take(np.array([3]))
    assert torch.equal(got, EXPECTED[[3], :1].expand(1, 3, 4, 5))


def test_the_cache_is_bounded_and_shared(monkeypatch):
    decoded = []
    decode = module.decode
    monkeypatch.setattr(module, "decode", lambda source, *rest: decoded.append(source) or decode(source, *rest))
    images = Images(PNGS, (4, 5), cache=10 * 60 + 59)
    first = images.take(np.arange(50))
    assert len(images._kept) == 10
    decoded.clear()
    assert torch.equal(images.subset(np.arange(5, 15)).take(np.arange(10)), first[5:15])
    assert decoded == PNGS[10:15]
    assert len(images._kept) == 10


def test_an_image_that_goes_bad_later_is_an_error_with_its_row(tmp_path):
    broken = [PNGS[0], PNGS[1][:60]]
    images = Images(broken, (4, 5), rows=[3, 8], file="pets.parquet")
    assert len(images.take(np.array([0]))) == 1
    with pytest.raises(DataError, match=r"pets.parquet, row 8: cut off or damaged \("):
        images.subset(np.array([1])).take(np.array([0]))
    with pytest.raises(DataError, match=r"pets.csv, row 1 \(.*gone.png\): no such file"):
        Images([tmp_path / "gone.png"], (4, 5), [1], "pets.csv").take(np.array([0]))


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((PIXELS / 255, (4, 5)), r"got float64; where values are in \[0, 1\], give \(255 \* x\)"),
        ((PIXELS.astype(np.int64), (4, 5)), "an array of images must be uint8 of shape .*, got int64"),
        ((PIXELS.transpose(0, 3, 1, 2), (4, 5)), r"got shape \(50, 3, 4, 5\); move the channels with x.transpose"),
        ((PIXELS[0, 0], (4, 5)), r"an array of images must be .*, got shape \(5, 3\)"),
        (("pets.png", (4, 5)), "sources must be a list of images, got one of str"),
        ((PNGS, (0, 5)), r"size must be a height and a width of at least 1 pixel, got \(0, 5\)"),
        ((PNGS, (4, 5), [1]), "rows must be as many as sources, 50, got 1"),
    ],
)
def test_arguments_out_of_range(arguments, message):
    with pytest.raises(ValueError, match=message):
        Images(*arguments)


def test_each_pixel_of_an_image_is_a_unit():
    images = SegmentImages(PNGS, (4, 5)).subset(np.array([9, 4]))
    assert isinstance(images, SegmentImages)
    assert (images.counts().tolist(), images.lengths().tolist()) == ([20, 20], [2, 2])
    assert images.units(np.array([1, 0, 1])).tolist() == [*range(20, 40), *range(20), *range(20, 40)]
    assert images.units(np.arange(0)).tolist() == []
    assert torch.equal(images.take(np.array([0])), EXPECTED[[9]])


def test_units_of_many_images_take_no_time():
    many = SegmentImages(np.zeros((10_000, 1, 1), dtype=np.uint8), (16, 16))
    units = many.units(np.arange(10_000))
    assert (units == np.arange(2_560_000)).all()


def test_checking_reports_sizes_and_kinds():
    grey = [encoded(p[..., 0]) for p in PIXELS[:3]]
    report = check_images([*PNGS, *grey, encoded(PIXELS[0, :2])], file="pets.csv")
    assert report.sizes.tolist() == [*([[4, 5]] * 53), [2, 5]]
    assert report.kinds == {"grey": 3}
    assert report.good.all()
    assert report.words() == ["3 of 54 images of pets.csv are grey."]
    assert check_images([]).words() == []


@pytest.mark.parametrize("workers", [1, 4])
def test_the_first_bad_image_is_an_error_or_all_are_left_out(tmp_path, workers):
    sources = [*PNGS[:40], b"", tmp_path / "gone.jpg", *PNGS[40:]]
    rows = list(range(11, 63))
    with pytest.raises(DataError) as refused:
        check_images(sources, rows, "pets.csv", workers=workers)
    first = f"pets.csv, row 51: no image (0 bytes); pets.csv, row 52 ({tmp_path / 'gone.jpg'}): no such file"
    assert str(refused.value) == f"{first} (2 of 52 images are bad: 1 no image, 1 no such file)"
    with pytest.raises(DataError, match=r"^pets.csv, row 51: no image \(0 bytes\)$"):
        check_images(sources[:41], rows[:41], "pets.csv", workers=workers)
    report = check_images(sources, rows, "pets.csv", skip_bad=True, workers=workers)
    assert np.flatnonzero(~report.good).tolist() == [40, 41]
    assert report.sizes[40].tolist() == [0, 0]
    said = f"pets.csv, row 51: no image (0 bytes); pets.csv, row 52 ({tmp_path / 'gone.jpg'}): no such file"
    assert report.words() == [f"Left out: 2 of 52 images; {said}."]


def test_when_every_image_is_bad_none_can_be_left_out():
    with pytest.raises(
        DataError, match=r"^None of the 2 images can be read; the first: image 1: no image \(0 bytes\)$"
    ):
        check_images([b"", b""], skip_bad=True)
    with pytest.raises(DataError, match=r"^a.csv: none of the 3 images can be read \(2 no image, 1 not an image, or"):
        check_images([b"", b"text", b""], file="a.csv")


def test_places_are_said_so_that_one_finds_them():
    assert place([b"x"], [4], "a.csv", 0) == "a.csv, row 4"
    assert place(["/x/a.png"], None, "", 0) == "/x/a.png"
    assert place(["pets/cats/1.jpg"], [9], "pets", 0) == "pets/cats/1.jpg"
    assert place(["pets/1.jpg"], [9], "pets/a.csv", 0) == "pets/a.csv, row 9 (pets/1.jpg)"
    assert shown("a\udcff\ud83d.png") == "a\\xff\\ud83d.png"
    assert shown("a" * 500) == "..." + "a" * 300


def test_threads_keep_the_order_and_pass_errors_on():
    assert in_threads(lambda x: x * x, list(range(1000)), 4) == [x * x for x in range(1000)]
    with pytest.raises(ZeroDivisionError):
        in_threads(lambda x: 1 // (500 - x), list(range(1000)), 4)
