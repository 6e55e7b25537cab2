"""Does memory grow with the pool? Mutual training on images in files, as many as asked for.

    python benchmarks/speed/pool_memory.py

Each run is a process of its own: images of 160 x 120 pixels are drawn into a folder, then `Dmt` is played on a few
steps, and the most memory that is the process's own (not that of files, which the system gives back when it must) is
read from the kernel while it plays. Pools of more than 2**22 pixels keep their labels in files. Writes
benchmarks/results/pool_memory.json.
"""

from __future__ import annotations

import argparse
import json
import re
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

import numpy as np
import torch
from PIL import Image

from tutelage.fit.problem import Problem
from tutelage.methods import Dmt
from tutelage.modalities.images.examples import Images, SegmentImages
from tutelage.modalities.images.networks import SmallCnn, UNet
from tutelage.modalities.images.views import Weak
from tutelage.tasks import Classification, Segmentation
from tutelage.train import Training, train

RESULTS = Path(__file__).parents[1] / "results" / "pool_memory.json"
SIZE, LABELLED, STEPS = (120, 160), 8, 12
POOLS = {"image": (500, 2000, 8000), "pixel": (500, 1000, 2000)}
"""Images, by what has a label."""


def own_memory() -> float:
    """Megabytes that are the process's own now."""
    found = re.search(r"RssAnon:\s+(\d+)", Path("/proc/self/status").read_text())
    assert found is not None
    return int(found[1]) / 1024


def play(what: str, count: int, folder: Path) -> dict[str, float]:
    draws = np.random.default_rng(0)
    paths = [str(folder / f"{i}.png") for i in range(count + LABELLED)]
    for path in paths:
        Image.fromarray(draws.integers(0, 256, (*SIZE, 3), dtype=np.uint8)).save(path, compress_level=0)
    kind = SegmentImages if what == "pixel" else Images
    labelled, pool = kind(paths[:LABELLED], SIZE), kind(paths[LABELLED:], SIZE)
    task = Segmentation(3) if what == "pixel" else Classification(3)
    y = draws.integers(0, 3, int(labelled.counts().sum()))
    problem = Problem(
        task, labelled, y, pool, lambda seed: UNet(3, width=4, depth=2) if what == "pixel" else SmallCnn(3, width=4),
        None, batch_labelled=4, batch_unlabelled=4, views={"weak": Weak()},
    )  # fmt: skip
    before, most, done = own_memory(), [0.0], threading.Event()

    def look() -> None:
        while not done.wait(0.02):
            most[0] = max(most[0], own_memory())

    looking = threading.Thread(target=look)
    looking.start()
    start = time.perf_counter()
    train(
        Dmt(rounds=2), task, problem.network, problem.loader(), Training(steps=STEPS), path=folder / "run.safetensors"
    )
    done.set()
    looking.join()
    return {
        "images": count, "megabytes before": round(before), "megabytes at most": round(most[0]),
        "megabytes of the images decoded": round(count * np.prod(SIZE) * 3 / 2**20),
        "megabytes of the labels": round((count * np.prod(SIZE) if what == "pixel" else count) * 12 * 2 / 2**20, 2),
        "seconds": round(time.perf_counter() - start, 1),
    }  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--one", nargs=2, metavar=("WHAT", "COUNT"), help="one run in this process, as JSON")
    a = parser.parse_args()
    torch.set_num_threads(1)
    if a.one:
        with tempfile.TemporaryDirectory() as folder:
            print(json.dumps(play(a.one[0], int(a.one[1]), Path(folder))))
        return
    found: dict[str, list[dict[str, float]]] = {}
    for what, counts in POOLS.items():
        for count in counts:
            command = [sys.executable, __file__, "--one", what, str(count)]
            out = subprocess.run(command, check=True, capture_output=True, text=True).stdout
            found.setdefault(f"labels of {what}s", []).append(json.loads(out))
            print(what, out, end="", flush=True)
    RESULTS.write_text(json.dumps(found, indent=1) + "\n")


if __name__ == "__main__":
    main()
