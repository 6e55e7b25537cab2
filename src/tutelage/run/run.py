"""One run of the command line: read, say what will be done, fit, save, score, report."""

from __future__ import annotations

import hashlib
import resource
import shutil
import time
from collections.abc import Callable
from dataclasses import asdict
from functools import partial
from typing import Any

import numpy as np
import torch

from tutelage import files as checkpoint
from tutelage.data.sources import cache_folder
from tutelage.fit import build, defaults
from tutelage.fit.auto import Auto
from tutelage.fit.fit import fit, settings, threads, without_pool
from tutelage.fit.problem import Plan, Problem
from tutelage.fit.recorded import Gains, recorded_prior
from tutelage.fit.store import FolderStore
from tutelage.kinds import ImageInputs, Inputs, read
from tutelage.methods import Drift, Method
from tutelage.methods.base import labels_kept
from tutelage.modalities import READERS
from tutelage.modalities.base import Encodes, Reader
from tutelage.modalities.encoder import load_encoder
from tutelage.modalities.images.networks import load_backbone
from tutelage.modalities.images.reader import ImageReader, PixelReader, picture_key
from tutelage.model import Model
from tutelage.run.options import Request
from tutelage.run.results import conclude, summarise
from tutelage.train import Training, predict, time_a_step
from tutelage.types import Tick

Say = Callable[[str], None]


def run(request: Request, method: Method, say: Say, tick: Tick) -> dict[str, Any]:
    """Do the whole run and return the summary that was written.

    Raises:
        DataError: something is wrong with the user's files; said with file, row and column.
        FileExistsError: ``out`` exists and is not empty, or holds a run of other options.
    """
    start = time.perf_counter()
    (training, plan), device = request.how(), defaults.pick_device(request.device)
    _refuse_full_folder(request)
    inputs = read(request, say)
    settled = method.settled(inputs.items.task, request.weak)
    reader = reader_of(request, inputs)
    if _open_folder(request, method, inputs):
        say(f"{request.out} is finished already")
        summary: dict[str, Any] = checkpoint.read_json(request.out / "summary.json", "evidence")
        return summary
    method = without_pool(settled, inputs.items.pool)
    if settled.uses_pool and not method.uses_pool:
        say(f"There are no unlabelled {inputs.things}: only the labels are learnt from.")
    if request.weak and not len(inputs.items.labelled):
        say("No row has a clean label: nothing can measure whether this helps. Some 30 labels a class would.")
    say(about_reading(reader.to(device), inputs, request, device))
    problem = build.read(
        inputs.items, reader, method.views, request.finetune, cache_folder() / "features", device,
        lambda done, total: tick("encoding", done, total),
    )  # fmt: skip
    method.ready(problem.pool, tick)
    if request.steps is None:
        training = defaults.long_enough(training, method, problem)
    if isinstance(method, Auto):
        say(_search(method, problem, training))
    else:
        say(_intention(request, method, problem, training, plan))
    kind = defaults.kind_of_record(inputs.kind, request.weak, request.finetune, request.network)
    prior = recorded_prior(method.name, kind)
    store, known = FolderStore(request.out / "parts"), partial(Gains.recorded, kind=kind)
    outcome = fit(problem, method, training, prior, plan, store, tick, known)

    model = Model(list(inputs.classes), outcome.network.cpu(), reader.to("cpu"))
    summary = summarise(request.task, inputs, outcome, training)
    summary |= {"encoder": request.network or request.encoder, "finetuned": request.finetune}
    conclude(request.out, summary, model, inputs, outcome)
    summary["seconds"] = round(time.perf_counter() - start, 1)
    summary["peak_memory_mb"] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
    checkpoint.write_json(request.out / "summary.json", summary)
    shutil.rmtree(request.out / "parts", ignore_errors=True)
    return summary


def reader_of(request: Request, inputs: Inputs) -> Reader:
    """What reads the user's items, as asked for."""
    if isinstance(inputs, ImageInputs):
        if request.network:
            return PixelReader(request.network, inputs.size, request.flip)
        return ImageReader(load_backbone(inputs.size[0]), request.flip)
    assert request.encoder is not None
    return READERS["words" if request.task == "tagging" else "text"](load_encoder(request.encoder, request.max_length))


def _refuse_full_folder(request: Request) -> None:
    """FileExistsError where ``out`` is no folder for this run; said before the data are read."""
    out = request.out
    if out.exists() and not out.is_dir():
        raise FileExistsError(f"{out} exists and is not a folder")
    if out.exists() and any(out.iterdir()):
        if not request.resume:
            raise FileExistsError(f"{out} exists and is not empty; choose another folder, or --resume the run in it")
        if not (out / "run.json").exists():
            raise FileExistsError(f"{out} holds no run to resume (run.json is missing)")


def _open_folder(request: Request, method: Method, inputs: Inputs) -> bool:
    """Make the folder, or check that it holds this very run; True when that is finished."""
    out, asked = request.out, _fingerprint(request, method, inputs)
    if (out / "run.json").exists():
        before = checkpoint.read_json(out / "run.json", "method", "task")
        changed = sorted(k for k in asked | before if asked.get(k) != before.get(k))
        if changed:
            raise FileExistsError(f"{out} holds a run with other settings; different: {', '.join(changed)}")
        return (out / "summary.json").exists()
    out.mkdir(parents=True, exist_ok=True)
    checkpoint.write_json(out / "run.json", asked)
    return False


def _fingerprint(request: Request, method: Method, inputs: Inputs) -> dict[str, Any]:
    """What a resumed run must have in common with the stopped one."""
    asked = {k: str(v) for k, v in asdict(request).items() if k not in ("out", "resume", "checkpoint_seconds")}
    asked |= {"method": method.name} | {f"method.{k}": str(v) for k, v in settings(method).items()}
    for name in ("train", "unlabelled", "test", "rules"):
        path = getattr(request, name)
        if path is not None and not path.is_dir():
            asked[f"content of {name}"] = hashlib.sha256(path.read_bytes()).hexdigest()
    if isinstance(inputs, ImageInputs):
        items = inputs.items
        for name, sources, y in (
            ("images", items.labelled, items.y),
            ("pool", items.pool, ()),
            ("test images", inputs.test, inputs.truth),
        ):
            digest = hashlib.sha256(np.asarray(y).tobytes())
            for source in sources:
                digest.update(picture_key(source))
            asked[f"content of {name}"] = digest.hexdigest()
    return asked


def about_reading(reader: Reader, inputs: Inputs, request: Request, device: torch.device) -> str:
    """What the items are shown to; for an encoder how many are to be encoded and about how long that takes."""
    if not isinstance(reader, Encodes):
        h, w = reader.size if isinstance(reader, PixelReader) else (0, 0)
        return f"Training {request.network} from nothing on images of {w} x {h} pixels, on {device}."
    items = [*inputs.items.labelled, *([] if request.finetune else inputs.items.pool)]
    count, seconds = reader.pending(items, cache_folder() / "features")
    left = f"{count} {inputs.things} to encode, about {duration(seconds)}" if count else "all features are in the cache"
    return f"Reading with {request.encoder} on {device}: {left}."


def _search(auto: Auto, problem: Problem, training: Training) -> str:
    """What "auto" is about to do."""
    with threads(problem.threads):
        network = problem.network(0).to(problem.device)
        seconds = time_a_step(Drift(), problem.task, network, problem.loader(), training) * training.steps
    return (
        f"Choosing a method for {len(problem.labelled)} labels and a pool of {len(problem.pool)}: at most "
        f"{auto.budget:g} trainings of {training.steps} steps, about {duration(seconds * auto.budget)}."
    )


def _intention(request: Request, method: Method, problem: Problem, training: Training, plan: Plan) -> str:
    network = problem.network(0).to(problem.device)
    with threads(problem.threads):
        loader = (
            problem.loader() if problem.weak is None
            else problem.game(method.anchored) if method.uses_pool
            else problem.stage_one()
        )  # fmt: skip
        per_step = time_a_step(method, problem.task, network, loader, training)
        start = time.perf_counter()
        predict(network, problem.task, problem.pool.subset(np.arange(min(len(problem.pool), 64))))
        per_row = (time.perf_counter() - start) / 64
    labellings = (method.training_rounds - 1) * len(method.rule.movers) * labels_kept(method)
    relabelling = per_row * len(problem.pool) * labellings
    count, weak = len(problem.labelled), problem.weak is not None
    folds = len(problem.folds(plan, training.seed))
    fits = 1 + folds * (not weak)
    check = f"{folds} of them on parts of the labels, for the evidence" if folds else "no evidence gathered"
    if weak:
        check = "stage I comes before; the clean labels are only looked at"
    contenders = 1 + len(problem.decays) * (folds > 0)
    seconds = (per_step * training.steps + relabelling) * fits * contenders * (1 + weak)
    each = np.unique(problem.y, return_counts=True)[1]
    spread = f"{each.min()} to {each.max()} a class, " if len(problem.y) == count > 0 else ""
    return (
        f"Training {method.name} on {count} labels ({spread}{problem.task.classes} classes) and a pool of "
        f"{len(problem.pool)}: {fits} training{'s' * (fits > 1)} of {training.steps} steps ({check}), "
        f"about {duration(seconds)}."
    )


def duration(seconds: float) -> str:
    """A time for people.

    >>> duration(4), duration(100), duration(7000)
    ('4 seconds', '2 minutes', '1.9 hours')
    """
    if seconds < 90:
        count = max(round(seconds), 1)
        return f"{count} second{'s' * (count > 1)}"
    return f"{round(seconds / 60)} minutes" if seconds < 5400 else f"{seconds / 3600:.1f} hours"
