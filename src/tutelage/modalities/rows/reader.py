"""Reader of rows of numbers, which are their own features."""

from __future__ import annotations

import zlib
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar, Self

import numpy as np
import torch
from torch import Tensor, nn

from tutelage.data import Features
from tutelage.data.columns import Columns, Form, folder_of
from tutelage.data.view_loader import Augmentation
from tutelage.modalities.base import HowRead, about_own, own_of
from tutelage.modalities.exported import Exported
from tutelage.modalities.head import Head
from tutelage.types import Tick

USE = (
    "def inputs_of(row):",
    '    return {"rows": np.asarray(row, dtype=np.float32)[None]}',
)
"""Lines of Python that make a graph's inputs of a row of numbers."""

ROWS_A_BLOCK = 8192
"""Rows on disk that are disturbed at once."""


@dataclass(frozen=True)
class GivenRows:
    """Lists of rows of numbers, which need no encoder; an `Encoding` without missing features.

    Attributes:
        parts: lists of rows, each (n, ...).
        missing: number of rows without features, 0.
    """

    parts: Sequence[Any]
    missing: ClassVar[int] = 0

    def seconds(self) -> float:
        return 0.0

    def features(self, device: torch.device | str = "cpu", tick: Tick | None = None) -> list[Features]:
        return [Features(torch.as_tensor(np.asarray(part, dtype=np.float32)).to(device)) for part in self.parts]


def _disturbed(rows: Tensor, others: Tensor, share: float, generator: torch.Generator) -> Tensor:
    """Rows, (n, ...), in which a share of the numbers is replaced by those of other rows."""
    return torch.where(torch.rand(rows.shape, generator=generator) < share, others, rows)


def _disturbed_on_disk(
    rows: Tensor, order: Tensor, share: float, generator: torch.Generator, folder: Path
) -> np.ndarray:  # fmt: skip
    """The same rows as those in memory, written to a column block by block: the generator is drawn from in turn.

    Args:
        rows: rows, (n, d).
        order: number of the other row of each, (n,).
        share: share of the numbers that is replaced.
        generator: what is drawn from.
        folder: folder of the column.
    """
    crc = zlib.crc32(rows[:: max(len(rows) // ROWS_A_BLOCK, 1)].contiguous().numpy().tobytes())
    held = Columns(folder, {"rows": Form("<f4", rows.shape[1])}, {"rows": list(rows.shape), "some": crc})
    for number, start in enumerate(range(0, len(rows), ROWS_A_BLOCK)):
        part = rows[start : start + ROWS_A_BLOCK]
        made = _disturbed(part, rows[order[start : start + ROWS_A_BLOCK]], share, generator)
        if number >= held.blocks:
            held.append({"rows": made.numpy()})
    held.finish()
    found: np.ndarray = held["rows"]
    return found


@dataclass(frozen=True)
class RowReader:
    """Reader of rows of numbers, (n, d), each of which is one unit; with the user's own network, (n, ...).

    Args:
        make: function that makes the user's own network; None takes a head on the numbers.
        per_feature: whether each number is standardised by its own scale; else one scale serves all.
    """

    make: Callable[[], nn.Module] | None = None
    per_feature: bool = True
    name: ClassVar[str] = "rows"
    says: ClassVar[str] = "rows of numbers"
    still: ClassVar[str] = "as they are"
    encodes: ClassVar[bool] = False
    adapts: ClassVar[bool] = False

    def seen(self, items: Sequence[Any]) -> int:
        return 0

    def fitted(self, items: Any) -> Self:
        return self

    def reads(self, items: Any) -> HowRead | None:
        return None

    def encoding(self, parts: Sequence[Any], cache: Path | None) -> GivenRows:
        return GivenRows(parts)

    def examples(self, items: Any, device: torch.device | str = "cpu") -> Features:
        return GivenRows([items]).features(device)[0]

    def network(self, classes: int) -> nn.Module:
        if self.make is None:
            raise ValueError("rows of numbers have no encoder that could be trained; give a network")
        return self.make()

    def with_head(self, head: Head) -> nn.Module:
        return head

    def disturbed(self, items: Any, share: float, seed: int) -> np.ndarray:
        """Rows, (n, ...), in which a share of the numbers is replaced by those of another row."""
        rows, generator = torch.as_tensor(np.asarray(items, dtype=np.float32)), torch.Generator().manual_seed(seed)
        order = torch.randperm(len(rows), generator=generator)
        if (folder := folder_of(items)) is not None:
            return _disturbed_on_disk(rows, order, share, generator, folder.with_name(f"{folder.name}-{share}-{seed}"))
        return _disturbed(rows, rows[order], share, generator).numpy()

    def exported(self, network: nn.Module, on_features: bool) -> Exported:
        head = next((m for m in network.modules() if isinstance(m, Head)), None)
        if head is None or not on_features:
            raise ValueError(
                "a network of your own is written by torch.onnx.export, which wants an example of its rows"
            )
        scale = torch.where(head.scale.isfinite(), head.scale, torch.ones_like(head.scale))
        noise = torch.randn(64, head.width, generator=torch.Generator().manual_seed(0))
        sample = (head.mean.cpu() + scale.cpu() * noise).numpy()
        return Exported(
            network=network.cpu(), inputs={"rows": torch.as_tensor(sample[:2])}, sample=list(sample),
            feed=lambda folder: as_row, beside=lambda folder: None, use=USE,
            items=f"np.zeros((2, {head.width}))", int8_within=None, about={"numbers": head.width},
        )  # fmt: skip

    def views(self, names: Collection[str]) -> Mapping[str, Augmentation]:
        return {}

    def to(self, device: torch.device | str) -> RowReader:
        return self

    def about(self, network: nn.Module, folder: Path) -> dict[str, Any]:
        return {} if isinstance(network, Head) else about_own(self.make, network)

    @classmethod
    def restored(cls, about: dict[str, Any], folder: Path) -> RowReader:
        return cls(own_of(about))

    def fill(self, about: dict[str, Any], head: Head | None, classes: int) -> nn.Module:
        if self.make is not None:
            return self.make()
        assert head is not None
        return head


def as_row(row: np.ndarray) -> dict[str, np.ndarray]:
    """Inputs of a graph by name, (1, d), of a row of numbers.

    >>> as_row(np.array([1, 2]))["rows"].tolist()
    [[1.0, 2.0]]
    """
    return {"rows": np.asarray(row, dtype=np.float32)[None]}
