"""How files are read, as `tutelage.data.how` has it, where a command finds it without a library that reads tables."""

from tutelage.data.how import HEADER, QUOTES, USUAL, ReadAs

__all__ = ["HEADER", "QUOTES", "USUAL", "ReadAs"]
