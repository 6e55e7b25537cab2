"""The command that writes the model of a run for programs that have no tutelage."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from tutelage.run.screen import Json, Quiet, Screen


def export(
    folder: Path, *, onnx: Path | None = None, hf: Path | None = None, json: Json = False, quiet: Quiet = False,
    trust: Annotated[bool, Parameter(negative=())] = False, allow_encoder: str | None = None,
) -> None:  # fmt: skip
    """Write the model of a run for programs that have no tutelage, and check that it answers as the run does.

    Args:
        folder: folder of a finished run.
        onnx: folder to fill with one ONNX graph, its tokenizer and the names of its classes.
        hf: folder to fill with a model of texts that transformers loads, with the code that it then runs, and a card.
        trust: import the code of one's own that the run names.
        allow_encoder: encoder that somebody else's run may load from outside itself, a folder or a name on the Hub.
    """
    from tutelage.export import to_hf, to_onnx
    from tutelage.export.graph import as_json
    from tutelage.files import read_json, require_fresh
    from tutelage.files.described import Summary
    from tutelage.report.hub_card import hub_card
    from tutelage.run.finished import Finished

    screen = Screen(json, quiet)
    asked = {"onnx": (onnx, to_onnx), "hf": (hf, to_hf)}
    places = {name: place for name, (place, _) in asked.items() if place is not None}
    if not places:
        raise ValueError("--onnx or --hf must be given: the folder to write")
    if len({place.resolve() for place in places.values()}) < len(places):
        raise ValueError(f"--onnx and --hf both name {onnx}; name two folders")
    for place in places.values():
        require_fresh(place)  # before the work, not after it
    run, done = Finished.read(folder, trust, screen.say, allow_encoder), {}
    summary = read_json(folder / "summary.json", Summary)
    encoder = getattr(run.model.reader, "encoder", None)
    summary |= {} if encoder is None else {"encoder": encoder.name}  # a folder's whole path, not as it was given
    for name, place in places.items():
        card = partial(hub_card, type(run.kind), summary)
        written = asked[name][1](run.model, place, run.kind.words.things, card)
        done[name] = {"folder": str(place)} | as_json(written)
        screen.say(
            f"Written to {place}: {', '.join(written.files)}. Probabilities differ from the run's by "
            f"{written.difference:.1g} at most, on {written.items} {run.kind.words.things}."
        )
    if json:
        screen.json({"command": "export", "run": str(folder)} | done)
