"""What the theory of self-distillation says, computed in more than one way: equalities, rounds, two-hot, curves.

    python benchmarks/studies/noise_theory.py

writes benchmarks/results/noise_theory.json.

- "equalities": the largest difference between two ways to the same numbers, over all entries.
- "rounds": the first round in which every training row is right, by the formula, the closed form and exact softmax.
- "two_hot": rounds that soft labels need, and what one round of two-hot labels gets right, by number of classes; and
  where two-hot labels tie.
- "curves": accuracy on new rows, and on training rows rightly and wrongly labelled, round by round, on real features.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from sklearn.kernel_ridge import KernelRidge

from noise_data import cifar10
from tutelage.distil import exact, partial
from tutelage.distil.block import Block, minimal_rounds
from tutelage.distil.closed import Decomposition, decompose, decompose_gram, one_hot, outputs, penalty
from tutelage.distil.noise import corrupt, next_class, realised, symmetric, within_groups
from tutelage.distil.partial import two_hot
from tutelage.distil.rows import Rows

OUT = Path(__file__).parents[1] / "results" / "noise_theory.json"
GOLDEN = ((1e-4, 0.5), (1e-3, 0.5), (1e-4, 0.65))
"""Weight decay and rate of symmetric noise; 4 classes of 60 rows, c = 0.4, d = 0.1."""
MOST = 40
"""Rounds of exact softmax that are tried."""

ROWS, DECAY = 500, 1e-4
REAL = (0.003, 0.03, 0.3)
"""Weight decays of the curves, in units of 1 / (K r)."""
EXACT = (0.03, 0.3, 3.0)
"""Those of the exact students."""
ANIMAL = np.array([0, 0, 1, 1, 1, 1, 1, 1, 0, 0])
"""Which classes of CIFAR-10 are animals."""
ROUNDS = (1, 2, 3, 5, 10, 20, 50)

Row = dict[str, object]


def largest(a: np.ndarray, b: np.ndarray) -> float:
    return float(np.abs(a - b).max())


def equalities() -> dict[str, float]:
    """Real features where rows are needed: 500 of CIFAR-10, 40 % symmetric noise, ten rounds."""
    data = cifar10()
    x, k = Rows.of(data.x[:ROWS].astype(np.float64))[:], data.classes
    y = one_hot(corrupt(data.y[:ROWS], symmetric(k, 0.4), seed=0), k)
    gram, rho = x @ x.T, penalty(DECAY, ROWS, k)
    dual, primal = decompose_gram(gram), decompose(x)
    few = decompose(x[:, :100])
    wide = decompose_gram(x[:, :100] @ x[:, :100].T)

    def closed(t: int) -> np.ndarray:
        return outputs(gram, dual.weights(dual.moments(gram, y), DECAY, t))

    ridge, solves = y - 1 / k, y - 1 / k
    errors: dict[str, float] = dict.fromkeys(("kernel ridge", "solves"), 0.0)
    for t in range(1, 11):
        ridge = KernelRidge(alpha=rho, kernel="precomputed").fit(gram, ridge).predict(gram)
        solves = gram @ np.linalg.solve(rho * np.eye(ROWS) + gram, solves)
        errors["kernel ridge"] = max(errors["kernel ridge"], largest(closed(t), 1 / k + ridge))
        errors["solves"] = max(errors["solves"], largest(closed(t), 1 / k + solves))
    small = x[:, :100]
    pairs = {
        "more features than rows": (closed(10), outputs(x, primal.weights(primal.moments(x, y), DECAY, 10))),
        "more rows than features": (
            outputs(small, few.weights(few.moments(small, y), DECAY, 10)),
            outputs(small @ small.T, wide.weights(wide.moments(small @ small.T, y), DECAY, 10)),
        ),
    }
    return {
        "closed form against ten kernel ridge regressions in turn (scikit-learn)": errors["kernel ridge"],
        "closed form against ten solves in turn": errors["solves"],
        **{f"closed form by features against by rows, {what}": largest(*both) for what, both in pairs.items()},
        "(B) against the closed form, symmetric noise": by_block(symmetric(4, 0.5)),
        "(B) against the closed form, next class": by_block(next_class(4, 0.4)),
    }


def by_block(transition: np.ndarray) -> float:
    block, truth, noisy = drawn(DECAY, transition)
    gram, y = block.gram(), one_hot(noisy, 4)
    d, shares = decompose_gram(gram), realised(truth, noisy, 4)
    return max(
        largest(outputs(gram, d.weights(d.moments(gram, y), DECAY, t)), block.labels(shares, t)[truth, noisy])
        for t in range(1, 21)
    )


def drawn(decay: float, transition: np.ndarray) -> tuple[Block, np.ndarray, np.ndarray]:
    """The block of the golden rows, the truth and labels with exactly the transition's shares."""
    truth = np.repeat(np.arange(4), 60)
    return Block.even(4, 60, 0.4, 0.1, decay), truth, corrupt(truth, transition, seed=0, exact=True)


def golden(decay: float, rate: float) -> Row:
    block, truth, noisy = drawn(decay, symmetric(4, rate))
    gram, y = block.gram(), one_hot(noisy, 4)
    d = decompose_gram(gram)
    x, moments = gram @ d.basis, d.moments(gram, y)
    linear = [outputs(gram, d.weights(moments, decay, t)) for t in range(1, MOST + 1)]
    soft = exact.self_distil(x, y, decay, MOST)
    formula = minimal_rounds(symmetric(4, rate), float(block.p[0]), float(block.q[0]))

    def first(labels: list[np.ndarray]) -> int | None:
        return next((t for t, found in enumerate(labels, 1) if (found.argmax(1) == truth).all()), None)

    teacher = exact.student(x, y, decay)
    halves = {
        "linear": outputs(gram, partial.student(d, gram, two_hot(linear[0]), decay)),
        "softmax": exact.student(x, two_hot(teacher.labels(x)), decay).labels(x),
    }
    return {
        "weight_decay": decay, "rate": rate, "formula": formula, "closed form": first(linear),
        "exact softmax": first(soft), "most rounds": MOST,
        "largest |L - E|": round(max(largest(a, b) for a, b in zip(linear, soft, strict=True)), 4),
        "teacher": float((linear[0].argmax(1) == truth).mean()),
        "two_hot": {name: float((found.argmax(1) == truth).mean()) for name, found in halves.items()},
    }  # fmt: skip


def one_round() -> list[Row]:
    """Soft labels' rounds against two-hot's one, in the block model."""
    rows: list[Row] = []
    for k in range(4, 11):
        for rate in (0.5, round(0.9 * (k - 1) / k, 3)):
            rows.append(
                block_row(f"{k} classes, symmetric {rate:g}", Block.even(k, 60, 0.4, 0.1, DECAY), symmetric(k, rate))
            )
    pairs = np.repeat([0, 1, 2], 2)
    three = np.repeat([0, 1], 3)
    rows += [
        block_row("2 classes, symmetric 0.3", Block.even(2, 60, 0.4, 0.1, DECAY), symmetric(2, 0.3)),
        block_row(
            "3 superclasses of 2, 0.4 within them", Block.grouped(pairs, 60, 0.4, 0.3, 0.1, DECAY),
            within_groups(pairs, 0.4),
        ),
        block_row(
            "2 superclasses of 3, 0.4 within them", Block.grouped(three, 60, 0.4, 0.3, 0.1, DECAY),
            within_groups(three, 0.4),
        ),
        *(
            block_row(f"6 classes, next class {rate}", Block.even(6, 60, 0.4, 0.1, DECAY), next_class(6, rate))
            for rate in (0.3, 0.49, 0.51)
        ),
    ]  # fmt: skip
    return rows


def block_row(name: str, block: Block, transition: np.ndarray) -> Row:
    right = block.correcting(transition, limit=2000)
    return {
        "setting": name,
        "first round": right[0] if right else None,
        "rounds 1 and 10": [block.seen_accuracy(transition, t) for t in (1, 10)],
        "two_hot": block.two_hot_accuracy(transition),
    }


@dataclass(frozen=True)
class Real:
    """Real features with noisy labels: the rows learnt from and those tested on, with their truth."""

    noise: str
    x: np.ndarray
    noisy: np.ndarray
    truth: np.ndarray
    test: np.ndarray
    test_truth: np.ndarray

    def row(self, student: str, unit: float, weights: dict[int, np.ndarray]) -> Row:
        """What the students of each round get right."""
        seen, wrong = [(self.x @ w).argmax(1) == self.truth for w in weights.values()], self.noisy != self.truth
        return {
            "noise": self.noise, "student": student, "weight_decay": unit, "rounds": list(weights),
            "test": [share((self.test @ w).argmax(1) == self.test_truth) for w in weights.values()],
            "seen_right": [share(s[~wrong]) for s in seen], "seen_wrong": [share(s[wrong]) for s in seen],
        }  # fmt: skip


def share(right: np.ndarray) -> float:
    return round(float(right.mean()), 4)


def curves() -> list[Row]:
    data = cifar10()
    k, rows = data.classes, Rows.of(data.x)
    x, test = rows[:], rows.of_others(data.test_x)[:]
    d = decompose(x)
    found: list[Row] = []
    for name, transition in (
        ("symmetric 60 %", symmetric(k, 0.6)),
        ("60 % within vehicles and within animals", within_groups(ANIMAL, 0.6)),
    ):
        noisy = corrupt(data.y, transition, seed=0)
        real, y = Real(name, x, noisy, data.y, test, data.test_y), one_hot(noisy, k)
        moments = d.moments(x, y)
        for unit in REAL:
            decay = unit / (k * len(d.values))
            closed = {t: d.weights(moments, decay, t) for t in ROUNDS}
            targets = two_hot(outputs(x, closed[1]))
            found.append(real.row("closed form", unit, closed))
            found.append(real.row("two_hot", unit, {1: partial.student(d, x, targets, decay)}))
        found += [real.row("exact softmax", u, softmax_rounds(x, y, u / (k * len(d.values)), d)) for u in EXACT]
    return found


def softmax_rounds(x: np.ndarray, labels: np.ndarray, decay: float, d: Decomposition) -> dict[int, np.ndarray]:
    """Weights of the exact students of the first ten rounds."""
    weights: dict[int, np.ndarray] = {}
    for t in range(1, 11):
        student = exact.student(x, labels, decay, 0.0, weights.get(t - 1), 1e-4, d)
        labels, weights[t] = student.labels(x), student.weights
    return {t: w for t, w in weights.items() if t in ROUNDS}


def main() -> None:
    result: dict[str, object] = {}
    for name, make in {
        "equalities": equalities, "rounds": lambda: [golden(*g) for g in GOLDEN], "two_hot": one_round,
        "curves": curves,
    }.items():  # fmt: skip
        result[name] = make()
        print(json.dumps(result[name], indent=1), flush=True)
        OUT.write_text(json.dumps(result, indent=1) + "\n")


if __name__ == "__main__":
    main()
