"""Items of several requests, which one thread hands to the model together.

Each request is read by itself, so that no answer depends on what others ask; only the network reads items of several
at once, as it does those of one table.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field, fields
from typing import Any

import numpy as np

from tutelage.model import Answers, Model
from tutelage.types import Tick

AT_ONCE = 256
"""Items of all requests that are handed to the model together, at most."""

SLICE = 64
"""Items of one request that wait at once, at most, so that one of many rows does not keep all others waiting."""


@dataclass
class _Waiting:
    """Items that wait for the model.

    Attributes:
        model: model that is asked.
        items: the items.
        found: what the model says of them.
    """

    model: Model
    items: Any
    found: Future[Answers] = field(default_factory=Future)

    def joins(self, first: _Waiting) -> bool:
        """Whether the items can be handed to the model together with others."""
        if self.model is not first.model:
            return False
        form = [(x.dtype, x.shape[1:]) if isinstance(x, np.ndarray) else None for x in (self.items, first.items)]
        return form[0] == form[1]


class Batches:
    """A thread that answers all who wait for a model, those of several requests together.

    Args:
        heard: called with the number of items that were handed to the model together.
    """

    def __init__(self, heard: Callable[[int], object] = lambda count: None) -> None:
        self.heard = heard
        self._waiting: deque[_Waiting] = deque()
        self._some = threading.Condition()
        threading.Thread(target=self._run, name="tutelage-batches", daemon=True).start()

    def answers(self, model: Model, items: Any) -> Answers:
        """What a model says of items, once it has read them; the thread that asks waits.

        Args:
            model: fitted model.
            items: items, as the model's reader takes them.
        """
        parts = [self._one(model, items[start : start + SLICE]) for start in range(0, max(len(items), 1), SLICE)]
        return parts[0] if len(parts) == 1 else Answers(*(np.concatenate(each) for each in zip(*parts, strict=True)))

    def _one(self, model: Model, items: Any) -> Answers:
        waiting = _Waiting(model, items)
        with self._some:
            self._waiting.append(waiting)
            self._some.notify()
        return waiting.found.result()

    def _run(self) -> None:
        while True:
            with self._some:
                while not self._waiting:
                    self._some.wait()
                batch = self._taken()
            self.heard(sum(len(each.items) for each in batch))
            _answer(batch)
            del batch  # a model that was replaced is not kept until the next request

    def _taken(self) -> list[_Waiting]:
        """Those who wait longest and can be answered together, no longer among those who wait."""
        first, left, count = self._waiting[0], deque[_Waiting](), 0
        batch: list[_Waiting] = []
        for each in self._waiting:
            if each.joins(first) and (not batch or count + len(each.items) <= AT_ONCE):
                batch.append(each)
                count += len(each.items)
            else:
                left.append(each)
        self._waiting = left
        return batch


def _answer(batch: Sequence[_Waiting]) -> None:
    """Answer a batch; where the model cannot read it, each by itself, so that a fault is told to whom it belongs."""
    try:
        found = _together(batch)
    except Exception as e:
        if len(batch) == 1:
            batch[0].found.set_exception(e)
            return
        for each in batch:
            _answer([each])
        return
    for each, answers in zip(batch, found, strict=True):
        each.found.set_result(answers)


def _together(batch: Sequence[_Waiting]) -> list[Answers]:
    """What the model says of the items of each."""
    model, parts = batch[0].model, [each.items for each in batch]
    items = parts[0]
    if len(parts) > 1:
        items = np.concatenate(parts) if isinstance(items, np.ndarray) else [item for part in parts for item in part]
    p, counts, unread = model.answers(items)
    ends = np.cumsum([len(part) for part in parts])[:-1]
    units = np.append(0, np.cumsum(counts))[ends]
    cut = (np.split(p, units), np.split(counts, ends), np.split(unread, ends))
    return [Answers(*each) for each in zip(*cut, strict=True)]


@dataclass
class Asking(Model):
    """A model as one request asks it: what it is asked goes to the thread that answers all.

    Attributes:
        under: the model itself.
        batches: the thread.
        items: items that were asked of last.
        found: what the model says of them.
    """

    under: Any = None
    batches: Any = None
    items: Any = None
    found: Answers | None = None

    @staticmethod
    def of(model: Model, batches: Batches) -> Asking:
        """A model, as a request asks it."""
        return Asking(**{f.name: getattr(model, f.name) for f in fields(Model)}, under=model, batches=batches)

    def answers(self, items: Any, tick: Tick | None = None) -> Answers:
        """What the model says of items; it is asked once, also where several questions are about the same items."""
        if self.found is None or items is not self.items:
            self.items, self.found = items, self.batches.answers(self.under, items)
        return self.found

    def unread(self, items: Any) -> np.ndarray:
        """Mask of the items of which nothing can be read, (n,)."""
        return self.answers(items).unread
