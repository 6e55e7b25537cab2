"""An endpoint as the teacher of a cascade: the classes of a run are asked for, and each reply is kept."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Float

from tutelage.annotate.annotator import Annotated, Annotator, Plan
from tutelage.annotate.budget import Budget, Price
from tutelage.annotate.prompts import Prompt
from tutelage.kinds.base import Kind
from tutelage.kinds.cells import is_number
from tutelage.run.cascade_options import CascadeOptions
from tutelage.run.chat_models import (
    PARALLEL,
    asked,
    endpoint_of,
    known_before,
    replies_beside,
    require_leave,
    route_of,
    silent,
)
from tutelage.run.screen import Screen
from tutelage.tables import DataError, as_label
from tutelage.tables.exports.made import many
from tutelage.weak import SaidLabels, read_descriptions


class AtEndpoint:
    """A teacher behind an endpoint, which answers texts: an `Answers` of `tutelage.kinds.cascade`.

    A text is asked about once, and its reply is kept beside the table that is written. Where the probabilities are read
    from words, the model's prior is taken off over all texts that were asked about so far.

    Args:
        annotator: who asks, for the classes of the student in their order.
        screen: where the progress is shown.

    Attributes:
        texts: texts that were asked about, in their order.
        found: what was said of them; None before the first are.
    """

    def __init__(self, annotator: Annotator, screen: Screen) -> None:
        self.annotator, self.screen = annotator, screen
        self.texts: list[str] = []
        self.found: Annotated | None = None

    def __call__(self, items: Sequence[Any], most: int | None) -> Float[np.ndarray, "n c"]:
        taken = within(items, most)
        before, self.texts = len(self.texts), [*self.texts, *(items[i] for i in taken)]
        p = np.full((len(items), len(self.annotator.prompt.classes)), np.nan)
        if taken:
            with self.screen.ticking() as bar:
                self.found = asked(self.annotator.plan(self.texts), bar, self.screen)
            p[taken] = probabilities(self.found)[before:]
        return p

    def beforehand(self, labelled: Sequence[str], rest: Sequence[str], source: Path, yes: bool) -> None:
        """Say what will be sent where, and ask once whether it may be.

        Args:
            labelled: labelled texts, by which it is foreseen how good the teacher is.
            rest: texts that are left to the teacher, those within the budget.
            source: file of these.
            yes: whether nobody is asked.

        Raises:
            ValueError: nothing may be sent, or nobody can be asked.
        """
        plan = self.annotator.plan([*labelled, *rest])
        require_leave(words_before(plan, len(labelled), len(rest), source), self.screen, bool(plan.missing) and not yes)

    def cost(self) -> float | None:
        """What a row costs, by the replies so far; None where no price is known, or nothing was asked."""
        price = self.annotator.budget.price
        if price is None or self.found is None:
            return None
        return price.of_tokens(self.found.tokens) / max(len(self.annotator.plan(self.texts).replies()), 1)

    def words(self, labelled: int) -> list[str]:
        """Sentences on what was asked, and on rows without an answer.

        Args:
            labelled: number of the labelled texts, which were asked about first.
        """
        if self.found is None:
            return []
        read_, wrote = self.found.tokens
        price = self.annotator.budget.price
        cost = "" if price is None else f", which cost about {price.of_tokens(self.found.tokens):.4g}"
        used = f"{self.annotator.model.name} took {read_:,} tokens in and {wrote:,} out for all replies{cost}."
        return [used, *silent(replace(self.found, why=self.found.why[labelled:]))]

    def plain(self, labelled: int) -> dict[str, Any]:
        """What was asked, as plain values.

        Args:
            labelled: number of the labelled texts, which were asked about first.
        """
        model, price = self.annotator.model, self.annotator.budget.price
        tokens = (0, 0) if self.found is None else self.found.tokens
        return {
            "host": model.host, "model": model.name, "labelled": labelled, "rows": len(self.texts) - labelled,
            "tokens": list(tokens), "cost": None if price is None else price.of_tokens(tokens),
        }  # fmt: skip


def within(items: Sequence[str], most: int | None) -> list[int]:
    """Numbers of the first texts that are not empty, at most so many.

    >>> within(["a", " ", "b", "c"], 2)
    [0, 2]
    """
    return [i for i, text in enumerate(items) if text.strip()][:most]


def probabilities(found: Annotated) -> Float[np.ndarray, "n c"]:
    """Probabilities of what a model said of n rows, (n, c): of a class alone, those of a teacher's label; NaN: silent.

    Args:
        found: what it said.
    """
    labels = np.array(found.labels, dtype=object)
    p = SaidLabels("", labels, np.full(len(labels), np.nan)).source(found.classes).table
    told = ~np.isnan(found.probabilities).any(1)
    p[told] = found.probabilities[told]
    return p


def words_before(plan: Plan, labelled: int, rest: int, source: Path) -> list[str]:
    """Sentences on what will be asked, of whom, and what it costs.

    Args:
        plan: what is to be asked.
        labelled: number of the labelled texts.
        rest: number of the rows that are left to the teacher, those within the budget.
        source: file of these.
    """
    annotator, missing = plan.annotator, len(plan.missing)
    lines = known_before(plan)
    if not missing:
        return lines
    price, (read_, wrote) = annotator.budget.price, plan.expected
    cost = "" if price is None else f", at a cost of about {price.of_tokens(plan.expected):.4g}"
    parts = [f"{many(labelled, 'labelled row', 'labelled rows')}, to foresee how good it is,"] if labelled else []
    parts += [f"at most {many(rest, 'row', 'rows')} of {source}"] if rest else []
    kept = " that have no reply yet" if missing < len(plan.unique) else ""
    asks = f"{many(missing, 'text', 'texts')}{kept}, about {read_:,} tokens in and {wrote:,} out{cost}"
    return [
        *lines,
        f"To {route_of(annotator.model)}, for {annotator.model.name}, go {' and '.join(parts).rstrip(',')}: {asks}.",
    ]


@contextmanager
def at_endpoint(
    of: CascadeOptions, kind: Kind, classes: Sequence[Any], output: Path, screen: Screen
) -> Iterator[AtEndpoint]:  # fmt: skip
    """Context with the endpoint as a teacher, whose replies are kept beside the table that is written.

    Args:
        of: options of the cascade, with an address.
        kind: kind of the items.
        classes: classes of the student.
        output: table that is written.
        screen: where is said what is noticed.

    Raises:
        ValueError: an option is missing or out of its range, the items are no texts, or the key is missing.
        DataError: the descriptions cannot be read, or the classes cannot be asked for.
    """
    assert of.cascade is not None
    prompt = prompt_of(of, kind, classes)
    budget = Budget(price=None if of.price is None else Price.of(of.price))
    model = endpoint_of(of.cascade, of.model, of.key_from, screen, "--cascade")
    with closing(model), replies_beside(output, screen) as kept:
        yield AtEndpoint(Annotator(model, prompt, kept, budget, parallel=PARALLEL, mixed=of.mixed), screen)


def prompt_of(of: CascadeOptions, kind: Kind, classes: Sequence[Any]) -> Prompt:
    """How the endpoint is asked for the classes of the student.

    Args:
        of: options of the cascade.
        kind: kind of the items.
        classes: classes of the student.

    Raises:
        ValueError: the items are no texts.
        DataError: the descriptions cannot be read or name another class, or a name says nothing of its class.
    """
    if not kind.of_texts:
        raise ValueError(
            f"--cascade URL asks about texts, and this run is of {kind.words.things}: name a table of answers"
        )
    names = tuple(str(as_label(c)) for c in classes)
    described = {} if of.describe is None else read_descriptions(of.describe)
    known = f"the run's classes are {', '.join(names)}"
    if strange := [name for name in described if name not in names]:
        raise DataError(f"{of.describe}: class {strange[0]!r} is described, but {known}")
    bare = [name for name in names if is_number(name) and described.get(name, (name,)) == (name,)]
    if bare:
        raise DataError(
            f"a language model cannot know what class {bare[0]!r} means, and {known}: --describe FILE says it in a "
            f'sentence for each, such as {{"{names[0]}": "...", "{names[1]}": "..."}}'
        )
    return Prompt(names, described)
