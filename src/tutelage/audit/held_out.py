"""Held-out predictions by cross-validation: students judge rows whose labels they never learnt."""

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
"""Kind of the student: it learns the labels as given, by a robust loss that gives up rows which do not fit.

A student of cross-entropy is as unsure as the labels are noisy. Its opinion, added to the others, would explain the
noise away: all labels would seem right.
"""

LOOKED_AT = 4_000
"""Number of held-out rows that are enough to choose the weight decay; it is chosen on the folds that hold them."""

TURNS = 4
"""Number of turns of the student that knows the noise; in each it learns the posterior of its rows, computed anew."""

Weights = Float[np.ndarray, "d k"]
"""Weights of a student, (d, K); its logits are ``X W``."""
Logits = Float[np.ndarray, "n k"]
"""Numbers for each row and class, (n, K)."""


@dataclass
class HeldOutOpinions:
    """Cross-validated opinions: each fold is judged by students of all other folds.

    Args:
        full: students of all rows; none of them is trained here.
        parts: folds of the rows; each row is held out once.
        seed: seed of the draw of the rows that the noise is fitted to.
        tick: called with "judging", the number of students that are trained, and the number of all.
    """

    full: Students
    parts: Sequence[Fold]
    seed: int = 0
    tick: Tick | None = None

    def __post_init__(self) -> None:
        looked_at = np.cumsum([len(part.out) for part in self.parts])
        self.first = min(int(np.searchsorted(looked_at, LOOKED_AT)) + 1, len(self.parts))
        """Number of folds that the weight decay is chosen on."""
        self.done, self.to_do = 0, len(NEAR) * self.first + 2 * len(self.parts) - self.first
        self.known: dict[tuple[int, StudentSetting], Weights] = {}

    def opinions(self) -> tuple[Float[np.ndarray, "m n k"], StudentSetting, Noise]:
        """Held-out logits of all rows by two students, the first student's setting, and the noise of the labels.

        The weight decay of the first student maximises the likelihood of the held-out labels, with their noise fitted
        to them. The second student knows that noise: it begins at the weights of the first and learns the posterior (B)
        of its rows.

        Returns:
            Logits by the first student and by the second, (2, n, K); the setting of the first; the noise, fitted to the
            first student's logits alone.
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
        """Weight decay of the linearised student, after one round, that predicts most held-out labels."""
        unit = 1 / (self.full.classes * len(self.full.decomposition.values))
        settings = [StudentSetting("rounds", 1, w, w) for w in (GRID * unit).tolist()]
        right = np.zeros(len(settings))
        for part in self.parts[: self.first]:
            weights = part.students(self.full).closed(settings)
            for at, x in blocks(take(self.full.rows, part.out)):
                right += (each(x, weights).argmax(-1) == self.full.labels[part.out[at]]).sum(1)
        return settings[int(right.argmax())].weight_decay

    def _judge(self, setting: StudentSetting) -> Noise:
        """Noise fitted to a student's logits on the folds that the weight decay is chosen on; it has a likelihood."""
        rows = np.concatenate([part.out for part in self.parts[: self.first]])
        found = self._logits(setting, self.first)[rows]
        return fit(centred([found]), self.full.labels[rows], seed=self.seed)

    def _logits(self, setting: StudentSetting, parts: int | None = None) -> Logits:
        """Held-out logits of all rows by students of a setting, (n, K); 0 for rows of folds after the first ``parts``.

        Students are trained once and kept.
        """
        found = np.zeros((len(self.full.labels), self.full.classes), dtype=np.float32)
        for i, part in enumerate(self.parts[:parts]):
            if (i, setting) not in self.known:
                self.known[i, setting] = part.students(self.full).exact(setting)
                self._count()
            part.fill(found, self.full, self.known[i, setting])
        return found

    def _knowing(self, setting: StudentSetting, noise: Noise) -> Logits:
        """Held-out logits of all rows by students of the posterior (B), (n, K).

        Each begins at the weights of the student of the labels as given.
        """
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

    def _count(self) -> None:
        """Count a trained student, and report the progress."""
        self.done += 1
        if self.tick:
            self.tick("judging", self.done, self.to_do)


def _posterior(rows: FeatureRows, weights: Weights, labels: Int[np.ndarray, " n"], noise: Noise) -> Logits:
    """Posterior (B) of the classes of rows that a student has learnt, (n, K)."""
    found = np.empty((len(labels), weights.shape[1]))
    for part, x in blocks(rows):
        found[part] = bayes(softmax(x @ weights, axis=1), labels[part], noise.transition)
    return found
