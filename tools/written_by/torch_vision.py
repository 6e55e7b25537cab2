"""Folders of images and masks as the loaders of torchvision want them; each is loaded by torchvision first."""

from __future__ import annotations

from collections.abc import Iterator
from importlib.metadata import version as version_of
from pathlib import Path
from typing import Any

from written_by import Form
from written_by.data import PICTURES, digest, mask, picture

TOOL = "torchvision"
VOC = [0, 0, 0, 128, 0, 0, 0, 128, 0]
"""Palette of Pascal VOC: black, dark red, dark green."""


def version() -> str:
    return version_of("torchvision").split("+")[0]


def save(folder: Path, name: str, pixels: Any, palette: list[int] | None = None, form: str | None = None) -> None:
    """Write an image."""
    from PIL import Image

    file = folder / name
    file.parent.mkdir(parents=True, exist_ok=True)
    image = Image.fromarray(pixels)
    if palette:
        image.putpalette(palette + [0] * (768 - len(palette)))
    image.save(file, form)


def make(folder: Path) -> Iterator[Form]:
    import numpy as np
    from torchvision import datasets

    given = [i for i, (_, labelled) in enumerate(PICTURES) if labelled]
    for i in given:
        save(folder / "imagefolder", f"{PICTURES[i][0]}/{i}.png", picture(i))
        save(folder / "splits", f"train/{PICTURES[i][0]}/{i}.png", picture(i))
        save(folder / "splits", f"val/{PICTURES[i][0]}/v{i}.png", picture(i + 10))
    assert len(datasets.ImageFolder(str(folder / "imagefolder"))) == len(given)
    yield Form("ImageFolder", "images", "imagefolder", {}, items=given, output=".csv")
    yield Form("ImageFolder, one of its splits", "images", "splits/train", {}, items=given)
    yield Form("ImageFolder, above its splits", "images", "splits", {}, question="--train")
    root = folder / "VOCdevkit" / "VOC2012"
    for i in given:
        save(root / "JPEGImages", f"2007_{i:06d}.png", picture(i))
        save(root / "SegmentationClass", f"2007_{i:06d}.png", mask(i), VOC)
    (root / "ImageSets" / "Segmentation").mkdir(parents=True)
    (root / "ImageSets" / "Segmentation" / "train.txt").write_text("".join(f"2007_{i:06d}\n" for i in given))
    for i in given:  # the loader wants photos
        save(folder / "loaded" / "VOCdevkit" / "VOC2012" / "JPEGImages", f"2007_{i:06d}.jpg", picture(i))
        save(folder / "loaded" / "VOCdevkit" / "VOC2012" / "SegmentationClass", f"2007_{i:06d}.png", mask(i), VOC)
    sets = folder / "loaded" / "VOCdevkit" / "VOC2012" / "ImageSets" / "Segmentation"
    sets.mkdir(parents=True)
    (sets / "train.txt").write_text("".join(f"2007_{i:06d}\n" for i in given))
    held = datasets.VOCSegmentation(str(folder / "loaded"), image_set="train", download=False)
    assert (np.asarray(held[0][1]) == mask(0)).all()
    yield Form("VOCSegmentation", "masks", "VOCdevkit/VOC2012", {}, items=given, output="folder")
    yield Form("VOCSegmentation, its root", "masks", "VOCdevkit", {}, refused="--train")
    cities = folder / "cityscapes"
    for i in given:
        for part in ("train", "val"):
            name = f"{part}/bonn/bonn_{i:06d}_000019"
            save(cities / "leftImg8bit", f"{name}_leftImg8bit.png", picture(i if part == "train" else i + 10))
            save(cities / "gtFine", f"{name}_gtFine_labelIds.png", mask(i))
            save(cities / "gtFine", f"{name}_gtFine_instanceIds.png", mask(i).astype(np.uint16) * 1000)
            save(cities / "gtFine", f"{name}_gtFine_color.png", np.repeat(mask(i)[..., None] * 40, 4, axis=-1))
            (cities / "gtFine" / f"{name}_gtFine_polygons.json").write_text("{}")
    held = datasets.Cityscapes(str(cities), split="train", mode="fine", target_type="semantic")
    assert len(held) == len(given) and (np.asarray(held[0][1]) == mask(given[0])).any()
    for part in ("leftImg8bit", "gtFine"):
        (cities / part / "val").rename(folder / f"val-{part}")
    yield Form("Cityscapes, train alone", "masks", "cityscapes", {}, items=given)
    pets = folder / "oxford-iiit-pet"
    lines = []
    for i in given:
        name = f"{'Abyssinian' if PICTURES[i][0] == 'cat' else 'beagle'}_{i}"
        save(pets / "images", f"{name}.jpg", picture(i), form="png")  # whose pixels are not changed
        save(pets / "annotations" / "trimaps", f"{name}.png", mask(i) + 1)
        lines.append(f"{name} {1 + (PICTURES[i][0] == 'dog')} 1 1\n")
    for name in ("trainval.txt", "test.txt", "list.txt"):
        (pets / "annotations" / name).write_text("".join(lines))
    assert len(datasets.OxfordIIITPet(str(folder), target_types="segmentation", download=False)) == len(given)
    yield Form("OxfordIIITPet, trimaps from 1 to 3", "masks", "oxford-iiit-pet", {"first": 1}, items=given)


def take(form: Form, file: Path) -> list[Any]:
    """Predicted labels of images, which pandas reads; or masks, read as the loader of VOCSegmentation does."""
    import numpy as np
    import pandas as pd
    from PIL import Image

    if form.kind == "masks":
        return [digest(np.asarray(Image.open(file / name))) for name in pd.read_csv(file / "masks.csv")["mask"]]
    return pd.read_csv(file).label.tolist()
