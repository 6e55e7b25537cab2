"""Parts of the library found by their name, wherever they live in the version that is measured."""

from __future__ import annotations

import importlib
import pkgutil
from functools import cache
from pathlib import Path
from types import ModuleType
from typing import Any


def require(source: Path) -> Path:
    """The folder of the package that is imported; SystemExit where it is not the one that is to be measured."""
    import tutelage

    folder = Path(str(tutelage.__file__)).resolve().parent
    if folder != (source / "src" / "tutelage").resolve():
        raise SystemExit(f"tutelage was imported from {folder}, not from {source}")
    return folder


@cache
def modules() -> list[ModuleType]:
    """All modules of the library, imported; those that need a package that is not installed are left out."""
    import tutelage

    found = [tutelage]
    for part in pkgutil.walk_packages(tutelage.__path__, "tutelage."):
        if not part.name.endswith("__main__"):
            try:
                found.append(importlib.import_module(part.name))
            except ImportError:
                continue
    return found


def anywhere(*names: str) -> Any:
    """The class or function of the first of these names that a module of the library defines."""
    for name in names:
        for module in modules():
            found = vars(module).get(name)
            if not isinstance(found, ModuleType) and getattr(found, "__module__", None) == module.__name__:
                return found
    raise SystemExit(f"no module of tutelage defines {' or '.join(names)}; say in moved.py what it is called now")
