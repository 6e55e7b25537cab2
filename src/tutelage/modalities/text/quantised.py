"""Features of texts by an encoder whose products of matrices are of whole numbers of 8 bits, by ONNX Runtime.

What the weights are multiplied with is scaled by the largest number of a call, so that texts of one call would depend
on each other. Each text is therefore a call of its own, without padding, and threads take texts in turn: a text's
features are the same bits alone and beside any others, with one thread and with several.
"""

from __future__ import annotations

import copy
import tempfile
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

from tutelage.data.sources import cache_folder
from tutelage.files import BadFileError, read_json, write_json, written
from tutelage.files.whole import sha256_of
from tutelage.modalities import graphs
from tutelage.modalities.encoder import Encoder
from tutelage.modalities.text.pooling import pool

FOLDER = "graphs"
"""Name of the folder of the quantised graphs in the cache folder."""

FORM = 1
"""Version of how graphs are written; those of another one are made anew."""

FILES = 8
"""Number of graphs that are kept in the cache folder, at most: an encoder that is adapted makes one for each fold."""

KEPT = 4
"""Number of graphs that stay opened in a process, at most."""

_OPENED: dict[str, Callable[[Mapping[str, np.ndarray]], np.ndarray]] = {}


class Pooled(nn.Module):
    """A transformer whose output is texts' features, (n, d), see `pool`.

    Args:
        model: transformer.
    """

    def __init__(self, model: nn.Module) -> None:
        super().__init__()
        self.encoder = model

    def forward(self, input_ids: Tensor, attention_mask: Tensor) -> Tensor:
        return pool(self.encoder(input_ids=input_ids, attention_mask=attention_mask).last_hidden_state, attention_mask)


def as_inputs(ids: Sequence[int]) -> dict[str, np.ndarray]:
    """Inputs of a graph by name, (1, t) each, of the token ids of one text.

    >>> as_inputs([101, 102])["attention_mask"].tolist()
    [[1, 1]]
    """
    row = np.array([ids], dtype=np.int64)
    return {"input_ids": row, "attention_mask": np.ones_like(row)}


def rows_in_int8(encoder: Encoder, ids: Sequence[Sequence[int]]) -> np.ndarray:
    """Features of texts, (n, d), float32, each computed by itself.

    Args:
        encoder: encoder, whose quantised graph is made where the cache folder lacks it.
        ids: token ids of each text.

    Raises:
        ImportError: the packages are not installed that write and open graphs.
    """
    return graphs.each_alone(_opened(encoder), [as_inputs(some) for some in ids], torch.get_num_threads())


def _opened(encoder: Encoder) -> Callable[[Mapping[str, np.ndarray]], np.ndarray]:
    """The encoder's quantised graph, opened once a process."""
    graphs.require("--precision int8")
    path = cache_folder() / FOLDER / f"{encoder.fingerprint}-int8-{FORM}.onnx"
    key = str(path)
    if (found := _OPENED.get(key)) is None:
        if len(_OPENED) >= KEPT:  # a fit adapts an encoder for each fold
            _OPENED.pop(next(iter(_OPENED)))
        found = _OPENED[key] = _open(encoder, path)
    return found


def _open(encoder: Encoder, path: Path) -> Callable[[Mapping[str, np.ndarray]], np.ndarray]:
    """The graph in a file of the cache folder, which is made where it is missing or damaged.

    Where nothing can be written there, a graph is made for this process alone.
    """
    if _whole(path):
        try:
            return graphs.opened(path)
        except ValueError:  # the file is whole, but of another version of the runtime
            pass
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        _drop_oldest(path.parent)
        with written(path) as part:
            _make(encoder, part)
        write_json(_about(path), {"graph": sha256_of(path)})
        return graphs.opened(path)
    except OSError:
        with tempfile.TemporaryDirectory() as folder:
            _make(encoder, Path(folder) / path.name)
            return graphs.opened(Path(folder) / path.name)


def _drop_oldest(folder: Path) -> None:
    """Remove the graphs that were written first, so that with the next one there are at most `FILES`."""
    found = sorted(folder.glob("*.onnx"), key=lambda path: path.stat().st_mtime)
    for path in found[: max(len(found) - FILES + 1, 0)]:
        path.unlink(missing_ok=True)
        _about(path).unlink(missing_ok=True)


def _about(path: Path) -> Path:
    return path.with_suffix(".json")


def _whole(path: Path) -> bool:
    """Whether a graph is there as it was written."""
    try:
        return path.is_file() and read_json(_about(path), dict[str, str])["graph"] == sha256_of(path)
    except (OSError, BadFileError, KeyError):
        return False


def _make(encoder: Encoder, path: Path) -> None:
    """Write the quantised graph of an encoder."""
    with tempfile.TemporaryDirectory() as folder:
        wide = Path(folder) / "float32.onnx"
        write_features(encoder, wide)
        graphs.quantise(wide, path, "/encoder/")


def write_features(encoder: Encoder, path: Path) -> None:
    """Write the graph that gives texts' features in float32.

    Args:
        encoder: encoder with its weights.
        path: file that is written.
    """
    ids = torch.full((2, min(encoder.max_length, 8)), encoder.pad)
    inputs = {"input_ids": ids, "attention_mask": torch.ones_like(ids)}
    graphs.write(Pooled(on_cpu(encoder.model)).eval(), inputs, path, "features")


def on_cpu(model: nn.Module) -> nn.Module:
    """The network, or a copy of it on the CPU where it lies on another device."""
    return model if next(model.parameters()).device.type == "cpu" else copy.deepcopy(model).cpu()
