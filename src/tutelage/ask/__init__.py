"""What to label next: selectors of rows, and a random part among them that stays a sample."""

from tutelage.ask.asking import Asked, with_random
from tutelage.ask.selecting import NAMES, SELECTORS, SURE, Selection, select

__all__ = ["NAMES", "SELECTORS", "SURE", "Asked", "Selection", "select", "with_random"]
