"""The pages of a small fit, an audit and a service, of texts and classes that a page may get wrong."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

import pytest

sys.path.append(str(Path(__file__).parents[2] / "tools"))
from components import components
from report_runs import Given, command, served


@dataclass(frozen=True)
class Odd:
    """A class whose name runs from right to left, and texts: of HTML, of two directions, and without blanks."""

    word: str = "الطقس"
    html: str = "<script>document.title = 'mine'</script><img src=x.png><b>soup</b>"
    others: tuple[str, ...] = (
        "the soup and the خبز (3) again", "天気予報によると、明日は雨が降るでしょう。「濃い霧」に注意してください。",
        "https://example.org/" + "a" * 400,
    )  # fmt: skip


@pytest.fixture(scope="session")
def odd() -> Odd:
    return Odd()


@pytest.fixture(scope="session")
def pages(tmp_path_factory, texts, odd, encoder_folder, do) -> dict[str, Given]:
    """Pages by name: "report", "audit", "service" (where starlette is installed) and "components"."""
    from tutelage import Drift

    folder = tmp_path_factory.mktemp("pages")
    tables = {name: getattr(texts, name).replace({"label": {"sport": odd.word}}) for name in ("train", "pool", "test")}
    tables["pool"].loc[:3, "text"] = [odd.html, *odd.others]
    tables["wrong"] = wrong = tables["pool"].copy()
    wrong.loc[1::7, "label"] = wrong.label[1::7].map({"food": odd.word, odd.word: "food"})
    for name, table in tables.items():
        table.to_csv(folder / f"{name}.csv", index=False)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TUTELAGE_CACHE", str(folder / "cache"))
        data = {"train": folder / "train.csv", "unlabelled": folder / "pool.csv", "test": folder / "test.csv"}
        do(Drift(), **data, text="text", label="label", out=folder / "run", encoder=str(encoder_folder), steps=8)
        columns = ("--text", "text", "--label", "label", "--encoder", "lexical", "--least", "0", "--quiet")
        command("audit", "--train", folder / "wrong.csv", *columns, "--out", folder / "audit")
        service = {"service": served(folder / "run")} if find_spec("starlette") else {}
    written = {"report": folder / "run" / "report.html", "audit": folder / "audit" / "audit.html"}
    found = {name: Given(path.read_text(encoding="utf-8")) for name, path in written.items()}
    return found | service | {"components": Given(components())}
