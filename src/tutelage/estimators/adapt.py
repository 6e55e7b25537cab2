"""The function that adapts an encoder to Python values."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from tutelage import kinds
from tutelage.adapting.how import Adapting
from tutelage.adapting.run import adapted
from tutelage.estimators.arguments import RandomState, seed_of
from tutelage.estimators.labels import labels_of
from tutelage.fit.defaults import pick_device
from tutelage.kinds.adapting import NEEDS_LABELS, material
from tutelage.modalities.encoder import Encoder, save_encoder
from tutelage.tables import UNHEARD


def adapt(
    X: Any, y: Any = None, by: str = "contrastive", *, encoder: str = "minilm", out: str | Path | None = None,
    steps: int | None = None, lr: float | None = None, batch: int | None = None, frozen_layers: int | None = None,
    max_length: int = 128, device: str = "auto", random_state: RandomState = 0,
) -> Encoder:  # fmt: skip
    """An encoder that was trained on texts, or on sentences, so that its frozen features serve them better.

    Args:
        X: n texts, or n sentences, each a list of words.
        y: labels of the texts, (n,), or lists of tags; -1 and None are unlabelled. Only "contrastive" learns labels.
        by: "contrastive" (texts or words of one class are pulled together), "simcse" (texts are told apart) or "mlm"
            (masked tokens are guessed).
        encoder: encoder to begin from: "minilm", a folder of a saved one, or a name on the Hub.
        out: folder to save the encoder in, for ``Classifier(encoder=out)``; None does not save it.
        steps: optimiser steps, at least 0; None is 20 to 100, by the number of labels, of simcse 100, of mlm 200.
        lr: peak learning rate, above 0; None is the default of ``by``.
        batch: texts, or sentences, in a step, at least 2; None is 64, of mlm 32.
        frozen_layers: number of lowest layers that stay as they are; None is a third of them.
        max_length: tokens read of each text, at least 2.
        device: device to train on, as torch names it; "auto" is a GPU where there is one, else the CPU.
        random_state: random seed, a whole number in [0, 2**32); a ``RandomState`` or a ``Generator`` of NumPy, from
            which it is drawn; or None, for NumPy's own random state.

    Raises:
        ValueError: a value is out of its range, or there is nothing to learn from these items.

    >>> encoder = adapt(["a goal", "a match", "the soup", "the cake"], [0, 0, 1, 1], steps=2)
    >>> encoder.name, encoder.adapted
    ('minilm', 'contrastive, 2 steps')
    """
    given = {"steps": steps, "lr": lr, "batch": batch, "frozen_layers": frozen_layers}
    how = Adapting.of(by, **given)
    of_words = isinstance(X, (list, tuple)) and len(X) > 0 and isinstance(X[0], (list, tuple))
    of = kinds.of_values(X, "Tagger" if of_words else "Classifier")
    if not of.adapts:
        raise ValueError(f"X must be texts or sentences, whose encoder can be adapted, got {of.words.things}")
    read: dict[str, Any] = {"encoder": encoder, "max_length": max_length}
    kind: Any = of(**read)
    items = kind.given(X)
    if how.labelled and y is None:
        raise ValueError(f"{NEEDS_LABELS}: give y; or by='simcse' or 'mlm', which need none")
    labels = y if of_words else labels_of([-1] * len(items) if y is None else y)
    if labels is not None and len(items) != len(labels):
        raise ValueError(f"X has {len(items)} {kind.words.things}, but y has {len(labels)} labels")
    learnt = material(kind, kind.values(items, labels), how.labelled, UNHEARD)
    reader = kind.reader().to(pick_device(device))
    made: Encoder = (
        adapted(reader, learnt.items, learnt.y, learnt.task, how, seed=seed_of(random_state)).to("cpu").encoder
    )
    if out is not None:
        save_encoder(made, Path(out))
    return made
