"""How fast, and how steadily, does `tutelage serve` answer? Against a loop that calls `predict_proba`, in one run.

    python benchmarks/speed/serve.py                      all; some twenty minutes of two cores
    python benchmarks/speed/serve.py --only malformed     one part: speed, malformed, swap, stop
    python benchmarks/speed/serve.py --seconds 3 --bodies 500

adds what was measured to benchmarks/results/serve.json. The server is a process of its own, on loopback, with one
thread of PyTorch, and so is the loop; clients are threads of this process, each with a connection that it keeps. One
row a request, so that only what the server makes of concurrent requests is faster than the loop of one row a call.
Nothing is taken from the feature cache.
"""

from __future__ import annotations

import argparse
import http.client
import json
import os
import platform
import random
import shutil
import signal
import statistics
import subprocess
import sys
import tempfile
import threading
import time
import warnings
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

RESULTS = Path(__file__).parents[1] / "results" / "serve.json"
CLIENTS = (1, 8, 64)
BLOCK = 64
WIDTH = 64
PARTS = ("speed", "malformed", "swap", "stop")
TOKEN = "a-token-of-the-benchmark"
RIGHT = {"Authorization": f"Bearer {TOKEN}", "Content-Type": "application/json"}


# what is served


def words_of(count: int, seed: int) -> list[str]:
    """Texts of some 35 made-up words."""
    rng = random.Random(seed)
    parts = [a + b for a in ("ba", "lo", "mi", "ten", "ra", "so") for b in ("ker", "ring", "tal", "nes")]
    return [" ".join(rng.choices(parts, k=rng.randint(18, 52))) for _ in range(count)]


def numbers_of(count: int, seed: int) -> np.ndarray:
    """Rows of WIDTH numbers."""
    return np.random.default_rng(seed).normal(size=(count, WIDTH)).astype(np.float32)


def fitted(folder: Path, form: str, seed: int = 0) -> Path:
    """A run on made-up items of a form, "texts" or "rows"."""
    from tutelage import Classifier

    run = folder / f"{form}{seed}"
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        model = Classifier("supervised", steps=20, folds=2, repeats=1, random_state=seed)
        if form == "texts":
            x = words_of(40, seed)
            model.fit(x, [("short", "long")[len(text) > 230] for text in x]).save(run)
        else:
            x = numbers_of(80, seed)
            model.fit(x, np.where(x[:, 0] > 0, "yes", "no")).save(run)
    return run


def columns_of(form: str) -> list[str]:
    return ["text"] if form == "texts" else [f"x{i}" for i in range(WIDTH)]


def rows_of(form: str, count: int) -> list[Any]:
    """Rows of JSON."""
    if form == "texts":
        return words_of(count, 9)
    return [dict(zip(columns_of(form), map(float, row), strict=True)) for row in numbers_of(count, 9)]


@dataclass
class Server:
    """A server in a process of its own.

    Attributes:
        process: the process.
        port: its port.
    """

    process: subprocess.Popen[str]
    port: int

    def ask(self, rows: Sequence[Any], link: http.client.HTTPConnection | None = None) -> tuple[int, Any]:
        """Status and answer of a request of JSON."""
        link = link or self.link()
        link.request("POST", "/predict?classes=true", json.dumps({"rows": rows}), RIGHT)
        answer = link.getresponse()
        return answer.status, json.loads(answer.read())

    def cpu(self) -> float:
        """CPU seconds that the process has taken."""
        cells = Path(f"/proc/{self.process.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(cells[11]) + int(cells[12])) / os.sysconf("SC_CLK_TCK")

    def link(self, seconds: float = 120) -> http.client.HTTPConnection:
        return http.client.HTTPConnection("127.0.0.1", self.port, timeout=seconds)


@contextmanager
def served(run: Path, form: str, *more: str) -> Iterator[Server]:
    """A server of a run; it is stopped at the end, if it is there still."""
    option = "--text" if form == "texts" else "--features"
    command = [sys.executable, "-m", "tutelage", "serve", str(run), "--port", "0", option, *columns_of(form), *more]
    own = os.environ | {"OMP_NUM_THREADS": "1", "TUTELAGE_TOKEN": TOKEN}
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, env=own)
    assert process.stdout is not None
    line = process.stdout.readline()
    if "http://" not in line:
        raise SystemExit(f"the server did not start: {line}{process.stdout.read()}")
    threading.Thread(target=process.stdout.read, daemon=True).start()  # so that it never waits for who reads
    try:
        yield Server(process, int(line.split("http://")[1].split("/")[0].split(":")[1]))
    finally:
        if process.poll() is None:
            process.terminate()
            process.wait(60)


# speed


def timed(server: Server, rows: list[Any], clients: int, seconds: float) -> dict[str, Any]:
    """Rows a second, and the median and the 99th percentile of the seconds of a request of one row."""
    found: list[list[float]] = [[] for _ in range(clients)]
    begin = threading.Barrier(clients + 1)
    until, faults = [0.0], []

    def client(k: int) -> None:
        link, i = server.link(), k
        server.ask([rows[i]], link)
        begin.wait()
        try:
            while time.perf_counter() < until[0]:
                start = time.perf_counter()
                status, _ = server.ask([rows[i % len(rows)]], link)
                if status != 200:
                    raise ValueError(f"status {status}")
                found[k].append(time.perf_counter() - start)
                i += clients
        except (OSError, http.client.HTTPException, ValueError) as e:
            faults.append(repr(e))
        link.close()

    threads = [threading.Thread(target=client, args=(k,)) for k in range(clients)]
    for thread in threads:
        thread.start()
    until[0] = time.perf_counter() + seconds + 1
    begin.wait()
    start, cpu = time.perf_counter(), server.cpu()
    until[0] = start + seconds
    for thread in threads:
        thread.join()
    if faults:
        raise SystemExit(f"{len(faults)} clients were not answered: {faults[0]}")
    every = [each for part in found for each in part]
    return summed(every, time.perf_counter() - start, server.cpu() - cpu, 1)


def summed(each: list[float], whole: float, cpu: float, rows: int) -> dict[str, Any]:
    p50, p99 = np.percentile(each, [50, 99]).tolist()
    return {
        "rows_a_second": round(len(each) * rows / whole, 1),
        "rows_a_cpu_second": round(len(each) * rows / max(cpu, 0.01), 1), "p50_ms": round(1000 * p50, 1),
        "p99_ms": round(1000 * p99, 1), "requests": len(each),
    }  # fmt: skip


def loaded(run: Path) -> Any:
    """The estimator of a run, which looks nowhere for features that were computed before, as the server does not."""
    from tutelage import Classifier

    found = Classifier.load(run)
    found._model.cache = False
    return found


def loop(run: Path, form: str, block: int, seconds: float) -> dict[str, Any]:
    """The same of a loop that calls `predict_proba` of so many rows, in this process."""
    import torch

    torch.set_num_threads(1)
    model = loaded(run)
    if form == "texts":
        items: Any = words_of(512, 9)
    else:
        items = numbers_of(512, 9)
    model.predict_proba(items[:block])
    each, i, start, cpu = [], 0, time.perf_counter(), time.process_time()
    while time.perf_counter() - start < seconds:
        at = i % (len(items) - block + 1)
        begin = time.perf_counter()
        model.predict_proba(items[at : at + block])
        each.append(time.perf_counter() - begin)
        i += block
    return summed(each, time.perf_counter() - start, time.process_time() - cpu, block)


def alone(*words: object) -> Any:
    """What this script prints as JSON, called in a process of its own."""
    own = os.environ | {"OMP_NUM_THREADS": "1"}
    command = [sys.executable, __file__, *map(str, words)]
    done = subprocess.run(command, capture_output=True, text=True, env=own, check=True)
    return json.loads(done.stdout.splitlines()[-1])


def speed(folder: Path, form: str, seconds: float, repeats: int) -> list[dict[str, Any]]:
    """All ways of asking, in turn in every repetition; of each number the median."""
    run, rows = fitted(folder, form), rows_of(form, 512)
    lines: dict[tuple[str, str], list[dict[str, Any]]] = {}

    def add(way: str, of: str, found: dict[str, Any]) -> None:
        lines.setdefault((way, of), []).append(found)
        print(form, way, of, found, flush=True)

    for _ in range(repeats):
        add("a loop of predict_proba", "1 row a call", alone("--loop", run, form, 1, seconds))
        add("a loop of predict_proba", f"{BLOCK} rows a call", alone("--loop", run, form, BLOCK, seconds))
        with served(run, form) as server:
            for clients in CLIENTS:
                add("tutelage serve", f"{clients} client{'s' * (clients > 1)}", timed(server, rows, clients, seconds))
    return [
        {"items": form, "way": way, "of": of, "repeats": len(each)}
        | {name: statistics.median(one[name] for one in each) for name in each[0]}
        for (way, of), each in lines.items()
    ]


def apart(folder: Path, form: str) -> float:
    """The largest difference between what the server and `predict_proba` say of the same rows, asked together."""
    run, rows = fitted(folder, form), rows_of(form, 512)
    model = loaded(run)
    own = model.predict_proba(words_of(512, 9) if form == "texts" else numbers_of(512, 9))
    names = [str(name) for name in model.classes_]
    found = np.zeros_like(own)

    def ask(server: Server, k: int) -> None:
        for i in range(k, len(rows), 16):
            row = server.ask([rows[i]])[1]["rows"][0]["probabilities"]
            found[i] = [row[name] for name in names]

    with served(run, form) as server:
        threads = [threading.Thread(target=ask, args=(server, k)) for k in range(16)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    return float(np.abs(found - own).max())


# malformed bodies

CELLS: tuple[Any, ...] = (
    "a soup", "", " ", None, True, 0, -1, 1.5, 1e308, 10**400, -(10**30), [], [1], [1, "a"], {}, {"a": 1}, "\0",
    "\u202e", "=1+1", "NaN", "1,5", "1.234,5", "2020-01-01", "x" * 5000, float("nan"), float("inf"), [[1]], "[1, 2",
    "{'a': 1}", "\ufeff", "\U0010ffff", "'", '"', "\r", "a\nb", ["the", "soup"], ["", " "], [None], "[]", "nan",
)  # fmt: skip
"""Cells that tables have, and that they do not have."""

GOOD: tuple[tuple[Any, ...], ...] = (("a soup", "the goal was near"), (0, 1.5, -3, "2"), (["the", "soup"], "a goal"))
"""Cells that a column of texts, of numbers, or of sentences holds."""


def malformed(seed: int, columns: Sequence[str]) -> tuple[bytes, dict[str, str], str]:
    """A request that is likely wrong: body, headers and query, a function of the seed.

    Args:
        seed: number of the request.
        columns: columns of the run, some of which it names.
    """
    rng = random.Random(seed)
    kind = rng.choice(("application/json", "application/json", "text/csv"))
    body = rng.choice((_json, _csv))(rng, columns) if rng.random() < 0.15 else (
        _json(rng, columns) if "json" in kind else _csv(rng, columns)
    )  # fmt: skip
    for _ in range(rng.choice((0, 0, 1, 1, 2, 5, 20))):
        body = _changed(rng, body)
    headers = {"Content-Type": kind}
    if rng.random() < 0.1:
        headers["Content-Type"] = rng.choice(
            ("", "text/plain", "application/json; charset=utf-16", ";;", "text/csv;charset")
        )
    if rng.random() < 0.2:
        headers["Accept"] = rng.choice(("text/csv", "*/*", "text/csv;q=nan", ",;,", "image/png", "text/*;q=1e999"))
    query = rng.choice(
        ("", "", "", "?abstain=0.1", "?abstain=nan", "?classes=true", "?abstain=-1", "?a=%00", "?%ff=%fe")
    )
    return body, headers, query


def _json(rng: random.Random, columns: Sequence[str]) -> bytes:
    names, good = [*columns, "id", "", "text", "predicted", "\0"], rng.random() < 0.4
    cells = rng.choice(GOOD) if good else CELLS

    def row() -> Any:
        if rng.random() < 0.3 and not good:
            return rng.choice(CELLS)
        wrong = 0.0 if good else 0.3
        return {rng.choice(names) if rng.random() < wrong else name: rng.choice(cells) for name in columns}

    rows: Any = [row() for _ in range(rng.choice((0, 1, 1, 2, 3, 9)))]
    value = rng.choice(
        ({"rows": rows}, {"rows": rows}, {"rows": rows}, rows, {"row": rows}, {"rows": {"a": rows}}, rows[:1])
    )
    return json.dumps(value, ensure_ascii=rng.random() < 0.5).encode("utf-8", "surrogatepass")


def _csv(rng: random.Random, columns: Sequence[str]) -> bytes:
    names = list(columns) if rng.random() < 0.8 else [rng.choice([*columns, "id", "", "a"]) for _ in range(3)]
    sign, cells_of = rng.choice(",,,,;\t|~ "), rng.choice(GOOD) if rng.random() < 0.4 else CELLS
    lines = [sign.join(names)]
    for _ in range(rng.choice((0, 1, 2, 3, 9))):
        cells = [str(rng.choice(cells_of)) for _ in range(len(names) + rng.choice((0, 0, 0, 1, -1)))]
        lines.append(sign.join(f'"{cell}"' if rng.random() < 0.3 else cell for cell in cells))
    return rng.choice(("\n", "\r\n", "\r")).join(lines).encode("utf-8", "surrogatepass")


def _changed(rng: random.Random, body: bytes) -> bytes:
    """A body of which some bytes are cut, changed, repeated, or put in."""
    at, to = sorted((rng.randrange(len(body) + 1), rng.randrange(len(body) + 1)))
    way = rng.randrange(6)
    if way == 0:
        return body[:at]
    if way == 1:
        return body[:at] + body[to:]
    if way == 2:
        return body[:at] + bytes(rng.randrange(256) for _ in range(rng.randint(1, 8))) + body[at:]
    if way == 3:
        return body[:at] + body[at:to] * rng.choice((2, 3, 50)) + body[to:] if len(body) < 20_000 else body
    if way == 4:
        return (
            body[:at]
            + rng.choice((b"[" * 300, b'{"a":' * 300, b"\0", b"\xff\xfe", b"\xef\xbb\xbf", b'"', b"\\ud800"))
            + body[at:]
        )
    return body.replace(b'"', rng.choice((b"'", b"", b'""')), rng.randint(1, 3))


def all_malformed(folder: Path, count: int) -> dict[str, Any]:
    """What becomes of malformed requests, half of them of texts, half of rows."""
    return {form: some_malformed(fitted(folder, form), form, count // 2) for form in ("texts", "rows")}


def some_malformed(run: Path, form: str, count: int) -> dict[str, Any]:
    """Statuses of malformed requests, by eight clients, and how long the slowest took."""
    statuses: Counter[int] = Counter()
    seconds: list[float] = []
    lost: list[str] = []

    def client(server: Server, k: int) -> None:
        link = server.link(30)
        for i in range(k, count, 8):
            body, headers, query = malformed(i, columns_of(form))
            start = time.perf_counter()
            try:
                link.request("POST", f"/predict{query}", body, RIGHT | headers)
                answer = link.getresponse()
                answer.read()
            except (OSError, http.client.HTTPException) as e:
                lost.append(f"{i}: {type(e).__name__}")
                link = server.link(30)
                continue
            statuses[answer.status] += 1
            seconds.append(time.perf_counter() - start)
            if answer.status == 500:
                print("500 of body", i, flush=True)

    with served(run, form) as server:
        threads = [threading.Thread(target=client, args=(server, k)) for k in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        alive = server.ask(rows_of(form, 2))[0] == 200
    found = {
        "bodies": count, "statuses": {str(k): n for k, n in sorted(statuses.items())}, "lost": len(lost),
        "slowest_seconds": round(max(seconds), 2), "answers_afterwards": alive,
    }  # fmt: skip
    print(form, found, lost[:5], flush=True)
    return found


# a model that takes the place of another, and the end


@dataclass
class Load:
    """Clients that ask without a pause.

    Attributes:
        server: the server.
        rows: rows that they ask of, one a request.
        answers: by which model each request was answered.
        errors: what went wrong.
    """

    server: Server
    rows: list[Any]
    answers: list[str] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)
    ended: bool = False

    def __enter__(self) -> Load:
        self.threads = [threading.Thread(target=self._client, args=(k,)) for k in range(8)]
        for thread in self.threads:
            thread.start()
        return self

    def __exit__(self, *why: object) -> None:
        self.ended = True
        for thread in self.threads:
            thread.join()

    def _client(self, k: int) -> None:
        link = self.server.link()
        while not self.ended:
            try:
                status, answer = self.server.ask([self.rows[k % len(self.rows)]], link)
            except (OSError, http.client.HTTPException, ValueError) as e:
                self.errors.append(type(e).__name__)
                return
            k += 8
            if status == 200:
                self.answers.append(answer["model"])
            else:
                self.errors.append(str(status))


def swap(folder: Path, times: int) -> dict[str, Any]:
    """Models swapped under load, by a link that leads to each of two runs in turn."""
    runs = [fitted(folder, "rows", seed) for seed in (0, 1)]
    broken = folder / "broken"
    shutil.copytree(runs[1], broken, dirs_exist_ok=True)
    weights = broken / "model" / "model.safetensors"
    weights.write_bytes(weights.read_bytes()[:-1] + b"\x00\x00")
    link = folder / "current"
    link.unlink(missing_ok=True)
    link.symlink_to(runs[0])
    outcomes: Counter[int] = Counter()
    with served(link, "rows") as server, Load(server, rows_of("rows", 64)) as load:
        for i in range(times):
            time.sleep(0.3)
            link.unlink()
            link.symlink_to(broken if i % 4 == 3 else runs[(i + 1) % 2])
            ask = server.link()
            ask.request("POST", "/reload", headers=RIGHT)
            outcomes[ask.getresponse().status] += 1
        time.sleep(0.3)
    return {
        "swaps": outcomes[200], "damaged_runs_refused": outcomes[409], "requests": len(load.answers),
        "models_that_answered": len(set(load.answers)), "errors": len(load.errors),
    }  # fmt: skip


def stop(folder: Path) -> dict[str, Any]:
    """SIGTERM while 64 requests are in flight."""
    run, rows = fitted(folder, "texts"), rows_of("texts", 512)
    statuses: list[int] = []
    lost: list[str] = []

    def client(server: Server, k: int) -> None:
        link = server.link()
        try:
            link.connect()
            link.request("POST", "/predict", json.dumps({"rows": rows[k : k + 4]}), RIGHT)
            sent.release()
            answer = link.getresponse()
            answer.read()
            statuses.append(answer.status)
        except (OSError, http.client.HTTPException) as e:
            lost.append(type(e).__name__)

    sent = threading.Semaphore(0)
    with served(run, "texts") as server:
        server.ask(rows[:1])
        threads = [threading.Thread(target=client, args=(server, k)) for k in range(64)]
        for thread in threads:
            thread.start()
        for _ in threads:
            sent.acquire()
        time.sleep(0.2)
        before, begin = len(statuses), time.perf_counter()
        server.process.send_signal(signal.SIGTERM)
        code = server.process.wait(300)
        seconds = time.perf_counter() - begin
        for thread in threads:
            thread.join()
    return {
        "in_flight": 64 - before, "answered": statuses.count(200), "others": len(statuses) - statuses.count(200),
        "lost": len(lost), "code": code, "seconds": round(seconds, 1),
    }  # fmt: skip


def processor() -> str:
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            return line.partition(":")[2].strip()
    return platform.processor()


def record(**found: Any) -> None:
    import torch

    before = json.loads(RESULTS.read_text()) if RESULTS.exists() else {}
    machine = {
        "processor": processor(), "cores": len(os.sched_getaffinity(0)), "torch": torch.__version__,
        "load": round(os.getloadavg()[0], 2),
    }  # fmt: skip
    for name in found:
        before.setdefault("machine", {})[name] = machine
    RESULTS.write_text(json.dumps(before | found, indent=1) + "\n")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--only", nargs="+", choices=PARTS, default=list(PARTS))
    parser.add_argument("--seconds", type=float, default=20.0)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--bodies", type=int, default=10_000)
    parser.add_argument("--swaps", type=int, default=20)
    parser.add_argument("--loop", nargs=4, metavar=("RUN", "FORM", "ROWS", "SECONDS"), help="one loop, as JSON")
    a = parser.parse_args()
    if a.loop:
        print(json.dumps(loop(Path(a.loop[0]), a.loop[1], int(a.loop[2]), float(a.loop[3]))))
        return
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        if "speed" in a.only:
            lines = [line for form in ("texts", "rows") for line in speed(folder, form, a.seconds, a.repeats)]
            record(speed=lines, apart={form: apart(folder, form) for form in ("texts", "rows")})
        if "malformed" in a.only:
            record(malformed=all_malformed(folder, a.bodies))
        if "swap" in a.only:
            record(swap=swap(folder, a.swaps))
        if "stop" in a.only:
            record(stop=stop(folder))
    print(pd.Series(json.loads(RESULTS.read_text())).to_string())


if __name__ == "__main__":
    main()
