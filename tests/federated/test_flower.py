"""The Flower app on loopback: a SuperLink and two SuperNodes give the weights of the simulation in one process.

It needs flwr in the environment of the tests, which is best one of its own: Flower asks for older releases of some
libraries. It downloads nothing.
"""

from __future__ import annotations

import os
import re
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch

from tutelage import files, load
from tutelage.files.tensors import read_tensors
from tutelage.tables import DataError

pytest.importorskip("flwr")
from flwr.app import Context, Message, MessageType, RecordDict
from flwr.supercore.task_identity import TaskIdentity

from tutelage.federated import app

BIN = Path(sys.executable).parent
PAGE = Path(__file__).parents[2] / "docs" / "federated.md"
PATIENCE = 240.0


def free_port() -> int:
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return int(s.getsockname()[1])


@contextmanager
def running(*words: str, env: dict[str, str], log: Path) -> Iterator[subprocess.Popen[bytes]]:
    """A process that lives as long as the context, with all that it began."""
    with open(log, "wb") as out:
        process = subprocess.Popen(words, env=env, stdout=out, stderr=out, start_new_session=True)
        try:
            yield process
        finally:
            os.killpg(process.pid, 15)
            try:
                process.wait(20)
            except subprocess.TimeoutExpired:
                os.killpg(process.pid, 9)
                process.wait(20)


def wait_for(ready, says: str, logs: list[Path], processes: list[subprocess.Popen[bytes]]) -> None:
    end = time.monotonic() + PATIENCE
    while not ready():
        told = "\n".join(f"{log.name}:\n{log.read_text(errors='replace')[-3000:]}" for log in logs)
        assert time.monotonic() < end and all(p.poll() is None for p in processes), f"{says}\n{told}"
        time.sleep(0.5)


def listens(port: int) -> bool:
    with socket.socket() as s:
        return s.connect_ex(("127.0.0.1", port)) == 0


def tables(folder: Path) -> list[Path]:
    """Rows of three classes of two clients, one of which hardly knows the third class."""
    draws, found = np.random.default_rng(0), []
    for name, shares in (("north", (0.6, 0.35, 0.05)), ("south", (0.1, 0.3, 0.6))):
        y = draws.choice(3, 60, p=shares)
        x = draws.normal(size=(60, 4)) + 3 * np.eye(4)[y]
        table = pd.DataFrame(x.round(4), columns=[f"x_{i}" for i in range(4)])
        table["label"] = np.where(draws.random(60) < 0.4, np.array(["red", "green", "blue"])[y], "")
        found.append(folder / f"{name}.csv")
        table.to_csv(found[-1], index=False)
    return found


def app_of_page(folder: Path, out: Path) -> None:
    """The app that the page on federated learning shows, for these rows."""
    (block,) = re.findall(r"```toml\n(.*?)```", PAGE.read_text(), re.DOTALL)
    head, config = block.split("[tool.flwr.app.config]\n")
    assert "tutelage.federated.app:server" in head and "tutelage.federated.app:client" in head
    assert {"kind", "label", "clients", "rounds", "out"} <= {line.split(" = ")[0] for line in config.splitlines()}
    options = 'kind = "rows"\nfeatures = "x_"\nlabel = "label"\nclients = 2\nrounds = 2\nsteps = 6\nthreshold = 0.5\n'
    folder.mkdir()
    (folder / "pyproject.toml").write_text(f'{head}[tool.flwr.app.config]\n{options}out = "{out}"\n')


@pytest.fixture
def in_a_task(monkeypatch):
    """Messages are made as in a process that Flower began."""
    for name in ("task_id", "run_id", "node_id"):
        monkeypatch.setattr(TaskIdentity, f"_{name}", 1)


class Loopback:
    """A grid whose nodes are tables, asked one after another in this process."""

    def __init__(self, *nodes: dict[str, str], config: dict[str, object]) -> None:
        self.nodes, self.config = nodes, config

    def context(self, node: int) -> Context:
        return Context(1, node, dict(self.nodes[node - 1]) if node else {}, RecordDict(), dict(self.config))

    def get_node_ids(self) -> list[int]:
        return list(range(1, len(self.nodes) + 1))

    def send_and_receive(self, messages: list[Message]) -> list[Message]:
        asked = {MessageType.QUERY: app.tell, MessageType.TRAIN: app.learn}
        each = [(m, self.context(m.metadata.dst_node_id)) for m in messages]
        return [asked[m.metadata.message_type](m, context) for m, context in each[::-1]]  # the last answers first


def configured(folder: Path, **more: object) -> dict[str, object]:
    usual = {"kind": "rows", "features": "x_", "label": "label", "clients": 2, "rounds": 2, "steps": 3}
    return usual | {"out": str(folder / "model")} | more


def test_the_app_gives_the_weights_of_the_simulation_whoever_answers_first(tmp_path, run, in_a_task):
    north, south = tables(tmp_path)
    grid = Loopback({"table": str(north)}, {"table": str(south)}, config=configured(tmp_path))
    app.main(grid, grid.context(0))
    words = ("--features", "x_", "--label", "label", "--rounds", 2, "--steps", 3, "--no-evidence")
    code, shown = run("federate", "--train", south, north, *words, "--out", tmp_path / "simulated")
    assert code == 0, shown
    (far, _), (near, _) = (
        read_tensors(tmp_path / f / "model.safetensors") for f in ("model", Path("simulated") / "model")
    )
    assert far.keys() == near.keys()
    for name in far:
        torch.testing.assert_close(far[name], near[name], rtol=0, atol=1e-6)
    assert set(load(tmp_path / "model").predict(np.eye(4, dtype=np.float32) * 3)) <= {"red", "green", "blue"}


def test_clients_that_cannot_go_together_are_refused(tmp_path, in_a_task):
    north, south = tables(tmp_path)
    twice = Loopback({"table": str(north)}, {"table": str(north)}, config=configured(tmp_path))
    with pytest.raises(DataError, match="two clients have the same name"):
        app.main(twice, twice.context(0))
    wide = pd.read_csv(south).assign(x_9=1.0)
    wide.to_csv(south, index=False)
    other = Loopback({"table": str(north)}, {"table": str(south)}, config=configured(tmp_path))
    with pytest.raises(DataError, match="columns are not the same"):
        app.main(other, other.context(0))
    for table in (north, south):
        read = pd.read_csv(table, keep_default_na=False).drop(columns="x_9", errors="ignore")
        read.assign(label=["red" if v else "" for v in read.label]).to_csv(table, index=False)
    one = Loopback({"table": str(north)}, {"table": str(south)}, config=configured(tmp_path))
    with pytest.raises(DataError, match="the clients have labels of 1 class; two are needed"):
        app.main(one, one.context(0))


@pytest.mark.parametrize(
    ("config", "message"),
    [
        ({"kind": "rows", "clients": 2}, "the run configuration lacks out"),
        ({"kind": "masks", "clients": 2, "out": "o"}, "kind must be of rows of one class each, got masks"),
        ({"kind": "rows", "clients": 2, "out": "o", "round": 3}, "unknown options: round"),
        ({"kind": "rows", "clients": 2, "out": "o", "rounds": 0}, "rounds must be at least 1, got 0"),
        ({"kind": "texts", "clients": 2, "out": "o", "encoder": "lexical"}, "made by the rows of all clients"),
    ],
)
def test_a_run_configuration_out_of_range_is_refused(config, message):
    with pytest.raises(ValueError, match=message):
        app.Asked.of(config)


@pytest.mark.slow
def test_two_supernodes_on_loopback_give_the_weights_of_the_simulation(tmp_path):
    north, south = tables(tmp_path)
    app_of_page(tmp_path / "app", tmp_path / "model")
    home = tmp_path / "home"
    home.mkdir()
    port, nodes = free_port(), [free_port(), free_port()]
    (home / "config.toml").write_text(
        f'[superlink]\ndefault = "here"\n[superlink.here]\naddress = "127.0.0.1:{port}"\ninsecure = true\n'
    )
    env = os.environ | {
        "FLWR_HOME": str(home), "FLWR_TELEMETRY_ENABLED": "0", "PATH": f"{BIN}{os.pathsep}{os.environ['PATH']}",
        "PYTHONPATH": str(Path(files.__file__).parents[2]), "OMP_NUM_THREADS": "1",
    }  # fmt: skip
    logs = [tmp_path / f"{name}.log" for name in ("link", "north", "south")]
    with ExitStack() as stack:
        link = ("flower-superlink", "--insecure", "--port", str(port), "--disable-runtime-dependency-installation")
        processes = [stack.enter_context(running(str(BIN / link[0]), *link[1:], env=env, log=logs[0]))]
        wait_for(lambda: listens(port), "the SuperLink does not listen", logs[:1], processes)
        for table, own, log in zip((north, south), nodes, logs[1:], strict=True):
            node = ("--insecure", "--superlink", f"127.0.0.1:{port}", "--port", str(own))
            words = (str(BIN / "flower-supernode"), *node, "--node-config", f'table="{table}"')
            processes.append(stack.enter_context(running(*words, env=env, log=log)))
        wait_for(lambda: all(map(listens, nodes)), "a SuperNode does not listen", logs, processes)
        started = subprocess.run(
            [BIN / "flwr", "run", str(tmp_path / "app"), "here"], check=False, env=env, capture_output=True, text=True,
            timeout=120,
        )  # fmt: skip
        assert started.returncode == 0, started.stdout + started.stderr
        done = tmp_path / "model" / files.MANIFEST
        wait_for(done.exists, "the federation does not end", logs, processes)
    simulated = tmp_path / "simulated"
    words = ("--features", "x_", "--label", "label", "--rounds", "2", "--steps", "6", "--threshold", "0.5")
    subprocess.run(
        [sys.executable, "-m", "tutelage", "federate", "--train", str(north), str(south), *words, "--no-evidence",
         "--out", str(simulated)], env=env, check=True, timeout=240,
    )  # fmt: skip
    (far, _), (near, _) = (read_tensors(f / "model.safetensors") for f in (tmp_path / "model", simulated / "model"))
    assert far.keys() == near.keys()
    for name in far:
        torch.testing.assert_close(far[name], near[name], rtol=0, atol=1e-6)
