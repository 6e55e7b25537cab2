"""What nearly equal items are to each other, by their labels: copies, relatives or strangers."""

from __future__ import annotations

import io

import numpy as np
import pytest
from PIL import Image

from tutelage.kinds import KINDS
from tutelage.kinds.nearness import nearness
from tutelage.kinds.one_vote import one_vote_each
from tutelage.tables import Notes

WORDS = "harbour lantern copper meadow thunder violin pepper glacier saddle tunnel basket feather"
LETTER = (
    "dear sir, we have read your request of last month with great care and have discussed it with all who are in "
    "charge of such matters here, and we regret any delay; it is now {} by the board of house number {}"
)
TEXTS = KINDS["texts"](text="text", label="label")


def texts(count: int, seed: int = 0) -> list[str]:
    """Texts of twelve words each, of which no two are near to each other."""
    rng = np.random.default_rng(seed)
    return [" ".join(rng.permutation([f"{word}{i}" for word in WORDS.split()])) for i in range(count)]


def signed(text: str) -> str:
    return f"{text.upper()}\n-- \nAnn"


def png(pixels: np.ndarray) -> bytes:
    made = io.BytesIO()
    Image.fromarray(pixels).save(made, "PNG")
    return made.getvalue()


def judged(items, labels):
    found = nearness(TEXTS, items, labels)
    return len(np.unique(found.item)), len(np.unique(found.together)), not found.strangers.any(), found.says


def test_signed_copies_are_items_of_their_own_only_where_labels_say_so():
    one, rng = texts(30), np.random.default_rng(1)
    y = rng.integers(0, 2, 30)
    items = [*one, *map(signed, one)]
    assert judged(items, [*y, *y])[:3] == (30, 30, True)
    some = np.where(np.arange(30) % 5 == 0, 1 - y, y)  # annotators who differ about six of thirty
    items_, folds, nearly, says = judged(items, [*y, *some])
    assert (items_, folds, nearly) == (60, 30, True) and "lie in one fold" in says
    other = np.where(np.arange(30) % 2 == 0, 1 - y, y)
    items_, folds, nearly, says = judged(items, [*y, *other])
    assert (items_, folds, nearly) == (60, 60, False) and "no more than by chance" in says


def test_a_form_letter_changes_nothing_about_the_copies_beside_it():
    one, y = texts(30), np.arange(30) % 2
    letters = [LETTER.format("approved" if i % 2 else "declined", i) for i in range(12)]
    items_, folds, nearly, says = judged([*one, *map(signed, one), *letters], [*y, *y, *(np.arange(12) % 2)])
    assert (items_, folds, nearly) == (42, 42, False) and says.startswith("12 texts")


def test_copies_of_skewed_labels_that_mostly_agree_lie_in_one_fold():
    one = texts(100)
    first = np.zeros(100, dtype=int)
    second = first.copy()
    first[0] = second[:4] = 1
    assert judged([*one, *map(signed, one)], [*first, *second])[1] == 100


def test_a_few_pairs_say_nothing_and_are_copies():
    one = texts(4)
    assert judged([*one, *map(signed, one)], [0, 1, 0, 1, 1, 0, 1, 0])[:3] == (4, 4, True)


def test_the_order_of_the_rows_makes_no_difference():
    one, rng = texts(12), np.random.default_rng(0)
    items = [copy for text in one for copy in (text, text, signed(text))]
    labels = [label for i in range(12) for label in (i % 2, 1 - i % 2, i % 2)]
    before = judged(items, labels)
    for _ in range(3):
        order = rng.permutation(len(items))
        assert judged([items[i] for i in order], [labels[i] for i in order]) == before


def test_relatives_have_a_vote_each_and_are_held_out_together():
    one, y = texts(30), np.arange(30) % 2
    some = np.where(np.arange(30) % 5 == 0, 1 - y, y)
    entries = TEXTS.values([*one, *map(signed, one)], [str(label) for label in [*y, *some]])
    notes = Notes()
    found = one_vote_each(TEXTS, entries, notes)
    assert found.groups is not None and (found.groups.items, found.groups.clusters) == (60, 30)
    assert "nearly" in notes.facts and found.copied is not None and found.copied.near in found.copied.as_dict()["words"]


def test_sentences_agree_where_their_entities_do():
    kind = KINDS["sentences"](tokens="tokens", tags="tags")
    words = [[f"{word}{i}" for word in WORDS.split()] for i in range(6)]
    tags = [["B-PER", *["O"] * 11] for _ in words]
    dotted = [[*sentence, "."] for sentence in words]
    entries = kind.values([*words, *dotted], [*tags, *([*each, "O"] for each in tags)])
    found = one_vote_each(kind, entries, Notes(), alike=None)
    assert found.copied is not None and len(found.copied.contradictions) == 6  # of tags that are compared as a whole
    data = kind.learn(entries, None, None, True)
    assert data.repeated is not None and not data.repeated.contradictions and data.items.labels == 6


@pytest.mark.parametrize(("shift", "torn"), [(0, 0), (1, 0), (12, 12)])
def test_masks_contradict_each_other_where_many_pixels_differ(shift, torn):
    rng = np.random.default_rng(0)
    images = [png(rng.integers(0, 256, (32, 32, 3)).astype(np.uint8)) for _ in range(12)]
    masks = []
    for i in range(12):
        mask = np.zeros((32, 32), dtype=np.uint8)
        mask[8:20, 4 : 12 + i % 3] = 1
        masks.append(mask)
    kind = KINDS["masks"](size=(32, 32))
    entries = kind.values([*images, *images], [*masks, *(np.roll(mask, shift, axis=1) for mask in masks)])
    data = kind.learn(entries, None, None, True)
    assert data.items.labels == 12
    assert data.repeated is None or len(data.repeated.contradictions) == torn


def letters_to(customers: int, seed: int = 0) -> tuple[list[str], np.ndarray]:
    """Two letters to each customer, which differ from each other as letters to others do, with one coin toss each."""
    names = [f"customer{word}{i}" for i, word in zip(range(customers), 9 * WORDS.split(), strict=False)]
    letters = [LETTER.format(day, name) for name in names for day in ("today", "tomorrow")]
    return letters, np.repeat(np.random.default_rng(seed).integers(0, 2, customers), 2)


def test_letters_to_one_customer_are_one_item_though_letters_to_others_are_as_near():
    letters, y = letters_to(20)
    items_, folds, nearly, _ = judged(letters, y)
    assert (items_, folds, nearly) == (20, 20, False)
    other = np.tile([0, 0, 0, 1, 1, 1, 1, 0], 5)
    assert judged(letters, other)[1] == 40  # as many labels that nothing says are of one customer


def test_strangers_are_known_by_equality_and_others_as_copies_are():
    letters, y = [LETTER.format("approved" if i % 2 else "declined", i) for i in range(60)], np.arange(60) % 2
    near = [LETTER.format("approved", f"{i} b") for i in range(100, 110)]
    one = texts(2)
    labelled = [*letters, one[0], signed(one[0])]
    strangers = nearness(TEXTS, labelled, [*y, 0, 0]).strangers
    assert strangers.tolist() == [True] * 60 + [False] * 2
    found = TEXTS.copied([*near, letters[3].upper(), one[0].title(), one[1].title()], labelled, [one[1]], strangers)
    assert found.tolist() == [0] * 10 + [2, 2, 1]


def test_what_is_tested_beside_an_item_does_not_make_it_a_copy():
    subject = "Re: your order number five"
    known = [f"{subject}\n--\nthanks a lot it was good"]
    mail = f"{subject}\n--\nthe lamp came broken"
    assert TEXTS.copied([mail], known, []).tolist() == [0]
    assert TEXTS.copied([mail, subject], known, [])[0] == 0
    chain = texts(1)[0].split()
    far = [" ".join([*chain[i:], *(f"new{j}" for j in range(i))]) for i in range(3)]
    assert TEXTS.copied(far, [far[0]], []).tolist()[0] == 2
    assert TEXTS.copied([far[2]], [far[0]], []).tolist() == TEXTS.copied(far, [far[0]], []).tolist()[2:]
