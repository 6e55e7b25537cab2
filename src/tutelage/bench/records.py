"""Records of methods, made from recorded lines: priors for the evidence of a fit, and gains for "auto"."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from tutelage.bench.learners import kind_of
from tutelage.bench.protocol import ESTIMATORS, Protocol
from tutelage.bench.running import PEER, Row
from tutelage.fit.auto import Auto
from tutelage.fit.evidence import Prior
from tutelage.methods import METHODS

BASELINE = "labels only"

LEAST_DATA_SETS = 2
"""With fewer data sets of a kind nothing is recorded of a method: its prior is the neutral one."""

IMAGINED = 3
"""Data sets, as far apart as the neutral prior says, that are added to those which the spread is estimated from."""

Record = dict[str, Any]
"""Of one draw of labels: the data set, the kind, and the gain of each method."""


def comparable(protocol: Protocol) -> dict[tuple[str, str], str]:
    """The kind of each column in which "labels only" is what the evidence of a fit compares with.

    After weak labels it is not: there the evidence compares with a model of the few clean labels, of which a protocol
    has none. Nor is it where labels are noisy, since a fit cannot know how many of its labels are wrong; and where the
    gold labels of weakly labelled items are learnt, all items but few are labelled.
    """
    clean = ((d, s) for d, s in protocol.cells() if not s.weak and not s.gold and s.noise is None)
    return {(d.name, s.name): kind_of(d, s, protocol.steps) for d, s in clean}


def _draws(protocol: Protocol, rows: Sequence[Row]) -> Iterable[tuple[str, str, str, pd.Series]]:
    """Data set, setting and kind of each draw of labels, and what each method gained over the labels alone."""
    kinds = comparable(protocol)
    done = pd.DataFrame([r for r in rows if "error" not in r], columns=["data", "setting", "seed", "method", "score"])
    for (data, setting, _), draw in done.groupby(["data", "setting", "seed"]):
        scores = draw.drop_duplicates("method", keep="last").set_index("method").score
        kind = kinds.get((str(data), str(setting)))
        if kind is not None and BASELINE in scores:
            yield str(data), str(setting), kind, scores - scores[BASELINE]


def changes(protocol: Protocol, rows: Sequence[Row]) -> pd.DataFrame:
    """What each fit changed: kind, method, data, setting, change; of methods with their default hyper-parameters."""
    own = [m for m in protocol.methods if m in METHODS or m == Auto.name]
    found = [
        (kind, method, data, setting, float(gained[method]))
        for data, setting, kind, gained in _draws(protocol, rows)
        for method in own
        if method in gained and method not in protocol.grid
    ]
    return pd.DataFrame(found, columns=["kind", "method", "data", "setting", "change"])


def changes_before(path: Path) -> pd.DataFrame:
    """The same of texts by the frozen encoder, recorded before there were protocols: one JSON line a fit."""
    found = pd.read_json(path, lines=True)
    settings = found.labels_a_class.astype(str) + " labels"
    return pd.DataFrame(
        {
            "kind": "texts", "method": found.method, "data": found.data, "setting": settings,
            "change": found.candidate - found.reference,
        }
    )  # fmt: skip


def prior(found: pd.DataFrame) -> Prior:
    """What to expect of one method on a new data set of one kind.

    Each data set weighs the same, and in it each setting. The variance is that between data sets plus that of the fits
    within one, where IMAGINED data sets of the neutral prior are added; the mean is drawn towards 0 as if methods'
    means were spread like the neutral prior. What is left unknown of the mean widens the spread. ``runs`` counts data
    sets, since fits of one share its texts or images.

    >>> rows = pd.DataFrame({"data": ["a", "a", "b", "c"], "setting": "10 labels", "change": [0.03, 0.05, 0.02, 0.06]})
    >>> prior(rows)
    Prior(mean=0.0327, spread=0.0461, surprise=0.2, surprise_spread=0.25, runs=3)
    """
    neutral = Prior()
    by_set = found.groupby(["data", "setting"]).change.mean().groupby("data").mean()
    sets = len(by_set)
    if sets < LEAST_DATA_SETS:
        return neutral
    apart = (found.change - found.data.map(by_set)) ** 2
    within = apart.groupby([found.data, found.setting]).mean().groupby("data").mean().mean()
    variance = float(by_set.var()) + float(within)
    variance = (IMAGINED * neutral.spread**2 + (sets - 1) * variance) / (IMAGINED + sets - 1)
    of_mean = variance / sets
    kept = neutral.spread**2 / (neutral.spread**2 + of_mean)
    spread = math.sqrt(variance + kept * of_mean)
    return Prior(mean=round(kept * float(by_set.mean()), 4), spread=round(spread, 4), runs=sets)


def priors(found: pd.DataFrame) -> dict[str, dict[str, dict[str, Any]]]:
    """By kind and method, the prior of each that has enough data sets, as plain values."""
    made: dict[str, dict[str, dict[str, Any]]] = {}
    for (kind, method), own in found.groupby(["kind", "method"]):
        if (p := prior(own)).runs:
            made.setdefault(str(kind), {})[str(method)] = vars(p)
    return made


def gains(protocol: Protocol, rows: Sequence[Row]) -> list[Record]:
    """Of each draw of labels, what each method and variant gained over the labels alone."""
    tried = {*protocol.methods, *(v.name for v in protocol.variants)} - {*ESTIMATORS}
    return [
        {"data": data, "kind": kind, "gains": {m: round(float(g), 4) for m, g in gained.items() if m in tried}}
        for data, _, kind, gained in _draws(protocol, [r for r in rows if PEER not in r["method"]])
    ]


def write(
    recorded: Sequence[tuple[Protocol, Sequence[Row]]], before: Path | None, folder: Path, renew: bool = False
) -> tuple[int, int]:
    """Write priors.json, and add to gains.json the data sets that are not in it yet.

    Args:
        recorded: protocols with their current lines.
        before: lines recorded before there were protocols, see `changes_before`.
        renew: make the gains of all data sets anew. What "auto" knows then changes, and its lines no longer count.

    Returns:
        The number of priors, and of draws of labels that gains are recorded of.
    """
    found = [changes(p, rows) for p, rows in recorded] + ([changes_before(before)] if before else [])
    made = priors(pd.concat(found, ignore_index=True))
    (folder / "priors.json").write_text(json.dumps(made, indent=1) + "\n", encoding="utf-8")
    path = folder / "gains.json"
    kept: list[Record] = json.loads(path.read_text(encoding="utf-8")) if path.exists() and not renew else []
    there = {(r["data"], r["kind"]) for r in kept}
    draws = [r for p, rows in recorded for r in gains(p, rows) if (r["data"], r["kind"]) not in there]
    path.write_text("[" + ",\n ".join(json.dumps(r) for r in [*kept, *draws]) + "]\n", encoding="utf-8")
    return sum(len(of_kind) for of_kind in made.values()), len(kept) + len(draws)
