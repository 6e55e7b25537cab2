"""Texts, each of one class, perhaps with votes of rules."""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, ClassVar, Self

import numpy as np
import pandas as pd

from tutelage.adapting.how import Adapting
from tutelage.copies import Prints, keys_of_bytes
from tutelage.copies.folding import folded
from tutelage.copies.writing import Writings
from tutelage.data.columns import TEXTS, Form, evenly
from tutelage.fit.defaults import HEAD, TRANSFORMER, Defaults
from tutelage.kinds.adapting import adapting_of, require_adapt
from tutelage.kinds.answers import without_label
from tutelage.kinds.cells import is_number, mostly
from tutelage.kinds.dataset import EXCERPT, HIDDEN, Files, Words
from tutelage.kinds.entries import LEARNT, Entries, InValues, Sought, first_of
from tutelage.kinds.exchanged import WRITTEN
from tutelage.kinds.left_out import LeftOut
from tutelage.kinds.one_class import OneClass, in_table, table_of
from tutelage.kinds.teachers import said_by_run
from tutelage.modalities.base import Reader
from tutelage.modalities.encoder import LEXICAL, is_lexical, require_encoder
from tutelage.modalities.images.endings import ENDINGS
from tutelage.modalities.precision import ASKED
from tutelage.modalities.text.lexical_reader import encoders_there, text_reader
from tutelage.modalities.text.odd_columns import ask_of_column, require_odd
from tutelage.modalities.text.odd_texts import note_odd_texts, texts_for_none
from tutelage.modalities.text.tables import LONGEST, bad_texts, text_fault, texts_of
from tutelage.model import Model
from tutelage.ops.checks import in_range, one_of
from tutelage.tables import (
    FILE,
    LABEL,
    PREDICTED,
    PROBABILITY,
    TEXT,
    UNHEARD,
    USUAL,
    DataError,
    Notes,
    ReadAs,
    holds_table,
    holds_texts,
)
from tutelage.tables.odd import counted
from tutelage.types import Tick
from tutelage.weak import apply_rules, descriptions_of, read_descriptions, read_rules
from tutelage.weights import AUTO

LOOKED_AT = 100_000
"""Texts of a pool on disk, at most, that are looked at for what is odd about them."""


@dataclass(frozen=True, kw_only=True)
class Texts(OneClass):
    """Texts, each of one class: in a table, or in a folder with a folder of text files for each class.

    Args:
        text: column of the texts; a folder needs none.
        label: column of the labels; empty means unlabelled.
        votes: column of lists of votes, or prefix of the rules' columns; -1 abstains.
        rules: file of rules that vote: JSON, or Python, which is executed.
        label_model: label model: "majority", "weighted", "data_programming"; or "fable", which reads features, too.
        describe: file of descriptions, JSON or TOML: a name or sentences for each class.
        teacher: prefix of columns of a teacher's probabilities, such as p_ of p_CLASS.
        teacher_label: column of a teacher's labels; empty is silent.
        teacher_confidence: column of its confidence in each of them.
        teacher_run: folder of a finished run, whose model labels the texts.
        encoder: "minilm" or "mpnet" (see tutelage models list), folder of a saved model, or name on the Hub; "lexical",
            which learns words and letters of the texts in any language; two, as "minilm+lexical"; or "auto", which the
            labels choose.
        finetune: train the encoder too; some hundred times slower.
        adapt: first adapt the encoder to the labels, by their pairs; the folds say whether that is worth it.
        max_length: tokens read of each text, at least 2.
        precision: of a frozen encoder: "float32", "bfloat16" or "int8" (needs the extra onnx); "auto" takes the fastest
            whose features are near those of float32.
        odd_texts: "take" reads a column of one value, of numbers or of ids as texts; by default a question.
    """

    text: str | None = None
    rules: Path | None = None
    describe: Path | None = None
    teacher_run: Path | None = None
    described: Mapping[str, Sequence[str]] | None = field(default=None, metadata=HIDDEN)
    encoder: str | None = None
    finetune: bool = False
    adapt: bool | None = None
    max_length: int = 128
    precision: str | None = None
    odd_texts: str | None = None
    skip_bad: bool = field(default=False, metadata=HIDDEN)

    name: ClassVar[str] = "texts"
    task_word: ClassVar[str] = "classification"
    item_columns = ("text",)
    reading = ("encoder", "max_length", "precision")
    adapts = True
    of_texts: ClassVar[bool] = True
    prints_class = Writings
    reads_folders: ClassVar[bool] = True
    nothing: ClassVar[tuple[Any, ...]] = ("",)
    stores: ClassVar[bool] = True
    hub_task = "text-classification"
    words = Words("texts", "text", column="text")
    cell: ClassVar[Mapping[str, Any]] = {"type": "string"}
    exchanged = WRITTEN

    def __post_init__(self) -> None:
        super().__post_init__()
        given: Any = self.describe  # of Python users perhaps the descriptions themselves
        if given is not None and not isinstance(given, str | Path):
            object.__setattr__(self, "described", descriptions_of(given))
            object.__setattr__(self, "describe", None)
        in_range("max_length", self.max_length, 2)
        if self.precision is not None:
            one_of("--precision", self.precision, ASKED)
            if self.finetune or self.encoder == LEXICAL:
                why = "--finetune trains the encoder" if self.finetune else f"--encoder {LEXICAL} counts words"
                raise ValueError(f"--precision is that of a frozen transformer, and {why}; leave out one of the two")
        require_odd(self.odd_texts)
        if self.votes is not None and self.rules is not None:
            raise ValueError("give --votes or --rules, not both")
        require_adapt(self.adapt, self.finetune, self.encoder)
        if self.finetune and self.encoder == AUTO:
            raise ValueError("--finetune trains one encoder: name it in place of --encoder auto")
        if self.finetune and is_lexical(self.encoder):
            raise ValueError(
                f"--finetune trains a transformer and its head, not --encoder {self.encoder}; leave out one of the two"
            )

    @property
    def weak(self) -> bool:
        return super().weak or self.rules is not None

    @property
    def taught(self) -> bool:
        of_texts = (self.describe, self.described, self.teacher_run)
        return super().taught or any(each is not None for each in of_texts)

    @property
    def descriptions(self) -> Mapping[str, Sequence[str]] | None:
        return self.described if self.describe is None else read_descriptions(self.describe)

    @property
    def defaults(self) -> Defaults:
        return TRANSFORMER if self.finetune else HEAD

    @property
    def whole(self) -> bool:
        return self.finetune

    @classmethod
    def told_by_cells(cls, cells: Mapping[str, Sequence[Any]]) -> Sequence[str]:
        """The column whose texts have the most words, and of such with as many the most letters."""
        texts = {c: found for c, found in cells.items() if not mostly(is_number, found)}

        def length(c: str) -> tuple[float, float]:
            count = len(texts[c])
            return sum(len(str(cell).split()) for cell in texts[c]) / count, sum(map(len, map(str, texts[c]))) / count

        return [max(texts, key=length)] if texts else ()

    @classmethod
    def recognises(cls, X: Any) -> bool:
        return isinstance(first_of(X), str)

    def reader(self, size: tuple[int, int] | None = None) -> Reader:
        return text_reader(None if self.encoder == AUTO else self.encoder, self.max_length, self.precision)

    def readers(self, size: tuple[int, int] | None, auto: bool) -> tuple[Reader, ...]:
        if self.finetune or not (self.encoder == AUTO or (auto and self.encoder is None)):
            return (self.reader(size),)
        return tuple(text_reader(name, self.max_length, self.precision) for name in encoders_there())

    def require_encoder(self) -> None:
        require_encoder(self.encoder)

    def adapting(self, auto: bool, evidence: bool) -> Adapting | None:
        return adapting_of(self.adapt, auto and not self.finetune, evidence)

    # reading

    @classmethod
    def told_by_folder(cls, path: Path) -> bool:
        if not path.is_dir() or holds_table(path) or not holds_texts(path):
            return False
        files = (file for pattern in ("*", "*/*", "*/*/*") for file in path.glob(pattern))
        return not any(file.suffix.lower() in ENDINGS for file in files)

    def _needed(self, files: Files) -> tuple[str, ...]:
        folders = [not holds_table(path) for path in (files.train, files.unlabelled, files.test) if path is not None]
        return () if all(folders) else super()._needed(files)

    def _require_scored(self, files: Files) -> None:
        if files.test is not None and holds_table(files.test):
            super()._require_scored(files)

    def settled(self, files: Files, notes: Notes = UNHEARD, others: Sequence[str] = ()) -> Self:
        return replace(self._of(files.train), skip_bad=files.how.skip_bad)

    def _of(self, path: Path) -> Self:
        """The kind with the columns of a folder of texts, where the path is one."""
        return self if holds_table(path) else replace(self, text=TEXT, label=LABEL)

    def entries(self, path: Path, how: ReadAs = USUAL, notes: Notes = UNHEARD, sought: Sought = LEARNT) -> Entries:
        if (kind := self._of(path)) != self:
            return kind.entries(path, how, notes, sought)
        table, rows = table_of(path, how, notes)
        # without a column of texts only what teachers said of them is asked for
        texts = [""] * len(table) if self.text is None else texts_of(table, path, self.text).texts
        votes = self._votes(table, path, sought, self.text, self.label)
        if sought.weak is not None and self.rules is not None:
            says = f"Rules: {self.rules} is executed, as any program of Python."
            if self.rules.suffix == ".py" and says not in notes.lines:
                notes.say(says)
            votes = apply_rules(read_rules(self.rules), texts, str(path))
        places = in_table(path, rows, item=self.text, label=self.label, votes=self.votes)
        if not holds_table(path):
            places = replace(places, files=table[FILE].tolist())
        said = self.said_in(table, path, sought, notes, self.text, self.label, self.votes)
        if sought.weak is not None and self.teacher_run is not None:
            said = (*said, said_by_run(self.teacher_run, self.name, texts, notes))
        made = Entries(texts, [None] * len(texts), places, votes, table=table, said=said)
        return self.with_labels(made, self.label_cells(table, path, sought, notes), how, notes)

    def equal_key(self, item: Any) -> Hashable:
        return folded(item)

    def stored_form(self, items: Any) -> Form:
        return TEXTS

    def stored_keys(self, items: Any) -> np.ndarray:
        return keys_of_bytes(text.encode("utf-8", "surrogatepass") for text in items)

    def pool_keys(self, items: Sequence[Any]) -> np.ndarray:
        return self.stored_keys(items)

    def prints(self, items: Sequence[Any], known: Prints | None = None) -> Writings:
        cut = [text[:LONGEST] for text in items]  # none that is longer is learnt from
        return Writings.of(cut, known.frames if isinstance(known, Writings) else ())

    def note(self, train: Entries, more: Entries | None, test: Entries | None, notes: Notes) -> None:
        super().note(train, more, test, notes)
        for part in filter(None, (train, more)):
            if part.stored is not None and self.odd_texts is None:
                _note_some(part, self.skip_bad, notes)
            if not part.places.keeps_all:
                if self.odd_texts is None and self.text is not None and not isinstance(part.places, InValues):
                    ask_of_column(part.items, part.at("item"), self.text, notes)
                note_odd_texts(part.items, part.places.short, part.places.source, self.skip_bad, notes)

    def _bad(self, found: Entries) -> dict[int, str]:
        """Faults of texts that are not to be learnt from, by the number of the text, from 0."""
        none = texts_for_none(found.items) if self.skip_bad else {}
        return dict(sorted((none | bad_texts(found.items)).items()))

    def faults(self, found: Entries) -> list[str | None]:
        return [
            text_fault(text) and ("the text is too long" if text.strip() else "the text is empty")
            for text in found.items
        ]

    def good_labelled(self, labelled: Entries, notes: Notes) -> Entries:
        bad = self._bad(labelled)
        if not bad:
            return labelled
        if self.skip_bad and len(bad) < len(labelled):
            notes.say(f"Left out of the labels: {_in_words(bad, labelled)}.", page="left-out")
            return _without(bad, labelled)
        advice = "" if labelled.places.keeps_all or len(bad) == len(labelled) else "; --skip-bad leaves out such rows"
        if len(bad) == 1:
            notes.fault(f"{labelled.at('item', next(iter(bad)))}: {next(iter(bad.values()))}{advice}")
        else:
            notes.fault(f"Labelled, but not to be learnt from: {_in_words(bad, labelled)}{advice}")
        return labelled

    def bad_in_pool(self, pool: Entries) -> dict[int, str]:
        return self._bad(pool)

    def good_pool(self, pool: Entries, notes: Notes) -> Entries:
        bad = {} if pool.places.keeps_all else self.bad_in_pool(pool)
        if bad:
            notes.say(f"Left out of the pool: {_in_words(bad, pool)}.", page="left-out")
        return _without(bad, pool)

    def labelled_only(self, test: Entries, notes: Notes) -> Entries:
        found = super().labelled_only(test, notes)
        bad = bad_texts(found.items)
        if len(bad) == len(found):
            raise DataError(f"{found.at('item')}: {_in_words(bad, found)}; nothing to score on")
        if bad:
            notes.say(f"Not scored: {_in_words(bad, found)}.", page="left-out")
        return _without(bad, found)

    # answering and showing

    def answered(
        self, model: Model, path: Path, how: ReadAs, notes: Notes, tick: Tick, encoded: bool = True
    ) -> tuple[pd.DataFrame, dict[str, Any]]:
        table, rows = table_of(path, how, notes)
        texts = texts_of(table, path, str(self._of(path).text)).texts
        unread = model.unread(texts)
        long = [i for i in bad_texts(texts) if not unread[i]]

        def first(i: int) -> str:
            return f"first: row {rows[i]}" if holds_table(path) else f"first: {table[FILE].iloc[i]}"

        if long:
            notes.say(
                f"Overlong, so that labels mean little: {counted(len(long), 'text')} ({first(long[0])}).",
                page="long-texts",
            )
        if unread.any():
            notes.say(
                without_label(int(unread.sum()), len(texts), self.words, first(int(unread.argmax()))),
                page="nothing-to-read",
            )
        p = model.probabilities(texts, tick)
        label = [None if nothing else model.classes[i] for i, nothing in zip(p.argmax(1), unread, strict=True)]
        return table, {PREDICTED: label, PROBABILITY: np.where(unread, np.nan, p.max(1))}

    def written_item(self, item: Any) -> str | None:
        return str(item)

    def shown_item(self, item: Any, name: str, characters: int = EXCERPT) -> dict[str, str]:
        return {"text": excerpt(item, characters)}

    # Python values

    def given(self, X: Any, argument: str = "X") -> list[str]:
        if isinstance(X, pd.DataFrame):
            if X.shape[1] != 1:
                raise ValueError(f"{argument} must be one column of texts, got {X.shape[1]} columns")
            X = X.iloc[:, 0]
        if isinstance(X, str):
            raise ValueError(f"{argument} must be a list of texts, got one string")
        texts = list(np.asarray(X, dtype=object).ravel())
        if texts and isinstance(texts[0], str) and texts[0].lower().endswith(ENDINGS) and Path(texts[0]).is_file():
            raise ValueError(f"{argument}[0] is the name of an image file, {texts[0]!r}; give paths as pathlib.Path")
        for i, text in enumerate(texts):
            if not isinstance(text, str):
                raise ValueError(f"{argument}[{i}] must be a string, got {text!r}")
        return texts


def _note_some(pool: Entries, left_out: bool, notes: Notes) -> None:
    """Note odd texts of a pool on disk, by some of it, evenly spaced."""
    some = list(evenly(pool.items, LOOKED_AT))
    step = -(-len(pool) // len(some)) if some else 1
    at, source = pool.places.short, f"{pool.places.source} (looked at: {len(some):,} texts, evenly spaced)"
    note_odd_texts(some, lambda i: at(i * step), source if step > 1 else pool.places.source, left_out, notes)


def _without(bad: Mapping[int, str], found: Entries) -> Entries:
    """Entries without those that have a fault."""
    return found.where(~np.isin(np.arange(len(found)), list(bad))) if bad else found


def _in_words(bad: Mapping[int, str], found: Entries) -> str:
    """How many of the entries have a fault, and the first of them."""
    left = LeftOut()
    left.add(bad, found.places.short)
    return left.in_words(len(found), "texts", found.places.source)


def excerpt(text: str, characters: int = EXCERPT) -> str:
    """Beginning of a text in one line, of at most so many characters; white space is shortened to one space."""
    text = " ".join(text.split())
    return text if len(text) <= characters else text[:characters] + " …"
