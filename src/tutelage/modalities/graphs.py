"""Networks as ONNX graphs, which ONNX Runtime computes: written, quantised to whole numbers, and opened."""

from __future__ import annotations

import logging
import tempfile
import warnings
from collections.abc import Callable, Mapping, Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from tutelage.files.errors import why
from tutelage.ops.checks import lacking

OPSET = 17
"""Version of the operators of the graphs."""

PACKAGES = ("onnxruntime", "onnx")
"""Packages that write and open graphs."""


def there() -> bool:
    """Whether the packages are installed that write and open graphs."""
    return all(find_spec(name) is not None for name in PACKAGES)


def require(what: str) -> None:
    """Check that the packages are installed that write and open graphs.

    Args:
        what: name of the thing that needs them, for the message.

    Raises:
        ImportError: one of them is not.
    """
    for name in PACKAGES:
        if find_spec(name) is None:
            raise lacking(what, "onnx", ImportError(f"No module named {name!r}"))


def write(network: nn.Module, inputs: Mapping[str, Tensor], path: Path, output: str) -> None:
    """Write a network as a graph, of which each input and the output take any number of rows, and tokens.

    Args:
        network: network in evaluation mode, called with the inputs in their order.
        inputs: example of each input by name, of two rows at least; the first two axes take any length, except the
            second one of a table of numbers.
        path: file that is written.
        output: name of the output.

    Raises:
        ValueError: the network cannot be written so.
    """
    axes = {n: {0: "rows"} | ({} if t.is_floating_point() else {1: "tokens"}) for n, t in inputs.items()}
    loud = logging.getLogger("torch.onnx").level
    try:
        with warnings.catch_warnings(), torch.inference_mode(False), torch.no_grad():
            warnings.simplefilter("ignore")  # of the tracer, on lengths that are constant where they are meant to be
            logging.getLogger("torch.onnx").setLevel(logging.ERROR)
            torch.onnx.export(
                network, tuple(inputs.values()), str(path), input_names=list(inputs), output_names=[output],
                dynamic_axes=axes | {output: {0: "rows"}}, opset_version=OPSET, dynamo=False,
            )  # fmt: skip
    except Exception as e:  # the exporter raises many kinds
        raise ValueError(f"{type(network).__name__} cannot be written as an ONNX graph ({why(e)})") from e
    finally:
        logging.getLogger("torch.onnx").setLevel(loud)


def quantise(graph: Path, path: Path, within: str) -> None:
    """Write a graph again whose products with weights are of whole numbers of 8 bits.

    Weights are scaled for each output by itself, and what they are multiplied with for each call (dynamically).

    Args:
        graph: graph in float32.
        path: file that is written.
        within: beginning of the names of the operators that are quantised; the others stay.
    """
    import onnx
    from onnxruntime.quantization import QuantType, quantize_dynamic
    from onnxruntime.quantization.shape_inference import quant_pre_process

    root = logging.getLogger()
    loud = root.level
    with tempfile.TemporaryDirectory() as folder, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            root.setLevel(logging.ERROR)
            ready = Path(folder) / "ready.onnx"
            quant_pre_process(str(graph), str(ready), skip_symbolic_shape=True)
            names = [node.name for node in onnx.load(ready, load_external_data=False).graph.node]
            quantize_dynamic(
                str(ready), str(path), op_types_to_quantize=["MatMul"], weight_type=QuantType.QInt8, per_channel=True,
                nodes_to_exclude=[n for name in names if not name.startswith(within) for n in (name, f"{name}_MatMul")],
                extra_options={"MatMulConstBOnly": True},
            )  # fmt: skip
        finally:
            root.setLevel(loud)


def opened(path: Path, threads: int = 1) -> Callable[[Mapping[str, np.ndarray]], np.ndarray]:
    """Function that computes a graph's output of its inputs; several threads may call it at once.

    Args:
        path: file of the graph.
        threads: number of threads that compute one call, at least 1.

    Raises:
        ValueError: the file is no graph.
    """
    import onnxruntime

    how: Any = onnxruntime.SessionOptions()
    how.intra_op_num_threads, how.inter_op_num_threads, how.log_severity_level = threads, 1, 3
    try:
        session: Any = onnxruntime.InferenceSession(str(path), how, providers=["CPUExecutionProvider"])
    except Exception as e:  # the runtime raises many kinds
        raise ValueError(f"{path}: no ONNX graph, or damaged ({why(e)})") from e

    def compute(inputs: Mapping[str, np.ndarray]) -> np.ndarray:
        return np.asarray(session.run(None, dict(inputs))[0])

    return compute


def each_alone(compute: Callable[[Mapping[str, np.ndarray]], np.ndarray], inputs: Sequence[Mapping[str, np.ndarray]],
               workers: int) -> np.ndarray:  # fmt: skip
    """Outputs of a graph on inputs of one row each, (n, ...), each computed by itself.

    Args:
        compute: the opened graph.
        inputs: inputs of each row, by name.
        workers: number of threads, each of which computes one row at a time.
    """
    from concurrent.futures import ThreadPoolExecutor

    if workers < 2 or len(inputs) < 2:
        return np.concatenate([compute(one) for one in inputs])
    with ThreadPoolExecutor(workers) as pool:
        return np.concatenate(list(pool.map(compute, inputs)))
