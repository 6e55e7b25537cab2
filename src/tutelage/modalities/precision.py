"""Precision in which a frozen encoder computes: the one that was asked for, else float32, or a large one's bfloat16.

On some processors bfloat16 is four times as fast as float32, on others three times as slow, so that it is timed. The
outcome is kept beside the cached features, by machine and version of torch, so that a later run computes the same.
"""

from __future__ import annotations

import hashlib
import os
import platform
import time
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from functools import cache
from pathlib import Path

import torch
from torch import nn

from tutelage.data.sources import cache_folder
from tutelage.files import BadFileError, read_json, write_json

LARGE = 50_000_000
"""Number of parameters above which the probe decides; smaller encoders compute in float32."""
FASTER = 1.5
"""Times that bfloat16 must be as fast as float32 to be taken."""
VARIABLE = "TUTELAGE_PRECISION"
"""Environment variable that names the precision of every frozen encoder."""
NAMES = {"float32": torch.float32, "bfloat16": torch.bfloat16}
"""Precisions in which torch computes, by name."""
INT8 = "int8"
"""Precision of texts' encoders whose products of matrices are of whole numbers, see `modalities.quantised`."""
AUTO = "auto"
"""Word for the fastest precision whose features are near those of float32, see `modalities.fastest`."""
ASKED = (AUTO, *NAMES, INT8)
"""Words that may be asked for."""


def precision_of(model: nn.Module) -> torch.dtype:
    """Precision in which a frozen encoder computes if none is asked for: TUTELAGE_PRECISION, or what the probe finds.

    Its weights stay as they are.

    Args:
        model: encoder, on the device on which it will compute.

    Raises:
        ValueError: the variable names another precision.

    >>> precision_of(nn.Linear(3, 2))
    torch.float32
    """
    forced = os.environ.get(VARIABLE)
    if forced:
        if forced not in NAMES:
            raise ValueError(f"{VARIABLE} must be one of {', '.join(NAMES)}, got {forced!r}")
        return NAMES[forced]
    if sum(p.numel() for p in model.parameters()) <= LARGE:
        return torch.float32
    return torch.bfloat16 if gain(next(model.parameters()).device.type) >= FASTER else torch.float32


def named(model: nn.Module, asked: str = "") -> str:
    """Name of the precision in which a frozen encoder computes.

    Args:
        model: encoder, on the device on which it will compute.
        asked: name that was asked for; empty is that of `precision_of`.

    >>> named(nn.Linear(3, 2)), named(nn.Linear(3, 2), "int8")
    ('float32', 'int8')
    """
    return asked or str(precision_of(model)).removeprefix("torch.")


def computing(model: nn.Module, asked: str = "") -> AbstractContextManager[object]:
    """Context in which a frozen encoder computes in its precision, where torch computes; in float32 it changes nothing.

    Args:
        model: encoder, on the device on which it will compute.
        asked: name of the precision that was asked for; empty is that of `precision_of`.
    """
    dtype = NAMES[named(model, asked)]
    if dtype == torch.float32:
        return nullcontext()
    return torch.autocast(next(model.parameters()).device.type, dtype)


def cache_name(fingerprint: str, model: nn.Module, asked: str = "") -> str:
    """Name of the folder of the encoder's cached features: the fingerprint, and the precision if it is not float32.

    >>> cache_name("0a1b", nn.Linear(3, 2)), cache_name("0a1b", nn.Linear(3, 2), "int8")
    ('0a1b', '0a1b-int8')
    """
    name = named(model, asked)
    return fingerprint if name == "float32" else f"{fingerprint}-{name}"


@cache
def gain(device: str) -> float:
    """Time of a product of matrices in float32 over its time in bfloat16, on a type of device.

    It is timed once for each machine and version of torch, and kept in the cache folder.
    """
    return once(device, lambda: probe(device))


def once(what: str, measure: Callable[[], float]) -> float:
    """A ratio of times that is measured once for each machine and version of torch, and kept in the cache folder.

    Args:
        what: name of what is measured.
        measure: measures it.
    """
    file = cache_folder() / "precision.json"
    known, name = _known(file), f"{_machine()} {what}"
    if name not in known:
        known[name] = measure()
        try:
            file.parent.mkdir(parents=True, exist_ok=True)
            write_json(file, known)
        except OSError:  # a cache that cannot be written: it is timed again by the next process
            pass
    return known[name]


def probe(device: str, repeats: int = 5) -> float:
    """Time of a product of matrices in float32 over its time in bfloat16; the best of some repetitions of each.

    Args:
        device: type of device, such as "cpu".
        repeats: repetitions of each, in turn, at least 1.
    """
    left, right = torch.rand(256, 768, device=device), torch.rand(768, 3072, device=device)
    narrow = left.bfloat16(), right.bfloat16()
    wide_seconds, narrow_seconds = [], []
    for _ in range(repeats + 1):
        wide_seconds.append(_seconds(lambda: left @ right, device))
        narrow_seconds.append(_seconds(lambda: narrow[0] @ narrow[1], device))
    return min(wide_seconds[1:]) / min(narrow_seconds[1:])  # the first of each is slower than the rest


def _seconds(work: Callable[[], object], device: str) -> float:
    if device != "cpu":
        getattr(torch, device).synchronize()
    start = time.perf_counter()
    work()
    if device != "cpu":
        getattr(torch, device).synchronize()
    return time.perf_counter() - start


def _known(file: Path) -> dict[str, float]:
    try:
        found: dict[str, float] = read_json(file, dict[str, float])
    except (OSError, BadFileError):
        return {}
    return found


def _machine() -> str:
    """Hash of what the speeds depend on: the processor and the version of torch."""
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
        processor = "".join(
            dict.fromkeys(line for line in lines if line.startswith(("model name", "flags", "Features")))
        )
    except OSError:  # no Linux
        processor = platform.processor()
    said = f"{platform.machine()} {processor} {torch.backends.cpu.get_cpu_capability()} {torch.__version__}"
    return hashlib.blake2b(said.encode(), digest_size=8).hexdigest()
