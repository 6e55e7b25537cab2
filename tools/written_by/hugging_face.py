"""The library datasets of Hugging Face: data sets with names of their classes, saved and exported."""

from __future__ import annotations

import io
from collections.abc import Iterator
from importlib.metadata import version as version_of
from pathlib import Path
from typing import Any

from written_by import Form
from written_by.data import CLASSES, COLUMNS, PICTURES, ROWS, SENTENCES, TEXTS, mask, picture, tagged

TOOL = "Hugging Face datasets"
TAGS = ["O", "B-PER", "I-PER", "B-LOC", "I-LOC"]
"""Names of the tags, in the order of their numbers."""


def version() -> str:
    return version_of("datasets")


def encoded(pixels: Any) -> bytes:
    from PIL import Image

    file = io.BytesIO()
    Image.fromarray(pixels).save(file, "png")
    return file.getvalue()


def texts(missing: int | None) -> Any:
    """Texts with class numbers; unlabelled ones have -1, as test parts have, or None."""
    from datasets import ClassLabel, Dataset, Features, Value

    names = ["food", "sport"]
    rows = [{"text": t, "label": names.index(label) if given else missing} for t, label, given in TEXTS]
    return Dataset.from_list(rows, features=Features({"text": Value("string"), "label": ClassLabel(names=names)}))


def sentences() -> Any:
    """Sentences of words with numbers of tags; an untagged one has an empty list."""
    from datasets import ClassLabel, Dataset, Features, List, Value

    rows = []
    for text, spans, given in SENTENCES:
        words, tags = zip(*tagged(text, spans), strict=True)
        rows.append({"tokens": list(words), "ner_tags": [TAGS.index(tag) for tag in tags] if given else []})
    features = Features({"tokens": List(Value("string")), "ner_tags": List(ClassLabel(names=TAGS))})
    return Dataset.from_list(rows, features=features)


def images(masks: bool) -> Any:
    from datasets import ClassLabel, Dataset, Features, Image

    rows: list[dict[str, Any]] = []
    for number, (label, given) in enumerate(PICTURES):
        one: dict[str, Any] = {"image": {"bytes": encoded(picture(number)), "path": f"{number}.png"}}
        if masks:
            one["annotation"] = {"bytes": encoded(mask(number)), "path": None} if given else None
        else:
            one["label"] = CLASSES[1:].index(label) if given else None
        rows.append(one)
    kind: Any = {"annotation": Image()} if masks else {"label": ClassLabel(names=list(CLASSES[1:]))}
    return Dataset.from_list(rows, features=Features({"image": Image(), **kind}))


def rows_of_numbers() -> Any:
    from datasets import Dataset

    return Dataset.from_list(
        [dict(zip(COLUMNS, v, strict=True)) | {"label": y if given else None} for v, y, given in ROWS]
    )


def make(folder: Path) -> Iterator[Form]:
    from datasets import DatasetDict, Value

    options = {"text": "text", "label": "label"}
    for name, of in (("None", texts(None)), ("-1", texts(-1))):
        of.save_to_disk(str(folder / f"texts{name}"))
        yield Form(f"save_to_disk, ClassLabel, {name} is no label", "texts", f"texts{name}", options, output=".parquet")
        of.to_parquet(folder / f"texts{name}.parquet")
        yield Form(
            f"to_parquet, ClassLabel, {name} is no label", "texts", f"texts{name}.parquet", options, output=".parquet"
        )
    texts(-1).to_json(folder / "numbers.jsonl")
    yield Form("to_json, numbers of classes", "texts", "numbers.jsonl", options, question="--unlabelled-as=-1")
    named = texts(None).cast_column("label", Value("string"))  # the cast keeps the numbers, as texts
    named = named.map(lambda row: {"label": {"0": "food", "1": "sport"}.get(row["label"], row["label"])})
    for write, ending in ((named.to_json, "jsonl"), (named.to_csv, "csv"), (named.to_parquet, "parquet")):
        write(folder / f"named.{ending}")
        yield Form(f"{write.__name__}, names of classes", "texts", f"named.{ending}", options, output=f".{ending}")
    named.to_json(folder / "table.json", lines=False)
    yield Form("to_json(lines=False)", "texts", "table.json", options, output=".json")
    both = DatasetDict({"train": texts(None), "test": texts(None).select(range(4))})
    both.save_to_disk(str(folder / "dict"))
    yield Form("save_to_disk of a DatasetDict", "texts", "dict", options | {"sheet": "train"})
    yield Form("save_to_disk of a DatasetDict, no split named", "texts", "dict", options)
    texts(None).shuffle(seed=0).save_to_disk(str(folder / "shuffled"))
    yield Form("save_to_disk after shuffle", "texts", "shuffled", options)
    tags = {"tokens": "tokens", "tags": "ner_tags"}
    sentences().save_to_disk(str(folder / "tags"))
    yield Form("save_to_disk, a list of ClassLabel", "sentences", "tags", tags, output=".jsonl")
    sentences().to_parquet(folder / "tags.parquet")
    yield Form("to_parquet, a list of ClassLabel", "sentences", "tags.parquet", tags, output=".parquet")
    (folder / "hub" / "data").mkdir(parents=True)
    sentences().to_parquet(folder / "hub" / "data" / "train-00000-of-00001.parquet")
    yield Form(
        "push_to_hub's folder of parquet files", "sentences", "hub", tags, refused="train-00000-of-00001.parquet"
    )
    numbered = tags | {"classes": ",".join(TAGS)}
    for write, ending in ((sentences().to_json, "jsonl"), (sentences().to_csv, "csv")):
        write(folder / f"tags.{ending}")
        yield Form(f"{write.__name__}, numbers of tags", "sentences", f"tags.{ending}", numbered)
    for masks, name in ((False, "images"), (True, "masks")):
        options = {"images": "image", **({"masks": "annotation"} if masks else {"label": "label"})}
        images(masks).to_parquet(folder / f"{name}.parquet")
        yield Form("to_parquet, Image", name, f"{name}.parquet", options, output="" if masks else ".parquet")
        images(masks).save_to_disk(str(folder / name))
        yield Form("save_to_disk, Image", name, name, options)
    yield image_folder(folder)
    rows_of_numbers().to_parquet(folder / "rows.parquet")
    options = {"features": ",".join(COLUMNS), "label": "label"}
    yield Form("to_parquet", "rows", "rows.parquet", options, output=".parquet")
    rows_of_numbers().save_to_disk(str(folder / "rows"))
    yield Form("save_to_disk", "rows", "rows", options)


def image_folder(folder: Path) -> Form:
    """A folder of images with a table of their classes, as the library's imagefolder has it."""
    where = folder / "imagefolder"
    where.mkdir()
    lines = ["file_name,label"]
    for number, (label, given) in enumerate(PICTURES):
        (where / f"{number}.png").write_bytes(encoded(picture(number)))
        lines.append(f"{number}.png,{label if given else ''}")
    (where / "metadata.csv").write_text("\n".join(lines) + "\n")
    options = {"images": "file_name", "label": "label"}
    return Form("imagefolder's metadata.csv", "images", "imagefolder/metadata.csv", options)


def take(form: Form, file: Path) -> list[Any]:
    """Rows that the library loads, with the predicted column."""
    from datasets import load_dataset

    loader = {".jsonl": "json", ".json": "json", ".csv": "csv", ".parquet": "parquet"}[file.suffix]
    rows = load_dataset(loader, data_files=str(file), split="train", cache_dir=str(file.parent / "cache"))
    if form.kind == "texts":
        return [[row["text"], row["label"]] for row in rows]
    if form.kind == "rows":
        return [[[row[name] for name in COLUMNS], row["label"]] for row in rows]
    if form.kind == "images":
        return [row["label"] for row in rows]
    return [[" ".join(row["tokens"]), spans_in(row["tokens"], row["tags"])] for row in rows]


def spans_in(words: list[str], tags: list[str]) -> list[list[Any]]:
    """Entities, in the words with blanks between them, of tags in BIO."""
    found: list[list[Any]] = []
    at = 0
    for word, tag in zip(words, tags, strict=True):
        if tag.startswith("B-"):
            found.append([at, at + len(word), tag[2:]])
        elif tag.startswith("I-"):
            found[-1][1] = at + len(word)
        at += len(word) + 1
    return found
