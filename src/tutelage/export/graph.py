"""A fitted model as one ONNX graph: what reads items, the network and its calibration, down to the probabilities."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from torch import Tensor, nn

from tutelage.data.cards import Use
from tutelage.export.checked import bare, difference, exported
from tutelage.files import filled, write_atomically
from tutelage.modalities import graphs
from tutelage.modalities.exported import Exported
from tutelage.model import Model

GRAPH, CLASSES, PAGE = "model.onnx", "classes.json", "README.md"
"""Names of the files of the folder: the graph, the names of its classes, and how it is used."""


@dataclass(frozen=True)
class Written:
    """What was written.

    Attributes:
        difference: largest difference of a probability from the model's own on a sample, in [0, 1].
        items: number of items of the sample.
        files: names of the files.
    """

    difference: float
    items: int
    files: list[str]


class Probabilities(nn.Module):
    """A network whose output are probabilities, (n, c), as `Model.predict_units` has them.

    Args:
        network: network that gives logits.
        temperature: number above 0 by which these are divided.
    """

    def __init__(self, network: nn.Module, temperature: float) -> None:
        super().__init__()
        self.network, self.temperature = network, temperature

    def forward(self, *inputs: Tensor) -> Tensor:
        logits: Tensor = self.network(*inputs)
        return (logits.double() / self.temperature).softmax(-1).float()


def to_onnx(model: Model, folder: Path, things: str = "items", page: Callable[[Use], str] | None = None) -> Written:
    """Write a model as one ONNX graph with its tokenizer, the names of its classes, and a page on how it is used.

    Args:
        model: fitted model.
        folder: folder that is filled.
        things: word for the items, in the plural.
        page: gives the page on the model that lies in the folder; None says how it is used, and no more.

    Raises:
        ImportError: the packages are not installed that write graphs.
        FileExistsError: the folder is not empty.
        ValueError: such a model cannot be written, or its graph answers otherwise; nothing is left then.
    """
    graphs.require("--onnx")
    how = exported(model, things)
    network = Probabilities(how.network, model.temperature).eval()
    with filled(folder) as inside:
        with tempfile.TemporaryDirectory() as apart:
            wide = Path(apart) / GRAPH if how.int8_within is not None else inside / GRAPH
            graphs.write(network, how.inputs, wide, "probabilities")
            if how.int8_within is not None:
                graphs.quantise(wide, inside / GRAPH, f"/network{how.int8_within}")
        how.beside(inside)
        compute, feed = graphs.opened(inside / GRAPH), how.feed(inside)
        found = difference(model, how.sample, lambda item: compute(feed(item))[0])
        about = {"classes": [str(c) for c in model.classes], "difference": found} | dict(how.about)
        write_atomically(inside / CLASSES, (json.dumps(about, indent=1, ensure_ascii=False) + "\n").encode())
        use = _use(how, found)
        write_atomically(inside / PAGE, (bare(use, things) if page is None else page(use)).encode())
        files = sorted(path.name for path in inside.iterdir())
    return Written(found, len(how.sample), files)


def _use(how: Exported, found: float) -> Use:
    """How the graph is used."""
    several = (
        "Give it one text a call: numbers are rounded by the largest of a call, so that texts of one call depend on "
        "each other." if how.int8_within is not None
        else "Several rows a call are answered alike; shorter texts are filled up with the token `pad` of "
        f"`{CLASSES}`, at which `attention_mask` is 0." if "input_ids" in how.inputs
        else "Several rows a call are answered alike."
    )  # fmt: skip
    lines = [
        "import json", "import numpy as np", "import onnxruntime", *how.use,
        f'session = onnxruntime.InferenceSession("{GRAPH}")',
        f'classes = json.load(open("{CLASSES}", encoding="utf-8"))["classes"]',
        f"for item in {how.items}:",
        "    p = session.run(None, inputs_of(item))[0][0]",
        "    print(classes[p.argmax()], p.max())",
    ]  # fmt: skip
    notes = (
        f"`{GRAPH}` gives the probability of each class in `{CLASSES}`, in their order; the lines run in this folder.",
        several,
        "Of what cannot be read, such as an empty text, the model says nothing, and the graph something that means "
        "nothing.",
    )
    return Use("onnx", found, len(how.sample), "\n".join(lines), notes, how.about.get("max_length"), ("onnx",))


def as_json(written: Written) -> dict[str, Any]:
    """What was written, as plain values."""
    return {"difference": written.difference, "items": written.items, "files": written.files}
