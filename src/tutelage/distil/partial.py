"""Partial labels: a student of the teacher's two likeliest classes, in place of many rounds.

The right class of a row is nearly always among the two likeliest classes of its teacher: for a wrongly labelled row
these are its label and the right class, which similar rows are labelled as. Half of the probability of every row of a
class then lies on the right class, and on average less than half on any other, so that one round does the work of many
rounds of soft labels. It takes a third class: where the same two classes are the likeliest in every row, the halves
tie.

Source: Jeong and Chung, ICLR 2025, arXiv 2402.10482.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from jaxtyping import Float

from tutelage.distil.closed import Decomposition
from tutelage.distil.rows import FeatureRows
from tutelage.ops.checks import in_range
from tutelage.ops.said import warn

TIED = 0.95
"""Share of the rows of a class with the same second class, above which the two classes tie."""

RELEASED = 0.7
"""Exponent q of the loss in the authors' released code; see `exact`."""


def two_hot(outputs: Float[np.ndarray, "n k"], names: Sequence[object] | None = None) -> Float[np.ndarray, "n k"]:
    """Two-hot labels, (n, K): one half on each of the two largest outputs of a row, 0 elsewhere.

    Args:
        outputs: the teacher's outputs, (n, K), K at least 3.
        names: names of the K classes, for the warning; by default their numbers.

    Raises:
        ValueError: there are two classes: every row would be (1/2, 1/2), which says nothing.

    Warns:
        UserWarning: nearly all rows of a class have the same second class, as in superclasses of two: two-hot labels
            cannot tell the two apart. Nor can they where every class is only ever mistaken for the next, which the
            outputs do not show; see `Block.two_hot_accuracy`.

    >>> two_hot(np.array([[0.5, 0.1, 0.4], [0.2, 0.3, 0.5], [0.6, 0.3, 0.1]])).tolist()
    [[0.5, 0.0, 0.5], [0.0, 0.5, 0.5], [0.5, 0.5, 0.0]]
    """
    enough(outputs.shape[1])
    first, second = leading(outputs)
    warn_of_ties(first, second, names or list(range(outputs.shape[1])))
    return halves(first, second, outputs.shape[1])


def enough(classes: int) -> None:
    """Check that there are at least 3 classes, so that two-hot labels say something.

    Raises:
        ValueError: there are fewer.
    """
    if classes < 3:
        raise ValueError(
            f"two-hot labels need at least 3 classes, got {classes}: of two, each row's would be (1/2, 1/2)"
        )


def leading(outputs: Float[np.ndarray, "*n k"]) -> tuple[np.ndarray, np.ndarray]:
    """Class numbers of the largest and of the second largest output of each row, (*n,) each.

    Args:
        outputs: outputs, (*n, K).
    """
    first = outputs.argmax(-1)
    rest = outputs.copy()
    np.put_along_axis(rest, first[..., None], -np.inf, -1)
    return first, rest.argmax(-1)


def halves(first: np.ndarray, second: np.ndarray, classes: int) -> np.ndarray:
    """Labels with one half on each of two classes, (*n, K).

    Args:
        first, second: class numbers, (*n,) each.
        classes: number of classes K.
    """
    target = np.zeros((*first.shape, classes))
    np.put_along_axis(target, first[..., None], 0.5, -1)
    np.put_along_axis(target, second[..., None], 0.5, -1)
    return target


def warn_of_ties(first: np.ndarray, second: np.ndarray, names: Sequence[object]) -> None:
    """Warn of each class whose rows nearly all have the same second class.

    Args:
        first, second: numbers of the two likeliest classes of each row, (n,) each.
        names: names of the K classes.
    """
    classes = len(names)
    pairs = np.zeros((classes, classes))
    np.add.at(pairs, (first, second), 1)
    share = pairs.max(1) / np.maximum(pairs.sum(1), 1)
    tied = np.flatnonzero((share > TIED) & (pairs.sum(1) > 1))
    if len(tied):
        said = ", ".join(f"{names[a]} with {names[int(pairs[a].argmax())]}" for a in tied.tolist())
        warn(
            f"two-hot labels cannot tell these classes apart, since they come together in nearly every row: {said}",
            UserWarning, stacklevel=3, page="tied-classes",
        )  # fmt: skip


def student(
    decomposition: Decomposition,
    rows: FeatureRows,
    targets: Float[np.ndarray, "n k"],
    weight_decay: float,
    power: float = 0.0,
) -> Float[np.ndarray, "d k"]:
    """Weights of the linearised student of two-hot labels; it shares its decomposition with its teacher.

    For logits near 0 every p is 1/K, and the gradient of ``(1 - p^q) / q`` is ``K^-q`` times that of ``- log p``: the
    student of the generalised cross-entropy is that of cross-entropy with a weight decay ``K^q`` times as large.

    Args:
        decomposition: decomposition of the rows.
        rows: X, (n, d).
        targets: two-hot labels, (n, K), from `two_hot`.
        weight_decay: lambda, above 0.
        power: exponent q in [0, 1]: 0 for cross-entropy, `RELEASED` for the authors' loss.

    Returns:
        Weights, (d, K), for `closed.outputs`.

    >>> from tutelage.distil.closed import decompose, outputs
    >>> x, y = np.eye(3), np.array([[0.5, 0.5, 0], [0, 0.5, 0.5], [0.5, 0, 0.5]])
    >>> outputs(x, student(decompose(x), x, y, weight_decay=1 / 9)).round(3)[0].tolist()
    [0.417, 0.417, 0.167]
    """
    in_range("power", float(power), 0, 1)
    classes = targets.shape[1]
    return decomposition.weights(decomposition.moments(rows, targets), classes**power * weight_decay)
