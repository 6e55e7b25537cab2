"""The style sheets: that of whole pages, and that of the box which also stands in notebooks."""

from __future__ import annotations

from functools import cache
from importlib import resources

from tutelage.pages.colours import DARK, LIGHT

FONTS = {
    "sans": '-apple-system, "Segoe UI", Roboto, "Noto Sans", "Liberation Sans", system-ui, sans-serif',
    "serif": 'Charter, "Bitstream Charter", "Iowan Old Style", "Palatino Linotype", Georgia, "Liberation Serif", serif',
    "mono": 'ui-monospace, "SF Mono", Consolas, "DejaVu Sans Mono", "Liberation Mono", monospace',
}
"""Letters that a machine has, by name: none is fetched."""


def tokens(selector: str) -> str:
    """Colours and letters as variables of what a selector matches, for light and dark screens; paper is light.

    >>> tokens(".box").splitlines()[0]
    '.box { --ink: #1c2126; --soft: #474f58; --back: #faf8f4; --card: #ffffff; --shade: #f1eee7; --line: #e0dcd3;'
    """
    light, dark = _variables(LIGHT | FONTS), _variables(DARK)
    return f"{selector} {{ {light} }}\n@media screen and (prefers-color-scheme: dark) {{ {selector} {{ {dark} }} }}\n"


def _variables(values: dict[str, str], on_a_line: int = 6) -> str:
    said = [f"--{name}: {value};" for name, value in values.items()]
    lines = [" ".join(said[i : i + on_a_line]) for i in range(0, len(said), on_a_line)]
    return "\n  ".join(lines)


@cache
def page_style() -> str:
    """The style sheet of a page, to be put between ``<style>`` and ``</style>``, or to be served as a file.

    >>> "http" in page_style() or "url(" in page_style() or "@import" in page_style()
    False
    """
    return tokens(":root") + _read("page.css") + _read("box.css")


@cache
def box_style() -> str:
    """The style sheet of the box with an answer, which styles nothing else on a page of others."""
    return tokens(".tutelage") + _read("box.css")


def _read(name: str) -> str:
    return resources.files("tutelage.pages").joinpath(name).read_text(encoding="utf-8")
