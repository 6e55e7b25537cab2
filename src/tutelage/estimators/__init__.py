"""Estimators with the interface of scikit-learn."""

from tutelage.estimators.classifier import Classifier
from tutelage.estimators.segmenter import Segmenter
from tutelage.estimators.self_distiller import SelfDistiller
from tutelage.estimators.tagger import Tagger

__all__ = ["Classifier", "Segmenter", "SelfDistiller", "Tagger"]
