"""What is noticed while data are read: sentences, questions to the user, and faults."""

from __future__ import annotations

import re
import shlex
from collections.abc import Callable
from dataclasses import asdict, dataclass, field, replace
from typing import Any, NoReturn, Self

from tutelage.data.errors import DataError, shortened
from tutelage.ops.pages import Page, on_page
from tutelage.tables.name_lists import names_in
from tutelage.tables.seen import FileSeen
from tutelage.tables.settling import Answer, answers_of


@dataclass(frozen=True)
class Question:
    """Something odd in the data, and what a user may add to the command to settle it.

    Attributes:
        asks: what looks odd: how many rows, which value, and the first place.
        options: options that settle it, as they are typed, each with a few words on what it then means.
        page: page of the documentation that explains it.
        halts: whether nothing is learnt before it is settled.
        answers: the options that can be added as they are, as words of a command.
    """

    asks: str
    options: tuple[str, ...]
    page: Page
    halts: bool = False
    answers: tuple[Answer, ...] = ()

    def line(self, number: int | None = None) -> str:
        """The question as a user reads it.

        Args:
            number: number of the question; None leaves it out.

        >>> Question("40 rows have the label 'nan'", ("--unlabelled-as nan",), "label-or-none").line(1)
        "Question 1: 40 rows have the label 'nan'. To settle it: --unlabelled-as nan. (docs: warnings/label-or-none)"
        """
        first = "" if number is None else f"Question {number}: "
        return on_page(f"{first}{self.asks}. To settle it: {'; or '.join(self.options)}.", self.page)

    def in_python(self) -> Self:
        r"""The question with arguments of Python in place of options of the command line.

        >>> option = "--unlabelled-as nan if it means none"
        >>> Question("40 rows have the label 'nan'", (option,), "label-or-none").in_python().options
        ("unlabelled_as='nan' if it means none",)
        >>> Question("values up to 255", ("--mask-values 0,255 (classes)",), "mask-values").in_python().options
        ('mask_values=(0, 255) (classes)',)
        >>> option = "--unlabelled-as '\"a, b\",c' if they mean none"
        >>> Question("4 labels", (option,), "label-or-none").in_python().options
        ("unlabelled_as=('a, b', 'c') if they mean none",)
        """
        return replace(self, options=tuple(_OPTION.sub(_argument, option) for option in self.options))


_OPTION = re.compile(r"""--([a-z][a-z-]*)(?:[ =]((?:'[^']*'|"[^"]*"|[^\s,;'"]|,(?=\S))+))?""")
"""Pattern of an option of the command line and its value."""


def _argument(option: re.Match[str]) -> str:
    """Argument of Python that an option of the command line stands for."""
    name, value = option[1].replace("-", "_"), option[2]
    if value is None:
        return f"{name}=True"
    word = "".join(shlex.split(value))
    each = [part if part.isdigit() or part == "..." else repr(part) for part in names_in(word)]
    several = ", ".join(each)
    return f"{name}={several}" if len(each) == 1 else f"{name}=({several})"


@dataclass(frozen=True)
class Fact:
    """What was counted of the data.

    Attributes:
        says: the counts in a sentence.
        values: the same as plain values.
    """

    says: str
    values: Any


@dataclass
class Notes:
    """What is noticed while data are read, in the order in which it is noticed.

    Args:
        tell: called with each sentence at once; None keeps sentences only.

    Attributes:
        lines: sentences that say what was read or done.
        questions: what looks odd, each once.
        faults: sentences on what cannot be learnt from, each with its place.
        files: what was seen of each file.
        facts: what was counted, by a name such as "classes", in the order in which it is shown.

    >>> notes = Notes()
    >>> notes.say("3 rows are left out.")
    >>> notes.lines
    ['3 rows are left out.']
    """

    tell: Callable[[str], None] | None = None
    lines: list[str] = field(default_factory=list)
    questions: list[Question] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)
    files: list[FileSeen] = field(default_factory=list)
    facts: dict[str, Fact] = field(default_factory=dict)

    def say(self, line: str, page: Page | None = None) -> None:
        """Note a sentence, shortened to fit on a screen, with the page of the documentation that explains it."""
        line = shortened(line) if page is None else on_page(shortened(line), page)
        self.lines.append(line)
        if self.tell is not None:
            self.tell(line)

    __call__ = say

    def ask(self, asks: str, *options: str, page: Page, halts: bool = False) -> None:
        """Note a question, unless it is noted already; see `Question`."""
        question = Question(shortened(asks), tuple(map(shortened, options)), page, halts, answers_of(options))
        if question not in self.questions:
            self.questions.append(question)
            if self.tell is not None and not halts:
                self.tell(question.line(len(self.questions)))

    def halt(self, asks: str, *options: str, page: Page) -> NoReturn:
        """Note a question before whose answer nothing else can be read of the data.

        Raises:
            DataError: always; its message is the question.
        """
        self.ask(asks, *options, page=page, halts=True)
        raise DataError(Question(asks, options, page, True).line(len(self.questions) or 1), noted=True)

    def fault(self, sentence: str) -> None:
        """Note what cannot be learnt from; `settle` raises it together with all others."""
        if (sentence := shortened(sentence)) not in self.faults:
            self.faults.append(sentence)

    def fact(self, name: str, says: str, values: Any) -> None:
        """Note what was counted; see `Fact`."""
        self.facts[name] = Fact(shortened(says), values)

    def saw(self, file: FileSeen) -> None:
        """Note what was seen of a file, once."""
        if file not in self.files:
            self.files.append(file)

    @property
    def unsettled(self) -> bool:
        """Whether there is a fault, or a question that halts, so that `settle` raises."""
        return bool(self.faults) or any(question.halts for question in self.questions)

    def settle(self) -> None:
        """Raise all faults, and the questions that halt, together.

        Raises:
            DataError: there is a fault, or a question that halts.
        """
        halting = [question.line(i) for i, question in enumerate(self.questions, start=1) if question.halts]
        if self.faults or halting:
            raise DataError(*self.faults, *halting, noted=True)

    def __str__(self) -> str:
        return "\n".join([*self.lines_of_all(), *self.faults])

    def lines_of_all(self, halting: bool = True) -> list[str]:
        """All that was noticed, a line each: files, counts, sentences and questions.

        Args:
            halting: whether questions that halt are among them, which `settle` raises.
        """
        files = [file.line() for file in self.files]
        facts = [fact.says for fact in self.facts.values()]
        asked = [q.line(i) for i, q in enumerate(self.questions, start=1) if halting or not q.halts]
        return [*files, *facts, *self.lines, *asked]

    def as_dict(self) -> dict[str, Any]:
        """All that was noticed, as plain values."""
        return {
            "files": [file.as_dict() for file in self.files],
            "facts": {name: fact.values for name, fact in self.facts.items()},
            "says": self.lines_of_all(),
            "questions": [asdict(question) for question in self.questions],
            "faults": list(self.faults),
        }


class _Unheard(Notes):
    """Notes that nobody reads: nothing is kept; a fault, or a question that halts, is raised at once."""

    def say(self, line: str, page: Page | None = None) -> None:
        """Pass over a sentence."""

    __call__ = say

    def ask(self, asks: str, *options: str, page: Page, halts: bool = False) -> None:
        """Raise a question that halts; pass over another."""
        if halts:
            raise DataError(Question(asks, options, page, halts).line(1))

    def saw(self, file: FileSeen) -> None:
        """Pass over a file."""

    def fact(self, name: str, says: str, values: Any) -> None:
        """Pass over a count."""

    def fault(self, sentence: str) -> None:
        """Raise a fault."""
        raise DataError(sentence)


UNHEARD: Notes = _Unheard()
"""Notes that nobody reads; the default of functions that take notes."""
