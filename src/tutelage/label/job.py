"""One command as a process of its own: it survives the page that started it, and keeps its log and how it ended.

python -m tutelage.label.job FOLDER    # does the command of FOLDER/job.json
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

from tutelage.files import write_json
from tutelage.ops.bar import PROGRESS

ASKED, ENDED, LOG, FAR = "job.json", "ended.json", "log.txt", "progress.json"
"""Files of a job: what was asked for, how it ended, what it printed, and how far it is."""


def main(folder: Path) -> int:
    """Do the command of a job; its exit code.

    Args:
        folder: folder of the job.
    """
    words = json.loads((folder / ASKED).read_text())["words"]
    environment = os.environ | {PROGRESS: str(folder / FAR), "COLUMNS": "110", "NO_COLOR": "1"}
    with os.fdopen(os.open(folder / LOG, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600), "ab") as log:
        command = [sys.executable, "-m", "tutelage", *words]
        done = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, env=environment)
        signal.signal(signal.SIGINT, signal.SIG_IGN)  # it goes to the whole group, and the command ends in order
        code = done.wait()
    write_json(folder / ENDED, {"code": code})
    return code


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
