"""Malformed requests: each is answered, and none by a fault; benchmarks/speed/serve.py asks ten thousand of them."""

from __future__ import annotations

import importlib.util
import sys
from collections import Counter
from pathlib import Path

import pytest

pytest.importorskip("starlette", reason="the extra serve is not installed")

BENCHMARK = Path(__file__).parents[2] / "benchmarks" / "speed" / "serve.py"
BODIES = {"texts": 100, "rows": 300, "sentences": 200}
COLUMNS = {"texts": ["text"], "rows": ["a", "b"], "sentences": ["tokens"]}
ANSWERS = {200, 400, 406, 413, 415, 422}


@pytest.fixture(scope="module")
def malformed():
    spec = importlib.util.spec_from_file_location("speed_serve", BENCHMARK)
    module = importlib.util.module_from_spec(spec)
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(sys.modules, "speed_serve", module)
        spec.loader.exec_module(module)
    return module.malformed


@pytest.mark.filterwarnings("ignore")  # of pandas, on cells that nobody would write; the command shows none of them
@pytest.mark.parametrize("kind", BODIES)
def test_no_malformed_body_is_a_fault(serve, malformed, kind):
    served, statuses = serve(kind), Counter()
    for seed in range(BODIES[kind]):
        body, headers, query = malformed(seed, COLUMNS[kind])
        answer = served.client.post(f"/predict{query}", content=body, headers=headers)
        assert answer.status_code in ANSWERS, (seed, body, headers, query, served.said)
        assert answer.status_code == 200 or all(answer.json()["errors"])
        statuses[answer.status_code] += 1
    assert statuses[400] > 10 and statuses[422] > 10 and len(statuses) > 3  # the bodies are of all sorts
    assert served.said == []


def test_a_request_is_a_function_of_its_number(malformed):
    assert malformed(7, ["a"]) == malformed(7, ["a"]) != malformed(8, ["a"])
