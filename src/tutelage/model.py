"""A fitted model in a folder: weights as safetensors, the rest as JSON. Loading runs no code."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import nn

from tutelage import files as checkpoint
from tutelage.data import Examples, Features
from tutelage.data.sources import cache_folder
from tutelage.files import FORMAT, BadFileError
from tutelage.modalities import READERS
from tutelage.modalities.base import Encodes, Reader
from tutelage.modalities.encoder import load_architecture, load_encoder, save_architecture
from tutelage.modalities.head import Head
from tutelage.modalities.images.networks import VISION, Backbone, BackboneClassifier, load_backbone
from tutelage.modalities.images.reader import BACKBONE, ImageReader, PixelReader
from tutelage.modalities.sentences.network import WordClassifier
from tutelage.modalities.sentences.reader import WordReader
from tutelage.modalities.text.network import TextClassifier
from tutelage.modalities.text.reader import TextReader
from tutelage.tasks import Classification, Segmentation, Tagging
from tutelage.train import predict, predictions

NAMES: dict[type[nn.Module], str] = {kind: name for name, kind in VISION.items()}
WITH_HEAD = (TextClassifier, WordClassifier, BackboneClassifier)


@dataclass
class Model:
    """Classes, a network, and what reads the user's items for it (None: the network reads arrays).

    An encoder's own weights are in the network when it was fine-tuned; else the network is a head on
    the encoder's features. For sentences the classes are tags; for masks they are those of pixels.
    """

    classes: list[Any]
    network: nn.Module
    reader: Reader | None = None
    cache: Path | None = None

    @property
    def task(self) -> Classification:
        """What the network's outputs are read as."""
        pixels = isinstance(self.reader, PixelReader) and self.reader.name == "unet"
        return Segmentation(len(self.classes)) if pixels else Classification(len(self.classes))

    def probabilities(self, x: Any, tick: Callable[[int, int], None] | None = None) -> np.ndarray:
        """Probabilities of each class, (units, c), for texts, sentences, images or rows of features."""
        logits = predict(self.network, self.task, self._examples(x, tick))
        return logits.double().softmax(-1).cpu().numpy()

    def _examples(self, x: Any, tick: Callable[[int, int], None] | None = None) -> Examples:
        device = next(self.network.parameters()).device
        if self.reader is None:
            return Features(torch.tensor(np.asarray(x, dtype=np.float32)).to(device))
        if isinstance(self.reader, Encodes) and isinstance(self.network, Head):
            return self.reader.features(list(x), self.cache or cache_folder() / "features", device, tick)
        items: Any = x if isinstance(x, np.ndarray) else list(x)
        return self.reader.examples(items, device)

    def tags(self, sentences: list[list[str]], probabilities: np.ndarray) -> list[list[str]]:
        """The tags of each sentence, from the probabilities of its words (words, c)."""
        task = Tagging(len(self.classes), tuple(self.classes))
        return task.decode(probabilities.argmax(1), np.array([len(s) for s in sentences], dtype=np.int64))

    def maps(self, images: Any) -> Iterator[Maps]:
        """Classes of the pixels of images, some images at a time, so that memory does not grow with their number."""
        assert isinstance(self.reader, PixelReader)
        h, w = self.reader.size
        for units, logits in predictions(self.network, self.task, self._examples(images)):
            top, labels = logits.softmax(-1).max(-1)
            numbers = units[:: h * w] // (h * w)
            shape = (len(numbers), h, w)
            yield Maps(numbers.cpu().numpy(), labels.view(shape).cpu().numpy(), top.view(shape).cpu().numpy())


@dataclass(frozen=True)
class Maps:
    """Of some images, by their numbers (b,), the class of each pixel and its probability, (b, h, w)."""

    numbers: np.ndarray
    labels: np.ndarray
    probability: np.ndarray


def save(model: Model, folder: Path) -> None:
    """Write the model into a folder, created when missing.

    Raises:
        TypeError: the network is the user's own module, whose code cannot be saved.
    """
    network = model.network
    head = getattr(network, "head", None) if isinstance(network, WITH_HEAD) else network
    about: dict[str, Any] = {"format": FORMAT, "classes": [_plain(c) for c in model.classes]}
    if isinstance(head, Head):
        about["head"] = head.shape
    elif isinstance(model.reader, PixelReader) and type(network) in NAMES:
        about["network"] = {"name": NAMES[type(network)], "shape": network.shape}
    else:
        raise TypeError(f"a network of class {type(network).__name__} cannot be saved, only pickled")
    folder.mkdir(parents=True, exist_ok=True)
    if isinstance(model.reader, PixelReader | ImageReader):
        about["images"] = {"size": model.reader.size, "flip": model.reader.flip}
        if isinstance(model.reader, ImageReader):
            whole = isinstance(network, BackboneClassifier)
            about["images"] |= {"backbone": BACKBONE, "fingerprint": None if whole else model.reader.fingerprint()}
    elif isinstance(model.reader, TextReader | WordReader):
        about["encoder"] = _about_encoder(model.reader, network, folder)
    checkpoint.write_tensors(folder / "model.safetensors", network.state_dict())
    checkpoint.write_json(folder / "model.json", about)


def _about_encoder(reader: TextReader | WordReader, network: nn.Module, folder: Path) -> dict[str, Any]:
    encoder = reader.encoder
    about = {
        "name": encoder.name, "max_length": encoder.max_length, "vocabulary": len(encoder.tokenizer),
        "reads": reader.kind, "layer": network.layer if isinstance(network, WordClassifier) else -1,
    }  # fmt: skip
    if isinstance(network, Head):
        return about | {"fingerprint": encoder.fingerprint()}
    save_architecture(encoder, folder / "encoder")
    return about


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
        classes = list(about["classes"])
        network, reader = _images(about, classes) if "images" in about else _texts(folder, about, classes)
        network.load_state_dict(tensors)
    except BadFileError:
        raise
    except (KeyError, TypeError, ValueError, AttributeError, RuntimeError) as e:
        raise BadFileError(f"{folder}: the model's parts do not fit together ({e})") from e
    told = int(getattr(network, "classes", len(classes)))
    if len(classes) != told:
        raise BadFileError(f"{folder}: {len(classes)} classes are named, but the model tells {told} apart")
    encoder = reader.encoder if isinstance(reader, TextReader | WordReader) else None
    named: Any = about.get("encoder")
    if encoder is not None and len(encoder.tokenizer) != named["vocabulary"]:
        raise BadFileError(f"{folder}: the tokenizer is not the one this model was trained with")
    if encoder is not None and named.get("fingerprint", encoder.fingerprint()) != encoder.fingerprint():
        raise BadFileError(f"{folder}: the encoder {named['name']!r} is not the one this model was trained with")
    if isinstance(reader, ImageReader) and about["images"]["fingerprint"] not in (None, reader.fingerprint()):
        raise BadFileError(f"{folder}: the backbone {BACKBONE!r} is not the one this model was trained with")
    return Model(classes, network.eval(), reader)


def _texts(folder: Path, about: dict[str, Any], classes: list[Any]) -> tuple[nn.Module, Reader | None]:
    """A network of the saved shape for texts or arrays, and what reads for it."""
    head, named = Head(**about["head"]), about.get("encoder")
    if named is None:
        return head, None
    whole = "fingerprint" not in named
    architecture = load_architecture(folder / "encoder", named["max_length"]) if whole else None
    encoder = architecture or load_encoder(named["name"], named["max_length"])
    reader = READERS[named.get("reads", "text")](encoder)
    if not whole:
        return head, reader
    network = reader.network(len(classes))
    network.head = head
    if isinstance(network, WordClassifier):
        network.layer = int(named["layer"])
    return network, reader


def _images(about: dict[str, Any], classes: list[Any]) -> tuple[nn.Module, Reader]:
    """The same for images."""
    named = about["images"]
    size = (int(named["size"][0]), int(named["size"][1]))
    if "network" in about:
        name, shape = about["network"]["name"], about["network"]["shape"]
        return VISION[name](**shape), PixelReader(name, size, named["flip"])
    whole = named["fingerprint"] is None
    reader = ImageReader(Backbone(size[0]) if whole else load_backbone(size[0]), named["flip"])
    head = Head(**about["head"])
    return reader.with_head(head) if whole else head, reader
