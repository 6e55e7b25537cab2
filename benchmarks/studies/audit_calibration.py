"""Whether as many labels are wrong as the audit says: expected against found, on planted errors and on people's own.

    OMP_NUM_THREADS=1 python benchmarks/studies/audit_calibration.py

writes benchmarks/results/audit_calibration.jsonl: a line for each audit, and a last one with the numbers of
`tutelage.audit.certainty`, fitted to all planted errors. Each line has the labels that are more likely wrong than right
("listed"), how many of them are expected to be wrong, and how many are ("found"): by the posterior alone ("raw"), and
calibrated ("calibrated") by numbers fitted to the other data sets only. People's own errors (CIFAR-10N) are judged, and
never fitted to. Errors that the data sets have of their own count as right labels, so that "found" is a lower bound.
Features: frozen MiniLM of texts, frozen EfficientNet-Lite0 of images, pixels of digits.
"""

from __future__ import annotations

import json
import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from scipy.optimize import minimize
from scipy.special import expit, logit

from tutelage import find_label_errors
from tutelage.audit.certainty import CENTRE, CLIPPED, Certainty, purity_of, saturated
from tutelage.audit.posterior import bayes
from tutelage.bench.cells import encoded
from tutelage.bench.protocol import DataSet, data_root
from tutelage.bench.sets import load
from tutelage.distil import noise

OUT = Path(__file__).parents[1] / "results" / "audit_calibration.jsonl"
ROOT = data_root(Path(__file__))
MOST = {"digits": 1500, "cifar10n": 1500}
"""Rows of a data set of which samples are drawn; of the others 600."""

HUMAN = ("aggregate", "random1", "worst")
RATES, KINDS, SEEDS = (5, 10, 20, 30), {"symmetric": noise.symmetric, "next class": noise.next_class}, (0, 1)
SIZES = (200, 600, 1500)
FEW = 4
"""Classes with fewer rows in a sample are left out of it."""


def text_set(name: str, file: str, learn: str = "train", test: str = "test") -> DataSet:
    """A data set of texts, of which 600 are read."""
    return DataSet(name=name, kind="texts", file=file, learn=(learn,), test=(test,), pool=600, scored=4)


SETS = (
    text_set("ag_news", "ag_news/ag_news.parquet"), text_set("sms", "sms/sms.parquet"),
    text_set("trec", "trec/trec.parquet"), text_set("youtube", "youtube_spam/youtube.parquet"),
    text_set("imdb", "imdb/imdb.parquet"), text_set("yelp", "yelp/yelp.parquet", "valid"),
    text_set("r8", "cache:data/r8.parquet"), text_set("newsgroups", "cache:data/newsgroups.parquet"),
    DataSet(name="digits", kind="rows", file="scikit-learn:digits", split="", pool=1500, scored=4),
    DataSet(
        name="cifar10n", kind="images", file="cifar10/train.parquet", test_file="cifar10/test.parquet", items="image",
        noisy_file="cifar10/cifar10n_labels.parquet", pool=1500, scored=4,
    ),
)  # fmt: skip


@dataclass(frozen=True)
class Sample:
    """One audit: what it was of, the uncalibrated probabilities, (n,), the purity, and which labels are wrong, (n,)."""

    about: dict[str, Any]
    raw: np.ndarray
    purity: float
    wrong: np.ndarray

    @property
    def data(self) -> str:
        return str(self.about["data"])

    @property
    def planted(self) -> bool:
        return bool(self.about["noise"] not in HUMAN)


def audited(about: dict[str, Any], x: np.ndarray, right: np.ndarray, given: np.ndarray) -> Sample | None:
    """An audit of labels; None where a class is left with too few, or nothing can be said."""
    known, given = np.unique(given, return_inverse=True)
    if np.bincount(given).min() < 2:
        return None
    found = find_label_errors(x, given, random_state=about["seed"])
    if np.isnan(found.noise_rate):
        return None
    posterior = bayes(found.beliefs, given, found.transition)
    raw = (1 - posterior[np.arange(len(given)), given]).clip(0, 1)
    purity = purity_of(found.neighbours.index, posterior)
    about |= {"rows": len(given), "classes": len(known), "wrong": int((known[given] != right).sum())}
    return Sample(about, raw, purity, known[given] != right)


def samples() -> Iterator[Sample]:
    """All audits, set by set."""
    for data in SETS:
        if data.kind == "rows":
            cut = load(data, ROOT)
            x = np.asarray(cut.learn.items)
        else:
            cut, learn, _ = encoded(data, ROOT)
            x = learn.numpy()
        y, most = cut.learn.y, MOST.get(data.name, 600)
        for size in (s for s in SIZES if s <= most):
            for seed in SEEDS:
                rows = np.random.default_rng(1000 * seed + size).permutation(len(y))[:size]
                rows = rows[np.isin(y[rows], np.flatnonzero(np.bincount(y[rows], minlength=y.max() + 1) >= FEW))]
                right = np.unique(y[rows], return_inverse=True)[1]
                for kind, given in of_noise(cut.noisy, y, rows, right, seed):
                    truth = y[rows] if kind in HUMAN else right
                    about = {"data": data.name, "noise": kind, "size": size, "seed": seed}
                    if (found := audited(about, x[rows], truth, given)) is not None:
                        yield found
        print(data.name, flush=True)


def of_noise(
    noisy: dict[str, np.ndarray], y: np.ndarray, rows: np.ndarray, right: np.ndarray, seed: int
) -> Iterator[tuple[str, np.ndarray]]:  # fmt: skip
    """Noisy labels of a sample, by the name of the noise: those of people where there are any, else planted ones."""
    if noisy:
        yield from ((name, noisy[name][rows]) for name in HUMAN)
        return
    for kind, transition in KINDS.items():
        for rate in RATES:
            yield f"{kind} {rate}", noise.corrupt(right, transition(int(right.max()) + 1, rate / 100), seed)


def fitted(of: list[Sample]) -> Certainty:
    """Numbers of largest likelihood; every data set, and every audit of it, counts alike."""
    audits = {name: sum(s.data == name for s in of) for name in {s.data for s in of}}
    u = np.concatenate([np.full(len(s.raw), logit(np.clip(s.purity, CLIPPED, 1 - CLIPPED)) - CENTRE) for s in of])
    z, t = np.concatenate([saturated(s.raw) for s in of]), np.concatenate([s.wrong for s in of]).astype(float)
    weight = np.concatenate([np.full(len(s.raw), 1 / len(s.raw) / audits[s.data]) for s in of])

    def loss(theta: np.ndarray) -> tuple[float, np.ndarray]:
        scale = np.exp(np.clip(theta[0] + theta[1] * u, -4, 2))
        logits = scale * z + theta[2] + theta[3] * u
        slope = weight * (expit(logits) - t)
        value = float((weight * (np.logaddexp(0, logits) - t * logits)).sum())
        parts = (slope * scale * z, slope * scale * z * u, slope, slope * u)
        return value, np.array([part.sum() for part in parts])

    found = minimize(loss, np.zeros(4), jac=True, method="L-BFGS-B").x.round(3).tolist()
    return Certainty((found[0], found[1]), (found[2], found[3]))


def line(sample: Sample, certainty: Certainty) -> dict[str, Any]:
    """Expected against found, by the posterior alone and calibrated."""
    found: dict[str, Any] = sample.about | {"purity": round(sample.purity, 4)}
    for name, p in (("raw", sample.raw), ("calibrated", certainty(sample.raw, sample.purity))):
        listed = p >= 0.5
        found |= {
            f"{name}_listed": int(listed.sum()), f"{name}_expected": round(float(p[listed].sum()), 2),
            f"{name}_found": int(sample.wrong[listed].sum()), f"{name}_of_all": round(float(p.sum()), 2),
        }  # fmt: skip
    return found


def main() -> None:
    """Audit all, judge each data set by the numbers of the others, and write the file."""
    torch.set_num_threads(1)
    warnings.simplefilter("ignore")
    every = list(samples())
    planted = [s for s in every if s.planted]
    numbers = {name: fitted([s for s in planted if s.data != name]) for name in {s.data for s in every}}
    lines = [line(s, numbers[s.data]) for s in every]
    shipped = fitted(planted)
    lines.append({"data": "all", "noise": "fitted", "scale": shipped.scale, "shift": shipped.shift})
    OUT.write_text("".join(json.dumps(each) + "\n" for each in lines))
    for name in numbers:
        of = [each for each in lines if each["data"] == name]
        sums = {k: round(sum(each[k] for each in of)) for k in of[0] if k.startswith(("raw", "calibrated", "wrong"))}
        print(name, sums, flush=True)
    print(shipped)


if __name__ == "__main__":
    main()
