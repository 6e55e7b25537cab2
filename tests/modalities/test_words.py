"""Words that say little are replaced, keywords are not; by hand on three short texts."""

from __future__ import annotations

import pickle
import random

import numpy as np
import pytest

from tutelage import Classifier
from tutelage.modalities.text.replacement import TfidfReplacement

TEXTS = ["the soup the bread", "the goal", "the bread"]
RARE, HALF = np.log(3), np.log(1.5)  # idf of soup and goal, and of bread; of "the" it is 0


def test_the_golden_chances_of_replacement():
    replace = TfidfReplacement(TEXTS, share=0.4)
    # t = (0, log 3, 0, log 1.5) / 4: C - t = (log 3, 0, log 3, log 3 - log 1.5) / 4, log 3 - log 1.5 = log 2
    mean = (2 * RARE + np.log(2)) / 4
    expected = [0.4 * RARE / mean, 0, 0.4 * RARE / mean, 0.4 * np.log(2) / mean]
    np.testing.assert_allclose(replace.chances(TEXTS[0]), expected)
    assert replace.chances(TEXTS[0]).mean() == pytest.approx(0.4)
    np.testing.assert_allclose(replace.chances("the goal"), [0.8, 0])
    np.testing.assert_allclose(TfidfReplacement(TEXTS, share=0.9).chances("the goal"), [1, 0])  # 1.8 is cut


def test_the_golden_odds_of_being_drawn():
    """s: the 0, soup log 3, goal log 3, bread 2 log 1.5; the largest is log 3 = 1.0986, bread has 0.8109."""
    room = {"the": RARE, "soup": 0, "goal": 0, "bread": RARE - 2 * HALF}
    total = sum(room.values())
    assert TfidfReplacement(TEXTS).odds() == {w: pytest.approx(r / total) for w, r in room.items()}


def test_a_repeated_word_and_an_unknown_one():
    replace = TfidfReplacement(TEXTS, share=0.1)
    # bread twice: 2 log 1.5; an unknown word is as rare as can be: log 3
    room = np.array([RARE - 2 * HALF, RARE - 2 * HALF, 0, RARE])
    np.testing.assert_allclose(replace.chances("bread bread cake the"), 0.1 * room / room.mean(), atol=1e-12)


def news(count, seed=0):
    """Texts of 20 words: a keyword of their own, and common ones."""
    rng, common = random.Random(seed), [f"w{i}" for i in range(30)]
    return [" ".join(rng.sample([*rng.choices(common, k=19), f"key{i}"], 20)) for i in range(count)]


@pytest.mark.parametrize("share", [0.1, 0.3, 0.5])
def test_the_share_of_replaced_words_is_near_the_asked_one_and_keywords_stay(share):
    texts = news(300)
    replace = TfidfReplacement(texts, share=share)
    copies = replace(texts)
    gone, drawn = [], set()
    for i, (text, copy) in enumerate(zip(texts, copies, strict=True)):
        before, after = text.split(), copy.split()
        assert len(before) == len(after)
        assert after[before.index(f"key{i}")] == f"key{i}"
        gone += [a != b for a, b in zip(before, after, strict=True)]
        drawn |= {b for a, b in zip(before, after, strict=True) if a != b}
    chance = np.concatenate([replace.chances(t) for t in texts]).mean()
    assert chance == pytest.approx(share, rel=1e-6)
    assert np.mean(gone) == pytest.approx(share, abs=0.025)  # a word is drawn for itself now and then
    odds = replace.odds()
    assert all(odds[w] > 0 for w in drawn)


def test_words_are_drawn_by_their_odds():
    texts = news(2000)
    replace = TfidfReplacement(texts, share=1.0)
    pairs = [
        pair for t, c in zip(texts, replace(texts), strict=True) for pair in zip(t.split(), c.split(), strict=True)
    ]
    drawn, odds = [b for a, b in pairs if a != b and a == "w0"], replace.odds()
    frequent = sum(odds[w] for w in odds if w.startswith("key")) / (1 - odds["w0"])
    assert np.mean([w.startswith("key") for w in drawn]) == pytest.approx(frequent, abs=0.05)


def test_the_same_seed_gives_the_same_text_whatever_stands_beside_it():
    texts = news(20)
    one, other = TfidfReplacement(texts, share=0.5), TfidfReplacement(texts, share=0.5, seed=1)
    assert one(texts) == one(texts) == TfidfReplacement(texts[::-1], share=0.5)(texts)
    assert one(texts)[7] == one([texts[7]])[0]
    assert one(texts) != other(texts)
    assert pickle.loads(pickle.dumps(one))(texts) == one(texts)


@pytest.mark.parametrize("text", ["", "   ", "bread", "the the", "\udcff"])
def test_texts_of_which_no_word_says_less_than_another_stay(text):
    """None is left to replace where all are equally telling."""
    replace = TfidfReplacement(TEXTS, share=1.0)
    assert replace.chances(text).tolist() == [0.0] * len(text.split())
    assert replace([text]) == [" ".join(text.split())]


def test_a_vocabulary_without_keywords_is_drawn_from_evenly():
    assert TfidfReplacement(["a b", "b a"]).odds() == {"a": pytest.approx(0.5), "b": pytest.approx(0.5)}


def test_no_share_changes_nothing():
    assert TfidfReplacement(TEXTS, share=0.0)(TEXTS) == TEXTS


@pytest.mark.parametrize(
    ("texts", "changes", "message"),
    [
        ([], {}, "texts must hold at least one word"),
        (["", " "], {}, "texts must hold at least one word"),
        (TEXTS, {"share": 1.5}, r"share must be in \[0, 1\], got 1.5"),
        (TEXTS, {"seed": -1}, "seed must be at least 0, got -1"),
    ],
)
def test_what_cannot_be_is_refused(texts, changes, message):
    with pytest.raises(ValueError, match=message):
        TfidfReplacement(texts, **changes)


def test_it_is_the_strong_view_of_texts(texts, encoder_folder, cache):
    pool, seen = list(texts.pool.text), []
    replace = TfidfReplacement(pool, share=0.5)

    def augment(items):
        seen.append(replace(items))
        return seen[-1]

    model = Classifier("uda", encoder=encoder_folder, augment=augment, steps=5, evidence=False)
    model.fit(list(texts.train.text), list(texts.train.label), X_unlabelled=pool)
    assert seen
    assert seen[0] == replace(pool) != pool
