"""The recorded measures as tables in Markdown, one column an entry."""

from __future__ import annotations

from typing import Any

Entry = dict[str, Any]
Rows = list[tuple[str, list[str]]]


def tables(entries: dict[str, Entry]) -> str:
    """All tables; a part that an entry lacks is left empty."""
    parts = (
        ("Style", _style), ("Kinds known by name", _kinds), ("What one opens", _walks),
        ("Done more than once in a run on 700 texts", _twice), ("CPU seconds to start", _start),
    )  # fmt: skip
    return "\n\n".join(_table(title, list(entries), rows(list(entries.values()))) for title, rows in parts)


def _table(title: str, labels: list[str], rows: Rows) -> str:
    lines = [f"| {title} | {' | '.join(labels)} |", "|---" * (1 + len(labels)) + "|"]
    return "\n".join([*lines, *(f"| {name} | {' | '.join(cells)} |" for name, cells in rows)])


def _row(name: str, entries: list[Entry], form: str, part: str) -> tuple[str, list[str]]:
    """A row of one part of the entries, each written by ``form``."""
    return name, [form.format(e[part]) if part in e else "" for e in entries]


def _style(entries: list[Entry]) -> Rows:
    forms = {
        "files": "{0[files]}", "code lines": "{0[code_lines]:,}", "functions": "{0[functions]:,}",
        "function length, median / p90 / max": _spread("function_length"),
        "functions above 50 lines, %": "{0[functions_above_50_percent]}",
        "file length, median / p90 / max": _spread("file_length"),
        "public documented, %": "{0[public_documented_percent]}",
        "the same without overrides, %": "{0[public_documented_without_overrides_percent]}",
        "docstring / comment lines per 100 of code": "{0[docstring_lines_per_100]} / {0[comment_lines_per_100]}",
        "arguments / returns typed, %": "{0[arguments_typed_percent]} / {0[returns_typed_percent]}",
        "docstrings with a shape, %": "{0[shape_percent]}", "docstrings that cite, %": "{0[cites_percent]}",
        "docstrings with `>>>`, %": "{0[example_percent]}",
        "raise / assert / print per 1,000 lines": "{0[raise_per_1000]} / {0[assert_per_1000]} / {0[print_per_1000]}",
        "functions with `**kwargs`, %": "{0[kwargs_percent]}", "tests : code": "{0[tests_to_code]}",
        "test functions": "{0[test_functions]}", "modules at the root": "{0[root_modules]}",
        "functions with more than 6 arguments": "{0[more_than_6_arguments]}",
    }  # fmt: skip
    rows = [_row(name, entries, form, "style") for name, form in forms.items()]
    for name, key in (
        ("files above 300 lines", "files_above_300"),
        ("undocumented", "undocumented_that_override_nothing"),
    ):
        rows.append((name, [str(len(e["style"][key])) if "style" in e else "" for e in entries]))
    return rows


def _spread(part: str) -> str:
    return " / ".join(f"{{0[{part}][{i}]}}" for i in range(3))


def _kinds(entries: list[Entry]) -> Rows:
    forms = {
        f"files that name {kind}: all / outside kinds, tasks, modalities":
            f"{{0[files_naming][{kind}]}} / {{0[files_naming_outside][{kind}]}}"
        for kind in ("segmentation", "tagging", "either")
    } | {
        f"{name}: all / outside / files": f"{{0[{key}][count]}} / {{0[{key}][outside]}} / {{0[{key}][files]}}"
        for name, key in (("`isinstance` questions", "type_questions"), ("comparisons of strings", "string_questions"))
    }  # fmt: skip
    return [_row(name, entries, form, "kinds") for name, form in forms.items()]


def _walks(entries: list[Entry]) -> Rows:
    names = dict.fromkeys(name for e in entries for name in e.get("walks", {}))
    form = "{0[files]} files, {0[file_lines]:,} lines; {0[functions]} functions, {0[function_lines]:,} lines"
    return [
        (name, [form.format(w[name]) if name in (w := e.get("walks", {})) else "" for e in entries]) for name in names
    ]


def _twice(entries: list[Entry]) -> Rows:
    forms = {
        "openings of the feature cache": "{0[cache_openings]}", "hashes of a text": "{0[text_hashes_each]}",
        "the same where no text is in the cache": "{0[cold_text_hashes_each]}",
        "hashes of the encoder's weights": "{0[weight_hashes]}",
        "predictions of the test part": "{0[test_predictions]}",
        "those by the returned model": "{0[test_predictions_by_the_returned_model]}",
    }  # fmt: skip
    return [_row(name, entries, form, "twice") for name, form in forms.items()]


def _start(entries: list[Entry]) -> Rows:
    commands = dict.fromkeys(name for e in entries for name in e.get("start", {}).get("cpu_seconds", {}))
    rows = []
    for name in commands:
        found = [e.get("start", {}) for e in entries]
        cells = [f"{s['cpu_seconds'][name]} ({' '.join(s['imports'][name]) or 'none'})" if s else "" for s in found]
        rows.append((f"`{name}`", cells))
    return [*rows, _row("lines of `tutelage fit drift --help`", entries, "{0[help_lines]}", "start")]
