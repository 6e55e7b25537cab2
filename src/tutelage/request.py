"""What `tutelage fit` is asked to do."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

from tutelage import recipes
from tutelage.ops.checks import in_range, one_of
from tutelage.problem import Plan
from tutelage.train import Training


@dataclass(frozen=True)
class Request:
    """What `tutelage fit` was asked to do.

    Args:
        train: table with texts and labels, or sentences and tags; an empty label means unlabelled.
        out: folder for the model, the report and summary.json; must not exist yet, or be empty.
        task: "classification" of texts, or "tagging" of words.
        text: column of the texts.
        label: column of the labels.
        tokens: column of the sentences, for tagging (a number in a CoNLL file).
        tags: column of the tags.
        votes: column of lists of rules' votes, or what the names of a column a rule begin with; -1 = abstains.
        rules: JSON file of regexes and keywords, or a Python file of functions, that vote instead.
        label_model: how votes become labels: one of "majority", "weighted", "data_programming".
        distant: column of tags by distant matching, for tagging.
        unlabelled: table with more texts; labels in it are used only to check pseudo-labels.
        test: table with labels to score the finished model on.
        seed: of weights, batches and folds; at least 0.
        encoder: "minilm", a folder with a saved model, or a name on the Hub.
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
    task: Literal["classification", "tagging"] = "classification"
    text: str | None = None
    label: str | None = None
    tokens: str | None = None
    tags: str | None = None
    votes: str | None = None
    rules: Path | None = None
    label_model: str | None = None
    distant: str | None = None
    unlabelled: Path | None = None
    test: Path | None = None
    seed: int = 0
    encoder: str = "minilm"
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
        one_of("task", self.task, ("classification", "tagging"))
        in_range("max_length", self.max_length, 3 if self.task == "tagging" else 2)
        in_range("checkpoint_seconds", self.checkpoint_seconds, 0)
        theirs = {"tagging": ("tokens", "tags", "distant"), "classification": ("text", "label", "votes", "rules")}
        for task, names in theirs.items():
            for name in names:
                if task != self.task and getattr(self, name) is not None:
                    raise ValueError(f"--{name} is of --task {task}, but the task is {self.task}")
        if self.votes and self.rules:
            raise ValueError("give --votes or --rules, not both")
        need: tuple[str, ...] = ("tokens",) if self.task == "tagging" else ("text",)
        if not self.weak:
            need += ("tags",) if self.task == "tagging" else ("label",)
        missing = [f"--{name}" for name in need if getattr(self, name) is None]
        if missing:
            raise ValueError(f"{' and '.join(missing)} must be given for --task {self.task}: the name of a column")
        if self.test and not (self.tags or self.label):
            raise ValueError(f"--test needs --{'tags' if self.task == 'tagging' else 'label'}, the column to score on")

    @property
    def weak(self) -> bool:
        """Whether rules, votes or distant tags were given."""
        return any(v is not None for v in (self.votes, self.rules, self.distant))

    def how(self) -> tuple[Training, Plan]:
        """Training and evidence as asked for; ValueError where a value is out of its range."""
        training, plan = recipes.how(
            self.finetune, self.seed, self.steps, self.lr, self.folds, self.repeats, self.evidence
        )
        return replace(training, checkpoint_every=self.checkpoint_seconds), plan
