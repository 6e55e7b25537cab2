"""A campaign of labelling: who answered what, what comes next, and on what annotators disagree."""

from __future__ import annotations

import math
import re
from collections import Counter, defaultdict, deque
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import islice
from typing import Any

import numpy as np

from tutelage.ask import RANDOM
from tutelage.kinds.asked_labels import HAND
from tutelage.label.items import Items
from tutelage.label.journal import NO_ANSWERS, Act, Answer, Journal
from tutelage.tables import as_label

NAME = re.compile(r"[^\W_][\w .@-]{0,39}")
"""Pattern of the name of an annotator, or of a class's beginning."""

TIMES = 200
"""Answers, at most, whose times the median is of."""

TAG = re.compile(r"O|[BI]-\S+")
"""Pattern of the tag of a word."""

LONGEST = 200
"""Characters of the name of a class, at most."""

SAYS = ("label", "none", "unsure", "settle")
"""What answers do that say something of an item's label."""

NOTE = 2000
"""Characters of a remark, at most."""


class RefusedError(ValueError):
    """An answer that cannot be taken; the message says why, and what to do."""


@dataclass(frozen=True)
class Given:
    """What somebody answers.

    Attributes:
        row: number of the item in the table, from 0.
        item: hash of the item that was on the screen.
        act: what the answer does.
        label: class; of a sentence the tags of its words, with blanks between them.
        seconds: time from the item on the screen to the answer; None where nobody measured.
        note: remark.
        asked: by which selector the item was asked for; None takes that of the queue.
        back: number of the answer that is taken back.
        suggested: whether what the model says was shown at once.
    """

    row: int
    item: str
    act: Act
    label: str = ""
    seconds: float | None = None
    note: str = ""
    asked: str | None = None
    back: int = 0
    suggested: bool = False


@dataclass
class _Annotator:
    """Where one annotator stands.

    Attributes:
        given: answers that were not taken back, in their order.
        answered: hashes of the items that have one, skipped ones with them, each with the number of its answers.
        skipped: hashes of the items that were skipped and have no other answer yet, in their order.
        at: place in the queue up to which every item was answered or is left to others.
    """

    given: list[Answer] = field(default_factory=list)
    answered: Counter[str] = field(default_factory=Counter)
    skipped: dict[str, None] = field(default_factory=dict)
    at: int = 0


@dataclass
class _Item:
    """What is known of one item.

    Attributes:
        given: answers that were not taken back, of all annotators, in their order.
        label: label on which they agree; None where they agree on none.
    """

    given: list[Answer] = field(default_factory=list)
    label: str | None = None

    @property
    def settled(self) -> Answer | None:
        """Answer by which somebody settled what the annotators disagreed on; None once one of them answers anew."""
        told = next((answer for answer in reversed(self.given) if answer.act not in ("note", "skip", "unsure")), None)
        return told if told is not None and told.act == "settle" else None

    @property
    def answered(self) -> bool:
        """Whether somebody answered it, and did not leave it for later."""
        return any(answer.act not in ("note", "skip") for answer in self.given)

    @property
    def last(self) -> dict[str, Answer]:
        """The last answer of each annotator that says something of the label."""
        return {answer.by: answer for answer in self.given if answer.act not in ("note", "settle")}


@dataclass(frozen=True)
class _Places:
    """Places of items in a queue, by their hashes.

    Attributes:
        keys: hashes of the queue's items, rising, (k,), uint64.
        order: place of each of them, (k,).
    """

    keys: np.ndarray
    order: np.ndarray

    @staticmethod
    def of(keys: np.ndarray) -> _Places:
        """Places of the items of these hashes, in their order, (k,), each there once."""
        order = np.argsort(keys, kind="stable")
        return _Places(keys[order], order)

    def at(self, key: str) -> int:
        """Place of an item; -1 where it has none."""
        found = int(np.searchsorted(self.keys, np.uint64(int(key, 16))))
        return int(self.order[found]) if found < len(self.keys) and int(self.keys[found]) == int(key, 16) else -1


def classes_in(answer: Answer, tags: bool) -> list[str]:
    """Classes that an answer names: that of a label, or one that was added; of tags the types of the parts they mark.

    Args:
        answer: the answer.
        tags: whether labels are tags of words.
    """
    if answer.act == "class":
        return [answer.label]
    return _named(answer.label, tags) if answer.act in ("label", "settle") else []


def _named(label: str, tags: bool) -> list[str]:
    return [tag[2:] for tag in label.split(" ") if tag[:2] == "B-"] if tags else [label]


class Campaign:
    """A campaign of labelling.

    Args:
        items: the items.
        journal: journal of the answers, which is replayed.
        queue: numbers of the items that are asked for, in their order, (k,); each once.
        asked: by which selector they are asked for: a name for all, or one for each item of the table, (n,).
        classes: names of the classes that are known beforehand.
        other: name of the class that "none of these" means; empty gives such items no label.
        overlap: share of the items that every annotator is asked, by which their agreement is measured; the others are
            asked once.
    """

    def __init__(
        self, items: Items, journal: Journal, queue: np.ndarray, asked: str | Sequence[str],
        classes: Iterable[str] = (), other: str = "", overlap: float = 0.1,
    ) -> None:  # fmt: skip
        self.items, self.journal, self.other, self.overlap = items, journal, other, overlap
        self._asked = asked
        self.tags = bool(len(items) and items.face(0).words)
        self.queue = self._begun = _each_once(np.asarray(queue, dtype=np.int32), items.keys)
        self.place = np.full(len(items), -1, dtype=np.int32)  # place of each item in the queue
        self.place[self.queue] = np.arange(len(self.queue), dtype=np.int32)
        self.classes: dict[str, None] = dict.fromkeys(filter(None, classes))
        self.people: dict[str, _Annotator] = defaultdict(_Annotator)
        self.known: dict[str, _Item] = {}
        self.labelled: dict[str, str] = {}
        self.apart: dict[str, None] = {}
        self.counts: Counter[str] = Counter()
        self.times: deque[float] = deque(maxlen=TIMES)
        self.touched = 0
        self.on_screen: dict[str, int] = {}
        self.ever: dict[str, set[str]] = defaultdict(set)
        self.drawn: set[str] = set()
        self.seen: set[tuple[str, str]] = set()
        self.was: dict[str, str] = {}
        self._asked_first: dict[int, str] = {}
        self._order: np.ndarray | None = None
        self._places: _Places | None = None
        for answer in journal.answers:
            self._take(answer)

    # answers

    def answer(self, by: str, given: Given) -> Answer:
        """Take an answer: it is on the disk when this returns.

        Args:
            by: name of the annotator.
            given: the answer.

        Raises:
            RefusedError: the item, the class or the name is not right.
            OSError: it cannot be written; nothing is changed.
        """
        return self.answer_all(by, [given])[0]

    def answer_all(self, by: str, all_given: Sequence[Given]) -> list[Answer]:
        """Take answers to several items at once, all or none of them.

        Args:
            by: name of the annotator.
            all_given: the answers, at least one.

        Raises:
            RefusedError: an item, a class or the name is not right.
            OSError: they cannot be written; nothing is changed.
        """
        require_name(by)
        first, now = self.journal.following, datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        made = [self._answer(by, given, first + k, now) for k, given in enumerate(all_given)]
        if len(made) > 1 and made[0].act not in NO_ANSWERS:
            made = [Answer(**(vars(answer) | {"together": first})) for answer in made]
        self.journal.add(*made)
        for answer in made:
            self._take(answer)
        return made

    def saw(self, by: str, rows: Iterable[int]) -> None:
        """Keep that an annotator has seen what the model says of some items, before it is shown.

        Args:
            by: name of the annotator.
            rows: numbers of the items.

        Raises:
            OSError: it cannot be written.
        """
        keys = {row: self.items.key(row) for row in rows}
        fresh = [Given(row, key, "saw") for row, key in keys.items() if (by, key) not in self.seen]
        if fresh:
            self.answer_all(by, fresh)

    def add_class(self, by: str, name: str) -> None:
        """Add a class to those that are offered, behind the others.

        Args:
            by: name of the annotator.
            name: name of the class; of tags their type.

        Raises:
            RefusedError: it is no name of a class.
            OSError: it cannot be written; nothing is changed.
        """
        if self.tags and not re.fullmatch(r"\S+", name):
            raise RefusedError(f"the name of a type has no blanks, got {name[:40]!r}")
        require_class(name)
        if name not in self.classes:
            self.answer_all(by, [Given(0, "", "class", name)])

    def undo(self, by: str) -> Answer:
        """Take back the last answer of an annotator that still counts, or the last that were given together.

        Returns:
            The first of the answers that are taken back.

        Raises:
            RefusedError: there is none.
        """
        mine = self.people[by].given if by in self.people else []
        if not mine:
            raise RefusedError("there is no answer of yours to take back")
        last = mine[-1]
        back = [a for a in mine if a.together == last.together] if last.together else [last]
        self.answer_all(by, [Given(a.row, a.item, "undo", back=a.number) for a in back])
        return back[0]

    def _answer(self, by: str, given: Given, number: int, now: str) -> Answer:
        row = given.row
        if given.act not in ("undo", "class") and (not 0 <= row < len(self.items) or self.items.key(row) != given.item):
            raise RefusedError(
                "the item on the screen is not the one in the table any more: load the page again; nothing was written"
            )
        label = given.label if given.act in ("label", "settle", "class") else ""
        if given.act in ("label", "settle"):
            self._require_label(row, label)
        seconds = given.seconds
        if seconds is not None:
            seconds = round(min(max(seconds, 0.0), 86_400.0), 3) if math.isfinite(seconds) else None
        shown = given.suggested and bool(self.items.guess(row))
        seen = given.act in SAYS and (shown or (by, given.item) in self.seen)
        asked = "" if given.act in ("undo", *NO_ANSWERS) else self.asked_by(row) if given.asked is None else given.asked
        return Answer(
            number, now, by, given.item, row, given.act, label, seconds, seen, asked, _plain(given.note)[:NOTE],
            back=given.back, suggested=given.suggested,
            was="" if not label or given.act == "class" or given.item in self.ever else self.items.given(row),
        )  # fmt: skip

    def _require_label(self, row: int, label: str) -> None:
        if not label.strip():
            raise RefusedError("a label must not be empty; skip the item, or say that you are unsure")
        if self.tags:
            words, tags = len(self.items.face(row).words), label.count(" ") + 1
            if tags != words:
                raise RefusedError(f"the sentence has {words} words, and {tags} tags were given")
            if strange := next((tag for tag in label.split(" ") if not TAG.fullmatch(tag)), None):
                raise RefusedError(f"a tag must be O, or B- or I- and a type, got {strange[:40]!r}")
        else:
            require_class(label)

    def _take(self, answer: Answer) -> None:
        """Let an answer count."""
        if answer.act == "saw":
            self.seen.add((answer.by, answer.item))
            return
        if answer.act == "class":
            self._know(answer)
            return
        if answer.was:
            self.was.setdefault(answer.item, answer.was)
        person, key = self.people[answer.by], answer.item
        known = self.known.setdefault(key, _Item())
        before = known.answered
        if answer.act == "undo":
            person.given = [a for a in person.given if a.number != answer.back]
            known.given = [a for a in known.given if a.number != answer.back]
            person.answered[key] -= 1
            place = self._place_of(answer)
            person.at = min(person.at, place) if place >= 0 else person.at
        else:
            person.given.append(answer)
            known.given.append(answer)
            person.answered[key] += 1
            if answer.act == "label" and answer.seconds is not None:
                self.times.append(answer.seconds)
        person.skipped.pop(key, None)
        mine = known.last.get(answer.by)
        if mine is not None and mine.act == "skip":
            person.skipped[key] = None
        if mine is None:
            person.answered.pop(key, None)
        if answer.label:
            self._know(answer)
            self.ever[key].add(answer.label)
        if answer.act == "none" and self.other:
            self.ever[key].add(self.other)
        self.touched += (known.answered - before) * (self._place_of(answer) >= 0)
        self._decide(key, known)

    def _decide(self, key: str, known: _Item) -> None:
        """Find the label on which the annotators of an item agree."""
        said, settled = self.said(key), known.settled
        label, apart = None, False
        if settled is not None:
            label = settled.label
        elif said:
            (most, count), *others = Counter(said.values()).most_common()
            label, apart = most if 2 * count > len(said) else None, bool(others)
        if label != known.label:
            for each, by in ((known.label, -1), (label, 1)):
                for name in [] if each is None else _named(each, self.tags):
                    self.counts[name] += by
        known.label = label
        self.labelled.pop(key, None)
        if label is not None:
            self.labelled[key] = label
        if apart:
            self.apart.setdefault(key)
        else:
            self.apart.pop(key, None)

    def _know(self, answer: Answer) -> None:
        """Learn the names of classes from an answer."""
        for name in classes_in(answer, self.tags):
            self.classes.setdefault(name)

    def _place_of(self, answer: Answer) -> int:
        """Place in the queue of the item, or of one that equals it; -1 where there is none."""
        if self._places is None:
            self._places = _Places.of(self.items.keys[self.queue])
        return self._places.at(answer.item)

    # what comes next

    def following(self, by: str, after: int | None = None) -> int | None:
        """Number of the item that an annotator is asked next; None where all are answered.

        Skipped items come again once all others are answered.

        Args:
            by: name of the annotator.
            after: number of the item that was answered last, where others are to come before skipped ones.
        """
        person = self.people[by]
        while person.at < len(self.queue) and not self._open(by, int(self.queue[person.at])):
            person.at += 1
        elsewhere = {row for name, row in self.on_screen.items() if name != by}
        some = islice(self.ahead(by, len(elsewhere) + 1), len(elsewhere) + 1)
        free = [row for row in some if row not in elsewhere or self.for_all(self.items.key(row))]
        if free or person.at < len(self.queue):
            self.on_screen[by] = free[0] if free else int(self.queue[person.at])
            return self.on_screen[by]
        self.on_screen.pop(by, None)
        left = [row for key in person.skipped if (row := self.row_of(key)) is not None]
        return next(iter([row for row in left if row != after] or left), None)

    def first(self, rows: Mapping[int, str]) -> None:
        """Let some items come first.

        Args:
            rows: by which selector each of them is asked for, by its number.
        """
        if not rows:
            return
        numbers = np.fromiter(rows, dtype=np.int32)
        self.queue = _each_once(np.concatenate([numbers, self.queue]), self.items.keys)
        self.place[:] = -1
        self.place[self.queue] = np.arange(len(self.queue), dtype=np.int32)
        self._asked_first |= rows
        self._places = None
        for person in self.people.values():
            person.at = 0
        self.touched = sum(
            known.answered and (row := self.row_of(key)) is not None and bool(self.place[row] >= 0)
            for key, known in self.known.items()
        )

    def ahead(self, by: str, count: int) -> Iterator[int]:
        """Numbers of the items that come next, at most ``count``."""
        place = self.people[by].at
        while place < len(self.queue) and count:
            row = int(self.queue[place])
            if self._open(by, row):
                yield row
                count -= 1
            place += 1

    def _open(self, by: str, row: int) -> bool:
        """Whether an annotator is still to be asked for an item."""
        key = self.items.key(row)
        known = self.known.get(key)
        last = known.last if known is not None else {}
        if not last:  # a label that the table got from this page, and that was taken back, is none
            return key in self.ever or not self.items.given(row)
        return by not in last and self.for_all(key)

    def for_all(self, key: str) -> bool:
        """Whether every annotator is asked for an item, by its hash."""
        return int(key, 16) % 1000 < 1000 * self.overlap

    def asked_by(self, row: int) -> str:
        """By which selector an item is asked for; "hand" where it is in no queue."""
        if row in self._asked_first:
            return self._asked_first[row]
        if self.place[row] < 0:
            return HAND
        return self._asked if isinstance(self._asked, str) else self._asked[row]

    def drawn_so_far(self) -> set[str]:
        """Hashes of the items that were drawn, where the queue is in random order: those up to the last that it asked.

        One of them that was labelled in another way, as by hand or since a model asked for it first, was drawn as well:
        without these the others would be no sample.
        """
        if self._asked != RANDOM:
            return set(self.drawn)
        places = _Places.of(self.items.keys[self._begun])
        at = {key: places.at(key) for key, known in self.known.items() if known.given}
        by_turn = [
            at[key] for key in at
            if key not in self.drawn and any(answer.asked == RANDOM for answer in self.known[key].given)
        ]  # fmt: skip
        last = max(by_turn, default=-1)
        return self.drawn | {key for key, place in at.items() if 0 <= place <= last}

    # what is known

    def label_of(self, key: str) -> str | None:
        """Label of an item on which its annotators agree, or on which somebody settled; None where there is none.

        Of several labels the one of more than half of the annotators counts.

        Args:
            key: hash of the item.
        """
        return self.labelled.get(key)

    def said(self, key: str) -> dict[str, str]:
        """Label that each annotator gave an item; those who were unsure or skipped it gave none.

        Args:
            key: hash of the item.
        """
        found = {}
        for by, answer in self.known.get(key, _Item()).last.items():
            if answer.act == "label":
                found[by] = answer.label
            elif answer.act == "none" and self.other:
                found[by] = self.other
        return found

    def answer_of(self, key: str) -> Answer | None:
        """The first answer that gave an item the label that counts; None where it has none.

        Args:
            key: hash of the item.
        """
        known = self.known.get(key, _Item())
        if known.settled is not None or known.label is None:
            return known.settled
        said = self.said(key)
        return min((a for by, a in known.last.items() if said.get(by) == known.label), key=lambda a: a.number)

    def note_of(self, key: str) -> str:
        """The last remark on an item; empty where there is none."""
        return next((a.note for a in reversed(self.known.get(key, _Item()).given) if a.note), "")

    def row_of(self, key: str) -> int | None:
        """Number of the first item with a hash; None where the table has none by now."""
        if self._order is None:
            self._order = np.argsort(self.items.keys, kind="stable")
        at = int(np.searchsorted(self.items.keys, np.uint64(int(key, 16)), sorter=self._order))
        if at == len(self._order) or self.items.key(int(self._order[at])) != key:
            return None
        return int(self._order[at])

    def progress(self, by: str) -> Mapping[str, Any]:
        """How far an annotator is.

        Returns:
            "answered": number of the annotator's answers; "queue": number of items that are asked for; "labelled":
            number of items with a label; "left": of items of the queue without any answer; "classes": number of
            labels of each class; "seconds": median of the time an answer took, None where nobody measured;
            "disagreements": number of them; "other": number of labels of the class that "none of these" means, by its
            name; empty where it means none.
        """
        mine = self.people[by].answered if by in self.people else {}
        return {
            "answered": len(mine), "queue": len(self.queue), "labelled": len(self.labelled),
            "left": max(len(self.queue) - self.touched, 0),
            "classes": {name: self.counts[name] for name in self.classes},
            "other": {self.other: self.counts[self.other]} if self.other and self.other not in self.classes else {},
            "seconds": float(np.median(self.times)) if self.times else None, "disagreements": len(self.apart),
            "acts": {act: sum(self.last_act(by, key) == act for key in mine) for act in ("unsure", "none", "skip")},
        }  # fmt: skip

    def last_act(self, by: str, key: str) -> str:
        """What an annotator's last answer to an item did; empty where there is none.

        Args:
            by: name of the annotator.
            key: hash of the item.
        """
        answer = self.known[key].last.get(by) if key in self.known else None
        return "" if answer is None else answer.act


def _plain(note: str) -> str:
    """A remark without halves of characters, which no file can hold."""
    return note.encode("utf-8", "replace").decode()


def _each_once(queue: np.ndarray, keys: np.ndarray) -> np.ndarray:
    """The queue without items that equal an earlier one."""
    first = np.sort(np.unique(keys[queue], return_index=True)[1])
    found: np.ndarray = queue[first]
    return found


def require_class(name: str) -> None:
    """Check the name of a class.

    Raises:
        RefusedError: it is none, or a table would not give it back.
    """
    if len(name) > LONGEST or not name.isprintable():
        raise RefusedError(f"a class must be a printable name of at most {LONGEST} characters, got {name[:40]!r}")
    if as_label(name) != name or name[:1] in "[{":
        raise RefusedError(f"a table would not give {name[:40]!r} back as it is: name the class otherwise")


def require_name(by: str) -> None:
    """Check the name of an annotator.

    Raises:
        RefusedError: it is none.
    """
    if not NAME.fullmatch(by):
        raise RefusedError(
            "a name must have 1 to 40 letters, digits, blanks or signs of . @ -, and begin with a letter or digit, "
            f"got {by[:60]!r}"
        )
