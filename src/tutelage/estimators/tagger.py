"""A tagger of the words of sentences."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import KW_ONLY, dataclass, replace
from pathlib import Path
from typing import Annotated, Any, Literal

import numpy as np
from sklearn.utils.validation import check_is_fitted

from tutelage.estimators.base import Estimator
from tutelage.estimators.containers import apart, items_of, known
from tutelage.estimators.labels import asked_of, groups_of
from tutelage.ops.checks import Range

Sentences = Sequence[Sequence[str]]
"""Sentences, each a list of words."""


@dataclass(eq=False, repr=False)
class Tagger(Estimator):
    """A tagger of words, such as named entities, from a few tagged sentences and a large pool, or from distant tags.

    Each fit also trains a reference on the tags alone, and returns it where the pool more probably hurt than helped;
    see ``evidence_``.

    Args:
        method: name of a method, such as "drift" or "bond" (`tutelage methods` lists them); a method with its own
            hyper-parameters; or "auto", which tries many by cross-validation.
        encoder: encoder of the words: "minilm", "mpnet", a folder of a saved model, or a name on the Hub.
        finetune: whether the encoder is trained, too; else a head is trained on its features.
        max_length: tokens read at once, at least 3; a longer sentence is read in several windows.
        classes: names of the tags in the order of their numbers, where tags are numbers; else names of all types.
        tags_are: "types", where each tag is a type of its own; "bio", where letters tell the beginnings of entities;
            None finds it out.
        outside: tag of the words outside entities, besides O.
        open_words: what words without a tag in a tagged sentence are: "outside", or "untagged", so that the whole
            sentence is; None refuses them.
        mended: "take" goes on where most entities had to be mended; None refuses such tags.
        spelling: "fold" takes types for one that differ only by capitals or by signs that are not seen; "as-is" does
            not.
        steps: optimiser steps of each training, at least 1; None takes the network's default.
        lr: peak learning rate, above 0; None takes the network's default.
        folds: folds of the cross-validation, at least 2; None is 5 for a head on features, else 2.
        repeats: repeats of the cross-validation, at least 1; None is 2 for a head on features, else 1.
        evidence: whether cross-validation measures the gain from the pool; False returns the method's model unchecked.
        device: device to train on, as torch names it; "auto" is a GPU where there is one, else the CPU.
        amp: precision of products of matrices in a network trained whole: "float32", "bfloat16" or "auto", which a
            probe settles; None is float32.
        accumulate: number of parts of a step's batch, one after another, in a network that is trained whole, at least
            1; they save memory. A method whose loss couples the units of a batch is refused.
        compile: whether the blocks of a network that is trained whole are compiled.
        checkpoint_activations: whether the activations of a network that is trained whole are computed again in the
            backward pass, which saves memory.
        cache: folder of the feature cache; None is a folder in the user's cache folder; False keeps nothing.
        random_state: random seed, a whole number in [0, 2**32); a ``RandomState`` or a ``Generator`` of NumPy, from
            which each fit draws its seed; or None, for NumPy's own random state.
        copies: "once" gives equal items with equal labels one vote together; "each" gives each of them one; "off" takes
            nothing for a copy.
        verbose: True draws a bar while a fit goes on; or a function, called with the name of the work, the steps that
            are done, and all steps.

    Attributes:
        classes_: tags in BIO, (c,), O first.
        evidence_: change of the entity F1 by the pool, with its interval; None where it was not measured.
        returned_: model that was returned: "candidate", trained by the method; "reference", of the labels alone;
            "teacher", which follows the brought teacher alone; or "adapted", of the labels alone on an adapted encoder.
        method_: method of the candidate, with its hyper-parameters; for "auto" the method that was chosen.
        tried_: attempts of "auto", the best first; empty for other methods.
        temperature_: number by which logits are divided so that probabilities can be believed, by the held-out tags; 1
            where there are none.
        copies_: counts of labelled items that occur several times, of contradictions among their labels, and what the
            held-out score would have read with copies on both sides of a split; empty where there are none.
        partial_: whether the fit was stopped, by Ctrl-C: then the model is that of the labels alone, unchecked.
        history_: points of the candidate's training, by step: losses, and statistics of the pseudo-labels.
        warnings_: sentences that the fit warned with; `summary` holds them, too, with all that the fit compared.

    >>> X = [["Ada", "lives", "in", "Rome"], ["Bob", "left", "Oslo"], ["Eve", "saw", "Bern"]] * 4
    >>> y = [["B-PER", "O", "O", "B-LOC"], ["B-PER", "O", "B-LOC"], None] * 4
    >>> tagger = Tagger("mean_teacher", steps=60, folds=2, repeats=1).fit(X, y)
    >>> tagger.predict([["Ada", "left", "Rome"]])
    [['B-PER', 'O', 'B-LOC']]
    """

    _: KW_ONLY
    encoder: str | Path | None = "minilm"
    finetune: bool = False
    adapt: bool | Literal["contrastive"] | None = None
    max_length: Annotated[int, Range(3, whole=True)] = 128
    classes: Sequence[str] | str | None = None
    tags_are: Literal["types", "bio"] | None = None
    outside: str | None = None
    open_words: Literal["outside", "untagged"] | None = None
    mended: Literal["take"] | None = None
    spelling: Literal["fold", "as-is"] = "fold"

    def fit(
        self, X: Sentences, y: Any = None, X_unlabelled: Sentences | None = None, distant: Any = None,
        groups: Any = None, asked_by: Any = None,
    ) -> Tagger:  # fmt: skip
        """Fit on tagged and untagged sentences, or on sentences with distant tags.

        Args:
            X: n sentences, each a list of words.
            y: n lists of tags, in BIO, BIOES or IO, or numbers; None or -1 is an untagged sentence. Special tokens and
                continuing pieces of words may be -100: those are dropped, these joined.
            X_unlabelled: further sentences without tags.
            distant: n lists of tags by matching or rules, for the sentences without clean tags; None or -1 is a word
                (or a sentence) without one. Where no distant tag is O, such words count as O. Two or more sentences
                with clean tags are learnt beside them; they choose the stopping point and give the evidence.
            groups: group of each sentence of X, (n,), such as its page: tagged sentences of a group are held out
                together; None or NaN is a group of its own.
            asked_by: selector by which the tags of each sentence of X were asked for, (n,), as `next_` names it; None
                for tags that nobody asked for. Those that were drawn, "random", say how good the model is on the pool.

        Raises:
            ValueError: there is no tag, the numbers of words and tags differ, or no scheme has a tag.
        """
        (X, y), X_unlabelled, distant = apart(X, y), items_of(X_unlabelled), known(distant)
        self._begin(X, y)
        with self._hearing():
            kind: Any = self._kind(X)
            items = kind.given(X)
            if y is None and distant is None:
                raise ValueError("this Tagger requires y or distant to be passed")
            train, more = kind.values(items, y, distant), None
            train = replace(train, group=groups_of(groups, len(train)), asked=asked_of(asked_by, len(train)))
            if X_unlabelled is not None:
                more = kind.values(kind.given(X_unlabelled, "X_unlabelled"), None, argument="X_unlabelled")
            data = kind.learn(train, more, None, self.evidence)
            self.classes_ = np.array(data.classes)
            self._fit(kind, data)
        return self

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.two_d_array = False
        tags.target_tags.required = True
        return tags

    def predict(self, X: Sentences) -> list[list[str]]:
        """Predicted tags of each sentence, in clean BIO."""
        check_is_fitted(self)
        kind: Any = self._fitted_kind
        sentences = kind.given(items_of(X))
        tags: list[list[str]] = kind.decoded(self._model, sentences, self._model.probabilities(sentences))
        return tags

    def predict_proba(self, X: Sentences) -> list[np.ndarray]:
        """Probabilities of each tag, (words, c) for each sentence, with columns in the order of ``classes_``."""
        check_is_fitted(self)
        sentences: Any = self._fitted_kind.given(items_of(X))
        ends = np.cumsum([len(s) for s in sentences])
        return np.split(self._model.probabilities(sentences), ends[:-1]) if sentences else []

    def score(self, X: Sentences, y: Any = None) -> float:
        """F1 of the entities, in [0, 1]; an entity is right where its words and its type are.

        Sentences without tags, None or -1 in y, are left out.

        Raises:
            ValueError: no sentence has tags.
        """
        check_is_fitted(self)
        kind: Any = self._fitted_kind
        X, y = apart(X, y)
        if y is None:
            raise ValueError("y must be lists of tags to score on, got None")
        test = kind.values(kind.given(X), y)
        if not test.known.any():
            raise ValueError("y has no tags to score on: every one is -1 or None")
        test = test.where(test.known)
        items, truth = kind.truth(test, self._model)
        return float(kind.measured(self._model, self._model.examples(items), items, truth).scores["f1"])
