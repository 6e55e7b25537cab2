"""Data: tables and data sets on disk, examples in memory, and the batches drawn from them.

Names are imported when they are first asked for, since a list of data sets needs no torch.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tutelage.data.examples import Examples as Examples
    from tutelage.data.examples import Features as Features
    from tutelage.data.examples import Tokens as Tokens
    from tutelage.data.examples import WordFeatures as WordFeatures
    from tutelage.data.examples import WordTokens as WordTokens
    from tutelage.data.groups import Groups as Groups
    from tutelage.data.loader import Loader as Loader

_HOMES = dict.fromkeys(("Examples", "Features", "Tokens", "WordFeatures", "WordTokens"), "tutelage.data.examples") | {
    "Groups": "tutelage.data.groups",
    "Loader": "tutelage.data.loader",
}
"""Module that defines each public name, by name."""

if not TYPE_CHECKING:
    __all__ = list(_HOMES)

    def __getattr__(name: str) -> Any:
        if name not in _HOMES:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        return getattr(import_module(_HOMES[name]), name)
