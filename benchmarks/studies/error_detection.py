"""Do the weights of DMT and DST find wrong pseudo-labels? AUROC of the weights, beside the labeller's own confidence.

    python benchmarks/studies/error_detection.py mutual mutual_cnn mutual_unet --seeds 3

Takes the data, labels and steps of these protocols, and of their methods and variants those that weigh stored labels by
agreement. Adds a JSON line a training to benchmarks/results/error_detection.jsonl; lines that are there are not run
again. Numbers are of the end of the last round; what begins with "first_" is of the first round with stored labels.
"""

from __future__ import annotations

import argparse
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch
from sklearn.metrics import roc_auc_score

from lines import fit_missing
from tutelage.bench.cells import Cell, cell
from tutelage.bench.protocol import Protocol, data_root, read_protocol
from tutelage.bench.running import Row
from tutelage.methods import Dmt
from tutelage.ops.labels import agreement
from tutelage.train import Run, predict, train

PROTOCOLS = Path(__file__).parents[1] / "protocols"
MOST = 200_000
"""Units of the pool that are looked at, drawn."""


def read(name: str) -> Protocol:
    return read_protocol(PROTOCOLS / f"{name}.toml")


def weighing(protocol: Protocol) -> list[str]:
    """The methods and variants that weigh stored labels by agreement."""
    names = (*protocol.methods, *(v.name for v in protocol.variants))
    return [n for n in names if any(isinstance(m, Dmt) and m.gamma for m in protocol.candidates(n))]


def look(run: Run, given: Cell, game: Dmt) -> dict[str, float]:
    """AUROC for wrong labels of 1 - weight, and of 1 - confidence, among the stored labels that count."""
    stored = run.memory.of["partner" if game.partners == "mutual" else "student"]
    truth = given.drawn.rest.y
    counted = np.flatnonzero((stored.weight > 0).cpu().numpy() & (truth >= 0))
    units = np.random.default_rng(0).permutation(counted)[:MOST]
    label, confidence = stored.label[units].cpu().long(), stored.confidence[units].cpu()
    wrong = label.numpy() != truth[units]
    if wrong.all() or not wrong.any():
        return {"wrong": float(wrong.mean())}
    logits = predict(run.seats["student"].module, given.problem.task, given.problem.pool)[units]
    weight = agreement(logits, label, confidence, game.gamma, game.gamma)
    return {
        "wrong": float(wrong.mean()), "auroc_weight": float(roc_auc_score(wrong, -weight.numpy())),
        "auroc_confidence": float(roc_auc_score(wrong, -confidence.numpy())),
    }  # fmt: skip


def one(name: str, data: str, setting: str, seed: int, learner: str) -> Row:
    torch.set_num_threads(1)
    protocol = read(name)
    of, known = next((d, s) for d, s in protocol.cells() if (d.name, s.name) == (data, setting))
    open_game = protocol.candidates(learner)[0]
    given = cell(protocol.model_dump_json(), data_root(PROTOCOLS / name), of, known, seed, open_game.views)
    game = open_game.settled(given.problem.task, weak=False)
    assert isinstance(game, Dmt)
    steps = given.steps(game).steps
    first_ends = game.starts(steps)[2]

    def watch(run: Run) -> dict[str, float]:
        found = look(run, given, game) if run.step == first_ends else {}
        return {f"first_{key}": value for key, value in found.items()}

    training = replace(given.training, seed=seed * 1000, steps=steps, records=steps)  # each step may be looked at
    p = given.problem
    run = train(game, p.task, p.network, p.loader(seed=training.seed), training, watch=watch)
    first = {key: value for point in run.history for key, value in point.items() if key.startswith("first_")}
    named = {"protocol": name, "data": data, "setting": setting, "seed": seed, "method": learner}
    return named | look(run, given, game) | first


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("protocols", nargs="+")
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--processes", type=int, default=1)
    a = parser.parse_args()
    jobs = [
        (name, data.name, setting.name, seed, learner)
        for name in a.protocols
        for seed in range(a.seeds)
        for data, setting in read(name).cells()
        for learner in weighing(read(name))
    ]
    fit_missing(one, jobs, ("protocol", "data", "setting", "seed", "method"), "error_detection", a.processes)


if __name__ == "__main__":
    main()
