"""Cells handed to other libraries: the same splits and features, without one label that they may not see."""

from __future__ import annotations

import hashlib
import json
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np

from tutelage.bench.cells import Cell, cell
from tutelage.bench.peers import Peer, PeerError, default_root, environment, predict
from tutelage.bench.protocol import DataSet, Protocol, Setting
from tutelage.bench.running import PEER, Row, score
from tutelage.recipes import rows_of


def export(given: Cell, folder: Path, texts: bool) -> None:
    """Write cell.npz, and texts.json where the items are texts.

    Raises:
        ValueError: the cell has no rows of features.
    """
    p = given.problem
    if p.probe is None or p.weak is not None:
        raise ValueError("other libraries are asked about labelled rows of fixed features only")
    rows = {"x_labelled": p.probe.x, "x_pool": rows_of(p.pool), "x_test": rows_of(given.scored)}
    arrays: dict[str, Any] = {name: np.asarray(x, dtype=np.float32) for name, x in rows.items()}
    np.savez(folder / "cell.npz", **arrays | {"y_labelled": p.y, "classes": np.array(p.task.classes)})
    if texts:
        drawn = given.drawn
        parts = {"labelled": drawn.labelled.items, "pool": drawn.rest.items, "test": drawn.test.items}
        (folder / "texts.json").write_text(json.dumps(parts), encoding="utf-8")


def key_of(protocol: Protocol, data: DataSet, setting: Setting, peer: Peer, method: str) -> str:
    """A fingerprint of all that a peer's line of results depends on but its seed."""
    parts = (
        data.model_dump(), setting.model_dump(exclude={"only"}), protocol.steps.network, peer.requirements, method,
        peer.script.read_text(encoding="utf-8"),
    )  # fmt: skip
    return hashlib.blake2b(repr(parts).encode(), digest_size=6).hexdigest()


def asked(protocol: Protocol, peers: tuple[Peer, ...]) -> Iterator[tuple[DataSet, Setting, int, Peer, str, Row]]:
    """What peers are to be asked, and the names of their lines."""
    for seed in protocol.seeds:
        for data, setting in protocol.cells():
            for peer in peers:
                for method in peer.methods if data.kind == "texts" or "features" in peer.kinds else ():
                    key = key_of(protocol, data, setting, peer, method)
                    name = {"data": data.name, "setting": setting.name, "seed": seed}
                    yield data, setting, seed, peer, method, name | {"method": f"{peer.name}{PEER}{method}", "key": key}


def ask(
    protocol: Protocol, root: Path, peers: tuple[Peer, ...], rows: list[Row], say: Callable[[str], None]
) -> Iterator[Row]:
    """One line of results for each thing that no line is there for; environments are made when first needed."""
    done = {(r["data"], r["setting"], r["seed"], r["method"], r["key"]) for r in rows if "error" not in r}
    with tempfile.TemporaryDirectory() as scratch:
        last: tuple[DataSet, Setting, int] | None = None
        for data, setting, seed, peer, method, name in asked(protocol, peers):
            if tuple(name.values()) in done:
                continue
            row = {"protocol": protocol.name} | name
            try:
                python = environment(peer, default_root(), say)
                given = cell(protocol.model_dump_json(), root, data, setting, seed, ("weak",))
                if last != (last := (data, setting, seed)):
                    (Path(scratch) / "texts.json").unlink(missing_ok=True)
                    export(given, Path(scratch), data.kind == "texts")
                found = predict(peer, method, seed, Path(scratch), python=python)
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
