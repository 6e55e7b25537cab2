"""The commands that list methods, data sets and pretrained models, and fetch a data set or a model."""

from __future__ import annotations

from tutelage import kinds
from tutelage.methods import own
from tutelage.methods.catalogue import AUTO, AUTO_SAYS, TABLE
from tutelage.run.screen import Screen


def methods() -> None:
    """List the methods, with family, paper, year and the kinds of data that they can learn."""
    screen = Screen()
    screen.say(f"{'method':24}{'family':16}{'paper':42}{'year':6}kinds")
    for name, entry in TABLE.items():
        learns = " ".join(kind for kind, row in kinds.TABLE.items() if not (entry.remembers and row.moves))
        screen.say(f"{name:24}{entry.family:16}{entry.paper:42}{entry.year or '':<6}{learns}")
        screen.say(f"    {entry.sentence}")
    for name in own.plugged():
        screen.say(f"{name:24}{'of a package':16}{own.package_of(name)}")
    screen.say(f"{AUTO:24}all of these")
    screen.say(f"    {AUTO_SAYS}")


def data() -> None:
    """List the data sets that can be fetched by name."""
    from tutelage.data import sources

    screen = Screen()
    screen.table(("name", "what it is"), list(sources.available().items()))
    screen.say("Any other name is looked for on the Hub, or as a folder, with the datasets library.")


def get(name: str) -> None:
    """Fetch a data set and say where its tables are.

    Args:
        name: name of the data set, see tutelage data list.
    """
    from tutelage.data import sources
    from tutelage.tables import read_table

    screen = Screen()
    for path in sources.get(name):
        if path.suffix == ".npz":
            screen.say(str(path))
            continue
        table = read_table(path)
        columns = ", ".join(map(str, table.columns[:8]))
        screen.say(f"{path}  ({len(table)} rows; columns {columns})")


def models() -> None:
    """List the pretrained models that can be fetched by name: what for, size of the download, here or not, licence."""
    from tutelage import weights

    screen = Screen()
    screen.say(f"{'model':22}{'for':16}{'MB':>5}  {'here':6}licence")
    for name, entry in weights.CATALOGUE.items():
        here = "yes" if weights.path_of(name) is not None else "no"
        screen.say(f"{name:22}{entry.what:16}{entry.megabytes:>5}  {here:6}{entry.licence}")
        screen.say(f"    {entry.sentence}")
    for name in own.plugged():
        screen.say(f"{name:24}{'of a package':16}{own.package_of(name)}")
    screen.say("--encoder also takes a name on the Hub, or a folder of a model saved by transformers.")


def get_model(name: str) -> None:
    """Fetch a pretrained model, compare each file with its SHA-256, and say where it is.

    Args:
        name: name of the model, see tutelage models list.
    """
    from tutelage import weights

    screen = Screen()
    entry = weights.named(name)
    if weights.path_of(name) is None:
        screen.say(f"Fetching {name} ({entry.megabytes} MB).")
    with screen.ticking() as tick:
        folder = weights.get(name, screen.say, tick)
    screen.say(f"{folder}  ({entry.sentence.split(':')[0]}; every file is verified)")
