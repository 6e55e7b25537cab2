"""What `tutelage fit` is asked to do."""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Annotated, Literal

from cyclopts import Parameter

from tutelage.fit import defaults
from tutelage.fit.problem import Plan
from tutelage.ops.checks import in_range, one_of
from tutelage.train import Training

IMAGE_ENCODER = "efficientnet-lite0"
"""The one there is."""

OF_TASKS: dict[str, tuple[str, ...]] = {
    "text": ("classification",),
    "label": ("classification", "image"),
    "votes": ("classification",),
    "rules": ("classification",),
    "label_model": ("classification",),
    "tokens": ("tagging",),
    "tags": ("tagging",),
    "distant": ("tagging",),
    "images": ("image", "segmentation"),
    "masks": ("segmentation",),
    "void": ("segmentation",),
    "classes": ("segmentation",),
    "encoder": ("classification", "tagging", "image"),
    "network": ("image", "segmentation"),
    "size": ("image", "segmentation"),
    "flip": ("image", "segmentation"),
    "skip_bad": ("image", "segmentation"),
}
"""Options that belong to some of the tasks."""


@dataclass(frozen=True)
class Request:
    """What `tutelage fit` was asked to do.

    Args:
        train: table with texts and labels, sentences and tags, or images and labels or masks; an empty label means
            unlabelled. For images also a folder: of folders named as the classes, and "unlabelled"; for segmentation
            one with "images" and "masks" in it.
        out: folder for the model, the report and summary.json; must not exist yet, or be empty.
        task: "classification" of texts, "tagging" of words, "image" for a class an image, or "segmentation".
        text: column of the texts.
        label: column of the labels.
        tokens: column of the sentences, for tagging (a number in a CoNLL file).
        tags: column of the tags.
        images: column of the images, encoded or as paths from the table's folder; a folder needs none.
        masks: column of the masks, likewise.
        void: values of masks' pixels of which nothing is known, in [0, 65535].
        classes: of the masks, at least 2; by default one more than the largest value.
        votes: column of lists of rules' votes, or what the names of a column a rule begin with; -1 = abstains.
        rules: JSON file of regexes and keywords, or a Python file of functions, that vote instead.
        label_model: how votes become labels: one of "majority", "weighted", "data_programming".
        distant: column of tags by distant matching, for tagging.
        unlabelled: table with more texts, sentences or images, or a folder with images anywhere in it; labels in it are
            used only to check pseudo-labels.
        test: table or folder with labels to score the finished model on.
        seed: of weights, batches and folds; at least 0.
        encoder: "minilm", a folder with a saved model, or a name on the Hub; for images "efficientnet-lite0".
        network: to train from nothing on the images; by default a head on the encoder's features, for masks "unet".
        size: height and width that images are brought to: at least 8, of "unet" 16, of the encoder 32 and a square; by
            default as large as the images, but not more than is fast.
        flip: mirrored images are the same; off for digits and letters.
        skip_bad: leave out images that cannot be read, and say which.
        finetune: train the encoder too; slower by a factor of a hundred or so.
        resume: finish a run that was stopped, with the same options.
        steps: optimiser steps of each training.
        lr: peak learning rate.
        folds: of the cross-validation, at least 2.
        repeats: of the cross-validation, at least 1.
        evidence: gather it; without, the method's model is returned unasked.
        max_length: tokens read of each text.
        charset: of csv, tsv and jsonl files.
        device: "auto", or as torch names it.
        checkpoint_seconds: how often an unfinished training is saved, at least 0.
    """

    train: Path
    out: Path
    task: Literal["classification", "tagging", "image", "segmentation"] = "classification"
    text: str | None = None
    label: str | None = None
    tokens: str | None = None
    tags: str | None = None
    images: str | None = None
    masks: str | None = None
    void: Annotated[tuple[int, ...], Parameter(consume_multiple=True)] = ()
    classes: int | None = None
    votes: str | None = None
    rules: Path | None = None
    label_model: str | None = None
    distant: str | None = None
    unlabelled: Path | None = None
    test: Path | None = None
    seed: int = 0
    encoder: str | None = None
    network: Literal["small_cnn", "wide_resnet", "unet"] | None = None
    size: tuple[int, int] | None = None
    flip: bool = True
    skip_bad: bool = False
    finetune: bool = False
    resume: bool = False
    steps: int | None = None
    lr: float | None = None
    folds: int | None = None
    repeats: int | None = None
    evidence: bool = True
    max_length: int = 128
    charset: str = "utf-8"
    device: str = "auto"
    checkpoint_seconds: float = 30.0

    def __post_init__(self) -> None:
        one_of("task", self.task, ("classification", "tagging", "image", "segmentation"))
        in_range("checkpoint_seconds", self.checkpoint_seconds, 0)
        if not self.of_images:
            in_range("max_length", self.max_length, 3 if self.task == "tagging" else 2)
        defaults = {field.name: field.default for field in fields(self)}
        for name, tasks in OF_TASKS.items():
            if self.task not in tasks and getattr(self, name) != defaults[name]:
                option = "no-flip" if name == "flip" else name.replace("_", "-")
                raise ValueError(f"--{option} is of --task {' or '.join(tasks)}, but the task is {self.task}")
        if self.votes and self.rules:
            raise ValueError("give --votes or --rules, not both")
        missing = [f"--{name}" for name in self._columns() if getattr(self, name) is None]
        if missing:
            raise ValueError(f"{' and '.join(missing)} must be given for --task {self.task}: the name of a column")
        if self.test and not self.of_images and not (self.tags or self.label):
            raise ValueError(f"--test needs --{'tags' if self.task == 'tagging' else 'label'}, the column to score on")
        for name in ("train", "unlabelled", "test"):
            folder = getattr(self, name)
            if folder is not None and folder.is_dir() and self.out.resolve().is_relative_to(folder.resolve()):
                raise ValueError(f"--out must not be in the folder of --{name}: {self.out} would be read as data")
        self._check_reading()
        self._check_images()

    @property
    def of_images(self) -> bool:
        """Whether the task is one of images."""
        return self.task in ("image", "segmentation")

    def _columns(self) -> tuple[str, ...]:
        """The columns that must be named."""
        if self.of_images:  # for tables only; what has no ending is a folder, also one that is not there
            train, unlabelled, test = (
                path is not None and path.suffix != "" and not path.is_dir()
                for path in (self.train, self.unlabelled, self.test)
            )
            target = "label" if self.task == "image" else "masks"
            return ("images",) * (train or unlabelled or test) + (target,) * (train or test)
        items, target = ("tokens", "tags") if self.task == "tagging" else ("text", "label")
        return (items,) if self.weak else (items, target)

    def _check_reading(self) -> None:
        """Check the encoder or the network, and name the one that is the default."""
        if self.encoder and self.network:
            raise ValueError("give --encoder or --network, not both")
        if self.network and (self.network == "unet") != (self.task == "segmentation"):
            others = "segmentation" if self.network == "unet" else "image"
            raise ValueError(f"--network {self.network} is of --task {others}, but the task is {self.task}")
        if self.task == "image" and self.encoder not in (None, IMAGE_ENCODER):
            raise ValueError(f"--encoder of --task image must be {IMAGE_ENCODER}, got {self.encoder!r}")
        if self.task == "segmentation":
            object.__setattr__(self, "network", "unet")
        elif not self.network and not self.encoder:
            object.__setattr__(self, "encoder", IMAGE_ENCODER if self.task == "image" else "minilm")
        if self.finetune and self.network:
            raise ValueError(f"leave out --finetune: a network from nothing ({self.network}) is always trained whole")

    def _check_images(self) -> None:
        for side in self.size or ():
            in_range("size", side, {None: 32, "unet": 16}.get(self.network, 8), 4096)
        if self.size and self.encoder and self.size[0] != self.size[1]:
            raise ValueError(f"--size of {self.encoder} must be a square, got {self.size[0]} and {self.size[1]}")
        for value in self.void:
            in_range("void", value, 0, 2**16 - 1)
        if self.classes is not None:
            in_range("classes", self.classes, 2, 2**15)

    @property
    def weak(self) -> bool:
        """Whether rules, votes or distant tags were given."""
        return any(v is not None for v in (self.votes, self.rules, self.distant))

    def how(self) -> tuple[Training, Plan]:
        """Training and evidence as asked for; ValueError where a value is out of its range."""
        kind = {"classification": "text", "tagging": "words", "image": "image", "segmentation": "pixels"}[self.task]
        trained = "pixels" if self.network else kind if self.finetune else "features"
        training, plan = defaults.how(trained, self.seed, self.steps, self.lr, self.folds, self.repeats, self.evidence)
        return replace(training, checkpoint_every=self.checkpoint_seconds), plan
