"""Running text in csv files is cut into words; words that were split before stay."""

from __future__ import annotations

import pytest

from tutelage.modalities.sentences.running import word_offsets
from tutelage.modalities.sentences.tables import read_sentences
from tutelage.tables import Notes


def read(tmp_path, text: str, **columns):
    (tmp_path / "a.csv").write_text(text, encoding="utf-8")
    said: list[str] = []
    notes = Notes(said.append)
    found = read_sentences(tmp_path / "a.csv", "text", notes=notes, **columns)
    notes.settle()
    return found, " ".join(said)


def test_marks_of_running_text_become_words_and_it_is_said(tmp_path):
    found, said = read(tmp_path, 'text\n"In Washington, Ann\'s dog slept."\nIt woke!\n', only_words=True)
    assert found.tokens == [["In", "Washington", ",", "Ann", "'s", "dog", "slept", "."], ["It", "woke", "!"]]
    assert found.offsets[0][:3] == [(0, 2), (3, 13), (13, 14)]
    assert "running text, which is cut into words at the word boundaries of Unicode (UAX 29" in said
    assert found.as_written


@pytest.mark.parametrize("sentence", ["In Washington , Ann 's dog slept .", "no marks here", '[""In"", ""Rome,""]'])
def test_words_that_were_split_before_stay(tmp_path, sentence):
    found, said = read(tmp_path, f'text\n"{sentence}"\n', only_words=True)
    assert found.tokens[0] == (["In", "Rome,"] if sentence.startswith("[") else sentence.split())
    assert "running" not in said


def test_tagged_sentences_are_cut_at_blanks_as_their_tags_are(tmp_path):
    found, said = read(tmp_path, 'text,tags\n"In Rome, he slept.",O B-LOC O O\n', tags="tags")
    assert found.tokens == [["In", "Rome,", "he", "slept."]]
    assert "running" not in said


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("don't", ["do", "n't"]),
        ("n't", ["n't"]),
        ("They’re 3.5 km away", ["They", "’re", "3.5", "km", "away"]),
        ("1,000 (one)", ["1,000", "(", "one", ")"]),
        ("À Paris,\tl’été", ["À", "Paris", ",", "l’été"]),
        ("", []),
        ("  ", []),
    ],
)
def test_words_are_cut_at_unicodes_boundaries(text, words):
    assert [text[a:b] for a, b in word_offsets(text)] == words
