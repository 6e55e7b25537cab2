"""Options in a TOML file: read for `--config`, and written so that a finished run can be done again."""

from __future__ import annotations

import csv
import json
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import MISSING, fields
from io import StringIO
from pathlib import Path
from typing import Any

import tutelage
from tutelage.data.errors import DataError
from tutelage.ops.own import CODE, OF_METHOD, is_address
from tutelage.ops.written import plain_read
from tutelage.run.words import names_of, value_of

OPTION = "--config"
"""Option whose value is a file of options."""

COMMAND, METHOD = "command", "method"
"""Keys of such a file that are no options: the command, and the method of a fit."""


def with_config(words: Sequence[str]) -> list[str]:
    """The words of a command line, with the options of the file that `--config` names in place of that option.

    An option that the words name, too, is left to them. Keys are names of options, with hyphens or underscores; true
    stands for a switch, false for its ``--no-`` form, and a list for several values.

    Args:
        words: words of the command line, without the program's name.

    Raises:
        DataError: the file is no TOML, or holds a table or another value that no option has.
        FileNotFoundError: there is no such file.
        ValueError: the file is for another command.
    """
    name = value_of(OPTION, words)
    if name is None:
        return list(words)
    path, words = Path(name), _without_config(words)
    asked = read_toml(path)
    command, method = asked.pop(COMMAND, None), asked.pop(METHOD, None)
    count = next((i for i, word in enumerate(words) if word.startswith("-")), len(words))
    head, rest = words[:count], words[count:]
    if head and command is not None and head[0] != command:
        raise ValueError(f"{path} holds options of tutelage {command}, not of tutelage {head[0]}")
    head = head or ([command] if command else [])
    head = [*head, str(method)] if method is not None and len(head) == 1 else head
    given = set(names_of(rest))
    given |= {"kind", "task"} if given & {"kind", "task"} else set()
    kept = {key: value for key, value in asked.items() if key.replace("-", "_").removeprefix("no_") not in given}
    return [*head, *(word for key, value in kept.items() for word in _words_of(path, key, value)), *rest]


def _without_config(words: Sequence[str]) -> list[str]:
    found, skip = [], False
    for word in words:
        if not skip and word != OPTION and not word.startswith(f"{OPTION}="):
            found.append(word)
        skip = word == OPTION
    return found


def read_toml(path: Path) -> dict[str, Any]:
    """The table of a TOML file.

    Raises:
        DataError: the file is no TOML in UTF-8, or no regular file.
        FileNotFoundError: there is no such file.
    """
    if not path.exists():
        raise FileNotFoundError(f"{path}: no such file")
    if not path.is_file():
        raise DataError(f"{path}: not a regular file but a folder, a pipe or a device")
    try:
        return tomllib.loads(path.read_text(encoding="utf-8-sig"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as e:
        hint = r"; in a path write C:/x or 'C:\x', in single quotation marks" if "\\" in path.read_text(
            encoding="utf-8", errors="replace"
        ) else ""  # fmt: skip
        raise DataError(f"{path}: not readable as TOML ({e}){hint}") from e


def _words_of(path: Path, key: str, value: Any) -> list[str]:
    """Words of one option.

    Raises:
        DataError: the value is none that an option can have.
    """
    option = f"--{key.replace('_', '-')}"
    if isinstance(value, bool):
        return [option if value else f"--no-{option[2:]}"]
    values = value if isinstance(value, list) else [value]
    if not values or not all(isinstance(each, str | int | float) and not isinstance(each, bool) for each in values):
        raise DataError(f"{path}, key {key!r}: a text, a number, true, false or a list of these is needed")
    if not isinstance(value, list):
        return [f"{option}={value}"]
    if all(isinstance(each, str) for each in values):
        line = StringIO(newline="")
        csv.writer(line, lineterminator="").writerow(values)
        return [f"{option}={line.getvalue()}"]
    return [option, *map(str, values)]


def toml_of_run(folder: Path) -> str:
    """A TOML file with which `tutelage fit --config` repeats a finished or a stopped run.

    It has the options that differ from their defaults, and the seed. Paths are as they were given.

    Args:
        folder: folder of the run.

    Raises:
        FileNotFoundError, BadFileError: there is no run, or its run.json is damaged.
        ValueError: the run is one of another command.
    """
    from tutelage.files import read_json
    from tutelage.files.described import Asked
    from tutelage.kinds.saved import kind_of
    from tutelage.methods import METHODS
    from tutelage.run.options import Options

    kind = kind_of(folder)
    asked = read_json(folder / "run.json", Asked)
    if (command := asked.get(COMMAND)) is not None:
        raise ValueError(f"{folder} was made by tutelage {command}, and only options of tutelage fit can be written")
    found: dict[str, Any] = {COMMAND: "fit", METHOD: _address(asked), "kind": kind.name}
    common = {f.name: f for f in fields(Options)}
    for name in (n for n in asked if n in common):
        value = _value(asked[name], str(common[name].type))
        if name == "seed" or (value is not None and value != common[name].default):
            found[common[name].metadata.get("name", name)] = value
    for prefix, of in (("kind.", type(kind)), ("method.", METHODS.get(asked[METHOD]))):
        known = {} if of is None else {f.name: f for f in fields(of)}
        own = {key.removeprefix(prefix): value for key, value in asked.items() if key.startswith(prefix)}
        for name in (n for n in own if n not in common and (not known or n in known)):
            value = _value(own[name], str(known[name].type) if known else "")
            if value not in (None, []) and (not known or _differs(value, known[name])):
                found[name] = value
    lines = [
        f"# tutelage fit --config FILE.toml --out NEW_FOLDER repeats the run in {folder.name}, of version "
        f"{tutelage.__version__}.",
        "# Paths are as they were given; relative ones start in the folder in which the command is called.",
        *(
            f"# It runs the code of {code}: read that before you repeat a run of somebody else's."
            for code in _code(found)
        ),
        *(f"{key} = {_toml(value)}" for key, value in found.items()),
    ]
    return "\n".join(lines) + "\n"


def _address(asked: Mapping[str, Any]) -> str:
    """Name of the method of a run, or the address of a method of one's own, FILE.py:NAME where it is in a file."""
    code, file = asked.get(f"{OF_METHOD}{CODE}"), asked.get(f"{OF_METHOD}file")
    if code is None:
        return str(asked[METHOD])
    return str(code) if file is None else f"{file}:{str(code).rpartition(':')[2]}"


def _code(options: Mapping[str, Any]) -> list[str]:
    """Code that a fit by such options would run: a method by its address, and files of Python."""
    texts = {name: value for name, value in options.items() if isinstance(value, str)}
    return [v for name, v in texts.items() if v.endswith(".py") or (name == METHOD and is_address(v))]


def _differs(value: Any, field: Any) -> bool:
    """Whether a value is not the default of its field."""
    default = field.default_factory() if field.default_factory is not MISSING else field.default
    plain = list(default) if isinstance(default, tuple) else default
    return bool(str(value) != str(plain)) if not isinstance(default, float | int) else bool(value != plain)


def _value(written: Any, annotation: str) -> Any:
    """Value of an option as `run.json` holds it: texts stay texts where the field is one or a path."""
    if not isinstance(written, str) or written == "None":
        return None if written == "None" else written
    if annotation.startswith(("str", "Path")):
        return written
    return plain_read(written)


def _toml(value: Any) -> str:
    """A text, number, truth value or list, as TOML writes it.

    >>> _toml("a b"), _toml([1, 2]), _toml(True)
    ('"a b"', '[1, 2]', 'true')
    """
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, list | tuple):
        return f"[{', '.join(map(_toml, value))}]"
    if isinstance(value, int | float):
        return repr(value)
    return json.dumps(str(value), ensure_ascii=False).replace("\x7f", "\\u007f")


def config(folder: Path, *, output: Path | None = None) -> None:
    """Write the options of a run as TOML, with which tutelage fit --config repeats it.

    Args:
        folder: folder of a run.
        output: file to write; standard output without one.
    """
    import sys

    from tutelage.files import write_atomically

    text = toml_of_run(folder)
    if output is None:
        sys.stdout.write(text)
    else:
        write_atomically(output, text.encode())
