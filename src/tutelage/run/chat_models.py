"""Chat models as commands ask them: the key of an endpoint, leave to send, replies beside the file that is written."""

from __future__ import annotations

import os
import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

from tutelage.annotate.annotator import CUT, EMPTY, EXAMPLES, NO_CLASS, REFUSED, UNASKED, Annotated, Plan, RenamedError
from tutelage.annotate.chat import ChatError, ChatModel
from tutelage.annotate.endpoint import Endpoint, is_loopback, require_address
from tutelage.annotate.kept import FILE, Kept
from tutelage.files import one_writer
from tutelage.ops.bar import Bar
from tutelage.ops.checks import in_range
from tutelage.run.screen import Screen
from tutelage.tables.exports.made import many

KEY = "OPENAI_API_KEY"
"""Variable of the environment that holds the key, where no option names another."""

SECONDS, RETRIES, PARALLEL = 60.0, 6, 8
"""Seconds within which an endpoint must reply, how often it is asked again, and requests to it at the same time."""

WORDS = {
    EMPTY: "whose text is empty", UNASKED: "that were not asked about", REFUSED: "that the model refused",
    CUT: "whose answer was cut off", NO_CLASS: "whose answer is no class",
}  # fmt: skip
"""Words on why rows are silent."""


def endpoint_of(
    url: str, name: str | None, key_from: str | None, screen: Screen, option: str = "--endpoint",
    temperature: float = 0.0, seed: int = 0, seconds: float = SECONDS, retries: int = RETRIES,
) -> Endpoint:  # fmt: skip
    """The chat model behind an endpoint, with the key of the environment.

    Args:
        url: address of the endpoint.
        name: name of the model there.
        key_from: variable of the environment that holds the key; None is OpenAI's.
        screen: where it is said what the endpoint does not take.
        option: option that names the address, for messages.
        temperature, seed, seconds, retries: see `Endpoint`.

    Raises:
        ValueError: the model is not named, a number is out of its range, the address is none, or the key is missing.
        ImportError: the client is not installed.
    """
    require_address(url, option)
    if name is None:
        raise ValueError("--model must be given: the name of the model at the endpoint")
    in_range("--seconds", seconds, 0, low_open=True)
    in_range("--retries", retries, 0)
    return Endpoint(
        url, name, key_for(url, key_from), key_from or KEY, temperature, seed, seconds, retries, screen.say
    )  # fmt: skip


def key_for(url: str, key_from: str | None) -> str:
    """The key in the environment; empty where none is there and none is needed.

    OpenAI's variable is not sent over a connection that others can read: name it by --key-from, if it shall be.

    Args:
        url: address of the endpoint.
        key_from: variable that holds the key; None is OpenAI's.

    Raises:
        ValueError: the environment holds no key where one is needed, or what it holds is none.
    """
    if key_from is not None:
        if not (key := os.environ.get(key_from, "").strip()):
            raise ValueError(f"--key-from {key_from}: the environment holds no such variable, or an empty one")
    elif url.startswith("https:"):
        if not (key := os.environ.get(KEY, "").strip()):
            raise ValueError(
                f"the key is missing: export {KEY}=..., or name the variable that holds it by --key-from; it is "
                "taken from the environment alone"
            )
    else:
        key = os.environ.get(KEY, "").strip() if is_loopback(url) else ""
    if not (key.isascii() and key.isprintable()) or " " in key:
        raise ValueError(f"{key_from or KEY}: a key is one word of ASCII letters, digits and signs")
    return key


def folder_beside(out: Path) -> Path:
    """Folder of the replies beside a file that is written."""
    return out.with_name(f"{out.name}.replies")


@contextmanager
def replies_beside(out: Path, screen: Screen) -> Iterator[Kept]:
    """Context with the replies that are kept beside a file; a folder that holds none is removed where the work fails.

    Args:
        out: file that is written.
        screen: where it is said that some are damaged.

    Raises:
        BusyError: another process writes them.
        OSError: they cannot be read or written.
    """
    folder = folder_beside(out)
    folder.mkdir(exist_ok=True)
    with _removed_if_empty(folder), one_writer(folder):
        kept = Kept(folder)
        try:
            if kept.damaged:
                damaged = many(kept.damaged, "line is", "lines are")
                screen.say(f"{kept.path}: {damaged} damaged or cut off; what was there is asked for again.")
            yield kept
        finally:
            kept.close()


@contextmanager
def _removed_if_empty(folder: Path) -> Iterator[None]:
    """Context after whose failure a folder is removed that holds no reply; else it tells who wrote the file beside."""
    try:
        yield
    except BaseException:
        file = folder / FILE
        with suppress(OSError):
            if file.exists() and not file.stat().st_size:
                file.unlink()
            folder.rmdir()  # which fails where it holds something
        raise


def require_leave(lines: Sequence[str], screen: Screen, ask: bool) -> None:
    """Say what will be sent, and ask whether texts may leave this machine.

    Args:
        lines: sentences on what will be sent; where it is asked, a quiet command says them, too.
        screen: where they are said.
        ask: whether it is asked.

    Raises:
        ValueError: they may not, or nobody can be asked.
    """
    for line in lines:
        (screen.answer if ask else screen.say)(line)
    if not ask:
        return
    if not sys.stdin.isatty():
        raise ValueError("texts would leave this machine, and nobody can be asked: add --yes")
    screen.answer("Go on? (y/n)")
    if sys.stdin.readline().strip().lower() not in ("y", "yes"):
        raise ValueError("nothing was sent")


def route_of(model: ChatModel) -> str:
    """Words on where texts go: the host, and a proxy before it; empty where they stay on this machine.

    Args:
        model: the model.
    """
    return model.route if isinstance(model, Endpoint) else model.host


def known_before(plan: Plan) -> list[str]:
    """Sentences on texts that are read in part, and on replies that are kept.

    Args:
        plan: what is to be asked.
    """
    lines, longest, before = [], plan.annotator.prompt.longest, len(plan.unique) - len(plan.missing)
    if plan.cut:
        texts = many(plan.cut, "text is", "texts are")
        lines.append(f"{texts} longer than {longest:,} characters; the rest is not read.")
    if before:
        kept = many(before, "reply is kept from before, and is", "replies are kept from before, and are")
        lines.append(f"{kept} not asked for again.")
    return lines


def asked(plan: Plan, bar: Bar, screen: Screen) -> Annotated:
    """What the model says; whatever stops it, it is said that the replies are kept.

    Args:
        plan: what is asked.
        bar: the progress.
        screen: where it is said.

    Raises:
        ChatError: the model cannot be asked.
    """
    try:
        return plan.ask(bar, screen.say)
    except KeyboardInterrupt:
        bar.progress.stop()
        screen.say(f"Stopped. {_kept(plan)}")
        raise
    except ChatError as e:
        raise type(e)(f"{e}. {_kept(plan, goes_on=not isinstance(e, RenamedError))}") from e


def _kept(plan: Plan, goes_on: bool = True) -> str:
    count, path = len(plan.replies()), plan.annotator.kept.path
    if not count or path is None:
        return "No reply came."
    kept = f"{count:,} of {len(plan.unique):,} replies are kept in {path.parent}"
    return f"{kept}: the same command goes on from there" if goes_on else kept


def silent(found: Annotated) -> list[str]:
    """Sentences on the rows that have no answer, one for each reason.

    Args:
        found: what the model said.
    """
    told = ", ".join(repr(text) for text, _ in found.strange.most_common(EXAMPLES))
    such = {NO_CLASS: f", such as {told}"} if told else {}
    counts = Counter(filter(None, found.why)).most_common()
    return [f"Silent: {many(count, 'row', 'rows')} {WORDS[why]}{such.get(why, '')}." for why, count in counts]
