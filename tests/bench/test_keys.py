"""Keys of results: they change with what a run depends on, and with nothing else."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

import pytest

from tutelage.bench import keys, learners
from tutelage.bench.keys import cell_key, described, fingerprint, key_of, known, plain, version_of
from tutelage.bench.protocol import read_protocol
from tutelage.bench.running import current, missing, read_rows
from tutelage.fit.auto import CANDIDATES
from tutelage.kinds import KINDS
from tutelage.methods import CurriculumLabelling, Drift, Method, Supervised

TOML = """
name = "small"
methods = ["supervised", "mean_teacher", "auto"]
settings = [{ labels = 4 }]

[steps]
steps = 20

[[data]]
name = "digits"
kind = "rows"
file = "scikit-learn:digits"
split = ""
"""
BENCHMARKS = Path(__file__).parents[2] / "benchmarks"


def keys_of(path: Path) -> dict[str, str]:
    protocol = read_protocol(path)
    (data, setting), *_ = protocol.cells()
    return {name: key_of(protocol, data, setting, name) for name in protocol.learners}


def test_what_is_written_otherwise_but_means_the_same_has_the_same_key(small):
    before = keys_of(small)
    small.write_text(TOML.replace("steps = 20", "steps = 20\nlr = 1"))
    faster = keys_of(small)
    small.write_text(TOML.replace("steps = 20", "lr = 1.0\nsteps = 20"))
    assert keys_of(small) == faster
    assert not set(faster.values()) & set(before.values())
    small.write_text(TOML.replace('file = "scikit', 'flip = true\nscored = 2000\nfile = "scikit'))  # their defaults
    assert keys_of(small) == before


@pytest.mark.parametrize(
    ("old", "new", "changed"),
    [
        ("steps = 20", "steps = 21", {"supervised", "mean_teacher", "auto", *learners.LEARNERS}),
        ("labels = 4", "labels = 5", {"supervised", "mean_teacher", "auto", *learners.LEARNERS}),
        ("[steps]", "grid = { mean_teacher = { decay = [0.5] } }\n[steps]", {"mean_teacher"}),
        ('"small"', '"other"', set()),
        ("labels = 4", 'labels = 4, only = ["digits"]', set()),
    ],
)
def test_a_key_changes_with_what_the_run_depends_on(small, old, new, changed):
    before = keys_of(small)
    small.write_text(TOML.replace(old, new))
    after = keys_of(small)
    assert {name for name in after if after[name] != before[name]} == changed & set(before)


def test_raised_versions_change_the_keys_of_what_they_are_of(small, monkeypatch):
    before = keys_of(small)

    def changed() -> set[str]:
        return {name for name, key in keys_of(small).items() if key != before[name]}

    with monkeypatch.context() as patch:
        patch.setattr(Supervised, "version", 2, raising=False)
        assert changed() == {"supervised", "auto"}  # auto tries it
    with monkeypatch.context() as patch:
        patch.setitem(learners.VERSIONS, "labels only", 2)
        assert changed() == {"labels only"}
    for place, name in ((Method, "version"), (keys, "ENGINE")):
        with monkeypatch.context() as patch:
            patch.setattr(place, name, 2)
            assert {"supervised", "mean_teacher", "auto"} <= changed()
    monkeypatch.setattr(KINDS["rows"], "version", 2)
    assert changed() == set(before)


def test_a_class_made_of_another_has_a_new_version_with_it(monkeypatch):
    before = version_of(CurriculumLabelling())
    monkeypatch.setattr(CurriculumLabelling.__mro__[1], "version", 5, raising=False)
    assert version_of(CurriculumLabelling()) > before


def test_an_option_that_is_off_is_not_in_the_key():
    @dataclass(frozen=True)
    class More(Drift):
        __module__ = Drift.__module__  # as a later version of it
        name: ClassVar[str] = "drift"
        extra: float = 0.0

    assert described(More()) == described(Drift())
    assert described(More(extra=0.5)) != described(Drift())
    assert plain(Drift(decay=0.0)) != plain(Drift())  # 0 is said, None is left open


def test_what_auto_knows_is_of_other_data_sets_and_of_all_candidates():
    everything, without = known("none", "texts"), known("ag_news", "texts")
    assert 0 < len(without) < len(everything)
    assert all(set(gains) == set(CANDIDATES) for _, _, gains in everything)


def test_values_that_are_no_json_are_refused():
    with pytest.raises(TypeError):
        fingerprint({"a": object()})


@pytest.mark.parametrize("path", sorted((BENCHMARKS / "results" / "protocols").glob("*.jsonl")), ids=lambda p: p.stem)
def test_every_recorded_line_is_of_the_protocol_and_the_code_as_they_are(path):
    protocol = read_protocol(BENCHMARKS / "protocols" / path.name.replace(".jsonl", ".toml"))
    rows = read_rows(path)
    assert len(current(protocol, rows)) == len(rows)
    assert {cell_key(protocol, d, s) for d, s in protocol.cells()} >= {r["cell"] for r in rows if "cell" in r}
    assert len(missing(protocol, rows)) < len(rows)


@pytest.mark.parametrize("path", sorted((BENCHMARKS / "protocols").glob("*.toml")), ids=lambda p: p.stem)
def test_every_protocol_is_read_and_each_of_its_runs_has_a_key_of_its_own(path):
    protocol = read_protocol(path)
    assert protocol.name == path.stem
    found = [key_of(protocol, d, s, name) for d, s in protocol.cells() for name in protocol.learners]
    assert len(set(found)) == len(found)
