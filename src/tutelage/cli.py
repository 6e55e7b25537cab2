"""The command line: an app of commands. A command's module is imported when the command is called."""

from __future__ import annotations

import errno
import os
import sys
import warnings
from collections.abc import Sequence

from cyclopts import App, CycloptsError, MissingArgumentError

import tutelage
from tutelage.methods import own
from tutelage.methods.catalogue import AUTO, AUTO_SAYS, TABLE
from tutelage.ops.own import is_address
from tutelage.run.screen import Screen


def build(words: Sequence[str], screen: Screen) -> App:
    """The app that parses a command line.

    Only the called command is built with its options; of the others the app knows name and help.

    Args:
        words: arguments of the command line, without the program's name.
        screen: where commands print.
    """
    app = App(
        name="tutelage",
        help="From a few labels and a large unlabelled pool to a good model, and the truth about it.",
        version=tutelage.__version__,
        help_format="plaintext",
    )
    called, rest = (words[0] if words else ""), words[1:]
    _add_fit(app, rest if called == "fit" else (), screen)
    _add_look(app, called, rest, screen)
    _add_predict_and_score(app, called, rest, screen)
    app.command("tutelage.run.commands:report", name="report", help="Draw the report of a finished run again.")
    says = "Say how good a teacher is on a table with some labels, before anything is trained."
    app.command("tutelage.run.teacher:teacher", name="teacher", help=says)
    app.command("tutelage.run.lists:methods", name="methods", help="List the methods.")
    _add_data(app)
    _add_models(app)
    app.command("tutelage.run.demo:demo", name="demo", help="Fit DRIFT on real news with few labels, and report on it.")
    _add_audit(app, called, rest, screen)
    _add_adapt(app, called, rest, screen)
    _add_bench(app, called, screen)
    return app


def _add_fit(app: App, words: Sequence[str], screen: Screen) -> None:
    says = "Learn from labelled and unlabelled items: tutelage fit METHOD --train FILE ... (or FILE.py:NAME for METHOD)"
    fit = App(name="fit", help=says)
    app.command(fit)
    if words[:1] and words[0].startswith("-") and not {"-h", "--help"} & set(words[:1]):
        raise ValueError(
            f"a method must come before {words[0]}: tutelage fit METHOD ...; for example drift, or {AUTO}, which "
            "chooses among all; tutelage methods lists them"
        )
    sentences = {name: entry.sentence for name, entry in TABLE.items()} | {AUTO: AUTO_SAYS}
    sentences |= {name: f"Method of the package {own.package_of(name)}." for name in own.plugged()}
    if words[:1] and is_address(words[0]):
        sentences |= {words[0]: "A method of one's own."}
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
    app.command("tutelage.run.commands:add_predict", name="predict", help=says)
    says = "Score a finished run on a labelled table, or a folder of images."
    app.command("tutelage.run.commands:add_score", name="score", help=says)


def _add_look(app: App, called: str, words: Sequence[str], screen: Screen) -> None:
    if called == "look":
        from tutelage.run.look import add_look

        add_look(app, words, screen)
    else:
        says = "Say what is read of a table or folder, and what looks odd in it, before anything is learnt."
        app.command("tutelage.run.look:add_look", name="look", help=says)


def _add_data(app: App) -> None:
    data = App(name="data", help="Real data sets: list them, get one.")
    app.command(data)
    data.command("tutelage.run.lists:data", name="list", help="List the data sets that have a name.")
    data.command("tutelage.run.lists:get", name="get", help="Fetch a data set and say where its tables are.")


def _add_models(app: App) -> None:
    models = App(name="models", help="Pretrained encoders and language models: list them, get one.")
    app.command(models)
    models.command("tutelage.run.lists:models", name="list", help="List the pretrained models that have a name.")
    models.command("tutelage.run.lists:get_model", name="get", help="Fetch a pretrained model, verified by SHA-256.")


def _add_audit(app: App, called: str, words: Sequence[str], screen: Screen) -> None:
    says = "Find the labels of a table, or of a folder of images, that are likely wrong."
    if called == "audit":
        from tutelage.audit.commands import add_audit

        add_audit(app, words, screen)
    else:
        app.command("tutelage.audit.commands:add_audit", name="audit", help=says)
    says = "Apply the suggestions in a table of suspects, perhaps edited; rows taken out of it stay as given."
    app.command("tutelage.audit.commands:relabel", name="relabel", help=says)


def _add_adapt(app: App, called: str, words: Sequence[str], screen: Screen) -> None:
    if called == "adapt":
        from tutelage.run.adapt import add_adapt

        add_adapt(app, words, screen)
    else:
        says = "Train an encoder on texts of your own, with labels or without, and save it for --encoder."
        app.command("tutelage.run.adapt:add_adapt", name="adapt", help=says)


def _add_bench(app: App, called: str, screen: Screen) -> None:
    says = "Compare methods on equal terms: tutelage bench run PROTOCOL.toml ..."
    if called == "bench":
        from tutelage.bench.commands import add_commands

        add_commands(app, screen.say, screen.ticking)
    else:
        app.command("tutelage.bench.commands:add_commands", name="bench", help=says)


def switched(words: Sequence[str]) -> list[str]:
    """The words of a command line, with --adapt as the switch that it is where its only way, "contrastive", is named.

    >>> switched(["fit", "drift", "--adapt", "contrastive", "--out", "run"])
    ['fit', 'drift', '--adapt', '--out', 'run']
    """
    plain = ["--adapt" if word == "--adapt=contrastive" else word for word in words]
    return [word for i, word in enumerate(plain) if word != "contrastive" or not i or plain[i - 1] != "--adapt"]


def main() -> None:
    """Entry point. An error in the user's options, data or files is printed in one line; the exit code is then 2."""
    screen, words = Screen(), switched(sys.argv[1:])
    os.environ.setdefault("OMP_WAIT_POLICY", "passive")  # threads that wait leave the core to whoever else has work
    warnings.showwarning = lambda message, *rest, **more: screen.say(f"Warning: {message}")
    try:
        build(words, screen)(words, exit_on_error=False, print_error=False)
    except CycloptsError as e:  # a word that is no option, or no value of it
        absent = isinstance(e, MissingArgumentError) and e.keyword is None and e.argument
        screen.fail(f"{absent.name} must be given" if absent and not absent.tokens else str(e))
        sys.exit(2)
    except OSError as e:
        if e.errno == errno.ENOSPC:
            place = e.filename or "while writing"
            screen.fail(f"the disk is full ({place}); free some space; a fit goes on with --resume")
        else:
            screen.fail(str(e))
        sys.exit(2)
    except (ValueError, ImportError) as e:  # of the user's data, files and options
        for message in getattr(e, "messages", [str(e)]):
            screen.fail(message)
        sys.exit(2)
    except KeyboardInterrupt:
        sys.exit(130)
