"""One run of the command federate: it reads the clients, trains, compares on held-out rows, and writes a run."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Any

import pandas as pd

from tutelage import files
from tutelage.data.sources import cache_folder
from tutelage.federated.clients import beginning
from tutelage.federated.comparison import compare
from tutelage.federated.fedlabel import FedLabel
from tutelage.federated.reading import SHOWN, Rows, copies_of, read_clients
from tutelage.federated.rounds import Federation, Rounds
from tutelage.files.described import Asked, Summary
from tutelage.files.whole import sha256_of
from tutelage.fit.build import Build
from tutelage.fit.defaults import pick_device
from tutelage.fit.fit import settings, threads
from tutelage.fit.fit_rows import Fitted
from tutelage.fit.setup import FolderStore
from tutelage.kinds.one_class import OneClass
from tutelage.kinds.saved import plain_options
from tutelage.kinds.summary import summarise
from tutelage.modalities.base import Encodes
from tutelage.ops.checks import in_range
from tutelage.ops.said import Heard, hearing
from tutelage.run.folder import Folder
from tutelage.run.results import conclude
from tutelage.tables import DataError, Notes, ReadAs, write_table
from tutelage.tables.name_lists import shown
from tutelage.train import Training
from tutelage.types import Say, Tick

CLIENTS = "clients.csv"
"""File of a run with a line for each client: its rows, and what it gained."""

USUAL = Rounds(60, Training(steps=10, lr=0.5, weight_decay=1e-3, optimiser="sgd"))
"""Rounds of a federation of heads on a frozen encoder's features.

Averaging goes with plain gradient steps: AdamW, which every fit takes, starts anew with each round and moves each
weight about as far at every client, whether or not its rows have much to say of it.
"""


@dataclass(frozen=True, kw_only=True)
class FederateOptions(ReadAs):
    """Options of a federation that do not depend on the kind of data.

    Args:
        train: table of all clients, with --client; or several tables, each a client of the table's name.
        out: new folder for model and report.
        client: column that names the client of each row.
        test: labelled table to score the model on.
        rounds: rounds of training and averaging, at least 1.
        steps: optimiser steps of each client in a round, at least 1.
        lr: peak learning rate, above 0.
        folds: folds of the rows that are held out, at least 2.
        evidence: compare with the labels alone, and with each client alone, on held-out rows.
        seed: seed of weights, batches, folds.
        resume: finish a stopped run of these options.
        device: "auto", or as torch names it.
        checkpoint_seconds: seconds between two checkpoints of an unfinished training, at least 0.
    """

    train: tuple[Path, ...]
    out: Path
    client: str | None = None
    test: Path | None = None
    rounds: int = USUAL.number
    steps: int = USUAL.training.steps
    lr: float = USUAL.training.lr
    folds: int = 5
    evidence: bool = True
    seed: int = 0
    resume: bool = False
    device: str = "auto"
    checkpoint_seconds: float = 30.0

    def __post_init__(self) -> None:
        super().__post_init__()
        in_range("folds", self.folds, 2)
        in_range("seed", self.seed, 0, 2**32 - 1)
        in_range("checkpoint_seconds", self.checkpoint_seconds, 0)
        self.how_long  # noqa: B018 (a value out of its range is said before the data are read)
        if len(self.train) > 1 and self.client is not None:
            raise ValueError(
                "give one table and --client, the column that names the client; or a table for each client"
            )
        if len(self.train) == 1 and self.client is None:
            raise ValueError(
                "--client COLUMN must name the client of each row; or give --train a table for each client"
            )

    @property
    def how_long(self) -> Rounds:
        """Rounds, and the training of a client in each.

        Raises:
            ValueError: a value is out of its range.
        """
        changes: dict[str, Any] = {"steps": self.steps, "lr": self.lr, "seed": self.seed}
        training = replace(USUAL.training, checkpoint_every=self.checkpoint_seconds, **changes)
        return Rounds(self.rounds, training)


def run_federation(
    kind: OneClass, options: FederateOptions, method: FedLabel, say: Say, tick: Tick
) -> dict[str, Any]:  # fmt: skip
    """Do a whole run; the summary that was written.

    Args:
        kind: kind of the data, with its options.
        options: other options.
        method: method of the clients.
        say: called with sentences for the user.
        tick: called with the progress.

    Raises:
        DataError: a file cannot be learnt from; the message names file, row and column.
        FileExistsError: ``out`` exists and is not empty, or holds a run of other options.
    """
    with hearing(Heard(say)) as heard:
        kind.require_encoder()
        device, rounds = pick_device(options.device), options.how_long
        folder = Folder(options.out, options.resume, "run.json", Asked, "summary.json")
        folder.require_free()
        notes = Notes()
        try:
            kind, data, rows = read_clients(
                kind, options.train, options.client, options.test, options, options.evidence, notes
            )
        finally:
            for line in notes.lines_of_all(halting=False):
                say(line)
        if not any(len(client.pool) for client in rows):
            raise DataError(
                f"no client has {kind.words.things} without a label: there is nothing for {method.name} to label"
            )
        with folder.opened(_asked(kind, options, method), say) as finished:
            if finished:
                say(f"{options.out} is finished already")
                found: dict[str, Any] = files.read_json(options.out / "summary.json", Summary)
                return found
            reader = kind.reader(data.size)
            assert isinstance(reader, Encodes)
            build = Build(reader.to(device), method.views, kind.defaults, False, cache_folder() / "features", device)
            clients = [client.client(data.items.task, data.classes, build, tick) for client in rows]
            start = beginning(
                [client.moments() for client in clients], len(data.classes), reader.per_feature, options.seed
            )
            federation = Federation(clients, start.to(device), rounds, FolderStore(folder.parts), tick)
            with threads(1):
                folds, copies = options.folds if options.evidence else None, copies_of(kind, rows)
                compared = compare(federation, method, folds, reader, copies)
            fitted = Fitted(compared.outcome, compared.outcome.problem, rounds.training, reader)
            summary = summarise(kind, data, fitted) | {"read": notes.as_dict()}
            each = [_about(client, compared.clients.get(client.name)) for client in rows]
            summary["federated"] = {"rounds": rounds.number, "clients": each}
            for line in in_words(each, kind.words.things):
                heard.say(line)
            write_table(table_of(each), options.out / CLIENTS)
            conclude(options.out, summary, kind, data, fitted, heard)
            files.write_json(options.out / "summary.json", summary)
            folder.finish()
            return summary


def _about(client: Rows, gained: dict[str, Any] | None) -> dict[str, Any]:
    """What a summary says of a client: its rows, its labels of each class, and what it gained, where that is known."""
    counts = {"client": client.name, "labelled": len(client.labelled), "unlabelled": len(client.pool)}
    return counts | {"classes": client.counts} | (gained or {})


def table_of(each: Sequence[dict[str, Any]]) -> pd.DataFrame:
    """The clients as a table: rows, labels of each class, and scores with their intervals.

    Args:
        each: what the summary says of each client.
    """
    classes = list(dict.fromkeys(name for client in each for name in client["classes"]))
    lines = []
    for client in each:
        line = {name: client[name] for name in ("client", "labelled", "unlabelled")}
        line |= {f"labels of {name}": client["classes"].get(name, 0) for name in classes}
        for name in ("labels_only", "federated", "alone"):
            line |= {f"{name}{end}": client.get(name, {}).get(key) for key, end in ENDS.items()}
        line |= {f"change_{key}": client.get("change", {}).get(key) for key in CHANGE} | {"votes": client.get("votes")}
        lines.append(line)
    return pd.DataFrame(lines)


CHANGE = ("difference", "low", "high", "harm")
"""Numbers on the change of a score, whose columns begin with "change_"."""

ENDS = {"score": "", "low": "_low", "high": "_high"}
"""Ends of the names of the columns of a score and its interval."""


def in_words(each: Sequence[dict[str, Any]], things: str) -> list[str]:
    """Sentences on the clients: the accuracy of each on its held-out rows, alone, by labels only, and by the method.

    Args:
        each: what the summary says of each client.
        things: word for the rows, in the plural.
    """
    told = [client for client in each if "change" in client]
    if not told:
        return []
    lines = [
        f"Right on held-out {things} of each client, in %: alone, labels-only federation, FedLabel (90 % interval)."
    ]
    for client in told[:SHOWN]:
        alone, before, now = (100 * client[name]["score"] for name in ("alone", "labels_only", "federated"))
        low, high = (100 * client["federated"][end] for end in ("low", "high"))
        lines.append(
            f"{shown(client['client'])}: {alone:.1f}, {before:.1f}, {now:.1f} ({low:.1f} to {high:.1f}) of "
            f"{client['votes']:,}."
        )
    if len(told) > SHOWN:
        lines.append(f"{len(told) - SHOWN} more clients are in {CLIENTS}.")
    return lines


def _asked(kind: OneClass, options: FederateOptions, method: FedLabel) -> dict[str, Any]:
    """Options of a run, and hashes of its files; a run is resumed only where all of them are the same."""
    names = (f.name for f in fields(options) if f.name not in ("out", "resume", "checkpoint_seconds", "train"))
    asked: dict[str, Any] = {"format": files.FORMAT, "kind": kind.name, "command": "federate"}
    asked |= {f"kind.{name}": value for name, value in plain_options(kind).items()}
    asked |= {name: str(getattr(options, name)) for name in names}
    asked |= {"method": method.name} | {f"method.{k}": str(v) for k, v in settings(method).items()}
    asked["train"] = [str(path) for path in options.train]
    asked["content of train"] = [sha256_of(path) for path in options.train]
    return asked | ({} if options.test is None else {"content of test": sha256_of(options.test)})
