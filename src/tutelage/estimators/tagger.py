"""The scikit-learn face for sentences."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from sklearn.base import BaseEstimator
from sklearn.utils.validation import check_is_fitted

from tutelage import model as saving
from tutelage.data.sources import cache_folder
from tutelage.fit import build, defaults
from tutelage.fit.build import Items
from tutelage.fit.evidence import Evidence
from tutelage.fit.fit import fit, without_pool
from tutelage.fit.recorded import Gains, recorded_prior
from tutelage.kinds.arguments import as_method, unknown
from tutelage.kinds.sentences import distant_target
from tutelage.methods import Method
from tutelage.modalities.encoder import load_encoder
from tutelage.modalities.sentences.reader import WordReader
from tutelage.modalities.sentences.tables import Tags, clean_bio, scheme_of, tags_of_list
from tutelage.model import Model
from tutelage.ops.tags import entity_scores
from tutelage.tasks import Tagging, tag_names

Sentences = Sequence[Sequence[str]]


class Tagger(BaseEstimator):
    """Tags words, such as named entities, from a few tagged sentences and a large pool, or from distant tags.

    Each fit also trains the labels-only reference and returns it when the pool more probably hurt than
    helped; see ``evidence_``.

    Args:
        method: a name, such as "drift" or "bond" (`tutelage methods` lists them), or a method with its own
            hyper-parameters.
        encoder: what reads sentences: "minilm", a folder, or a name on the Hub.
        finetune: train the encoder too, not only a head on its features.
        steps, lr, folds, repeats, evidence, max_length, device, cache, random_state: as of `Classifier`.

    Attributes:
        classes_: the tags in BIO, O first.
        evidence_: what the pool changed in entity F1, with interval; None where not gathered.
        returned_: "candidate" or "reference".
        method_, tried_: the method with nothing left open; what "auto" tried, best first.
        history_: losses and pseudo-label counts over the candidate's training.

    >>> X = [["Ada", "lives", "in", "Rome"], ["Bob", "left", "Oslo"], ["Eve", "saw", "Bern"]] * 4
    >>> y = [["B-PER", "O", "O", "B-LOC"], ["B-PER", "O", "B-LOC"], None] * 4
    >>> tagger = Tagger("mean_teacher", steps=60, folds=2, repeats=1).fit(X, y)
    >>> tagger.predict([["Ada", "left", "Rome"]])
    [['B-PER', 'O', 'B-LOC']]
    """

    def __init__(
        self,
        method: str | Method = "drift",
        *,
        encoder: str = "minilm",
        finetune: bool = False,
        steps: int | None = None,
        lr: float | None = None,
        folds: int | None = None,
        repeats: int | None = None,
        evidence: bool = True,
        max_length: int = 128,
        device: str = "auto",
        cache: str | None = None,
        random_state: int = 0,
    ) -> None:
        self.method = method
        self.encoder = encoder
        self.finetune = finetune
        self.steps = steps
        self.lr = lr
        self.folds = folds
        self.repeats = repeats
        self.evidence = evidence
        self.max_length = max_length
        self.device = device
        self.cache = cache
        self.random_state = random_state

    def fit(self, X: Sentences, y: Any = None, X_unlabelled: Sentences | None = None, distant: Any = None) -> Tagger:
        """Fit on tagged and untagged sentences, or on sentences with distant tags.

        Args:
            X: n sentences, each a list of words.
            y: tags of each sentence, in BIO, BIOES or IO; None (or -1) for an untagged one.
            X_unlabelled: more sentences without tags.
            distant: tags by matching or rules, of each sentence that has no clean ones; None (or -1) for a word
                of which they say nothing; where they never say O, such words are taken to be outside. Clean
                tags are then not learnt from but looked at: to stop early and for the evidence.

        Raises:
            ValueError: no tag, unequal numbers of words and tags, or a tag that no scheme knows.
        """
        sentences = as_sentences(X)
        if y is None and distant is None:
            raise ValueError("this Tagger requires y or distant to be passed")
        clean = as_tags(y, sentences, "y")
        weak = as_tags(distant, sentences, "distant", open_words=True)
        known = np.array([tags is not None for tags in clean])
        pool = [s for s, k in zip(sentences, known, strict=True) if not k]
        pool += as_sentences(X_unlabelled) if X_unlabelled is not None else []
        labelled = [s for s, k in zip(sentences, known, strict=True) if k]
        if distant is None and not labelled:
            raise ValueError("y has no tagged sentence")
        if self.evidence and len(labelled) == 1:
            raise ValueError("y has one tagged sentence; the evidence needs two: tag one more, or set evidence=False")
        names = tag_names([*clean, *weak])
        if len(names) == 1:
            raise ValueError(f"{'y' if distant is None else 'y and distant'} must hold an entity, got only O")
        if self.evidence and labelled and len(tag_names(clean)) == 1:
            raise ValueError("y must hold an entity, got only O (the evidence needs one); or set evidence=False")
        code = {name: i for i, name in enumerate(names)}
        coded = np.array([code[t or "O"] for tags in clean if tags for t in tags], dtype=np.int64)
        items = Items(Tagging(len(names), names), labelled, coded, pool)
        if distant is not None:
            rest = [tags for tags, k in zip(weak, known, strict=True) if not k]
            covered, target, _ = distant_target(rest, code)
            if not len(covered):
                raise ValueError("distant has no tag on any untagged sentence")
            items = replace(items, covered=covered, target=target)
        self.classes_ = np.array(names)
        method = without_pool(as_method(self.method), pool)
        device = defaults.pick_device(self.device)
        reader = WordReader(load_encoder(self.encoder, self.max_length)).to(device)
        problem = build.read(items, reader, method.views, self.finetune, self._cache(), device)
        counts = (self.steps, self.lr, self.folds, self.repeats, self.evidence)
        training, plan = defaults.how("words" if self.finetune else "features", int(self.random_state), *counts)
        if self.steps is None:
            training = defaults.long_enough(training, method.settled(items.task, distant is not None), problem)
        kind = defaults.kind_of_record("tagging", distant is not None, self.finetune)
        gains = partial(Gains.recorded, kind=kind)
        outcome = fit(problem, method, training, recorded_prior(method.name, kind), plan, gains=gains)
        self._model = Model(list(names), outcome.network.cpu(), reader, self._cache())
        self.evidence_: Evidence | None = outcome.evidence
        self.returned_ = outcome.returned
        self.method_, self.tried_ = outcome.method, outcome.tried
        self.history_ = outcome.history
        return self

    def _cache(self) -> Path:
        return Path(self.cache) if self.cache else cache_folder() / "features"

    def predict(self, X: Sentences) -> list[list[str]]:
        """The tags of each sentence, in clean BIO."""
        check_is_fitted(self)
        sentences = as_sentences(X)
        return self._model.tags(sentences, self._model.probabilities(sentences))

    def predict_proba(self, X: Sentences) -> list[np.ndarray]:
        """Probabilities of each word's tags, (words, c) for each sentence, columns as in ``classes_``."""
        check_is_fitted(self)
        sentences = as_sentences(X)
        ends = np.cumsum([len(s) for s in sentences])
        return np.split(self._model.probabilities(sentences), ends[:-1]) if sentences else []

    def score(self, X: Sentences, y: Any) -> float:
        """F1 of the entities (strict: words and type), in [0, 1]."""
        sentences = as_sentences(X)
        true = as_tags(y, sentences, "y")
        missing = [i for i, tags in enumerate(true) if tags is None]
        if missing:
            raise ValueError(f"y[{missing[0]}] has no tags to score on")
        return entity_scores([[t or "O" for t in tags] for tags in true if tags is not None], self.predict(X))["f1"]

    def save(self, folder: str | Path) -> None:
        """Write the fitted model into a folder that `tutelage.load` reads."""
        check_is_fitted(self)
        saving.save(self._model, Path(folder))


def as_sentences(X: Any) -> list[list[str]]:
    """Sentences as lists of words; ValueError names the first that is not one."""
    if isinstance(X, str):
        raise ValueError("X must be a list of sentences, each a list of words, got one string")
    sentences = []
    for i, words in enumerate(X):
        none = words is None or isinstance(words, str) or not len(words)
        if none or not all(isinstance(w, str) and w.strip() for w in words):
            raise ValueError(f"X[{i}] must be a list of words, none empty, got {words!r:.60}")
        sentences.append([str(w) for w in words])
    return sentences


def as_tags(y: Any, sentences: list[list[str]], name: str, open_words: bool = False) -> list[Tags]:
    """Tags of each sentence in clean BIO; None where a sentence (with ``open_words`` also a word) has none."""
    if y is None:
        return [None] * len(sentences)
    if len(y) != len(sentences):
        raise ValueError(f"X has {len(sentences)} sentences, but {name} has {len(y)}")
    cells = [list(tags) if np.iterable(tags) and not isinstance(tags, str) else tags for tags in y]
    cells = [tags if isinstance(tags, list) or not unknown(tags) else None for tags in cells]
    labels = _each(name, lambda tags, words: tags_of_list(tags, words, open_words), cells, sentences)
    kind = scheme_of(labels)
    return _each(name, lambda tags: clean_bio(tags, kind)[0], labels)


def _each(name: str, read: Callable[..., Tags], *columns: Sequence[Any]) -> list[Tags]:
    """``read`` of each sentence's cells; its ValueError says which."""
    found = []
    for i, cells in enumerate(zip(*columns, strict=True)):
        try:
            found.append(read(*cells))
        except ValueError as e:
            raise ValueError(f"{name}[{i}]: {e}") from e
    return found
