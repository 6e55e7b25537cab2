"""Batches of an encoder in which an item's features do not depend on what else is encoded.

A matrix product adds up each row in the same order, however many rows there are, but a longer padding changes the order
in which attention adds. So each item is padded to a length that is its own, and shares batches with those of the same.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from tutelage.data.examples import cut

TOKENS_A_BATCH = 4096
"""Number of tokens, with padding, in a batch of the encoder, at most."""

STEP = 8
"""Lengths are padded to a multiple of this many tokens."""


def padded_to(lengths: Sequence[int] | np.ndarray, longest: int) -> np.ndarray:
    """Length to which each item is padded, (n,): the next multiple of `STEP`, at most the longest that there may be.

    Args:
        lengths: number of tokens of each item, (n,).
        longest: number of tokens that the encoder reads, at most.

    >>> padded_to([1, 8, 9, 30], longest=30).tolist()
    [8, 8, 16, 30]
    """
    found = np.asarray(lengths, dtype=np.int64)
    return np.maximum(np.minimum(-(-found // STEP) * STEP, longest), found)


def batches_of(
    lengths: np.ndarray, keys: Sequence[bytes], windows: np.ndarray | None = None, units: int = TOKENS_A_BATCH
) -> Iterator[np.ndarray]:
    """Numbers of the items in each batch, (k,); all items of a batch are padded to one length.

    Args:
        lengths: length to which each item is padded, (n,).
        keys: hash of each item, which orders those of one length.
        windows: number of such lengths that each item takes, (n,); None is one each.
        units: padded size of a batch, at most, where an item alone is no larger.

    >>> [batch.tolist() for batch in batches_of(np.array([8, 16, 8, 8]), [b"c", b"a", b"b", b"a"], units=16)]
    [[3, 2], [0], [1]]
    """
    each = lengths if windows is None else lengths * windows
    order = np.array(
        sorted(range(len(lengths)), key=lambda i: (int(lengths[i]), int(each[i]), keys[i])), dtype=np.int64
    )
    ends = np.flatnonzero(np.diff(lengths[order], append=-1)) + 1 if len(order) else np.zeros(0, dtype=np.int64)
    for start, end in zip([0, *ends[:-1].tolist()], ends.tolist(), strict=False):
        alike = order[start:end]
        yield from (alike[part] for part in cut(each[alike], units))
