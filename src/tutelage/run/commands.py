"""The commands fit, predict, score and report. Each shows only the options of one kind of data."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Annotated, Any, get_type_hints

import docstring_parser
from cyclopts import App, Group, Parameter, Token

from tutelage import kinds
from tutelage.fit.auto import Auto
from tutelage.kinds import KINDS
from tutelage.kinds.base import Kind
from tutelage.methods import Method, class_named
from tutelage.methods.fields import Open, Ramp, may_ramp
from tutelage.run.options import Options, Reading, refuse_strays
from tutelage.run.screen import Screen
from tutelage.tables import USUAL, Notes, ReadAs

KIND = Parameter(name=("--kind", "--task"))
"""Names of the option --kind: the present one, and the older --task."""

Trust = Annotated[bool, Parameter(negative=())]
"""Switch that lets code of one's own be imported."""

IDLE = "No pseudo-label ever counted: the pool taught the model nothing. A lower threshold or more steps may help."
"""Sentence on a fit that learnt nothing from its pool."""

RAMPS = "Numbers may change over training: FROM:TO, or FROM:TO@BEGIN:END."
"""Help that says how a `Ramp` is written on the command line."""


def options_of(kind: type[Any], names: Iterable[str] | None = None) -> type[Any]:
    """Dataclass of the fields of a class that are options of the command line, each with its help (`sentences`).

    A field of a kind is no option where the docstring leaves it out, or where its metadata say so (`HIDDEN`).

    Args:
        kind: class of a kind, of a method, or `Options`.
        names: names of the fields to take; None takes all, in the order of the docstring.
    """
    hints, says = get_type_hints(kind, include_extras=True), sentences(kind)
    taken = {f.name for f in dataclasses.fields(ReadAs)} if issubclass(kind, Kind) else set()  # by the options of files
    fields = [f for f in dataclasses.fields(kind) if f.metadata.get("command_line", True) and f.name not in taken]
    known = [f for f in fields if f.name in says or issubclass(kind, Method)]
    order = list(says)
    kept = sorted(
        (f for f in known if names is None or f.name in names),
        key=lambda f: order.index(f.name) if f.name in says else len(order),
    )
    made = [
        (f.name, _typed(hints[f.name], f, says.get(f.name, ""), kind), dataclasses.field(default=_default(f)))
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


def _typed(hint: Any, field: dataclasses.Field[Any], sentence: str, of: type[Any]) -> Any:
    """Type of an option with its help, for the parser.

    A tuple of any length takes several values. A switch that is off by default has no option that turns it off. A field
    with "show": False in its metadata is not in the help. A method's number may be a ramp.
    """
    several = getattr(hint, "__origin__", None) is tuple and Ellipsis in getattr(hint, "__args__", ())
    parameter = Parameter(
        help=sentence,
        consume_multiple=several or None,
        show=field.metadata.get("show", True),
        show_default=False if hint is bool or _default(field) in (None, ()) else _shown,
        show_choices=False,  # the sentences name them
        negative=None if field.default is True or field.default is None else (),
        converter=_number_or_ramp if issubclass(of, Method) and field.name in may_ramp(of) else None,
    )
    return Annotated[hint, parameter]


def _number_or_ramp(_: Any, tokens: Sequence[Token]) -> float:
    return Ramp.parse(tokens[0].value)


def _shown(default: Any) -> str:
    return f"{default.usual}, or by kind" if isinstance(default, Open) else str(default)


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
    method_class: type[Method] | type[Auto] = Auto if name == Auto.name else class_named(name)
    kind = kind_of(words)
    own = options_of(KINDS[kind])
    refuse_other_kinds(kind, words, (own, Options, options_of(method_class)))

    def fit(options: Any, of_kind: Any, method: Any = None, **_: str) -> None:
        made, asked = KINDS[kind](**values_of(of_kind)), Options(**values_of(options))
        made.require_columns(asked.files)
        _fit(made, asked, method_class(**values_of(method)), screen)

    def command(options: Any, of_kind: Any = None, method: Any = None, *, kind: str = kind) -> None:
        fit(options, of_kind, method)

    of_kind = Group(f"Options of --kind {kind}", sort_key=1)
    of_method = Group(f"Method {name}", sort_key=3, help=RAMPS if name != Auto.name and may_ramp(method_class) else "")
    command.__annotations__ = {
        "options": Annotated[options_of(Options), Parameter(name="*", group=Group("Options", sort_key=2))],
        "of_kind": Annotated[own | None, Parameter(name="*", group=of_kind)],
        "method": Annotated[options_of(method_class) | None, Parameter(name="*", group=of_method)],
        "kind": Annotated[str, KIND, Parameter(group=of_kind)],
        "return": None,
    }
    first = (method_class.__doc__ or "").splitlines()[0]
    command.__doc__ = (
        f"{first}\n\nShown are the options of --kind {kind}, {kinds.TABLE[kind].about}.\n\n"
        f"Args:\n    kind: {', '.join(kinds.TABLE)}; may be left out where columns tell."
    )
    app.command(command, name=name)


def values_of(options: Any) -> dict[str, Any]:
    """Values of a dataclass's fields, by name; empty for None."""
    return {} if options is None else {f.name: getattr(options, f.name) for f in dataclasses.fields(options)}


def kind_of(words: Sequence[str]) -> str:
    """Name of the kind of data that the words of a command line tell.

    >>> kind_of(["--train", "a.csv", "--tokens", "words"]), kind_of(["--task=image"]), kind_of([])
    ('sentences', 'images', 'texts')

    Raises:
        ValueError: --kind names no kind.
    """
    for option in ("--kind", "--task"):
        if (word := value_of(option, words)) is not None:
            return kinds.named(word)
    train = value_of("--train", words)
    return kinds.told_by(names_of(words), None if train is None else Path(train)) or kinds.DEFAULT


def value_of(option: str, words: Sequence[str]) -> str | None:
    """Value of an option: the word after it, or after its equals sign; None where the option is not given.

    Args:
        option: the option, such as "--kind".
        words: words of a command line.
    """
    for i, word in enumerate(words):
        if word.startswith(f"{option}="):
            return word.split("=", 1)[1]
        if word == option and i + 1 < len(words):
            return words[i + 1]
    return None


def names_of(words: Sequence[str]) -> list[str]:
    """Names of the options among words, as Python writes them; "no_" is dropped."""
    found = [word[2:].split("=")[0].replace("-", "_") for word in words if word.startswith("--") and len(word) > 2]
    return [name.removeprefix("no_") for name in found]


def refuse_other_kinds(kind: str, words: Sequence[str], known: Iterable[type[Any]]) -> None:
    """Check that the words hold no option of another kind of data.

    Args:
        kind: name of the kind.
        words: words of a command line.
        known: dataclasses of the command's options.

    Raises:
        ValueError: an option belongs to other kinds alone; the message names them.
    """
    there = {f.name for options in known for f in dataclasses.fields(options)}
    refuse_strays(kind, [name for name in names_of(words) if name not in there])


def _fit(kind: Kind, options: Options, method: Method | Auto, screen: Screen) -> None:
    from tutelage.run.run import run

    with screen.ticking() as bar:
        try:
            summary = run(kind, options, method, screen.say, bar)
        except KeyboardInterrupt:
            bar.progress.stop()
            kept = f"the run is kept in {options.out}"
            screen.say(f"Stopped. The same command with --resume goes on where it was ({kept}).")
            raise
    for line in told(kind, summary):
        screen.say(line)
    screen.say(f"Model, summary and report are in {options.out} (open {options.out / 'report.html'}).")


def told(kind: Kind, summary: dict[str, Any]) -> list[str]:
    """Sentences on the outcome of a fit, for the screen.

    Args:
        kind: kind of the data.
        summary: summary of the fit.
    """
    from tutelage.report.sentences import below_commonest, better_on_test, on_copies, on_held_out, on_test

    lines = []
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
    kind = _kind_of_run(words)
    own = options_of(kind, kind.item_columns) if kind else None

    def predict(
        folder: Path, of_kind: Any = None, *, input: Path, output: Path, abstain: float | None = None,
        trust: Trust = False, how: Reading = None,
    ) -> None:  # fmt: skip
        """Add the model's predictions to a table; for images with masks, write masks into a folder.

        Args:
            folder: folder of a finished run.
            input: table of items, or a folder of images.
            output: table to write, csv, tsv, jsonl, parquet or xlsx; for masks a folder.
            abstain: give no label where more than this share of the given ones would be wrong, such as 0.05.
            trust: import the code of one's own that the run names.
        """
        from tutelage.run.finished import Finished
        from tutelage.tables import writable

        run = Finished.read(folder, trust, screen.say, **_changed(of_kind, own))
        run.kind.require_items(input)
        if output.resolve() == input.resolve():
            raise ValueError(f"--output would overwrite --input, {input}; name another file")
        if run.kind.writes_table:
            writable(output)  # before the work, not after it
        with screen.ticking() as bar:
            line = run.kind.predict(run.model, input, output, how or USUAL, Notes(screen.say), bar, abstain)
        screen.say(line)

    predict.__annotations__["of_kind"] = Annotated[own | None, Parameter(name="*")] if own else None
    app.command(_without(predict, own))


def add_score(app: App, words: Sequence[str], screen: Screen) -> None:
    """Add the command score, with options for the columns of the kind of the run that the words name."""
    kind = _kind_of_run(words)
    own = options_of(kind, (*kind.item_columns, *kind.label_columns, *kind.label_reading)) if kind else None

    def score(
        folder: Path, of_kind: Any = None, *, test: Path, abstain: float | None = None, json: bool = False,
        trust: Trust = False, how: Reading = None,
    ) -> None:  # fmt: skip
        """Score a finished run on a labelled table, or a folder of images, and its labels-only model beside it.

        Args:
            folder: folder of a finished run.
            test: table with items and labels, or a folder of images.
            abstain: also measure how many rows get a label under this promise, and how many of these are wrong.
            json: print JSON.
            trust: import the code of one's own that the run names.
        """
        from tutelage.fit.abstention import in_words
        from tutelage.kinds.dataset import Files
        from tutelage.run.finished import Finished

        run = Finished.read(folder, trust, None if json else screen.say, **_changed(of_kind, own))
        run.kind.require_columns(Files(test, test=test))
        found = run.kind.score(run.model, test, how or USUAL, Notes(None if json else screen.say), abstain)
        reference = run.reference()
        if reference is not None:
            found |= {"reference": run.kind.score(reference, test, how or USUAL, Notes())}
        if json:
            screen.json(found)
        else:
            screen.say(f"{found['rows']} {run.kind.words.rows}: {', '.join(run.kind.in_words(found))}")
            if reference is not None:
                screen.say(f"{run.side_by_side(found['reference'], found)}.")
            if "without_copies" in found:
                screen.say(found["without_copies"]["words"])
                if reference is not None and run.model.task.score in found["without_copies"]:
                    both = (of["without_copies"] for of in (found["reference"], found))
                    screen.say(f"Without them: {run.side_by_side(*both)}.")
            if "abstain" in found:
                screen.say(in_words(found["abstain"]))

    score.__annotations__["of_kind"] = Annotated[own | None, Parameter(name="*")] if own else None
    app.command(_without(score, own))


def _without(command: Callable[..., None], own: type[Any] | None) -> Callable[..., None]:
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


def _changed(of_kind: Any, own: type[Any] | None) -> dict[str, Any]:
    """Options that replace those of the run: columns that the user named, and switches that are off by default."""
    given = own() if of_kind is None and own is not None else of_kind
    return {name: value for name, value in values_of(given).items() if value not in (None, ())}


def _kind_of_run(words: Sequence[str]) -> type[Kind] | None:
    """Kind of the run whose folder is among the words; None where no word is a run's folder."""
    from tutelage.kinds.saved import kind_of as kind_of_folder

    for word in words:
        if (Path(word) / "run.json").exists():
            try:
                return type(kind_of_folder(Path(word)))
            except ValueError:  # said when the run is read
                return None
    return None


def report(folder: Path) -> None:
    """Draw the report of a finished run again.

    Args:
        folder: folder of a finished run.
    """
    from tutelage.report.page import write_report

    Screen().say(str(write_report(folder)))
