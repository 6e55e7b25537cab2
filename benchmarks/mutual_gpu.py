"""Mutual training at sizes that want a GPU: WRN-28-2 on CIFAR-10 with 4,000 labels, a U-Net on CamVid at full steps.

    python benchmarks/mutual_gpu.py wrn --minutes 9
    python benchmarks/mutual_gpu.py camvid_full --minutes 9

Call it again until it says that nothing is left: it stops after so many minutes, and goes on from its checkpoint. Adds
a JSON line a fit to benchmarks/results/mutual_images.jsonl. The mark on CIFAR-10 is the gap of 8.1 points between the
paper's DMT and its baseline, not its numbers: the staged images are JPEG re-encodings. As there, SGD with momentum and
a rate that falls along a cosine in each round; unlike there, the first round mixes nothing up.
"""

from __future__ import annotations

import argparse
import time
from dataclasses import replace

import torch

from games import Row, fit_missing
from image_splits import camvid, cifar10_pixels
from mutual_images import RESULTS, Setup, fitted
from tutelage.modalities.images.networks import UNet, WideResNet
from tutelage.train import Training

SETUPS = {
    "wrn": Setup(
        cifar10_pixels, lambda: WideResNet(10), (4000,), (64, 448),
        Training(steps=36_000, lr=0.1, optimiser="sgd", weight_decay=5e-4, records=30, checkpoint_every=20),
        ("labels only", "dmt", "dst, mixup", "curriculum_labelling"), ("fixmatch", "mean_teacher"),
        looked_at=(10_000, 10_000),
    ),
    "camvid_full": Setup(
        camvid, lambda: UNet(11, width=32), (23, 46), (4, 12),
        Training(steps=12_000, lr=3e-3, records=30, checkpoint_every=20),
        ("labels only", "cbst", "dst", "dmt"), ("fixmatch", "cutmix_mean_teacher"),
    ),
}  # fmt: skip
"""Steps are so many times 30 that each round ends at a point of history."""


class OutOfTimeError(Exception):
    """The minutes are over; the checkpoint has all but the last seconds."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("what", choices=list(SETUPS))
    parser.add_argument("--minutes", type=float, default=9.0)
    parser.add_argument("--seeds", type=int, default=1)
    parser.add_argument("--steps", type=int, help="fewer, to try it out")
    parser.add_argument("--device", default="cuda" if torch.cuda.is_available() else "cpu")
    a = parser.parse_args()
    setup, end = SETUPS[a.what], time.monotonic() + 60 * a.minutes
    setup = replace(setup, training=replace(setup.training, steps=a.steps or setup.training.steps))

    def tick(step: int) -> None:
        if time.monotonic() > end:
            raise OutOfTimeError

    def one(data: str, count: int, method: str, seed: int) -> Row:
        return fitted(data, setup, count, method, seed, a.device, tick)

    methods = (*setup.parts, *setup.rivals)
    jobs = [(a.what, count, m, seed) for seed in range(a.seeds) for count in setup.counts for m in methods]
    results = RESULTS / ("mutual_images.jsonl" if a.steps is None else "mutual_gpu_tried.jsonl")
    try:
        fit_missing(one, jobs, ("data", "labels", "method", "seed"), results, processes=1)
        print("nothing is left to do")
    except OutOfTimeError:
        print("out of time; call again to go on")


if __name__ == "__main__":
    main()
