"""Pretrained weights by name: which there are, whether they are here, and how to get them, verified by SHA-256."""

from __future__ import annotations

from tutelage.weights.catalogue import CATALOGUE, Weights, WeightsError, named
from tutelage.weights.fetch import get
from tutelage.weights.places import AUTO, path_of, there

__all__ = ["AUTO", "CATALOGUE", "Weights", "WeightsError", "get", "named", "path_of", "there"]
