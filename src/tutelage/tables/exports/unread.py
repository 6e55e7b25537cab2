"""Forms of other tools that are known and not read: what each is, and how to come from it to one that is."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tutelage.data.errors import DataError

HEAD = 4000
"""Number of characters by which a text is known, at most."""
LOOKED_AT = 200
"""Number of files of a folder that are looked at, at most."""
PIXELS = "draw them as masks, one PNG of class numbers for each image"
"""Phrase on what becomes of shapes."""
FRAME = "with Python, and write a table: DataFrame.to_parquet('t.parquet')"
"""Phrase on what becomes of what Python can read."""


@dataclass(frozen=True)
class Unread:
    """A form that is not read.

    Attributes:
        name: what such a file is.
        out: what to do instead.
    """

    name: str
    out: str

    def line(self, path: str | Path) -> str:
        """The refusal of a file.

        >>> Unread("polygons of labelme", "draw them as masks").line("a.json")
        'a.json: these are polygons of labelme, which are not read; draw them as masks'
        """
        return f"{path}: these are {self.name}, which are not read; {self.out}"


COCO = Unread("annotations of COCO", f"{PIXELS}, such as by pycocotools' annToMask; of classes write a table")
LABELME = Unread("polygons of labelme", f"{PIXELS}, such as by its own labelme2voc.py")
LABELME_XML = Unread("shapes of LabelMe in XML", PIXELS)
VIA = Unread("regions of the VGG Image Annotator (VIA)", f"{PIXELS}; of classes write a table")
DATUMARO = Unread(
    "annotations of Datumaro", "convert them: datum convert -i FOLDER -f voc_segmentation -- --save-media"
)
CVAT = Unread(
    "annotations of CVAT in XML", "export 'Segmentation mask 1.1' from it, or 'ImageNet 1.0' where images have classes"
)
VOC = Unread("boxes of Pascal VOC in XML", "masks are read of its folder SegmentationClass; of classes write a table")
YOLO = Unread("boxes or polygons of YOLO", f"{PIXELS}; where images have classes, make a folder for each class")
SPACY_2 = Unread(
    "spaCy's training data of version 2",
    "write them as one list, and convert it: python -m spacy convert FILE.json FOLDER; take the .spacy file",
)
SPACY_EXAMPLES = Unread(
    "examples of spaCy as Example.to_dict has them", "write example.reference.to_json() in their place"
)
LAYERS = Unread(
    "layers of Label Studio's brushes, a file for each label of a task",
    "export JSON, and name the brush's column by --masks",
)
FASTTEXT = Unread("lines of fastText (__label__CLASS TEXT)", "write a table with a column of texts and one of labels")
SVMLIGHT = Unread("rows of svmlight", f"read them by sklearn.datasets.load_svmlight_file {FRAME}")
BRAT = Unread("annotations of brat", "convert them to CoNLL, such as by its own anntoconll.py, or to JSONL with spans")

_ENDINGS = (
    (".pkl .pickle .joblib", "pickled objects of Python", f"load them, if you trust them, {FRAME}"),
    (".npy .mat .pt .pth", "arrays", f"load them {FRAME}; NumPy's .npz is read as rows of numbers"),
    (".h5 .hdf5 .hdf .orc .avro .dta .sav .sas7bdat .xpt .arff", "data of another program",
     f"read them by pandas or the like {FRAME}"),
    (".db .sqlite .sqlite3", "tables of a database", f"read one by pandas.read_sql {FRAME}"),
    (".html .htm .xhtml", "tables in HTML", f"read one by pandas.read_html {FRAME}"),
    (".md", "tables in Markdown", "write them as .csv or .xlsx"),
    (".rds .rdata .rda", "objects of R", "write them by write.csv(x, 't.csv', row.names = FALSE)"),
    (".doc .docx .pdf .odt .rtf", "documents", "write their texts as .txt files, or as a table"),
    (".fods .numbers .gsheet", "sheets of a rare form", "save them as .xlsx, .ods or .csv"),
    (".tfrecord .tfrecords", "records of TensorFlow", f"read them by tf.data {FRAME}"),
    (".xml", "data in XML", f"read them by pandas.read_xml {FRAME}"),
)  # fmt: skip
"""Endings of files, what such files are, and what to do instead."""
BY_ENDING: Mapping[str, Unread] = {
    **{ending: Unread(name, out) for endings, name, out in _ENDINGS for ending in endings.split()},
    **dict.fromkeys((".svmlight", ".libsvm", ".svm"), SVMLIGHT),
    ".ann": BRAT,
}
"""Forms by the ending of the file's name."""


def of_value(value: Any) -> Unread | None:
    """The form of a file of JSON that is not read, given its value; None of another one.

    >>> of_value({"images": [], "annotations": [], "categories": []}).name, of_value([{"text": "a"}])
    ('annotations of COCO', None)
    """
    first = next(iter(value), None) if isinstance(value, list) else value
    if not isinstance(first, dict):
        return None
    return next((form for form, has in _IN_JSON if has(first)), None)


def _is_coco(first: Mapping[str, Any]) -> bool:
    lists = all(isinstance(first.get(key), list) for key in ("images", "annotations"))
    return lists and bool(first.keys() & {"categories", "licenses", "info"})


def _is_via(first: Mapping[str, Any]) -> bool:
    regions = [one for one in first.values() if isinstance(one, dict) and {"filename", "regions"} <= one.keys()]
    return "_via_img_metadata" in first or (bool(regions) and len(regions) == len(first))


def _is_datumaro(first: Mapping[str, Any]) -> bool:
    return {"info", "categories", "items"} <= first.keys() or "dm_format_version" in first


_IN_JSON: tuple[tuple[Unread, Callable[[Mapping[str, Any]], bool]], ...] = (
    (COCO, _is_coco),
    (LABELME, lambda first: {"shapes", "imagePath"} <= first.keys()),
    (VIA, _is_via),
    (DATUMARO, _is_datumaro),
    (SPACY_2, lambda first: isinstance(first.get("paragraphs"), list)),
    (SPACY_EXAMPLES, lambda first: {"doc_annotation", "token_annotation"} <= first.keys()),
)
"""Forms of JSON, each with what its first object has."""
_IN_LINES: tuple[tuple[Unread, re.Pattern[str]], ...] = (
    (FASTTEXT, re.compile(r'"?__label__\S+ ')),
    (SVMLIGHT, re.compile(r"[-+0-9.e]+(?: qid:[0-9]+)?(?: [0-9]+:[-+0-9.e]+)+\s*(?:#.*)?$")),
)  # fmt: skip
"""Forms of texts, each with a pattern of its first line."""
_LAYER = re.compile(r"task-[0-9]+-annotation-[0-9]+-by-")
"""Pattern of the name of a brush's layer."""
_YOLO = re.compile(r"(?:[0-9]+(?: [0-9.]+){4,}\s*(?:\n|$))+")
"""Pattern of a file of YOLO."""


def of_text(head: str) -> Unread | None:
    """The form of a file of lines that is not read, given its beginning; None of another one.

    >>> of_text("__label__food bread").name, of_text("1 1:0.5 7:2").name, of_text("text,label")
    ('lines of fastText (__label__CLASS TEXT)', 'rows of svmlight', None)
    """
    lines = [line for line in head.splitlines() if line.strip() and not line.startswith("#")]
    return next((form for form, pattern in _IN_LINES if lines and pattern.match(lines[0])), None)


def of_xml(head: str) -> Unread:
    """The form of a file of XML, given its beginning.

    >>> of_xml("<annotations><version>1.1</version>").name
    'annotations of CVAT in XML'
    """
    if "<annotations>" in head:
        return CVAT
    if "<annotation" not in head:
        return BY_ENDING[".xml"]
    return LABELME_XML if "<polygon" in head or "<segm>" in head else VOC


def of_file(path: Path) -> Unread | None:
    """The form of a file that holds annotations of images, or is named like a form that is not read; None of others."""
    ending = path.suffix.lower()
    if ending not in (".xml", ".json", ".txt"):
        return BY_ENDING.get(ending)
    try:
        text = path.read_text("utf-8", "replace")
        if ending == ".json":
            return of_value(json.loads(text))
    except (OSError, ValueError, RecursionError):
        return None
    if ending == ".xml":
        return of_xml(text[:HEAD])
    return YOLO if _YOLO.fullmatch(text) else None


def beside(root: Path) -> str:
    """Refusal of annotations of another tool that lie in a folder; empty where there are none."""
    if any(_LAYER.match(file.name) for file in root.rglob("task-*")):
        return LAYERS.line(root)
    names = (".xml", ".json", ".txt", ".npy", ".ann")
    files = sorted(file for file in root.rglob("*") if file.suffix.lower() in names and file.is_file())
    for file in files[:LOOKED_AT]:
        if (form := of_file(file)) is not None:
            return form.line(file)
    return ""


def refuse(form: Unread | None, path: str | Path) -> None:
    """Refuse a file of a form that is not read.

    Args:
        form: the form; None passes.
        path: the file.

    Raises:
        DataError: there is a form; the message names it and the way out.
    """
    if form is not None:
        raise DataError(form.line(path))


def refuse_parts(folder: Path) -> None:
    """Refuse a folder whose images show parts of masks: a class each, or the segments of an image, numbered anew.

    Raises:
        DataError: the images are layers of brushes, or a file of JSON in the folder holds annotations of COCO.
    """
    if any(_LAYER.match(file.name) for file in folder.glob("task-*")):
        refuse(LAYERS, folder)
    for file in sorted(folder.glob("*.json"))[:LOOKED_AT]:
        if of_file(file) == COCO:
            refuse(COCO, file)
