"""Fitted models for programs that have no tutelage: one ONNX graph, or a folder that transformers loads."""

from tutelage.export.folder import to_hf
from tutelage.export.graph import to_onnx

__all__ = ["to_hf", "to_onnx"]
