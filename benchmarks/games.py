"""What benchmarks of rounds over stored labels share: the games, AUROC of weights for wrong labels, the job loop."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import numpy as np
from sklearn.metrics import roc_auc_score
from torch import Tensor

from tutelage.memory import Stored
from tutelage.methods import Cbst, CurriculumLabelling, Dmt, Dst, MeanTeacher, Method, Supervised
from tutelage.ops.weights import agreement

GAMES: dict[str, Method] = {
    "labels only": Supervised(), "mean_teacher": MeanTeacher(), "curriculum_labelling": CurriculumLabelling(),
    "cbst": Cbst(), "dst": Dst(mixup=0.0), "dst, mixup": Dst(),
    "dmt, mutual": Dmt(partners="mutual", ranking="class", mixup=0.0),
    "dmt, mutual, mixup": Dmt(partners="mutual", ranking="class"), "dmt": Dmt(),
}  # fmt: skip

Row = dict[str, object]
Job = tuple[str | int, ...]


def labeller(game: Method) -> str:
    """Whose labels the student learns from."""
    return "partner" if isinstance(game, Dmt) and game.partners == "mutual" else "student"


def error_detection(
    stored: Stored, units: np.ndarray, truth: np.ndarray, logits: Tensor, gamma: float
) -> dict[str, float]:
    """AUROC for wrong pseudo-labels of 1 - w, and of 1 - the labeller's confidence.

    Args:
        stored: the labeller's labels of the whole pool; units: the numbers of those looked at, (n,).
        truth, logits: their class numbers, (n,), and what the network that learns from them says now, (n, c).
    """
    label, confidence = stored.label[units].cpu().long(), stored.confidence[units].cpu()
    wrong = label.numpy() != truth
    if not gamma or wrong.all() or not wrong.any():
        return {}
    w = agreement(logits, label, confidence, gamma, gamma)
    return {
        "wrong": float(wrong.mean()), "auroc_weight": float(roc_auc_score(wrong, -w.numpy())),
        "auroc_confidence": float(roc_auc_score(wrong, -confidence.numpy())),
    }  # fmt: skip


def fit_missing(one: Callable[..., Row], jobs: list[Job], keys: tuple[str, ...], results: Path, processes: int) -> None:
    """Add a line to ``results`` for each job, ``one(*job)``, that has none yet; ``keys`` name a job's parts in it."""
    rows = [json.loads(line) for line in results.read_text().splitlines()] if results.exists() else []
    done = {tuple(row[key] for key in keys) for row in rows}
    jobs = [job for job in jobs if job not in done]
    with open(results, "a") as out, _mapping(processes) as mapping:
        for row in mapping(one, *zip(*jobs, strict=True)) if jobs else ():
            out.write(json.dumps(row) + "\n")
            out.flush()
            print(row, flush=True)


@contextmanager
def _mapping(processes: int) -> Iterator[Callable[..., Iterator[Row]]]:
    """``map``, in this process where one is enough."""
    if processes == 1:
        yield map
    else:
        with ProcessPoolExecutor(processes) as pool:
            yield pool.map
