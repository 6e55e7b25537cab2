"""A fitted model, and its folder: weights as safetensors, the rest as JSON. Loading runs no code."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from tutelage import files
from tutelage.data import Examples
from tutelage.data.sources import cache_folder
from tutelage.files import FORMAT, BadFileError
from tutelage.modalities import READERS
from tutelage.modalities.base import Encodes, Reader, features
from tutelage.modalities.head import Head
from tutelage.tasks import TASKS, Task
from tutelage.train import predict, predictions
from tutelage.types import Tick


@dataclass
class Model:
    """A fitted model: a network, what reads the user's items for it, and what its outputs mean.

    An encoder's own weights are in the network when it was fine-tuned; else the network is a head on the encoder's
    features.

    Attributes:
        classes: names of the classes; of sentences the tags, of masks those of pixels.
        network: gives logits of examples.
        reader: makes examples of items.
        task: what one prediction is about.
        cache: folder for features; None takes the user's cache folder.
    """

    classes: list[Any]
    network: nn.Module
    reader: Reader
    task: Task
    cache: Path | None = None

    @property
    def device(self) -> torch.device:
        """The device of the network's weights."""
        return next(self.network.parameters()).device

    def examples(self, items: Any, tick: Tick | None = None) -> Examples:
        """Items as the network reads them: their features where the network is a head, else the items themselves."""
        if isinstance(self.reader, Encodes) and isinstance(self.network, Head):
            return features(self.reader, items, self.cache or cache_folder() / "features", self.device, tick)
        return self.reader.examples(items, self.device)

    def predict(self, examples: Examples) -> np.ndarray:
        """Probabilities of each class, (units, c), of examples."""
        return predict(self.network, self.task, examples).double().softmax(-1).cpu().numpy()

    def probabilities(self, items: Any, tick: Tick | None = None) -> np.ndarray:
        """Probabilities of each class, (units, c), of texts, sentences, images or rows of numbers."""
        return self.predict(self.examples(items if isinstance(items, np.ndarray) else list(items), tick))

    def stream(self, examples: Examples) -> Iterator[tuple[Tensor, Tensor]]:
        """Numbers of units (n,) and their probabilities (n, c), a batch at a time: memory does not grow with them."""
        for units, logits in predictions(self.network, self.task, examples):
            yield units, logits.softmax(-1)


def save(model: Model, folder: Path) -> None:
    """Write the model into a folder, created when missing.

    Raises:
        TypeError: the network is the user's own module, whose code cannot be saved.
    """
    network = model.network
    head = network if isinstance(network, Head) else getattr(network, "head", None)
    about: dict[str, Any] = {
        "format": FORMAT, "classes": [_plain(c) for c in model.classes], "task": model.task.name,
        "reader": {"name": model.reader.name} | model.reader.about(network, folder),
        "head": head.shape if isinstance(head, Head) else None,
    }  # fmt: skip
    folder.mkdir(parents=True, exist_ok=True)
    files.write_tensors(folder / "model.safetensors", network.state_dict())
    files.write_json(folder / "model.json", about)


def _plain(value: Any) -> Any:
    return value.item() if isinstance(value, np.generic) else value


def load(folder: str | Path) -> Model:
    """Read what `save` wrote, also what version 0.1 wrote.

    Args:
        folder: folder of a saved model, or of a finished run.

    Raises:
        FileNotFoundError: no model there.
        BadFileError: damaged, incomplete, made by a newer version, or its encoder has changed since.
    """
    folder = Path(folder)
    if (folder / "model" / "model.json").exists():  # a run's
        folder = folder / "model"
    if not (folder / "model.json").exists():
        raise FileNotFoundError(f"{folder}: no saved model there (model.json is missing)")
    about = files.read_json(folder / "model.json", "format")
    files.check_format(folder / "model.json", about["format"])
    tensors, _ = files.read_tensors(folder / "model.safetensors")
    try:
        about = _of_format_1(about) if about["format"] == 1 else about
        classes = list(about["classes"])
        named = about["reader"]
        reader = READERS[named["name"]].restored(named, folder)
        network = reader.fill(named, Head(**about["head"]) if about["head"] else None, len(classes))
        network.load_state_dict(tensors)
        task = TASKS[about["task"]].of([str(c) for c in classes])
    except BadFileError:
        raise
    except (KeyError, TypeError, ValueError, AttributeError, RuntimeError, AssertionError) as e:
        raise BadFileError(f"{folder}: the model's parts do not fit together ({e})") from e
    told = int(getattr(network, "classes", len(classes)))
    if len(classes) != told:
        raise BadFileError(f"{folder}: {len(classes)} classes are named, but the model tells {told} apart")
    return Model(classes, network.eval(), reader, task)


def _of_format_1(about: dict[str, Any]) -> dict[str, Any]:
    """What version 0.1 wrote, as this version writes it."""
    task, reader = "classification", {"name": "rows"}
    if about.get("images"):
        reader = {"fingerprint": None} | about["images"] | {"name": "image"}
        if "network" in about:
            name = about["network"]["name"]
            reader |= {"name": "pixels", "network": name, "shape": about["network"]["shape"]}
            reader["per_pixel"] = name == "unet"
            task = "segmentation" if name == "unet" else task
    elif about.get("encoder"):
        named = about["encoder"]
        words = named.get("reads") == "words"
        reader = {"fingerprint": None, "layer": -1} | named | {"name": "words" if words else "text"}
        reader["encoder"] = named["name"]
        task = "tagging" if words else task
    return {"classes": about["classes"], "task": task, "reader": reader, "head": about.get("head")}
