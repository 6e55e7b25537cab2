"""How fast do one and two processes train? Steps a second, of a head on features and of an encoder trained whole.

    python benchmarks/speed/devices.py               some minutes of two cores
    python benchmarks/speed/devices.py --blocks 3    fewer

writes benchmarks/results/devices.json. One process with one thread, one with two, and two with one thread each take
turns, block by block, so that a drift of the machine's speed touches all of them; figures are medians over the blocks.
CPU seconds of a step are those of all processes: on a machine that others use too, they are what a step costs. The
encoder is a transformer with drawn weights, of 4 layers of 256 numbers, on texts of 16 to 48 tokens; both are trained
by DRIFT on 32 labels and 64 rows of the pool a step.
"""

from __future__ import annotations

import argparse
import json
import os
import socket
import statistics
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import torch
from transformers import BertConfig, BertModel

from engines import processor
from tutelage.data import Features, Loader, Tokens
from tutelage.methods import Drift
from tutelage.modalities.head import Head
from tutelage.modalities.text.network import TextClassifier
from tutelage.tasks import Classification
from tutelage.train import Training, train
from tutelage.train.by_all import train_by_all
from tutelage.train.on_fabric import OnFabric, begun

RESULTS = Path(__file__).parents[1] / "results" / "devices.json"
WAYS = {"1 process, 1 thread": (1, 1), "1 process, 2 threads": (1, 2), "2 processes, 1 thread each": (2, 1)}
"""Numbers of processes, and of threads of each."""

STEPS = {"head": 200, "encoder": 4}
"""Steps of a block."""

WARM = 2
"""Steps that are not timed."""


def case(name: str) -> tuple[torch.nn.Module, Loader]:
    torch.manual_seed(0)
    draws, y = np.random.default_rng(0), torch.arange(400) % 4
    if name == "head":
        rows = torch.randn(4000, 384)
        return Head(384, 4, 256), Loader(Features(rows[:400]), y, Features(rows), 32, 64)
    ids = [draws.integers(1, 1000, n).tolist() for n in draws.integers(16, 49, 4000)]
    config = BertConfig(
        vocab_size=1000, hidden_size=256, num_hidden_layers=4, num_attention_heads=8, intermediate_size=1024
    )
    return TextClassifier(BertModel(config), 4), Loader(Tokens(ids[:400]), y, Tokens(ids), 32, 64)


def block(size: int) -> dict[str, dict[str, float]]:
    """Steps a second, and CPU seconds of a step of this process, by what is trained."""
    comm = begun(cuda=False) if size > 1 else None
    return {name: timed(name, comm) for name in STEPS}


def timed(name: str, comm: OnFabric | None) -> dict[str, float]:
    network, loader = case(name)
    seen: list[tuple[float, float]] = []
    training, start = Training(WARM + STEPS[name], records=1), time.process_time()

    def tick(done: int) -> None:
        seen.append((time.perf_counter(), time.process_time()))

    given = Drift(), Classification(4), network, loader, training
    if comm is None:
        train(*given, tick=tick)
    else:
        train_by_all(*given, comm, tick=tick)
    if not seen:  # a process that follows
        return {"cpu_seconds_a_step": (time.process_time() - start) / training.steps}
    (clock, cpu), (until, cpu_until) = seen[WARM - 1], seen[-1]
    steps = STEPS[name]
    return {"steps_a_second": steps / (until - clock), "cpu_seconds_a_step": (cpu_until - cpu) / steps}


def measured(way: str) -> dict[str, dict[str, float]]:
    """Steps a second, and CPU seconds of a step of all processes, by what is trained."""
    size, threads = WAYS[way]
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        port = s.getsockname()[1]
    started = []
    for rank in range(size):
        own = {"RANK": rank, "LOCAL_RANK": rank, "WORLD_SIZE": size, "MASTER_PORT": port, "OMP_NUM_THREADS": threads}
        env = (
            os.environ
            | {n: str(v) for n, v in own.items()}
            | {"MASTER_ADDR": "127.0.0.1", "OMP_WAIT_POLICY": "passive"}
        )
        command = [sys.executable, __file__, "--block", str(size)]
        started.append(subprocess.Popen(command, env=env, stdout=subprocess.PIPE, text=True))
    told = [process.communicate()[0] for process in started]
    rows = [json.loads(text.splitlines()[-1]) for text in told]
    return {
        name: rows[0][name] | {"cpu_seconds_a_step": sum(row[name]["cpu_seconds_a_step"] for row in rows)}
        for name in STEPS
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--block", type=int, metavar="PROCESSES", help="one block, as JSON")
    parser.add_argument("--blocks", type=int, default=7)
    a = parser.parse_args()
    if a.block:
        print(json.dumps(block(a.block)))
        return
    found: dict[str, Any] = {
        "machine": {
            "processor": processor(), "cores": os.cpu_count(), "torch": torch.__version__, "load": os.getloadavg()[0]
        }
    }  # fmt: skip
    rows: dict[str, list[dict[str, dict[str, float]]]] = {way: [] for way in WAYS}
    for _ in range(a.blocks):
        for way in WAYS:
            rows[way].append(measured(way))
            print(way, rows[way][-1], flush=True)
        RESULTS.write_text(json.dumps(found | middles(rows), indent=1) + "\n")


def middles(rows: dict[str, list[dict[str, dict[str, float]]]]) -> dict[str, Any]:
    """Medians over the blocks, by what is trained and the way."""
    found: dict[str, Any] = {}
    for name in STEPS:
        alone = [row[name]["steps_a_second"] for row in rows["1 process, 1 thread"]]
        found[name] = {}
        for way, each in rows.items():
            speeds, costs = ([row[name][of] for row in each] for of in ("steps_a_second", "cpu_seconds_a_step"))
            found[name][way] = {
                "steps_a_second": round(statistics.median(speeds), 2),
                "cpu_seconds_a_step": round(statistics.median(costs), 4),
                "against_one": round(statistics.median(v / one for v, one in zip(speeds, alone, strict=True)), 2),
                "blocks": len(each),
            }
    return found


if __name__ == "__main__":
    main()
