"""What more labels bring, and when it is enough: curves for the package, and how well they foretell other data.

    python benchmarks/studies/enough.py    # after `tutelage bench run benchmarks/protocols/curves_long.toml`

The curves go into src/tutelage/ask/curves.json. Each is then judged by those of the other data sets alone, into
benchmarks/results/enough.json: how often the interval of a gain holds the gain on the test part, and what is lost by
stopping when the outlook says so. What counts there is the score in points less what the labels took, at so many points
a minute; the regret is how much more of it the best number of labels has, which is known only afterwards.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Callable, Iterable
from pathlib import Path

import numpy as np

from lines import RESULTS
from tutelage.ask.enough import MORE, SECONDS, Curve, Outlook, outlook
from tutelage.bench.protocol import read_protocol
from tutelage.bench.running import current, read_rows

HERE = Path(__file__).parents[1]
KEPT = HERE.parent / "src" / "tutelage" / "ask" / "curves.json"
WORTHS = (0.02, 0.05, 0.1, 0.2, 0.5)


def recorded() -> list[Curve]:
    """All recorded curves, without the budgets at which no label could be held out."""
    protocol = read_protocol(HERE / "protocols" / "curves_long.toml")
    rows = current(protocol, read_rows(RESULTS / "protocols" / "curves_long.jsonl"))
    found = []
    for row in sorted((r for r in rows if "error" not in r), key=lambda r: (r["data"], r["method"], r["seed"])):
        curve = np.array([[n, held, score] for n, score, held, _ in row["curve"] if held is not None])
        found.append(Curve(row["data"], *curve.T))
    return found


def looks(curve: Curve, curves: Iterable[Curve], worth: float = 0.05) -> Iterable[tuple[int, Outlook]]:
    """Place and outlook at each number of labels of a curve, by the curves of other data."""
    for k in range(len(curve.labels)):
        yield (
            k,
            outlook(curve.labels[: k + 1], curve.held_out[: k + 1], worth=worth, recorded=curves, without=[curve.data]),
        )


def coverage(curves: list[Curve]) -> list[dict[str, float]]:
    """How often the intervals hold the gain, for each number of further labels; every data set weighs the same."""
    found: dict[int, dict[str, list[tuple[float, ...]]]] = {m: defaultdict(list) for m in MORE}
    for curve in curves:
        for k, seen in looks(curve, curves):
            for i, m in enumerate(MORE):
                if curve.labels[k] + m <= curve.labels[-1]:
                    truth = 100 * curve.gain(curve.labels[k], m)
                    covers = seen.low[i] <= truth <= seen.high[i]
                    line = covers, seen.high[i] - seen.low[i], abs(seen.gain[i] - truth), truth
                    found[m][curve.data].append(tuple(map(float, line)))
    return [
        {"more": m, "sets": len(by), "looks": sum(map(len, by.values()))}
        | dict(zip(("covered", "width", "missed", "gain"), of_sets(by.values()), strict=True))
        | {"least covered": min(float(np.mean([line[0] for line in lines])) for lines in by.values())}
        for m, by in found.items()
    ]


def of_sets(parts: Iterable[list[tuple[float, ...]]]) -> list[float]:
    """Means over data sets of means over their lines."""
    return [round(float(v), 4) for v in np.mean([np.mean(lines, axis=0) for lines in parts], axis=0)]


def stopped(curve: Curve, curves: list[Curve], worth: float) -> int:
    """Place at which the outlook says stop, or the last one."""
    return next((k for k, seen in looks(curve, curves, worth) if seen.stop), len(curve.labels) - 1)


def regrets(curves: list[Curve]) -> list[dict[str, float]]:
    """Mean regret of stopping by the outlook, beside that of stopping always at the same number of labels."""
    found = []
    for worth in WORTHS:
        rules: dict[str, Callable[[Curve, float], int]] = {
            "outlook": lambda c, w: stopped(c, curves, w),
            **{f"at {n}": lambda c, _, n=n: int(np.argmin(np.abs(c.labels - n))) for n in (20, 100, 400)},
        }
        row: dict[str, float] = {"worth": worth}
        for name, rule in rules.items():
            lost: dict[str, list[tuple[float, ...]]] = defaultdict(list)
            for curve in curves:
                value = 100 * curve.scores - worth * curve.labels * SECONDS / 60
                at = rule(curve, worth)
                lost[curve.data].append((float(value.max() - value[at]), float(curve.labels[at])))
            regret, labels = of_sets(lost.values())
            row |= {name: regret} | ({"labels": labels} if name == "outlook" else {})
        found.append(row)
    return found


if __name__ == "__main__":
    curves = recorded()
    plain = [
        {"data": c.data, "labels": [int(n) for n in c.labels]}
        | {"held_out": np.round(c.held_out, 4).tolist(), "scores": np.round(c.scores, 4).tolist()}
        for c in curves
    ]
    KEPT.write_text("[\n" + ",\n".join(map(json.dumps, plain)) + "\n]\n", encoding="utf-8")
    told = {"curves": len(curves), "sets": len({c.data for c in curves})}
    told |= {"coverage": coverage(curves), "regret": regrets(curves)}
    (RESULTS / "enough.json").write_text(json.dumps(told, indent=1) + "\n", encoding="utf-8")
    print(json.dumps(told, indent=1))
