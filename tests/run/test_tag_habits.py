"""Fits on tags by other tools' habits give the model that there is without the habit, or one clear question."""

from __future__ import annotations

import json
import warnings

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from tutelage import Tagger
from tutelage.tables import DataError

NAMES = ["O", "B-FOOD", "I-FOOD", "B-SPORT", "I-SPORT"]
FOOD, SPORT = [["soup"], ["rye", "bread"], ["pie"]], [["goal"], ["tennis", "match"], ["race"]]


@pytest.fixture
def corpus():
    """Words and tags of twelve sentences."""
    sentences = []
    for i in range(12):
        food, sport = FOOD[i % 3], SPORT[(i + i // 3) % 3]
        words = ["the", *food, "near", "a", *sport, "now"]
        tags = ["O", *_bio("FOOD", food), "O", "O", *_bio("SPORT", sport), "O"]
        sentences.append((words, tags))
    return sentences


def _bio(kind, words):
    return [f"{'I' if j else 'B'}-{kind}" for j in range(len(words))]


def jsonl(path, rows):
    path.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows), encoding="utf-8")
    return path


@pytest.fixture
def fitted(run, tmp_path, encoder_folder):
    """Function that fits on a file; the exit code, what was shown, and the folder of the run."""

    def fit(train, *more, tokens="tokens", tags="tags"):
        out = tmp_path / f"out-{train.name}-{len(more)}"
        words = ["fit", "supervised", "--train", train, "--tokens", tokens, "--tags", tags, "--out", out]
        code, shown = run(*words, "--encoder", encoder_folder, "--steps", 20, "--no-evidence", *more)
        return code, shown, out

    return fit


def classes(out):
    return json.loads((out / "summary.json").read_text())["classes"]


def weights(out):
    return (out / "model" / "model.safetensors").read_bytes()


def test_class_numbers_give_the_model_of_their_names(fitted, corpus, tmp_path):
    names = jsonl(tmp_path / "names.jsonl", [{"tokens": w, "tags": t} for w, t in corpus])
    numbers = [[NAMES.index(tag) for tag in tags] for _, tags in corpus]
    table = pa.table({"tokens": [words for words, _ in corpus], "tags": numbers})
    features = {"tags": {"feature": {"names": NAMES, "_type": "ClassLabel"}, "_type": "Sequence"}}
    kept = {"huggingface": json.dumps({"info": {"features": features}})}
    pq.write_table(table.replace_schema_metadata(kept), tmp_path / "numbers.parquet")
    plain = jsonl(
        tmp_path / "plain.jsonl", [{"tokens": w, "tags": n} for (w, _), n in zip(corpus, numbers, strict=True)]
    )
    runs = [fitted(names), fitted(tmp_path / "numbers.parquet"), fitted(plain, "--classes", ",".join(NAMES))]
    assert [code for code, *_ in runs] == [0, 0, 0]
    assert all(classes(out) == NAMES and weights(out) == weights(runs[0][2]) for *_, out in runs)
    assert "tags are numbers, with the names that the file itself gives: 0 O, 1 B-FOOD" in runs[1][1]
    code, shown, out = fitted(plain)
    assert code == 2 and not out.exists()
    assert "2 begins directly behind 1 in 4 of 4 places" in shown and "--tags-are types" in shown


def test_ignored_special_tokens_and_pieces_give_the_model_without_them(fitted, corpus, tmp_path):
    rows, control = [], []
    for words, tags in corpus:
        pieces = [p for word in words for p in ([word[:2], "##" + word[2:]] if len(word) > 3 else [word])]
        labels = [p for word, t in zip(words, tags, strict=True) for p in ([t, -100] if len(word) > 3 else [t])]
        rows.append({"tokens": ["[CLS]", *pieces, "[SEP]", "[PAD]"], "tags": [-100, *labels, -100, -100]})
        control.append({"tokens": words, "tags": tags})
    runs = [fitted(jsonl(tmp_path / "a.jsonl", rows)), fitted(jsonl(tmp_path / "b.jsonl", control))]
    assert [code for code, *_ in runs] == [0, 0], runs
    assert weights(runs[0][2]) == weights(runs[1][2])
    assert "12 [CLS], 12 [PAD], 12 [SEP]" in runs[0][1] and "pieces of words are joined" in runs[0][1]
    assert "dropped" not in runs[1][1]


def test_offsets_in_utf16_give_the_model_of_those_in_characters(fitted, corpus, tmp_path):
    units = {"a.jsonl": lambda text: len(text.encode("utf-16-le")) // 2, "b.jsonl": len}
    runs = []
    for name, length in units.items():
        rows = []
        for words, tags in corpus:
            text, spans = "📣😀 " + " ".join(words), []
            for kind in ("FOOD", "SPORT"):
                phrase = " ".join(w for w, t in zip(words, tags, strict=True) if t.endswith(kind))
                at = text.index(phrase)
                spans.append([length(text[:at]), length(text[: at + len(phrase)]), kind])
            rows.append({"text": text, "tags": spans})
        runs.append(fitted(jsonl(tmp_path / name, rows), tokens="text"))
    assert [code for code, *_ in runs] == [0, 0], runs
    assert weights(runs[0][2]) == weights(runs[1][2])
    assert "offsets are counted in UTF-16 units" in runs[0][1] and "UTF-16" not in runs[1][1]


def test_all_questions_and_faults_come_at_once(fitted, corpus, tmp_path):
    rows = [{"tokens": w, "tags": t} for w, t in corpus]
    rows[3] = rows[3] | {"tags": ["O"]}
    rows[5] = rows[5] | {"tags": [None, *corpus[5][1][1:]]}
    code, shown, _ = fitted(jsonl(tmp_path / "a.jsonl", rows))
    assert code == 2
    assert "row 4, column 'tags': 1 tags for " in shown
    assert "row 6, column 'tags': word 1, 'the', has no tag (empty)" in shown and "--open-words outside" in shown


def test_words_a_row_are_fitted_predicted_and_scored(fitted, run, corpus, tmp_path):
    flat = [(i, word, tag) for i, s in enumerate(corpus) for word, tag in zip(*s, strict=True)]
    table = pd.DataFrame(flat, columns=["Sentence #", "Word", "Tag"])
    table.to_csv(tmp_path / "train.csv", index=False)
    table.assign(Tag=table.Tag.str.lower()).to_csv(tmp_path / "test.csv", index=False)
    code, shown, out = fitted(tmp_path / "train.csv", tokens="Word", tags="Tag")
    assert code == 0 and "rows of a word each are gathered to 12 sentences by column 'Sentence #'" in shown
    code, shown = run("predict", out, "--input", tmp_path / "test.csv", "--output", tmp_path / "p.jsonl")
    assert code == 0 and "predictions are of the sentences as they were read" in shown
    found = [json.loads(line) for line in (tmp_path / "p.jsonl").read_text().splitlines()]
    assert [row["Word"] for row in found] == [words for words, _ in corpus]
    assert all(len(row["predicted"]) == len(row["Word"]) for row in found)
    scores = [
        json.loads(run("score", out, "--test", tmp_path / name, "--json")[1])["f1"]
        for name in ("train.csv", "test.csv")
    ]
    assert scores[0] == scores[1]
    table.drop(columns="Sentence #").assign(doc=table["Sentence #"] + 7).to_csv(tmp_path / "other.csv", index=False)
    code, shown = run("score", out, "--test", tmp_path / "other.csv", "--json")
    assert code == 2 and "To settle it: --sentence-id doc" in shown
    code, shown = run("score", out, "--test", tmp_path / "other.csv", "--json", "--sentence-id", "doc")
    assert code == 0 and json.loads(shown)["f1"] == scores[0]


def test_the_tagger_takes_numbers_with_names_and_ignored_tokens(corpus, encoder_folder):
    X = [["[CLS]", *words] for words, _ in corpus]
    y = [np.array([-100, *map(NAMES.index, tags)]) for _, tags in corpus]
    make = {"encoder": str(encoder_folder), "steps": 5, "evidence": False}
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        tagger = Tagger("supervised", classes=NAMES, **make).fit(X, y)
    said = "\n".join(str(each.message) for each in caught)
    assert "X: special tokens without a tag (-100) are dropped: 12 [CLS], first in X[0]." in said
    assert "y: tags are numbers, with the names that are given: 0 O, 1 B-FOOD" in said
    assert tagger.classes_.tolist() == NAMES
    assert [len(tags) for tags in tagger.predict(X)] == [len(words) for words in X]
    with (
        pytest.warns(UserWarning, match="special tokens"),
        pytest.raises(DataError, match=r"classes='O,B-PER,I-PER,...' \(the names"),
    ):
        Tagger("supervised", **make).fit(X, y)
    with pytest.raises(ValueError, match="tags_are must be one of types, bio or None, got 'both'"):
        Tagger("supervised", tags_are="both", **make).fit(X, y)
