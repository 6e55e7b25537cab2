"""Templates of pages: each part's own, with the shared page and its components beside them."""

from __future__ import annotations

from jinja2 import ChoiceLoader, Environment, PackageLoader, PrefixLoader
from markupsafe import Markup

from tutelage.pages.directions import isolated
from tutelage.pages.style import page_style


def environment(package: str) -> Environment:
    """Environment of jinja2 in which the templates of a package know ``pages/page.html`` and ``pages/components.html``.

    A page begins with ``{% extends "pages/page.html" %}`` and fills the blocks ``title`` and ``main``. What stands
    between double braces is escaped; of sentences that may hold names of a user's, ``isolated`` keeps the order.

    Args:
        package: name of the package, whose folder ``templates`` is searched.
    """
    shared = PrefixLoader({"pages": PackageLoader("tutelage.pages")})
    found = Environment(loader=ChoiceLoader([PackageLoader(package), shared]), autoescape=True)
    found.globals["style"] = page_style()
    found.filters["isolated"] = lambda words: Markup(isolated(str(words)))
    return found
