"""The error that something is wrong with the user's data."""

from __future__ import annotations


class DataError(ValueError):
    """Something is wrong with the user's data; the message says where."""
