"""Layouts and files of which no package of their own is installed, written by hand as their makers document them."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from written_by import Form
from written_by.data import PICTURES, SENTENCES, TEXTS, mask, picture, tagged
from written_by.torch_vision import save

TOOL = "others, as documented"


def version() -> str:
    return ""


def make(folder: Path) -> Iterator[Form]:
    import numpy as np

    for i, (_, given) in enumerate(PICTURES):
        save(folder / "kaggle" / "images", f"car_{i}.png", picture(i))
        save(folder / "flat", f"car_{i}.png", picture(i))
        save(folder / "train_parts" / "train", f"car_{i}.png", picture(i))
        if given:
            binary = mask(i)
            save(folder / "kaggle" / "masks", f"car_{i}_mask.png", binary)
            save(folder / "flat", f"car_{i}_mask.png", binary)
            save(folder / "train_parts" / "train_masks", f"car_{i}_mask.png", binary)
            rgb = np.array([[0, 0, 0], [255, 0, 0], [0, 0, 255]], dtype=np.uint8)[mask(i)]
            save(folder / "colours" / "masks", f"{i}.png", rgb)
        save(folder / "colours" / "images", f"{i}.png", picture(i))
    yield Form("Kaggle: images, masks/x_mask.png", "masks", "kaggle", {})
    yield Form("Kaggle: x.png beside x_mask.png", "masks", "flat", {})
    yield Form("Kaggle: train, train_masks/x_mask.png", "masks", "train_parts", {})
    yield Form("colour masks", "masks", "colours", {"mask_colours": ["#000000", "#ff0000", "#0000ff"]})
    tags = []
    for text, spans, _ in SENTENCES[:5]:
        tags += [*tagged(text, spans), ("", "")]
    five = [0, 1, 2, 3, 4]
    (folder / "two.conll").write_text("".join(f"{word} {tag}".strip() + "\n" for word, tag in tags))
    yield Form("CoNLL, two columns", "sentences", "two.conll", {"tokens": "0", "tags": "1"}, items=five)
    (folder / "four.conll").write_text(
        "-DOCSTART- -X- -X- O\n\n" + "".join(f"{w} NNP I-NP {t}\n" if w else "\n" for w, t in tags)
    )
    yield Form("CoNLL-2003, four columns", "sentences", "four.conll", {"tokens": "0", "tags": "3"}, items=five)
    via = {
        "_via_settings": {},
        "_via_img_metadata": {"0.png1": {"filename": "0.png", "size": 1, "regions": [], "file_attributes": {}}},
    }
    refused: list[tuple[str, str, str, Any, str]] = [
        ("VIA's project", "masks", "via.json", via, "VIA"),
        ("VIA's regions", "masks", "regions.json", via["_via_img_metadata"], "VIA"),
        ("COCO's instances", "masks", "coco.json", {"images": [], "annotations": [], "categories": []}, "COCO"),
        ("brat", "sentences", "brat.ann", "T1\tPER 0 12\tAda Lovelace\n", "brat"),
        ("CVAT's XML", "masks", "cvat.xml", "<annotations><version>1.1</version></annotations>", "CVAT"),
        ("fastText", "texts", "train.txt", "".join(f"__label__{y} {t}\n" for t, y, _ in TEXTS[5:8]), "fastText"),
    ]  # fmt: skip
    for form, kind, name, content, word in refused:
        (folder / name).write_text(content if isinstance(content, str) else json.dumps(content))
        options = {"masks": {"images": "a", "masks": "b"}, "texts": {"text": "text", "label": "label"}}
        yield Form(form, kind, name, options.get(kind, {"tokens": "text", "tags": "tags"}), refused=word)
