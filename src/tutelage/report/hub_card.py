"""The card of a model that was written for other programs: a README.md with metadata, as the Hub reads it.

It is drawn from the written records of a run, as the report is. It says what was counted and measured, and neither
items nor paths: those of a run may be nobody else's business.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import PurePath
from typing import Any

from huggingface_hub import EvalResult, ModelCardData

from tutelage import weights
from tutelage.data.cards import MOST, Use, as_code, plain, sections
from tutelage.fit.verdict import percent, reference_says, returned_says, words_of
from tutelage.kinds.base import Kind
from tutelage.methods.catalogue import TABLE
from tutelage.report.card import ALIKE, UNSEEN, told_of
from tutelage.report.records import to_show

METRICS = {"accuracy": "accuracy", "macro_f1": "f1"}
"""Names that the Hub has for scores."""

PAGES = re.compile(r"\(docs: warnings/([a-z-]+)\)")
"""Pattern of the pages that warnings name."""

ON_HUB = re.compile(r"[\w.-]+/[\w.-]+")
"""Pattern of names on the Hub."""

OWN = (ALIKE, UNSEEN)
"""Sentences that are Markdown already."""

NOT_KNOWN = "unknown"
"""Licence, as the Hub names it, of weights whose licence is not known."""


def hub_card(kind: type[Kind], summary: Mapping[str, Any], use: Use) -> str:
    """The card of the model of a run, in Markdown, with its metadata in front.

    Args:
        kind: kind of the data.
        summary: summary of the run, as it is written, that of an earlier version will do; its "encoder" is a name on
            the Hub or of the catalogue, or the whole path of a folder.
        use: how the folder is used.
    """
    summary = to_show(summary)
    things, count = str(summary["things"]), len(summary["classes"])
    told = told_of(kind, summary)  # type: ignore[arg-type]
    limits = [line if line in OWN else plain(line) for line in told["Limits"]]
    parts = [
        f"# A classifier of {plain(things)}: {_classes(summary)}",
        f"It gives each of {count} classes a probability. {_answer(summary)}",
        f"## How to use it\n\n```python\n{use.code}\n```",
        "\n".join(f"- {line}" for line in (*use.notes, *_with_tutelage(kind, use))),
        *sections({"What it was trained on": list(_trained_on(kind, summary))}),
        *_shares(summary),
        *sections({"Method": list(_method(summary)), "Evidence": list(map(plain, told["Evidence"]))}),
        _scores(summary),
        *sections({"Of these scores": list(map(plain, told["Scores"][-1:] if summary.get("calibration") else []))}),
        *sections({
            "Limits": [*_limits(kind, summary, use), *limits],
            "Versions and licence": list(_licence(summary, use)),
        }),
    ]  # fmt: skip
    return f"---\n{_metadata(kind, summary, use)}\n---\n\n" + "\n\n".join(filter(None, parts)) + "\n"


def _metadata(kind: type[Kind], summary: Mapping[str, Any], use: Use) -> str:
    """YAML by which the Hub finds the model."""
    entry = weights.CATALOGUE.get(_encoder(summary))
    found = ModelCardData(
        language=(entry.language if entry else None) or None,
        license=_licence_of(summary, use),
        library_name=use.library,
        pipeline_tag=kind.hub_task or None,
        base_model=_upstream(summary),
        tags=["tutelage", kind.name, *use.tags],
        model_name=f"{summary['method']} of {summary['labelled']} labelled {summary['things']}",
        eval_results=list(_results(kind, summary)) or None,
    )
    return str(found.to_yaml(line_break="\n")).strip()


def _results(kind: type[Kind], summary: Mapping[str, Any]) -> Iterator[EvalResult]:
    """Scores on the run's own test, where there was one."""
    test = summary.get("test") or {}
    for name in dict.fromkeys([str(summary["score"]), *METRICS]):
        if isinstance(test.get(name), int | float):
            low, high = test.get("interval") or (None, None)
            within = f" (90 % interval {low:.3f} to {high:.3f})" if low is not None and name == summary["score"] else ""
            yield EvalResult(
                task_type=kind.hub_task or "other", dataset_type="private", dataset_name="the test of the run",
                dataset_split="test", metric_type=METRICS.get(name, name), metric_value=round(float(test[name]), 4),
                metric_name=f"{name}{within}",
            )  # fmt: skip


def _classes(summary: Mapping[str, Any]) -> str:
    """Names of the classes, or of the first ones."""
    classes = summary["classes"]
    more = f" and {len(classes) - 5} more" if len(classes) > 5 else ""
    return f"{', '.join(map(plain, classes[:5]))}{more}"


def _answer(summary: Mapping[str, Any]) -> str:
    """Sentence that says which model it is, and whether it was compared with another one."""
    if summary.get("evidence"):
        return (
            f"It is the model of: {plain(returned_says(summary))}, the better of two, as far as the labels could tell."
        )
    if summary.get("before"):
        return "It went on from an earlier model, and no evidence was gathered anew."
    return "**It was not compared with a model of the labels alone**: whether the pool helped or hurt is not known."


def _with_tutelage(kind: type[Kind], use: Use) -> Iterator[str]:
    """Sentences on how else the model is used, and how near this folder is to it."""
    yield (
        f"Probabilities differ from those of the run that it was written of by {use.difference:.1g} at most, on "
        f"{use.items} {kind.words.things}."
    )
    yield (
        "With Tutelage the run itself is used, where you have it: `tutelage predict RUN --input NEW --output "
        "ANSWERS.csv`, where RUN is its folder, NEW a table, and ANSWERS.csv the table to write."
    )


def _trained_on(kind: type[Kind], summary: Mapping[str, Any]) -> Iterator[str]:
    """Counts, columns and sources of what was learnt, in Markdown."""
    things, facts = kind.words.things, (summary.get("read") or {}).get("facts") or {}
    yield f"{summary['labelled']:,} labelled {things}, and a pool of {summary['unlabelled']:,} without labels."
    if columns := facts.get("columns"):
        yield f"Columns: {', '.join(f'{plain(what)} in {as_code(name)}' for what, name in columns.items())}."
    formats = dict.fromkeys(str(file["format"]) for file in (summary.get("read") or {}).get("files", []))
    if formats:
        yield f"Read from {', '.join(map(plain, formats))}; neither the {things} nor where they lie is told here."
    if summary.get("weak"):
        yield "Weak labels of rules, votes or a teacher that was brought were learnt, too."
    if copies := summary.get("copies"):
        several, torn = copies["several"], copies["contradictions"]
        occur = "is 1 that occurs" if several == 1 else f"are {several:,} that occur"
        have = "has" if torn == 1 else "have"
        yield f"Among the labelled {occur} several times, of which {torn:,} {have} labels that contradict each other."


def _shares(summary: Mapping[str, Any]) -> list[str]:
    """Table of how common the classes are, among the labels and in the pool as the model sees it."""
    counts = ((summary.get("read") or {}).get("facts") or {}).get("classes") or {}
    pool = (summary.get("pool") or {}).get("classes") or {}
    if not counts and not pool:
        return []
    total = sum(counts.values()) or 1
    head = [
        "class",
        "labels",
        "share of the labels",
        "of the pool: labels only",
        f"of the pool: {words_of(summary).label}",
    ]
    rows = []
    for name in summary["classes"][:MOST]:
        own, number = pool.get(name, {}), counts.get(name)
        share = own.get("labels") if number is None else number / total
        shown = [share, own.get("reference"), own.get("candidate")]
        rows.append([plain(name), "–" if number is None else f"{number:,}", *map(_percent, shown)])
    more = len(summary["classes"]) - MOST
    after = [f"{more} more classes are left out here."] if more > 0 else []
    told = (summary.get("prevalence") or {}).get("words") or []
    return ["## Shares of the classes", _table(head, rows), *after, *map(plain, told)]


def _percent(share: float | None) -> str:
    return "–" if share is None else f"{100 * share:.1f} %"


def _table(head: list[str], rows: list[list[str]]) -> str:
    """A table in Markdown, whose columns but the first are numbers."""
    lines = [head, ["---", *["---:"] * (len(head) - 1)], *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _method(summary: Mapping[str, Any]) -> Iterator[str]:
    """Sentences on the method, its settings and its training."""
    name = str(summary["method"])
    entry = TABLE.get(name)
    if entry is None:
        yield f"{as_code(name)}, a method of the user's own."
    else:
        yield f"{as_code(name)}: {entry.sentence}" + (f" ({plain(entry.citation)})" if entry.citation else "")
    settings = {k: v for k, v in (summary.get("settings") or {}).items() if v is not None}
    if settings:
        yield f"Settings: {', '.join(f'{plain(k)} {plain(v)}' for k, v in settings.items())}."
    training = summary.get("training") or {}
    reading = f", {plain(summary['reading'])}" if summary.get("reading") else ""
    yield (
        f"Encoder: {as_code(_encoder(summary))}{reading}; {training.get('steps', '–')} steps, peak learning rate "
        f"{training.get('lr', '–')}, {plain(training.get('optimiser', '–'))}, seed {summary['seed']}."
    )


def _scores(summary: Mapping[str, Any]) -> str:
    """Table of the scores of both models, with their intervals; empty where nothing was measured."""
    score, test = summary["score"], summary.get("test") or {}
    columns: dict[str, tuple[Mapping[str, Any], Mapping[str, Any]]] = {}
    if summary.get("evidence"):
        columns["held-out labels"] = summary["reference"], summary["candidate"]
    if test:
        columns[f"the test of the run ({test['rows']:,})"] = (
            _on_test(summary, "reference"),
            _on_test(summary, "candidate"),
        )
    if not columns:
        return ""
    mine, rows = summary["returned"] != "reference", []
    for is_other, name in enumerate((reference_says(summary), words_of(summary).label)):
        says = f"{plain(name)} (this model)" if is_other == mine else plain(name)
        rows.append([says, *(_score(both[is_other], score) for both in columns.values())])
    head = [f"{plain(summary['measure'])} of", *columns]
    return f"{_table(head, rows)}\n\nNumbers in brackets are intervals, which hold the truth in nine of ten cases."


def _on_test(summary: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    """Test scores of a model; of a run of an earlier version without their intervals."""
    score = summary["score"]
    found: Mapping[str, Any] = summary.get(f"test_{name}") or {score: summary["test"].get(f"{name}_{score}")}
    return found


def _score(found: Mapping[str, Any], score: str) -> str:
    return "–" if found.get(score) is None else percent(found, score)


def _limits(kind: type[Kind], summary: Mapping[str, Any], use: Use) -> Iterator[str]:
    """Sentences on what the folder does not do."""
    things = kind.words.things
    yield f"It is meant for {things} like those that it was trained on, in the same language, for these classes alone."
    if use.max_length is not None:
        cut = (((summary.get("read") or {}).get("facts") or {}).get("tokens") or {}).get("texts_cut")
        of_mine = "" if cut is None else f" Of the {things} that it was trained on {_percent(cut)} are longer."
        yield f"Of each text the first {use.max_length} tokens are read, and what is behind them is not.{of_mine}"
    yield (
        "It gives every one of them some class, also where nothing can be read of it. To abstain where it is not sure "
        "is of `tutelage predict --abstain` alone, which promises a largest share of wrong labels."
    )
    pages = PAGES.findall(" ".join(line["words"] for line in summary.get("said", [])))
    if pages:
        yield f"When it was trained there were warnings of: {', '.join(map(as_code, dict.fromkeys(pages)))}."


def _licence(summary: Mapping[str, Any], use: Use) -> Iterator[str]:
    """Sentences on versions and licences."""
    versions = summary.get("versions") or {}
    yield f"Fitted with {', '.join(f'{plain(n)} {plain(v)}' for n, v in versions.items()) or 'versions not known'}."
    encoder, known = _encoder(summary), _licence_of(summary, use)
    if use.max_length is not None and known == NOT_KNOWN:
        yield f"The licence of the encoder {as_code(encoder)}, whose weights are in this folder, is not known here."
    elif use.max_length is not None:
        yield f"The weights of the encoder {as_code(encoder)} are under {weights.CATALOGUE[encoder].licence}."
    yield "What Tutelage adds, its code in this folder among it, is under Apache-2.0."


def _licence_of(summary: Mapping[str, Any], use: Use) -> str:
    """Licence of the folder, as the Hub names it: that of the encoder, where it holds one."""
    entry = weights.CATALOGUE.get(_encoder(summary))
    if use.max_length is None:
        return "apache-2.0"
    return NOT_KNOWN if entry is None else entry.licence.lower()


def _upstream(summary: Mapping[str, Any]) -> str | None:
    """Name on the Hub of the encoder; None where it is not known, as of a folder."""
    name = str(summary.get("encoder") or "")
    if name in weights.CATALOGUE:
        return weights.CATALOGUE[name].upstream or None
    return name if ON_HUB.fullmatch(name) else None


def _encoder(summary: Mapping[str, Any]) -> str:
    """Name of the encoder, of a folder its last name alone."""
    name = str(summary.get("encoder") or "none")
    return PurePath(name).name if PurePath(name).is_absolute() else name
