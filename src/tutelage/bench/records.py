"""Records of methods, made from lines of results: priors for the evidence of a fit, and gains for "auto"."""

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
"""Name of the learner that gains are measured against."""

LEAST_DATA_SETS = 2
"""Least number of data sets of a kind for a method's prior; with fewer, its prior is the neutral one."""

IMAGINED = 3
"""Number of imagined data sets, with the spread of the neutral prior, that the estimate of the spread counts in."""

Record = dict[str, Any]
"""Record of one draw of labels: its data set, its kind, and the gain of each method."""


def comparable(protocol: Protocol) -> dict[tuple[str, str], str]:
    """Kinds of the columns in which the gain over "labels only" is the change that the evidence of a fit is about.

    Columns after weak labels are left out: there the evidence compares with a model of a few clean labels, which a
    protocol does not have. Columns with noisy labels are left out, since a fit cannot know how many of its labels are
    wrong; and columns with the gold labels of weakly labelled items, since nearly all items have labels there.

    Returns:
        The kind by the names of the data set and of the setting.
    """
    clean = ((d, s) for d, s in protocol.cells() if not s.weak and not s.gold and s.noise is None)
    return {(d.name, s.name): kind_of(d, s, protocol.steps) for d, s in clean}


def _draws(protocol: Protocol, rows: Sequence[Row]) -> Iterable[tuple[str, str, str, pd.Series]]:
    """Data set, setting, kind, and gains of all methods over the labels alone, for each draw of labels."""
    kinds = comparable(protocol)
    done = pd.DataFrame([r for r in rows if "error" not in r], columns=["data", "setting", "seed", "method", "score"])
    for (data, setting, _), draw in done.groupby(["data", "setting", "seed"]):
        scores = draw.drop_duplicates("method", keep="last").set_index("method").score
        kind = kinds.get((str(data), str(setting)))
        if kind is not None and BASELINE in scores:
            yield str(data), str(setting), kind, scores - scores[BASELINE]


def changes(protocol: Protocol, rows: Sequence[Row]) -> pd.DataFrame:
    """Changes in the score by fits of methods with their default hyper-parameters, a row each.

    Args:
        protocol: the protocol.
        rows: its lines of results.

    Returns:
        A table with the columns "kind", "method", "data", "setting", and "change", as a share of 1.
    """
    own = [m for m in protocol.methods if m in METHODS or m == Auto.name]
    found = [
        (kind, method, data, setting, float(gained[method]))
        for data, setting, kind, gained in _draws(protocol, rows)
        for method in own
        if method in gained and method not in protocol.grid
    ]
    return pd.DataFrame(found, columns=["kind", "method", "data", "setting", "change"])


def changes_before(path: Path) -> pd.DataFrame:
    """Changes by fits of texts, as from `changes`, that were recorded before there were protocols.

    Args:
        path: file with one JSON line for each fit.
    """
    found = pd.read_json(path, lines=True)
    settings = found.labels_a_class.astype(str) + " labels"
    return pd.DataFrame(
        {
            "kind": "texts", "method": found.method, "data": found.data, "setting": settings,
            "change": found.candidate - found.reference,
        }
    )  # fmt: skip


def prior(found: pd.DataFrame) -> Prior:
    """Prior of the change by one method on a new data set of one kind.

    All data sets weigh the same, and so do all settings of a data set. The variance is the variance between data sets
    plus that of the fits within a data set; IMAGINED data sets with the spread of the neutral prior are counted in. The
    mean is shrunk towards 0, as if the means of methods were distributed like the neutral prior; its own uncertainty is
    added to the variance. ``runs`` counts data sets, since fits on one data set share its texts or images.

    Args:
        found: rows of one method and one kind, from `changes`.

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
    """Priors as plain values, by kind and method, for those with at least LEAST_DATA_SETS data sets.

    Args:
        found: rows from `changes`.
    """
    made: dict[str, dict[str, dict[str, Any]]] = {}
    for (kind, method), own in found.groupby(["kind", "method"]):
        if (p := prior(own)).runs:
            made.setdefault(str(kind), {})[str(method)] = vars(p)
    return made


def gains(protocol: Protocol, rows: Sequence[Row]) -> list[Record]:
    """Records of the gains of all methods and variants over the labels alone, one for each draw of labels.

    Args:
        protocol: the protocol.
        rows: its lines of results.
    """
    tried = {*protocol.methods, *(v.name for v in protocol.variants)} - {*ESTIMATORS}
    return [
        {"data": data, "kind": kind, "gains": {m: round(float(g), 4) for m, g in gained.items() if m in tried}}
        for data, _, kind, gained in _draws(protocol, [r for r in rows if PEER not in r["method"]])
    ]


def write(
    recorded: Sequence[tuple[Protocol, Sequence[Row]]], before: Path | None, folder: Path, renew: bool = False
) -> tuple[int, int]:
    """Write priors.json, and add the data sets to gains.json that are not in it yet.

    Args:
        recorded: protocols with their current lines of results.
        before: file of lines that were recorded before there were protocols, see `changes_before`.
        folder: folder of the two files.
        renew: whether the gains of all data sets are made anew. Then the prior of "auto" changes, and its lines of
            results no longer count.

    Returns:
        The number of priors, and the number of draws of labels in gains.json.
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
