"""The choice of the encoder by the labels: each is tried frozen, with the labels-only model, on the same folds."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from tutelage.data.columns import evenly
from tutelage.fit.build import FITTED_ON, Items, blanks, rows_of
from tutelage.fit.held_out import FoldPredictions, Folds, HeldOut, choose
from tutelage.fit.labels_only import Probe
from tutelage.fit.problem import Plan, folds_of
from tutelage.fit.recorded import Records, error_of
from tutelage.fit.rivals import expected
from tutelage.modalities.base import Encodes, features
from tutelage.ops.durations import duration
from tutelage.types import Say, Tick

WORTH = 0.01
"""Gain of the score that makes a slower encoder worth its time, as a share of 1."""

MUCH = 3.0
"""Factor of the time from which on a gain must be worth it."""

TIMED = 66
"""Items, at most, that are encoded to estimate the time of an encoder."""


@dataclass(frozen=True)
class TriedEncoder:
    """An encoder that was tried.

    Attributes:
        name: name of the encoder for people.
        score: held-out score of the labels-only model on its features, in [0, 1].
        gain: expected gain over the first encoder after the folds, as a share of 1.
        spread: standard deviation of that gain.
        seconds: seconds that it takes for the items of this fit.
        million: seconds that it takes for a million of such items.
        chosen: whether it is taken.
    """

    name: str
    score: float
    gain: float
    spread: float
    seconds: float
    million: float
    chosen: bool = False

    def as_dict(self) -> dict[str, Any]:
        """Plain values for a summary, without times, so that the same fit has the same summary."""
        return {k: v for k, v in asdict(self).items() if k not in ("seconds", "million")}


def try_encoders(
    readers: Sequence[Encodes], items: Items, plan: Plan, seed: int, cache: Path | None, records: Records,
    say: Say, tick: Tick | None = None,
) -> list[TriedEncoder]:  # fmt: skip
    """What is seen of the encoder of each reader, of which one is chosen: the one that is expected to be the best.

    Only the labelled items are encoded. Held-out scores of the labels-only model are weighed against what each encoder
    was worth on recorded data. An encoder that takes more than `MUCH` times as long is taken only where it is expected
    to gain `WORTH`.

    Args:
        readers: readers, of which the first is the usual one.
        items: items of the fit; there are two labels of each class that has any.
        plan: plan of the folds.
        seed: seed of the folds.
        cache: folder of the feature cache; None keeps nothing.
        records: records of benchmarks.
        say: called with what each encoder costs.
        tick: called with the progress.
    """
    count = len(items.labelled) + len(items.pool)
    fitted = [reader.fitted([*items.labelled, *evenly(items.pool, FITTED_ON)]) for reader in readers]
    each = [seconds_each(reader, items) for reader in fitted]
    for reader, seconds in zip(fitted, each, strict=True):
        say(
            f"Encoder {reader.says}: about {duration(seconds * count)} for these {count} items, "
            f"{duration(seconds * 1e6)} for a million."
        )
    folds = folds_of(items.y, np.ones(len(items.y), dtype=np.int64), plan, seed, items.grouped)
    held = [labels_only(reader, items, folds, cache, tick) for reader in fitted]
    a_class = items.labels / len(np.unique(items.y))
    gains = expected([records.nearest("encoders.json", r.says.replace(" ", ""), a_class) for r in readers[1:]])
    change = np.stack([h.right - held[0].right for h in held[1:]], axis=1)
    mean, covariance = gains.posterior(change.mean(0), error_of(change), np.arange(len(held) - 1))
    gain = np.append(0.0, mean)
    cost = np.array([WORTH if s > MUCH * each[0] else 0.0 for s in each])
    best = int((gain - cost).argmax())
    return [
        TriedEncoder(r.says, float(h.right.mean()), float(g), float(s), t * count, t * 1e6, i == best)
        for i, (r, h, g, s, t) in enumerate(
            zip(fitted, held, gain, np.append(0.0, np.sqrt(np.diag(covariance))), each, strict=True)
        )
    ]


def in_words(tried: Sequence[TriedEncoder]) -> str:
    """Sentences on the choice among encoders that were tried."""
    scores = ", ".join(f"{t.name} {100 * t.score:.0f} %" for t in tried)
    chosen = next(t for t in tried if t.chosen)
    line = f"Held-out labels by encoder, labels only: {scores}. By these and by recorded gains, taken: {chosen.name}."
    other = max(tried, key=lambda t: t.gain)
    if not other.chosen:
        line += (
            f" {other.name} is expected to be better by {100 * (other.gain - chosen.gain):.1f} points only, which is "
            f"not worth {other.million / max(chosen.million, 1e-9):.0f} times the time; --encoder still takes it."
        )
    return line


def seconds_each(reader: Encodes, items: Items) -> float:
    """Seconds in which a reader's encoder encodes an item, timed on some that are in no cache."""
    some = items.pool if len(items.pool) else items.labelled
    few = list(some[:: max(len(some) // TIMED, 1)][:TIMED])
    with tempfile.TemporaryDirectory() as folder:
        features(reader, few[:2], Path(folder))  # the first pass is slower than the rest
        start = time.perf_counter()
        features(reader, few[2:] or few, Path(folder))
        return (time.perf_counter() - start) / max(len(few[2:]), 1)


def labels_only(reader: Encodes, items: Items, folds: Folds, cache: Path | None, tick: Tick | None) -> HeldOut:
    """Honest held-out predictions of the labels-only model on a reader's features of the labelled items."""
    rows = rows_of(features(reader, items.labelled, cache, tick=tick)).cpu()
    each, groups = np.ones(len(items.y), dtype=np.int64), items.grouped
    weights = items.unit_weights(each)
    probe = Probe(rows.numpy(), items.y, blanks(rows, items.task.classes, reader.per_feature), weight=weights)
    tried: dict[str, FoldPredictions] = {str(c): probe.held_out(folds, c) for c in probe.choices}
    _, honest = choose(tried, items.y, weights)
    found = HeldOut.average(items.task, items.y, each, honest)
    return found if groups is None else replace(found, right=groups.mean(found.right))
