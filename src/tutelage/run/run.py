"""One run of the command fit: it reads the data, fits, saves the model, scores it and reports."""

from __future__ import annotations

from dataclasses import fields
from pathlib import Path
from typing import Any

import torch

from tutelage import engines, files
from tutelage.data.sources import cache_folder
from tutelage.files import BadFileError
from tutelage.files.described import Asked, Lines, Summary
from tutelage.files.whole import sha256_of
from tutelage.fit import machine
from tutelage.fit.auto import Auto
from tutelage.fit.defaults import pick_device
from tutelage.fit.fit import settings
from tutelage.fit.fit_rows import Wiring, fit_rows, require_unseen
from tutelage.fit.forecast import READING, account
from tutelage.fit.setup import FolderStore
from tutelage.fit.sparing import require_all_parted
from tutelage.kinds.base import Kind
from tutelage.kinds.contradictions import write_contradictions
from tutelage.kinds.dataset import Dataset
from tutelage.kinds.pool_folder import release
from tutelage.kinds.saved import plain_options
from tutelage.kinds.stored import in_files
from tutelage.kinds.summary import summarise
from tutelage.methods import Method
from tutelage.methods.own import code_of
from tutelage.modalities.base import Encodes
from tutelage.modalities.cache import encoding_by
from tutelage.ops.meter import metering, stage
from tutelage.ops.said import Heard, hearing
from tutelage.run.closing import closing
from tutelage.run.folder import PARTS, Folder
from tutelage.run.look import read_and_say, say_of_reader
from tutelage.run.onward import Before, seen_of
from tutelage.run.options import Options
from tutelage.run.results import conclude
from tutelage.run.taken_over import method_of
from tutelage.tables import Notes
from tutelage.tables.several import known_by
from tutelage.track import current, tracked
from tutelage.track.scores import parameters_of
from tutelage.types import Say, Tick

LATER = ("answers",)
"""Options that later versions added; run.json holds them of fits alone that have a value for them."""

APART = ("out", "resume", "checkpoint_seconds", "devices", "engine", "workers", "track", "track_to")
"""Options of a fit that change nothing of its outcome; run.json holds none of them."""

ONWARD = ("start", "trust", "allow_encoder")
"""Options of a fit that goes on from a run; run.json holds them of such a fit alone."""


def run(
    kind: Kind, options: Options, method: Method | Auto, say: Say, tick: Tick, tell: Say | None = None
) -> dict[str, Any]:
    """Do a whole run; the summary that was written.

    Args:
        kind: kind of the data, with its options.
        options: other options of the fit.
        method: method to fit, or "auto".
        say: called with sentences for the user.
        tick: called with the progress.
        tell: called with what was read of the files; None tells ``say``.

    Raises:
        DataError: a file cannot be learnt from; the message names file, row and column.
        FileExistsError: ``out`` exists and is not empty, or holds a run of other options.
        StoreError, ImportError: the store of the tracker cannot be used, or the tracker is not installed.
    """
    if options.track is None:
        return _run(kind, options, method, say, tick, tell)
    with tracked(options.track, options.track_to, beside=options.out.parent, say=say):
        return _run(kind, options, method, say, tick, tell)


def _run(
    kind: Kind, options: Options, method: Method | Auto, say: Say, tick: Tick, tell: Say | None
) -> dict[str, Any]:  # fmt: skip
    """Do a whole run, see `run`, which the tracker of this context follows."""
    with hearing(Heard(say)) as heard, metering() as meter, stage(READING):
        following = current()
        out, features = options.out, cache_folder() / "features"
        there = machine.folder_bytes(features)
        kind.how(options.asked)  # a value out of its range is said before the data are read
        kind.require_encoder()
        device = pick_device(options.device)
        folder = Folder(out, options.resume, "run.json", Asked, "summary.json")
        folder.require_free()
        before = None
        if options.start is not None:
            before = Before.read(options.start, options.trust, options.allow_encoder, say)
            method = method_of(method, options.start, say)
        notes = Notes()
        kind, data = read_and_say(kind, options.files, notes, tell or say, method.named_classes)
        settled = method.settled(data.items.task, data.items.weak)  # refused, if it cannot, before a folder is made
        require_all_parted(settled, kind.how(options.asked).training)
        wiring = kind.wiring(options.asked, data, isinstance(method, Auto))
        if before is not None:
            before.require_fits(kind, data, method)
            data = before.seen(kind, data)
            before.say(data, say)
        reader = wiring.reader if before is None else before.start.reader
        say_of_reader(reader, data, notes, tell or say)
        require_unseen(data.items, reader, wiring)
        engine = _engine(options, wiring, device, say)
        with encoding_by(engine), folder.opened(_fingerprint(kind, options, method, data), say) as finished:
            if finished:
                say(f"{out} is finished already")
                found: dict[str, Any] = files.read_json(out / "summary.json", Summary)
                if following is not None and following.again(out):
                    following.conclude(found, out)
                return found
            _resume_lines(heard, folder.parts / "said.json")
            write_contradictions(data.repeated, out)
            if following is not None:
                following.begin(out.resolve().name, parameters_of(kind, data, settled, options.asked, reader.says), out)
            fitted = fit_rows(
                data.items, wiring, method, features, device=device, store=FolderStore(folder.parts),
                tick=tick, say=heard.say, foretell=say, later=len(data.test), closing=closing(kind, data),
                start=None if before is None else before.start,
            )  # fmt: skip
            summary = summarise(kind, data, fitted) | {"read": notes.as_dict()}

            def told(page: int) -> dict[str, Any]:
                written = page + machine.folder_bytes(out, {PARTS}) + machine.folder_bytes(features) - there
                return account(meter.forecast, meter.spent(), machine.peak(), max(written, 0))

            conclude(out, summary, kind, data, fitted, heard, told, before)
            summary["seconds"] = round(sum(meter.spent().values()), 1)
            summary["peak_memory_mb"] = _peak_memory_mb()
            heard.write = None
            files.write_json(out / "summary.json", summary)
            folder.finish()
            if following is not None:
                following.conclude(summary, out)
            release(data.items.pool)
            return summary


def _engine(options: Options, wiring: Wiring, device: torch.device, say: Say) -> engines.Engine:
    """The engine that encodes the items; that of several workers is said.

    Raises:
        ValueError: no frozen encoder reads them, or it is not on the processor.
        ImportError: the engine is not installed.
    """
    if options.engine != engines.One.name:
        frozen = not wiring.whole and any(isinstance(r, Encodes) and r.encodes for r in wiring.readers)
        if not frozen or device.type != "cpu":
            why = f"--device is {device}" if frozen else "here there is none"
            raise ValueError(
                f"--engine {options.engine} is for items that a frozen encoder reads on the processor, and {why}; "
                "leave it out"
            )
    each, free = machine.resident(), machine.free_memory()
    room = None if free is None or not each else free // each
    found = engines.chosen(options.engine, options.workers, worthwhile=False, room=room)
    if found.name != engines.One.name:
        say(f"{found.workers} workers encode what is missing ({found.name}), each with memory of its own.")
    return found


def _peak_memory_mb() -> int | None:
    """Largest memory that this process has held, in MiB; None on Windows, which does not keep it."""
    found = machine.peak()
    return None if found is None else found >> 20


def _resume_lines(heard: Heard, path: Path) -> None:
    """Let lines be kept in a file of the run's parts, and go on with those that a stopped run kept there."""
    path.parent.mkdir(exist_ok=True)
    try:
        before = files.read_json(path, Lines)["said"] if path.exists() else []
    except BadFileError as e:
        heard.say(f"{e}. It is set aside as {files.set_aside(path).name}: lines of the stopped run are lost.")
        before = []
    heard.resume(before, lambda lines: files.write_json(path, {"said": lines}))


def _fingerprint(kind: Kind, options: Options, method: Method | Auto, data: Dataset) -> dict[str, Any]:
    """Options of a run, and hashes of its files; a run is resumed only where all of them are the same."""
    names = (f.name for f in fields(options) if f.name not in (*APART, *ONWARD, *LATER))
    asked: dict[str, Any] = {"format": files.FORMAT, "kind": kind.name}
    asked |= {f"kind.{name}": value for name, value in plain_options(kind).items()}
    asked |= {name: str(getattr(options, name)) for name in names}
    asked |= {"method": method.name} | {f"method.{k}": str(v) for k, v in settings(method).items()}
    asked |= {f"method's {name}": value for name, value in code_of(method).items()}
    if options.answers:
        asked["answers"] = [str(path) for path in options.answers]
        asked["content of answers"] = " ".join(map(sha256_of, options.answers))
    if options.start is not None:
        asked |= {name: str(getattr(options, name)) for name in ONWARD} | {"content of start": seen_of(options.start)}
    own = {name: getattr(kind, name, None) for name in ("rules", "describe")}
    if (encoder := getattr(kind, "encoder", None)) and Path(encoder).is_dir():
        asked["content of encoder"] = files.digest(Path(encoder))
    if (folder := getattr(kind, "teacher_run", None)) is not None:
        models = [path / "model.safetensors" for path in (folder / "model", folder)]
        own["teacher_run"] = next((path for path in models if path.exists()), None)
    for name, path in ({n: getattr(options, n) for n in ("train", "unlabelled", "test")} | own).items():
        if name == "unlabelled" and path is not None and in_files(data.items.pool, path):
            asked[f"content of {name}"] = str(known_by(path))
        elif path is not None and not path.is_dir():
            asked[f"content of {name}"] = sha256_of(path)
    items = kind.digests(data)
    for name in ("train", "unlabelled", "test"):
        path = getattr(options, name)
        there = f"content of {name}" in asked
        if path is not None and path.is_dir() and not items and not there:  # a folder of texts or of a saved data set
            asked[f"content of {name}"] = files.digest(path)
    return asked | {f"content of {name}": digest for name, digest in items.items()}
