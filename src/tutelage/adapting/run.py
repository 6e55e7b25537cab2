"""An encoder is adapted: trained on items of the user's own, so that the frozen features of the result serve better."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self, TypeVar

import numpy as np
import torch
from torch import nn

from tutelage.adapting.batches import ClassLoader
from tutelage.adapting.contrastive import Contrastive
from tutelage.adapting.how import Adapting
from tutelage.adapting.mlm import MaskedTokens, TokenGuesser
from tutelage.adapting.simcse import SimCse
from tutelage.data import Loader, Tokens
from tutelage.methods import Method
from tutelage.modalities.units import Units, layers_of
from tutelage.modalities.with_encoder import WithEncoder
from tutelage.ops import points
from tutelage.tasks import ACCURACY, Task
from tutelage.train import Run, Training, time_a_step
from tutelage.train.by_all import train_by_all
from tutelage.types import Params, Tick

R = TypeVar("R", bound=WithEncoder)

CHECKPOINT_SECONDS = 30.0
"""Seconds between two checkpoints of an unfinished adaptation."""

SHARE_FROZEN = 3
"""One layer in so many stays as it is, the lowest ones, unless a number is given."""


def adapted(
    reader: R, items: Sequence[Any], y: np.ndarray | None, task: Task | None, how: Adapting, *, seed: int = 0,
    path: Path | None = None, tick: Tick | None = None,
) -> R:  # fmt: skip
    """A reader whose encoder was trained on items. The given reader and its encoder stay as they are.

    Args:
        reader: reader of the items, with the encoder to begin from.
        items: texts, or sentences.
        y: class number of every unit of the items, (units,); -1 is unknown. None where no labels are learnt.
        task: task of the labels; None where none are learnt.
        how: how it is trained.
        seed: seed of the batches and of dropout, at least 0.
        path: checkpoint file; the training goes on from it where it exists.
        tick: called with the progress.

    Raises:
        ValueError: there is nothing to learn from these items, or the encoder cannot be trained so.
    """
    if how.steps == 0:
        return reader
    parts = Parts.of(reader, items, y, task, how, seed)
    return kept(reader, parts.trained(path, tick), parts.how, items if how.labelled else ())


def kept(reader: R, weights: Params, how: Adapting, seen: Sequence[Any]) -> R:
    """A reader with weights that `learnt` gave; the reader itself where there are none, as after 0 steps.

    Args:
        reader: the reader that was given to `learnt`.
        weights: weights by their names in the encoder.
        how: how they were trained.
        seen: items whose labels were learnt.
    """
    before = reader.encoder.adapted
    said = f"{before}; {how.said}" if before else how.said
    return reader.with_weights(weights, said, seen) if weights else reader


def learnt(
    reader: WithEncoder, items: Sequence[Any], y: np.ndarray | None, task: Task | None, how: Adapting, *,
    seed: int = 0, path: Path | None = None, tick: Tick | None = None, name: str = "adapting",
) -> Params:  # fmt: skip
    """The weights that `adapted` trains, by their names in the encoder, to be stored; `kept` makes a reader of them.

    The arguments and errors are those of `adapted`; ``name`` is that of the training, by which its points are told.
    """
    return {} if how.steps == 0 else Parts.of(reader, items, y, task, how, seed).trained(path, tick, name)


def seconds(
    reader: WithEncoder, items: Sequence[Any], y: np.ndarray | None, task: Task | None, how: Adapting
) -> float:  # fmt: skip
    """Estimate of the seconds that `adapted` takes with these arguments, timed on a few steps."""
    if how.steps == 0:
        return 0.0
    parts = Parts.of(reader, items, y, task, how, 0)
    return parts.training.steps * time_a_step(parts.method, parts.task, parts.network, parts.loader, parts.training)


@dataclass(frozen=True)
class Parts:
    """What a training of an encoder is made of, as `train` takes it.

    Attributes:
        method: the loss.
        task: the task of the labels.
        network: function that makes the network to train.
        loader: loader of the batches.
        training: steps, learning rate and seed.
        how: how the encoder is adapted, with its number of steps.
    """

    method: Method
    task: Task
    network: Callable[[int], nn.Module]
    loader: Loader
    training: Training
    how: Adapting

    @classmethod
    def of(
        cls, reader: WithEncoder, items: Sequence[Any], y: np.ndarray | None, task: Task | None, how: Adapting,
        seed: int,
    ) -> Self:  # fmt: skip
        """The parts for these items; see `adapted` for the arguments and errors."""
        require_different(items)
        make = _labelled if how.labelled else _unlabelled
        loader = make(reader, items, y, how, seed)
        how = how.settled(len(loader.labelled))
        assert how.steps is not None
        training = Training(steps=how.steps, lr=how.lr, seed=seed, checkpoint_every=CHECKPOINT_SECONDS)
        method, network = _WAYS[how.by](reader, how)
        return cls(method, task or ACCURACY, network, loader, training, how)

    def trained(self, path: Path | None = None, tick: Tick | None = None, name: str = "adapting") -> Params:
        """The trained weights, by their names in the encoder; see `learnt` for the arguments."""
        ticked = (lambda done: tick("adapting", done, self.training.steps)) if tick else None

        def watch(run: Run) -> dict[str, float]:
            points.tell(name, run.history)
            return {}

        run = train_by_all(
            self.method, self.task, self.network, self.loader, self.training, path=path, tick=ticked, watch=watch
        )
        points.tell(name, run.history, done=True)
        trained = units_of(run.seats["student"].module).encoder.named_parameters()
        return {name: p.detach() for name, p in trained if p.requires_grad}


def require_different(items: Sequence[Any]) -> None:
    """Check that there are two different items.

    Raises:
        ValueError: there are not.
    """
    if len({item if isinstance(item, str) else tuple(item) for item in items}) < 2:
        alike = f"all {len(items)} are alike" if len(items) else "there are none"
        raise ValueError(f"an encoder is adapted to items that differ, but {alike}")


def _labelled(reader: WithEncoder, items: Sequence[Any], y: np.ndarray | None, how: Adapting, seed: int) -> Loader:
    """Loader of the items that have a label."""
    if y is None:
        raise ValueError("contrastive needs labels; without any, adapt by simcse or mlm")
    device = reader.device
    examples = reader.examples(items, device)
    known = [bool((y[examples.units(np.array([i]))] >= 0).any()) for i in range(len(examples))]
    i = np.flatnonzero(known)
    target = torch.as_tensor(y[examples.units(i)], dtype=torch.int64, device=device)
    if len(np.unique(target[target >= 0].cpu())) < 2:
        raise ValueError("contrastive needs labels of at least two classes; else adapt by simcse or mlm")
    return ClassLoader(examples.subset(i), target, Tokens([]), how.batch, 0, seed)


def _unlabelled(reader: WithEncoder, items: Sequence[Any], y: np.ndarray | None, how: Adapting, seed: int) -> Loader:
    """Loader of all items, without their labels."""
    device = reader.device
    none = torch.empty(0, dtype=torch.int64, device=device)
    return Loader(Tokens([]), none, reader.examples(items, device), 0, how.batch, seed)


def _contrastive(reader: WithEncoder, how: Adapting) -> tuple[Method, Callable[[int], nn.Module]]:
    return Contrastive(), lambda _: frozen_below(
        reader.units(how.in_bfloat16(reader.device), dropout=False), how.frozen_layers
    )


def _simcse(reader: WithEncoder, how: Adapting) -> tuple[Method, Callable[[int], nn.Module]]:
    if reader.top is not None:
        raise ValueError("simcse tells whole texts apart, not words; adapt to sentences by contrastive or mlm")
    if not any(isinstance(m, nn.Dropout) and m.p > 0 for m in reader.encoder.model.modules()):
        raise ValueError(f"simcse needs dropout, but encoder {reader.encoder.name!r} has none; adapt by mlm")
    return SimCse(), lambda _: frozen_below(reader.units(how.in_bfloat16(reader.device)), how.frozen_layers)


def _mlm(reader: WithEncoder, how: Adapting) -> tuple[Method, Callable[[int], nn.Module]]:
    tokenizer = reader.encoder.tokenizer
    if tokenizer.mask_token_id is None:
        raise ValueError(f"mlm needs a mask token, but encoder {reader.encoder.name!r} has none; adapt by simcse")
    method = MaskedTokens(mask=tokenizer.mask_token_id, special=tuple(tokenizer.all_special_ids))
    return method, lambda _: TokenGuesser(frozen_below(reader.units(how.in_bfloat16(reader.device)), how.frozen_layers))


_WAYS = {"contrastive": _contrastive, "simcse": _simcse, "mlm": _mlm}


def units_of(network: nn.Module) -> Units:
    """The encoder, without a head, of a network that was trained."""
    return next(m for m in network.modules() if isinstance(m, Units))


def frozen_below(units: Units, count: int | None) -> Units:
    """The network after all but its layers was frozen, and the lowest ``count`` of these.

    Args:
        units: network whose encoder is to be trained.
        count: number of frozen layers, at least 0; None is a third of them, rounded down.

    Raises:
        ValueError: no layer is left to be trained.
    """
    layers = layers_of(units.encoder)
    count = len(layers or ()) // SHARE_FROZEN if count is None else count
    if layers is None or count >= len(layers):
        raise ValueError(f"frozen_layers must be below {len(layers or [])}, the number of layers, got {count}")
    units.encoder.requires_grad_(False)
    for layer in layers[count:]:
        layer.requires_grad_(True)
    return units
