"""A method of each family for the quick tests; those of all methods are slow."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import pytest

from tutelage.methods.catalogue import TABLE

ALWAYS = ("drift", "dmt", "meta_pseudo_labels", "uda")
"""Methods that differ from others of their family in what they keep."""

BROUGHT = {name for name, entry in TABLE.items() if entry.family == "brought teacher"}
"""Methods that need a teacher that is brought: tests/estimators/test_teachers.py has them."""


def one_of_each(names: Iterable[str]) -> list[Any]:
    """Parameters of a test, of which all but those of a method of each family are slow."""
    names = sorted(names)
    first = set({TABLE[name].family: name for name in reversed(names)}.values()) | set(ALWAYS)
    return [pytest.param(name, marks=[] if name in first else pytest.mark.slow) for name in names]
