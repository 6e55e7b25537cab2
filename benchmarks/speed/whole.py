"""A step of a transformer trained whole: plain, narrow, in parts, recomputed, compiled; and a hand-written loop.

    python benchmarks/speed/whole.py [--device cuda] [--labelled 16 --unlabelled 32 --tokens 48] [--steps 3 --blocks 5]

writes benchmarks/results/whole.json. On a CPU a step's time is CPU seconds, those of all threads; the ways take turns,
block by block, and a figure is the median of the ratios to the plain way of the same block. Peak memory is that of a
process of its own for each way, less what it held before the first step. On a GPU times are those of the clock after
it is done with all work, and memory is what torch has allocated at most. The share of peak is that of the operations
of the layers' products, 2 a weight and token forward and twice as many backward, in what --peak, in teraflops, allows.
"""

from __future__ import annotations

import argparse
import json
import platform
import statistics
import subprocess
import sys
import time
import warnings
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch
from torch import nn

from step_time import by_hand
from tutelage.data import Loader, Tokens
from tutelage.methods import METHODS, Method
from tutelage.modalities.encoder import load_encoder
from tutelage.modalities.text.network import TextClassifier
from tutelage.tasks import Classification
from tutelage.train import Training, train

OUT = Path(__file__).parents[1] / "results" / "whole.json"
CLASSES = 4
WAYS: dict[str, dict[str, object]] = {
    "plain": {},
    "bfloat16": {"amp": "bfloat16"},
    "4 parts": {"accumulate": 4},
    "recomputed": {"checkpoint_activations": True},
    "4 parts, recomputed": {"accumulate": 4, "checkpoint_activations": True},
    "compiled": {"compile": True},
    "compiled bfloat16": {"compile": True, "amp": "bfloat16"},
}


def problem(asked: argparse.Namespace) -> tuple[nn.Module, Loader]:
    """Texts of random tokens, of half to all of the length, for the encoder that is always there."""
    rng, device = np.random.default_rng(0), asked.device
    lengths = rng.integers(asked.tokens // 2, asked.tokens + 1, 20 * asked.unlabelled)
    ids = [rng.integers(1000, 20000, n).tolist() for n in lengths]
    torch.manual_seed(0)
    network = TextClassifier(load_encoder().model, CLASSES).to(device)
    y = torch.arange(4 * asked.labelled, device=device) % CLASSES
    labelled = Tokens(ids[: len(y)], device=device)
    return network, Loader(labelled, y, Tokens(ids, device=device), asked.labelled, asked.unlabelled, 0)


def now(device: str) -> float:
    """CPU seconds of this process; of a GPU seconds on the clock, after all its work is done."""
    if device == "cpu":
        return time.process_time()
    torch.cuda.synchronize()
    return time.perf_counter()


def once(method: Method, network: nn.Module, loader: Loader, training: Training) -> None:
    train(method, Classification(CLASSES), network, loader, training)


def peak(way: str, asked: argparse.Namespace) -> float:
    """MiB of memory at most, beside what is there before the first step, in a process of its own."""
    words = [f"--{name}={getattr(asked, name)}" for name in ("device", "method", "labelled", "unlabelled", "tokens")]
    found = subprocess.run(
        [sys.executable, __file__, "--only", way, *words], capture_output=True, text=True, check=True
    )
    return float(found.stdout.split()[-1])


def only(way: str, asked: argparse.Namespace) -> None:
    """Print the peak of memory of two steps of one way."""
    network, loader = problem(asked)
    method = METHODS[asked.method]()
    training = Training(steps=2, lr=5e-5, records=1, **WAYS[way])
    if asked.device != "cpu":
        once(method, network, loader, training)
        torch.cuda.reset_peak_memory_stats()
        before = torch.cuda.memory_allocated()
        once(method, network, loader, training)
        print((torch.cuda.max_memory_allocated() - before) / 2**20)
        return
    once(method, network, loader, replace(training, steps=1))  # what is imported and allocated once
    before = resident("VmRSS")
    Path("/proc/self/clear_refs").write_text("5")  # the peak is counted from here
    once(method, network, loader, training)
    print(resident("VmHWM") - before)


def resident(what: str) -> float:
    """MiB of main memory that this process holds, "VmRSS", or has held at most, "VmHWM", as Linux counts them."""
    (line,) = [line for line in Path("/proc/self/status").read_text().splitlines() if line.startswith(what)]
    return int(line.split()[1]) / 2**10


def operations(network: nn.Module, tokens: float) -> float:
    """Floating-point operations of products of layers in a step in which so many tokens pass, forward and back."""
    weights = sum(m.weight.numel() for m in network.modules() if isinstance(m, nn.Linear))
    return 6.0 * weights * tokens


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--method", default="drift")
    parser.add_argument("--labelled", type=int, default=16)
    parser.add_argument("--unlabelled", type=int, default=32)
    parser.add_argument("--tokens", type=int, default=48)
    parser.add_argument("--steps", type=int, default=3)
    parser.add_argument("--blocks", type=int, default=5)
    parser.add_argument("--ways", nargs="*", default=list(WAYS))
    parser.add_argument("--peak", type=float, help="teraflops of the device in bfloat16, for the share of peak")
    parser.add_argument("--only", help=argparse.SUPPRESS)
    asked = parser.parse_args()
    warnings.simplefilter("ignore")
    if asked.only:
        only(asked.only, asked)
        return
    network, loader = problem(asked)
    method = METHODS[asked.method]()
    training = Training(steps=asked.steps, lr=5e-5, lr_scale={"head.": 20.0}, records=1)
    runs = {way: lambda way=way: once(method, network, loader, replace(training, **WAYS[way])) for way in asked.ways}
    if asked.method in ("drift", "mean_teacher"):
        runs["by hand"] = lambda: by_hand(network, loader, training, 0.9, asked.method == "drift")
    first, seconds = {}, {way: [] for way in runs}
    for way, run in runs.items():  # the first steps, in which blocks are compiled
        start, began = now(asked.device), time.perf_counter()
        run()
        first[way] = now(asked.device) - start, time.perf_counter() - began
    for block in range(asked.blocks):
        for way, run in list(runs.items())[:: 1 if block % 2 else -1]:
            start = now(asked.device)
            run()
            seconds[way].append((now(asked.device) - start) / asked.steps)
    texts = asked.labelled + asked.unlabelled
    passes = 0.75 * asked.tokens * (asked.labelled + 2 * asked.unlabelled)  # tokens that pass a network in a step
    found = {}
    for way, each in seconds.items():
        middle = statistics.median(each)
        ratios = [one / plain for one, plain in zip(each, seconds["plain"], strict=True)]
        found[way] = {
            "seconds_a_step": round(middle, 4), "over_plain": round(statistics.median(ratios), 3),
            "texts_a_second": round(texts / middle, 1), "first_steps_seconds": round(first[way][0], 2),
        }  # fmt: skip
        if way in WAYS:
            found[way]["peak_mib"] = round(peak(way, asked))
        if asked.peak:
            found[way]["share_of_peak"] = round(operations(network, passes) / middle / asked.peak / 1e12, 4)
        print(way, found[way], flush=True)
    device = torch.cuda.get_device_name() if asked.device != "cpu" else f"CPU, {torch.get_num_threads()} threads"
    about = {n: getattr(asked, n) for n in ("method", "labelled", "unlabelled", "tokens", "steps", "blocks", "peak")}
    about |= {"torch": torch.__version__, "python": platform.python_version(), "device": device}
    kept = json.loads(OUT.read_text()) if OUT.exists() else {}
    OUT.write_text(json.dumps(kept | {asked.device: about | {"ways": found}}, indent=1) + "\n")


if __name__ == "__main__":
    main()
