"""What is done with the library in a trial: words of the command, where its results are, and what was there before."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from injected.warm import Trial

CACHE = "cache"
"""Name of the folder of the feature cache, in the folder of a trial."""

INPUT = "{input}"
"""What stands for the folder of the inputs, in words."""

SMALL = ("--steps", "3", "--folds", "2", "--repeats", "1", "--checkpoint-seconds", "0", "--resume", "--out", "out")


def environment(folder: Path, given: Path) -> dict[str, str]:
    """Variables of a trial: a cache of its own, and the key by which all trials seal their runs.

    Args:
        folder: folder of the trial.
        given: folder of the inputs.
    """
    return {"TUTELAGE_CACHE": str(folder / CACHE), "XDG_STATE_HOME": str(given.parent / "state")}


@dataclass(frozen=True)
class Scenario:
    """One use of the library.

    Attributes:
        name: its name.
        calls: word lists, as `Trial` has them; the folder of the inputs stands as `INPUT`.
        results: names of files and folders that it leaves, in the folder of the trial.
        after: names of the scenarios whose results it begins with.
        roots: names of the folders whose files count, in the folder of the trial.
        again: word lists of the repeat after a kill or a fault; empty repeats the calls.
        warm: whether the feature cache is full at the beginning.
    """

    name: str
    calls: Sequence[Sequence[str]]
    results: Sequence[str] = ("out",)
    after: Sequence[str] = ()
    roots: Sequence[str] = ("out", CACHE)
    again: Sequence[Sequence[str]] = field(default=())
    warm: bool = True

    def trial(self, folder: Path, given: Path, again: bool = False, **more: object) -> Trial:
        """A trial of it in a folder.

        Args:
            folder: folder that `begin` made.
            given: folder of the inputs.
            again: whether it is the repeat.
            more: further fields of the trial.
        """
        words = self.again if again and self.again else self.calls
        calls = [[word.replace(INPUT, str(given)) for word in each] for each in words]
        roots = more.pop("roots", [str(folder / name) for name in self.roots])
        return Trial(calls, str(folder), roots, environment=environment(folder, given), **more)  # type: ignore[arg-type]


def fit(method: str, *words: str) -> tuple[str, ...]:
    """Words of a small fit."""
    return ("fit", method, *words, *SMALL)


def _table(name: str, *words: str) -> tuple[str, ...]:
    return ("--train", f"{INPUT}/{name}.csv", "--test", f"{INPUT}/{name}_test.csv", *words)


TEXTS = (*_table("texts", "--text", "text", "--label", "label"), "--encoder", f"{INPUT}/encoder")
ROWS = _table("rows", "--label", "grower", "--features", "ash,alcohol")
IMAGES = ("--kind", "images", "--train", f"{INPUT}/images", "--test", f"{INPUT}/images_test", "--network", "small_cnn")
MASKS = (
    "--kind", "masks", "--train", f"{INPUT}/masks.parquet", "--test", f"{INPUT}/masks_test.parquet",
    "--network", "unet", "--images", "image", "--masks", "mask", "--size", "16", "16",
)  # fmt: skip
RULES = ("--rules", f"{INPUT}/rules.json")


def predict(run: str, table: str, output: str, *words: str) -> tuple[str, ...]:
    """Words that predict a table of the inputs."""
    return ("predict", run, "--input", f"{INPUT}/{table}", "--output", output, *words)


ALL = {
    each.name: each
    for each in (
        Scenario("fit drift, texts", [fit("drift", *TEXTS)]),
        Scenario("fit drift, texts, cold cache", [fit("drift", *TEXTS)], warm=False),
        Scenario("fit fixmatch, texts, fine-tuned", [fit("fixmatch", *TEXTS, "--finetune")]),
        Scenario("fit mean_teacher, rules", [fit("mean_teacher", *TEXTS, *RULES)]),
        Scenario("fit label_propagation, rows", [fit("label_propagation", *ROWS)]),
        Scenario("fit tri_training, rows", [fit("tri_training", *ROWS)]),
        Scenario("fit meta_pseudo_labels, rows", [fit("meta_pseudo_labels", *ROWS)]),
        Scenario("fit drift, images", [fit("drift", *IMAGES)]),
        Scenario("fit dmt, masks", [fit("dmt", *MASKS)]),
        Scenario(
            "encode", [("call", "injected.calls:encode", f"{INPUT}/encoder", f"{INPUT}/texts.csv", CACHE, "out.npy")],
            results=("out.npy",), warm=False, roots=(CACHE,),
        ),
        Scenario(
            "adapt",
            [("adapt", "--train", f"{INPUT}/marked.csv", "--text", "text", "--label", "label", "--encoder",
              f"{INPUT}/encoder", "--steps", "4", "--batch", "8", "--out", "out", "--resume")],
        ),
        Scenario(
            "predict, table", [predict("run", "texts_test.csv", "answers/a.csv")], results=("answers",),
            after=("fit drift, texts",), roots=("answers", "run", CACHE),
        ),
        Scenario(
            "predict, parquet", [predict("run", "rows_test.csv", "answers/a.parquet")], results=("answers",),
            after=("fit tri_training, rows",), roots=("answers", "run"),
        ),
        Scenario(
            "predict, masks", [predict("run", "masks.parquet", "answers", "--images", "image")], results=("answers",),
            after=("fit dmt, masks",), roots=("answers", "run"),
        ),
        Scenario(
            "audit",
            [("audit", "--train", f"{INPUT}/marked.csv", "--text", "text", "--label", "label", "--encoder",
              f"{INPUT}/encoder", "--out", "out")],
        ),
        Scenario("report", [("report", "run")], results=("run",), after=("fit drift, texts",), roots=("run",)),
        Scenario(
            "save", [("call", "injected.calls:save", f"{INPUT}/rows.csv", "run")], results=("run",), roots=("run",),
        ),
        Scenario(
            "save over a run", [("call", "injected.calls:save", f"{INPUT}/rows.csv", "run")], results=("run",),
            after=("fit tri_training, rows",), roots=("run",),
        ),
    )
}  # fmt: skip
"""The scenarios, by name."""


@dataclass(frozen=True)
class Place:
    """Where trials are done.

    Attributes:
        given: folder of the inputs.
        work: folder of the folders of the trials.
        kept: folder of the undisturbed results, by scenario.
    """

    given: Path
    work: Path
    kept: Path

    @classmethod
    def at(cls, folder: Path) -> Place:
        """A place in a folder."""
        return cls(folder / "input", folder / "work", folder / "kept")

    def begin(self, scenario: Scenario, name: str = "trial") -> Path:
        """Make the folder of a trial as it is at the beginning of a scenario."""
        folder = self.work / name
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        for before in scenario.after:
            shutil.copytree(self.kept / _slug(before) / "out", folder / "run")
        for result in {"answers"} & set(scenario.roots):
            if "masks" not in scenario.name:
                (folder / result).mkdir()
        full = self.kept / "full"
        if scenario.warm and full.exists():
            shutil.copytree(full, folder / CACHE)
        else:
            (folder / CACHE).mkdir()
        return folder

    def keep(self, scenario: Scenario, folder: Path) -> Path:
        """Keep the results of an undisturbed trial; the folder that holds them."""
        kept = self.kept / _slug(scenario.name)
        shutil.rmtree(kept, ignore_errors=True)
        kept.mkdir(parents=True)
        for name in scenario.results:
            (shutil.copytree if (folder / name).is_dir() else shutil.copy)(folder / name, kept / name)
        return kept


def _slug(name: str) -> str:
    return "".join(c if c.isalnum() else "_" for c in name)
