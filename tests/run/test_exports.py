"""From an export of another tool to a model, and predictions back in the tool's form."""

from __future__ import annotations

import json

FAST = ("--no-evidence", "--steps", 10)


def task(number, text, label=None):
    result = {"from_name": "topic", "to_name": "text", "type": "choices", "value": {"choices": [label]}}
    return {"id": number, "data": {"text": text}, "annotations": [] if label is None else [{"result": [result]}]}


def test_tasks_of_label_studio_are_learnt_and_get_predictions(run, texts, encoder_folder, own_cache, tmp_path):
    labelled = [task(i, row.text, row.label) for i, row in enumerate(texts.train.itertuples())]
    tasks = [*labelled, *(task(100 + i, text) for i, text in enumerate(texts.pool.text[:20]))]
    file = tmp_path / "project.jsonl"
    file.write_text("\n".join(map(json.dumps, tasks)))
    words = ("--text", "text", "--label", "topic", "--encoder", encoder_folder, *FAST, "--out", tmp_path / "out")
    code, shown = run("fit", "mean_teacher", "--train", file, *words)
    said = " ".join(shown.split())
    assert code == 0, shown
    assert "Label Studio export: 36 tasks; labels: topic (choices); 20 tasks have no annotation." in said
    assert said.count("Label Studio export") == 1
    summary = json.loads((tmp_path / "out" / "summary.json").read_text())
    assert (summary["classes"], summary["unlabelled"]) == (["food", "sport"], 20)
    output = tmp_path / "predictions.json"
    code, shown = run("predict", tmp_path / "out", "--input", file, "--output", output)
    assert (code, "in the form of Label Studio" in " ".join(shown.split())) == (0, True), shown
    found = json.loads(output.read_text())
    assert [one["data"] for one in found] == [one["data"] for one in tasks]
    results = [one["predictions"][0]["result"][0] for one in found]
    assert {(one["from_name"], one["to_name"], one["type"]) for one in results} == {("topic", "text", "choices")}
    assert {one["value"]["choices"][0] for one in results} <= {"food", "sport"}
    code, shown = run("predict", tmp_path / "out", "--input", file, "--output", tmp_path / "table.csv")
    assert (code, "in the form of" in shown) == (0, False), shown
