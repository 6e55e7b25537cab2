"""Images with masks are read, and what is wrong with them is said with file, row and column."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from tutelage.data.tables import DataError
from tutelage.kinds.masks import mask_scores
from tutelage.run.options import given
from tutelage.tasks import Segmentation
from tutelage.tasks.segmentation import iou_influence, overlaps

IDS = np.arange(30 * 20).reshape(20, 30) % 3


def encoded(image):
    file = io.BytesIO()
    image.save(file, "png")
    return file.getvalue()


def picture(value):
    """An image of its own: ``value`` tells it from the others."""
    return encoded(Image.new("RGB", (30, 20), (value, 1, 2)))


def mask(ids=IDS):
    return encoded(Image.fromarray(ids.astype(np.uint8)))


def put(root, files):
    """Write the files, {path: bytes}."""
    for name, data in files.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_bytes(data)
    return root


def got(folder, **options):
    """The inputs and what was said; a warning is an error."""
    said = []
    words = {
        "train": folder / "train",
        "out": folder / "out",
        "task": "segmentation",
        "images": "image",
        "masks": "mask",
    }
    kind, asked = given(**(words | options))
    return kind.read(asked.files, said.append), said


def refused(folder, **options):
    with pytest.raises(DataError) as error:
        got(folder, **options)
    return str(error.value)


def table(path, images, **columns):
    """A parquet file of encoded images, or a csv of paths."""
    frame = pd.DataFrame({"image": images, **columns})
    frame.to_csv(path, index=False) if path.suffix == ".csv" else frame.to_parquet(path)
    return path


def scenes(folder, count=2, **other):
    """A folder of three images, the first of which have masks; ``other`` are masks instead, by the images' names."""
    made = {f"masks/{c}.png": other.get(c, mask()) for c in "abc"[:count]}
    return put(folder, {f"images/{c}.png": picture(i) for i, c in enumerate("abc")} | made)


def test_a_folder_of_images_and_masks(tmp_path):
    found, said = got(scenes(tmp_path / "train").parent, images=None, masks=None)
    assert found.classes == ["0", "1", "2"]
    assert found.items.task == Segmentation(3)
    assert [Path(s).name for s in found.items.labelled] == ["a.png", "b.png"]
    assert (found.items.y == np.tile(IDS.ravel(), 2)).all()
    assert found.items.y.dtype == np.int64
    assert [Path(s).name for s in found.items.pool] == ["c.png"]
    assert (found.items.truth, found.test, said) == (None, (), [])


@pytest.mark.parametrize("kind", ["csv", "parquet"])
def test_a_table_of_images_and_masks_with_void_and_test(tmp_path, kind):
    ids = np.where(IDS == 2, 255, IDS)
    images, masks = [picture(0), picture(1), picture(2)], [mask(ids), None, mask()]
    if kind == "csv":
        put(tmp_path, {f"{i}.png": data for i, data in enumerate(images)})
        put(tmp_path, {f"m{i}.png": data for i, data in enumerate(masks) if data})
        images, masks = ["0.png", "1.png", "2.png"], ["m0.png", "", "m2.png"]
    train = table(tmp_path / f"t.{kind}", images, mask=masks)
    test = table(tmp_path / "test.parquet", [picture(7), picture(8)], mask=[None, mask(ids)])
    found, said = got(tmp_path, train=train, test=test, void=(255,), classes=4, size=(40, 60))
    double = np.where(IDS == 2, -1, IDS).repeat(2, 0).repeat(2, 1)
    assert (found.items.y.reshape(2, 40, 60)[0] == double).all()
    assert list(found.items.pool) == [str(tmp_path / "1.png") if kind == "csv" else picture(1)]
    assert list(found.test) == [picture(8)]
    assert (found.truth.dtype, found.truth.shape) == (np.int16, (1, 40, 60))
    assert (found.truth[0] == double).all()
    assert said == [
        f"Not scored: 1 images of {test} without a mask.", "1 of 4 classes are in no mask: 3.",
    ]  # fmt: skip


def test_masks_of_the_pool_are_only_truth(tmp_path):
    scenes(tmp_path / "train")
    plain = put(tmp_path / "plain", {"x.png": picture(5), "deep/y.png": picture(6)})
    found, _ = got(tmp_path, unlabelled=plain)
    assert [Path(s).name for s in found.items.pool] == ["c.png", "y.png", "x.png"]
    assert found.items.truth is None
    bare = table(tmp_path / "bare.parquet", [picture(5)])
    assert got(tmp_path, unlabelled=bare)[0].items.truth is None
    more = table(tmp_path / "more.parquet", [picture(5), picture(6)], mask=[None, mask()])
    for unlabelled in (more, scenes(tmp_path / "more", b=mask(IDS % 2))):
        found, _ = got(tmp_path, unlabelled=unlabelled)
        truth = found.items.truth.reshape(-1, 20, 30)
        assert (truth[0] == -1).all()
        assert len(truth) == len(found.items.pool)
        assert (truth[2] == (IDS if unlabelled == more else IDS % 2)).all()


def test_the_size_is_the_one_asked_for_or_that_of_the_images(tmp_path):
    assert got(scenes(tmp_path / "train").parent)[0].size == (20, 30)
    assert got(tmp_path, size=(16, 24))[0].size == (16, 24)


def test_overlaps_are_scored_as_their_own_functions_say(tmp_path):
    scenes(tmp_path / "train", 3)
    test = table(tmp_path / "test.parquet", [picture(7), picture(8)], mask=[mask(IDS % 2), mask(IDS % 2)])
    found, _ = got(tmp_path, test=test)
    guess = np.stack([IDS % 2, np.zeros_like(IDS)])
    pixels = overlaps(guess.ravel(), found.truth.ravel(), np.array([600, 600]), 3)
    scores = mask_scores(pixels)
    both, either = pixels.sum(0).T
    iou = both[:2] / either[:2]
    assert (scores["rows"], scores["measure"], scores["iou_by_class"]) == (2, "mean IoU", [*iou.tolist(), None])
    assert scores["miou"] == pytest.approx(iou.mean())
    assert scores["dice"] == pytest.approx((2 * iou / (1 + iou)).mean())
    half = 1.6448536 * iou_influence(pixels).std() / 2**0.5
    assert scores["interval"] == pytest.approx([iou.mean() - half, min(iou.mean() + half, 1.0)])


@pytest.mark.parametrize(
    ("bad", "options", "message"),
    [
        (mask(IDS[:5]), {}, "it is 30 x 5 pixels, but its image is 30 x 20"),
        (mask(np.where(IDS == 2, 255, IDS)), {}, "value 255 on 200 pixels, where others end at 2"),
        (mask(), {"classes": 2}, "value 2 on 200 pixels is not from 0 to 1"),
        (mask()[:60], {}, "cut off or damaged"),
        (picture(9), {}, "it is RGB, colours and not class numbers"),
    ],
    ids=["another size", "void of old", "no class", "cut off", "colours"],
)  # fmt: skip
def test_a_bad_mask_is_named_with_its_place(tmp_path, bad, options, message):
    good = mask(IDS % options.get("classes", 3))
    train = table(tmp_path / "t.parquet", [picture(i) for i in range(4)], mask=[good, None, good, bad])
    assert refused(tmp_path, train=train, **options).startswith(f"{train}, row 4, mask: {message}")
    scenes(tmp_path / "train", a=good, b=bad)
    place = tmp_path / "train/masks/b.png"
    assert refused(tmp_path, **options).startswith(f"{place}, mask: {message}")


def test_bad_masks_are_left_out_with_their_images_where_asked(tmp_path):
    masks = [mask(), mask(), b"bad", None]
    train = table(tmp_path / "t.parquet", [picture(i) for i in range(4)], mask=masks)
    test = table(tmp_path / "test.parquet", [picture(7), picture(8)], mask=[b"bad too", mask()])
    found, said = got(tmp_path, train=train, test=test, skip_bad=True)
    assert list(found.items.labelled) == [picture(0), picture(1)]
    assert len(found.items.y) == 2 * IDS.size
    assert list(found.items.pool) == [picture(3)]
    assert (list(found.test), len(found.truth)) == ([picture(8)], 1)
    assert len(found.left_out) == 2 and found.left_out[0].startswith(f"{train}, row 3, mask: not an image")
    assert any("Left out: 1 of 3 masks" in line for line in said)


def test_classes_that_only_the_pool_s_masks_have_are_unknown(tmp_path):
    train = table(tmp_path / "t.parquet", [picture(0), picture(1)], mask=[mask(IDS % 2), mask(IDS % 2)])
    more = table(tmp_path / "more.parquet", [picture(7)], mask=[mask()])
    found, _ = got(tmp_path, train=train, unlabelled=more)
    assert set(np.unique(found.items.truth)) == {-1, 0, 1}


def test_masks_to_test_on_must_keep_to_the_classes_of_the_training(tmp_path):
    scenes(tmp_path / "train", a=mask(IDS % 2), b=mask(IDS % 2))
    other = table(tmp_path / "other.parquet", [picture(7), picture(8)], mask=[mask(IDS % 2), mask()])
    wanted = f"{other}, row 2, mask: value 2 on 200 pixels is not from 0 to 1; name it void if nothing is known there"
    assert refused(tmp_path, test=other) == f"{wanted}, or give more classes"
    got(tmp_path, void=(2,), test=other)


def test_a_bad_image_takes_its_mask_with_it(tmp_path):
    masks = [mask(), mask(), b"bad too", None]
    train = table(tmp_path / "t.parquet", [picture(0), picture(1), b"bad", picture(3)], mask=masks)
    test = table(tmp_path / "test.parquet", [b"bad", picture(7)], mask=[b"bad too", mask()])
    assert refused(tmp_path, train=train).startswith(f"{train}, row 3: not an image")
    found, said = got(tmp_path, train=train, test=test, skip_bad=True)
    assert list(found.items.labelled) == [picture(0), picture(1)]
    assert len(found.items.y) == 2 * IDS.size
    assert (list(found.test), len(found.truth)) == ([picture(7)], 1)
    assert [fault.split(":")[0] for fault in found.left_out] == [f"{train}, row 3", f"{test}, row 1"]
    assert [line.split(";")[0] for line in said] == ["Left out: 1 of 4 images", "Left out: 1 of 2 images"]


def test_masks_that_cannot_be_learnt_from(tmp_path):
    images = [picture(0), picture(1), picture(2)]
    one = table(tmp_path / "one.parquet", images, mask=[None, mask(), None])
    wanted = "one image has a mask; give one more a mask (the evidence needs two), or pass --no-evidence"
    assert refused(tmp_path, train=one) == f"{one}, column 'mask': {wanted}"
    assert len(got(tmp_path, train=one, evidence=False)[0].items.labelled) == 1
    assert refused(scenes(tmp_path / "train", 1).parent) == f"{tmp_path / 'train'}: {wanted}"
    none = table(tmp_path / "none.parquet", images, mask=[None, b"", None])
    shown = refused(tmp_path, train=none)
    assert shown == f"{none}, column 'mask': every mask is empty; give some images a mask"
    same = table(tmp_path / "same.parquet", images, mask=[mask(0 * IDS + 1), mask(0 * IDS + 1), None])
    for classes in (None, 3):
        shown = refused(tmp_path, train=same, classes=classes)
        assert shown == f"{same}, column 'mask': only one class, '1'; two are needed"
    shown = refused(tmp_path, train=one, test=none, evidence=False)
    assert shown == f"{none}, column 'mask': every mask is empty; nothing to score on"
    shown = refused(tmp_path, train=one, masks="masks")
    assert shown == f"{one}: no column 'masks'; it has 'image', 'mask'"


def test_images_with_masks_shared_by_training_and_test_are_warned_of(tmp_path):
    test = scenes(tmp_path / "test", 1)
    scenes(tmp_path / "train")
    with pytest.warns(UserWarning, match=r"^1 image of .*test is also in the training data"):
        got(tmp_path, test=test)
