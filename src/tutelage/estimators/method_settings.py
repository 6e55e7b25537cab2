"""The method of an estimator, and its hyper-parameters as parameters ``method__NAME`` of the estimator."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields, is_dataclass, replace
from typing import Any

from tutelage.data.nearest import did_you_mean
from tutelage.fit.auto import Auto
from tutelage.methods import METHODS, Method, class_named
from tutelage.methods.fields import Open, ramps_read
from tutelage.ops.own import is_address

PREFIX = "method__"
"""Beginning of the names of an estimator's parameters that are hyper-parameters of its method."""


def method_of(method: str | Method | Auto) -> Method | Auto:
    """Method of a name, with its defaults; a method that is no name is returned as it is.

    Raises:
        ValueError: there is no such method.
        TypeError: it is neither a name nor a method.
    """
    if isinstance(method, (Method, Auto)):
        return method
    if isinstance(method, type) and issubclass(method, (Method, Auto)):
        raise TypeError(f"method must be a name or a method, got the class {method.__name__}; give {method.__name__}()")
    if not isinstance(method, str):
        raise TypeError(f"method must be a name or a method, such as 'drift' or Drift(decay=0.9), got {method!r}")
    return class_of(method)()


def class_of(name: str) -> type[Method] | type[Auto]:
    """Class of a method, or of the automatic choice, by its name or its address.

    Raises:
        ValueError: there is no such method; the message lists the names.
    """
    if name == Auto.name:
        return Auto
    if name in METHODS or is_address(name):
        return class_named(name)
    raise ValueError(
        f"method must be one of {', '.join((*METHODS, Auto.name))}, got {name!r}{did_you_mean(name, METHODS)}"
    )


def settings_of(method: Any) -> dict[str, Any]:
    """Hyper-parameters of a method, or of a method's name, by name; None of one that is left open.

    Args:
        method: what an estimator has for a method; of what is none, or is an address, nothing is known.

    >>> settings_of("mean_teacher")["weight"]
    1.0
    """
    if isinstance(method, str):
        if method != Auto.name and method not in METHODS:
            return {}
        method = method_of(method)
    if not isinstance(method, (Method, Auto)) or not is_dataclass(method):
        return {}
    found = {f.name: getattr(method, f.name) for f in fields(method) if f.init}
    return {name: None if isinstance(value, Open) else value for name, value in found.items()}


def with_settings(method: Any, changes: Mapping[str, Any]) -> Method | Auto:
    """The method with other hyper-parameters.

    Args:
        method: method, or a method's name.
        changes: values by name; a ramp may be a text, as `Ramp.parse` reads it.

    Raises:
        ValueError: the method has no such hyper-parameter, or a value is out of its range.

    >>> with_settings("mean_teacher", {"weight": 0.5}).weight
    0.5
    """
    made = method_of(method)
    known = [f.name for f in fields(made) if f.init]
    for name in changes:
        if name not in known:
            raise ValueError(f"method {made.name} has no hyper-parameter {name!r}; it has {', '.join(known) or 'none'}")
    return replace(made, **ramps_read(type(made), changes) if isinstance(made, Method) else changes)
