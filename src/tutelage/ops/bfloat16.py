"""Whether a machine multiplies matrices faster in bfloat16."""

from __future__ import annotations

import torch


def multiplies_bfloat16(device: torch.device) -> bool:
    """Whether a device has instructions for matrices of bfloat16, which make them two to four times faster.

    What is asked is the processor and not a clock, so that the answer is the same in every run.
    """
    if device.type == "cuda":
        return bool(torch.cuda.is_bf16_supported())
    tells = (getattr(torch.cpu, name, None) for name in ("_is_avx512_bf16_supported", "_is_amx_tile_supported"))
    return device.type == "cpu" and any(tell() for tell in tells if tell is not None)
