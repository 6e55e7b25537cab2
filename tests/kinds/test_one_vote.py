"""One item, one vote: copies are merged or grouped, groups are held out together, contradictions are named."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from tutelage import Classifier, load
from tutelage.kinds import KINDS
from tutelage.kinds.copied import copied_of
from tutelage.kinds.dataset import Files
from tutelage.kinds.one_vote import joined, one_vote_each, pool_once
from tutelage.kinds.reading import read_files
from tutelage.ops.agreement import fleiss
from tutelage.tables import DataError, Notes

ITEMS = [f"text number {word}" for word in ("one", "two", "three", "four", "five", "six")]
LABELS = ["food", "sport"] * 3


@pytest.fixture
def learn(tmp_path):
    """Reads a table of texts, and gives the data set and what was said."""

    def call(texts, labels, evidence=True, more=None, **options):
        table = pd.DataFrame({"text": texts, "label": labels} | (more or {}))
        table.to_csv(tmp_path / "t.csv", index=False)
        kind, notes = KINDS["texts"](text="text", label="label", **options), Notes()
        return read_files(kind, Files(tmp_path / "t.csv", evidence=evidence), notes), notes

    return call


def test_rows_that_occur_three_times_are_one_item(learn):
    once, _ = learn(ITEMS, LABELS)
    thrice, notes = learn(ITEMS * 3, LABELS * 3)
    assert thrice.items.labelled == once.items.labelled
    assert thrice.items.y.tolist() == once.items.y.tolist()
    assert thrice.items.grouped is None and thrice.items.groups.times.tolist() == [3] * 6
    assert "6 labelled texts occur more than once: 18 rows are 6 texts; each has one vote." in notes.lines_of_all()
    assert thrice.about()["copies"]["contradictions"] == 0 and thrice.repeated.kappa is None


def test_of_a_file_without_copies_nothing_is_said(learn):
    data, notes = learn(ITEMS, LABELS)
    assert data.items.groups is None and data.repeated is None and "copies" not in data.about()
    assert not {"votes", "contradictions", "groups"} & set(notes.facts)


def test_copies_that_differ_by_case_share_a_vote(learn):
    data, _ = learn([*ITEMS, "TEXT number one!"], [*LABELS, "food"])
    assert len(data.items.labelled) == 7 and data.items.labels == 6
    assert data.items.groups.weight.tolist() == [0.5, 1, 1, 1, 1, 1, 0.5]


def test_contradicting_copies_are_shares_of_one_item(learn):
    texts, labels = [*ITEMS, *ITEMS], [*LABELS, *LABELS[:4], "sport", "food"]
    data, notes = learn(texts, labels)
    assert data.items.labels == 6 and len(data.items.labelled) == 8
    assert data.items.groups.weight.tolist() == [1, 1, 1, 1, 0.5, 0.5, 0.5, 0.5]
    said = notes.facts["contradictions"].says
    assert said.startswith(
        "2 of the 6 texts that occur more than once have different labels (row 5, row 11: 'food', 'sport'; row 6, row "
        "12: 'sport', 'food'); Fleiss' kappa of the labels is 0.33."
    )
    assert data.repeated.table().to_dict("list") == {
        "rows": ["row 5; row 11", "row 6; row 12"], "item": ITEMS[4:], "labels": ["food; sport", "sport; food"],
    }  # fmt: skip


def test_annotators_who_agree_contradict_nothing(learn):
    _, notes = learn([*ITEMS, *ITEMS], [*LABELS, *LABELS])
    assert "contradictions" not in notes.facts


def test_each_copy_has_a_vote_where_the_user_says_so_but_they_share_a_fold(learn):
    data, notes = learn(ITEMS * 2, LABELS * 2, copies="each")
    assert data.items.labels == 12 and data.items.groups.clusters == 6
    assert "each copy has a vote" in notes.facts["votes"].says


def test_a_class_of_copies_alone_has_one_label(learn):
    with pytest.raises(
        DataError, match=r"class 'news' has one label \(its 2 rows are equal, and count once\); label one"
    ):
        learn([*ITEMS, "some news", "some news"], [*LABELS, "news", "news"])
    with pytest.raises(DataError, match=r"all labels of 'news' are of copies of one item \(row 7, row 8\)"):
        learn([*ITEMS, "some news", "Some news!"], [*LABELS, "news", "news"])


def test_items_of_a_group_lie_in_one_cluster_and_an_empty_cell_is_one_of_its_own(learn):
    data, notes = learn(ITEMS, LABELS, more={"author": ["ann", "ann", "bob", "bob", "", ""]}, group="author")
    assert data.items.groups.cluster.tolist() == [0, 0, 1, 1, 2, 3] and data.items.labels == 6
    said = (
        "author: the labels are of 2 values, each of which lies in one fold; 2 rows have none, and each is by itself."
    )
    assert said in notes.lines_of_all()
    assert "author (group)" in notes.facts["columns"].says


def test_a_chain_of_copies_and_groups_is_one_cluster(learn):
    texts = [*ITEMS, ITEMS[0]]
    data, _ = learn(texts, [*LABELS, "food"], more={"author": ["a", "b", "c", "d", "e", "f", "b"]}, group="author")
    first, second, *_ = data.items.groups.cluster
    assert first == second


def test_a_missing_column_of_groups_names_the_columns(learn):
    with pytest.raises(DataError, match=r"no column 'writer'; it has 'text', 'label', 'author'"):
        learn(ITEMS, LABELS, more={"author": ["a"] * 6}, group="writer")


def test_all_labels_of_a_class_by_one_author_are_refused_with_advice(learn):
    with pytest.raises(DataError, match=r"all labels of 'food' are of one author.*label rows of a second one"):
        learn(ITEMS, LABELS, more={"author": ["a", "b", "a", "c", "a", "d"]}, group="author")


def test_copies_must_be_once_or_each():
    with pytest.raises(ValueError, match="copies must be one of once, each, off, got 'twice'"):
        KINDS["rows"](copies="twice")


def test_connected_items_are_joined_over_any_chain():
    rng = np.random.default_rng(0)
    for _ in range(20):
        a, b = rng.integers(0, 8, (2, 12))
        label = list(range(12))  # union by repeated passes, the plain way
        for _ in range(12):
            for i in range(12):
                for j in range(12):
                    if a[i] == a[j] or b[i] == b[j]:
                        label[i] = label[j] = min(label[i], label[j])
        found = joined(a, b)
        assert all((found[i] == found[j]) == (label[i] == label[j]) for i in range(12) for j in range(12))


def test_kappa_is_that_of_the_literature():
    """The worked example of Fleiss (1971) as Wikipedia gives it: 10 subjects, 14 raters, 5 categories."""
    counts = np.array(
        [
            [0, 0, 0, 0, 14], [0, 2, 6, 4, 2], [0, 0, 3, 5, 6], [0, 3, 9, 2, 0], [2, 2, 8, 1, 1],
            [7, 7, 0, 0, 0], [3, 2, 6, 3, 0], [2, 5, 3, 2, 2], [6, 5, 2, 1, 0], [0, 2, 2, 3, 7],
        ]
    )  # fmt: skip
    assert fleiss(counts) == pytest.approx(0.210, abs=5e-4)


def test_sentences_with_other_tags_are_two_parts_of_one(tmp_path):
    lines = ["Ada O\nleft O", "Ada B-PER\nleft O", "Bob B-PER\nsang O", "Rome B-LOC\nfell O"]
    (tmp_path / "t.conll").write_text("\n\n".join(lines) + "\n")
    notes = Notes()
    data = read_files(KINDS["sentences"](tokens="0", tags="1"), Files(tmp_path / "t.conll"), notes)
    assert data.items.labels == 3 and data.items.groups.weight.tolist() == [0.5, 0.5, 1, 1]
    assert data.repeated.contradictions[0].labels == ("O O", "B-PER O")


def test_rows_of_numbers_take_the_group_for_no_feature(tmp_path):
    rng = np.random.default_rng(0)
    table = pd.DataFrame(rng.normal(size=(8, 2)).round(3), columns=["f1", "f2"])
    table = table.assign(patient=[1, 1, 2, 2, 3, 3, 4, 4], label=list("abababab"))
    table.to_csv(tmp_path / "t.csv", index=False)
    kind, files = KINDS["rows"](features=("all",), label="label", group="patient"), Files(tmp_path / "t.csv")
    kind = kind.settled(files)
    data = read_files(kind, files)
    assert np.shape(data.items.labelled) == (8, 2) and data.items.groups.cluster.tolist() == [0, 0, 1, 1, 2, 2, 3, 3]


def test_a_folder_has_no_column_of_groups(tmp_path):
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        for i in range(2):
            (tmp_path / name / f"{i}.txt").write_text(f"{name} text {i} here")
    with pytest.raises(DataError, match="--group author needs a table with this column; a folder has none"):
        read_files(KINDS["texts"](group="author"), Files(tmp_path))


def values_of(name, rng):
    """Items and labels of a kind, as Python users give them."""
    if name == "sentences":
        return [["Ada", "left"], ["Bob", "sang"], ["Rome", "fell", "down"]], [["B-PER", "O"]] * 2 + [
            ["B-LOC", "O", "O"]
        ]
    if name == "rows":
        return rng.normal(size=(6, 2)).astype(np.float32), [0, 1] * 3
    images = rng.integers(0, 255, (6, 32, 32, 3)).astype(np.uint8)
    return images, [0, 1] * 3 if name == "images" else [(image[..., 0] > 99).astype(np.int64) for image in images]


@pytest.mark.parametrize("name", ["sentences", "rows", "images", "masks"])
def test_items_of_every_kind_that_are_there_three_times_are_those_that_are_there_once(name):
    kind = KINDS[name]()
    items, labels = values_of(name, np.random.default_rng(0))
    thrice = np.concatenate([items] * 3) if isinstance(items, np.ndarray) else items * 3
    once, several = (
        kind.learn(kind.values(kind.given(x), y), None, None, True).items
        for x, y in ((items, labels), (thrice, labels * 3))
    )
    assert len(several.labelled) == len(once.labelled) == several.labels and several.grouped is None
    assert all(np.array_equal(a, b) for a, b in zip(several.labelled, once.labelled, strict=True))
    whole = np.arange(len(once.y) if isinstance(once.y, np.ndarray) else 6 * 32 * 32)
    assert np.array_equal(np.asarray(several.y[whole]), np.asarray(once.y[whole]))


LETTER = (
    "dear {}, we have read your request of last month with great care and have discussed it with all who are in charge "
    "of such matters here, and we regret any delay; it is now {} by the board of house number {}"
)


def test_form_letters_that_differ_in_the_decisive_word_are_different_texts():
    kind, notes = KINDS["texts"](text="text", label="label"), Notes()
    letters = [LETTER.format("sir", "approved" if i % 2 else "declined", i) for i in range(20)]
    entries = kind.values(letters, [str(i % 2) for i in range(20)])
    found = one_vote_each(kind, entries, notes)
    assert found.groups is None and len(found.labelled) == 20
    assert any("taken for different texts" in line for line in notes.lines_of_all())


def test_nearly_equal_texts_of_one_label_are_copies():
    kind = KINDS["texts"](text="text", label="label")
    letters = [
        LETTER.format("sir", word, i) for word in ("approved", "lost and found again at the gate") for i in range(9)
    ]
    found = one_vote_each(kind, kind.values(letters, ["a"] * 9 + ["b"] * 9), Notes())
    assert found.groups is not None and found.groups.items == 2


def test_people_with_one_pattern_of_answers_are_no_copies():
    rng = np.random.default_rng(0)
    x, y = rng.integers(0, 2, (200, 3)).astype(np.float32), rng.integers(0, 2, 200)
    kind = KINDS["rows"](features=("a", "b", "c"), label="y")
    found = one_vote_each(kind, kind.values(x, y.tolist()), Notes())
    assert found.groups is None and len(found.labelled) == 200
    assert pool_once(kind, [kind.values(x, [None] * 200)], Notes())[1] is None
    wide = np.repeat(rng.normal(size=(24, 3)).astype(np.float32), 4, axis=0)
    assert len(one_vote_each(kind, kind.values(wide, np.repeat(np.arange(24) % 2, 4).tolist()), Notes()).labelled) == 24


def test_copies_off_takes_nothing_for_a_copy():
    kind = KINDS["texts"](text="text", label="label", copies="off")
    found = one_vote_each(kind, kind.values(["a b", "a b", "c d", "c d"], ["x", "x", "y", "y"]), Notes())
    assert found.groups is None and found.copied is None and len(found.labelled) == 4


def test_a_test_and_a_model_take_form_letters_for_different_texts_too(tmp_path):
    letters = [LETTER.format("sir", "approved" if i % 2 else "declined", i) for i in range(40)]
    labels = [str(i % 2) for i in range(20)]
    again = letters[0].upper()
    for name, rows, given in (("train", letters[:20], labels), ("test", [*letters[20:], again], [*labels, "0"])):
        pd.DataFrame({"text": rows, "label": given}).to_csv(tmp_path / f"{name}.csv", index=False)
    kind, notes = KINDS["texts"](text="text", label="label", encoder="lexical"), Notes()
    with pytest.warns(UserWarning, match="1 text of .* is also in the training data"):
        data = read_files(kind, Files(tmp_path / "train.csv", test=tmp_path / "test.csv"), notes)
    assert "copies" not in notes.facts and "nearly" in notes.facts
    assert np.flatnonzero(data.copied).tolist() == [20]
    with pytest.warns(UserWarning, match="taken for different texts"):
        Classifier(encoder="lexical", steps=5, evidence=False).fit(letters[:20], labels).save(tmp_path / "model")
    model = load(tmp_path / "model")
    assert np.flatnonzero(copied_of(kind, model, [*letters[20:], again])).tolist() == [20]
