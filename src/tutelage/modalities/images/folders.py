"""Folders of images: one folder for each class, and what else such folders hold: pools, splits, and system files."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from tutelage.modalities.images.endings import ENDINGS
from tutelage.modalities.images.examples import shown, some
from tutelage.modalities.images.tables import ImageRows
from tutelage.modalities.images.walking import SPLITS, Found, folder, hidden, images_in, plain, reason, say_links
from tutelage.tables import UNHEARD, DataError, Notes, as_label
from tutelage.tables.doubtful import is_doubtful, means_none
from tutelage.tables.exports.unread import beside
from tutelage.tables.name_lists import as_option
from tutelage.tables.none_words import DOUBTFUL
from tutelage.tables.odd import counted
from tutelage.tables.spelling import folded

IMAGES = (
    "images", "image", "imgs", "img", "jpegimages", "leftimg8bit", "rgb", "inputs", "input", "originalimages", "image2",
)  # fmt: skip
"""Names, in small letters alone, of folders that hold all images of a data set."""
POOL = ("unlabelled", "unlabeled", "unlabelleddata", "unlabeleddata", "unsup", "unsupervised", "nolabel", "nolabels")
"""Names, in small letters alone, of the folders of images without a label."""
PERHAPS_POOL = ("pool", "extra", "unknown", "none", "null", "unsorted", "unclassified")
"""Names, in small letters, that may be those of a class or of a pool."""
THUMBNAILS = ("thumbs", "thumb", "thumbnails", "thumbnail", "cache")
"""Names, in small letters alone, that may be those of copies that a program made of the images."""


@dataclass(frozen=True)
class Declared:
    """What the options say of the names of folders.

    Attributes:
        classes: names that are declared to be classes; empty where nothing is declared.
        unlabelled: names that are declared to mean "no label".
        as_is: whether names of classes that differ in spelling only are classes of their own.
    """

    classes: Sequence[str] = ()
    unlabelled: Sequence[str] = ()
    as_is: bool = False


NOTHING_DECLARED = Declared()
"""What the options say where they say nothing."""


def rows_of(root: Path, items: Sequence[tuple[Path, str | None]], passed: Mapping[str, int]) -> ImageRows:
    """Rows of images and their labels within a folder."""
    names = [shown(file.relative_to(root).as_posix()) for file, _ in items]
    labels = [label for _, label in items]
    return ImageRows(str(root), [str(file) for file, _ in items], labels, list(range(1, len(items) + 1)), names,
                     passed=dict(passed))  # fmt: skip


def read_image_folder(
    path: str | Path, labels: bool = True, declared: Declared = NOTHING_DECLARED, notes: Notes = UNHEARD
) -> ImageRows:
    """Images of a folder with a folder for each class, and one named ``unlabelled`` for the pool.

    Files count as images by their endings, also in deeper folders. Links are followed unless they lead back. Images are
    sorted by their paths. Folders whose names differ in spelling only are one class.

    Args:
        path: the folder.
        labels: whether the folders are classes; else all images within the folder are taken, without labels.
        declared: what the options say of the names of folders.
        notes: takes what is said and asked: of pools, of parts of a data set that is split, of empty folders.

    Raises:
        DataError: the folder is missing or empty, or has no folder of a class with an image.
    """
    root = folder(path)
    if not labels:
        found = images_in(root)
        say_links([found], root, notes)
        if not found.images:
            raise DataError(f"{root}: no image in the folder{found.others}")
        return rows_of(root, [(file, None) for file in found.images], found.passed)
    there = sorted(root.iterdir())
    within = [entry for entry in there if entry.is_dir() and not hidden(entry.name)]
    seen: set[str] = set()
    parts = {entry: images_in(entry, root, seen) for entry in within}
    say_links(list(parts.values()), root, notes)
    classes = _classes(root, parts, declared, notes)
    if not any(classes.values()):
        _refuse_without_classes(root, there, parts)
    passed: Counter[str] = Counter(reason(entry.name) for entry in there if entry not in parts and not _loose(entry))
    items = []
    for entry, part in parts.items():
        items += [(file, classes[entry]) for file in part.images]
        passed += part.passed
    loose = [entry for entry in there if entry not in parts and _loose(entry)]
    if loose:
        passed["beside the folders of the classes"] = len(loose)
        notes.ask(
            f"{len(loose)} images of {root} lie beside the folders of the classes (the first: {shown(loose[0].name)}), "
            "and are left out",
            f"move them into {root / 'unlabelled'} (they are the pool)",
            page="folders",
        )
    return rows_of(root, items, passed)


def _loose(entry: Path) -> bool:
    return entry.is_file() and not hidden(entry.name) and entry.name.lower().endswith(ENDINGS)


def _classes(root: Path, parts: Mapping[Path, Found], declared: Declared, notes: Notes) -> dict[Path, str | None]:
    """Class of each folder; None for a pool, and for a folder without an image."""
    _ask_of_splits(root, [entry for entry, part in parts.items() if part.images], declared, notes)
    names: dict[Path, str | None] = {}
    for entry, part in parts.items():
        name = as_label(entry.name)
        if plain(entry.name) in POOL and name not in declared.classes:
            names[entry] = None
            if entry.name.lower() not in POOL[:2]:
                notes.say(f"{shown(entry)}: {len(part.images)} images without a label, by the folder's name.")
        elif _means_none(entry.name, declared):
            names[entry] = None
        else:
            names[entry] = name
    full = {entry: name for entry, name in names.items() if name is not None and parts[entry].images}
    _refuse_no_class(root, list(full), declared)
    empty = [shown(entry.name) for entry, name in names.items() if name is not None and not parts[entry].images]
    if empty and full:
        notes.say(f"Left out in {root}: {counted(len(empty), 'folder')} without an image: {some(empty)}.")
    _ask_of_deeper(root, full, parts, notes)
    counts = {entry: len(parts[entry].images) for entry in full}
    spelt = full if declared.as_is else one_spelling(full, counts, declared.classes, notes)
    _ask_of_pools(spelt, counts, declared, notes)
    return {entry: spelt.get(entry) for entry in parts}


def _refuse_no_class(root: Path, full: Sequence[Path], declared: Declared) -> None:
    """Refuse a folder whose one folder of images is no class, such as "images" beside annotations of another tool."""
    if len(full) == 1 and plain(full[0].name) in IMAGES and as_label(full[0].name) not in declared.classes:
        raise DataError(
            beside(root)
            or f"{root}: its one folder of images, {shown(full[0].name)}, is no class; make a folder for each "
            "class, or name a table of the images and their classes"
        )


def _means_none(name: str, declared: Declared) -> bool:
    """Whether the name of a folder is one of those that are declared to mean "no label", in any spelling."""
    spell = str if declared.as_is else folded
    return name not in declared.classes and spell(as_label(name) or name) in map(spell, declared.unlabelled)


def _ask_of_pools(names: Mapping[Path, str], counts: Mapping[Path, int], declared: Declared, notes: Notes) -> None:
    """Ask whether folders of doubtful names, such as "unknown", are classes."""
    several = len(set(names.values())) > 1
    free = [entry for entry, name in names.items() if several and name not in declared.classes]
    odd = [at for at in free if _is_no_class(at.name) or at.name[0] == "_" or is_doubtful(at.name)]
    if odd:
        one = len(odd) == 1
        named = f"the folder{'s' * (not one)} {', '.join(map(shown, odd))}"
        notes.ask(
            f"{named}, {sum(counts[entry] for entry in odd)} of {sum(counts.values())} images, may be "
            f"{'a class' if one else 'classes'} or hold images without a label",
            f"{as_option('unlabelled-as', [entry.name for entry in odd])} (they have no label)",
            f"{as_option('classes', sorted(set(names.values())))} ({'it is a class' if one else 'they are classes'})",
            *["move away copies that a program made"] * any(plain(entry.name) in THUMBNAILS for entry in odd),
            halts=any(_is_no_class(entry.name) for entry in odd),
            page="label-or-none",
        )


def _is_no_class(name: str) -> bool:
    """Whether a folder's name is hardly one of a class, so that nothing is learnt before it is settled."""
    word = name.casefold()
    return word in {*PERHAPS_POOL, *DOUBTFUL} or plain(word) in THUMBNAILS or means_none(word)


def one_spelling(
    names: Mapping[Path, str], counts: Mapping[Path, int], classes: Sequence[str], notes: Notes
) -> dict[Path, str]:
    """Names of classes of which those that differ in spelling only are one: the declared one, or the commonest.

    Args:
        names: name of the class of each folder.
        counts: number of images in each folder.
        classes: declared names of classes.
        notes: takes a sentence on the names that are folded.
    """
    alike: dict[str, Counter[str]] = defaultdict(Counter)
    for entry, name in names.items():
        alike[folded(name)][name] += counts[entry]
    chosen = {}
    for key, spellings in alike.items():
        ranked = sorted(spellings, key=lambda name: (name not in classes, -spellings[name], name))
        chosen[key] = ranked[0]
        kept = [name for name in ranked if name in classes]
        if len(ranked) > 1 and len(kept) < 2:
            said = ", ".join(f"{name!r} ({spellings[name]})" for name in ranked)
            notes.say(
                f"Folders {said} differ in spelling only, and are read as one class, {ranked[0]!r}.", page="spellings"
            )
    return {entry: name if name in classes else chosen[folded(name)] for entry, name in names.items()}


def _ask_of_splits(root: Path, within: Sequence[Path], declared: Declared, notes: Notes) -> None:
    """Ask whether folders are parts of a data set that is split already."""
    parts: dict[str, Path] = {}
    pools = [entry for entry in within if plain(entry.name) in POOL]
    for entry in within:
        part = SPLITS.get(plain(entry.name))
        if part is not None and entry.name not in declared.classes:
            parts.setdefault(part, entry)
    others = len(within) - len(pools) - len(parts)
    if len(parts) > 1 or (parts and (others == 0 or "train" not in parts)):
        names = ", ".join(shown(entry.name) for entry in parts.values())
        have = f"the folders {names} have the names of the parts"
        have = f"the folder {names} has the name of a part" if len(parts) == 1 else have
        also = ", as those of the classes would be" if others else " and no classes"
        every = as_option("classes", [entry.name for entry in within if entry not in pools])
        notes.ask(
            f"{root}: {have} of a data set that is split already{also}",
            *_commands(root, parts, pools), f"{every} (they are classes)",
            halts=True, page="split-already",
        )  # fmt: skip
    elif parts:
        only = parts["train"]
        every = as_option("classes", sorted(entry.name for entry in within if entry not in pools))
        notes.ask(
            f"{root}: the folder {shown(only.name)} has the name of a part of a data set, and is taken for a class",
            f"{every} (it is a class)", f"--train {shown(only)} (its folders are the classes)", page="split-already",
        )  # fmt: skip
    elif len(within) == 1 and not pools and not declared.classes:
        _ask_of_wrapper(root, within[0], notes)


def _commands(root: Path, parts: Mapping[str, Path], pools: Sequence[Path]) -> list[str]:
    """Options that name the parts of a data set that is split already."""
    if "train" not in parts:
        apart = shown(next(iter(parts.values())))
        return [f"move {apart} out of {root} and name it with --test (its images are to score on)"]
    train = f"--train {shown(parts['train'])}"
    pool = "".join(f" --unlabelled {shown(entry)}" for entry in pools[:1])
    tests = [f" --test {shown(parts[part])}" for part in ("test", "val") if part in parts]
    return [f"{train}{pool}{test}" for test in tests or [""]]


def _ask_of_wrapper(root: Path, only: Path, notes: Notes) -> None:
    """Ask whether the classes are the folders of the only folder there is."""
    within = [entry for entry in sorted(only.iterdir()) if entry.is_dir() and not hidden(entry.name)]
    if len(within) > 1:
        names = ", ".join(shown(entry.name) for entry in within[:5])
        notes.ask(
            f"{root}: it has one folder, {shown(only.name)}, and the classes may be the {len(within)} folders in that, "
            f"{names}",
            f"--train {shown(only)} (they are the classes)",
            halts=True,
            page="folders",
        )


def _ask_of_deeper(root: Path, full: Mapping[Path, str], parts: Mapping[Path, Found], notes: Notes) -> None:
    """Ask whether the folders of classes have folders of classes, or of parts of a data set, in them."""
    deeper = {entry: {file.relative_to(entry).parts[0] for file in parts[entry].images if file.parent != entry}
              for entry in full}  # fmt: skip
    inner = [name for names in deeper.values() for name in names]
    split = sorted({name for name in inner if plain(name) in SPLITS})
    several = [entry for entry, names in deeper.items() if len(names) > 1]
    if len(split) > 1:
        notes.ask(
            f"{root}: the folders of the classes have folders {', '.join(split)} in them, and all their images are "
            "taken together",
            "name a table of the images and labels of each part with --train and --test",
            page="split-already",
        )
    elif (
        several
        and not notes.unsettled
        and len(set(inner)) == len(inner)
        and any(name.strip("0123456789_-. ") for name in inner)
    ):
        first = several[0]
        names = ", ".join(shown(name) for name in sorted(deeper[first])[:5])
        notes.ask(
            f"{root}: the folder {shown(first.name)} has folders {names} in it, all of which are read as the class "
            f"{full[first]!r}",
            f"--train {shown(first)} (they are the classes)",
            page="folders",
        )


def _refuse_without_classes(root: Path, there: Sequence[Path], parts: Mapping[Path, Found]) -> None:
    if not there:
        raise DataError(f"{root}: the folder is empty")
    empty = [entry for entry in parts if plain(entry.name) not in POOL and not parts[entry].images]
    if empty:
        raise DataError(f"{shown(empty[0])}: no image in the folder of a class{parts[empty[0]].others}")
    loose = [shown(entry.name) for entry in there if _loose(entry)]
    holds = some(loose or [shown(entry.name) for entry in there], 3)
    table = next((entry for entry in there if entry.suffix.lower() in (".csv", ".tsv", ".jsonl", ".parquet")), None)
    named = f"; if {table.name} names them, --train {shown(table)} --images COLUMN --label COLUMN" if table else ""
    raise DataError(f"{root}: no folder of a class, with its images in it; there is {holds}{named}")
