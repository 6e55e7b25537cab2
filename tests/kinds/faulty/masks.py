"""Faulty inputs of images with masks: folders, and tables of paths or of encoded images."""

from __future__ import annotations

import io
from collections.abc import Callable
from typing import Any

import numpy as np
from PIL import Image

from faulty import pictures
from faulty.case import Case, Draw
from faulty.columns import in_order
from faulty.formats import FORMATS, put
from faulty.images import PATHS, some_images
from faulty.labels import reading_options
from faulty.texts import sources

FORMS = (
    "numbers", "numbers", "numbers", "scaled", "palette", "palettes", "colours", "rgba", "16 bits", "jpeg",
    "smoothed", "npy",
    "void", "sparse", "1 bit", "grey rgb", "float", "signed", "transparent", "inverted", "many",
)  # fmt: skip
"""Forms of masks."""
FAULTS = ("size", "turned", "cut", "none", "text", "photo", "empty class", "tiny", "missing")
"""Faults that some masks have."""
COLOURS = np.array([(0, 0, 0), (255, 0, 0), (0, 0, 255), (0, 128, 0)], dtype=np.uint8)
ODD_CELLS: tuple[Any, ...] = (
    "", None, "missing.png", 3, [], "nan", "img", {"bytes": None, "path": ""}, "data:image/png;base64,!",
)  # fmt: skip


def ids(draw: Draw, classes: int, h: int = 9, w: int = 12) -> np.ndarray:
    """Class numbers, (h, w): areas of each class."""
    found = np.zeros((h, w), dtype=np.uint8)
    for number in range(1, classes):
        top, left = draw.whole(0, h - 3), draw.whole(0, w - 3)
        found[top : top + 3, left : left + 3] = number
    found[-1, :classes] = np.arange(classes)
    return found


def _palette(numbers: np.ndarray, colours: np.ndarray) -> Image.Image:
    image = Image.fromarray(numbers)
    image.putpalette(colours.tobytes())
    return image


def _colours(numbers: np.ndarray, draw: Draw) -> Image.Image:
    return Image.fromarray(COLOURS[numbers % 4])


def _smoothed(numbers: np.ndarray, draw: Draw) -> Image.Image:
    small = Image.fromarray(np.ascontiguousarray(numbers[:6, :7]) * 80)
    return small.resize(numbers.shape[::-1], Image.Resampling.BILINEAR)


MADE: dict[str, Callable[[np.ndarray, Draw], Image.Image]] = {
    "numbers": lambda m, draw: Image.fromarray(m),
    "scaled": lambda m, draw: Image.fromarray(m * np.uint8(255 // max(int(m.max()), 1))),
    "palette": lambda m, draw: _palette(m, COLOURS),
    "palettes": lambda m, draw: _palette(m, COLOURS[draw.numpy().permutation(4)]),
    "colours": _colours,
    "rgba": lambda m, draw: _colours(m, draw).convert("RGBA"),
    "16 bits": lambda m, draw: Image.fromarray(m.astype(np.uint16) * 1000),
    "jpeg": _colours,
    "smoothed": _smoothed,
    "void": lambda m, draw: Image.fromarray(np.where(m == m.max(), np.uint8(255), m)),
    "sparse": lambda m, draw: Image.fromarray(m * np.uint8(77)),
    "1 bit": lambda m, draw: Image.fromarray(m > 0),
    "grey rgb": lambda m, draw: Image.fromarray(m).convert("RGB"),
    "float": lambda m, draw: Image.fromarray(m.astype(np.float32) + draw.one([0, 0.5])),
    "signed": lambda m, draw: Image.fromarray(m.astype(np.int32) - 1),
    "transparent": lambda m, draw: Image.fromarray(np.dstack([COLOURS[m % 4], np.where(m, 255, 0).astype(np.uint8)])),
    "inverted": lambda m, draw: Image.fromarray(255 - m),
    "many": lambda m, draw: Image.fromarray(draw.numpy().integers(0, 250, m.shape, dtype=np.uint8)),
}
"""Functions that write class numbers in a form, by form."""


def mask(draw: Draw, form: str, classes: int, fault: str) -> bytes | None:
    """An encoded mask, with a fault or without; None where it is missing."""
    size = {"size": (5, 5), "turned": (12, 9), "tiny": (1, 1)}.get(fault, (9, 12))
    numbers = ids(draw, classes, *size) if min(size) > 2 else np.zeros(size, dtype=np.uint8)
    if fault in ("none", "text", "missing", "photo"):
        return {"none": b"", "text": b"0 0 1", "missing": None, "photo": pictures.picture(draw, "png")}[fault]
    if fault == "empty class":
        numbers = np.zeros_like(numbers)
    if form == "npy":
        held = io.BytesIO()
        np.save(held, numbers)
        return held.getvalue()
    image = MADE[form](numbers, draw)
    data = pictures.encoded(image, {"jpeg": "JPEG", "float": "TIFF", "signed": "TIFF"}.get(form, "PNG"))
    return data[:-20] if fault == "cut" else data


def _fitting(form: str, classes: int) -> dict[str, Any]:
    """Options that say what masks of a form mean."""
    step = 255 // (classes - 1)
    colours = tuple("#{:02x}{:02x}{:02x}".format(*colour) for colour in COLOURS.tolist()[:classes])
    return {
        "scaled": {"mask_values": tuple(range(0, 256, step))},
        "sparse": {"mask_values": tuple(range(0, 77 * classes, 77))},
        "16 bits": {"mask_values": tuple(range(0, 1000 * classes, 1000))}, "void": {"void": (255,)},
        "colours": {"mask_colours": colours},
        "rgba": {"mask_colours": colours}, "jpeg": {"mask_colours": colours}, "palettes": {"mask_colours": colours},
        "transparent": {"mask_colours": ("transparent", *colours[1:])},
        "inverted": {"mask_values": tuple(range(255, 255 - classes, -1))},
        "smoothed": {"mask_values": tuple(range(0, 80 * classes, 80))}, "many": {"classes": 250},
    }.get(form, {})  # fmt: skip


def options(draw: Draw, case: Case, classes: int) -> None:
    """Options on how masks are read, now and then."""
    others: list[dict[str, Any]] = [
        {"mask_values": (0, 255)}, {"mask_values": ("0,1",)}, {"mask_values": ("0,127,255",)}, {"classes": classes},
        {"classes": draw.one([classes + 1, 256])}, {"void": (255,)}, {"void": (0,)}, {"masks_turned": True},
        {"mask_colours": ("#000000,#ff0000",)}, {"mask_colours": ("black", "red", "blue", "green")},
    ]  # fmt: skip
    wrong: list[dict[str, Any]] = [
        {"classes": 1}, {"void": (70000,)}, {"mask_values": ("x",)}, {"mask_values": ("0,0",)}, {"size": (8, 8)},
        {"mask_colours": ("nocolour",)}, {"mask_colours": ("labels.txt",)}, {"network": "x"},
    ]  # fmt: skip
    fitting = _fitting(case.faults[0], classes)
    if fitting and draw.chance(60):
        case.options |= fitting
    elif draw.chance(20):
        case.options |= draw.one(others)
    if draw.chance(4):
        case.options |= draw.one(wrong)
    if draw.chance(30):
        case.options["skip_bad"] = True


def drawn(draw: Draw) -> Case:
    """A faulty input of images with masks."""
    form, classes = draw.one(FORMS), draw.whole(2, 4)
    style = draw.one(["folder", "folder", "folder", "table"])
    case = Case("masks", style)
    case.fault(form)
    case.classes = None  # masks have numbers or colours, see `names`
    options(draw, case, classes)
    write = _folder if style == "folder" else _table
    for source, count in sources(draw):
        images = some_images(draw, case, min(count, 10))
        fault = draw.one([*[""] * 12, *FAULTS])
        if fault:
            case.fault(f"mask {fault}")
        share, known = draw.one([10, 50, 100]), draw.one([60, 100])
        masks = [
            mask(draw, form, classes, fault if draw.chance(share) else "") if i < 3 or draw.chance(known) else None
            for i in range(len(images))
        ]
        write(draw, case, source, images, masks)
    names(case, form, classes)
    reading_options(draw, case)
    return case


def names(case: Case, form: str, classes: int) -> None:
    """Take down the names of the classes, where the form and the faults tell them."""
    plain = form in ("numbers", "palette", "grey rgb", "1 bit", "smoothed") and not set(case.options) & {
        "mask_values",
        "mask_colours",
    }
    if plain and not any(fault.startswith(("mask photo", "image")) for fault in case.faults):
        numbers = case.options.get("classes", classes)
        case.classes = {str(number) for number in range(max(classes, numbers))}


NAMED: tuple[tuple[str, str], ...] = (
    ("images/{}.png", "masks/{}.png"), ("images/{}.png", "masks/{}.png"), ("images/{}.png", "masks/{}_mask.png"),
    ("images/{}.jpg", "labels/{}.png"),
    ("imgs/{}.png", "annotations/{}.png"), ("{}.jpg", "{}.png"), ("{}.jpg", "{}_mask.png"),
    ("images/{}.png", "masks/{}.PNG"),
    ("images/a b/{}.png", "masks/a b/{}.png"), ("train/{}.png", "train_masks/{}_mask.png"),
    ("images/x{}.png", "masks/{}.png"),
    ("images/{}.png", "masks/{}.tif"), ("images/{}.png", "masks/m{}_l.png"), ("IMG/{}.png", "GT/{}.png"),
    ("{}.png", "{}_mask.png"),
)  # fmt: skip
"""Paths of images and of their masks within a folder."""


def _folder(draw: Draw, case: Case, source: str, images: list[bytes], masks: list[bytes | None]) -> None:
    case.sources[source], case.content[source] = source, None
    of_image, of_mask = draw.one(NAMED)
    if source == "unlabelled" and draw.chance(60):
        of_image, masks = "{}.png", [None] * len(images)
    for i, (image, each) in enumerate(zip(images, masks, strict=True)):
        case.content[f"{source}/{of_image.format(i)}"] = image
        if each is not None:
            case.content[f"{source}/{of_mask.format(i)}"] = each
    case.counts(len(images))
    for fault in draw.some(["hidden", "orphan", "other", "colours", "twice"], draw.one([0, 0, 0, 1])):
        case.fault(f"folder {fault}")
        name, data = {
            "hidden": (f"images/.{len(images)}.png", b"x"), "orphan": (of_mask.format("orphan"), b"x"),
            "other": ("images/a.txt", b"x"),
            "colours": (draw.one(["labelmap.txt", "masks/classes.csv"]), b"road 0 0 0\ncar 255 0 0\nsky:0,0,255\n"),
            "twice": (of_image.format(0).replace(".png", ".bmp"), pictures.picture(draw, "bmp")),
        }[fault]  # fmt: skip
        case.content[f"{source}/{name}"] = data
        if fault == "twice" or "/" not in of_mask:
            case.rows = None


def _table(draw: Draw, case: Case, source: str, images: list[bytes], masks: list[bytes | None]) -> None:
    case.options |= {"images": "image", "masks": "mask"}
    ending = draw.one([*FORMATS, "parquet", "parquet"])
    case.form = ending if source == "train" else case.form
    cells: dict[str, list[Any]] = {"image": [*images], "mask": [*masks]}
    if ending != "parquet" and draw.chance(70):
        style = draw.one(["plain", "plain", "plain", *PATHS])
        for name, column in cells.items():
            for i, data in enumerate(column):
                if data is not None:
                    path = f"{name}s/{source} {i}.png"
                    case.content[path] = data
                    column[i] = PATHS[style](path)
    if images and draw.chance(10):
        case.fault("odd cells")
        cells[draw.one(["image", "mask"])][draw.whole(0, len(images) - 1)] = draw.one(ODD_CELLS)
    if source == "unlabelled" and draw.chance(70):
        del cells["mask"]
    put(draw, case, source, ending, in_order(draw, case, cells))
