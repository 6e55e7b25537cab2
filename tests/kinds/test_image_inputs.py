"""Images with labels are read, and what is wrong with them is said with file, row and column."""

from __future__ import annotations

import io
import struct
import zlib
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from tutelage.kinds.dataset import Dataset
from tutelage.kinds.one_class import class_scores
from tutelage.kinds.reading import read_files
from tutelage.modalities.images.decoding import MAX_PIXELS
from tutelage.run.options import given
from tutelage.tables import USUAL, DataError, Notes
from tutelage.tasks import Classification


def encoded(image):
    file = io.BytesIO()
    image.save(file, "png")
    return file.getvalue()


def picture(value=0, mode="RGB"):
    """An image of its own: ``value`` tells it from the others. One pixel differs, as in no image of one colour."""
    image = Image.new(mode, (30, 20), value if mode == "L" else (value, 1, 2, 40)[: len(mode)])
    image.putpixel((3, 3), 99 if mode == "L" else (99, 99, 99, 99)[: len(mode)])
    return encoded(image)


def put(root, files):
    """Write the files, {path: bytes}."""
    for name, data in files.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_bytes(data)
    return root


def got(folder, **options):
    """The inputs and what was said; a warning is an error."""
    said = []
    words = {"train": folder / "train", "out": folder / "out", "task": "image", "images": "image", "label": "label"}
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


def labelled(folder, extra=(), labels=(), name="train.parquet"):
    """A table of four labelled images, and others."""
    return table(folder / name, [*map(picture, range(4)), *extra], label=["cat", "dog", "cat", "dog", *labels])


NO_IMAGE = "not an image, or damaged at its beginning"


def pets(folder):
    """A folder of two classes of two images, and a pool of one."""
    names = ["dog/0.png", "dog/1.png", "cat/2.png", "cat/deep/3.png", "unlabelled/4.png"]
    return put(folder, {name: picture(i) for i, name in enumerate(names)})


def huge():
    """A PNG whose header claims 100 megapixels."""
    data = bytearray(picture())
    data[16:24] = struct.pack(">II", 10_000, 10_000)
    data[29:33] = struct.pack(">I", zlib.crc32(data[12:29]))
    return bytes(data)


def test_a_table_of_encoded_images(tmp_path):
    train = labelled(tmp_path, [picture(4), picture(5)], [None, ""])
    found, said = got(tmp_path, train=train, size=(32, 32))
    assert isinstance(found, Dataset)
    assert (found.classes, found.size) == (["cat", "dog"], (32, 32))
    assert found.items.task == Classification(2)
    assert list(found.items.labelled) == [picture(i) for i in range(4)]
    assert (found.items.y.tolist(), found.items.y.dtype) == ([0, 1, 0, 1], np.int64)
    assert list(found.items.pool) == [picture(4), picture(5)]
    assert found.items.truth.tolist() == [-1, -1]
    assert (found.test, found.truth, found.left_out, said) == ((), None, (), [])


def test_a_table_of_paths_stays_paths(tmp_path):
    put(tmp_path, {f"im/{i}.png": picture(i) for i in range(4)})
    train = table(tmp_path / "train.csv", [f"im/{i}.png" for i in range(4)], label=["1", "0", "1", "0"])
    found, _ = got(tmp_path, train=train)
    assert list(found.items.labelled) == [str(tmp_path / f"im/{i}.png") for i in range(4)]
    assert (found.classes, found.items.y.tolist()) == (["0", "1"], [1, 0, 1, 0])


def test_a_folder_of_classes(tmp_path):
    found, said = got(pets(tmp_path / "train").parent, images=None, label=None)
    assert found.classes == ["cat", "dog"]
    assert [Path(s).name for s in found.items.labelled] == ["2.png", "3.png", "0.png", "1.png"]
    assert found.items.y.tolist() == [0, 0, 1, 1]
    assert ([Path(s).name for s in found.items.pool], said) == (["4.png"], [])


def test_files_that_are_passed_over_are_said(tmp_path):
    put(pets(tmp_path / "train"), {"readme.txt": b"", "cat/notes.txt": b""})
    _, said = got(tmp_path)
    assert "".join(said).startswith(f"Passed over in {tmp_path / 'train'}: 2 files and folders")


@pytest.mark.parametrize("kind", ["folder", "table", "table with labels"])
def test_the_pool_is_a_folder_or_a_table_whose_labels_are_only_truth(tmp_path, kind):
    train = labelled(tmp_path, [picture(4)], [None])
    if kind == "folder":
        more = put(tmp_path / "more", {"5.png": picture(5), "deep/6.png": picture(6)})
        wanted = [str(more / "5.png"), str(more / "deep/6.png")]
    else:
        columns = {"label": ["dog", "horse"]} if kind == "table with labels" else {"other": ["dog", "cat"]}
        wanted = [picture(5), picture(6)]
        more = table(tmp_path / "more.parquet", wanted, **columns)
    found, _ = got(tmp_path, train=train, unlabelled=more)
    assert list(found.items.pool) == [picture(4), *wanted]
    assert found.classes == ["cat", "dog"]
    assert found.items.truth.tolist() == ([-1, 1, -1] if kind == "table with labels" else [-1, -1, -1])


def test_a_folder_to_train_on_and_a_table_to_test_on(tmp_path):
    pets(tmp_path / "train")
    put(tmp_path, {"7.png": picture(7), "8.png": picture(8)})
    test = table(tmp_path / "test.csv", ["7.png", "8.png", "7.png"], label=["dog", "cat", ""])
    found, said = got(tmp_path, test=test)
    assert list(found.test) == [str(tmp_path / "7.png"), str(tmp_path / "8.png")]
    assert found.truth.tolist() == [1, 0]
    assert said == [f"Not scored: 1 row of {test} without a label."]
    scores = class_scores(found.truth, np.array([1, 1]))
    assert (scores["rows"], scores["measure"], scores["accuracy"]) == (2, "accuracy", 0.5)
    assert scores["interval"][0] < 0.5 < scores["interval"][1]
    assert scores["macro_f1"] == pytest.approx(1 / 3)


def test_a_table_to_train_on_and_a_folder_to_test_on(tmp_path):
    test = put(tmp_path / "test", {"dog/7.png": picture(7), "cat/8.png": picture(8), "unlabelled/9.png": picture(9)})
    found, said = got(tmp_path, train=labelled(tmp_path), test=test)
    assert found.truth.tolist() == [0, 1]
    assert said == [f"Not scored: 1 row of {test} without a label."]


def test_grey_and_transparent_images_are_taken_and_said(tmp_path):
    train = labelled(tmp_path, [picture(7, mode="L"), picture(7, mode="RGBA")], ["dog", None])
    found, said = got(tmp_path, train=train)
    assert (len(found.items.labelled), len(found.items.pool)) == (5, 1)
    assert said == [
        f"1 of 6 images of {train} are grey.", f"1 of 6 images of {train} are transparent, and laid over white.",
    ]  # fmt: skip


def test_the_size_is_the_one_asked_for_or_suits_images_and_network(tmp_path):
    train = labelled(tmp_path)
    sizes = [got(tmp_path, train=train, **o)[0].size for o in ({}, {"network": "small_cnn"}, {"size": (40, 40)})]
    assert sizes == [(128, 128), (20, 30), (40, 40)]


def test_a_label_minus_one_means_none_and_that_is_said(tmp_path):
    train = labelled(tmp_path, [picture(4), picture(5)], ["-1", "-1"])
    found, said = got(tmp_path, train=train)
    assert found.classes == ["cat", "dog"]
    assert len(found.items.pool) == 2
    assert "2 of 6 rows have '-1' for a label: taken as no label" in said[0]


@pytest.mark.parametrize(
    ("files", "message"),
    [
        ({}, "{train}: the folder is empty"),
        ({"0.png": picture()}, "{train}: no folder of a class, with its images in it; there is 0.png"),
        ({"unlabelled/0.png": picture()}, "{train}: no folder of a class, with its images in it; there is unlabelled"),
        ({"cat/0.png": picture(), "cat/1.png": picture(1)}, "{train}: only one class, 'cat'; two are needed"),
        (
            {"cat/0.png": picture(), "dog/1.png": picture(1)},
            "{train}: 2 classes have one label each, 'cat' (cat/0.png), 'dog' (dog/1.png); label one more row",
        ),
        ({"cat/0.png": picture(), "dog/1.png": picture(1)[:60]}, "{train}/dog/1.png: cut off or damaged"),
        (
            {"images/0.png": picture(), "images/1.png": picture(1), "list.txt": b"0.png 1"},
            "{train}: its one folder of images, images, is no class; make a folder for each class, or name a table",
        ),
        (
            {"images/0.png": picture(), "train.xml": b"<annotations></annotations>"},
            "{train}/train.xml: these are annotations of CVAT in XML, which are not read; export",
        ),
        (
            {"train/cat/0.png": picture(), "landmarks/a.csv": b"1"},
            "Question 1: {train}: the folder train has the name of a part",
        ),
    ],
)
def test_folders_that_cannot_be_learnt_from(tmp_path, files, message):
    (tmp_path / "train").mkdir()
    put(tmp_path / "train", files)
    assert refused(tmp_path, images=None, label=None).startswith(message.format(train=tmp_path / "train"))


@pytest.mark.parametrize(
    ("labels", "message"),
    [
        ([None, ""], ", column 'label': every label is empty; label some rows"),
        (["cat", "cat"], ", column 'label': only one class, 'cat'; two are needed"),
        (
            ["cat", "cat", "dog"],
            ", row 3, column 'label': class 'dog' has one label; label one more row of it (the evidence needs two), "
            "or pass --no-evidence; or go on with --rare leave-out or --rare merge:NAME",
        ),
    ],
)
def test_tables_that_cannot_be_learnt_from(tmp_path, labels, message):
    train = table(tmp_path / "t.parquet", [*map(picture, range(len(labels)))], label=labels)
    assert refused(tmp_path, train=train) == f"{train}{message}"


def test_without_evidence_one_label_a_class_is_enough(tmp_path):
    train = table(tmp_path / "t.parquet", [picture(0), picture(1)], label=["cat", "dog"])
    assert got(tmp_path, train=train, evidence=False)[0].items.y.tolist() == [0, 1]


@pytest.mark.parametrize("part", ["train", "unlabelled", "test"])
def test_files_and_columns_that_are_not_there(tmp_path, part):
    files = {"train": labelled(tmp_path)}
    assert refused(tmp_path, **(files | {part: tmp_path / "gone"})) == f"{tmp_path / 'gone'}: no such file or folder"
    assert refused(tmp_path, **(files | {part: tmp_path / "gone.csv"})) == f"{tmp_path / 'gone.csv'}: no such file"
    other = tmp_path / "other.csv"
    other.write_text("picture,label\na.png,cat\n")
    assert refused(tmp_path, **(files | {part: other})) == f"{other}: no column 'image'; it has 'picture', 'label'"
    if part != "unlabelled":
        other.write_text("image,kind\na.png,cat\n")
        assert refused(tmp_path, **(files | {part: other})) == f"{other}: no column 'label'; it has 'image', 'kind'"


def test_labels_of_the_test_that_were_never_seen(tmp_path):
    test = table(tmp_path / "test.parquet", [picture(7), picture(8)], label=["dog", "horse"])
    seen = "label 'horse' was not among the training labels cat, dog; unseen in this file: 'horse' 1, 1 of"
    assert refused(tmp_path, train=labelled(tmp_path), test=test).startswith(f"{test}, row 2: {seen} 2 rows")
    folder = put(tmp_path / "test", {"horse/0.png": picture(7)})
    assert refused(tmp_path, train=labelled(tmp_path), test=folder).startswith(f"{folder}/horse/0.png: {seen} 1 rows")
    none = table(tmp_path / "none.parquet", [picture(7)], label=[""])
    wanted = f"{none}, column 'label': every label is empty; nothing to score on"
    assert refused(tmp_path, train=labelled(tmp_path), test=none) == wanted


@pytest.mark.parametrize(
    ("bad", "fault"),
    [
        (picture(9)[:60], "cut off or damaged"),
        (huge(), f"10,000 x 10,000 pixels are more than max_pixels = {MAX_PIXELS:,}"),
        (b"hello", "not an image, or damaged at its beginning"),
        (b"", "no image (0 bytes)"),
        (None, "no image (0 bytes)"),
    ],
    ids=["cut off", "100 megapixels", "text", "empty", "none"],
)
@pytest.mark.parametrize("part", ["train", "unlabelled", "test"])
def test_a_bad_image_is_named_with_its_row_in_each_file(tmp_path, bad, fault, part):
    files = {"train": labelled(tmp_path)}
    files[part] = labelled(tmp_path, [bad, picture(9)], ["dog", None], name=f"{part}.parquet")
    shown = refused(tmp_path, **files)
    assert shown.startswith(f"{files[part]}, row 5: {fault}")
    assert shown.endswith("; --skip-bad leaves out what cannot be read")


def test_a_bad_path_is_named_with_its_row(tmp_path):
    put(tmp_path, {"0.png": picture()})
    train = table(tmp_path / "t.csv", ["0.png", "gone.png", "gone.jpg"], label=["cat", "dog", "dog"])
    wanted = f"{train}, row 2 ({tmp_path / 'gone.png'}): no such file (2 of 3 images are bad); --skip-bad"
    assert refused(tmp_path, train=train).startswith(wanted)
    train = table(tmp_path / "t.csv", ["0.png", "gone.png", "gone.png"], label=["cat", "dog", "cat"])
    assert refused(tmp_path, train=train).startswith(wanted.replace("gone.jpg", "gone.png")), "named twice"


def test_bad_images_can_be_left_out_everywhere(tmp_path):
    train = labelled(tmp_path, [b"bad", b"worse", picture(5)], ["dog", None, None])
    more = table(tmp_path / "more.parquet", [b"", picture(6)])
    test = table(tmp_path / "test.parquet", [picture(7), huge(), picture(8)], label=["dog", "cat", "cat"])
    found, said = got(tmp_path, train=train, unlabelled=more, test=test, skip_bad=True)
    assert list(found.items.labelled) == [picture(i) for i in range(4)]
    assert found.items.y.tolist() == [0, 1, 0, 1]
    assert list(found.items.pool) == [picture(5), picture(6)]
    assert found.items.truth.tolist() == [-1, -1]
    assert list(found.test) == [picture(7), picture(8)]
    assert found.truth.tolist() == [1, 0]
    places = [f"{train}, row 5", f"{train}, row 6", f"{more}, row 1", f"{test}, row 2"]
    assert [fault.split(":")[0] for fault in found.left_out] == places
    assert [line.split(";")[0] for line in said] == [
        "Left out: 2 of 7 images", "Left out: 1 of 2 images", "Left out: 1 of 3 images",
    ]  # fmt: skip
    assert all(fault in " ".join(said) for fault in found.left_out)


def test_what_is_left_when_bad_images_are_left_out_must_do(tmp_path):
    train = table(tmp_path / "a.parquet", [picture(0), picture(1), picture(2), b"x"], label=[*"aabb"])
    assert f"{train}, row 3, column 'label': class 'b' has one label" in refused(tmp_path, train=train, skip_bad=True)
    train = table(tmp_path / "b.parquet", [b"x", b"y", picture()], label=["a", "b", None])
    shown = refused(tmp_path, train=train, skip_bad=True)
    assert shown == f"{train}, column 'label': every label of the images that can be read is empty; label some rows"
    train = table(tmp_path / "c.parquet", [b"x", b"y"], label=["a", "b"])
    shown = refused(tmp_path, train=train, skip_bad=True)
    assert shown == f"{train}: none of the 2 images can be read; the first: {train}, row 1: {NO_IMAGE}"
    assert refused(tmp_path, train=train) == shown  # and no advice that cannot help


def test_images_shared_by_training_and_test_are_warned_of(tmp_path):
    train = labelled(tmp_path, [picture(4), picture(5)], [None, None])
    put(tmp_path, {"2.png": picture(2), "5.png": picture(5), "9.png": picture(9)})
    test = table(tmp_path / "test.csv", ["9.png", "2.png", "5.png", "2.png"], label=["cat", "cat", "dog", "cat"])
    with pytest.warns(
        UserWarning, match=rf"^3 images of {test} are also in the training data, or nearly, and scored apart"
    ):
        got(tmp_path, train=train, test=test)
    got(tmp_path, train=train, test=table(tmp_path / "test.csv", ["9.png"], label=["cat"]))


def test_all_faults_of_all_files_are_named_at_once(tmp_path):
    bad = [b"hello", b"", picture(9)[:60], b"<html>", b""]
    train = labelled(tmp_path, bad, [None] * 5)
    test = table(tmp_path / "test.parquet", [picture(7), b""], label=["dog", "cat"])
    more = table(tmp_path / "more.parquet", [picture(8), None])
    shown = refused(tmp_path, train=train, unlabelled=more, test=test).split("\n")
    assert len(shown) == 3
    assert shown[0].startswith(f"{train}, row 5: not an image, or damaged at its beginning; {train}, row 6: no ")
    kinds = "2 no image, 1 not an image, or damaged at its beginning, 1 cut off or damaged, 1 a web page"
    assert shown[0].endswith(f"(5 of 9 images are bad: {kinds}); --skip-bad leaves out what cannot be read")
    assert shown[1] == f"{more}, row 2: no image (0 bytes); --skip-bad leaves out what cannot be read"
    assert shown[2] == f"{test}, row 2: no image (0 bytes); --skip-bad leaves out what cannot be read"


def test_paths_of_which_none_exists_are_said_in_one_sentence(tmp_path):
    train = table(tmp_path / "t.csv", [f"im/{i}.png" for i in range(4)], label=["a", "a", "b", "b"])
    first = f"{train}, row 1 ({tmp_path / 'im/0.png'}): no such file"
    assert refused(tmp_path, train=train) == f"{train}: none of the 4 images can be read; the first: {first}"


def test_questions_on_folders_come_before_rules_on_labels(tmp_path):
    put(tmp_path / "data", {"train/cat/0.png": picture(0), "train/dog/1.png": picture(1), "test/cat/2.png": picture(2)})
    shown = refused(tmp_path, train=tmp_path / "data", images=None, label=None)
    assert shown.startswith(f"Question 1: {tmp_path / 'data'}: the folders test, train have the names of the parts")
    assert f"--train {tmp_path / 'data/train'} --test {tmp_path / 'data/test'}" in shown


def test_what_a_model_cannot_see_is_said(tmp_path):
    plain = encoded(Image.new("RGB", (30, 20), (7, 7, 7)))
    train = labelled(tmp_path, [plain, plain, encoded(Image.new("RGB", (3, 3)))], [None] * 3)
    _, said = got(tmp_path, train=train)
    assert said == [
        f"3 of 7 images of {train} have one colour in all their pixels (the first: {train}, row 5, 20 x 30). "
        "(docs: warnings/odd-images)",
        f"1 of 7 images of {train} are copies of others, byte for byte (the first: {train}, row 6 of {train}, row 5). "
        "(docs: warnings/copies)",
        f"1 of 7 images of {train} are less than 8 pixels high or wide (the first: {train}, row 7, 3 x 3). "
        "(docs: warnings/odd-images)",
    ]


def test_links_that_lead_back_are_not_followed(tmp_path):
    folder = pets(tmp_path / "train")
    (folder / "cat" / "loop").symlink_to("..")
    (folder / "cat" / "sister").symlink_to("../dog")
    (folder / "alias").symlink_to("dog")
    found, said = got(tmp_path, images=None, label=None)
    assert sorted(Path(item).parent.name for item in found.items.labelled) == ["cat", "deep", "dog", "dog"]
    assert any("is not followed: " in line and ", and 2 more" in line for line in said)


def test_links_to_folders_elsewhere_are_followed_once(tmp_path):
    pets(tmp_path / "apart")
    for name, target in {"cat": "apart/cat", "dog": "apart/dog", "hen": "apart/cat"}.items():
        (tmp_path / "train").mkdir(exist_ok=True)
        (tmp_path / "train" / name).symlink_to(tmp_path / target)
    (tmp_path / "linked").symlink_to("train")
    found, said = got(tmp_path, images=None, label=None, train=tmp_path / "linked")
    assert (found.classes, len(found.items.labelled)) == (["cat", "dog"], 4)
    assert any("hen leads to" in line for line in said)


def test_a_folder_named_todo_is_asked_about(tmp_path):
    put(pets(tmp_path / "train"), {"todo/8.png": picture(8), "todo/9.png": picture(9)})
    assert "the folder " in (shown := refused(tmp_path, images=None, label=None)) and "todo, 2 of 6 images" in shown


@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("t.csv", "a run trained on a folder needs --images COLUMN, or a folder of images"),
        ("1.png", "one image; "),
    ],
)
def test_a_run_that_was_trained_on_a_folder_predicts_on_folders(tmp_path, name, says):
    kind, _ = given(train=put(tmp_path / "train", {"a/1.png": picture()}), out=tmp_path / "out", task="image")
    put(tmp_path, {name: b"image\n1.png\n"})
    with pytest.raises(ValueError, match=says):
        kind.to_answer(tmp_path / name, USUAL, Notes())
