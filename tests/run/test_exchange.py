"""A table goes to an annotation tool and comes back as answers that a fit takes."""

from __future__ import annotations

import json
import re
import time
import tracemalloc
from dataclasses import replace

import pandas as pd
import pytest
from PIL import Image

from tutelage.exchange import FORMATS, Answer, Span, read
from tutelage.modalities.sentences.tables import read_sentences
from tutelage.tables import read_table

ASK = pd.DataFrame({
    "row": [3, 7, 9, 12], "text": ["the soup was cold", "they scored late", '=1+1, a "quote" 😀', "nothing\nat all"],
    "label": [None, None, None, "sport"], "guess": ["food", "sport", "food", "food"], "why": ["food 51 %"] * 4,
    "asked_by": ["diverse", "random", "diverse", "random"],
})  # fmt: skip


@pytest.fixture
def ask(tmp_path):
    ASK.to_csv(tmp_path / "ask.csv", index=False)
    return tmp_path / "ask.csv"


def task(text, *labels, row=None, **more):
    """Task of Label Studio, with an annotation by "ann", "bob", ... for each label; None is a skipped one."""
    people = ("ann", "bob", "cy", "dan")
    given = [
        {"completed_by": {"email": who}, "was_cancelled": label is None, "result": [] if label is None else [
            {"from_name": "label", "to_name": "text", "type": "choices", "value": {"choices": [label]}}]}
        for who, label in zip(people, labels, strict=False)
    ]  # fmt: skip
    return {"data": {"text": text} | ({} if row is None else {"row": row}), "annotations": given, **more}


def said(shown):
    return " ".join(shown.split())


def labelled_there(name, file):
    """The tool's file with each text's label filled in, as people would."""
    known = {"the soup was cold": "food", "they scored late": "sport", '=1+1, a "quote" 😀': "food"}
    text = file.read_text()
    if name == "label-studio":
        rows = [one | {"annotations": task("", known[one["data"]["text"]])["annotations"]}
                if one["data"]["text"] in known else one for one in json.loads(text)]  # fmt: skip
        return json.dumps(rows)
    if name == "argilla":
        rows = json.loads(text)
        for one in rows:
            one["responses"] = {"label": [
                {"value": known.get(one["fields"]["text"], "sport"), "user_id": "00000000-0000-0000-0000-000000000001"}
            ]}  # fmt: skip
        return json.dumps(rows)
    rows = [json.loads(line) for line in text.splitlines()]
    for one in rows:
        label = known.get(one["text"], "sport")
        as_doccano = {"label": [label], "Comments": [], "id": 5}
        one.update(as_doccano if name == "doccano" else {"accept": [label], "answer": "accept"})
    return "".join(json.dumps(row) + "\n" for row in rows)


@pytest.mark.parametrize("name", FORMATS)
def test_a_table_comes_back_with_its_columns_and_labels(run, ask, name):
    file = ask.with_name(f"tasks{FORMATS[name].ending}")
    code, shown = run("exchange", ask, "--to", name, "--out", file)
    assert code == 0, shown
    assert f"4 texts for {FORMATS[name].title} are in" in said(shown) and "with the classes food, sport" in said(shown)
    assert file.with_suffix(FORMATS[name].beside).exists()
    found = read(file)
    assert [record.id for record in found.records] == ["3", "7", "9", "12"]
    guesses = [record.suggestion and record.suggestion.label for record in found.records]
    assert guesses[:3] == [("food",), ("sport",), ("food",)]
    file.write_text(labelled_there(name, file))
    code, shown = run("exchange", file, "--table", ask, "--out", ask.with_name("answers.csv"))
    assert code == 0, shown
    assert f"is of {FORMATS[name].title}: 4 items, 4 answers" in said(shown)
    table = pd.read_csv(ask.with_name("answers.csv"))
    expected = ASK.assign(label=["food", "sport", "food", "sport"])
    pd.testing.assert_frame_equal(table[list(ASK.columns)], expected)


def test_without_guesses_nothing_is_suggested(run, ask):
    out = ask.with_name("tasks.json")
    code, shown = run(
        "exchange", ask, "--to", "label-studio", "--out", out, "--no-guesses", "--classes", "sport,food,other"
    )
    assert code == 0, shown
    assert not any("predictions" in one for one in json.loads(out.read_text()))
    assert out.with_suffix(".xml").read_text().index('"sport"') < out.with_suffix(".xml").read_text().index('"food"')


def test_answers_are_counted_and_what_has_no_label_is_told(run, ask):
    rows = [
        task("the soup was cold", "food", "food", "sport", row="3"), task("they scored late", "food", "sport", row=7),
        task('=1+1, a "quote" 😀', None, row="9"), task("nothing\nat all", "food", row="12"),
        task("of another table", "food"),
    ]  # fmt: skip
    ask.with_name("a.json").write_text(json.dumps(rows))
    code, shown = run("exchange", ask.with_name("a.json"), "--table", ask, "--out", ask.with_name("o.csv"))
    assert code == 0, shown
    table = pd.read_csv(ask.with_name("o.csv"))
    assert table["label"].fillna("-").tolist() == ["food", "-", "-", "food"]
    assert table["annotators"].fillna("-").tolist() == ["ann, bob, cy", "ann, bob", "-", "ann"]
    assert "5 items, 8 answers by 3 annotators; of 2 items with several, they differ on 2." in said(shown)
    assert "2 of the 4 rows" in said(shown) and "1 of them had another label before." in said(shown)
    assert "1 item; the first is of another table." in said(shown)
    assert "Without a label from it: 1 tied, 1 skipped." in said(shown)


def test_answers_are_found_by_their_texts_where_rows_are_not_known(run, ask):
    rows = [task(" they scored late\n", "sport"), task("the soup was cold", "food", row="4711")]
    ask.with_name("a.json").write_text(json.dumps(rows))
    code, shown = run("exchange", ask.with_name("a.json"), "--table", ask, "--out", ask.with_name("o.csv"), "--json")
    assert code == 0, shown
    assert pd.read_csv(ask.with_name("o.csv"))["label"].tolist()[:2] == ["food", "sport"]
    told = json.loads(shown.splitlines()[0])
    assert (told["tool"], told["items"], told["labels"], told["annotators"]) == ("Label Studio", 2, 2, ["ann"])


def test_records_of_one_text_and_rows_of_one_text_share_their_answers(run, tmp_path):
    (tmp_path / "ask.csv").write_text("row,text,label\n1,a,\n2,a,\n3,b,\n")
    said = [{"value": label, "user_id": f"u{i}"} for i, label in enumerate(["food", "sport", "sport"])]
    rows = [
        {"id": f"x{i}", "fields": {"text": "a"}, "suggestions": {}, "responses": {"label": [one]}}
        for i, one in enumerate(said)
    ]
    (tmp_path / "a.json").write_text(json.dumps(rows))
    code, shown = run("exchange", tmp_path / "a.json", "--table", tmp_path / "ask.csv", "--out", tmp_path / "o.csv")
    assert code == 0, shown
    table = pd.read_csv(tmp_path / "o.csv")
    assert table["label"].fillna("-").tolist() == ["sport", "sport", "-"]
    assert table["annotators"].fillna("-").tolist() == ["u0, u1, u2", "u0, u1, u2", "-"]


def test_a_file_alone_becomes_a_table(run, tmp_path):
    (tmp_path / "a.json").write_text(json.dumps([task("a", "food", row=17), task("b", None, row=18)]))
    code, shown = run(
        "exchange", tmp_path / "a.json", "--out", tmp_path / "o.csv", "--text", "body", "--label", "topic"
    )
    assert code == 0, shown
    table = pd.read_csv(tmp_path / "o.csv")
    assert table["row"].tolist() == [17, 18] and table["body"].tolist() == ["a", "b"]
    assert table["topic"].fillna("-").tolist() == ["food", "-"]
    assert "Without --table the rows have no asked_by" in said(shown)


def test_a_fit_learns_the_answers_and_the_drawn_ones_are_a_sample(run, bench, subjects):
    folder = bench.folder
    words = ("--train", folder / "train.csv", "--unlabelled", folder / "pool.csv", "--text", "text", "--label", "label")
    code, shown = run("next", *words, "--encoder", bench.encoder, "--count", 20, "--out", folder / "ask.csv")
    assert code == 0, shown
    words = ("--to", "prodigy", "--out", folder / "tasks.jsonl", "--classes", "food,sport")
    code, shown = run("exchange", folder / "ask.csv", *words)
    assert code == 0, shown
    rows = [json.loads(line) for line in (folder / "tasks.jsonl").read_text().splitlines()]
    food = set(subjects["food"])
    done = [
        row | {"accept": ["food" if food & set(row["text"].split()) else "sport"], "answer": "accept"} for row in rows
    ]
    (folder / "tasks.jsonl").write_text("\n".join(map(json.dumps, done)))
    words = ("--table", folder / "ask.csv", "--out", folder / "answers.csv")
    code, shown = run("exchange", folder / "tasks.jsonl", *words)
    assert code == 0, shown
    code, shown = run(*bench.fit("supervised", test=None, answers=folder / "answers.csv", no_evidence=True))
    assert code == 0, shown
    summary = json.loads((bench.out / "summary.json").read_text())
    assert summary["labelled"] == 16 + 20
    drawn = pd.read_csv(folder / "ask.csv")["asked_by"].tolist().count("random")
    assert (summary["sample"]["chosen"], summary["sample"]["drawn"]) == (20 - drawn, drawn)


SENTENCES = {
    "words": ("row,tokens,tags,guess\n"
              "3,\"[\"\"Ada\"\", \"\"left\"\"]\",,B-PER O\n"
              "4,\"[\"\"at\"\", \"\"New York\"\"]\",,O O\n",
              ['["B-PER", "O"]', '["O", "B-LOC"]']),
    "texts": ("row,tokens,tags,guess\n3,\"😀 Ada left.\",,O B-PER O O\n4,\"in New York, now\",,O O O O O\n",
              ['[[2, 5, "PER"]]', '[[3, 11, "LOC"]]']),
}  # fmt: skip


@pytest.mark.parametrize("name", FORMATS)
@pytest.mark.parametrize("form", SENTENCES)
def test_sentences_go_as_spans_and_come_back_as_their_table_has_them(run, tmp_path, name, form):
    text, expected = SENTENCES[form]
    (tmp_path / "ask.csv").write_text(text)
    file = tmp_path / f"tasks{FORMATS[name].ending}"
    columns = ("--tokens", "tokens", "--tags", "tags")
    code, shown = run("exchange", tmp_path / "ask.csv", *columns, "--to", name, "--out", file, "--classes", "PER,LOC")
    assert code == 0, shown
    first, second = read(file).records
    (span,) = first.suggestion.label
    assert (first.text[span.start : span.end], span.type) == ("Ada", "PER")
    start = second.text.index("New York")
    done = [
        replace(first, answers=(Answer((span,), "7"),)),
        replace(second, answers=(Answer((Span(start, start + 8, "LOC"),), "7"),)),
    ]
    file.unlink()
    FORMATS[name].write(done, file, None)
    words = ("--table", tmp_path / "ask.csv", "--out", tmp_path / "o.csv")
    code, shown = run("exchange", file, *columns, *words)
    assert code == 0, shown
    assert pd.read_csv(tmp_path / "o.csv")["tags"].tolist() == expected
    tags = read_sentences(tmp_path / "o.csv", "tokens", "tags").tags
    assert [tag for tag in tags[0] if tag != "O"] == ["B-PER"] and "B-LOC" in tags[1]


def test_spans_belong_to_texts_that_are_equal_sign_by_sign(run, tmp_path):
    (tmp_path / "ask.csv").write_text("row,tokens,tags,guess\n3,in New York,,O B-LOC\n4,at home,,O O\n")
    rows = [
        {"text": " in New York", "label": [[4, 12, "LOC"]], "row": 3},
        {"text": "at home", "label": [[3, 7, "LOC"]]},
    ]
    (tmp_path / "a.jsonl").write_text("\n".join(map(json.dumps, rows)))
    columns = ("--tokens", "tokens", "--tags", "tags")
    words = ("--table", tmp_path / "ask.csv", "--out", tmp_path / "o.csv")
    code, shown = run("exchange", tmp_path / "a.jsonl", *columns, *words)
    assert code == 0 and "1 item; the first is row 3." in said(shown), shown
    assert pd.read_csv(tmp_path / "o.csv")["tags"].fillna("-").tolist() == ["-", '["O", "B-LOC"]']
    file = tmp_path / "tasks.json"
    code, shown = run("exchange", tmp_path / "ask.csv", *columns, "--to", "argilla", "--out", file, "--classes", "LOC")
    assert code == 0 and "column 'guess': left out, as they have no tag for each word: 1 guess." in said(shown), shown


def test_spans_that_overlap_are_told_and_left_out(run, tmp_path):
    (tmp_path / "ask.csv").write_text("row,tokens,tags\n3,in New York,\n")
    spans = [[3, 6, "A"], [3, 11, "B"]]
    (tmp_path / "a.jsonl").write_text(json.dumps({"text": "in New York", "label": spans, "row": 3}))
    columns = ("--tokens", "tokens", "--tags", "tags")
    words = ("--table", tmp_path / "ask.csv", "--out", tmp_path / "o.csv")
    code, shown = run("exchange", tmp_path / "a.jsonl", *columns, *words)
    assert code == 0, shown
    assert "1 answer has spans that overlap, the first is on row 3" in said(shown)
    assert "Left as they were, as their answers are no labels:" in said(shown) and "overlap" in said(shown)
    assert pd.read_csv(tmp_path / "o.csv")["tags"].isna().all()


@pytest.mark.parametrize("name", FORMATS)
def test_images_go_by_their_paths_and_come_back_by_their_rows_or_names(run, tmp_path, name):
    for i in range(3):
        Image.new("RGB", (4, 4), (i, 0, 0)).save(tmp_path / f"p {i}.png")
    pd.DataFrame({"row": [1, 2, 3], "image": [f"p {i}.png" for i in range(3)], "label": None}).to_csv(
        tmp_path / "ask.csv", index=False
    )
    file = tmp_path / f"tasks{FORMATS[name].ending}"
    columns = ("--images", "image", "--label", "label")
    code, shown = run("exchange", tmp_path / "ask.csv", *columns, "--to", name, "--out", file, "--classes", "cat,dog")
    assert code == 0, shown
    assert [record.image for record in read(file).records] == [str(tmp_path / f"p {i}.png") for i in range(3)]
    (tmp_path / "all.jsonl").write_text(
        "".join(
            json.dumps({"id": 9 - i, "filename": f"p {i}.png", "label": ["cat"], "Comments": []}) + "\n" for i in (0, 2)
        )
    )
    words = ("--table", tmp_path / "ask.csv", "--out", tmp_path / "o.csv")
    code, shown = run("exchange", tmp_path / "all.jsonl", *columns, *words)
    assert code == 0, shown
    assert pd.read_csv(tmp_path / "o.csv")["label"].fillna("-").tolist() == ["cat", "-", "cat"]


BAD = {
    "cut.json": ('[{"data": {"text": "a"}}, {"data": {"te', "line 1, column 37: its end is missing; export"),
    "cut.jsonl": ('{"text": "a", "label": []}\n{"text": "b", "lab', "line 2, column 15: its end is missing"),
    "broken.json": ('[{"data": tru}]', "line 1, column 11: it is not JSON"),
    "empty.json": ("", "empty.json: the file is empty"),
    "none.json": ("[]", "none.json: the list is empty"),
    "strange.json": ('[{"body": "a"}]', "record 1: no tool's file is known by its names 'body'. Known are Label"),
    "numbers.json": ("[1, 2]", "record 1: an object with names and values is needed, got 1"),
    "mixed.jsonl": (
        '{"text": "a", "label": ["x"]}\n{"data": {"text": "b"}}', "line 2: a row of doccano has 'text' or 'filename'"
    ),
    "twice.json": (
        '[{"data": {"text": "a", "row": 1}}, {"data": {"text": "b", "row": 1}}]', "record 2: the row '1' is that of"
    ),
    "cells.csv": ("id,text,label,Comments\n1,a\n", "row 1: it has 2 cells, and the header 4"),
    "names.csv": ("id,text,label,Comments\n", "the file has no rows"),
    "both.jsonl": (
        '{"text": "a", "label": ["x"]}\n{"filename": "b", "label": ["x"]}', "line 2: no item under 'text'"
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", BAD)
def test_files_that_cannot_be_read(run, tmp_path, name):
    text, message = BAD[name]
    (tmp_path / name).write_text(text)
    code, shown = run("exchange", tmp_path / name, "--out", tmp_path / "o.csv")
    assert code == 2 and f"Error: {tmp_path / name}" in shown and message in said(shown), shown
    assert "Traceback" not in shown and not (tmp_path / "o.csv").exists()


def test_a_byte_order_mark_is_no_fault_and_other_bytes_are(run, tmp_path):
    (tmp_path / "a.jsonl").write_bytes('{"text": "ä", "label": ["x"]}'.encode("utf-8-sig"))
    assert run("exchange", tmp_path / "a.jsonl", "--out", tmp_path / "o.csv")[0] == 0
    (tmp_path / "b.jsonl").write_bytes('{"text": "ä", "label": ["x"]}'.encode("latin-1"))
    code, shown = run("exchange", tmp_path / "b.jsonl", "--out", tmp_path / "p.csv")
    assert code == 2 and "byte 11 is not UTF-8; export the file again as UTF-8" in said(shown)


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("ask.csv", "--to", "labelbox", "--out", "t.json"), "--to must be one of label-studio, argilla, prodigy"),
        (("ask.csv", "--to", "doccano", "--out", "t.json"), "--out must end in .jsonl, as files that doccano takes in"),
        (("ask.csv", "--to", "argilla", "--out", "no/t.json"), "no: no such folder"),
        (("none.csv", "--to", "argilla", "--out", "t.json"), "none.csv: no such file"),
        (("ask.csv", "--to", "argilla", "--out", "t.json", "--table", "ask.csv"), "--table is for a tool's file"),
        (("ask.csv", "--to", "argilla", "--out", "t.json", "--question", "q"), "--question is for a tool's file"),
        (("bare.csv", "--to", "argilla", "--out", "t.json"), "no row has a label or a guess, .* by --classes a,b"),
        (("ask.csv", "--to", "argilla", "--out", "t.json", "--text", "body"), "no column 'body'"),
        (("ask.csv", "--to", "argilla", "--out", "t.json", "--kind", "rows"), "rows of --kind rows are not exchanged"),
        (("a.json", "--out", "ask.csv"), "--out ask.csv exists, and may hold labels: name another file, or remove it"),
        (("a.json", "--out", "o.docx"), "o.docx: file name must end in one of .csv"),
        (("none.json", "--out", "o.csv"), "none.json: no such file"),
        ((".", "--out", "o.csv"), "it is no file; name the file that the tool exported"),
        (("a.json", "--table", "ask.csv", "--out", "o.csv"), "none of its 1 items is in ask.csv; it is of another"),
        (("s.jsonl", "--table", "ask.csv", "--out", "o.csv"), "its labels are spans; for spans name the column"),
        (("s.jsonl", "--tokens", "text", "--offsets", "utf-8", "--out", "o.csv"), "--offsets must be one of"),
    ],
)  # fmt: skip
def test_what_is_refused(run, ask, monkeypatch, words, message):
    monkeypatch.chdir(ask.parent)
    ask.with_name("bare.csv").write_text("text\na\n")
    ask.with_name("a.json").write_text(json.dumps([task("of another project", "food")]))
    ask.with_name("s.jsonl").write_text(json.dumps({"text": "the soup was cold", "label": [[0, 3, "PER"]]}))
    before = sorted(ask.parent.iterdir())
    code, shown = run("exchange", *words)
    assert code == 2 and re.search(message, said(shown)), shown
    assert "Traceback" not in shown and sorted(ask.parent.iterdir()) == before


def test_settings_that_are_there_are_not_overwritten(run, ask):
    ask.with_name("tasks.xml").write_text("mine")
    code, shown = run("exchange", ask, "--to", "label-studio", "--out", ask.with_name("tasks.json"))
    assert code == 2 and "tasks.xml exists" in said(shown)
    assert ask.with_name("tasks.xml").read_text() == "mine" and not ask.with_name("tasks.json").exists()


@pytest.mark.slow
@pytest.mark.parametrize("name", FORMATS)
def test_a_hundred_thousand_records_take_seconds_and_little_memory(run, tmp_path, name):
    texts = [f"text number {i} of a project with many of them, which goes on a while 😀" for i in range(100_000)]
    frame = {"row": range(1, 100_001), "text": texts, "label": None, "guess": ["food", "sport"] * 50_000}
    pd.DataFrame(frame).to_csv(tmp_path / "ask.csv", index=False)
    file = tmp_path / f"tasks{FORMATS[name].ending}"
    started = time.process_time()
    code, shown = run("exchange", tmp_path / "ask.csv", "--to", name, "--out", file)
    assert code == 0, shown
    there = time.process_time() - started
    code, shown = run("exchange", file, "--table", tmp_path / "ask.csv", "--out", tmp_path / "o.parquet")
    assert code == 0, shown
    assert len(read_table(tmp_path / "o.parquet")) == 100_000
    back = time.process_time() - started - there
    tracemalloc.start()
    found = read(file)
    peak = tracemalloc.get_traced_memory()[1] / 2**20
    tracemalloc.stop()
    print(f"{name}: {there:.1f} s there, {back:.1f} s back, {peak:.0f} MB, {file.stat().st_size / 2**20:.0f} MB file")
    assert len(found.records) == 100_000 and peak < 1000 and there + back < 120
