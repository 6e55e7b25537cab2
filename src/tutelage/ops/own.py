"""Code of the user's own, by its address: "package.module:Name" or "file.py:Name". Nothing is imported unless asked.

A saved model names such code as plain values, `described`, under the key `CODE`, wherever they stand. Who reads plain
values of a file calls `require_trust` on all of them once, before anything in them is `imported`.
"""

from __future__ import annotations

import copy
import functools
import hashlib
import importlib
import importlib.util
import json
import site
import sys
import sysconfig
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from inspect import signature
from pathlib import Path
from types import ModuleType
from typing import Any

CODE = "code"
"""Key of plain values under which an address stands."""


OF_METHOD = "method's "
"""Beginning of the names in run.json that describe the code of a method of one's own."""


class UntrustedError(ValueError):
    """A file names code that would be imported, and the user has not said that it is trusted."""


def is_address(word: str) -> bool:
    """Whether a word is the address of code of the user's own, and no name of the library.

    >>> is_address("my_method.py:Mine"), is_address("drift")
    (True, False)
    """
    return ":" in word


def described(thing: Callable[..., Any]) -> dict[str, str]:
    """Address of a class or of a function, as plain values: its "code", and of code that is not installed its "file".

    Raises:
        TypeError: it cannot be imported again, as what was defined at the prompt or within a function cannot.

    >>> described(json.loads)
    {'code': 'json:loads'}
    """
    module, name = str(thing.__module__), str(getattr(thing, "__qualname__", ""))
    if not name or "<" in name:
        raise TypeError(f"{name or thing!r} is defined within a function: define it at the top of a file")
    home = sys.modules.get(module)
    file = getattr(home, "__file__", None)
    if module == "__main__":
        if file is None:
            raise TypeError(f"{name} is defined at the prompt or in a notebook: put it in a file, and import it")
        return {CODE: f"{Path(file).resolve()}:{name}"}
    if home is None or _within(home, name) is not thing:
        raise TypeError(f"{name} cannot be imported from {module}: define it at the top of a file")
    if file is None or _installed(Path(file)):
        return {CODE: f"{module}:{name}"}
    return {CODE: f"{module}:{name}", "file": str(Path(file).resolve())}


def imported(about: Mapping[str, Any] | str) -> Any:
    """What an address names; a module that cannot be found by its name is imported from its file.

    Args:
        about: address, or plain values that `described` gave.

    Raises:
        ValueError: there is no such module or file, it cannot be imported, or it has no such name.

    >>> imported("json:loads") is json.loads
    True
    """
    plain = {CODE: about} if isinstance(about, str) else about
    where, _, name = str(plain[CODE]).rpartition(":")
    if where.endswith(".py"):
        module = _of_file(Path(where))
    else:
        try:
            module = importlib.import_module(where)
        except ImportError as e:
            if "file" not in plain:
                raise ValueError(f"{plain[CODE]}: cannot be imported ({e})") from e
            module = _of_file(Path(str(plain["file"])))
    found = _within(module, name)
    if found is None:
        there = ", ".join(n for n in vars(module) if n[0].isupper()) or "no class"
        raise ValueError(f"{plain[CODE]}: {where} has no {name!r}; it has {there}")
    return found


def digest_of(thing: Callable[..., Any]) -> str | None:
    """SHA-256 of the file that defines a class or a function; None where it has none, or is installed."""
    file = getattr(sys.modules.get(str(thing.__module__)), "__file__", None)
    if file is None or _installed(Path(file)):
        return None
    return hashlib.sha256(Path(file).read_bytes()).hexdigest()


@dataclass(frozen=True)
class Copies:
    """Function that makes copies of an object, such as a module.

    Attributes:
        thing: the object. Its attribute ``settings``, where it has one, holds the arguments of its class by name.
    """

    thing: Any

    def __call__(self) -> Any:
        return copy.deepcopy(self.thing)

    @property
    def anew(self) -> Callable[[], Any]:
        """Function that makes such an object, but for its weights, by its class."""
        kind: Callable[..., Any] = type(self.thing)
        return functools.partial(kind, **getattr(self.thing, "settings", {}))


def made_by(make: Callable[..., Any]) -> dict[str, Any]:
    """Address of what makes an object, and its "settings", as plain values by which `maker` makes the same again.

    Args:
        make: class or function that is called without arguments; a `functools.partial` of one, whose arguments are the
            settings; or `Copies` of an object.

    Raises:
        TypeError: it cannot be imported again, a setting is no plain value, or the settings of an object are not known.
    """
    settings: dict[str, Any] = {}
    if isinstance(make, Copies) and not hasattr(make.thing, "settings") and signature(type(make.thing)).parameters:
        kind = type(make.thing).__name__
        raise TypeError(f"with which arguments {kind} was called is not known: it has no attribute 'settings' of them")
    found: Any = make.anew if isinstance(make, Copies) else make
    if isinstance(found, functools.partial):
        if found.args:
            raise TypeError(f"settings must be given by name, got {found.args!r} alone")
        found, settings = found.func, dict(found.keywords)
    try:
        plain = json.loads(json.dumps(settings))
    except TypeError as e:
        raise TypeError(f"settings must be numbers, texts, lists or None, got {settings!r}") from e
    return described(found) | {"settings": plain}


def maker(about: Mapping[str, Any]) -> Callable[[], Any]:
    """Function that makes what `made_by` has described; its code is imported."""
    return functools.partial(imported(about), **about["settings"])


def named_within(about: Any) -> list[str]:
    """Addresses of all code that plain values name, at any depth.

    >>> named_within({"parts": [{"code": "my_net:Net"}, {"head": None}]})
    ['my_net:Net']
    """
    return list(dict.fromkeys(_named(about)))


def _named(about: Any) -> Iterator[str]:
    if isinstance(about, Mapping):
        if CODE in about:
            yield str(about[CODE])
        for value in about.values():
            yield from _named(value)
    elif isinstance(about, Sequence) and not isinstance(about, str):
        for value in about:
            yield from _named(value)


def require_trust(path: Path, about: Any, trust: bool) -> None:
    """Check that the user trusts the code that the plain values of a file name, where they name any.

    Raises:
        UntrustedError: they do, and it is not trusted; the message names it.
    """
    found = named_within(about)
    if found and not trust:
        raise UntrustedError(
            f"{path} names code that is not of tutelage, {', '.join(found)}: to load it would run it. If you trust it, "
            "pass --trust, or trust=True in Python"
        )


def _within(module: ModuleType, name: str) -> Any:
    found: Any = module
    for part in name.split("."):
        found = getattr(found, part, None)
    return found


def _installed(file: Path) -> bool:
    """Whether a file belongs to Python or to an installed package."""
    paths = sysconfig.get_paths()
    homes = {Path(paths[name]).resolve() for name in ("stdlib", "platstdlib", "purelib", "platlib")}
    homes |= {Path(home).resolve() for home in site.getsitepackages()} | {Path(__file__).resolve().parents[1]}
    return any(file.resolve().is_relative_to(home) for home in homes)


def _of_file(file: Path) -> ModuleType:
    """The module in a file, imported once; modules beside it can be imported by it, as where Python runs the file.

    Raises:
        ValueError: there is no such file, or it cannot be imported.
    """
    if not file.is_file():
        raise ValueError(f"{file}: no such file; code of one's own is named FILE.py:NAME or package.module:NAME")
    file, name = file.resolve(), file.stem
    before = sys.modules.get(name)
    if before is not None and getattr(before, "__file__", None) != str(file):
        name = f"{name}_{hashlib.sha256(str(file).encode()).hexdigest()[:8]}"
        before = sys.modules.get(name)
    if before is not None:
        return before
    spec = importlib.util.spec_from_file_location(name, file)
    if spec is None or spec.loader is None:
        raise ValueError(f"{file}: not a file of Python")
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    sys.path.append(str(file.parent))
    try:
        spec.loader.exec_module(module)
    except Exception as e:  # whatever the user's own code raises
        del sys.modules[name]
        raise ValueError(f"{file}: cannot be imported ({type(e).__name__}: {e})") from e
    finally:
        sys.path.pop()
    return module
