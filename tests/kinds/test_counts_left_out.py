"""Images that are left out are counted in no class, and copies in two classes are said."""

from __future__ import annotations

from PIL import Image

from tutelage.kinds import KINDS
from tutelage.kinds.dataset import Files
from tutelage.kinds.reading import read_files
from tutelage.tables import Notes, ReadAs


def test_images_that_cannot_be_read_are_counted_in_no_class(tmp_path):
    for name in ("cat", "dog"):
        (tmp_path / name).mkdir()
        for i in range(3):
            Image.new("RGB", (8, 8), (40 * i, 70 * (name == "dog"), 90)).save(tmp_path / name / f"{i}.png")
    (tmp_path / "dog" / "3.png").write_bytes(b"")
    notes = Notes()
    files = Files(tmp_path, how=ReadAs(skip_bad=True))
    read_files(KINDS["images"]().settled(files, notes), files, notes)
    assert notes.facts["items"].values == {"labelled": 6, "unlabelled": 0}
    assert notes.facts["classes"].values == {"cat": 3, "dog": 3}


def test_copies_in_two_classes_are_said(tmp_path):
    for name in ("cat", "dog"):
        (tmp_path / name).mkdir()
        for i in range(3):
            Image.new("RGB", (8, 8), (40 * i, len(name + "g" * (name == "dog")), 9 * i)).save(
                tmp_path / name / f"{i}.png"
            )
    for copy in ("dog/copy.png", "cat/copy.png"):
        (tmp_path / copy).write_bytes((tmp_path / "cat" / "1.png").read_bytes())
    notes, files = Notes(), Files(tmp_path)
    read_files(KINDS["images"]().settled(files, notes), files, notes)
    (line,) = [line for line in notes.lines if "another label" in line]
    assert line.startswith(
        "1 of these copies has another label than the image that it is equal to (the first: dog/copy.png"
    )
