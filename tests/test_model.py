"""Saved models: the same after loading, or refused with the file's name. No code is run."""

from __future__ import annotations

import json
import pickle
import re
import shutil
import sys

import numpy as np
import pytest
import torch
from sklearn.datasets import load_digits

from forging import forge, sealed_anew
from tutelage import Classifier, load
from tutelage import model as saving
from tutelage.files import BadFileError
from tutelage.files.tensors import write_tensors
from tutelage.modalities.head import Head
from tutelage.modalities.rows.reader import RowReader
from tutelage.tasks import Classification

FAST = {"steps": 20, "folds": 2, "repeats": 1}


@pytest.fixture
def saved(tmp_path):
    x, y = load_digits(return_X_y=True)
    Classifier(**FAST).fit(x[:200], np.where(np.arange(200) < 100, y[:200], -1)).save(tmp_path)
    return tmp_path / "model"


@pytest.fixture
def finetuned(texts, encoder_folder, tmp_path):
    model = Classifier(encoder=str(encoder_folder), finetune=True, evidence=False, steps=2)
    model.fit(texts.train.text, texts.train.label).save(tmp_path)
    return tmp_path / "model"


@pytest.mark.parametrize("hidden", [0, 8])
@pytest.mark.parametrize("classes", [["a", "b", "ç"], [np.int64(3), np.int64(5), np.int64(7)]])
def test_a_head_on_arrays_is_the_same_after_loading(tmp_path, hidden, classes):
    x = np.random.default_rng(0).normal(3, 5, (20, 4)).astype(np.float32)
    head = Head(4, 3, hidden, dropout=0.5).standardise(torch.as_tensor(x), per_feature=True)
    model = saving.Model(classes, head, RowReader(), Classification(3))
    saving.save(model, tmp_path / "deep" / "model")
    again = load(tmp_path / "deep" / "model")
    assert again.classes == classes
    assert again.reader == RowReader()
    np.testing.assert_array_equal(again.probabilities(x), model.probabilities(x))


@pytest.mark.parametrize("finetune", [False, True])
@pytest.mark.parametrize("evidence", [False, True])
def test_a_text_model_is_the_same_after_loading(texts, encoder_folder, tmp_path, finetune, evidence):
    model = Classifier(encoder=str(encoder_folder), finetune=finetune, evidence=evidence, **FAST)
    model.fit(texts.train.text, texts.train.label, X_unlabelled=texts.pool.text)
    model.save(tmp_path / "model")
    again = load(tmp_path / "model")
    assert again.classes == ["food", "sport"]
    np.testing.assert_array_equal(again.probabilities(texts.test.text), model.predict_proba(texts.test.text))


def test_only_json_and_safetensors_are_written(texts, encoder_folder, tmp_path):
    model = Classifier(encoder=str(encoder_folder), finetune=True, **FAST)
    model.fit(texts.train.text, texts.train.label, X_unlabelled=texts.pool.text).save(tmp_path)
    assert {p.suffix for p in (tmp_path / "model").rglob("*") if p.is_file()} <= {
        ".json",
        ".safetensors",
        ".txt",
        ".md",
    }  # the card


def test_a_missing_model(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"model.json is missing"):
        load(tmp_path)


@pytest.mark.parametrize("keep", [0, 7, 1000])
def test_truncated_weights(saved, keep):
    file = saved / "model.safetensors"
    file.write_bytes(file.read_bytes()[:keep])
    with pytest.raises(BadFileError, match=r"model.safetensors is not as it was written"):
        load(saved)
    sealed_anew(saved)
    with pytest.raises(BadFileError, match=r"model.safetensors: truncated or not a safetensors file"):
        load(saved)


def test_missing_weights(saved):
    (saved / "model.safetensors").unlink()
    with pytest.raises(BadFileError, match=r"model.safetensors is missing"):
        load(saved)
    sealed_anew(saved)
    with pytest.raises(FileNotFoundError, match=r"model.safetensors"):
        load(saved)


def with_head(about, **changes):
    """The description of a model with changes to the head of the last of its networks."""
    *others, last = about["mixture"]
    return about | {"mixture": [*others, last | {"head": last["head"] | changes}]}


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda a: a | {"format": 99}, "format 99 is newer than 3"),
        (lambda a: {"something": "else"}, "not written by tutelage"),
        (lambda a: ["a"], "not written by tutelage"),
        (lambda a: {k: v for k, v in a.items() if k not in ("head", "mixture")}, "do not fit together"),
        (lambda a: with_head(a, classes=3), "do not fit together"),
        (lambda a: with_head(a, classes="many"), "do not fit together"),
        (lambda a: with_head(a, dropout=7), "do not fit together"),
        (lambda a: a | {"mixture": []}, "do not fit together"),
        (lambda a: a | {"mixture": "two"}, "do not fit together"),
        (lambda a: a | {"classes": a["classes"][1:]}, "9 classes are named, but the model tells 10 apart"),
        (lambda a: a | {"format": "one"}, "not written by tutelage"),
        (lambda a: a | {"format": None}, "not written by tutelage"),
    ],
)
def test_wrong_or_newer_descriptions(saved, change, message):
    forge(saved / "model.json", change)
    with pytest.raises(BadFileError, match=message):
        load(saved)


@pytest.mark.parametrize("error", [IndexError, KeyError, OverflowError, ZeroDivisionError, RecursionError])
def test_any_error_of_a_wrong_description_is_said_in_a_line(saved, monkeypatch, error):
    def restored(*_):
        raise error("x")

    monkeypatch.setattr(RowReader, "restored", restored)
    with pytest.raises(BadFileError, match="do not fit together"):
        load(saved)


def test_the_trace_of_another_library_is_not_shown(saved):
    forge(saved / "model.json", lambda a: with_head(a, classes=2**70))
    with pytest.raises(BadFileError, match="do not fit together") as told:
        load(saved)
    assert "frame #" not in str(told.value) and len(str(told.value)) < 600


def test_garbage_instead_of_json(saved):
    (saved / "model.json").write_text("{")
    with pytest.raises(BadFileError, match=r"model.json: damaged: not readable as JSON"):
        load(saved)


@pytest.mark.parametrize(
    ("header", "message"),
    [
        (None, "not written by tutelage"),
        ({"tutelage": "junk"}, "not written by tutelage"),
        ({"tutelage": "{}"}, "not written by tutelage"),
        ({"tutelage": '{"format": 99, "meta": null}'}, "format 99 is newer than 3"),
    ],
)
def test_tensors_of_another_program_or_a_newer_version(saved, header, message):
    from safetensors.torch import save_file

    save_file({"a": torch.zeros(1)}, saved / "model.safetensors", metadata=header)
    sealed_anew(saved)
    with pytest.raises(BadFileError, match=f"model.safetensors: {message}"):
        load(saved)


@pytest.mark.parametrize("file", ["model.json", "model.safetensors", "encoder/config.json", "encoder/tokenizer.json"])
def test_a_part_of_a_finetuned_model_that_is_missing_or_cut_is_named(finetuned, file):
    whole = (finetuned / file).read_bytes()
    (finetuned / file).write_bytes(whole[: len(whole) // 2])
    with pytest.raises(BadFileError, match=re.escape(str(finetuned))):
        load(finetuned)
    (finetuned / file).unlink()
    with pytest.raises((BadFileError, FileNotFoundError), match=re.escape(str(finetuned))):
        load(finetuned)


class Trap:
    """Leaves a mark when it is unpickled."""

    def __init__(self, mark) -> None:
        self.mark = mark

    def __reduce__(self):
        return (open, (str(self.mark), "w"))


def test_a_pickle_in_place_of_the_weights_is_not_run(saved, tmp_path):
    (saved / "model.safetensors").write_bytes(pickle.dumps(Trap(tmp_path / "mark")))
    with pytest.raises(BadFileError):
        load(saved)
    assert not (tmp_path / "mark").exists()


def test_pickles_beside_a_finetuned_model_are_not_run(finetuned, texts, tmp_path):
    before = load(finetuned).probabilities(texts.test.text)
    for name in ("pytorch_model.bin", "model.pt", "encoder/pytorch_model.bin"):
        (finetuned / name).write_bytes(pickle.dumps(Trap(tmp_path / "mark")))
    np.testing.assert_array_equal(load(finetuned).probabilities(texts.test.text), before)
    assert not (tmp_path / "mark").exists()


@pytest.mark.parametrize("finetune", [False, True])
def test_code_beside_an_encoder_is_not_run_nor_is_it_asked_for(texts, encoder_folder, tmp_path, monkeypatch, finetune):
    own = tmp_path / "encoder"
    shutil.copytree(encoder_folder, own)
    model = Classifier(encoder=str(own), finetune=finetune, evidence=False, steps=2)
    model.fit(texts.train.text, texts.train.label).save(tmp_path)
    folder = tmp_path / "model" / "encoder" if finetune else own
    config = json.loads((folder / "config.json").read_text())
    classes = {"AutoConfig": "trap.Config", "AutoModel": "trap.Model"}
    (folder / "config.json").write_text(json.dumps(config | {"model_type": "trap", "auto_map": classes}))
    (folder / "trap.py").write_text(f"import pathlib\npathlib.Path({str(tmp_path / 'mark')!r}).touch()\n")
    monkeypatch.setattr("transformers.dynamic_module_utils.HF_MODULES_CACHE", str(tmp_path / "modules"))
    monkeypatch.setattr("sys.path", [*sys.path])
    asked = []
    monkeypatch.setattr("builtins.input", lambda question="": asked.append(question) or "y")
    with pytest.raises((OSError, ValueError), match="encoder"):
        load(tmp_path / "model")
    assert not (tmp_path / "mark").exists()
    assert not asked


def test_an_encoder_that_changed_is_noticed(texts, encoder_folder, tmp_path):
    own = tmp_path / "encoder"
    shutil.copytree(encoder_folder, own)
    model = Classifier(encoder=str(own), **FAST)
    model.fit(texts.train.text, texts.train.label, X_unlabelled=texts.pool.text).save(tmp_path / "model")
    weights = own / "model.safetensors"
    data = bytearray(weights.read_bytes())
    data[-3] ^= 64
    weights.write_bytes(bytes(data))
    with pytest.raises(BadFileError, match="is not the one this model was trained with"):
        load(tmp_path / "model")
    shutil.rmtree(own)
    with pytest.raises(OSError, match="could not be loaded"):
        load(tmp_path / "model")


def test_the_temperature_and_the_held_out_labels_are_kept(saved):
    x, y = load_digits(return_X_y=True)
    model = Classifier(**FAST).fit(x[:200], np.where(np.arange(200) < 100, y[:200], -1))
    again = load(saved)
    assert again.temperature == model.temperature_ != 1
    assert {k: v.shape for k, v in again.held_out.items()} == {
        "confidence": (1, 100),
        "right": (1, 100),
        "label": (100,),
    }
    np.testing.assert_array_equal(again.probabilities(x[:50]), model.predict_proba(x[:50]))


def test_the_temperature_divides_the_logits_and_keeps_the_classes(saved):
    x = load_digits(return_X_y=True)[0][:60]
    model = load(saved)
    calibrated, classes = model.probabilities(x), model.predict(x)
    model.temperature *= 2
    flat = np.sqrt(calibrated)
    np.testing.assert_allclose(model.probabilities(x), flat / flat.sum(1, keepdims=True), rtol=1e-6)
    np.testing.assert_array_equal(model.predict(x), classes)
    streamed = np.empty_like(flat)
    for units, p in model.stream(model.examples(x)):
        streamed[units.numpy()] = p.numpy()
    np.testing.assert_allclose(streamed, model.probabilities(x), atol=1e-6)


def test_a_model_without_a_temperature_has_one(saved):
    (saved / "held_out.safetensors").unlink()
    forge(saved / "model.json", lambda about: {k: v for k, v in about.items() if k != "temperature"})
    assert load(saved).temperature == 1 and load(saved).held_out == {}


@pytest.mark.parametrize(
    ("temperature", "says"),
    [
        *((number, "do not fit together") for number in (0, -1, float("nan"), float("inf"))),
        *((other, "temperature: Input should be a valid number") for other in ("hot", None)),
    ],
)
def test_a_temperature_that_cannot_be(saved, temperature, says):
    forge(saved / "model.json", lambda about: about | {"temperature": temperature})
    with pytest.raises(BadFileError, match=says):
        load(saved)


def test_held_out_labels_of_other_shapes(saved):
    write_tensors(saved / "held_out.safetensors", {"confidence": torch.ones(2, 3), "label": torch.zeros(3)})
    sealed_anew(saved)
    with pytest.raises(BadFileError, match=r"held_out.safetensors: not written by tutelage, or damaged"):
        load(saved)


def test_what_another_model_kept_does_not_stay(saved):
    model = load(saved)
    model.held_out = {}
    saving.save(model, saved)
    assert not (saved / "held_out.safetensors").exists()
