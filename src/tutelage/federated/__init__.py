"""Federated learning: rows that stay at their place, rounds of training on them, and an average of the weights."""

from tutelage.federated.clients import Client, Moments, Update, beginning
from tutelage.federated.fedlabel import FedLabel
from tutelage.federated.rounds import Federation, Rounds, average

__all__ = ["Client", "FedLabel", "Federation", "Moments", "Rounds", "Update", "average", "beginning"]
