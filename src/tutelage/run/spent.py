"""What a paid teacher cost, and what a point of accuracy cost, from the runs before and after its answers."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from tutelage.files import read_json
from tutelage.files.described import Asked, Summary
from tutelage.kinds.saved import require_finished
from tutelage.ops.checks import in_range
from tutelage.tables import DataError


@dataclass(frozen=True)
class Spent:
    """What a teacher was asked, and what that took.

    Attributes:
        rows: rows that it answered.
        tokens: tokens that it read and wrote; None where nobody counted.
        money: money that it cost; None where nobody knows.
    """

    rows: int
    tokens: int | None = None
    money: float | None = None

    def words(self, share: float = 1.0) -> str:
        """The amounts, or a share of them, in words.

        >>> Spent(2000, 40_000, 0.5).words(0.1)
        '200 rows, 4,000 tokens, 0.05'
        """
        parts = [f"{self.rows * share:,.0f} rows"]
        parts += [] if self.tokens is None else [f"{self.tokens * share:,.0f} tokens"]
        return ", ".join(parts + ([] if self.money is None else [f"{self.money * share:.3g}"]))


@dataclass(frozen=True)
class Point:
    """What a point of accuracy cost.

    Attributes:
        before, after: accuracy of the runs, in [0, 1].
        on: what both were measured on, in words.
        low, high: 90 % interval of the difference.
        spent: what was spent between them.
    """

    before: float
    after: float
    on: str
    low: float
    high: float
    spent: Spent

    def words(self) -> list[str]:
        """Sentences for people."""
        gain, low, high = (100 * v for v in (self.after - self.before, self.low, self.high))
        lines = [
            f"The teacher answered {self.spent.words()}. Accuracy {self.on}: {100 * self.before:.1f} % before, "
            f"{100 * self.after:.1f} % after, {gain:+.1f} points ({low:+.1f} to {high:+.1f})."
        ]
        if high < 0:
            return [*lines, "The accuracy fell, so that no point was bought."]
        if low <= 0:
            return [*lines, "The difference is not clear, so that a point has no price yet."]
        each = f"{self.spent.words(1 / gain)} ({self.spent.words(1 / high)}, to {self.spent.words(1 / low)})"
        return [*lines, f"A point of accuracy cost {each}."]

    def plain(self) -> dict[str, Any]:
        """The same as plain values, for JSON."""
        return asdict(self) | {"words": self.words()}


def spent_on(rows: int, told: Sequence[str]) -> Spent:
    """What a teacher was asked, by what is told of it.

    Args:
        rows: rows that it answered.
        told: files of what tutelage annotate --json printed, whose tokens and costs are added up; or one number, money.

    Raises:
        DataError: a file is not of that form.
        ValueError: a number is below 0.
    """
    if len(told) == 1:
        try:
            money = float(told[0])
        except ValueError:
            pass
        else:
            in_range("--spent", money, 0)
            return Spent(rows, None, money)
    read = [_printed(Path(each)) for each in told]
    costs = [each.get("cost") for each in read]
    tokens = sum(sum(each["tokens"]) for each in read)
    return Spent(rows, tokens if read else None, math.fsum(filter(None, costs)) if read and None not in costs else None)


def _printed(path: Path) -> Mapping[str, Any]:
    """What tutelage annotate printed into a file."""
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except (ValueError, UnicodeDecodeError):
        found = None
    numbers = found.get("tokens") if isinstance(found, dict) else None
    cost = found.get("cost") if isinstance(found, dict) else None
    right = isinstance(numbers, list) and all(type(n) is int and n >= 0 for n in numbers)
    if not right or not (cost is None or (type(cost) in (int, float) and cost >= 0)):
        raise DataError(f"{path}: --spent takes a number, or the object that tutelage annotate --json printed")
    return found  # type: ignore[no-any-return]


def price_of_a_point(before: Path, after: Path, spent: Spent) -> Point:
    """What a point of accuracy cost, by two finished runs; on the test items of both, else on held-out labels.

    The interval of the difference joins those of the two accuracies, as if they were of different items: for the same
    items it is wider than it need be.

    Args:
        before, after: folders of the runs before and after the teacher's answers.
        spent: what was spent between them.

    Raises:
        FileNotFoundError: there is no such run.
        DataError: they were not scored alike.

    Source of the interval: Newcombe, Statistics in Medicine 17, 1998, method 10.
    """
    found = []
    for folder in (before, after):
        require_finished(folder, "summary.json", "run.json")
        found.append((read_json(folder / "summary.json", Summary), read_json(folder / "run.json", Asked)))
    (first, asked), (second, asked_after) = found
    if first["measure"] != "accuracy" or second["measure"] != "accuracy":
        raise DataError(f"{before} and {after}: a point of accuracy is of items of one class each")
    tests = [summary.get("test") for summary in (first, second)]
    same = asked.get("content of test") == asked_after.get("content of test")
    if all(tests) and same:
        scores: list[Any] = tests
        on = f"on the {scores[0]['rows']:,} test {first.get('things', 'items')}"
    else:
        scores = [summary.get(str(summary["returned"])) for summary in (first, second)]
        on = "on held-out labels"
        if not all(scores):
            raise DataError(
                f"{before} and {after} are not scored on the same items: fit both with the same --test, or with the "
                "evidence"
            )
    (a, (low_a, high_a)), (b, (low_b, high_b)) = ((each["accuracy"], each["interval"]) for each in scores)
    low = b - a - math.hypot(b - low_b, high_a - a)
    return Point(a, b, on, low, b - a + math.hypot(high_b - b, a - low_a), spent)
