"""What a fit says of the pool, in sentences: how common the classes are there, and who answers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from tutelage.fit.evidence import Evidence
from tutelage.fit.prevalence import Prevalence

if TYPE_CHECKING:
    from tutelage.fit.fit import Outcome

TOLD = 0.15
"""Distance in total variation of the shares from which on a sentence tells it."""

NAMED = 3
"""Classes that a sentence names, at most: those whose shares differ the most."""


def evidence_of(outcome: Outcome, classes: Sequence[Any]) -> Evidence | None:
    """The evidence of a fit, with sentences on the pool that name the classes; None without evidence.

    Args:
        outcome: outcome of the fit.
        classes: names of the classes.
    """
    if outcome.evidence is None:
        return None
    found = []
    if outcome.share is not None and outcome.returned == "candidate":
        student = f"The student ({100 * outcome.share:.0f} %)"
        found.append(f"{student} and the labels-only model answer together, both with class biases of their own.")
    if outcome.prevalence is not None:
        found += of_shares(outcome.prevalence, classes)
    return replace(outcome.evidence, besides=tuple(found))


def of_shares(found: Prevalence, classes: Sequence[Any], scored: bool = True) -> list[str]:
    """Sentences on classes that are not as common in the pool as among the labels; none where they are.

    Args:
        found: shares of the classes.
        classes: names of the classes.
        scored: whether there are scores on held-out labels.

    >>> import numpy as np
    >>> shares = Prevalence(*(np.array(s) for s in ([0.5, 0.5], [0.96, 0.04], [0.93, 0.02], [0.98, 0.07])), 0.46, 0.43)
    >>> of_shares(shares, ["ham", "spam"])[0]
    'The classes are not as common in the pool as among the labels: spam 50 % of the labels and about 4 % of the pool (2
    to 7), ham 50 % of the labels and about 96 % of the pool (93 to 98).'
    """
    if not found.declared and found.apart < TOLD:
        return []
    order = np.argsort(-np.abs(found.told - found.labels), kind="stable")[:NAMED]
    each = ", ".join(_of_class(found, int(k), classes[k]) for k in order)
    what = "are declared to be" if found.declared else "are not" if found.moved else "seem not to be"
    compared = f"The classes {what} as common in the pool as among the labels: {each}."
    if found.declared:
        compared = f"Declared shares of the classes: {each}."
    if found.moved:
        moved = "to these shares" if found.declared else "towards these shares, as far as so few labels allow"
        scores = ", and the scores on held-out labels are for them, too" if scored else ""
        return [compared, f"{'Both models were' if scored else 'The model was'} moved {moved}{scores}."]
    return [
        compared,
        "So few labels cannot say it surely, and the models answer for the labels' shares; pass --shares, or shares=, "
        "if you know how common the classes are.",
    ]


def _of_class(found: Prevalence, k: int, name: Any) -> str:
    labels, pool = 100 * found.labels[k], 100 * found.told[k]
    if found.declared:
        of_labels = f"{labels:.0f} % of the labels and " if found.labels.any() else ""
        return f"{name} {of_labels}{pool:.3g} % of the pool"
    between = f"{100 * found.low[k]:.0f} to {100 * found.high[k]:.0f}"
    return f"{name} {labels:.0f} % of the labels and about {pool:.0f} % of the pool ({between})"
