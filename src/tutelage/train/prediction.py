"""Predictions of a network on examples, a block at a time."""

from __future__ import annotations

from collections.abc import Iterator

import torch
from torch import Tensor, nn

from tutelage.data import Examples
from tutelage.data.examples import cut
from tutelage.game import Player
from tutelage.game.player import last_layer
from tutelage.tasks import Task
from tutelage.types import Labels, Logits

DROPOUTS = nn.Dropout, nn.Dropout1d, nn.Dropout2d
"""Classes of the modules that drop at random."""

UNITS_A_BATCH = 16384
"""Padded tokens, or rows of features, that a network predicts at once."""


def blocks(
    network: nn.Module, task: Task, examples: Examples, rows: bool = True, dropout: bool = False
) -> Iterator[tuple[Labels, Logits, Tensor]]:
    """Numbers of units, their logits and their last representation, a block at a time: dropout off, a length together.

    Args:
        rows: give the representation. Without it, or where the network has no last linear layer, it has no columns.
        dropout: leave dropout on, and nothing else that training does.

    Returns:
        (n,), (n, c) and (n, d) of each block.
    """
    was_training = network.training
    network.eval()
    for module in network.modules() if dropout else ():
        module.train(isinstance(module, DROPOUTS))
    player, lengths, rows = Player(network), examples.lengths(), rows and last_layer(network) is not None
    order = lengths.argsort(kind="stable")
    for part in cut(lengths[order], UNITS_A_BATCH):
        with torch.inference_mode():
            inputs = examples.take(order[part])
            out, seen = player.represent(inputs) if rows else (player(inputs), None)
            logits = task.units(out)
            seen = logits.new_empty(len(logits), 0) if seen is None else seen
        yield torch.as_tensor(examples.units(order[part]), device=logits.device), logits, seen
    network.train(was_training)


def predictions(network: nn.Module, task: Task, examples: Examples) -> Iterator[tuple[Labels, Logits]]:
    """Numbers of units and their logits, (n,) and (n, c), a block at a time, as `blocks`."""
    return ((units, logits) for units, logits, _ in blocks(network, task, examples, rows=False))


def predict(network: nn.Module, task: Task, examples: Examples) -> Logits:
    """Logits of all examples' units, (units, c), in the order of their numbers; dropout off."""
    found = torch.empty(0, task.classes)
    for number, (units, logits) in enumerate(predictions(network, task, examples)):
        with torch.inference_mode():
            if number == 0:  # all at once: small results between large inputs would keep the memory of these taken
                found = logits.new_empty(int(examples.counts().sum()), logits.shape[1])
            found[units] = logits
    return found
