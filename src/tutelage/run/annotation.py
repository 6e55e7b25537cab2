"""The command that lets a language model label the texts of a table, as a teacher."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated as Hinted
from typing import Any

import numpy as np
import pandas as pd
from cyclopts import Parameter

from tutelage.annotate.annotator import Annotated, Annotator, Plan, said_beside
from tutelage.annotate.budget import Budget, Price
from tutelage.annotate.chat import ChatModel
from tutelage.annotate.endpoint import Endpoint
from tutelage.annotate.prompts import LONGEST, TASK, Prompt, require_no_place
from tutelage.annotate.scripted import Scripted
from tutelage.kinds import KINDS
from tutelage.kinds.entries import Sought
from tutelage.ops.checks import in_range
from tutelage.run.chat_models import (
    PARALLEL,
    RETRIES,
    SECONDS,
    asked,
    endpoint_of,
    folder_beside,
    known_before,
    replies_beside,
    require_leave,
    route_of,
    silent,
)
from tutelage.run.reading import Reading
from tutelage.run.screen import Json, Quiet, SafeCells, Screen
from tutelage.tables import OF_CLASS, USUAL, DataError, Notes, ReadAs, formulas, text_of, writable, write_table
from tutelage.tables.exports.made import many
from tutelage.tables.name_lists import listed_names, shown
from tutelage.weak import read_descriptions

WARM = 0.7
"""Temperature of several replies to one text, where none is named."""

Switch = Hinted[bool, Parameter(negative=())]
"""Switch that is off where it is not given."""


def annotate(
    *, train: Path, text: str, out: Path, endpoint: str | None = None, model: str | None = None,
    local: str | None = None, scripted: Path | None = None, describe: Path | None = None, prompt: Path | None = None,
    classes: tuple[str, ...] = (), keep_prior: Switch = False, samples: int = 1, temperature: float | None = None,
    seed: int = 0, max_rows: int | None = None, max_tokens: int | None = None, max_cost: float | None = None,
    price: str | None = None, max_chars: int = LONGEST, parallel: int = PARALLEL, retries: int = RETRIES,
    seconds: float = SECONDS, key_from: str | None = None, mixed: Switch = False, prefix: str = OF_CLASS,
    yes: Switch = False, json: Json = False, quiet: Quiet = False, safe_cells: SafeCells = False, how: Reading = None,
) -> None:  # fmt: skip
    """Let a language model say the class of each text of a table, as a teacher for tutelage fit.

    The table is written with columns of what it said, which tutelage teacher and fit --teacher read. What leaves this
    machine, and what it costs, is said before, and asked once. Every reply is kept beside the table as it comes, so
    that a command that was stopped, or is called again, asks nothing twice.

    Args:
        train: table of the texts.
        text: column of the texts.
        out: table to write: csv, tsv, jsonl, parquet or xlsx. The replies are kept in a folder beside it.
        endpoint: address of an endpoint that answers as OpenAI's does, such as https://api.openai.com/v1.
        model: name of the model at the endpoint.
        local: model on this machine in place of an endpoint: a name of tutelage models list, a folder, a .gguf file, or
            a name on the Hub.
        scripted: file of replies in place of a model, JSON: an object of classes by text; "*" is for all other texts.
        describe: file of descriptions, JSON or TOML: a name or sentences for each class.
        prompt: file of the task in words: what is to be told of a text, and by which rules. The text comes by itself.
        classes: names of the classes, separated by commas; by default those of --describe.
        keep_prior: leave the model's prior over the classes in its probabilities; by default it is taken off.
        samples: replies to each text of an endpoint; from 2 on the share of their votes is the probability.
        temperature: temperature of the replies; by default 0, and 0.7 of several.
        seed: seed of the replies, and of the order of the texts.
        max_rows: different texts that are asked about, at most, drawn at random.
        max_tokens: tokens that are read and written, at most, those of replies from before among them.
        max_cost: money that these cost, at most; needs --price.
        price: price of a million tokens that are read, a comma, and of a million that are written, such as 0.15,0.6.
        max_chars: characters that are read of each text.
        parallel: requests to an endpoint at the same time.
        retries: how often a request is sent again, after 429, 5xx, or a connection that breaks.
        seconds: seconds within which an endpoint must reply.
        key_from: variable of the environment that holds the endpoint's key. [default: OPENAI_API_KEY]
        mixed: take replies of models together that call themselves otherwise.
        prefix: what stands before a class in the names of the columns of probabilities.
        yes: do not ask before texts leave this machine.
    """
    screen = Screen(json, quiet)
    in_range("--max-chars", max_chars, 1)
    asked_by = _prompt(prompt, describe, classes, max_chars)
    budget = Budget(max_rows, max_tokens, max_cost, None if price is None else Price.of(price))
    _require_out(train, out)
    notes = Notes(None if json else screen.say)
    table, texts = _texts(train, text, how or USUAL, notes)
    _require_columns(table, prefix, train)
    heat = temperature if temperature is not None else (WARM if samples > 1 else 0.0)
    in_range("--temperature", heat, 0, 2)
    wanted = _Wanted(endpoint, model, local, scripted, key_from, heat, seed, seconds, retries)
    chat = wanted.model(screen)
    try:
        with replies_beside(out, screen) as kept:
            annotator = Annotator(
                chat, asked_by, kept, budget, samples, parallel if chat.host else 1, not keep_prior, mixed, seed
            )
            plan = annotator.plan(texts)
            lines = beforehand(plan, train)
            require_leave(lines, screen, bool(chat.host and plan.missing) and not yes)
            with screen.ticking() as bar:
                found = asked(plan, bar, screen)
    finally:
        if isinstance(chat, Endpoint):
            chat.close()
    with formulas.safe_cells(safe_cells):
        write_table(_written(table, found, prefix), out)
    after = in_words(found, plan, out, prefix)
    if json:
        screen.json(_plain(found, plan, out) | {"words": [*lines, *after]})
        return
    for line in after:
        screen.say(line)


def _prompt(prompt: Path | None, describe: Path | None, classes: tuple[str, ...], longest: int) -> Prompt:
    """How the model is asked, by the options.

    Raises:
        ValueError: no option names the classes, or says what is to be told.
        DataError: a file cannot be read.
    """
    described = {} if describe is None else read_descriptions(describe)
    names = tuple(listed_names(classes)) or tuple(described)
    if not names:
        raise ValueError("the classes must be named: --describe FILE says what each means, --classes a,b names them")
    if strange := [name for name in described if name not in names]:
        raise DataError(f"{describe}: class {strange[0]!r} is described, but --classes names {', '.join(names)}")
    task = TASK
    if prompt is not None:
        task = text_of(prompt, USUAL) if prompt.is_file() else ""
        if not prompt.is_file():
            raise DataError(f"{prompt}: no such file")
        require_no_place(task, str(prompt))
    return Prompt(names, described, task, longest)


def _require_out(train: Path, out: Path) -> None:
    """Check that the table may be written, over none but one that this command wrote.

    Raises:
        DataError: it cannot be written.
        FileExistsError: there is another file.
    """
    writable(out)
    if out.exists() and train.exists() and out.resolve() == train.resolve():
        raise DataError(f"--out would overwrite {train}, which --train names, too; name another file")
    if out.exists() and not folder_beside(out).is_dir():
        raise FileExistsError(f"--out {out} exists, and this command did not write it: name another file, or remove it")


def _texts(train: Path, text: str, how: ReadAs, notes: Notes) -> tuple[pd.DataFrame, list[str]]:
    """The table, and the text of each of its rows.

    Raises:
        DataError: it cannot be read.
    """
    texts: Any = KINDS["texts"]
    made = texts(text=text).entries(train, how, notes, Sought(labels=False))
    notes.settle()
    return made.table, list(made.items)


def _require_columns(table: pd.DataFrame, prefix: str, train: Path) -> None:
    """Check that the table has no column that would be taken for one of the teacher's.

    Raises:
        DataError: it has.
        ValueError: the prefix is empty.
    """
    if not prefix:
        raise ValueError("--prefix must not be empty: it tells the columns of the teacher from yours")
    names = [str(name) for name in table.columns]
    if taken := [name for name in names if name.startswith(prefix) or name == said_beside(prefix)]:
        raise DataError(
            f"{train}: its column {taken[0]!r} would be taken for one of this teacher; name others: --prefix NAME_"
        )


@dataclass(frozen=True)
class _Wanted:
    """The model that the options name."""

    endpoint: str | None
    name: str | None
    local: str | None
    scripted: Path | None
    key_from: str | None
    temperature: float
    seed: int
    seconds: float
    retries: int

    def model(self, screen: Screen) -> ChatModel:
        """The model.

        Raises:
            ValueError: none is named, or several are; or the environment holds no key where one is needed.
            ChatError: a model on this machine cannot be loaded.
        """
        named = {"--endpoint": self.endpoint, "--local": self.local, "--scripted": self.scripted}
        given = [option for option, value in named.items() if value is not None]
        if len(given) != 1:
            named_ = ", ".join(given) or "none"
            raise ValueError(f"one of --endpoint URL, --local NAME and --scripted FILE must be given, got {named_}")
        if self.endpoint is None and (self.name is not None or self.key_from is not None):
            raise ValueError(f"--model and --key-from are of --endpoint; with {given[0]} leave them out")
        if self.scripted is not None:
            return Scripted.read(self.scripted)
        if self.local is not None:
            from tutelage.annotate.local import Local

            screen.say(f"Loading {self.local}.")
            return Local(self.local)
        assert self.endpoint is not None
        return endpoint_of(
            self.endpoint, self.name, self.key_from, screen, temperature=self.temperature, seed=self.seed,
            seconds=self.seconds, retries=self.retries,
        )  # fmt: skip


def beforehand(plan: Plan, train: Path) -> list[str]:
    """Sentences on what will be asked, of whom, and what it costs.

    Args:
        plan: what is to be asked.
        train: file of the texts.
    """
    annotator = plan.annotator
    model, budget, samples = annotator.model, annotator.budget, annotator.samples
    rows, chosen, missing = len(plan.texts), len(plan.jobs) // samples, len(plan.missing)
    several = f", {samples} replies to each" if samples > 1 else ""
    drawn = f", of which {chosen:,} are drawn" if chosen < plan.different else ""
    different = many(plan.different, "different text", "different texts")
    lines = [f"{train}: {many(rows, 'row', 'rows')}, {different}{drawn}{several}."]
    lines += known_before(plan)
    if not missing:
        return lines
    read_, wrote = plan.expected
    cost = ""
    if budget.price is not None:
        cost = f", at a cost of about {budget.price.of_tokens(plan.expected):.4g}"
    where = f"sent to {route_of(model)}" if model.host else "read on this machine"
    tokens = f": about {read_:,} tokens in and {wrote:,} out{cost}" if read_ else ""
    lines.append(f"{many(missing, 'request', 'requests')} to {model.name}, {where}{tokens}.")
    if words := budget.reached(_together(plan.spent, plan.expected)):
        lines.append(f"That is more than {words} allows: it stops there, and the rest stays silent.")
    return lines


def _together(first: tuple[int, int], second: tuple[int, int]) -> tuple[int, int]:
    return first[0] + second[0], first[1] + second[1]


def _written(table: pd.DataFrame, found: Annotated, prefix: str) -> pd.DataFrame:
    """The table with columns of what the model said."""
    added: dict[str, Any] = {said_beside(prefix): found.labels}
    if found.told:
        added |= {f"{prefix}{name}": found.probabilities[:, k] for k, name in enumerate(found.classes)}
    return table.assign(**added)


def in_words(found: Annotated, plan: Plan, out: Path, prefix: str) -> list[str]:
    """Sentences on what the model said.

    Args:
        found: what it said.
        plan: what was asked.
        out: file that it is written to.
        prefix: prefix of the columns of probabilities.
    """
    rows, spoken = len(found), int((found.label >= 0).sum())
    price = plan.annotator.budget.price
    cost = "" if price is None else f", which cost about {price.of_tokens(found.tokens):.4g}"
    used = f" {found.tokens[0]:,} tokens in and {found.tokens[1]:,} out{cost}." if sum(found.tokens) else ""
    lines = [f"{spoken:,} of {many(rows, 'row has', 'rows have')} an answer: {out}.{used}"]
    counts = np.bincount(found.label[found.label >= 0], minlength=len(found.classes))
    order = np.argsort(-counts, kind="stable")[:20]
    if spoken:
        shares = (f"{shown(found.classes[k])} {100 * counts[k] / spoken:.0f} %" for k in order)
        lines.append(f"It says: {', '.join(shares)}.")
    lines += silent(found)
    if found.stopped:
        lines.append(f"{found.stopped} was reached; with more, the same command goes on.")
    if spoken:
        teacher = f"--teacher {prefix}" if found.told else f"--teacher-label {said_beside(prefix)}"
        lines.append(f"How good it is: tutelage teacher {out} --label LABEL {teacher}, if some rows have a label.")
    return lines


def _plain(found: Annotated, plan: Plan, out: Path) -> dict[str, Any]:
    """What was done, as plain values."""
    model, price = plan.annotator.model, plan.annotator.budget.price
    return {
        "command": "annotate", "out": str(out), "model": model.name, "host": model.host, "rows": len(found),
        "answered": int((found.label >= 0).sum()), "silent": dict(Counter(filter(None, found.why))),
        "said": dict(Counter(filter(None, found.labels))), "tokens": list(found.tokens),
        "cost": None if price is None else price.of_tokens(found.tokens), "stopped": found.stopped,
    }  # fmt: skip
