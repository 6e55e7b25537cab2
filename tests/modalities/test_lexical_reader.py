"""The lexical encoder in fits: alone, beside a transformer, saved, refused; and what a tokenizer does not know."""

from __future__ import annotations

import json
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
import torch
from sklearn.base import clone
from sklearn.model_selection import GridSearchCV

from benches import stopped_after
from forging import sealed_anew
from tutelage import Classifier, load
from tutelage.fit.build import Build, Items
from tutelage.fit.defaults import HEAD
from tutelage.kinds.sentences import Sentences
from tutelage.kinds.texts import Texts
from tutelage.methods import Drift
from tutelage.modalities.base import Encodes
from tutelage.modalities.encoder import load_encoder
from tutelage.modalities.known import TOO_MANY, how_read, sentences_read, unknown_share
from tutelage.modalities.text import lexical_reader
from tutelage.modalities.text.lexical import Lexicon
from tutelage.modalities.text.lexical_reader import JoinedReader, LexicalReader, spread, text_reader
from tutelage.modalities.text.reader import TextReader
from tutelage.tasks import Classification

KANNADA = ["ನಿನ್ನೆ ದೋಸೆ ಬೇಗ ಮುಗಿಯಿತು", "ಬೆಳಿಗ್ಗೆ ಸೂಪ್ ಚೆನ್ನಾಗಿತ್ತು", "ಮನೆಯಲ್ಲಿ ತಂಡ ಚೆನ್ನಾಗಿತ್ತು"]


@pytest.fixture
def both(encoder_folder):
    """The name of the small encoder with the lexical one beside it."""
    return f"{encoder_folder}+lexical"


@pytest.fixture
def learn(texts):
    return [*texts.train.text, *texts.pool.text]


def of(reader, *parts, cache):
    return [found.rows.numpy() for found in reader.encoding(parts, cache).features()]


def test_names_tell_the_reader(encoder_folder, both):
    assert isinstance(text_reader("lexical"), LexicalReader)
    assert isinstance(text_reader(str(encoder_folder)), TextReader)
    joined = text_reader(both)
    assert (
        isinstance(joined, JoinedReader) and isinstance(joined, Encodes) and isinstance(text_reader("lexical"), Encodes)
    )
    assert joined.says == f"{encoder_folder} + lexical" and text_reader("lexical").says == "lexical"


def test_features_stand_side_by_side_with_one_spread(both, learn, tmp_path, monkeypatch):
    reader = text_reader(both)
    few = learn[:40]  # no more than the spread is taken of
    fitted = reader.fitted(few)
    (rows,), (first,) = of(fitted, few, cache=tmp_path), of(reader.first, few, cache=tmp_path)
    np.testing.assert_array_equal(rows[:, :16], first)
    lexical = Lexicon.fitted(few).rows(few)
    np.testing.assert_allclose(rows[:, 16:], lexical * fitted.factor, rtol=1e-6)
    np.testing.assert_allclose(spread(rows[:, 16:]), lexical_reader.SHARE * spread(rows[:, :16]), rtol=1e-4)


def test_the_spread_is_the_square_root_of_the_summed_variances():
    rows = np.random.default_rng(0).normal(size=(50, 3))
    np.testing.assert_allclose(spread(rows), np.sqrt(rows.var(0).sum()))


@pytest.mark.parametrize("name", ["lexical", "both"])
def test_a_reader_that_is_not_fitted_says_so(name, both, tmp_path):
    with pytest.raises(ValueError, match="not fitted"):
        text_reader(both if name == "both" else name).encoding([["a text"]], tmp_path)


def test_equal_texts_are_counted_once_and_nothing_is_written(learn, tmp_path):
    encoding = LexicalReader().fitted(learn).encoding([learn[:4], learn[2:5]], tmp_path / "cache")
    assert encoding.missing == 5
    assert 0 < encoding.seconds() < 5
    told = []
    encoding.features(tick=lambda *now: told.append(now))
    assert told == [("encoding", 4, 7), ("encoding", 7, 7)]
    assert not (tmp_path / "cache").exists()


def test_a_problem_is_built_on_labels_and_pool_alone(texts, tmp_path):
    labelled, pool = list(texts.train.text), list(texts.pool.text)
    y = (texts.train.label == "sport").to_numpy(dtype=int)
    items = Items(Classification(2), labelled, y, pool)
    building = Build(LexicalReader(), ("weak", "strong"), HEAD, False, tmp_path).of(items)
    expected = Lexicon.fitted([*labelled, *pool])
    assert building.build.reader.lexicon.fingerprint == expected.fingerprint
    problem = building.problem()
    np.testing.assert_array_equal(problem.labelled.rows.numpy(), expected.rows(labelled))
    np.testing.assert_array_equal(problem.pool.rows.numpy(), expected.rows(pool))
    assert len(problem.strong) == 2
    dropped = building.build.reader.disturbed(pool, 0.2, 0)
    np.testing.assert_array_equal(problem.strong[0].rows.numpy(), expected.rows(dropped))
    assert dropped == TextReader.disturbed(None, pool, 0.2, 0)


def test_no_network_is_made_of_it(both):
    for name in ("lexical", both):
        with pytest.raises(ValueError, match="trained"):
            text_reader(name).network(2)


@pytest.mark.parametrize("name", ["lexical", "minilm+lexical"])
def test_fine_tuning_is_refused_in_one_line(name):
    with pytest.raises(
        ValueError, match=r"--finetune trains a transformer .* not --encoder " + name.replace("+", r"\+")
    ):
        Texts(text="text", encoder=name, finetune=True)
    with pytest.raises(ValueError, match="--finetune"):
        Classifier(encoder=name, finetune=True).fit(["a", "b", "c", "d"], ["x", "y", "x", "y"])


def test_words_of_sentences_have_no_lexical_encoder():
    with pytest.raises(ValueError, match="reads whole texts"):
        Sentences(tokens="tokens", encoder="lexical")


def quick(encoder, **changes):
    return Classifier(**{"method": "mean_teacher", "encoder": encoder, "steps": 20, "folds": 2, "repeats": 1} | changes)


def answers(texts):
    return list(texts.train.label), list(texts.train.text), list(texts.pool.text), list(texts.test.text)


@pytest.mark.parametrize("name", ["lexical", "both"])
def test_a_classifier_is_saved_and_read_bit_for_bit(name, both, texts, tmp_path):
    y, X, pool, test = answers(texts)
    model = quick(both if name == "both" else name).fit(X, y, X_unlabelled=pool)
    expected = model.predict_proba(test)
    model.save(tmp_path)
    again = load(tmp_path)
    np.testing.assert_array_equal(again.probabilities(test), expected)
    names = {p.name for p in (tmp_path / "model").iterdir()}
    lexicon = {"lexicon.json", "lexicon.safetensors"}
    of_all = {
        "README.md",
        "held_out.safetensors",
        "known.safetensors",
        "learnt.json",
        "manifest.json",
        "model.json",
        "model.safetensors",
    }
    assert names == lexicon | of_all


def test_subjects_are_told_by_their_words(texts):
    y, X, pool, test = answers(texts)
    model = quick("lexical", steps=100, evidence=False).fit(X, y, X_unlabelled=pool)
    assert model.score(test, list(texts.test.label)) > 0.8


@pytest.mark.parametrize("damage", ["lexicon.json", "lexicon.safetensors", "another"])
def test_a_damaged_model_is_one_line(damage, texts, tmp_path):
    y, X, pool, _ = answers(texts)
    quick("lexical", evidence=False).fit(X, y, X_unlabelled=pool).save(tmp_path)
    if damage == "another":
        Lexicon.fitted(X).save(tmp_path / "model")
        sealed_anew(tmp_path / "model")
    else:
        (tmp_path / "model" / damage).unlink()
    with pytest.raises(ValueError, match="not the one this model was trained with" if damage == "another" else damage):
        load(tmp_path)


def test_clones_and_searches(texts):
    y, X, *_ = answers(texts)
    model = quick("lexical", evidence=False)
    assert clone(model).get_params()["encoder"] == "lexical"
    grid = {"method": [Drift(decay=0.9), Drift(decay=0.99)]}
    assert GridSearchCV(model, grid, cv=2).fit(np.array(X, dtype=object), np.array(y)).best_score_ > 0.4


def test_a_run_saves_the_fitted_reader_and_scores_with_it(run, bench):
    code, shown = run(*bench.fit(encoder="lexical", steps=60))
    assert code == 0, shown
    assert "Reading with lexical on cpu: 76 texts to encode" in shown
    summary = json.loads((bench.out / "summary.json").read_text())
    assert summary["encoder"] == "lexical" and summary["reading"] == "fitted on labels and pool"
    code, shown = run("score", bench.out, "--test", bench.folder / "test.csv")
    assert code == 0, shown
    assert f"accuracy {summary['test']['accuracy']:.1%}".replace("%", " %") in shown


def test_an_audit_reads_with_it(run, bench):
    pd.concat([pd.read_csv(bench.folder / f"{n}.csv") for n in ("train", "pool")]).to_csv(bench.folder / "all.csv")
    words = ["audit", "--train", bench.folder / "all.csv", "--text", "text", "--label", "label", "--encoder", "lexical"]
    code, shown = run(*words, "--out", bench.folder / "audit")
    assert code == 0, shown


class Letters:
    """A tokenizer of a list of words; others it breaks into letters, and those of other scripts are unknown."""

    unk_token = "[UNK]"

    def tokenize(self, text):
        word = text.strip()
        return [word] if word in ("the", "goal", "was") else list(word) if word.isascii() else ["[UNK]"]

    def __call__(self, texts, verbose=True):
        return {"input_ids": [[t for word in text.split() for t in self.tokenize(word)] for text in texts]}


class Named:
    name, tokenizer, max_length = "small", Letters(), 8
    model = SimpleNamespace(config=SimpleNamespace(max_position_embeddings=16))


def test_unknown_words_are_counted_by_hand():
    texts = ["the goal was late", "the ದೋಸೆ was 12345", "the odd 語"]
    # late, odd: letter by letter; ದೋಸೆ, 語: unknown; 12345 is no word
    assert unknown_share(Named, texts) == pytest.approx(4 / 10)
    assert unknown_share(Named, []) == unknown_share(Named, ["123 !!"]) == 0


def test_emoji_and_signs_are_words():
    # two emoji, one with a tone of skin, a star and a word that is known
    assert unknown_share(Named, ["🍕👍🏽 the ★"]) == pytest.approx(3 / 4)
    assert unknown_share(Named, ["⚽⚽⚽"]) == 1


def test_the_sentence_names_encoder_share_and_what_helps():
    assert not how_read(Named, ["the goal was"] * 5).questions
    (question,) = how_read(Named, ["the ದೋಸೆ"]).questions
    said = question.line(1)
    for part in ("small", "50%", "lexical", "intfloat/multilingual-e5-small"):
        assert part in said
    assert "\n" not in said


def test_texts_that_are_cut_are_counted_and_the_option_reads_them():
    told = how_read(Named, ["the goal was", "the " * 12])
    assert told.shares == {"unknown_words": 0.0, "texts_cut": 0.5, "tokens_lost": pytest.approx(4 / 15)}
    (question,) = told.questions
    assert question.options[0].startswith("--max-length 12;")
    assert question.in_python().options[0].startswith("max_length=12;")
    few = how_read(Named, [*["the goal was"] * 30, "the " * 14]).questions
    assert not few or few[0].options[0].startswith("--max-length 14;")
    (question,) = how_read(Named, ["the " * 99]).questions
    assert question.options[0].startswith("--max-length 16;")  # it cannot read more

    class Full(Named):
        model = SimpleNamespace(config=SimpleNamespace(max_position_embeddings=8))

    assert not how_read(Full, ["the " * 99]).questions


def test_minilm_knows_english_and_not_kannada():
    minilm = load_encoder()
    english = ["What is the capital of Uzbekistan?", "so cooool lol gr8 @user #blessed", "naïve café in Zürich"]
    assert unknown_share(minilm, english) < TOO_MANY / 2
    assert unknown_share(minilm, KANNADA) > 0.8
    for other in ("Правительство обсуждает новый закон", "政府今天宣布了支持经济", "정부는 오늘 경제와"):
        assert unknown_share(minilm, [other]) > TOO_MANY


def test_a_fit_says_it_beforehand_and_an_estimator_warns(run, bench, encoder_folder):
    rows = [[f"{text} {i}", "ab"[i % 2]] for i, text in enumerate(KANNADA * 4)]
    pd.DataFrame(rows, columns=["text", "label"]).to_csv(bench.folder / "train.csv", index=False)
    code, shown = run(*bench.fit("supervised", unlabelled=None, test=None, no_evidence=True))
    assert code == 0, shown
    assert "does not know 100% of the words" in shown.split("Training")[0]
    with pytest.warns(UserWarning, match="does not know 100% of the words"):
        quick(str(encoder_folder), evidence=False).fit([r[0] for r in rows], [r[1] for r in rows])
    with torch.random.fork_rng():
        quick("lexical", evidence=False).fit([r[0] for r in rows], [r[1] for r in rows])  # a warning would be an error


def test_a_stopped_run_goes_on_to_the_same_bits(run, bench, both):
    whole = bench.folder / "whole"
    code, shown = run(*bench.fit(encoder=both, out=whole, checkpoint_seconds=0))
    assert code == 0, shown
    with stopped_after(13):
        assert run(*bench.fit(encoder=both, checkpoint_seconds=0))[0] == 130
    code, shown = run(*bench.fit(encoder=both, checkpoint_seconds=0, resume=True))
    assert code == 0, shown
    for name in ("model.safetensors", "lexicon.json", "lexicon.safetensors", "model.json"):
        assert (bench.out / "model" / name).read_bytes() == (whole / "model" / name).read_bytes(), name


def test_sentences_are_read_in_windows_so_that_nothing_is_lost():
    told = sentences_read(Named, [["the", "goal"], ["the"] * 12])
    assert told.shares == {"unknown_words": 0.0, "in_windows": 0.5}
    assert "50% of the sentences are longer and read in several windows" in told.says
    assert not told.questions
    (question,) = sentences_read(Named, [["the", "ದೋಸೆ"]]).questions
    assert "lexical" not in question.line()
