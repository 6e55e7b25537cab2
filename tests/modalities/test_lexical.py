"""The lexical encoder: TF-IDF counted by hand, similarities from the whole matrix, saved and read bit for bit."""

from __future__ import annotations

import json
import math
import pickle
from collections import Counter
from dataclasses import replace

import numpy as np
import pytest
from sklearn.feature_extraction.text import CountVectorizer, TfidfVectorizer

from tutelage.files import BadFileError
from tutelage.modalities.text import lexical
from tutelage.modalities.text.lexical import Lexicon, Settings

FOUR = ["good soup here", "good bread", "late goal", "the late goal again"]
KANNADA = ["ನಿನ್ನೆ ದೋಸೆ ಬೇಗ ಮುಗಿಯಿತು", "ಬೆಳಿಗ್ಗೆ ಸೂಪ್ ಚೆನ್ನಾಗಿತ್ತು", "ಮನೆಯಲ್ಲಿ ತಂಡ ಚೆನ್ನಾಗಿತ್ತು"]


def words_by_hand(text):
    words = text.split()
    return {*words, *(" ".join(pair) for pair in zip(words, words[1:], strict=False))}


def characters_by_hand(text, shortest=2, longest=5):
    padded = [f" {word} " for word in text.split()]
    return {p[i : i + n] for p in padded for n in range(shortest, longest + 1) for i in range(max(len(p) - n + 1, 1))}


def weighed_by_hand(texts, weight):
    """Rows of TF-IDF as dictionaries, and as a matrix: loops over n-grams, without the library's vectorisers."""
    blocks = []
    for count, factor in ((words_by_hand, 1.0), (characters_by_hand, weight)):
        found = [count(text) for text in texts]
        spread = Counter(gram for grams in found for gram in grams)
        names = sorted(spread)
        rows = np.zeros((len(texts), len(names)))
        for i, grams in enumerate(found):
            for gram in grams:
                rows[i, names.index(gram)] = math.log((1 + len(texts)) / (1 + spread[gram])) + 1
        blocks.append(factor * rows / np.linalg.norm(rows, axis=1, keepdims=True))
    return np.hstack(blocks)


@pytest.mark.parametrize("power", [0.0, 1.0, 2.0, 3.5])
@pytest.mark.parametrize("weight", [0.5, 1.0])
def test_features_are_those_of_tf_idf_and_a_decomposition_by_hand(power, weight):
    x = weighed_by_hand(FOUR, weight)
    values, left = np.linalg.eigh(x @ x.T)  # X X' = U S^2 U'
    expected = left * np.sqrt(values) ** power
    expected /= np.linalg.norm(expected, axis=1, keepdims=True)
    got = Lexicon.fitted(FOUR, Settings(power=power, weight=weight)).rows(FOUR)
    np.testing.assert_allclose(got @ got.T, expected @ expected.T, atol=1e-5)  # whatever the components' signs


def test_a_new_text_is_folded_in_with_the_idf_of_the_fitted_ones():
    lexicon = Lexicon.fitted(FOUR, Settings(power=1.0))
    new = "good goal"
    in_words = [w in words_by_hand(new) for w in lexicon.words]
    in_characters = [c in characters_by_hand(new) for c in lexicon.characters]
    words, characters = np.split(lexicon.idf, [len(in_words)])
    blocks = [words * in_words, characters * in_characters]
    expected = np.concatenate([block / np.linalg.norm(block) for block in blocks]) @ lexicon.components
    np.testing.assert_allclose(lexicon.rows([new])[0], expected / np.linalg.norm(expected), atol=1e-6)


def test_n_grams_of_characters_are_those_of_scikit_learn(texts):
    some = [text.lower() + " naïve\tx\n\nwords  a" for text in texts.pool.text]
    counts, names = lexical._count_characters(some, Settings())
    like = CountVectorizer(analyzer="char_wb", ngram_range=(2, 5))
    expected = like.fit_transform(some)
    assert names == like.get_feature_names_out().tolist()
    assert abs(counts - expected).max() == 0
    known = {name: i for i, name in enumerate(names[::3])}
    some_columns, _ = lexical._count_characters(some, Settings(), known)
    assert abs(some_columns - expected[:, ::3]).max() == 0


def test_weights_are_those_of_scikit_learn(texts):
    some = [text.lower() for text in texts.pool.text]
    lexicon = Lexicon.fitted(some)
    like = TfidfVectorizer(vocabulary=lexicon.words, ngram_range=(1, 2), token_pattern=lexical.WORD, binary=True)
    counts = lexical._count_words(some, Settings(), {w: i for i, w in enumerate(lexicon.words)})[0]
    got = lexical._weighed([counts, counts[:, :0]], lexicon.idf, 1.0)
    np.testing.assert_allclose(got.toarray(), like.fit_transform(some).toarray(), atol=1e-6)


def test_rows_have_length_1_and_none_depends_on_its_neighbours(texts, monkeypatch):
    lexicon, some = Lexicon.fitted(list(texts.pool.text)), list(texts.test.text)
    rows = lexicon.rows(some)
    np.testing.assert_allclose(np.linalg.norm(rows, axis=1), 1, atol=1e-5)
    monkeypatch.setattr(lexical, "TEXTS_A_CHUNK", 7)
    np.testing.assert_array_equal(lexicon.rows(some[::-1])[::-1], rows)
    assert lexicon.rows([]).shape == (0, lexicon.width)


def test_a_text_of_unknown_words_is_a_row_of_zeros():
    lexicon = Lexicon.fitted(["aa bb", "aa cc", "bb cc"])
    np.testing.assert_array_equal(lexicon.rows(["zzz", " ", "aa"]).any(1), [False, False, True])


def test_n_grams_of_a_single_text_count_only_where_texts_are_few():
    rare = [f"common w{i}" for i in range(lexical.FEW)]
    assert Lexicon.fitted(rare).words == ["common"]
    assert "w3" in Lexicon.fitted(rare[:20]).words
    assert len(Lexicon.fitted([f"x{i:03}" * 3 for i in range(lexical.FEW)]).words) > 0  # nothing is shared


def test_the_commonest_n_grams_are_kept():
    some = ["often rare", "often seldom", "often seldom now"]
    assert Lexicon.fitted(some, Settings(most=2)).words == ["often", "often seldom"]


@pytest.mark.parametrize("texts", [["same words"] * 5, ["one text"], ["!?", "..", "?!"]])
def test_degenerate_texts_give_finite_features(texts):
    rows = Lexicon.fitted(texts).rows([*texts, "other"])
    assert np.isfinite(rows).all() and rows.shape[1] >= 1


def test_no_text_at_all_is_refused():
    for texts in ([], ["  ", "\n"]):
        with pytest.raises(ValueError, match="every one is empty"):
            Lexicon.fitted(texts)


def test_words_keep_their_vowel_signs_and_spaces_are_not_needed():
    assert {"ದೋಸೆ", "ಸೂಪ್"} <= set(Lexicon.fitted(KANNADA).words)
    chinese = ["政府宣布新的经济措施", "经济措施支持市场", "球队赢得比赛", "比赛中球队进球"]
    a, b, c, d = Lexicon.fitted(chinese, Settings(power=1.0)).rows(chinese)
    assert min(a @ b, c @ d) > 0.02 > 10 * max(map(abs, (a @ c, a @ d, b @ c, b @ d)))


def test_case_and_ways_to_write_a_character_do_not_matter():
    lexicon = Lexicon.fitted(["café au lait", "thé vert", "\ud800 broken"])
    np.testing.assert_array_equal(*lexicon.rows(["café", "CAFE\u0301"]))


def test_many_texts_are_sampled(monkeypatch):
    texts = [f"w{i % 50} w{i % 7}" for i in range(300)]
    monkeypatch.setattr(lexical, "TEXTS_TO_FIT", 40)
    some = lexical._sample(texts)
    assert len(some) == 40 and set(some) <= set(texts)
    monkeypatch.setattr(lexical, "CHARACTERS_TO_FIT", 50)
    assert 40 <= sum(map(len, lexical._sample(texts))) <= 60


@pytest.fixture(scope="module")
def lexicon():
    return Lexicon.fitted([*FOUR, *KANNADA])


def test_it_is_saved_and_read_bit_for_bit(lexicon, tmp_path):
    lexicon.save(tmp_path / "new")
    again = Lexicon.load(tmp_path / "new")
    assert again.fingerprint == lexicon.fingerprint and again.settings == lexicon.settings
    new = ["good goal again", KANNADA[0], "unseen"]
    np.testing.assert_array_equal(again.rows(new), lexicon.rows(new))
    np.testing.assert_array_equal(pickle.loads(pickle.dumps(lexicon)).rows(new), lexicon.rows(new))
    assert sorted(p.name for p in (tmp_path / "new").iterdir()) == ["lexicon.json", "lexicon.safetensors"]


def test_the_fingerprint_sees_every_part(lexicon):
    changed = [
        replace(lexicon, settings=Settings(weight=2.0)), replace(lexicon, words=lexicon.words[::-1]),
        replace(lexicon, characters=lexicon.characters[::-1]), replace(lexicon, idf=lexicon.idf + 1),
        replace(lexicon, components=lexicon.components * 2),
    ]  # fmt: skip
    assert len({lexicon.fingerprint, *(c.fingerprint for c in changed)}) == 6


@pytest.mark.parametrize("damage", ["json", "tensors", "settings", "words", "no json", "no tensors"])
def test_damage_is_one_line(lexicon, tmp_path, damage):
    lexicon.save(tmp_path)
    about, numbers = tmp_path / "lexicon.json", tmp_path / "lexicon.safetensors"
    content = json.loads(about.read_text())
    match damage:
        case "json":
            about.write_text(about.read_text()[:-20])
        case "tensors":
            numbers.write_bytes(numbers.read_bytes()[:-20])
        case "settings":
            about.write_text(json.dumps(content | {"settings": {"unknown": 1}}))
        case "words":
            about.write_text(json.dumps(content | {"words": content["words"][1:]}))
        case "no json":
            about.unlink()
        case "no tensors":
            numbers.unlink()
    with pytest.raises(BadFileError, match=str(tmp_path)):
        Lexicon.load(tmp_path)
