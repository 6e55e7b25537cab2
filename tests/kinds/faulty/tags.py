"""Sentences with tags, and tags by other tools' habits."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from faulty.case import Case, Draw

Sentence = tuple[list[Any], list[Any] | None]
"""Words of a sentence, and their tags; None is an untagged sentence."""

PLAIN = (
    "the",
    "was",
    "near",
    "a",
    "again",
    "today",
    ",",
    ".",
    '"',
    "it's",
    "née",
    "日本",
    "#",
    "[x]",
    "-",
    "1,5",
    "nan",
)
NAMES = (("soup",), ("rye", "bread"), ("Zürich",), ("New", "York", "City"), ("😀", "Ada"), ("goal",), ("O'Neil",))
HABITS = (
    "bare letters", "suffix", "underscore", "numbers", "no tag", "-100", "iob1", "bioes", "short", "long", "types",
    "spelt",
    "inside", "untagged", "pieces", "special", "odd tags", "odd words", "lower", "several",
)  # fmt: skip
"""Habits and faults of tags."""
ODD_TAGS = (
    "nan", "_", "-", "?", "", " ", None, -1, "-1", "O\u200b", "B-", "-PER", "0", "X", "None", [], "B-PER|B-LOC",
    0.5, True,
)  # fmt: skip
ODD_WORDS: tuple[Any, ...] = (
    "", " ", None, 3, 2.5, "a b", "\u200b", "\xa0", ["x"], float("nan"), "\t", "[CLS]", "##x", True,
)  # fmt: skip


def corpus(draw: Draw, count: int, types: Sequence[str], begin: int) -> list[Sentence]:
    """Sentences that differ, with clean BIO tags."""
    found: list[Sentence] = []
    for i in range(count):
        words: list[Any] = [f"w{begin + i}", draw.one(PLAIN)]
        tags = ["O", "O"]
        for k in range(draw.one([0, 1, 1, 2]) if i > 3 else 2):
            name = draw.one(NAMES)
            kind = types[(i + k) % len(types)]
            words += [*name, draw.one(PLAIN)]
            tags += [f"B-{kind}", *[f"I-{kind}"] * (len(name) - 1), "O"]
        found.append((words, tags))
    return found


def _bioes(tags: Sequence[str]) -> list[str]:
    found = []
    for tag, after in zip(tags, [*tags[1:], "O"], strict=True):
        last = after[:2] != "I-"
        letter = {"B-": "S-" if last else "B-", "I-": "E-" if last else "I-"}.get(tag[:2], "")
        found.append(letter + tag[2:] if letter else tag)
    return found


def _retagged(draw: Draw, habit: str, tags: list[str], types: Sequence[str]) -> list[Any]:
    """Tags of a sentence by a habit that concerns each of them alone."""
    numbers = {"O": 0} | {
        f"{letter}-{kind}": 2 * i + k + 1 for i, kind in enumerate(types) for k, letter in enumerate("BI")
    }
    ways: dict[str, Any] = {
        "bare letters": lambda tag: tag[0], "suffix": lambda tag: tag if tag == "O" else f"{tag[2:]}-{tag[0]}",
        "underscore": lambda tag: tag.replace("-", "_", 1), "numbers": lambda tag: numbers[tag],
        "types": lambda tag: tag[2:] or "O",
        "iob1": lambda tag: tag.replace("B-", "I-"),
        "inside": lambda tag: tag.replace("B-", "I-") if draw.chance(50) else tag,
        "lower": str.lower, "spelt": lambda tag: tag[:2] + draw.one([tag[2:], tag[2:].upper(), tag[2:].title(),
            tag[2:] + "\u200b"]),
    }  # fmt: skip
    return [ways[habit](tag) for tag in tags]


def _changed(draw: Draw, habit: str, sentence: Sentence, types: Sequence[str], odd: Any) -> Sentence:
    words, tags = list(sentence[0]), list(sentence[1] or [])
    ignored = draw.one([-100, "-100"])
    ways: dict[str, Callable[[], Sentence]] = {
        "no tag": lambda: (words, [odd if tag == "O" and draw.chance(20) else tag for tag in tags]),
        "odd tags": lambda: (words, [odd if draw.chance(10) else tag for tag in tags]),
        "odd words": lambda: ([odd if draw.chance(10) else word for word in words], tags),
        "-100": lambda: (words, [ignored if draw.chance(10) else tag for tag in tags]),
        "special": lambda: (["[CLS]", *words, "[SEP]"], [odd, *tags, odd]),
        "pieces": lambda: ([p for word in words for p in (word, "##s")], [t for tag in tags for t in (tag, odd)]),
        "short": lambda: (words, tags[:-1]),
        "long": lambda: (words, [*tags, "O"]),
        "bioes": lambda: (words, _bioes(tags)),
        "several": lambda: (words, [f"{tag}|{tags[-2]}" if tag != "O" else tag for tag in tags]),
    }
    return ways[habit]() if habit in ways else (words, _retagged(draw, habit, tags, types))


def as_tagged(draw: Draw, case: Case, sentences: list[Sentence], types: Sequence[str]) -> list[Sentence]:
    """The sentences with tags by at most two habits, some of them only in a few sentences."""
    for habit in draw.some(HABITS, draw.one([0, 0, 1, 1, 1, 2])):
        case.fault(habit)
        share = draw.one([5, 100, 100]) if habit not in ("short", "long", "untagged") else draw.one([5, 10, 40])
        odd = {
            "no tag": draw.one(["", None, "_", -1, "-1"]), "odd tags": draw.one(ODD_TAGS),
            "odd words": draw.one(ODD_WORDS),
            "special": draw.one([-100, "O", "", None, "X"]), "pieces": draw.one([-100, "X", "O", None]),
        }.get(habit)  # fmt: skip
        _name(case, habit, odd, types, len(case.faults) > 2)
        if habit == "untagged":
            sentences = [(words, draw.one([None, []]) if draw.chance(share) else tags) for words, tags in sentences]
            continue
        try:
            sentences = [
                _changed(draw, habit, each, types, odd) if each[1] and draw.chance(share) else each
                for each in sentences
            ]
        except (KeyError, TypeError, AttributeError, IndexError):  # two habits that cannot be of one sentence
            continue
    return sentences


def _name(case: Case, habit: str, odd: Any, types: Sequence[str], second: bool) -> None:
    """Take down the names of types that a habit writes."""
    if habit == "numbers":
        case.name(*map(str, range(1, 2 * len(types) + 1)))
    if habit == "spelt" and case.options.get("spelling") == "as-is":
        case.name(*(f"{kind}\u200b" for kind in types))
    if habit in ("lower", "spelt"):
        case.name(*(way(kind) for kind in types for way in (str.lower, str.upper, str.title)))
    if habit == "suffix" and "B" in types:
        case.name("I")  # B-I may be the type I
    if habit == "bare letters":
        case.name("ENTITY")
    if odd in ("X", "B-PER|B-LOC"):
        case.name(str(odd), str(odd).removeprefix("B-"))
    if second or habit == "several":
        case.classes = None
