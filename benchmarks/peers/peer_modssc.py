"""ModSSC: graphs that the test rows join without labels, and methods that learn from the pool."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np
import sklearn.linear_model  # noqa: F401  so that its import is not timed
import torch
from cell import Cell, Said, main
from modssc.data_augmentation import AugmentationContext, get_op
from modssc.graph import GraphBuilderSpec, GraphWeightsSpec, NodeDataset, build_graph
from modssc.inductive.deep import build_torch_bundle_from_classifier
from modssc.inductive.methods.fixmatch import FixMatchMethod, FixMatchSpec
from modssc.inductive.methods.mean_teacher import MeanTeacherMethod, MeanTeacherSpec
from modssc.inductive.methods.pseudo_label import PseudoLabelMethod, PseudoLabelSpec
from modssc.inductive.methods.self_training import SelfTrainingMethod, SelfTrainingSpec
from modssc.inductive.methods.tri_training import TriTrainingMethod
from modssc.inductive.types import DeviceSpec, InductiveDataset
from modssc.transductive.methods.classic.label_propagation import LabelPropagationMethod
from modssc.transductive.methods.pde.poisson_learning import PoissonLearningMethod

GRAPH = GraphBuilderSpec(
    k=10, symmetrize="or", weights=GraphWeightsSpec("cosine"), normalize="none", self_loops=False, backend="sklearn"
)
LOGREG: dict[str, Any] = {
    "classifier_id": "logreg", "classifier_backend": "sklearn", "classifier_params": {"C": 10.0},
}  # fmt: skip
CPU = DeviceSpec("cpu")
STEPS = 300
"""Of a network, where the default is one epoch; as many as this library's heads take."""

STRONG = 0.2
"""Share of the features that the strong view drops."""


def graph(method: Any, cell: Cell) -> Said:
    x = np.concatenate([cell.x, cell.pool, cell.test])
    known, numbers = np.unique(cell.y, return_inverse=True)
    y = np.concatenate([numbers, np.full(len(x) - len(numbers), -1)])
    edges = build_graph(x, spec=GRAPH, seed=cell.seed, cache=False)
    data = NodeDataset(x, y, edges, {"train_mask": y >= 0})
    found = known[method.fit(data, seed=cell.seed).predict_proba(data).argmax(1)]
    parts = np.split(found, [len(cell.x), len(cell.x) + len(cell.pool)])
    return {"pool": parts[1], "test": parts[2]}


def learner(method: Any, cell: Cell) -> Said:
    known, numbers = np.unique(cell.y, return_inverse=True)
    data = InductiveDataset(cell.x, numbers, cell.pool)
    method.fit(data, device=CPU, seed=cell.seed)
    return {"test": known[method.predict(cell.test)], "pool": known[method.predict(cell.pool)]}


def network(kind: type[Any], spec: Any, cell: Cell) -> Said:
    """A network of two layers on standardised features; its views of the pool: as it is, features dropped."""
    rows = np.concatenate([cell.x, cell.pool])
    scale = rows.std(0)
    spread = np.where(scale > 1e-6, scale, 1)
    x, pool, test = (torch.as_tensor((part - rows.mean(0)) / spread) for part in (cell.x, cell.pool, cell.test))
    bundle = build_torch_bundle_from_classifier(
        classifier_id="mlp", classifier_backend="torch", classifier_params={}, sample=x, num_classes=cell.classes,
        seed=cell.seed,
    )  # fmt: skip
    strong = get_op("tabular.feature_dropout", p=STRONG)(
        pool, rng=np.random.default_rng(cell.seed), ctx=AugmentationContext(seed=cell.seed)
    )
    each = spec.batch_size * getattr(spec, "mu", 1)
    epochs = max(1, round(STEPS / -(-len(pool) // each)))
    method = kind(replace(spec, model_bundle=bundle, max_epochs=epochs))
    method.fit(InductiveDataset(x, torch.as_tensor(cell.y), pool, pool, strong), device=CPU, seed=cell.seed)
    return {"test": method.predict(test), "pool": method.predict(pool)}


main(
    {
        "poisson_learning (transductive)": partial(graph, PoissonLearningMethod()),
        "label_propagation (transductive)": partial(graph, LabelPropagationMethod()),
        "pseudo_label": partial(learner, PseudoLabelMethod(PseudoLabelSpec(**LOGREG))),
        "self_training": partial(learner, SelfTrainingMethod(SelfTrainingSpec(**LOGREG))),
        "tri_training (knn)": partial(learner, TriTrainingMethod()),
        "fixmatch": partial(network, FixMatchMethod, FixMatchSpec()),
        "mean_teacher": partial(network, MeanTeacherMethod, MeanTeacherSpec(ema_decay=0.9)),
    }
)
