"""A large frozen encoder computes in bfloat16 where a probe finds it faster; its weights and fingerprint stay."""

from __future__ import annotations

import json

import numpy as np
import pytest
import torch
from torch import nn

from tutelage import weights
from tutelage.modalities import precision
from tutelage.modalities.base import features
from tutelage.modalities.encoder import load_encoder
from tutelage.modalities.head import Head
from tutelage.modalities.sentences.reader import WordReader
from tutelage.modalities.text.reader import TextReader
from tutelage.model import Model, load, save
from tutelage.tasks import Classification

TEXTS = ["the soup was near the bread today", "a goal and a match again"]


@pytest.fixture(autouse=True)
def fresh(monkeypatch, tmp_path):
    monkeypatch.setenv("TUTELAGE_CACHE", str(tmp_path / "cache"))
    monkeypatch.delenv(precision.VARIABLE, raising=False)
    measured = precision.gain
    measured.cache_clear()
    yield tmp_path / "cache"
    measured.cache_clear()


@pytest.fixture
def all_large(monkeypatch):
    monkeypatch.setattr(precision, "LARGE", 0)


@pytest.mark.parametrize(("gain", "dtype"), [(4.0, torch.bfloat16), (1.5, torch.bfloat16), (1.4, torch.float32)])
def test_the_probe_decides_for_large_encoders_alone(monkeypatch, gain, dtype):
    monkeypatch.setattr(precision, "probe", lambda device: gain)
    small = nn.Linear(10, 10)
    assert precision.precision_of(small) == torch.float32
    monkeypatch.setattr(precision, "LARGE", 109)
    assert precision.precision_of(small) == dtype


def test_the_probe_is_made_once_for_a_machine(monkeypatch, fresh):
    probes = []
    monkeypatch.setattr(precision, "probe", lambda device: probes.append(device) or 2.0)
    assert [precision.gain("cpu"), precision.gain("cpu")] == [2.0, 2.0]
    precision.gain.cache_clear()  # as in another process
    assert precision.gain("cpu") == 2.0
    assert probes == ["cpu"]
    precision.gain.cache_clear()
    monkeypatch.setattr(precision, "_machine", lambda: "another processor")
    precision.gain("cpu")
    assert probes == ["cpu", "cpu"]
    assert len(json.loads((fresh / "precision.json").read_text()).keys() - {"sha256"}) == 2
    precision.gain.cache_clear()
    (fresh / "precision.json").write_text("{")  # damaged: measured again
    precision.gain("cpu")
    assert len(probes) == 3


def test_the_real_probe_gives_a_ratio_of_times():
    assert 0.01 < precision.probe("cpu", repeats=1) < 100


def test_a_clock_that_says_which_is_faster_is_believed(monkeypatch):
    """The matrices' products take 3 s and 1 s by this clock, the first of each longer."""
    ticks = iter(np.cumsum([0, 9, 0, 7] + [0, 3, 0, 1] * 2).tolist())
    monkeypatch.setattr(precision.time, "perf_counter", lambda: next(ticks))
    assert precision.probe("cpu", repeats=2) == 3.0


@pytest.mark.parametrize(
    ("word", "dtype"), [("float32", torch.float32), ("bfloat16", torch.bfloat16), ("", torch.float32)]
)
def test_the_variable_forces_it(monkeypatch, word, dtype):
    monkeypatch.setattr(precision, "gain", None)  # not asked
    monkeypatch.setenv(precision.VARIABLE, word)
    assert precision.precision_of(nn.Linear(2, 2)) == dtype


def test_another_word_is_refused(monkeypatch):
    monkeypatch.setenv(precision.VARIABLE, "float16")
    with pytest.raises(ValueError, match="TUTELAGE_PRECISION must be one of float32, bfloat16, got 'float16'"):
        precision.precision_of(nn.Linear(2, 2))


@pytest.mark.parametrize("reader", [TextReader, WordReader])
def test_features_in_both_precisions_are_near_and_lie_in_folders_of_their_own(
    monkeypatch, encoder_folder, tmp_path, all_large, reader
):
    encoder = load_encoder(str(encoder_folder), 32)
    items = TEXTS if reader is TextReader else [text.split() for text in TEXTS]
    found = {}
    for gain in (1.0, 2.0):
        monkeypatch.setattr(precision, "gain", lambda device, gain=gain: gain)
        found[gain] = features(reader(encoder), items, tmp_path / "features").rows
    assert encoder.fingerprint == load_encoder(str(encoder_folder), 32).fingerprint
    assert found[2.0].dtype == torch.float32
    assert not torch.equal(found[1.0], found[2.0])
    assert torch.nn.functional.cosine_similarity(found[1.0], found[2.0]).min() > 0.999
    stem = f"words-{encoder.fingerprint}" if reader is WordReader else encoder.fingerprint
    assert {folder.name for folder in (tmp_path / "features").iterdir()} == {stem, f"{stem}-bfloat16"}


def test_a_small_encoder_s_features_are_the_same_bits_as_without_a_probe(monkeypatch, encoder_folder, tmp_path):
    monkeypatch.setattr(precision, "probe", lambda device: 9.0)
    encoder = load_encoder(str(encoder_folder), 32)
    rows = features(TextReader(encoder), TEXTS, tmp_path / "features").rows
    for row, text in zip(rows, TEXTS, strict=True):  # alone: a text's features do not depend on the others
        batch = encoder.tokenizer([text], padding=True, pad_to_multiple_of=8, return_tensors="pt")
        kept = batch["attention_mask"]
        with torch.inference_mode():
            hidden = encoder.model(input_ids=batch["input_ids"], attention_mask=kept).last_hidden_state
        mean = (hidden * kept[..., None]).sum(1) / kept.sum(1, keepdim=True)
        assert torch.equal(row, nn.functional.normalize(mean, dim=1)[0])


def test_a_model_that_was_saved_in_one_precision_loads_where_the_other_is_taken(
    monkeypatch, encoder_folder, tmp_path, all_large
):
    monkeypatch.setattr(precision, "gain", lambda device: 4.0)
    reader = TextReader(load_encoder(str(encoder_folder), 32))
    model = Model(["food", "sport"], Head(16, 2), reader, Classification(2), tmp_path / "features")
    narrow = model.probabilities(TEXTS)
    save(model, tmp_path / "model")
    monkeypatch.setattr(precision, "gain", lambda device: 0.3)
    wide = load(tmp_path / "model").probabilities(TEXTS)
    np.testing.assert_allclose(narrow, wide, atol=0.02)


def test_an_encoder_of_the_catalogue_that_is_not_here_says_how_to_get_it(fresh):
    with pytest.raises(OSError, match=r"^encoder 'mpnet' is not here yet: tutelage models get mpnet \(404 MB\)$"):
        load_encoder("mpnet")
    with pytest.raises(
        OSError, match=r"^encoder 'efficientnet-lite0' is for images; of texts there are minilm, mpnet$"
    ):
        load_encoder("efficientnet-lite0")


def test_an_encoder_of_the_catalogue_is_found_where_it_was_fetched(monkeypatch, encoder_folder):
    monkeypatch.setattr(weights, "path_of", {"mpnet": encoder_folder}.get)
    encoder = load_encoder("mpnet", 32)
    assert (encoder.name, encoder.width) == ("mpnet", 16)
    assert encoder.fingerprint == load_encoder(str(encoder_folder), 32).fingerprint


def test_a_folder_without_weights_and_a_name_that_nobody_has_are_said(encoder_folder, tmp_path, monkeypatch):
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    for file in encoder_folder.iterdir():
        if file.suffix != ".safetensors":
            (tmp_path / file.name).write_bytes(file.read_bytes())
    with pytest.raises(OSError, match=r"could not be loaded; give minilm, mpnet, a folder .*model.safetensors"):
        load_encoder(str(tmp_path))
