"""Weak supervision: labelling functions that vote, the analysis of their votes, and label models that combine them."""

from tutelage.weak.analysis import analyse, silent
from tutelage.weak.by_features import BY_FEATURES
from tutelage.weak.descriptions import Descriptions, descriptions_of, read_descriptions
from tutelage.weak.label_models import DEFAULT, LABEL_MODELS, label
from tutelage.weak.look import labels_of_votes
from tutelage.weak.rules import LabellingFunction, apply_rules, read_rules
from tutelage.weak.sources import Combined, Source, Voted, combine
from tutelage.weak.teachers import Said, SaidLabels, SaidTable, read_columns, read_labels, said_values
from tutelage.weak.votes import RawVotes, Votes, read_votes

__all__ = [
    "BY_FEATURES",
    "DEFAULT",
    "LABEL_MODELS",
    "Combined",
    "Descriptions",
    "LabellingFunction",
    "RawVotes",
    "Said",
    "SaidLabels",
    "SaidTable",
    "Source",
    "Voted",
    "Votes",
    "analyse",
    "apply_rules",
    "combine",
    "descriptions_of",
    "label",
    "labels_of_votes",
    "read_columns",
    "read_descriptions",
    "read_labels",
    "read_rules",
    "read_votes",
    "said_values",
    "silent",
]
