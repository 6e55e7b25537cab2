"""Words without a tag in tagged sentences, and columns of words and tags that are swapped."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import chain

from tutelage.modalities.sentences.how import TagsAs
from tutelage.modalities.sentences.place import Place
from tutelage.ops.tags import OPENERS
from tutelage.tables import Notes

Tags = list[str | None] | None
"""Tags of one sentence; None is an untagged sentence, or a word without a tag."""


LONG = 100
"""Number of words from which on a sentence is rather several, whose bounds are missing."""


def require_words(
    at: Place, of_tags: Place, words: Sequence[Sequence[str]], labels: Sequence[Tags], notes: Notes
) -> None:
    """Halt where the words are tags, as where two columns are swapped.

    Args:
        at: column of the words.
        of_tags: column of the tags.
        words: words of each sentence.
        labels: tags of each sentence, as they are written.
        notes: takes the question.

    Raises:
        DataError: the words are tags.
    """
    every = list(chain.from_iterable(words))
    if not all(word == "O" or word.startswith(OPENERS) for word in every):  # as soon as one is a word
        return
    begun = [word for word in every if word != "O"]
    tagged = {tag for tags in labels for tag in tags or [] if tag is not None}
    if not begun or any(tag.startswith(OPENERS) for tag in tagged):
        return
    asks = f"{at.whole}: all {len(every):,} words are tags, such as {begun[0]!r}"
    if not tagged:
        notes.halt(f"{asks}; another column holds the words", at.option("tokens", "COLUMN"), page="tag-columns")
    notes.halt(
        f"{asks}, and {of_tags.whole} holds words; the columns are swapped",
        f"{at.option('tokens', of_tags.name)} {of_tags.option('tags', at.name)}",
        page="tag-columns",
    )


def one_sentence(words: Sequence[str]) -> str:
    """Phrase that one sentence alone is tagged, with the likely cause of a long one, and what to do.

    >>> one_sentence(["Ada", "left"])
    'one sentence is tagged; tag one more (the evidence needs two)'
    """
    if len(words) < LONG:
        return "one sentence is tagged; tag one more (the evidence needs two)"
    return (
        f"one sentence is tagged, of {len(words):,} words; put a blank line between its sentences, or in a table "
        "number them, --sentence-id (the evidence needs two)"
    )


def closed(
    at: Place, labels: list[Tags], written: list[Tags], words: Sequence[Sequence[str]], how: TagsAs, notes: Notes
) -> list[Tags]:
    """Tags of sentences of which each word has one, or none has; what words without a tag mean is asked, or said.

    Args:
        at: the column.
        labels: tags of each sentence.
        written: the same as they are written.
        words: words of each sentence.
        how: how tags are read.
        notes: takes what is noticed.
    """
    bare = [i for i, tags in enumerate(labels) if tags and all(tag is None for tag in tags)]
    labels = [tags if tags and any(tag is not None for tag in tags) else None for tags in labels]
    some = [i for i, tags in enumerate(labels) if tags and None in tags]
    if not some:
        return labels
    count = sum((labels[i] or []).count(None) for i in some)
    first = some[0]
    j = (labels[first] or []).index(None)
    shown = (written[first] or [])[j]
    says = (
        f"{at.at(first)}: word {j + 1}, {words[first][j]!r}, has no tag ({shown or 'empty'}) in a tagged sentence; "
        f"{count} such words in {len(some)} sentences"
    )
    if how.open_words is None:
        notes.ask(
            says,
            at.option("open_words", "outside") + " (they are outside entities)",
            at.option("open_words", "untagged") + " (such sentences are untagged)",
            halts=True,
            page="open-words",
        )
    else:
        notes.say(f"{says}, {'which are outside' if how.open_words == 'outside' else 'which are untagged'}.")
        if how.open_words == "outside" and bare:
            notes.say(
                f"{at.whole}: {len(bare)} sentences, the first in {at.row(bare[0])}, have no tag at all, and stay "
                "untagged; write O in one of their words, if they were looked at."
            )
    if how.open_words == "untagged":
        return [None if tags and None in tags else tags for tags in labels]
    return [tags and ["O" if tag is None else tag for tag in tags] for tags in labels]
