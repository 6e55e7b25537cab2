"""Items of several requests are read together, and each gets its own answers."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

import numpy as np
import pytest

from tutelage.model import Answers
from tutelage.serve import batches
from tutelage.serve.batches import Asking, Batches


class Echo:
    """A model of words: of each letter a unit, whose probabilities say which letter it is; it waits until it may go."""

    def __init__(self):
        self.calls: list[list[str]] = []
        self.entered, self.go = threading.Semaphore(0), threading.Event()

    def answers(self, items):
        items = list(items)
        self.calls.append(items)
        self.entered.release()
        assert self.go.wait(10)
        if "bad" in items:
            raise ValueError("bad cannot be read")
        units = np.array([[ord(letter), 1.0] for item in items for letter in item]).reshape(-1, 2)
        counts = np.array([len(item) for item in items])
        return Answers(units, counts, np.array([not item for item in items]))


def letters(found: Answers) -> str:
    return "".join(chr(int(p[0])) for p in found.probabilities)


@contextmanager
def asked(model, *questions):
    """Futures of what a model says of lists of items, all of which wait while it reads the first."""
    heard: list[int] = []
    thread = Batches(heard.append)
    with ThreadPoolExecutor(len(questions)) as pool:
        first = pool.submit(thread.answers, model, questions[0])
        assert model.entered.acquire(timeout=10)
        rest = []
        for k, items in enumerate(questions[1:], start=1):
            rest.append(pool.submit(thread.answers, model, items))
            while len(thread._waiting) < k:
                pass
        model.go.set()
        yield [first, *rest], heard


def test_those_who_wait_are_answered_together_each_with_its_own():
    model = Echo()
    with asked(model, ["one"], ["two", "three"], [""], ["four"]) as (found, heard):
        said = [each.result(10) for each in found]
    assert model.calls == [["one"], ["two", "three", "", "four"]] and heard == [1, 4]
    assert [letters(each) for each in said] == ["one", "twothree", "", "four"]
    assert [each.counts.tolist() for each in said] == [[3], [3, 5], [0], [4]]
    assert [each.unread.tolist() for each in said] == [[False], [False, False], [True], [False]]


def test_sixty_four_clients_of_a_row_each_are_two_batches():
    model = Echo()
    with asked(model, *([f"w{i}"] for i in range(64))) as (found, _):
        assert [letters(each.result(10)) for each in found] == [f"w{i}" for i in range(64)]
    assert [len(call) for call in model.calls] == [1, 63]


def test_what_cannot_be_read_is_told_to_whom_it_belongs_alone():
    model = Echo()
    with asked(model, ["one"], ["two"], ["bad"], ["three"]) as (found, _):
        assert [letters(found[i].result(10)) for i in (0, 1, 3)] == ["one", "two", "three"]
        with pytest.raises(ValueError, match="bad cannot be read"):
            found[2].result(10)


def test_items_of_two_models_are_not_read_together():
    first, second = Echo(), Echo()
    second.go.set()
    thread = Batches()
    with ThreadPoolExecutor(3) as pool:
        found = [pool.submit(thread.answers, first, ["a"])]
        assert first.entered.acquire(timeout=10)
        found += [pool.submit(thread.answers, model, [item]) for model, item in ((second, "b"), (first, "c"))]
        first.go.set()
        assert [letters(each.result(10)) for each in found] == ["a", "b", "c"]
    assert (sorted(first.calls), second.calls) == ([["a"], ["c"]], [["b"]])


def test_rows_of_two_widths_are_not_read_together():
    class Widths(Echo):
        def answers(self, items):
            self.calls.append(items.shape)
            self.entered.release()
            assert self.go.wait(10)
            return Answers(np.ones((len(items), 2)), np.ones(len(items), int), np.zeros(len(items), bool))

    model = Widths()
    with asked(model, np.ones((1, 3)), np.ones((2, 3)), np.ones((1, 4)), np.ones((3, 3))) as (found, _):
        assert [len(each.result(10).counts) for each in found] == [1, 2, 1, 3]
    assert model.calls == [(1, 3), (5, 3), (1, 4)]


def test_many_rows_of_one_do_not_keep_others_waiting(monkeypatch):
    monkeypatch.setattr(batches, "SLICE", 2)
    monkeypatch.setattr(batches, "AT_ONCE", 3)
    model = Echo()
    with asked(model, list("abcdef"), ["x"], ["yy"]) as (found, _):
        assert [letters(each.result(10)) for each in found] == ["abcdef", "x", "yy"]
    assert model.calls[:2] == [["a", "b"], ["x", "yy"]] or model.calls[1][:2] == ["x", "yy"]
    assert all(len(call) <= 3 for call in model.calls)


def test_a_model_is_asked_once_of_the_same_items(runs):
    from tutelage import load

    model, thread = load(runs / "texts" / "model"), Batches()
    asking, items = Asking.of(model, thread), ["the soup was near", ""]
    assert asking.unread(items).tolist() == [False, True]
    assert asking.found is asking.answers(items)
    np.testing.assert_allclose(asking.probabilities(items), model.probabilities(items), rtol=0, atol=1e-12)
