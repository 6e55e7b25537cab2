"""Base class of the estimators: common parameters, fitting and saving."""

from __future__ import annotations

import copy
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import KW_ONLY, dataclass, fields, replace
from pathlib import Path
from typing import Annotated, Any, Literal, Self

import numpy as np
import pandas as pd
import torch
from sklearn.base import BaseEstimator
from sklearn.utils.validation import check_is_fitted
from torch import nn

from tutelage import kinds
from tutelage.ask import NAMES
from tutelage.data.sources import features_folder
from tutelage.estimators.arguments import RandomState, require_arguments, seed_of
from tutelage.estimators.containers import items_of
from tutelage.estimators.method_settings import PREFIX, method_of, settings_of, with_settings
from tutelage.estimators.progress import told
from tutelage.estimators.saving import load_run, save_run
from tutelage.fit.auto import Auto
from tutelage.fit.box import in_notebook
from tutelage.fit.defaults import Asked, pick_device
from tutelage.fit.evidence import Evidence
from tutelage.fit.fit_rows import Fitted, fit_rows
from tutelage.fit.onward import LABELS_ALONE
from tutelage.fit.pool_words import evidence_of
from tutelage.fit.verdict import verdict
from tutelage.kinds.asking import HowAsked, questions
from tutelage.kinds.base import Kind
from tutelage.kinds.candidates import chosen_first
from tutelage.kinds.dataset import Dataset, require_classes
from tutelage.kinds.entries import joined
from tutelage.kinds.known_pool import Remembered
from tutelage.kinds.ledger import KeptLedger
from tutelage.kinds.opinions import opinions
from tutelage.kinds.records import collect, on_device
from tutelage.kinds.story import Story, Told, find, story
from tutelage.kinds.summary import summarise
from tutelage.methods import Method, Supervised
from tutelage.methods.fields import Count, Positive
from tutelage.model import Model
from tutelage.ops.checks import Range, one_of
from tutelage.ops.own import Copies
from tutelage.ops.said import Heard, hearing, warn
from tutelage.track import current
from tutelage.track.scores import parameters_of

OWN = "make"
"""Name of a kind's field for the function that makes the user's own network; estimators call it ``network``."""

STOPPED = (
    "Stopped: the model of the labels alone is trained and returned, unchecked; the pool was not learnt from, and "
    "nothing was cross-validated. Stop once more to have none."
)
"""Warning of a fit that the user stopped."""


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
        amp: precision of products of matrices in a network trained whole: "float32", "bfloat16" or "auto", which a
            probe settles; None is float32.
        accumulate: number of parts of a step's batch, one after another, in a network that is trained whole, at least
            1; they save memory. A method whose loss couples the units of a batch is refused.
        compile: whether the blocks of a network that is trained whole are compiled.
        checkpoint_activations: whether the activations of a network that is trained whole are computed again in the
            backward pass, which saves memory.
        cache: folder of the feature cache; None is a folder in the user's cache folder; False keeps nothing.
        random_state: random seed, a whole number in [0, 2**32); a ``RandomState`` or a ``Generator`` of NumPy, from
            which each fit draws its seed; or None, for NumPy's own random state.
        copies: "once" gives equal items with equal labels one vote together; "each" gives each of them one; "off" takes
            nothing for a copy.
        verbose: True draws a bar while a fit goes on; or a function, called with the name of the work, the steps that
            are done, and all steps.
    """

    method: str | Method | Auto = "drift"
    _: KW_ONLY
    steps: Count | None = None
    lr: Positive | None = None
    folds: Annotated[int, Range(2, whole=True)] | None = None
    repeats: Count | None = None
    evidence: bool = True
    device: str | torch.device = "auto"
    amp: Literal["float32", "bfloat16", "auto"] | None = None
    accumulate: Count = 1
    compile: bool = False
    checkpoint_activations: bool = False
    cache: str | Path | Literal[False] | None = None
    random_state: RandomState = 0
    copies: Literal["once", "each", "off"] = "once"
    verbose: bool | Callable[[str, int, int], Any] = False

    def get_params(self, deep: bool = True) -> dict[str, Any]:
        """Parameters by name; those of the method, too, as ``method__NAME``, where ``deep``."""
        found: dict[str, Any] = super().get_params(deep)
        own = settings_of(self.method) if deep else {}
        return found | {f"{PREFIX}{name}": value for name, value in own.items()}

    def set_params(self, **params: Any) -> Self:
        """Set parameters; ``method__NAME`` sets one of the method's, after which ``method`` is no name any more.

        Raises:
            ValueError: there is no such parameter, or one of the method is out of its range.
        """
        own = {name.removeprefix(PREFIX): params.pop(name) for name in list(params) if name.startswith(PREFIX)}
        super().set_params(**params)
        if own:
            self.method = with_settings(self.method, own)
        return self

    def _begin(self, X: Any, y: Any) -> None:
        """Check all parameters, before anything is read, and draw the seed of the fit; keep the names of columns.

        Args:
            X: items, in a container that kinds know.
            y: labels, in such a container.

        Raises:
            TypeError, ValueError: a parameter is not valid; the message names it, its value and what is allowed.
        """
        self._asked: Method | Auto = method_of(self.method)
        self._seed = seed_of(self.random_state)
        require_arguments(self)
        pick_device(str(self.device))
        self._columns = columns_of(X), columns_of(y)

    def _kind(self, X: Any) -> Kind:
        """Kind of the data X, with this estimator's parameters as its options.

        Raises:
            ValueError: a parameter is set that this kind does not have.
        """
        require_one_column(X)
        kind = kinds.of_values(X, self._learns())
        own = {f.name for f in fields(kind)}
        given = {f.name: getattr(self, f.name) for f in fields(self)}
        made = maker(given.get("network"))
        if made is not None:
            given |= {"network": None, OWN: made}
        if isinstance(given.get("encoder"), Path):
            given["encoder"] = str(given["encoder"])
        for parameter in fields(self):
            value, name = given[parameter.name], OWN if parameter.name == "network" and made else parameter.name
            of_kinds = any(name in {f.name for f in fields(k)} for k in kinds.KINDS.values())
            if of_kinds and name not in own and value != parameter.default:
                hint = f" ({kind.words.taken})" if kind.words.taken else ""
                raise ValueError(f"{parameter.name}={value!r} is not for {kind.words.things}{hint}; leave it out")
        if made is not None and OWN not in own:
            raise ValueError(f"network is not for {kind.words.things}; leave it out")
        return kind(**{name: value for name, value in given.items() if name in own})

    @classmethod
    def _learns(cls) -> str:
        """Name of the estimator that learns such kinds of data: of this class, or of one that it inherits from."""
        known = {kind.estimator for kind in kinds.KINDS.values()}
        return next(above.__name__ for above in cls.__mro__ if above.__name__ in known)

    def _fit(self, kind: Kind, data: Dataset, augment: Callable[[list[Any]], list[Any]] | None = None) -> Fitted:
        """Fit on a dataset, and set the attributes that all estimators have."""
        require_classes(method_of(self.method).named_classes, data)
        if (following := current()) is not None:
            following.begin(type(self).__name__, parameters_of(kind, data, method_of(self.method), self._wishes()))
        fitted, self.partial_ = self._fitted(kind, data, augment)
        outcome = fitted.outcome
        cache = self._cache()
        self._summary: dict[str, Any] = summarise(kind, data, fitted) | ({"partial": True} if self.partial_ else {})
        self._fitted_kind = kind
        self._record: dict[str, Any] = collect(on_device(data, fitted), kind, data, fitted)
        self._remembered: Remembered | None = Remembered.of(kind, data)
        self._ledger = KeptLedger.of(data, fitted.ledgers)
        self._model: Model = kind.model(data, outcome.network, fitted.reader, cache or False, outcome.calibration)
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

    def _wishes(self) -> Asked:
        """What the parameters say of training and evidence."""
        return Asked(
            self._seed, self.steps, self.lr, self.folds, self.repeats, bool(self.evidence), amp=self.amp,
            accumulate=self.accumulate, compile=bool(self.compile),
            checkpoint_activations=bool(self.checkpoint_activations), in_python=True,
        )  # fmt: skip

    def _fitted(
        self, kind: Kind, data: Dataset, augment: Callable[[list[Any]], list[Any]] | None
    ) -> tuple[Fitted, bool]:
        """The fit, and whether it was stopped by the user: then it is that of the labels alone, unchecked."""
        asked = self._wishes()
        method, cache, device = method_of(self.method), self._cache(), pick_device(str(self.device))
        wiring = kind.wiring(asked, data, isinstance(method, Auto))
        try:
            with told(self.verbose) as tick:
                return fit_rows(data.items, wiring, method, cache, device=device, augment=augment, tick=tick), False
        except KeyboardInterrupt:
            if not len(data.items.labelled) or data.items.weak:
                raise
            warn(STOPPED, stacklevel=3, page="stopped")
        alone = replace(data.items, pool=data.items.pool[:0], truth=None)
        wiring = kind.wiring(replace(asked, evidence=False), data)
        fitted = fit_rows(alone, wiring, Supervised(), cache, device=device)
        outcome = fitted.outcome
        return replace(fitted, outcome=replace(outcome, network=outcome.reference, returned="reference")), True

    @contextmanager
    def _hearing(self) -> Iterator[None]:
        """Context of a fit, whose warnings are kept."""
        with hearing(Heard()) as heard:
            yield
        self.warnings_ = heard.warnings
        self._summary["said"] = heard.lines
        if (following := current()) is not None:
            with tempfile.TemporaryDirectory(prefix="tutelage-") as scratch:
                following.conclude(self._summary, self._as_run(Path(scratch) / "run"))

    def _as_run(self, folder: Path) -> Path | None:
        """The folder, as a run of this fit; None where its network can only be pickled."""
        try:
            save_run(self, folder)
        except TypeError:
            return None
        return folder

    def summary(self) -> dict[str, Any]:
        """What was learnt, compared, returned and said, as plain values: what `tutelage fit` writes as summary.json.

        Of a run it lacks "read", "test" and the times; "said" are the warnings, see ``warnings_``.
        """
        check_is_fitted(self)
        return copy.deepcopy(self._summary)

    def records(self) -> dict[str, Any]:
        """What the pictures of `tutelage.plots` are drawn from, as plain values: what a run keeps as records.json.

        Empty but for "summary" where the estimator was loaded from a run of an earlier version.
        """
        check_is_fitted(self)
        return copy.deepcopy(self._record) | {"summary": {k: v for k, v in self.summary().items() if k != "versions"}}

    def why(self, row: int | str, of: str | None = None) -> Story:
        """The story of one item of the pool: what each teacher said of it when, and whether that was learnt.

        Args:
            row: number of the item in X, from 0; of a run of the command the number of the row, as messages count them,
                or the path of a file within its folder.
            of: source of the item: "X_unlabelled" for that argument, or a file of a run; None is X, or the run's
                training table.

        Raises:
            ValueError: there is no such item, or no ledger: the fit had no pool, or learnt pixels, or is a run of an
                earlier version.
        """
        check_is_fitted(self)
        kept: KeptLedger | None = getattr(self, "_ledger", None)
        if kept is None:
            raise ValueError(
                "this fit holds no ledger of pseudo-labels: it had no pool, learnt pixels, or is of an earlier version"
            )
        told = Told(self._summary["returned"] not in LABELS_ALONE, self._fitted_kind.words.things)
        return story(kept, find(kept, row, of), told)

    def _html_repr(self) -> str:
        """HTML for a notebook: the answer, as a report has it on top; before the fit what scikit-learn shows."""
        if not hasattr(self, "_summary"):
            return str(super()._html_repr())
        summary = self._summary
        warned = [line["words"] for line in summary.get("said", [])]
        return in_notebook(verdict(summary, use="`predict` and `predict_proba`"), warned)

    def _cache(self) -> Path | None:
        return features_folder(self.cache)

    def predict_proba(self, X: Any) -> Any:
        """Probabilities of each class; subclasses say of what."""
        raise NotImplementedError

    def next_(
        self, X: Any, count: int = 20, *, by: str = "auto", drawn: float = 0.1, labelled: Any = None, y: Any = None,
        asked_by: Any = None, other: str = "", random_state: int | None = None,
    ) -> pd.DataFrame:  # fmt: skip
        """Items that are worth a label most, the first to label first.

        Args:
            X: n items without a label, as in `fit`.
            count: number of items to label, in [1, n].
            by: what chooses them: "diverse", "cluster_margin", "margin", "entropy", "cluster", "coreset", "pcoreset",
                "actune", "variation", which needs ``labelled`` and ``y``, or "random"; or "auto", which is "cluster"
                while ``y`` lacks a class, else "diverse".
            drawn: share of them that is drawn at random instead, in [0, 1]: they alone are a sample, by which
                `fit` says how good the model is, see its argument ``asked_by``.
            labelled: items that have a label, as X, to stay away from; by default none.
            y: labels of these items; by default it is taken that each class has one.
            asked_by: by which selector each of these items was asked for, "asked_by" of earlier rounds, None for one
                that was labelled anyway. Those that a selector chose are then drawn from, too: without it the drawn
                items of later rounds are no sample, as the hard ones are missing.
            other: class that means "none of these": what the model takes for it is asked for only where it is drawn.
            random_state: seed of all draws, at least 0; by default the number of the items ``labelled``, so that each
                round draws others.

        Of equal items one is asked for, and none that equals a labelled one. In `fit` let the "asked_by" of a drawn
        item that was labelled before be "random" from then on.

        Returns:
            A row for each item: its number in X, as "index"; where ``asked_by`` is given, "labelled", the number in
            ``labelled`` of one that has its label already, whose "index" is -1, and -1 of the others; "guess", the
            label that the model gives it, where a label is a word; "why" it is asked for; and "asked_by", the selector,
            or "random".

        Raises:
            ValueError: an argument is out of its range.
        """
        check_is_fitted(self)
        kind, items = self._fitted_kind, self._given(X)
        one_of("by", by, NAMES)
        known = [] if labelled is None else self._given(labelled)
        both = items if labelled is None else joined([items, known])
        classes = [None] * len(known) if y is None else list(y)
        if len(classes) != len(known):
            raise ValueError(f"y must hold a label for each of the {len(known)} items labelled, got {len(classes)}")
        strange = {str(c) for c in classes if c is not None} - {str(c) for c in self._model.classes}
        if strange:
            raise ValueError(f"y must hold classes of the model, got {min(strange)!r}")
        seed = len(known) if random_state is None else seed_of(random_state)
        how, keys, n = HowAsked(count, by, drawn, seed, other), kind.pool_keys(both), len(items)
        order, again = chosen_first(keys[n:], [None] * len(known) if asked_by is None else list(asked_by))
        behind = np.concatenate([np.arange(n), n + order])
        both = both[behind] if isinstance(both, np.ndarray) else [both[i] for i in behind.tolist()]
        classes = [classes[i] for i in order.tolist()]
        found = questions(
            kind, self._model, items, opinions(self._model, both), classes, how, again, copies=keys[behind]
        )
        index = found.asked.index
        cells: dict[str, Any] = {"index": index}
        if asked_by is not None:
            there = index >= n
            numbers = np.append(order, -1)[np.where(there, index - n, -1)]
            cells = {"index": np.where(there, -1, index), "labelled": numbers}
        cells |= {} if found.guesses is None else {"guess": found.guesses}
        return pd.DataFrame(cells | {"why": found.why, "asked_by": found.asked.by})

    def _given(self, X: Any) -> Any:
        """Items made of Python values, as the model reads them."""
        return self._fitted_kind.given(items_of(X))

    def predict_log_proba(self, X: Any) -> Any:
        """Logarithms of `predict_proba`, in nats, in the same form; -inf where a probability is 0."""
        p = self.predict_proba(X)
        with np.errstate(divide="ignore"):
            return [np.log(each) for each in p] if isinstance(p, list) else np.log(p)

    def save(self, folder: str | Path) -> None:
        """Write the fit into a folder, as a run that `load`, `tutelage predict` and `tutelage score` take.

        The run has a report, ``report.html``. A run that is in the folder gives place to it.

        Columns are named after those of the data frames that were fitted on; others are named to the command, as by
        ``--text``. A network of the user's own is kept as the address of its class and its settings.

        Args:
            folder: folder of the run, which is made where it is missing.

        Raises:
            TypeError: the network is the user's own, and cannot be imported and made again; the message says why.
            FileExistsError: the folder is no run's, and holds something that would be overwritten.
        """
        check_is_fitted(self)
        save_run(self, Path(folder))

    @classmethod
    def load(cls, folder: str | Path, trust: bool = False, allow_encoder: str | None = None) -> Self:
        """The fitted estimator of a run, which `save` or `tutelage fit` wrote.

        It has what a fit has, but for ``transduction_``, ``tried_`` and ``prevalence_``, which `summary` tells as plain
        values; ``method_`` is the method that was asked for where the chosen one cannot be made by its name alone.

        Args:
            folder: folder of the run.
            trust: whether code of the user's own that the run names, such as the class of a network, is imported.
            allow_encoder: name of an encoder that may be loaded from outside the run, a folder or a name on the Hub; it
                need not be named of a run that you made on this machine.

        Raises:
            FileNotFoundError: there is no such run, or it is not finished.
            UntrustedError: the model names code of the user's own, or such an encoder, and it is not trusted.
            BadFileError: the run is damaged, or of a newer version.
            ValueError: the run is of data for another estimator, which the message names.
        """
        return load_run(cls, Path(folder), trust, allow_encoder)


def about_copies(data: Dataset, fitted: Fitted) -> dict[str, Any]:
    """Plain values about labelled items that occur several times; empty where there are none.

    Args:
        data: data that was learnt.
        fitted: outcome of the fit.
    """
    if data.repeated is None:
        return {}
    return data.repeated.as_dict() | {"flattered": None if fitted.leaking is None else fitted.leaking.as_dict()}


def columns_of(values: Any) -> list[str]:
    """Names of the columns of a data frame, or of a column; empty where they have none, or names that are no texts.

    >>> columns_of(pd.DataFrame({"a": [1], "b": [2]})), columns_of(pd.Series([1], name="a")), columns_of([1])
    (['a', 'b'], ['a'], [])
    """
    if isinstance(values, pd.DataFrame):
        names: list[Any] = list(values.columns)
    else:
        names = [] if not isinstance(values, pd.Series) else [values.name]
    return [str(name) for name in names] if all(isinstance(name, str) for name in names) else []


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


def maker(network: Any) -> Callable[[], Any] | None:
    """Function that makes the user's own network; None where ``network`` is a name or None.

    Args:
        network: module, which is copied, or function that makes one.
    """
    if network is None or isinstance(network, str):
        return None
    if isinstance(network, nn.Module):
        return Copies(network)
    made: Callable[[], Any] = network
    return made
