"""A fit that goes on from a finished run: the run itself, and what the new run's summary says of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from tutelage.files import MANIFEST, read_json
from tutelage.files.described import Summary
from tutelage.files.whole import sha256_of
from tutelage.fit.auto import Auto
from tutelage.fit.fit_rows import Fitted
from tutelage.fit.onward import LABELS_ALONE, Start
from tutelage.fit.prevalence import shares_of
from tutelage.fit.verdict import percent, returned_says
from tutelage.kinds.base import Kind
from tutelage.kinds.dataset import Dataset
from tutelage.kinds.grown import as_before, new_labels, pool_since
from tutelage.kinds.known_pool import POOL_KEYS, kept_keys
from tutelage.kinds.saved import require_finished
from tutelage.methods import Method
from tutelage.model import Model
from tutelage.run.finished import Finished
from tutelage.run.taken_over import ANEW
from tutelage.types import Say


@dataclass(frozen=True)
class Before:
    """The run that a fit goes on from.

    Attributes:
        run: the finished run.
        summary: its summary.
        keys: hashes of the items of its pool, ascending; None: it keeps none.
    """

    run: Finished
    summary: Mapping[str, Any]
    keys: np.ndarray | None

    @staticmethod
    def read(folder: Path, trust: bool, allow_encoder: str | None, say: Say) -> Before:
        """The run of a folder.

        Args:
            folder: folder of the run.
            trust, allow_encoder: as `Finished.read` takes them.
            say: told what code is imported.

        Raises:
            FileNotFoundError, BadFileError, UntrustedError, ValueError: as `Finished.read`.
        """
        run = Finished.read(folder, trust, say, allow_encoder)
        require_finished(folder, "summary.json", POOL_KEYS)
        return Before(run, read_json(folder / "summary.json", Summary), kept_keys(folder))

    @property
    def model(self) -> Model:
        """Its model."""
        return self.run.model

    @cached_property
    def start(self) -> Start:
        """Its model as a fit goes on from it."""
        summary, alone = self.summary, self.summary["returned"] in LABELS_ALONE
        reference = None if alone else self.run.reference()
        choice = (summary.get("reference") or {}).get("choice", "")
        return Start(
            self.model.network, self.model.reader, summary["returned"], choice, self.model.temperature,
            None if reference is None else reference.network, self._moved_from,
        )  # fmt: skip

    @property
    def _moved_from(self) -> np.ndarray | None:
        """Share of each class among the labels that its model was moved from, (c,); None where it was not moved."""
        found = self.summary.get("prevalence") or {}
        if found.get("moved"):
            shares = {name: each["labels"] for name, each in found["classes"].items()}
        else:
            shares = (self.summary.get("before") or {}).get("moved_from") or {}
        known = [shares.get(str(c)) for c in self.model.classes]
        return np.array(known, dtype=np.float64) if known and None not in known else None

    def require_fits(self, data: Dataset, method: Method | Auto) -> None:
        """Check that data can be gone on with: that they have the run's classes, and a pool where it had one.

        Args:
            data: the data.
            method: method by which the fit goes on.

        Raises:
            ValueError: they have not.
        """
        folder, things = self.run.folder, self.run.kind.words.things
        here, there = [str(c) for c in data.classes], [str(c) for c in self.model.classes]
        added, lacking = [c for c in here if c not in there], [c for c in there if c not in here]
        if added:
            raise ValueError(
                f"--from {folder} knows the classes {', '.join(there)}, but --train also has {', '.join(added)}: a new "
                "class is learnt by a fit that begins anew, without --from"
            )
        if lacking:
            raise ValueError(
                f"--from {folder} knows the classes {', '.join(there)}, but --train has no label of "
                f"{', '.join(lacking)}: give all labels, old and new, {ANEW}"
            )
        if here != there:
            raise ValueError(
                f"--from {folder} has its classes in another order, {', '.join(there)}: name them so, {ANEW}"
            )
        if not len(data.items.pool) and method.uses_pool:
            raise ValueError(
                f"--from {folder} learnt from a pool of {self.summary['unlabelled']:,} {things}, and now there is "
                f"none: name the pool, old and new, as --unlabelled, {ANEW}"
            )

    def say(self, say: Say) -> None:
        """Say from what the fit goes on."""
        name, things = self.run.folder.name, self.run.kind.words.things
        learnt = f"{self.summary['labelled']:,} labels and a pool of {self.summary['unlabelled']:,} {things}"
        if self.start.labels_alone:
            say(
                f"Going on from {name}, which had {learnt} and returned its labels-only model: the labels alone are "
                "learnt. A full fit tells whether the larger pool is worth more by now."
            )
        else:
            seen = "No new evidence is gathered, since its model has seen those labels."
            say(f"Going on from {name}, which had {learnt}. {seen}")

    def told(
        self, kind: Kind, data: Dataset, fitted: Fitted, now: Model, keys: np.ndarray
    ) -> dict[str, Any]:  # fmt: skip
        """Entries of the summary on the run before, with its evidence, and on what changed since.

        Args:
            kind: kind of the data.
            data: data set that was learnt.
            fitted: outcome of the fit.
            now: fitted model, on the device where it was trained.
            keys: hash of each item of the pool, (n,).
        """
        model = as_before(self.model, now)
        about = self._evidence() | {"new_labels": new_labels(kind, data, fitted, model)}
        if self.start.shares is not None and fitted.problem.y.ndim == 1:
            shares = shares_of(fitted.problem.y, len(data.classes), fitted.problem.unit_weights)
            about["moved_from"] = dict(zip(map(str, data.classes), shares.tolist(), strict=True))
        found: dict[str, Any] = {"before": about | {"words": self._words(about)}}
        if len(keys):
            found["changed"] = pool_since(kind, data, fitted, model, now, keys, self.keys)
        return found

    def on_test(self, scores: Mapping[str, Any], now: Mapping[str, Any], kind: Kind) -> dict[str, Any]:
        """Entries of the summary on the run before, with its model's scores on the test.

        Args:
            scores, now: scores of the model before and of the model now, by name.
            kind: kind of the data.
        """
        score = self.model.task.score
        says = (
            f"On the test {kind.words.things} the model before has {self.model.task.measure} {percent(scores, score)}, "
            f"the model now {percent(now, score)}."
        )
        return {"test": dict(scores), "test_words": says}

    def _evidence(self) -> dict[str, Any]:
        """What the run before was, and the evidence on its model: its own, or that of the run that it went on from."""
        summary, folder = self.summary, self.run.folder
        when = datetime.fromtimestamp((folder / "summary.json").stat().st_mtime).date().isoformat()
        found = {
            "run": folder.name, "when": when, "method": summary["method"], "returned": summary["returned"],
            "labelled": summary["labelled"], "unlabelled": summary["unlabelled"], "score": summary["score"],
            "versions": summary.get("versions"), "seen": summary.get("test"),
        }  # fmt: skip
        earlier = summary.get("before") or {}
        kept = ("evidence", "reference", "candidate", "evidence_of", "evidence_when", "fits_since", "says")
        if summary["evidence"] is None and earlier.get("evidence"):
            return found | {name: earlier.get(name) for name in kept} | {"fits_since": earlier["fits_since"] + 1}
        return found | {
            "evidence": summary["evidence"], "reference": summary.get("reference"),
            "candidate": summary.get("candidate"), "evidence_of": folder.name, "evidence_when": when, "fits_since": 1,
            "says": returned_says(summary),
        }  # fmt: skip

    def _words(self, about: Mapping[str, Any]) -> list[str]:
        """Sentences on the run before and the evidence on its model."""
        evidence, of = about["evidence"], about["evidence_of"]
        found = []
        if evidence:
            own = about[evidence["returned"]] or {}
            since = about["fits_since"]
            went = "" if since == 1 else f", {since} fits ago"
            found.append(
                f"The evidence is on the model of {of}{went} ({about['evidence_when']}), not on this one: on held-out "
                f"labels that ({about['says']}) had {evidence['measure']} {percent(own, about['score'])}. Of that fit "
                f"was said: “{evidence['words']}”"
            )
        else:
            found.append(f"{of}, from which this fit went on, gathered no evidence, and this fit gathered none.")
        labels = about["new_labels"]
        found.append(labels["words"] if labels else "No label is known to be new since then.")
        return found


def seen_of(folder: Path) -> str:
    """Hash by which a run is known again when a stopped fit that goes on from it is resumed."""
    path = folder / MANIFEST
    return sha256_of(path if path.exists() else folder / "model" / "model.safetensors")
