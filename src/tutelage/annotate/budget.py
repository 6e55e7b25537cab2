"""What asking costs, in requests, tokens and money, and how much of each may be spent."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from tutelage.ops.checks import in_range

MILLION = 1e6
"""Tokens that a price is for."""


@dataclass(frozen=True)
class Price:
    """Price of a million tokens, in any money.

    Args:
        read, wrote: of tokens that the model reads, and of those that it writes, at least 0.

    >>> Price.of("0.15,0.6").of_tokens((2_000_000, 100_000))
    0.36
    """

    read: float
    wrote: float

    def __post_init__(self) -> None:
        in_range("--price", self.read, 0)
        in_range("--price", self.wrote, 0)

    @classmethod
    def of(cls, words: str) -> Price:
        """A price as it is typed: that of tokens read, a comma, and that of tokens written; or one for both.

        Raises:
            ValueError: it is no such price.
        """
        try:
            numbers = [float(part) for part in words.split(",")]
        except ValueError:
            numbers = []
        if len(numbers) not in (1, 2):
            raise ValueError(f"--price must be that of a million tokens in and out, such as 0.15,0.6, got {words!r}")
        return cls(numbers[0], numbers[-1])

    def of_tokens(self, tokens: tuple[int, int]) -> float:
        """What tokens cost, (read, wrote)."""
        return round((tokens[0] * self.read + tokens[1] * self.wrote) / MILLION, 9)


@dataclass(frozen=True)
class Budget:
    """How much may be spent on the replies of one table, those that are kept from before among them.

    Args:
        texts: texts that are asked about, at most; None for any number.
        tokens: tokens that are read and written, at most.
        money: money that these cost, at most; needs a price.
        price: price of the tokens; None where it is not known.

    Raises:
        ValueError: a number is out of its range, or money has no price.
    """

    texts: int | None = None
    tokens: int | None = None
    money: float | None = None
    price: Price | None = None

    def __post_init__(self) -> None:
        for name, value in (("--max-rows", self.texts), ("--max-tokens", self.tokens)):
            if value is not None:
                in_range(name, value, 1)
        if self.money is not None:
            in_range("--max-cost", self.money, 0, low_open=True)
            if self.price is None:
                raise ValueError("--max-cost needs --price IN,OUT, that of a million tokens read and written")

    def reached(self, tokens: tuple[int, int]) -> str | None:
        """What of the budget so many tokens, (read, wrote), exceed, in words; None where they are within it."""
        if self.tokens is not None and sum(tokens) > self.tokens:
            return f"--max-tokens {self.tokens:,}"
        if self.money is not None and self.price is not None and self.price.of_tokens(tokens) > self.money:
            return f"--max-cost {self.money:g}"
        return None


def added(tokens: Iterable[tuple[int, int]]) -> tuple[int, int]:
    """The sum of tokens, (read, wrote).

    >>> added([(3, 1), (4, 1)])
    (7, 2)
    """
    read = wrote = 0
    for r, w in tokens:
        read, wrote = read + r, wrote + w
    return read, wrote
