"""Folders of classes: pools, splits, spellings and system files are told apart, said, or asked."""

from __future__ import annotations

import shlex

import pytest

from tutelage.modalities.images.folders import Declared, read_image_folder
from tutelage.tables import DataError, Notes


def put(root, *names):
    for name in names:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_bytes(name.encode())
    return root


def asked(root, **declared):
    notes = Notes()
    found = read_image_folder(root, True, Declared(**declared), notes)
    return found, notes, [question.line(1).replace(str(root), "DIR") for question in notes.questions]


@pytest.mark.parametrize(
    ("folders", "question"),
    [
        (["train/cat", "test/cat"], "--train DIR/train --test DIR/test"),
        (["train/cat", "valid/cat", "test/cat"], "--test DIR/test; or --train DIR/train --test DIR/valid"),
        (["Training", "Validation"], "--train DIR/Training --test DIR/Validation"),
        (["train/cat", "unlabelled"], "--train DIR/train --unlabelled DIR/unlabelled"),
        (["train/cat", "test/cat", "extra", "unsup"], "--train DIR/train --unlabelled DIR/unsup --test DIR/test"),
        (["train/cat"], "--train DIR/train"),
        (["cat", "dog", "test"], "move DIR/test out of DIR and name it with --test"),
        (["pets/cat", "pets/dog"], "--train DIR/pets (they are the classes)"),
    ],
)  # fmt: skip
def test_parts_of_a_data_set_are_no_classes(tmp_path, folders, question):
    put(tmp_path, *(f"{name}/{i}.png" for name in folders for i in range(2)))
    _, notes, lines = asked(tmp_path)
    assert notes.unsettled
    assert question in lines[0]
    with pytest.raises(DataError, match="Question 1"):
        read_image_folder(tmp_path)


def test_names_of_parts_may_be_declared_to_be_classes(tmp_path):
    put(tmp_path, "train/1.png", "test/2.png")
    found, notes, _ = asked(tmp_path, classes=("train", "test"))
    assert (found.labels, notes.questions) == (["test", "train"], [])


def test_a_train_beside_other_things_is_a_class(tmp_path):
    put(tmp_path, "train/1.png", "plane/2.png", "car/3.png")
    found, notes, _ = asked(tmp_path)
    assert (found.labels, notes.lines) == (["car", "plane", "train"], [])
    (question,) = notes.questions
    assert not question.halts
    assert "the folder train has the name of a part of a data set, and is taken for a class" in question.asks
    assert question.options[0] == "--classes car,plane,train (it is a class)"


@pytest.mark.parametrize("name", ["Unlabeled", "unsup", "unsupervised", "no_label", "No-Label", "unlabelled data"])
def test_pools_by_other_names(tmp_path, name):
    put(tmp_path, "cat/1.png", "dog/2.png", f"{name}/3.png")
    found, notes, _ = asked(tmp_path)
    assert sorted(filter(None, found.labels)) == ["cat", "dog"]
    assert found.labels.count(None) == 1
    said = [] if name == "Unlabeled" else [f"{tmp_path / name}: 1 images without a label, by the folder's name."]
    assert (notes.lines, notes.questions) == (said, [])


@pytest.mark.parametrize("name", ["unknown", "none", "pool", "extra", "?", "NaN"])
def test_doubtful_pools_are_asked_and_settled(tmp_path, name):
    put(tmp_path, "cat/1.png", "dog/2.png", f"{name}/3.png")
    _, notes, lines = asked(tmp_path)
    assert notes.unsettled
    assert f"DIR/{name}, 1 of 3 images, may be a class or hold images without a label" in lines[0]
    assert f"--unlabelled-as {shlex.quote(name)} " in lines[0]
    assert f"--classes {shlex.quote(','.join(sorted(['cat', 'dog', name])))} " in lines[0]
    found, notes, _ = asked(tmp_path, unlabelled=(name,))
    assert (sorted(filter(None, found.labels)), notes.questions) == (["cat", "dog"], [])
    found, notes, _ = asked(tmp_path, classes=("cat", "dog", name))
    assert (sorted(found.labels), notes.questions) == (sorted(["cat", "dog", name]), [])


@pytest.mark.parametrize(("name", "halts"), [("_thumbs", True), ("Thumbnails", True), ("cache", True), ("_old", False)])
def test_folders_that_a_program_may_have_made_are_asked_about(tmp_path, name, halts):
    put(tmp_path, "cat/1.png", "dog/2.png", f"{name}/3.png")
    _, notes, _ = asked(tmp_path)
    assert [f"{name}, 1 of 3 images, may be a class" in question.asks for question in notes.questions] == [True]
    assert (notes.unsettled, "move away" in notes.questions[0].options[-1]) == (halts, halts)
    assert not asked(tmp_path, classes=("cat", "dog", name))[1].questions


def test_classes_that_differ_in_spelling_are_one(tmp_path):
    put(tmp_path, "Cat/1.png", "cat /2.png", "cat /3.png", "dog/4.png", "a/5.png", "A/6.png")
    found, notes, _ = asked(tmp_path)
    assert sorted(found.labels) == ["A", "a", "cat", "cat", "cat", "dog"]
    assert notes.lines == [
        "Folders 'cat' (2), 'Cat' (1) differ in spelling only, and are read as one class, 'cat'. "
        "(docs: warnings/spellings)"
    ]
    found, notes, _ = asked(tmp_path, as_is=True)
    assert (sorted(set(found.labels)), notes.lines) == (["A", "Cat", "a", "cat", "dog"], [])
    found, notes, _ = asked(tmp_path, classes=("Cat", "cat", "dog", "a", "A"))
    assert (sorted(set(found.labels)), notes.lines) == (["A", "Cat", "a", "cat", "dog"], [])
    assert set(asked(tmp_path, classes=("Cat", "dog", "a", "A"))[0].labels) == {"A", "Cat", "a", "dog"}


def test_what_systems_leave_behind_is_passed_over_and_counted(tmp_path):
    put(tmp_path, "cat/1.png", "dog/2.png", "__MACOSX/cat/._1.png", ".ipynb_checkpoints/1.png", "dog/Thumbs.db")
    put(tmp_path, "dog/.DS_Store", "cat/@eaDir/1.png", "cat/._1.png", "cat/a.txt", "cat/b.txt", "dog/LICENSE")
    found, notes, _ = asked(tmp_path)
    assert found.names == ["cat/1.png", "dog/2.png"]
    assert found.passed == {"hidden": 6, ".txt": 2, "without an ending": 1}
    assert notes.questions == []


def test_empty_folders_and_loose_images_are_said(tmp_path):
    put(tmp_path, "cat/1.png", "dog/2.png", "horse/notes.txt", "3.png", "4.jpg")
    (tmp_path / "cow").mkdir()
    found, notes, lines = asked(tmp_path)
    assert found.labels == ["cat", "dog"]
    assert notes.lines == [f"Left out in {tmp_path}: 2 folders without an image: cow; horse."]
    assert "2 images of DIR lie beside the folders of the classes (the first: 3.png), and are left out" in lines[0]
    assert not notes.unsettled
    assert found.passed == {".txt": 1, "beside the folders of the classes": 2}


@pytest.mark.parametrize(
    ("files", "question"),
    [
        (["n01/images/1.png", "n01/images/2.png", "n02/images/3.png"], None),
        (["cat/1.png", "cat/deep/er/2.png", "dog/3.png"], None),
        (["pet/001/1.png", "pet/002/2.png", "car/003/1.png"], None),
        (["animal/cat/1.png", "animal/dog/2.png", "plant/rose/3.png", "plant/tulip/4.png"], "all of which are read as"),
        (["cat/train/1.png", "cat/test/2.png", "dog/train/3.png"], "folders test, train in them, and all their"),
    ],
)  # fmt: skip
def test_folders_in_the_folders_of_classes(tmp_path, files, question):
    found, notes, lines = asked(put(tmp_path, *files))
    assert found.labels == sorted(file.split("/")[0] for file in files)
    assert not notes.unsettled
    assert len(lines) == (question is not None)
    assert question is None or question in lines[0]
