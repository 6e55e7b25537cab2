"""Tables of the protocols' results, for README.md and docs/benchmark.md."""

from __future__ import annotations

import json
import math
from functools import partial
from pathlib import Path

import pandas as pd

from tutelage.bench import summary
from tutelage.bench.markdown import grid, interval, table
from tutelage.bench.protocol import CONTROLS, Protocol, read_protocol
from tutelage.bench.running import PEER, Row, current, read_rows

HERE = Path(__file__).parent
PROTOCOLS = ("text", "digits", "images", "signals", "noise", "weak", "weak_long", "ner", "pixels")
MAIN = ("text", "digits", "images", "signals")
BASELINE = "labels only"
COUNTERPARTS = {
    "scikit-learn: logistic_regression_cv": "labels only",
    "scikit-learn: self_training": "self_training",
    "scikit-learn: label_spreading knn=7": "label_spreading",
    "scikit-learn: label_propagation knn=7": "label_propagation",
    "modssc: label_propagation (transductive)": "label_propagation",
    "modssc: poisson_learning (transductive)": "poisson_learning",
    "modssc: self_training": "self_training",
    "modssc: tri_training (knn)": "tri_training",
    "modssc: fixmatch": "fixmatch",
    "modssc: mean_teacher": "mean_teacher",
    "sslearn: tri_training": "tri_training",
    "sslearn: co_training": "co_training",
    "LAMDA-SSL: tri_training": "tri_training",
    "setfit: setfit (labels only)": "labels only",
    "cleanlab: clean_learning, tuned": "elr",
}
"""Methods of other libraries, and what is beside them here: the same method where there is one."""
MEASURES = {"ner": "Entity F1", "pixels": "Mean IoU"}


def recorded(name: str) -> tuple[Protocol, list[Row]]:
    """A protocol and its lines of results."""
    protocol = read_protocol(HERE / "protocols" / f"{name}.toml")
    return protocol, current(protocol, read_rows(HERE / "results" / "protocols" / f"{name}.jsonl"))


def whole(name: str) -> str:
    """All of a protocol's table."""
    protocol, rows = recorded(name)
    if not rows:
        return "Not recorded yet."
    return f"{protocol.about}\n\n" + table(rows, BASELINE, MEASURES.get(name, "Accuracy")).rstrip()


def main_table() -> str:
    """Each method's mean gain over the labels alone, protocol by protocol."""
    each = {name: summary.wins(recorded(name)[1], BASELINE).difference for name in MAIN}
    rows = [row for name in MAIN for row in recorded(name)[1]]
    everything = [r | {"protocol": "all"} for r in rows]
    total, ranks = summary.wins(everything, BASELINE), summary.ranks(everything)
    seconds = pd.DataFrame([r for r in rows if "error" not in r]).groupby("method").seconds.median()
    order = [m for m in summary.order(everything, BASELINE) if PEER not in m]
    lines = []
    for method in order:
        cells = [interval(found[method], math.nan, "+") if method in found else "–" for found in each.values()]
        t = total.loc[method] if method in total.index else None
        cells += ["–", "–"] if t is None else [
            interval(t.difference, t.half_width, "+"), f"{t.above:.0f} / {t.neither:.0f} / {t.below:.0f}",
        ]  # fmt: skip
        lines.append(
            [method, *cells, f"{ranks.mean[method]:.1f}" if method in ranks.mean else "–", f"{seconds[method]:.1f}"]
        )
    header = ["method", *MAIN, "all", "above / neither / below", "mean rank", "seconds"]
    return grid(header, lines)


def libraries() -> str:
    """Other libraries' methods beside the same ones here and beside the automatic choice, on the same splits."""
    rows = [r | {"protocol": "all"} for name in (*MAIN, "noise") for r in recorded(name)[1] if "error" not in r]
    pools = [r | {"score": r["pool_score"]} for r in rows if r["pool_score"] is not None]

    def beside(theirs: str, ours: str, scored: list[Row]) -> tuple[str, str]:
        if theirs not in {r["method"] for r in scored}:
            return "–", "–"
        against = summary.wins(scored, theirs)
        if ours not in against.index:
            return "–", "–"
        w = against.loc[ours]
        return interval(w.difference, math.nan, "+"), f"{w.above:.0f} / {w.neither:.0f} / {w.below:.0f}"

    counted = "above / neither / below"
    header = ["another library's", "beside it here", "ours", counted, "auto", counted, "ours, on the pool", counted]
    lines = [
        [theirs, ours, *beside(theirs, ours, rows), *beside(theirs, "auto", rows), *beside(theirs, ours, pools)]
        for theirs, ours in COUNTERPARTS.items()
    ]
    return grid(header, lines)


def beside_auto() -> pd.DataFrame:
    """Scores in % by data set and seed, means over the settings, of every method on the runs that "auto" has."""
    rows = [r for name in MAIN for r in recorded(name)[1] if "error" not in r and PEER not in r["method"]]
    runs = pd.DataFrame(rows).pivot(index=["data", "setting", "seed"], columns="method", values="score")
    return 100 * runs[runs["auto"].notna()].groupby(["data", "seed"]).mean()


def automatic() -> str:
    """The automatic choice beside the labels alone and the method that was best, which is known afterwards only."""
    header = ["data", "labels only", "auto", "seeds", "best method", "its score", "auto - best"]
    lines = []
    for data, own in beside_auto().groupby("data"):
        best = str(own.drop(columns=["auto", *CONTROLS]).mean().idxmax())
        apart = own["auto"] - own[best]
        difference = interval(float(apart.mean()), summary.half_width(apart), "+")
        means = [f"{own[m].mean():.1f}" for m in ("labels only", "auto", best)]
        lines.append([str(data), means[0], means[1], str(len(own)), best, means[2], difference])
    return grid(header, lines)


def constant() -> str:
    """The automatic choice beside each method taken everywhere: how far from the best, by data set; the first six."""
    each = beside_auto().groupby("data").mean()
    behind = each.sub(each.drop(columns=["auto", *CONTROLS]).max(axis=1), axis=0).dropna(axis=1)
    gain = each.sub(each[BASELINE], axis=0)
    lines = [
        [
            method, *(interval(v, math.nan, "+") for v in (gain[method].mean(), gain[method].min())),
            *(interval(v, math.nan, "+") for v in (behind[method].mean(), behind[method].min())),
            f"{(behind[method] >= -1).sum()} of {len(behind)}",
        ]
        for method in behind.mean().sort_values(ascending=False).index[:6]
    ]  # fmt: skip
    return grid(["method", "to labels only", "at worst", "to the best method", "at worst", "within 1 point"], lines)


def graph_scale() -> str:
    """What propagation over a large graph costs."""
    found = json.loads((HERE / "results" / "graph_scale.json").read_text())
    lines = [
        [
            name, f"{r['seconds']:.0f}", f"{r['peak_mb'] / 1024:.1f}", f"{r['above_rows_mb'] / 1024:.1f}",
            f"{100 * r['accuracy']:.1f}", f"{r['unreached']}",
        ]
        for name, r in found.items()
        if isinstance(r, dict)
    ]  # fmt: skip
    header = [
        "teacher", "seconds", "peak, GB", "of it above the rows read, GB", "right on the pool, %",
        "rows that no label reaches",
    ]  # fmt: skip
    share = 100 * found["recall of the ten nearest"]
    told = (
        f"{found['rows']:,} rows of {found['features']} features, {found['labels']} labels; of the ten nearest rows "
        f"the search finds {share:.1f} %. scikit-learn's kernel on the same rows: {found['scikit-learn, kernel']}."
    )
    return f"{grid(header, lines)}\n\n{told} Poisson learning finds the graph made."


TABLES = {f"bench_{name}": partial(whole, name) for name in PROTOCOLS} | {
    "bench_main": main_table, "bench_auto": automatic, "bench_constant": constant,
    "bench_libraries": libraries, "graph_scale": graph_scale,
}  # fmt: skip
