"""Whether the random tenth of the labels that are asked for tells the accuracy of the model, in simulated campaigns.

    python benchmarks/studies/campaigns.py    # 200 campaigns, into benchmarks/results/campaigns.jsonl

A campaign begins with the first labels of benchmarks/protocols/curves.toml and asks five times for 40 labels, a tenth
of them drawn. The model at its end is judged by labels it has: each is predicted by a model of the same setting that
has not learnt its fold. Beside that stand what the models of the rounds said when they asked (prequential), and the
same estimate from all labels that were asked for, which a selector chose as hard. The truth is the accuracy on the
rows that had no label when the campaign began, of which those that got one are judged as the drawn ones are; the test
part, which may differ from the pool, stands beside it.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from dataclasses import replace
from functools import lru_cache
from pathlib import Path

import numpy as np

from lines import fit_missing
from tutelage.ask import with_random
from tutelage.bench.curves import Campaign, Learnt
from tutelage.bench.protocol import Loop, data_root, read_protocol
from tutelage.bench.running import Row
from tutelage.fit.evidence import wilson

PROTOCOL = Path(__file__).parents[1] / "protocols" / "curves.toml"
SELECTORS = ("auto", "cluster_margin", "margin", "pcoreset", "actune")
SEEDS = (0, 1, 2, 3, 4)
ROUNDS, COUNT, SHARE = 5, 40, 0.1
FOLDS = 10
KEYS = ("data", "by", "seed")


@lru_cache(maxsize=1)
def begun(name: str, seed: int) -> Campaign:
    """A data set of the protocol with its first labels."""
    protocol = read_protocol(PROTOCOL)
    data, setting = next((d, s) for d, s in protocol.cells() if d.name == name)
    return Campaign.of(protocol, data_root(PROTOCOL), data, setting, seed, Loop(by="random"))


def rounds(campaign: Campaign) -> Iterator[tuple[np.ndarray, np.ndarray, np.ndarray, Learnt]]:
    """Labelled rows, by what each was asked, whether it was predicted then, and the model of them, round by round."""
    labelled = np.asarray(campaign.start.chosen)
    by, before = np.full(len(labelled), "start", dtype=object), np.zeros(len(labelled))
    for number in range(ROUNDS + 1):
        model = campaign.learnt(labelled)
        yield labelled, by, before, model
        if number < ROUNDS:
            draw = 1000 * campaign.seed + 10 * SELECTORS.index(campaign.loop.by) + number  # each campaign has its own
            again = labelled[~np.isin(by, ("start", "random"))]
            asked = with_random(campaign.ask(model, labelled, COUNT), COUNT, SHARE, draw, again)
            known = np.isin(labelled, asked.index)  # chosen before, and drawn now
            by = np.where(known, "random", by)
            new = ~np.isin(asked.index, labelled)
            guess = campaign.said(model.network)[asked.index].argmax(1)
            labelled, by = np.append(labelled, asked.index[new]), np.append(by, asked.by[new])
            before = np.append(before, (guess == campaign.y[asked.index])[new])


def held_out(campaign: Campaign, model: Learnt, labelled: np.ndarray, judged: np.ndarray) -> np.ndarray:
    """Whether the model is right on the labels ``judged``, numbers among the labelled, each by a model without it."""
    probe, right = model.probe, np.empty(len(judged))
    assert probe is not None
    order = np.random.default_rng(campaign.seed).permutation(len(judged))
    for part in np.array_split(order, min(FOLDS, len(judged))):
        kept = np.setdiff1d(np.arange(len(labelled)), judged[part])
        said = probe.held_out([(kept, judged[part])], model.choice)[0][1]["probabilities"]
        right[part] = said.argmax(1) == campaign.y[labelled[judged[part]]]
    return right


def told(right: np.ndarray, pool: float, test: float) -> dict[str, float]:
    """An estimate of the accuracy with its 90 % interval, by Wilson's formula, and whether that holds each truth."""
    found = wilson(float(right.mean()), len(right))
    return {
        "labels": len(right), "estimate": round(found.score, 6), "low": round(found.low, 6),
        "high": round(found.high, 6),
        "covers": float(found.low <= pool <= found.high), "covers test": float(found.low <= test <= found.high),
    }  # fmt: skip


def one(name: str, by: str, seed: int) -> Row:
    """A campaign, and what its labels say of the model at its end."""
    campaign = replace(begun(name, seed), loop=Loop(by=by))
    *_, (labelled, asked_by, before, model) = rounds(campaign)
    test, free = campaign.score(model), np.setdiff1d(np.arange(len(campaign.y)), labelled)
    assert test is not None
    drawn, asked = np.flatnonzero(asked_by == "random"), np.flatnonzero(asked_by != "start")
    right = campaign.said(model.network)[free].argmax(1) == campaign.y[free]
    pool = float(np.append(right, held_out(campaign, model, labelled, asked)).mean())
    return {
        "data": name, "by": by, "seed": seed, "labels": len(labelled), "pool": pool, "test": test,
        "random": told(held_out(campaign, model, labelled, drawn), pool, test),
        "prequential": told(before[drawn], pool, test),
        "all asked": told(held_out(campaign, model, labelled, asked), pool, test),
    }  # fmt: skip


if __name__ == "__main__":
    argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter).parse_args()
    sets = [data.name for data in read_protocol(PROTOCOL).data]
    jobs = [(d, by, seed) for seed in SEEDS for d in sets for by in SELECTORS]
    fit_missing(one, jobs, KEYS, "campaigns", processes=2)
