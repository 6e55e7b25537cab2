"""Choice of a student by cross-validation, on the labels as they are, noisy or clean.

Where all wrong labels are equally likely, the accuracy on noisy labels rises and falls with the accuracy on clean ones,
so that held-out noisy labels can choose. The simplest student is kept unless another is better by more than half the
standard error of the difference (after Breiman et al., Classification and Regression Trees, 1984, who take a whole
standard error).
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
"""Kinds of students, the simplest first: the labels as given, learnt by cross-entropy or by a robust loss; rounds of
self-distillation; two-hot labels."""

MARGIN = 0.5
"""Standard errors that a simpler student may be behind; like the order of KINDS, chosen on other data than the
benchmark's."""

FOLDS = 5
"""Number of folds of the cross-validation."""
MOST_HELD_OUT = 10_000
"""Number of held-out rows that are enough to choose a student; the folds after those that hold them are skipped."""

GRID = 10 ** np.linspace(-2.5, 2, 10)
"""Weight decays that are tried, as multiples of 1 / (K r) for r eigenvalues; 1 halves a direction whose eigenvalue is
the mean."""
STEPS = (1.0, 10**0.5, 10.0)
"""Weight decays of the two-hot student, as multiples of its teacher's."""
STEP = 10**0.5
"""Factor between neighbouring weight decays of the exact students."""
NEAR = (1 / STEP, 1.0, STEP)
"""Weight decays of the exact students that are tried first, as multiples of the best one of the linearised student."""
FURTHEST = 4
"""Largest number of factors STEP between a weight decay that is tried and the best one of the linearised student."""

ROBUST = 0.9
"""Exponent q of the robust loss, chosen on held-out rows; the closer to 1, the less a row counts that does not fit."""
LOGITS_AT_ONCE = 2**23
"""Number of logits that are computed at a time."""
COARSE = 1e-3
"""Tolerance of the exact students' gradient; a smaller one no longer changes their accuracy."""


@dataclass(frozen=True)
class StudentSetting:
    """Hyper-parameters of a student.

    Args:
        kind: one of KINDS.
        rounds: number of rounds t of "rounds", at least 1; 1 for the other kinds.
        weight_decay: lambda of the student, above 0, for rows of mean squared length 1; the robust loss, whose gradient
            is smaller, takes ``K^-q`` of it.
        teacher: lambda of the teacher of "two_hot"; for the other kinds, the same as ``weight_decay``.
    """

    kind: str
    rounds: int
    weight_decay: float
    teacher: float

    @property
    def rank(self) -> tuple[int, bool]:
        """Sort key by which the simplest student comes first: the kind's place in KINDS, and whether t is above 1."""
        return KINDS.index(self.kind), self.rounds > 1


@dataclass(frozen=True)
class Trial:
    """A setting and its score on the held-out rows.

    Args:
        setting: hyper-parameters of the student.
        score: share of the held-out labels that the student predicts, in [0, 1].
        behind: difference of the best score and this one, at least 0, and the standard error of the difference.
    """

    setting: StudentSetting
    score: float
    behind: tuple[float, float]


@dataclass(frozen=True)
class Students:
    """The students of some labelled rows; one decomposition serves them all.

    Args:
        rows: X, (n, d).
        labels: class numbers as given, (n,).
        classes: number of classes K.
        decomposition: decomposition of the rows.
        cross: ``X' (Y - 1/K)``, (d, K), for the labels Y as given.
    """

    rows: FeatureRows
    labels: Int[np.ndarray, " n"]
    classes: int
    decomposition: Decomposition
    cross: Float[np.ndarray, "d k"]

    @staticmethod
    def of(rows: FeatureRows, labels: Int[np.ndarray, " n"], classes: int) -> Students:
        """Students of rows, (n, d), with class numbers as labels, (n,); the rows are decomposed here."""
        return Students(rows, labels, classes, decompose(rows), cross(rows, one_hot(labels, classes)))

    def closed(self, settings: Sequence[StudentSetting]) -> Float[np.ndarray, "s d k"]:
        """Weights W of linearised students, (s, d, K); their logits are ``X W``.

        Args:
            settings: hyper-parameters of s students; those that are not of the kind "two_hot" count as "rounds".
        """
        teachers = sorted({s.teacher for s in settings if s.kind == "two_hot"})
        partial = dict(zip(teachers, self._two_hot(teachers), strict=True))
        d = self.decomposition
        # by the teacher's weight decay, for two-hot labels; None stands for the labels as given
        moments = {t: d.basis.T @ m for t, m in partial.items()} | {None: d.basis.T @ self.cross}
        return np.stack([
            self.classes * d.weights(moments[s.teacher if s.kind == "two_hot" else None], s.weight_decay, s.rounds)
            for s in settings
        ])  # fmt: skip

    def _two_hot(self, teachers: Sequence[float]) -> Float[np.ndarray, "s d k"]:
        """``X' (T - 1/K)`` for the two-hot labels T of each teacher, (s, d, K), in one pass over the rows.

        Args:
            teachers: weight decays of s teachers.
        """
        total = np.zeros((len(teachers), self.rows.shape[1], self.classes))
        if teachers:
            weights = self.closed([StudentSetting("rounds", 1, t, t) for t in teachers])
            for _, x in blocks(self.rows):
                first, second = leading(each(x, weights))
                total += x.T @ (halves(first, second, self.classes) - 1 / self.classes)
        return total

    def exact(self, setting: StudentSetting) -> Float[np.ndarray, "d k"]:
        """Weights W of an exact student, of the kind "labels" or "robust", (d, K); its logits are ``X W``."""
        power = ROBUST if setting.kind == "robust" else 0.0
        start = self.closed([StudentSetting("rounds", 1, setting.weight_decay, setting.weight_decay)])[0]
        decay = setting.weight_decay * self.classes**-power
        targets = one_hot(self.labels, self.classes)
        rows = self.rows.astype(np.float32) if isinstance(self.rows, np.ndarray) else self.rows
        return exact.student(rows, targets, decay, power, start, COARSE, self.decomposition).weights

    def weights(self, setting: StudentSetting) -> Float[np.ndarray, "d k"]:
        """Weights W of a student of any kind, (d, K); its logits are ``X W``."""
        found: np.ndarray = self.exact(setting) if setting.kind in ("labels", "robust") else self.closed([setting])[0]
        return found


def each(x: Float[np.ndarray, "b d"], weights: Float[np.ndarray, "s d k"]) -> Float[np.ndarray, "s b k"]:
    """Logits of a block of rows by each of s students, (s, b, K).

    Args:
        x: block of rows, (b, d).
        weights: weights of the students, (s, d, K).
    """
    s, d, k = weights.shape  # one product of matrices for all students is faster than one for each
    found: np.ndarray = (x @ weights.transpose(1, 0, 2).reshape(d, s * k)).reshape(len(x), s, k).transpose(1, 0, 2)
    return found


@dataclass(frozen=True)
class HeldOutRows:
    """A fold's held-out rows, and the students of all other rows.

    Args:
        students: students of the other rows.
        rows: held-out rows, (m, d).
        labels: class numbers of the held-out rows, (m,).
    """

    students: Students
    rows: FeatureRows
    labels: Int[np.ndarray, " m"]

    def right(self, weights: Float[np.ndarray, "s d k"]) -> Bool[np.ndarray, "s m"]:
        """Whether each student predicts the label of each held-out row, (s, m).

        Args:
            weights: weights of s students, (s, d, K).
        """
        found = np.empty((len(weights), len(self.rows)), dtype=bool)
        some = max(LOGITS_AT_ONCE // (BLOCK * weights.shape[2]), 1)
        for part, x in blocks(self.rows):
            for i in range(0, len(weights), some):
                found[i : i + some, part] = each(x, weights[i : i + some]).argmax(-1) == self.labels[part]
        return found


def deal(labels: Int[np.ndarray, " n"], parts: int, seed: int) -> list[Int[np.ndarray, " m"]]:
    """Numbers of the rows of each part, sorted; all parts have the same shares of the classes, up to rounding.

    Args:
        labels: class numbers, (n,).
        parts: number of parts, at most n.
        seed: seed of the draw.

    >>> [sorted(np.array([0, 0, 1, 1])[part].tolist()) for part in deal(np.array([0, 0, 1, 1]), 2, seed=0)]
    [[0, 1], [0, 1]]
    """
    shuffled = np.random.default_rng(seed).permutation(len(labels))
    dealt = shuffled[np.argsort(labels[shuffled], kind="stable")]
    return [np.sort(dealt[i::parts]) for i in range(parts)]


def together(parts: Sequence[np.ndarray], groups: Int[np.ndarray, " n"]) -> list[Int[np.ndarray, " m"]]:
    """The same parts of the rows, but all rows of a group are in the part of its first row.

    Args:
        parts: numbers of the rows of each part.
        groups: group number of each row, (n,).

    >>> [part.tolist() for part in together([np.array([0, 2]), np.array([1, 3])], np.array([0, 1, 2, 0]))]
    [[0, 2, 3], [1]]
    """
    of = np.empty(len(groups), dtype=np.int64)
    for number, rows in enumerate(parts):
        of[rows] = number
    _, first, which = np.unique(groups, return_index=True, return_inverse=True)
    found = (np.flatnonzero(of[first][which] == number) for number in range(len(parts)))
    return [rows for rows in found if len(rows)]


@dataclass(frozen=True)
class Fold:
    """A fold of a cross-validation: the rows that are held out, and the moments of the others.

    Args:
        out: numbers of the held-out rows, (m,), sorted.
        kept: numbers of the other rows, (n,), sorted.
        decomposition, cross: those of the other rows; see `Students`.
    """

    out: Int[np.ndarray, " m"]
    kept: Int[np.ndarray, " n"]
    decomposition: Decomposition
    cross: Float[np.ndarray, "d k"]

    def students(self, full: Students) -> Students:
        """The students of the rows that are not held out.

        Args:
            full: students of all rows.
        """
        rows, labels = take(full.rows, self.kept), full.labels[self.kept]
        return Students(rows, labels, full.classes, self.decomposition, self.cross)

    def fill(self, found: Float[np.ndarray, "n k"], full: Students, weights: Float[np.ndarray, "d k"]) -> None:
        """Write a student's logits of the held-out rows into ``found``.

        Args:
            found: logits of all rows, (n, K); only those of the held-out rows are written.
            full: students of all rows.
            weights: weights of the student, (d, K).
        """
        for at, x in blocks(take(full.rows, self.out)):
            found[self.out[at]] = x @ weights


def folds_of(
    full: Students, seed: int, parts: int = FOLDS, some: int | None = None, groups: Int[np.ndarray, " n"] | None = None
) -> list[Fold]:
    """Folds of the rows, all with the same shares of the classes, up to rounding.

    A fold's decomposition needs no pass over the rows that are not held out: their moments are those of all rows less
    those of the held-out ones.

    Args:
        full: students of all rows.
        seed: seed of the draw of the folds.
        parts: number of folds; where there are fewer rows, each row is a fold.
        some: number of folds that are given, the first ones; None gives all.
        groups: group number of each row, (n,); rows of one group are held out together. None has no groups.
    """
    everyone, total, found = np.arange(len(full.labels)), second(full.rows), []
    dealt = deal(full.labels, min(parts, len(full.labels)), seed)
    for out in (dealt if groups is None else together(dealt, groups))[:some]:
        away, y = take(full.rows, out), one_hot(full.labels[out], full.classes)
        kept = np.setdiff1d(everyone, out, assume_unique=True)
        others = decompose_moments(total - second(away), len(kept))
        found.append(Fold(out, kept, others, full.cross - cross(away, y)))
    return found


def held_out_rows(full: Students, seed: int) -> list[HeldOutRows]:
    """Held-out rows of each fold, with the students of all others.

    There are FOLDS folds, or more, so that a fold has at most MOST_HELD_OUT rows. The first are given, as many as
    together have MOST_HELD_OUT rows.

    Args:
        full: students of all rows.
        seed: seed of the draw of the folds.
    """
    n = len(full.labels)
    parts = max(min(FOLDS, n), math.ceil(n / MOST_HELD_OUT))
    found = folds_of(full, seed, parts, math.ceil(MOST_HELD_OUT * parts / n))
    return [HeldOutRows(p.students(full), take(full.rows, p.out), full.labels[p.out]) for p in found]


def settings(
    kinds: Sequence[str], rounds: Sequence[int], decays: Sequence[float], steps: Sequence[float]
) -> list[StudentSetting]:
    """Settings of the linearised students that are tried.

    One round is always among them: its best weight decay is where the search for the exact students begins.

    Args:
        kinds: kinds that are tried, of KINDS.
        rounds: numbers of rounds that are tried.
        decays: weight decays that are tried; for "two_hot" those of the teacher.
        steps: weight decays of the two-hot student, as multiples of its teacher's.
    """
    found = [
        StudentSetting("rounds", t, w, w) for t in sorted({1, *(rounds if "rounds" in kinds else ())}) for w in decays
    ]
    if "two_hot" in kinds:
        found += [StudentSetting("two_hot", 1, step * w, w) for w in decays for step in steps]
    return found


def trials(
    held_out: Sequence[HeldOutRows], kinds: Sequence[str], rounds: Sequence[int], decays: Sequence[float]
) -> list[Trial]:
    """The settings that were tried, with their scores, the best first.

    Args:
        held_out: held-out rows of each fold, with the students of all others.
        kinds: kinds that are tried, of KINDS.
        rounds: numbers of rounds that are tried.
        decays: weight decays that are tried; a single one is taken for every student, and no other is tried.
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
    """Whether exact students of one kind predict each held-out label, (rows,), by setting.

    From ``decay`` the search goes up and down in factors of STEP, for as long as the score rises, and at most
    ``furthest`` of them.
    """
    found: dict[StudentSetting, np.ndarray] = {}

    def score(step: int) -> float:
        """Accuracy at this many factors of STEP from ``decay``."""
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
    """Setting of the simplest student that is at most MARGIN standard errors behind the best; of several, the best.

    Args:
        table: the settings with their scores.
    """
    near = [t for t in table if t.behind[0] <= MARGIN * t.behind[1]]
    return min(near, key=lambda t: (t.setting.rank, -t.score)).setting
