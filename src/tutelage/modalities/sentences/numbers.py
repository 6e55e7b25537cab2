"""Tags that are numbers: the names of their classes, or whether each number is a type of its own."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence

from tutelage.modalities.sentences.place import Place, Reading

Tags = list[str | None] | None
"""Tags of one sentence; None is an untagged sentence, or a word without a tag."""

WHOLE = re.compile(r"-?[0-9]+")
"""Pattern of a whole number."""
OFTEN = 0.1
"""Share of a number's runs that may begin directly behind one other number where each number is a type of its own."""


def are_numbers(counts: Mapping[str, int]) -> bool:
    """Whether all tags of a column are whole numbers."""
    return bool(counts) and all(map(WHOLE.fullmatch, counts))


def named(at: Place, labels: list[Tags], names: Sequence[str], reading: Reading) -> list[Tags]:
    """Tags with the names of their numbers; without names, the numbers themselves, where each evidently is a type.

    A negative number is a word without a tag.

    Args:
        at: the column.
        labels: numbers of each sentence, as texts.
        names: names of the classes in the file's own metadata, in the order of their numbers.
        reading: takes what is said, the rows with numbers that have no name, or the question what the numbers mean.
    """
    how, notes = reading.how, reading.notes
    labels = [tags and [None if tag is None or tag.startswith("-") else tag for tag in tags] for tags in labels]
    named_so = how.names or tuple(names)
    if named_so and not all(map(WHOLE.fullmatch, named_so)):
        beyond = {i: _beyond(tags, len(named_so)) for i, tags in enumerate(labels) if tags}
        reading.faults.note(at, {i: said for i, said in beyond.items() if said})
        whose = "that are given" if how.names else "that the file itself gives"
        shown = ", ".join(f"{i} {name}" for i, name in enumerate(named_so))
        notes.say(f"{at.whole}: tags are numbers, with the names {whose}: {shown}.")
        return [tags and [_name(tag, named_so) for tag in tags] for tags in labels]
    doubt = "" if how.tags_are == "types" else _doubt(labels)
    if doubt:
        notes.ask(
            f"{at.whole}: {doubt}",
            at.option("classes", "O,B-PER,I-PER,...") + " (the names in the order of the numbers)",
            at.option("tags_are", "types") + " (each number is a type of its own)",
            halts=True,
            page="tag-numbers",
        )
    elif len(kinds := {tag for tags in labels for tag in tags or []} - {"0", None}) > 1:
        says = f"{at.whole}: tags are numbers without names: 0 is outside, and each of {len(kinds)} others is a type"
        if how.tags_are == "types":
            notes.say(f"{says}.")
        else:
            notes.ask(
                f"{says}, which may be wrong",
                at.option("classes", "O,B-PER,I-PER,...") + " (the names in the order of the numbers)",
                at.option("tags_are", "types") + " (each number is a type of its own)",
                page="tag-numbers",
            )
    return labels


def _beyond(tags: Sequence[str | None], count: int) -> str:
    """What is wrong with a sentence's numbers that have no name; empty where all have one."""
    position = next((p for p, tag in enumerate(tags, start=1) if tag is not None and int(tag) >= count), None)
    if position is None:
        return ""
    return f"tag {position} is {tags[position - 1]}, but the classes have names from 0 to {count - 1} only"


def _name(tag: str | None, names: Sequence[str]) -> str | None:
    """Name of a number; a number without one is refused already."""
    return None if tag is None else names[min(int(tag), len(names) - 1)]


def _doubt(labels: Sequence[Tags]) -> str:
    """Why it is not evident that each number but 0 is a type of its own; empty where it is.

    It is evident for a single number; and for several where none of them often begins directly behind another one, as
    I- begins behind B-, and where 0 is the most frequent.
    """
    counts = Counter(tag for tags in labels if tags for tag in tags if tag is not None)
    shown = ", ".join(f"{number} ({count})" for number, count in sorted(counts.items(), key=lambda each: int(each[0])))
    says = f"tags are numbers without names: {shown}"
    if len(counts.keys() - {"0"}) < 2:
        return ""
    if counts["0"] < max(counts.values()):
        return f"{says}; 0 is not the most frequent, so it may not be what is outside entities"
    behind: dict[str, Counter[str]] = defaultdict(Counter)
    for tags in filter(None, labels):
        for before, tag in zip(["0", *tags], tags, strict=False):
            if tag not in (before, "0", None):
                behind[tag][before or "0"] += 1
    for number, places in sorted(behind.items(), key=lambda each: int(each[0])):
        runs = places.total()
        for before, count in places.most_common():
            if before != "0" and count >= OFTEN * runs:
                return (
                    f"{says}; {number} begins directly behind {before} in {count} of {runs} places, as I- does behind "
                    "B-: if each number were a type of its own, such entities would come apart"
                )
    return ""
