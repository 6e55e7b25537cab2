"""Types that are written in several ways, read as one."""

from __future__ import annotations

import re
import unicodedata
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence

from tutelage.modalities.sentences.how import TagsAs
from tutelage.modalities.sentences.place import Place
from tutelage.ops.tags import LETTERS
from tutelage.tables import Notes

Tags = list[str | None] | None
"""Tags of one sentence; None is an untagged sentence, or a word without a tag."""

UNSEEN = re.compile("[\u00ad\u061c\u180e\u200b\u200e\u200f\u202a-\u202e\u2060-\u2064\u2066-\u206f\ufeff]")
"""Pattern of a sign that is not seen."""


def key(kind: str) -> str:
    r"""What all spellings of a type have in common: its letters, without capitals and without signs that are not seen.

    >>> key("Per") == key("PER\u200b"), key("geo-loc") == key("geoloc")
    (True, False)
    """
    return " ".join(visible(unicodedata.normalize("NFC", kind)).casefold().split())


def visible(text: str) -> str:
    r"""A text without signs that are not seen, as zero-width spaces; those that join letters or part them stay.

    >>> visible("O\u200b"), visible("B-PER")
    ('O', 'B-PER')
    """
    return text if text.isascii() else UNSEEN.sub("", text)


def parted(tag: str) -> tuple[str, str]:
    """Letter with its dash, and type, of a tag; a bare type has no letter.

    >>> parted("B-PER"), parted("Price")
    (('B-', 'PER'), ('', 'Price'))
    """
    return (tag[:2], tag[2:]) if tag[1:2] == "-" and tag[0] in LETTERS["BIOES"] else ("", tag)


def respelled(columns: Sequence[Sequence[Tags]], preferred: Iterable[str] = ()) -> tuple[dict[str, str], str]:
    """Each type that is written otherwise than most of its kind, and as what it is read; and these in words.

    Args:
        columns: columns of tags; a spelling of the first that has one is preferred.
        preferred: spellings that are preferred to all others.

    >>> respelled([[["B-PER", "I-PER"], ["B-per"]]])
    ({'per': 'PER'}, "'per' (1) as 'PER' (2)")
    """
    counts: Counter[str] = Counter()
    rank: dict[str, int] = dict.fromkeys(preferred, -1)
    for number, column in enumerate(columns):
        tags: Counter[str | None] = Counter()
        for sentence in filter(None, column):
            tags.update(sentence)
        for tag, count in tags.items():
            if tag is not None and tag not in ("O", "0"):
                counts[parted(tag)[1]] += count
                rank.setdefault(parted(tag)[1], number)
    alike: dict[str, list[str]] = defaultdict(list)
    for kind in rank:
        alike[key(kind)].append(kind)
    changed, said = {}, []
    for kinds in alike.values():
        best = min(kinds, key=lambda kind: (rank[kind], -counts[kind], kind))
        for kind in kinds:
            if kind != best and counts[kind]:
                changed[kind] = best
                said.append(f"{kind!r} ({counts[kind]}) as {best!r} ({counts[best]})")
    return changed, ", ".join(said)


def with_spelling(column: Sequence[Tags], changed: Mapping[str, str]) -> list[Tags]:
    """Tags of each sentence with other spellings of their types."""

    def new(tag: str | None) -> str | None:
        letter, kind = parted(tag) if tag is not None else ("", "")
        return letter + changed[kind] if kind in changed else tag

    return [sentence and [new(tag) for tag in sentence] for sentence in column]


def one_spelling(
    at: Place, columns: Sequence[Sequence[Tags]], how: TagsAs, notes: Notes, preferred: Iterable[str] = ()
) -> list[list[Tags]]:
    """Columns of tags in which each type has one spelling, which is said where there were several.

    Args:
        at: place of the columns.
        columns: columns of tags.
        how: how tags are read.
        notes: takes what is read otherwise.
        preferred: spellings that are preferred to all others.
    """
    kept = [list(column) for column in columns]
    if how.spelling == "as-is":
        return kept
    named = {parted(name)[1] for name in how.names} - {"O"}
    changed, said = respelled(columns, [*named, *preferred])
    if not changed:
        return kept
    keep = at.option("spelling", "as-is")
    notes.say(f"{at.source or at.name}: types in several spellings are read as one: {said}; {keep} keeps them apart.")
    return [with_spelling(column, changed) for column in columns]
