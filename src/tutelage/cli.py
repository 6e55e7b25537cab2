"""The command line: an app of commands. A command's module is imported when the command is called.

The library that parses and the terminal are imported only where a command is called, so that `tutelage --version` is
quick.
"""

from __future__ import annotations

import errno
import io
import os
import sys
import traceback
import warnings
from collections.abc import Sequence
from functools import cache
from types import TracebackType
from typing import TYPE_CHECKING, Any

import tutelage
from tutelage.methods import own
from tutelage.methods.catalogue import AUTO, AUTO_SAYS, TABLE
from tutelage.ops.own import is_address
from tutelage.ops.visible import visible
from tutelage.run.examples import EXAMPLES, EXITS, GROUPS, example

if TYPE_CHECKING:
    from cyclopts import App

    from tutelage.run.screen import Screen

DONE, FAULT, REFUSED, STOPPED, UNREAD = 0, 1, 2, 130, 141
"""Exit codes: done; a fault of Tutelage itself; options, files or data that are not right; stopped by the user; printed
lines are no longer read."""

LEARNING = frozenset(
    {
        "fit",
        "federate",
        "look",
        "next",
        "label",
        "exchange",
        "predict",
        "serve",
        "score",
        "annotate",
        "teacher",
        "audit",
        "adapt",
        "demo",
        "bench",
        "export",
        "why",
    }
)
"""Commands that import PyTorch and what it brings."""
ADDRESSES = 2
"""Gigabytes (2^30 bytes) of addresses that these commands take at least, used or not: 1.8 ended a fit on 200 rows."""


def build(words: Sequence[str], screen: Screen) -> App:
    """The app that parses a command line.

    Only the called command is built with its options; of the others the app knows name and help.

    Args:
        words: arguments of the command line, without the program's name.
        screen: where commands print.
    """
    from cyclopts import App

    app = App(
        name="tutelage",
        help="From a few labels and a large unlabelled pool to a good model, and the truth about it.",
        version=tutelage.__version__,
        help_format="plaintext",
        help_epilogue=f"{example('fit')}\n\n{EXITS}",
    )
    called, rest = (words[0] if words else ""), words[1:]
    _add_fit(app, rest if called == "fit" else (), screen)
    _add_app(app, called, screen)
    _add_look(app, called, rest, screen)
    _add_federate(app, called, rest, screen)
    _add_predict_and_score(app, called, rest, screen)
    _add_serve(app, called, rest, screen)
    _add_plain(app)
    _add_data(app)
    _add_models(app)
    _add_next(app, called, rest, screen)
    _add_label(app, called, rest, screen)
    _add_exchange(app, called, rest, screen)
    _add_audit(app, called, rest, screen)
    _add_adapt(app, called, rest, screen)
    _add_bench(app, called, screen)
    _add_completion(app)
    return app


def _place(command: str) -> dict[str, Any]:
    """Group and example of a command, as the parser takes them."""
    title = next(title for title, names in GROUPS.items() if command in names)
    return {"group": _group(title), "help_epilogue": example(command)}


@cache
def _group(title: str) -> Any:
    """Group of commands, the same object for all of them, as the parser needs it."""
    from cyclopts import Group

    return Group(title, sort_key=list(GROUPS).index(title))


def _add_plain(app: App) -> None:
    """Add the commands whose options no word changes."""
    plain = {
        "report": ("tutelage.run.commands:report", "Draw the report of a finished run again."),
        "config": ("tutelage.run.config:config", "Write the options of a run as TOML, for tutelage fit --config."),
        "why": (
            "tutelage.run.why:why",
            "Tell the story of one row of a run: what was guessed of it, by whom, and when.",
        ),
        "verify": ("tutelage.run.verify:verify", "Check that every file of a run is as it was written."),
        "export": (
            "tutelage.run.export:export",
            "Write the model of a run for programs without tutelage: as an ONNX graph, or for transformers.",
        ),
        "annotate": (
            "tutelage.run.annotation:annotate",
            "Let a language model say the class of each text of a table, as a teacher for tutelage fit.",
        ),
        "teacher": (
            "tutelage.run.teacher:teacher",
            "Say how good a teacher is on a table with some labels, before anything is trained.",
        ),
        "methods": ("tutelage.run.lists:methods", "List the methods."),
        "demo": ("tutelage.run.demo:demo", "Fit DRIFT on real news with few labels, and report on it."),
    }
    for name, (place, says) in plain.items():
        app.command(place, name=name, help=says, **_place(name))


def _add_fit(app: App, words: Sequence[str], screen: Screen) -> None:
    from cyclopts import App

    says = "Learn from labelled and unlabelled items: tutelage fit METHOD --train FILE ... (or FILE.py:NAME for METHOD)"
    fit = App(name="fit", help=says, **_place("fit"))
    app.command(fit)
    if words[:1] and words[0].startswith("-") and not {"-h", "--help"} & set(words[:1]):
        raise ValueError(
            f"a method must come before {words[0]}: tutelage fit METHOD ...; for example drift, or {AUTO}, which "
            "chooses among all; tutelage methods lists them"
        )
    sentences = {name: entry.sentence for name, entry in TABLE.items()} | {AUTO: AUTO_SAYS}
    from tutelage.run.words import require_known

    sentences |= {name: f"Method of the package {own.package_of(name)}." for name in own.plugged()}
    if words[:1] and is_address(words[0]):
        sentences |= {words[0]: "A method of one's own."}
    require_known("method", words[0] if words else None, sentences)
    for name, sentence in sentences.items():
        if name in words[:1]:
            from tutelage.run.commands import add_fit

            add_fit(fit, name, words[1:], screen)
        else:
            fit.command("tutelage.run.commands:add_fit", name=name, help=sentence)


def _add_predict_and_score(app: App, called: str, words: Sequence[str], screen: Screen) -> None:
    if called in ("predict", "score"):
        from tutelage.run import commands

        commands.add_predict(app, words, screen)
        commands.add_score(app, words, screen)
        return
    says = "Add the model's predictions to a table; for images with masks, write masks into a folder."
    app.command("tutelage.run.commands:add_predict", name="predict", help=says, **_place("predict"))
    says = "Score a finished run on a labelled table, or a folder of images."
    app.command("tutelage.run.commands:add_score", name="score", help=says, **_place("score"))


def _add_serve(app: App, called: str, words: Sequence[str], screen: Screen) -> None:
    if called == "serve":
        from tutelage.serve.commands import add_serve

        add_serve(app, words, screen)
    else:
        says = "Answer requests for predictions, over HTTP, until it is stopped."
        app.command("tutelage.serve.commands:add_serve", name="serve", help=says, **_place("serve"))


def _add_app(app: App, called: str, screen: Screen) -> None:
    if called == "app":
        from tutelage.app.commands import add_app

        add_app(app, screen)
    else:
        says = "Open a page that leads from a file to a table of labels, without a line typed."
        app.command("tutelage.app.commands:add_app", name="app", help=says, **_place("app"))


def _add_label(app: App, called: str, words: Sequence[str], screen: Screen) -> None:
    if called == "label":
        from tutelage.label.commands import add_label

        add_label(app, words, screen)
    else:
        says = "Label items on a page of this machine, one at a time, by keys."
        app.command("tutelage.label.commands:add_label", name="label", help=says, **_place("label"))


def _add_look(app: App, called: str, words: Sequence[str], screen: Screen) -> None:
    if called == "look":
        from tutelage.run.look import add_look

        add_look(app, words, screen)
    else:
        says = "Say what is read of a table or folder, and what looks odd in it, before anything is learnt."
        app.command("tutelage.run.look:add_look", name="look", help=says, **_place("look"))


def _add_federate(app: App, called: str, words: Sequence[str], screen: Screen) -> None:
    if called == "federate":
        from tutelage.federated.command import add_federate

        add_federate(app, words, screen)
    else:
        says = "Learn from the rows of several clients, each of which shares weights alone."
        app.command("tutelage.federated.command:add_federate", name="federate", help=says, **_place("federate"))


def _add_data(app: App) -> None:
    from cyclopts import App

    data = App(name="data", help="Real data sets: list them, get one.", **_place("data"))
    app.command(data)
    data.command("tutelage.run.lists:data", name="list", help="List the data sets that have a name.")
    data.command("tutelage.run.lists:get", name="get", help="Fetch a data set and say where its tables are.")


def _add_models(app: App) -> None:
    from cyclopts import App

    says = "Pretrained encoders and language models: list them, get one."
    models = App(name="models", help=says, **_place("models"))
    app.command(models)
    models.command("tutelage.run.lists:models", name="list", help="List the pretrained models that have a name.")
    models.command("tutelage.run.lists:get_model", name="get", help="Fetch a pretrained model, verified by SHA-256.")


def _add_next(app: App, called: str, words: Sequence[str], screen: Screen) -> None:
    if called == "next":
        from tutelage.run.asking import add_next

        add_next(app, words, screen)
    else:
        says = "Say which items to label next, in a table with an empty column for the label."
        app.command("tutelage.run.asking:add_next", name="next", help=says, **_place("next"))


def _add_exchange(app: App, called: str, words: Sequence[str], screen: Screen) -> None:
    if called == "exchange":
        from tutelage.run.exchange import add_exchange

        add_exchange(app, words, screen)
    else:
        says = "Write a table for Label Studio, Argilla, doccano or Prodigy, or read what was labelled there."
        app.command("tutelage.run.exchange:add_exchange", name="exchange", help=says, **_place("exchange"))


def _add_audit(app: App, called: str, words: Sequence[str], screen: Screen) -> None:
    says = "Find the labels of a table, or of a folder of images, that are likely wrong."
    if called == "audit":
        from tutelage.audit.commands import add_audit

        add_audit(app, words, screen)
    else:
        app.command("tutelage.audit.commands:add_audit", name="audit", help=says, **_place("audit"))
    says = "Apply the suggestions in a table of suspects, perhaps edited; rows taken out of it stay as given."
    app.command("tutelage.audit.commands:relabel", name="relabel", help=says, **_place("relabel"))


def _add_adapt(app: App, called: str, words: Sequence[str], screen: Screen) -> None:
    if called == "adapt":
        from tutelage.run.adapt import add_adapt

        add_adapt(app, words, screen)
    else:
        says = "Train an encoder on texts of your own, with labels or without, and save it for --encoder."
        app.command("tutelage.run.adapt:add_adapt", name="adapt", help=says, **_place("adapt"))


def _add_bench(app: App, called: str, screen: Screen) -> None:
    says = "Compare methods on equal terms: tutelage bench run PROTOCOL.toml ..."
    if called == "bench":
        from tutelage.bench.commands import add_commands

        add_commands(app, screen.say, screen.ticking)
    else:
        app.command("tutelage.bench.commands:add_commands", name="bench", help=says, **_place("bench"))


def _add_completion(app: App) -> None:
    says = "Print a script that lets the shell complete commands, options and values."

    def completion(shell: Any) -> None:
        from tutelage.run.completion import script

        sys.stdout.write(script(_whole(), shell))

    from typing import Literal

    completion.__annotations__ = {"shell": Literal["bash", "zsh", "fish"], "return": None}
    completion.__doc__ = f"{says}\n\nArgs:\n    shell: bash, zsh or fish."
    app.command(completion, name="completion", **_place("completion"))


def _whole() -> App:
    """The app with every command's options, those of the default kind of data where a kind has its own."""
    from tutelage.run.commands import add_fit
    from tutelage.run.completion import placed
    from tutelage.run.screen import Screen

    screen = Screen()
    whole = build((), screen)
    for name in ("look", "federate", "next", "label", "app", "exchange", "predict", "serve", "audit", "adapt", "bench"):
        built = build((name,), screen)
        for each in (name, "score") if name == "predict" else (name,):
            placed(whole, each, built[each])
    fit = whole["fit"]
    for name in (*TABLE, AUTO):
        del fit[name]
        add_fit(fit, name, (), screen)
    return whole


def switched(words: Sequence[str]) -> list[str]:
    """The words of a command line, with --adapt as the switch that it is where its only way, "contrastive", is named.

    >>> switched(["fit", "drift", "--adapt", "contrastive", "--out", "run"])
    ['fit', 'drift', '--adapt', '--out', 'run']
    """
    plain = ["--adapt" if word == "--adapt=contrastive" else word for word in words]
    return [word for i, word in enumerate(plain) if word != "contrastive" or not i or plain[i - 1] != "--adapt"]


def main() -> None:
    """Entry point. An error in the user's options, data or files is printed in one line; the exit code is then 2."""
    sys.excepthook = _tell_of_fault
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):  # a terminal of ASCII alone shows other letters by their numbers
            stream.reconfigure(errors="backslashreplace")
    try:
        try:
            _main()
        finally:
            sys.stdout.flush()
    except BrokenPipeError:  # whoever reads has had enough, as `head` has
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # Python writes the rest at its exit
        sys.exit(UNREAD)


def _tell_of_fault(kind: type[BaseException], fault: BaseException, trace: TracebackType | None) -> None:
    """Print a fault of Tutelage itself with its trace, of which no word of a file steers the terminal."""
    sys.stderr.write(visible("".join(traceback.format_exception(kind, fault, trace))))


def _main() -> None:
    if sys.argv[1:] == ["--version"]:
        sys.stdout.write(f"{tutelage.__version__}\n")
        sys.exit(DONE)
    from cyclopts import CycloptsError, MissingArgumentError

    from tutelage.run.config import with_config
    from tutelage.run.screen import Screen
    from tutelage.run.words import require_known, require_unicode

    words = sys.argv[1:]
    screen = Screen("--json" in words, "--quiet" in words)
    os.environ.setdefault("OMP_WAIT_POLICY", "passive")  # threads that wait leave the core to whoever else has work
    warnings.showwarning = lambda message, *rest, **more: screen.answer(f"Warning: {message}")
    try:
        require_unicode(words)
        _require_addresses(words[:1])
        words = switched(with_config(words))
        require_known("command", words[0] if words else None, EXAMPLES)
        build(words, screen)(words, exit_on_error=False, print_error=False)
    except CycloptsError as e:  # a word that is no option, or no value of it
        absent = isinstance(e, MissingArgumentError) and e.keyword is None and e.argument
        _refuse(screen, [f"{absent.name} must be given" if absent and not absent.tokens else str(e)])
    except BrokenPipeError:  # an OSError, but not of the user's files: see main
        raise
    except OSError as e:
        if e.errno == errno.ENOSPC:
            more = "; the same command goes on with --resume" if words[0] in ("fit", "federate", "adapt") else ""
            _refuse(screen, [f"the disk is full ({e.filename or 'while writing'}); free some space{more}"])
        _refuse(screen, [str(e)])
    except (ValueError, ImportError) as e:  # of the user's data, files and options
        _refuse(screen, getattr(e, "messages", [str(e)]))
    except MemoryError:
        _refuse(screen, ["the memory is full; close other programs, take fewer rows, or raise the limit (ulimit -v)"])
    except RecursionError:
        _refuse(screen, ["a value in a file has brackets within brackets, more deeply than can be read"])
    except KeyboardInterrupt:
        sys.exit(STOPPED)


def _require_addresses(command: Sequence[str]) -> None:
    """Check that the address space is not limited to less than the libraries of a command take.

    Below that their threads do not start, and some of them then wait for each other, or end the process without a word.

    Raises:
        ValueError: it is.
    """
    try:
        import resource
    except ImportError:  # Windows, which has no such limit
        return
    limit = resource.getrlimit(resource.RLIMIT_AS)[0]
    if set(command) & LEARNING and limit != resource.RLIM_INFINITY and limit < ADDRESSES * 2**30:
        raise ValueError(
            f"the address space is limited to {limit / 2**30:.3g} GB (ulimit -v), of which PyTorch takes {ADDRESSES} "
            "before it learns anything; raise it, or limit the memory itself, as systemd-run -p MemoryMax=2G does"
        )


def _refuse(screen: Screen, messages: Sequence[str]) -> None:
    """Print the errors, as JSON, too, where it was asked for and no object was printed, and exit."""
    for message in messages:
        screen.fail(message)
    if screen.as_json and not screen.answered:
        screen.json({"error": " ".join(" ".join(messages).split()), "exit_code": REFUSED})
    sys.exit(REFUSED)
