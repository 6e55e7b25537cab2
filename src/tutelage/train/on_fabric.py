"""Processes that train together, on Lightning Fabric: it finds their devices and connects them.

A process sees its own device alone, so that a device's name means the same in all of them.
"""

from __future__ import annotations

import functools
import importlib.util
import io
import logging
import os
import pickle
from collections.abc import Callable, Sequence
from datetime import timedelta
from typing import Any, TypeVar

import torch
from torch import Tensor, distributed

from tutelage.types import Params

T = TypeVar("T")

EXTRA = "pip install 'tutelage[devices]'"
"""What installs Lightning Fabric."""

OF_CONNECTIONS = ("gloo", "NCCL", "onnection")
"""Words of an error of torch.distributed that says that another process cannot be reached."""

FIRST = 2**15
"""Bytes that are sent at once, whatever the length of what is shared."""

WAIT = timedelta(days=7)
"""Time that a process waits for the others, at most: the first one may encode a pool for hours before it trains."""


def require() -> None:
    """Check that Lightning Fabric is installed.

    Raises:
        ImportError: it is not; the message names the extra.
    """
    if importlib.util.find_spec("lightning_fabric") is None:
        raise ImportError(f"several devices are used by the library Lightning Fabric: {EXTRA}")


class GoneError(ConnectionError):
    """Another process is gone, so that this one cannot go on."""


def heard(call: Callable[..., T]) -> Callable[..., T]:
    """A call of the other processes that raises `GoneError` where one of them is gone."""

    @functools.wraps(call)
    def found(*args: Any, **kwargs: Any) -> T:
        try:
            return call(*args, **kwargs)
        except RuntimeError as e:
            if not any(word in str(e) for word in OF_CONNECTIONS):
                raise
            raise GoneError(f"another process is gone ({e})") from e

    return found


class OnFabric:
    """Communication between processes by Lightning Fabric, see `Comm`.

    Args:
        fabric: Fabric that was launched.
    """

    def __init__(self, fabric: Any) -> None:
        self.fabric = fabric

    @property
    def rank(self) -> int:
        return int(self.fabric.global_rank)

    @property
    def size(self) -> int:
        return int(self.fabric.world_size)

    @property
    def device(self) -> torch.device:
        device: torch.device = self.fabric.device
        return device

    @heard
    def mean(self, grads: Params) -> Params:
        found = Params()
        for kind in dict.fromkeys(t.dtype for t in grads.values()):
            some = {name: t for name, t in grads.items() if t.dtype == kind}
            flat = torch.cat([t.detach().reshape(-1) for t in some.values()])
            distributed.all_reduce(flat)  # not by Fabric, which waits once more before
            parts = torch.split(flat.div_(self.size), [t.numel() for t in some.values()])
            found |= {name: part.view(t.shape) for (name, t), part in zip(some.items(), parts, strict=True)}
        return {name: found[name] for name in grads}

    @heard
    def counts(self, count: int) -> list[int]:
        mine = torch.tensor([count], device=self.device)
        found = [torch.empty_like(mine) for _ in range(self.size)]
        distributed.all_gather(found, mine)
        return torch.cat(found).tolist()

    @heard
    def gather(self, rows: Tensor, counts: Sequence[int] = ()) -> Sequence[Tensor]:
        sizes = counts or self.counts(len(rows))
        sent = rows.detach().to(self.device).contiguous()
        if len(rows) < max(sizes):
            sent = torch.cat([sent, sent.new_zeros(max(sizes) - len(rows), *rows.shape[1:])])
        parts = [torch.empty_like(sent) for _ in sizes]
        distributed.all_gather(parts, sent)
        return [part[:size].to(rows.device) for part, size in zip(parts, sizes, strict=True)]

    @heard
    def share(self, value: Any = None) -> Any:
        if self.size == 1:
            return value
        body = self._sent(value) if self.rank == 0 else torch.empty(0, dtype=torch.uint8, device=self.device)
        first = torch.zeros(FIRST, dtype=torch.uint8, device=self.device)
        first[:16] = torch.tensor([len(body), 0], device=self.device).view(torch.uint8)
        first[16 : 16 + len(body)] = body[: FIRST - 16]
        distributed.broadcast(first, 0)
        size = int(first[:8].view(torch.int64))
        if size <= FIRST - 16:
            return value if self.rank == 0 else _unpacked(first[16 : 16 + size])
        body = body if self.rank == 0 else torch.empty(size, dtype=torch.uint8, device=self.device)
        distributed.broadcast(body, 0)
        return value if self.rank == 0 else _unpacked(body)

    def _sent(self, value: Any) -> Tensor:
        """A value as bytes: the length of what is plain, that, and the tensors' bytes."""
        packed, tensors = _packed(value)
        plain = torch.frombuffer(bytearray(len(packed).to_bytes(8, "little") + packed), dtype=torch.uint8)
        return torch.cat([plain.to(self.device), *(_bytes(t.to(self.device)) for t in tensors)])


def begun(cuda: bool | None = None) -> OnFabric:
    """Join the processes that a launcher has started, by its environment variables, as torchrun sets them.

    Args:
        cuda: whether to use a card of NVIDIA; None is where there is one.

    Raises:
        ImportError: Lightning Fabric is not installed.
        ValueError: there is no card for this process.
    """
    require()
    world, rank, local = (int(os.environ[name]) for name in ("WORLD_SIZE", "RANK", "LOCAL_RANK"))
    if cuda is not False:
        see_own_device(local)
    cuda = torch.cuda.is_available() if cuda is None else cuda
    if cuda and torch.cuda.device_count() != 1:
        raise ValueError(
            f"process {rank} of {world}, counted from 0, must see one card, but sees {torch.cuda.device_count()}: "
            "start no more processes on a machine than it has cards, or name each one's by CUDA_VISIBLE_DEVICES"
        )
    os.environ |= {"NODE_RANK": str(rank), "LOCAL_RANK": "0"}  # to Fabric each process is a machine of one device
    from lightning_fabric import Fabric
    from lightning_fabric.plugins.environments.lightning import LightningEnvironment
    from lightning_fabric.strategies.ddp import DDPStrategy

    logging.getLogger("lightning_fabric").setLevel(logging.ERROR)
    strategy = DDPStrategy(cluster_environment=LightningEnvironment(), timeout=WAIT)
    threads = torch.get_num_threads()
    fabric = Fabric(accelerator="cuda" if cuda else "cpu", strategy=strategy, devices=1, num_nodes=world)
    fabric.launch()
    torch.set_num_threads(threads)
    return OnFabric(fabric)


def see_own_device(local: int) -> None:
    """Hide the cards of NVIDIA but the one of this process, before CUDA is begun.

    Args:
        local: number of the process on this machine.
    """
    seen = [name for name in os.environ.get("CUDA_VISIBLE_DEVICES", "").split(",") if name]
    if not seen:
        os.environ["CUDA_VISIBLE_DEVICES"] = str(local)
    elif len(seen) > 1:
        os.environ["CUDA_VISIBLE_DEVICES"] = seen[local] if local < len(seen) else ""


def _bytes(tensor: Tensor) -> Tensor:
    if not tensor.numel():
        return tensor.new_empty(0, dtype=torch.uint8)
    return tensor.detach().contiguous().reshape(-1).view(torch.uint8)


def _packed(value: Any) -> tuple[bytes, list[Tensor]]:
    """A value without its tensors, which stand apart."""
    tensors: list[Tensor] = []

    class Apart(pickle.Pickler):
        def persistent_id(self, thing: Any) -> Any:
            if type(thing) is not Tensor:
                return None
            tensors.append(thing)
            return tuple(thing.shape), thing.dtype, thing.device.type == "cpu", thing.nbytes

    held = io.BytesIO()
    Apart(held, protocol=pickle.HIGHEST_PROTOCOL).dump(value)
    return held.getvalue(), tensors


def _unpacked(body: Tensor) -> Any:
    """The value of bytes, see `OnFabric.share`; its tensors are copies of its parts."""
    at = 8 + int.from_bytes(body[:8].cpu().numpy().tobytes(), "little")

    class Joined(pickle.Unpickler):
        def persistent_load(self, about: Any) -> Tensor:
            nonlocal at
            shape, kind, on_cpu, size = about
            found = body[at : at + size].clone().view(kind).view(shape) if size else body.new_empty(shape, dtype=kind)
            at += size
            return found.cpu() if on_cpu else found

    return Joined(io.BytesIO(body[8:at].cpu().numpy().tobytes())).load()
