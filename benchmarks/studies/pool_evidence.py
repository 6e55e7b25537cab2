"""Does the evidence decide well where there is a pool? Judges the fits of `pool_fits.py`, data sets left out.

    python benchmarks/studies/pool_evidence.py           a line for each fit, and the accounts of all decisions
    python benchmarks/studies/pool_evidence.py priors    what answering together gained, as a record of the package

The first writes results/pool_fits.jsonl and results/pool_evidence.json, the second fit/records/together.json. A change
counts as harm or gain where it is beyond half a point of the test score. Each fit is weighed against the changes on the
other data sets alone.
"""

from __future__ import annotations

import json
import sys
import warnings
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from sklearn.linear_model import Ridge
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from torch import nn

import tutelage.fit
from pool_fits import HERE, Fit, fits
from tutelage.bench import records
from tutelage.fit.both import Both
from tutelage.fit.calibration import by_repeat
from tutelage.fit.evidence import Prior, weigh
from tutelage.fit.held_out import FoldPredictions, HeldOut
from tutelage.fit.pool_look import look_at_pool
from tutelage.fit.prevalence import Prevalence, distance, prevalence, shares_of
from tutelage.tasks import Classification, Tagging, Task

RESULTS = HERE.parent / "results"
MARGIN = 0.005
LEVEL = 0.90
LOOKS = ("chance", "moves", "towards", "neighbours", "apart", "sure")
"""What may be seen of the pool before anything is decided, see `seen`."""


class Said:
    """What a fit said, read from its file.

    Args:
        fit: the fit.
    """

    def __init__(self, fit: Fit) -> None:
        found = np.load(fit.file)
        self.fit, self.y, self.counts = fit, found["y"], found["counts"]
        self.test_y, self.test_counts, self.pool_y = found["test_y"], found["test_counts"], found["pool_y"]
        self.fold_share = float(found["fold_share"])
        self.parts = {name: self._parts(found, name) for name in ("honest", "own", "candidate")}
        self.test = {name: _of_logs(found[f"{name}_test"]) for name in ("reference", "candidate")}
        self.pool = {name: _of_logs(found[f"{name}_pool"]) for name in ("reference", "candidate")}
        self.classes = self.test["reference"].shape[1]
        self.single = bool((self.counts == 1).all())

    @staticmethod
    def _parts(found: Mapping[str, np.ndarray], name: str) -> FoldPredictions:
        ends = np.cumsum(found[f"{name}_sizes"])
        each = zip(np.split(found[f"{name}_units"], ends[:-1]), np.split(found[f"{name}_p"], ends[:-1]), strict=True)
        return [(units, {"probabilities": p.astype(np.float64)}) for units, p in each]

    @property
    def task(self) -> Task:
        """The task; the names of tags are not kept, so that they are read from the data."""
        if self.single:
            return Classification(self.classes)
        from tutelage.bench.protocol import data_root, read_protocol
        from tutelage.bench.sets import load

        protocol = read_protocol(HERE.parent / "protocols" / f"{self.fit.protocol}.toml")
        (data,) = [d for d in protocol.data if d.name == self.fit.data]
        task = load(data, data_root(Path(__file__))).task
        assert isinstance(task, Tagging)
        return task

    def score(self, p: np.ndarray) -> float:
        """Score of probabilities of the test's units."""
        return float(self.task.right(p.argmax(1), self.test_y, self.test_counts).mean())

    def held(self, parts: FoldPredictions) -> HeldOut:
        """Held-out predictions, scored."""
        return HeldOut.average(self.task, self.y, self.counts, parts)


def _of_logs(logs: np.ndarray) -> np.ndarray:
    p = np.exp(logs.astype(np.float64))
    found: np.ndarray = p / p.sum(1, keepdims=True)
    return found


def both_of(said: Said, ratio: np.ndarray, who: str) -> Both:
    """Both models of a fit, or one of them alone, moved by a ratio.

    Args:
        who: "both", "reference" or "student".
    """
    one = nn.Identity()
    pairs = [said.parts["honest"], said.parts["candidate"]], [said.parts["own"], said.parts["candidate"]]
    if who == "both":
        return Both(one, one, *pairs, said.y, ratio)
    at = 0 if who == "reference" else 1
    return Both(None, one, [pairs[0][at]], [pairs[1][at]], said.y, ratio)


def replay(fit: Fit) -> dict[str, Any]:
    """One line: the scores of each way to answer, and what was seen, by the code that a fit uses."""
    said = Said(fit)
    p, q, pool = said.test["reference"], said.test["candidate"], said.pool
    even = np.ones(said.classes)
    found: Prevalence | None = None
    if said.single:
        found = prevalence(by_repeat(said.parts["own"], len(said.y)), said.y, pool["reference"])
    moved = found is not None and found.moved
    ratio = found.ratio if found is not None and found.moved else even
    both = both_of(said, ratio, "both")
    row: dict[str, Any] = {
        "group": fit.group, "data": fit.data, "labels": fit.labels, "seed": fit.seed, "method": fit.method,
        "share": fit.share, "reference": said.score(p), "student": said.score(q), "mean": said.score((p + q) / 2),
        "student_share": both.answer.share,
    }  # fmt: skip
    plain = both_of(said, even, "both")
    if said.single:
        row["base_biased"] = said.score(both_of(said, even, "reference").answer.of(p, p))
    row["together"] = said.score(plain.answer.of(p, q)) if said.single else row["student"]
    base, honest = said.parts["honest"], plain.held_out() if said.single else said.parts["candidate"]
    row |= weighed(said, base, said.parts["candidate"], None, "student")
    row |= weighed(said, base, honest, None, "together")
    own, counts, spoken = said.parts["own"], None, {name: pool[name] for name in pool}
    last = plain
    row["answer"], row["base"] = row["together"], row["reference"]
    if moved:
        alone = both_of(said, ratio, "reference")
        base, own, honest, counts, last = alone.held_out(), alone.held_out(), both.held_out(), ratio[said.y], both
        row["base"], row["answer"] = said.score(alone.answer.of(p, p)), said.score(both.answer.of(p, q))
        spoken["reference"] = alone.answer.of(pool["reference"], pool["reference"])
        row["student_moved"] = said.score(both_of(said, ratio, "student").answer.of(q, q))
    row |= weighed(said, base, honest, counts, "answer")
    row |= estimates(said, base, counts)
    row["moved"] = moved
    if found is not None:
        row |= {"apart": found.apart, "least": found.least}
        spoken["candidate"] = last.answer.of(pool["reference"], pool["candidate"])
        look = look_at_pool(
            spoken["reference"], spoken["candidate"], own, honest, said.y, found, float(row["answer_observed"])
        )
        row |= {"disagree": look.disagree, "allowed": look.allowed, "diverged": look.diverged, "leans": look.leans}
        truth = shares_of(said.pool_y[said.pool_y >= 0], said.classes)
        row |= {"apart_true": distance(truth, found.labels), "wrong_by": distance(truth, found.pool)}
        row |= seen(said, found)
    return {k: round(v, 5) if isinstance(v, float) else v for k, v in row.items()}


def weighed(
    said: Said, base: FoldPredictions, other: FoldPredictions, counts: np.ndarray | None, name: str
) -> dict[str, float]:
    """What the held-out labels say of a change, and its standard error."""
    found = weigh(
        said.held(base).right, said.held(other).right, Prior(), said.fold_share, task=said.task, counts=counts
    )
    return {f"{name}_observed": found.observed, f"{name}_error": found.error}


def estimates(said: Said, base: FoldPredictions, counts: np.ndarray | None) -> dict[str, float]:
    """The interval of the labels-only model's score, by held-out labels."""
    right = said.held(base).right
    found = weigh(right, right, Prior(), said.fold_share, task=said.task, counts=counts).reference
    return {"base_low": found.low, "base_high": found.high}


def seen(said: Said, found: Prevalence) -> dict[str, float]:
    """What may be seen of the pool: none of it knows a label of the pool or of the test.

    Returns:
        "chance": held-out score of the labels-only model above 1/c; "moves": share of the pool that the student labels
        otherwise; "towards": how much nearer to the labels' shares it moves the pool's; "neighbours": how much oftener
        the two models agree about held-out labels than about the pool; "apart": distance of the labels' shares from the
        pool's; "sure": mean probability of the student's labels in the pool minus its held-out score.
    """
    pool = {name: p.argmax(1) for name, p in said.pool.items()}
    shares = {name: shares_of(labels, said.classes) for name, labels in pool.items()}
    held = {name: by_repeat(said.parts[name], len(said.y)).argmax(-1) for name in ("own", "candidate")}
    moves = float((pool["reference"] != pool["candidate"]).mean())
    right = float(said.held(said.parts["honest"]).right.mean())
    return {
        "chance": right - 1 / said.classes,
        "moves": moves,
        "towards": distance(shares["reference"], found.labels) - distance(shares["candidate"], found.labels),
        "neighbours": moves - float((held["own"] != held["candidate"]).mean()),
        "apart": found.apart,
        "sure": float(said.pool["candidate"].max(1).mean()) - float(said.held(said.parts["candidate"]).right.mean()),
    }  # fmt: skip


def kind_of(row: Mapping[str, Any]) -> str:
    """Kind of data of a line."""
    images, rows = ("fashion_mnist", "cifar10"), ("digits", "mnist")
    if row["data"] in images:
        return "images"
    return "rows" if row["data"] in rows else "sentences" if row["labels"] == 100 else "texts"


def lines() -> pd.DataFrame:
    """Lines of all fits that were done, and results/pool_fits.jsonl written anew."""
    found = []
    for group in ("texts", "others", "skewed"):
        for fit in fits(group):
            if fit.file.exists():
                found.append(replay(fit))
    with open(RESULTS / "pool_fits.jsonl", "w") as out:
        out.writelines(json.dumps(row) + "\n" for row in found)
    return pd.DataFrame(found)


def prior_of(rows: pd.DataFrame, change: str) -> Prior:
    """Prior of a change from recorded fits of one method and kind."""
    settings = rows.labels.astype(str) + " labels"
    return records.prior(pd.DataFrame({"data": rows.data, "setting": settings, "change": rows[change]}))


def decided(rows: pd.DataFrame, name: str, look: bool = False) -> pd.DataFrame:
    """Decisions between the labels-only model and what is named, each by the records of the other data sets.

    Args:
        rows: lines, of which each "NAME_change" is of a model against its labels-only model.
        name: "student", "together" or "answer".
        look: whether the look at the pool may refuse.
    """
    out = []
    for (method, kind, data), group in rows.groupby(["method", "kind", "data"]):
        others = rows[(rows.method == method) & (rows.kind == kind) & (rows.data != data) & (rows.group != "skewed")]
        prior = prior_of(others, f"{name}_change")
        for _, r in group.iterrows():
            after = prior.posterior(r[f"{name}_observed"], r[f"{name}_error"])
            low, high = after.quantile((1 - LEVEL) / 2), after.quantile((1 + LEVEL) / 2)
            used = after.below(0) <= 0.5 and not (look and True in (r.get("diverged"), r.get("leans")))
            change = r[f"{name}_change"]
            out.append(r.to_dict() | {
                "harm": after.below(0), "used": used, "covered": low <= change <= high, "change": change,
            })  # fmt: skip
    return pd.DataFrame(out)


def account(d: pd.DataFrame, returned: pd.Series) -> dict[str, float | int]:
    """What decisions cost and saved, in points of the test score, against the labels-only model as it was.

    Harm and gain are those of the student, as it was; ``returned`` is the score of what is returned.
    """
    student, gained = d.student - d.reference, returned - d.reference
    harmful, gainful = student < -MARGIN, student > MARGIN
    worst = d.loc[gained.idxmin()]
    return {
        "fits": len(d), "harmful": int(harmful.sum()), "gainful": int(gainful.sum()),
        "harm kept": int((harmful & (gained < -MARGIN)).sum()),
        "harm new": int((~harmful & (gained < -MARGIN)).sum()),
        "gain thrown away": int((gainful & (gained <= MARGIN)).sum()),
        "mean of the student": round(100 * float(student.mean()), 2),
        "mean returned": round(100 * float(gained.mean()), 2),
        "mean of a perfect choice": round(100 * float(student.clip(lower=0).mean()), 2),
        "mean of returned harms": round(100 * float(gained[gained < -MARGIN].mean()), 2),
        "worst returned": round(100 * float(gained.min()), 2),
        "worst": f"{worst.data}, {worst.labels} labels, {worst.method}, draw {worst.seed}",
    }  # fmt: skip


Way = Callable[[pd.DataFrame], tuple[pd.DataFrame, pd.Series]]


def _always(name: str) -> Way:
    return lambda rows: (rows, rows[name])


def _by_evidence(name: str, base: str, score: str, look: bool = False) -> Way:
    def way(rows: pd.DataFrame) -> tuple[pd.DataFrame, pd.Series]:
        d = decided(rows, name, look)
        return d, d[score].where(d.used, d[base])

    return way


SHIPPED = "both, moved, by the evidence and the look"
"""The way of the library."""

WAYS: dict[str, Way] = {
    "labels only": _always("reference"),
    "the student, always": _always("student"),
    "the student, by the evidence": _by_evidence("student", "reference", "student"),
    "mean of both, always": _always("mean"),
    "both, weighed, always": _always("together"),
    "both, weighed, by the evidence": _by_evidence("together", "reference", "together"),
    "both, moved where shares differ, always": _always("answer"),
    "both, moved where shares differ, by the evidence": _by_evidence("answer", "base", "answer"),
    SHIPPED: _by_evidence("answer", "base", "answer", look=True),
}
"""Ways to answer, and to decide what is returned, by name."""


def expected_by(rows: pd.DataFrame, change: str, looks: Sequence[str]) -> pd.DataFrame:
    """What looks at the pool let expect of a change, and its spread, each data set by a ridge regression on the others.

    Args:
        rows: lines of one group.
        change: name of the column of the change.
        looks: names of columns; without any it is the mean.
    """
    found = pd.DataFrame(index=rows.index, columns=["expected", "spread"], dtype=float)
    for data in rows.data.unique():
        out = rows.data == data
        y = rows[change][~out].to_numpy()
        if not looks:
            found.loc[out, ["expected", "spread"]] = [y.mean(), y.std()]
            continue
        x = rows[list(looks)].fillna(0.0)
        model = make_pipeline(StandardScaler(), Ridge(alpha=10.0)).fit(x[~out], y)
        found.loc[out, "expected"] = model.predict(x[out])
        found.loc[out, "spread"] = float((y - model.predict(x[~out])).std())
    return found


def judged_looks(rows: pd.DataFrame, name: str, base: str, score: str) -> dict[str, Any]:
    """How well each look at the pool, and all together, foretell a change on data sets that were left out.

    Args:
        rows: lines of one group.
        name: "student" or "answer".
        base, score: columns of what the change is against, and of what is returned in its place.
    """
    told: dict[str, Any] = {}
    sets = {"no look": (), **{look: (look,) for look in LOOKS}, "all together": LOOKS}
    for title, looks in sets.items():
        found = expected_by(rows, f"{name}_change", looks)
        missed = (rows[f"{name}_change"] - found.expected) * 100
        used = [
            Prior(mean, max(spread, 0.01), runs=2).posterior(observed, error).below(0) <= 0.5
            for mean, spread, observed, error in zip(
                found.expected, found.spread, rows[f"{name}_observed"], rows[f"{name}_error"], strict=True
            )
        ]
        returned = rows[score].where(pd.Series(used, index=rows.index), rows[base])
        told[title] = {"off by": round(float(np.sqrt((missed**2).mean())), 2)} | account(rows, returned)
    return told


def judge() -> None:
    """Write the accounts of all ways to answer."""
    warnings.simplefilter("ignore")
    rows = lines()
    rows["kind"] = rows.apply(kind_of, axis=1)
    for name, base in (("student", "reference"), ("together", "reference"), ("answer", "base")):
        rows[f"{name}_change"] = rows[name] - rows[base]
    result: dict[str, Any] = {}
    parts = {"texts": rows.group == "texts", "other kinds": rows.group == "others", "skewed": rows.group == "skewed"}
    for part, mask in parts.items():
        own = rows[mask | (rows.group == "texts")] if part == "skewed" else rows[mask]
        if not mask.any():
            continue
        result[part] = {}
        for name, way in WAYS.items():
            d, returned = way(own)
            keep = d.group == ("others" if part == "other kinds" else part)
            result[part][name] = account(d[keep], returned[keep])
            if "covered" in d:
                result[part][name]["coverage of the change"] = round(float(d[keep].covered.mean()), 3)
        own = rows[mask]
        if part != "skewed":
            looked = own[own["apart"].notna()]
            if looked.data.nunique() > 2:
                result[part]["looks, student"] = judged_looks(looked, "student", "reference", "student")
                result[part]["looks, returned"] = judged_looks(looked, "answer", "base", "answer")
        else:
            d, returned = WAYS[SHIPPED](rows[mask | (rows.group == "texts")])
            below = (returned < d.reference - 0.03) & (d.group == "skewed")
            result[part]["more than 3 points below"] = [
                f"{r.method}, {r.share:g}, draw {r.seed}: {100 * (returned[i] - r.reference):+.1f}"
                for i, r in d[below].iterrows()
            ]
        own = own.drop_duplicates(["data", "labels", "seed", "share"])
        inside = (own.base_low <= own.base) & (own.base <= own.base_high)
        result[part]["coverage of the labels-only score"] = round(float(inside.mean()), 3)
        result[part]["by data"] = {
            f"{data}": {
                name: account(d[d.data == data], returned[d.data == data])["mean returned"]
                for name, (d, returned) in {n: w(rows[mask]) for n, w in WAYS.items() if "always" in n}.items()
            }
            for data in rows[mask].data.unique()
        }
    (RESULTS / "pool_evidence.json").write_text(json.dumps(result, indent=1) + "\n")
    print(json.dumps(result, indent=1))


def write_priors() -> None:
    """Write what answering together gained over the labels only, by kind and method."""
    rows = pd.read_json(RESULTS / "pool_fits.jsonl", lines=True)
    rows = rows[rows.group != "skewed"].assign(kind=lambda d: d.apply(kind_of, axis=1))
    rows = rows[rows.kind != "sentences"]  # whose student answers alone
    rows["change"] = rows.answer - rows.base
    made: dict[str, dict[str, Any]] = {}
    for (kind, method), own in rows.groupby(["kind", "method"]):
        if (found := prior_of(own, "change")).runs:
            made.setdefault(str(kind), {})[str(method)] = vars(found)
    folder = Path(tutelage.fit.__path__[0]) / "records"
    (folder / "together.json").write_text(json.dumps(made, indent=1) + "\n")


if __name__ == "__main__":
    {"judge": judge, "priors": write_priors}[([*sys.argv, "judge"])[1]]()
