"""Pairs, intervals and ranks against numbers worked out by hand and published quantiles."""

from __future__ import annotations

import math
import random
import re

import numpy as np
import pytest
from scipy.stats import chi2

from tutelage.bench import markdown, summary


def run(method, seed, score, data="news", setting="4 a class", **more):
    return {
        "protocol": "few", "data": data, "setting": setting, "seed": seed, "method": method, "score": score,
        "pool_score": None, "seconds": 1.0, "peak_mb": 10.0, "error": None,
    } | more  # fmt: skip


def runs(method, scores, **more):
    return [run(method, seed, score, **more) for seed, score in enumerate(scores)]


def failed(method, text, seed=0, **more):
    return run(method, seed, None, error=text, seconds=None, **more)


BASE = runs("labels only", [0.50, 0.60, 0.70, 0.40])
BETTER = runs("m", [0.52, 0.60, 0.69, 0.43])  # +2, 0, −1, +3 points

SCORES = np.random.default_rng(0).integers(3, 9, (14, 4)) / 10 + [0, 0.1, 0, 0.1]
"""Of 4 methods on 14 data sets, with ties."""


def tournament():
    return [run(f"m{j}", 0, SCORES[i, j], data=f"d{i}") for i in range(14) for j in range(4)]


def line(table, name):
    """The cells of a method's row, no-break spaces made plain and the asterisks kept."""
    found = [row for row in table.splitlines() if row.startswith(f"| {name} ")]
    assert len(found) == 1
    return [cell.strip().replace("\u00a0", " ") for cell in found[0].split("|")[2:-1]]


def remarks(table):
    return [row[2:] for row in table.splitlines() if row.startswith("- ")]


def test_of_a_run_done_twice_the_last_counts_and_errors_are_apart():
    rows = [run("m", 0, 0.1), failed("m", "no"), run("m", 1, 0.3), run("m", 0, 0.2), failed("n", "broken")]
    good, bad = summary.cells(rows)
    assert good[["method", "seed", "score"]].values.tolist() == [["m", 1, 0.3], ["m", 0, 0.2]]
    assert bad[["method", "error"]].values.tolist() == [["n", "broken"]]
    assert summary.cells([run("m", 0, 0.2), failed("m", "no")])[0].empty


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        ([run("m", 0, 1.5)], r"score must be in \[0, 1\], got 1.5"),
        ([run("m", 0, None)], r"score must be in \[0, 1\], got nan"),
        ([run("m", 0, 0.5), run("m", 1, 0.5, protocol="many")], "of one protocol, got few, many"),
    ],
)
def test_rows_that_cannot_be_compared_are_refused(rows, message):
    with pytest.raises(ValueError, match=message):
        summary.cells(rows)


@pytest.mark.parametrize("call", [summary.paired, summary.wins, summary.order, lambda r, b: markdown.table(r, b, "F1")])
def test_the_baseline_must_be_there(call):
    with pytest.raises(ValueError, match="baseline must be one of labels only, m, got 'none'"):
        call(BASE + BETTER, "none")


def test_pairs_by_hand():
    got = summary.paired(BASE + BETTER, "labels only").iloc[0]
    assert (got.seeds, got.won, got.level, got.lost) == (4, 2, 1, 1)
    assert got.difference == pytest.approx(1)
    assert got.half_width == pytest.approx(2.353 * math.sqrt(10 / 3) / 2, rel=1e-3)  # t at 0.95, 3 degrees of freedom
    assert not got.above
    assert not got.below


def test_only_seeds_that_both_have_are_paired():
    got = summary.paired([*BASE, *BETTER, run("m", 9, 0.0), run("labels only", 8, 1.0)], "labels only").iloc[0]
    assert got.seeds == 4
    assert got.difference == pytest.approx(1)


def test_scores_that_rounding_parts_are_level():
    rows = [run("labels only", 0, 0.3), run("labels only", 1, 0.3), run("m", 0, 0.1 + 0.2), run("m", 1, 0.1 + 0.2)]
    got = summary.paired(rows, "labels only").iloc[0]
    assert rows[2]["score"] != 0.3
    assert (got.level, got.difference, got.half_width, got.above, got.below) == (2, 0, 0, False, False)


def test_one_seed_gives_no_interval_and_none_no_difference():
    rows = [*BASE, run("m", 0, 0.9), run("n", 7, 0.9)]
    got = summary.paired(rows, "labels only").set_index("method")
    assert got.loc["m", ["seeds", "won", "above"]].tolist() == [1, 1, False]
    assert got.loc["m", "difference"] == pytest.approx(40)
    assert math.isnan(got.loc["m", "half_width"])
    assert got.loc["n", "seeds"] == 0
    assert math.isnan(got.loc["n", "difference"])
    assert summary.wins(rows, "labels only").index.tolist() == ["m"]


def test_swapping_the_sides_swaps_the_signs():
    there, back = (summary.paired(BASE + BETTER, b).iloc[0] for b in ("labels only", "m"))
    assert back.difference == -there.difference
    assert back.half_width == pytest.approx(there.half_width)
    assert (back.won, back.level, back.lost) == (there.lost, there.level, there.won)


def test_settings_of_a_data_set_count_once_in_intervals_and_ranks():
    rows = [
        run(m, 0, 0.5 + d * (m == "m"), data=data, setting=f"{n} a class")
        for data, gains in (("news", (0.1, 0.3)), ("web", (-0.1, -0.1)))
        for n, d in zip((4, 30), gains, strict=True)
        for m in ("labels only", "m")
    ]
    got = summary.wins(rows, "labels only").loc["m"]
    assert got.difference == pytest.approx(5)  # of +20 and -10
    assert got.half_width == pytest.approx(6.314 * math.sqrt(2 * 15**2) / math.sqrt(2), rel=1e-3)
    assert summary.ranks(rows).each["m"].to_dict() == {"news": 1, "web": 2}


def test_a_method_with_fewer_seeds_has_no_rank():
    assert summary.ranks(runs("a", [0.5, 0.5]) + runs("b", [0.9])).gaps == ("b",)


def test_in_wins_each_data_set_weighs_the_same_whatever_its_seeds():
    rows = [
        *runs("labels only", [0.5] * 6), *runs("m", [0.60, 0.61, 0.60, 0.61, 0.60, 0.61]),  # +10.5, clear
        *runs("labels only", [0.5] * 2, data="mail"), *runs("m", [0.52, 0.49], data="mail"),  # +0.5, not
        *runs("labels only", [0.5] * 2, data="web"), *runs("m", [0.48, 0.48], data="web"),  # −2, clear
    ]  # fmt: skip
    got = summary.wins(rows, "labels only").loc["m"]
    assert (got.above, got.neither, got.below) == (1, 1, 1)
    assert got.difference == pytest.approx(3)
    spread = math.sqrt((7.5**2 + 2.5**2 + 5**2) / 2)
    assert got.half_width == pytest.approx(2.920 * spread / math.sqrt(3), rel=1e-3)


def test_ranks_count_who_is_better_and_friedmans_test_is_his_formula():
    got = summary.ranks(tournament())
    above = (SCORES[:, None] > SCORES[:, :, None] + 1e-6).sum(axis=2)
    level = (np.abs(SCORES[:, None] - SCORES[:, :, None]) < 1e-6).sum(axis=2) - 1
    want = 1 + above + level / 2
    assert got.each.loc[[f"d{i}" for i in range(14)]].to_numpy().tolist() == want.tolist()
    assert got.mean.to_dict() == pytest.approx({f"m{j}": want[:, j].mean() for j in range(4)})
    assert got.mean.is_monotonic_increasing
    plain = 12 * 14 / (4 * 5) * ((want.mean(axis=0) ** 2).sum() - 4 * 5**2 / 4)
    ties = sum(c**3 - c for row in want for c in np.unique(row, return_counts=True)[1])
    assert ties > 0
    assert got.p == pytest.approx(chi2.sf(plain / (1 - ties / (14 * (4**3 - 4))), 3))
    assert got.critical_difference == pytest.approx(2.569 * math.sqrt(4 * 5 / (6 * 14)), abs=1e-3)


@pytest.mark.parametrize(("k", "q"), [(2, 1.960), (3, 2.343), (5, 2.728), (10, 3.164)])
def test_the_critical_difference_has_the_published_quantiles(k, q):
    assert summary.nemenyi(k, 1) / math.sqrt(k * (k + 1) / 6) == pytest.approx(q, abs=1e-3)
    assert summary.nemenyi(k, 9) == pytest.approx(summary.nemenyi(k, 1) / 3)


def test_ranks_are_of_mean_scores_and_ties_share_them():
    rows = runs("a", [0.1, 0.2]) + runs("b", [0.2, 0.1]) + runs("c", [0.9, 0.0]) + runs("d", [0.1, 0.1])
    got = summary.ranks(rows)
    assert got.each.iloc[0].to_dict() == {"a": 2.5, "b": 2.5, "c": 1, "d": 4}
    assert math.isnan(got.p)  # one block


def test_a_method_with_a_gap_is_apart_and_does_not_move_the_others():
    rows = tournament()
    there = summary.ranks(rows)
    got = summary.ranks([*rows, run("gap", 0, 1.0, data="d3"), failed("gap", "no", data="d4")])
    assert got.gaps == ("gap",)
    assert got.each.equals(there.each)
    assert got.p == there.p


def test_nothing_to_rank():
    assert summary.ranks(tournament(), "pool_score").each.empty
    assert math.isnan(summary.ranks(tournament(), "pool_score").critical_difference)
    alone = [run("a", 0, 0.5), run("b", 0, 0.5, data="web")]
    assert summary.ranks(alone).gaps == ("a", "b")
    level = [run(m, 0, 0.5, data=d) for m in "abc" for d in "xyz"]
    assert summary.ranks(level).p == 1


def test_the_score_on_the_pool_has_ranks_of_its_own():
    rows = [run("a", 0, 0.5, pool_score=0.1), run("b", 0, 0.4, pool_score=0.2), run("c", 0, 0.3)]
    got = summary.ranks(rows, "pool_score")
    assert got.mean.to_dict() == {"b": 1, "a": 2}
    assert got.gaps == ()
    with pytest.raises(ValueError, match="metric must be one of score, pool_score, got 'seconds'"):
        summary.ranks(rows, "seconds")


def test_controls_lead_and_methods_without_a_rank_end():
    rows = [*BASE, *BETTER, *runs("best", [0.9] * 4), *runs("majority class", [0.1] * 4)]
    rows += [run("labels only", 0, 0.5, data="web"), run("m", 0, 0.5, data="web"), run("best", 0, 0.6, data="web")]
    rows += [run("majority class", 0, 0.2, data="web"), run("poor", 0, 0.3), run("good", 0, 1.0)]
    want = ["majority class", "labels only", "best", "m", "good", "poor"]
    assert summary.order(rows, "labels only") == want
    assert [row.split("|")[1].strip() for row in markdown.table(rows, "labels only", "F1").splitlines()[4:10]] == want


def test_a_table_by_hand():
    rows = [*BASE, *BETTER, *runs("far", [0.1, 0.1, 0.2, 0.1], seconds=20.0)]
    got = markdown.table(rows, "labels only", "macro F1")
    assert got.startswith("macro F1, %: mean ± half-width of the 90 % interval")
    assert line(got, "labels only") == ["**55.0 ± 15.2**", "–", "–", "2.0", "1"]
    assert line(got, "m") == ["**56.0 ± 13.1**", "+1.0", "0 / 1 / 0", "1.0", "1"]  # one column: no interval over them
    assert line(got, "far")[1:] == ["−42.5", "0 / 0 / 1", "3.0", "20"]
    assert "**" not in line(got, "far")[0]
    assert remarks(got) == [
        "far loses on: news",
        "nowhere clearly above labels only: m, far",
        "fewer than 5 seeds in common with labels only, so wide intervals or none: all (news)",
    ]


def test_bold_needs_pairs_and_the_best_all_seeds():
    rows = [*runs("labels only", [0.5] * 5), *runs("same", [0.5] * 5), *runs("lucky", [0.9]), *runs("half", [0.5, 0.3])]
    got = markdown.table(rows, "labels only", "accuracy")
    assert line(got, "labels only")[0] == "**50.0 ± 0.0**"
    assert line(got, "same")[0] == "**50.0 ± 0.0**"
    assert line(got, "lucky")[0] == "90.0 (n = 1)"
    assert line(got, "half")[0] == "**40.0 ± 63.1** (n = 2)"  # t at 0.95 with one degree of freedom: 6.314
    assert remarks(got)[-1].endswith("none: lucky, half (news)")


def test_gaps_and_errors_are_said_once():
    settings = ("4 a class", "10 a class", "30 a class")
    rows = [r for s in settings for m in ("labels only", "m") for r in runs(m, [0.5] * 5, setting=s)]
    rows += runs("part", [0.4] * 5, setting="10 a class")
    rows += [failed("part", "cannot\nlearn a | b", seed, setting=s) for s in settings[::2] for seed in range(5)]
    rows += [failed("never", "no such thing", setting=s) for s in settings]
    got = markdown.table(rows, "labels only", "accuracy")
    assert re.findall(r"news, \d+", got.splitlines()[2]) == ["news, 4", "news, 10", "news, 30"]
    assert line(got, "part")[:3] == ["–", "40.0 ± 0.0", "–"]
    assert remarks(got) == [
        "without a mean rank, since a column or a seed is missing: part",
        "part loses on: news (10 a class)",
        "nowhere clearly above labels only: m, part",
        "never failed on every column: no such thing",
        "part failed on news (4 a class, 30 a class): cannot learn a | b",
    ]
    assert "nan" not in got


def test_names_cannot_break_the_table():
    got = markdown.table([*BASE, *runs("a|b", [0.5] * 4)], "labels only", "accuracy")
    assert r"| a\|b " in got


def test_the_baseline_alone_makes_a_table():
    got = markdown.table(BASE, "labels only", "accuracy")
    assert line(got, "labels only") == ["**55.0 ± 15.2**", "–", "–", "1.0", "1"]
    assert remarks(got) == []
    assert summary.wins(BASE, "labels only").empty


def test_a_large_table_is_aligned_and_does_not_depend_on_the_order_of_runs():
    rng = random.Random(0)
    rows = [
        run(m, seed, round(rng.random(), 3), data=data, setting=f"{n} a class")
        for m in ("labels only", *(f"method {i}" for i in range(39)))
        for data in ("news", "mail", "web")
        for n in (2, 4, 10, 30)
        for seed in range(2)
    ]
    got = markdown.table(rows, "labels only", "accuracy")
    lines = [row for row in got.splitlines() if row.startswith("|")]
    assert len(lines) == 42
    assert len({len(row) for row in lines}) == 1
    assert len(lines[0]) <= 320
    assert any(note.startswith("mean ranks of 40 methods over 3 data sets: Friedman's") for note in remarks(got))
    rng.shuffle(rows)
    assert markdown.table(rows, "labels only", "accuracy") == got
