"""What is asked for on the command line goes together, or is refused with the options named."""

from __future__ import annotations

from pathlib import Path

import pytest

from tutelage.modalities.images.backbone import BACKBONE, LITE
from tutelage.modalities.images.networks import VISION
from tutelage.modalities.images.reader import LONGEST
from tutelage.run.options import given


def asked(folder, task="image", **options):
    columns = {"images": "image", "label": "label"} if task == "image" else {"images": "image", "masks": "mask"}
    return given(**({"train": folder / "train", "out": folder / "out", "task": task} | columns | options))


def test_each_kind_says_what_reads_it(tmp_path):
    assert set(LONGEST) == {*LITE, *VISION}
    table = {"train": tmp_path / "a.csv", "out": tmp_path / "out"}
    kinds = [
        given(**table, text="text", label="label"),
        given(**table, tokens="tokens", tags="tags"),
        asked(tmp_path),
        asked(tmp_path, network="small_cnn"),
        asked(tmp_path, "segmentation"),
        given(**table, features="x", label="label"),
    ]
    assert [(kind.name, kind.network_name, kind.whole) for kind, _ in kinds] == [
        ("texts", "", False), ("sentences", "", False), ("images", "", False), ("images", "small_cnn", True),
        ("masks", "unet", True), ("rows", "", False),
    ]  # fmt: skip


def test_a_folder_tells_its_kind(tmp_path):
    (tmp_path / "in" / "images").mkdir(parents=True)
    assert given(train=tmp_path / "in", out=tmp_path / "out")[0].name == "images"
    (tmp_path / "in" / "masks").mkdir()
    assert given(train=tmp_path / "in", out=tmp_path / "out")[0].name == "masks"


TEXTS = {"task": "classification", "images": None, "text": "text"}
MASKS = {"task": "segmentation", "label": None}


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (
            {"task": "pictures"},
            "kind must be one of texts, sentences, masks, images, rows (or, as --task, classification, tagging",
        ),
        ({"train": Path("a.csv"), "images": None}, "--images must be given for --kind images: the name of a column"),
        (
            {"train": Path("a.csv"), "images": None, "label": None},
            "--images and --label must be given for --kind images: ",
        ),
        ({"unlabelled": Path("a.csv"), "images": None, "label": None}, "--images must be given for --kind images"),
        ({"test": Path("a.csv"), "label": None}, "--label must be given for --kind images"),
        ({"train": Path("a.csv"), **MASKS}, "--masks must be given for --kind masks"),
        ({"test": Path("a.csv"), **MASKS, "images": None}, "--images and --masks must be given for --kind masks"),
        ({"text": "text"}, "--text is of --kind texts, but the kind is images"),
        ({"rules": Path("r.json")}, "--rules is of --kind texts, but the kind is images"),
        ({"tokens": "words"}, "--tokens is of --kind sentences, but the kind is images"),
        ({"masks": "mask"}, "--masks is of --kind masks, but the kind is images"),
        ({"void": (255,)}, "--void is of --kind masks, but the kind is images"),
        ({"void": (3,)}, "--void is of --kind masks, but the kind is images"),
        ({**MASKS, "label": "label"}, "--label is of --kind texts or images or rows, but the kind is masks"),
        ({**MASKS, "encoder": "minilm"}, "--encoder is of --kind texts or sentences or images, but the kind is"),
        ({**TEXTS, "images": "image"}, "--images is of --kind masks or images, but the kind is texts"),
        ({**TEXTS, "network": "unet"}, "--network is of --kind masks or images, but the kind is texts"),
        ({**TEXTS, "size": (8, 8)}, "--size is of --kind masks or images, but the kind is texts"),
        ({**TEXTS, "flip": False}, "--no-flip is of --kind masks or images, but the kind is texts"),
        ({**TEXTS, "max_length": 1}, "max_length must be at least 2, got 1"),
        ({"encoder": "minilm"}, "encoder must be efficientnet-lite0 or efficientnet-lite2, or a folder"),
        ({"encoder": BACKBONE, "network": "small_cnn"}, "give --encoder or --network, not both"),
        ({"network": "unet"}, "network must be one of small_cnn, wide_resnet, got 'unet'"),
        ({**MASKS, "network": "small_cnn"}, "network must be unet, got 'small_cnn'"),
        ({"network": "wide_resnet", "finetune": True}, "a network from nothing (wide_resnet) is always trained whole"),
        ({**MASKS, "finetune": True}, "--finetune is of --kind texts or sentences or images, but the kind is masks"),
        ({"network": "small_cnn", "size": (7, 9)}, "size must be in [8, 4096], got 7"),
        ({**MASKS, "size": (16, 15)}, "size must be in [16, 4096], got 15"),
        ({"size": (31, 31)}, "size must be in [32, 4096], got 31"),
        ({"size": (5000, 5000)}, "size must be in [32, 4096], got 5000"),
        ({"size": (64, 96)}, "size of efficientnet-lite0 must be a square, got 64 and 96"),
        ({**MASKS, "void": (255, -1)}, "void must be in [0, 65535], got -1"),
        ({**MASKS, "classes": 1}, "classes must be in [2, 32768], got 1"),
    ],
)
def test_what_does_not_go_together(tmp_path, options, message):
    words = {"images": "image", "label": "label", "task": "image", "train": tmp_path / "in", "out": tmp_path / "out"}
    (tmp_path / "in").mkdir()
    with pytest.raises(ValueError) as error:
        given(**(words | options))
    assert message in str(error.value)


def test_the_run_s_folder_is_not_in_one_that_is_read(tmp_path):
    with pytest.raises(ValueError, match=r"--out must not be in the folder of --train: .* would be read as data"):
        given(train=tmp_path, out=tmp_path / "run", task="image")


def test_what_goes_together(tmp_path):
    asked(tmp_path, network="wide_resnet", size=(8, 4096), flip=False, skip_bad=True)
    asked(tmp_path, finetune=True, encoder=BACKBONE, size=(32, 32))
    asked(tmp_path, "segmentation", network="unet", size=(16, 17), void=(0, 65535), classes=2)
    (tmp_path / "pets.v2").mkdir()
    for folder in (tmp_path / "pets.v2", tmp_path / "gone"):
        asked(tmp_path, train=folder, images=None, label=None, unlabelled=folder, test=folder)
    more = {"out": tmp_path.parent / "out", "unlabelled": tmp_path / "a.csv", "masks": None}
    asked(tmp_path, "segmentation", train=tmp_path, **more)
