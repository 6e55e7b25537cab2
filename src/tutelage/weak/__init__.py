"""Weak supervision: labelling functions that vote, the analysis of their votes, and label models that combine them."""

from tutelage.weak.analysis import analyse, silent
from tutelage.weak.label_models import DEFAULT, LABEL_MODELS, label
from tutelage.weak.look import labels_of_votes
from tutelage.weak.rules import LabellingFunction, apply_rules, read_rules
from tutelage.weak.votes import RawVotes, Votes, read_votes

__all__ = [
    "DEFAULT",
    "LABEL_MODELS",
    "LabellingFunction",
    "RawVotes",
    "Votes",
    "analyse",
    "apply_rules",
    "label",
    "labels_of_votes",
    "read_rules",
    "read_votes",
    "silent",
]
