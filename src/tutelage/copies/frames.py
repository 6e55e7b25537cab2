"""Frames of texts: signatures at their end and letterheads at their beginning, which recur over different texts."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Sequence

import numpy as np

from tutelage.copies.folding import folded, words_of
from tutelage.copies.shingles import keys_of

BODIES = 3
"""Number of different texts, at least, that one frame stands around."""

PARTS = 4
"""Number of lines, or sentences, of a frame at most."""

LEAST_BODY = 4, 6
"""Number of words, at least, that a text of lines, and one of sentences, has without its frame; else the frame is what
the text says."""

SIDES = "end", "beginning"
"""Sides of a text where a frame may stand, in the order in which frames are taken away."""

SIGNED = re.compile(r"(?:^|\n)--[ \t]*(?:\n|$)")
"""Pattern of the line that begins a signature by convention (RFC 3676, section 4.3)."""

SENTENCE = re.compile(r"(?<=[.!?…。！？])\s+|(?<!\s)\s+(?:--|–|—)\s+")
"""Pattern of what stands between sentences."""


def unframed(texts: Sequence[str], known: Collection[int] = ()) -> tuple[list[str], frozenset[int]]:
    r"""Folded texts without their frames, and the keys of the frames.

    A frame is up to PARTS lines, of a text of one line sentences, at its beginning or its end that stand around at
    least BODIES different texts of at least LEAST_BODY words each. Of sentences the frame may not be longer than the
    text without it.

    Args:
        texts: n texts, as they are written.
        known: keys of frames that are known already.

    >>> mails = [f"Lunch is at {hour} in the hall.\nBest wishes\nAnn" for hour in ("one", "two", "three")]
    >>> unframed([*mails, "lunch is at one in the hall", "Best wishes\nAnn"])[0][::3]
    ['lunch is at one in the hall', 'lunch is at one in the hall']
    """
    parts = [parts_of(text) for text in texts]
    frames = frozenset(known) | _recurring(parts)
    if frames:
        several = [i for i, part in enumerate(parts) if len(part) > 1]
        for i, cut in zip(several, _cut([parts[i] for i in several], frames), strict=True):
            parts[i] = cut
    return list(map(_joined, parts)), frames


def parts_of(text: str) -> tuple[str, ...]:
    r"""Folded lines of a text, of a text of one line its sentences; "" stands first where they are sentences.

    >>> parts_of("Hello Bob,\n\nsee you!\n-- \nAnn"), parts_of("See you. Ann")
    (('hello bob', 'see you', 'ann'), ('', 'see you', 'ann'))
    """
    lines = [words_of(line) for line in text.splitlines()] if "\n" in text or "\r" in text else []
    found = tuple(filter(None, lines))
    if len(found) > 1:
        return found
    if SENTENCE.search(text):
        found = tuple(filter(None, map(words_of, SENTENCE.split(text.strip()))))
        if len(found) > 1:
            return ("", *found)
    return (folded(text),)


def unsigned(text: str) -> str:
    r"""What stands above the line "--" of a text, folded; the whole text folded where there is none.

    A text is a copy of another that says this alone (`Writings`). More than one text may say the same above such a line
    and differ below it, as a subject above a mail: what is below is then the text, and no signature.

    >>> unsigned("See you at noon!\n-- \nAnn"), unsigned("-- \nAnn")
    ('see you at noon', 'ann')
    """
    text = text.replace("\r\n", "\n")
    signed = SIGNED.search(text)
    above = folded(text[: signed.start()]) if signed else ""
    return above if above.count(" ") + 1 >= LEAST_BODY[0] else folded(text)


def _split(parts: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], tuple[str, ...]]]:
    """Frames that a text may have, the longest first of each side, and the text without each.

    A frame's first part is "end" or "beginning". The text stays one of lines, or of sentences.
    """
    of_sentences = parts[0] == ""
    own = parts[1:] if of_sentences else parts
    words = [part.count(" ") + 1 for part in own]
    for side in SIDES:
        for count in range(min(PARTS, len(own) - 1), 0, -1):
            at = len(own) - count if side == SIDES[0] else count
            frame, body = (own[at:], own[:at]) if side == SIDES[0] else (own[:at], own[at:])
            short = sum(words[at:]) if side == SIDES[0] else sum(words[:at])
            long = sum(words) - short
            if long >= LEAST_BODY[of_sentences] and not (of_sentences and short > long):
                yield (side, *frame), (("", *body) if of_sentences else body)


def _recurring(parts: Sequence[tuple[str, ...]]) -> frozenset[int]:
    """Keys of the frames that stand around at least BODIES different texts."""
    several = [part for part in parts if len(part) > 1]
    each = [(hash(frame), hash(body)) for part in several for frame, body in _split(part)]
    if not each:
        return frozenset()
    pairs = np.unique(np.array(each, dtype=np.int64), axis=0)
    frames, counts = np.unique(pairs[:, 0], return_counts=True)
    often = set(frames[counts >= BODIES].tolist())
    named = {frame for part in several for frame, _ in _split(part) if hash(frame) in often} if often else set()
    return frozenset(_keys(sorted(named)))


def _joined(parts: tuple[str, ...]) -> str:
    """The parts of a text as one text."""
    return " ".join(filter(None, parts))


def _keys(frames: Sequence[tuple[str, ...]]) -> list[int]:
    """Key of each frame, the same in every process."""
    found: list[int] = keys_of(["\n".join(frame) for frame in frames]).tolist() if frames else []
    return found


def _cut(parts: Sequence[tuple[str, ...]], frames: Collection[int]) -> list[tuple[str, ...]]:
    """Texts of several parts without their frames, at the end and then at the beginning."""
    found = list(parts)
    for side in SIDES:
        each = [
            (i, frame, body) for i, part in enumerate(found) if len(part) > 1 for frame, body in _split(part)
            if frame[0] == side
        ]  # fmt: skip
        keys = _keys([frame for _, frame, _ in each])
        for (i, _, body), key in zip(reversed(each), reversed(keys), strict=True):
            if key in frames:
                found[i] = body  # in the end that without the longest frame, which stands first
    return found
