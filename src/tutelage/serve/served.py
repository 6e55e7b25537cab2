"""The model that is served, and its replacement by that of a newer run, without a request that is lost."""

from __future__ import annotations

import hashlib
import json
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from tutelage.files.tensors import hash_of_tensors
from tutelage.model import Model
from tutelage.run.finished import Finished
from tutelage.serve.bodies import CSV, NAMES
from tutelage.types import Say


@dataclass(frozen=True)
class Place:
    """Where a run lies, and how it is loaded.

    Attributes:
        folder: folder of the run, or a link to one.
        trust: whether code of the user's own that the run names is imported.
        allow_encoder: name of an encoder that may be loaded from outside the run.
        options: options of the kind that replace those of the run, such as the column of the items.
        abstain: promise that must be possible: the share of wrong labels among those given; None asks for none.
    """

    folder: Path
    trust: bool = False
    allow_encoder: str | None = None
    options: Mapping[str, Any] = field(default_factory=dict)
    abstain: float | None = None

    def load(self, say: Say | None = None) -> Served:
        """The model that lies there now.

        Args:
            say: told what code is imported.

        Raises:
            FileNotFoundError, OSError: there is no such run, or its encoder is missing.
            BadFileError: a file of the run is damaged.
            ValueError: the run's items are files, or it does not name the columns of its items.
        """
        folder = self.folder.resolve() if self.folder.is_symlink() else self.folder  # it may lead elsewhere meanwhile
        run = Finished.read(folder, self.trust, say, self.allow_encoder, **self.options)
        kind = run.kind
        if kind.cell is None:
            raise ValueError(
                f"{self.folder}: {kind.words.things} are files, and requests hold cells of tables; this run reads "
                "files, so use tutelage predict"
            )
        kind.require_items(NAMES[CSV])
        kind.promise(run.model, self.abstain)
        run = replace(run, model=replace(run.model, cache=False))  # nothing of a request is kept
        named = [getattr(kind, name) for name in kind.item_columns]
        columns = [column for name in named for column in ([name] if isinstance(name, str) else name)]
        return Served(run, tuple(columns), folder.resolve().name, fingerprint(run.model))


@dataclass(frozen=True)
class Served:
    """A model that answers.

    Attributes:
        run: the finished run.
        columns: columns of the items.
        name: name of the run's folder.
        fingerprint: hash of the network, its temperature and the names of its classes.
    """

    run: Finished
    columns: tuple[str, ...]
    name: str
    fingerprint: str

    def words(self) -> str:
        """Words on what is served."""
        model, columns = self.run.model, ", ".join(self.columns[:8]) + ", ..." * (len(self.columns) > 8)
        things, classes = self.run.kind.words.things, len(model.classes)
        return f"{self.name}: {things} of {columns}, {classes} classes, model {self.fingerprint}"


def fingerprint(model: Model) -> str:
    """Hash of a model's network, its temperature and the names of its classes, of 16 letters."""
    parts = [hash_of_tensors(model.network.state_dict()), model.temperature, [str(c) for c in model.classes]]
    return hashlib.sha256(json.dumps(parts).encode()).hexdigest()[:16]


class Service:
    """What is served now.

    A request asks `current` once, and is answered by that model, also where another takes its place meanwhile.

    Args:
        place: where the run lies.
        say: told of what is loaded, and why it is not.
        heard: called with "done" or "refused" where another model was to take the place of the one that is served.

    Raises:
        FileNotFoundError, OSError, BadFileError, ValueError: see `Place.load`.
    """

    def __init__(self, place: Place, say: Say, heard: Callable[[str], object] = lambda outcome: None) -> None:
        self.place, self.say, self.heard = place, say, heard
        self.current = place.load(say)
        self._loading = threading.Lock()

    def reload(self) -> str | None:
        """Load the run again, and serve it from now on; where it cannot be, the model stays that is there.

        Returns:
            Why it cannot be; None where it is served.
        """
        with self._loading:
            try:
                found = self.place.load(self.say)
            except Exception as e:  # whatever is wrong with it, requests go on being answered
                why = " ".join(str(e).split()) or type(e).__name__
                self.say(f"Not loaded: {why}. {self.current.words()} stays.")
                self.heard("refused")
                return why
            self.current = found
            self.say(f"Loaded: {found.words()}.")
            self.heard("done")
            return None
