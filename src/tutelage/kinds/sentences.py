"""Sentences of words with a tag for each word, perhaps with distant tags."""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import pandas as pd

from tutelage.adapting.how import Adapting
from tutelage.copies import Prints
from tutelage.copies.folding import folded
from tutelage.copies.writing import Writings
from tutelage.data import Examples
from tutelage.fit.build import Items
from tutelage.fit.defaults import HEAD_ON_WORDS, TRANSFORMER, Defaults
from tutelage.kinds.adapting import adapting_of, require_adapt
from tutelage.kinds.base import Kind
from tutelage.kinds.cells import mostly
from tutelage.kinds.dataset import LEAST_SURE, Coded, Dataset, Measured, Words, warn_of_shared
from tutelage.kinds.entries import LEARNT, Entries, InTable, InValues, Sought
from tutelage.kinds.exchanged import MARKED
from tutelage.kinds.faces import Face
from tutelage.kinds.one_vote import once_with_origins, one_vote_each
from tutelage.kinds.tagged import cells_of, decoded, marked, tag_scores, tags_of_cells, with_distant
from tutelage.kinds.tallies import Tally
from tutelage.modalities.base import Reader
from tutelage.modalities.encoder import MINILM, is_lexical, load_encoder, require_encoder
from tutelage.modalities.sentences.facts import tag_facts
from tutelage.modalities.sentences.open_words import one_sentence
from tutelage.modalities.sentences.place import Place
from tutelage.modalities.sentences.reader import WordReader
from tutelage.modalities.sentences.spelling import one_spelling
from tutelage.modalities.sentences.tables import (
    CONLL,
    TagsAs,
    read_sentences,
    span_rows,
    tags_of_values,
)
from tutelage.model import Model
from tutelage.ops.checks import in_range
from tutelage.ops.said import warn
from tutelage.ops.tags import entities, scheme, to_bio
from tutelage.tables import PREDICTED, PREDICTED_SPANS, PROBABILITY, UNHEARD, USUAL, DataError, Notes, ReadAs
from tutelage.tables import read as read_file
from tutelage.tasks import Tagging, tag_names
from tutelage.types import Tick

TYPES_SHOWN = 20
"""Number of types of entities that a line lists with their counts at most."""


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
        classes: names of the tags, with commas between, in the order of their numbers; of tags in words, all types.
        tags_are: "types", each tag is a type of its own; "bio", letters tell where entities begin.
        outside: tag of the words outside entities, besides O.
        open_words: words without a tag in a tagged sentence are "outside", or make the sentence "untagged".
        sentence_id: column that numbers the sentences of a table with a word a row; "row", each row is a sentence.
        offsets: units of the offsets of spans: "characters", "utf-16" or "utf-8".
        mended: "take" goes on where most entities had to be mended.
        spelling: "fold" takes types for one that differ only by capitals or by signs that are not seen; "as-is" does
            not.
    """

    tokens: str | None = None
    tags: str | None = None
    distant: str | None = None
    encoder: str | None = None
    finetune: bool = False
    adapt: bool | None = None
    max_length: int = 128
    classes: str | None = None
    tags_are: str | None = None
    outside: str | None = None
    open_words: str | None = None
    sentence_id: str | None = None
    offsets: str | None = None
    mended: str | None = None
    spelling: str = "fold"

    name: ClassVar[str] = "sentences"
    task_word: ClassVar[str] = "tagging"
    estimator: ClassVar[str] = "Tagger"
    item_columns = ("tokens",)
    cell: ClassVar[Mapping[str, Any]] = {"type": ["array", "string"], "items": {"type": "string"}}
    exchanged = MARKED
    label_columns = ("tags",)
    reading = ("encoder", "max_length")
    label_reading = ("classes", "tags_are", "outside", "open_words", "sentence_id", "offsets", "mended", "spelling")
    adapts = True
    prints_class = Writings
    hub_task = "token-classification"
    words = Words(
        "sentences", "sentence", classes="tags", column="sentence, with its entities", probability="lowest probability",
        unit="of a word ",
    )  # fmt: skip

    def __post_init__(self) -> None:
        super().__post_init__()
        in_range("max_length", self.max_length, 3)
        require_adapt(self.adapt, self.finetune, self.encoder)
        if is_lexical(self.encoder):
            raise ValueError(f"--encoder {self.encoder} reads whole texts, not each word of a sentence; name another")
        self.tags_as  # noqa: B018 - a value out of its range is refused here

    @classmethod
    def told_by_cells(cls, cells: Mapping[str, Sequence[Any]]) -> Sequence[str]:
        """The first column that holds lists."""
        return [c for c, found in cells.items() if mostly(lambda cell: isinstance(cell, list), found)][:1]

    @property
    def tags_as(self) -> TagsAs:
        """How tags are read, as far as the options say it."""
        own = {f.name for f in fields(TagsAs)}
        return TagsAs(**{name: getattr(self, name) for name in own if hasattr(self, name)})

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

    def require_encoder(self) -> None:
        require_encoder(self.encoder)

    def adapting(self, auto: bool, evidence: bool) -> Adapting | None:
        return adapting_of(self.adapt, False, evidence)

    # reading

    def entries(self, path: Path, how: ReadAs = USUAL, notes: Notes = UNHEARD, sought: Sought = LEARNT) -> Entries:
        distant = None if sought.weak is None else self.distant
        needed = [name for name, must in ((self.tags, sought.labels), (distant, sought.weak)) if must and name]
        found = read_sentences(path, str(self.tokens), self.tags, distant, how, notes, needed, self.tags_as)
        if found.empty:
            notes.say(f"{path}: {found.empty} sentences without a word are left out.")
        if len(found) > 1 and all(len(words) == 1 for words in found.tokens):
            notes.say(
                f"{path}: every sentence has one word only; a row (or a block of lines) must be a whole sentence."
            )
        places = InTable(str(path), found.rows, {"item": self.tokens, "label": self.tags, "distant": self.distant})
        offsets = () if found.offsets is None else found.offsets
        facts = tag_facts(found.tokens, found.tags, found.distant, found.repaired, found.mended)
        return Entries(found.tokens, list(found.tags), places, offsets=offsets, distant=found.distant, facts=facts)

    def relabelled(self, found: Entries, labels: list[Any], asked: list[str | None]) -> Entries:
        mended = found.facts.get("mended", 0), found.facts.get("first_mended", "")
        facts = tag_facts(found.items, labels, found.distant or [None] * len(labels), *mended)
        return replace(found, labels=labels, asked=asked, facts=facts)

    def exact_key(self, item: Any) -> Hashable:
        return tuple(item)

    def equal_key(self, item: Any) -> Hashable:
        return folded(" ".join(item))

    def in_a_word(self, item: Any) -> str:
        return " ".join(item)

    def label_in_words(self, label: Any) -> str:
        return " ".join(tag or "O" for tag in label)

    def columns(self) -> dict[str, str]:
        return super().columns() | ({} if self.distant is None else {self.distant: "distant tags"})

    def prints(self, items: Sequence[Any], known: Prints | None = None) -> Writings:
        return Writings.of([" ".join(words) for words in items], frames=None)

    def note(self, train: Entries, more: Entries | None, test: Entries | None, notes: Notes) -> None:
        super().note(train, more, test, notes)
        facts = train.facts
        if facts:
            of = facts["entities"] or facts["distant_entities"]
            named = ", ".join(f"{name} {count:,}" for name, count in list(of.items())[:TYPES_SHOWN]) or "none"
            kind = "Entities" if facts["entities"] or not of else "Entities of the distant tags"
            notes.fact("tags", f"{kind}: {named}; {facts['words']:,} words.", facts)

    def labelled_only(self, test: Entries, notes: Notes) -> Entries:
        if not test.known.any():
            raise DataError(f"{test.places.source}: every sentence is untagged; nothing to score on")
        if not test.known.all():
            notes.say(f"Not scored: {int((~test.known).sum())} sentences of {test.places.source} without tags.")
        return test.where(test.known)

    # learning

    def learn(
        self, train: Entries, more: Entries | None, test: Entries | None, evidence: bool, notes: Notes = UNHEARD
    ) -> Dataset:
        labelled, parts = train.where(train.known), [train.where(~train.known), *([] if more is None else [more])]
        found_in = [named_entities(*pair) for pair in zip(labelled.items, labelled.labels, strict=True)]
        votes = one_vote_each(self, labelled, notes, alike=lambda i, j: found_in[i] == found_in[j])
        labelled = votes.labelled
        weak, place = self._weak_in(train, parts), train.at("label")
        if not weak and not len(labelled):
            raise DataError(f"{place}: every sentence is untagged; tag some")
        if evidence and len(labelled) == 1:
            raise DataError(f"{place}: {one_sentence(labelled.items[0])}, or {train.places.skip}")
        if evidence and votes.groups is not None and votes.groups.clusters == 1:
            raise DataError(f"{place}: {votes.all_together(self.words)}, or {train.places.skip}")
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
        parts, origins = once_with_origins(self, train, parts, notes, weak)
        pool = [tokens for part in parts for tokens in part.items]
        items = Items(Tagging(len(names), names), labelled.items, y, pool, groups=votes.groups)
        about: dict[str, Any] = {}
        if weak:
            items, about = with_distant(items, code, labelled, parts, notes)
        found = Dataset(
            items, list(names), weak=about, repeated=votes.copied, strangers=votes.strangers, origins=origins,
            asked=labelled.asked,
        )  # fmt: skip
        if test is None:
            return found
        test = self._with_spelling_of(names, test, notes)
        self._warn_of_unseen(test, code)
        copied = self.copied(test.items, labelled.items, pool, votes.strangers)
        copied = warn_of_shared(copied, self.words, test)
        return replace(found, test=test.items, truth=test.labels, copied=copied)

    def _weak_in(self, train: Entries, parts: Sequence[Entries]) -> bool:
        in_values = isinstance(train.places, InValues)
        return any(d is not None for part in parts for d in part.distant) if in_values else self.weak

    def _with_spelling_of(self, names: Sequence[str], test: Entries, notes: Notes) -> Entries:
        """Test entries whose types are spelled as those that were learnt."""
        at, known = Place(test.places.source, "", ()), [name[2:] for name in names[1:]]
        (labels,) = one_spelling(at, [test.labels], self.tags_as, notes, known)
        return replace(test, labels=labels)

    def _warn_of_unseen(self, test: Entries, code: Mapping[str, int]) -> None:
        unseen = sorted({tag[2:] for tags in test.labels if tags for tag in tags if tag not in code})
        if unseen:
            warn(
                f"{test.places.source} has entities of types that were never tagged in training and count as missed: "
                f"{', '.join(unseen)}.",
                stacklevel=2,
                page="classes-without-labels",
            )

    # answering

    def answered(
        self, model: Model, path: Path, how: ReadAs, notes: Notes, tick: Tick, encoded: bool = True
    ) -> tuple[pd.DataFrame, dict[str, Any]]:
        tokens = str(self.tokens)
        found = read_sentences(path, tokens, how=how, notes=notes, tags_as=self.tags_as, only_words=True)
        if found.empty:
            notes.say(f"{path}: {found.empty} sentences without a word are left out.")
        notes.settle()
        p = model.probabilities(found.tokens, tick)
        tags = decoded(model, found.tokens, p)
        sizes = np.array([len(s) for s in found.tokens])
        sure = np.minimum.reduceat(p.max(1), np.cumsum(sizes) - sizes)  # a sentence is as sure as its least sure word
        spans = span_rows(found.tokens, tags, found.offsets)
        table = pd.DataFrame({"row": found.rows, tokens: found.tokens}, index=found.rows)
        if found.as_written:
            whole = read_file(path, how)
            at = {row: i for i, row in enumerate(whole.rows)}
            table = whole.frame.iloc[[at[row] for row in found.rows]].set_axis(found.rows)
        elif path.suffix.lower() not in CONLL:
            notes.say(f"{path}: predictions are of the sentences as they were read, so only these are written.")
        return table, {PREDICTED: tags, PREDICTED_SPANS: spans, PROBABILITY: sure}

    def coded(self, items: Sequence[list[Any]], labels: Sequence[list[Any]], weak: list[Any] | None = None) -> Coded:
        """Sentences with class numbers of their words. All tags are read in the scheme of the last source."""
        given = [*map(tags_of_cells, labels), *([] if weak is None else [tags_of_cells(weak)])]
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

    # asking

    def table_to_ask(self, items: Sequence[Any], frame: pd.DataFrame | None, path: Path) -> pd.DataFrame:
        name = str(self.tokens)
        if frame is not None and name in frame and all(map(_says, frame[name], items)):
            return frame
        return pd.DataFrame({name: [list(words) for words in items]})  # of a table with a word a row, or of no table

    def face(self, item: Any, name: str = "") -> Face:
        return Face(words=tuple(item), name=name)

    def guesses(self, model: Model, items: Sequence[Any]) -> list[str] | None:
        return [" ".join(tags) for tags in decoded(model, items, model.predict_units(model.examples(items)))]

    # scoring

    def truth(
        self, test: Entries, model: Model, notes: Notes = UNHEARD
    ) -> tuple[Sequence[Sequence[str]], Sequence[Sequence[str]]]:
        test = self._with_spelling_of(list(map(str, model.classes)), test, notes)
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

    def values(
        self, items: list[list[str]], y: Any, distant: Any = None, argument: str = "X", notes: Notes | None = None
    ) -> Entries:
        """Entries made of an estimator's arguments.

        Args:
            items: n sentences, as `given` returns them.
            y: lists of tags, n; None or -1 is an untagged sentence. None: all are untagged.
            distant: lists of distant tags, n; None or -1 stands for a sentence, or a word, without one.
            argument: name of the argument that holds the sentences, for messages.
            notes: takes what is noticed; None warns of it.
        """
        heard = Notes(_warn) if notes is None else notes
        places = InValues({"item": argument, "label": "y", "distant": "distant"}, range(len(items)))
        given = cells_of(y, items, "y"), cells_of(distant, items, "distant")
        found = tags_of_values(items, *given, argument, self.tags_as, heard)
        if notes is None:
            heard.settle()
        facts = tag_facts(found.tokens, found.tags, found.distant, found.repaired, found.mended)
        return Entries(found.tokens, list(found.tags), places, distant=found.distant, facts=facts)


def _says(cell: Any, words: Sequence[str]) -> bool:
    """Whether a cell of a table holds a whole sentence, as a text or as a list of words."""
    if isinstance(cell, list | tuple | np.ndarray):
        return list(map(str, cell)) == list(words)
    written = str(cell)
    listed = written.lstrip().startswith("[")
    return listed or "".join(written.split()) == "".join("".join(words).split())


def _warn(line: str) -> None:
    """Warn Python users of what was read otherwise than it is written."""
    warn(line, stacklevel=2)


def named_entities(words: Sequence[str], tags: Sequence[str | None]) -> frozenset[tuple[str, str]]:
    """Entities of a sentence, each by its folded words and its type; nearly equal sentences of the same agree.

    >>> sorted(named_entities(["Ann", "Bell", "sleeps", "."], ["B-PER", "I-PER", "O", "O"]))
    [('ann bell', 'PER')]
    """
    spans = entities([tag or "O" for tag in tags])
    return frozenset((folded(" ".join(words[start:end])), kind) for start, end, kind in spans)
