"""Adapting to many classes: memory and time of a whole fit, and what it brings.

    python benchmarks/studies/many_classes.py  # into benchmarks/results/many_classes.jsonl

Each fit runs in a process of its own, whose peak memory is recorded. The fine classes of TREC have ten labels each, or
half of their questions where these are fewer than twenty. The made set has 150 classes: three ways of speaking (a
question, an order, a complaint) about 50 things, ten labels each.
"""

from __future__ import annotations

import itertools
import resource
import time
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context

import numpy as np
import pandas as pd

from encoders import PROTOCOL
from lines import Job, fit_missing
from tutelage import Classifier
from tutelage.bench.protocol import data_root
from tutelage.bench.running import Row

KEYS = ("data", "adapt", "seed")
LABELS = 10
ADAPT: dict[str, bool | str] = {"frozen": False, "adapted": "contrastive"}
WAYS = (
    ("where is {}", "do you know if {} has arrived", "can anyone tell me about {}", "how much is {}", "is {} ready"),
    ("bring me {}", "please put away {}", "send {} back today", "get {} for me", "pack {} for the trip"),
    (
        "{} is broken again",
        "i am unhappy with {}",
        "{} was a waste of money",
        "nobody cares that {} is late",
        "{} fell",
    ),
)
BEGINNINGS = ("", "hello, ", "well, ", "sorry but ", "good morning, ", "listen, ")
THINGS = [
    "lamp", "sofa", "guitar", "passport", "ladder", "kettle", "camera", "blanket", "bicycle", "umbrella", "printer",
    "wallet", "suitcase", "hammer", "piano", "mirror", "tent", "carpet", "laptop", "violin", "helmet", "jacket",
    "candle", "fridge", "oven", "kayak", "scooter", "telescope", "bandage", "syringe", "perfume", "lipstick",
    "necklace", "saddle", "aquarium", "drone", "tractor", "calculator", "dictionary", "microscope", "mattress",
    "curtain", "toaster", "stroller", "trumpet", "snowboard", "parachute", "compass", "lawnmower", "thermometer",
]  # fmt: skip


def made() -> tuple[list[str], list[str]]:
    """Texts of the made set and their labels: each way of speaking with each beginning, about each thing."""
    found = [
        (beginning + sentence.format(f"the {thing}"), f"{thing} {way}")
        for thing in THINGS
        for way, sentences in enumerate(WAYS)
        for beginning, sentence in itertools.product(BEGINNINGS, sentences)
    ]
    texts, labels = zip(*found, strict=True)
    return list(texts), list(labels)


def fine() -> tuple[list[str], list[str]]:
    """Questions of TREC and their fine classes."""
    frame = pd.read_parquet(data_root(PROTOCOL) / "trec" / "trec.parquet")
    return list(frame.text), list(frame.fine)


SETS = {"trec, fine": fine, "made": made}


def fitted(name: str, adapt: str, seed: int) -> Row:
    """A fit of the labels alone, scored on all other texts."""
    texts, labels = SETS[name]()
    order = np.random.default_rng(seed).permutation(len(texts))
    y = np.array(labels)[order]
    rank = pd.Series(y).groupby(y).cumcount().to_numpy()
    size = pd.Series(y).groupby(y).transform("size").to_numpy()
    known = rank < np.minimum(LABELS, size // 2)
    items = [texts[i] for i in order]
    learn, rest = ([item for item, k in zip(items, known, strict=True) if bool(k) == want] for want in (True, False))
    began = time.process_time()
    model = Classifier("supervised", adapt=ADAPT[adapt], random_state=seed)
    model.fit(learn, list(y[known]))
    seconds = time.process_time() - began
    right = float((np.array(model.predict(rest)) == y[~known]).mean())
    return {
        "classes": len(set(labels)), "labelled": len(learn), "scored": len(rest), "score": right,
        "returned": model.returned_,
        "cpu_seconds": round(seconds, 1), "peak_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024,
    }  # fmt: skip


def one(name: str, adapt: str, seed: int) -> Row:
    """The same in a new process, so that the peak of the memory is its own."""
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
        row = pool.submit(fitted, name, adapt, seed).result()
    return dict(zip(KEYS, (name, adapt, seed), strict=True)) | row


if __name__ == "__main__":
    jobs: list[Job] = [(name, adapt, 0) for name in SETS for adapt in ADAPT]
    fit_missing(one, jobs, KEYS, "many_classes")
