"""Which student: tried on held-out rows, by the labels they have, noisy or clean.

Where every wrong label is as likely as every other, the accuracy on noisy labels rises and falls with that on
clean ones, so held-out noisy labels can choose. The simplest student is kept unless another is better by more than half
the standard error of the difference (after Breiman et al., Classification and Regression Trees, 1984, who take one).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float, Int

from tutelage.distil import exact
from tutelage.distil.closed import Decomposition, cross, decompose, decompose_moments, one_hot, second
from tutelage.distil.partial import halves, leading
from tutelage.distil.rows import BLOCK, FeatureRows, blocks, take

KINDS = ("labels", "robust", "rounds", "two_hot")
"""From the simplest: labels as given, by cross-entropy or by a robust loss; rounds; two-hot labels."""

MARGIN = 0.5
"""Standard errors that a simpler student may be behind; as the order, chosen on other data than the benchmark's."""

FOLDS = 5
"""Of so many parts of the rows each is held out once,"""
MOST_HELD_OUT = 10_000
"""but no more than hold so many rows."""

GRID = 10 ** np.linspace(-2.5, 2, 10)
"""Weight decays tried, in units of 1 / (K r): 1 halves a direction of mean eigenvalue."""
STEPS = (1.0, 10**0.5, 10.0)
"""Weight decays of the two-hot student, in units of its teacher's."""
STEP = 10**0.5
NEAR = (1 / STEP, 1.0, STEP)
"""Weight decays of the exact students, in units of the linearised teacher's that is best;"""
FURTHEST = 4
"""where the outermost is the best, steps further out for as long as it gets better, but no more than so many in all."""

ROBUST = 0.9
"""q of the robust loss, chosen on held-out parts; the closer to 1, the less a row counts that the student gives up."""
LOGITS_AT_ONCE = 2**23
"""Logits held at a time."""
COARSE = 1e-3
"""Gradient at which the exact students stop; the accuracy no longer changes."""


@dataclass(frozen=True)
class StudentSetting:
    """One student.

    Args:
        kind: one of KINDS.
        rounds: t of "rounds"; 1 else.
        weight_decay: lambda of the student, for rows of mean squared length 1; the robust loss, whose gradient is
            smaller, takes ``K^-q`` of it.
        teacher: lambda of the teacher of "two_hot"; of others, the same.
    """

    kind: str
    rounds: int
    weight_decay: float
    teacher: float

    @property
    def rank(self) -> tuple[int, bool]:
        """Its place from the simplest."""
        return KINDS.index(self.kind), self.rounds > 1


@dataclass(frozen=True)
class Trial:
    """A setting, and how many of the held-out rows it got right.

    Args:
        score: share of held-out labels predicted, in [0, 1].
        behind: how far that is behind the best, and the standard error of the difference.
    """

    setting: StudentSetting
    score: float
    behind: tuple[float, float]


@dataclass(frozen=True)
class Students:
    """The students of some labelled rows."""

    rows: FeatureRows
    labels: Int[np.ndarray, " n"]
    classes: int
    decomposition: Decomposition
    cross: Float[np.ndarray, "d k"]

    @staticmethod
    def of(rows: FeatureRows, labels: Int[np.ndarray, " n"], classes: int) -> Students:
        return Students(rows, labels, classes, decompose(rows), cross(rows, one_hot(labels, classes)))

    def closed(self, settings: Sequence[StudentSetting]) -> Float[np.ndarray, "s d k"]:
        """Weights of the logits of linearised students, of rounds and of two-hot labels."""
        teachers = sorted({s.teacher for s in settings if s.kind == "two_hot"})
        partial = dict(zip(teachers, self._two_hot(teachers), strict=True))
        d = self.decomposition
        moments = {t: d.basis.T @ m for t, m in partial.items()} | {None: d.basis.T @ self.cross}
        return np.stack([
            self.classes * d.weights(moments[s.teacher if s.kind == "two_hot" else None], s.weight_decay, s.rounds)
            for s in settings
        ])  # fmt: skip

    def _two_hot(self, teachers: Sequence[float]) -> Float[np.ndarray, "s d k"]:
        """``X' (T - 1/K)`` for the two-hot labels T of each teacher, all in one pass over the rows."""
        total = np.zeros((len(teachers), self.rows.shape[1], self.classes))
        if teachers:
            weights = self.closed([StudentSetting("rounds", 1, t, t) for t in teachers])
            for _, x in blocks(self.rows):
                first, second = leading(each(x, weights))
                total += x.T @ (halves(first, second, self.classes) - 1 / self.classes)
        return total

    def exact(self, setting: StudentSetting) -> Float[np.ndarray, "d k"]:
        """Weights of the logits of an exact student: "labels" or "robust"."""
        power = ROBUST if setting.kind == "robust" else 0.0
        start = self.closed([StudentSetting("rounds", 1, setting.weight_decay, setting.weight_decay)])[0]
        decay = setting.weight_decay * self.classes**-power
        targets = one_hot(self.labels, self.classes)
        rows = self.rows.astype(np.float32) if isinstance(self.rows, np.ndarray) else self.rows
        return exact.student(rows, targets, decay, power, start, COARSE, self.decomposition).weights

    def weights(self, setting: StudentSetting) -> Float[np.ndarray, "d k"]:
        """Weights of the logits of any student."""
        found: np.ndarray = self.exact(setting) if setting.kind in ("labels", "robust") else self.closed([setting])[0]
        return found


def each(x: Float[np.ndarray, "b d"], weights: Float[np.ndarray, "s d k"]) -> Float[np.ndarray, "s b k"]:
    """The logits of each of s students."""
    s, d, k = weights.shape
    found: np.ndarray = (x @ weights.transpose(1, 0, 2).reshape(d, s * k)).reshape(len(x), s, k).transpose(1, 0, 2)
    return found


@dataclass(frozen=True)
class HeldOutRows:
    """Students of some rows, and other rows to look at."""

    students: Students
    rows: FeatureRows
    labels: Int[np.ndarray, " m"]

    def right(self, weights: Float[np.ndarray, "s d k"]) -> Bool[np.ndarray, "s m"]:
        """Which of the rows each student gets right."""
        found = np.empty((len(weights), len(self.rows)), dtype=bool)
        some = max(LOGITS_AT_ONCE // (BLOCK * weights.shape[2]), 1)
        for part, x in blocks(self.rows):
            for i in range(0, len(weights), some):
                found[i : i + some, part] = each(x, weights[i : i + some]).argmax(-1) == self.labels[part]
        return found


def deal(labels: Int[np.ndarray, " n"], parts: int, seed: int) -> list[Int[np.ndarray, " m"]]:
    """The numbers of the rows of each part, the classes' shares alike.

    >>> [sorted(np.array([0, 0, 1, 1])[part].tolist()) for part in deal(np.array([0, 0, 1, 1]), 2, seed=0)]
    [[0, 1], [0, 1]]
    """
    shuffled = np.random.default_rng(seed).permutation(len(labels))
    dealt = shuffled[np.argsort(labels[shuffled], kind="stable")]
    return [np.sort(dealt[i::parts]) for i in range(parts)]


@dataclass(frozen=True)
class Fold:
    """A part of the rows, and what is known of the others.

    Args:
        out: numbers of the rows of the part, sorted.
        kept: those of the others.
        decomposition, cross: of the others; see `Students`.
    """

    out: Int[np.ndarray, " m"]
    kept: Int[np.ndarray, " n"]
    decomposition: Decomposition
    cross: Float[np.ndarray, "d k"]

    def students(self, full: Students) -> Students:
        """The students of the others."""
        rows, labels = take(full.rows, self.kept), full.labels[self.kept]
        return Students(rows, labels, full.classes, self.decomposition, self.cross)

    def fill(self, found: Float[np.ndarray, "n k"], full: Students, weights: Float[np.ndarray, "d k"]) -> None:
        """Write what a student says of the part's rows."""
        for at, x in blocks(take(full.rows, self.out)):
            found[self.out[at]] = x @ weights


def folds_of(full: Students, seed: int, parts: int = FOLDS, some: int | None = None) -> list[Fold]:
    """The first ``some`` of so many parts of the rows (or of as many as rows), the classes' shares alike; None is all.

    None needs its own pass for a decomposition: its moments are taken off those of all rows.
    """
    everyone, total, found = np.arange(len(full.labels)), second(full.rows), []
    for out in deal(full.labels, min(parts, len(full.labels)), seed)[:some]:
        away, y = take(full.rows, out), one_hot(full.labels[out], full.classes)
        kept = np.setdiff1d(everyone, out, assume_unique=True)
        others = decompose_moments(total - second(away), len(kept))
        found.append(Fold(out, kept, others, full.cross - cross(away, y)))
    return found


def held_out_rows(full: Students, seed: int) -> list[HeldOutRows]:
    """Each part of the rows held out from the others; see FOLDS and MOST_HELD_OUT."""
    n = len(full.labels)
    parts = max(min(FOLDS, n), math.ceil(n / MOST_HELD_OUT))
    found = folds_of(full, seed, parts, math.ceil(MOST_HELD_OUT * parts / n))
    return [HeldOutRows(p.students(full), take(full.rows, p.out), full.labels[p.out]) for p in found]


def settings(
    kinds: Sequence[str], rounds: Sequence[int], decays: Sequence[float], steps: Sequence[float]
) -> list[StudentSetting]:
    """The linearised students to be tried; one round is always among them, to guide the exact ones."""
    found = [
        StudentSetting("rounds", t, w, w) for t in sorted({1, *(rounds if "rounds" in kinds else ())}) for w in decays
    ]
    if "two_hot" in kinds:
        found += [StudentSetting("two_hot", 1, step * w, w) for w in decays for step in steps]
    return found


def trials(
    held_out: Sequence[HeldOutRows], kinds: Sequence[str], rounds: Sequence[int], decays: Sequence[float]
) -> list[Trial]:
    """Every setting's score, the best first.

    Args:
        held_out: rows to look at, and the students of others.
        kinds: of KINDS.
        rounds: numbers of rounds tried.
        decays: weight decays tried; of one, nothing is tried beside it.
    """
    several = len(decays) > 1
    closed = settings(kinds, rounds, decays, STEPS if several else (1.0,))
    found = dict(zip(closed, np.hstack([h.right(h.students.closed(closed)) for h in held_out]), strict=True))
    best = max((s for s in closed if s.kind == "rounds" and s.rounds == 1), key=lambda s: found[s].mean()).weight_decay
    for kind in ("labels", "robust"):
        if kind in kinds:
            found |= _climbed(held_out, kind, best, FURTHEST if several else 0)
    wanted = {s: r for s, r in found.items() if s.kind in kinds and (s.kind != "rounds" or s.rounds in rounds)}
    top = max(wanted.values(), key=lambda right: right.mean())
    table = []
    for s, right in wanted.items():
        behind = top.astype(float) - right
        error = float(behind.std()) / math.sqrt(len(behind))
        table.append(Trial(s, float(right.mean()), (float(behind.mean()), error)))
    return sorted(table, key=lambda t: -t.score)


def _climbed(
    held_out: Sequence[HeldOutRows], kind: str, decay: float, furthest: int
) -> dict[StudentSetting, np.ndarray]:
    """What exact students of one kind get right, by weight decay: see NEAR and FURTHEST."""
    found: dict[StudentSetting, np.ndarray] = {}

    def score(step: int) -> float:
        s = StudentSetting(kind, 1, decay * STEP**step, decay * STEP**step)
        if s not in found:
            found[s] = np.hstack([h.right(h.students.exact(s)[None])[0] for h in held_out])
        return float(found[s].mean())

    score(0)
    for way in (1, -1):
        step = 0
        while abs(step) < furthest and score(step + way) > score(step):
            step += way
    return found


def chosen(table: Sequence[Trial]) -> StudentSetting:
    """The best of the simplest kind that is not behind by more than the margin."""
    near = [t for t in table if t.behind[0] <= MARGIN * t.behind[1]]
    return min(near, key=lambda t: (t.setting.rank, -t.score)).setting
