"""Forms of the partial-label loss, by networks that can learn rows by heart: digits with wrong labels planted.

    python benchmarks/studies/partial_forms.py

writes benchmarks/results/partial_forms.json: accuracy on 597 rows with right labels after training on 1,200 of which a
share is labelled as any other class; a network of 64 hidden units, 600 steps a round, 3 seeds. `partial_label` takes
its default from here; scikit-learn's digits are in no other benchmark.
"""

from __future__ import annotations

import json
from functools import partial
from pathlib import Path

import numpy as np
import torch
from sklearn.datasets import load_digits

from tutelage.data import Features, Loader
from tutelage.distil.noise import corrupt, symmetric
from tutelage.methods import Method, PartialLabel, SelfDistillation, Supervised
from tutelage.modalities.head import Head
from tutelage.tasks import Classification
from tutelage.train import Training, predict, train

OUT = Path(__file__).parents[1] / "results" / "partial_forms.json"
RATES, SEEDS, LEARNT = (0.0, 0.2, 0.4, 0.6), 3, 1200
METHODS: dict[str, Method] = {
    "labels as given": Supervised(),
    "self-distillation": SelfDistillation(),
    **{f"partial labels, {form}": PartialLabel(form) for form in ("paper", "released", "union")},
}


def network(x: torch.Tensor, seed: int) -> Head:
    torch.manual_seed(seed)
    return Head(64, 10, 64).standardise(x, per_feature=True)


def accuracy(method: Method, rate: float, seed: int) -> float:
    pixels, y = load_digits(return_X_y=True)
    order = np.random.default_rng(seed).permutation(len(y))
    x, y = torch.tensor(pixels[order], dtype=torch.float32), y[order]
    noisy = torch.tensor(corrupt(y[:LEARNT], symmetric(10, rate), seed))
    loader = Loader(Features(x[:LEARNT]), noisy, Features(x[:0]), 64, 64, seed)
    training = Training(steps=600 * method.training_rounds, lr=3e-3, seed=seed)
    run = train(method, Classification(10), partial(network, x), loader, training)
    guess = predict(run.seats["student"].module, Classification(10), Features(x[LEARNT:])).argmax(1).numpy()
    return float((guess == y[LEARNT:]).mean())


def main() -> None:
    torch.set_num_threads(1)
    found = [
        {"method": name, "rate": rate, "accuracy": [accuracy(method, rate, seed) for seed in range(SEEDS)]}
        for name, method in METHODS.items()
        for rate in RATES
    ]
    OUT.write_text(json.dumps(found, indent=1) + "\n")


if __name__ == "__main__":
    main()
