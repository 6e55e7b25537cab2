"""Whether the Hub of Hugging Face can be reached, asked before its libraries try, which retry for a minute."""

from __future__ import annotations

import os
import socket
from urllib.parse import urlsplit
from urllib.request import getproxies

ENDPOINT = "https://huggingface.co"
"""Address of the Hub, where HF_ENDPOINT names no other."""

PATIENCE = 3.0
"""Seconds in which the Hub must accept a connection."""


def reachable() -> bool:
    """Whether the Hub accepts a connection, or may do so: behind a proxy its own libraries find out.

    It is False where HF_HUB_OFFLINE forbids to ask.
    """
    if os.environ.get("HF_HUB_OFFLINE", "").upper() in ("1", "ON", "YES", "TRUE"):
        return False
    address = urlsplit(os.environ.get("HF_ENDPOINT") or ENDPOINT)
    if {"https", "http", "all"} & set(getproxies()):
        return True
    try:
        port = address.port or (80 if address.scheme == "http" else 443)
        socket.create_connection((address.hostname or "", port), PATIENCE).close()
    except OSError:
        return False
    return True


def kept(name: str) -> bool:
    """Whether the Hub's own cache on this machine holds the configuration of a model.

    Args:
        name: name of the model on the Hub.
    """
    from huggingface_hub import try_to_load_from_cache
    from huggingface_hub.errors import HFValidationError

    try:
        return isinstance(try_to_load_from_cache(name, "config.json"), str)
    except HFValidationError:  # no name that the Hub could have
        return False
