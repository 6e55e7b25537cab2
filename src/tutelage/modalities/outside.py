"""Encoders that the description of a saved model names, and that are not in its folder."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tutelage.modalities.encoder import LEXICAL
from tutelage.modalities.fingerprint import BESIDE
from tutelage.weights import CATALOGUE


def outside(reader: Mapping[str, Any]) -> str | None:
    """Name of the encoder that a saved model needs from outside its folder: a folder's, or one on the Hub.

    None where the model holds its encoder, needs none, or needs one of the catalogue, whose weights are pinned by their
    SHA-256.

    Args:
        reader: the reader's part of a model.json.

    >>> outside({"name": "text", "encoder": "someone/theirs", "fingerprint": "5c", "adapted": ""})
    'someone/theirs'
    >>> outside({"name": "text", "encoder": "minilm", "fingerprint": "5c", "adapted": ""})
    """
    within = reader.get("first", reader)
    name = within.get("encoder", within.get("backbone"))
    held = within.get("fingerprint") is None or within.get("adapted")
    plain = str(name).removesuffix(BESIDE)
    return None if name is None or held or plain == LEXICAL or plain in CATALOGUE else str(name)


def same_encoder(one: str, other: str) -> bool:
    """Whether two names are those of one encoder: they are equal, or paths to one folder.

    >>> same_encoder("someone/theirs", "someone/theirs"), same_encoder("minilm", "./minilm/")
    (True, False)
    """
    return one == other or (
        Path(one).is_dir() and Path(other).is_dir() and Path(one).resolve() == Path(other).resolve()
    )
