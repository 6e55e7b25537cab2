"""Stacks of a cohort: players, what is remembered, and batches, whose tensors have a dimension of members, (k, ...)."""

from __future__ import annotations

import copy
from collections.abc import Sequence
from dataclasses import replace
from typing import Protocol, runtime_checkable

import torch
from torch import Tensor

from tutelage.game import Equipped, Player, Seats
from tutelage.ops.layers import for_cohort
from tutelage.types import Batch, Params, Views


@runtime_checkable
class Standardises(Protocol):
    """A network that standardises its rows, and takes rows that are standardised already, as `Head` does.

    Attributes:
        mean, scale: centre and scale of the rows, (d,).
        standardised: whether the rows that it is given are standardised already, by `standardise_`.
    """

    mean: Tensor
    scale: Tensor
    standardised: bool

    def standardise_(self, x: Tensor) -> Tensor:
        """Standardise rows, (..., d), in place."""


def stacked_player(players: Sequence[Player]) -> Player:
    """A player of the stacked parameters of several; theirs become views of the stacks."""
    first, stacks = Player(for_cohort(copy.deepcopy(players[0].module))), {}
    for name, p in first.params.items():
        stack = torch.stack([player.params[name].detach() for player in players])
        for player, part in zip(players, stack, strict=True):
            player.params[name].data = part
        stacks[name] = stack.requires_grad_(p.requires_grad)
    return first.seat(stacks)


def stack(tensors: Sequence[Tensor]) -> Tensor:
    """Tensors stacked, (k, ...); of labelled units, of which members have different numbers, filled up with 0."""
    if not tensors[0].ndim:
        return torch.stack(list(tensors))
    return torch.nn.utils.rnn.pad_sequence(list(tensors), batch_first=True)


def leave_standardising(seats: Seats) -> None:
    """Let networks take rows that are standardised already, see `standardise`, where all players do so alike."""
    networks = [_standardises(player) for player in seats.values()]
    alike = [n for n in networks if n is not None and _alike(n, networks[0])]
    for network in alike if len(alike) == len(networks) else ():
        network.standardised = True


def standardise(batch: Batch, seats: Seats) -> None:
    """Standardise the rows of a batch in place, once for all passes of all players, where these leave it.

    Args:
        batch: batch whose rows are nobody else's.
        seats: players after `leave_standardising`.
    """
    network = _standardises(next(iter(seats.values())))
    if network is not None and network.standardised:
        for views in (batch.labelled, batch.unlabelled, batch.reserved):
            for rows in views.at.values():
                if isinstance(rows, Tensor):
                    network.standardise_(rows)


def _standardises(player: Player) -> Standardises | None:
    """The network of a player, without what a method brings, where it standardises its rows."""
    network = player.module.body if isinstance(player.module, Equipped) else player.module
    return network if isinstance(network, Standardises) else None


def _alike(one: Standardises, other: Standardises | None) -> bool:
    return other is not None and torch.equal(one.mean, other.mean) and torch.equal(one.scale, other.scale)


def tensors_of(batch: Batch) -> Params:
    """The tensors of a batch by name."""
    found = {"target": batch.target, "reserved_target": batch.reserved_target}
    for part in ("labelled", "unlabelled", "reserved"):
        views: Views = getattr(batch, part)
        at = {f"{part}.at.{n}": t for n, t in views.at.items() if isinstance(t, Tensor)}
        found |= {f"{part}.index": views.index} | at
    return found


def with_tensors(batch: Batch, tensors: Params) -> Batch:
    """The batch with other tensors, by the names of `tensors_of`."""
    views = {
        part: replace(
            getattr(batch, part), index=tensors[f"{part}.index"],
            at={n: tensors[f"{part}.at.{n}"] for n in getattr(batch, part).at},
        )
        for part in ("labelled", "unlabelled", "reserved")
    }  # fmt: skip
    return replace(batch, target=tensors["target"], reserved_target=tensors["reserved_target"], **views)
