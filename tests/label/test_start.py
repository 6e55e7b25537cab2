"""A page that is opened, ended and opened again on its files."""

from __future__ import annotations

import pandas as pd
import pytest

pytest.importorskip("starlette", reason="the extra serve is not installed")

from tutelage.files import BusyError
from tutelage.kinds.texts import Texts
from tutelage.label.campaign import Given
from tutelage.label.commands import LabelOptions
from tutelage.label.start import campaign


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
