"""How a text's features are made of the states of its tokens."""

from __future__ import annotations

from torch import Tensor, nn


def pool(hidden: Tensor, mask: Tensor) -> Tensor:
    """Mean of each text's token states, scaled to length 1, (n, d).

    Args:
        hidden: token states, (n, t, d).
        mask: attention mask, (n, t): 1 for a token, 0 for padding.
    """
    kept = mask[..., None].to(hidden.dtype)
    return nn.functional.normalize((hidden * kept).sum(1) / kept.sum(1).clamp(min=1), dim=1)
