"""Pairs of 64-bit hashes that differ in few bits."""

from __future__ import annotations

import numpy as np
from jaxtyping import Int, UInt64

BITS = 64
"""Number of bits of a hash."""

WINDOW = 64
"""Hashes, at most, that each hash is compared with among those that have a piece in common."""


def near_hashes(hashes: UInt64[np.ndarray, " n"], within: int) -> tuple[Int[np.ndarray, " m"], Int[np.ndarray, " m"]]:
    """Pairs of hashes that differ in at most ``within`` bits, the lower number first, each pair once.

    The bits are cut into ``within`` + 1 pieces, of which two such hashes have one in common; where there are so many
    hashes that most would, into fewer, and of the most distant pairs some are missed. In each piece a hash is compared
    with WINDOW others at most, so that the work is linear in the number of hashes.

    Args:
        hashes: n hashes.
        within: number of bits, from 0.

    Source: Manku, Jain, Das Sarma, WWW 2007, with tables that are sorted anew.

    >>> [pair.tolist() for pair in near_hashes(np.array([0, 255, 1], dtype=np.uint64), 1)]
    [[0], [2]]
    """
    pieces = int(np.clip(BITS // max(np.log2(max(len(hashes), 2)) - 6, 1), 1, within + 1))
    edges = np.linspace(0, BITS, pieces + 1).astype(int)
    found = [np.empty(0, dtype=np.int64)]
    for low, high in zip(edges[:-1].tolist(), edges[1:].tolist(), strict=True):
        mask = np.uint64((1 << high) - (1 << low))
        order = np.lexsort((hashes, hashes & mask))
        sorted_ = hashes[order]
        piece = sorted_ & mask
        for apart in range(1, min(WINDOW + 1, len(hashes))):
            at = np.flatnonzero(piece[apart:] == piece[:-apart])
            if not len(at):
                break
            close = at[np.bitwise_count(sorted_[at] ^ sorted_[at + apart]) <= within]
            one, two = order[close], order[close + apart]
            found.append(np.minimum(one, two) * len(hashes) + np.maximum(one, two))
    first, second = np.divmod(np.unique(np.concatenate(found)), max(len(hashes), 1))
    return first, second
