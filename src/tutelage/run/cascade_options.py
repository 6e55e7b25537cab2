"""Options of a cascade; imported without any library that reads or learns."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, kw_only=True)
class CascadeOptions:
    """Options of a cascade of predict.

    Args:
        cascade: table of a teacher's answers, or address of an endpoint that answers as OpenAI's does, which gives them
            where the student is not sure enough: needs --abstain.
        teacher: prefix of the columns of its probabilities.
        teacher_label: column of its labels, where it has no probabilities.
        model: name of the model at the endpoint; texts alone are sent there.
        describe: file of descriptions for the endpoint, JSON or TOML: a name or sentences for each class.
        key_from: variable of the environment that holds the endpoint's key, by default OPENAI_API_KEY.
        price: price of a million tokens that are read, a comma, and of a million that are written, such as 0.15,0.6.
        mixed: take replies of models together that call themselves otherwise.
        yes: do not ask before texts leave this machine.
        budget: number of rows, at most, that the teacher answers; the rest is for people.
        ask: table to write of the rows that nobody answered; by default ask.csv beside --output.
    """

    cascade: str | None = None
    teacher: str | None = None
    teacher_label: str | None = None
    model: str | None = None
    describe: Path | None = None
    key_from: str | None = None
    price: str | None = None
    mixed: bool = False
    yes: bool = False
    budget: int | None = None
    ask: Path | None = None

    @property
    def of_endpoint(self) -> bool:
        """Whether the teacher is an endpoint.

        >>> CascadeOptions(cascade="http://localhost/v1").of_endpoint, CascadeOptions(cascade="said.csv").of_endpoint
        (True, False)
        """
        return self.cascade is not None and self.cascade.lower().startswith(("http:", "https:"))

    def given(self, *names: str) -> list[str]:
        """Those of some options that are given, as they are typed.

        Args:
            names: names of the options; none means all.

        >>> CascadeOptions(key_from="KEY", yes=True).given("yes", "key_from", "model")
        ['--yes', '--key-from']
        """
        usual = CascadeOptions()
        taken = [name for name in names or vars(usual) if getattr(self, name) != getattr(usual, name)]
        return [f"--{name.replace('_', '-')}" for name in taken]
