"""Teachers that are no networks: what they say of the pool is computed once, before the student learns it.

Annotations are not postponed here: methods of other modules inherit the fields, whose types the command line reads.
"""

import weakref
from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal, Self

import numpy as np
import torch
from scipy.sparse import csr_matrix
from sklearn.base import BaseEstimator, clone, is_classifier
from sklearn.dummy import DummyClassifier
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV, StratifiedKFold
from sklearn.neighbors import KNeighborsClassifier
from sklearn.svm import SVC
from torch import Tensor

from tutelage.data import Examples, Features, Loader, WordFeatures
from tutelage.game import Player, Rule, Simultaneous
from tutelage.graph.neighbours import Neighbours, nearest, nearest_among
from tutelage.graph.propagate import Rows, edges, propagate, to_shares
from tutelage.memory import Memory
from tutelage.methods.base import Method, on_labels
from tutelage.ops.checks import in_range, one_of
from tutelage.ops.losses import cross_entropy, mean
from tutelage.ops.weights import certainty
from tutelage.tasks import Task
from tutelage.types import Batch, Params, Terms, Tick

_near: dict[tuple[int, int], Neighbours] = {}
"""Of rows that are alive, by their identity and k."""


BASES = ("logistic_regression", "random_forest", "knn", "svc")
"""Classifiers by name."""

STRENGTHS = (1e-4, 1e-3, 1e-2, 1e-1, 1.0)
"""Inverse strengths C of logistic regression's penalty that the labels choose from."""


@dataclass(frozen=True)
class Taught(Method, ABC):
    """A teacher labels the whole pool from the labelled rows; the student learns the labels and what it says.

    L = L_sup(S) + weight * (1/|B_u|) sum_u w_u CE(t_u, f(x_u; S)),  w_u = 1 - H(t_u) / log C, or 1.

    Args:
        weight: of the pool's loss, at least 0.
        confidence: how much a unit of the pool counts: "entropy", w_u as above; or "none", all alike.
    """

    weight: float = 1.0
    confidence: Literal["entropy", "none"] = "none"

    def __post_init__(self) -> None:
        in_range("weight", self.weight, 0)
        one_of("confidence", self.confidence, ("entropy", "none"))

    @property
    def rule(self) -> Rule:
        return Simultaneous(("student",))

    def settled(self, task: Task, weak: bool = False) -> Self:
        if weak:
            raise ValueError(f"{self.name} needs labels: after weak ones it has none to begin from")
        return self

    def ready(self, pool: Examples, tick: Tick) -> None:
        rows_of(pool, self.name)

    @abstractmethod
    def teach(self, x: Tensor, y: np.ndarray, pool: Tensor, classes: int, seed: int) -> tuple[Rows, np.ndarray]:
        """Probabilities of the pool's units, (n, c), and how much each may count at most, (n,).

        Args:
            x, y: labelled rows, (l, ...), and their class numbers, (l,).
            pool: its rows, (n, ...): the tensor itself, so that what was computed of it is found.
        """

    def remembers(self, loader: Loader, task: Task) -> Params:
        x, pool = rows_of(loader.labelled, self.name), rows_of(loader.unlabelled, self.name)
        y = loader.target.argmax(1) if loader.target.is_floating_point() else loader.target
        known = y >= 0
        if not known.any():
            raise ValueError(f"{self.name} needs labels: none is known")
        if not len(pool):
            return {"taught": torch.empty(0, task.classes), "weight": torch.empty(0)}
        found, weight = self.teach(x[known], y[known].cpu().numpy(), pool, task.classes, loader.seed)
        p = torch.as_tensor(found, dtype=torch.get_default_dtype())
        counts = torch.as_tensor(weight, dtype=p.dtype)
        if self.confidence == "entropy":
            counts = counts * certainty(p.clamp(min=torch.finfo(p.dtype).tiny).log()).clamp(0, 1)
        return {"taught": p, "weight": counts}

    def loss(self, who: str, batch: Batch, play: Mapping[str, Player], task: Task, memory: Memory) -> Terms:
        pool = batch.unlabelled
        taught, weight = memory.kept["taught"][pool.index], memory.kept["weight"][pool.index]
        confidence, label = taught.max(-1)
        of_pool = mean(cross_entropy(taught, task.units(play["student"](pool["weak"]))), weight)
        return Terms(
            {"supervised": on_labels(play["student"], batch, task), "pool": self.weight * of_pool},
            {"label": label, "confidence": confidence, "weight": weight},
        )


@dataclass(frozen=True)
class OnGraph(Taught, ABC):
    """A teacher that spreads the labels along the graph of nearest rows.

    Args:
        neighbours: k, nearest rows that each row is joined to, at least 1.
        edges: "gaussian", "cosine" or "binary" weights, see `tutelage.graph.propagate.edges`.
        balance: bring the mean of what is said of the pool to the classes' shares of the labels.
    """

    weight: float = 3.0
    neighbours: int = 10
    edges: Literal["gaussian", "cosine", "binary"] = "gaussian"
    balance: bool = True

    def __post_init__(self) -> None:
        super().__post_init__()
        in_range("neighbours", self.neighbours, 1)
        one_of("edges", self.edges, ("gaussian", "cosine", "binary"))

    def ready(self, pool: Examples, tick: Tick) -> None:
        neighbours_of(rows_of(pool, self.name), self.neighbours, tick)

    @abstractmethod
    def spread(self, w: csr_matrix, given: Rows) -> Rows:
        """What the labels ``given`` say of all rows of the graph w, at least 0; made to sum to 1 afterwards."""

    def teach(self, x: Tensor, y: np.ndarray, pool: Tensor, classes: int, seed: int) -> tuple[Rows, np.ndarray]:
        n, near = len(pool), neighbours_of(pool, self.neighbours)
        if n == 1:  # its own neighbour, which joins nothing, so that labelled rows have one too
            near = Neighbours(np.zeros((1, 1), dtype=np.int32), np.ones((1, 1), dtype=np.float32))
        to_pool = nearest_among(flat(x), flat(pool), near.index.shape[1])
        both = Neighbours(*(np.vstack([getattr(j, a) for j in (near, to_pool)]) for a in ("index", "cosine")))
        given = np.vstack([np.zeros((n, classes)), np.eye(classes)[y]])
        found, reached = propagate(edges(both, self.edges), given, self.spread)
        p, there = found[:n], reached[:n] > 0
        if self.balance:
            p[there] = to_shares(p[there], given.sum(0) / len(y))
        return p, reached[:n]


@dataclass(frozen=True)
class ByClassifiers(Taught, ABC):
    """A teacher made of scikit-learn classifiers of rows that are centred and divided by one scale.

    The scale is the pool's; where its rows are all equal, that of the labelled ones.

    Args:
        base: one of BASES, or a scikit-learn classifier.
    """

    base: Any = "logistic_regression"

    def __post_init__(self) -> None:
        super().__post_init__()
        named = isinstance(self.base, str) and self.base in BASES
        if not named and not (isinstance(self.base, BaseEstimator) and is_classifier(self.base)):
            raise ValueError(f"base must be one of {', '.join(BASES)}, or a scikit-learn classifier, got {self.base!r}")

    @abstractmethod
    def opinion(self, x: np.ndarray, y: np.ndarray, pool: np.ndarray, classes: int, seed: int) -> Rows:
        """Probabilities of the pool's rows, (n, c)."""

    def teach(self, x: Tensor, y: np.ndarray, pool: Tensor, classes: int, seed: int) -> tuple[Rows, np.ndarray]:
        rows, labelled = flat(pool), flat(x)
        centre, apart = rows.mean(0), rows if (rows != rows[0]).any() else labelled
        scale = max(float(np.sqrt(np.mean([np.square(r - centre).mean() for r in apart]))), 1e-12)
        found = self.opinion((labelled - centre) / scale, y, (rows - centre) / scale, classes, seed)
        return found, np.ones(len(rows))

    def classifier(self, x: np.ndarray, y: np.ndarray, seed: int) -> BaseEstimator:
        """The base for these labels, not yet fitted."""
        if not isinstance(self.base, str):
            free = [k for k, v in self.base.get_params().items() if k.endswith("random_state") and v is None]
            return clone(self.base).set_params(**dict.fromkeys(free, seed))
        if self.base == "logistic_regression":
            base, deal = LogisticRegression(C=STRENGTHS[2], max_iter=1000), folds(y, seed)
            if deal is None:
                return base
            found = GridSearchCV(base, {"C": STRENGTHS}, scoring="neg_log_loss", cv=deal, refit=False).fit(x, y)
            return base.set_params(**found.best_params_)
        if self.base == "random_forest":
            return RandomForestClassifier(200, random_state=seed)
        return SVC() if self.base == "svc" else KNeighborsClassifier(max(min(5, len(y) // 2), 1))


def folds(y: np.ndarray, seed: int) -> StratifiedKFold | None:
    """Folds that hold each class; none where one has a single label."""
    fewest = np.unique(y, return_counts=True)[1].min()
    several = len(np.unique(y)) > 1 and fewest > 1
    return StratifiedKFold(min(5, fewest), shuffle=True, random_state=seed % 2**32) if several else None


def fitted(base: BaseEstimator, x: np.ndarray, y: np.ndarray, **weights: np.ndarray) -> BaseEstimator:
    """A fitted copy of the classifier; where there is but one class, one that always says it."""
    model = clone(base) if len(np.unique(y)) > 1 else DummyClassifier()
    return model.fit(x, y, **weights)


def probabilities(model: BaseEstimator, x: np.ndarray, classes: int) -> Rows:
    """What a fitted classifier says, (n, c); one-hot where it knows no probabilities."""
    found = np.zeros((len(x), classes))
    if hasattr(model, "predict_proba"):
        found[:, model.classes_] = model.predict_proba(x)
    else:
        found[np.arange(len(x)), model.predict(x)] = 1
    return found


def rows_of(examples: Examples, name: str) -> Tensor:
    """Rows of features, one of each unit; ValueError where a network is trained whole."""
    if not isinstance(examples, Features | WordFeatures):
        raise ValueError(f"{name} needs rows of fixed features: leave out finetune, or give an encoder")
    return examples.rows


def flat(rows: Tensor) -> np.ndarray:
    """Rows as an array of two dimensions, of floats."""
    found: np.ndarray = rows.detach().flatten(1).cpu().numpy()
    return found if found.dtype.kind == "f" else found.astype(np.float32)


def neighbours_of(rows: Tensor, k: int, tick: Tick | None = None) -> Neighbours:
    """The k nearest rows of each, computed once as long as these rows are alive."""
    key = id(rows), k
    if key not in _near:
        _near[key] = nearest(flat(rows), k, tick and (lambda done, total: tick("joining neighbours", done, total)))
        weakref.finalize(rows, _near.pop, key, None)
    return _near[key]
