"""The card of an exported model loads on the Hub's own library, and says what the run found and no more."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from huggingface_hub import ModelCard

from tutelage.data.cards import Use
from tutelage.files import read_json
from tutelage.files.described import Summary
from tutelage.kinds import KINDS
from tutelage.report.hub_card import hub_card

OLD = Path(__file__).parents[1] / "recorded" / "v0.1" / "runs" / "texts"
USE = Use("transformers", 1e-7, 32, "print()", ["A note."], 128, ("custom_code",))
EVIL = [
    "a|b",
    "`tick`",
    "x\n---\nlicense: mit",
    "<script>alert(1)</script>",
    "**bold** [link](http://x)",
    "\x1b[31mred",
]


def card_of(path: Path) -> ModelCard:
    return ModelCard.load(path / "README.md")


def test_the_card_of_a_run_loads_and_says_what_the_run_found(run, bench, tmp_path):
    assert run(*bench.fit(steps=5, max_length=16))[0] == 0
    code, said = run("export", bench.out, "--hf", tmp_path / "hf")
    assert code == 0, said
    summary, card = json.loads((bench.out / "summary.json").read_text()), card_of(tmp_path / "hf")
    data, text = card.data.to_dict(), card.text
    assert (data["library_name"], data["pipeline_tag"]) == ("transformers", "text-classification")
    assert data["license"] == "unknown" and "base_model" not in data and "language" not in data  # a folder's encoder
    assert {"tutelage", "texts", "custom_code"} <= set(data["tags"])
    (found, *others) = card.data.eval_results
    assert found.metric_value == pytest.approx(summary["test"]["accuracy"], abs=1e-4)
    assert found.metric_type == "accuracy" and f"{summary['test']['interval'][0]:.3f}" in found.metric_name
    assert [other.metric_type for other in others] == ["f1"]
    for heading in ("How to use it", "What it was trained on", "Shares of the classes", "Method", "Evidence", "Limits"):
        assert f"\n## {heading}\n" in text
    low, high = summary["candidate"]["interval"]
    assert f"{100 * summary['candidate']['accuracy']:.1f} % ({100 * low:.1f} to {100 * high:.1f})" in text
    assert summary["evidence"]["words"].split(":")[0] in text
    assert "16 labelled texts, and a pool of 60" in text and "text in `text`, label in `label`" in text
    assert "the first 16 tokens are read" in text and "`tutelage predict --abstain`" in text
    assert "| food | 8 | 50.0 % |" in text
    whole = str(card)
    assert str(tmp_path) not in whole and str(bench.encoder.parent) not in whole and f"`{bench.encoder.name}`" in whole
    assert str(Path.home()) not in whole and "FOLDER" not in whole
    for file in (tmp_path / "hf").glob("*.json"):  # nor do the other files name a place of this machine
        assert str(bench.encoder.parent) not in file.read_text(encoding="utf-8"), file
    rows = (tmp_path / "train.csv").read_text().splitlines()[1:]
    assert len(rows) == 16 and not [row for row in rows if row.rpartition(",")[0] in whole]


def test_the_lines_of_the_card_run_where_the_folder_lies(run, bench, tmp_path):
    assert run(*bench.fit(steps=5, max_length=16), "--no-evidence")[0] == 0
    assert run("export", bench.out, "--hf", tmp_path / "for_transformers")[0] == 0
    card = card_of(tmp_path / "for_transformers")
    assert "was not compared with a model of the labels alone" in card.text and "No evidence was gathered" in card.text
    code = card.text.split("```python\n")[1].split("```")[0]
    alone = "import sys; sys.modules['tutelage'] = None\n"
    done = subprocess.run(
        [sys.executable, "-c", alone + code], cwd=tmp_path, capture_output=True, text=True, check=True,
        env=os.environ | {"HF_HUB_OFFLINE": "1", "HF_MODULES_CACHE": str(tmp_path / "modules")},
    )  # fmt: skip
    assert done.stdout.count("label") == 4 and done.stdout.count("score") == 4  # two texts, two classes


def described(**changes) -> dict:
    return dict(read_json(OLD / "summary.json", Summary)) | changes


def test_a_run_of_an_earlier_version_has_a_card_too():
    card = ModelCard(hub_card(KINDS["texts"], described(), USE))
    found = card.data.to_dict()["model-index"][0]["results"][0]["metrics"][0]["value"]
    assert found == pytest.approx(0.4667)
    assert "| with the pool (this model) | 68.8 % (48.2 to 83.9) |" in card.text


def test_a_run_without_a_test_claims_no_score():
    card = ModelCard(hub_card(KINDS["texts"], {k: v for k, v in described().items() if k != "test"}, USE))
    assert card.data.eval_results is None and "model-index" not in card.data.to_dict()


def test_labels_cannot_write_into_the_page():
    facts = {"columns": {"text": "a`b|c", "label": "x\ny"}, "classes": dict.fromkeys(EVIL, 2)}
    found = described(classes=EVIL, read={"files": [], "facts": facts}, method="mine`|", encoder="enc`|oder")
    found["evidence"] |= {"words": "always saying '<img src=x>\n## Licence'"}
    page = hub_card(KINDS["texts"], found, USE)
    data = ModelCard(page).data.to_dict()
    assert data["license"] == "unknown" and data["pipeline_tag"] == "text-classification"
    assert not [line for line in page.splitlines() if line == "## Licence"] and page.splitlines().count("---") == 2
    assert "<script>" not in page.replace("\\<script", "") and "<img" not in page.replace("\\<img", "")
    assert "\x1b" not in page
    (header, _, *rows) = [line for line in page.splitlines() if line.startswith("|")][: 2 + len(EVIL)]
    columns = header.count("|")
    assert [row.replace("\\|", "").count("|") for row in rows] == [columns] * len(EVIL)


def test_known_weights_name_their_model_language_and_licence():
    data = ModelCard(hub_card(KINDS["texts"], described(encoder="minilm"), USE)).data.to_dict()
    assert data["base_model"] == "sentence-transformers/all-MiniLM-L6-v2"
    assert (data["license"], data["language"]) == ("apache-2.0", "en")
    hub = ModelCard(hub_card(KINDS["texts"], described(encoder="owner/name"), USE)).data.to_dict()
    assert (hub["base_model"], hub["license"]) == ("owner/name", "unknown")


def test_a_graph_of_rows_of_numbers_names_no_encoder():
    use = Use("onnx", 1e-7, 5, "print()", ["A note."], None, ("onnx",))
    card = ModelCard(hub_card(KINDS["rows"], described(kind="rows", things="rows", encoder="numbers"), use))
    data = card.data.to_dict()
    assert (data["pipeline_tag"], data["license"]) == ("tabular-classification", "apache-2.0")
    assert "base_model" not in data and "tokens are read" not in card.text and "weights of the encoder" not in card.text
