"""Text encoders: the packaged MiniLM, any Hub name, any local folder; frozen or fine-tuned whole."""

from __future__ import annotations

import copy
from typing import Any

import torch
from torch import Tensor, nn

from tutelage.modalities.head import Head
from tutelage.types import Logits


def pool(hidden: Tensor, mask: Tensor) -> Tensor:
    """Mean of the token states that ``mask`` keeps, scaled to length 1; (n, t, d) to (n, d)."""
    kept = mask[..., None].to(hidden.dtype)
    return nn.functional.normalize((hidden * kept).sum(1) / kept.sum(1).clamp(min=1), dim=1)


class TextClassifier(nn.Module):
    """A transformer and a linear head, trained whole.

    The head sees the pooled state times the root of its width, so that its entries are near 1.
    """

    def __init__(self, model: Any, classes: int, dropout: float = 0.1) -> None:
        super().__init__()
        self.encoder = model
        self.width = int(model.config.hidden_size)
        self.head = Head(self.width, classes, dropout=dropout)

    def get_input_embeddings(self) -> nn.Module:
        embeddings: nn.Module = self.encoder.get_input_embeddings()
        return embeddings

    def forward(self, input_ids: Tensor, attention_mask: Tensor) -> Logits:
        hidden = self.encoder(input_ids=input_ids, attention_mask=attention_mask).last_hidden_state
        logits: Tensor = self.head(pool(hidden, attention_mask) * self.width**0.5)
        return logits


def head_on_pooled(head: Head, width: int) -> Head:
    """A head fitted on plain features, made to give the same logits inside a TextClassifier."""
    made = copy.deepcopy(head)
    with torch.no_grad():
        made.mean.mul_(width**0.5)
        made.scale.mul_(width**0.5)
    return made
