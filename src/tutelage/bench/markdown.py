"""A protocol's results as one table in Markdown, with remarks below it."""

from __future__ import annotations

import math
import re
from collections.abc import Hashable, Mapping, Sequence

import pandas as pd

from tutelage.bench.protocol import CONTROLS
from tutelage.bench.summary import (
    ALPHA,
    COVERAGE,
    FEW,
    Ranks,
    Rows,
    blocks,
    cells,
    half_width,
    order,
    paired,
    ranks,
    together,
    totals,
    where,
    wins,
)

COUNTED = "above / neither / below"
"""Heading of the numbers of columns on which a method is clearly above another, neither, or clearly below."""


def table(rows: Rows, baseline: str, score_name: str) -> str:
    """Table of results in Markdown: a row for each method, a column for each (data, setting), and remarks below.

    Args:
        rows: lines of results of one protocol.
        baseline: method that the others are compared with.
        score_name: name of the score, for the caption.
    """
    each, rank, names = paired(rows, baseline), ranks(rows), order(rows, baseline)
    runs, errors = cells(rows)
    columns, mean_rank, seconds = blocks(runs), rank.mean, runs.groupby("method").seconds.median()
    against = wins(rows, baseline).to_dict("index")
    scores = [_column([r for r in rows if (r["data"], r["setting"]) == column]) for column in columns]
    lines = []
    for name in names:
        line = [name, *(column.get(name, "–") for column in scores)]
        if t := against.get(name):
            line += [interval(t["difference"], t["half_width"], "+"), f"{t['above']} / {t['neither']} / {t['below']}"]
        else:
            line += ["–", "–"]
        lines.append([*line, f"{mean_rank[name]:.1f}" if name in mean_rank else "–", _seconds(seconds[name])])
    header = ["method", *map(", ".join, columns), "difference", COUNTED, "mean rank", "seconds"]
    caption = (
        f"{score_name}, %: mean ± half-width of the {100 * COVERAGE:.0f} % interval over the seeds; bold: the best, "
        f"and what is not clearly below it on the same seeds. Against {baseline} on the same seeds: mean difference in "
        "points over the data sets, and on how many columns the method is clearly above, neither, clearly below. "
        "Seconds: the median."
    )
    compared = {name: own for name in names if len(own := each[each.method == name])}
    notes = [*_tests(rank), *_remarks(compared, columns, baseline), *_failures(errors, columns)]
    parts = [caption, grid(header, lines), "\n".join(f"- {_flat(note)}" for note in notes)]
    return "\n\n".join(filter(None, parts)) + "\n"


def gains(recorded: Mapping[str, Rows], baseline: str, methods: Sequence[str] | None = None, each: bool = True) -> str:
    """Table of the gains of methods over a baseline on several protocols together.

    Args:
        recorded: lines of results by protocol.
        baseline: method that the others are compared with.
        methods: methods that are shown, in this order; by default all, in the order of `summary.order`.
        each: whether the gains on every protocol are shown, too.
    """
    found = totals(together(recorded.values()), baseline).to_dict("index")
    apart = {name: wins(rows, baseline).difference for name, rows in recorded.items()} if each else {}
    lines = []
    for method in map(str, found) if methods is None else methods:
        t = found[method]
        cells = [interval(own.get(method, math.nan), math.nan, "+") for own in apart.values()]
        rank = "–" if math.isnan(t["rank"]) else f"{t['rank']:.1f}"
        gain = interval(t["difference"], t["half_width"], "+")
        lines.append([method, *cells, gain, _counts(t), rank, f"{t['seconds']:.1f}"])
    total = "all" if each else f"gain over {baseline}, points"
    return grid(["method", *apart, total, COUNTED, "mean rank", "seconds"], lines)


def _counts(t: Mapping[Hashable, float]) -> str:
    """Numbers of columns on which a method is above, neither and below; "–" for the baseline itself."""
    return "–" if math.isnan(t["above"]) else f"{t['above']:.0f} / {t['neither']:.0f} / {t['below']:.0f}"


def counterparts(rows: Rows, pairs: Mapping[str, str], also: str) -> str:
    """Table of methods of other libraries beside ours: our score minus theirs, on the seeds that both have.

    Args:
        rows: lines of results of one protocol.
        pairs: our method by that of another library.
        also: method of ours that is compared with all of theirs.
    """
    pools = [dict(r) | {"score": r["pool_score"]} for r in rows if r.get("pool_score") is not None]

    def beside(theirs: str, ours: str, scored: Rows) -> tuple[str, str]:
        two = [r for r in scored if r["method"] in (theirs, ours)]
        against = wins(two, theirs).to_dict("index") if theirs in {r["method"] for r in two} else {}
        if ours not in against:
            return "–", "–"
        return interval(against[ours]["difference"], math.nan, "+"), _counts(against[ours])

    header = ["another library's", "beside it here", "ours", COUNTED, also, COUNTED, "ours, on the pool", COUNTED]
    lines = [
        [theirs, ours, *beside(theirs, ours, rows), *beside(theirs, also, rows), *beside(theirs, ours, pools)]
        for theirs, ours in pairs.items()
    ]
    return grid(header, lines)


def choice(rows: Rows, chooser: str, baseline: str) -> str:
    """Table of an automatic choice, by data set, beside the baseline and the best method, known only afterwards.

    Args:
        rows: lines of results of one protocol.
        chooser: learner that chooses by itself, such as "auto".
        baseline: another method that is shown.
    """
    lines = []
    for data, own in where(rows, chooser).groupby("data"):
        best = str(own.drop(columns=[chooser, *CONTROLS], errors="ignore").mean().idxmax())
        change = own[chooser] - own[best]
        base, chosen, highest = (f"{own[m].mean():.1f}" for m in (baseline, chooser, best))
        difference = interval(float(change.mean()), half_width(change), "+")
        lines.append([str(data), base, chosen, str(len(own)), best, highest, difference])
    return grid(["data", baseline, chooser, "seeds", "best method", "its score", f"{chooser} - best"], lines)


def constants(rows: Rows, chooser: str, baseline: str, count: int = 6) -> str:
    """Table of methods that are taken on every data set: their gains, and how far they are behind the best method.

    Args:
        rows: lines of results of one protocol.
        chooser: learner that chooses by itself; the draws that it has count.
        baseline: method that the gains are over.
        count: number of methods that are shown, those that are on average the least behind.
    """
    each = where(rows, chooser).groupby("data").mean()
    best = each.drop(columns=[chooser, *CONTROLS], errors="ignore").max(axis=1)
    behind, gain, lines = each.sub(best, axis=0).dropna(axis=1), each.sub(each[baseline], axis=0), []
    for method in behind.mean().sort_values(ascending=False).index[:count]:
        shown = [v for own in (gain[method], behind[method]) for v in (own.mean(), own.min())]
        near = f"{(behind[method] >= -1).sum()} of {len(behind)}"
        lines.append([str(method), *(interval(v, math.nan, "+") for v in shown), near])
    return grid(["method", f"to {baseline}", "at worst", "to the best method", "at worst", "within 1 point"], lines)


def _column(rows: Rows) -> dict[str, str]:
    """Text of each method in the column of one (data, setting), by method.

    The best method, which is bold, is one that has all seeds; a method that has not gets its number of seeds.
    """
    runs, _ = cells(rows)
    scores = runs.groupby("method").score
    means, halves, counts = scores.mean(), scores.agg(half_width), scores.count()
    best = str(means[counts == counts.max()].idxmax())
    against = paired(rows, best).set_index("method")
    level = (against.half_width.notna() & ~against.below.astype(bool)) | (against.difference == 0)
    found = {}
    for name in map(str, means.index):
        text = interval(100 * means[name], 100 * halves[name])
        text = f"**{text}**" if name == best or level[name] else text
        found[name] = text if counts[name] == counts.max() else f"{text} (n = {counts[name]})"
    return found


def _tests(rank: Ranks) -> list[str]:
    """Remarks on the tests of ranks, and on methods without a mean rank."""
    found = []
    if not math.isnan(rank.p):
        found.append(
            f"mean ranks of {rank.each.shape[1]} methods over {len(rank.each)} data sets: Friedman's test "
            f"p = {rank.p:.2g}; further apart than {rank.critical_difference:.2f} differ (Nemenyi, {ALPHA})"
        )
    if rank.gaps:
        found.append(f"without a mean rank, since a column or a seed is missing: {', '.join(rank.gaps)}")
    return found


def _remarks(compared: Mapping[str, pd.DataFrame], columns: Sequence[tuple[str, str]], baseline: str) -> list[str]:
    """Remarks on where methods lose, on which never win, and on where seeds are few."""
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
    """Remarks on runs that failed."""
    by = errors.groupby(["method", "error"])
    return [f"{name} failed on {_places(own, columns)}: {text}" for (name, text), own in by]


def _places(chosen: pd.DataFrame, columns: Sequence[tuple[str, str]]) -> str:
    """Text that names columns: "every column", or data sets with their settings in brackets unless all are meant."""
    places, found = blocks(chosen), []
    if len(columns) > 1 and places == columns:
        return "every column"
    for data in dict.fromkeys(data for data, _ in places):
        own = [setting for name, setting in places if name == data]
        whole = own == [setting for name, setting in columns if name == data]
        found.append(data if whole else f"{data} ({', '.join(own)})")
    return ", ".join(found)


def interval(mean: float, half: float, sign: str = "") -> str:
    """Text of a mean and the half-width of its interval, joined by no-break spaces; "–" without a mean.

    Args:
        mean: the mean; NaN where there is none.
        half: the half-width; NaN where there is none.
        sign: "+" where positive means shall have a sign, too.
    """
    if math.isnan(mean):
        return "–"
    text = f"{mean:{sign}.1f}".replace("-", "−")
    return text if math.isnan(half) else f"{text}\u00a0±\u00a0{half:.1f}"


def _seconds(value: float) -> str:
    """Text of a number of seconds, with few digits.

    >>> _seconds(1234.5), _seconds(0.0456)
    ('1234', '0.046')
    """
    return "–" if math.isnan(value) else f"{value:.0f}" if value >= 10 else f"{value:.2g}"


def _flat(text: str) -> str:
    """The text in one line."""
    return re.sub(r"[ \t\r\n]+", " ", text)


def grid(header: Sequence[str], lines: Sequence[Sequence[str]]) -> str:
    """Table in Markdown; each column is as wide as its longest cell.

    Args:
        header: headings of the columns.
        lines: cells of each row.
    """
    head, *body = [[_flat(cell).replace("|", r"\|") for cell in line] for line in (header, *lines)]
    width = [max(map(len, column)) for column in zip(head, *body, strict=True)]
    rule = ["-" * width[0], *("-" * (w - 1) + ":" for w in width[1:])]
    padded = (
        [line[0].ljust(width[0]), *(cell.rjust(w) for cell, w in zip(line[1:], width[1:], strict=True))]
        for line in (head, rule, *body)
    )
    return "\n".join(f"| {' | '.join(line)} |" for line in padded)
