"""Base class of the estimators: common parameters, fitting and saving."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import KW_ONLY, dataclass, fields
from pathlib import Path
from typing import Any

import pandas as pd
from sklearn.base import BaseEstimator
from sklearn.utils.validation import check_is_fitted

from tutelage import kinds, model
from tutelage.data.sources import cache_folder
from tutelage.fit.auto import Auto
from tutelage.fit.defaults import Asked, pick_device
from tutelage.fit.evidence import Evidence
from tutelage.fit.fit_rows import Fitted, fit_rows
from tutelage.fit.pool_words import evidence_of
from tutelage.kinds.base import Kind
from tutelage.kinds.dataset import Dataset
from tutelage.kinds.summary import summarise
from tutelage.methods import METHODS, Method
from tutelage.model import Model
from tutelage.ops.checks import one_of
from tutelage.ops.said import Heard, hearing, warn

OWN = "make"
"""Name of a kind's field for the function that makes the user's own network; estimators call it ``network``."""


@dataclass(eq=False, repr=False)
class Estimator(BaseEstimator):
    """An estimator with the interface of scikit-learn. Subclasses add the parameters of their data.

    Args:
        method: name of a method, such as "drift" (`tutelage methods` lists them); a method with its own
            hyper-parameters, such as ``Drift(decay=0.9)``; or "auto", which tries many by cross-validation.
        steps: optimiser steps of each training, at least 1; None takes the network's default.
        lr: peak learning rate, above 0; None takes the network's default.
        folds: folds of the cross-validation, at least 2; None is 5 for a head on features, else 2.
        repeats: repeats of the cross-validation, at least 1; None is 2 for a head on features, else 1.
        evidence: whether cross-validation measures the gain from the pool; False returns the method's model unchecked.
        device: device to train on, as torch names it; "auto" is a GPU where there is one, else the CPU.
        cache: folder of the feature cache; None is a folder in the user's cache folder.
        random_state: random seed, a whole number in [0, 2**32).
        copies: "once" gives equal items with equal labels one vote together; "each" gives each of them one; "off" takes
            nothing for a copy.
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
    copies: str = "once"

    def _kind(self, X: Any) -> Kind:
        """Kind of the data X, with this estimator's parameters as its options.

        Raises:
            ValueError: a parameter is set that this kind does not have.
        """
        require_one_column(X)
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

    def _fit(self, kind: Kind, data: Dataset, augment: Callable[[list[Any]], list[Any]] | None = None) -> Fitted:
        """Fit on a dataset, and set the attributes that all estimators have."""
        asked = Asked(int(self.random_state), self.steps, self.lr, self.folds, self.repeats, self.evidence)
        method = method_of(self.method)
        wiring = kind.wiring(asked, data, isinstance(method, Auto))
        cache, device = self._cache(), pick_device(self.device)
        fitted = fit_rows(data.items, wiring, method, cache, device=device, augment=augment)
        outcome = fitted.outcome
        self._summary: dict[str, Any] = summarise(kind, data, fitted)
        self._fitted_kind = kind
        self._model: Model = kind.model(data, outcome.network, fitted.reader, cache, outcome.calibration)
        self.temperature_ = outcome.calibration.temperature
        self.evidence_: Evidence | None = evidence_of(outcome, data.classes)
        self.returned_ = outcome.returned
        self.method_, self.tried_ = outcome.method, outcome.tried
        self.history_ = outcome.history
        self.prevalence_ = outcome.prevalence
        self.copies_ = about_copies(data, fitted)
        for line in (data.repeated.torn, data.repeated.near) if data.repeated is not None else ():
            if line:
                warn(line, stacklevel=3, page="copies")
        if outcome.note:
            warn(outcome.note, stacklevel=3, page="left-teacher")
        return fitted

    @contextmanager
    def _hearing(self) -> Iterator[None]:
        """Context of a fit, whose warnings are kept."""
        with hearing(Heard()) as heard:
            yield
        self.warnings_ = heard.warnings
        self._summary["said"] = heard.lines

    def summary(self) -> dict[str, Any]:
        """What was learnt, compared, returned and said, as plain values: what `tutelage fit` writes as summary.json.

        Of a run it lacks "read", "test" and the times; "said" are the warnings, see ``warnings_``.
        """
        check_is_fitted(self)
        return copy.deepcopy(self._summary)

    def _cache(self) -> Path:
        return Path(self.cache) if self.cache else cache_folder() / "features"

    def save(self, folder: str | Path) -> None:
        """Write the fitted model into a folder that `tutelage.load` reads.

        Raises:
            TypeError: the network is the user's own module, whose code cannot be saved.
        """
        check_is_fitted(self)
        model.save(self._model, Path(folder))


def about_copies(data: Dataset, fitted: Fitted) -> dict[str, Any]:
    """Plain values about labelled items that occur several times; empty where there are none.

    Args:
        data: data that was learnt.
        fitted: outcome of the fit.
    """
    if data.repeated is None:
        return {}
    return data.repeated.as_dict() | {"flattered": None if fitted.leaking is None else fitted.leaking.as_dict()}


def require_one_column(X: Any) -> None:
    """Check that a data frame of several columns has no column of texts, which would not be read as such.

    Raises:
        ValueError: it has; the message names the column.
    """
    if isinstance(X, pd.DataFrame) and X.shape[1] > 1 and len(X):
        texts = [name for name in X.columns if _is_text(X[name].iloc[0])]
        if texts:
            raise ValueError(
                f"X has {X.shape[1]} columns, of which {texts[0]!r} holds texts; give this column alone, "
                f"X[{texts[0]!r}], or columns of numbers"
            )


def _is_text(value: Any) -> bool:
    try:
        float(value)
    except ValueError:
        return isinstance(value, str)
    except TypeError:
        return False
    return False


def method_of(method: str | Method | Auto) -> Method | Auto:
    """Method of a name, with its defaults; a method that is no name is returned as it is.

    Raises:
        ValueError: there is no such method.
    """
    if not isinstance(method, str):
        return method
    one_of("method", method, (*METHODS, Auto.name))
    return Auto() if method == Auto.name else METHODS[method]()


def maker(network: Any) -> Callable[[], Any] | None:
    """Function that makes the user's own network; None where ``network`` is a name or None.

    Args:
        network: module, which is copied, or function that makes one.
    """
    if network is None or isinstance(network, str):
        return None
    from torch import nn

    if isinstance(network, nn.Module):
        return Copies(network)
    made: Callable[[], Any] = network
    return made


@dataclass(frozen=True)
class Copies:
    """Function that makes copies of a module.

    Attributes:
        module: the module.
    """

    module: Any

    def __call__(self) -> Any:
        return copy.deepcopy(self.module)
