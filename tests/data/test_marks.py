"""Marks of learnt items, and what is refused where a label that was learnt would be held out."""

import numpy as np
import pandas as pd
import pytest

from tutelage import Classifier, load
from tutelage.data.marks import learnt, mark, marks
from tutelage.modalities.encoder import load_encoder, save_encoder
from tutelage.tables import DataError, write_table
from tutelage.weak import descriptions_of, read_columns, read_labels, said_values

FAST = {"steps": 20, "folds": 2, "repeats": 1}


def test_a_mark_knows_a_text_again_whatever_its_case_and_spaces():
    seen = marks(["Good soup", ["a", "b"], np.zeros(2), b"image"])
    assert len(seen) == 2
    again = ["good  SOUP ", "good soups", ["A", "b"], np.zeros(2)]
    assert learnt(again, seen).tolist() == [True, False, True, False]
    assert not learnt(again, frozenset()).any()
    assert mark("a b") != mark(["a", "b"])


@pytest.mark.parametrize("finetune", [False, True])
def test_a_model_that_learnt_the_labels_is_no_teacher_and_no_encoder_of_them(finetune, texts, encoder_folder, tmp_path):
    x, y, pool = list(texts.train.text), list(texts.train.label), list(texts.pool.text)
    old = Classifier("supervised", encoder=str(encoder_folder), finetune=finetune, evidence=False, **FAST)
    old.fit(x, y, pool).save(tmp_path / "old")
    assert load(tmp_path / "old").learnt == marks(x)
    new = Classifier("supervised", encoder=str(encoder_folder), **FAST)
    with pytest.raises(ValueError, match=f"learnt the labels of {len(x)} of these {len(x)} texts"):
        new.fit(x, y, pool, teacher=old)
    blind = Classifier("supervised", encoder=str(encoder_folder), evidence=False, **FAST)
    assert blind.fit(x, y, pool, teacher=old).evidence_ is None  # nothing is held out
    after = Classifier("supervised", encoder=str(tmp_path / "old"), **FAST)
    if finetune:
        with pytest.raises(ValueError, match=f"was adapted to the labels of {len(x)} of these {len(x)} texts"):
            after.fit(x, y, pool)
    else:  # the encoder is the one that was there before
        assert after.fit(x, y, pool).evidence_ is not None


def test_an_encoder_without_its_tokenizer_is_refused(encoder_folder, tmp_path):
    encoder = load_encoder(str(encoder_folder))
    save_encoder(encoder, tmp_path / "encoder")
    config = tmp_path / "encoder" / "config.json"
    size = encoder.model.config.vocab_size
    encoder.model.resize_token_embeddings(4 * size)
    encoder.model.save_pretrained(tmp_path / "encoder")
    assert config.is_file()
    with pytest.raises(OSError, match=f"has no tokenizer that belongs to it: this knows .* the model {4 * size}"):
        load_encoder(str(tmp_path / "encoder"))


def test_one_confidence_above_1_is_an_error_and_no_percentage():
    table = pd.DataFrame({"by": ["ham", "spam", "ham"], "sure": ["0.9", "1.2", "0.8"]})
    with pytest.raises(DataError, match=r"a.csv, row 2, column 'sure': a confidence must be in \[0, 1\], got 1.2"):
        read_labels(table, "by", "sure", "a.csv", print)


def test_two_columns_or_descriptions_of_one_class_are_refused():
    table = pd.DataFrame([["0.5", "0.5", "0.5"]], columns=["p_ham", "p_spam", "p_ham "])
    with pytest.raises(DataError, match="two columns of the teacher are for class 'ham'"):
        read_columns(table, "p_", "a.csv", print)
    frame = pd.DataFrame([[0.5, 0.5, 0.0]], columns=["ham", "spam", "ham"])
    with pytest.raises(ValueError, match="one column for each class, got two for 'ham'"):
        said_values(frame, 1, None, "teacher", print)
    with pytest.raises(DataError, match="class 'World' is described twice"):
        descriptions_of({"World": "a", "World ": "b"})
    with pytest.raises(ValueError, match="teacher must be probabilities, of shape"):
        said_values(["ham"], 1, None, "teacher", print)


@pytest.mark.parametrize("ending", ["csv", "tsv"])
def test_a_bare_carriage_return_ends_no_line(ending, tmp_path):
    table = pd.DataFrame({"text": ["one\rtwo", "plain"], "n": [1, 2]})
    write_table(table, tmp_path / f"a.{ending}")
    again = pd.read_csv(tmp_path / f"a.{ending}", sep="\t" if ending == "tsv" else ",")
    assert again.text.tolist() == table.text.tolist()
