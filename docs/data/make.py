"""Make the small tables of the documentation from docs/data/sentences.txt, whose sentences were written for it.

    python docs/data/make.py

Ten sentences of each of four topics keep their label in mine.csv, twenty more of each have none, and the last ten of
each are held_out.csv. noisy.csv has a label for all of the first thirty, every tenth of them wrong. answers.csv holds
what another model could have said: a probability for each topic, right for three sentences of four.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd

HERE = Path(__file__).parent
TOPICS = ("delivery", "billing", "account", "product")
LABELLED, WITH_POOL = 10, 30


def table() -> pd.DataFrame:
    """All sentences, in an order in which the topics take turns: text, label, and the number within the topic."""
    blocks = (HERE / "sentences.txt").read_text(encoding="utf-8").split("# ")[1:]
    named = {name: rest.strip().splitlines() for name, rest in (block.split("\n", 1) for block in blocks)}
    rows = [(text, name, i) for name in TOPICS for i, text in enumerate(named[name])]
    return pd.DataFrame(rows, columns=["text", "label", "number"]).sort_values("number", kind="stable")


def main() -> None:
    found = table()
    rng = np.random.default_rng(0)
    learnt, held_out = found[found.number < WITH_POOL], found[found.number >= WITH_POOL]
    mine = learnt.assign(label=learnt.label.where(learnt.number < LABELLED, ""))
    mine[["text", "label"]].to_csv(HERE / "mine.csv", index=False)
    held_out[["text", "label"]].to_csv(HERE / "held_out.csv", index=False)

    wrong = rng.choice(len(learnt), len(learnt) // 10, replace=False)
    given = learnt.label.to_numpy(object).copy()
    given[wrong] = [TOPICS[(TOPICS.index(given[i]) + 1) % len(TOPICS)] for i in wrong]
    learnt.assign(label=given)[["text", "label"]].to_csv(HERE / "noisy.csv", index=False)

    truth = np.array([TOPICS.index(label) for label in learnt.label])
    said = np.where(rng.random(len(truth)) < 0.75, truth, rng.integers(0, len(TOPICS), len(truth)))
    logits = rng.normal(size=(len(truth), len(TOPICS)))
    logits[np.arange(len(truth)), said] += 3
    p = np.exp(logits) / np.exp(logits).sum(1, keepdims=True)
    columns = {f"p_{name}": p[:, i].round(3) for i, name in enumerate(TOPICS)}
    mine[["text", "label"]].assign(**columns).to_csv(HERE / "answers.csv", index=False)


if __name__ == "__main__":
    main()
