"""Numbers that change over a round, as functions of the share of it that is done."""

from __future__ import annotations

import math


def cosine_decay(progress: float) -> float:
    """From 1 to 0 along half a cosine: ``(1 + cos(pi * progress)) / 2``.

    >>> [round(cosine_decay(t), 3) for t in (0, 0.5, 1)]
    [1.0, 0.5, 0.0]
    """
    return (1 + math.cos(math.pi * progress)) / 2


def sigmoid_ramp(progress: float, length: float) -> float:
    """``exp(-5 (1 - progress / length) ** 2)`` up to ``length``, then 1; 1 at once for length 0.

    Source: Laine and Aila, temporal ensembling, ICLR 2017; Tarvainen and Valpola, 2017.

    >>> [round(sigmoid_ramp(t, 0.5), 4) for t in (0, 0.25, 0.5, 1)]
    [0.0067, 0.2865, 1.0, 1.0]
    """
    if progress >= length:
        return 1.0
    return math.exp(-5 * (1 - progress / length) ** 2)


def linear_ramp(progress: float, length: float) -> float:
    """``progress / length`` up to ``length``, then 1; 1 at once for length 0.

    Source: Berthelot et al., MixMatch, NeurIPS 2019, Section 3.5.

    >>> [linear_ramp(t, 0.5) for t in (0, 0.25, 0.5, 1)]
    [0.0, 0.5, 1.0, 1.0]
    """
    return progress / length if progress < length else 1.0


def signal_annealing(progress: float, classes: int, kind: str) -> float:
    """Level of p(y) above which a label is left out: ``g (1 - 1/C) + 1/C``; 1 for kind "none".

    ``g = t`` for "linear", ``1 - exp(-5 t)`` for "log", ``exp(5 (t - 1))`` for "exp", t the progress in [0, 1].

    Source: Xie et al., UDA, NeurIPS 2020, Section 3.2 of the preprint.

    >>> [round(signal_annealing(t, 2, "linear"), 2) for t in (0, 0.5, 1)]
    [0.5, 0.75, 1.0]
    """
    if kind == "none":
        return 1.0
    shapes = {"linear": progress, "log": 1 - math.exp(-5 * progress), "exp": math.exp(5 * (progress - 1))}
    return shapes[kind] * (1 - 1 / classes) + 1 / classes
