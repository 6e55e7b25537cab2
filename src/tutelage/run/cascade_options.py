"""Options of a cascade; imported without any library that reads or learns."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, kw_only=True)
class CascadeOptions:
    """Options of a cascade of predict.

    Args:
        cascade: table of a teacher's answers, which it gives where the student is not sure enough: needs --abstain.
        teacher: prefix of the columns of its probabilities.
        teacher_label: column of its labels, where it has no probabilities.
        budget: number of rows, at most, that the teacher answers; the rest is for people.
        ask: table to write of the rows that nobody answered; by default ask.csv beside --output.
    """

    cascade: Path | None = None
    teacher: str | None = None
    teacher_label: str | None = None
    budget: int | None = None
    ask: Path | None = None
