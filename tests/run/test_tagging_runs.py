"""Sentences from the command line and the tagger."""

from __future__ import annotations

import json
import random

import numpy as np
import pandas as pd
import pytest

from tutelage import Tagger, load
from tutelage.kinds.sentences import Sentences
from tutelage.kinds.tagged import distant_target
from tutelage.modalities.base import features
from tutelage.modalities.encoder import load_encoder
from tutelage.modalities.sentences.network import tokenize_words
from tutelage.modalities.sentences.reader import WordReader
from tutelage.modalities.sentences.tables import tags_of_values
from tutelage.train import predict


def encoded(sentences, encoder, folder):
    """Features of each word, by a reader that has opened no cache before."""
    return features(WordReader(encoder), sentences, folder).rows.numpy()


def tagged(count: int, seed: int, subjects) -> pd.DataFrame:
    """Sentences in which foods and sports are entities, some of two words."""
    rng, rows = random.Random(seed), []
    for _ in range(count):
        words, tags = [], []
        for _ in range(rng.randint(2, 4)):
            kind = rng.choice(["food", "sport"])
            words.append(rng.choice(["the", "a", "my", "that", "near"]))
            tags.append("O")
            for j in range(rng.randint(1, 2)):
                words.append(rng.choice(subjects[kind]))
                tags.append(("B-" if j == 0 else "I-") + kind.upper())
        rows.append({"tokens": words, "tags": tags})
    return pd.DataFrame(rows)


def noisy(tags: list[str], rng: random.Random) -> list[str]:
    return ["O" if rng.random() < 0.3 else t for t in tags]


@pytest.fixture
def tables(tmp_path, subjects):
    """Twelve tagged and forty untagged sentences with distant tags; twenty to score on."""
    rng = random.Random(0)
    train = tagged(52, 1, subjects)
    train["distant"] = [noisy(t, rng) for t in train.tags]
    gold = train.tags.tolist()
    train["tags"] = [t if i < 12 else None for i, t in enumerate(gold)]
    train.to_parquet(tmp_path / "train.parquet")
    tagged(20, 2, subjects).to_parquet(tmp_path / "test.parquet")
    return tmp_path


def fit(tables, encoder, method="drift", **changes) -> list[object]:
    options = {
        "task": "tagging", "train": tables / "train.parquet", "test": tables / "test.parquet", "tokens": "tokens",
        "tags": "tags", "out": tables / "out", "encoder": encoder, "steps": 150, "folds": 2, "repeats": 1,
    }  # fmt: skip
    words: list[object] = ["fit", method]
    for name, value in (options | changes).items():
        if value is not None:
            words += [f"--{name.replace('_', '-')}"] + ([] if value is True else [value])
    return words


def summary(folder) -> dict:
    return json.loads((folder / "out" / "summary.json").read_text())


@pytest.mark.parametrize(
    ("method", "changes"),
    [
        ("drift", {}), ("uda", {"steps": 20}), ("vat", {"steps": 20}), ("bond", {"distant": "distant"}),
        ("cosine", {"distant": "distant", "steps": 20}), ("drift", {"distant": "distant"}),
        ("supervised", {"distant": "distant", "steps": 20}), ("mean_teacher", {"finetune": True, "steps": 8}),
        ("vat", {"finetune": True, "steps": 2}), ("bond", {"finetune": True, "steps": 8, "distant": "distant"}),
    ],
)  # fmt: skip
def test_fit_tags_sentences(run, tables, encoder_folder, method, changes):
    code, shown = run(*fit(tables, encoder_folder, method, **changes))
    assert code == 0, shown
    found = summary(tables)
    assert found["kind"] == "sentences"
    assert found["classes"] == ["O", "B-FOOD", "I-FOOD", "B-SPORT", "I-SPORT"]
    assert (found["labelled"], found["unlabelled"]) == (12, 40)
    assert {"precision", "recall", "f1", "interval", "rows"} <= set(found["test"])
    low, high = found["reference"]["interval"]
    assert 0 <= low <= found["reference"]["f1"] <= high <= 1
    if changes == {}:
        assert found["test"]["candidate_f1"] > 0.3
    page = (tables / "out" / "report.html").read_text()
    assert "<mark>" in page
    assert "entity F1" in page
    if "distant" in changes:
        assert found["weak"]["covered"] == 40
        assert 0.3 < found["weak"]["on_clean_labels"]["f1"] < 1
        assert "Themselves scored on the 12 tagged sentences: entity F1" in page


def test_predict_and_score(run, tables, encoder_folder):
    run(*fit(tables, encoder_folder))
    test = pd.read_parquet(tables / "test.parquet")
    test.assign(number=range(20)).to_json(tables / "in.jsonl", orient="records", lines=True)
    out = tables / "out"
    code, shown = run("predict", out, "--input", tables / "in.jsonl", "--output", tables / "p.jsonl")
    assert code == 0, shown
    found = [json.loads(line) for line in (tables / "p.jsonl").read_text().splitlines()]
    assert [r["number"] for r in found] == list(range(20))
    for row in found:
        assert len(row["predicted"]) == len(row["tokens"]) == len(row["tags"])
        for span in row["predicted_spans"]:
            assert " ".join(row["tokens"])[span["start"] : span["end"]] == span["text"]
        assert len(row["predicted_spans"]) == sum(t.startswith("B-") for t in row["predicted"])
        assert 0 < row["probability"] <= 1
    code, shown = run("score", out, "--test", tables / "test.parquet", "--json")
    scored = json.loads(shown)
    assert scored["f1"] == summary(tables)["test"]["f1"]
    calibration = summary(tables)["calibration"]
    words = pd.read_parquet(tables / "train.parquet").tags.explode()
    assert calibration["labels"] == words.notna().sum()
    assert calibration["temperature"] != 1
    asked = ("--input", tables / "in.jsonl", "--output", tables / "q.jsonl", "--abstain", 0.1)
    code, shown = run("predict", out, *asked)
    assert code == 2 and "--abstain is for items of one class each, and sentences have labels within" in shown
    assert not (tables / "q.jsonl").exists()
    code, _ = run("predict", out, "--input", tables / "in.jsonl", "--output", tables / "p.csv")
    again = pd.read_csv(tables / "p.csv")
    assert json.loads(again.predicted[3]) == found[3]["predicted"]


def test_texts_with_spans_and_conll_files_are_read_alike(run, tables, encoder_folder):
    """The same sentences in three kinds of file give the same model."""
    train = pd.read_parquet(tables / "train.parquet").iloc[:12]
    with open(tables / "train.conll", "w") as f:
        for words, tags in zip(train.tokens, train.tags, strict=True):
            f.writelines(f"{w} {t}\n" for w, t in zip(words, tags, strict=True))
            f.write("\n")
    with open(tables / "train.jsonl", "w") as f:
        for words, tags in zip(train.tokens, train.tags, strict=True):
            starts = np.cumsum([0, *[len(w) + 1 for w in words]])
            spans, open_span = [], None
            for j, tag in enumerate([*tags, "O"]):
                if open_span and not tag.startswith("I-"):
                    spans.append(open_span)
                    open_span = None
                if tag.startswith("B-"):
                    open_span = [int(starts[j]), int(starts[j]) + len(words[j]), tag[2:]]
                elif open_span and tag.startswith("I-"):
                    open_span[1] = int(starts[j]) + len(words[j])
            f.write(json.dumps({"tokens": " ".join(words), "tags": spans}) + "\n")
    train[["tokens", "tags"]].to_parquet(tables / "bare.parquet")
    models = []
    for name in ("bare.parquet", "train.conll", "train.jsonl"):
        out = tables / f"out-{name}"
        code, shown = run(*fit(tables, encoder_folder, "supervised", train=tables / name, test=None, out=out, steps=20))
        assert code == 0, shown
        models.append((out / "model" / "model.safetensors").read_bytes())
    assert models[0] == models[1] == models[2]


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"tokens": None}, "--tokens must be given for --kind sentences"),
        ({"text": "text"}, "--text is of --kind texts, but the kind is sentences"),
        ({"tokens": "words"}, "no column 'words'"),
        ({"distant": "no"}, "no column 'no'"),
    ],
)
def test_bad_words_are_named(run, tables, encoder_folder, changes, message):
    code, shown = run(*fit(tables, encoder_folder, **changes))
    assert code == 2
    assert message in shown
    assert not (tables / "out").exists()


def test_a_type_never_seen_in_training_counts_as_missed(run, tables, encoder_folder):
    test = pd.read_parquet(tables / "test.parquet")
    test.at[0, "tags"] = ["B-DRINK", *["O"] * (len(test.tokens[0]) - 1)]
    test.to_parquet(tables / "test.parquet")
    code, shown = run(*fit(tables, encoder_folder, steps=10))
    assert code == 0, shown
    assert "types that were never tagged in training and count as missed: DRINK" in shown


def test_the_tagger(tables, encoder_folder, tmp_path):
    train, test = pd.read_parquet(tables / "train.parquet"), pd.read_parquet(tables / "test.parquet")
    tagger = Tagger("mean_teacher", encoder=str(encoder_folder), steps=150, folds=2, repeats=1)
    tagger.fit(train.tokens, train.tags)
    assert tagger.classes_.tolist() == ["O", "B-FOOD", "I-FOOD", "B-SPORT", "I-SPORT"]
    assert tagger.evidence_.measure == "entity F1"
    assert tagger.evidence_.labels == 12
    assert tagger.score(test.tokens, test.tags) > 0.3
    p = tagger.predict_proba(test.tokens)
    assert [len(q) for q in p] == [len(s) for s in test.tokens]
    assert tagger.predict_proba([]) == []
    tagger.save(tmp_path / "m")
    assert np.array_equal(np.concatenate(p), load(tmp_path / "m").probabilities([list(s) for s in test.tokens]))


def test_the_tagger_takes_distant_tags_alone(tables, encoder_folder):
    train, test = pd.read_parquet(tables / "train.parquet"), pd.read_parquet(tables / "test.parquet")
    tagger = Tagger("supervised", encoder=str(encoder_folder), steps=400).fit(train.tokens, distant=train.distant)
    assert tagger.evidence_ is None
    assert tagger.score(test.tokens, test.tags) > 0.2


@pytest.mark.parametrize(
    ("method", "term"),
    [
        ("self_distillation", "distilled"), ("partial_label", "partial"), ("gce", "supervised"), ("sce", "reverse"),
        ("co_teaching", "partner.supervised"), ("elr", "early"), ("dividemix", "student.others"),
    ],
)  # fmt: skip
def test_methods_for_noisy_labels_learn_distant_tags(tables, encoder_folder, method, term):
    """They are stage I, where other methods have `supervised`."""
    train = pd.read_parquet(tables / "train.parquet")
    tagger = Tagger(method, encoder=str(encoder_folder), steps=40).fit(train.tokens, distant=train.distant)
    assert f"loss.{term}" in tagger.history_[-1]
    assert [len(tags) for tags in tagger.predict(train.tokens)] == [len(s) for s in train.tokens]


def test_the_tagger_reads_distant_tags_as_the_command_line_does():
    """Where they never say outside, the words of which they say nothing are; else those words are open."""
    code = {"O": 0, "B-X": 1, "I-X": 2}
    weak = tags_of_values([["a", "b"]] * 3, [None] * 3, [["X", -1], (None, None), None]).distant
    assert weak == [["B-X", None], [None, None], None]
    covered, target, outside = distant_target(weak, code)
    assert (covered.tolist(), target.tolist(), outside) == ([0, 1], [1, 0, 0, 0], True)
    covered, target, outside = distant_target([["B-X", None], [None, None], ["O"]], code)
    assert (covered.tolist(), target.tolist(), outside) == ([0, 2], [1, -1, 0], False)


def test_numbers_are_tags_for_the_tagger_too():
    y = [np.array([0, 3]), -1, np.nan, None]
    assert Sentences().values([["a", "b"]] * 4, y).labels == [["O", "B-3"], None, None, None]


@pytest.mark.parametrize("method", ["supervised", "bond"])
def test_few_tagged_sentences_without_an_entity(run, tables, encoder_folder, method):
    """A fold without an entity trains what never says one; one sentence beside distant tags cannot be halved."""
    train = pd.read_parquet(tables / "train.parquet")
    outside = [["O"] * len(words) for words in train.tokens]
    for name, tags, more in (
        ("fold", [train.tags[0], outside[1]], {}),
        ("halves", [train.tags[0], outside[1]], {"distant": "distant"}),
        ("one", [train.tags[0]], {"distant": "distant", "no_evidence": True}),
        ("outside", outside[:2], {"distant": "distant", "no_evidence": True}),
    ):
        train.assign(tags=tags + [None] * (len(train) - len(tags))).to_parquet(tables / "few.parquet")
        changes = {"train": tables / "few.parquet", "out": tables / name, "steps": 6, **more}
        code, shown = run(*fit(tables, encoder_folder, method, **changes))
        assert code == 0, shown
    code, shown = run(*fit(tables, encoder_folder, train=tables / "few.parquet", distant="distant"))
    assert code == 2
    assert "column 'tags': no entity in a tagged sentence; tag one with some" in shown


def test_a_table_of_one_word_a_row_is_noticed(run, tables, encoder_folder):
    """Its words alone, without their sentences, are seldom what was meant."""
    words = [f"{word}{i}" for i in range(5) for word in ("soup", "goal", "the", "a")]
    tags = ["B-FOOD", "B-SPORT", "O", "O"] * 5
    pd.DataFrame({"tokens": words, "tags": tags}).to_csv(tables / "words.csv", index=False)
    asked = fit(tables, encoder_folder, "supervised", train=tables / "words.csv", steps=2)
    code, shown = run(*asked)
    assert code == 2, shown
    assert "words.csv: each row of column 'tokens' holds one word, and nothing tells which rows are a sent" in shown
    code, shown = run(*asked, "--sentence-id", "row")
    assert code == 0, shown
    assert "words.csv: every sentence has one word only; a row (or a block of lines) must be a whole" in shown


def test_the_pool_of_another_file_needs_no_tags(run, tables, encoder_folder):
    test = pd.read_parquet(tables / "test.parquet")
    test[["tokens"]].assign(tokens=[[*t, "again"] for t in test.tokens]).to_parquet(tables / "more.parquet")
    code, shown = run(*fit(tables, encoder_folder, distant="distant", unlabelled=tables / "more.parquet", steps=10))
    assert code == 0, shown
    found = summary(tables)
    assert found["unlabelled"] == 60
    assert found["weak"]["covered"] == 40


@pytest.mark.parametrize(
    ("X", "y", "message"),
    [
        (["a text"], [["O"]], r"X\[0\] must be a list of words"),
        ([["a", "b"]], [["O"]], r"y\[0\]: 1 tags for 2 words"),
        ([["a", "b"]] * 2, [["B-X", "O"], ["O", None]], r"y\[1\]: word 2, 'b', has no tag \(empty\) in a tag"),
        ([["a", "b"]] * 2, [["B-X", "O"], ["O", float("nan")]], r"open_words='outside' \(they are outside entities\)"),
        ([["a", "b"]] * 2, [["B-X", "O"], 5], r"y\[1\]: not a list but a number"),
        ([["a", "b"]] * 2, [["B-X", "O"], None], "y: one sentence is tagged; tag one more"),
        ([None], [["O"]], r"X\[0\] must be a list of words"),
        ([["a"], ["b"]], [["O"]], "X has 2 sentences, but y has 1"),
        ([["a"], ["b"], ["c"]], [["O"]] * 3, "y: no entity in any sentence"),
        ([["a"]] * 3, [None] * 3, "y: every sentence is untagged"),
        ([["a", " "]], [["O", "O"]], r"X\[0\] must be a list of words, none empty"),
        ([["a"]] * 2, [["B-"], ["B-X"]], r"y\[0\]: tag 1 must be"),
    ],
)
def test_bad_sentences_are_named(X, y, message):
    with pytest.raises(ValueError, match=message):
        Tagger().fit(X, y)


def test_long_sentences_and_long_words_keep_every_word(encoder_folder):
    """A sentence in several windows, a word longer than a window, a word of which the tokenizer makes nothing."""
    encoder = load_encoder(str(encoder_folder), max_length=8)
    long = ["1" * 50, "the", "\u200b", *["soup"] * 20]
    tokens = tokenize_words(encoder, [long, ["a"]])
    assert tokens.sizes.tolist() == [23, 1]
    assert max(len(w) for sentence in tokens.windows for w in sentence) <= 8
    batch = tokens.take(np.array([1, 0]))
    assert int(batch["first"].sum()) == 24
    assert tokens.units(np.array([1, 0])).tolist() == [23, *range(23)]


def test_features_of_words_do_not_depend_on_their_neighbours_in_the_batch(encoder_folder, tmp_path):
    encoder = load_encoder(str(encoder_folder))
    sentences = [["the", "soup"], ["a", "match", "near", "my", "bread"], ["the", "soup"]]
    together = encoded(sentences, encoder, tmp_path / "a")
    alone = np.concatenate([encoded([s], encoder, tmp_path / f"b{i}") for i, s in enumerate(sentences)])
    np.testing.assert_allclose(together, alone, atol=1e-5)
    assert np.array_equal(together, encoded(sentences, encoder, tmp_path / "a"))


def test_predictions_of_ragged_sentences_come_back_in_order(subjects):
    import torch

    from tutelage.data import WordFeatures
    from tutelage.modalities.head import Head
    from tutelage.tasks import Tagging

    torch.manual_seed(0)
    sizes = np.array([3, 1, 5, 2])
    examples, head = WordFeatures(torch.randn(11, 4), sizes), Head(4, 3)
    with torch.no_grad():
        expected = head(examples.rows)
    assert torch.allclose(predict(head, Tagging(3, ("O", "B-X", "I-X")), examples), expected)
