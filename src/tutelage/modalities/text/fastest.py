"""The precision in which a frozen encoder of texts computes: the one that was asked for, or the fastest that is near.

A precision is timed against float32 on texts of the tokenizer's own words, once for each machine, and its features are
held against those of float32.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from tutelage.modalities import graphs
from tutelage.modalities.base import HowRead
from tutelage.modalities.encoder import Encoder
from tutelage.modalities.fingerprint import probes
from tutelage.modalities.precision import ASKED, AUTO, INT8, NAMES, once
from tutelage.modalities.text.network import TextPass
from tutelage.ops.checks import one_of

NEAR = 0.98
"""Mean of `cosines` to features in float32 from which on features in another precision stand for them."""

GAIN = 1.2
"""Times that a precision must be as fast as float32 to be taken by "auto"."""

LOOKED_AT = 32
"""Number of texts of a fit, at most, whose features are held against those in float32."""

WORDS = 40
"""Words of a text that is timed."""


@dataclass(frozen=True)
class Nearness:
    """How near features in a precision are to those in float32.

    Attributes:
        mean, worst: mean and smallest of the texts' `cosines`, in [-1, 1].
        texts: number of texts that were looked at.
    """

    mean: float
    worst: float
    texts: int

    @property
    def near(self) -> bool:
        """Whether these features stand for those in float32."""
        return self.mean >= NEAR

    def __str__(self) -> str:
        return f"cosine to float32 {self.mean:.4f} on average, {self.worst:.4f} at least, on {self.texts} texts"


def in_precision(encoder: Encoder, asked: str | None) -> Encoder:
    """The encoder, which computes frozen features in the precision that is asked for.

    Args:
        encoder: encoder with its weights.
        asked: "float32", "bfloat16", "int8", or "auto" for the fastest whose features are near those of float32;
            None leaves it as it is.

    Raises:
        ValueError: there is no such precision.
        ImportError: "int8" lacks its packages.
    """
    if asked is None:
        return encoder
    one_of("--precision", asked, ASKED)
    if asked == INT8:
        graphs.require("--precision int8")
    return replace(encoder, precision=fastest(encoder) if asked == AUTO else asked)


def fastest(encoder: Encoder) -> str:
    """Name of the fastest precision here, of those whose features are near those of float32.

    Args:
        encoder: encoder with its weights, on the device on which it will compute.
    """
    texts = samples(encoder)
    others = [name for name in (*NAMES, INT8) if name != "float32" and (name != INT8 or graphs.there())]
    gains = {name: gain(encoder, name, texts) for name in others}
    for name, times in sorted(gains.items(), key=lambda pair: -pair[1]):
        if times >= GAIN and nearness(encoder, name, texts).near:
            return name
    return "float32"


def gain(encoder: Encoder, precision: str, texts: Sequence[str]) -> float:
    """Time of features in float32 over their time in another precision, kept for each machine and encoder.

    Args:
        encoder: encoder with its weights.
        precision: name of the precision.
        texts: texts that are timed.
    """

    def measure() -> float:
        seconds: dict[str, list[float]] = {"float32": [], precision: []}
        for _ in range(3):
            for name, found in seconds.items():
                start = time.perf_counter()
                rows_in(encoder, name, texts)
                found.append(time.perf_counter() - start)
        wide, narrow = (min(found[1:]) for found in seconds.values())  # the first of each is slower than the rest
        return wide / narrow

    device = next(encoder.model.parameters()).device.type
    return once(f"{device} {encoder.fingerprint} {precision}", measure)


def nearness(encoder: Encoder, precision: str, texts: Sequence[str]) -> Nearness:
    """How near features of texts in a precision are to those in float32.

    Args:
        encoder: encoder with its weights.
        precision: name of the precision.
        texts: the texts, at least one.
    """
    cosine = cosines(rows_in(encoder, "float32", texts), rows_in(encoder, precision, texts))
    return Nearness(float(cosine.mean()), float(cosine.min()), len(texts))


def cosines(wide: np.ndarray, narrow: np.ndarray) -> np.ndarray:
    """Cosine of each row with the same row in another precision, (n,), after the mean of all rows is taken off both.

    With it the rows of encoders whose features all point one way would be near each other whatever the texts.

    Args:
        wide: features in float32, (n, d).
        narrow: the same in another precision, (n, d).

    >>> cosines(np.array([[1.0, 9.0], [-1.0, 9.0]]), np.array([[0.0, 9.0], [0.0, 9.0]])).tolist()
    [0.0, 0.0]
    """
    mean = wide.mean(0)
    if np.allclose(wide, mean, atol=1e-4):  # a single text, or equal ones
        mean = np.zeros_like(mean)
    wide, narrow = wide - mean, narrow - mean
    lengths = np.linalg.norm(wide, axis=1) * np.linalg.norm(narrow, axis=1)
    found: np.ndarray = (wide * narrow).sum(1) / np.maximum(lengths, 1e-12)
    return found


def with_nearness(found: HowRead, encoder: Encoder, texts: Sequence[str]) -> HowRead:
    """How much of texts a transformer reads, and how near its features in its precision are to those in float32.

    Args:
        found: how much of them it reads.
        encoder: encoder whose precision was asked for.
        texts: the texts, of which at most `LOOKED_AT`, evenly spaced, are looked at.
    """
    if encoder.precision == "float32":
        return found
    near = nearness(encoder, encoder.precision, texts[:: max(len(texts) // LOOKED_AT, 1)][:LOOKED_AT])
    far = "" if near.near else ", which is far: --precision float32 may answer better"
    return replace(
        found,
        says=f"{found.says} Features are computed in {encoder.precision}: {near}{far}.",
        shares=dict(found.shares) | {"cosine_to_float32": near.mean, "least_cosine_to_float32": near.worst},
    )


def rows_in(encoder: Encoder, precision: str, texts: Sequence[str]) -> np.ndarray:
    """Features of texts, (n, d), in a precision, computed anew.

    Args:
        encoder: encoder with its weights.
        precision: name of the precision.
        texts: the texts.
    """
    work = TextPass(replace(encoder, precision=precision))
    rows = np.zeros((len(texts), encoder.width), dtype=np.float32)
    for numbers, found in work.batches(texts, [work.key(text) for text in texts]):
        rows[numbers] = found
    return rows


def samples(encoder: Encoder) -> list[str]:
    """Texts of a tokenizer's own words, 32 of them: those by which tokenizers are told apart, and longer ones."""
    known = probes(encoder.tokenizer.get_vocab())
    words = " ".join(known).split()
    longer = [" ".join(words[i * 7 % len(words) :][:WORDS]) for i in range(32 - min(len(known), 16))]
    return [*known[:16], *longer]
