"""Lists of names in one word of the command line: read, and written as a user may type them."""

from __future__ import annotations

import csv
import shlex
from collections.abc import Collection, Iterable, Sequence
from io import StringIO

from tutelage.tables.cells import as_label, brief, quoted

MOST = 100
"""Number of classes that an option spells out, at most."""


class Names(tuple[str, ...]):
    """Names that were read of an option, each alone: they are not read again, though one may hold commas."""


def names_in(text: str) -> list[str]:
    """Names in a line of csv: with commas between them, and in double quotation marks where a name has a comma.

    >>> names_in("food,sport"), names_in('"salt, pepper", oil'), names_in("")
    (['food', 'sport'], ['salt, pepper', 'oil'], [])
    """
    lines = csv.reader(StringIO(text, newline=""), skipinitialspace=True)
    return [stripped for line in lines for name in line if (stripped := name.strip())]


def listed_names(given: Sequence[str] | None) -> Names:
    """Names that were given each alone, or all in one text, as a line of csv.

    >>> listed_names(["food,sport"]), listed_names(["salt, pepper", "oil"]), listed_names('"salt, pepper",oil')
    (('food', 'sport'), ('salt, pepper', 'oil'), ('salt, pepper', 'oil'))
    """
    if isinstance(given, Names):
        return given
    names = [given] if isinstance(given, str) else list(given or ())
    parts = names_in(names[0]) if len(names) == 1 else names
    return Names(label for name in parts if (label := as_label(name)))


def as_option(option: str, names: Iterable[str]) -> str:
    r"""An option with a list of names, as it is typed in a shell.

    >>> as_option("classes", ["a", "b"]), as_option("unlabelled-as", ["to do"]), as_option("unlabelled-as", ["-1"])
    ('--classes a,b', "--unlabelled-as 'to do'", '--unlabelled-as=-1')
    >>> as_option("classes", ["salt, pepper", "oil"])
    '--classes \'"salt, pepper",oil\''
    """
    line = StringIO(newline="")
    csv.writer(line, lineterminator="").writerow(list(names))
    written = line.getvalue()
    return f"--{option}{'=' if written.startswith('-') else ' '}{shlex.quote(written)}"


def classes_option(names: Collection[str]) -> str:
    """Option that declares names as the classes; it says NAMES in place of more than MOST.

    >>> classes_option(["food", "a b"]), classes_option([str(i) for i in range(999)])
    ("--classes 'a b,food'", '--classes NAMES')
    """
    return as_option("classes", sorted(names)) if len(names) <= MOST else "--classes NAMES"


def shown(name: str) -> str:
    """A name as it stands in a list of a message: in quotation marks where it holds a comma.

    >>> shown("food"), shown("salt, pepper")
    ('food', "'salt, pepper'")
    """
    return quoted(name) if "," in name else brief(name)
