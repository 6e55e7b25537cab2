"""A campaign of 100 labels through the labelling page, by keys alone, with server and browser killed; and its speed.

    python benchmarks/studies/labelling.py    # needs playwright and Chromium; a few minutes

A browser labels 100 of the texts of a table by keys. Server and browser are each killed twice with SIGKILL, at a random
moment after a key was pressed. What was acknowledged, that is, what made the next item appear, must be in the journal
once; the item that was on the screen when the kill came may be. The speed is the time from a key to the next item on
the screen, at 1,000 and at 1,000,000 rows, and the memory of the server at both. Results go into
benchmarks/results/labelling.json.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import numpy as np

from lines import RESULTS

CLASSES = ["sport", "money", "food"]
WORDS = {"sport": "match goal team coach", "money": "bank stock price market", "food": "soup bread salt cook"}
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
ANSWERS = 100


def write_table(path: Path, rows: int) -> None:
    """Write a table of texts of three classes, each text once."""
    draws = random.Random(0)
    with path.open("w") as file:
        file.write("text,label\n")
        for i in range(rows):
            words = WORDS[draws.choice(CLASSES)].split()
            file.write(f"{i}: the {draws.choice(words)} and the {draws.choice(words)} of day {i},\n")


class Server:
    """The labelling page of a table, as a process of its own."""

    def __init__(self, table: Path) -> None:
        began = time.perf_counter()
        words = ["-m", "tutelage", "label", "--train", str(table), "--text", "text", "--label", "label"]
        words += ["--classes", ",".join(CLASSES), "--no-browse", "--annotator", "ann"]
        self.process = subprocess.Popen([sys.executable, *words], stdout=subprocess.PIPE, text=True)
        assert self.process.stdout is not None
        self.lines: list[str] = []
        for line in self.process.stdout:
            self.lines.append(line)
            if found := re.search(r"http://\S+", line):
                self.address = found[0]
                break
        else:
            raise RuntimeError("".join(self.lines))
        self.seconds = time.perf_counter() - began

    def kill(self) -> None:
        """Kill it at once."""
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()

    def end(self) -> None:
        """Let it end in order."""
        self.process.send_signal(signal.SIGINT)
        self.process.wait()

    @property
    def megabytes(self) -> float:
        """Memory of its own that it holds, without files that are mapped."""
        text = Path(f"/proc/{self.process.pid}/status").read_text()
        return int(re.search(r"RssAnon:\s+(\d+) kB", text)[1]) / 1024  # type: ignore[index]


@contextmanager
def browser() -> Iterator[Any]:
    """A browser, with its process's number."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as play:
        made = play.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        try:
            yield made
        finally:
            if made.is_connected():
                made.close()


def opened(made: Any, address: str, faults: list[str]) -> Any:
    """The page, at its first item."""
    page = made.new_page(viewport={"width": 1280, "height": 800})
    page.on("console", lambda message: faults.append(message.text) if message.type == "error" else None)
    page.on("pageerror", lambda error: faults.append(str(error)))
    page.goto(address)
    page.wait_for_function("document.getElementById('place') && document.getElementById('place').textContent !== ''")
    page.wait_for_selector("#classes button")
    return page


def kill_browser() -> None:
    """Kill all processes of the browser that this process started."""
    parents = {}
    for stat in Path("/proc").glob("[0-9]*/stat"):
        with suppress(OSError):
            name, _, rest = stat.read_text().partition("(")[2].rpartition(")")
            parents[int(stat.parent.name)] = (name, int(rest.split()[1]))
    own, grown = {os.getpid()}, True
    while grown:
        more = {pid for pid, (_, parent) in parents.items() if parent in own} - own
        own, grown = own | more, bool(more)
    for pid in own:
        if pid in parents and "chrom" in parents[pid][0]:
            with suppress(OSError):
                os.kill(pid, signal.SIGKILL)


def acknowledged(page: Any, key: str) -> tuple[int, float]:
    """Press a key, and wait until another item is on the screen; the number of the item, and the seconds."""
    before = page.evaluate("state.item.row")
    began = time.perf_counter()
    page.keyboard.press(key)
    page.wait_for_function("row => state.item && state.item.row !== row", arg=before, timeout=10_000, polling="raf")
    return before, time.perf_counter() - began


def campaign(folder: Path, seed: int = 0) -> dict[str, Any]:
    """100 answers with four kills; what was lost and what was doubled."""
    from playwright.sync_api import Error

    table, draws = folder / "mine.csv", random.Random(seed)
    write_table(table, 300)
    kills = sorted(draws.sample(range(10, ANSWERS - 5), 4))
    whom = dict(zip(kills, ["server", "browser", "server", "browser"], strict=True))
    kept: list[int] = []
    faults: list[str] = []
    server = Server(table)
    while len(kept) < ANSWERS:
        with browser() as made:
            page = opened(made, server.address, faults)
            while len(kept) < ANSWERS:
                victim = whom.pop(len(kept), None)
                try:
                    if victim is not None:
                        page.keyboard.press(draws.choice("123"))
                        time.sleep(draws.uniform(0, 0.03))
                        if victim == "server":
                            server.kill()
                            server = Server(table)
                        else:
                            kill_browser()
                        break
                    kept.append(acknowledged(page, draws.choice("123"))[0])
                except Error:
                    if victim is None:
                        raise
                    break
    server.end()
    lines = [json.loads(line) for line in (table.parent / "mine.csv.labels" / "journal.jsonl").read_text().splitlines()]
    rows = [line["row"] for line in lines[1:] if line["act"] == "label"]
    return {
        "answers": len(kept), "kills": len(kills), "in the journal": len(rows), "lost": len(set(kept) - set(rows)),
        "doubled": len(rows) - len(set(rows)), "faults of the page": [f for f in faults if "ERR_CONNECTION" not in f],
    }  # fmt: skip


def speed(folder: Path, rows: int, count: int = 200) -> dict[str, Any]:
    """Time from a key to the next item on the screen, and the memory of the server."""
    table = folder / f"rows{rows}.csv"
    write_table(table, rows)
    server = Server(table)
    try:
        with browser() as made:
            page = opened(made, server.address, [])
            first = server.megabytes
            times = [acknowledged(page, random.choice("123"))[1] for _ in range(count)]
            middle, most = (1000 * float(np.quantile(times, share)) for share in (0.5, 0.95))
            return {
                "rows": rows, "median ms": middle, "p95 ms": most, "largest ms": 1000 * max(times),
                "start s": server.seconds, "memory MB": first, "memory MB after": server.megabytes,
            }  # fmt: skip
    finally:
        server.end()


class Clicks:
    """A page whose clicks are counted."""

    def __init__(self, page: Any) -> None:
        self.page, self.count = page, 0

    def click(self, selector: str, seconds: float = 180) -> None:
        """Click what a selector finds, once it is there."""
        self.page.wait_for_selector(selector, timeout=1000 * seconds)
        self.page.click(selector)
        self.count += 1


def whole_path(folder: Path, labels: int = 30) -> dict[str, Any]:
    """From a file to a downloaded table of labels by `tutelage app`: clicks, keys and seconds."""
    table = folder / "shop.csv"
    write_table(table, 300)
    words = ["-m", "tutelage", "app", "--folder", str(folder / "desk"), "--no-browse"]
    program = subprocess.Popen([sys.executable, *words], stdout=subprocess.PIPE, text=True)
    assert program.stdout is not None
    address = next(found[0] for line in program.stdout if (found := re.search(r"http://\S+", line)))
    faults: list[str] = []
    began, keys = time.perf_counter(), 0
    try:
        with browser() as made:
            context = made.new_context(accept_downloads=True)
            page = context.new_page()
            page.on("console", lambda message: faults.append(message.text) if message.type == "error" else None)
            page.on("pageerror", lambda error: faults.append(str(error)))
            page.goto(address)
            desk = Clicks(page)
            page.set_input_files("#choose", str(table))
            desk.click("text=That is right")
            desk.click("text=Label on a page")
            with context.expect_page(timeout=180_000) as opening:
                desk.click("text=Open the labelling page")
            label = opening.value
            label.wait_for_selector("#item .text")
            began_labels = time.perf_counter()
            for _ in range(labels):
                text = label.inner_text("#item .text")
                name = next(name for name, of in WORDS.items() if any(f"the {word} and" in text for word in of.split()))
                known = label.evaluate("names()")
                if name not in known:
                    label.fill("#fresh", name)
                    label.press("#fresh", "Enter")
                    keys += len(name) + 1
                    known = label.evaluate("names()")
                acknowledged(label, str(known.index(name) + 1))
                keys += 1
            by_hand = time.perf_counter() - began_labels
            time.sleep(3)  # the table is written two seconds after the last answer
            page.reload()
            desk.click('form[action$="/do/fit"] button')
            desk.click("text=Label all rows")
            with page.expect_download(timeout=180_000) as loading:
                desk.click("text=Download the labels")
            got = loading.value.path().read_text().splitlines()
        said = got[0].split(",").index("label_predicted")
        right = sum(
            any(word in line for word in WORDS[line.split(",")[said]].split())
            for line in got[1:]
            if line.split(",")[said]
        )
        return {
            "rows": len(got) - 1, "labels": labels, "clicks": desk.count + 1, "keys": keys,
            "seconds": time.perf_counter() - began, "seconds at the labels": by_hand,
            "right of all": right, "faults of the page": faults,
        }  # fmt: skip
    finally:
        program.send_signal(signal.SIGINT)
        program.wait()
        end_pages(folder / "desk")


def end_pages(desk: Path) -> None:
    """End the labelling pages that the app started, which outlive it, by their numbers."""
    from tutelage.label.jobs import Jobs

    for folder in desk.rglob("jobs"):
        for job in Jobs(folder).all():
            job.cancel()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, nargs="*", default=[1_000, 1_000_000])
    parser.add_argument("--campaigns", type=int, default=3)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        found = {
            "campaigns": [campaign(_new(Path(name) / f"c{i}"), i) for i in range(asked.campaigns)],
            "speed": [speed(Path(name), rows) for rows in asked.rows],
            "app": whole_path(Path(name)),
        }
    (RESULTS / "labelling.json").write_text(json.dumps(found, indent=1) + "\n")
    print(json.dumps(found, indent=1))


def _new(folder: Path) -> Path:
    folder.mkdir()
    return folder


if __name__ == "__main__":
    main()
