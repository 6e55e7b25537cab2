"""What students say of rows whose labels they never learnt: parts of the rows held out in turn."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Int
from scipy.special import softmax
from sklearn.exceptions import ConvergenceWarning

from tutelage.audit.posterior import Noise, bayes, centred, fit
from tutelage.distil import exact
from tutelage.distil.choice import COARSE, GRID, NEAR, Fold, Students, StudentSetting, each
from tutelage.distil.rows import FeatureRows, blocks, take
from tutelage.types import Tick

KIND = "robust"
"""The student: of the labels as given, by a loss that gives up rows which do not fit.

One of cross-entropy is as unsure as the labels are noisy. Heard too, it explains the noise away: all labels seem right.
"""

LOOKED_AT = 4_000
"""Rows of the parts that are looked at to choose, at least, where there are so many."""

TURNS = 4
"""Turns of the student that knows the noise: what its rows are, and what it learns from that."""

Weights = Float[np.ndarray, "d k"]
Logits = Float[np.ndarray, "n k"]


@dataclass
class HeldOutOpinions:
    """Students of all parts but one, each asked about that one.

    Args:
        full: students of all rows, which learn nothing here.
        parts: of the rows.
        seed: of the rows that the noise is fitted to.
        tick: told "judging", the students that are done, and all students.
    """

    full: Students
    parts: Sequence[Fold]
    seed: int = 0
    tick: Tick | None = None

    def __post_init__(self) -> None:
        looked_at = np.cumsum([len(part.out) for part in self.parts])
        self.first = min(int(np.searchsorted(looked_at, LOOKED_AT)) + 1, len(self.parts))
        """Parts that are looked at to choose."""
        self.done, self.to_do = 0, len(NEAR) * self.first + 2 * len(self.parts) - self.first
        self.known: dict[tuple[int, StudentSetting], Weights] = {}

    def opinions(self) -> tuple[Float[np.ndarray, "m n k"], StudentSetting, Noise]:
        """Logits of all rows by the student and by one that knows the noise; the student's setting, and the noise.

        The weight decay is that under which the held-out labels are likeliest, their noise fitted too. The student that
        knows the noise begins at the other and learns what its rows are by (B).
        """
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ConvergenceWarning)  # near the optimum is near enough
            best = self._decay()
            tried = [StudentSetting(KIND, 1, best * near, best * near) for near in NEAR]
            setting = max(tried, key=lambda s: self._judge(s).likelihood)
            first = self._logits(setting)
            noise = fit(centred([first]), self.full.labels, seed=self.seed)
            return centred([first, self._knowing(setting, noise)]), setting, noise

    def _decay(self) -> float:
        """The weight decay by which one linearised student gets most of the held-out labels right."""
        unit = 1 / (self.full.classes * len(self.full.decomposition.values))
        settings = [StudentSetting("rounds", 1, w, w) for w in (GRID * unit).tolist()]
        right = np.zeros(len(settings))
        for part in self.parts[: self.first]:
            weights = part.students(self.full).closed(settings)
            for at, x in blocks(take(self.full.rows, part.out)):
                right += (each(x, weights).argmax(-1) == self.full.labels[part.out[at]]).sum(1)
        return settings[int(right.argmax())].weight_decay

    def _judge(self, setting: StudentSetting) -> Noise:
        """How likely the held-out labels of some parts are under a student, with the noise that fits."""
        rows = np.concatenate([part.out for part in self.parts[: self.first]])
        found = self._logits(setting, self.first)[rows]
        return fit(centred([found]), self.full.labels[rows], seed=self.seed)

    def _logits(self, setting: StudentSetting, parts: int | None = None) -> Logits:
        """What students of a setting say of the rows of the first parts, or of all."""
        found = np.zeros((len(self.full.labels), self.full.classes), dtype=np.float32)
        for i, part in enumerate(self.parts[:parts]):
            if (i, setting) not in self.known:
                self.known[i, setting] = part.students(self.full).exact(setting)
                self._count()
            part.fill(found, self.full, self.known[i, setting])
        return found

    def _knowing(self, setting: StudentSetting, noise: Noise) -> Logits:
        """The same of students of what the rows are by (B), each beginning at the student of the labels as given."""
        found = np.zeros((len(self.full.labels), self.full.classes), dtype=np.float32)
        for i, part in enumerate(self.parts):
            students = part.students(self.full)
            weights = float(noise.weights[0]) * self.known[i, setting]
            for _ in range(TURNS):
                targets = _posterior(students.rows, weights, students.labels, noise)
                weights = exact.student(
                    students.rows, targets, setting.weight_decay, 0.0, weights, COARSE, part.decomposition
                ).weights
            part.fill(found, self.full, weights)
            self._count()
        return found

    def _count(self, more: int = 1) -> None:
        self.done += more
        if self.tick:
            self.tick("judging", self.done, self.to_do)


def _posterior(rows: FeatureRows, weights: Weights, labels: Int[np.ndarray, " n"], noise: Noise) -> Logits:
    """(B) of rows that a student has learnt."""
    found = np.empty((len(labels), weights.shape[1]))
    for part, x in blocks(rows):
        found[part] = bayes(softmax(x @ weights, axis=1), labels[part], noise.transition)
    return found
