"""Adapting an encoder to the items of a kind: the option --adapt, and the items and labels that are learnt."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from tutelage.adapting.how import Adapting
from tutelage.kinds.base import Kind
from tutelage.kinds.entries import Entries
from tutelage.modalities.encoder import LEXICAL
from tutelage.tables import Notes
from tutelage.tasks import Task

NEEDS_LABELS = "contrastive needs labels"
"""Beginning of the message where there are none."""


@dataclass(frozen=True)
class Material:
    """What an encoder is adapted to.

    Attributes:
        items: texts, or sentences.
        y: class number of every unit of the items, (units,); None where no labels are learnt.
        task: task of the labels; None where none are learnt.
        classes: names of the classes; empty where no labels are learnt.
    """

    items: Sequence[Any]
    y: np.ndarray | None = None
    task: Task | None = None
    classes: Sequence[Any] = ()

    def notes(self) -> list[str]:
        """Sentences on classes that have a single label, so that no two items of theirs can be brought together."""
        if self.y is None:
            return []
        counts = np.bincount(self.y[self.y >= 0], minlength=len(self.classes))
        alone = [str(name) for name, count in zip(self.classes, counts, strict=True) if count == 1]
        if not alone:
            return []
        shown = ", ".join(alone[:5]) + (f" and {len(alone) - 5} more" if len(alone) > 5 else "")
        return [f"Only one label: {shown}. It is kept apart from other classes, but nothing is brought near it."]


def material(kind: Kind, found: Entries, labelled: bool, notes: Notes) -> Material:
    """What an encoder is adapted to, out of entries.

    Args:
        kind: kind of the entries.
        found: entries, labelled or not.
        labelled: whether labels are learnt; then entries without one are left out.
        notes: takes what is noticed.

    Raises:
        DataError: the items or labels cannot be learnt from; the message names the place.
    """
    if not labelled:
        return Material(kind.good_pool(found, notes).items)
    data = kind.learn(found.where(found.known), None, None, False, notes)
    return Material(data.items.labelled, data.items.y, data.items.task, data.classes)


def adapting_of(adapt: bool | str | None, auto: bool, evidence: bool) -> Adapting | None:
    """How an encoder is adapted; None where it stays as it is.

    Args:
        adapt: wish of the user; None leaves it to the automatic choice of the method, where there is one.
        auto: whether the automatic choice tries it.
        evidence: whether the evidence is gathered, without which the automatic choice does not try it.

    Raises:
        ValueError: the user asks for it, and no evidence is gathered.
    """
    if adapt and not evidence:
        raise ValueError("--adapt needs the evidence: the folds say whether adapting the encoder is worth it")
    return Adapting() if adapt or (adapt is None and auto and evidence) else None


def require_adapt(adapt: bool | str | None, finetune: bool, encoder: str | None) -> None:
    """Check the option --adapt.

    Args:
        adapt: wish of the user.
        finetune: whether the encoder is fine-tuned.
        encoder: name of the encoder.

    Raises:
        ValueError: it is no known way of adapting, the encoder is fine-tuned, too, or it has nothing to train.
    """
    if adapt not in (None, True, False, "contrastive"):
        raise ValueError(f'adapt must be "contrastive", True or False, got {adapt!r}')
    if adapt and finetune:
        raise ValueError("give --adapt or --finetune, not both: either trains the encoder")
    if adapt and encoder == LEXICAL:
        raise ValueError(f"--adapt trains a transformer, not --encoder {encoder}; leave out one of the two")
