"""What all estimators share: their parameters, the one way to a fitted model, and saving."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import KW_ONLY, dataclass, fields
from pathlib import Path
from typing import Any, Self

from sklearn.base import BaseEstimator
from sklearn.utils.validation import check_is_fitted

from tutelage import kinds, model
from tutelage.data.sources import cache_folder
from tutelage.fit.auto import Auto
from tutelage.fit.defaults import Asked, pick_device
from tutelage.fit.evidence import Evidence
from tutelage.fit.fit_rows import fit_rows
from tutelage.kinds.base import Dataset, Kind
from tutelage.methods import METHODS, Method
from tutelage.model import Model
from tutelage.ops.checks import one_of

OWN = "make"
"""Option of a kind that makes the user's own network; users give it as ``network``."""


@dataclass(eq=False, repr=False)
class Estimator(BaseEstimator):
    """An estimator in the manner of scikit-learn; subclasses add the parameters of what they read.

    Args:
        method: a name, such as "drift" (`tutelage methods` lists them), a method with its own hyper-parameters, such as
            ``Drift(decay=0.9)``; or "auto", which tries many by cross-validation.
        steps: optimiser steps of each training; None takes the default of the kind of data.
        lr: peak learning rate; None takes the default.
        folds: number of cross-validation folds; None takes the default.
        repeats: repeats of the cross-validation; None takes the default.
        evidence: measure whether the pool helped; False returns the method's model unasked.
        device: "auto", or as torch names it.
        cache: folder for features; None takes the user's cache folder.
        random_state: random seed, a whole number.
    """

    method: str | Method | Auto = "drift"
    _: KW_ONLY
    steps: int | None = None
    lr: float | None = None
    folds: int | None = None
    repeats: int | None = None
    evidence: bool = True
    device: str = "auto"
    cache: str | None = None
    random_state: int = 0

    def _kind(self, X: Any) -> Kind:
        """The kind of data that X is, with this estimator's parameters as its options.

        Raises:
            ValueError: a parameter that is not for this kind.
        """
        kind = kinds.of_values(X, type(self).__name__)
        own = {f.name for f in fields(kind)}
        given = {f.name: getattr(self, f.name) for f in fields(self)}
        made = maker(given.get("network"))
        if made is not None:
            given |= {"network": None, OWN: made}
        for parameter in fields(self):
            value, name = given[parameter.name], OWN if parameter.name == "network" and made else parameter.name
            of_kinds = any(name in {f.name for f in fields(k)} for k in kinds.KINDS.values())
            if of_kinds and name not in own and value != parameter.default:
                hint = f" ({kind.words.taken})" if kind.words.taken else ""
                raise ValueError(f"{parameter.name}={value!r} is not for {kind.words.things}{hint}; leave it out")
        if made is not None and OWN not in own:
            raise ValueError(f"network is not for {kind.words.things}; leave it out")
        return kind(**{name: value for name, value in given.items() if name in own})

    def _fit(self, kind: Kind, data: Dataset, augment: Callable[[list[Any]], list[Any]] | None = None) -> Self:
        """Fit on data of a kind, and set the attributes that every estimator has."""
        asked = Asked(int(self.random_state), self.steps, self.lr, self.folds, self.repeats, self.evidence)
        wiring = kind.wiring(asked, data)
        cache, device = self._cache(), pick_device(self.device)
        method = method_of(self.method)
        fitted = fit_rows(data.items, wiring, method, cache, device=device, augment=augment)
        outcome = fitted.outcome
        self._fitted_kind = kind
        self._model: Model = kind.model(data, outcome.network, wiring.reader, cache)
        self.evidence_: Evidence | None = outcome.evidence
        self.returned_ = outcome.returned
        self.method_, self.tried_ = outcome.method, outcome.tried
        self.history_ = outcome.history
        return self

    def _cache(self) -> Path:
        return Path(self.cache) if self.cache else cache_folder() / "features"

    def save(self, folder: str | Path) -> None:
        """Write the fitted model into a folder that `tutelage.load` reads.

        Raises:
            TypeError: the network is the user's own module, whose code cannot be saved.
        """
        check_is_fitted(self)
        model.save(self._model, Path(folder))


def method_of(method: str | Method | Auto) -> Method | Auto:
    """A method by name with its defaults, or the method itself.

    Raises:
        ValueError: there is no such method.
    """
    if not isinstance(method, str):
        return method
    one_of("method", method, (*METHODS, Auto.name))
    return Auto() if method == Auto.name else METHODS[method]()


def maker(network: Any) -> Callable[[], Any] | None:
    """What makes the user's own network, given a module, which is copied, or a function; None of a name or nothing."""
    if network is None or isinstance(network, str):
        return None
    from torch import nn

    if isinstance(network, nn.Module):
        return Copies(network)
    made: Callable[[], Any] = network
    return made


@dataclass(frozen=True)
class Copies:
    """Makes copies of a module."""

    module: Any

    def __call__(self) -> Any:
        import copy

        return copy.deepcopy(self.module)
