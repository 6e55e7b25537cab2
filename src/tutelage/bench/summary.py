"""Runs of many methods compared on equal terms: paired by seed, with intervals and ranks, as one table."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd
from scipy.stats import friedmanchisquare, studentized_range
from scipy.stats import t as student_t

from tutelage.ops import checks

Rows = Iterable[Mapping[str, Any]]
"""One for each run, with FIELDS: a score in [0, 1], higher is better, or an error, the text that says why not."""

FIELDS = ("protocol", "data", "setting", "seed", "method", "score", "pool_score", "seconds", "peak_mb", "error")
BLOCK = ["data", "setting"]
CONTROLS = ("majority class", "nearest class mean", "labels only")
COVERAGE = 0.90
"""Of every interval here."""
ALPHA = 0.05
LEVEL = 1e-9
"""Scores that differ by less are level."""
FEW = 5
"""With fewer seeds an interval is wide, or none."""


def cells(rows: Rows) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Runs with a score, and apart those with an error; of a run that was done twice, the last counts.

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
    """Each (data, setting) of the runs, in their natural order: 4 before 30."""
    return sorted(set(zip(runs.data, runs.setting, strict=True)), key=lambda b: (_natural(b[0]), _natural(b[1])))


def _natural(text: str) -> list[str | int]:
    return [int(part) if i % 2 else part for i, part in enumerate(re.split(r"(\d+)", text))]


def half_width(values: pd.Series) -> float:
    """Of the interval of the mean by Student's t, at COVERAGE; NaN for fewer than two values.

    >>> round(half_width(pd.Series([1.0, 2.0, 3.0])), 3)  # 2.920 / sqrt(3)
    1.686
    """
    n = int(values.count())
    return float(student_t.ppf((1 + COVERAGE) / 2, n - 1) * values.std() / math.sqrt(n)) if n > 1 else math.nan


def paired(rows: Rows, baseline: str) -> pd.DataFrame:
    """Each other method against the baseline on each (data, setting), on the seeds that both have.

    Returns:
        data, setting, method; seeds, how many both have; difference, the mean one in points, and half_width, of its
        interval; won, level and lost, seeds; above and below, whether the interval lies wholly there.

    >>> scores = {("labels only", 0): 0.5, ("labels only", 1): 0.5, ("m", 0): 0.5, ("m", 1): 0.75}
    >>> rows = [{"data": "a", "setting": "b", "seed": s, "method": m, "score": v} for (m, s), v in scores.items()]
    >>> paired(rows, "labels only")[["seeds", "difference", "won", "level", "lost"]].values.tolist()
    [[2.0, 12.5, 1.0, 1.0, 0.0]]
    """
    return _paired(_known(rows, baseline)[0], baseline)


def _known(rows: Rows, baseline: str) -> tuple[pd.DataFrame, pd.DataFrame]:
    """As `cells`, where the baseline must be among the methods."""
    runs, errors = cells(rows)
    checks.one_of("baseline", baseline, tuple(runs.method.unique()))
    return runs, errors


def _paired(runs: pd.DataFrame, baseline: str) -> pd.DataFrame:
    its, others = runs[runs.method == baseline], runs[runs.method != baseline]
    both = others.merge(its[[*BLOCK, "seed", "score"]], on=[*BLOCK, "seed"], how="left", suffixes=("", "_of_baseline"))
    change = 100 * (both.score - both.score_of_baseline)
    both["change"] = change.mask(change.abs() < 100 * LEVEL, 0.0)
    lines = []
    for (data, setting, method), own in both.groupby([*BLOCK, "method"]):
        d = own.change.dropna()
        mean, half = d.mean(), half_width(d)
        counts = (len(d), (d > 0).sum(), (d == 0).sum(), (d < 0).sum())
        lines.append((data, setting, method, *counts, mean, half, mean - half > 0, mean + half < 0))
    counted = ["seeds", "won", "level", "lost"]
    return pd.DataFrame(lines, columns=[*BLOCK, "method", *counted, "difference", "half_width", "above", "below"])


def wins(rows: Rows, baseline: str) -> pd.DataFrame:
    """By method: on how many (data, setting) it is clearly above the baseline, clearly below, or neither.

    Returns:
        above, neither, below; difference, the mean one in points where each (data, setting) weighs the same, and
        half_width, of its interval over them. A method that shares no seed with the baseline is not there.
    """
    return _wins(paired(rows, baseline))


def _wins(each: pd.DataFrame) -> pd.DataFrame:
    by = each[each.seeds > 0].groupby("method")
    above, below = by.above.sum().astype(int), by.below.sum().astype(int)
    mean, half = by.difference.mean(), by.difference.agg(half_width)
    return pd.DataFrame(
        {"above": above, "neither": by.size() - above - below, "below": below, "difference": mean, "half_width": half}
    )


@dataclass(frozen=True)
class Ranks:
    """Ranks of the methods' mean scores, 1 the best, ties averaged.

    Args:
        each: of each (data, setting), a row, and each method that has a score in all of them, a column.
        gaps: the other methods.
        p: of Friedman's test that all methods are alike; NaN for fewer than three methods or two blocks.
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
        """Nemenyi's: mean ranks further apart than this differ at ALPHA."""
        return nemenyi(self.each.shape[1], len(self.each))


def ranks(rows: Rows, metric: str = "score") -> Ranks:
    """Rank the methods by mean ``score`` or ``pool_score`` on each (data, setting) where any method has one."""
    checks.one_of("metric", metric, ("score", "pool_score"))
    runs, _ = cells(rows)
    return _ranks(runs.dropna(subset=metric), metric)


def _ranks(runs: pd.DataFrame, metric: str = "score") -> Ranks:
    means = runs.groupby([*BLOCK, "method"])[metric].mean().unstack("method").reindex(blocks(runs))
    whole = means.dropna(axis=1)
    each = (whole / LEVEL).round().rank(axis=1, ascending=False)
    gaps = tuple(means.columns.difference(whole.columns))
    if each.shape[1] < 3 or len(each) < 2:
        return Ranks(each, gaps, math.nan)
    alike = bool((each.nunique(axis=1) == 1).all())  # then the test divides 0 by 0
    return Ranks(each, gaps, 1.0 if alike else float(friedmanchisquare(*each.to_numpy().T).pvalue))


def nemenyi(k: int, n: int) -> float:
    """``q sqrt(k (k + 1) / (6 n))``, the critical difference of mean ranks of k methods over n blocks (Demšar, 2006).

    q is the upper ALPHA quantile of the studentized range of k, with infinite degrees of freedom, over sqrt 2.

    >>> round(nemenyi(4, 14), 2)  # his example
    1.25
    """
    if k < 2 or n < 1:
        return math.nan
    return float(studentized_range.ppf(1 - ALPHA, k, math.inf)) / math.sqrt(2) * math.sqrt(k * (k + 1) / (6 * n))


def order(rows: Rows, baseline: str) -> list[str]:
    """Methods with a score: the controls, then by mean rank, then those that have none by mean difference."""
    runs, _ = _known(rows, baseline)
    return _order(_ranks(runs), _wins(_paired(runs, baseline)))


def _order(rank: Ranks, total: pd.DataFrame) -> list[str]:
    rest = total.difference.reindex(rank.gaps).sort_values(ascending=False, kind="stable").index
    names = [*rank.mean.index, *rest]
    return [c for c in CONTROLS if c in names] + [n for n in names if n not in CONTROLS]


def table(rows: Rows, baseline: str, score_name: str) -> str:
    """All of it in Markdown: a row for each method, a column for each (data, setting), and remarks below."""
    runs, errors = _known(rows, baseline)
    columns, each, rank = blocks(runs), _paired(runs, baseline), _ranks(runs)
    total, mean_rank, seconds = _wins(each), rank.mean, runs.groupby("method").seconds.median()
    against = total.to_dict("index")
    scores = [_column(own) for own in _by_block(runs, columns)]
    names = _order(rank, total)
    lines = []
    for name in names:
        line = [name, *(column.get(name, "–") for column in scores)]
        if t := against.get(name):
            line += [_interval(t["difference"], t["half_width"], "+"), f"{t['above']} / {t['neither']} / {t['below']}"]
        else:
            line += ["–", "–"]
        lines.append([*line, f"{mean_rank[name]:.1f}" if name in mean_rank else "–", _seconds(seconds[name])])
    header = ["method", *map(", ".join, columns), "difference", "above / neither / below", "mean rank", "seconds"]
    caption = (
        f"{score_name}, %: mean ± half-width of the {100 * COVERAGE:.0f} % interval over the seeds; bold: the best, "
        f"and what is not clearly below it on the same seeds. Against {baseline} on the same seeds: mean difference in "
        "points, and on how many columns the method is clearly above, neither, clearly below. Seconds: the median."
    )
    compared = {name: own for name in names if len(own := each[each.method == name])}
    notes = [*_tests(rank), *_remarks(compared, columns, baseline), *_failures(errors, columns)]
    parts = [caption, _markdown(header, lines), "\n".join(f"- {_flat(note)}" for note in notes)]
    return "\n\n".join(filter(None, parts)) + "\n"


def _by_block(runs: pd.DataFrame, columns: Sequence[tuple[str, str]]) -> list[pd.DataFrame]:
    return [runs[(runs.data == data) & (runs.setting == setting)] for data, setting in columns]


def _column(runs: pd.DataFrame) -> dict[str, str]:
    """By method, the cell of one (data, setting); the best is one that has all seeds."""
    scores = runs.groupby("method").score
    means, halves, counts = scores.mean(), scores.agg(half_width), scores.count()
    best = str(means[counts == counts.max()].idxmax())
    against = _paired(runs, best).set_index("method")
    level = (against.half_width.notna() & ~against.below.astype(bool)) | (against.difference == 0)
    found = {}
    for name in map(str, means.index):
        text = _interval(100 * means[name], 100 * halves[name])
        text = f"**{text}**" if name == best or level[name] else text
        found[name] = text if counts[name] == counts.max() else f"{text} (n = {counts[name]})"
    return found


def _tests(rank: Ranks) -> list[str]:
    found = []
    if not math.isnan(rank.p):
        found.append(
            f"mean ranks of {rank.each.shape[1]} methods over {len(rank.each)} columns: Friedman's test "
            f"p = {rank.p:.2g}; further apart than {rank.critical_difference:.2f} differ (Nemenyi, {ALPHA})"
        )
    if rank.gaps:
        found.append(f"without a mean rank, since a column is missing: {', '.join(rank.gaps)}")
    return found


def _remarks(compared: Mapping[str, pd.DataFrame], columns: Sequence[tuple[str, str]], baseline: str) -> list[str]:
    """Where methods lose, which never win, and where seeds are few."""
    found = [
        f"{name} loses on: {_places(own[own.below], columns)}" for name, own in compared.items() if own.below.any()
    ]
    if never := [name for name, own in compared.items() if not own.above.any()]:
        found.append(f"nowhere clearly above {baseline}: {', '.join(never)}")
    few: dict[str, list[str]] = {}
    for name, own in compared.items():
        if (own.seeds < FEW).any():
            few.setdefault(_places(own[own.seeds < FEW], columns), []).append(name)
    if few:
        parts = (f"{'all' if len(names) == len(compared) else ', '.join(names)} ({at})" for at, names in few.items())
        found.append(f"fewer than {FEW} seeds in common with {baseline}, so wide intervals or none: {'; '.join(parts)}")
    return found


def _failures(errors: pd.DataFrame, columns: Sequence[tuple[str, str]]) -> list[str]:
    by = errors.groupby(["method", "error"])
    return [f"{name} failed on {_places(own, columns)}: {text}" for (name, text), own in by]


def _places(chosen: pd.DataFrame, columns: Sequence[tuple[str, str]]) -> str:
    """Every column, or data sets with their settings, which are left out when they are all there are."""
    places, found = blocks(chosen), []
    if len(columns) > 1 and places == columns:
        return "every column"
    for data in dict.fromkeys(data for data, _ in places):
        own = [setting for name, setting in places if name == data]
        whole = own == [setting for name, setting in columns if name == data]
        found.append(data if whole else f"{data} ({', '.join(own)})")
    return ", ".join(found)


def _interval(mean: float, half: float, sign: str = "") -> str:
    """A mean and half-width, held together by no-break spaces."""
    text = f"{mean:{sign}.1f}".replace("-", "−")
    return text if math.isnan(half) else f"{text}\u00a0±\u00a0{half:.1f}"


def _seconds(value: float) -> str:
    """Few digits.

    >>> _seconds(1234.5), _seconds(0.0456)
    ('1234', '0.046')
    """
    return "–" if math.isnan(value) else f"{value:.0f}" if value >= 10 else f"{value:.2g}"


def _flat(text: str) -> str:
    return re.sub(r"[ \t\r\n]+", " ", text)


def _markdown(header: Sequence[str], lines: Sequence[Sequence[str]]) -> str:
    """A table, in which each column is as wide as its longest cell."""
    head, *body = [[_flat(cell).replace("|", r"\|") for cell in line] for line in (header, *lines)]
    width = [max(map(len, column)) for column in zip(head, *body, strict=True)]
    rule = ["-" * width[0], *("-" * (w - 1) + ":" for w in width[1:])]
    padded = (
        [line[0].ljust(width[0]), *(cell.rjust(w) for cell, w in zip(line[1:], width[1:], strict=True))]
        for line in (head, rule, *body)
    )
    return "\n".join(f"| {' | '.join(line)} |" for line in padded)
