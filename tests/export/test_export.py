"""A model is written for programs without tutelage, and answers there as it does here."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest
import torch

from tutelage.export import to_hf, to_onnx
from tutelage.export.checked import difference
from tutelage.modalities.encoder import load_encoder
from tutelage.modalities.head import Head
from tutelage.modalities.rows.reader import RowReader
from tutelage.modalities.sentences.reader import WordReader
from tutelage.modalities.text.lexical import Lexicon
from tutelage.modalities.text.lexical_reader import LexicalReader
from tutelage.modalities.text.reader import TextReader
from tutelage.model import Model
from tutelage.tasks import Classification, Tagging
from tutelage.train.mixture import Mixture

TEXTS = ["the soup was near the bread today", "a goal and a match again", "my cheese or your team"]


@pytest.fixture
def runtime():
    """ONNX Runtime, where it is installed."""
    pytest.importorskip("onnx", reason="the extra onnx is not installed")
    return pytest.importorskip("onnxruntime", reason="the extra onnx is not installed")


def drawn(head: Head, seed: int) -> Head:
    """A head with random weights and a random scale, one feature of which is silent."""
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for p in head.parameters():
            p.copy_(torch.randn(p.shape, generator=generator))
        head.mean.copy_(torch.randn(head.width, generator=generator) / 10)
        head.scale.copy_(torch.rand(head.width, generator=generator) + 0.1)
    return head.silence(torch.arange(head.width) == 2).eval()


@pytest.fixture
def encoder(encoder_folder):
    return load_encoder(str(encoder_folder), 32)


@pytest.fixture(params=["linear", "hidden", "mixture"])
def network(request):
    """A head on 16 features; or two of them that answer together, each calibrated."""
    if request.param == "mixture":
        heads = [drawn(Head(16, 3), 0), drawn(Head(16, 3, hidden=5), 1)]
        return Mixture(heads, [0.25, 0.75], [0.7, 1.9], [torch.tensor([0.1, -0.4, 0.3]), torch.zeros(3)]).eval()
    return drawn(Head(16, 3, hidden=5 if request.param == "hidden" else 0, dropout=0.5), 2)


@pytest.fixture
def model(encoder, network):
    return Model(["food", "sport", "näht"], network, TextReader(encoder), Classification(3), False, 1.7)


def by_graph(runtime, folder):
    """Probabilities of a text by the files of a folder alone, as its page has them."""
    from tokenizers import Tokenizer

    tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
    session = runtime.InferenceSession(str(folder / "model.onnx"), providers=["CPUExecutionProvider"])

    def answer(text: str) -> np.ndarray:
        ids = np.array([tokenizer.encode(text).ids])
        return session.run(None, {"input_ids": ids, "attention_mask": np.ones_like(ids)})[0][0]

    return session, answer


def test_a_graph_answers_as_the_model_does(runtime, model, tmp_path):
    written = to_onnx(model, tmp_path / "out", "texts")
    assert written.difference < 1e-5
    assert written.files == sorted(["README.md", "classes.json", "model.onnx", "tokenizer.json"])
    _, answer = by_graph(runtime, tmp_path / "out")
    expected = model.probabilities(TEXTS)
    np.testing.assert_allclose([answer(text) for text in TEXTS], expected, atol=1e-5)
    assert np.ptp(expected[:, 0]) > 0.01  # texts are told apart
    about = json.loads((tmp_path / "out" / "classes.json").read_text(encoding="utf-8"))
    assert (about["classes"], about["max_length"]) == (["food", "sport", "näht"], 32)


def test_a_long_text_is_cut_and_several_rows_may_be_filled_up(runtime, model, tmp_path):
    to_onnx(model, tmp_path / "out")
    session, answer = by_graph(runtime, tmp_path / "out")
    long = " ".join(["soup goal bread"] * 40)
    np.testing.assert_allclose(answer(long), model.probabilities([long])[0], atol=1e-5)
    ids = model.reader.encoder.tokenize(TEXTS)
    most = max(map(len, ids))
    rows = np.array([some + [model.reader.encoder.pad] * (most - len(some)) for some in ids])
    mask = np.array([[1] * len(some) + [0] * (most - len(some)) for some in ids])
    found = session.run(None, {"input_ids": rows, "attention_mask": mask})[0]
    np.testing.assert_allclose(found, model.probabilities(TEXTS), atol=1e-5)


def test_the_lines_of_the_page_run_without_tutelage(runtime, model, tmp_path):
    to_onnx(model, tmp_path / "out", "texts")
    code = (tmp_path / "out" / "README.md").read_text(encoding="utf-8").split("```python\n")[1].split("```")[0]
    code = code.replace('["a first text", "and another"]', repr(TEXTS))
    alone = "import sys; sys.modules['tutelage'] = sys.modules['torch'] = None\n"
    environment = {"PYTHONPATH": ":".join(p for p in sys.path if p), "PYTHONIOENCODING": "utf-8"}
    done = subprocess.run(
        [sys.executable, "-c", alone + code], cwd=tmp_path / "out", capture_output=True, text=True, encoding="utf-8",
        check=True, env=environment,
    )  # fmt: skip
    said = [line.rsplit(" ", 1)[0] for line in done.stdout.splitlines()]
    assert said == model.predict(TEXTS).tolist()


def test_a_network_that_was_trained_whole_is_written_with_its_own_transformer(runtime, encoder, tmp_path):
    reader = TextReader(encoder)
    whole = reader.with_head(drawn(Head(16, 2), 3)).eval()
    with torch.no_grad():
        whole.encoder.embeddings.word_embeddings.weight.mul_(1.3)  # as training changes it
    model = Model(["food", "sport"], whole, reader, Classification(2), False)
    for write, place in ((to_onnx, tmp_path / "onnx"), (to_hf, tmp_path / "hf")):
        assert write(model, place).difference < 1e-5
    _, answer = by_graph(runtime, tmp_path / "onnx")
    np.testing.assert_allclose([answer(text) for text in TEXTS], model.probabilities(TEXTS), atol=1e-5)


def test_rows_of_numbers_are_written(runtime, tmp_path):
    model = Model(["a", "b"], drawn(Head(4, 2, hidden=3), 4), RowReader(), Classification(2), False, 0.6)
    written = to_onnx(model, tmp_path / "out", "rows")
    assert written.files == ["README.md", "classes.json", "model.onnx"]
    session = runtime.InferenceSession(str(tmp_path / "out" / "model.onnx"), providers=["CPUExecutionProvider"])
    rows = np.random.default_rng(0).normal(size=(5, 4)).astype(np.float32)
    np.testing.assert_allclose(session.run(None, {"rows": rows})[0], model.probabilities(rows), atol=1e-5)


def test_transformers_loads_a_folder_and_answers_as_the_model_does(model, tmp_path):
    from transformers import pipeline

    written = to_hf(model, tmp_path / "out", "texts")
    assert written.difference < 1e-5
    assert not [name for name in written.files if name.endswith((".bin", ".pt", ".pkl"))]
    answer = pipeline("text-classification", str(tmp_path / "out"), trust_remote_code=True, top_k=None)
    long = " ".join(["soup goal bread"] * 40)
    for text in (*TEXTS, long):
        said = {one["label"]: one["score"] for one in answer([text], truncation=True)[0]}
        np.testing.assert_allclose([said[c] for c in model.classes], model.probabilities([text])[0], atol=1e-5)


def test_what_answers_otherwise_is_not_kept(runtime, model, tmp_path, monkeypatch):
    monkeypatch.setattr("tutelage.export.graph.Probabilities.forward", lambda self, *x: self.network(*x).softmax(-1))
    with pytest.raises(ValueError, match="answers otherwise than the model"):
        to_onnx(model, tmp_path / "out")  # without the temperature
    assert not (tmp_path / "out").exists()


def test_a_difference_that_is_no_number_is_refused(model):
    with pytest.raises(ValueError, match="answers otherwise than the model, by up to nan"):
        difference(model, TEXTS, lambda text: np.full(3, np.nan))


def test_models_that_cannot_be_written_say_what_can(runtime, encoder, tmp_path):
    lexical = LexicalReader(Lexicon.fitted([*TEXTS, *TEXTS]))
    words = Model(["O", "B-x"], Head(16, 2), WordReader(encoder), Tagging.of(["O", "B-x"]), False)
    counts = Model(["a", "b"], Head(lexical.words.width, 2), lexical, Classification(2), False)
    for model, things in ((words, "sentences"), (counts, "texts")):
        with pytest.raises(ValueError, match=f"a model of {things} that reads with .* cannot be exported: there are"):
            to_onnx(model, tmp_path / "out", things)
        with pytest.raises(ValueError, match="--hf writes models of texts with one transformer"):
            to_hf(model, tmp_path / "out", things)
    narrow = Model(
        ["a", "b"], Head(16, 2), TextReader(replace(encoder, precision="bfloat16")), Classification(2), False
    )
    for write in (to_onnx, to_hf):
        with pytest.raises(ValueError, match=r"computed in bfloat16 .* fit with --precision float32"):
            write(narrow, tmp_path / "out")
    whole = replace(narrow, reader=TextReader(replace(encoder, precision="int8")))
    with pytest.raises(ValueError, match="transformers does not compute in int8: use --onnx"):
        to_hf(whole, tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_an_int8_model_is_written_in_int8(runtime, encoder, network, tmp_path):
    narrow = TextReader(replace(encoder, precision="int8"))
    model = Model(["food", "sport", "tea"], network, narrow, Classification(3), False)
    assert to_onnx(model, tmp_path / "narrow").difference < 1e-5
    to_onnx(replace(model, reader=TextReader(encoder)), tmp_path / "wide")
    _, answer = by_graph(runtime, tmp_path / "narrow")
    np.testing.assert_allclose([answer(text) for text in TEXTS], model.probabilities(TEXTS), atol=1e-5)
    import onnx

    kinds = [{n.op_type for n in onnx.load(tmp_path / f / "model.onnx").graph.node} for f in ("narrow", "wide")]
    assert ["MatMulInteger" in found for found in kinds] == [True, False]


def test_the_command_writes_both_and_says_how_near_they_are(runtime, run, bench, tmp_path):
    assert run(*bench.fit(steps=5, max_length=16))[0] == 0
    code, said = run("export", bench.out, "--onnx", tmp_path / "onnx", "--hf", tmp_path / "hf")
    assert code == 0, said
    assert said.count("Probabilities differ from the run's by") == 2
    assert (tmp_path / "hf" / "pooled_classifier.py").is_file()
    code, said = run("export", bench.out, "--onnx", tmp_path / "onnx")
    assert code == 2
    assert "exists and is not empty" in said
    assert "--onnx or --hf must be given" in run("export", bench.out)[1]
