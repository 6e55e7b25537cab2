"""What is read of replies, against an enumeration of what a model might have written."""

from __future__ import annotations

import math

import numpy as np
import pytest

from tutelage.annotate.replies import Position, class_in, logs_in

NAMES = {
    "negative": ["neg", "ative"],
    "neutral": ["ne", "utral"],
    "nearly": ["ne", "arly"],
    "positive": ["pos", "itive"],
}


def written(seed: int, lead: list[str], said: str, others: float = 0.1) -> tuple[list[Position], dict[str, float]]:
    """Tokens of a reply with all alternatives, drawn at random, and the probability of each class's whole name."""
    rng = np.random.default_rng(seed)
    nodes: dict[tuple[str, ...], dict[str, float]] = {}
    for tokens in NAMES.values():
        for k in range(len(tokens)):
            nodes.setdefault(tuple(tokens[:k]), {})[tokens[k]] = 0.0
    for options in nodes.values():
        shares = rng.dirichlet(np.ones(len(options)))
        shares = shares * (1 - others) if others else shares
        options.update(zip(options, shares.tolist(), strict=True))
        if others:
            options["qq"] = others
    whole = {
        name: math.prod(nodes[tuple(tokens[:k])][token] for k, token in enumerate(tokens))
        for name, tokens in NAMES.items()
    }
    path = NAMES[said]
    positions = [Position(token, [(token, math.log(0.9)), ("negative", math.log(0.05))]) for token in lead]
    positions += [
        Position(path[k], [(t, math.log(p)) for t, p in nodes[tuple(path[:k])].items()]) for k in range(len(path))
    ]
    return positions, whole


@pytest.mark.parametrize("seed", range(8))
@pytest.mark.parametrize("lead", [[], ['{"', 'class":', ' "'], ["\n", "**"]], ids=["plain", "json", "markdown"])
def test_probabilities_are_those_of_the_names(seed, lead):
    positions, whole = written(seed, lead, "neutral", others=0)
    found = logs_in(positions, list(NAMES))
    total = sum(whole.values())
    np.testing.assert_allclose(np.exp(found), [whole[name] / total for name in NAMES], atol=1e-8)


def test_classes_that_begin_alike_are_told_apart_along_what_was_written():
    positions, _ = written(1, [], "positive")
    first = dict(positions[0].options)
    found = dict(zip(NAMES, np.exp(logs_in(positions, list(NAMES))), strict=True))
    assert found["positive"] / found["negative"] == pytest.approx(math.exp(first["pos"] - first["neg"]))
    assert found["neutral"] == found["nearly"] < 0.2  # "ne" is neither's: nothing was written behind it


def test_a_name_that_begins_another_ends_where_the_reply_ends():
    names = ["sport", "sport news"]
    begun = Position("sport", [("sport", math.log(0.9)), ("x", math.log(0.1))])
    ended = Position('"', [('"', math.log(0.7)), (" news", math.log(0.3))])
    assert np.exp(logs_in([begun], names))[0] > 0.99
    np.testing.assert_allclose(np.exp(logs_in([begun, ended], names)), [0.7, 0.3], atol=1e-8)


def test_a_class_that_is_not_listed_gets_no_more_than_what_is_left():
    listed = Position("a1", [("a1", math.log(0.9)), ("b1", math.log(0.06))])
    found = np.exp(logs_in([listed], ["a1", "b1", "c1"]))
    assert found[2] == pytest.approx(0.04 / 1.0, rel=1e-6)


def test_what_begins_no_class_is_silent():
    begun = [Position("I", [("I", math.log(0.95)), ("spam", math.log(0.05))])]
    assert logs_in(begun, ["spam", "ham"]) is None
    assert logs_in(begun, ["spam", "ham"], 0.01) is not None
    assert logs_in([], ["spam", "ham"]) is None
    assert logs_in([Position("", [])], ["spam", "ham"]) is None


NONE = (
    '{"class": "spam', '{"class": 3}', "{" * 5000, "not spam", "spam or ham", "spammy", "1", "\x00", "spam ham",
)  # fmt: skip
SPAM = ("spam", " Spam.", '"spam"', "`SPAM`", "**spam**", "Answer: spam", "The class is spam.", '["spam"]', "> spam")


@pytest.mark.parametrize("text", NONE)
def test_what_names_no_class_is_none(text):
    assert class_in(text, ["spam", "ham"]) is None


@pytest.mark.parametrize("text", SPAM)
def test_what_names_a_class_is_that(text):
    assert class_in(text, ["ham", "spam"]) == 1


def test_classes_with_signs_are_found():
    names = ["C++", "C#", "n/a", "(none)"]
    assert [class_in(name, names) for name in names] == [0, 1, 2, 3]
    assert [class_in(f"**{name}**", names) for name in names] == [0, 1, 2, 3]
