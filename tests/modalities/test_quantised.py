"""Features in int8: the same bits alone and beside others, near float32, kept apart, and kept by a model."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest
import torch

from tutelage.fit.cost import about_reading
from tutelage.modalities import graphs, precision
from tutelage.modalities.base import features
from tutelage.modalities.encoder import load_encoder
from tutelage.modalities.head import Head
from tutelage.modalities.text import fastest, quantised
from tutelage.modalities.text.lexical_reader import text_reader
from tutelage.modalities.text.reader import TextReader
from tutelage.model import Model, load, save
from tutelage.tasks import Classification

pytest.importorskip("onnx", reason="the extra onnx is not installed")
pytest.importorskip("onnxruntime", reason="the extra onnx is not installed")

TEXTS = ["the soup was near the bread today", "a goal and a match again", "my cheese or your team", "they like this"]


@pytest.fixture(autouse=True)
def fresh(monkeypatch, tmp_path):
    monkeypatch.setenv("TUTELAGE_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(quantised, "_OPENED", {})
    return tmp_path / "cache"


@pytest.fixture
def encoder(encoder_folder):
    return load_encoder(str(encoder_folder), 32)


def test_a_text_has_the_same_bits_alone_and_beside_others_and_with_two_threads(encoder, monkeypatch):
    together = fastest.rows_in(encoder, "int8", TEXTS)
    alone = np.concatenate([fastest.rows_in(encoder, "int8", [text]) for text in reversed(TEXTS)])[::-1]
    np.testing.assert_array_equal(together, alone)
    monkeypatch.setattr(torch, "get_num_threads", lambda: 2)
    np.testing.assert_array_equal(together, fastest.rows_in(encoder, "int8", TEXTS))


def test_a_graph_is_made_once_to_the_same_bits_and_again_where_it_is_damaged(encoder, fresh, monkeypatch):
    made = []
    real = graphs.quantise
    monkeypatch.setattr(graphs, "quantise", lambda *given: made.append(given) or real(*given))
    first = fastest.rows_in(encoder, "int8", TEXTS)
    (path,) = (fresh / "graphs").glob("*.onnx")
    assert encoder.fingerprint in path.name
    held = path.read_bytes()
    quantised._OPENED.clear()  # as in another process
    np.testing.assert_array_equal(first, fastest.rows_in(encoder, "int8", TEXTS))
    assert len(made) == 1
    flipped = bytearray(held)
    flipped[len(held) // 2] ^= 1
    path.write_bytes(flipped)
    quantised._OPENED.clear()
    np.testing.assert_array_equal(first, fastest.rows_in(encoder, "int8", TEXTS))
    assert len(made) == 2
    assert path.read_bytes() == held


def test_features_in_int8_are_near_and_lie_in_a_folder_of_their_own(encoder, tmp_path):
    wide = features(TextReader(encoder), TEXTS, tmp_path / "features").rows
    narrow = features(TextReader(replace(encoder, precision="int8")), TEXTS, tmp_path / "features").rows
    assert not torch.equal(wide, narrow)
    assert torch.nn.functional.cosine_similarity(wide, narrow).min() > 0.99
    names = {folder.name for folder in (tmp_path / "features").iterdir()}
    assert names == {encoder.fingerprint, f"{encoder.fingerprint}-int8"}


def test_only_as_many_graphs_are_kept_as_there_is_room_for(encoder, fresh, monkeypatch):
    monkeypatch.setattr(quantised, "FILES", 2)
    for length in (8, 16, 24):
        fastest.rows_in(load_encoder(encoder.name, length), "int8", TEXTS[:1])
    assert len(list((fresh / "graphs").glob("*.onnx"))) == 2
    assert len(list((fresh / "graphs").glob("*.json"))) == 2


def test_a_cache_that_cannot_be_written_keeps_no_graph(encoder, fresh):
    expected = fastest.rows_in(encoder, "int8", TEXTS[:1])
    quantised._OPENED.clear()
    for path in (fresh / "graphs").iterdir():
        path.unlink()
    (fresh / "graphs").rmdir()
    (fresh / "graphs").write_text("a file")
    np.testing.assert_array_equal(expected, fastest.rows_in(encoder, "int8", TEXTS[:1]))


def test_a_model_keeps_its_precision(encoder, tmp_path, monkeypatch):
    model = Model(["food", "sport"], Head(16, 2), TextReader(replace(encoder, precision="int8")), Classification(2))
    model.cache = False
    save(model, tmp_path / "model")
    again = load(tmp_path / "model")
    again.cache = False
    assert again.reader.encoder.precision == "int8"
    np.testing.assert_array_equal(model.probabilities(TEXTS), again.probabilities(TEXTS))
    monkeypatch.setattr(graphs, "PACKAGES", ("onnxruntime", "no_such_package"))
    with pytest.raises(ImportError, match=r"fitted with --precision int8, needs more packages: .*tutelage\[onnx\]"):
        load(tmp_path / "model")


@pytest.mark.parametrize(
    ("gains", "cosines", "taken"),
    [
        ({"bfloat16": 1.8, "int8": 2.6}, {"bfloat16": 0.9999, "int8": 0.994}, "int8"),
        ({"bfloat16": 1.8, "int8": 2.6}, {"bfloat16": 0.9999, "int8": 0.97}, "bfloat16"),
        ({"bfloat16": 0.4, "int8": 1.1}, {"bfloat16": 1.0, "int8": 1.0}, "float32"),
    ],
)
def test_auto_takes_the_fastest_that_is_near(encoder, monkeypatch, gains, cosines, taken):
    monkeypatch.setattr(fastest, "gain", lambda encoder, name, texts: gains[name])
    monkeypatch.setattr(fastest, "nearness", lambda e, name, texts: fastest.Nearness(cosines[name], 0.9, len(texts)))
    assert text_reader(encoder.name, 32, "auto").precision == taken


def test_what_was_timed_is_kept(encoder, monkeypatch):
    timed = []
    monkeypatch.setattr(fastest, "rows_in", lambda encoder, name, texts: timed.append(name))
    first = fastest.gain(encoder, "bfloat16", TEXTS)
    assert timed == ["float32", "bfloat16"] * 3
    assert fastest.gain(encoder, "bfloat16", TEXTS) == first
    assert len(timed) == 6


def test_what_is_read_says_how_near_it_is(encoder):
    assert "cosine" not in TextReader(encoder).reads(TEXTS).says
    told = TextReader(replace(encoder, precision="bfloat16")).reads(TEXTS)
    assert "Features are computed in bfloat16: cosine to float32 " in told.says
    assert 0.99 < told.shares["least_cosine_to_float32"] <= told.shares["cosine_to_float32"] < 1.00001


def test_a_fit_says_in_what_it_reads(encoder):
    class Building:
        class build:  # noqa: N801
            reader, device = TextReader(replace(encoder, precision="int8")), "cpu"

        encoding = build.reader.encoding([TEXTS], None)

    assert " in int8 on cpu: 4 texts to encode" in about_reading(Building, "texts")


def test_a_fit_in_int8_says_so_and_its_predictions_are_in_int8(run, bench):
    code, said = run(*bench.fit(steps=5, precision="int8"))
    assert (code, " in int8 on cpu: " in said, "computed in int8: cosine to float32 " in said) == (0, True, True), said
    assert json.loads((bench.out / "model" / "model.json").read_text())["reader"]["precision"] == "int8"
    assert load(bench.out).reader.encoder.cache_name.endswith("-int8")
    assert run("predict", bench.out, "--input", bench.folder / "test.csv", "--output", bench.folder / "p.csv")[0] == 0


def test_words_that_are_no_precision_are_refused(encoder, run, bench):
    with pytest.raises(ValueError, match="--precision must be one of auto, float32, bfloat16, int8, got 'half'"):
        text_reader(encoder.name, 32, "half")
    for words, says in (
        (("--precision", "int8", "--finetune"), "--finetune trains the encoder; leave out one of the two"),
        (("--precision", "half"), "--precision must be one of auto, float32, bfloat16, int8, got 'half'"),
    ):
        code, said = run(*bench.fit(steps=1), *words)
        assert (code, says in said) == (2, True), said


def test_int8_without_its_packages_says_which(encoder, monkeypatch):
    monkeypatch.setattr(graphs, "PACKAGES", ("no_such_package",))
    with pytest.raises(ImportError, match=r"--precision int8 needs more packages: pip install 'tutelage\[onnx\]'"):
        text_reader(encoder.name, 32, "int8")
    monkeypatch.setattr(fastest, "gain", lambda encoder, name, texts: 9.0)
    assert text_reader(encoder.name, 32, "auto").precision == "bfloat16"


def test_a_pickled_encoder_keeps_its_precision(encoder):
    import pickle

    assert pickle.loads(pickle.dumps(replace(encoder, precision="int8"))).precision == "int8"
    assert precision.named(encoder.model, "int8") == "int8"
