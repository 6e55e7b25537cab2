import json

import numpy as np
import pandas as pd
import pytest
import torch

import tutelage
from tutelage.adapting import run as adapting
from tutelage.modalities.encoder import load_encoder


@pytest.fixture
def bench(tmp_path, texts, encoder_folder):
    texts.train.to_csv(tmp_path / "train.csv", index=False)
    words = ("--text", "text", "--encoder", encoder_folder, "--max-length", 16, "--steps", 6)

    def call(*more, out="encoder", train="train.csv"):
        return ("adapt", "--train", tmp_path / train, "--out", tmp_path / out, *words, *more)

    call.folder = tmp_path
    return call


def weights(folder):
    return load_encoder(str(folder), 16).model.state_dict()


def same(a, b):
    return all(torch.equal(a[n], b[n]) for n in a)


def test_a_folder_of_texts_adapts_as_its_table_does(run, bench, texts):
    for i, (text, label) in enumerate(zip(texts.train.text, texts.train.label, strict=True)):
        file = bench.folder / "notes" / label / f"{i:02}.txt"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8")
    words = [str(word) for word in bench(train="notes")]
    at = words.index("--text")
    code, shown = run(*words[:at], *words[at + 2 :])
    assert code == 0, shown
    assert "contrastive: 16 texts of 2 classes; 6 steps" in shown
    (bench.folder / "notes" / "more.txt").write_text("one more", encoding="utf-8")
    code, shown = run(*words[:at], *words[at + 2 :], "--resume")
    assert code == 2
    assert "different: content of train" in shown


def test_labels_adapt_an_encoder_that_a_fit_takes(run, bench):
    code, shown = run(*bench("--label", "label"))
    assert code == 0, shown
    out = bench.folder / "encoder"
    assert "contrastive: 16 texts of 2 classes; 6 steps, each on all of them." in shown
    assert "This takes about " in shown
    assert f"--encoder {out}" in shown
    assert not (out / "unfinished").exists()
    made = load_encoder(str(out), 16)
    assert made.adapted == "contrastive, 6 steps"
    code, shown = run("fit", "supervised", "--train", bench.folder / "train.csv", "--text", "text", "--label", "label",
                      "--no-evidence", "--steps", 5, "--encoder", out, "--out", bench.folder / "run")  # fmt: skip
    assert code == 0, shown
    summary = json.loads((bench.folder / "run" / "summary.json").read_text())
    assert summary["encoder"].endswith(", adapted")
    kept = load_encoder(str(bench.folder / "run"), 16)
    assert same(kept.model.state_dict(), made.model.state_dict())
    again = bench("--label", "label", out="again")
    code, shown = run(*again, "--encoder", bench.folder / "run")  # an encoder of a run is adapted further
    assert code == 2  # given twice
    assert "--encoder" in shown


@pytest.mark.parametrize("by", ["simcse", "mlm"])
def test_texts_alone_adapt_an_encoder(run, bench, encoder_folder, by):
    code, shown = run(*bench("--by", by))
    assert code == 0, shown
    assert f"{by}: 16 texts; 6 steps" in shown
    assert not same(weights(bench.folder / "encoder"), weights(encoder_folder))


@pytest.mark.parametrize("by", ["contrastive", "mlm"])
def test_sentences_adapt_an_encoder(run, bench, encoder_folder, by):
    rows = [[a, "was", "near", "the", b] for a in ("soup", "goal", "cake") for b in ("team", "salad", "coach")]
    table = pd.DataFrame({"tokens": rows, "tags": [["B-X", "O", "O", "O", "B-Y"]] * len(rows)})
    table.to_json(bench.folder / "s.jsonl", orient="records", lines=True)
    code, shown = run("adapt", "--train", bench.folder / "s.jsonl", "--tokens", "tokens", "--tags", "tags", "--by", by,
                      "--steps", 5, "--encoder", encoder_folder, "--out", bench.folder / "encoder")  # fmt: skip
    assert code == 0, shown
    assert f"{by}: 9 sentences" in shown
    assert not same(weights(bench.folder / "encoder"), weights(encoder_folder))


def test_a_stopped_run_goes_on_to_the_same_encoder(run, bench, monkeypatch):
    assert run(*bench("--label", "label", out="whole"))[0] == 0
    monkeypatch.setattr(adapting, "CHECKPOINT_SECONDS", 0)
    train = adapting.train_by_all

    def stopping(*args, tick, **kwargs):
        def stop(done):
            tick(done)
            if done == 4:
                raise KeyboardInterrupt

        return train(*args, tick=stop, **kwargs)

    monkeypatch.setattr(adapting, "train_by_all", stopping)
    code, shown = run(*bench("--label", "label"))
    assert code == 130
    assert "--resume goes on" in shown
    monkeypatch.setattr(adapting, "train_by_all", train)
    code, shown = run(*bench("--label", "label"))
    assert code == 2
    assert "is not empty; choose another folder, or --resume" in shown
    code, shown = run(*bench("--label", "label", "--seed", 5, "--resume"))
    assert code == 2
    assert "different: seed" in shown
    code, shown = run(*bench("--label", "label", "--resume"))
    assert code == 0, shown
    assert same(weights(bench.folder / "encoder"), weights(bench.folder / "whole"))
    code, shown = run(*bench("--label", "label", "--resume"))
    assert code == 0
    assert "is finished" in shown


def write(bench, texts, labels):
    pd.DataFrame({"text": texts, "label": labels}).to_csv(bench.folder / "bad.csv", index=False)
    return bench("--label", "label", train="bad.csv")


def refused(run, words):
    code, shown = run(*words)
    assert code == 2
    assert "Traceback" not in shown
    return shown.strip().splitlines()[-1]


def test_what_cannot_be_learnt_is_said_in_one_line(run, bench):
    many = [f"text {i}" for i in range(8)]
    assert "contrastive needs labels: give --label, their column; or --by simcse or mlm" in refused(run, bench())
    assert "all 2 are alike" in refused(run, write(bench, ["same"] * 8, ["a", "b"] * 4))
    assert "two" in refused(run, write(bench, many, ["a"] * 8))
    assert "row 3" in refused(run, write(bench, [*many[:2], " ", *many[3:]], ["a", "b"] * 4))
    assert "by must be one of contrastive, simcse, mlm, got 'magic'" in refused(run, bench("--by", "magic"))
    words = ("adapt", "--kind", "rows", "--train", "a.csv", "--out", "o")
    assert "--kind of an encoder to adapt must be one of texts, sentences, got 'rows'" in refused(run, words)
    assert not (bench.folder / "encoder").exists()


def test_a_class_with_one_label_is_said(run, bench):
    code, shown = run(*write(bench, [f"text {i}" for i in range(7)], [*["a", "b"] * 3, "c"]))
    assert code == 0, shown
    assert "Only one label: c. It is kept apart from other classes" in shown


def test_thousands_of_labels_take_bounded_steps_and_it_is_said(run, bench):
    code, shown = run(*write(bench, [f"text {i}" for i in range(5000)], ["a", "b"] * 2500))
    assert code == 0, shown
    assert "contrastive: 5,000 texts of 2 classes; 6 steps, each on 64 of them." in shown


def test_python_adapts_texts_and_sentences(encoder_folder, texts, tmp_path):
    X, y = texts.train["text"].tolist(), texts.train["label"].tolist()
    given = {"encoder": str(encoder_folder), "steps": 3, "max_length": 16}
    made = tutelage.adapt(X, y, out=tmp_path / "e", **given)
    assert same(weights(tmp_path / "e"), made.model.state_dict())
    hidden = tutelage.adapt([*X, "another one"], [*y, -1], **given)  # what has no label is left out
    assert same(hidden.model.state_dict(), made.model.state_dict())
    assert tutelage.adapt(X, by="mlm", **given).adapted == "mlm, 3 steps"
    split = [t.split() for t in X]
    tags = [["B-X" if i == 1 else "O" for i in range(len(s))] for s in split]
    assert tutelage.adapt(split, tags, **given).adapted == "contrastive, 3 steps"
    model = tutelage.Classifier("supervised", encoder=str(tmp_path / "e"), evidence=False, steps=5).fit(X, y)
    model.save(tmp_path / "m")
    assert np.array_equal(tutelage.load(tmp_path / "m").probabilities(X), model.predict_proba(X))


def test_python_says_what_is_wrong(encoder_folder):
    X = ["one text", "another"]
    with pytest.raises(ValueError, match="contrastive needs labels: give y; or by='simcse' or 'mlm'"):
        tutelage.adapt(X)
    with pytest.raises(ValueError, match="X has 2 texts, but y has 3 labels"):
        tutelage.adapt(X, [0, 1, 1])
    with pytest.raises(ValueError, match="steps must be at least 0, got -1"):
        tutelage.adapt(X, [0, 1], steps=-1)
    with pytest.raises(ValueError, match="X must be texts or sentences, whose encoder can be adapted, got rows"):
        tutelage.adapt(np.eye(3), [0, 1, 1])
