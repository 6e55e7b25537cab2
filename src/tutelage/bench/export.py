"""Cells for other libraries: the same splits and features, and no label that they must not see."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from tutelage.bench.cells import Cell, cell, score
from tutelage.bench.keys import cell_key, fingerprint
from tutelage.bench.peers import Peer, PeerError, default_root, environment, predict
from tutelage.bench.protocol import DataSet, Protocol, Setting
from tutelage.bench.running import NAME, PEER, Row, name_of, succeeded
from tutelage.fit.build import rows_of


def export(given: Cell, folder: Path, items: bool) -> None:
    """Write a cell for another library: cell.npz, and texts.json where the items are asked for.

    cell.npz holds the features "x_labelled", "x_pool" and "x_test", (n, d) each, float32, the class numbers
    "y_labelled", (n,), and the number of "classes".

    Args:
        given: the cell.
        folder: folder of the files.
        items: whether the items themselves are written, too.

    Raises:
        ValueError: the cell has no fixed features, or has weak labels.
    """
    p = given.problem
    if p.probe is None or p.weak is not None:
        raise ValueError("other libraries are asked about labelled rows of fixed features only")
    rows = {"x_labelled": p.probe.x, "x_pool": rows_of(p.pool), "x_test": rows_of(given.scored)}
    arrays: dict[str, Any] = {name: np.asarray(x, dtype=np.float32) for name, x in rows.items()}
    np.savez(folder / "cell.npz", **arrays | {"y_labelled": p.y, "classes": np.array(p.task.classes)})
    if items:
        drawn = given.drawn
        parts = {"labelled": drawn.labelled.items, "pool": drawn.rest.items, "test": drawn.test.items}
        (folder / "texts.json").write_text(json.dumps(parts), encoding="utf-8")


def key_of(protocol: Protocol, data: DataSet, setting: Setting, peer: Peer, method: str) -> str:
    """Fingerprint of all that a peer's line of results depends on, except the seed.

    Args:
        protocol: the protocol.
        data: the data set.
        setting: how much is known of the labels.
        peer: the other library.
        method: name of its method.
    """
    scripts = [p.read_text(encoding="utf-8") for p in sorted(peer.script.parent.glob("*.py")) if p.stem == "cell"]
    own = peer.script.read_text(encoding="utf-8")
    return fingerprint(
        {
            "cell": cell_key(protocol, data, setting), "requirements": peer.requirements, "method": method,
            "script": own, "beside": scripts,
        }
    )  # fmt: skip


@dataclass(frozen=True)
class Question:
    """A question to another library: a cell that one of its methods is asked about.

    Attributes:
        data: the data set.
        setting: how much is known of the labels.
        seed: seed of the labels and of the method.
        peer: the other library.
        method: name of its method.
        key: fingerprint from `key_of`.
    """

    data: DataSet
    setting: Setting
    seed: int
    peer: Peer
    method: str
    key: str

    @property
    def name(self) -> Row:
        """The part of its line of results that identifies the question."""
        method = f"{self.peer.name}{PEER}{self.method}"
        return dict(zip(NAME, (self.data.name, self.setting.name, self.seed, method, self.key), strict=True))


def missing_questions(protocol: Protocol, peers: Sequence[Peer], rows: Sequence[Row]) -> list[Question]:
    """Questions without an answer among the lines of results; an answer that is an error does not count.

    Args:
        protocol: the protocol.
        peers: the other libraries.
        rows: lines of results.
    """
    done = succeeded(rows)
    every = [
        Question(data, setting, seed, peer, method, key_of(protocol, data, setting, peer, method))
        for seed in protocol.seeds
        for data, setting in protocol.cells()
        for peer in peers
        if not peer.kinds or data.kind in peer.kinds
        for method in peer.methods
    ]
    return [q for q in every if name_of(q.name) not in done]


def ask(protocol: Protocol, root: Path, questions: Sequence[Question], say: Callable[[str], None]) -> Iterator[Row]:
    """Ask questions and give a line of results for each; an environment is made when it is first needed.

    Args:
        protocol: the protocol.
        root: folder of the data sets.
        questions: the questions; those about the same cell should follow each other, since a cell is written once.
        say: prints a line.
    """
    with tempfile.TemporaryDirectory() as scratch:
        last: tuple[DataSet, Setting, int, bool] | None = None
        for q in questions:
            row = {"protocol": protocol.name, "cell": cell_key(protocol, q.data, q.setting)} | q.name
            try:
                python = environment(q.peer, default_root(), say)
                given = cell(protocol.model_dump_json(), root, q.data, q.setting, q.seed, ("weak",))
                asked = q.data, q.setting, q.seed, bool(q.peer.kinds)
                if last != asked:
                    last = None
                    (Path(scratch) / "texts.json").unlink(missing_ok=True)
                    export(given, Path(scratch), bool(q.peer.kinds))
                    last = asked
                found = predict(q.peer, q.method, q.seed, Path(scratch), python=python)
            except (PeerError, ValueError) as e:
                yield row | {"error": str(e)}
                continue
            task, drawn = given.problem.task, given.drawn
            yield row | {
                "score": score(task, found["test"], drawn.test),
                "pool_score": score(task, found["pool"], drawn.rest) if "pool" in found else None,
                "seconds": round(float(found["seconds"]), 3), "peak_mb": round(found["peak_mb"]),
                "labelled": len(drawn.labelled), "pool": len(drawn.rest), "scored": len(drawn.test),
            }  # fmt: skip
