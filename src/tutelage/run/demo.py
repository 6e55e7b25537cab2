"""The command demo: a fit, or a comparison of methods, on real data with all but a few labels hidden."""

from __future__ import annotations

import shutil
import time
from pathlib import Path
from typing import Any

import pandas as pd
from scipy.stats import t as student_t

from tutelage.data import sources
from tutelage.files import write_json
from tutelage.files.whole import PART
from tutelage.fit.evidence import LEVEL
from tutelage.methods import METHODS
from tutelage.run import options
from tutelage.run.look import silent
from tutelage.run.run import run
from tutelage.run.screen import Screen
from tutelage.tables import DataError
from tutelage.types import Say, Tick

SHOWN = "drift"
"""Method of the single fit."""

COMPARED = ("supervised", "self_training", "mean_teacher", SHOWN)
"""Methods of the comparison."""

POOL = 400
"""Number of unlabelled items of the single fit, at most."""

SCORED = 300
"""Number of test items of the single fit, at most."""

READ: dict[str, Any] = {"max_length": 64}
"""Options for reading the texts of the single fit: few tokens, since news items name their topic early."""

MARK = "demo.json"
"""Name of the file that marks a folder as a demo's, finished or not."""

STEPS = 300
"""Optimiser steps of each training of the comparison."""


def demo(
    out: Path = Path("tutelage-demo"), *, full: bool = False, seeds: int = 3, labels: int = 10, pool: int = 2500
) -> None:
    """Fit DRIFT on real news with 10 labels a topic, and report on it.

    Args:
        out: folder for tables, models and reports; made anew.
        full: compare four methods over several draws of the labels; takes minutes.
        seeds: number of draws of the labels in the comparison.
        labels: number of labels kept of each class.
        pool: number of unlabelled texts in the comparison, at most.
    """
    screen = Screen()
    with screen.ticking() as bar:
        if full:
            rows, words = compared(out, seeds, labels, pool, screen.tell, bar)
        else:
            words = shown(out, labels, screen.tell, bar)
    if full:
        header = ("method", "labels only", "with the pool", "returned", "pool used", "seconds a fit")
        title = "Test accuracy, %: mean ± standard deviation over the seeds"
        screen.table(header, cells_of(rows), title)
    for line in words.split("\n"):
        screen.tell(line)


def shown(out: Path, labels: int, say: Say, tick: Tick) -> str:
    """Run the single fit of the demo, with evidence and report.

    Args:
        out: folder for tables, model and report.
        labels: number of labels kept of each class.
        say: called with sentences for the user.
        tick: called with the progress.

    Returns:
        Sentences on the outcome.
    """
    prepare(out)
    table, columns, about = _data(say)
    tables = hide(table, labels, POOL, 0, SCORED)
    count = f"{len(tables['labelled'])} labels ({labels} a class)"
    say(f"{about}: {count} are kept, {len(tables['unlabelled'])} items have none, {len(tables['test'])} are scored on.")
    more = READ if "text" in columns else {}
    summary, _ = _fit(out / "run", SHOWN, 0, tables, columns, say, tick, **more)
    write_json(out / MARK, {"complete": True, "method": SHOWN, "labels_a_class": labels})
    say("")
    say(f"The model and its report are in {out / 'run'}: open {out / 'run' / 'report.html'}.")
    say("Next: tutelage fit drift --train mine.csv --text text --label label --out run")
    say("Compare methods over several draws of the labels: tutelage demo --full")
    return f"{summary['evidence']['words']}\n\n{verdict(summary)}"


def verdict(summary: dict[str, Any]) -> str:
    """Sentences that compare both models on the test items, and say whether the pool was used and helped there."""
    test, score = summary["test"], summary["score"]
    alone, pooled = (test[f"{name}_{score}"] for name in ("reference", "candidate"))
    spread = sum(p * (1 - p) for p in (alone, pooled)) / test["rows"]  # of two models that err apart; these err alike
    half = student_t.ppf((1 + LEVEL) / 2, test["rows"]) * spread**0.5
    gain = f"{100 * (pooled - alone):+.1f} points, ± {100 * half:.1f} at most"
    used = summary["returned"] == "candidate"
    if pooled == alone:
        came = f"was {'used' if used else 'left out'}, and there it changed nothing"
    elif used:
        came = f"was used, and there it {'helped' if pooled > alone else 'hurt'}: {gain}"
    elif pooled > alone:
        came = f"was left out, though there it helped: {gain}"
    else:
        came = f"was left out, and there it hurt: {gain}"
    shares = f"{100 * alone:.1f} % right from the labels alone, {100 * pooled:.1f} % with the pool"
    return f"Of {test['rows']} {summary['things']} held back, {shares}. The pool {came}."


def compared(out: Path, seeds: int, labels: int, pool: int, say: Say, tick: Tick) -> tuple[pd.DataFrame, str]:
    """Run the demo's comparison: every method on every seed.

    Args:
        out: folder for tables, models and reports.
        seeds: number of draws of the labels.
        labels: number of labels kept of each class.
        pool: number of unlabelled items, at most.
        say: called with sentences for the user.
        tick: called with the progress.

    Returns:
        A table with a row for each fit, and sentences on the outcome.

    Raises:
        FileExistsError: ``out`` holds something other than an earlier demo.
    """
    prepare(out)
    table, columns, about = _data(say)
    say(f"{about}: {labels} labels a class are kept, the others hidden, and {pool} items sampled for the pool.")
    rows = []
    for seed in range(seeds):
        tables = hide(table, labels, pool, seed)
        for name in COMPARED:
            say(f"-- seed {seed}, {name}")
            start = time.perf_counter()
            summary, _ = _fit(out / f"{name}-seed{seed}", name, seed, tables, columns, say, tick, steps=STEPS)
            rows.append(
                {
                    "method": name,
                    "seed": seed,
                    "reference": summary["test"]["reference_accuracy"],
                    "candidate": summary["test"]["candidate_accuracy"],
                    "returned": summary["test"]["accuracy"],
                    "used": summary["returned"] == "candidate",
                    "seconds": time.perf_counter() - start,
                }
            )
    write_json(out / MARK, {"complete": True, "labels_a_class": labels, "rows": rows})
    frame = pd.DataFrame(rows)
    return frame, f"{_words(frame)} One report: {out / f'{SHOWN}-seed0' / 'report.html'}"


def prepare(out: Path) -> None:
    """Make the demo's folder, or empty that of an earlier demo, finished or not.

    Raises:
        FileExistsError: the folder holds something other than an earlier demo.
    """
    if out.exists():
        held = {path.name for path in out.iterdir()} if out.is_dir() else {""}
        strange = {name for name in held if not (name.startswith(MARK) and name.endswith(PART))}
        if MARK not in held and strange:  # one that was stopped while it wrote the mark leaves a part of it
            raise FileExistsError(f"{out} exists and holds no earlier demo; choose another folder")
    out.mkdir(parents=True, exist_ok=True)
    write_json(out / MARK, {"complete": False})
    for path in out.iterdir():
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path)
        elif path.name != MARK:
            path.unlink()


def _data(say: Say) -> tuple[pd.DataFrame, dict[str, str], str]:
    """Table of real data, the options that name its columns, and its name; digits where texts cannot be fetched."""
    try:
        file, columns, about = sources.get("r8")[0], {"text": "text"}, "Reuters news in 8 topics (r8)"
    except DataError as e:
        say(f"Digits instead of texts: {e}")
        file, columns, about = sources.get("digits")[0], {"features": "pixel"}, "Handwritten digits"
    table = pd.read_parquet(file)
    items = [c for c in table.columns if c.startswith(tuple(columns.values()))]
    first = table.sort_values("split", ascending=False, kind="stable").drop_duplicates(items)  # those of "train" stay
    return table.loc[first.index.sort_values()], columns | {"label": "label"}, about


def hide(table: pd.DataFrame, labels: int, pool: int, seed: int, scored: int | None = None) -> dict[str, pd.DataFrame]:
    """Tables for a fit with few labels: "labelled", "unlabelled" and "test".

    Args:
        table: table with the columns label and split.
        labels: number of labels kept of each class.
        pool: number of training rows sampled for the pool; those that keep their label are taken out.
        seed: seed of the draw of the labels; the pool's sample is the same for all seeds.
        scored: number of test rows, at most; None takes all.
    """
    train, test = table[table.split == "train"], table[table.split == "test"]
    kept = train.groupby("label", group_keys=False).sample(labels, random_state=seed)
    rest = train.sample(min(pool, len(train)), random_state=0)
    rest = rest[~rest.index.isin(kept.index)]
    test = test if scored is None or len(test) <= scored else test.sample(scored, random_state=0)
    return {"labelled": kept, "unlabelled": rest, "test": test}


def _fit(
    folder: Path, name: str, seed: int, tables: dict[str, pd.DataFrame], columns: dict[str, str], say: Say,
    tick: Tick, **more: Any,
) -> tuple[dict[str, Any], Any]:  # fmt: skip
    """Fit on tables, which are written beside the run's folder; the summary of the run, and its kind of data."""
    within = folder.parent / "tables"
    within.mkdir(exist_ok=True)
    files = {part: within / f"{part}-seed{seed}.csv" for part in tables}
    for part, frame in tables.items():
        frame.drop(columns="split").to_csv(files[part], index=False)
    kind, asked = options.given(
        train=files["labelled"], out=folder, unlabelled=files["unlabelled"], test=files["test"], seed=seed, repeats=1,
        **columns, **more,
    )  # fmt: skip
    return run(kind, asked, METHODS[name](), say, tick, silent), kind


def cells_of(rows: pd.DataFrame) -> list[list[str]]:
    """Cells of the table of the comparison, a line for each method: means over the seeds, in percent."""
    lines = []
    for name in COMPARED:
        mine = rows[rows.method == name]
        cells = [
            f"{100 * mine[c].mean():.1f}" + (f" ± {100 * mine[c].std():.1f}" if len(mine) > 1 else "")
            for c in ("reference", "candidate", "returned")
        ]
        lines.append([name, *cells, f"{int(mine.used.sum())} of {len(mine)}", f"{mine.seconds.mean():.0f}"])
    return lines


def _words(rows: pd.DataFrame) -> str:
    """Sentence on the method that returned the best models, with its gain over the labels alone."""
    best = rows.groupby("method").returned.mean().idxmax()
    mine = rows[rows.method == best]
    gain = 100 * (mine.returned - mine.reference)
    words = f"{best} returned the best models: {gain.mean():+.1f} points over the labels alone"
    if len(gain) > 1:
        half = student_t.ppf((1 + LEVEL) / 2, len(gain) - 1) * gain.std() / len(gain) ** 0.5
        interval = f"{gain.mean() - half:+.1f} to {gain.mean() + half:+.1f}"
        words += f" (90 % interval over {len(gain)} paired seeds {interval})"
    return words + "."
