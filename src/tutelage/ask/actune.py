"""AcTune's regions: where in the space of features a model is unsure."""

from __future__ import annotations

import numpy as np
from scipy.special import entr

from tutelage.ask.clusters import clustered, turns
from tutelage.ask.pool import Pool
from tutelage.ask.selectors import Order, entropies

REGIONS = 25
"""Number of regions."""

ASKED = 10
"""Number of regions that are asked first, those with the highest scores."""

SPREAD = 0.5
"""Weight of the entropy of a region's guesses, beside the mean entropy of its rows."""


def actune(pool: Pool, count: int, regions: int = REGIONS) -> Order:
    """Unsure rows of the regions that are unsure; the score is a row's entropy, in nats, the cluster its region.

    Regions are clusters of the rows without a label, weighted by entropy. A region's score is the mean entropy of its
    rows plus SPREAD times the entropy of the shares of the classes among its guesses. The ASKED best regions give their
    most unsure rows in turn, then the others.

    Source: Yu et al., AcTune: Uncertainty-Based Active Self-Training for Active Fine-Tuning of Pretrained Language
    Models, NAACL 2022, eqs. 4 to 6. Mended: the released code divides the counts of guesses by the greatest of them, so
    that they are no shares; here they are divided by their sum. The turns of regions are our reading.

    Args:
        pool: the rows.
        count: number of rows that are asked for.
        regions: number of regions; one makes it `entropy`.
    """
    score = entropies(pool)
    region, _ = clustered(pool, pool.candidates, pool.rank, regions, score)
    guess = pool.said()[pool.candidates].argmax(1)
    counts = np.zeros((region.max() + 1, guess.max() + 1))
    np.add.at(counts, (region, guess), 1)
    size = np.maximum(counts.sum(1), 1)
    unsure = np.bincount(region, weights=score, minlength=len(size)) / size
    worth = unsure + SPREAD * entr(counts / size[:, None]).sum(1)
    best = np.empty(len(worth), dtype=np.int64)
    best[np.argsort(-worth, kind="stable")] = np.arange(len(worth))
    places = np.lexsort((pool.rank, best[region], turns(region, score, pool.rank), best[region] >= ASKED))[:count]
    return Order(places, score[places], region[places])
