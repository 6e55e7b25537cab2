"""What tells encoders apart: hashes of all that their features depend on, and names that hold everywhere."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import torch
from torch import nn

from tutelage.weights import CATALOGUE

BESIDE = "+lexical"
"""End of the name of an encoder beside which the lexical one is used, such as "minilm+lexical"."""

TELLING = (
    "model_type", "hidden_act", "hidden_activation", "activation", "activation_function", "num_attention_heads",
    "n_heads", "num_key_value_heads", "num_hidden_layers", "n_layers", "head_dim", "layer_norm_eps", "norm_eps",
    "rms_norm_eps", "position_embedding_type", "relative_attention", "rope_theta", "global_rope_theta",
    "local_rope_theta", "global_attn_every_n_layers", "local_attention", "attention_window", "pad_token_id",
    "is_decoder",
)  # fmt: skip
"""Settings of an architecture that change features where the weights stay the same."""

PROBES = (
    "Your parcel fee is 3.50 EUR!", "naïve CAFÉ Straße Ångström", "\u4f60\u597d \u0645\u0631\u062d\u0628\u0627",
    "x_1 != y[2] && z--; #tag @name 1,000", "unbelievably  antidisestablishmentarian\tISN'T it?",
)  # fmt: skip
"""Texts of many kinds of letters and signs."""


def probes(tokens: Mapping[str, int]) -> list[str]:
    """Texts whose token ids tell tokenizers of the same tokens apart: `PROBES`, and tokens in several forms.

    Args:
        tokens: id of each token.

    >>> probes({"[PAD]": 0, "soup": 1, "##s": 2})[-2:]
    ['SOUP', 'Soups']
    """
    words = sorted(token for token in tokens if token.isalpha())
    some = words[:: max(len(words) // 64, 1)]
    parts = [some[i : i + 8] for i in range(0, len(some), 8)]
    forms = [" ".join(part).upper() for part in parts], [" ".join(f"{w.title()}s" for w in part) for part in parts]
    return [*PROBES, *forms[0], *forms[1]]


def hash_of_weights(model: nn.Module, first: str) -> str:
    """Hash of a network's weights, by their names, 16 hexadecimal digits.

    Args:
        model: the network.
        first: what is hashed before them.
    """
    h = hashlib.blake2b(first.encode(), digest_size=8)
    for name, t in model.state_dict().items():
        h.update(name.encode())
        h.update(t.detach().cpu().contiguous().view(torch.uint8).numpy().data)
    return h.hexdigest()


def fingerprint_of(weights: str, config: Any, tokens: Mapping[str, int] | None = None, ids: Sequence[Any] = ()) -> str:
    """Hash of an encoder, 16 hexadecimal digits.

    Of the tokenizer these are its tokens with their ids, and the ids that it gives `probes`; of the architecture the
    settings in `TELLING`. Other parts of their files may change with the version of their library.

    Args:
        weights: hash of the weights, and of what is not said here.
        config: configuration of the transformers library.
        tokens: id of each token; None of an encoder of images.
        ids: token ids of the probes.
    """
    settings = config.to_dict()
    told = {
        "weights": weights, "settings": {name: settings[name] for name in TELLING if name in settings},
        "tokens": sorted((tokens or {}).items()), "ids": ids,
    }  # fmt: skip
    return hashlib.blake2b(json.dumps(told, default=str).encode(errors="replace"), digest_size=8).hexdigest()


def placed(name: str) -> str:
    """Name by which an encoder is found from everywhere: of a folder its absolute path, without a link.

    >>> placed("someone/theirs")
    'someone/theirs'
    """
    bare = name.removesuffix(BESIDE)
    known = bare in CATALOGUE or not Path(bare).is_dir()
    return name if known else f"{Path(bare).resolve()}{name.removeprefix(bare)}"
