"""The commands fit, predict, score and report. Each shows only the options of one kind of data.

Kinds and methods, and with them the libraries that learn, are imported only where a command needs their options.
"""

from __future__ import annotations

import dataclasses
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, get_type_hints

import docstring_parser
from cyclopts import App, Group, Parameter, Token

from tutelage import engines, kinds
from tutelage.data.how import USUAL, ReadAs
from tutelage.kinds import KINDS
from tutelage.methods import class_named
from tutelage.methods.catalogue import AUTO
from tutelage.methods.fields import Open, Ramp, may_ramp
from tutelage.run.cascade_options import CascadeOptions
from tutelage.run.examples import example, example_of_fit
from tutelage.run.reading import Reading
from tutelage.run.screen import Json, Quiet, SafeCells, Screen
from tutelage.run.words import kind_of, names_of

if TYPE_CHECKING:
    from tutelage.fit.auto import Auto
    from tutelage.kinds.base import Kind
    from tutelage.methods import Method
    from tutelage.run.options import Options
    from tutelage.types import Tick

KIND = Parameter(name=("--kind", "--task"))
"""Names of the option --kind: the present one, and the older --task."""

Trust = Annotated[bool, Parameter(negative=())]
"""Switch that lets code of one's own be imported."""

Resume = Annotated[bool, Parameter(negative=())]
"""Switch that goes on where a command was stopped."""

IDLE = "No pseudo-label ever counted: the pool taught the model nothing. A lower threshold or more steps may help."
"""Sentence on a fit that learnt nothing from its pool."""

RAMPS = "Numbers may change over training: FROM:TO, or FROM:TO@BEGIN:END."
"""Help that says how a `Ramp` is written on the command line."""


def options_of(
    kind: type[Any], names: Iterable[str] | None = None, usual: Mapping[str, object] | None = None
) -> type[Any]:
    """Dataclass of the fields of a class that are options of the command line, each with its help (`sentences`).

    A field of a kind is no option where the docstring leaves it out, or where its metadata say so (`HIDDEN`).

    Args:
        kind: class of a kind, of a method, or `Options`.
        names: names of the fields to take; None takes all, in the order of the docstring.
        usual: values that the help shows as defaults, by field, where the field's own is None.
    """
    hints, says = get_type_hints(kind, include_extras=True), sentences(kind)
    taken = {f.name for f in dataclasses.fields(ReadAs)} if _is_kind(kind) else set()  # by the options of files
    fields = [f for f in dataclasses.fields(kind) if f.metadata.get("command_line", True) and f.name not in taken]
    known = [f for f in fields if f.name in says or _is_method(kind)]
    order = list(says)
    kept = sorted(
        (f for f in known if names is None or f.name in names),
        key=lambda f: order.index(f.name) if f.name in says else len(order),
    )
    made = [
        (
            f.name,
            _typed(hints[f.name], f, says.get(f.name, ""), kind, (usual or {}).get(f.name)),
            dataclasses.field(default=_default(f)),
        )
        for f in kept
    ]
    found: type[Any] = dataclasses.make_dataclass(f"{kind.__name__}Options", made, frozen=True, kw_only=True)
    found.__doc__, found.__module__ = "", __name__
    return found


def sentences(of: type[Any]) -> dict[str, str]:
    """Sentence of the docstring on each field of a class, also on the fields that it inherits, by name.

    >>> from tutelage.methods.dst import Dst
    >>> sentences(Dst)["ranking"]
    'whether the surest share is taken of "all" the pool, or of each predicted "class".'
    """
    told: dict[str, str] = {}
    for above in of.__mro__[:-1]:
        for field in docstring_parser.parse(above.__doc__ or "").params:
            if above is not of and field.args[0] != "param":  # an attribute is an option only where a class repeats it
                continue
            told.setdefault(field.arg_name, " ".join((field.description or "").split()))
    return told


def _typed(hint: Any, field: dataclasses.Field[Any], sentence: str, of: type[Any], usual: object = None) -> Any:
    """Type of an option with its help, for the parser.

    A tuple of any length takes several values. A switch that is off by default has no option that turns it off. A field
    with "show": False in its metadata is not in the help. A method's number may be a ramp. The help shows the default,
    or ``usual`` in its place.
    """
    several = getattr(hint, "__origin__", None) is tuple and Ellipsis in getattr(hint, "__args__", ())
    name = field.metadata.get("name")  # one that Python cannot have
    parameter = Parameter(
        name=None if name is None else f"--{name}",
        help=sentence if usual is None else f"{sentence} [default: {usual}]",
        consume_multiple=several or None,
        show=field.metadata.get("show", True),
        show_default=False if _default(field) in (None, (), False) else _shown,
        show_choices=False,  # the sentences name them
        negative=None if field.default is True or field.default is None else (),
        converter=_number_or_ramp if _is_method(of) and field.name in may_ramp(of) else None,
    )
    return Annotated[hint, parameter]


def _is_kind(of: type[Any]) -> bool:
    return _is_one_of(of, "tutelage.kinds.base", "Kind")


def _is_method(of: type[Any]) -> bool:
    return _is_one_of(of, "tutelage.methods.base", "Method")


def _is_one_of(of: type[Any], module: str, name: str) -> bool:
    """Whether a class extends one of a module that is slow to import; where nobody has imported it, none does."""
    base = getattr(sys.modules.get(module), name, None)
    return base is not None and issubclass(of, base)


def _number_or_ramp(_: Any, tokens: Sequence[Token]) -> float:
    return Ramp.parse(tokens[0].value)


def _shown(default: Any) -> str:
    if isinstance(default, Open):
        return f"{default.usual}, or by kind"
    return "on" if default is True else str(default)


def usual_of(kind: type[Kind], words: Sequence[str]) -> dict[str, object]:
    """Defaults of a fit of one kind of data that the options leave open, by name, as the help shows them.

    Args:
        kind: class of the kind.
        words: words of the command line; switches of the kind among them change the defaults.

    >>> usual_of(KINDS["texts"], [])
    {'steps': 300, 'lr': 0.003, 'folds': 5, 'repeats': 2}
    >>> usual_of(KINDS["texts"], ["--finetune"])["steps"]
    100
    """
    switches = {f.name for f in dataclasses.fields(kind) if f.default is False and f.init} & set(names_of(words))
    on: dict[str, Any] = dict.fromkeys(switches, True)
    try:
        made = kind(**on)
    except ValueError:  # switches that need other options, too
        made = kind()
    how = made.defaults
    return {
        "steps": how.training.steps, "lr": how.training.lr, "folds": how.plan.folds, "repeats": how.plan.repeats
    }  # fmt: skip


def _default(field: dataclasses.Field[Any]) -> Any:
    return field.default_factory() if field.default_factory is not dataclasses.MISSING else field.default


def add_fit(app: App, name: str, words: Sequence[str], screen: Screen) -> None:
    """Add the command that fits one method, with the options of the kind of data that the words tell.

    Args:
        app: app that gets the command.
        name: name of the method, or "auto"; or the address of a method of one's own, which is imported.
        words: words of the command line, after the method's name.
        screen: where the command prints.
    """
    from tutelage.fit.auto import Auto
    from tutelage.run.options import Options

    method_class: type[Method] | type[Auto] = Auto if name == AUTO else class_named(name)
    kind = kind_of(words)
    own = options_of(KINDS[kind])
    refuse_other_kinds(kind, words, (own, Options, options_of(method_class)))

    def fit(options: Any, of_kind: Any, method: Any = None) -> None:
        from tutelage.run.taken_over import taken_over

        asked = Options(**values_of(options))
        made = taken_over(KINDS[kind](**values_of(of_kind)), asked)
        made.require_columns(asked.files)
        _fit(made, asked, method_class(**values_of(method)), screen)

    def command(
        options: Any, of_kind: Any = None, method: Any = None, *, kind: str = kind, json: Json = False,
        quiet: Quiet = False,
    ) -> None:  # fmt: skip
        screen.speak(json, quiet)
        fit(options, of_kind, method)

    of_kind = Group(f"Options of --kind {kind}", sort_key=1)
    of_method = Group(f"Method {name}", sort_key=3, help=RAMPS if name != AUTO and may_ramp(method_class) else "")
    command.__annotations__ = {
        "options": Annotated[
            options_of(Options, usual=usual_of(KINDS[kind], words)),
            Parameter(name="*", group=Group("Options", sort_key=2)),
        ],
        "of_kind": Annotated[own | None, Parameter(name="*", group=of_kind)],
        "method": Annotated[options_of(method_class) | None, Parameter(name="*", group=of_method)],
        "kind": Annotated[str, KIND, Parameter(group=of_kind)],
        "json": Json,
        "quiet": Quiet,
        "return": None,
    }
    first = (method_class.__doc__ or "").splitlines()[0]
    command.__doc__ = (
        f"{first}\n\nShown are the options of --kind {kind}, {kinds.TABLE[kind].about}.\n\n"
        f"Args:\n    kind: {', '.join(kinds.TABLE)}; may be left out where columns tell."
    )
    columns = (*KINDS[kind].item_columns, *KINDS[kind].label_columns)
    bare = KINDS[kind].reads_folders and kind != kinds.DEFAULT
    app.command(command, name=name, help_epilogue=example_of_fit(name, columns, bare))


def values_of(options: Any) -> dict[str, Any]:
    """Values of a dataclass's fields, by name; empty for None."""
    return {} if options is None else {f.name: getattr(options, f.name) for f in dataclasses.fields(options)}


def refuse_other_kinds(kind: str, words: Sequence[str], known: Iterable[type[Any]]) -> None:
    """Check that the words hold no option of another kind of data.

    Args:
        kind: name of the kind.
        words: words of a command line.
        known: dataclasses of the command's options.

    Raises:
        ValueError: an option belongs to other kinds alone; the message names them.
    """
    from tutelage.run.options import refuse_strays

    there = {f.name for options in known for f in dataclasses.fields(options)}
    refuse_strays(kind, [name for name in names_of(words) if name not in there])


def _fit(kind: Kind, options: Options, method: Method | Auto, screen: Screen) -> None:
    from tutelage.run.devices import launch, launched_by_torchrun, require_devices, taking_part
    from tutelage.run.run import run

    require_devices(options)
    if options.devices > 1 and not launched_by_torchrun():
        sys.exit(launch(options.devices, sys.argv[1:]))
    with taking_part(options.device):
        shown_run("fit", kind, options.out, screen, lambda bar: run(kind, options, method, screen.say, bar))


def shown_run(
    command: str, kind: Kind, out: Path, screen: Screen, work: Callable[[Tick], dict[str, Any]], more: str = ""
) -> None:  # fmt: skip
    """Do a run, and show its outcome; where it is stopped, what goes on with it.

    Args:
        command: name of the command.
        kind: kind of the data.
        out: folder of the run.
        screen: where the command prints.
        work: does the run, and gives its summary.
        more: words on what else is in the folder, behind its name.
    """
    with screen.ticking() as bar:
        try:
            summary = work(bar)
        except KeyboardInterrupt:
            bar.progress.stop()
            kept = f"The same command with --resume goes on where it was (the run is kept in {out})"
            screen.say(f"Stopped. {kept if out.exists() else 'Nothing was trained yet, and nothing is kept'}.")
            raise
    lines = told(kind, summary)
    if screen.as_json:
        places = {"out": out, "model": out / "model", "report": out / "report.html"}
        screen.json({"command": command} | {k: str(v) for k, v in places.items()} | {"words": lines} | summary)
        return
    for line in lines:
        screen.say(line)
    screen.say(f"Model, summary and report are in {out}{more} (open {out / 'report.html'}).")


def told(kind: Kind, summary: dict[str, Any]) -> list[str]:
    """Sentences on the outcome of a fit, for the screen.

    Args:
        kind: kind of the data.
        summary: summary of the fit.
    """
    from tutelage.report.sentences import below_commonest, better_on_test, on_copies, on_held_out, on_test

    before = summary.get("before") or {}
    lines = [*before.get("words", []), *filter(None, [before.get("test_words")])]
    lines += (summary.get("changed") or {}).get("words", [])
    if summary["selection"]:
        tried = sum(a["rungs"] > 0 for a in summary["selection"])
        shares = ", ".join(f"{name} {100 * share:.0f} %" for name, share in summary["shares"].items())
        lines.append(f"{tried} methods were tried. The student learns what is best on these labels: {shares}.")
    if summary.get("models"):
        each = [(f"labels only ({summary['reference']['choice']})", summary["reference"][summary["score"]])]
        each += [(model["says"], model["score"]) for model in summary["models"]]
        all_of_them = "; ".join(f"{says} {100 * score:.1f} %" for says, score in each)
        lines.append(f"Models on held-out labels: {all_of_them}.")
        count = {model["says"]: model["share"] for model in summary["models"] if model["share"]}
        if summary["tried"] == "together":
            count |= {"labels only": 1 - sum(count.values())} if sum(count.values()) < 0.995 else {}
            shares = "; ".join(f"{says} {100 * share:.0f} %" for says, share in count.items())
            lines.append(f"One student learns what the best of them say of the pool: {shares}.")
    if summary.get("idle"):
        lines.append(IDLE)
    if summary.get("note"):
        lines.append(summary["note"])
    if summary["evidence"]:
        lines += [summary["evidence"]["words"], f"On held-out labels: {on_held_out(summary)}."]
    elif summary.get("prevalence"):
        lines += summary["prevalence"].get("words", [])
    lines += (summary.get("sample") or {}).get("words", [])
    if summary.get("calibration"):  # a run of an earlier version has none
        lines.append(summary["calibration"]["words"])
    if "test" in summary:
        scores = ", ".join(kind.in_words(summary["test"]))
        lines.append(f"On the test {summary['things']}: {scores}; {on_test(summary)}.")
        lines += filter(None, [better_on_test(summary), on_copies(summary)])
    lines += filter(None, [below_commonest(summary)])
    return lines


def add_predict(app: App, words: Sequence[str], screen: Screen) -> None:
    """Add the command predict, with options for the columns of the kind of the run that the words name."""
    kind = kind_of_run(words)
    own = options_of(kind, kind.item_columns) if kind else None

    def predict(
        folder: Path, of_kind: Any = None, *, input: Path, output: Path, abstain: float | None = None,
        known: Path | None = None, resume: Resume = False, json: Json = False, quiet: Quiet = False,
        trust: Trust = False, allow_encoder: str | None = None, how: Reading = None, safe_cells: SafeCells = False,
        engine: str = engines.AUTO, workers: int | None = None, taught: Any = None,
    ) -> None:  # fmt: skip
        """Add the model's predictions to a table; for images with masks, write masks into a folder.

        Args:
            folder: folder of a finished run.
            input: table of items, or a folder of images; of texts and rows also a folder or pattern of tables.
            output: table to write, csv, tsv, jsonl, parquet or xlsx; for masks a folder.
            abstain: give no label where more than this share of the given ones would be wrong, such as 0.05.
            known: answer of the same model to a smaller table, such as last night's: its rows are copied, not labelled
                again; of texts and rows.
            resume: go on where the same command was stopped, as of many rows it can.
            trust: import the code of one's own that the run names.
            allow_encoder: encoder that somebody else's run may load from outside itself, a folder or a name on the Hub.
            engine: what labels many rows: one (this process), processes (of this machine), ray (the machines of a Ray
                cluster; extra ray), or auto (processes where there are many rows and several cores).
            workers: processes that label at the same time; by default as many as there are cores.
        """
        from tutelage.kinds.known_answers import Knowing, knowing
        from tutelage.run.cascade import cascade, require_cascade
        from tutelage.run.finished import Finished
        from tutelage.tables import Notes, formulas, writable

        screen.speak(json, quiet)
        wanted = engines.Wanted(engines.named(engine, workers), workers)
        _require_places(folder, input, output)
        run = Finished.read(folder, trust, screen.say, allow_encoder, **changed(of_kind, own))
        run.kind.require_items(input)
        more = CascadeOptions(**values_of(taught))
        if more.cascade is not None:
            others = bool(known or resume or workers or engine != engines.AUTO)
            left = require_cascade(more, run, output, abstain, others)
            with formulas.safe_cells(safe_cells):
                done = cascade(run, more, input, output, left, float(abstain or 0), how or USUAL, screen)
            told = {"command": "predict", "run": str(folder), "output": str(output)} | done
            screen.json(told) if json else screen.say(done["words"])
            return
        if given := more.given():
            raise ValueError(f"{given[0]} is for --cascade, which names a teacher; leave it out, or name one")
        if run.kind.writes_table:
            writable(output)  # before the work, not after it
        with formulas.safe_cells(safe_cells), screen.ticking() as bar:
            model = run.model if known is None else knowing(run.kind, run.model, known)
            line = run.kind.predict(model, input, output, how or USUAL, Notes(screen.say), bar, abstain, resume, wanted)
            if isinstance(model, Knowing):
                line = f"{line}. {model.words()}"
        if json:
            screen.json({"command": "predict", "run": str(folder), "output": str(output), "words": line})
        else:
            screen.say(line)

    predict.__annotations__ |= {
        "of_kind": Annotated[own | None, Parameter(name="*")] if own else None, "json": Json, "quiet": Quiet,
        "safe_cells": SafeCells,
        "taught": Annotated[options_of(CascadeOptions) | None, Parameter(name="*", group="Cascade")],
    }  # fmt: skip
    app.command(without_kind(predict, own), help_epilogue=example("predict"))


def add_score(app: App, words: Sequence[str], screen: Screen) -> None:
    """Add the command score, with options for the columns of the kind of the run that the words name."""
    kind = kind_of_run(words)
    own = options_of(kind, (*kind.item_columns, *kind.label_columns, *kind.label_reading)) if kind else None

    def score(
        folder: Path, of_kind: Any = None, *, test: Path, abstain: float | None = None, json: Json = False,
        quiet: Quiet = False, trust: Trust = False, allow_encoder: str | None = None, how: Reading = None,
    ) -> None:  # fmt: skip
        """Score a finished run on a labelled table, or a folder of images, and its labels-only model beside it.

        Args:
            folder: folder of a finished run.
            test: table with items and labels, or a folder of images.
            abstain: also measure how many rows get a label under this promise, and how many of these are wrong.
            trust: import the code of one's own that the run names.
            allow_encoder: encoder that somebody else's run may load from outside itself, a folder or a name on the Hub.
        """
        from tutelage.fit.abstention import in_words
        from tutelage.kinds.dataset import Files
        from tutelage.run.finished import Finished
        from tutelage.tables import Notes

        screen.speak(json, quiet)
        run = Finished.read(folder, trust, None if json else screen.say, allow_encoder, **changed(of_kind, own))
        run.kind.require_columns(Files(test, test=test))
        found = run.kind.score(run.model, test, how or USUAL, Notes(None if json else screen.say), abstain)
        reference = run.reference()
        if reference is not None:
            found |= {"reference": run.kind.score(reference, test, how or USUAL, Notes())}
        if json:
            screen.json(found)
        else:
            screen.answer(f"{found['rows']} {run.kind.words.rows}: {', '.join(run.kind.in_words(found))}")
            if reference is not None:
                screen.answer(f"{run.side_by_side(found['reference'], found)}.")
            if "without_copies" in found:
                screen.answer(found["without_copies"]["words"])
                if reference is not None and run.model.task.score in found["without_copies"]:
                    both = (of["without_copies"] for of in (found["reference"], found))
                    screen.answer(f"Without them: {run.side_by_side(*both)}.")
            if "abstain" in found:
                screen.answer(in_words(found["abstain"]))

    score.__annotations__ |= {
        "of_kind": Annotated[own | None, Parameter(name="*")] if own else None, "json": Json, "quiet": Quiet
    }  # fmt: skip
    app.command(without_kind(score, own), help_epilogue=example("score"))


def _require_places(folder: Path, input: Path, output: Path) -> None:
    """Check, before a model is loaded, that a source can be read and that an answer overwrites nothing it should not.

    Args:
        folder: folder of the run.
        input: table or folder that is read.
        output: table or folder that is written.

    Raises:
        DataError: the source is a pipe, a device or a socket.
        ValueError: the answer would take the place of the source, of a file of the run, or of no regular file.
    """
    from tutelage.files.manifest import belongs
    from tutelage.tables.packed import require_regular

    if input.exists():
        require_regular(input)
    if output.resolve() == input.resolve():
        raise ValueError(f"--output would overwrite --input, {input}; name another file")
    if belongs(output, folder):
        raise ValueError(f"--output {output} is a file of the run itself; name another")
    if output.exists() and not (output.is_file() or output.is_dir()):
        raise ValueError(f"--output {output} is a pipe or a device; name a file, and read that")


def without_kind(command: Callable[..., None], own: type[Any] | None) -> Callable[..., None]:
    """The command without its options of a kind, where the kind is not known."""
    if own is not None:
        return command

    def plain(*given: Any, **named: Any) -> None:
        command(*given, **named)

    import inspect

    signature = inspect.signature(command)
    kept = [p for p in signature.parameters.values() if p.name != "of_kind"]
    plain.__signature__ = signature.replace(parameters=kept)  # type: ignore[attr-defined]
    plain.__annotations__ = {k: v for k, v in command.__annotations__.items() if k != "of_kind"}
    plain.__doc__, plain.__name__ = command.__doc__, command.__name__
    return plain


def changed(of_kind: Any, own: type[Any] | None) -> dict[str, Any]:
    """Options that replace those of the run: columns that the user named, and switches that are off by default."""
    given = own() if of_kind is None and own is not None else of_kind
    return {name: value for name, value in values_of(given).items() if value not in (None, ())}


def kind_of_run(words: Sequence[str]) -> type[Kind] | None:
    """Kind of the run whose folder is among the words; None where no word is a run's folder.

    Raises:
        BadFileError: the run is damaged, and the words do not only ask for help.
    """
    from tutelage.files import MANIFEST

    for word in words:
        if (Path(word) / "run.json").exists() or ((Path(word) / MANIFEST).exists() and (Path(word) / "model").exists()):
            from tutelage.kinds.saved import kind_of as kind_of_folder

            try:
                return type(kind_of_folder(Path(word)))
            except (ValueError, FileNotFoundError):
                if {"--help", "-h"}.isdisjoint(words):
                    raise
    return None


def report(folder: Path, *, safe_cells: SafeCells = False) -> None:
    """Draw the report of a finished run again.

    Args:
        folder: folder of a finished run.
    """
    from tutelage import files
    from tutelage.files.manifest import differences, require_no_links, require_whole
    from tutelage.kinds.saved import for_people, require_finished
    from tutelage.report.least_sure import NAME
    from tutelage.tables import formulas

    require_finished(folder, "records.json")
    with files.one_writer(folder):
        require_no_links(folder)
        files.clear_parts(folder)
        sealed = files.is_sealed(folder)
        if sealed:
            require_whole(folder, ["records.json", "summary.json"])
        edited = sealed and NAME in differences(folder, only=[NAME]).changed
        with formulas.safe_cells(safe_cells):
            page = _reported(folder, edited)
        if sealed:
            files.seal(folder, only=lambda name: for_people(name) and not (edited and name == NAME))
    if edited:
        Screen().say(f"{folder / NAME} was edited, and stays as it is.")
    Screen().say(str(page))


def _reported(folder: Path, edited: bool) -> Path:
    """Draw a run's report, see `write_report`; records of somebody else's may hold anything.

    Raises:
        BadFileError: the run was not made here, and its records cannot be drawn.
    """
    from jinja2 import TemplateError

    from tutelage import files
    from tutelage.files.errors import REMEDY, why
    from tutelage.report.page import write_report

    try:
        return write_report(folder, edited)
    except (LookupError, ArithmeticError, TypeError, ValueError, AttributeError, TemplateError) as e:
        if isinstance(e, files.BadFileError) or not files.is_sealed(folder) or files.made_here(folder):
            raise
        says = f"{why(e)} is missing" if isinstance(e, KeyError) else why(e)
        raise files.BadFileError(
            f"{folder}: records.json and summary.json, which were not written here, do not fit together ({says}); "
            f"{REMEDY}"
        ) from e
