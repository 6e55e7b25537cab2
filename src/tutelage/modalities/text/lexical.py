"""A lexical encoder: features of texts from their own words and letters, fitted on the texts to learn from."""

from __future__ import annotations

import hashlib
import json
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from functools import cached_property, lru_cache
from pathlib import Path
from typing import Any, cast

import numpy as np
import torch

from tutelage import files
from tutelage.files import BadFileError
from tutelage.files.described import Lexical
from tutelage.files.tensors import read_tensors, write_tensors

TEXTS_TO_FIT = 5_000
"""Number of texts, at most, from which the vocabulary and the components are taken; of more a random part is."""

CHARACTERS_TO_FIT = 10_000_000
"""Number of characters of those texts together, at most, which bounds memory where texts are long."""

FEW = 100
"""Number of texts below which an n-gram of a single text is kept, too."""

TEXTS_A_CHUNK = 2048
"""Number of texts that are encoded together, which bounds memory."""

PUNCTUATION = (
    r"!-/:-@\[-`{-~\u00a1-\u00a9\u00ab-\u00b4\u00b6-\u00b9\u00bb-\u00bf\u2000-\u200b\u200e-\u206f"
    r"\u3000-\u303f\uff00-\uff0f\uff1a-\uff20"
)
"""Characters that end a word, as ranges of a regular expression; the joiners U+200C and U+200D are none of them."""

WORD = rf"[^\s{PUNCTUATION}]{{2,}}"
"""Regular expression of a word of two characters or more. Unlike ``\\w`` it keeps the vowel signs of Indic scripts."""

_FILES = "lexicon.json", "lexicon.safetensors"


@dataclass(frozen=True)
class Settings:
    """Settings of a lexical encoder, which its features depend on.

    The defaults did best in logistic regression with 10 and 30 labels a class on six sets of texts, in draws of labels
    that no reported result uses.

    Attributes:
        words: shortest and longest n-gram of words.
        characters: shortest and longest n-gram of characters within a word, with one space before and after it.
        weight: weight of the block of characters; that of words is 1.
        power: power of the singular values in the features, at least 0: 0 whitens the components, 1 is plain latent
            semantic analysis, and more brings texts together that have few words in common, but words of one kind.
        width: number of features, at most.
        most: number of n-grams of words, and of characters, that are kept, at most: those in the most texts.
    """

    words: tuple[int, int] = (1, 2)
    characters: tuple[int, int] = (2, 5)
    weight: float = 1.0
    power: float = 2.5
    width: int = 256
    most: int = 30_000


@dataclass(frozen=True, eq=False)
class Lexicon:
    """A fitted lexical encoder of texts.

    Each n-gram of words and of characters that a text has, however often, counts its idf; each of the two blocks is
    scaled to length 1, that of the characters then times its weight. Those rows X = U S V' of the fitted texts give
    components V S^(power - 1); a text's features are its row times the components, scaled to length 1.

    Attributes:
        settings: settings of the encoder.
        words: n-grams of words that are counted.
        characters: n-grams of characters that are counted.
        idf: log((1 + n) / (1 + texts with the n-gram)) + 1 of all n-grams, words first, (f,), float32.
        components: components, (f, d), float32.

    Source: Deerwester et al., latent semantic analysis, JASIS 1990; the idf is that of scikit-learn.

    >>> lexicon = Lexicon.fitted(["good soup", "good bread", "late goal", "late match"])
    >>> rows = lexicon.rows(["good good soup", "late goal"])
    >>> rows.shape, bool(rows[0] @ rows[1] < 0.1)
    ((2, 4), True)
    """

    settings: Settings
    words: list[str]
    characters: list[str]
    idf: np.ndarray
    components: np.ndarray

    @classmethod
    def fitted(cls, texts: Sequence[str], settings: Settings = Settings()) -> Lexicon:
        """Lexical encoder fitted on texts; where there are more than `TEXTS_TO_FIT`, on a random part of them.

        Args:
            texts: texts to learn from, with labels and without, at least one with a character that is no white space.
            settings: settings of the encoder.

        Raises:
            ValueError: no text holds a character that is no white space.
        """
        return _fitted(tuple(_sample(texts)), settings)

    @property
    def width(self) -> int:
        """Number of features d."""
        return int(self.components.shape[1])

    @cached_property
    def fingerprint(self) -> str:
        """Hash of all that features depend on: settings, vocabulary, idf and components. Computed once."""
        h = hashlib.blake2b(json.dumps([asdict(self.settings), self.words, self.characters]).encode(), digest_size=8)
        for array in (self.idf, self.components):
            h.update(np.ascontiguousarray(array).data)
        return h.hexdigest()

    @cached_property
    def _columns(self) -> tuple[dict[str, int], dict[str, int]]:
        return {w: i for i, w in enumerate(self.words)}, {c: i for i, c in enumerate(self.characters)}

    def rows(self, texts: Sequence[str]) -> np.ndarray:
        """Features of texts, (n, d), float32, each row of length 1; zeros where no n-gram of a text is known."""
        return np.concatenate([np.empty((0, self.width), np.float32), *self.batches(texts)])

    def batches(self, texts: Sequence[str]) -> Iterator[np.ndarray]:
        """Features of texts, a chunk of at most `TEXTS_A_CHUNK` texts at a time, (n, d) each."""
        words, characters = self._columns
        for start in range(0, len(texts), TEXTS_A_CHUNK):
            plain = [_plain(text) for text in texts[start : start + TEXTS_A_CHUNK]]
            blocks = [
                _count_words(plain, self.settings, words)[0],
                _count_characters(plain, self.settings, characters)[0],
            ]
            yield _of_length_1(_weighed(blocks, self.idf, self.settings.weight) @ self.components)

    def save(self, folder: Path) -> None:
        """Write the encoder into a folder, made where it is missing: the vocabulary as JSON, the numbers as tensors."""
        folder.mkdir(parents=True, exist_ok=True)
        about = {"settings": asdict(self.settings), "words": self.words, "characters": self.characters}
        tensors = {"idf": torch.as_tensor(self.idf), "components": torch.as_tensor(self.components)}
        write_tensors(folder / _FILES[1], tensors)
        files.write_json(folder / _FILES[0], about)

    @property
    def size(self) -> int:
        """Bytes of its files, about."""
        return self.idf.nbytes + self.components.nbytes + sum(len(gram) + 4 for gram in (*self.words, *self.characters))

    @classmethod
    def load(cls, folder: Path) -> Lexicon:
        """Lexical encoder that `save` wrote into a folder.

        Raises:
            BadFileError: a file is missing or damaged, or the two do not belong together.
        """
        try:
            about = files.read_json(folder / _FILES[0], Lexical)
            tensors, _ = read_tensors(folder / _FILES[1])
            named = {k: tuple(v) if isinstance(v, list) else v for k, v in about["settings"].items()}
            settings = Settings(**cast(Any, named))
            vocabulary = list(map(str, about["words"])), list(map(str, about["characters"]))
            found = cls(settings, *vocabulary, tensors["idf"].numpy(), tensors["components"].numpy())
        except FileNotFoundError as e:
            raise BadFileError(f"{folder}: a file of the lexical encoder is missing ({e})") from e
        except (LookupError, TypeError, AttributeError, ArithmeticError) as e:
            raise BadFileError(f"{folder}: the lexical encoder is damaged ({e})") from e
        count = len(found.words) + len(found.characters)
        if found.idf.shape != (count,) or found.components.ndim != 2 or len(found.components) != count:
            raise BadFileError(f"{folder}: vocabulary and components of the lexical encoder do not belong together")
        return found


@lru_cache(maxsize=1)
def _fitted(texts: tuple[str, ...], settings: Settings) -> Lexicon:
    """Lexical encoder fitted on these texts; the last one is kept, since several readers take the same texts."""
    plain = [_plain(text) for text in texts]
    least = 2 if len(plain) >= FEW else 1
    blocks, names = [], []
    for count in (_count_words, _count_characters):
        counts, found = count(plain, settings)
        kept = _kept(_texts_with(counts), least, settings.most)
        blocks.append(counts[:, kept])
        names.append([found[i] for i in kept])
    if not any(names):
        raise ValueError("texts must hold a word, but every one is empty")
    with_gram = np.concatenate([_texts_with(block) for block in blocks])
    idf = (np.log((1 + len(plain)) / (1 + with_gram)) + 1).astype(np.float32)
    components = _components(_weighed(blocks, idf, settings.weight), settings)
    return Lexicon(settings, names[0], names[1], idf, components)


def _sample(texts: Sequence[str]) -> list[str]:
    """The texts, or a random part of them of at most `TEXTS_TO_FIT` texts and `CHARACTERS_TO_FIT` characters."""
    order = np.random.default_rng(0).permutation(len(texts))[:TEXTS_TO_FIT]
    before = np.cumsum([0] + [len(texts[i]) for i in order])[: len(order)]
    return [texts[i] for i in np.sort(order[before < CHARACTERS_TO_FIT])]


def _plain(text: str) -> str:
    """A text in small letters and in one of the ways to write each character; halves of pairs become "?"."""
    if not text.isascii():
        text = unicodedata.normalize("NFKC", text).encode("utf-8", "replace").decode()
    return text.lower()


def _count_words(plain: Sequence[str], settings: Settings, known: dict[str, int] | None = None) -> tuple[Any, Any]:
    """Counts of n-grams of words, a sparse matrix (n, f), and the n-grams.

    Args:
        plain: n texts.
        settings: settings of the encoder.
        known: column of each n-gram that is counted; None counts all.
    """
    from sklearn.feature_extraction.text import CountVectorizer

    vectoriser = CountVectorizer(
        vocabulary=known, lowercase=False, token_pattern=WORD, ngram_range=settings.words, dtype=np.float32
    )
    return _counted(vectoriser, plain, known)


def _count_characters(plain: Sequence[str], settings: Settings, known: dict[str, int] | None = None) -> tuple[Any, Any]:
    """Counts of n-grams of characters within words, as of `_count_words`.

    An n-gram of characters lies within one word, so each different word is taken apart once: the counts are those of
    words in texts times those of n-grams in words.
    """
    from sklearn.feature_extraction.text import CountVectorizer

    apart = CountVectorizer(analyzer=str.split, dtype=np.float32)
    in_texts, words = _counted(apart, plain, None)
    vectoriser = CountVectorizer(
        vocabulary=known, lowercase=False, analyzer="char_wb", ngram_range=settings.characters, dtype=np.float32
    )
    in_words, found = _counted(vectoriser, words, known)
    return in_texts @ in_words, found


def _counted(vectoriser: Any, texts: Sequence[str], known: dict[str, int] | None) -> tuple[Any, Any]:
    """Counts by a vectoriser of scikit-learn, and the names of the columns; no column where it finds nothing."""
    from scipy.sparse import csr_matrix

    if known == {} or not len(texts):
        return csr_matrix((len(texts), len(known or {})), dtype=np.float32), list(known or {})
    if known is not None:
        return vectoriser.transform(texts), known
    try:
        return vectoriser.fit_transform(texts), vectoriser.get_feature_names_out().tolist()
    except ValueError as e:
        if "empty vocabulary" not in str(e):
            raise
        return csr_matrix((len(texts), 0), dtype=np.float32), []


def _texts_with(counts: Any) -> np.ndarray:
    """Number of texts with each n-gram, (f,)."""
    return np.bincount(counts.indices, minlength=counts.shape[1])


def _kept(texts_with: np.ndarray, least: int, most: int) -> np.ndarray:
    """Columns of the n-grams in at least ``least`` texts, and of those at most ``most``, the commonest, in order."""
    if (texts_with >= least).any():
        texts_with = np.where(texts_with >= least, texts_with, 0)
    commonest = np.argsort(-texts_with, kind="stable")[:most]
    return np.sort(commonest[texts_with[commonest] > 0])


def _weighed(blocks: Sequence[Any], idf: np.ndarray, weight: float) -> Any:
    """Rows of two blocks of counts side by side: the idf of what a text has; a block has length 1 times its weight."""
    from scipy.sparse import hstack

    made, first = [], 0
    for block, factor in zip(blocks, (1.0, weight), strict=True):
        rows = block.tocsr(copy=True)
        rows.sort_indices()  # sums are then the same to the bit whatever other texts are in the chunk
        rows.data = idf[first + rows.indices]
        squares = np.add.reduceat(np.append(rows.data**2, 0), rows.indptr[:-1]) * (np.diff(rows.indptr) > 0)
        rows.data *= np.repeat(factor / np.sqrt(np.maximum(squares, 1e-12)), np.diff(rows.indptr)).astype(np.float32)
        made.append(rows)
        first += block.shape[1]
    return hstack(made, format="csr", dtype=np.float32)


def _components(rows: Any, settings: Settings) -> np.ndarray:
    """Right singular vectors of rows, times a power of the singular values relative to the largest, (f, d)."""
    from sklearn.utils.extmath import randomized_svd

    width = min(settings.width, *rows.shape)
    _, s, right = randomized_svd(rows, width, n_oversamples=16, n_iter=4, random_state=0)
    real = s > 1e-5 * s[0]  # the others are rounding
    made: np.ndarray = right[real].T * (s[real] / s[0]) ** (settings.power - 1)
    return np.ascontiguousarray(made, dtype=np.float32)


def _of_length_1(rows: np.ndarray) -> np.ndarray:
    lengths = np.linalg.norm(rows, axis=1, keepdims=True)
    made: np.ndarray = rows / np.where(lengths > 0, lengths, 1)
    return made
