"""Models of texts for other programs: the transformer and what follows it as one network, and its tokenizer's file."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path, PurePath
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from tutelage.modalities.encoder import Encoder
from tutelage.modalities.exported import Exported
from tutelage.modalities.precision import INT8
from tutelage.modalities.text.fastest import samples
from tutelage.modalities.text.quantised import Pooled, as_inputs, on_cpu

TOKENIZER = "tokenizer.json"
"""Name of the tokenizer's file, which the library tokenizers reads."""

USE = (
    "from tokenizers import Tokenizer",
    f'tokenizer = Tokenizer.from_file("{TOKENIZER}")',
    "def inputs_of(text):",
    "    ids = np.array([tokenizer.encode(text).ids], dtype=np.int64)",
    '    return {"input_ids": ids, "attention_mask": np.ones_like(ids)}',
)
"""Lines of Python that make a graph's inputs of a text."""


class OfTexts(nn.Module):
    """A network from token ids to logits, (n, c).

    Args:
        network: fitted network: of a frozen encoder's features, or of token ids.
        encoder: frozen transformer; None where the network holds its own.
    """

    def __init__(self, network: nn.Module, encoder: nn.Module | None) -> None:
        super().__init__()
        self.features = None if encoder is None else Pooled(encoder)
        self.network = network

    def forward(self, input_ids: Tensor, attention_mask: Tensor) -> Tensor:
        given = (input_ids, attention_mask)
        logits: Tensor = self.network(*given) if self.features is None else self.network(self.features(*given))
        return logits


def exported(encoder: Encoder, network: nn.Module, on_features: bool) -> Exported:
    """The network with the transformer before it.

    Args:
        encoder: the reader's encoder.
        network: fitted network.
        on_features: whether it takes the frozen encoder's features.

    Raises:
        ValueError: its features are computed in bfloat16, or its tokenizer is not one of the library tokenizers.
    """
    if on_features and encoder.computes not in ("float32", INT8):
        raise ValueError(
            f"the features of {encoder.name} are computed in {encoder.computes} for this model, which a graph in "
            "float32 would not answer alike: fit with --precision float32 or --precision int8"
        )
    tokenizer, place = fast_tokenizer(encoder), PurePath(encoder.name)
    name = place.name if place.is_absolute() else encoder.name  # no folder of this machine is told
    ids = torch.full((2, min(encoder.max_length, 8)), encoder.pad)
    return Exported(
        network=OfTexts(on_cpu(network), on_cpu(encoder.model) if on_features else None).eval(),
        inputs={"input_ids": ids, "attention_mask": torch.ones_like(ids)},
        sample=samples(encoder),
        feed=_feed,
        beside=lambda folder: tokenizer.save(str(folder / TOKENIZER)),
        use=USE,
        items='["a first text", "and another"]',
        int8_within="/features/encoder/" if on_features and encoder.computes == INT8 else None,
        about={"encoder": name, "max_length": encoder.max_length, "pad": encoder.pad},
    )


def _feed(folder: Path) -> Callable[[str], dict[str, np.ndarray]]:
    from tokenizers import Tokenizer

    tokenizer = Tokenizer.from_file(str(folder / TOKENIZER))
    return lambda text: as_inputs(tokenizer.encode(text).ids)


def fast_tokenizer(encoder: Encoder) -> Any:
    """Copy of the encoder's tokenizer, of the library tokenizers, which cuts texts to ``max_length`` tokens.

    Raises:
        ValueError: it is a tokenizer of Python code.
    """
    from tokenizers import Tokenizer

    within = getattr(encoder.tokenizer, "backend_tokenizer", None)
    if within is None:
        raise ValueError(f"the tokenizer of {encoder.name} is Python code, and cannot be written beside a graph")
    made = Tokenizer.from_str(within.to_str())
    made.no_padding()
    made.enable_truncation(encoder.max_length)
    return made
