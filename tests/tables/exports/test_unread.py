"""Forms of other tools that are not read are refused by name, with the way to one that is."""

from __future__ import annotations

import json

import pytest
from table_files import written

from tutelage.modalities.sentences.tables import read_sentences
from tutelage.tables import DataError, read
from tutelage.tables.exports.unread import beside, of_file, of_text, of_value

REGION = {"filename": "0.png", "size": 1, "regions": [], "file_attributes": {}}


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("t.json", {"images": [{}], "annotations": [{}], "categories": [{}]}, "annotations of COCO, .* annToMask"),
        ("t.json", {"info": {}, "images": [{}], "annotations": [{}]}, "annotations of COCO"),
        ("t.json", {"version": "5", "shapes": [], "imagePath": "0.png"}, "polygons of labelme, .* labelme2voc.py"),
        ("t.json", {"_via_settings": {}, "_via_img_metadata": {"0.png1": REGION}}, "Image Annotator"),
        ("t.json", {"0.png1": REGION, "1.png1": REGION}, "regions of the VGG Image Annotator"),
        ("t.json", {"info": {}, "categories": {}, "items": []}, "annotations of Datumaro, .*: datum convert -i"),
        ("t.json", {"id": 0, "paragraphs": [{"raw": "a"}]}, "spaCy's training data of version 2, .* as one list"),
        ("t.jsonl", {"doc_annotation": {}, "token_annotation": {}}, "Example.to_dict has them, .*reference.to_json"),
        ("t.txt", "__label__food bread\n__label__sport a goal\n", "lines of fastText"),
        ("t.csv", '"__label__food bread, salt "\n', "lines of fastText"),
        ("t.txt", "0 0:1.5 2:-7\n1 1:2\n", "rows of svmlight, .*load_svmlight_file"),
        ("t.txt", "# a comment\n-1 qid:3 1:0.5\n", "rows of svmlight"),
        ("t.svmlight", "0 0:1.5\n", "rows of svmlight"),
        (
            "t.xml",
            "<annotations><version>1.1</version></annotations>",
            "annotations of CVAT .* 'Segmentation mask 1.1'",
        ),
        ("t.xml", "<annotation><object><bndbox/></object></annotation>", "boxes of Pascal VOC .*SegmentationClass"),
        ("t.xml", "<annotation><object><polygon/></object></annotation>", "shapes of LabelMe in XML"),
        ("t.xml", "<data/>", "data in XML, .* pandas.read_xml"),
        ("t.ann", "T1\tPER 0 3\tAda\n", "annotations of brat, .*anntoconll.py"),
        ("t.pkl", "x", "pickled objects of Python, .* if you trust them"),
        ("t.RData", "x", "objects of R, .*write.csv"),
        ("t.npy", "x", "arrays, .* .npz is read"),
    ],
)
def test_a_form_that_is_not_read_names_itself_and_the_way_out(tmp_path, name, content, message):
    path = written(tmp_path, name, content if isinstance(content, str) else json.dumps(content))
    with pytest.raises(DataError, match=f"^{path}: these are .*{message}"):
        read(path)


def test_sentences_name_such_forms_too(tmp_path):
    with pytest.raises(DataError, match=r"t.ann: these are annotations of brat"):
        read_sentences(written(tmp_path, "t.ann", "T1\tPER 0 3\tAda\n"))


@pytest.mark.parametrize(
    "row",
    [
        {"text": "a", "images": ["0.png"], "annotations": ["b"]},
        {"filename": "0.png", "regions": "north"},
        {"items": [1], "info": "b"},
        {"text": "__label__food"},
    ],
)
def test_rows_that_only_resemble_such_forms_are_read(tmp_path, row):
    assert of_value([row]) is None and of_value(row) is None
    path = written(tmp_path, "t.jsonl", json.dumps(row) + "\n" + json.dumps(row) + "\n")
    assert len(read(path).frame) == 2


@pytest.mark.parametrize("head", ["text,label\n", "1 2 3\n", "1:2\n", "at 10:30 we left\n", "__label__\n", ""])
def test_lines_that_only_resemble_such_forms_are_none(head):
    assert of_text(head) is None


def test_annotations_beside_images_are_found_by_what_they_hold(tmp_path):
    assert beside(tmp_path) == ""
    (tmp_path / "labels").mkdir()
    written(tmp_path, "labels/note.txt", "made in spring")
    written(tmp_path, "labels/broken.json", "{")
    assert beside(tmp_path) == ""
    written(tmp_path, "labels/x.txt", "0 0.5 0.5 0.1 0.2\n1 0.25 0.5 0.1 0.2\n")
    assert beside(tmp_path).startswith(f"{tmp_path / 'labels' / 'x.txt'}: these are boxes or polygons of YOLO")
    assert of_file(tmp_path / "labels" / "note.txt") is None
    written(tmp_path, "task-1-annotation-2-by-1-tag-cat-0.npy", "")
    assert "layers of Label Studio's brushes" in beside(tmp_path)
