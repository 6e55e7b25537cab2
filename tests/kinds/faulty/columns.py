"""Columns of tables beside the items: votes, teachers, numbers of rows; and faults of the names of columns."""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from typing import Any

from faulty.case import Case, Draw

Columns = dict[str, list[Any]]
"""Cells of each column, by its name."""

ODD_VOTES: tuple[Any, ...] = (
    "", "-1", -1, None, float("nan"), "nan", "?", "-", "ABSTAIN", "[]", [], "-1.0", 2, 0.5, "1.0", "both", True, " ",
    {"a": 1}, ["food"],
)  # fmt: skip


def votes(draw: Draw, case: Case, labels: Sequence[Any], names: Sequence[str]) -> Columns:
    """Columns of the votes of two or three rules, or one column of lists of votes."""
    by_number = draw.chance(30)
    case.fault("votes")
    if by_number:
        case.name(*map(str, range(len(names))))
    odd = draw.one(ODD_VOTES)
    share = draw.one([0, 0, 2, 30])
    if isinstance(odd, str) and odd in ("ABSTAIN", "both"):
        case.name(odd)

    def vote(label: Any) -> Any:
        if draw.chance(share):
            return odd
        if draw.chance(50):
            return draw.one([-1, "-1"]) if by_number else draw.one(["", "-1"])
        name = label if label in names and draw.chance(80) else draw.one(names)
        return names.index(name) if by_number else name

    rules = [[vote(label) for label in labels] for _ in range(draw.whole(1, 3))]
    if draw.chance(30):
        lists: list[Any] = [list(each) for each in zip(*rules, strict=True)]
        if draw.chance(20):
            lists[-1] = draw.one([[], lists[-1][:-1], "", "x", None, 3])
        write = draw.one([lambda v: v, lambda v: json.dumps(v) if isinstance(v, list) else v])
        case.options["votes"] = "votes"
        return {"votes": [write(each) for each in lists]}
    case.options["votes"] = draw.rarely("lf_", ["lf", "rule_"])
    return {f"lf_{i}": rule for i, rule in enumerate(rules)}


def teacher(draw: Draw, case: Case, labels: Sequence[Any], names: Sequence[str]) -> Columns:
    """Columns of a teacher's probabilities, or of its labels and its confidence in them."""
    case.fault("teacher")
    guesses = [names.index(label) if label in names else draw.whole(0, len(names) - 1) for label in labels]
    if draw.chance(40):
        odd = draw.one(["", None, "?", "nan", -1, "lonely", "[]", 3.0])
        case.name(*(["lonely"] if odd == "lonely" else ["3"] if odd == 3.0 else []))
        said = [odd if draw.chance(20) else names[guess] for guess in guesses]
        case.options["teacher_label"] = "said"
        if draw.chance(50):
            return {"said": said}
        case.options["teacher_confidence"] = "sure"
        sure = draw.one([0.9, "90", -0.1, "0,9", "90 %", "", None, 1.5, float("nan"), "high", [0.9]])
        return {"said": said, "sure": [sure if draw.chance(30) else draw.one([0.8, 0.6]) for _ in labels]}
    case.options["teacher"] = draw.rarely("p_", ["p", "q_", ""])
    low = 0.2 / max(len(names) - 1, 1)
    scale = draw.one(
        [float, float, lambda p: 100 * p, math.log, lambda p: 2 * p, lambda p: f"{p:.2f}".replace(".", ",")]
    )
    table = [[scale(0.8 if guess == i else low) for guess in guesses] for i in range(len(names))]
    for _ in range(draw.one([0, 0, 0, 1, 3])):
        row, odd = (
            draw.whole(0, len(labels) - 1),
            draw.one(["", None, float("nan"), "x", float("inf"), -1, True, [0.5]]),
        )
        for column in table if draw.chance(50) else table[:1]:
            column[row] = odd
    written = [*names]
    if draw.chance(15):
        written[-1] = draw.one(["nan", "other", "", f"{names[-1]} ", names[0], "-1", "None"])
        case.name(written[-1].strip())
    return {f"p_{name}": column for name, column in zip(written, table, strict=True)}


def with_weak(draw: Draw, case: Case, labels: list[Any], names: Sequence[str]) -> Columns:
    """Columns of weak labels, now and then; then there may be no clean ones."""
    chosen = draw.one(["", "", "", "", "", "votes", "votes", "teacher"])
    if not chosen:
        return {}
    found = votes(draw, case, labels, names) if chosen == "votes" else teacher(draw, case, labels, names)
    if draw.chance(20):
        labels[:] = [draw.one(["", "", "-1", "nan"])] * len(labels)
    if draw.chance(20):
        case.options["label_model"] = draw.rarely(draw.one(["majority", "weighted", "data_programming"]), ["median"])
    return found


def in_order(draw: Draw, case: Case, columns: Columns) -> tuple[list[str], list[list[Any]]]:
    """Names and rows of a table, with faults of the names."""
    named = list(columns.items())
    count = len(named[0][1])
    if draw.chance(20):
        named.insert(draw.whole(0, len(named)), ("id", list(range(1, count + 1))))
    if draw.chance(15):
        named.insert(draw.whole(0, len(named)), ("note", [draw.one(["", "x, y", "see\nbelow", '"'])] * count))
    if draw.chance(25):
        named = named[::-1]
    names, cells = [name for name, _ in named], [column for _, column in named]
    fault = draw.rarely("", ["twice", "blank", "spelt", "other", "index"])
    at = draw.whole(0, len(names) - 1)
    if fault == "twice":
        names.append(names[at])
        cells.append(cells[draw.whole(0, len(cells) - 1)])
    elif fault == "blank":
        names[at] = draw.one(["", " ", "\ufeff", "\xa0"])
    elif fault == "spelt":
        names[at] = draw.one([str.upper, str.title, lambda n: f"{n} ", lambda n: f"\ufeff{n}", lambda n: f'"{n}"'])(
            names[at]
        )
    elif fault == "other":
        names[at] = draw.one(["None", "nan", "0", "Unnamed: 0", "a,b", "x\ny"])
    elif fault == "index":
        names, cells = ["", *names], [list(range(count)), *cells]
    if fault:
        case.fault(f"column {fault}")
    return names, [list(row) for row in zip(*cells, strict=True)]
