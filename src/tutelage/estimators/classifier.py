"""A classifier of texts, images or rows of numbers."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import KW_ONLY, dataclass, replace
from functools import partial
from pathlib import Path
from typing import Annotated, Any, Literal

import numpy as np
from sklearn.base import ClassifierMixin
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import check_consistent_length, check_is_fitted, validate_data
from torch import nn

from tutelage.estimators.base import Estimator
from tutelage.estimators.containers import apart, dense, items_of, streams
from tutelage.estimators.labels import ask_of_index, asked_of, groups_of, labels_of, weights_of
from tutelage.estimators.teachers import teacher_said
from tutelage.fit.fit_rows import Fitted
from tutelage.kinds.answers import without_label
from tutelage.kinds.base import Kind
from tutelage.kinds.dataset import Dataset
from tutelage.kinds.entries import Entries
from tutelage.kinds.stored import stored_values
from tutelage.ops.checks import Range, one_of
from tutelage.ops.said import warn
from tutelage.weak import BY_FEATURES, LABEL_MODELS

Side = Annotated[int, Range(8, 4096, whole=True)]
"""Height or width of images, in pixels."""


@dataclass(eq=False, repr=False)
class Classifier(ClassifierMixin, Estimator):
    """A classifier of texts, images or rows of numbers, from a few labels and a large unlabelled pool.

    Each fit also trains a reference on the labels alone, and returns it where the pool more probably hurt than helped;
    see ``evidence_``.

    Args:
        method: name of a method, such as "drift", "mean_teacher" or "supervised" (`tutelage methods` lists them); a
            method with its own hyper-parameters, such as ``Drift(decay=0.9)``; or "auto", which tries many by
            cross-validation.
        encoder: encoder of texts: "minilm", which None is; "mpnet" (``tutelage.weights.get`` fetches what is not here);
            "lexical", which is fitted on the words of the texts in any language; two side by side, as
            "minilm+lexical"; or "auto", which the labels choose. Encoder of images, "efficientnet-lite0", which None
            is, or "efficientnet-lite2". Of both also a folder of a model saved by transformers, or a name on the Hub.
            Rows of numbers have none.
        finetune: whether the encoder is trained, too; else a head is trained on its features.
        adapt: "contrastive" (or True) first adapts the encoder of texts to the labels, and the folds say whether that
            is worth it; False never does; None does where the method is "auto".
        network: network in place of the encoder, trained whole: a module, which is copied, or a function that makes
            one. It gives logits, (n, c), of rows of numbers, or of images, (n, 3, h, w), in [0, 1]. For images also
            "small_cnn" or "wide_resnet", with random weights. None takes the encoder, or a perceptron for rows.
        size: height and width that images are resized to, in pixels, at least 8; for an encoder a square, of at
            least 32, or of whole patches. None takes that of the images, capped for speed; of an encoder 128, or its
            own.
        flip: whether images are mirrored at random; False for digits and letters.
        label_model: label model, which turns votes into labels: "majority", "weighted", "data_programming" or others;
            None takes the default one.
        describe: a sentence or a list of sentences that describes each class of texts, by class; a list of names that
            describe themselves; or the path of a JSON or TOML file with such. It declares the classes, so that no label
            is needed.
        shares: share of each class in the pool, by class, such as ``{"spam": 0.04, "ham": 0.96}``; None estimates them
            where the pool is large enough.
        augment: function that makes a disturbed copy of each of a list of texts (or rows), such as back-translations,
            for methods that compare views; None drops words (or replaces numbers) at random.
        max_length: tokens read of each text, at least 2.
        precision: precision of a frozen encoder of texts: "float32", "bfloat16" or "int8", which needs the extra onnx;
            "auto" takes the fastest whose features are near those of float32; None is float32, and of an encoder of
            more than 50 million parameters bfloat16 where that is faster.
        missing_label: label that means that there is none, besides None and NaN. None: there is no such label, so that
            -1 and 1 may be the classes.
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
        classes_: classes, sorted, (c,).
        transduction_: labels of the rows of X, then of X_unlabelled, (n,): the given label, or the predicted one; of
            an item of which nothing can be read none, as `predict` gives none.
        evidence_: change of the accuracy by the pool, with its interval; None where it was not measured.
        returned_: model that was returned: "candidate", trained by the method; "reference", of the labels alone;
            "teacher", which follows the brought teacher alone; or "adapted", of the labels alone on an adapted encoder.
        method_: method of the candidate, with its hyper-parameters; for "auto" the method that was chosen.
        tried_: attempts of "auto", the best first; empty for other methods.
        temperature_: number by which logits are divided so that probabilities can be believed, by the held-out labels;
            1 where there are none.
        prevalence_: shares of the classes among the labels and in the pool, see `tutelage.fit.prevalence.Prevalence`;
            None where they are not known.
        copies_: counts of labelled items that occur several times, of contradictions among their labels, and what the
            held-out score would have read with copies on both sides of a split; empty where there are none.
        partial_: whether the fit was stopped, by Ctrl-C: then the model is that of the labels alone, unchecked.
        history_: points of the candidate's training, by step: losses, and statistics of the pseudo-labels.
        warnings_: sentences that the fit warned with; `summary` holds them, too, with all that the fit compared.
        votes_: statistics of the rules: coverage, overlap, conflict, accuracies; only where votes were given.
        teachers_: statistics of the teachers: coverage, accuracy, calibration; only where one was given.

    In a `GridSearchCV` a hyper-parameter of the method is searched as ``method__NAME``, such as
    ``{"method__decay": [0.9, 0.99]}``, and unlabelled items have -1; with ``cv=LabelledFolds()`` they are never scored,
    whatever the score is, and may have None.

    >>> from sklearn.datasets import load_digits
    >>> X, y = load_digits(return_X_y=True)
    >>> y[100:] = -1
    >>> model = Classifier("mean_teacher", steps=50, folds=2, repeats=1).fit(X, y)
    >>> model.predict(X[:3]).tolist()
    [0, 1, 2]
    """

    _: KW_ONLY
    encoder: str | Path | None = None
    finetune: bool = False
    adapt: bool | Literal["contrastive"] | None = None
    network: Literal["small_cnn", "wide_resnet"] | nn.Module | Callable[[], nn.Module] | None = None
    size: tuple[Side, Side] | None = None
    flip: bool = True
    label_model: str | None = None
    describe: Mapping[Any, Any] | Sequence[str] | str | Path | None = None
    shares: Mapping[Any, float] | None = None
    augment: Callable[[list[Any]], list[Any]] | None = None
    max_length: Annotated[int, Range(2, whole=True)] = 128
    precision: Literal["auto", "float32", "bfloat16", "int8"] | None = None
    missing_label: Any = -1

    def fit(
        self, X: Any, y: Any = None, X_unlabelled: Any = None, votes: Any = None, teacher: Any = None,
        groups: Any = None, sample_weight: Any = None, asked_by: Any = None,
    ) -> Classifier:  # fmt: skip
        """Fit on labelled and unlabelled items, or on items that rules or a teacher have spoken of.

        Args:
            X: n items: rows of numbers, (n, d), sparse ones, too, or (n, ...) with a network of the user's; texts, as a
                list, an array or a data frame's column; or images, as a list of encoded images (bytes) or of `Path`, or
                as an array of uint8, (n, h, w, 3) or (n, h, w). Frames and columns may be of pandas, of polars, or of
                what else has ``to_pandas``. A `Dataset` of torch holds items, or pairs of an item and its label.
            y: labels, (n,); -1 or None is unlabelled. With votes, these clean labels are learnt beside the weak ones
                where each class has two or more; they choose the stopping point and give the evidence.
            X_unlabelled: further items without labels, as X; or an iterable that gives them one after the other, such
                as a streamed data set, which is gone through once and lies on disk where it is large.
            votes: labels that rules vote for, (n, rules); -1 or None abstains.
            teacher: probabilities of the classes by a teacher, (n, c), of the items of X and then of X_unlabelled, or a
                pair of such arrays; a row of NaN is silent. Columns are in the order of the sorted classes, or those of
                a data frame name them. Also a fitted classifier, which has ``predict_proba`` and ``classes_``, or a
                function of X that gives such an array.
            groups: group of each item of X, (n,), such as its author or patient: labelled items of a group are held out
                together, and the evidence counts on groups; None or NaN is a group of its own.
            sample_weight: how much the label of each item of X counts, (n,), at least 0, in training and in scores;
                only their ratios matter. A label of weight 0 is as if it were not there, with its item. What is not
                labelled has no weight. Copies of an item, which share a vote, count as they do on average.
            asked_by: selector by which the label of each item of X was asked for, (n,), as `next_` names it; None for a
                label that nobody asked for. Those that were drawn, "random", say how good the model is on the pool.

        Raises:
            TypeError, ValueError: a parameter is not valid, used or not.
            ValueError: there is no label, no vote and no teacher, or only one class; a class has one label; features
                are not finite; or the teacher does not fit the items or the classes.
        """
        streamed = streams(X_unlabelled)
        (X, y), X_unlabelled = apart(X, y), X_unlabelled if streamed else items_of(X_unlabelled)
        self._begin(X, y)
        with self._hearing():
            if all(each is None for each in (y, votes, teacher, self.describe)):
                raise ValueError("this Classifier requires y to be passed, but the target y is None")
            kind: Any = self._kind(X)
            items = self._items(kind, X, reset=True)
            labels = labels_of([None] * len(items) if y is None else y, missing=self.missing_label)
            ask_of_index(X, y)
            if len(items) != len(labels):
                raise ValueError(f"X has {len(items)} {kind.words.things}, but y has {len(labels)} labels")
            weight = weights_of(sample_weight, len(labels))
            learnt = np.ones(len(labels), dtype=bool) if weight is None else weight > 0
            all_given = np.array([label for label in labels if label is not None])
            given = np.array([labels[i] for i in np.flatnonzero(learnt) if labels[i] is not None])
            if len(given):
                check_classification_targets(given)
            more: Entries | None = None
            if streamed and kind.stores and teacher is None and not kind.taught:
                read = partial(self._items, kind, argument="X_unlabelled")
                more = stored_values(kind, X_unlabelled, "X_unlabelled", read, len(items))
            elif streamed:
                X_unlabelled = items_of(list(X_unlabelled))
            rest = None if more is None else more.items
            if X_unlabelled is not None and more is None:
                rest = self._items(kind, X_unlabelled, "X_unlabelled")
            counts = [len(part) for part in (items, rest) if part is not None]
            columns = np.unique(given).tolist() if len(given) else list(kind.descriptions or ()) or None
            said = teacher_said(teacher, [X, rest if streamed else X_unlabelled], counts, columns)
            own = {"group": groups_of(groups, len(items)), "asked": asked_of(asked_by, len(items))}
            train = replace(kind.values(items, labels, votes, said=said[0]), weight=weight, **own)
            known = np.append(train.known, np.zeros(0 if rest is None else len(rest), dtype=bool))
            if not learnt.all():
                train = train.where(learnt | ~train.known)
            if rest is not None and more is None:
                more = kind.values(rest, [None] * len(rest), argument="X_unlabelled", said=said[1])
            data = kind.learn(train, more, None, self.evidence)
            classes = np.unique(given)
            self.classes_ = classes if len(classes) == len(data.classes) else np.array(data.classes)
            fitted = self._fit(kind, data, self.augment)
            self._keep_statistics(
                fitted.weak(data.weak), votes_=votes is not None, teachers_=teacher is not None or kind.taught
            )
            self._warn_of_unread(kind, data.items.labelled, data.items.pool)
            self.transduction_ = np.empty(len(known), dtype=np.result_type(self.classes_, all_given))
            self.transduction_[known] = all_given
            if not known.all():
                answers = self._of_pool(fitted, data)
                self.transduction_ = self.transduction_.astype(np.result_type(self.transduction_, answers))
                self.transduction_[~known] = answers if data.pool_at is None else answers[data.pool_at]
        return self

    def _begin(self, X: Any, y: Any) -> None:
        super()._begin(X, y)
        if self.label_model is not None:
            one_of("label_model", self.label_model, (*LABEL_MODELS, *BY_FEATURES))

    def _of_pool(self, fitted: Fitted, data: Dataset) -> np.ndarray:
        """Predicted labels of the pool, (n,); none where the fit was stopped before the pool was read."""
        if self.partial_:
            n = len(data.items.pool)
            return self._withheld(self.classes_[np.zeros(n, dtype=np.int64)], np.ones(n, dtype=bool))
        _, found = self._model.surest(fitted.outcome.problem.pool)
        return self._withheld(self.classes_[found], self._model.unread(data.items.pool))

    def _withheld(self, labels: np.ndarray, silent: np.ndarray) -> np.ndarray:
        """Labels, (n,), of which those of a mask are withheld, see `withheld`."""
        return withheld(labels, silent, -1 if _is_minus_one(self.missing_label) else None)

    def _warn_of_unread(self, kind: Kind, labelled: Any, pool: Any) -> None:
        """Warn where nothing can be read of labelled items, whose labels say nothing then, or of items of the pool."""
        for where, items in (("labelled", labelled), ("unlabelled", pool)):
            if len(items) and (count := int(self._model.unread(items).sum())):
                words = kind.words.thing if count == 1 else kind.words.things
                warn(
                    f"Of {count} {where} {words} nothing can be read, such as of an empty text: leave them out.",
                    page="nothing-to-read",
                )

    def _keep_statistics(self, weak: dict[str, Any], **asked: bool) -> None:
        """Set the attributes of statistics that were asked for, and delete those of an earlier fit."""
        for name, wanted in asked.items():
            if wanted:
                setattr(self, name, weak)
            elif hasattr(self, name):
                delattr(self, name)

    def _given(self, X: Any) -> Any:
        return self._items(self._fitted_kind, items_of(X))

    def _items(self, kind: Kind, X: Any, argument: str = "X", reset: bool = False) -> Any:
        """Items of a kind made of Python values.

        Raises:
            ValueError: a value is no item of this kind.
        """
        if not kind.of_numbers:
            items: Any = kind.given(X, argument)
            return items
        found = validate_data(
            self, X, dtype=np.float32, allow_nd=self.network is not None, ensure_min_samples=2 if reset else 1,
            reset=reset, accept_sparse="csr",
        )  # fmt: skip
        return dense(found, argument)

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.sparse = True
        tags.input_tags.string = True
        return tags

    def predict_proba(self, X: Any) -> np.ndarray:
        """Probabilities of each class, (n, c), with columns in the order of ``classes_``.

        Of an item of which nothing can be read, such as an empty text, all are 1 / c.
        """
        check_is_fitted(self)
        return self._model.probabilities(self._items(self._fitted_kind, items_of(X)))

    def score(self, X: Any, y: Any = None, sample_weight: Any = None) -> float:
        """Accuracy on the labelled items, in [0, 1].

        Args:
            X: items, as in `fit`.
            y: labels, (n,); items of label -1 or None are left out. An item of which nothing can be read is wrong. None
                takes those of the pairs of a `Dataset`.
            sample_weight: weights of the items, (n,), at least 0.

        Raises:
            ValueError: no item has a label, or X and y differ in length.
        """
        X, y = apart(X, y)
        if y is None:
            raise ValueError("y must be labels to score on, got None")
        predicted, labels = self.predict(X), labels_of(y, missing=self.missing_label)
        check_consistent_length(predicted, labels)
        weights = weights_of(sample_weight, len(labels))
        known = np.array([label is not None for label in labels], dtype=bool)
        if not known.any():
            raise ValueError("y has no label to score on: every one is -1 or None")
        given = np.array([label for label in labels if label is not None])
        weight = None if weights is None else weights[known]
        right = np.array([a == b for a, b in zip(predicted[known].tolist(), given.tolist(), strict=True)])
        return float(np.average(right, weights=weight))

    def predict(self, X: Any, abstain: float | None = None) -> np.ndarray:
        """Most probable class of each item, (n,).

        An item of which nothing can be read, such as an empty text, has no class: -1 where classes are numbers, else
        None; and a warning says so.

        Args:
            X: items, as in `fit`.
            abstain: give no class where the share of wrong ones among those given would exceed this, in (0, 1), with a
                confidence of 80 %; see `tutelage.fit.abstention.promise`. Where the held-out labels promise nothing, a
                warning says how many it would take, and no item has a class. None gives each item its class.

        Raises:
            ValueError: ``abstain`` is not in (0, 1).
        """
        check_is_fitted(self)
        promised = self._fitted_kind.promise(self._model, abstain)
        items = self._items(self._fitted_kind, items_of(X))
        p, silent = self._model.probabilities(items), self._model.unread(items)
        labels: np.ndarray = self.classes_[p.argmax(1)]
        if silent.any():
            warn(
                without_label(int(silent.sum()), len(p), self._fitted_kind.words, f"first: X[{silent.argmax()}]"),
                page="nothing-to-read",
            )
        if promised is not None:
            if promised.threshold is None:
                warn(promised.words(), page="abstain")
            silent |= ~promised.answers(p.max(1))
        return self._withheld(labels, silent)


def _is_minus_one(label: Any) -> bool:
    return isinstance(label, (int, np.integer)) and label == -1


def withheld(labels: np.ndarray, silent: np.ndarray, number_for_none: int | None = -1) -> np.ndarray:
    """Labels, (n,), of which those of a mask are withheld: -1 where classes are numbers, else None.

    Args:
        labels: labels of n items.
        silent: mask of the items without a label, (n,).
        number_for_none: number that means that there is no label; None where -1 may be a class.

    >>> withheld(np.array(["ham", "spam"]), np.array([True, False])).tolist()
    [None, 'spam']
    """
    if not silent.any():
        return labels
    number = labels.dtype.kind in "iuf" and number_for_none is not None
    found = labels.astype(np.int64 if labels.dtype.kind == "u" else labels.dtype if number else object)
    found[silent] = number_for_none if number else None
    return found
