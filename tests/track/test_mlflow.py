"""MLflow's own client, stores and command read what a fit leaves; a server that is silent is said soon."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import time

import pandas as pd
import pytest

from benches import stopped_after

pytest.importorskip("mlflow", reason="the extra mlflow is not installed")
pytestmark = pytest.mark.slow  # its import alone takes seconds


@pytest.fixture(autouse=True)
def untold(monkeypatch):
    for name in ("MLFLOW_TRACKING_URI", "MLFLOW_EXPERIMENT_NAME"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("MLFLOW_DISABLE_TELEMETRY", "true")


def client_of(folder):
    from mlflow import MlflowClient

    return MlflowClient(tracking_uri=f"sqlite:///{folder / 'mlflow.db'}")


@pytest.mark.filterwarnings("ignore")  # of MLflow's libraries
def test_a_stopped_fit_is_one_run_with_curves_report_and_a_model_that_the_command_of_mlflow_serves(run, bench):
    words = ("--track", "mlflow")
    with stopped_after(5):
        assert run(*bench.fit("drift", checkpoint_seconds=0, no_adapt=True), *words)[0] == 130
    store, found = bench.folder / "mlflow", json.loads((bench.out / "tracked.json").read_text())["id"]
    assert client_of(store).get_run(found).info.status == "KILLED"
    code, shown = run(*bench.fit("drift", checkpoint_seconds=0, no_adapt=True, resume=True), *words)
    assert code == 0 and "INFO" not in shown, shown
    client = client_of(store)
    held = client.get_run(found)
    summary = json.loads((bench.out / "summary.json").read_text())
    history = json.loads((bench.out / "records.json").read_text())["history"]
    assert held.info.status == "FINISHED" and len(client.search_runs([held.info.experiment_id])) == 1
    kept = client.get_metric_history(found, "candidate/loss.pool")
    assert [(m.step, m.value) for m in kept] == [(int(h["step"]), h["loss.pool"]) for h in history]
    assert held.data.metrics["final/test.low"] == summary["test"]["interval"][0]
    assert held.data.params["method"] == "drift" and str(bench.folder) not in repr([held.data.params, held.data.tags])
    assert {file.path for file in client.list_artifacts(found)} == {"report.html", "model"}
    frame = pd.read_csv(bench.folder / "test.csv")[["text"]]
    frame.to_csv(bench.folder / "given.csv", index=False)
    environment = os.environ | {"MLFLOW_TRACKING_URI": f"sqlite:///{store / 'mlflow.db'}"}
    command = [sys.executable, "-m", "mlflow", "models", "predict", "--env-manager", "local", "-t", "csv"]
    places = ["-m", f"runs:/{found}/model", "-i", bench.folder / "given.csv", "-o", bench.folder / "answer.json"]
    subprocess.run([*command, *map(str, places)], check=True, env=environment, capture_output=True, timeout=250)
    answer = pd.DataFrame(json.loads((bench.folder / "answer.json").read_text())["predictions"])
    output = bench.folder / "own.csv"
    assert run("predict", bench.out, "--input", bench.folder / "given.csv", "--output", output)[0] == 0
    own = pd.read_csv(output)
    assert answer["predicted"].tolist() == own["predicted"].tolist()
    assert answer["probability"].tolist() == pytest.approx(own["probability"].tolist(), abs=1e-6)


def refused(run, bench, to) -> str:
    code, shown = run(*bench.fit("drift"), "--track", "mlflow", "--track-to", to)
    said = " ".join(shown.split())
    assert code == 2 and "cannot be used (" in said and "name another place by --track-to" in said, shown
    assert "Labelled texts" not in said and "Traceback" not in said and not bench.out.exists()
    return said


@pytest.mark.filterwarnings("ignore")
def test_a_store_that_cannot_be_written_is_said_before_anything_is_read(run, bench):
    (bench.folder / "file").write_text("")
    refused(run, bench, bench.folder / "file" / "store")
    refused(run, bench, f"sqlite:///{bench.folder}/none/mlflow.db")


@pytest.mark.filterwarnings("ignore")
def test_a_server_that_does_not_answer_is_said_soon_and_without_its_password(run, bench):
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        closed = silent.getsockname()[1]
    began = time.monotonic()
    said = refused(run, bench, f"http://me:secret@127.0.0.1:{closed}")
    assert f"http://127.0.0.1:{closed}" in said and "secret" not in said
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen(8)  # it takes connections and says nothing
        refused(run, bench, f"http://127.0.0.1:{silent.getsockname()[1]}")
    assert time.monotonic() - began < 120
