"""The command that tells the story of one row of a run."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from cyclopts import Parameter

from tutelage.run.screen import Json, Screen

if TYPE_CHECKING:
    from tutelage.kinds.story import Place, Said
    from tutelage.run.finished import Finished


def why(
    folder: Path, row: str, *, of: str | None = None, json: Json = False,
    trust: Annotated[bool, Parameter(negative=())] = False, allow_encoder: str | None = None,
) -> None:  # fmt: skip
    """Tell the story of one row of a run: what was guessed of it, by whom, and when, and whether that was learnt.

    Args:
        folder: folder of a finished run.
        row: number of the row, as messages count them; of a folder of files the path of one within it.
        of: file that the row is in, or "unlabelled" for that of --unlabelled; default: that of --train.
        trust: import the code of one's own that the run names.
        allow_encoder: encoder that somebody else's run may load from outside itself, a folder or a name on the Hub.
    """
    from tutelage.files import read_json
    from tutelage.files.described import Summary
    from tutelage.fit.onward import LABELS_ALONE
    from tutelage.kinds.ledger import LEDGER, PLACES, KeptLedger
    from tutelage.kinds.saved import require_finished
    from tutelage.kinds.story import Told, find, story
    from tutelage.run.finished import Finished

    screen = Screen(json)
    require = [name for name in (LEDGER, PLACES) if (folder / name).exists()]
    if not folder.exists():
        raise FileNotFoundError(f"{folder}: no such folder")
    require_finished(folder, "summary.json", *require)
    summary = read_json(folder / "summary.json", Summary)
    if not summary["unlabelled"]:
        raise ValueError(f"{folder} learnt from no pool: there are no pseudo-labels to tell of")
    kept = KeptLedger.kept(folder)
    run = Finished.read(folder, trust, screen.say, allow_encoder)
    if kept is None:
        because = (
            "no ledger is kept of pixels, whose pseudo-labels move with each view of an image"
            if run.model.task.dense
            else "it is of a version that kept no ledger, or of a federation; fit anew to have one"
        )
        raise ValueError(f"{folder} holds no ledger of pseudo-labels: {because}")
    place, words = find(kept, row, of), run.kind.words
    told = Told(summary["returned"] not in LABELS_ALONE, words.things)
    text, said, missing = _asked(run, place)
    found = story(kept, place, told, text, said, missing)
    if json:
        screen.json({"command": "why", "run": str(folder)} | found.as_dict())
        return
    for line in found.words:
        screen.answer(line)


def _asked(run: Finished, place: Place) -> tuple[str, Said | None, str]:
    """The item of a row, where it can be written, and what the model says of it; or a sentence on why it was not asked.

    Args:
        run: the run.
        place: the row.
    """
    from tutelage.files import read_json
    from tutelage.files.described import Asked
    from tutelage.files.whole import sha256_of
    from tutelage.kinds.story import Said
    from tutelage.tables import DataError

    asked: dict[str, Any] = read_json(run.folder / "run.json", Asked)
    named = [name for name in ("train", "unlabelled") if asked.get(name) == place.source]
    path, hashed = Path(place.source), asked.get(f"content of {named[0]}") if named else None
    if place.row is None or hashed is None:
        return "", None, ""
    if not path.is_file() or sha256_of(path) != hashed:
        state = "was changed since the fit" if path.is_file() else "is not there any more"
        return "", None, f"{path} {state}, so that only the row's place is known."
    try:
        item = _item(run, path, place.row, asked)
    except DataError as e:
        return "", None, f"{e}: only the row's place is known."
    if not len(item):
        return "", None, ""
    labels, text = run.model.predict(item)[0], run.kind.in_a_word(item[0])
    if labels is None:
        return text, None, "Nothing can be read of it."
    each = [str(label) for label in labels] if isinstance(labels, list) else [str(labels)]
    return text, Said(each, run.model.probabilities(item).max(1).tolist()), ""


def _item(run: Finished, path: Path, row: int, asked: Mapping[str, Any]) -> Any:
    """The item of a row of a table, as items are, of which there is one; none where the row has none.

    Args:
        run: the run.
        path: file of the table.
        row: number of the row.
        asked: options of the run.

    Raises:
        DataError: the file cannot be read.
    """
    from tutelage.kinds.entries import POOL
    from tutelage.kinds.saved import read_as

    entries = run.kind.entries(path, read_as(asked), sought=POOL)
    rows = list(getattr(entries.places, "rows", ()))
    i = rows.index(row) if row in rows else len(rows)
    return entries.items[i : i + 1]
