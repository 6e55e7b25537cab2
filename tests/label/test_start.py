"""A page that is opened, ended and opened again on its files."""

from __future__ import annotations

from io import StringIO

import pandas as pd
import pytest

pytest.importorskip("starlette", reason="the extra serve is not installed")

from tutelage.files import BadFileError, BusyError
from tutelage.kinds.images import Images
from tutelage.kinds.texts import Texts
from tutelage.label.campaign import Given
from tutelage.label.commands import LabelOptions
from tutelage.label.jobs import Jobs
from tutelage.label.learning import Learning
from tutelage.label.start import _command, campaign, read_as, tables_of_labels
from tutelage.tables import Notes


class Told(list):
    """Takes what is said."""

    def say(self, line: str) -> None:
        self.append(line)

    answer = say


def opened(path, table=True, **options):
    given = {} if table else {"train": path}
    return campaign(Texts(text="text", label="label"), path if table else None, LabelOptions(**given | options), Told())


def answer(labels, by, label="a"):
    row = labels.following(by)
    labels.answer(by, Given(row, labels.items.key(row), "label", label))
    return row


@pytest.fixture
def asked(tmp_path):
    path = tmp_path / "ask.csv"
    frame = {"row": range(8), "text": [f"text {i} here" for i in range(8)], "label": "", "asked_by": ["margin"] * 8}
    pd.DataFrame(frame).to_csv(path, index=False)
    return path


def test_others_are_asked_the_same_items_after_a_restart(asked):
    with opened(asked, overlap=1.0) as (labels, table):
        assert [answer(labels, "ann") for _ in range(4)] == [0, 1, 2, 3]
        table.write()
    with opened(asked, overlap=1.0) as (labels, table):
        assert labels.following("ben") == 0 and len(labels.queue) == 8
        assert labels.progress("ann")["left"] == 4 and labels.following("ann") == 4
        labels.undo("ann")
        assert labels.following("ann") == 3
        assert table.write() == 3
    assert pd.read_csv(asked).label.notna().sum() == 3


def test_the_random_order_and_the_classes_stay(asked):
    train = asked.with_name("mine.csv")
    pd.DataFrame({"text": [f"text {i} here" for i in range(40)]}).to_csv(train, index=False)
    with opened(train, table=False, classes="c,a,b") as (labels, table):
        order = labels.queue.tolist()
        assert order != sorted(order)
        for _ in range(5):
            answer(labels, "ann", "b")
        table.write()
    with opened(train, table=False) as (labels, table):
        assert labels.queue.tolist() == order and list(labels.classes) == ["c", "a", "b"]
        answer(labels, "ann", "a")
        assert table.write() == 6
    assert set(pd.read_csv(asked.with_name("mine-labels.csv")).asked_by) == {"random"}


def test_one_page_at_a_time(asked):
    with opened(asked), pytest.raises(BusyError, match="is being written by process"), opened(asked):
        pass


def test_an_output_that_cannot_be_is_refused_at_once(asked):
    for out in ("no/x.csv", "x.txt"):
        with pytest.raises(ValueError), opened(asked, out=asked.parent / out):
            pass


def test_a_journal_of_another_table_is_told(asked):
    with opened(asked) as (labels, _):
        answer(labels, "ann")
    other = pd.DataFrame({"text": [f"other {i}" for i in range(8)], "label": "", "asked_by": ["margin"] * 8})
    whole = asked.read_bytes()
    other.to_csv(asked, index=False)
    with pytest.raises(BadFileError, match=r"none of the 1 items.*move .*ask.csv.labels aside"), opened(asked):
        pass
    mixed = pd.concat([pd.read_csv(StringIO(whole.decode()), dtype=str, keep_default_na=False), other])
    mixed.tail(14).to_csv(asked, index=False)
    with pytest.raises(BadFileError, match="is of another table"), opened(asked):  # the answered one is gone
        pass
    mixed.to_csv(asked, index=False)
    with opened(asked) as (labels, _):
        answer(labels, "ann")
        answer(labels, "ann")
    mixed.tail(15).to_csv(asked, index=False)
    said = Told()
    with campaign(Texts(text="text", label="label"), asked, LabelOptions(), said):
        assert any("1 of the 3 items that the journal holds answers to are not in" in line for line in said)
    moved = asked.rename(asked.with_name("mine.csv"))
    asked.with_name("ask.csv.labels").rename(asked.with_name("mine.csv.labels"))
    said = Told()
    with campaign(Texts(text="text", label="label"), moved, LabelOptions(), said) as (labels, _):
        assert any("was begun for ask.csv" in line for line in said) and len(labels.known) == 3


def test_a_table_that_a_spreadsheet_wrote_gets_one_file_for_all_sessions(asked):
    asked.write_bytes(asked.read_bytes().replace(b",", b";"))
    for k in range(3):
        with opened(asked) as (labels, table):
            answer(labels, "ann")
            assert table.path == asked.with_name("ask-2.csv") and table.write() == k + 1
    assert sorted(path.name for path in asked.parent.glob("ask*.csv")) == ["ask-2.csv", "ask.csv"]


def test_equal_items_of_which_one_has_a_label_are_not_asked_for(asked):
    frame = {"text": ["the one", "the one", "another", "a third"], "label": ["a", "", "", ""]}
    path = asked.with_name("mine.csv")
    pd.DataFrame(frame).to_csv(path, index=False)
    with opened(path, table=False) as (labels, _):
        assert sorted(labels.queue.tolist()) == [2, 3]


def test_the_number_of_labels_is_one_on_the_page_and_in_the_table(asked):
    frame = pd.read_csv(asked, dtype=str, keep_default_na=False)
    pd.concat([frame, frame.head(2)]).to_csv(asked, index=False)
    with opened(asked) as (labels, table):
        answer(labels, "ann")
        assert table.write() == labels.progress("ann")["labelled"] == 1
    assert pd.read_csv(asked).label.notna().sum() == 2


def test_picked_and_corrected_items_keep_their_marks_when_the_page_is_opened_again(asked):
    path, out = asked.with_name("mine.csv"), asked.with_name("mine-labels.csv")
    labels = ["a" if i % 5 == 0 else "" for i in range(60)]
    frame = pd.DataFrame({"text": [f"text {i} here" for i in range(60)], "label": labels})
    frame.to_csv(path, index=False)
    with opened(path, table=False) as (campaign_, table):
        for _ in range(5):
            answer(campaign_, "ann")
        for row in (0, 5):  # the table has a label
            campaign_.answer("ann", Given(row, campaign_.items.key(row), "label", "b", asked="hand"))
        for row in campaign_.queue[30:40].tolist():
            campaign_.answer("ann", Given(row, campaign_.items.key(row), "label", "a", asked="hand"))
        table.write()
    before = pd.read_csv(out)
    assert before.asked_by.value_counts().to_dict() == {"hand": 12, "random": 5}
    more = pd.DataFrame({"text": ["a new one"], "label": [""]})
    pd.concat([frame, more]).to_csv(path, index=False)
    with opened(path, table=False) as (_, table):
        table.write()
    assert pd.read_csv(out).equals(before)


def test_the_label_of_a_table_comes_back_when_the_answer_that_changed_it_is_taken_back(asked):
    frame = pd.read_csv(asked, dtype=str, keep_default_na=False)
    frame.loc[2, "label"] = "first"
    frame.to_csv(asked, index=False)
    for last in ("undo", "unsure"):
        with opened(asked) as (labels, table):
            key = labels.items.key(2)
            labels.answer("ann", Given(2, key, "label", "second"))
            assert table.write() and pd.read_csv(asked).label[2] == "second"
        with opened(asked) as (labels, table):
            labels.undo("ann") if last == "undo" else labels.answer("ann", Given(2, key, "unsure"))
            table.write()
        assert pd.read_csv(asked).label[2] == "first"


def test_empty_texts_are_not_asked_for(asked):
    path = asked.with_name("gaps.jsonl")
    pd.DataFrame({"text": ["one", "", "two", ""]}).to_json(path, orient="records", lines=True)
    with opened(path, table=False) as (labels, _):
        assert sorted(labels.queue.tolist()) == [0, 2]


def test_labels_that_a_spreadsheet_kept_are_in_the_command_too(asked):
    frame = pd.read_csv(asked, dtype=str, keep_default_na=False)
    frame.loc[[1, 3], "label"] = "typed"
    frame.to_csv(asked, index=False, sep=";")
    for _ in range(2):
        with opened(asked) as (labels, table):
            answer(labels, "ann")
            assert table.write()
            assert tables_of_labels(labels, table, True) == [asked, asked.with_name("ask-2.csv")]
            assert f"--answers {asked} {asked.with_name('ask-2.csv')} " in _command(labels, LabelOptions(), table)
    both = [pd.read_csv(asked, sep=";"), pd.read_csv(asked.with_name("ask-2.csv"))]
    held = [set(each.text[each.label.notna()]) for each in both]
    assert [len(each) for each in held] == [2, 2] and not held[0] & held[1]


def test_a_table_that_is_filled_in_place_is_named_once(asked):
    frame = pd.read_csv(asked, dtype=str, keep_default_na=False)
    frame.loc[1, "label"] = "typed"
    frame.to_csv(asked, index=False)
    with opened(asked) as (labels, table):
        assert tables_of_labels(labels, table, True) == [asked]


def test_what_was_read_as_what_is_said_and_what_may_be_meant(asked):
    path = asked.with_name("mine.csv")
    said = []
    for rows in (["a soup", "a goal"], ["1.5", "2"], ["a.png", "b/c.JPG"]):
        pd.DataFrame({"text": rows}).to_csv(path, index=False)
        with opened(path, table=False) as (labels, _):
            said.append(read_as(labels.items))
    assert said[0].startswith("Read as texts by --text=text --label=label: 2 texts of ") and "0 have a label" in said[0]
    assert "Name --kind" in said[0] and "--kind rows" in said[1] and "--kind images" in said[2]


def test_images_of_no_class_are_learnt_by_their_own_table(tmp_path):
    from PIL import Image

    folder = tmp_path / "flat"
    folder.mkdir()
    for i in range(3):
        Image.new("RGB", (8, 8), (i, 0, 0)).save(folder / f"{i}.png")
    given = LabelOptions(train=folder)
    with campaign(Images(), None, given, Told()) as (labels, table):
        answer(labels, "ann")
        table.write()
        command = _command(labels, given, table)
    out = tmp_path / "flat-labels.csv"
    assert command.startswith(f"tutelage fit drift --train {out} --unlabelled {folder} --kind images --images=image ")


def test_a_label_of_the_table_that_the_page_changed_is_corrected_by_the_other_table(asked):
    with opened(asked) as (labels, table):
        answer(labels, "ann", "old")
        answer(labels, "ann", "kept")
        table.write()
    asked.write_bytes(asked.read_bytes().replace(b",", b";"))  # as a spreadsheet saves it
    with opened(asked) as (labels, table):
        labels.answer("ann", Given(0, labels.items.key(0), "label", "new"))
        table.write()
    found = pd.read_csv(asked.with_name("ask-2.csv"))
    assert found.label.tolist() == ["new", "kept"] and found.asked_by.tolist() == ["hand", "margin"]


def test_an_added_class_outlives_a_restart_and_classes_keep_their_keys(asked):
    with opened(asked) as (labels, table):
        labels.add_class("ann", "zebra")
        for label in ("spam", "ham", "ad"):
            answer(labels, "ann", label)
        first = list(labels.classes)
        assert first == ["zebra", "spam", "ham", "ad"]
        table.write()
    with opened(asked, classes="new,ham") as (labels, _):
        assert list(labels.classes) == [*first, "new"]


def test_the_class_for_none_of_these_stays_the_one_that_was_named(asked):
    with opened(asked, other="else") as (labels, table):
        labels.answer("ann", Given(0, labels.items.key(0), "none"))
        assert table.write() == 1
    with opened(asked) as (labels, table):
        assert labels.other == "else" and table.write() == 1
    assert pd.read_csv(asked).label[0] == "else"


@pytest.mark.parametrize(
    ("text", "label", "columns"),
    [("row", "label", ["row_2", "row", "extra", "label", "asked_by_2"]),
     ("text", "row", ["row_2", "text", "extra", "row", "asked_by_2"]),
     ("asked_by", "label", ["row_2", "asked_by", "extra", "label", "asked_by_2"]),
     ("text", "asked_by", ["row_2", "text", "extra", "asked_by", "asked_by_2"]),
     ("tutelage", "label", ["row", "tutelage", "extra", "label", "asked_by"])],
)  # fmt: skip
def test_columns_of_ones_own_stay_whatever_they_are_called(tmp_path, text, label, columns):
    path = tmp_path / "mine.csv"
    pd.DataFrame({text: [f"text {i} here" for i in range(4)], "extra": range(4)}).to_csv(path, index=False)
    made = campaign(Texts(text=text, label=label), None, LabelOptions(train=path), Told())
    with made as (labels, table):
        for row, name in enumerate("ab"):
            labels.answer("ann", Given(row, labels.items.key(row), "label", name))
        assert table.write() == 2
        found = pd.read_csv(table.path)
    assert list(found) == columns
    assert found[text].tolist() == ["text 0 here", "text 1 here"] and found[label].tolist() == ["a", "b"]
    assert found[columns[-1]].tolist() == ["random", "random"] and found[columns[0]].tolist() == [1, 2]


def test_how_the_items_are_read_is_in_the_command_and_the_table_beside_is_read_so(tmp_path):
    path = tmp_path / "mine.csv"
    path.write_bytes("Satz;n\nsüße Äpfel hier;1\nein Öl dort;2\n".encode("cp1252"))
    asked = LabelOptions(train=path, charset="cp1252", separator=";")
    with campaign(Texts(text="Satz", label="Art"), None, asked, Told()) as (labels, table):
        for row, name in enumerate("ab"):
            labels.answer("ann", Given(row, labels.items.key(row), "label", name))
        table.write()
        command = _command(labels, asked, table)
        learnt = Learning(labels, Jobs(tmp_path / "jobs"), asked)._labels(tmp_path)
    assert f"--train {tmp_path / 'mine-labels.parquet'} --unlabelled {path}" in command
    assert "--charset=cp1252 '--separator=;'" in command
    for made in (table.path, learnt):
        assert set(Texts(text="Satz", label="Art").entries(made, asked, Notes()).items) == {
            "süße Äpfel hier", "ein Öl dort",
        }  # fmt: skip


def test_a_label_that_was_typed_after_the_page_gave_another_is_not_corrected(asked):
    with opened(asked) as (labels, table):
        answer(labels, "ann", "a")
        table.write()
    typed = pd.read_csv(asked, dtype=str).assign(row=lambda frame: frame.row.astype(float))  # as a spreadsheet saves it
    typed.loc[0, "label"] = "b"
    typed.to_csv(asked, index=False, sep=";")
    with opened(asked) as (labels, table):
        table.write()
        assert table.path.name == "ask-2.csv" and labels.labelled[labels.items.key(0)] == "a"
    assert pd.read_csv(table.path).asked_by.tolist() == ["margin"]
