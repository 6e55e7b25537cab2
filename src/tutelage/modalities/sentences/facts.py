"""Facts on the sentences of a source, for people."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any

Tags = Sequence[str | None] | None
"""Tags of one sentence, in clean BIO; None is an untagged sentence, or a word without a distant tag."""


def tag_facts(
    tokens: Sequence[Sequence[str]], tags: Sequence[Tags], distant: Sequence[Tags], repaired: int = 0, first: str = ""
) -> dict[str, Any]:
    """Facts on the sentences of one source and their tags, as plain values.

    Args:
        tokens: words of each sentence.
        tags, distant: tags and distant tags of each sentence, in clean BIO.
        repaired: number of tags and spans that were mended.
        first: first of these, with its place, before and after.

    Returns:
        Numbers of "sentences" and "words"; of "tagged", "untagged" and "distant" sentences; of "entities" and
        "distant_entities" by type, the most frequent first; and what was "mended", with the "first_mended".

    >>> facts = tag_facts([["to", "Rome"], ["no"]], [["O", "B-LOC"], None], [None, None])
    >>> facts["entities"], facts["tagged"], facts["untagged"]
    ({'LOC': 1}, 1, 1)
    """
    tagged = sum(sentence is not None for sentence in tags)
    return {
        "sentences": len(tokens),
        "words": sum(map(len, tokens)),
        "tagged": tagged,
        "untagged": len(tokens) - tagged,
        "distant": sum(sentence is not None for sentence in distant),
        "entities": _by_type(tags),
        "distant_entities": _by_type(distant),
        "mended": repaired,
        "first_mended": first,
    }


def _by_type(tags: Sequence[Tags]) -> dict[str, int]:
    """Number of entities of each type, the most frequent first."""
    counts = Counter(tag[2:] for sentence in tags if sentence for tag in sentence if tag and tag[0] == "B")
    return dict(sorted(counts.items(), key=lambda each: (-each[1], each[0])))
