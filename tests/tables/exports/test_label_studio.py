"""Label Studio's tasks, JSON_MIN and CSV become plain columns, and what is not taken is said."""

from __future__ import annotations

import io
import json

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from tutelage.modalities.sentences.tables import read_sentences
from tutelage.tables import DataError, Notes, column, read
from tutelage.tables.exports import recognised
from tutelage.tables.exports.brush import decoded

RUN_OF_8 = [0, 0, 0, 8, 57, 27, 252, 255, 224]
"""Run lengths of 8 times 255, as the tool's own package writes them."""


def choices(*names, control="topic"):
    return {"from_name": control, "to_name": "text", "type": "choices", "value": {"choices": list(names)}}


def span(start, end, kind, own=None):
    value = {"start": start, "end": end, "labels": [kind]} | ({} if own is None else {"text": own})
    return {"from_name": "ner", "to_name": "text", "type": "labels", "value": value}


def brush(*names, rle=RUN_OF_8, **more):
    value = {"format": "rle", "rle": rle, "brushlabels": list(names)}
    size = {"original_width": 2, "original_height": 1}
    return {"from_name": "tag", "to_name": "image", "type": "brushlabels", "value": value, **size, **more}


def by(person, *results, **more):
    return {"id": 1, "completed_by": person, "result": list(results), **more}


def task(number, text, *annotations, **more):
    return {"id": number, "data": {"text": text}, "annotations": list(annotations), **more}


def flat(number, annotation=1, person="1", **cells):
    about = {"annotation_id": annotation, "annotator": person, "created_at": "", "updated_at": "", "lead_time": 1.0}
    return {"id": number, **cells, **about}


def test_a_choice_is_a_label_and_a_task_without_annotation_has_none():
    made = recognised([task(1, "a", by(1, choices("food"))), task(2, "b"), {"id": 3, "data": {"text": "c"}}])
    assert made.frame.columns.tolist() == ["id", "text", "topic", "annotator"]
    assert (made.frame.id.tolist(), made.frame.text.tolist()) == ([1, 2, 3], ["a", "b", "c"])
    assert made.frame.topic.fillna("-").tolist() == ["food", "-", "-"]
    assert made.sentence == "Label Studio export: 3 tasks; labels: topic (choices); 2 tasks have no annotation."


def test_several_choices_stay_a_list_and_paths_of_a_taxonomy_have_strokes():
    path = {"from_name": "tree", "type": "taxonomy", "value": {"taxonomy": [["animal", "cat"]]}}
    made = recognised([task(1, "a", by(1, choices("food", "sport"), path))])
    assert made.frame.topic.tolist() == [["food", "sport"]]
    assert made.frame.tree.tolist() == ["animal/cat"]


@pytest.mark.parametrize("key", ["was_cancelled", "skipped"])
def test_a_skipped_annotation_is_none(key):
    made = recognised([task(1, "a", by(1, choices("food"))), task(2, "b", by(1, choices("sport"), **{key: True}))])
    assert made.frame.topic.fillna("-").tolist() == ["food", "-"]
    assert made.refused == {2: "skipped by the annotator"}
    assert "1 task has no label (skipped by the annotator); not taken: 1 skipped annotation" in made.sentence


def test_annotations_that_agree_are_one_row_and_those_that_differ_a_row_each():
    same = task(1, "a", by(1, choices("food")), by({"id": 2, "email": "bob@x"}, choices("food")))
    other = task(2, "b", by(1, choices("food")), by(2, choices("sport")))
    made = recognised([same, other, task(3, "c")])
    assert made.frame.text.tolist() == ["a", "b", "b", "c"]
    assert made.frame.topic.fillna("-").tolist() == ["food", "food", "sport", "-"]
    assert made.frame.annotator.fillna("-").tolist() == ["1, bob@x", "1", "2", "-"]
    assert list(made.places) == [0, 1, 3]
    assert "3 tasks in 4 rows" in made.sentence
    assert "1 task has several annotations that agree: one row" in made.sentence
    assert "1 task has annotations that differ: a row for each" in made.sentence


def test_an_empty_annotation_does_not_differ_from_a_full_one():
    made = recognised([task(1, "a", by(1, choices("food")), by(2)), task(2, "b", by(1))])
    assert made.frame.topic.fillna("-").tolist() == ["food", "-"]
    assert "empty: 2 annotations" in made.sentence


def test_a_ground_truth_counts_alone():
    made = recognised([task(1, "a", by(1, choices("food")), by(2, choices("sport"), ground_truth=True))])
    assert made.frame.topic.tolist() == ["sport"]
    assert "not taken: 1 annotation beside a ground truth" in made.sentence


def test_predictions_are_no_labels():
    made = recognised([task(1, "a", predictions=[{"result": [choices("food")]}])])
    assert "topic" not in made.frame
    assert "not taken: 1 prediction" in made.sentence


def test_what_is_not_read_is_said_by_control():
    rating = {"from_name": "stars", "type": "rating", "value": {"rating": 3}}
    box = {
        "from_name": "box",
        "type": "rectanglelabels",
        "value": {"x": 1, "y": 1, "width": 2, "height": 2, "rectanglelabels": ["a"]},
    }
    pair = {"from_name": "pair", "type": "pairwise", "value": {"selected": "left"}}
    of_region = choices("big") | {"parentID": "r"}
    relation = {"type": "relation", "from_id": "a", "to_id": "b"}
    made = recognised([task(1, "a", by(1, rating, box, pair, of_region, relation))])
    assert not made.labels
    for words in (
        "stars (rating)",
        "box (rectanglelabels)",
        "pair (pairwise)",
        "topic (choices of regions)",
        "relation (relation)",
    ):
        assert f"not read: 1 value of {words}" in made.sentence


def test_a_control_with_the_name_of_the_data_gets_a_column_of_its_own():
    made = recognised([task(1, "a", by(1, choices("food", control="text")))])
    assert (made.frame.text.tolist(), made.frame.text_labels.tolist()) == (["a"], ["food"])


def test_spans_are_lists_and_an_annotation_without_one_is_a_text_without_an_entity():
    made = recognised([task(1, "Ada left", by(1, span(0, 3, "PER", "Ada"))), task(2, "b", by(1)), task(3, "c")])
    assert made.frame.ner.tolist() == [[[0, 3, "PER"]], [], None]
    assert "empty: 1 annotation" in made.sentence


def test_offsets_in_utf16_units_are_told_by_the_spans_own_texts():
    old, new = by(1, span(3, 6, "PER", "Ada")), by(1, span(2, 5, "PER", "Ada"))
    of_old, of_new = (recognised([task(1, "😀 Ada left", one)]) for one in (old, new))
    assert (of_old.frame.ner.tolist(), of_old.frame.attrs) == ([[[3, 6, "PER"]]], {"offsets": "utf-16"})
    assert "spans count UTF-16 units, as their own texts show" in of_old.sentence
    assert (of_new.frame.ner.tolist(), of_new.frame.attrs) == ([[[2, 5, "PER"]]], {})
    mixed = recognised([task(1, "😀 Ada left", old), task(2, "😀 Ada left", new)])
    assert (mixed.frame.ner.tolist(), mixed.frame.attrs) == ([[[2, 5, "PER"]]] * 2, {})
    assert "counted in characters now: 1 span in UTF-16 units" in mixed.sentence


def test_spans_of_html_lie_in_its_text():
    value = {"start": "/b[1]/text()[1]", "end": "/b[1]/text()[1]", "globalOffsets": {"start": 0, "end": 3}}
    good = {"from_name": "ner", "type": "hypertextlabels", "value": value | {"text": "Ada", "hypertextlabels": ["PER"]}}
    bad = good | {"value": good["value"] | {"text": "Bob"}}
    made = recognised([task(1, "<b>Ada</b> left", by(1, good)), task(2, "<b>Ada</b> left", by(1, bad))])
    assert made.frame.text_text.tolist() == ["Ada left"] * 2
    assert made.frame.ner.tolist() == [[[0, 3, "PER"]], None]
    assert "not read: 1 annotation with spans of HTML that do not fit the text of the page" in made.sentence


def pixels(cell):
    return np.asarray(Image.open(io.BytesIO(cell))).tolist()


def test_brushes_become_masks_whose_numbers_are_named():
    both = by(1, brush("dog"), brush("cat"))
    made = recognised([task(1, "a", by(1, brush("dog"))), task(2, "b", both), task(3, "c", by(1)), task(4, "d")])
    cells = made.frame.tag.tolist()
    assert [pixels(cell) for cell in cells[:2]] == [[[2, 2]], [[1, 1]]]  # a later brush lies over an earlier one
    assert cells[2:] == [None, None]
    assert made.classes == {"tag": ["background", "cat", "dog"]}
    assert "class numbers in the masks of tag: 0 background, 1 cat, 2 dog" in made.sentence


def test_a_mask_with_other_shapes_or_broken_run_lengths_is_left_out_with_a_word():
    polygon = {"from_name": "tag", "type": "polygonlabels", "value": {"points": [[1, 2]], "polygonlabels": ["cat"]}}
    broken = brush("cat", rle=RUN_OF_8[:6])
    wide = brush("cat", original_width=3)
    rows = [task(i, "a", by(1, *results)) for i, results in enumerate([[brush("cat"), polygon], [broken], [wide]])]
    made = recognised(rows)
    assert made.frame.tag.tolist() == [None] * 3
    assert "1 annotation with shapes other than a brush in tag" in made.sentence
    assert "1 annotation with the run lengths of a brush end too early" in made.sentence
    assert "1 annotation with a brush has 2 pixels, but its image is 1 x 3" in made.sentence


def test_run_lengths_of_mixed_blocks():
    bits = f"{3:032b}{7:05b}" + "0010" * 4 + "1" + "00" + "001" + f"{9:08b}" + "0" + "00" + "000" + f"{4:08b}"
    bits = bits.ljust(-(-len(bits) // 8) * 8, "0")
    assert decoded([int(bits[i : i + 8], 2) for i in range(0, len(bits), 8)]).tolist() == [9, 9, 4]


def test_flat_exports_join_the_annotations_of_a_task():
    spans = [{"start": 0, "end": 1, "labels": ["PER"], "text": "a"}]
    rows = [
        flat(1, text="a", topic="food", ner=spans), flat(1, 2, "2", text="a", topic="food", ner=spans),
        flat(2, text="b", topic="food"), flat(2, 2, "2", text="b", topic="sport"),
        flat(3, text="c", topic={"choices": ["food", "sport"]}), flat(4, None, None, text="d"),
    ]  # fmt: skip
    in_csv = pd.DataFrame(
        [
            {k: json.dumps(v) if isinstance(v, (list, dict)) else "" if v is None else str(v) for k, v in r.items()}
            for r in rows
        ]
    ).fillna("")
    for made in (recognised(rows), recognised(in_csv)):
        assert made.frame.text.tolist() == ["a", "b", "b", "c", "d"]
        assert made.frame.topic.tolist() == ["food", "food", "sport", ["food", "sport"], None]
        assert made.frame.ner.tolist() == [[[0, 1, "PER"]], [], [], [], None]
        assert made.frame.annotator.fillna("-").tolist() == ["1, 2", "1", "2", "1", "-"]
        assert list(made.places) == [0, 0, 1, 1, 3, 4]
        assert "lead_time" not in made.frame
        assert "left out: the columns annotation_id, created_at, lead_time, updated_at" in made.sentence


def test_a_cell_of_text_in_brackets_stays_text_in_a_flat_export():
    made = recognised(pd.DataFrame([flat("1", text="[sic] {a}", topic="food"), flat("2", text="[1]", topic="food")]))
    assert made.frame.text.tolist() == ["[sic] {a}", "[1]"]


def test_reading_a_file_says_what_was_made(tmp_path):
    file = tmp_path / "t.jsonl"
    file.write_text(json.dumps(task(1, "a", by(1, choices("food")))) + "\n" + json.dumps(task(2, "b")))
    notes = Notes()
    table = read(file, notes=notes)
    read(file, notes=notes)
    assert (table.seen.format, table.seen.made[:20], table.seen.rows) == ("Label Studio", "Label Studio export:", 2)
    assert notes.lines == [f"{file}: {table.seen.made}"]


def test_spans_of_a_csv_export_tag_words(tmp_path):
    spans = json.dumps([{"start": 0, "end": 3, "labels": ["PER"], "text": "Ada"}])
    pd.DataFrame([flat(1, text="Ada left", ner=spans), flat(2, text="she left", ner="")]).to_csv(
        tmp_path / "t.csv", index=False
    )
    found = read_sentences(tmp_path / "t.csv", "text", "ner")
    assert (found.tokens, found.tags) == ([["Ada", "left"], ["she", "left"]], [["B-PER", "O"], ["O", "O"]])


def test_the_export_in_conll_is_read(tmp_path):
    (tmp_path / "t.conll").write_text("-DOCSTART- -X- O\nAda -X- _ B-PER\nleft -X- _ O\n\nshe -X- _ O\n\n")
    found = read_sentences(tmp_path / "t.conll")
    assert (found.tokens, found.tags) == ([["Ada", "left"], ["she"]], [["B-PER", "O"], ["O"]])


def test_labels_of_shapes_are_refused_by_their_column(tmp_path):
    shape = {"from_name": "tag", "type": "polygonlabels", "value": {"points": [[1, 1]], "polygonlabels": ["cat"]}}
    rows = [{"id": 1, "data": {"image": "a.png"}, "annotations": [{"result": [shape]}]}]
    (tmp_path / "t.json").write_text(json.dumps(rows))
    table = read(tmp_path / "t.json").frame
    with pytest.raises(DataError, match="labels of 'tag' are polygonlabels, which are not read; draw them as masks"):
        column(table, "tag", "t.json")
    with pytest.raises(DataError, match="no column 'other'"):
        column(table, "other", "t.json")
