"""Benchmarks that compare methods on equal terms: protocols, runs, and tables."""

from importlib import import_module

from tutelage.ops.checks import lacking

try:
    import_module("pydantic")  # reads protocols
except ImportError as _e:
    raise lacking("comparing methods", "bench", _e) from _e
