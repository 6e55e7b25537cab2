"""The colours of all pages and plots, for light and for dark surroundings."""

from __future__ import annotations

LIGHT = {
    "ink": "#1c2126", "soft": "#474f58", "back": "#faf8f4", "card": "#ffffff", "shade": "#f1eee7", "line": "#e0dcd3",
    "grid": "#cdc8bd", "edge": "#85807a", "accent": "#08587d", "on-accent": "#ffffff", "warm": "#96360f",
    "tint": "#e3eff5", "sand": "#f8ecdf",
    "plot-0": "#0b6e99", "plot-1": "#c1502e", "plot-2": "#5b8c2a", "plot-3": "#7a4ea3", "plot-4": "#99762c",
    "span-0": "#cfe6f2", "span-1": "#f8dccf", "span-2": "#dcebc8", "span-3": "#e7dbf3", "span-4": "#f3e5bd",
    "span-5": "#d3ebe4",
}  # fmt: skip
"""Colours on a light page by name: letters ("ink", "soft"), grounds ("back" of a page, "card", "shade" of code, "tint"
of a notice and "sand" of a warning), lines ("line" between rows, "grid" of plots, "edge" of what can be pressed),
"accent" and "warm" of what stands out, lines of plots, and grounds of marked spans."""

DARK = {
    "ink": "#e9e6e0", "soft": "#bdbab4", "back": "#141517", "card": "#1c1e21", "shade": "#282b2f", "line": "#33363a",
    "grid": "#42464b", "edge": "#7d7f83", "accent": "#84c8ea", "on-accent": "#0d1b23", "warm": "#f2a78a",
    "tint": "#1a303c", "sand": "#3a2a1d",
    "plot-0": "#5bb8e0", "plot-1": "#f0946f", "plot-2": "#9ccb66", "plot-3": "#bd9fe8", "plot-4": "#d9b45f",
    "span-0": "#1d4357", "span-1": "#5a2f1e", "span-2": "#304a1c", "span-3": "#453060", "span-4": "#4b3b12",
    "span-5": "#1c463b",
}  # fmt: skip
"""Colours on a dark page, by the same names."""

PLOTTED = tuple(name for name in LIGHT if name.startswith("plot-"))
"""Names of the colours of the lines of a plot, in order."""
