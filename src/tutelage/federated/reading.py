"""Clients read from a table with a column that names them, or from a table for each."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch

from tutelage.data import Features
from tutelage.data.groups import Groups
from tutelage.federated.clients import Client
from tutelage.fit.build import Build, Items, rows_of
from tutelage.kinds.class_labels import codes_if_known
from tutelage.kinds.dataset import Dataset, Files
from tutelage.kinds.entries import LEARNT, SCORED, Entries, Places, joined
from tutelage.kinds.one_class import OneClass
from tutelage.kinds.one_vote import OFF, with_groups
from tutelage.modalities.encoder import is_lexical
from tutelage.tables import UNHEARD, DataError, Notes, ReadAs
from tutelage.tables.name_lists import shown
from tutelage.tasks import Task
from tutelage.types import Tick
from tutelage.weights import AUTO

SHOWN = 12
"""Number of clients that a sentence names, at most."""


@dataclass(frozen=True)
class InTables:
    """Places in several tables.

    Attributes:
        parts: places in each table.
        entries: number of the table of each entry, and the entry's number in it, (n, 2).
    """

    parts: Sequence[Places]
    entries: np.ndarray
    empty = "empty"
    skip = "pass --no-evidence"
    no_copies = ""
    keeps_all = False

    @property
    def source(self) -> str:
        return ", ".join(part.source for part in self.parts)

    def short(self, i: int) -> str:
        part, at = self.entries[i]
        return f"{self.parts[int(part)].source}, {self.parts[int(part)].short(int(at))}"

    def at(self, what: str, i: int | None = None) -> str:
        if i is None:
            return ", ".join(part.at(what) for part in self.parts)
        part, at = self.entries[i]
        return self.parts[int(part)].at(what, int(at))

    def where(self, keep: np.ndarray) -> InTables:
        return replace(self, entries=self.entries[keep])


def in_one(parts: Sequence[Entries], names: Sequence[str]) -> Entries:
    """The entries of several tables in one, each in the group of its table.

    Args:
        parts: entries of each table.
        names: name of each table's group.
    """
    at = np.array([(k, i) for k, part in enumerate(parts) for i in range(len(part))]).reshape(-1, 2)
    group = [name for part, name in zip(parts, names, strict=True) for _ in range(len(part))]
    labels = [label for part in parts for label in part.labels]
    return Entries(joined([part.items for part in parts]), labels, InTables([p.places for p in parts], at), group=group)


@dataclass(frozen=True)
class Rows:
    """The rows of a client, as they were read.

    Attributes:
        name: name of the client.
        labelled: its entries with a label.
        pool: its entries without.
    """

    name: str
    labelled: Entries
    pool: Entries

    @property
    def counts(self) -> dict[str, int]:
        """Number of labels of each class that it has any of, by name."""
        return dict(sorted(Counter(str(label) for label in self.labelled.labels).items()))

    def client(self, task: Task, classes: Sequence[Any], build: Build, tick: Tick | None = None) -> Client:
        """The client, after its rows were encoded.

        Args:
            task: task of the federation.
            classes: names of the classes of all clients, in the order of their numbers.
            build: how its rows become features.
            tick: told of the encoding.
        """
        y = codes_if_known(classes, self.labelled.labels)
        problem = build.of(Items(task, self.labelled.items, y, self.pool.items)).problem(tick)
        target = torch.as_tensor(y, device=build.device)
        labelled, pool, *strong = (
            Features(rows_of(part)) for part in (problem.labelled, problem.pool, *problem.strong)
        )
        sizes = problem.batch_labelled, problem.batch_unlabelled
        return Client(self.name, task, labelled, target, pool, strong, *sizes)


def rows_of_client(kind: OneClass, name: str, entries: Entries, notes: Notes = UNHEARD) -> Rows:
    """The rows of a client that can be learnt from.

    Args:
        kind: kind of the rows.
        name: name of the client.
        entries: its entries.
        notes: takes what is left out.

    Raises:
        DataError: a labelled row cannot be learnt from.
    """
    labelled = kind.good_labelled(entries.where(entries.known), notes)
    return Rows(name, labelled, kind.good_pool(entries.where(~entries.known), notes))


def require_shared_encoder(kind: OneClass) -> None:
    """Check that the encoder is the same at all clients, whatever their rows.

    Raises:
        ValueError: it is made from the rows, or chosen by them.
    """
    encoder = getattr(kind, "encoder", None)
    if encoder == AUTO or is_lexical(encoder):
        raise ValueError(
            f"--encoder {encoder} is {'chosen' if encoder == AUTO else 'made'} by the rows of all clients, which no "
            "client shows to another: name one that is trained already, such as minilm"
        )


def in_one_table(kind: OneClass, path: Path) -> tuple[OneClass, Entries]:
    """The kind as a client's table completes it, and the entries of that table, whose labels are names of classes.

    Args:
        kind: kind of the rows, with its options.
        path: table of the client.

    Raises:
        DataError: the table cannot be learnt from.
    """
    notes = Notes()
    kind = replace(kind, copies=OFF).settled(Files(path), notes)
    entries = kind.entries(path, notes=notes)
    entries, _, _ = kind.settled_labels(entries, None, None, notes)
    notes.settle()
    return kind, kind.checked(entries, notes)[0]


def read_clients(
    kind: OneClass, files: Sequence[Path], column: str | None, test: Path | None, how: ReadAs, evidence: bool,
    notes: Notes,
) -> tuple[OneClass, Dataset, list[Rows]]:  # fmt: skip
    """The kind with its options completed, the data of all clients, and the rows of each, in the order of their names.

    Args:
        kind: kind of the rows, with its options.
        files: one table, or one for each client.
        column: column that names the client of each row; None: each table is a client, of the table's name.
        test: labelled table to score on; None where there is none.
        how: how files are read.
        evidence: whether each class needs a label to hold out.
        notes: takes what is noticed.

    Raises:
        DataError: a file cannot be learnt from; a row names no client; there is one client alone, or one has no rows.
    """
    kind = replace(kind, group=column, copies=OFF)
    kind, train = _train(kind, files, how, notes)
    scored = None if test is None else kind.entries(test, how, notes, SCORED)
    notes.settle()
    group = list(train.group)
    train, _, scored = kind.settled_labels(train, None, scored, notes)
    kind.note(replace(train, group=()), None, scored, notes)
    notes.settle()
    scored = None if scored is None else kind.checked(kind.labelled_only(scored, notes), notes)[0]
    train, left_out = kind.checked(replace(train, group=group), notes)
    notes.settle()
    names = sorted({name for name in train.group if name is not None})
    if len(names) < 2:
        raise DataError(
            f"only one client, {shown(names[0])}: a federation has two or more; one client alone is tutelage fit"
        )
    data = kind.learn(replace(train, group=()), None, scored, evidence, notes)
    notes.settle()
    of = np.array(train.group, dtype=object)
    rows = [rows_of_client(kind, name, train.where(of == name)) for name in names]
    for client in rows:
        if not len(client.labelled) + len(client.pool):
            raise DataError(f"client {shown(client.name)} has no row that can be learnt from: leave it out")
    say_of_clients(rows, [str(c) for c in data.classes], kind.words.things, notes)
    return kind, _all_of(data, rows, left_out), rows


def _train(kind: OneClass, files: Sequence[Path], how: ReadAs, notes: Notes) -> tuple[OneClass, Entries]:
    """The kind as the first table completes it, and the entries of all tables, each with the name of its client."""
    first = kind.settled(Files(files[0], how=how), notes)
    if len(files) == 1:
        entries = with_groups(first, first.entries(files[0], how, notes, LEARNT), files[0], how)
        notes.settle()
        without = [i for i, name in enumerate(entries.group) if name is None]
        if without:
            more = f"; nor do {len(without) - 1:,} more" if len(without) > 1 else ""
            place = f"{files[0]}, {entries.places.short(without[0])}, column {kind.group!r}"
            raise DataError(f"{place}: the row names no client{more}; every row is of one client")
        return first, entries
    names = [path.name.split(".")[0] for path in files]
    if twice := [name for name, count in Counter(names).items() if count > 1]:
        raise DataError(f"two tables are named {shown(twice[0])}: a client has the name of its table, rename one")
    parts = []
    for path in files:
        own = kind.settled(Files(path, how=how), UNHEARD)
        for name in kind.ordered:
            if (here := getattr(own, name)) != (there := getattr(first, name)):
                odd = sorted(set(here) ^ set(there))
                raise DataError(
                    f"{path} has other columns of --{name} than {files[0]} ({', '.join(map(shown, odd[:5]))}): all "
                    "clients must have the same"
                )
        parts.append(first.entries(path, how, notes, LEARNT))
    return first, in_one(parts, names)


def say_of_clients(clients: Sequence[Rows], classes: Sequence[str], things: str, notes: Notes) -> None:
    """Say how many rows the clients have, and what is unequal between them.

    Args:
        clients: the clients.
        classes: names of the classes.
        things: word for the rows, in the plural.
        notes: takes the sentences.
    """
    each = ", ".join(f"{shown(c.name)} {len(c.labelled):,} + {len(c.pool):,}" for c in clients[:SHOWN])
    more = f", and {len(clients) - SHOWN} more" if len(clients) > SHOWN else ""
    notes.say(f"Clients ({things} with a label + without): {each}{more}.")
    without = [c.name for c in clients if not len(c.labelled)]
    if without:
        notes.say(f"Without a label: {_some(without)}. The other clients' labels reach them by the global model alone.")
    one = [c.name for c in clients if len(c.counts) == 1]
    if one:
        notes.say(f"With labels of one class alone: {_some(one)}.")
    having = {name: [c.name for c in clients if name in c.counts] for name in classes}
    lonely = [f"{shown(name)} ({shown(names[0])})" for name, names in having.items() if len(names) == 1]
    if lonely:
        more = f", and {len(lonely) - SHOWN} more" if len(lonely) > SHOWN else ""
        notes.say(f"Classes with labels at one client alone: {', '.join(lonely[:SHOWN])}{more}.")


def _some(names: Sequence[str]) -> str:
    more = f", and {len(names) - SHOWN} more" if len(names) > SHOWN else ""
    return ", ".join(map(shown, names[:SHOWN])) + more


def copies_of(kind: OneClass, clients: Sequence[Rows]) -> Groups | None:
    """Which labelled rows are copies of one, equal or nearly so, the clients' rows one after another; None if none is.

    Only the simulation, which has all rows, can know that; it scores by it, and no client learns otherwise for it.
    """
    groups = Groups.of(kind.same(joined([c.labelled.items for c in clients])))
    return None if groups.apart else groups


def _all_of(data: Dataset, clients: Sequence[Rows], left_out: tuple[str, ...]) -> Dataset:
    """The data of all clients, in their order; no client knows the copies of another."""
    labels = [label for c in clients for label in c.labelled.labels]
    items = Items(
        data.items.task, joined([c.labelled.items for c in clients]), codes_if_known(data.classes, labels),
        joined([c.pool.items for c in clients]),
    )  # fmt: skip
    names = [name for c in clients for name in c.pool.names]
    return replace(data, items=items, names=names, repeated=None, strangers=None, origins=None, left_out=left_out)
