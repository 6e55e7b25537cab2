"""Options of `tutelage fit`: those for every kind of data, and the kind with its own options."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any

from tutelage import engines, kinds
from tutelage.fit.defaults import Asked
from tutelage.kinds import KINDS
from tutelage.kinds.base import Kind
from tutelage.kinds.dataset import Files
from tutelage.ops.checks import in_range
from tutelage.tables import ReadAs


@dataclass(frozen=True, kw_only=True)
class Options(ReadAs):
    """Options of a fit that do not depend on the kind of data.

    Args:
        train: table or folder of labelled items.
        out: new folder for model and report.
        unlabelled: table or folder of more items, for the pool; of texts and rows also a folder or pattern of tables,
            or hf:OWNER/NAME, a data set that is streamed from the Hub.
        test: labelled items to score the model on.
        answers: tables that tutelage next wrote, with labels filled in, of rows of --train or --unlabelled.
        start: folder of a finished run, whose model the fit goes on from: what it used and is not named is taken over,
            and no evidence is gathered anew.
        trust: import the code of one's own that the run of --from names.
        allow_encoder: encoder that the run of --from may load from outside itself, a folder or a name on the Hub.
        seed: seed of weights, batches, folds.
        resume: finish a stopped run of these options.
        steps: optimiser steps of each training.
        lr: peak learning rate.
        folds: folds of the cross-validation, at least 2.
        repeats: repeats of the cross-validation, at least 1.
        evidence: cross-validate the gain from the pool.
        device: "auto", or as torch names it.
        engine: what encodes many items with a frozen encoder: one (this process), processes (of this machine), or ray
            (the machines of a Ray cluster; extra ray).
        workers: processes that encode at the same time; by default as many as there are cores.
        devices: processes that train a network whole together, each with a core or a card of its own.
        amp: precision of products of matrices in a network trained whole, as by --finetune: "float32", "bfloat16", or
            "auto", which a probe settles.
        accumulate: parts of a step's batch, one after another, in a network trained whole; less memory.
        compile: compile the blocks of a network trained whole.
        checkpoint_activations: compute activations of a network trained whole again in the backward pass; less memory.
        checkpoint_seconds: seconds between two checkpoints of an unfinished training, at least 0.
        track: tracker that follows the fit: "mlflow" or "tensorboard", each an extra.
        track_to: where it writes: a folder, or a URI of MLflow; by default a folder beside the run.
    """

    train: Path
    out: Path
    unlabelled: Path | None = None
    test: Path | None = None
    answers: tuple[Path, ...] = ()
    start: Path | None = field(default=None, metadata={"name": "from"})
    trust: bool = False
    allow_encoder: str | None = None
    seed: int = 0
    resume: bool = False
    steps: int | None = None
    lr: float | None = None
    folds: int | None = None
    repeats: int | None = None
    evidence: bool = True
    device: str = "auto"
    engine: str = engines.One.name
    workers: int | None = None
    devices: int = 1
    amp: str | None = None
    accumulate: int = 1
    compile: bool = False
    checkpoint_activations: bool = False
    checkpoint_seconds: float = field(default=30.0, metadata={"show": False})
    track: str | None = None
    track_to: str | None = None

    def __post_init__(self) -> None:
        super().__post_init__()
        in_range("checkpoint_seconds", self.checkpoint_seconds, 0)
        engines.named(self.engine, self.workers)
        for name in ("train", "unlabelled", "test"):
            folder = getattr(self, name)
            if folder is not None and folder.is_dir() and self.out.resolve().is_relative_to(folder.resolve()):
                raise ValueError(f"--out must not be in the folder of --{name}: {self.out} would be read as data")
        if self.track is None and self.track_to is not None:
            raise ValueError("--track-to says where a tracker writes: name one by --track, mlflow or tensorboard")
        if self.start is None and (self.trust or self.allow_encoder is not None):
            option = "--trust" if self.trust else "--allow-encoder"
            raise ValueError(f"{option} is for a fit that goes on from a run: name that by --from, or leave it out")
        if self.start is not None and self.out.resolve().is_relative_to(self.start.resolve()):
            raise ValueError(f"--out {self.out} would change the run of --from: name another folder")

    @property
    def evident(self) -> bool:
        """Whether the evidence is gathered; a fit that goes on from a run gathers none."""
        return self.evidence and self.start is None

    @property
    def files(self) -> Files:
        """Files that the fit reads."""
        return Files(self.train, self.unlabelled, self.test, self, self.evident, self.answers)

    @property
    def asked(self) -> Asked:
        """The user's wishes for training and evidence."""
        return Asked(
            self.seed, self.steps, self.lr, self.folds, self.repeats, self.evident, self.checkpoint_seconds,
            self.amp, self.accumulate, self.compile, self.checkpoint_activations,
        )  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class LookOptions(Options):
    """Options of `tutelage look`: those of a fit, so that a command line serves for both; some change nothing.

    Args:
        out: folder that a fit would write.
    """

    out: Path = field(default=Path("run"), metadata={"show": False})


def given(**options: Any) -> tuple[Kind, Options]:
    """Kind of data and options of a fit, made of all options by name.

    Args:
        options: options of the kind and of `Options`; also ``kind`` (or ``task``), where no column tells the kind.

    Raises:
        ValueError: an option belongs to another kind or is out of its range, or a needed column is not named.
    """
    word = options.pop("kind", None) or options.pop("task", None)
    options.pop("task", None)
    word = word or (kinds.of_run(options["start"]) if options.get("start") else None)
    set_options = [name for name, value in options.items() if value not in (None, ())]
    name = kinds.named(word) if word else kinds.told_by(set_options, options.get("train")) or kinds.DEFAULT
    own = {f.name for f in fields(KINDS[name])}
    common = {f.name for f in fields(Options)}
    defaults = {f.name: f.default for kind in KINDS.values() for f in fields(kind)}
    refuse_strays(name, [n for n in options if n not in own | common and options[n] != defaults.get(n)])
    kind = KINDS[name](**{n: v for n, v in options.items() if n in own})
    rest = Options(**{n: v for n, v in options.items() if n in common})
    from tutelage.run.taken_over import taken_over

    kind = taken_over(kind, rest)
    kind.require_columns(rest.files)
    return kind, rest


def refuse_strays(kind: str, options: Iterable[str]) -> None:
    """Check that no option belongs to other kinds alone.

    Args:
        kind: name of the kind.
        options: names of options, as Python writes them.

    Raises:
        ValueError: an option does; the message names the kinds that have it.
    """
    for option in options:
        having = [name for name, other in KINDS.items() if option in {f.name for f in fields(other)}]
        if having and kind not in having:
            shown = "no-flip" if option == "flip" else option.replace("_", "-")
            raise ValueError(f"--{shown} is of --kind {' or '.join(having)}, but the kind is {kind}")
