"""The table of kinds, which is read before any kind is imported, is true of them."""

from __future__ import annotations

import sys
from dataclasses import fields

import pytest

from tutelage.kinds import KINDS, TABLE
from tutelage.tasks import TASKS


@pytest.mark.parametrize("name", TABLE)
def test_the_table_and_the_class_agree(name):
    row, kind = TABLE[name], KINDS[name]
    assert (kind.name, kind.__module__) == (name, f"tutelage.kinds.{row.module}")
    assert row.task_word == kind.task_word
    assert row.column in {f.name for f in fields(kind)}


@pytest.mark.parametrize("name", TABLE)
def test_units_that_move_are_those_of_the_kind_s_task(name):
    modules = [sys.modules[c.__module__] for c in KINDS[name].__mro__ if c.__module__.startswith("tutelage.kinds.")]
    answered = [task for task in TASKS.values() if any(task in vars(module).values() for module in modules)]
    assert answered, "a kind, or what it extends, imports its task"
    assert TABLE[name].moves == any(task.moves for task in answered)
