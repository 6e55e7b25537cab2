"""Groups of the commands, and an example of each, for the help; imported without the library that parses."""

from __future__ import annotations

from collections.abc import Sequence

GROUPS: dict[str, tuple[str, ...]] = {
    "Learn from labels": ("app", "demo", "look", "fit", "federate"),
    "Use what was learnt": ("predict", "serve", "score", "report", "why", "config", "verify", "export"),
    "Labels and teachers": ("next", "label", "exchange", "audit", "relabel", "annotate", "teacher"),
    "Data and encoders": ("data", "models", "adapt"),
    "Methods": ("methods", "bench"),
    "Shell": ("completion",),
}
"""Names of the commands by the group that the help shows them in."""

EXAMPLES: dict[str, str] = {
    "app": "tutelage app",
    "demo": "tutelage demo",
    "look": "tutelage look --train labelled.csv --unlabelled pool.csv --text text --label label",
    "fit": "tutelage fit drift --train labelled.csv --unlabelled pool.csv --text text --label label --out run",
    "federate": "tutelage federate --train all.csv --client hospital --text text --label label --out run",
    "predict": "tutelage predict run --input new.csv --output predicted.csv",
    "serve": "tutelage serve run --port 8000",
    "score": "tutelage score run --test test.csv",
    "report": "tutelage report run",
    "why": "tutelage why run 17",
    "config": "tutelage config run --output run.toml && tutelage fit --config run.toml --out again",
    "verify": "tutelage verify run",
    "export": "tutelage export run --onnx exported",
    "next": "tutelage next run --count 20 --out ask.csv",
    "label": "tutelage label ask.csv",
    "exchange": "tutelage exchange ask.csv --to label-studio --out tasks.json",
    "audit": "tutelage audit --train labelled.csv --text text --label label --out audit",
    "relabel": "tutelage relabel --train labelled.csv --label label --suspects audit/suspects.csv --output better.csv",
    "annotate": "tutelage annotate --train pool.csv --text text --local smollm2 --describe classes.json --out said.csv",
    "teacher": "tutelage teacher answers.csv --label label --teacher p_",
    "data": "tutelage data get r8",
    "models": "tutelage models get mpnet",
    "adapt": "tutelage adapt --by simcse --train pool.csv --text text --out encoder",
    "methods": "tutelage methods",
    "bench": "tutelage bench run protocol.toml --data folder --results results",
    "completion": "tutelage completion bash > ~/.local/share/bash-completion/completions/tutelage",
}
"""A line that can be typed, for each command."""

EXITS = (
    "Exit codes: 0, done; 2, an option, a file or the data are not right, and a line says what to do; 130, stopped by "
    "the user; 141, nobody reads what is printed; 1, a fault of Tutelage itself. --config FILE.toml gives the options "
    "of any command; NO_COLOR is heeded."
)
"""Sentences below the help of the whole command."""


def example(command: str) -> str:
    """The last lines of a command's help.

    >>> example("report")
    'Example: tutelage report run'
    """
    return f"Example: {EXAMPLES[command]}"


def example_of_fit(method: str, columns: Sequence[str], folder: bool = False) -> str:
    """The last lines of the help of a fit of one kind of data.

    Args:
        method: name of the method.
        columns: options that name columns, as Python writes them.
        folder: whether the items may lie in a folder, which needs no columns.

    >>> example_of_fit("drift", ["text", "label"])
    'Example: tutelage fit drift --train labelled.csv --unlabelled pool.csv --text text --label label --out run'
    >>> example_of_fit("drift", ["images", "label"], folder=True)
    'Example: tutelage fit drift --train labelled/ --unlabelled pool/ --kind images --out run'
    """
    named = " ".join(f"--{name.replace('_', '-')} {name}" for name in columns)
    train, pool = ("labelled/", "pool/") if folder else ("labelled.csv", "pool.csv")
    named = f"--kind {columns[0]}" if folder else named
    return f"Example: tutelage fit {method} --train {train} --unlabelled {pool} {named} --out run"
