"""Whether a transformer's tokenizer knows the words of texts."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tutelage.modalities.encoder import Encoder

SAMPLE = 200
"""Number of texts, at most, whose words are looked at."""

CHARACTERS = 500
"""Number of characters of each of them that are looked at."""

TOO_MANY = 0.1
"""Share of unknown words from which on the user is told."""

ALONE = "\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003ffff"
"""Characters of which each may well be a token of its own: Chinese characters and Japanese kana."""

MARKS = "\u0300-\u036f\u0591-\u05c7\u064b-\u065f\u0900-\u109f\u1780-\u17ff\u200c\u200d"
"""Vowel signs and other marks within words, which regular expressions do not count as letters."""

_WORD = re.compile(rf"[{ALONE}]|[^\W\d_{ALONE}](?:[^\W\d_{ALONE}]|[{MARKS}])*")

MULTILINGUAL = "intfloat/multilingual-e5-small or sentence-transformers/paraphrase-multilingual-MiniLM-L12-v2"
"""Encoders of many languages, by their names on the Hub."""


def unknown_share(encoder: Encoder, texts: Sequence[str]) -> float:
    """Share of the words of texts that a transformer's tokenizer does not know, in [0, 1]; 0 where there is no word.

    A word is not known where a token of it is the unknown one, or where it has three characters or more and is broken
    into as many tokens or more. Each occurrence counts. Chinese characters and Japanese kana are taken as words of
    their own. Numbers are no words.

    Args:
        encoder: transformer with its tokenizer.
        texts: the texts, of which at most `SAMPLE`, evenly spaced, are looked at, to `CHARACTERS` characters each.
    """
    some = texts[:: max(len(texts) // SAMPLE, 1)]
    count = Counter(word for text in some for word in _WORD.findall(text[:CHARACTERS]))
    unknown = sum(number for word, number in count.items() if not _knows(encoder.tokenizer, word))
    return unknown / max(count.total(), 1)


def unknown_words(encoder: Encoder, texts: Sequence[str]) -> str | None:
    """Sentence on the share of unknown words, and what helps; None where the tokenizer knows enough of them.

    Args:
        encoder: transformer with its tokenizer.
        texts: the texts, of which a sample is looked at.
    """
    share = unknown_share(encoder, texts)
    if share < TOO_MANY:
        return None
    return (
        f"The encoder {encoder.name} does not know {share:.0%} of the words of a sample: it reads them as unknown or "
        f"letter by letter. Another --encoder may help: lexical (of texts), which learns the words of any language, or "
        f"a multilingual model of the Hub, such as {MULTILINGUAL}."
    )


def _knows(tokenizer: Any, word: str) -> bool:
    """Whether a tokenizer knows a word, which it gets after a space, as within a text."""
    tokens = [token for token in tokenizer.tokenize(" " + word) if token.strip("\u2581\u0120 ")]
    return tokenizer.unk_token not in tokens and (len(word) < 3 or len(tokens) < len(word))
