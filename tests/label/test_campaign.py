"""What comes next, what counts, and what is taken back."""

from __future__ import annotations

import numpy as np
import pytest

from tutelage.label.agreement import agreement, influence
from tutelage.label.campaign import Campaign, Given, RefusedError
from tutelage.label.journal import Journal


def give(campaign, by, row, label="food", act="label", **more):
    return campaign.answer(by, Given(row, campaign.items.key(row), act, label, **more))


def test_each_item_is_asked_once_and_equal_ones_count_as_one(campaign):
    labels = campaign()
    seen = []
    while (row := labels.following("ann")) is not None:
        seen.append(row)
        give(labels, "ann", row)
    assert seen == [0, 1, 2, 3, 4, 6]  # the sixth text equals the first
    assert labels.progress("ann")["left"] == 0
    assert labels.label_of(labels.items.key(5)) == "food"


def test_everything_is_as_before_when_the_journal_is_read_again(campaign):
    labels, draws = campaign(overlap=0.5, other="foreign"), np.random.default_rng(0)
    for _ in range(300):
        by, row = f"person {draws.integers(3)}", int(draws.integers(len(labels.items)))
        act = str(draws.choice(["label", "label", "none", "unsure", "skip", "undo", "note", "settle"]))
        if act == "undo":
            try:
                labels.undo(by)
            except RefusedError:
                assert not labels.people[by].given
        else:
            name = str(draws.choice(["food", "money", "sport", "new class"]))
            if draws.integers(2):
                labels.saw(by, [row])
            give(labels, by, row, name, act, note="odd" if act == "note" else "")
    again = campaign(overlap=0.5, other="foreign")
    assert again.labelled == labels.labelled and list(again.apart) == list(labels.apart)
    assert +again.counts == +labels.counts and again.seen == labels.seen
    assert list(again.classes) == list(labels.classes) and again.touched == labels.touched
    for by in labels.people:
        assert again.following(by) == labels.following(by)
        assert again.progress(by) == labels.progress(by)
    assert agreement(again) == agreement(labels) and influence(again) == influence(labels)


def test_counts_are_those_of_the_labels(campaign):
    labels, draws = campaign(overlap=1.0), np.random.default_rng(1)
    for _ in range(200):
        by, row = f"p{draws.integers(2)}", int(draws.integers(len(labels.items)))
        give(labels, by, row, str(draws.choice(["food", "money"])))
        if draws.integers(3) == 0:
            labels.undo(by)
        told = labels.progress(by)["classes"]
        assert {name: count for name, count in told.items() if count} == {
            name: list(labels.labelled.values()).count(name) for name in set(labels.labelled.values())
        }


def test_undo_brings_back_the_item_and_the_answer_before(campaign):
    labels = campaign()
    give(labels, "ann", 0, "food")
    give(labels, "ann", 0, "money")
    assert labels.label_of(labels.items.key(0)) == "money"
    assert labels.undo("ann").label == "money"
    assert labels.label_of(labels.items.key(0)) == "food"
    labels.undo("ann")
    assert labels.label_of(labels.items.key(0)) is None and labels.following("ann") == 0
    with pytest.raises(RefusedError, match="no answer of yours"):
        labels.undo("ann")


def test_skipped_items_come_again_at_the_end(campaign):
    labels = campaign()
    give(labels, "ann", 0, act="skip")
    give(labels, "ann", 1, act="skip")
    for row in (2, 3, 4, 6):
        assert labels.following("ann") == row
        give(labels, "ann", row)
    assert labels.following("ann") == 0 and labels.following("ann", after=0) == 1
    give(labels, "ann", 0)
    give(labels, "ann", 1, act="unsure")
    assert labels.following("ann") is None and labels.label_of(labels.items.key(1)) is None


def test_an_item_goes_to_one_annotator_unless_it_is_for_all(campaign):
    alone = campaign(overlap=0.0)
    give(alone, "ann", 0)
    assert alone.following("ben") == 1
    assert campaign(overlap=1.0).following("ben") == 0


def test_what_annotators_disagree_on_has_no_label_until_somebody_settles_it(campaign):
    labels = campaign(overlap=1.0)
    key = labels.items.key(0)
    give(labels, "ann", 0, "food")
    give(labels, "ben", 0, "money")
    assert labels.label_of(key) is None and list(labels.apart) == [key]
    give(labels, "cem", 0, "money")
    assert labels.label_of(key) == "money" and list(labels.apart) == [key]  # two of three; the third may be right
    give(labels, "ann", 0, "food", "settle")
    assert labels.label_of(key) == "food" and not labels.apart
    assert labels.undo("ann").act == "settle"
    assert labels.label_of(key) == "money"


def test_kappa_and_influence_are_those_that_are_counted_by_hand(campaign):
    labels = campaign(overlap=1.0, classes=["food", "money", "sport"])
    for row, (ann, ben) in enumerate([("food", "food"), ("money", "money"), ("food", "money"), ("money", "money")]):
        labels.saw("ann", [row])
        give(labels, "ann", row, ann)
        give(labels, "ben", row, ben)
    (pair,) = agreement(labels)
    # equal on three of four; chance 1/2 * 1/4 + 1/2 * 3/4 = 1/2
    assert (pair["items"], pair["equal"], pair["kappa"]) == (4, 0.75, 0.5)
    assert pair["low"] <= 0.5 <= pair["high"]
    assert influence(labels)["seen"]["equal"] == 0.5 and influence(labels)["unseen"]["equal"] == 0.5


def test_none_of_these_is_a_class_where_it_has_a_name(campaign):
    labels = campaign()
    give(labels, "ann", 0, act="none")
    assert labels.label_of(labels.items.key(0)) is None and labels.following("ann") == 1
    assert campaign(other="foreign").label_of(labels.items.key(0)) == "foreign"


def test_answers_that_are_given_together_are_taken_back_together(campaign):
    labels = campaign()
    labels.answer_all("ann", [Given(i, labels.items.key(i), "label", "food", asked="hand") for i in (0, 1, 2)])
    give(labels, "ann", 3)
    labels.undo("ann")
    labels.undo("ann")
    assert not labels.labelled


@pytest.mark.parametrize(
    ("row", "key", "label", "by", "says"),
    [
        (0, "0" * 16, "food", "ann", "not the one in the table"),
        (99, "0" * 16, "food", "ann", "not the one in the table"),
        (0, None, " ", "ann", "must not be empty"),
        (0, None, "a\nb", "ann", "printable name"),
        (0, None, "x" * 300, "ann", "printable name"),
        (0, None, "food", "", "a name must have"),
        (0, None, "food", "<script>", "a name must have"),
    ],
)
def test_wrong_answers_are_refused_and_nothing_is_kept(campaign, row, key, label, by, says):
    labels = campaign()
    with pytest.raises(RefusedError, match=says):
        labels.answer(by, Given(row, key or labels.items.key(row), "label", label))
    assert not labels.journal.answers and not labels.labelled


def test_what_is_on_one_screen_is_not_on_another(campaign):
    labels = campaign(overlap=0.0)
    draws = np.random.default_rng(0)
    shown = {by: labels.following(by) for by in ("ann", "ben", "cem")}
    assert len(set(shown.values())) == 3
    while any(row is not None for row in shown.values()):
        by = str(draws.choice([by for by, row in shown.items() if row is not None]))
        give(labels, by, shown[by])
        shown[by] = labels.following(by)
    answered = [key for key, known in labels.known.items() if len(known.last) > 1]
    assert len(labels.known) == 6 and len(answered) <= 2  # the last ones, of which each had but these to be asked


def test_items_of_a_random_order_that_were_labelled_otherwise_before_their_turn_are_drawn_too(campaign):
    """Else what is left to be drawn lacks what was picked by hand, and is no sample."""
    made = campaign()
    labels = Campaign(made.items, made.journal, np.array([2, 0, 4, 1, 6, 3]), "random", ["food"])
    give(labels, "ann", 2)
    give(labels, "ann", 4, asked="hand")
    give(labels, "ann", 3, asked="hand")
    assert labels.drawn_so_far() == {made.items.key(2)}
    give(labels, "ann", 0)
    assert labels.drawn_so_far() == {made.items.key(2), made.items.key(0)}
    assert labels.following("ann") == 1  # the fifth was picked by hand
    give(labels, "ann", 1)
    assert labels.drawn_so_far() == {made.items.key(row) for row in (2, 0, 4, 1)}


def test_folders_of_images_are_labelled_and_learnt_beside_the_labels_that_they_name(tmp_path):
    from PIL import Image

    from tutelage.kinds.images import Images
    from tutelage.label.filling import answered
    from tutelage.label.items import Items
    from tutelage.tables import USUAL

    for name in ("red", "blue", "unlabelled"):
        (tmp_path / "photos" / name).mkdir(parents=True)
        for i in range(3):
            Image.new("RGB", (24, 24), (i, 10 * i, len(name))).save(tmp_path / "photos" / name / f"{i}.png")
    items = Items.read(Images(), tmp_path / "photos", USUAL)
    assert sorted(items.given(i) for i in range(9)) == [""] * 3 + ["blue"] * 3 + ["red"] * 3
    labels = Campaign(items, Journal(tmp_path / "journal.jsonl"), np.flatnonzero(~items.entries.known), "random")
    row = labels.following("ann")
    give(labels, "ann", row, "red")
    labels.journal.close()
    table = answered(labels, tmp_path / "out.csv")
    assert list(table) == ["row", "image", "label", "asked_by"] and table.label.tolist() == ["red"]
    assert table.image[0].endswith(items.place(row))


def test_what_a_model_had_drawn_later_does_not_make_a_sample_of_what_it_chose(campaign):
    """Rows that `next` draws lie anywhere in the random order: they do not say how far that order was asked."""
    made = campaign()
    labels = Campaign(made.items, made.journal, np.array([2, 0, 4, 1, 6, 3]), "random", ["food"])
    give(labels, "ann", 2)
    labels.first({1: "margin", 6: "random"})
    labels.drawn.add(made.items.key(6))
    give(labels, "ann", 1)
    give(labels, "ann", 6)
    assert [a.asked for a in made.journal.answers] == ["random", "margin", "random"]
    assert labels.drawn_so_far() == {made.items.key(2), made.items.key(6)}  # and not what the margin chose


def test_an_item_that_is_there_twice_has_its_turn_where_it_comes_first(campaign):
    made = campaign()  # the sixth text equals the first
    labels = Campaign(made.items, made.journal, np.array([5, 1, 2, 0]), "random", ["food"])
    assert labels.queue.tolist() == [5, 1, 2]
    give(labels, "ann", 1, asked="hand")
    give(labels, "ann", 5)
    assert labels.drawn_so_far() == {made.items.key(5)}


def test_what_was_seen_is_no_answer_and_is_kept_through_a_kill(campaign):
    labels = campaign()
    labels.saw("ann", [0, 1])
    labels.saw("ann", [1, 2])  # of each item once
    assert len(labels.journal.answers) == 3 and not labels.known and labels.following("ann") == 0
    with pytest.raises(RefusedError, match="no answer of yours"):
        labels.undo("ann")
    again = campaign()
    assert give(again, "ann", 1).seen and not give(again, "ben", 1).seen and not give(again, "ann", 3).seen


def test_the_class_of_none_of_these_is_counted(campaign):
    labels = campaign(other="foreign", classes=["food"])
    give(labels, "ann", 0, "", "none")
    give(labels, "ann", 1)
    progress = labels.progress("ann")
    assert progress["classes"] == {"food": 1} and progress["other"] == {"foreign": 1} and progress["labelled"] == 2
