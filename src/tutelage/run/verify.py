"""The command that checks the files of a run against its manifest."""

from __future__ import annotations

from pathlib import Path

from tutelage.files import MANIFEST, BadFileError, is_sealed
from tutelage.files.errors import REMEDY
from tutelage.files.manifest import Differences, differences, made_here
from tutelage.files.whole import as_written
from tutelage.run.screen import Json, Screen


def verify(folder: Path, *, json: Json = False) -> None:
    """Check that every file of a run, a model or an adapted encoder is as it was written.

    Args:
        folder: folder of a finished run, of a saved model or of an adapted encoder.
    """
    from tutelage.kinds.saved import for_people  # with it libraries that the help does without

    screen = Screen(json)
    found, here = _compared(folder), made_here(folder)
    damage = found.words([name for name in (*found.missing, *found.changed) if for_people(name)])
    if json:
        screen.json(
            {
                "command": "verify", "folder": str(folder), "files": found.count, "bytes": found.size,
                "whole": not damage, "missing": found.missing, "changed": found.changed, "added": found.added,
                "made_here": here,
            }
        )  # fmt: skip
    if damage:
        raise BadFileError(f"{folder} is damaged: {damage}; {REMEDY}")
    if not json:
        for line in _lines(folder, found, here):
            screen.answer(line)


def _compared(folder: Path) -> Differences:
    """How a folder differs from its manifest, and the folders of models within it from theirs.

    Raises:
        FileNotFoundError: there is no such folder, or it has no manifest.
        BadFileError: a manifest is damaged.
    """
    if folder.exists() and not folder.is_dir():
        raise NotADirectoryError(f"{folder}: a file; name the folder of a run, a model or an encoder")
    if not folder.is_dir():
        raise FileNotFoundError(f"{folder}: no such folder")
    if not is_sealed(folder):
        raise FileNotFoundError(
            f"{folder}: {MANIFEST} is missing: no finished run, model or encoder is there, or one of a version before "
            "0.4, which wrote none"
        )
    found = differences(folder)
    if not as_written(folder / MANIFEST):
        raise BadFileError(f"{folder / MANIFEST}: damaged: its bytes are not those that were written; {REMEDY}")
    return found


def _lines(folder: Path, found: Differences, here: bool) -> list[str]:
    """What was found of a folder in which nothing is damaged, in sentences."""
    from tutelage.kinds.saved import for_people

    yours = [name for name in (*found.missing, *found.changed) if for_people(name)]
    made = "made by you on this machine" if here else "not known to be made by you on this machine (docs: security)"
    count = f"{found.count - len(yours)} of {found.count}" if yours else str(found.count)
    lines = [f"{folder} is whole: {count} files, {found.size / 1e6:.1f} MB, as they were written; {made}."]
    if yours:
        lines.append(f"Edited or removed since, which does no harm: {', '.join(sorted(yours))}.")
    if found.added:
        lines.append(f"Not of the run: {', '.join(found.added[:10])}{' and more' if len(found.added) > 10 else ''}.")
    return lines
