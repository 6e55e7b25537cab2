"""Records what is shown by tests rather than by tables: gradients, resuming, reading length, the demo's time.

    python benchmarks/checks.py gradients    distances from the golden case and from finite differences
    python benchmarks/checks.py tests        outcomes of the tests behind the other claims
    python benchmarks/checks.py kills        those of killed and resumed runs (minutes)
    python benchmarks/checks.py demo         seconds of `tutelage demo` with an empty cache

each writes benchmarks/results/checks_NAME.json.
"""

from __future__ import annotations

import importlib.util
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from xml.etree import ElementTree

ROOT = Path(__file__).parents[1]
RESULTS = ROOT / "benchmarks" / "results"
CLAIMS = {
    "stopped by Ctrl-C, resumed, equal bit for bit": ["tests/test_resume.py", "-m", "not slow"],
    "any step cut off, resumed, equal bit for bit": ["tests/methods", "-k", "resumes or earlier_checkpoint"],
    "decay 1 and interaction 0 equal Mean Teacher bit for bit": ["tests/methods", "-k", "bit_for_bit"],
    "a detached teacher is found out": ["tests/game", "-k", "detached"],
    "one batch of DRIFT is followed in at most 450 lines": ["tests/test_architecture.py", "-k", "450"],
    "imports run one way": ["tests/test_architecture.py", "-k", "one_way"],
    "scikit-learn's estimator checks": ["tests/test_estimators.py", "-k", "checks"],
    "bad input": ["tests/test_cli_errors.py", "tests/data", "tests/test_image_inputs.py", "tests/test_mask_inputs.py"],
    "golden weights, no gradient, gamma 0 is CBST bit for bit, the old partner": ["tests/methods/test_dmt.py"],
    "images and masks: stopped, resumed, equal bit for bit": ["tests/test_image_runs.py", "-k", "resumed"],
}
KILLS = {"killed by SIGKILL at a random moment, resumed, equal bit for bit": ["tests/test_resume.py", "-m", "slow"]}


def gradients() -> dict[str, float]:
    """Largest distances, in double precision."""
    import torch

    spec = importlib.util.spec_from_file_location("gradient_tests", ROOT / "tests/game/test_drift_gradient.py")
    assert spec is not None and spec.loader is not None
    tests = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(tests)
    torch.set_default_dtype(torch.float64)
    found = {}
    for divergence, (value, total) in tests.GOLDEN.items():
        move = tests.golden_move(divergence=divergence)
        far = (move.grads["student"]["weight"] - torch.tensor(total)).abs().max()
        found[f"golden case, {divergence}: loss"] = abs(move.terms.total.item() - value)
        found[f"golden case, {divergence}: total gradient"] = float(far)
    for network in tests.NETWORKS:
        for name, response in tests.RESPONSES.items():
            far = tests.worst_distance_from_finite_differences(network, response)
            found[f"finite differences, {network}, {name}"] = far
    return found


def outcomes(claims: dict[str, list[str]]) -> dict[str, dict[str, int]]:
    """Counts of outcomes by claim."""
    found = {}
    for claim, words in claims.items():
        with tempfile.TemporaryDirectory() as folder:
            report = Path(folder) / "junit.xml"
            command = [sys.executable, "-m", "pytest", "-q", *words, f"--junitxml={report}"]
            subprocess.run(command, cwd=ROOT, check=False, env=os.environ | {"OMP_NUM_THREADS": "1"})
            suite = ElementTree.parse(report).getroot()[0]
        counts = {k: int(suite.attrib[k]) for k in ("tests", "failures", "errors", "skipped")}
        found[claim] = counts
        print(claim, counts, flush=True)
    return found


def demo() -> dict[str, object]:
    """The whole demo, data and features fetched and computed anew."""
    with tempfile.TemporaryDirectory() as folder:
        start = time.perf_counter()
        subprocess.run(
            [sys.executable, "-m", "tutelage", "demo"],
            cwd=folder, check=True, env=os.environ | {"TUTELAGE_CACHE": f"{folder}/cache"},
        )  # fmt: skip
        seconds = time.perf_counter() - start
        rows = json.loads((Path(folder) / "tutelage-demo" / "demo.json").read_text())
    return {"seconds": round(seconds, 1), **rows}


if __name__ == "__main__":
    chosen = {
        "gradients": gradients, "tests": lambda: outcomes(CLAIMS), "kills": lambda: outcomes(KILLS), "demo": demo,
    }  # fmt: skip
    for name in sys.argv[1:] or chosen:
        result = chosen[name]()
        (RESULTS / f"checks_{name}.json").write_text(json.dumps(result, indent=1) + "\n")
        print(json.dumps(result, indent=1)[:2000])
