"""The files that runs of the command line are recorded on, and the words of each command, without the library.

All words name files as they are seen from the folder that `write` wrote into: commands are to be run there.
"""

from __future__ import annotations

import json
import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from recorded import worlds

VOID = 9


@dataclass(frozen=True)
class Run:
    """A run: the words after ``tutelage`` of its first command, and of those that use what it left in ``out``.

    Attributes:
        predicted: what predict writes: a table, or a folder of masks; empty where it is not called.
        backbone: the packaged weights of the extra "images" are needed.
    """

    fit: Sequence[str]
    predict: Sequence[str] = ()
    score: Sequence[str] = ()
    predicted: str = ""
    backbone: bool = False


def write(folder: Path) -> None:
    """Write all files into the folder, in which the encoder is written too."""
    worlds.write_encoder(folder / "encoder")
    _texts(folder)
    _sentences(folder)
    _images(folder)
    _scenes(folder)


def _texts(folder: Path) -> None:
    train, pool, test = worlds.texts(16, 1), worlds.texts(60, 2), worlds.texts(30, 3)
    for name, table in (("train", train), ("pool", pool), ("test", test)):
        table.to_csv(folder / f"{name}.csv", index=False)
    worlds.texts(12, 4)[["text"]].assign(number=range(12)).to_csv(folder / "new.csv", index=False)
    both = pd.concat([pool.assign(label=""), train.iloc[:10]], ignore_index=True)
    truth = np.array([*(pool.label == "sport"), *(train.label[:10] == "sport")], dtype=int)
    votes = np.array(["food", "sport", "-1"])[worlds.votes_on(truth, 2)]
    both.assign(**{f"lf_{j}": v for j, v in enumerate(votes.T)}).to_csv(folder / "votes.csv", index=False)
    both.to_csv(folder / "some.csv", index=False)
    rules = [{"label": k, "keywords": list(words[:5]), "name": f"some {k}"} for k, words in worlds.SUBJECTS.items()]
    rules += [{"label": "food", "regex": "soup|goal"}, {"label": "sport", "regex": "never there"}]
    (folder / "rules.json").write_text(json.dumps(rules), encoding="utf-8")
    _plain_texts(80).to_csv(folder / "wrong.csv", index=False)
    d = worlds.digits()
    rng = np.random.default_rng(5)
    given = np.where(rng.random(len(d.truth)) < 0.2, rng.integers(0, 10, len(d.truth)), d.truth)
    pixels = pd.DataFrame(d.pool.astype(int), columns=[f"pixel{i}" for i in range(64)])
    pixels.assign(label=given, right=d.truth).to_csv(folder / "digits.csv", index=False)


def _plain_texts(count: int) -> pd.DataFrame:
    """Four words of a subject each, every seventh with the label of the other one; "right" is its own."""
    rng, names = random.Random(6), list(worlds.SUBJECTS)
    rows = [
        {
            "text": " ".join(rng.sample(worlds.SUBJECTS[names[i % 2]], 4)),
            "label": names[(i + (i % 7 == 0)) % 2],
            "right": names[i % 2],
        }
        for i in range(count)
    ]
    return pd.DataFrame(rows)


def _sentences(folder: Path) -> None:
    train, test = worlds.tagged(52, 1), worlds.tagged(20, 2)
    known = [tags if i < 12 else None for i, tags in enumerate(train.tags)]
    weak = worlds.distant(train.tags.tolist())
    train.assign(tags=known, distant=weak).to_parquet(folder / "train.parquet")
    test.to_parquet(folder / "test.parquet")
    _conll(train.iloc[:12], folder / "train.conll")
    _conll(test, folder / "test.conll")
    with open(folder / "more.jsonl", "w", encoding="utf-8") as file:
        file.writelines(json.dumps({"tokens": words}) + "\n" for words in train.tokens[12:])
    with open(folder / "new.jsonl", "w", encoding="utf-8") as file:
        rows = enumerate(worlds.tagged(8, 3).tokens)
        file.writelines(json.dumps({"number": i, "tokens": words}) + "\n" for i, words in rows)


def _conll(table: pd.DataFrame, path: Path) -> None:
    with open(path, "w", encoding="utf-8") as file:
        for words, tags in zip(table.tokens, table.tags, strict=True):
            file.writelines(f"{word} {tag}\n" for word, tag in zip(words, tags, strict=True))
            file.write("\n")


def _put(folder: Path, files: Mapping[str, bytes]) -> None:
    for name, data in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(data)


def _images(folder: Path) -> None:
    for name, part in (("train", worlds.squares(30, 0)), ("test", worlds.squares(20, 1))):
        encoded = [worlds.png(pixels) for pixels in part.pixels]
        labels = [("red", "blue")[y] if name == "test" or i < 12 else None for i, y in enumerate(part.y)]
        _put(folder / "pets" / name, {f"{k or 'unlabelled'}/{i:02d}.png": encoded[i] for i, k in enumerate(labels)})
        cells = [*encoded, encoded[0][:100]]  # the last one is cut off
        table = pd.DataFrame({"picture": cells, "kind": [*labels, "red"]})
        table.to_parquet(folder / f"pets_{name}.parquet")
    new = [worlds.png(pixels) for pixels in worlds.squares(6, 5, 20, 24).pixels]
    _put(folder / "pets_new", {f"{i}.png": data for i, data in enumerate(new)})
    pd.DataFrame({"picture": new, "number": range(6)}).to_parquet(folder / "pets_new.parquet")


def _scenes(folder: Path) -> None:
    for name, part, known in (
        ("train", worlds.squares(24, 0, coloured=True), 8), ("test", worlds.squares(10, 1, coloured=True), 10),
    ):  # fmt: skip
        part.masks[:, :2] = VOID
        encoded, masks = ([worlds.png(a) for a in pixels] for pixels in (part.pixels, part.masks))
        table = pd.DataFrame({"image": encoded, "mask": [m if i < known else None for i, m in enumerate(masks)]})
        table.to_parquet(folder / f"scenes_{name}.parquet")
        _put(folder / "scenes" / name, {f"images/{i:02d}.png": data for i, data in enumerate(encoded)})
        _put(folder / "scenes" / name, {f"masks/{i:02d}.png": data for i, data in enumerate(masks[:known])})
    new = worlds.squares(4, 6, 20, 26).pixels
    _put(folder / "scenes_new", {f"{i}.png": worlds.png(pixels) for i, pixels in enumerate(new)})


SHORT = "--out out --folds 2 --repeats 1 --device cpu"
TESTED = f"--test test.csv --text text --label label --encoder encoder {SHORT}"
TEXTS = f"--train train.csv --unlabelled pool.csv {TESTED}"
SENTENCES = f"--task tagging --tokens tokens --tags tags --encoder encoder {SHORT}"
TAGGED = f"--train train.parquet --test test.parquet {SENTENCES}"
FOLDERS = f"--task image --train pets/train --test pets/test {SHORT}"
TABLES = f"--task image --train pets_train.parquet --test pets_test.parquet --images picture --label kind {SHORT}"
MASKS = f"--task segmentation --void {VOID} {SHORT}"
SCENES = f"--train scenes_train.parquet --test scenes_test.parquet --images image --masks mask {MASKS}"


def _run(fit: str, new: str = "", predicted: str = "", test: str = "", *, backbone: bool = False) -> Run:
    predict, score = f"out --input {new} --output {predicted}", f"out --test {test} --json"
    return Run(fit.split(), predict.split() if new else (), score.split() if test else (), predicted, backbone)


def _of_texts(fit: str) -> Run:
    return _run(fit, "new.csv", "predicted.csv", "test.csv")


def _of_tables(fit: str, *, backbone: bool = False) -> Run:
    test = "pets_test.parquet --skip-bad"
    return _run(f"{fit} --skip-bad", "pets_new.parquet", "predicted.parquet", test, backbone=backbone)


RUNS: dict[str, Run] = {
    "texts": _of_texts(f"fit drift {TEXTS} --steps 24"),
    "texts_options": _of_texts(
        f"fit uda {TEXTS} --steps 24 --lr 0.01 --threshold 0.52 --seed 2 --max-length 8 --no-evidence"
    ),
    "texts_whole": _of_texts(f"fit mean_teacher {TEXTS} --finetune --steps 6 --lr 0.001"),
    "texts_auto": _of_texts(f"fit auto {TEXTS} --steps 24 --budget 40"),
    "texts_votes": _of_texts(f"fit drift {TESTED} --train votes.csv --votes lf_ --steps 24"),
    "texts_rules": _of_texts(
        f"fit gce {TESTED} --train some.csv --rules rules.json --label-model weighted --steps 24"
    ),
    "sentences": _run(
        f"fit drift --train train.conll --unlabelled more.jsonl --test test.conll {SENTENCES} --steps 60",
        "new.jsonl", "predicted.jsonl", "test.conll",
    ),
    "sentences_distant": _run(
        f"fit bond {TAGGED} --distant distant --steps 60", "new.jsonl", "predicted.jsonl", "test.parquet"
    ),
    "sentences_whole": _run(
        f"fit mean_teacher {TAGGED} --finetune --steps 6 --lr 0.001", "new.jsonl", "predicted.csv", "test.parquet"
    ),
    "images_folder": _run(
        f"fit dmt {FOLDERS} --network small_cnn --steps 12 --lr 0.003 --rounds 2",
        "pets_new", "predicted.csv", "pets/test",
    ),
    "images_table": _of_tables(
        f"fit mean_teacher {TABLES} --network small_cnn --steps 8 --lr 0.003 --no-flip --size 12 12"
    ),
    "images_backbone": _of_tables(f"fit fixmatch {TABLES} --size 32 32 --steps 24 --threshold 0.6", backbone=True),
    "scenes_table": _run(
        f"fit dmt {SCENES} --steps 12 --lr 0.003 --rounds 2", "scenes_new", "predicted", "scenes_test.parquet"
    ),
    "scenes_folder": _run(
        f"fit fixmatch --train scenes/train --test scenes/test {MASKS} --steps 16 --lr 0.01 --classes 4 "
        "--threshold 0 --weight 3",
        "scenes_new", "predicted", "scenes/test",
    ),
    "audit_texts": _run(
        "audit --train wrong.csv --text text --label label --truth right --encoder encoder --least 0 "
        "--out out --device cpu"
    ),
    "audit_digits": _run("audit --train digits.csv --features pixel --label label --truth right --out out"),
}  # fmt: skip
