"""Every message that a test provokes, on one page, docs/messages.md, so that each can be read alone.

    python tools/messages.py [words for pytest]    runs the tests and writes the page
    python tools/messages.py --check               fails where a message on the page breaks a rule

The rules: a message names no "None" for a column or a file, holds no traceback and no name of a Python class of ours,
and is no longer than a screen.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]
PAGE = ROOT / "docs" / "messages.md"
FOLDER = "TUTELAGE_MESSAGES"
"""Variable of the environment that names the folder where the tests' processes keep what they saw."""

SECTIONS = {"error": "Errors", "question": "Questions", "warning": "Warnings", "said": "What is said"}
RULES = {
    "names None": r"(column|file|row|path) None\b",
    "is a traceback": r"Traceback|File \"",
    "names a class of Python": r"<(class|function|tutelage)|object at 0x",
    "has a doubled mark": r"(?<!\.)\.\.$|: :|, ,",
}


def plain(message: str) -> str:
    """A message without folders of tests, times and long runs of data; what cannot be printed is escaped."""
    folder = r"(?:/[\w.-]+)*/pytest-of-[\w.-]+/pytest-\d+/(?:popen-gw\d+/)?+[\w.\[\]-]+"
    message = re.sub(f"{folder}/", "", message.strip())
    message = re.sub(folder, "FOLDER", message)
    message = re.sub(r"about \d[\d.,]* (second|minute|hour)s?", "about a time", message)
    words = " ".join(message.split())[:600]
    return "".join(each if each.isprintable() else ascii(each)[1:-1] for each in words)


def shape(message: str) -> str:
    """What messages that differ by names and numbers alone have in common."""
    return re.sub(
        r"'[^']*'|\"[^\"]*\"|[\w./-]*\.(?:csv|tsv|jsonl|json|parquet|png|jpg|conll|txt|toml|npz|xlsx)\b|\d+",
        "#",
        message,
    )


def pytest_configure(config: Any) -> None:
    """Watch what is raised, asked, warned and said in the tests of this process."""
    from _pytest import raises

    from tutelage.run.screen import Screen
    from tutelage.tables.notes import Notes

    folder = Path(os.environ[FOLDER])
    kept = (folder / f"{os.getpid()}.txt").open("a", encoding="utf-8")

    made_up = str(Path(tempfile.gettempdir()) / "tmp")  # files of generators, which are others each time

    def keep(what: str, message: str) -> None:
        if made_up in message:
            return
        kept.write(f"{what}\t{plain(message)}\n")
        kept.flush()

    def watched(of: Any, name: str, what: str) -> None:
        inner = getattr(of, name)

        def outer(self: Any, message: str, *more: Any, **named: Any) -> Any:
            keep(what, message)
            return inner(self, message, *more, **named)

        setattr(of, name, outer)

    watched(Notes, "say", "said")
    watched(Notes, "ask", "question")
    watched(Notes, "fault", "error")
    watched(Screen, "fail", "error")
    leave = raises.RaisesExc.__exit__

    def left(self: Any, kind: Any, error: Any, trace: Any) -> Any:
        if isinstance(error, (ValueError, OSError)) and _ours(trace):
            keep("error", str(error))
        return leave(self, kind, error, trace)

    raises.RaisesExc.__exit__ = left  # type: ignore[method-assign]


def _ours(trace: Any) -> bool:
    """Whether an error was raised by a line of the library."""
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    return trace is not None and "tutelage" in trace.tb_frame.f_code.co_filename


def page(found: dict[str, dict[str, str]]) -> str:
    """The page: a section for each sort of message, and in it one message of each shape."""
    made = "Made by `python tools/messages.py` from what the tests provoke: one example of each, with its names."
    parts = [f"# Every message\n\n{made}\n"]
    for what, title in SECTIONS.items():
        lines = sorted(found.get(what, {}).values())
        parts.append(f"## {title}\n\n" + "".join(f"- {line}\n" for line in lines))
    return "\n".join(parts)


def faults(text: str) -> list[str]:
    """Messages of a page that break a rule, with the rule."""
    lines = [line[2:] for line in text.splitlines() if line.startswith("- ")]
    own = [(line, re.sub(r"'[^']*'|\"[^\"]*\"", "#", line)) for line in lines]  # without what is quoted
    return [f"{name}: {line}" for line, words in own for name, rule in RULES.items() if re.search(rule, words)]


def main(words: list[str]) -> None:
    if "--check" not in words:
        with tempfile.TemporaryDirectory() as folder:
            path = os.pathsep.join([str(ROOT / "tools"), *filter(None, [os.environ.get("PYTHONPATH")])])
            run = [sys.executable, "-m", "pytest", "-q", "-p", "messages", "-m", "not slow", "-n", "2", *words]
            subprocess.run(run, cwd=ROOT, env=os.environ | {FOLDER: folder, "PYTHONPATH": path}, check=False)
            found: dict[str, dict[str, str]] = {}
            for file in sorted(Path(folder).glob("*.txt")):
                for line in file.read_text(encoding="utf-8").splitlines():
                    what, _, message = line.partition("\t")
                    by_shape = found.setdefault(what, {})
                    by_shape[shape(message)] = min(message, by_shape.get(shape(message), message))
        PAGE.write_text(page(found), encoding="utf-8")
    if broken := faults(PAGE.read_text(encoding="utf-8")):
        sys.exit("\n".join(broken))


if __name__ == "__main__":
    main(sys.argv[1:])
