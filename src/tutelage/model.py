"""A fitted model, saved as a folder: weights as safetensors, the rest as JSON. Loading runs no code of the folder.

A network, or a method, of the user's own is named by its address, and imported only where the user trusts it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, NamedTuple

import numpy as np
import torch
from torch import Tensor, nn

from tutelage import files
from tutelage.data import Examples, cards
from tutelage.data.columns import AT_ONCE, OnDisk
from tutelage.data.sources import features_folder
from tutelage.files import FORMAT, BadFileError
from tutelage.files.described import Described
from tutelage.files.errors import VOUCHED, why
from tutelage.files.tensors import read_tensors, write_tensors
from tutelage.modalities import READERS
from tutelage.modalities.base import Encodes, Reader, TellsUnread, features
from tutelage.modalities.head import Head
from tutelage.modalities.learnt import read_marks, write_marks
from tutelage.modalities.outside import outside, same_encoder
from tutelage.ops import own
from tutelage.tasks import TASKS, Task
from tutelage.train import predict, predictions
from tutelage.train.mixture import Mixture
from tutelage.train.prediction import blocks
from tutelage.train.run import Answering, body_of
from tutelage.types import Tick

KNOWN = "known.safetensors"
"""File of a model's folder that holds `Model.known`; a model of an older version has none."""

HELD_OUT = "held_out.safetensors"
"""File of a model's folder that holds `Model.held_out`; a model without held-out labels has none."""


class Answers(NamedTuple):
    """What a model says of items.

    Attributes:
        probabilities: probabilities of each class for the units of all items, (units, c), float64.
        counts: number of units of each item, (n,).
        unread: mask of the items of which nothing can be read, (n,); their probabilities are even ones.
    """

    probabilities: np.ndarray
    counts: np.ndarray
    unread: np.ndarray


@dataclass
class Model:
    """A fitted model: a network, the reader of its items, and the names of its classes.

    The network is a head on the features of a frozen encoder, or, where it was trained whole, reads the items itself.

    Attributes:
        classes: names of the c classes, in the order of their numbers; of sentences the tags, of masks the pixels'.
        network: network that gives logits of examples.
        reader: reader that turns items into examples.
        task: task of the model, which says what a unit is: an item, a word or a pixel.
        cache: folder of the feature cache; None is the user's cache folder; False keeps nothing, nor looks there.
        temperature: number above 0 by which all logits are divided, see `fit.calibration`; 1 changes nothing.
        held_out: what is kept of the held-out labels to abstain by, see `fit.abstention.kept`; empty where nothing is.
        learnt: marks of the items whose labels it learnt, see `data.marks`; as a teacher of these it would flatter.
        known: prints of the items that it learnt from, by which their copies are known, see `tutelage.copies`.
    """

    classes: list[Any]
    network: nn.Module
    reader: Reader
    task: Task
    cache: Path | Literal[False] | None = None
    temperature: float = 1.0
    held_out: dict[str, np.ndarray] = field(default_factory=dict)
    learnt: frozenset[str] = frozenset()
    known: dict[str, np.ndarray] = field(default_factory=dict)

    @property
    def device(self) -> torch.device:
        """Device of the network's weights."""
        return next(self.network.parameters()).device

    @property
    def body(self) -> nn.Module:
        """The network itself, without modules that a method brought; of several that answer together the first."""
        return body_of(self.network)

    def examples(self, items: Any, tick: Tick | None = None) -> Examples:
        """Examples for the network, made of items: their features where the network is a head on an encoder."""
        body = self.body
        if isinstance(self.reader, Encodes) and isinstance(body, Head):
            found = features(self.reader, items, features_folder(self.cache), self.device, tick)
            if (width := found.rows.shape[-1]) != body.width:
                raise ValueError(f"an item has {width} features, but the model was fitted on {body.width}")
            return found
        return self.reader.examples(items, self.device)

    def predict(self, items: Any, tick: Tick | None = None) -> Any:
        """Predicted classes of items.

        Args:
            items: texts, sentences (lists of words), images or rows of numbers, as the model's reader takes them.
            tick: called with the progress of the encoding.

        Returns:
            Names of the classes, (n,), None of an item of which nothing could be read; of sentences their tags, a list
            for each; of images with masks a map of class numbers for each, (n, h, w), at the size that images are
            resized to.
        """
        items = items if isinstance(items, np.ndarray) else list(items)
        examples = self.examples(items, tick)
        classes = self.predict_units(examples).argmax(1)
        found = self.task.decode(classes, self.classes, examples.counts(), getattr(self.reader, "size", None))
        unread = self.unread(items)
        return np.where(unread, None, found) if unread.any() else found

    def unread(self, items: Any) -> np.ndarray:
        """Mask of the items of which nothing can be read, such as empty texts, (n,): no label of them means anything.

        Args:
            items: texts, sentences (lists of words), images or rows of numbers, as the model's reader takes them.
        """
        reader = self.reader
        if not isinstance(reader, TellsUnread):
            return np.zeros(len(items), dtype=bool)
        if isinstance(items, OnDisk):
            blocks = (items[start : start + AT_ONCE] for start in range(0, len(items), AT_ONCE))
            return np.concatenate([np.zeros(0, dtype=bool), *map(reader.unread, blocks)])
        return reader.unread(items)

    def predict_units(self, examples: Examples) -> np.ndarray:
        """Probabilities of each class for the units of examples, (units, c), float64."""
        logits = predict(self.network, self.task, examples).double()
        return (logits / self.temperature).softmax(-1).cpu().numpy()

    def surest(self, examples: Examples) -> tuple[np.ndarray, np.ndarray]:
        """Probability of the likeliest class of each unit, float64, and its number, (units,) each."""
        count = int(examples.counts().sum())
        top, said = np.empty(count), np.empty(count, dtype=np.int64)
        for units, logits in predictions(self.network, self.task, examples):
            best, number = (logits.double() / self.temperature).softmax(-1).max(-1)
            at = units.cpu().numpy()
            top[at], said[at] = best.cpu().numpy(), number.cpu().numpy()
        return top, said

    def probabilities(self, items: Any, tick: Tick | None = None) -> np.ndarray:
        """Probabilities of each class for the units of items, (units, c), float64; even ones where nothing was read.

        Args:
            items: texts, sentences (lists of words), images or rows of numbers, as the model's reader takes them.
            tick: called with the progress of the encoding.
        """
        return self.answers(items, tick).probabilities

    def answers(self, items: Any, tick: Tick | None = None) -> Answers:
        """What the model says of items, see `probabilities` for the arguments."""
        items = items if isinstance(items, np.ndarray) else list(items)
        examples = self.examples(items, tick)
        p, unread = self.predict_units(examples), self.unread(items)
        if unread.any():
            p[unread] = 1 / p.shape[1]
        return Answers(p, examples.counts(), unread)

    def represented(self, examples: Examples) -> Iterator[tuple[np.ndarray, np.ndarray, np.ndarray]]:
        """Numbers of units, their probabilities and the inputs of the last layer, a batch at a time to save memory.

        Returns:
            (n,), (n, c), float64, and (n, d), float32, of each batch; without a last layer the logits are the inputs.
        """
        for units, logits, inputs in blocks(self.network, self.task, examples):
            p = (logits.double() / self.temperature).softmax(-1)
            seen = inputs if inputs.shape[1] else logits
            yield units.cpu().numpy(), p.cpu().numpy(), seen.float().cpu().numpy()

    def stream(self, examples: Examples) -> Iterator[tuple[Tensor, Tensor]]:
        """Numbers of units, (n,), and their probabilities, (n, c), a batch at a time to save memory."""
        for units, logits in predictions(self.network, self.task, examples):
            yield units, (logits / self.temperature).softmax(-1)


def save(model: Model, folder: Path, told: Mapping[str, Sequence[str]] | None = None) -> None:
    """Write the model, and a card in Markdown, into a folder, which is made where it is missing.

    Args:
        model: the model.
        folder: the folder.
        told: sentences on the model under each heading of the card.

    Raises:
        TypeError: the network is the user's own, and cannot be imported and made again, see `base.about_own`.
    """
    about: dict[str, Any] = {
        "format": FORMAT, "classes": [_plain(c) for c in model.classes], "task": model.task.name,
        "reader": {"name": model.reader.name} | model.reader.about(model.body, folder),
        "temperature": model.temperature,
    } | _about_network(model.network)  # fmt: skip
    folder.mkdir(parents=True, exist_ok=True)
    files.unseal(folder)
    write_tensors(folder / "model.safetensors", model.network.state_dict())
    for name, arrays in ((HELD_OUT, model.held_out), (KNOWN, model.known)):
        if arrays:
            write_tensors(folder / name, {k: torch.as_tensor(v) for k, v in arrays.items()})
        else:
            (folder / name).unlink(missing_ok=True)  # of a model that was saved there before
    write_marks(folder, model.learnt)
    page = cards.card(folder.name, model.task.name, list(map(str, model.classes)), told or {})
    files.write_atomically(folder / cards.NAME, page.encode(errors="replace"))
    files.write_json(folder / "model.json", about)
    files.clear_parts(folder)
    files.seal(folder)


def _about_network(network: nn.Module) -> dict[str, Any]:
    """Plain values by which `_network_of` makes a network of the same shape."""
    if isinstance(network, Mixture):
        return {"mixture": [_about_network(part) for part in network.parts]}
    body = body_of(network)
    head = body if isinstance(body, Head) else getattr(body, "head", None)
    about: dict[str, Any] = {"head": head.shape if isinstance(head, Head) else None}
    return about | ({"answer": network.about()} if isinstance(network, Answering) else {})


def _network_of(
    about: dict[str, Any], reader: Reader, named: dict[str, Any], classes: list[Any], task: Task
) -> nn.Module:
    """The network that a model.json describes, with any weights.

    Args:
        about: what `_about_network` gave.
        reader: reader of the model's items.
        named: the reader's part of the model.json.
        classes: names of the classes.
        task: task of the model.
    """
    if "mixture" in about:
        parts = [_network_of(part, reader, named, classes, task) for part in about["mixture"]]
        if not parts:
            raise ValueError("mixture holds no network")
        return Mixture.blank(parts, len(classes))
    network = reader.fill(named, Head(**about["head"]) if about["head"] else None, len(classes))
    if "answer" in about:
        return Answering.made(about["answer"], network, task)
    return network


def _plain(value: Any) -> Any:
    return value.item() if isinstance(value, np.generic) else value


def code_of(folder: str | Path) -> list[str]:
    """Addresses of the code of the user's own that the model of a folder names; nothing is imported.

    Args:
        folder: folder of a saved model, or of a finished run.

    Raises:
        FileNotFoundError, BadFileError: the folder holds no model, or its description is damaged.
    """
    return own.named_within(_described(Path(folder))[1])


def _described(folder: Path) -> tuple[Path, dict[str, Any]]:
    """Folder of the model itself, and its description.

    Raises:
        FileNotFoundError, BadFileError: the folder holds no model, or its description is damaged.
    """
    if (folder / "model" / "model.json").exists():  # a run's
        folder = folder / "model"
    if not (folder / "model.json").exists():
        raise FileNotFoundError(f"{folder}: no saved model there (model.json is missing)")
    about = files.read_json(folder / "model.json", Described)
    files.check_format(folder / "model.json", about["format"])
    return folder, about


def load(folder: str | Path, trust: bool = False, allow_encoder: str | None = None) -> Model:
    """The model of a folder that `save` or version 0.1 wrote.

    Args:
        folder: folder of a saved model, or of a finished run.
        trust: whether code of the user's own that the model names, such as the class of a network, is imported.
        allow_encoder: name of an encoder that may be loaded from outside the folder, though the model was not made by
            this user on this machine.

    Raises:
        FileNotFoundError: the folder holds no model.
        UntrustedError: the model names such code or such an encoder, and it is not trusted.
        ValueError: the model needs another encoder than the one that is allowed, or none.
        BadFileError: the model is damaged, incomplete or of a newer version, or its encoder has changed since.
    """
    folder, about = _described(Path(folder))
    files.require_sealed(folder, about["format"], but=(cards.NAME,))
    own.require_trust(folder / "model.json", about, trust)
    require_allowed(folder, about, allow_encoder)
    tensors, _ = read_tensors(folder / "model.safetensors")
    try:
        about = _of_format_1(about) if about["format"] == 1 else about
        classes = list(about["classes"])
        named = about["reader"]
        reader = READERS[named["name"]].restored(named, folder)
        task = TASKS[about["task"]].of([str(c) for c in classes])
        network = _network_of(about, reader, named, classes, task)
        told = int(getattr(body_of(network), "classes", len(classes)))
        if len(classes) != told:
            raise BadFileError(f"{folder}: {len(classes)} classes are named, but the model tells {told} apart")
        network.load_state_dict(tensors)
        temperature = float(about.get("temperature", 1.0))
        if not 0 < temperature < float("inf"):
            raise ValueError(f"temperature is {temperature}, not above 0")
    except BadFileError:
        raise
    except (LookupError, ArithmeticError, TypeError, ValueError, AttributeError, RuntimeError, AssertionError) as e:
        raise BadFileError(f"{folder}: the model's parts do not fit together ({why(e)})") from e
    held_out, learnt = _held_out(folder), read_marks(folder)
    known = _arrays(folder / KNOWN)
    return Model(classes, network.eval(), reader, task, None, temperature, held_out, learnt, known)


def require_allowed(folder: Path, about: Mapping[str, Any], allow_encoder: str | None = None) -> None:
    """Check that a model needs no encoder from outside its folder, or may have it.

    Args:
        folder: folder of the model.
        about: what its model.json holds.
        allow_encoder: name of an encoder that the user allows.

    Raises:
        UntrustedError: it needs one, and was not made by this user on this machine.
        ValueError: it needs another one than the one that is allowed, or none.
    """
    name = outside(about.get("reader", {}))
    allowed = name is not None and allow_encoder is not None and same_encoder(name, allow_encoder)
    if allow_encoder is not None and not allowed:
        needs = "needs no encoder from outside itself" if name is None else f"names the encoder {name!r}"
        raise ValueError(f"--allow-encoder {allow_encoder}: the model in {folder} {needs}")
    if name is None or allowed or files.made_here(folder):
        return
    who = (
        "was not made by you on this machine" if about["format"] >= VOUCHED
        else "is of a version before 0.4, which did not seal its models, so that anybody may have made it"
    )  # fmt: skip
    raise own.UntrustedError(
        f"{folder / 'model.json'} names the encoder {name!r}, which would be loaded from there or from the Hub, and "
        f"the model {who}: if you know that encoder, add --allow-encoder {name} (allow_encoder= in Python)"
    )


def _held_out(folder: Path) -> dict[str, np.ndarray]:
    """What the model of a folder keeps of its held-out labels; empty of one that keeps nothing, as of older versions.

    Raises:
        BadFileError: the file is damaged, or its parts are not of the same labels.
    """
    path = folder / HELD_OUT
    found = _arrays(path)
    if not found:
        return {}
    shapes = {name: array.shape for name, array in found.items()}
    alone = {"confidence", "right", "label"}
    if set(shapes) - {"weight"} != alone or not (
        shapes["confidence"] == shapes["right"]
        and shapes["confidence"][1:] == shapes["label"] == shapes.get("weight", shapes["label"])
    ):
        raise BadFileError(f"{path}: not written by tutelage, or damaged (it holds {shapes})")
    return found


def _arrays(path: Path) -> dict[str, np.ndarray]:
    """Arrays in a file by name; none where the file is not there.

    Raises:
        BadFileError: the file is damaged.
    """
    if not path.exists():
        return {}
    return {name: tensor.numpy() for name, tensor in read_tensors(path)[0].items()}


def _of_format_1(about: dict[str, Any]) -> dict[str, Any]:
    """The model.json of version 0.1, in the form that this version writes."""
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
