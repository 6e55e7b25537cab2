"""Masked tokens are told from those around them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any, ClassVar

import torch
from torch import Tensor, nn

from tutelage.game import Player, Rule, Simultaneous
from tutelage.memory import Memory
from tutelage.methods.base import Method
from tutelage.modalities.units import Units
from tutelage.ops.checks import Range
from tutelage.tasks import Task
from tutelage.types import Batch, Logits, Terms

KEPT, DRAWN = 0.1, 0.1
"""Shares of the chosen tokens that stay as they are, and that become a random token; all others become the mask."""


class TokenGuesser(nn.Module):
    """A transformer that guesses tokens: logits over its vocabulary, tied to its input embeddings.

    logits = norm(W h) E^T + b, where h is a token's state and E the embeddings, which stay as they are

    Encoders of texts are saved without the head that they were pretrained with, so W, the norm and b are learnt anew: W
    begins as the identity, which disturbs the states least, and b as 0.

    Args:
        units: network whose encoder is to be trained.

    Attributes:
        units: that network.
    """

    def __init__(self, units: Units) -> None:
        super().__init__()
        self.units = units
        vocabulary, width = self._embeddings.shape
        hidden = int(units.encoder.config.hidden_size)
        self.dense = nn.Linear(hidden, width, bias=False)
        nn.init.eye_(self.dense.weight)
        self.norm = nn.LayerNorm(width)
        self.bias = nn.Parameter(torch.zeros(vocabulary))

    @property
    def _embeddings(self) -> Tensor:
        weight: Tensor = self.units.encoder.get_input_embeddings().weight
        return weight

    def forward(self, input_ids: Tensor, attention_mask: Tensor, chosen: Tensor) -> Logits:
        """Logits of the chosen tokens, (count of them, vocabulary).

        Args:
            input_ids: token ids, (n, t), with the chosen ones replaced.
            attention_mask: 1 for a token, 0 for padding, (n, t).
            chosen: mask of the tokens to guess, (n, t).
        """
        states = self.units.states(input_ids, attention_mask)[chosen]
        logits: Tensor = self.norm(self.dense(states)) @ self._embeddings.T + self.bias
        return logits


@dataclass(frozen=True)
class MaskedTokens(Method):
    """The encoder learns from texts without labels to guess tokens that are hidden from it.

    L = mean over chosen tokens of CE(token, `TokenGuesser`); 0 where no token is chosen

    Each token that is not special is chosen with probability ``rate``. Of the chosen ones 80 % become the mask, 10 % a
    random token, and 10 % stay. The draws are those of torch's generator, so a resumed training draws the same. The
    network gives no classes, so this method is none of `METHODS`.

    Args:
        rate: share of the tokens that is chosen, in [0, 1].
        mask: token id of the mask.
        special: token ids that are never chosen, such as the padding.

    Source: Devlin et al., BERT, NAACL 2019, section 3.1.
    """

    name: ClassVar[str] = "mlm"
    rate: Annotated[float, Range(0, 1)] = 0.15
    mask: int = 0
    special: tuple[int, ...] = ()

    @property
    def rule(self) -> Rule:
        return Simultaneous(("student",))

    def loss(self, who: str, batch: Batch, play: Mapping[str, Player], task: Task, memory: Memory) -> Terms:
        inputs: Any = batch.unlabelled["weak"]
        guesser: Any = play["student"].module
        ids, attention = inputs["input_ids"], inputs["attention_mask"]
        hidden, chosen = self.hide(ids, attention, len(guesser.bias))
        logits = play["student"]({"input_ids": hidden, "attention_mask": attention, "chosen": chosen})
        errors = nn.functional.cross_entropy(logits, ids[chosen], reduction="sum")
        return Terms({"masked": errors / chosen.sum().clamp(min=1)})

    def hide(self, ids: Tensor, attention: Tensor, vocabulary: int) -> tuple[Tensor, Tensor]:
        """Token ids after the chosen ones were replaced, and the mask of these, both (n, t).

        Args:
            ids: token ids, (n, t).
            attention: 1 for a token, 0 for padding, (n, t).
            vocabulary: number of different tokens.
        """
        plain = attention.bool() & ~torch.isin(ids, torch.tensor(self.special, device=ids.device, dtype=ids.dtype))
        draw = torch.rand(ids.shape, device=ids.device)
        chosen = plain & (draw < self.rate)
        fate = torch.rand(ids.shape, device=ids.device)
        random = torch.randint(vocabulary, ids.shape, device=ids.device)
        replaced = torch.where(fate < KEPT, ids, torch.where(fate < KEPT + DRAWN, random, self.mask))
        return torch.where(chosen, replaced, ids), chosen
