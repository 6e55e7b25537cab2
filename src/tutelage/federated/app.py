"""The federation as a Flower app: clients stay where their rows are, and a server averages what they send.

The pyproject.toml of a Flower app names `server` and `client` of this module as its components. Its run configuration
has options of `tutelage federate`: kind and columns, rounds, steps, lr, seed and the fields of `FedLabel`; ``clients``,
the number of clients that are waited for; and ``out``, the folder of the model. Each SuperNode's node configuration
has ``table``, the path of its own rows, and perhaps ``name``; by default the table's name is the client's.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

import torch
from flwr.app import ArrayRecord, ConfigRecord, Context, Message, MetricRecord, RecordDict
from flwr.clientapp import ClientApp
from flwr.serverapp import Grid, ServerApp

from tutelage import model
from tutelage.data.sources import cache_folder
from tutelage.federated.clients import Moments, Update, beginning, head_of
from tutelage.federated.fedlabel import FedLabel
from tutelage.federated.reading import Rows, in_one_table, require_shared_encoder, rows_of_client
from tutelage.federated.rounds import Rounds, average
from tutelage.federated.run import FederateOptions
from tutelage.fit.build import Build, rows_of
from tutelage.fit.fit import threads
from tutelage.kinds import KINDS
from tutelage.kinds.entries import joined
from tutelage.kinds.one_class import OneClass
from tutelage.modalities.base import features
from tutelage.tables import DataError
from tutelage.tasks import TASKS

TASK = "classification"
"""Name of the task of a federation: each row is of one class."""

WAIT = 1.0
"""Seconds between two looks at the clients that are there."""

server = ServerApp()
client = ClientApp()


@dataclass(frozen=True)
class Asked:
    """What a run configuration asks for.

    Attributes:
        kind: kind of the rows, with the options that are named.
        rounds: how long the federation trains.
        method: method of the clients.
        clients: number of clients that are waited for.
        out: folder of the model.
    """

    kind: OneClass
    rounds: Rounds
    method: FedLabel
    clients: int
    out: Path

    @staticmethod
    def of(config: Mapping[str, Any]) -> Asked:
        """What a run configuration asks for; options have underscores or hyphens.

        Raises:
            ValueError: an option is unknown or out of its range, or one that is needed is missing.
        """
        given = {name.replace("-", "_"): value for name, value in config.items()}
        missing = [name for name in ("kind", "clients", "out") if name not in given]
        if missing:
            raise ValueError(f"the run configuration lacks {', '.join(missing)}")
        kind, clients, out = KINDS[given.pop("kind")], int(given.pop("clients")), Path(given.pop("out"))
        if not issubclass(kind, OneClass):
            raise ValueError(f"kind must be of rows of one class each, got {kind.name}")
        parts = [{n: given.pop(n) for n in names & set(given)} for names in (_names(FedLabel), LENGTH, _names(kind))]
        if given:
            raise ValueError(f"the run configuration has unknown options: {', '.join(sorted(given))}")
        made = kind(**parts[2])
        require_shared_encoder(made)
        length = FederateOptions(train=(out,), out=out, client="", **parts[1]).how_long
        return Asked(made, length, FedLabel(**parts[0]), clients, out)


LENGTH = {"rounds", "steps", "lr", "seed"}
"""Options on how long and how fast a federation trains."""


def _names(of: type[Any]) -> set[str]:
    return {field.name for field in fields(of)}


def read(context: Context) -> tuple[Asked, Rows]:
    """What is asked for, its kind completed by the table of this node, and the node's rows.

    Raises:
        DataError: the table cannot be learnt from.
    """
    asked, node = Asked.of(context.run_config), context.node_config
    if "table" not in node:
        raise ValueError("the node configuration names no table: --node-config 'table=\"PATH\"'")
    table = Path(str(node["table"]))
    kind, entries = in_one_table(asked.kind, table)
    name = str(node.get("name", table.name.split(".")[0]))
    return Asked(kind, asked.rounds, asked.method, asked.clients, asked.out), rows_of_client(kind, name, entries)


@client.query()
def tell(message: Message, context: Context) -> Message:
    """Tell what the server needs before the first round: classes, columns, and moments of the features."""
    asked, rows = read(context)
    reader: Any = asked.kind.reader()
    items = joined([rows.labelled.items, rows.pool.items])
    with threads(1):
        moments = Moments.of(rows_of(features(reader, items, cache_folder() / "features")))
    about = ConfigRecord(
        {
            "name": rows.name,
            "classes": list(rows.counts),
            "columns": [column for name in asked.kind.item_columns for column in _listed(getattr(asked.kind, name))],
        }
    )
    arrays = ArrayRecord({"mean": moments.mean, "spread": moments.spread})
    content = RecordDict({"about": about, "moments": arrays, "counts": MetricRecord({"rows": moments.rows})})
    return Message(content, reply_to=message)


def _listed(value: Any) -> list[str]:
    return [str(value)] if isinstance(value, str) else list(value)


@client.train()
def learn(message: Message, context: Context) -> Message:
    """Train from the global weights on the rows of this node, and send the weights and the number of rows."""
    asked, rows = read(context)
    about, weights = message.content["about"], message.content["weights"]
    assert isinstance(about, ConfigRecord) and isinstance(weights, ArrayRecord)
    classes, number = list(about["classes"]), int(about["round"])
    reader: Any = asked.kind.reader()
    build = Build(reader, asked.method.views, asked.kind.defaults, False, cache_folder() / "features")
    with threads(1):
        here = rows.client(TASKS[TASK].of(classes), classes, build)
        network = head_of(here.pool.rows.shape[1], len(classes), seed=0)
        network.load_state_dict(weights.to_torch_state_dict())
        update = here.trained(network, asked.method, asked.rounds.training_of(number, here.name))
    content = RecordDict(
        {
            "about": ConfigRecord({"name": update.name}),
            "weights": ArrayRecord(update.weights),
            "numbers": MetricRecord({"rows": update.rows} | dict(update.numbers)),
        }
    )
    return Message(content, reply_to=message)


@server.main()
def main(grid: Grid, context: Context) -> None:
    """Ask the clients for their moments, go through the rounds, and save the model."""
    asked = Asked.of(context.run_config)
    while len(nodes := sorted(grid.get_node_ids())) < asked.clients:
        time.sleep(WAIT)
    told = sorted(_ask(grid, nodes, "query", RecordDict()), key=lambda reply: str(reply["about"]["name"]))
    names = [str(reply["about"]["name"]) for reply in told]
    if len(set(names)) < len(names):
        raise DataError(f"two clients have the same name, of {', '.join(names)}: give each a name of its own")
    if len({tuple(reply["about"]["columns"]) for reply in told}) > 1:
        raise DataError("the clients' columns are not the same")
    classes = sorted({str(name) for reply in told for name in reply["about"]["classes"]})
    if len(classes) < 2:
        raise DataError(f"the clients have labels of {len(classes)} class; two are needed")
    moments = [_moments(reply) for reply in told]
    reader: Any = asked.kind.reader()
    network = beginning(moments, len(classes), reader.per_feature, asked.rounds.training.seed)
    weights = network.state_dict()
    for number in range(asked.rounds.number):
        about = ConfigRecord({"classes": classes, "round": number})
        sent = _ask(grid, nodes, "train", RecordDict({"about": about, "weights": ArrayRecord(weights)}))
        weights = average([_update(reply) for reply in sent])
    network.load_state_dict(weights)
    model.save(model.Model(classes, network.eval(), reader, TASKS[TASK].of(classes)), asked.out)


def _ask(grid: Grid, nodes: Iterable[int], what: str, content: RecordDict) -> list[Any]:
    """The contents of the replies of all nodes.

    Raises:
        RuntimeError: a node does not answer, or answers with an error.
    """
    messages = [Message(content, node, what) for node in nodes]
    replies = list(grid.send_and_receive(messages))
    failed = [reply for reply in replies if reply.has_error()]
    if failed or len(replies) < len(messages):
        reason = failed[0].error.reason if failed else "it did not answer in time"
        raise RuntimeError(f"a client could not {what}: {reason}")
    return [reply.content for reply in replies]


def _moments(content: Any) -> Moments:
    arrays: Mapping[str, torch.Tensor] = content["moments"].to_torch_state_dict()
    return Moments(int(content["counts"]["rows"]), arrays["mean"], arrays["spread"])


def _update(content: Any) -> Update:
    numbers = dict(content["numbers"])
    rows = int(numbers.pop("rows"))
    return Update(str(content["about"]["name"]), content["weights"].to_torch_state_dict(), rows, numbers)
