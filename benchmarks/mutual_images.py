"""Mutual training against its parts and its rivals on images and on pixels, the same steps, views and networks each.

    python benchmarks/mutual_images.py tune
    python benchmarks/mutual_images.py fashion --labels 100 400 --seeds 3
    python benchmarks/mutual_images.py camvid --labels 23 46 --seeds 3

A small CNN on Fashion-MNIST, 10 and 40 labels a class; a U-Net on CamVid at 160 x 120, 23 and 46 labelled images. Adds
a JSON line a fit to benchmarks/results/mutual_images.jsonl; lines that are there are not run again, and a fit that was
stopped goes on from its checkpoint. ``tune`` compares learning rates and weight decays of the network trained on the
labels alone, by the part kept for that, in results/mutual_images_tuning.jsonl; SETUPS has the best for all methods.

Score: accuracy, or the mean IoU, of the student on the test set. Steps are those of a method in all, shared by its
rounds; in one step mutual training moves two networks, so it costs twice as much. Of stored labels a line holds, at the
end of the last round: the share of those that counted that are right, and, where labels are weighed, how well weights
tell those that are wrong against the labeller's own confidence (AUROC). What begins with "first_" is from the end of
the first round with such labels, of which 1/5 counts.
"""

from __future__ import annotations

import argparse
import shutil
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch
from torch import nn

from games import GAMES, Row, error_detection, fit_missing, labeller
from image_splits import ImageSplit, Part, camvid, fashion
from tutelage.data.sources import cache_folder
from tutelage.fit.problem import Problem
from tutelage.methods import METHODS, Dmt, FixMatch, Method
from tutelage.methods.base import labels_kept
from tutelage.modalities.images.networks import SmallCnn, UNet
from tutelage.modalities.images.views import Strong, Weak
from tutelage.tasks import Segmentation, Task
from tutelage.tasks.segmentation import mean_dice, mean_iou, overlaps
from tutelage.train import Run, Training, predict, predictions, train

RESULTS = Path(__file__).parent / "results"
CUTMIX = "cutmix_mean_teacher"
ALL: dict[str, Method] = GAMES | {"fixmatch": FixMatch()} | ({CUTMIX: METHODS[CUTMIX]()} if CUTMIX in METHODS else {})

TUNING_SEED = 100
DECAYS = (1e-2, 1e-1)


@dataclass(frozen=True)
class Setup:
    """How one data set is learnt.

    Attributes:
        counts: of labelled images.
        batches: labelled and other images a step.
        rates: learning rates to choose from.
        parts: methods of which each has one thing more than the one before; they run first.
        rivals: methods that run after them.
        looked_at: of at most so many images of the pool, and so many units, weights are compared with the truth.
    """

    split: Callable[[], ImageSplit]
    network: Callable[[], nn.Module]
    counts: tuple[int, ...]
    batches: tuple[int, int]
    training: Training
    parts: tuple[str, ...]
    rivals: tuple[str, ...]
    rates: tuple[float, ...] = (1e-3, 3e-3, 1e-2)
    looked_at: tuple[int, int] = (100, 200_000)


SETUPS = {
    "fashion": Setup(
        fashion, lambda: SmallCnn(10, width=16), (100, 400), (32, 64),
        Training(steps=600, lr=1e-2, weight_decay=0.1, records=30),
        ("labels only", "cbst", "dst", "dst, mixup", "dmt, mutual", "dmt, mutual, mixup", "dmt"),
        ("mean_teacher", "fixmatch", "curriculum_labelling"), rates=(1e-3, 3e-3, 1e-2, 3e-2),
        looked_at=(10_000, 10_000),
    ),
    "camvid": Setup(
        camvid, lambda: UNet(11, width=16), (23, 46), (4, 4),
        Training(steps=480, lr=3e-3, records=30, checkpoint_every=60), ("labels only", "cbst", "dst", "dmt"),
        ("mean_teacher", "fixmatch", CUTMIX, "curriculum_labelling"),
    ),
}  # fmt: skip
"""Steps are so many times 30 that each round ends at a point of history."""


class Watched:
    """Adds to a run's history the seconds since the last point, and how good the first stored labels are."""

    def __init__(self, game: Method, task: Task, pool: Part, setup: Setup, steps: int) -> None:
        self.game, self.task, self.pool, self.setup = game, task, pool, setup
        self.first_ends = game.starts(steps)[2] if game.training_rounds > 1 else 0
        self.last = time.perf_counter()

    def __call__(self, run: Run) -> dict[str, float]:
        seen = {"seconds": time.perf_counter() - self.last}
        if labels_kept(self.game) and run.step == self.first_ends:
            seen |= {f"first_{name}": value for name, value in self.look(run).items()}
        self.last = time.perf_counter()
        return seen

    def look(self, run: Run) -> dict[str, float]:
        """How many stored labels that count are right, and whether weights tell which."""
        stored, images, truth = run.memory.of[labeller(self.game)], self.pool.images, self.pool.y
        counted = (stored.weight > 0).cpu().numpy() & (truth >= 0)
        seen = {
            "precision": float((stored.label.cpu().numpy() == truth)[counted].mean()),
            "counted": float(counted.mean()),
        }
        if not isinstance(self.game, Dmt):
            return seen
        draws, (most_images, most_units) = np.random.default_rng(0), self.setup.looked_at
        some = draws.permutation(len(images))[:most_images]
        units = images.units(some)
        mine = draws.permutation(np.flatnonzero(counted[units]))[:most_units]
        network = run.seats["student"].module
        device = str(next(network.parameters()).device)
        logits = predict(network, self.task, replace(images.subset(some), device=device)).cpu()[mine]
        return seen | error_detection(stored, units[mine], truth[units[mine]], logits, self.game.gamma)


def marks(network: nn.Module, task: Task, part: Part) -> dict[str, float]:
    """The score on a part, and others; a batch of predictions at a time."""
    found, known = np.zeros((1, task.classes, 2), dtype=np.int64), 0
    for units, logits in predictions(network, task, part.images):
        y = part.y[units.numpy()]
        found += overlaps(logits.argmax(1).numpy(), y, np.array([len(y)]), task.classes)
        known += int((y >= 0).sum())
    right = float(found[..., 0].sum() / known)
    if isinstance(task, Segmentation):
        return {"score": mean_iou(found), "dice": mean_dice(found), "accuracy": right}
    return {"score": right}


def fit(
    setup: Setup, game: Method, count: int, seed: int, training: Training, path: Path | None = None,
    device: str = "cpu", tick: Callable[[int], None] | None = None,
) -> tuple[Run, Watched]:  # fmt: skip
    split, images = setup.split(), setup.split().train.images
    chosen = split.labelled(count, seed)
    labelled, pool = (split.train.subset(i) for i in (chosen, np.setdiff1d(np.arange(len(images)), chosen)))

    def network(network_seed: int) -> nn.Module:
        torch.manual_seed(network_seed)
        return setup.network().to(device)

    problem = Problem(
        split.task, replace(labelled.images, device=device), labelled.y, replace(pool.images, device=device), network,
        None, batch_labelled=setup.batches[0], batch_unlabelled=setup.batches[1], device=device,
        views={name: view for name, view in (("weak", Weak()), ("strong", Strong())) if name in game.views},
    )  # fmt: skip
    watched = Watched(game, split.task, pool, setup, training.steps)
    training, loader = replace(training, seed=seed * 1000), problem.loader(seed=seed * 1000)
    return train(game, split.task, network, loader, training, path=path, watch=watched, tick=tick), watched


def one(data: str, count: int, method: str, seed: int) -> Row:
    torch.set_num_threads(1)
    return fitted(data, SETUPS[data], count, method, seed)


def fitted(
    data: str, setup: Setup, count: int, method: str, seed: int, device: str = "cpu",
    tick: Callable[[int], None] | None = None,
) -> Row:  # fmt: skip
    """One line of results; from its checkpoint where it was begun before."""
    split, steps = setup.split(), setup.training.steps
    game = ALL[method].settled(split.task, weak=False)
    name = f"{data}-{count}-{method.replace(', ', '-')}-{seed}-{steps}.safetensors"
    path = cache_folder() / "mutual_images" / name
    path.parent.mkdir(parents=True, exist_ok=True)
    run, watched = fit(setup, game, count, seed, setup.training, path, device, tick)
    row = {"data": data, "labels": count, "method": method, "seed": seed, "steps": steps}
    networks = {who: player.module.cpu() for who, player in run.seats.items()}
    row |= marks(networks["student"], split.task, split.test)
    row["seconds"] = round(sum(h["seconds"] for h in run.history), 1)
    if "partner" in networks:
        row["partner_score"] = marks(networks["partner"], split.task, split.test)["score"]
    if labels_kept(game):
        row |= watched.look(run)
        row |= {name: value for h in run.history for name, value in h.items() if name.startswith("first_")}
    path.unlink(missing_ok=True)
    shutil.rmtree(path.with_suffix(".labels"), ignore_errors=True)
    return row


def one_tuned(data: str, count: int, lr: float, decay: float) -> Row:
    torch.set_num_threads(1)
    setup, start = SETUPS[data], time.perf_counter()
    training = replace(setup.training, lr=lr, weight_decay=decay)
    run, _ = fit(setup, ALL["labels only"], count, TUNING_SEED, training)
    row = {"data": data, "labels": count, "lr": lr, "weight_decay": decay, "steps": training.steps}
    row |= {
        f"valid_{k}": v for k, v in marks(run.seats["student"].module, setup.split().task, setup.split().valid).items()
    }
    return row | {"seconds": round(time.perf_counter() - start, 1)}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("what", choices=[*SETUPS, "tune"])
    parser.add_argument("--labels", type=int, nargs="+", help="labelled images")
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--methods", nargs="+", choices=list(ALL), default=list(ALL))
    parser.add_argument("--processes", type=int, default=1)
    a = parser.parse_args()
    if a.what == "tune":
        trials = [(data, s.counts[0], lr, decay) for data, s in SETUPS.items() for decay in DECAYS for lr in s.rates]
        keys = ("data", "labels", "lr", "weight_decay")
        return fit_missing(one_tuned, trials, keys, RESULTS / "mutual_images_tuning.jsonl", a.processes)
    setup = SETUPS[a.what]
    jobs = [
        (a.what, count, method, seed)
        for group in (setup.parts, setup.rivals)
        for count in a.labels or setup.counts
        for seed in range(a.seeds)
        for method in group
        if method in a.methods
    ]
    return fit_missing(one, jobs, ("data", "labels", "method", "seed"), RESULTS / "mutual_images.jsonl", a.processes)


if __name__ == "__main__":
    main()
