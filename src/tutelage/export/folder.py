"""A fitted model of texts as a folder that the transformers library loads.

No architecture of that library classifies a mean token state that is scaled to length 1: those of BERT and its kin read
the first token. So the folder holds the code that does (`pooled_classifier`), which whoever loads it must trust.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import nn

from tutelage.data.cards import Use
from tutelage.data.quiet import quietly
from tutelage.export.checked import bare, difference, exported
from tutelage.export.graph import PAGE, Written
from tutelage.files import filled, naming, write_atomically
from tutelage.modalities.head import Head
from tutelage.modalities.precision import INT8
from tutelage.modalities.text.network import TextClassifier
from tutelage.modalities.text.reader import TextReader
from tutelage.model import Model
from tutelage.train.mixture import Mixture

CODE = "pooled_classifier"
"""Name of the file of code, without its ending, in the folder as here."""

USE = """from transformers import pipeline

folder = {folder!r}  # this folder, or its name on the Hub once it lies there
answer = pipeline("text-classification", folder, trust_remote_code=True, top_k=None)
for found in answer(["a first text", "and another"], truncation=True):
    print(found)  # label and probability of each class"""
"""Lines of Python that use the folder."""

TRUSTED = (
    f"`{CODE}.py` is code that transformers runs where `trust_remote_code=True` allows it; read it before. No "
    "architecture of that library classifies a mean token state of length 1, as this model does."
)
CUT = "`truncation=True` cuts what is longer than the model reads; without it, a long text may raise an error."
"""Sentences on what has to be known of the folder."""


def to_hf(model: Model, folder: Path, things: str = "items", page: Callable[[Use], str] | None = None) -> Written:
    """Write a model of texts as a folder that transformers loads, as a model for the classification of sequences.

    Args:
        model: fitted model.
        folder: folder that is filled.
        things: word for the items, in the plural.
        page: gives the page on the model that lies in the folder; None says how it is used, and no more.

    Raises:
        FileExistsError: the folder is not empty.
        ValueError: such a model cannot be written so, or what was written answers otherwise; nothing is left then.
    """
    if not isinstance(model.reader, TextReader):
        raise ValueError(
            f"--hf writes models of texts with one transformer, and this one of {things} reads with "
            f"{model.reader.says}; --onnx writes rows of numbers, too"
        )
    encoder = model.reader.encoder
    if isinstance(model.body, Head) and encoder.computes == INT8:
        raise ValueError("transformers does not compute in int8: use --onnx, or fit with --precision float32")
    how = exported(model, things)
    parts = list(_parts(model.network, encoder.model))
    with filled(folder) as inside:
        _write(model, parts, inside)
        found = difference(model, how.sample, _answering(inside))
        use = Use(
            "transformers", found, len(how.sample), USE.format(folder=folder.name), (TRUSTED, CUT),
            encoder.max_length, ("custom_code",),
        )  # fmt: skip
        write_atomically(inside / PAGE, (bare(use, things) if page is None else page(use)).encode())
        files = sorted(path.name for path in inside.iterdir())
    return Written(found, len(how.sample), files)


def _parts(network: nn.Module, encoder: nn.Module) -> Iterator[tuple[nn.Module, Head, float]]:
    """Transformer of each network that answers, its head, and the number that the head's features are multiplied by.

    Raises:
        ValueError: a network holds more than a head.
    """
    for part in network.parts if isinstance(network, Mixture) else [network]:
        if isinstance(part, Head):
            yield encoder, part, 1.0
        elif isinstance(part, TextClassifier):
            yield part.encoder, part.head, part.width**0.5
        else:
            raise ValueError(f"--hf writes heads alone, and this model answers by {type(part).__name__}; use --onnx")


def _write(model: Model, parts: list[tuple[nn.Module, Head, float]], folder: Path) -> None:
    """Write the weights, the configuration, the code and the tokenizer.

    Raises:
        ValueError: several transformers answer together.
    """
    from tutelage.export.pooled_classifier import PooledClassifier, PooledConfig

    inner: Any = parts[0][0]
    if any(each is not inner for each, _, _ in parts):
        raise ValueError("--hf writes one transformer, and in this model several answer together; use --onnx")
    names = [str(c) for c in model.classes]
    config = PooledConfig(
        encoder=inner.config.to_diff_dict() | {"model_type": inner.config.model_type},
        hidden=[int(head.shape["hidden"]) for _, head, _ in parts], divided_by=model.temperature,
        id2label=dict(enumerate(names)), label2id={name: i for i, name in enumerate(names)},
        auto_map={"AutoConfig": f"{CODE}.PooledConfig",
                  "AutoModelForSequenceClassification": f"{CODE}.PooledClassifier"},
    )  # fmt: skip
    made = PooledClassifier(config).eval()
    made.encoder.load_state_dict(inner.state_dict())
    with torch.no_grad():
        for mine, (_, head, times) in zip(made.heads, parts, strict=True):
            mine.mean.copy_(head.mean / times)
            mine.scale.copy_(head.scale / times)
            linear = [[m for m in layers if isinstance(m, nn.Linear)] for layers in (mine.layers, head.layers)]
            for own, layer in zip(*linear, strict=True):
                own.load_state_dict(layer.state_dict())
        if isinstance(model.network, Mixture):
            for name in ("shares", "temperatures", "biases"):
                getattr(made, name).copy_(getattr(model.network, name))
    with naming(folder):
        made.save_pretrained(folder)
    code = Path(__file__).with_name(f"{CODE}.py").read_text(encoding="utf-8")
    write_atomically(folder / f"{CODE}.py", code.encode())
    tokenizer = copy.deepcopy(model.reader.encoder.tokenizer)  # type: ignore[attr-defined]
    tokenizer.model_max_length = model.reader.encoder.max_length  # type: ignore[attr-defined]
    with naming(folder):
        tokenizer.save_pretrained(folder)


def _answering(folder: Path) -> Any:
    """Function that gives the probabilities of one text, (c,), by the folder as transformers loads it."""
    from transformers import AutoModelForSequenceClassification, AutoTokenizer

    with quietly():
        tokenizer = AutoTokenizer.from_pretrained(folder, trust_remote_code=False)
        found = AutoModelForSequenceClassification.from_pretrained(folder, trust_remote_code=True, dtype=torch.float32)
    network = found.eval()

    @torch.inference_mode()
    def answer(text: str) -> np.ndarray:
        logits = network(**tokenizer(text, truncation=True, return_tensors="pt")).logits
        return np.asarray(logits[0].double().softmax(-1))

    return answer
