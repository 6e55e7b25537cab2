"""A transformer without a head, whose outputs are the features of units, to be trained for these."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Self

import torch
from torch import Tensor, nn

GROUPS = 4
"""Groups, at most, of a batch's rows that are passed one after another."""

ROWS_A_GROUP = 8
"""Rows of a batch that are passed together, at least."""


def layers_of(model: Any) -> nn.ModuleList | None:
    """Layers of a transformer, from the lowest on; None where it keeps them in no list of modules.

    Args:
        model: transformer of the transformers library.
    """
    found = [m for m in model.modules() if isinstance(m, nn.ModuleList)]
    return max(found, key=len) if found else None


class Units(nn.Module):
    """A transformer whose outputs are the features of units, (units, d), as the frozen encoder gives them.

    It has no head: what is trained in it are the features themselves.

    Args:
        model: transformer; layers above the one whose states are the features are taken out of it.
        top: number of layers below the states that are the features; None is all, with what follows the last.
        fast: whether matrices are multiplied in bfloat16.
        dropout: whether the transformer's dropout is on in training.
    """

    def __init__(self, model: Any, top: int | None = None, fast: bool = False, dropout: bool = True) -> None:
        super().__init__()
        self.encoder, self.top, self.fast, self.dropout = model, top, fast, dropout
        layers = layers_of(model)
        if top is not None and layers is not None:
            del layers[top:]

    def train(self, mode: bool = True) -> Self:
        """Set the network to training, or to evaluation; without dropout the transformer is always in evaluation."""
        super().train(mode)
        self.encoder.train(mode and self.dropout)
        return self

    def states(self, input_ids: Tensor, attention_mask: Tensor) -> Tensor:
        """Token states that the features are taken from, (n, t, d); those of padding mean nothing.

        On a CPU rows of similar length are passed together, `ROWS_A_GROUP` or more, so that less padding is computed.
        """
        groups = min(len(input_ids) // ROWS_A_GROUP, GROUPS) if input_ids.device.type == "cpu" else 1
        if groups < 2:
            return self._in_float(input_ids, attention_mask)
        order, found = attention_mask.sum(1).argsort(stable=True), []
        for rows in order.chunk(groups):
            mask = attention_mask[rows]
            there = mask.any(0)
            states = self._in_float(input_ids[rows][:, there], mask[:, there])
            found.append(states.new_zeros(*mask.shape, states.shape[2]).index_copy(1, there.nonzero()[:, 0], states))
        return torch.cat(found)[order.argsort()]

    def _in_float(self, input_ids: Tensor, attention_mask: Tensor) -> Tensor:
        with torch.autocast(input_ids.device.type, torch.bfloat16, enabled=self.fast):
            found = self._states({"input_ids": input_ids, "attention_mask": attention_mask})
        return found.to(next(self.encoder.parameters()).dtype)

    def _states(self, inputs: Mapping[str, Tensor]) -> Tensor:
        layers, seen = layers_of(self.encoder) if self.top is not None else None, list[Tensor]()
        if self.top is None or layers is None:
            out = self.encoder(**inputs, output_hidden_states=self.top is not None)
            states: Tensor = out.last_hidden_state if self.top is None else out.hidden_states[self.top]
            return states
        with layers[-1].register_forward_hook(lambda _, __, out: seen.append(out if torch.is_tensor(out) else out[0])):
            self.encoder(**inputs)
        return seen[-1]
