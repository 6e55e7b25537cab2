"""Groups of alike items, to be labelled together."""

from __future__ import annotations

from itertools import islice
from typing import Any

import numpy as np

from tutelage.ask.clusters import clustered
from tutelage.ask.pool import Pool
from tutelage.data.sources import cache_folder
from tutelage.kinds.opinions import without_model
from tutelage.label.campaign import Campaign

LOOKED_AT = 2000
"""Items without an answer that are grouped, at most: those that would come next."""

EACH = 20
"""Items of a group, about."""

LEAST, MOST = 3, 60
"""Items of a group, at least and at most; smaller groups are left out, of larger ones the most typical stay."""


def groups(campaign: Campaign, by: str) -> list[list[int]]:
    """Groups of alike items, by the features of a frozen encoder: numbers of the items of each, the typical first.

    Args:
        campaign: the campaign.
        by: name of the annotator.

    Returns:
        The groups, the tightest first.

    Raises:
        ValueError: no frozen encoder reads such items.
    """
    rows = list(islice(campaign.ahead(by, LOOKED_AT), LOOKED_AT))
    if len(rows) < LEAST:
        return []
    items = campaign.items
    some: Any = [items.entries.items[row] for row in rows]
    some = np.stack(some) if isinstance(some[0], np.ndarray) else some
    found = without_model(items.kind, some, cache_folder() / "features")
    pool = Pool.of(found.rows, None, [], 0)
    cluster, away = clustered(pool, pool.candidates, pool.rank, max(len(rows) // EACH, 1))
    made = []
    for number in np.unique(cluster):
        mine = np.flatnonzero(cluster == number)
        if len(mine) >= LEAST:
            typical = mine[np.argsort(away[mine], kind="stable")][:MOST]
            made.append((float(away[typical].mean()), [rows[int(pool.candidates[i])] for i in typical]))
    return [of for _, of in sorted(made)]
