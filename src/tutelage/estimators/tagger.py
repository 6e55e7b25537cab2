"""A tagger of the words of sentences."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import KW_ONLY, dataclass
from typing import Any

import numpy as np
from sklearn.utils.validation import check_is_fitted

from tutelage.estimators.base import Estimator

Sentences = Sequence[Sequence[str]]


@dataclass(eq=False, repr=False)
class Tagger(Estimator):
    """Tags words, such as named entities, from a few tagged sentences and a large pool, or from distant tags.

    Each fit also trains the labels-only reference and returns it when the pool more probably hurt than
    helped; see ``evidence_``.

    Args:
        method: a name, such as "drift" or "bond" (`tutelage methods` lists them), or a method with its own
            hyper-parameters.
        encoder: what reads sentences: "minilm", a folder, or a name on the Hub.
        finetune: train the encoder too, not only a head on its features.
        max_length: tokens read at once; a longer sentence is read in several windows.
        steps, lr, folds, repeats, evidence, device, cache, random_state: as of every estimator, see
            `tutelage.estimators.base.Estimator`.

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

    _: KW_ONLY
    encoder: str = "minilm"
    finetune: bool = False
    max_length: int = 128

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
        kind: Any = self._kind(X)
        items = kind.given(X)
        if y is None and distant is None:
            raise ValueError("this Tagger requires y or distant to be passed")
        train, more = kind.values(items, y, distant), None
        if X_unlabelled is not None:
            more = kind.values(kind.given(X_unlabelled, "X_unlabelled"), None, argument="X_unlabelled")
        data = kind.learn(train, more, None, self.evidence)
        self.classes_ = np.array(data.classes)
        self._fit(kind, data)
        return self

    def predict(self, X: Sentences) -> list[list[str]]:
        """The tags of each sentence, in clean BIO."""
        check_is_fitted(self)
        kind: Any = self._fitted_kind
        sentences = kind.given(X)
        tags: list[list[str]] = kind.decoded(self._model, sentences, self._model.probabilities(sentences))
        return tags

    def predict_proba(self, X: Sentences) -> list[np.ndarray]:
        """Probabilities of each word's tags, (words, c) for each sentence, columns as in ``classes_``."""
        check_is_fitted(self)
        sentences: Any = self._fitted_kind.given(X)
        ends = np.cumsum([len(s) for s in sentences])
        return np.split(self._model.probabilities(sentences), ends[:-1]) if sentences else []

    def score(self, X: Sentences, y: Any) -> float:
        """F1 of the entities (strict: words and type), in [0, 1]."""
        check_is_fitted(self)
        kind: Any = self._fitted_kind
        test = kind.values(kind.given(X), y)
        missing = np.flatnonzero(~test.known)
        if len(missing):
            raise ValueError(f"{test.at('label', int(missing[0]))} has no tags to score on")
        examples = self._model.examples(test.items)
        return float(kind.measured(self._model, examples, test.items, test.labels).scores["f1"])
