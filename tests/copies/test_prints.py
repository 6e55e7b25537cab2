"""Items are known again by what is kept of them, and nothing of them can be read in it."""

from __future__ import annotations

import numpy as np
import pytest

from tutelage.copies import Keys
from tutelage.copies.writing import SKETCH, Writings

WORDS = [f"{a}{b}" for a in ("bar", "lo", "mi", "tra", "ken") for b in ("da", "len", "tos", "ma")]


def text(seed: int, count: int) -> str:
    return " ".join(np.random.default_rng(seed).choice(WORDS, count))


@pytest.fixture(scope="module")
def learnt() -> list[str]:
    letters = [f"{text(seed, 30)}\nKind regards\nAnn" for seed in range(20)]
    return [*letters, "good soup", text(90, 800)]


def test_copies_are_known_by_what_is_kept(learnt):
    known = Writings.read(Writings.of(learnt).kept())
    words = learnt[3].split("\n")[0].split()
    words[15] = "changed"
    long = learnt[-1].split()
    for place in (100, 300, 500, 700):
        long[place] = "changed"
    asked = [learnt[0].upper(), text(1, 30), " ".join(words), "Good Soup!", " ".join(long), text(95, 800), "bad soup"]
    found = Writings.of(asked, known.frames).within(known)
    assert found.tolist() == [True, True, True, True, True, False, False]


def test_what_is_kept_is_small_and_holds_no_word(learnt):
    kept = Writings.of(learnt).kept()
    assert kept["counts"].max() == SKETCH
    assert sum(array.nbytes for array in kept.values()) < sum(map(len, learnt))
    assert not any(array.dtype.kind in "USO" for array in kept.values())


def test_parts_that_do_not_fit_are_refused(learnt):
    kept = Writings.of(learnt).kept()
    with pytest.raises(ValueError, match="counts must sum"):
        Writings.read(kept | {"shingles": kept["shingles"][:-1]})
    with pytest.raises(ValueError, match="keys must be whole numbers"):
        Writings.read({name: array for name, array in kept.items() if name != "keys"})
    with pytest.raises(ValueError, match="keys must be whole numbers"):
        Keys.read({"keys": np.zeros(2)})


def test_keys_know_equal_items_alone():
    known = Keys.read(Keys.of([b"a", b"b"]).kept())
    assert Keys.of([b"b", b"c"]).within(known).tolist() == [True, False]
