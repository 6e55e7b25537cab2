"""Labels as users and tools write them: of a class, in many spellings, of none, and of several."""

from __future__ import annotations

import json
import unicodedata
from collections.abc import Callable, Sequence
from typing import Any

from faulty.case import Case, Draw

CLASSES = (
    ("food", "sport"), ("food", "sport", "travel"), ("pos", "neg"), ("0", "1"), ("1", "2", "3"), ("NA", "EU", "AS"),
    ("café", "thé"), ("New York", "Rome"), ("a, b", "cd"), ("Straße", "Weg"), ("null", "one"), ("#1", "#2"),
    ("true", "false"), ("good film", "bad film", "so so"),
)  # fmt: skip
"""Names of classes of a data set."""
NONE = (
    "nan", "NaN", "None", "null", "<NA>", "?", "-", "[]", "{}", "()", "unlabelled", "UNLABELED", "-1", "n/a", "NA",
    "no label", "__none__", "#N/A", "[null]", "['']", '[""]', "''", '""', " ", "\u200b", "\xa0", "nil", "unknown",
    "_", "--", "[ ]", "NULL", "missing", "None ", "-1.0", "nan\u200b", "<none>", "0.0",
)  # fmt: skip
"""Cells that may mean that there is no label."""
MISSING: tuple[Any, ...] = (None, float("nan"), [], {}, [None], -1, -1.0, "", {"choices": []}, ["nan"], {"food": 0.0})
"""The same as values of JSON."""


def _spelt(draw: Draw, name: str) -> str:
    ways: list[Callable[[str], str]] = [
        str.upper, str.title, lambda n: unicodedata.normalize("NFD", n), lambda n: n + "\u200b", lambda n: f" {n} ",
        lambda n: n.replace(" ", "_"), lambda n: n + "\ufeff", lambda n: n.replace(" ", "\xa0"), lambda n: n + "\t",
        str.swapcase, lambda n: n + ".0" * n.isdigit(), lambda n: n + "\u00ad",
    ]  # fmt: skip
    return draw.one(ways)(name)


def _structured(draw: Draw, name: str, others: Sequence[str]) -> Any:
    scores = dict.fromkeys(others, 0.1) | {name: 0.9}
    value = draw.one([
        [name], [name, None], [name, name], scores, {name: 1}, {"choices": [name]}, {"label": name}, {"labels": [name]},
        [{"label": name}], {"value": {"choices": [name]}}, [[name]], {"label": name, "score": 0.9},
    ])  # fmt: skip
    return draw.one([value, json.dumps(value), repr(value), json.dumps(value, indent=1)])


def _several(draw: Draw, name: str, others: Sequence[str]) -> Any:
    value = draw.one([[name, others[0]], {name: 1, others[0]: 1}, {"choices": [name, others[0]]}, {name: 0.5},
        [name, 3],
                      {name: "yes"}, [[name], [others[0]]], {"a": {"b": 1}}, f"{name}|{others[0]}"])  # fmt: skip
    return draw.one([value, json.dumps(value), repr(value)])


def _number(name: str, others: Sequence[str]) -> Any:
    return sorted({name, *others}).index(name)


LABEL_FAULTS = ("none", "missing", "spelt", "structured", "several", "numbers", "lonely", "bool")
"""Faults of a column of labels."""


def _faulty(draw: Draw, case: Case, fault: str, name: str, names: Sequence[str], word: Any) -> Any:
    """Cell in place of a label."""
    others = [other for other in names if other != name]
    if fault == "spelt":
        found = _spelt(draw, name)
        if case.options.get("spelling") == "as-is":
            case.name(found, found.strip(), found.removesuffix(".0"))
        return found
    if fault == "structured":
        return _structured(draw, name, others)
    if fault == "several":
        found = _several(draw, name, others)
        case.name(*([found] if isinstance(found, str) and "|" in found else []))
        return found
    if fault == "numbers":
        case.name(str(_number(name, others)))
        return draw.one([_number(name, others), float(_number(name, others)), f"{_number(name, others)}.0"])
    if fault == "bool":
        case.name("True", "False")
        return name == names[0]
    return word


def labels(draw: Draw, case: Case, count: int, names: Sequence[str], known: int = 70) -> list[Any]:
    """Cells of a column of labels, of which some may be faulty.

    Args:
        draw: the choices.
        case: takes the names of classes and the faults.
        count: number of cells.
        names: names of the classes.
        known: percentage of the cells with a label.
    """
    case.name(*names)
    found: list[Any] = [names[i % len(names)] if i < 2 * len(names) or draw.chance(known) else "" for i in range(count)]
    for fault in draw.some(LABEL_FAULTS, draw.one([0, 0, 0, 1, 1, 2])):
        case.fault(fault)
        share, word = draw.one([1, 10, 40, 80]), draw.one(NONE if fault == "none" else MISSING)
        if fault == "lonely":
            case.name("lonely")
            found[draw.whole(0, count - 1)] = "lonely"
            continue
        for i, cell in enumerate(found):
            if (fault in ("none", "missing") or cell in names) and draw.chance(share):
                found[i] = _faulty(draw, case, fault, str(cell), names, word)
    return found


def label_options(draw: Draw, case: Case, names: Sequence[str]) -> None:
    """Options on how labels are read, now and then."""
    options = case.options
    if draw.chance(15):
        declared = draw.one([tuple(names), (*names, "other"), tuple(reversed(names)), (*names, "nan"), ",".join(names)])
        options["classes"] = draw.rarely(declared, [tuple(names[:-1]), ("other", "more"), (*names, names[0])])
    if draw.chance(10):
        options["unlabelled_as"] = draw.one([draw.one(NONE), names[0], "nan,-1", "-1"])
    if draw.chance(15):
        options["spelling"] = draw.rarely(draw.one(["fold", "as-is", "as-is"]), ["as_is"])
    if draw.chance(20):
        options["rare"] = draw.rarely(draw.one(["leave-out", "merge:rest", f"merge:{names[0]}"]), ["merge:", "drop"])
    if draw.chance(20):
        options["unseen"] = draw.rarely("miss", ["hit"])
    if str(options.get("rare", "")).startswith("merge:"):
        case.name(str(options["rare"]).removeprefix("merge:"))


def reading_options(draw: Draw, case: Case) -> None:
    """Options on how files are read, now and then; with them it is not known how many rows there are."""
    chosen = draw.rarely("skip_bad" if draw.chance(20) else "", ["any"])
    if chosen == "skip_bad":
        case.options["skip_bad"] = True
    elif chosen:
        name, values = draw.one([
            ("quote", ["double", "single", "none", "both"]), ("separator", [",", ";", "tab", "", ",,"]),
            ("columns", ["text", "text,label", "header", "a,a", ","]),
            ("charset", ["cp1250", "shift_jis", "utf-16", "x"]),
            ("sheet", ["1", "x", "t.csv"]),
        ])  # fmt: skip
        case.options[name] = draw.one(values)
        case.rows = case.classes = None
