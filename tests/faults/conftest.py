"""A parent of trials, and the results of the library without any harm, made once for all tests of this folder."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

HERE = Path(__file__).parent
sys.path.append(str(HERE))

collect_ignore = ["injected/narrow.py"]
"""What changes the library when it is imported, as only trials may."""

from injected import material  # noqa: E402
from injected.layer import missing  # noqa: E402
from injected.scenarios import Place  # noqa: E402
from injected.verdicts import Undisturbed  # noqa: E402
from injected.warm import Warm  # noqa: E402


@pytest.fixture(scope="session")
def undisturbed(tmp_path_factory):
    """Results without harm, and the parent of trials that makes them."""
    if why := missing():
        pytest.skip(why)
    place = Place.at(tmp_path_factory.mktemp("faults"))
    material.make(place.given)
    with Warm(place.work.parent / "scratch", HERE.parents[1] / "src") as warm:
        yield Undisturbed(warm, place)
