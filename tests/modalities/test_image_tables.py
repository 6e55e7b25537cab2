"""Tables and folders of images are read as they are, or refused with the file, the row and the column."""

from __future__ import annotations

import io
import os

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from tutelage.modalities.images.checking import check_images
from tutelage.modalities.images.examples import Images
from tutelage.modalities.images.folders import read_image_folder
from tutelage.modalities.images.mask_folders import read_mask_folder
from tutelage.modalities.images.tables import image_rows, mask_rows
from tutelage.tables import DataError, read_table, write_table


def read_image_table(path, images="image", label=None):
    return image_rows(read_table(path), path, images, label)


def read_mask_table(path, images="image", masks=None):
    return mask_rows(read_table(path), path, images, masks)


def png(value):
    file = io.BytesIO()
    Image.new("RGB", (3, 2), (value,) * 3).save(file, "png")
    return file.getvalue()


def put(root, *names):
    for i, name in enumerate(names):
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_bytes(png(i))
    return root


def values(sources):
    """The grey of each image, whatever holds it."""
    return (255 * Images(sources, (2, 3)).take(np.arange(len(sources)))[:, 0, 0, 0]).round().int().tolist()


@pytest.mark.parametrize("kind", ["csv", "tsv", "jsonl", "parquet"])
def test_paths_are_of_the_tables_folder_or_absolute(tmp_path, kind):
    put(tmp_path, "a/0.png", "a/1.PNG", "2.png")
    table = pd.DataFrame({"image": ["a/0.png", " a/1.PNG", str(tmp_path / "2.png")], "kind": ["cat", "", " dog "]})
    write_table(table, tmp_path / f"t.{kind}")
    got = read_image_table(tmp_path / f"t.{kind}", "image", "kind")
    assert values(got.sources) == [0, 1, 2]
    assert got.labels == ["cat", None, "dog"]
    assert got.names == ["a/0.png", "a/1.PNG", str(tmp_path / "2.png")]
    assert (got.file, got.rows, got.ignored, len(got)) == (str(tmp_path / f"t.{kind}"), [1, 2, 3], 0, 3)
    assert read_image_table(tmp_path / f"t.{kind}").labels == [None] * 3


@pytest.mark.parametrize("hub", [False, True])
def test_parquet_may_hold_the_images(tmp_path, hub):
    put(tmp_path, "9.png")
    cells = [png(5), png(6), png(7)]
    if hub:
        cells = [{"bytes": png(5), "path": "5.png"}, {"bytes": png(6), "path": None}, {"bytes": None, "path": "9.png"}]
    pd.DataFrame({"image": cells, "label": [1, None, 0]}).to_parquet(tmp_path / "t.parquet")
    got = read_image_table(tmp_path / "t.parquet", "image", "label")
    assert values(got.sources) == ([5, 6, 0] if hub else [5, 6, 7])
    assert got.labels == ["1", None, "0"]
    assert got.names == (["5.png", "row 2", "9.png"] if hub else ["row 1", "row 2", "row 3"])


def test_where_keeps_what_the_mask_selects(tmp_path):
    put(tmp_path, "0.png", "1.png")
    (tmp_path / "t.csv").write_text("image,label\n0.png,x\n1.png,\n")
    got = read_image_table(tmp_path / "t.csv", label="label").where(np.array([False, True]))
    assert (got.labels, got.rows, got.names, values(got.sources)) == ([None], [2], ["1.png"], [1])


@pytest.mark.parametrize("cells", [["0.png", ""], [png(0), None], [{"bytes": png(0)}, {"bytes": b"", "path": None}]])
def test_an_empty_cell_is_an_image_that_checking_finds(tmp_path, cells):
    put(tmp_path, "0.png")
    pd.DataFrame({"image": cells}).to_parquet(tmp_path / "t.parquet")
    got = read_image_table(tmp_path / "t.parquet")
    with pytest.raises(DataError, match=r"t.parquet, row 2: no image \(0 bytes\)"):
        check_images(got.sources, got.rows, got.file)
    good = got.where(check_images(got.sources, got.rows, got.file, skip_bad=True).good)
    assert good.rows == [1]


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        ([{"image": "a"}, {"image": 7}], "row 2, column 'image': neither a path nor an encoded image but a number"),
        ([{"image": [1, 2]}], "row 1, column 'image': neither a path nor an encoded image but a list"),
        ([{"image": {"url": "x"}}], "row 1, column 'image': a dict of an image has bytes or path, got 'url'"),
        ([{"image": "https://x.org/a.png"}], "row 1, column 'image': images are read from files, not from the web"),
        ([{"image": "a", "label": ["x"]}], "row 1, column 'label': not a label but a list"),
        ([{"picture": "a"}], "no column 'image'; it has 'picture'"),
        ([{"image": "a"}], "no column 'label'; it has 'image'"),
    ],
)
def test_cells_that_are_no_images_or_labels(tmp_path, rows, message):
    pd.DataFrame(rows).to_json(tmp_path / "t.jsonl", orient="records", lines=True)
    with pytest.raises(DataError, match=message):
        read_image_table(tmp_path / "t.jsonl", "image", "label")


def test_no_table_at_all(tmp_path):
    with pytest.raises(DataError, match=r"gone.csv: no such file"):
        read_image_table(tmp_path / "gone.csv")


def test_folders_are_classes_and_one_is_the_pool(tmp_path):
    put(tmp_path, "dog/b.JPG", "dog/a.png", "cat/deep/er/1.Jpeg", "unlabelled/u.png", "unlabeled/v.webp")
    for name in ("dog/notes.txt", "dog/.DS_Store", "Thumbs.db", "cat/noending"):
        (tmp_path / name).write_text("x")
    put(tmp_path, ".cache/1.png", "cat/.thumbnails/1.png", "loose.png", "cat/.hidden.png")
    got = read_image_folder(tmp_path)
    assert got.names == ["cat/deep/er/1.Jpeg", "dog/a.png", "dog/b.JPG", "unlabeled/v.webp", "unlabelled/u.png"]
    assert got.labels == ["cat", "dog", "dog", None, None]
    assert (got.rows, got.file) == ([1, 2, 3, 4, 5], str(tmp_path))
    assert values(got.sources) == [2, 1, 0, 4, 3]
    assert got.ignored == 8


def test_a_folder_without_labels_is_taken_whole(tmp_path):
    put(tmp_path, "b.png", "deep/a.png", ".c.png")
    got = read_image_folder(tmp_path, labels=False)
    assert (got.names, got.labels, got.ignored) == (["b.png", "deep/a.png"], [None, None], 1)


def test_links_are_followed_and_those_that_lead_back_are_not(tmp_path):
    put(tmp_path, "far/1.png", "pets/dog/2.png")
    (tmp_path / "pets/cat").symlink_to(tmp_path / "far")
    (tmp_path / "pets/dog/again").symlink_to(tmp_path / "pets/dog")
    (tmp_path / "pets/dog/3.png").symlink_to(tmp_path / "far/1.png")
    (tmp_path / "pets/dog/4.png").symlink_to(tmp_path / "gone.png")
    got = read_image_folder(tmp_path / "pets")
    assert got.names == ["cat/1.png", "dog/2.png", "dog/3.png", "dog/4.png"]
    assert got.labels == ["cat", "dog", "dog", "dog"]
    with pytest.raises(DataError, match=r"pets/dog/4.png: a link to a file that is not there$"):
        check_images(got.sources, got.rows, got.file)


def test_names_that_are_no_text_are_refused(tmp_path):
    (tmp_path / "cat").mkdir()
    with open(os.fsencode(tmp_path) + b"/cat/\xff.png", "wb") as f:
        f.write(png(3))
    with pytest.raises(DataError, match=r"/cat/\\xff\.png: a name that is not UTF-8, so that no table can hold it"):
        read_image_folder(tmp_path)


@pytest.mark.parametrize(
    ("files", "message"),
    [
        ([], r"pets: the folder is empty"),
        (["1.png", "2.png"], r"pets: no folder of a class, with its images in it; there is 1.png; 2.png$"),
        (
            ["1.png", "metadata.csv"],
            r"; if metadata.csv names them, --train .*metadata.csv --images COLUMN --label COLUMN$",
        ),
        (["unlabelled/1.png"], r"pets: no folder of a class, with its images in it; there is unlabelled$"),
        (["dog/readme.txt"], r"pets/dog: no image in the folder of a class \(1 other files\)"),
        (["a.txt", "b.txt", "c.txt", "d.txt"], r"there is a.txt; b.txt; c.txt; and 1 more$"),
    ],
)
def test_folders_without_what_is_needed(tmp_path, files, message):
    (tmp_path / "pets").mkdir()
    put(tmp_path / "pets", *files)
    with pytest.raises(DataError, match=message):
        read_image_folder(tmp_path / "pets")


def test_what_is_no_folder(tmp_path):
    (tmp_path / "a.csv").touch()
    with pytest.raises(DataError, match=r"gone: no such folder"):
        read_image_folder(tmp_path / "gone")
    with pytest.raises(DataError, match=r"a.csv: not a folder"):
        read_image_folder(tmp_path / "a.csv")
    with pytest.raises(DataError, match=r"no image in the folder \(1 other files\)"):
        read_image_folder(tmp_path, labels=False)


def test_a_table_of_images_and_masks(tmp_path):
    put(tmp_path, "0.png", "m0.png")
    (tmp_path / "t.csv").write_text("image,mask\n0.png,m0.png\n0.png,\n")
    got = read_mask_table(tmp_path / "t.csv", "image", "mask")
    assert got.masks == [str(tmp_path / "m0.png"), None]
    assert (values(got.sources), got.rows, got.names) == ([0, 0], [1, 2], ["0.png", "0.png"])
    assert got.where(np.array([False, True])).masks == [None]
    assert read_mask_table(tmp_path / "t.csv").masks == [None, None]
    pd.DataFrame({"image": [png(1)] * 2, "mask": [png(2), None]}).to_parquet(tmp_path / "t.parquet")
    assert read_mask_table(tmp_path / "t.parquet", "image", "mask").masks == [png(2), None]


def test_folders_of_images_and_masks_are_matched_by_name(tmp_path):
    put(tmp_path, "images/a.jpg", "images/deep/a.JPG", "images/c.png", "masks/a.png", "masks/deep/a.png")
    (tmp_path / "masks/classes.txt").touch()
    got = read_mask_folder(tmp_path)
    assert got.names == ["images/a.jpg", "images/c.png", "images/deep/a.JPG"]
    assert got.masks == [str(tmp_path / "masks/a.png"), None, str(tmp_path / "masks/deep/a.png")]
    assert (values(got.sources), got.ignored, len(got)) == ([0, 2, 1], 1, 3)


@pytest.mark.parametrize(
    ("files", "message"),
    [
        (["images/a.png"], r"scenes: no masks; wanted are folders of images and of masks .*; there is images/a.png$"),
        (["masks/a.png", "images/a.txt"], r"scenes/images: no image in the folder \(1 other files\)"),
        (
            ["images/a.png", "masks/a.png", "masks/a_mask.png"],
            r"masks: several files belong to one image; they are named IMAGE; IMAGE_mask; keep the masks alone",
        ),
        (
            ["images/a.png", "masks/a.png", "masks/b.png"],
            r"masks/b: a mask without an image of its name \(1 of 2\); tried: IMAGE; --skip-bad leaves",
        ),
        (["images/a.png", "images/a.jpg", "masks/a.png"], r"images/a.png: a.jpg beside it has the same name"),
        (["images/a.png", "masks/a.gif", "masks/a.png"], r"masks/a.png: a.gif beside it has the same name"),
    ],
)
def test_folders_that_do_not_match(tmp_path, files, message):
    put(tmp_path / "scenes", *files)
    with pytest.raises(DataError, match=message):
        read_mask_folder(tmp_path / "scenes")
