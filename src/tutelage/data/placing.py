"""Tensors brought to a device."""

from __future__ import annotations

import torch
from torch import Tensor


def placed(tensor: Tensor, device: torch.device | str) -> Tensor:
    """The tensor on a device; to a card of NVIDIA it goes from pinned memory, so that the caller need not wait for it.

    Args:
        tensor: tensor on a CPU.
        device: the device.

    >>> placed(torch.ones(2), "cpu").tolist()
    [1.0, 1.0]
    """
    if torch.device(device).type != "cuda":
        return tensor.to(device)
    return tensor.pin_memory().to(device, non_blocking=True)
