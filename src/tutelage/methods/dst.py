"""DST: DMT's weights with a single model, which labels the pool for itself."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Literal

from tutelage.methods.dmt import Dmt


@dataclass(frozen=True)
class Dst(Dmt):
    """`Dmt` by one model on its own labels of the last round: it goes on from round to round.

    Source: Feng et al., Semi-Supervised Semantic Segmentation via Dynamic Self-Training and Class-Balanced Curriculum,
    arXiv 2004.08514v1, 2020.

    >>> Dst().rule.movers
    ('student',)
    """

    name: ClassVar[str] = "dst"
    stackable: ClassVar[bool] = True
    partners: Literal["mutual", "chain", "self"] = "self"
    ranking: Literal["all", "class"] = "class"
