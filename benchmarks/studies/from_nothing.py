"""A student from nothing: texts that a language model of this machine annotated, and 0, 10 or 30 clean labels a class.

    tutelage models get qwen2.5-coder-0.5b
    python benchmarks/studies/from_nothing.py                          # hours of one core, nearly all of it annotating
    python benchmarks/studies/from_nothing.py --model smollm2 --texts 100 --test 100 --seeds 1 --sets trec    # quick

Of the part to learn from of IMDb and of TREC, 1,000 texts are drawn and annotated as `tutelage annotate` does it,
with the model's prior over these texts removed. The clean labels are of some of them; a seed draws which. The student
is what `tutelage fit drift --teacher p_` returns. It, the labels only, and the language model alone answer the same
texts of the part to score on, 2,000 of them or all; of the model alone the prior is that of the 1,000 texts.

Replies and fits are kept in the user's cache, so that a stopped call goes on. Results go into
benchmarks/results/from_nothing.jsonl, a line for each set, number of labels and seed.
"""

from __future__ import annotations

import argparse
import shutil
from functools import lru_cache
from typing import Any

import numpy as np
import pandas as pd
import torch
from rich.console import Console

from annotators import CLASSES, drawn, kept_in, of_set, prompt_of
from lines import fit_missing
from tutelage.annotate import annotate
from tutelage.annotate.local import NAMES, Local
from tutelage.annotate.prior import prior_of, without_prior
from tutelage.data.sources import cache_folder
from tutelage.methods import Drift
from tutelage.ops.bar import ticking
from tutelage.run.options import given
from tutelage.run.run import run

KEYS = ("model", "data", "texts", "test", "labels", "seed")
LABELS = (0, 10, 30)


@lru_cache(maxsize=1)
def model_of(name: str) -> Local:
    return Local(name)


@lru_cache(maxsize=2)
def tables(model: str, name: str, texts: int, test: int) -> tuple[pd.DataFrame, pd.DataFrame, dict[str, float]]:
    """Annotated texts with their true labels, texts to score on, and what the language model alone does on these."""
    cut, prompt, kept = of_set(name), prompt_of(name), kept_in(model, f"{name}-from-nothing")
    pool = np.random.default_rng(0).permutation(len(cut.learn))[:texts]
    scored, names = drawn(cut, test), np.array(CLASSES[name])
    learnt = pd.DataFrame({"text": [str(cut.learn.items[i]) for i in pool], "label": names[cut.learn.y[pool]]})
    held_out = pd.DataFrame({"text": [str(cut.test.items[i]) for i in scored], "label": names[cut.test.y[scored]]})
    with ticking(Console()) as bar:
        logs, unseen = (
            np.log(annotate(list(part.text), model_of(model), prompt, kept, bar, remove_prior=False).probabilities)
            for part in (learnt, held_out)
        )
    kept.close()
    p = np.exp(without_prior(logs))
    learnt = learnt.assign(**{f"p_{word}": p[:, k] for k, word in enumerate(names)})
    y = cut.test.y[scored]
    alone = {
        "alone, prior kept": float((unseen.argmax(1) == y).mean()),
        "alone": float(((unseen - prior_of(logs)).argmax(1) == y).mean()),
        "said": float((p.argmax(1) == cut.learn.y[pool]).mean()),
    }
    return learnt, held_out, alone


def one(model: str, name: str, texts: int, test: int, labels: int, seed: int) -> dict[str, Any]:
    """Accuracy of the returned model, of the labels only and of the language model alone on the same texts."""
    learnt, held_out, alone = tables(model, name, texts, test)
    draws = np.random.default_rng(seed)
    clean = {
        int(i) for word in CLASSES[name] for i in draws.permutation(np.flatnonzero(learnt.label == word))[:labels]
    }  # fmt: skip
    given_ = [label if i in clean else "" for i, label in enumerate(learnt.label)]
    folder = cache_folder() / "from_nothing" / f"{model}-{name}-{texts}-{test}-{labels}-{seed}"
    folder.mkdir(parents=True, exist_ok=True)
    train = learnt.assign(label=given_) if labels else learnt.drop(columns="label")
    train.to_parquet(folder / "train.parquet")
    held_out.to_parquet(folder / "test.parquet")
    out = folder / "run"
    kind, asked = given(
        train=folder / "train.parquet", test=folder / "test.parquet", text="text", label="label", teacher="p_", out=out,
        seed=seed, resume=out.exists(), classes=CLASSES[name],
    )  # fmt: skip
    summary = run(kind, asked, Drift(), print, lambda what, done, total: None)
    found = summary["test"]
    shutil.rmtree(folder)
    return dict(zip(KEYS, (model, name, texts, test, labels, seed), strict=True)) | alone | {
        "returned": found["accuracy"], "labels only": found.get("reference_accuracy") if labels else None,
        "candidate": found.get("candidate_accuracy"), "scored": len(held_out), "seconds": summary["seconds"],
    }  # fmt: skip


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", default="qwen2.5-coder-0.5b", choices=NAMES)
    parser.add_argument("--texts", type=int, default=1000, help="texts that are annotated")
    parser.add_argument("--test", type=int, default=2000, help="texts that are scored on")
    parser.add_argument("--seeds", type=int, default=5, help="draws of the clean labels")
    parser.add_argument("--sets", nargs="+", default=["imdb", "trec"], choices=list(CLASSES))
    wanted = parser.parse_args()
    torch.set_num_threads(1)
    jobs = [
        (wanted.model, name, wanted.texts, wanted.test, labels, seed)
        for name in wanted.sets for labels in LABELS for seed in range(wanted.seeds)
    ]  # fmt: skip
    fit_missing(one, jobs, KEYS, "from_nothing")
