"""Option of a command on how files are read; it is imported without any library that reads or learns."""

from __future__ import annotations

from typing import Annotated

from cyclopts import Parameter

from tutelage.data.how import ReadAs

Reading = Annotated[ReadAs | None, Parameter(name="*")]
"""Options of a command on how files are read; None where none is given."""
