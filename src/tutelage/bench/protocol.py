"""A protocol: one TOML file that says what is compared with what, and on what."""

from __future__ import annotations

import itertools
import os
import tomllib
from collections.abc import Iterator
from dataclasses import fields
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError, model_validator

from tutelage import kinds
from tutelage.methods import METHODS, Method
from tutelage.methods.fields import ramps_read

CONTROLS = ("majority class", "nearest class mean", "labels only")
"""Of every table: the commonest class of the labels; the class whose labelled rows' mean is nearest; logistic
regression (or the network) with its penalty tuned on the labels."""

WEAK_CONTROLS = ("label model",)
"""Of tables after weak labels, where a protocol names it: what the votes say of the scored items, nothing learnt."""

ESTIMATORS = ("auto", "self_distiller")
"""What chooses by itself."""

Kind = Annotated[str, AfterValidator(kinds.named)]
"""The name of a kind of data."""


class _Table(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class DataSet(_Table):
    """Where a data set is and how it is cut; the same for every method and, but for ``resplit``, every seed.

    Attributes:
        name: in tables.
        kind: name of the kind of data, see `tutelage.kinds.TABLE`.
        file: a table or an npz file, from the folder that TUTELAGE_DATA names, else from the protocol's; or
            "scikit-learn:digits" and the like, or "cache:..." from the user's cache folder.
        items, labels: columns, or keys of an npz file, in which "{split}" stands for a part.
        split: column that names the part of a row; empty where the file has no parts.
        learn, test: the parts to learn from and to score on.
        test_file: has the part to score on, where that is another file.
        pool, scored: at most so many items are learnt from and scored on, drawn once, with seed 0; without ``split``
            so many are drawn to be scored on, and the first of the others are learnt from.
        resplit: draw the part to score on anew for each seed, where the file has no parts.
        weak: column of weak labels: a list of votes for each text, one vote, or tags; -1 = abstains.
        noisy_file, noisy: table whose columns are noisy labels of the part to learn from, row by row, by "index".
        void: value of a mask's pixels of which nothing is known.
        size: height and width that images are brought to.
        flip: a mirrored image is of the same class.
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
    noisy_file: str | None = None
    void: int | None = None
    size: tuple[int, int] | None = None
    flip: bool = True


class Setting(_Table):
    """How much is known of the labels.

    Attributes:
        labels: of each class (of sentences and of masks: items in all); None is all.
        noise: of the labels: "symmetric 40", "leaning 40" or "next_class 20", in %; or a column of ``noisy_file``.
        weak: no clean label is known, weak ones are learnt from.
        gold: the true labels of all items that have weak ones are learnt from: what better weak labels could bring.
        only: data sets that it is for; by default all.
    """

    labels: int | None = Field(default=None, ge=1)
    noise: str | None = None
    weak: bool = False
    gold: bool = False
    only: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        """In tables."""
        if self.gold:
            return "gold labels of the same items"
        known = "weak labels" if self.weak else "all labels" if self.labels is None else f"{self.labels} labels"
        return f"{known}, {self.noise}" if self.noise and self.labels else self.noise or known


class Steps(_Table):
    """How every network is trained; what is None is the library's default for it.

    Attributes:
        network: "head" on fixed features, "whole" (the encoder too), or one trained from nothing.
        steps: of the optimiser, the same for every method: rounds share them.
        lr, weight_decay: of the optimiser.
        budget: what "auto" may spend, in trainings of so many steps, at least 40.
    """

    network: Literal["head", "whole", "small_cnn", "wide_resnet", "unet"] = "head"
    steps: int | None = Field(default=None, ge=1)
    lr: float | None = Field(default=None, gt=0)
    weight_decay: float | None = Field(default=None, ge=0)
    budget: float | None = Field(default=None, ge=40)


class Tuning(_Table):
    """How hyper-parameters are chosen: by cross-validation on the very labels that are learnt from.

    Attributes:
        folds, repeats: of it.
        always: cross-validate methods with nothing to choose, too: their held-out scores are recorded.
        evidence: gather beside each method the evidence of a fit, as `tutelage fit` does. A line then holds the score
            of its labels-only "reference", the cross-validated difference to it that was "observed", its
            "standard_error", and how many "evidence_labels" it rests on.
    """

    folds: int = Field(default=3, ge=2)
    repeats: int = Field(default=1, ge=1)
    always: bool = False
    evidence: bool = False


class Variant(_Table):
    """A method under a name of its own, with other hyper-parameters."""

    name: str
    method: str
    fields: dict[str, Any]


class Protocol(_Table):
    """What is compared with what, and on what.

    Attributes:
        name: of the protocol, and of its file of results.
        about: a sentence, for the table.
        seeds: of labels, weights and batches; at least 5 unless a table is to say that they are too few.
        methods: names of methods, and "auto" or "self_distiller".
        controls: trivial rivals, of `CONTROLS` and `WEAK_CONTROLS`.
        variants: methods with other hyper-parameters, by a name of their own.
        grid: of a method, values of hyper-parameters to choose from.
        steps, tuning, settings, data: see there.
    """

    name: str
    about: str = ""
    seeds: tuple[int, ...] = (0, 1, 2, 3, 4)
    methods: tuple[str, ...]
    controls: tuple[str, ...] = CONTROLS
    variants: tuple[Variant, ...] = ()
    grid: dict[str, dict[str, Annotated[list[Any], Field(min_length=1)]]] = Field(default_factory=dict)
    steps: Steps = Steps()
    tuning: Tuning = Tuning()
    settings: tuple[Setting, ...]
    data: tuple[DataSet, ...]

    @model_validator(mode="after")
    def _known(self) -> Protocol:
        names = {d.name for d in self.data}
        for what, given, allowed in (
            ("methods", self.methods, {*METHODS, *ESTIMATORS}),
            ("controls", self.controls, {*CONTROLS, *WEAK_CONTROLS}),
            ("variants", [v.method for v in self.variants], set(METHODS)),
            ("grid", self.grid, {*self.methods, *(v.name for v in self.variants)} - {*ESTIMATORS}),
            ("only", [d for s in self.settings for d in s.only], names),
        ):
            unknown = sorted(set(given) - allowed)
            if unknown:
                raise ValueError(f"{what}: {unknown[0]!r} must be one of {', '.join(sorted(allowed))}")
        for what, all_of in (
            (
                "methods, controls and variants",
                [*METHODS, *ESTIMATORS, *CONTROLS, *WEAK_CONTROLS, *(v.name for v in self.variants)],
            ),
            ("methods", self.methods),
            ("controls", self.controls),
            ("seeds", self.seeds),
            ("data", [d.name for d in self.data]),
            ("settings", [(d.name, s.name) for d, s in self.cells()]),
        ):
            twice = [v for i, v in enumerate(all_of) if v in all_of[:i]]
            if twice:
                raise ValueError(f"{what}: {twice[0]!r} is there twice")
        for name in (*self.methods, *(v.name for v in self.variants)):
            self.candidates(name)
        return self

    @property
    def learners(self) -> tuple[str, ...]:
        """The rows of its table."""
        return (*self.controls, *self.methods, *(v.name for v in self.variants))

    def candidates(self, name: str) -> list[Method]:
        """What a method's hyper-parameters are chosen from; of a control, or what chooses by itself, none."""
        variant = {v.name: v for v in self.variants}.get(name)
        kind = METHODS.get(variant.method if variant else name)
        if kind is None:
            return []
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
        """The columns of its table."""
        for data in self.data:
            for setting in self.settings:
                if not setting.only or data.name in setting.only:
                    yield data, setting


def read_protocol(path: Path) -> Protocol:
    """A protocol from its file; ValueError says the file, the key and what is wrong with it."""
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
    """The folder of the data sets: TUTELAGE_DATA; else ../shared/data where that exists; else the protocol's own."""
    named, staged = os.environ.get("TUTELAGE_DATA"), Path("../shared/data")
    return Path(named) if named else staged if staged.is_dir() else protocol.parent
