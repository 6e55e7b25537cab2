"""On what annotators agree, and how far what a model says sways them."""

from __future__ import annotations

from itertools import combinations
from typing import Any

import numpy as np
from scipy.stats import binomtest

from tutelage.label.campaign import Campaign
from tutelage.ops.agreement import kappas

FEWEST = 2
"""Items that two annotators labelled, at least, for their agreement to be said."""


def agreement(campaign: Campaign) -> list[dict[str, Any]]:
    """Agreement of each pair of annotators on the items that both labelled.

    Args:
        campaign: the campaign.

    Returns:
        For each pair "first", "second", the number of "items", the share "equal", and "kappa" with its 90 % interval
        "low" and "high" by a bootstrap of the items; None where it is not defined.
    """
    said = [campaign.said(key) for key in list(campaign.known)]
    found = []
    for first, second in combinations(sorted({by for each in said for by in each}), 2):
        both = [(each[first], each[second]) for each in said if first in each and second in each]
        if len(both) < FEWEST:
            continue
        codes = np.unique(both, return_inverse=True)[1].reshape(-1, 2).T
        beyond = kappas(codes, [(0, 1)])
        equal = float(np.mean([a == b for a, b in both]))
        found.append({
            "first": first, "second": second, "items": len(both), "equal": equal,
            "kappa": beyond.kappa, "low": beyond.low, "high": beyond.high,
        })  # fmt: skip
    return found


def influence(campaign: Campaign) -> dict[str, dict[str, float | int]]:
    """How often labels equal what the model says, where the annotator had seen it and where not.

    An annotator asks for it where an item is hard, so that seen and unseen items differ by more than this. Items on
    which it was shown at once were drawn, and so the others beside them, "hidden", differ by nothing else.

    Args:
        campaign: the campaign.

    Returns:
        For "seen" and "unseen", or where it was shown at once for "suggested" and "hidden": the number of "items", the
        share "equal" and its exact 90 % interval, "low" and "high". A kind without items is left out.
    """
    found: dict[str, dict[str, float | int]] = {}
    right: dict[str, list[bool]] = {"suggested": [], "hidden": [], "seen": [], "unseen": []}
    for key, known in list(campaign.known.items()):
        row = campaign.row_of(key)
        guess = "" if row is None else campaign.items.guess(row)
        for answer in known.last.values():
            if guess and answer.act == "label":
                right["seen" if answer.seen else "unseen"].append(answer.label == guess)
                right["suggested" if answer.suggested else "hidden"].append(answer.label == guess)
    told = ("suggested", "hidden") if right["suggested"] else ("seen", "unseen")
    for name, equal in right.items():
        if equal and name in told:
            interval = binomtest(sum(equal), len(equal)).proportion_ci(0.9, method="exact")
            found[name] = {
                "items": len(equal), "equal": float(np.mean(equal)), "low": float(interval.low),
                "high": float(interval.high),
            }  # fmt: skip
    return found
