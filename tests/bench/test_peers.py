import subprocess
import sys
import textwrap
import time
from pathlib import Path

import numpy as np
import pytest

from tutelage.bench.peers import Peer, PeerError, environment, predict, read_peers

PYTHON = Path(sys.executable)
CLASSES, POOL, TEST = 3, 7, 5

SCRIPT = """
import sys
import numpy as np
method, seed, folder, out = sys.argv[1:]
cell = np.load(folder + "/cell.npz")
"""

TOML = """
[[peer]]
name = "one"
requirements = ["one==1.0"]
script = "one.py"
methods = ["a", "b"]
kinds = ["rows"]
seconds = 5
"""


@pytest.fixture
def cell(tmp_path):
    rng = np.random.default_rng(0)
    folder = tmp_path / "cell"
    folder.mkdir()
    rows = {
        f"x_{k}": rng.normal(size=(n, 2)).astype("f4") for k, n in (("labelled", 6), ("pool", POOL), ("test", TEST))
    }
    np.savez(folder / "cell.npz", y_labelled=np.arange(6) % CLASSES, classes=CLASSES, **rows)
    return folder


@pytest.fixture
def ask(tmp_path, cell):
    def ask(code, limit=20.0):
        script = tmp_path / "script.py"
        script.write_text(SCRIPT + textwrap.dedent(code))
        peer = Peer(name="one", requirements=("one==1.0",), script=script, methods=("a",), kinds=(), seconds=60)
        return predict(peer, "a", 4, cell, limit, PYTHON)

    return ask


def test_the_answer_is_what_the_script_wrote(ask):
    said = ask("""
        test = (cell["x_test"][:, 0] > 0).astype(int) + (int(seed) == 4) * (method == "a")
        np.savez(out, test=test, pool=np.zeros(len(cell["x_pool"]), int), seconds=0.25)
    """)
    expected = (np.random.default_rng(0).normal(size=((6 + POOL + TEST), 2))[-TEST:, 0] > 0) + 1
    assert said["test"].tolist() == expected.tolist()
    assert said["pool"].tolist() == [0] * POOL
    assert said["seconds"] == 0.25


def test_the_pool_may_be_left_out(ask):
    assert "pool" not in ask("np.savez(out, test=np.zeros(5, int), seconds=1)")


def test_the_peak_is_the_script_s_own(ask):
    ballast = np.ones(40_000_000)  # 320 MB of this process, which a forked child would be charged with
    small = ask("np.savez(out, test=np.zeros(5, int), seconds=1)")["peak_mb"]
    large = ask("x = np.ones(25_000_000); np.savez(out, test=np.zeros(5, int), seconds=1)")["peak_mb"]
    assert ballast.nbytes > 2**28 and small < 200
    assert 170 < large - small < 230  # 200 million bytes are 191 MB


def test_a_script_runs_on_one_thread_without_warnings(ask):
    ask("""
        import os, warnings
        assert os.environ["OMP_NUM_THREADS"] == "1"
        warnings.warn("unheard")
        np.savez(out, test=np.zeros(5, int), seconds=1)
    """)


@pytest.mark.parametrize(
    ("code", "message"),
    [
        ("raise ValueError('no such luck')", "one, a: ValueError: no such luck"),
        ("import os; os.kill(os.getpid(), 9)", "ended with code 137"),
        ("pass", "ended with code 0 and wrote nothing"),
        ("np.savez(out, test=np.zeros(4, int), seconds=1)", r"test must be 5 class numbers, got int64 \(4,\)"),
        ("np.savez(out, test=np.zeros(5), seconds=1)", "test must be 5 class numbers, got float64"),
        ("np.savez(out, test=np.full(5, 3), seconds=1)", r"test must be in 0\.\.2, got 3\.\.3"),
        ("np.savez(out, test=np.full(5, -1), seconds=1)", r"test must be in 0\.\.2, got -1\.\.-1"),
        (
            "np.savez(out, test=np.zeros(5, int), pool=np.zeros((7, 3), int), seconds=1)",
            r"pool must be 7 class numbers",
        ),
        ("np.savez(out, test=np.zeros(5, int))", "must say test, seconds and perhaps pool, got test"),
        ("np.savez(out, test=np.zeros(5, int), seconds=1, truth=0)", "got seconds, test, truth"),
    ],
)
def test_what_goes_wrong_is_said(ask, code, message):
    with pytest.raises(PeerError, match=message):
        ask(code)


def test_the_limit_stops_the_script_and_all_that_it_started(ask, tmp_path):
    alive = tmp_path / "alive"
    beat = f"import time\nwhile True: open({str(alive)!r}, 'a').write('.'); time.sleep(0.02)"
    started = time.perf_counter()
    with pytest.raises(PeerError, match=r"one, a: took longer than 1\.5 s"):
        ask(f"import subprocess; subprocess.run([sys.executable, '-c', {beat!r}])", limit=1.5)
    assert time.perf_counter() - started < 10
    beats = len(alive.read_text())
    time.sleep(0.3)
    assert beats and len(alive.read_text()) == beats


@pytest.fixture
def toml(tmp_path):
    (tmp_path / "one.py").touch()

    def write(text):
        file = tmp_path / "peers.toml"
        file.write_text(text)
        return file

    return write


def test_a_file_is_read(toml, tmp_path):
    (peer,) = read_peers(toml(TOML))
    assert (peer.name, peer.methods, peer.seconds, peer.script) == ("one", ("a", "b"), 5, tmp_path / "one.py")


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("seconds = 5", "seconds = 5\nsecond = 6", r"peers\.toml: peer\.0\.second: Extra inputs"),
        ("[[peer]]", "retries = 3\n[[peer]]", r"retries: Extra inputs"),
        ("seconds = 5", "", r"peer\.0\.seconds: Field required"),
        ("seconds = 5", "seconds = 0", r"seconds: .*greater than 0"),
        ("one==1.0", "one>=1.0", "'one>=1.0' must be pinned"),
        ('"rows"', '"pictures"', r"kinds\.0"),
        ('["a", "b"]', "[]", "methods"),
        ('["a", "b"]', '["a", "a"]', "methods: name 'a' is there twice"),
        ('"one"\n', '"../one"\n', r"peer\.0\.name"),
        ('"one"\n', '".."\n', r"peer\.0\.name"),
        ('"one.py"', '"two.py"', r"one: no script .*two\.py"),
        ("seconds = 5", "seconds = ", "no TOML"),
        ("seconds = 5", "seconds = 5" + TOML, "peer: name 'one' is there twice"),
    ],
)
def test_a_wrong_file_is_refused(toml, old, new, message):
    assert TOML.count(old)
    with pytest.raises(ValueError, match=message):
        read_peers(toml(TOML.replace(old, new, 1)))


def test_the_peers_of_the_benchmarks_are_read():
    peers = read_peers(Path(__file__).parents[2] / "benchmarks" / "peers" / "peers.toml")
    assert all(method in peer.script.read_text() for peer in peers for method in peer.methods)


@pytest.fixture
def made(monkeypatch):
    """Commands instead of pip and venv: what was asked for, and an answer."""
    calls, answer = [], {"code": 0, "stderr": ""}

    def run(command, **_):
        calls.append([str(part) for part in command])
        code = answer["code"] if "pip" in calls[-1] else 0
        return subprocess.CompletedProcess(command, code, "", answer["stderr"])

    monkeypatch.setattr("tutelage.bench.peers.subprocess.run", run)
    return calls, answer


def peer(*requirements):
    return Peer(name="one", requirements=requirements, script="one.py", methods=("a",), kinds=(), seconds=5)


def test_an_environment_is_made_once_and_again_for_other_requirements(tmp_path, made):
    calls, said = made[0], []
    for requirements in (["one==1.0"], ["one==1.0"], ["one==1.1", "two==3"]):
        assert environment(peer(*requirements), tmp_path, said.append) == tmp_path / "one" / "bin" / "python"
    installs = [c[c.index("install") + 1 :] for c in calls if "pip" in c]
    assert [[part for part in c if "==" in part] for c in installs] == [["one==1.0"], ["one==1.1", "two==3"]]
    assert len(said) == 2


def test_a_failed_install_is_remembered_until_the_requirements_change(tmp_path, made):
    calls, answer = made
    answer |= {"code": 1, "stderr": "\n".join(f"line {i}" for i in range(9))}
    for _ in range(2):
        with pytest.raises(PeerError, match=r"(?s)one could not be installed: line 4\nline 5.*line 8\n"):
            environment(peer("one==1.0"), tmp_path, str)
    assert len(calls) == 2
    answer |= {"code": 0}
    environment(peer("one==1.1"), tmp_path, str)
    assert len(calls) == 4


def test_an_interrupted_install_is_begun_again(tmp_path, made):
    (tmp_path / "one" / "bin").mkdir(parents=True)
    environment(peer("one==1.0"), tmp_path, str)
    assert len(made[0]) == 2 and not (tmp_path / "one" / "bin").exists()
