"""Recorded numbers: how they are written, and how what is found now is compared with them.

On the machine that recorded them all must be equal to the last bit: there say TUTELAGE_SAME_MACHINE=1, and use one
thread. On another processor sums are added up in another order, so that nearly all floats differ in their last digits,
and now and then one label of many does. There `differences` allows for RELATIVE, ABSOLUTE and SHARE, and does not look
at what is BOUND to the bits.
"""

from __future__ import annotations

import hashlib
import json
import math
import os
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch

HERE = Path(__file__).parent
RELATIVE, ABSOLUTE = 1e-2, 1e-3
"""How far floats may be apart. With two threads, and with every older instruction set that torch, oneDNN, OpenBLAS and
MKL can be made to use, the median was 1e-7 and the worst 2e-3 (of trainings and estimators)."""

OF_RUNS, OF_SCENES = {"relative": 3e-2, "absolute": 3e-3}, {"relative": 3e-2, "absolute": 3e-2}
"""The same of runs of the command line, where the worst was 7e-3, and of those with masks, of which few are judged."""
OF_SAVED = {"relative": 1e-4, "absolute": 1e-5}
"""The same of what a loaded model says, where nothing is trained and the worst was 6e-7."""

SHARE = 0.1
SHARES = (
    "coverage", "precision", "recall", "held_out", "score", "accuracy", "f1", "miou", "dice", "interval", "by_class",
    "curve", "pool_classes",
)  # fmt: skip
"""What names of shares of few things end with: they may be SHARE apart, as one thing may be seen otherwise. Measured:
0.05."""

BOUND = (
    "labels", "transduction", "suggested", "order", "label", "tags", "spans", "pixels", "confusion", "calibration",
    "least_sure", "shown", "words",
)  # fmt: skip
"""Names of values that depend on each bit, beside those of FILES: classes of single items, and sentences."""
FILES = ("digest", "content of ")
"""What names of values begin with that depend on the bits of networks, or of files as this machine writes them."""


def same_machine() -> bool:
    """Whether the environment says that this is the machine that recorded."""
    return os.environ.get("TUTELAGE_SAME_MACHINE") == "1"


def differences(
    found: Any, recorded: Any, *, exact: bool | None = None, relative: float = RELATIVE, absolute: float = ABSOLUTE,
    place: str = "",
) -> list[str]:  # fmt: skip
    """Where a value, as `plain` gives it, is not as recorded: a line for each place, none where all is.

    Args:
        exact: equal to the last bit; by default on the machine that recorded.
        relative, absolute: how far floats may be apart elsewhere.
    """
    exact = same_machine() if exact is None else exact
    more = {"exact": exact, "relative": relative, "absolute": absolute}
    if isinstance(recorded, dict) and isinstance(found, dict):
        lines = [f"{place}/{k}: only recorded" for k in recorded if k not in found]
        lines += [f"{place}/{k}: only found" for k in found if k not in recorded]
        for k in (k for k in recorded if k in found and (exact or not _bound(k))):
            near = {"absolute": max(absolute, SHARE)} if str(k).endswith(SHARES) else {}
            lines += differences(found[k], recorded[k], place=f"{place}/{k}", **more | near)
        return lines
    if isinstance(recorded, list) and isinstance(found, list):
        if len(recorded) != len(found):
            return [f"{place}: {len(found)} values, {len(recorded)} are recorded"]
        pairs = enumerate(zip(found, recorded, strict=True))
        return [d for i, (f, r) in pairs for d in differences(f, r, place=f"{place}/{i}", **more)]
    return [] if _alike(found, recorded, **more) else [f"{place}: {found!r:.60}, {recorded!r:.60} is recorded"]


def _bound(name: str) -> bool:
    return name in BOUND or name.startswith(FILES)


def _alike(found: Any, recorded: Any, exact: bool, relative: float, absolute: float) -> bool:
    numbers = all(isinstance(v, int | float) and not isinstance(v, bool) for v in (found, recorded))
    if not numbers:
        return type(found) is type(recorded) and found == recorded
    if math.isnan(found) or math.isnan(recorded):
        return math.isnan(found) and math.isnan(recorded)
    if exact or (isinstance(found, int) and isinstance(recorded, int)):
        return bool(found == recorded)
    return math.isclose(found, recorded, rel_tol=relative, abs_tol=absolute)


def plain(value: Any) -> Any:
    """A value as JSON holds it: arrays and tuples as lists, keys as text."""
    if isinstance(value, Mapping):
        return {str(k): plain(v) for k, v in value.items()}
    if isinstance(value, np.ndarray | torch.Tensor):
        return plain(value.tolist())
    if isinstance(value, np.generic):
        return value.item()
    if isinstance(value, list | tuple):
        return [plain(v) for v in value]
    return value


def sums(values: np.ndarray | torch.Tensor) -> list[float]:
    """The sum of values and of their squares, added up in double precision."""
    v = torch.as_tensor(np.ascontiguousarray(values)).double()
    return [float(v.sum()), float(v.square().sum())]


def network_sums(network: torch.nn.Module) -> dict[str, Any]:
    """Sums of a network's parameters and buffers, and a digest of their bits whatever their names and order."""
    tensors = [t.detach().cpu().contiguous() for t in network.state_dict().values()]
    floats = [t.double().flatten() for t in tensors if t.is_floating_point()]
    each = sorted(hashlib.blake2b(t.numpy().tobytes(), digest_size=16).digest() for t in tensors)
    return {"sums": sums(torch.cat(floats)), "digest": hashlib.blake2b(b"".join(each), digest_size=8).hexdigest()}


def read(name: str) -> dict[str, Any]:
    """What is recorded in a file of this folder."""
    value: dict[str, Any] = json.loads((HERE / name).read_text(encoding="utf-8"))
    return value


def write(name: str, values: Mapping[str, Any]) -> None:
    """Write a file of this folder, each value in a line of its own."""
    lines = [f"{json.dumps(k)}: {json.dumps(plain(v), ensure_ascii=False)}" for k, v in values.items()]
    (HERE / name).write_text("{\n" + ",\n".join(lines) + "\n}\n", encoding="utf-8")


def record(name: str, cases: Iterable[str], do: Callable[[str], Any], say: Callable[[str], None] = print) -> None:
    """Do all cases twice and write what they give; ValueError where the second time differs from the first."""
    found = dict(_twice(cases, do, say))
    write(name, found)
    say(f"{name}: {len(found)} cases, {(HERE / name).stat().st_size // 1024} KB")


def _twice(cases: Iterable[str], do: Callable[[str], Any], say: Callable[[str], None]) -> Iterator[tuple[str, Any]]:
    for case in cases:
        first, second = (json.loads(json.dumps(plain(do(case)))) for _ in range(2))
        apart = differences(second, first, exact=True)
        if apart:
            raise ValueError(f"{case} is not the same twice: {'; '.join(apart[:5])}")
        say(case)
        yield case, first
