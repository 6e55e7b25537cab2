"""In a folder of any names, each file is read, passed over and counted, or the folder is refused in words."""

from __future__ import annotations

import tempfile
from pathlib import Path

import pytest

from tutelage.modalities.images.folders import read_image_folder
from tutelage.modalities.images.mask_folders import has_masks, read_mask_folder
from tutelage.tables import DataError, Notes

hypothesis = pytest.importorskip("hypothesis")
st = pytest.importorskip("hypothesis.strategies")

FOLDERS = st.sampled_from(
    ["cat", "Cat", "dog", "train", "test", "val", "unlabelled", "unknown", "images", "masks", "image", "labels", "img",
     "train_masks", "JPEGImages", "SegmentationClass", "mask", "001", "é", "e\u0301", "Ünlü", " cat", "None", "-1"]
)  # fmt: skip
NAMES = st.builds(
    "{}{}{}{}".format,
    st.sampled_from(["", "", "mask_", "img_", "IMG"]),
    st.sampled_from(["a", "b", "1", "11", "x_1", "a b", "ü", "'", '"', ",", "#"]),
    st.sampled_from(["", "", "_mask", "_seg", "-labels", "_L", "_color", ".jpg", "_leftImg8bit"]),
    st.sampled_from([".png", ".jpg", ".JPG", ".txt", "", ".gif"]),
)
PATHS = st.lists(st.builds(lambda within, name: "/".join([*within, name]), st.lists(FOLDERS, max_size=3), NAMES),
                 min_size=1, max_size=12, unique=True)  # fmt: skip


def made(root, paths):
    """The files that could be made; a name may be that of a folder already."""
    for path in paths:
        try:
            (root / path).parent.mkdir(parents=True, exist_ok=True)
            (root / path).write_bytes(b"x")
        except OSError:
            continue
    return sum(path.is_file() for path in root.rglob("*"))


@hypothesis.settings(max_examples=60, deadline=None, derandomize=True, database=None)
@hypothesis.given(paths=PATHS)
def test_each_image_of_a_folder_of_classes_is_read_or_counted(paths):
    with tempfile.TemporaryDirectory() as folder:
        root, notes = Path(folder) / "data", Notes()
        count = made(root, paths)
        for labels in (True, False):
            try:
                found = read_image_folder(root, labels, notes=notes)
            except DataError as refused:
                assert str(root) in str(refused)
                continue
            assert len(found) + found.ignored == count
            named = {path.split("/")[0].strip() for path in paths}
            assert {label for label in found.labels if label is not None} <= named


@hypothesis.settings(max_examples=60, deadline=None, derandomize=True, database=None)
@hypothesis.given(paths=PATHS)
def test_each_image_of_a_folder_of_masks_is_read_or_counted(paths):
    with tempfile.TemporaryDirectory() as folder:
        root, notes = Path(folder) / "data", Notes()
        made(root, paths)
        told = has_masks(root)
        try:
            found = read_mask_folder(root, notes)
        except DataError as refused:
            assert str(root) in str(refused)
            return
        masks = [mask for mask in found.masks if mask is not None]
        assert len(set(masks)) == len(masks)
        assert not set(masks) & set(found.sources)
        assert all(Path(str(each)).is_file() for each in (*masks, *found.sources))
        plain = all(
            Path(str(mask)).name.rsplit(".", 1)[0] == Path(str(image)).name.rsplit(".", 1)[0]
            for image, mask in zip(found.sources, found.masks, strict=True)
            if mask is not None
        )
        assert plain or any("are named" in line or "small letters" in line for line in notes.lines)
        usual = (root / "images").is_dir() and (root / "masks").is_dir()
        assert usual or not masks or notes.lines or not told
