"""What each JSON of a run holds, and the one way to read it."""

from __future__ import annotations

import json
import stat
from functools import lru_cache
from pathlib import Path
from typing import (
    Any,
    NotRequired,  # pydantic takes those of Python 3.12 or newer alone
)

from typing_extensions import TypedDict

from tutelage.files.errors import REMEDY, VOUCHED, BadFileError
from tutelage.files.whole import HASH, hash_of, naming

LONGEST = 1 << 29
"""Number of bytes of a file of JSON, at most."""

Plain = dict[str, Any]
"""An object of JSON of which nothing more is said here."""


class Asked(TypedDict):
    """run.json: the options of a run; those of the kind begin with "kind.", those of the method with "method."."""

    method: str
    format: NotRequired[int]
    kind: NotRequired[str]
    task: NotRequired[str]  # version 0.1 named the kind so


class PartsAbout(TypedDict):
    """about.json of a table that is written in parts: what it is made of."""

    about: Plain


class PartTold(TypedDict):
    """The file beside a part of a table: its CRC-32, the number of its rows, and of those of each class."""

    rows: int
    crc: int
    counts: list[int]


class Score(TypedDict):
    """A score on held-out labels, and its 90 % interval."""

    score: float
    low: float
    high: float


class Weighed(TypedDict):
    """What the held-out labels say of a model against the labels-only one, see `fit.evidence.Evidence`."""

    labels: int
    reference: Score
    candidate: Score
    difference: float
    error: float
    harm: float
    low: float
    high: float
    observed: float
    resolution: float
    measure: str
    returned: str
    tried: str
    words: str
    prior: Plain
    called: NotRequired[str]
    refused: NotRequired[str]
    clusters: NotRequired[int | None]
    worth: NotRequired[float | None]


Commonest = TypedDict("Commonest", {"class": str | int | float | bool, "share": float})
"""The commonest class, and its share, which is the accuracy of whoever always says it."""


class Moved(TypedDict):
    """How common the classes are in the pool, see `fit.prevalence`."""

    apart: float
    declared: bool
    moved: bool
    classes: dict[str, dict[str, float | None]]
    words: NotRequired[list[str]]


class Looked(TypedDict):
    """Where two models disagree about the pool, see `fit.pool_look`."""

    disagree: float
    held_out: float
    allowed: float
    far: bool
    diverged: bool
    leans: bool
    refused: bool
    classes: dict[str, dict[str, float | None]]


class Measured(TypedDict):
    """Scores of a model; the score itself stands under its name."""

    interval: NotRequired[list[float] | None]
    rows: NotRequired[int]
    measure: NotRequired[str]
    accuracy: NotRequired[float | None]
    f1: NotRequired[float | None]
    miou: NotRequired[float | None]
    macro_f1: NotRequired[float | None]
    dice: NotRequired[float]
    iou_by_class: NotRequired[list[float | None]]
    commonest: NotRequired[Commonest | None]
    choice: NotRequired[str]
    unread: NotRequired[int]
    words: NotRequired[str]


class Read(TypedDict):
    """What was read of the files, see `run.look`."""

    files: list[Plain]
    says: list[str]
    questions: list[Plain]
    faults: list[Any]
    facts: Plain


class Calibrated(TypedDict):
    """The temperature of a model, and its calibration before and after."""

    temperature: float
    labels: int
    words: str
    before: dict[str, float] | None
    after: dict[str, float] | None


class Said(TypedDict):
    """A line that a fit said."""

    words: str
    kind: str


class Lines(TypedDict):
    """said.json: lines that an unfinished fit said."""

    said: list[Said]


class TrackedRun(TypedDict):
    """tracked.json: the tracker that follows a fit, and the id of the run there."""

    tracker: str
    id: str


class Other(TypedDict):
    """One of the models of which a student learnt."""

    says: str
    score: float
    share: NotRequired[float | None]


class Foretold(TypedDict):
    """What was predicted, and what was found; None where nobody knows."""

    predicted: float | None
    found: float | None


class StageCost(TypedDict):
    """Seconds of a stage of a run, as they were predicted and found."""

    name: str
    predicted: float | None
    found: float | None


class Costs(TypedDict):
    """What a run was predicted to take and what it took."""

    before: NotRequired[float]
    seconds: Foretold
    memory_mb: Foretold
    disk_mb: Foretold
    stages: list[StageCost]


class Summary(TypedDict):
    """summary.json: the outcome of a fit."""

    method: str
    score: str
    measure: str
    classes: list[str | int | float | bool]
    labelled: int
    unlabelled: int
    returned: str
    evidence: Weighed | None
    format: NotRequired[int]
    kind: NotRequired[str]
    settings: NotRequired[Plain]
    training: NotRequired[Plain]
    things: NotRequired[str]
    reference: NotRequired[Measured]
    candidate: NotRequired[Measured]
    commonest: NotRequired[Commonest | None]
    student_share: NotRequired[float | None]
    prevalence: NotRequired[Moved | None]
    pool: NotRequired[Looked | None]
    tried: NotRequired[str]
    idle: NotRequired[bool]
    note: NotRequired[str]
    selection: NotRequired[list[Plain]]
    shares: NotRequired[dict[str, float]]
    models: NotRequired[list[Other]]
    encoders: NotRequired[list[Plain]]
    calibration: NotRequired[Calibrated | None]
    seed: NotRequired[int]
    versions: NotRequired[dict[str, str]]
    encoder: NotRequired[str]
    reading: NotRequired[str]
    finetuned: NotRequired[bool]
    partial: NotRequired[bool]
    copies: NotRequired[Plain]
    pseudo_labels: NotRequired[list[Guessed]]
    sample: NotRequired[Drawn]
    outlook: NotRequired[Outlook]
    read: NotRequired[Read]
    size: NotRequired[list[int] | None]
    test: NotRequired[Measured | None]
    test_reference: NotRequired[Measured]
    test_candidate: NotRequired[Measured]
    test_without_copies: NotRequired[Measured]
    weak: NotRequired[Plain | None]
    said: NotRequired[list[Said]]
    seconds: NotRequired[float]
    peak_memory_mb: NotRequired[int | None]
    cost: NotRequired[Costs]
    before: NotRequired[Plain]
    changed: NotRequired[Plain]


def labels_only_score(summary: Summary) -> float:
    """Held-out score of the labels-only model, in [0, 1]; 0 where a run has none.

    Args:
        summary: summary of the run.

    >>> labels_only_score({"score": "accuracy", "reference": {"accuracy": 0.75}})
    0.75
    """
    found: Any = (summary.get("reference") or {}).get(summary.get("score", ""))
    return min(max(float(found or 0), 0.0), 1.0)


class Drawn(TypedDict):
    """What the labels that were drawn at random say, see `kinds.sample`."""

    chosen: int
    drawn: int
    words: list[str]
    interval: NotRequired[list[float]]
    shares: NotRequired[dict[str, list[float]]]


class Outlook(TypedDict):
    """What more labels are likely to bring, see `ask.enough.Outlook`; points of the curve are pairs of numbers."""

    curve: list[list[float]]
    more: list[int]
    gain: list[float]
    low: list[float]
    high: list[float]
    per_minute: list[float]
    stop: bool
    room: NotRequired[bool]
    sets: int
    words: str


class Guessed(TypedDict):
    """What became of the pseudo-labels of a training, see `fit.confirmation`."""

    training: str
    method: str
    pool: int
    every: int
    followed: int
    learnt: int
    unrevised: int
    in_use: int
    classes: dict[str, dict[str, float]]
    flips: list[Plain]
    words: list[str]
    alarm: str


class Bin(TypedDict):
    """Predictions of about one probability: their mean, the share that is right, and their number."""

    probability: float | None
    right: float | None
    count: int


class Reliability(TypedDict):
    """A reliability diagram, and the calibration error."""

    bins: list[Bin]
    error: NotRequired[float]


class Unsure(TypedDict):
    """An item of the pool of which the model is not sure."""

    pieces: list[tuple[str, str | None]]
    label: str | None
    probability: float
    whole: NotRequired[str | None]
    image: NotRequired[str]


class Records(TypedDict):
    """records.json: what the report and the plots are drawn from."""

    history: list[dict[str, float]]
    summary: Summary
    curve: NotRequired[list[list[float]]]
    confusion: NotRequired[list[list[int]]]
    calibration: NotRequired[Reliability]
    rows: NotRequired[str]
    least_sure: NotRequired[list[Unsure]]
    pool_classes: NotRequired[dict[str, float]]
    colours: NotRequired[list[str]]
    shown: NotRequired[list[Plain]]


class Described(TypedDict):
    """model.json: how a network is made into which the weights are loaded."""

    format: int
    classes: list[str | int | float | bool]
    task: NotRequired[str]  # version 0.1 had none of these
    reader: NotRequired[Plain]
    temperature: NotRequired[float]


class Learnt(TypedDict):
    """learnt.json: marks of the items whose labels a model learnt."""

    items: list[str]


class Adapted(TypedDict):
    """tutelage.json: how an encoder was adapted."""

    format: int
    encoder: str
    adapted: str
    seen: NotRequired[list[str]]


class AdaptAsked(TypedDict):
    """adapt.json: the options by which an encoder is adapted."""

    by: str
    format: NotRequired[int]
    seed: NotRequired[int]


class Lexical(TypedDict):
    """lexicon.json: settings and vocabulary of a lexical encoder."""

    settings: Plain
    words: list[str]
    characters: list[str]


def read_json(path: Path, description: Any) -> Any:
    """The JSON object in a file, after a check that it holds what it should.

    Args:
        path: the file.
        description: one of the classes of this module; entries that it does not name are let through.

    Raises:
        FileNotFoundError: there is no such file.
        BadFileError: the file is no JSON, lacks an entry, or holds one of another type; the message names the entry.
    """
    try:
        with naming(path):
            value = json.loads(_text(path))
    except RecursionError as e:
        raise BadFileError(f"{path}: not written by tutelage, or damaged (nested too deep); {REMEDY}") from e
    except UnreadableError:
        raise
    except ValueError as e:  # no JSON, no UTF-8, or a number of too many digits
        raise BadFileError(f"{path}: damaged: not readable as JSON ({e}); {REMEDY}") from e
    if isinstance(value, dict) and not _fits_its_hash(value):
        raise BadFileError(f"{path}: damaged: its contents are not those that were written (SHA-256); {REMEDY}")
    if fault := fault_of(value, description):
        raise BadFileError(f"{path}: not written by tutelage, or damaged ({fault}); {REMEDY}")
    return value


class UnreadableError(BadFileError):
    """A file is none that could be read to its end."""


def _text(path: Path) -> str:
    """The text of a file.

    Raises:
        UnreadableError: it is a pipe or a device, which may never end, or longer than any file of a run.
    """
    about = path.stat()
    if not stat.S_ISREG(about.st_mode):
        raise UnreadableError(f"{path}: not a regular file but a pipe, a device or a folder; {REMEDY}")
    if about.st_size > LONGEST:
        raise UnreadableError(f"{path}: {about.st_size:,} bytes, more than a file of a run has; {REMEDY}")
    return path.read_text(encoding="utf-8")


def _fits_its_hash(value: dict[str, Any]) -> bool:
    """Whether an object fits its hash, which is taken out of it; one of an earlier format, or of others, has none."""
    version = value.get("format")
    if HASH not in value:
        return not (isinstance(version, int) and version >= VOUCHED)
    return bool(value.pop(HASH) == hash_of(value))


def fault_of(value: Any, description: Any) -> str:
    """What is wrong with a value that a description does not fit; empty where it fits.

    Args:
        value: value as JSON holds it.
        description: one of the classes of this module, or another type.

    >>> fault_of({"items": ["a", 1]}, Learnt)
    'items.1: Input should be a valid string'
    """
    from pydantic import ValidationError

    try:
        _checker(description).validate_json(json.dumps(value), strict=True)  # in JSON a list may be a tuple
    except ValidationError as e:
        first = e.errors(include_url=False, include_input=False)[0]
        where = ".".join(map(str, first["loc"]))
        return f"{where}: {first['msg']}" if where else str(first["msg"])
    except RecursionError:
        return "nested too deep"
    return ""


@lru_cache
def _checker(description: Any) -> Any:
    from pydantic import TypeAdapter  # takes a fifth of a second, and most commands read no run

    return TypeAdapter(description)
