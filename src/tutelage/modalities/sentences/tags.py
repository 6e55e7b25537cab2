"""Tags made of columns of lists, in whatever notation."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from functools import lru_cache
from itertools import pairwise

from tutelage.modalities.sentences import numbers
from tutelage.modalities.sentences.cells import items
from tutelage.modalities.sentences.how import Mended, TagsAs
from tutelage.modalities.sentences.open_words import Tags, closed
from tutelage.modalities.sentences.pieces import IGNORED
from tutelage.modalities.sentences.place import Faults, Place, Reading
from tutelage.modalities.sentences.spelling import parted, visible
from tutelage.ops.notation import PLAIN, Notation, notation_of
from tutelage.ops.tags import OPENERS, Scheme, first_repair, scheme, to_bio
from tutelage.tables import Notes, as_label

WITHOUT = frozenset({"-1", IGNORED})
"""Tags that stand for none."""
PLACEHOLDERS = frozenset({"_", "-", "*", "?", "nan", "NaN", "<NA>"})
"""Tags that stand for none, or for outside where nothing else does."""
OUTSIDE = (
    "out", "outside", "other", "others", "none", "null", "nil", "no", "nothing", "not", "noentity", "nonentity",
    "false", "na", "background", "bg",
)  # fmt: skip
"""Names, in lower case without signs, that many give to the words outside entities."""
HANDFUL = 5
"""Entities directly behind one of their own type, without any I- in the file, up to which it is not halted."""
FEW_WORDS = 20
"""Words with tags up to which it is not asked whether one of the tags means outside."""


def labels_of_list(cell: object, words: Sequence[str]) -> Tags:
    """Tags of a sentence as they are written, as texts; None for an untagged sentence, or a word without a tag.

    Args:
        cell: list of tags; None or an empty list is an untagged sentence.
        words: words of the sentence.

    Raises:
        ValueError: the cell is no list of tags, or their number is not that of the words.

    >>> labels_of_list(["B-PER", None], ["Ada", "left"]), labels_of_list([7, -100], ["Ada", "left"])
    (['B-PER', None], ['7', '-100'])
    """
    listed = items(cell)
    if listed and len(listed) != len(words):
        ignored = [str(item) == IGNORED for item in listed]
        if len(listed) - sum(ignored) == len(words):  # of the pieces, the first of each word has the word's tag
            listed = [item for item, none in zip(listed, ignored, strict=True) if not none]
        elif len(listed) > len(words) and all(ignored[len(words) :]):
            listed = listed[: len(words)]
        else:
            raise ValueError(f"{len(listed)} tags for {len(words)} words")
    if not {list, dict, tuple}.isdisjoint(map(type, listed)):
        raise ValueError(f"a tag must be text or a number, got {str(listed)[:60]}")
    return [_label(item) if type(item) is str else as_label(item) for item in listed] if listed else None


@lru_cache(maxsize=1024)
def _label(tag: str) -> str | None:
    """Tag in a cell that is a text."""
    return as_label(tag)


def written_tags(
    at: Place, labels: list[Tags], words: Sequence[Sequence[str]], names: Sequence[str], open_words: bool,
    reading: Reading,
) -> list[Tags]:  # fmt: skip
    """Tags as `to_bio` takes them, made of a column of tags as they are written.

    Args:
        at: the column.
        labels: tags of each sentence, see `labels_of_list`.
        words: words of each sentence.
        names: names of the classes in the file's own metadata, in the order of their numbers.
        open_words: whether words of a tagged sentence may have no tag, as in a distant column.
        reading: how tags are read; takes what is noticed.
    """
    how, notes = reading.how, reading.notes
    counts, plain = _counts(labels), labels
    if WITHOUT & set(counts):
        plain = [tags and [None if tag in WITHOUT else tag for tag in tags] for tags in labels]
        counts = _counts(plain)
    if numbers.are_numbers(counts):
        plain = numbers.named(at, plain, names, reading)
    plain = _with_outside(at, _seen(at, plain, how, notes), how, open_words, notes)
    notation = notation_of([[tag or "O" for tag in tags or []] for tags in plain], how.tags_are)
    _tell(at, notation, plain, notes)
    if notation is not PLAIN:
        plain = reading.faults.each(at, lambda tags: _in_notation(tags, notation), plain, other=None)
    if how.tags_are is None and not notation.starred:
        _ask_of_neighbours(at, plain, notes)
    if open_words:
        return plain
    if how.tags_are is None and not notation.starred:
        plain = _asked_outside(at, plain, notes)
    return closed(at, plain, labels, words, how, notes)


def bio_tags(at: Place, tags: list[Tags], words: Sequence[Sequence[str]], faults: Faults) -> tuple[list[Tags], Mended]:
    """Tags in clean BIO, and what was mended; the whole column has one scheme.

    Args:
        at: the column.
        tags: tags of each sentence, see `written_tags`.
        words: words of each sentence.
        faults: takes the rows with tags of no scheme.
    """
    kind = scheme([label or "O" for label in sentence or []] for sentence in tags)
    read: list[tuple[Tags, int]] = faults.each(at, lambda sentence: clean_bio(sentence, kind), tags, other=(None, 0))
    count, first = sum(mended for _, mended in read), ""
    for i, (clean, mended) in enumerate(read):
        if mended and clean is not None and not first:
            before = [label or "O" for label in tags[i] or []]
            j = first_repair(before, kind) or 0
            first = f"{at.row(i)}: {words[i][j]!r} {before[j]} -> {clean[j]}"
    found = sum(tag is not None and tag[0] == "B" for clean, _ in read if clean for tag in clean) if count else 0
    return [clean for clean, _ in read], Mended(count, found, first)


def clean_bio(labels: Tags, kind: Scheme) -> tuple[Tags, int]:
    """Tags of a sentence in clean BIO, and the number of repairs.

    Args:
        labels: tags of the sentence.
        kind: scheme of these tags.
    """
    clean, repaired = to_bio([label or "O" for label in labels or []], kind)
    return labels and [new if label else None for new, label in zip(clean, labels, strict=True)], repaired


def tell_mended(at: Place, mended: Mended, how: TagsAs, notes: Notes) -> None:
    """Say what was mended in a column, with the first; ask where it was more than half."""
    if mended.many and how.mended is None:
        notes.ask(
            f"{at.whole}: {mended.count} of {mended.entities} entities were not well formed and had to be mended, so "
            f"something else may be meant; the first in {mended.first}",
            at.option("mended", "take") + " (they are meant as they were mended)",
            halts=True,
            page="tag-notation",
        )
    elif mended.count:
        notes.say(
            f"{at.whole}: {mended.count} tags or spans were not well formed and have been mended, the first in "
            f"{mended.first}."
        )


def require_declared(at: Place, tags: Sequence[Tags], how: TagsAs, faults: Faults) -> None:
    """Note the rows with types that are none of the classes that were given, if any were."""
    if not how.names:
        return
    names = notation_of([how.names], how.tags_are).of(how.names)
    allowed = {parted(name)[1] for name in names} - {"O", "0", str(how.outside)}
    bad = {}
    for i, sentence in enumerate(tags):
        other = next((tag[2:] for tag in sentence or [] if tag and tag != "O" and tag[2:] not in allowed), None)
        if other is not None:
            bad[i] = f"type {other!r} is none of the classes {', '.join(sorted(allowed))}"
    faults.note(at, bad)


def _counts(labels: Sequence[Tags]) -> Counter[str]:
    """Number of words with each tag."""
    counts: Counter[str] = Counter()
    for tags in filter(None, labels):
        counts.update(tags)  # type: ignore[arg-type]
    counts.pop(None, None)  # type: ignore[call-overload]
    return counts


def _seen(at: Place, labels: list[Tags], how: TagsAs, notes: Notes) -> list[Tags]:
    """Tags without signs that are not seen, which is said."""
    counts = _counts(labels)
    new = {tag: visible(tag).strip() or None for tag in counts if visible(tag) != tag}
    if not new or how.spelling == "as-is":
        return labels
    count = sum(counts[tag] for tag in new)
    notes.say(f"{at.whole}: {count} tags hold signs that are not seen, which are left out: {next(iter(new))!a}.")
    return [tags and [new.get(tag, tag) if tag else tag for tag in tags] for tags in labels]


def _with_outside(at: Place, labels: list[Tags], how: TagsAs, open_words: bool, notes: Notes) -> list[Tags]:
    """Tags with O for what means outside, and None for what stands for no tag."""
    counts = _counts(labels)
    if counts and how.outside is not None and how.outside not in counts:
        notes.say(f"{at.whole}: no word has the tag {how.outside!r}.")
    new: dict[str, str | None] = {} if how.outside is None else {how.outside: "O"}
    outside = {"O", "0", "o", *new} & set(counts)
    held = PLACEHOLDERS & set(counts) - set(new)
    if held and not any(tag[0] == "(" and "*" in tag for tag in counts):
        most = max(sorted(held), key=lambda tag: counts[tag])
        new |= dict.fromkeys(held)
        if not outside and not open_words and counts[most] == max(counts.values()):
            new[most] = "O"
            outside = {most}
            notes.say(f"{at.whole}: no word is O, and {counts[most]} are {most!r}, which is read as outside.")
    return [tags and [new.get(tag, tag) if tag else tag for tag in tags] for tags in labels] if new else labels


def _asked_outside(at: Place, labels: list[Tags], notes: Notes) -> list[Tags]:
    """Tags with O for what is asked to be outside, until this is settled; the others stay."""
    counts = _counts(labels)
    has_outside = not {"O", "0"}.isdisjoint(counts)
    marked = any(tag.startswith(OPENERS) for tag in counts)
    bare = [tag for tag in counts if not tag.startswith(OPENERS) and tag not in ("O", "0")]
    named = [tag for tag in bare if re.sub(r"[\W_]", "", tag.lower()) in OUTSIDE]
    if not bare or numbers.are_numbers(counts) or (has_outside and not (marked and named)):
        return labels
    if counts.total() <= FEW_WORDS and not named:
        return labels
    most = max(named or bare, key=lambda tag: counts[tag])
    meant = bool(named) or 2 * counts[most] > counts.total()
    says = "" if has_outside else "no word is outside of entities (O), and "
    notes.ask(
        f"{at.whole}: {says}{counts[most]} of {counts.total()} words have the tag {most!r}",
        at.option("outside", most) + " (it means outside)",
        at.option("tags_are", "types") + " (each tag is a type)",
        halts=meant and len(counts) > 1,
        page="tag-notation",
    )
    return [tags and ["O" if named and tag == most else tag for tag in tags] for tags in labels]


def _ask_of_neighbours(at: Place, labels: Sequence[Tags], notes: Notes) -> None:
    """Ask whether entities of several words are meant where every tag begins with B-, and neighbours have one type."""
    begun = {tag for tag in _counts(labels) if tag != "O"}
    if not begun or not all(tag.startswith("B-") for tag in begun):
        return
    pairs = {
        i: sum(a == b != "O" and a is not None for a, b in pairwise(tags)) for i, tags in enumerate(labels) if tags
    }
    count, first = sum(pairs.values()), next((i for i, number in pairs.items() if number), None)
    if first is not None:
        notes.ask(
            f"{at.whole}: no tag begins with I-, and {count} that begin with B- lie directly behind one of "
            f"their own type, so that a name of two words is read as two entities; the first in {at.row(first)}",
            at.option("tags_are", "types") + " (neighbours of one type are one entity)",
            at.option("tags_are", "bio") + " (each B- begins an entity)",
            halts=count > HANDFUL,
            page="tag-notation",
        )


def _tell(at: Place, notation: Notation, tags: Sequence[Tags], notes: Notes) -> None:
    """Say, ask or fault what a notation has, with the first row."""
    first = next((i for i, each in enumerate(tags) if each and notation.first in each), None)
    where = "" if first is None else f"; the first in {at.row(first)}"
    if notation.fault:
        notes.fault(f"{at.whole}: {notation.fault}{where}")
    if notation.says:
        notes.say(f"{at.whole}: tags are read in BIO: {notation.says}.")
    if notation.doubt:
        notes.ask(
            f"{at.whole}: {notation.doubt}{where}",
            at.option("tags_are", "types") + " (each tag is a type)",
            at.option("tags_are", "bio") + " (letters tell the beginnings of entities)",
            halts=True,
            page="tag-notation",
        )


def _in_notation(tags: Tags, notation: Notation) -> Tags:
    """Tags of a sentence as `to_bio` takes them; words without a tag stay so."""
    if tags is None:
        return None
    read = notation.of([tag or "O" for tag in tags])
    return [new if tag is not None else None for new, tag in zip(read, tags, strict=True)]
