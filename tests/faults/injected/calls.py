"""Uses of the library from Python, as calls of a trial: every argument is a text."""

from __future__ import annotations

import json
import os
import sys
import time
from pathlib import Path


def encode(encoder: str, table: str, cache: str, out: str) -> None:
    """Encode the texts of a table by the feature cache, and write their features."""
    import numpy as np
    import pandas as pd

    from tutelage.files import naming
    from tutelage.modalities.encoder import load_encoder
    from tutelage.modalities.text.reader import TextReader

    with naming(Path(table)):  # which this trial reads, and not the library
        texts = list(pd.read_csv(table).text)
    found = TextReader(load_encoder(encoder)).encoding([texts], Path(cache) / "features")
    (features,) = found.features()
    with open(out, "wb") as file:
        np.save(file, features.rows.numpy())


def save(table: str, folder: str) -> None:
    """Fit an estimator on rows, and save it as a run."""
    import pandas as pd

    from tutelage import Classifier
    from tutelage.files import naming

    with naming(Path(table)):
        rows = pd.read_csv(table)
    y = rows.grower.where(rows.grower.notna(), -1).to_numpy()
    made = Classifier("drift", steps=3, folds=2, repeats=1, random_state=0)
    made.fit(rows[["ash", "alcohol"]].to_numpy(), y)
    made.save(Path(folder))


def load(folder: str, table: str, out: str) -> None:
    """Load the model of a run of rows, and write its probabilities."""
    import numpy as np
    import pandas as pd

    from tutelage import Classifier

    made = Classifier.load(Path(folder))
    with open(out, "wb") as file:
        np.save(file, made.predict_proba(pd.read_csv(table)[["ash", "alcohol"]]))


def at_once(asked: str) -> None:
    """Do several uses of the library at once, each in a process of its own.

    Args:
        asked: file of JSON with a list of uses; each has "calls", "shown", the file for what it prints, and "wait",
            seconds before it begins. Its exit code is written to "shown" with ".code" behind.
    """
    from injected.warm import called

    children = []
    for use in json.loads(Path(asked).read_text()):
        child = os.fork()
        if not child:
            code = 1
            try:
                shown = os.open(use["shown"], os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
                for fd in (1, 2):
                    os.dup2(shown, fd)
                time.sleep(use["wait"])
                code = called(use["calls"])
                sys.stdout.flush()
                sys.stderr.flush()
            finally:
                os._exit(code)
        children.append((child, use["shown"]))
    for child, shown in children:
        _, status = os.waitpid(child, 0)
        Path(f"{shown}.code").write_text(str(os.waitstatus_to_exitcode(status)))


def serve(run: str, table: str, out: str, count: str) -> None:
    """Predict one text a call, as a server does, and write the probabilities of all calls."""
    import numpy as np
    import pandas as pd

    from tutelage import load as load_model

    made, texts = load_model(run), list(pd.read_csv(table).text)
    found = []
    for i in range(int(count)):
        found.append(made.probabilities([f"{texts[i % len(texts)]} {i // len(texts)}"]))
        time.sleep(0.01)
    with open(out, "wb") as file:
        np.save(file, np.concatenate(found))
