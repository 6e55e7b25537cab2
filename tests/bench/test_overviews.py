"""Tables over several protocols: what methods gain together, beside other libraries, and beside what chooses itself."""

from __future__ import annotations

import math

import pytest

from tutelage.bench import markdown, summary

SCORES = {
    "news": {"labels only": 0.5, "m": 0.6, "n": 0.4, "auto": 0.58, "lib: m": 0.55},
    "mail": {"labels only": 0.7, "m": 0.7, "n": 0.8, "auto": 0.79, "lib: m": 0.65},
}


def runs(name, data, methods):
    return [
        {
            "protocol": name, "data": data, "setting": "4 labels", "seed": seed, "method": m, "score": v + seed / 100,
            "pool_score": v + 0.1, "seconds": 2.0,
        }
        for m, v in methods.items() for seed in (0, 1)
    ]  # fmt: skip


RECORDED = {"texts": runs("texts", "news", SCORES["news"]), "posts": runs("posts", "mail", SCORES["mail"])}
TOGETHER = summary.together(RECORDED.values())


def cells(table: str, first: str) -> list[str]:
    (line,) = [row for row in table.splitlines() if row.startswith(f"| {first} ")]
    return [cell.strip() for cell in line.split("|")[2:-1]]


def test_gains_are_those_of_each_protocol_and_of_all_data_sets():
    got = markdown.gains(RECORDED, "labels only")
    assert cells(got, "method")[:3] == ["texts", "posts", "all"]
    half = 6.314 * math.sqrt(2 * 5**2) / math.sqrt(2)  # t at 0.95, one degree of freedom; +10 and 0
    assert cells(got, "m") == [
        "+10.0",
        "+0.0",
        f"+5.0\u00a0±\u00a0{half:.1f}",
        "1 / 1 / 0",
        "2.2",
        "2.0",
    ]  # ranks 1 and 3.5
    assert cells(got, "labels only")[:4] == ["–", "–", "–", "–"]


def test_gains_of_some_methods_alone_are_the_same_and_in_their_order():
    got = markdown.gains(RECORDED, "labels only", ["n", "m"], each=False)
    names = [line.split("|")[1].strip() for line in got.splitlines()[2:]]
    assert names == ["n", "m"]
    assert cells(got, "m") == cells(markdown.gains(RECORDED, "labels only"), "m")[2:]


def test_counterparts_are_ours_minus_theirs_on_what_both_have():
    got = markdown.counterparts(TOGETHER, {"lib: m": "m", "other: m": "m"}, "auto")
    assert cells(got, "lib: m") == ["m", "+5.0", "2 / 0 / 0", "+8.5", "2 / 0 / 0", "+5.0", "2 / 0 / 0"]
    assert cells(got, "other: m") == ["m", *["–"] * 6]


def test_a_choice_is_beside_the_best_of_each_data_set():
    got = markdown.choice(TOGETHER, "auto", "labels only")
    assert cells(got, "news")[:4] == ["50.5", "58.5", "2", "m"]
    assert cells(got, "mail")[3:] == ["n", "80.5", "−1.0\u00a0±\u00a00.0"]


def test_constants_are_ordered_by_how_near_they_come_to_the_best():
    got = markdown.constants(TOGETHER, "auto", "labels only", count=2)
    assert [line.split("|")[1].strip() for line in got.splitlines()[2:]] == ["auto", "m"]
    assert cells(got, "auto") == ["+8.5", "+8.0", "−1.5", "−2.0", "1 of 2"]


@pytest.mark.parametrize("name", ["difference", "rank", "seconds"])
def test_totals_hold_each_method_once(name):
    found = summary.totals(TOGETHER, "labels only")
    assert set(found.index) == {"labels only", "m", "n", "auto", "lib: m"}
    assert math.isnan(found.loc["labels only", "difference"])
    assert found[name].drop("labels only").notna().all()
