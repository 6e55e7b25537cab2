"""How much of texts a transformer reads: whether its tokenizer knows the words, and whether it reads to the end."""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from tutelage.modalities.base import HowRead
from tutelage.tables.notes import Question

if TYPE_CHECKING:
    from tutelage.modalities.encoder import Encoder

SAMPLE = 200
"""Number of texts, at most, whose words are looked at."""

CHARACTERS = 500
"""Number of characters of each of them that are looked at."""

TOO_MANY = 0.1
"""Share of unknown words, and of tokens that are not read, from which on a question asks."""

ALONE = "\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003ffff"
"""Characters of which each may well be a token of its own: Chinese characters and Japanese kana."""

MARKS = "\u0300-\u036f\u0591-\u05c7\u064b-\u065f\u0900-\u109f\u1780-\u17ff\u200c\u200d"
"""Vowel signs and other marks within words, which regular expressions do not count as letters."""

SYMBOLS = "\u2190-\u23ff\u25a0-\u27bf\u2b00-\u2bff\U0001f000-\U0001f3fa\U0001f400-\U0001faff"
"""Emoji, arrows, and other signs of which each says something alone; tones of skin are parts of the sign before."""

_WORD = re.compile(rf"[{ALONE}{SYMBOLS}]|[^\W\d_{ALONE}](?:[^\W\d_{ALONE}]|[{MARKS}])*")

MULTILINGUAL = "intfloat/multilingual-e5-small or sentence-transformers/paraphrase-multilingual-MiniLM-L12-v2"
"""Encoders of many languages, by their names on the Hub."""


def unknown_share(encoder: Encoder, texts: Sequence[str]) -> float:
    """Share of the words of texts that a transformer's tokenizer does not know, in [0, 1]; 0 where there is no word.

    A word is not known where a token of it is the unknown one, or where it has three characters or more and is broken
    into as many tokens or more. Each occurrence counts. Chinese characters, Japanese kana, emoji and other signs
    are taken as words of their own. Numbers are no words.

    Args:
        encoder: transformer with its tokenizer.
        texts: the texts, of which at most `SAMPLE`, evenly spaced, are looked at, to `CHARACTERS` characters each.
    """
    some = texts[:: max(len(texts) // SAMPLE, 1)]
    count = Counter(word for text in some for word in _WORD.findall(text[:CHARACTERS]))
    unknown = sum(number for word, number in count.items() if not _knows(encoder.tokenizer, word))
    return unknown / max(count.total(), 1)


LOOKED_AT = 2000
"""Number of texts, at most, whose length in tokens is looked at."""


def lengths_of(encoder: Encoder, texts: Sequence[str]) -> np.ndarray:
    """Numbers of tokens of texts, (n,), at most `LOOKED_AT` of them, evenly spaced; a single 1 where there is none.

    Args:
        encoder: transformer with its tokenizer.
        texts: the texts.
    """
    some = list(texts[:: max(len(texts) // LOOKED_AT, 1)])
    return np.array([len(ids) for ids in encoder.tokenizer(some, verbose=False)["input_ids"]] if some else [1])


def how_read(encoder: Encoder, texts: Sequence[str]) -> HowRead:
    """How much of texts a transformer reads, and what helps where it is little.

    Args:
        encoder: transformer with its tokenizer.
        texts: the texts, of which a sample is looked at.
    """
    unknown = unknown_share(encoder, texts)
    lengths = lengths_of(encoder, texts)
    lost = np.maximum(lengths - encoder.max_length, 0)
    cut, gone = float((lost > 0).mean()), float(lost.sum() / lengths.sum())
    longer = f"{_share(cut)} of the texts are longer, and {_share(gone)} of all tokens are not read"
    knows = f"{encoder.name} knows {1 - unknown:.0%} of the words, and reads {encoder.max_length} tokens of a text"
    says = f"Tokens: {knows}; {longer if cut else 'no text is longer'}."
    lexical = "--encoder lexical, of texts, which learns the words of any language"
    questions = _of_unknown(encoder, unknown, lexical)
    if gone >= TOO_MANY and (most := most_tokens(encoder)) > encoder.max_length:
        needed = min(math.ceil(np.quantile(lengths[lost > 0], 0.95)), most)
        questions.append(Question(
            f"{encoder.name} does not read the end of {cut:.0%} of the texts, {gone:.0%} of all tokens",
            (f"--max-length {needed}; such texts then take up to {needed / encoder.max_length:.1f} times as long",),
            page="long-texts",
        ))  # fmt: skip
    return HowRead(says, {"unknown_words": unknown, "texts_cut": cut, "tokens_lost": gone}, questions)


def _share(share: float) -> str:
    """A share in percent; of a small one that it is under 1%.

    >>> _share(0.004), _share(0.124)
    ('under 1%', '12%')
    """
    return "under 1%" if 0 < share < 0.01 else f"{share:.0%}"


def sentences_read(encoder: Encoder, sentences: Sequence[Sequence[str]]) -> HowRead:
    """How many words of sentences a transformer knows, and how many sentences are read in several windows.

    Args:
        encoder: transformer with its tokenizer.
        sentences: the sentences, of which a sample is looked at. Nothing of them is lost.
    """
    texts = [" ".join(words) for words in sentences]
    unknown = unknown_share(encoder, texts)
    parted = float((lengths_of(encoder, texts) > encoder.max_length).mean())
    longer = f"{parted:.0%} of the sentences are longer and read in several windows" if parted else "none is longer"
    says = (
        f"Tokens: {encoder.name} knows {1 - unknown:.0%} of the words, and reads {encoder.max_length} tokens of a "
        f"sentence at once; {longer}."
    )
    return HowRead(says, {"unknown_words": unknown, "in_windows": parted}, _of_unknown(encoder, unknown))


def _of_unknown(encoder: Encoder, unknown: float, *others: str) -> list[Question]:
    """Question on words that an encoder does not know, where their share is large.

    Args:
        encoder: transformer with its tokenizer.
        unknown: share of unknown words, in [0, 1].
        others: options that settle it, besides a multilingual encoder.
    """
    if unknown < TOO_MANY:
        return []
    asks = (
        f"the encoder {encoder.name} does not know {unknown:.0%} of the words of a sample, and reads them as unknown "
        "or letter by letter"
    )
    return [
        Question(
            asks,
            (*others, f"--encoder NAME of a multilingual model of the Hub, such as {MULTILINGUAL}"),
            page="unknown-words",
        )
    ]


def most_tokens(encoder: Encoder) -> int:
    """Number of tokens that a transformer can read at most, as far as its settings say it."""
    return int(getattr(encoder.model.config, "max_position_embeddings", encoder.max_length))


def _knows(tokenizer: Any, word: str) -> bool:
    """Whether a tokenizer knows a word, which it gets after a space, as within a text."""
    tokens = [token for token in tokenizer.tokenize(" " + word) if token.strip("\u2581\u0120 ")]
    return tokenizer.unk_token not in tokens and (len(word) < 3 or len(tokens) < len(word))
