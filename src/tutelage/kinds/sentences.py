"""Sentences of words with a tag for each word, perhaps with distant tags."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import pandas as pd

from tutelage.adapting.how import Adapting
from tutelage.data import Examples
from tutelage.data.tables import DataError, read_table
from tutelage.fit.build import Items
from tutelage.fit.defaults import HEAD_ON_WORDS, TRANSFORMER, Defaults
from tutelage.fit.evidence import estimate
from tutelage.kinds.adapting import adapting_of, require_adapt
from tutelage.kinds.base import (
    LEAST_SURE,
    Coded,
    Dataset,
    Kind,
    Measured,
    Words,
    silent,
    warn_of_shared,
)
from tutelage.kinds.entries import Entries, InTable, InValues, unknown
from tutelage.kinds.tallies import Tally
from tutelage.modalities.base import Reader
from tutelage.modalities.encoder import MINILM, is_lexical, load_encoder
from tutelage.modalities.sentences.reader import WordReader
from tutelage.modalities.sentences.tables import (
    CONLL,
    Tags,
    clean_bio,
    read_sentences,
    scheme_of,
    span_rows,
    tags_of_list,
)
from tutelage.model import Model
from tutelage.ops.checks import in_range
from tutelage.ops.tags import entities, entity_counts, entity_scores, f1_influence, scheme, to_bio
from tutelage.tasks import Tagging, tag_names
from tutelage.types import Say, Tick

Pieces = list[tuple[str, str | None]]
"""Pieces of a text in order, each with the type of its entity, or None outside entities."""


@dataclass(frozen=True, kw_only=True)
class Sentences(Kind):
    """Sentences of words with a tag for each word, such as the tags of named entities.

    Args:
        tokens: column of the sentences (a number in a CoNLL file).
        tags: column of the tags; empty means untagged.
        distant: column of tags by distant matching or rules.
        encoder: "minilm" or "mpnet" (see tutelage models list), folder of a saved model, or name on the Hub.
        finetune: train the encoder too; some hundred times slower.
        adapt: first adapt the encoder to the labels, by their pairs; the folds say whether that is worth it.
        max_length: tokens read at once, at least 3; longer sentences are read in windows.
    """

    tokens: str | None = None
    tags: str | None = None
    distant: str | None = None
    encoder: str | None = None
    finetune: bool = False
    adapt: bool | None = None
    max_length: int = 128

    name: ClassVar[str] = "sentences"
    task_word: ClassVar[str] = "tagging"
    estimator: ClassVar[str] = "Tagger"
    item_columns = ("tokens",)
    label_columns = ("tags",)
    reading = ("encoder", "max_length")
    adapts = True
    words = Words(
        "sentences", "sentence", classes="tags", column="sentence, with its entities", probability="lowest probability"
    )

    def __post_init__(self) -> None:
        in_range("max_length", self.max_length, 3)
        require_adapt(self.adapt, self.finetune, self.encoder)
        if is_lexical(self.encoder):
            raise ValueError(f"--encoder {self.encoder} reads whole texts, not each word of a sentence; name another")

    @property
    def weak(self) -> bool:
        return self.distant is not None

    @property
    def defaults(self) -> Defaults:
        return TRANSFORMER if self.finetune else HEAD_ON_WORDS

    @property
    def whole(self) -> bool:
        return self.finetune

    def reader(self, size: tuple[int, int] | None = None) -> Reader:
        return WordReader(load_encoder(self.encoder or MINILM, self.max_length))

    def adapting(self, auto: bool, evidence: bool) -> Adapting | None:
        return adapting_of(self.adapt, False, evidence)

    # reading

    def entries(
        self, path: Path, charset: str = "utf-8", say: Say = silent, must_have: bool = True, weak: bool = True
    ) -> Entries:
        distant = self.distant if weak else None
        found = read_sentences(path, str(self.tokens), self.tags, distant, charset, must_have)
        if found.repaired:
            say(f"{path}: {found.repaired} tags or spans were not well formed and have been mended.")
        if found.empty:
            say(f"{path}: {found.empty} sentences without a word are left out.")
        if len(found) > 1 and all(len(words) == 1 for words in found.tokens):
            say(f"{path}: every sentence has one word only; a row (or a block of lines) must be a whole sentence.")
        places = InTable(str(path), found.rows, {"item": self.tokens, "label": self.tags, "distant": self.distant})
        offsets = () if found.offsets is None else found.offsets
        return Entries(found.tokens, list(found.tags), places, offsets=offsets, distant=found.distant)

    def labelled_only(self, test: Entries, say: Say) -> Entries:
        if not test.known.any():
            raise DataError(f"{test.places.source}: every sentence is untagged; nothing to score on")
        if not test.known.all():
            say(f"Not scored: {int((~test.known).sum())} sentences of {test.places.source} without tags.")
        return test.where(test.known)

    # learning

    def learn(
        self, train: Entries, more: Entries | None, test: Entries | None, evidence: bool, say: Say = silent
    ) -> Dataset:
        labelled, parts = train.where(train.known), [train.where(~train.known), *([] if more is None else [more])]
        weak, place = self._weak_in(train, parts), train.at("label")
        if not weak and not len(labelled):
            raise DataError(f"{place}: every sentence is untagged; tag some")
        if evidence and len(labelled) == 1:
            raise DataError(
                f"{place}: one sentence is tagged; tag one more (the evidence needs two), or {train.places.skip}"
            )
        names = tag_names([*labelled.labels, *(d for part in (train, *parts) for d in part.distant)])
        if len(names) == 1:
            where = place if len(labelled) else train.at("distant")
            raise DataError(f"{where}: no entity in any sentence")
        if evidence and len(labelled) and len(tag_names(labelled.labels)) == 1:
            raise DataError(
                f"{place}: no entity in a tagged sentence; tag one with some (evidence needs them), or "
                f"{train.places.skip}"
            )
        code = {name: i for i, name in enumerate(names)}
        y = np.array([code[tag or "O"] for tags in labelled.labels for tag in tags], dtype=np.int64)
        pool = [tokens for part in parts for tokens in part.items]
        items = Items(Tagging(len(names), names), labelled.items, y, pool)
        about: dict[str, Any] = {}
        if weak:
            items, about = _with_distant(items, code, labelled, parts, say)
        found = Dataset(items, list(names), weak=about)
        if test is None:
            return found
        self._warn_of_unseen(test, code)
        learnt = {tuple(s) for s in (*labelled.items, *pool)}
        shared = warn_of_shared(sum(tuple(s) in learnt for s in test.items), self.words, test)
        return replace(found, test=test.items, truth=test.labels, shared=shared)

    def _weak_in(self, train: Entries, parts: Sequence[Entries]) -> bool:
        in_values = isinstance(train.places, InValues)
        return any(d is not None for part in parts for d in part.distant) if in_values else self.weak

    def _warn_of_unseen(self, test: Entries, code: Mapping[str, int]) -> None:
        unseen = sorted({tag[2:] for tags in test.labels if tags for tag in tags if tag not in code})
        if unseen:
            warnings.warn(
                f"{test.places.source} has entities of types that were never tagged in training and count as missed: "
                f"{', '.join(unseen)}.",
                stacklevel=2,
            )

    # answering

    def answered(
        self, model: Model, path: Path, charset: str, say: Say, tick: Tick, encoded: bool = True
    ) -> tuple[pd.DataFrame, dict[str, Any]]:
        tokens = str(self.tokens)
        found = read_sentences(path, tokens, charset=charset)
        if found.empty:
            say(f"{path}: {found.empty} sentences without a word are left out.")
        p = model.probabilities(found.tokens, tick)
        tags = decoded(model, found.tokens, p)
        sizes = np.array([len(s) for s in found.tokens])
        sure = np.minimum.reduceat(p.max(1), np.cumsum(sizes) - sizes)  # a sentence is as sure as its least sure word
        spans = span_rows(found.tokens, tags, found.offsets)
        table = pd.DataFrame({"row": found.rows, tokens: found.tokens})
        if path.suffix.lower() not in CONLL:
            table = read_table(path, charset).iloc[np.array(found.rows) - 1].reset_index(drop=True)
        return table, {"tags": tags, "spans": spans, "probability": sure}

    def coded(self, items: Sequence[list[Any]], labels: Sequence[list[Any]], weak: list[Any] | None = None) -> Coded:
        """Sentences with class numbers of their words. All tags are read in the scheme of the last source."""
        given = [*map(_tags_of_cells, labels), *([] if weak is None else [_tags_of_cells(weak)])]
        kind = scheme([t for t in given[len(labels) - 1] if t is not None])
        tags = [[None if t is None else to_bio(t, kind)[0] for t in part] for part in given]
        names = tag_names([t for part in tags for t in part])
        code = {name: i for i, name in enumerate(names)}
        sentences = [[list(map(str, s)) for s in part] for part in items]

        def numbers(part: Sequence[Sequence[str] | None], of: list[list[str]]) -> np.ndarray:
            each = [[-1] * len(s) if t is None else [code[v] for v in t] for t, s in zip(part, of, strict=True)]
            return np.concatenate([np.array(row, dtype=np.int64) for row in each])

        y = [numbers(part, of) for part, of in zip(tags, sentences, strict=False)]
        counts = [np.array([len(s) for s in part]) for part in sentences]
        found = Coded(Tagging(len(names), names), list(sentences), y, counts)
        if weak is None:
            return found
        return replace(found, covered=np.arange(len(sentences[0])), target=numbers(tags[-1], sentences[0]))

    # scoring

    def truth(self, test: Entries, model: Model) -> tuple[Sequence[Sequence[str]], Sequence[Sequence[str]]]:
        return test.items, test.labels

    def measured(
        self, model: Model, examples: Examples, items: Sequence[Sequence[str]], truth: Sequence[Sequence[str]],
        show: bool = False,
    ) -> Measured:  # fmt: skip
        """Scores of the predicted tags. Words whose tag is none of the model's are left out of the confusion matrix."""
        p = model.predict_units(examples)
        code = {name: i for i, name in enumerate(model.classes)}
        y = np.array([code.get(tag, -1) for tags in truth for tag in tags], dtype=np.int64)
        scores = tag_scores(truth, decoded(model, items, p))
        return Measured(scores, Tally(p.shape[1]).add(y, p.argmax(1), p.max(1)), [])

    @staticmethod
    def in_words(scores: Mapping[str, Any]) -> tuple[str, str]:
        low, high = (100 * v for v in scores["interval"])
        parts = f"precision {100 * scores['precision']:.1f} %, recall {100 * scores['recall']:.1f} %"
        return f"entity F1 {100 * scores['f1']:.1f} % ({low:.1f} to {high:.1f})", parts

    # showing

    def shown_pool(self, model: Model, pool: Examples, data: Dataset) -> dict[str, Any]:
        """Plain values for the report: the sentences with the least sure words, and the share of each predicted tag."""
        p, sentences = model.predict_units(pool), data.items.pool
        counts, top = np.array([len(s) for s in sentences], dtype=np.int64), p.max(1)
        lowest = np.minimum.reduceat(top, np.cumsum(counts) - counts)
        tags = decoded(model, sentences, p)
        rows = np.argsort(lowest, kind="stable")[:LEAST_SURE]
        share = np.bincount(p.argmax(1), minlength=p.shape[1]) / len(p)
        return {
            "least_sure": [
                {"pieces": marked(sentences[i], tags[i]), "label": None, "probability": float(lowest[i])} for i in rows
            ],
            "pool_classes": dict(zip(data.classes, map(float, share), strict=True)),
        }

    @staticmethod
    def decoded(model: Model, sentences: Sequence[Sequence[str]], probabilities: np.ndarray) -> list[list[str]]:
        """Predicted tags of each sentence, see `decoded`."""
        return decoded(model, sentences, probabilities)

    # Python values

    def given(self, X: Any, argument: str = "X") -> list[list[str]]:
        """Sentences made of Python values, each a list of words.

        Raises:
            ValueError: a sentence is no list of words, or has none; the message names its place.
        """
        if isinstance(X, str):
            raise ValueError(f"{argument} must be a list of sentences, each a list of words, got one string")
        sentences = []
        for i, words in enumerate(X):
            none = words is None or isinstance(words, str) or not len(words)
            if none or not all(isinstance(w, str) and w.strip() for w in words):
                raise ValueError(f"{argument}[{i}] must be a list of words, none empty, got {words!r:.60}")
            sentences.append([str(w) for w in words])
        return sentences

    def values(self, items: list[list[str]], y: Any, distant: Any = None, argument: str = "X") -> Entries:
        """Entries made of an estimator's arguments.

        Args:
            items: n sentences, as `given` returns them.
            y: lists of tags, n; None or -1 is an untagged sentence. None: all are untagged.
            distant: lists of distant tags, n; None or -1 stands for a sentence, or a word, without one.
            argument: name of the argument that holds the sentences, for messages.
        """
        places = InValues({"item": argument, "label": "y", "distant": "distant"}, range(len(items)))
        clean = tags_of(y, items, "y")
        return Entries(items, list(clean), places, distant=tags_of(distant, items, "distant", open_words=True))


def decoded(model: Model, sentences: Sequence[Sequence[str]], probabilities: np.ndarray) -> list[list[str]]:
    """Predicted tags of each sentence, in clean BIO.

    Args:
        model: fitted model.
        sentences: sentences, each a list of words.
        probabilities: probabilities of all their words, (words, c).
    """
    task = Tagging(len(model.classes), tuple(map(str, model.classes)))
    return task.tags(probabilities.argmax(1), np.array([len(s) for s in sentences], dtype=np.int64))


def tag_scores(true: Sequence[Sequence[str]], guess: Sequence[Sequence[str]]) -> dict[str, Any]:
    """Precision, recall and F1 of entities, and an interval of the F1, as plain values.

    Args:
        true: tags of n sentences, BIO.
        guess: predicted tags of the same sentences, BIO.
    """
    found = estimate(f1_influence(entity_counts(true, guess)))
    return {
        "rows": len(true), "measure": "entity F1", **entity_scores(true, guess), "interval": [found.low, found.high],
    }  # fmt: skip


def marked(words: Sequence[str], tags: Sequence[str]) -> Pieces:
    """Pieces of a sentence, cut at its entities.

    >>> marked(["in", "New", "York"], ["O", "B-LOC", "I-LOC"])
    [('in', None), ('New York', 'LOC')]
    """
    pieces: Pieces = []
    at = 0
    for start, end, kind in [*entities(tags), (len(words), len(words), "")]:
        if at < start:
            pieces.append((" ".join(words[at:start]), None))
        if start < end:
            pieces.append((" ".join(words[start:end]), kind))
        at = end
    return pieces


def _with_distant(
    items: Items, code: dict[str, int], labelled: Entries, pool: Sequence[Entries], say: Say
) -> tuple[Items, dict[str, Any]]:
    """The items with distant tags, and statistics of these tags for the summary."""
    place = labelled.at("distant")
    covered, target, silent_is_outside = distant_target([d for part in pool for d in part.distant], code)
    if not len(covered):
        raise DataError(f"{place}: no distant tag on any untagged sentence")
    if silent_is_outside:
        say(f"{place} never says outside: words of which it says nothing are taken to be.")
    about: dict[str, Any] = {
        "rows": len(items.pool), "covered": len(covered), "clean_labels": len(labelled),
        "words": len(target), "covered_words": int((target >= 0).sum()),
    }  # fmt: skip
    if len(labelled) and all(d is not None for d in labelled.distant):
        guess = [[tag or "O" for tag in d] for d in labelled.distant]
        about |= {"on_clean_labels": entity_scores(labelled.labels, guess)}
    say(f"Distant tags on {len(covered)} of {len(items.pool)} untagged sentences.")
    return replace(items, covered=covered, target=target), about


def distant_target(
    distant: Sequence[Sequence[str | None] | None], code: Mapping[str, int]
) -> tuple[np.ndarray, np.ndarray, bool]:
    """Targets made of distant tags.

    Args:
        distant: distant tags of each sentence; None for a sentence, or a word, without.
        code: class number of each tag.

    Returns:
        Numbers of the sentences with distant tags, (n,); class numbers of their words, (words,), -1 is unknown; and
        whether words without a distant tag count as outside ("O"), which they do where no distant tag is "O".

    >>> covered, target, outside = distant_target([["B-PER", None], None, [None]], {"O": 0, "B-PER": 1})
    >>> covered.tolist(), target.tolist(), outside
    ([0, 2], [1, 0, 0], True)
    """
    outside = not any(tag == "O" for tags in distant if tags for tag in tags)
    said = [i for i, tags in enumerate(distant) if tags is not None and any(tags)]
    if outside and said:
        said = [i for i, tags in enumerate(distant) if tags is not None]
    empty = "O" if outside else ""
    target = [code.get(tag or empty, -1) for i in said for tag in distant[i] or []]
    return np.array(said, dtype=np.int64), np.array(target, dtype=np.int64), outside


def tags_of(y: Any, sentences: list[list[str]], name: str, open_words: bool = False) -> list[Tags]:
    """Tags of each sentence in clean BIO; None for a sentence without.

    Args:
        y: lists of tags; None or -1 is an untagged sentence. None: all are untagged.
        sentences: the sentences.
        name: name of the argument that holds the tags, for messages.
        open_words: whether words without a tag are allowed: their tag is None.

    Raises:
        ValueError: the numbers of tags and words differ, or no scheme has a tag; the message names the place.
    """
    if y is None:
        return [None] * len(sentences)
    if len(y) != len(sentences):
        raise ValueError(f"X has {len(sentences)} sentences, but {name} has {len(y)}")
    cells = [list(tags) if np.iterable(tags) and not isinstance(tags, str) else tags for tags in y]
    cells = [tags if isinstance(tags, list) or not unknown(tags) else None for tags in cells]
    labels = _each(name, lambda tags, words: tags_of_list(tags, words, open_words), cells, sentences)
    kind = scheme_of(labels)
    return _each(name, lambda tags: clean_bio(tags, kind)[0], labels)


def _tags_of_cells(cells: list[Any]) -> list[list[str] | None]:
    """Tags as texts. "0" and -1, by which a rule says nothing of a word, become "O"."""
    return [None if c is None else ["O" if str(t) in ("-1", "0") else str(t) for t in c] for c in cells]


def _each(name: str, read: Callable[..., Tags], *columns: Sequence[Any]) -> list[Tags]:
    """Results of ``read`` for each sentence's cells; a ValueError is raised with the sentence's place."""
    found = []
    for i, cells in enumerate(zip(*columns, strict=True)):
        try:
            found.append(read(*cells))
        except ValueError as e:
            raise ValueError(f"{name}[{i}]: {e}") from e
    return found
