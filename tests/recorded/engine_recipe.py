"""What is trained to record the engine: plain data and numbers, without the library.

A case is known by its name, "KIND, METHOD" or "KIND, METHOD, what is special"; whoever runs it builds the problem of
its kind (see `worlds`) from the numbers here:

- "rows": `worlds.digits`, a head of HIDDEN units and DROPOUT on 64 features that are each standardised by the pool;
  strong views are `worlds.disturbed` of the pool with seeds 0 and 1.
- "words": `worlds.word_rows`, the same head, standardised by one scale.
- "pixels": POOLED squares with ``coloured`` masks, the first four labelled; a U-Net of UNET's shape; images may be
  mirrored.

Initial weights: a seed's are drawn after ``torch.manual_seed(seed)``. The loader's seed is SEED.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

HIDDEN, DROPOUT, SEED, LABELLED_IMAGES, IMAGES, SIDE = 16, 0.2, 3, 4, 14, 16
UNET = {"width": 2, "depth": 2}
TRAINING: dict[str, Any] = {"steps": 24, "lr": 1e-2, "weight_decay": 1e-2, "seed": 5, "records": 6}
BATCHES = {"rows": (20, 40), "words": (8, 12), "pixels": (3, 4)}
"""Labelled and unlabelled examples a step."""


@dataclass(frozen=True)
class Case:
    """A training.

    Attributes:
        fields: of the method; a response of DRIFT is given as its class's name and fields.
        changes: of TRAINING.
    """

    kind: str
    method: str
    fields: dict[str, Any] = field(default_factory=dict)
    changes: dict[str, Any] = field(default_factory=dict)


_THRESHOLDS = {
    "self_training": 0.3, "uda": 0.2, "fixmatch": 0.25, "flexmatch": 0.4, "adamatch": 0.5, "cutmix_mean_teacher": 0.2,
    "meta_pseudo_labels": 0.2, "noisy_student": 0.2, "bond": 0.2, "dividemix": 0.4,
}  # fmt: skip
_ROUNDS = (
    "self_training", "cosine", "bond", "noisy_student", "curriculum_labelling", "cbst", "dst", "dmt",
    "self_distillation", "dividemix",
)  # fmt: skip
"""These play two rounds of pseudo-labels, and pass what so short a training is sure of."""


def fields_of(method: str) -> dict[str, Any]:
    """Fields with which a short training uses all parts of a method."""
    threshold = {"threshold": _THRESHOLDS[method]} if method in _THRESHOLDS else {}
    return threshold | ({"rounds": 2} if method in _ROUNDS else {})


ALL = (
    "supervised", "self_training", "mean_teacher", "vat", "uda", "fixmatch", "cutmix_mean_teacher", "cosine", "bond",
    "drift", "pi_model", "temporal_ensembling", "flexmatch", "freematch", "softmatch", "adamatch", "mixmatch",
    "remixmatch", "noisy_student", "meta_pseudo_labels", "deep_co_training", "label_propagation", "label_spreading",
    "poisson_learning", "tri_training", "co_training", "balanced_self_training", "curriculum_labelling", "cbst", "dst",
    "dmt", "self_distillation", "partial_label", "gce", "sce", "co_teaching", "elr", "dividemix",
)  # fmt: skip
OF_WORDS = (
    "drift", "mean_teacher", "self_training", "bond", "cosine", "uda", "vat", "softmatch", "label_propagation", "gce",
    "elr", "dmt",
)  # fmt: skip
OF_PIXELS = ("drift", "mean_teacher", "fixmatch", "dmt", "cbst", "cutmix_mean_teacher", "supervised", "dst")
_OF_PIXELS_ALONE = {"fixmatch": {"threshold": 0.55}, "cutmix_mean_teacher": {"threshold": 0.45, "decay": 0.9}}

CASES: dict[str, Case] = (
    {f"rows, {m}": Case("rows", m, fields_of(m)) for m in ALL}
    | {
        f"rows, drift, {name}": Case("rows", "drift", fields)
        for name, fields in {
            "unrolled": {"response": ("Unrolled", {"steps": 2, "lr": 0.1})},
            "ahead": {"response": ("Ahead", {"steps": 2, "lr": 0.1, "decay": 0.9})},
            "implicit": {"response": ("Implicit", {"steps": 1, "lr": 0.1, "iterations": 4})},
            "balanced, cross-entropy, labels": {"balance": 1.0, "divergence": "ce", "through": "labels"},
            "normalised": {"interaction": 5.0, "normalised": True, "through": "weights"},
        }.items()
    }
    | {
        "rows, dmt, mutual": Case("rows", "dmt", {"rounds": 2, "partners": "mutual", "mixup": 0.0}),
        "rows, partial_label, twice the steps": Case("rows", "partial_label", {}, {"steps": 48}),
        "rows, supervised, sgd": Case("rows", "supervised", {}, {"optimiser": "sgd", "lr_scale": {"layers.1": 5.0}}),
        "rows, mean_teacher, sgd": Case("rows", "mean_teacher", {"decay": 0.9}, {"optimiser": "sgd", "clip": 0.1}),
    }
    | {f"words, {m}": Case("words", m, fields_of(m)) for m in OF_WORDS}
    | {f"pixels, {m}": Case("pixels", m, fields_of(m) | _OF_PIXELS_ALONE.get(m, {})) for m in OF_PIXELS}
)


@dataclass(frozen=True)
class Fit:
    """A whole fit on digits with evidence: PLAN's folds, a neutral prior, FIT_TRAINING.

    Attributes:
        changes: of FIT_TRAINING.
        weak: `worlds.noisy_labels` of the pool are learnt, and the labels only looked at.
        gain: what "auto" is told that candidates gain.
    """

    method: str
    fields: dict[str, Any] = field(default_factory=dict)
    changes: dict[str, Any] = field(default_factory=dict)
    weak: bool = False
    gain: float = 0.0


FIT_TRAINING: dict[str, Any] = {"steps": 24, "lr": 3e-3, "weight_decay": 1.0, "records": 6}
PLAN = {"folds": 2, "repeats": 1}
FITS: dict[str, Fit] = {
    "fit, drift": Fit("drift"),
    "fit, mean_teacher": Fit("mean_teacher"),
    "fit, fixmatch": Fit("fixmatch", {"threshold": 0.3}),
    "fit, label_propagation": Fit("label_propagation"),
    "fit, gce": Fit("gce"),
    "fit, auto, the labels alone": Fit("auto", {"budget": 40}, gain=-0.2),
    "fit, auto, several": Fit("auto", {"budget": 40}, {"steps": 72}, gain=0.1),
    "weak fit, drift": Fit("drift", weak=True),
    "weak fit, gce": Fit("gce", weak=True),
    "weak fit, fixmatch": Fit("fixmatch", {"threshold": 0.3}, weak=True),
}


def gain_records(names: list[str], gain: float) -> list[dict[str, Any]]:
    """Records of gains that "auto" is told: alike of all candidates, but for some spread."""
    return [
        {
            "data": f"data {d}",
            "kind": "array",
            "gains": {n: gain + d * (i % 3) / 500 for i, n in enumerate(names)},
        }
        for d in range(3)
    ]
