"""The error for faults of the user's data."""

from __future__ import annotations


class DataError(ValueError):
    """A fault of the user's data; the message names its place."""
