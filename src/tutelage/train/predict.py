"""What a network says of examples."""

from __future__ import annotations

from collections.abc import Iterator

import torch
from torch import nn

from tutelage.data import Examples
from tutelage.data.examples import cut
from tutelage.game import Player
from tutelage.tasks import Task
from tutelage.types import Labels, Logits

UNITS_A_BATCH = 16384
"""Padded tokens (or rows of features) that a network predicts at once."""


def predictions(network: nn.Module, task: Task, examples: Examples) -> Iterator[tuple[Labels, Logits]]:
    """Numbers of units and their logits, (n,) and (n, c), a batch at a time: dropout off, a length together."""
    was_training = network.training
    network.eval()
    player, lengths = Player(network), examples.lengths()
    order = lengths.argsort(kind="stable")
    for part in cut(lengths[order], UNITS_A_BATCH):
        with torch.inference_mode():
            logits = task.units(player(examples.take(order[part])))
        yield torch.as_tensor(examples.units(order[part]), device=logits.device), logits
    network.train(was_training)


def predict(network: nn.Module, task: Task, examples: Examples) -> Logits:
    """Logits of all examples' units, (units, c), in the order of their numbers; dropout off."""
    parts = list(predictions(network, task, examples))
    if not parts:
        return torch.empty(0, task.classes)
    with torch.inference_mode():
        units, logits = (torch.cat(t) for t in zip(*parts, strict=True))
        return logits[units.argsort()]
