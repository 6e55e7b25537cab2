"""Paths of other machines and tools lead to the one file that they stand for, or are refused with the folder."""

from __future__ import annotations

import base64
import io

import pandas as pd
import pytest
from PIL import Image

from tutelage.modalities.images.paths import is_foreign, located, parts_of
from tutelage.modalities.images.tables import image_rows, mask_rows
from tutelage.tables import DataError, Notes


def put(root, *names):
    for i, name in enumerate(names):
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        Image.new("L", (2, 2), i).save(root / name)


def found(root, *cells):
    notes = Notes()
    return [str(path).removeprefix(f"{root}/") for path in located(cells, root / "t.csv", "image", notes)], notes.lines


@pytest.mark.parametrize(
    "cell",
    [
        r"C:\Users\ann\pets\cats\1.png", r"cats\1.png", r"\\server\share\pets\cats\1.png", "/home/ann/pets/cats/1.png",
        "file:///home/ann/cats/1.png", "file:///C:/pets/cats/1.png", "s3://bucket/pets/cats/1.png",
        "/data/local-files/?d=pets/cats/1.png", "https://x.org/cats/1.png?size=2", "http://h:8080/data/upload/3/1.png",
        "/data/upload/3/0f3a9c1b-1.png", "upload\\3\\0f3a9c1b-1.png", r"D:\PETS\CATS\1.PNG",
        "/tasks/7/resolve/?fileuri=" + base64.urlsafe_b64encode(b"s3://bucket/cats/1.png").decode().rstrip("="),
        "http://h/cats/1%2Epng",
    ],
)  # fmt: skip
def test_the_end_of_a_foreign_path_leads_to_the_file(tmp_path, cell):
    put(tmp_path, "cats/1.png", "dogs/2.png")
    at, said = found(tmp_path, cell, "dogs/2.png")
    assert at == ["cats/1.png", "dogs/2.png"]
    assert said == [
        f"{tmp_path / 't.csv'}: 1 of 2 paths in the column 'image' are of another machine or tool; they were found by "
        f"their ends, the first is {cell!r}: cats/1.png."
    ]


def test_paths_that_are_there_are_taken_as_they_are(tmp_path):
    put(tmp_path, "1.png", "deep/1.png", "a\\b.png")
    whole = str(tmp_path / "deep/1.png")
    assert found(tmp_path, "1.png", whole, "a\\b.png", "gone.png") == (
        ["1.png", "deep/1.png", "a\\b.png", "gone.png"],
        [],
    )


def test_the_longest_end_wins(tmp_path):
    put(tmp_path, "x/cats/1.png", "x/dogs/1.png", "cats/2.png", "2.png")
    assert found(tmp_path, r"C:\cats\1.png", r"C:\dogs\1.png", r"C:\cats\2.png")[0] == [
        "x/cats/1.png", "x/dogs/1.png", "cats/2.png"
    ]  # fmt: skip


def test_an_end_that_is_not_clear_is_not_taken(tmp_path):
    put(tmp_path, "x/1.png", "y/1.png", "z/2.png", "z/3.png")
    at, said = found(tmp_path, r"C:\cats\1.png", r"C:\cats\2.png", r"C:\dogs\2.png", r"C:\3.png")
    assert at == [r"C:\cats\1.png", r"C:\cats\2.png", r"C:\dogs\2.png", "z/3.png"]
    assert said[1] == f"{tmp_path / 't.csv'}: 3 more were not found, or are not clear, such as 'C:\\\\cats\\\\1.png'."


def test_hidden_folders_are_not_searched(tmp_path):
    put(tmp_path, ".cache/1.png")
    with pytest.raises(DataError, match="no such file"):
        found(tmp_path, r"C:\1.png")


def test_where_nothing_is_found_the_folder_and_a_remedy_are_named(tmp_path):
    message = rf"row 2, column 'image': no such file: C:\\a.png \(2 such paths\); its end was looked for in {tmp_path} "
    with pytest.raises(DataError, match=message + "and the folders within; put the images there, or write paths that"):
        found(tmp_path, "1.png", r"C:\a.png", r"C:\b.png")


def test_an_address_that_is_not_found_is_refused_though_others_are(tmp_path):
    put(tmp_path, "1.png")
    with pytest.raises(
        DataError, match="row 2, column 'image': images are read from files, not from the web: https://x"
    ):
        found(tmp_path, r"C:\1.png", "https://x.org/2.png")


@pytest.mark.parametrize(
    "cell",
    [
        "http://[x/a.png",
        "C:\\",
        "/",
        "s3://",
        "a\0b\\c",
        "?d=",
        "/data/local-files/?d=",
        "/?fileuri=A",
        "/" + "a" * 5000,
    ],
)
def test_odd_paths_end_in_a_fault(tmp_path, cell):
    assert isinstance(parts_of(cell), list)
    if is_foreign(cell):
        with pytest.raises(DataError, match=r"t.csv, row 1"):
            found(tmp_path, cell) if cell != "/" else found(tmp_path, "/nowhere")


def test_tables_of_images_and_masks_take_such_paths(tmp_path):
    put(tmp_path, "images/1.png", "masks/1_mask.png")
    table = pd.DataFrame({"image": [r"C:\pets\images\1.png"], "mask": [r"C:\pets\masks\1_mask.png"]})
    notes = Notes()
    rows = mask_rows(table, tmp_path / "t.csv", "image", "mask", notes)
    assert (rows.sources, rows.masks) == ([str(tmp_path / "images/1.png")], [str(tmp_path / "masks/1_mask.png")])
    assert rows.names == [r"C:\pets\images\1.png"]
    assert len(notes.lines) == 2


def test_an_image_may_be_written_as_text(tmp_path):
    file = io.BytesIO()
    Image.new("L", (2, 2)).save(file, "png")
    cell = "data:image/png;base64," + base64.b64encode(file.getvalue()).decode()
    rows = image_rows(pd.DataFrame({"image": [cell]}), tmp_path / "t.csv", "image")
    assert (rows.sources, rows.names) == ([file.getvalue()], ["row 1"])
    bare = base64.encodebytes(file.getvalue()).decode()
    assert image_rows(pd.DataFrame({"image": [bare]}), tmp_path / "t.csv", "image").sources == [file.getvalue()]
    with pytest.raises(DataError, match="row 1, column 'image': an image written as text is not base64"):
        image_rows(pd.DataFrame({"image": [cell + "!"]}), tmp_path / "t.csv", "image")


@pytest.mark.parametrize("cells", [("1", "2"), ("1.png", "2.png"), ("cats/1", "dogs/2")])
def test_names_without_folder_or_ending_lead_to_the_files_where_no_path_is_there(tmp_path, cells):
    put(tmp_path, "train/cats/1.png", "train/dogs/2.png", "train/3.png")
    (tmp_path / "train" / "1.txt").write_text("no image")
    at, (said,) = found(tmp_path, *cells)
    assert at == ["train/cats/1.png", "train/dogs/2.png"]
    assert said == (
        f"{tmp_path / 't.csv'}: no path in the column 'image' is a file as it is written; 2 of 2 were found by their "
        f"names, the first is {cells[0]!r}: train/cats/1.png."
    )


def test_names_that_two_files_have_lead_to_none(tmp_path):
    put(tmp_path, "images/1.png", "masks/1.png")
    assert found(tmp_path, "1", "1.png") == (["1", "1.png"], [])
    put(tmp_path, "images/2.jpg", "images/2.png")
    assert found(tmp_path, "2") == (["2"], [])
