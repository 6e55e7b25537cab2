"""Images with masks are read, and what is wrong with them is said with file, row and column."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from tutelage.kinds.pixel_scores import mask_scores
from tutelage.kinds.reading import read_files
from tutelage.run.options import given
from tutelage.tables import DataError, Notes
from tutelage.tasks import Segmentation
from tutelage.tasks.segmentation import iou_influence, overlaps

IDS = np.arange(30 * 20).reshape(20, 30) % 3


def encoded(image):
    file = io.BytesIO()
    image.save(file, "png")
    return file.getvalue()


def picture(value):
    """An image of its own: ``value`` tells it from the others. One pixel differs, as in no image of one colour."""
    image = Image.new("RGB", (30, 20), (value, 1, 2))
    image.putpixel((3, 3), (99, 99, 99))
    return encoded(image)


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
    return read_files(kind, asked.files, Notes(said.append)), said


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
        (mask(IDS[:5]), {}, "it is 5 x 30 pixels, high and wide, but its image is 20 x 30"),
        (mask(np.where(IDS == 2, 255, IDS)), {}, "value 255 on 200 pixels, where others end at 2"),
        (mask(), {"classes": 2}, "value 2 on 200 pixels is not from 0 to 1"),
        (mask()[:60], {}, "cut off or damaged"),
        (picture(9), {}, "it holds colours, not class numbers, as 1 of "),
    ],
    ids=["another size", "void of old", "no class", "cut off", "colours"],
)  # fmt: skip
def test_a_bad_mask_is_named_with_its_place(tmp_path, bad, options, message):
    good = mask(IDS % options.get("classes", 3))
    train = table(tmp_path / "t.parquet", [picture(i) for i in range(4)], mask=[good, None, good, bad])
    assert (
        refused(tmp_path, train=train, **options)
        .removeprefix("Question 1: ")
        .startswith(f"{train}, row 4, mask: {message}")
    )
    scenes(tmp_path / "train", a=good, b=bad)
    place = tmp_path / "train/masks/b.png"
    assert refused(tmp_path, **options).removeprefix("Question 1: ").startswith(f"{place}, mask: {message}")


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
    alike = "or save these masks with the numbers of those that were learnt from"
    assert refused(tmp_path, test=other) == f"{wanted}, or give more classes, {alike}"
    got(tmp_path, void=(2,), test=other)


def test_masks_to_test_on_of_other_numbers_are_not_taken_for_void(tmp_path):
    scenes(tmp_path / "train", a=mask(IDS % 2 * 255), b=mask(IDS % 2 * 255))
    other = table(tmp_path / "other.parquet", [picture(7)], mask=[mask(IDS % 2)])
    said = refused(tmp_path, mask_values=(0, 255), test=other)
    assert f"{other}, row 1, mask: value 1 is none of the classes' (" in said and "; save these masks with the" in said
    got(tmp_path, mask_values=(0, 255), void=(1,), test=other)


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
    assert shown == f"{one}: no column 'masks'; it has 'image', 'mask'; the nearest is 'mask'"


def test_images_with_masks_shared_by_training_and_test_are_warned_of(tmp_path):
    test = scenes(tmp_path / "test", 1)
    scenes(tmp_path / "train")
    with pytest.warns(UserWarning, match=r"^1 image of .*test is also in the training data"):
        got(tmp_path, test=test)


def test_values_that_mean_the_classes_may_be_named(tmp_path):
    scenes(tmp_path / "train", a=mask(255 * (IDS % 2)), b=mask(255 * (IDS % 2)))
    shown = refused(tmp_path)
    assert "the masks hold only 0 and 255 (" in shown
    assert shown.endswith(
        "To settle it: --mask-values 0,255 (each is a class, in this order). (docs: warnings/mask-values)"
    )
    for given_as in (("0,255",), ("0", "255"), (0, 255)):
        found, said = got(tmp_path, mask_values=given_as)
        assert (found.items.y == np.tile(IDS.ravel() % 2, 2)).all()
        assert (found.classes, said) == (["0", "1"], [])
    test = table(tmp_path / "test.parquet", [picture(7)], mask=[mask(255 * (IDS % 2))])
    found, _ = got(tmp_path, mask_values=("0,255",), test=test)
    assert (found.truth[0] == IDS % 2).all()


def coloured(ids=IDS, colours=((0, 0, 0), (200, 0, 0), (0, 200, 30))):
    return encoded(Image.fromarray(np.array(colours, dtype=np.uint8)[ids]))


def test_classes_of_colours_are_named_by_them_and_a_test_is_read_alike(tmp_path):
    put(tmp_path, {"train/masks/labelmap.txt": b"ground 0,0,0\nroad 200,0,0\ntree 0,200,30\n"})
    scenes(tmp_path / "train", a=coloured(), b=coloured())
    test = table(tmp_path / "test.parquet", [picture(7)], mask=[coloured(IDS % 2 * 2)])
    found, said = got(tmp_path, test=test)
    assert found.classes == ["ground #000000", "road #c80000", "tree #00c81e"]
    assert (found.items.y == np.tile(IDS.ravel(), 2)).all()
    assert (found.truth[0] == IDS % 2 * 2).all()
    assert any("labelmap.txt: 3 classes by colour: 0 ground #000000, 1 road" in line for line in said)
    kind, _ = given(train=tmp_path / "train", out=tmp_path / "out", task="segmentation")
    meaning = kind.meaning_to(found.classes)
    assert (meaning.strict, meaning.colours) == (True, ("ground #000000", "road #c80000", "tree #00c81e"))
    again, _ = given(train=tmp_path / "train", out=tmp_path / "out", mask_colours=("#00c81e,#000000,#c80000",))
    assert again.meaning_to(found.classes).colours == meaning.colours
    assert kind.meaning_to(["0", "1"]).classes == 2


def test_masks_of_photos_that_are_turned(tmp_path):
    exif = Image.Exif()
    exif[0x0112] = 6
    files = {}
    for i, name in enumerate("abc"):
        file = io.BytesIO()
        Image.open(io.BytesIO(picture(40 * i))).save(file, "jpeg", exif=exif)
        files |= {f"train/images/{name}.jpg": file.getvalue()} | ({f"train/masks/{name}.png": mask()} if i < 2 else {})
    put(tmp_path, files)
    found, said = got(tmp_path)
    assert found.size == (30, 20)
    assert (found.items.y.reshape(2, 30, 20) == np.rot90(IDS, -1)).all()
    assert "2 of 2 masks of " in said[1]
    assert "are turned like these, as EXIF says" in said[1]
    assert "but its image is 30 x 20" in refused(tmp_path, masks_turned=False)


def test_masks_beside_images_are_told_by_their_names(tmp_path):
    files = {f"train/{c}.png": picture(i) for i, c in enumerate("abc")} | {f"train/{c}_mask.png": mask() for c in "ab"}
    found, said = got(put(tmp_path, files))
    assert [Path(s).name for s in found.items.labelled] == ["a.png", "b.png"]
    assert [Path(s).name for s in found.items.pool] == ["c.png"]
    assert said == [
        f"Masks in {tmp_path / 'train'} are named IMAGE_mask (2 masks).",
        f"{tmp_path / 'train'}: 2 of 3 images have a mask beside them.",
    ]


def test_a_question_on_masks_comes_before_rules_on_classes(tmp_path):
    scenes(tmp_path / "train", a=coloured(0 * IDS + 1), b=coloured(0 * IDS + 1))
    assert refused(tmp_path).startswith("Question 1: ")


def test_masks_one_folder_deeper_than_images_belong_to_them(tmp_path):
    put(tmp_path / "train" / "images", {f"{i}.jpg": picture(i) for i in range(3)})
    put(tmp_path / "train" / "annotations" / "trimaps", {f"{i}.png": mask() for i in range(3)})
    data, _ = got(tmp_path, images=None, masks=None)
    assert (len(data.items.labelled), len(data.classes)) == (3, 3)


def test_a_folder_above_those_of_images_and_masks_names_them(tmp_path):
    for year in ("VOC2007", "VOC2012"):
        put(tmp_path / "train" / year / "JPEGImages", {"1.jpg": picture(1)})
        put(tmp_path / "train" / year / "SegmentationClass", {"1.png": mask()})
    with pytest.raises(DataError, match=r"one folder deeper; name it: --train .*VOC2007; --train .*VOC2012"):
        got(tmp_path, images=None, masks=None)


@pytest.mark.parametrize(
    ("files", "message"),
    [
        ({"images/1.png": picture(1), "masks/task-1-annotation-2-by-1-tag-a-0.png": mask()}, "layers of Label Studio"),
        ({"1.png": picture(1), "1.json": b'{"shapes": [], "imagePath": "1.png"}'}, "polygons of labelme"),
        ({"images/1.png": picture(1), "labels/1.txt": b"0 0.5 0.5 0.1 0.1\n"}, "boxes or polygons of YOLO"),
        (
            {
                "images/train/1.png": picture(1), "annotations/panoptic/1.png": mask(),
                "annotations/panoptic.json": b'{"images": [], "annotations": [], "categories": []}',
            },
            "annotations of COCO",
        ),
    ],
)  # fmt: skip
def test_annotations_of_other_tools_are_named_where_masks_are_sought(tmp_path, files, message):
    put(tmp_path / "train", files)
    with pytest.raises(DataError, match=f"these are .*{message}"):
        got(tmp_path, images=None, masks=None)


def test_a_file_of_names_without_colours_does_not_stop_the_question_for_colours(tmp_path):
    colours = np.array([[0, 0, 0], [250, 50, 83], [61, 61, 245]], dtype=np.uint8)[IDS]
    put(tmp_path / "train", {f"images/{i}.png": picture(i) for i in range(2)})
    put(tmp_path / "train", {f"masks/{i}.png": encoded(Image.fromarray(colours)) for i in range(2)})
    put(tmp_path / "train", {"labelmap.txt": b"# label:color_rgb:parts:actions\ncat:::\n"})
    with pytest.raises(DataError, match=r"labelmap.txt: 0 lines have a colour .*--mask-colours"):
        got(tmp_path, images=None, masks=None)
    put(tmp_path / "train", {"labelmap.txt": b"# x:y:z:w\nnone:0,0,0::\ncat:250,50,83::\ndog:61,61,245::\n"})
    assert got(tmp_path, images=None, masks=None)[0].classes == ["none #000000", "cat #fa3253", "dog #3d3df5"]


def palette(ids, colours):
    image = Image.fromarray(ids.astype(np.uint8), "L").convert("P")
    image.putdata(ids.ravel().tolist())
    image.putpalette([band for colour in colours for band in colour])
    return encoded(image)


def test_a_question_that_halts_on_masks_to_test_on_halts(tmp_path):
    usual, swapped = ((0, 0, 0), (200, 0, 0), (0, 200, 0)), ((0, 0, 0), (0, 200, 0), (200, 0, 0))
    scenes(tmp_path / "train", a=palette(IDS, usual), b=palette(IDS, usual))
    put(tmp_path / "test", {"images/z.png": picture(77), "masks/z.png": palette(IDS, swapped)})
    message = refused(tmp_path, test=tmp_path / "test", images=None, masks=None)
    assert "Question 1: the palettes of the masks of" in message
    assert "--mask-values 0,1,2 (the numbers count)" in message


def heard(folder, **options):
    kind, asked = given(train=folder, out=folder.parent / "out", task="segmentation", **options)
    notes = Notes()
    return read_files(kind, asked.files, notes), notes


def test_classes_of_masks_are_said_with_their_pixels(tmp_path):
    ids = np.zeros((20, 30))
    ids[:10], ids[10:, :3] = 1, 7
    _, notes = heard(scenes(tmp_path / "train", a=mask(ids), b=mask(ids // 7)), void=(7,), classes=3)
    fact = notes.facts["classes"]
    assert fact.values == {
        "0": {"pixels": 270 + 570, "masks": 2},
        "1": {"pixels": 300 + 30, "masks": 2},
        "2": {"pixels": 0, "masks": 0},
        "void": {"pixels": 30, "masks": 1},
    }
    assert "0 (70.0 %, 2), 1 (27.5 %, 2), 2 (0.0 %, 0), void (2.5 %, 1)." in fact.says


@pytest.mark.parametrize(
    ("tops", "says"),
    [
        ([(1, 2, 3), (4, 5, 6)], "each of the 6 values above 0 is in one mask only"),
        ([(1,), (1, 2, 3), (1, 2, 3, 4)], "each mask counts from 1 anew"),
        ([(1, 2, 3), (1, 2, 3, 4)], ""),
        ([(1, 2, 3), (4, 5, 8)], ""),
    ],
)
def test_numbers_of_single_objects_are_asked_about(tmp_path, tops, says):
    masks = {}
    for name, values in zip("abc", tops, strict=False):
        ids = np.zeros((20, 30))
        for i, value in enumerate(values):
            ids[2:8, 6 * i : 6 * i + 5] = value
        masks[name] = mask(ids)
    _, notes = heard(scenes(tmp_path / "train", len(tops), **masks))
    asked = [question.line(1) for question in notes.questions]
    assert len(asked) == bool(says)
    assert says in "".join(asked)


def test_bad_images_and_bad_masks_of_all_files_are_told_at_once(tmp_path):
    train = table(tmp_path / "t.parquet", [picture(i) for i in range(3)], mask=[mask(), mask(), b"bad"])
    test = table(tmp_path / "test.parquet", [picture(7), picture(8), b"bad"], mask=[mask(), b"bad too", mask()])
    shown = refused(tmp_path, train=train, test=test)
    for place in (f"{test}, row 3:", f"{train}, row 3, mask:", f"{test}, row 2, mask:"):
        assert place in shown
    assert shown.count("--skip-bad leaves out") == 3


def test_bad_masks_of_training_and_test_are_told_at_once(tmp_path):
    train = table(tmp_path / "t.parquet", [picture(i) for i in range(3)], mask=[mask(), mask(), b"bad"])
    test = table(tmp_path / "test.parquet", [picture(7), picture(8)], mask=[b"bad too", mask()])
    shown = refused(tmp_path, train=train, test=test)
    assert f"{train}, row 3, mask:" in shown and f"{test}, row 1, mask:" in shown


def test_masks_without_an_image_can_be_left_out(tmp_path):
    put(scenes(tmp_path / "train"), {"masks/z.png": mask()})
    shown = refused(tmp_path)
    assert "z: a mask without an image of its name (1 of 3)" in shown and "--skip-bad leaves such masks out" in shown
    found, said = got(tmp_path, skip_bad=True)
    assert (len(found.items.labelled), len(found.items.pool)) == (2, 1)
    assert f"Left out: 1 mask in {tmp_path / 'train/masks'} without an image of that name: z." in said


def test_words_for_none_are_no_masks(tmp_path):
    put(tmp_path, {f"{c}.png": picture(i) for i, c in enumerate("abcd")} | {"m.png": mask(), "none": mask()})
    train = table(tmp_path / "t.csv", ["a.png", "b.png", "c.png", "d.png"], mask=["m.png", "none", "nan", "NULL"])
    found, said = got(tmp_path, train=train)
    assert (len(found.items.labelled), len(found.items.pool)) == (2, 2)
    assert any("2 cells say that there is no mask, the first in row 3 ('nan')" in line for line in said)


def test_folders_of_nnu_net(tmp_path):
    names = {f"imagesTr/case_{i}_0000.png": picture(i) for i in range(3)}
    put(tmp_path / "train", names | {f"labelsTr/case_{i}.png": mask() for i in range(2)})
    found, said = got(tmp_path, images=None, masks=None)
    assert (len(found.items.labelled), len(found.items.pool)) == (2, 1)
    assert any("named NAME of images named NAME_0000" in line for line in said)


def test_colours_of_jpeg_are_suggested_without_their_noise(tmp_path):
    ids = np.zeros((20, 30), dtype=int)
    ids[:, 16:] = 1
    file = io.BytesIO()
    Image.open(io.BytesIO(coloured(ids, ((0, 0, 0), (255, 0, 0), (0, 255, 0))))).convert("RGB").save(file, "jpeg")
    train = table(tmp_path / "t.parquet", [picture(i) for i in range(2)], mask=[file.getvalue()] * 2)
    shown = refused(tmp_path, train=train)
    assert "a format such as JPEG does not keep colours as they are" in shown and "save the masks anew, as PNG" in shown
    (colours,) = [part for part in shown.split('"') if part.startswith("#")]
    assert colours.count(",") == 1
