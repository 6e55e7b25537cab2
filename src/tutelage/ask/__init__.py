"""What to label next: selectors of rows, a random part among them that stays a sample, and when it is enough."""

from tutelage.ask.asking import RANDOM, Asked, with_random
from tutelage.ask.bagging import committee
from tutelage.ask.enough import Curve, Outlook, outlook
from tutelage.ask.selecting import NAMES, SELECTORS, SURE, Selection, select

__all__ = [
    "NAMES", "RANDOM", "SELECTORS", "SURE", "Asked", "Curve", "Outlook", "Selection", "committee", "outlook", "select",
    "with_random",
]  # fmt: skip
