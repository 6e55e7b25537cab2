"""Whether networks can be compiled here."""

from __future__ import annotations

import warnings
from functools import cache

import torch

LONGEST = 200
"""Characters, at most, that are shown of what a compiler says."""


@cache
def why_uncompiled() -> str:
    """Why nothing can be compiled here, in words, such as for want of a compiler of C++; empty where it can be.

    A product is compiled once in a process to find out.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # torch warns of code of its own that it imports here
            torch.compile(_product)(torch.ones(8))
    except Exception as e:  # whatever a compiler that is missing, broken or too old makes of it
        said = " ".join(str(e).split())[:LONGEST]
        return f"torch.compile fails on this machine ({type(e).__name__}: {said})"
    return ""


def _product(x: torch.Tensor) -> torch.Tensor:
    return x * x + 1
