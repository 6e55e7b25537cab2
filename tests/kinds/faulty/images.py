"""Faulty inputs of images, each of one class: folders, and tables of paths or of encoded images."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from faulty import pictures
from faulty.case import Case, Draw
from faulty.columns import in_order, with_weak
from faulty.formats import FORMATS, put
from faulty.labels import CLASSES, label_options, labels, reading_options
from faulty.texts import sources

PATHS: dict[str, Callable[[str], str]] = {
    "plain": lambda path: path,
    "dot": lambda path: f"./{path}",
    "windows": lambda path: "C:\\data\\" + path.replace("/", "\\"),
    "backslash": lambda path: path.replace("/", "\\"),
    "upload": lambda path: f"/data/upload/1/0a1b2c3d-{path.rsplit('/', 1)[-1]}",
    "local files": lambda path: f"/data/local-files/?d={path}",
    "absolute": lambda path: f"/home/ann/{path}",
    "name": lambda path: path.rsplit("/", 1)[-1],
    "file": lambda path: f"file:///x/{path.replace(' ', '%20')}",
    "web": lambda path: f"https://a.org/{path}",
    "upper": str.upper,
    "blanks": lambda path: f" {path} ",
    "s3": lambda path: f"s3://bucket/{path}",
}
"""How a table writes the path of an image."""
ODD_CELLS: tuple[Any, ...] = (
    "", None, "missing.png", 3, "x" * 5000, "a\0b.png", [], {"bytes": b"", "path": None}, "data:image/png;base64,!",
    "img", "/", "..", "nan", True,
)  # fmt: skip
"""Cells that are no good images."""


def options(draw: Draw, case: Case, classes: Sequence[str]) -> None:
    label_options(draw, case, classes)
    case.options["network"] = "small_cnn"
    if draw.chance(10):
        case.options["size"] = draw.rarely((16, 16), [(1, 1), (9999, 9)])
    if draw.chance(30):
        case.options["skip_bad"] = True


def some_images(draw: Draw, case: Case, count: int) -> list[bytes]:
    """Encoded images, now and then with a fault that some of them have, or with copies."""
    fault = draw.one([*[""] * 14, *pictures.FAULTS])
    if fault:
        case.fault(f"image {fault}")
    found = [pictures.picture(draw, "png") for _ in range(count)]
    share = draw.one([5, 30, 100])
    found = [pictures.faulty(draw, fault) if fault and draw.chance(share) else each for each in found]
    return [found[0]] * count if found and draw.chance(3) else found


def drawn(draw: Draw) -> Case:
    """A faulty input of images."""
    if draw.chance(45):
        return of_folder(draw)
    ending, names = draw.one([*FORMATS, "parquet", "parquet"]), draw.one(CLASSES)
    case = Case("images", ending, {"images": "image", "label": "label"})
    options(draw, case, names)
    within = ending in ("parquet", "feather", "arrow", "jsonl", "json", "csv") and draw.chance(40)
    style = draw.one(["plain", "plain", *PATHS])
    for source, count in sources(draw):
        data = some_images(draw, case, count)
        cells: list[Any] = data
        if within and ending == "parquet" and draw.chance(50):
            cells = [{"bytes": each, "path": f"{i}.png"} for i, each in enumerate(data)]
        elif not within:
            paths = [draw.one([f"img/{source}/{i}.png", f"img/{source}/a b {i}.png"]) for i in range(count)]
            case.content |= dict(zip(paths, data, strict=True))
            cells = [PATHS[style](path) for path in paths]
        if count and draw.chance(10):
            case.fault("odd cells")
            cells[draw.whole(0, count - 1)] = draw.one(ODD_CELLS)
        columns: dict[str, list[Any]] = {"image": cells}
        if source != "unlabelled" or draw.chance(20):
            columns["label"] = labels(draw, case, count, names, 70 if source == "train" else 95) if count else []
            columns |= with_weak(draw, case, columns["label"], names) if source == "train" and count else {}
        if ending == "csv" and within:
            columns["image"] = [cell if not isinstance(cell, dict) else cell["bytes"] for cell in columns["image"]]
        put(draw, case, source, ending, in_order(draw, case, columns))
    reading_options(draw, case)
    return case


FOLDERS = (
    "train", "test", "val", "nan", "-1", "None", "[]", "?", "unknown", "pool", "no_label", "__MACOSX", ".cache",
    "undefined",
    "Unsorted", "null", "null_", "class 1", "données", "a\\b", "unlabelled", "UNLABELED", "%20", "'", "0",
)  # fmt: skip
"""Names of folders that may be no classes."""


def of_folder(draw: Draw) -> Case:
    """A folder with a folder of images for each class."""
    names = draw.one(CLASSES)
    case = Case("images", "folder")
    options(draw, case, names)
    if draw.chance(10):
        case.options |= {"images": "image", "label": "label"}
    for source, count in sources(draw):
        case.sources[source], case.content[source] = source, None
        for i, data in enumerate(some_images(draw, case, count)):
            where = (
                draw.one([*names, *["unlabelled"] * (source != "test")])
                if i >= 2 * len(names)
                else names[i % len(names)]
            )
            where = "" if source == "unlabelled" and draw.chance(50) else f"{where}/"
            ending = draw.one(["png", "png", "PNG", "jpg", "jpeg"])
            case.content[f"{source}/{where}{draw.one(['', 'sub/'])}{i}.{ending}"] = data
        case.counts(count)
        _odd(draw, case, source, names)
    case.name(*names)
    reading_options(draw, case)
    return case


def _odd(draw: Draw, case: Case, source: str, names: Sequence[str]) -> None:
    """Odd files and folders beside those of the classes."""
    good = pictures.picture(draw, "png")
    for fault in draw.some(
        ["hidden", "other", "loose", "odd", "odd", "empty", "spelt", "deeper", "link"], draw.one([0, 0, 1, 2])
    ):
        case.fault(f"folder {fault}")
        if fault in ("hidden", "other", "empty", "link"):
            name = {
                "hidden": f"{names[0]}/.x.png",
                "other": f"{names[0]}/Thumbs.db",
                "empty": "empty",
                "link": "a.txt",
            }[fault]
            case.content[f"{source}/{name}"] = None if fault == "empty" else good
            continue
        folder = {"loose": "", "odd": draw.one(FOLDERS), "spelt": names[0].upper() + draw.one(["", " ", "\u200b"]),
                  "deeper": f"{names[0]}/{draw.one(['train', 'red'])}"}[fault]  # fmt: skip
        if draw.chance(30):
            case.content[f"{source}/{folder}/one more.png"] = good
            case.counts(0 if folder.startswith((".", "__")) else 1)
        case.content[f"{source}/{folder}/odd.png"] = pictures.picture(draw, "png")
        case.counts(0 if folder.startswith((".", "__")) else 1)
        if fault == "spelt" and case.options.get("spelling") == "as-is":
            case.name(folder.strip())
        if fault == "odd" and folder in (
            "class 1",
            "données",
            "a\\b",
            "%20",
            "'",
            "0",
            "undefined",
            "null_",
            "Unsorted",
        ):
            case.name(folder)
