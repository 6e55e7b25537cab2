"""Files of rules and of descriptions of classes, beside a table of texts."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from faulty.case import Case, Draw
from faulty.mutations import mutated

PATTERNS = (
    "soup|goal", "[[a]", "(?i)soup", "a(?i)b", "(", "", "\\d+ days", "x\\", "[a||b]", "(a+)+$", "\\N{DASH}", "日本",
)  # fmt: skip
"""Patterns of rules, some of which are none."""


def weak_file(draw: Draw, case: Case, names: Sequence[str]) -> None:
    """A file of rules, or of descriptions, now and then odd."""
    option = draw.one(["rules", "describe"])
    case.fault(option)
    if option == "rules":
        value: Any = [_rule(draw, name, number) for number, name in enumerate([*names, *draw.some(names, 2)])]
    else:
        value = {name: draw.one([f"about {name}", [f"{name} and more", "x"]]) for name in names}
        value = draw.rarely(value, [list(names), [*names, names[0]], {}, {**value, "more": "about more"}, names[0]])
        case.name("more")
    if isinstance(value, list) and draw.chance(15):
        mutated(draw, case, value)
    ending = draw.rarely("json", ["toml", "txt", "py"]) if option == "describe" else draw.rarely("json", ["txt"])
    text = json.dumps(value, ensure_ascii=draw.chance(50))
    case.content[f"{option}.{ending}"] = text.encode(draw.rarely("utf-8", ["utf-8-sig", "utf-16"]))
    case.sources[option] = f"{option}.{ending}"


def _rule(draw: Draw, name: str, number: int) -> dict[str, Any]:
    what = draw.one([{"regex": draw.one(PATTERNS)}, {"keywords": ["soup", draw.one(["goal", "日本", '5"', ":)", ""])]}])
    return {"label": name, **what} | ({"name": f"about {number}"} if draw.chance(50) else {})
