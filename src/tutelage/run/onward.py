"""A fit that goes on from a finished run: the run itself, and what the new run's summary says of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
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
from tutelage.kinds.copied import copied_of, kept_of_both
from tutelage.kinds.dataset import Dataset
from tutelage.kinds.grown import as_before, new_labels, pool_since
from tutelage.kinds.known_pool import POOL_KEYS, Remembered, kept
from tutelage.kinds.saved import require_finished
from tutelage.methods import Method
from tutelage.model import Model
from tutelage.ops.said import warn
from tutelage.run.finished import Finished
from tutelage.run.taken_over import ANEW
from tutelage.types import Say


@dataclass(frozen=True)
class Before:
    """The run that a fit goes on from.

    Attributes:
        run: the finished run.
        summary: its summary.
        remembered: hashes of its items and labels; None: it keeps none.
    """

    run: Finished
    summary: Mapping[str, Any]
    remembered: Remembered | None

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
        return Before(run, read_json(folder / "summary.json", Summary), kept(folder))

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

    def require_fits(self, kind: Kind, data: Dataset, method: Method | Auto) -> None:
        """Check that data can be gone on with: they have the run's classes and columns, and a pool where it had one.

        Args:
            kind: kind of the data, with what was settled of its options.
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
        for name in kind.ordered:
            now, was = getattr(kind, name), getattr(self.run.kind, name)
            if was and now != was:
                option = f"--{name.replace('_', '-')}"
                raise ValueError(
                    f"--from {folder} reads {', '.join(was)}, in this order, and {option} is now {', '.join(now)}: "
                    f"leave {option} out, {ANEW}"
                )
        if not len(data.items.pool) and method.uses_pool:
            raise ValueError(
                f"--from {folder} learnt from a pool of {self.summary['unlabelled']:,} {things}, and now there is "
                f"none: name the pool, old and new, as --unlabelled, {ANEW}"
            )

    def say(self, data: Dataset, say: Say) -> None:
        """Say from what the fit goes on, and warn where the run's pool is not there any more.

        Args:
            data: the data.
            say: told.
        """
        name, things = self.run.folder.name, self.run.kind.words.things
        pool = self.summary["unlabelled"]
        learnt = f"{self.summary['labelled']:,} labels and {f'a pool of {pool:,}' if pool else 'no pool of'} {things}"
        if self.start.labels_alone:
            tells = " A full fit tells what the pool is worth by now." if len(data.items.pool) else ""
            say(
                f"Going on from {name}, which had {learnt} and returned its labels-only model: the labels alone are "
                f"learnt.{tells}"
            )
        else:
            seen = "No new evidence is gathered, since its model has seen those labels."
            say(f"Going on from {name}, which had {learnt}. {seen}")
        if pool and not len(data.items.pool):
            say(f"The new run has no pool: name that of {name}, old and new {things}, as --unlabelled to keep it.")

    def told(self, kind: Kind, data: Dataset, fitted: Fitted, now: Model, remembered: Remembered) -> dict[str, Any]:
        """Entries of the summary on the run before, with its evidence, and on what changed since.

        Args:
            kind: kind of the data.
            data: data set that was learnt.
            fitted: outcome of the fit.
            now: fitted model, on the device where it was trained.
            remembered: hashes of the items and labels that were learnt.
        """
        model = as_before(self.model, now)
        about = self._evidence() | {"new_labels": new_labels(kind, data, fitted, model)}
        if self.remembered is not None and self.remembered.labelled.size:
            about["other_labels"] = remembered.others(self.remembered)
            about["labels_gone"] = remembered.without(self.remembered)
        if self.start.shares is not None and fitted.problem.y.ndim == 1:
            shares = shares_of(fitted.problem.y, len(data.classes), fitted.problem.unit_weights)
            about["moved_from"] = dict(zip(map(str, data.classes), shares.tolist(), strict=True))
        found: dict[str, Any] = {"before": about | {"words": self._words(about)}}
        if len(remembered.pool):
            known = None if self.remembered is None else self.remembered.pool
            found["changed"] = pool_since(kind, data, fitted, model, now, remembered.pool, known)
        return found

    def remembered_by(self, model: Model) -> Model:
        """A model that went on from this run's, with the prints of what this one had learnt beside its own."""
        return replace(model, known=kept_of_both(self.run.kind, model.known, self.model.known))

    def on_test(self, scores: Mapping[str, Any], now: Mapping[str, Any], kind: Kind) -> dict[str, Any]:
        """Entries of the summary on the run before, with its model's scores on the test.

        Args:
            scores, now: scores of the model before and of the model now, by name.
            kind: kind of the data.
        """
        score = self.model.task.score
        which, apart, things = "", scores.get("without_copies"), kind.words.things
        if apart is not None and score not in apart:
            says = f"All test {things} were learnt from, so that the test compares neither model with the other."
            return {"test": dict(scores), "test_words": says}
        if apart is not None:
            which, scores, now = " that were not learnt from", apart, now["without_copies"]
        says = (
            f"On the test {things}{which} the model before has {self.model.task.measure} {percent(scores, score)}, the "
            f"model now {percent(now, score)}."
        )
        return {"test": dict(scores), "test_words": says}

    def seen(self, kind: Kind, data: Dataset) -> Dataset:
        """The data, of whose test items those that this run's model learnt from are told, too, as copies.

        Args:
            kind: kind of the data.
            data: the data.
        """
        if not len(data.test):
            return data
        known, here = copied_of(kind, self.model, data.test), data.copied
        here = here if len(here) else np.zeros(len(known), dtype=np.int8)
        if count := int(((known > 0) & (here == 0)).sum()):
            words = kind.words
            are = f"{words.thing} of the test is one" if count == 1 else f"{words.things} of the test are ones"
            warn(f"{count:,} {are} that {self.run.folder.name} learnt from, or nearly.", stacklevel=2, page="copies")
        return replace(data, copied=np.maximum(known, here))

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
        labels, others, gone = about["new_labels"], about.get("other_labels", 0), about.get("labels_gone", 0)
        if labels or not others + gone:
            found.append(labels["words"] if labels else "No label is known to be new since then.")
        if others + gone:
            changed = [f"{others:,} {'is another' if others == 1 else 'are others'} now"] * bool(others)
            changed += [f"{gone:,} {'is' if gone == 1 else 'are'} not given any more"] * bool(gone)
            measured = "; the evidence is on what they were" if evidence else ""
            found.append(f"Of the labels that {about['run']} had, {' and '.join(changed)}{measured}.")
        return found


def seen_of(folder: Path) -> str:
    """Hash by which a run is known again when a stopped fit that goes on from it is resumed."""
    path = folder / MANIFEST
    return sha256_of(path if path.exists() else folder / "model" / "model.safetensors")
