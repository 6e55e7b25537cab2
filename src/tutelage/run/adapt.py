"""The command that adapts an encoder: it trains it on a table of the user's own and saves it as a folder."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from cyclopts import App, Parameter

from tutelage import files, kinds
from tutelage.files.described import AdaptAsked
from tutelage.files.whole import sha256_of
from tutelage.kinds import KINDS
from tutelage.kinds.base import Kind
from tutelage.kinds.dataset import Files
from tutelage.kinds.entries import SCORED
from tutelage.run.commands import KIND, options_of, refuse_other_kinds, values_of
from tutelage.run.examples import example
from tutelage.run.folder import Folder
from tutelage.run.screen import Screen
from tutelage.run.words import kind_of
from tutelage.tables import Notes, ReadAs, holds_table

if TYPE_CHECKING:
    from tutelage.adapting.how import Adapting
    from tutelage.kinds.adapting import Material


@dataclass(frozen=True, kw_only=True)
class AdaptOptions(ReadAs):
    """Options of the command that do not depend on the kind of data.

    Args:
        train: table of the items.
        out: new folder for the encoder.
        by: "contrastive" (needs labels), "simcse" (texts alone) or "mlm" (texts or sentences alone).
        steps: optimiser steps; by default 20 to 100, by the number of labels; of simcse 100, of mlm 200.
        lr: peak learning rate.
        batch: texts or sentences in a step, at least 2.
        frozen_layers: number of lowest layers that stay as they are; by default a third.
        seed: seed of batches and dropout.
        resume: finish a stopped run of these options.
    """

    train: Path
    out: Path
    by: str = "contrastive"
    steps: int | None = None
    lr: float | None = None
    batch: int | None = None
    frozen_layers: int | None = None
    seed: int = 0
    resume: bool = False

    @property
    def how(self) -> Adapting:
        """How the encoder is adapted.

        Raises:
            ValueError: a value is out of its range.
        """
        from tutelage.adapting.how import Adapting

        given = {name: getattr(self, name) for name in ("steps", "lr", "batch", "frozen_layers")}
        return Adapting.of(self.by, **given)


def add_adapt(app: App, words: Sequence[str], screen: Screen) -> None:
    """Add the command, with the options of the kind of data that the arguments name or imply.

    Args:
        app: command line that it is added to.
        words: the command line's arguments.
        screen: where progress and results are shown.

    Raises:
        ValueError: --kind names a kind whose encoder cannot be adapted.
    """
    name = kind_of(words)
    kind, able = KINDS[name], [other for other, each in KINDS.items() if each.adapts]
    if not kind.adapts:
        raise ValueError(f"--kind of an encoder to adapt must be one of {', '.join(able)}, got {name!r}")
    own = options_of(kind, (*kind.item_columns, *kind.label_columns, *kind.reading))
    refuse_other_kinds(name, words, (own, AdaptOptions))

    def adapt(options: Any, of_kind: Any = None, *, kind: str = name) -> None:
        _adapt(KINDS[name](**values_of(of_kind)), AdaptOptions(**values_of(options)), screen)

    adapt.__annotations__ = {
        "options": Annotated[options_of(AdaptOptions), Parameter(name="*", group="Options")],
        "of_kind": Annotated[own | None, Parameter(name="*", group=f"Options of --kind {name}")],
        "kind": Annotated[str, KIND],
        "return": None,
    }
    adapt.__doc__ = (
        "Train an encoder on texts of your own, with labels or without, and save it for --encoder.\n\n"
        f"The options shown are those of --kind {name}, {kinds.TABLE[name].about}. Other kinds: "
        f"{', '.join(other for other in able if other != name)}.\n\n"
        f"Args:\n    kind: kind of data, one of {', '.join(able)}; it may be left out where columns tell."
    )
    app.command(adapt, name="adapt", help_epilogue=example("adapt"))


def _adapt(kind: Kind, options: AdaptOptions, screen: Screen) -> None:
    from tutelage.adapting.run import Parts, adapted, require_different, seconds
    from tutelage.kinds.adapting import material
    from tutelage.modalities.encoder import NOTE, is_lexical, save_encoder
    from tutelage.ops.durations import duration
    from tutelage.weights import AUTO

    how, out, notes = options.how, options.out, Notes(screen.say)
    folder = Folder(out, options.resume, "adapt.json", AdaptAsked, NOTE)
    folder.require_free()
    kind = _settled(kind, options, how.labelled)
    kind.require_encoder()
    found = kind.entries(options.train, options, notes, SCORED)
    notes.settle()
    found, _, _ = kind.settled_labels(found, None, None, notes)
    notes.settle()
    learnt = material(kind, found, how.labelled, notes)
    require_different(learnt.items)
    how = how.settled(len(learnt.items))
    name = getattr(kind, "encoder", None)
    if name == AUTO or is_lexical(name):
        raise ValueError(f"--encoder of an encoder to adapt must be one transformer, got {name!r}")
    reader: Any = kind.reader()
    given = (reader, learnt.items, learnt.y, learnt.task, how)
    Parts.of(*given, options.seed).network(options.seed)  # what cannot be trained is refused before the folder is made
    with folder.opened(_asked(kind, options, how), screen.say) as finished:
        if finished:
            screen.say(f"The encoder is finished: {out}.")
            return
        for line in (*learnt.notes(), plan(learnt, how, kind.words.things)):
            screen.say(line)
        screen.say(f"This takes about {duration(seconds(*given))} here.")
        folder.parts.mkdir(exist_ok=True)
        with screen.ticking() as bar:
            try:
                made = adapted(*given, seed=options.seed, path=folder.parts / "unfinished", tick=bar)
            except KeyboardInterrupt:
                bar.progress.stop()
                screen.say(f"Stopped. The same command with --resume goes on where it was (it is kept in {out}).")
                raise
        save_encoder(made.encoder, out)
        folder.finish()
    screen.say(f"The encoder is in {out}. Use it: tutelage fit METHOD ... --encoder {out}")


def _settled(kind: Kind, options: AdaptOptions, labelled: bool) -> Kind:
    """The kind with its options completed, after a check that columns are named, those of labels where they are learnt.

    Raises:
        ValueError: a column is not named, or there is a folder where a table is needed.
    """
    from tutelage.kinds.adapting import NEEDS_LABELS

    (label,) = kind.label_columns
    if not (holds_table(options.train) or kind.reads_folders):
        raise ValueError(f"{options.train} is a folder, but {kind.words.things} are read from tables")
    kind = kind.settled(Files(options.train, how=options))
    if missing := [f"--{name}" for name in kind.item_columns if not getattr(kind, name)]:
        raise ValueError(f"{' and '.join(missing)} must be given for --kind {kind.name}: the name of a column")
    if labelled and not getattr(kind, label):
        raise ValueError(f"{NEEDS_LABELS}: give --{label}, their column; or --by simcse or mlm, which need none")
    return kind


def plan(learnt: Material, how: Adapting, things: str) -> str:
    """Sentence that says beforehand what is done.

    Args:
        learnt: items and labels.
        how: how the encoder is adapted.
        things: word for the items, in the plural.
    """
    count, of = len(learnt.items), f" of {len(learnt.classes)} classes" if learnt.classes else ""
    share = "all of them" if count <= how.batch else f"{how.batch} of them"
    return f"{how.by}: {count:,} {things}{of}; {how.steps} steps, each on {share}."


def _asked(kind: Kind, options: AdaptOptions, how: Adapting) -> dict[str, Any]:
    """Options of an adaptation, and hashes of what it reads; one is resumed only where all of them are the same."""
    names = (*kind.item_columns, *kind.label_columns, *kind.reading)
    asked: dict[str, Any] = {"format": files.FORMAT, "kind": kind.name, "seed": options.seed} | asdict(how)
    asked |= {f"kind.{name}": getattr(kind, name) for name in names}
    train = options.train
    content = files.digest(train) if train.is_dir() else sha256_of(train)
    asked["content of train"] = content
    if (encoder := getattr(kind, "encoder", None)) and Path(encoder).is_dir():
        asked["content of encoder"] = files.digest(Path(encoder))
    return asked
