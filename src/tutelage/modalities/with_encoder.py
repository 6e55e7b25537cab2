"""What the readers of texts and of sentences have in common: a transformer, frozen or trained whole."""

from __future__ import annotations

import copy
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, ClassVar, Self

import torch
from torch import nn

from tutelage.data import Examples
from tutelage.data.marks import learnt, marks
from tutelage.data.view_loader import Augmentation
from tutelage.files import BadFileError
from tutelage.modalities import graphs
from tutelage.modalities.base import HowRead, cannot_be_saved
from tutelage.modalities.cache import Caches
from tutelage.modalities.encoder import (
    Encoder,
    load_architecture,
    load_encoder,
    save_architecture,
    save_encoder,
)  # fmt: skip
from tutelage.modalities.fingerprint import placed
from tutelage.modalities.head import Head
from tutelage.modalities.known import how_read
from tutelage.modalities.precision import INT8, NAMES
from tutelage.modalities.units import Units
from tutelage.types import Params


@dataclass(frozen=True)
class WithEncoder:
    """Base class of the readers of texts and of sentences, which use a transformer, frozen or trained whole.

    Attributes:
        encoder: transformer with its tokenizer.
        caches: feature caches that were opened.
        whole: class of the network that trains the encoder, too.
        unheaded: class of the network that trains the encoder alone.
    """

    encoder: Encoder
    caches: Caches = field(default_factory=Caches, repr=False, compare=False)
    adapts: ClassVar[bool] = True
    whole: ClassVar[type[nn.Module]]
    unheaded: ClassVar[type[Units]]

    def examples(self, items: Sequence[Any], device: torch.device | str = "cpu") -> Examples:
        """Token ids of the items."""
        raise NotImplementedError

    @property
    def device(self) -> torch.device:
        """Device of the encoder."""
        found: torch.device = next(self.encoder.model.parameters()).device
        return found

    @property
    def precision(self) -> str:
        """Name of the precision that was asked for, in which the frozen encoder computes; empty where none was."""
        return self.encoder.precision

    @property
    def top(self) -> int | None:
        """Number of layers below the states that are the features; None is all, with what follows the last."""
        return None

    def units(self, fast: bool = False, dropout: bool = True) -> Units:
        """Network whose outputs are the units' features: a copy of the encoder to be trained without a head.

        Args:
            fast: whether matrices are multiplied in bfloat16.
            dropout: whether the transformer's dropout is on in training.
        """
        return self.unheaded(copy.deepcopy(self.encoder.model), self.top, fast, dropout)

    def seen(self, items: Sequence[Any]) -> int:
        """Number of items whose labels the encoder was adapted to: their held-out scores would flatter."""
        return int(learnt(items, self.encoder.seen).sum())

    def with_weights(self, weights: Params, adapted: str, seen: Iterable[Any] = ()) -> Self:
        """Reader whose encoder is a copy of this one's with other weights. This reader stays as it is.

        Args:
            weights: the weights that differ, by their names in the encoder.
            adapted: how they were trained, see `Encoder`.
            seen: items whose labels they learnt.
        """
        before = self.encoder.model
        still = {id(p): p for name, p in before.named_parameters() if name not in weights}
        model = copy.deepcopy(before, still)  # weights that stay are shared: a fit holds an encoder for each fold
        own = dict(model.named_parameters())
        with torch.no_grad():
            for name, value in weights.items():
                own[name].copy_(value)
        return type(self)(
            replace(self.encoder, model=model.eval(), adapted=adapted, seen=self.encoder.seen | marks(seen))
        )

    @property
    def says(self) -> str:
        """Name of the encoder, and whether it was adapted."""
        return f"{self.encoder.name}, adapted" if self.encoder.adapted else self.encoder.name

    def views(self, names: Collection[str]) -> Mapping[str, Augmentation]:
        return {}

    def fitted(self, items: Sequence[Any]) -> Self:
        return self

    def reads(self, items: Sequence[Any]) -> HowRead | None:
        return how_read(self.encoder, items)

    def to(self, device: torch.device | str) -> Self:
        self.encoder.model.to(device)
        return self

    def about(self, network: nn.Module, folder: Path) -> dict[str, Any]:
        encoder, frozen = self.encoder, isinstance(network, Head)
        if not frozen and not isinstance(network, self.whole):
            raise cannot_be_saved(network)
        if not frozen:
            save_architecture(encoder, folder / "encoder")
        elif encoder.adapted:
            save_encoder(encoder, folder / "encoder")
        return {
            "encoder": placed(encoder.name), "max_length": encoder.max_length, "vocabulary": len(encoder.tokenizer),
            "fingerprint": encoder.fingerprint if frozen else None, "layer": int(getattr(network, "layer", -1)),
            "adapted": encoder.adapted if frozen else "",
        } | ({"precision": encoder.precision} if frozen and encoder.precision else {})  # fmt: skip

    @classmethod
    def restored(cls, about: dict[str, Any], folder: Path) -> Self:
        name, length, fingerprint = about["encoder"], about["max_length"], about["fingerprint"]
        whole = load_architecture(folder / "encoder", length) if fingerprint is None else None
        encoder = whole or load_encoder(str(folder / "encoder") if about.get("adapted") else name, length)
        if len(encoder.tokenizer) != about["vocabulary"]:
            raise BadFileError(f"{folder}: the tokenizer is not the one this model was trained with")
        if fingerprint not in (None, encoder.fingerprint, encoder.earlier_fingerprint):
            raise BadFileError(f"{folder}: the encoder {name!r} is not the one this model was trained with")
        precision = about.get("precision", "")
        if precision not in ("", *NAMES, INT8):
            raise BadFileError(f"{folder}: the encoder computes in {precision!r}, which this version does not know")
        if precision == INT8:
            graphs.require(f"{folder}, fitted with --precision int8,")
        return cls(replace(encoder, precision=precision))
