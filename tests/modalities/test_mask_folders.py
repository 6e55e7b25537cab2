"""Folders of images and masks, as tools lay them out and name them, are read, or it is said what was tried."""

from __future__ import annotations

import pytest

from tutelage.modalities.images.mask_folders import has_masks, images_within, read_mask_folder
from tutelage.tables import DataError, Notes


def put(root, *names):
    for name in names:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_bytes(name.encode())
    return root


def read(root):
    """Pairs of images and masks, by their paths in the folder, and what was said."""
    notes = Notes()
    found = read_mask_folder(root, notes)
    within = [None if mask is None else mask.removeprefix(f"{root}/") for mask in found.masks]
    return dict(zip(found.names, within, strict=True)), notes, found


@pytest.mark.parametrize(
    ("image", "mask", "form"),
    [
        ("{}.jpg", "{}_mask.png", "IMAGE_mask"),
        ("{}.jpg", "{}.mask.png", "IMAGE.mask"),
        ("{}.jpg", "mask_{}.png", "mask_IMAGE"),
        ("{}.jpg", "{}_seg.png", "IMAGE_seg"),
        ("{}.jpg", "{}_label.png", "IMAGE_label"),
        ("{}.jpg", "{}-labels.png", "IMAGE-labels"),
        ("{}.png", "{}_L.png", "IMAGE_L"),
        ("{}.jpg", "{}.jpg.png", "IMAGE.jpg"),
        ("{}.jpg", "{} (mask).png", "IMAGE (mask)"),
        ("{}.jpg", "{}mask.png", "IMAGEmask"),
        ("img_{}.png", "mask_{}.png", "mask_NAME of images named img_NAME"),
        ("{}_sat.jpg", "{}_mask.png", "NAME_mask of images named NAME_sat"),
        ("{}_leftImg8bit.png", "{}_gtFine_labelIds.png", "NAME_gtFine_labelIds of images named NAME_leftImg8bit"),
    ],
)
@pytest.mark.parametrize("cores", [("a", "b2", "c"), ("001", "002", "011"), ("x_1_1", "x_1_11", "x_11_1")])
def test_masks_have_one_beginning_or_end_besides(tmp_path, image, mask, form, cores):
    put(tmp_path, *(f"images/in/{image.format(c)}" for c in cores), *(f"masks/in/{mask.format(c)}" for c in cores[:2]))
    got, notes, _ = read(tmp_path)
    wanted = {f"images/in/{image.format(c)}": f"masks/in/{mask.format(c)}" for c in cores[:2]}
    assert got == wanted | {f"images/in/{image.format(cores[2])}": None}
    assert notes.lines == [f"Masks in {tmp_path / 'masks'} are named {form} (2 masks)."]


def test_equal_names_are_taken_without_a_word(tmp_path):
    got, notes, _ = read(put(tmp_path, "images/a_mask.jpg", "images/a.jpg", "masks/a_mask.png"))
    assert got == {"images/a.jpg": None, "images/a_mask.jpg": "masks/a_mask.png"}
    assert notes.lines == []


def test_names_that_differ_in_case(tmp_path):
    got, notes, _ = read(put(tmp_path, "images/IMG_1.JPG", "images/IMG_2.JPG", "masks/img_1.png"))
    assert got == {"images/IMG_1.JPG": "masks/img_1.png", "images/IMG_2.JPG": None}
    assert "but for large and small letters" in notes.lines[0]


@pytest.mark.parametrize(
    ("images", "masks"),
    [
        ("images", "masks"), ("image", "mask"), ("imgs", "labels"), ("JPEGImages", "SegmentationClass"), ("img", "ann"),
        ("leftImg8bit", "gtFine"), ("train", "train_masks"), ("train", "trainannot"), ("train_images", "train_labels"),
        ("input", "target"),
    ],
)  # fmt: skip
def test_folders_of_images_and_masks(tmp_path, images, masks):
    put(tmp_path, f"{images}/a.jpg", f"{images}/b.jpg", f"{masks}/a.png", "Annotations/a.xml", "classes.txt")
    assert has_masks(tmp_path)
    assert images_within(tmp_path) == tmp_path / images
    got, notes, _ = read(tmp_path)
    assert got == {f"{images}/a.jpg": f"{masks}/a.png", f"{images}/b.jpg": None}
    said = [f"Images are read from {tmp_path / images}, and masks from {tmp_path / masks}."]
    assert notes.lines == ([] if masks == "masks" else said)


def test_a_folder_beside_holds_the_masks(tmp_path):
    put(tmp_path, "train/a.png", "train/b.png", "trainannot/a.png", "val/c.png", "valannot/c.png")
    with pytest.raises(
        DataError, match=r"several folders of images with masks; name one of them: --train .*train; --train"
    ):
        read_mask_folder(tmp_path)
    assert not has_masks(tmp_path)
    notes = Notes()
    found = read_mask_folder(tmp_path / "train", notes)
    assert found.names == ["a.png", "b.png"]
    assert found.masks == [str(tmp_path / "trainannot/a.png"), None]


def test_other_files_beside_the_masks_are_passed_over(tmp_path):
    names = ["x_1_leftImg8bit.png", "x_2_leftImg8bit.png"]
    ends = ["labelIds", "color", "instanceIds"]
    put(tmp_path, *(f"leftImg8bit/train/{n}" for n in names), *(f"gtFine/train/x_1_gtFine_{e}.png" for e in ends))
    got, notes, found = read(tmp_path)
    assert got["leftImg8bit/train/x_1_leftImg8bit.png"] == "gtFine/train/x_1_gtFine_labelIds.png"
    assert found.passed == {"beside the masks": 2}
    assert "passed over: 2 images named NAME_gtFine_color" in notes.lines[1]
    put(tmp_path, "gtFine/train/x_1_gtFine_labelTrainIds.png")
    with pytest.raises(
        DataError, match=r"several files belong to one image; they are named .*labelIds.*; keep the masks"
    ):
        read(tmp_path)


@pytest.mark.parametrize(
    ("files", "pairs"),
    [
        (["a.jpg", "a.png", "b.jpg"], {"a.jpg": "a.png", "b.jpg": None}),
        (["a.png", "a_mask.png", "b.png"], {"a.png": "a_mask.png", "b.png": None}),
        (["1_sat.jpg", "1_mask.png", "2_sat.jpg", "2_mask.png", "3_sat.jpg"],
         {"1_sat.jpg": "1_mask.png", "2_sat.jpg": "2_mask.png", "3_sat.jpg": None}),
        (["a.jpg", "a_mask.png", "a_overlay.png", "b.jpg"], {"a.jpg": "a_mask.png", "b.jpg": None}),
    ],
)  # fmt: skip
def test_masks_beside_images_in_one_folder(tmp_path, files, pairs):
    got, notes, _ = read(put(tmp_path, *files))
    assert got == pairs
    count = sum(mask is not None for mask in pairs.values())
    assert notes.lines[-1] == f"{tmp_path}: {count} of {len(pairs)} images have a mask beside them."


def test_photos_beside_masks_tell_the_kind_and_folders_of_classes_do_not(tmp_path):
    assert has_masks(put(tmp_path / "flat", "a.jpg", "a.png"))
    assert not has_masks(put(tmp_path / "mixed", "a.jpg", "b.png"))
    assert not has_masks(put(tmp_path / "faces", "mask/a.jpg", "no_mask/b.png", "face/a.png", "face_mask/a.png"))
    assert not has_masks(put(tmp_path / "boxes", "images/a.jpg", "labels/a.txt"))


@pytest.mark.parametrize(
    ("files", "message"),
    [
        (
            ["images/cat_1.png", "images/1.png", "masks/cat_1_x.png"],
            r"masks may be named IMAGE_x or cat_IMAGE_x, which",
        ),
        (["images/a.png", "images/b.png", "masks/a-b.png"], r"masks may be named IMAGE-b or a-IMAGE, which gives them"),
        (["images/a.png", "masks/b.png"], r"masks/b: a mask without an image of its name \(1 of 1\); tried: IMAGE$"),
        (["images/a.png", "images/b.png", "masks/a_x.png", "masks/b_y.png"], r"several files belong to one image"),
        (["a.jpg", "b.jpg"], r"no masks; wanted are folders of images and of masks"),
    ],
)
def test_names_that_do_not_match_are_said(tmp_path, files, message):
    put(tmp_path, *files)
    with pytest.raises(DataError, match=message):
        read(tmp_path)


@pytest.mark.parametrize(
    "ending, way", [(".npy", r"save masks as PNG, such as by Pillow's Image"), (".dcm", "as PNG$")]
)
def test_a_folder_of_masks_without_an_image_is_refused(tmp_path, ending, way):
    put(tmp_path, "images/1.jpg", f"masks/1{ending}", "masks/.DS_Store")
    with pytest.raises(DataError, match=rf"masks: no mask in the folder \(2 other files\); .*{way}"):
        read(tmp_path)


def test_images_and_masks_in_folders_of_parts_are_asked_about(tmp_path):
    put(tmp_path, *(f"{kind}/{part}/{part}.png" for kind in ("images", "masks") for part in ("train", "val")))
    got, notes, _ = read(tmp_path)
    assert len(got) == 2
    assert "as of a data set that is split already" in notes.questions[0].asks


@pytest.mark.parametrize("ending", ["jpg", "png"])
def test_masks_beside_images_of_a_pool_are_no_images(tmp_path, ending):
    root = put(tmp_path / "pool", f"a.{ending}", "a_mask.png", f"b.{ending}")
    assert has_masks(root)
    assert not has_masks(put(tmp_path / "other", f"red_1.{ending}", f"red_2.{ending}", f"my_label.{ending}"))
