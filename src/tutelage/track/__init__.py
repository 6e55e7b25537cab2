"""Fits that trackers of experiments follow: MLflow and TensorBoard, each an extra behind one small interface."""

from tutelage.track.base import TRACKERS
from tutelage.track.following import Tracked, current, tracked

__all__ = ["TRACKERS", "Tracked", "current", "tracked"]
