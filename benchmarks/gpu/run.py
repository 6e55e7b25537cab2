"""Encoders trained whole, on a card: the runs of the protocols beside this file, unattended, in slices of time.

    python benchmarks/gpu/run.py --minutes 60           an hour of runs that are not done yet; call it again to go on
    python benchmarks/gpu/run.py --only ner camvid      of some protocols
    python benchmarks/gpu/run.py --dry                  two steps of each on little data: whether all would run here

adds a line for each run to benchmarks/results/gpu/NAME.jsonl, with the card's name; `tutelage bench table` makes tables
of it (--results). A run is begun where the longest run of its protocol so far would end in time; the first one of a
protocol always is. What is stopped is done again, what is done stays. --device auto takes the card where there is one.
"""

from __future__ import annotations

import argparse
import contextlib
import tempfile
import time
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path

from tutelage.bench.protocol import Protocol, data_root, read_protocol
from tutelage.bench.running import held, missing, record, run_all
from tutelage.fit.defaults import pick_device

HERE = Path(__file__).parent
RESULTS = HERE.parent / "results" / "gpu"
ROOM = 1_000_000
"""Memory of the processes in MB, of which there is one at a time."""


def protocols(only: Sequence[str] = ()) -> dict[str, Path]:
    """Files of the protocols by name."""
    found = {path.stem: path for path in sorted(HERE.glob("*.toml"))}
    unknown = [name for name in only if name not in found]
    if unknown:
        raise SystemExit(f"no protocol {unknown[0]!r}; there are {', '.join(found)}")
    return {name: found[name] for name in only or found}


def shrunk(protocol: Protocol) -> Protocol:
    """The same with two steps, one seed, two methods, and little data, as a rehearsal."""
    small = [s.model_copy(update={"labels": s.labels and 2}) for s in protocol.settings]
    few = {d.name: 3 * max(40, 4 * (d.kind == "images")) for d in protocol.data}
    return protocol.model_copy(
        update={
            "seeds": protocol.seeds[:1],
            "methods": (protocol.methods[0], protocol.methods[-1]),
            "controls": (), "variants": (),
            "steps": protocol.steps.model_copy(update={"steps": 2}),
            "settings": tuple({s.name: s for s in small}.values()),
            "data": tuple(d.model_copy(update={"pool": few[d.name], "scored": 20}) for d in protocol.data),
        }
    )  # fmt: skip


def seconds_of(rows: Sequence[dict[str, object]]) -> float:
    """Seconds of the longest run so far, with what is read and encoded around it; 0 before there is one."""
    return max((float(str(row["wall_seconds"])) for row in rows if "wall_seconds" in row), default=0.0)


def slice_of(path: Path, protocol: Protocol, out: Path, device: str, until: float) -> tuple[int, int, int]:
    """Do runs that are missing until a time of the monotonic clock; numbers that were done, have failed, and are left.

    Args:
        path: the protocol's file.
        protocol: the protocol.
        out: file of results.
        device: as torch names it.
        until: when the last run should have ended.
    """
    with held(out) as rows:
        done, failed, before = 0, 0, list(rows)
        todo = missing(protocol, before)
        for job in todo:
            start = time.monotonic()
            if (done or before) and start + seconds_of(before) > until:
                break
            with closing(run_all(protocol, data_root(path), [job], 1, ROOM, device=device)) as found:
                (row,) = list(found)
            before.append(row | {"wall_seconds": round(time.monotonic() - start, 1)})
            failed += record(before[-1:], out, lambda done: None)
            done += 1
            print(f"{protocol.name}: {job.data.name}, {job.setting.name}, seed {job.seed}, {job.learner}: "
                  f"{row.get('error') or row['score']}", flush=True)  # fmt: skip
    return done, failed, len(todo) - done


def main(words: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--minutes", type=float, default=60.0, help="no run is begun that would end later")
    parser.add_argument("--device", default="auto", help="auto, cuda, cuda:1, cpu")
    parser.add_argument("--only", nargs="+", default=[], help="names of protocols")
    parser.add_argument("--out", type=Path, default=RESULTS, help="folder of the results")
    parser.add_argument("--dry", action="store_true", help="two steps of each, into a temporary folder")
    a = parser.parse_args(words)
    device, until, failed = str(pick_device(a.device)), time.monotonic() + 60 * a.minutes, 0
    with contextlib.ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory())) if a.dry else a.out
        folder.mkdir(parents=True, exist_ok=True)
        print(f"on {device}, into {folder}", flush=True)
        for name, path in protocols(a.only).items():
            protocol = shrunk(read_protocol(path)) if a.dry else read_protocol(path)
            done, bad, left = slice_of(path, protocol, folder / f"{name}.jsonl", device, until)
            failed += bad
            print(f"{name}: {done} runs done, {bad} failed, {left} left", flush=True)
    return int(failed > 0)


if __name__ == "__main__":
    raise SystemExit(main())
