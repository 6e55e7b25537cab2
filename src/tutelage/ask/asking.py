"""A random part among the rows that are asked for: the only ones that are a sample."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Int

from tutelage.ask.pool import whole
from tutelage.ask.selecting import Selection
from tutelage.ops.checks import in_range

RANDOM = "random"
"""What ``by`` says of a row that was drawn."""

ALWAYS = 10
"""Number of rows from which on at least one is drawn."""


@dataclass(frozen=True)
class Asked:
    """The rows to ask for, of which some were drawn.

    Attributes:
        index: numbers of the rows, (count,), in the order in which they are to be asked.
        by: what each of them was asked by, (count,): the selector's name, or "random".
        place: place of each of them in the selection, (count,), from 0; -1 for those that were drawn.
    """

    index: Int[np.ndarray, " count"]
    by: np.ndarray
    place: Int[np.ndarray, " count"]

    def __len__(self) -> int:
        return len(self.index)


def with_random(
    selection: Selection, count: int, share: float = 0.1, seed: int = 0, again: Sequence[int] | np.ndarray = ()
) -> Asked:  # fmt: skip
    """Mix rows that are drawn evenly from all that can be asked for into a selection.

    Labels of rows that a selector chose are no sample: they are the hard ones. The drawn rows alone are one, and only
    they estimate accuracies and the shares of the classes without bias. They are drawn from all candidates, before it
    is looked at what the selector wants: a row that both want counts as drawn, and the selector gets its next one.
    Neither how many are drawn nor at which places they stand depends on the rows, so that the first labels of a list
    that is not finished hold a sample, too. Where copies were given, one row stands for a group of them: the sample is
    one of different items.

    Later rounds draw from what earlier ones have left, in which the rows that selectors took are missing: rare classes
    and hard rows. So these are named as ``again``, and are drawn from, too, with the label that they have: then the
    drawn rows of all rounds together are a sample of all that was without a label before the first round.

    Args:
        selection: what a selector chose, at least ``count`` rows.
        count: number of rows to ask for, in [1, number of the selection's rows].
        share: share of them that is drawn, in [0, 1]: rounded half up to whole rows, but at least one from 10 rows on,
            unless the share is 0.
        seed: seed of the draw, at least 0; other rounds need another one.
        again: numbers of the rows that a selector chose in earlier rounds, (a,), distinct, and not those that were
            drawn there.

    Raises:
        ValueError: an argument is out of its range.

    >>> from tutelage.ask.selecting import select
    >>> p = np.linspace(0.5, 1, 40)
    >>> asked = with_random(select("margin", p[:, None], np.stack([p, 1 - p], 1), [], 10), 10)
    >>> asked.by.tolist().count("random"), len(set(asked.index.tolist()))
    (1, 10)
    """
    whole("count", count, 1, len(selection), ", the number of rows of the selection")
    in_range("share", float(share), 0, 1)
    whole("seed", seed, 0, 2**32 - 1)
    if selection.by == RANDOM and not len(again):
        index = selection.index[:count]
        return Asked(index, np.full(count, RANDOM, dtype=object), np.full(count, -1))
    drawn_number = count if selection.by == RANDOM else int(share * count + 0.5)
    if share > 0 and count >= ALWAYS:
        drawn_number = max(drawn_number, 1)
    draws = np.random.default_rng([2_026, int(seed)])  # another stream than the selector's
    free = np.concatenate([selection.candidates, np.asarray(again, dtype=np.int64)])
    drawn = draws.choice(free, drawn_number, replace=False)
    others = np.flatnonzero(~np.isin(selection.index, drawn))[: count - drawn_number]
    at = np.sort(draws.choice(count, drawn_number, replace=False))
    index, place = np.empty(count, dtype=np.int64), np.full(count, -1)
    mine = np.ones(count, dtype=bool)
    mine[at] = False
    index[at], index[mine], place[mine] = drawn, selection.index[others], others
    by = np.where(mine, selection.by, RANDOM).astype(object)
    return Asked(index, by, place)
