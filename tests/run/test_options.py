"""What is asked for on the command line goes together, or is refused with the options named."""

from __future__ import annotations

from pathlib import Path

import pytest

from tutelage.modalities.images.networks import VISION
from tutelage.modalities.images.reader import BACKBONE, LONGEST
from tutelage.run.options import IMAGE_ENCODER, Request


def asked(folder, task="image", **options):
    columns = {"images": "image", "label": "label"} if task == "image" else {"images": "image", "masks": "mask"}
    return Request(**({"train": folder / "train", "out": folder / "out", "task": task} | columns | options))


def test_the_defaults_are_named(tmp_path):
    assert (IMAGE_ENCODER, set(LONGEST)) == (BACKBONE, {BACKBONE, *VISION})
    text = Request(tmp_path / "a.csv", tmp_path / "out", text="text", label="label")
    tagging = Request(tmp_path / "a.csv", tmp_path / "out", task="tagging", tokens="tokens", tags="tags")
    requests = [text, tagging, asked(tmp_path), asked(tmp_path, network="small_cnn"), asked(tmp_path, "segmentation")]
    assert [(r.encoder, r.network) for r in requests] == [
        ("minilm", None), ("minilm", None), (BACKBONE, None), (None, "small_cnn"), (None, "unet"),
    ]  # fmt: skip
    assert [r.of_images for r in requests] == [False, False, True, True, True]


TEXTS = {"task": "classification", "images": None, "text": "text"}
MASKS = {"task": "segmentation", "label": None}


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"task": "pictures"}, "task must be one of classification, tagging, image, segmentation, got 'pictures'"),
        ({"train": Path("a.csv"), "images": None}, "--images must be given for --task image: the name of a column"),
        ({"train": Path("a.csv"), "images": None, "label": None}, "--images and --label must be given for --task im"),
        ({"unlabelled": Path("a.csv"), "images": None, "label": None}, "--images must be given for --task image"),
        ({"test": Path("a.csv"), "label": None}, "--label must be given for --task image"),
        ({"train": Path("a.csv"), **MASKS}, "--masks must be given for --task segmentation"),
        ({"test": Path("a.csv"), **MASKS, "images": None}, "--images and --masks must be given for --task segm"),
        ({"text": "text"}, "--text is of --task classification, but the task is image"),
        ({"votes": "votes"}, "--votes is of --task classification, but the task is image"),
        ({"label_model": "majority"}, "--label-model is of --task classification, but the task is image"),
        ({"tokens": "words"}, "--tokens is of --task tagging, but the task is image"),
        ({"masks": "mask"}, "--masks is of --task segmentation, but the task is image"),
        ({"void": (255,)}, "--void is of --task segmentation, but the task is image"),
        ({"classes": 3}, "--classes is of --task segmentation, but the task is image"),
        ({**MASKS, "label": "label"}, "--label is of --task classification or image, but the task is segmentation"),
        ({**MASKS, "encoder": "minilm"}, "--encoder is of --task classification or tagging or image, but the task is"),
        ({**TEXTS, "images": "image"}, "--images is of --task image or segmentation, but the task is classification"),
        ({**TEXTS, "network": "unet"}, "--network is of --task image or segmentation, but the task is classification"),
        ({**TEXTS, "size": (8, 8)}, "--size is of --task image or segmentation, but the task is classification"),
        ({**TEXTS, "flip": False}, "--no-flip is of --task image or segmentation, but the task is classification"),
        ({**TEXTS, "skip_bad": True}, "--skip-bad is of --task image or segmentation, but the task is classification"),
        ({**TEXTS, "max_length": 1}, "max_length must be at least 2, got 1"),
        ({"encoder": "minilm"}, "--encoder of --task image must be efficientnet-lite0, got 'minilm'"),
        ({"encoder": IMAGE_ENCODER, "network": "small_cnn"}, "give --encoder or --network, not both"),
        ({"network": "unet"}, "--network unet is of --task segmentation, but the task is image"),
        ({**MASKS, "network": "small_cnn"}, "--network small_cnn is of --task image, but the task is segmentation"),
        ({"network": "wide_resnet", "finetune": True}, "a network from nothing (wide_resnet) is always trained whole"),
        ({**MASKS, "finetune": True}, "a network from nothing (unet) is always trained whole"),
        ({"network": "small_cnn", "size": (7, 9)}, "size must be in [8, 4096], got 7"),
        ({**MASKS, "size": (16, 15)}, "size must be in [16, 4096], got 15"),
        ({"size": (31, 31)}, "size must be in [32, 4096], got 31"),
        ({"size": (5000, 5000)}, "size must be in [32, 4096], got 5000"),
        ({"size": (64, 96)}, "--size of efficientnet-lite0 must be a square, got 64 and 96"),
        ({**MASKS, "void": (255, -1)}, "void must be in [0, 65535], got -1"),
        ({**MASKS, "classes": 1}, "classes must be in [2, 32768], got 1"),
    ],
)
def test_what_does_not_go_together(tmp_path, options, message):
    given = {"images": "image", "label": "label", "task": "image", "train": tmp_path / "in", "out": tmp_path / "out"}
    (tmp_path / "in").mkdir()
    with pytest.raises(ValueError) as error:
        Request(**(given | options))
    assert message in str(error.value)


def test_the_run_s_folder_is_not_in_one_that_is_read(tmp_path):
    with pytest.raises(ValueError, match=r"--out must not be in the folder of --train: .* would be read as data"):
        Request(tmp_path, tmp_path / "run", "image")


def test_what_goes_together(tmp_path):
    asked(tmp_path, network="wide_resnet", size=(8, 4096), flip=False, skip_bad=True, max_length=1)
    asked(tmp_path, finetune=True, encoder=IMAGE_ENCODER, size=(32, 32))
    asked(tmp_path, "segmentation", network="unet", size=(16, 17), void=(0, 65535), classes=2)
    (tmp_path / "pets.v2").mkdir()
    for folder in (tmp_path / "pets.v2", tmp_path / "gone"):
        asked(tmp_path, train=folder, images=None, label=None, unlabelled=folder, test=folder)
    more = {"out": tmp_path.parent / "out", "unlabelled": tmp_path / "a.csv", "masks": None}
    asked(tmp_path, "segmentation", train=tmp_path, **more)
