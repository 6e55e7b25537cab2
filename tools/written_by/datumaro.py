"""Datumaro, which converts between the forms of CVAT and others; masks and classes of images are exported."""

from __future__ import annotations

from collections.abc import Iterator
from importlib.metadata import version as version_of
from pathlib import Path
from typing import Any

from written_by import Form
from written_by.data import CLASSES, PICTURES, mask, picture

TOOL = "Datumaro (CVAT)"


def version() -> str:
    return version_of("datumaro")


def data_set(masks: bool) -> Any:
    """Images with masks, or with a class."""
    from datumaro import Dataset
    from datumaro.components.annotation import AnnotationType, Label, LabelCategories, Mask, MaskCategories
    from datumaro.components.dataset_base import DatasetItem
    from datumaro.components.media import Image

    items = []
    for i, (label, given) in enumerate(PICTURES):
        if not given:
            continue
        if masks:
            found = [Mask(image=mask(i) == n, label=n, z_order=n) for n in range(len(CLASSES))]
        else:
            found = [Label(CLASSES.index(label))]
        items.append(
            DatasetItem(id=f"p{i}", subset="train", media=Image.from_numpy(picture(i), ext=".png"), annotations=found)
        )
    named = LabelCategories.from_iterable(CLASSES)
    colours = MaskCategories(dict(enumerate([(0, 0, 0), (250, 50, 83), (61, 61, 245)])))  # as CVAT chooses them
    return Dataset.from_iterable(items, categories={AnnotationType.label: named, AnnotationType.mask: colours})


MASKS: dict[str, dict[str, str]] = {
    "voc_segmentation": {}, "camvid": {}, "cityscapes": {}, "kitti_segmentation": {"refused": "--train"},
    "coco_instances": {"refused": "annotations of COCO"}, "coco_panoptic": {"refused": "annotations of COCO"},
    "cvat": {"refused": "annotations of CVAT"}, "label_me": {"refused": "several files belong to one image"},
    "datumaro": {"refused": "annotations of Datumaro"},
}  # fmt: skip
"""Forms of masks, and what is expected of them besides being read."""
IMAGES: dict[str, dict[str, str]] = {
    "imagenet": {}, "imagenet_with_subset_dirs": {"question": "--train"}, "vgg_face2": {"question": "--train"},
    "voc_classification": {"refused": "is no class"}, "image_dir": {"refused": "no folder of a class"},
    "cvat": {"refused": "annotations of CVAT"}, "coco_labels": {"refused": "annotations of COCO"},
    "imagenet_txt": {"refused": "is no class"},
}  # fmt: skip
"""The same for images with a class."""


def make(folder: Path) -> Iterator[Form]:
    given = [i for i, (_, labelled) in enumerate(PICTURES) if labelled]
    for kind, forms in (("masks", MASKS), ("images", IMAGES)):
        for form, expected in forms.items():
            to = folder / f"{kind}-{form}"
            data_set(kind == "masks").export(str(to), form, save_media=True)
            yield Form(form, kind, to.name, {}, items=given, **expected)
            if expected.get("refused") == "--train":
                yield Form(f"{form}, its part", kind, f"{to.name}/train", {}, items=given)
