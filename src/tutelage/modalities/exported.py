"""What a reader says of a model's network so that it can be written for programs that know nothing of readers."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol, runtime_checkable

import numpy as np
from torch import Tensor, nn


@dataclass(frozen=True)
class Exported:
    """A network from what is put into it to its logits, and how items become that.

    Attributes:
        network: network that gives logits, (n, c), of its inputs, on the CPU, in evaluation mode.
        inputs: example of each input, in their order, by name, of two rows.
        sample: items on which what is written is held against the model.
        feed: makes the function that gives an item's inputs, of one row each, from the files beside the graph alone.
        beside: writes the files that `feed` needs into a folder, such as a tokenizer.
        use: lines of Python that make ``inputs`` of an ``item``, with the files beside the graph.
        items: lines of Python that give ``items``, as an example.
        int8_within: beginning of the names of the operators of whole numbers; None where all are of float32.
        about: more that is said of the model, by name.
    """

    network: nn.Module
    inputs: Mapping[str, Tensor]
    sample: Sequence[Any]
    feed: Callable[[Path], Callable[[Any], dict[str, np.ndarray]]]
    beside: Callable[[Path], None]
    use: Sequence[str]
    items: str
    int8_within: str | None
    about: Mapping[str, Any]


@runtime_checkable
class Exports(Protocol):
    """A reader whose models can be written as one graph."""

    def exported(self, network: nn.Module, on_features: bool) -> Exported:
        """The network with what reads items before it.

        Args:
            network: fitted network, which gives logits.
            on_features: whether it takes a frozen encoder's features; else it takes what `Reader.examples` gives.

        Raises:
            ValueError: this one cannot be written.
        """
