"""A fitted model in a folder: weights as safetensors, the rest as JSON. Loading runs no code."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import nn

from tutelage import checkpoint
from tutelage.checkpoint import FORMAT, BadFileError
from tutelage.data import Features
from tutelage.data.sources import cache_folder
from tutelage.models.heads import Head
from tutelage.models.readers import READERS, Reader
from tutelage.models.text import TextClassifier, load_architecture, load_encoder, save_architecture
from tutelage.models.words import WordClassifier
from tutelage.tasks import Classification, Tagging
from tutelage.train import predict


@dataclass
class Model:
    """Classes, a network, and what reads the user's items for it (None: the network reads arrays).

    An encoder's own weights are in the network when it was fine-tuned; else the network is a head on
    the encoder's features. For sentences the classes are tags.
    """

    classes: list[Any]
    network: nn.Module
    reader: Reader | None = None
    cache: Path | None = None

    def probabilities(self, x: Any, tick: Callable[[int, int], None] | None = None) -> np.ndarray:
        """Probabilities of each class, (units, c), for texts, sentences or rows of features."""
        device = next(self.network.parameters()).device
        if self.reader is None:
            examples: Any = Features(torch.tensor(np.asarray(x, dtype=np.float32)).to(device))
        elif isinstance(self.network, TextClassifier | WordClassifier):
            examples = self.reader.tokens(list(x), device)
        else:
            examples = self.reader.features(list(x), self.cache or cache_folder() / "features", device, tick)
        logits = predict(self.network, Classification(len(self.classes)), examples)
        return logits.double().softmax(-1).cpu().numpy()

    def tags(self, sentences: list[list[str]], probabilities: np.ndarray) -> list[list[str]]:
        """The tags of each sentence, from the probabilities of its words (words, c)."""
        task = Tagging(len(self.classes), tuple(self.classes))
        return task.decode(probabilities.argmax(1), np.array([len(s) for s in sentences], dtype=np.int64))


def save(model: Model, folder: Path) -> None:
    """Write the model into a folder, created when missing.

    Raises:
        TypeError: the network is the user's own module, whose code cannot be saved.
    """
    network, encoder = model.network, model.reader.encoder if model.reader else None
    about: dict[str, Any] = {"format": FORMAT, "classes": [_plain(c) for c in model.classes]}
    whole = isinstance(network, TextClassifier | WordClassifier)
    head = network.head if isinstance(network, TextClassifier | WordClassifier) else network
    if not isinstance(head, Head):
        raise TypeError(f"a network of class {type(network).__name__} cannot be saved, only pickled")
    about["head"] = head.shape
    folder.mkdir(parents=True, exist_ok=True)
    if model.reader is not None and encoder is not None:
        about["encoder"] = {
            "name": encoder.name, "max_length": encoder.max_length, "vocabulary": len(encoder.tokenizer),
            "reads": model.reader.kind, "layer": network.layer if isinstance(network, WordClassifier) else -1,
        }  # fmt: skip
        if whole:
            save_architecture(encoder, folder / "encoder")
        else:
            about["encoder"]["fingerprint"] = encoder.fingerprint()
    checkpoint.write_tensors(folder / "model.safetensors", network.state_dict())
    checkpoint.write_json(folder / "model.json", about)


def _plain(value: Any) -> Any:
    return value.item() if isinstance(value, np.generic) else value


def load(folder: str | Path) -> Model:
    """Read what `save` wrote.

    Raises:
        FileNotFoundError: no model there.
        BadFileError: damaged, incomplete, made by a newer version, or its encoder has changed since.
    """
    folder = Path(folder)
    if not (folder / "model.json").exists():
        raise FileNotFoundError(f"{folder}: no saved model there (model.json is missing)")
    about = checkpoint.read_json(folder / "model.json", "format")
    checkpoint.check_format(folder / "model.json", about["format"])
    tensors, _ = checkpoint.read_tensors(folder / "model.safetensors")
    try:
        head, classes = Head(**about["head"]), list(about["classes"])
        named: Any = about.get("encoder")
        whole = named is not None and "fingerprint" not in named
        encoder = reader = None
        if named is not None:
            architecture = load_architecture(folder / "encoder", named["max_length"]) if whole else None
            encoder = architecture or load_encoder(named["name"], named["max_length"])
            reader = READERS[named.get("reads", "text")](encoder)
        network: nn.Module = head
        if whole and reader is not None:
            body = reader.network(len(classes))
            body.head = head
            if isinstance(body, WordClassifier):
                body.layer = int(named["layer"])
            network = body
        network.load_state_dict(tensors)
    except (KeyError, TypeError, ValueError, AttributeError, RuntimeError) as e:
        raise BadFileError(f"{folder}: the model's parts do not fit together ({e})") from e
    if len(classes) != head.shape["classes"]:
        raise BadFileError(
            f"{folder}: {len(classes)} classes are named, but the model tells {head.shape['classes']} apart"
        )
    if encoder is not None and len(encoder.tokenizer) != named["vocabulary"]:
        raise BadFileError(f"{folder}: the tokenizer is not the one this model was trained with")
    if encoder is not None and not whole and encoder.fingerprint() != named["fingerprint"]:
        raise BadFileError(f"{folder}: the encoder {named['name']!r} is not the one this model was trained with")
    return Model(classes, network.eval(), reader)
