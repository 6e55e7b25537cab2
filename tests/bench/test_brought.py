"""A protocol whose data set brings a teacher: what it says belongs to its rows, and fits learn from it."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.datasets import load_digits

from tutelage.bench.cells import draw
from tutelage.bench.fits import items_of, run
from tutelage.bench.protocol import read_protocol
from tutelage.bench.running import jobs
from tutelage.bench.sets import load
from tutelage.tables import DataError

TOML = """
name = "small"
controls = []
seeds = [0]
settings = [{ labels = 0 }, { labels = 4 }]

[steps]
steps = 20

[[fits]]
name = "teacher alone"
taught = true
teacher = true

[[fits]]
name = "distil, taught"
method = "distil"
taught = true

[[data]]
name = "digits"
kind = "rows"
file = "taught.npz"
items = "x"
labels = "y"
said = "said"
split = ""
resplit = true
pool = 300
scored = 200
"""


@pytest.fixture
def taught(small):
    """The protocol, whose teacher is sure of the next class on every fifth row, and right and sure elsewhere."""
    x, y = load_digits(return_X_y=True)
    said = np.full((len(y), 10), 0.01)
    wrong = np.arange(len(y)) % 5 == 0
    said[np.arange(len(y)), np.where(wrong, (y + 1) % 10, y)] = 0.91
    root = small.parent
    np.savez(root / "taught.npz", x=x.astype(np.float32), y=y, said=said)
    return read_protocol(small), root, x


def test_what_a_teacher_says_stays_with_its_row(taught):
    protocol, root, x = taught
    (data,) = protocol.data
    number = {row.tobytes(): i for i, row in enumerate(x.astype(np.float32))}
    held = np.load(root / "taught.npz")
    for seed in (0, 1):
        drawn = draw(data, protocol.settings[1], root, seed)
        for part in (drawn.labelled, drawn.rest, drawn.test):
            index = [number[np.asarray(row, dtype=np.float32).tobytes()] for row in part.items]
            assert (part.said == held["said"][index]).all() and (part.y == held["y"][index]).all()
        whole = protocol.fits[1]
        (source,) = items_of(data, drawn, whole).sources
        assert len(source) == 300 and (source.table[:40] == drawn.labelled.said).all()


def test_the_teacher_alone_is_scored_as_it_is_counted_by_hand(taught):
    protocol, root, _ = taught
    (data,) = protocol.data
    drawn = draw(data, protocol.settings[0], root, 0)
    found = run(protocol, root, data, protocol.settings[0], 0, protocol.fits[0])
    assert found["score"] == pytest.approx((drawn.test.said.argmax(1) == drawn.test.y).mean())
    assert 0.7 < found["score"] < 0.9 and found["labelled"] == 0


@pytest.mark.parametrize("setting", [0, 1])
def test_a_fit_learns_from_it(taught, setting):
    protocol, root, _ = taught
    found = run(protocol, root, protocol.data[0], protocol.settings[setting], 0, protocol.fits[1])
    assert found["score"] > 0.6 and found["labelled"] == (0, 40)[setting]  # without it four labels a class give less


def test_a_teacher_of_other_classes_is_refused(taught):
    protocol, root, x = taught
    held = dict(np.load(root / "taught.npz"))
    np.savez(root / "taught.npz", **(held | {"said": np.full((len(x), 9), 1 / 9)}))
    with pytest.raises(DataError, match="'said' has 9 probabilities a row, of 10 classes"):
        load(protocol.data[0].model_copy(update={"pool": 301}), root)


def test_a_fit_that_needs_labels_is_left_out_where_there_are_none(small):
    small.write_text(TOML.replace('method = "distil"', 'method = "distil"\nleast = 4'))
    protocol = read_protocol(small)
    assert [(job.setting.labels, job.learner) for job in jobs(protocol)] == [
        (0, "teacher alone"), (4, "teacher alone"), (4, "distil, taught"),
    ]  # fmt: skip
