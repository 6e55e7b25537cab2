"""A protocol: one TOML file that names the methods that are compared, the data sets and the settings."""

from __future__ import annotations

import itertools
import os
import tomllib
from collections.abc import Iterator, Sequence
from dataclasses import fields
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, ValidationError, model_validator

from tutelage import kinds
from tutelage.ask import NAMES as SELECTORS
from tutelage.methods import METHODS, Method, class_named
from tutelage.methods.fields import ramps_read
from tutelage.ops.own import is_address

CONTROLS = ("majority class", "nearest class mean", "labels only")
"""Names of the trivial rivals in every table: the commonest class of the labels; the class with the nearest mean of
labelled rows; logistic regression (or the network) with its penalty tuned on the labels."""

WEAK_CONTROLS = ("label model",)
"""Names of rivals after weak labels, for protocols that name them: "label model" learns nothing, and predicts the weak
labels of the scored items."""

ESTIMATORS = ("auto", "self_distiller")
"""Names of the learners that choose by themselves; they are no methods."""

ASKS = "by "
"""What the name of a learner that asks for labels begins with; the name of its selector follows."""

LEARNS = " + "
"""What separates that name from the name of the method that learns in the loop, where it is not the labels alone."""

Kind = Annotated[str, AfterValidator(kinds.named)]
"""Name of a kind of data."""


def _pairs(value: Any) -> Any:
    """Descriptions as pairs of a label and its sentences, so that a table can be hashed."""
    if not isinstance(value, dict):
        return value
    return tuple((label, (said,) if isinstance(said, str) else tuple(said)) for label, said in value.items())


Descriptions = Annotated[tuple[tuple[str, tuple[str, ...]], ...], BeforeValidator(_pairs)]
"""Sentences that describe each class, in pairs of a label and its sentences; in TOML a table."""


class _Table(BaseModel):
    """A table of a TOML file; it must have no unknown keys."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class DataSet(_Table):
    """A data set and how it is split; it is the same for every method and, except for ``resplit``, for every seed.

    Attributes:
        name: name of the data set in tables.
        kind: name of the kind of data, see `tutelage.kinds.TABLE`.
        file: a table or an npz file, from the folder that TUTELAGE_DATA names, else from the protocol's; or
            "scikit-learn:digits" and the like, or "cache:..." from the user's cache folder.
        items, labels: names of the columns, or keys of an npz file, in which "{split}" stands for a part.
        split: name of the column that names the part of a row; empty where the file has no parts.
        learn, test: names of the parts to learn from and to score on.
        test_file: file of the part to score on, where that is another file.
        pool, scored: largest numbers of items to learn from and to score on; of more items, so many are drawn with seed
            0. Without ``split``, ``scored`` items are drawn to score on, and the first of the others are learnt from.
        resplit: whether each seed draws its own part to score on, where the file has no parts.
        weak: name of the column of weak labels: a list of votes for each text, one vote, or tags; -1 = abstains.
        said: name of the column of what a brought teacher says: probabilities of the classes for each item.
        noisy_file: table whose columns are noisy labels of the part to learn from; its column "index" finds the rows.
        void: value of a mask's pixels whose class is unknown.
        size: height and width that images are resized to.
        flip: whether a mirrored image has the same class.
        describe: sentences that describe each class, by its label.
    """

    name: str
    kind: Kind
    file: str
    items: str = "text"
    labels: str = "label"
    split: str = "split"
    learn: tuple[str, ...] = ("train",)
    test: tuple[str, ...] = ("test",)
    test_file: str | None = None
    pool: int = Field(default=4000, ge=1)
    scored: int = Field(default=2000, ge=1)
    resplit: bool = False
    weak: str | None = None
    said: str | None = None
    noisy_file: str | None = None
    void: int | None = None
    size: tuple[int, int] | None = None
    flip: bool = True
    describe: Descriptions = ()


class Setting(_Table):
    """How much is known of the labels.

    Attributes:
        labels: number of labels of each class (for sentences and masks: number of labelled items); None is all, and 0
            is none, which is for whole fits alone.
        noise: noise of the labels: "symmetric 40", "leaning 40" or "next_class 20", in %; or a column of
            ``noisy_file``.
        weak: whether weak labels are learnt and no clean label is known.
        gold: whether the true labels of all items with weak labels are learnt, which shows what better weak labels
            could bring.
        only: names of the data sets that the setting is for; by default all.
        budgets: numbers of labelled items at which learners that ask for labels are scored, rising. So many as the
            first says are drawn, one of each class and the others from all; they count like those that are asked for.
    """

    labels: int | None = Field(default=None, ge=0)
    noise: str | None = None
    weak: bool = False
    gold: bool = False
    only: tuple[str, ...] = ()
    budgets: tuple[Annotated[int, Field(ge=1)], ...] = ()

    @model_validator(mode="after")
    def _rising(self) -> Setting:
        """Check that budgets rise, are two at least, and stand alone."""
        if self.budgets and (len(self.budgets) < 2 or list(self.budgets) != sorted(set(self.budgets))):
            raise ValueError(f"budgets: must be two numbers at least, rising, got {list(self.budgets)}")
        if self.budgets and (self.labels is not None or self.noise is not None or self.weak or self.gold):
            raise ValueError("budgets: must stand alone, without labels, noise, weak and gold")
        return self

    @property
    def name(self) -> str:
        """Name of the setting in tables."""
        if self.budgets:
            return f"{self.budgets[0]} to {self.budgets[-1]} labels"
        if self.gold:
            return "gold labels of the same items"
        known = "weak labels" if self.weak else "all labels" if self.labels is None else f"{self.labels} labels"
        return f"{known}, {self.noise}" if self.noise and self.labels else self.noise or known


class Steps(_Table):
    """How every network is trained; None stands for the library's default.

    Attributes:
        network: "head" on fixed features, "whole" (the encoder is trained, too), or the name of a network that is
            trained from scratch.
        steps: number of steps of the optimiser, at least 1, the same for every method: rounds share them.
        lr, weight_decay: learning rate and weight decay of the optimiser.
        budget: budget of "auto", in trainings of this many steps, at least 40.
    """

    network: Literal["head", "whole", "small_cnn", "wide_resnet", "unet"] = "head"
    steps: int | None = Field(default=None, ge=1)
    lr: float | None = Field(default=None, gt=0)
    weight_decay: float | None = Field(default=None, ge=0)
    budget: float | None = Field(default=None, ge=40)


class Tuning(_Table):
    """How hyper-parameters are chosen, by cross-validation on the very labels that are learnt from.

    Attributes:
        folds, repeats: numbers of folds and of repeats of the cross-validation.
        always: whether methods with nothing to choose are cross-validated, too, so that held-out scores are recorded.
        evidence: whether each method is fitted with its evidence, as by `tutelage fit`. A line of results then has the
            score of the labels-only "reference", the "observed" cross-validated difference to it, its "standard_error",
            and the number of "evidence_labels" behind it.
    """

    folds: int = Field(default=3, ge=2)
    repeats: int = Field(default=1, ge=1)
    always: bool = False
    evidence: bool = False


class Variant(_Table):
    """A method with other hyper-parameters, under a name of its own.

    Attributes:
        name: name of the variant.
        method: name of the method.
        fields: hyper-parameters that differ from the method's defaults, by name.
    """

    name: str
    method: str
    fields: dict[str, Any]


class WholeFit(_Table):
    """A fit as `tutelage fit` does it, with all that it chooses, as a row of the table.

    Attributes:
        name: name of the row.
        method: name of a method, or "auto".
        encoder: name of the encoder; "auto" lets the labels choose, None is the kind's own.
        adapt: whether the encoder is adapted to the labels; None leaves it to "auto".
        describe: whether the data set's descriptions of the classes are given.
        votes: whether the data set's weak labels are given, beside the clean labels of the setting.
        taught: whether the data set's teacher is given: its descriptions of the classes, or what a brought one says.
        teacher: whether the described or brought teacher alone is scored, which learns nothing.
        least: labels of each class that it needs, at least; settings with fewer are left out.
        paths: whether each model that might have been returned is trained and scored, too.
    """

    name: str
    method: str = "drift"
    encoder: str | None = None
    adapt: bool | None = None
    describe: bool = False
    votes: bool = False
    taught: bool = False
    teacher: bool = False
    least: int = Field(default=0, ge=0)
    paths: bool = False


class Loop(_Table):
    """A learner that asks for labels: who says which, and what learns them.

    Attributes:
        by: name of a selector, see `tutelage.ask.select`.
        method: name of the method that learns between two budgets; None is the tuned model of the labels alone.
    """

    by: str
    method: str | None = None


class Protocol(_Table):
    """A comparison of learners on the same data sets and settings.

    Attributes:
        name: name of the protocol, and of its file of results.
        about: a sentence on the protocol, for the table.
        seeds: seeds of labels, initial weights and batches; with fewer than 5, tables remark on it.
        methods: names of methods, and "auto" or "self_distiller"; or addresses of one's own, "my_method.py:Mine".
        controls: names of trivial rivals, of `CONTROLS` and `WEAK_CONTROLS`.
        variants: methods with other hyper-parameters.
        fits: whole fits, with what these choose.
        selectors: learners that ask for labels, each the name of a selector, such as "margin", or of one and of the
            method that learns in the loop, such as "margin + self_training"; in tables "by " stands before it.
        grid: values of hyper-parameters to choose from, by the name of a method or variant and of the hyper-parameter.
        steps: how every network is trained.
        tuning: how hyper-parameters are chosen.
        settings: how much is known of the labels; each setting is a column of a data set.
        data: the data sets.
    """

    name: str
    about: str = ""
    seeds: tuple[int, ...] = (0, 1, 2, 3, 4)
    methods: tuple[str, ...] = ()
    controls: tuple[str, ...] = CONTROLS
    variants: tuple[Variant, ...] = ()
    fits: tuple[WholeFit, ...] = ()
    selectors: tuple[str, ...] = ()
    grid: dict[str, dict[str, Annotated[list[Any], Field(min_length=1)]]] = Field(default_factory=dict)
    steps: Steps = Steps()
    tuning: Tuning = Tuning()
    settings: tuple[Setting, ...]
    data: tuple[DataSet, ...]

    @model_validator(mode="after")
    def _known(self) -> Protocol:
        """Check that all names are known, none is there twice, and all hyper-parameters are valid."""
        names = {d.name for d in self.data}
        for what, given, allowed in (
            ("methods", self.methods, {*METHODS, *ESTIMATORS}),
            ("controls", self.controls, {*CONTROLS, *WEAK_CONTROLS}),
            ("variants", [v.method for v in self.variants], set(METHODS)),
            ("fits", [f.method for f in self.fits], {*METHODS, "auto"}),
            ("selectors", [s.split(LEARNS)[0] for s in self.selectors], set(SELECTORS)),
            ("selectors", [m for s in self.selectors for m in s.split(LEARNS)[1:]], set(METHODS)),
            ("grid", self.grid, {*self.methods, *(v.name for v in self.variants)} - {*ESTIMATORS}),
            ("only", [d for s in self.settings for d in s.only], names),
        ):
            unknown = sorted(name for name in set(given) - allowed if not is_address(name))
            if unknown:
                raise ValueError(f"{what}: {unknown[0]!r} must be one of {', '.join(sorted(allowed))}")
        for what, all_of in (
            (
                "methods, controls and variants",
                [
                    *METHODS,
                    *ESTIMATORS,
                    *CONTROLS,
                    *WEAK_CONTROLS,
                    *(v.name for v in self.variants),
                    *(f.name for f in self.fits),
                ],
            ),
            ("methods", self.methods),
            ("controls", self.controls),
            ("selectors", self.selectors),
            ("seeds", self.seeds),
            ("data", [d.name for d in self.data]),
            ("settings", [(d.name, s.name) for d, s in self.cells()]),
        ):
            twice = [v for i, v in enumerate(all_of) if v in all_of[:i]]
            if twice:
                raise ValueError(f"{what}: {twice[0]!r} is there twice")
        for name in (*self.methods, *(v.name for v in self.variants)):
            self.candidates(name)
        learners = (*self.methods, *self.controls, *(v.name for v in self.variants))
        if learners and any(s.labels == 0 for s in self.settings):
            raise ValueError(f"settings: labels = 0 is for fits alone, and {learners[0]!r} learns from labels")
        asking = [bool(s.budgets) for s in self.settings]
        if any(asking) != bool(self.selectors) or (any(asking) and not (all(asking) and self._only_asks(learners))):
            raise ValueError("settings: budgets are for selectors alone, and selectors need them")
        return self

    def _only_asks(self, learners: Sequence[str]) -> bool:
        """Whether there are no other learners than those that ask for labels."""
        return not learners and not self.fits

    @property
    def learners(self) -> tuple[str, ...]:
        """Names of all learners, which are the rows of the protocol's table."""
        asking = (ASKS + name for name in self.selectors)
        return (*self.controls, *self.methods, *(v.name for v in self.variants), *(f.name for f in self.fits), *asking)

    def takes_part(self, name: str, setting: Setting) -> bool:
        """Whether a learner has labels enough in a setting."""
        whole = self.whole_fit(name)
        return whole is None or setting.labels is None or setting.labels >= whole.least

    def loop(self, name: str) -> Loop | None:
        """What asks for labels under a name; None where the learner is another."""
        if name.removeprefix(ASKS) not in self.selectors or not name.startswith(ASKS):
            return None
        by, *method = name.removeprefix(ASKS).split(LEARNS, 1)
        return Loop(by=by, method=method[0] if method else None)

    def whole_fit(self, name: str) -> WholeFit | None:
        """The whole fit of a name; None where the learner is another."""
        return next((fit for fit in self.fits if fit.name == name), None)

    def candidates(self, name: str) -> list[Method]:
        """The method or variant of this name, with each choice of hyper-parameters in the grid; [] for other learners.

        Raises:
            ValueError: a hyper-parameter is unknown or not valid.
        """
        variant = {v.name: v for v in self.variants}.get(name)
        word = variant.method if variant else name
        if word not in METHODS and not is_address(word):
            return []
        kind = class_named(word)
        given, grid = variant.fields if variant else {}, self.grid.get(name, {})
        unknown = sorted({*given, *grid} - {f.name for f in fields(kind)})
        if unknown:
            raise ValueError(f"{name} has no hyper-parameter {unknown[0]!r}")
        try:
            return [
                kind(**ramps_read(kind, given | dict(zip(grid, values, strict=True))))
                for values in itertools.product(*grid.values())
            ]
        except (TypeError, ValueError) as e:
            raise ValueError(f"{name}: {e}") from e

    def cells(self) -> Iterator[tuple[DataSet, Setting]]:
        """All pairs of a data set and a setting, which are the columns of the protocol's table."""
        for data in self.data:
            for setting in self.settings:
                if not setting.only or data.name in setting.only:
                    yield data, setting


def with_methods(protocol: Protocol, more: Sequence[str]) -> Protocol:
    """A protocol with more methods, each a name or the address of one's own, such as "my_method.py:Mine".

    Raises:
        ValueError: there is no such method, or the protocol has it already.
    """
    try:
        return Protocol(**protocol.model_dump() | {"methods": (*protocol.methods, *more)}) if more else protocol
    except ValidationError as e:
        raise ValueError(e.errors()[0]["msg"].removeprefix("Value error, ")) from e


def read_protocol(path: Path) -> Protocol:
    """A protocol from its TOML file.

    Raises:
        FileNotFoundError: there is no such file.
        ValueError: the file is not valid; the message names the file and the key, and says what is wrong.
    """
    if not path.is_file():
        raise FileNotFoundError(f"{path}: no such file; a protocol is a TOML file, as those of benchmarks/protocols")
    try:
        return Protocol(**tomllib.loads(path.read_text(encoding="utf-8")))
    except tomllib.TOMLDecodeError as e:
        raise ValueError(f"{path}: no TOML: {e}") from e
    except ValidationError as e:
        first = e.errors()[0]
        where = ".".join(str(part) for part in first["loc"])
        raise ValueError(f"{path}: {f'{where}: ' if where else ''}{first['msg'].removeprefix('Value error, ')}") from e


def data_root(protocol: Path) -> Path:
    """Folder of the data sets: TUTELAGE_DATA; else ../shared/data where that exists; else the protocol's own folder.

    Args:
        protocol: the protocol's file.
    """
    named, staged = os.environ.get("TUTELAGE_DATA"), Path("../shared/data")
    return Path(named) if named else staged if staged.is_dir() else protocol.parent
