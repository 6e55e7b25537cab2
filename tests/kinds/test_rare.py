"""Classes with one label are left out or merged as the user says, or the error says what else would do."""

from __future__ import annotations

import pytest

from tutelage.kinds import KINDS
from tutelage.kinds.dataset import Files
from tutelage.kinds.reading import read_files
from tutelage.tables import DataError, Notes


@pytest.fixture
def learn(tmp_path):
    """Reads a table of texts with labels, and gives the classes and what was said."""

    def call(labels, **options):
        rows = [f"text number {i},{label}" for i, label in enumerate(labels)]
        (tmp_path / "t.csv").write_text("\n".join(["text,label", *rows]) + "\n")
        kind, notes = KINDS["texts"](text="text", label="label", **options), Notes()
        return read_files(kind, Files(tmp_path / "t.csv"), notes).classes, notes

    return call


BOTH = ["food", "sport"] * 3


def test_one_class_merged_alone_would_still_have_one_label(learn):
    with pytest.raises(DataError) as refused:
        learn([*BOTH, "news"], rare="merge:other")
    said = str(refused.value)
    assert "row 7" in said and "only class 'news' has one label" in said and "such as --rare merge:food" in said
    assert learn([*BOTH, "news", "art"], rare="merge:other")[0] == ["food", "other", "sport"]


def test_a_class_is_merged_into_one_that_is_spelled_otherwise(learn):
    classes, notes = learn([*BOTH, "news"], rare="merge:Food")
    assert classes == ["food", "sport"]
    assert "Merged into 'food', as 'Food' is spelled here: 1 class with one label: 'news'." in notes.lines


def test_where_all_are_rare_none_is_left(learn):
    with pytest.raises(DataError, match="every class has one label, so that --rare leave-out leaves none"):
        learn(["food", "sport"], rare="leave-out")


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"rare": "merge:nan"}, "cannot merge classes into 'nan', which means that there is no label"),
        ({"rare": "merge:junk", "unlabelled_as": "Junk"}, "cannot merge classes into 'junk'"),
        ({"rare": "merge:other", "classes": "food,sport"}, "'other', which is none of the classes 'food', 'sport'"),
        ({"rare": "other"}, "rare must be leave-out, or merge:NAME, got 'other'"),
    ],
)
def test_names_that_cannot_be_of_a_class_are_refused(options, message):
    with pytest.raises(DataError, match=message):
        KINDS["texts"](text="text", label="label", **options)


def test_declared_classes_without_a_row_and_labels_that_are_nowhere_are_said(learn):
    _, notes = learn(BOTH, classes="food,sport,news", unlabelled_as="junk")
    assert any("1 declared class has no labelled row: 'news'." in line for line in notes.lines)
    assert any("--unlabelled-as 'junk': no label of" in line for line in notes.lines)
    assert not learn([*BOTH, "Junk"], unlabelled_as="junk")[1].lines[1:]
