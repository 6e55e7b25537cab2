"""Notations of tags: tags as other tools write them, brought into the letters and dashes of BIO, BIOES and IO."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Callable, Container, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise

from tutelage.ops.tags import LETTERS, OPENERS

ENTITY = "ENTITY"
"""Type of entities of which the tags name none."""
INSIDE = set("IMEL")
"""Letters of words that continue an entity."""
DASHES = r"\u2010-\u2015\u2212"
"""Dashes other than the plain one, within a pattern's brackets."""
PREFIXED = re.compile(rf"([A-Za-z])(?:\s*[-_:/.{DASHES}]\s*|\s+|(?=[\[(<{{]))(\S.*)")
"""Pattern of a tag with its letter before the type."""
SUFFIXED = re.compile(rf"(.*\S)(?:\s*[-_:/.{DASHES}]\s*|\s+)([A-Za-z])")
"""Pattern of a tag with its letter behind the type."""
WRAPPED = re.compile(r"\[(.+)\]|\((.+)\)|<(.+)>|\{(.+)\}")
"""Pattern of a word within brackets."""
STARRED = re.compile(r"\([^()*\s]+\*?\)?|\*\)?")
"""Pattern of a tag of CoNLL 2005 and 2012: "(PER*", "*", "*)" or "(PER)"."""
FEW_WORDS = 10
"""Words with tags below which it is not asked whether these are tags at all."""
MANY_TYPES = 20
"""Bare types beyond which it is asked whether a column holds tags at all."""

Parsed = Mapping[str, tuple[str, str]]
"""Letter and type of each tag, by the tag as it is written."""


@dataclass(frozen=True)
class Notation:
    """How a corpus writes its tags.

    Attributes:
        tags: each tag as `tutelage.ops.tags.to_bio` takes it, by the tag as it is written; empty where they are alike.
        says: what was read otherwise than it is written, as a sentence's end: "'PER-B' as B-PER"; empty where nothing.
        doubt: what can be meant in two ways, as a whole sentence without its dot; empty where nothing.
        fault: what cannot be read, as a whole sentence without its dot; empty where nothing.
        starred: whether brackets and stars tell the entities.
        first: tag that the doubt or the fault is about; empty where there is none.
    """

    tags: Mapping[str, str] = field(default_factory=dict)
    says: str = ""
    doubt: str = ""
    fault: str = ""
    starred: bool = False
    first: str = ""

    def of(self, tags: Sequence[str]) -> list[str]:
        """Tags of a sentence as `tutelage.ops.tags.to_bio` takes them.

        Raises:
            ValueError: brackets are not closed, or within others.
        """
        if self.starred:
            return unstarred(tags)
        return [self.tags.get(tag, tag) for tag in tags] if self.tags else list(tags)


PLAIN = Notation()
"""Notation of tags that are written as they are read."""


def notation_of(sentences: Sequence[Sequence[str]], tags_are: str | None = None) -> Notation:
    """Notation of a whole corpus.

    Args:
        sentences: tags of each sentence, as they are written; "O" where there is none.
        tags_are: "types", where each tag is a type of its own; "bio", where letters tell the beginnings of entities;
            None finds it out.

    >>> notation_of([["PER-B", "PER-I", "O"]]).of(["O", "PER-B"]), notation_of([["B", "I", "O"]]).of(["B"])
    (['O', 'B-PER'], ['B-ENTITY'])
    >>> notation_of([["B_cell", "O"]]).doubt
    "'B_cell' may be the type 'B_cell', or B- of a type 'cell'"
    """
    counts: Counter[str] = Counter()
    for tags in sentences:
        counts.update(tags)
    words = sorted(set(counts) - {"O"})
    if tags_are == "types":
        if words and all(word[:2] == "B-" and _canonical(word) for word in words):
            return Notation({word: f"I-{word[2:]}" for word in words}, "B- before the types does not part neighbours")
        return Notation({word: "O" if word == "0" else f"I-{word}" for word in words})
    if many := [word for word in words if _holds_several(word, counts)]:
        total = sum(counts[word] for word in many)
        says = f"{total} words have several tags at once, such as {many[0]!r}; a word has one tag, so keep one of them"
        return Notation(fault=says, first=many[0])
    if any(STARRED.fullmatch(w) and w[0] == "(" and "*" in w for w in words) and all(map(_is_starred, words)):
        return Notation(starred=True, says="'(TYPE*' to '*)' as one entity")
    for recognise in (_marked, _wrapped, _truths, _bare_letters, _before_the_type, _behind_the_type):
        found = recognise(words, sentences, tags_are)
        if found is not None:
            return found
    return _types(words, counts)


def unstarred(tags: Sequence[str]) -> list[str]:
    """BIO of a sentence whose entities are told by brackets and stars.

    Raises:
        ValueError: a bracket is not closed, or within another; the message names the position, from 1.

    >>> unstarred(["(PER*", "*)", "*", "(LOC)"])
    ['B-PER', 'I-PER', 'O', 'B-LOC']
    """
    clean, opened = [], ""
    for position, tag in enumerate(tags, start=1):
        kind = tag.strip("()*")
        begins = tag.startswith("(")
        if (begins and opened) or (tag.endswith(")") and not begins and not opened):
            raise ValueError(f"tag {position} is {tag!r}: brackets within brackets, or closed where none is open")
        opened = kind if begins else opened
        clean.append(f"{'B' if begins else 'I'}-{opened}" if opened else "O")
        opened = "" if tag.endswith(")") else opened
    if opened:
        raise ValueError(f"the bracket of {opened!r} is never closed")
    return clean


def _is_starred(tag: str) -> bool:
    return tag in ("-", "_") or STARRED.fullmatch(tag) is not None


def _holds_several(word: str, known: Container[str]) -> bool:
    """Whether a word is several tags at once, each with its letter or used alone elsewhere."""
    parts = re.split(r"\s*[|;,+&#]\s*|\s+", word)
    return len(parts) > 1 and all(part in known or re.fullmatch(r"O|[BIESLMUW]-\S+", part) for part in parts)


def _canonical(word: str) -> bool:
    """Whether a tag is a capital letter, a plain dash and a type."""
    return word[1:2] == "-" and word[0] in LETTERS["BIOES"] and bool(word[2:].strip())


def _told(changed: Mapping[str, str]) -> str:
    """What was read otherwise than it is written, with three tags at most."""
    each = [f"{old!r} as {new}" for old, new in changed.items() if old != new]
    return ", ".join(each[:3]) + (f" and {len(each) - 3} more" if len(each) > 3 else "")


def _marked(words: Sequence[str], _: Sequence[Sequence[str]], __: str | None) -> Notation | None:
    """Notation of a corpus with tags such as B-PER, in which some tags may be written otherwise."""
    if not any(word.startswith(OPENERS) and _canonical(word) for word in words):
        return None
    letters = {word[0] for word in words if _canonical(word)} | set("BI")
    parsed = {w: (m[1].upper(), m[2]) for w in words if (m := PREFIXED.fullmatch(w)) and m[1].upper() in letters}
    changed = _joined(parsed) | {word: "O" for word in words if word in ("o", "0")}
    changed = {old: new for old, new in changed.items() if old != new}
    return Notation(changed, _told(changed)) if changed else PLAIN


def _wrapped(words: Sequence[str], sentences: Sequence[Sequence[str]], tags_are: str | None) -> Notation | None:
    """Notation of a corpus whose tags all stand in brackets, such as [B-PER]."""
    inner = {word: _unwrapped(word) for word in words}
    bare = {word for word, within in inner.items() if word == within}
    if not bare <= {"o", "0"} or len(bare) == len(words):
        return None
    found = notation_of([[inner.get(tag, tag) for tag in tags] for tags in sentences], tags_are)
    changed = {old: found.tags.get(new, new) for old, new in inner.items()}
    written = next((old for old, new in inner.items() if new == found.first), "")
    return Notation(changed, _told(changed), found.doubt, found.fault, first=written)


def _unwrapped(word: str) -> str:
    """A word without the brackets around it."""
    match = WRAPPED.fullmatch(word)
    return next(filter(None, match.groups())).strip() if match else word


def _truths(words: Sequence[str], _: Sequence[Sequence[str]], __: str | None) -> Notation | None:
    """Notation of a corpus whose tags say true or false."""
    if not words or {word.lower() for word in words} - {"true", "false"}:
        return None
    changed = {word: ENTITY if word.lower() == "true" else "O" for word in words}
    return Notation(changed, _told(changed))


def _bare_letters(words: Sequence[str], sentences: Sequence[Sequence[str]], tags_are: str | None) -> Notation | None:
    """Notation of a corpus whose tags are letters without a type."""
    entities = [word for word in words if word not in ("o", "0")]
    if not entities or not all(re.fullmatch(r"[BIESLMUWbieslmuw][-_]?", word) for word in entities):
        return None
    letters = {word[0].upper() for word in entities}
    changed = {word: f"{word[0].upper()}-{ENTITY}" for word in entities} | {w: "O" for w in words if w in ("o", "0")}
    found = Notation(changed, _told(changed))
    if tags_are == "bio" or letters == {"I"} or any(len(word) > 1 for word in entities):
        return found
    if "B" in letters and letters & INSIDE and _in_order(changed, sentences):
        return found
    if (
        letters <= set("BSUW")
        and len(letters) == 1
        and not any(a == b != "O" for tags in sentences for a, b in pairwise(tags))
    ):
        return found
    if not letters & set("BI") and len(letters) > 1:
        return None
    said = ", ".join(map(repr, entities))
    doubt = f"{said} may be {'a type' if len(entities) == 1 else 'types'}, or the beginnings and insides of one type"
    return Notation(changed, doubt=doubt, first=entities[0])


def _in_order(changed: Mapping[str, str], sentences: Iterable[Sequence[str]]) -> bool:
    """Whether nine in ten entities or more begin with a letter of the beginning."""
    lonely = starts = 0
    for tags in sentences:
        read = [changed.get(tag, tag) for tag in tags]
        for before, tag in zip(["O", *read], read, strict=False):
            begins = tag[:1] in set("BSUW") or (tag != "O" and before == "O")
            starts += begins
            lonely += begins and tag[:1] in INSIDE
    return lonely <= starts // 10


def _before_the_type(words: Sequence[str], sentences: Sequence[Sequence[str]], tags_are: str | None) -> Notation | None:
    """Notation of a corpus whose letters stand before the type, but are no capitals or joined by no plain dash."""
    return _parted(words, sentences, lambda word: (m[1], m[2]) if (m := PREFIXED.fullmatch(word)) else None, tags_are)


def _behind_the_type(words: Sequence[str], sentences: Sequence[Sequence[str]], tags_are: str | None) -> Notation | None:
    """Notation of a corpus whose letters stand behind the type."""
    return _parted(words, sentences, lambda word: (m[2], m[1]) if (m := SUFFIXED.fullmatch(word)) else None, tags_are)


def _parted(
    words: Sequence[str], sentences: Sequence[Sequence[str]], part: Callable[[str], tuple[str, str] | None],
    tags_are: str | None,
) -> Notation | None:  # fmt: skip
    """Notation of a corpus whose tags have a letter and a type; None where not all of them have."""
    entities = [word for word in words if word not in ("o", "0")]
    parsed = {word: (found[0].upper(), found[1]) for word in entities if (found := part(word))}
    letters = {letter for letter, _ in parsed.values()}
    if not entities or len(parsed) < len(entities) or letters - set(LETTERS["BIOES"]):
        return None
    changed = _joined(parsed) | {word: "O" for word in words if word in ("o", "0")}
    if all(old == new for old, new in changed.items()):
        return PLAIN
    by_type: dict[str, set[str]] = defaultdict(set)
    for letter, kind in parsed.values():
        by_type[kind].add(letter)
    evident = any("B" in each and each & INSIDE for each in by_type.values()) and _in_order(changed, sentences)
    if tags_are == "bio" or evident:
        return Notation(changed, _told(changed))
    word = next((w for w in entities if parsed[w][0] in "BISUW"), None)
    if word is None:
        return None
    letter, kind = parsed[word]
    return Notation(changed, doubt=f"{word!r} may be the type {word!r}, or {letter}- of a type {kind!r}", first=word)


def _joined(parsed: Parsed) -> dict[str, str]:
    """Tags with a capital letter and a plain dash; brackets around all types are left out."""
    inner = {kind: _unwrapped(kind) for _, kind in parsed.values()}
    bare = all(old != new for old, new in inner.items())
    return {word: f"{letter}-{inner[kind] if bare else kind}" for word, (letter, kind) in parsed.items()}


def _types(words: Sequence[str], counts: Mapping[str, int]) -> Notation:
    """Notation of a corpus whose tags are bare types."""
    total = sum(counts.values())
    if len(words) > max(MANY_TYPES, total // 5) or (total >= FEW_WORDS and 2 * len(words) > total):
        says = f"{total} words have {len(words)} different tags, such as {words[0]!r}; these may be no tags at all"
        return Notation(doubt=says, first=words[0])
    return PLAIN
