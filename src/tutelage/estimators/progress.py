"""Progress of a fit, as Python users see it: nothing, a bar, or a function of theirs that is called."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from tutelage.ops.bar import ticking
from tutelage.types import Tick


@contextmanager
def told(verbose: bool | Tick) -> Iterator[Tick | None]:
    """Context of a fit whose progress is told.

    Args:
        verbose: False tells nobody, True draws a bar and removes it at the end; or a function, called with the name of
            the work, the steps that are done, and all steps.
    """
    if callable(verbose):
        yield lambda what, done, total: verbose(str(what), int(done), int(total))
    elif verbose:
        with ticking() as bar:
            yield bar
    else:
        yield None
