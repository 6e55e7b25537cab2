"""Methods that are not of this library: those of installed packages, and classes named by their address."""

from __future__ import annotations

import importlib.metadata
import inspect
from dataclasses import MISSING, fields
from functools import cache
from typing import TYPE_CHECKING, Any

from tutelage.methods import catalogue
from tutelage.ops import own

if TYPE_CHECKING:
    from tutelage.methods.base import Method

GROUP = "tutelage.methods"
"""Group of the entry points by which an installed package names its methods, ``agree = "package.module:Agree"``."""


@cache
def plugged() -> dict[str, importlib.metadata.EntryPoint]:
    """Entry points of installed packages, by the names of their methods; names of this library stay its own."""
    found = {point.name: point for point in importlib.metadata.entry_points(group=GROUP)}
    return {name: found[name] for name in sorted(found) if name not in catalogue.TABLE}


def package_of(name: str) -> str:
    """Name of the installed package that brings a method."""
    dist = plugged()[name].dist
    return "" if dist is None else str(dist.name)


def of_package(name: str) -> type[Method]:
    """Class of a method that an installed package brings.

    Raises:
        ValueError: its entry point does not name a method.
    """
    point = plugged()[name]
    try:
        found = point.load()
    except Exception as e:  # whatever the package's own code raises
        raise ValueError(f"method {name} of {package_of(name)}: {point.value} cannot be imported ({e})") from e
    return require_method(found, point.value)


def at_address(address: str) -> type[Method]:
    """Class of a method of one's own, imported from its address, such as "my_method.py:Mine".

    Raises:
        ValueError: there is no such code, or it is no method; the message says what it lacks.
    """
    return require_method(own.imported(address), address)


def code_of(method: Any) -> dict[str, Any]:
    """Address of the class of a method of one's own, and the SHA-256 of its file; empty for other methods.

    Args:
        method: a method, or the automatic choice.
    """
    kind = type(method)
    if kind.__module__.startswith("tutelage.") or (digest := own.digest_of(kind)) is None:
        return {}
    try:
        return own.described(kind) | {"content": digest}
    except TypeError:  # defined at the prompt: nothing can be imported again
        return {"content": digest}


def require_method(found: Any, where: str) -> type[Method]:
    """The class itself, if it is a method that can be made without arguments.

    Args:
        found: what was imported.
        where: its address, for messages.

    Raises:
        ValueError: it is not; the message says what it lacks.
    """
    from tutelage.methods.base import Method

    if not (inspect.isclass(found) and issubclass(found, Method)):
        got = f"the class {found.__name__}" if inspect.isclass(found) else repr(found)
        raise ValueError(f"{where}: a method must be a class that inherits from tutelage.methods.Method, got {got}")
    if inspect.isabstract(found):
        raise ValueError(f"{where}: a method must define {', '.join(sorted(found.__abstractmethods__))}")
    if "__dataclass_fields__" not in vars(found):
        raise ValueError(f"{where}: a method must be a frozen dataclass: write @dataclass(frozen=True) above the class")
    open_ = [f.name for f in fields(found) if f.default is MISSING and f.default_factory is MISSING]
    if open_:
        raise ValueError(f"{where}: each hyper-parameter must have a default, {open_[0]!r} has none")
    return found
