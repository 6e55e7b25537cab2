"""Words made of a tokenizer's pieces: special tokens are dropped, and continuing pieces joined."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

from tutelage.modalities.sentences.place import Place
from tutelage.tables import Notes

Labels = list[str | None] | None
"""Tags of one sentence as they are written; None is an untagged sentence, or a word without a tag."""

SPECIAL = frozenset(
    {"[CLS]", "[SEP]", "[PAD]", "[BOS]", "[EOS]", "<s>", "</s>", "<pad>", "<bos>", "<eos>", "<cls>", "<sep>"}
)
"""Tokens that a tokenizer adds around sentences."""
IGNORED = "-100"
"""Number that token classifiers give to the tokens of which nothing is learnt."""
OUTSIDE = frozenset({"O", "o", "0"})
"""Tags of words outside entities."""
LEFT_OPEN = frozenset({None, "-1", IGNORED})
"""What stands where a word has no tag."""
FOR_PIECES = LEFT_OPEN | {"X"}
"""What stands behind a continuing piece."""
LEAST_BEGUN = 0.3
"""Share of the words that have a mark of beginnings, at least, where these are marked; Maltese has words with a Ġ."""
LEAST_PIECES = 3
"""Pieces, at least, that tell a file of pieces where none of them is without a tag."""


@dataclass(frozen=True)
class Style:
    """How a tokenizer marks its pieces.

    Attributes:
        continues: mark before a piece that continues a word; empty where beginnings are marked.
        begins: mark before a piece that begins a word; empty where continuations are marked.
    """

    continues: str = ""
    begins: str = ""

    def goes_on(self, pieces: Sequence[str], i: int) -> bool:
        """Whether the i-th piece continues the one before it."""
        if not i or pieces[i - 1] in SPECIAL or pieces[i] in SPECIAL:
            return False
        if self.continues:
            return pieces[i].startswith(self.continues) and len(pieces[i]) > len(self.continues)
        return not pieces[i].startswith(self.begins)

    def plain(self, piece: str) -> str:
        """The letters of a piece, without its mark."""
        bare = piece.removeprefix(self.continues or self.begins)
        return _of_bytes(bare) if self.begins == BYTES.begins else bare


WORD_PIECES = Style(continues="##")
"""Pieces of BERT."""
BYTES = Style(begins="Ġ")
"""Pieces of GPT-2 and RoBERTa, whose letters stand for bytes."""
SENTENCE_PIECES = Style(begins="▁")
"""Pieces of T5, XLM-R and others."""


def whole_words(
    at: Place, words: list[list[str]], columns: Sequence[list[Labels]], notes: Notes
) -> tuple[list[list[str]], list[list[Labels]]]:
    """Sentences and their tags without special tokens, and with pieces joined to words; it is said how many were.

    A special token is dropped where it has no tag, and at a sentence's ends where it is outside. Pieces are joined
    where all words without a tag (-100, or X) are continuing pieces; a piece with a tag of its own is joined where it
    has that of the word before it.

    Args:
        at: place of the sentences.
        words: words of each sentence.
        columns: columns of tags as they are written; each sentence has as many tags as words, or none.
        notes: takes what was done.
    """
    columns = [list(column) for column in columns]
    words, columns = _without_special(at, words, columns, notes)
    style = _style(words, columns)
    if style is not None:
        return _joined(at, words, columns, style, notes)
    pieces = [word for sentence in words for word in sentence if word[0:2] == WORD_PIECES.continues and word[2:]]
    if len(pieces) >= LEAST_PIECES:
        notes.say(f"{at.whole}: {len(pieces)} words look like pieces of words ({pieces[0]!r}) and stay as they are.")
    return words, columns


def _without_special(
    at: Place, words: list[list[str]], columns: list[list[Labels]], notes: Notes
) -> tuple[list[list[str]], list[list[Labels]]]:
    """Sentences without their special tokens that have no tag, and without those at their ends that are outside."""
    dropped: list[str] = []
    tags: set[str | None] = set()
    words, first = list(words), None
    for i, sentence in enumerate(words):
        if SPECIAL.isdisjoint(sentence):
            continue
        labels = [column[i] for column in columns]
        keep = [not _is_special(sentence, labels, j) for j in range(len(sentence))]
        if all(keep):
            continue
        first = i if first is None else first
        dropped += [word for word, kept in zip(sentence, keep, strict=True) if not kept]
        words[i] = _those(sentence, keep) or []
        tags |= {tag for each in labels if each for tag, kept in zip(each, keep, strict=True) if not kept}
        for column in columns:
            column[i] = _those(column[i], keep)
    if first is not None:
        counts = ", ".join(f"{dropped.count(word)} {word}" for word in sorted(set(dropped)))
        which = "outside entities (O)" if tags & OUTSIDE else "without a tag (-100)"
        notes.say(f"{at.whole}: special tokens {which} are dropped: {counts}, first in {at.row(first)}.")
    return words, columns


def _those(values: list | None, keep: Sequence[bool]) -> list | None:  # type: ignore[type-arg]
    return values and [value for value, kept in zip(values, keep, strict=True) if kept]


def _is_special(words: Sequence[str], labels: Sequence[Labels], j: int) -> bool:
    """Whether the j-th word is a special token without a tag, or one outside entities at an end of its sentence."""
    if words[j] not in SPECIAL:
        return False
    tagged = [each for each in labels if each is not None]
    ignored = all(each[j] in FOR_PIECES or each[j] == words[j] for each in tagged)
    at_end = set(words[: j + 1]) <= SPECIAL or set(words[j:]) <= SPECIAL
    return (bool(tagged) and ignored) or (at_end and all(each[j] in FOR_PIECES | OUTSIDE for each in tagged))


def _style(words: Sequence[Sequence[str]], columns: Sequence[Sequence[Labels]]) -> Style | None:
    """How the pieces are marked; None where the words are no pieces, or where some would be joined that are words."""
    whole = [" ".join(sentence) for sentence in words]
    for style in (WORD_PIECES, BYTES, SENTENCE_PIECES):
        mark = style.continues or style.begins
        if not any(mark in sentence for sentence in whole):
            continue
        pieces = ignored = 0
        for i, sentence in enumerate(words):
            goes_on = [style.goes_on(sentence, j) for j in range(len(sentence))]
            for labels in filter(None, (column[i] for column in columns)):
                if not _may_be_joined(labels, goes_on, style):
                    return None
                ignored += sum(each and label in FOR_PIECES for label, each in zip(labels, goes_on, strict=True))
            pieces += sum(goes_on)
        begun = sum(word.startswith(mark) for sentence in words for word in sentence)
        if style.begins and begun < LEAST_BEGUN * sum(map(len, words)):
            continue
        if ignored or pieces >= LEAST_PIECES:
            return style
    return None


def _may_be_joined(labels: Sequence[str | None], goes_on: Sequence[bool], style: Style) -> bool:
    """Whether a sentence's tags agree with the joining: pieces have none of their own, and all other words have one."""
    whole: str | None = None
    for label, piece in zip(labels, goes_on, strict=True):
        if not piece:
            whole = label
            if label == IGNORED and any(other not in LEFT_OPEN for other in labels):
                return False
        elif label not in FOR_PIECES and (style is BYTES or not _of_one_type(whole, label)):
            return False
    return True


def _of_one_type(whole: str | None, piece: str | None) -> bool:
    """Whether a piece's tag continues that of its word.

    >>> _of_one_type("B-PER", "I-PER"), _of_one_type("1", "2"), _of_one_type("O", "O")
    (True, False, True)
    """
    return whole == piece or bool(whole and piece and whole[1:2] == "-" and whole[1:] == piece[1:] and piece[0] in "IE")


def _joined(
    at: Place, words: list[list[str]], columns: list[list[Labels]], style: Style, notes: Notes
) -> tuple[list[list[str]], list[list[Labels]]]:
    """Sentences with their pieces joined."""
    joined, first, shown = 0, None, ""
    words = list(words)
    for i, sentence in enumerate(words):
        keep = [not style.goes_on(sentence, j) for j in range(len(sentence))]
        whole: list[list[str]] = []
        for word, begins in zip(sentence, keep, strict=True):
            whole = [*whole, [word]] if begins else [*whole[:-1], [*whole[-1], word]]
        if not all(keep) and first is None:
            pieces = next(each for each in whole if len(each) > 1)
            first, shown = i, f"{' '.join(pieces)!r} as {''.join(map(style.plain, pieces))!r}"
        joined += len(keep) - sum(keep)
        words[i] = ["".join(map(style.plain, pieces)) for pieces in whole]
        for column in columns:
            column[i] = _those(column[i], keep)
        if not all(words[i]):
            full = [bool(word) for word in words[i]]
            words[i] = [word for word in words[i] if word]
            for column in columns:
                column[i] = _those(column[i], full)
    if first is not None:
        notes.say(f"{at.whole}: {joined} pieces of words are joined, first in {at.row(first)}: {shown}.")
    return words, columns


@cache
def _bytes() -> dict[str, int]:
    """Byte of each letter by which GPT-2's tokenizer writes it."""
    plain = [*range(33, 127), *range(161, 173), *range(174, 256)]
    others = [byte for byte in range(256) if byte not in plain]
    return {chr(b): b for b in plain} | {chr(256 + n): b for n, b in enumerate(others)}


def _of_bytes(piece: str) -> str:
    """Text whose bytes a piece's letters stand for; the piece itself where they stand for none.

    >>> _of_bytes("MÃ¼ller"), _of_bytes("Müller")
    ('Müller', 'Müller')
    """
    known = _bytes()
    try:
        return bytes(known[letter] for letter in piece).decode()
    except (KeyError, UnicodeDecodeError):
        return piece
