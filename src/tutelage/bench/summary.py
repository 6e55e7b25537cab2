"""Statistics of a comparison of methods: differences paired by seed, with intervals, and ranks."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from scipy.stats import friedmanchisquare, studentized_range
from scipy.stats import t as student_t

from tutelage.bench.protocol import CONTROLS, WEAK_CONTROLS
from tutelage.ops import checks

Rows = Sequence[Mapping[str, Any]]
"""Lines of results, one for each run, with FIELDS: a score in [0, 1], higher is better, or the text of an error."""

FIELDS = ("protocol", "data", "setting", "seed", "method", "score", "pool_score", "seconds", "peak_mb", "error")
"""Fields of a line of results that are read here."""
BLOCK = ["data", "setting"]
"""Fields that name a column of a table."""
COVERAGE = 0.90
"""Nominal coverage of every interval here."""
ALPHA = 0.05
"""Significance level of Nemenyi's test."""
LEVEL = 1e-9
"""Difference of two scores below which they count as equal."""
FEW = 5
"""Number of seeds below which an interval is wide, or missing."""


def cells(rows: Rows) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Tables of the runs with a score and of those with an error; if a run was done twice, the last counts.

    Args:
        rows: lines of results of one protocol.

    Raises:
        ValueError: rows of several protocols, or a score outside [0, 1].

    >>> twice = [{"data": "a", "setting": "b", "seed": 0, "method": "m", "score": s} for s in (0.5, 0.75)]
    >>> cells(twice)[0].score.tolist()
    [0.75]
    """
    found = pd.DataFrame([dict(row) for row in rows], columns=list(FIELDS))
    if found.protocol.nunique() > 1:
        raise ValueError(f"rows must be of one protocol, got {', '.join(map(str, found.protocol.unique()))}")
    found = found.drop_duplicates([*BLOCK, "seed", "method"], keep="last")
    runs, errors = found[found.error.isna()], found[found.error.notna()]
    runs = runs.astype(dict.fromkeys(("score", "pool_score", "seconds", "peak_mb"), float))
    for score in runs.score:
        checks.in_range("score", score, 0, 1)
    return runs, errors


def blocks(runs: pd.DataFrame) -> list[tuple[str, str]]:
    """All pairs (data, setting) of a table of runs, sorted so that 4 labels come before 30."""
    return sorted(set(zip(runs.data, runs.setting, strict=True)), key=lambda b: (_natural(b[0]), _natural(b[1])))


def _natural(text: str) -> list[str | int]:
    """Sort key of a text by which numbers in it are compared as numbers."""
    return [int(part) if i % 2 else part for i, part in enumerate(re.split(r"(\d+)", text))]


def half_width(values: pd.Series) -> float:
    """Half-width of the interval of a mean by Student's t, at COVERAGE; NaN for fewer than two values.

    >>> round(half_width(pd.Series([1.0, 2.0, 3.0])), 3)  # 2.920 / sqrt(3)
    1.686
    """
    return float(_half_width(values.count(), values.std()))


def _half_width(n: Any, deviation: Any) -> Any:
    """The same of numbers of values and their standard deviations."""
    enough = np.maximum(n, 2)  # of one value no deviation is known
    return student_t.ppf((1 + COVERAGE) / 2, enough - 1) * deviation / np.sqrt(enough)


def paired(rows: Rows, baseline: str) -> pd.DataFrame:
    """Differences of all methods to the baseline on each (data, setting), paired by the seeds that both have.

    Args:
        rows: lines of results of one protocol.
        baseline: method that the others are compared with.

    Returns:
        A table with the columns "data", "setting" and "method"; "seeds", the number of seeds that both have;
        "difference", the mean difference in points, and the "half_width" of its interval; "won", "level" and "lost",
        numbers of seeds; "above" and "below", whether the whole interval is above or below 0.

    >>> scores = {("labels only", 0): 0.5, ("labels only", 1): 0.5, ("m", 0): 0.5, ("m", 1): 0.75}
    >>> rows = [{"data": "a", "setting": "b", "seed": s, "method": m, "score": v} for (m, s), v in scores.items()]
    >>> paired(rows, "labels only")[["seeds", "difference", "won", "level", "lost"]].values.tolist()
    [[2.0, 12.5, 1.0, 1.0, 0.0]]
    """
    runs, _ = cells(rows)
    checks.one_of("baseline", baseline, tuple(runs.method.unique()))
    its, others = runs[runs.method == baseline], runs[runs.method != baseline]
    both = others.merge(its[[*BLOCK, "seed", "score"]], on=[*BLOCK, "seed"], how="left", suffixes=("", "_of_baseline"))
    change = 100 * (both.score - both.score_of_baseline)
    both["change"] = change.mask(change.abs() < 100 * LEVEL, 0.0)
    by = both.assign(won=both.change > 0, level=both.change == 0, lost=both.change < 0).groupby([*BLOCK, "method"])
    sums = {name: (name, "sum") for name in ("won", "level", "lost")}
    each = by.agg(
        seeds=("change", "count"), **sums, difference=("change", "mean"), deviation=("change", "std")
    ).reset_index()  # fmt: skip
    each["half_width"] = _half_width(each.seeds, each.pop("deviation"))
    above, below = each.difference - each.half_width > 0, each.difference + each.half_width < 0
    return each.assign(above=above, below=below)


def wins(rows: Rows, baseline: str) -> pd.DataFrame:
    """Comparison of all methods with the baseline over all columns (data, setting), by method.

    Args:
        rows: lines of results of one protocol.
        baseline: method that the others are compared with.

    Returns:
        A table with the columns "above", "neither" and "below", numbers of columns on which a method is clearly above
        the baseline, neither, or clearly below; "difference", the mean difference in points over data sets, and the
        "half_width" of its interval. The settings of a data set share its rows, and are averaged first. Methods that
        share no seed with the baseline are left out.
    """
    each = paired(rows, baseline)
    by = each[each.seeds > 0].groupby("method")
    above, below = by.above.sum().astype(int), by.below.sum().astype(int)
    over_data = each.groupby(["method", "data"]).difference.mean().dropna().groupby("method")
    mean, half = over_data.mean(), over_data.agg(half_width)
    return pd.DataFrame(
        {"above": above, "neither": by.size() - above - below, "below": below, "difference": mean, "half_width": half}
    )


@dataclass(frozen=True)
class Ranks:
    """Ranks of the methods by their mean scores, from 1 for the best; ties get their mean rank.

    Args:
        each: ranks, a row for each data set and a column for each method that has all seeds in all settings.
        gaps: names of the other methods, which have no ranks.
        p: p-value of Friedman's test that all methods are alike; NaN for fewer than three methods or two data sets.
    """

    each: pd.DataFrame
    gaps: tuple[str, ...]
    p: float

    @property
    def mean(self) -> pd.Series:
        """Mean rank of each method, the best first."""
        return self.each.mean().sort_values(kind="stable")

    @property
    def critical_difference(self) -> float:
        """Critical difference of Nemenyi's test: mean ranks that are further apart differ at the level ALPHA."""
        return nemenyi(self.each.shape[1], len(self.each))


def ranks(rows: Rows, metric: str = "score") -> Ranks:
    """Ranks of the methods by their mean score on each data set where any method has a score.

    The settings of a data set share its rows and are averaged: ranks for each would count it more than once.

    Args:
        rows: lines of results of one protocol.
        metric: the score, "score" or "pool_score".
    """
    checks.one_of("metric", metric, ("score", "pool_score"))
    runs, _ = cells(rows)
    runs = runs.dropna(subset=metric)
    by = runs.groupby([*BLOCK, "method"])[metric]
    means, seeds = (v.unstack("method").reindex(blocks(runs)) for v in (by.mean(), by.count()))
    whole = means.where(seeds.eq(seeds.max(axis=1), axis=0)).dropna(axis=1).groupby("data", sort=False).mean()
    each = (whole / LEVEL).round().rank(axis=1, ascending=False)
    gaps = tuple(means.columns.difference(whole.columns))
    if each.shape[1] < 3 or len(each) < 2:
        return Ranks(each, gaps, math.nan)
    alike = bool((each.nunique(axis=1) == 1).all())  # then the test divides 0 by 0
    return Ranks(each, gaps, 1.0 if alike else float(friedmanchisquare(*each.to_numpy().T).pvalue))


def nemenyi(k: int, n: int) -> float:
    """Critical difference ``q sqrt(k (k + 1) / (6 n))`` of mean ranks of k methods over n blocks (Demšar, 2006).

    q is the upper ALPHA quantile of the studentized range of k, with infinite degrees of freedom, over sqrt 2. It is
    NaN for fewer than two methods or without blocks.

    >>> round(nemenyi(4, 14), 2)  # his example
    1.25
    """
    if k < 2 or n < 1:
        return math.nan
    return float(studentized_range.ppf(1 - ALPHA, k, math.inf)) / math.sqrt(2) * math.sqrt(k * (k + 1) / (6 * n))


def order(rows: Rows, baseline: str) -> list[str]:
    """Names of the methods with a score: the controls first, then by mean rank, then those without by difference.

    Args:
        rows: lines of results of one protocol.
        baseline: method that the differences are to.
    """
    total, rank = wins(rows, baseline), ranks(rows)
    rest = total.difference.reindex(rank.gaps).sort_values(ascending=False, kind="stable").index
    names = [*rank.mean.index, *rest]
    controls = (*CONTROLS, *WEAK_CONTROLS)
    return [c for c in controls if c in names] + [n for n in names if n not in controls]


def together(recorded: Iterable[Rows]) -> list[dict[str, Any]]:
    """Lines of results of several protocols, as if they were of one.

    Args:
        recorded: lines of results of each protocol.
    """
    return [dict(row) | {"protocol": "all"} for rows in recorded for row in rows]


def totals(rows: Rows, baseline: str) -> pd.DataFrame:
    """Table of methods in the order of `order`: the columns of `wins`, the mean "rank", and the median "seconds".

    Args:
        rows: lines of results of one protocol.
        baseline: method that the others are compared with.
    """
    runs, _ = cells(rows)
    found = wins(rows, baseline).reindex(order(rows, baseline))
    return found.assign(rank=ranks(rows).mean, seconds=runs.groupby("method").seconds.median())


def where(rows: Rows, method: str) -> pd.DataFrame:
    """Scores of all methods in %, by data set and seed, as means over the settings that ``method`` has a score in.

    Args:
        rows: lines of results of one protocol.
        method: method whose draws of labels count.
    """
    runs, _ = cells(rows)
    wide = runs.pivot(index=[*BLOCK, "seed"], columns="method", values="score")
    return 100 * wide[wide[method].notna()].groupby(["data", "seed"]).mean()
