"""Label Studio: tasks as it stores them, and its converter's other forms of them."""

from __future__ import annotations

import contextlib
import io
import json
import shutil
from collections.abc import Iterator, Mapping, Sequence
from importlib.metadata import version as version_of
from pathlib import Path
from typing import Any

from written_by import Form
from written_by.data import CLASSES, PICTURES, SENTENCES, SIZE, TEXTS, mask, picture

TOOL = "Label Studio"
TEXTS_CONFIG = """<View><Text name="text" value="$text"/><Choices name="topic" toName="text">
<Choice value="food"/><Choice value="sport"/></Choices></View>"""
SPANS_CONFIG = """<View><Labels name="ner" toName="text"><Label value="PER"/><Label value="LOC"/></Labels>
<Text name="text" value="$text"/></View>"""
IMAGES_CONFIG = """<View><Image name="image" value="$image"/><Choices name="animal" toName="image">
<Choice value="cat"/><Choice value="dog"/></Choices></View>"""
MASKS_CONFIG = """<View><Image name="image" value="$image"/><BrushLabels name="tag" toName="image">
<Label value="cat"/><Label value="dog"/></BrushLabels></View>"""
SHAPES_CONFIG = """<View><Image name="image" value="$image"/><PolygonLabels name="tag" toName="image">
<Label value="cat"/><Label value="dog"/></PolygonLabels></View>"""


def version() -> str:
    return version_of("label-studio-sdk")


def task(number: int, data: Mapping[str, Any], results: Sequence[Mapping[str, Any]] | None) -> dict[str, Any]:
    """A task as the database's export has it; None for results is a task that nobody annotated."""
    about = {"created_at": "2024-01-01T00:00:00Z", "updated_at": "2024-01-01T00:00:00Z", "lead_time": 2.5}
    state = {"was_cancelled": False, "ground_truth": False, "completed_by": 1, "prediction": {}, "result_count": 1}
    given = (
        [] if results is None else [{"id": 100 + number, "result": results, "unique_id": str(number), **state, **about}]
    )
    rest = {"meta": {}, "inner_id": number, "total_annotations": len(given), "cancelled_annotations": 0, "project": 1}
    return {"id": number, "annotations": given, "drafts": [], "predictions": [], "data": data, **about, **rest}


def choice(control: str, to: str, name: str) -> dict[str, Any]:
    return {
        "id": "a",
        "from_name": control,
        "to_name": to,
        "type": "choices",
        "origin": "manual",
        "value": {"choices": [name]},
    }


def texts() -> list[dict[str, Any]]:
    return [
        task(i, {"text": text}, [choice("topic", "text", label)] if labelled else None)
        for i, (text, label, labelled) in enumerate(TEXTS, start=1)
    ]


def sentences(utf16: bool) -> list[dict[str, Any]]:
    """Tasks with spans, whose offsets count UTF-16 units, as the pages' JavaScript does, or characters."""

    def at(text: str, place: int) -> int:
        return len(text[:place].encode("utf-16-le")) // 2 if utf16 else place

    def results(text: str, spans: Sequence[tuple[int, int, str]]) -> list[dict[str, Any]]:
        return [
            {
                "id": str(n), "from_name": "ner", "to_name": "text", "type": "labels", "origin": "manual",
                "value": {"start": at(text, a), "end": at(text, b), "text": text[a:b], "labels": [kind]},
            }
            for n, (a, b, kind) in enumerate(spans)
        ]  # fmt: skip

    return [
        task(i, {"text": text}, results(text, spans) if labelled else None)
        for i, (text, spans, labelled) in enumerate(SENTENCES, start=1)
    ]


def pictures(folder: Path) -> list[str]:
    """Write the images as an upload has them, and return the paths that tasks have."""
    from PIL import Image

    uploads = folder / "media" / "upload" / "3"
    uploads.mkdir(parents=True, exist_ok=True)
    names = [f"0f3a9c1{i}-{i}.png" for i in range(len(PICTURES))]
    for i, name in enumerate(names):
        Image.fromarray(picture(i)).save(uploads / name)
    return [f"/data/upload/3/{name}" for name in names]


def brushes(number: int) -> list[dict[str, Any]]:
    """Brushes of a mask, a layer for each class."""
    import numpy as np
    from label_studio_sdk.converter import brush

    found = []
    for label, name in enumerate(CLASSES[1:], start=1):
        painted = (mask(number) == label)[..., None] * np.full(4, 255, dtype=np.uint8)
        value = {"format": "rle", "rle": brush.encode_rle(painted.ravel()), "brushlabels": [name]}
        found.append({
            "id": name, "from_name": "tag", "to_name": "image", "type": "brushlabels", "origin": "manual",
            "original_width": SIZE[1], "original_height": SIZE[0], "image_rotation": 0, "value": value,
        })  # fmt: skip
    return found


def polygon(name: str) -> dict[str, Any]:
    value = {"points": [[10, 10], [60, 10], [60, 60]], "closed": True, "polygonlabels": [name]}
    about = {"from_name": "tag", "to_name": "image", "type": "polygonlabels", "origin": "manual", "id": name}
    return {**about, "original_width": SIZE[1], "original_height": SIZE[0], "image_rotation": 0, "value": value}


def converted(config: str, tasks: Path, form: str) -> Path:
    """Folder of tasks in a form of the converter."""
    from label_studio_sdk.converter import Converter

    to = tasks.with_name(f"{tasks.stem}-{form}")
    to.mkdir()
    with contextlib.redirect_stdout(io.StringIO()):
        Converter(config, str(tasks.parent), download_resources=False).convert(str(tasks), str(to), form, is_dir=False)
    return to


def make(folder: Path) -> Iterator[Form]:
    for kind, config, tasks, options, forms in (
        ("texts", TEXTS_CONFIG, texts(), {"text": "text", "label": "topic"}, ("JSON_MIN", "CSV", "TSV")),
        ("sentences", SPANS_CONFIG, sentences(False), {"tokens": "text", "tags": "ner"},
         ("JSON_MIN", "CSV", "TSV", "CONLL2003")),
    ):  # fmt: skip
        file = folder / f"{kind}.json"
        file.write_text(json.dumps(tasks))
        words = "choices" if kind == "texts" else "labels on text"
        yield Form(f"JSON, {words}", kind, file.name, options, output=".json")
        (folder / f"{kind}-annotated.json").write_text(json.dumps([one for one in tasks if one["annotations"]]))
        for form in forms:
            conll = form == "CONLL2003"  # which has words without an annotation as words outside entities
            of = folder / f"{kind}-annotated.json" if conll else file
            written = next(file for file in converted(config, of, form).iterdir() if file.is_file())
            whole = {"tokens": "0", "tags": "3"} if conll else options
            where = written.relative_to(folder).as_posix()
            items = [i for i, row in enumerate(SENTENCES) if row[2]] if conll else None
            yield Form(
                f"{form}, {words}", kind, where, whole, items=items, output=".json" if form == "JSON_MIN" else ""
            )
    (folder / "utf16.json").write_text(json.dumps(sentences(True)))
    yield Form(
        "JSON, labels on text in UTF-16 units",
        "sentences",
        "utf16.json",
        {"tokens": "text", "tags": "ner"},
        output=".json",
    )
    yield from of_images(folder)


def of_images(folder: Path) -> Iterator[Form]:
    paths = pictures(folder)
    rows = [
        task(i, {"image": path}, [choice("animal", "image", label)] if labelled else None)
        for i, (path, (label, labelled)) in enumerate(zip(paths, PICTURES, strict=True), start=1)
    ]
    (folder / "images.json").write_text(json.dumps(rows))
    yield Form(
        "JSON, choices on images", "images", "images.json", {"images": "image", "label": "animal"}, output=".json"
    )
    shutil.copy(next(converted(IMAGES_CONFIG, folder / "images.json", "CSV").iterdir()), folder / "images.csv")
    yield Form("CSV, choices on images", "images", "images.csv", {"images": "image", "label": "animal"})
    rows = [
        task(i + 1, {"image": path}, brushes(i) if given else None)
        for i, (path, (_, given)) in enumerate(zip(paths, PICTURES, strict=True))
    ]
    (folder / "masks.json").write_text(json.dumps(rows))
    yield Form("JSON, a brush on images", "masks", "masks.json", {"images": "image", "masks": "tag"}, output="folder")
    layers = converted(MASKS_CONFIG, folder / "masks.json", "BRUSH_TO_PNG")
    pairs = folder / "brush_png"
    shutil.copytree(layers, pairs / "masks")
    shutil.copytree(folder / "media" / "upload" / "3", pairs / "images")
    yield Form("brushes to PNG, beside the images", "masks", "brush_png", {}, refused="layers of Label Studio")
    yield Form("brushes to PNG, alone", "masks", layers.name, {}, refused="layers of Label Studio")
    yield Form(
        "brushes to NumPy",
        "masks",
        converted(MASKS_CONFIG, folder / "masks.json", "BRUSH_TO_NUMPY").name,
        {},
        refused="layers of Label Studio",
    )
    rows = [task(i + 1, {"image": path}, [polygon("cat"), polygon("dog")]) for i, path in enumerate(paths)]
    (folder / "polygons.json").write_text(json.dumps(rows))
    yield Form(
        "polygons in JSON",
        "masks",
        "polygons.json",
        {"images": "image", "masks": "tag"},
        refused="polygonlabels, which are not read",
    )
    for form, ending in (("COCO", "result.json"), ("VOC", ""), ("YOLO", "")):
        to = converted(SHAPES_CONFIG, folder / "polygons.json", form)
        path = (to / ending).relative_to(folder).as_posix()
        yield Form(
            form,
            "masks",
            path,
            {"images": "image", "masks": "tag"} if ending else {},
            refused=f"{'annotations' if form == 'COCO' else 'boxes'}",
        )


def take(form: Form, file: Path) -> list[Any]:
    """Tasks that Label Studio's interface takes in, each with the newest prediction; masks are not written so."""
    if form.kind == "masks":
        raise NotImplementedError
    from label_studio_sdk.label_interface import LabelInterface

    config = {"texts": TEXTS_CONFIG, "sentences": SPANS_CONFIG, "images": IMAGES_CONFIG}[form.kind]
    interface, found = LabelInterface(config), []
    for one in json.loads(file.read_text()):
        assert interface.validate_task({"data": one["data"]})
        prediction = one["predictions"][-1]
        assert interface.validate_prediction(prediction), prediction
        values = [result["value"] for result in prediction["result"]]
        (item,) = (one["data"][key] for key in ("text", "image") if key in one["data"])
        if form.kind == "images":
            found.append(values[0]["choices"][0])
        elif form.kind == "sentences":
            found.append([item, sorted([v["start"], v["end"], v["labels"][0]] for v in values)])
        else:
            found.append([item, *(v["choices"][0] for v in values)])
    return found
