"""Time of one step: the engine against a hand-written loop of the same maths, DRIFT against Mean Teacher.

    python benchmarks/speed/step_time.py

writes benchmarks/results/step_time.json. The contenders take turns, block by block, so that a drift
of the machine's speed touches both; the figure is the median of the ratios of paired blocks.
"""

from __future__ import annotations

import copy
import json
import statistics
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch
from torch import nn

from tutelage.data import Features, Loader, Tokens
from tutelage.methods import Drift, MeanTeacher
from tutelage.modalities.encoder import load_encoder
from tutelage.modalities.head import Head
from tutelage.modalities.text.network import TextClassifier
from tutelage.tasks import Classification
from tutelage.train import Training, train

OUT = Path(__file__).parents[1] / "results" / "step_time.json"
CLASSES = 4


def by_hand(network: nn.Module, loader: Loader, training: Training, decay: float, anticipate: bool) -> nn.Module:
    """Mean Teacher or DRIFT as one would write it for one run: same batches, same maths, nothing else."""
    torch.manual_seed(training.seed)
    student, teacher = copy.deepcopy(network).train(), copy.deepcopy(network).eval()
    for p in teacher.parameters():
        p.requires_grad_(anticipate)
    head = [p for n, p in student.named_parameters() if n.startswith("head.")]
    body = [p for n, p in student.named_parameters() if not n.startswith("head.")]
    groups = [{"params": ps, "peak": lr} for ps, lr in ((body, training.lr), (head, training.lr * 20)) if ps]
    optimiser = torch.optim.AdamW(groups, weight_decay=training.weight_decay)
    run = (lambda net, x: net(**x)) if isinstance(network, TextClassifier) else (lambda net, x: net(x))
    for step in range(training.steps):
        progress = step / training.steps
        batch = loader.batch(step, progress)
        with torch.no_grad():
            torch._foreach_lerp_(list(teacher.parameters()), list(student.parameters()), 1 - decay)
        u, z = run(teacher, batch.unlabelled["weak"]), run(student, batch.unlabelled["weak"])
        s = run(student, batch.labelled["weak"])
        log_p = u.log_softmax(-1)
        w = 1 + (log_p.exp() * log_p).sum(-1) / np.log(CLASSES)
        log_y = (u / 0.5).log_softmax(-1)
        fit = (log_y.exp() * (log_y - z.log_softmax(-1))).sum(-1)
        scale = 1.0 if progress >= 0.2 else float(np.exp(-5 * (1 - progress / 0.2) ** 2))
        loss = nn.functional.cross_entropy(s, batch.target) + scale * (w * fit).mean()
        optimiser.zero_grad()
        teacher.zero_grad()
        loss.backward()
        if anticipate:
            used = [
                (p.grad, q.grad)
                for p, q in zip(student.parameters(), teacher.parameters(), strict=True)
                if p.grad is not None
            ]
            torch._foreach_add_([g for g, _ in used], [g for _, g in used], alpha=1 - decay)
        torch.nn.utils.clip_grad_norm_(student.parameters(), training.clip)
        for group in optimiser.param_groups:
            group["lr"] = group["peak"] * (1 + np.cos(np.pi * progress)) / 2
        optimiser.step()
    return student


def head_problem() -> tuple[nn.Module, Loader]:
    g = torch.Generator().manual_seed(0)
    x = torch.randn(4000, 384, generator=g)
    y = torch.randint(CLASSES, (120,), generator=g)
    torch.manual_seed(0)
    return Head(384, CLASSES, 256, 0.5), Loader(Features(x[:120]), y, Features(x), 64, 128, 0)


def whole_problem() -> tuple[nn.Module, Loader]:
    """Sentences of 48 random tokens: every step costs the same."""
    encoder = load_encoder()
    ids = np.random.default_rng(0).integers(1000, 20000, (200, 48)).tolist()
    y = torch.arange(40) % CLASSES
    torch.manual_seed(0)
    return TextClassifier(encoder.model, CLASSES), Loader(Tokens(ids[:40]), y, Tokens(ids), 16, 32, 0)


def ratio(a: Callable[[], object], b: Callable[[], object], blocks: int) -> dict[str, float]:
    """Median and quartiles of time(a) / time(b) over paired blocks, the order turned each time."""
    a(), b()
    found, seconds = [], {"a": [], "b": []}
    for i in range(blocks):
        times = {}
        for name, run in (("a", a), ("b", b))[:: 1 if i % 2 else -1]:
            start = time.perf_counter()
            run()
            times[name] = time.perf_counter() - start
            seconds[name].append(times[name])
        found.append(times["a"] / times["b"])
    low, middle, high = statistics.quantiles(found, n=4)
    return {
        "median": round(middle, 3),
        "lower_quartile": round(low, 3),
        "upper_quartile": round(high, 3),
        "blocks": blocks,
    }


def main() -> None:
    result = {}
    for name, (network, loader), training, blocks in (
        ("head on 384 features", head_problem(), Training(steps=150, lr=3e-3, records=1), 21),
        ("MiniLM whole", whole_problem(), Training(steps=3, lr=5e-5, lr_scale={"head.": 20.0}, records=1), 5),
    ):
        task = Classification(CLASSES)

        def engine(method, network=network, loader=loader, training=training, task=task):
            return train(method, task, network, loader, training)

        def hand(anticipate, network=network, loader=loader, training=training):
            return by_hand(network, loader, training, 0.9, anticipate)

        for method, anticipate in ((MeanTeacher(), False), (Drift(), True)):
            ours, theirs = engine(method).seats["student"].module.state_dict(), hand(anticipate).state_dict()
            far = max(float((ours[n] - theirs[n]).abs().max()) for n in ours)
            kind = "drift" if anticipate else "mean_teacher"
            found = ratio(lambda m=method: engine(m), lambda a=anticipate: hand(a), blocks)
            result[f"{name}: engine over by hand, {kind}"] = found | {"largest_difference_of_weights": far}
            print(name, kind, result[f"{name}: engine over by hand, {kind}"], flush=True)
        found = ratio(lambda: engine(Drift()), lambda: engine(MeanTeacher()), blocks)
        result[f"{name}: drift over mean_teacher"] = found
        print(name, found, flush=True)
    OUT.write_text(json.dumps(result, indent=1) + "\n")


if __name__ == "__main__":
    main()
