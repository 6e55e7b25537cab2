"""Records anew the cases in which clean labels stand beside rules or distant tags, as `test_recorded` reads them.

OMP_NUM_THREADS=1 PYTHONPATH=src:tests python -m recorded.record_beside
"""

from __future__ import annotations

import json
import tempfile
from pathlib import Path
from typing import Any
from unittest import mock

from recorded import record_engine, record_estimators, record_runs, worlds
from recorded.comparing import plain, read, write
from tutelage.fit.calibration import NONE
from tutelage.fit.evidence import Prior

BESIDE_A_TEACHER = {
    "engine": ("weak fit, drift", "weak fit, fixmatch", "weak fit, gce"),
    "estimators": ("rows, votes", "rows, votes, gce", "sentences, distant, drift"),
    "runs": ("sentences_distant", "texts_rules", "texts_votes"),
}
"""Cases in which clean labels stand beside a teacher's, which version 0.1 did not learn."""


def prior(method: str, kind: str) -> Prior:
    """What version 0.1 had recorded of a method."""
    return Prior(**read("priors.json").get(kind, {}).get(method, {}))


def main() -> None:
    """Rewrite these cases in engine.json, estimators.json and runs."""
    patches = (
        mock.patch("tutelage.fit.fit_rows.recorded_prior", prior),
        mock.patch("tutelage.fit.fit.calibrated", lambda parts, y: NONE),
        mock.patch("tutelage.fit.teacher_paths.expected", lambda way, problem, records: Prior()),
    )
    with patches[0], patches[1], patches[2], tempfile.TemporaryDirectory() as folder:
        encoder = worlds.write_encoder(Path(folder) / "encoder")
        change(record_engine.FILE, {name: record_engine.found(name) for name in BESIDE_A_TEACHER["engine"]})
        found = {name: record_estimators.found(name, encoder) for name in BESIDE_A_TEACHER["estimators"]}
        change(record_estimators.FILE, found)
        for name in BESIDE_A_TEACHER["runs"]:
            change(f"runs/{name}.json", {name: record_runs.found(name)})


def change(file: str, cases: dict[str, Any]) -> None:
    """Put cases into a file of records in place of those of the same names."""
    write(file, read(file) | json.loads(json.dumps(plain(cases))))


if __name__ == "__main__":
    main()
