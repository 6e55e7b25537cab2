"""labelme: its file of polygons for each image."""

from __future__ import annotations

from collections.abc import Iterator
from importlib.metadata import version as version_of
from pathlib import Path

from written_by import Form
from written_by.data import PICTURES, SIZE, picture

TOOL = "labelme"


def version() -> str:
    return version_of("labelme")


def make(folder: Path) -> Iterator[Form]:
    from labelme._label_file import write_label_file
    from PIL import Image

    where = folder / "pictures"
    where.mkdir()
    for i, (label, _) in enumerate(PICTURES):
        Image.fromarray(picture(i)).save(where / f"{i}.png")
        points = [[5.0, 4.0], [30.0, 4.0], [30.0, 20.0]]
        shape = {
            "label": label,
            "points": points,
            "group_id": None,
            "description": "",
            "shape_type": "polygon",
            "flags": {},
            "mask": None,
        }
        write_label_file(
            str(where / f"{i}.json"), shapes=[shape], image_path=f"{i}.png", image_height=SIZE[0], image_width=SIZE[1]
        )
    yield Form("polygons beside the images", "masks", "pictures", {}, refused="polygons of labelme")
    options = {"images": "imagePath", "masks": "shapes"}
    yield Form("polygons of an image", "masks", "pictures/0.json", options, refused="polygons of labelme")
