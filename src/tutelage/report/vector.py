"""Plots as SVG within a page: letters stay letters, colours follow the page, and nothing points elsewhere."""

from __future__ import annotations

import io
import re
from html import escape
from xml.etree import ElementTree

from matplotlib import rc_context

from tutelage.report.figures import COLOURS, GRID, INK, SOFT, STYLE, Plot

SVG, LINK = "{http://www.w3.org/2000/svg}", "{http://www.w3.org/1999/xlink}href"

THEMED = {
    INK: "var(--ink)", SOFT: "var(--soft)", GRID: "var(--grid)",
    **{colour: f"var(--plot-{i})" for i, colour in enumerate(COLOURS)},
}  # fmt: skip
"""Variables of the page's style sheet that take the place of colours."""


def inline_svg(figure: Plot) -> str:
    """An ``svg`` element for a page: an image with the plot's alternative text, as wide as its place.

    Args:
        figure: the plot, whose colours are those of `tutelage.report.figures`.
    """
    file = io.BytesIO()
    with rc_context(STYLE | {"svg.fonttype": "none", "svg.hashsalt": "tutelage"}):
        figure.savefig(file, format="svg", transparent=True, metadata={"Date": None})
    root = ElementTree.fromstring(file.getvalue())
    shapes = {shape.get("id"): shape for shape in root.iter(f"{SVG}path") if shape.get("id")}
    box = root.get("viewBox")
    body = "".join(_written(part, shapes) for part in root)
    return f'<svg class="plot" role="img" aria-label="{escape(figure.alt)}" viewBox="{box}">{body}</svg>'


def _written(part: ElementTree.Element, shapes: dict[str | None, ElementTree.Element]) -> str:
    """An element as HTML takes it: without definitions, names and clipping; what it uses is written in its place."""
    tag = part.tag.removeprefix(SVG)
    if tag in ("defs", "metadata", "style", "title"):
        return ""
    kept = {name: value for name, value in part.attrib.items() if name not in ("id", "clip-path", LINK)}
    if tag == "use":
        shape = shapes[str(part.get(LINK)).removeprefix("#")]
        at = f"translate({kept.pop('x', '0')} {kept.pop('y', '0')})"
        style = ";".join(filter(None, [shape.get("style", ""), kept.pop("style", "")]))
        return _element("path", {"d": shape.get("d", ""), "transform": at, "style": style}, "")
    if LINK in part.attrib:
        kept["href"] = str(part.get(LINK))
    within = escape((part.text or "").strip()) + "".join(_written(child, shapes) for child in part)
    if tag == "g" and not within:
        return ""
    return _element(tag, kept, within)


def _element(tag: str, attributes: dict[str, str], within: str) -> str:
    said = "".join(f' {name}="{escape(_themed(value))}"' for name, value in attributes.items() if value)
    return f"<{tag}{said}>{within}</{tag}>"


def _themed(value: str) -> str:
    """A value of an attribute with the page's colours and letters, and numbers of two digits."""
    for colour, variable in THEMED.items():
        value = value.replace(colour, variable)
    value = re.sub(r"'[^']+'(, *'[^']+')*(, *sans-serif)", "var(--sans)", value)
    return re.sub(r"(\d+\.\d{2})\d+", r"\1", value)
